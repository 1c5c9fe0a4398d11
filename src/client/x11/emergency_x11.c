#include "client/emergency.h"

#include "client/x11/conn_private.h"
#include "client/x11/emergency_private.h"
#include "client/x11/layout_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xcb/xinput.h>
#include <xcb/xkb.h>

enum {
    DEVICES_MAX = 32, /* known at a time; with more they are asked for again */
    LEVELS = 2,       /* plain and with Shift */
};

/* A keyboard, as far as it has sent something. */
struct device {
    uint16_t id;
    bool counts;   /* is no XTEST keyboard */
    bool is_stale; /* its layout has changed */
    struct tas_x11_meanings meanings;
};

struct tas_emergency {
    struct tas_x11_conn conn;
    xcb_atom_t xtest_atom;
    uint8_t opcode;    /* of XInput */
    uint8_t xkb_event; /* first event of XKEYBOARD */
    struct device devices[DEVICES_MAX];
    size_t n_devices;
    struct tas_x11_combination combination;
};

/* ---- keyboards ---- */

/* The server marks XTEST's own devices with this property, which cannot be changed. When it is gone meanwhile
 * it does not count. */
static bool is_own_keyboard(struct tas_emergency *e, uint16_t id) {
    xcb_generic_error_t *error = NULL;
    xcb_input_xi_get_property_reply_t *reply = xcb_input_xi_get_property_reply(
        e->conn.xcb,
        xcb_input_xi_get_property(e->conn.xcb, id, 0, e->xtest_atom, XCB_GET_PROPERTY_TYPE_ANY, 0, 1),
        &error);
    bool is_own = reply && (reply->type == XCB_ATOM_NONE || reply->num_items == 0);
    if (reply && reply->num_items > 0 && reply->format == 8)
        is_own = *(const uint8_t *)(reply + 1) == 0;
    free(error);
    free(reply);
    return is_own;
}

static void add_key(struct tas_x11_meanings *m, const struct tas_x11_layout *layout, uint8_t key) {
    for (unsigned group = 0; group < tas_x11_layout_groups(layout, key); group++)
        for (unsigned level = 0; level < tas_x11_layout_levels(layout, key, group) && level < LEVELS; level++)
            tas_x11_meanings_add(m, key, tas_x11_layout_sym(layout, key, group, level));
}

/* Keyboards may differ in their layouts. Without one that can be read the places on a PC keyboard have to do.
 */
