/* Which sessions a relay keeps out because the management server ended them. */
#include "relay/worker_private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define MINUTE_US UINT64_C(60000000)

static struct relay_kills kills;

static int none(void **state) {
    (void)state;
    memset(&kills, 0, sizeof(kills));
    return 0;
}

static void one_stays_out_for_sixteen_minutes(void **state) {
    (void)state;
    assert_false(relay_kills_has(&kills, 7, 0, 5));
    assert_true(relay_kills_add(&kills, 7, RELAY_ALL_SLOTS, 5));
    for (uint8_t slot = 0; slot < ROOM_SLOTS; slot++) {
        assert_true(relay_kills_has(&kills, 7, slot, 5));
        assert_true(relay_kills_has(&kills, 7, slot, 5 + 16 * MINUTE_US - 1));
        assert_false(relay_kills_has(&kills, 7, slot, 5 + 16 * MINUTE_US));
    }
    assert_false(relay_kills_has(&kills, 8, 0, 5));
}

static void one_that_is_told_again_is_known_and_lives_no_longer(void **state) {
    (void)state;
    assert_true(relay_kills_add(&kills, 7, RELAY_ALL_SLOTS, 0));
    for (uint64_t minute = 0; minute < 16; minute++) {
        assert_false(relay_kills_add(&kills, 7, RELAY_ALL_SLOTS, minute * MINUTE_US));
        assert_false(relay_kills_add(&kills, 7, 1, minute * MINUTE_US));
    }
    assert_int_equal(kills.next, 1);
    assert_false(relay_kills_has(&kills, 7, 0, 16 * MINUTE_US));
    assert_true(relay_kills_add(&kills, 7, RELAY_ALL_SLOTS, 16 * MINUTE_US));
}

static void a_slot_is_not_the_session(void **state) {
    (void)state;
    assert_true(relay_kills_add(&kills, 7, 1, 0));
    assert_true(relay_kills_has(&kills, 7, 1, 0));
    assert_false(relay_kills_has(&kills, 7, 0, 0));
    assert_true(relay_kills_add(&kills, 7, RELAY_ALL_SLOTS, 0));
    assert_true(relay_kills_has(&kills, 7, 0, 0));
}

static void the_oldest_makes_room(void **state) {
    (void)state;
    for (uint64_t id = 0; id < RELAY_KILLS; id++)
        assert_true(relay_kills_add(&kills, id, RELAY_ALL_SLOTS, id));
    assert_true(relay_kills_has(&kills, 0, 0, RELAY_KILLS));
    assert_true(relay_kills_add(&kills, RELAY_KILLS, RELAY_ALL_SLOTS, RELAY_KILLS));
    assert_false(relay_kills_has(&kills, 0, 0, RELAY_KILLS));
    for (uint64_t id = 1; id <= RELAY_KILLS; id++)
        assert_true(relay_kills_has(&kills, id, 0, RELAY_KILLS));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(one_stays_out_for_sixteen_minutes, none),
        cmocka_unit_test_setup(one_that_is_told_again_is_known_and_lives_no_longer, none),
        cmocka_unit_test_setup(a_slot_is_not_the_session, none),
        cmocka_unit_test_setup(the_oldest_makes_room, none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
