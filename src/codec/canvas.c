#include "codec/canvas_private.h"

#include "base/wipe.h"

#include <stdlib.h>

enum {
    BORDER = 4,      /* black px right of each row, which are also those left of the next */
    BORDER_ROWS = 2, /* black rows above */
    ROWS = 5,        /* of rows_mem */
    SIZE_BITS = 14,  /* of a coordinate, or a size less 1 */
    VECTOR_BITS = 16,
    MOVES_LOG = 8,
};

#define SUM_MUL 0x9e3779b1u

static size_t row_len(const struct tas_canvas *canvas) {
    return (size_t)canvas->pic.stride + 2 * BORDER;
}

static int alloc_picture(struct tas_canvas *canvas, uint32_t width, uint32_t height) {
    uint32_t stride = width + BORDER;
    size_t before = (size_t)BORDER_ROWS * stride + BORDER;
    canvas->mem_len = before + (size_t)stride * height;
    canvas->mem = calloc(canvas->mem_len, sizeof(*canvas->mem));
    canvas->scratch = malloc(2 * (size_t)width * height * sizeof(*canvas->scratch));
    if (!canvas->mem || !canvas->scratch)
        return TAS_E_NOMEM;
    canvas->pic = (struct tas_picture){canvas->mem + before, width, height, stride};
    return tas_tiles_init(&canvas->rough, width, height);
}

static int alloc_plan(struct tas_canvas *canvas) {
    size_t tiles = (size_t)canvas->tiles_across * canvas->tiles_down;
    canvas->kept = calloc(tiles, 1);
    canvas->tiles = calloc(tiles, 1);
    canvas->slots = calloc(tiles, sizeof(*canvas->slots));
    canvas->clips = calloc(tiles, sizeof(*canvas->clips));
    canvas->modes = calloc((size_t)canvas->blocks_across * canvas->blocks_down, 1);
    canvas->spans = calloc(canvas->blocks_across, sizeof(*canvas->spans));
    canvas->rows_mem = calloc(ROWS * row_len(canvas), sizeof(*canvas->rows_mem));
    if (!canvas->kept || !canvas->tiles || !canvas->slots || !canvas->clips || !canvas->modes ||
        !canvas->spans || !canvas->rows_mem)
        return TAS_E_NOMEM;
    uint32_t **rows[ROWS] = {&canvas->old, &canvas->old_up, &canvas->masked, &canvas->masked_up,
                             &canvas->masked_up2};
    for (unsigned i = 0; i < ROWS; i++)
        *rows[i] = canvas->rows_mem + i * row_len(canvas) + BORDER;
    return TAS_OK;
}

int tas_canvas_init(struct tas_canvas *canvas, uint32_t width, uint32_t height, unsigned model_bits) {
    *canvas = (struct tas_canvas){
        .tiles_across = tas_tiles_across(width),
        .tiles_down = tas_tiles_across(height),
        .blocks_across = (width + TAS_BLOCK - 1) / TAS_BLOCK,
        .blocks_down = (height + TAS_BLOCK - 1) / TAS_BLOCK,
        .is_untouched = true,
    };
    canvas->model = tas_model_new(model_bits);
    canvas->cache = tas_cache_new(width, height);
    if (!canvas->model || !canvas->cache || alloc_picture(canvas, width, height) != TAS_OK)
        return TAS_E_NOMEM;
    return alloc_plan(canvas);
}

static void wipe_free(uint32_t *px, size_t len) {
    if (px)
        tas_wipe(px, len * sizeof(*px));
    free(px);
}

void tas_canvas_fini(struct tas_canvas *canvas) {
    tas_model_free(canvas->model);
    tas_cache_free(canvas->cache);
    wipe_free(canvas->mem, canvas->mem_len);
    wipe_free(canvas->rows_mem, ROWS * row_len(canvas));
    wipe_free(canvas->scratch, canvas->scratch_used);
    tas_tiles_fini(&canvas->rough);
    free(canvas->kept);
    free(canvas->tiles);
    free(canvas->slots);
    free(canvas->clips);
    free(canvas->modes);
    free(canvas->spans);
    *canvas = (struct tas_canvas){0};
}

