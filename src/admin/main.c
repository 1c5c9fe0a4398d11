/* tasukictl: the platform administrator's tool, on the machine of a management server. There is no default
 * account and no set-up page: the first company and operator are made here. */
#include "admin/admin.h"

#include "os/process.h"
#include "os/secret.h"
#include "os/service.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static const struct admin_command *const tables[] = {
    admin_company_commands, admin_operator_commands, admin_relay_commands, admin_keyset_commands,
    admin_client_commands,  admin_audit_commands,    admin_db_commands,    admin_session_commands,
};
enum { N_TABLES = sizeof(tables) / sizeof(tables[0]), PATH_LEN = 512 };

/* ---- help ---- */

static void usage(FILE *to) {
    fputs("Usage: tasukictl [--config FILE] GROUP COMMAND [ARGUMENTS]\n\n", to);
    for (size_t t = 0; t < N_TABLES; t++)
        for (const struct admin_command *c = tables[t]; c->group; c++)
            fprintf(to, "  %s %s %s\n        %s\n", c->group, c->name, c->usage, c->about);
    fputs("\nThe configuration is the management server's (default /etc/tasuki/manager.conf).\n"
          "Exit codes: 0, 1 failure or a record that was tampered with, 2 usage, 75 temporary, 78 "
          "configuration.\n",
          to);
}

static const struct admin_command *find(const char *group, const char *name) {
    for (size_t t = 0; t < N_TABLES; t++)
        for (const struct admin_command *c = tables[t]; c->group; c++)
            if (strcmp(c->group, group) == 0 && strcmp(c->name, name) == 0)
                return c;
    return NULL;
}

static int wrong_use(const struct admin_command *c, const char *why, const char *what) {
    fprintf(stderr, "tasukictl: %s%s\n", why, what);
    if (c)
        fprintf(stderr, "Usage: tasukictl %s %s %s\n", c->group, c->name, c->usage);
    else
        fputs("tasukictl --help lists all commands\n", stderr);
    return TAS_EXIT_USAGE;
}

/* ---- arguments ---- */

/* 0: not known; 1: takes a value; 2: takes none. */
static int option_kind(const struct admin_command *c, const char *name) {
    char wanted[64];
    snprintf(wanted, sizeof(wanted), " %s ", name);
    if (strstr(c->options, wanted))
        return 1;
    snprintf(wanted, sizeof(wanted), " !%s ", name);
    return strstr(c->options, wanted) ? 2 : 0;
}

static int read_args(const struct admin_command *c, int argc, char **argv, struct admin_args *out) {
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "--", 2) != 0) {
            if (out->n_words == c->most_words)
                return wrong_use(c, "unexpected argument ", argv[i]);
            out->words[out->n_words++] = argv[i];
            continue;
        }
        int kind = option_kind(c, argv[i] + 2);
        if (kind == 0)
            return wrong_use(c, "unknown option ", argv[i]);
        if ((kind == 1 && i + 1 == argc) || out->n_options == ADMIN_OPTIONS)
            return wrong_use(c, "a value is missing behind ", argv[i]);
        out->options[out->n_options].name = argv[i] + 2;
        out->options[out->n_options++].value = kind == 1 ? argv[i + 1] : "";
        i += kind == 1;
    }
    return out->n_words < c->least_words ? wrong_use(c, "an argument is missing", "") : 0;
}

const char *admin_option(const struct admin_args *args, const char *name) {
    for (size_t i = 0; i < args->n_options; i++)
        if (strcmp(args->options[i].name, name) == 0)
            return args->options[i].value;
    return NULL;
}

bool admin_option_number(const struct admin_args *args, const char *name, int64_t least, int64_t most,
                         int64_t otherwise, int64_t *out) {
    const char *text = admin_option(args, name);
    char *end;
    *out = otherwise;
    if (!text)
        return true;
    *out = strtoll(text, &end, 10);
    if (*text && !*end && *out >= least && *out <= most)
        return true;
    fprintf(stderr, "tasukictl: --%s must be a number from %lld to %lld\n", name, (long long)least,
            (long long)most);
    return false;
}

/* ---- the server's configuration and database ---- */

struct admin {
    struct mgr m;
    struct tas_db *db;
    bool has_lease;  /* of a node number */
    char person[65]; /* who runs this */
};

static int open_store(struct admin *a, bool any_schema) {
    char why[TAS_DB_WHY];
    int64_t version = 0;
    a->db = tas_db_open(a->m.config->database, why);
    if (!a->db) {
        fprintf(stderr, "tasukictl: %s\n", why);
        return TAS_EXIT_TEMPORARY;
    }
    if (any_schema)
        return EXIT_SUCCESS;
    if (tas_db_schema_version(a->db, &version) != TAS_OK)
        return admin_store_failed(a, TAS_E_IO, "the schema's version");
    if (version == tas_db_schema_known())
        return EXIT_SUCCESS;
    fprintf(stderr, "tasukictl: the database has schema %lld, this program knows %lld: %s\n",
            (long long)version, (long long)tas_db_schema_known(),
            version < tas_db_schema_known() ? "run tasukictl db migrate" : "install the newer release");
    return TAS_EXIT_CONFIG;
}

static int lease(struct tas_db *db, void *ctx) {
    return mgr_node_lease(ctx, db);
}

