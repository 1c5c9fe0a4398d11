/* What the chain says of a company and of its operators, against their rows. */
#include "admin/audit_private.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

enum { ACCOUNTS_MAX = 1000000 };

enum word { ADDED, DISABLED, ENABLED };

/* What one event said of an account. */
struct said {
    char *login, *name; /* name: only of the one that added it */
    int64_t seq;
    enum word what;
    bool is_met; /* its row was seen */
};

struct audit_policy {
    struct audit *a;
    const struct store_audit_company *company;
    struct tas_json *policy; /* the last that was set; NULL: none yet */
    int64_t policy_seq, state_seq;
    bool is_frozen, was_added;
    struct said *all;
    size_t n, cap;
};

struct audit_policy *audit_policy_new(struct audit *a, const struct store_audit_company *company) {
    struct audit_policy *p = calloc(1, sizeof(*p));
    if (p)
        *p = (struct audit_policy){.a = a, .company = company};
    return p;
}

void audit_policy_free(struct audit_policy *p) {
    if (!p)
        return;
    for (size_t i = 0; i < p->n; i++) {
        free(p->all[i].login);
        free(p->all[i].name);
    }
    free(p->all);
    tas_json_free(p->policy);
    free(p);
}

static struct audit_place at_seq(const struct audit_policy *p, int64_t seq) {
    return (struct audit_place){.company = p->company->code, .seq = seq};
}

/* ---- shared: details and comparing ---- */

struct tas_json *audit_detail(struct audit *a, struct audit_place place, const struct store_audit_event *e) {
    char why[TAS_JSON_WHY];
    place.seq = e->seq;
    struct tas_json *detail = tas_json_parse(e->detail, why);
    if (!detail)
        audit_finding(&a->report, place, "the detail of this %s event cannot be read: %s",
                      (const char *)e->kind.ptr, why);
    return detail;
}

static void compare_text(struct audit *a, struct audit_place place, const struct audit_fact *fact,
                         const char *text, const struct tas_json *detail, const char *source) {
    const char *said = tas_json_get_text(detail, fact->member);
    if (strcmp(text, said ? said : "") == 0)
        return;
    if (detail)
        audit_finding(&a->report, place, "%s is \"%.200s\" in the table, but %s says \"%.200s\"", fact->words,
                      text, source, said ? said : "");
    else
        audit_finding(&a->report, place, "%s is \"%.200s\" in the table, but the chain has no %s",
                      fact->words, text, source);
}

static void compare_number(struct audit *a, struct audit_place place, const struct audit_fact *fact,
                           int64_t number, const struct tas_json *detail, const char *source) {
    char text[24] = "";
    char said_text[24] = "";
    int64_t said = tas_json_get_int(detail, fact->member, STORE_AUDIT_NONE);
    if (said == number)
        return;
    if (number != STORE_AUDIT_NONE)
        snprintf(text, sizeof(text), "%" PRId64, number);
    if (said != STORE_AUDIT_NONE)
        snprintf(said_text, sizeof(said_text), "%" PRId64, said);
    if (detail)
        audit_finding(&a->report, place, "%s is %s in the table, but %s says %s", fact->words,
                      text[0] ? text : "empty", source, said_text[0] ? said_text : "nothing of it");
    else
        audit_finding(&a->report, place, "%s is %s in the table, but the chain has no %s", fact->words, text,
                      source);
}

void audit_compare(struct audit *a, struct audit_place place, const struct audit_fact *facts, const void *row,
                   const struct tas_json *detail, const char *source) {
    for (; facts->member; facts++) {
        const void *at = (const uint8_t *)row + facts->offset;
        const char *text;
        int64_t number;
        if (facts->is_number) {
            memcpy(&number, at, sizeof(number));
            compare_number(a, place, facts, number, detail, source);
        } else {
            memcpy(&text, at, sizeof(text));
            compare_text(a, place, facts, text, detail, source);
        }
    }
}

/* ---- gathering ---- */

static int note_account(struct audit_policy *p, const struct store_audit_event *e, enum word what) {
    struct tas_json *detail = audit_detail(p->a, at_seq(p, e->seq), e);
    const char *login = tas_json_get_text(detail, "login");
    const char *name = tas_json_get_text(detail, "name");
    int err = TAS_OK;
    if (p->n == ACCOUNTS_MAX) {
        audit_finding(&p->a->report, at_seq(p, e->seq), "more accounts than can be compared");
        tas_json_free(detail);
        return TAS_OK;
    }
    if (err == TAS_OK && p->n == p->cap) {
        size_t cap = p->cap ? p->cap * 2 : 16;
        struct said *all = realloc(p->all, cap * sizeof(*all));
        err = all ? TAS_OK : TAS_E_NOMEM;
        p->all = all ? all : p->all;
        p->cap = all ? cap : p->cap;
    }
    if (err == TAS_OK && detail) {
        struct said s = {.login = strdup(login ? login : ""),
                         .name = strdup(name ? name : ""),
                         .seq = e->seq,
                         .what = what};
        err = s.login && s.name ? TAS_OK : TAS_E_NOMEM;
        p->all[p->n++] = s;
    }
    tas_json_free(detail);
    return err;
}