void tas_canvas_reset(struct tas_canvas *canvas, bool with_picture) {
    if (canvas->is_untouched)
        return;
    canvas->is_untouched = with_picture;
    tas_model_reset(canvas->model);
    tas_cache_clear(canvas->cache);
    canvas->last_dx = canvas->last_dy = 0;
    if (!with_picture)
        return;
    memset(canvas->mem, 0, canvas->mem_len * sizeof(*canvas->mem));
    tas_tiles_clear(&canvas->rough);
}

void tas_canvas_blacken_tile(struct tas_canvas *canvas, uint32_t tx, uint32_t ty) {
    uint32_t x = tx * TAS_TILE, y = ty * TAS_TILE, width = tas_clip(x, canvas->pic.width, TAS_TILE);
    for (uint32_t row = 0; row < tas_clip(y, canvas->pic.height, TAS_TILE); row++)
        memset(tas_canvas_row(canvas, y + row) + x, 0, width * sizeof(uint32_t));
    tas_tiles_unset(&canvas->rough, tx, ty);
}

void tas_canvas_begin(struct tas_canvas *canvas) {
    size_t tiles = (size_t)canvas->tiles_across * canvas->tiles_down;
    memset(canvas->kept, 0, tiles);
    memset(canvas->tiles, TAS_TILE_SAME, tiles);
    memset(canvas->modes, TAS_BLOCK_SKIP, (size_t)canvas->blocks_across * canvas->blocks_down);
    canvas->n_moves = 0;
    canvas->is_untouched = false;
    canvas->had_row = canvas->had_cached = canvas->had_fresh = false;
    memset(canvas->sum, 0, sizeof(canvas->sum));
}

/* ---- tiles that go into the cache ---- */

TAS_INLINE void code_kept(const bool encode, struct tas_canvas *canvas, struct tas_rc *rc, uint32_t tx,
                          uint32_t ty) {
    uint8_t *kept = &canvas->kept[(size_t)ty * canvas->tiles_across + tx];
    unsigned left = tx > 0 && kept[-1], above = ty > 0 && *(kept - canvas->tiles_across);
    *kept = tas_rc_bin(encode, rc, &tas_model_heads(canvas->model)->kept[left + above], *kept);
    if (!encode && *kept && (!tas_canvas_has_whole(canvas, tx, ty) || tas_cache_slots(canvas->cache) == 0))
        rc->bad = true;
}

TAS_INLINE void code_all_kept(const bool encode, struct tas_canvas *canvas, struct tas_rc *rc) {
    size_t tiles = (size_t)canvas->tiles_across * canvas->tiles_down;
    bool has_kept = encode && memchr(canvas->kept, true, tiles);
    if (!tas_rc_bin(encode, rc, &tas_model_heads(canvas->model)->has_kept, has_kept))
        return;
    for (uint32_t ty = 0; ty < canvas->tiles_down; ty++)
        for (uint32_t tx = 0; tx < canvas->tiles_across; tx++)
            code_kept(encode, canvas, rc, tx, ty);
}

void tas_canvas_encode_kept(struct tas_canvas *canvas, struct tas_rc *rc) {
    code_all_kept(true, canvas, rc);
}

void tas_canvas_decode_kept(struct tas_canvas *canvas, struct tas_rc *rc) {
    code_all_kept(false, canvas, rc);
    if (!rc->bad)
        tas_canvas_keep(canvas, NULL, NULL);
}

void tas_canvas_keep(struct tas_canvas *canvas, tas_canvas_on_kept *on_kept, void *ctx) {
    for (uint32_t ty = 0; ty < canvas->tiles_down; ty++)
        for (uint32_t tx = 0; tx < canvas->tiles_across; tx++) {
            if (!canvas->kept[(size_t)ty * canvas->tiles_across + tx])
                continue;
            const uint32_t *px = tas_canvas_row(canvas, ty * TAS_TILE) + tx * TAS_TILE;
            uint32_t slot = tas_cache_keep(canvas->cache, px, canvas->pic.stride);
            if (on_kept)
                on_kept(ctx, tx, ty, slot);
        }
}

