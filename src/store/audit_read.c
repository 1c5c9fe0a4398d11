#include "store/audit_read.h"

#include "store/rows_private.h"

enum { PAGE = 200 }; /* rows of at most some 10 KiB when they are what our programs write */

int store_audit_begin(struct tas_db *db) {
    static const char *const postgres[] = {
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        "SET LOCAL statement_timeout = 0",
        "SET LOCAL idle_in_transaction_session_timeout = 0",
    };
    if (!tas_db_is_postgres(db)) /* deferred: with a WAL it sees one state and holds up nobody */
        return tas_db_run(db, "BEGIN", NULL, 0, NULL);
    int err = TAS_OK;
    for (size_t i = 0; err == TAS_OK && i < sizeof(postgres) / sizeof(postgres[0]); i++)
        err = tas_db_run(db, postgres[i], NULL, 0, NULL);
    return err;
}

void store_audit_end(struct tas_db *db) {
    int ignored = tas_db_run(db, "ROLLBACK", NULL, 0, NULL); /* nothing was written; closing ends it too */
    (void)ignored;
}

static int64_t number_of(const struct tas_rows *rows, size_t row, size_t column) {
    return tas_rows_is_null(rows, row, column) ? STORE_AUDIT_NONE : tas_rows_int(rows, row, column);
}

/* Gives every row of a statement to `row`, in pages: its $1 is the key of the page before's last row, column
 * 0 the key of each row, $2 `of` where it has one. */
static int walk(struct tas_db *db, const char *sql, const struct tas_value *of,
                int (*row)(const struct tas_rows *rows, size_t i, void *w), void *w) {
    int64_t after = INT64_MIN;
    size_t n;
    int err;
    do {
        struct tas_rows *rows = NULL;
        const struct tas_value args[] = {tas_int(after), of ? *of : tas_null()};
        err = tas_db_run(db, sql, args, of ? 2 : 1, &rows);
        n = err == TAS_OK ? tas_rows_len(rows) : 0;
        for (size_t i = 0; i < n && err == TAS_OK; i++) {
            after = tas_rows_int(rows, i, 0);
            err = row(rows, i, w);
        }
        tas_rows_free(rows);
    } while (err == TAS_OK && n == PAGE);
    return err;
}

/* ---- companies and operators ---- */

struct company_walk {
    int (*each)(void *ctx, const struct store_audit_company *row);
    void *ctx;
};

static int company_row(const struct tas_rows *rows, size_t i, void *walk_ctx) {
    const struct company_walk *w = walk_ctx;
    const struct store_audit_company row = {
        .id = tas_rows_int(rows, i, 0),
        .code = tas_rows_text(rows, i, 1),
        .name = tas_rows_text(rows, i, 2),
        .state = tas_rows_text(rows, i, 3),
        .regions = tas_rows_text(rows, i, 4),
        .perms = tas_rows_int(rows, i, 5),
        .lock_after = tas_rows_int(rows, i, 6),
        .lock_minutes = tas_rows_int(rows, i, 7),
        .max_live = tas_rows_int(rows, i, 8),
        .chain_seq = tas_rows_int(rows, i, 9),
        .chain_hash = tas_rows_blob(rows, i, 10),
    };
    return w->each(w->ctx, &row);
}

int store_audit_companies(struct tas_db *db, const char *code,
                          int (*each)(void *ctx, const struct store_audit_company *row), void *ctx) {
    struct company_walk w = {each, ctx};
    const struct tas_value of = tas_text(code);
    return walk(db,
                "SELECT id, code, name, state, regions, perms, lock_after, lock_minutes, max_live, "
                "chain_seq, chain_hash FROM "
                "company WHERE id > $1 AND (CAST($2 AS TEXT) IS NULL OR code = $2) ORDER BY id LIMIT 200",
                &of, company_row, &w);
}

struct operator_walk {
    int (*each)(void *ctx, const struct store_audit_operator *row);
    void *ctx;
};

