/* Reception numbers: issued, cancelled, listed. */
#include "manager/manager.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    DRAWS = 32,
    MINUTE_MS = 60 * 1000,
    HOUR_MS = 60 * MINUTE_MS,
    LIST_MOST = 100,
    LIST_USUAL = 50,
    REV_MARGIN_MS = 10 * 1000,
    STREAM_FILL = 2 * 1024 * 1024
};

struct issue_body {
    uint8_t request[16];
    char customer[STORE_TEXT + 1], reason[STORE_TEXT + 1], ticket_no[STORE_TEXT + 1];
};

#define FIELD(name, kind, optional, min, max)                                                                \
    { #name, kind, optional, min, max, offsetof(struct issue_body, name) }
static const struct tas_json_field issue_fields[] = {
    FIELD(request, TAS_JSON_HEX, false, 0, 16),
    FIELD(customer, TAS_JSON_TEXT, true, 0, STORE_TEXT),
    FIELD(reason, TAS_JSON_TEXT, true, 0, STORE_TEXT),
    FIELD(ticket_no, TAS_JSON_TEXT, true, 0, STORE_TEXT),
    {0},
};
#undef FIELD

/* A question of an operator about one session. */
struct question {
    struct mgr *m;
    const struct mgr_operator *who;
    struct store_session s;
    struct issue_body body;
    char address[STORE_IP];
    bool is_new, is_over_limit, is_wrong_state;
    struct tas_json *json;
    /* of a list */
    uint64_t before;
    int64_t limit;
};

/* ---- issue ---- */

static struct tas_json *issue_detail(const struct store_session *s) {
    struct tas_json *detail = tas_json_object();
    tas_json_set_text(detail, "operator", s->operator_login);
    tas_json_set_text(detail, "operator_name", s->operator_name);
    tas_json_set_text(detail, "number_last3", s->number_last3);
    tas_json_set_int(detail, "issued_at", s->issued_at);
    tas_json_set_int(detail, "expires_at", s->expires_at);
    tas_json_set_text(detail, "customer", s->customer[0] ? s->customer : NULL);
    tas_json_set_text(detail, "reason", s->reason[0] ? s->reason : NULL);
    tas_json_set_text(detail, "ticket_no", s->ticket_no[0] ? s->ticket_no : NULL);
    tas_json_set_text(detail, "address", s->operator_address);
    return detail;
}

static int draw_number(struct mgr *m, struct store_session *s) {
    char number[10];
    mgr_number_draw(number);
    memcpy(s->number_last3, number + 6, sizeof(s->number_last3));
    int err = mgr_number_hash(m, s->number_hash, number);
    if (err == TAS_OK)
        err = mgr_number_seal(m, s->number_sealed, s->id, number);
    tas_wipe(number, sizeof(number));
    s->has_number = true;
    return err;
}

static int issue(struct tas_db *db, void *ctx) {
    struct question *q = ctx;
    struct store_session *s = &q->s;
    struct store_session there;
    char actor[STORE_ACTOR];
    int64_t live;
    int err = store_session_lock_operator(db, q->who->op.id); /* or two at once would both find room */
    if (err == TAS_OK)
        err = store_session_by_request(db, q->who->op.id, q->body.request, &there);
    if (err == TAS_OK) {
        *s = there;
        q->is_new = false;
        return TAS_OK;
    }
    if (err == TAS_E_ABSENT)
        err = store_session_count_live(db, q->who->op.id, &live);
    if (err != TAS_OK)
        return err;
    q->is_over_limit = live >= q->who->company.max_live;
    if (q->is_over_limit)
        return TAS_OK;
    err = draw_number(q->m, s);
    if (err == TAS_OK)
        err = store_session_add(db, s, s->expires_at + (int64_t)q->m->config->quarantine_hours * HOUR_MS);
    if (err == TAS_OK)
        err = mgr_audit(q->m, db, s->company_id, s->id, mgr_actor(actor, "operator", s->operator_login),
                        "issued", issue_detail(s), NULL);
    if (err == TAS_OK)
        err = mgr_notice(q->m, db, "session", s->operator_id, s->id);
    q->is_new = err == TAS_OK;
    return err;
}

static void prepare(struct question *q, const struct tas_http_request *req) {
    struct store_session *s = &q->s;
    *s = (struct store_session){
        .id = mgr_new_id(q->m),
        .company_id = q->who->company.id,
        .operator_id = q->who->op.id,
        .issued_at = mgr_now(),
        .perms = q->who->company.perms & MGR_RIGHTS,
        .relay_id = -1,
        .bytes_in = -1,
        .bytes_out = -1,
        .rtt_p50_us = -1,
        .rtt_p95_us = -1,
    };
    s->expires_at = s->issued_at + (int64_t)q->m->config->number_minutes * MINUTE_MS;
    s->rev = s->id;
    memcpy(s->request, q->body.request, sizeof(s->request));
    snprintf(s->operator_login, sizeof(s->operator_login), "%s", q->who->op.login);
    snprintf(s->operator_name, sizeof(s->operator_name), "%s", q->who->op.name);
    snprintf(s->operator_version, sizeof(s->operator_version), "%s", q->who->login.tool_version);
    snprintf(s->customer, sizeof(s->customer), "%s", q->body.customer);
    snprintf(s->reason, sizeof(s->reason), "%s", q->body.reason);
    snprintf(s->ticket_no, sizeof(s->ticket_no), "%s", q->body.ticket_no);
    snprintf(s->state, sizeof(s->state), "issued");
    mgr_address(s->operator_address, req->source);
}

static int view(struct tas_db *db, void *ctx) {
    struct question *q = ctx;
    int err;
    tas_json_free(q->json);
    q->json = mgr_session_json(q->m, db, &q->s, &err);
    return err;
}

/* The session as the reply, when err is TAS_OK. */
static void answer(struct question *q, struct tas_db *db, struct tas_http_reply *reply, unsigned status,
                   int err) {
    if (err == TAS_OK)
        err = tas_db_read(db, view, q);
    mgr_say(q->m, reply, status, q->json, err, "session");
}

static void on_issue(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    struct mgr *m = ctx;
    struct mgr_operator who;
    struct question q = {.m = m, .who = &who};
    struct tas_db *db = mgr_db(m, req, reply);
    if (!db || !mgr_auth_operator(m, db, req, reply, &who) ||
        !mgr_read_body(req, reply, issue_fields, &q.body, NULL))
        return;
    prepare(&q, req);
    int err = TAS_E_STATE;
    for (int i = 0; i < DRAWS && err == TAS_E_STATE;
         i++) /* the number is live or in quarantine: another one */
        err = mgr_transaction(m, db, issue, &q);
    if (err == TAS_OK && q.is_over_limit) {
        char text[160];
        snprintf(text, sizeof(text),
                 "%" PRId64 " of your numbers are live already: cancel one, or wait until one runs out",
                 who.company.max_live);
        tas_http_problem(reply, 429, "too_many_numbers", text);
        return;
    }
    if (err == TAS_OK && q.is_new)
        mgr_count(&m->stats.numbers_total);
    answer(&q, db, reply, q.is_new ? 201 : 200, err);
}

/* ---- one's own sessions ---- */

static int get_own(struct tas_db *db, void *ctx) {
    struct question *q = ctx;
    uint64_t id = q->s.id;
    int err = store_session_get(db, id, &q->s);
    q->s.id = id;
    return err == TAS_OK && q->s.operator_id != q->who->op.id ? TAS_E_ABSENT : err;
}

static int get_and_view(struct tas_db *db, void *ctx) {
    int err = get_own(db, ctx);
    return err != TAS_OK ? err : view(db, ctx);
}

static void on_get(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    struct mgr *m = ctx;
    struct mgr_operator who;
    struct question q = {.m = m, .who = &who};
    struct tas_db *db = mgr_db(m, req, reply);
    if (!db || !mgr_auth_operator(m, db, req, reply, &who) || !mgr_param_id(req, reply, &q.s.id))
        return;
    int err = tas_db_read(db, get_and_view, &q);
    mgr_say(m, reply, 200, q.json, err, "session");
}

static int cancel(struct tas_db *db, void *ctx) {
    struct question *q = ctx;
    char actor[STORE_ACTOR];
    int err = get_own(db, q);
    bool is_cancelled = strcmp(q->s.end_reason, "cancelled") == 0;
    if (err != TAS_OK || is_cancelled) /* the first try was stored after all */
        return err;
    q->is_wrong_state = strcmp(q->s.state, "issued") != 0 && strcmp(q->s.state, "waiting") != 0;
    if (q->is_wrong_state)
        return TAS_OK;
    err = mgr_end_session(q->m, db, &q->s, mgr_actor(actor, "operator", q->who->op.login), "cancelled", NULL);
    return err == TAS_E_ABSENT ? TAS_E_MORE : err; /* another server was faster: look again */
}

static void on_cancel(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    struct mgr *m = ctx;
    struct mgr_operator who;
    struct question q = {.m = m, .who = &who};
    struct tas_db *db = mgr_db(m, req, reply);
    if (!db || !mgr_auth_operator(m, db, req, reply, &who) || !mgr_param_id(req, reply, &q.s.id))
        return;
    int err = mgr_transaction(m, db, cancel, &q);
    if (err == TAS_OK && q.is_wrong_state)
        tas_http_problem(reply, 409, "wrong_state",
                         "only a number that nobody was answered on can be cancelled; end the session");
    else
        answer(&q, db, reply, 200, err);
}

/* ---- lists ---- */

static int list_own(struct tas_db *db, void *ctx) {
    struct question *q = ctx;
    struct store_session *all = NULL;
    size_t n = 0;
    int err = store_session_history(db, q->who->op.id, q->before, q->limit, &all, &n);
    struct tas_json *list = tas_json_list();
    for (size_t i = 0; i < n && err == TAS_OK; i++)
        tas_json_add(list, mgr_session_json(q->m, db, &all[i], &err));
    tas_json_free(q->json);
    q->json = tas_json_object();
    tas_json_set(q->json, "sessions", list);
    if (err == TAS_OK && n == (size_t)q->limit)
        tas_json_set_id(q->json, "next", all[n - 1].id);
    else
        tas_json_set_null(q->json, "next");
    free(all);
    return err;
}

static bool read_list_query(const struct tas_http_request *req, struct question *q) {
    char text[512]; /* longer ones are none of ours: a query may be 2 KiB */
    char *end;
    q->limit = LIST_USUAL;
    if (tas_http_query(req, "limit", text, sizeof(text))) {
        q->limit = strtol(text, &end, 10);
        if (!text[0] || *end || q->limit < 1 || q->limit > LIST_MOST)
            return false;
    }
    return !tas_http_query(req, "before", text, sizeof(text)) || tas_id_decode(&q->before, text) == TAS_OK;
}

static void on_list(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    struct mgr *m = ctx;
    struct mgr_operator who;
    struct question q = {.m = m, .who = &who};
    struct tas_db *db = mgr_db(m, req, reply);
    if (!db || !mgr_auth_operator(m, db, req, reply, &who))
        return;
    if (!read_list_query(req, &q)) {
        tas_http_problem(reply, 400, "bad_request", "limit must be from 1 to 100, before an id");
        return;
    }
    int err = tas_db_read(db, list_own, &q);
    mgr_say(m, reply, 200, q.json, err, "");
}

/* ---- the stream ---- */

static void on_stream(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    struct mgr *m = ctx;
    struct mgr_operator who;
    struct tas_db *db = mgr_db(m, req, reply);
    if (db && mgr_auth_operator(m, db, req, reply, &who))
        reply->topic = who.op.id;
}

struct batch {
    struct mgr *m;
    uint64_t operator_id, rev;
    struct store_session *all;
    size_t n;
    struct tas_json *list;
};

static int read_batch(struct tas_db *db, void *ctx) {
    struct batch *b = ctx;
    free(b->all);
    tas_json_free(b->list);
    b->all = NULL;
    b->list = tas_json_list();
    int err = store_session_changed(db, b->operator_id, b->rev, &b->all, &b->n);
    for (size_t i = 0; i < b->n && err == TAS_OK; i++)
        tas_json_add(b->list, mgr_session_json(b->m, db, &b->all[i], &err));
    return err;
}

static void write_batch(const struct batch *b, struct tas_http_reply *reply) {
    for (size_t i = 0; i < b->n; i++) {
        char *text = tas_json_dump(tas_json_at(b->list, i));
        if (text)
            tas_http_event(reply, b->all[i].rev, "session", text);
        free(text);
    }
}

/* *is_all: the reply had room for everything. */
static int write_changes(struct batch *b, struct tas_db *db, struct tas_http_reply *reply, bool *is_all) {
    bool is_resuming = b->rev != 0;
    int err;
    do {
        err = tas_db_read(db, read_batch, b);
        if (err != TAS_OK)
            return err;
        write_batch(b, reply);
        if (b->n > 0)
            b->rev = b->all[b->n - 1].rev;
        *is_all = b->n < STORE_CHANGED || !is_resuming;
    } while (!*is_all && reply->body.len < STREAM_FILL);
    return err;
}

static uint64_t resume_point(const struct tas_http_request *req) {
    char after[32];
    uint64_t id = 0;
    if (!tas_http_query(req, "after", after, sizeof(after)) || tas_id_decode(&id, after) != TAS_OK)
        return 0; /* an id that we did not give: everything */
    /* Ids of two servers may be committed a little out of order: what is told twice does no harm. */
    return tas_id_least(tas_id_ms(id) - REV_MARGIN_MS);
}

static void fill_stream(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    struct mgr *m = ctx;
    struct mgr_operator who;
    char ready[64];
    bool is_all = false;
    struct tas_db *db = mgr_db(m, req, reply);
    if (!db || !mgr_auth_operator(m, db, req, reply, &who))
        return;
    struct batch b = {.m = m, .operator_id = who.op.id, .rev = resume_point(req)};
    int err = write_changes(&b, db, reply, &is_all);
    snprintf(ready, sizeof(ready), "{\"server_ms\":%" PRId64 "}", mgr_now());
    if (err != TAS_OK)
        mgr_fail(m, reply, err, "");
    else if (is_all)
        tas_http_event(reply, mgr_new_id(m), "ready", ready);
    else
        tas_http_end_topic(m->http, who.op.id); /* he comes back for the rest, from the last of these on */
    free(b.all);
    tas_json_free(b.list);
}

const struct tas_http_route mgr_reception_routes[] = {
    {.method = "POST", .path = "/v1/sessions", .lane = MGR_LANE_STORE, .body_max = 4096, .fn = on_issue},
    {.method = "GET", .path = "/v1/sessions", .lane = MGR_LANE_STORE, .fn = on_list},
    {.method = "GET", .path = "/v1/sessions/{id}", .lane = MGR_LANE_STORE, .fn = on_get},
    {.method = "POST",
     .path = "/v1/sessions/{id}/cancel",
     .lane = MGR_LANE_STORE,
     .body_max = 64,
     .fn = on_cancel},
    {.method = "GET", .path = "/v1/stream", .lane = MGR_LANE_STORE, .fn = on_stream, .fill = fill_stream},
    {0},
};
