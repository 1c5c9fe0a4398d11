/* The X11 screen against a real X server: each test starts an Xvfb of its own. Also what screen and input
 * have in common: displays that are missing, lack something, or die. */
#include "client/input.h"
#include "client/screen.h"
#include "client/x11/pixels_private.h"
#include "xserver.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xcb/randr.h>
#include <xcb/xcb.h>

#include <cmocka.h>

static const struct tas_screen_ops *const scr = &tas_screen_x11;
static const struct tas_input_ops *const inp = &tas_input_x11;

struct view {
    struct tas_screen *screen;
    struct tas_tiles dirty;
    struct tas_picture *pic;
};

static void fit_view(struct view *v) {
    uint32_t w;
    uint32_t h;
    scr->size(v->screen, &w, &h);
    tas_picture_free(v->pic);
    tas_tiles_fini(&v->dirty);
    v->pic = tas_picture_new(w, h);
    assert_non_null(v->pic);
    assert_int_equal(tas_tiles_init(&v->dirty, w, h), TAS_OK);
}

static void grab_dirty(struct view *v) {
    assert_int_equal(scr->grab(v->screen, &v->dirty, v->pic), TAS_OK);
    tas_tiles_clear(&v->dirty);
}

/* Opened, grabbed in full, with all damage so far taken in. */
static void open_view(struct view *v, const struct server *s) {
    char why[200] = "";
    *v = (struct view){0};
    int err = scr->open(&v->screen, s->name, why, sizeof(why));
    if (err != TAS_OK)
        fail_msg("%s", why);
    fit_view(v);
    assert_int_equal(scr->pump(v->screen, &v->dirty), TAS_OK);
    tas_tiles_set_all(&v->dirty);
    grab_dirty(v);
}

static void close_view(struct view *v) {
    scr->close(v->screen);
    tas_tiles_fini(&v->dirty);
    tas_picture_free(v->pic);
}

/* Pumps until something is dirty. */
static void wait_dirty(struct view *v) {
    while (tas_tiles_count(&v->dirty) == 0) {
        wait_readable(scr->fd(v->screen));
        assert_int_equal(scr->pump(v->screen, &v->dirty), TAS_OK);
    }
}

static uint32_t pixel(const struct view *v, uint32_t x, uint32_t y) {
    return v->pic->px[(size_t)y * v->pic->stride + x];
}

static void a_drawn_rectangle_is_reported_and_grabbed_exactly(void **state) {
    struct server *s = *state;
    struct view v;
    open_view(&v, s);

    draw(s, 70, 10, 100, 20, 0x123456);
    wait_dirty(&v);
    assert_int_equal(tas_tiles_count(&v.dirty), 2);
    assert_true(tas_tiles_get(&v.dirty, 1, 0));
    assert_true(tas_tiles_get(&v.dirty, 2, 0));
    grab_dirty(&v);
    for (uint32_t y = 0; y < HEIGHT; y++)
        for (uint32_t x = 0; x < WIDTH; x++)
            assert_int_equal(pixel(&v, x, y), x >= 70 && x < 170 && y >= 10 && y < 30 ? 0x123456 : 0);
    close_view(&v);
}

static void the_same_place_is_reported_again_when_drawn_again(void **state) {
    struct server *s = *state;
    struct view v;
    open_view(&v, s);

    for (uint32_t i = 1; i <= 50; i++) {
        draw(s, 900, 650, 100, 50, i * 0x010203);
        wait_dirty(&v);
        assert_int_equal(tas_tiles_count(&v.dirty), 2);
        grab_dirty(&v);
        assert_int_equal(pixel(&v, 999, 699), i * 0x010203);
    }
    close_view(&v);
}

static void nothing_is_dirty_until_something_is_drawn(void **state) {
    struct server *s = *state;
    struct view v;
    open_view(&v, s);

    for (int16_t i = 0; i < 20; i++)
        xcb_warp_pointer(s->xcb, XCB_NONE, s->screen->root, 0, 0, 0, 0, (int16_t)(20 * i), 300);
    sync_server(s);
    assert_int_equal(scr->pump(v.screen, &v.dirty), TAS_OK);
    assert_int_equal(tas_tiles_count(&v.dirty), 0);
    draw(s, 0, 0, 1, 1, 0xffffff);
    wait_dirty(&v);
    assert_int_equal(tas_tiles_count(&v.dirty), 1);
    close_view(&v);
}

