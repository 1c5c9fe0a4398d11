/* tasukictl: what every command shares. A command is a row of a table (main.c); each cmd_*.c has one group of
 * them. */
#pragma once

#include "manager/manager.h"

enum { ADMIN_ARGS = 8, ADMIN_OPTIONS = 16 };

/* The command line after the command's two words. */
struct admin_args {
    const char *config;            /* --config FILE */
    const char *words[ADMIN_ARGS]; /* what is no option */
    size_t n_words;
    struct {
        const char *name;  /* without "--" */
        const char *value; /* "" when it takes none */
    } options[ADMIN_OPTIONS];
    size_t n_options;
};

/* The value of an option; NULL: not given. */
const char *admin_option(const struct admin_args *args, const char *name);
/* A number from least to most, or `otherwise` when it was not given. False: told what is wrong. */
bool admin_option_number(const struct admin_args *args, const char *name, int64_t least, int64_t most,
                         int64_t otherwise, int64_t *out);

struct admin_command {
    const char *group, *name; /* "company", "add" */
    const char *usage;        /* "CODE NAME [--lock-after N]" */
    const char *about;
    const char *options; /* " lock-after regions ": those that take a value; with '!' before it: none */
    size_t least_words, most_words;
    int (*run)(const struct admin_args *args); /* the exit code */
};

extern const struct admin_command admin_company_commands[], admin_operator_commands[], admin_relay_commands[],
    admin_keyset_commands[], admin_client_commands[], admin_audit_commands[], admin_db_commands[],
    admin_session_commands[]; /* each ends with group NULL */

/* The configuration of the management server, its database and server keys, as whoever works on them: reads
 * keys first, then becomes the server's user when it is root, so that no file of the database belongs to
 * root. Complains on standard error. NULL: the exit code is in *code. */
struct admin *admin_open(const struct admin_args *args, int *code);
void admin_close(struct admin *admin); /* NULL is fine */
struct tas_db *admin_db(struct admin *admin);
struct mgr *admin_mgr(struct admin *admin); /* for mgr_audit(), mgr_notice(); has no http and no signer */

/* The same without requiring that the schema is up to date. */
struct admin *admin_open_any_schema(const struct admin_args *args, int *code);

/* Says what went wrong with the database, returns the exit code. */
int admin_store_failed(struct admin *admin, int err, const char *what);

/* Whoever ran it, before sudo and before privileges were dropped: actor "platform:NAME" in the audit chain.
 */
const char *admin_actor(const struct admin *admin, char out[STORE_ACTOR]);

/* A company by its code, an operator by company and login. False: told. */
bool admin_find_company(struct admin *admin, const char *code, struct store_company *out);
bool admin_find_operator(struct admin *admin, const char *code, const char *login,
                         struct store_company *company, struct store_operator *out);

/* Ends all live sessions of an operator (0: of the whole company) and its logins. Inside a transaction. */
TAS_MUST_USE int admin_end_all(struct admin *admin, struct tas_db *db, int64_t company_id,
                               uint64_t operator_id);

/* 2026-11-22T17:25:45.123Z */
char *admin_time(char out[32], int64_t ms);
