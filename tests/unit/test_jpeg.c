#include "lossy/jpeg.h"
#include "oom.h"
#include "photo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jpeglib.h>

enum {
    CAP = 16 << 20,
    UNTOUCHED = 0x12345678,
};

static uint32_t random_next(uint32_t *seed) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

/* A coder, a picture and what comes back, with room at the right of both. */
struct world {
    struct tas_jpeg *jpeg;
    struct tas_jpeg_shape shape;
    struct tas_picture pic, back;
    uint8_t *scan;
    size_t len;
};

static struct tas_picture picture_of(uint32_t width, uint32_t height) {
    struct tas_picture pic = {.width = width, .height = height, .stride = width + 3};
    pic.px = malloc((size_t)pic.stride * height * sizeof(*pic.px));
    assert_non_null(pic.px);
    for (size_t i = 0; i < (size_t)pic.stride * height; i++)
        pic.px[i] = UNTOUCHED;
    return pic;
}

static struct world world_of(uint32_t width, uint32_t height, uint8_t quality, bool is_full_colour) {
    struct world w = {.shape = {width, height, quality, is_full_colour}};
    w.jpeg = tas_jpeg_new();
    w.scan = malloc(CAP);
    w.pic = picture_of(width, height);
    w.back = picture_of(width, height);
    assert_true(w.jpeg && w.scan);
    photo_fill(w.pic.px, w.pic.stride, width, height, 1000, 2000, 7);
    return w;
}

static void world_end(struct world *w) {
    tas_jpeg_free(w->jpeg);
    free(w->scan);
    free(w->pic.px);
    free(w->back.px);
}

static void encode(struct world *w) {
    assert_int_equal(tas_jpeg_encode(w->jpeg, &w->pic, &w->shape, w->scan, CAP, &w->len), TAS_OK);
}

/* Decodes a copy of exactly that length, for ASan. */
static int decode_copy(struct world *w, const uint8_t *scan, size_t len) {
    uint8_t *copy = malloc(len + (len == 0));
    assert_non_null(copy);
    memcpy(copy, scan, len);
    int err = tas_jpeg_decode(w->jpeg, tas_bytes_of(copy, len), &w->shape, &w->back);
    free(copy);
    return err;
}

static void must_be_within(const struct tas_picture *pic) {
    for (uint32_t y = 0; y < pic->height; y++)
        for (uint32_t x = 0; x < pic->stride; x++) {
            uint32_t px = pic->px[(size_t)y * pic->stride + x];
            if (x < pic->width ? px >> 24 != 0 : px != UNTOUCHED)
                fail_msg("pixel %u,%u is %08x", x, y, px);
        }
}

static double psnr(const struct world *w) {
    return photo_psnr(w->pic.px, w->pic.stride, w->back.px, w->back.stride, w->pic.width, w->pic.height);
}

static double round_trip(struct world *w) {
    encode(w);
    assert_int_equal(decode_copy(w, w->scan, w->len), TAS_OK);
    must_be_within(&w->back);
    return psnr(w);
}

/* --- the head --- */

/* The file that libjpeg makes of a picture, without any help of ours. */
static size_t library_file(const struct world *w, uint8_t **file) {
    struct jpeg_compress_struct enc;
    struct jpeg_error_mgr errors;
    unsigned long len = 0;
    enc.err = jpeg_std_error(&errors);
    jpeg_create_compress(&enc);
    jpeg_mem_dest(&enc, file, &len);
    enc.image_width = w->shape.width;
    enc.image_height = w->shape.height;
    enc.input_components = 4;
    enc.in_color_space = JCS_EXT_BGRX;
    jpeg_set_defaults(&enc);
    jpeg_set_quality(&enc, w->shape.quality, TRUE);
    for (int i = 0; i < 3; i++)
        enc.comp_info[i].h_samp_factor = enc.comp_info[i].v_samp_factor =
            i == 0 && !w->shape.is_full_colour ? 2 : 1;
    jpeg_start_compress(&enc, TRUE);
    while (enc.next_scanline < enc.image_height) {
        JSAMPROW row = (JSAMPROW)(w->pic.px + (size_t)enc.next_scanline * w->pic.stride);
        jpeg_write_scanlines(&enc, &row, 1);
    }
    jpeg_finish_compress(&enc);
    jpeg_destroy_compress(&enc);
    return len;
}