static int release(struct tas_db *db, void *ctx) {
    const struct mgr *m = ctx;
    return store_node_release(db, m->ids.node, m->holder);
}

/* Before privileges are dropped: it is a person who goes on record, not the server's user. */
static void note_person(struct admin *a) {
    const char *name = getenv("SUDO_USER");
    const struct passwd *pw = name ? NULL : getpwuid(getuid());
    snprintf(a->person, sizeof(a->person), "%s", name ? name : pw ? pw->pw_name : "unknown");
}

static int open_all(struct admin *a, const char *config, bool any_schema) {
    char why[TAS_CONF_WHY];
    char path[PATH_LEN];
    note_person(a);
    a->m.config = mgr_config_load(config, why);
    a->m.crypto = tas_crypto_native();
    a->m.keys = tas_secret_locked.alloc(sizeof(*a->m.keys));
    if (!a->m.config || !a->m.keys) {
        fprintf(stderr, "tasukictl: %s\n", a->m.config ? "out of memory" : why);
        return TAS_EXIT_CONFIG;
    }
    snprintf(path, sizeof(path), "%s/server.keys", a->m.config->keys);
    if (mgr_keyfile_load_server(path, a->m.keys, why) != TAS_OK) {
        fprintf(stderr, "tasukictl: %s\n", why);
        return TAS_EXIT_CONFIG;
    }
    const char *user = a->m.config->user[0] && geteuid() == 0 ? a->m.config->user : NULL;
    int err = tas_drop_privileges(user);
    if (err != TAS_OK) {
        fprintf(stderr, "tasukictl: cannot become %s: %s\n", user ? user : "(myself)", tas_err_text(err));
        return TAS_EXIT_CONFIG;
    }
    tas_process_name(a->m.holder, sizeof(a->m.holder)); /* two at once must not give out the same ids */
    int code = open_store(a, any_schema);
    if (code != EXIT_SUCCESS || any_schema)
        return code;
    err = tas_db_transaction(a->db, lease, &a->m);
    a->has_lease = err == TAS_OK;
    return err == TAS_OK ? EXIT_SUCCESS : admin_store_failed(a, err, "a node number");
}

static struct admin *open_admin(const struct admin_args *args, int *code, bool any_schema) {
    struct admin *a = calloc(1, sizeof(*a));
    *code = a ? open_all(a, args->config, any_schema) : EXIT_FAILURE;
    if (*code == EXIT_SUCCESS)
        return a;
    admin_close(a);
    return NULL;
}

struct admin *admin_open(const struct admin_args *args, int *code) {
    return open_admin(args, code, false);
}

struct admin *admin_open_any_schema(const struct admin_args *args, int *code) {
    return open_admin(args, code, true);
}

void admin_close(struct admin *a) {
    if (!a)
        return;
    if (a->has_lease && tas_db_transaction(a->db, release, &a->m) != TAS_OK)
        fprintf(stderr, "tasukictl: the node number could not be given back; it is free again in a minute\n");
    tas_db_close(a->db);
    if (a->m.keys)
        tas_secret_locked.release(a->m.keys, sizeof(*a->m.keys));
    mgr_config_free(a->m.config);
    free(a);
}

struct tas_db *admin_db(struct admin *a) {
    return a->db;
}
struct mgr *admin_mgr(struct admin *a) {
    return &a->m;
}

int admin_store_failed(struct admin *a, int err, const char *what) {
    const char *library = a->db ? tas_db_why(a->db) : "";
    fprintf(stderr, "tasukictl: %s: %s%s%s\n", what, tas_err_text(err), library[0] ? ": " : "", library);
    return err == TAS_E_MORE || err == TAS_E_CLOSED || err == TAS_E_FULL ? TAS_EXIT_TEMPORARY : EXIT_FAILURE;
}

const char *admin_actor(const struct admin *a, char out[STORE_ACTOR]) {
    snprintf(out, STORE_ACTOR, "platform:%s", a->person);
    return out;
}

char *admin_time(char out[32], int64_t ms) {
    time_t s = (time_t)(ms / 1000);
    struct tm tm;
    char day[24];
    gmtime_r(&s, &tm);
    strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out, 32, "%s.%03dZ", day, (int)(ms % 1000));
    return out;
}

int main(int argc, char **argv) {
    struct admin_args args = {.config = "/etc/tasuki/manager.conf"};
    int at = 1;
    if (argc >= 3 && strcmp(argv[1], "--config") == 0) {
        args.config = argv[2];
        at = 3;
    }
    if (argc == at + 1 && strcmp(argv[at], "--version") == 0) {
        puts("tasukictl " TASUKI_VERSION);
        return EXIT_SUCCESS;
    }
    if (argc == at + 1 && strcmp(argv[at], "--help") == 0) {
        usage(stdout);
        return EXIT_SUCCESS;
    }
    if (argc < at + 2) {
        usage(stderr);
        return TAS_EXIT_USAGE;
    }
    const struct admin_command *c = find(argv[at], argv[at + 1]);
    if (!c)
        return wrong_use(NULL, "unknown command ", argv[at]);
    tas_log_set_level(TAS_LOG_WARN);
    int code = read_args(c, argc - at - 2, argv + at + 2, &args);
    return code ? code : c->run(&args);
}
