/* The pairwise handshake H1, H2, H3 with commitment (docs/protocol.md section 3) as a pure machine: payloads
 * of HS records in, payloads out. It counts no attempts and reads no clock: the session does. */
#pragma once

#include "e2e/schedule.h"

enum { TAS_HS_MAX = 160 }; /* longest HS message */

/* Where random bytes come from; tests give fixed ones. */
struct tas_random_source {
    void (*fill)(void *ctx, void *out, size_t len);
    void *ctx;
};

struct tas_handshake_config {
    const struct tas_crypto *crypto;
    const struct tas_secret_mem *mem;
    struct tas_random_source random;
    enum tas_role role;  /* our own */
    uint8_t viewer_slot; /* 1..15 */
    uint64_t session_id;
    uint16_t suites; /* mask of tas_suite we accept */
    uint32_t caps;   /* low 16 bits */
};

struct tas_handshake;

/* Both secrets are drawn here. NULL: no memory. */
struct tas_handshake *tas_handshake_new(const struct tas_handshake_config *config);
void tas_handshake_free(struct tas_handshake *hs); /* wipes; NULL is fine */

/* Viewer only, once: writes H1 into out. Its length, or TAS_E_STATE. */
TAS_MUST_USE int tas_handshake_start(struct tas_handshake *hs, uint8_t out[TAS_HS_MAX]);

/* Takes the peer's next message and writes ours, if there is one: the length of the reply, 0 for none.
 * TAS_E_PROTO: anything else than what must come now (wrong length, order, role, slot, session, version,
 * suite; a commitment that does not hold). TAS_E_AUTH: a public key of small order. After an error every call
 * fails. */
TAS_MUST_USE int tas_handshake_input(struct tas_handshake *hs, struct tas_bytes msg, uint8_t out[TAS_HS_MAX]);

/* True when the keys are there: at the viewer after it wrote H3, at the host after it took H3. */
bool tas_handshake_is_done(const struct tas_handshake *hs);

/* Copies the keys out (`is_done` only) and wipes its own. `out` should lie in secret memory. */
void tas_handshake_take(struct tas_handshake *hs, struct tas_generation *out);
