/* Bringing customer and operator together: claims of a number, answer, refusal, withdrawal. */
#include "manager/choose.h"
#include "manager/manager.h"

#include "base/damm.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    PENDING_MAX = 3,     /* who may wait on one number */
    PENDING_PER_NET = 2, /* of one network, so that a single one cannot keep the customer out */
    CLAIMS_MAX = 64,     /* that one number ever sees: people type it once or twice */
    NUMBER_TEXT = 32,
    /* Whom the operator does not see he cannot refuse: who chooses for longer gives way to other networks. */
    CHOOSING_MS = 2 * 60 * 1000,
};

/* ---- a customer types a number ---- */

struct claim_body {
    char number[NUMBER_TEXT + 1];
    uint8_t pop_pk[32], nonce[MGR_NONCE], sig[64], pow[8];
    char host_name[STORE_TEXT + 1], os[STORE_TEXT + 1], tool_version[33], language[17], terms_version[33];
    int64_t terms_at_ms;
    const struct tas_json *rtt;
    bool choosing;
};

#define FIELD(name, kind, optional, min, max)                                                                \
    { #name, kind, optional, min, max, offsetof(struct claim_body, name) }
static const struct tas_json_field claim_fields[] = {
    FIELD(number, TAS_JSON_TEXT, false, 1, NUMBER_TEXT),
    FIELD(pop_pk, TAS_JSON_HEX, false, 0, 32),
    FIELD(nonce, TAS_JSON_HEX, false, 0, MGR_NONCE),
    FIELD(sig, TAS_JSON_HEX, false, 0, 64),
    FIELD(pow, TAS_JSON_HEX, true, 0, 8),
    FIELD(host_name, TAS_JSON_TEXT, false, 0, STORE_TEXT),
    FIELD(os, TAS_JSON_TEXT, false, 0, STORE_TEXT),
    FIELD(tool_version, TAS_JSON_TEXT, false, 1, 32),
    FIELD(language, TAS_JSON_TEXT, false, 0, 16),
    FIELD(terms_version, TAS_JSON_TEXT, false, 1, 32),
    FIELD(terms_at_ms, TAS_JSON_INT, true, 0, INT64_C(4102444800000)),
    FIELD(rtt, TAS_JSON_LIST, true, 0, MGR_RTTS),
    FIELD(choosing, TAS_JSON_BOOL, true, 0, 0),
    {0},
};
#undef FIELD

enum outcome { CLAIMED, MISSED, OVER_LIMIT, NEEDS_WORK, CROWDED, OTHER_NUMBER };

struct claiming {
    struct mgr *m;
    struct claim_body body;
    const uint8_t *source;
    char number[TAS_NUMBER_CAP];
    uint8_t number_hash[32];
    struct store_claim claim;
    struct store_session session;
    struct store_company company;
    struct mgr_misses misses;
    enum outcome outcome;
    int64_t now;
};

static int miss(struct tas_db *db, struct claiming *c) {
    c->outcome = MISSED;
    return mgr_misses_add(c->m, db, c->source, c->now);
}

static struct tas_json *claim_id_json(uint64_t id) {
    struct tas_json *detail = tas_json_object();
    tas_json_set_id(detail, "claim", id);
    return detail;
}

static bool is_in_state(const struct store_claim *c, const char *state) {
    return strcmp(c->state, state) == 0;
}

/* Sessions are locked before their claims, by everybody: two cannot wait for each other. */
static int lock_session(struct tas_db *db, uint64_t id) {
    int err = store_session_lock(db, id);
    return err == TAS_E_ABSENT ? TAS_OK : err; /* answered or over: then nobody comes or goes */
}

/* The session has changed for its operator: fewer wait, perhaps nobody does. */
static int one_fewer_waits(struct mgr *m, struct tas_db *db, const struct store_session *s) {
    int err = store_session_touch(db, s->id, mgr_new_id(m));
    if (err == TAS_OK)
        err = store_session_back_to_issued(db, s->id, mgr_new_id(m));
    if (err == TAS_OK || err == TAS_E_ABSENT) /* others wait still */
        err = mgr_notice(m, db, "session", s->operator_id, s->id);
    return err;
}

static int replace(struct tas_db *db, struct claiming *c, const struct store_claim *old, bool is_near) {
    int err = store_claim_set_state(db, old->id, old->state, "replaced");
    if (err == TAS_E_ABSENT) /* it has changed meanwhile: look again */
        return TAS_E_MORE;
    if (err == TAS_OK && is_near) /* counts like a wrong number: nobody may go on like this for long */
        err = mgr_misses_add(c->m, db, c->source, c->now);
    if (err == TAS_OK)
        err = mgr_audit(c->m, db, c->session.company_id, c->session.id, "system", "replaced",
                        claim_id_json(old->id), NULL);
    if (err == TAS_OK)
        err = mgr_notice(c->m, db, "claim", old->id, c->session.id);
    if (err == TAS_OK && is_in_state(&c->claim, "choosing") && is_in_state(old, "pending"))
        err = one_fewer_waits(c->m, db, &c->session); /* the operator does not see who came instead */
    return err;
}

/* Room for one more: an older claim of the same network gives way, those of others only when they have been
 * choosing for too long. */
static int make_room(struct tas_db *db, struct claiming *c) {
    struct store_claim *all = NULL;
    size_t n = 0;
    unsigned open = 0;
    unsigned near = 0;
    const struct store_claim *oldest_near = NULL;
    const struct store_claim *idle = NULL;
    int64_t ever = 0;
    int err = store_claim_count(db, c->session.id, &ever);
    if (err == TAS_OK)
        err = store_claim_list(db, c->session.id, &all, &n);
    if (ever >= CLAIMS_MAX)
        c->outcome = CROWDED;
    for (size_t i = 0; i < n && c->outcome != CROWDED; i++) {
        bool is_choosing = is_in_state(&all[i], "choosing");
        if (!is_choosing && !is_in_state(&all[i], "pending"))
            continue;
        open++;
        if (!idle && is_choosing && all[i].claimed_at < c->now - CHOOSING_MS)
            idle = &all[i];
        if (strcmp(all[i].prefix, c->claim.prefix) != 0)
            continue;
        near++;
        if (!oldest_near)
            oldest_near = &all[i];
    }
    if (err == TAS_OK && oldest_near && (open >= PENDING_MAX || near >= PENDING_PER_NET))
        err = replace(db, c, oldest_near, true);
    else if (err == TAS_OK && open >= PENDING_MAX && idle)
        err = replace(db, c, idle, false);
    else if (err == TAS_OK && open >= PENDING_MAX)
        c->outcome = CROWDED;
    free(all);
    return err;
}

/* Of a claim that is still choosing the host's name and system are not known. */
static struct tas_json *claim_detail(const struct store_claim *c) {
    struct tas_json *detail = tas_json_object();
    tas_json_set_id(detail, "claim", c->id);
    if (!is_in_state(c, "choosing")) {
        tas_json_set_text(detail, "host_name", c->host_name);
        tas_json_set_text(detail, "os", c->os);
    }
    tas_json_set_text(detail, "address", c->address);
    tas_json_set_text(detail, "tool_version", c->tool_version);
    tas_json_set_text(detail, "terms_version", c->terms_version);
    if (c->terms_at)
        tas_json_set_int(detail, "terms_at", c->terms_at);
    return detail;
}

/* Somebody has typed the number; unless he is still choosing, its operator hears of it. */
static int add_claim(struct tas_db *db, struct claiming *c) {
    bool is_choosing = is_in_state(&c->claim, "choosing");
    int err = store_claim_add(db, &c->claim);
    if (err == TAS_OK && !is_choosing)
        err = store_session_waiting(db, c->session.id, c->now, mgr_new_id(c->m));
    if (err == TAS_OK)
        err = mgr_audit(c->m, db, c->session.company_id, c->session.id, "customer",
                        is_choosing ? "choosing" : "claimed", claim_detail(&c->claim), NULL);
    return err != TAS_OK || is_choosing
               ? err
               : mgr_notice(c->m, db, "session", c->session.operator_id, c->session.id);
}

static int hit(struct tas_db *db, struct claiming *c) {
    c->outcome = CLAIMED;
    c->claim.session_id = c->session.id;
    c->claim.company_id = c->session.company_id;
    int err = store_company_by_id(db, c->session.company_id, &c->company);
    if (err == TAS_OK && c->company.is_frozen)
        return miss(db, c);
    /* First, because it makes others who claim this number wait until we are through. */
    if (err == TAS_OK)
        err = store_session_lock(db, c->session.id);
    if (err == TAS_E_ABSENT) /* used up this moment */
        return miss(db, c);
    if (err == TAS_OK)
        err = make_room(db, c);
    return err != TAS_OK || c->outcome == CROWDED ? err : add_claim(db, c);
}

/* The same steps for a number that is wrong, expired or used: one answer in one time. */
static int claim(struct tas_db *db, void *ctx) {
    struct claiming *c = ctx;
    struct store_claim there;
    int err = store_claim_by_key(db, c->body.pop_pk, &there);
    if (err == TAS_OK) { /* asked before: the same answer */
        c->claim = there;
        err = store_session_get(db, there.session_id, &c->session);
        /* Nobody who typed one company's number is shown another's claim. */
        bool is_same =
            err == TAS_OK && memcmp(c->session.number_hash, c->number_hash, sizeof(c->number_hash)) == 0;
        c->outcome = is_same ? CLAIMED : OTHER_NUMBER;
        return err != TAS_OK ? err : store_company_by_id(db, there.company_id, &c->company);
    }
    if (err == TAS_E_ABSENT)
        err = mgr_misses_look(c->m, db, c->source, c->now, &c->misses);
    if (err != TAS_OK)
        return err;
    c->outcome = c->misses.is_over ? OVER_LIMIT : NEEDS_WORK;
    if (c->misses.is_over ||
        !mgr_pow_is_done(c->m, c->body.nonce, c->number, c->body.pop_pk, c->body.pow, c->misses.pow_bits))
        return TAS_OK;
    err = store_session_by_number(db, c->number_hash, c->now, &c->session);
    if (err == TAS_E_ABSENT)
        return miss(db, c);
    return err != TAS_OK ? err : hit(db, c);
}

static void fill_claim(struct claiming *c) {
    struct store_claim *to = &c->claim;
    char *rtt = c->body.rtt ? tas_json_dump(c->body.rtt) : NULL;
    *to = (struct store_claim){.id = mgr_new_id(c->m), .claimed_at = c->now, .terms_at = c->body.terms_at_ms};
    memcpy(to->pop_pk, c->body.pop_pk, 32);
    mgr_address(to->address, c->source);
    mgr_prefix(to->prefix, c->source);
    if (!c->body.choosing) { /* he has not agreed to tell it yet */
        snprintf(to->host_name, sizeof(to->host_name), "%s", c->body.host_name);
        snprintf(to->os, sizeof(to->os), "%s", c->body.os);
    }
    snprintf(to->tool_version, sizeof(to->tool_version), "%s", c->body.tool_version);
    snprintf(to->language, sizeof(to->language), "%s", c->body.language);
    snprintf(to->terms_version, sizeof(to->terms_version), "%s", c->body.terms_version);
    snprintf(to->rtt, sizeof(to->rtt), "%s", rtt && strlen(rtt) <= STORE_RTT ? rtt : "[]");
    snprintf(to->state, sizeof(to->state), "%s", c->body.choosing ? "choosing" : "pending");
    free(rtt);
}

/* What can be seen without the database. False: the reply says it. */
static bool is_sound(struct claiming *c, struct tas_http_reply *reply) {
    if (!tas_number_read(c->number, c->body.number) || !tas_damm_is_right(c->number, TAS_NUMBER_DIGITS)) {
        tas_http_problem(reply, 422, "number_mistyped", "this is no reception number: check the digits");
        return false;
    }
    const struct tas_bytes parts[] = {tas_bytes_of(c->number, TAS_NUMBER_DIGITS),
                                      tas_bytes_of(c->body.pop_pk, 32),
                                      tas_bytes_of(c->body.nonce, MGR_NONCE)};
    if (mgr_nonce_check(c->m, c->body.nonce, c->now) != TAS_OK ||
        tas_verify(c->m->crypto, c->body.sig, c->body.pop_pk, "TSK1 claim", parts, 3) != TAS_OK) {
        tas_http_problem(reply, 400, "nonce_old",
                         "the nonce is too old or not signed by pop_pk; ask for another");
        return false;
    }
    return true;
}

static void say_claimed(struct claiming *c, struct tas_http_reply *reply) {
    char token[MGR_TOKEN];
    if (mgr_token(c->m, token, 'c', c->claim.id, c->claim.pop_pk) != TAS_OK)
        token[0] = '\0';
    struct tas_json *json = tas_json_object();
    tas_json_set_id(json, "claim", c->claim.id);
    tas_json_set_text(json, "token", token);
    tas_json_set_text(json, "company", c->company.name);
    tas_json_set_int(json, "server_ms", mgr_now());
    tas_json_set_int(json, "expires_at", c->session.expires_at);
    tas_http_json(reply, 200, json);
    tas_wipe(token, sizeof(token));
}

static void say_outcome(struct claiming *c, struct tas_http_reply *reply) {
    switch (c->outcome) {
    case CLAIMED:
        mgr_count(&c->m->stats.claims_total);
        say_claimed(c, reply);
        return;
    case MISSED:
        mgr_count(&c->m->stats.misses_total);
        tas_http_problem(reply, 404, "number_unknown",
                         "this reception number is wrong or no longer valid: ask your operator");
        return;
    case OVER_LIMIT:
        mgr_count(&c->m->stats.throttled_total);
        tas_http_problem(reply, 429, "slow_down",
                         "too many wrong numbers from your network: wait a while, then try again");
        tas_http_header(reply, "retry-after:", "600");
        return;
    case NEEDS_WORK:
        mgr_problem(reply, 428, "pow_needed",
                    "many wrong numbers are being tried just now: show work for this claim", "pow_bits",
                    c->misses.pow_bits);
        return;
    case CROWDED:
        tas_http_problem(reply, 409, "crowded",
                         "others are waiting on this number: ask your operator to refuse them, or for a new "
                         "number");
        return;
    case OTHER_NUMBER:
        tas_http_problem(reply, 409, "key_used", "this key has claimed another number: make a new one");
        return;
    }
}

static void on_claim(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    struct mgr *m = ctx;
    struct claiming c = {.m = m, .source = req->source, .now = mgr_now()};
    struct tas_json *json = NULL;
    struct tas_db *db = mgr_db(m, req, reply);
    if (!db || !mgr_read_body(req, reply, claim_fields, &c.body, &json))
        return;
    if (is_sound(&c, reply)) {
        fill_claim(&c);
        int err = mgr_number_hash(m, c.number_hash, c.number);
        if (err == TAS_OK)
            err = mgr_transaction(m, db, claim, &c);
        if (err == TAS_E_STATE) /* two at once with one key: the other was first */
            err = mgr_transaction(m, db, claim, &c);
        if (err == TAS_OK)
            say_outcome(&c, reply);
        else
            mgr_fail(m, reply, err, "");
    }
    tas_json_free(json);
}

/* ---- what a customer sees and does then ---- */

struct claim_view {
    struct mgr *m;
    const uint8_t *source;
    struct store_claim claim;
    struct tas_json *json;
};

static int view_claim(struct tas_db *db, void *ctx) {
    struct claim_view *v = ctx;
    int err = store_claim_get(db, v->claim.id, &v->claim);
    tas_json_free(v->json);
    v->json = NULL;
    if (err == TAS_OK)
        v->json = mgr_claim_json(v->m, db, &v->claim, &err);
    return err;
}

static void say_claim(struct claim_view *v, struct tas_db *db, struct tas_http_reply *reply, int err) {
    if (err == TAS_OK)
        err = tas_db_read(db, view_claim, v);
    mgr_say(v->m, reply, 200, v->json, err, "claim");
}

static void on_claim_get(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    struct mgr *m = ctx;
    struct claim_view v = {.m = m};
    struct tas_db *db = mgr_db(m, req, reply);
    if (db && mgr_auth_customer(m, db, req, reply, &v.claim))
        say_claim(&v, db, reply, TAS_OK);
}

static int withdraw(struct tas_db *db, void *ctx) {
    struct claim_view *v = ctx;
    struct store_session s;
    int err = lock_session(db, v->claim.session_id);
    if (err == TAS_OK)
        err = store_claim_get(db, v->claim.id, &v->claim);
    bool was_pending = err == TAS_OK && is_in_state(&v->claim, "pending");
    if (err != TAS_OK || (!was_pending && !is_in_state(&v->claim, "choosing")))
        return err; /* it waits no longer: then there is nothing to withdraw */
    err = store_claim_set_state(db, v->claim.id, v->claim.state, "withdrawn");
    if (err == TAS_E_ABSENT) /* the session is over, and another request was faster: look again */
        return TAS_E_MORE;
    if (err == TAS_OK) /* or one could claim and withdraw without end */
        err = mgr_misses_add(v->m, db, v->source, mgr_now());
    if (err == TAS_OK)
        err = mgr_audit(v->m, db, v->claim.company_id, v->claim.session_id, "customer", "withdrawn",
                        claim_id_json(v->claim.id), NULL);
    if (err == TAS_OK)
        err = store_session_get(db, v->claim.session_id, &s);
    if (err == TAS_OK && was_pending)
        err = one_fewer_waits(v->m, db, &s);
    return err != TAS_OK ? err : mgr_notice(v->m, db, "claim", v->claim.id, s.id);
}

static void on_withdraw(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    struct mgr *m = ctx;
    struct claim_view v = {.m = m, .source = req->source};
    struct tas_db *db = mgr_db(m, req, reply);
    if (db && mgr_auth_customer(m, db, req, reply, &v.claim))
        say_claim(&v, db, reply, mgr_transaction(m, db, withdraw, &v));
}

/* ---- the customer has chosen what to allow ---- */

struct ready_body {
    char host_name[STORE_TEXT + 1], os[STORE_TEXT + 1];
};

#define FIELD(name, kind, optional, min, max)                                                                \
    { #name, kind, optional, min, max, offsetof(struct ready_body, name) }
static const struct tas_json_field ready_fields[] = {
    FIELD(host_name, TAS_JSON_TEXT, false, 0, STORE_TEXT),
    FIELD(os, TAS_JSON_TEXT, false, 0, STORE_TEXT),
    {0},
};
#undef FIELD

struct arriving {
    struct claim_view view;
    struct ready_body body;
    const char *problem; /* NULL: fine; words */
};

static const char *why_gone(const char *state) {
    static const struct {
        const char *state, *words;
    } all[] = {{"refused", "the operator has refused: ask your operator before you type the number again"},
               {"withdrawn", "you have withdrawn: type the number again"},
               {"replaced", "somebody who typed the number later has this place: type the number again"}};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (strcmp(state, all[i].state) == 0)
            return all[i].words;
    return "the number was cancelled, has run out or was used: ask your operator for a new one";
}

/* From now on the operator sees who waits. */
static int arrive(struct tas_db *db, struct arriving *a, const struct store_session *s) {
    struct mgr *m = a->view.m;
    struct store_claim *c = &a->view.claim;
    c->claimed_at = mgr_now();
    snprintf(c->state, sizeof(c->state), "pending");
    snprintf(c->host_name, sizeof(c->host_name), "%s", a->body.host_name);
    snprintf(c->os, sizeof(c->os), "%s", a->body.os);
    int err = store_session_waiting(db, s->id, c->claimed_at, mgr_new_id(m));
    if (err == TAS_OK)
        err = store_claim_arrived(db, c);
    if (err == TAS_E_ABSENT) /* something else was faster: look again */
        return TAS_E_MORE;
    if (err == TAS_OK)
        err = mgr_audit(m, db, c->company_id, s->id, "customer", "claimed", claim_detail(c), NULL);
    if (err == TAS_OK)
        err = mgr_notice(m, db, "session", s->operator_id, s->id);
    return err != TAS_OK ? err : mgr_notice(m, db, "claim", c->id, s->id);
}

static int ready(struct tas_db *db, void *ctx) {
    struct arriving *a = ctx;
    struct store_session s;
    a->problem = NULL;
    int err = store_claim_get(db, a->view.claim.id, &a->view.claim);
    if (err == TAS_OK)
        err = store_session_get(db, a->view.claim.session_id, &s);
    if (err != TAS_OK)
        return err;
    const char *state = mgr_claim_state(&a->view.claim, &s);
    if (strcmp(state, "pending") == 0 || strcmp(state, "answered") == 0) /* asked before */
        return TAS_OK;
    if (strcmp(state, "choosing") != 0)
        a->problem = why_gone(state);
    else if (s.expires_at <= mgr_now())
        a->problem = why_gone("over");
    return a->problem ? TAS_OK : arrive(db, a, &s);
}

static void on_ready(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    struct mgr *m = ctx;
    struct arriving a = {.view = {.m = m}};
    struct tas_db *db = mgr_db(m, req, reply);
    if (!db || !mgr_auth_customer(m, db, req, reply, &a.view.claim) ||
        !mgr_read_body(req, reply, ready_fields, &a.body, NULL))
        return;
    int err = mgr_transaction(m, db, ready, &a);
    if (err == TAS_OK && a.problem)
        tas_http_problem(reply, 409, "wrong_state", a.problem);
    else
        say_claim(&a.view, db, reply, err);
}

/* ---- the customer's stream ---- */

static void on_claim_stream(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    struct mgr *m = ctx;
    struct store_claim claim;
    struct tas_db *db = mgr_db(m, req, reply);
    if (db && mgr_auth_customer(m, db, req, reply, &claim))
        reply->topic = claim.id;
}

static void fill_claim_stream(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    struct mgr *m = ctx;
    struct claim_view v = {.m = m};
    struct tas_db *db = mgr_db(m, req, reply);
    if (!db || !mgr_auth_customer(m, db, req, reply, &v.claim))
        return;
    int err = tas_db_read(db, view_claim, &v);
    char *text = err == TAS_OK ? tas_json_dump(v.json) : NULL;
    if (text)
        tas_http_event(reply, mgr_new_id(m), "claim", text);
    else
        mgr_fail(m, reply, err, "claim");
    free(text);
    tas_json_free(v.json);
}

/* ---- the operator answers, or refuses ---- */

struct answer_body {
    uint64_t claim;
    uint8_t pop_pk[32];
    const struct tas_json *rtt;
};

#define FIELD(name, kind, optional, min, max)                                                                \
    { #name, kind, optional, min, max, offsetof(struct answer_body, name) }
static const struct tas_json_field answer_fields[] = {
    FIELD(claim, TAS_JSON_ID, false, 0, 0),
    FIELD(pop_pk, TAS_JSON_HEX, false, 0, 32),
    FIELD(rtt, TAS_JSON_LIST, true, 0, MGR_RTTS),
    {0},
};
static const struct tas_json_field refuse_fields[] = {FIELD(claim, TAS_JSON_ID, false, 0, 0), {0}};
#undef FIELD

struct answering {
    struct mgr *m;
    const struct mgr_operator *who;
    uint64_t session_id;
    struct answer_body body;
    struct store_session session;
    struct store_claim claim;
    const char *problem; /* NULL: fine; a code */
    struct tas_json *json;
};

static int choose_relays(struct tas_db *db, struct answering *a) {
    struct mgr_rtts host;
    struct mgr_rtts viewer;
    struct store_relay *relays = NULL;
    size_t n = 0;
    char why[TAS_JSON_WHY];
    struct tas_json *list = tas_json_parse(tas_bytes_of(a->claim.rtt, strlen(a->claim.rtt)), why);
    mgr_rtts_read(&host, list);
    mgr_rtts_read(&viewer, a->body.rtt);
    int err = store_relay_list(db, &relays, &n);
    if (err == TAS_OK && mgr_choose(a->session.relays, a->session.region, relays, n, a->who->company.regions,
                                    &host, &viewer, mgr_now()) != TAS_OK)
        a->problem = "no_relay";
    free(relays);
    tas_json_free(list);
    return err;
}

static struct tas_json *answer_detail(const struct answering *a) {
    struct tas_json *detail = tas_json_object();
    tas_json_set_id(detail, "claim", a->claim.id);
    tas_json_set_text(detail, "host_name", a->claim.host_name);
    tas_json_set_text(detail, "address", a->claim.address);
    tas_json_set_int(detail, "relay", a->session.relays[0]);
    tas_json_set_text(detail, "region", a->session.region);
    tas_json_set_int(detail, "answered_at", a->session.answered_at);
    return detail;
}

static int begin_session(struct tas_db *db, struct answering *a) {
    struct store_session *s = &a->session;
    char actor[STORE_ACTOR];
    s->answered_at = mgr_now();
    s->claim_id = a->claim.id;
    s->terms_at = a->claim.terms_at;
    s->rev = mgr_new_id(a->m);
    memcpy(s->host_pk, a->claim.pop_pk, 32);
    memcpy(s->viewer_pk, a->body.pop_pk, 32);
    snprintf(s->customer_address, sizeof(s->customer_address), "%s", a->claim.address);
    snprintf(s->customer_version, sizeof(s->customer_version), "%s", a->claim.tool_version);
    snprintf(s->terms_version, sizeof(s->terms_version), "%s", a->claim.terms_version);
    int err = store_session_answered(db, s);
    if (err == TAS_E_ABSENT) /* another server was faster: look again */
        return TAS_E_MORE;
    if (err == TAS_OK)
        err = store_claim_set_state(db, a->claim.id, "pending", "answered");
    if (err == TAS_OK)
        err = store_claim_close_others(db, s->id, a->claim.id, "over");
    if (err == TAS_OK)
        err = mgr_audit(a->m, db, s->company_id, s->id, mgr_actor(actor, "operator", s->operator_login),
                        "answered", answer_detail(a), NULL);
    if (err == TAS_OK)
        err = mgr_notice(a->m, db, "session", s->operator_id, s->id);
    snprintf(s->state, sizeof(s->state), "active");
    return err != TAS_OK ? err : mgr_notice(a->m, db, "claim", a->claim.id, s->id);
}

/* Session and claim that belong together and to this operator. Of who is still choosing he knows nothing. */
static int find_both(struct tas_db *db, struct answering *a) {
    int err = store_session_get(db, a->session_id, &a->session);
    if (err == TAS_OK && a->session.operator_id != a->who->op.id)
        return TAS_E_ABSENT;
    if (err == TAS_OK)
        err = store_claim_get(db, a->body.claim, &a->claim);
    bool is_his = err == TAS_OK && a->claim.session_id == a->session_id;
    return err == TAS_OK && (!is_his || is_in_state(&a->claim, "choosing")) ? TAS_E_ABSENT : err;
}

/* The others who wait hear that it is over. */
static int tell_others(struct tas_db *db, struct answering *a) {
    struct store_claim *all = NULL;
    size_t n = 0;
    int err = store_claim_list(db, a->session_id, &all, &n);
    for (size_t i = 0; i < n && err == TAS_OK; i++)
        if (all[i].id != a->claim.id)
            err = mgr_notice(a->m, db, "claim", all[i].id, a->session_id);
    free(all);
    return err;
}

static int answer(struct tas_db *db, void *ctx) {
    struct answering *a = ctx;
    a->problem = NULL;
    int err = find_both(db, a);
    if (err != TAS_OK)
        return err;
    bool is_again = strcmp(a->session.state, "ended") != 0 && a->session.claim_id == a->claim.id &&
                    memcmp(a->session.viewer_pk, a->body.pop_pk, 32) == 0;
    if (is_again)
        return TAS_OK;
    if (strcmp(a->session.state, "waiting") != 0 || strcmp(a->claim.state, "pending") != 0 ||
        a->session.expires_at <= mgr_now()) {
        a->problem = "wrong_state";
        return TAS_OK;
    }
    err = choose_relays(db, a);
    if (err == TAS_OK && !a->problem)
        err = tell_others(db, a);
    if (err != TAS_OK || a->problem)
        return err;
    return begin_session(db, a);
}

static int view_answer(struct tas_db *db, void *ctx) {
    struct answering *a = ctx;
    int err;
    char name[MGR_NAME + 1];
    mgr_host_name(name, &a->session, &a->claim);
    tas_json_free(a->json);
    a->json = tas_json_object();
    tas_json_set(a->json, "session", mgr_session_json(a->m, db, &a->session, &err));
    if (err == TAS_OK)
        tas_json_set(a->json, "grant",
                     mgr_grant_json(a->m, db, &a->session, &a->who->company, name, MGR_VIEWER, &err));
    return err;
}

static void say_problem(struct tas_http_reply *reply, const char *code) {
    if (strcmp(code, "no_relay") == 0)
        tas_http_problem(reply, 503, code,
                         "no relay is up that your company may use: tell your administrator");
    else
        tas_http_problem(reply, 409, code,
                         "this customer no longer waits, or the session is answered or over");
}

static void on_answer(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    struct mgr *m = ctx;
    struct mgr_operator who;
    struct answering a = {.m = m, .who = &who};
    struct tas_json *json = NULL;
    struct tas_db *db = mgr_db(m, req, reply);
    if (!db || !mgr_auth_operator(m, db, req, reply, &who) || !mgr_param_id(req, reply, &a.session_id) ||
        !mgr_read_body(req, reply, answer_fields, &a.body, &json))
        return;
    int err = mgr_transaction(m, db, answer, &a);
    if (err == TAS_OK && !a.problem)
        err = tas_db_read(db, view_answer, &a);
    if (err == TAS_OK && a.problem) {
        say_problem(reply, a.problem);
    } else if (err == TAS_OK) {
        mgr_count(&m->stats.answers_total);
        tas_http_json(reply, 200, a.json);
        a.json = NULL;
    } else {
        mgr_fail(m, reply, err, "session or claim");
    }
    tas_json_free(a.json);
    tas_json_free(json);
}

static int refuse(struct tas_db *db, void *ctx) {
    struct answering *a = ctx;
    char actor[STORE_ACTOR];
    a->problem = NULL;
    int err = lock_session(db, a->session_id);
    if (err == TAS_OK)
        err = find_both(db, a);
    if (err != TAS_OK || is_in_state(&a->claim, "refused"))
        return err;
    err = store_claim_set_state(db, a->claim.id, "pending", "refused");
    if (err == TAS_E_ABSENT) {
        a->problem = "wrong_state";
        return TAS_OK;
    }
    struct tas_json *detail = tas_json_object();
    tas_json_set_id(detail, "claim", a->claim.id);
    tas_json_set_text(detail, "host_name", a->claim.host_name);
    if (err == TAS_OK)
        err = mgr_audit(a->m, db, a->session.company_id, a->session_id,
                        mgr_actor(actor, "operator", a->who->op.login), "refused", detail, NULL);
    else
        tas_json_free(detail);
    if (err == TAS_OK)
        err = one_fewer_waits(a->m, db, &a->session);
    return err != TAS_OK ? err : mgr_notice(a->m, db, "claim", a->claim.id, a->session_id);
}

static int view_refused(struct tas_db *db, void *ctx) {
    struct answering *a = ctx;
    int err = store_session_get(db, a->session_id, &a->session);
    tas_json_free(a->json);
    a->json = NULL;
    if (err == TAS_OK)
        a->json = mgr_session_json(a->m, db, &a->session, &err);
    return err;
}

static void on_refuse(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    struct mgr *m = ctx;
    struct mgr_operator who;
    struct answering a = {.m = m, .who = &who};
    struct tas_db *db = mgr_db(m, req, reply);
    if (!db || !mgr_auth_operator(m, db, req, reply, &who) || !mgr_param_id(req, reply, &a.session_id) ||
        !mgr_read_body(req, reply, refuse_fields, &a.body, NULL))
        return;
    int err = mgr_transaction(m, db, refuse, &a);
    if (err == TAS_OK && a.problem) {
        say_problem(reply, a.problem);
        return;
    }
    if (err == TAS_OK)
        err = tas_db_read(db, view_refused, &a);
    mgr_say(m, reply, 200, a.json, err, "session or claim");
}

const struct tas_http_route mgr_pairing_routes[] = {
    {.method = "POST",
     .path = "/v1/claims",
     .lane = MGR_LANE_STORE,
     .body_max = 8192,
     .fn = on_claim,
     .gate = mgr_throttle_gate},
    {.method = "GET", .path = "/v1/claims/{id}", .lane = MGR_LANE_STORE, .fn = on_claim_get},
    {.method = "GET",
     .path = "/v1/claims/{id}/stream",
     .lane = MGR_LANE_STORE,
     .fn = on_claim_stream,
     .fill = fill_claim_stream},
    {.method = "POST",
     .path = "/v1/claims/{id}/ready",
     .lane = MGR_LANE_STORE,
     .body_max = 2048,
     .fn = on_ready},
    {.method = "POST",
     .path = "/v1/claims/{id}/withdraw",
     .lane = MGR_LANE_STORE,
     .body_max = 64,
     .fn = on_withdraw},
    {.method = "POST",
     .path = "/v1/sessions/{id}/answer",
     .lane = MGR_LANE_STORE,
     .body_max = 4096,
     .fn = on_answer},
    {.method = "POST",
     .path = "/v1/sessions/{id}/refuse",
     .lane = MGR_LANE_STORE,
     .body_max = 256,
     .fn = on_refuse},
    {0},
};
