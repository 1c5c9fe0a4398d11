#include "client/x11/lend_private.h"

#include <stdlib.h>
#include <string.h>
#include <xcb/xkb.h>

enum {
    FIRST_KEY = 9,       /* 8 would be evdev code 0, which some toolkits take for "no key" */
    TYPE_ALPHABETIC = 2, /* XkbAlphabeticIndex: the same in every map */
};

/* What the protocol says of one key, and the two symbols that we add to it. */
struct lent_entry {
    xcb_xkb_key_sym_map_t head;
    xcb_keysym_t syms[2];
};

struct slot {
    uint8_t keycode;
    bool is_lent;
    bool is_wanted; /* by the call of lend() that is under way */
    uint32_t sym;   /* while lent */
    uint64_t used;  /* count of uses when last used */
    xcb_xkb_key_sym_map_t original;
};

struct tas_x11_pool {
    struct tas_x11_conn *conn;
    uint16_t device;
    struct slot slots[256];
    size_t n_slots;
    uint8_t codes[256]; /* 1: in a slot */
    uint64_t uses;
    uint64_t used_us;
    uint8_t made_first, made_n; /* range of our last change */
};

/* The map as it came from the server. */
struct raw_map {
    xcb_xkb_get_map_reply_t *reply;
    const xcb_xkb_key_sym_map_t *entry[256]; /* NULL: no such key */
};

static size_t entry_len(const xcb_xkb_key_sym_map_t *e) {
    return sizeof(*e) + (size_t)e->nSyms * sizeof(xcb_keysym_t);
}

