#include "store/audit.h"

#include "store/rows_private.h"

int store_chain_next(struct tas_db *db, int64_t company_id, int64_t *seq, uint8_t prev[32]) {
    struct tas_rows *rows = NULL;
    int err = tas_db_do(
        db, &rows,
        "UPDATE company SET chain_seq = chain_seq + 1 WHERE id = $1 RETURNING chain_seq, chain_hash",
        tas_int(company_id));
    err = store_need_row(err, &rows);
    if (err != TAS_OK)
        return err;
    struct tas_bytes hash = tas_rows_blob(rows, 0, 1);
    *seq = tas_rows_int(rows, 0, 0);
    if (hash.len == 32)
        memcpy(prev, hash.ptr, 32);
    else
        err = TAS_E_PROTO;
    tas_rows_free(rows);
    return err;
}

int store_chain_put(struct tas_db *db, const struct store_event *e) {
    int err =
        tas_db_do(db, NULL,
                  "INSERT INTO event (company_id, seq, id, session_id, at, actor, kind, detail, ekey, hash) "
                  "VALUES ($1, "
                  "$2, $3, $4, $5, $6, $7, $8, $9, $10)",
                  tas_int(e->company_id), tas_int(e->seq), tas_id_value(e->id), tas_id_value(e->session_id),
                  tas_int(e->at), tas_text(e->actor), tas_text(e->kind), tas_text(e->detail),
                  e->ekey ? tas_blob(e->ekey, 8) : tas_null(), tas_blob(e->hash, 32));
    if (err != TAS_OK)
        return err;
    return tas_db_do(db, NULL, "UPDATE company SET chain_hash = $2 WHERE id = $1", tas_int(e->company_id),
                     tas_blob(e->hash, 32));
}

int store_event_count(struct tas_db *db, uint64_t session_id, const char *actor, int64_t *out) {
    struct tas_rows *rows = NULL;
    int err = tas_db_do(db, &rows,
                        "SELECT COUNT(*) FROM event WHERE session_id = $1 AND actor = $2 AND kind NOT IN "
                        "('claimed', 'withdrawn')",
                        tas_id_value(session_id), tas_text(actor));
    if (err == TAS_OK)
        *out = tas_rows_int(rows, 0, 0);
    tas_rows_free(rows);
    return err;
}

int store_event_has(struct tas_db *db, uint64_t session_id, const uint8_t ekey[8], bool *out) {
    struct tas_rows *rows = NULL;
    int err = tas_db_do(db, &rows, "SELECT 1 FROM event WHERE session_id = $1 AND ekey = $2",
                        tas_id_value(session_id), tas_blob(ekey, 8));
    if (err == TAS_OK)
        *out = tas_rows_len(rows) > 0;
    tas_rows_free(rows);
    return err;
}

static void head_row(const struct tas_rows *rows, size_t row, void *out) {
    struct store_head *head = out;
    head->company_id = tas_rows_int(rows, row, 0);
    head->seq = tas_rows_int(rows, row, 1);
    STORE_COPY_BLOB(rows, row, 2, head->hash);
}

int store_heads_unsigned(struct tas_db *db, int64_t after, struct store_head **out, size_t *n) {
    struct tas_rows *rows = NULL;
    int err =
        tas_db_do(db, &rows,
                  "SELECT id, chain_seq, chain_hash FROM company WHERE id > $1 AND chain_seq > 0 AND NOT "
                  "EXISTS (SELECT 1 FROM checkpoint WHERE checkpoint.company_id = company.id AND "
                  "checkpoint.seq = company.chain_seq) ORDER BY id LIMIT $2",
                  tas_int(after), tas_int(STORE_HEADS));
    struct store_head *all = store_array(&err, rows, sizeof(*all), head_row, n);
    if (all)
        *out = all;
    return err;
}

int store_checkpoint_put(struct tas_db *db, int64_t company_id, int64_t seq, const uint8_t hash[32],
                         int64_t at, int64_t kid, const uint8_t sig[64]) {
    return tas_db_do(db, NULL,
                     "INSERT INTO checkpoint (company_id, seq, hash, at, kid, sig) VALUES ($1, $2, $3, $4, "
                     "$5, $6) ON CONFLICT "
                     "DO NOTHING",
                     tas_int(company_id), tas_int(seq), tas_blob(hash, 32), tas_int(at), tas_int(kid),
                     tas_blob(sig, 64));
}

int store_keyset_put(struct tas_db *db, int64_t sequence, int64_t at, struct tas_bytes keyset) {
    return tas_db_do(db, NULL,
                     "INSERT INTO keyset (sequence, at, bytes) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                     tas_int(sequence), tas_int(at), tas_blob(keyset.ptr, keyset.len));
}

int store_keyset_newest(struct tas_db *db, uint8_t *out, size_t cap, size_t *len) {
    struct tas_rows *rows = NULL;
    int err = tas_db_run(db, "SELECT bytes FROM keyset ORDER BY sequence DESC LIMIT 1", NULL, 0, &rows);
    err = store_need_row(err, &rows);
    if (err != TAS_OK)
        return err;
    struct tas_bytes bytes = tas_rows_blob(rows, 0, 0);
    err = bytes.len <= cap ? TAS_OK : TAS_E_LIMIT;
    if (err == TAS_OK) {
        memcpy(out, bytes.ptr, bytes.len);
        *len = bytes.len;
    }
    tas_rows_free(rows);
    return err;
}
