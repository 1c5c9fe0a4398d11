/* The customer's X11 screen. DAMAGE reports delta rectangles: the server sends only what was not yet reported
 * since our last subtract, so an animation in one place costs one small event between two pumps (raw
 * rectangles: one for every drawing request), and no round trip is needed to learn where (non-empty reports:
 * one for each pump). Nothing is lost: what is drawn after an event was sent and before the subtract is in
 * the pixels that are grabbed after the subtract, for the requests of one connection are carried out in
 * order. */
#include "client/screen.h"

#include "client/x11/conn_private.h"
#include "client/x11/cursor_private.h"
#include "client/x11/grab_private.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <xcb/damage.h>
#include <xcb/randr.h>
#include <xcb/xfixes.h>

struct tas_screen {
    struct tas_x11_conn conn;
    struct tas_x11_grab *grab;
    struct tas_x11_cursor *cursor;
    uint32_t width, height;
    struct tas_tiles changed; /* taken in, not yet handed over by pump() */
    xcb_damage_damage_t damage;
    uint8_t damage_event, xfixes_event, randr_event; /* numbers of their first events */
    bool has_damage;                                 /* reported since the last subtract */
    bool may_have_new_size;
};

static int need_extensions(struct tas_screen *screen, char *why, size_t why_cap) {
    struct tas_x11_conn *conn = &screen->conn;

    xcb_prefetch_extension_data(conn->xcb, &xcb_damage_id);
    xcb_prefetch_extension_data(conn->xcb, &xcb_xfixes_id);
    xcb_prefetch_extension_data(conn->xcb, &xcb_randr_id);
    int err = tas_x11_conn_need(conn, &xcb_damage_id, "DAMAGE", why, why_cap);
    if (err == TAS_OK)
        err = tas_x11_conn_need(conn, &xcb_xfixes_id, "XFIXES", why, why_cap);
    if (err == TAS_OK)
        err = tas_x11_conn_need(conn, &xcb_randr_id, "RANDR", why, why_cap);
    if (err != TAS_OK)
        return err;
    screen->damage_event = xcb_get_extension_data(conn->xcb, &xcb_damage_id)->first_event;
    screen->xfixes_event = xcb_get_extension_data(conn->xcb, &xcb_xfixes_id)->first_event;
    screen->randr_event = xcb_get_extension_data(conn->xcb, &xcb_randr_id)->first_event;
    return TAS_OK;
}

/* Servers refuse requests of these extensions before they were asked for their version. */
static int agree_versions(struct tas_screen *screen) {
    xcb_connection_t *xcb = screen->conn.xcb;
    xcb_damage_query_version_cookie_t damage = xcb_damage_query_version(xcb, 1, 1);
    xcb_xfixes_query_version_cookie_t xfixes = xcb_xfixes_query_version(xcb, 4, 0);
    xcb_randr_query_version_cookie_t randr = xcb_randr_query_version(xcb, 1, 2);
    void *replies[] = {
        xcb_damage_query_version_reply(xcb, damage, NULL),
        xcb_xfixes_query_version_reply(xcb, xfixes, NULL),
        xcb_randr_query_version_reply(xcb, randr, NULL),
    };
    bool is_good = replies[0] && replies[1] && replies[2];
    for (int i = 0; i < 3; i++)
        free(replies[i]);
    return is_good ? TAS_OK : TAS_E_ABSENT;
}

static int fetch_size(struct tas_screen *screen, uint32_t *width, uint32_t *height) {
    xcb_connection_t *xcb = screen->conn.xcb;
    xcb_get_geometry_reply_t *reply =
        xcb_get_geometry_reply(xcb, xcb_get_geometry(xcb, screen->conn.screen->root), NULL);
    if (!reply)
        return TAS_E_ABSENT;
    *width = reply->width;
    *height = reply->height;
    free(reply);
    return TAS_OK;
}

static bool is_allowed_size(uint32_t width, uint32_t height) {
    return width > 0 && height > 0 && width <= TAS_PICTURE_MAX && height <= TAS_PICTURE_MAX &&
           (uint64_t)width * height <= TAS_PICTURE_PIXELS;
}