static int operator_row(const struct tas_rows *rows, size_t i, void *walk_ctx) {
    const struct operator_walk *w = walk_ctx;
    const struct store_audit_operator row = {(uint64_t)tas_rows_int(rows, i, 0), tas_rows_text(rows, i, 1),
                                             tas_rows_text(rows, i, 2), tas_rows_text(rows, i, 3)};
    return w->each(w->ctx, &row);
}

int store_audit_operators(struct tas_db *db, int64_t company_id,
                          int (*each)(void *ctx, const struct store_audit_operator *row), void *ctx) {
    struct operator_walk w = {each, ctx};
    const struct tas_value of = tas_int(company_id);
    return walk(
        db,
        "SELECT id, login, name, state FROM operator WHERE id > $1 AND company_id = $2 ORDER BY id LIMIT 200",
        &of, operator_row, &w);
}

int store_audit_lost_companies(struct tas_db *db, int (*each)(void *ctx, int64_t company_id), void *ctx) {
    int64_t after = INT64_MIN;
    for (;;) {
        struct tas_rows *rows = NULL;
        int err = tas_db_do(
            db, &rows,
            "SELECT e.id, c.id FROM (SELECT MIN(company_id) AS id FROM event WHERE company_id > $1) e "
            "LEFT JOIN company c ON c.id = e.id",
            tas_int(after));
        bool is_over = err != TAS_OK || tas_rows_len(rows) == 0 || tas_rows_is_null(rows, 0, 0);
        bool is_lost = !is_over && tas_rows_is_null(rows, 0, 1);
        if (!is_over)
            after = tas_rows_int(rows, 0, 0);
        tas_rows_free(rows);
        if (is_lost)
            err = each(ctx, after);
        if (is_over || err != TAS_OK)
            return err;
    }
}

/* ---- events ---- */

#define EVENT_COLUMNS "seq, company_id, id, session_id, at, actor, kind, detail, hash"

/* With a NUL behind the bytes, also for a NULL. */
static struct tas_bytes text_of(const struct tas_rows *rows, size_t row, size_t column) {
    return tas_bytes_of(tas_rows_text(rows, row, column), tas_rows_blob(rows, row, column).len);
}

static void event_of(const struct tas_rows *rows, size_t r, struct store_audit_event *out) {
    *out = (struct store_audit_event){
        .seq = tas_rows_int(rows, r, 0),
        .company_id = tas_rows_int(rows, r, 1),
        .id = (uint64_t)tas_rows_int(rows, r, 2),
        .session_id = (uint64_t)tas_rows_int(rows, r, 3),
        .at = tas_rows_int(rows, r, 4),
        .actor = text_of(rows, r, 5),
        .kind = text_of(rows, r, 6),
        .detail = text_of(rows, r, 7),
        .hash = tas_rows_blob(rows, r, 8),
    };
}

struct chain_walk {
    int (*each)(void *ctx, const struct store_audit_event *row);
    void *ctx;
};

static int chain_row(const struct tas_rows *rows, size_t i, void *walk_ctx) {
    const struct chain_walk *w = walk_ctx;
    struct store_audit_event row;
    event_of(rows, i, &row);
    return w->each(w->ctx, &row);
}

int store_audit_chain(struct tas_db *db, int64_t company_id,
                      int (*each)(void *ctx, const struct store_audit_event *row), void *ctx) {
    struct chain_walk w = {each, ctx};
    const struct tas_value of = tas_int(company_id);
    return walk(
        db, "SELECT " EVENT_COLUMNS " FROM event WHERE seq > $1 AND company_id = $2 ORDER BY seq LIMIT 200",
        &of, chain_row, &w);
}

