/* Encoder and decoder together, on pictures and changes drawn from seeds: what must hold after every frame
 * stands in codec_pair.c. The seeds are fixed, so that a failure comes again. */
#include "codec_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What all tests of this program together made the codec do. */
static struct tas_decoder_figures all;

static void count_and_free(struct pair *pair) {
    struct tas_decoder_figures figures = pair_figures(pair);
    all.frames += figures.frames;
    all.moves += figures.moves;
    all.kept += figures.kept;
    all.cached += figures.cached;
    all.ctx += figures.ctx;
    all.lit += figures.lit;
    all.temp += figures.temp;
    all.rough += figures.rough;
    all.jpegs += figures.jpegs;
    all.chunks += figures.chunks;
    pair_free(pair);
}

static const struct tas_frame_order exactly;
static const struct tas_frame_order afresh = {.flags = TAS_FRAME_RESET};

static struct pair *pair_of(uint32_t width, uint32_t height, uint64_t seed) {
    return pair_new(&(struct pair_config){.width = width, .height = height, .seed = seed});
}

/* A photograph over all or the middle of the screen. */
static void show_photo(struct pair *pair, struct scene_rect rect) {
    scene_paint(pair->scene->pic, rect, SCENE_PHOTO, &pair->scene->random);
    tas_tiles_set_rect(&pair->due, (int32_t)rect.x, (int32_t)rect.y, rect.w, rect.h);
}

/* One colour everywhere, exactly. */
static void blank(struct pair *pair) {
    const struct tas_picture *pic = pair->scene->pic;
    scene_paint(pic, (struct scene_rect){0, 0, pic->width, pic->height}, SCENE_FLAT, &pair->scene->random);
    tas_tiles_set_all(&pair->due);
    pair_send_all(pair, afresh);
}

/* --- walks: anything may happen --- */

struct walk {
    struct pair *pair;
    struct scene_random random;
    bool has_film;
    struct scene_rect film;
};

static struct tas_frame_order any_order(struct walk *walk) {
    struct scene_random *random = &walk->random;
    return (struct tas_frame_order){
        .bytes = scene_chance(random, 15) ? 1 + scene_below(random, 20000) : 0,
        .pixels = scene_chance(random, 15) ? 1 + scene_below(random, 30000) : 0,
        .focus_y = scene_below(random, walk->pair->scene->pic->height + 100),
        .quality = scene_chance(random, 60) ? (uint8_t)(1 + scene_below(random, 100)) : 0,
        .is_full_colour = scene_chance(random, 30),
        .is_text_only = scene_chance(random, 10),
        .video_bps = scene_chance(random, 90) ? 500000 : 0,
    };
}

static void walk_refine(struct walk *walk) {
    struct tas_frame_order order = any_order(walk);
    struct pair *pair = walk->pair;
    uint64_t rest_us = scene_below(&walk->random, 3) * 300000u;
    uint64_t still_us = pair->now_us > rest_us ? pair->now_us - rest_us : 0;
    bool is_due = tas_encoder_rough_since_us(pair->enc, order.quality) <= still_us;
    bool was_sent = pair_refine(pair, still_us, order);
    assert_true(is_due || !was_sent);
}

/* The connection breaks: some frames never arrive, then all that they showed comes again. */
static void walk_lose(struct walk *walk) {
    for (uint32_t n = 1 + scene_below(&walk->random, 3); n > 0; n--) {
        (void)scene_change_any(walk->pair->scene, &walk->pair->due);
        pair_lose(walk->pair, any_order(walk));
    }
    unsigned flag = scene_chance(&walk->random, 20) ? TAS_FRAME_RESET : TAS_FRAME_RESET_MODEL;
    pair_heal(walk->pair, any_order(walk), flag);
}

static void walk_step(struct walk *walk) {
    struct pair *pair = walk->pair;
    uint32_t chance = scene_below(&walk->random, 100);
    for (uint32_t n = scene_below(&walk->random, 3); n > 0; n--)
        (void)scene_change_any(pair->scene, &pair->due);
    if (scene_chance(&walk->random, 5))
        scene_keep(pair->scene);
    if (walk->has_film)
        show_photo(pair, walk->film);
    if (chance < 5)
        pair_heal(pair, any_order(walk), TAS_FRAME_RESET_MODEL);
    else if (chance < 12)
        walk_lose(walk);
    else if (chance < 25)
        walk_refine(walk);
    else
        (void)pair_send(pair, any_order(walk));
}

