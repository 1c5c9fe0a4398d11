/* Whole sessions of two engines over pretended relays, under a fake clock. */
#include "sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void ends_meet_and_the_check_code_makes_them_active(void **state) {
    (void)state;
    struct sim_world w;
    static struct sim sim;
    sim_world_init(&w);
    sim_start(&sim, &w);
    assert_true(sim_until(&sim, sim_both_active, 2000));
    assert_string_equal(sim.peer[SIM_HOST].name, "佐藤 Sato");
    assert_string_equal(sim.peer[SIM_HOST].company, "例株式会社");
    assert_int_equal(sim.grants, 0x7f);
    sim_stop(&sim);
}

static void start_screen(struct sim *sim, uint32_t width, uint32_t height) {
    sim->screen = tas_picture_new(width, height);
    assert_non_null(sim->screen);
    assert_int_equal(tas_session_screen(sim->end[SIM_HOST], width, height), TAS_OK);
    tas_session_view(sim->end[SIM_VIEWER], true);
}

static void start_active(struct sim *sim, struct sim_world *w) {
    sim_world_init(w);
    sim_start(sim, w);
    assert_true(sim_until(sim, sim_both_active, 2000));
}

static void the_picture_arrives_exactly_and_follows_changes(void **state) {
    (void)state;
    struct sim_world w;
    static struct sim sim;
    start_active(&sim, &w);
    start_screen(&sim, 300, 200);
    sim_paint(&sim, 10, 10, 200, 100, 0x123456);
    assert_true(sim_until(&sim, sim_pictures_equal, 2000));
    sim_paint(&sim, 299, 199, 1, 1, 0xffffff);
    assert_false(sim_pictures_equal(&sim));
    assert_true(sim_until(&sim, sim_pictures_equal, 2000));
    sim_stop(&sim);
}

static bool viewer_has_3_chats(const struct sim *sim) {
    return sim->n_chat[SIM_VIEWER] == 3;
}

static void a_killed_relay_interrupts_and_loses_nothing(void **state) {
    (void)state;
    struct sim_world w;
    static struct sim sim;
    start_active(&sim, &w);
    start_screen(&sim, 300, 200);
    sim_run_ms(&sim, 3000);
    sim_paint(&sim, 0, 0, 300, 200, 0x55);
    assert_int_equal(tas_session_chat(sim.end[SIM_HOST], tas_bytes_of("one", 3), 0), TAS_OK);
    sim_run_ms(&sim, 1);
    assert_int_equal(tas_session_chat(sim.end[SIM_HOST], tas_bytes_of("two", 3), 0), TAS_OK);
    sim_relay_kill(&sim, 0);
    assert_int_equal(tas_session_chat(sim.end[SIM_HOST], tas_bytes_of("three", 5), 0), TAS_OK);
    assert_true(sim_until(&sim, viewer_has_3_chats, 2000));
    assert_string_equal(sim.chat[SIM_VIEWER], "three");
    assert_true(sim_until(&sim, sim_both_active, 2000));
    assert_true(sim_until(&sim, sim_pictures_equal, 2000));
    assert_int_equal(sim_count(&sim, SIM_HOST, TAS_EVENT_CHECK_CODE), 1);
    assert_true(sim.longest_us < 2000000);
    sim_run_ms(&sim, 1000);
    assert_int_equal(sim.n_chat[SIM_VIEWER], 3);
    sim_stop(&sim);
}

static bool viewer_resumed(const struct sim *sim) {
    return sim->longest_us > 0 && sim_both_active(sim);
}

static void a_cable_cut_from_one_relay_moves_both_to_the_other_within_two_seconds(void **state) {
    (void)state;
    for (unsigned end = 0; end < 2; end++) {
        struct sim_world w;
        static struct sim sim;
        start_active(&sim, &w);
        start_screen(&sim, 200, 100);
        assert_true(sim_until(&sim, sim_pictures_equal, 2000));
        sim.is_cut_from[end][0] = true;
        sim_paint(&sim, 5, 5, 100, 50, 0x99);
        /* the pretended relay notices silence after 1.0 s, as the real one does */
        sim_run_ms(&sim, 1000);
        uint64_t cut = sim.now_us - 1000000;
        for (unsigned leg = 0; leg < TAS_LEGS; leg++)
            if (sim.sock[!end][leg].is_joined) {
                static const uint8_t host_gone[] = {0x05, 0, 0, 0, 0, 0, 0, 8, 0, 2, 0, 0, 0, 0, 0, 9};
                uint8_t rec[sizeof(host_gone)];
                memcpy(rec, host_gone, sizeof(rec));
                rec[8] = (uint8_t)end;
                tas_session_input(sim.end[!end], leg, tas_bytes_of(rec, sizeof(rec)), sim.now_us);
            }
        assert_true(sim_until(&sim, viewer_resumed, 3000));
        assert_true(sim_until(&sim, sim_pictures_equal, 3000));
        if (end == SIM_HOST) /* a host waits longer before it looks elsewhere */
            assert_true(sim.now_us - cut < 2000000);
        sim_stop(&sim);
    }
}

