#include "store/account.h"

#include "store/rows_private.h"

#define COMPANY_COLUMNS                                                                                      \
    "company.id, company.code, company.name, company.state, company.perms, company.lock_after, "             \
    "company.lock_minutes, company.max_live, company.regions, company.created_at, company.chain_seq"
#define OPERATOR_COLUMNS                                                                                     \
    "operator.id, operator.company_id, operator.login, operator.name, operator.password, operator.state, "   \
    "operator.failures, operator.locked_until, operator.created_at"

enum { COMPANY_WIDTH = 11, OPERATOR_WIDTH = 9 };

static void company_of(const struct tas_rows *rows, size_t row, size_t at, struct store_company *out) {
    *out = (struct store_company){
        .id = tas_rows_int(rows, row, at),
        .is_frozen = strcmp(tas_rows_text(rows, row, at + 3), "active") != 0,
        .perms = tas_rows_int(rows, row, at + 4),
        .lock_after = tas_rows_int(rows, row, at + 5),
        .lock_minutes = tas_rows_int(rows, row, at + 6),
        .max_live = tas_rows_int(rows, row, at + 7),
        .created_at = tas_rows_int(rows, row, at + 9),
        .chain_seq = tas_rows_int(rows, row, at + 10),
    };
    STORE_COPY_TEXT(rows, row, at + 1, out->code);
    STORE_COPY_TEXT(rows, row, at + 2, out->name);
    STORE_COPY_TEXT(rows, row, at + 8, out->regions);
}

static void operator_of(const struct tas_rows *rows, size_t row, size_t at, struct store_operator *out) {
    *out = (struct store_operator){
        .id = (uint64_t)tas_rows_int(rows, row, at),
        .company_id = tas_rows_int(rows, row, at + 1),
        .is_disabled = strcmp(tas_rows_text(rows, row, at + 5), "active") != 0,
        .failures = tas_rows_int(rows, row, at + 6),
        .locked_until = tas_rows_int(rows, row, at + 7),
        .created_at = tas_rows_int(rows, row, at + 8),
    };
    STORE_COPY_TEXT(rows, row, at + 2, out->login);
    STORE_COPY_TEXT(rows, row, at + 3, out->name);
    STORE_COPY_TEXT(rows, row, at + 4, out->password);
}

static void company_row(const struct tas_rows *rows, size_t row, void *out) {
    company_of(rows, row, 0, out);
}

static void operator_row(const struct tas_rows *rows, size_t row, void *out) {
    operator_of(rows, row, 0, out);
}

static int one_company(int err, struct tas_rows *rows, struct store_company *out) {
    err = store_need_row(err, &rows);
    if (err == TAS_OK)
        company_of(rows, 0, 0, out);
    tas_rows_free(rows);
    return err;
}

static int one_operator(int err, struct tas_rows *rows, struct store_operator *out) {
    err = store_need_row(err, &rows);
    if (err == TAS_OK)
        operator_of(rows, 0, 0, out);
    tas_rows_free(rows);
    return err;
}

/* ---- companies ---- */

int store_company_add(struct tas_db *db, struct store_company *c,
                      int (*genesis)(uint8_t out[32], uint32_t company_id)) {
    struct tas_rows *rows = NULL;
    uint8_t hash[32];
    int err = tas_db_run(db, "SELECT CAST(COALESCE(MAX(id), 0) + 1 AS BIGINT) FROM company", NULL, 0, &rows);
    if (err == TAS_OK)
        c->id = tas_rows_int(rows, 0, 0);
    tas_rows_free(rows);
    if (err == TAS_OK)
        err = genesis(hash, (uint32_t)c->id);
    if (err != TAS_OK)
        return err;
    return tas_db_do(
        db, NULL,
        "INSERT INTO company (id, code, name, state, perms, lock_after, lock_minutes, max_live, regions, "
        "created_at, chain_seq, chain_hash) VALUES ($1, $2, $3, 'active', $4, $5, $6, $7, $8, $9, 0, $10)",
        tas_int(c->id), tas_text(c->code), tas_text(c->name), tas_int(c->perms), tas_int(c->lock_after),
        tas_int(c->lock_minutes), tas_int(c->max_live), tas_text(c->regions), tas_int(c->created_at),
        tas_blob(hash, sizeof(hash)));
}

