#include "client/x11/keymap_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xcb/xkb.h>
#include <xkbcommon/xkbcommon-x11.h>
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
    uint8_t key, layout, level;
};

struct tas_x11_keymap {
    struct tas_x11_conn *conn;
    uint16_t device;
    bool is_spoiled;
    struct xkb_context *context;
    struct xkb_keymap *keymap;
    struct xkb_state *state; /* as the server has it */
    struct xkb_state *trial; /* to try modifiers with */
    struct place
        *places; /* all symbols of the layout, keys ascending: asking libxkbcommon takes 20 us a character */
    size_t n_places;
    uint8_t mods[256];          /* real modifiers that the key sets while held */
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
    xkb_state_unref(map->trial);
    xkb_state_unref(map->state);
    xkb_keymap_unref(map->keymap);
    map->trial = NULL;
    map->state = NULL;
    map->keymap = NULL;
    free(map->places);
    map->places = NULL;
    map->n_places = 0;
}

/* What a press of the key alone does to the modifiers. */
static uint8_t mods_of_key(struct xkb_keymap *keymap, xkb_keycode_t key) {
    struct xkb_state *state = xkb_state_new(keymap);
    if (!state)
        return 0;
    xkb_state_update_key(state, key, XKB_KEY_DOWN);
    xkb_mod_mask_t mods = xkb_state_serialize_mods(state, XKB_STATE_MODS_DEPRESSED);
    xkb_state_unref(state);
    return (uint8_t)(mods & 0xff);
}

