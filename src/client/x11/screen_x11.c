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
#include "client/x11/monitors_private.h"
#include "client/x11/motion_private.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <xcb/damage.h>
#include <xcb/randr.h>
#include <xcb/xfixes.h>
#include <xcb/xinput.h>

struct tas_screen {
    struct tas_x11_conn conn;
    struct tas_x11_grab *grab;
    struct tas_x11_cursor *cursor;
    struct tas_x11_motion motion;
    uint32_t width, height;      /* px, of the root window */
    struct tas_screen_area area; /* what is looked at of it */
    struct tas_screen_monitors monitors;
    struct tas_tiles changed; /* of the area; taken in, not yet handed over by pump() */
    xcb_damage_damage_t damage;
    uint8_t damage_event, xfixes_event, randr_event; /* numbers of their first events */
    bool has_damage;                                 /* reported since the last subtract */
    bool may_have_new_layout;                        /* the size, or the monitors */
    bool knows_monitors;                             /* RANDR 1.5 */
    bool has_moved;                                  /* the pointer, as it was awaited */
};

static int need_extensions(struct tas_screen *screen, char *why, size_t why_cap) {
    struct tas_x11_conn *conn = &screen->conn;

    xcb_prefetch_extension_data(conn->xcb, &xcb_damage_id);
    xcb_prefetch_extension_data(conn->xcb, &xcb_xfixes_id);
    xcb_prefetch_extension_data(conn->xcb, &xcb_randr_id);
    xcb_prefetch_extension_data(conn->xcb, &xcb_input_id);
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
    xcb_randr_query_version_cookie_t randr = xcb_randr_query_version(xcb, 1, 5);
    void *replies[] = {
        xcb_damage_query_version_reply(xcb, damage, NULL),
        xcb_xfixes_query_version_reply(xcb, xfixes, NULL),
    };
    xcb_randr_query_version_reply_t *version = xcb_randr_query_version_reply(xcb, randr, NULL);
    bool is_good = replies[0] && replies[1] && version;
    screen->knows_monitors = version && (version->major_version > 1 || version->minor_version >= 5);
    for (int i = 0; i < 2; i++)
        free(replies[i]);
    free(version);
    return is_good ? TAS_OK : TAS_E_ABSENT;
}

static int fetch_size(struct tas_screen *screen, struct tas_screen_area *whole) {
    xcb_connection_t *xcb = screen->conn.xcb;
    xcb_get_geometry_reply_t *reply =
        xcb_get_geometry_reply(xcb, xcb_get_geometry(xcb, screen->conn.screen->root), NULL);
    if (!reply)
        return TAS_E_ABSENT;
    *whole = (struct tas_screen_area){.width = reply->width, .height = reply->height};
    free(reply);
    return TAS_OK;
}

static void fetch_monitors(struct tas_screen *screen) {
    struct tas_screen_monitors now = {0};
    if (screen->knows_monitors)
        tas_x11_monitors_ask(&now, &screen->conn, screen->width, screen->height);
    if (tas_x11_monitors_equal(&now, &screen->monitors))
        return;
    now.serial = screen->monitors.serial + 1;
    screen->monitors = now;
}

/* Makes what depends on the area anew; on failure all stays as it was. */
static int adopt(struct tas_screen *screen, const struct tas_screen_area *area, char *why, size_t why_cap) {
    struct tas_tiles changed;
    struct tas_x11_grab *grab = NULL;

    if (!tas_picture_size_is_valid(area->width, area->height)) {
        snprintf(why, why_cap, "The X11 screen of %ux%u is larger than the %ux%u that can be shown.",
                 area->width, area->height, (unsigned)TAS_PICTURE_MAX,
                 (unsigned)TAS_PICTURE_PIXELS / TAS_PICTURE_MAX);
        return TAS_E_ABSENT;
    }
    if (tas_tiles_init(&changed, area->width, area->height) != TAS_OK) {
        snprintf(why, why_cap, "Out of memory.");
        return TAS_E_NOMEM;
    }
    int err = tas_x11_grab_new(&grab, &screen->conn, area, why, why_cap);
    if (err != TAS_OK) {
        tas_tiles_fini(&changed);
        return err;
    }
    tas_tiles_fini(&screen->changed);
    tas_x11_grab_free(screen->grab);
    screen->changed = changed;
    screen->grab = grab;
    screen->area = *area;
    return TAS_OK;
}

static int adopt_whole(struct tas_screen *screen, const struct tas_screen_area *whole, char *why,
                       size_t why_cap) {
    int err = adopt(screen, whole, why, why_cap);
    if (err == TAS_OK) {
        screen->width = whole->width;
        screen->height = whole->height;
    }
    return err;
}

static int32_t between(int32_t value, int32_t min, int32_t max) {
    return value < min ? min : value > max ? max : value;
}

/* Clipped to the area first: the last tiles of a row or column reach beyond it. */
static void on_damage(struct tas_screen *screen, const xcb_rectangle_t *rect) {
    const struct tas_screen_area *area = &screen->area;
    int32_t x = rect->x - (int32_t)area->x;
    int32_t y = rect->y - (int32_t)area->y;
    int32_t left = between(x, 0, (int32_t)area->width);
    int32_t top = between(y, 0, (int32_t)area->height);
    int32_t right = between(x + rect->width, 0, (int32_t)area->width);
    int32_t bottom = between(y + rect->height, 0, (int32_t)area->height);
    tas_tiles_set_rect(&screen->changed, left, top, (uint32_t)(right - left), (uint32_t)(bottom - top));
    screen->has_damage = true;
}