int store_company_by_code(struct tas_db *db, const char *code, struct store_company *out) {
    struct tas_rows *rows = NULL;
    int err = tas_db_do(db, &rows, "SELECT " COMPANY_COLUMNS " FROM company WHERE code = $1", tas_text(code));
    return one_company(err, rows, out);
}

int store_company_by_id(struct tas_db *db, int64_t id, struct store_company *out) {
    struct tas_rows *rows = NULL;
    int err = tas_db_do(db, &rows, "SELECT " COMPANY_COLUMNS " FROM company WHERE id = $1", tas_int(id));
    return one_company(err, rows, out);
}

/* The change of nothing locks the row on both databases; what is read after it is what others committed. */
int store_company_take(struct tas_db *db, int64_t id, struct store_company *out) {
    int err = store_need_change(
        db, tas_db_do(db, NULL, "UPDATE company SET chain_seq = chain_seq WHERE id = $1", tas_int(id)));
    return err != TAS_OK ? err : store_company_by_id(db, id, out);
}

int store_company_set_frozen(struct tas_db *db, int64_t id, bool is_frozen) {
    return store_need_change(db, tas_db_do(db, NULL, "UPDATE company SET state = $2 WHERE id = $1",
                                           tas_int(id), tas_text(is_frozen ? "frozen" : "active")));
}

int store_company_set_policy(struct tas_db *db, const struct store_company *c) {
    return store_need_change(
        db, tas_db_do(db, NULL,
                      "UPDATE company SET name = $2, perms = $3, lock_after = $4, lock_minutes = $5, "
                      "max_live = $6, regions = $7 WHERE id = $1",
                      tas_int(c->id), tas_text(c->name), tas_int(c->perms), tas_int(c->lock_after),
                      tas_int(c->lock_minutes), tas_int(c->max_live), tas_text(c->regions)));
}

int store_company_list(struct tas_db *db, struct store_company **out, size_t *n) {
    struct tas_rows *rows = NULL;
    int err = tas_db_run(db, "SELECT " COMPANY_COLUMNS " FROM company ORDER BY id", NULL, 0, &rows);
    struct store_company *all = store_array(&err, rows, sizeof(*all), company_row, n);
    if (all)
        *out = all;
    return err;
}

/* ---- operators ---- */

int store_operator_add(struct tas_db *db, const struct store_operator *op) {
    return tas_db_do(db, NULL,
                     "INSERT INTO operator (id, company_id, login, name, password, state, failures, "
                     "locked_until, created_at) "
                     "VALUES ($1, $2, $3, $4, $5, 'active', 0, 0, $6)",
                     tas_id_value(op->id), tas_int(op->company_id), tas_text(op->login), tas_text(op->name),
                     tas_text(op->password), tas_int(op->created_at));
}

int store_operator_by_login(struct tas_db *db, int64_t company_id, const char *login,
                            struct store_operator *out) {
    struct tas_rows *rows = NULL;
    int err =
        tas_db_do(db, &rows, "SELECT " OPERATOR_COLUMNS " FROM operator WHERE company_id = $1 AND login = $2",
                  tas_int(company_id), tas_text(login));
    return one_operator(err, rows, out);
}

int store_operator_by_id(struct tas_db *db, uint64_t id, struct store_operator *out) {
    struct tas_rows *rows = NULL;
    int err =
        tas_db_do(db, &rows, "SELECT " OPERATOR_COLUMNS " FROM operator WHERE id = $1", tas_id_value(id));
    return one_operator(err, rows, out);
}

int store_operator_list(struct tas_db *db, int64_t company_id, struct store_operator **out, size_t *n) {
    struct tas_rows *rows = NULL;
    int err =
        tas_db_do(db, &rows, "SELECT " OPERATOR_COLUMNS " FROM operator WHERE company_id = $1 ORDER BY login",
                  tas_int(company_id));
    struct store_operator *all = store_array(&err, rows, sizeof(*all), operator_row, n);
    if (all)
        *out = all;
    return err;
}

