#include "codec/block_private.h"
#include "codec/encoder_private.h"

enum {
    TEMP_PERCENT = 96, /* unchanged pixels, above which a block is TEMP */
    LARGE_TILES = 64,  /* changed; above this time counts for more than bytes */
    ROUGH_WORK = 4,    /* blocks of JPEG that are as much work as one that is coded by context */
    BLOCK_PX = TAS_BLOCK * TAS_BLOCK,
};

bool plan_differs(const struct tas_encoder *enc, const struct tas_picture *src, uint32_t tx, uint32_t ty) {
    const struct tas_canvas *canvas = &enc->canvas;
    uint32_t x = tx * TAS_TILE, y = ty * TAS_TILE, width = tas_clip(x, canvas->pic.width, TAS_TILE);
    uint32_t end = y + tas_clip(y, canvas->pic.height, TAS_TILE);
    for (; y < end; y++) {
        const uint32_t *px = src->px + (size_t)y * src->stride + x, *was = tas_canvas_row(canvas, y) + x;
        if (width == TAS_TILE ? rows_differ(px, was, TAS_TILE) : rows_differ(px, was, width))
            return true;
    }
    return false;
}

static enum tas_block_mode choose_mode(const struct tas_encoder *enc, const struct block *b, bool is_fresh,
                                       const struct tas_frame_order *order) {
    if (!block_differs(b))
        return TAS_BLOCK_SKIP;
    if (enc->forced && (enc->forced != TAS_BLOCK_ROUGH || enc->rough))
        return enc->forced;
    if (!is_fresh && block_count_kept(b) * 100 > b->width * b->height * TEMP_PERCENT)
        return TAS_BLOCK_TEMP;
    if (block_is_plain(b))
        return TAS_BLOCK_CTX;
    if (enc->rough && order->quality > 0 && (block_is_photo(b) || (enc->is_large && block_is_grain(b))))
        return TAS_BLOCK_ROUGH;
    return block_exact_mode(b);
}

/* ---- tiles ---- */

static void add_block(struct row_plan *row, enum tas_block_mode mode) {
    row->exact += mode == TAS_BLOCK_CTX || mode == TAS_BLOCK_TEMP;
    row->lit += mode == TAS_BLOCK_LIT;
    row->rough += mode == TAS_BLOCK_ROUGH;
}

/* Blocks of a tile that lie in the picture: [*bx, *bx_end) x [*by, *by_end). */
static void blocks_of(const struct tas_canvas *canvas, uint32_t tx, uint32_t ty, uint32_t bounds[4]) {
    uint32_t bx_end = (tx + 1) * TAS_BLOCKS;
    bounds[0] = tx * TAS_BLOCKS;
    bounds[1] = bx_end < canvas->blocks_across ? bx_end : canvas->blocks_across;
    bounds[2] = ty * TAS_BLOCKS;
    bounds[3] = tas_canvas_blocks_end(canvas, ty);
}

/* Sets the modes of a tile's blocks; gives how many differ. */
static uint32_t plan_blocks(struct tas_encoder *enc, const struct tas_picture *src, uint32_t tx, uint32_t ty,
                            bool is_fresh, const struct tas_frame_order *order) {
    uint32_t at[4], count = 0;
    blocks_of(&enc->canvas, tx, ty, at);
    for (uint32_t by = at[2]; by < at[3]; by++)
        for (uint32_t bx = at[0]; bx < at[1]; bx++) {
            struct block b = block_at(&enc->canvas, src, bx, by);
            enum tas_block_mode mode = choose_mode(enc, &b, is_fresh, order);
            *tas_canvas_mode(&enc->canvas, bx, by) = (uint8_t)mode;
            count += mode != TAS_BLOCK_SKIP;
        }
    return count;
}

