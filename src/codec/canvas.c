#include "codec/canvas_private.h"

#include "base/wipe.h"

#include <stdlib.h>

enum {
    BORDER = 4,      /* black px right of each row, which are also those left of the next; 3 are needed */
    BORDER_ROWS = 2, /* black rows above */
};

#define SUM_START 0x811c9dc5u
#define SUM_MUL   0x9e3779b1u

static int alloc_picture(struct tas_canvas *canvas, uint32_t width, uint32_t height) {
    uint32_t stride = width + BORDER;
    size_t before = (size_t)BORDER_ROWS * stride + BORDER;
    canvas->mem_len = before + (size_t)stride * height;
    canvas->mem = calloc(canvas->mem_len, sizeof(*canvas->mem));
    if (!canvas->mem)
        return TAS_E_NOMEM;
    canvas->pic = (struct tas_picture){canvas->mem + before, width, height, stride};
    return TAS_OK;
}

static int alloc_rows(struct tas_canvas *canvas) {
    size_t old_len = (size_t)canvas->pic.stride + BORDER;
    canvas->old_mem = calloc(2 * old_len, sizeof(*canvas->old_mem));
    canvas->tiles = calloc(canvas->tiles_across, 1);
    canvas->tiles_above = calloc(canvas->tiles_across, 1);
    canvas->modes = calloc(canvas->blocks_across, TAS_BLOCKS + 1);
    canvas->spans = calloc(canvas->blocks_across, sizeof(*canvas->spans));
    if (!canvas->old_mem || !canvas->tiles || !canvas->tiles_above || !canvas->modes || !canvas->spans)
        return TAS_E_NOMEM;
    canvas->old = canvas->old_mem + BORDER;
    canvas->old_up = canvas->old + old_len;
    return TAS_OK;
}

int tas_canvas_init(struct tas_canvas *canvas, uint32_t width, uint32_t height, unsigned model_bits) {
    *canvas = (struct tas_canvas){
        .tiles_across = tas_tiles_across(width),
        .tiles_down = tas_tiles_across(height),
        .blocks_across = (width + TAS_BLOCK - 1) / TAS_BLOCK,
    };
    canvas->model = tas_model_new(model_bits);
    if (!canvas->model || alloc_picture(canvas, width, height) != TAS_OK)
        return TAS_E_NOMEM;
    return alloc_rows(canvas);
}

static void wipe_free(uint32_t *px, size_t len) {
    if (px)
        tas_wipe(px, len * sizeof(*px));
    free(px);
}

void tas_canvas_fini(struct tas_canvas *canvas) {
    tas_model_free(canvas->model);
    wipe_free(canvas->mem, canvas->mem_len);
    wipe_free(canvas->old_mem, 2 * ((size_t)canvas->pic.stride + BORDER));
    free(canvas->tiles);
    free(canvas->tiles_above);
    free(canvas->modes);
    free(canvas->spans);
    *canvas = (struct tas_canvas){0};
}

void tas_canvas_blacken(struct tas_canvas *canvas) {
    memset(canvas->mem, 0, canvas->mem_len * sizeof(*canvas->mem));
}

static uint32_t *row_at(const struct tas_canvas *canvas, uint32_t y) {
    return canvas->pic.px + (size_t)y * canvas->pic.stride;
}

void tas_canvas_blacken_tile(struct tas_canvas *canvas, uint32_t tx, uint32_t ty) {
    uint32_t x = tx * TAS_TILE, y = ty * TAS_TILE, width = tas_clip(x, canvas->pic.width, TAS_TILE);
    for (uint32_t row = 0; row < tas_clip(y, canvas->pic.height, TAS_TILE); row++)
        memset(row_at(canvas, y + row) + x, 0, width * sizeof(uint32_t));
}

void tas_canvas_begin(struct tas_canvas *canvas) {
    memset(canvas->tiles, TAS_TILE_SAME, canvas->tiles_across);
    memset(canvas->modes, TAS_BLOCK_SKIP, (size_t)canvas->blocks_across * (TAS_BLOCKS + 1));
    canvas->had_row = canvas->had_fresh = false;
    for (unsigned i = 0; i < 4; i++)
        canvas->sum[i] = SUM_START + i;
}

void tas_canvas_next_row(struct tas_canvas *canvas) {
    uint8_t *above = canvas->tiles_above;
    canvas->tiles_above = canvas->tiles;
    canvas->tiles = above;
    memset(canvas->tiles, TAS_TILE_SAME, canvas->tiles_across);
    size_t across = canvas->blocks_across;
    memcpy(canvas->modes, canvas->modes + TAS_BLOCKS * across, across);
    memset(canvas->modes + across, TAS_BLOCK_SKIP, TAS_BLOCKS * across);
}

