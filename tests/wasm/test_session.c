/* Whole sessions of a native host and a viewer that is a WebAssembly module in node (remote_viewer.c), over
 * the simulator's relays and clock. tests/unit/test_session.c runs the same way beside this. */
#include "remote_viewer.h"

#include "lossy/native.h"
#include "scene.h"
#include "sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct sim sim;
static struct sim_world world;

static void start_active(uint16_t suites) {
    sim_world_init(&world);
    world.cfg[SIM_HOST].suites = suites;
    sim_start(&sim, &world);
    assert_true(sim_until(&sim, sim_both_active, 3000));
}

static void start_screen(uint32_t width, uint32_t height) {
    tas_picture_free(sim.screen);
    sim.screen = tas_picture_new(width, height);
    assert_non_null(sim.screen);
    assert_int_equal(tas_session_screen(sim.end[SIM_HOST], width, height), TAS_OK);
    tas_session_view(sim.end[SIM_VIEWER], true);
}

static void say(unsigned end, const char *text) {
    assert_int_equal(tas_session_chat(sim.end[end], tas_bytes_of(text, strlen(text)), 1795000000000), TAS_OK);
}

static bool both_have_chatted(const struct sim *s) {
    return s->n_chat[SIM_HOST] == 1 && s->n_chat[SIM_VIEWER] == 1;
}

/* ---- a session from end to end ---- */

static void check_everything_once(uint16_t suites) {
    start_active(suites);
    assert_string_equal(sim.peer[SIM_VIEWER].company, "例株式会社");
    assert_string_equal(sim.peer[SIM_VIEWER].name, "お客様");
    assert_memory_equal(sim.peer[SIM_VIEWER].pop_pk, world.cfg[SIM_HOST].identity.pop_pk, 32);
    assert_int_equal(sim.grants, 0x7f);

    start_screen(517, 301);
    sim_paint(&sim, 0, 0, 517, 301, 0x336699);
    assert_true(sim_until(&sim, sim_pictures_equal, 3000));
    for (uint32_t i = 0; i < 40; i++) {
        sim_paint(&sim, i * 7, i * 3, 1 + i * 5, 1 + i * 4, i * 0x123457 & 0xffffff);
        sim_run_ms(&sim, i);
    }
    assert_true(sim_until(&sim, sim_pictures_equal, 3000));

    say(SIM_HOST, "こんにちは");
    say(SIM_VIEWER, "grüß Gott");
    assert_true(sim_until(&sim, both_have_chatted, 1000));
    assert_string_equal(sim.chat[SIM_VIEWER], "こんにちは");
    assert_string_equal(sim.chat[SIM_HOST], "grüß Gott");
    sim_stop(&sim);
}

static void a_session_goes_from_handshake_to_chat_with_either_suite(void **state) {
    (void)state;
    check_everything_once(TAS_SUITE_CHACHA20);
    check_everything_once(TAS_SUITE_AES256);
}

static bool three_inputs_came(const struct sim *s) {
    return s->n_input == 3;
}

static void input_arrives_as_it_was_given(void **state) {
    (void)state;
    start_active(0);
    start_screen(100, 80);
    assert_true(sim_until(&sim, sim_pictures_equal, 3000));
    const struct tas_msg_input inputs[] = {
        {.kind = 1, .is_down = 1, .keycode = 30, .keysym = 0x61},
        {.kind = 3, .x = 99, .y = 79, .wheel_x = (uint16_t)-2, .wheel_y = 3},
        {.kind = 4, .n_text = 3, .text = {0x3042, 0x1f600, 0x61}},
    };
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(tas_session_send_input(sim.end[SIM_VIEWER], &inputs[i]), TAS_OK);
    assert_true(sim_until(&sim, three_inputs_came, 1000));
    for (unsigned i = 0; i < 3; i++) {
        const struct tas_msg_input *got = &sim.input[i], *sent = &inputs[i];
        assert_int_equal(got->kind, sent->kind);
        assert_int_equal(got->is_down, sent->is_down);
        assert_int_equal(got->keycode, sent->keycode);
        assert_int_equal(got->keysym, sent->keysym);
        assert_int_equal(got->x, sent->x);
        assert_int_equal(got->y, sent->y);
        assert_int_equal(got->wheel_x, sent->wheel_x);
        assert_int_equal(got->wheel_y, sent->wheel_y);
        assert_int_equal(got->n_text, sent->n_text);
        assert_memory_equal(got->text, sent->text, sizeof(got->text));
    }
    sim_stop(&sim);
}

/* ---- photographs and films ---- */

static void show(struct scene_rect rect, enum scene_paint paint, struct scene_random *random) {
    scene_paint(sim.screen, rect, paint, random);
    tas_tiles_set_rect(tas_session_dirty(sim.end[SIM_HOST]), (int32_t)rect.x, (int32_t)rect.y, rect.w,
                       rect.h);
}