int store_audit_session_events(struct tas_db *db, uint64_t session_id,
                               int (*each)(void *ctx, const struct store_audit_event *row), void *ctx) {
    int64_t after_seq = INT64_MIN;
    int64_t after_company = INT64_MIN;
    size_t n;
    int err;
    do {
        struct tas_rows *rows = NULL;
        struct store_audit_event row;
        err = tas_db_do(db, &rows,
                        "SELECT " EVENT_COLUMNS
                        " FROM event WHERE session_id = $1 AND seq >= $2 AND (seq > $2 OR "
                        "company_id > $3) ORDER BY seq, company_id LIMIT 200",
                        tas_id_value(session_id), tas_int(after_seq), tas_int(after_company));
        n = err == TAS_OK ? tas_rows_len(rows) : 0;
        for (size_t i = 0; i < n && err == TAS_OK; i++) {
            event_of(rows, i, &row);
            after_seq = row.seq;
            after_company = row.company_id;
            err = each(ctx, &row);
        }
        tas_rows_free(rows);
    } while (err == TAS_OK && n == PAGE);
    return err;
}

int store_audit_time_after(struct tas_db *db, int64_t company_id, int64_t after, int64_t *at) {
    struct tas_rows *rows = NULL;
    int err =
        tas_db_do(db, &rows, "SELECT at FROM event WHERE company_id = $1 AND seq > $2 ORDER BY seq LIMIT 1",
                  tas_int(company_id), tas_int(after));
    err = store_need_row(err, &rows);
    if (err == TAS_OK)
        *at = tas_rows_int(rows, 0, 0);
    tas_rows_free(rows);
    return err;
}

/* ---- signatures ---- */

struct checkpoint_walk {
    int (*each)(void *ctx, const struct store_audit_checkpoint *row);
    void *ctx;
};

static int checkpoint_row(const struct tas_rows *rows, size_t i, void *walk_ctx) {
    const struct checkpoint_walk *w = walk_ctx;
    const struct store_audit_checkpoint row = {
        .seq = tas_rows_int(rows, i, 0),
        .at = tas_rows_int(rows, i, 1),
        .kid = tas_rows_int(rows, i, 2),
        .hash = tas_rows_blob(rows, i, 3),
        .sig = tas_rows_blob(rows, i, 4),
        .event_hash = tas_rows_blob(rows, i, 5),
        .event_at = tas_rows_int(rows, i, 6),
    };
    return w->each(w->ctx, &row);
}

int store_audit_checkpoints(struct tas_db *db, int64_t company_id,
                            int (*each)(void *ctx, const struct store_audit_checkpoint *row), void *ctx) {
    struct checkpoint_walk w = {each, ctx};
    const struct tas_value of = tas_int(company_id);
    return walk(
        db,
        "SELECT c.seq, c.at, c.kid, c.hash, c.sig, e.hash, e.at FROM checkpoint c LEFT JOIN event e ON "
        "e.company_id = "
        "c.company_id AND e.seq = c.seq WHERE c.seq > $1 AND c.company_id = $2 ORDER BY c.seq LIMIT 200",
        &of, checkpoint_row, &w);
}

struct keyset_walk {
    int (*each)(void *ctx, int64_t sequence, struct tas_bytes keyset);
    void *ctx;
};

static int keyset_row(const struct tas_rows *rows, size_t i, void *walk_ctx) {
    const struct keyset_walk *w = walk_ctx;
    return w->each(w->ctx, tas_rows_int(rows, i, 0), tas_rows_blob(rows, i, 1));
}

int store_audit_keysets(struct tas_db *db, int (*each)(void *ctx, int64_t sequence, struct tas_bytes keyset),
                        void *ctx) {
    struct keyset_walk w = {each, ctx};
    return walk(db, "SELECT sequence, bytes FROM keyset WHERE sequence > $1 ORDER BY sequence LIMIT 200",
                NULL, keyset_row, &w);
}

static bool copy_hash(const struct tas_rows *rows, size_t column, uint8_t out[32]) {
    struct tas_bytes hash = tas_rows_blob(rows, 0, column);
    if (hash.len == 32)
        memcpy(out, hash.ptr, 32);
    return !tas_rows_is_null(rows, 0, column);
}

