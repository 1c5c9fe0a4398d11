#include "base/large.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/mman.h>
#endif

enum { CACHE_LINE = 64, LARGE_PAGE = 2 * 1024 * 1024 };

/* A request; where it is refused, small pages do as well. */
static void ask_for_large_pages(void *memory, size_t len) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    (void)madvise(memory, len, MADV_HUGEPAGE);
#else
    (void)memory, (void)len;
#endif
}

void *tas_large_alloc(size_t len) {
    size_t unit = len < LARGE_PAGE ? CACHE_LINE : LARGE_PAGE;
    if (len > SIZE_MAX - unit)
        return NULL;
    size_t whole = (len + unit - 1) / unit * unit;
    void *memory = aligned_alloc(unit, whole);
    if (!memory)
        return NULL;
    if (unit == LARGE_PAGE)
        ask_for_large_pages(memory, whole);
    return memset(memory, 0, len);
}
