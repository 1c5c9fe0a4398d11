#include "operator/present/present.h"

#include "operator/present/cursor_private.h"
#include "operator/present/put_private.h"
#include "operator/present/view_private.h"
#include "operator/present/window_private.h"

#include <stdio.h>
#include <stdlib.h>

/* A connection of its own: libxcb reads events while it writes or waits for answers, so they are taken in at
 * the end of every call too, and not only when the socket is readable. */
struct present {
    xcb_connection_t *xcb;
    const xcb_screen_t *screen; /* borrowed from xcb */
    struct tas_watch *watch;
    bool can_share;
    xcb_render_pictformat_t cursor_format;

    struct present_view view;
    struct present_window window;
    struct present_put *put; /* NULL exactly when there is no window */

    bool is_placed;         /* in a window; without one nothing is shown, and that is no error */
    bool is_ours;           /* the pointer is the window's cursor */
    xcb_cursor_t cursor;    /* the window's; 0: the parent's */
    uint32_t cursor_source; /* revision of the sprite from which it was made; 0: of none */
};

/* ---- events ---- */

/* The window is gone; its pixels have nowhere to go. */
static void lose_window(struct present *p) {
    present_put_free(p->put);
    p->put = NULL;
    present_window_forget(&p->window, p->xcb);
    present_view_spoil(&p->view);
}

static void take_expose(struct present *p, const xcb_expose_event_t *event) {
    if (p->put && event->window == p->window.id && p->view.is_drawn)
        present_put_expose(p->put, (struct present_rect){event->x, event->y, event->width, event->height});
}

static void take_event(struct present *p, const xcb_generic_event_t *event) {
    const xcb_generic_error_t *error = (const xcb_generic_error_t *)event;
    const xcb_destroy_notify_event_t *destroyed = (const xcb_destroy_notify_event_t *)event;
    int type = event->response_type & 0x7f;

    if (type == 0 && p->window.id && error->resource_id == p->window.id)
        lose_window(p);
    else if (type == XCB_DESTROY_NOTIFY && p->window.id && destroyed->window == p->window.id)
        lose_window(p);
    else if (type == XCB_EXPOSE)
        take_expose(p, (const xcb_expose_event_t *)event);
    else if (p->put)
        present_put_on_event(p->put, event);
}

static bool is_dead(const struct present *p) {
    return xcb_connection_has_error(p->xcb) != 0;
}

/* Sends what was asked for and takes in what has come, until neither leads to more. The socket is read once:
 * what comes later makes it readable, unless libxcb has read it while it wrote. */
static void settle(struct present *p) {
    xcb_flush(p->xcb);
    xcb_generic_event_t *event = xcb_poll_for_event(p->xcb);
    while (event || (p->put && present_put_poll(p->put))) {
        if (event)
            take_event(p, event);
        free(event);
        xcb_flush(p->xcb);
        event = xcb_poll_for_queued_event(p->xcb);
    }
    if (is_dead(p)) {
        tas_watch_free(p->watch); /* it would be ready for ever */
        p->watch = NULL;
    }
}

static void on_ready(void *ctx, unsigned ready) {
    (void)ready;
    settle(ctx);
}

/* How a call ends that needs the window. */
static int result(struct present *p) {
    settle(p);
    return is_dead(p) || (p->is_placed && !p->window.id) ? TAS_E_ABSENT : TAS_OK;
}

/* ---- opening ---- */

static const xcb_screen_t *screen_of(xcb_connection_t *xcb, int number) {
    xcb_screen_iterator_t it = xcb_setup_roots_iterator(xcb_get_setup(xcb));
    for (; it.rem > 1 && number > 0; number--)
        xcb_screen_next(&it);
    return it.data;
}

static void x11_close(struct present *p) {
    if (!p)
        return;
    tas_watch_free(p->watch);
    present_put_free(p->put);
    present_window_close(&p->window, p->xcb);
    present_view_fini(&p->view);
    xcb_flush(p->xcb);
    xcb_disconnect(p->xcb);
    free(p);
}

static int x11_open(struct present **out, struct tas_loop *loop, const char *display,
                    struct present_surface *surface, char *why, size_t why_cap) {
    (void)surface;
    int number = 0;
    struct present *p = calloc(1, sizeof(*p));
    if (!p)
        return TAS_E_NOMEM;
    p->xcb = xcb_connect(display, &number);
    if (is_dead(p)) {
        snprintf(why, why_cap, "There is no X11 display, or it refuses this program.");
        goto absent;
    }
    p->screen = screen_of(p->xcb, number);
    if (!present_window_is_possible(p->xcb, p->screen)) {
        snprintf(why, why_cap, "The X11 display's pixels are not 8 bits a colour in this machine's order.");
        goto absent;
    }
    p->can_share = present_put_can_share(p->xcb);
    p->cursor_format = present_cursor_format(p->xcb);
    p->watch = tas_watch_new(loop, xcb_get_file_descriptor(p->xcb), TAS_READABLE, on_ready, p);
    if (!p->watch) {
        x11_close(p);
        return TAS_E_NOMEM;
    }
    settle(p);
    *out = p;
    return TAS_OK;

absent:
    x11_close(p);
    return TAS_E_ABSENT;
}

