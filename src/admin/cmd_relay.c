/* tasukictl relay: which relays may register. */
#include "admin/admin.h"

#include "manager/choose.h"
#include "net/socket.h"
#include "os/service.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct list {
    struct store_relay *all;
    size_t n;
};

static int add(struct tas_db *db, void *ctx) {
    return store_relay_add(db, ctx);
}

static int take_away(struct tas_db *db, void *ctx) {
    const struct store_relay *r = ctx;
    return store_relay_remove(db, r->id);
}

static int read_list(struct tas_db *db, void *ctx) {
    struct list *l = ctx;
    return store_relay_list(db, &l->all, &l->n);
}

static bool id_of(const char *text, int64_t *out) {
    char *end;
    *out = strtol(text, &end, 10);
    return !*end && *out > 0 && *out <= INT32_MAX;
}

static int change(const struct admin_args *args, struct store_relay *relay,
                  int (*fn)(struct tas_db *db, void *ctx), const char *done) {
    int code;
    struct admin *admin = admin_open(args, &code);
    if (!admin)
        return code;
    int err = tas_db_transaction(admin_db(admin), fn, relay);
    if (err == TAS_OK)
        printf("relay %" PRId64 " %s\n", relay->id, done);
    else if (err == TAS_E_STATE)
        fprintf(stderr, "tasukictl: id %" PRId64 " or name %s is taken\n", relay->id, relay->name);
    else if (err == TAS_E_ABSENT)
        fprintf(stderr, "tasukictl: there is no relay %" PRId64 "\n", relay->id);
    code = err == TAS_OK                               ? EXIT_SUCCESS
           : err == TAS_E_STATE || err == TAS_E_ABSENT ? EXIT_FAILURE
                                                       : admin_store_failed(admin, err, "relay");
    admin_close(admin);
    return code;
}

static int run_add(const struct admin_args *args) {
    struct store_relay r = {0};
    char host[256];
    char port[6];
    if (!id_of(args->words[0], &r.id) ||
        tas_address_split(args->words[2], host, sizeof(host), port) != TAS_OK ||
        strlen(args->words[3]) >= sizeof(r.region) || strlen(args->words[1]) >= sizeof(r.name)) {
        fprintf(stderr,
                "tasukictl: a relay has a number from 1, the name of its certificate, an address such as "
                "203.0.113.7:443, and a region of at most 16 characters\n");
        return TAS_EXIT_USAGE;
    }
    snprintf(r.name, sizeof(r.name), "%s", args->words[1]);
    snprintf(r.address, sizeof(r.address), "%s", args->words[2]);
    snprintf(r.region, sizeof(r.region), "%s", args->words[3]);
    return change(args, &r, add, "added");
}

static int run_remove(const struct admin_args *args) {
    struct store_relay r = {0};
    if (!id_of(args->words[0], &r.id)) {
        fprintf(stderr, "tasukictl: a relay's id is a number from 1\n");
        return TAS_EXIT_USAGE;
    }
    return change(args, &r, take_away, "removed");
}

/* What it said last, unless that is too long ago: then nobody knows, and it gets no new sessions. */
static const char *state_of(const struct store_relay *r) {
    bool says_up = strcmp(r->state, "up") == 0 || strcmp(r->state, "draining") == 0;
    return says_up && mgr_now() - r->seen_at > MGR_RELAY_SILENT_MS ? "silent" : r->state;
}

static int run_list(const struct admin_args *args) {
    int code;
    struct list l = {0};
    char seen[32];
    struct admin *admin = admin_open(args, &code);
    if (!admin)
        return code;
    int err = tas_db_read(admin_db(admin), read_list, &l);
    printf("%-4s %-9s %-8s %-8s %-24s %-24s %s\n", "id", "state", "region", "ends", "seen", "address",
           "name");
    for (size_t i = 0; i < l.n; i++)
        printf("%-4" PRId64 " %-9s %-8s %-8" PRId64 " %-24s %-24s %s\n", l.all[i].id, state_of(&l.all[i]),
               l.all[i].region, l.all[i].ends,
               l.all[i].seen_at ? admin_time(seen, l.all[i].seen_at) : "never", l.all[i].address,
               l.all[i].name);
    free(l.all);
    code = err == TAS_OK ? EXIT_SUCCESS : admin_store_failed(admin, err, "relays");
    admin_close(admin);
    return code;
}

const struct admin_command admin_relay_commands[] = {
    {"relay", "add", "ID NAME ADDRESS REGION", "lets a relay register whose certificate has that name", "", 4,
     4, run_add},
    {"relay", "list", "", "all of them, with what they said last", "", 0, 0, run_list},
    {"relay", "remove", "ID", "it may no longer register, and gets no new sessions", "", 1, 1, run_remove},
    {0},
};
