#include "oom.h"
#include "operator/present/mix_private.h"
#include "operator/present/scale.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { UNTOUCHED = 0x5a5a5a5a };

static uint32_t random_next(uint32_t *seed) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

static uint32_t random_below(uint32_t *seed, uint32_t end) {
    return random_next(seed) % end;
}

static struct tas_picture *noise(uint32_t width, uint32_t height, uint32_t seed) {
    struct tas_picture *pic = tas_picture_new(width, height);
    assert_non_null(pic);
    for (size_t i = 0; i < (size_t)width * height; i++)
        pic->px[i] = random_next(&seed) & 0xffffff;
    return pic;
}

/* A viewport's px, with a rim that nobody may touch. */
struct canvas {
    struct present_canvas canvas;
    uint32_t width, height;
    uint32_t *all;
    size_t len;
};

static struct canvas canvas_new(uint32_t width, uint32_t height, uint32_t top) {
    struct canvas c = {.width = width, .height = height};
    c.canvas = (struct present_canvas){.stride = width + 2, .top = top};
    c.len = (size_t)(width + 2) * (height + 2);
    c.all = malloc(c.len * sizeof(*c.all));
    assert_non_null(c.all);
    for (size_t i = 0; i < c.len; i++)
        c.all[i] = UNTOUCHED;
    c.canvas.px = c.all + c.canvas.stride + 1;
    return c;
}

static uint32_t px_of(const struct canvas *c, uint32_t x, uint32_t y) {
    return c->canvas.px[y * c->canvas.stride + x];
}

/* All of a fit, drawn; the rim checked. */
static struct canvas drawn(const struct present_fit *fit, const struct tas_picture *pic, uint32_t top) {
    struct canvas c = canvas_new(fit->width, fit->height, top);
    struct present_scale *scale = present_scale_new(fit);
    assert_non_null(scale);
    present_scale_draw(scale, pic, (struct present_rect){-5, -5, UINT32_MAX / 4, UINT32_MAX / 4}, &c.canvas);
    for (size_t i = 0; i < c.len; i++) {
        size_t x = i % c.canvas.stride, y = i / c.canvas.stride;
        bool is_rim = x == 0 || x > fit->width || y == 0 || y > fit->height;
        assert_true(is_rim == (c.all[i] == UNTOUCHED));
    }
    present_scale_free(scale);
    return c;
}

static uint32_t pic_at(const struct tas_picture *pic, uint32_t x, uint32_t y) {
    return pic->px[(size_t)y * pic->stride + x];
}

static bool is_in(struct present_rect r, uint32_t x, uint32_t y) {
    return (int32_t)x >= r.x && x < (uint32_t)r.x + r.width && (int32_t)y >= r.y &&
           y < (uint32_t)r.y + r.height;
}

static void one_to_one_is_a_copy_with_margins(void **state) {
    (void)state;
    struct tas_picture *pic = noise(70, 50, 1);
    for (uint32_t w = 30; w <= 110; w += 40)
        for (uint32_t h = 20; h <= 81; h += 61)
            for (int32_t scroll = 0; scroll <= 33; scroll += 11) {
                struct present_fit fit = {w, h, 70, 50, false, scroll, scroll, 0};
                struct present_rect t = present_fit_target(&fit);
                struct canvas c = drawn(&fit, pic, 0xff000000);
                struct present_rect s = present_fit_source(&fit);
                for (uint32_t y = 0; y < h; y++)
                    for (uint32_t x = 0; x < w; x++)
                        assert_int_equal(px_of(&c, x, y),
                                         0xff000000 |
                                             (is_in(t, x, y) ? pic_at(pic, x - (uint32_t)t.x + (uint32_t)s.x,
                                                                      y - (uint32_t)t.y + (uint32_t)s.y)
                                                             : PRESENT_MARGIN));
                free(c.all);
            }
    tas_picture_free(pic);
}

