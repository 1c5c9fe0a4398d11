/* Connections, statements, transactions and notices of the database layer. */
#include "base/time.h"
#include "store_place.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- values ---- */

static void values_of_every_kind_come_back(void **state) {
    struct place *p = *state;
    const uint8_t data[] = {0x00, 0x5c, 0x78, 0xff};
    assert_ok(tas_db_do(p->db, NULL, "INSERT INTO thing (id, name, data, n) VALUES ($1, $2, $3, $4)",
                        tas_int(INT64_MAX), tas_text("日本語 'quoted' \\x41"), tas_blob(data, sizeof(data)),
                        tas_int(0)));
    assert_int_equal(tas_db_changes(p->db), 1);
    struct tas_rows *rows = NULL;
    assert_ok(
        tas_db_do(p->db, &rows, "SELECT id, name, data, n FROM thing WHERE id = $1", tas_int(INT64_MAX)));
    assert_int_equal(tas_db_changes(p->db), 0);
    assert_int_equal(tas_rows_len(rows), 1);
    assert_true(tas_rows_int(rows, 0, 0) == INT64_MAX);
    assert_string_equal(tas_rows_text(rows, 0, 0), "9223372036854775807");
    assert_string_equal(tas_rows_text(rows, 0, 1), "日本語 'quoted' \\x41");
    struct tas_bytes got = tas_rows_blob(rows, 0, 2);
    assert_int_equal(got.len, sizeof(data));
    assert_memory_equal(got.ptr, data, sizeof(data));
    assert_false(tas_rows_is_null(rows, 0, 3));
    tas_rows_free(rows);
}

static void null_and_empty_are_two_things(void **state) {
    struct place *p = *state;
    assert_ok(tas_db_do(p->db, NULL, "INSERT INTO thing (id, name, data, n) VALUES ($1, $2, $3, $4)",
                        tas_int(1), tas_text(NULL), tas_null(), tas_null()));
    assert_ok(tas_db_do(p->db, NULL, "INSERT INTO thing (id, name, data, n) VALUES ($1, $2, $3, $4)",
                        tas_int(2), tas_text(""), tas_blob(NULL, 0), tas_int(-0)));
    struct tas_rows *rows = NULL;
    assert_ok(tas_db_run(p->db, "SELECT name, data, n FROM thing ORDER BY id", NULL, 0, &rows));
    assert_int_equal(tas_rows_len(rows), 2);
    for (size_t column = 0; column < 3; column++) {
        assert_true(tas_rows_is_null(rows, 0, column));
        assert_false(tas_rows_is_null(rows, 1, column));
        assert_int_equal(tas_rows_int(rows, 0, column), 0);
        assert_string_equal(tas_rows_text(rows, 0, column), "");
        assert_int_equal(tas_rows_blob(rows, 0, column).len, 0);
    }
    assert_int_equal(tas_rows_blob(rows, 1, 1).len, 0);
    tas_rows_free(rows);
}

static void answers_read_alike_whatever_their_type(void **state) {
    struct place *p = *state;
    for (int64_t id = 1; id <= 3; id++)
        assert_ok(add(p->db, id, NULL));
    struct tas_rows *rows = NULL;
    assert_ok(tas_db_do(p->db, &rows,
                        "SELECT count(*), sum(n), max(id) = $1, min(id) = $1, CAST($2 AS text) FROM thing",
                        tas_int(3), tas_text("x")));
    assert_int_equal(tas_rows_int(rows, 0, 0), 3);
    assert_int_equal(tas_rows_int(rows, 0, 1), 6); /* numeric in PostgreSQL */
    assert_int_equal(tas_rows_int(rows, 0, 2), 1); /* boolean there */
    assert_int_equal(tas_rows_int(rows, 0, 3), 0);
    assert_string_equal(tas_rows_text(rows, 0, 4), "x");
    tas_rows_free(rows);
}

