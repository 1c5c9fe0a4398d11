#include "store/db_private.h"

#include "base/hex.h"
#include "base/time.h"
#include "base/wipe.h"
#include "store/dump_private.h"

#include <assert.h>
#include <inttypes.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    PARAMS_MAX = 64,   /* libpq 15 knows 43 */
    ANSWER_MS = 15000, /* beyond statement_timeout: then the server is not there any more */
    RECONNECT_MS = 250,
};

/* Types whose text is a number, as in pg_type.h. Others are kept as text. */
enum { OID_BOOL = 16, OID_BYTEA = 17, OID_INT8 = 20, OID_INT2 = 21, OID_INT4 = 23, OID_OID = 26 };

struct postgres {
    struct tas_db db;
    PGconn *conn; /* NULL: made at the next use */
    PQconninfoOption *given;
    char *options;
    const char *keywords[PARAMS_MAX], *values[PARAMS_MAX]; /* ends with NULL; point into given and options */
    struct store_cache cache;
    uintptr_t n_prepared; /* over this connection's life: names are never used twice */
    bool is_listening;
    bool is_unlimited; /* a migration may take as long as it takes */
    bool was_warned;
};

static struct postgres *of(struct tas_db *db) {
    return (struct postgres *)db;
}

static void drop(struct postgres *pg) {
    PQfinish(pg->conn);
    pg->conn = NULL;
    pg->is_listening = false;
    pg->n_prepared = 0;
    store_cache_clear(&pg->cache, NULL);
}

/* ---- errors ---- */

/* clang-format off */
static const struct {
    const char *state; /* how the SQLSTATE begins */
    int err;
    bool is_dropped;   /* the connection is good for nothing any more */
} sql_states[] = {
    {"23", TAS_E_STATE, false},
    {"53100", TAS_E_FULL, false},   /* disk full */
    {"53200", TAS_E_FULL, false},   /* out of memory */
    {"40001", TAS_E_MORE, false},   /* serialization */
    {"40P01", TAS_E_MORE, false},   /* deadlock */
    {"55P03", TAS_E_MORE, false},   /* lock_timeout */
    {"26000", TAS_E_MORE, true},    /* somebody threw our prepared statements away */
    {"57P", TAS_E_CLOSED, true},    /* shut down, crashed, starting */
    {"08P01", TAS_E_IO, false},     /* such as a wrong number of arguments */
    {"08", TAS_E_CLOSED, true},
    {"25006", TAS_E_CLOSED, true},  /* read-only: a former leader */
};
/* clang-format on */

static int lost(struct postgres *pg, const char *why) {
    store_fail(&pg->db, TAS_E_CLOSED, "%s", why);
    drop(pg);
    return TAS_E_CLOSED;
}

/* A migration has changed what a prepared statement gives: it has to be prepared anew. */
static bool is_stale_plan(const char *state, const char *message) {
    return strcmp(state, "0A000") == 0 && strstr(message, "cached plan");
}

/* The primary message only: its details quote the values. */
static int failed(struct postgres *pg, const PGresult *res) {
    const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
    if (!state || !message)
        return lost(pg, PQerrorMessage(pg->conn)); /* libpq's own words: the connection */
    store_fail(&pg->db, TAS_E_IO, "%s (SQLSTATE %s)", message, state);
    bool is_dropped = PQstatus(pg->conn) == CONNECTION_BAD;
    int err = is_dropped ? TAS_E_CLOSED : TAS_E_IO;
    for (size_t i = 0; i < sizeof(sql_states) / sizeof(sql_states[0]); i++)
        if (strncmp(state, sql_states[i].state, strlen(sql_states[i].state)) == 0) {
            err = sql_states[i].err;
            is_dropped = is_dropped || sql_states[i].is_dropped;
            break;
        }
    if (is_stale_plan(state, message)) {
        err = TAS_E_MORE;
        is_dropped = true;
    }
    if (is_dropped)
        drop(pg); /* res outlives it */
    return err;
}

/* ---- answers ---- */

/* Milliseconds left, for poll(). */
static int left_ms(uint64_t until_us) {
    uint64_t now_us = tas_mono_us();
    return now_us < until_us ? (int)((until_us - now_us + 999) / 1000) : 0;
}