static void test_head_and_scan_are_the_librarys_file(void **state) {
    (void)state;
    struct world w = world_of(48, 32, 1, false);
    for (int quality = 1; quality <= 100; quality++)
        for (int full = 0; full < 2; full++) {
            uint8_t *file = NULL, head[TAS_JPEG_HEAD_MAX];
            size_t head_len;
            w.shape.quality = (uint8_t)quality;
            w.shape.is_full_colour = full;
            size_t file_len = library_file(&w, &file);
            assert_int_equal(tas_jpeg_head(&w.shape, head, &head_len), TAS_OK);
            encode(&w);
            assert_int_equal(file_len, head_len + w.len + 2);
            assert_memory_equal(file, head, head_len);
            assert_memory_equal(file + head_len, w.scan, w.len);
            assert_memory_equal(file + head_len + w.len, "\xff\xd9", 2);
            free(file);
        }
    world_end(&w);
}

static void test_shapes_beyond_the_limits_are_refused(void **state) {
    (void)state;
    static const struct tas_jpeg_shape bad[] = {
        {0, 16, 50, false},     {16, 0, 50, false},
        {17, 16, 50, false},    {16, 24, 50, false},
        {65040, 16, 50, false}, {16, 65040, 50, true},
        {65552, 16, 50, false}, {16, 16, 0, false},
        {16, 16, 101, true},    {UINT32_MAX - 15, 16, 1, false},
    };
    struct tas_jpeg *jpeg = tas_jpeg_new();
    uint8_t out[TAS_JPEG_HEAD_MAX];
    uint32_t px = 0;
    size_t len;
    assert_non_null(jpeg);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct tas_picture pic = {&px, bad[i].width, bad[i].height, bad[i].width};
        assert_int_equal(tas_jpeg_head(&bad[i], out, &len), TAS_E_LIMIT);
        assert_int_equal(tas_jpeg_encode(jpeg, &pic, &bad[i], out, sizeof(out), &len), TAS_E_LIMIT);
        assert_int_equal(tas_jpeg_decode(jpeg, tas_bytes_of("x", 1), &bad[i], &pic), TAS_E_LIMIT);
    }
    static const struct tas_jpeg_shape widest = {TAS_JPEG_EDGE_MAX, TAS_JPEG_EDGE_MAX, 100, true};
    assert_int_equal(tas_jpeg_head(&widest, out, &len), TAS_OK);
    tas_jpeg_free(jpeg);
}

/* --- there and back --- */

static void test_pictures_come_back_nearly(void **state) {
    (void)state;
    static const struct {
        uint32_t width, height;
        uint8_t quality;
        bool is_full_colour;
        double floor; /* dB */
    } cases[] = {
        {16, 16, 80, true, 37},
        {16, 16, 80, false, 36},
        {16, 4096, 80, true, 38},
        {4096, 16, 50, false, 34},
        {1024, 2048, 80, true, 38},
        {1024, 2048, 50, false, 35},
        {256, 256, 80, true, 38},
        {256, 256, 80, false, 37},
        {256, 256, 50, true, 35},
        {256, 256, 100, true, 46},
        {TAS_JPEG_EDGE_MAX, 16, 80, false, 37},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct world w = world_of(cases[i].width, cases[i].height, cases[i].quality, cases[i].is_full_colour);
        double got = round_trip(&w);
        if (got < cases[i].floor)
            fail_msg("case %zu: %.2f dB", i, got);
        world_end(&w);
    }
}

