/* tasukictl db: the database as a whole. */
#include "admin/admin.h"

#include "os/service.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static int run_migrate(const struct admin_args *args) {
    int code;
    char why[TAS_DB_WHY] = "";
    int64_t before = 0;
    struct admin *admin = admin_open_any_schema(args, &code);
    if (!admin)
        return code;
    int err = tas_db_schema_version(admin_db(admin), &before);
    if (err == TAS_OK)
        err = tas_db_migrate(admin_db(admin), why);
    if (err == TAS_OK && before == tas_db_schema_known())
        printf("the database has schema %" PRId64 " already\n", before);
    else if (err == TAS_OK)
        printf("schema %" PRId64 " -> %" PRId64 "\n", before, tas_db_schema_known());
    else
        fprintf(stderr, "tasukictl: %s\n", why[0] ? why : tas_db_why(admin_db(admin)));
    admin_close(admin);
    return err == TAS_OK ? EXIT_SUCCESS : err == TAS_E_CONFIG ? TAS_EXIT_CONFIG : EXIT_FAILURE;
}

static int run_check(const struct admin_args *args) {
    int code;
    char why[TAS_DB_WHY] = "";
    struct admin *admin = admin_open(args, &code);
    if (!admin)
        return code;
    int err = tas_db_check(admin_db(admin), why);
    if (err == TAS_OK)
        printf("the database is sound, schema %" PRId64 "\n", tas_db_schema_known());
    else
        fprintf(stderr, "tasukictl: %s\n", why[0] ? why : tas_db_why(admin_db(admin)));
    admin_close(admin);
    return err == TAS_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int run_backup(const struct admin_args *args) {
    int code;
    char why[TAS_DB_WHY] = "";
    struct admin *admin = admin_open(args, &code);
    if (!admin)
        return code;
    int err = tas_db_backup(admin_db(admin), args->words[0], why);
    if (err == TAS_OK)
        printf("%s written\n", args->words[0]);
    else
        fprintf(stderr, "tasukictl: %s\n", why[0] ? why : tas_err_text(err));
    admin_close(admin);
    return err == TAS_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

const struct admin_command admin_db_commands[] = {
    {"db", "migrate", "", "makes the tables, or brings them to this release", "", 0, 0, run_migrate},
    {"db", "check", "", "looks the whole database over", "", 0, 0, run_check},
    {"db", "backup", "FILE", "a copy of the running database", "", 1, 1, run_backup},
    {0},
};