/* In a tile that is mostly a photograph the rest of it may be one, too. */
static void plan_beside(struct tas_encoder *enc, const struct tas_picture *src, uint32_t tx, uint32_t ty) {
    uint32_t at[4], rough = 0, others = 0;
    blocks_of(&enc->canvas, tx, ty, at);
    for (uint32_t by = at[2]; by < at[3]; by++)
        for (uint32_t bx = at[0]; bx < at[1]; bx++) {
            uint8_t mode = *tas_canvas_mode(&enc->canvas, bx, by);
            rough += mode == TAS_BLOCK_ROUGH;
            others += mode == TAS_BLOCK_CTX;
        }
    if (rough == 0 || rough < others)
        return;
    for (uint32_t by = at[2]; by < at[3]; by++)
        for (uint32_t bx = at[0]; bx < at[1]; bx++) {
            uint8_t *mode = tas_canvas_mode(&enc->canvas, bx, by);
            struct block b = block_at(&enc->canvas, src, bx, by);
            if (*mode == TAS_BLOCK_CTX && block_is_photo_beside(&b))
                *mode = TAS_BLOCK_ROUGH;
        }
}

/* The columns and rows of a tile that have changed at all; what is right already is not coded again. */
static void plan_clip(struct tas_encoder *enc, const struct tas_picture *src, uint32_t tx, uint32_t ty) {
    const struct tas_canvas *canvas = &enc->canvas;
    uint32_t x0 = tx * TAS_TILE, y0 = ty * TAS_TILE, width = tas_clip(x0, canvas->pic.width, TAS_TILE);
    uint32_t height = tas_clip(y0, canvas->pic.height, TAS_TILE);
    uint32_t columns[TAS_TILE] = {0}, first = TAS_TILE, end = 0;
    for (uint32_t y = 0; y < height; y++) {
        const uint32_t *px = src->px + (size_t)(y0 + y) * src->stride + x0;
        const uint32_t *was = tas_canvas_row(canvas, y0 + y) + x0;
        uint32_t any = 0;
        for (uint32_t x = 0; x < width; x++) {
            uint32_t difference = (px[x] ^ was[x]) & TAS_RGB;
            columns[x] |= difference;
            any |= difference;
        }
        first = any && first == TAS_TILE ? y : first;
        end = any ? y + 1 : end;
    }
    uint32_t left = 0, right = TAS_TILE;
    while (left < TAS_TILE - 1 && !columns[left])
        left++;
    while (right > left + 1 && !columns[right - 1])
        right--;
    if (enc->forced) /* everything is to be seen */
        left = first = 0, right = end = TAS_TILE;
    canvas->clips[(size_t)ty * canvas->tiles_across + tx] =
        (struct tas_clip_range){{(uint8_t)left, (uint8_t)first}, {(uint8_t)right, (uint8_t)end}};
}

/* Is it in the cache? Worth a look when much of it is to be coded. */
static bool plan_cached(struct tas_encoder *enc, const struct tas_picture *src, uint32_t tx, uint32_t ty,
                        uint32_t differing) {
    const struct tas_canvas *canvas = &enc->canvas;
    if (!tas_canvas_has_whole(canvas, tx, ty) || differing * 4 < TAS_BLOCKS * TAS_BLOCKS || enc->forced)
        return false;
    const uint32_t *px = src->px + (size_t)ty * TAS_TILE * src->stride + tx * TAS_TILE;
    int slot = tas_cache_index_find(enc->index, canvas->cache, px, src->stride);
    if (slot < 0)
        return false;
    canvas->slots[(size_t)ty * canvas->tiles_across + tx] = (uint16_t)slot;
    return true;
}

static void clear_blocks(struct tas_encoder *enc, uint32_t tx, uint32_t ty, enum tas_block_mode only) {
    uint32_t at[4];
    blocks_of(&enc->canvas, tx, ty, at);
    for (uint32_t by = at[2]; by < at[3]; by++)
        for (uint32_t bx = at[0]; bx < at[1]; bx++) {
            uint8_t *mode = tas_canvas_mode(&enc->canvas, bx, by);
            if (only == TAS_BLOCK_SKIP || *mode == only)
                *mode = TAS_BLOCK_SKIP;
        }
}

static bool count_blocks(struct tas_encoder *enc, uint32_t tx, uint32_t ty, struct row_plan *row) {
    uint32_t at[4], before = row->exact + row->lit + row->rough;
    blocks_of(&enc->canvas, tx, ty, at);
    for (uint32_t by = at[2]; by < at[3]; by++)
        for (uint32_t bx = at[0]; bx < at[1]; bx++)
            add_block(row, *tas_canvas_mode(&enc->canvas, bx, by));
    return row->exact + row->lit + row->rough > before;
}

