#include "operator/present/fit.h"
#include "operator/present/scale.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct present_fit fit_of(uint32_t width, uint32_t height, uint32_t remote_width,
                                 uint32_t remote_height, bool is_scaled) {
    return (struct present_fit){width, height, remote_width, remote_height, is_scaled, 0, 0, 0};
}

static void assert_rect(struct present_rect rect, int32_t x, int32_t y, uint32_t width, uint32_t height) {
    assert_int_equal(rect.x, x);
    assert_int_equal(rect.y, y);
    assert_int_equal(rect.width, width);
    assert_int_equal(rect.height, height);
}

static void a_smaller_screen_lies_in_the_middle(void **state) {
    (void)state;
    struct present_fit fit = fit_of(1000, 700, 800, 601, false);
    assert_rect(present_fit_target(&fit), 100, 49, 800, 601);
    fit = fit_of(1000, 700, 2000, 300, false);
    assert_rect(present_fit_target(&fit), 0, 200, 1000, 300);
}

static void a_scaled_screen_fills_one_side_and_keeps_its_aspect(void **state) {
    (void)state;
    struct present_fit fit = fit_of(1000, 1000, 1920, 1080, true);
    assert_rect(present_fit_target(&fit), 0, 218, 1000, 563); /* 562.5 */
    fit = fit_of(1000, 300, 1920, 1080, true);
    assert_rect(present_fit_target(&fit), 233, 0, 533, 300);
    fit = fit_of(1920, 1080, 960, 540, true);
    assert_rect(present_fit_target(&fit), 0, 0, 1920, 1080);
    fit = fit_of(5, 5, 16384, 1, true);
    assert_rect(present_fit_target(&fit), 0, 2, 5, 1); /* never nothing */
}

static void without_screen_or_viewport_nothing_is_there(void **state) {
    (void)state;
    static const struct present_fit none[] = {
        {0, 10, 10, 10, true, 0, 0, 0}, {10, 0, 10, 10, true, 0, 0, 0},  {10, 10, 0, 10, true, 0, 0, 0},
        {10, 10, 10, 0, true, 0, 0, 0}, {0, 10, 10, 10, false, 0, 0, 0}, {10, 10, 0, 0, false, 3, 3, 0},
    };
    for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++) {
        uint32_t x = 7, y = 7;
        int32_t local_x = 7, local_y = 7;
        bool is_inside = true;
        assert_rect(present_fit_target(&none[i]), 0, 0, 0, 0);
        assert_false(present_fit_to_remote(&none[i], 5, 5, &x, &y, &is_inside));
        assert_false(present_fit_to_local(&none[i], 5, 5, &local_x, &local_y));
        assert_true(x == 7 && y == 7 && local_x == 7 && local_y == 7 && is_inside);
        assert_rect(present_fit_damage(&none[i], &(struct present_rect){0, 0, 10, 10}), 0, 0, 0, 0);
    }
}

static void scrolling_stops_at_the_edges(void **state) {
    (void)state;
    static const struct {
        int32_t scroll;
        uint32_t origin;
    } cases[] = {{0, 0}, {-1, 0}, {INT32_MIN, 0}, {17, 17}, {1000, 1000}, {1001, 1000}, {INT32_MAX, 1000}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct present_fit fit = {1000, 1000, 2000, 900, false, cases[i].scroll, cases[i].scroll, 0};
        /* Of its height all is seen. */
        assert_rect(present_fit_source(&fit), (int32_t)cases[i].origin, 0, 1000, 900);
        fit.is_scaled = true;
        assert_rect(present_fit_source(&fit), 0, 0, 2000, 900);
    }
}

static void a_zoomed_screen_shows_whole_px(void **state) {
    (void)state;
    struct present_fit fit = {1001, 700, 800, 300, false, 9999, 0, 2};
    assert_rect(present_fit_target(&fit), 0, 50, 1000, 600);
    assert_rect(present_fit_source(&fit), 300, 0, 500, 300);
    assert_rect(present_fit_damage(&fit, &(struct present_rect){310, 20, 5, 6}), 20, 90, 10, 12);
    fit = (struct present_fit){2, 700, 800, 300, false, 7, 0, 3}; /* less than a px is room */
    assert_rect(present_fit_target(&fit), 0, 0, 2, 699);
    assert_rect(present_fit_source(&fit), 7, 0, 1, 233);
}

static void a_scrolled_px_is_the_one_that_was_drawn_there(void **state) {
    (void)state;
    struct present_fit fit = {100, 100, 300, 50, false, 120, 0, 0};
    uint32_t x, y;
    bool is_inside;
    assert_true(present_fit_to_remote(&fit, 0, 25, &x, &y, &is_inside));
    assert_true(x == 120 && y == 0 && is_inside);
    assert_true(present_fit_to_remote(&fit, 99, 74, &x, &y, &is_inside));
    assert_true(x == 219 && y == 49 && is_inside);
    assert_true(present_fit_to_remote(&fit, 50, 24, &x, &y, &is_inside));
    assert_true(x == 170 && y == 0 && !is_inside);
    assert_true(present_fit_to_remote(&fit, 50, 75, &x, &y, &is_inside));
    assert_true(y == 49 && !is_inside);
}

