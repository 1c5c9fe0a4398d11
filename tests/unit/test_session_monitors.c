/* Which monitor is seen: told to who may see, chosen with VIEW, and input that was aimed at another one. */
#include "session/engine_private.h"
#include "sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct sim sim;
static struct sim_world world;
static unsigned last_wanted, n_wanted; /* by VIEW, at the host */

static void note_view(struct sim *s, unsigned end, const struct tas_event *ev) {
    (void)s;
    if (end != SIM_HOST || ev->kind != TAS_EVENT_VIEW)
        return;
    last_wanted = ev->number;
    n_wanted++;
}

static void start(void) {
    sim_world_init(&world);
    sim_start(&sim, &world);
    sim.on_event = note_view;
    last_wanted = 999;
    n_wanted = 0;
    assert_true(sim_until(&sim, sim_both_active, 2000));
    sim_run_ms(&sim, 50);
}

static const struct tas_monitors two = {
    .shown = 5,
    .n = 2,
    .list = {{.id = 5, .is_primary = true, .width = 100, .height = 80, .name = "DP-1"},
             {.id = 2, .x = 100, .y = 10, .width = 64, .height = 60, .name = "画面"}},
};

static void show(uint32_t width, uint32_t height, const struct tas_monitors *monitors) {
    tas_picture_free(sim.screen);
    sim.screen = tas_picture_new(width, height);
    assert_non_null(sim.screen);
    assert_int_equal(tas_session_screen(sim.end[SIM_HOST], width, height), TAS_OK);
    tas_session_monitors(sim.end[SIM_HOST], monitors);
}

static void start_seen(void) {
    start();
    show(100, 80, &two);
    tas_session_view(sim.end[SIM_VIEWER], true);
    assert_true(sim_until(&sim, sim_pictures_equal, 2000));
    sim_run_ms(&sim, 300);
}

static void assert_known(const struct tas_monitors *want) {
    const struct tas_monitors *got = tas_session_remote_monitors(sim.end[SIM_VIEWER]);
    assert_int_equal(got->shown, want->shown);
    assert_int_equal(got->n, want->n);
    for (unsigned i = 0; i < want->n; i++) {
        assert_int_equal(got->list[i].id, want->list[i].id);
        assert_int_equal(got->list[i].is_primary, want->list[i].is_primary);
        assert_int_equal(got->list[i].x, want->list[i].x);
        assert_int_equal(got->list[i].y, want->list[i].y);
        assert_int_equal(got->list[i].width, want->list[i].width);
        assert_int_equal(got->list[i].height, want->list[i].height);
        assert_string_equal(got->list[i].name, want->list[i].name);
    }
}

static void monitors_are_told_once_to_who_may_see(void **state) {
    (void)state;
    start();
    tas_session_grant(sim.end[SIM_HOST], TAS_RIGHT_CHAT);
    sim_run_ms(&sim, 50);
    show(100, 80, &two);
    sim_run_ms(&sim, 500);
    assert_int_equal(sim_count(&sim, SIM_VIEWER, TAS_EVENT_MONITORS), 0);
    tas_session_grant(sim.end[SIM_HOST], TAS_RIGHT_CHAT | TAS_RIGHT_SEE);
    sim_run_ms(&sim, 50);
    assert_known(&two);
    tas_session_pause(sim.end[SIM_HOST], true);
    sim_run_ms(&sim, 50);
    tas_session_pause(sim.end[SIM_HOST], false);
    sim_run_ms(&sim, 50);
    assert_int_equal(sim_count(&sim, SIM_VIEWER, TAS_EVENT_MONITORS), 1);
    sim_stop(&sim);
}

static void monitors_changed_while_the_line_is_lost_are_told_after_it(void **state) {
    (void)state;
    start_seen();
    struct tas_monitors other = two;
    sim_relay_kill(&sim, 0);
    assert_int_equal(sim.end[SIM_HOST]->state, TAS_STATE_SUSPENDED);
    for (unsigned i = 0; i < 4; i++) {
        other.shown = i % 2 ? 2 : 5;
        show(other.shown == 2 ? 64 : 100, other.shown == 2 ? 60 : 80, &other);
    }
    sim_run_ms(&sim, 5);
    assert_true(sim_until(&sim, sim_both_active, 3000));
    assert_true(sim_until(&sim, sim_pictures_equal, 2000));
    sim_run_ms(&sim, 100);
    assert_known(&other);
    assert_int_equal(sim_count(&sim, SIM_VIEWER, TAS_EVENT_MONITORS), 2);
    sim_stop(&sim);
}

static void a_screen_that_changes_all_the_time_does_not_fill_the_queue(void **state) {
    (void)state;
    start_seen();
    struct tas_monitors other = two;
    for (unsigned i = 0; i < 10000; i++) {
        other.list[0].y = (uint16_t)i;
        tas_session_monitors(sim.end[SIM_HOST], &other);
    }
    assert_in_range(sim.end[SIM_HOST]->ch.ch[0].bytes, 1, 4096);
    sim_run_ms(&sim, 100);
    assert_known(&other);
    sim_stop(&sim);
}

