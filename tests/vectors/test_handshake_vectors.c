/* handshake.txt (made by the second implementation, tasuki_ref.py) against src/e2e. */
#include "e2e/resume.h"
#include "inside_seal.h"
#include "kit.h"
#include "vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct vec_file file;

static int open_file(void **state) {
    (void)state;
    vec_open(&file, "handshake.txt");
    return 0;
}

static int close_file(void **state) {
    (void)state;
    vec_close(&file);
    return 0;
}

static unsigned each(const char *kind, void (*check)(const struct tas_crypto *c, const struct vec_block *b)) {
    const struct tas_crypto *const tables[] = {&tas_crypto_openssl, &tas_crypto_sodium};
    unsigned n = 0;
    for (size_t t = 0; t < 2; t++)
        for (size_t i = 0; i < file.n; i++) {
            const struct vec_block *b = &file.blocks[i];
            if (!vec_is(b, "kind_text", kind) || !(tables[t]->suites & vec_int(b, "suite_int")))
                continue;
            check(tables[t], b);
            n++;
        }
    return n;
}

static void same(const struct vec_block *b, const char *key, const void *got, size_t len) {
    if (!tas_bytes_equal(tas_bytes_of(got, len), vec_bytes(b, key)))
        fail_msg("%s: %s differs", vec_name(b), key);
}

/* ---- keys ---- */

static void same_generation(const struct tas_crypto *c, const struct vec_block *b,
                            const struct tas_generation *gen) {
    same(b, "th", gen->th, 32);
    same(b, "finished_host", gen->finished[TAS_HOST_TO_OP], 32);
    same(b, "finished_op", gen->finished[TAS_OP_TO_HOST], 32);
    same(b, "resume", gen->resume, 32);
    same(b, "tiles", gen->tiles, 16);
    assert_int_equal(gen->suite, vec_int(b, "suite_int"));
    static const char *const names[] = {"h2o", "o2h"};
    for (int dir = 0; dir < 2; dir++) {
        uint8_t secret[32];
        memcpy(secret, gen->traffic[dir], 32);
        for (int phase = 0; phase < 4; phase++) {
            struct tas_phase_keys keys;
            char key[32];
            snprintf(key, sizeof(key), "secret_%s_%d", names[dir], phase);
            same(b, key, secret, 32);
            assert_int_equal(tas_phase_derive(c, &keys, gen->suite, secret), TAS_OK);
            memcpy(secret, keys.next, 32);
            if (phase > 1)
                continue;
            snprintf(key, sizeof(key), "aead_%s_%d", names[dir], phase);
            same(b, key, keys.aead, 32);
            snprintf(key, sizeof(key), "iv_%s_%d", names[dir], phase);
            same(b, key, keys.iv, 12);
        }
    }
}

/* ---- handshake ---- */

static void same_code(const struct vec_block *b, const struct tas_generation *gen) {
    char code[TAS_CHECK_CODE_TEXT], want[TAS_CHECK_CODE_TEXT];
    const char *six = vec_text(b, "sas6_text");
    tas_check_code_text(code, gen->sas6, 7);
    snprintf(want, sizeof(want), "%.3s-%.3s-007", six, six + 3);
    assert_string_equal(code, want);
}

struct drawn {
    uint8_t bytes[32 + 16 + 3]; /* e_sk, r, then what the viewer draws for the unknown bits of H1 */
    struct kit_random random;
};

