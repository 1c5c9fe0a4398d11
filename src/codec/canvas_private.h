/* What both ends of a stream keep and change alike: the picture and the model, and the coding of one row of
 * tiles on them. Encoder and decoder differ in where the tile flags and block modes come from: one looks, the
 * other reads. */
#pragma once

#include "codec/model_private.h"
#include "codec/picture.h"

enum {
    TAS_BLOCK = 16, /* px, edge of the blocks that have a mode */
    TAS_BLOCKS = TAS_TILE / TAS_BLOCK,

    /* Most bytes that the heads of a tile can cost: changed, fresh, and three bins a block. */
    TAS_CANVAS_TILE_MAX = ((2 + 3 * TAS_BLOCKS * TAS_BLOCKS) * TAS_RC_BIN_BITS + 7) / 8,
};

enum tas_tile_state {
    TAS_TILE_SAME,
    TAS_TILE_CHANGED,
    TAS_TILE_FRESH, /* changed, and black before anything is coded in it */
};

struct tas_canvas {
    struct tas_picture pic;  /* px points into mem, stride is wider than the picture */
    uint32_t *mem;           /* owned: the picture and a black border that is never written */
    size_t mem_len;          /* px */
    struct tas_model *model; /* owned */
    uint32_t tiles_across, tiles_down, blocks_across;
    uint32_t *old_mem, *old, *old_up; /* owned; two rows with borders, for TEMP */

    /* The row of tiles that is being coded, and what the contexts need of the one above. */
    uint8_t *tiles, *tiles_above; /* enum tas_tile_state; owned */
    uint8_t *modes; /* enum tas_block_mode; TAS_BLOCKS + 1 rows, the first is the last one above; owned */
    struct tas_span *spans; /* owned; room for the spans of one row of blocks */
    bool had_row, had_fresh;

    uint32_t sum[4]; /* the checksum so far */
};

/* A black picture and a model that knows nothing. TAS_E_NOMEM: fini is still due. */
TAS_MUST_USE int tas_canvas_init(struct tas_canvas *canvas, uint32_t width, uint32_t height,
                                 unsigned model_bits);
void tas_canvas_fini(struct tas_canvas *canvas); /* wipes */

/* All black. */
void tas_canvas_blacken(struct tas_canvas *canvas);
/* One tile black. */
void tas_canvas_blacken_tile(struct tas_canvas *canvas, uint32_t tx, uint32_t ty);

/* Before the first row of tiles of a frame. */
void tas_canvas_begin(struct tas_canvas *canvas);
/* Before each row of tiles, the first too: all its tiles SAME, all its blocks SKIP. */
void tas_canvas_next_row(struct tas_canvas *canvas);

/* Codes that nothing of this row of tiles has changed. */
void tas_canvas_encode_empty(struct tas_canvas *canvas, struct tas_rc *rc);

/* Codes the row of tiles `ty` as canvas->tiles and canvas->modes say. Gives up when rc goes bad. */
void tas_canvas_encode_row(struct tas_canvas *canvas, struct tas_rc *rc, const struct tas_picture *src,
                           uint32_t ty);

/* Decodes a row of tiles; canvas->tiles then says which were painted. rc->bad: no encoder wrote this. */
void tas_canvas_decode_row(struct tas_canvas *canvas, struct tas_rc *rc, uint32_t ty);

/* The checksum of the tiles that were coded since tas_canvas_begin(). */
uint32_t tas_canvas_sum(const struct tas_canvas *canvas);

static inline uint8_t *tas_canvas_mode(struct tas_canvas *canvas, uint32_t bx, uint32_t row) {
    return &canvas->modes[(size_t)(row + 1) * canvas->blocks_across + bx];
}

/* Pixels of the picture from `at` on, at most `most`. */
static inline uint32_t tas_clip(uint32_t at, uint32_t size, uint32_t most) {
    return size - at < most ? size - at : most;
}
