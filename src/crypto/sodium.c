#include "crypto/crypto.h"

#include <sodium.h>

__attribute__((constructor)) static void start(void) {
    /* 1 means: already started. -1 leaves libsodium without its faster code paths, which still is correct. */
    int ignored = sodium_init();
    (void)ignored;
}

static int na_sha256(uint8_t out[32], const struct tas_bytes *parts, size_t n) {
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    for (size_t i = 0; i < n; i++)
        crypto_hash_sha256_update(&state, parts[i].ptr, parts[i].len);
    crypto_hash_sha256_final(&state, out);
    return TAS_OK;
}

static int na_hmac(uint8_t out[32], struct tas_bytes key, const struct tas_bytes *parts, size_t n) {
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, key.ptr, key.len);
    for (size_t i = 0; i < n; i++)
        crypto_auth_hmacsha256_update(&state, parts[i].ptr, parts[i].len);
    crypto_auth_hmacsha256_final(&state, out);
    tas_wipe(&state, sizeof(state));
    return TAS_OK;
}

static int na_x25519_public(uint8_t pk[32], const uint8_t sk[32]) {
    return crypto_scalarmult_base(pk, sk) == 0 ? TAS_OK : TAS_E_AUTH;
}

static int na_x25519(uint8_t out[32], const uint8_t sk[32], const uint8_t pk[32]) {
    uint8_t shared[32];
    bool ok = crypto_scalarmult(shared, sk, pk) == 0 && !sodium_is_zero(shared, sizeof(shared));
    if (ok)
        memcpy(out, shared, sizeof(shared));
    tas_wipe(shared, sizeof(shared));
    return ok ? TAS_OK : TAS_E_AUTH;
}

static int na_ed25519_public(uint8_t pk[32], const uint8_t seed[32]) {
    uint8_t sk[64];
    int err = crypto_sign_seed_keypair(pk, sk, seed);
    tas_wipe(sk, sizeof(sk));
    return err == 0 ? TAS_OK : TAS_E_NOMEM;
}

static int na_ed25519_sign(uint8_t sig[64], const uint8_t seed[32], struct tas_bytes msg) {
    uint8_t pk[32];
    uint8_t sk[64];
    bool ok = crypto_sign_seed_keypair(pk, sk, seed) == 0 &&
              crypto_sign_detached(sig, NULL, msg.ptr, msg.len, sk) == 0;
    tas_wipe(sk, sizeof(sk));
    return ok ? TAS_OK : TAS_E_NOMEM;
}

static int na_ed25519_verify(const uint8_t sig[64], const uint8_t pk[32], struct tas_bytes msg) {
    return crypto_sign_verify_detached(sig, msg.ptr, msg.len, pk) == 0 ? TAS_OK : TAS_E_AUTH;
}

struct tas_aead {
    uint8_t key[32];
    const struct tas_secret_mem *mem;
};

static struct tas_aead *na_aead_new(enum tas_suite suite, const uint8_t key[32],
                                    const struct tas_secret_mem *mem) {
    if (suite != TAS_SUITE_CHACHA20)
        return NULL;
    struct tas_aead *aead = mem->alloc(sizeof(*aead));
    if (!aead)
        return NULL;
    memcpy(aead->key, key, sizeof(aead->key));
    aead->mem = mem;
    return aead;
}

static void na_aead_free(struct tas_aead *aead) {
    if (aead)
        aead->mem->release(aead, sizeof(*aead));
}

static int na_seal(struct tas_aead *aead, uint8_t *out, const uint8_t iv[12], struct tas_bytes aad,
                   struct tas_bytes text) {
    crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, text.ptr, text.len, aad.ptr, aad.len, NULL, iv,
                                              aead->key);
    return TAS_OK;
}

static int na_open(struct tas_aead *aead, uint8_t *out, const uint8_t iv[12], struct tas_bytes aad,
                   struct tas_bytes sealed) {
    if (sealed.len < TAS_TAG_LEN)
        return TAS_E_AUTH;
    int bad = crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, sealed.ptr, sealed.len, aad.ptr,
                                                        aad.len, iv, aead->key);
    if (bad)
        tas_wipe(out, sealed.len - TAS_TAG_LEN);
    return bad ? TAS_E_AUTH : TAS_OK;
}

const struct tas_crypto tas_crypto_sodium = {
    .name = "sodium",
    .suites = TAS_SUITE_CHACHA20,
    .sha256 = na_sha256,
    .hmac = na_hmac,
    .x25519_public = na_x25519_public,
    .x25519 = na_x25519,
    .ed25519_public = na_ed25519_public,
    .ed25519_sign = na_ed25519_sign,
    .ed25519_verify_raw = na_ed25519_verify,
    .aead_new = na_aead_new,
    .aead_free = na_aead_free,
    .seal = na_seal,
    .open = na_open,
};
