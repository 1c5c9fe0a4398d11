/* What keeps the operator's input out of our own windows (input.h's gate with own.h's answers, as
 * tool/share.c joins them), against a real X server: `ours` is the program whose windows are meant, the
 * server's connection is everybody else's. */
#include "base/time.h"
#include "client/input.h"
#include "client/own.h"
#include "xserver.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xcb/xcb.h>
#include <xkbcommon/xkbcommon-keysyms.h>

#include <cmocka.h>

enum {
    CTRL = 29, /* evdev codes */
    KEY_A = 30,
    SHIFT = 42,
    SPACE = 57,
    SIDE = 200,     /* px, of a window; ours is at 0,0 */
    THEIRS_X = 500, /* their window's left and top edge */
    QUIET_MS = 400, /* nothing comes for so long: three of the server's delays */
    MANY = 200,     /* characters, more than are typed at a time */
    AT_A_TIME = 64, /* of input_x11.c */
};

static const struct tas_input_ops *const inp = &tas_input_x11;

struct desk {
    struct server *s; /* theirs */
    xcb_connection_t *ours;
    xcb_window_t our_window, their_window;
    struct tas_input *input;
    struct tas_own *own;
};

static bool may(void *ctx, enum tas_input_act act, uint32_t x, uint32_t y) {
    const struct desk *d = ctx;
    if (act == TAS_INPUT_BUTTON || act == TAS_INPUT_WHEEL)
        return !tas_own_x11.is_at(d->own, x, y);
    return !tas_own_x11.has_keyboard(d->own);
}

static void sync_ours(struct desk *d) {
    free(xcb_get_input_focus_reply(d->ours, xcb_get_input_focus(d->ours), NULL));
}

static xcb_window_t make_window(xcb_connection_t *xcb, xcb_window_t parent, int16_t at) {
    xcb_window_t window = xcb_generate_id(xcb);
    const uint32_t values[] = {1, XCB_EVENT_MASK_KEY_PRESS | XCB_EVENT_MASK_BUTTON_PRESS |
                                      XCB_EVENT_MASK_BUTTON_RELEASE};
    xcb_create_window(xcb, XCB_COPY_FROM_PARENT, window, parent, at, at, SIDE, SIDE, 0,
                      XCB_WINDOW_CLASS_INPUT_OUTPUT, XCB_COPY_FROM_PARENT,
                      XCB_CW_OVERRIDE_REDIRECT | XCB_CW_EVENT_MASK, values);
    xcb_map_window(xcb, window);
    return window;
}

static void focus(struct desk *d, xcb_window_t window) {
    xcb_set_input_focus(d->s->xcb, XCB_INPUT_FOCUS_NONE, window, XCB_CURRENT_TIME);
    sync_server(d->s);
}

static void start_desk(struct desk *d, struct server *s) {
    char why[200] = "";
    char out[64];
    *d = (struct desk){.s = s, .ours = xcb_connect(s->name, NULL)};
    run_program((const char *const[]){"xset", "-display", s->name, "r", "rate", "120", "25", NULL}, out,
                sizeof(out));
    d->our_window = make_window(d->ours, s->screen->root, 0);
    d->their_window = make_window(s->xcb, s->screen->root, THEIRS_X);
    sync_ours(d);
    focus(d, d->their_window);
    if (tas_own_x11.open(&d->own, s->name, d->our_window, why, sizeof(why)) != TAS_OK ||
        inp->open(&d->input, s->name, why, sizeof(why)) != TAS_OK)
        fail_msg("%s", why);
    inp->set_gate(d->input, (struct tas_input_gate){may, d});
    assert_int_equal(inp->pointer(d->input, 900, 650, 0), TAS_OK);
}

static void end_desk(struct desk *d) {
    inp->close(d->input);
    tas_own_x11.close(d->own);
    xcb_disconnect(d->ours);
}

/* Takes the events that have come: how many presses of keys or buttons; the place of the last press and
 * release of a button. */
struct taken {
    int presses;
    int x, y, up_x, up_y;
};

