/* The management server's requests, one function each. All of them: NULL: no memory, and `done` is not
 * called; otherwise `done` comes exactly once (client.h), unless the call is cancelled. Texts that may be
 * NULL are left out. What result gives stands behind "->". */
#pragma once

#include "api/client.h"

/* ---- before anybody has logged in ---- */

struct api_call *api_server(struct api_client *client, api_done *done, void *ctx); /* -> server */
struct api_call *api_keyset(struct api_client *client, api_done *done,
                            void *ctx); /* -> json, api_keyset_read() */
struct api_call *api_relays(struct api_client *client, api_done *done, void *ctx); /* -> relays */
struct api_call *api_terms(struct api_client *client, api_done *done, void *ctx);  /* -> terms */
struct api_call *api_nonce(struct api_client *client, api_done *done, void *ctx);  /* -> nonce */

/* How long a relay of a region took to answer, µs (api/measure.h). */
struct api_rtt {
    uint32_t relay;
    uint32_t us;
};

/* ---- the operator; `as` is the device key after the login ---- */

struct api_login_order {
    const char *company, *id, *password, *tool_version;
    const uint8_t *device_seed; /* 32 bytes; the key that signs from now on */
};
/* -> login. Fetches its nonce itself. */
struct api_call *api_login(struct api_client *client, const struct api_login_order *order, api_done *done,
                           void *ctx);
struct api_call *api_logout(struct api_client *client, const struct api_signer *as, api_done *done,
                            void *ctx);

struct api_issue_order {
    uint8_t request[16]; /* random; the same again gives the same session */
    const char *customer, *reason, *ticket_no;
};
/* -> session */
struct api_call *api_issue(struct api_client *client, const struct api_signer *as,
                           const struct api_issue_order *order, api_done *done, void *ctx);

/* -> page. before: 0 the newest; limit 1..100. */
struct api_call *api_history(struct api_client *client, const struct api_signer *as, uint64_t before,
                             unsigned limit, api_done *done, void *ctx);
struct api_call *api_session_get(struct api_client *client, const struct api_signer *as, uint64_t session,
                                 api_done *done, void *ctx); /* -> session */
struct api_call *api_session_cancel(struct api_client *client, const struct api_signer *as, uint64_t session,
                                    api_done *done, void *ctx); /* -> session */

/* -> session and grant (api_grant_read()). pop_pk: of a fresh key for this session; the same again gives a
 * fresh grant. */
struct api_call *api_answer(struct api_client *client, const struct api_signer *as, uint64_t session,
                            uint64_t claim, const uint8_t pop_pk[32], const struct api_rtt *rtts,
                            size_t n_rtts, api_done *done, void *ctx);
struct api_call *api_refuse(struct api_client *client, const struct api_signer *as, uint64_t session,
                            uint64_t claim, api_done *done, void *ctx); /* -> session */

/* -> session. result: "solved", "open" or "aborted". */
struct api_call *api_set_result(struct api_client *client, const struct api_signer *as, uint64_t session,
                                const char *result, const char *note, api_done *done, void *ctx);

/* What is known of the customer's machine: an object of at most 256 KiB; borrowed. */
struct api_call *api_device_put(struct api_client *client, const struct api_signer *as, uint64_t session,
                                const struct tas_json *info, api_done *done, void *ctx);

/* ---- the customer; `as` is the claim's key ---- */

struct api_claim_order {
    const char *number;      /* nine digits (tas_number_read()), check digit right */
    const uint8_t *pop_seed; /* 32 bytes; the same key again gives the same claim */
    const char *host_name, *os, *tool_version, *language, *terms_version;
    uint64_t terms_at_ms; /* 0: not said */
    const struct api_rtt *rtts;
    size_t n_rtts; /* at most API_RELAYS */
    /* The customer picks what to allow first: the operator is told nothing until api_claim_ready(), which
     * tells host_name and os; here they may be NULL. */
    bool is_choosing;
};
/* -> place. Fetches a nonce, works for it when asked to, a few ms at a time, and claims. */
struct api_call *api_claim(struct api_client *client, const struct api_claim_order *order, api_done *done,
                           void *ctx);
/* -> claim. Who was choosing now waits, and the operator sees him. Again is harmless. 409 "wrong_state": the
 * claim is refused, withdrawn, replaced or over. */
struct api_call *api_claim_ready(struct api_client *client, const struct api_signer *as, uint64_t claim,
                                 const char *host_name, const char *os, api_done *done, void *ctx);
struct api_call *api_claim_get(struct api_client *client, const struct api_signer *as, uint64_t claim,
                               api_done *done, void *ctx); /* -> claim */
struct api_call *api_withdraw(struct api_client *client, const struct api_signer *as, uint64_t claim,
                              api_done *done, void *ctx); /* -> claim */

/* ---- both ends ---- */

/* One side of a session as its reports name it: the operator by the session, the customer by the claim. */
struct api_side {
    struct api_signer as;
    bool is_customer;
    uint64_t id;
};

/* events: a list of 1..32 as the contract has them; borrowed. -> json {"stored"}. */
struct api_call *api_events(struct api_client *client, const struct api_side *side,
                            const struct tas_json *events, api_done *done, void *ctx);

/* Figures that are not known are 0; `relay` likewise. */
struct api_end {
    const char *reason; /* "operator", "customer", "lost", "timeout" or "error" */
    const char *text;
    uint64_t bytes_in, bytes_out, rtt_p50_us, rtt_p95_us;
    uint32_t relay;
    bool is_verified, is_recorded;
};
/* -> session (operator) or claim (customer). patience_ms: 0 the usual. */
struct api_call *api_end(struct api_client *client, const struct api_side *side, const struct api_end *end,
                         unsigned patience_ms, api_done *done, void *ctx);

/* -> json, api_grant_renew(). */
struct api_call *api_renew(struct api_client *client, const struct api_grant *grant, api_done *done,
                           void *ctx);