static void walk(const struct pair_config *config, unsigned steps) {
    struct walk walk = {.pair = pair_new(config), .random = scene_random_of(config->seed + 1000)};
    walk.has_film = config->width >= 200 && config->height >= 130 && config->seed % 2;
    walk.film = (struct scene_rect){30, 10, 150, 110};
    if (config->seed % 4 >= 2)
        walk.pair->cap = TAS_FRAME_CAP_MIN;
    struct tas_frame_order first = any_order(&walk);
    first.flags = TAS_FRAME_RESET;
    (void)pair_send(walk.pair, first);
    for (unsigned i = 0; i < steps; i++)
        walk_step(&walk);
    pair_make_exact(walk.pair);
    count_and_free(walk.pair);
}

static void a_screen_of_any_size_is_followed_through_whatever_happens(void **state) {
    (void)state;
    static const struct {
        uint32_t width, height;
        unsigned seeds, steps;
    } sizes[] = {
        {1, 1, 8, 40},     {1, 64, 8, 40},    {64, 1, 8, 40},   {63, 65, 8, 40},
        {64, 64, 8, 40},   {65, 1, 8, 40},    {17, 130, 8, 40}, {128, 128, 6, 40},
        {200, 133, 8, 40}, {333, 777, 2, 30}, {640, 96, 4, 25}, {1919, 1079, 1, 12},
    };
    for (size_t i = 0; i < COUNT(sizes); i++)
        for (unsigned seed = 0; seed < sizes[i].seeds; seed++)
            walk(&(struct pair_config){.width = sizes[i].width, .height = sizes[i].height, .seed = seed},
                 sizes[i].steps);
}

static void an_encoder_without_a_coder_of_rough_pictures_sends_all_exactly(void **state) {
    (void)state;
    for (unsigned seed = 0; seed < 4; seed++) {
        struct pair_config config = {.width = 200, .height = 133, .seed = seed, .has_no_rough = true};
        walk(&config, 40);
    }
}

static void every_mode_can_be_forced_on_any_picture(void **state) {
    (void)state;
    static const uint32_t sizes[][2] = {{1, 1}, {65, 70}, {200, 133}};
    for (uint8_t mode = 1; mode <= 4; mode++)
        for (unsigned seed = 0; seed < 3; seed++) {
            const uint32_t *size = sizes[seed % COUNT(sizes)];
            walk(&(struct pair_config){.width = size[0], .height = size[1], .seed = seed, .forced = mode},
                 30);
        }
}

/* --- one thing at a time --- */

static void text_that_scrolls_is_moved_and_not_sent_again(void **state) {
    (void)state;
    struct pair *pair = pair_of(640, 480, 1);
    struct scene_rect all_of_it = {0, 0, 640, 480};
    scene_paint(pair->scene->pic, all_of_it, SCENE_TEXT, &pair->scene->random);
    pair_send_all(pair, afresh);
    size_t whole = pair->len;
    for (unsigned i = 0; i < 12; i++) {
        struct tas_decoder_figures before = pair_figures(pair);
        memmove(pair->scene->pic->px, pair->scene->pic->px + 17 * 640, 463 * 640 * sizeof(uint32_t));
        scene_paint(pair->scene->pic, (struct scene_rect){0, 463, 640, 17}, SCENE_TEXT, &pair->scene->random);
        tas_tiles_set_all(&pair->due);
        assert_true(pair_send(pair, exactly));
        assert_true(pair_figures(pair).moves > before.moves && pair->len < whole / 10);
    }
    count_and_free(pair);
}

