/* What of the operator's windows is pure: the keyboard's way out, how numbers and times are written, and what
 * can be done when. */
#include "operator/chord.h"
#include "operator/post.h"
#include "operator/rules.h"
#include "operator/say.h"
#include "ui/text.h"
#include "ui/words.h"
#include "wire/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CTRL = 29, RIGHT_CTRL = 97, ALT = 56, ALT_GR = 100, DEL = 111, A = 30 }; /* evdev */

static bool release(struct chord *chord, unsigned code) {
    bool is_out = false;
    assert_true(chord_release(chord, code, &is_out));
    return is_out;
}

static void ctrl_alt_alone_is_the_way_out(void **state) {
    (void)state;
    static const unsigned pairs[][2] = {{CTRL, ALT}, {ALT, CTRL}, {RIGHT_CTRL, ALT}, {CTRL, ALT_GR}};
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        struct chord chord = {0};
        assert_true(chord_press(&chord, pairs[i][0]));
        assert_false(chord_has_ctrl_alt(&chord));
        assert_true(chord_press(&chord, pairs[i][1]));
        assert_true(chord_has_ctrl_alt(&chord));
        assert_false(release(&chord, pairs[i][0]));
        assert_true(release(&chord, pairs[i][1]));
        /* and only once */
        assert_true(chord_press(&chord, CTRL));
        assert_false(release(&chord, CTRL));
    }
}

static void with_any_other_key_it_is_the_customer_s(void **state) {
    (void)state;
    struct chord chord = {0};
    assert_true(chord_press(&chord, CTRL));
    assert_true(chord_press(&chord, ALT));
    assert_true(chord_press(&chord, DEL));
    assert_false(release(&chord, DEL));
    assert_false(release(&chord, ALT));
    assert_false(release(&chord, CTRL));
    /* a key that was down before, or is released last, spoils it as well */
    assert_true(chord_press(&chord, A));
    assert_true(chord_press(&chord, CTRL));
    assert_true(chord_press(&chord, ALT));
    assert_false(release(&chord, CTRL));
    assert_false(release(&chord, ALT));
    assert_false(release(&chord, A));
    /* and then it works again */
    assert_true(chord_press(&chord, CTRL));
    assert_true(chord_press(&chord, ALT));
    assert_false(release(&chord, CTRL));
    assert_true(release(&chord, ALT));
}

static void repeats_and_keys_that_are_not_held_are_left_out(void **state) {
    (void)state;
    struct chord chord = {0};
    bool is_out = true;
    assert_true(chord_press(&chord, A));
    assert_false(chord_press(&chord, A));
    assert_true(chord_holds(&chord, A));
    assert_false(release(&chord, A));
    assert_false(chord_release(&chord, A, &is_out));
    assert_false(is_out);
    assert_false(chord_press(&chord, 0));
    assert_false(chord_press(&chord, CHORD_CODES));
    assert_false(chord_release(&chord, CHORD_CODES, &is_out));
    assert_true(chord_press(&chord, CHORD_CODES - 1));
    chord_forget(&chord);
    assert_false(chord_holds(&chord, CHORD_CODES - 1));
}

static void numbers_are_written_in_threes(void **state) {
    (void)state;
    char out[SAY_NUMBER];
    say_number(out, "123456782");
    assert_string_equal(out, "123-456-782");
    say_number(out, "12345");
    assert_string_equal(out, "12345");
    say_number(out, "");
    assert_string_equal(out, "");
    say_last3(out, "782");
    assert_string_equal(out, "\u2026-782");
}

