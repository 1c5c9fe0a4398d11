/* The public keys that checkpoints are checked with: those of use "audit" in KEYSETs that the root signed. */
#pragma once

#include "base/bytes.h"
#include "base/err.h"

enum { AUDIT_KEYS_WHY = 512 };

struct audit_keys; /* NULL: no memory */
struct audit_keys *audit_keys_new(void);
void audit_keys_free(struct audit_keys *keys); /* NULL is fine */

/* The root's public key: 64 hexadecimal digits in a file. TAS_E_CONFIG: `why`. */
TAS_MUST_USE int audit_keys_load_root(struct audit_keys *keys, const char *path, char why[AUDIT_KEYS_WHY]);
/* A file of hexadecimal words, apart by spaces or line ends: KEYSETs, and perhaps the root's public key (64
 * digits), which then holds. TAS_E_CONFIG: `why`. */
TAS_MUST_USE int audit_keys_load(struct audit_keys *keys, const char *path, char why[AUDIT_KEYS_WHY]);
bool audit_keys_has_root(const struct audit_keys *keys);
/* Takes the KEYSETs of audit_keys_load(), when the root is known. TAS_E_CONFIG: one is not signed by it. */
TAS_MUST_USE int audit_keys_settle(struct audit_keys *keys, char why[AUDIT_KEYS_WHY]);

/* One more KEYSET. TAS_E_PROTO: it is none; TAS_E_AUTH: the root has not signed it. */
TAS_MUST_USE int audit_keys_add(struct audit_keys *keys, struct tas_bytes keyset);

/* Is this head of a chain signed by a key that was good at that moment, as the newest KEYSET that names it
 * says? TAS_E_AUTH: no; TAS_E_ABSENT: no KEYSET names such a key for that moment. */
TAS_MUST_USE int audit_keys_check(const struct audit_keys *keys, int64_t company_id, int64_t seq,
                                  const uint8_t hash[32], int64_t at, int64_t kid, const uint8_t sig[64]);
