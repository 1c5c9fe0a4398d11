#include "codec/cache_private.h"

#include "base/wipe.h"

#include <assert.h>
#include <stdlib.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

enum {
    SLOT_PX = TAS_TILE * TAS_TILE,
    SLOTS_PER_TILE = 8, /* a small picture cannot have many different tiles worth keeping */
    BUCKETS = 4096,
    NONE = -1,
};

struct tas_cache {
    uint32_t slots, used, next;
    uint32_t px[]; /* slots * SLOT_PX */
};

static size_t size_of(uint32_t slots) {
    return sizeof(struct tas_cache) + (size_t)slots * SLOT_PX * sizeof(uint32_t);
}

struct tas_cache *tas_cache_new(uint32_t width, uint32_t height) {
    uint32_t whole = (width / TAS_TILE) * (height / TAS_TILE);
    uint32_t slots =
        whole < TAS_CACHE_SLOTS_MAX / SLOTS_PER_TILE ? whole * SLOTS_PER_TILE : TAS_CACHE_SLOTS_MAX;
    struct tas_cache *cache = malloc(size_of(slots)); /* pages that are never used cost nothing */
    if (cache)
        *cache = (struct tas_cache){.slots = slots};
    return cache;
}

void tas_cache_free(struct tas_cache *cache) {
    if (cache)
        tas_cache_clear(cache);
    free(cache);
}

void tas_cache_clear(struct tas_cache *cache) {
    tas_wipe(cache->px, (size_t)cache->used * SLOT_PX * sizeof(uint32_t));
    cache->used = cache->next = 0;
}

uint32_t tas_cache_slots(const struct tas_cache *cache) {
    return cache->slots;
}

bool tas_cache_has(const struct tas_cache *cache, uint32_t slot) {
    return slot < cache->used;
}

static void copy_tile(uint32_t *to, size_t to_stride, const uint32_t *from, size_t from_stride) {
    for (unsigned y = 0; y < TAS_TILE; y++)
        memcpy(to + y * to_stride, from + y * from_stride, TAS_TILE * sizeof(uint32_t));
}

uint32_t tas_cache_keep(struct tas_cache *cache, const uint32_t *px, size_t stride) {
    assert(cache->slots > 0);
    uint32_t slot = cache->next;
    cache->next = slot + 1 < cache->slots ? slot + 1 : 0;
    cache->used += cache->used == slot;
    copy_tile(cache->px + (size_t)slot * SLOT_PX, TAS_TILE, px, stride);
    return slot;
}

void tas_cache_paint(const struct tas_cache *cache, uint32_t slot, uint32_t *px, size_t stride) {
    assert(tas_cache_has(cache, slot));
    copy_tile(px, stride, cache->px + (size_t)slot * SLOT_PX, TAS_TILE);
}

/* ---- what is where ---- */

struct tas_cache_index {
    int16_t first[BUCKETS]; /* slot, or NONE */
    int16_t next[TAS_CACHE_SLOTS_MAX];
    uint64_t hash[TAS_CACHE_SLOTS_MAX];
    bool is_used[TAS_CACHE_SLOTS_MAX];
};

struct tas_cache_index *tas_cache_index_new(void) {
    struct tas_cache_index *index = malloc(sizeof(*index));
    if (index)
        tas_cache_index_clear(index);
    return index;
}

void tas_cache_index_free(struct tas_cache_index *index) {
    if (index)
        tas_wipe(index, sizeof(*index));
    free(index);
}

void tas_cache_index_clear(struct tas_cache_index *index) {
    memset(index, 0, sizeof(*index));
    memset(index->first, 0xff, sizeof(index->first));
}

static uint64_t hash_of(const uint32_t *px, size_t stride) {
    uint64_t hash = 0;
    for (unsigned y = 0; y < TAS_TILE; y++)
        hash = XXH3_64bits_withSeed(px + y * stride, TAS_TILE * sizeof(uint32_t), hash + y);
    return hash;
}

static void remove_slot(struct tas_cache_index *index, uint32_t slot) {
    int16_t *at = &index->first[index->hash[slot] % BUCKETS];
    while (*at != (int16_t)slot)
        at = &index->next[*at];
    *at = index->next[slot];
}

void tas_cache_index_add(struct tas_cache_index *index, uint32_t slot, const uint32_t *px, size_t stride) {
    if (index->is_used[slot])
        remove_slot(index, slot);
    index->is_used[slot] = true;
    index->hash[slot] = hash_of(px, stride);
    int16_t *first = &index->first[index->hash[slot] % BUCKETS];
    index->next[slot] = *first;
    *first = (int16_t)slot;
}

static bool is_tile(const struct tas_cache *cache, uint32_t slot, const uint32_t *px, size_t stride) {
    const uint32_t *kept = cache->px + (size_t)slot * SLOT_PX;
    for (unsigned y = 0; y < TAS_TILE; y++)
        if (memcmp(kept + y * TAS_TILE, px + y * stride, TAS_TILE * sizeof(uint32_t)) != 0)
            return false;
    return true;
}

int tas_cache_index_find(const struct tas_cache_index *index, const struct tas_cache *cache,
                         const uint32_t *px, size_t stride) {
    if (cache->used == 0)
        return NONE;
    uint64_t hash = hash_of(px, stride);
    for (int slot = index->first[hash % BUCKETS]; slot != NONE; slot = index->next[slot])
        if (index->hash[slot] == hash && is_tile(cache, (uint32_t)slot, px, stride))
            return slot;
    return NONE;
}
