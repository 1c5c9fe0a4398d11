/* How the typed calls of this folder are made: one request, perhaps with a nonce to be fetched and worked for
 * before, with everything that client.h promises about repeating. */
#pragma once

#include "api/client.h"

/* What the answer is read as. */
enum api_gives {
    API_GIVES_NOTHING,
    API_GIVES_SERVER,
    API_GIVES_RELAYS,
    API_GIVES_TERMS,
    API_GIVES_NONCE,
    API_GIVES_LOGIN,
    API_GIVES_SESSION,
    API_GIVES_PAGE,
    API_GIVES_PLACE,
    API_GIVES_CLAIM,
    API_GIVES_ANSWER,
};

/* A request whose body needs a server's nonce. Owned by the call; wiped and freed with it. */
struct api_nonced {
    size_t size; /* of the whole, for wiping */
    /* The body, or NULL: no memory. `pow`: eight bytes of work, NULL when none was asked for. */
    struct tas_json *(*compose)(struct api_nonced *self, const struct api_nonce *nonce, const uint8_t *pow);
    /* What to work for; NULL: this request never costs work. */
    const char *number;
    const uint8_t *pop_pk;
};

struct api_ask {
    const char *method;
    const char *target;              /* "/v1/sessions?limit=5", at most API_TARGET_MAX bytes */
    struct tas_json *body;           /* taken; NULL: none */
    struct api_nonced *nonced;       /* taken; NULL: none; instead of body */
    const struct api_signer *signer; /* copied; NULL: not signed */
    enum api_gives gives;
    unsigned patience_ms; /* 0: API_PATIENCE_MS */
    bool is_slow;         /* the server may think for seconds about it (a password) */
};

/* NULL: no memory (or a body that could not be built); done is not called. */
struct api_call *api_ask(struct api_client *client, const struct api_ask *ask, api_done *done, void *ctx);

/* A calloc'ed struct of `size` bytes that begins with struct api_nonced. */
void *api_nonced_new(size_t size);
void api_nonced_free(struct api_nonced *nonced); /* NULL is fine */

/* An answer's body as what it gives. Sets result->error when it is not that. */
struct api_parsed;
struct api_parsed *api_parse(struct api_result *result, enum api_gives gives, const struct tas_json *json);
void api_parsed_free(struct api_parsed *parsed); /* NULL is fine */

/* For streams. */
size_t api_client_at(const struct api_client *client);        /* which manager is asked first */
void api_client_failed(struct api_client *client, size_t at); /* that one could not be reached */
size_t api_client_managers(const struct api_client *client);
void api_client_learn_ms(struct api_client *client, const struct tas_json *json); /* member server_ms */
/* Fills url (API_URL bytes), address and authorization (empty without a signer) for manager `at`. */
enum { API_URL = ORG_URL + API_TARGET_MAX + 1 };
TAS_MUST_USE int api_client_address(struct api_client *client, size_t at, const struct api_signer *signer,
                                    const char *method, const char *target, struct tas_bytes body,
                                    struct tas_http_ask *out, char url[API_URL],
                                    char authorization[API_AUTHORIZATION]);

/* How long to wait before the n-th round over all managers (n from 1): 0.25 s doubling to 2 s. */
uint64_t api_backoff_us(unsigned round);
