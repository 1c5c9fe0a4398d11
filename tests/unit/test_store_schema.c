/* Migrations, checks and backups of the database layer. */
#include "store/migrate_private.h"
#include "store/session.h"
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

/* ---- from the first schema to the present ---- */

enum { OLD_CLAIMS = 60 };

static void add_session(struct tas_db *db) {
    const struct tas_value hash = tas_blob("0123456789abcdef0123456789abcdef", 32);
    assert_ok(tas_db_do(db, NULL,
                        "INSERT INTO company (id, code, name, state, perms, lock_after, lock_minutes, "
                        "max_live, regions, created_at, chain_seq, chain_hash) VALUES (1, 'acme', 'Acme', "
                        "'active', 63, 10, 15, 5, '', 1, 0, $1)",
                        hash));
    run(db, "INSERT INTO operator (id, company_id, login, name, password, state, failures, locked_until, "
            "created_at) VALUES (2, 1, 'tanaka', 'T', '', 'active', 0, 0, 1)");
    assert_ok(tas_db_do(db, NULL,
                        "INSERT INTO session (id, company_id, operator_id, operator_login, operator_name, "
                        "request, state, number_hash, number_last3, issued_at, expires_at, operator_address, "
                        "operator_version, perms, is_verified, is_recorded, ms_held, ms_reconnecting, "
                        "seen_at, rev) VALUES (3, 1, 2, 'tanaka', 'T', $1, 'waiting', $2, '123', 1, 2, '', "
                        "'', 0, 0, 0, 0, 0, 1, 1)",
                        tas_blob("0123456789abcdef", 16), hash));
}

/* Each differs from the others in every column, and has what is easily lost. */
static struct store_claim old_claim(uint64_t id) {
    static const char *const states[] = {"pending", "answered", "refused", "withdrawn", "replaced", "over"};
    struct store_claim c = {
        .id = id, .session_id = 3, .company_id = 1, .claimed_at = INT64_MAX - (int64_t)id};
    c.terms_at = id % 2 ? 0 : (int64_t)id;
    for (size_t i = 0; i < sizeof(c.pop_pk); i++)
        c.pop_pk[i] = (uint8_t)(i % 3 ? id : 0);
    snprintf(c.state, sizeof(c.state), "%s", states[id % 6]);
    snprintf(c.address, sizeof(c.address), "2001:db8::%x", (unsigned)id);
    snprintf(c.prefix, sizeof(c.prefix), "48:%x", (unsigned)id);
    if (id % 5)
        snprintf(c.host_name, sizeof(c.host_name), "受付'%u\\x00", (unsigned)id);
    snprintf(c.os, sizeof(c.os), "%u", (unsigned)id); /* text that looks like a number stays text */
    snprintf(c.tool_version, sizeof(c.tool_version), "0.%u0", (unsigned)id);
    snprintf(c.language, sizeof(c.language), "j%u", (unsigned)id);
    snprintf(c.terms_version, sizeof(c.terms_version), "1e%u", (unsigned)id);
    snprintf(c.rtt, sizeof(c.rtt), "[{\"relay\":%u,\"us\":5}]", (unsigned)id);
    return c;
}

static void claims_of_the_first_schema_stay_as_they_were(void **state) {
    struct place *p = *state;
    char why[TAS_DB_WHY];
    assert_ok(store_migrate(p->db, store_migrations, 1, why));
    add_session(p->db);
    for (uint64_t id = 1; id <= OLD_CLAIMS; id++) {
        const struct store_claim c = old_claim(id);
        assert_ok(store_claim_add(p->db, &c));
    }
    struct store_claim choosing = old_claim(OLD_CLAIMS + 1);
    snprintf(choosing.state, sizeof(choosing.state), "choosing");
    assert_int_equal(store_claim_add(p->db, &choosing), TAS_E_STATE);
    assert_ok(tas_db_migrate(p->db, why));
    assert_ok(tas_db_check(p->db, why));
    assert_int_equal(ask_int(p->db, "SELECT count(*) FROM claim"), OLD_CLAIMS);
    assert_int_equal(ask_int(p->db, "SELECT count(*) FROM claim WHERE terms_at IS NULL"), OLD_CLAIMS / 2);
    for (uint64_t id = 1; id <= OLD_CLAIMS; id++) {
        const struct store_claim was = old_claim(id);
        struct store_claim is;
        memset(&is, 0, sizeof(is));
        assert_ok(store_claim_get(p->db, id, &is));
        assert_memory_equal(&is, &was, sizeof(is));
    }
    assert_ok(store_claim_add(p->db, &choosing));
}

/* The new table keeps out what the old one did. */
static void the_new_claims_are_as_strict_as_the_old(void **state) {
    struct place *p = *state;
    char why[TAS_DB_WHY];
    struct store_claim c = old_claim(1);
    assert_ok(tas_db_migrate(p->db, why));
    add_session(p->db);
    assert_ok(store_claim_add(p->db, &c));
    assert_int_equal(store_claim_add(p->db, &c), TAS_E_STATE);
    c.id = 2;
    assert_int_equal(store_claim_add(p->db, &c), TAS_E_STATE); /* the same key */
    c = old_claim(2);
    snprintf(c.state, sizeof(c.state), "chosen");
    assert_int_equal(store_claim_add(p->db, &c), TAS_E_STATE);
    c = old_claim(2);
    c.session_id = 4;
    assert_int_equal(store_claim_add(p->db, &c), TAS_E_STATE);
    c = old_claim(2);
    c.company_id = 4;
    assert_int_equal(store_claim_add(p->db, &c), TAS_E_STATE);
    assert_int_equal(tas_db_run(p->db, "UPDATE claim SET rtt = NULL", NULL, 0, NULL), TAS_E_STATE);
    if (p->pg_url) /* a later step may name them */
        assert_int_equal(ask_int(p->db,
                                 "SELECT count(*) FROM pg_constraint WHERE conrelid = 'claim'::regclass AND "
                                 "conname IN ('claim_pkey', 'claim_pop_pk_key', 'claim_state_check', "
                                 "'claim_session_id_fkey', 'claim_company_id_fkey')"),
                         5);
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
        ON_BOTH(the_schema_comes_step_by_step),
        ON_BOTH(a_newer_schema_is_refused),
        ON_BOTH(a_failing_step_leaves_nothing_behind),
        ON_BOTH(two_may_migrate_at_once),
        ON_BOTH(the_embedded_schema_applies_and_checks),
        ON_BOTH(a_missing_column_or_index_is_damage),
        ON_BOTH(rows_that_point_nowhere_are_damage),
        ON_BOTH(a_damaged_file_is_found),
        ON_BOTH(a_backup_is_whole_and_never_overwrites),
        ON_BOTH(a_backup_that_fails_leaves_no_file),
        ON_BOTH(claims_of_the_first_schema_stay_as_they_were),
        ON_BOTH(the_new_claims_are_as_strict_as_the_old),
    };
    return store_place_run(tests, sizeof(tests) / sizeof(tests[0]));
}
