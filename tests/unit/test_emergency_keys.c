/* The decision of the emergency key, on events as a server sends them (bytes written out by hand). */
#include "client/x11/emergency_private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <xkbcommon/xkbcommon-keysyms.h>

#include <cmocka.h>

enum { XINPUT = 131, CTRL = 37, RIGHT_CTRL = 105, ALT = 64, X = 53, KEYBOARD = 8, OTHER = 11 };

/* ---- events ---- */

/* As XInput 2 has it on a little-endian machine. */
static const uint8_t press_x[32] = {
    35,   131,              /* generic event of XInput */
    0x2a, 0x00,             /* sequence */
    0,    0,    0,    0,    /* nothing behind it */
    13,   0,                /* RawKeyPress */
    8,    0,                /* device: a keyboard */
    0x10, 0x32, 0x54, 0x00, /* time */
    53,   0,    0,    0,    /* key code */
    8,    0,                /* source: the same */
    0,    0,                /* no valuators */
    0,    0,    0,    0,    /* flags */
};

static bool decode_with(struct tas_x11_raw_key *out, size_t at, uint8_t value) {
    uint8_t event[32];
    memcpy(event, press_x, sizeof(event));
    event[at] = value;
    return tas_x11_raw_key_decode(out, event, XINPUT);
}

static void a_raw_key_is_decoded(void **state) {
    struct tas_x11_raw_key key = {0};
    (void)state;
    assert_true(tas_x11_raw_key_decode(&key, press_x, XINPUT));
    assert_int_equal(key.device, KEYBOARD);
    assert_int_equal(key.keycode, X);
    assert_true(key.is_down);
    assert_true(decode_with(&key, 8, 14)); /* RawKeyRelease */
    assert_false(key.is_down);
    assert_true(decode_with(&key, 0, 35 | 0x80)); /* somebody sent it: the server does not let that through */
}

static void what_is_no_key_of_a_device_itself_is_left_out(void **state) {
    struct tas_x11_raw_key key = {.keycode = 7};
    (void)state;
    assert_false(decode_with(&key, 0, 2));   /* KeyPress of the core protocol */
    assert_false(decode_with(&key, 1, 130)); /* another extension */
    assert_false(decode_with(&key, 8, 15));  /* RawButtonPress */
    assert_false(decode_with(&key, 8, 2));   /* KeyPress of XInput */
    assert_false(decode_with(&key, 10, 3));  /* the master's copy */
    assert_false(decode_with(&key, 17, 1));  /* key code 309 */
    assert_int_equal(key.keycode, 7);
}

/* ---- meanings ---- */

static struct tas_x11_meanings completed(const uint32_t (*keys)[2], size_t n) {
    struct tas_x11_meanings m = {0};
    for (size_t i = 0; i < n; i++)
        tas_x11_meanings_add(&m, (uint8_t)keys[i][0], keys[i][1]);
    tas_x11_meanings_complete(&m);
    return m;
}

static void keys_mean_what_the_layout_says(void **state) {
    (void)state;
    /* dvorak with Control on Caps Lock */
    const uint32_t keys[][2] = {{66, XKB_KEY_Control_L},
                                {64, XKB_KEY_Alt_L},
                                {64, XKB_KEY_Meta_L},
                                {56, XKB_KEY_x},
                                {56, XKB_KEY_X},
                                {X, XKB_KEY_q},
                                {108, XKB_KEY_ISO_Level3_Shift},
                                {50, XKB_KEY_Shift_L}};
    struct tas_x11_meanings m = completed(keys, 8);
    for (unsigned key = 0; key < 256; key++) {
        unsigned want = key == 66   ? TAS_X11_MEANS_CONTROL
                        : key == 64 ? TAS_X11_MEANS_ALT
                        : key == 56 ? TAS_X11_MEANS_X
                                    : 0;
        assert_int_equal(m.of[key], want);
    }
}

static void without_latin_letters_the_place_counts(void **state) {
    (void)state;
    const uint32_t keys[][2] = {{CTRL, XKB_KEY_Control_L}, {ALT, XKB_KEY_Alt_L}, {X, XKB_KEY_Cyrillic_che}};
    struct tas_x11_meanings m = completed(keys, 3);
    assert_int_equal(m.of[X], TAS_X11_MEANS_X);
    assert_int_equal(m.of[RIGHT_CTRL], 0);
}

static void keys_that_were_taken_away_count_by_their_places(void **state) {
    struct tas_x11_meanings m = {0};
    (void)state;
    tas_x11_meanings_complete(&m);
    assert_int_equal(m.of[CTRL], TAS_X11_MEANS_CONTROL);
    assert_int_equal(m.of[RIGHT_CTRL], TAS_X11_MEANS_CONTROL);
    assert_int_equal(m.of[ALT], TAS_X11_MEANS_ALT);
    assert_int_equal(m.of[X], TAS_X11_MEANS_X);
}

