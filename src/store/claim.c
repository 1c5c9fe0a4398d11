/* Customers who typed a number, and what is known of their machines. */
#include "store/session.h"

#include "store/rows_private.h"

#define CLAIM_COLUMNS                                                                                        \
    "id, session_id, company_id, state, pop_pk, address, prefix, host_name, os, tool_version, "              \
    "language, terms_version, terms_at, rtt, claimed_at"

static void claim_of(const struct tas_rows *rows, size_t r, void *out) {
    struct store_claim *c = out;
    *c = (struct store_claim){
        .id = (uint64_t)tas_rows_int(rows, r, 0),
        .session_id = (uint64_t)tas_rows_int(rows, r, 1),
        .company_id = tas_rows_int(rows, r, 2),
        .terms_at = tas_rows_int(rows, r, 12),
        .claimed_at = tas_rows_int(rows, r, 14),
    };
    STORE_COPY_TEXT(rows, r, 3, c->state);
    STORE_COPY_BLOB(rows, r, 4, c->pop_pk);
    STORE_COPY_TEXT(rows, r, 5, c->address);
    STORE_COPY_TEXT(rows, r, 6, c->prefix);
    STORE_COPY_TEXT(rows, r, 7, c->host_name);
    STORE_COPY_TEXT(rows, r, 8, c->os);
    STORE_COPY_TEXT(rows, r, 9, c->tool_version);
    STORE_COPY_TEXT(rows, r, 10, c->language);
    STORE_COPY_TEXT(rows, r, 11, c->terms_version);
    STORE_COPY_TEXT(rows, r, 13, c->rtt);
}

static int one_claim(int err, struct tas_rows *rows, struct store_claim *out) {
    err = store_need_row(err, &rows);
    if (err == TAS_OK)
        claim_of(rows, 0, out);
    tas_rows_free(rows);
    return err;
}

int store_claim_add(struct tas_db *db, const struct store_claim *c) {
    return tas_db_do(db, NULL,
                     "INSERT INTO claim (" CLAIM_COLUMNS
                     ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
                     tas_id_value(c->id), tas_id_value(c->session_id), tas_int(c->company_id),
                     tas_text(c->state), tas_blob(c->pop_pk, 32), tas_text(c->address), tas_text(c->prefix),
                     tas_text(c->host_name), tas_text(c->os), tas_text(c->tool_version),
                     tas_text(c->language), tas_text(c->terms_version), store_int_or_null(c->terms_at),
                     tas_text(c->rtt), tas_int(c->claimed_at));
}

int store_claim_get(struct tas_db *db, uint64_t id, struct store_claim *out) {
    struct tas_rows *rows = NULL;
    int err = tas_db_do(db, &rows, "SELECT " CLAIM_COLUMNS " FROM claim WHERE id = $1", tas_id_value(id));
    return one_claim(err, rows, out);
}

int store_claim_by_key(struct tas_db *db, const uint8_t pop_pk[32], struct store_claim *out) {
    struct tas_rows *rows = NULL;
    int err =
        tas_db_do(db, &rows, "SELECT " CLAIM_COLUMNS " FROM claim WHERE pop_pk = $1", tas_blob(pop_pk, 32));
    return one_claim(err, rows, out);
}

int store_claim_list(struct tas_db *db, uint64_t session_id, struct store_claim **out, size_t *n) {
    struct tas_rows *rows = NULL;
    int err = tas_db_do(db, &rows,
                        "SELECT " CLAIM_COLUMNS
                        " FROM claim WHERE session_id = $1 AND state IN ('choosing', 'pending', 'answered') "
                        "ORDER BY id LIMIT 8",
                        tas_id_value(session_id));
    struct store_claim *all = store_array(&err, rows, sizeof(*all), claim_of, n);
    if (all)
        *out = all;
    return err;
}

int store_claim_count(struct tas_db *db, uint64_t session_id, int64_t *out) {
    struct tas_rows *rows = NULL;
    int err =
        tas_db_do(db, &rows, "SELECT COUNT(*) FROM claim WHERE session_id = $1", tas_id_value(session_id));
    if (err == TAS_OK)
        *out = tas_rows_int(rows, 0, 0);
    tas_rows_free(rows);
    return err;
}

int store_claim_set_state(struct tas_db *db, uint64_t id, const char *from, const char *to) {
    return store_need_change(db,
                             tas_db_do(db, NULL, "UPDATE claim SET state = $3 WHERE id = $1 AND state = $2",
                                       tas_id_value(id), tas_text(from), tas_text(to)));
}

int store_claim_arrived(struct tas_db *db, const struct store_claim *c) {
    return store_need_change(
        db, tas_db_do(db, NULL,
                      "UPDATE claim SET state = 'pending', host_name = $2, os = $3, claimed_at = $4 "
                      "WHERE id = $1 AND state = 'choosing'",
                      tas_id_value(c->id), tas_text(c->host_name), tas_text(c->os), tas_int(c->claimed_at)));
}

int store_claim_close_others(struct tas_db *db, uint64_t session_id, uint64_t but, const char *to) {
    return tas_db_do(db, NULL,
                     "UPDATE claim SET state = $3 WHERE session_id = $1 AND id <> $2 "
                     "AND state IN ('choosing', 'pending', 'answered')",
                     tas_id_value(session_id), tas_id_value(but), tas_text(to));
}

/* ---- device information ---- */

int store_device_put(struct tas_db *db, uint64_t session_id, int64_t company_id, int64_t at, const char *info,
                     int64_t delete_after) {
    return tas_db_do(
        db, NULL,
        "INSERT INTO device (session_id, company_id, at, info, delete_after) VALUES ($1, $2, $3, $4, $5) ON "
        "CONFLICT (session_id) DO UPDATE SET at = $3, info = $4, delete_after = $5",
        tas_id_value(session_id), tas_int(company_id), tas_int(at), tas_text(info), tas_int(delete_after));
}

int store_device_get(struct tas_db *db, uint64_t session_id, int64_t company_id, char **info, int64_t *at,
                     int64_t *delete_after) {
    struct tas_rows *rows = NULL;
    int err = tas_db_do(db, &rows,
                        "SELECT info, at, delete_after FROM device WHERE session_id = $1 AND company_id = $2",
                        tas_id_value(session_id), tas_int(company_id));
    err = store_need_row(err, &rows);
    if (err != TAS_OK)
        return err;
    char *copy = strdup(tas_rows_text(rows, 0, 0));
    if (copy) {
        *info = copy;
        *at = tas_rows_int(rows, 0, 1);
        *delete_after = tas_rows_int(rows, 0, 2);
    }
    tas_rows_free(rows);
    return copy ? TAS_OK : TAS_E_NOMEM;
}

int store_device_delete(struct tas_db *db, uint64_t session_id, int64_t company_id) {
    return store_need_change(db, tas_db_do(db, NULL,
                                           "DELETE FROM device WHERE session_id = $1 AND company_id = $2",
                                           tas_id_value(session_id), tas_int(company_id)));
}

int store_device_due(struct tas_db *db, int64_t now_ms, uint64_t **ids, size_t *n) {
    struct tas_rows *rows = NULL;
    int err = tas_db_do(
        db, &rows, "SELECT session_id FROM device WHERE delete_after <= $1 ORDER BY session_id LIMIT 100",
        tas_int(now_ms));
    return store_id_column(err, rows, ids, n);
}
