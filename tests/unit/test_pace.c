/* The sums of the control loop, without a session around it. */
#include "session/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void what_cannot_be_is_dropped_and_the_eighth_time_closes(void **state) {
    (void)state;
    struct tas_pace p;
    tas_pace_init(&p, 0);
    tas_pace_on_sent(&p, 1000, 100);
    tas_pace_on_sent(&p, 1000, 200);
    assert_int_equal(tas_pace_on_ack(&p, 1000, 0, 20100), TAS_OK);
    assert_int_equal(tas_pace_on_ack(&p, 2001, 0, 20100), TAS_E_PROTO); /* never sent */
    assert_int_equal(tas_pace_on_ack(&p, 999, 0, 20100), TAS_E_PROTO);  /* less than before */
    assert_int_equal(tas_pace_on_ack(&p, 2000, 20000, 20100),
                     TAS_E_PROTO);                  /* held longer than it was there */
    assert_int_equal(tas_pace_in_flight(&p), 1000); /* the sample is dropped */
    for (int i = 0; i < 4; i++)
        assert_int_equal(tas_pace_on_bad(&p), TAS_E_PROTO);
    assert_int_equal(tas_pace_on_ack(&p, 2001, 0, 20200), TAS_E_LIMIT);
}

static void an_acknowledgement_without_news_changes_nothing(void **state) {
    (void)state;
    struct tas_pace p;
    tas_pace_init(&p, 0);
    tas_pace_on_sent(&p, 1000, 0);
    assert_int_equal(tas_pace_on_ack(&p, 1000, 0, 10000), TAS_OK);
    uint64_t rate = tas_pace_rate_Bps(&p);
    assert_int_equal(tas_pace_on_ack(&p, 1000, 0, 900000), TAS_OK);
    assert_int_equal(tas_pace_rate_Bps(&p), rate);
    assert_int_equal(p.last_rtt_us, 10000);
}

static void the_hold_time_is_not_the_paths(void **state) {
    (void)state;
    struct tas_pace p;
    tas_pace_init(&p, 0);
    tas_pace_on_sent(&p, 1000, 1000);
    assert_int_equal(tas_pace_on_ack(&p, 1000, 5000, 26000), TAS_OK);
    assert_int_equal(p.min_rtt_us, 20000);
}

/* Ten records at once, then one arrives every 4 ms: 250 kB/s, although the first took 24 ms to be heard of.
 */
static void the_rate_is_read_from_how_records_arrive_and_not_from_how_they_are_sent(void **state) {
    (void)state;
    struct tas_pace p;
    tas_pace_init(&p, 0);
    for (int i = 0; i < 10; i++)
        tas_pace_on_sent(&p, 1000, 0);
    for (uint64_t i = 1; i <= 10; i++)
        assert_int_equal(tas_pace_on_ack(&p, i * 1000, 0, 20000 + i * 4000), TAS_OK);
    assert_in_range(tas_pace_rate_Bps(&p), 245000, 255000);
    assert_in_range(tas_pace_chunk(&p), 2400, 2600);
}

static void a_slower_path_is_believed_after_half_a_second(void **state) {
    (void)state;
    struct tas_pace p;
    tas_pace_init(&p, 0);
    uint64_t now = 0, total = 0;
    for (int fast = 1; fast >= 0; fast--) {
        uint64_t every_us = fast ? 1000 : 10000;
        for (uint64_t until = now + 1500000; now < until; now += every_us) {
            while (tas_pace_in_flight(&p) < 40000)
                tas_pace_on_sent(&p, 1000, now);
            total += 1000;
            assert_int_equal(tas_pace_on_ack(&p, total, 0, now + every_us), TAS_OK);
        }
        uint64_t want = fast ? 1000000 : 100000;
        assert_in_range(tas_pace_rate_Bps(&p), want * 9 / 10, want * 11 / 10);
    }
}

static void after_eight_to_ten_seconds_the_path_is_emptied_once(void **state) {
    (void)state;
    struct tas_pace p;
    tas_pace_init(&p, 0);
    uint64_t total = 0, probes = 0;
    bool was = false;
    for (uint64_t now = 0; now < 30000000; now += 10000) {
        while (tas_pace_in_flight(&p) < 5000)
            tas_pace_on_sent(&p, 1000, now);
        total += 1000;
        assert_int_equal(tas_pace_on_ack(&p, total, 0, now + 10000), TAS_OK);
        (void)tas_pace_window(&p, now + 10000);
        bool is = p.probe_end_us != 0;
        probes += is && !was;
        was = is;
        if (is)
            assert_true(tas_pace_deadline_us(&p) == p.probe_end_us);
    }
    assert_in_range(probes, 2, 4);
}

static void an_empty_path_always_wants_a_frame(void **state) {
    (void)state;
    struct tas_pace p;
    tas_pace_init(&p, 0);
    assert_true(tas_pace_wants_frame(&p, 0));
    tas_pace_on_sent(&p, 100000, 0);
    assert_false(tas_pace_wants_frame(&p, 1000));
    assert_int_equal(tas_pace_room(&p, 1000), 0);
    assert_int_equal(tas_pace_on_ack(&p, 100000, 0, 50000), TAS_OK);
    assert_true(tas_pace_wants_frame(&p, 50000));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_be_is_dropped_and_the_eighth_time_closes),
        cmocka_unit_test(an_acknowledgement_without_news_changes_nothing),
        cmocka_unit_test(the_hold_time_is_not_the_paths),
        cmocka_unit_test(the_rate_is_read_from_how_records_arrive_and_not_from_how_they_are_sent),
        cmocka_unit_test(a_slower_path_is_believed_after_half_a_second),
        cmocka_unit_test(after_eight_to_ten_seconds_the_path_is_emptied_once),
        cmocka_unit_test(an_empty_path_always_wants_a_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
