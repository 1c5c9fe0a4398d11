/* A database for each test of the database layer: SQLite, or in a schema of its own the PostgreSQL of the
 * address in TASUKI_PG_URL when it is set (tests/e2e/test_store.py sets it). */
#pragma once

#include "store/db.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define assert_ok(call) assert_int_equal((call), TAS_OK)

enum { URL_CAP = 512 };

struct place {
    const char *pg_url; /* NULL: SQLite */
    char folder[64];
    char url[URL_CAP];
    char path[128]; /* of the SQLite file */
    struct tas_db *db;
    struct tas_db *other; /* a second connection, opened by the tests that need one */
};

/* For cmocka: *state is the address of a PostgreSQL or NULL, and then a struct place with an empty table
 * thing (id, name, data, n). */
int store_place_set_up(void **state);
int store_place_tear_down(void **state);

/* Runs a program's tests on SQLite and, when there is one, on PostgreSQL. The number of failures. */
int store_place_run(struct CMUnitTest *tests, size_t n);

#define ON_BOTH(test) cmocka_unit_test_setup_teardown(test, store_place_set_up, store_place_tear_down)

/* All of these must succeed. */
struct tas_db *open_url(const char *url);
void open_other(struct place *p);
void run(struct tas_db *db, const char *sql);
int64_t ask_int(struct tas_db *db, const char *sql);

/* Adds a row to thing; the error. */
int add(struct tas_db *db, int64_t id, const char *name);