static int fetch_map(struct tas_x11_pool *pool, struct raw_map *out) {
    xcb_connection_t *xcb = pool->conn->xcb;
    xcb_xkb_get_map_cookie_t cookie = xcb_xkb_get_map(xcb, pool->device, XCB_XKB_MAP_PART_KEY_SYMS, 0, 0, 0,
                                                      0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    *out = (struct raw_map){.reply = xcb_xkb_get_map_reply(xcb, cookie, NULL)};
    if (!out->reply)
        return TAS_E_ABSENT;
    const uint8_t *at = xcb_xkb_get_map_map(out->reply);
    const uint8_t *end = (const uint8_t *)out->reply + 32 + (size_t)out->reply->length * 4;
    unsigned key = out->reply->firstKeySym;
    for (unsigned i = 0; i < out->reply->nKeySyms && key < 256; i++, key++) {
        const xcb_xkb_key_sym_map_t *e = (const void *)at;
        if ((size_t)(end - at) < sizeof(*e) || (size_t)(end - at) < entry_len(e))
            break;
        out->entry[key] = e;
        at += entry_len(e);
    }
    return TAS_OK;
}

static const xcb_keysym_t *syms_of(const xcb_xkb_key_sym_map_t *e) {
    return (const void *)(e + 1);
}

static struct lent_entry entry_for(uint32_t sym) {
    return (struct lent_entry){
        .head = {.kt_index = {TYPE_ALPHABETIC}, .groupInfo = 1, .width = 2, .nSyms = 2},
        .syms = {sym, sym},
    };
}

static bool is_lent_entry(const xcb_xkb_key_sym_map_t *e) {
    if (e->nSyms != 2)
        return false;
    struct lent_entry ours = entry_for(syms_of(e)[0]);
    return memcmp(e, &ours, sizeof(ours)) == 0;
}

static void add_slot(struct tas_x11_pool *pool, uint8_t keycode, const xcb_xkb_key_sym_map_t *e) {
    struct slot *slot = &pool->slots[pool->n_slots++];

    *slot = (struct slot){.keycode = keycode};
    if (e->nSyms == 0)
        slot->original = *e;
    else { /* left behind: a free key has nothing but zeros */
        slot->is_lent = true;
        slot->sym = syms_of(e)[0];
    }
    pool->codes[keycode] = 1;
}

static const struct slot *slot_of(const struct slot *slots, size_t n, unsigned keycode) {
    for (size_t i = 0; i < n; i++)
        if (slots[i].keycode == keycode)
            return &slots[i];
    return NULL;
}

/* Makes the list of slots anew from the map: a key that got a meaning from somebody else is dropped, one that
 * was freed by somebody else is not lent any more. High keycodes first: the low ones may be real keys of
 * other keyboards. */
static void sync_slots(struct tas_x11_pool *pool, const struct raw_map *map) {
    struct slot before[256];
    size_t n_before = pool->n_slots;

    memcpy(before, pool->slots, sizeof(before));
    memset(pool->codes, 0, sizeof(pool->codes));
    pool->n_slots = 0;
    for (unsigned key = 255; key >= FIRST_KEY; key--) {
        const xcb_xkb_key_sym_map_t *e = map->entry[key];
        if (!e || (e->nSyms != 0 && !is_lent_entry(e)))
            continue;
        add_slot(pool, (uint8_t)key, e);
        const struct slot *old = slot_of(before, n_before, key);
        if (!old)
            continue;
        struct slot *slot = &pool->slots[pool->n_slots - 1];
        slot->used = old->used;
        if (slot->is_lent)
            slot->original = old->original;
    }
}

/* Appends what the server shall have for the key. */
static size_t put_entry(const struct tas_x11_pool *pool, const struct raw_map *map, unsigned key,
                        uint8_t *out) {
    const struct slot *slot = slot_of(pool->slots, pool->n_slots, key);

    if (slot && slot->is_lent) {
        struct lent_entry e = entry_for(slot->sym);
        memcpy(out, &e, sizeof(e));
        return sizeof(e);
    }
    if (slot) {
        memcpy(out, &slot->original, sizeof(slot->original));
        return sizeof(slot->original);
    }
    memcpy(out, map->entry[key], entry_len(map->entry[key]));
    return entry_len(map->entry[key]);
}

/* Does the server have something else for this slot? */
static bool differs(const struct slot *slot, const xcb_xkb_key_sym_map_t *e) {
    return slot->is_lent ? e->nSyms == 0 || syms_of(e)[0] != slot->sym : e->nSyms != 0;
}

static uint16_t count_syms(const uint8_t *values, size_t len) {
    unsigned total = 0;
    for (size_t at = 0; at < len; at += entry_len((const void *)(values + at)))
        total += ((const xcb_xkb_key_sym_map_t *)(const void *)(values + at))->nSyms;
    return (uint16_t)total;
}

/* Sets keys first..last in one request. What lies between the slots is written back as it was read; the
 * server is grabbed meanwhile, so nobody can have changed it. */
static int write_range(struct tas_x11_pool *pool, const struct raw_map *map, unsigned first, unsigned last) {
    size_t cap = (size_t)map->reply->length * 4 + sizeof(struct lent_entry) * 256;
    uint8_t *values = malloc(cap);
    size_t len = 0;

    if (!values)
        return TAS_E_NOMEM;
    for (unsigned key = first; key <= last; key++)
        len += put_entry(pool, map, key, values + len);
    pool->made_first = (uint8_t)first;
    pool->made_n = (uint8_t)(last - first + 1);
    xcb_xkb_set_map(pool->conn->xcb, pool->device, XCB_XKB_MAP_PART_KEY_SYMS, 0, map->reply->minKeyCode,
                    map->reply->maxKeyCode, 0, 0, pool->made_first, pool->made_n, count_syms(values, len), 0,
                    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, values);
    free(values);
    return TAS_OK;
}

static int write_changes(struct tas_x11_pool *pool, const struct raw_map *map) {
    unsigned first = 256;
    unsigned last = 0;

    for (size_t i = 0; i < pool->n_slots; i++) {
        unsigned key = pool->slots[i].keycode;
        if (!differs(&pool->slots[i], map->entry[key]))
            continue;
        first = key < first ? key : first;
        last = key > last ? key : last;
    }
    return first <= last ? write_range(pool, map, first, last) : TAS_OK;
}

static struct slot *lent_slot(const struct tas_x11_pool *pool, uint32_t sym) {
    for (size_t i = 0; i < pool->n_slots; i++)
        if (pool->slots[i].is_lent && pool->slots[i].sym == sym)
            return (struct slot *)&pool->slots[i];
    return NULL;
}

/* A keycode that nobody has, else the one that was not used for longest. */
static struct slot *slot_to_give(struct tas_x11_pool *pool, bool may_reuse) {
    struct slot *best = NULL;

    for (size_t i = 0; i < pool->n_slots; i++) {
        struct slot *s = &pool->slots[i];
        if (!s->is_lent)
            return s;
        if (may_reuse && !s->is_wanted && (!best || s->used < best->used))
            best = s;
    }
    return best;
}

/* `syms` are different from each other. No more of them count than there are slots, or a later one that has
 * its slot already could keep the first from getting any. */
static void assign(struct tas_x11_pool *pool, const uint32_t *syms, size_t n, bool may_reuse) {
    n = n < pool->n_slots ? n : pool->n_slots;
    for (size_t i = 0; i < pool->n_slots; i++)
        pool->slots[i].is_wanted = false;
    for (size_t i = 0; i < n; i++) {
        struct slot *slot = lent_slot(pool, syms[i]);
        if (slot)
            slot->is_wanted = true;
    }
    for (size_t i = 0; i < n; i++) {
        struct slot *slot = lent_slot(pool, syms[i]);
        if (!slot)
            slot = slot_to_give(pool, may_reuse);
        if (!slot)
            return;
        slot->is_lent = true;
        slot->is_wanted = true;
        slot->sym = syms[i];
    }
}

/* Reads the map, lets the caller's wishes (n symbols; none: all back) take effect and writes it, while nobody
 * else can. */
static int change(struct tas_x11_pool *pool, const uint32_t *syms, size_t n, bool may_reuse) {
    xcb_connection_t *xcb = pool->conn->xcb;
    struct raw_map map;

    xcb_grab_server(xcb);
    int err = fetch_map(pool, &map);
    if (err == TAS_OK) {
        sync_slots(pool, &map);
        if (n > 0)
            assign(pool, syms, n, may_reuse);
        else
            for (size_t i = 0; i < pool->n_slots; i++)
                pool->slots[i].is_lent = false;
        err = write_changes(pool, &map);
    }
    xcb_ungrab_server(xcb);
    xcb_flush(xcb);
    free(map.reply);
    return err;
}

struct tas_x11_pool *tas_x11_pool_new(struct tas_x11_conn *conn, uint16_t device) {
    struct tas_x11_pool *pool = calloc(1, sizeof(*pool));
    if (!pool)
        return NULL;
    pool->conn = conn;
    pool->device = device;
    if (tas_x11_pool_sync(pool) != TAS_OK ||
        (tas_x11_pool_is_lent(pool) && tas_x11_pool_restore(pool) != TAS_OK)) {
        free(pool);
        return NULL;
    }
    return pool;
}

void tas_x11_pool_free(struct tas_x11_pool *pool) {
    free(pool);
}

uint8_t tas_x11_pool_key(const struct tas_x11_pool *pool, uint32_t sym) {
    const struct slot *slot = lent_slot(pool, sym);
    return slot ? slot->keycode : 0;
}

void tas_x11_pool_touch(struct tas_x11_pool *pool, uint8_t keycode, uint64_t now_us) {
    struct slot *slot = (struct slot *)slot_of(pool->slots, pool->n_slots, keycode);
    if (slot)
        slot->used = ++pool->uses;
    pool->used_us = now_us;
}

int tas_x11_pool_lend(struct tas_x11_pool *pool, const uint32_t *syms, size_t n, uint64_t now_us,
                      uint64_t *wait_us) {
    uint64_t free_at = pool->used_us + TAS_X11_REUSE_US;
    bool may_reuse = now_us >= free_at;

    if (pool->n_slots == 0)
        return TAS_E_LIMIT;
    if (!may_reuse && !slot_to_give(pool, false)) {
        *wait_us = free_at - now_us;
        return TAS_E_MORE;
    }
    int err = change(pool, syms, n, may_reuse);
    if (err != TAS_OK || lent_slot(pool, syms[0]))
        return err;
    *wait_us = TAS_X11_REUSE_US; /* somebody took the keycodes just now */
    return pool->n_slots ? TAS_E_MORE : TAS_E_LIMIT;
}

bool tas_x11_pool_is_lent(const struct tas_x11_pool *pool) {
    for (size_t i = 0; i < pool->n_slots; i++)
        if (pool->slots[i].is_lent)
            return true;
    return false;
}

uint64_t tas_x11_pool_used_us(const struct tas_x11_pool *pool) {
    return pool->used_us;
}

size_t tas_x11_pool_size(const struct tas_x11_pool *pool) {
    return pool->n_slots;
}

const uint8_t *tas_x11_pool_codes(const struct tas_x11_pool *pool) {
    return pool->codes;
}

bool tas_x11_pool_made(const struct tas_x11_pool *pool, uint8_t first, uint8_t n) {
    return pool->made_first == first && pool->made_n == n;
}

int tas_x11_pool_sync(struct tas_x11_pool *pool) {
    struct raw_map map;
    int err = fetch_map(pool, &map);
    if (err == TAS_OK)
        sync_slots(pool, &map);
    free(map.reply);
    return err;
}

int tas_x11_pool_restore(struct tas_x11_pool *pool) {
    return change(pool, NULL, 0, false);
}