/* Until a result can be taken without blocking. TAS_E_CLOSED. */
static int await(struct postgres *pg) {
    uint64_t until_us = tas_mono_us() + (uint64_t)ANSWER_MS * 1000;
    while (PQisBusy(pg->conn)) {
        struct pollfd watched = {.fd = PQsocket(pg->conn), .events = POLLIN};
        int n = poll(&watched, 1, pg->is_unlimited ? -1 : left_ms(until_us));
        if (n == 0)
            return lost(pg, "the server does not answer");
        if (n > 0 && !PQconsumeInput(pg->conn))
            return lost(pg, PQerrorMessage(pg->conn));
    }
    return TAS_OK;
}

static int take_bytea(struct tas_rows *rows, const char *text, size_t len) {
    if (len < 2 || text[0] != '\\' || text[1] != 'x')
        return TAS_E_IO;
    uint8_t *room = NULL;
    int err = store_rows_add_room(rows, (len - 2) / 2, &room);
    if (err == TAS_OK && tas_hex_decode(room, (len - 2) / 2, text + 2) != TAS_OK)
        err = TAS_E_IO;
    return err;
}

static int take_cell(struct tas_rows *rows, const PGresult *res, int column) {
    if (PQgetisnull(res, 0, column))
        return store_rows_add_null(rows);
    const char *text = PQgetvalue(res, 0, column);
    size_t len = (size_t)PQgetlength(res, 0, column);
    switch (PQftype(res, column)) {
    case OID_BOOL: /* 0 and 1, as SQLite has it */
        return store_rows_add_int(rows, text[0] == 't');
    case OID_INT8:
    case OID_INT4:
    case OID_INT2:
    case OID_OID:
        return store_rows_add_int(rows, strtoll(text, NULL, 10));
    case OID_BYTEA:
        return take_bytea(rows, text, len);
    default:
        return store_rows_add_bytes(rows, tas_bytes_of(text, len));
    }
}

static int take_row(struct tas_rows *rows, const PGresult *res) {
    int err = TAS_OK;
    for (int column = 0; err == TAS_OK && column < PQnfields(res); column++)
        err = take_cell(rows, res, column);
    return err;
}

/* "SELECT 5" counts rows too, but did not change them. */
static int64_t changes_of(PGresult *res) {
    const char *tag = PQcmdStatus(res);
    return strncmp(tag, "SELECT", 6) == 0 ? 0 : strtoll(PQcmdTuples(res), NULL, 10);
}

static int take_result(struct postgres *pg, PGresult *res, struct tas_rows **rows) {
    ExecStatusType status = PQresultStatus(res);
    if (status == PGRES_FATAL_ERROR)
        return failed(pg, res);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_SINGLE_TUPLE) {
        store_fail(&pg->db, TAS_E_IO, "not a statement of ours: %s", PQresStatus(status));
        drop(pg); /* it may be in the middle of a COPY */
        return TAS_E_IO;
    }
    pg->db.changes = changes_of(res);
    if (!rows)
        return TAS_OK;
    if (!*rows)
        *rows = store_rows_new((size_t)PQnfields(res));
    int err = *rows ? TAS_OK : TAS_E_NOMEM;
    if (err == TAS_OK && status == PGRES_SINGLE_TUPLE)
        err = take_row(*rows, res);
    if (err != TAS_OK)
        drop(pg); /* else all rows that are still on their way would have to be read */
    return err;
}

/* Takes everything that a statement answers. rows: NULL, or points to NULL and is owned by the caller in any
 * case. */
static int take_results(struct postgres *pg, struct tas_rows **rows) {
    int err = TAS_OK;
    while (pg->conn) {
        int lost_now = await(pg);
        if (lost_now != TAS_OK)
            return err == TAS_OK ? lost_now : err;
        PGresult *res = PQgetResult(pg->conn);
        if (!res)
            break;
        int now = take_result(pg, res, rows);
        err = err == TAS_OK ? now : err;
        PQclear(res);
    }
    return err;
}

