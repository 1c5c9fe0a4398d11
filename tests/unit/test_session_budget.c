/* What a frame may cost: bytes by the path, work by the machine, quality by the queue. */
#include "session/budget.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum {
    MBIT = 1000 * 1000 / 8, /* bytes a second */
    RTT_US = 20 * 1000,
    STEP_US = 500 * 1000,
    AREA = 1920 * 1080,
    START_US = 10 * 1000 * 1000,
    BEST = 80,
    WORST = 35,
};

/* A path that is known to carry so much, with so long a queue. */
static struct tas_pace path_of(uint64_t bytes_per_s, uint64_t queue_us) {
    struct tas_pace pace;
    tas_pace_init(&pace, START_US);
    pace.rates[0].Bps = bytes_per_s;
    pace.rates[0].at_us = START_US;
    pace.n_rates = 1;
    pace.min_rtt_us = RTT_US;
    pace.last_rtt_us = RTT_US + queue_us;
    return pace;
}

static struct tas_frame_order frame_on(struct tas_budget *b, uint64_t bytes_per_s) {
    struct tas_pace pace = path_of(bytes_per_s, 0);
    return tas_budget_frame(b, &pace, AREA, START_US);
}

static void the_first_frame_is_small_and_good(void **state) {
    (void)state;
    struct tas_budget b;
    struct tas_pace unknown;
    tas_budget_init(&b);
    tas_pace_init(&unknown, START_US);
    struct tas_frame_order order = tas_budget_frame(&b, &unknown, AREA, START_US);
    assert_in_range(order.bytes, 16 * 1024, 64 * 1024);
    assert_in_range(order.pixels, 200 * 1000, AREA);
    assert_int_equal(order.quality, BEST);
    assert_true(order.is_text_only);
    assert_int_equal(order.capture_us, START_US);
}

static void bytes_follow_the_path(void **state) {
    (void)state;
    struct tas_budget b;
    tas_budget_init(&b);
    assert_int_equal(frame_on(&b, 5 * MBIT).bytes, 5 * MBIT / 25); /* 40 ms of it */
    assert_int_equal(frame_on(&b, 80 * MBIT).bytes, 80 * MBIT / 25);
    assert_in_range(frame_on(&b, 1).bytes, 4096, 8192); /* it must get on */
    assert_int_equal(frame_on(&b, UINT64_MAX / 1000000).bytes, TAS_FRAME_MAX);
}

static void work_follows_the_machine(void **state) {
    (void)state;
    struct tas_budget b;
    tas_budget_init(&b);
    for (unsigned i = 0; i < 40; i++)
        tas_budget_coded(&b, AREA, AREA * 60 / 1000); /* 60 ns a pixel */
    assert_in_range(frame_on(&b, MBIT).pixels, 295 * 1000, 305 * 1000);
    uint32_t before = frame_on(&b, MBIT).pixels;
    tas_budget_coded(&b, 1000, 5000); /* a frame with hardly anything in it says nothing */
    assert_int_equal(frame_on(&b, MBIT).pixels, before);
    for (unsigned i = 0; i < 100; i++)
        tas_budget_coded(&b, AREA, UINT32_MAX); /* the machine slept */
    assert_in_range(frame_on(&b, MBIT).pixels, 10 * 1000, 20 * 1000);
    for (unsigned i = 0; i < 100; i++)
        tas_budget_coded(&b, AREA, 0);
    assert_in_range(frame_on(&b, MBIT).pixels, AREA, UINT32_MAX);
}

