/* One row of tiles: what is in it, then its pixels. */
#include "codec/canvas_private.h"

#define ROUGH_VALUE TAS_ROUGH /* what contexts and checksum see of a rough pixel, whatever its colour */

static uint8_t *tile_of(const struct tas_canvas *canvas, uint32_t tx, uint32_t ty) {
    return &canvas->tiles[(size_t)ty * canvas->tiles_across + tx];
}

/* ---- heads ---- */

/* Is anything in this row of tiles changed? */
TAS_INLINE bool code_has_row(const bool encode, struct tas_canvas *canvas, struct tas_rc *rc, bool has_row) {
    struct tas_model_heads *heads = tas_model_heads(canvas->model);
    has_row = tas_rc_bin(encode, rc, &heads->row[canvas->had_row], has_row);
    canvas->had_row = has_row;
    return has_row;
}

TAS_INLINE void code_slot(const bool encode, struct tas_canvas *canvas, struct tas_rc *rc, uint16_t *slot) {
    uint32_t high = tas_rc_raw(encode, rc, *slot >> 8, TAS_CACHE_BITS - 8);
    *slot = (uint16_t)(high << 8 | tas_rc_raw(encode, rc, *slot & 255u, 8));
    if (!encode && !tas_cache_has(canvas->cache, *slot)) {
        rc->bad = true;
        *slot = 0;
    }
}

TAS_INLINE uint8_t code_tile(const bool encode, struct tas_canvas *canvas, struct tas_rc *rc, uint32_t tx,
                             uint32_t ty) {
    struct tas_model_heads *heads = tas_model_heads(canvas->model);
    const uint8_t *tile = tile_of(canvas, tx, ty);
    unsigned left = tx > 0 && tile[-1] != TAS_TILE_SAME,
             above = ty > 0 && *(tile - canvas->tiles_across) != TAS_TILE_SAME;
    if (!tas_rc_bin(encode, rc, &heads->changed[left + above], *tile != TAS_TILE_SAME))
        return TAS_TILE_SAME;
    canvas->had_cached = tas_rc_bin(encode, rc, &heads->cached[canvas->had_cached], *tile == TAS_TILE_CACHED);
    if (canvas->had_cached) {
        code_slot(encode, canvas, rc, &canvas->slots[(size_t)ty * canvas->tiles_across + tx]);
        if (!encode && !tas_canvas_has_whole(canvas, tx, ty))
            rc->bad = true;
        return TAS_TILE_CACHED;
    }
    canvas->had_fresh = tas_rc_bin(encode, rc, &heads->fresh[canvas->had_fresh], *tile == TAS_TILE_FRESH);
    return canvas->had_fresh ? TAS_TILE_FRESH : TAS_TILE_CODED;
}

/* One of the two ranges of a clip: all of it; or that of the neighbour on which such a change goes on; or
 * anything. */
TAS_INLINE void code_range(const bool encode, struct tas_canvas *canvas, struct tas_rc *rc,
                           struct tas_clip_range *clip, const unsigned axis, const uint8_t *neighbour,
                           const struct tas_clip_range *its_clip) {
    struct tas_model_heads *heads = tas_model_heads(canvas->model);
    bool is_whole = clip->from[axis] == 0 && clip->to[axis] == TAS_TILE;
    if (tas_rc_bin(encode, rc, &heads->whole[axis], is_whole)) {
        clip->from[axis] = 0, clip->to[axis] = TAS_TILE;
        return;
    }
    if (neighbour && *neighbour == TAS_TILE_CODED) {
        bool is_same = clip->from[axis] == its_clip->from[axis] && clip->to[axis] == its_clip->to[axis];
        if (tas_rc_bin(encode, rc, &heads->same[axis], is_same)) {
            clip->from[axis] = its_clip->from[axis], clip->to[axis] = its_clip->to[axis];
            return;
        }
    }
    clip->from[axis] = (uint8_t)tas_rc_raw(encode, rc, clip->from[axis], 6);
    clip->to[axis] = (uint8_t)(tas_rc_raw(encode, rc, encode ? clip->to[axis] - 1u : 0, 6) + 1);
}