int store_operator_set_disabled(struct tas_db *db, uint64_t id, bool is_disabled) {
    return store_need_change(db, tas_db_do(db, NULL, "UPDATE operator SET state = $2 WHERE id = $1",
                                           tas_id_value(id), tas_text(is_disabled ? "disabled" : "active")));
}

int store_operator_set_password(struct tas_db *db, uint64_t id, const char *hash) {
    return store_need_change(
        db,
        tas_db_do(db, NULL, "UPDATE operator SET password = $2, failures = 0, locked_until = 0 WHERE id = $1",
                  tas_id_value(id), tas_text(hash)));
}

int store_operator_failed(struct tas_db *db, uint64_t id, int64_t lock_after, int64_t now_ms,
                          int64_t lock_until, bool *locks) {
    struct tas_rows *rows = NULL;
    /* The count after this one: as it is while locked, 1 after a lock, one more otherwise. */
#define COUNT                                                                                                \
    "CASE WHEN locked_until > CAST($3 AS BIGINT) THEN failures WHEN locked_until > 0 THEN 1 ELSE failures "  \
    "+ 1 END"
    int err = tas_db_do(
        db, &rows,
        "UPDATE operator SET failures = " COUNT
        ", locked_until = CASE WHEN locked_until > CAST($3 AS BIGINT) THEN locked_until WHEN CAST($2 AS "
        "BIGINT) > 0 AND " COUNT
        " >= CAST($2 AS BIGINT) THEN CAST($4 AS BIGINT) ELSE 0 END WHERE id = $1 RETURNING locked_until",
        tas_id_value(id), tas_int(lock_after), tas_int(now_ms), tas_int(lock_until));
#undef COUNT
    *locks = err == TAS_OK && tas_rows_len(rows) > 0 && tas_rows_int(rows, 0, 0) == lock_until;
    tas_rows_free(rows);
    return err;
}

int store_operator_succeeded(struct tas_db *db, uint64_t id) {
    return tas_db_do(db, NULL,
                     "UPDATE operator SET failures = 0, locked_until = 0 WHERE id = $1 AND failures > 0",
                     tas_id_value(id));
}

int store_operator_enter(struct tas_db *db, const struct store_operator *op, int64_t now_ms) {
    return store_need_change(
        db,
        tas_db_do(
            db, NULL,
            "UPDATE operator SET failures = 0, locked_until = 0 WHERE id = $1 AND password = $2 AND state = "
            "'active' AND locked_until <= $3",
            tas_id_value(op->id), tas_text(op->password), tas_int(now_ms)));
}

int store_operator_rehash(struct tas_db *db, const struct store_operator *op, const char *hash) {
    return store_need_change(
        db, tas_db_do(db, NULL, "UPDATE operator SET password = $3 WHERE id = $1 AND password = $2",
                      tas_id_value(op->id), tas_text(op->password), tas_text(hash)));
}

/* ---- logins ---- */

int store_login_event(struct tas_db *db, uint64_t id, int64_t at, int64_t company_id, uint64_t operator_id,
                      const char *code, const char *login, const char *address, const char *outcome) {
    return tas_db_do(
        db, NULL,
        "INSERT INTO login_event (id, at, company_id, operator_id, code, login, address, outcome) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
        tas_id_value(id), tas_int(at), store_int_or_null(company_id), store_int_or_null((int64_t)operator_id),
        tas_text(code), tas_text(login), tas_text(address), tas_text(outcome));
}

int store_login_purge(struct tas_db *db, int64_t logins_before, int64_t events_before) {
    int err = tas_db_do(db, NULL, "DELETE FROM tool_login WHERE expires_at < $1", tas_int(logins_before));
    if (err == TAS_OK)
        err = tas_db_do(db, NULL, "DELETE FROM login_event WHERE at < $1", tas_int(events_before));
    return err;
}

