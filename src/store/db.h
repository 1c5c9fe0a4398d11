/* One connection to a database, SQLite or PostgreSQL, behind one interface: the same SQL text runs on both
 * ($1..$n, CAST, RETURNING, ON CONFLICT, row values). Calls block: they belong on worker threads. A
 * connection belongs to one thread at a time. */
#pragma once

#include "base/bytes.h"
#include "base/err.h"

struct tas_db;
struct tas_rows;

enum { TAS_DB_WHY = 512 };

enum tas_value_kind { TAS_VALUE_NULL, TAS_VALUE_INT, TAS_VALUE_TEXT, TAS_VALUE_BLOB };

/* An argument; what it points to is borrowed for the call. */
struct tas_value {
    enum tas_value_kind kind;
    int64_t number;
    struct tas_bytes bytes; /* TEXT: UTF-8 without NUL; BLOB */
};

static inline struct tas_value tas_int(int64_t v) {
    return (struct tas_value){.kind = TAS_VALUE_INT, .number = v};
}
static inline struct tas_value tas_id_value(uint64_t id) {
    return tas_int((int64_t)id); /* ids have their top bit clear until 2094 */
}
static inline struct tas_value tas_text(const char *s) {
    if (!s)
        return (struct tas_value){.kind = TAS_VALUE_NULL};
    return (struct tas_value){.kind = TAS_VALUE_TEXT, .bytes = tas_bytes_of(s, strlen(s))};
}
static inline struct tas_value tas_blob(const void *ptr, size_t len) {
    return (struct tas_value){.kind = TAS_VALUE_BLOB, .bytes = tas_bytes_of(ptr, len)};
}
static inline struct tas_value tas_null(void) {
    return (struct tas_value){.kind = TAS_VALUE_NULL};
}

/* Opens "sqlite:/var/lib/tasuki-manager/tasuki.db" (WAL, synchronous=FULL, foreign keys, busy timeout 5 s;
 * made when absent, 0600) or what libpq understands ("postgresql://..." or "host=a,b,c ..."; connect_timeout,
 * tcp_user_timeout and target_session_attrs=read-write get sane defaults when not given). NULL: `why`.
 * A PostgreSQL that cannot be reached now is an error here too. */
struct tas_db *tas_db_open(const char *url, char why[TAS_DB_WHY]);
void tas_db_close(struct tas_db *db); /* NULL is fine */

bool tas_db_is_postgres(const struct tas_db *db);

/* The last error in the library's words, for logs. Borrowed until the next call. */
const char *tas_db_why(const struct tas_db *db);

/* Runs one statement, prepared once per connection and text (`sql` must live as long as db: a literal).
 *   TAS_OK
 *   TAS_E_STATE    a constraint was hurt (unique, foreign key, check)
 *   TAS_E_FULL     disk full, or the database refuses to grow; nothing was stored
 *   TAS_E_MORE     another transaction was in the way (busy, deadlock, serialization): the whole transaction
 *                  may be tried again
 *   TAS_E_CLOSED   the connection was lost; whether the transaction was committed is unknown
 *   TAS_E_IO       everything else (tas_db_why())
 * After an error inside a transaction only tas_db_rollback() is allowed; tas_db_transaction() does that.
 * `rows` may be NULL when no rows are wanted. At most 10,000 rows of together 32 MiB, else TAS_E_LIMIT. */
TAS_MUST_USE int tas_db_run(struct tas_db *db, const char *sql, const struct tas_value *args, size_t n_args,
                            struct tas_rows **rows);

/* The same with arguments in line: tas_db_do(db, NULL, "UPDATE ...", tas_int(1), tas_text("x")). */
#define tas_db_do(db, rows, sql, ...)                                                                        \
    tas_db_run((db), (sql), (const struct tas_value[]){__VA_ARGS__},                                         \
               sizeof((const struct tas_value[]){__VA_ARGS__}) / sizeof(struct tas_value), (rows))

/* Rows that an INSERT, UPDATE or DELETE changed in the last tas_db_run(). */
int64_t tas_db_changes(const struct tas_db *db);

/* What came: read with these, then free. Column 0 is the first. A NULL column reads as 0, "" and empty. */
size_t tas_rows_len(const struct tas_rows *rows);
int64_t tas_rows_int(const struct tas_rows *rows, size_t row, size_t column);
const char *tas_rows_text(const struct tas_rows *rows, size_t row, size_t column);
struct tas_bytes tas_rows_blob(const struct tas_rows *rows, size_t row, size_t column);
bool tas_rows_is_null(const struct tas_rows *rows, size_t row, size_t column);
void tas_rows_free(struct tas_rows *rows); /* NULL is fine */

/* Runs fn in a transaction (SQLite: BEGIN IMMEDIATE; PostgreSQL: READ COMMITTED) and commits when it returns
 * TAS_OK; anything else rolls back and is returned. TAS_E_MORE and TAS_E_CLOSED are tried again, after a
 * reconnection where needed, for up to 10 s in all: fn must give the same ids each time and must begin by
 * looking whether they are there already. Afterwards TAS_E_CLOSED means: the database cannot be reached, and
 * whether the last try was committed is unknown. Not to be nested. */
TAS_MUST_USE int tas_db_transaction(struct tas_db *db, int (*fn)(struct tas_db *db, void *ctx), void *ctx);

/* A reading outside of a transaction, tried again after a reconnection like tas_db_transaction(). */
TAS_MUST_USE int tas_db_read(struct tas_db *db, int (*fn)(struct tas_db *db, void *ctx), void *ctx);

/* ---- notices between management servers (PostgreSQL: LISTEN/NOTIFY; SQLite: nothing to wait for) ---- */

/* Waits until somebody ran tas_db_notify() (also on another machine), or the connection was made anew, or
 * timeout_ms is over. Only hints: after each return read the state. SQLite: sleeps timeout_ms. `fd` (>= 0)
 * becoming readable ends the wait too. */
void tas_db_wait(struct tas_db *db, int timeout_ms, int fd);

/* Inside a transaction: wakes those who wait, at commit. SQLite: nothing. */
TAS_MUST_USE int tas_db_notify(struct tas_db *db);

/* ---- schema (src/store/migrations/NNNN-*.sql, embedded at build) ---- */

/* The newest version this program knows; what the database has (0: empty). TAS_E_*: as tas_db_run(). */
int64_t tas_db_schema_known(void);
TAS_MUST_USE int tas_db_schema_version(struct tas_db *db, int64_t *out);

/* Brings the database to the known version, each step in one transaction, safe against two doing it at once.
 * TAS_E_CONFIG: the database is newer than this program; `why` says so. */
TAS_MUST_USE int tas_db_migrate(struct tas_db *db, char why[TAS_DB_WHY]);

/* Looks the whole database over (SQLite: integrity_check and foreign_key_check; PostgreSQL: that all tables
 * and columns of the schema are there). TAS_E_PROTO: damaged, `why`. */
TAS_MUST_USE int tas_db_check(struct tas_db *db, char why[TAS_DB_WHY]);

/* A copy of a running database in a new file (SQLite: VACUUM INTO; PostgreSQL: pg_dump -Fc). TAS_E_IO: `why`;
 * a half-written file is taken away. Refuses to overwrite. */
TAS_MUST_USE int tas_db_backup(struct tas_db *db, const char *path, char why[TAS_DB_WHY]);