static struct taken take_now(xcb_connection_t *xcb) {
    struct taken t = {0};
    xcb_generic_event_t *event;
    free(xcb_get_input_focus_reply(xcb, xcb_get_input_focus(xcb), NULL));
    while ((event = xcb_poll_for_event(xcb)) != NULL) {
        const xcb_button_press_event_t *e = (const void *)event; /* key events begin alike */
        int type = event->response_type & 0x7f;
        if (type == XCB_KEY_PRESS || type == XCB_BUTTON_PRESS) {
            t.presses++;
            t.x = e->root_x;
            t.y = e->root_y;
        } else if (type == XCB_BUTTON_RELEASE) {
            t.up_x = e->root_x;
            t.up_y = e->root_y;
        }
        free(event);
    }
    return t;
}

/* After all that was asked of the input is carried out, which the gate's answer waits for. */
static struct taken take(struct desk *d, xcb_connection_t *xcb) {
    assert_int_not_equal(inp->wheel(d->input, 0, 0), TAS_E_ABSENT);
    return take_now(xcb);
}

/* One turn of the owner's loop. */
static void turn_loop(struct desk *d, int max_ms) {
    int wait_ms = inp->pending_ms(d->input);
    struct pollfd p = {.fd = inp->fd(d->input), .events = POLLIN};
    poll(&p, 1, wait_ms < 0 || wait_ms > max_ms ? max_ms : wait_ms);
    assert_int_equal(inp->flush(d->input), TAS_OK);
}

static void finish_work(struct desk *d) {
    uint64_t give_up = tas_mono_us() + GIVE_UP_MS * 1000ull;
    while (inp->pending_ms(d->input) >= 0) {
        turn_loop(d, GIVE_UP_MS);
        assert_true(tas_mono_us() < give_up);
    }
}

static bool is_down(struct desk *d, unsigned evdev) {
    assert_int_not_equal(inp->wheel(d->input, 0, 0), TAS_E_ABSENT);
    return is_key_down(d->s, evdev);
}

static int type_some(struct desk *d, size_t n) {
    uint32_t cps[MANY];
    assert_true(n <= MANY);
    for (size_t i = 0; i < n; i++)
        cps[i] = 'a';
    return inp->text(d->input, cps, n);
}

/* Text now waits; what was typed of it went to them. */
static void let_text_wait(struct desk *d) {
    assert_int_equal(type_some(d, MANY), TAS_OK);
    assert_true(inp->pending_ms(d->input) >= 0);
    int presses = 0;
    while (presses < AT_A_TIME)
        presses += take_now(d->s->xcb).presses;
    assert_int_equal(presses, AT_A_TIME);
}

static void presses_and_turns_are_refused_where_a_window_of_ours_is(void **state) {
    struct desk d;
    start_desk(&d, *state);
    assert_int_equal(inp->pointer(d.input, 50, 50, 1), TAS_E_RIGHT);
    assert_int_equal(inp->wheel(d.input, 1, 1), TAS_E_RIGHT);
    assert_int_equal(inp->pointer(d.input, 600, 600, 1), TAS_OK); /* not made good elsewhere */
    assert_int_equal(take(&d, d.s->xcb).presses, 0);
    assert_int_equal(inp->pointer(d.input, 600, 600, 0), TAS_OK);
    assert_int_equal(inp->wheel(d.input, 0, 1), TAS_OK);
    assert_int_equal(inp->pointer(d.input, 600, 601, 1), TAS_OK);
    assert_int_equal(inp->pointer(d.input, 50, 50, 1), TAS_OK); /* a drag may go there */
    assert_int_equal(inp->pointer(d.input, 50, 50, 3), TAS_E_RIGHT);
    assert_int_equal(inp->pointer(d.input, 50, 50, 0), TAS_OK);
    struct taken t = take(&d, d.s->xcb);
    assert_int_equal(t.presses, 2);
    assert_int_equal(t.y, 601);
    assert_int_equal(t.up_x, 50);
    assert_int_equal(take(&d, d.ours).presses, 0);
    end_desk(&d);
}

static void a_place_beyond_the_screen_is_asked_about_as_it_is_clipped(void **state) {
    struct desk d;
    start_desk(&d, *state);
    xcb_configure_window(d.ours, d.our_window, XCB_CONFIG_WINDOW_X, (const uint32_t[]){WIDTH - SIDE});
    sync_ours(&d);
    for (uint32_t x = WIDTH; x < 1u << 20; x *= 2) {
        assert_int_equal(inp->pointer(d.input, x, 50, 1), TAS_E_RIGHT);
        assert_int_equal(inp->pointer(d.input, x, 50, 0), TAS_OK);
    }
    assert_int_equal(take(&d, d.ours).presses, 0);
    end_desk(&d);
}

