#include "api/calls.h"

#include "api/client_private.h"
#include "base/id.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- helpers ---- */

static struct api_call *get(struct api_client *client, const char *target, const struct api_signer *as,
                            enum api_gives gives, api_done *done, void *ctx) {
    const struct api_ask ask = {.method = "GET", .target = target, .signer = as, .gives = gives};
    return api_ask(client, &ask, done, ctx);
}

/* Takes body. */
static struct api_call *post(struct api_client *client, const char *target, const struct api_signer *as,
                             struct tas_json *body, enum api_gives gives, api_done *done, void *ctx) {
    const struct api_ask ask = {
        .method = "POST", .target = target, .body = body, .signer = as, .gives = gives};
    return body ? api_ask(client, &ask, done, ctx) : NULL;
}

struct target {
    char text[96];
};

/* "/v1/sessions/0123456789abc/answer" */
static struct target target_of(const char *kind, uint64_t id, const char *action) {
    struct target t;
    char text[TAS_ID_CAP];
    snprintf(t.text, sizeof(t.text), "/v1/%s/%s%s%s", kind, tas_id_encode(text, id), *action ? "/" : "",
             action);
    return t;
}

static void set_if(struct tas_json *object, const char *name, const char *text) {
    if (text && *text)
        tas_json_set_text(object, name, text);
}

static void set_rtts(struct tas_json *object, const struct api_rtt *rtts, size_t n) {
    if (n == 0)
        return;
    struct tas_json *list = tas_json_list();
    for (size_t i = 0; i < n && i < API_RELAYS; i++) {
        struct tas_json *one = tas_json_object();
        tas_json_set_int(one, "relay", rtts[i].relay);
        tas_json_set_int(one, "us", rtts[i].us);
        tas_json_add(list, one);
    }
    tas_json_set(object, "rtt", list);
}

/* ---- open routes ---- */

struct api_call *api_server(struct api_client *client, api_done *done, void *ctx) {
    return get(client, "/v1/server", NULL, API_GIVES_SERVER, done, ctx);
}
struct api_call *api_keyset(struct api_client *client, api_done *done, void *ctx) {
    return get(client, "/v1/keyset", NULL, API_GIVES_NOTHING, done, ctx);
}
struct api_call *api_relays(struct api_client *client, api_done *done, void *ctx) {
    return get(client, "/v1/relays", NULL, API_GIVES_RELAYS, done, ctx);
}
struct api_call *api_terms(struct api_client *client, api_done *done, void *ctx) {
    return get(client, "/v1/terms", NULL, API_GIVES_TERMS, done, ctx);
}
struct api_call *api_nonce(struct api_client *client, api_done *done, void *ctx) {
    return post(client, "/v1/nonce", NULL, tas_json_object(), API_GIVES_NONCE, done, ctx);
}

/* ---- login ---- */

struct login_body {
    struct api_nonced nonced;
    char company[API_NAME + 1], id[API_NAME + 1], password[API_TEXT + 1], tool_version[API_WORD + 1];
    uint8_t seed[32], pk[32];
};

static struct tas_json *compose_login(struct api_nonced *nonced, const struct api_nonce *nonce,
                                      const uint8_t *pow) {
    struct login_body *b = (struct login_body *)nonced;
    uint8_t sig[64];
    (void)pow;
    if (api_sign_login(sig, tas_crypto_native(), b->seed, b->pk, nonce->nonce) != TAS_OK)
        return NULL;
    struct tas_json *json = tas_json_object();
    tas_json_set_text(json, "company", b->company);
    tas_json_set_text(json, "id", b->id);
    tas_json_set_text(json, "password", b->password);
    tas_json_set_hex(json, "device_pk", tas_bytes_of(b->pk, sizeof(b->pk)));
    tas_json_set_hex(json, "nonce", tas_bytes_of(nonce->nonce, API_NONCE));
    tas_json_set_hex(json, "sig", tas_bytes_of(sig, sizeof(sig)));
    set_if(json, "tool_version", b->tool_version);
    return json;
}

