/* RS1 and RS2 (docs/protocol.md section 6): new keys for the same two ends after the line was lost. */
#pragma once

#include "e2e/auth.h"
#include "e2e/handshake.h"
#include "wire/messages.h"

enum tas_rs_type { TAS_RS1 = 4, TAS_RS2 = 5 };

/* Our half of an exchange. In secret memory. */
struct tas_resume_half {
    uint8_t e_sk[32];
    uint8_t bytes[TAS_SIZE_RS]; /* what is sent */
};

/* Who speaks about which session. */
struct tas_resume_pair {
    uint8_t viewer_slot;
    uint64_t session_id;
};

/* Makes RS1 (viewer, rs1 = NULL) or RS2 (host, rs1 = what came) under generation `gen`. */
TAS_MUST_USE int tas_resume_make(const struct tas_crypto *c, struct tas_resume_half *out,
                                 const struct tas_random_source *random, const struct tas_identity *own,
                                 const struct tas_resume_pair *pair, const struct tas_generation *gen,
                                 const uint8_t *rs1);

/* Is `msg` the other end's RS under `gen`? rs1: our own when msg is an RS2, else NULL.
 * TAS_E_PROTO: malformed, own role, wrong slot or session. TAS_E_ABSENT: another generation than gen's.
 * TAS_E_AUTH: wrong MAC or signature. */
TAS_MUST_USE int tas_resume_check(const struct tas_crypto *c, struct tas_bytes msg, enum tas_role own_role,
                                  const uint8_t peer_pop_pk[32], const struct tas_resume_pair *pair,
                                  const struct tas_generation *gen, const uint8_t *rs1);

/* The next generation, from our half and the other end's checked message. TAS_E_AUTH: a public key of small
 * order. */
TAS_MUST_USE int tas_resume_derive(const struct tas_crypto *c, struct tas_generation *next,
                                   const struct tas_generation *gen, const struct tas_resume_half *half,
                                   enum tas_role own_role, const uint8_t *peer_rs);