static void what_comes_roughly_is_painted_by_the_host_and_exact_in_the_end(void **state) {
    (void)state;
    struct scene_random random = scene_random_of(3);
    struct tas_lossy_coder *coder = tas_lossy_coder_new(&tas_video_vp8, 1);
    assert_non_null(coder);
    sim_world_init(&world);
    world.cfg[SIM_HOST].rough = tas_lossy_coder_ops(coder);
    sim_start(&sim, &world);
    sim.rate_Bps[SIM_HOST] = 200 * 1000; /* too little for photographs at once */
    assert_true(sim_until(&sim, sim_both_active, 3000));
    start_screen(640, 400);
    show((struct scene_rect){0, 0, 640, 400}, SCENE_TEXT, &random);
    for (unsigned i = 0; i < 60; i++) {
        show((struct scene_rect){64, 64, 448, 256}, SCENE_PHOTO, &random);
        sim_run_ms(&sim, 50);
    }
    struct remote_viewer_painted painted = remote_viewer_painted(sim.end[SIM_VIEWER]);
    assert_true(painted.jpegs > 0 && painted.chunks > 0);
    assert_true(sim_until(&sim, sim_pictures_equal, 20000));
    sim_stop(&sim);
    tas_lossy_coder_free(coder);
}

/* ---- the pointer ---- */

static struct tas_msg_cursor_image cursor_seen;
static uint8_t cursor_rgba[16];
static uint32_t cursor_x, cursor_y;

static void note_cursor(struct sim *s, unsigned end, const struct tas_event *ev) {
    (void)s;
    if (end == SIM_VIEWER && ev->kind == TAS_EVENT_CURSOR_POS) {
        cursor_x = ev->x;
        cursor_y = ev->y;
    }
    if (end != SIM_VIEWER || ev->kind != TAS_EVENT_CURSOR_IMAGE)
        return;
    cursor_seen = ev->cursor;
    assert_int_equal(ev->cursor.rgba.len, sizeof(cursor_rgba));
    memcpy(cursor_rgba, ev->cursor.rgba.ptr, sizeof(cursor_rgba));
}

static bool cursor_has_come(const struct sim *s) {
    (void)s;
    return cursor_x == 12 && cursor_seen.width == 2;
}

static void the_pointer_comes_with_its_image(void **state) {
    (void)state;
    static const uint8_t rgba[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    const struct tas_msg_cursor_image image = {
        .image = 7, .width = 2, .height = 2, .hot_x = 1, .hot_y = 0, .rgba = tas_bytes_of(rgba, 16)};
    start_active(0);
    start_screen(100, 80);
    sim.on_event = note_cursor;
    assert_true(sim_until(&sim, sim_pictures_equal, 3000));
    tas_session_cursor(sim.end[SIM_HOST], 12, 34, &image);
    assert_true(sim_until(&sim, cursor_has_come, 1000));
    assert_int_equal(cursor_y, 34);
    assert_int_equal(cursor_seen.hot_x, 1);
    assert_int_equal(cursor_seen.hot_y, 0);
    assert_memory_equal(cursor_rgba, rgba, sizeof(rgba));
    sim_stop(&sim);
}

/* ---- monitors ---- */

static uint32_t monitor_asked;

static void note_view(struct sim *s, unsigned end, const struct tas_event *ev) {
    (void)s;
    if (end == SIM_HOST && ev->kind == TAS_EVENT_VIEW)
        monitor_asked = ev->number;
}

static bool monitors_are_told(const struct sim *s) {
    return sim_count(s, SIM_VIEWER, TAS_EVENT_MONITORS) > 0;
}

static bool second_is_asked_for(const struct sim *s) {
    (void)s;
    return monitor_asked == 2;
}

static void monitors_are_told_and_chosen(void **state) {
    (void)state;
    const struct tas_monitors all = {
        .shown = 1,
        .n = 2,
        .list = {{.id = 1, .is_primary = true, .width = 320, .height = 200, .name = "HDMI-1"},
                 {.id = 2, .x = 320, .y = 10, .width = 640, .height = 400, .name = "左"}}};
    start_active(0);
    sim.on_event = note_view;
    start_screen(320, 200);
    tas_session_monitors(sim.end[SIM_HOST], &all);
    assert_true(sim_until(&sim, monitors_are_told, 2000));
    const struct tas_monitors *got = tas_session_remote_monitors(sim.end[SIM_VIEWER]);
    assert_int_equal(got->shown, 1);
    assert_int_equal(got->n, 2);
    assert_true(got->list[0].is_primary && !got->list[1].is_primary);
    assert_string_equal(got->list[0].name, "HDMI-1");
    assert_string_equal(got->list[1].name, "左");
    assert_int_equal(got->list[1].x, 320);
    assert_int_equal(got->list[1].height, 400);
    assert_int_equal(tas_session_choose_monitor(sim.end[SIM_VIEWER], 9), TAS_E_ABSENT);
    assert_int_equal(tas_session_choose_monitor(sim.end[SIM_VIEWER], 2), TAS_OK);
    assert_true(sim_until(&sim, second_is_asked_for, 1000));
    sim_stop(&sim);
}

/* ---- lines that break, screens that change ---- */

static bool viewer_has_resumed(const struct sim *s) {
    return s->longest_us > 0 && sim_both_active(s);
}

static void a_killed_relay_loses_neither_words_nor_pixels(void **state) {
    (void)state;
    start_active(0);
    start_screen(400, 300);
    assert_true(sim_until(&sim, sim_pictures_equal, 3000));
    for (unsigned round = 0; round < 3; round++) {
        unsigned before = sim.n_chat[SIM_HOST];
        sim_paint(&sim, 50 * round, 20, 200, 200, 0x10203 * (round + 1));
        say(SIM_VIEWER, "still there?");
        sim_relay_kill(&sim, round % 2);
        sim_relay_start(&sim, !(round % 2));
        sim.longest_us = 0;
        assert_true(sim_until(&sim, viewer_has_resumed, 5000));
        assert_true(sim_until(&sim, sim_pictures_equal, 3000));
        sim_run_ms(&sim, 500);
        assert_int_equal(sim.n_chat[SIM_HOST], before + 1);
    }
    struct tas_session_figures f;
    tas_session_figures(sim.end[SIM_VIEWER], &f, sim.now_us);
    assert_int_equal(f.resumes, 3);
    assert_int_equal(sim_count(&sim, SIM_HOST, TAS_EVENT_CHECK_CODE), 1);
    sim_stop(&sim);
}

static void a_screen_of_another_size_is_followed(void **state) {
    (void)state;
    start_active(0);
    static const uint32_t sizes[][2] = {{640, 480}, {63, 65}, {640, 480}, {640, 480}, {1, 1}};
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        start_screen(sizes[i][0], sizes[i][1]);
        sim_paint(&sim, 0, 0, sizes[i][0], sizes[i][1], 0x445566 + i * 0x1111);
        assert_true(sim_until(&sim, sim_pictures_equal, 3000));
    }
    sim_stop(&sim);
}

