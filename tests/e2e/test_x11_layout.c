/* Our reading of keyboard maps (client/x11/layout_private.h) against libxkbcommon's, of the same X server:
 * every key, group, level and set of modifiers of many layouts. TASUKI_LAYOUTS=DIR: also writes the replies
 * there, as corpus for the fuzzer. */
#include "client/x11/layout_private.h"
#include "xserver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xcb/xkb.h>
#include <xkbcommon/xkbcommon-x11.h>
#include <xkbcommon/xkbcommon.h>

#include <cmocka.h>

enum { MASKS_MAX = 64 };

static const struct {
    const char *layout, *variant, *option;
} layouts[] = {
    {"us", "", ""},
    {"us", "intl", ""},
    {"us", "dvorak-alt-intl", ""},
    {"de", "", ""},
    {"de", "neo", ""},
    {"fr", "", ""},
    {"fr", "bepo", "caps:shiftlock"},
    {"jp", "", ""},
    {"jp", "kana", ""},
    {"ch", "fr", "lv3:ralt_alt"},
    {"gr,us", "polytonic,", ""},
    {"il", "", "caps:internal"},
    {"us,ru", "", "grp:alt_shift_toggle"},
    {"us,ru,de,fr", ",phonetic,,", "caps:ctrl_modifier"},
    {"ca", "multix", "lv5:rctrl_switch"},
    {"kr", "kr104", ""},
    {"in", "hin-kagapa", "level3:caps_switch"},
    {"tr", "", "caps:swapescape"},
};

struct both {
    struct tas_x11_layout ours;
    struct xkb_keymap *keymap;
    struct xkb_state *state;
};

static uint32_t our_sym(const struct tas_x11_layout *l, uint8_t key, unsigned group, uint8_t mods) {
    uint8_t used;
    group = tas_x11_layout_group(l, key, group);
    unsigned level = tas_x11_layout_level(l, key, group, mods, &used);
    uint32_t sym = tas_x11_layout_sym(l, key, group, level);
    return mods & ~used & TAS_X11_LOCK ? xkb_keysym_to_upper(sym) : sym;
}

static void symbols_are_the_same(struct both *b, uint8_t key) {
    for (unsigned group = 0; group < xkb_keymap_num_layouts(b->keymap); group++)
        for (unsigned mods = 0; mods < 256; mods++) {
            xkb_state_update_mask(b->state, mods, 0, 0, 0, 0, group);
            assert_int_equal(our_sym(&b->ours, key, group, (uint8_t)mods),
                             xkb_state_key_get_one_sym(b->state, key));
        }
}

static void level_is_the_same(const struct both *b, uint8_t key, unsigned group, unsigned level) {
    const xkb_keysym_t *syms;
    xkb_mod_mask_t theirs[MASKS_MAX];
    uint8_t ours[MASKS_MAX];
    int n_syms = xkb_keymap_key_get_syms_by_level(b->keymap, key, group, level, &syms);
    assert_int_equal(tas_x11_layout_sym(&b->ours, key, group, level), n_syms == 1 ? syms[0] : 0);
    size_t n = xkb_keymap_key_get_mods_for_level(b->keymap, key, group, level, theirs, MASKS_MAX);
    assert_int_equal(tas_x11_layout_masks(&b->ours, key, group, level, ours, MASKS_MAX), n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(ours[i], theirs[i]);
}

static void places_are_the_same(const struct both *b, uint8_t key) {
    unsigned n_groups = tas_x11_layout_groups(&b->ours, key);
    assert_int_equal(n_groups, xkb_keymap_num_layouts_for_key(b->keymap, key));
    for (unsigned group = 0; group < n_groups; group++) {
        unsigned n_levels = tas_x11_layout_levels(&b->ours, key, group);
        assert_int_equal(n_levels, xkb_keymap_num_levels_for_key(b->keymap, key, group));
        for (unsigned level = 0; level < n_levels; level++)
            level_is_the_same(b, key, group, level);
    }
}

static void modifiers_are_the_same(const struct both *b, uint8_t key) {
    struct xkb_state *state = xkb_state_new(b->keymap);
    assert_non_null(state);
    xkb_state_update_key(state, key, XKB_KEY_DOWN);
    assert_int_equal(b->ours.mods[key], xkb_state_serialize_mods(state, XKB_STATE_MODS_DEPRESSED) & 0xff);
    xkb_state_unref(state);
}

static void write_corpus(const char *name, const void *bytes, size_t len) {
    char path[512];
    if (!getenv("TASUKI_LAYOUTS"))
        return;
    snprintf(path, sizeof(path), "%s/%s", getenv("TASUKI_LAYOUTS"), name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, len, f), len);
    fclose(f);
}