struct api_call *api_login(struct api_client *client, const struct api_login_order *order, api_done *done,
                           void *ctx) {
    struct login_body *b = api_nonced_new(sizeof(*b));
    if (!b)
        return NULL;
    b->nonced.compose = compose_login;
    snprintf(b->company, sizeof(b->company), "%s", order->company);
    snprintf(b->id, sizeof(b->id), "%s", order->id);
    snprintf(b->password, sizeof(b->password), "%s", order->password);
    snprintf(b->tool_version, sizeof(b->tool_version), "%s", order->tool_version ? order->tool_version : "");
    memcpy(b->seed, order->device_seed, sizeof(b->seed));
    if (tas_crypto_native()->ed25519_public(b->pk, b->seed) != TAS_OK) {
        api_nonced_free(&b->nonced);
        return NULL;
    }
    const struct api_ask ask = {.method = "POST",
                                .target = "/v1/login",
                                .nonced = &b->nonced,
                                .gives = API_GIVES_LOGIN,
                                .is_slow = true};
    return api_ask(client, &ask, done, ctx);
}

struct api_call *api_logout(struct api_client *client, const struct api_signer *as, api_done *done,
                            void *ctx) {
    const struct api_ask ask = {.method = "POST",
                                .target = "/v1/logout",
                                .body = tas_json_object(),
                                .signer = as,
                                .patience_ms = 3000}; /* somebody is leaving */
    return api_ask(client, &ask, done, ctx);
}

/* ---- sessions ---- */

struct api_call *api_issue(struct api_client *client, const struct api_signer *as,
                           const struct api_issue_order *order, api_done *done, void *ctx) {
    struct tas_json *body = tas_json_object();
    tas_json_set_hex(body, "request", tas_bytes_of(order->request, sizeof(order->request)));
    set_if(body, "customer", order->customer);
    set_if(body, "reason", order->reason);
    set_if(body, "ticket_no", order->ticket_no);
    return post(client, "/v1/sessions", as, body, API_GIVES_SESSION, done, ctx);
}

struct api_call *api_history(struct api_client *client, const struct api_signer *as, uint64_t before,
                             unsigned limit, api_done *done, void *ctx) {
    char id[TAS_ID_CAP];
    char target[96];
    if (before)
        snprintf(target, sizeof(target), "/v1/sessions?before=%s&limit=%u", tas_id_encode(id, before), limit);
    else
        snprintf(target, sizeof(target), "/v1/sessions?limit=%u", limit);
    return get(client, target, as, API_GIVES_PAGE, done, ctx);
}

struct api_call *api_session_get(struct api_client *client, const struct api_signer *as, uint64_t session,
                                 api_done *done, void *ctx) {
    return get(client, target_of("sessions", session, "").text, as, API_GIVES_SESSION, done, ctx);
}

struct api_call *api_session_cancel(struct api_client *client, const struct api_signer *as, uint64_t session,
                                    api_done *done, void *ctx) {
    return post(client, target_of("sessions", session, "cancel").text, as, tas_json_object(),
                API_GIVES_SESSION, done, ctx);
}

struct api_call *api_answer(struct api_client *client, const struct api_signer *as, uint64_t session,
                            uint64_t claim, const uint8_t pop_pk[32], const struct api_rtt *rtts,
                            size_t n_rtts, api_done *done, void *ctx) {
    struct tas_json *body = tas_json_object();
    tas_json_set_id(body, "claim", claim);
    tas_json_set_hex(body, "pop_pk", tas_bytes_of(pop_pk, 32));
    set_rtts(body, rtts, n_rtts);
    return post(client, target_of("sessions", session, "answer").text, as, body, API_GIVES_ANSWER, done, ctx);
}

struct api_call *api_refuse(struct api_client *client, const struct api_signer *as, uint64_t session,
                            uint64_t claim, api_done *done, void *ctx) {
    struct tas_json *body = tas_json_object();
    tas_json_set_id(body, "claim", claim);
    return post(client, target_of("sessions", session, "refuse").text, as, body, API_GIVES_SESSION, done,
                ctx);
}

struct api_call *api_set_result(struct api_client *client, const struct api_signer *as, uint64_t session,
                                const char *result, const char *note, api_done *done, void *ctx) {
    struct tas_json *body = tas_json_object();
    tas_json_set_text(body, "result", result);
    set_if(body, "note", note);
    return post(client, target_of("sessions", session, "result").text, as, body, API_GIVES_SESSION, done,
                ctx);
}

