/* tasukictl audit: are the records what was written? docs/audit.md says what is checked, and what cannot be.
 */
#include "admin/admin.h"
#include "admin/audit_private.h"
#include "os/process.h"
#include "os/service.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PATH_LEN = 512 };

/* ---- the whole database, in one state of it ---- */

static int on_company(void *ctx, const struct store_audit_company *company) {
    struct audit *a = ctx;
    a->report.companies++;
    if (a->only)
        a->company_id = company->id;
    audit_progress(&a->report, company->code);
    return audit_walk_chain(a, company);
}

static int on_lost_company(void *ctx, int64_t company_id) {
    struct audit *a = ctx;
    audit_finding(&a->report, (struct audit_place){0},
                  "there are events of a company (id %" PRId64 ") that is not there", company_id);
    return TAS_OK;
}

static int on_keyset(void *ctx, int64_t sequence, struct tas_bytes keyset) {
    struct audit *a = ctx;
    int err = audit_keys_add(a->keys, keyset);
    if (err == TAS_E_AUTH || err == TAS_E_PROTO) {
        audit_finding(&a->report, (struct audit_place){0}, "KEYSET %" PRId64 " in the table is %s", sequence,
                      err == TAS_E_AUTH ? "not signed by the root" : "no KEYSET");
        return TAS_OK;
    }
    return err;
}

/* TAS_E_ABSENT: there is no company that is called so. */
static int verify(struct audit *a, struct audit_anchors *anchors) {
    int err = store_audit_keysets(a->db, on_keyset, a);
    if (err == TAS_OK)
        err = store_audit_companies(a->db, a->only, on_company, a);
    if (err == TAS_OK && a->only && a->report.companies == 0)
        return TAS_E_ABSENT;
    if (err == TAS_OK && !a->only)
        err = store_audit_lost_companies(a->db, on_lost_company, a);
    if (err == TAS_OK)
        err = audit_walk_sessions(a);
    return err != TAS_OK || !anchors ? err : audit_anchors_check(a, anchors);
}

/* ---- the database: only read, not even a node number is leased, so that copies and standbys can be verified
 * ---- */

static int failed(const struct audit *a, int err, const char *what) {
    const char *library = tas_db_why(a->db);
    fprintf(stderr, "tasukictl: %s: %s%s%s\n", what, tas_err_text(err), library[0] ? ": " : "", library);
    return err == TAS_E_MORE || err == TAS_E_CLOSED || err == TAS_E_FULL ? TAS_EXIT_TEMPORARY : EXIT_FAILURE;
}

/* A file that is not there would be made. */
static bool is_there(const char *url) {
    static const char sqlite[] = "sqlite:";
    if (strncmp(url, sqlite, sizeof(sqlite) - 1) != 0 || access(url + sizeof(sqlite) - 1, F_OK) == 0)
        return true;
    fprintf(stderr, "tasukictl: %s: %s\n", url + sizeof(sqlite) - 1, strerror(errno));
    return false;
}

static int open_store(struct audit *a, const char *url) {
    char why[TAS_DB_WHY];
    int64_t version = 0;
    if (!is_there(url))
        return TAS_EXIT_TEMPORARY;
    a->db = tas_db_open(url, why);
    if (!a->db) {
        fprintf(stderr, "tasukictl: %s\n", why);
        return TAS_EXIT_TEMPORARY;
    }
    int err = tas_db_schema_version(a->db, &version);
    if (err != TAS_OK)
        return failed(a, err, "the schema's version");
    if (version == tas_db_schema_known())
        return EXIT_SUCCESS;
    fprintf(stderr, "tasukictl: the database has schema %" PRId64 ", this program knows %" PRId64 "\n",
            version, tas_db_schema_known());
    return TAS_EXIT_CONFIG;
}