static struct tas_handshake *machine(const struct tas_crypto *c, const struct vec_block *b, bool is_host,
                                     struct drawn *drawn) {
    uint16_t offer = (uint16_t)vec_number(b, "viewer_offer");
    uint32_t caps = (uint32_t)vec_number(b, "viewer_caps");
    memcpy(drawn->bytes, vec_fixed(b, is_host ? "host_e_sk" : "viewer_e_sk", 32), 32);
    memcpy(drawn->bytes + 32, vec_fixed(b, is_host ? "host_r" : "viewer_r", 16), 16);
    drawn->bytes[48] = (uint8_t)(offer >> 8);
    drawn->bytes[49] = (uint8_t)(caps >> 24);
    drawn->bytes[50] = (uint8_t)(caps >> 16);
    drawn->random = (struct kit_random){.seed = 1, .script = {drawn->bytes, sizeof(drawn->bytes)}};
    const struct tas_handshake_config cfg = {
        .crypto = c,
        .mem = &tas_secret_heap,
        .random = kit_random_source(&drawn->random),
        .role = is_host ? TAS_ROLE_HOST : TAS_ROLE_VIEWER,
        .viewer_slot = (uint8_t)vec_int(b, "slot_int"),
        .session_id = vec_number(b, "session_id"),
        .suites = is_host ? (uint16_t)vec_number(b, "host_suites") : offer & 0xff,
        .caps = is_host ? (uint32_t)vec_number(b, "host_caps") : caps & 0xffff,
    };
    struct tas_handshake *hs = tas_handshake_new(&cfg);
    assert_non_null(hs);
    return hs;
}

static void check_host(const struct tas_crypto *c, const struct vec_block *b) {
    struct drawn drawn;
    struct tas_handshake *host = machine(c, b, true, &drawn);
    struct tas_generation gen;
    uint8_t out[TAS_HS_MAX];
    assert_int_equal(tas_handshake_input(host, vec_bytes(b, "h1"), out), TAS_SIZE_H2);
    same(b, "h2", out, TAS_SIZE_H2);
    assert_int_equal(tas_handshake_input(host, vec_bytes(b, "h3"), out), 0);
    assert_true(tas_handshake_is_done(host));
    tas_handshake_take(host, &gen);
    same_generation(c, b, &gen);
    same_code(b, &gen);
    assert_int_equal(gen.gen, 0);
    tas_handshake_free(host);
}

static void check_viewer(const struct tas_crypto *c, const struct vec_block *b) {
    struct drawn drawn;
    struct tas_handshake *viewer = machine(c, b, false, &drawn);
    struct tas_generation gen;
    uint8_t out[TAS_HS_MAX];
    if (vec_int(b, "viewer_ver_int") !=
        TAS_VERSION) { /* a viewer of the future: only the host's part is ours */
        tas_handshake_free(viewer);
        return;
    }
    assert_int_equal(tas_handshake_start(viewer, out), TAS_SIZE_H1);
    same(b, "h1", out, TAS_SIZE_H1);
    assert_int_equal(tas_handshake_input(viewer, vec_bytes(b, "h2"), out), TAS_SIZE_H3);
    same(b, "h3", out, TAS_SIZE_H3);
    assert_true(tas_handshake_is_done(viewer));
    tas_handshake_take(viewer, &gen);
    same_generation(c, b, &gen);
    same_code(b, &gen);
    tas_handshake_free(viewer);
}

static void the_host_writes_h2_and_derives_the_keys_of_the_second_implementation(void **state) {
    (void)state;
    assert_true(each("handshake", check_host) > 0);
}

static void the_viewer_writes_h1_and_h3_and_derives_the_same_keys(void **state) {
    (void)state;
    assert_true(each("handshake", check_viewer) > 0);
}

/* ---- AUTH ---- */

static void generation_of(const struct vec_block *b, struct tas_generation *gen) {
    *gen = (struct tas_generation){.suite = (enum tas_suite)vec_int(b, "suite_int")};
    memcpy(gen->th, vec_fixed(b, "th", 32), 32);
    memcpy(gen->resume, vec_fixed(b, "resume", 32), 32);
    memcpy(gen->finished[TAS_HOST_TO_OP], vec_fixed(b, "finished_host", 32), 32);
    memcpy(gen->finished[TAS_OP_TO_HOST], vec_fixed(b, "finished_op", 32), 32);
    memcpy(gen->traffic[TAS_HOST_TO_OP], vec_fixed(b, "secret_h2o_0", 32), 32);
    memcpy(gen->traffic[TAS_OP_TO_HOST], vec_fixed(b, "secret_o2h_0", 32), 32);
}

