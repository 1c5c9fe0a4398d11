#include "codec/codec.h"
#include "codec/model_private.h"
#include "oom.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

enum {
    BITS = 12, /* a small model: the tests reset it often */
    CAP_MIN = TAS_FRAME_CAP_MIN,
    STREAM = 0x01020304,
};

/* --- pictures --- */

static uint32_t random_next(uint32_t *seed) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

typedef uint32_t (*pattern)(uint32_t x, uint32_t y, uint32_t *seed);

static uint32_t noise(uint32_t x, uint32_t y, uint32_t *seed) {
    (void)x, (void)y;
    return random_next(seed) & TAS_RGB;
}

static uint32_t flat(uint32_t x, uint32_t y, uint32_t *seed) {
    (void)x, (void)y, (void)seed;
    return 0x3366cc;
}

static uint32_t text(uint32_t x, uint32_t y, uint32_t *seed) {
    (void)seed;
    uint32_t glyph = (x / 8 * 7 + y / 12 * 3) % 5, bit = (glyph * 0x9e3779b1u) >> ((x % 8 * 3 + y % 12) % 30);
    return y % 12 < 9 && (bit & 1) ? (x % 3 ? 0x202020 : 0x80406f) : 0xffffff;
}

static uint32_t gradient(uint32_t x, uint32_t y, uint32_t *seed) {
    return (x * 2 & 255) << 16 | (y & 255) << 8 | ((x + y + random_next(seed) % 3) & 255);
}

/* A wallpaper that was a JPEG: it changes slowly, and every pixel is off by a step here and there; windows
 * with thin lines on it. */
static uint32_t wallpaper(uint32_t x, uint32_t y, uint32_t *seed) {
    uint32_t grain = random_next(seed) % 100, off = grain < 10   ? 1
                                                    : grain < 15 ? 0x10101
                                                    : grain < 18 ? 0x200
                                                                 : 0;
    if (x > 300 && x < 600 && y > 60)
        return y % 40 < 2 || x % 90 == 0 ? 0xc0c0c0 : 0xffffff;
    return (((x >> 4) + 20) << 16 | ((y >> 3) + 90) << 8 | (((x + y) >> 4) + 30)) + off;
}

static void fill(struct tas_picture *pic, pattern of, uint32_t seed) {
    for (uint32_t y = 0; y < pic->height; y++)
        for (uint32_t x = 0; x < pic->width; x++)
            pic->px[(size_t)y * pic->stride + x] = of(x, y, &seed);
}

static void fill_rect(struct tas_picture *pic, uint32_t x, uint32_t y, uint32_t w, uint32_t h, uint32_t px) {
    for (uint32_t j = y; j < y + h && j < pic->height; j++)
        for (uint32_t i = x; i < x + w && i < pic->width; i++)
            pic->px[(size_t)j * pic->stride + i] = px;
}

static bool is_same(const struct tas_picture *a, const struct tas_picture *b) {
    for (uint32_t y = 0; y < a->height; y++)
        for (uint32_t x = 0; x < a->width; x++)
            if ((a->px[(size_t)y * a->stride + x] ^ b->px[(size_t)y * b->stride + x]) & 0xffffff)
                return false;
    return true;
}

/* --- two ends --- */

struct pair {
    struct tas_picture *src;
    struct tas_encoder *enc;
    struct tas_decoder *dec;
    struct tas_tiles tiles;
    uint8_t *frame;
    size_t cap, len;
};

static struct tas_encoder *encoder_new(uint32_t width, uint32_t height, unsigned bits) {
    return tas_encoder_new(
        &(struct tas_encoder_config){.width = width, .height = height, .stream = STREAM, .model_bits = bits});
}

static struct tas_decoder *decoder_new(uint32_t width, uint32_t height, unsigned bits) {
    return tas_decoder_new(
        &(struct tas_decoder_config){.width = width, .height = height, .model_bits = bits});
}

static struct pair pair_new(uint32_t width, uint32_t height) {
    struct pair p = {
        .src = tas_picture_new(width, height),
        .enc = encoder_new(width, height, BITS),
        .dec = decoder_new(width, height, BITS),
        .frame = malloc(TAS_FRAME_MAX),
        .cap = TAS_FRAME_MAX,
    };
    assert_true(p.src && p.enc && p.dec && p.frame);
    assert_int_equal(tas_tiles_init(&p.tiles, width, height), TAS_OK);
    tas_tiles_set_all(&p.tiles);
    return p;
}

