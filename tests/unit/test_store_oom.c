/* The database layer on SQLite, with each of our own allocations failing once. */
#include "oom.h"
#include "store/db.h"
#include "store/migrate_private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static const struct store_migration steps[] = {
    {1, "0001-one.sql",
     "CREATE TABLE thing (id BIGINT PRIMARY KEY, name TEXT);\nCREATE INDEX by_name ON thing (name);"},
};

static int add_and_read(struct tas_db *db, void *ctx) {
    (void)ctx;
    struct tas_rows *rows = NULL;
    int err =
        tas_db_do(db, NULL, "INSERT INTO thing (id, name) VALUES ($1, $2)", tas_int(1), tas_text("one"));
    if (err == TAS_OK)
        err = tas_db_do(db, &rows, "SELECT id, name, NULL FROM thing WHERE id = $1", tas_int(1));
    if (err == TAS_OK)
        assert_string_equal(tas_rows_text(rows, 0, 1), "one");
    tas_rows_free(rows);
    return err;
}

static bool work(const char *url, const char *backup) {
    char why[TAS_DB_WHY];
    struct tas_db *db = tas_db_open(url, why);
    bool is_ok = db && store_migrate(db, steps, 1, why) == TAS_OK &&
                 tas_db_transaction(db, add_and_read, NULL) == TAS_OK &&
                 store_check(db, steps, 1, why) == TAS_OK && tas_db_backup(db, backup, why) == TAS_OK;
    assert_true(is_ok || strlen(why) > 0 || strlen(tas_db_why(db)) > 0);
    tas_db_close(db);
    return is_ok;
}

/* What is stored must be all or nothing, and no lock may stay behind. */
static void look_after(const char *url, bool is_ok) {
    char why[TAS_DB_WHY];
    struct tas_db *db = tas_db_open(url, why);
    assert_non_null(db);
    assert_int_equal(store_migrate(db, steps, 1, why), TAS_OK);
    assert_int_equal(store_check(db, steps, 1, why), TAS_OK);
    struct tas_rows *rows = NULL;
    assert_int_equal(tas_db_run(db, "SELECT count(*) FROM thing", NULL, 0, &rows), TAS_OK);
    assert_in_range(tas_rows_int(rows, 0, 0), is_ok, 1);
    tas_rows_free(rows);
    tas_db_close(db);
}

static void each_allocation_may_fail(void **state) {
    (void)state;
    char folder[] = "/tmp/tasuki-store-XXXXXX", path[64], url[80], backup[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/test.db", folder);
    snprintf(url, sizeof(url), "sqlite:%s", path);
    snprintf(backup, sizeof(backup), "%s/copy", folder);
    bool has_failed = true;
    for (unsigned n = 1; has_failed; n++) {
        assert_true(n < 1000);
        tas_oom_fail_at(n);
        bool is_ok = work(url, backup);
        has_failed = tas_oom_count() >= n;
        tas_oom_fail_at(0);
        assert_int_equal(is_ok, !has_failed);
        assert_int_equal(access(backup, F_OK) == 0, is_ok);
        look_after(url, is_ok);
        unlink(path);
    }
    unlink(backup);
    rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_allocation_may_fail)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
