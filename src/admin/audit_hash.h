/* The bytes that docs/audit.md describes, made a second time: nothing here is shared with the writer
 * (manager/audit.c), and the hash and the signature's check are libsodium's while the writer's are OpenSSL's.
 */
#pragma once

#include "base/bytes.h"
#include "base/err.h"

/* The hash before a company's first event. TAS_E_LIMIT: no company has such an id. */
TAS_MUST_USE int audit_hash_genesis(uint8_t out[32], int64_t company_id);

struct audit_hashed {
    const uint8_t *before; /* 32 bytes: the hash of the row before */
    int64_t company_id, seq, at;
    uint64_t id, session_id;
    struct tas_bytes actor, kind, detail;
};

/* A row's hash. TAS_E_LIMIT: no such row can have been written. */
TAS_MUST_USE int audit_hash_event(uint8_t out[32], const struct audit_hashed *event);

/* SHA-256 of plain bytes, as it stands in the detail of a "device" event. */
TAS_MUST_USE int audit_hash_plain(uint8_t out[32], struct tas_bytes bytes);

/* Is sig what pk signs for this head of a chain? TAS_E_AUTH: no. */
TAS_MUST_USE int audit_hash_checkpoint(const uint8_t sig[64], const uint8_t pk[32], int64_t company_id,
                                       int64_t seq, const uint8_t hash[32], int64_t at);

/* Is sig what root signs for a KEYSET? TAS_E_AUTH: no. */
TAS_MUST_USE int audit_hash_keyset(const uint8_t sig[64], const uint8_t root[32],
                                   struct tas_bytes signed_part);
