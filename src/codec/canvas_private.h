/* What both ends of a stream keep and change alike: the picture, the model and the cache, and the coding of
 * moves and of rows of tiles on them. Encoder and decoder differ in where the kinds of tiles and the modes of
 * blocks come from: one looks, the other reads. */
#pragma once

#include "codec/cache_private.h"
#include "codec/model_private.h"
#include "codec/motion_private.h"

enum {
    TAS_BLOCK = 16, /* px, edge of the blocks that have a mode */
    TAS_BLOCKS = TAS_TILE / TAS_BLOCK,

    /* Most bytes that the heads of a tile can cost: seven bins, 24 raw bits (its clip), four bins a block. */
    TAS_CANVAS_TILE_MAX = ((7 + 4 * TAS_BLOCKS * TAS_BLOCKS) * TAS_RC_BIN_BITS + 25 + 7) / 8,
};

enum tas_tile_kind {
    TAS_TILE_SAME,
    TAS_TILE_CODED,
    TAS_TILE_FRESH,  /* coded, and black before anything is coded in it */
    TAS_TILE_CACHED, /* painted from the cache */
};

/* Of a coded tile: the columns [from[0], to[0]) and rows [from[1], to[1]) outside which nothing has changed.
 */
struct tas_clip_range {
    uint8_t from[2], to[2]; /* px in the tile */
};

/* A span of a row of blocks, in the rows [y0, y1) of the picture. */
struct tas_canvas_span {
    uint32_t x0, x1, y0, y1;
    enum tas_block_mode mode;
};

struct tas_canvas {
    struct tas_picture pic;  /* px points into mem, stride is wider than the picture */
    uint32_t *mem;           /* owned: the picture and a black border that is never written */
    size_t mem_len;          /* px */
    struct tas_model *model; /* owned */
    struct tas_cache *cache; /* owned */
    struct tas_tiles rough;  /* tiles that hold rough pixels; owned */
    uint32_t tiles_across, tiles_down, blocks_across, blocks_down;
    bool is_untouched; /* since it was made or all was reset: there is nothing to reset */

    /* Of the frame that is being coded. Rows that are not coded are SAME and SKIP. */
    struct tas_move moves[TAS_MOVES_MAX];
    unsigned n_moves;
    uint8_t *kept;                /* bool for each tile: into the cache as it was before the frame; owned */
    uint8_t *tiles;               /* enum tas_tile_kind; owned */
    uint16_t *slots;              /* of CACHED tiles; owned */
    struct tas_clip_range *clips; /* of CODED tiles; owned */
    uint8_t *modes;               /* enum tas_block_mode of each block; owned */
    bool had_row, had_cached, had_fresh;
    uint32_t sum[2][TAS_BLOCK]; /* the checksum so far; one lane for each column of a block */

    int16_t last_dx, last_dy; /* vector of the last move, also over frames */

    struct tas_canvas_span *spans;             /* owned; room for the spans of one row of blocks */
    uint32_t *rows_mem;                        /* owned; five rows with borders: */
    uint32_t *old, *old_up;                    /* what was there before, for TEMP */
    uint32_t *masked, *masked_up, *masked_up2; /* with rough pixels all alike, where there are any */
    uint32_t *scratch;                         /* owned; for moves: twice the pixels of the picture */
    size_t scratch_used;                       /* px: what has to be wiped, the rest was never touched */
};

/* A black picture, a model that knows nothing, an empty cache. TAS_E_NOMEM: fini is still due. */
TAS_MUST_USE int tas_canvas_init(struct tas_canvas *canvas, uint32_t width, uint32_t height,
                                 unsigned model_bits);
void tas_canvas_fini(struct tas_canvas *canvas); /* wipes */

/* Model and cache know nothing; with_picture: all black too. */
void tas_canvas_reset(struct tas_canvas *canvas, bool with_picture);
/* One tile black. */
void tas_canvas_blacken_tile(struct tas_canvas *canvas, uint32_t tx, uint32_t ty);

