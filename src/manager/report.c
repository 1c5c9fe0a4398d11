/* What tools report of a running session: events, its end, its result, the customer's device. */
#include "manager/manager.h"

#include "base/hex.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    EVENTS_MAX = 32,
    DETAIL_MAX = 4096,
    DEVICE_MAX = 256 * 1024,
    DEVICE_DEPTH = 6,
    DAY_MS = 24 * 3600 * 1000,
    ONE_SIDE_MAX = 4096, /* events of one end of a session: nobody fills the company's chain */
    LATE_MS = 7 * DAY_MS /* tools that were off report when they come back */
};

/* ---- events ---- */

/* What each side may report. A tool's word about the other side's doing would be worth nothing. */
static const char *const operator_kinds[] = {
    "view_on",  "view_off", "control_asked", "text_sent", "chat",    "verified", "code_wrong", "suspended",
    "resumed",  "file",     "clipboard",     "draw",      "elevate", "reboot",   "hold",       "unhold",
    "transfer", "record",   "monitor",       "joined",    "alarm",   NULL,
};
static const char *const customer_kinds[] = {
    "granted",           "denied",           "revoked", "paused", "unpaused",
    "control_on",        "control_off",      "alarm",   "joined", "consent",
    "operator_accepted", "operator_refused", "chat",    NULL,
};

struct events_body {
    const struct tas_json *events;
};
static const struct tas_json_field events_fields[] = {
    {"events", TAS_JSON_LIST, false, 1, EVENTS_MAX, offsetof(struct events_body, events)},
    {0},
};