static struct tas_identity identity_of(const struct vec_block *b, bool is_host) {
    struct tas_identity id = {.role = is_host ? TAS_ROLE_HOST : TAS_ROLE_VIEWER,
                              .slot = is_host ? 0 : (uint8_t)vec_int(b, "slot_int")};
    memcpy(id.pop_seed, vec_fixed(b, is_host ? "host_pop_seed" : "viewer_pop_seed", 32), 32);
    memcpy(id.pop_pk, vec_fixed(b, is_host ? "host_pop_pk" : "viewer_pop_pk", 32), 32);
    if (vec_has(b, "host_statement"))
        memcpy(id.statement, vec_fixed(b, is_host ? "host_statement" : "viewer_statement", 320), 320);
    return id;
}

static void check_auth(const struct tas_crypto *c, const struct vec_block *b) {
    struct tas_generation gen;
    generation_of(b, &gen);
    struct tas_keyset keyset = {.count = 1};
    keyset.keys[0] = (struct tas_msg_keyset_key){
        .kid = (uint8_t)vec_int(b, "kid_int"), .use = TAS_USE_STATEMENT, .to_ms = UINT64_MAX};
    memcpy(keyset.keys[0].pk, vec_fixed(b, "signer_pk", 32), 32);
    for (int is_host = 0; is_host < 2; is_host++) {
        const char *key = is_host ? "host_auth" : "viewer_auth";
        struct tas_identity own = identity_of(b, is_host);
        struct tas_identity other = identity_of(b, !is_host);
        struct tas_msg_auth auth;
        uint8_t bytes[416];
        assert_int_equal(tas_auth_make(c, &auth, &own, &gen), TAS_OK);
        assert_int_equal(tas_msg_auth_encode(&auth, bytes, sizeof(bytes)), sizeof(bytes));
        same(b, key, bytes, sizeof(bytes));

        assert_int_equal(tas_msg_auth_decode(&auth, vec_bytes(b, key)), TAS_OK);
        struct tas_peer peer;
        const struct tas_auth_expected expected = {.keyset = &keyset,
                                                   .session_id = vec_number(b, "session_id"),
                                                   .peer_slot = own.slot,
                                                   .now_ms = vec_int(b, "now_ms_int")};
        bool is_nameless = own.statement[160] == 0; /* the page allows it, we do not (wire/signed.h) */
        int err = tas_auth_check(c, &peer, &auth, &other, &gen, &expected);
        assert_int_equal(err, is_nameless ? TAS_E_PROTO : TAS_OK);
        if (is_nameless)
            continue;
        assert_memory_equal(peer.pop_pk, own.pop_pk, 32);
        assert_true(peer.name[0] && peer.company[0]);
    }
}

static void both_ends_write_the_auth_of_the_second_implementation_and_take_it(void **state) {
    (void)state;
    assert_true(each("handshake", check_auth) > 0);
}

/* ---- sealed records ---- */

static struct tas_sealer *sealer_of(const struct tas_crypto *c, const struct vec_block *b, bool is_sender) {
    const struct vec_block *keys = vec_find(&file, vec_text(b, "of_text"));
    bool src_is_host = vec_int(b, "src_int") == 0;
    struct tas_generation gen;
    generation_of(keys, &gen);
    gen.gen = vec_has(b, "gen_int") ? (uint32_t)vec_int(b, "gen_int") : 0;
    const struct tas_sealer_config cfg = {
        .crypto = c,
        .mem = &tas_secret_heap,
        .role = src_is_host == is_sender ? TAS_ROLE_HOST : TAS_ROLE_VIEWER,
        .viewer_slot = (uint8_t)vec_int(b, src_is_host ? "dst_int" : "src_int"),
        .session_id = vec_number(b, "session_id"),
    };
    struct tas_sealer *sealer = tas_sealer_new(&cfg, &gen, 0);
    assert_non_null(sealer);
    return sealer;
}