/* ---- the pointer as a cursor ---- */

static void drop_cursor(struct present *p) {
    if (p->cursor)
        xcb_free_cursor(p->xcb, p->cursor);
    p->cursor = 0;
    p->cursor_source = 0;
}

static void update_cursor(struct present *p) {
    uint32_t wanted = p->is_ours ? p->view.sprite.revision : 0;
    if (!p->window.id || wanted == p->cursor_source)
        return;
    drop_cursor(p); /* the window still uses it until the next one */
    if (p->is_ours)
        p->cursor = present_cursor_new(p->xcb, p->screen->root, p->cursor_format, &p->view.sprite);
    p->cursor_source = wanted;
    xcb_change_window_attributes(p->xcb, p->window.id, XCB_CW_CURSOR, &p->cursor);
}

/* ---- what the owner asks for ---- */

static void leave_window(struct present *p) {
    present_put_free(p->put);
    p->put = NULL;
    present_window_close(&p->window, p->xcb);
    present_view_spoil(&p->view);
    drop_cursor(p);
}

/* Window and buffers for the place. */
static int take_place(struct present *p, const struct present_place *place) {
    struct present_rect rect = {place->x, place->y, place->fit.width, place->fit.height};
    bool is_same_size = rect.width == p->window.place.width && rect.height == p->window.place.height;
    int err = TAS_OK;

    if (p->window.id && p->window.parent != (xcb_window_t)place->window)
        leave_window(p);
    if (!p->window.id) {
        drop_cursor(p);
        err = present_window_open(&p->window, p->xcb, p->screen, (xcb_window_t)place->window, rect);
        if (err != TAS_OK)
            return err;
    } else {
        present_window_move(&p->window, rect);
    }
    if (p->view.is_drawn)
        present_window_settle(&p->window, p->xcb); /* nothing else changes: its pixels go with it */
    if (p->put && is_same_size)
        return TAS_OK;
    present_put_free(p->put);
    p->put = present_put_new(p->xcb, p->window.id, p->window.depth, rect.width, rect.height, p->can_share);
    present_view_spoil(&p->view);
    if (p->put)
        return TAS_OK;
    leave_window(p);
    return TAS_E_NOMEM;
}

static int x11_place(struct present *p, const struct present_place *place) {
    if (is_dead(p))
        return TAS_E_ABSENT;
    int err = present_view_place(&p->view, &place->fit);
    if (err != TAS_OK)
        return err;
    p->is_placed = place->window != 0 && place->fit.width > 0 && place->fit.height > 0;
    if (p->is_placed)
        err = take_place(p, place);
    else
        leave_window(p);
    if (err != TAS_OK) {
        settle(p);
        return err;
    }
    update_cursor(p);
    return result(p);
}

static struct present_canvas canvas_of(const struct present *p, uint32_t *px) {
    uint32_t opaque = p->window.depth == 32 ? 0xff000000 : 0;
    return (struct present_canvas){.px = px, .stride = p->view.fit.width, .top = opaque};
}

static int x11_picture(struct present *p, const struct tas_picture *pic, const struct tas_tiles *changed) {
    pixman_region32_t damage;
    if (is_dead(p))
        return TAS_E_ABSENT;
    if (!p->put)
        return result(p);
    pixman_region32_init(&damage);
    int err = present_view_look(&p->view, pic, changed, &damage);
    if (err == TAS_OK && pixman_region32_not_empty(&damage)) {
        struct present_canvas canvas = canvas_of(p, present_put_begin(p->put, &damage));
        present_view_draw(&p->view, pic, &damage, &canvas);
        present_window_settle(&p->window, p->xcb);
        present_put_end(p->put, &damage);
        update_cursor(p); /* its size follows the picture's */
    }
    pixman_region32_fini(&damage);
    present_window_settle(&p->window, p->xcb);
    return err == TAS_OK ? result(p) : err;
}

static int x11_pointer(struct present *p, const struct present_pointer *pointer) {
    pixman_region32_t damage;
    if (is_dead(p))
        return TAS_E_ABSENT;
    pixman_region32_init(&damage);
    int err = present_view_point(&p->view, pointer, &damage);
    if (p->put && pixman_region32_not_empty(&damage)) {
        struct present_canvas canvas = canvas_of(p, present_put_begin(p->put, NULL));
        present_view_move(&p->view, &canvas);
        present_window_settle(&p->window, p->xcb);
        present_put_end(p->put, &damage);
    }
    pixman_region32_fini(&damage);
    p->is_ours = pointer->is_ours;
    update_cursor(p);
    int shown = result(p);
    return err == TAS_OK ? shown : err;
}

const struct present_ops present_x11 = {
    .name = "x11",
    .open = x11_open,
    .close = x11_close,
    .place = x11_place,
    .picture = x11_picture,
    .pointer = x11_pointer,
};
