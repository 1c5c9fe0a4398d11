#include "codec/canvas_private.h"
#include "codec/codec.h"
#include "codec/frame_private.h"

#include <assert.h>
#include <stdlib.h>

enum {
    CAP_MIN = 64 * 1024,
    RESETS = TAS_FRAME_RESET | TAS_FRAME_RESET_MODEL,
    PHOTO_PERCENT = 70, /* pixels unlike all their neighbours, above which a block is LIT. At 50 smoothed
                           small text is taken for a photo: up to five times the bytes */
    TEMP_PERCENT = 96,  /* unchanged pixels, above which it is TEMP: at 60 the bytes doubled */
};

struct tas_encoder {
    struct tas_canvas canvas;     /* what the decoder has after the last frame */
    struct tas_tiles unknown;     /* tiles of which we do not know what the decoder shows */
    struct tas_model *checkpoint; /* the model before a row of tiles that may not fit */
    unsigned pending;             /* the reset that the next frame has to carry */
    uint32_t stream, seq;
};

struct tas_encoder *tas_encoder_new(uint32_t width, uint32_t height, uint32_t stream, unsigned model_bits) {
    if (!tas_picture_size_is_valid(width, height) || model_bits < TAS_CODEC_MODEL_BITS_MIN ||
        model_bits > TAS_CODEC_MODEL_BITS_MAX)
        return NULL;
    struct tas_encoder *enc = calloc(1, sizeof(*enc));
    if (!enc)
        return NULL;
    enc->stream = stream;
    enc->checkpoint = tas_model_new(model_bits);
    if (!enc->checkpoint || tas_canvas_init(&enc->canvas, width, height, model_bits) != TAS_OK ||
        tas_tiles_init(&enc->unknown, width, height) != TAS_OK) {
        tas_encoder_free(enc);
        return NULL;
    }
    return enc;
}

void tas_encoder_free(struct tas_encoder *enc) {
    if (!enc)
        return;
    tas_model_free(enc->checkpoint);
    tas_canvas_fini(&enc->canvas);
    tas_tiles_fini(&enc->unknown);
    free(enc);
}

uint32_t tas_encoder_seq(const struct tas_encoder *enc) {
    return enc->seq;
}

static void start_anew(struct tas_encoder *enc, const struct tas_tiles *tiles, unsigned flags) {
    if (!flags)
        return;
    tas_model_reset(enc->canvas.model);
    if (flags & TAS_FRAME_RESET) {
        tas_canvas_blacken(&enc->canvas);
        tas_tiles_clear(&enc->unknown);
        enc->pending = TAS_FRAME_RESET;
    } else {
        tas_tiles_merge(&enc->unknown, tiles);
        if (!enc->pending)
            enc->pending = TAS_FRAME_RESET_MODEL;
    }
}

/* A block of the new picture beside the one that the decoder has. */
struct block {
    const uint32_t *px, *was;
    ptrdiff_t px_stride, was_stride;
    uint32_t width, height;
};

static struct block block_at(const struct tas_canvas *canvas, const struct tas_picture *src, uint32_t x,
                             uint32_t y) {
    return (struct block){
        .px = src->px + (size_t)y * src->stride + x,
        .was = canvas->pic.px + (size_t)y * canvas->pic.stride + x,
        .px_stride = src->stride,
        .was_stride = canvas->pic.stride,
        .width = tas_clip(x, canvas->pic.width, TAS_BLOCK),
        .height = tas_clip(y, canvas->pic.height, TAS_BLOCK),
    };
}

/* With a constant width the compiler compares whole rows at once. */
TAS_INLINE bool differs(const struct block *b, const uint32_t width) {
    uint32_t difference = 0;
    for (uint32_t y = 0; y < b->height; y++) {
        const uint32_t *px = b->px + y * b->px_stride, *was = b->was + y * b->was_stride;
        for (uint32_t x = 0; x < width; x++)
            difference |= px[x] ^ was[x];
    }
    return difference & TAS_MODEL_RGB;
}

/* Pixels of a whole block that are what they were. */
static uint32_t count_kept(const struct block *b) {
    uint32_t count = 0;
    for (uint32_t y = 0; y < b->height; y++)
        for (uint32_t x = 0; x < b->width; x++)
            count += ((b->px[y * b->px_stride + x] ^ b->was[y * b->was_stride + x]) & TAS_MODEL_RGB) == 0;
    return count;
}