static void a_whole_number_of_times_larger_repeats_px(void **state) {
    (void)state;
    struct tas_picture *pic = noise(17, 13, 2);
    for (uint32_t k = 1; k <= 4; k++) {
        struct present_fit fit = {17 * k, 13 * k, 17, 13, true, 0, 0, 0};
        struct canvas c = drawn(&fit, pic, 0);
        for (uint32_t y = 0; y < fit.height; y++)
            for (uint32_t x = 0; x < fit.width; x++)
                assert_int_equal(px_of(&c, x, y), pic_at(pic, x / k, y / k));
        free(c.all);
    }
    tas_picture_free(pic);
}

/* ---- against a second implementation, in floating point ---- */

static double cubic(double x) {
    x = fabs(x);
    return x < 1 ? 1.4 * x * x * x - 2.4 * x * x + 1 : x < 2 ? -0.6 * (x * x * x - 5 * x * x + 8 * x - 4) : 0;
}

/* What px `at` of a picture without edges weighs in target px i, times what all weigh together. */
static double raw_weight(uint32_t remote, uint32_t target, uint32_t i, int64_t at) {
    double ratio = (double)remote / target, middle = (i + 0.5) * ratio - 0.5;
    if (target > remote && target % remote == 0)
        return i / (target / remote) == at;
    if (2 * target > remote)
        return cubic(((double)at - middle) / fmax(ratio, 1));
    double from = fmax(i * ratio, (double)at), to = fmin((i + 1) * ratio, (double)at + 1);
    return fmax(0, to - from);
}

/* What remote px `at` weighs in target px i: also for those beyond the edge, which look like it. */
static double weight(uint32_t remote, uint32_t target, uint32_t i, uint32_t at) {
    double sum = 0, mine = 0;
    for (int64_t k = -10; k < (int64_t)remote + 10; k++) {
        double w = raw_weight(remote, target, i, k);
        sum += w;
        if (k == at || (k < 0 && at == 0) || (k >= remote && at == remote - 1))
            mine += w;
    }
    return mine / sum;
}

static double clipped(double value) {
    return fmin(fmax(value, 0), 255);
}

static void compare_with_reference(const struct present_fit *fit, const struct tas_picture *pic) {
    struct canvas c = drawn(fit, pic, 0);
    struct present_rect t = present_fit_target(fit);
    for (uint32_t y = 0; y < t.height; y++)
        for (uint32_t x = 0; x < t.width; x++) {
            double sum[3] = {0};
            for (uint32_t sy = 0; sy < pic->height; sy++) {
                double wy = weight(pic->height, t.height, y, sy);
                for (uint32_t sx = 0; wy != 0 && sx < pic->width; sx++)
                    for (int i = 0; i < 3; i++)
                        sum[i] +=
                            wy * weight(pic->width, t.width, x, sx) * (pic_at(pic, sx, sy) >> (8 * i) & 255);
            }
            uint32_t got = px_of(&c, x + (uint32_t)t.x, y + (uint32_t)t.y);
            for (int i = 0; i < 3; i++)
                assert_true(fabs(clipped(sum[i]) - (got >> (8 * i) & 255)) < 4);
        }
    free(c.all);
}

static void scaled_px_are_what_the_filters_say(void **state) {
    (void)state;
    struct tas_picture *pic = noise(24, 18, 3);
    static const uint32_t sizes[][2] = {{23, 18}, {20, 15}, {16, 12}, {12, 9},  {7, 40}, {8, 6},
                                        {1, 1},   {25, 19}, {36, 27}, {37, 99}, {60, 45}};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        struct present_fit fit = {sizes[i][0], sizes[i][1], 24, 18, true, 0, 0, 0};
        compare_with_reference(&fit, pic);
    }
    tas_picture_free(pic);
}

static void one_colour_stays_that_colour_at_every_ratio(void **state) {
    (void)state;
    uint32_t seed = 4;
    for (int i = 0; i < 300; i++) {
        uint32_t colour = i == 0 ? 0xffffff : random_next(&seed) & 0xffffff;
        uint32_t width = i == 1 ? TAS_PICTURE_MAX : 1 + random_below(&seed, 300);
        uint32_t height = 1 + random_below(&seed, 30);
        struct tas_picture *pic = tas_picture_new(width, height);
        struct present_fit fit = {
            1 + random_below(&seed, 90), 1 + random_below(&seed, 90), width, height, true, 0, 0, 0};
        for (size_t p = 0; p < (size_t)width * height; p++)
            pic->px[p] = colour;
        struct canvas c = drawn(&fit, pic, 0);
        struct present_rect t = present_fit_target(&fit);
        for (uint32_t y = 0; y < fit.height; y++)
            for (uint32_t x = 0; x < fit.width; x++)
                assert_int_equal(px_of(&c, x, y), is_in(t, x, y) ? colour : PRESENT_MARGIN);
        free(c.all);
        tas_picture_free(pic);
    }
}

