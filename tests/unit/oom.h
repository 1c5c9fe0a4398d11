/* Makes allocations fail, one by one. Include in one file of a test program that is linked with
 * -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=aligned_alloc. Only calls from objects linked into
 * the program are seen, not those inside shared libraries. One thread. What leaks after a failure, ASan's
 * leak check finds.
 *
 *     for (unsigned n = 1;; n++) {
 *         tas_oom_fail_at(n);
 *         struct thing *thing = thing_new();
 *         bool has_failed = tas_oom_count() >= n;
 *         tas_oom_fail_at(0);
 *         ... thing is NULL exactly when has_failed ...
 *     }
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

static unsigned tas_oom_calls, tas_oom_failing;

/* The nth allocation from now on fails (1 is the next), only that one; 0: none. Counting starts anew. */
static inline void tas_oom_fail_at(unsigned n) {
    tas_oom_calls = 0;
    tas_oom_failing = n;
}

/* Allocations since tas_oom_fail_at(). */
static inline unsigned tas_oom_count(void) {
    return tas_oom_calls;
}

static inline bool tas_oom_fails(void) {
    return ++tas_oom_calls == tas_oom_failing;
}

/* clang-format off */
void *__real_malloc(size_t len);
void *__real_calloc(size_t count, size_t len);
void *__real_realloc(void *mem, size_t len);
void *__real_aligned_alloc(size_t align, size_t len);
void *__wrap_malloc(size_t len);
void *__wrap_calloc(size_t count, size_t len);
void *__wrap_realloc(void *mem, size_t len);
void *__wrap_aligned_alloc(size_t align, size_t len);
/* clang-format on */

void *__wrap_malloc(size_t len) {
    return tas_oom_fails() ? NULL : __real_malloc(len);
}
void *__wrap_calloc(size_t count, size_t len) {
    return tas_oom_fails() ? NULL : __real_calloc(count, len);
}
void *__wrap_realloc(void *mem, size_t len) {
    return tas_oom_fails() ? NULL : __real_realloc(mem, len);
}
void *__wrap_aligned_alloc(size_t align, size_t len) {
    return tas_oom_fails() ? NULL : __real_aligned_alloc(align, len);
}
