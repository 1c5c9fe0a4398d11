#include "store/migrate_private.h"

#include "base/time.h"
#include "store/db_private.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

enum { PATIENCE_MS = 600000 }; /* another program's step may build an index over years of records */

/* ---- the version ---- */

int64_t tas_db_schema_known(void) {
    return (int64_t)store_n_migrations;
}

static int read_int(struct tas_db *db, const char *sql, int64_t *out) {
    struct tas_rows *rows = NULL;
    int err = tas_db_run(db, sql, NULL, 0, &rows);
    if (err == TAS_OK)
        *out = tas_rows_len(rows) > 0 ? tas_rows_int(rows, 0, 0) : 0;
    tas_rows_free(rows);
    return err;
}

int tas_db_schema_version(struct tas_db *db, int64_t *out) {
    int64_t has_table = 0, version = 0;
    int err = read_int(db, db->driver->has_version_sql, &has_table);
    if (err == TAS_OK && has_table)
        err = read_int(db, "SELECT max(version) FROM schema_version", &version);
    if (err == TAS_OK)
        *out = version;
    return err;
}

/* ---- statements of a step ---- */

/* Past a quoted text or a comment that begins at `at`, or past one character. */
static const char *skip(const char *at) {
    if (at[0] == '-' && at[1] == '-')
        return at + strcspn(at, "\n");
    if (at[0] != '\'')
        return at + 1;
    at += 1 + strcspn(at + 1, "'");
    return *at ? at + 1 : at;
}

/* Where the statement ends: at a ';' that ends a line, or at the end of the text. */
static const char *end_of_statement(const char *at) {
    while (*at) {
        if (*at == ';') {
            const char *next = at + 1 + strspn(at + 1, " \t\r");
            if (*next == '\0' || *next == '\n' || strncmp(next, "--", 2) == 0)
                return at;
        }
        at = skip(at);
    }
    return at;
}

/* The beginning of what is not white space and not a comment. */
static const char *skip_blank(const char *at) {
    for (;;) {
        while (isspace((unsigned char)*at))
            at++;
        if (strncmp(at, "--", 2) != 0)
            return at;
        at += strcspn(at, "\n");
    }
}

static int run_statement(struct tas_db *db, const char *sql, size_t len) {
    char *copy = strndup(sql, len);
    if (!copy)
        return store_fail(db, TAS_E_NOMEM, "out of memory");
    int err = tas_db_run(db, copy, NULL, 0, NULL);
    free(copy);
    return err;
}

static int run_all(struct tas_db *db, const char *sql) {
    int err = TAS_OK;
    for (sql = skip_blank(sql); err == TAS_OK && *sql;) {
        const char *end = end_of_statement(sql);
        if (end > sql)
            err = run_statement(db, sql, (size_t)(end - sql));
        sql = skip_blank(*end ? end + 1 : end);
    }
    return err;
}

/* ---- steps ---- */

struct work {
    const struct store_migration *steps;
    size_t n_steps;
    int64_t version; /* that the database has now */
};

static int too_new(struct tas_db *db, int64_t version, size_t known) {
    return store_fail(db, TAS_E_CONFIG,
                      "the database has schema %lld, this program knows %zu: install the newer release",
                      (long long)version, known);
}

/* Does one step, unless another program did it meanwhile. */
static int do_step(struct tas_db *db, void *ctx) {
    struct work *work = ctx;
    int err = db->driver->begin_migration(db);
    if (err == TAS_OK)
        err = tas_db_run(db,
                         "CREATE TABLE IF NOT EXISTS schema_version "
                         "(version BIGINT PRIMARY KEY, name TEXT NOT NULL, at BIGINT NOT NULL)",
                         NULL, 0, NULL);
    int64_t version = 0;
    if (err == TAS_OK)
        err = tas_db_schema_version(db, &version);
    if (err != TAS_OK)
        return err;
    if (version >= (int64_t)work->n_steps) {
        work->version = version;
        return TAS_OK;
    }
    const struct store_migration *step = &work->steps[version];
    assert(step->version == version + 1);
    err = run_all(db, step->sql);
    if (err == TAS_OK)
        err = tas_db_do(db, NULL, "INSERT INTO schema_version (version, name, at) VALUES ($1, $2, $3)",
                        tas_int(step->version), tas_text(step->name), tas_int((int64_t)tas_wall_ms()));
    work->version = step->version;
    return err;
}