static void damage_read_while_grabbing_makes_fd_readable(void **state) {
    struct server *s = *state;
    struct view v;
    open_view(&v, s);

    draw(s, 0, 0, 10, 10, 1); /* its event is read from the socket by the next grab */
    struct tas_tiles one;
    assert_int_equal(tas_tiles_init(&one, WIDTH, HEIGHT), TAS_OK);
    tas_tiles_set(&one, 5, 5);
    assert_int_equal(scr->grab(v.screen, &one, v.pic), TAS_OK);
    wait_dirty(&v);
    assert_true(tas_tiles_get(&v.dirty, 0, 0));
    tas_tiles_fini(&one);
    close_view(&v);
}

static void a_grab_of_some_tiles_leaves_the_others_alone(void **state) {
    struct server *s = *state;
    struct view v;
    open_view(&v, s);

    draw(s, 0, 0, WIDTH, HEIGHT, 0xabcdef);
    static const struct {
        uint32_t x, y;
    } some[] = {{0, 0}, {1, 0}, {3, 0}, {0, 1}, {1, 1}, {15, 10}, {15, 9}, {7, 5}, {6, 5}};
    for (size_t i = 0; i < sizeof(some) / sizeof(*some); i++)
        tas_tiles_set(&v.dirty, some[i].x, some[i].y);
    assert_int_equal(scr->grab(v.screen, &v.dirty, v.pic), TAS_OK);
    for (uint32_t y = 0; y < HEIGHT; y++)
        for (uint32_t x = 0; x < WIDTH; x++)
            assert_int_equal(pixel(&v, x, y),
                             tas_tiles_get(&v.dirty, x / TAS_TILE, y / TAS_TILE) ? 0xabcdef : 0);
    close_view(&v);
}

/* Every pixel a value of its own, at the places that blocks of requests could mix up. */
static void draw_noise(struct server *s) {
    for (int16_t y = 0; y < HEIGHT; y = (int16_t)(y + 20))
        for (int16_t x = 0; x < WIDTH; x = (int16_t)(x + 20)) {
            uint32_t colour = (uint32_t)x * 0x1357 + (uint32_t)y * 0x2468a;
            xcb_change_window_attributes(s->xcb, s->screen->root, XCB_CW_BACK_PIXEL, &colour);
            xcb_clear_area(s->xcb, 0, s->screen->root, x, y, 20, 20);
        }
    sync_server(s);
}

static void assert_noise(const struct view *v, uint32_t mask) {
    for (uint32_t y = 0; y < HEIGHT; y++)
        for (uint32_t x = 0; x < WIDTH; x++)
            assert_int_equal(pixel(v, x, y) & mask,
                             (x / 20 * 20 * 0x1357 + y / 20 * 20 * 0x2468a) & 0xffffff & mask);
}

static void a_checkerboard_and_its_rest_make_the_whole_screen(void **state) {
    struct server *s = *state;
    struct view v;
    open_view(&v, s);

    draw_noise(s);
    for (uint32_t odd = 0; odd < 2; odd++) {
        for (uint32_t ty = 0; ty < v.dirty.down; ty++)
            for (uint32_t tx = 0; tx < v.dirty.across; tx++)
                if ((tx + ty) % 2 == odd)
                    tas_tiles_set(&v.dirty, tx, ty);
        grab_dirty(&v);
    }
    assert_noise(&v, 0xffffff);
    close_view(&v);
}

static void without_shared_memory_the_pixels_are_the_same(void **state) {
    (void)state;
    static const char *const more[] = {"-extension", "MIT-SHM", NULL};
    struct server s;
    struct view v;
    start_server(&s, "1000x700x24", more);
    open_view(&v, &s);

    draw_noise(&s);
    wait_dirty(&v);
    tas_tiles_set_all(&v.dirty);
    grab_dirty(&v);
    assert_noise(&v, 0xffffff);
    close_view(&v);
    stop_server(&s);
}