static void on_event(struct tas_screen *screen, const xcb_generic_event_t *event) {
    uint8_t type = event->response_type & 0x7f;

    if (type == screen->damage_event + XCB_DAMAGE_NOTIFY) {
        on_damage(screen, &((const xcb_damage_notify_event_t *)event)->area);
    } else if (type == screen->xfixes_event + XCB_XFIXES_CURSOR_NOTIFY) {
        tas_x11_cursor_spoil(screen->cursor);
    } else if (type == screen->randr_event + XCB_RANDR_SCREEN_CHANGE_NOTIFY ||
               type == screen->randr_event + XCB_RANDR_NOTIFY || type == XCB_CONFIGURE_NOTIFY) {
        /* Width and height in the first are those before rotation: the root window is asked instead. A
         * program that divides the screen into monitors (RRSetMonitor) causes but the last. */
        screen->may_have_new_layout = true;
    } else if (tas_x11_motion_on_event(&screen->motion, &screen->conn, event)) {
        screen->has_moved = true;
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

    const uint32_t events = XCB_EVENT_MASK_STRUCTURE_NOTIFY;
    xcb_randr_select_input(xcb, root,
                           XCB_RANDR_NOTIFY_MASK_SCREEN_CHANGE | XCB_RANDR_NOTIFY_MASK_CRTC_CHANGE |
                               XCB_RANDR_NOTIFY_MASK_OUTPUT_CHANGE);
    xcb_change_window_attributes(xcb, root, XCB_CW_EVENT_MASK, &events);
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
    struct tas_screen_area whole;

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
    err = fetch_size(screen, &whole);
    if (err == TAS_OK)
        err = adopt_whole(screen, &whole, why, why_cap);
    if (err == TAS_OK)
        err = tas_x11_cursor_refresh(screen->cursor);
    if (err == TAS_OK) {
        tas_x11_motion_init(&screen->motion, &screen->conn);
        fetch_monitors(screen);
        take_queued(screen);
    }
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
static int check_layout(struct tas_screen *screen) {
    char why[160];
    struct tas_screen_area whole;

    if (!screen->may_have_new_layout)
        return TAS_OK;
    screen->may_have_new_layout = false;
    int err = fetch_size(screen, &whole);
    if (err != TAS_OK)
        return err;
    bool is_new = whole.width != screen->width || whole.height != screen->height;
    if (is_new)
        err = adopt_whole(screen, &whole, why, sizeof(why));
    if (err == TAS_OK)
        fetch_monitors(screen);
    if (is_new)
        subtract_damage(screen);
    return err == TAS_OK && is_new ? TAS_E_STATE : err;
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
    int err = check_layout(screen);
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
    *width = screen->area.width;
    *height = screen->area.height;
}

static const struct tas_screen_monitors *x11_monitors(const struct tas_screen *screen) {
    return &screen->monitors;
}

static bool is_on_screen(const struct tas_screen *screen, const struct tas_screen_area *area) {
    return area->width > 0 && area->height > 0 && area->x < screen->width && area->y < screen->height &&
           area->width <= screen->width - area->x && area->height <= screen->height - area->y;
}

static int x11_look_at(struct tas_screen *screen, const struct tas_screen_area *area) {
    const struct tas_screen_area whole = {.width = screen->width, .height = screen->height};
    char why[160];
    if (!area)
        area = &whole;
    if (!is_on_screen(screen, area))
        return TAS_E_LIMIT;
    int err = adopt(screen, area, why, sizeof(why));
    take_queued(screen);
    return err;
}

static int x11_grab(struct tas_screen *screen, const struct tas_tiles *tiles, struct tas_picture *into) {
    if (into->width != screen->area.width || into->height != screen->area.height)
        return TAS_E_STATE;
    assert(tiles->across == screen->changed.across && tiles->down == screen->changed.down);
    int err = tas_x11_grab_tiles(screen->grab, tiles, into);
    if (err == TAS_E_STATE)
        screen->may_have_new_layout = true;
    take_queued(screen);
    return err;
}

static int x11_cursor(struct tas_screen *screen, struct tas_screen_cursor *out) {
    int err = tas_x11_cursor_get(screen->cursor, &screen->area, out);
    take_queued(screen);
    return err;
}

static int x11_await_move(struct tas_screen *screen) {
    int err = tas_x11_motion_await(&screen->motion, &screen->conn);
    xcb_flush(screen->conn.xcb); /* a display that is gone is told by the others */
    return err;
}

static unsigned x11_pointer_news(struct tas_screen *screen) {
    unsigned news = screen->has_moved ? TAS_SCREEN_MOVED : 0;
    screen->has_moved = false;
    return tas_x11_cursor_is_new(screen->cursor) ? news | TAS_SCREEN_IMAGE : news;
}

const struct tas_screen_ops tas_screen_x11 = {
    .name = "x11",
    .open = x11_open,
    .close = x11_close,
    .fd = x11_fd,
    .pump = x11_pump,
    .monitors = x11_monitors,
    .look_at = x11_look_at,
    .size = x11_size,
    .grab = x11_grab,
    .cursor = x11_cursor,
    .await_move = x11_await_move,
    .pointer_news = x11_pointer_news,
};
