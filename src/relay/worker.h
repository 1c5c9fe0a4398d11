/* One thread of the relay: the rooms whose session ids fall to it, and their ends. Both ends of a session
 * live on the same thread, so that the data path takes no lock. */
#pragma once

#include "net/tls.h"
#include "relay/admit.h"
#include "relay/stats.h"

struct relay_worker;

/* Starts the thread. config and stats outlive it. NULL: no memory or no thread. */
struct relay_worker *relay_worker_start(struct relay_stats *stats);

/* Stops and joins the thread; its connections are closed. NULL is fine. */
void relay_worker_stop(struct relay_worker *w);

/* From any thread: takes over a connection that showed ticket and proof (detached from its loop). */
void relay_worker_give(struct relay_worker *w, struct tas_conn *conn,
                       const struct relay_admission *admission);

/* The worker whose session this is. */
static inline struct relay_worker *relay_worker_of(struct relay_worker *const *workers, size_t n_workers,
                                                   uint64_t session_id) {
    return workers[(session_id ^ session_id >> 32) % n_workers];
}

/* From any thread: closes the session's ends (those of one slot, or all for RELAY_ALL_SLOTS) and keeps them
 * from joining again for 16 minutes, which is longer than a ticket lives. TAS_E_NOMEM. */
enum { RELAY_ALL_SLOTS = 255 };
TAS_MUST_USE int relay_worker_kill(struct relay_worker *w, uint64_t session_id, uint8_t slot);

/* From any thread: the sessions that had two joined ends a second ago, at most `max`, in no order. How many.
 */
size_t relay_worker_sessions(struct relay_worker *w, uint64_t *out, size_t max);

/* From any thread: tells all ends to go to `alternates` within deadline_ms and closes those without a peer at
 * once. `done` is called, on the worker's thread, when nobody is left, or when the deadline is over and all
 * were closed. */
void relay_worker_drain(struct relay_worker *w, const uint32_t alternates[4], uint32_t deadline_ms,
                        void (*done)(void *ctx), void *ctx);
