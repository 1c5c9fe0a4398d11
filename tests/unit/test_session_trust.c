/* What one end must not be able to make the other believe, and what must not get lost in a flood. */
#include "session/engine_private.h"
#include "sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct sim_world world;
static struct sim sim;

static void start_keyed(void) {
    sim_world_init(&world);
    sim_start(&sim, &world);
    sim.type_code = false;
    assert_true(sim_until(&sim, sim_both_keyed, 2000));
}

static void start_active(void) {
    sim_world_init(&world);
    sim_start(&sim, &world);
    assert_true(sim_until(&sim, sim_both_active, 2000));
}

static void says(unsigned end, uint16_t type, enum tas_class cls, const uint8_t *body, int len) {
    assert_int_equal(engine_send(sim.end[end], type, cls, body, len), TAS_OK);
    sim_run_ms(&sim, 30);
}

static void a_host_that_says_verified_unasked_does_not_verify_itself(void **state) {
    (void)state;
    start_keyed();
    static const uint8_t yes[] = {1, 2};
    says(SIM_HOST, TAS_MESSAGE_VERIFIED, TAS_CLASS_CONTROL, yes, sizeof(yes));
    assert_int_equal(sim.closed[SIM_VIEWER], TAS_END_PROTOCOL);
    assert_string_not_equal(sim.alarm[SIM_VIEWER], "");
    sim_stop(&sim);
}

static void nothing_is_shown_of_a_host_before_the_check_code(void **state) {
    (void)state;
    const struct {
        uint16_t type;
        enum tas_class cls;
        uint8_t body[20];
        int len;
    } pictures[] = {
        {TAS_MESSAGE_SCREEN, TAS_CLASS_SCREEN, {0, 0, 0, 1, 0, 64, 0, 64, 1, 17}, 16},
        {TAS_MESSAGE_CURSOR_POS, TAS_CLASS_CONTROL, {0}, 12},
        {TAS_MESSAGE_GRANTS, TAS_CLASS_CONTROL, {0, 3}, 4},
    };
    for (size_t i = 0; i < sizeof(pictures) / sizeof(pictures[0]); i++) {
        start_keyed();
        assert_int_equal(engine_send(sim.end[SIM_HOST], pictures[i].type, pictures[i].cls, pictures[i].body,
                                     pictures[i].len),
                         TAS_OK);
        if (pictures[i].cls == TAS_CLASS_SCREEN) { /* an honest host would not even seal it */
            sim.end[SIM_HOST]->so.is_wanted = true;
            sim.end[SIM_HOST]->granted = 0xffff;
            sim.end[SIM_HOST]->state = TAS_STATE_ACTIVE;
        }
        sim_run_ms(&sim, 100);
        assert_int_equal(sim.closed[SIM_VIEWER], TAS_END_PROTOCOL);
        assert_int_equal(sim_count(&sim, SIM_VIEWER, TAS_EVENT_SCREEN), 0);
        sim_stop(&sim);
    }
}

static void keys_are_released_and_the_end_is_told_behind_a_flood(void **state) {
    (void)state;
    start_active();
    struct tas_session *host = sim.end[SIM_HOST];
    unsigned leg = (unsigned)host->leg;
    static const uint8_t empty_hs[] = {TAS_RECORD_HS, 0, 0, 1, 0, 0, 0, 0};
    unsigned taken = 0;
    for (int i = 0; i < 20000; i++) { /* no owner listens meanwhile */
        if (tas_session_input_room(host, leg) < sizeof(empty_hs))
            break;
        tas_session_input(host, leg, tas_bytes_of(empty_hs, sizeof(empty_hs)), sim.now_us);
        taken++;
    }
    assert_true(host->n_events <= TAS_EVENTS_MANY + 8);
    tas_session_end(host, TAS_END_CUSTOMER, sim.now_us);
    sim_run_ms(&sim, 100);
    assert_true(taken > 0);
    assert_int_equal(sim.closed[SIM_HOST], TAS_END_CUSTOMER);
    assert_true(sim.n_released > 0);
    assert_int_equal(sim.closed[SIM_VIEWER], TAS_END_CUSTOMER);
    sim_stop(&sim);
}