TAS_INLINE void code_clip(const bool encode, struct tas_canvas *canvas, struct tas_rc *rc, uint32_t tx,
                          uint32_t ty) {
    size_t i = (size_t)ty * canvas->tiles_across + tx;
    const uint8_t *tile = &canvas->tiles[i];
    struct tas_clip_range *clip = &canvas->clips[i];
    ptrdiff_t above = -(ptrdiff_t)canvas->tiles_across;
    code_range(encode, canvas, rc, clip, 0, ty > 0 ? tile + above : NULL, ty > 0 ? clip + above : NULL);
    code_range(encode, canvas, rc, clip, 1, tx > 0 ? tile - 1 : NULL, tx > 0 ? clip - 1 : NULL);
}

/* How many of the two neighbours have this mode. */
TAS_INLINE unsigned count_of(enum tas_block_mode mode, uint8_t left, uint8_t above) {
    return (unsigned)(left == mode) + (unsigned)(above == mode);
}

TAS_INLINE uint8_t code_mode(const bool encode, struct tas_canvas *canvas, struct tas_rc *rc, uint32_t bx,
                             uint32_t by) {
    struct tas_model_heads *heads = tas_model_heads(canvas->model);
    const uint8_t *here = tas_canvas_mode(canvas, bx, by);
    uint8_t mode = *here, left = bx > 0 ? here[-1] : TAS_BLOCK_SKIP,
            above = by > 0 ? *(here - canvas->blocks_across) : TAS_BLOCK_SKIP;
    struct tas_prob *coded = &heads->coded[left != TAS_BLOCK_SKIP][above != TAS_BLOCK_SKIP];
    if (!tas_rc_bin(encode, rc, coded, mode != TAS_BLOCK_SKIP))
        return TAS_BLOCK_SKIP;
    struct tas_prob *rough = &heads->rough[count_of(TAS_BLOCK_ROUGH, left, above)];
    if (tas_rc_bin(encode, rc, rough, mode == TAS_BLOCK_ROUGH))
        return TAS_BLOCK_ROUGH;
    struct tas_prob *lit = &heads->lit[count_of(TAS_BLOCK_LIT, left, above)];
    if (tas_rc_bin(encode, rc, lit, mode == TAS_BLOCK_LIT))
        return TAS_BLOCK_LIT;
    struct tas_prob *temp = &heads->temp[count_of(TAS_BLOCK_TEMP, left, above)];
    return tas_rc_bin(encode, rc, temp, mode == TAS_BLOCK_TEMP) ? TAS_BLOCK_TEMP : TAS_BLOCK_CTX;
}

static bool has_blocks(const struct tas_canvas *canvas, uint32_t bx, uint32_t ty) {
    uint8_t kind = *tile_of(canvas, bx / TAS_BLOCKS, ty);
    return kind == TAS_TILE_CODED || kind == TAS_TILE_FRESH;
}

/* The tiles of a row, then the modes of the blocks in the coded ones, row of blocks by row of blocks. */
TAS_INLINE void code_heads(const bool encode, struct tas_canvas *canvas, struct tas_rc *rc, uint32_t ty) {
    for (uint32_t tx = 0; tx < canvas->tiles_across; tx++) {
        *tile_of(canvas, tx, ty) = code_tile(encode, canvas, rc, tx, ty);
        if (*tile_of(canvas, tx, ty) == TAS_TILE_CODED)
            code_clip(encode, canvas, rc, tx, ty);
    }
    for (uint32_t by = ty * TAS_BLOCKS; by < tas_canvas_blocks_end(canvas, ty); by++)
        for (uint32_t bx = 0; bx < canvas->blocks_across; bx++)
            if (has_blocks(canvas, bx, ty))
                *tas_canvas_mode(canvas, bx, by) = code_mode(encode, canvas, rc, bx, by);
}

