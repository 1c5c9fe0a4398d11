#include "store/db.h"

#include "base/rand.h"
#include "base/time.h"
#include "base/utf8.h"
#include "store/db_private.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { TRY_MS = 10000, PAUSE_LEAST_US = 5000, PAUSE_MOST_US = 160000 };

/* ---- shared by the drivers ---- */

int store_fail(struct tas_db *db, int err, const char *fmt, ...) {
    char text[sizeof(db->why)]; /* the arguments may lie in db->why */
    va_list va;
    va_start(va, fmt);
    vsnprintf(text, sizeof(text), fmt, va);
    va_end(va);
    size_t len = strlen(text);
    while (len > 0 && text[len - 1] == '\n')
        len--;
    text[len] = '\0';
    for (char *c = text; *c; c++)
        if (*c == '\n' || *c == '\t')
            *c = *c == '\n' ? ';' : ' ';
    memcpy(db->why, text, sizeof(text));
    return err;
}

void store_pause(uint32_t least_us) {
    uint32_t more;
    tas_random(&more, sizeof(more));
    uint64_t us = (uint64_t)least_us + more % (least_us + 1);
    struct timespec left = {.tv_sec = (time_t)(us / 1000000), .tv_nsec = (long)(us % 1000000) * 1000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        continue;
}

int store_make_file(const char *path) {
    if (mknod(path, S_IFREG | S_IRUSR | S_IWUSR, 0) == 0)
        return TAS_OK;
    return errno == EEXIST ? TAS_E_STATE : TAS_E_IO;
}

static int sync_path(const char *path, int flags) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
    if (fd < 0)
        return TAS_E_IO;
    int err = fsync(fd) == 0 ? TAS_OK : TAS_E_IO;
    int saved = errno;
    close(fd);
    errno = saved;
    return err;
}

int store_sync_file(const char *path) {
    int err = sync_path(path, 0);
    if (err != TAS_OK)
        return err;
    const char *slash = strrchr(path, '/');
    if (!slash)
        return sync_path(".", O_DIRECTORY);
    char *folder = strndup(path, (size_t)(slash - path) + 1);
    if (!folder)
        return TAS_E_IO;
    err = sync_path(folder, O_DIRECTORY);
    free(folder);
    return err;
}

/* ---- life ---- */

struct tas_db *tas_db_open(const char *url, char why[TAS_DB_WHY]) {
    static const char sqlite[] = "sqlite:";
    why[0] = '\0';
    if (strncmp(url, sqlite, sizeof(sqlite) - 1) == 0)
        return store_sqlite_open(url + sizeof(sqlite) - 1, why);
    return store_postgres_open(url, why);
}

void tas_db_close(struct tas_db *db) {
    if (db)
        db->driver->close(db);
}

bool tas_db_is_postgres(const struct tas_db *db) {
    return db->driver->is_postgres;
}

const char *tas_db_why(const struct tas_db *db) {
    return db->why;
}

int64_t tas_db_changes(const struct tas_db *db) {
    return db->changes;
}

/* ---- statements ---- */

/* PostgreSQL refuses other text; SQLite would keep it. */
static bool is_storable(const struct tas_value *v) {
    return v->kind != TAS_VALUE_TEXT || v->bytes.len == 0 ||
           (!memchr(v->bytes.ptr, '\0', v->bytes.len) && tas_utf8_is_valid(v->bytes));
}

static int run(struct tas_db *db, const char *sql, const struct tas_value *args, size_t n_args,
               struct tas_rows **rows) {
    for (size_t i = 0; i < n_args; i++)
        if (!is_storable(&args[i]))
            return store_fail(db, TAS_E_IO, "argument %zu is not UTF-8 text", i + 1);
    int err = db->is_in_transaction ? TAS_OK : db->driver->connect(db);
    return err == TAS_OK ? db->driver->run(db, sql, args, n_args, rows) : err;
}

int tas_db_run(struct tas_db *db, const char *sql, const struct tas_value *args, size_t n_args,
               struct tas_rows **rows) {
    if (db->is_in_transaction && db->failed != TAS_OK)
        return db->failed;
    db->changes = 0;
    int err = run(db, sql, args, n_args, rows);
    if (err == TAS_E_NOMEM)
        store_fail(db, err, "out of memory");
    else if (err == TAS_E_LIMIT)
        store_fail(db, err, "more than %d rows or %d MiB", (int)STORE_ROWS_MAX, STORE_ROWS_BYTES_MAX >> 20);
    if (db->is_in_transaction)
        db->failed = err;
    return err;
}

