/* A tool's way to the management servers: which of them answers, what time it is there, and requests that are
 * repeated until one has answered them. Everything runs on one event loop; nothing blocks.
 *
 * All our requests may be repeated: what they make is named by ids and keys that the tool chose. So when a
 * server cannot be reached the next one is asked at once, round after round with 0.25 s, 0.5 s ... 2 s
 * between the rounds, until a time limit that the caller sets. The one that worked last is asked first. */
#pragma once

#include "api/error.h"
#include "api/grant.h"
#include "api/objects.h"
#include "http/client.h"
#include "org/org.h"

struct api_client;
struct api_call;

enum { API_WHY = 256, API_PATIENCE_MS = 10000 };

struct api_client_config {
    struct tas_loop *loop;
    const struct org *org;  /* copied */
    const char *user_agent; /* "tasuki-headless/0.1.0" */
    const char *proxy;      /* "http://host:port"; NULL: as the environment says; "": none */
};

/* NULL: no memory, or `why` (certificates that cannot be used). */
struct api_client *api_client_new(const struct api_client_config *config, char why[API_WHY]);

/* Its calls and streams must have been ended before, or are dropped without a word. NULL is fine. */
void api_client_free(struct api_client *client);

struct tas_loop *api_client_loop(struct api_client *client);
struct tas_http_client *api_client_http(struct api_client *client);
const struct org *api_client_org(const struct api_client *client);

/* For dialling relays: the organisation's trust, judged by the server's time as it is now. */
struct tas_tls *api_client_tls(struct api_client *client);

/* The servers' time, ms since 1970; this machine's clock until a server has said it. */
uint64_t api_client_ms(const struct api_client *client);

/* What a grant is checked against; keyset_sequence rises with every KEYSET that was accepted. */
struct api_grant_expected api_client_expects(const struct api_client *client, const uint8_t *pop_seed,
                                             enum tas_role role, const char *company);
void api_client_saw_keyset(struct api_client *client, const struct tas_keyset *keyset);

/* Who signs: an operator's device key after the login, or a claim's key. */
struct api_signer {
    char token[API_TOKEN + 1];
    uint8_t seed[32];
};

/* What came of a call. One of the pointers is set when the call gives something and error.err is TAS_OK; all
 * are borrowed until the callback returns. */
struct api_result {
    struct api_error error;
    const struct tas_json *json; /* of the answer; NULL: none, or not JSON */
    const struct api_server *server;
    const struct api_relays *relays;
    const struct api_terms *terms;
    const struct api_nonce *nonce;
    const struct api_login *login;
    const struct api_session *session;
    const struct api_page *page;
    const struct api_place *place;
    const struct api_claim *claim;
    const struct tas_json *grant; /* for api_grant_read() */
};

/* Called once, never before the call that asked returns. The call is over when it is called. */
typedef void api_done(void *ctx, const struct api_result *result);

/* Ends all calls that would tell `ctx`. */
void api_cancel_all(struct api_client *client, const void *ctx);

/* Ends a call; `done` is not called. Not to be called after `done`. NULL is fine. */
void api_cancel(struct api_call *call);
