/* Each allocation of handshake and sealer fails once. Ours are seen by oom.h; those inside OpenSSL by a
 * counter that CRYPTO_set_mem_functions puts there. There the error may be any, but nothing may crash, leak
 * or be half done. */
#include "kit.h"
#include "oom.h"

#include <openssl/crypto.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void *ossl_malloc(size_t len, const char *file, int line) {
    (void)file, (void)line;
    return tas_oom_fails() ? NULL : __real_malloc(len);
}
static void *ossl_realloc(void *mem, size_t len, const char *file, int line) {
    (void)file, (void)line;
    return tas_oom_fails() ? NULL : __real_realloc(mem, len);
}
static void ossl_free(void *mem, const char *file, int line) {
    (void)file, (void)line;
    free(mem);
}

/* Before OpenSSL's own constructors' first allocation, else it refuses. */
static int is_hooked;
__attribute__((constructor(101))) static void hook(void) {
    is_hooked = CRYPTO_set_mem_functions(ossl_malloc, ossl_realloc, ossl_free);
}

static struct kit kit;

static int make_kit(void **state) {
    (void)state;
    assert_int_equal(is_hooked, 1);
    kit_init(&kit, &tas_crypto_openssl, TAS_SUITE_AES256);
    return 0;
}

/* Runs `work` with its 1st, 2nd, 3rd ... allocation failing, until none does. True from `work`: all went
 * well. */
static void each_allocation_fails(bool (*work)(const struct tas_crypto *c), const struct tas_crypto *c) {
    assert_true(work(c)); /* what is allocated once and kept */
    for (unsigned n = 1;; n++) {
        assert_true(n < 5000);
        tas_oom_fail_at(n);
        bool ok = work(c);
        bool has_failed = tas_oom_count() >= n;
        tas_oom_fail_at(0);
        if (!has_failed) {
            assert_true(ok);
            return;
        }
    }
}

static bool handshake(const struct tas_crypto *c) {
    struct kit local = kit;
    local.crypto = c;
    uint16_t suites = (uint16_t)c->suites;
    struct tas_handshake_config host_cfg = kit_handshake_config(&local, KIT_HOST, suites);
    struct tas_handshake_config viewer_cfg = kit_handshake_config(&local, KIT_VIEWER, suites);
    host_cfg.random.ctx = viewer_cfg.random.ctx = &local.random;
    struct tas_handshake *host = tas_handshake_new(&host_cfg);
    struct tas_handshake *viewer = tas_handshake_new(&viewer_cfg);
    uint8_t a[TAS_HS_MAX], b[TAS_HS_MAX];
    int len = host && viewer ? tas_handshake_start(viewer, a) : TAS_E_NOMEM;
    if (len > 0)
        len = tas_handshake_input(host, tas_bytes_of(a, (size_t)len), b);
    if (len > 0)
        len = tas_handshake_input(viewer, tas_bytes_of(b, (size_t)len), a);
    if (len > 0)
        len = tas_handshake_input(host, tas_bytes_of(a, (size_t)len), b);
    bool ok = len == 0;
    if (ok) {
        struct tas_generation x, y;
        tas_handshake_take(host, &x);
        tas_handshake_take(viewer, &y);
        ok = memcmp(x.th, y.th, 32) == 0 && memcmp(x.traffic, y.traffic, sizeof(x.traffic)) == 0 &&
             memcmp(x.resume, y.resume, 32) == 0;
        if (!ok)
            abort(); /* done, with keys that do not agree: worse than an error */
    }
    tas_handshake_free(host);
    tas_handshake_free(viewer);
    return ok;
}

/* Records both ways over a key update. */
static bool sealing(const struct tas_crypto *c) {
    struct tas_generation gen = kit.gen;
    if (!(c->suites & gen.suite))
        gen.suite = TAS_SUITE_CHACHA20;
    struct tas_sealer_config cfg = {.crypto = c,
                                    .mem = &tas_secret_heap,
                                    .role = TAS_ROLE_HOST,
                                    .viewer_slot = KIT_SLOT,
                                    .session_id = kit_session_id,
                                    .update_records = 2};
    struct tas_sealer *end[2] = {tas_sealer_new(&cfg, &gen, 0), NULL};
    cfg.role = TAS_ROLE_VIEWER;
    end[1] = tas_sealer_new(&cfg, &gen, 0);
    bool ok = end[0] && end[1];
    for (unsigned i = 0; i < 8 && ok; i++) {
        uint8_t rec[64], back[64];
        struct tas_bytes plain = tas_bytes_of("text of a record", 16);
        int len = tas_sealer_seal(end[i % 2], 1, plain, rec, sizeof(rec), 0);
        ok = len == 16 + TAS_SEALED_OVERHEAD;
        if (ok)
            ok = tas_sealer_open(end[!(i % 2)], 1, tas_bytes_of(rec, (size_t)len), back, 0) == 16;
        if (ok && memcmp(back, plain.ptr, 16) != 0)
            abort();
    }
    tas_sealer_free(end[0]);
    tas_sealer_free(end[1]);
    return ok;
}

static bool auth_and_resume(const struct tas_crypto *c) {
    struct tas_random_source source = kit_random_source(&kit.random);
    struct tas_msg_auth auth;
    struct tas_peer peer;
    struct tas_auth_expected expected = kit_expected(&kit, KIT_HOST);
    struct tas_resume_half one, two;
    struct tas_generation next;
    return tas_auth_make(c, &auth, &kit.id[KIT_VIEWER], &kit.gen) == TAS_OK &&
           tas_auth_check(c, &peer, &auth, &kit.id[KIT_HOST], &kit.gen, &expected) == TAS_OK &&
           tas_resume_make(c, &one, &source, &kit.id[KIT_VIEWER], &kit.pair, &kit.gen, NULL) == TAS_OK &&
           tas_resume_check(c, tas_bytes_of(one.bytes, TAS_SIZE_RS), TAS_ROLE_HOST, kit.id[KIT_VIEWER].pop_pk,
                            &kit.pair, &kit.gen, NULL) == TAS_OK &&
           tas_resume_make(c, &two, &source, &kit.id[KIT_HOST], &kit.pair, &kit.gen, one.bytes) == TAS_OK &&
           tas_resume_derive(c, &next, &kit.gen, &one, TAS_ROLE_VIEWER, two.bytes) == TAS_OK;
}

static void a_handshake_without_memory_fails_cleanly(void **state) {
    (void)state;
    each_allocation_fails(handshake, &tas_crypto_openssl);
    each_allocation_fails(handshake, &tas_crypto_sodium);
}

static void sealing_without_memory_fails_cleanly(void **state) {
    (void)state;
    each_allocation_fails(sealing, &tas_crypto_openssl);
    each_allocation_fails(sealing, &tas_crypto_sodium);
}

static void auth_and_resume_without_memory_fail_cleanly(void **state) {
    (void)state;
    each_allocation_fails(auth_and_resume, &tas_crypto_openssl);
    each_allocation_fails(auth_and_resume, &tas_crypto_sodium);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handshake_without_memory_fails_cleanly),
        cmocka_unit_test(sealing_without_memory_fails_cleanly),
        cmocka_unit_test(auth_and_resume_without_memory_fail_cleanly),
    };
    return cmocka_run_group_tests(tests, make_kit, NULL);
}
