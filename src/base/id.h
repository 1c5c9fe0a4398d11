/* Names of things: 64-bit ids that rise with time, so that rows lie in the order in which they came to be,
 * and two management servers never give out the same. 42 bits of ms since 2025-01-01 UTC, 10 bits of node, 12
 * bits of sequence. As text 13 characters of Crockford's base32, because JavaScript loses what is above 2^53.
 */
#pragma once

#include "base/err.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { TAS_ID_TEXT = 13, TAS_ID_CAP = TAS_ID_TEXT + 1, TAS_ID_NODES = 1024 };

#define TAS_ID_EPOCH_MS UINT64_C(1735689600000) /* 2025-01-01T00:00:00Z */

/* Any thread may draw from it. */
struct tas_id_source {
    _Atomic uint64_t last; /* ms and sequence of the last id, without the node */
    uint32_t node;         /* 0..1023, leased in the database (store/) */
};

/* A new id. Rises with every call, also when the clock goes back. */
uint64_t tas_id_next(struct tas_id_source *source, uint64_t wall_ms);

/* The wall clock that is in an id, ms since 1970; and the least id of a moment. */
uint64_t tas_id_ms(uint64_t id);
uint64_t tas_id_least(uint64_t wall_ms);

/* Writes 13 lower-case characters and a NUL. Returns out. */
char *tas_id_encode(char out[TAS_ID_CAP], uint64_t id);

/* Exactly 13 characters of either case. TAS_E_PROTO: not an id; `out` is then untouched. */
TAS_MUST_USE int tas_id_decode(uint64_t *out, const char *text);
