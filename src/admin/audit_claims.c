/* Customers who typed a session's number: what the chain says of each, against its row. */
#include "admin/audit_private.h"
#include "base/id.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

/* No number is too many: whoever made one would have a chain that can never be verified. */
struct one {
    uint64_t id;
    char text[TAS_ID_CAP];
    struct tas_json *typed;  /* of its `choosing` event; NULL: it waited at once */
    struct tas_json *detail; /* of its `claimed` event; NULL: it is choosing, or went away while it was */
    int64_t seq, at;         /* of the later of the two */
    bool is_answered, is_refused, is_withdrawn, is_replaced, is_met;
};

struct audit_claims {
    struct audit *a;
    struct audit_place place;
    int64_t company_id;
    struct one *all; /* in the order of the chain */
    size_t n, cap;
    size_t *index; /* where in `all`, plus 1, by a hash of the id; 0: free. 2 * cap places */
    bool has_answer;
    size_t pending; /* rows that wait */
};

struct audit_claims *audit_claims_new(struct audit *a, struct audit_place place, int64_t company_id) {
    struct audit_claims *c = calloc(1, sizeof(*c));
    if (c)
        *c = (struct audit_claims){.a = a, .place = place, .company_id = company_id};
    return c;
}

void audit_claims_free(struct audit_claims *c) {
    if (!c)
        return;
    for (size_t i = 0; i < c->n; i++) {
        tas_json_free(c->all[i].typed);
        tas_json_free(c->all[i].detail);
    }
    free(c->all);
    free(c->index);
    free(c);
}

static struct audit_place at_seq(const struct audit_claims *c, int64_t seq) {
    struct audit_place place = c->place;
    place.seq = seq;
    return place;
}

/* The place of the id in the index, or the free one where it belongs. There is always a free one. */
static size_t *index_of(const struct audit_claims *c, uint64_t id) {
    size_t at = (size_t)((id * UINT64_C(0x9e3779b97f4a7c15)) >> 32) % (c->cap * 2);
    while (c->index[at] && c->all[c->index[at] - 1].id != id)
        at = (at + 1) % (c->cap * 2);
    return &c->index[at];
}

static struct one *find_id(const struct audit_claims *c, uint64_t id) {
    size_t at = c->cap ? *index_of(c, id) : 0;
    return at ? &c->all[at - 1] : NULL;
}

static struct one *find(const struct audit_claims *c, const char *text) {
    uint64_t id;
    return text && tas_id_decode(&id, text) == TAS_OK ? find_id(c, id) : NULL;
}

static int grow(struct audit_claims *c) {
    size_t cap = c->cap ? c->cap * 2 : 4;
    if (cap > SIZE_MAX / 2 / sizeof(*c->all))
        return TAS_E_NOMEM;
    size_t *index = calloc(cap * 2, sizeof(*index));
    struct one *all = index ? realloc(c->all, cap * sizeof(*all)) : NULL;
    if (!all) {
        free(index);
        return TAS_E_NOMEM;
    }
    free(c->index);
    c->all = all;
    c->cap = cap;
    c->index = index;
    for (size_t i = 0; i < c->n; i++)
        *index_of(c, all[i].id) = i + 1;
    return TAS_OK;
}

const struct tas_json *audit_claims_detail(const struct audit_claims *c, const char *id) {
    const struct one *one = find(c, id);
    return one ? one->detail : NULL;
}

/* ---- gathering ---- */

static int add(struct audit_claims *c, uint64_t id, struct one **out) {
    int err = c->n == c->cap ? grow(c) : TAS_OK;
    if (err != TAS_OK)
        return err;
    struct one *one = &c->all[c->n++];
    *one = (struct one){.id = id};
    tas_id_encode(one->text, id);
    *index_of(c, id) = c->n;
    *out = one;
    return TAS_OK;
}

/* Somebody typed the number, and chooses or waits. Who chose waits later, once, unless he went away before.
 */
static int note_come(struct audit_claims *c, const struct store_audit_event *e, const struct tas_json *detail,
                     bool is_choosing) {
    const char *text = tas_json_get_text(detail, "claim");
    uint64_t id = 0;
    bool is_id = text && tas_id_decode(&id, text) == TAS_OK;
    struct one *one = is_id ? find_id(c, id) : NULL;
    bool may_wait = one && !is_choosing && !one->detail && !one->is_withdrawn && !one->is_replaced;
    if (!is_id || (one && !may_wait)) {
        audit_finding(&c->a->report, at_seq(c, e->seq),
                      "this %s event names no claim, or one that was there before",
                      is_choosing ? "choosing" : "claimed");
        return TAS_OK;
    }
    int err = one ? TAS_OK : add(c, id, &one);
    if (err != TAS_OK)
        return err;
    struct tas_json *copy = tas_json_copy(detail);
    *(is_choosing ? &one->typed : &one->detail) = copy;
    one->seq = e->seq;
    one->at = e->at;
    return copy ? TAS_OK : TAS_E_NOMEM;
}

