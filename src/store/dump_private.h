/* Running pg_dump. */
#pragma once

#include "store/db.h"

/* Writes a dump in pg_dump's custom format to the file at `path`, which is there and empty. conninfo: without
 * a password; password: NULL or given in the child's environment, which only its own user can read. TAS_E_IO:
 * the reason in tas_db_why(db). */
TAS_MUST_USE int store_dump(struct tas_db *db, const char *conninfo, const char *password, const char *path);
