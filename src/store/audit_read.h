/* What `tasukictl audit verify` compares, read as it lies in the tables. Shares no SQL with those who write
 * them (audit.c, session.c, claim.c, account.c): a mistake there must not be made twice. All that is given to
 * a callback is borrowed until it returns; texts end with a NUL, and are what somebody may have put there:
 * any length, any content. A callback that gives anything but TAS_OK stops the reading, and that is returned.
 */
#pragma once

#include "store/db.h"

/* A number that is NULL. */
#define STORE_AUDIT_NONE INT64_MIN

/* Everything between the two is read from one state of the database, whoever writes to it meanwhile. Writers
 * are not held up. */
TAS_MUST_USE int store_audit_begin(struct tas_db *db);
void store_audit_end(struct tas_db *db);

struct store_audit_company {
    int64_t id;
    const char *code, *name, *state, *regions;
    int64_t perms, lock_after, lock_minutes, max_live, chain_seq;
    struct tas_bytes chain_hash;
};
/* By id. code: only this one; NULL: all. */
TAS_MUST_USE int store_audit_companies(struct tas_db *db, const char *code,
                                       int (*each)(void *ctx, const struct store_audit_company *row),
                                       void *ctx);

struct store_audit_operator {
    uint64_t id;
    const char *login, *name, *state;
};
TAS_MUST_USE int store_audit_operators(struct tas_db *db, int64_t company_id,
                                       int (*each)(void *ctx, const struct store_audit_operator *row),
                                       void *ctx);

struct store_audit_event {
    int64_t company_id, seq, at;
    uint64_t id, session_id;
    struct tas_bytes actor, kind, detail, hash;
};
/* A company's chain, by seq. TAS_E_LIMIT: one of its rows is larger than can be read. */
TAS_MUST_USE int store_audit_chain(struct tas_db *db, int64_t company_id,
                                   int (*each)(void *ctx, const struct store_audit_event *row), void *ctx);
/* The events of a session in every chain, by seq. */
TAS_MUST_USE int store_audit_session_events(struct tas_db *db, uint64_t session_id,
                                            int (*each)(void *ctx, const struct store_audit_event *row),
                                            void *ctx);
/* The first event behind seq `after`: when. TAS_E_ABSENT: there is none. */
TAS_MUST_USE int store_audit_time_after(struct tas_db *db, int64_t company_id, int64_t after, int64_t *at);

struct store_audit_checkpoint {
    int64_t seq, at, kid;
    struct tas_bytes hash, sig;
    struct tas_bytes event_hash; /* of the chain at seq; empty: it has no such row */
    int64_t event_at;
};
TAS_MUST_USE int store_audit_checkpoints(struct tas_db *db, int64_t company_id,
                                         int (*each)(void *ctx, const struct store_audit_checkpoint *row),
                                         void *ctx);

/* Every KEYSET that was in force, oldest first. */
TAS_MUST_USE int store_audit_keysets(struct tas_db *db,
                                     int (*each)(void *ctx, int64_t sequence, struct tas_bytes keyset),
                                     void *ctx);

/* What the database has where an anchor points to. */
struct store_audit_spot {
    bool has_company;
    char code[32];
    uint8_t event_hash[32], checkpoint_hash[32];
    bool has_event, has_checkpoint;
};
TAS_MUST_USE int store_audit_spot(struct tas_db *db, int64_t company_id, int64_t seq,
                                  struct store_audit_spot *out);

struct store_audit_session {
    uint64_t id, operator_id;
    int64_t company_id;
    const char *company; /* its code; "": there is no such company */
    const char *account; /* the login of operator_id; "": no such operator in this company */
    const char *operator_login, *operator_name, *state, *number_last3, *end_reason, *end_text, *result, *note,
        *customer, *reason, *ticket_no, *operator_address, *customer_address, *customer_version,
        *terms_version, *relays, *region; /* NULL in the table: "" */
    int64_t issued_at, expires_at, joined_at, answered_at, ended_at, terms_at, claim_id, relay_id, bytes_in,
        bytes_out, rtt_p50_us, rtt_p95_us, is_verified, is_recorded, ms_held, ms_reconnecting;
};
/* By id. company_id: only its; 0: all. */
TAS_MUST_USE int store_audit_sessions(struct tas_db *db, int64_t company_id,
                                      int (*each)(void *ctx, const struct store_audit_session *row),
                                      void *ctx);

struct store_audit_claim {
    uint64_t id;
    int64_t company_id;
    const char *state, *address, *host_name, *os, *tool_version, *terms_version;
    int64_t terms_at, claimed_at;
};
TAS_MUST_USE int store_audit_claims(struct tas_db *db, uint64_t session_id,
                                    int (*each)(void *ctx, const struct store_audit_claim *row), void *ctx);

/* A session's device information. TAS_E_ABSENT: there is none. `each` is called once. */
TAS_MUST_USE int store_audit_device(struct tas_db *db, uint64_t session_id,
                                    int (*each)(void *ctx, int64_t company_id, struct tas_bytes info),
                                    void *ctx);

/* Rows that name a session that is not there, one for each table ("event", "claim", "device") and session.
 * seq: the first such event. */
struct store_audit_stray {
    const char *table;
    int64_t company_id, seq;
    uint64_t session_id;
};
TAS_MUST_USE int store_audit_strays(struct tas_db *db,
                                    int (*each)(void *ctx, const struct store_audit_stray *row), void *ctx);

/* Companies that have events but no row: their ids. */
TAS_MUST_USE int store_audit_lost_companies(struct tas_db *db, int (*each)(void *ctx, int64_t company_id),
                                            void *ctx);
