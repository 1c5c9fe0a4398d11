/* The second reading of the audit chain's bytes: against numbers from a third (python's hashlib), and
 * signatures by keys that come, go and are cut short. */
#include "admin/audit_hash.h"
#include "admin/audit_keys.h"
#include "base/hex.h"
#include "crypto/crypto.h"
#include "wire/signed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define DAY INT64_C(86400000)
#define T0  INT64_C(1795000000123)

static void assert_hex(const uint8_t hash[32], const char *hex) {
    char text[65];
    tas_hex_encode(text, tas_bytes_of(hash, 32));
    assert_string_equal(text, hex);
}

static struct tas_bytes text(const char *s) {
    return tas_bytes_of(s, strlen(s));
}

/* ---- hashes ---- */

static void hashes_are_those_of_the_document(void **state) {
    (void)state;
    uint8_t genesis[32];
    uint8_t hash[32];
    assert_int_equal(audit_hash_genesis(genesis, 7), TAS_OK);
    assert_hex(genesis, "c8549c09a73f7ff7c2eb87c60fa4c5328420e2081c5434985d608db6fac91c56");
    const struct audit_hashed e = {.before = genesis,
                                   .company_id = 7,
                                   .seq = 1,
                                   .at = T0,
                                   .id = UINT64_C(0x0123456789abcdef),
                                   .session_id = 42,
                                   .actor = text("operator:田中"),
                                   .kind = text("issued"),
                                   .detail = text("{\"customer\":\"山田\"}")};
    assert_int_equal(audit_hash_event(hash, &e), TAS_OK);
    assert_hex(hash, "d5f764a10114184b7173daa2ba9d3a16e1d19019975e242d52b26efcb3cd3b94");
}

static void every_byte_of_a_row_counts(void **state) {
    (void)state;
    uint8_t before[32] = {1};
    uint8_t other[32] = {2};
    uint8_t first[32];
    uint8_t hash[32];
    const struct audit_hashed e = {before, 1, 2, 3, 4, 5, text("ab"), text("cd"), text("ef")};
    struct audit_hashed changed[] = {e, e, e, e, e, e, e, e, e, e};
    changed[0].before = other;
    changed[1].company_id = 9;
    changed[2].seq = 9;
    changed[3].at = 9;
    changed[4].id = 9;
    changed[5].session_id = 9;
    changed[6].actor = text("abc"); /* what moves from one text to the next counts too */
    changed[6].kind = text("d");
    changed[7].kind = text("cde");
    changed[7].detail = text("f");
    changed[8].detail = text("ef ");
    changed[9].detail = tas_bytes_of("ef\0x", 4);
    assert_int_equal(audit_hash_event(first, &e), TAS_OK);
    for (size_t i = 0; i < sizeof(changed) / sizeof(changed[0]); i++) {
        assert_int_equal(audit_hash_event(hash, &changed[i]), TAS_OK);
        assert_memory_not_equal(first, hash, 32);
    }
}

static void rows_that_cannot_have_been_written_are_refused(void **state) {
    (void)state;
    static char long_text[UINT16_MAX + 1];
    uint8_t before[32] = {1};
    uint8_t hash[32];
    struct audit_hashed e = {before, -1, 2, 3, 4, 5, text("ab"), text("cd"), text("ef")};
    assert_int_equal(audit_hash_event(hash, &e), TAS_E_LIMIT);
    e.company_id = INT64_C(1) << 32;
    assert_int_equal(audit_hash_event(hash, &e), TAS_E_LIMIT);
    e.company_id = 1;
    e.actor = tas_bytes_of(long_text, sizeof(long_text));
    assert_int_equal(audit_hash_event(hash, &e), TAS_E_LIMIT);
    assert_int_equal(audit_hash_genesis(hash, -1), TAS_E_LIMIT);
    assert_int_equal(audit_hash_genesis(hash, INT64_C(1) << 32), TAS_E_LIMIT);
}

/* ---- keys ---- */

static const uint8_t root_seed[32] = {1};
static const uint8_t seeds[2][32] = {{2}, {3}};

struct fixture {
    struct audit_keys *keys;
    char path[64];
};