/* Two pictures by turns: from the second time on they come from the cache. */
static void what_was_there_before_comes_back_in_few_bytes(void **state) {
    (void)state;
    struct pair *pair = pair_of(640, 480, 2);
    struct scene_rect window = {64, 64, 384, 256};
    struct tas_picture *two[2] = {tas_picture_new(640, 480), tas_picture_new(640, 480)};
    for (unsigned i = 0; i < 2; i++)
        scene_paint(two[i], window, i ? SCENE_TEXT : SCENE_GRADIENT, &pair->scene->random);
    pair_send_all(pair, afresh);
    for (unsigned i = 0; i < 8; i++) {
        struct tas_decoder_figures before = pair_figures(pair);
        pair->now_us += 400 * 1000; /* what is worth keeping has been seen for a while */
        for (uint32_t y = window.y; y < window.y + window.h; y++)
            memcpy(pair->scene->pic->px + (size_t)y * 640 + window.x,
                   two[i % 2]->px + (size_t)y * 640 + window.x, window.w * sizeof(uint32_t));
        tas_tiles_set_rect(&pair->due, (int32_t)window.x, (int32_t)window.y, window.w, window.h);
        assert_true(pair_send(pair, exactly));
        if (i >= 4)
            assert_true(pair_figures(pair).cached > before.cached && pair->len < 300);
    }
    for (unsigned i = 0; i < 2; i++)
        tas_picture_free(two[i]);
    count_and_free(pair);
}

static void a_photograph_comes_roughly_and_becomes_exact_when_it_is_still(void **state) {
    (void)state;
    struct pair *pair = pair_of(400, 300, 3);
    pair_send_all(pair, afresh);
    show_photo(pair, (struct scene_rect){32, 32, 300, 200});
    pair_send_all(pair, (struct tas_frame_order){.quality = 60});
    uint64_t sent_us = pair->now_us;
    assert_true(pair_rough_pixels(pair) > 30000);
    assert_true(tas_encoder_rough_since_us(pair->enc, 0) == sent_us);

    assert_false(pair_refine(pair, sent_us - 1, exactly)); /* not still enough */
    assert_false(
        pair_refine(pair, sent_us, (struct tas_frame_order){.quality = 50})); /* no better than it is */
    unsigned better = 0, exact = 0;
    while (pair_refine(pair, sent_us, (struct tas_frame_order){.quality = 90, .pixels = 5000}))
        assert_true(++better < 1000);
    assert_true(better > 1 && pair_rough_pixels(pair) > 30000);
    while (pair_refine(pair, UINT64_MAX, (struct tas_frame_order){.pixels = 5000}))
        assert_true(++exact < 1000);
    assert_true(exact > 1);
    assert_int_equal(pair_rough_pixels(pair), 0);
    assert_true(tas_encoder_rough_since_us(pair->enc, 0) == UINT64_MAX);
    count_and_free(pair);
}

/* A wallpaper: none of its pixels is far from the next one. */
static void show_grain(struct pair *pair, struct scene_rect rect) {
    const struct tas_picture *pic = pair->scene->pic;
    for (uint32_t y = rect.y; y < rect.y + rect.h; y++)
        for (uint32_t x = rect.x; x < rect.x + rect.w; x++)
            pic->px[(size_t)y * pic->stride + x] =
                0x305080 + (x >> 5) * 0x10000 + (y >> 5) * 0x100 + scene_below(&pair->scene->random, 3);
    tas_tiles_set_rect(&pair->due, (int32_t)rect.x, (int32_t)rect.y, rect.w, rect.h);
}

static void grain_is_a_photograph_where_much_changes_and_only_there(void **state) {
    (void)state;
    const struct tas_frame_order roughly = {.quality = 60};
    struct pair *pair = pair_of(640, 448, 4); /* 70 tiles */
    pair_send_all(pair, afresh);
    show_grain(pair, (struct scene_rect){0, 0, 640, 448});
    pair_send_all(pair, roughly);
    assert_true(pair_rough_pixels(pair) > 640 * 448 * 9 / 10);
    while (pair_refine(pair, UINT64_MAX, (struct tas_frame_order){.quality = 90}))
        ;
    assert_int_equal(pair_rough_pixels(pair), 0); /* no better JPEG before it is exact: it costs little */
    show_grain(pair, (struct scene_rect){100, 100, 200, 100});
    pair_send_all(pair, roughly);
    assert_int_equal(pair_rough_pixels(pair), 0);
    count_and_free(pair);
}