static void more_than_nine_arguments_find_their_places(void **state) {
    struct place *p = *state;
    struct tas_rows *rows = NULL;
    struct tas_value args[12];
    for (size_t i = 0; i < 12; i++)
        args[i] = tas_int((int64_t)i + 1);
    assert_ok(tas_db_run(
        p->db,
        "SELECT CAST($12 AS BIGINT), CAST($11 AS BIGINT), CAST($10 AS BIGINT), CAST($9 AS BIGINT), "
        "CAST($8 AS BIGINT), CAST($7 AS BIGINT), CAST($6 AS BIGINT), CAST($5 AS BIGINT), "
        "CAST($4 AS BIGINT), CAST($3 AS BIGINT), CAST($2 AS BIGINT), CAST($1 AS BIGINT)",
        args, 12, &rows));
    for (size_t i = 0; i < 12; i++)
        assert_int_equal(tas_rows_int(rows, 0, i), 12 - (int64_t)i);
    tas_rows_free(rows);
}

static void keyset_pages_follow_each_other(void **state) {
    struct place *p = *state;
    for (int64_t id = 1; id <= 25; id++)
        assert_ok(tas_db_do(p->db, NULL, "INSERT INTO thing (id, n) VALUES ($1, $2)", tas_int(id),
                            tas_int(id / 3)));
    int64_t n = 1000, id = 1000, seen = 0;
    for (;;) {
        struct tas_rows *rows = NULL;
        assert_ok(
            tas_db_do(p->db, &rows,
                      "SELECT n, id FROM thing WHERE (n, id) < ($1, $2) ORDER BY n DESC, id DESC LIMIT $3",
                      tas_int(n), tas_int(id), tas_int(10)));
        size_t len = tas_rows_len(rows);
        for (size_t i = 0; i < len; i++, seen++) {
            assert_true(tas_rows_int(rows, i, 1) == 25 - seen);
            n = tas_rows_int(rows, i, 0);
            id = tas_rows_int(rows, i, 1);
        }
        tas_rows_free(rows);
        if (len == 0)
            break;
    }
    assert_int_equal(seen, 25);
}

static void only_one_takes_what_is_there_once(void **state) {
    struct place *p = *state;
    assert_ok(add(p->db, 1, "issued"));
    for (int i = 0; i < 2; i++) {
        struct tas_rows *rows = NULL;
        assert_ok(tas_db_do(p->db, &rows,
                            "UPDATE thing SET name = 'taken' WHERE id = $1 AND name = 'issued' RETURNING id",
                            tas_int(1)));
        assert_int_equal(tas_rows_len(rows), i == 0);
        assert_int_equal(tas_db_changes(p->db), i == 0);
        tas_rows_free(rows);
    }
    assert_ok(
        tas_db_do(p->db, NULL, "INSERT INTO thing (id) VALUES ($1) ON CONFLICT DO NOTHING", tas_int(1)));
    assert_int_equal(tas_db_changes(p->db), 0);
    run(p->db, "CREATE TABLE another (id BIGINT)");
    assert_int_equal(tas_db_changes(p->db), 0);
}

/* ---- errors ---- */

static void a_hurt_constraint_is_told(void **state) {
    struct place *p = *state;
    assert_ok(add(p->db, 1, "one"));
    assert_int_equal(add(p->db, 1, "two"), TAS_E_STATE);
    assert_int_equal(add(p->db, 2, "one"), TAS_E_STATE);
    assert_int_equal(add(p->db, -1, "minus"), TAS_E_STATE);
    assert_true(strlen(tas_db_why(p->db)) > 0);
    run(p->db, "CREATE TABLE child (id BIGINT PRIMARY KEY, thing BIGINT NOT NULL REFERENCES thing (id))");
    assert_int_equal(tas_db_do(p->db, NULL, "INSERT INTO child (id, thing) VALUES (1, $1)", tas_int(9)),
                     TAS_E_STATE);
    assert_int_equal(tas_db_do(p->db, NULL, "INSERT INTO child (id, thing) VALUES (1, $1)", tas_null()),
                     TAS_E_STATE);
    assert_ok(tas_db_do(p->db, NULL, "INSERT INTO child (id, thing) VALUES (1, $1)", tas_int(1)));
    assert_int_equal(tas_db_run(p->db, "DELETE FROM thing", NULL, 0, NULL), TAS_E_STATE);
}

