/* tasukictl company: tenants. Only here are company codes given out. */
#include "admin/admin.h"

#include "base/utf8.h"
#include "manager/choose.h"
#include "os/service.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { LOCK_AFTER = 10, LOCK_MINUTES = 15, MAX_LIVE = 5 };

/* 4 to 16 of a-z, 0-9 and '-', as people can read it out. */
static bool code_is_sound(const char *code) {
    size_t len = strspn(code, "abcdefghijklmnopqrstuvwxyz0123456789-");
    return code[len] == '\0' && len >= 4 && len <= STORE_CODE;
}

#define NAME_RULE "a name has 1 to 96 bytes of UTF-8 without control characters"
static bool name_is_sound(const char *name) {
    size_t len = strlen(name);
    return len > 0 && len <= STORE_NAME && tas_utf8_is_plain(tas_bytes_of(name, len));
}

static bool regions_are_sound(const char *regions) {
    size_t len = strspn(regions, "abcdefghijklmnopqrstuvwxyz0123456789-,");
    return regions[len] == '\0' && len <= STORE_REGIONS;
}

static bool read_policy(const struct admin_args *args, struct store_company *c) {
    const char *regions = admin_option(args, "regions");
    const char *name = admin_option(args, "name");
    if (name && !name_is_sound(name)) {
        fprintf(stderr, "tasukictl: %s: " NAME_RULE "\n", name);
        return false;
    }
    if (name)
        snprintf(c->name, sizeof(c->name), "%s", name);
    if (regions && !regions_are_sound(regions)) {
        fprintf(stderr, "tasukictl: --regions must be codes such as jp,eu\n");
        return false;
    }
    if (regions)
        snprintf(c->regions, sizeof(c->regions), "%s", regions);
    return admin_option_number(args, "lock-after", 0, 1000, c->lock_after, &c->lock_after) &&
           admin_option_number(args, "lock-minutes", 1, 100000, c->lock_minutes, &c->lock_minutes) &&
           admin_option_number(args, "max-numbers", 1, 1000, c->max_live, &c->max_live) &&
           admin_option_number(args, "rights", 1, MGR_RIGHTS, c->perms, &c->perms);
}

static struct tas_json *policy_json(const struct store_company *c) {
    struct tas_json *json = tas_json_object();
    tas_json_set_text(json, "code", c->code);
    tas_json_set_text(json, "name", c->name);
    tas_json_set_int(json, "rights", c->perms);
    tas_json_set_int(json, "lock_after", c->lock_after);
    tas_json_set_int(json, "lock_minutes", c->lock_minutes);
    tas_json_set_int(json, "max_numbers", c->max_live);
    tas_json_set_text(json, "regions", c->regions);
    return json;
}

struct change {
    struct admin *admin;
    const struct admin_args *args;
    struct store_company c;
    const char *kind;
};

static int note(struct tas_db *db, struct change *ch, struct tas_json *detail) {
    char actor[STORE_ACTOR];
    return mgr_audit(admin_mgr(ch->admin), db, ch->c.id, 0, admin_actor(ch->admin, actor), ch->kind, detail,
                     NULL);
}

static int add(struct tas_db *db, void *ctx) {
    struct change *ch = ctx;
    int err = store_company_add(db, &ch->c, mgr_chain_genesis);
    return err != TAS_OK ? err : note(db, ch, policy_json(&ch->c));
}

static int run_add(const struct admin_args *args) {
    int code;
    struct change ch = {.kind = "company_added",
                        .c = {.perms = MGR_RIGHTS,
                              .lock_after = LOCK_AFTER,
                              .lock_minutes = LOCK_MINUTES,
                              .max_live = MAX_LIVE,
                              .created_at = mgr_now()}};
    if (!code_is_sound(args->words[0])) {
        fprintf(stderr, "tasukictl: %s: a company code has 4 to 16 characters: a-z, 0-9 and '-'\n",
                args->words[0]);
        return TAS_EXIT_USAGE;
    }
    if (!name_is_sound(args->words[1])) {
        fprintf(stderr, "tasukictl: %s: " NAME_RULE "\n", args->words[1]);
        return TAS_EXIT_USAGE;
    }
    snprintf(ch.c.code, sizeof(ch.c.code), "%s", args->words[0]);
    snprintf(ch.c.name, sizeof(ch.c.name), "%s", args->words[1]);
    if (!read_policy(args, &ch.c))
        return TAS_EXIT_USAGE;
    ch.admin = admin_open(args, &code);
    if (!ch.admin)
        return code;
    int err = mgr_transaction(admin_mgr(ch.admin), admin_db(ch.admin), add, &ch);
    if (err == TAS_E_STATE)
        fprintf(stderr, "tasukictl: the code %s is taken\n", ch.c.code);
    else if (err == TAS_OK)
        printf("company %s added with id %" PRId64 "\n", ch.c.code, ch.c.id);
    code = err == TAS_OK        ? EXIT_SUCCESS
           : err == TAS_E_STATE ? EXIT_FAILURE
                                : admin_store_failed(ch.admin, err, ch.c.code);
    admin_close(ch.admin);
    return code;
}

