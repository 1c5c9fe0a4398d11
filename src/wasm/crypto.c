#include "wasm/crypto_private.h"

#include "wasm/host_private.h"

static int in_sha256(uint8_t out[32], const struct tas_bytes *parts, size_t n) {
    return host_sha256(out, parts, n);
}

static int in_hmac(uint8_t out[32], struct tas_bytes key, const struct tas_bytes *parts, size_t n) {
    return host_hmac(out, key.ptr, key.len, parts, n);
}

static int in_x25519_public(uint8_t pk[32], const uint8_t sk[32]) {
    return host_x25519_public(pk, sk);
}

static int in_x25519(uint8_t out[32], const uint8_t sk[32], const uint8_t pk[32]) {
    return host_x25519(out, sk, pk);
}

static int in_ed25519_public(uint8_t pk[32], const uint8_t seed[32]) {
    return host_ed25519_public(pk, seed);
}

static int in_ed25519_sign(uint8_t sig[64], const uint8_t seed[32], struct tas_bytes msg) {
    return host_ed25519_sign(sig, seed, msg.ptr, msg.len);
}

static int in_ed25519_verify(const uint8_t sig[64], const uint8_t pk[32], struct tas_bytes msg) {
    return host_ed25519_verify(sig, pk, msg.ptr, msg.len);
}

struct tas_aead {
    uint32_t host; /* the host's number for the key */
    const struct tas_secret_mem *mem;
};

static struct tas_aead *in_aead_new(enum tas_suite suite, const uint8_t key[32],
                                    const struct tas_secret_mem *mem) {
    struct tas_aead *aead = mem->alloc(sizeof(*aead));
    if (!aead)
        return NULL;
    *aead = (struct tas_aead){host_aead_new((uint32_t)suite, key), mem};
    if (aead->host != 0)
        return aead;
    mem->release(aead, sizeof(*aead));
    return NULL;
}

static void in_aead_free(struct tas_aead *aead) {
    if (!aead)
        return;
    host_aead_free(aead->host);
    aead->mem->release(aead, sizeof(*aead));
}

static int in_seal(struct tas_aead *aead, uint8_t *out, const uint8_t iv[12], struct tas_bytes aad,
                   struct tas_bytes text) {
    return host_seal(aead->host, out, iv, aad.ptr, aad.len, text.ptr, text.len);
}

static int in_open(struct tas_aead *aead, uint8_t *out, const uint8_t iv[12], struct tas_bytes aad,
                   struct tas_bytes sealed) {
    if (sealed.len < TAS_TAG_LEN)
        return TAS_E_AUTH;
    int err = host_open(aead->host, out, iv, aad.ptr, aad.len, sealed.ptr, sealed.len);
    if (err != TAS_OK)
        tas_wipe(out, sealed.len - TAS_TAG_LEN);
    return err;
}

const struct tas_crypto wasm_crypto = {
    .name = "host",
    .suites = TAS_SUITE_CHACHA20 | TAS_SUITE_AES256,
    .sha256 = in_sha256,
    .hmac = in_hmac,
    .x25519_public = in_x25519_public,
    .x25519 = in_x25519,
    .ed25519_public = in_ed25519_public,
    .ed25519_sign = in_ed25519_sign,
    .ed25519_verify_raw = in_ed25519_verify,
    .aead_new = in_aead_new,
    .aead_free = in_aead_free,
    .seal = in_seal,
    .open = in_open,
};
