/* Questions about support sessions, reception numbers and the customers who typed them. All block; errors as
 * in store/account.h. */
#pragma once

#include "store/db.h"

enum {
    STORE_TEXT = 200, /* bytes of customer, reason, ticket number, host name, operating system */
    STORE_NOTE = 4000,
    STORE_WORD = 16,  /* a state, a reason's code, a result */
    STORE_IP = 48,    /* an address as text */
    STORE_RTT = 1024, /* JSON list of measured relays */
    STORE_RELAYS = 4,
    STORE_REGION = 16,
    STORE_CHANGED = 200, /* sessions of store_session_changed() */
};

struct store_session {
    uint64_t id, operator_id, claim_id;
    int64_t company_id;
    char operator_login[65], operator_name[97];
    uint8_t request[16];
    char state[STORE_WORD + 1];
    uint8_t number_hash[32], number_sealed[4];
    bool has_number; /* number_sealed is there */
    char number_last3[4];
    int64_t issued_at, expires_at, joined_at, answered_at, ended_at; /* 0: not yet */
    char end_reason[STORE_WORD + 1], end_text[STORE_TEXT + 1], result[STORE_WORD + 1];
    char note[STORE_NOTE + 1];
    char customer[STORE_TEXT + 1], reason[STORE_TEXT + 1], ticket_no[STORE_TEXT + 1];
    char operator_address[STORE_IP], operator_version[33], customer_address[STORE_IP], customer_version[33];
    char terms_version[33];
    int64_t terms_at;
    uint8_t host_pk[32], viewer_pk[32];
    int64_t perms;
    uint32_t relays[STORE_RELAYS]; /* as in the tickets; 0 unused */
    char region[STORE_REGION + 1];
    int64_t relay_id, bytes_in, bytes_out, rtt_p50_us, rtt_p95_us; /* -1: not told */
    bool is_verified, is_recorded;
    int64_t paused_at; /* since when held or reconnecting; 0: not */
    int64_t ms_held, ms_reconnecting;
    int64_t seen_at; /* last sign of life */
    uint64_t rev;
};

struct store_claim {
    uint64_t id, session_id;
    int64_t company_id;
    char state[STORE_WORD + 1];
    uint8_t pop_pk[32];
    char address[STORE_IP], prefix[STORE_IP];
    char host_name[STORE_TEXT + 1], os[STORE_TEXT + 1], tool_version[33], language[17], terms_version[33];
    int64_t terms_at;
    char rtt[STORE_RTT + 1];
    int64_t claimed_at;
};

/* A new session in state issued, with its number. TAS_E_STATE: the number is live or in quarantine (draw
 * another), or the same request of the operator is there already (ask store_session_by_request() first). */
TAS_MUST_USE int store_session_add(struct tas_db *db, const struct store_session *s, int64_t free_at);

TAS_MUST_USE int store_session_get(struct tas_db *db, uint64_t id, struct store_session *out);
TAS_MUST_USE int store_session_by_request(struct tas_db *db, uint64_t operator_id, const uint8_t request[16],
                                          struct store_session *out);
/* The session of a live number: issued or waiting, not expired. */
TAS_MUST_USE int store_session_by_number(struct tas_db *db, const uint8_t hash[32], int64_t now_ms,
                                         struct store_session *out);

/* Lists, owned by the caller, free(*out). */
TAS_MUST_USE int store_session_history(struct tas_db *db, uint64_t operator_id, uint64_t before,
                                       int64_t limit, struct store_session **out, size_t *n);
TAS_MUST_USE int store_session_of_company(struct tas_db *db, int64_t company_id, int64_t limit,
                                          struct store_session **out, size_t *n); /* newest first */
/* Those of an operator that changed after rev, or (rev 0) all that are not over; oldest change first; at most
 * STORE_CHANGED. */
TAS_MUST_USE int store_session_changed(struct tas_db *db, uint64_t operator_id, uint64_t rev,
                                       struct store_session **out, size_t *n);
TAS_MUST_USE int store_session_live_of(struct tas_db *db, uint64_t operator_id, int64_t company_id,
                                       int64_t limit, struct store_session **out,
                                       size_t *n); /* operator_id 0: of the company */
TAS_MUST_USE int store_session_count_live(struct tas_db *db, uint64_t operator_id, int64_t *out);
/* To be swept: issued or waiting and expired, or active and not seen since `lost_before`. At most `limit`. */
TAS_MUST_USE int store_session_overdue(struct tas_db *db, int64_t now_ms, int64_t lost_before, int64_t limit,
                                       struct store_session **out, size_t *n);

/* Changes of state. Each is a compare-and-set: TAS_E_ABSENT when the session is not in one of the states it
 * may come from, and nothing was changed. All set rev. */