static void ten_bits_a_colour_become_eight(void **state) {
    (void)state;
    struct server s;
    struct view v;
    start_server(&s, "1000x700x30", NULL);
    open_view(&v, &s);

    draw(&s, 0, 0, 64, 64,
         0x3ffu << 20 | 0x200u << 10 | 0x001); /* red full, green a half, blue next to nothing */
    wait_dirty(&v);
    grab_dirty(&v);
    assert_int_equal(pixel(&v, 5, 5), 0xff8000);
    close_view(&v);
    stop_server(&s);
}

/* No server at hand has these. */
static void packed_and_swapped_pixels_become_ours(void **state) {
    (void)state;
    static const uint8_t packed[] = {0x33, 0x22, 0x11, 0x66, 0x55, 0x44}; /* least significant byte first */
    static const uint8_t swapped[] = {0xff, 0x11, 0x22, 0x33, 0xff, 0x44, 0x55, 0x66};
    static const uint8_t bgr[] = {0x11, 0x22, 0x33, 0xff, 0x44, 0x55, 0x66, 0xff};
    struct tas_x11_pixels px = {.red = 0xff0000, .green = 0xff00, .blue = 0xff, .bytes = 3, .pad = 4};
    uint32_t out[2];

    assert_int_equal(tas_x11_pixels_check(&px), TAS_OK);
    assert_int_equal(tas_x11_pixels_row(&px, 2), 8);
    for (int way = 0; way < 3; way++) {
        if (way == 1)
            px = (struct tas_x11_pixels){0xff0000, 0xff00, 0xff, .bytes = 4, .pad = 4, .is_msb_first = true};
        else if (way == 2)
            px = (struct tas_x11_pixels){0xff, 0xff00, 0xff0000, .bytes = 4, .pad = 4};
        assert_int_equal(tas_x11_pixels_check(&px), TAS_OK);
        tas_x11_pixels_convert(&px, out, way == 0 ? packed : way == 1 ? swapped : bgr, 2);
        assert_int_equal(out[0], 0x112233);
        assert_int_equal(out[1], 0x445566);
    }
    px.green = 0xf0f0;
    assert_int_equal(tas_x11_pixels_check(&px), TAS_E_ABSENT);
}

/* Says `word`, and was not cut off. */
static void assert_reason(const char *why, const char *word) {
    if (!strstr(why, word) || why[strlen(why) - 1] != '.')
        fail_msg("%s not in, or no end of: %s", word, why);
}

static void sixteen_bit_colour_is_refused_in_words(void **state) {
    (void)state;
    struct server s;
    struct tas_screen *screen = NULL;
    char why[200] = "";
    start_server(&s, "1000x700x16", NULL);
    assert_int_equal(scr->open(&screen, s.name, why, sizeof(why)), TAS_E_ABSENT);
    assert_reason(why, "16 bits");
    stop_server(&s);
}

/* RANDR as xrandr does it, but with a rotation: Xvfb says 0 and xrandr 1.5 sends that back, which is refused.
 */
static void set_screen_size(struct server *s, uint16_t width, uint16_t height) {
    xcb_randr_get_screen_resources_reply_t *res = xcb_randr_get_screen_resources_reply(
        s->xcb, xcb_randr_get_screen_resources(s->xcb, s->screen->root), NULL);
    assert_non_null(res);
    free(xcb_randr_set_crtc_config_reply(
        s->xcb,
        xcb_randr_set_crtc_config(s->xcb, xcb_randr_get_screen_resources_crtcs(res)[0], XCB_CURRENT_TIME,
                                  res->config_timestamp, 0, 0, XCB_NONE, XCB_RANDR_ROTATION_ROTATE_0, 0,
                                  NULL),
        NULL));
    xcb_generic_error_t *error = xcb_request_check(
        s->xcb, xcb_randr_set_screen_size_checked(s->xcb, s->screen->root, width, height, 300, 200));
    assert_null(error);
    free(res);
}

