/* The X11 input against a real X server: each test starts an Xvfb of its own. What a customer's program would
 * make of the keys is read back by a "typist": another process with a window that translates keys as a
 * toolkit does. */
#include "base/time.h"
#include "base/utf8.h"
#include "client/input.h"
#include "xserver.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xcb/xcb.h>
#include <xcb/xkb.h>
#include <xkbcommon/xkbcommon-keysyms.h>
#include <xkbcommon/xkbcommon-x11.h>
#include <xkbcommon/xkbcommon.h>

#include <cmocka.h>

static const struct tas_input_ops *const inp = &tas_input_x11;

/* --- input: the pointer
 * ------------------------------------------------------------------------------------- */

static struct tas_input *open_input(const struct server *s) {
    struct tas_input *input = NULL;
    char why[200] = "";
    if (inp->open(&input, s->name, why, sizeof(why)) != TAS_OK)
        fail_msg("%s", why);
    return input;
}

static xcb_generic_event_t *wait_event(struct server *s) {
    xcb_generic_event_t *event;
    while (!(event = xcb_poll_for_event(s->xcb))) {
        wait_readable(xcb_get_file_descriptor(s->xcb));
        assert_int_equal(xcb_connection_has_error(s->xcb), 0);
    }
    return event;
}

/* The next button event: its number, negative when released. */
static int wait_button(struct server *s, int *x, int *y) {
    xcb_generic_event_t *event = wait_event(s);
    const xcb_button_press_event_t *e = (const void *)event;
    int type = event->response_type & 0x7f;
    assert_true(type == XCB_BUTTON_PRESS || type == XCB_BUTTON_RELEASE);
    int button = type == XCB_BUTTON_PRESS ? e->detail : -e->detail;
    *x = e->root_x;
    *y = e->root_y;
    free(event);
    return button;
}

static void expect_buttons(struct server *s, const int *want, size_t n, int x, int y) {
    for (size_t i = 0; i < n; i++) {
        int at_x;
        int at_y;
        assert_int_equal(wait_button(s, &at_x, &at_y), want[i]);
        assert_int_equal(at_x, x);
        assert_int_equal(at_y, y);
    }
}

static void watch_buttons(struct server *s) {
    uint32_t mask = XCB_EVENT_MASK_BUTTON_PRESS | XCB_EVENT_MASK_BUTTON_RELEASE;
    xcb_change_window_attributes(s->xcb, s->screen->root, XCB_CW_EVENT_MASK, &mask);
    sync_server(s);
}

static void pointer_buttons_and_wheel_arrive_where_they_should(void **state) {
    struct server *s = *state;
    watch_buttons(s);
    struct tas_input *input = open_input(s);

    assert_int_equal(inp->pointer(input, 123, 45, 1), TAS_OK);
    assert_int_equal(inp->pointer(input, 123, 45, 6), TAS_OK);
    assert_int_equal(inp->pointer(input, 123, 45, 0), TAS_OK);
    expect_buttons(s, (const int[]){1, -1, 2, 3, -2, -3}, 6, 123, 45);
    assert_int_equal(inp->wheel(input, 1, 2), TAS_OK);
    assert_int_equal(inp->wheel(input, -1, -1), TAS_OK);
    expect_buttons(s, (const int[]){5, -5, 5, -5, 7, -7, 4, -4, 6, -6}, 10, 123, 45);
    assert_int_equal(inp->pointer(input, 4000000000u, 50000, 1), TAS_OK);
    expect_buttons(s, (const int[]){1}, 1, WIDTH - 1, HEIGHT - 1);
    inp->close(input); /* releases the button */
    expect_buttons(s, (const int[]){-1}, 1, WIDTH - 1, HEIGHT - 1);
}

/* --- input: keys
 * -------------------------------------------------------------------------------------------- */

static void wait_key(struct server *s, unsigned evdev, bool want) {
    uint64_t give_up = tas_mono_us() + GIVE_UP_MS * 1000ull;
    while (is_key_down(s, evdev) != want)
        assert_true(tas_mono_us() < give_up);
}

