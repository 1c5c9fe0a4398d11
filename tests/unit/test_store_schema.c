/* Migrations, checks and backups of the database layer. */
#include "store/migrate_private.h"
#include "store_place.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- schema ---- */

static const struct store_migration steps[] = {
    {1, "0001-one.sql",
     "-- a comment; with a semicolon;\n"
     "CREATE TABLE apple (\n"
     "    id BIGINT PRIMARY KEY, -- it's the id;\n"
     "    name TEXT NOT NULL,\n"
     "    data BYTEA\n"
     ");\n"
     "CREATE INDEX apple_by_name ON apple (name);\n"
     "INSERT INTO apple (id, name) VALUES (1, 'semi;\n"
     "colon -- no comment');  -- behind\n"},
    {2, "0002-two.sql", "ALTER TABLE apple ADD COLUMN weight BIGINT;\nUPDATE apple SET weight = 7;"},
    {3, "0003-three.sql", "CREATE TABLE pear (id BIGINT PRIMARY KEY, apple BIGINT REFERENCES apple (id))"},
};

static void the_schema_comes_step_by_step(void **state) {
    struct place *p = *state;
    char why[TAS_DB_WHY];
    int64_t version = -1;
    assert_ok(tas_db_schema_version(p->db, &version));
    assert_int_equal(version, 0);
    assert_ok(store_migrate(p->db, steps, 1, why));
    assert_int_equal(ask_int(p->db, "SELECT count(*) FROM apple WHERE name = 'semi;\ncolon -- no comment'"),
                     1);
    assert_ok(store_migrate(p->db, steps, 3, why));
    assert_ok(store_migrate(p->db, steps, 3, why)); /* nothing to do */
    assert_ok(tas_db_schema_version(p->db, &version));
    assert_int_equal(version, 3);
    assert_int_equal(ask_int(p->db, "SELECT weight FROM apple"), 7);
    assert_int_equal(ask_int(p->db, "SELECT count(*) FROM schema_version WHERE at > 1700000000000"), 3);
}

static void a_newer_schema_is_refused(void **state) {
    struct place *p = *state;
    char why[TAS_DB_WHY];
    assert_ok(store_migrate(p->db, steps, 3, why));
    assert_int_equal(store_migrate(p->db, steps, 2, why), TAS_E_CONFIG);
    assert_string_equal(why, "the database has schema 3, this program knows 2: install the newer release");
}

static void a_failing_step_leaves_nothing_behind(void **state) {
    struct place *p = *state;
    static const struct store_migration broken[] = {
        {1, "0001-one.sql", "CREATE TABLE apple (id BIGINT PRIMARY KEY);"},
        {2, "0002-two.sql",
         "CREATE TABLE plum (id BIGINT PRIMARY KEY);\nINSERT INTO plum VALUES (1);\nNONSENSE;"},
    };
    char why[TAS_DB_WHY];
    assert_int_equal(store_migrate(p->db, broken, 2, why), TAS_E_IO);
    assert_non_null(strstr(why, "NONSENSE"));
    int64_t version = -1;
    assert_ok(tas_db_schema_version(p->db, &version));
    assert_int_equal(version, 1);
    assert_int_equal(tas_db_run(p->db, "SELECT id FROM plum", NULL, 0, NULL), TAS_E_IO);
    static const struct store_migration mended[] = {{1, "", ""},
                                                    {2, "0002-two.sql", "CREATE TABLE plum (id BIGINT);"}};
    assert_ok(store_migrate(p->db, mended, 2, why));
}

struct migrator {
    struct tas_db *db;
    pthread_barrier_t *start;
};

static void *migrate_too(void *ctx) {
    struct migrator *m = ctx;
    char why[TAS_DB_WHY];
    pthread_barrier_wait(m->start);
    return store_migrate(m->db, steps, 3, why) == TAS_OK ? NULL : m;
}

static void two_may_migrate_at_once(void **state) {
    struct place *p = *state;
    open_other(p);
    for (int round = 0; round < 10; round++) {
        run(p->db, "DROP TABLE IF EXISTS pear");
        run(p->db, "DROP TABLE IF EXISTS apple");
        run(p->db, "DROP TABLE IF EXISTS schema_version");
        pthread_barrier_t start;
        pthread_barrier_init(&start, NULL, 2);
        struct migrator mine = {p->db, &start}, theirs = {p->other, &start};
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, migrate_too, &theirs), 0);
        void *my_failure = migrate_too(&mine), *failure = NULL;
        pthread_join(thread, &failure);
        pthread_barrier_destroy(&start);
        assert_null(my_failure);
        assert_null(failure);
        assert_int_equal(ask_int(p->db, "SELECT count(*) FROM schema_version"), 3);
        assert_int_equal(ask_int(p->db, "SELECT count(*) FROM apple"), 1);
    }
}

static void the_embedded_schema_applies_and_checks(void **state) {
    struct place *p = *state;
    char why[TAS_DB_WHY];
    int err = tas_db_migrate(p->db, why);
    if (err != TAS_OK)
        print_error("%s\n", why);
    assert_ok(err);
    int64_t version = 0;
    assert_ok(tas_db_schema_version(p->db, &version));
    assert_int_equal(version, tas_db_schema_known());
    assert_true(version > 0);
    err = tas_db_check(p->db, why);
    if (err != TAS_OK)
        print_error("%s\n", why);
    assert_ok(err);
}