/* What needs no pixels. */
static void paint_tiles(struct tas_canvas *canvas, uint32_t ty) {
    for (uint32_t tx = 0; tx < canvas->tiles_across; tx++) {
        size_t i = (size_t)ty * canvas->tiles_across + tx;
        if (canvas->tiles[i] == TAS_TILE_FRESH) {
            tas_canvas_blacken_tile(canvas, tx, ty);
        } else if (canvas->tiles[i] == TAS_TILE_CACHED) {
            tas_cache_paint(canvas->cache, canvas->slots[i],
                            tas_canvas_row(canvas, ty * TAS_TILE) + tx * TAS_TILE, canvas->pic.stride);
            tas_tiles_set(&canvas->rough, tx, ty); /* until looked at, below */
        }
    }
}

/* ---- pixels ---- */

/* What of a block is coded: within the picture, and the clip of its tile. */
static struct tas_canvas_span span_of(const struct tas_canvas *canvas, uint32_t bx, uint32_t by) {
    size_t tile = (size_t)(by / TAS_BLOCKS) * canvas->tiles_across + bx / TAS_BLOCKS;
    uint32_t x = bx * TAS_BLOCK, y = by * TAS_BLOCK;
    struct tas_canvas_span span = {x, x + tas_clip(x, canvas->pic.width, TAS_BLOCK), y,
                                   y + tas_clip(y, canvas->pic.height, TAS_BLOCK),
                                   canvas->modes[(size_t)by * canvas->blocks_across + bx]};
    if (canvas->tiles[tile] != TAS_TILE_CODED)
        return span;
    const struct tas_clip_range *clip = &canvas->clips[tile];
    uint32_t left = x / TAS_TILE * TAS_TILE, top = y / TAS_TILE * TAS_TILE;
    span.x0 = left + clip->from[0] > span.x0 ? left + clip->from[0] : span.x0;
    span.x1 = left + clip->to[0] < span.x1 ? left + clip->to[0] : span.x1;
    span.y0 = top + clip->from[1] > span.y0 ? top + clip->from[1] : span.y0;
    span.y1 = top + clip->to[1] < span.y1 ? top + clip->to[1] : span.y1;
    return span;
}

static bool goes_on(const struct tas_canvas_span *a, const struct tas_canvas_span *b) {
    return a->x1 == b->x0 && a->mode == b->mode && a->y0 == b->y0 && a->y1 == b->y1;
}

/* The spans of a row of blocks into canvas->spans: neighbouring blocks of one mode are one span. */
static uint32_t spans_of(struct tas_canvas *canvas, uint32_t by) {
    uint32_t count = 0;
    for (uint32_t bx = 0; bx < canvas->blocks_across; bx++) {
        uint8_t mode = *tas_canvas_mode(canvas, bx, by);
        if (mode == TAS_BLOCK_SKIP || mode == TAS_BLOCK_ROUGH)
            continue;
        struct tas_canvas_span span = span_of(canvas, bx, by);
        if (span.x0 >= span.x1 || span.y0 >= span.y1)
            continue;
        if (count > 0 && goes_on(&canvas->spans[count - 1], &span))
            canvas->spans[count - 1].x1 = span.x1;
        else
            canvas->spans[count++] = span;
    }
    return count;
}

static void mask(uint32_t *to, const uint32_t *from, uint32_t count) {
    for (uint32_t x = 0; x < count; x++) {
        uint32_t is_rough = (uint32_t)((int32_t)from[x] >> 31);
        to[x] = (from[x] & ~is_rough) | (ROUGH_VALUE & is_rough);
    }
}

static uint32_t *picture_row(const struct tas_canvas *canvas, int64_t y) {
    return canvas->pic.px + y * (ptrdiff_t)canvas->pic.stride;
}

/* Keeps the row `from` of the picture, where TEMP spans look, before it is painted over. */
static void keep_row(struct tas_canvas *canvas, uint32_t count, const uint32_t *from) {
    uint32_t *spare = canvas->old_up;
    canvas->old_up = canvas->old;
    canvas->old = spare;
    for (uint32_t i = 0; i < count; i++) {
        const struct tas_canvas_span *span = &canvas->spans[i];
        if (span->mode == TAS_BLOCK_TEMP)
            mask(canvas->old + span->x0 - 1, from + span->x0 - 1, span->x1 - span->x0 + 2);
    }
}

