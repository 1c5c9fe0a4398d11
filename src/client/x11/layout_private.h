/* The keyboard map in an XkbGetMap reply (The X Keyboard Extension: Protocol Specification, sections 16.3.7
 * and 12): key types, symbols, modifiers. Bytes in, values out: no I/O, no allocation. */
#pragma once

#include "base/bytes.h"
#include "base/err.h"

enum {
    TAS_X11_GROUPS_MAX = 4,
    TAS_X11_PARTS =
        1 << 0 | 1 << 1 | 1 << 2 | 1 << 4, /* types, symbols, modifier map, actions: what to ask for */
    TAS_X11_LOCK = 1 << 1,
};

struct tas_x11_layout {
    struct tas_bytes reply;
    uint32_t type_at[256]; /* where in the reply the type begins; 0: there is none */
    uint32_t key_at[256];  /* the same for the symbols of a keycode */
    uint8_t mods[256];     /* real modifiers that the key sets while it is held; 0 none */
};

/* `reply`: all of it with its 32 bytes of header, numbers in this machine's order; it must outlive `out`.
 * TAS_E_PROTO: cut short, parts that were not asked for, types that do not exist. */
TAS_MUST_USE int tas_x11_layout_parse(struct tas_x11_layout *out, struct tas_bytes reply);

/* Groups of the key; 0: it means nothing. */
unsigned tas_x11_layout_groups(const struct tas_x11_layout *layout, uint8_t key);

/* The group that is in force for the key when `group` is in force for the keyboard. */
unsigned tas_x11_layout_group(const struct tas_x11_layout *layout, uint8_t key, unsigned group);

/* Levels of a group that the key has. */
unsigned tas_x11_layout_levels(const struct tas_x11_layout *layout, uint8_t key, unsigned group);

/* The symbol at a place that the key has; 0 none. */
uint32_t tas_x11_layout_sym(const struct tas_x11_layout *layout, uint8_t key, unsigned group, unsigned level);

/* The level that these modifiers choose. *used: modifiers that have had their effect by that: a Lock that is
 * not among them makes capitals of the symbol. */
unsigned tas_x11_layout_level(const struct tas_x11_layout *layout, uint8_t key, unsigned group, uint8_t mods,
                              uint8_t *used);

/* Sets of modifiers that choose the level, at most `max`; how many were written. For the first level none at
 * all counts, unless that leads elsewhere. */
size_t tas_x11_layout_masks(const struct tas_x11_layout *layout, uint8_t key, unsigned group, unsigned level,
                            uint8_t *masks, size_t max);
