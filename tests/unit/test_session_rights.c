/* What the customer allows, and the screen that follows from it. */
#include "session/engine_private.h"
#include "sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct sim sim;
static struct sim_world world;

static void start(void) {
    sim_world_init(&world);
    sim_start(&sim, &world);
    assert_true(sim_until(&sim, sim_both_active, 2000));
}

static void start_screen(uint32_t width, uint32_t height) {
    start();
    sim.screen = tas_picture_new(width, height);
    assert_non_null(sim.screen);
    assert_int_equal(tas_session_screen(sim.end[SIM_HOST], width, height), TAS_OK);
    tas_session_view(sim.end[SIM_VIEWER], true);
    assert_true(sim_until(&sim, sim_pictures_equal, 2000));
    sim_run_ms(&sim, 300);
}

static void paint_noise(uint32_t width, uint32_t height) {
    uint32_t noise = 7;
    for (uint32_t y = 0; y < height; y++)
        for (uint32_t x = 0; x < width; x++) {
            noise = noise * 1664525 + 1013904223;
            sim.screen->px[y * sim.screen->stride + x] = noise >> 8;
        }
    tas_tiles_set_rect(tas_session_dirty(sim.end[SIM_HOST]), 0, 0, width, height);
}

static void rights_changed_at_any_time_are_what_both_ends_know(void **state) {
    (void)state;
    start();
    tas_session_grant(sim.end[SIM_HOST], TAS_RIGHT_SEE);
    sim_run_ms(&sim, 50);
    assert_int_equal(sim.grants, TAS_RIGHT_SEE);
    sim_relay_kill(&sim, 0);
    assert_int_equal(sim.end[SIM_HOST]->state, TAS_STATE_SUSPENDED);
    tas_session_grant(sim.end[SIM_HOST], TAS_RIGHT_SEE | TAS_RIGHT_CONTROL);
    sim_run_ms(&sim, 5);
    assert_true(sim_until(&sim, sim_both_active, 3000));
    sim_run_ms(&sim, 50);
    assert_int_equal(sim.grants, TAS_RIGHT_SEE | TAS_RIGHT_CONTROL);
    sim_relay_start(&sim, 0);
    sim_relay_kill(&sim, 1);
    tas_session_pause(sim.end[SIM_HOST], true);
    sim_run_ms(&sim, 5);
    assert_true(sim_until(&sim, sim_both_active, 3000));
    sim_run_ms(&sim, 50);
    assert_true(sim.end[SIM_VIEWER]->is_paused);
    const struct tas_msg_input in = {.kind = 1};
    assert_int_equal(tas_session_send_input(sim.end[SIM_VIEWER], &in), TAS_E_RIGHT);
    sim_stop(&sim);
}

static void keys_are_released_when_the_right_the_line_or_the_session_ends(void **state) {
    (void)state;
    start();
    assert_int_equal(sim.n_released, 0);
    tas_session_pause(sim.end[SIM_HOST], true);
    sim_run_ms(&sim, 10);
    assert_int_equal(sim.n_released, 1);
    tas_session_pause(sim.end[SIM_HOST], false);
    tas_session_grant(sim.end[SIM_HOST], TAS_RIGHT_SEE);
    sim_run_ms(&sim, 10);
    assert_int_equal(sim.n_released, 2);
    tas_session_grant(sim.end[SIM_HOST], 0x7f);
    sim_relay_kill(&sim, 0);
    sim_run_ms(&sim, 10);
    assert_int_equal(sim.n_released, 3);
    assert_true(sim_until(&sim, sim_both_active, 3000));
    tas_session_end(sim.end[SIM_HOST], TAS_END_CUSTOMER, sim.now_us);
    sim_run_ms(&sim, 10);
    assert_int_equal(sim.n_released, 4);
    assert_int_equal(sim.closed[SIM_VIEWER], TAS_END_CUSTOMER);
    sim_stop(&sim);
}

static void a_pause_stops_even_a_frame_that_is_half_sent(void **state) {
    (void)state;
    start_screen(256, 256);
    sim.rate_Bps[SIM_HOST] = 100000;
    paint_noise(256, 256); /* 2 s of line */
    sim_run_ms(&sim, 200);
    tas_session_pause(sim.end[SIM_HOST], true);
    sim_run_ms(&sim, 200); /* what is on the line arrives */
    unsigned before = sim.n_class[SIM_HOST][TAS_CLASS_SCREEN];
    sim_run_ms(&sim, 3000);
    assert_int_equal(sim.n_class[SIM_HOST][TAS_CLASS_SCREEN], before);
    assert_false(sim_pictures_equal(&sim));
    tas_session_pause(sim.end[SIM_HOST], false);
    assert_true(sim_until(&sim, sim_pictures_equal, 6000));
    sim_stop(&sim);
}

static void a_view_asked_for_during_a_pause_comes_after_it(void **state) {
    (void)state;
    start();
    sim.screen = tas_picture_new(100, 80);
    assert_int_equal(tas_session_screen(sim.end[SIM_HOST], 100, 80), TAS_OK);
    sim_paint(&sim, 0, 0, 50, 50, 5);
    tas_session_pause(sim.end[SIM_HOST], true);
    sim_run_ms(&sim, 20);
    tas_session_view(sim.end[SIM_VIEWER], true);
    sim_run_ms(&sim, 500);
    assert_int_equal(sim.n_class[SIM_HOST][TAS_CLASS_SCREEN], 0);
    tas_session_pause(sim.end[SIM_HOST], false);
    assert_true(sim_until(&sim, sim_pictures_equal, 1000));
    sim_stop(&sim);
}