static void what_a_reason_says_does_not_quote_values(void **state) {
    struct place *p = *state;
    assert_ok(add(p->db, 1, "a-secret-name"));
    assert_int_equal(add(p->db, 2, "a-secret-name"), TAS_E_STATE);
    assert_null(strstr(tas_db_why(p->db), "a-secret-name"));
    assert_null(strchr(tas_db_why(p->db), '\n'));
}

static void a_wrong_statement_is_told(void **state) {
    struct place *p = *state;
    assert_int_equal(tas_db_run(p->db, "SELEKT 1", NULL, 0, NULL), TAS_E_IO);
    assert_int_equal(tas_db_run(p->db, "SELECT x FROM not_there", NULL, 0, NULL), TAS_E_IO);
    assert_int_equal(tas_db_run(p->db, "SELECT 1; SELECT 2", NULL, 0, NULL), TAS_E_IO);
    assert_int_equal(tas_db_do(p->db, NULL, "SELECT id FROM thing WHERE id = $1", tas_int(1), tas_int(2)),
                     TAS_E_IO);
    assert_int_equal(tas_db_run(p->db, "SELECT id FROM thing WHERE id = $1", NULL, 0, NULL), TAS_E_IO);
    assert_int_equal(tas_db_run(p->db, "SELECT \"not a column\" FROM thing", NULL, 0, NULL), TAS_E_IO);
    assert_ok(add(p->db, 1, "still usable"));
}

static void text_that_is_not_utf8_is_refused(void **state) {
    struct place *p = *state;
    assert_int_equal(add(p->db, 1, "\xff"), TAS_E_IO);
    struct tas_value cut = {.kind = TAS_VALUE_TEXT, .bytes = tas_bytes_of("a\0b", 3)};
    assert_int_equal(tas_db_do(p->db, NULL, "INSERT INTO thing (id, name) VALUES (1, $1)", cut), TAS_E_IO);
    struct tas_value part = {.kind = TAS_VALUE_TEXT, .bytes = tas_bytes_of("part of it", 4)};
    assert_ok(tas_db_do(p->db, NULL, "INSERT INTO thing (id, name) VALUES (1, $1)", part));
    assert_int_equal(ask_int(p->db, "SELECT count(*) FROM thing WHERE name = 'part'"), 1);
}

static void too_many_rows_are_a_limit(void **state) {
    struct place *p = *state;
    struct tas_rows *rows = NULL;
    static const char sql[] =
        "WITH RECURSIVE r (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < $1) SELECT i FROM r";
    assert_ok(tas_db_do(p->db, &rows, sql, tas_int(10000)));
    assert_int_equal(tas_rows_len(rows), 10000);
    assert_int_equal(tas_rows_int(rows, 9999, 0), 10000);
    tas_rows_free(rows);
    rows = NULL;
    assert_int_equal(tas_db_do(p->db, &rows, sql, tas_int(10001)), TAS_E_LIMIT);
    assert_null(rows);
    assert_ok(tas_db_do(p->db, NULL, sql, tas_int(20000))); /* nobody wants them */
    assert_ok(add(p->db, 1, "still usable"));
}

static void too_many_bytes_are_a_limit(void **state) {
    struct place *p = *state;
    size_t len = 9 << 20;
    uint8_t *data = test_calloc(1, len);
    for (int64_t id = 1; id <= 4; id++)
        assert_ok(tas_db_do(p->db, NULL, "INSERT INTO thing (id, data) VALUES ($1, $2)", tas_int(id),
                            tas_blob(data, len)));
    test_free(data);
    struct tas_rows *rows = NULL;
    assert_ok(tas_db_run(p->db, "SELECT data FROM thing WHERE id <= 3", NULL, 0, &rows));
    assert_int_equal(tas_rows_blob(rows, 2, 0).len, len);
    tas_rows_free(rows);
    assert_int_equal(tas_db_run(p->db, "SELECT data FROM thing", NULL, 0, &rows), TAS_E_LIMIT);
    assert_int_equal(ask_int(p->db, "SELECT count(*) FROM thing"), 4);
}

static void many_different_statements_are_no_problem(void **state) {
    struct place *p = *state;
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 1200; i++) {
            char sql[64];
            snprintf(sql, sizeof(sql), "SELECT count(*) + %d FROM thing", i);
            assert_int_equal(ask_int(p->db, sql), i);
        }
}

