#include "store_place.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct tas_db *open_url(const char *url) {
    char why[TAS_DB_WHY];
    struct tas_db *db = tas_db_open(url, why);
    if (!db)
        print_error("%s\n", why);
    assert_non_null(db);
    return db;
}

void open_other(struct place *p) {
    p->other = open_url(p->url);
}

void run(struct tas_db *db, const char *sql) {
    int err = tas_db_run(db, sql, NULL, 0, NULL);
    if (err != TAS_OK)
        print_error("%s: %s\n", sql, tas_db_why(db));
    assert_ok(err);
}

int store_place_set_up(void **state) {
    struct place *p = test_calloc(1, sizeof(*p));
    p->pg_url = *state;
    snprintf(p->folder, sizeof(p->folder), "/tmp/tasuki-store-XXXXXX");
    assert_non_null(mkdtemp(p->folder));
    if (p->pg_url) {
        struct tas_db *admin = open_url(p->pg_url);
        run(admin, "DROP SCHEMA IF EXISTS mine CASCADE");
        run(admin, "CREATE SCHEMA mine");
        tas_db_close(admin);
        snprintf(p->url, sizeof(p->url), "%s?options=-csearch_path%%3Dmine", p->pg_url);
    } else {
        snprintf(p->path, sizeof(p->path), "%s/test.db", p->folder);
        snprintf(p->url, sizeof(p->url), "sqlite:%s", p->path);
    }
    p->db = open_url(p->url);
    assert_int_equal(tas_db_is_postgres(p->db), p->pg_url != NULL);
    run(p->db,
        "CREATE TABLE thing (id BIGINT PRIMARY KEY, name TEXT UNIQUE, data BYTEA, n BIGINT CHECK (n >= 0))");
    *state = p;
    return 0;
}

int store_place_tear_down(void **state) {
    struct place *p = *state;
    tas_db_close(p->other);
    tas_db_close(p->db);
    static const char *const names[] = {"test.db", "test.db-wal", "test.db-shm", "copy"};
    char path[128];
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", p->folder, names[i]);
        unlink(path);
    }
    rmdir(p->folder);
    test_free(p);
    return 0;
}

int64_t ask_int(struct tas_db *db, const char *sql) {
    struct tas_rows *rows = NULL;
    assert_ok(tas_db_run(db, sql, NULL, 0, &rows));
    assert_int_equal(tas_rows_len(rows), 1);
    int64_t n = tas_rows_int(rows, 0, 0);
    tas_rows_free(rows);
    return n;
}

int add(struct tas_db *db, int64_t id, const char *name) {
    return tas_db_do(db, NULL, "INSERT INTO thing (id, name, n) VALUES ($1, $2, $1)", tas_int(id),
                     tas_text(name));
}

static int run_on(const char *name, struct CMUnitTest *tests, size_t n, const char *pg_url) {
    for (size_t i = 0; i < n; i++)
        tests[i].initial_state = (void *)(uintptr_t)pg_url;
    return _cmocka_run_group_tests(name, tests, n, NULL, NULL);
}

int store_place_run(struct CMUnitTest *tests, size_t n) {
    const char *pg_url = getenv("TASUKI_PG_URL");
    int failures = run_on("SQLite", tests, n, NULL);
    return pg_url ? failures + run_on("PostgreSQL", tests, n, pg_url) : failures;
}