static void pair_free(struct pair *p) {
    tas_picture_free(p->src);
    tas_encoder_free(p->enc);
    tas_decoder_free(p->dec);
    tas_tiles_fini(&p->tiles);
    free(p->frame);
}

static int encode(struct pair *p, unsigned flags) {
    const struct tas_frame_order order = {.flags = flags, .capture_us = 123456789};
    return tas_encoder_frame(p->enc, p->src, &p->tiles, &order, p->frame, p->cap, &p->len);
}

/* A copy of exactly the frame's length, so that ASan sees a read past it. */
static int decode_copy(struct tas_decoder *dec, const uint8_t *frame, size_t len) {
    uint8_t *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, frame, len);
    int err = tas_decoder_frame(dec, tas_bytes_of(copy, len), NULL);
    free(copy);
    return err;
}

static int decode(struct pair *p) {
    return decode_copy(p->dec, p->frame, p->len);
}

/* Codes and decodes until nothing is left; gives the number of frames. */
static unsigned pass(struct pair *p, unsigned flags) {
    unsigned frames = 0;
    do {
        assert_int_equal(encode(p, flags), TAS_OK);
        if (p->len > 0) {
            assert_int_equal(decode(p), TAS_OK);
            frames++;
        }
        flags = 0;
    } while (tas_tiles_count(&p->tiles) > 0);
    return frames;
}

static void pass_all(struct pair *p, unsigned flags) {
    tas_tiles_set_all(&p->tiles);
    pass(p, flags);
    assert_true(is_same(p->src, tas_decoder_picture(p->dec)));
}

static const uint32_t sizes[][2] = {{1, 1}, {17, 3}, {64, 64}, {65, 65}, {200, 133}, {640, 480}};
static const pattern patterns[] = {noise, flat, text, gradient};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- a row by itself --- */

enum { ROW_MAX = 16384, ROW_BORDER = 4, ROW_TIMES = 5 };

struct rows {
    uint32_t now[ROW_MAX + 2 * ROW_BORDER], shown[ROW_MAX + 2 * ROW_BORDER], was[ROW_MAX + 2 * ROW_BORDER];
};

static struct tas_span span_of(struct rows *rows, uint32_t width, bool is_encoder) {
    return (struct tas_span){.row = rows->shown + ROW_BORDER,
                             .up = rows->was + ROW_BORDER,
                             .up2 = rows->was + ROW_BORDER,
                             .src = is_encoder ? rows->now + ROW_BORDER : NULL,
                             .old = rows->was + ROW_BORDER,
                             .old_up = rows->was + ROW_BORDER,
                             .x1 = width,
                             .mode = TAS_BLOCK_TEMP};
}

static double cpu_ns(void) {
    struct timespec ts;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

/* What decoding a row takes in which every third pixel has changed, ns a pixel; the least of several times.
 */
static double decode_row_ns(uint32_t width) {
    struct rows *rows = calloc(1, sizeof(*rows));
    uint8_t *out = malloc(ROW_MAX * 4);
    double least = 1e9;
    assert_true(rows && out);
    for (uint32_t x = 0; x < width; x += 3)
        rows->now[ROW_BORDER + x] = 0x40ff40;
    for (unsigned i = 0; i < ROW_TIMES; i++) {
        struct tas_model *enc = tas_model_new(BITS), *dec = tas_model_new(BITS);
        assert_true(enc && dec);
        struct tas_span span = span_of(rows, width, true);
        struct tas_rc rc = tas_rc_encoder_of(out, ROW_MAX * 4);
        tas_model_encode(enc, &rc, &span);
        tas_rc_finish(&rc);
        rc = tas_rc_decoder_of(tas_bytes_of(out, rc.len + TAS_RC_TAIL));
        memset(rows->shown, 0, sizeof(rows->shown));
        span = span_of(rows, width, false);
        double start = cpu_ns();
        tas_model_decode(dec, &rc, &span);
        double ns = (cpu_ns() - start) / width;
        least = ns < least ? ns : least;
        assert_true(!rc.bad && rc.in.len == 0);
        assert_memory_equal(rows->shown, rows->now, sizeof(rows->now));
        tas_model_free(enc);
        tas_model_free(dec);
    }
    free(rows);
    free(out);
    return least;
}

/* --- tests --- */

/* It was looked ahead to the end of the row at every pixel: a frame of 400 bytes took seconds. */
static void a_wide_row_takes_no_longer_a_pixel_than_a_narrow_one(void **state) {
    (void)state;
    double narrow = decode_row_ns(512), wide = decode_row_ns(ROW_MAX);
    print_message("decoding: narrow %.0f ns, wide %.0f ns a pixel\n", narrow, wide);
    assert_true(wide < narrow * 4);
}

static void every_picture_of_every_size_comes_back_exactly(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct pair p = pair_new(sizes[i][0], sizes[i][1]);
        for (size_t k = 0; k < COUNT(patterns); k++) {
            fill(p.src, patterns[k], 1);
            pass_all(&p, TAS_FRAME_RESET);
            fill(p.src, patterns[(k + 1) % COUNT(patterns)], 2);
            pass_all(&p, 0);
            fill(p.src, patterns[k], 3);
            pass_all(&p, TAS_FRAME_RESET_MODEL);
        }
        pair_free(&p);
    }
}

