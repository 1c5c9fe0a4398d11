/* Hashes of passwords, and which may be one. */
#include "base/time.h"
#include "crypto/password.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void only_the_right_password_fits_a_hash(void **state) {
    (void)state;
    char hash[TAS_PASSWORD_HASH_CAP];
    assert_int_equal(tas_password_hash(hash, "kuro-Neko42"), TAS_OK);
    assert_int_equal(strncmp(hash, "$argon2id$v=19$m=19456,t=2,p=1$", 31), 0);
    assert_int_equal(tas_password_check(hash, "kuro-Neko42"), TAS_OK);
    assert_int_equal(tas_password_check(hash, "kuro-Neko43"), TAS_E_AUTH);
    assert_int_equal(tas_password_check(hash, "kuro-Neko4"), TAS_E_AUTH);
    assert_int_equal(tas_password_check(hash, ""), TAS_E_AUTH);
}

static void the_same_password_twice_gives_two_hashes(void **state) {
    (void)state;
    char one[TAS_PASSWORD_HASH_CAP];
    char two[TAS_PASSWORD_HASH_CAP];
    assert_int_equal(tas_password_hash(one, "kuro-Neko42"), TAS_OK);
    assert_int_equal(tas_password_hash(two, "kuro-Neko42"), TAS_OK);
    assert_string_not_equal(one, two);
}

static void without_a_hash_everything_is_wrong_and_takes_as_long(void **state) {
    (void)state;
    char hash[TAS_PASSWORD_HASH_CAP];
    assert_int_equal(tas_password_hash(hash, "kuro-Neko42"), TAS_OK);
    uint64_t real_us = UINT64_MAX;
    uint64_t dummy_us = UINT64_MAX;
    for (int i = 0; i < 8; i++) { /* the quickest of some: what else runs on the machine only adds */
        uint64_t start = tas_mono_us();
        assert_int_equal(tas_password_check(hash, "something else 1"), TAS_E_AUTH);
        uint64_t middle = tas_mono_us();
        assert_int_equal(tas_password_check(NULL, "something else 1"), TAS_E_AUTH);
        uint64_t end = tas_mono_us();
        real_us = middle - start < real_us ? middle - start : real_us;
        dummy_us = end - middle < dummy_us ? end - middle : dummy_us;
    }
    print_message("one check: %.1f ms, without a hash: %.1f ms\n", (double)real_us / 1000,
                  (double)dummy_us / 1000);
    assert_true(dummy_us * 3 > real_us && real_us * 3 > dummy_us);
}

static const char *const not_hashes[] = {
    "",
    "kuro-Neko42",
    "$argon2id$",
    "$argon2i$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "$argon2id$v=19$m=19456,t=2,p=2$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA",
    "$argon2id$v=19$m=19456,t=2,p=1$$",
    "$argon2id$v=19$m=19456,t=2,p=1$!!!!$????",
    "$argon2id$v=19$m=-1,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "$argon2id$v=19$m=4294967295,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "$argon2id$v=19$m=9999999,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "$argon2id$v=19$m=19456,t=99999,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "$2b$12$abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqr",
};

static void what_is_no_hash_or_costs_too_much_is_wrong_for_everything(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(not_hashes) / sizeof(not_hashes[0]); i++)
        assert_int_equal(tas_password_check(not_hashes[i], "kuro-Neko42"), TAS_E_AUTH);
    char endless[1000];
    memset(endless, 'A', sizeof(endless));
    endless[sizeof(endless) - 1] = '\0';
    memcpy(endless, "$argon2id$v=19$m=19456,t=2,p=1$", 31);
    assert_int_equal(tas_password_check(endless, "kuro-Neko42"), TAS_E_AUTH);
}

static void a_hash_damaged_anywhere_fits_no_longer(void **state) {
    (void)state;
    char hash[TAS_PASSWORD_HASH_CAP];
    assert_int_equal(tas_password_hash(hash, "kuro-Neko42"), TAS_OK);
    size_t len = strlen(hash);
    for (size_t i = 31; i < len; i += 5) {
        char damaged[TAS_PASSWORD_HASH_CAP];
        memcpy(damaged, hash, sizeof(damaged));
        damaged[i] = damaged[i] == 'A' ? 'B' : 'A';
        assert_int_equal(tas_password_check(damaged, "kuro-Neko42"), TAS_E_AUTH);
    }
}

