#include "lossy/video.h"
#include "oom.h"
#include "photo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum {
    WIDTH = 640,
    HEIGHT = 368,
    STRIDE = WIDTH + 5,
    BIG_WIDTH = WIDTH + 256,
    BIG_HEIGHT = HEIGHT + 128,
    RATE = 3000000,
    LOW_RATE = 400000,
    FRAME_US = 33333,
    BUDGET = RATE / 30 / 8, /* bytes a picture */
    CAP = 4 << 20,
    UNTOUCHED = 0x12345678,
};

static const enum tas_video_codec codecs[] = {TAS_VIDEO_VP8, TAS_VIDEO_VP9};

static uint32_t random_next(uint32_t *seed) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

/* What the camera wanders over, made once: two scenes. */
static uint32_t *scenes[2];

static int make_scenes(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        scenes[i] = malloc(sizeof(**scenes) * BIG_WIDTH * BIG_HEIGHT);
        if (!scenes[i])
            return -1;
        photo_fill(scenes[i], BIG_WIDTH, BIG_WIDTH, BIG_HEIGHT, 5000u * (unsigned)i, 300, 3);
    }
    return 0;
}

static int free_scenes(void **state) {
    (void)state;
    free(scenes[0]);
    free(scenes[1]);
    return 0;
}

static const struct tas_video_kind *kind_of(enum tas_video_codec codec) {
    return codec == TAS_VIDEO_VP8 ? &tas_video_vp8 : &tas_video_vp9;
}

struct world {
    enum tas_video_codec codec;
    struct tas_video_encoder *enc;
    struct tas_video_decoder *dec;
    uint32_t *px, *back; /* HEIGHT rows of STRIDE */
    uint8_t *chunk;
    size_t len;
    bool is_key;
    unsigned frame; /* the next one */
    uint64_t time_us;
};

static struct world world_of(enum tas_video_codec codec) {
    struct tas_video_config config = {kind_of(codec), WIDTH, HEIGHT, RATE, 1};
    struct world w = {.codec = codec, .time_us = 1u << 30};
    w.enc = tas_video_encoder_new(&config);
    w.dec = tas_video_decoder_new(codec);
    w.px = malloc(sizeof(*w.px) * STRIDE * HEIGHT);
    w.back = malloc(sizeof(*w.back) * STRIDE * HEIGHT);
    w.chunk = malloc(CAP);
    assert_true(w.enc && w.dec && w.px && w.back && w.chunk);
    for (size_t i = 0; i < STRIDE * HEIGHT; i++)
        w.px[i] = w.back[i] = UNTOUCHED;
    return w;
}

static void world_end(struct world *w) {
    tas_video_encoder_free(w->enc);
    tas_video_decoder_free(w->dec);
    free(w->px);
    free(w->back);
    free(w->chunk);
}

/* The camera goes on over a scene. Top bytes hold anything. */
static void shoot(struct world *w, int scene) {
    unsigned left = w->frame * 2 % 256, top = w->frame % 128;
    for (unsigned y = 0; y < HEIGHT; y++)
        for (unsigned x = 0; x < WIDTH; x++)
            w->px[y * STRIDE + x] = scenes[scene][(y + top) * BIG_WIDTH + x + left] | (w->frame * x) << 24;
    w->frame++;
    w->time_us += FRAME_US;
}

static int encode_to(struct world *w, size_t cap) {
    return tas_video_encode(w->enc, w->px, STRIDE, w->time_us, w->chunk, cap, &w->len, &w->is_key);
}

static void encode(struct world *w, int scene) {
    shoot(w, scene);
    assert_int_equal(encode_to(w, CAP), TAS_OK);
    assert_true(w->len > 0);
}

/* A copy of exactly that length, for ASan. */
static int decode_copy(struct tas_video_decoder *dec, struct world *w, const uint8_t *chunk, size_t len) {
    uint8_t *copy = malloc(len + (len == 0));
    assert_non_null(copy);
    memcpy(copy, chunk, len);
    int err = tas_video_decode(dec, tas_bytes_of(copy, len), w->back, STRIDE, WIDTH, HEIGHT);
    free(copy);
    return err;
}

static void must_be_within(const struct world *w) {
    for (uint32_t y = 0; y < HEIGHT; y++)
        for (uint32_t x = 0; x < STRIDE; x++) {
            uint32_t px = w->back[y * STRIDE + x];
            if (x < WIDTH ? px >> 24 != 0 : px != UNTOUCHED)
                fail_msg("pixel %u,%u is %08x", x, y, px);
        }
}

