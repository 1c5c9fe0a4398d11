#include "oom.h"
#include "operator/present/view_private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum {
    SIDE = 200, /* px, the largest viewport here */
    IMAGE = 40, /* px, the largest pointer */
    POISON = 0x123457,
    OPAQUE = (int)0xff000000,
};

static uint32_t random_next(uint32_t *seed) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

static uint32_t below(uint32_t *seed, uint32_t end) {
    return random_next(seed) % end;
}

/* A view whose canvas is replaced before each drawing by another one, which lacks what look() said that it
 * may lack, and a screen on which only the damage arrives. */
struct world {
    struct present_view view;
    uint32_t *px, *spare, *screen;
    struct tas_picture *pic; /* NULL: none shown */
    struct present_pointer pointer;
    uint8_t rgba[IMAGE * IMAGE * 4];
    uint32_t seed;
};

static uint32_t *side_squared(void) {
    uint32_t *px = calloc(SIDE * SIDE, sizeof(*px));
    assert_non_null(px);
    return px;
}

static void world_init(struct world *w, uint32_t seed) {
    *w = (struct world){.seed = seed};
    w->px = side_squared();
    w->spare = side_squared();
    w->screen = side_squared();
}

static void world_fini(struct world *w) {
    present_view_fini(&w->view);
    tas_picture_free(w->pic);
    free(w->px);
    free(w->spare);
    free(w->screen);
}

static struct present_canvas canvas_of(const struct world *w, uint32_t *px) {
    return (struct present_canvas){.px = px, .stride = w->view.fit.width, .top = (uint32_t)OPAQUE};
}

/* Changes the canvas for one without the px of `anew`. */
static struct present_canvas other_canvas(struct world *w, const pixman_region32_t *anew) {
    uint32_t width = w->view.fit.width;
    for (uint32_t y = 0; y < w->view.fit.height; y++)
        for (uint32_t x = 0; x < width; x++) {
            bool is_new = anew && pixman_region32_contains_point(anew, (int)x, (int)y, NULL);
            w->spare[y * width + x] = is_new ? (uint32_t)POISON : w->px[y * width + x];
        }
    uint32_t *px = w->px;
    w->px = w->spare;
    w->spare = px;
    return canvas_of(w, w->px);
}

static void show(struct world *w, const pixman_region32_t *damage) {
    struct present_fit *fit = &w->view.fit;
    int n;
    const pixman_box32_t *boxes = pixman_region32_rectangles(damage, &n);
    struct present_rect r;
    for (int i = 0; i < n; i++)
        if (present_box_clip(&r, &boxes[i], fit->width, fit->height))
            for (uint32_t y = (uint32_t)r.y; y < (uint32_t)r.y + r.height; y++)
                memcpy(w->screen + y * fit->width + r.x, w->px + y * fit->width + r.x,
                       r.width * sizeof(*w->px));
}

static void do_picture(struct world *w, const struct tas_tiles *changed) {
    pixman_region32_t damage;
    pixman_region32_init(&damage);
    assert_int_equal(present_view_look(&w->view, w->pic, changed, &damage), TAS_OK);
    struct present_canvas canvas = other_canvas(w, &damage);
    present_view_draw(&w->view, w->pic, &damage, &canvas);
    show(w, &damage);
    pixman_region32_fini(&damage);
}

static void do_pointer(struct world *w) {
    pixman_region32_t damage;
    pixman_region32_init(&damage);
    assert_int_equal(present_view_point(&w->view, &w->pointer, &damage), TAS_OK);
    if (pixman_region32_not_empty(&damage)) {
        struct present_canvas canvas = other_canvas(w, NULL);
        present_view_move(&w->view, &canvas);
        show(w, &damage);
    }
    pixman_region32_fini(&damage);
}

static uint32_t channel(uint32_t in, uint32_t under, uint32_t alpha) {
    uint32_t sum = in + (under * (255 - alpha) + 127) / 255;
    return sum > 255 ? 255 : sum;
}