/* ---- what must hold besides ---- */

static void what_the_codec_keeps_in_the_top_byte_is_not_seen(void **state) {
    (void)state;
    struct tas_picture *pic = noise(40, 30, 8), *rough = noise(40, 30, 8);
    static const uint32_t sizes[][2] = {{40, 30}, {80, 60}, {57, 43}, {33, 25}, {16, 12}};
    for (size_t i = 0; i < (size_t)40 * 30; i++)
        rough->px[i] |= i % 3 ? 0x80000000 : 0;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
        for (uint32_t top = 0; top <= 1; top++) {
            struct present_fit fit = {.width = sizes[i][0],
                                      .height = sizes[i][1],
                                      .remote_width = 40,
                                      .remote_height = 30,
                                      .is_scaled = i > 0};
            struct canvas a = drawn(&fit, pic, top * 0xff000000), b = drawn(&fit, rough, top * 0xff000000);
            assert_memory_equal(a.all, b.all, a.len * sizeof(*a.all));
            for (uint32_t x = 0; x < fit.width; x++)
                assert_int_equal(px_of(&b, x, fit.height / 2) >> 24, top * 0xff);
            free(a.all);
            free(b.all);
        }
    tas_picture_free(pic);
    tas_picture_free(rough);
}

static void zoomed_px_are_squares(void **state) {
    (void)state;
    struct tas_picture *pic = noise(20, 15, 9);
    for (uint32_t zoom = 1; zoom <= 4; zoom++)
        for (uint32_t size = 2; size <= 90; size += 11) {
            struct present_fit fit = {size, size + 3, 20, 15, false, 3, 2, zoom};
            struct present_rect t = present_fit_target(&fit), s = present_fit_source(&fit);
            struct canvas c = drawn(&fit, pic, 0);
            for (uint32_t y = 0; y < fit.height; y++)
                for (uint32_t x = 0; x < fit.width; x++)
                    assert_int_equal(px_of(&c, x, y),
                                     is_in(t, x, y) ? pic_at(pic, (x - (uint32_t)t.x) / zoom + (uint32_t)s.x,
                                                             (y - (uint32_t)t.y) / zoom + (uint32_t)s.y)
                                                    : PRESENT_MARGIN);
            free(c.all);
        }
    tas_picture_free(pic);
}

static void vectors_mix_as_plain_code_does(void **state) {
    (void)state;
    enum { COUNT = 50, TAPS_MAX = 12 };
    uint32_t seed = 10, first[COUNT], out[COUNT], plain[COUNT];
    int16_t lanes[(COUNT + TAPS_MAX) * PRESENT_LANES], weights[COUNT * TAPS_MAX];
    for (uint32_t taps = 2; taps <= TAPS_MAX; taps += 2)
        for (int round = 0; round < 50; round++) {
            for (size_t i = 0; i < sizeof(lanes) / sizeof(*lanes); i++)
                lanes[i] = (int16_t)((int)random_below(&seed, 62000) - 31000);
            for (size_t i = 0; i < COUNT * TAPS_MAX; i++)
                weights[i] = (int16_t)((int)random_below(&seed, 2600) - 1300);
            for (uint32_t i = 0; i < COUNT; i++)
                first[i] = 7 + random_below(&seed, COUNT);
            struct present_columns columns = {first, weights, taps, 7, COUNT, random_next(&seed), 0x01000000};
            present_mix_columns(out, lanes, &columns);
            present_mix_columns_plain(plain, lanes, &columns);
            assert_memory_equal(out, plain, sizeof(out));
        }
}