/* ---- moves ---- */

TAS_INLINE uint32_t code_bits(const bool encode, struct tas_rc *rc, uint32_t value, unsigned bits) {
    uint32_t high = tas_rc_raw(encode, rc, value >> 8, bits - 8);
    return high << 8 | tas_rc_raw(encode, rc, value & 255, 8);
}

TAS_INLINE struct tas_move code_move(const bool encode, struct tas_canvas *canvas, struct tas_rc *rc,
                                     struct tas_move move) {
    struct tas_prob *is_same = &tas_model_heads(canvas->model)->is_same_vector;
    move.x = (uint16_t)code_bits(encode, rc, move.x, SIZE_BITS);
    move.y = (uint16_t)code_bits(encode, rc, move.y, SIZE_BITS);
    move.w = (uint16_t)(code_bits(encode, rc, encode ? move.w - 1u : 0, SIZE_BITS) + 1);
    move.h = (uint16_t)(code_bits(encode, rc, encode ? move.h - 1u : 0, SIZE_BITS) + 1);
    if (!tas_rc_bin(encode, rc, is_same, move.dx == canvas->last_dx && move.dy == canvas->last_dy)) {
        move.dx = (int16_t)((int)code_bits(encode, rc, (uint32_t)(move.dx + TAS_PICTURE_MAX), VECTOR_BITS) -
                            TAS_PICTURE_MAX);
        move.dy = (int16_t)((int)code_bits(encode, rc, (uint32_t)(move.dy + TAS_PICTURE_MAX), VECTOR_BITS) -
                            TAS_PICTURE_MAX);
        canvas->last_dx = move.dx;
        canvas->last_dy = move.dy;
    } else {
        move.dx = canvas->last_dx;
        move.dy = canvas->last_dy;
    }
    return move;
}

TAS_INLINE void code_moves(const bool encode, struct tas_canvas *canvas, struct tas_rc *rc) {
    struct tas_model_heads *heads = tas_model_heads(canvas->model);
    if (!tas_rc_bin(encode, rc, &heads->is_moved, canvas->n_moves > 0)) {
        canvas->n_moves = 0;
        return;
    }
    uint32_t count =
        tas_rc_number(encode, rc, &heads->moves, encode ? canvas->n_moves - 1u : 0, MOVES_LOG) + 1;
    if (!encode && count > TAS_MOVES_MAX) {
        rc->bad = true;
        return;
    }
    for (canvas->n_moves = 0; canvas->n_moves < count; canvas->n_moves++)
        canvas->moves[canvas->n_moves] = code_move(encode, canvas, rc, canvas->moves[canvas->n_moves]);
}

void tas_canvas_encode_moves(struct tas_canvas *canvas, struct tas_rc *rc) {
    code_moves(true, canvas, rc);
}

/* Some rough pixel in the tiles that the rectangle touches? */
static bool has_rough(const struct tas_canvas *canvas, uint32_t x, uint32_t y, uint32_t w, uint32_t h) {
    for (uint32_t ty = y / TAS_TILE; ty <= (y + h - 1) / TAS_TILE; ty++)
        for (uint32_t tx = x / TAS_TILE; tx <= (x + w - 1) / TAS_TILE; tx++)
            if (tas_tiles_get(&canvas->rough, tx, ty))
                return true;
    return false;
}