static char *keymap_text(const struct server *s) {
    enum { CAP = 1 << 20 };
    char *text = malloc(CAP);
    assert_non_null(text);
    run_program((const char *const[]){"xkbcomp", s->name, "-", NULL}, text, CAP);
    assert_true(strlen(text) > 10000);
    return text;
}

static void assert_same_keymap(const struct server *s, char *before) {
    char *after = keymap_text(s);
    assert_string_equal(before, after);
    free(before);
    free(after);
}

static void held_keys_are_released_at_close(void **state) {
    struct server *s = *state;
    struct tas_input *input = open_input(s);
    static const uint16_t keys[] = {42, 29, 30, 56, 105}; /* Shift, Ctrl, A, Alt, Left */

    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < 5; i++)
            assert_int_equal(inp->key(input, keys[i], 0, true), TAS_OK);
        for (size_t i = 0; i < 5; i++)
            wait_key(s, keys[i], true);
        if (round == 0)
            assert_int_equal(inp->release_all(input), TAS_OK);
        else
            inp->close(input);
        for (size_t i = 0; i < 5; i++)
            wait_key(s, keys[i], false);
    }
}

static void a_key_that_means_something_else_here_is_replaced_by_the_one_that_means_it(void **state) {
    struct server *s = *state;
    struct tas_input *input = open_input(s);

    assert_int_equal(inp->key(input, 21, 'z', true),
                     TAS_OK); /* QWERTZ: the key of Y says z; here that is key 44 */
    wait_key(s, 44, true);
    assert_false(is_key_down(s, 21));
    assert_int_equal(inp->key(input, 21, 0, false), TAS_OK);
    wait_key(s, 44, false);
    assert_int_equal(inp->key(input, 0, 'a', true), TAS_E_LIMIT);
    assert_int_equal(inp->key(input, 248, 'a', true), TAS_E_LIMIT);
    assert_int_equal(inp->key(input, 41, XKB_KEY_Zenkaku_Hankaku, true), TAS_E_LIMIT); /* would be ` */
    assert_int_equal(inp->key(input, 240, 0, true), TAS_E_LIMIT); /* means nothing here */
    inp->close(input);
}

/* --- input: the typist
 * -------------------------------------------------------------------------------------- */

struct typist {
    pid_t pid;
    int fd; /* UTF-8 of what it was typed */
};

struct typist_keymap {
    struct xkb_context *context;
    struct xkb_keymap *keymap;
    struct xkb_state *state;
};

static void typist_read_keymap(xcb_connection_t *xcb, struct typist_keymap *k) {
    int32_t id = xkb_x11_get_core_keyboard_device_id(xcb);
    xkb_state_unref(k->state);
    xkb_keymap_unref(k->keymap);
    k->keymap = xkb_x11_keymap_new_from_device(k->context, xcb, id, XKB_KEYMAP_COMPILE_NO_FLAGS);
    k->state = k->keymap ? xkb_state_new(k->keymap) : NULL;
    if (!k->state)
        _exit(3);
}

static void typist_key(struct typist_keymap *k, const xcb_key_press_event_t *e, int fd) {
    char text[16];
    uint8_t mods = (uint8_t)e->state;
    xkb_state_update_mask(k->state, mods, 0, 0, 0, 0, (e->state >> 13) & 3);
    int n = xkb_state_key_get_utf8(k->state, e->detail, text, sizeof(text));
    if (n > 0 && mods & (XCB_MOD_MASK_CONTROL | XCB_MOD_MASK_1 | XCB_MOD_MASK_4))
        n = snprintf(text, sizeof(text), "<%02x>", mods); /* a shortcut, with these modifiers */
    if (n > 0 && write(fd, text, (size_t)n) != n)
        _exit(4);
}