static double decode(struct world *w) {
    assert_int_equal(decode_copy(w->dec, w, w->chunk, w->len), TAS_OK);
    return photo_psnr(w->px, STRIDE, w->back, STRIDE, WIDTH, HEIGHT);
}

/* --- there and back --- */

static void test_a_panning_picture_is_good_and_small(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct world w = world_of(codecs[i]);
        double sum = 0;
        size_t bytes = 0;
        for (int n = 0; n < 100; n++) {
            encode(&w, 0);
            double got = decode(&w);
            assert_int_equal(w.is_key, n == 0);
            if (w.len > 5 * BUDGET || got < (n < 5 ? 27 : 33))
                fail_msg("codec %d, picture %d: %zu bytes, %.2f dB", codecs[i], n, w.len, got);
            sum += got;
            bytes += w.len;
        }
        must_be_within(&w);
        print_message("codec %d: %.2f dB, %zu bytes a picture of %d\n", codecs[i], sum / 100, bytes / 100,
                      BUDGET);
        assert_true(sum / 100 > 35 && bytes / 100 < BUDGET * 11 / 10);
        world_end(&w);
    }
}

static void test_colours_are_bt601(void **state) {
    (void)state;
    static const uint32_t colours[] = {0x000000, 0xffffff, 0xff0000, 0x00ff00, 0x0000ff, 0x40a0c0};
    for (int i = 0; i < 2; i++) {
        struct world w = world_of(codecs[i]);
        for (size_t c = 0; c < sizeof(colours) / sizeof(*colours); c++) {
            for (size_t n = 0; n < STRIDE * HEIGHT; n++)
                w.px[n] = colours[c];
            tas_video_encoder_restart(w.enc);
            w.time_us += FRAME_US;
            assert_int_equal(encode_to(&w, CAP), TAS_OK);
            if (decode(&w) < 36)
                fail_msg("codec %d: %06x became %06x", codecs[i], colours[c], w.back[0]);
        }
        world_end(&w);
    }
}

static void test_a_restart_is_a_beginning(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct world w = world_of(codecs[i]);
        for (int n = 0; n < 10; n++) {
            encode(&w, 0);
            decode(&w);
        }
        tas_video_encoder_restart(w.enc);
        encode(&w, 0);
        assert_true(w.is_key);
        tas_video_decoder_free(w.dec);
        w.dec = tas_video_decoder_new(codecs[i]);
        assert_non_null(w.dec);
        assert_true(decode(&w) > 27);
        for (int n = 0; n < 10; n++) {
            encode(&w, 0);
            assert_false(w.is_key);
            assert_true(decode(&w) > 27);
        }
        world_end(&w);
    }
}

/* Another scene, and the same one after a long pause, are no reason for a chunk that takes long to send. */
static void test_chunks_stay_small_after_cuts_and_pauses(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct world w = world_of(codecs[i]);
        size_t most = 0;
        for (int n = 0; n < 60; n++) {
            if (n == 45)
                w.time_us += 20000000;
            encode(&w, n / 15 % 2);
            decode(&w);
            assert_int_equal(w.is_key, n == 0);
            most = w.len > most ? w.len : most;
        }
        print_message("codec %d: most %zu bytes\n", codecs[i], most);
        assert_true(most < 6 * BUDGET);
        world_end(&w);
    }
}

static size_t bytes_of_second(struct world *w) {
    size_t bytes = 0;
    for (int n = 0; n < 60; n++) {
        encode(w, 0);
        assert_true(decode(w) > 25);
        bytes += n < 30 ? 0 : w->len;
    }
    return bytes;
}

static void test_the_rate_can_change(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct world w = world_of(codecs[i]);
        size_t much = bytes_of_second(&w);
        tas_video_encoder_set_rate(w.enc, LOW_RATE);
        size_t little = bytes_of_second(&w);
        tas_video_encoder_set_rate(w.enc, RATE);
        size_t much_again = bytes_of_second(&w);
        print_message("codec %d: %zu, %zu, %zu bytes/s\n", codecs[i], much, little, much_again);
        assert_true(little < LOW_RATE / 8 * 5 / 4 && much > little * 2 && much_again > little * 2);
        tas_video_encoder_set_rate(w.enc, 0);
        encode(&w, 0);
        tas_video_encoder_set_rate(w.enc, UINT32_MAX);
        encode(&w, 0);
        world_end(&w);
    }
}

static void test_over_cap_is_full_and_then_a_key(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct world w = world_of(codecs[i]);
        encode(&w, 0);
        size_t first = w.len;
        shoot(&w, 1);
        assert_int_equal(encode_to(&w, 100), TAS_E_FULL);
        shoot(&w, 1);
        assert_int_equal(encode_to(&w, 0), TAS_E_FULL);
        encode(&w, 1);
        assert_true(w.is_key && first > 100);
        assert_true(decode(&w) > 25);
        encode(&w, 1);
        assert_false(w.is_key);
        decode(&w);
        world_end(&w);
    }
}

