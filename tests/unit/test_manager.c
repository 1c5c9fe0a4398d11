/* The management server's pure parts: numbers, nonces, limits, throttle, choice of relays, ids, JSON tables.
 */
#include "base/damm.h"
#include "base/hex.h"
#include "manager/choose.h"
#include "manager/manager.h"
#include "manager/throttle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SECOND_US = 1000 * 1000, WINDOW_US = 300 * SECOND_US };

static struct mgr_server_keys keys;
static struct mgr_config config;
static struct mgr m;

static int fresh(void **state) {
    (void)state;
    memset(keys.number, 1, sizeof(keys.number));
    memset(keys.token, 2, sizeof(keys.token));
    memset(keys.nonce, 3, sizeof(keys.nonce));
    config = (struct mgr_config){.misses_per_hour = 10, .pow_above_per_minute = 60};
    m = (struct mgr){.crypto = tas_crypto_native(), .keys = &keys, .config = &config};
    return 0;
}

static const uint8_t *v4(unsigned a, unsigned b, unsigned c, unsigned d) {
    static uint8_t out[16];
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    memcpy(out, mapped, sizeof(mapped));
    out[12] = (uint8_t)a;
    out[13] = (uint8_t)b;
    out[14] = (uint8_t)c;
    out[15] = (uint8_t)d;
    return out;
}

/* ---- check digit ---- */

static void a_check_digit_finds_each_wrong_digit_and_each_swap(void **state) {
    (void)state;
    static const char *const numbers[] = {"572", "00000000", "12345678", "99999999", "10203040", "50505050"};
    assert_int_equal(tas_damm_digit("572", 3), '4'); /* Damm's own example */
    for (size_t n = 1; n < sizeof(numbers) / sizeof(numbers[0]); n++) {
        char number[10];
        snprintf(number, sizeof(number), "%s", numbers[n]);
        number[8] = tas_damm_digit(number, 8);
        number[9] = '\0';
        assert_true(tas_damm_is_right(number, 9));
        for (size_t i = 0; i < 9; i++) {
            char was = number[i];
            for (char c = '0'; c <= '9'; c++) {
                number[i] = c;
                assert_int_equal(tas_damm_is_right(number, 9), c == was);
            }
            number[i] = was;
            if (i == 8 || number[i] == number[i + 1])
                continue;
            number[i] = number[i + 1];
            number[i + 1] = was;
            assert_false(tas_damm_is_right(number, 9));
            number[i + 1] = number[i];
            number[i] = was;
        }
    }
    assert_false(tas_damm_is_right("0", 1));
}

static void a_number_is_read_as_people_write_it_and_nothing_else(void **state) {
    (void)state;
    static const char *const good[] = {"123456782", "123-456-782", " 123 456 782 ", "1-2-3-4-5-6-7-8-2",
                                       "--123456782"};
    static const char *const bad[] = {
        "",           "12345678",   "1234567820",         "12345678x", "123.456.782",
        "+123456782", "123456782x", "１２３４５６７８２", "-",         "123456782\n"};
    char out[TAS_NUMBER_CAP];
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(tas_number_read(out, good[i]));
        assert_string_equal(out, "123456782");
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        memcpy(out, "untouched", sizeof(out));
        assert_false(tas_number_read(out, bad[i]));
        assert_string_equal(out, "untouched");
    }
}

/* ---- numbers ---- */

static void drawn_numbers_are_right_and_every_digit_is_as_likely(void **state) {
    (void)state;
    enum { DRAWS = 20000 };
    unsigned seen[8][10] = {{0}};
    char number[10];
    for (int i = 0; i < DRAWS; i++) {
        mgr_number_draw(number);
        assert_int_equal(strlen(number), 9);
        assert_true(tas_damm_is_right(number, 9));
        for (size_t d = 0; d < 8; d++)
            seen[d][number[d] - '0']++;
    }
    /* 2000 of each are expected with a deviation of 42: ten of them never happen. */
    for (size_t d = 0; d < 8; d++)
        for (size_t v = 0; v < 10; v++)
            assert_in_range(seen[d][v], 1580, 2420);
}

static void a_sealed_number_opens_for_its_session_only(void **state) {
    (void)state;
    static const char *const numbers[] = {"000000000", "123456782", "999999999"};
    for (size_t i = 0; i < 3; i++) {
        uint8_t sealed[4];
        uint8_t other[4];
        char out[10];
        assert_int_equal(mgr_number_seal(&m, sealed, 77, numbers[i]), TAS_OK);
        assert_int_equal(mgr_number_open(&m, out, 77, sealed), TAS_OK);
        assert_string_equal(out, numbers[i]);
        assert_int_equal(mgr_number_seal(&m, other, 78, numbers[i]), TAS_OK);
        assert_memory_not_equal(sealed, other, sizeof(sealed));
        bool is_open = mgr_number_open(&m, out, 78, sealed) == TAS_OK;
        assert_true(!is_open || strcmp(out, numbers[i]) != 0);
        assert_true(!is_open || strlen(out) == 9);
    }
}

