/* A script drawn from the input works on a picture, a pair of ends and a decoder of hostile bytes.
 * Laws: hostile frames touch nothing outside the picture; what the encoder makes is always decoded to the
 * same picture, also after lost frames, once a repaint of the lost tiles is through. */
#include "codec/codec.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum {
    EDGE_MAX = 136, /* three tiles */
    STEPS_MAX = 24,
    BITS = TAS_CODEC_MODEL_BITS_MIN,
    CAP = 64 * 1024,
};

/* The first byte of each step, modulo 8. */
enum step {
    STEP_HOSTILE, /* u16 length, bytes: a frame for the hostile decoder */
    STEP_FILL,    /* x, y, w, h, colour 3 */
    STEP_PIXELS,  /* x, y, w, then as many bytes as that is pixels, 8 colours apart or near */
    STEP_SEND,
    STEP_LOSE, /* the frame is coded, but not decoded */
    STEP_RESET,
    STEP_SHIFT, /* the picture moves by dx, dy */
    STEP_REPAINT,
};

struct world {
    struct tas_reader in;
    struct tas_picture *pic;
    struct tas_encoder *enc;
    struct tas_decoder *dec, *hostile;
    struct tas_tiles tiles, lost;
    bool is_synced, has_lost;
    uint8_t *frame;
};

static void border_is_black(const struct tas_picture *pic) {
    for (uint32_t y = 0; y < pic->height; y++)
        for (uint32_t x = pic->width; x < pic->stride; x++)
            assert(pic->px[(size_t)y * pic->stride + x] == 0);
}

static void must_be_same(const struct tas_picture *a, const struct tas_picture *b) {
    for (uint32_t y = 0; y < a->height; y++)
        assert(memcmp(a->px + (size_t)y * a->stride, b->px + (size_t)y * b->stride,
                      a->width * sizeof(*a->px)) == 0);
    border_is_black(b);
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

static void step_fill(struct world *w) {
    uint32_t x = tas_read_u8(&w->in), y = tas_read_u8(&w->in), width = tas_read_u8(&w->in);
    uint32_t height = tas_read_u8(&w->in), px = (uint32_t)tas_read_uint(&w->in, 3);
    for (uint32_t j = y; j < y + height && j < w->pic->height; j++)
        for (uint32_t i = x; i < x + width && i < w->pic->width; i++)
            w->pic->px[(size_t)j * w->pic->stride + i] = px;
    tas_tiles_set_rect(&w->tiles, (int32_t)x, (int32_t)y, width, height);
}

static void step_pixels(struct world *w) {
    uint32_t x = tas_read_u8(&w->in), y = tas_read_u8(&w->in), width = tas_read_u8(&w->in);
    for (uint32_t i = x; i < x + width && i < w->pic->width && y < w->pic->height; i++) {
        uint32_t v = tas_read_u8(&w->in);
        w->pic->px[(size_t)y * w->pic->stride + i] = v & 1 ? v * 0x010101 : v * 0x9e3779b1u >> 8;
    }
    tas_tiles_set_rect(&w->tiles, (int32_t)x, (int32_t)y, width, 1);
}

static void step_shift(struct world *w) {
    uint32_t dx = tas_read_u8(&w->in) % w->pic->width, dy = tas_read_u8(&w->in) % w->pic->height;
    size_t by = (size_t)dy * w->pic->stride + dx, all = (size_t)w->pic->stride * w->pic->height;
    memmove(w->pic->px, w->pic->px + by, (all - by) * sizeof(*w->pic->px));
    tas_tiles_set_all(&w->tiles);
}

/* Codes all that is due; `is_lost`: nobody decodes it. */
static void send(struct world *w, unsigned flags, bool is_lost) {
    do {
        size_t len;
        int err = tas_encoder_frame(w->enc, w->pic, &w->tiles, flags, 0, w->frame, CAP, &len);
        assert(err == TAS_OK);
        if (len > 0 && !is_lost)
            assert(decode_copy(w->dec, tas_bytes_of(w->frame, len)) == TAS_OK);
        w->has_lost |= len > 0 && is_lost;
        flags = 0;
    } while (tas_tiles_count(&w->tiles) > 0);
    if (!is_lost)
        must_be_same(w->pic, tas_decoder_picture(w->dec));
}

static void step_send(struct world *w, enum step step) {
    if (step == STEP_RESET || !w->is_synced) {
        tas_tiles_set_all(&w->tiles);
        tas_tiles_clear(&w->lost);
        w->is_synced = true;
        w->has_lost = false;
        send(w, TAS_FRAME_RESET, false);
    } else if (step == STEP_LOSE) {
        tas_tiles_merge(&w->lost, &w->tiles);
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
    enum step step = tas_read_u8(&w->in) % 8;
    switch (step) {
    case STEP_HOSTILE:
        (void)!decode_copy(w->hostile, tas_read_bytes(&w->in, tas_read_u16(&w->in)));
        border_is_black(tas_decoder_picture(w->hostile));
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
    case STEP_SEND:
    case STEP_LOSE:
    case STEP_RESET:
    case STEP_REPAINT:
        step_send(w, step);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct world w = {.in = tas_reader_of(tas_bytes_of(data, len))};
    uint32_t width = 1 + tas_read_u8(&w.in) % EDGE_MAX, height = 1 + tas_read_u8(&w.in) % EDGE_MAX;
    w.pic = tas_picture_new(width, height);
    w.enc = tas_encoder_new(width, height, 1, BITS);
    w.dec = tas_decoder_new(width, height, BITS);
    w.hostile = tas_decoder_new(width, height, BITS);
    w.frame = malloc(CAP);
    assert(w.pic && w.enc && w.dec && w.hostile && w.frame);
    assert(tas_tiles_init(&w.tiles, width, height) == TAS_OK &&
           tas_tiles_init(&w.lost, width, height) == TAS_OK);
    for (unsigned i = 0; i < STEPS_MAX && w.in.in.len > 0; i++)
        step(&w);
    tas_picture_free(w.pic);
    tas_encoder_free(w.enc);
    tas_decoder_free(w.dec);
    tas_decoder_free(w.hostile);
    tas_tiles_fini(&w.tiles);
    tas_tiles_fini(&w.lost);
    free(w.frame);
    return 0;
}
