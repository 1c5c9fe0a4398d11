#include "base/wipe.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void tas_wipe(void *ptr, size_t len) {
    if (!ptr || len == 0)
        return;
    memset(ptr, 0, len);
    __asm__ __volatile__("" : : "r"(ptr) : "memory");
}

bool tas_same_secret(const void *a, const void *b, size_t len) {
    const volatile uint8_t *pa = a;
    const volatile uint8_t *pb = b;
    uint8_t diff = 0;
    for (size_t i = 0; i < len; i++)
        diff |= (uint8_t)(pa[i] ^ pb[i]);
    return diff == 0;
}

static void *heap_alloc(size_t len) {
    return calloc(1, len);
}

static void heap_release(void *ptr, size_t len) {
    tas_wipe(ptr, len);
    free(ptr);
}

const struct tas_secret_mem tas_secret_heap = {heap_alloc, heap_release};