/* Times that do not grow are a mistake of the caller's clock, not a reason to stop. */
static void test_odd_times_do_no_harm(void **state) {
    (void)state;
    static const uint64_t times[] = {5, 5, 4, 0, UINT64_MAX, UINT64_MAX, 1, 1u << 31, 0};
    for (int i = 0; i < 2; i++) {
        struct world w = world_of(codecs[i]);
        for (size_t n = 0; n < sizeof(times) / sizeof(*times); n++) {
            shoot(&w, 0);
            w.time_us = times[n];
            assert_int_equal(encode_to(&w, CAP), TAS_OK);
            assert_true(decode(&w) > 25);
        }
        world_end(&w);
    }
}

static void test_all_sizes_and_threads(void **state) {
    (void)state;
    static const struct {
        uint32_t width, height, threads;
    } sizes[] = {{64, 64, 1}, {64, 8192, 2}, {8192, 64, 4}, {1920, 1080, 3}, {130, 98, 1}, {80, 112, 100}};
    for (int i = 0; i < 2; i++)
        for (size_t n = 0; n < sizeof(sizes) / sizeof(*sizes); n++) {
            uint32_t width = sizes[n].width, height = sizes[n].height;
            struct tas_video_config config = {kind_of(codecs[i]), width, height, 8000000, sizes[n].threads};
            struct tas_video_encoder *enc = tas_video_encoder_new(&config);
            struct tas_video_decoder *dec = tas_video_decoder_new(codecs[i]);
            uint32_t *px = calloc((size_t)width * height, sizeof(*px)),
                     *back = calloc((size_t)width * height, sizeof(*px));
            uint8_t *chunk = malloc(CAP);
            assert_true(enc && dec && px && back && chunk);
            for (uint32_t y = 0; y < height; y++)
                for (uint32_t x = 0; x < width; x++)
                    px[(size_t)y * width + x] = scenes[0][y % BIG_HEIGHT * BIG_WIDTH + x % BIG_WIDTH];
            for (uint64_t t = 0; t < 3; t++) {
                size_t len;
                bool is_key;
                assert_int_equal(tas_video_encode(enc, px, width, t * FRAME_US, chunk, CAP, &len, &is_key),
                                 TAS_OK);
                assert_int_equal(tas_video_decode(dec, tas_bytes_of(chunk, len), back, width, width, height),
                                 TAS_OK);
            }
            double got = photo_psnr(px, width, back, width, width, height);
            if (got < 25)
                fail_msg("codec %d, size %zu: %.2f dB", codecs[i], n, got);
            tas_video_encoder_free(enc);
            tas_video_decoder_free(dec);
            free(px);
            free(back);
            free(chunk);
        }
}

/* --- hostile bytes --- */

static void test_another_size_is_refused(void **state) {
    (void)state;
    static const uint32_t sizes[][2] = {
        {WIDTH, HEIGHT - 16}, {WIDTH - 16, HEIGHT},    {HEIGHT, WIDTH}, {WIDTH - 1, HEIGHT}, {0, 0}, {16, 16},
        {8208, 64},           {UINT32_MAX, UINT32_MAX}};
    for (int i = 0; i < 2; i++) {
        struct world w = world_of(codecs[i]);
        encode(&w, 0);
        for (size_t n = 0; n < sizeof(sizes) / sizeof(*sizes); n++)
            assert_int_equal(tas_video_decode(w.dec, tas_bytes_of(w.chunk, w.len), w.back, STRIDE,
                                              sizes[n][0], sizes[n][1]),
                             TAS_E_PROTO);
        decode(&w);
        encode(&w, 0);
        /* Made from a picture of the right size, it cannot make one of another. */
        assert_int_equal(
            tas_video_decode(w.dec, tas_bytes_of(w.chunk, w.len), w.back, STRIDE, WIDTH - 64, HEIGHT),
            TAS_E_PROTO);
        assert_int_equal(decode_copy(w.dec, &w, w.chunk, w.len),
                         TAS_E_PROTO); /* and after an error a key is due */
        tas_video_encoder_restart(w.enc);
        encode(&w, 0);
        assert_true(decode(&w) > 25);
        world_end(&w);
    }
}