/* The pointer on what lies under it, px by px. */
static uint32_t with_pointer(const struct world *w, uint32_t px, int32_t x, int32_t y) {
    const struct present_sprite *s = &w->view.sprite;
    int32_t px_x, px_y;
    struct present_rect t = present_fit_target(&w->view.fit);
    if (!w->pic || !w->pointer.is_shown || w->pointer.is_ours || s->width == 0 || x < t.x || y < t.y ||
        x >= t.x + (int32_t)t.width || y >= t.y + (int32_t)t.height ||
        !present_fit_to_local(&w->view.fit, w->pointer.x, w->pointer.y, &px_x, &px_y))
        return px;
    int32_t at_x = x - px_x + (int32_t)s->hot_x, at_y = y - px_y + (int32_t)s->hot_y;
    if (at_x < 0 || at_y < 0 || at_x >= (int32_t)s->width || at_y >= (int32_t)s->height)
        return px;
    uint32_t argb = s->argb[(uint32_t)at_y * s->width + (uint32_t)at_x], alpha = argb >> 24, out = 0xff;
    for (int i = 16; i >= 0; i -= 8)
        out = out << 8 | channel(argb >> i & 255, px >> i & 255, alpha);
    return out;
}

/* Canvas and screen are what is drawn anew from nothing. */
static void assert_shown(struct world *w) {
    const struct present_fit *fit = &w->view.fit;
    uint32_t *want = side_squared();
    struct present_scale *scale = present_scale_new(fit);
    struct present_canvas canvas = canvas_of(w, want);
    present_scale_draw(scale, w->pic, (struct present_rect){0, 0, fit->width, fit->height}, &canvas);
    for (uint32_t y = 0; y < fit->height; y++)
        for (uint32_t x = 0; x < fit->width; x++) {
            size_t i = y * fit->width + x;
            uint32_t value = with_pointer(w, want[i], (int32_t)x, (int32_t)y);
            assert_int_equal(w->px[i], value);
            assert_int_equal(w->screen[i], value);
        }
    present_scale_free(scale);
    free(want);
}

static void new_picture(struct world *w, uint32_t width, uint32_t height) {
    tas_picture_free(w->pic);
    w->pic = tas_picture_new(width, height);
    assert_non_null(w->pic);
    for (size_t i = 0; i < (size_t)width * height; i++)
        w->pic->px[i] = random_next(&w->seed) & 0xffffff;
}

static void change_some(struct world *w) {
    struct tas_tiles tiles;
    assert_int_equal(tas_tiles_init(&tiles, w->pic->width, w->pic->height), TAS_OK);
    for (uint32_t k = below(&w->seed, 4); k > 0; k--) {
        uint32_t x = below(&w->seed, w->pic->width), y = below(&w->seed, w->pic->height);
        uint32_t x_end = x + 1 + below(&w->seed, w->pic->width - x),
                 y_end = y + 1 + below(&w->seed, w->pic->height - y);
        for (uint32_t j = y; j < y_end; j++)
            for (uint32_t i = x; i < x_end; i++)
                w->pic->px[j * w->pic->stride + i] = random_next(&w->seed) & 0xffffff;
        tas_tiles_set_rect(&tiles, (int32_t)x, (int32_t)y, x_end - x, y_end - y);
    }
    do_picture(w, &tiles);
    tas_tiles_fini(&tiles);
}

static void random_place(struct world *w) {
    uint32_t *seed = &w->seed;
    struct present_fit fit = {
        .width = 1 + below(seed, SIDE),
        .height = 1 + below(seed, SIDE),
        .remote_width = w->pic ? w->pic->width : 0,
        .remote_height = w->pic ? w->pic->height : 0,
        .is_scaled = below(seed, 2),
        .scroll_x = (int32_t)below(seed, 300) - 20,
        .scroll_y = (int32_t)below(seed, 300) - 20,
    };
    assert_int_equal(present_view_place(&w->view, &fit), TAS_OK);
    do_picture(w, NULL);
}