TAS_INLINE void code_spans(const bool encode, struct tas_canvas *canvas, struct tas_rc *rc, uint32_t count,
                           const struct tas_span *rows, uint32_t y) {
    for (uint32_t i = 0; i < count; i++) {
        struct tas_span span = *rows;
        if (y < canvas->spans[i].y0 || y >= canvas->spans[i].y1)
            continue;
        span.x0 = canvas->spans[i].x0;
        span.x1 = canvas->spans[i].x1;
        span.mode = canvas->spans[i].mode;
        span.old = canvas->old;
        span.old_up = canvas->old_up;
        if (encode)
            tas_model_encode(canvas->model, rc, &span);
        else
            tas_model_decode(canvas->model, rc, &span);
    }
}

/* As much of a row as the model looks at when it codes the spans. */
static void mask_spans(const struct tas_canvas *canvas, uint32_t count, uint32_t *to, const uint32_t *from) {
    enum { AROUND = 4 };
    for (uint32_t i = 0; i < count; i++) {
        const struct tas_canvas_span *span = &canvas->spans[i];
        ptrdiff_t x = (ptrdiff_t)span->x0 - AROUND;
        mask(to + x, from + x, span->x1 - span->x0 + 2 * AROUND);
    }
}

/* Where rough pixels are near, the model works on copies in which they are all alike. */
TAS_INLINE void code_masked(const bool encode, struct tas_canvas *canvas, struct tas_rc *rc, uint32_t count,
                            const struct tas_picture *src, uint32_t y) {
    uint32_t *row = picture_row(canvas, y);
    mask_spans(canvas, count, canvas->masked, row);
    struct tas_span rows = {.row = canvas->masked, .up = canvas->masked_up, .up2 = canvas->masked_up2};
    if (encode)
        rows.src = src ? src->px + (size_t)y * src->stride : row;
    code_spans(encode, canvas, rc, count, &rows, y);
    for (uint32_t i = 0; i < count; i++) {
        const struct tas_canvas_span *span = &canvas->spans[i];
        if (y >= span->y0 && y < span->y1)
            memcpy(row + span->x0, canvas->masked + span->x0, (span->x1 - span->x0) * sizeof(*row));
    }
    uint32_t *spare = canvas->masked_up2;
    canvas->masked_up2 = canvas->masked_up;
    canvas->masked_up = canvas->masked;
    canvas->masked = spare;
}

TAS_INLINE void code_pixel_row(const bool encode, const bool is_masked, struct tas_canvas *canvas,
                               struct tas_rc *rc, uint32_t count, const struct tas_picture *src, uint32_t y) {
    uint32_t *row = picture_row(canvas, y);
    keep_row(canvas, count, row);
    if (is_masked) {
        code_masked(encode, canvas, rc, count, src, y);
        return;
    }
    struct tas_span rows = {
        .row = row, .up = picture_row(canvas, (int64_t)y - 1), .up2 = picture_row(canvas, (int64_t)y - 2)};
    if (encode)
        rows.src = src ? src->px + (size_t)y * src->stride : row;
    code_spans(encode, canvas, rc, count, &rows, y);
}

/* Pixel row by pixel row across the whole width, so that the neighbour to the upper right is always known. */
TAS_INLINE void code_pixels(const bool encode, const bool is_masked, struct tas_canvas *canvas,
                            struct tas_rc *rc, const struct tas_picture *src, uint32_t ty) {
    for (uint32_t by = ty * TAS_BLOCKS; by < tas_canvas_blocks_end(canvas, ty); by++) {
        uint32_t count = spans_of(canvas, by), y = by * TAS_BLOCK;
        uint32_t end = y + tas_clip(y, canvas->pic.height, TAS_BLOCK);
        if (count == 0)
            continue;
        keep_row(canvas, count, picture_row(canvas, (int64_t)y - 1));
        if (is_masked) {
            mask_spans(canvas, count, canvas->masked_up, picture_row(canvas, (int64_t)y - 1));
            mask_spans(canvas, count, canvas->masked_up2, picture_row(canvas, (int64_t)y - 2));
        }
        for (; y < end && !rc->bad; y++)
            code_pixel_row(encode, is_masked, canvas, rc, count, src, y);
    }
}