static void typist_run(xcb_connection_t *xcb, uint8_t xkb_event, struct typist_keymap *k, int fd,
                       int nap_ms) {
    xcb_generic_event_t *event;
    bool is_stale = false;
    bool is_ready = false;

    while ((event = xcb_wait_for_event(xcb)) != NULL) {
        uint8_t type = event->response_type & 0x7f;
        if (type == xkb_event) {
            is_stale = true;
            poll(NULL, 0, nap_ms); /* a program that is slow to read its map */
        } else if (type == XCB_KEY_PRESS) {
            if (is_stale)
                typist_read_keymap(xcb, k); /* as late as toolkits do */
            is_stale = false;
            typist_key(k, (const void *)event, fd);
        } else if (type == XCB_FOCUS_IN && !is_ready) {
            is_ready = true;
            if (write(fd, "!", 1) != 1)
                _exit(4);
        } else if (type == XCB_EXPOSE) {
            xcb_set_input_focus(xcb, XCB_INPUT_FOCUS_PARENT, ((xcb_expose_event_t *)(void *)event)->window,
                                XCB_CURRENT_TIME);
            xcb_flush(xcb);
        }
        free(event);
    }
    _exit(0);
}

static void typist_main(const char *display, int fd, int nap_ms) {
    uint8_t xkb_event;
    struct typist_keymap k = {.context = xkb_context_new(XKB_CONTEXT_NO_DEFAULT_INCLUDES)};
    xcb_connection_t *xcb = xcb_connect(display, NULL);
    if (xcb_connection_has_error(xcb) ||
        !xkb_x11_setup_xkb_extension(xcb, 1, 0, XKB_X11_SETUP_XKB_EXTENSION_NO_FLAGS, NULL, NULL, &xkb_event,
                                     NULL))
        _exit(2);
    xcb_xkb_select_events_details_t details = {.affectNewKeyboard = 7, .newKeyboardDetails = 7};
    xcb_xkb_select_events_aux(xcb, XCB_XKB_ID_USE_CORE_KBD,
                              XCB_XKB_EVENT_TYPE_NEW_KEYBOARD_NOTIFY | XCB_XKB_EVENT_TYPE_MAP_NOTIFY, 0, 0,
                              0xff, 0xff, &details);
    typist_read_keymap(xcb, &k);
    xcb_screen_t *screen = xcb_setup_roots_iterator(xcb_get_setup(xcb)).data;
    xcb_window_t window = xcb_generate_id(xcb);
    uint32_t values[] = {1, XCB_EVENT_MASK_KEY_PRESS | XCB_EVENT_MASK_EXPOSURE | XCB_EVENT_MASK_FOCUS_CHANGE};
    xcb_create_window(xcb, XCB_COPY_FROM_PARENT, window, screen->root, 0, 0, 200, 100, 0,
                      XCB_WINDOW_CLASS_INPUT_OUTPUT, screen->root_visual,
                      XCB_CW_OVERRIDE_REDIRECT | XCB_CW_EVENT_MASK, values);
    xcb_map_window(xcb, window);
    xcb_flush(xcb);
    typist_run(xcb, xkb_event, &k, fd, nap_ms);
}

static void start_typist(struct typist *t, const struct server *s, int nap_ms) {
    int fds[2];
    char ready;
    assert_int_equal(pipe(fds), 0);
    t->pid = fork();
    assert_true(t->pid >= 0);
    if (t->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        typist_main(s->name, fds[1], nap_ms);
    }
    close(fds[1]);
    t->fd = fds[0];
    wait_readable(t->fd);
    assert_int_equal(read(t->fd, &ready, 1), 1);
}

static void stop_typist(struct typist *t) {
    kill(t->pid, SIGKILL);
    waitpid(t->pid, NULL, 0);
    close(t->fd);
}

/* One turn of the owner's loop; bytes from the typist go to `out`. */
static size_t turn_loop(struct tas_input *input, const struct typist *t, char *out, size_t cap) {
    int wait_ms = inp->pending_ms(input);
    struct pollfd p[2] = {{.fd = inp->fd(input), .events = POLLIN}, {.fd = t->fd, .events = POLLIN}};
    poll(p, 2, wait_ms < 0 || wait_ms > 1000 ? 1000 : wait_ms);
    assert_int_equal(inp->flush(input), TAS_OK);
    if (!p[1].revents)
        return 0;
    ssize_t n = read(t->fd, out, cap);
    assert_true(n > 0);
    return (size_t)n;
}