int store_tool_login_add(struct tas_db *db, const struct store_tool_login *t) {
    return tas_db_do(
        db, NULL,
        "INSERT INTO tool_login (id, company_id, operator_id, device_pk, address, tool_version, created_at, "
        "expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
        tas_id_value(t->id), tas_int(t->company_id), tas_id_value(t->operator_id), tas_blob(t->device_pk, 32),
        tas_text(t->address), tas_text(t->tool_version), tas_int(t->created_at), tas_int(t->expires_at));
}

int store_tool_login_get(struct tas_db *db, uint64_t id, struct store_tool_login *t,
                         struct store_operator *op, struct store_company *company) {
    enum { LOGIN_WIDTH = 9 };
    struct tas_rows *rows = NULL;
    int err = tas_db_do(
        db, &rows,
        "SELECT tool_login.id, tool_login.operator_id, tool_login.company_id, tool_login.device_pk, "
        "tool_login.address, tool_login.tool_version, tool_login.created_at, tool_login.expires_at, "
        "tool_login.revoked_at, " OPERATOR_COLUMNS ", " COMPANY_COLUMNS
        " FROM tool_login JOIN operator ON operator.id = tool_login.operator_id "
        "JOIN company ON company.id = tool_login.company_id WHERE tool_login.id = $1",
        tas_id_value(id));
    err = store_need_row(err, &rows);
    if (err != TAS_OK)
        return err;
    *t = (struct store_tool_login){
        .id = (uint64_t)tas_rows_int(rows, 0, 0),
        .operator_id = (uint64_t)tas_rows_int(rows, 0, 1),
        .company_id = tas_rows_int(rows, 0, 2),
        .created_at = tas_rows_int(rows, 0, 6),
        .expires_at = tas_rows_int(rows, 0, 7),
        .is_revoked = !tas_rows_is_null(rows, 0, 8),
    };
    STORE_COPY_BLOB(rows, 0, 3, t->device_pk);
    STORE_COPY_TEXT(rows, 0, 4, t->address);
    STORE_COPY_TEXT(rows, 0, 5, t->tool_version);
    operator_of(rows, 0, LOGIN_WIDTH, op);
    company_of(rows, 0, LOGIN_WIDTH + OPERATOR_WIDTH, company);
    tas_rows_free(rows);
    return TAS_OK;
}

int store_tool_login_expired(struct tas_db *db, int64_t from, int64_t to, uint64_t **operators, size_t *n) {
    struct tas_rows *rows = NULL;
    int err = tas_db_do(
        db, &rows,
        "SELECT DISTINCT operator_id FROM tool_login WHERE expires_at > $1 AND expires_at <= $2 LIMIT 1000",
        tas_int(from), tas_int(to));
    return store_id_column(err, rows, operators, n);
}

int store_tool_login_has_good(struct tas_db *db, uint64_t operator_id, int64_t now_ms, bool *out) {
    struct tas_rows *rows = NULL;
    int err = tas_db_do(
        db, &rows,
        "SELECT 1 FROM tool_login WHERE operator_id = $1 AND revoked_at IS NULL AND expires_at > $2 LIMIT 1",
        tas_id_value(operator_id), tas_int(now_ms));
    if (err == TAS_OK)
        *out = tas_rows_len(rows) > 0;
    tas_rows_free(rows);
    return err;
}

int store_tool_login_revoke(struct tas_db *db, uint64_t id, int64_t at) {
    return tas_db_do(db, NULL, "UPDATE tool_login SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL",
                     tas_id_value(id), tas_int(at));
}

int store_tool_login_revoke_all(struct tas_db *db, uint64_t operator_id, int64_t company_id, int64_t at) {
    return tas_db_do(db, NULL,
                     "UPDATE tool_login SET revoked_at = $3 WHERE revoked_at IS NULL AND company_id = $2 AND "
                     "(operator_id = $1 OR CAST($1 AS BIGINT) = 0)",
                     tas_id_value(operator_id), tas_int(company_id), tas_int(at));
}
