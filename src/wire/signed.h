/* What the management server signs, beyond the plain layouts: the KEYSET and the names in a STATEMENT. Only
 * forms are looked at here; signatures are checked by whoever has the crypto (relay/admit.c, e2e/). */
#pragma once

#include "wire/messages.h"

enum {
    TAS_KEYSET_MAX_KEYS = 16,
    TAS_KEYSET_MAX_LEN = 16 + TAS_KEYSET_MAX_KEYS * 56 + 64,
    TAS_USE_TICKET = 1,
    TAS_USE_STATEMENT = 2,
    TAS_USE_AUDIT = 3,       /* checkpoints of the audit chain; no end and no relay asks for it */
    TAS_TICKET_SIGNED = 128, /* bytes under the signature */
    TAS_STATEMENT_SIGNED = 256,
};

struct tas_keyset {
    uint32_t sequence;
    uint64_t issued_ms;
    unsigned count;
    struct tas_msg_keyset_key keys[TAS_KEYSET_MAX_KEYS];
    struct tas_bytes signed_part; /* borrowed: what `sig` is over */
    uint8_t sig[64];
};

/* TAS_E_PROTO: wrong length, version, use or order of times, or a kid that stands twice for one use. */
TAS_MUST_USE int tas_keyset_decode(struct tas_keyset *out, struct tas_bytes in);

/* Writes head and keys (not the signature). Bytes written, or TAS_E_LIMIT. */
TAS_MUST_USE int tas_keyset_encode(const struct tas_keyset *set, uint8_t *out, size_t cap);

/* The key with this kid and use that is valid at now_ms, give or take slack_ms; NULL: none. Borrowed. */
const struct tas_msg_keyset_key *tas_keyset_find(const struct tas_keyset *set, uint8_t kid, uint8_t use,
                                                 uint64_t now_ms, uint64_t slack_ms);

/* The text of a zero-padded field (company or name of a STATEMENT): UTF-8, not empty, nothing behind the
 * first zero, no control or bidi characters. TAS_E_PROTO otherwise. Borrowed from the field. */
TAS_MUST_USE int tas_text_field(struct tas_bytes *out, const uint8_t *field, size_t size);