static void a_numbers_hash_needs_the_key(void **state) {
    (void)state;
    uint8_t one[32];
    uint8_t two[32];
    assert_int_equal(mgr_number_hash(&m, one, "123456782"), TAS_OK);
    assert_int_equal(mgr_number_hash(&m, two, "123456782"), TAS_OK);
    assert_memory_equal(one, two, 32);
    assert_int_equal(mgr_number_hash(&m, two, "123456793"), TAS_OK);
    assert_memory_not_equal(one, two, 32);
    keys.number[31] ^= 1;
    assert_int_equal(mgr_number_hash(&m, two, "123456782"), TAS_OK);
    assert_memory_not_equal(one, two, 32);
}

static void work_is_for_one_nonce_number_and_key(void **state) {
    (void)state;
    enum { BITS = 9 };
    uint8_t nonce[MGR_NONCE] = {1};
    uint8_t pk[32] = {2};
    uint8_t pow[8] = {0};
    assert_true(mgr_pow_is_done(&m, nonce, "123456782", pk, pow, 0));
    while (!mgr_pow_is_done(&m, nonce, "123456782", pk, pow, BITS))
        for (size_t i = 8; i-- > 0 && ++pow[i] == 0;)
            continue;
    for (unsigned bits = 0; bits <= BITS; bits++)
        assert_true(mgr_pow_is_done(&m, nonce, "123456782", pk, pow, bits));
    unsigned still = 0;
    for (unsigned i = 0; i < 24; i++) { /* each holds for another by chance once in 512 times */
        uint8_t other_nonce[MGR_NONCE] = {1, (uint8_t)(i + 1)};
        uint8_t other_pk[32] = {2, (uint8_t)(i + 1)};
        still += mgr_pow_is_done(&m, other_nonce, "123456782", pk, pow, BITS);
        still += mgr_pow_is_done(&m, nonce, "123456782", other_pk, pow, BITS);
    }
    assert_in_range(still, 0, 4);
}

/* ---- nonces and tokens ---- */

static void a_nonce_is_good_for_two_minutes_and_ours_alone(void **state) {
    (void)state;
    const int64_t now = 1790000000000;
    uint8_t nonce[MGR_NONCE];
    assert_int_equal(mgr_nonce_make(&m, nonce, 20, now), TAS_OK);
    assert_int_equal(nonce[8], 20);
    assert_int_equal(mgr_nonce_check(&m, nonce, now), TAS_OK);
    assert_int_equal(mgr_nonce_check(&m, nonce, now + 120000), TAS_OK);
    assert_int_equal(mgr_nonce_check(&m, nonce, now - 120000), TAS_OK); /* another server's clock */
    assert_int_equal(mgr_nonce_check(&m, nonce, now + 120001), TAS_E_EXPIRED);
    assert_int_equal(mgr_nonce_check(&m, nonce, now - 120001), TAS_E_EXPIRED);
    for (size_t i = 0; i < MGR_NONCE; i++) {
        nonce[i] ^= 0x10;
        assert_int_equal(mgr_nonce_check(&m, nonce, now), TAS_E_AUTH);
        nonce[i] ^= 0x10;
    }
    keys.nonce[0] ^= 1;
    assert_int_equal(mgr_nonce_check(&m, nonce, now), TAS_E_AUTH);
}

static void a_token_hangs_on_kind_id_and_key(void **state) {
    (void)state;
    char token[MGR_TOKEN];
    char other[MGR_TOKEN];
    uint8_t pk[32] = {9};
    assert_int_equal(mgr_token(&m, token, 'o', 5, pk), TAS_OK);
    assert_int_equal(strlen(token), MGR_TOKEN - 1);
    assert_memory_equal(token, "o.0000000000005.", 16);
    assert_int_equal(mgr_token(&m, other, 'c', 5, pk), TAS_OK);
    assert_string_not_equal(token + 16, other + 16);
    assert_int_equal(mgr_token(&m, other, 'o', 6, pk), TAS_OK);
    assert_string_not_equal(token + 16, other + 16);
    pk[31] = 1;
    assert_int_equal(mgr_token(&m, other, 'o', 5, pk), TAS_OK);
    assert_string_not_equal(token + 16, other + 16);
}

/* ---- limits: the store is an array here ---- */

static struct {
    char scope[STORE_IP];
    int64_t count, window;
} misses[16];
static size_t n_misses;

int __wrap_store_miss_count(struct tas_db *db, const char *scope, int64_t window_start, int64_t *out);
int __wrap_store_miss_add(struct tas_db *db, const char *scope, int64_t now_ms, int64_t window_start);

static size_t place_of(const char *scope) {
    size_t i = 0;
    while (i < n_misses && strcmp(misses[i].scope, scope) != 0)
        i++;
    if (i == n_misses) {
        assert_true(n_misses < 16);
        snprintf(misses[n_misses++].scope, STORE_IP, "%s", scope);
    }
    return i;
}

int __wrap_store_miss_count(struct tas_db *db, const char *scope, int64_t window_start, int64_t *out) {
    (void)db;
    size_t i = place_of(scope);
    misses[i].window = window_start;
    *out = misses[i].count;
    return TAS_OK;
}

