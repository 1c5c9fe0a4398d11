/* A script drawn from the input works on a picture, a pair of ends, and two decoders of hostile bytes: one is
 * given frames as they are, one the coded parts of frames, around which a forger puts what the decoder
 * expects. Laws: hostile frames touch nothing outside the picture and make no pixel that cannot be; what a
 * forger can read, the decoder takes for the same picture; what the encoder makes is always decoded to its
 * own picture, and exact pixels are those that it was given, also after lost frames, once a repaint of the
 * lost tiles is through. */
#include "codec_forger.h"
#include "rough_fake.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum {
    EDGE_MAX = 200, /* four tiles */
    STEPS_MAX = 24,
    BITS = TAS_CODEC_MODEL_BITS_MIN,
    CAP = 512 * 1024,
    REFINE_MAX = 10000,
};

/* The first byte of each step, modulo STEPS. */
enum step {
    STEP_HOSTILE, /* u16 length, bytes: a frame for the hostile decoder */
    STEP_FILL,    /* x, y, w, h, colour 3 */
    STEP_PIXELS,  /* x, y, w, then as many bytes as that is pixels, 8 colours apart or near */
    STEP_SEND,
    STEP_LOSE, /* the frame is coded, but not decoded */
    STEP_RESET,
    STEP_SHIFT, /* the picture moves by dx, dy */
    STEP_REPAINT,
    STEP_CODED, /* is it a first one, u16 length, bytes: a coded part for the forger */
    STEP_PHOTO, /* x, y, w, h, seed */
    STEP_ORDER, /* quality, flags, pixels / 64, bytes / 64, focus: of the frames from now on */
    STEP_REFINE,
    STEPS,
};

struct world {
    struct tas_reader in;
    struct tas_picture *pic;
    struct tas_encoder *enc;
    struct tas_decoder *dec, *hostile, *forged;
    struct forger forger;
    bool has_forger, can_follow;
    struct rough_fake fake, hostile_fake;
    struct tas_frame_order order;
    struct tas_tiles tiles, lost;
    bool is_synced, has_lost;
    uint8_t *frame;
};

static uint32_t *row_of(const struct tas_picture *pic, uint32_t y) {
    return pic->px + (size_t)y * pic->stride;
}

static void must_be_pixels(const struct tas_picture *pic) {
    for (uint32_t y = 0; y < pic->height; y++)
        for (uint32_t x = 0; x < pic->stride; x++)
            assert((row_of(pic, y)[x] & ~(x < pic->width ? TAS_ROUGH | TAS_RGB : 0)) == 0);
}

static void must_be_same(const struct world *w) {
    const struct tas_picture *enc = tas_encoder_picture(w->enc), *dec = tas_decoder_picture(w->dec);
    for (uint32_t y = 0; y < enc->height; y++)
        for (uint32_t x = 0; x < enc->width; x++) {
            uint32_t px = row_of(dec, y)[x], its = row_of(enc, y)[x];
            assert(((px ^ its) & TAS_ROUGH) == 0);
            assert((px & TAS_ROUGH) || (px == its && px == row_of(w->pic, y)[x]));
        }
    must_be_pixels(dec);
}

static int decode_copy(struct tas_decoder *dec, struct tas_bytes frame) {
    uint8_t *copy = malloc(frame.len + (frame.len == 0)); /* of the exact length, for ASan */
    assert(copy);
    if (frame.len > 0)
        memcpy(copy, frame.ptr, frame.len);
    int err = tas_decoder_frame(dec, tas_bytes_of(copy, frame.len), NULL);
    free(copy);
    return err;
}

/* What a script does not use is not made: that is most of the time of a short one. */
static struct tas_decoder *decoder(const struct world *w, struct tas_decoder **dec,
                                   const struct rough_fake *fake) {
    struct tas_decoder_config config = {
        .width = w->pic->width, .height = w->pic->height, .model_bits = BITS, .painter = &fake->painter};
    if (!*dec)
        *dec = tas_decoder_new(&config);
    assert(*dec);
    return *dec;
}

static void step_hostile(struct world *w) {
    struct tas_decoder *dec = decoder(w, &w->hostile, &w->hostile_fake);
    (void)!decode_copy(dec, tas_read_bytes(&w->in, tas_read_u16(&w->in)));
    must_be_pixels(tas_decoder_picture(dec));
}