/* Is anything in this row of tiles changed? */
TAS_INLINE bool code_has_row(const bool encode, struct tas_canvas *canvas, struct tas_rc *rc, bool has_row) {
    struct tas_model_heads *heads = tas_model_heads(canvas->model);
    has_row = tas_rc_bin(encode, rc, &heads->row[canvas->had_row], has_row);
    canvas->had_row = has_row;
    return has_row;
}

TAS_INLINE uint8_t code_tile(const bool encode, struct tas_canvas *canvas, struct tas_rc *rc, uint32_t tx) {
    struct tas_model_heads *heads = tas_model_heads(canvas->model);
    unsigned left = tx > 0 && canvas->tiles[tx - 1] != TAS_TILE_SAME,
             above = canvas->tiles_above[tx] != TAS_TILE_SAME;
    if (!tas_rc_bin(encode, rc, &heads->changed[left + above], canvas->tiles[tx] != TAS_TILE_SAME))
        return TAS_TILE_SAME;
    canvas->had_fresh =
        tas_rc_bin(encode, rc, &heads->fresh[canvas->had_fresh], canvas->tiles[tx] == TAS_TILE_FRESH);
    return canvas->had_fresh ? TAS_TILE_FRESH : TAS_TILE_CHANGED;
}

/* How many of the two neighbours have this mode. */
TAS_INLINE unsigned count_of(enum tas_block_mode mode, uint8_t left, uint8_t above) {
    return (unsigned)(left == mode) + (unsigned)(above == mode);
}

TAS_INLINE uint8_t code_mode(const bool encode, struct tas_canvas *canvas, struct tas_rc *rc, uint32_t bx,
                             uint32_t row) {
    struct tas_model_heads *heads = tas_model_heads(canvas->model);
    const uint8_t *here = tas_canvas_mode(canvas, bx, row);
    uint8_t mode = *here, left = bx > 0 ? here[-1] : TAS_BLOCK_SKIP, above = *(here - canvas->blocks_across);
    struct tas_prob *coded = &heads->coded[left != TAS_BLOCK_SKIP][above != TAS_BLOCK_SKIP];
    struct tas_prob *lit = &heads->lit[count_of(TAS_BLOCK_LIT, left, above)];
    struct tas_prob *temp = &heads->temp[count_of(TAS_BLOCK_TEMP, left, above)];
    if (!tas_rc_bin(encode, rc, coded, mode != TAS_BLOCK_SKIP))
        return TAS_BLOCK_SKIP;
    if (tas_rc_bin(encode, rc, lit, mode == TAS_BLOCK_LIT))
        return TAS_BLOCK_LIT;
    return tas_rc_bin(encode, rc, temp, mode == TAS_BLOCK_TEMP) ? TAS_BLOCK_TEMP : TAS_BLOCK_CTX;
}

static uint32_t block_rows(const struct tas_canvas *canvas, uint32_t ty) {
    return (tas_clip(ty * TAS_TILE, canvas->pic.height, TAS_TILE) + TAS_BLOCK - 1) / TAS_BLOCK;
}

/* The tile flags of a row, then the modes of the blocks in its changed tiles, block row by block row. */
TAS_INLINE void code_heads(const bool encode, struct tas_canvas *canvas, struct tas_rc *rc, uint32_t ty) {
    for (uint32_t tx = 0; tx < canvas->tiles_across; tx++)
        canvas->tiles[tx] = code_tile(encode, canvas, rc, tx);
    for (uint32_t row = 0; row < block_rows(canvas, ty); row++)
        for (uint32_t bx = 0; bx < canvas->blocks_across; bx++)
            if (canvas->tiles[bx / TAS_BLOCKS] != TAS_TILE_SAME)
                *tas_canvas_mode(canvas, bx, row) = code_mode(encode, canvas, rc, bx, row);
}

/* The spans of a row of blocks into canvas->spans: neighbouring blocks of one mode are one span. */
static uint32_t spans_of(struct tas_canvas *canvas, uint32_t row) {
    uint32_t count = 0;
    enum tas_block_mode last = TAS_BLOCK_SKIP;
    for (uint32_t bx = 0; bx < canvas->blocks_across; bx++) {
        enum tas_block_mode mode = *tas_canvas_mode(canvas, bx, row);
        uint32_t x = bx * TAS_BLOCK, end = x + tas_clip(x, canvas->pic.width, TAS_BLOCK);
        if (mode != TAS_BLOCK_SKIP && mode != last)
            canvas->spans[count++] = (struct tas_span){.stride = canvas->pic.stride, .x0 = x, .mode = mode};
        if (mode != TAS_BLOCK_SKIP)
            canvas->spans[count - 1].x1 = end;
        last = mode;
    }
    return count;
}

/* Keeps the row `y` of the picture, where TEMP spans look, before it is painted over. */
static void keep_row(struct tas_canvas *canvas, uint32_t count, const uint32_t *row) {
    uint32_t *spare = canvas->old_up;
    canvas->old_up = canvas->old;
    canvas->old = spare;
    for (uint32_t i = 0; i < count; i++) {
        const struct tas_span *span = &canvas->spans[i];
        if (span->mode == TAS_BLOCK_TEMP)
            for (ptrdiff_t x = (ptrdiff_t)span->x0 - 1; x <= (ptrdiff_t)span->x1; x++)
                canvas->old[x] = row[x];
    }
}

