/* The published vectors and the hostile ones, on both implementations of the crypto table. */
#include "crypto/crypto.h"
#include "vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct tas_crypto *const tables[] = {&tas_crypto_openssl, &tas_crypto_sodium};

/* Runs `check` on every block of a file with every table. */
typedef void (*block_check)(const struct tas_crypto *c, const struct vec_block *block);

static void each_block(const char *name, block_check check) {
    struct vec_file file;
    vec_open(&file, name);
    for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
        for (size_t i = 0; i < file.n; i++)
            check(tables[t], &file.blocks[i]);
    vec_close(&file);
}

static void must_be(const struct tas_crypto *c, const struct vec_block *block, const void *got, size_t len,
                    struct tas_bytes want) {
    if (!tas_bytes_equal(tas_bytes_of(got, len), want))
        fail_msg("%s: %s differs", c->name, vec_name(block));
}

static void must_give(const struct tas_crypto *c, const struct vec_block *block, int got, int want) {
    if (got != want)
        fail_msg("%s: %s gives %s, not %s", c->name, vec_name(block), tas_err_name(got), tas_err_name(want));
}

static void check_x25519(const struct tas_crypto *c, const struct vec_block *block) {
    uint8_t k[32], u[32], out[32], public[32];
    memcpy(k, vec_fixed(block, "sk", 32), 32);
    memcpy(u, vec_fixed(block, "pk", 32), 32);
    static const uint8_t base_point[32] = {9};
    if (memcmp(u, base_point, 32) == 0 && !vec_has(block, "iterations_int")) {
        assert_int_equal(c->x25519_public(public, k), TAS_OK);
        must_be(c, block, public, 32, vec_bytes(block, "out"));
    }
    uint64_t times = vec_has(block, "iterations_int") ? vec_int(block, "iterations_int") : 1;
    for (uint64_t i = 0; i < times; i++) {
        assert_int_equal(c->x25519(out, k, u), TAS_OK);
        memcpy(u, k, 32);
        memcpy(k, out, 32);
    }
    must_be(c, block, out, 32, vec_bytes(block, "out"));
}

static void x25519_gives_the_results_of_rfc_7748(void **state) {
    (void)state;
    each_block("x25519.txt", check_x25519);
}

static void check_x25519_bad(const struct tas_crypto *c, const struct vec_block *block) {
    uint8_t out[32], untouched[32];
    memset(out, 0xa5, sizeof(out));
    memset(untouched, 0xa5, sizeof(untouched));
    int err = c->x25519(out, vec_fixed(block, "sk", 32), vec_fixed(block, "pk", 32));
    bool is_ok = vec_is(block, "expect_text", "ok");
    must_give(c, block, err, is_ok ? TAS_OK : TAS_E_AUTH);
    must_be(c, block, out, 32, is_ok ? vec_bytes(block, "out") : tas_bytes_of(untouched, 32));
}

static void x25519_refuses_points_of_small_order_and_takes_the_harmless_oddities(void **state) {
    (void)state;
    each_block("x25519_bad.txt", check_x25519_bad);
}

static void check_ed25519(const struct tas_crypto *c, const struct vec_block *block) {
    const uint8_t *seed = vec_fixed(block, "seed", 32);
    struct tas_bytes msg = vec_bytes(block, "msg");
    uint8_t pk[32], sig[64];
    assert_int_equal(c->ed25519_public(pk, seed), TAS_OK);
    must_be(c, block, pk, 32, vec_bytes(block, "pk"));
    assert_int_equal(c->ed25519_sign(sig, seed, msg), TAS_OK);
    must_be(c, block, sig, 64, vec_bytes(block, "sig"));
    must_give(c, block, tas_ed25519_verify(c, sig, pk, msg), TAS_OK);
    for (size_t i = 0; i < sizeof(sig); i++) {
        sig[i] ^= 1;
        must_give(c, block, tas_ed25519_verify(c, sig, pk, msg), TAS_E_AUTH);
        sig[i] ^= 1;
    }
}

static void ed25519_gives_the_signatures_of_rfc_8032_and_refuses_each_with_one_bit_changed(void **state) {
    (void)state;
    each_block("ed25519.txt", check_ed25519);
}

static void check_ed25519_bad(const struct tas_crypto *c, const struct vec_block *block) {
    int err = tas_ed25519_verify(c, vec_fixed(block, "sig", 64), vec_fixed(block, "pk", 32),
                                 vec_bytes(block, "msg"));
    must_give(c, block, err, vec_is(block, "expect_text", "valid") ? TAS_OK : TAS_E_AUTH);
}