/* ---- check ---- */

static void a_missing_column_or_index_is_damage(void **state) {
    struct place *p = *state;
    char why[TAS_DB_WHY];
    assert_ok(store_check(p->db, steps, 3, why)); /* before the first migration */
    assert_ok(store_migrate(p->db, steps, 2, why));
    assert_ok(store_check(p->db, steps, 3, why)); /* complete for its version */
    run(p->db, "ALTER TABLE apple ADD COLUMN somebodys BIGINT");
    assert_ok(store_check(p->db, steps, 3, why));
    run(p->db, "DROP INDEX apple_by_name");
    assert_int_equal(store_check(p->db, steps, 3, why), TAS_E_PROTO);
    assert_string_equal(why, "table apple lacks its index apple_by_name");
    run(p->db, "ALTER TABLE apple DROP COLUMN weight");
    assert_int_equal(store_check(p->db, steps, 3, why), TAS_E_PROTO);
    assert_string_equal(why, "table apple lacks its column weight");
}

static void rows_that_point_nowhere_are_damage(void **state) {
    struct place *p = *state;
    if (p->pg_url)
        skip(); /* it cannot be made without being superuser */
    char why[TAS_DB_WHY];
    assert_ok(store_migrate(p->db, steps, 3, why));
    run(p->db, "PRAGMA foreign_keys = OFF");
    run(p->db, "INSERT INTO pear (id, apple) VALUES (1, 99)");
    assert_int_equal(store_check(p->db, steps, 3, why), TAS_E_PROTO);
    assert_non_null(strstr(why, "pear"));
}

static void overwrite(const char *path, long from, size_t len) {
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    fseek(f, from, SEEK_SET);
    for (size_t i = 0; i < len; i++)
        fputc(0x5a, f);
    fclose(f);
}

static void a_damaged_file_is_found(void **state) {
    struct place *p = *state;
    if (p->pg_url)
        skip();
    for (int64_t id = 1; id <= 500; id++)
        assert_ok(add(p->db, id, NULL));
    tas_db_close(p->db); /* all of it into the main file */
    overwrite(p->path, 4096 + 10, 4096);
    p->db = open_url(p->url);
    char why[TAS_DB_WHY];
    assert_int_equal(tas_db_check(p->db, why), TAS_E_PROTO);
    assert_true(strlen(why) > 0);
}

/* ---- backup ---- */

static void a_backup_is_whole_and_never_overwrites(void **state) {
    struct place *p = *state;
    assert_ok(add(p->db, 1, "one"));
    char path[128], why[TAS_DB_WHY];
    snprintf(path, sizeof(path), "%s/copy", p->folder);
    int err = tas_db_backup(p->db, path, why);
    if (err != TAS_OK)
        print_error("%s\n", why);
    assert_ok(err);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_true(st.st_size > 100);
    assert_int_equal(tas_db_backup(p->db, path, why), TAS_E_IO);
    assert_non_null(strstr(why, "is there already"));
    if (p->pg_url)
        return; /* test_store.py restores one */
    char url[160];
    snprintf(url, sizeof(url), "sqlite:%s", path);
    struct tas_db *copy = open_url(url);
    assert_int_equal(ask_int(copy, "SELECT count(*) FROM thing WHERE name = 'one'"), 1);
    tas_db_close(copy);
}

static void a_backup_that_fails_leaves_no_file(void **state) {
    struct place *p = *state;
    char path[128], why[TAS_DB_WHY];
    snprintf(path, sizeof(path), "%s/not/there", p->folder);
    assert_int_equal(tas_db_backup(p->db, path, why), TAS_E_IO);
    assert_true(strlen(why) > 0);
    if (!p->pg_url)
        return;
    const char *was = getenv("PATH");
    char *saved = test_malloc(strlen(was) + 1);
    memcpy(saved, was, strlen(was) + 1);
    setenv("PATH", "/nowhere", 1);
    snprintf(path, sizeof(path), "%s/copy", p->folder);
    assert_int_equal(tas_db_backup(p->db, path, why), TAS_E_IO);
    setenv("PATH", saved, 1);
    test_free(saved);
    assert_non_null(strstr(why, "pg_dump"));
    assert_int_equal(access(path, F_OK), -1);
}

int main(void) {
    struct CMUnitTest tests[] = {
        ON_BOTH(the_schema_comes_step_by_step),          ON_BOTH(a_newer_schema_is_refused),
        ON_BOTH(a_failing_step_leaves_nothing_behind),   ON_BOTH(two_may_migrate_at_once),
        ON_BOTH(the_embedded_schema_applies_and_checks), ON_BOTH(a_missing_column_or_index_is_damage),
        ON_BOTH(rows_that_point_nowhere_are_damage),     ON_BOTH(a_damaged_file_is_found),
        ON_BOTH(a_backup_is_whole_and_never_overwrites), ON_BOTH(a_backup_that_fails_leaves_no_file),
    };
    return store_place_run(tests, sizeof(tests) / sizeof(tests[0]));
}
