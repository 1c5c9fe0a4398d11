/* A company's chain from its first row to its head, and the signatures on it. */
#include "admin/audit_hash.h"
#include "admin/audit_private.h"
#include "base/id.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { IDS_SEEN = 8192 };

struct walk {
    struct audit *a;
    const struct store_audit_company *company;
    struct audit_policy *policy;
    uint8_t before[32];
    bool has_before; /* the row before is there, and its hash is one */
    int64_t last;    /* seq of the row before */
    int64_t last_at;
    uint64_t seen[IDS_SEEN]; /* ids of late, by their hash: the same twice would lie near in time */
};

static struct audit_place at_seq(const struct walk *w, int64_t seq) {
    return (struct audit_place){.company = w->company->code, .seq = seq};
}

/* ---- a row ---- */

static void check_order(struct walk *w, const struct store_audit_event *e) {
    if (e->seq < 1)
        audit_finding(&w->a->report, at_seq(w, e->seq), "a row before the first: numbers begin with 1");
    else if (e->seq > w->last + 2)
        audit_finding(&w->a->report, at_seq(w, e->seq),
                      "the rows %" PRId64 " to %" PRId64 " before it are missing", w->last + 1, e->seq - 1);
    else if (e->seq == w->last + 2)
        audit_finding(&w->a->report, at_seq(w, e->seq), "the row %" PRId64 " before it is missing",
                      w->last + 1);
    else
        return;
    w->has_before = false;
}

static void check_id(struct walk *w, const struct store_audit_event *e) {
    uint64_t *place = &w->seen[(e->id ^ e->id >> 22) % IDS_SEEN];
    if (e->id == 0 || e->id > INT64_MAX)
        audit_finding(&w->a->report, at_seq(w, e->seq), "its id is none that a server gives out");
    else if (*place == e->id)
        audit_finding(&w->a->report, at_seq(w, e->seq), "its id stands in an earlier row too");
    *place = e->id;
    int64_t drawn = (int64_t)tas_id_ms(e->id);
    if (drawn - e->at > AUDIT_STEP_MS || e->at - drawn > AUDIT_STEP_MS)
        audit_warning(&w->a->report, at_seq(w, e->seq),
                      "its id was drawn %" PRId64 " s %s its time: was the server's clock set?",
                      (drawn > e->at ? drawn - e->at : e->at - drawn) / 1000,
                      drawn > e->at ? "after" : "before");
}

static void check_time(struct walk *w, const struct store_audit_event *e) {
    if (w->last_at - e->at > AUDIT_STEP_MS)
        audit_warning(&w->a->report, at_seq(w, e->seq),
                      "its time is %" PRId64
                      " s before that of the row before: was the server's clock set back?",
                      (w->last_at - e->at) / 1000);
    if (e->at > w->a->now + AUDIT_STEP_MS)
        audit_warning(&w->a->report, at_seq(w, e->seq), "its time is in the future: which clock is wrong?");
    w->last_at = e->at;
}

/* Over the hash that stands in the row before, not over the one that should: so each wrong row is told once.
 */
static int check_hash(struct walk *w, const struct store_audit_event *e) {
    const struct audit_hashed hashed = {w->before,     e->company_id, e->seq,  e->at,    e->id,
                                        e->session_id, e->actor,      e->kind, e->detail};
    uint8_t expected[32];
    if (e->hash.len != sizeof(w->before)) {
        audit_finding(&w->a->report, at_seq(w, e->seq), "its hash has %zu bytes, not 32", e->hash.len);
        w->has_before = false;
        return TAS_OK;
    }
    int err = w->has_before ? audit_hash_event(expected, &hashed) : TAS_OK;
    if (err != TAS_OK && err != TAS_E_LIMIT)
        return err;
    if (w->has_before && (err == TAS_E_LIMIT || memcmp(expected, e->hash.ptr, sizeof(expected)) != 0))
        audit_finding(&w->a->report, at_seq(w, e->seq),
                      "the row (%s by %s) is not what its hash was made of, or does not follow "
                      "the row before",
                      (const char *)e->kind.ptr, (const char *)e->actor.ptr);
    memcpy(w->before, e->hash.ptr, sizeof(w->before));
    w->has_before = true;
    return TAS_OK;
}

static int on_event(void *ctx, const struct store_audit_event *e) {
    struct walk *w = ctx;
    check_order(w, e);
    check_id(w, e);
    if (w->last > 0)
        check_time(w, e);
    else
        w->last_at = e->at;
    int err = check_hash(w, e);
    w->last = e->seq > w->last ? e->seq : w->last;
    if (++w->a->report.events % 1024 == 0)
        audit_progress(&w->a->report, w->company->code);
    return err != TAS_OK ? err : audit_policy_note(w->policy, e);
}

