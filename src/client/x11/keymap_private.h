/* The customer's keyboard layout as XTEST's keyboard has it, and the modifiers and group that are now in
 * force. */
#pragma once

#include "client/x11/conn_private.h"

struct tas_x11_keymap;

/* A way to produce a symbol with a key of the layout. */
struct tas_x11_stroke {
    uint8_t keycode; /* X keycode */
    uint8_t n_mods;  /* modifier keys to be held meanwhile */
    uint8_t mod_keys[8];
};

/* The XKB id of the keyboard through which XTEST's events come, or that of the core keyboard if there is none
 * to be found. The server hands the map of the device that was used last to everybody: our keys mean what
 * this device's map says, whatever the customer's own keyboard has. */
uint16_t tas_x11_xtest_keyboard(struct tas_x11_conn *conn);

/* TAS_E_ABSENT: no XKEYBOARD extension (`why` says it) or the display is gone. TAS_E_NOMEM. */
TAS_MUST_USE int tas_x11_keymap_new(struct tas_x11_keymap **out, struct tas_x11_conn *conn, uint16_t device,
                                    char *why, size_t why_cap);
void tas_x11_keymap_free(struct tas_x11_keymap *map); /* NULL is fine */

/* Somebody changed the layout: read it again with the next refresh. */
void tas_x11_keymap_spoil(struct tas_x11_keymap *map);
bool tas_x11_keymap_is_spoiled(const struct tas_x11_keymap *map);

/* Reads the layout if spoiled, and the state in any case. TAS_E_ABSENT: the display is gone. */
TAS_MUST_USE int tas_x11_keymap_refresh(struct tas_x11_keymap *map);

/* What the key means in the present state; 0 nothing. */
uint32_t tas_x11_keymap_sym(const struct tas_x11_keymap *map, uint8_t keycode);

/* Does the key mean `sym` in the present state? Some characters have two keysyms: either will do. */
bool tas_x11_keymap_means(const struct tas_x11_keymap *map, uint8_t keycode, uint32_t sym);

/* Does the key have any meaning in the layout? */
bool tas_x11_keymap_is_bound(const struct tas_x11_keymap *map, uint8_t keycode);

/* Is it a key that acts as a modifier while it is held? */
bool tas_x11_keymap_is_modifier(const struct tas_x11_keymap *map, uint8_t keycode);

/* Is Control, Alt or Super in force? */
bool tas_x11_keymap_is_shortcut(const struct tas_x11_keymap *map);

/* The key that means `sym` in the present state, as it is; 0 none. Keys for which skip[keycode] is not 0 do
 * not count. */
uint8_t tas_x11_keymap_find(const struct tas_x11_keymap *map, uint32_t sym, const uint8_t skip[256]);

/* A way to `sym` with no more than Shift and AltGr pressed in addition to the present state. False: none. */
bool tas_x11_keymap_stroke(const struct tas_x11_keymap *map, uint32_t sym, const uint8_t skip[256],
                           struct tas_x11_stroke *out);