static void test_every_quality_comes_back(void **state) {
    (void)state;
    struct world w = world_of(128, 128, 1, false);
    for (int full = 0; full < 2; full++) {
        size_t least = 0;
        for (int quality = 1; quality <= 100; quality++) {
            w.shape.quality = (uint8_t)quality;
            w.shape.is_full_colour = full;
            double got = round_trip(&w);
            if (got < 18 + quality * 0.2 - (quality < 10 ? 5 : 0) || w.len < least)
                fail_msg("quality %d: %.2f dB, %zu bytes", quality, got, w.len);
            least = w.len - w.len / 50; /* they grow, nearly always */
        }
    }
    world_end(&w);
}

/* One colour, also the extreme ones, comes back as itself, or one beside it. */
static void test_flat_colours_hold(void **state) {
    (void)state;
    static const uint32_t colours[] = {0, 0xffffff, 0xff0000, 0x00ff00, 0x0000ff, 0x808080, 0xff00ff};
    struct world w = world_of(32, 32, 95, true);
    for (size_t i = 0; i < sizeof(colours) / sizeof(*colours); i++) {
        for (size_t j = 0; j < (size_t)w.pic.stride * w.pic.height; j++)
            w.pic.px[j] = colours[i];
        if (round_trip(&w) < 44)
            fail_msg("%06x became %06x", colours[i], w.back.px[0]);
    }
    world_end(&w);
}

static void test_top_bytes_do_not_count(void **state) {
    (void)state;
    struct world w = world_of(64, 48, 70, false);
    encode(&w);
    uint8_t *plain = malloc(w.len);
    size_t len = w.len;
    assert_non_null(plain);
    memcpy(plain, w.scan, len);
    for (size_t i = 0; i < (size_t)w.pic.stride * w.pic.height; i++)
        w.pic.px[i] |= 0x80000000u | (uint32_t)(i & 0x7f) << 24;
    encode(&w);
    assert_int_equal(w.len, len);
    assert_memory_equal(w.scan, plain, len);
    free(plain);
    world_end(&w);
}

static void test_small_buffers_are_full(void **state) {
    (void)state;
    struct world w = world_of(64, 48, 60, true);
    encode(&w);
    size_t need = w.len, len;
    for (size_t cap = 0; cap <= need + 4; cap++) {
        uint8_t *out = malloc(cap + (cap == 0));
        assert_non_null(out);
        int err = tas_jpeg_encode(w.jpeg, &w.pic, &w.shape, out, cap, &len);
        assert_int_equal(err, cap < need ? TAS_E_FULL : TAS_OK);
        if (!err) {
            assert_int_equal(len, need);
            assert_memory_equal(out, w.scan, need);
        }
        free(out);
    }
    world_end(&w);
}

/* --- hostile bytes --- */

static void test_truncated_scans_are_refused(void **state) {
    (void)state;
    for (int full = 0; full < 2; full++) {
        struct world w = world_of(64, 48, 60, full);
        encode(&w);
        for (size_t len = 0; len < w.len; len++)
            assert_int_equal(decode_copy(&w, w.scan, len), TAS_E_PROTO);
        assert_int_equal(decode_copy(&w, w.scan, w.len), TAS_OK); /* it has not suffered */
        world_end(&w);
    }
}

/* A scan of another, larger shape goes on behind the last block. */
static void test_long_scans_are_refused(void **state) {
    (void)state;
    struct world w = world_of(64, 64, 60, false);
    encode(&w);
    w.shape.height = w.pic.height = w.back.height = 48;
    assert_int_equal(decode_copy(&w, w.scan, w.len), TAS_E_PROTO);
    world_end(&w);
}

