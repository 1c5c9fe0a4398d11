#include "http/source.h"

#include "base/rand.h"

#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 4096, KEY_LEN = 16, V6_KEY_LEN = 8 };

struct entry {
    uint8_t key[KEY_LEN];
    unsigned n;
    size_t held;
    struct entry *next;
};

struct tas_http_sources {
    uint64_t seed; /* so that nobody can choose addresses that share a bucket */
    struct entry *buckets[BUCKETS];
};

struct tas_http_sources *tas_http_sources_new(void) {
    struct tas_http_sources *sources = calloc(1, sizeof(*sources));
    if (sources)
        tas_random(&sources->seed, sizeof(sources->seed));
    return sources;
}

void tas_http_sources_free(struct tas_http_sources *sources) {
    if (!sources)
        return;
    for (size_t i = 0; i < BUCKETS; i++)
        while (sources->buckets[i]) {
            struct entry *e = sources->buckets[i];
            sources->buckets[i] = e->next;
            free(e);
        }
    free(sources);
}

static void key_of(uint8_t key[KEY_LEN], const uint8_t source[16]) {
    static const uint8_t v4[12] = {[10] = 0xff, [11] = 0xff};
    memset(key, 0, KEY_LEN);
    memcpy(key, source, memcmp(source, v4, sizeof(v4)) == 0 ? KEY_LEN : V6_KEY_LEN);
}

static struct entry **find(struct tas_http_sources *sources, const uint8_t key[KEY_LEN]) {
    uint64_t hash = sources->seed;
    for (size_t i = 0; i < KEY_LEN; i++)
        hash = (hash ^ key[i]) * UINT64_C(0x100000001b3); /* FNV-1a */
    struct entry **at = &sources->buckets[(hash ^ hash >> 32) % BUCKETS];
    while (*at && memcmp((*at)->key, key, KEY_LEN) != 0)
        at = &(*at)->next;
    return at;
}

/* The source's entry, made when there is none; NULL: no memory. */
static struct entry *entry_of(struct tas_http_sources *sources, const uint8_t source[16]) {
    uint8_t key[KEY_LEN];
    key_of(key, source);
    struct entry **at = find(sources, key);
    if (!*at) {
        *at = calloc(1, sizeof(**at));
        if (*at)
            memcpy((*at)->key, key, KEY_LEN);
    }
    return *at;
}

/* Where the source's entry is; *at NULL: it has nothing. */
static struct entry **place_of(struct tas_http_sources *sources, const uint8_t source[16]) {
    uint8_t key[KEY_LEN];
    key_of(key, source);
    return find(sources, key);
}

static void forget_if_empty(struct entry **at) {
    struct entry *e = *at;
    if (e->n > 0 || e->held > 0)
        return;
    *at = e->next;
    free(e);
}

bool tas_http_sources_add(struct tas_http_sources *sources, const uint8_t source[16], unsigned max) {
    struct entry *e = entry_of(sources, source);
    if (!e || (max > 0 && e->n >= max))
        return false;
    e->n++;
    return true;
}

void tas_http_sources_remove(struct tas_http_sources *sources, const uint8_t source[16]) {
    struct entry **at = place_of(sources, source);
    if (!*at)
        return;
    (*at)->n--;
    forget_if_empty(at);
}

bool tas_http_sources_hold(struct tas_http_sources *sources, const uint8_t source[16], size_t len,
                           size_t max) {
    if (len == 0)
        return true;
    struct entry *e = entry_of(sources, source);
    if (!e)
        return false;
    if (max > 0 && (len > max || e->held > max - len)) {
        forget_if_empty(place_of(sources, source));
        return false;
    }
    e->held += len;
    return true;
}

void tas_http_sources_release(struct tas_http_sources *sources, const uint8_t source[16], size_t len) {
    struct entry **at = place_of(sources, source);
    if (len == 0 || !*at)
        return;
    (*at)->held -= len;
    forget_if_empty(at);
}

size_t tas_http_sources_held(struct tas_http_sources *sources, const uint8_t source[16]) {
    const struct entry *e = *place_of(sources, source);
    return e ? e->held : 0;
}
