#include "client/x11/cursor_private.h"

#include <stdlib.h>
#include <string.h>
#include <xcb/xfixes.h>

enum {
    CURSOR_MAX = 256, /* px; screen.h */
};

struct tas_x11_cursor {
    struct tas_x11_conn *conn;
    bool is_spoiled, is_new;
    struct tas_screen_cursor image; /* without position; rgba is `rgba` */
    uint8_t rgba[CURSOR_MAX * CURSOR_MAX * 4];
};

struct tas_x11_cursor *tas_x11_cursor_new(struct tas_x11_conn *conn) {
    struct tas_x11_cursor *cursor = calloc(1, sizeof(*cursor));
    if (!cursor)
        return NULL;
    cursor->conn = conn;
    cursor->is_spoiled = true;
    xcb_xfixes_select_cursor_input(conn->xcb, conn->screen->root,
                                   XCB_XFIXES_CURSOR_NOTIFY_MASK_DISPLAY_CURSOR);
    return cursor;
}

void tas_x11_cursor_free(struct tas_x11_cursor *cursor) {
    free(cursor);
}

void tas_x11_cursor_spoil(struct tas_x11_cursor *cursor) {
    cursor->is_spoiled = true;
}

/* Takes every step-th pixel: enlarged cursors beyond our limit are shown smaller rather than cut. Returns
 * false when nothing of it can be seen. */
static bool copy_pixels(uint8_t *out, uint32_t width, uint32_t height, const uint32_t *argb,
                        uint32_t in_width, uint32_t step) {
    uint32_t seen = 0;

    for (uint32_t y = 0; y < height; y++) {
        for (uint32_t x = 0; x < width; x++) {
            uint32_t p = argb[(size_t)y * step * in_width + (size_t)x * step];
            *out++ = (uint8_t)(p >> 16);
            *out++ = (uint8_t)(p >> 8);
            *out++ = (uint8_t)p;
            *out++ = (uint8_t)(p >> 24);
            seen |= p;
        }
    }
    return seen != 0;
}

static void take_image(struct tas_x11_cursor *cursor, const xcb_xfixes_get_cursor_image_reply_t *reply) {
    uint32_t larger = reply->width > reply->height ? reply->width : reply->height;
    uint32_t step = (larger + CURSOR_MAX - 1) / CURSOR_MAX;
    size_t n = (size_t)xcb_xfixes_get_cursor_image_cursor_image_length(reply);

    cursor->image = (struct tas_screen_cursor){0};
    if (step == 0 || n < (size_t)reply->width * reply->height)
        return;
    uint32_t width = reply->width / step;
    uint32_t height = reply->height / step;
    if (!copy_pixels(cursor->rgba, width, height, xcb_xfixes_get_cursor_image_cursor_image(reply),
                     reply->width, step))
        return;
    cursor->image = (struct tas_screen_cursor){
        .serial = reply->cursor_serial ? reply->cursor_serial : 1,
        .width = (uint16_t)width,
        .height = (uint16_t)height,
        .hot_x = (uint16_t)(reply->xhot / step),
        .hot_y = (uint16_t)(reply->yhot / step),
        .rgba = cursor->rgba,
    };
}

int tas_x11_cursor_refresh(struct tas_x11_cursor *cursor) {
    if (!cursor->is_spoiled)
        return TAS_OK;
    xcb_connection_t *xcb = cursor->conn->xcb;
    xcb_xfixes_get_cursor_image_reply_t *reply =
        xcb_xfixes_get_cursor_image_reply(xcb, xcb_xfixes_get_cursor_image(xcb), NULL);
    if (!reply && tas_x11_conn_is_dead(cursor->conn))
        return TAS_E_ABSENT;
    cursor->is_spoiled = false;
    cursor->is_new = true;
    if (reply)
        take_image(cursor, reply);
    else
        cursor->image = (struct tas_screen_cursor){0}; /* BadCursor: the server has none to show */
    free(reply);
    return TAS_OK;
}

bool tas_x11_cursor_is_new(struct tas_x11_cursor *cursor) {
    bool is_new = cursor->is_new;
    cursor->is_new = false;
    return is_new;
}

/* From 0 to len - 1, at the edge when outside. */
static uint32_t place(int16_t at, uint32_t from, uint32_t len, bool *is_inside) {
    int64_t v = (int64_t)at - from;
    *is_inside = *is_inside && v >= 0 && v < len;
    return v < 0 ? 0 : v < len ? (uint32_t)v : len - 1;
}

int tas_x11_cursor_get(struct tas_x11_cursor *cursor, const struct tas_screen_area *area,
                       struct tas_screen_cursor *out) {
    xcb_connection_t *xcb = cursor->conn->xcb;
    xcb_query_pointer_reply_t *reply =
        xcb_query_pointer_reply(xcb, xcb_query_pointer(xcb, cursor->conn->screen->root), NULL);
    if (!reply)
        return TAS_E_ABSENT;
    bool is_inside = reply->same_screen;
    uint32_t x = place(reply->root_x, area->x, area->width, &is_inside);
    uint32_t y = place(reply->root_y, area->y, area->height, &is_inside);
    free(reply);
    *out = is_inside ? cursor->image : (struct tas_screen_cursor){0};
    out->x = x;
    out->y = y;
    return TAS_OK;
}