/* Large enough that colours are coded quickly: lines, shapes before contexts, and contexts that know better
 * when it comes back. */
static void a_wallpaper_with_windows_comes_back_exactly_in_few_bytes(void **state) {
    (void)state;
    struct pair p = pair_new(640, 480);
    fill(p.src, wallpaper, 1);
    assert_int_equal(encode(&p, TAS_FRAME_RESET), TAS_OK);
    assert_true(p.frame[0] & TAS_FRAME_QUICK);
    assert_in_range(p.len, 1, 640 * 480 / 5); /* one bit and a half a pixel */
    assert_int_equal(decode(&p), TAS_OK);
    assert_true(is_same(p.src, tas_decoder_picture(p.dec)));
    for (uint32_t seed = 2; seed < 5; seed++) {
        fill(p.src, seed % 2 ? text : gradient, seed);
        pass_all(&p, 0);
        fill(p.src, wallpaper, seed);
        pass_all(&p, 0);
    }
    pair_free(&p);
}

static void a_sequence_of_changes_is_followed_frame_by_frame(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct pair p = pair_new(sizes[i][0], sizes[i][1]);
        uint32_t seed = 7;
        fill(p.src, text, 1);
        pass_all(&p, TAS_FRAME_RESET);
        for (unsigned frame = 0; frame < 40; frame++) {
            uint32_t x = random_next(&seed) % p.src->width, y = random_next(&seed) % p.src->height;
            uint32_t w = 1 + random_next(&seed) % 90, h = 1 + random_next(&seed) % 30;
            fill_rect(p.src, x, y, w, h, frame % 5 ? random_next(&seed) & 0xffffff : 0);
            tas_tiles_set_rect(&p.tiles, (int32_t)x, (int32_t)y, w, h);
            pass(&p, 0);
            assert_true(is_same(p.src, tas_decoder_picture(p.dec)));
        }
        pair_free(&p);
    }
}

static void one_changed_pixel_gives_a_small_frame_that_shows_it(void **state) {
    (void)state;
    struct pair p = pair_new(200, 133);
    fill(p.src, text, 1);
    pass_all(&p, TAS_FRAME_RESET);
    static const uint32_t places[][2] = {{0, 0},   {199, 0}, {0, 132}, {199, 132},
                                         {63, 64}, {64, 63}, {100, 50}};
    for (size_t i = 0; i < COUNT(places); i++) {
        p.src->px[(size_t)places[i][1] * p.src->stride + places[i][0]] ^= 0x010000;
        tas_tiles_set_rect(&p.tiles, (int32_t)places[i][0], (int32_t)places[i][1], 1, 1);
        assert_int_equal(encode(&p, 0), TAS_OK);
        assert_true(p.len > 0 && p.len < 64);
        struct tas_tiles changed;
        assert_int_equal(tas_tiles_init(&changed, 200, 133), TAS_OK);
        assert_int_equal(tas_decoder_frame(p.dec, tas_bytes_of(p.frame, p.len), &changed), TAS_OK);
        assert_true(is_same(p.src, tas_decoder_picture(p.dec)));
        assert_int_equal(tas_tiles_count(&changed), 1);
        assert_true(tas_tiles_get(&changed, places[i][0] / TAS_TILE, places[i][1] / TAS_TILE));
        tas_tiles_fini(&changed);
    }
    pair_free(&p);
}