static void random_image(struct world *w) {
    w->pointer.serial++;
    w->pointer.width = (uint16_t)(1 + below(&w->seed, IMAGE));
    w->pointer.height = (uint16_t)(1 + below(&w->seed, IMAGE));
    w->pointer.hot_x = (uint16_t)below(&w->seed, IMAGE + 5);
    w->pointer.hot_y = (uint16_t)below(&w->seed, IMAGE + 5);
    w->pointer.rgba = w->rgba;
    for (size_t i = 0; i < sizeof(w->rgba); i++)
        w->rgba[i] = (uint8_t)random_next(&w->seed); /* also brighter than its opacity */
}

static void random_pointer(struct world *w) {
    w->pointer.is_shown = below(&w->seed, 6) > 0;
    w->pointer.is_ours = below(&w->seed, 5) == 0;
    w->pointer.x = below(&w->seed, w->pic ? w->pic->width + 20 : 9);
    w->pointer.y = below(&w->seed, w->pic ? w->pic->height + 20 : 9);
    if (below(&w->seed, 3) == 0)
        random_image(w);
    do_pointer(w);
}

static void random_step(struct world *w) {
    switch (below(&w->seed, 12)) {
    case 0:
        random_place(w);
        break;
    case 1:
        new_picture(w, 1 + below(&w->seed, 300), 1 + below(&w->seed, 300));
        do_picture(w, NULL);
        break;
    case 2:
        tas_picture_free(w->pic);
        w->pic = NULL;
        do_picture(w, NULL);
        break;
    case 3:
    case 4:
    case 5:
    case 6:
        random_pointer(w);
        break;
    default:
        if (w->pic)
            change_some(w);
    }
}

static void whatever_happens_the_screen_shows_what_is_drawn_from_nothing(void **state) {
    (void)state;
    for (uint32_t run = 1; run <= 25; run++) {
        struct world w;
        world_init(&w, run * 7919);
        random_image(&w);
        new_picture(&w, 250, 130);
        random_place(&w);
        for (int i = 0; i < 60; i++) {
            random_step(&w);
            assert_shown(&w);
        }
        world_fini(&w);
    }
}

static struct present_fit fit_of(uint32_t width, uint32_t height) {
    return (struct present_fit){width, height, 100, 80, false, 0, 0, 0};
}

/* A world with a picture of 100 x 80 in a viewport of that size, and a pointer of 4 x 3 with its hot spot in
 * 1, 2. */
static void plain_world(struct world *w) {
    struct present_fit fit = fit_of(100, 80);
    world_init(w, 5);
    new_picture(w, 100, 80);
    assert_int_equal(present_view_place(&w->view, &fit), TAS_OK);
    do_picture(w, NULL);
    memset(w->rgba, 255, sizeof(w->rgba));
    w->pointer = (struct present_pointer){.x = 50,
                                          .y = 40,
                                          .is_shown = true,
                                          .serial = 1,
                                          .width = 4,
                                          .height = 3,
                                          .hot_x = 1,
                                          .hot_y = 2,
                                          .rgba = w->rgba};
}

static void damage_of(struct world *w, pixman_region32_t *damage) {
    pixman_region32_init(damage);
    assert_int_equal(present_view_point(&w->view, &w->pointer, damage), TAS_OK);
    struct present_canvas canvas = canvas_of(w, w->px);
    present_view_move(&w->view, &canvas);
}

static void assert_box(const pixman_box32_t *box, int x1, int y1, int x2, int y2) {
    assert_true(box->x1 == x1 && box->y1 == y1 && box->x2 == x2 && box->y2 == y2);
}