static void input_that_floods_waits_and_none_of_it_is_lost(void **state) {
    (void)state;
    start_active();
    const struct tas_msg_input in = {.kind = 1, .is_down = 1, .keycode = 30};
    unsigned sent = 0;
    for (int i = 0; i < 3000; i++) {
        sent += tas_session_send_input(sim.end[SIM_VIEWER], &in) == TAS_OK;
        if (i % 100 == 0)
            sim_run_ms(&sim, 5);
    }
    sim_run_ms(&sim, 2000);
    assert_int_equal(sim.n_input, sent);
    assert_true(sim_both_active(&sim));
    sim_stop(&sim);
}

static void a_pointer_of_any_size_is_cut_to_what_a_message_holds(void **state) {
    (void)state;
    start_active();
    sim.screen = tas_picture_new(100, 100);
    assert_int_equal(tas_session_screen(sim.end[SIM_HOST], 100, 100), TAS_OK);
    tas_session_view(sim.end[SIM_VIEWER], true);
    assert_true(sim_until(&sim, sim_pictures_equal, 2000));
    static uint8_t rgba[1024 * 1024];
    const uint16_t sizes[][2] = {{256, 256}, {512, 512}, {1, 1}, {0, 0}, {65535, 4}, {4, 65535}};
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        const struct tas_msg_cursor_image image = {
            .image = i + 1,
            .width = sizes[i][0],
            .height = sizes[i][1],
            .rgba = tas_bytes_of(rgba, (size_t)sizes[i][0] * sizes[i][1] * 4)};
        tas_session_cursor(sim.end[SIM_HOST], 1, 1, &image);
        sim_run_ms(&sim, 200);
        if (sim_any_closed(&sim))
            fail_msg("a pointer of %ux%u: %s", sizes[i][0], sizes[i][1], sim.alarm[SIM_VIEWER]);
    }
    sim_stop(&sim);
}

static void looking_away_and_back_costs_one_repaint_in_two_seconds(void **state) {
    (void)state;
    start_active();
    sim.screen = tas_picture_new(640, 480);
    assert_int_equal(tas_session_screen(sim.end[SIM_HOST], 640, 480), TAS_OK);
    sim_paint(&sim, 0, 0, 640, 480, 0x1234);
    tas_session_view(sim.end[SIM_VIEWER], true);
    assert_true(sim_until(&sim, sim_pictures_equal, 2000));
    uint32_t stream = sim.end[SIM_HOST]->so.stream;
    uint32_t frames = sim.end[SIM_HOST]->frames;
    for (int i = 0; i < 200; i++) {
        tas_session_view(sim.end[SIM_VIEWER], i & 1);
        sim_run_ms(&sim, 10);
    }
    assert_int_equal(sim.end[SIM_HOST]->so.stream, stream);
    assert_true(sim.end[SIM_HOST]->frames - frames <= 3);
    sim_paint(&sim, 3, 3, 30, 30, 0x777);
    assert_true(sim_until(&sim, sim_pictures_equal, 5000));
    sim_stop(&sim);
}

static void the_time_for_the_check_code_runs_through_lost_lines(void **state) {
    (void)state;
    start_keyed();
    for (int i = 0; i < 4; i++) {
        sim_run_ms(&sim, 60 * 1000);
        sim_relay_kill(&sim, 0);
        sim_relay_kill(&sim, 1);
        sim_relay_start(&sim, 0);
        sim_relay_start(&sim, 1);
    }
    assert_int_equal(sim.closed[SIM_HOST], 0);
    sim_run_ms(&sim, 70 * 1000);
    assert_int_not_equal(sim.closed[SIM_HOST], 0);
    sim_stop(&sim);
}