/* Pixels that none of the neighbours W, N, NW and NE has the colour of, looking inside the block only. */
static uint32_t count_new(const struct block *b) {
    uint32_t count = 0;
    for (uint32_t y = 1; y < b->height; y++) {
        const uint32_t *px = b->px + y * b->px_stride, *up = px - b->px_stride;
        for (uint32_t x = 1; x + 1 < b->width; x++)
            count += (uint32_t)(((px[x] ^ px[x - 1]) & TAS_MODEL_RGB) != 0) &
                     (uint32_t)(((px[x] ^ up[x]) & TAS_MODEL_RGB) != 0) &
                     (uint32_t)(((px[x] ^ up[x - 1]) & TAS_MODEL_RGB) != 0) &
                     (uint32_t)(((px[x] ^ up[x + 1]) & TAS_MODEL_RGB) != 0);
    }
    return count;
}

/* Nothing here is part of the format: any choice decodes to the same picture. */
static enum tas_block_mode choose_mode(const struct block *b, bool is_fresh) {
    if (!(b->width == TAS_BLOCK ? differs(b, TAS_BLOCK) : differs(b, b->width)))
        return TAS_BLOCK_SKIP;
    uint32_t inner = b->width > 2 ? (b->width - 2) * (b->height - 1) : 0;
    if (count_new(b) * 100 > inner * PHOTO_PERCENT)
        return TAS_BLOCK_LIT;
    if (!is_fresh && count_kept(b) * 100 > b->width * b->height * TEMP_PERCENT)
        return TAS_BLOCK_TEMP;
    return TAS_BLOCK_CTX;
}

/* Sets the modes of a tile's blocks. Gives the number of blocks to be coded. */
static uint32_t plan_tile(struct tas_encoder *enc, const struct tas_picture *src, uint32_t tx, uint32_t ty,
                          bool is_fresh) {
    struct tas_canvas *canvas = &enc->canvas;
    uint32_t coded = 0;
    for (uint32_t row = 0; row < TAS_BLOCKS; row++)
        for (uint32_t col = 0; col < TAS_BLOCKS; col++) {
            uint32_t bx = tx * TAS_BLOCKS + col, x = bx * TAS_BLOCK, y = ty * TAS_TILE + row * TAS_BLOCK;
            if (x >= src->width || y >= src->height)
                continue;
            struct block b = block_at(canvas, src, x, y);
            enum tas_block_mode mode = choose_mode(&b, is_fresh);
            *tas_canvas_mode(canvas, bx, row) = (uint8_t)mode;
            coded += mode != TAS_BLOCK_SKIP;
        }
    return coded;
}

struct plan {
    bool has_tiles;
    size_t bytes_max; /* the row of tiles cannot take more */
};

static struct plan plan_row(struct tas_encoder *enc, const struct tas_picture *src,
                            const struct tas_tiles *tiles, uint32_t ty) {
    struct tas_canvas *canvas = &enc->canvas;
    struct plan plan = {.bytes_max = 16 + (size_t)canvas->tiles_across * TAS_CANVAS_TILE_MAX};
    for (uint32_t tx = 0; tx < canvas->tiles_across; tx++) {
        if (!tas_tiles_get(tiles, tx, ty))
            continue;
        bool is_fresh = tas_tiles_get(&enc->unknown, tx, ty);
        if (is_fresh)
            tas_canvas_blacken_tile(canvas, tx, ty);
        uint32_t coded = plan_tile(enc, src, tx, ty, is_fresh);
        plan.bytes_max += (size_t)coded * TAS_BLOCK * TAS_BLOCK * TAS_MODEL_PIXEL_MAX;
        if (coded || is_fresh) {
            canvas->tiles[tx] = is_fresh ? TAS_TILE_FRESH : TAS_TILE_CHANGED;
            plan.has_tiles = true;
        }
    }
    return plan;
}

/* The decoder has this row of tiles now. */
static void settle_row(struct tas_encoder *enc, struct tas_tiles *tiles, uint32_t ty) {
    for (uint32_t tx = 0; tx < tiles->across; tx++) {
        if (enc->canvas.tiles[tx] != TAS_TILE_SAME)
            tas_tiles_unset(&enc->unknown, tx, ty);
        tas_tiles_unset(tiles, tx, ty);
    }
}

/* The row did not fit, but is painted in our copy already: from here on it is as unknown as after a
 * RESET_MODEL. */
static void disown_row(struct tas_encoder *enc, uint32_t ty) {
    for (uint32_t tx = 0; tx < enc->canvas.tiles_across; tx++)
        if (enc->canvas.tiles[tx] != TAS_TILE_SAME)
            tas_tiles_set(&enc->unknown, tx, ty);
}

static size_t used(const struct tas_rc *rc) {
    return rc->len + rc->pending;
}