static int note_policy(struct audit_policy *p, const struct store_audit_event *e, bool adds) {
    struct tas_json *detail = audit_detail(p->a, at_seq(p, e->seq), e);
    if (adds && p->was_added)
        audit_finding(&p->a->report, at_seq(p, e->seq), "the company is added a second time");
    p->was_added = p->was_added || adds;
    if (!detail)
        return TAS_OK;
    tas_json_free(p->policy);
    p->policy = detail;
    p->policy_seq = e->seq;
    return TAS_OK;
}

int audit_policy_note(struct audit_policy *p, const struct store_audit_event *e) {
    if (e->session_id != 0)
        return TAS_OK;
    if (audit_same(e->kind, "company_added") || audit_same(e->kind, "company_changed"))
        return note_policy(p, e, audit_same(e->kind, "company_added"));
    if (audit_same(e->kind, "company_frozen") || audit_same(e->kind, "company_unfrozen")) {
        p->is_frozen = audit_same(e->kind, "company_frozen");
        p->state_seq = e->seq;
    }
    if (audit_same(e->kind, "operator_added"))
        return note_account(p, e, ADDED);
    if (audit_same(e->kind, "operator_disabled"))
        return note_account(p, e, DISABLED);
    return audit_same(e->kind, "operator_enabled") ? note_account(p, e, ENABLED) : TAS_OK;
}

/* ---- comparing ---- */

#define TEXT(member, field, words)                                                                           \
    { member, words, false, offsetof(struct store_audit_company, field) }
#define NUMBER(member, field, words)                                                                         \
    { member, words, true, offsetof(struct store_audit_company, field) }
static const struct audit_fact company_facts[] = {
    TEXT("code", code, "the company's code"),
    TEXT("name", name, "the company's name"),
    TEXT("regions", regions, "regions"),
    NUMBER("rights", perms, "rights"),
    NUMBER("lock_after", lock_after, "lock_after"),
    NUMBER("lock_minutes", lock_minutes, "lock_minutes"),
    NUMBER("max_numbers", max_live, "max_numbers"),
    {0},
};
#undef TEXT
#undef NUMBER

static void check_company(const struct audit_policy *p) {
    char source[64];
    bool is_frozen = strcmp(p->company->state, "active") != 0;
    snprintf(source, sizeof(source), "event %" PRId64, p->policy_seq);
    if (!p->was_added)
        audit_finding(&p->a->report, at_seq(p, 0),
                      "the company was not added by tasukictl: its chain has no company_added");
    if (p->policy)
        audit_compare(p->a, at_seq(p, 0), company_facts, p->company, p->policy, source);
    if (is_frozen != p->is_frozen)
        audit_finding(&p->a->report, at_seq(p, p->state_seq),
                      "the company's state is \"%s\" in the table, but by the chain it is %s",
                      p->company->state, p->is_frozen ? "frozen" : "active");
}

static int by_login(const void *a, const void *b) {
    const struct said *one = a;
    const struct said *two = b;
    int order = strcmp(one->login, two->login);
    return order != 0 ? order : (one->seq > two->seq) - (one->seq < two->seq);
}

/* The first event of an account, in the sorted list; p->n: there is none. */
static size_t first_of(const struct audit_policy *p, const char *login) {
    size_t low = 0;
    size_t high = p->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(p->all[middle].login, login) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < p->n && strcmp(p->all[low].login, login) == 0 ? low : p->n;
}

static int on_operator(void *ctx, const struct store_audit_operator *row) {
    struct audit_policy *p = ctx;
    size_t i = first_of(p, row->login);
    bool was_added = false;
    bool is_disabled = false;
    for (; i < p->n && strcmp(p->all[i].login, row->login) == 0; i++) {
        struct said *s = &p->all[i];
        s->is_met = true;
        is_disabled = s->what == DISABLED || (is_disabled && s->what != ENABLED);
        if (s->what == ADDED && was_added)
            audit_finding(&p->a->report, at_seq(p, s->seq), "operator \"%s\" is added a second time",
                          row->login);
        was_added = was_added || s->what == ADDED;
        if (s->what == ADDED && strcmp(s->name, row->name) != 0)
            audit_finding(&p->a->report, at_seq(p, s->seq),
                          "operator \"%s\" is called \"%s\" in the table, but was added as \"%s\"",
                          row->login, row->name, s->name);
    }
    if (!was_added)
        audit_finding(&p->a->report, at_seq(p, 0),
                      "operator \"%s\" was not added by tasukictl: the chain has no operator_added",
                      row->login);
    if (is_disabled != (strcmp(row->state, "active") != 0))
        audit_finding(&p->a->report, at_seq(p, 0),
                      "operator \"%s\" is \"%s\" in the table, but by the chain %s", row->login, row->state,
                      is_disabled ? "disabled" : "active");
    return TAS_OK;
}

int audit_policy_check(struct audit_policy *p) {
    check_company(p);
    if (p->n > 0)
        qsort(p->all, p->n, sizeof(p->all[0]), by_login);
    int err = store_audit_operators(p->a->db, p->company->id, on_operator, p);
    for (size_t i = 0; err == TAS_OK && i < p->n; i++)
        if (!p->all[i].is_met && p->all[i].what == ADDED)
            audit_finding(&p->a->report, at_seq(p, p->all[i].seq),
                          "operator \"%s\" was added here, but is not in the table", p->all[i].login);
    return err;
}
