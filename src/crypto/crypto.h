/* The cryptography that Tasuki uses, as one table of functions with two implementations: OpenSSL (native) and
 * libsodium (browser; here for the tests, which run the same vectors on both). No other folder knows a crypto
 * library. All sizes in bytes. Nothing here keeps state but struct tas_aead. */
#pragma once

#include "base/bytes.h"
#include "base/err.h"
#include "base/wipe.h"

enum {
    TAS_SHA256_LEN = 32,
    TAS_KEY_LEN = 32,
    TAS_SIG_LEN = 64,
    TAS_IV_LEN = 12,
    TAS_TAG_LEN = 16,
};

/* Suites as bits of the handshake's mask (docs/protocol.md section 3). */
enum tas_suite {
    TAS_SUITE_CHACHA20 = 1, /* ChaCha20-Poly1305, RFC 8439 */
    TAS_SUITE_AES256 = 2,   /* AES-256-GCM; native only */
};

struct tas_aead; /* one AEAD key, ready for use */

struct tas_crypto {
    const char *name;
    unsigned suites; /* mask of tas_suite it can do here */

    /* SHA-256 over the concatenation of `n` parts. */
    int (*sha256)(uint8_t out[32], const struct tas_bytes *parts, size_t n);
    /* HMAC-SHA256 (RFC 2104) over the concatenation of `n` parts. */
    int (*hmac)(uint8_t out[32], struct tas_bytes key, const struct tas_bytes *parts, size_t n);
    /* The public key that goes with an X25519 secret (RFC 7748). */
    int (*x25519_public)(uint8_t pk[32], const uint8_t sk[32]);
    /* Shared secret. TAS_E_AUTH: the result is all zeros (a point of small order). */
    int (*x25519)(uint8_t out[32], const uint8_t sk[32], const uint8_t pk[32]);
    /* The public key that goes with an Ed25519 seed (RFC 8032). */
    int (*ed25519_public)(uint8_t pk[32], const uint8_t seed[32]);
    int (*ed25519_sign)(uint8_t sig[64], const uint8_t seed[32], struct tas_bytes msg);
    /* As the library does it; call tas_ed25519_verify(), which is strict. TAS_E_AUTH: not valid. */
    int (*ed25519_verify_raw)(const uint8_t sig[64], const uint8_t pk[32], struct tas_bytes msg);

    /* A key for sealing and opening. NULL: suite not known here, or no memory. Allocated from `mem`. */
    struct tas_aead *(*aead_new)(enum tas_suite suite, const uint8_t key[32],
                                 const struct tas_secret_mem *mem);
    void (*aead_free)(struct tas_aead *aead); /* wipes; NULL is fine */
    /* out: text.len + 16 bytes; may be the same place as text. */
    int (*seal)(struct tas_aead *aead, uint8_t *out, const uint8_t iv[12], struct tas_bytes aad,
                struct tas_bytes text);
    /* out: sealed.len - 16 bytes; may be the same place. TAS_E_AUTH: forged; `out` is then wiped. */
    int (*open)(struct tas_aead *aead, uint8_t *out, const uint8_t iv[12], struct tas_bytes aad,
                struct tas_bytes sealed);
};

extern const struct tas_crypto tas_crypto_openssl;
extern const struct tas_crypto tas_crypto_sodium;

/* The one that programs use on this platform. */
const struct tas_crypto *tas_crypto_native(void);

/* Strict verification (docs/protocol.md): S < L, A and R canonical, neither of small order, and the library's
 * own check. TAS_E_AUTH: not valid. */
TAS_MUST_USE int tas_ed25519_verify(const struct tas_crypto *c, const uint8_t sig[64], const uint8_t pk[32],
                                    struct tas_bytes msg);

/* Signs pad16(domain) || parts. domain: at most 16 ASCII characters. At most 7 parts of together 1 KiB. */
TAS_MUST_USE int tas_sign(const struct tas_crypto *c, uint8_t sig[64], const uint8_t seed[32],
                          const char *domain, const struct tas_bytes *parts, size_t n);

/* Checks what tas_sign() makes. TAS_E_AUTH: not valid. */
TAS_MUST_USE int tas_verify(const struct tas_crypto *c, const uint8_t sig[64], const uint8_t pk[32],
                            const char *domain, const struct tas_bytes *parts, size_t n);

/* SHA-256 and HMAC-SHA256 over pad16(domain) || parts, at most 7 parts. */
TAS_MUST_USE int tas_hash(const struct tas_crypto *c, uint8_t out[32], const char *domain,
                          const struct tas_bytes *parts, size_t n);
TAS_MUST_USE int tas_mac(const struct tas_crypto *c, uint8_t out[32], const uint8_t key[32],
                         const char *domain, const struct tas_bytes *parts, size_t n);

/* HKDF-Expand with SHA-256 (RFC 5869 section 2.3). len <= 255*32. */
TAS_MUST_USE int tas_hkdf_expand(const struct tas_crypto *c, uint8_t *out, size_t len, const uint8_t prk[32],
                                 struct tas_bytes info);