int __wrap_store_miss_add(struct tas_db *db, const char *scope, int64_t now_ms, int64_t window_start) {
    (void)db;
    (void)now_ms;
    size_t i = place_of(scope);
    misses[i].window = window_start;
    misses[i].count++;
    return TAS_OK;
}

static int no_misses(void **state) {
    memset(misses, 0, sizeof(misses));
    n_misses = 0;
    return fresh(state);
}

static void a_v4_address_counts_alone_and_a_v6_address_with_its_networks(void **state) {
    (void)state;
    static const uint8_t six[16] = {0x20, 0x01, 0x0d, 0xb8, 0x01, 0x02, 0x03, 0x04, 0x05};
    static const char *const scopes[] = {"32:192.0.2.7", "all", "64:20010db801020304", "56:20010db8010203",
                                         "48:20010db80102"};
    assert_int_equal(mgr_misses_add(&m, NULL, v4(192, 0, 2, 7), 7200000), TAS_OK);
    assert_int_equal(mgr_misses_add(&m, NULL, six, 7200000), TAS_OK);
    assert_int_equal(n_misses, 5);
    for (size_t i = 0; i < 5; i++) {
        size_t at = place_of(scopes[i]);
        assert_int_equal(n_misses, 5);
        bool is_all = strcmp(scopes[i], "all") == 0;
        assert_int_equal(misses[at].count, is_all ? 2 : 1);
        assert_int_equal(misses[at].window, 7200000 - (is_all ? 60000 : 3600000));
    }
}

static void each_network_has_its_share(void **state) {
    (void)state;
    static const uint8_t six[16] = {0x20, 0x01, 0x0d, 0xb8, 0x01, 0x02, 0x03, 0x04, 0x05};
    static const struct {
        const char *scope;
        int64_t most;
    } shares[] = {{"64:20010db801020304", 10}, {"56:20010db8010203", 40}, {"48:20010db80102", 160}};
    struct mgr_misses got;
    for (size_t i = 0; i < 3; i++) {
        size_t at = place_of(shares[i].scope);
        misses[at].count = shares[i].most - 1;
        assert_int_equal(mgr_misses_look(&m, NULL, six, 1, &got), TAS_OK);
        assert_false(got.is_over);
        misses[at].count++;
        assert_int_equal(mgr_misses_look(&m, NULL, six, 1, &got), TAS_OK);
        assert_true(got.is_over);
        misses[at].count = 0;
    }
    misses[place_of("32:192.0.2.7")].count = 10;
    assert_int_equal(mgr_misses_look(&m, NULL, v4(192, 0, 2, 7), 1, &got), TAS_OK);
    assert_true(got.is_over);
    assert_int_equal(mgr_misses_look(&m, NULL, v4(192, 0, 2, 8), 1, &got), TAS_OK);
    assert_false(got.is_over);
}

static void twice_the_misses_cost_twice_the_work(void **state) {
    (void)state;
    static const struct {
        unsigned threshold;
        int64_t count;
        unsigned bits;
    } steps[] = {{60, 0, 0},    {60, 60, 0},   {60, 61, 16},      {60, 120, 16},
                 {60, 121, 17}, {60, 240, 17}, {60, 241, 18},     {5, 6, 16},
                 {5, 11, 17},   {0, 0, 0},     {0, 1, 16},        {0, 3, 17},
                 {60, 960, 19}, {60, 961, 20}, {60, 1 << 20, 24}, {1, INT32_MAX, 24}};
    struct mgr_misses got;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        config.pow_above_per_minute = steps[i].threshold;
        misses[place_of("all")].count = steps[i].count;
        assert_int_equal(mgr_misses_look(&m, NULL, v4(192, 0, 2, 7), 1, &got), TAS_OK);
        assert_int_equal(got.pow_bits, steps[i].bits);
    }
}

static void addresses_and_networks_are_named(void **state) {
    (void)state;
    static const uint8_t six[16] = {0x20, 0x01, 0x0d, 0xb8, 0x01, 0x02, 0x03, 0x04, [15] = 1};
    char out[STORE_IP];
    mgr_address(out, v4(192, 0, 2, 7));
    assert_string_equal(out, "192.0.2.7");
    mgr_prefix(out, v4(192, 0, 2, 7));
    assert_string_equal(out, "24:192.0.2");
    mgr_address(out, six);
    assert_string_equal(out, "2001:db8:102:304::1");
    mgr_prefix(out, six);
    assert_string_equal(out, "48:2001:0db8:0102");
}

/* ---- throttle ---- */

static struct mgr_throttle *throttle;

static int new_throttle(void **state) {
    (void)state;
    throttle = mgr_throttle_new(3);
    return throttle ? 0 : -1;
}
static int free_throttle(void **state) {
    (void)state;
    mgr_throttle_free(throttle);
    return 0;
}

static enum mgr_throttle_verdict begin(const uint8_t *source, uint64_t now_us) {
    unsigned wait_s;
    return mgr_throttle_begin(throttle, source, now_us, &wait_s);
}