static void a_press_that_waited_is_asked_about_when_it_is_done(void **state) {
    struct desk d;
    start_desk(&d, *state);
    let_text_wait(&d);
    assert_int_equal(inp->pointer(d.input, 650, 650, 1), TAS_OK);
    assert_int_equal(inp->wheel(d.input, 0, 3), TAS_OK);
    assert_int_equal(inp->pointer(d.input, 650, 650, 0), TAS_OK);
    xcb_window_t popped_up = make_window(d.ours, d.s->screen->root, 600);
    sync_ours(&d);
    finish_work(&d);
    assert_int_equal(take(&d, d.ours).presses, 0);
    assert_int_equal(take(&d, d.s->xcb).presses, MANY - AT_A_TIME);
    xcb_destroy_window(d.ours, popped_up);
    sync_ours(&d);
    assert_int_equal(inp->pointer(d.input, 650, 650, 1), TAS_OK);
    assert_int_equal(take(&d, d.s->xcb).presses, 1);
    end_desk(&d);
}

static void a_drag_that_waited_begins_and_ends_where_it_should(void **state) {
    struct desk d;
    start_desk(&d, *state);
    let_text_wait(&d);
    for (uint32_t x = 510; x < 520; x++)
        assert_int_equal(inp->pointer(d.input, x, 600, 0), TAS_OK);
    for (uint32_t x = 520; x < 600; x++)
        assert_int_equal(inp->pointer(d.input, x, 600, 1), TAS_OK);
    assert_int_equal(inp->pointer(d.input, 50, 60, 1), TAS_OK);
    assert_int_equal(inp->pointer(d.input, 50, 60, 0), TAS_OK);
    for (uint32_t x = 50; x < 60; x++)
        assert_int_equal(inp->pointer(d.input, x, 60, 0), TAS_OK);
    finish_work(&d);
    struct taken t = take(&d, d.s->xcb);
    assert_int_equal(t.presses, MANY - AT_A_TIME + 1);
    assert_int_equal(t.x, 520);
    assert_int_equal(t.up_x, 50);
    assert_int_equal(take(&d, d.ours).presses, 0);
    end_desk(&d);
}

static void a_press_that_found_no_room_was_not_pressed(void **state) {
    struct desk d;
    start_desk(&d, *state);
    static uint32_t cps[4096];
    int err = TAS_OK;
    for (size_t i = 0; i < 4096; i++)
        cps[i] = 'a';
    assert_int_equal(inp->text(d.input, cps, 4096), TAS_OK);
    for (int i = 0; err == TAS_OK && i < 100000; i++)
        err = inp->key(d.input, SHIFT, 0, false);
    assert_int_equal(err, TAS_E_FULL);
    uint64_t give_up = tas_mono_us() + GIVE_UP_MS * 1000ull;
    while ((err = inp->pointer(d.input, 600, 600, 1)) == TAS_OK) { /* a step may just have been done */
        assert_int_equal(inp->pointer(d.input, 600, 600, 0), TAS_OK);
        assert_true(tas_mono_us() < give_up);
    }
    assert_int_equal(err, TAS_E_FULL);
    finish_work(&d);
    take(&d, d.s->xcb);
    assert_int_equal(inp->pointer(d.input, 50, 50, 1), TAS_E_RIGHT);
    assert_int_equal(take(&d, d.ours).presses, 0);
    end_desk(&d);
}

static void text_stops_for_good_when_a_window_of_ours_gets_the_focus(void **state) {
    struct desk d;
    start_desk(&d, *state);
    assert_int_equal(inp->key(d.input, CTRL, XKB_KEY_Control_L, true), TAS_OK);
    assert_int_equal(take(&d, d.s->xcb).presses, 1);
    let_text_wait(&d);
    assert_int_equal(inp->key(d.input, KEY_A, 'a', true), TAS_OK);
    focus(&d, d.our_window);
    finish_work(&d);
    assert_int_equal(take(&d, d.ours).presses, 0);
    assert_false(is_down(&d, CTRL)); /* was let go for the text, and not pressed again */
    assert_false(is_down(&d, KEY_A));
    assert_int_equal(type_some(&d, MANY), TAS_E_RIGHT);
    assert_int_equal(inp->key(d.input, KEY_A, 'a', true), TAS_E_RIGHT);
    assert_int_equal(inp->pending_ms(d.input), -1);
    focus(&d, d.their_window);
    assert_int_equal(inp->flush(d.input), TAS_OK);
    assert_int_equal(take(&d, d.s->xcb).presses, 0);
    assert_int_equal(inp->text(d.input, (const uint32_t[]){'a', 0x65e5}, 2), TAS_OK);
    finish_work(&d);
    assert_int_equal(take(&d, d.s->xcb).presses, 2);
    assert_int_equal(take(&d, d.ours).presses, 0);
    end_desk(&d);
}