static void a_pointer_that_moves_touches_its_old_and_its_new_place(void **state) {
    (void)state;
    struct world w;
    pixman_region32_t damage;
    plain_world(&w);
    damage_of(&w, &damage);
    assert_int_equal(pixman_region32_n_rects(&damage), 1);
    assert_box(pixman_region32_extents(&damage), 49, 38, 53, 41);
    pixman_region32_fini(&damage);
    assert_int_equal(w.px[38 * 100 + 49], 0xffffffff);

    damage_of(&w, &damage); /* nothing new */
    assert_false(pixman_region32_not_empty(&damage));
    pixman_region32_fini(&damage);

    w.pointer.x = 99;
    w.pointer.y = 0;
    damage_of(&w, &damage);
    assert_int_equal(pixman_region32_n_rects(&damage), 2);
    int n;
    const pixman_box32_t *boxes = pixman_region32_rectangles(&damage, &n);
    assert_box(&boxes[0], 98, 0, 100, 1); /* cut at the edge */
    assert_box(&boxes[1], 49, 38, 53, 41);
    pixman_region32_fini(&damage);
    world_fini(&w);
}

static void a_pointer_that_is_ours_is_no_part_of_the_picture(void **state) {
    (void)state;
    struct world w;
    pixman_region32_t damage;
    plain_world(&w);
    w.pointer.is_ours = true;
    damage_of(&w, &damage);
    assert_false(pixman_region32_not_empty(&damage));
    assert_int_equal(w.view.sprite.width, 4);
    pixman_region32_fini(&damage);
    world_fini(&w);
}

static void a_change_elsewhere_leaves_the_pointer_alone(void **state) {
    (void)state;
    struct world w;
    struct tas_tiles tiles;
    pixman_region32_t damage;
    plain_world(&w);
    do_pointer(&w);
    assert_int_equal(tas_tiles_init(&tiles, 100, 80), TAS_OK);
    tas_tiles_set(&tiles, 1, 1);
    pixman_region32_init(&damage);
    assert_int_equal(present_view_look(&w.view, w.pic, &tiles, &damage), TAS_OK);
    assert_int_equal(pixman_region32_n_rects(&damage), 1);
    assert_box(pixman_region32_extents(&damage), 64, 64, 100, 80);
    pixman_region32_fini(&damage);
    tas_tiles_fini(&tiles);
    world_fini(&w);
}

static void our_hidden_pointer_is_a_dot_and_another_hidden_one_is_nothing(void **state) {
    (void)state;
    struct world w;
    plain_world(&w);
    w.pointer.is_shown = false;
    w.pointer.is_ours = true;
    do_pointer(&w);
    assert_int_equal(w.view.sprite.width, 5);
    assert_int_equal(w.view.sprite.hot_x, 2);
    assert_int_equal(w.view.sprite.argb[0], 0xff000000);
    assert_int_equal(w.view.sprite.argb[12], 0xffffffff);
    uint32_t revision = w.view.sprite.revision;
    do_pointer(&w);
    assert_int_equal(w.view.sprite.revision, revision);
    w.pointer.is_ours = false;
    do_pointer(&w);
    assert_int_equal(w.view.sprite.width, 0);
    w.pointer.is_shown = true;
    do_pointer(&w);
    assert_int_equal(w.view.sprite.width, 4);
    assert_shown(&w);
    world_fini(&w);
}

static void a_pointer_is_scaled_within_limits(void **state) {
    (void)state;
    static const struct {
        uint32_t viewport, image, shown;
    } cases[] = {
        {100, 24, 24}, {200, 24, 48},   {50, 40, 20},     {10, 24, 16},
        {10, 9, 9},    {1600, 24, 256}, {1600, 200, 256}, {25, 64, 16},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct present_sprite sprite = {0};
        struct present_fit fit = {cases[i].viewport, cases[i].viewport, 100, 100, true, 0, 0, 0};
        uint8_t *rgba = calloc(cases[i].image * cases[i].image, 4);
        struct present_pointer pointer = {.is_shown = true,
                                          .serial = 1,
                                          .width = (uint16_t)cases[i].image,
                                          .height = (uint16_t)(cases[i].image / 2),
                                          .rgba = rgba};
        assert_int_equal(present_sprite_set(&sprite, &pointer), TAS_OK);
        assert_int_equal(present_sprite_fit(&sprite, &fit), TAS_OK);
        assert_int_equal(sprite.width, cases[i].shown);
        present_sprite_fini(&sprite);
        free(rgba);
    }
}