static int verify_and_tell(struct audit *a, struct audit_anchors *anchors) {
    int err = store_audit_begin(a->db);
    a->now = mgr_now();
    if (err == TAS_OK)
        err = verify(a, anchors);
    if (err == TAS_E_ABSENT) {
        fprintf(stderr, "tasukictl: there is no company %s\n", a->only);
        return EXIT_FAILURE;
    }
    if (err != TAS_OK)
        return failed(a, err, "verifying was not finished");
    store_audit_end(a->db);
    audit_conclusion(&a->report);
    return a->report.findings ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* ---- what is needed beside it: files are read before root's rights are given up ---- */

/* config: NULL when only the command line counts. */
static int load_keys(struct audit_keys *keys, const struct admin_args *args, const struct mgr_config *config,
                     char why[AUDIT_KEYS_WHY]) {
    char path[PATH_LEN];
    const char *file = admin_option(args, "keyset");
    int err = file ? audit_keys_load(keys, file, why) : TAS_OK;
    if (err == TAS_OK && !audit_keys_has_root(keys) && config) {
        snprintf(path, sizeof(path), "%s/root.pub", config->keys);
        err = audit_keys_load_root(keys, path, why);
    }
    if (err == TAS_OK && !audit_keys_has_root(keys)) {
        snprintf(why, AUDIT_KEYS_WHY,
                 "--database needs --keyset FILE with the root's public key (root.pub) in it");
        err = TAS_E_CONFIG;
    }
    return err != TAS_OK ? err : audit_keys_settle(keys, why);
}

static int load_files(struct audit *a, const struct admin_args *args, const struct mgr_config *config,
                      struct audit_anchors **anchors) {
    char why[AUDIT_KEYS_WHY] = "out of memory";
    const char *file = admin_option(args, "anchor");
    a->keys = audit_keys_new();
    int err = a->keys ? load_keys(a->keys, args, config, why) : TAS_E_NOMEM;
    if (err == TAS_OK && file) {
        *anchors = audit_anchors_read(file, why);
        err = *anchors ? TAS_OK : TAS_E_CONFIG;
    }
    if (err == TAS_OK)
        return EXIT_SUCCESS;
    fprintf(stderr, "tasukictl: %s\n", why);
    return err == TAS_E_CONFIG ? TAS_EXIT_CONFIG : EXIT_FAILURE;
}

/* No file of an SQLite database may come to belong to root. */
static int become_server(const struct mgr_config *config) {
    const char *user = config && config->user[0] && geteuid() == 0 ? config->user : NULL;
    int err = tas_drop_privileges(user);
    if (err == TAS_OK)
        return EXIT_SUCCESS;
    fprintf(stderr, "tasukictl: cannot become %s: %s\n", user ? user : "(myself)", tas_err_text(err));
    return TAS_EXIT_CONFIG;
}

static int run_verify(const struct admin_args *args) {
    struct audit a = {.report = {.is_json = admin_option(args, "json") != NULL},
                      .only = admin_option(args, "company")};
    const char *database = admin_option(args, "database");
    struct audit_anchors *anchors = NULL;
    char why[TAS_CONF_WHY];
    struct mgr_config *config = database ? NULL : mgr_config_load(args->config, why);
    if (!database && !config) {
        fprintf(stderr, "tasukictl: %s\n", why);
        return TAS_EXIT_CONFIG;
    }
    int code = load_files(&a, args, config, &anchors);
    if (code == EXIT_SUCCESS)
        code = become_server(config);
    if (code == EXIT_SUCCESS)
        code = open_store(&a, database ? database : config->database);
    if (code == EXIT_SUCCESS)
        code = verify_and_tell(&a, anchors);
    tas_db_close(a.db);
    audit_anchors_free(anchors);
    audit_keys_free(a.keys);
    mgr_config_free(config);
    return fflush(stdout) != 0 && code == EXIT_SUCCESS ? EXIT_FAILURE : code;
}

const struct admin_command admin_audit_commands[] = {
    {"audit", "verify", "[--company CODE] [--anchor LOG] [--keyset FILE] [--database URL] [--json]",
     "recomputes the chain of every company and compares all records with it; 1: something was changed",
     " company anchor keyset database !json ", 0, 0, run_verify},
    {0},
};