static void check_padding(const struct vec_block *b, uint8_t pf) {
    struct tas_bytes want = vec_bytes(b, "fragment");
    struct tas_bytes plain = vec_bytes(b, "plaintext");
    struct tas_fragment frag;
    uint8_t out[TAS_PLAIN_MAX];
    assert_int_equal(tas_fragment_decode(&frag, want), TAS_OK);
    assert_int_equal(tas_fragment_encode(&frag, 1, out, sizeof(out)), want.len);
    same(b, "fragment", out, want.len);
    int len = tas_fragment_encode(&frag, (pf & TAS_PF_CLASS) <= TAS_CLASS_SMALL ? 64 : 1, out, sizeof(out));
    assert_int_equal(len, plain.len);
    same(b, "plaintext", out, plain.len);
    assert_int_equal(tas_fragment_decode(&frag, plain), TAS_OK);
}

static const uint64_t ctr_max = (UINT64_C(1) << 48) - 1;

static void check_record(const struct tas_crypto *c, const struct vec_block *b) {
    uint8_t pf = (uint8_t)vec_number(b, "pf");
    enum tas_class cls = (enum tas_class)vec_int(b, "cls_int");
    uint32_t phase = (uint32_t)vec_int(b, "phase_int");
    uint64_t ctr = vec_int(b, "ctr_int");
    struct tas_bytes sealed = vec_bytes(b, "sealed");
    struct tas_bytes plain = vec_bytes(b, "plaintext");
    static uint8_t out[TAS_RECORD_MAX];
    check_padding(b, pf);

    struct tas_sealer *from = sealer_of(c, b, true);
    inside_seal_set_tx(from, phase, cls, ctr, 0);
    int len = tas_sealer_seal(from, pf, plain, out, sizeof(out), 0);
    if (ctr < ctr_max) {
        assert_int_equal(len, sealed.len);
        same(b, "sealed", out, sealed.len);
    } else {
        assert_int_equal(len, TAS_E_LIMIT); /* we stop one before the largest, so that it never wraps */
    }
    tas_sealer_free(from);

    struct tas_sealer *to = sealer_of(c, b, false);
    inside_seal_set_rx(to, phase, cls, ctr);
    assert_int_equal(tas_sealer_open(to, pf, sealed, out, 0), plain.len);
    same(b, "plaintext", out, plain.len);
    assert_int_equal(tas_sealer_open(to, pf, sealed, out, 0), TAS_E_PROTO);
    tas_sealer_free(to);
}

static void sealed_records_are_the_same_byte_for_byte_and_open_once(void **state) {
    (void)state;
    assert_true(each("record", check_record) > 0);
}

static void check_forged(const struct tas_crypto *c, const struct vec_block *b) {
    /* The good record is the one whose name this one's begins with. */
    char name[128];
    snprintf(name, sizeof(name), "%s", vec_name(b));
    char *mark = strstr(name, "_forged_");
    assert_non_null(mark);
    *mark = '\0';
    const struct vec_block *good = vec_find(&file, name);
    bool src_is_host = vec_int(b, "src_int") == 0;
    bool is_group = vec_int(b, "dst_int") == 0xff;
    struct tas_generation gen;
    generation_of(vec_find(&file, vec_text(b, "of_text")), &gen);
    const struct tas_sealer_config cfg = {
        .crypto = c,
        .mem = &tas_secret_heap,
        .role = src_is_host ? TAS_ROLE_VIEWER : TAS_ROLE_HOST,
        .viewer_slot = is_group ? 0xff : (uint8_t)vec_int(b, src_is_host ? "dst_int" : "src_int"),
        .session_id = vec_number(b, "session_id"),
    };
    struct tas_sealer *to = tas_sealer_new(&cfg, &gen, 0);
    assert_non_null(to);
    uint8_t pf = (uint8_t)vec_number(b, "pf");
    static uint8_t out[TAS_RECORD_MAX];
    inside_seal_set_rx(to, (uint32_t)vec_int(good, "phase_int"), (enum tas_class)vec_int(good, "cls_int"),
                       vec_int(good, "ctr_int"));
    int got = tas_sealer_open(to, pf, vec_bytes(b, "sealed"), out, 0);
    if (got >= 0)
        fail_msg("%s: opened", vec_name(b));
    tas_sealer_free(to);
}