/* ---- what must not work ---- */

static bool viewer_is_closed(const struct sim *s) {
    return s->closed[SIM_VIEWER] != 0 && s->closed[SIM_HOST] != 0;
}

static bool flip_a_bit_of_the_screen(struct sim *s, unsigned from, struct tas_record *rec, uint8_t *bytes,
                                     size_t len) {
    (void)s;
    if (from == SIM_HOST && rec->type == TAS_RECORD_DATA && (rec->pf & TAS_PF_CLASS) == TAS_CLASS_SCREEN)
        bytes[len - 1] ^= 1;
    return true;
}

static void a_changed_record_ends_the_session(void **state) {
    (void)state;
    start_active(0);
    sim.tamper = flip_a_bit_of_the_screen;
    start_screen(100, 100);
    assert_true(sim_until(&sim, viewer_is_closed, 3000));
    assert_int_equal(sim.closed[SIM_VIEWER], TAS_END_PROTOCOL);
    assert_true(sim.alarm[SIM_VIEWER][0] != '\0');
    sim_stop(&sim);
}

static void a_ticket_for_another_key_makes_no_session(void **state) {
    (void)state;
    sim_world_init(&world);
    struct tas_session_config cfg = world.cfg[SIM_VIEWER];
    cfg.identity.pop_seed[0] ^= 1;
    assert_null(tas_session_new(&cfg, 1000000));
    cfg = world.cfg[SIM_VIEWER];
    memcpy(cfg.ticket, world.cfg[SIM_HOST].ticket, sizeof(cfg.ticket));
    assert_null(tas_session_new(&cfg, 1000000));
}

/* ---- memory ---- */

static void sessions_that_are_over_leave_nothing_behind(void **state) {
    (void)state;
    uint64_t after_first = 0;
    for (unsigned i = 0; i < 20; i++) {
        start_active(0);
        start_screen(800, 600);
        sim_paint(&sim, 0, 0, 800, 600, i * 77);
        assert_true(sim_until(&sim, sim_pictures_equal, 3000));
        tas_session_end(sim.end[SIM_VIEWER], TAS_END_OPERATOR, sim.now_us);
        assert_true(sim_until(&sim, viewer_is_closed, 1000));
        sim_stop(&sim);
        if (i == 1)
            after_first = remote_viewer_memory();
    }
    assert_int_equal(remote_viewer_memory(), after_first);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_goes_from_handshake_to_chat_with_either_suite),
        cmocka_unit_test(input_arrives_as_it_was_given),
        cmocka_unit_test(what_comes_roughly_is_painted_by_the_host_and_exact_in_the_end),
        cmocka_unit_test(the_pointer_comes_with_its_image),
        cmocka_unit_test(monitors_are_told_and_chosen),
        cmocka_unit_test(a_killed_relay_loses_neither_words_nor_pixels),
        cmocka_unit_test(a_screen_of_another_size_is_followed),
        cmocka_unit_test(a_changed_record_ends_the_session),
        cmocka_unit_test(a_ticket_for_another_key_makes_no_session),
        cmocka_unit_test(sessions_that_are_over_leave_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
