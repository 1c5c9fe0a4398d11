/* Rows of the audit chain. The hashes are made by manager/audit.c; here they are only kept. */
#pragma once

#include "store/db.h"

enum { STORE_ACTOR = 120, STORE_KIND = 32, STORE_DETAIL = 10000 };

struct store_event {
    int64_t company_id;
    int64_t seq; /* from 1, without gaps */
    uint64_t id, session_id;
    int64_t at;
    const char *actor; /* "operator:tanaka", "customer", "platform:root", "system" */
    const char *kind;
    const char *detail;  /* compact JSON */
    const uint8_t *ekey; /* 8 bytes, or NULL */
    uint8_t hash[32];
};

/* Inside a transaction: takes the next place of the company's chain (which locks it until the commit). *seq:
 * the new row's number; prev: the hash before it. */
TAS_MUST_USE int store_chain_next(struct tas_db *db, int64_t company_id, int64_t *seq, uint8_t prev[32]);
/* Inside the same transaction: the row, and the chain's new head. */
TAS_MUST_USE int store_chain_put(struct tas_db *db, const struct store_event *event);
/* How many events of this session the actor has reported. */
TAS_MUST_USE int store_event_count(struct tas_db *db, uint64_t session_id, const char *actor, int64_t *out);
/* Is there an event of this session with this key? */
TAS_MUST_USE int store_event_has(struct tas_db *db, uint64_t session_id, const uint8_t ekey[8], bool *out);

struct store_head {
    int64_t company_id, seq;
    uint8_t hash[32];
};
enum { STORE_HEADS = 100 };
/* Chains with events behind their last checkpoint, of companies with an id above `after`, by id; at most
 * STORE_HEADS: fewer are the last. free(*out) */
TAS_MUST_USE int store_heads_unsigned(struct tas_db *db, int64_t after, struct store_head **out, size_t *n);
TAS_MUST_USE int store_checkpoint_put(struct tas_db *db, int64_t company_id, int64_t seq,
                                      const uint8_t hash[32], int64_t at, int64_t kid, const uint8_t sig[64]);

/* A KEYSET that signed checkpoints, by its sequence; kept for good. */
TAS_MUST_USE int store_keyset_put(struct tas_db *db, int64_t sequence, int64_t at, struct tas_bytes keyset);

/* The newest of them. TAS_E_ABSENT: none was kept yet; TAS_E_LIMIT: longer than cap. */
TAS_MUST_USE int store_keyset_newest(struct tas_db *db, uint8_t *out, size_t cap, size_t *len);