static void ed25519_verification_is_strict_where_libraries_disagree(void **state) {
    (void)state;
    each_block("ed25519_bad.txt", check_ed25519_bad);
}

static void check_sha256(const struct tas_crypto *c, const struct vec_block *block) {
    struct tas_bytes msg = vec_bytes(block, "msg");
    size_t times = vec_has(block, "repeat_int") ? (size_t)vec_int(block, "repeat_int") : 1;
    struct tas_bytes *parts = calloc(times + 2, sizeof(*parts));
    assert_non_null(parts);
    for (size_t i = 0; i < times; i++)
        parts[i] = msg;
    uint8_t digest[32];
    assert_int_equal(c->sha256(digest, parts, times), TAS_OK);
    must_be(c, block, digest, 32, vec_bytes(block, "digest"));
    for (size_t cut = 0; times == 1 && cut <= msg.len;
         cut++) { /* the same in three parts, one of them empty */
        parts[0] = tas_bytes_of(msg.ptr, cut);
        parts[1] = (struct tas_bytes){0};
        parts[2] = tas_bytes_of(msg.ptr + cut, msg.len - cut);
        assert_int_equal(c->sha256(digest, parts, 3), TAS_OK);
        must_be(c, block, digest, 32, vec_bytes(block, "digest"));
    }
    free(parts);
}

static void sha256_gives_the_digests_of_fips_180_however_the_message_is_cut(void **state) {
    (void)state;
    each_block("sha256.txt", check_sha256);
}

static void check_hmac(const struct tas_crypto *c, const struct vec_block *block) {
    struct tas_bytes msg = vec_bytes(block, "msg");
    uint8_t mac[32];
    for (size_t cut = 0; cut <= msg.len; cut++) {
        const struct tas_bytes parts[] = {
            tas_bytes_of(msg.ptr, cut), {0}, tas_bytes_of(msg.ptr + cut, msg.len - cut)};
        assert_int_equal(c->hmac(mac, vec_bytes(block, "key"), parts, 3), TAS_OK);
        must_be(c, block, mac, 32, vec_bytes(block, "mac"));
    }
}

static void hmac_gives_the_macs_of_rfc_4231_however_the_message_is_cut(void **state) {
    (void)state;
    each_block("hmac.txt", check_hmac);
}

static void check_hkdf(const struct tas_crypto *c, const struct vec_block *block) {
    uint8_t prk[32], okm[255 * 32];
    struct tas_bytes ikm = vec_bytes(block, "ikm");
    struct tas_bytes want = vec_bytes(block, "okm");
    assert_int_equal(c->hmac(prk, vec_bytes(block, "salt"), &ikm, 1),
                     TAS_OK); /* Extract; also an empty key */
    must_be(c, block, prk, 32, vec_bytes(block, "prk"));
    for (size_t len = 0; len <= want.len; len++) {
        memset(okm, 0xa5, sizeof(okm));
        assert_int_equal(tas_hkdf_expand(c, okm, len, prk, vec_bytes(block, "info")), TAS_OK);
        must_be(c, block, okm, len, tas_bytes_of(want.ptr, len));
        assert_int_equal(okm[len], 0xa5);
    }
    assert_int_equal(tas_hkdf_expand(c, okm, sizeof(okm), prk, vec_bytes(block, "info")), TAS_OK);
    must_be(c, block, okm, want.len, want);
}

static void hkdf_gives_the_keys_of_rfc_5869_and_every_shorter_one_is_its_beginning(void **state) {
    (void)state;
    each_block("hkdf.txt", check_hkdf);
}

enum { AEAD_MAX = 4096 };

static bool all_are(const uint8_t *bytes, size_t len, uint8_t value) {
    for (size_t i = 0; i < len; i++)
        if (bytes[i] != value)
            return false;
    return true;
}

static void check_forged(const struct tas_crypto *c, const struct vec_block *block, struct tas_aead *aead) {
    struct tas_bytes sealed = vec_bytes(block, "sealed");
    const uint8_t *iv = vec_fixed(block, "iv", 12);
    struct tas_bytes aad = vec_bytes(block, "aad");
    size_t text_len = sealed.len < TAS_TAG_LEN ? 0 : sealed.len - TAS_TAG_LEN;
    uint8_t out[AEAD_MAX];
    memset(out, 0xa5, sizeof(out));
    must_give(c, block, c->open(aead, out, iv, aad, sealed), TAS_E_AUTH);
    assert_true(all_are(out, text_len, 0));
    assert_true(all_are(out + text_len, sizeof(out) - text_len, 0xa5));
    if (sealed.len == 0)
        return;
    memcpy(out, sealed.ptr, sealed.len); /* in place */
    must_give(c, block, c->open(aead, out, iv, aad, tas_bytes_of(out, sealed.len)), TAS_E_AUTH);
    assert_true(all_are(out, text_len, 0));
}