static void fail_once(const uint8_t *source, uint64_t now_us) {
    assert_int_equal(begin(source, now_us), MGR_MAY);
    mgr_throttle_failed(throttle, source, now_us);
    mgr_throttle_over(throttle, source);
}

static void a_source_that_fails_waits_until_its_window_is_over(void **state) {
    (void)state;
    unsigned wait_s = 0;
    const uint8_t *source = v4(192, 0, 2, 1);
    for (uint64_t i = 0; i < 3; i++)
        fail_once(source, SECOND_US + i);
    assert_int_equal(mgr_throttle_begin(throttle, source, SECOND_US + 3, &wait_s), MGR_TOO_OFTEN);
    assert_in_range(wait_s, 299, 301);
    assert_int_equal(mgr_throttle_begin(throttle, source, WINDOW_US, &wait_s), MGR_TOO_OFTEN);
    assert_in_range(wait_s, 1, 2);
    assert_int_equal(begin(source, SECOND_US + (uint64_t)WINDOW_US), MGR_MAY);
    mgr_throttle_over(throttle, source);
    assert_int_equal(begin(v4(192, 0, 2, 2), SECOND_US + 3), MGR_MAY); /* others never noticed */
}

static void a_time_that_was_taken_a_little_earlier_opens_no_window(void **state) {
    (void)state;
    const uint8_t *source = v4(192, 0, 2, 1);
    for (uint64_t i = 0; i < 3; i++)
        fail_once(source, SECOND_US + i);
    assert_int_equal(begin(source, SECOND_US - 500), MGR_TOO_OFTEN);
    mgr_throttle_failed(throttle, source, SECOND_US - 500);
    assert_int_equal(begin(source, SECOND_US + 10), MGR_TOO_OFTEN);
}

static void strangers_suspects_and_friends_have_so_many_tries_at_once(void **state) {
    (void)state;
    uint8_t one[16];
    uint8_t two[16];
    memcpy(one, v4(192, 0, 2, 1), 16);
    memcpy(two, v4(192, 0, 2, 2), 16);
    assert_int_equal(begin(one, 1), MGR_MAY);
    assert_int_equal(begin(one, 1), MGR_MAY);
    assert_int_equal(begin(one, 1), MGR_BUSY);
    mgr_throttle_over(throttle, one);
    mgr_throttle_over(throttle, one);
    mgr_throttle_over(throttle, one); /* once too often does no harm */
    fail_once(one, 1);
    fail_once(two, 1);
    assert_int_equal(begin(one, 2), MGR_MAY);
    assert_int_equal(begin(two, 2), MGR_BUSY); /* one suspect at a time, of all */
    mgr_throttle_over(throttle, one);
    assert_int_equal(begin(two, 2), MGR_MAY);
    mgr_throttle_succeeded(throttle, two, 2);
    mgr_throttle_over(throttle, two);
    for (int i = 0; i < 8; i++)
        assert_int_equal(begin(two, 3), MGR_MAY);
    assert_int_equal(begin(two, 3), MGR_BUSY);
    assert_int_equal(begin(one, 3), MGR_MAY);
}

static void a_v6_source_is_its_64(void **state) {
    (void)state;
    uint8_t source[16] = {0x20, 0x01, 0x0d, 0xb8};
    for (uint8_t i = 0; i < 3; i++) {
        source[15] = i;
        fail_once(source, 1);
    }
    source[8] = 9;
    assert_int_equal(begin(source, 2), MGR_TOO_OFTEN);
    source[7] = 1;
    assert_int_equal(begin(source, 2), MGR_MAY);
}