static void a_statement_is_prepared_anew_when_its_table_changed(void **state) {
    struct place *p = *state;
    open_other(p);
    struct tas_rows *rows = NULL;
    assert_ok(tas_db_run(p->db, "SELECT * FROM thing", NULL, 0, &rows));
    tas_rows_free(rows);
    run(p->other, "ALTER TABLE thing ADD COLUMN more BIGINT");
    int err = tas_db_run(p->db, "SELECT * FROM thing", NULL, 0, NULL);
    assert_true(err == TAS_OK || err == TAS_E_MORE); /* MORE: the whole transaction again */
    assert_ok(tas_db_run(p->db, "SELECT * FROM thing", NULL, 0, NULL));
    if (!p->pg_url)
        return;
    run(p->db, "DEALLOCATE ALL");
    assert_int_equal(tas_db_run(p->db, "SELECT * FROM thing", NULL, 0, NULL), TAS_E_MORE);
    assert_ok(tas_db_run(p->db, "SELECT * FROM thing", NULL, 0, NULL));
}

/* ---- transactions ---- */

struct trip {
    struct place *place;
    int n_calls;
    int fails_with;  /* after its statements */
    int fails_calls; /* so many times */
};

static int add_two(struct tas_db *db, void *ctx) {
    struct trip *trip = ctx;
    trip->n_calls++;
    int err = add(db, 1, "one");
    if (err == TAS_OK)
        err = add(db, 2, "two");
    return err == TAS_OK && trip->n_calls <= trip->fails_calls ? trip->fails_with : err;
}

static void a_transaction_is_all_or_nothing(void **state) {
    struct place *p = *state;
    struct trip trip = {.fails_with = TAS_E_AUTH, .fails_calls = 1};
    assert_int_equal(tas_db_transaction(p->db, add_two, &trip), TAS_E_AUTH);
    assert_int_equal(trip.n_calls, 1);
    assert_int_equal(ask_int(p->db, "SELECT count(*) FROM thing"), 0);
    assert_ok(tas_db_transaction(p->db, add_two, &trip));
    assert_int_equal(ask_int(p->db, "SELECT count(*) FROM thing"), 2);
    assert_int_equal(tas_db_transaction(p->db, add_two, &trip), TAS_E_STATE);
    assert_int_equal(ask_int(p->db, "SELECT count(*) FROM thing"), 2);
}

static void what_was_in_the_way_is_tried_again(void **state) {
    struct place *p = *state;
    struct trip trip = {.fails_with = TAS_E_MORE, .fails_calls = 3};
    assert_ok(tas_db_transaction(p->db, add_two, &trip));
    assert_int_equal(trip.n_calls, 4);
    assert_int_equal(ask_int(p->db, "SELECT count(*) FROM thing"), 2);
}

static void trying_again_ends_after_ten_seconds(void **state) {
    struct place *p = *state;
    struct trip trip = {.fails_with = TAS_E_MORE, .fails_calls = INT32_MAX};
    uint64_t began_us = tas_mono_us();
    assert_int_equal(tas_db_transaction(p->db, add_two, &trip), TAS_E_MORE);
    uint64_t took_ms = (tas_mono_us() - began_us) / 1000;
    assert_in_range(took_ms, 10000, 13000);
    assert_true(trip.n_calls > 20);
}

static int ignore_errors(struct tas_db *db, void *ctx) {
    (void)ctx;
    assert_int_equal(add(db, 1, "again"), TAS_E_STATE);
    assert_int_equal(add(db, 5, "five"), TAS_E_STATE); /* nothing runs after an error */
    assert_int_equal(tas_db_notify(db), TAS_E_STATE);
    return TAS_OK;
}

static void an_error_that_fn_ignores_still_rolls_back(void **state) {
    struct place *p = *state;
    assert_ok(add(p->db, 1, "one"));
    assert_int_equal(tas_db_transaction(p->db, ignore_errors, NULL), TAS_E_STATE);
    assert_int_equal(ask_int(p->db, "SELECT count(*) FROM thing"), 1);
    assert_ok(add(p->db, 5, "five"));
}

static int count_up(struct tas_db *db, void *ctx) {
    (void)ctx;
    struct tas_rows *rows = NULL;
    int err = tas_db_run(db, "UPDATE thing SET n = n + 1 WHERE id = 1 RETURNING n", NULL, 0, &rows);
    tas_rows_free(rows);
    return err;
}

