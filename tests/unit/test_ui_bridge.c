/* ui/bridge.h: one thread turns a tas_loop, the other GLib's default context, as in the tools. */
#include "ui/bridge.h"

#include <glib.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { COMMAND_MAX = 64, MANY = 20000, QUIT = 0x7fffffff };

struct state {
    uint32_t serial;
    uint8_t filler[8000]; /* all the low byte of serial: a torn copy would show */
};

struct note {
    uint32_t serial;
};

struct command {
    uint32_t serial;
    uint32_t tail[15];
};

struct world {
    struct ui_bridge *bridge;
    struct tas_loop *loop;
    pthread_t thread;
    uint32_t n_states, n_notes; /* to tell; protocol thread */
    struct tas_timer *timer;
    /* protocol thread */
    uint32_t commands, told_states, told_notes, notes_freed;
    bool is_wrong_command;
    /* GTK thread */
    uint32_t last_state, states, notes, last_note;
    bool is_wrong;
};

static struct world w;

/* ---- the GTK side ---- */

static void on_state(void *window, const void *bytes) {
    const struct state *state = bytes;
    assert_ptr_equal(window, &w);
    w.is_wrong |= state->serial <= w.last_state;
    for (size_t i = 0; i < sizeof(state->filler); i++)
        w.is_wrong |= state->filler[i] != (uint8_t)state->serial;
    w.last_state = state->serial;
    w.states++;
}

static void on_note(void *window, void *bytes) {
    struct note *note = bytes;
    assert_ptr_equal(window, &w);
    w.is_wrong |= note->serial != w.last_note + 1;
    w.last_note = note->serial;
    w.notes++;
    free(note);
}

static void free_note(void *note) {
    w.notes_freed++;
    free(note);
}

/* ---- the protocol side ---- */

static void on_command(void *core, const void *bytes) {
    const struct command *command = bytes;
    assert_ptr_equal(core, &w);
    uint32_t size = command->serial % 15;
    for (uint32_t i = 0; i < 15 && command->serial != QUIT; i++)
        w.is_wrong_command |= command->tail[i] != (i < size ? command->serial : 0);
    if (command->serial == QUIT) {
        tas_loop_stop(w.loop);
        return;
    }
    w.is_wrong_command |= command->serial != w.commands;
    w.commands++;
}

static void tell_state(uint32_t serial) {
    struct state state = {.serial = serial};
    memset(state.filler, (int)(serial & 0xff), sizeof(state.filler));
    ui_bridge_state(w.bridge, &state);
}

static void tell_note(uint32_t serial) {
    struct note *note = malloc(sizeof(*note));
    assert_non_null(note);
    *note = (struct note){.serial = serial};
    ui_bridge_note(w.bridge, note);
}

static void on_timer(void *ctx) {
    (void)ctx;
    for (int i = 0; i < 20; i++) {
        if (w.told_states < w.n_states)
            tell_state(++w.told_states);
        if (w.told_notes < w.n_notes)
            tell_note(++w.told_notes);
    }
    if (w.told_states < w.n_states || w.told_notes < w.n_notes)
        tas_timer_set(w.timer, 0);
}

static void *run(void *ctx) {
    (void)ctx;
    w.loop = tas_loop_new();
    w.timer = tas_timer_new(w.loop, on_timer, NULL);
    assert_true(w.loop && w.timer);
    assert_int_equal(ui_bridge_attach_core(w.bridge, w.loop, &w), TAS_OK);
    tas_timer_set(w.timer, 0);
    assert_int_equal(tas_loop_run(w.loop), TAS_OK);
    ui_bridge_detach_core(w.bridge);
    tas_timer_free(w.timer);
    tas_loop_free(w.loop);
    return NULL;
}

/* ---- */

static const struct ui_bridge_config config = {.state_size = sizeof(struct state),
                                               .command_max = COMMAND_MAX,
                                               .on_command = on_command,
                                               .on_state = on_state,
                                               .on_note = on_note,
                                               .free_note = free_note};

static int make(void **state) {
    (void)state;
    w = (struct world){0};
    w.bridge = ui_bridge_new(&config);
    assert_non_null(w.bridge);
    return 0;
}

static int take_away(void **state) {
    (void)state;
    ui_bridge_free(w.bridge);
    return 0;
}

static bool send_command(uint32_t serial) {
    struct command command = {.serial = serial};
    size_t tail = serial == QUIT ? 0 : serial % 15;
    for (size_t i = 0; i < tail; i++)
        command.tail[i] = serial;
    return ui_bridge_command(w.bridge, &command, sizeof(command.serial) * (1 + tail));
}

static void start_core(void) {
    assert_int_equal(pthread_create(&w.thread, NULL, run, NULL), 0);
}

