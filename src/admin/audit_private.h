/* The insides of `tasukictl audit verify`: three walks over one state of the database.
 *   audit_chain.c    a company's chain: order, hashes, head, checkpoints
 *   audit_company.c  what the chain says of the company and its operators, against their rows
 *   audit_session.c, audit_claims.c  what the chain says of each session, against its rows
 *   audit_anchor.c   checkpoints that the log has kept, against the chain
 * Each gives TAS_OK also when it found something; what it found is in the report. */
#pragma once

#include "admin/audit_keys.h"
#include "admin/audit_report.h"
#include "base/json.h"
#include "store/audit_read.h"

enum {
    AUDIT_STEP_MS = 5 * 60 * 1000, /* clocks may be set by this much without a word */
    AUDIT_NEAR_MS = 10 * 1000,     /* two looks at the clock within one change of the database */
    AUDIT_TRIED_MS = 30 * 1000,    /* from a request's beginning to its row: it may be tried again for long */
    AUDIT_UNSIGNED_MS = 10 * 60 * 1000, /* a chain's head is signed after half a minute */
};

struct audit {
    struct audit_report report;
    struct tas_db *db;
    struct audit_keys *keys;
    int64_t now;        /* when the database was looked at */
    const char *only;   /* the code of a company; NULL: all */
    int64_t company_id; /* of it, when it is known; 0: all */
};

/* A text that is compared or kept: equal bytes, without a NUL inside. */
static inline bool audit_same(struct tas_bytes bytes, const char *text) {
    return bytes.len == strlen(text) && memcmp(bytes.ptr, text, bytes.len) == 0;
}

/* The detail of an event that is an object; NULL: told. Owned. */
struct tas_json *audit_detail(struct audit *a, struct audit_place place,
                              const struct store_audit_event *event);

/* ---- what tables of fields compare: a member of a detail with a member of a row ---- */

struct audit_fact {
    const char *member; /* of the detail; NULL closes a table */
    const char *words;  /* how the row's column is called */
    bool is_number;
    size_t offset; /* in the row: const char *, or int64_t */
};

/* Tells each that differs. `detail` may be NULL: then nothing may stand in the row. source: "its event
 * \"ended\"". */
void audit_compare(struct audit *a, struct audit_place place, const struct audit_fact *facts, const void *row,
                   const struct tas_json *detail, const char *source);

/* ---- the walks ---- */

TAS_MUST_USE int audit_walk_chain(struct audit *a, const struct store_audit_company *company);

struct audit_policy; /* of one company, gathered while its chain is walked; NULL: no memory */
struct audit_policy *audit_policy_new(struct audit *a, const struct store_audit_company *company);
void audit_policy_free(struct audit_policy *policy); /* NULL is fine */
TAS_MUST_USE int audit_policy_note(struct audit_policy *policy, const struct store_audit_event *event);
TAS_MUST_USE int audit_policy_check(struct audit_policy *policy);

TAS_MUST_USE int audit_walk_sessions(struct audit *a);

/* Claims of one session. */
struct audit_claims;
struct audit_claims *audit_claims_new(struct audit *a, struct audit_place place, int64_t company_id);
void audit_claims_free(struct audit_claims *claims); /* NULL is fine */
TAS_MUST_USE int audit_claims_note(struct audit_claims *claims, const struct store_audit_event *event,
                                   const struct tas_json *detail);
/* The detail of the `claimed` event of a claim; NULL: there is none. Borrowed. */
const struct tas_json *audit_claims_detail(const struct audit_claims *claims, const char *id);
/* is_waiting: the session's row says that somebody waits; NULL: that does not count any more. */
TAS_MUST_USE int audit_claims_check(struct audit_claims *claims, uint64_t session_id, const bool *is_waiting);

/* ---- anchors ---- */

/* Checkpoints in lines of a log: taken from the file before the database is looked at, because what is in the
 * log by then is in the database too. NULL: `why`. */
struct audit_anchors;
struct audit_anchors *audit_anchors_read(const char *path, char why[AUDIT_KEYS_WHY]);
void audit_anchors_free(struct audit_anchors *anchors); /* NULL is fine */
TAS_MUST_USE int audit_anchors_check(struct audit *a, struct audit_anchors *anchors);