/* ---- the head ---- */

static void check_head(const struct walk *w) {
    struct tas_bytes head = w->company->chain_hash;
    if (w->company->chain_seq != w->last)
        audit_finding(&w->a->report, at_seq(w, w->last),
                      "the chain ends here, but the company's row says that it has %" PRId64 " rows: %s",
                      w->company->chain_seq,
                      w->company->chain_seq > w->last ? "the last ones were deleted"
                                                      : "rows were added behind its end");
    else if (head.len != 32 || (w->has_before && memcmp(head.ptr, w->before, 32) != 0))
        audit_finding(&w->a->report, at_seq(w, w->last),
                      "the head in the company's row is not the hash of the last row");
}

/* ---- checkpoints ---- */

struct signatures {
    struct audit *a;
    const struct store_audit_company *company;
    int64_t last; /* seq of the last good one */
    int64_t n;
};

static void check_signature(struct signatures *s, struct audit_place place,
                            const struct store_audit_checkpoint *c) {
    int err = TAS_E_AUTH;
    if (c->hash.len == 32 && c->sig.len == 64)
        err = audit_keys_check(s->a->keys, s->company->id, c->seq, c->hash.ptr, c->at, c->kid, c->sig.ptr);
    if (err == TAS_E_ABSENT)
        audit_finding(&s->a->report, place,
                      "the checkpoint here names key %" PRId64
                      ", and no KEYSET signed by the root has such an audit key for that "
                      "time; --keyset FILE gives KEYSETs that the database has no more",
                      c->kid);
    else if (err != TAS_OK)
        audit_finding(&s->a->report, place,
                      "the checkpoint here is forged: its signature is not that of key %" PRId64, c->kid);
    else
        s->last = c->seq;
}

static int on_checkpoint(void *ctx, const struct store_audit_checkpoint *c) {
    struct signatures *s = ctx;
    const struct audit_place place = {.company = s->company->code, .seq = c->seq};
    s->n++;
    check_signature(s, place, c);
    if (c->event_hash.len == 0) {
        audit_finding(&s->a->report, place,
                      "a checkpoint was made here, but the chain has no such row any more");
        return TAS_OK;
    }
    if (!tas_bytes_equal(c->hash, c->event_hash))
        audit_finding(&s->a->report, place,
                      "the checkpoint here has another hash than the chain: the chain, or the checkpoint, "
                      "was rewritten");
    if (c->event_at - c->at > AUDIT_STEP_MS)
        audit_finding(&s->a->report, place, "the checkpoint here is older than the row that it signs");
    return TAS_OK;
}

static int check_signatures(struct audit *a, const struct store_audit_company *company) {
    struct signatures s = {.a = a, .company = company};
    int64_t at = 0;
    int err = store_audit_checkpoints(a->db, company->id, on_checkpoint, &s);
    if (err == TAS_OK)
        err = store_audit_time_after(a->db, company->id, s.last, &at);
    if (err == TAS_E_ABSENT) /* all is signed */
        return TAS_OK;
    const struct audit_place place = {.company = company->code, .seq = s.last + 1};
    if (err == TAS_OK && s.n == 0)
        audit_warning(&a->report, place,
                      "the chain has no checkpoint: was the server never running for half a minute, or were "
                      "they deleted?");
    else if (err == TAS_OK && a->now - at > AUDIT_UNSIGNED_MS)
        audit_warning(
            &a->report, place,
            "nothing is signed from here on, for longer than 10 minutes: is no server running, or were "
            "checkpoints deleted?");
    return err;
}

/* ---- all of it ---- */

static int too_large(struct walk *w, int err) {
    if (err != TAS_E_LIMIT)
        return err;
    audit_finding(&w->a->report, at_seq(w, w->last + 1),
                  "a row from here on is larger than any that is written; the rest of this "
                  "chain was not looked at");
    return TAS_OK;
}

int audit_walk_chain(struct audit *a, const struct store_audit_company *company) {
    struct walk *w = calloc(1, sizeof(*w));
    int err = TAS_E_NOMEM;
    if (!w)
        return err;
    *w = (struct walk){.a = a, .company = company, .policy = audit_policy_new(a, company)};
    if (!w->policy)
        goto done;
    w->has_before = audit_hash_genesis(w->before, company->id) == TAS_OK;
    if (!w->has_before)
        audit_finding(&a->report, (struct audit_place){.company = company->code},
                      "no company has the id %" PRId64, company->id);
    err = store_audit_chain(a->db, company->id, on_event, w);
    if (err == TAS_OK) {
        check_head(w);
        err = audit_policy_check(w->policy);
    }
    err = too_large(w, err);
    if (err == TAS_OK)
        err = check_signatures(a, company);
done:
    audit_policy_free(w->policy);
    free(w);
    return err;
}