/* Makes what depends on the size anew; on failure all stays as it was. */
static int adopt_size(struct tas_screen *screen, uint32_t width, uint32_t height, char *why, size_t why_cap) {
    struct tas_tiles changed;
    struct tas_x11_grab *grab = NULL;

    if (!is_allowed_size(width, height)) {
        snprintf(why, why_cap, "The X11 screen of %ux%u is larger than the %ux%u that can be shown.", width,
                 height, (unsigned)TAS_PICTURE_MAX, (unsigned)TAS_PICTURE_PIXELS / TAS_PICTURE_MAX);
        return TAS_E_ABSENT;
    }
    if (tas_tiles_init(&changed, width, height) != TAS_OK) {
        snprintf(why, why_cap, "Out of memory.");
        return TAS_E_NOMEM;
    }
    int err = tas_x11_grab_new(&grab, &screen->conn, width, height, why, why_cap);
    if (err != TAS_OK) {
        tas_tiles_fini(&changed);
        return err;
    }
    tas_tiles_fini(&screen->changed);
    tas_x11_grab_free(screen->grab);
    screen->changed = changed;
    screen->grab = grab;
    screen->width = width;
    screen->height = height;
    return TAS_OK;
}

static void on_event(struct tas_screen *screen, const xcb_generic_event_t *event) {
    uint8_t type = event->response_type & 0x7f;

    if (type == screen->damage_event + XCB_DAMAGE_NOTIFY) {
        const xcb_damage_notify_event_t *e = (const void *)event;
        tas_tiles_set_rect(&screen->changed, e->area.x, e->area.y, e->area.width, e->area.height);
        screen->has_damage = true;
    } else if (type == screen->xfixes_event + XCB_XFIXES_CURSOR_NOTIFY) {
        tas_x11_cursor_spoil(screen->cursor);
    } else if (type == screen->randr_event + XCB_RANDR_SCREEN_CHANGE_NOTIFY) {
        /* Its width and height are those before rotation: the root window is asked instead. */
        screen->may_have_new_size = true;
    }
}

/* Events that came in while an answer was awaited: no poll() on the socket will ever tell of them. */
static void take_queued(struct tas_screen *screen) {
    bool is_any = false;
    xcb_generic_event_t *event;

    while ((event = xcb_poll_for_queued_event(screen->conn.xcb)) != NULL) {
        on_event(screen, event);
        free(event);
        is_any = true;
    }
    if (is_any)
        tas_x11_conn_raise(&screen->conn);
}

static void start_watching(struct tas_screen *screen) {
    xcb_connection_t *xcb = screen->conn.xcb;
    xcb_window_t root = screen->conn.screen->root;

    xcb_randr_select_input(xcb, root, XCB_RANDR_NOTIFY_MASK_SCREEN_CHANGE);
    screen->damage = xcb_generate_id(xcb);
    xcb_damage_create(xcb, screen->damage, root, XCB_DAMAGE_REPORT_LEVEL_DELTA_RECTANGLES);
}

static void x11_close(struct tas_screen *screen) {
    if (!screen)
        return;
    tas_x11_grab_free(screen->grab);
    tas_x11_cursor_free(screen->cursor);
    tas_tiles_fini(&screen->changed);
    tas_x11_conn_close(&screen->conn);
    free(screen);
}

/* Everything after the connection; the caller closes on failure. */
static int set_up(struct tas_screen *screen, char *why, size_t why_cap) {
    uint32_t width;
    uint32_t height;

    int err = need_extensions(screen, why, why_cap);
    if (err != TAS_OK)
        return err;
    snprintf(why, why_cap, "The X11 display went away while it was being opened.");
    err = agree_versions(screen);
    if (err != TAS_OK)
        return err;
    screen->cursor = tas_x11_cursor_new(&screen->conn);
    if (!screen->cursor) {
        snprintf(why, why_cap, "Out of memory.");
        return TAS_E_NOMEM;
    }
    start_watching(screen); /* before the size is asked, or a change in between would be missed */
    err = fetch_size(screen, &width, &height);
    if (err == TAS_OK)
        err = adopt_size(screen, width, height, why, why_cap);
    if (err == TAS_OK)
        err = tas_x11_cursor_refresh(screen->cursor);
    if (err == TAS_OK)
        take_queued(screen);
    return err;
}