static void the_wish_goes_with_every_view(void **state) {
    (void)state;
    start_seen();
    assert_int_equal(last_wanted, TAS_MONITOR_ANY);
    assert_int_equal(tas_session_choose_monitor(sim.end[SIM_VIEWER], 3), TAS_E_ABSENT);
    assert_int_equal(tas_session_choose_monitor(sim.end[SIM_VIEWER], 2), TAS_OK);
    sim_run_ms(&sim, 50);
    assert_int_equal(n_wanted, 2);
    assert_int_equal(last_wanted, 2);
    tas_session_pause(sim.end[SIM_HOST], true);
    sim_run_ms(&sim, 50);
    tas_session_pause(sim.end[SIM_HOST], false);
    sim_run_ms(&sim, 50);
    assert_int_equal(n_wanted, 3);
    assert_int_equal(last_wanted, 2);
    assert_int_equal(tas_session_choose_monitor(sim.end[SIM_VIEWER], TAS_MONITOR_ALL), TAS_OK);
    sim_run_ms(&sim, 50);
    assert_int_equal(last_wanted, TAS_MONITOR_ALL);
    /* not looking: nothing is asked for until he looks again */
    tas_session_view(sim.end[SIM_VIEWER], false);
    sim_run_ms(&sim, 50);
    unsigned n = n_wanted;
    assert_int_equal(tas_session_choose_monitor(sim.end[SIM_VIEWER], TAS_MONITOR_ANY), TAS_OK);
    sim_run_ms(&sim, 50);
    assert_int_equal(n_wanted, n);
    tas_session_view(sim.end[SIM_VIEWER], true);
    sim_run_ms(&sim, 50);
    assert_int_equal(last_wanted, TAS_MONITOR_ANY);
    sim_stop(&sim);
}

static void a_wish_for_a_monitor_that_is_gone_is_forgotten(void **state) {
    (void)state;
    start_seen();
    assert_int_equal(tas_session_choose_monitor(sim.end[SIM_VIEWER], 2), TAS_OK);
    sim_run_ms(&sim, 50);
    struct tas_monitors one = two;
    one.n = 1;
    one.shown = 0;
    tas_session_monitors(sim.end[SIM_HOST], &one);
    sim_run_ms(&sim, 50);
    tas_session_monitors(sim.end[SIM_HOST], &two); /* its number now may be another one's */
    sim_run_ms(&sim, 50);
    tas_session_view(sim.end[SIM_VIEWER], true);
    sim_run_ms(&sim, 50);
    assert_int_equal(last_wanted, TAS_MONITOR_ALL);
    sim_stop(&sim);
}

static void point(uint16_t x) {
    const struct tas_msg_input in = {.kind = 2, .x = x, .y = 7};
    assert_int_equal(tas_session_send_input(sim.end[SIM_VIEWER], &in), TAS_OK);
}

static void what_was_aimed_at_another_monitor_is_dropped(void **state) {
    (void)state;
    start_seen();
    point(60);
    sim_run_ms(&sim, 50);
    assert_int_equal(sim.n_input, 1);
    assert_int_equal(sim.input[0].monitor, 5);
    struct tas_monitors other = two;
    other.shown = 2;
    point(61); /* on its way when the host shows another one, of the same size even */
    show(100, 80, &other);
    sim_run_ms(&sim, 300);
    assert_int_equal(sim.n_input, 1);
    point(62);
    sim_run_ms(&sim, 50);
    assert_int_equal(sim.n_input, 2);
    assert_int_equal(sim.input[1].monitor, 2);
    /* a key has no place */
    const struct tas_msg_input key = {.kind = 1, .keycode = 30, .is_down = 1};
    assert_int_equal(tas_session_send_input(sim.end[SIM_VIEWER], &key), TAS_OK);
    show(100, 80, &two);
    sim_run_ms(&sim, 50);
    assert_int_equal(sim.n_input, 3);
    sim_stop(&sim);
}

static void input_is_aimed_at_what_is_still_in_the_picture(void **state) {
    (void)state;
    start_seen();
    struct tas_monitors other = two;
    other.shown = 2;
    tas_session_monitors(sim.end[SIM_HOST], &two);
    sim_run_ms(&sim, 50);
    /* MONITORS of a picture that has not come yet */
    struct tas_session *v = sim.end[SIM_VIEWER];
    v->si.monitors = other;
    v->si.monitors_layout = v->si.layout + 1;
    monitors_on_screen(v);
    point(60);
    sim_run_ms(&sim, 50);
    assert_int_equal(sim.n_input, 1);
    assert_int_equal(sim.input[0].monitor, 5);
    sim_stop(&sim);
}