static void wait_new_size(struct view *v) {
    int err;
    do {
        wait_readable(scr->fd(v->screen));
        err = scr->pump(v->screen, &v->dirty);
    } while (err == TAS_OK);
    assert_int_equal(err, TAS_E_STATE);
    fit_view(v);
    tas_tiles_set_all(&v->dirty);
}

static void a_new_size_is_told_and_then_grabbed(void **state) {
    struct server *s = *state;
    struct view v;
    open_view(&v, s);
    static const uint16_t sizes[][2] = {{640, 480}, {900, 333}, {64, 64}, {1000, 700}};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        uint16_t w = sizes[i][0];
        uint16_t h = sizes[i][1];
        set_screen_size(s, w, h);
        wait_new_size(&v);
        assert_int_equal(v.pic->width, w);
        assert_int_equal(v.pic->height, h);
        draw(s, 0, 0, w, h, 0x111111u * (uint32_t)(i + 1));
        grab_dirty(&v);
        assert_int_equal(pixel(&v, w - 1u, h - 1u), 0x111111u * (uint32_t)(i + 1));
        draw(s, (int16_t)(w - 1), (int16_t)(h - 1), 1, 1, 0xfedcba);
        wait_dirty(&v);
        grab_dirty(&v);
        assert_int_equal(pixel(&v, w - 1u, h - 1u), 0xfedcba);
    }
    close_view(&v);
}

static void a_grab_after_the_screen_shrank_fails_and_the_next_pump_tells_why(void **state) {
    struct server *s = *state;
    struct view v;
    open_view(&v, s);

    set_screen_size(s, 320, 200);
    tas_tiles_set_all(&v.dirty);
    assert_int_equal(scr->grab(v.screen, &v.dirty, v.pic), TAS_E_STATE);
    wait_new_size(&v);
    grab_dirty(&v);
    assert_int_equal(v.pic->width, 320);
    close_view(&v);
}

/* A 4x3 cursor: all red, half there. */
static void set_cursor(struct server *s, xcb_window_t window, uint16_t red) {
    xcb_pixmap_t source = xcb_generate_id(s->xcb);
    xcb_cursor_t cursor = xcb_generate_id(s->xcb);
    xcb_gcontext_t gc = xcb_generate_id(s->xcb);
    uint32_t one = 1;
    xcb_create_pixmap(s->xcb, 1, source, s->screen->root, 4, 3);
    xcb_create_gc(s->xcb, gc, source, XCB_GC_FOREGROUND, &one);
    xcb_poly_fill_rectangle(s->xcb, source, gc, 1, &(xcb_rectangle_t){0, 0, 4, 3});
    xcb_create_cursor(s->xcb, cursor, source, source, red, 0, 0, 0, 0, 0, 2, 1);
    xcb_change_window_attributes(s->xcb, window, XCB_CW_CURSOR, &cursor);
    sync_server(s);
}

static void the_cursor_has_its_image_and_place(void **state) {
    struct server *s = *state;
    struct view v;
    struct tas_screen_cursor c;
    uint32_t before = 0;
    open_view(&v, s);

    for (uint16_t i = 1; i <= 2; i++) {
        xcb_warp_pointer(s->xcb, XCB_NONE, s->screen->root, 0, 0, 0, 0, (int16_t)(100 * i), 77);
        set_cursor(s, s->screen->root, (uint16_t)(0x7f7f * i));
        do {
            wait_readable(scr->fd(v.screen));
            assert_int_equal(scr->pump(v.screen, &v.dirty), TAS_OK);
            assert_int_equal(scr->cursor(v.screen, &c), TAS_OK);
        } while (c.serial == before || c.width != 4);
        assert_int_equal(c.x, 100 * i);
        assert_int_equal(c.y, 77);
        assert_int_equal(c.height, 3);
        assert_int_equal(c.hot_x, 2);
        assert_int_equal(c.hot_y, 1);
        const uint8_t want[4] = {(uint8_t)(0x7f * i), 0, 0, 255};
        for (size_t p = 0; p < 12; p++)
            assert_memory_equal(c.rgba + 4 * p, want, 4);
        before = c.serial;
    }
    close_view(&v);
}