TAS_MUST_USE int store_session_waiting(struct tas_db *db, uint64_t id, int64_t joined_at, uint64_t rev);
TAS_MUST_USE int store_session_back_to_issued(struct tas_db *db, uint64_t id, uint64_t rev);
TAS_MUST_USE int store_session_answered(struct tas_db *db, const struct store_session *s); /* from waiting */
TAS_MUST_USE int store_session_paused(struct tas_db *db, uint64_t id, const char *state, int64_t now_ms,
                                      uint64_t rev);
TAS_MUST_USE int store_session_resumed(struct tas_db *db, uint64_t id, int64_t now_ms, uint64_t rev);
/* From the state, and with the last sign of life, that `s` was read with: TAS_E_ABSENT when either has
 * changed since. Figures of `s` that are >= 0 are stored. The number is no longer live. */
TAS_MUST_USE int store_session_ended(struct tas_db *db, const struct store_session *s);
/* Of a session that has ended, when nobody has told figures yet. TAS_E_ABSENT: somebody has. */
TAS_MUST_USE int store_session_set_figures(struct tas_db *db, const struct store_session *s);
TAS_MUST_USE int store_session_set_result(struct tas_db *db, uint64_t id, const char *result,
                                          const char *note, uint64_t rev);
TAS_MUST_USE int store_session_set_verified(struct tas_db *db, uint64_t id, uint64_t rev);
TAS_MUST_USE int store_session_set_recorded(struct tas_db *db, uint64_t id, uint64_t rev);
TAS_MUST_USE int store_session_touch(struct tas_db *db, uint64_t id, uint64_t rev);
TAS_MUST_USE int store_session_is_ended(struct tas_db *db, uint64_t id, bool *out);
/* Whoever else brings a customer to this session or away from it waits until this transaction is over.
 * Nothing is changed, rev neither. TAS_E_ABSENT: it is neither issued nor waiting. */
TAS_MUST_USE int store_session_lock(struct tas_db *db, uint64_t id);
/* Whoever issues for the same operator waits until this transaction is over. */
TAS_MUST_USE int store_session_lock_operator(struct tas_db *db, uint64_t operator_id);
TAS_MUST_USE int store_session_seen(struct tas_db *db, uint64_t id, int64_t now_ms);

/* ---- claims ---- */

/* In the state it has: choosing or pending. TAS_E_STATE: pop_pk is known. */
TAS_MUST_USE int store_claim_add(struct tas_db *db, const struct store_claim *c);
TAS_MUST_USE int store_claim_get(struct tas_db *db, uint64_t id, struct store_claim *out);
TAS_MUST_USE int store_claim_by_key(struct tas_db *db, const uint8_t pop_pk[32], struct store_claim *out);
/* The choosing, pending and answered ones of a session, oldest first; at most 8. free(*out) */
TAS_MUST_USE int store_claim_list(struct tas_db *db, uint64_t session_id, struct store_claim **out,
                                  size_t *n);
/* How many there ever were. */
TAS_MUST_USE int store_claim_count(struct tas_db *db, uint64_t session_id, int64_t *out);
/* Compare-and-set from `from`. TAS_E_ABSENT: it was in another state. */
TAS_MUST_USE int store_claim_set_state(struct tas_db *db, uint64_t id, const char *from, const char *to);
/* From choosing to pending, with the host name, the system and the time of `c`. TAS_E_ABSENT: it was in
 * another state. */
TAS_MUST_USE int store_claim_arrived(struct tas_db *db, const struct store_claim *c);
/* All choosing and pending ones of a session become `to`, but for `but`. */
TAS_MUST_USE int store_claim_close_others(struct tas_db *db, uint64_t session_id, uint64_t but,
                                          const char *to);

/* ---- device information ---- */

TAS_MUST_USE int store_device_put(struct tas_db *db, uint64_t session_id, int64_t company_id, int64_t at,
                                  const char *info, int64_t delete_after);
/* *info is owned by the caller, free(). */
TAS_MUST_USE int store_device_get(struct tas_db *db, uint64_t session_id, int64_t company_id, char **info,
                                  int64_t *at, int64_t *delete_after);
TAS_MUST_USE int store_device_delete(struct tas_db *db, uint64_t session_id, int64_t company_id);
/* Sessions whose device information is due for deletion; at most 100. free(*ids) */
TAS_MUST_USE int store_device_due(struct tas_db *db, int64_t now_ms, uint64_t **ids, size_t *n);

/* Numbers whose quarantine is over may be drawn again. */
TAS_MUST_USE int store_reception_purge(struct tas_db *db, int64_t now_ms);
