/* One line of JSON per event on standard error (journald keeps it). Any thread may call. */
#pragma once

#include "base/err.h"

#include <stddef.h>

enum tas_log_level {
    TAS_LOG_DEBUG,
    TAS_LOG_INFO,
    TAS_LOG_WARN,
    TAS_LOG_ERROR, /* somebody must act */
};

/* Lines below `level` are left out. INFO until this is called. */
void tas_log_set_level(enum tas_log_level level);

/* The level named by "debug", "info", "warn" or "error". TAS_E_CONFIG: another word. */
TAS_MUST_USE int tas_log_level_of(const char *word, enum tas_log_level *out);

/* Writes
 * {"time":"2026-11-22T17:25:45.123Z","level":"info","component":"relay","event":"paired","room":"9f3a",
 * "wait_ms":41}. `event` is constant; what varies is given as `fmt`: key=value words separated by one space.
 * A value of digits becomes a number; text from outside goes through tas_log_quote(). Never a password, key,
 * ticket, reception number, file content or pixel. A line is at most 2 KiB. */
void tas_log(enum tas_log_level level, const char *component, const char *event, const char *fmt, ...)
    TAS_PRINTF(4, 5);

/* `text` in double quotes with ", \ and everything outside printable ASCII escaped as in JSON, cut to `cap` -
 * 1 bytes (cap >= 8). Returns out. */
char *tas_log_quote(char *out, size_t cap, const char *text);