/* ---- transactions ---- */

static bool may_pass(int err) {
    return err == TAS_E_MORE || err == TAS_E_CLOSED;
}

/* One try. `is_unknown` is set when the connection was lost while committing. */
static int try_once(struct tas_db *db, int (*fn)(struct tas_db *db, void *ctx), void *ctx, bool *is_unknown) {
    int err = db->driver->connect(db);
    if (err != TAS_OK)
        return err;
    err = db->driver->begin(db, *is_unknown);
    if (err == TAS_OK) {
        db->is_in_transaction = true;
        db->failed = TAS_OK;
        err = fn(db, ctx);
        if (err == TAS_OK || may_pass(db->failed))
            err = db->failed; /* whatever fn made of it */
        if (err == TAS_OK) {
            err = db->driver->commit(db);
            *is_unknown = *is_unknown || err == TAS_E_CLOSED;
        }
    }
    if (err != TAS_OK)
        db->driver->rollback(db);
    db->is_in_transaction = false;
    return err;
}

/* Waits before the next try; false: give up. */
static bool wait_to_retry(int err, unsigned tries, uint64_t began_us, int patience_ms) {
    int limit_ms = err == TAS_E_MORE ? patience_ms : TRY_MS;
    if (!may_pass(err) || tas_mono_us() - began_us >= (uint64_t)limit_ms * 1000)
        return false;
    uint32_t pause_us = (uint32_t)PAUSE_LEAST_US << (tries < 5 ? tries : 5);
    store_pause(pause_us < PAUSE_MOST_US ? pause_us : PAUSE_MOST_US);
    return true;
}

int store_transaction(struct tas_db *db, int (*fn)(struct tas_db *db, void *ctx), void *ctx,
                      int patience_ms) {
    assert(!db->is_in_transaction);
    uint64_t began_us = tas_mono_us();
    bool is_unknown = false;
    int err;
    unsigned tries = 0;
    do
        err = try_once(db, fn, ctx, &is_unknown);
    while (wait_to_retry(err, tries++, began_us, patience_ms));
    return is_unknown && may_pass(err) ? TAS_E_CLOSED : err;
}

int tas_db_transaction(struct tas_db *db, int (*fn)(struct tas_db *db, void *ctx), void *ctx) {
    return store_transaction(db, fn, ctx, TRY_MS);
}

int tas_db_read(struct tas_db *db, int (*fn)(struct tas_db *db, void *ctx), void *ctx) {
    assert(!db->is_in_transaction);
    uint64_t began_us = tas_mono_us();
    int err;
    unsigned tries = 0;
    do
        err = fn(db, ctx);
    while (wait_to_retry(err, tries++, began_us, TRY_MS));
    return err;
}

/* ---- notices, backup ---- */

void tas_db_wait(struct tas_db *db, int timeout_ms, int fd) {
    assert(!db->is_in_transaction && timeout_ms >= 0);
    db->driver->wait(db, timeout_ms, fd);
}

int tas_db_notify(struct tas_db *db) {
    if (db->is_in_transaction && db->failed != TAS_OK)
        return db->failed;
    return db->driver->notify(db);
}

int tas_db_backup(struct tas_db *db, const char *path, char why[TAS_DB_WHY]) {
    assert(!db->is_in_transaction);
    why[0] = '\0';
    int err = store_make_file(path);
    if (err != TAS_OK) {
        snprintf(why, TAS_DB_WHY, "%s: %s", path, err == TAS_E_STATE ? "is there already" : strerror(errno));
        return TAS_E_IO;
    }
    err = db->driver->connect(db);
    if (err == TAS_OK)
        err = db->driver->backup(db, path);
    if (err == TAS_OK && store_sync_file(path) != TAS_OK)
        err = store_fail(db, TAS_E_IO, "%s: %s", path, strerror(errno));
    if (err == TAS_OK)
        return TAS_OK;
    unlink(path);
    snprintf(why, TAS_DB_WHY, "%s", db->why);
    return TAS_E_IO;
}