/* What the viewer makes of a body. */
static int take(const struct tas_msg_monitors *m, const struct tas_msg_monitor *list, size_t n) {
    uint8_t bytes[20 * TAS_SIZE_MONITOR];
    uint8_t body[sizeof(bytes) + 8];
    for (size_t i = 0; i < n; i++)
        assert_int_equal(tas_msg_monitor_encode(&list[i], bytes + i * TAS_SIZE_MONITOR, TAS_SIZE_MONITOR),
                         TAS_SIZE_MONITOR);
    struct tas_msg_monitors whole = *m;
    whole.list = tas_bytes_of(bytes, n * TAS_SIZE_MONITOR);
    int len = tas_msg_monitors_encode(&whole, body, sizeof(body));
    if (len < 0)
        return TAS_E_PROTO;
    return monitors_on_message(sim.end[SIM_VIEWER], tas_bytes_of(body, (size_t)len));
}

static void what_no_host_says_of_monitors_is_refused(void **state) {
    (void)state;
    start();
    const struct tas_msg_monitor good = {.id = 1, .width = 10, .height = 10, .name = "A"};
    struct tas_msg_monitor list[TAS_MONITORS + 1];
    for (unsigned i = 0; i <= TAS_MONITORS; i++) {
        list[i] = good;
        list[i].id = (uint8_t)(i + 1);
    }
    assert_int_equal(take(&(struct tas_msg_monitors){.count = 0}, list, 0), TAS_OK);
    assert_int_equal(take(&(struct tas_msg_monitors){.count = 16, .shown = 16}, list, 16), TAS_OK);
    assert_int_equal(take(&(struct tas_msg_monitors){.count = 17}, list, 17), TAS_E_PROTO);
    assert_int_equal(take(&(struct tas_msg_monitors){.count = 2}, list, 1), TAS_E_PROTO);
    assert_int_equal(take(&(struct tas_msg_monitors){.count = 1}, list, 2), TAS_E_PROTO);
    assert_int_equal(take(&(struct tas_msg_monitors){.count = 2, .shown = 3}, list, 2), TAS_E_PROTO);
    assert_int_equal(take(&(struct tas_msg_monitors){.count = 2, .shown = 255}, list, 2), TAS_E_PROTO);
    const struct tas_msg_monitor bad[] = {
        {.id = 0, .width = 10, .height = 10, .name = "no number"},
        {.id = 17, .width = 10, .height = 10, .name = "too large"},
        {.id = 2, .width = 10, .height = 10, .name = "twice"},
        {.id = 1, .flags = 2, .width = 10, .height = 10, .name = "unknown flag"},
        {.id = 1, .width = 0, .height = 10, .name = "no width"},
        {.id = 1, .width = 10, .height = 0, .name = "no height"},
        {.id = 1, .width = 10, .height = 10, .name = ""},
        {.id = 1, .width = 10, .height = 10, .name = "\xff"},
        {.id = 1, .width = 10, .height = 10, .name = "a\x1b"},
        {.id = 1, .width = 10, .height = 10, .name = "\u202e"},
        {.id = 1, .width = 10, .height = 10, .name = "a\0b"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const struct tas_msg_monitor pair[] = {bad[i], list[1]};
        assert_int_equal(take(&(struct tas_msg_monitors){.count = 2}, pair, 2), TAS_E_PROTO);
    }
    assert_int_equal(tas_session_remote_monitors(sim.end[SIM_VIEWER])->n, 16); /* the last good one holds */
    sim_stop(&sim);
}

static void a_view_of_an_impossible_monitor_closes(void **state) {
    (void)state;
    start();
    sim.end[SIM_VIEWER]->si.has_chosen = true;
    sim.end[SIM_VIEWER]->si.chosen = 17;
    tas_session_view(sim.end[SIM_VIEWER], true);
    sim_run_ms(&sim, 100);
    assert_int_equal(sim.closed[SIM_HOST], TAS_END_PROTOCOL);
    assert_int_equal(n_wanted, 0);
    sim_stop(&sim);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(monitors_are_told_once_to_who_may_see),
        cmocka_unit_test(monitors_changed_while_the_line_is_lost_are_told_after_it),
        cmocka_unit_test(a_screen_that_changes_all_the_time_does_not_fill_the_queue),
        cmocka_unit_test(the_wish_goes_with_every_view),
        cmocka_unit_test(a_wish_for_a_monitor_that_is_gone_is_forgotten),
        cmocka_unit_test(what_was_aimed_at_another_monitor_is_dropped),
        cmocka_unit_test(input_is_aimed_at_what_is_still_in_the_picture),
        cmocka_unit_test(what_no_host_says_of_monitors_is_refused),
        cmocka_unit_test(a_view_of_an_impossible_monitor_closes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
