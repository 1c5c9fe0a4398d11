#include "client/x11/keymap_private.h"

#include "client/x11/layout_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xcb/xkb.h>
#include <xkbcommon/xkbcommon.h>

enum {
    REAL_MODS = 8, /* Shift, Lock, Control, Mod1 to Mod5, in the order of the protocol */
    SHORTCUT_MODS = 1 << 2 | 1 << 3 | 1 << 6, /* Control, Mod1 (Alt), Mod4 (Super) */
    DEVICES_MAX = 32, /* XTEST's keyboard is made with the server: it has one of the first ids */
    MASKS_MAX = 16,
};

/* Where a symbol is found. */
struct place {
    uint32_t sym; /* canonical */
    uint8_t key, group, level;
};

struct tas_x11_keymap {
    struct tas_x11_conn *conn;
    uint16_t device;
    bool is_spoiled;
    xcb_xkb_get_map_reply_t *reply;
    struct tas_x11_layout layout; /* as it is in the reply */
    uint8_t mods;                 /* in force, as the server has it */
    uint8_t group;
    struct place *places; /* all symbols of the layout, keys ascending */
    size_t n_places;
    uint8_t mod_key[REAL_MODS]; /* a Shift or AltGr key that sets just this modifier; 0 none */
};

/* By hand, because xcb_xkb_get_device_info_name() begins two bytes too late (libxcb 1.15: padding of the
 * struct). */
static bool is_xtest_keyboard(const xcb_xkb_get_device_info_reply_t *reply) {
    static const char suffix[] = "XTEST keyboard";
    const size_t begin = 34;
    size_t len = reply->nameLen;
    size_t want = sizeof(suffix) - 1;

    if (32 + (size_t)reply->length * 4 < begin + len || len < want)
        return false;
    return memcmp((const char *)reply + begin + len - want, suffix, want) == 0;
}

uint16_t tas_x11_xtest_keyboard(struct tas_x11_conn *conn) {
    xcb_xkb_get_device_info_cookie_t cookies[DEVICES_MAX];
    uint16_t found = XCB_XKB_ID_USE_CORE_KBD;

    for (uint16_t id = 2; id < DEVICES_MAX; id++)
        cookies[id] = xcb_xkb_get_device_info(conn->xcb, id, 0, 0, 0, 0, XCB_XKB_LED_CLASS_DFLT_XI_CLASS,
                                              XCB_XKB_ID_DFLT_XI_ID);
    for (uint16_t id = 2; id < DEVICES_MAX; id++) {
        xcb_generic_error_t *error = NULL; /* no such keyboard */
        xcb_xkb_get_device_info_reply_t *reply =
            xcb_xkb_get_device_info_reply(conn->xcb, cookies[id], &error);
        if (reply && found == XCB_XKB_ID_USE_CORE_KBD && is_xtest_keyboard(reply))
            found = id;
        free(error);
        free(reply);
    }
    return found;
}

static void forget_layout(struct tas_x11_keymap *map) {
    free(map->reply);
    map->reply = NULL;
    free(map->places);
    map->places = NULL;
    map->n_places = 0;
}

static void learn_modifiers(struct tas_x11_keymap *map) {
    memset(map->mod_key, 0, sizeof(map->mod_key));
    for (unsigned key = 8; key < 256; key++) {
        uint32_t sym = tas_x11_layout_sym(&map->layout, (uint8_t)key, 0, 0);
        if (sym != XKB_KEY_Shift_L && sym != XKB_KEY_Shift_R && sym != XKB_KEY_ISO_Level3_Shift)
            continue;
        for (unsigned bit = 0; bit < REAL_MODS; bit++)
            if (map->layout.mods[key] == 1u << bit && map->mod_key[bit] == 0)
                map->mod_key[bit] = (uint8_t)key;
    }
}

/* One number for one character: some have a keysym of old besides 0x01000000 + code point. */
static uint32_t canonical(uint32_t sym) {
    if (sym < 0x01000100 || sym > 0x0110ffff)
        return sym;
    uint32_t old = xkb_utf32_to_keysym(sym - 0x01000000);
    return old ? old : sym;
}