static void spans_are_written_like_clocks(void **state) {
    (void)state;
    static const struct {
        int64_t seconds;
        const char *text;
    } rows[] = {{0, "0:00"},     {-5, "0:00"},      {INT64_MIN, "0:00"}, {598, "9:58"},
                {3599, "59:59"}, {3600, "1:00:00"}, {3723, "1:02:03"},   {360000, "100:00:00"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char out[SAY_SPAN];
        say_span(out, rows[i].seconds);
        assert_string_equal(out, rows[i].text);
    }
    char longest[SAY_SPAN];
    say_span(longest, INT64_MAX);
    assert_true(strlen(longest) < SAY_SPAN);
}

static void amounts_have_units(void **state) {
    (void)state;
    char out[SAY_SIZE];
    say_bytes(out, 999, false);
    assert_string_equal(out, "999 B");
    say_bytes(out, 1200, false);
    assert_string_equal(out, "1.2 KB");
    say_bytes(out, 2400000, true);
    assert_string_equal(out, "2.4 MB/s");
    say_bytes(out, UINT64_MAX, false);
    assert_string_equal(out, "18446744 TB");
}

static void rights_are_named_in_order(void **state) {
    (void)state;
    char out[SAY_RIGHTS];
    ui_language_set("en");
    say_rights(out, 0);
    assert_string_equal(out, "none");
    say_rights(out, TAS_RIGHT_CONTROL | TAS_RIGHT_SEE);
    assert_string_equal(out, "See the screen, Control");
    say_rights(out, 0x8000); /* one that nobody knows */
    assert_string_equal(out, "none");
    ui_language_set("ja");
    say_rights(out, 0xffff);
    assert_true(strlen(out) > 0 && strlen(out) < SAY_RIGHTS);
    assert_string_equal(say_result("open"), "継続");
    ui_language_set("en");
    assert_string_equal(say_result("solved"), "Solved");
    assert_string_equal(say_end_reason("of another day"), "of another day");
}

static void copies_end_at_a_whole_character(void **state) {
    (void)state;
    char out[8];
    say_copy(out, sizeof(out), "日本語"); /* nine bytes */
    assert_string_equal(out, "日本");
    say_copy(out, sizeof(out), "1234567");
    assert_string_equal(out, "1234567");
    say_copy(out, sizeof(out), "12345678");
    assert_string_equal(out, "1234567");
    say_copy(out, 1, "\u65e5");
    assert_string_equal(out, "");
}

static void moments_are_of_this_machine_s_calendar(void **state) {
    (void)state;
    char out[SAY_WHEN];
    say_when(out, 0);
    assert_string_equal(out, "");
    setenv("TZ", "UTC", 1);
    say_when(out, INT64_C(1795327500000));
    assert_string_equal(out, "2026-11-22 06:05");
    say_when(out, API_MS_MAX);
    assert_string_equal(out, "9999-12-31 23:59");
}

/* ---- what can be done when ---- */

static void what_comes_too_late_or_twice_is_dropped(void **unused) {
    (void)unused;
    struct operator_state state = {.step = OPERATOR_LOGIN};
    assert_true(rules_fits(&state, OPERATOR_DO_LOGIN));
    assert_false(rules_fits(&state, OPERATOR_DO_LOGOUT));
    assert_false(rules_fits(&state, OPERATOR_DO_ANSWER));
    state.step = OPERATOR_LOGGING_IN;
    assert_false(rules_fits(&state, OPERATOR_DO_LOGIN));
    state.step = OPERATOR_TOO_OLD;
    assert_false(rules_fits(&state, OPERATOR_DO_LOGIN));
    state.step = OPERATOR_DESK;
    assert_false(rules_fits(&state, OPERATOR_DO_LOGIN));
    assert_true(rules_fits(&state, OPERATOR_DO_LOGOUT));
    assert_true(rules_fits(&state, OPERATOR_DO_ANSWER));
    assert_false(rules_fits(&state, OPERATOR_DO_END));
    assert_false(rules_fits(&state, OPERATOR_DO_DONE));
    for (int phase = OPERATOR_IDLE; phase <= OPERATOR_CLOSED; phase++) {
        state.phase = (enum operator_phase)phase;
        assert_int_equal(rules_fits(&state, OPERATOR_DO_ANSWER), phase == OPERATOR_IDLE);
        assert_int_equal(rules_fits(&state, OPERATOR_DO_CODE), phase == OPERATOR_CODE);
        assert_int_equal(rules_fits(&state, OPERATOR_DO_VIEW), phase == OPERATOR_ACTIVE);
        assert_int_equal(rules_fits(&state, OPERATOR_DO_ASK), phase == OPERATOR_ACTIVE);
        assert_int_equal(rules_fits(&state, OPERATOR_DO_DONE), phase == OPERATOR_CLOSED);
        assert_int_equal(rules_fits(&state, OPERATOR_DO_END),
                         phase != OPERATOR_IDLE && phase != OPERATOR_CLOSED);
        /* these get words when they fail */
        assert_true(rules_fits(&state, OPERATOR_DO_RESULT));
        assert_true(rules_fits(&state, OPERATOR_DO_CHAT));
    }
}

static void a_session_can_be_ended_while_it_is_answered(void **unused) {
    (void)unused;
    const struct operator_state state = {.step = OPERATOR_DESK, .phase = OPERATOR_ANSWERING};
    assert_true(rules_fits(&state, OPERATOR_DO_END));
}

static void a_picture_comes_with_the_right_and_without_a_pause(void **unused) {
    (void)unused;
    struct operator_state state = {.phase = OPERATOR_ACTIVE, .rights = TAS_RIGHT_CONTROL};
    assert_false(rules_can_see(&state));
    state.rights |= TAS_RIGHT_SEE;
    assert_true(rules_can_see(&state));
    state.is_paused = true;
    assert_false(rules_can_see(&state));
    state.is_paused = false;
    state.phase = OPERATOR_CLOSED;
    assert_false(rules_can_see(&state));
}

static void words_of(struct ui_words *out, const char *command, int err, bool is_in) {
    struct api_error error;
    api_error_set(&error, err, 0, rules_code(command, err, is_in), "%s", "why");
    ui_words_of_error(out, &error, true);
}

static void what_was_not_done_has_words_of_its_cause(void **unused) {
    (void)unused;
    static const struct {
        const char *command;
        int err;
        bool is_in;
        const char *title;
    } rows[] = {
        {"answer", TAS_E_STATE, true, "The last session is still being closed."},
        {"answer", TAS_E_STATE, false, "You are logged out"},
        {"issue", TAS_E_STATE, false, "You are logged out"},
        {"result", TAS_E_STATE, false, "You are logged out"},
        {"result", TAS_E_ABSENT, true, "No session"},
        {"chat", TAS_E_STATE, true, "The session is over"},
        {"text", TAS_E_STATE, false, "The session is over"},
        {"text", TAS_E_RIGHT, true, "The customer does not allow this"},
        {"text", TAS_E_FULL, true, "The line is too slow for it"},
        {"chat", TAS_E_LIMIT, true, "Too much at once"},
        {"issue", TAS_E_NOMEM, true, "Out of memory"},
    };
    ui_language_set("en");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ui_words words;
        words_of(&words, rows[i].command, rows[i].err, rows[i].is_in);
        assert_string_equal(words.title, rows[i].title);
        assert_null(strstr(words.text, "server"));
    }
    for (int err = TAS_E_ABSENT; err < TAS_OK; err++) { /* nor does a server say what none has said */
        struct ui_words words;
        words_of(&words, "device", err, true);
        assert_null(strstr(words.text, "The server says"));
    }
}