int store_audit_spot(struct tas_db *db, int64_t company_id, int64_t seq, struct store_audit_spot *out) {
    struct tas_rows *rows = NULL;
    int err = tas_db_do(
        db, &rows,
        "SELECT c.code, e.hash, k.hash FROM (SELECT CAST($1 AS BIGINT) AS id, CAST($2 AS BIGINT) AS seq) "
        "w LEFT JOIN company c ON c.id = w.id LEFT JOIN event e ON e.company_id = w.id AND e.seq = w.seq "
        "LEFT JOIN checkpoint k ON k.company_id = w.id AND k.seq = w.seq",
        tas_int(company_id), tas_int(seq));
    err = store_need_row(err, &rows);
    if (err == TAS_OK) {
        *out = (struct store_audit_spot){.has_company = !tas_rows_is_null(rows, 0, 0)};
        STORE_COPY_TEXT(rows, 0, 0, out->code);
        out->has_event = copy_hash(rows, 1, out->event_hash);
        out->has_checkpoint = copy_hash(rows, 2, out->checkpoint_hash);
    }
    tas_rows_free(rows);
    return err;
}

/* ---- sessions ---- */

#define SESSION_COLUMNS                                                                                      \
    "s.id, s.company_id, s.operator_id, c.code, o.login, s.operator_login, s.operator_name, s.state, "       \
    "s.number_last3, "                                                                                       \
    "s.end_reason, s.end_text, s.result, s.note, s.customer, s.reason, s.ticket_no, s.operator_address, "    \
    "s.customer_address, s.customer_version, s.terms_version, s.relays, s.region, s.issued_at, "             \
    "s.expires_at, "                                                                                         \
    "s.joined_at, s.answered_at, s.ended_at, s.terms_at, s.claim_id, s.relay_id, s.bytes_in, s.bytes_out, "  \
    "s.rtt_p50_us, s.rtt_p95_us, s.is_verified, s.is_recorded, s.ms_held, s.ms_reconnecting"

static void session_of(const struct tas_rows *rows, size_t r, struct store_audit_session *s) {
    const char **const texts[] = {
        &s->company,
        &s->account,
        &s->operator_login,
        &s->operator_name,
        &s->state,
        &s->number_last3,
        &s->end_reason,
        &s->end_text,
        &s->result,
        &s->note,
        &s->customer,
        &s->reason,
        &s->ticket_no,
        &s->operator_address,
        &s->customer_address,
        &s->customer_version,
        &s->terms_version,
        &s->relays,
        &s->region,
    };
    int64_t *const numbers[] = {
        &s->issued_at,   &s->expires_at,  &s->joined_at, &s->answered_at,     &s->ended_at,   &s->terms_at,
        &s->claim_id,    &s->relay_id,    &s->bytes_in,  &s->bytes_out,       &s->rtt_p50_us, &s->rtt_p95_us,
        &s->is_verified, &s->is_recorded, &s->ms_held,   &s->ms_reconnecting,
    };
    size_t column = 3;
    s->id = (uint64_t)tas_rows_int(rows, r, 0);
    s->company_id = tas_rows_int(rows, r, 1);
    s->operator_id = (uint64_t)tas_rows_int(rows, r, 2);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        *texts[i] = tas_rows_text(rows, r, column++);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        *numbers[i] = number_of(rows, r, column++);
}

struct session_walk {
    int (*each)(void *ctx, const struct store_audit_session *row);
    void *ctx;
};

static int session_row(const struct tas_rows *rows, size_t i, void *walk_ctx) {
    const struct session_walk *w = walk_ctx;
    struct store_audit_session row;
    session_of(rows, i, &row);
    return w->each(w->ctx, &row);
}

int store_audit_sessions(struct tas_db *db, int64_t company_id,
                         int (*each)(void *ctx, const struct store_audit_session *row), void *ctx) {
    struct session_walk w = {each, ctx};
    const struct tas_value of = tas_int(company_id);
    return walk(
        db,
        "SELECT " SESSION_COLUMNS
        " FROM session s LEFT JOIN company c ON c.id = s.company_id LEFT JOIN operator o ON "
        "o.id = s.operator_id AND o.company_id = s.company_id WHERE s.id > $1 AND (CAST($2 AS BIGINT) = 0 OR "
        "s.company_id = $2) ORDER BY s.id LIMIT 200",
        &of, session_row, &w);
}