static void text_keeps_its_contrast(void **state) {
    (void)state;
    struct tas_picture *pic = tas_picture_new(60, 3);
    assert_non_null(pic);
    for (uint32_t i = 0; i < 60 * 3; i++)
        pic->px[i] = i % 60 % 5 == 2 ? 0 : 0xffffff; /* stems of letters */
    struct present_fit fit = {75, 4, 60, 3, true, 0, 0, 0};
    struct canvas c = drawn(&fit, pic, 0);
    for (uint32_t x = 4; x + 8 < 75; x++) {
        uint32_t darkest = 255;
        for (uint32_t k = 0; k < 7; k++)
            darkest = (px_of(&c, x + k, 1) & 255) < darkest ? px_of(&c, x + k, 1) & 255 : darkest;
        assert_true(darkest < 100); /* bilinear: up to 128 */
    }
    free(c.all);
    tas_picture_free(pic);
}

static uint32_t stripes_shrunk(uint32_t width, uint32_t viewport) {
    struct tas_picture *pic = tas_picture_new(width, 3);
    assert_non_null(pic);
    for (size_t p = 0; p < (size_t)width * 3; p++)
        pic->px[p] = p % width % 2 ? 0xffffff : 0;
    struct present_fit fit = {viewport, 3, width, 3, true, 0, 0, 0};
    struct canvas c = drawn(&fit, pic, 0);
    uint32_t grey = px_of(&c, 0, 1) & 255;
    free(c.all);
    tas_picture_free(pic);
    return grey;
}

static void fine_stripes_become_grey(void **state) {
    (void)state;
    for (uint32_t ratio = 2; ratio <= 64; ratio++) {
        uint32_t grey = stripes_shrunk(ratio * 10, 10);
        assert_true(ratio % 2 ? grey > 80 && grey < 175 : grey >= 124 && grey <= 131);
    }
}

static void check_parts(const struct present_fit *fit, const struct tas_picture *pic, uint32_t *seed) {
    struct canvas whole = drawn(fit, pic, 0);
    struct canvas parts = canvas_new(fit->width, fit->height, 0);
    struct present_scale *scale = present_scale_new(fit);
    assert_non_null(scale);
    for (int i = 0; i < 12; i++) {
        struct present_rect r = {(int32_t)random_below(seed, fit->width),
                                 (int32_t)random_below(seed, fit->height), 1 + random_below(seed, fit->width),
                                 1 + random_below(seed, fit->height)};
        for (size_t p = 0; p < parts.len; p++)
            parts.all[p] = UNTOUCHED;
        present_scale_draw(scale, pic, r, &parts.canvas);
        for (uint32_t y = 0; y < fit->height; y++)
            for (uint32_t x = 0; x < fit->width; x++)
                assert_int_equal(px_of(&parts, x, y),
                                 is_in(r, x, y) ? px_of(&whole, x, y) : (uint32_t)UNTOUCHED);
    }
    present_scale_free(scale);
    free(whole.all);
    free(parts.all);
}

static void a_part_has_the_same_px_as_the_whole(void **state) {
    (void)state;
    uint32_t seed = 5;
    for (int i = 0; i < 250; i++) {
        uint32_t width = 1 + random_below(&seed, 150), height = 1 + random_below(&seed, 60);
        struct tas_picture *pic = noise(width, height, random_next(&seed));
        struct present_fit fit = {1 + random_below(&seed, 120),
                                  1 + random_below(&seed, 120),
                                  width,
                                  height,
                                  i % 4 != 0,
                                  (int32_t)random_below(&seed, 99),
                                  (int32_t)random_below(&seed, 40),
                                  1 + random_below(&seed, 3)};
        if (i % 7 == 0) { /* whole ratios have ways of their own */
            fit.width = width * (1 + random_below(&seed, 3));
            fit.height = height * 3;
        }
        check_parts(&fit, pic, &seed);
        tas_picture_free(pic);
    }
}

static void without_a_picture_all_is_black(void **state) {
    (void)state;
    struct present_fit fit = {20, 10, 0, 0, true, 0, 0, 0};
    struct canvas c = drawn(&fit, NULL, 0xff000000);
    for (uint32_t y = 0; y < 10; y++)
        for (uint32_t x = 0; x < 20; x++)
            assert_int_equal(px_of(&c, x, y), 0xff000000);
    free(c.all);
}

