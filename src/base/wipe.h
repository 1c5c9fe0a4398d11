/* Overwriting what must not stay in memory, comparing without leaking, and memory for keys. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Overwrites `len` bytes with zeros; the compiler may not leave it out. */
void tas_wipe(void *ptr, size_t len);

/* Same bytes? Takes the same time whatever they hold. */
bool tas_same_secret(const void *a, const void *b, size_t len);

/* Where key material is allocated. os/secret.h has one that is locked and left out of core dumps; a place
 * without such memory (the browser) passes tas_secret_heap. `alloc` gives zeroed bytes or NULL; `release`
 * wipes, NULL is fine. */
struct tas_secret_mem {
    void *(*alloc)(size_t len);
    void (*release)(void *ptr, size_t len);
};

/* calloc and free with wiping. */
extern const struct tas_secret_mem tas_secret_heap;