struct api_call *api_device_put(struct api_client *client, const struct api_signer *as, uint64_t session,
                                const struct tas_json *info, api_done *done, void *ctx) {
    struct target t = target_of("sessions", session, "device");
    struct tas_json *body = tas_json_object();
    tas_json_set(body, "info", tas_json_copy(info));
    const struct api_ask ask = {.method = "PUT", .target = t.text, .body = body, .signer = as};
    return body ? api_ask(client, &ask, done, ctx) : NULL;
}

/* ---- claims ---- */

struct claim_body {
    struct api_nonced nonced;
    char number[API_NUMBER + 1];
    uint8_t seed[32], pk[32];
    char host_name[API_NAME + 1], os[API_NAME + 1], tool_version[API_WORD + 1], language[API_WORD + 1];
    char terms_version[API_WORD + 1];
    uint64_t terms_at_ms;
    struct api_rtt rtts[API_RELAYS];
    size_t n_rtts;
    bool is_choosing;
};

static struct tas_json *compose_claim(struct api_nonced *nonced, const struct api_nonce *nonce,
                                      const uint8_t *pow) {
    struct claim_body *b = (struct claim_body *)nonced;
    uint8_t sig[64];
    if (api_sign_claim(sig, tas_crypto_native(), b->seed, b->pk, nonce->nonce, b->number) != TAS_OK)
        return NULL;
    struct tas_json *json = tas_json_object();
    tas_json_set_text(json, "number", b->number);
    tas_json_set_hex(json, "pop_pk", tas_bytes_of(b->pk, sizeof(b->pk)));
    tas_json_set_hex(json, "nonce", tas_bytes_of(nonce->nonce, API_NONCE));
    tas_json_set_hex(json, "sig", tas_bytes_of(sig, sizeof(sig)));
    if (pow)
        tas_json_set_hex(json, "pow", tas_bytes_of(pow, 8));
    tas_json_set_text(json, "host_name", b->host_name);
    tas_json_set_text(json, "os", b->os);
    tas_json_set_text(json, "tool_version", b->tool_version);
    tas_json_set_text(json, "language", b->language);
    tas_json_set_text(json, "terms_version", b->terms_version);
    if (b->terms_at_ms)
        tas_json_set_int(json, "terms_at_ms", (int64_t)b->terms_at_ms);
    set_rtts(json, b->rtts, b->n_rtts);
    if (b->is_choosing)
        tas_json_set_bool(json, "choosing", true);
    return json;
}

struct api_call *api_claim(struct api_client *client, const struct api_claim_order *order, api_done *done,
                           void *ctx) {
    struct claim_body *b = api_nonced_new(sizeof(*b));
    if (!b)
        return NULL;
    b->nonced.compose = compose_claim;
    b->nonced.number = b->number;
    b->nonced.pop_pk = b->pk;
    snprintf(b->number, sizeof(b->number), "%s", order->number);
    b->is_choosing = order->is_choosing;
    if (!b->is_choosing) {
        snprintf(b->host_name, sizeof(b->host_name), "%s", order->host_name);
        snprintf(b->os, sizeof(b->os), "%s", order->os);
    }
    snprintf(b->tool_version, sizeof(b->tool_version), "%s", order->tool_version);
    snprintf(b->language, sizeof(b->language), "%s", order->language);
    snprintf(b->terms_version, sizeof(b->terms_version), "%s", order->terms_version);
    b->terms_at_ms = order->terms_at_ms;
    b->n_rtts = order->n_rtts < API_RELAYS ? order->n_rtts : API_RELAYS;
    for (size_t i = 0; i < b->n_rtts; i++)
        b->rtts[i] = order->rtts[i];
    memcpy(b->seed, order->pop_seed, sizeof(b->seed));
    if (tas_crypto_native()->ed25519_public(b->pk, b->seed) != TAS_OK) {
        api_nonced_free(&b->nonced);
        return NULL;
    }
    const struct api_ask ask = {
        .method = "POST", .target = "/v1/claims", .nonced = &b->nonced, .gives = API_GIVES_PLACE};
    return api_ask(client, &ask, done, ctx);
}

struct api_call *api_claim_ready(struct api_client *client, const struct api_signer *as, uint64_t claim,
                                 const char *host_name, const char *os, api_done *done, void *ctx) {
    struct tas_json *body = tas_json_object();
    tas_json_set_text(body, "host_name", host_name);
    tas_json_set_text(body, "os", os);
    return post(client, target_of("claims", claim, "ready").text, as, body, API_GIVES_CLAIM, done, ctx);
}