static void what_has_not_changed_makes_no_frame(void **state) {
    (void)state;
    struct pair p = pair_new(200, 133);
    fill(p.src, text, 1);
    pass_all(&p, TAS_FRAME_RESET);
    for (unsigned i = 0; i < 3; i++) {
        fill_rect(p.src, 0, 0, 200, 133, 0);
        fill(p.src, text, 1);
        tas_tiles_set_all(&p.tiles);
        assert_int_equal(encode(&p, 0), TAS_OK);
        assert_int_equal(p.len, 0);
        assert_int_equal(tas_tiles_count(&p.tiles), 0);
        assert_int_equal(tas_encoder_seq(p.enc), 1);
    }
    fill(p.src, gradient, 1); /* nothing was learnt from the frames that were not made */
    pass_all(&p, 0);
    pair_free(&p);
}

static const uint8_t head_golden[] = {
    0x05,                   /* flags: RESET, LAST */
    0x07, 0x5b, 0xcd, 0x15, /* captured at 123456789 us */
    0x01, 0x02, 0x03, 0x04, /* stream */
    0x00, 0x00, 0x00, 0x01, /* seq = 1 */
};

static void the_head_is_what_the_page_says(void **state) {
    (void)state;
    struct pair p = pair_new(65, 65);
    pass_all(&p, TAS_FRAME_RESET);
    assert_true(p.len > sizeof(head_golden));
    assert_memory_equal(p.frame, head_golden, sizeof(head_golden));

    struct tas_frame_head head;
    p.src->px[0] = 1;
    tas_tiles_set_all(&p.tiles);
    assert_int_equal(encode(&p, 0), TAS_OK);
    assert_int_equal(tas_frame_head_decode(&head, tas_bytes_of(p.frame, p.len)), TAS_OK);
    assert_int_equal(head.flags, TAS_FRAME_LAST);
    assert_false(head.is_start);
    assert_int_equal(head.stream, STREAM & 0xff);
    assert_int_equal(head.seq, 2);
    assert_int_equal(head.capture_us, 123456789);
    pair_free(&p);
}

/* Changes only with TAS_CODEC_VERSION: ends of different builds must understand each other. */
static const uint8_t orange_golden[] = {
    0x05, 0x07, 0x5b, 0xcd, 0x15, 0x01, 0x02, 0x03, 0x04, 0x00, 0x00, 0x00, 0x01, /* head as above */
    0x2f, 0xff, 0xa0, 0x00, 0x8b, 0x00, 0x7f, 0xff, 0x00, 0x00, /* a row, a tile, a CTX block, a colour, W */
    0x6c, 0xeb,                                                 /* checksum */
};

static void two_orange_pixels_are_the_bytes_that_they_always_were(void **state) {
    (void)state;
    struct pair p = pair_new(2, 1);
    p.src->px[0] = p.src->px[1] = 0xff8000;
    assert_int_equal(encode(&p, TAS_FRAME_RESET), TAS_OK);
    assert_int_equal(p.len, sizeof(orange_golden));
    assert_memory_equal(p.frame, orange_golden, sizeof(orange_golden));
    assert_int_equal(decode_copy(p.dec, orange_golden, sizeof(orange_golden)), TAS_OK);
    assert_true(is_same(p.src, tas_decoder_picture(p.dec)));
    pair_free(&p);
}

static void a_head_that_cannot_be_is_refused_and_leaves_out_alone(void **state) {
    (void)state;
    static const struct {
        size_t at;
        uint8_t byte;
    } bad[] = {
        {0, 0x25},  /* a flag that we do not know */
        {0, 0x07},  /* both resets */
        {0, 0x0d},  /* sections, but no length of them */
        {12, 0x00}, /* seq = 0 */
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        uint8_t bytes[sizeof(head_golden)];
        memcpy(bytes, head_golden, sizeof(bytes));
        bytes[bad[i].at] = bad[i].byte;
        struct tas_frame_head out = {.seq = 77};
        assert_int_equal(tas_frame_head_decode(&out, tas_bytes_of(bytes, sizeof(bytes))), TAS_E_PROTO);
        assert_int_equal(out.seq, 77);
    }
    for (size_t len = 0; len < sizeof(head_golden); len++) {
        struct tas_frame_head out = {.seq = 77};
        assert_int_equal(tas_frame_head_decode(&out, tas_bytes_of(head_golden, len)), TAS_E_PROTO);
        assert_int_equal(out.seq, 77);
    }
}