/* ---- changes of one that is there ---- */

static int freeze(struct tas_db *db, void *ctx) {
    struct change *ch = ctx;
    bool freezes = strcmp(ch->kind, "company_frozen") == 0;
    int err = store_company_set_frozen(db, ch->c.id, freezes);
    if (err == TAS_OK)
        err = note(db, ch, tas_json_object());
    return err != TAS_OK || !freezes ? err : admin_end_all(ch->admin, db, ch->c.id, 0);
}

/* The options change what is there now: two at once that change different things both do. */
static int set(struct tas_db *db, void *ctx) {
    struct change *ch = ctx;
    int err = store_company_take(db, ch->c.id, &ch->c);
    if (err == TAS_OK && !read_policy(ch->args, &ch->c))
        err = TAS_E_STATE; /* never: they were read once already */
    if (err == TAS_OK)
        err = store_company_set_policy(db, &ch->c);
    return err != TAS_OK ? err : note(db, ch, policy_json(&ch->c));
}

static int change_one(const struct admin_args *args, const char *kind,
                      int (*fn)(struct tas_db *db, void *ctx), const char *done) {
    int code;
    struct change ch = {.kind = kind, .args = args, .admin = admin_open(args, &code)};
    if (!ch.admin)
        return code;
    code = EXIT_FAILURE;
    if (admin_find_company(ch.admin, args->words[0], &ch.c) && read_policy(args, &ch.c)) {
        int err = mgr_transaction(admin_mgr(ch.admin), admin_db(ch.admin), fn, &ch);
        code = err == TAS_OK ? EXIT_SUCCESS : admin_store_failed(ch.admin, err, ch.c.code);
        if (err == TAS_OK)
            printf("company %s %s\n", ch.c.code, done);
    }
    admin_close(ch.admin);
    return code;
}

static int run_freeze(const struct admin_args *args) {
    return change_one(args, "company_frozen", freeze, "frozen: its logins and live sessions are ended");
}
static int run_unfreeze(const struct admin_args *args) {
    return change_one(args, "company_unfrozen", freeze, "active again");
}
static int run_set(const struct admin_args *args) {
    return change_one(args, "company_changed", set, "changed");
}

struct list {
    struct store_company *all;
    size_t n;
};

static int read_list(struct tas_db *db, void *ctx) {
    struct list *l = ctx;
    return store_company_list(db, &l->all, &l->n);
}

static int run_list(const struct admin_args *args) {
    int code;
    struct list l = {0};
    struct admin *admin = admin_open(args, &code);
    if (!admin)
        return code;
    int err = tas_db_read(admin_db(admin), read_list, &l);
    if (err == TAS_OK)
        printf("%-4s %-16s %-8s %-10s %-7s %s\n", "id", "code", "state", "lock after", "regions", "name");
    for (size_t i = 0; i < l.n; i++)
        printf("%-4" PRId64 " %-16s %-8s %-10" PRId64 " %-7s %s\n", l.all[i].id, l.all[i].code,
               l.all[i].is_frozen ? "frozen" : "active", l.all[i].lock_after,
               l.all[i].regions[0] ? l.all[i].regions : "all", l.all[i].name);
    free(l.all);
    code = err == TAS_OK ? EXIT_SUCCESS : admin_store_failed(admin, err, "companies");
    admin_close(admin);
    return code;
}

#define POLICY " lock-after lock-minutes max-numbers regions rights name "
const struct admin_command admin_company_commands[] = {
    {"company", "add",
     "CODE NAME [--lock-after N] [--lock-minutes N] [--max-numbers N] [--regions jp,eu] [--rights MASK]",
     "a new tenant; its code is what operators type when they log in", POLICY, 2, 2, run_add},
    {"company", "list", "", "all of them", "", 0, 0, run_list},
    {"company", "set", "CODE [--name NAME] [--lock-after N] [...]", "changes what company add says", POLICY,
     1, 1, run_set},
    {"company", "freeze", "CODE", "nobody of it logs in or works from now on; live sessions are ended", "", 1,
     1, run_freeze},
    {"company", "unfreeze", "CODE", "undoes freeze", "", 1, 1, run_unfreeze},
    {0},
};