static void no_forged_record_opens(void **state) {
    (void)state;
    assert_true(each("forged", check_forged) > 0);
}

/* ---- resume ---- */

static void check_resume(const struct tas_crypto *c, const struct vec_block *b) {
    struct tas_generation old = {.gen = (uint32_t)vec_int(b, "gen_int"),
                                 .suite = (enum tas_suite)vec_int(b, "suite_int"),
                                 .sas6 = 123456};
    memcpy(old.th, vec_fixed(b, "old_th", 32), 32);
    memcpy(old.resume, vec_fixed(b, "old_resume", 32), 32);
    const struct tas_resume_pair pair = {.viewer_slot = (uint8_t)vec_int(b, "slot_int"),
                                         .session_id = vec_number(b, "session_id")};
    struct tas_identity host = identity_of(b, true), viewer = identity_of(b, false);
    struct tas_bytes rs1 = vec_bytes(b, "rs_one"), rs2 = vec_bytes(b, "rs_two");
    struct tas_resume_half half[2];
    for (int is_host = 0; is_host < 2; is_host++) {
        uint8_t drawn[48];
        memcpy(drawn, vec_fixed(b, is_host ? "host_e_sk" : "viewer_e_sk", 32), 32);
        memcpy(drawn + 32, vec_fixed(b, is_host ? "host_n" : "viewer_n", 16), 16);
        struct kit_random random = {.seed = 1, .script = {drawn, sizeof(drawn)}};
        struct tas_random_source source = kit_random_source(&random);
        assert_int_equal(tas_resume_make(c, &half[is_host], &source, is_host ? &host : &viewer, &pair, &old,
                                         is_host ? rs1.ptr : NULL),
                         TAS_OK);
        same(b, is_host ? "rs_two" : "rs_one", half[is_host].bytes, TAS_SIZE_RS);
    }
    assert_int_equal(tas_resume_check(c, rs1, TAS_ROLE_HOST, viewer.pop_pk, &pair, &old, NULL), TAS_OK);
    assert_int_equal(tas_resume_check(c, rs2, TAS_ROLE_VIEWER, host.pop_pk, &pair, &old, rs1.ptr), TAS_OK);
    for (int is_host = 0; is_host < 2; is_host++) {
        struct tas_generation next;
        assert_int_equal(tas_resume_derive(c, &next, &old, &half[is_host],
                                           is_host ? TAS_ROLE_HOST : TAS_ROLE_VIEWER,
                                           is_host ? rs1.ptr : rs2.ptr),
                         TAS_OK);
        same_generation(c, b, &next);
        assert_int_equal(next.gen, old.gen + 1);
        assert_int_equal(next.sas6, old.sas6);
    }
}

static void resumes_of_every_generation_give_the_same_messages_and_keys(void **state) {
    (void)state;
    assert_true(each("resume", check_resume) > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_host_writes_h2_and_derives_the_keys_of_the_second_implementation),
        cmocka_unit_test(the_viewer_writes_h1_and_h3_and_derives_the_same_keys),
        cmocka_unit_test(both_ends_write_the_auth_of_the_second_implementation_and_take_it),
        cmocka_unit_test(sealed_records_are_the_same_byte_for_byte_and_open_once),
        cmocka_unit_test(no_forged_record_opens),
        cmocka_unit_test(resumes_of_every_generation_give_the_same_messages_and_keys),
    };
    return cmocka_run_group_tests(tests, open_file, close_file);
}