enum { COUNTERS = 4, COUNTS = 100 };

static void *count_many(void *ctx) {
    struct place *p = ctx;
    char why[TAS_DB_WHY];
    struct tas_db *db = tas_db_open(p->url, why);
    long failures = db ? 0 : COUNTS;
    for (int i = 0; db && i < COUNTS; i++)
        failures += tas_db_transaction(db, count_up, NULL) != TAS_OK;
    tas_db_close(db);
    return (void *)failures; /* cmocka's asserts belong to the main thread */
}

static void four_threads_lose_no_count(void **state) {
    struct place *p = *state;
    run(p->db, "INSERT INTO thing (id, n) VALUES (1, 0)");
    pthread_t threads[COUNTERS];
    for (int i = 0; i < COUNTERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_many, p), 0);
    for (int i = 0; i < COUNTERS; i++) {
        void *failures = NULL;
        pthread_join(threads[i], &failures);
        assert_null(failures);
    }
    assert_int_equal(ask_int(p->db, "SELECT n FROM thing"), COUNTERS * COUNTS);
}

static int write_while_held(struct tas_db *db, void *ctx) {
    struct place *p = ctx;
    assert_ok(tas_db_run(db, "UPDATE thing SET n = 5 WHERE id = 1", NULL, 0, NULL));
    uint64_t began_us = tas_mono_us();
    assert_int_equal(tas_db_run(p->db, "UPDATE thing SET n = 6 WHERE id = 1", NULL, 0, NULL), TAS_E_MORE);
    assert_in_range((tas_mono_us() - began_us) / 1000, 4900, 8000);
    assert_int_equal(ask_int(p->db, "SELECT n FROM thing"), 1); /* readers are not in the way */
    return TAS_OK;
}

static void a_lock_that_is_held_for_long_is_in_the_way(void **state) {
    struct place *p = *state;
    open_other(p);
    run(p->db, "INSERT INTO thing (id, n) VALUES (1, 1)");
    assert_ok(tas_db_transaction(p->other, write_while_held, p));
    run(p->db, "UPDATE thing SET n = 6 WHERE id = 1");
}

/* Two rows in opposite order: PostgreSQL finds a deadlock and ends one, which is tried again. */
static pthread_barrier_t both_have_one;

static int update_both(struct tas_db *db, void *ctx) {
    struct trip *trip = ctx;
    int64_t first = trip->fails_with;
    int err = tas_db_do(db, NULL, "UPDATE thing SET n = n + 1 WHERE id = $1", tas_int(first));
    if (trip->n_calls++ == 0)
        pthread_barrier_wait(&both_have_one);
    return err == TAS_OK ? tas_db_do(db, NULL, "UPDATE thing SET n = n + 1 WHERE id = $1", tas_int(3 - first))
                         : err;
}

static void *update_second(void *ctx) {
    struct trip *trip = ctx;
    return tas_db_transaction(trip->place->other, update_both, trip) == TAS_OK ? NULL : trip;
}

static void a_deadlock_is_tried_again(void **state) {
    struct place *p = *state;
    if (!p->pg_url)
        skip(); /* SQLite lets one writer in at a time */
    open_other(p);
    run(p->db, "INSERT INTO thing (id, n) VALUES (1, 0), (2, 0)");
    pthread_barrier_init(&both_have_one, NULL, 2);
    struct trip mine = {.fails_with = 1}, theirs = {.place = p, .fails_with = 2};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, update_second, &theirs), 0);
    int err = tas_db_transaction(p->db, update_both, &mine);
    void *failure = NULL;
    pthread_join(thread, &failure);
    pthread_barrier_destroy(&both_have_one);
    assert_ok(err);
    assert_null(failure);
    assert_int_equal(mine.n_calls + theirs.n_calls, 3);
    assert_int_equal(ask_int(p->db, "SELECT sum(n) FROM thing"), 4);
}

static int read_or_fail(struct tas_db *db, void *ctx) {
    struct trip *trip = ctx;
    if (trip->n_calls++ < trip->fails_calls)
        return trip->fails_with;
    return tas_db_run(db, "SELECT 1", NULL, 0, NULL);
}