/* Without memory of our own, so that a transaction can always be ended. */
static int simple(struct postgres *pg, const char *sql) {
    if (!PQsendQuery(pg->conn, sql))
        return lost(pg, PQerrorMessage(pg->conn));
    return take_results(pg, NULL);
}

/* ---- statements ---- */

/* Arguments as libpq wants them: texts end with a NUL, blobs are binary and point to the caller's. */
struct sent {
    const char **values;
    int *lengths, *formats;
};

static size_t text_size(const struct tas_value *v) {
    enum { INT_SIZE = 24 };
    return v->kind == TAS_VALUE_INT ? INT_SIZE : v->kind == TAS_VALUE_TEXT ? v->bytes.len + 1 : 0;
}

/* Writes argument i; `text` has text_size() bytes for it. */
static void put_argument(struct sent *sent, size_t i, const struct tas_value *v, char *text) {
    switch (v->kind) {
    case TAS_VALUE_INT:
        snprintf(text, text_size(v), "%" PRId64, v->number);
        sent->values[i] = text;
        break;
    case TAS_VALUE_TEXT:
        if (v->bytes.len > 0)
            memcpy(text, v->bytes.ptr, v->bytes.len);
        text[v->bytes.len] = '\0';
        sent->values[i] = text;
        break;
    case TAS_VALUE_BLOB:
        sent->values[i] = v->bytes.len > 0 ? (const char *)v->bytes.ptr : ""; /* NULL would be a NULL */
        sent->lengths[i] = (int)v->bytes.len;
        sent->formats[i] = 1;
        break;
    case TAS_VALUE_NULL:
        break;
    }
}

/* All in one piece of memory, sent->values is to be freed. TAS_E_LIMIT, TAS_E_NOMEM. */
static int make_arguments(struct sent *sent, const struct tas_value *args, size_t n) {
    size_t texts = 0;
    for (size_t i = 0; i < n; i++) {
        if (args[i].bytes.len > STORE_ROWS_BYTES_MAX)
            return TAS_E_LIMIT;
        texts += text_size(&args[i]);
    }
    sent->values = calloc(1, n * (sizeof(char *) + 2 * sizeof(int)) + texts + 1);
    if (!sent->values)
        return TAS_E_NOMEM;
    sent->lengths = (int *)(sent->values + n);
    sent->formats = sent->lengths + n;
    char *text = (char *)(sent->formats + n);
    for (size_t i = 0; i < n; i++) {
        put_argument(sent, i, &args[i], text);
        text += text_size(&args[i]);
    }
    return TAS_OK;
}

enum { NAME_CAP = 24 };

static const char *name_of(char out[NAME_CAP], uintptr_t number) {
    snprintf(out, NAME_CAP, "s%" PRIuPTR, number);
    return out;
}

/* The number of the prepared statement of this text. */
static int prepare(struct postgres *pg, const char *sql, uintptr_t *out) {
    *out = (uintptr_t)store_cache_get(&pg->cache, sql);
    if (*out)
        return TAS_OK;
    if (pg->cache.n == STORE_CACHE_MAX) {
        store_cache_clear(&pg->cache, NULL);
        int err = simple(pg, "DEALLOCATE ALL");
        if (err != TAS_OK)
            return err;
    }
    char name[NAME_CAP];
    uintptr_t number = ++pg->n_prepared;
    if (!PQsendPrepare(pg->conn, name_of(name, number), sql, 0, NULL))
        return lost(pg, PQerrorMessage(pg->conn));
    int err = take_results(pg, NULL);
    if (err == TAS_OK)
        err = store_cache_put(&pg->cache, sql, (void *)number);
    *out = number;
    return err;
}

static int send_statement(struct postgres *pg, uintptr_t number, const struct tas_value *args,
                          size_t n_args) {
    struct sent sent = {0};
    int err = make_arguments(&sent, args, n_args);
    if (err != TAS_OK)
        return err;
    char name[NAME_CAP];
    int is_sent = PQsendQueryPrepared(pg->conn, name_of(name, number), (int)n_args, sent.values, sent.lengths,
                                      sent.formats, 0);
    free(sent.values);
    if (!is_sent)
        return lost(pg, PQerrorMessage(pg->conn));
    if (!PQsetSingleRowMode(pg->conn))
        return lost(pg, "rows cannot be had one by one");
    return TAS_OK;
}

