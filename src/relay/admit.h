/* Who may join: the checks of docs/protocol.md section 2 on HELLO and PROOF, as plain functions without I/O.
 */
#pragma once

#include "crypto/crypto.h"
#include "relay/config.h"
#include "wire/messages.h"
#include "wire/record.h"

/* What a HELLO that holds says. */
struct relay_admission {
    struct tas_msg_ticket ticket;
    uint32_t rx_limit;
    uint16_t flags;
    uint8_t hello[224]; /* as it came, for the proof */
};

/* Checks version, form, relay, times (before the signature, because that is cheaper) and the signature.
 * 0, or the TAS_CLOSE_* that refuses it. */
unsigned relay_admit_hello(struct relay_admission *out, struct tas_bytes payload,
                           const struct relay_config *config, const struct tas_crypto *crypto,
                           uint64_t now_ms);

/* Checks the proof of possession over HELLO, our CHALLENGE and the TLS binding. 0 or TAS_CLOSE_PROOF. */
unsigned relay_admit_proof(const struct relay_admission *admission, struct tas_bytes payload,
                           const uint8_t challenge[48], const uint8_t cb[32],
                           const struct tas_crypto *crypto);