/* ---- monitors ---- */

/* By xrandr, as libxcb 1.15 cannot say it. */
static void set_monitor(struct server *s, const char *name, const struct tas_screen_area *area,
                        bool is_primary) {
    char starred[64], place[80], out[200];
    snprintf(starred, sizeof(starred), "%s%s", is_primary ? "*" : "", name);
    snprintf(place, sizeof(place), "%u/100x%u/100+%u+%u", area->width, area->height, area->x, area->y);
    run_program((const char *const[]){"xrandr", "-d", s->name, "--setmonitor", starred, place, "none", NULL},
                out, sizeof(out));
}

static void forget_monitor(struct server *s, const char *name) {
    char out[200];
    run_program((const char *const[]){"xrandr", "-d", s->name, "--delmonitor", name, NULL}, out, sizeof(out));
}

static void wait_serial(struct view *v, uint32_t before) {
    while (scr->monitors(v->screen)->serial == before) {
        wait_readable(scr->fd(v->screen));
        assert_int_equal(scr->pump(v->screen, &v->dirty), TAS_OK);
    }
}

/* In any order. */
static void assert_monitor(const struct tas_screen_monitors *all, const char *name,
                           const struct tas_screen_area *area, bool is_primary) {
    const struct tas_screen_monitor *m = all->list;
    while (m < all->list + all->n && strcmp(m->name, name) != 0)
        m++;
    assert_true(m < all->list + all->n);
    assert_memory_equal(&m->area, area, sizeof(*area));
    assert_int_equal(m->is_primary, is_primary);
}

static const struct tas_screen_area whole = {0, 0, WIDTH, HEIGHT}, right = {600, 100, 333, 301},
                                    lower = {0, 500, 700, 200};

static void monitors_are_listed_as_they_come_and_go(void **state) {
    struct server *s = *state;
    struct view v;
    open_view(&v, s);
    const struct tas_screen_monitors *m = scr->monitors(v.screen);

    assert_int_equal(m->n, 1);
    assert_memory_equal(&m->list[0].area, &whole, sizeof(whole));
    uint32_t serial = m->serial;
    set_monitor(s, "右の画面", &right, true);
    wait_serial(&v, serial);
    m = scr->monitors(v.screen);
    assert_int_equal(m->n, 2);
    assert_monitor(m, "右の画面", &right, true);
    assert_monitor(m, "screen", &whole, false);
    /* beyond the edges: what of it is on the screen; off the screen, or the same again: nothing */
    serial = m->serial;
    set_monitor(s, "edge", &(struct tas_screen_area){900, 650, 500, 500}, false);
    set_monitor(s, "off", &(struct tas_screen_area){1000, 0, 500, 500}, false);
    set_monitor(s, "again", &right, false);
    wait_serial(&v, serial);
    m = scr->monitors(v.screen);
    assert_int_equal(m->n, 3);
    assert_monitor(m, "edge", &(struct tas_screen_area){900, 650, 100, 50}, false);
    serial = m->serial;
    forget_monitor(s, "右の画面");
    forget_monitor(s, "again");
    set_monitor(s, "a\tb\xe2\x80\xae", &lower, false); /* any program may choose such a name */
    wait_serial(&v, serial);
    while (scr->monitors(v.screen)->n != 3)
        wait_serial(&v, scr->monitors(v.screen)->serial);
    assert_monitor(scr->monitors(v.screen), "", &lower, false);
    close_view(&v);
}

static void look_at(struct view *v, const struct tas_screen_area *area) {
    assert_int_equal(scr->look_at(v->screen, area), TAS_OK);
    fit_view(v);
    assert_int_equal(v->pic->width, area ? area->width : WIDTH);
    assert_int_equal(v->pic->height, area ? area->height : HEIGHT);
    tas_tiles_set_all(&v->dirty);
    grab_dirty(v);
}