static void a_drag_far_outside_goes_on_at_the_edge(void **state) {
    (void)state;
    for (int is_scaled = 0; is_scaled < 2; is_scaled++) {
        struct present_fit fit = fit_of(900, 800, 640, 480, is_scaled);
        uint32_t x, y;
        bool is_inside;
        assert_true(present_fit_to_remote(&fit, INT32_MIN, INT32_MAX, &x, &y, &is_inside));
        assert_true(x == 0 && y == 479 && !is_inside);
        assert_true(present_fit_to_remote(&fit, INT32_MAX, INT32_MIN, &x, &y, &is_inside));
        assert_true(x == 639 && y == 0 && !is_inside);
    }
}

static void every_small_target_is_inside_centred_and_of_the_right_shape(void **state) {
    (void)state;
    for (uint32_t w = 1; w <= 12; w++)
        for (uint32_t h = 1; h <= 12; h++)
            for (uint32_t rw = 1; rw <= 14; rw++)
                for (uint32_t rh = 1; rh <= 14; rh++) {
                    struct present_fit fit = fit_of(w, h, rw, rh, true);
                    struct present_rect t = present_fit_target(&fit);
                    assert_true(t.width >= 1 && t.width <= w && t.height >= 1 && t.height <= h);
                    assert_true(t.width == w || t.height == h);
                    assert_int_equal(t.x, (w - t.width) / 2);
                    assert_int_equal(t.y, (h - t.height) / 2);
                    /* Half a px beside the exact aspect, if there is more than one. */
                    int64_t off = (int64_t)t.width * rh - (int64_t)t.height * rw;
                    int64_t larger = rw > rh ? rw : rh;
                    assert_true(t.width == 1 || t.height == 1 || (2 * off <= larger && -2 * off <= larger));
                }
}

/* Calls fn with all combinations of small sizes, 1:1 with some scrolling too. */
static void with_all_fits(void (*fn)(const struct present_fit *fit)) {
    for (uint32_t w = 1; w <= 40; w += w < 20 ? 1 : 3)
        for (uint32_t rw = 1; rw <= 17; rw++)
            for (uint32_t rh = 1; rh <= 4; rh += 3) {
                struct present_fit fit = fit_of(w, 90, rw, rh, true);
                fn(&fit);
                fit.is_scaled = false;
                for (fit.scroll_x = -1; fit.scroll_x <= (int32_t)rw; fit.scroll_x += 3) {
                    fit.zoom = (rw + rh) % 4;
                    fn(&fit);
                }
            }
}

static void check_there_and_back(const struct present_fit *fit) {
    struct present_rect t = present_fit_target(fit);
    uint32_t last = 0;
    for (int32_t x = 0; x < (int32_t)fit->width; x++) {
        uint32_t rx, ry;
        int32_t lx, ly;
        bool is_inside;
        assert_true(present_fit_to_remote(fit, x, t.y, &rx, &ry, &is_inside));
        assert_true(rx < fit->remote_width && ry < fit->remote_height);
        assert_int_equal(is_inside, x >= t.x && x < t.x + (int32_t)t.width);
        assert_true(rx >= last);
        last = rx;
        assert_true(present_fit_to_local(fit, rx, ry, &lx, &ly));
        /* A px seen is found again; where many are in one px, another of the same. */
        uint32_t again;
        assert_true(present_fit_to_remote(fit, lx, ly, &again, &ry, &is_inside));
        assert_true(!is_inside || again == rx || t.width < fit->remote_width);
    }
    for (uint32_t rx = 0; fit->is_scaled && rx < fit->remote_width; rx++) {
        int32_t lx, ly;
        assert_true(present_fit_to_local(fit, rx, 0, &lx, &ly));
        assert_true(lx >= t.x && lx < t.x + (int32_t)t.width);
    }
}

static void there_and_back_leads_to_the_same_px(void **state) {
    (void)state;
    with_all_fits(check_there_and_back);
}

/* ---- damage ---- */

enum { GREY = 0x808080 }; /* so that also what is taken away is seen */

static void paint(struct tas_picture *pic, uint32_t value) {
    for (size_t i = 0; i < (size_t)pic->stride * pic->height; i++)
        pic->px[i] = value;
}

