/* What every server program does between main() and its work: options, exit codes, --check and
 * --print-config. */
#pragma once

#include "base/err.h"
#include "base/log.h"

#include <stdbool.h>

enum { TAS_EXIT_USAGE = 2, TAS_EXIT_TEMPORARY = 75, TAS_EXIT_CONFIG = 78, TAS_SERVICE_WHY = 512 };

/* The same options for every server: --config FILE, --check, --print-config, --version, --help. */
struct tas_service {
    const char *name;        /* "tasuki-manager" */
    const char *config_path; /* when --config is not given */
    const char *about;       /* what it does and which signals it knows, for --help; lines end with \n */
    /* Reads and checks everything that can be checked without starting. False: `why`. */
    bool (*load)(void *ctx, const char *path, char why[TAS_SERVICE_WHY]);
    void (*print)(void *ctx);                  /* --print-config, to standard output */
    int (*serve)(void *ctx, const char *path); /* runs; the exit code */
    void (*unload)(void *ctx);                 /* undoes load(), a half-done one too */
};

/* main() of a server program. The exit code: 0, 1 failure, 2 usage, 75 temporary, 78 configuration. */
int tas_service_main(const struct tas_service *service, void *ctx, int argc, char **argv);

/* The options `clock` ("require", "warn") and `log_level` of every server. NULL: fine; otherwise what is
 * wrong. */
const char *tas_service_words(const char *clock, const char *log_level, bool *needs_clock,
                              enum tas_log_level *level);

/* Is the clock synchronised, or need it not be? Logs what it found; `is_synchronised` is for /metrics. */
bool tas_service_clock(const char *component, bool is_required, bool *is_synchronised);

/* Drops privileges to `user` ("": keeps the present one). EXIT_SUCCESS, or the exit code, and it is logged.
 */
int tas_service_become(const char *component, const char *user);
