/* What anybody may ask. */
#include "manager/choose.h"
#include "manager/manager.h"

#include "base/time.h"
#include "manager/throttle.h"

#include <stdio.h>
#include <stdlib.h>

bool mgr_throttle_gate(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    struct mgr *m = ctx;
    if (mgr_throttle_request(m->throttle, req->source, tas_mono_us()))
        return false;
    mgr_count(&m->stats.throttled_total);
    tas_http_problem(reply, 429, "slow_down", "too many requests from your network; try again in a moment");
    tas_http_header(reply, "retry-after:", "1");
    return true;
}

static void on_server(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    struct mgr *m = ctx;
    struct tas_json *json = tas_json_object();
    (void)req;
    tas_json_set_int(json, "server_ms", mgr_now());
    tas_json_set_text(json, "version", TASUKI_VERSION);
    tas_json_set_text(json, "min_tool_version", m->config->min_tool_version);
    tas_json_set_text(json, "organisation", m->config->organisation);
    tas_http_json(reply, 200, json);
}

static void on_keyset(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    struct mgr *m = ctx;
    uint8_t keyset[TAS_KEYSET_MAX_LEN];
    size_t len;
    (void)req;
    int err = mgr_signer_keyset(m->signer, keyset, &len);
    if (err != TAS_OK) {
        mgr_fail(m, reply, err, "");
        return;
    }
    struct tas_json *json = tas_json_object();
    tas_json_set_hex(json, "keyset", tas_bytes_of(keyset, len));
    tas_http_json(reply, 200, json);
}

struct relay_question {
    struct store_relay *relays;
    size_t n;
};

static int ask_relays(struct tas_db *db, void *ctx) {
    struct relay_question *q = ctx;
    return store_relay_list(db, &q->relays, &q->n);
}

static void on_relays(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    struct mgr *m = ctx;
    struct relay_question q = {0};
    struct tas_db *db = mgr_db(m, req, reply);
    if (!db)
        return;
    int err = tas_db_read(db, ask_relays, &q);
    if (err != TAS_OK) {
        mgr_fail(m, reply, err, "");
        return;
    }
    struct tas_json *json = tas_json_object();
    struct tas_json *list = tas_json_list();
    for (size_t i = 0; i < q.n; i++) {
        if (strcmp(q.relays[i].state, "up") != 0 || mgr_now() - q.relays[i].seen_at > MGR_RELAY_SILENT_MS)
            continue;
        struct tas_json *relay = tas_json_object();
        tas_json_set_int(relay, "id", q.relays[i].id);
        tas_json_set_text(relay, "name", q.relays[i].name);
        tas_json_set_text(relay, "address", q.relays[i].address);
        tas_json_set_text(relay, "region", q.relays[i].region);
        tas_json_add(list, relay);
    }
    free(q.relays);
    tas_json_set(json, "relays", list);
    tas_http_json(reply, 200, json);
}

static void on_terms(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    struct mgr *m = ctx;
    struct tas_json *json = tas_json_object();
    (void)req;
    tas_json_set_text(json, "version", m->config->terms_version);
    tas_json_set_text(json, "ja", m->config->terms_ja);
    tas_json_set_text(json, "en", m->config->terms_en);
    tas_http_json(reply, 200, json);
}

struct nonce_question {
    struct mgr *m;
    const uint8_t *source;
    struct mgr_misses misses;
};

static int ask_misses(struct tas_db *db, void *ctx) {
    struct nonce_question *q = ctx;
    return mgr_misses_look(q->m, db, q->source, mgr_now(), &q->misses);
}

static void on_nonce(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    struct mgr *m = ctx;
    static const struct tas_json_field none[] = {{0}};
    struct nonce_question q = {m, req->source, {0}};
    struct tas_db *db = mgr_db(m, req, reply);
    char nothing;
    uint8_t nonce[MGR_NONCE];
    if (!db || !mgr_read_body(req, reply, none, &nothing, NULL))
        return;
    int err = tas_db_read(db, ask_misses, &q);
    if (err == TAS_OK)
        err = mgr_nonce_make(m, nonce, (uint8_t)q.misses.pow_bits, mgr_now());
    if (err != TAS_OK) {
        mgr_fail(m, reply, err, "");
        return;
    }
    struct tas_json *json = tas_json_object();
    tas_json_set_hex(json, "nonce", tas_bytes_of(nonce, sizeof(nonce)));
    tas_json_set_int(json, "server_ms", mgr_now());
    tas_json_set_int(json, "pow_bits", q.misses.pow_bits);
    tas_http_json(reply, 200, json);
}

const struct tas_http_route mgr_open_routes[] = {
    {.method = "GET", .path = "/v1/server", .lane = TAS_HTTP_INLINE, .fn = on_server},
    {.method = "GET",
     .path = "/v1/keyset",
     .lane = MGR_LANE_STORE,
     .fn = on_keyset,
     .gate = mgr_throttle_gate},
    {.method = "GET",
     .path = "/v1/relays",
     .lane = MGR_LANE_STORE,
     .fn = on_relays,
     .gate = mgr_throttle_gate},
    {.method = "GET", .path = "/v1/terms", .lane = TAS_HTTP_INLINE, .fn = on_terms},
    {.method = "POST",
     .path = "/v1/nonce",
     .lane = MGR_LANE_STORE,
     .body_max = 64,
     .fn = on_nonce,
     .gate = mgr_throttle_gate},
    {0},
};