static int x11_open(struct tas_screen **out, const char *display, char *why, size_t why_cap) {
    struct tas_screen *screen = calloc(1, sizeof(*screen));
    if (!screen) {
        snprintf(why, why_cap, "Out of memory.");
        return TAS_E_NOMEM;
    }
    int err = tas_x11_conn_open(&screen->conn, display, why, why_cap);
    if (err == TAS_OK)
        err = set_up(screen, why, why_cap);
    if (err != TAS_OK) {
        x11_close(screen);
        return err;
    }
    if (why_cap > 0)
        why[0] = '\0';
    *out = screen;
    return TAS_OK;
}

static int x11_fd(const struct tas_screen *screen) {
    return screen->conn.epoll;
}

static void take_events(struct tas_screen *screen) {
    xcb_generic_event_t *event;

    tas_x11_conn_lower(&screen->conn);
    while ((event = xcb_poll_for_event(screen->conn.xcb)) != NULL) {
        on_event(screen, event);
        free(event);
    }
}

/* From here on the server reports again what is drawn where it was drawn before. Always ahead of a grab. */
static void subtract_damage(struct tas_screen *screen) {
    if (screen->has_damage)
        xcb_damage_subtract(screen->conn.xcb, screen->damage, XCB_NONE, XCB_NONE);
    screen->has_damage = false;
}

/* TAS_E_STATE when there is a new size, which has then been adopted. */
static int check_size(struct tas_screen *screen) {
    char why[160];
    uint32_t width;
    uint32_t height;

    if (!screen->may_have_new_size)
        return TAS_OK;
    screen->may_have_new_size = false;
    int err = fetch_size(screen, &width, &height);
    if (err != TAS_OK || (width == screen->width && height == screen->height))
        return err;
    err = adopt_size(screen, width, height, why, sizeof(why));
    subtract_damage(screen);
    return err == TAS_OK ? TAS_E_STATE : err;
}

static void hand_over(struct tas_screen *screen, struct tas_tiles *dirty) {
    tas_tiles_merge(dirty, &screen->changed);
    tas_tiles_clear(&screen->changed);
    subtract_damage(screen);
}

static int x11_pump(struct tas_screen *screen, struct tas_tiles *dirty) {
    take_events(screen);
    if (tas_x11_conn_is_dead(&screen->conn))
        return TAS_E_ABSENT;
    int err = check_size(screen);
    if (err == TAS_OK && (dirty->across != screen->changed.across || dirty->down != screen->changed.down))
        err = TAS_E_STATE;
    if (err == TAS_OK) {
        hand_over(screen, dirty);
        err = tas_x11_cursor_refresh(screen->cursor);
    }
    take_queued(screen);
    if (xcb_flush(screen->conn.xcb) <= 0)
        return TAS_E_ABSENT;
    return err;
}

static void x11_size(const struct tas_screen *screen, uint32_t *width, uint32_t *height) {
    *width = screen->width;
    *height = screen->height;
}

static int x11_grab(struct tas_screen *screen, const struct tas_tiles *tiles, struct tas_picture *into) {
    if (into->width != screen->width || into->height != screen->height)
        return TAS_E_STATE;
    assert(tiles->across == screen->changed.across && tiles->down == screen->changed.down);
    int err = tas_x11_grab_tiles(screen->grab, tiles, into);
    if (err == TAS_E_STATE)
        screen->may_have_new_size = true;
    take_queued(screen);
    return err;
}

static int x11_cursor(struct tas_screen *screen, struct tas_screen_cursor *out) {
    int err = tas_x11_cursor_get(screen->cursor, out);
    take_queued(screen);
    return err;
}

const struct tas_screen_ops tas_screen_x11 = {
    .name = "x11",
    .open = x11_open,
    .close = x11_close,
    .fd = x11_fd,
    .pump = x11_pump,
    .size = x11_size,
    .grab = x11_grab,
    .cursor = x11_cursor,
};