static void write_file(const char *path, const char *words) {
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    assert_true(fputs(words, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static int set_up(void **state) {
    static struct fixture f;
    uint8_t root[32];
    char hex[65];
    char why[AUDIT_KEYS_WHY];
    snprintf(f.path, sizeof(f.path), "/tmp/tasuki-audit-XXXXXX");
    int fd = mkstemp(f.path);
    f.keys = audit_keys_new();
    if (fd < 0 || !f.keys || tas_crypto_native()->ed25519_public(root, root_seed) != TAS_OK)
        return -1;
    close(fd);
    tas_hex_encode(hex, tas_bytes_of(root, sizeof(root)));
    write_file(f.path, hex);
    *state = &f;
    return audit_keys_load_root(f.keys, f.path, why);
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    audit_keys_free(f->keys);
    return unlink(f->path);
}

/* A KEYSET that names key `which` under `kid`, for `use`, from `from` to `to`, signed by root. */
static size_t keyset(uint8_t out[TAS_KEYSET_MAX_LEN], uint32_t sequence, size_t which, uint8_t kid,
                     uint8_t use, int64_t from, int64_t to, const uint8_t by[32]) {
    struct tas_keyset set = {.sequence = sequence, .issued_ms = 1, .count = 1};
    set.keys[0] =
        (struct tas_msg_keyset_key){.kid = kid, .use = use, .from_ms = (uint64_t)from, .to_ms = (uint64_t)to};
    assert_int_equal(tas_crypto_native()->ed25519_public(set.keys[0].pk, seeds[which]), TAS_OK);
    int len = tas_keyset_encode(&set, out, TAS_KEYSET_MAX_LEN);
    assert_true(len > 0);
    const struct tas_bytes part = tas_bytes_of(out, (size_t)len);
    assert_int_equal(tas_sign(tas_crypto_native(), out + len, by, "TSK1 keyset", &part, 1), TAS_OK);
    return (size_t)len + 64;
}

static int add(struct fixture *f, uint32_t sequence, size_t which, uint8_t kid, uint8_t use, int64_t from,
               int64_t to) {
    uint8_t bytes[TAS_KEYSET_MAX_LEN];
    size_t len = keyset(bytes, sequence, which, kid, use, from, to, root_seed);
    return audit_keys_add(f->keys, tas_bytes_of(bytes, len));
}

/* As the signer does it: by the other library, and by other code. */
static int check(struct fixture *f, size_t which, int64_t kid, int64_t at) {
    uint8_t hash[32] = {9};
    uint8_t bytes[52];
    uint8_t sig[64];
    struct tas_writer w = tas_writer_of(bytes, sizeof(bytes));
    tas_write_u32(&w, 7);
    tas_write_u64(&w, 11);
    tas_write_bytes(&w, hash, 32);
    tas_write_u64(&w, (uint64_t)at);
    const struct tas_bytes part = tas_bytes_of(bytes, w.len);
    assert_int_equal(tas_sign(tas_crypto_native(), sig, seeds[which], "TSK1 checkpoint", &part, 1), TAS_OK);
    assert_int_not_equal(audit_keys_check(f->keys, 7, 12, hash, at, kid, sig), TAS_OK);
    assert_int_not_equal(audit_keys_check(f->keys, 8, 11, hash, at, kid, sig), TAS_OK);
    assert_int_not_equal(audit_keys_check(f->keys, 7, 11, hash, at + 1, kid, sig), TAS_OK);
    return audit_keys_check(f->keys, 7, 11, hash, at, kid, sig);
}

static void a_checkpoint_needs_a_key_of_its_time(void **state) {
    struct fixture *f = *state;
    assert_int_equal(check(f, 0, 1, T0), TAS_E_ABSENT);
    assert_int_equal(add(f, 1, 0, 1, TAS_USE_AUDIT, T0, T0 + DAY), TAS_OK);
    assert_int_equal(check(f, 0, 1, T0), TAS_OK);
    assert_int_equal(check(f, 0, 1, T0 + DAY), TAS_OK); /* a minute of slack */
    assert_int_equal(check(f, 0, 1, T0 + DAY + 61000), TAS_E_ABSENT);
    assert_int_equal(check(f, 0, 1, T0 - 61000), TAS_E_ABSENT);
    assert_int_equal(check(f, 0, 2, T0), TAS_E_ABSENT);
    assert_int_equal(check(f, 1, 1, T0), TAS_E_AUTH);
    assert_int_equal(check(f, 0, 1, -1), TAS_E_ABSENT);
}

static void keys_of_another_use_sign_no_checkpoint(void **state) {
    struct fixture *f = *state;
    assert_int_equal(add(f, 1, 0, 1, TAS_USE_TICKET, T0, T0 + DAY), TAS_OK);
    assert_int_equal(check(f, 0, 1, T0), TAS_E_ABSENT);
}

static void the_newest_keyset_that_names_a_key_says_how_long_it_was_good(void **state) {
    struct fixture *f = *state;
    assert_int_equal(add(f, 2, 0, 1, TAS_USE_AUDIT, T0, T0 + 2 * DAY), TAS_OK);
    assert_int_equal(add(f, 1, 0, 1, TAS_USE_AUDIT, T0, T0 + 9 * DAY), TAS_OK); /* older, come later */
    assert_int_equal(check(f, 0, 1, T0 + DAY), TAS_OK);
    assert_int_equal(check(f, 0, 1, T0 + 3 * DAY), TAS_E_ABSENT);
    /* a KEYSET that no longer names it takes nothing back; its kid may be given to another key in time */
    assert_int_equal(add(f, 3, 1, 1, TAS_USE_AUDIT, T0 + 2 * DAY, T0 + 4 * DAY), TAS_OK);
    assert_int_equal(check(f, 0, 1, T0 + DAY), TAS_OK);
    assert_int_equal(check(f, 1, 1, T0 + 3 * DAY), TAS_OK);
    assert_int_equal(check(f, 1, 1, T0 + DAY), TAS_E_AUTH);
    assert_int_equal(check(f, 1, 1, T0 + 2 * DAY), TAS_OK); /* both are good for a moment */
    assert_int_equal(check(f, 0, 1, T0 + 2 * DAY), TAS_OK);
}

static void what_the_root_has_not_signed_is_no_keyset(void **state) {
    struct fixture *f = *state;
    uint8_t bytes[TAS_KEYSET_MAX_LEN];
    size_t len = keyset(bytes, 1, 0, 1, TAS_USE_AUDIT, T0, T0 + DAY, seeds[0]);
    assert_int_equal(audit_keys_add(f->keys, tas_bytes_of(bytes, len)), TAS_E_AUTH);
    assert_int_equal(audit_keys_add(f->keys, tas_bytes_of(bytes, len - 1)), TAS_E_PROTO);
    assert_int_equal(audit_keys_add(f->keys, tas_bytes_of(NULL, 0)), TAS_E_PROTO);
    assert_int_equal(check(f, 0, 1, T0), TAS_E_ABSENT);
}

static void a_file_holds_root_and_keysets_in_any_order(void **state) {
    struct fixture *f = *state;
    uint8_t bytes[TAS_KEYSET_MAX_LEN];
    uint8_t root[32];
    char root_hex[65];
    char hex[2 * TAS_KEYSET_MAX_LEN + 1];
    char words[4 * TAS_KEYSET_MAX_LEN];
    char why[AUDIT_KEYS_WHY];
    size_t len = keyset(bytes, 1, 1, 5, TAS_USE_AUDIT, T0, T0 + DAY, seeds[0]);
    assert_int_equal(tas_crypto_native()->ed25519_public(root, seeds[0]), TAS_OK);
    tas_hex_encode(root_hex, tas_bytes_of(root, 32));
    tas_hex_encode(hex, tas_bytes_of(bytes, len));
    snprintf(words, sizeof(words), "\n%s\r\n\t %s  ", hex, root_hex);
    write_file(f->path, words);
    assert_int_equal(audit_keys_load(f->keys, f->path, why), TAS_OK);
    assert_int_equal(audit_keys_settle(f->keys, why), TAS_OK);
    assert_int_equal(check(f, 1, 5, T0), TAS_OK);
}

static void files_that_are_none_are_told(void **state) {
    struct fixture *f = *state;
    static const char *const bad[] = {"zz", "00", "hello world",
                                      "zz00000000000000000000000000000000000000000000000000000000000000"};
    char why[AUDIT_KEYS_WHY];
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct audit_keys *keys = audit_keys_new();
        assert_non_null(keys);
        write_file(f->path, bad[i]);
        why[0] = '\0';
        int err = audit_keys_load(keys, f->path, why);
        assert_int_equal(err == TAS_OK ? audit_keys_settle(keys, why) : err, TAS_E_CONFIG);
        assert_non_null(strstr(why, f->path));
        assert_int_equal(audit_keys_load_root(keys, f->path, why), TAS_E_CONFIG);
        assert_false(audit_keys_has_root(keys));
        audit_keys_free(keys);
    }
    assert_int_equal(audit_keys_load_root(f->keys, "/none", why), TAS_E_CONFIG);
}

#define WITH_KEYS(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_are_those_of_the_document),
        cmocka_unit_test(every_byte_of_a_row_counts),
        cmocka_unit_test(rows_that_cannot_have_been_written_are_refused),
        WITH_KEYS(a_checkpoint_needs_a_key_of_its_time),
        WITH_KEYS(keys_of_another_use_sign_no_checkpoint),
        WITH_KEYS(the_newest_keyset_that_names_a_key_says_how_long_it_was_good),
        WITH_KEYS(what_the_root_has_not_signed_is_no_keyset),
        WITH_KEYS(a_file_holds_root_and_keysets_in_any_order),
        WITH_KEYS(files_that_are_none_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