static void a_part_of_the_screen_is_grabbed_exactly(void **state) {
    struct server *s = *state;
    struct view v;
    open_view(&v, s);
    draw_noise(s);
    const struct tas_screen_area *const areas[] = {&right, &lower, &(struct tas_screen_area){999, 699, 1, 1},
                                                   &(struct tas_screen_area){0, 0, 64, 64}};
    for (size_t i = 0; i < sizeof(areas) / sizeof(areas[0]); i++) {
        const struct tas_screen_area *a = areas[i];
        look_at(&v, a);
        for (uint32_t y = 0; y < a->height; y++)
            for (uint32_t x = 0; x < a->width; x++)
                assert_int_equal(pixel(&v, x, y),
                                 ((a->x + x) / 20 * 20 * 0x1357 + (a->y + y) / 20 * 20 * 0x2468a) & 0xffffff);
    }
    look_at(&v, NULL);
    assert_noise(&v, 0xffffff);
    close_view(&v);
}

static void only_what_changes_in_the_part_is_reported(void **state) {
    struct server *s = *state;
    struct view v;
    open_view(&v, s);
    look_at(&v, &right);
    assert_int_equal(scr->pump(v.screen, &v.dirty), TAS_OK);

    draw(s, 0, 0, 600, 700, 0x111111);
    draw(s, 933, 0, 67, 700, 0x222222);
    draw(s, 600, 0, 333, 100, 0x333333);
    draw(s, 600, 401, 333, 299, 0x444444);
    assert_int_equal(scr->pump(v.screen, &v.dirty), TAS_OK);
    assert_int_equal(tas_tiles_count(&v.dirty), 0);
    draw(s, 580, 90, 21, 11, 0xabcdef); /* one px of it inside */
    wait_dirty(&v);
    assert_int_equal(tas_tiles_count(&v.dirty), 1);
    grab_dirty(&v);
    assert_int_equal(pixel(&v, 0, 0), 0xabcdef);
    assert_int_equal(pixel(&v, 1, 0), 0);
    draw(s, 600 + 64, 100 + 128, 64, 64, 0x123456); /* tiles count from the corner of the part */
    wait_dirty(&v);
    assert_int_equal(tas_tiles_count(&v.dirty), 1);
    assert_true(tas_tiles_get(&v.dirty, 1, 2));
    close_view(&v);
}

static void a_part_that_is_not_on_the_screen_is_refused(void **state) {
    struct server *s = *state;
    struct view v;
    open_view(&v, s);
    static const struct tas_screen_area bad[] = {
        {0, 0, 0, 10},     {0, 0, 10, 0},      {0, 0, WIDTH + 1, 10}, {1, 0, WIDTH, 10},    {WIDTH, 0, 1, 1},
        {0, HEIGHT, 1, 1}, {0, 1, 10, HEIGHT}, {1, 1, UINT32_MAX, 1}, {UINT32_MAX, 0, 2, 2}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(scr->look_at(v.screen, &bad[i]), TAS_E_LIMIT);
    tas_tiles_set_all(&v.dirty);
    grab_dirty(&v); /* all as it was */
    close_view(&v);
}

static void another_size_of_the_screen_shows_all_of_it(void **state) {
    struct server *s = *state;
    struct view v;
    open_view(&v, s);
    look_at(&v, &right);
    set_screen_size(s, 640, 480);
    wait_new_size(&v);
    assert_int_equal(v.pic->width, 640);
    assert_int_equal(v.pic->height, 480);
    grab_dirty(&v);
    close_view(&v);
}

static void the_pointer_is_placed_in_the_part_and_hidden_outside(void **state) {
    struct server *s = *state;
    struct view v;
    struct tas_screen_cursor c;
    open_view(&v, s);
    set_cursor(s, s->screen->root, 0xffff);
    look_at(&v, &right);
    assert_int_equal(scr->pump(v.screen, &v.dirty), TAS_OK);
    static const struct {
        int16_t x, y;
        uint32_t want_x, want_y;
        bool is_inside;
    } at[] = {{600, 100, 0, 0, true},      {932, 400, 332, 300, true}, {599, 200, 0, 100, false},
              {933, 200, 332, 100, false}, {700, 99, 100, 0, false},   {700, 401, 100, 300, false}};
    for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
        xcb_warp_pointer(s->xcb, XCB_NONE, s->screen->root, 0, 0, 0, 0, at[i].x, at[i].y);
        sync_server(s);
        assert_int_equal(scr->cursor(v.screen, &c), TAS_OK);
        assert_int_equal(c.x, at[i].want_x);
        assert_int_equal(c.y, at[i].want_y);
        assert_int_equal(c.serial != 0, at[i].is_inside);
        assert_int_equal(c.width, at[i].is_inside ? 4 : 0);
    }
    close_view(&v);
}

