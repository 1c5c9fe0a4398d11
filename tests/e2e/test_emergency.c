/* The emergency key on real X servers. Xvfb has no keyboard but XTEST's; in a Xephyr inside it the keys that
 * XTEST presses outside arrive as those of a keyboard of its own, as a customer's do. */
#include "base/time.h"
#include "client/emergency.h"
#include "client/input.h"
#include "xserver.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xcb/xinput.h>

#include <cmocka.h>

static const struct tas_emergency_ops *const ops = &tas_emergency_x11;
static const struct tas_input_ops *const inp = &tas_input_x11;

/* Linux key codes. */
enum { CTRL = 29, RIGHT_CTRL = 97, ALT = 56, KEY_X = 45, KEY_B = 48, KEY_C = 46, CAPS = 58 };

struct nest {
    struct server outside;    /* Xvfb */
    struct server inside;     /* Xephyr */
    struct tas_input *hands;  /* the customer's, on his own keyboard */
    struct tas_input *remote; /* the operator's */
    struct tas_emergency *emergency;
};

static void exec_xephyr(const char *host, int fd) {
    char number[12];
    snprintf(number, sizeof(number), "%d", fd);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    setenv("DISPLAY", host, 1);
    int null = open("/dev/null", O_WRONLY);
    dup2(null, STDERR_FILENO);
    execlp("Xephyr", "Xephyr", "-displayfd", number, "-screen", "1000x700", "-nolisten", "tcp", "-noreset",
           NULL);
    _exit(127);
}

static void start_xephyr(struct server *s, const struct server *host) {
    int fds[2];
    char digits[12] = {0};
    *s = (struct server){0};
    assert_int_equal(pipe(fds), 0);
    s->pid = fork();
    assert_true(s->pid >= 0);
    if (s->pid == 0) {
        close(fds[0]);
        exec_xephyr(host->name, fds[1]);
    }
    close(fds[1]);
    for (size_t len = 0; len < sizeof(digits) - 1 && !strchr(digits, '\n'); len++) {
        wait_readable(fds[0]);
        assert_int_equal(read(fds[0], digits + len, 1), 1);
    }
    close(fds[0]);
    *strchrnul(digits, '\n') = '\0';
    snprintf(s->name, sizeof(s->name), ":%s", digits);
    s->xcb = xcb_connect(s->name, NULL);
    assert_int_equal(xcb_connection_has_error(s->xcb), 0);
    s->screen = xcb_setup_roots_iterator(xcb_get_setup(s->xcb)).data;
}

static struct tas_input *open_input(const struct server *s) {
    struct tas_input *input = NULL;
    char why[200] = "";
    if (inp->open(&input, s->name, why, sizeof(why)) != TAS_OK)
        fail_msg("%s", why);
    return input;
}

static struct tas_emergency *open_emergency(const struct server *s) {
    struct tas_emergency *e = NULL;
    char why[200] = "";
    if (ops->open(&e, s->name, why, sizeof(why)) != TAS_OK)
        fail_msg("%s", why);
    return e;
}

static void key(struct tas_input *input, uint16_t code, bool is_down) {
    assert_int_equal(inp->key(input, code, 0, is_down), TAS_OK);
}

static void tap(struct tas_input *input, uint16_t code) {
    key(input, code, true);
    key(input, code, false);
}

/* Everything that was pressed outside has gone through the inner server, when this key has. */
static void settle(struct nest *n) {
    uint64_t give_up = tas_mono_us() + GIVE_UP_MS * 1000ull;
    for (int down = 1; down >= 0; down--) {
        key(n->hands, CAPS, down);
        while (is_key_down(&n->inside, CAPS) != down)
            assert_true(tas_mono_us() < give_up);
    }
}

/* Was it pressed until now? */
static bool is_pressed(struct nest *n) {
    settle(n);
    sync_server(&n->inside); /* what the server had for others before has left it with this answer */
    bool found = false;
    struct pollfd p = {.fd = ops->fd(n->emergency), .events = POLLIN};
    while (poll(&p, 1, 0) > 0)
        found |= ops->pressed(n->emergency);
    return found;
}

