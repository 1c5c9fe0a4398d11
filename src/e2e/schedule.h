/* The key schedule (docs/protocol.md section 3): from a transcript and a shared secret to one generation of
 * keys. */
#pragma once

#include "crypto/crypto.h"
#include "wire/record.h"

/* Directions, as indexes. */
enum tas_direction {
    TAS_HOST_TO_OP = 0,
    TAS_OP_TO_HOST = 1,
};

static inline enum tas_direction tas_direction_of(enum tas_role sender) {
    return sender == TAS_ROLE_HOST ? TAS_HOST_TO_OP : TAS_OP_TO_HOST;
}

/* All keys that come from one handshake or one resume. Lives in secret memory; wiped by whoever holds it. */
struct tas_generation {
    uint32_t gen; /* 0 after the handshake, one more after each resume */
    enum tas_suite suite;
    uint8_t th[32];          /* transcript hash */
    uint8_t resume[32];      /* key of the next resume */
    uint8_t finished[2][32]; /* by direction of the sender */
    uint8_t traffic[2][32];  /* traffic secrets of phase 0 */
    uint8_t tiles[16];
    uint32_t sas6; /* the first six digits of the check code; stays as it was through resumes */
};

/* Keys of one phase and direction. */
struct tas_phase_keys {
    uint8_t aead[32];
    uint8_t iv[12];
    uint8_t next[32]; /* traffic secret of the next phase */
};

/* Fills all of `out` but gen and, when is_resume, sas6. TAS_E_NOMEM. */
TAS_MUST_USE int tas_generation_derive(const struct tas_crypto *c, struct tas_generation *out,
                                       enum tas_suite suite, const uint8_t prk[32], const uint8_t th[32],
                                       bool is_resume);

/* TAS_E_NOMEM. */
TAS_MUST_USE int tas_phase_derive(const struct tas_crypto *c, struct tas_phase_keys *out,
                                  enum tas_suite suite, const uint8_t traffic[32]);
