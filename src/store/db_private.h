/* What the files of this folder share: a connection's common part, the table of functions that SQLite and
 * PostgreSQL fill, the making of rows, and the cache of prepared statements. */
#pragma once

#include "store/db.h"

/* ---- drivers ---- */

/* Errors as for tas_db_run(), the words left in db->why. */
struct store_driver {
    bool is_postgres;
    void (*close)(struct tas_db *db);

    /* Makes the connection anew when it was lost; else TAS_OK at once. TAS_E_CLOSED: cannot be reached now.
     */
    int (*connect)(struct tas_db *db);

    /* A connection is there. `rows` may be NULL; it is written on success only. */
    int (*run)(struct tas_db *db, const char *sql, const struct tas_value *args, size_t n_args,
               struct tas_rows **rows);

    /* after_unknown: an earlier try may have been committed (store_transaction()). */
    int (*begin)(struct tas_db *db, bool after_unknown);
    int (*commit)(struct tas_db *db);
    void (*rollback)(struct tas_db *db); /* always leaves the connection usable, or dropped; keeps db->why */

    void (*wait)(struct tas_db *db, int timeout_ms, int fd);
    int (*notify)(struct tas_db *db);

    /* In a transaction: waits until no other program changes the schema, and lifts the limits of time. */
    int (*begin_migration)(struct tas_db *db);

    /* What only this kind of database can look at. TAS_E_PROTO: damaged, in db->why. */
    int (*check)(struct tas_db *db);
    int (*backup)(struct tas_db *db, const char *path); /* the file is not there yet; TAS_E_IO */

    /* Questions whose words differ. */
    const char *has_version_sql; /* one row: is there a table schema_version? */
    const char *columns_sql;     /* rows of table, column; lower case, in that order */
    const char *indexes_sql;     /* rows of table, index; lower case, in that order */
};

struct tas_db {
    const struct store_driver *driver;
    char why[TAS_DB_WHY];
    int64_t changes;
    bool is_in_transaction;
    int failed; /* the first error within this transaction; nothing runs after it */
};

/* Opens what stands behind "sqlite:". NULL: `why`. */
struct tas_db *store_sqlite_open(const char *path, char why[TAS_DB_WHY]);
struct tas_db *store_sqlite_open_scratch(char why[TAS_DB_WHY]); /* in memory, for comparing with */
struct tas_db *store_postgres_open(const char *url, char why[TAS_DB_WHY]);

/* tas_db_transaction() that waits longer (patience_ms) for others who are in the way. */
TAS_MUST_USE int store_transaction(struct tas_db *db, int (*fn)(struct tas_db *db, void *ctx), void *ctx,
                                   int patience_ms);

/* Sets db->why (one line; line feeds become "; ") and returns err. */
int store_fail(struct tas_db *db, int err, const char *fmt, ...) TAS_PRINTF(3, 4);

/* Sleeps between least_us and 2 * least_us, so that two who stand in each other's way part. */
void store_pause(uint32_t least_us);

/* A new file with mode 0600, without opening it (closing a descriptor of an SQLite file would drop the locks
 * that others in this process have on it). TAS_E_STATE: it exists. TAS_E_IO: errno. */
TAS_MUST_USE int store_make_file(const char *path);

/* Puts a finished file and its entry in the directory on the disk. TAS_E_IO: errno. */
TAS_MUST_USE int store_sync_file(const char *path);

/* ---- rows ---- */

enum { STORE_ROWS_MAX = 10000, STORE_ROWS_BYTES_MAX = 32 << 20 };

struct tas_rows *store_rows_new(size_t n_columns); /* NULL: no memory */

/* The next cell, from left to right and row by row. `text` is how it reads as text. TAS_E_LIMIT, TAS_E_NOMEM.
 */
TAS_MUST_USE int store_rows_add_null(struct tas_rows *rows);
TAS_MUST_USE int store_rows_add_int(struct tas_rows *rows, int64_t number);
TAS_MUST_USE int store_rows_add_bytes(struct tas_rows *rows, struct tas_bytes bytes);

/* The same for `len` bytes that the caller writes to *room at once. */
TAS_MUST_USE int store_rows_add_room(struct tas_rows *rows, size_t len, uint8_t **room);

/* ---- prepared statements by their text ---- */

enum { STORE_CACHE_SLOTS = 1024, STORE_CACHE_MAX = 512 };

struct store_cached {
    uint64_t hash;
    char *sql; /* owned; NULL: a free slot */
    void *handle;
};

struct store_cache {
    struct store_cached slots[STORE_CACHE_SLOTS];
    size_t n;
};

/* The handle of a text; NULL: not there. */
void *store_cache_get(const struct store_cache *cache, const char *sql);

/* Adds one that is not there. At STORE_CACHE_MAX the caller clears first. TAS_E_NOMEM. */
TAS_MUST_USE int store_cache_put(struct store_cache *cache, const char *sql, void *handle);

/* Forgets all; release (NULL: nothing) is called with each handle. */
void store_cache_clear(struct store_cache *cache, void (*release)(void *handle));