static const uint8_t *v6(unsigned net, unsigned subnet) {
    static uint8_t out[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
    out[5] = (uint8_t)net;
    out[7] = (uint8_t)subnet;
    return out;
}

static void a_v6_48_fails_four_times_as_often_as_a_64(void **state) {
    (void)state;
    unsigned wait_s = 0;
    for (unsigned i = 0; i < 12; i++)
        fail_once(v6(1, i), SECOND_US + i); /* each /64 once */
    assert_int_equal(mgr_throttle_begin(throttle, v6(1, 200), SECOND_US + 20, &wait_s), MGR_TOO_OFTEN);
    assert_in_range(wait_s, 299, 301);
    assert_int_equal(begin(v6(2, 0), SECOND_US + 20), MGR_MAY); /* the neighbour never noticed */
    mgr_throttle_over(throttle, v6(2, 0));
    mgr_throttle_succeeded(throttle, v6(1, 3), SECOND_US + 21); /* forgives one */
    assert_int_equal(begin(v6(1, 200), SECOND_US + 22), MGR_MAY);
    mgr_throttle_over(throttle, v6(1, 200));
    fail_once(v6(1, 201), SECOND_US + 23);
    assert_int_equal(begin(v6(1, 202), SECOND_US + 24), MGR_TOO_OFTEN);
    assert_int_equal(begin(v6(1, 202), SECOND_US + (uint64_t)WINDOW_US), MGR_MAY); /* the window is over */
}

static void strangers_of_a_v6_48_leave_places_to_others(void **state) {
    (void)state;
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(begin(v6(1, i), 1), MGR_MAY);
    assert_int_equal(begin(v6(1, 8), 1), MGR_BUSY);
    assert_int_equal(begin(v6(2, 0), 1), MGR_MAY);
    mgr_throttle_over(throttle, v6(1, 9)); /* one that never began changes nothing */
    assert_int_equal(begin(v6(1, 8), 1), MGR_BUSY);
    mgr_throttle_over(throttle, v6(1, 0));
    assert_int_equal(begin(v6(1, 8), 1), MGR_MAY);
    assert_int_equal(begin(v6(1, 0), 1), MGR_BUSY);
    mgr_throttle_succeeded(throttle, v6(1, 0), 2); /* whom we know is no stranger */
    assert_int_equal(begin(v6(1, 0), 2), MGR_MAY);
    for (unsigned i = 0; i < 9; i++)
        mgr_throttle_over(throttle, v6(1, i));
    for (unsigned i = 20; i < 28; i++) /* none was forgotten and none counted twice */
        assert_int_equal(begin(v6(1, i), 3), MGR_MAY);
    assert_int_equal(begin(v6(1, 28), 3), MGR_BUSY);
}

/* Sources that come after it take the places of those that were silent for longest: one that has just failed
 * keeps its own as long as fewer than four others of its set come. Of 2000 others on 2048 sets one meets it
 * on average, and one of the 64 loses its place; that fourteen do never happens, whatever the hash's seed. */
static void a_source_is_not_forgotten_because_its_try_is_over(void **state) {
    (void)state;
    unsigned kept = 0;
    for (unsigned s = 0; s < 64; s++) {
        const unsigned c = s;
        for (uint64_t i = 0; i < 3; i++)
            fail_once(v4(198, 51, c, 1), SECOND_US + i);
    }
    for (unsigned i = 0; i < 2000; i++) {
        const uint8_t *other = v4(203, 0, i / 250, i % 250);
        assert_int_equal(begin(other, SECOND_US + 100 + i), MGR_MAY);
        mgr_throttle_over(throttle, other);
    }
    for (unsigned s = 0; s < 64; s++)
        kept += begin(v4(198, 51, s, 1), 2 * SECOND_US) == MGR_TOO_OFTEN;
    assert_in_range(kept, 50, 64);
}

static void requests_have_a_pace(void **state) {
    (void)state;
    const uint8_t *source = v4(192, 0, 2, 1);
    for (int i = 0; i < 400; i++)
        assert_true(mgr_throttle_request(throttle, source, SECOND_US));
    assert_false(mgr_throttle_request(throttle, source, SECOND_US));
    assert_false(mgr_throttle_request(throttle, source, SECOND_US + 4999));
    assert_true(mgr_throttle_request(throttle, source, SECOND_US + 5000));
    assert_false(mgr_throttle_request(throttle, source, SECOND_US + 5001));
    assert_true(mgr_throttle_request(throttle, v4(192, 0, 2, 2), SECOND_US));
}

/* ---- choice of relays ---- */

static struct store_relay relay(int64_t id, const char *region, int64_t ends) {
    struct store_relay r = {.id = id, .ends = ends, .max_connections = 100, .seen_at = 1000};
    snprintf(r.region, sizeof(r.region), "%s", region);
    snprintf(r.state, sizeof(r.state), "up");
    return r;
}

static void assert_chosen(const struct store_relay *relays, size_t n, const char *regions,
                          const struct mgr_rtts *host, const struct mgr_rtts *viewer, const char *want) {
    uint32_t ids[STORE_RELAYS];
    char region[STORE_REGION + 1];
    char got[64] = "";
    assert_int_equal(mgr_choose(ids, region, relays, n, regions, host, viewer, 1000), TAS_OK);
    for (size_t i = 0; i < STORE_RELAYS; i++)
        snprintf(got + strlen(got), sizeof(got) - strlen(got), "%u ", ids[i]);
    assert_string_equal(got, want);
}

static void the_nearest_region_then_the_least_loaded_relay(void **state) {
    (void)state;
    const struct store_relay relays[] = {relay(1, "jp", 50), relay(2, "jp", 10), relay(3, "eu", 0),
                                         relay(4, "jp", 10), relay(5, "us", 0),  relay(6, "jp", 90)};
    const struct mgr_rtts none = {0};
    const struct mgr_rtts at_jp = {{{1, 5000}, {3, 200000}}, 2};
    const struct mgr_rtts at_eu = {{{1, 220000}, {3, 4000}}, 2};
    const struct mgr_rtts lies = {{{99, 1}, {3, 1}}, 2};
    assert_chosen(relays, 6, "", &at_jp, &at_jp, "2 4 1 3 ");
    assert_chosen(relays, 6, "", &at_eu, &at_eu, "3 2 0 0 ");
    assert_chosen(relays, 6, "", &at_jp, &at_eu, "3 2 0 0 "); /* 204 ms together against 225 ms */
    assert_chosen(relays, 6, "", &none, &none, "3 2 0 0 ");
    assert_chosen(relays, 6, "", &lies, &none, "3 2 0 0 ");
    assert_chosen(relays, 6, "us", &at_jp, &at_jp, "5 0 0 0 ");
    assert_chosen(relays, 6, "us,jp", &at_jp, &at_eu, "2 4 1 5 ");
}

static void a_relay_that_is_silent_down_or_not_permitted_is_not_chosen(void **state) {
    (void)state;
    struct store_relay relays[] = {relay(1, "jp", 0), relay(2, "jp", 0), relay(3, "jp", 0)};
    const struct mgr_rtts none = {0};
    uint32_t ids[STORE_RELAYS] = {7, 7, 7, 7};
    char region[STORE_REGION + 1] = "old";
    relays[0].seen_at = 1000 - MGR_RELAY_SILENT_MS - 1;
    snprintf(relays[1].state, sizeof(relays[1].state), "draining");
    assert_chosen(relays, 3, "", &none, &none, "3 0 0 0 ");
    assert_int_equal(mgr_choose(ids, region, relays, 3, "j", &none, &none, 1000), TAS_E_ABSENT);
    assert_int_equal(mgr_choose(ids, region, relays, 0, "", &none, &none, 1000), TAS_E_ABSENT);
    assert_int_equal(ids[0], 7);
    assert_string_equal(region, "old");
    relays[2].max_connections = 0; /* one that said nonsense divides nothing by zero */
    assert_chosen(relays, 3, "", &none, &none, "3 0 0 0 ");
}

static void more_relays_than_anybody_has_do_no_harm(void **state) {
    (void)state;
    enum { MANY = 400 };
    struct store_relay *relays = calloc(MANY, sizeof(*relays));
    const struct mgr_rtts none = {0};
    assert_non_null(relays);
    for (int i = 0; i < MANY; i++)
        relays[i] = relay(MANY - i, "jp", MANY - i);
    assert_chosen(relays, MANY, "", &none, &none, "145 146 147 0 ");
    free(relays);
}

static void measurements_that_make_no_sense_are_left_out(void **state) {
    (void)state;
    static const char text[] =
        "[{\"relay\":1,\"us\":5},{\"relay\":0,\"us\":5},{\"relay\":2},{\"us\":5},7,null,\"x\",{\"relay\":3,"
        "\"us\":-1},{\"relay\":4,\"us\":10000000},{\"relay\":\"5\",\"us\":5},{\"relay\":6,\"us\":1.5},"
        "{\"relay\":7,\"us\":0,\"more\":[]}]";
    char why[TAS_JSON_WHY];
    struct mgr_rtts got;
    struct tas_json *list = tas_json_parse(tas_bytes_of(text, strlen(text)), why);
    assert_non_null(list);
    mgr_rtts_read(&got, list);
    assert_int_equal(got.n, 2);
    assert_int_equal(got.of[0].relay, 1);
    assert_int_equal(got.of[1].relay, 7);
    tas_json_free(list);
    mgr_rtts_read(&got, NULL);
    assert_int_equal(got.n, 0);
}

static void a_word_is_listed_whole(void **state) {
    (void)state;
    assert_true(mgr_is_listed("jp,eu", "jp"));
    assert_true(mgr_is_listed("jp,eu", "eu"));
    assert_false(mgr_is_listed("jp,eu", "j"));
    assert_false(mgr_is_listed("jp,eu", "jp,eu"));
    assert_false(mgr_is_listed("jp,eu", "e"));
    assert_false(mgr_is_listed("", "jp"));
    assert_false(mgr_is_listed("jp", "jpx"));
}

/* ---- ids ---- */

static void ids_rise_whatever_the_clock_does(void **state) {
    (void)state;
    struct tas_id_source source = {.node = 5};
    const uint64_t now = TAS_ID_EPOCH_MS + 1000;
    uint64_t last = 0;
    static const int64_t steps[] = {0, 0, 5, -1000, -2000000, 7, 0};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
        for (int k = 0; k < 5000; k++) { /* more than a millisecond has numbers */
            uint64_t id = tas_id_next(&source, now + (uint64_t)steps[i]);
            assert_true(id > last);
            assert_int_equal(id >> 12 & 1023, 5);
            last = id;
        }
    assert_true(tas_id_ms(last) >= now && tas_id_ms(last) < now + 100);
    assert_true(tas_id_least(tas_id_ms(last)) <= last);
    assert_int_equal(tas_id_least(0), 0);
}

static void an_id_has_one_text(void **state) {
    (void)state;
    static const struct {
        uint64_t id;
        const char *text;
    } pairs[] = {{0, "0000000000000"},
                 {31, "000000000000z"},
                 {UINT64_MAX, "fzzzzzzzzzzzz"},
                 {UINT64_C(1) << 60, "1000000000000"}};
    static const char *const bad[] = {"",
                                      "000000000000",
                                      "00000000000000",
                                      "gzzzzzzzzzzzz",
                                      "000000000000i",
                                      "000000000000l",
                                      "000000000000o",
                                      "000000000000u",
                                      "00000000-0000",
                                      "000000000000\xc3"};
    char text[TAS_ID_CAP];
    uint64_t id;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        assert_string_equal(tas_id_encode(text, pairs[i].id), pairs[i].text);
        assert_int_equal(tas_id_decode(&id, pairs[i].text), TAS_OK);
        assert_true(id == pairs[i].id);
    }
    assert_int_equal(tas_id_decode(&id, "FZZZZZZZZZZZZ"), TAS_OK);
    assert_true(id == UINT64_MAX);
    id = 7;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(tas_id_decode(&id, bad[i]), TAS_E_PROTO);
    assert_true(id == 7);
}