static void test_a_beginning_must_be_a_key(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct world w = world_of(codecs[i]);
        encode(&w, 0);
        encode(&w, 0);
        assert_int_equal(decode_copy(w.dec, &w, w.chunk, w.len), TAS_E_PROTO);
        assert_int_equal(tas_video_decode(w.dec, tas_bytes_of(NULL, 0), w.back, STRIDE, WIDTH, HEIGHT),
                         TAS_E_PROTO);
        tas_video_encoder_restart(w.enc);
        encode(&w, 0);
        struct tas_video_decoder *other = tas_video_decoder_new(codecs[1 - i]);
        assert_non_null(other);
        assert_int_equal(decode_copy(other, &w, w.chunk, w.len), TAS_E_PROTO);
        tas_video_decoder_free(other);
        world_end(&w);
    }
}

/* Sizes in VP9 chunks that only libvpx would find: beside a picture's references, and behind it. */
static void test_vp9_cannot_grow_by_other_ways(void **state) {
    (void)state;
    struct world w = world_of(TAS_VIDEO_VP9);
    encode(&w, 0);
    decode(&w);
    size_t key_len = w.len;
    uint8_t *key = malloc(key_len), *joined = malloc(key_len + CAP);
    assert_true(key && joined);
    memcpy(key, w.chunk, key_len);

    /* Not a key, shown; replaces all; references 0; none has its size: ffff x ffff. */
    static const uint8_t grown[] = {0x86, 0x3f, 0xc0, 0x00, 0x0f, 0xff, 0xff, 0xff,
                                    0xf8, 0,    0,    0,    0,    0,    0,    0};
    assert_int_equal(decode_copy(w.dec, &w, grown, sizeof(grown)), TAS_E_PROTO);
    static const uint8_t repeat[] = {0x88}, hidden[] = {0x84, 0, 0, 0},
                         profile_1[] = {0xa2, 0x49, 0x83, 0x42, 0, 0, 0, 0};
    assert_int_equal(decode_copy(w.dec, &w, key, key_len), TAS_OK);
    assert_int_equal(decode_copy(w.dec, &w, repeat, sizeof(repeat)), TAS_E_PROTO);
    assert_int_equal(decode_copy(w.dec, &w, hidden, sizeof(hidden)), TAS_E_PROTO);
    assert_int_equal(decode_copy(w.dec, &w, profile_1, sizeof(profile_1)), TAS_E_PROTO);

    /* A key of another size behind the first, without and with an index. */
    memcpy(joined, key, key_len);
    memcpy(joined + key_len, key, key_len);
    memset(joined + key_len + 5, 0xff, 3); /* its width and height */
    int err = decode_copy(w.dec, &w, joined, 2 * key_len);
    assert_true(err == TAS_OK || err == TAS_E_PROTO);
    uint8_t *index = joined + 2 * key_len;
    index[0] = index[9] = 0xc0 | 3 << 3 | 1;
    for (int i = 0; i < 8; i++)
        index[1 + i] = (uint8_t)(key_len >> (8 * (i % 4)));
    assert_int_equal(decode_copy(w.dec, &w, joined, 2 * key_len + 10), TAS_E_PROTO);
    assert_int_equal(decode_copy(w.dec, &w, key, key_len), TAS_OK);
    free(key);
    free(joined);
    world_end(&w);
}

static void test_truncated_chunks_do_no_harm(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct world w = world_of(codecs[i]);
        unsigned bad = 0, tried = 0;
        encode(&w, 0);
        for (size_t len = 0; len < w.len; len += len < 64 ? 1 : w.len / 40, tried++) {
            int err = decode_copy(w.dec, &w, w.chunk, len);
            assert_true(err == TAS_OK || err == TAS_E_PROTO);
            bad += err != 0;
        }
        print_message("codec %d: %u of %u truncated keys refused\n", codecs[i], bad, tried);
        assert_true(bad * 10 >= tried * 9);
        decode(&w);
        world_end(&w);
    }
}