static void plan_tile(struct tas_encoder *enc, const struct tas_picture *src, uint32_t tx, uint32_t ty,
                      const struct tas_frame_order *order) {
    bool is_fresh = tas_tiles_get(&enc->unknown, tx, ty);
    uint8_t *kind = &enc->canvas.tiles[(size_t)ty * enc->canvas.tiles_across + tx];
    if (is_fresh)
        tas_canvas_blacken_tile(&enc->canvas, tx, ty);
    uint32_t differing = plan_blocks(enc, src, tx, ty, is_fresh, order);
    if (plan_cached(enc, src, tx, ty, differing)) {
        clear_blocks(enc, tx, ty, TAS_BLOCK_SKIP);
        *kind = TAS_TILE_CACHED;
    } else if (differing > 0 || is_fresh) {
        *kind = is_fresh ? TAS_TILE_FRESH : TAS_TILE_CODED;
        if (!enc->forced)
            plan_beside(enc, src, tx, ty);
        if (!is_fresh)
            plan_clip(enc, src, tx, ty);
    }
}

/* What the rows will cost, after all is decided. */
static void sum_rows(struct tas_encoder *enc, bool is_text_only) {
    const struct tas_canvas *canvas = &enc->canvas;
    for (uint32_t ty = 0; ty < canvas->tiles_down; ty++) {
        struct row_plan *row = &enc->rows[ty];
        *row = (struct row_plan){0};
        for (uint32_t tx = 0; tx < canvas->tiles_across; tx++) {
            uint8_t *kind = &enc->canvas.tiles[(size_t)ty * canvas->tiles_across + tx];
            if (*kind == TAS_TILE_SAME)
                continue;
            if (is_text_only)
                clear_blocks(enc, tx, ty, TAS_BLOCK_ROUGH);
            if (!count_blocks(enc, tx, ty, row) && *kind == TAS_TILE_CODED)
                *kind = TAS_TILE_SAME;
            row->tiles += *kind != TAS_TILE_SAME;
        }
    }
}

/* A few blocks of photographs do not hold up text. */
static bool are_photos_dear(const struct tas_encoder *enc, const struct tas_frame_order *order) {
    size_t blocks = 0;
    for (size_t i = 0; i < (size_t)enc->canvas.blocks_across * enc->canvas.blocks_down; i++)
        blocks += enc->canvas.modes[i] == TAS_BLOCK_ROUGH;
    return (double)blocks * enc->rough_bytes * 2 > (double)order->bytes;
}

void plan_frame(struct tas_encoder *enc, const struct tas_picture *src, const struct tas_frame_order *order) {
    const struct tas_canvas *canvas = &enc->canvas;
    region_end(enc, order);
    enc->is_large = tas_tiles_count(&enc->changed) >= LARGE_TILES;
    for (uint32_t ty = 0; ty < canvas->tiles_down; ty++)
        for (uint32_t tx = 0; tx < canvas->tiles_across; tx++)
            if (tas_tiles_get(&enc->changed, tx, ty) && !region_has_tile(enc, tx, ty))
                plan_tile(enc, src, tx, ty, order);
    region_follow(enc, order);
    enc->holds_photos = order->is_text_only && are_photos_dear(enc, order);
    sum_rows(enc, enc->holds_photos);
}

/* ---- refinement ---- */

static void refine_tile(struct tas_encoder *enc, uint32_t tx, uint32_t ty,
                        const struct tas_frame_order *order) {
    uint32_t at[4];
    blocks_of(&enc->canvas, tx, ty, at);
    enc->canvas.tiles[(size_t)ty * enc->canvas.tiles_across + tx] = TAS_TILE_CODED;
    enc->canvas.clips[(size_t)ty * enc->canvas.tiles_across + tx] =
        (struct tas_clip_range){{0, 0}, {TAS_TILE, TAS_TILE}};
    for (uint32_t by = at[2]; by < at[3]; by++)
        for (uint32_t bx = at[0]; bx < at[1]; bx++) {
            struct block b = block_at(&enc->canvas, &enc->canvas.pic, bx, by);
            if (!block_is_rough(&b))
                continue;
            bool is_better_first =
                order->quality > 0 && !block_is_grain(&b); /* grain is cheap when it is exact */
            *tas_canvas_mode(&enc->canvas, bx, by) =
                (uint8_t)(is_better_first ? TAS_BLOCK_ROUGH : block_exact_mode(&b));
        }
}