static void test_markers_in_a_scan_are_refused(void **state) {
    (void)state;
    struct world w = world_of(64, 48, 60, false);
    encode(&w);
    uint8_t *changed = malloc(w.len + 2);
    assert_non_null(changed);
    for (unsigned code = 1; code <= 0xff; code++)
        for (size_t at = 0; at <= w.len; at += w.len / 7) {
            memcpy(changed, w.scan, at);
            changed[at] = 0xff;
            changed[at + 1] = (uint8_t)code;
            memcpy(changed + at + 2, w.scan + at, w.len - at);
            assert_int_equal(decode_copy(&w, changed, w.len + 2), TAS_E_PROTO);
        }
    /* A whole other file behind the scan. */
    uint8_t head[TAS_JPEG_HEAD_MAX];
    struct tas_jpeg_shape giant = {TAS_JPEG_EDGE_MAX, TAS_JPEG_EDGE_MAX, 50, true};
    size_t head_len;
    assert_int_equal(tas_jpeg_head(&giant, head, &head_len), TAS_OK);
    memcpy(w.scan + w.len, head, head_len);
    assert_int_equal(decode_copy(&w, w.scan, w.len + head_len), TAS_E_PROTO);
    free(changed);
    world_end(&w);
}

static void test_mutated_scans_do_no_harm(void **state) {
    (void)state;
    uint32_t seed = 1;
    unsigned good = 0, bad = 0;
    for (int full = 0; full < 2; full++) {
        struct world w = world_of(96, 64, 50, full);
        encode(&w);
        uint8_t *changed = malloc(w.len);
        assert_non_null(changed);
        for (int i = 0; i < 3000; i++) {
            memcpy(changed, w.scan, w.len);
            for (uint32_t n = random_next(&seed) % 4; n < 4; n++)
                changed[random_next(&seed) % w.len] ^= (uint8_t)(1u << random_next(&seed) % 8);
            int err = decode_copy(&w, changed, w.len);
            assert_true(err == TAS_OK || err == TAS_E_PROTO);
            if (!err)
                must_be_within(&w.back);
            err ? bad++ : good++;
        }
        free(changed);
        assert_int_equal(decode_copy(&w, w.scan, w.len), TAS_OK);
        world_end(&w);
    }
    assert_true(good > 0 && bad > 0);
}

static void test_garbage_does_no_harm(void **state) {
    (void)state;
    uint32_t seed = 2;
    struct world w = world_of(32, 32, 50, false);
    for (int i = 0; i < 3000; i++) {
        uint8_t garbage[700];
        size_t len = 0, want = random_next(&seed) % (sizeof(garbage) - 1);
        while (len < want) {
            garbage[len++] = (uint8_t)random_next(&seed);
            if (garbage[len - 1] == 0xff && i % 2)
                garbage[len++] = 0;
        }
        int err = decode_copy(&w, garbage, len);
        assert_true(err == TAS_OK || err == TAS_E_PROTO);
    }
    assert_true(round_trip(&w) > 30);
    world_end(&w);
}

/* --- memory --- */

static void test_no_memory_is_no_coder(void **state) {
    (void)state;
    tas_oom_fail_at(1);
    struct tas_jpeg *jpeg = tas_jpeg_new();
    tas_oom_fail_at(0);
    assert_null(jpeg);
    tas_jpeg_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_head_and_scan_are_the_librarys_file),
        cmocka_unit_test(test_shapes_beyond_the_limits_are_refused),
        cmocka_unit_test(test_pictures_come_back_nearly),
        cmocka_unit_test(test_every_quality_comes_back),
        cmocka_unit_test(test_flat_colours_hold),
        cmocka_unit_test(test_top_bytes_do_not_count),
        cmocka_unit_test(test_small_buffers_are_full),
        cmocka_unit_test(test_truncated_scans_are_refused),
        cmocka_unit_test(test_long_scans_are_refused),
        cmocka_unit_test(test_markers_in_a_scan_are_refused),
        cmocka_unit_test(test_mutated_scans_do_no_harm),
        cmocka_unit_test(test_garbage_does_no_harm),
        cmocka_unit_test(test_no_memory_is_no_coder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
