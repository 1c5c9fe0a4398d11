/* What is known of this machine, and of a display of its own. */
#include "base/json.h"
#include "base/time.h"
#include "client/device.h"
#include "xserver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void expect(const struct tas_json *json, const char *name, const char *want) {
    char *text = tas_json_dump(tas_json_get(json, name));
    assert_non_null(text);
    assert_string_equal(text, want);
    free(text);
}

static void a_display_and_its_keyboard_are_told(void **state) {
    struct server *s = *state;
    char out[64];
    run_program((const char *const[]){"setxkbmap", "-display", s->name, "-model", "jp106", "-layout", "jp,us",
                                      "-option", "", NULL},
                out, sizeof(out));
    struct tas_json *json = tas_device_collect(s->name);
    assert_non_null(json);
    const struct tas_json *displays = tas_json_get(json, "displays");
    assert_int_equal(tas_json_len(displays), 1);
    const struct tas_json *d = tas_json_at(displays, 0);
    assert_string_equal(tas_json_get_text(d, "name"), "screen");
    assert_int_equal(tas_json_get_int(d, "x", -1), 0);
    assert_int_equal(tas_json_get_int(d, "y", -1), 0);
    assert_int_equal(tas_json_get_int(d, "width", 0), WIDTH);
    assert_int_equal(tas_json_get_int(d, "height", 0), HEIGHT);
    expect(json, "keyboard_layout", "{\"model\":\"jp106\",\"layout\":\"jp,us\"}");
    tas_json_free(json);
}

static void any_program_may_write_the_rules(void **state) {
    struct server *s = *state;
    static uint8_t junk[5000];
    memset(junk, '"', sizeof(junk));
    xcb_intern_atom_reply_t *atom =
        xcb_intern_atom_reply(s->xcb, xcb_intern_atom(s->xcb, 0, 16, "_XKB_RULES_NAMES"), NULL);
    assert_non_null(atom);
    xcb_change_property(s->xcb, XCB_PROP_MODE_REPLACE, s->screen->root, atom->atom, XCB_ATOM_STRING, 8,
                        sizeof(junk), junk);
    sync_server(s);
    struct tas_json *json = tas_device_collect(s->name);
    char *text = tas_json_dump(json);
    assert_non_null(text);
    assert_null(tas_json_get(json, "keyboard_layout")); /* all of it would be the rules */
    assert_true(strlen(text) <= TAS_DEVICE_JSON_MAX);
    xcb_change_property(s->xcb, XCB_PROP_MODE_REPLACE, s->screen->root, atom->atom, XCB_ATOM_ATOM, 32, 1000,
                        junk);
    sync_server(s);
    tas_json_free(json);
    json = tas_device_collect(s->name);
    assert_null(tas_json_get(json, "keyboard_layout"));
    tas_json_free(json);
    free(text);
    free(atom);
}

static void every_machine_tells_something(void **state) {
    (void)state;
    uint64_t start_us = tas_mono_us();
    struct tas_json *json = tas_device_collect(":no");
    uint64_t took_us = tas_mono_us() - start_us;
    static const char *const names[] = {"machine",  "user",        "os",         "kernel",
                                        "cpu",      "cpu_threads", "memory_mib", "memory_free_mib",
                                        "uptime_s", "disks",       "network"};
    char *text = tas_json_dump(json);
    assert_non_null(text);
    printf("%s\n%llu us\n", text, (unsigned long long)took_us);
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        assert_non_null(tas_json_get(json, names[i]));
    assert_null(tas_json_get(json, "displays"));
    assert_true(tas_json_is_plain(json));
    free(text);
    tas_json_free(json);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_display_and_its_keyboard_are_told, set_up_server, tear_down_server),
        cmocka_unit_test_setup_teardown(any_program_may_write_the_rules, set_up_server, tear_down_server),
        cmocka_unit_test(every_machine_tells_something),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
