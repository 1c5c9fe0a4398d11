/* A token bucket: so many at once, then one more every so often. For answers that a peer could ask for
 * without end. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct tas_bucket {
    uint64_t filled_us; /* when the last token was added */
    uint32_t tokens;
};

/* A full one. */
static inline struct tas_bucket tas_bucket_full(uint32_t burst, uint64_t now_us) {
    return (struct tas_bucket){.filled_us = now_us, .tokens = burst};
}

/* Takes a token; false: there is none now. One comes back every `every_us`, up to `burst`. */
static inline bool tas_bucket_take(struct tas_bucket *b, uint32_t burst, uint64_t every_us, uint64_t now_us) {
    uint64_t due = (now_us - b->filled_us) / every_us;
    b->filled_us += due * every_us;
    b->tokens = due > burst - b->tokens ? burst : b->tokens + (uint32_t)due;
    if (b->tokens == 0)
        return false;
    b->tokens--;
    return true;
}
