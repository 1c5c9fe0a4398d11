#include "store/session.h"

#include "store/rows_private.h"

#include <inttypes.h>
#include <stdlib.h>

#define SESSION_COLUMNS                                                                                      \
    "id, company_id, operator_id, operator_login, operator_name, request, state, number_hash, "              \
    "number_sealed, number_last3, issued_at, expires_at, joined_at, answered_at, ended_at, end_reason, "     \
    "end_text, result, note, customer, reason, ticket_no, operator_address, operator_version, "              \
    "customer_address, customer_version, terms_version, terms_at, claim_id, host_pk, viewer_pk, perms, "     \
    "relays, region, relay_id, bytes_in, bytes_out, rtt_p50_us, rtt_p95_us, is_verified, is_recorded, "      \
    "paused_at, ms_held, ms_reconnecting, seen_at, rev"

/* The order of SESSION_COLUMNS. */
enum session_column {
    S_ID,
    S_COMPANY,
    S_OPERATOR,
    S_LOGIN,
    S_NAME,
    S_REQUEST,
    S_STATE,
    S_HASH,
    S_SEALED,
    S_LAST3,
    S_ISSUED,
    S_EXPIRES,
    S_JOINED,
    S_ANSWERED,
    S_ENDED,
    S_END_REASON,
    S_END_TEXT,
    S_RESULT,
    S_NOTE,
    S_CUSTOMER,
    S_REASON,
    S_TICKET,
    S_OP_ADDRESS,
    S_OP_VERSION,
    S_CU_ADDRESS,
    S_CU_VERSION,
    S_TERMS,
    S_TERMS_AT,
    S_CLAIM,
    S_HOST_PK,
    S_VIEWER_PK,
    S_PERMS,
    S_RELAYS,
    S_REGION,
    S_RELAY_ID,
    S_IN,
    S_OUT,
    S_P50,
    S_P95,
    S_VERIFIED,
    S_RECORDED,
    S_PAUSED,
    S_MS_HELD,
    S_MS_RECONNECTING,
    S_SEEN,
    S_REV,
};

/* "1,4,2" and back. */
static void relays_of(uint32_t out[STORE_RELAYS], const char *text) {
    memset(out, 0, STORE_RELAYS * sizeof(out[0]));
    for (size_t i = 0; i < STORE_RELAYS && *text; i++) {
        char *end;
        out[i] = (uint32_t)strtoul(text, &end, 10);
        text = *end == ',' ? end + 1 : end;
    }
}

static const char *relays_text(char out[64], const uint32_t relays[STORE_RELAYS]) {
    int n = 0;
    out[0] = '\0';
    for (size_t i = 0; i < STORE_RELAYS && relays[i]; i++)
        n += snprintf(out + n, (size_t)(64 - n), "%s%" PRIu32, i ? "," : "", relays[i]);
    return out;
}

static int64_t figure_of(const struct tas_rows *rows, size_t row, size_t column) {
    return tas_rows_is_null(rows, row, column) ? -1 : tas_rows_int(rows, row, column);
}

static void session_texts_of(const struct tas_rows *rows, size_t r, struct store_session *s) {
    STORE_COPY_TEXT(rows, r, S_LOGIN, s->operator_login);
    STORE_COPY_TEXT(rows, r, S_NAME, s->operator_name);
    STORE_COPY_TEXT(rows, r, S_STATE, s->state);
    STORE_COPY_TEXT(rows, r, S_LAST3, s->number_last3);
    STORE_COPY_TEXT(rows, r, S_END_REASON, s->end_reason);
    STORE_COPY_TEXT(rows, r, S_END_TEXT, s->end_text);
    STORE_COPY_TEXT(rows, r, S_RESULT, s->result);
    STORE_COPY_TEXT(rows, r, S_NOTE, s->note);
    STORE_COPY_TEXT(rows, r, S_CUSTOMER, s->customer);
    STORE_COPY_TEXT(rows, r, S_REASON, s->reason);
    STORE_COPY_TEXT(rows, r, S_TICKET, s->ticket_no);
    STORE_COPY_TEXT(rows, r, S_OP_ADDRESS, s->operator_address);
    STORE_COPY_TEXT(rows, r, S_OP_VERSION, s->operator_version);
    STORE_COPY_TEXT(rows, r, S_CU_ADDRESS, s->customer_address);
    STORE_COPY_TEXT(rows, r, S_CU_VERSION, s->customer_version);
    STORE_COPY_TEXT(rows, r, S_TERMS, s->terms_version);
    STORE_COPY_TEXT(rows, r, S_REGION, s->region);
}