static void the_view_goes_off_and_on_again(void **state) {
    (void)state;
    start_screen(200, 150);
    tas_session_view(sim.end[SIM_VIEWER], false);
    sim_run_ms(&sim, 50);
    unsigned before = sim.n_class[SIM_HOST][TAS_CLASS_SCREEN];
    sim_paint(&sim, 10, 10, 90, 90, 0x1234);
    sim_run_ms(&sim, 1000);
    assert_int_equal(sim.n_class[SIM_HOST][TAS_CLASS_SCREEN], before);
    tas_session_view(sim.end[SIM_VIEWER], true);
    assert_true(sim_until(&sim, sim_pictures_equal, 1000));
    sim_stop(&sim);
}

static void a_screen_of_another_size_is_shown_whole(void **state) {
    (void)state;
    start_screen(200, 150);
    static const uint32_t sizes[][2] = {{320, 64}, {1, 1}, {65, 300}};
    for (unsigned i = 0; i < 3; i++) {
        tas_picture_free(sim.screen);
        sim.screen = tas_picture_new(sizes[i][0], sizes[i][1]);
        assert_int_equal(tas_session_screen(sim.end[SIM_HOST], sizes[i][0], sizes[i][1]), TAS_OK);
        sim_paint(&sim, 0, 0, sizes[i][0], sizes[i][1], i * 50 + 9);
        assert_true(sim_until(&sim, sim_pictures_equal, 1000));
    }
    assert_int_equal(sim_count(&sim, SIM_VIEWER, TAS_EVENT_SCREEN), 4);
    /* and when the line is lost before the viewer hears of it */
    tas_picture_free(sim.screen);
    sim.screen = tas_picture_new(128, 128);
    assert_int_equal(tas_session_screen(sim.end[SIM_HOST], 128, 128), TAS_OK);
    sim_paint(&sim, 3, 3, 99, 99, 77);
    sim_run_ms(&sim, 1);
    sim_relay_kill(&sim, 0);
    sim_run_ms(&sim, 1);
    assert_true(sim_until(&sim, sim_both_active, 3000));
    assert_true(sim_until(&sim, sim_pictures_equal, 1000));
    sim_stop(&sim);
}

static void frames_lost_with_the_line_are_painted_again(void **state) {
    (void)state;
    for (unsigned ms = 0; ms < 20; ms++) {
        start_screen(300, 200);
        sim.delay_us = 5000;
        for (unsigned i = 0; i < 5; i++) {
            sim_paint(&sim, i * 40, i * 30, 60, 50, ms * 1000 + i);
            sim_run_ms(&sim, ms / 2);
        }
        sim_relay_kill(&sim, 0);
        assert_true(sim_until(&sim, sim_both_active, 3000));
        assert_true(sim_until(&sim, sim_pictures_equal, 1000));
        sim_stop(&sim);
    }
}

/* A viewer that passes over a frame asks for a refresh; one is enough, and it does not freeze the picture. */
static void a_frame_passed_over_is_repaired_at_once(void **state) {
    (void)state;
    start_screen(300, 200);
    sim_run_ms(&sim, 2500);
    sim.delay_us = 20000;
    sim.decode = false;
    for (unsigned i = 0; i < 10; i++) {
        sim_paint(&sim, i * 20, 10, 50, 50, i * 7 + 1);
        sim_run_ms(&sim, 9);
        if (i == 4)
            sim.decode = true;
    }
    uint64_t from = sim.now_us;
    for (unsigned i = 0; i < 100; i++) {
        sim_paint(&sim, i, 60, 50, 50, i * 13 + 1);
        sim_run_ms(&sim, 10);
    }
    assert_true(sim_until(&sim, sim_pictures_equal, 500));
    assert_true(sim.now_us - from < 1500000);
    sim_stop(&sim);
}

static void the_pointer_is_shown_and_comes_back_after_a_resume(void **state) {
    (void)state;
    start_screen(100, 100);
    const uint8_t pixels[16] = {1};
    const struct tas_msg_cursor_image image = {
        .image = 3, .width = 2, .height = 2, .rgba = tas_bytes_of(pixels, sizeof(pixels))};
    tas_session_cursor(sim.end[SIM_HOST], 5, 6, &image);
    sim_run_ms(&sim, 20);
    assert_int_equal(sim_count(&sim, SIM_VIEWER, TAS_EVENT_CURSOR_IMAGE), 1);
    assert_int_equal(sim_count(&sim, SIM_VIEWER, TAS_EVENT_CURSOR_POS), 1);
    sim_relay_kill(&sim, 0);
    sim_run_ms(&sim, 1);
    assert_true(sim_until(&sim, sim_both_active, 3000));
    sim_run_ms(&sim, 20);
    assert_int_equal(sim_count(&sim, SIM_VIEWER, TAS_EVENT_CURSOR_IMAGE), 2);
    assert_int_equal(sim_count(&sim, SIM_VIEWER, TAS_EVENT_CURSOR_POS), 2);
    sim_stop(&sim);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rights_changed_at_any_time_are_what_both_ends_know),
        cmocka_unit_test(keys_are_released_when_the_right_the_line_or_the_session_ends),
        cmocka_unit_test(a_pause_stops_even_a_frame_that_is_half_sent),
        cmocka_unit_test(a_view_asked_for_during_a_pause_comes_after_it),
        cmocka_unit_test(the_view_goes_off_and_on_again),
        cmocka_unit_test(a_screen_of_another_size_is_shown_whole),
        cmocka_unit_test(frames_lost_with_the_line_are_painted_again),
        cmocka_unit_test(a_frame_passed_over_is_repaired_at_once),
        cmocka_unit_test(the_pointer_is_shown_and_comes_back_after_a_resume),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
