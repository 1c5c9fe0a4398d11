#include "client/x11/monitors_private.h"

#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>
#include <xcb/randr.h>

static bool is_same_area(const struct tas_screen_area *a, const struct tas_screen_area *b) {
    return a->x == b->x && a->y == b->y && a->width == b->width && a->height == b->height;
}

bool tas_x11_monitors_equal(const struct tas_screen_monitors *a, const struct tas_screen_monitors *b) {
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++) {
        const struct tas_screen_monitor *one = &a->list[i];
        const struct tas_screen_monitor *other = &b->list[i];
        if (one->is_primary != other->is_primary || strcmp(one->name, other->name) != 0 ||
            !is_same_area(&one->area, &other->area))
            return false;
    }
    return true;
}

/* Clips one edge: `at` and `len` on a screen of `max` px. */
static void clip(uint32_t *out_at, uint32_t *out_len, int32_t at, uint32_t len, uint32_t max) {
    int64_t from = at < 0 ? 0 : at;
    int64_t to = (int64_t)at + len > max ? max : (int64_t)at + len;
    *out_at = (uint32_t)from;
    *out_len = to > from ? (uint32_t)(to - from) : 0;
}

/* Two outputs may show the same (a projector): that is one to choose. */
static bool is_known(const struct tas_screen_monitors *monitors, const struct tas_screen_area *area) {
    for (size_t i = 0; i < monitors->n; i++)
        if (is_same_area(&monitors->list[i].area, area))
            return true;
    return false;
}

/* Any program may give a monitor any name. */
static void take_name(char out[TAS_SCREEN_NAME + 1], struct tas_bytes name) {
    while (name.len > TAS_SCREEN_NAME || (name.len > 0 && !tas_utf8_is_valid(name)))
        name.len--;
    if (name.len > 0 && tas_utf8_is_plain(name))
        memcpy(out, name.ptr, name.len);
}

/* The atoms of the names go out together, so that it is one round trip for all. */
static void name_all(struct tas_screen_monitors *out, const xcb_atom_t *names, struct tas_x11_conn *conn) {
    xcb_get_atom_name_cookie_t cookies[TAS_SCREEN_MONITORS];
    for (size_t i = 0; i < out->n; i++)
        cookies[i] = xcb_get_atom_name(conn->xcb, names[i]);
    for (size_t i = 0; i < out->n; i++) {
        xcb_get_atom_name_reply_t *reply = xcb_get_atom_name_reply(conn->xcb, cookies[i], NULL);
        if (reply)
            take_name(out->list[i].name, tas_bytes_of(xcb_get_atom_name_name(reply),
                                                      (size_t)xcb_get_atom_name_name_length(reply)));
        free(reply);
    }
}

static void take_all(struct tas_screen_monitors *out, struct tas_x11_conn *conn,
                     const xcb_randr_get_monitors_reply_t *reply, const struct tas_screen_area *whole) {
    xcb_atom_t names[TAS_SCREEN_MONITORS];
    bool has_primary = false;
    xcb_randr_monitor_info_iterator_t it = xcb_randr_get_monitors_monitors_iterator(reply);
    for (; it.rem && out->n < TAS_SCREEN_MONITORS; xcb_randr_monitor_info_next(&it)) {
        struct tas_screen_area area;
        clip(&area.x, &area.width, it.data->x, it.data->width, whole->width);
        clip(&area.y, &area.height, it.data->y, it.data->height, whole->height);
        if (area.width == 0 || area.height == 0 || is_known(out, &area))
            continue;
        names[out->n] = it.data->name;
        out->list[out->n++] =
            (struct tas_screen_monitor){.area = area, .is_primary = it.data->primary != 0 && !has_primary};
        has_primary = has_primary || it.data->primary != 0;
    }
    name_all(out, names, conn);
}

void tas_x11_monitors_ask(struct tas_screen_monitors *out, struct tas_x11_conn *conn, uint32_t width,
                          uint32_t height) {
    const struct tas_screen_area whole = {.width = width, .height = height};
    xcb_randr_get_monitors_reply_t *reply = xcb_randr_get_monitors_reply(
        conn->xcb, xcb_randr_get_monitors(conn->xcb, conn->screen->root, 1), NULL);
    *out = (struct tas_screen_monitors){0};
    if (reply)
        take_all(out, conn, reply, &whole);
    free(reply);
}