static int read_version(struct tas_db *db, void *ctx) {
    struct work *work = ctx;
    return tas_db_schema_version(db, &work->version);
}

int store_migrate(struct tas_db *db, const struct store_migration *steps, size_t n_steps,
                  char why[TAS_DB_WHY]) {
    struct work work = {.steps = steps, .n_steps = n_steps};
    int err = tas_db_read(db, read_version, &work);
    while (err == TAS_OK && work.version < (int64_t)n_steps)
        err = store_transaction(db, do_step, &work, PATIENCE_MS);
    if (err == TAS_OK && work.version > (int64_t)n_steps)
        err = too_new(db, work.version, n_steps);
    snprintf(why, TAS_DB_WHY, "%s", err == TAS_OK ? "" : db->why);
    return err;
}

int tas_db_migrate(struct tas_db *db, char why[TAS_DB_WHY]) {
    return store_migrate(db, store_migrations, store_n_migrations, why);
}

/* ---- looking whether all is there ---- */

/* Every row of `wanted` (two sorted texts) must be in `found`; others there do no harm. */
static int compare(struct tas_db *db, const struct tas_rows *wanted, const struct tas_rows *found,
                   const char *what) {
    size_t at = 0;
    for (size_t i = 0; i < tas_rows_len(wanted); i++) {
        const char *table = tas_rows_text(wanted, i, 0), *name = tas_rows_text(wanted, i, 1);
        while (at < tas_rows_len(found) && (strcmp(tas_rows_text(found, at, 0), table) != 0 ||
                                            strcmp(tas_rows_text(found, at, 1), name) != 0))
            at++;
        if (at == tas_rows_len(found))
            return store_fail(db, TAS_E_PROTO, "table %s lacks its %s %s", table, what, name);
    }
    return TAS_OK;
}

static int compare_answers(struct tas_db *db, struct tas_db *model, const char *sql, const char *model_sql,
                           const char *what) {
    struct tas_rows *wanted = NULL, *found = NULL;
    int err = tas_db_run(model, model_sql, NULL, 0, &wanted);
    if (err != TAS_OK)
        store_fail(db, err, "%s", model->why);
    else
        err = tas_db_run(db, sql, NULL, 0, &found);
    if (err == TAS_OK)
        err = compare(db, wanted, found, what);
    tas_rows_free(wanted);
    tas_rows_free(found);
    return err;
}

struct check {
    const struct store_migration *steps;
    size_t n_steps;
};

/* A model of the schema as it should be at this version is made by the same steps, in memory. */
static int check_schema(struct tas_db *db, const struct store_migration *steps, size_t n_steps) {
    int64_t version = 0;
    int err = tas_db_schema_version(db, &version);
    if (err != TAS_OK || version == 0)
        return err;
    size_t n = (uint64_t)version < n_steps ? (size_t)version : n_steps;
    char why[TAS_DB_WHY];
    struct tas_db *model = store_sqlite_open_scratch(why);
    if (!model)
        return store_fail(db, TAS_E_IO, "%s", why);
    err = store_migrate(model, steps, n, why);
    if (err != TAS_OK)
        store_fail(db, err, "%s", why);
    if (err == TAS_OK)
        err = compare_answers(db, model, db->driver->columns_sql, model->driver->columns_sql, "column");
    if (err == TAS_OK)
        err = compare_answers(db, model, db->driver->indexes_sql, model->driver->indexes_sql, "index");
    tas_db_close(model);
    return err;
}

static int check_all(struct tas_db *db, void *ctx) {
    const struct check *check = ctx;
    int err = db->driver->connect(db);
    if (err == TAS_OK)
        err = db->driver->check(db);
    return err == TAS_OK ? check_schema(db, check->steps, check->n_steps) : err;
}

int store_check(struct tas_db *db, const struct store_migration *steps, size_t n_steps,
                char why[TAS_DB_WHY]) {
    struct check check = {.steps = steps, .n_steps = n_steps};
    int err = tas_db_read(db, check_all, &check);
    snprintf(why, TAS_DB_WHY, "%s", err == TAS_OK ? "" : db->why);
    return err;
}

int tas_db_check(struct tas_db *db, char why[TAS_DB_WHY]) {
    return store_check(db, store_migrations, store_n_migrations, why);
}
