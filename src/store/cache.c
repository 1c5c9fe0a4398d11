#include "store/db_private.h"

#include <assert.h>
#include <stdlib.h>

/* FNV-1a: texts are our own, nobody chooses them to collide. */
static uint64_t hash_of(const char *sql) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *sql; sql++)
        hash = (hash ^ (uint8_t)*sql) * UINT64_C(0x100000001b3);
    return hash;
}

/* The slot of a text, or the free one where it belongs. */
static size_t slot_of(const struct store_cache *cache, const char *sql, uint64_t hash) {
    size_t i = hash % STORE_CACHE_SLOTS;
    while (cache->slots[i].sql && (cache->slots[i].hash != hash || strcmp(cache->slots[i].sql, sql) != 0))
        i = (i + 1) % STORE_CACHE_SLOTS;
    return i;
}

void *store_cache_get(const struct store_cache *cache, const char *sql) {
    return cache->slots[slot_of(cache, sql, hash_of(sql))].handle;
}

int store_cache_put(struct store_cache *cache, const char *sql, void *handle) {
    assert(cache->n < STORE_CACHE_MAX);
    uint64_t hash = hash_of(sql);
    size_t len = strlen(sql) + 1;
    char *copy = malloc(len);
    if (!copy)
        return TAS_E_NOMEM;
    memcpy(copy, sql, len);
    cache->slots[slot_of(cache, sql, hash)] = (struct store_cached){hash, copy, handle};
    cache->n++;
    return TAS_OK;
}

void store_cache_clear(struct store_cache *cache, void (*release)(void *handle)) {
    for (size_t i = 0; i < STORE_CACHE_SLOTS && cache->n > 0; i++) {
        struct store_cached *cached = &cache->slots[i];
        if (!cached->sql)
            continue;
        if (release)
            release(cached->handle);
        free(cached->sql);
        *cached = (struct store_cached){0};
        cache->n--;
    }
}