static void session_of(const struct tas_rows *rows, size_t r, void *out) {
    struct store_session *s = out;
    *s = (struct store_session){
        .id = (uint64_t)tas_rows_int(rows, r, S_ID),
        .company_id = tas_rows_int(rows, r, S_COMPANY),
        .operator_id = (uint64_t)tas_rows_int(rows, r, S_OPERATOR),
        .claim_id = (uint64_t)tas_rows_int(rows, r, S_CLAIM),
        .has_number = !tas_rows_is_null(rows, r, S_SEALED),
        .issued_at = tas_rows_int(rows, r, S_ISSUED),
        .expires_at = tas_rows_int(rows, r, S_EXPIRES),
        .joined_at = tas_rows_int(rows, r, S_JOINED),
        .answered_at = tas_rows_int(rows, r, S_ANSWERED),
        .ended_at = tas_rows_int(rows, r, S_ENDED),
        .terms_at = tas_rows_int(rows, r, S_TERMS_AT),
        .perms = tas_rows_int(rows, r, S_PERMS),
        .relay_id = figure_of(rows, r, S_RELAY_ID),
        .bytes_in = figure_of(rows, r, S_IN),
        .bytes_out = figure_of(rows, r, S_OUT),
        .rtt_p50_us = figure_of(rows, r, S_P50),
        .rtt_p95_us = figure_of(rows, r, S_P95),
        .is_verified = tas_rows_int(rows, r, S_VERIFIED) != 0,
        .is_recorded = tas_rows_int(rows, r, S_RECORDED) != 0,
        .paused_at = tas_rows_int(rows, r, S_PAUSED),
        .ms_held = tas_rows_int(rows, r, S_MS_HELD),
        .ms_reconnecting = tas_rows_int(rows, r, S_MS_RECONNECTING),
        .seen_at = tas_rows_int(rows, r, S_SEEN),
        .rev = (uint64_t)tas_rows_int(rows, r, S_REV),
    };
    STORE_COPY_BLOB(rows, r, S_REQUEST, s->request);
    STORE_COPY_BLOB(rows, r, S_HASH, s->number_hash);
    STORE_COPY_BLOB(rows, r, S_SEALED, s->number_sealed);
    STORE_COPY_BLOB(rows, r, S_HOST_PK, s->host_pk);
    STORE_COPY_BLOB(rows, r, S_VIEWER_PK, s->viewer_pk);
    session_texts_of(rows, r, s);
    relays_of(s->relays, tas_rows_text(rows, r, S_RELAYS));
}

static int one_session(int err, struct tas_rows *rows, struct store_session *out) {
    err = store_need_row(err, &rows);
    if (err == TAS_OK)
        session_of(rows, 0, out);
    tas_rows_free(rows);
    return err;
}

static int all_sessions(int err, struct tas_rows *rows, struct store_session **out, size_t *n) {
    struct store_session *all = store_array(&err, rows, sizeof(*all), session_of, n);
    if (all)
        *out = all;
    return err;
}

/* ---- making and finding ---- */

int store_session_add(struct tas_db *db, const struct store_session *s, int64_t free_at) {
    int err = tas_db_do(
        db, NULL,
        "INSERT INTO session (id, company_id, operator_id, operator_login, operator_name, request, state, "
        "number_hash, "
        "number_sealed, number_last3, issued_at, expires_at, customer, reason, ticket_no, operator_address, "
        "operator_version, perms, is_verified, is_recorded, ms_held, ms_reconnecting, seen_at, rev) VALUES "
        "($1, $2, $3, "
        "$4, $5, $6, 'issued', $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, 0, 0, 0, 0, $18, $19)",
        tas_id_value(s->id), tas_int(s->company_id), tas_id_value(s->operator_id),
        tas_text(s->operator_login), tas_text(s->operator_name), tas_blob(s->request, sizeof(s->request)),
        tas_blob(s->number_hash, 32), tas_blob(s->number_sealed, sizeof(s->number_sealed)),
        tas_text(s->number_last3), tas_int(s->issued_at), tas_int(s->expires_at),
        store_text_or_null(s->customer), store_text_or_null(s->reason), store_text_or_null(s->ticket_no),
        tas_text(s->operator_address), tas_text(s->operator_version), tas_int(s->perms),
        tas_int(s->issued_at), tas_id_value(s->rev));
    if (err != TAS_OK)
        return err;
    err = tas_db_do(db, NULL,
                    "INSERT INTO reception (hash, session_id, expires_at, free_at) VALUES ($1, $2, $3, $4) "
                    "ON CONFLICT DO "
                    "NOTHING",
                    tas_blob(s->number_hash, 32), tas_id_value(s->id), tas_int(s->expires_at),
                    tas_int(free_at));
    return err == TAS_OK && tas_db_changes(db) == 0 ? TAS_E_STATE : err;
}