static void modifiers_that_were_let_go_for_text_are_not_pressed_again_into_ours(void **state) {
    struct desk d;
    start_desk(&d, *state);
    assert_int_equal(inp->key(d.input, CTRL, XKB_KEY_Control_L, true), TAS_OK);
    assert_int_equal(take(&d, d.s->xcb).presses, 1);
    assert_int_equal(type_some(&d, 2 * (size_t)AT_A_TIME), TAS_OK);
    assert_int_equal(inp->pointer(d.input, 600, 600, 0), TAS_OK);
    /* The answers for the last character came after all but that. */
    for (int presses = take_now(d.s->xcb).presses; presses < 2 * AT_A_TIME - 1;) {
        turn_loop(&d, GIVE_UP_MS);
        presses += take_now(d.s->xcb).presses;
    }
    assert_true(inp->pending_ms(d.input) >= 0); /* the move, and then the modifier */
    focus(&d, d.our_window);
    finish_work(&d);
    assert_int_equal(take(&d, d.ours).presses, 0);
    assert_false(is_down(&d, CTRL));
    end_desk(&d);
}

static void expect_keys(struct desk *d, int err) {
    assert_int_equal(inp->key(d->input, KEY_A, 'a', true), err);
    assert_int_equal(inp->key(d->input, KEY_A, 'a', false), TAS_OK);
    assert_int_equal(inp->text(d->input, (const uint32_t[]){'a'}, 1), err);
    assert_int_equal(take(d, d->ours).presses, 0);
}

static void keys_that_would_go_to_what_is_under_the_pointer_are_ours_there(void **state) {
    struct desk d;
    start_desk(&d, *state);
    static const xcb_window_t nobody[] = {XCB_INPUT_FOCUS_POINTER_ROOT, XCB_INPUT_FOCUS_NONE};
    for (size_t i = 0; i < 3; i++) {
        focus(&d, i < 2 ? nobody[i] : d.s->screen->root);
        assert_int_equal(inp->pointer(d.input, 50, 50, 0), TAS_OK);
        expect_keys(&d, TAS_E_RIGHT);
        assert_int_equal(inp->pointer(d.input, 600, 600, 0), TAS_OK);
        expect_keys(&d, TAS_OK);
    }
    focus(&d, d.their_window);
    assert_int_equal(inp->pointer(d.input, 50, 50, 0), TAS_OK);
    expect_keys(&d, TAS_OK); /* theirs have them wherever the pointer is */
    end_desk(&d);
}

static void a_frame_with_the_focus_gives_its_keys_to_ours_within(void **state) {
    struct desk d;
    start_desk(&d, *state);
    xcb_window_t frame = make_window(d.s->xcb, d.s->screen->root, 300);
    xcb_reparent_window(d.s->xcb, d.our_window, frame, 20, 20);
    focus(&d, frame);
    assert_int_equal(inp->pointer(d.input, 400, 400, 0), TAS_OK);
    expect_keys(&d, TAS_E_RIGHT);
    assert_int_equal(inp->pointer(d.input, 400, 400, 1), TAS_E_RIGHT);
    assert_int_equal(inp->pointer(d.input, 310, 310, 0), TAS_OK); /* the frame's own border */
    expect_keys(&d, TAS_OK);
    end_desk(&d);
}

/* Nothing comes to ours for QUIET_MS; is_awake: the owner's loop turns. */
static void assert_quiet(struct desk *d, bool is_awake) {
    uint64_t until = tas_mono_us() + QUIET_MS * 1000ull;
    uint64_t now;
    while ((now = tas_mono_us()) < until) {
        struct pollfd p = {.fd = xcb_get_file_descriptor(d->ours), .events = POLLIN};
        if (is_awake)
            turn_loop(d, 10);
        else
            poll(&p, 1, (int)((until - now) / 1000 + 1));
        assert_int_equal(take(d, d->ours).presses, 0);
    }
}

