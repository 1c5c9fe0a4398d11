/* One thread's event loop: descriptors, timers, and work that other threads hand in. Callbacks never block.
 * All functions belong to the loop's own thread but tas_loop_post() and tas_loop_stop(). */
#pragma once

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct tas_loop;
struct tas_watch;
struct tas_timer;

enum tas_ready {
    TAS_READABLE = 1,
    TAS_WRITABLE = 2,
    TAS_HANGUP = 4, /* the peer is gone or the descriptor failed; told whether asked for or not */
};

/* NULL: no memory or no descriptors. */
struct tas_loop *tas_loop_new(void);

/* Work that was posted and not yet done is dropped. All watches and timers must be freed before. NULL is
 * fine. */
void tas_loop_free(struct tas_loop *loop);

/* Runs until tas_loop_stop(). TAS_E_IO: the system's polling failed. */
TAS_MUST_USE int tas_loop_run(struct tas_loop *loop);

/* From any thread or callback: tas_loop_run() returns after the present turn. */
void tas_loop_stop(struct tas_loop *loop);

/* The time at which the present turn started, µs (base/time.h). */
uint64_t tas_loop_now_us(const struct tas_loop *loop);

/* From any thread: fn(ctx) is called on the loop's thread. TAS_E_NOMEM. */
TAS_MUST_USE int tas_loop_post(struct tas_loop *loop, void (*fn)(void *ctx), void *ctx);

/* Calls fn while fd is ready for `interest`. The descriptor stays the caller's. NULL: no memory, or fd cannot
 * be watched. */
struct tas_watch *tas_watch_new(struct tas_loop *loop, int fd, unsigned interest,
                                void (*fn)(void *ctx, unsigned ready), void *ctx);
void tas_watch_set(struct tas_watch *watch, unsigned interest);

/* After this no callback comes, also within the same turn. NULL is fine. Close the descriptor afterwards. */
void tas_watch_free(struct tas_watch *watch);

/* A timer that is not set. NULL: no memory. */
struct tas_timer *tas_timer_new(struct tas_loop *loop, void (*fn)(void *ctx), void *ctx);
/* Fires once at `at_us` (or as soon as possible after); UINT64_MAX: not. */
void tas_timer_set(struct tas_timer *timer, uint64_t at_us);
void tas_timer_free(struct tas_timer *timer); /* NULL is fine */

/* Called after all callbacks of each turn, before the loop sleeps. One per loop. */
void tas_loop_on_turn(struct tas_loop *loop, void (*fn)(void *ctx), void *ctx);

/* Delivers `signo` (blocked in all threads first, see tas_loop_block_signals()) as a call on this loop.
 * TAS_E_IO. */
TAS_MUST_USE int tas_loop_on_signals(struct tas_loop *loop, const int *signos, size_t n,
                                     void (*fn)(void *ctx, int signo), void *ctx);

/* Blocks the signals in this thread and those that it starts; ignores SIGPIPE. Call first in main(). */
void tas_loop_block_signals(const int *signos, size_t n);