static bool presses(struct nest *n, uint16_t a, uint16_t b, uint16_t c) {
    key(n->hands, a, true);
    key(n->hands, b, true);
    tap(n->hands, c);
    bool found = is_pressed(n);
    key(n->hands, b, false);
    key(n->hands, a, false);
    return found;
}

static void set_layout(const struct server *s, const char *layout, const char *variant, const char *option) {
    char out[256];
    run_program((const char *const[]){"setxkbmap", "-display", s->name, "-layout", layout, "-variant",
                                      variant, "-option", "", "-option", option, NULL},
                out, sizeof(out));
}

/* ---- tests ---- */

static void ctrl_alt_x_on_the_own_keyboard_counts(void **state) {
    struct nest *n = *state;
    assert_true(presses(n, CTRL, ALT, KEY_X));
    assert_true(presses(n, ALT, RIGHT_CTRL, KEY_X));
    assert_false(presses(n, CTRL, ALT, KEY_C));
    assert_false(presses(n, CTRL, KEY_C, KEY_X));
    assert_false(is_pressed(n));
    assert_true(presses(n, CTRL, ALT, KEY_X));
}

static void the_operators_keys_do_not_count(void **state) {
    struct nest *n = *state;
    key(n->remote, CTRL, true);
    key(n->remote, ALT, true);
    tap(n->remote, KEY_X);
    assert_false(is_pressed(n));
    tap(n->hands, KEY_X); /* nor do they complete the customer's */
    assert_false(is_pressed(n));
    assert_int_equal(inp->release_all(n->remote), TAS_OK);

    key(n->hands, CTRL, true);
    key(n->hands, ALT, true);
    tap(n->remote, KEY_X);
    assert_false(is_pressed(n));
    key(n->remote, CTRL, true); /* nor undo them */
    key(n->remote, CTRL, false);
    key(n->remote, ALT, true);
    key(n->remote, ALT, false);
    tap(n->hands, KEY_X);
    assert_true(is_pressed(n));
    key(n->hands, CTRL, false);
    key(n->hands, ALT, false);
}

static void a_grab_does_not_keep_it(void **state) {
    struct nest *n = *state;
    struct server *s = &n->inside;
    xcb_grab_keyboard_reply_t *r =
        xcb_grab_keyboard_reply(s->xcb,
                                xcb_grab_keyboard(s->xcb, 1, s->screen->root, XCB_CURRENT_TIME,
                                                  XCB_GRAB_MODE_ASYNC, XCB_GRAB_MODE_ASYNC),
                                NULL);
    assert_non_null(r);
    assert_int_equal(r->status, XCB_GRAB_STATUS_SUCCESS);
    free(r);
    assert_true(presses(n, CTRL, ALT, KEY_X));
    xcb_ungrab_keyboard(s->xcb, XCB_CURRENT_TIME);
    sync_server(s);
}

static uint16_t own_keyboard(struct server *s) {
    xcb_input_xi_query_device_reply_t *r = xcb_input_xi_query_device_reply(
        s->xcb, xcb_input_xi_query_device(s->xcb, XCB_INPUT_DEVICE_ALL), NULL);
    uint16_t found = 0;
    assert_non_null(r);
    xcb_input_xi_device_info_iterator_t it = xcb_input_xi_query_device_infos_iterator(r);
    for (; it.rem > 0; xcb_input_xi_device_info_next(&it)) {
        int len = xcb_input_xi_device_info_name_length(it.data);
        const char *name = xcb_input_xi_device_info_name(it.data);
        if (it.data->type == XCB_INPUT_DEVICE_TYPE_SLAVE_KEYBOARD && !memmem(name, (size_t)len, "XTEST", 5))
            found = it.data->deviceid;
    }
    free(r);
    assert_true(found > 0);
    return found;
}

