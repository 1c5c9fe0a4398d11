/* What the relay counts, for /metrics and tests. Written by all threads. */
#pragma once

#include "http/server.h"

#include <stdatomic.h>
#include <stdint.h>

/* clang-format off */
#define RELAY_STATS(X) \
    X(connections,        "gauge",   "open connections") \
    X(unauthenticated,    "gauge",   "connections that have not shown a ticket yet") \
    X(ends,               "gauge",   "joined ends") \
    X(sessions,           "gauge",   "sessions with at least one end here") \
    X(joins_total,        "counter", "ends that joined") \
    X(refused_total,      "counter", "connections refused or closed for breaking the protocol") \
    X(suspends_total,     "counter", "matched ends that went silent or lost their socket") \
    X(records_total,      "counter", "records relayed") \
    X(bytes_total,        "counter", "payload bytes relayed") \
    X(dropped_total,      "counter", "records for an end that was not there") \
    X(paused_total,       "counter", "times a source was not read because its peer's queue was full") \
    X(queued_bytes,       "gauge",   "bytes waiting for slow ends") \
    X(clock_synchronised, "gauge",   "1: the clock is synchronised") \
    X(managers,           "gauge",   "management servers configured") \
    X(managers_connected, "gauge",   "management servers that answered the last heartbeat") \
    X(kills_total,        "counter", "sessions and slots ended by a management server") \
    X(draining,           "gauge",   "1: shutting down")
/* clang-format on */

struct relay_stats {
#define X(name, kind, help) _Atomic int64_t name;
    RELAY_STATS(X)
#undef X
};

static inline void relay_count(_Atomic int64_t *counter, int64_t by) {
    atomic_fetch_add_explicit(counter, by, memory_order_relaxed);
}

/* Writes all of them in Prometheus' text format. */
void relay_stats_print(struct relay_stats *stats, struct tas_http_reply *reply);
