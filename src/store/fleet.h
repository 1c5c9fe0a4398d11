/* Questions about what runs beside a management server: relays, other management servers, and limits that all
 * of them share. */
#pragma once

#include "store/db.h"

enum { STORE_RELAY_NAME = 255, STORE_RELAY_ADDRESS = 263, STORE_NOTICES = 1000 };

struct store_relay {
    int64_t id;
    char name[STORE_RELAY_NAME + 1];       /* what its certificates say */
    char address[STORE_RELAY_ADDRESS + 1]; /* host:port that tools dial */
    char region[17];
    char state[9]; /* new, up, draining, down */
    char version[33];
    int64_t ends, max_connections, seen_at;
};

/* TAS_E_STATE: id or name is taken. */
TAS_MUST_USE int store_relay_add(struct tas_db *db, const struct store_relay *relay);
TAS_MUST_USE int store_relay_remove(struct tas_db *db, int64_t id);
TAS_MUST_USE int store_relay_get(struct tas_db *db, int64_t id, struct store_relay *out);
TAS_MUST_USE int store_relay_list(struct tas_db *db, struct store_relay **out,
                                  size_t *n); /* by id; free(*out) */
/* What it said of itself; name and region stay as they were added. */
TAS_MUST_USE int store_relay_said(struct tas_db *db, const struct store_relay *relay);

/* A node number for ids: the holder's own, or a free one, leased until `until`. holder: no two processes may
 * give the same (tas_process_name()). TAS_E_FULL: all 1024 are in use. */
TAS_MUST_USE int store_node_lease(struct tas_db *db, const char *holder, int64_t now_ms, int64_t until,
                                  int64_t *node);
/* TAS_E_ABSENT: the lease is lost: give out no more ids. */
TAS_MUST_USE int store_node_renew(struct tas_db *db, int64_t node, const char *holder, int64_t until);
TAS_MUST_USE int store_node_release(struct tas_db *db, int64_t node, const char *holder);

struct store_notice {
    uint64_t id;
    char kind[17]; /* session (a operator, b session), claim (a claim), kill (a session, b slot), revoke (a
                    * operator, b company), logout (a operator, b login) */
    uint64_t a, b;
};
/* Inside a transaction: tells all management servers, this one too. */
TAS_MUST_USE int store_notice_add(struct tas_db *db, const struct store_notice *notice);
/* Those with an id above `after`, oldest first; at most STORE_NOTICES. kind NULL: all kinds. but_node: those
 * whose id was made by that node are left out (-1: none are). free(*out) */
TAS_MUST_USE int store_notice_list(struct tas_db *db, uint64_t after, const char *kind, int64_t but_node,
                                   struct store_notice **out, size_t *n);
TAS_MUST_USE int store_notice_purge(struct tas_db *db, uint64_t before);

/* Misses of a scope since `window_start`; 0 when the window is over or there were none. */
TAS_MUST_USE int store_miss_count(struct tas_db *db, const char *scope, int64_t window_start, int64_t *out);
/* One more. */
TAS_MUST_USE int store_miss_add(struct tas_db *db, const char *scope, int64_t now_ms, int64_t window_start);
TAS_MUST_USE int store_miss_purge(struct tas_db *db, int64_t before);
