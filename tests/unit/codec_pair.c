#include "codec_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { BITS = TAS_CODEC_MODEL_BITS_MIN /* the tests reset it often */, ROUNDS_MAX = 20000 };

struct pair *pair_new(const struct pair_config *config) {
    struct pair *pair = calloc(1, sizeof(*pair));
    assert_non_null(pair);
    uint32_t width = config->width, height = config->height;
    rough_fake_init(&pair->fake, width, height, config->seed);
    struct tas_encoder_config enc = {.width = width,
                                     .height = height,
                                     .stream = 0x01020304,
                                     .model_bits = BITS,
                                     .rough = config->has_no_rough ? NULL : &pair->fake.coder,
                                     .forced = config->forced};
    struct tas_decoder_config dec = {
        .width = width, .height = height, .model_bits = BITS, .painter = &pair->fake.painter};
    pair->scene = scene_new(width, height, config->seed);
    pair->enc = tas_encoder_new(&enc);
    pair->dec = tas_decoder_new(&dec);
    pair->before = tas_picture_new(width, height);
    pair->cap = TAS_FRAME_MAX;
    pair->frame = malloc(TAS_FRAME_MAX);
    assert_true(pair->scene && pair->enc && pair->dec && pair->before && pair->frame);
    assert_int_equal(tas_tiles_init(&pair->due, width, height), TAS_OK);
    assert_int_equal(tas_tiles_init(&pair->lost, width, height), TAS_OK);
    assert_int_equal(tas_tiles_init(&pair->changed, width, height), TAS_OK);
    tas_tiles_set_all(&pair->due);
    return pair;
}

void pair_free(struct pair *pair) {
    scene_free(pair->scene);
    tas_encoder_free(pair->enc);
    tas_decoder_free(pair->dec);
    tas_picture_free(pair->before);
    tas_tiles_fini(&pair->due);
    tas_tiles_fini(&pair->lost);
    tas_tiles_fini(&pair->changed);
    free(pair->frame);
    free(pair);
}

/* --- what must hold --- */

static const uint32_t *row_of(const struct tas_picture *pic, uint32_t x, uint32_t y) {
    return pic->px + (size_t)y * pic->stride + x;
}

static bool is_near(uint32_t a, uint32_t b) {
    for (unsigned shift = 0; shift < 24; shift += 8)
        if (abs((int)(a >> shift & 255) - (int)(b >> shift & 255)) > ROUGH_FAKE_ERROR)
            return false;
    return true;
}

/* One pixel at the decoder beside the encoder's and, where that has been looked at, the screen's. has_room:
 * with too little of it, rough pixels may have any colour. */
static bool is_right(uint32_t dec, uint32_t enc, uint32_t screen, bool is_due, bool has_room) {
    if (dec & ~(TAS_ROUGH | TAS_RGB) || (dec ^ enc) & TAS_ROUGH)
        return false;
    if (dec & TAS_ROUGH)
        return (is_near(dec, enc) || !has_room) && (is_due || ((enc ^ screen) & TAS_RGB) == 0);
    return dec == enc && (is_due || dec == screen);
}

static void look_at_tile(const struct pair *pair, uint32_t tx, uint32_t ty) {
    const struct tas_picture *enc = tas_encoder_picture(pair->enc), *dec = tas_decoder_picture(pair->dec);
    bool is_due = tas_tiles_get(&pair->due, tx, ty), was_painted = tas_tiles_get(&pair->changed, tx, ty);
    uint32_t right = (tx + 1) * TAS_TILE < dec->width ? (tx + 1) * TAS_TILE : dec->width;
    uint32_t bottom = (ty + 1) * TAS_TILE < dec->height ? (ty + 1) * TAS_TILE : dec->height;
    if (is_due && pair->is_healing)
        return; /* what is unknown */
    for (uint32_t y = ty * TAS_TILE; y < bottom; y++)
        for (uint32_t x = tx * TAS_TILE; x < right; x++) {
            uint32_t px = *row_of(dec, x, y), its = *row_of(enc, x, y),
                     screen = *row_of(pair->scene->pic, x, y);
            if (!is_right(px, its, screen, is_due, pair->cap == TAS_FRAME_MAX))
                fail_msg("frame %u, pixel %u,%u: decoder %08x encoder %08x screen %08x%s", pair->frames, x, y,
                         px, its, screen, is_due ? ", due" : "");
            if (!was_painted && px != *row_of(pair->before, x, y))
                fail_msg("frame %u, pixel %u,%u was painted, which the frame does not say", pair->frames, x,
                         y);
        }
}

/* is_reset: then the decoder counts what became black too. */
static void look_at_all(const struct pair *pair, bool is_reset) {
    const struct tas_tiles *painted = tas_encoder_painted(pair->enc);
    for (uint32_t ty = 0; ty < pair->due.down; ty++)
        for (uint32_t tx = 0; tx < pair->due.across; tx++) {
            bool is_changed = tas_tiles_get(&pair->changed, tx, ty),
                 is_painted = tas_tiles_get(painted, tx, ty);
            if (is_reset ? !is_changed : is_changed != is_painted)
                fail_msg("frame %u, tile %u,%u: painted %d, changed %d", pair->frames, tx, ty, is_painted,
                         is_changed);
            look_at_tile(pair, tx, ty);
        }
}

/* --- frames --- */

/* From a buffer of exactly the frame's length, so that ASan sees a read past it. */
static int decode_copy(struct pair *pair) {
    uint8_t *copy = malloc(pair->len);
    assert_non_null(copy);
    memcpy(copy, pair->frame, pair->len);
    int err = tas_decoder_frame(pair->dec, tas_bytes_of(copy, pair->len), &pair->changed);
    free(copy);
    return err;
}

