#include "client/x11/layout_private.h"

enum {
    HEADER_LEN = 40,
    PART_TYPES = 1 << 0,
    PART_SYMS = 1 << 1,
    PART_MODIFIERS = 1 << 2,
    PART_ACTIONS = 1 << 4,
    TYPE_LEN = 8, /* without its entries */
    ENTRY_LEN = 8,
    PRESERVE_LEN = 4,
    KEY_LEN = 8, /* without its symbols */
    ACTION_LEN = 8,
    SET_MODS = 1,
    LOCK_MODS = 3,
    USE_MODIFIER_MAP = 1 << 2,
    OUT_OF_RANGE = 0xc0, /* of a key's group info: what to do about groups that it does not have */
    CLAMP = 0x40,
    REDIRECT = 0x80,
};

/* What the reply says of its parts. */
struct header {
    uint16_t present;
    uint8_t first_type, n_types;
    uint8_t first_key, n_keys;
    uint8_t first_action, n_actions;
    uint16_t total_actions;
    uint8_t n_modifiers;
};

/* Numbers are in this machine's order: the server writes them as its client has said at the beginning. */
static uint16_t u16_at(const uint8_t *at) {
    uint16_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

static uint32_t u32_at(const uint8_t *at) {
    uint32_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

static struct header header_of(const uint8_t *reply) {
    return (struct header){
        .present = u16_at(reply + 12),
        .first_type = reply[14],
        .n_types = reply[15],
        .first_key = reply[17],
        .n_keys = reply[20],
        .first_action = reply[21],
        .total_actions = u16_at(reply + 22),
        .n_actions = reply[24],
        .n_modifiers = reply[33],
    };
}

/* ---- the parts, in the order in which they come ---- */

static uint32_t offset_of(const struct tas_x11_layout *l, const uint8_t *at) {
    return (uint32_t)(at - l->reply.ptr);
}

static int take_types(struct tas_x11_layout *l, const struct header *h, struct tas_reader *r) {
    if (h->first_type != 0)
        return TAS_E_PROTO; /* all were asked for */
    for (unsigned i = 0; i < h->n_types; i++) {
        const uint8_t *type = tas_read_bytes(r, TYPE_LEN).ptr;
        if (r->bad)
            return TAS_E_PROTO;
        size_t n = type[5];
        (void)tas_read_bytes(r, n * (size_t)(type[6] ? ENTRY_LEN + PRESERVE_LEN : ENTRY_LEN));
        l->type_at[i] = offset_of(l, type);
    }
    return r->bad ? TAS_E_PROTO : TAS_OK;
}

static bool has_types(const struct tas_x11_layout *l, const uint8_t *key, unsigned n_groups) {
    for (unsigned group = 0; group < n_groups; group++)
        if (l->type_at[key[group]] == 0)
            return false;
    return true;
}

static int take_syms(struct tas_x11_layout *l, const struct header *h, struct tas_reader *r) {
    if (h->first_key + h->n_keys > 256)
        return TAS_E_PROTO;
    for (unsigned i = 0; i < h->n_keys; i++) {
        const uint8_t *key = tas_read_bytes(r, KEY_LEN).ptr;
        if (r->bad)
            return TAS_E_PROTO;
        unsigned n_groups = key[4] & 0x0f;
        unsigned width = key[5];
        unsigned n_syms = u16_at(key + 6);
        (void)tas_read_bytes(r, (size_t)n_syms * 4);
        if (n_groups > TAS_X11_GROUPS_MAX || n_syms < n_groups * width || !has_types(l, key, n_groups))
            return TAS_E_PROTO;
        l->key_at[h->first_key + i] = offset_of(l, key);
    }
    return r->bad ? TAS_E_PROTO : TAS_OK;
}

/* What a press of the key alone does. */
static const uint8_t *action_alone(const struct tas_x11_layout *l, uint8_t key, struct tas_bytes actions) {
    uint8_t used;
    if (tas_x11_layout_groups(l, key) == 0)
        return NULL;
    size_t level = tas_x11_layout_level(l, key, 0, 0, &used);
    return (level + 1) * ACTION_LEN <= actions.len ? actions.ptr + level * ACTION_LEN : NULL;
}

/* The modifier map is not known yet: a key whose action refers to it keeps the mark, see take_modifiers(). */
static int take_actions(struct tas_x11_layout *l, const struct header *h, struct tas_reader *r,
                        bool refers[256]) {
    if (h->first_action + h->n_actions > 256)
        return TAS_E_PROTO;
    const uint8_t *counts = tas_read_bytes(r, h->n_actions).ptr;
    (void)tas_read_bytes(r, (size_t)(-h->n_actions & 3));
    for (unsigned i = 0; i < h->n_actions && !r->bad; i++) {
        uint8_t key = (uint8_t)(h->first_action + i);
        struct tas_bytes actions = tas_read_bytes(r, (size_t)counts[i] * ACTION_LEN);
        const uint8_t *action = action_alone(l, key, actions);
        if (!action || action[0] < SET_MODS || action[0] > LOCK_MODS)
            continue;
        l->mods[key] = action[2];
        refers[key] = action[1] & USE_MODIFIER_MAP;
    }
    return r->bad ? TAS_E_PROTO : TAS_OK;
}

static int take_modifiers(struct tas_x11_layout *l, const struct header *h, struct tas_reader *r,
                          const bool refers[256]) {
    for (unsigned i = 0; i < h->n_modifiers; i++) {
        uint8_t key = tas_read_u8(r);
        uint8_t mods = tas_read_u8(r);
        if (refers[key])
            l->mods[key] |= mods;
    }
    (void)tas_read_bytes(r, (size_t)(-(h->n_modifiers * 2) & 3));
    return r->bad ? TAS_E_PROTO : TAS_OK;
}

int tas_x11_layout_parse(struct tas_x11_layout *out, struct tas_bytes reply) {
    struct tas_x11_layout l = {.reply = reply};
    bool refers[256] = {false};
    if (reply.len < HEADER_LEN || reply.len > UINT32_MAX)
        return TAS_E_PROTO;
    struct header h = header_of(reply.ptr);
    struct tas_reader r = tas_reader_of(tas_bytes_of(reply.ptr + HEADER_LEN, reply.len - HEADER_LEN));
    int err = h.present & ~TAS_X11_PARTS ? TAS_E_PROTO : TAS_OK;
    if (err == TAS_OK && h.present & PART_TYPES)
        err = take_types(&l, &h, &r);
    if (err == TAS_OK && h.present & PART_SYMS)
        err = take_syms(&l, &h, &r);
    if (err == TAS_OK && h.present & PART_ACTIONS)
        err = take_actions(&l, &h, &r, refers);
    if (err == TAS_OK && h.present & PART_MODIFIERS)
        err = take_modifiers(&l, &h, &r, refers);
    if (err != TAS_OK || r.in.len)
        return TAS_E_PROTO;
    *out = l;
    return TAS_OK;
}

/* ---- what it says ---- */

static const uint8_t *key_of(const struct tas_x11_layout *l, uint8_t key) {
    return l->key_at[key] ? l->reply.ptr + l->key_at[key] : NULL;
}

static const uint8_t *type_of(const struct tas_x11_layout *l, const uint8_t *key, unsigned group) {
    return l->reply.ptr + l->type_at[key[group]];
}

unsigned tas_x11_layout_groups(const struct tas_x11_layout *l, uint8_t keycode) {
    const uint8_t *key = key_of(l, keycode);
    return key ? key[4] & 0x0f : 0;
}

unsigned tas_x11_layout_group(const struct tas_x11_layout *l, uint8_t keycode, unsigned group) {
    unsigned n = tas_x11_layout_groups(l, keycode);
    if (group < n || n == 0)
        return n ? group : 0;
    uint8_t info = key_of(l, keycode)[4];
    unsigned redirect = info >> 4 & 3;
    switch (info & OUT_OF_RANGE) {
    case CLAMP:
        return n - 1;
    case REDIRECT:
        return redirect < n ? redirect : 0;
    default:
        return group % n;
    }
}

unsigned tas_x11_layout_levels(const struct tas_x11_layout *l, uint8_t keycode, unsigned group) {
    const uint8_t *key = key_of(l, keycode);
    if (group >= tas_x11_layout_groups(l, keycode))
        return 0;
    unsigned n = type_of(l, key, group)[4];
    return n < key[5] ? n : key[5];
}

uint32_t tas_x11_layout_sym(const struct tas_x11_layout *l, uint8_t keycode, unsigned group, unsigned level) {
    if (level >= tas_x11_layout_levels(l, keycode, group))
        return 0;
    const uint8_t *key = key_of(l, keycode);
    return u32_at(key + KEY_LEN + ((size_t)group * key[5] + level) * 4);
}

/* One of a type's entries: such modifiers, such a level. */
struct entry {
    bool is_active;
    uint8_t mods, level, preserve;
};

static struct entry entry_of(const uint8_t *type, unsigned i) {
    const uint8_t *at = type + TYPE_LEN + (size_t)i * ENTRY_LEN;
    struct entry entry = {.is_active = at[0], .mods = at[1], .level = at[2]};
    if (type[6])
        entry.preserve = type[TYPE_LEN + (size_t)type[5] * ENTRY_LEN + (size_t)i * PRESERVE_LEN];
    return entry;
}

unsigned tas_x11_layout_level(const struct tas_x11_layout *l, uint8_t keycode, unsigned group, uint8_t mods,
                              uint8_t *used) {
    *used = 0;
    if (group >= tas_x11_layout_groups(l, keycode))
        return 0;
    const uint8_t *type = type_of(l, key_of(l, keycode), group);
    *used = type[0];
    for (unsigned i = 0; i < type[5]; i++) {
        struct entry entry = entry_of(type, i);
        if (entry.is_active && (mods & type[0]) == entry.mods) {
            *used = type[0] & (uint8_t)~entry.preserve;
            return entry.level;
        }
    }
    return 0;
}

size_t tas_x11_layout_masks(const struct tas_x11_layout *l, uint8_t keycode, unsigned group, unsigned level,
                            uint8_t *masks, size_t max) {
    size_t n = 0;
    bool is_none_taken = false;
    if (group >= tas_x11_layout_groups(l, keycode))
        return 0;
    const uint8_t *type = type_of(l, key_of(l, keycode), group);
    for (unsigned i = 0; i < type[5]; i++)
        is_none_taken |= entry_of(type, i).is_active && entry_of(type, i).mods == 0;
    if (level == 0 && !is_none_taken && n < max)
        masks[n++] = 0;
    for (unsigned i = 0; i < type[5] && n < max; i++) {
        struct entry entry = entry_of(type, i);
        if (entry.is_active && entry.level == level)
            masks[n++] = entry.mods;
    }
    return n;
}