static void chat_is_a_right_once_the_code_was_right(void **state) {
    (void)state;
    start_active();
    tas_session_grant(sim.end[SIM_HOST], TAS_RIGHT_SEE);
    sim_run_ms(&sim, 20);
    assert_int_equal(tas_session_chat(sim.end[SIM_VIEWER], tas_bytes_of("psst", 4), 0), TAS_OK);
    sim_run_ms(&sim, 50);
    assert_int_equal(sim.n_chat[SIM_HOST], 0);
    assert_int_equal(sim.n_refused[SIM_HOST], 1);
    tas_session_grant(sim.end[SIM_HOST], TAS_RIGHT_CHAT);
    assert_int_equal(tas_session_chat(sim.end[SIM_VIEWER], tas_bytes_of("hello", 5), 0), TAS_OK);
    sim_run_ms(&sim, 50);
    assert_string_equal(sim.chat[SIM_HOST], "hello");
    sim_stop(&sim);
}

static void the_machine_is_told_only_when_the_customer_allows_it(void **state) {
    (void)state;
    static char json[15 * 1024 + 1];
    memset(json, ' ', sizeof(json));
    start_active();
    struct tas_session *host = sim.end[SIM_HOST];
    tas_session_grant(host, TAS_RIGHT_SEE);
    assert_int_equal(tas_session_device(host, tas_bytes_of("{}", 2)), TAS_E_RIGHT);
    tas_session_grant(host, TAS_RIGHT_DEVICE);
    tas_session_pause(host, true);
    assert_int_equal(tas_session_device(host, tas_bytes_of("{}", 2)), TAS_E_RIGHT);
    tas_session_pause(host, false);
    assert_int_equal(tas_session_device(host, tas_bytes_of("{\xff}", 3)), TAS_E_PROTO);
    assert_int_equal(tas_session_device(host, tas_bytes_of(json, sizeof(json))), TAS_E_LIMIT);
    assert_int_equal(tas_session_device(host, tas_bytes_of(json, sizeof(json) - 1)), TAS_OK);
    sim_run_ms(&sim, 50);
    assert_int_equal(sim.n_device, 1);
    assert_int_equal(sim.device_len, sizeof(json) - 1);
    assert_true(sim_both_active(&sim));
    sim_stop(&sim);
}

static void nobody_ends_a_session_in_anothers_name(void **state) {
    (void)state;
    for (unsigned end = 0; end < 2; end++)
        for (unsigned reason = TAS_END_OPERATOR; reason <= TAS_END_ADMIN; reason++) {
            start_active();
            tas_session_end(sim.end[end], (enum tas_end_reason)reason, sim.now_us);
            sim_run_ms(&sim, 50);
            assert_int_equal(sim.closed[!end], end == SIM_HOST ? TAS_END_CUSTOMER : TAS_END_OPERATOR);
            sim_stop(&sim);
        }
}

static void a_slow_line_resumes_though_the_answer_takes_seconds(void **state) {
    (void)state;
    start_active();
    sim.delay_us = 650 * 1000; /* four cables: 2.6 s there and back */
    sim_run_ms(&sim, 5000);
    sim_relay_kill(&sim, 0);
    sim_run_ms(&sim, 100);
    assert_true(sim_until(&sim, sim_both_active, 40000));
    assert_string_equal(sim.alarm[SIM_VIEWER], "");
    sim_stop(&sim);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_that_says_verified_unasked_does_not_verify_itself),
        cmocka_unit_test(nothing_is_shown_of_a_host_before_the_check_code),
        cmocka_unit_test(keys_are_released_and_the_end_is_told_behind_a_flood),
        cmocka_unit_test(input_that_floods_waits_and_none_of_it_is_lost),
        cmocka_unit_test(a_pointer_of_any_size_is_cut_to_what_a_message_holds),
        cmocka_unit_test(looking_away_and_back_costs_one_repaint_in_two_seconds),
        cmocka_unit_test(the_time_for_the_check_code_runs_through_lost_lines),
        cmocka_unit_test(chat_is_a_right_once_the_code_was_right),
        cmocka_unit_test(the_machine_is_told_only_when_the_customer_allows_it),
        cmocka_unit_test(nobody_ends_a_session_in_anothers_name),
        cmocka_unit_test(a_slow_line_resumes_though_the_answer_takes_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
