/* The relays' side: they register over mutual TLS, say how they are, and hear which sessions to end. */
#include "manager/manager.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

enum { HEARTBEAT_S = 5, SESSIONS_MAX = 512, ALTERNATES = 4, KILLS_MS = 16 * 60 * 1000, ALL_SLOTS = 0xff };

struct hello_body {
    char name[STORE_RELAY_NAME + 1], address[STORE_RELAY_ADDRESS + 1], region[17], version[33], state[9];
    int64_t ends, sessions, connections, max_connections;
    const struct tas_json *sessions_here;
};
#define FIELD(name, kind, optional, min, max)                                                                \
    { #name, kind, optional, min, max, offsetof(struct hello_body, name) }
static const struct tas_json_field hello_fields[] = {
    FIELD(name, TAS_JSON_TEXT, false, 1, STORE_RELAY_NAME),
    FIELD(address, TAS_JSON_TEXT, false, 1, STORE_RELAY_ADDRESS),
    FIELD(region, TAS_JSON_TEXT, false, 1, 16),
    FIELD(version, TAS_JSON_TEXT, false, 1, 32),
    FIELD(state, TAS_JSON_TEXT, false, 1, 8),
    FIELD(ends, TAS_JSON_INT, false, 0, 100000000),
    FIELD(sessions, TAS_JSON_INT, false, 0, 100000000),
    FIELD(connections, TAS_JSON_INT, false, 0, 100000000),
    FIELD(max_connections, TAS_JSON_INT, false, 1, 100000000),
    FIELD(sessions_here, TAS_JSON_LIST, true, 0, SESSIONS_MAX),
    {0},
};
#undef FIELD

struct hello {
    struct mgr *m;
    int64_t id;
    const char *peer_name;
    struct hello_body body;
    struct store_relay relay;
    int64_t alternates[ALTERNATES];
    size_t n_alternates;
    const char *problem;
};

/* Both the certificate and what it says of itself must be what `tasukictl relay add` was told. */
static int find_relay(struct tas_db *db, struct hello *h) {
    int err = store_relay_get(db, h->id, &h->relay);
    h->problem = err == TAS_E_ABSENT ? "no relay with this id was added: tasukictl relay add"
                 : strcmp(h->relay.name, h->peer_name) != 0
                     ? "the certificate names another relay than this id's"
                     : NULL;
    return err == TAS_E_ABSENT ? TAS_OK : err;
}

static int find_alternates(struct tas_db *db, struct hello *h) {
    struct store_relay *all = NULL;
    size_t n = 0;
    int err = store_relay_list(db, &all, &n);
    h->n_alternates = 0;
    /* Of its own region first. */
    for (int near = 1; near >= 0; near--)
        for (size_t i = 0; i < n && h->n_alternates < ALTERNATES; i++)
            if (all[i].id != h->id && strcmp(all[i].state, "up") == 0 &&
                (strcmp(all[i].region, h->relay.region) == 0) == near)
                h->alternates[h->n_alternates++] = all[i].id;
    free(all);
    return err;
}

/* A session that is over and still runs at a relay missed its kill: once more. */
static int see_or_kill(struct tas_db *db, struct mgr *m, uint64_t id, int64_t now) {
    bool is_ended = false;
    int err = store_session_seen(db, id, now);
    if (err == TAS_OK && tas_db_changes(db) == 0)
        err = store_session_is_ended(db, id, &is_ended);
    return err == TAS_OK && is_ended ? mgr_notice(m, db, "kill", id, ALL_SLOTS) : err;
}

static int take_hello(struct tas_db *db, void *ctx) {
    struct hello *h = ctx;
    int err = find_relay(db, h);
    if (err != TAS_OK || h->problem)
        return err;
    if (strcmp(h->body.name, h->relay.name) != 0 || strcmp(h->body.region, h->relay.region) != 0) {
        h->problem = "name or region in the relay's configuration are not those it was added with";
        return TAS_OK;
    }
    int64_t now = mgr_now();
    snprintf(h->relay.address, sizeof(h->relay.address), "%s", h->body.address);
    snprintf(h->relay.version, sizeof(h->relay.version), "%s", h->body.version);
    snprintf(h->relay.state, sizeof(h->relay.state), "%s", h->body.state);
    h->relay.ends = h->body.ends;
    h->relay.max_connections = h->body.max_connections;
    h->relay.seen_at = now;
    err = store_relay_said(db, &h->relay);
    for (size_t i = 0; err == TAS_OK && i < tas_json_len(h->body.sessions_here); i++) {
        const char *text = tas_json_text(tas_json_at(h->body.sessions_here, i));
        uint64_t id;
        if (text && tas_id_decode(&id, text) == TAS_OK)
            err = see_or_kill(db, h->m, id, now);
    }
    return err != TAS_OK ? err : find_alternates(db, h);
}

static void say_hello(struct hello *h, struct tas_http_reply *reply) {
    uint8_t keyset[TAS_KEYSET_MAX_LEN];
    size_t len;
    int err = mgr_signer_keyset(h->m->signer, keyset, &len);
    if (err != TAS_OK) {
        mgr_fail(h->m, reply, err, "");
        return;
    }
    struct tas_json *json = tas_json_object();
    struct tas_json *list = tas_json_list();
    for (size_t i = 0; i < h->n_alternates; i++)
        tas_json_add(list, tas_json_int(h->alternates[i]));
    tas_json_set_int(json, "server_ms", mgr_now());
    tas_json_set_hex(json, "keyset", tas_bytes_of(keyset, len));
    tas_json_set_int(json, "heartbeat_s", HEARTBEAT_S);
    tas_json_set(json, "alternates", list);
    tas_http_json(reply, 200, json);
}

static bool state_is_known(const char *state) {
    return strcmp(state, "up") == 0 || strcmp(state, "draining") == 0 || strcmp(state, "down") == 0;
}

static bool param_relay(const struct tas_http_request *req, struct tas_http_reply *reply, int64_t *out) {
    char *end;
    *out = strtol(req->params[0], &end, 10);
    if (*end == '\0' && *out > 0 && *out <= INT32_MAX)
        return true;
    tas_http_problem(reply, 404, "absent", "a relay's id is a number from 1");
    return false;
}

static void on_hello(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    struct mgr *m = ctx;
    struct hello h = {.m = m, .peer_name = req->peer_name};
    struct tas_json *json = NULL;
    struct tas_db *db = mgr_db(m, req, reply);
    if (!db || !param_relay(req, reply, &h.id) || !mgr_read_body(req, reply, hello_fields, &h.body, &json))
        return;
    int err = state_is_known(h.body.state) ? mgr_transaction(m, db, take_hello, &h) : TAS_E_PROTO;
    if (err == TAS_E_PROTO)
        tas_http_problem(reply, 400, "bad_request", "state must be up, draining or down");
    else if (err != TAS_OK)
        mgr_fail(m, reply, err, "");
    else if (h.problem)
        tas_http_problem(reply, 403, "not_this_relay", h.problem);
    else
        say_hello(&h, reply);
    tas_json_free(json);
}

static int ask_relay(struct tas_db *db, void *ctx) {
    return find_relay(db, ctx);
}

static void on_relay_stream(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    struct mgr *m = ctx;
    struct hello h = {.m = m, .peer_name = req->peer_name};
    struct tas_db *db = mgr_db(m, req, reply);
    if (!db || !param_relay(req, reply, &h.id))
        return;
    int err = tas_db_read(db, ask_relay, &h);
    if (err != TAS_OK)
        mgr_fail(m, reply, err, "");
    else if (h.problem)
        tas_http_problem(reply, 403, "not_this_relay", h.problem);
    else
        reply->topic = (uint64_t)h.id; /* one each: a relay cannot push another off */
}

struct kills {
    uint64_t after;
    struct store_notice *all;
    size_t n;
};

static int read_kills(struct tas_db *db, void *ctx) {
    struct kills *k = ctx;
    free(k->all);
    k->all = NULL;
    return store_notice_list(db, k->after, "kill", -1, &k->all, &k->n);
}

const char *mgr_kill_text(char out[MGR_KILL_TEXT], const struct store_notice *kill) {
    char id[TAS_ID_CAP];
    snprintf(out, MGR_KILL_TEXT, "{\"session\":\"%s\",\"slot\":%" PRIu64 "}", tas_id_encode(id, kill->a),
             kill->b);
    return out;
}

static void write_kills(const struct kills *k, struct tas_http_reply *reply) {
    char data[MGR_KILL_TEXT];
    for (size_t i = 0; i < k->n; i++)
        tas_http_event(reply, k->all[i].id, "kill", mgr_kill_text(data, &k->all[i]));
}

/* Those of the last 16 minutes: longer than any ticket that is out is good. */
static void fill_relay_stream(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    struct mgr *m = ctx;
    struct kills k = {.after = tas_id_least((uint64_t)(mgr_now() - KILLS_MS)), .n = STORE_NOTICES};
    struct tas_db *db = mgr_db(m, req, reply);
    int err = TAS_OK;
    if (!db)
        return;
    while (err == TAS_OK && k.n == STORE_NOTICES) {
        err = tas_db_read(db, read_kills, &k);
        if (err == TAS_OK && k.n > 0) {
            write_kills(&k, reply);
            k.after = k.all[k.n - 1].id;
        }
    }
    if (err != TAS_OK)
        mgr_fail(m, reply, err, "");
    free(k.all);
}

const struct tas_http_route mgr_relay_routes[] = {
    {.method = "POST",
     .path = "/v1/relay/{id}/hello",
     .lane = MGR_LANE_STORE,
     .body_max = 32 * 1024,
     .fn = on_hello},
    {.method = "GET",
     .path = "/v1/relay/{id}/stream",
     .lane = MGR_LANE_STORE,
     .fn = on_relay_stream,
     .fill = fill_relay_stream},
    {0},
};