static void stop_core(void) {
    while (!send_command(QUIT))
        g_main_context_iteration(NULL, FALSE);
    pthread_join(w.thread, NULL);
}

static void deliver_all(void) {
    while (g_main_context_iteration(NULL, FALSE))
        ;
}

static void both_threads_hear_everything_in_order_while_both_talk(void **state) {
    (void)state;
    w.n_states = MANY;
    w.n_notes = MANY / 10; /* fewer than UI_NOTES: none may be dropped, however slow this thread is */
    ui_bridge_attach_window(w.bridge, &w);
    start_core();
    uint32_t sent = 0;
    while (sent < MANY) {
        if (send_command(sent))
            sent++;
        g_main_context_iteration(NULL, FALSE);
    }
    while (w.last_state < MANY || w.last_note < MANY / 10)
        g_main_context_iteration(NULL, TRUE);
    stop_core();
    assert_int_equal(w.commands, MANY);
    assert_false(w.is_wrong_command);
    assert_false(w.is_wrong);
    assert_int_equal(w.notes, MANY / 10);
    assert_true(w.states <= MANY);
    assert_int_equal(w.notes_freed, 0);
}

static void only_the_newest_state_is_shown(void **state) {
    (void)state;
    for (uint32_t i = 1; i <= 100; i++)
        tell_state(i);
    ui_bridge_attach_window(w.bridge, &w);
    deliver_all();
    assert_int_equal(w.states, 1);
    assert_int_equal(w.last_state, 100);
    deliver_all();
    assert_int_equal(w.states, 1);
}

static char order[8];
static void note_order(void *window, void *note) {
    (void)window;
    snprintf(order + strlen(order), 2, "n");
    free(note);
}
static void state_order(void *window, const void *bytes) {
    (void)window;
    (void)bytes;
    snprintf(order + strlen(order), 2, "s");
}

static void notes_come_between_the_states_that_they_were_told_between(void **state) {
    (void)state;
    struct ui_bridge_config other = config;
    other.on_note = note_order;
    other.on_state = state_order;
    ui_bridge_free(w.bridge);
    w.bridge = ui_bridge_new(&other);
    assert_non_null(w.bridge);
    tell_state(1);
    tell_note(1);
    tell_state(2);
    tell_note(2);
    tell_note(3);
    ui_bridge_attach_window(w.bridge, &w);
    order[0] = '\0';
    deliver_all();
    assert_string_equal(order, "nsnn");
}

static void a_full_queue_refuses_commands_and_drops_notes_without_a_leak(void **state) {
    (void)state;
    for (uint32_t i = 0; i < UI_COMMANDS; i++)
        assert_true(send_command(i));
    assert_false(send_command(UI_COMMANDS));
    for (uint32_t i = 1; i <= UI_NOTES; i++)
        tell_note(i);
    assert_int_equal(w.notes_freed, 0);
    tell_note(UI_NOTES + 1);
    assert_int_equal(w.notes_freed, 1);
    ui_bridge_attach_window(w.bridge, &w);
    deliver_all();
    assert_int_equal(w.notes, UI_NOTES);
    assert_false(w.is_wrong);
}

static void what_was_sent_before_the_core_was_there_reaches_it(void **state) {
    (void)state;
    for (uint32_t i = 0; i < 10; i++)
        assert_true(send_command(i));
    start_core();
    stop_core();
    assert_int_equal(w.commands, 10);
    assert_false(w.is_wrong_command);
}

static void what_nobody_took_is_freed(void **state) {
    (void)state;
    tell_state(1);
    tell_note(1);
    assert_true(send_command(0));
    ui_bridge_free(w.bridge);
    w.bridge = NULL;
    assert_int_equal(w.notes_freed, 1);
    ui_bridge_free(NULL);
}

static void nothing_is_shown_once_the_window_is_gone(void **state) {
    (void)state;
    ui_bridge_attach_window(w.bridge, &w);
    ui_bridge_attach_window(w.bridge, NULL);
    tell_state(1);
    tell_note(1);
    deliver_all();
    assert_int_equal(w.states + w.notes, 0);
    ui_bridge_attach_window(w.bridge, &w);
    deliver_all();
    assert_int_equal(w.states, 1);
    assert_int_equal(w.notes, 1);
}

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, make, take_away)
    const struct CMUnitTest tests[] = {
        T(both_threads_hear_everything_in_order_while_both_talk),
        T(only_the_newest_state_is_shown),
        T(notes_come_between_the_states_that_they_were_told_between),
        T(a_full_queue_refuses_commands_and_drops_notes_without_a_leak),
        T(what_was_sent_before_the_core_was_there_reaches_it),
        T(what_nobody_took_is_freed),
        T(nothing_is_shown_once_the_window_is_gone),
    };
#undef T
    return cmocka_run_group_tests_name("ui_bridge", tests, NULL, NULL);
}