/* ---- what the customer's machine says of itself ---- */

static struct tas_json *info(const char *text) {
    char why[TAS_JSON_WHY];
    struct tas_json *json = tas_json_parse(tas_bytes_of(text, strlen(text)), why);
    assert_non_null(json);
    return json;
}

static void assert_is(struct tas_json *json, const char *machine) {
    assert_non_null(json);
    assert_string_equal(tas_json_get_text(json, "machine"), machine);
    tas_json_free(json);
}

static void one_is_sent_at_a_time_and_the_newest_wins(void **unused) {
    (void)unused;
    struct post post = {0};
    assert_is(post_put(&post, 7, info("{\"machine\": \"a\"}")), "a");
    assert_null(post_put(&post, 7, info("{\"machine\": \"b\"}")));
    assert_null(post_put(&post, 7, info("{\"machine\": \"c\"}")));
    assert_is(post_answered(&post), "c");
    assert_null(post_answered(&post));
    assert_is(post_put(&post, 7, info("{\"machine\": \"d\"}")), "d");
    assert_null(post_answered(&post));
}

static void an_answer_for_the_session_before_is_not_taken_for_this_one(void **unused) {
    (void)unused;
    struct post post = {0};
    assert_is(post_put(&post, 7, info("{\"machine\": \"a\"}")), "a");
    assert_null(post_put(&post, 7, info("{\"machine\": \"b\"}")));
    post_forget(&post);
    assert_null(post_put(&post, 8, info("{\"machine\": \"c\"}")));
    assert_int_equal(post.session, 7);
    assert_is(post_answered(&post), "c");
    assert_int_equal(post.session, 8);
    assert_null(post_put(&post, 8, info("{\"machine\": \"d\"}")));
    post_forget(&post);
    assert_null(post_answered(&post));
    assert_false(post.is_under_way);
}