/* The typist has got exactly this. */
static void expect_typed(struct tas_input *input, const struct typist *t, const char *want) {
    static char got[1 << 16];
    size_t len = 0;
    uint64_t give_up = tas_mono_us() + GIVE_UP_MS * 1000ull;

    memset(got, 0, sizeof(got));
    while (len < strlen(want) && tas_mono_us() < give_up)
        len += turn_loop(input, t, got + len, sizeof(got) - 1 - len);
    assert_string_equal(got, want);
}

static size_t code_points(const char *utf8, uint32_t *out, size_t cap) {
    struct tas_reader r = tas_reader_of(tas_bytes_of(utf8, strlen(utf8)));
    size_t n = 0;
    while (r.in.len > 0 && n < cap)
        out[n++] = tas_utf8_next(&r);
    assert_false(r.bad);
    return n;
}

static void type(struct tas_input *input, const char *utf8) {
    static uint32_t cps[8192];
    size_t n = code_points(utf8, cps, 8192);
    assert_int_equal(inp->text(input, cps, n), TAS_OK);
}

static void set_layout(const struct server *s, const char *layout, const char *variant) {
    char out[256];
    run_program(
        (const char *const[]){"setxkbmap", "-display", s->name, "-layout", layout, "-variant", variant, NULL},
        out, sizeof(out));
}

/* clang-format off */
static const char *const texts[] = {
    "Hello, World! The quick brown fox (jumps) over {the} lazy dog; 0123456789 @#$%^&*_+-=[]|\\:\"'<>?/~`",
    "日本語を入力します。これは試験です。東京都千代田区丸の内一丁目、電話番号〇三。カタカナもひらがなも漢字も。",
    "aあaあaあbいbいああああいいいいaaaabbbbあいあいあいabababうえうえおおお",
    "éèüß£¥§©®ÿÀÖ Ñandú – “quoted” … € ½ × ÷ Œuvre Čeština Привет Ωμέγα עברית ไทย 한국어",
    "😀🎉👍🏽 𠮷野家 𝒳 🗾 end",
    "one\rtwo\tthree\r",
};
/* clang-format on */

static void assert_texts_arrive(struct server *s, struct tas_input *input, int nap_ms) {
    struct typist t;
    start_typist(&t, s, nap_ms);
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        type(input, texts[i]);
        expect_typed(input, &t, texts[i]);
    }
    stop_typist(&t);
}

static void text_arrives_as_it_was_typed(void **state) {
    struct server *s = *state;
    char *before = keymap_text(s);
    struct tas_input *input = open_input(s);
    assert_texts_arrive(s, input, 0);
    inp->close(input);
    assert_same_keymap(s, before);
}

static void text_arrives_at_a_slow_program(void **state) {
    struct server *s = *state;
    struct tas_input *input = open_input(s);
    assert_texts_arrive(s, input, 15);
    inp->close(input);
}

static void text_arrives_whatever_the_layout(void **state) {
    struct server *s = *state;
    static const char *const layouts[][2] = {{"de", ""}, {"jp", ""},       {"fr", ""},
                                             {"ru", ""}, {"us", "dvorak"}, {"gr,us", ""}};
    for (size_t i = 0; i < sizeof(layouts) / sizeof(*layouts); i++) {
        set_layout(s, layouts[i][0], layouts[i][1]);
        char *before = keymap_text(s);
        struct tas_input *input = open_input(s);
        assert_texts_arrive(s, input, 0);
        inp->close(input);
        assert_same_keymap(s, before);
    }
}

static void text_arrives_when_the_layout_changes_in_between(void **state) {
    struct server *s = *state;
    struct tas_input *input = open_input(s);
    struct typist t;
    start_typist(&t, s, 0);
    static const char *const layouts[] = {"de", "fr", "us", "ru"};
    for (size_t i = 0; i < 4; i++) {
        set_layout(s, layouts[i], "");
        type(input, "zyq@日本語ä1");
        expect_typed(input, &t, "zyq@日本語ä1");
    }
    char *expected_after = NULL;
    inp->close(input);
    stop_typist(&t);
    expected_after = keymap_text(s);
    set_layout(s, "us", "");
    set_layout(s, "ru", "");
    assert_same_keymap(s, expected_after);
}