struct reported {
    uint8_t key[8];
    char kind[STORE_KIND + 1];
    const struct tas_json *detail;
    int64_t at_ms;
};
#define FIELD(name, kind, optional, min, max)                                                                \
    { #name, kind, optional, min, max, offsetof(struct reported, name) }
static const struct tas_json_field reported_fields[] = {
    FIELD(key, TAS_JSON_HEX, false, 0, 8),
    FIELD(kind, TAS_JSON_TEXT, false, 1, STORE_KIND),
    FIELD(detail, TAS_JSON_OBJECT, true, 0, 0),
    FIELD(at_ms, TAS_JSON_INT, false, 0, INT64_C(4102444800000)),
    {0},
};
#undef FIELD

/* Both sides: an operator of the session, or the customer of its claim. */
struct report {
    struct mgr *m;
    uint64_t session_id;
    struct store_session s;
    uint64_t operator_id; /* 0: a customer */
    uint64_t claim_id;
    char actor[STORE_ACTOR];
    const char *const *kinds;
    struct reported events[EVENTS_MAX];
    size_t n;
    int64_t stored;
    const char *problem;
    const struct end_body *end;
    const struct result_body *result;
    const char *device;
    struct tas_json *json;
};

static bool is_among(const char *const *kinds, const char *kind) {
    for (; *kinds; kinds++)
        if (strcmp(*kinds, kind) == 0)
            return true;
    return false;
}

static const char not_plain[] = "holds control characters or characters that change the direction of writing";

static bool read_events(struct report *r, const struct tas_json *list, struct tas_http_reply *reply) {
    char why[TAS_JSON_WHY];
    r->n = tas_json_len(list);
    for (size_t i = 0; i < r->n; i++) {
        struct reported *e = &r->events[i];
        if (tas_json_read(tas_json_at(list, i), reported_fields, e, why) != TAS_OK) {
            tas_http_problem(reply, 400, "bad_request", why);
            return false;
        }
        char *text = e->detail ? tas_json_dump(e->detail) : NULL;
        bool is_long = text && strlen(text) > DETAIL_MAX;
        free(text);
        const char *wrong = is_long                         ? "an event's detail is longer than 4 KiB"
                            : !tas_json_is_plain(e->detail) ? not_plain
                            : !is_among(r->kinds, e->kind)  ? "an event of a kind that this end cannot report"
                                                            : NULL;
        if (wrong) {
            tas_http_problem(reply, 400, "bad_request", wrong);
            return false;
        }
    }
    return true;
}

/* The session, if whoever reports belongs to it. */
static int get_session(struct tas_db *db, struct report *r) {
    int err = store_session_get(db, r->session_id, &r->s);
    if (err != TAS_OK)
        return err;
    bool is_his = r->operator_id ? r->s.operator_id == r->operator_id : r->s.claim_id == r->claim_id;
    return is_his ? TAS_OK : TAS_E_ABSENT;
}

/* Some events change the session. One that comes too late to do so is stored all the same. */
static int apply(struct tas_db *db, struct report *r, const char *kind) {
    int64_t now = mgr_now();
    uint64_t rev = mgr_new_id(r->m);
    int err = TAS_OK;
    if (!r->operator_id)
        return TAS_OK;
    if (strcmp(kind, "suspended") == 0)
        err = store_session_paused(db, r->session_id, "reconnecting", now, rev);
    else if (strcmp(kind, "hold") == 0)
        err = store_session_paused(db, r->session_id, "held", now, rev);
    else if (strcmp(kind, "resumed") == 0 || strcmp(kind, "unhold") == 0)
        err = store_session_resumed(db, r->session_id, now, rev);
    else if (strcmp(kind, "verified") == 0)
        err = store_session_set_verified(db, r->session_id, rev);
    else if (strcmp(kind, "record") == 0)
        err = store_session_set_recorded(db, r->session_id, rev);
    else
        return TAS_OK;
    return err == TAS_E_ABSENT ? TAS_OK : err;
}

static int store_one(struct tas_db *db, struct report *r, const struct reported *e) {
    bool is_there;
    int err = store_event_has(db, r->session_id, e->key, &is_there);
    if (err != TAS_OK || is_there)
        return err;
    struct tas_json *detail = tas_json_object();
    tas_json_set_int(detail, "said_at", e->at_ms); /* the tool's clock; `at` of the row is ours */
    if (e->detail)
        tas_json_set(detail, "said", tas_json_copy(e->detail));
    err = mgr_audit(r->m, db, r->s.company_id, r->session_id, r->actor, e->kind, detail, e->key);
    if (err == TAS_OK)
        err = apply(db, r, e->kind);
    r->stored += err == TAS_OK;
    return err;
}

/* So many rows may one end add to a session's part of the chain, and not for ever. */
static int need_room(struct tas_db *db, struct report *r, int64_t n) {
    int64_t there = 0;
    int err = store_event_count(db, r->session_id, r->actor, &there);
    bool is_late = r->s.ended_at && mgr_now() - r->s.ended_at > LATE_MS;
    r->problem = err == TAS_OK && (there + n > ONE_SIDE_MAX || is_late) ? "events_full" : NULL;
    return err;
}

static int store_events(struct tas_db *db, void *ctx) {
    struct report *r = ctx;
    r->stored = 0;
    int err = get_session(db, r);
    if (err == TAS_OK)
        err = need_room(db, r, (int64_t)r->n);
    if (err != TAS_OK || r->problem)
        return err;
    for (size_t i = 0; i < r->n && err == TAS_OK; i++)
        err = store_one(db, r, &r->events[i]);
    if (err == TAS_OK)
        err = store_session_seen(db, r->session_id, mgr_now());
    return err != TAS_OK || r->stored == 0 ? err : mgr_notice(r->m, db, "session", r->s.operator_id, r->s.id);
}

/* ---- the end ---- */

struct end_body {
    char reason[STORE_WORD + 1], text[STORE_TEXT + 1];
    int64_t bytes_in, bytes_out, rtt_p50_us, rtt_p95_us, relay;
    bool verified, recorded;
};
#define FIELD(name, kind, optional, min, max)                                                                \
    { #name, kind, optional, min, max, offsetof(struct end_body, name) }
static const struct tas_json_field end_fields[] = {
    FIELD(reason, TAS_JSON_TEXT, false, 1, STORE_WORD),
    FIELD(text, TAS_JSON_TEXT, true, 0, STORE_TEXT),
    FIELD(bytes_in, TAS_JSON_INT, true, 0, INT64_MAX),
    FIELD(bytes_out, TAS_JSON_INT, true, 0, INT64_MAX),
    FIELD(rtt_p50_us, TAS_JSON_INT, true, 0, INT64_C(3600000000)),
    FIELD(rtt_p95_us, TAS_JSON_INT, true, 0, INT64_C(3600000000)),
    FIELD(relay, TAS_JSON_INT, true, 0, UINT32_MAX),
    FIELD(verified, TAS_JSON_BOOL, true, 0, 0),
    FIELD(recorded, TAS_JSON_BOOL, true, 0, 0),
    {0},
};
#undef FIELD

static void take_figures(struct store_session *s, const struct end_body *b) {
    s->relay_id = b->relay;
    s->bytes_in = b->bytes_in;
    s->bytes_out = b->bytes_out;
    s->rtt_p50_us = b->rtt_p50_us;
    s->rtt_p95_us = b->rtt_p95_us;
}

/* The other end told the end first, and its word stands; figures that it did not have are added. */
static int add_figures(struct tas_db *db, struct report *r) {
    if (r->end->relay < 0 || r->s.relay_id >= 0)
        return TAS_OK;
    take_figures(&r->s, r->end);
    r->s.rev = mgr_new_id(r->m);
    struct tas_json *detail = tas_json_object();
    mgr_set_figures(detail, &r->s);
    int err = mgr_audit(r->m, db, r->s.company_id, r->s.id, r->actor, "figures", detail, NULL);
    if (err == TAS_OK)
        err = store_session_set_figures(db, &r->s);
    if (err == TAS_E_ABSENT) /* the other end was faster: look again */
        err = TAS_E_MORE;
    return err != TAS_OK ? err : mgr_notice(r->m, db, "session", r->s.operator_id, r->s.id);
}

static int tell_late(struct tas_db *db, struct report *r, const char *kind) {
    int err = mgr_audit(r->m, db, r->s.company_id, r->s.id, r->actor, kind, tas_json_object(), NULL);
    return err != TAS_OK ? err : apply(db, r, kind);
}

static int end(struct tas_db *db, void *ctx) {
    struct report *r = ctx;
    int err = get_session(db, r);
    if (err != TAS_OK)
        return err;
    if (strcmp(r->s.state, "ended") == 0)
        return add_figures(db, r);
    if (r->end->relay >= 0)
        take_figures(&r->s, r->end);
    /* Whether the code was confirmed is the operator's to say; what no event has told yet becomes one now. */
    if (r->operator_id && r->end->verified && !r->s.is_verified)
        err = tell_late(db, r, "verified");
    if (err == TAS_OK && r->operator_id && r->end->recorded && !r->s.is_recorded)
        err = tell_late(db, r, "record");
    if (err == TAS_OK)
        err = mgr_end_session(r->m, db, &r->s, r->actor, r->end->reason, r->end->text);
    return err == TAS_E_ABSENT ? TAS_E_MORE : err; /* another server was faster: look again */
}

static bool reason_is_known(const struct report *r, const char *reason) {
    static const char *const both[] = {"lost", "timeout", "error", NULL};
    return is_among(both, reason) || strcmp(reason, r->operator_id ? "operator" : "customer") == 0;
}

/* ---- routes: who reports ---- */

static int view(struct tas_db *db, void *ctx) {
    struct report *r = ctx;
    struct store_claim c;
    int err = store_session_get(db, r->session_id, &r->s);
    tas_json_free(r->json);
    r->json = NULL;
    if (err == TAS_OK && r->operator_id) {
        r->json = mgr_session_json(r->m, db, &r->s, &err);
    } else if (err == TAS_OK) {
        err = store_claim_get(db, r->claim_id, &c);
        if (err == TAS_OK)
            r->json = mgr_claim_json(r->m, db, &c, &err);
    }
    return err;
}

static void say_full(const struct report *r, struct tas_http_reply *reply) {
    tas_http_problem(reply, 409, r->problem,
                     "this session takes no more events: too many, or it is long over");
}

static void say(struct report *r, struct tas_db *db, struct tas_http_reply *reply, int err) {
    if (err == TAS_OK && r->problem) {
        say_full(r, reply);
        return;
    }
    if (err == TAS_OK)
        err = tas_db_read(db, view, r);
    mgr_say(r->m, reply, 200, r->json, err, "session");
}

static struct tas_db *from_operator(struct report *r, struct mgr *m, const struct tas_http_request *req,
                                    struct tas_http_reply *reply) {
    struct mgr_operator who;
    struct tas_db *db = mgr_db(m, req, reply);
    if (!db || !mgr_auth_operator(m, db, req, reply, &who) || !mgr_param_id(req, reply, &r->session_id))
        return NULL;
    r->m = m;
    r->operator_id = who.op.id;
    r->kinds = operator_kinds;
    mgr_actor(r->actor, "operator", who.op.login);
    return db;
}

static struct tas_db *from_customer(struct report *r, struct mgr *m, const struct tas_http_request *req,
                                    struct tas_http_reply *reply) {
    struct store_claim claim;
    struct tas_db *db = mgr_db(m, req, reply);
    if (!db || !mgr_auth_customer(m, db, req, reply, &claim))
        return NULL;
    r->m = m;
    r->claim_id = claim.id;
    r->session_id = claim.session_id;
    r->kinds = customer_kinds;
    snprintf(r->actor, sizeof(r->actor), "customer");
    return db;
}

static void take_events(struct report *r, struct tas_db *db, const struct tas_http_request *req,
                        struct tas_http_reply *reply) {
    struct events_body body = {0};
    struct tas_json *json = NULL;
    if (!mgr_read_body(req, reply, events_fields, &body, &json))
        return;
    if (read_events(r, body.events, reply)) {
        int err = mgr_transaction(r->m, db, store_events, r);
        if (err == TAS_OK && r->problem) {
            say_full(r, reply);
        } else if (err == TAS_OK) {
            struct tas_json *answer = tas_json_object();
            tas_json_set_int(answer, "stored", r->stored);
            tas_http_json(reply, 200, answer);
        } else {
            mgr_fail(r->m, reply, err, "session");
        }
    }
    tas_json_free(json);
}

static void take_end(struct report *r, struct tas_db *db, const struct tas_http_request *req,
                     struct tas_http_reply *reply) {
    struct end_body body = {.relay = -1, .bytes_in = -1, .bytes_out = -1, .rtt_p50_us = -1, .rtt_p95_us = -1};
    if (!mgr_read_body(req, reply, end_fields, &body, NULL))
        return;
    if (!reason_is_known(r, body.reason)) {
        tas_http_problem(reply, 400, "bad_request",
                         "reason must be one of lost, timeout, error, or who ended it");
        return;
    }
    r->end = &body;
    say(r, db, reply, mgr_transaction(r->m, db, end, r));
}

static void on_operator_events(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    struct report r = {0};
    struct tas_db *db = from_operator(&r, ctx, req, reply);
    if (db)
        take_events(&r, db, req, reply);
}
static void on_customer_events(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    struct report r = {0};
    struct tas_db *db = from_customer(&r, ctx, req, reply);
    if (db)
        take_events(&r, db, req, reply);
}
static void on_operator_end(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    struct report r = {0};
    struct tas_db *db = from_operator(&r, ctx, req, reply);
    if (db)
        take_end(&r, db, req, reply);
}
static void on_customer_end(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    struct report r = {0};
    struct tas_db *db = from_customer(&r, ctx, req, reply);
    if (db)
        take_end(&r, db, req, reply);
}

/* ---- the result ---- */

struct result_body {
    char result[STORE_WORD + 1], note[STORE_NOTE + 1];
};
static const struct tas_json_field result_fields[] = {
    {"result", TAS_JSON_TEXT, false, 1, STORE_WORD, offsetof(struct result_body, result)},
    {"note", TAS_JSON_LINES, true, 0, STORE_NOTE, offsetof(struct result_body, note)},
    {0},
};

static int set_result(struct tas_db *db, void *ctx) {
    struct report *r = ctx;
    int err = get_session(db, r);
    bool is_same = strcmp(r->s.result, r->result->result) == 0 && strcmp(r->s.note, r->result->note) == 0;
    if (err == TAS_OK && !is_same)
        err = need_room(db, r, 1);
    if (err != TAS_OK || is_same || r->problem)
        return err;
    struct tas_json *detail = tas_json_object();
    tas_json_set_text(detail, "result", r->result->result);
    tas_json_set_text(detail, "note", r->result->note[0] ? r->result->note : NULL);
    err = mgr_audit(r->m, db, r->s.company_id, r->session_id, r->actor, "result", detail, NULL);
    if (err == TAS_OK)
        err =
            store_session_set_result(db, r->session_id, r->result->result, r->result->note, mgr_new_id(r->m));
    return err != TAS_OK ? err : mgr_notice(r->m, db, "session", r->s.operator_id, r->s.id);
}

static void on_result(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    static const char *const results[] = {"solved", "open", "aborted", NULL};
    struct report r = {0};
    struct result_body body = {0};
    struct tas_db *db = from_operator(&r, ctx, req, reply);
    if (!db || !mgr_read_body(req, reply, result_fields, &body, NULL))
        return;
    if (!is_among(results, body.result)) {
        tas_http_problem(reply, 400, "bad_request", "result must be solved, open or aborted");
        return;
    }
    r.result = &body;
    say(&r, db, reply, mgr_transaction(r.m, db, set_result, &r));
}

/* ---- device information ---- */

struct device_body {
    const struct tas_json *info;
};
static const struct tas_json_field device_fields[] = {
    {"info", TAS_JSON_OBJECT, false, 0, 0, offsetof(struct device_body, info)},
    {0},
};

static struct tas_json *device_detail(struct mgr *m, const char *info) {
    uint8_t hash[32];
    const struct tas_bytes part = tas_bytes_of(info, strlen(info));
    struct tas_json *detail = tas_json_object();
    if (m->crypto->sha256(hash, &part, 1) != TAS_OK) {
        tas_json_free(detail);
        return NULL;
    }
    tas_json_set_hex(detail, "sha256", tas_bytes_of(hash, sizeof(hash)));
    tas_json_set_int(detail, "bytes", (int64_t)part.len);
    return detail;
}

static int put_device(struct tas_db *db, void *ctx) {
    struct report *r = ctx;
    int64_t now = mgr_now();
    int err = get_session(db, r);
    if (err == TAS_OK && !r->s.answered_at)
        err = TAS_E_ABSENT; /* before the customer was answered nothing of his machine may be kept */
    if (err == TAS_OK)
        err = need_room(db, r, 1);
    if (err != TAS_OK || r->problem)
        return err;
    if (err == TAS_OK)
        err = store_device_put(db, r->session_id, r->s.company_id, now, r->device,
                               now + (int64_t)r->m->config->device_days * DAY_MS);
    return err != TAS_OK ? err
                         : mgr_audit(r->m, db, r->s.company_id, r->session_id, r->actor, "device",
                                     device_detail(r->m, r->device), NULL);
}

static void on_device_put(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    struct report r = {0};
    struct device_body body = {0};
    struct tas_json *json = NULL;
    struct tas_db *db = from_operator(&r, ctx, req, reply);
    if (!db || !mgr_read_body(req, reply, device_fields, &body, &json))
        return;
    char *text = tas_json_dump(body.info);
    const struct tas_bytes dumped = text ? tas_bytes_of(text, strlen(text)) : (struct tas_bytes){0};
    bool is_plain = tas_json_is_plain(body.info);
    if (!is_plain || dumped.len > DEVICE_MAX || tas_json_depth(dumped) > DEVICE_DEPTH) {
        tas_http_problem(reply, 400, "bad_request",
                         is_plain ? "device information has at most 256 KiB and is nested at most 6 deep"
                                  : not_plain);
        free(text);
        tas_json_free(json);
        return;
    }
    r.device = text;
    int err = text ? mgr_transaction(r.m, db, put_device, &r) : TAS_E_NOMEM;
    if (err == TAS_OK && r.problem) {
        say_full(&r, reply);
    } else if (err == TAS_OK) {
        struct tas_json *answer = tas_json_object();
        tas_json_set_bool(answer, "stored", true);
        tas_http_json(reply, 200, answer);
    } else {
        mgr_fail(r.m, reply, err, "session");
    }
    free(text);
    tas_json_free(json);
}

struct device_question {
    struct report *r;
    char *info;
    int64_t at, delete_after;
};

static int get_device(struct tas_db *db, void *ctx) {
    struct device_question *q = ctx;
    int err = get_session(db, q->r);
    return err != TAS_OK ? err
                         : store_device_get(db, q->r->session_id, q->r->s.company_id, &q->info, &q->at,
                                            &q->delete_after);
}

static void on_device_get(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    struct report r = {0};
    struct device_question q = {.r = &r};
    char why[TAS_JSON_WHY];
    struct tas_db *db = from_operator(&r, ctx, req, reply);
    if (!db)
        return;
    int err = tas_db_read(db, get_device, &q);
    if (err != TAS_OK) {
        mgr_fail(r.m, reply, err, "device information");
        return;
    }
    struct tas_json *json = tas_json_object();
    tas_json_set(json, "info", tas_json_parse(tas_bytes_of(q.info, strlen(q.info)), why));
    tas_json_set_int(json, "at_ms", q.at);
    tas_json_set_int(json, "delete_after_ms", q.delete_after);
    tas_http_json(reply, 200, json);
    free(q.info);
}

static int delete_device(struct tas_db *db, void *ctx) {
    struct report *r = ctx;
    int err = get_session(db, r);
    if (err != TAS_OK)
        return err;
    err = store_device_delete(db, r->session_id, r->s.company_id);
    if (err == TAS_E_ABSENT)
        return TAS_OK; /* gone is gone */
    return err != TAS_OK ? err
                         : mgr_audit(r->m, db, r->s.company_id, r->session_id, r->actor, "device_deleted",
                                     tas_json_object(), NULL);
}

static void on_device_delete(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    struct report r = {0};
    struct tas_db *db = from_operator(&r, ctx, req, reply);
    if (!db)
        return;
    int err = mgr_transaction(r.m, db, delete_device, &r);
    if (err == TAS_OK)
        tas_http_json(reply, 200, tas_json_object());
    else
        mgr_fail(r.m, reply, err, "device information");
}

const struct tas_http_route mgr_report_routes[] = {
    {.method = "POST",
     .path = "/v1/sessions/{id}/events",
     .lane = MGR_LANE_STORE,
     .body_max = 160 * 1024,
     .fn = on_operator_events},
    {.method = "POST",
     .path = "/v1/sessions/{id}/end",
     .lane = MGR_LANE_STORE,
     .body_max = 4096,
     .fn = on_operator_end},
    {.method = "POST",
     .path = "/v1/sessions/{id}/result",
     .lane = MGR_LANE_STORE,
     .body_max = 32 * 1024,
     .fn = on_result},
    {.method = "PUT",
     .path = "/v1/sessions/{id}/device",
     .lane = MGR_LANE_STORE,
     .body_max = DEVICE_MAX,
     .fn = on_device_put},
    {.method = "GET", .path = "/v1/sessions/{id}/device", .lane = MGR_LANE_STORE, .fn = on_device_get},
    {.method = "DELETE", .path = "/v1/sessions/{id}/device", .lane = MGR_LANE_STORE, .fn = on_device_delete},
    {.method = "POST",
     .path = "/v1/claims/{id}/events",
     .lane = MGR_LANE_STORE,
     .body_max = 160 * 1024,
     .fn = on_customer_events},
    {.method = "POST",
     .path = "/v1/claims/{id}/end",
     .lane = MGR_LANE_STORE,
     .body_max = 4096,
     .fn = on_customer_end},
    {0},
};