static void check_good(const struct tas_crypto *c, const struct vec_block *block, struct tas_aead *aead) {
    struct tas_bytes sealed = vec_bytes(block, "sealed");
    struct tas_bytes text = vec_bytes(block, "text");
    struct tas_bytes aad = vec_bytes(block, "aad");
    const uint8_t *iv = vec_fixed(block, "iv", 12);
    assert_true(sealed.len <= AEAD_MAX && sealed.len == text.len + TAS_TAG_LEN);
    uint8_t out[AEAD_MAX + 1];
    memset(out, 0xa5, sizeof(out));
    for (int again = 0; again < 2; again++) { /* a key is used more than once */
        must_give(c, block, c->seal(aead, out, iv, aad, text), TAS_OK);
        must_be(c, block, out, sealed.len, sealed);
        assert_int_equal(out[sealed.len], 0xa5);
        must_give(c, block, c->open(aead, out, iv, aad, tas_bytes_of(out, sealed.len)),
                  TAS_OK); /* in place */
        must_be(c, block, out, text.len, text);
        must_give(c, block, c->seal(aead, out, iv, aad, tas_bytes_of(out, text.len)), TAS_OK); /* in place */
        must_be(c, block, out, sealed.len, sealed);
        memset(out, 0xa5, sizeof(out));
        must_give(c, block, c->open(aead, out, iv, aad, sealed), TAS_OK);
        must_be(c, block, out, text.len, text);
        assert_int_equal(out[text.len], 0xa5);
    }
    memcpy(out, sealed.ptr, sealed.len);
    for (size_t i = 0; i < sealed.len; i++) {
        uint8_t scratch[AEAD_MAX];
        out[i] ^= 0x80;
        must_give(c, block, c->open(aead, scratch, iv, aad, tas_bytes_of(out, sealed.len)), TAS_E_AUTH);
        out[i] ^= 0x80;
    }
    /* After all these forgeries the key still opens what is good. */
    must_give(c, block, c->open(aead, out, iv, aad, tas_bytes_of(out, sealed.len)), TAS_OK);
    must_be(c, block, out, text.len, text);
}

static void check_aead(const struct tas_crypto *c, const struct vec_block *block, enum tas_suite suite) {
    struct tas_aead *aead = c->aead_new(suite, vec_fixed(block, "key", 32), &tas_secret_heap);
    if (!(c->suites & suite)) {
        assert_null(aead);
        return;
    }
    assert_non_null(aead);
    if (vec_is(block, "expect_text", "forged"))
        check_forged(c, block, aead);
    else
        check_good(c, block, aead);
    c->aead_free(aead);
}

static void check_chacha(const struct tas_crypto *c, const struct vec_block *block) {
    check_aead(c, block, TAS_SUITE_CHACHA20);
}

static void check_aes(const struct tas_crypto *c, const struct vec_block *block) {
    check_aead(c, block, TAS_SUITE_AES256);
}

static void chacha20_seals_and_opens_as_rfc_8439_also_in_place_and_a_forgery_wipes_the_output(void **state) {
    (void)state;
    each_block("chacha20poly1305.txt", check_chacha);
}

static void
aes_seals_and_opens_as_mcgrew_and_viega_also_in_place_and_a_forgery_wipes_the_output(void **state) {
    (void)state;
    each_block("aes256gcm.txt", check_aes);
}

static void an_unknown_suite_gives_no_key(void **state) {
    (void)state;
    static const uint8_t key[32];
    for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++) {
        assert_null(tables[t]->aead_new((enum tas_suite)0, key, &tas_secret_heap));
        assert_null(tables[t]->aead_new((enum tas_suite)3, key, &tas_secret_heap));
        assert_null(tables[t]->aead_new((enum tas_suite)4, key, &tas_secret_heap));
        tables[t]->aead_free(NULL);
    }
}