static int postgres_run(struct tas_db *db, const char *sql, const struct tas_value *args, size_t n_args,
                        struct tas_rows **out) {
    struct postgres *pg = of(db);
    uintptr_t number = 0;
    int err = prepare(pg, sql, &number);
    if (err == TAS_OK)
        err = send_statement(pg, number, args, n_args);
    struct tas_rows *rows = NULL;
    if (err == TAS_OK)
        err = take_results(pg, out ? &rows : NULL);
    if (err == TAS_OK && out)
        *out = rows;
    else
        tas_rows_free(rows);
    return err;
}

/* ---- transactions ---- */

/* What a lost try committed may be on this server and not yet on its standby. When the next try finds it
 * there, it has nothing to write, and a commit without writing would not wait for the standby: so it writes
 * something. */
static int postgres_begin(struct tas_db *db, bool after_unknown) {
    struct postgres *pg = of(db);
    int err = simple(pg, "BEGIN ISOLATION LEVEL READ COMMITTED");
    if (err == TAS_OK && after_unknown)
        err = simple(pg, "SELECT pg_logical_emit_message(true, 'tasuki', 'tried again')");
    return err;
}

/* A warning here says that the commit did not wait for the standby: then it counts as lost. */
static int postgres_commit(struct tas_db *db) {
    struct postgres *pg = of(db);
    pg->was_warned = false;
    int err = simple(pg, "COMMIT");
    pg->is_unlimited = false;
    return err == TAS_OK && pg->was_warned ? lost(pg, "the server warned while committing") : err;
}

static void postgres_rollback(struct tas_db *db) {
    struct postgres *pg = of(db);
    pg->is_unlimited = false;
    PGTransactionStatusType status = pg->conn ? PQtransactionStatus(pg->conn) : PQTRANS_IDLE;
    if (status == PQTRANS_IDLE)
        return;
    char why[TAS_DB_WHY];
    memcpy(why, db->why, sizeof(why));
    bool is_over =
        (status == PQTRANS_INTRANS || status == PQTRANS_INERROR) && simple(pg, "ROLLBACK") == TAS_OK;
    if (!is_over && pg->conn)
        drop(pg);
    memcpy(db->why, why, sizeof(why));
}

/* One program at a time holds the lock. Waiting for it may take as long as the other's steps; waiting for a
 * table that is in use may not, for everybody else queues up behind. */
static int postgres_begin_migration(struct tas_db *db) {
    static const char *const words[] = {
        "SET LOCAL statement_timeout = 0",
        "SET LOCAL lock_timeout = 0",
        "SELECT pg_advisory_xact_lock(127961897724777)", /* "tasuki" */
        "SET LOCAL lock_timeout = '5s'",
    };
    of(db)->is_unlimited = true;
    int err = TAS_OK;
    for (size_t i = 0; err == TAS_OK && i < sizeof(words) / sizeof(words[0]); i++)
        err = tas_db_run(db, words[i], NULL, 0, NULL);
    return err;
}

/* ---- life ---- */

static void on_notice(void *ctx, const PGresult *res) {
    const char *severity = PQresultErrorField(res, PG_DIAG_SEVERITY_NONLOCALIZED);
    if (severity && strcmp(severity, "WARNING") == 0)
        ((struct postgres *)ctx)->was_warned = true;
}

static int postgres_connect(struct tas_db *db) {
    struct postgres *pg = of(db);
    if (pg->conn && PQstatus(pg->conn) == CONNECTION_OK)
        return TAS_OK;
    drop(pg);
    pg->conn = PQconnectdbParams(pg->keywords, pg->values, 0);
    if (PQstatus(pg->conn) != CONNECTION_OK)
        return lost(pg, pg->conn ? PQerrorMessage(pg->conn) : "out of memory");
    PQsetNoticeReceiver(pg->conn, on_notice, pg);
    return TAS_OK;
}

static void wipe_passwords(PQconninfoOption *given) {
    for (PQconninfoOption *o = given; o && o->keyword; o++)
        if (o->val && strstr(o->keyword, "password"))
            tas_wipe(o->val, strlen(o->val));
}