static void a_reading_is_tried_again(void **state) {
    struct place *p = *state;
    struct trip trip = {.fails_with = TAS_E_CLOSED, .fails_calls = 2};
    assert_ok(tas_db_read(p->db, read_or_fail, &trip));
    assert_int_equal(trip.n_calls, 3);
    trip = (struct trip){.fails_with = TAS_E_ABSENT, .fails_calls = 1};
    assert_int_equal(tas_db_read(p->db, read_or_fail, &trip), TAS_E_ABSENT);
}

/* ---- a lost connection (PostgreSQL) ---- */

static void cut(struct place *p, struct tas_db *victim) {
    int64_t pid = ask_int(victim, "SELECT pg_backend_pid()");
    struct tas_rows *rows = NULL;
    assert_ok(tas_db_do(p->other, &rows, "SELECT pg_terminate_backend(CAST($1 AS INT), 5000)", tas_int(pid)));
    assert_int_equal(tas_rows_int(rows, 0, 0), 1);
    tas_rows_free(rows);
}

static int add_two_cut_once(struct tas_db *db, void *ctx) {
    struct trip *trip = ctx;
    int err = add_two(db, trip);
    if (err == TAS_OK && trip->n_calls == 1) {
        cut(trip->place, db);
        err = add(db, 3, "three");
        assert_int_equal(err, TAS_E_CLOSED);
        assert_int_equal(add(db, 3, "three"), TAS_E_CLOSED);
    }
    return err;
}

static void a_connection_cut_in_a_transaction_is_made_anew(void **state) {
    struct place *p = *state;
    if (!p->pg_url)
        skip();
    open_other(p);
    struct trip trip = {.place = p};
    assert_ok(tas_db_transaction(p->db, add_two_cut_once, &trip));
    assert_int_equal(trip.n_calls, 2);
    assert_int_equal(ask_int(p->db, "SELECT count(*) FROM thing"), 2);
}

static int add_two_cut_before_commit(struct tas_db *db, void *ctx) {
    struct trip *trip = ctx;
    int64_t has_written =
        ask_int(db, "SELECT CASE WHEN pg_current_xact_id_if_assigned() IS NULL THEN 0 ELSE 1 END");
    assert_int_equal(has_written, trip->n_calls); /* before fn did anything */
    int err = add_two(db, trip);
    if (err == TAS_OK && trip->n_calls == 1)
        cut(trip->place, db);
    return err;
}

static void after_an_unknown_commit_the_next_one_writes(void **state) {
    struct place *p = *state;
    if (!p->pg_url)
        skip();
    open_other(p);
    struct trip trip = {.place = p};
    assert_ok(tas_db_transaction(p->db, add_two_cut_before_commit, &trip));
    assert_int_equal(trip.n_calls, 2);
    assert_int_equal(ask_int(p->db, "SELECT count(*) FROM thing"), 2);
}

static int add_unless_there(struct tas_db *db, void *ctx) {
    struct trip *trip = ctx;
    trip->n_calls++;
    return ask_int(db, "SELECT count(*) FROM thing") > 0 ? TAS_OK : add(db, 1, "one");
}

/* The server warns when it commits without the standby. Here a trigger warns. */
static void a_commit_that_warns_counts_as_lost(void **state) {
    struct place *p = *state;
    if (!p->pg_url)
        skip();
    run(p->db, "CREATE FUNCTION warn() RETURNS trigger LANGUAGE plpgsql AS "
               "'BEGIN RAISE WARNING ''not on the standby''; RETURN NULL; END'");
    run(p->db, "CREATE CONSTRAINT TRIGGER warns AFTER INSERT ON thing DEFERRABLE INITIALLY DEFERRED "
               "FOR EACH ROW EXECUTE FUNCTION warn()");
    struct trip trip = {0};
    assert_ok(tas_db_transaction(p->db, add_unless_there, &trip));
    assert_int_equal(trip.n_calls, 2);
    assert_int_equal(ask_int(p->db, "SELECT count(*) FROM thing"), 1);
}