static void expect_repeats(struct desk *d) {
    uint64_t give_up = tas_mono_us() + GIVE_UP_MS * 1000ull;
    for (int presses = 0; presses < 4; presses += take(d, d->s->xcb).presses) {
        turn_loop(d, GIVE_UP_MS);
        assert_true(tas_mono_us() < give_up);
    }
}

static void a_held_key_repeats_but_not_into_ours(void **state) {
    struct desk d;
    start_desk(&d, *state);
    for (int is_awake = 0; is_awake < 2; is_awake++) {
        assert_int_equal(inp->key(d.input, SPACE, ' ', true), TAS_OK);
        assert_int_equal(inp->key(d.input, SHIFT, 0, true), TAS_OK);
        expect_repeats(&d);
        focus(&d, d.our_window);
        assert_quiet(&d, is_awake); /* not even while the owner is busy */
        turn_loop(&d, 0);
        assert_false(is_down(&d, SPACE));
        assert_false(is_down(&d, SHIFT));
        assert_int_equal(inp->pending_ms(d.input), -1);
        focus(&d, d.their_window);
        take(&d, d.s->xcb);
        assert_int_equal(inp->key(d.input, SPACE, ' ', false), TAS_OK); /* he lets it go at last */
        assert_int_equal(inp->key(d.input, SHIFT, 0, false), TAS_OK);
    }
    end_desk(&d);
}

static char *keymap_text(const struct server *s) {
    enum { CAP = 1 << 20 };
    char *text = malloc(CAP);
    assert_non_null(text);
    run_program((const char *const[]){"xkbcomp", s->name, "-", NULL}, text, CAP);
    return text;
}

/* Also in the keymap, where a key could be marked as one that repeats. */
static void repeats_end_with_the_release_and_the_servers_own_are_as_before(void **state) {
    struct desk d;
    start_desk(&d, *state);
    char *map_before = keymap_text(d.s);
    xcb_get_keyboard_control_reply_t *before =
        xcb_get_keyboard_control_reply(d.s->xcb, xcb_get_keyboard_control(d.s->xcb), NULL);
    assert_int_equal(inp->key(d.input, SPACE, ' ', true), TAS_OK);
    expect_repeats(&d);
    xcb_get_keyboard_control_reply_t *after =
        xcb_get_keyboard_control_reply(d.s->xcb, xcb_get_keyboard_control(d.s->xcb), NULL);
    assert_memory_equal(before->auto_repeats, after->auto_repeats, sizeof(before->auto_repeats));
    free(before);
    free(after);
    char *map_after = keymap_text(d.s);
    assert_string_equal(map_before, map_after);
    free(map_before);
    free(map_after);
    assert_int_equal(inp->key(d.input, SPACE, ' ', false), TAS_OK);
    assert_false(is_down(&d, SPACE));
    take(&d, d.s->xcb);
    assert_int_equal(inp->pending_ms(d.input), -1);
    inp->set_gate(d.input, (struct tas_input_gate){0});
    assert_int_equal(inp->key(d.input, SPACE, ' ', true), TAS_OK);
    assert_int_equal(inp->pending_ms(d.input), -1); /* now the server does it */
    for (int presses = 0; presses < 4; presses += take(&d, d.s->xcb).presses)
        wait_readable(xcb_get_file_descriptor(d.s->xcb));
    end_desk(&d);
}

#define WITH_SERVER(f) cmocka_unit_test_setup_teardown(f, set_up_server, tear_down_server)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_SERVER(presses_and_turns_are_refused_where_a_window_of_ours_is),
        WITH_SERVER(a_place_beyond_the_screen_is_asked_about_as_it_is_clipped),
        WITH_SERVER(a_press_that_waited_is_asked_about_when_it_is_done),
        WITH_SERVER(a_drag_that_waited_begins_and_ends_where_it_should),
        WITH_SERVER(a_press_that_found_no_room_was_not_pressed),
        WITH_SERVER(text_stops_for_good_when_a_window_of_ours_gets_the_focus),
        WITH_SERVER(modifiers_that_were_let_go_for_text_are_not_pressed_again_into_ours),
        WITH_SERVER(keys_that_would_go_to_what_is_under_the_pointer_are_ours_there),
        WITH_SERVER(a_frame_with_the_focus_gives_its_keys_to_ours_within),
        WITH_SERVER(a_held_key_repeats_but_not_into_ours),
        WITH_SERVER(repeats_end_with_the_release_and_the_servers_own_are_as_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