static void refinement_comes_to_its_end_however_little_room_there_is(void **state) {
    (void)state;
    for (unsigned seed = 0; seed < 2; seed++) {
        struct pair *pair = pair_of(333, 300, seed);
        scene_paint(pair->scene->pic, (struct scene_rect){0, 0, 333, 300},
                    seed % 2 ? SCENE_NOISE : SCENE_PHOTO, &pair->scene->random);
        pair_send_all(pair, (struct tas_frame_order){.flags = TAS_FRAME_RESET, .quality = 50});
        assert_true(pair_rough_pixels(pair) > 80000);
        pair->cap = TAS_FRAME_CAP_MIN;
        while (tas_encoder_rough_since_us(pair->enc, 0) != UINT64_MAX)
            assert_true(pair_refine(pair, UINT64_MAX, exactly));
        assert_int_equal(pair_rough_pixels(pair), 0);
        count_and_free(pair);
    }
}

static void photographs_wait_when_only_text_is_asked_for(void **state) {
    (void)state;
    struct pair *pair = pair_of(400, 300, 4);
    blank(pair);
    show_photo(pair, (struct scene_rect){64, 64, 256, 192});
    scene_paint(pair->scene->pic, (struct scene_rect){0, 0, 400, 40}, SCENE_TEXT, &pair->scene->random);
    tas_tiles_set_rect(&pair->due, 0, 0, 400, 40);
    assert_true(pair_send(pair, (struct tas_frame_order){.quality = 60, .is_text_only = true}));
    assert_true(tas_tiles_get(&pair->due, 2, 2) && !tas_tiles_get(&pair->due, 0, 0));
    assert_false(pair_send(pair, (struct tas_frame_order){.quality = 60, .is_text_only = true}));
    pair_send_all(pair, (struct tas_frame_order){.quality = 60});
    pair_make_exact(pair);
    count_and_free(pair);
}

/* Twenty-five pictures a second in one place become a region; when it stands still, it becomes exact. */
static void a_film_is_sent_as_video_and_becomes_exact_at_its_end(void **state) {
    (void)state;
    struct pair *pair = pair_of(640, 480, 5);
    struct tas_frame_order order = {.quality = 60, .video_bps = 2000000};
    pair_send_all(pair, afresh);
    for (unsigned i = 0; i < 60; i++) {
        show_photo(pair, (struct scene_rect){101, 67, 320, 240});
        if (i % 5 == 0)
            scene_change(pair->scene, SCENE_TYPE, &pair->due);
        pair_send_all(pair, order);
    }
    assert_true(pair_figures(pair).chunks > 20);
    assert_true(pair->fake.starts < 20);
    uint32_t chunks = pair_figures(pair).chunks;
    for (unsigned i = 0; i < 60; i++) {
        pair->now_us += 40000;
        scene_change(pair->scene, SCENE_DOT, &pair->due);
        pair_send_all(pair, order);
    }
    assert_true(pair_figures(pair).chunks < chunks + 30);
    pair_make_exact(pair);
    count_and_free(pair);
}

static void a_film_goes_on_after_frames_were_lost(void **state) {
    (void)state;
    struct pair *pair = pair_of(400, 300, 6);
    struct tas_frame_order order = {.quality = 60, .video_bps = 2000000};
    pair_send_all(pair, afresh);
    for (unsigned i = 0; i < 80; i++) {
        show_photo(pair, (struct scene_rect){40, 30, 256, 192});
        if (i % 20 < 17) {
            pair_send_all(pair, order);
            continue;
        }
        pair_lose(pair, order);
        if (i % 20 == 19)
            pair_heal(pair, order, TAS_FRAME_RESET_MODEL);
    }
    assert_true(pair_figures(pair).chunks > 20);
    pair_make_exact(pair);
    count_and_free(pair);
}

static void noise_goes_out_in_bands_however_little_room_there_is(void **state) {
    (void)state;
    struct pair *pair = pair_of(200, 448, 7);
    static const struct tas_frame_order orders[] = {{.pixels = 1}, {.bytes = 1}, {.focus_y = 500}, {0}};
    for (size_t i = 0; i < COUNT(orders); i++) {
        struct tas_frame_order order = orders[i];
        unsigned frames = 0;
        pair->cap = i < 2 ? TAS_FRAME_MAX : TAS_FRAME_CAP_MIN;
        scene_paint(pair->scene->pic, (struct scene_rect){0, 0, 200, 448}, SCENE_NOISE, &pair->scene->random);
        tas_tiles_set_all(&pair->due);
        order.flags = i ? 0 : TAS_FRAME_RESET;
        for (; tas_tiles_count(&pair->due) > 0; order.flags = 0, frames++)
            assert_true(pair_send(pair, order));
        assert_true(frames == 7); /* a row of tiles each */
    }
    count_and_free(pair);
}