/* ---- JSON tables ---- */

struct record {
    char name[9], note[9];
    uint8_t key[2];
    uint64_t id;
    int64_t count;
    bool is_on;
    const struct tas_json *list, *object;
};
#define FIELD(member, kind, optional, min, max)                                                              \
    { #member, kind, optional, min, max, offsetof(struct record, member) }
static const struct tas_json_field record_fields[] = {
    FIELD(name, TAS_JSON_TEXT, false, 1, 8),
    FIELD(note, TAS_JSON_LINES, true, 0, 8),
    FIELD(key, TAS_JSON_HEX, true, 0, 2),
    FIELD(id, TAS_JSON_ID, true, 0, 0),
    FIELD(count, TAS_JSON_INT, true, -5, 5),
    FIELD(is_on, TAS_JSON_BOOL, true, 0, 0),
    FIELD(list, TAS_JSON_LIST, true, 1, 2),
    FIELD(object, TAS_JSON_OBJECT, true, 0, 0),
    {0},
};
#undef FIELD

static int read_record(const char *text, struct record *out, char why[TAS_JSON_WHY]) {
    struct tas_json *json = tas_json_parse(tas_bytes_of(text, strlen(text)), why);
    int err = json ? tas_json_read(json, record_fields, out, why) : TAS_E_PROTO;
    tas_json_free(json);
    return err;
}

static void a_table_takes_what_it_describes(void **state) {
    (void)state;
    struct record r = {0};
    char why[TAS_JSON_WHY];
    assert_int_equal(read_record("{\"name\":\"\xe6\xbc\xa2\xe5\xad\x97\",\"note\":\"a\\nb\\tc\",\"key\":"
                                 "\"0Aff\",\"id\":\"000000000000z\","
                                 "\"count\":-5,\"is_on\":true,\"list\":[1],\"object\":{}}",
                                 &r, why),
                     TAS_OK);
    assert_string_equal(r.name, "\xe6\xbc\xa2\xe5\xad\x97");
    assert_string_equal(r.note, "a\nb\tc");
    assert_int_equal(r.key[0], 0x0a);
    assert_int_equal(r.id, 31);
    assert_int_equal(r.count, -5);
    assert_true(r.is_on);
    r.count = 3;
    assert_int_equal(read_record("{\"name\":\"12345678\",\"count\":null}", &r, why), TAS_OK);
    assert_int_equal(r.count, 3); /* null leaves an optional one as it is */
}

static void a_table_refuses_all_else_and_says_which(void **state) {
    (void)state;
    static const struct {
        const char *text, *named;
    } bad[] = {
        {"[]", "object"},
        {"{}", "name is missing"},
        {"{\"name\":null}", "name"},
        {"{\"name\":\"\"}", "name must not be empty"},
        {"{\"name\":\"123456789\"}", "name is too long"},
        {"{\"name\":\"a\\nb\"}", "name holds control"},
        {"{\"name\":\"\\u202e\"}", "name holds control"},
        {"{\"name\":\"\\u009b\"}", "name holds control"},
        {"{\"name\":\"x\",\"note\":\"\\u0007\"}", "note holds control"},
        {"{\"name\":\"x\",\"note\":\"a\\rb\"}", "note holds control"},
        {"{\"name\":\"x\",\"other\":1}", "an unknown member; known are: name, note"},
        {"{\"name\":\"x\",\"key\":\"0aff0\"}", "key"},
        {"{\"name\":\"x\",\"key\":\"0aff00\"}", "key"},
        {"{\"name\":\"x\",\"key\":\"0aeg\"}", "key"},
        {"{\"name\":\"x\",\"id\":\"z\"}", "id"},
        {"{\"name\":\"x\",\"count\":6}", "count must be a whole number from -5 to 5"},
        {"{\"name\":\"x\",\"count\":1.0}", "count"},
        {"{\"name\":\"x\",\"count\":true}", "count"},
        {"{\"name\":\"x\",\"count\":99999999999999999999}", "not JSON"},
        {"{\"name\":\"x\",\"is_on\":1}", "is_on"},
        {"{\"name\":\"x\",\"list\":[]}", "list"},
        {"{\"name\":\"x\",\"list\":[1,2,3]}", "list"},
        {"{\"name\":\"x\",\"object\":[]}", "object"},
        {"{\"name\":\"x\",\"name\":\"y\"}", "duplicate"},
        {"{\"name\":\"a\\u0000b\"}", "not JSON"},
        {"{\"name\":\"\\ud800\"}", "not JSON"},
        {"{\"name\":\"\xff\"}", "not JSON"},
        {"{\"name\":\"x\"}y", "not JSON"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct record r = {0};
        char why[TAS_JSON_WHY] = "";
        assert_int_equal(read_record(bad[i].text, &r, why), TAS_E_PROTO);
        if (!strstr(why, bad[i].named))
            fail_msg("%s: %s", bad[i].text, why);
    }
}

static void depth_is_counted_outside_of_texts(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int depth;
    } cases[] = {{"", 0},      {"1", 0},   {"[]", 1}, {"[{}]", 2}, {"\"[[[[\"", 0}, {"[\"\\\"[[\",[]]", 2},
                 {"[],[]", 1}, {"]]][", 0}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(tas_json_depth(tas_bytes_of(cases[i].text, strlen(cases[i].text))), cases[i].depth);
    char why[TAS_JSON_WHY];
    struct tas_json *json = tas_json_parse(tas_bytes_of("[[[[[[[[1]]]]]]]]", 17), why);
    assert_non_null(json);
    tas_json_free(json);
    assert_null(tas_json_parse(tas_bytes_of("[[[[[[[[[1]]]]]]]]]", 19), why));
}

static void nothing_that_was_parsed_looks_like_a_failure(void **state) {
    (void)state;
    static const char text[] = "{\"\\u0001broken\":[\"\\u0001broken\"],\"\xc3\xbf"
                               "broken\":null}";
    char why[TAS_JSON_WHY];
    struct tas_json *json = tas_json_parse(tas_bytes_of(text, strlen(text)), why);
    char *again = tas_json_dump(json);
    assert_non_null(again);
    assert_string_equal(again, text);
    free(again);
    tas_json_set_text(json, "new", "\xff"); /* but what could not be stored is never sent half */
    assert_null(tas_json_dump(json));
    tas_json_free(json);
    struct tas_json *list = tas_json_list();
    tas_json_add(list, NULL);
    assert_null(tas_json_dump(list));
    tas_json_free(list);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_check_digit_finds_each_wrong_digit_and_each_swap),
        cmocka_unit_test(a_number_is_read_as_people_write_it_and_nothing_else),
        cmocka_unit_test(drawn_numbers_are_right_and_every_digit_is_as_likely),
        cmocka_unit_test_setup(a_sealed_number_opens_for_its_session_only, fresh),
        cmocka_unit_test_setup(a_numbers_hash_needs_the_key, fresh),
        cmocka_unit_test_setup(work_is_for_one_nonce_number_and_key, fresh),
        cmocka_unit_test_setup(a_nonce_is_good_for_two_minutes_and_ours_alone, fresh),
        cmocka_unit_test_setup(a_token_hangs_on_kind_id_and_key, fresh),
        cmocka_unit_test_setup(a_v4_address_counts_alone_and_a_v6_address_with_its_networks, no_misses),
        cmocka_unit_test_setup(each_network_has_its_share, no_misses),
        cmocka_unit_test_setup(twice_the_misses_cost_twice_the_work, no_misses),
        cmocka_unit_test(addresses_and_networks_are_named),
        cmocka_unit_test_setup_teardown(a_source_that_fails_waits_until_its_window_is_over, new_throttle,
                                        free_throttle),
        cmocka_unit_test_setup_teardown(a_time_that_was_taken_a_little_earlier_opens_no_window, new_throttle,
                                        free_throttle),
        cmocka_unit_test_setup_teardown(strangers_suspects_and_friends_have_so_many_tries_at_once,
                                        new_throttle, free_throttle),
        cmocka_unit_test_setup_teardown(a_v6_source_is_its_64, new_throttle, free_throttle),
        cmocka_unit_test_setup_teardown(strangers_of_a_v6_48_leave_places_to_others, new_throttle,
                                        free_throttle),
        cmocka_unit_test_setup_teardown(a_v6_48_fails_four_times_as_often_as_a_64, new_throttle,
                                        free_throttle),
        cmocka_unit_test_setup_teardown(a_source_is_not_forgotten_because_its_try_is_over, new_throttle,
                                        free_throttle),
        cmocka_unit_test_setup_teardown(requests_have_a_pace, new_throttle, free_throttle),
        cmocka_unit_test(the_nearest_region_then_the_least_loaded_relay),
        cmocka_unit_test(a_relay_that_is_silent_down_or_not_permitted_is_not_chosen),
        cmocka_unit_test(more_relays_than_anybody_has_do_no_harm),
        cmocka_unit_test(measurements_that_make_no_sense_are_left_out),
        cmocka_unit_test(a_word_is_listed_whole),
        cmocka_unit_test(ids_rise_whatever_the_clock_does),
        cmocka_unit_test(an_id_has_one_text),
        cmocka_unit_test(a_table_takes_what_it_describes),
        cmocka_unit_test(a_table_refuses_all_else_and_says_which),
        cmocka_unit_test(depth_is_counted_outside_of_texts),
        cmocka_unit_test(nothing_that_was_parsed_looks_like_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