static void step_coded(struct world *w) {
    bool is_first = tas_read_u8(&w->in) % 2 || !w->can_follow;
    struct tas_bytes coded = tas_read_bytes(&w->in, tas_read_u16(&w->in));
    struct tas_decoder *dec = decoder(w, &w->forged, &w->hostile_fake);
    if (!w->has_forger) {
        int err = forger_init(&w->forger, w->pic->width, w->pic->height, BITS, 1);
        assert(err == TAS_OK);
        w->has_forger = true;
    }
    size_t len = forger_around(&w->forger, is_first, coded, w->frame);
    w->can_follow = len > 0;
    if (len == 0)
        return;
    assert(decode_copy(dec, tas_bytes_of(w->frame, len)) == TAS_OK);
    assert(forger_is_same(&w->forger.mirror, tas_decoder_picture(dec)));
    must_be_pixels(tas_decoder_picture(dec));
}

static void step_fill(struct world *w) {
    uint32_t x = tas_read_u8(&w->in), y = tas_read_u8(&w->in), width = tas_read_u8(&w->in);
    uint32_t height = tas_read_u8(&w->in), px = (uint32_t)tas_read_uint(&w->in, 3);
    for (uint32_t j = y; j < y + height && j < w->pic->height; j++)
        for (uint32_t i = x; i < x + width && i < w->pic->width; i++)
            row_of(w->pic, j)[i] = px;
    tas_tiles_set_rect(&w->tiles, (int32_t)x, (int32_t)y, width, height);
}

static void step_photo(struct world *w) {
    uint32_t x = tas_read_u8(&w->in), y = tas_read_u8(&w->in), width = tas_read_u8(&w->in);
    uint32_t height = tas_read_u8(&w->in);
    struct scene_random random = scene_random_of(tas_read_u8(&w->in));
    if (x >= w->pic->width || y >= w->pic->height)
        return;
    struct scene_rect rect = {x, y, width, height};
    rect.w = x + width < w->pic->width ? width : w->pic->width - x;
    rect.h = y + height < w->pic->height ? height : w->pic->height - y;
    scene_paint(w->pic, rect, SCENE_PHOTO, &random);
    tas_tiles_set_rect(&w->tiles, (int32_t)x, (int32_t)y, width, height);
}

static void step_pixels(struct world *w) {
    uint32_t x = tas_read_u8(&w->in), y = tas_read_u8(&w->in), width = tas_read_u8(&w->in);
    for (uint32_t i = x; i < x + width && i < w->pic->width && y < w->pic->height; i++) {
        uint32_t v = tas_read_u8(&w->in);
        row_of(w->pic, y)[i] = v & 1 ? v * 0x010101 : v * 0x9e3779b1u >> 8;
    }
    tas_tiles_set_rect(&w->tiles, (int32_t)x, (int32_t)y, width, 1);
}

static void step_shift(struct world *w) {
    uint32_t dx = tas_read_u8(&w->in) % w->pic->width, dy = tas_read_u8(&w->in) % w->pic->height;
    size_t by = (size_t)dy * w->pic->stride + dx, all = (size_t)w->pic->stride * w->pic->height;
    memmove(w->pic->px, w->pic->px + by, (all - by) * sizeof(*w->pic->px));
    tas_tiles_set_all(&w->tiles);
}

static void step_order(struct world *w) {
    uint8_t quality = tas_read_u8(&w->in), flags = tas_read_u8(&w->in);
    w->order.quality = quality % 101;
    w->order.is_full_colour = flags & 1;
    w->order.video_bps = flags & 2 ? 500000 : 0;
    w->order.pixels = tas_read_u8(&w->in) * 64u;
    w->order.bytes = tas_read_u8(&w->in) * 64u;
    w->order.focus_y = tas_read_u8(&w->in);
}

/* Codes all that is due; `is_lost`: nobody decodes it. */
static void send(struct world *w, unsigned flags, bool is_lost) {
    struct tas_frame_order order = w->order;
    order.flags = flags;
    do {
        size_t len;
        order.capture_us = w->order.capture_us += 40000;
        int err = tas_encoder_frame(w->enc, w->pic, &w->tiles, &order, w->frame, CAP, &len);
        assert(err == TAS_OK);
        if (len > 0 && is_lost)
            tas_tiles_merge(&w->lost, tas_encoder_painted(w->enc));
        else if (len > 0)
            assert(decode_copy(w->dec, tas_bytes_of(w->frame, len)) == TAS_OK);
        w->has_lost |= len > 0 && is_lost;
        order.flags = 0;
    } while (tas_tiles_count(&w->tiles) > 0);
    if (!is_lost)
        must_be_same(w);
}