static void learn_modifiers(struct tas_x11_keymap *map) {
    memset(map->mods, 0, sizeof(map->mods));
    memset(map->mod_key, 0, sizeof(map->mod_key));
    for (unsigned key = 8; key < 256; key++) {
        const xkb_keysym_t *syms;
        map->mods[key] = mods_of_key(map->keymap, key);
        if (map->mods[key] == 0 || xkb_keymap_key_get_syms_by_level(map->keymap, key, 0, 0, &syms) != 1)
            continue;
        if (syms[0] != XKB_KEY_Shift_L && syms[0] != XKB_KEY_Shift_R && syms[0] != XKB_KEY_ISO_Level3_Shift)
            continue;
        for (unsigned bit = 0; bit < REAL_MODS; bit++)
            if (map->mods[key] == 1u << bit && map->mod_key[bit] == 0)
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

/* Writes all symbols that stand alone to `out` (NULL: nowhere); how many there are. */
static size_t walk_places(const struct tas_x11_keymap *map, struct place *out) {
    size_t n = 0;

    for (unsigned key = 9; key < 256; key++)
        for (unsigned layout = 0; layout < xkb_keymap_num_layouts_for_key(map->keymap, key); layout++)
            for (unsigned level = 0; level < xkb_keymap_num_levels_for_key(map->keymap, key, layout);
                 level++) {
                const xkb_keysym_t *syms;
                if (xkb_keymap_key_get_syms_by_level(map->keymap, key, layout, level, &syms) != 1)
                    continue;
                if (out)
                    out[n] =
                        (struct place){canonical(syms[0]), (uint8_t)key, (uint8_t)layout, (uint8_t)level};
                n++;
            }
    return n;
}

static int learn_places(struct tas_x11_keymap *map) {
    size_t n = walk_places(map, NULL);
    map->places = calloc(n + 1, sizeof(*map->places));
    if (!map->places)
        return TAS_E_NOMEM;
    map->n_places = walk_places(map, map->places);
    return TAS_OK;
}

static int read_layout(struct tas_x11_keymap *map) {
    int32_t device = map->device;

    if (device == XCB_XKB_ID_USE_CORE_KBD)
        device = xkb_x11_get_core_keyboard_device_id(map->conn->xcb);
    forget_layout(map);
    map->keymap =
        xkb_x11_keymap_new_from_device(map->context, map->conn->xcb, device, XKB_KEYMAP_COMPILE_NO_FLAGS);
    map->state = map->keymap ? xkb_state_new(map->keymap) : NULL;
    map->trial = map->keymap ? xkb_state_new(map->keymap) : NULL;
    if (!map->state || !map->trial)
        return tas_x11_conn_is_dead(map->conn) || !map->keymap ? TAS_E_ABSENT : TAS_E_NOMEM;
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
    xkb_state_update_mask(map->state, s->baseMods, s->latchedMods, s->lockedMods,
                          (xkb_layout_index_t)s->baseGroup, (xkb_layout_index_t)s->latchedGroup,
                          s->lockedGroup);
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
    map->context = xkb_context_new(XKB_CONTEXT_NO_DEFAULT_INCLUDES | XKB_CONTEXT_NO_ENVIRONMENT_NAMES);
    int err = map->context ? TAS_OK : TAS_E_NOMEM;
    if (err == TAS_OK) {
        watch_layout(map);
        err = read_layout(map);
    }
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
    xkb_context_unref(map->context);
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

uint32_t tas_x11_keymap_sym(const struct tas_x11_keymap *map, uint8_t keycode) {
    return canonical(xkb_state_key_get_one_sym(map->state, keycode));
}

bool tas_x11_keymap_means(const struct tas_x11_keymap *map, uint8_t keycode, uint32_t sym) {
    return tas_x11_keymap_sym(map, keycode) == canonical(sym);
}

bool tas_x11_keymap_is_bound(const struct tas_x11_keymap *map, uint8_t keycode) {
    return xkb_keymap_num_layouts_for_key(map->keymap, keycode) > 0;
}

bool tas_x11_keymap_is_modifier(const struct tas_x11_keymap *map, uint8_t keycode) {
    return map->mods[keycode] != 0;
}

bool tas_x11_keymap_is_shortcut(const struct tas_x11_keymap *map) {
    return (xkb_state_serialize_mods(map->state, XKB_STATE_MODS_EFFECTIVE) & SHORTCUT_MODS) != 0;
}

uint8_t tas_x11_keymap_find(const struct tas_x11_keymap *map, uint32_t sym, const uint8_t skip[256]) {
    uint32_t want = canonical(sym);
    for (unsigned key = 8; key < 256; key++)
        if (!skip[key] && tas_x11_keymap_sym(map, (uint8_t)key) == want)
            return (uint8_t)key;
    return 0;
}

/* With these modifiers on top of the present state, does the key mean `want`? libxkbcommon answers, with Caps
 * Lock and all, as the program that gets the key will. */
static bool gives(const struct tas_x11_keymap *map, xkb_keycode_t key, xkb_mod_mask_t extra, uint32_t want) {
    struct xkb_state *s = map->state;
    xkb_state_update_mask(map->trial, xkb_state_serialize_mods(s, XKB_STATE_MODS_DEPRESSED) | extra,
                          xkb_state_serialize_mods(s, XKB_STATE_MODS_LATCHED),
                          xkb_state_serialize_mods(s, XKB_STATE_MODS_LOCKED), 0, 0,
                          xkb_state_serialize_layout(s, XKB_STATE_LAYOUT_EFFECTIVE));
    return canonical(xkb_state_key_get_one_sym(map->trial, key)) == want;
}

/* The keys for the modifiers in `mask`. False: one of them is not Shift or AltGr. */
static bool mod_keys_of(const struct tas_x11_keymap *map, xkb_mod_mask_t mask, struct tas_x11_stroke *out) {
    out->n_mods = 0;
    if (mask > 0xff)
        return false;
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
    xkb_mod_mask_t masks[MASKS_MAX];
    xkb_mod_mask_t in_force = xkb_state_serialize_mods(map->state, XKB_STATE_MODS_EFFECTIVE);
    size_t n =
        xkb_keymap_key_get_mods_for_level(map->keymap, at->key, at->layout, at->level, masks, MASKS_MAX);

    for (size_t i = 0; i < n; i++) {
        xkb_mod_mask_t extra = masks[i] & ~in_force;
        if (mod_keys_of(map, extra, out) && gives(map, at->key, extra, at->sym)) {
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
            xkb_state_key_get_layout(map->state, at->key) == at->layout && stroke_at(map, at, out))
            return true;
    }
    return false;
}
