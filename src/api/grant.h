/* A grant: what one end of a session gets from the management server to take its place. Everything that is
 * signed in it is checked here against the installation's root key; what is not signed (addresses of relays)
 * is only as good as the relays' certificates. Pure: no I/O, no clock. */
#pragma once

#include "api/objects.h"
#include "e2e/auth.h"
#include "end/end.h"

/* What the grant must agree with: facts that we hold ourselves. */
struct api_grant_expected {
    const struct tas_crypto *crypto;
    const uint8_t *root;     /* 32 bytes, of the organisation's section */
    const uint8_t *pop_seed; /* 32 bytes, of the key that we put in the request */
    enum tas_role role;
    uint32_t keyset_sequence; /* an older KEYSET is refused */
    const char *company;      /* whose name we told the user; NULL: none yet */
};

/* Holds the pop key: allocate it in secret memory (struct tas_secret_mem), wipe with api_grant_fini(). */
struct api_grant {
    uint64_t session_id;
    uint8_t keyset_bytes[TAS_KEYSET_MAX_LEN];
    struct tas_keyset keyset; /* borrows from keyset_bytes: do not copy the struct */
    int64_t server_ms;
    uint64_t ticket_ms;     /* from when the ticket is good */
    unsigned connect_ttl_s; /* ... to begin a connection */
    uint8_t pop_seed[32];
    uint8_t pop_pk[32];
    uint8_t ticket[TAS_SIZE_TICKET];
    uint8_t statement[TAS_SIZE_STATEMENT];
    enum tas_role role;
    uint8_t slot;
    struct tas_end_relay relays[TAS_RELAYS];
    size_t n_relays;

    char company[97];      /* from our own STATEMENT, which the root's KEYSET vouches for */
    char peer_company[97]; /* who the other end will be: from its STATEMENT when the server sent that */
    char peer_name[API_NAME + 1]; /* likewise; otherwise the server's word, which */
    bool is_peer_signed;          /* ... this tells apart: compare with TAS_EVENT_PEER */
};

/* TAS_OK; TAS_E_PROTO: not of this form; TAS_E_AUTH: a signature, a key, a name or a place that does not
 * agree; TAS_E_EXPIRED; TAS_E_NOMEM. `why` in words; `out` is then wiped. */
TAS_MUST_USE int api_grant_read(struct api_grant *out, const struct tas_json *json,
                                const struct api_grant_expected *expected, char why[TAS_JSON_WHY]);
void api_grant_fini(struct api_grant *grant);

/* What tas_end_new() takes. server_ms: the server's time now. Borrows the grant and tls. */
void api_grant_config(struct tas_end_config *out, struct api_grant *grant, const struct tas_crypto *crypto,
                      const struct tas_secret_mem *mem, struct tas_random_source random, struct tas_tls *tls,
                      uint64_t server_ms);

/* The KEYSET that a server hands out by itself, checked; the bytes are kept in `bytes`. */
TAS_MUST_USE int api_keyset_read(struct tas_keyset *out, uint8_t bytes[TAS_KEYSET_MAX_LEN],
                                 const struct tas_json *json, const struct api_grant_expected *expected,
                                 char why[TAS_JSON_WHY]);

/* A renewed ticket: the same place, key and session as the grant's, signed. Kept in the grant. */
TAS_MUST_USE int api_grant_renew(struct api_grant *grant, const struct tas_json *json,
                                 const struct tas_crypto *crypto, char why[TAS_JSON_WHY]);