TAS_INLINE void code_pixel_row(const bool encode, struct tas_canvas *canvas, struct tas_rc *rc,
                               uint32_t count, const struct tas_picture *src, uint32_t y) {
    keep_row(canvas, count, row_at(canvas, y));
    for (uint32_t i = 0; i < count; i++) {
        struct tas_span span = canvas->spans[i];
        span.row = row_at(canvas, y);
        span.old = canvas->old;
        span.old_up = canvas->old_up;
        if (encode) {
            span.src = src->px + (size_t)y * src->stride;
            tas_model_encode(canvas->model, rc, &span);
        } else {
            tas_model_decode(canvas->model, rc, &span);
        }
    }
}

/* Pixel row by pixel row across the whole width, so that the neighbour to the upper right is always known. */
TAS_INLINE void code_pixels(const bool encode, struct tas_canvas *canvas, struct tas_rc *rc,
                            const struct tas_picture *src, uint32_t ty) {
    for (uint32_t row = 0; row < block_rows(canvas, ty); row++) {
        uint32_t count = spans_of(canvas, row), y = ty * TAS_TILE + row * TAS_BLOCK;
        uint32_t end = y + tas_clip(y, canvas->pic.height, TAS_BLOCK);
        if (count > 0)
            keep_row(canvas, count, row_at(canvas, y) - canvas->pic.stride);
        for (; count > 0 && y < end && !rc->bad; y++)
            code_pixel_row(encode, canvas, rc, count, src, y);
    }
}

TAS_INLINE uint32_t rotate(uint32_t v, unsigned by) {
    return v << by | v >> (32 - by);
}

/* Four lanes side by side: one after the other would take four times as long. Each step can be undone, so
 * that a difference in one pixel never cancels out. */
static void sum_row(uint32_t sum[4], const uint32_t *px, uint32_t count) {
    uint32_t a = sum[0], b = sum[1], c = sum[2], d = sum[3], i = 0;
    for (; i + 4 <= count; i += 4) {
        a = rotate((a ^ px[i]) * SUM_MUL, 13);
        b = rotate((b ^ px[i + 1]) * SUM_MUL, 13);
        c = rotate((c ^ px[i + 2]) * SUM_MUL, 13);
        d = rotate((d ^ px[i + 3]) * SUM_MUL, 13);
    }
    if (i < count)
        a = rotate((a ^ px[i]) * SUM_MUL, 13);
    if (i + 1 < count)
        b = rotate((b ^ px[i + 1]) * SUM_MUL, 13);
    if (i + 2 < count)
        c = rotate((c ^ px[i + 2]) * SUM_MUL, 13);
    sum[0] = a, sum[1] = b, sum[2] = c, sum[3] = d;
}

static void sum_tiles(struct tas_canvas *canvas, uint32_t ty) {
    uint32_t y = ty * TAS_TILE, end = y + tas_clip(y, canvas->pic.height, TAS_TILE);
    for (; y < end; y++)
        for (uint32_t tx = 0; tx < canvas->tiles_across; tx++)
            if (canvas->tiles[tx] != TAS_TILE_SAME)
                sum_row(canvas->sum, row_at(canvas, y) + tx * TAS_TILE,
                        tas_clip(tx * TAS_TILE, canvas->pic.width, TAS_TILE));
}

uint32_t tas_canvas_sum(const struct tas_canvas *canvas) {
    uint32_t sum = 0;
    for (unsigned i = 0; i < 4; i++)
        sum = rotate((sum ^ canvas->sum[i]) * SUM_MUL, 13);
    return sum;
}

void tas_canvas_encode_empty(struct tas_canvas *canvas, struct tas_rc *rc) {
    code_has_row(true, canvas, rc, false);
}

void tas_canvas_encode_row(struct tas_canvas *canvas, struct tas_rc *rc, const struct tas_picture *src,
                           uint32_t ty) {
    code_has_row(true, canvas, rc, true);
    code_heads(true, canvas, rc, ty);
    code_pixels(true, canvas, rc, src, ty);
    sum_tiles(canvas, ty);
}

void tas_canvas_decode_row(struct tas_canvas *canvas, struct tas_rc *rc, uint32_t ty) {
    if (!code_has_row(false, canvas, rc, false))
        return;
    code_heads(false, canvas, rc, ty);
    for (uint32_t tx = 0; tx < canvas->tiles_across; tx++)
        if (canvas->tiles[tx] == TAS_TILE_FRESH)
            tas_canvas_blacken_tile(canvas, tx, ty);
    code_pixels(false, canvas, rc, NULL, ty);
    sum_tiles(canvas, ty);
}