static void a_frame_that_follows_another_one_is_refused_and_changes_nothing(void **state) {
    (void)state;
    struct pair p = pair_new(65, 65);
    uint8_t lost[4096];
    fill(p.src, text, 1);
    assert_int_equal(encode(&p, TAS_FRAME_RESET), TAS_OK);
    size_t first_len = p.len;
    memcpy(lost, p.frame, p.len);
    fill_rect(p.src, 3, 3, 20, 20, 0xff0000);
    tas_tiles_set_all(&p.tiles);
    assert_int_equal(encode(&p, 0), TAS_OK);

    assert_int_equal(decode(&p), TAS_E_STATE); /* nothing decoded yet */
    assert_int_equal(decode_copy(p.dec, lost, first_len), TAS_OK);
    assert_int_equal(decode(&p), TAS_OK);
    assert_int_equal(decode(&p), TAS_E_STATE); /* the same again */
    assert_int_equal(tas_decoder_seq(p.dec), 2);
    assert_true(is_same(p.src, tas_decoder_picture(p.dec)));

    fill_rect(p.src, 30, 3, 20, 20, 0x00ff00);
    tas_tiles_set_all(&p.tiles);
    assert_int_equal(encode(&p, 0), TAS_OK);
    p.frame[5] ^= 1; /* another stream */
    assert_int_equal(decode(&p), TAS_E_STATE);
    p.frame[5] ^= 1;
    assert_int_equal(decode(&p), TAS_OK); /* a refusal breaks nothing */
    assert_true(is_same(p.src, tas_decoder_picture(p.dec)));
    pair_free(&p);
}

static void after_a_broken_frame_only_a_reset_is_taken(void **state) {
    (void)state;
    for (unsigned reset = TAS_FRAME_RESET; reset <= TAS_FRAME_RESET_MODEL; reset++) {
        struct pair p = pair_new(65, 65);
        fill(p.src, text, 1);
        pass_all(&p, TAS_FRAME_RESET);
        fill(p.src, gradient, 1);
        tas_tiles_set_all(&p.tiles);
        assert_int_equal(encode(&p, 0), TAS_OK);
        p.frame[p.len - 1] ^= 1;
        assert_int_equal(decode(&p), TAS_E_PROTO);
        p.frame[p.len - 1] ^= 1;
        assert_int_equal(decode(&p), TAS_E_STATE);
        pass_all(&p, reset);
        pair_free(&p);
    }
}

/* The decoder misses a frame; what that had touched is coded again without a look at what is there. */
static void a_reset_of_the_model_heals_a_picture_that_differs(void **state) {
    (void)state;
    static const size_t caps[] = {CAP_MIN, TAS_FRAME_MAX};
    for (size_t i = 0; i < COUNT(sizes) * COUNT(caps); i++) {
        struct pair p = pair_new(sizes[i / 2][0], sizes[i / 2][1]);
        fill(p.src, i % 3 ? text : gradient, 1);
        pass_all(&p, TAS_FRAME_RESET);

        p.cap = caps[i % 2];
        struct tas_tiles lost;
        assert_int_equal(tas_tiles_init(&lost, p.src->width, p.src->height), TAS_OK);
        for (unsigned n = 0; n < 4; n++) {
            fill_rect(p.src, n * 150, n * 97, 140, 80, 0xf0f0f0 + n);
            tas_tiles_set_rect(&lost, (int32_t)n * 150, (int32_t)n * 97, 140, 80);
            tas_tiles_merge(&p.tiles, &lost);
            assert_int_equal(encode(&p, 0), TAS_OK); /* never arrives */
        }
        fill_rect(p.src, 5, 5, 300, 9, 0x123456);
        tas_tiles_set_rect(&lost, 5, 5, 300, 9);
        tas_tiles_merge(&p.tiles, &lost);
        pass(&p, TAS_FRAME_RESET_MODEL);
        assert_true(is_same(p.src, tas_decoder_picture(p.dec)));
        fill(p.src, text, 3);
        pass_all(&p, 0);
        tas_tiles_fini(&lost);
        pair_free(&p);
    }
}