static void rows_near_the_focus_come_first(void **state) {
    (void)state;
    struct pair *pair = pair_of(300, 640, 8);
    pair_send_all(pair, afresh);
    scene_paint(pair->scene->pic, (struct scene_rect){0, 0, 300, 640}, SCENE_TEXT, &pair->scene->random);
    tas_tiles_set_all(&pair->due);
    assert_true(pair_send(pair, (struct tas_frame_order){.pixels = 1, .focus_y = 333}));
    assert_false(tas_tiles_get(&pair->due, 0, 333 / TAS_TILE));
    assert_true(tas_tiles_get(&pair->due, 0, 0) && tas_tiles_get(&pair->due, 0, 9));
    pair_send_all(pair, exactly);
    count_and_free(pair);
}

/* Between the bands of a repaint the screen goes on changing, and the caller asks for other tiles only. */
static void bands_of_a_repaint_heal_although_the_screen_changes_meanwhile(void **state) {
    (void)state;
    for (unsigned seed = 0; seed < 4; seed++) {
        struct pair *pair = pair_of(200, 400, seed);
        struct tas_frame_order order = {.pixels = 20000, .focus_y = seed * 50, .quality = seed % 2 ? 50 : 0};
        pair_send_all(pair, afresh);
        scene_paint(pair->scene->pic, (struct scene_rect){0, 0, 200, 400}, SCENE_NOISE, &pair->scene->random);
        tas_tiles_set_all(&pair->due);
        pair_lose(pair, exactly);
        scene_change(pair->scene, SCENE_PAINT, &pair->due);
        pair_heal(pair, order, TAS_FRAME_RESET_MODEL);
        tas_tiles_clear(&pair->due); /* forgotten by the caller, not by the encoder */
        do {
            scene_change(pair->scene, seed % 2 ? SCENE_SCROLL : SCENE_DRAG, &pair->due);
            (void)pair_send(pair, order);
        } while (pair->is_healing);
        pair_make_exact(pair);
        count_and_free(pair);
    }
}

/* --- failures --- */

static void a_coder_that_fails_or_has_no_room_loses_nothing(void **state) {
    (void)state;
    for (unsigned seed = 0; seed < 6; seed++) {
        struct pair *pair = pair_of(320, 240, seed);
        struct tas_frame_order order = {.quality = 60, .video_bps = 2000000};
        pair_send_all(pair, afresh);
        for (unsigned i = 0; i < 20; i++) {
            show_photo(pair, (struct scene_rect){40, 30, 160, 130});
            scene_change(pair->scene, SCENE_TYPE, &pair->due);
            pair->fake.failure = seed % 2 ? TAS_E_FULL : TAS_E_NOMEM;
            pair->fake.fail_in = seed < 2 ? 1 : i % 5 ? 0 : 1 + seed % 3;
            order.capture_us = pair->now_us += 40000;
            uint32_t seq = tas_encoder_seq(pair->enc);
            int err = tas_encoder_frame(pair->enc, pair->scene->pic, &pair->due, &order, pair->frame,
                                        pair->cap, &pair->len);
            pair->fake.fail_in = 0;
            assert_true(err == TAS_OK || (err == TAS_E_NOMEM && tas_encoder_seq(pair->enc) == seq));
            if (err == TAS_OK && pair->len > 0)
                assert_int_equal(tas_decoder_frame(pair->dec, tas_bytes_of(pair->frame, pair->len), NULL),
                                 TAS_OK);
            pair_send_all(pair, order);
        }
        pair_make_exact(pair);
        count_and_free(pair);
    }
}