static void postgres_close(struct tas_db *db) {
    struct postgres *pg = of(db);
    drop(pg);
    wipe_passwords(pg->given);
    PQconninfoFree(pg->given);
    free(pg->options);
    free(pg);
}

static const char *given_value(const struct postgres *pg, const char *keyword) {
    for (const PQconninfoOption *o = pg->given; o->keyword; o++)
        if (strcmp(o->keyword, keyword) == 0)
            return o->val;
    return NULL;
}

static void add_param(struct postgres *pg, size_t *n, const char *keyword, const char *value) {
    assert(*n + 1 < PARAMS_MAX);
    pg->keywords[*n] = keyword;
    pg->values[(*n)++] = value;
}

/* The session's settings; what is given in the address comes later and wins. */
static int make_options(struct postgres *pg) {
    static const char ours[] =
        "-c synchronous_commit=on -c statement_timeout=10s -c lock_timeout=5s "
        "-c idle_in_transaction_session_timeout=15s -c bytea_output=hex -c client_min_messages=warning";
    const char *given = given_value(pg, "options");
    size_t cap = sizeof(ours) + (given ? strlen(given) + 1 : 0);
    pg->options = malloc(cap);
    if (!pg->options)
        return TAS_E_NOMEM;
    snprintf(pg->options, cap, "%s%s%s", ours, given ? " " : "", given ? given : "");
    return TAS_OK;
}

/* keepalives: tcp_user_timeout alone does not notice a server that vanishes while its answer is awaited. */
static int make_params(struct postgres *pg) {
    static const char *const defaults[][2] = {
        {"connect_timeout", "2"},
        {"tcp_user_timeout", "3000"},
        {"keepalives_idle", "2"},
        {"keepalives_interval", "1"},
        {"keepalives_count", "3"},
        {"application_name", "tasuki"},
        {"target_session_attrs", "read-write"},
    };
    int err = make_options(pg);
    if (err != TAS_OK)
        return err;
    size_t n = 0;
    for (const PQconninfoOption *o = pg->given; o->keyword; o++)
        if (o->val && strcmp(o->keyword, "options") != 0 && strcmp(o->keyword, "client_encoding") != 0)
            add_param(pg, &n, o->keyword, o->val);
    for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++)
        if (!given_value(pg, defaults[i][0]))
            add_param(pg, &n, defaults[i][0], defaults[i][1]);
    add_param(pg, &n, "client_encoding", "UTF8");
    add_param(pg, &n, "options", pg->options);
    return TAS_OK;
}

static const struct store_driver postgres_driver;

struct tas_db *store_postgres_open(const char *url, char why[TAS_DB_WHY]) {
    struct postgres *pg = calloc(1, sizeof(*pg));
    const char *problem = "out of memory";
    if (!pg)
        goto fail;
    pg->db.driver = &postgres_driver;
    pg->given = PQconninfoParse(url, NULL); /* its own message could quote a password */
    if (!pg->given) {
        problem = "not an address of a database: sqlite:PATH, postgresql://USER@HOST/DATABASE "
                  "or host=HOST,HOST dbname=DATABASE user=USER";
        goto fail;
    }
    if (make_params(pg) != TAS_OK)
        goto fail;
    if (postgres_connect(&pg->db) == TAS_OK)
        return &pg->db;
    problem = pg->db.why;
fail:
    snprintf(why, TAS_DB_WHY, "%s", problem);
    if (pg)
        postgres_close(&pg->db);
    return NULL;
}

/* ---- notices ---- */

