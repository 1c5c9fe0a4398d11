/* A byte queue with an upper limit: bytes go in at the back and out at the front. Full is an error
 * (TAS_E_FULL), never an unbounded realloc: whoever fills it must stop reading from its own source. */
#pragma once

#include "base/bytes.h"
#include "base/err.h"

struct tas_buf {
    uint8_t *mem; /* owned; NULL until the first byte */
    size_t start; /* first byte in use */
    size_t len;   /* bytes in use */
    size_t cap;   /* bytes allocated */
    size_t max;   /* most bytes it may hold */
};

/* An empty queue that may hold up to `max` bytes. Allocates nothing yet. */
void tas_buf_init(struct tas_buf *buf, size_t max);

/* Wipes and releases. The queue may be used again after tas_buf_init(). */
void tas_buf_fini(struct tas_buf *buf);

/* All of `data` at the back, or nothing. TAS_E_FULL: over max. TAS_E_NOMEM. */
TAS_MUST_USE int tas_buf_append(struct tas_buf *buf, struct tas_bytes data);

/* Room for `n` more bytes at the back, contiguous; NULL when it would pass max or memory is out.
 * Follow with tas_buf_commit(). Borrowed: good until the next call on buf. */
uint8_t *tas_buf_reserve(struct tas_buf *buf, size_t n);

/* Declares the first `n` bytes of what tas_buf_reserve() gave as used. */
void tas_buf_commit(struct tas_buf *buf, size_t n);

/* Everything in the queue, oldest first. Borrowed: good until the next call on buf. */
struct tas_bytes tas_buf_peek(const struct tas_buf *buf);

/* Wipes and forgets the first `n` bytes (n <= len). */
void tas_buf_drop(struct tas_buf *buf, size_t n);

/* Bytes that still fit. */
size_t tas_buf_room(const struct tas_buf *buf);

/* Gives memory back when the queue is empty. */
void tas_buf_shrink(struct tas_buf *buf);