static void three_hundred_random_characters_arrive(void **state) {
    struct server *s = *state;
    struct typist t;
    start_typist(&t, s, 0);
    struct tas_input *input = open_input(s);
    uint32_t seed = 12345;
    char want[300 * 4 + 1];
    size_t len = 0;

    for (int i = 0; i < 300; i++) {
        static const uint32_t ranges[][2] = {{0x21, 94},      {0xa1, 90},    {0x3041, 80},
                                             {0x4e00, 20000}, {0x1f600, 64}, {0x410, 64}};
        seed = seed * 1664525u + 1013904223u;
        const uint32_t *range = ranges[(seed >> 8) % 6];
        len += tas_utf8_put((uint8_t *)want + len, range[0] + (seed >> 12) % range[1]);
    }
    want[len] = '\0';
    type(input, want);
    expect_typed(input, &t, want);
    inp->close(input);
    stop_typist(&t);
}

static void held_modifiers_and_locks_do_not_garble_text(void **state) {
    struct server *s = *state;
    struct typist t;
    start_typist(&t, s, 0);
    struct tas_input *input = open_input(s);

    for (int caps = 0; caps < 2; caps++) {
        assert_int_equal(inp->key(input, 29, XKB_KEY_Control_L, true), TAS_OK);
        assert_int_equal(inp->key(input, 42, XKB_KEY_Shift_L, true), TAS_OK);
        type(input, "aA1!éÉあß");
        /* After the text, with the modifiers pressed again: a shortcut. */
        assert_int_equal(inp->key(input, 30, 'A', true), TAS_OK);
        assert_int_equal(inp->key(input, 30, 'A', false), TAS_OK);
        assert_int_equal(inp->key(input, 42, 0, false), TAS_OK);
        assert_int_equal(inp->key(input, 29, 0, false), TAS_OK);
        expect_typed(input, &t, caps ? "aA1!éÉあß<07>" : "aA1!éÉあß<05>");
        assert_int_equal(inp->key(input, 58, XKB_KEY_Caps_Lock, true), TAS_OK);
        assert_int_equal(inp->key(input, 58, XKB_KEY_Caps_Lock, false), TAS_OK);
    }
    inp->close(input);
    stop_typist(&t);
}

static void a_key_for_a_character_that_needs_other_modifiers_here_is_typed(void **state) {
    struct server *s = *state;
    struct typist t;
    start_typist(&t, s, 0);
    struct tas_input *input = open_input(s);

    assert_int_equal(inp->key(input, 42, XKB_KEY_Shift_L, true), TAS_OK);
    assert_int_equal(inp->key(input, 8, '/', true), TAS_OK); /* German: Shift+7; American: & */
    assert_int_equal(inp->key(input, 8, '/', false), TAS_OK);
    assert_int_equal(inp->key(input, 30, 'A', true), TAS_OK);
    assert_int_equal(inp->key(input, 30, 'A', false), TAS_OK);
    assert_int_equal(inp->key(input, 42, 0, false), TAS_OK);
    assert_int_equal(inp->key(input, 40, XKB_KEY_adiaeresis, true), TAS_OK);
    assert_int_equal(inp->key(input, 40, XKB_KEY_adiaeresis, false), TAS_OK);
    expect_typed(input, &t, "/Aä");
    inp->close(input);
    stop_typist(&t);
}

static void what_cannot_be_typed_is_refused_after_what_can(void **state) {
    struct server *s = *state;
    struct typist t;
    start_typist(&t, s, 0);
    struct tas_input *input = open_input(s);
    static const uint32_t bad[] = {0, 8, 0x1b, 0x7f, 0x85, 0xd800, 0xdfff, 0x110000};

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        assert_int_equal(inp->text(input, (const uint32_t[]){'o', 'k', bad[i], 'x'}, 4), TAS_E_LIMIT);
        expect_typed(input, &t, "ok");
    }
    inp->close(input);
    stop_typist(&t);
}