static void without_a_painter_rough_frames_are_refused_and_a_reset_heals(void **state) {
    (void)state;
    struct pair *pair = pair_of(200, 133, 9);
    tas_decoder_free(pair->dec);
    struct tas_decoder_config config = {.width = 200, .height = 133, .model_bits = TAS_CODEC_MODEL_BITS_MIN};
    pair->dec = tas_decoder_new(&config);
    assert_non_null(pair->dec);
    pair_send_all(pair, afresh);
    show_photo(pair, (struct scene_rect){0, 0, 200, 133});
    struct tas_frame_order order = {.quality = 60, .capture_us = pair->now_us};
    assert_int_equal(tas_encoder_frame(pair->enc, pair->scene->pic, &pair->due, &order, pair->frame,
                                       pair->cap, &pair->len),
                     TAS_OK);
    struct tas_bytes frame = tas_bytes_of(pair->frame, pair->len);
    assert_int_equal(tas_decoder_frame(pair->dec, frame, NULL), TAS_E_ABSENT);
    assert_int_equal(tas_decoder_frame(pair->dec, frame, NULL), TAS_E_STATE);
    tas_tiles_set_all(&pair->lost);
    pair->has_lost = true;
    pair_heal(pair, exactly, TAS_FRAME_RESET_MODEL);
    pair_make_exact(pair);
    count_and_free(pair);
}

static void frames_of_a_stream_of_another_size_are_refused(void **state) {
    (void)state;
    struct pair *a = pair_of(200, 133, 10), *b = pair_of(133, 200, 10);
    pair_send_all(a, afresh);
    pair_send_all(b, afresh);
    assert_int_not_equal(tas_decoder_frame(a->dec, tas_bytes_of(b->frame, b->len), NULL), TAS_OK);
    tas_tiles_set_all(&a->lost);
    a->has_lost = true;
    pair_heal(a, exactly, TAS_FRAME_RESET); /* nothing is left of it */
    pair_make_exact(a);
    count_and_free(a);
    count_and_free(b);
}

/* --- the largest --- */

static void the_largest_picture_comes_through(void **state) {
    (void)state;
    struct pair *pair = pair_of(8192, 8192, 11);
    pair->scene->most = 400;
    pair_send_all(pair, (struct tas_frame_order){.flags = TAS_FRAME_RESET, .quality = 50});
    for (unsigned i = 0; i < 3; i++)
        (void)scene_change_any(pair->scene, &pair->due);
    show_photo(pair, (struct scene_rect){8000, 8000, 192, 192});
    pair_send_all(pair, (struct tas_frame_order){.quality = 50});
    count_and_free(pair);
}

static void all_modes_moves_and_the_cache_were_really_used(void **state) {
    (void)state;
    print_message("frames %u moves %u kept %u cached %u ctx %u lit %u temp %u rough %u jpegs %u chunks %u\n",
                  all.frames, all.moves, all.kept, all.cached, all.ctx, all.lit, all.temp, all.rough,
                  all.jpegs, all.chunks);
    assert_true(all.frames > 1500);
    assert_true(all.moves > 50 && all.kept > 100 && all.cached > 100);
    assert_true(all.ctx > 1000 && all.lit > 1000 && all.temp > 100 && all.rough > 1000);
    assert_true(all.jpegs > 100 && all.chunks > 100);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_screen_of_any_size_is_followed_through_whatever_happens),
        cmocka_unit_test(an_encoder_without_a_coder_of_rough_pictures_sends_all_exactly),
        cmocka_unit_test(every_mode_can_be_forced_on_any_picture),
        cmocka_unit_test(text_that_scrolls_is_moved_and_not_sent_again),
        cmocka_unit_test(what_was_there_before_comes_back_in_few_bytes),
        cmocka_unit_test(a_photograph_comes_roughly_and_becomes_exact_when_it_is_still),
        cmocka_unit_test(grain_is_a_photograph_where_much_changes_and_only_there),
        cmocka_unit_test(refinement_comes_to_its_end_however_little_room_there_is),
        cmocka_unit_test(photographs_wait_when_only_text_is_asked_for),
        cmocka_unit_test(a_film_is_sent_as_video_and_becomes_exact_at_its_end),
        cmocka_unit_test(a_film_goes_on_after_frames_were_lost),
        cmocka_unit_test(noise_goes_out_in_bands_however_little_room_there_is),
        cmocka_unit_test(rows_near_the_focus_come_first),
        cmocka_unit_test(bands_of_a_repaint_heal_although_the_screen_changes_meanwhile),
        cmocka_unit_test(a_coder_that_fails_or_has_no_room_loses_nothing),
        cmocka_unit_test(without_a_painter_rough_frames_are_refused_and_a_reset_heals),
        cmocka_unit_test(frames_of_a_stream_of_another_size_are_refused),
        cmocka_unit_test(the_largest_picture_comes_through),
        cmocka_unit_test(all_modes_moves_and_the_cache_were_really_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