/* ---- being told of the pointer ---- */

static unsigned news_after_pump(struct view *v) {
    assert_int_equal(scr->pump(v->screen, &v->dirty), TAS_OK);
    return scr->pointer_news(v->screen);
}

static void a_move_is_told_once_when_it_is_awaited(void **state) {
    struct server *s = *state;
    struct view v;
    struct tas_input *input;
    struct tas_screen_cursor c;
    char why[160];
    open_view(&v, s);
    assert_int_equal(inp->open(&input, s->name, why, sizeof(why)), TAS_OK);
    (void)news_after_pump(&v);
    assert_int_equal(inp->pointer(input, 10, 10, 0), TAS_OK); /* not awaited: XTEST moves as a mouse does */
    assert_int_equal(inp->flush(input), TAS_OK);
    sync_server(s);
    assert_int_equal(news_after_pump(&v), 0);
    for (uint32_t i = 1; i <= 3; i++) {
        assert_int_equal(scr->await_move(v.screen), TAS_OK);
        assert_int_equal(scr->await_move(v.screen), TAS_OK);
        assert_int_equal(scr->cursor(v.screen, &c),
                         TAS_OK); /* as its owner does: what moved before is seen */
        assert_int_equal(news_after_pump(&v), 0);
        for (uint32_t k = 0; k < 20; k++)
            assert_int_equal(inp->pointer(input, 100 * i + k, 200, 0), TAS_OK);
        assert_int_equal(inp->flush(input), TAS_OK);
        unsigned news = 0;
        while (!(news & TAS_SCREEN_MOVED)) {
            wait_readable(scr->fd(v.screen));
            news = news_after_pump(&v);
        }
        sync_server(s);
        while (inp->pending_ms(input) >= 0)
            assert_int_equal(inp->flush(input), TAS_OK);
        sync_server(s);
        assert_int_equal(news_after_pump(&v) & TAS_SCREEN_MOVED, 0);
    }
    inp->close(input);
    close_view(&v);
}

static void another_image_of_the_pointer_is_told(void **state) {
    struct server *s = *state;
    struct view v;
    open_view(&v, s);
    struct tas_screen_cursor c;
    unsigned news = 0;
    assert_int_equal(scr->cursor(v.screen, &c), TAS_OK); /* all that was said before is there */
    (void)news_after_pump(&v);
    assert_int_equal(news_after_pump(&v), 0);
    set_cursor(s, s->screen->root, 0x1234);
    while (!news) {
        wait_readable(scr->fd(v.screen));
        news = news_after_pump(&v);
    }
    assert_int_equal(news, TAS_SCREEN_IMAGE);
    assert_int_equal(news_after_pump(&v), 0);
    close_view(&v);
}

static void assert_absent(const char *display, const char *word) {
    struct tas_screen *screen = NULL;
    struct tas_input *input = NULL;
    char why[160] = "";
    assert_int_equal(scr->open(&screen, display, why, sizeof(why)), TAS_E_ABSENT);
    assert_null(screen);
    assert_reason(why, word);
    assert_int_equal(inp->open(&input, display, why, sizeof(why)), TAS_E_ABSENT);
    assert_null(input);
    assert_reason(why, word);
}

static void without_a_display_the_reason_is_told(void **state) {
    (void)state;
    unsetenv("DISPLAY");
    assert_absent(NULL, "DISPLAY is not set");
    assert_absent("nonsense", "not the name");
    assert_absent(":65000", "not running");
}