static void check_damage_of(const struct present_fit *fit, struct present_scale *scale,
                            struct tas_picture *pic, struct present_rect remote, const uint32_t *before,
                            uint32_t *after) {
    struct present_rect all = {0, 0, fit->width, fit->height};
    struct present_canvas canvas = {.px = after, .stride = fit->width};
    struct present_rect damage = present_fit_damage(fit, &remote);
    uint32_t left = UINT32_MAX, right = 0;

    for (uint32_t y = 0; y < remote.height; y++)
        for (uint32_t x = 0; x < remote.width; x++)
            pic->px[(uint32_t)remote.y * pic->stride + y * pic->stride + (uint32_t)remote.x + x] = 0xffffff;
    present_scale_draw(scale, pic, all, &canvas);
    for (uint32_t y = 0; y < fit->height; y++)
        for (uint32_t x = 0; x < fit->width; x++) {
            if (before[y * fit->width + x] == after[y * fit->width + x])
                continue;
            assert_true((int32_t)x >= damage.x && x < (uint32_t)damage.x + damage.width);
            assert_true((int32_t)y >= damage.y && y < (uint32_t)damage.y + damage.height);
            left = x < left ? x : left;
            right = x > right ? x : right;
        }
    /* Tight, but for what weighs too little at either end: a cubic is 0 in the middle of its way, too. */
    uint32_t slack = 2 + fit->width / fit->remote_width;
    if (left != UINT32_MAX)
        assert_true((int32_t)left <= damage.x + (int32_t)slack &&
                    right + 1 + slack >= (uint32_t)damage.x + damage.width);
    paint(pic, GREY);
}

static void check_damage(const struct present_fit *fit) {
    uint32_t rw = fit->remote_width, rh = fit->remote_height;
    size_t len = (size_t)fit->width * fit->height;
    struct tas_picture *pic = tas_picture_new(rw, rh);
    struct present_scale *scale = present_scale_new(fit);
    uint32_t *before = calloc(len, sizeof(*before)), *after = calloc(len, sizeof(*after));
    struct present_canvas canvas = {.px = before, .stride = fit->width};

    assert_true(pic && scale && before && after);
    paint(pic, GREY);
    present_scale_draw(scale, pic, (struct present_rect){0, 0, fit->width, fit->height}, &canvas);
    for (uint32_t x = 0; x < rw; x++) {
        check_damage_of(fit, scale, pic, (struct present_rect){(int32_t)x, (int32_t)(x % rh), 1, 1}, before,
                        after);
        if (x + 3 <= rw)
            check_damage_of(fit, scale, pic, (struct present_rect){(int32_t)x, 0, 3, rh}, before, after);
    }
    free(before);
    free(after);
    present_scale_free(scale);
    tas_picture_free(pic);
}

static void damage_covers_every_px_that_depends_on_what_changed(void **state) {
    (void)state;
    with_all_fits(check_damage);
}

static void damage_outside_the_screen_or_the_view_is_none(void **state) {
    (void)state;
    struct present_fit fit = {100, 100, 300, 300, false, 100, 100, 0};
    static const struct present_rect outside[] = {
        {0, 0, 100, 300},   {200, 0, 100, 300}, {0, 0, 300, 100},          {0, 200, 300, 100},
        {300, 300, 50, 50}, {-50, 150, 50, 5},  {150, 150, 0, 5},          {150, 150, 5, 0},
        {-9, 0, 9, 300},    {0, -9, 300, 9},    {INT32_MIN, 0, 1000, 300}, {INT32_MAX, 150, UINT32_MAX, 300}};
    for (size_t i = 0; i < sizeof(outside) / sizeof(*outside); i++)
        assert_rect(present_fit_damage(&fit, &outside[i]), 0, 0, 0, 0);
    assert_rect(present_fit_damage(&fit, &(struct present_rect){-5, -5, UINT32_MAX, UINT32_MAX}), 0, 0, 100,
                100);
    assert_rect(present_fit_damage(&fit, &(struct present_rect){90, 120, 20, 10}), 0, 20, 10, 10);
}

static void damage_of_whole_ratios_has_no_margin(void **state) {
    (void)state;
    struct present_fit fit = fit_of(200, 200, 100, 100, true);
    assert_rect(present_fit_damage(&fit, &(struct present_rect){10, 20, 5, 6}), 20, 40, 10, 12);
    fit = fit_of(100, 100, 400, 400, true);
    assert_rect(present_fit_damage(&fit, &(struct present_rect){40, 80, 8, 9}), 10, 20, 2, 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_smaller_screen_lies_in_the_middle),
        cmocka_unit_test(a_scaled_screen_fills_one_side_and_keeps_its_aspect),
        cmocka_unit_test(without_screen_or_viewport_nothing_is_there),
        cmocka_unit_test(scrolling_stops_at_the_edges),
        cmocka_unit_test(a_zoomed_screen_shows_whole_px),
        cmocka_unit_test(a_scrolled_px_is_the_one_that_was_drawn_there),
        cmocka_unit_test(a_drag_far_outside_goes_on_at_the_edge),
        cmocka_unit_test(every_small_target_is_inside_centred_and_of_the_right_shape),
        cmocka_unit_test(there_and_back_leads_to_the_same_px),
        cmocka_unit_test(damage_covers_every_px_that_depends_on_what_changed),
        cmocka_unit_test(damage_outside_the_screen_or_the_view_is_none),
        cmocka_unit_test(damage_of_whole_ratios_has_no_margin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