struct api_call *api_claim_get(struct api_client *client, const struct api_signer *as, uint64_t claim,
                               api_done *done, void *ctx) {
    return get(client, target_of("claims", claim, "").text, as, API_GIVES_CLAIM, done, ctx);
}

struct api_call *api_withdraw(struct api_client *client, const struct api_signer *as, uint64_t claim,
                              api_done *done, void *ctx) {
    const struct target t = target_of("claims", claim, "withdraw");
    const struct api_ask ask = {.method = "POST",
                                .target = t.text,
                                .body = tas_json_object(),
                                .signer = as,
                                .gives = API_GIVES_CLAIM,
                                .patience_ms = 3000};
    return api_ask(client, &ask, done, ctx);
}

/* ---- both ends ---- */

struct api_call *api_events(struct api_client *client, const struct api_side *side,
                            const struct tas_json *events, api_done *done, void *ctx) {
    struct target t = target_of(side->is_customer ? "claims" : "sessions", side->id, "events");
    struct tas_json *body = tas_json_object();
    tas_json_set(body, "events", tas_json_copy(events));
    return post(client, t.text, &side->as, body, API_GIVES_NOTHING, done, ctx);
}

static void set_figure(struct tas_json *object, const char *name, uint64_t value) {
    if (value > 0 && value <= INT64_MAX)
        tas_json_set_int(object, name, (int64_t)value);
}

struct api_call *api_end(struct api_client *client, const struct api_side *side, const struct api_end *end,
                         unsigned patience_ms, api_done *done, void *ctx) {
    struct target t = target_of(side->is_customer ? "claims" : "sessions", side->id, "end");
    struct tas_json *body = tas_json_object();
    tas_json_set_text(body, "reason", end->reason);
    set_if(body, "text", end->text);
    set_figure(body, "bytes_in", end->bytes_in);
    set_figure(body, "bytes_out", end->bytes_out);
    set_figure(body, "rtt_p50_us", end->rtt_p50_us);
    set_figure(body, "rtt_p95_us", end->rtt_p95_us);
    set_figure(body, "relay", end->relay);
    tas_json_set_bool(body, "verified", end->is_verified);
    tas_json_set_bool(body, "recorded", end->is_recorded);
    const struct api_ask ask = {.method = "POST",
                                .target = t.text,
                                .body = body,
                                .signer = &side->as,
                                .gives = side->is_customer ? API_GIVES_CLAIM : API_GIVES_SESSION,
                                .patience_ms = patience_ms};
    return body ? api_ask(client, &ask, done, ctx) : NULL;
}

struct renew_body {
    struct api_nonced nonced;
    uint64_t session;
    enum tas_role role;
    uint8_t slot;
    uint8_t seed[32];
};

static struct tas_json *compose_renew(struct api_nonced *nonced, const struct api_nonce *nonce,
                                      const uint8_t *pow) {
    struct renew_body *b = (struct renew_body *)nonced;
    uint8_t sig[64];
    (void)pow;
    if (api_sign_renew(sig, tas_crypto_native(), b->seed, nonce->nonce, b->session, b->role, b->slot) !=
        TAS_OK)
        return NULL;
    struct tas_json *json = tas_json_object();
    tas_json_set_id(json, "session", b->session);
    tas_json_set_int(json, "role", b->role);
    tas_json_set_int(json, "slot", b->slot);
    tas_json_set_hex(json, "nonce", tas_bytes_of(nonce->nonce, API_NONCE));
    tas_json_set_hex(json, "sig", tas_bytes_of(sig, sizeof(sig)));
    return json;
}

struct api_call *api_renew(struct api_client *client, const struct api_grant *grant, api_done *done,
                           void *ctx) {
    struct renew_body *b = api_nonced_new(sizeof(*b));
    if (!b)
        return NULL;
    b->nonced.compose = compose_renew;
    b->session = grant->session_id;
    b->role = grant->role;
    b->slot = grant->slot;
    memcpy(b->seed, grant->pop_seed, sizeof(b->seed));
    const struct api_ask ask = {.method = "POST", .target = "/v1/renew", .nonced = &b->nonced};
    return api_ask(client, &ask, done, ctx);
}
