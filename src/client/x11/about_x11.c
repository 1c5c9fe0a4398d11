#include "client/x11/about.h"

#include "client/x11/conn_private.h"

#include <stdlib.h>
#include <string.h>
#include <xcb/randr.h>

static xcb_atom_t atom_of(xcb_connection_t *xcb, const char *name) {
    xcb_intern_atom_reply_t *reply =
        xcb_intern_atom_reply(xcb, xcb_intern_atom(xcb, 1, (uint16_t)strlen(name), name), NULL);
    xcb_atom_t atom = reply ? reply->atom : XCB_ATOM_NONE;
    free(reply);
    return atom;
}

static size_t copy(uint8_t *out, size_t cap, const void *from, int len) {
    size_t n = len < 0 ? 0 : (size_t)len < cap ? (size_t)len : cap;
    if (n > 0)
        memcpy(out, from, n);
    return n;
}

static void ask_rules(struct tas_x11_about *out, struct tas_x11_conn *conn) {
    xcb_get_property_cookie_t cookie =
        xcb_get_property(conn->xcb, 0, conn->screen->root, atom_of(conn->xcb, "_XKB_RULES_NAMES"),
                         XCB_ATOM_STRING, 0, TAS_X11_RULES_MAX / 4);
    xcb_get_property_reply_t *reply = xcb_get_property_reply(conn->xcb, cookie, NULL);
    if (reply && reply->format == 8)
        out->rules_len = copy(out->rules, sizeof(out->rules), xcb_get_property_value(reply),
                              xcb_get_property_value_length(reply));
    free(reply);
}

static void ask_edid(struct tas_x11_display *d, struct tas_x11_conn *conn, xcb_randr_output_t output,
                     xcb_atom_t edid) {
    xcb_randr_get_output_property_reply_t *reply = xcb_randr_get_output_property_reply(
        conn->xcb,
        xcb_randr_get_output_property(conn->xcb, output, edid, XCB_GET_PROPERTY_TYPE_ANY, 0, TAS_X11_EDID / 4,
                                      0, 0),
        NULL);
    if (reply && reply->format == 8)
        d->edid_len = copy(d->edid, sizeof(d->edid), xcb_randr_get_output_property_data(reply),
                           xcb_randr_get_output_property_data_length(reply));
    free(reply);
}

/* False: it shows nothing. */
static bool ask_output(struct tas_x11_display *out, struct tas_x11_conn *conn, xcb_randr_output_t output,
                       xcb_timestamp_t when) {
    bool is_shown = false;
    xcb_randr_get_crtc_info_reply_t *crtc = NULL;
    xcb_randr_get_output_info_reply_t *info =
        xcb_randr_get_output_info_reply(conn->xcb, xcb_randr_get_output_info(conn->xcb, output, when), NULL);
    if (!info || info->connection == XCB_RANDR_CONNECTION_DISCONNECTED || info->crtc == XCB_NONE)
        goto out;
    crtc =
        xcb_randr_get_crtc_info_reply(conn->xcb, xcb_randr_get_crtc_info(conn->xcb, info->crtc, when), NULL);
    if (!crtc || crtc->width == 0 || crtc->height == 0)
        goto out;
    *out = (struct tas_x11_display){.x = crtc->x,
                                    .y = crtc->y,
                                    .width = crtc->width,
                                    .height = crtc->height,
                                    .width_mm = info->mm_width,
                                    .height_mm = info->mm_height};
    out->name_len = copy(out->name, sizeof(out->name), xcb_randr_get_output_info_name(info),
                         xcb_randr_get_output_info_name_length(info));
    is_shown = true;

out:
    free(crtc);
    free(info);
    return is_shown;
}

static xcb_randr_output_t primary(struct tas_x11_conn *conn) {
    xcb_randr_get_output_primary_reply_t *reply = xcb_randr_get_output_primary_reply(
        conn->xcb, xcb_randr_get_output_primary(conn->xcb, conn->screen->root), NULL);
    xcb_randr_output_t output = reply ? reply->output : XCB_NONE;
    free(reply);
    return output;
}

static void ask_displays(struct tas_x11_about *out, struct tas_x11_conn *conn) {
    xcb_randr_get_screen_resources_current_reply_t *all = xcb_randr_get_screen_resources_current_reply(
        conn->xcb, xcb_randr_get_screen_resources_current(conn->xcb, conn->screen->root), NULL);
    if (!all)
        return;
    const xcb_randr_output_t *outputs = xcb_randr_get_screen_resources_current_outputs(all);
    int n = xcb_randr_get_screen_resources_current_outputs_length(all);
    xcb_randr_output_t first = primary(conn);
    xcb_atom_t edid = atom_of(conn->xcb, "EDID");
    for (int i = 0; i < n; i++) {
        struct tas_x11_display d;
        if (!ask_output(&d, conn, outputs[i], all->config_timestamp))
            continue;
        d.is_primary = outputs[i] == first;
        if (edid != XCB_ATOM_NONE)
            ask_edid(&d, conn, outputs[i], edid);
        if (out->n_displays < TAS_X11_DISPLAYS_MAX)
            out->displays[out->n_displays++] = d;
        else
            out->n_more++;
    }
    free(all);
}

/* Without RANDR, or when it names none: the screen as one. */
static void take_screen(struct tas_x11_about *out, const struct tas_x11_conn *conn) {
    static const char name[] = "screen";
    struct tas_x11_display *d = &out->displays[out->n_displays++];
    *d = (struct tas_x11_display){.width = conn->screen->width_in_pixels,
                                  .height = conn->screen->height_in_pixels,
                                  .width_mm = conn->screen->width_in_millimeters,
                                  .height_mm = conn->screen->height_in_millimeters,
                                  .is_primary = true};
    d->name_len = copy(d->name, sizeof(d->name), name, sizeof(name) - 1);
}

bool tas_x11_about(struct tas_x11_about *out, const char *display) {
    struct tas_x11_conn conn;
    char why[200];

    *out = (struct tas_x11_about){0};
    if (tas_x11_conn_open(&conn, display, why, sizeof(why)) != TAS_OK)
        return false;
    ask_rules(out, &conn);
    if (tas_x11_conn_need(&conn, &xcb_randr_id, "RANDR", why, sizeof(why)) == TAS_OK)
        ask_displays(out, &conn);
    if (out->n_displays == 0)
        take_screen(out, &conn);
    tas_x11_conn_close(&conn);
    return true;
}