/* ---- the combination ---- */

static uint8_t left_alt = ALT;

static uint8_t means(void *ctx, uint16_t device, uint8_t keycode) {
    (void)ctx;
    assert_true(device == KEYBOARD || device == OTHER);
    return keycode == CTRL       ? TAS_X11_MEANS_CONTROL
           : keycode == left_alt ? TAS_X11_MEANS_ALT
           : keycode == X        ? TAS_X11_MEANS_X
           : keycode == 70       ? TAS_X11_MEANS_ALL
                                 : 0;
}

static bool press(struct tas_x11_combination *c, uint16_t device, uint8_t key) {
    return tas_x11_combination_key(c, &(struct tas_x11_held){device, key}, true, means, NULL);
}

static void release(struct tas_x11_combination *c, uint16_t device, uint8_t key) {
    assert_false(tas_x11_combination_key(c, &(struct tas_x11_held){device, key}, false, means, NULL));
}

static void the_x_must_be_last(void **state) {
    struct tas_x11_combination c = {0};
    (void)state;
    assert_false(press(&c, KEYBOARD, CTRL));
    assert_false(press(&c, KEYBOARD, ALT));
    assert_true(press(&c, KEYBOARD, X));
    assert_false(press(&c, KEYBOARD, X)); /* held: once is enough */
    release(&c, KEYBOARD, X);
    assert_true(press(&c, KEYBOARD, X));
    release(&c, KEYBOARD, X);
    release(&c, KEYBOARD, ALT);
    assert_false(press(&c, KEYBOARD, X));
    assert_false(press(&c, KEYBOARD, ALT)); /* others' Ctrl+X, then Alt */
}

static void two_keyboards_count_together_and_apart(void **state) {
    struct tas_x11_combination c = {0};
    (void)state;
    assert_false(press(&c, KEYBOARD, CTRL));
    assert_false(press(&c, OTHER, ALT));
    assert_true(press(&c, OTHER, X));
    release(&c, OTHER, X);
    release(&c, OTHER, CTRL); /* never pressed there */
    assert_true(press(&c, OTHER, X));
    release(&c, OTHER, X);
    tas_x11_combination_forget(&c, KEYBOARD);
    assert_int_equal(c.n_held, 1);
    assert_false(press(&c, OTHER, X));
}

static void a_held_key_means_what_it_means_now(void **state) {
    struct tas_x11_combination c = {0};
    (void)state;
    assert_false(press(&c, KEYBOARD, CTRL));
    assert_false(press(&c, KEYBOARD, 108));
    assert_false(press(&c, KEYBOARD, X));
    release(&c, KEYBOARD, X);
    left_alt = 108; /* another layout */
    assert_true(press(&c, KEYBOARD, X));
    left_alt = ALT;
}

static void one_key_is_not_a_combination(void **state) {
    struct tas_x11_combination c = {0};
    (void)state;
    assert_false(press(&c, KEYBOARD, 70)); /* means all three */
    assert_false(press(&c, KEYBOARD, 70));
    assert_true(press(&c, OTHER, 70));
}

static void more_keys_than_people_press_do_no_harm(void **state) {
    struct tas_x11_combination c = {0};
    (void)state;
    press(&c, KEYBOARD, CTRL);
    for (unsigned key = 100; key < 256; key++)
        assert_false(press(&c, KEYBOARD, (uint8_t)key));
    assert_int_equal(c.n_held, TAS_X11_HELD_MAX);
    assert_false(press(&c, KEYBOARD, ALT));
    assert_false(press(&c, KEYBOARD, X)); /* Control was the oldest */
    assert_false(press(&c, KEYBOARD, CTRL));
    release(&c, KEYBOARD, X);
    assert_true(press(&c, KEYBOARD, X));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_raw_key_is_decoded),
        cmocka_unit_test(what_is_no_key_of_a_device_itself_is_left_out),
        cmocka_unit_test(keys_mean_what_the_layout_says),
        cmocka_unit_test(without_latin_letters_the_place_counts),
        cmocka_unit_test(keys_that_were_taken_away_count_by_their_places),
        cmocka_unit_test(the_x_must_be_last),
        cmocka_unit_test(two_keyboards_count_together_and_apart),
        cmocka_unit_test(a_held_key_means_what_it_means_now),
        cmocka_unit_test(one_key_is_not_a_combination),
        cmocka_unit_test(more_keys_than_people_press_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
