#include "store/db_private.h"

#include "base/time.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

enum { BUSY_MS = 5000, BUSY_PAUSE_US = 100, BUSY_DOUBLINGS = 4 };

struct sqlite {
    struct tas_db db;
    sqlite3 *handle; /* NULL: opened at the next use */
    char *path;
    bool is_scratch;
    uint64_t busy_since_us;
    struct store_cache cache;
};

static struct sqlite *of(struct tas_db *db) {
    return (struct sqlite *)db;
}

/* ---- errors ---- */

static bool is_disk_full(int code, int system_errno) {
    bool is_io = (code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN;
    return (code & 0xff) == SQLITE_FULL || (is_io && (system_errno == ENOSPC || system_errno == EDQUOT));
}

static int error_of(int code, int system_errno) {
    if (is_disk_full(code, system_errno))
        return TAS_E_FULL;
    switch (code & 0xff) {
    case SQLITE_CONSTRAINT:
        return TAS_E_STATE;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL: /* the race for the WAL's locks was lost too often */
        return TAS_E_MORE;
    case SQLITE_NOMEM:
        return TAS_E_NOMEM;
    case SQLITE_TOOBIG:
        return TAS_E_LIMIT;
    default:
        return TAS_E_IO;
    }
}

/* What the last call on the handle failed of, in db->why. */
static int failed(struct sqlite *s) {
    int code = sqlite3_extended_errcode(s->handle);
    int system_errno = sqlite3_system_errno(s->handle);
    bool is_io = (code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN;
    return store_fail(&s->db, error_of(code, system_errno), "%s (SQLite error %d)%s%s",
                      sqlite3_errmsg(s->handle), code, is_io && system_errno ? ": " : "",
                      is_io && system_errno ? strerror(system_errno) : "");
}

/* ---- opening ---- */

/* Others hold the database: wait a little, by chance as long as others wait, for BUSY_MS in all. */
static int on_busy(void *ctx, int count) {
    struct sqlite *s = ctx;
    uint64_t now_us = tas_mono_us();
    if (count == 0)
        s->busy_since_us = now_us;
    if (now_us - s->busy_since_us > (uint64_t)BUSY_MS * 1000)
        return 0;
    store_pause((uint32_t)BUSY_PAUSE_US << (count < BUSY_DOUBLINGS ? count : BUSY_DOUBLINGS));
    return 1;
}

static void release(void *statement) {
    sqlite3_finalize(statement);
}

static void drop(struct sqlite *s) {
    store_cache_clear(&s->cache, release);
    sqlite3_close(s->handle); /* rolls back what is open */
    s->handle = NULL;
}

/* SQLite does not call on_busy() where waiting could end in a deadlock, as when two open a new file at once.
 */
static int use_wal(struct sqlite *s) {
    uint64_t began_us = tas_mono_us();
    for (;;) {
        int code = sqlite3_exec(s->handle, "PRAGMA journal_mode=WAL", NULL, NULL, NULL);
        if ((code & 0xff) != SQLITE_BUSY || tas_mono_us() - began_us > (uint64_t)BUSY_MS * 1000)
            return code == SQLITE_OK ? TAS_OK : failed(s);
        store_pause(BUSY_PAUSE_US);
    }
}

static int settle(struct sqlite *s) {
    static const char settings[] =
        "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF;"
        "PRAGMA cell_size_check=ON; PRAGMA journal_size_limit=67108864;";
    sqlite3_extended_result_codes(s->handle, 1);
    sqlite3_busy_handler(s->handle, on_busy, s);
    if (sqlite3_db_config(s->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL) != SQLITE_OK ||
        sqlite3_db_config(s->handle, SQLITE_DBCONFIG_DQS_DML, 0, NULL) != SQLITE_OK ||
        sqlite3_db_config(s->handle, SQLITE_DBCONFIG_DQS_DDL, 0, NULL) != SQLITE_OK)
        return failed(s);
    int err = s->is_scratch ? TAS_OK : use_wal(s);
    if (err == TAS_OK && sqlite3_exec(s->handle, settings, NULL, NULL, NULL) != SQLITE_OK)
        err = failed(s);
    return err;
}

/* *lost_race: another one that opened the new file at the same time has deleted its journal first, and SQLite
 * takes that for a fault of the disk. */
static int open_handle(struct sqlite *s, bool *lost_race) {
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (s->is_scratch ? SQLITE_OPEN_MEMORY : 0);
    int err = TAS_E_NOMEM;
    *lost_race = false;
    if (sqlite3_open_v2(s->path, &s->handle, flags, NULL) == SQLITE_OK)
        err = settle(s);
    else if (s->handle)
        err = failed(s);
    if (err == TAS_OK)
        return TAS_OK;
    *lost_race = s->handle && sqlite3_extended_errcode(s->handle) == SQLITE_IOERR_DELETE_NOENT;
    drop(s);
    return err;
}

static int sqlite_connect(struct tas_db *db) {
    struct sqlite *s = of(db);
    if (s->handle)
        return TAS_OK;
    if (!s->is_scratch && store_make_file(s->path) == TAS_E_IO)
        return store_fail(db, errno == ENOSPC || errno == EDQUOT ? TAS_E_FULL : TAS_E_IO, "%s: %s", s->path,
                          strerror(errno));
    uint64_t began_us = tas_mono_us();
    bool lost_race;
    int err;
    do {
        err = open_handle(s, &lost_race);
        if (lost_race)
            store_pause(BUSY_PAUSE_US);
    } while (lost_race && tas_mono_us() - began_us < (uint64_t)BUSY_MS * 1000);
    return err;
}

static void sqlite_close(struct tas_db *db) {
    struct sqlite *s = of(db);
    drop(s);
    free(s->path);
    free(s);
}

static const struct store_driver sqlite_driver;

static struct tas_db *open_path(const char *path, bool is_scratch, char why[TAS_DB_WHY]) {
    struct sqlite *s = calloc(1, sizeof(*s));
    if (!s)
        goto fail;
    s->db.driver = &sqlite_driver;
    s->is_scratch = is_scratch;
    s->path = strdup(path);
    if (!s->path)
        goto fail;
    if (sqlite_connect(&s->db) == TAS_OK)
        return &s->db;
fail:
    snprintf(why, TAS_DB_WHY, "%s", s && s->db.why[0] ? s->db.why : "out of memory");
    if (s)
        sqlite_close(&s->db);
    return NULL;
}

struct tas_db *store_sqlite_open(const char *path, char why[TAS_DB_WHY]) {
    if (path[0] != '\0' && path[0] != ':')
        return open_path(path, false, why);
    snprintf(why, TAS_DB_WHY, "sqlite: needs the path of a file");
    return NULL;
}

struct tas_db *store_sqlite_open_scratch(char why[TAS_DB_WHY]) {
    return open_path(":memory:", true, why);
}

/* ---- statements ---- */

static int prepare(struct sqlite *s, const char *sql, sqlite3_stmt **out) {
    *out = store_cache_get(&s->cache, sql);
    if (*out)
        return TAS_OK;
    const char *rest = NULL;
    if (sqlite3_prepare_v3(s->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, out, &rest) != SQLITE_OK)
        return failed(s);
    if (!*out || rest[strspn(rest, " \n;")] != '\0') {
        sqlite3_finalize(*out);
        return store_fail(&s->db, TAS_E_IO, "not one statement: %s", sql);
    }
    if (s->cache.n == STORE_CACHE_MAX)
        store_cache_clear(&s->cache, release);
    int err = store_cache_put(&s->cache, sql, *out);
    if (err != TAS_OK)
        sqlite3_finalize(*out);
    return err;
}

/* $1 and $12 are names to SQLite: ask for the place of each. */
static int bind_one(sqlite3_stmt *stmt, size_t number, const struct tas_value *v) {
    char name[24];
    snprintf(name, sizeof(name), "$%zu", number);
    int at = sqlite3_bind_parameter_index(stmt, name);
    const void *bytes = v->bytes.len > 0 ? (const void *)v->bytes.ptr : ""; /* NULL would bind a NULL */
    switch (v->kind) {
    case TAS_VALUE_INT:
        return sqlite3_bind_int64(stmt, at, v->number);
    case TAS_VALUE_TEXT:
        return sqlite3_bind_text64(stmt, at, bytes, v->bytes.len, SQLITE_STATIC, SQLITE_UTF8);
    case TAS_VALUE_BLOB:
        return sqlite3_bind_blob64(stmt, at, bytes, v->bytes.len, SQLITE_STATIC);
    case TAS_VALUE_NULL:
        break;
    }
    return sqlite3_bind_null(stmt, at);
}

static int bind_all(struct sqlite *s, sqlite3_stmt *stmt, const struct tas_value *args, size_t n_args) {
    if ((size_t)sqlite3_bind_parameter_count(stmt) != n_args)
        return store_fail(&s->db, TAS_E_IO, "the statement takes %d arguments, not %zu: %s",
                          sqlite3_bind_parameter_count(stmt), n_args, sqlite3_sql(stmt));
    for (size_t i = 0; i < n_args; i++)
        if (bind_one(stmt, i + 1, &args[i]) != SQLITE_OK)
            return failed(s);
    return TAS_OK;
}

static int take_cell(struct tas_rows *rows, sqlite3_stmt *stmt, int column) {
    int type = sqlite3_column_type(stmt, column);
    if (type == SQLITE_NULL)
        return store_rows_add_null(rows);
    if (type == SQLITE_INTEGER)
        return store_rows_add_int(rows, sqlite3_column_int64(stmt, column));
    const void *bytes = type == SQLITE_BLOB ? sqlite3_column_blob(stmt, column)
                                            : (const void *)sqlite3_column_text(stmt, column);
    int len = sqlite3_column_bytes(stmt, column);
    if (!bytes && (type != SQLITE_BLOB || len > 0))
        return TAS_E_NOMEM;
    return store_rows_add_bytes(rows, tas_bytes_of(bytes, (size_t)len));
}

static int take_row(struct tas_rows *rows, sqlite3_stmt *stmt) {
    int err = TAS_OK;
    for (int column = 0; err == TAS_OK && column < sqlite3_column_count(stmt); column++)
        err = take_cell(rows, stmt, column);
    return err;
}

/* Steps to the end. rows: NULL when nobody wants them. */
static int step_all(struct sqlite *s, sqlite3_stmt *stmt, struct tas_rows *rows) {
    int64_t before = sqlite3_total_changes64(s->handle);
    int err = TAS_OK, code;
    while (err == TAS_OK && (code = sqlite3_step(stmt)) != SQLITE_DONE) {
        if (code != SQLITE_ROW)
            err = failed(s);
        else if (rows)
            err = take_row(rows, stmt);
    }
    /* sqlite3_changes() still tells of the statement before when this one changes nothing by its nature */
    if (err == TAS_OK && sqlite3_total_changes64(s->handle) != before)
        s->db.changes = sqlite3_changes64(s->handle);
    return err;
}

static int sqlite_run(struct tas_db *db, const char *sql, const struct tas_value *args, size_t n_args,
                      struct tas_rows **out) {
    struct sqlite *s = of(db);
    sqlite3_stmt *stmt = NULL;
    int err = prepare(s, sql, &stmt);
    if (err != TAS_OK)
        return err;
    struct tas_rows *rows = out ? store_rows_new((size_t)sqlite3_column_count(stmt)) : NULL;
    err = out && !rows ? TAS_E_NOMEM : bind_all(s, stmt, args, n_args);
    if (err == TAS_OK)
        err = step_all(s, stmt, rows);
    sqlite3_reset(stmt);
    sqlite3_clear_bindings(stmt);
    if (err == TAS_OK && out)
        *out = rows;
    else
        tas_rows_free(rows);
    return err;
}

/* ---- transactions: without allocations of our own, so that ending one cannot fail of them ---- */

static int sqlite_begin(struct tas_db *db, bool after_unknown) {
    (void)after_unknown; /* a commit is never in doubt here */
    struct sqlite *s = of(db);
    return sqlite3_exec(s->handle, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK ? TAS_OK : failed(s);
}

static int sqlite_commit(struct tas_db *db) {
    struct sqlite *s = of(db);
    return sqlite3_exec(s->handle, "COMMIT", NULL, NULL, NULL) == SQLITE_OK ? TAS_OK : failed(s);
}

static void sqlite_rollback(struct tas_db *db) {
    struct sqlite *s = of(db);
    if (sqlite3_get_autocommit(s->handle))
        return; /* it ended by itself, as after some I/O errors */
    if (sqlite3_exec(s->handle, "ROLLBACK", NULL, NULL, NULL) != SQLITE_OK &&
        !sqlite3_get_autocommit(s->handle))
        drop(s);
}

static int sqlite_begin_migration(struct tas_db *db) {
    (void)db; /* BEGIN IMMEDIATE lets only one in */
    return TAS_OK;
}

/* ---- notices ---- */

static void sqlite_wait(struct tas_db *db, int timeout_ms, int fd) {
    (void)db;
    uint64_t until_us = tas_mono_us() + (uint64_t)timeout_ms * 1000;
    struct pollfd watched = {.fd = fd, .events = POLLIN}; /* poll() passes over negative descriptors */
    for (uint64_t now_us; (now_us = tas_mono_us()) < until_us;)
        if (poll(&watched, 1, (int)((until_us - now_us + 999) / 1000)) > 0)
            return;
}

static int sqlite_notify(struct tas_db *db) {
    (void)db;
    return TAS_OK;
}

/* ---- check and backup ---- */

static int damaged_if(struct tas_db *db, bool is_damaged, const char *words, const char *detail) {
    return is_damaged ? store_fail(db, TAS_E_PROTO, "%s%s", words, detail) : TAS_OK;
}

static int sqlite_check(struct tas_db *db) {
    struct tas_rows *rows = NULL;
    int err = tas_db_run(db, "PRAGMA integrity_check(1)", NULL, 0, &rows);
    if (err == TAS_OK) {
        const char *said = tas_rows_len(rows) > 0 ? tas_rows_text(rows, 0, 0) : "no answer";
        err = damaged_if(db, strcmp(said, "ok") != 0, "integrity_check: ", said);
    }
    tas_rows_free(rows);
    rows = NULL;
    if (err == TAS_OK)
        err = tas_db_run(db, "SELECT \"table\" FROM pragma_foreign_key_check LIMIT 1", NULL, 0, &rows);
    if (err == TAS_OK && tas_rows_len(rows) > 0)
        err = damaged_if(db, true, "rows point to others that are not there: table ",
                         tas_rows_text(rows, 0, 0));
    tas_rows_free(rows);
    int code = of(db)->handle ? sqlite3_errcode(of(db)->handle) & 0xff : SQLITE_OK;
    bool is_corrupt = err == TAS_E_IO && (code == SQLITE_CORRUPT || code == SQLITE_NOTADB);
    return is_corrupt ? TAS_E_PROTO : err;
}

static int sqlite_backup(struct tas_db *db, const char *path) {
    struct tas_value arg = tas_text(path);
    return tas_db_run(db, "VACUUM INTO $1", &arg, 1, NULL);
}

static const struct store_driver sqlite_driver = {
    .is_postgres = false,
    .close = sqlite_close,
    .connect = sqlite_connect,
    .run = sqlite_run,
    .begin = sqlite_begin,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
    .wait = sqlite_wait,
    .notify = sqlite_notify,
    .begin_migration = sqlite_begin_migration,
    .check = sqlite_check,
    .backup = sqlite_backup,
    .has_version_sql = "SELECT count(*) FROM sqlite_schema WHERE type='table' AND name='schema_version'",
    .columns_sql = "SELECT lower(t.name), lower(c.name) FROM sqlite_schema t, pragma_table_info(t.name) c "
                   "WHERE t.type='table' AND t.name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY 1, 2",
    .indexes_sql = "SELECT lower(tbl_name), lower(name) FROM sqlite_schema "
                   "WHERE type='index' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY 1, 2",
};