void plan_refine(struct tas_encoder *enc, uint64_t still_us, const struct tas_frame_order *order) {
    const struct tas_canvas *canvas = &enc->canvas;
    for (uint32_t ty = 0; ty < canvas->tiles_down; ty++)
        for (uint32_t tx = 0; tx < canvas->tiles_across; tx++) {
            const struct tile_info *info = encoder_tile(enc, tx, ty);
            if (!tas_tiles_get(&canvas->rough, tx, ty) || info->changed_us > still_us ||
                region_has_tile(enc, tx, ty) || (order->quality > 0 && info->quality >= order->quality))
                continue;
            refine_tile(enc, tx, ty, order);
        }
    sum_rows(enc, false);
}

/* ---- what fits ---- */

static double bytes_of(const struct tas_encoder *enc, const struct row_plan *row) {
    return row->exact * enc->exact_bytes + row->lit * enc->lit_bytes + row->rough * enc->rough_bytes;
}

static uint64_t work_of(const struct row_plan *row) {
    return (row->exact + row->lit + row->rough / ROUGH_WORK) * (uint64_t)BLOCK_PX;
}

uint32_t plan_exact_px(const struct tas_encoder *enc) {
    uint32_t blocks = 0;
    for (uint32_t ty = 0; ty < enc->canvas.tiles_down; ty++)
        blocks += enc->rows[ty].is_selected ? enc->rows[ty].exact : 0;
    return blocks * BLOCK_PX;
}

uint32_t plan_work(const struct tas_encoder *enc) {
    uint64_t work = 0;
    for (uint32_t ty = 0; ty < enc->canvas.tiles_down; ty++)
        work += enc->rows[ty].is_selected ? work_of(&enc->rows[ty]) : 0;
    return work < UINT32_MAX ? (uint32_t)work : UINT32_MAX;
}

void plan_drop_row(struct tas_encoder *enc, uint32_t ty) {
    struct tas_canvas *canvas = &enc->canvas;
    uint32_t first = ty * TAS_BLOCKS, rows = tas_canvas_blocks_end(canvas, ty) - first;
    memset(canvas->tiles + (size_t)ty * canvas->tiles_across, TAS_TILE_SAME, canvas->tiles_across);
    memset(tas_canvas_mode(canvas, 0, first), TAS_BLOCK_SKIP, (size_t)rows * canvas->blocks_across);
    enc->rows[ty].is_selected = false;
}

/* The i-th row by distance from the focus: the focus itself, one below, one above, two below ... ; what falls
 * off one end goes on at the other. */
static uint32_t row_by_distance(uint32_t focus, uint32_t down, uint32_t i) {
    uint32_t above = focus, below = down - 1 - focus, both = above < below ? above : below;
    if (i <= 2 * both)
        return i % 2 ? focus + (i + 1) / 2 : focus - i / 2;
    return above < below ? i : down - 1 - i;
}

void plan_select(struct tas_encoder *enc, const struct tas_frame_order *order, size_t cap) {
    uint32_t down = enc->canvas.tiles_down, focus = order->focus_y / TAS_TILE, left = UINT32_MAX;
    double bytes = 0;
    uint64_t work = 0;
    size_t rough = 0;
    if (enc->has_left && enc->seq % 2) /* every second time what was left begins: nothing waits for ever */
        focus = enc->left_row;
    bool is_full = false, is_any = false;
    if (tas_tiles_count(&enc->unknown) > 0)
        focus = 0; /* unknown tiles are coded from the top: nothing may be read from one */
    if (focus >= down)
        focus = down - 1;
    for (uint32_t i = 0; i < down; i++) {
        uint32_t ty = row_by_distance(focus, down, i);
        struct row_plan *row = &enc->rows[ty];
        if (row->tiles == 0)
            continue;
        bytes += bytes_of(enc, row);
        work += work_of(row);
        rough += row->rough;
        is_full = is_full || (is_any && ((order->bytes > 0 && bytes > (double)order->bytes) ||
                                         (order->pixels > 0 && work > order->pixels) ||
                                         rough * TAS_ROUGH_LEAST > cap / 2));
        if (is_full)
            plan_drop_row(enc, ty);
        else
            row->is_selected = is_any = true;
        left = is_full && left == UINT32_MAX ? ty : left;
    }
    enc->has_left = left != UINT32_MAX;
    enc->left_row = left;
}