static void a_grab_of_the_device_itself_does_not_keep_it(void **state) {
    struct nest *n = *state;
    struct server *s = &n->inside;
    uint32_t mask = XCB_INPUT_XI_EVENT_MASK_KEY_PRESS;
    uint16_t id;

    free(xcb_input_xi_query_version_reply(s->xcb, xcb_input_xi_query_version(s->xcb, 2, 2), NULL));
    id = own_keyboard(s);
    xcb_input_xi_grab_device_reply_t *r = xcb_input_xi_grab_device_reply(
        s->xcb,
        xcb_input_xi_grab_device(s->xcb, s->screen->root, XCB_CURRENT_TIME, XCB_NONE, id,
                                 XCB_INPUT_GRAB_MODE_22_ASYNC, XCB_INPUT_GRAB_MODE_22_ASYNC, 0, 1, &mask),
        NULL);
    assert_non_null(r);
    assert_int_equal(r->status, XCB_GRAB_STATUS_SUCCESS);
    free(r);
    /* The inner server's map shows the master's keys, and this device has none for now. */
    struct pollfd p = {.fd = ops->fd(n->emergency), .events = POLLIN};
    uint64_t give_up = tas_mono_us() + GIVE_UP_MS * 1000ull;
    bool found = false;
    key(n->hands, CTRL, true);
    key(n->hands, ALT, true);
    key(n->hands, KEY_X, true);
    while (!found && tas_mono_us() < give_up) {
        poll(&p, 1, GIVE_UP_MS);
        found = ops->pressed(n->emergency);
    }
    assert_true(found);
    xcb_input_xi_ungrab_device(s->xcb, XCB_CURRENT_TIME, id);
    sync_server(s);
    assert_int_equal(inp->release_all(n->hands), TAS_OK);
}

static void layouts_are_followed(void **state) {
    struct nest *n = *state;
    struct server *s = &n->inside;
    set_layout(s, "us", "dvorak", "");
    assert_true(presses(n, CTRL, ALT, KEY_B)); /* where dvorak has its x */
    assert_false(presses(n, CTRL, ALT, KEY_X));
    set_layout(s, "ru", "", "");
    assert_true(presses(n, CTRL, ALT, KEY_X)); /* no Latin letters: the place */
    set_layout(s, "us,ru", ",", "");
    assert_true(presses(n, CTRL, ALT, KEY_X));
    set_layout(s, "jp", "", "");
    assert_true(presses(n, CTRL, ALT, KEY_X));
    /* Outside as well: Xephyr presses and releases modifiers by itself until they agree with what they mean
     * outside. */
    set_layout(&n->outside, "us", "", "ctrl:swap_lalt_lctl");
    set_layout(s, "us", "", "ctrl:swap_lalt_lctl");
    assert_true(presses(n, CTRL, ALT, KEY_X));
    assert_false(presses(n, CTRL, KEY_C, KEY_X));
}

static void lent_characters_are_no_obstacle(void **state) {
    struct nest *n = *state;
    assert_int_equal(inp->text(n->remote, (const uint32_t[]){0x65e5, 0x672c, 'x'}, 3), TAS_OK);
    assert_true(presses(n, CTRL, ALT, KEY_X));
}

static uint16_t add_master(struct server *s, xcb_input_xi_query_device_reply_t **all) {
    static const struct {
        xcb_input_add_master_t head;
        char name[8];
    } add = {.head = {.type = XCB_INPUT_HIERARCHY_CHANGE_TYPE_ADD_MASTER,
                      .len = sizeof(add) / 4,
                      .name_len = 5,
                      .send_core = 1,
                      .enable = 1},
             .name = "extra"};
    xcb_input_xi_change_hierarchy(s->xcb, 1, (const void *)&add);
    *all = xcb_input_xi_query_device_reply(s->xcb, xcb_input_xi_query_device(s->xcb, XCB_INPUT_DEVICE_ALL),
                                           NULL);
    assert_non_null(*all);
    uint16_t found = 0;
    xcb_input_xi_device_info_iterator_t it = xcb_input_xi_query_device_infos_iterator(*all);
    for (; it.rem > 0; xcb_input_xi_device_info_next(&it))
        if (it.data->type == XCB_INPUT_DEVICE_TYPE_MASTER_KEYBOARD && it.data->deviceid > 3)
            found = it.data->deviceid;
    return found;
}