/* Codes a row of tiles, or leaves rc, model and checksum as they were: TAS_E_FULL. */
static int try_row(struct tas_encoder *enc, struct tas_rc *rc, const struct tas_picture *src, uint32_t ty,
                   size_t bytes_max) {
    struct tas_canvas *canvas = &enc->canvas;
    struct tas_rc rc_before = *rc;
    uint32_t sum_before[4];
    bool had_row = canvas->had_row, may_overflow = bytes_max > rc->cap - used(rc);
    memcpy(sum_before, canvas->sum, sizeof(sum_before));
    if (may_overflow)
        tas_model_copy(enc->checkpoint, canvas->model); /* takes a while: not when it cannot be needed */

    tas_canvas_encode_row(canvas, rc, src, ty);
    if (!rc->bad && used(rc) <= rc->cap) {
        assert(used(rc) - used(&rc_before) <= bytes_max);
        return TAS_OK;
    }
    assert(may_overflow);
    *rc = rc_before;
    canvas->had_row = had_row;
    memcpy(canvas->sum, sum_before, sizeof(sum_before));
    tas_model_copy(canvas->model, enc->checkpoint);
    disown_row(enc, ty);
    return TAS_E_FULL;
}

/* Codes rows of tiles until rc is full; then says of the rest that nothing has changed. Gives how many had
 * changes; TAS_E_LIMIT: not even the first one fits. */
static int code_rows(struct tas_encoder *enc, struct tas_rc *rc, const struct tas_picture *src,
                     struct tas_tiles *tiles) {
    bool is_full = false;
    int coded = 0;
    tas_canvas_begin(&enc->canvas);
    for (uint32_t ty = 0; ty < enc->canvas.tiles_down; ty++) {
        struct plan plan = {0};
        tas_canvas_next_row(&enc->canvas);
        if (!is_full) {
            plan = plan_row(enc, src, tiles, ty);
            is_full = plan.has_tiles && try_row(enc, rc, src, ty, plan.bytes_max) != TAS_OK;
            if (is_full && coded == 0)
                return TAS_E_LIMIT;
        }
        if (is_full || !plan.has_tiles)
            tas_canvas_encode_empty(&enc->canvas, rc);
        if (!is_full)
            settle_row(enc, tiles, ty);
        coded += plan.has_tiles && !is_full;
    }
    return coded;
}

static void write_around(struct tas_encoder *enc, uint8_t *out, size_t body_len, uint64_t capture_us,
                         bool is_last) {
    bool is_reset = enc->pending & TAS_FRAME_RESET;
    enc->seq++;
    struct tas_frame_head head = {
        .stream = enc->stream,
        .seq = enc->seq,
        .ref = is_reset ? 0 : enc->seq - 1,
        .capture_us = capture_us,
        .flags = (uint8_t)(enc->pending | (is_last ? TAS_FRAME_LAST : 0)),
    };
    tas_frame_head_encode(out, &head);
    struct tas_writer tail = tas_writer_of(out + TAS_FRAME_HEAD_LEN + body_len, TAS_FRAME_TAIL_LEN);
    tas_write_u32(&tail, tas_canvas_sum(&enc->canvas));
    enc->pending = 0;
}

int tas_encoder_frame(struct tas_encoder *enc, const struct tas_picture *src, struct tas_tiles *tiles,
                      unsigned flags, uint64_t capture_us, uint8_t *out, size_t cap, size_t *out_len) {
    const struct tas_picture *pic = &enc->canvas.pic;
    assert(src->width == pic->width && src->height == pic->height && cap >= CAP_MIN);
    assert(tiles->across == enc->canvas.tiles_across && tiles->down == enc->canvas.tiles_down);
    assert(flags == 0 || flags == TAS_FRAME_RESET || flags == TAS_FRAME_RESET_MODEL);
    assert(enc->seq > 0 || enc->pending || flags);
    *out_len = 0;
    if (enc->seq == UINT32_MAX)
        return TAS_E_STATE;

    start_anew(enc, tiles, flags);
    tas_tiles_merge(tiles, &enc->unknown);

    /* What the rows after the last one that fits, and the coder's end, may still take: 10 bits each, 3 bytes.
     */
    size_t reserve = 16 + 2 * (size_t)enc->canvas.tiles_down;
    size_t body_cap = (cap < TAS_FRAME_MAX ? cap : TAS_FRAME_MAX) - TAS_FRAME_HEAD_LEN - TAS_FRAME_TAIL_LEN;
    struct tas_rc rc = tas_rc_encoder_of(out + TAS_FRAME_HEAD_LEN, body_cap - reserve);
    struct tas_model_heads *heads = tas_model_heads(enc->canvas.model), heads_before = *heads;
    int coded = code_rows(enc, &rc, src, tiles);
    if (coded < 0 || (coded == 0 && !enc->pending)) {
        *heads = heads_before; /* no frame, so the decoder will not learn that rows were empty */
        return coded;
    }
    rc.cap = body_cap;
    tas_rc_finish(&rc);
    assert(!rc.bad);
    write_around(enc, out, rc.len, capture_us, tas_tiles_count(tiles) == 0);
    *out_len = TAS_FRAME_HEAD_LEN + rc.len + TAS_FRAME_TAIL_LEN;
    return TAS_OK;
}