/* Writes all symbols to `out` (NULL: nowhere); how many there are. */
static size_t walk_places(const struct tas_x11_layout *layout, struct place *out) {
    size_t n = 0;

    for (unsigned key = 9; key < 256; key++)
        for (unsigned group = 0; group < tas_x11_layout_groups(layout, (uint8_t)key); group++)
            for (unsigned level = 0; level < tas_x11_layout_levels(layout, (uint8_t)key, group); level++) {
                uint32_t sym = tas_x11_layout_sym(layout, (uint8_t)key, group, level);
                if (sym == 0)
                    continue;
                if (out)
                    out[n] = (struct place){canonical(sym), (uint8_t)key, (uint8_t)group, (uint8_t)level};
                n++;
            }
    return n;
}

static int learn_places(struct tas_x11_keymap *map) {
    size_t n = walk_places(&map->layout, NULL);
    map->places = calloc(n + 1, sizeof(*map->places));
    if (!map->places)
        return TAS_E_NOMEM;
    map->n_places = walk_places(&map->layout, map->places);
    return TAS_OK;
}

static int read_layout(struct tas_x11_keymap *map) {
    xcb_connection_t *xcb = map->conn->xcb;

    forget_layout(map);
    map->reply = xcb_xkb_get_map_reply(
        xcb, xcb_xkb_get_map(xcb, map->device, TAS_X11_PARTS, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
        NULL);
    if (!map->reply ||
        tas_x11_layout_parse(&map->layout, tas_bytes_of(map->reply, 32 + (size_t)map->reply->length * 4)) !=
            TAS_OK)
        return TAS_E_ABSENT;
    learn_modifiers(map);
    map->is_spoiled = false;
    return learn_places(map);
}

static int read_state(struct tas_x11_keymap *map) {
    xcb_connection_t *xcb = map->conn->xcb;
    xcb_xkb_get_state_reply_t *s =
        xcb_xkb_get_state_reply(xcb, xcb_xkb_get_state(xcb, XCB_XKB_ID_USE_CORE_KBD), NULL);
    if (!s)
        return TAS_E_ABSENT;
    map->mods = s->mods;
    map->group = s->group;
    free(s);
    return TAS_OK;
}

/* Tell us of layouts put in place of this one, and of keys given another meaning. */
static void watch_layout(struct tas_x11_keymap *map) {
    enum { EVENTS = XCB_XKB_EVENT_TYPE_NEW_KEYBOARD_NOTIFY | XCB_XKB_EVENT_TYPE_MAP_NOTIFY };
    enum { PARTS = XCB_XKB_MAP_PART_KEY_TYPES | XCB_XKB_MAP_PART_KEY_SYMS | XCB_XKB_MAP_PART_MODIFIER_MAP };
    xcb_xkb_select_events_details_t details = {
        .affectNewKeyboard = XCB_XKB_NKN_DETAIL_KEYCODES,
        .newKeyboardDetails = XCB_XKB_NKN_DETAIL_KEYCODES,
    };
    xcb_xkb_select_events_aux(map->conn->xcb, map->device, EVENTS, 0, 0, PARTS, PARTS, &details);
}

int tas_x11_keymap_new(struct tas_x11_keymap **out, struct tas_x11_conn *conn, uint16_t device, char *why,
                       size_t why_cap) {
    struct tas_x11_keymap *map = calloc(1, sizeof(*map));
    if (!map)
        return TAS_E_NOMEM;
    map->conn = conn;
    map->device = device;
    watch_layout(map);
    int err = read_layout(map);
    if (err == TAS_OK)
        err = read_state(map);
    if (err != TAS_OK) {
        snprintf(why, why_cap, "The keyboard layout of the X11 display cannot be read.");
        tas_x11_keymap_free(map);
        return err;
    }
    *out = map;
    return TAS_OK;
}

void tas_x11_keymap_free(struct tas_x11_keymap *map) {
    if (!map)
        return;
    forget_layout(map);
    free(map);
}

void tas_x11_keymap_spoil(struct tas_x11_keymap *map) {
    map->is_spoiled = true;
}

bool tas_x11_keymap_is_spoiled(const struct tas_x11_keymap *map) {
    return map->is_spoiled;
}

int tas_x11_keymap_refresh(struct tas_x11_keymap *map) {
    int err = map->is_spoiled ? read_layout(map) : TAS_OK;
    return err == TAS_OK ? read_state(map) : err;
}

/* What the key means with these modifiers, as the program that gets the key will see it, Caps Lock and all.
 */
static uint32_t sym_with(const struct tas_x11_keymap *map, uint8_t key, uint8_t mods) {
    uint8_t used;
    unsigned group = tas_x11_layout_group(&map->layout, key, map->group);
    unsigned level = tas_x11_layout_level(&map->layout, key, group, mods, &used);
    uint32_t sym = tas_x11_layout_sym(&map->layout, key, group, level);
    return canonical(mods & ~used & TAS_X11_LOCK ? xkb_keysym_to_upper(sym) : sym);
}

uint32_t tas_x11_keymap_sym(const struct tas_x11_keymap *map, uint8_t keycode) {
    return sym_with(map, keycode, map->mods);
}

bool tas_x11_keymap_means(const struct tas_x11_keymap *map, uint8_t keycode, uint32_t sym) {
    return tas_x11_keymap_sym(map, keycode) == canonical(sym);
}

bool tas_x11_keymap_is_bound(const struct tas_x11_keymap *map, uint8_t keycode) {
    return tas_x11_layout_groups(&map->layout, keycode) > 0;
}

bool tas_x11_keymap_is_modifier(const struct tas_x11_keymap *map, uint8_t keycode) {
    return map->layout.mods[keycode] != 0;
}

bool tas_x11_keymap_is_shortcut(const struct tas_x11_keymap *map) {
    return (map->mods & SHORTCUT_MODS) != 0;
}

uint8_t tas_x11_keymap_find(const struct tas_x11_keymap *map, uint32_t sym, const uint8_t skip[256]) {
    uint32_t want = canonical(sym);
    for (unsigned key = 8; key < 256; key++)
        if (!skip[key] && tas_x11_keymap_sym(map, (uint8_t)key) == want)
            return (uint8_t)key;
    return 0;
}

/* The keys for the modifiers in `mask`. False: one of them is not Shift or AltGr. */
static bool mod_keys_of(const struct tas_x11_keymap *map, uint8_t mask, struct tas_x11_stroke *out) {
    out->n_mods = 0;
    for (unsigned bit = 0; bit < REAL_MODS; bit++) {
        if (!(mask & 1u << bit))
            continue;
        if (map->mod_key[bit] == 0)
            return false;
        out->mod_keys[out->n_mods++] = map->mod_key[bit];
    }
    return true;
}

static bool stroke_at(const struct tas_x11_keymap *map, const struct place *at, struct tas_x11_stroke *out) {
    uint8_t masks[MASKS_MAX];
    size_t n = tas_x11_layout_masks(&map->layout, at->key, at->group, at->level, masks, MASKS_MAX);

    for (size_t i = 0; i < n; i++) {
        uint8_t extra = masks[i] & (uint8_t)~map->mods;
        if (mod_keys_of(map, extra, out) && sym_with(map, at->key, map->mods | extra) == at->sym) {
            out->keycode = at->key;
            return true;
        }
    }
    return false;
}

bool tas_x11_keymap_stroke(const struct tas_x11_keymap *map, uint32_t sym, const uint8_t skip[256],
                           struct tas_x11_stroke *out) {
    uint32_t want = canonical(sym);

    for (size_t i = 0; i < map->n_places; i++) {
        const struct place *at = &map->places[i];
        if (at->sym == want && !skip[at->key] &&
            tas_x11_layout_group(&map->layout, at->key, map->group) == at->group && stroke_at(map, at, out))
            return true;
    }
    return false;
}