static void devices_that_come_and_go_are_no_obstacle(void **state) {
    struct nest *n = *state;
    struct server *s = &n->inside;
    xcb_input_xi_query_device_reply_t *all;

    free(xcb_input_xi_query_version_reply(s->xcb, xcb_input_xi_query_version(s->xcb, 2, 2), NULL));
    key(n->hands, CTRL, true);
    key(n->hands, ALT, true);
    uint16_t master = add_master(s, &all);
    free(all);
    assert_true(master > 0);
    tap(n->hands, KEY_X);
    assert_true(is_pressed(n));
    const xcb_input_remove_master_t removed = {.type = XCB_INPUT_HIERARCHY_CHANGE_TYPE_REMOVE_MASTER,
                                               .len = sizeof(removed) / 4,
                                               .deviceid = master,
                                               .return_mode = XCB_INPUT_CHANGE_MODE_FLOAT};
    xcb_input_xi_change_hierarchy(s->xcb, 1, (const void *)&removed);
    sync_server(s);
    tap(n->hands, KEY_X);
    assert_true(is_pressed(n));
    key(n->hands, CTRL, false);
    key(n->hands, ALT, false);
    tap(n->remote, KEY_X);
    assert_false(is_pressed(n));
}

static void xtest_keys_alone_never_count(void **state) {
    struct server *s = *state;
    struct tas_emergency *e = open_emergency(s);
    struct tas_input *input = open_input(s);
    key(input, CTRL, true);
    key(input, ALT, true);
    tap(input, KEY_X);
    inp->close(input); /* waits until the server has done it all */
    struct pollfd p = {.fd = ops->fd(e), .events = POLLIN};
    bool was_readable = false;
    while (poll(&p, 1, was_readable ? 0 : GIVE_UP_MS) > 0) {
        was_readable = true;
        assert_false(ops->pressed(e));
        sync_server(s);
    }
    ops->close(e);
}

static void what_is_not_there_is_named(void **state) {
    struct server s;
    struct tas_emergency *e = NULL;
    char why[200] = "";
    (void)state;
    assert_int_equal(ops->open(&e, ":no", why, sizeof(why)), TAS_E_ABSENT);
    assert_string_equal(why, "\":no\" is not the name of an X11 display. It should look like :0.");
    start_server(&s, "320x200x24", NULL);
    e = open_emergency(&s);
    kill_server(&s);
    wait_readable(ops->fd(e));
    assert_false(ops->pressed(e));
    ops->close(e);
    ops->close(NULL);
    stop_server(&s);
}

static int set_up_nest(void **state) {
    static struct nest n;
    n = (struct nest){0};
    start_server(&n.outside, "1000x700x24", NULL);
    start_xephyr(&n.inside, &n.outside);
    /* Keys go to the window under the pointer: there is no window manager outside. */
    xcb_warp_pointer(n.outside.xcb, XCB_NONE, n.outside.screen->root, 0, 0, 0, 0, 500, 350);
    sync_server(&n.outside);
    n.hands = open_input(&n.outside);
    n.remote = open_input(&n.inside);
    n.emergency = open_emergency(&n.inside);
    *state = &n;
    return 0;
}

static int tear_down_nest(void **state) {
    struct nest *n = *state;
    ops->close(n->emergency);
    inp->close(n->remote);
    inp->close(n->hands);
    stop_server(&n->inside);
    stop_server(&n->outside);
    return 0;
}

#define NESTED(f) cmocka_unit_test_setup_teardown(f, set_up_nest, tear_down_nest)

int main(void) {
    const struct CMUnitTest tests[] = {
        NESTED(ctrl_alt_x_on_the_own_keyboard_counts),
        NESTED(the_operators_keys_do_not_count),
        NESTED(a_grab_does_not_keep_it),
        NESTED(a_grab_of_the_device_itself_does_not_keep_it),
        NESTED(layouts_are_followed),
        NESTED(lent_characters_are_no_obstacle),
        NESTED(devices_that_come_and_go_are_no_obstacle),
        cmocka_unit_test_setup_teardown(xtest_keys_alone_never_count, set_up_server, tear_down_server),
        cmocka_unit_test(what_is_not_there_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