/* Each chunk of a stream is changed a little, or wholly beyond its head; then it goes on with a key. */
static void mutate(enum tas_video_codec codec, unsigned rounds, uint32_t seed) {
    struct tas_video_config config = {kind_of(codec), 128, 96, 400000, 1};
    struct tas_video_encoder *enc = tas_video_encoder_new(&config);
    struct tas_video_decoder *dec = tas_video_decoder_new(codec);
    static uint8_t chunks[4][65536];
    static uint32_t back[128 * 96];
    size_t lens[4];
    unsigned good = 0, bad = 0;
    assert_true(enc && dec);
    for (unsigned n = 0; n < 4; n++) {
        bool is_key;
        int err = tas_video_encode(enc, scenes[0] + n * 3, BIG_WIDTH, n * FRAME_US, chunks[n],
                                   sizeof(*chunks), &lens[n], &is_key);
        assert_int_equal(err, TAS_OK);
    }
    for (unsigned round = 0; round < rounds; round++)
        for (unsigned n = 0; n < 4; n++) {
            static uint8_t changed[65536];
            memcpy(changed, chunks[n], lens[n]);
            bool is_changed = n == round % 4 || (n > round % 4 && round % 3 == 0);
            for (uint32_t flips = is_changed ? 1 + random_next(&seed) % 6 : 0; flips > 0; flips--)
                changed[random_next(&seed) % (round % 2      ? lens[n]
                                              : lens[n] < 24 ? lens[n]
                                                             : 24)] ^=
                    (uint8_t)(1u << random_next(&seed) % 8);
            if (is_changed && round % 7 == 0)
                for (size_t at = 16; at < lens[n]; at++)
                    changed[at] = (uint8_t)random_next(&seed);
            uint8_t *copy = malloc(lens[n]);
            assert_non_null(copy);
            memcpy(copy, changed, lens[n]);
            int err = tas_video_decode(dec, tas_bytes_of(copy, lens[n]), back, 128, 128, 96);
            assert_true(err == TAS_OK || err == TAS_E_PROTO);
            err ? bad++ : good++;
            free(copy);
        }
    print_message("codec %d: %u decoded, %u refused\n", codec, good, bad);
    assert_true(good > 0 && bad > 0);
    tas_video_encoder_free(enc);
    tas_video_decoder_free(dec);
}

static void test_mutated_chunks_do_no_harm(void **state) {
    (void)state;
    mutate(TAS_VIDEO_VP8, 2000, 1);
    mutate(TAS_VIDEO_VP9, 2000, 2);
}

static void test_garbage_does_no_harm(void **state) {
    (void)state;
    uint32_t seed = 3;
    for (int i = 0; i < 2; i++) {
        struct world w = world_of(codecs[i]);
        encode(&w, 0);
        for (int n = 0; n < 300; n++) {
            uint8_t garbage[400];
            size_t len = random_next(&seed) % sizeof(garbage), head = n % 2 ? 12 : 0;
            for (size_t at = 0; at < len; at++)
                garbage[at] = at < head ? w.chunk[at] : (uint8_t)random_next(&seed);
            int err = decode_copy(w.dec, &w, garbage, len);
            assert_true(err == TAS_OK || err == TAS_E_PROTO);
        }
        decode(&w);
        world_end(&w);
    }
}

/* --- memory, and what the machine is --- */

static void test_no_memory_is_no_coder(void **state) {
    (void)state;
    struct tas_video_config config = {&tas_video_vp8, 64, 64, 100000, 1};
    tas_oom_fail_at(1);
    struct tas_video_encoder *enc = tas_video_encoder_new(&config);
    tas_oom_fail_at(1);
    struct tas_video_decoder *dec = tas_video_decoder_new(TAS_VIDEO_VP9);
    tas_oom_fail_at(0);
    assert_null(enc);
    assert_null(dec);
    tas_video_encoder_free(NULL);
    tas_video_decoder_free(NULL);
}

static void test_this_machine_has_a_codec(void **state) {
    (void)state;
    const struct tas_video_kind *kind = tas_video_kind_here();
    assert_true(kind == &tas_video_vp8 || kind == &tas_video_vp9);
    assert_ptr_equal(tas_video_kind_here(), kind);
    assert_int_equal(tas_video_kind_codec(&tas_video_vp9), TAS_VIDEO_VP9);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_panning_picture_is_good_and_small),
        cmocka_unit_test(test_colours_are_bt601),
        cmocka_unit_test(test_a_restart_is_a_beginning),
        cmocka_unit_test(test_chunks_stay_small_after_cuts_and_pauses),
        cmocka_unit_test(test_the_rate_can_change),
        cmocka_unit_test(test_over_cap_is_full_and_then_a_key),
        cmocka_unit_test(test_odd_times_do_no_harm),
        cmocka_unit_test(test_all_sizes_and_threads),
        cmocka_unit_test(test_another_size_is_refused),
        cmocka_unit_test(test_a_beginning_must_be_a_key),
        cmocka_unit_test(test_vp9_cannot_grow_by_other_ways),
        cmocka_unit_test(test_truncated_chunks_do_no_harm),
        cmocka_unit_test(test_mutated_chunks_do_no_harm),
        cmocka_unit_test(test_garbage_does_no_harm),
        cmocka_unit_test(test_no_memory_is_no_coder),
        cmocka_unit_test(test_this_machine_has_a_codec),
    };
    return cmocka_run_group_tests(tests, make_scenes, free_scenes);
}
