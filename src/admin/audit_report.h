/* What `tasukictl audit verify` says: findings, warnings, how far it is. One line each, or one JSON object
 * each. */
#pragma once

#include "base/bytes.h"
#include "base/err.h"

#include <stdbool.h>

struct audit_report {
    bool is_json;
    int64_t events, sessions, companies; /* looked at */
    int64_t findings, warnings;
    uint64_t told_us; /* when progress was told last */
};

/* Where: what is not known is NULL or 0. */
struct audit_place {
    const char *company; /* its code */
    int64_t seq;
    uint64_t session_id;
};

/* Something is not as it was written. Text from the database may stand in the arguments: it is made safe to
 * show. */
void audit_finding(struct audit_report *r, struct audit_place place, const char *fmt, ...) TAS_PRINTF(3, 4);
/* Something that has honest reasons too. */
void audit_warning(struct audit_report *r, struct audit_place place, const char *fmt, ...) TAS_PRINTF(3, 4);

/* On standard error, every few seconds. */
void audit_progress(struct audit_report *r, const char *company);

/* The last line. */
void audit_conclusion(const struct audit_report *r);