static bool has_rough(const struct tas_canvas *canvas, uint32_t ty) {
    for (uint32_t tx = 0; tx < canvas->tiles_across; tx++)
        if (tas_tiles_get(&canvas->rough, tx, ty) || (ty > 0 && tas_tiles_get(&canvas->rough, tx, ty - 1)))
            return true;
    return false;
}

/* ---- after the pixels ---- */

/* Adds a row of a tile to the sums of pixels, and to the sums of these sums: place counts, and the compiler
 * takes whole vectors. */
TAS_INLINE void sum_row(uint32_t sum[2][TAS_BLOCK], const uint32_t *px, uint32_t count,
                        const bool has_rough) {
    uint32_t x = 0;
    for (; x + TAS_BLOCK <= count; x += TAS_BLOCK)
        for (unsigned i = 0; i < TAS_BLOCK; i++) {
            uint32_t is_rough = has_rough ? (uint32_t)((int32_t)px[x + i] >> 31) : 0;
            sum[0][i] += (px[x + i] & ~is_rough) | (ROUGH_VALUE & is_rough);
            sum[1][i] += sum[0][i];
        }
    for (unsigned i = 0; x + i < count; i++) {
        sum[0][i] += px[x + i] & TAS_ROUGH ? ROUGH_VALUE : px[x + i];
        sum[1][i] += sum[0][i];
    }
}

/* The sums in an array that nobody else sees: they can stay in registers. */
static void sum_tile(struct tas_canvas *canvas, uint32_t tx, uint32_t ty) {
    uint32_t x = tx * TAS_TILE, y = ty * TAS_TILE, width = tas_clip(x, canvas->pic.width, TAS_TILE);
    uint32_t end = y + tas_clip(y, canvas->pic.height, TAS_TILE), sum[2][TAS_BLOCK];
    memcpy(sum, canvas->sum, sizeof(sum));
    if (tas_tiles_get(&canvas->rough, tx, ty))
        for (; y < end; y++)
            sum_row(sum, picture_row(canvas, y) + x, width, true);
    else
        for (; y < end; y++)
            sum_row(sum, picture_row(canvas, y) + x, width, false);
    memcpy(canvas->sum, sum, sizeof(sum));
}

static void look_at_row(struct tas_canvas *canvas, uint32_t ty) {
    for (uint32_t tx = 0; tx < canvas->tiles_across; tx++) {
        if (*tile_of(canvas, tx, ty) == TAS_TILE_SAME)
            continue;
        sum_tile(canvas, tx, ty);
        if (tas_tiles_get(&canvas->rough, tx, ty))
            tas_canvas_look_for_rough(canvas, tx, ty);
    }
}

/* ---- both directions ---- */

TAS_INLINE void code_row(const bool encode, struct tas_canvas *canvas, struct tas_rc *rc,
                         const struct tas_picture *src, uint32_t ty) {
    code_heads(encode, canvas, rc, ty);
    if (rc->bad)
        return;
    paint_tiles(canvas, ty);
    if (has_rough(canvas, ty))
        code_pixels(encode, true, canvas, rc, src, ty);
    else
        code_pixels(encode, false, canvas, rc, src, ty);
    look_at_row(canvas, ty);
}

void tas_canvas_encode_empty(struct tas_canvas *canvas, struct tas_rc *rc) {
    code_has_row(true, canvas, rc, false);
}

void tas_canvas_encode_row(struct tas_canvas *canvas, struct tas_rc *rc, const struct tas_picture *src,
                           uint32_t ty) {
    code_has_row(true, canvas, rc, true);
    code_row(true, canvas, rc, src, ty);
}

void tas_canvas_decode_row(struct tas_canvas *canvas, struct tas_rc *rc, uint32_t ty) {
    if (code_has_row(false, canvas, rc, false))
        code_row(false, canvas, rc, NULL, ty);
}