/* Sleeps until one of the descriptors is readable. True: `fd` is. */
static bool wait_for(int socket, int fd, int timeout_ms) {
    struct pollfd watched[] = {{.fd = socket, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
    return poll(watched, 2, timeout_ms) > 0 && watched[1].revents;
}

/* Forgets the notices that have come. False: none had. */
static bool take_notices(struct postgres *pg) {
    if (!PQconsumeInput(pg->conn)) {
        lost(pg, PQerrorMessage(pg->conn));
        return false;
    }
    bool has_come = false;
    for (PGnotify *notice; (notice = PQnotifies(pg->conn)); has_come = true)
        PQfreemem(notice);
    return has_come;
}

/* Makes sure that notices come. `is_new`: they did not before, so some may have been missed. */
static int listen_once(struct postgres *pg, bool *is_new) {
    int err = postgres_connect(&pg->db);
    if (err == TAS_OK && !pg->is_listening) {
        err = simple(pg, "LISTEN tasuki");
        *is_new = pg->is_listening = err == TAS_OK;
    }
    return err;
}

static void postgres_wait(struct tas_db *db, int timeout_ms, int fd) {
    struct postgres *pg = of(db);
    uint64_t until_us = tas_mono_us() + (uint64_t)timeout_ms * 1000;
    do {
        bool is_new = false;
        int err = listen_once(pg, &is_new);
        if (is_new || (err == TAS_OK && take_notices(pg)))
            return;
        int wait_ms = left_ms(until_us);
        if (!pg->conn)
            wait_ms = wait_ms < RECONNECT_MS ? wait_ms : RECONNECT_MS;
        if (wait_for(pg->conn ? PQsocket(pg->conn) : -1, fd, wait_ms))
            return;
    } while (tas_mono_us() < until_us);
}

static int postgres_notify(struct tas_db *db) {
    return tas_db_run(db, "SELECT pg_notify('tasuki', '')", NULL, 0, NULL);
}

/* ---- check and backup ---- */

static int postgres_check(struct tas_db *db) {
    (void)db; /* the schema is compared for both kinds; pages have checksums of their own */
    return TAS_OK;
}

/* key='value' of all that was given, quoted as libpq wants it, but for passwords. */
static void put_conninfo(const struct postgres *pg, FILE *to) {
    for (size_t i = 0; pg->keywords[i]; i++) {
        bool is_ours = strcmp(pg->keywords[i], "options") == 0;
        const char *value = is_ours ? given_value(pg, "options") : pg->values[i];
        if (!value || strstr(pg->keywords[i], "password"))
            continue;
        fprintf(to, "%s='", pg->keywords[i]);
        for (; *value; value++)
            fprintf(to, *value == '\'' || *value == '\\' ? "\\%c" : "%c", *value);
        fputs("' ", to);
    }
}

static int postgres_backup(struct tas_db *db, const char *path) {
    struct postgres *pg = of(db);
    char *conninfo = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&conninfo, &len);
    if (!to)
        return store_fail(db, TAS_E_IO, "out of memory");
    put_conninfo(pg, to);
    bool is_whole = !ferror(to);
    is_whole = fclose(to) == 0 && is_whole;
    int err = is_whole ? store_dump(db, conninfo, given_value(pg, "password"), path)
                       : store_fail(db, TAS_E_IO, "out of memory");
    free(conninfo);
    return err;
}

static const struct store_driver postgres_driver = {
    .is_postgres = true,
    .close = postgres_close,
    .connect = postgres_connect,
    .run = postgres_run,
    .begin = postgres_begin,
    .commit = postgres_commit,
    .rollback = postgres_rollback,
    .wait = postgres_wait,
    .notify = postgres_notify,
    .begin_migration = postgres_begin_migration,
    .check = postgres_check,
    .backup = postgres_backup,
    .has_version_sql = "SELECT count(*) FROM pg_class WHERE oid = to_regclass('schema_version')",
    .columns_sql = "SELECT lower(c.relname) COLLATE \"C\", lower(a.attname) COLLATE \"C\" "
                   "FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
                   "WHERE c.relkind IN ('r', 'p') AND pg_table_is_visible(c.oid) AND a.attnum > 0 "
                   "AND NOT a.attisdropped AND c.relnamespace <> 'pg_catalog'::regnamespace ORDER BY 1, 2",
    .indexes_sql =
        "SELECT lower(c.relname) COLLATE \"C\", lower(i.relname) COLLATE \"C\" "
        "FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid "
        "WHERE x.indisvalid AND pg_table_is_visible(c.oid) "
        "AND c.relnamespace <> 'pg_catalog'::regnamespace ORDER BY 1, 2",
};