/* Between the bands of a repaint the screen goes on changing, and the caller asks for other tiles only. */
static void bands_of_a_repaint_heal_although_the_screen_changes_meanwhile(void **state) {
    (void)state;
    struct pair p = pair_new(200, 400);
    p.cap = CAP_MIN;
    fill(p.src, noise, 1);
    pass_all(&p, TAS_FRAME_RESET);
    fill(p.src, noise, 2);
    tas_tiles_set_all(&p.tiles);
    assert_int_equal(encode(&p, 0), TAS_OK); /* lost */
    fill(p.src, noise, 3);
    tas_tiles_set_all(&p.tiles);
    assert_int_equal(encode(&p, TAS_FRAME_RESET_MODEL), TAS_OK);
    assert_int_equal(decode(&p), TAS_OK);
    assert_true(tas_tiles_count(&p.tiles) > 0);

    tas_tiles_clear(&p.tiles); /* forgotten by the caller, not by the encoder */
    fill_rect(p.src, 60, 60, 90, 300, 0);
    tas_tiles_set_rect(&p.tiles, 60, 60, 90, 300);
    assert_true(pass(&p, 0) > 1);
    assert_true(is_same(p.src, tas_decoder_picture(p.dec)));
    pair_free(&p);
}

static void noise_that_passes_cap_goes_out_in_bands(void **state) {
    (void)state;
    struct pair p = pair_new(200, 333);
    p.cap = CAP_MIN;
    for (uint32_t round = 1; round < 4; round++) {
        fill(p.src, noise, round);
        tas_tiles_set_all(&p.tiles);
        unsigned flags = round == 1 ? TAS_FRAME_RESET : 0, frames = 0;
        while (tas_tiles_count(&p.tiles) > 0) {
            uint32_t before = tas_tiles_count(&p.tiles);
            struct tas_frame_head head;
            memset(p.frame + p.cap, 0xa5, 16);
            assert_int_equal(encode(&p, flags), TAS_OK);
            assert_true(p.len <= p.cap && tas_tiles_count(&p.tiles) < before);
            for (size_t i = 0; i < 16; i++)
                assert_int_equal(p.frame[p.cap + i], 0xa5);
            assert_int_equal(tas_frame_head_decode(&head, tas_bytes_of(p.frame, p.len)), TAS_OK);
            assert_int_equal(head.flags & TAS_FRAME_LAST, tas_tiles_count(&p.tiles) ? 0 : TAS_FRAME_LAST);
            assert_int_equal(decode(&p), TAS_OK);
            flags = 0;
            frames++;
        }
        assert_true(frames > 3);
        assert_true(is_same(p.src, tas_decoder_picture(p.dec)));
    }
    pair_free(&p);
}

static void a_row_of_tiles_that_never_fits_is_a_limit_and_can_be_tried_again(void **state) {
    (void)state;
    struct pair p = pair_new(640, 200);
    p.cap = CAP_MIN;
    fill(p.src, noise, 1);
    assert_int_equal(encode(&p, TAS_FRAME_RESET), TAS_E_LIMIT);
    assert_int_equal(encode(&p, 0), TAS_E_LIMIT);
    assert_int_equal(tas_encoder_seq(p.enc), 0);
    p.cap = TAS_FRAME_MAX;
    pass_all(&p, 0);
    fill_rect(p.src, 0, 0, 640, 64, 0x123456); /* the first row fits, the second does not */
    uint32_t seed = 9;
    for (uint32_t i = 64 * 640; i < 128 * 640; i++)
        p.src->px[i] = random_next(&seed);
    p.cap = CAP_MIN;
    tas_tiles_set_all(&p.tiles);
    assert_int_equal(encode(&p, 0), TAS_OK);
    assert_int_equal(decode(&p), TAS_OK);
    assert_int_equal(encode(&p, 0), TAS_E_LIMIT);
    p.cap = TAS_FRAME_MAX;
    pass(&p, 0);
    assert_true(is_same(p.src, tas_decoder_picture(p.dec)));
    pair_free(&p);
}

/* One frame of each kind on a small picture, for the tests that break it. */
static struct pair small_frame(unsigned kind, uint8_t *first, size_t *first_len) {
    struct pair p = pair_new(70, 40);
    fill(p.src, kind % 2 ? text : gradient, 1);
    assert_int_equal(encode(&p, TAS_FRAME_RESET), TAS_OK);
    memcpy(first, p.frame, p.len);
    *first_len = p.len;
    p.src->px[3] ^= 1; /* TEMP */
    fill_rect(p.src, 30, 20, 9, 9, 0x112233);
    tas_tiles_set_all(&p.tiles);
    assert_int_equal(encode(&p, kind < 2 ? 0 : TAS_FRAME_RESET_MODEL), TAS_OK);
    return p;
}