static void learn_meanings(struct tas_emergency *e, struct device *d) {
    struct tas_x11_layout layout;
    d->meanings = (struct tas_x11_meanings){0};
    xcb_xkb_get_map_reply_t *reply = xcb_xkb_get_map_reply(
        e->conn.xcb,
        xcb_xkb_get_map(e->conn.xcb, d->id, TAS_X11_PARTS, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
        NULL);
    if (reply && tas_x11_layout_parse(&layout, tas_bytes_of(reply, 32 + (size_t)reply->length * 4)) == TAS_OK)
        for (unsigned key = 8; key < 256; key++)
            add_key(&d->meanings, &layout, (uint8_t)key);
    free(reply);
    tas_x11_meanings_complete(&d->meanings);
    d->is_stale = false;
}

static void watch_layout(struct tas_emergency *e, uint16_t id) {
    const uint16_t events = XCB_XKB_EVENT_TYPE_NEW_KEYBOARD_NOTIFY | XCB_XKB_EVENT_TYPE_MAP_NOTIFY;
    const uint16_t whole_map = 0xff;
    xcb_xkb_select_events(e->conn.xcb, id, events, 0, events, whole_map, whole_map, NULL);
}

static struct device *device_of(struct tas_emergency *e, uint16_t id) {
    for (size_t i = 0; i < e->n_devices; i++)
        if (e->devices[i].id == id)
            return &e->devices[i];
    return NULL;
}

static struct device *meet(struct tas_emergency *e, uint16_t id) {
    struct device *d = device_of(e, id);
    if (d)
        return d;
    if (e->n_devices == DEVICES_MAX)
        e->n_devices = 0;
    d = &e->devices[e->n_devices++];
    *d = (struct device){.id = id, .counts = is_own_keyboard(e, id), .is_stale = true};
    if (d->counts)
        watch_layout(e, id);
    return d;
}

static void part_from(struct tas_emergency *e, uint16_t id) {
    struct device *d = device_of(e, id);
    tas_x11_combination_forget(&e->combination, id);
    if (d)
        *d = e->devices[--e->n_devices];
}

/* ---- events ---- */

static uint8_t means(void *ctx, uint16_t device, uint8_t keycode) {
    struct tas_emergency *e = ctx;
    struct device *d = meet(e, device);
    if (d->counts && d->is_stale)
        learn_meanings(e, d);
    return d->counts ? d->meanings.of[keycode] : 0;
}

static bool on_key(struct tas_emergency *e, const struct tas_x11_raw_key *key) {
    const struct tas_x11_held held = {.device = key->device, .keycode = key->keycode};
    return meet(e, key->device)->counts &&
           tas_x11_combination_key(&e->combination, &held, key->is_down, means, e);
}

/* Only what is gone is forgotten: whoever adds devices all the time must not keep the customer from holding a
 * key. Numbers are used again. */
static void on_hierarchy(struct tas_emergency *e, const xcb_input_hierarchy_event_t *event) {
    const uint32_t gone = XCB_INPUT_HIERARCHY_MASK_SLAVE_REMOVED | XCB_INPUT_HIERARCHY_MASK_DEVICE_DISABLED |
                          XCB_INPUT_HIERARCHY_MASK_SLAVE_ADDED;
    const size_t len = (size_t)event->length * 4; /* of what follows the first 32 bytes */
    /* libxcb has put four bytes of its own behind those. */
    const uint8_t *at = (const uint8_t *)event + sizeof(*event);
    for (size_t i = 0; i < event->num_infos && (i + 1) * sizeof(xcb_input_hierarchy_info_t) <= len; i++) {
        xcb_input_hierarchy_info_t info;
        memcpy(&info, at + i * sizeof(info), sizeof(info));
        if (info.flags & gone)
            part_from(e, info.deviceid);
    }
}

static void on_layout(struct tas_emergency *e, const xcb_generic_event_t *event) {
    const xcb_xkb_map_notify_event_t *x = (const void *)event; /* all XKB events begin alike */
    struct device *d = device_of(e, x->deviceID);
    if (d)
        d->is_stale = true;
}

static bool on_event(struct tas_emergency *e, const xcb_generic_event_t *event) {
    const xcb_input_hierarchy_event_t *h = (const void *)event;
    struct tas_x11_raw_key key;
    uint8_t type = event->response_type & 0x7f;

    if (type == e->xkb_event)
        on_layout(e, event);
    else if (tas_x11_raw_key_decode(&key, (const uint8_t *)event, e->opcode))
        return on_key(e, &key);
    else if (type == XCB_GE_GENERIC && h->extension == e->opcode && h->event_type == XCB_INPUT_HIERARCHY)
        on_hierarchy(e, h);
    return false;
}

static bool x11_pressed(struct tas_emergency *e) {
    xcb_generic_event_t *event;
    bool is_pressed = false;

    tas_x11_conn_lower(&e->conn);
    /* What comes while a keyboard is asked for its layout is taken in by the same loop. */
    while ((event = xcb_poll_for_event(e->conn.xcb)) != NULL) {
        is_pressed |= on_event(e, event);
        free(event);
    }
    xcb_flush(e->conn.xcb);
    return is_pressed;
}

/* ---- the table's functions ---- */

/* 2.1 is what lifts raw events above grabs; a server gives what it is asked for at most. */
static int need_version(struct tas_emergency *e, char *why, size_t why_cap) {
    xcb_input_xi_query_version_reply_t *reply =
        xcb_input_xi_query_version_reply(e->conn.xcb, xcb_input_xi_query_version(e->conn.xcb, 2, 2), NULL);
    bool is_enough =
        reply && (reply->major_version > 2 || (reply->major_version == 2 && reply->minor_version >= 1));
    free(reply);
    if (!is_enough)
        snprintf(why, why_cap, "The X11 server's XInputExtension is too old: version 2.1 is needed.");
    return is_enough ? TAS_OK : TAS_E_ABSENT;
}

static xcb_atom_t atom_of(struct tas_emergency *e, const char *name) {
    xcb_intern_atom_reply_t *reply = xcb_intern_atom_reply(
        e->conn.xcb, xcb_intern_atom(e->conn.xcb, 0, (uint16_t)strlen(name), name), NULL);
    xcb_atom_t atom = reply ? reply->atom : XCB_ATOM_NONE;
    free(reply);
    return atom;
}

static int select_events(struct tas_emergency *e) {
    const struct {
        xcb_input_event_mask_t head;
        uint32_t mask;
    } wanted = {
        .head = {.deviceid = XCB_INPUT_DEVICE_ALL, .mask_len = 1},
        .mask = XCB_INPUT_XI_EVENT_MASK_RAW_KEY_PRESS | XCB_INPUT_XI_EVENT_MASK_RAW_KEY_RELEASE |
                XCB_INPUT_XI_EVENT_MASK_HIERARCHY,
    };
    xcb_void_cookie_t cookie =
        xcb_input_xi_select_events_checked(e->conn.xcb, e->conn.screen->root, 1, &wanted.head);
    xcb_generic_error_t *error = xcb_request_check(e->conn.xcb, cookie);
    bool is_done = !error && !tas_x11_conn_is_dead(&e->conn);
    free(error);
    return is_done ? TAS_OK : TAS_E_ABSENT;
}

static int set_up(struct tas_emergency *e, char *why, size_t why_cap) {
    int err = tas_x11_conn_need(&e->conn, &xcb_input_id, "XInputExtension", why, why_cap);
    if (err == TAS_OK)
        err = tas_x11_conn_need(&e->conn, &xcb_xkb_id, "XKEYBOARD", why, why_cap);
    if (err == TAS_OK)
        err = need_version(e, why, why_cap);
    if (err != TAS_OK)
        return err;
    e->opcode = xcb_get_extension_data(e->conn.xcb, &xcb_input_id)->major_opcode;
    e->xkb_event = xcb_get_extension_data(e->conn.xcb, &xcb_xkb_id)->first_event;
    snprintf(why, why_cap, "The X11 server does not tell of keys (XInputExtension, XKEYBOARD).");
    e->xtest_atom = atom_of(e, "XTEST Device");
    xcb_xkb_use_extension_reply_t *use =
        xcb_xkb_use_extension_reply(e->conn.xcb, xcb_xkb_use_extension(e->conn.xcb, 1, 0), NULL);
    bool is_usable = use && use->supported && e->xtest_atom != XCB_ATOM_NONE;
    free(use);
    if (!is_usable)
        return TAS_E_ABSENT;
    err = select_events(e);
    tas_x11_conn_raise(&e->conn);
    return err;
}

static void x11_close(struct tas_emergency *e) {
    if (!e)
        return;
    tas_x11_conn_close(&e->conn);
    free(e);
}

static int x11_open(struct tas_emergency **out, const char *display, char *why, size_t why_cap) {
    struct tas_emergency *e = calloc(1, sizeof(*e));
    if (!e) {
        snprintf(why, why_cap, "Out of memory.");
        return TAS_E_NOMEM;
    }
    int err = tas_x11_conn_open(&e->conn, display, why, why_cap);
    if (err == TAS_OK)
        err = set_up(e, why, why_cap);
    if (err != TAS_OK) {
        x11_close(e);
        return err;
    }
    *out = e;
    return TAS_OK;
}

static int x11_fd(const struct tas_emergency *e) {
    return e->conn.epoll;
}

const struct tas_emergency_ops tas_emergency_x11 = {
    .name = "x11",
    .open = x11_open,
    .close = x11_close,
    .fd = x11_fd,
    .pressed = x11_pressed,
};