static void a_connection_cut_while_idle_is_made_anew(void **state) {
    struct place *p = *state;
    if (!p->pg_url)
        skip();
    open_other(p);
    cut(p, p->db);
    struct trip trip = {0};
    assert_ok(tas_db_transaction(p->db, add_two, &trip));
    assert_int_equal(trip.n_calls, 1); /* it did not get as far as fn */
    cut(p, p->db);
    assert_int_equal(add(p->db, 3, "three"), TAS_E_CLOSED);
    assert_ok(add(p->db, 3, "three"));
    cut(p, p->db);
    assert_ok(tas_db_read(p->db, read_or_fail, &trip));
}

/* ---- notices ---- */

static int add_and_notify(struct tas_db *db, void *ctx) {
    int err = add(db, 1, "one");
    if (err == TAS_OK)
        err = tas_db_notify(db);
    return err == TAS_OK ? *(const int *)ctx : err;
}

static uint64_t wait_takes_ms(struct tas_db *db, int timeout_ms, int fd) {
    uint64_t began_us = tas_mono_us();
    tas_db_wait(db, timeout_ms, fd);
    return (tas_mono_us() - began_us) / 1000;
}

static void who_waits_is_woken(void **state) {
    struct place *p = *state;
    int result = TAS_E_AUTH;
    if (!p->pg_url) {
        assert_in_range(wait_takes_ms(p->db, 60, -1), 60, 1000);
        result = TAS_OK;
        assert_ok(tas_db_transaction(p->db, add_and_notify, &result));
        return;
    }
    open_other(p);
    assert_in_range(wait_takes_ms(p->db, 10000, -1), 0, 5000); /* listens from now on: read the state */
    assert_int_equal(tas_db_transaction(p->other, add_and_notify, &result), TAS_E_AUTH);
    assert_in_range(wait_takes_ms(p->db, 60, -1), 60, 1000); /* rolled back: nobody is woken */
    result = TAS_OK;
    assert_ok(tas_db_transaction(p->other, add_and_notify, &result));
    assert_in_range(wait_takes_ms(p->db, 10000, -1), 0, 5000);
    assert_in_range(wait_takes_ms(p->db, 60, -1), 60, 1000); /* once */
    assert_int_equal(ask_int(p->db, "SELECT count(*) FROM thing"), 1);
    cut(p, p->db);
    assert_in_range(wait_takes_ms(p->db, 10000, -1), 0, 5000); /* made anew */
    assert_in_range(wait_takes_ms(p->db, 0, -1), 0, 1000);
}

static void a_descriptor_ends_the_wait(void **state) {
    struct place *p = *state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    tas_db_wait(p->db, 1, -1); /* PostgreSQL: listens */
    assert_in_range(wait_takes_ms(p->db, 60, ends[0]), 60, 1000);
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_in_range(wait_takes_ms(p->db, 10000, ends[0]), 0, 5000);
    close(ends[0]);
    close(ends[1]);
}

/* ---- opening ---- */