int store_session_get(struct tas_db *db, uint64_t id, struct store_session *out) {
    struct tas_rows *rows = NULL;
    int err = tas_db_do(db, &rows, "SELECT " SESSION_COLUMNS " FROM session WHERE id = $1", tas_id_value(id));
    return one_session(err, rows, out);
}

int store_session_by_request(struct tas_db *db, uint64_t operator_id, const uint8_t request[16],
                             struct store_session *out) {
    struct tas_rows *rows = NULL;
    int err = tas_db_do(db, &rows,
                        "SELECT " SESSION_COLUMNS " FROM session WHERE operator_id = $1 AND request = $2",
                        tas_id_value(operator_id), tas_blob(request, 16));
    return one_session(err, rows, out);
}

int store_session_by_number(struct tas_db *db, const uint8_t hash[32], int64_t now_ms,
                            struct store_session *out) {
    struct tas_rows *rows = NULL;
    int err = tas_db_do(db, &rows,
                        "SELECT " SESSION_COLUMNS
                        " FROM session WHERE id = (SELECT session_id FROM reception WHERE hash = $1 "
                        "AND expires_at > $2) AND state IN ('issued', 'waiting')",
                        tas_blob(hash, 32), tas_int(now_ms));
    return one_session(err, rows, out);
}

int store_session_history(struct tas_db *db, uint64_t operator_id, uint64_t before, int64_t limit,
                          struct store_session **out, size_t *n) {
    struct tas_rows *rows = NULL;
    int err =
        tas_db_do(db, &rows,
                  "SELECT " SESSION_COLUMNS
                  " FROM session WHERE operator_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
                  tas_id_value(operator_id), tas_int(before ? (int64_t)before : INT64_MAX), tas_int(limit));
    return all_sessions(err, rows, out, n);
}

int store_session_of_company(struct tas_db *db, int64_t company_id, int64_t limit, struct store_session **out,
                             size_t *n) {
    struct tas_rows *rows = NULL;
    int err = tas_db_do(db, &rows,
                        "SELECT " SESSION_COLUMNS
                        " FROM session WHERE company_id = $1 ORDER BY issued_at DESC, id DESC LIMIT $2",
                        tas_int(company_id), tas_int(limit));
    return all_sessions(err, rows, out, n);
}

int store_session_changed(struct tas_db *db, uint64_t operator_id, uint64_t rev, struct store_session **out,
                          size_t *n) {
    struct tas_rows *rows = NULL;
    int err =
        rev ? tas_db_do(db, &rows,
                        "SELECT " SESSION_COLUMNS
                        " FROM session WHERE operator_id = $1 AND rev > $2 ORDER BY rev LIMIT 200",
                        tas_id_value(operator_id), tas_id_value(rev))
            : tas_db_do(db, &rows,
                        "SELECT " SESSION_COLUMNS
                        " FROM session WHERE operator_id = $1 AND state <> 'ended' ORDER BY rev LIMIT 200",
                        tas_id_value(operator_id));
    return all_sessions(err, rows, out, n);
}

int store_session_live_of(struct tas_db *db, uint64_t operator_id, int64_t company_id, int64_t limit,
                          struct store_session **out, size_t *n) {
    struct tas_rows *rows = NULL;
    int err =
        tas_db_do(db, &rows,
                  "SELECT " SESSION_COLUMNS " FROM session WHERE state <> 'ended' AND company_id = $2 AND "
                  "(operator_id = $1 OR CAST($1 AS BIGINT) = 0) ORDER BY id LIMIT $3",
                  tas_id_value(operator_id), tas_int(company_id), tas_int(limit));
    return all_sessions(err, rows, out, n);
}

int store_session_count_live(struct tas_db *db, uint64_t operator_id, int64_t *out) {
    struct tas_rows *rows = NULL;
    int err = tas_db_do(db, &rows,
                        "SELECT COUNT(*) FROM session WHERE operator_id = $1 AND state <> 'ended' AND state "
                        "IN ('issued', 'waiting')",
                        tas_id_value(operator_id));
    if (err == TAS_OK)
        *out = tas_rows_int(rows, 0, 0);
    tas_rows_free(rows);
    return err;
}