/* Until nothing is rough. */
static void step_refine(struct world *w) {
    struct tas_frame_order order = w->order;
    order.quality = 0;
    if (!w->is_synced || w->has_lost)
        return;
    w->order.capture_us += 1000 * 1000; /* films end */
    send(w, 0, false);
    for (unsigned i = 0; tas_encoder_rough_since_us(w->enc, 0) != UINT64_MAX; i++) {
        size_t len;
        order.capture_us = w->order.capture_us += 40000;
        int err = tas_encoder_refine(w->enc, UINT64_MAX, &order, w->frame, CAP, &len);
        assert(err == TAS_OK && len > 0 && i < REFINE_MAX);
        assert(decode_copy(w->dec, tas_bytes_of(w->frame, len)) == TAS_OK);
        must_be_same(w);
    }
}

static void need_pair(struct world *w) {
    struct tas_encoder_config config = {.width = w->pic->width,
                                        .height = w->pic->height,
                                        .stream = 1,
                                        .model_bits = BITS,
                                        .rough = &w->fake.coder};
    if (!w->enc)
        w->enc = tas_encoder_new(&config);
    (void)decoder(w, &w->dec, &w->fake);
    assert(w->enc);
}

static void step_send(struct world *w, enum step step) {
    need_pair(w);
    if (step == STEP_RESET || !w->is_synced) {
        tas_tiles_set_all(&w->tiles);
        tas_tiles_clear(&w->lost);
        w->is_synced = true;
        w->has_lost = false;
        send(w, TAS_FRAME_RESET, false);
    } else if (step == STEP_LOSE) {
        send(w, 0, true);
    } else if (step == STEP_REPAINT || w->has_lost) {
        tas_tiles_merge(&w->tiles, &w->lost);
        tas_tiles_clear(&w->lost);
        w->has_lost = false;
        send(w, TAS_FRAME_RESET_MODEL, false);
    } else {
        send(w, 0, false);
    }
}

static void step(struct world *w) {
    enum step step = tas_read_u8(&w->in) % STEPS;
    switch (step) {
    case STEP_HOSTILE:
        step_hostile(w);
        break;
    case STEP_FILL:
        step_fill(w);
        break;
    case STEP_PIXELS:
        step_pixels(w);
        break;
    case STEP_SHIFT:
        step_shift(w);
        break;
    case STEP_CODED:
        step_coded(w);
        break;
    case STEP_PHOTO:
        step_photo(w);
        break;
    case STEP_ORDER:
        step_order(w);
        break;
    case STEP_REFINE:
        step_refine(w);
        break;
    case STEP_SEND:
    case STEP_LOSE:
    case STEP_RESET:
    case STEP_REPAINT:
        step_send(w, step);
        break;
    case STEPS:
        break;
    }
}

static void world_init(struct world *w, uint32_t width, uint32_t height) {
    rough_fake_init(&w->fake, width, height, 1);
    rough_fake_init(&w->hostile_fake, width, height, 2);
    w->pic = tas_picture_new(width, height);
    w->frame = malloc(CAP);
    assert(w->pic && w->frame);
    int err = tas_tiles_init(&w->tiles, width, height), lost = tas_tiles_init(&w->lost, width, height);
    assert(err == TAS_OK && lost == TAS_OK);
}

static void world_fini(struct world *w) {
    tas_picture_free(w->pic);
    tas_encoder_free(w->enc);
    tas_decoder_free(w->dec);
    tas_decoder_free(w->hostile);
    tas_decoder_free(w->forged);
    if (w->has_forger)
        forger_fini(&w->forger);
    tas_tiles_fini(&w->tiles);
    tas_tiles_fini(&w->lost);
    free(w->frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    static struct world w; /* large, and coders point into it */
    memset(&w, 0, sizeof(w));
    w.in = tas_reader_of(tas_bytes_of(data, len));
    uint32_t width = 1 + tas_read_u8(&w.in) % EDGE_MAX, height = 1 + tas_read_u8(&w.in) % EDGE_MAX;
    world_init(&w, width, height);
    for (unsigned i = 0; i < STEPS_MAX && w.in.in.len > 0; i++)
        step(&w);
    world_fini(&w);
    return 0;
}