static bool is_rough_tile(const struct tas_canvas *canvas, uint32_t tx, uint32_t ty) {
    uint32_t x = tx * TAS_TILE, y = ty * TAS_TILE, width = tas_clip(x, canvas->pic.width, TAS_TILE);
    uint32_t end = y + tas_clip(y, canvas->pic.height, TAS_TILE);
    for (; y < end; y++) {
        const uint32_t *px = tas_canvas_row(canvas, y) + x;
        uint32_t any = 0;
        for (uint32_t i = 0; i < width; i++)
            any |= px[i];
        if (any & TAS_ROUGH) /* mostly in the first row, where there is any */
            return true;
    }
    return false;
}

void tas_canvas_look_for_rough(struct tas_canvas *canvas, uint32_t tx, uint32_t ty) {
    if (is_rough_tile(canvas, tx, ty))
        tas_tiles_set(&canvas->rough, tx, ty);
    else
        tas_tiles_unset(&canvas->rough, tx, ty);
}

/* Where do moves from or onto rough pixels leave some? */
static void look_at_moved(struct tas_canvas *canvas) {
    for (unsigned i = 0; i < canvas->n_moves; i++) {
        const struct tas_move *m = &canvas->moves[i];
        for (uint32_t ty = m->y / TAS_TILE; ty <= (m->y + m->h - 1u) / TAS_TILE; ty++)
            for (uint32_t tx = m->x / TAS_TILE; tx <= (m->x + m->w - 1u) / TAS_TILE; tx++)
                if (tas_tiles_get(&canvas->rough, tx, ty))
                    tas_canvas_look_for_rough(canvas, tx, ty);
    }
}

void tas_canvas_use_scratch(struct tas_canvas *canvas, size_t len) {
    canvas->scratch_used = len > canvas->scratch_used ? len : canvas->scratch_used;
}

void tas_canvas_move(struct tas_canvas *canvas, struct tas_tiles *painted) {
    size_t area = 0;
    for (unsigned i = 0; i < canvas->n_moves; i++) {
        const struct tas_move *m = &canvas->moves[i];
        if (has_rough(canvas, (uint32_t)(m->x + m->dx), (uint32_t)(m->y + m->dy), m->w, m->h))
            tas_tiles_set_rect(&canvas->rough, m->x, m->y, m->w, m->h);
        tas_tiles_set_rect(painted, m->x, m->y, m->w, m->h);
        area += (size_t)m->w * m->h;
    }
    tas_canvas_use_scratch(canvas, area);
    tas_moves_apply(&canvas->pic, canvas->moves, canvas->n_moves, canvas->scratch);
    look_at_moved(canvas);
}

void tas_canvas_decode_moves(struct tas_canvas *canvas, struct tas_rc *rc, struct tas_tiles *painted) {
    size_t area = 0, most = 2 * (size_t)canvas->pic.width * canvas->pic.height;
    code_moves(false, canvas, rc);
    for (unsigned i = 0; i < canvas->n_moves && !rc->bad; i++) {
        const struct tas_move *m = &canvas->moves[i];
        area += (size_t)m->w * m->h;
        rc->bad = !tas_move_is_valid(m, canvas->pic.width, canvas->pic.height) || area > most;
    }
    if (!rc->bad)
        tas_canvas_move(canvas, painted);
}

/* ---- checksum ---- */

uint16_t tas_canvas_sum(const struct tas_canvas *canvas) {
    uint32_t sum = 0;
    for (unsigned i = 0; i < TAS_BLOCK; i++)
        for (unsigned k = 0; k < 2; k++) {
            sum = (sum ^ canvas->sum[k][i]) * SUM_MUL;
            sum = sum << 13 | sum >> 19;
        }
    return (uint16_t)(sum ^ sum >> 16);
}

/* ---- rough pixels ---- */

void tas_canvas_roughen(struct tas_canvas *canvas, uint32_t x, uint32_t y, uint32_t width, uint32_t height) {
    for (uint32_t row = y; row < y + height; row++) {
        uint32_t *px = tas_canvas_row(canvas, row) + x;
        for (uint32_t i = 0; i < width; i++)
            px[i] |= TAS_ROUGH;
    }
    tas_tiles_set_rect(&canvas->rough, (int32_t)x, (int32_t)y, width, height);
}