static void quality_falls_once_for_a_queue_and_comes_back(void **state) {
    (void)state;
    struct tas_budget b;
    struct tas_pace queue = path_of(MBIT, 100 * 1000), none = path_of(MBIT, 0),
                    some = path_of(MBIT, 40 * 1000);
    tas_budget_init(&b);
    uint64_t now = START_US;
    tas_budget_follow(&b, &queue, now);
    uint8_t fallen = tas_budget_frame(&b, &none, AREA, now).quality;
    assert_in_range(fallen, WORST, BEST - 1);
    tas_budget_follow(&b, &queue, now + 1000); /* the same queue, the next frame in it */
    assert_int_equal(tas_budget_frame(&b, &none, AREA, now).quality, fallen);
    for (unsigned i = 0; i < 20; i++)
        tas_budget_follow(&b, &queue, now += STEP_US);
    assert_int_equal(tas_budget_frame(&b, &none, AREA, now).quality, WORST);
    tas_budget_follow(&b, &some, now += STEP_US); /* neither long nor short: as it is */
    assert_int_equal(tas_budget_frame(&b, &none, AREA, now).quality, WORST);
    tas_budget_follow(&b, &none, now += STEP_US);
    uint8_t risen = tas_budget_frame(&b, &none, AREA, now).quality;
    assert_in_range(risen, WORST + 1, BEST);
    tas_budget_follow(&b, &none, now + 1000); /* not two steps at once */
    assert_int_equal(tas_budget_frame(&b, &none, AREA, now).quality, risen);
    for (unsigned i = 0; i < 20; i++)
        tas_budget_follow(&b, &none, now += STEP_US);
    assert_int_equal(tas_budget_frame(&b, &none, AREA, now).quality, BEST);
}

static void text_goes_first_on_a_thin_line_but_not_for_ever(void **state) {
    (void)state;
    struct tas_budget b;
    tas_budget_init(&b);
    assert_true(frame_on(&b, 5 * MBIT).is_text_only);
    assert_false(frame_on(&b, 100 * MBIT).is_text_only);
    b.had_text = true; /* photographs wait */
    assert_false(frame_on(&b, 5 * MBIT).is_text_only);
}

static void a_film_gets_its_share_and_no_more(void **state) {
    (void)state;
    struct tas_budget b;
    tas_budget_init(&b);
    assert_int_equal(frame_on(&b, 5 * MBIT).video_bps, 3500 * 1000);
    assert_int_equal(frame_on(&b, 1).video_bps, 300 * 1000);
    uint32_t most = frame_on(&b, 1000 * (uint64_t)MBIT).video_bps;
    assert_in_range(most, 4 * 1000 * 1000, 10 * 1000 * 1000);
}

static void refinement_is_smaller_and_its_jpeg_in_full_colour(void **state) {
    (void)state;
    struct tas_budget b;
    struct tas_pace pace = path_of(5 * MBIT, 0);
    tas_budget_init(&b);
    struct tas_frame_order exact = tas_budget_refinement(&b, &pace, 0, START_US);
    assert_int_equal(exact.bytes, 5 * MBIT / 50); /* 20 ms */
    assert_int_equal(exact.quality, 0);
    assert_false(exact.is_full_colour);
    struct tas_frame_order better = tas_budget_refinement(&b, &pace, 92, START_US);
    assert_int_equal(better.quality, 92);
    assert_true(better.is_full_colour);
}

static void a_better_jpeg_comes_first_where_exact_takes_long(void **state) {
    (void)state;
    struct tas_pace thin = path_of(5 * MBIT, 0), wide = path_of(100 * MBIT, 0), unknown = path_of(0, 0);
    assert_int_equal(tas_budget_better_quality(&thin, AREA), 92);
    assert_int_equal(tas_budget_better_quality(&thin, 100 * 1000), 0);
    assert_int_equal(tas_budget_better_quality(&wide, AREA), 0);
    assert_int_equal(tas_budget_better_quality(&unknown, AREA), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_frame_is_small_and_good),
        cmocka_unit_test(bytes_follow_the_path),
        cmocka_unit_test(work_follows_the_machine),
        cmocka_unit_test(quality_falls_once_for_a_queue_and_comes_back),
        cmocka_unit_test(text_goes_first_on_a_thin_line_but_not_for_ever),
        cmocka_unit_test(a_film_gets_its_share_and_no_more),
        cmocka_unit_test(refinement_is_smaller_and_its_jpeg_in_full_colour),
        cmocka_unit_test(a_better_jpeg_comes_first_where_exact_takes_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