static void note_state(struct audit_claims *c, const struct store_audit_event *e,
                       const struct tas_json *detail) {
    const char *id = tas_json_get_text(detail, "claim");
    struct one *one = find(c, id);
    bool is_operators = audit_same(e->kind, "answered") || audit_same(e->kind, "refused");
    if (!one || (is_operators && !one->detail)) { /* of who is choosing the operator knows nothing */
        audit_finding(&c->a->report, at_seq(c, e->seq),
                      "this %s event names a claim that the chain has no claimed event of",
                      (const char *)e->kind.ptr);
        return;
    }
    if (audit_same(e->kind, "replaced") && !audit_same(e->actor, "system"))
        audit_finding(&c->a->report, at_seq(c, e->seq), "this replaced event is not of the system");
    one->is_replaced = one->is_replaced || audit_same(e->kind, "replaced");
    one->is_answered = one->is_answered || audit_same(e->kind, "answered");
    one->is_refused = one->is_refused || audit_same(e->kind, "refused");
    one->is_withdrawn = one->is_withdrawn || audit_same(e->kind, "withdrawn");
    c->has_answer = c->has_answer || one->is_answered;
}

int audit_claims_note(struct audit_claims *c, const struct store_audit_event *e,
                      const struct tas_json *detail) {
    if (audit_same(e->kind, "claimed") || audit_same(e->kind, "choosing"))
        return note_come(c, e, detail, audit_same(e->kind, "choosing"));
    note_state(c, e, detail);
    return TAS_OK;
}

/* ---- comparing ---- */

#define TEXT(member, field, words)                                                                           \
    { member, words, false, offsetof(struct store_audit_claim, field) }
#define NUMBER(member, field, words)                                                                         \
    { member, words, true, offsetof(struct store_audit_claim, field) }
/* What stands in both events, and in a `choosing` one alone. */
#define TYPED_FACTS                                                                                          \
    TEXT("address", address, "the claim's address"),                                                         \
        TEXT("tool_version", tool_version, "the claim's tool_version"),                                      \
        TEXT("terms_version", terms_version, "the claim's terms_version"),                                   \
        NUMBER("terms_at", terms_at, "the claim's terms_at")
static const struct audit_fact typed_facts[] = {TYPED_FACTS, {0}};
static const struct audit_fact claim_facts[] = {TEXT("host_name", host_name, "the claim's host_name"),
                                                TEXT("os", os, "the claim's os"),
                                                TYPED_FACTS,
                                                {0}};
#undef TYPED_FACTS
#undef TEXT
#undef NUMBER

/* The state that the events lead to. An answer closes those that wait without an event of their own. */
static const char *said_of(const struct audit_claims *c, const struct one *one) {
    return one->is_answered    ? "answered"
           : one->is_refused   ? "refused"
           : one->is_withdrawn ? "withdrawn"
           : one->is_replaced  ? "replaced"
           : c->has_answer     ? "over"
           : one->detail       ? "pending"
                               : "choosing";
}

/* The row against what was said at the typing, and when it waited. Who only chose has told no host name. */
static void compare_facts(struct audit_claims *c, const struct store_audit_claim *row,
                          const struct one *one) {
    char source[64];
    snprintf(source, sizeof(source), "its %s event %" PRId64, one->detail ? "claimed" : "choosing", one->seq);
    audit_compare(c->a, at_seq(c, one->seq), claim_facts, row, one->detail ? one->detail : one->typed,
                  source);
    if (one->detail && one->typed)
        audit_compare(c->a, at_seq(c, one->seq), typed_facts, row, one->typed, "its choosing event");
}

static int on_claim(void *ctx, const struct store_audit_claim *row) {
    struct audit_claims *c = ctx;
    char id[TAS_ID_CAP];
    struct one *one = find_id(c, row->id);
    tas_id_encode(id, row->id);
    c->pending += strcmp(row->state, "pending") == 0;
    if (!one) {
        audit_finding(&c->a->report, c->place,
                      "claim %s stands in the table, but the chain has no claimed event of it: it was "
                      "added",
                      id);
        return TAS_OK;
    }
    one->is_met = true;
    struct audit_place place = at_seq(c, one->seq);
    compare_facts(c, row, one);
    if (row->company_id != c->company_id)
        audit_finding(&c->a->report, place, "claim %s belongs to another company than its session", id);
    if (strcmp(row->state, said_of(c, one)) != 0)
        audit_finding(&c->a->report, place, "claim %s is \"%s\" in the table, but by the chain it is %s", id,
                      row->state, said_of(c, one));
    if (row->claimed_at > one->at + AUDIT_NEAR_MS || row->claimed_at < one->at - AUDIT_TRIED_MS)
        audit_finding(&c->a->report, place,
                      "claim %s was made at another time than its event: claimed_at differs", id);
    return TAS_OK;
}

int audit_claims_check(struct audit_claims *c, uint64_t session_id, const bool *is_waiting) {
    int err = store_audit_claims(c->a->db, session_id, on_claim, c);
    for (size_t i = 0; err == TAS_OK && i < c->n; i++)
        if (!c->all[i].is_met)
            audit_finding(&c->a->report, at_seq(c, c->all[i].seq),
                          "claim %s was made here, but is not in the table: it was deleted", c->all[i].text);
    if (err == TAS_OK && is_waiting && *is_waiting != (c->pending > 0))
        audit_finding(&c->a->report, c->place, "the session's state is \"%s\", but %zu customers wait",
                      *is_waiting ? "waiting" : "issued", c->pending);
    return err;
}