/* Before a frame: no moves, nothing kept, all tiles SAME, all blocks SKIP. */
void tas_canvas_begin(struct tas_canvas *canvas);

/* Which tiles are kept: codes canvas->kept, or reads it and puts them into the cache. */
void tas_canvas_encode_kept(struct tas_canvas *canvas, struct tas_rc *rc);
void tas_canvas_decode_kept(struct tas_canvas *canvas, struct tas_rc *rc);
/* Puts the tiles of canvas->kept into the cache; on_kept (may be NULL) hears of each. */
typedef void tas_canvas_on_kept(void *ctx, uint32_t tx, uint32_t ty, uint32_t slot);
void tas_canvas_keep(struct tas_canvas *canvas, tas_canvas_on_kept *on_kept, void *ctx);

/* Codes canvas->moves, or reads them and carries them out. `painted` gets the tiles that they touch. */
void tas_canvas_encode_moves(struct tas_canvas *canvas, struct tas_rc *rc);
void tas_canvas_decode_moves(struct tas_canvas *canvas, struct tas_rc *rc, struct tas_tiles *painted);
void tas_canvas_move(struct tas_canvas *canvas, struct tas_tiles *painted);

/* So many pixels of scratch are about to be written. */
void tas_canvas_use_scratch(struct tas_canvas *canvas, size_t len);

/* Codes that nothing of the next row of tiles has changed. */
void tas_canvas_encode_empty(struct tas_canvas *canvas, struct tas_rc *rc);

/* Codes the row of tiles `ty` as canvas->tiles, slots and modes say. src: the new picture; NULL: the canvas's
 * own, rough pixels being coded with the colours that they have. Gives up when rc goes bad. */
void tas_canvas_encode_row(struct tas_canvas *canvas, struct tas_rc *rc, const struct tas_picture *src,
                           uint32_t ty);

/* Decodes a row of tiles; canvas->tiles then says which were painted. rc->bad: no encoder wrote this. */
void tas_canvas_decode_row(struct tas_canvas *canvas, struct tas_rc *rc, uint32_t ty);

/* The checksum of the tiles that were coded since tas_canvas_begin(). */
uint16_t tas_canvas_sum(const struct tas_canvas *canvas);

/* Makes the pixels of a rectangle rough. */
void tas_canvas_roughen(struct tas_canvas *canvas, uint32_t x, uint32_t y, uint32_t width, uint32_t height);

/* Is there a rough pixel in the tile? Sets or unsets it in canvas->rough. */
void tas_canvas_look_for_rough(struct tas_canvas *canvas, uint32_t tx, uint32_t ty);

static inline uint8_t *tas_canvas_mode(struct tas_canvas *canvas, uint32_t bx, uint32_t by) {
    return &canvas->modes[(size_t)by * canvas->blocks_across + bx];
}

static inline uint32_t *tas_canvas_row(const struct tas_canvas *canvas, uint32_t y) {
    return canvas->pic.px + (size_t)y * canvas->pic.stride;
}

/* Pixels of the picture from `at` on, at most `most`. */
static inline uint32_t tas_clip(uint32_t at, uint32_t size, uint32_t most) {
    return size - at < most ? size - at : most;
}

/* Does the tile lie wholly inside? Only such tiles are kept. */
static inline bool tas_canvas_has_whole(const struct tas_canvas *canvas, uint32_t tx, uint32_t ty) {
    return (tx + 1) * TAS_TILE <= canvas->pic.width && (ty + 1) * TAS_TILE <= canvas->pic.height;
}

/* The end of the blocks of the row of tiles `ty`, by their row. */
static inline uint32_t tas_canvas_blocks_end(const struct tas_canvas *canvas, uint32_t ty) {
    uint32_t end = (ty + 1) * TAS_BLOCKS;
    return end < canvas->blocks_down ? end : canvas->blocks_down;
}