struct claim_walk {
    int (*each)(void *ctx, const struct store_audit_claim *row);
    void *ctx;
};

static int claim_row(const struct tas_rows *rows, size_t i, void *walk_ctx) {
    const struct claim_walk *w = walk_ctx;
    const struct store_audit_claim row = {
        .id = (uint64_t)tas_rows_int(rows, i, 0),
        .company_id = tas_rows_int(rows, i, 1),
        .state = tas_rows_text(rows, i, 2),
        .address = tas_rows_text(rows, i, 3),
        .host_name = tas_rows_text(rows, i, 4),
        .os = tas_rows_text(rows, i, 5),
        .tool_version = tas_rows_text(rows, i, 6),
        .terms_version = tas_rows_text(rows, i, 7),
        .terms_at = number_of(rows, i, 8),
        .claimed_at = tas_rows_int(rows, i, 9),
    };
    return w->each(w->ctx, &row);
}

int store_audit_claims(struct tas_db *db, uint64_t session_id,
                       int (*each)(void *ctx, const struct store_audit_claim *row), void *ctx) {
    struct claim_walk w = {each, ctx};
    const struct tas_value of = tas_id_value(session_id);
    return walk(db,
                "SELECT id, company_id, state, address, host_name, os, tool_version, terms_version, "
                "terms_at, claimed_at FROM "
                "claim WHERE id > $1 AND session_id = $2 ORDER BY id LIMIT 200",
                &of, claim_row, &w);
}

int store_audit_device(struct tas_db *db, uint64_t session_id,
                       int (*each)(void *ctx, int64_t company_id, struct tas_bytes info), void *ctx) {
    struct tas_rows *rows = NULL;
    int err = tas_db_do(db, &rows, "SELECT company_id, info FROM device WHERE session_id = $1",
                        tas_id_value(session_id));
    err = store_need_row(err, &rows);
    if (err == TAS_OK)
        err = each(ctx, tas_rows_int(rows, 0, 0), tas_rows_blob(rows, 0, 1));
    tas_rows_free(rows);
    return err;
}

/* ---- what belongs to nothing ---- */

struct stray_walk {
    const char *table;
    int (*each)(void *ctx, const struct store_audit_stray *row);
    void *ctx;
};

static int stray_row(const struct tas_rows *rows, size_t i, void *walk_ctx) {
    const struct stray_walk *w = walk_ctx;
    const struct store_audit_stray row = {w->table, tas_rows_int(rows, i, 1), tas_rows_int(rows, i, 2),
                                          (uint64_t)tas_rows_int(rows, i, 0)};
    return tas_rows_is_null(rows, i, 3) ? w->each(w->ctx, &row) : TAS_OK;
}

/* Each session that rows of a table name, in pages along the table's index, and whether it is there. */
#define STRAYS(table, first)                                                                                 \
    "SELECT g.session_id, g.company_id, g.first, s.id FROM (SELECT session_id, MIN(company_id) AS "          \
    "company_id, " first " AS first FROM " table                                                             \
    " WHERE session_id > $1 AND session_id <> 0 GROUP BY session_id ORDER BY "                               \
    "session_id LIMIT 200) g LEFT JOIN session s ON s.id = "                                                 \
    "g.session_id ORDER BY g.session_id"

int store_audit_strays(struct tas_db *db, int (*each)(void *ctx, const struct store_audit_stray *row),
                       void *ctx) {
    struct stray_walk events = {"event", each, ctx};
    struct stray_walk claims = {"claim", each, ctx};
    struct stray_walk devices = {"device", each, ctx};
    int err = walk(db, STRAYS("event", "MIN(seq)"), NULL, stray_row, &events);
    if (err == TAS_OK)
        err = walk(db, STRAYS("claim", "0"), NULL, stray_row, &claims);
    return err != TAS_OK ? err : walk(db, STRAYS("device", "0"), NULL, stray_row, &devices);
}
