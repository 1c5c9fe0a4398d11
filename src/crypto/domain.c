/* Domain separation: everything that is signed, hashed or MACed starts with its own 16 bytes of purpose. */
#include "crypto/crypto.h"

#include <assert.h>

enum { PARTS_MAX = 7, SIGNED_MAX = 16 + 1024 };

const struct tas_crypto *tas_crypto_native(void) {
    return &tas_crypto_openssl;
}

static void pad16(uint8_t out[16], const char *domain) {
    size_t len = strlen(domain);
    assert(len <= 16);
    memset(out, 0, 16);
    memcpy(out, domain, len);
}

/* Ed25519 of both libraries takes one piece. */
static struct tas_bytes joined(uint8_t out[SIGNED_MAX], const char *domain, const struct tas_bytes *parts,
                               size_t n) {
    pad16(out, domain);
    struct tas_writer w = {.out = out, .cap = SIGNED_MAX, .len = 16};
    for (size_t i = 0; i < n; i++)
        tas_write_bytes(&w, parts[i].ptr, parts[i].len);
    assert(!w.bad);
    return tas_bytes_of(out, w.len);
}

int tas_sign(const struct tas_crypto *c, uint8_t sig[64], const uint8_t seed[32], const char *domain,
             const struct tas_bytes *parts, size_t n) {
    uint8_t all[SIGNED_MAX];
    return c->ed25519_sign(sig, seed, joined(all, domain, parts, n));
}

int tas_verify(const struct tas_crypto *c, const uint8_t sig[64], const uint8_t pk[32], const char *domain,
               const struct tas_bytes *parts, size_t n) {
    uint8_t all[SIGNED_MAX];
    return tas_ed25519_verify(c, sig, pk, joined(all, domain, parts, n));
}

static size_t with_domain(struct tas_bytes out[PARTS_MAX + 1], uint8_t head[16], const char *domain,
                          const struct tas_bytes *parts, size_t n) {
    assert(n <= PARTS_MAX);
    pad16(head, domain);
    out[0] = tas_bytes_of(head, 16);
    for (size_t i = 0; i < n; i++)
        out[i + 1] = parts[i];
    return n + 1;
}

int tas_hash(const struct tas_crypto *c, uint8_t out[32], const char *domain, const struct tas_bytes *parts,
             size_t n) {
    uint8_t head[16];
    struct tas_bytes all[PARTS_MAX + 1];
    size_t count = with_domain(all, head, domain, parts, n);
    return c->sha256(out, all, count);
}

int tas_mac(const struct tas_crypto *c, uint8_t out[32], const uint8_t key[32], const char *domain,
            const struct tas_bytes *parts, size_t n) {
    uint8_t head[16];
    struct tas_bytes all[PARTS_MAX + 1];
    size_t count = with_domain(all, head, domain, parts, n);
    return c->hmac(out, tas_bytes_of(key, TAS_KEY_LEN), all, count);
}