static void a_display_without_an_extension_is_refused_by_its_name(void **state) {
    (void)state;
    static const char *const names[] = {"DAMAGE", "XFIXES", "RANDR", "XTEST"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        const char *const more[] = {"-extension", names[i], NULL};
        struct server s;
        struct tas_screen *screen = NULL;
        struct tas_input *input = NULL;
        char why[160] = "";
        start_server(&s, "1000x700x24", more);
        if (strcmp(names[i], "XTEST") != 0)
            assert_int_equal(scr->open(&screen, s.name, why, sizeof(why)), TAS_E_ABSENT);
        else
            assert_int_equal(inp->open(&input, s.name, why, sizeof(why)), TAS_E_ABSENT);
        assert_reason(why, names[i]);
        stop_server(&s);
    }
}

static void a_killed_server_is_absent_and_nothing_crashes(void **state) {
    (void)state;
    for (int way = 0; way < 4; way++) {
        struct server s;
        struct view v;
        struct tas_input *input;
        struct tas_screen_cursor c;
        char why[160];
        start_server(&s, "1000x700x24", NULL);
        open_view(&v, &s);
        assert_int_equal(inp->open(&input, s.name, why, sizeof(why)), TAS_OK);
        assert_int_equal(inp->key(input, 30, 'a', true), TAS_OK);
        assert_int_equal(inp->text(input, (const uint32_t[]){0x3042, 0x3044}, 2), TAS_OK);
        kill_server(&s);
        tas_tiles_set_all(&v.dirty);
        if (way == 0)
            wait_readable(scr->fd(v.screen)); /* the others write first, to a socket that nobody reads */
        if (way != 1)
            assert_int_equal(scr->grab(v.screen, &v.dirty, v.pic), TAS_E_ABSENT);
        if (way != 2)
            assert_int_equal(scr->cursor(v.screen, &c), TAS_E_ABSENT);
        assert_int_equal(scr->pump(v.screen, &v.dirty), TAS_E_ABSENT);
        if (way == 3)
            while (inp->pointer(input, 1, 1, 1) != TAS_E_ABSENT)
                ;
        assert_int_equal(inp->flush(input), TAS_E_ABSENT);
        inp->close(input);
        close_view(&v);
        stop_server(&s);
    }
}

#define WITH_SERVER(f) cmocka_unit_test_setup_teardown(f, set_up_server, tear_down_server)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_SERVER(a_drawn_rectangle_is_reported_and_grabbed_exactly),
        WITH_SERVER(the_same_place_is_reported_again_when_drawn_again),
        WITH_SERVER(nothing_is_dirty_until_something_is_drawn),
        WITH_SERVER(damage_read_while_grabbing_makes_fd_readable),
        WITH_SERVER(a_grab_of_some_tiles_leaves_the_others_alone),
        WITH_SERVER(a_checkerboard_and_its_rest_make_the_whole_screen),
        cmocka_unit_test(without_shared_memory_the_pixels_are_the_same),
        cmocka_unit_test(ten_bits_a_colour_become_eight),
        cmocka_unit_test(packed_and_swapped_pixels_become_ours),
        cmocka_unit_test(sixteen_bit_colour_is_refused_in_words),
        WITH_SERVER(a_new_size_is_told_and_then_grabbed),
        WITH_SERVER(a_grab_after_the_screen_shrank_fails_and_the_next_pump_tells_why),
        WITH_SERVER(the_cursor_has_its_image_and_place),
        WITH_SERVER(monitors_are_listed_as_they_come_and_go),
        WITH_SERVER(a_part_of_the_screen_is_grabbed_exactly),
        WITH_SERVER(only_what_changes_in_the_part_is_reported),
        WITH_SERVER(a_part_that_is_not_on_the_screen_is_refused),
        WITH_SERVER(another_size_of_the_screen_shows_all_of_it),
        WITH_SERVER(the_pointer_is_placed_in_the_part_and_hidden_outside),
        WITH_SERVER(a_move_is_told_once_when_it_is_awaited),
        WITH_SERVER(another_image_of_the_pointer_is_told),
        cmocka_unit_test(without_a_display_the_reason_is_told),
        cmocka_unit_test(a_display_without_an_extension_is_refused_by_its_name),
        cmocka_unit_test(a_killed_server_is_absent_and_nothing_crashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