static void the_queue_is_bounded(void **state) {
    struct server *s = *state;
    struct tas_input *input = open_input(s);
    static uint32_t cps[5000];

    for (size_t i = 0; i < 5000; i++)
        cps[i] = 0x4e00 + (uint32_t)i;
    assert_int_equal(inp->text(input, cps, 5000), TAS_E_FULL);
    assert_int_equal(inp->pending_ms(input), -1); /* nothing of it was taken */
    assert_int_equal(inp->text(input, cps, 4000), TAS_OK);
    assert_int_equal(inp->text(input, cps, 4000), TAS_E_FULL);
    assert_true(inp->pending_ms(input) >= 0);
    inp->close(input);
}

static void the_map_is_given_back_when_no_text_comes_any_more(void **state) {
    struct server *s = *state;
    char *before = keymap_text(s);
    struct typist t;
    start_typist(&t, s, 0);
    struct tas_input *input = open_input(s);

    type(input, "日本");
    expect_typed(input, &t, "日本");
    char *while_lent = keymap_text(s);
    assert_string_not_equal(before, while_lent);
    free(while_lent);
    uint64_t give_up = tas_mono_us() + GIVE_UP_MS * 1000ull;
    while (inp->pending_ms(input) >= 0) {
        char none[4];
        assert_int_equal(turn_loop(input, &t, none, sizeof(none)), 0);
        assert_true(tas_mono_us() < give_up);
    }
    assert_same_keymap(s, before);
    inp->close(input);
    stop_typist(&t);
}

static bool is_button_down(struct server *s) {
    xcb_query_pointer_reply_t *r =
        xcb_query_pointer_reply(s->xcb, xcb_query_pointer(s->xcb, s->screen->root), NULL);
    assert_non_null(r);
    bool down = (r->mask & XCB_BUTTON_MASK_1) != 0;
    free(r);
    return down;
}

/* Runs in a process of its own, with a connection of its own. */
static void be_killed_while_typing(const struct server *s) {
    struct server mine = *s;
    struct tas_input *input = NULL;
    char why[200];

    mine.xcb = xcb_connect(s->name, NULL);
    if (inp->open(&input, s->name, why, sizeof(why)) == TAS_OK && inp->key(input, 30, 'a', true) == TAS_OK &&
        inp->pointer(input, 1, 1, 1) == TAS_OK && inp->text(input, (const uint32_t[]){0x65e5}, 1) == TAS_OK) {
        while (!is_key_down(&mine, 30) || !is_button_down(&mine))
            ;
        raise(SIGKILL);
    }
    _exit(1);
}

static void what_a_killed_program_left_is_put_right_by_open_and_close(void **state) {
    struct server *s = *state;
    char *before = keymap_text(s);
    pid_t pid = fork();
    if (pid == 0)
        be_killed_while_typing(s);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_true(is_key_down(s, 30));
    assert_true(is_button_down(s));
    char *left_over = keymap_text(s);
    assert_string_not_equal(left_over, before);
    free(left_over);

    inp->close(open_input(s));
    wait_key(s, 30, false);
    assert_false(is_button_down(s));
    assert_same_keymap(s, before);
}

#define WITH_SERVER(f) cmocka_unit_test_setup_teardown(f, set_up_server, tear_down_server)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_SERVER(pointer_buttons_and_wheel_arrive_where_they_should),
        WITH_SERVER(held_keys_are_released_at_close),
        WITH_SERVER(a_key_that_means_something_else_here_is_replaced_by_the_one_that_means_it),
        WITH_SERVER(text_arrives_as_it_was_typed),
        WITH_SERVER(text_arrives_at_a_slow_program),
        WITH_SERVER(text_arrives_whatever_the_layout),
        WITH_SERVER(text_arrives_when_the_layout_changes_in_between),
        WITH_SERVER(three_hundred_random_characters_arrive),
        WITH_SERVER(held_modifiers_and_locks_do_not_garble_text),
        WITH_SERVER(a_key_for_a_character_that_needs_other_modifiers_here_is_typed),
        WITH_SERVER(what_cannot_be_typed_is_refused_after_what_can),
        WITH_SERVER(the_queue_is_bounded),
        WITH_SERVER(the_map_is_given_back_when_no_text_comes_any_more),
        WITH_SERVER(what_a_killed_program_left_is_put_right_by_open_and_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