static void an_sqlite_file_is_ours_alone_and_safe(void **state) {
    struct place *p = *state;
    if (p->pg_url)
        skip();
    struct stat st;
    assert_int_equal(stat(p->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    char path[160];
    snprintf(path, sizeof(path), "%s-wal", p->path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(ask_int(p->db, "PRAGMA synchronous"), 2);
    assert_int_equal(ask_int(p->db, "PRAGMA foreign_keys"), 1);
    assert_int_equal(ask_int(p->db, "PRAGMA trusted_schema"), 0);
    assert_int_equal(ask_int(p->db, "PRAGMA journal_size_limit"), 64 << 20);
}

static void *open_and_close(void *ctx) {
    char why[TAS_DB_WHY];
    struct tas_db *db = tas_db_open(ctx, why);
    int err = db ? tas_db_run(db, "CREATE TABLE IF NOT EXISTS t (id BIGINT)", NULL, 0, NULL) : TAS_E_IO;
    if (err != TAS_OK)
        print_error("opened by several: %s, error %d: %s\n", db ? "open" : why, err,
                    db ? tas_db_why(db) : "");
    tas_db_close(db);
    return err == TAS_OK ? NULL : ctx;
}

static void a_new_file_may_be_opened_by_several_at_once(void **state) {
    struct place *p = *state;
    if (p->pg_url)
        skip();
    char path[128], url[160];
    snprintf(path, sizeof(path), "%s/copy", p->folder);
    snprintf(url, sizeof(url), "sqlite:%s", path);
    for (int round = 0; round < 20; round++) {
        pthread_t threads[COUNTERS];
        for (int i = 0; i < COUNTERS; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, open_and_close, url), 0);
        for (int i = 0; i < COUNTERS; i++) {
            void *failure = NULL;
            pthread_join(threads[i], &failure);
            assert_null(failure);
        }
        unlink(path);
    }
}

static void postgres_sessions_are_set_up(void **state) {
    struct place *p = *state;
    if (!p->pg_url)
        skip();
    static const char *const settings[][2] = {
        {"SHOW synchronous_commit", "on"}, {"SHOW statement_timeout", "10s"},
        {"SHOW lock_timeout", "5s"},       {"SHOW idle_in_transaction_session_timeout", "15s"},
        {"SHOW client_encoding", "UTF8"},  {"SHOW application_name", "tasuki"},
        {"SHOW search_path", "mine"},
    };
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        struct tas_rows *rows = NULL;
        assert_ok(tas_db_run(p->db, settings[i][0], NULL, 0, &rows));
        assert_string_equal(tas_rows_text(rows, 0, 0), settings[i][1]);
        tas_rows_free(rows);
    }
}

static void addresses_that_lead_nowhere_say_why(void **state) {
    (void)state;
    static const char *const urls[] = {
        "sqlite:",
        "sqlite::memory:",
        "sqlite:/not/there/at.db",
        "sqlite:/",
        "mysql:/x",
        "password=geheim haus=x",
        "postgresql://u:geheim@127.0.0.1:1/x",
        "host=127.0.0.1 port=1 password=geheim",
    };
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        char why[TAS_DB_WHY];
        assert_null(tas_db_open(urls[i], why));
        assert_true(strlen(why) > 0);
        assert_null(strstr(why, "geheim"));
    }
}

int main(void) {
    struct CMUnitTest tests[] = {
        ON_BOTH(values_of_every_kind_come_back),
        ON_BOTH(null_and_empty_are_two_things),
        ON_BOTH(answers_read_alike_whatever_their_type),
        ON_BOTH(more_than_nine_arguments_find_their_places),
        ON_BOTH(keyset_pages_follow_each_other),
        ON_BOTH(only_one_takes_what_is_there_once),
        ON_BOTH(a_hurt_constraint_is_told),
        ON_BOTH(what_a_reason_says_does_not_quote_values),
        ON_BOTH(a_wrong_statement_is_told),
        ON_BOTH(text_that_is_not_utf8_is_refused),
        ON_BOTH(too_many_rows_are_a_limit),
        ON_BOTH(too_many_bytes_are_a_limit),
        ON_BOTH(many_different_statements_are_no_problem),
        ON_BOTH(a_statement_is_prepared_anew_when_its_table_changed),
        ON_BOTH(a_transaction_is_all_or_nothing),
        ON_BOTH(what_was_in_the_way_is_tried_again),
        ON_BOTH(trying_again_ends_after_ten_seconds),
        ON_BOTH(an_error_that_fn_ignores_still_rolls_back),
        ON_BOTH(four_threads_lose_no_count),
        ON_BOTH(a_lock_that_is_held_for_long_is_in_the_way),
        ON_BOTH(a_deadlock_is_tried_again),
        ON_BOTH(a_reading_is_tried_again),
        ON_BOTH(a_connection_cut_in_a_transaction_is_made_anew),
        ON_BOTH(after_an_unknown_commit_the_next_one_writes),
        ON_BOTH(a_commit_that_warns_counts_as_lost),
        ON_BOTH(a_connection_cut_while_idle_is_made_anew),
        ON_BOTH(who_waits_is_woken),
        ON_BOTH(a_descriptor_ends_the_wait),
        ON_BOTH(an_sqlite_file_is_ours_alone_and_safe),
        ON_BOTH(a_new_file_may_be_opened_by_several_at_once),
        ON_BOTH(postgres_sessions_are_set_up),
        ON_BOTH(addresses_that_lead_nowhere_say_why),
    };
    return store_place_run(tests, sizeof(tests) / sizeof(tests[0]));
}
