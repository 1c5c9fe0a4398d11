/* Questions about companies, operators and logged-in tools. All block; all return what tas_db_run() does, and
 * TAS_E_ABSENT when there is no such row. Texts are copied. */
#pragma once

#include "store/db.h"

enum {
    STORE_CODE = 16,  /* bytes of a company code, 4..16 of [a-z0-9-] */
    STORE_LOGIN = 64, /* printable ASCII without space */
    STORE_NAME = 96,  /* UTF-8; what a STATEMENT holds */
    STORE_PASSWORD = 128,
    STORE_ADDRESS = 64,
    STORE_VERSION = 32,
    STORE_REGIONS = 256,
};

struct store_company {
    int64_t id;
    char code[STORE_CODE + 1];
    char name[STORE_NAME + 1];
    bool is_frozen;
    int64_t perms;                   /* rights an operator may be given at most */
    int64_t lock_after;              /* wrong passwords; 0: never */
    int64_t lock_minutes;            /* how long */
    int64_t max_live;                /* numbers and sessions at once per operator */
    char regions[STORE_REGIONS + 1]; /* "jp,eu"; "" all */
    int64_t created_at;
    int64_t chain_seq;
};

struct store_operator {
    uint64_t id;
    int64_t company_id;
    char login[STORE_LOGIN + 1];
    char name[STORE_NAME + 1];
    char password[STORE_PASSWORD]; /* the hash */
    bool is_disabled;
    int64_t failures;
    int64_t locked_until; /* ms */
    int64_t created_at;
};

struct store_tool_login {
    uint64_t id, operator_id;
    int64_t company_id;
    uint8_t device_pk[32];
    char address[STORE_ADDRESS + 1];
    char tool_version[STORE_VERSION + 1];
    int64_t created_at, expires_at;
    bool is_revoked;
};

/* Gives the company the next free small id. genesis: the chain's first hash for an id. TAS_E_STATE: the code
 * is taken. */
TAS_MUST_USE int store_company_add(struct tas_db *db, struct store_company *company,
                                   int (*genesis)(uint8_t out[32], uint32_t company_id));
TAS_MUST_USE int store_company_by_code(struct tas_db *db, const char *code, struct store_company *out);
TAS_MUST_USE int store_company_by_id(struct tas_db *db, int64_t id, struct store_company *out);
/* Inside a transaction: the same, and nobody else changes it until the commit. */
TAS_MUST_USE int store_company_take(struct tas_db *db, int64_t id, struct store_company *out);
TAS_MUST_USE int store_company_set_frozen(struct tas_db *db, int64_t id, bool is_frozen);
TAS_MUST_USE int store_company_set_policy(struct tas_db *db, const struct store_company *company);
TAS_MUST_USE int store_company_list(struct tas_db *db, struct store_company **out,
                                    size_t *n); /* free(*out) */

TAS_MUST_USE int store_operator_add(struct tas_db *db, const struct store_operator *op);
TAS_MUST_USE int store_operator_by_login(struct tas_db *db, int64_t company_id, const char *login,
                                         struct store_operator *out);
TAS_MUST_USE int store_operator_by_id(struct tas_db *db, uint64_t id, struct store_operator *out);
TAS_MUST_USE int store_operator_list(struct tas_db *db, int64_t company_id, struct store_operator **out,
                                     size_t *n);
TAS_MUST_USE int store_operator_set_disabled(struct tas_db *db, uint64_t id, bool is_disabled);
/* Also forgets failures and lock. */
TAS_MUST_USE int store_operator_set_password(struct tas_db *db, uint64_t id, const char *hash);

/* One more wrong password: locks until `lock_until` when that makes `lock_after` of them (*locks: it did).
 * While an account is locked nothing is counted, so that whoever goes on guessing cannot keep its owner out
 * for longer; after a lock the count begins anew. The id of nobody (0) does the same work. */
TAS_MUST_USE int store_operator_failed(struct tas_db *db, uint64_t id, int64_t lock_after, int64_t now_ms,
                                       int64_t lock_until, bool *locks);
/* Forgets failures and lock. */
TAS_MUST_USE int store_operator_succeeded(struct tas_db *db, uint64_t id);
/* Inside the transaction that logs in somebody whose password was checked against `op` before it: forgets
 * failures, and holds the row, so that a reset or a lock comes either before or after. TAS_E_ABSENT: the
 * password is no longer that one, or the account is disabled or locked. */
TAS_MUST_USE int store_operator_enter(struct tas_db *db, const struct store_operator *op, int64_t now_ms);
/* Another hash of the same password, unless it was changed. TAS_E_ABSENT: it was. */
TAS_MUST_USE int store_operator_rehash(struct tas_db *db, const struct store_operator *op, const char *hash);

TAS_MUST_USE int store_login_event(struct tas_db *db, uint64_t id, int64_t at, int64_t company_id,
                                   uint64_t operator_id, const char *code, const char *login,
                                   const char *address, const char *outcome);

/* Forgets tools' logins that ran out before `logins_before`, and login events from before `events_before`. */
TAS_MUST_USE int store_login_purge(struct tas_db *db, int64_t logins_before, int64_t events_before);

TAS_MUST_USE int store_tool_login_add(struct tas_db *db, const struct store_tool_login *login);
/* With the operator and company it belongs to; those that are revoked or expired too: look. */
TAS_MUST_USE int store_tool_login_get(struct tas_db *db, uint64_t id, struct store_tool_login *login,
                                      struct store_operator *op, struct store_company *company);
/* Operators with a login that ran out in (from, to]; at most 1000. free(*operators) */
TAS_MUST_USE int store_tool_login_expired(struct tas_db *db, int64_t from, int64_t to, uint64_t **operators,
                                          size_t *n);
/* Has the operator a login that is good at now_ms? */
TAS_MUST_USE int store_tool_login_has_good(struct tas_db *db, uint64_t operator_id, int64_t now_ms,
                                           bool *out);
TAS_MUST_USE int store_tool_login_revoke(struct tas_db *db, uint64_t id, int64_t at);
/* All of an operator (operator_id != 0) or of a company. */
TAS_MUST_USE int store_tool_login_revoke_all(struct tas_db *db, uint64_t operator_id, int64_t company_id,
                                             int64_t at);