static void copy_picture(const struct tas_picture *to, const struct tas_picture *from) {
    for (uint32_t y = 0; y < to->height; y++)
        memcpy(to->px + (size_t)y * to->stride, row_of(from, 0, y), to->width * sizeof(*to->px));
}

static void encode(struct pair *pair, struct tas_frame_order order) {
    order.capture_us = pair->now_us += 40000;
    uint32_t seq = tas_encoder_seq(pair->enc);
    int err = tas_encoder_frame(pair->enc, pair->scene->pic, &pair->due, &order, pair->frame, pair->cap,
                                &pair->len);
    if (err == TAS_E_LIMIT && pair->cap < TAS_FRAME_MAX) {
        assert_int_equal(tas_encoder_seq(pair->enc), seq);
        order.flags = 0; /* remembered */
        err = tas_encoder_frame(pair->enc, pair->scene->pic, &pair->due, &order, pair->frame, TAS_FRAME_MAX,
                                &pair->len);
    } else {
        assert_true(pair->len <= pair->cap);
    }
    assert_int_equal(err, TAS_OK);
    assert_int_equal(tas_encoder_seq(pair->enc), seq + (pair->len > 0));
}

static void must_say_whether_it_is_the_last(const struct pair *pair) {
    struct tas_frame_head head;
    assert_int_equal(tas_frame_head_decode(&head, tas_bytes_of(pair->frame, pair->len)), TAS_OK);
    assert_int_equal(head.flags & TAS_FRAME_LAST, tas_tiles_count(&pair->due) ? 0 : TAS_FRAME_LAST);
}

static void decode_and_look(struct pair *pair) {
    copy_picture(pair->before, tas_decoder_picture(pair->dec));
    tas_tiles_clear(&pair->changed);
    pair->frames++;
    assert_int_equal(decode_copy(pair), TAS_OK);
    assert_int_equal(tas_decoder_seq(pair->dec), tas_encoder_seq(pair->enc));
    pair->is_healing = pair->is_healing && tas_tiles_count(&pair->due) > 0;
    look_at_all(pair, pair->frame[0] & TAS_FRAME_RESET);
}

bool pair_send(struct pair *pair, struct tas_frame_order order) {
    assert_false(pair->has_lost);
    encode(pair, order);
    if (pair->len == 0) {
        pair->is_healing = pair->is_healing && tas_tiles_count(&pair->due) > 0;
        return false;
    }
    must_say_whether_it_is_the_last(pair);
    decode_and_look(pair);
    return true;
}

void pair_lose(struct pair *pair, struct tas_frame_order order) {
    encode(pair, order);
    if (pair->len == 0)
        return;
    tas_tiles_merge(&pair->lost, tas_encoder_painted(pair->enc));
    pair->has_lost = true;
}

void pair_heal(struct pair *pair, struct tas_frame_order order, unsigned flag) {
    order.flags = flag;
    if (flag & TAS_FRAME_RESET)
        tas_tiles_set_all(&pair->due);
    tas_tiles_merge(&pair->due, &pair->lost);
    pair->is_healing = flag == TAS_FRAME_RESET_MODEL;
    tas_tiles_clear(&pair->lost);
    pair->has_lost = false;
    (void)pair_send(pair, order);
}

bool pair_refine(struct pair *pair, uint64_t still_us, struct tas_frame_order order) {
    assert_false(pair->has_lost);
    order.capture_us = pair->now_us += 40000;
    uint32_t due = tas_tiles_count(&pair->due);
    assert_int_equal(tas_encoder_refine(pair->enc, still_us, &order, pair->frame, pair->cap, &pair->len),
                     TAS_OK);
    assert_int_equal(tas_tiles_count(&pair->due), due);
    if (pair->len == 0)
        return false;
    decode_and_look(pair);
    return true;
}

void pair_send_all(struct pair *pair, struct tas_frame_order order) {
    for (unsigned i = 0; i < ROUNDS_MAX && tas_tiles_count(&pair->due) > 0; i++) {
        (void)pair_send(pair, order);
        order.flags = 0;
    }
    assert_int_equal(tas_tiles_count(&pair->due), 0);
    assert_false(pair->is_healing);
}

void pair_make_exact(struct pair *pair) {
    pair_send_all(pair, (struct tas_frame_order){0});
    pair->now_us += 1000 * 1000; /* films end */
    for (unsigned i = 0; i < ROUNDS_MAX && tas_encoder_rough_since_us(pair->enc, 0) != UINT64_MAX; i++)
        if (!pair_refine(pair, UINT64_MAX, (struct tas_frame_order){0}))
            fail_msg("frame %u, %ux%u: nothing is refined, although the encoder says so; %u rough pixels in "
                     "%u tiles",
                     pair->frames, pair->before->width, pair->before->height, pair_rough_pixels(pair),
                     pair_figures(pair).rough_tiles);
    assert_true(tas_encoder_rough_since_us(pair->enc, 0) == UINT64_MAX);
    assert_int_equal(pair_rough_pixels(pair), 0);
    assert_int_equal(pair_figures(pair).rough_tiles, 0);
    assert_false(pair_refine(pair, UINT64_MAX, (struct tas_frame_order){0}));
}

struct tas_decoder_figures pair_figures(const struct pair *pair) {
    struct tas_decoder_figures figures;
    tas_decoder_figures(pair->dec, &figures);
    return figures;
}

uint32_t pair_rough_pixels(const struct pair *pair) {
    const struct tas_picture *pic = tas_decoder_picture(pair->dec);
    uint32_t count = 0;
    for (uint32_t y = 0; y < pic->height; y++)
        for (uint32_t x = 0; x < pic->width; x++)
            count += *row_of(pic, x, y) >> 31;
    return count;
}