static void maps_are_the_same(struct server *s, struct xkb_context *context, const char *name) {
    struct both b;
    int32_t device = xkb_x11_get_core_keyboard_device_id(s->xcb);
    xcb_xkb_get_map_reply_t *reply =
        xcb_xkb_get_map_reply(s->xcb,
                              xcb_xkb_get_map(s->xcb, (uint16_t)device, TAS_X11_PARTS, 0, 0, 0, 0, 0, 0, 0, 0,
                                              0, 0, 0, 0, 0, 0, 0, 0),
                              NULL);
    assert_non_null(reply);
    size_t len = 32 + (size_t)reply->length * 4;
    write_corpus(name, reply, len);
    assert_int_equal(tas_x11_layout_parse(&b.ours, tas_bytes_of(reply, len)), TAS_OK);
    b.keymap = xkb_x11_keymap_new_from_device(context, s->xcb, device, XKB_KEYMAP_COMPILE_NO_FLAGS);
    assert_non_null(b.keymap);
    b.state = xkb_state_new(b.keymap);
    assert_non_null(b.state);
    for (unsigned key = 8; key < 256; key++) {
        places_are_the_same(&b, (uint8_t)key);
        symbols_are_the_same(&b, (uint8_t)key);
        modifiers_are_the_same(&b, (uint8_t)key);
    }
    xkb_state_unref(b.state);
    xkb_keymap_unref(b.keymap);
    free(reply);
}

static void use_xkb(struct server *s) {
    assert_int_equal(xkb_x11_setup_xkb_extension(s->xcb, 1, 0, XKB_X11_SETUP_XKB_EXTENSION_NO_FLAGS, NULL,
                                                 NULL, NULL, NULL),
                     1);
}

static void every_layout_is_read_as_libxkbcommon_reads_it(void **state) {
    struct server *s = *state;
    struct xkb_context *context = xkb_context_new(XKB_CONTEXT_NO_DEFAULT_INCLUDES);
    use_xkb(s);
    for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
        char out[256];
        char name[64];
        run_program((const char *const[]){"setxkbmap", "-display", s->name, "-layout", layouts[i].layout,
                                          "-variant", layouts[i].variant, "-option", "", "-option",
                                          layouts[i].option, NULL},
                    out, sizeof(out));
        snprintf(name, sizeof(name), "%s_%s", layouts[i].layout, layouts[i].variant);
        maps_are_the_same(s, context, name);
    }
    xkb_context_unref(context);
}

static void a_reply_cut_anywhere_is_refused(void **state) {
    struct server *s = *state;
    struct tas_x11_layout layout = {.mods = {7}};
    use_xkb(s);
    xcb_xkb_get_map_reply_t *reply =
        xcb_xkb_get_map_reply(s->xcb,
                              xcb_xkb_get_map(s->xcb, XCB_XKB_ID_USE_CORE_KBD, TAS_X11_PARTS, 0, 0, 0, 0, 0,
                                              0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
                              NULL);
    assert_non_null(reply);
    size_t len = 32 + (size_t)reply->length * 4;
    for (size_t n = 0; n < len; n++)
        assert_int_equal(tas_x11_layout_parse(&layout, tas_bytes_of(reply, n)), TAS_E_PROTO);
    assert_int_equal(layout.mods[0], 7);
    free(reply);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_layout_is_read_as_libxkbcommon_reads_it, set_up_server,
                                        tear_down_server),
        cmocka_unit_test_setup_teardown(a_reply_cut_anywhere_is_refused, set_up_server, tear_down_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