static void a_pointer_too_large_counts_as_hidden(void **state) {
    (void)state;
    struct world w;
    pixman_region32_t damage;
    plain_world(&w);
    do_pointer(&w);
    w.pointer.serial++;
    w.pointer.width = PRESENT_SPRITE_MAX + 1;
    pixman_region32_init(&damage);
    assert_int_equal(present_view_point(&w.view, &w.pointer, &damage), TAS_OK);
    assert_box(pixman_region32_extents(&damage), 49, 38, 53, 41);
    struct present_canvas canvas = canvas_of(&w, w.px);
    present_view_move(&w.view, &canvas);
    show(&w, &damage);
    assert_shown(&w);
    assert_int_equal(w.view.sprite.width, 0);
    w.pointer.is_ours = true;
    do_pointer(&w);
    assert_int_equal(w.view.sprite.width, 5); /* the dot */
    pixman_region32_fini(&damage);
    world_fini(&w);
}

static void a_viewport_too_large_is_refused(void **state) {
    (void)state;
    struct present_view view = {0};
    struct present_fit fit = fit_of(TAS_PICTURE_MAX + 1, 80);
    assert_int_equal(present_view_place(&view, &fit), TAS_E_LIMIT);
    fit = fit_of(100, TAS_PICTURE_MAX + 1);
    assert_int_equal(present_view_place(&view, &fit), TAS_E_LIMIT);
    present_view_fini(&view);
}

static int place_look_point(struct world *w, const struct present_fit *fit) {
    pixman_region32_t damage;
    pixman_region32_init(&damage);
    int err = present_view_place(&w->view, fit);
    if (err == TAS_OK)
        err = present_view_look(&w->view, w->pic, NULL, &damage);
    if (err == TAS_OK) {
        struct present_canvas canvas = canvas_of(w, w->px);
        present_view_draw(&w->view, w->pic, &damage, &canvas);
        err = present_view_point(&w->view, &w->pointer, &damage);
        present_view_move(&w->view, &canvas);
    }
    pixman_region32_fini(&damage);
    return err;
}

static void without_memory_nothing_breaks(void **state) {
    (void)state;
    const struct present_fit fit = {150,  150, 90, 90,
                                    true, 0,   0,  0}; /* and then the picture's size is another */
    bool has_failed = true;
    for (unsigned n = 1; has_failed; n++) {
        struct world w;
        plain_world(&w);
        tas_oom_fail_at(n);
        int err = place_look_point(&w, &fit);
        has_failed = tas_oom_count() >= n;
        tas_oom_fail_at(0);
        assert_int_equal(err, has_failed ? TAS_E_NOMEM : TAS_OK);
        assert_int_equal(place_look_point(&w, &fit), TAS_OK);
        memcpy(w.screen, w.px, SIDE * SIDE * sizeof(*w.px));
        assert_shown(&w);
        world_fini(&w);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_happens_the_screen_shows_what_is_drawn_from_nothing),
        cmocka_unit_test(a_pointer_that_moves_touches_its_old_and_its_new_place),
        cmocka_unit_test(a_pointer_that_is_ours_is_no_part_of_the_picture),
        cmocka_unit_test(a_change_elsewhere_leaves_the_pointer_alone),
        cmocka_unit_test(our_hidden_pointer_is_a_dot_and_another_hidden_one_is_nothing),
        cmocka_unit_test(a_pointer_is_scaled_within_limits),
        cmocka_unit_test(a_pointer_too_large_counts_as_hidden),
        cmocka_unit_test(a_viewport_too_large_is_refused),
        cmocka_unit_test(without_memory_nothing_breaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
