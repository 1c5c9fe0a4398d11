/* Who is at the other end: statements of the management server, proof of possession, and the check code. */
#pragma once

#include "e2e/schedule.h"
#include "wire/signed.h"

/* What we are ourselves. */
struct tas_identity {
    enum tas_role role;
    uint8_t slot;         /* 0 host, 1..15 viewer */
    uint8_t pop_seed[32]; /* Ed25519 seed of the proof-of-possession key */
    uint8_t pop_pk[32];
    uint8_t statement[TAS_SIZE_STATEMENT];
};

/* What the other end turned out to be. */
struct tas_peer {
    uint8_t pop_pk[32];
    uint16_t perms;
    uint8_t kind; /* 1 native, 2 browser: not protected against the server */
    uint32_t company_id;
    char company[97]; /* plain UTF-8, checked, NUL-terminated */
    char name[97];
};

/* Checks form and the root's signature of a KEYSET. TAS_E_PROTO / TAS_E_AUTH. The result borrows from
 * `bytes`. */
TAS_MUST_USE int tas_keyset_open(const struct tas_crypto *c, struct tas_keyset *out, struct tas_bytes bytes,
                                 const uint8_t root_pk[32]);

/* Our AUTH message for a generation of keys. */
TAS_MUST_USE int tas_auth_make(const struct tas_crypto *c, struct tas_msg_auth *out,
                               const struct tas_identity *own, const struct tas_generation *gen);

/* What the peer's AUTH must agree with. */
struct tas_auth_expected {
    const struct tas_keyset *keyset;
    uint64_t session_id;
    uint8_t peer_slot;
    uint64_t now_ms; /* the management server's time */
};

/* Checks the peer's AUTH in full (docs/protocol.md section 3). TAS_E_EXPIRED: its time is over.
 * TAS_E_AUTH / TAS_E_PROTO: anything else that is wrong. */
TAS_MUST_USE int tas_auth_check(const struct tas_crypto *c, struct tas_peer *out,
                                const struct tas_msg_auth *auth, const struct tas_identity *own,
                                const struct tas_generation *gen, const struct tas_auth_expected *expected);

/* Nine digits in three groups, "482-913-527". */
enum { TAS_CHECK_CODE_TEXT = 12 };
void tas_check_code_text(char out[TAS_CHECK_CODE_TEXT], uint32_t sas6, uint32_t last3);

/* Nine digits from what was typed: hyphens and spaces between them are skipped. TAS_E_PROTO: not nine digits.
 */
TAS_MUST_USE int tas_check_code_parse(uint32_t *sas6, uint32_t *last3, const char *typed);
