#include "client/own.h"

#include "client/x11/conn_private.h"

#include <stdint.h>
#include <stdlib.h>

enum { DEPTH_MAX = 64 }; /* windows inside windows: a stranger's program could go on for ever */

struct tas_own {
    struct tas_x11_conn conn;
    uint32_t owner, mask; /* id & mask == owner: ours */
};

static void own_close(struct tas_own *own) {
    if (!own)
        return;
    tas_x11_conn_close(&own->conn);
    free(own);
}

static int own_open(struct tas_own **out, const char *display, uint64_t window, char *why, size_t why_cap) {
    struct tas_own *own = calloc(1, sizeof(*own));
    if (!own)
        return TAS_E_NOMEM;
    int err = tas_x11_conn_open(&own->conn, display, why, why_cap);
    if (err != TAS_OK) {
        own_close(own);
        return err;
    }
    own->mask = ~xcb_get_setup(own->conn.xcb)->resource_id_mask;
    own->owner = (uint32_t)window & own->mask;
    *out = own;
    return TAS_OK;
}

static bool is_ours(const struct tas_own *own, xcb_window_t window) {
    return (window & own->mask) == own->owner;
}

/* Down from the root: a window manager's frame is not ours, what it holds may be. */
static bool own_is_at(struct tas_own *own, uint32_t x, uint32_t y) {
    xcb_connection_t *xcb = own->conn.xcb;
    xcb_window_t root = own->conn.screen->root;
    xcb_window_t window = root;
    int16_t px = (int16_t)(x < INT16_MAX ? x : INT16_MAX);
    int16_t py = (int16_t)(y < INT16_MAX ? y : INT16_MAX);
    for (int depth = 0; window != XCB_NONE && depth < DEPTH_MAX; depth++) {
        xcb_translate_coordinates_reply_t *at =
            xcb_translate_coordinates_reply(xcb, xcb_translate_coordinates(xcb, root, window, px, py), NULL);
        if (!at) /* it went away between two questions, or the display did */
            return true;
        window = at->child;
        free(at);
        if (window != XCB_NONE && is_ours(own, window))
            return true;
    }
    return false;
}

/* Is one of ours below `window` under the pointer? The server answers with its own path to the pointer: no
 * child when the pointer is not in the window. */
static bool is_pointed_at(struct tas_own *own, xcb_window_t window) {
    xcb_connection_t *xcb = own->conn.xcb;
    for (int depth = 0; window != XCB_NONE && depth < DEPTH_MAX; depth++) {
        xcb_query_pointer_reply_t *at = xcb_query_pointer_reply(xcb, xcb_query_pointer(xcb, window), NULL);
        if (!at)
            return true;
        window = at->child;
        free(at);
        if (window != XCB_NONE && is_ours(own, window))
            return true;
    }
    return false;
}

/* Keys go to the focus, or to what is under the pointer if that is inside it: the root (PointerRoot), or a
 * window manager's frame around one of ours. None is nobody's, but only until somebody takes it. */
static bool own_has_keyboard(struct tas_own *own) {
    xcb_get_input_focus_reply_t *reply =
        xcb_get_input_focus_reply(own->conn.xcb, xcb_get_input_focus(own->conn.xcb), NULL);
    if (!reply)
        return true;
    xcb_window_t focus = reply->focus;
    free(reply);
    if (focus == XCB_INPUT_FOCUS_NONE || focus == XCB_INPUT_FOCUS_POINTER_ROOT)
        focus = own->conn.screen->root;
    return is_ours(own, focus) || is_pointed_at(own, focus);
}

const struct tas_own_ops tas_own_x11 = {own_open, own_close, own_is_at, own_has_keyboard};
