/* Sealed records (docs/protocol.md section 3): an AEAD key per direction and phase, a counter per class, and
 * key updates that need no message. Pairwise only; group epochs (several viewers) are refused. */
#pragma once

#include "e2e/schedule.h"

struct tas_sealer;

struct tas_sealer_config {
    const struct tas_crypto *crypto;
    const struct tas_secret_mem *mem;
    enum tas_role role; /* our own */
    uint8_t viewer_slot;
    uint64_t session_id;
    uint64_t update_records; /* records under one phase before the next; 0: the protocol's 2^24 */
    uint64_t update_us;      /* likewise time; 0: the protocol's 1 h */
};

/* Keys for both directions from one generation. NULL: no memory. */
struct tas_sealer *tas_sealer_new(const struct tas_sealer_config *config, const struct tas_generation *gen,
                                  uint64_t now_us);
void tas_sealer_free(struct tas_sealer *sealer); /* wipes; NULL is fine */

/* Seals `plain` (at most TAS_PLAIN_MAX bytes) for class pf & 3 into out (cap >= plain.len + 24). The length
 * of the record, or TAS_E_LIMIT / TAS_E_NOMEM. */
TAS_MUST_USE int tas_sealer_seal(struct tas_sealer *sealer, uint8_t pf, struct tas_bytes plain, uint8_t *out,
                                 size_t cap, uint64_t now_us);

/* Opens a record that came with `pf` into out (at least record.len bytes). The length of the plaintext.
 * TAS_E_PROTO: malformed, DROPPABLE, wrong class, unknown phase or epoch, counter not the next one.
 * TAS_E_ABSENT: of another generation: late, to be dropped. TAS_E_AUTH: forged. The other two close the
 * session. Counters move on success only. */
TAS_MUST_USE int tas_sealer_open(struct tas_sealer *sealer, uint8_t pf, struct tas_bytes record, uint8_t *out,
                                 uint64_t now_us);

/* Records sealed so far in a class, over all phases: what BYE tells. */
uint64_t tas_sealer_sent(const struct tas_sealer *sealer, enum tas_class cls);

/* Records opened so far in a class, over all phases. */
uint64_t tas_sealer_received(const struct tas_sealer *sealer, enum tas_class cls);

/* The phase that we send with now; for tests and the record of the session. */
uint32_t tas_sealer_phase(const struct tas_sealer *sealer);
