#include "crypto/crypto.h"

#include <assert.h>
#include <openssl/evp.h>

/* The fetched algorithms are shared by all threads: OpenSSL 3 spends most of a small hash on looking them up.
 */
static EVP_MD *sha256_md;
static EVP_MAC *hmac_mac;

__attribute__((constructor)) static void fetch(void) {
    sha256_md = EVP_MD_fetch(NULL, "SHA256", NULL);
    hmac_mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
}

__attribute__((destructor)) static void release(void) {
    EVP_MD_free(sha256_md);
    EVP_MAC_free(hmac_mac);
}

static int ossl_sha256(uint8_t out[32], const struct tas_bytes *parts, size_t n) {
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx && EVP_DigestInit_ex2(ctx, sha256_md, NULL) == 1;
    for (size_t i = 0; ok && i < n; i++)
        ok = EVP_DigestUpdate(ctx, parts[i].ptr, parts[i].len) == 1;
    ok = ok && EVP_DigestFinal_ex(ctx, out, NULL) == 1;
    EVP_MD_CTX_free(ctx);
    return ok ? TAS_OK : TAS_E_NOMEM;
}

static int ossl_hmac(uint8_t out[32], struct tas_bytes key, const struct tas_bytes *parts, size_t n) {
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string("digest", digest, 0), OSSL_PARAM_construct_end()};
    EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(hmac_mac);
    static const uint8_t none[1];
    bool ok = ctx && EVP_MAC_init(ctx, key.len ? key.ptr : none, key.len, params) == 1;
    for (size_t i = 0; ok && i < n; i++)
        ok = EVP_MAC_update(ctx, parts[i].ptr, parts[i].len) == 1;
    size_t len = 0;
    ok = ok && EVP_MAC_final(ctx, out, &len, 32) == 1 && len == 32;
    EVP_MAC_CTX_free(ctx);
    return ok ? TAS_OK : TAS_E_NOMEM;
}

static int raw_public(int type, uint8_t pk[32], const uint8_t sk[32]) {
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(type, NULL, sk, 32);
    size_t len = 32;
    bool ok = key && EVP_PKEY_get_raw_public_key(key, pk, &len) == 1;
    EVP_PKEY_free(key);
    return ok ? TAS_OK : TAS_E_NOMEM;
}

static int ossl_x25519_public(uint8_t pk[32], const uint8_t sk[32]) {
    return raw_public(EVP_PKEY_X25519, pk, sk);
}

static int ossl_ed25519_public(uint8_t pk[32], const uint8_t seed[32]) {
    return raw_public(EVP_PKEY_ED25519, pk, seed);
}

static int ossl_x25519(uint8_t out[32], const uint8_t sk[32], const uint8_t pk[32]) {
    EVP_PKEY *own = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, sk, 32);
    EVP_PKEY *peer = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, pk, 32);
    EVP_PKEY_CTX *ctx = own ? EVP_PKEY_CTX_new(own, NULL) : NULL;
    int err = TAS_E_NOMEM;
    if (!ctx || !peer || EVP_PKEY_derive_init(ctx) != 1 || EVP_PKEY_derive_set_peer(ctx, peer) != 1)
        goto out;
    static const uint8_t zeros[32];
    uint8_t shared[32];
    size_t len = sizeof(shared);
    /* OpenSSL itself refuses the all-zero result; asked again here, so that it does not rest on that. */
    bool ok = EVP_PKEY_derive(ctx, shared, &len) == 1 && !tas_same_secret(shared, zeros, 32);
    err = ok ? TAS_OK : TAS_E_AUTH;
    if (ok)
        memcpy(out, shared, 32);
    tas_wipe(shared, sizeof(shared));
out:
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(peer);
    EVP_PKEY_free(own);
    return err;
}

static int ossl_ed25519_sign(uint8_t sig[64], const uint8_t seed[32], struct tas_bytes msg) {
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t len = 64;
    bool ok = key && ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1 &&
              EVP_DigestSign(ctx, sig, &len, msg.ptr, msg.len) == 1;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    return ok ? TAS_OK : TAS_E_NOMEM;
}

static int ossl_ed25519_verify(const uint8_t sig[64], const uint8_t pk[32], struct tas_bytes msg) {
    EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, pk, 32);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = key && ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1 &&
              EVP_DigestVerify(ctx, sig, 64, msg.ptr, msg.len) == 1;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    return ok ? TAS_OK : TAS_E_AUTH;
}