int store_session_overdue(struct tas_db *db, int64_t now_ms, int64_t lost_before, int64_t limit,
                          struct store_session **out, size_t *n) {
    struct tas_rows *rows = NULL;
    int err = tas_db_do(db, &rows,
                        "SELECT " SESSION_COLUMNS
                        " FROM session WHERE state <> 'ended' AND ((state IN ('issued', 'waiting') "
                        "AND expires_at <= $1) OR (state IN ('active', 'held', 'reconnecting') AND seen_at < "
                        "$2)) ORDER BY id "
                        "LIMIT $3",
                        tas_int(now_ms), tas_int(lost_before), tas_int(limit));
    return all_sessions(err, rows, out, n);
}

/* ---- changes of state ---- */

int store_session_waiting(struct tas_db *db, uint64_t id, int64_t joined_at, uint64_t rev) {
    return store_need_change(db, tas_db_do(db, NULL,
                                           "UPDATE session SET state = 'waiting', joined_at = "
                                           "COALESCE(joined_at, $2), rev = $3 WHERE id = $1 AND "
                                           "state IN ('issued', 'waiting')",
                                           tas_id_value(id), tas_int(joined_at), tas_id_value(rev)));
}

int store_session_back_to_issued(struct tas_db *db, uint64_t id, uint64_t rev) {
    return store_need_change(db,
                             tas_db_do(db, NULL,
                                       "UPDATE session SET state = 'issued', rev = $2 WHERE id = $1 AND "
                                       "state = 'waiting' AND NOT EXISTS "
                                       "(SELECT 1 FROM claim WHERE session_id = $1 AND state = 'pending')",
                                       tas_id_value(id), tas_id_value(rev)));
}

static int forget_number(struct tas_db *db, uint64_t session_id, int64_t now_ms) {
    return tas_db_do(db, NULL,
                     "UPDATE reception SET expires_at = $2 WHERE session_id = $1 AND expires_at > $2",
                     tas_id_value(session_id), tas_int(now_ms));
}

int store_session_answered(struct tas_db *db, const struct store_session *s) {
    char relays[64];
    int err = tas_db_do(
        db, NULL,
        "UPDATE session SET state = 'active', answered_at = $2, claim_id = $3, host_pk = $4, viewer_pk = $5, "
        "customer_address = $6, customer_version = $7, terms_version = $8, terms_at = $9, relays = $10, "
        "region = $11, "
        "number_sealed = NULL, seen_at = $2, rev = $12 WHERE id = $1 AND state = 'waiting'",
        tas_id_value(s->id), tas_int(s->answered_at), tas_id_value(s->claim_id), tas_blob(s->host_pk, 32),
        tas_blob(s->viewer_pk, 32), tas_text(s->customer_address), tas_text(s->customer_version),
        tas_text(s->terms_version), store_int_or_null(s->terms_at), tas_text(relays_text(relays, s->relays)),
        tas_text(s->region), tas_id_value(s->rev));
    err = store_need_change(db, err);
    return err != TAS_OK ? err : forget_number(db, s->id, s->answered_at);
}

int store_session_paused(struct tas_db *db, uint64_t id, const char *state, int64_t now_ms, uint64_t rev) {
    return store_need_change(
        db, tas_db_do(db, NULL,
                      "UPDATE session SET state = $2, paused_at = $3, seen_at = $3, rev = $4 WHERE id = "
                      "$1 AND state = 'active'",
                      tas_id_value(id), tas_text(state), tas_int(now_ms), tas_id_value(rev)));
}

int store_session_resumed(struct tas_db *db, uint64_t id, int64_t now_ms, uint64_t rev) {
    return store_need_change(
        db,
        tas_db_do(
            db, NULL,
            "UPDATE session SET ms_held = ms_held + CASE WHEN state = 'held' THEN $2 - paused_at ELSE 0 END, "
            "ms_reconnecting = ms_reconnecting + CASE WHEN state = 'reconnecting' THEN $2 - paused_at ELSE 0 "
            "END, "
            "state = 'active', paused_at = NULL, seen_at = $2, rev = $3 WHERE id = $1 AND state IN ('held', "
            "'reconnecting')",
            tas_id_value(id), tas_int(now_ms), tas_id_value(rev)));
}

/* What was not told stays NULL. */
static struct tas_value figure(int64_t v) {
    return v >= 0 ? tas_int(v) : tas_null();
}