static void a_frame_cut_anywhere_is_refused(void **state) {
    (void)state;
    uint8_t first[16384];
    size_t first_len;
    for (unsigned kind = 0; kind < 4; kind++) {
        struct pair p = small_frame(kind, first, &first_len);
        for (size_t len = 0; len < p.len; len++) {
            assert_int_equal(decode_copy(p.dec, first, first_len), TAS_OK);
            assert_int_equal(decode_copy(p.dec, p.frame, len), TAS_E_PROTO);
        }
        assert_int_equal(decode_copy(p.dec, first, first_len), TAS_OK);
        p.frame[p.len] = 0; /* nor may a byte be left over */
        assert_int_equal(decode_copy(p.dec, p.frame, p.len + 1), TAS_E_PROTO);
        pair_free(&p);
    }
}

/* In the head a changed byte may make another valid frame; behind it the checksum must notice. */
static void a_frame_with_any_byte_flipped_never_shows_a_wrong_picture(void **state) {
    (void)state;
    uint8_t first[16384];
    size_t first_len;
    for (unsigned kind = 0; kind < 4; kind++) {
        struct pair p = small_frame(kind, first, &first_len);
        for (size_t i = 0; i < p.len * 3; i++) {
            static const uint8_t flips[] = {0x01, 0x80, 0xff};
            assert_int_equal(decode_copy(p.dec, first, first_len), TAS_OK);
            p.frame[i / 3] ^= flips[i % 3];
            int err = decode(&p);
            if (i / 3 >= sizeof(head_golden) &&
                err == TAS_OK) /* the last bits of the coder may mean the same */
                assert_true(is_same(p.src, tas_decoder_picture(p.dec)));
            else if (i / 3 >= sizeof(head_golden))
                assert_int_equal(err, TAS_E_PROTO);
            p.frame[i / 3] ^= flips[i % 3];
        }
        assert_int_equal(decode_copy(p.dec, first, first_len), TAS_OK);
        assert_int_equal(decode(&p), TAS_OK);
        assert_true(is_same(p.src, tas_decoder_picture(p.dec)));
        pair_free(&p);
    }
}

static void a_frame_over_the_limit_is_refused_unread(void **state) {
    (void)state;
    struct pair p = pair_new(65, 65);
    assert_int_equal(tas_decoder_frame(p.dec, tas_bytes_of(p.frame, TAS_FRAME_MAX + 1), NULL), TAS_E_LIMIT);
    pair_free(&p);
}

static void a_size_or_model_beyond_the_limits_is_refused(void **state) {
    (void)state;
    static const uint32_t bad[][2] = {{0, 1}, {1, 0}, {16385, 1}, {1, 16385}, {16384, 8192}};
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_null(tas_picture_new(bad[i][0], bad[i][1]));
        assert_null(encoder_new(bad[i][0], bad[i][1], BITS));
        assert_null(decoder_new(bad[i][0], bad[i][1], BITS));
    }
    assert_null(encoder_new(64, 64, TAS_CODEC_MODEL_BITS_MIN - 1));
    assert_null(decoder_new(64, 64, TAS_CODEC_MODEL_BITS_MAX + 1));
}

static void no_memory_anywhere_gives_null_and_leaks_nothing(void **state) {
    (void)state;
    unsigned failed = 0;
    for (unsigned n = 1; n < 1000; n++) {
        tas_oom_fail_at(n);
        struct tas_encoder *enc = encoder_new(65, 65, BITS);
        struct tas_decoder *dec = enc ? decoder_new(65, 65, BITS) : NULL;
        struct tas_picture *pic = dec ? tas_picture_new(65, 65) : NULL;
        struct tas_tiles tiles = {0};
        int err = pic ? tas_tiles_init(&tiles, 65, 65) : TAS_E_NOMEM;
        bool has_failed = tas_oom_count() >= n;
        tas_oom_fail_at(0);
        assert_int_equal(has_failed, err == TAS_E_NOMEM);
        tas_encoder_free(enc);
        tas_decoder_free(dec);
        tas_picture_free(pic);
        tas_tiles_fini(&tiles);
        if (!has_failed)
            break;
        failed++;
    }
    assert_true(failed > 10 && failed < 100);
}

