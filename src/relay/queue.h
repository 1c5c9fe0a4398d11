/* What waits for one end: records by class, each class in the order of arrival. Classes 0 and 1 go first,
 * then 2 and 3 at 8:1. Bounded; the owner stops reading the source while it is full. Sealed bytes only. */
#pragma once

#include "base/buf.h"
#include "wire/record.h"

struct relay_queue {
    struct tas_buf by_class[TAS_CLASSES]; /* whole records, heads included */
    size_t len, limit;
    unsigned screen_turns; /* class 2 records since the last of class 3 */
};

/* limit: bytes at which is_full() says so. A record more than that is still taken, so that one that was read
 * is never dropped. */
void relay_queue_init(struct relay_queue *q, size_t limit);
void relay_queue_fini(struct relay_queue *q);

bool relay_queue_is_full(const struct relay_queue *q);

/* A record from slot `source`. TAS_E_FULL: beyond all bounds. TAS_E_NOMEM. */
TAS_MUST_USE int relay_queue_push(struct relay_queue *q, uint8_t type, uint8_t pf, uint16_t source,
                                  struct tas_bytes payload);

/* The next bytes to send, one or several whole records of one class, at most `max` (at least one record's
 * size, but for what is left of a record that was sent in part). Empty: nothing waits. Borrowed until the
 * next call. */
struct tas_bytes relay_queue_peek(const struct relay_queue *q, size_t max, unsigned *cls);

/* The first n of them went out. */
void relay_queue_drop(struct relay_queue *q, unsigned cls, size_t n);