static void both_tables_seal_alike_at_every_length(void **state) {
    (void)state;
    uint8_t key[32], iv[12], text[300], aad[23], a[316], b[316];
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (uint8_t)(i * 7);
    memcpy(key, text, 32);
    memcpy(iv, text + 40, 12);
    memcpy(aad, text + 60, 23);
    struct tas_aead *ossl = tas_crypto_openssl.aead_new(TAS_SUITE_CHACHA20, key, &tas_secret_heap);
    struct tas_aead *na = tas_crypto_sodium.aead_new(TAS_SUITE_CHACHA20, key, &tas_secret_heap);
    assert_true(ossl && na);
    for (size_t len = 0; len <= sizeof(text); len++) {
        struct tas_bytes ad = tas_bytes_of(aad, len % sizeof(aad));
        struct tas_bytes plain = len ? tas_bytes_of(text, len) : (struct tas_bytes){0};
        assert_int_equal(tas_crypto_openssl.seal(ossl, a, iv, ad, plain), TAS_OK);
        assert_int_equal(tas_crypto_sodium.seal(na, b, iv, ad, plain), TAS_OK);
        assert_memory_equal(a, b, len + TAS_TAG_LEN);
        assert_int_equal(tas_crypto_openssl.open(ossl, b, iv, ad, tas_bytes_of(a, len + TAS_TAG_LEN)),
                         TAS_OK);
        assert_memory_equal(b, text, len);
    }
    tas_crypto_openssl.aead_free(ossl);
    tas_crypto_sodium.aead_free(na);
}

static void a_domain_separates_what_is_signed_hashed_and_macced(void **state) {
    (void)state;
    static const uint8_t seed[32] = {1}, zeros[16];
    static const char sixteen[] = "sixteen letters!";
    uint8_t pk[32], sig[64], a[32], b[32];
    const struct tas_bytes parts[] = {tas_bytes_of("ab", 2), tas_bytes_of("c", 1)};
    const struct tas_bytes joined = tas_bytes_of("abc", 3);
    for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++) {
        const struct tas_crypto *c = tables[t];
        assert_int_equal(c->ed25519_public(pk, seed), TAS_OK);
        assert_int_equal(tas_sign(c, sig, seed, "TSK1 pop", parts, 2), TAS_OK);
        assert_int_equal(tas_verify(c, sig, pk, "TSK1 pop", &joined, 1), TAS_OK);
        assert_int_equal(tas_verify(c, sig, pk, "TSK1 auth", &joined, 1), TAS_E_AUTH);
        const struct tas_bytes whole = tas_bytes_of("TSK1 pop\0\0\0\0\0\0\0\0abc", 19);
        assert_int_equal(tas_ed25519_verify(c, sig, pk, whole), TAS_OK);

        const struct tas_bytes plain[] = {tas_bytes_of(sixteen, 16), joined};
        assert_int_equal(tas_hash(c, a, sixteen, parts, 2), TAS_OK);
        assert_int_equal(c->sha256(b, plain, 2), TAS_OK);
        assert_memory_equal(a, b, 32);
        const struct tas_bytes unnamed[] = {tas_bytes_of(zeros, 16), joined};
        assert_int_equal(tas_mac(c, a, seed, "", parts, 2), TAS_OK);
        assert_int_equal(c->hmac(b, tas_bytes_of(seed, 32), unnamed, 2), TAS_OK);
        assert_memory_equal(a, b, 32);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(x25519_gives_the_results_of_rfc_7748),
        cmocka_unit_test(x25519_refuses_points_of_small_order_and_takes_the_harmless_oddities),
        cmocka_unit_test(ed25519_gives_the_signatures_of_rfc_8032_and_refuses_each_with_one_bit_changed),
        cmocka_unit_test(ed25519_verification_is_strict_where_libraries_disagree),
        cmocka_unit_test(sha256_gives_the_digests_of_fips_180_however_the_message_is_cut),
        cmocka_unit_test(hmac_gives_the_macs_of_rfc_4231_however_the_message_is_cut),
        cmocka_unit_test(hkdf_gives_the_keys_of_rfc_5869_and_every_shorter_one_is_its_beginning),
        cmocka_unit_test(chacha20_seals_and_opens_as_rfc_8439_also_in_place_and_a_forgery_wipes_the_output),
        cmocka_unit_test(
            aes_seals_and_opens_as_mcgrew_and_viega_also_in_place_and_a_forgery_wipes_the_output),
        cmocka_unit_test(an_unknown_suite_gives_no_key),
        cmocka_unit_test(both_tables_seal_alike_at_every_length),
        cmocka_unit_test(a_domain_separates_what_is_signed_hashed_and_macced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