static void a_flood_is_dropped(void **unused) {
    (void)unused;
    struct post post = {0};
    uint64_t now = 1;
    unsigned n = 0;
    for (; now < 10 * POST_PAUSE_US; now += POST_PAUSE_US / 100)
        n += !post_is_flood(&post, now);
    assert_int_equal(n, 10);
    assert_true(post_is_flood(&post, now - 1));
    post_forget(&post); /* another customer */
    assert_false(post_is_flood(&post, now));
}

static void figures_that_tremble_are_not_shown(void **state) {
    (void)state;
    struct operator_state s = {0};
    assert_true(rules_take_figures(&s, 8000, 1000000, 1));
    assert_false(rules_take_figures(&s, 9000, 1000000, 1));
    assert_false(rules_take_figures(&s, 7000, 900000, 1));
    assert_int_equal(s.rtt_us, 8000);
    assert_true(rules_take_figures(&s, 9001, 1000000, 1));
    assert_int_equal(s.rtt_us, 9001);
    assert_true(rules_take_figures(&s, 9001, 800000, 1));
    assert_int_equal(s.rate_Bps, 800000);
    assert_true(rules_take_figures(&s, 9001, 800000, 2));
    assert_int_equal(s.relay, 2);
    assert_true(rules_take_figures(&s, 0, 0, 0));
    assert_false(rules_take_figures(&s, 0, 0, 0));
}

static void a_monitor_that_is_gone_is_told_by_its_name(void **state) {
    (void)state;
    struct operator_state s = {0};
    const struct tas_monitors two = {.shown = 1, .n = 2, .list = {{.id = 1}, {.id = 2}}};
    rules_take_monitors(&s, &two, NULL);
    assert_int_equal(s.monitors.n, 2);
    assert_int_equal(s.gone_serial, 0);
    rules_take_monitors(&s, &two, "DP-1");
    assert_string_equal(s.gone_monitor, "DP-1");
    assert_int_equal(s.gone_serial, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ctrl_alt_alone_is_the_way_out),
        cmocka_unit_test(with_any_other_key_it_is_the_customer_s),
        cmocka_unit_test(repeats_and_keys_that_are_not_held_are_left_out),
        cmocka_unit_test(numbers_are_written_in_threes),
        cmocka_unit_test(spans_are_written_like_clocks),
        cmocka_unit_test(amounts_have_units),
        cmocka_unit_test(rights_are_named_in_order),
        cmocka_unit_test(copies_end_at_a_whole_character),
        cmocka_unit_test(moments_are_of_this_machine_s_calendar),
        cmocka_unit_test(what_comes_too_late_or_twice_is_dropped),
        cmocka_unit_test(a_session_can_be_ended_while_it_is_answered),
        cmocka_unit_test(a_picture_comes_with_the_right_and_without_a_pause),
        cmocka_unit_test(what_was_not_done_has_words_of_its_cause),
        cmocka_unit_test(one_is_sent_at_a_time_and_the_newest_wins),
        cmocka_unit_test(an_answer_for_the_session_before_is_not_taken_for_this_one),
        cmocka_unit_test(a_flood_is_dropped),
        cmocka_unit_test(figures_that_tremble_are_not_shown),
        cmocka_unit_test(a_monitor_that_is_gone_is_told_by_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