static void a_part_outside_draws_nothing(void **state) {
    (void)state;
    struct tas_picture *pic = noise(10, 10, 6);
    struct present_fit fit = {20, 20, 10, 10, true, 0, 0, 0};
    struct present_scale *scale = present_scale_new(&fit);
    static const struct present_rect outside[] = {{-5, 0, 5, 20}, {20, 0, 5, 20}, {0, -5, 20, 5},
                                                  {0, 20, 20, 5}, {3, 3, 0, 3},   {INT32_MIN, 3, 9, 3}};
    struct canvas c = canvas_new(20, 20, 0);
    for (size_t i = 0; i < sizeof(outside) / sizeof(*outside); i++)
        present_scale_draw(scale, pic, outside[i], &c.canvas);
    for (size_t i = 0; i < c.len; i++)
        assert_int_equal(c.all[i], UNTOUCHED);
    free(c.all);
    present_scale_free(scale);
    tas_picture_free(pic);
}

static void a_scaled_image_stays_premultiplied(void **state) {
    (void)state;
    uint32_t seed = 7, in[9 * 7], out[30 * 30];
    for (size_t i = 0; i < 9 * 7; i++) {
        uint32_t a = random_below(&seed, 256);
        in[i] = a << 24 | random_below(&seed, a + 1) << 16 | random_below(&seed, a + 1) << 8 |
                random_below(&seed, a + 1);
    }
    for (uint32_t w = 1; w <= 30; w++)
        for (uint32_t h = 1; h <= 30; h++) {
            assert_int_equal(present_scale_image(in, 9, 7, out, w, h), TAS_OK);
            for (size_t i = 0; i < (size_t)w * h; i++)
                for (int s = 0; s < 24; s += 8)
                    assert_true((out[i] >> s & 255) <= out[i] >> 24);
        }
    assert_int_equal(present_scale_image(in, 9, 7, out, 9, 7), TAS_OK);
    assert_memory_equal(in, out, sizeof(in));
}

static void without_memory_there_is_no_scale(void **state) {
    (void)state;
    const struct present_fit fit = {30, 20, 50, 40, true, 0, 0, 0};
    uint32_t in[4] = {0}, out[9];
    bool has_failed = true;
    for (unsigned n = 1; has_failed; n++) {
        tas_oom_fail_at(n);
        struct present_scale *scale = present_scale_new(&fit);
        has_failed = tas_oom_count() >= n;
        tas_oom_fail_at(0);
        assert_int_equal(scale == NULL, has_failed);
        present_scale_free(scale);
    }
    has_failed = true;
    for (unsigned n = 1; has_failed; n++) {
        tas_oom_fail_at(n);
        int err = present_scale_image(in, 2, 2, out, 3, 3);
        has_failed = tas_oom_count() >= n;
        tas_oom_fail_at(0);
        assert_int_equal(err, has_failed ? TAS_E_NOMEM : TAS_OK);
    }
    present_scale_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_to_one_is_a_copy_with_margins),
        cmocka_unit_test(a_whole_number_of_times_larger_repeats_px),
        cmocka_unit_test(scaled_px_are_what_the_filters_say),
        cmocka_unit_test(one_colour_stays_that_colour_at_every_ratio),
        cmocka_unit_test(what_the_codec_keeps_in_the_top_byte_is_not_seen),
        cmocka_unit_test(zoomed_px_are_squares),
        cmocka_unit_test(vectors_mix_as_plain_code_does),
        cmocka_unit_test(text_keeps_its_contrast),
        cmocka_unit_test(fine_stripes_become_grey),
        cmocka_unit_test(a_part_has_the_same_px_as_the_whole),
        cmocka_unit_test(without_a_picture_all_is_black),
        cmocka_unit_test(a_part_outside_draws_nothing),
        cmocka_unit_test(a_scaled_image_stays_premultiplied),
        cmocka_unit_test(without_memory_there_is_no_scale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