struct tas_aead {
    EVP_CIPHER_CTX *seal;
    EVP_CIPHER_CTX *open;
    const struct tas_secret_mem *mem;
};

static EVP_CIPHER_CTX *keyed(enum tas_suite suite, const uint8_t key[32], int sealing) {
    EVP_CIPHER *cipher =
        EVP_CIPHER_fetch(NULL, suite == TAS_SUITE_AES256 ? "AES-256-GCM" : "ChaCha20-Poly1305", NULL);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    bool ok = cipher && ctx && EVP_CipherInit_ex2(ctx, cipher, key, NULL, sealing, NULL) == 1;
    EVP_CIPHER_free(cipher);
    if (ok)
        return ctx;
    EVP_CIPHER_CTX_free(ctx);
    return NULL;
}

static void ossl_aead_free(struct tas_aead *aead) {
    if (!aead)
        return;
    EVP_CIPHER_CTX_free(aead->seal);
    EVP_CIPHER_CTX_free(aead->open);
    aead->mem->release(aead, sizeof(*aead));
}

static struct tas_aead *ossl_aead_new(enum tas_suite suite, const uint8_t key[32],
                                      const struct tas_secret_mem *mem) {
    if (suite != TAS_SUITE_AES256 && suite != TAS_SUITE_CHACHA20)
        return NULL;
    struct tas_aead *aead = mem->alloc(sizeof(*aead));
    if (!aead)
        return NULL;
    aead->mem = mem;
    aead->seal = keyed(suite, key, 1);
    aead->open = keyed(suite, key, 0);
    if (aead->seal && aead->open)
        return aead;
    ossl_aead_free(aead);
    return NULL;
}

static int ossl_seal(struct tas_aead *aead, uint8_t *out, const uint8_t iv[12], struct tas_bytes aad,
                     struct tas_bytes text) {
    int len = 0;
    int rest = 0;
    bool ok = EVP_EncryptInit_ex2(aead->seal, NULL, NULL, iv, NULL) == 1 &&
              EVP_EncryptUpdate(aead->seal, NULL, &len, aad.ptr, (int)aad.len) == 1 &&
              EVP_EncryptUpdate(aead->seal, out, &len, text.ptr, (int)text.len) == 1 &&
              EVP_EncryptFinal_ex(aead->seal, out + len, &rest) == 1 &&
              EVP_CIPHER_CTX_ctrl(aead->seal, EVP_CTRL_AEAD_GET_TAG, TAS_TAG_LEN, out + text.len) == 1;
    return ok ? TAS_OK : TAS_E_NOMEM;
}

static int ossl_open(struct tas_aead *aead, uint8_t *out, const uint8_t iv[12], struct tas_bytes aad,
                     struct tas_bytes sealed) {
    if (sealed.len < TAS_TAG_LEN)
        return TAS_E_AUTH;
    int text_len = (int)(sealed.len - TAS_TAG_LEN);
    uint8_t tag[TAS_TAG_LEN];
    memcpy(tag, sealed.ptr + text_len, TAS_TAG_LEN);
    int len = 0;
    int rest = 0;
    bool ok = EVP_DecryptInit_ex2(aead->open, NULL, NULL, iv, NULL) == 1 &&
              EVP_DecryptUpdate(aead->open, NULL, &len, aad.ptr, (int)aad.len) == 1 &&
              EVP_DecryptUpdate(aead->open, out, &len, sealed.ptr, text_len) == 1 &&
              EVP_CIPHER_CTX_ctrl(aead->open, EVP_CTRL_AEAD_SET_TAG, TAS_TAG_LEN, tag) == 1 &&
              EVP_DecryptFinal_ex(aead->open, out + len, &rest) == 1;
    if (!ok)
        tas_wipe(out, (size_t)text_len);
    return ok ? TAS_OK : TAS_E_AUTH;
}

const struct tas_crypto tas_crypto_openssl = {
    .name = "openssl",
    .suites = TAS_SUITE_CHACHA20 | TAS_SUITE_AES256,
    .sha256 = ossl_sha256,
    .hmac = ossl_hmac,
    .x25519_public = ossl_x25519_public,
    .x25519 = ossl_x25519,
    .ed25519_public = ossl_ed25519_public,
    .ed25519_sign = ossl_ed25519_sign,
    .ed25519_verify_raw = ossl_ed25519_verify,
    .aead_new = ossl_aead_new,
    .aead_free = ossl_aead_free,
    .seal = ossl_seal,
    .open = ossl_open,
};