static void coding_allocates_nothing(void **state) {
    (void)state;
    struct pair p = pair_new(200, 133);
    fill(p.src, gradient, 1);
    tas_oom_fail_at(0);
    assert_int_equal(encode(&p, TAS_FRAME_RESET), TAS_OK);
    assert_int_equal(tas_decoder_frame(p.dec, tas_bytes_of(p.frame, p.len), NULL), TAS_OK);
    assert_int_equal(tas_oom_count(), 0);
    pair_free(&p);
}

static void a_rectangle_sets_the_tiles_that_it_touches(void **state) {
    (void)state;
    static const struct {
        int32_t x, y;
        uint32_t w, h, tiles;
    } rects[] = {
        {0, 0, 1, 1, 1},         {63, 63, 1, 1, 1},
        {63, 63, 2, 2, 4},       {-5, -5, 5, 5, 0},
        {-5, -5, 6, 6, 1},       {199, 132, 100, 100, 1},
        {200, 0, 1, 1, 1}, /* the last tile is wider than the picture */
        {256, 0, 9, 9, 0},       {0, 192, 9, 9, 0},
        {0, 0, 0, 9, 0},         {0, 0, UINT32_MAX, 1, 4},
        {INT32_MIN, 0, 9, 9, 0}, {INT32_MAX, 0, 9, 9, 0},
        {-70, 64, 4096, 64, 4},  {INT32_MIN, INT32_MIN, UINT32_MAX, UINT32_MAX, 12},
    };
    struct tas_tiles tiles, more;
    assert_int_equal(tas_tiles_init(&tiles, 200, 133), TAS_OK); /* 4 x 3 tiles */
    assert_int_equal(tas_tiles_init(&more, 200, 133), TAS_OK);
    for (size_t i = 0; i < COUNT(rects); i++) {
        tas_tiles_clear(&tiles);
        tas_tiles_set_rect(&tiles, rects[i].x, rects[i].y, rects[i].w, rects[i].h);
        assert_int_equal(tas_tiles_count(&tiles), rects[i].tiles);
    }
    tas_tiles_set_all(&tiles);
    assert_int_equal(tas_tiles_count(&tiles), 12);
    tas_tiles_unset(&tiles, 3, 2);
    tas_tiles_set(&more, 3, 2);
    assert_false(tas_tiles_get(&tiles, 3, 2));
    tas_tiles_merge(&tiles, &more);
    assert_int_equal(tas_tiles_count(&tiles), 12);
    tas_tiles_fini(&tiles);
    tas_tiles_fini(&more);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wide_row_takes_no_longer_a_pixel_than_a_narrow_one),
        cmocka_unit_test(every_picture_of_every_size_comes_back_exactly),
        cmocka_unit_test(a_wallpaper_with_windows_comes_back_exactly_in_few_bytes),
        cmocka_unit_test(a_sequence_of_changes_is_followed_frame_by_frame),
        cmocka_unit_test(one_changed_pixel_gives_a_small_frame_that_shows_it),
        cmocka_unit_test(what_has_not_changed_makes_no_frame),
        cmocka_unit_test(the_head_is_what_the_page_says),
        cmocka_unit_test(two_orange_pixels_are_the_bytes_that_they_always_were),
        cmocka_unit_test(a_head_that_cannot_be_is_refused_and_leaves_out_alone),
        cmocka_unit_test(a_frame_that_follows_another_one_is_refused_and_changes_nothing),
        cmocka_unit_test(after_a_broken_frame_only_a_reset_is_taken),
        cmocka_unit_test(a_reset_of_the_model_heals_a_picture_that_differs),
        cmocka_unit_test(bands_of_a_repaint_heal_although_the_screen_changes_meanwhile),
        cmocka_unit_test(noise_that_passes_cap_goes_out_in_bands),
        cmocka_unit_test(a_row_of_tiles_that_never_fits_is_a_limit_and_can_be_tried_again),
        cmocka_unit_test(a_frame_cut_anywhere_is_refused),
        cmocka_unit_test(a_frame_with_any_byte_flipped_never_shows_a_wrong_picture),
        cmocka_unit_test(a_frame_over_the_limit_is_refused_unread),
        cmocka_unit_test(a_size_or_model_beyond_the_limits_is_refused),
        cmocka_unit_test(no_memory_anywhere_gives_null_and_leaks_nothing),
        cmocka_unit_test(coding_allocates_nothing),
        cmocka_unit_test(a_rectangle_sets_the_tiles_that_it_touches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