static void weaker_parameters_are_old_and_stronger_ones_are_not(void **state) {
    (void)state;
#define REST ",p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    assert_false(tas_password_is_old("$argon2id$v=19$m=19456,t=2" REST));
    assert_false(tas_password_is_old("$argon2id$v=19$m=65536,t=3" REST));
    assert_true(tas_password_is_old("$argon2id$v=19$m=19455,t=2" REST));
    assert_true(tas_password_is_old("$argon2id$v=19$m=19456,t=1" REST));
    assert_true(tas_password_is_old("$argon2id$v=16$m=19456,t=2" REST));
    assert_true(tas_password_is_old("$argon2i$v=19$m=19456,t=2" REST));
    assert_true(tas_password_is_old(""));
#undef REST
    char hash[TAS_PASSWORD_HASH_CAP];
    assert_int_equal(tas_password_hash(hash, "kuro-Neko42"), TAS_OK);
    assert_false(tas_password_is_old(hash));
}

static void an_older_hash_still_fits_its_password(void **state) {
    (void)state;
    /* made by libsodium with t=1, m=8192 KiB of "kuro-Neko42" */
    static const char old[] =
        "$argon2id$v=19$m=8192,t=1,p=1$3q+6ZF/8Toa+c3VtX7MBKg$vDVYnJnH+maqE9WgSuj6ATmVwpZDdXNILfZ7wk/Q/Uw";
    assert_true(tas_password_is_old(old));
    assert_int_equal(tas_password_check(old, "kuro-Neko42"), TAS_OK);
    assert_int_equal(tas_password_check(old, "kuro-Neko43"), TAS_E_AUTH);
}

/* ---- the rule (ACC-2) ---- */

static void eight_to_twenty_half_width_characters_are_a_password(void **state) {
    (void)state;
    static const char *const good[] = {"a8Kd92xq", "kuro-Neko42", "vK#9q!zW2m@Lx5$Rt8&B", "~!vQx}{z|",
                                       "Wq7!gT_2"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        if (tas_password_rule(good[i]))
            fail_msg("%s is refused: %s", good[i], tas_password_rule(good[i]));
}

static void other_lengths_and_characters_are_refused_in_words(void **state) {
    (void)state;
    static const struct {
        const char *password, *word; /* a word of the answer */
    } bad[] = {
        {"", "8 to 20"},
        {"a8Kd92x", "8 to 20"},
        {"vK#9q!zW2m@Lx5$Rt8&BC", "8 to 20"},
        {"a8Kd 92xq", "spaces"},
        {"a8Kd92xq\x7f", "half-width"},
        {"a8Kd92xq\n", "half-width"},
        {"a8Kd92xq\xef\xbd\x81", "half-width"}, /* U+FF41, a full-width a */
        {"kqzvwxhj", "digit or symbol"},
        {"83619402", "letter"},
        {"!#$%&()*", "letter"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const char *wrong = tas_password_rule(bad[i].password);
        assert_non_null(wrong);
        if (!strstr(wrong, bad[i].word))
            fail_msg("\"%s\": %s", bad[i].password, wrong);
    }
}

static bool has_dictionary(void) {
    return access("/var/cache/cracklib/cracklib_dict.pwd", R_OK) == 0;
}

static void what_crackers_try_first_is_refused(void **state) {
    (void)state;
    if (!has_dictionary())
        skip();
    static const char *const broken[] = {"password1", "Password1", "aaaaaaaa1",
                                         "12345678a", "drowssap1", "rootroot1"};
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        const char *wrong = tas_password_rule(broken[i]);
        if (!wrong || !strstr(wrong, "attackers"))
            fail_msg("%s is taken", broken[i]);
    }
}

static void *ask_often(void *arg) {
    uintptr_t wrong = 0;
    for (int i = 0; i < 200; i++) {
        wrong += tas_password_rule("a8Kd92xq") != NULL;
        wrong += tas_password_rule("password1") == NULL && has_dictionary();
    }
    (void)arg;
    return (void *)wrong;
}

static void threads_may_ask_at_once(void **state) {
    (void)state;
    pthread_t threads[4];
    uintptr_t wrong = 0;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_often, NULL), 0);
    for (int i = 0; i < 4; i++) {
        void *result;
        pthread_join(threads[i], &result);
        wrong += (uintptr_t)result;
    }
    assert_int_equal(wrong, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_right_password_fits_a_hash),
        cmocka_unit_test(the_same_password_twice_gives_two_hashes),
        cmocka_unit_test(without_a_hash_everything_is_wrong_and_takes_as_long),
        cmocka_unit_test(what_is_no_hash_or_costs_too_much_is_wrong_for_everything),
        cmocka_unit_test(a_hash_damaged_anywhere_fits_no_longer),
        cmocka_unit_test(weaker_parameters_are_old_and_stronger_ones_are_not),
        cmocka_unit_test(an_older_hash_still_fits_its_password),
        cmocka_unit_test(eight_to_twenty_half_width_characters_are_a_password),
        cmocka_unit_test(other_lengths_and_characters_are_refused_in_words),
        cmocka_unit_test(what_crackers_try_first_is_refused),
        cmocka_unit_test(threads_may_ask_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