static bool viewer_closed(const struct sim *sim) {
    return sim->closed[SIM_VIEWER] && sim->closed[SIM_HOST];
}

static void a_second_wrong_check_code_closes_with_an_alarm_at_both_ends(void **state) {
    (void)state;
    struct sim_world w;
    static struct sim sim;
    sim_world_init(&w);
    for (int wrong_half = 0; wrong_half < 2; wrong_half++) {
        sim_start(&sim, &w);
        sim.type_code = false;
        assert_true(sim_until(&sim, sim_both_keyed, 2000));
        char wrong[16];
        memcpy(wrong, sim.code, sizeof(wrong));
        char *digit = &wrong[wrong_half ? 10 : 0];
        *digit = *digit == '9' ? '0' : (char)(*digit + 1);
        int first = tas_session_type_code(sim.end[SIM_VIEWER], wrong, sim.now_us);
        assert_int_equal(first, wrong_half ? TAS_OK : TAS_E_AUTH);
        sim_run_ms(&sim, 50);
        assert_int_equal(sim.state[SIM_VIEWER], TAS_STATE_KEYED);
        int second = tas_session_type_code(sim.end[SIM_VIEWER], wrong, sim.now_us);
        assert_int_equal(second, wrong_half ? TAS_OK : TAS_E_AUTH);
        assert_true(sim_until(&sim, viewer_closed, 1000));
        assert_int_equal(sim.closed[SIM_VIEWER], TAS_END_CODE);
        assert_int_equal(sim.closed[SIM_HOST], TAS_END_CODE);
        assert_true(sim.alarm[SIM_HOST][0] && sim.alarm[SIM_VIEWER][0]);
        sim_stop(&sim);
    }
}

static void keys_are_replaced_every_quarter_of_an_hour_and_nothing_is_lost(void **state) {
    (void)state;
    struct sim_world w;
    static struct sim sim;
    start_active(&sim, &w);
    start_screen(&sim, 200, 100);
    struct tas_session_figures f;
    sim_run_ms(&sim, 14 * 60 * 1000);
    tas_session_figures(sim.end[SIM_VIEWER], &f, sim.now_us);
    assert_int_equal(f.resumes, 0);
    for (int i = 0; i < 180; i++) { /* chat and paint once a second through it */
        assert_int_equal(tas_session_chat(sim.end[SIM_HOST], tas_bytes_of("x", 1), 0), TAS_OK);
        sim_paint(&sim, 10, 10, 50, 50, (uint32_t)i * 99);
        sim_run_ms(&sim, 1000);
    }
    tas_session_figures(sim.end[SIM_VIEWER], &f, sim.now_us);
    assert_int_equal(f.resumes, 1);
    assert_true(sim_both_active(&sim));
    assert_int_equal(sim.n_chat[SIM_VIEWER], 180);
    assert_true(sim_until(&sim, sim_pictures_equal, 2000));
    assert_int_equal(sim_count(&sim, SIM_HOST, TAS_EVENT_CHECK_CODE), 1);
    sim_stop(&sim);
}

static void new_keys_wait_for_a_pause_in_the_input_but_not_for_ever(void **state) {
    (void)state;
    struct sim_world w;
    static struct sim sim;
    start_active(&sim, &w);
    start_screen(&sim, 200, 100);
    struct tas_session_figures f;
    sim_run_ms(&sim, 14 * 60 * 1000 + 50 * 1000);
    const struct tas_msg_input in = {.kind = 2, .x = 5, .y = 5, .buttons = 1};
    for (int i = 0; i < 60; i++) { /* a drag of one minute */
        assert_int_equal(tas_session_send_input(sim.end[SIM_VIEWER], &in), TAS_OK);
        sim_run_ms(&sim, 1000);
    }
    tas_session_figures(sim.end[SIM_VIEWER], &f, sim.now_us);
    assert_int_equal(f.resumes, 0);
    for (int i = 0; i < 20; i++) {
        (void)!tas_session_send_input(sim.end[SIM_VIEWER], &in);
        sim_run_ms(&sim, 1000);
    }
    tas_session_figures(sim.end[SIM_VIEWER], &f, sim.now_us);
    assert_int_equal(f.resumes, 1);
    sim_stop(&sim);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_meet_and_the_check_code_makes_them_active),
        cmocka_unit_test(the_picture_arrives_exactly_and_follows_changes),
        cmocka_unit_test(a_killed_relay_interrupts_and_loses_nothing),
        cmocka_unit_test(a_cable_cut_from_one_relay_moves_both_to_the_other_within_two_seconds),
        cmocka_unit_test(a_second_wrong_check_code_closes_with_an_alarm_at_both_ends),
        cmocka_unit_test(keys_are_replaced_every_quarter_of_an_hour_and_nothing_is_lost),
        cmocka_unit_test(new_keys_wait_for_a_pause_in_the_input_but_not_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
