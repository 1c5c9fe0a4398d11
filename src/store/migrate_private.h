/* The schema's steps, embedded by embed.py. A step is SQL text, several statements separated by ';' at the
 * end of a line, that runs on SQLite and PostgreSQL alike. */
#pragma once

#include "store/db.h"

#include <stddef.h>
#include <stdint.h>

struct store_migration {
    int64_t version;
    const char *name;
    const char *sql;
};

extern const struct store_migration store_migrations[];
extern const size_t store_n_migrations;

/* tas_db_migrate() and the comparison in tas_db_check() with other steps than the embedded ones; numbered 1,
 * 2, 3 ... */
TAS_MUST_USE int store_migrate(struct tas_db *db, const struct store_migration *steps, size_t n_steps,
                               char why[TAS_DB_WHY]);
TAS_MUST_USE int store_check(struct tas_db *db, const struct store_migration *steps, size_t n_steps,
                             char why[TAS_DB_WHY]);