int store_session_ended(struct tas_db *db, const struct store_session *s) {
    int err = tas_db_do(db, NULL,
                        "UPDATE session SET ms_held = ms_held + CASE WHEN state = 'held' THEN $2 - paused_at "
                        "ELSE 0 END, ms_reconnecting = "
                        "ms_reconnecting + CASE WHEN state = 'reconnecting' THEN $2 - paused_at ELSE 0 END, "
                        "paused_at = NULL, state = "
                        "'ended', ended_at = $2, end_reason = $3, end_text = $4, number_sealed = NULL, rev = "
                        "$5 WHERE id = $1 AND state = $6 "
                        "AND seen_at = $7",
                        tas_id_value(s->id), tas_int(s->ended_at), tas_text(s->end_reason),
                        store_text_or_null(s->end_text), tas_id_value(s->rev), tas_text(s->state),
                        tas_int(s->seen_at));
    err = store_need_change(db, err);
    if (err == TAS_OK && s->relay_id >= 0)
        err = store_session_set_figures(db, s);
    return err != TAS_OK ? err : forget_number(db, s->id, s->ended_at);
}

int store_session_set_figures(struct tas_db *db, const struct store_session *s) {
    return store_need_change(db, tas_db_do(db, NULL,
                                           "UPDATE session SET relay_id = $2, bytes_in = $3, bytes_out = $4, "
                                           "rtt_p50_us = $5, rtt_p95_us = $6, rev = $7 "
                                           "WHERE id = $1 AND relay_id IS NULL",
                                           tas_id_value(s->id), tas_int(s->relay_id), figure(s->bytes_in),
                                           figure(s->bytes_out), figure(s->rtt_p50_us), figure(s->rtt_p95_us),
                                           tas_id_value(s->rev)));
}

int store_session_set_result(struct tas_db *db, uint64_t id, const char *result, const char *note,
                             uint64_t rev) {
    return store_need_change(
        db, tas_db_do(db, NULL, "UPDATE session SET result = $2, note = $3, rev = $4 WHERE id = $1",
                      tas_id_value(id), tas_text(result), store_text_or_null(note), tas_id_value(rev)));
}

int store_session_set_verified(struct tas_db *db, uint64_t id, uint64_t rev) {
    return store_need_change(db,
                             tas_db_do(db, NULL, "UPDATE session SET is_verified = 1, rev = $2 WHERE id = $1",
                                       tas_id_value(id), tas_id_value(rev)));
}

int store_session_set_recorded(struct tas_db *db, uint64_t id, uint64_t rev) {
    return store_need_change(db,
                             tas_db_do(db, NULL, "UPDATE session SET is_recorded = 1, rev = $2 WHERE id = $1",
                                       tas_id_value(id), tas_id_value(rev)));
}

int store_session_touch(struct tas_db *db, uint64_t id, uint64_t rev) {
    return store_need_change(db, tas_db_do(db, NULL, "UPDATE session SET rev = $2 WHERE id = $1",
                                           tas_id_value(id), tas_id_value(rev)));
}

int store_session_is_ended(struct tas_db *db, uint64_t id, bool *out) {
    struct tas_rows *rows = NULL;
    int err =
        tas_db_do(db, &rows, "SELECT 1 FROM session WHERE id = $1 AND state = 'ended'", tas_id_value(id));
    if (err == TAS_OK)
        *out = tas_rows_len(rows) > 0;
    tas_rows_free(rows);
    return err;
}

int store_session_lock(struct tas_db *db, uint64_t id) {
    return store_need_change(db, tas_db_do(db, NULL,
                                           "UPDATE session SET rev = rev WHERE id = $1 AND state IN "
                                           "('issued', 'waiting')",
                                           tas_id_value(id)));
}

int store_session_lock_operator(struct tas_db *db, uint64_t operator_id) {
    return store_need_change(db, tas_db_do(db, NULL, "UPDATE operator SET failures = failures WHERE id = $1",
                                           tas_id_value(operator_id)));
}

int store_session_seen(struct tas_db *db, uint64_t id, int64_t now_ms) {
    return tas_db_do(db, NULL,
                     "UPDATE session SET seen_at = $2 WHERE id = $1 AND seen_at < $2 AND state <> 'ended'",
                     tas_id_value(id), tas_int(now_ms));
}

int store_reception_purge(struct tas_db *db, int64_t now_ms) {
    return tas_db_do(db, NULL, "DELETE FROM reception WHERE free_at <= $1", tas_int(now_ms));
}
