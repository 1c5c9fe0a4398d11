/* What the files of the encoder share. block.c tells what a block looks like, plan.c decides how each tile
 * and block is coded, region.c which rectangles are video, encoder.c writes frames. Nothing here is part of
 * the format: any choice decodes to the same picture. */
#pragma once

#include "codec/atlas_private.h"
#include "codec/codec.h"
#include "codec/frame_private.h"

enum {
    /* A tile that has been still so long is likely to come back: a menu opens over it and closes. Shorter,
     * and scrolling would fill the cache with what is never seen again. */
    TAS_KEEP_STILL_US = 250 * 1000,

    /* Photographs come first as JPEG of about so many bytes a block; learnt from then on. */
    TAS_ROUGH_BLOCK_BYTES = 40,
    TAS_EXACT_BLOCK_BYTES = 24, /* likewise for blocks that are coded exactly */
    TAS_LIT_BLOCK_BYTES = 230,
    TAS_ROUGH_LEAST = 24, /* of a block in the roughest JPEG, all of one colour: always fits */
};

/* What is known of a tile over time. */
struct tile_info {
    uint64_t changed_us; /* when it was last painted anew */
    uint64_t hot_us;     /* when it last changed like a film */
    uint8_t hot;         /* so often in a row */
    uint8_t quality;     /* of its rough pixels */
    bool is_kept;        /* it is in the cache as it is */
};

/* A moving rectangle. */
struct region {
    bool is_open;
    bool is_new;                   /* the next chunk starts it */
    bool has_chunk;                /* something in it has changed: to be coded with this frame */
    uint32_t tx, ty, across, down; /* tiles */
    uint32_t x, y, width, height;  /* px */
    uint64_t changed_us;
};

/* What a row of tiles will cost. */
struct row_plan {
    uint32_t tiles;             /* with something to code */
    uint32_t exact, lit, rough; /* blocks */
    bool is_selected;
};

struct tas_encoder {
    struct tas_canvas canvas; /* what the decoder has after the last frame; rough pixels in true colours */
    struct tas_atlas atlas;
    struct tas_motion *motion;
    struct tas_cache_index *index;
    struct tas_tiles unknown; /* tiles of which we do not know what the decoder shows */
    struct tas_tiles changed; /* differ from the new picture: to be coded */
    struct tas_tiles painted; /* by the last frame */
    struct tile_info *tiles;
    struct row_plan *rows;
    struct tas_model *checkpoint; /* the model before a row of tiles that may not fit */
    const struct tas_rough_coder *rough;
    struct region region;
    bool is_large;        /* this frame changes much: time counts */
    bool holds_photos;    /* photographs wait, this frame is text only */
    uint8_t jpeg_quality; /* of this frame's JPEG; 0: it has none */
    bool has_left;        /* the last frame left rows of tiles, the nearest of them: */
    uint32_t left_row;
    bool closes_region; /* to be told with the next frame */
    uint8_t forced;
    unsigned pending; /* the reset that the next frame has to carry */
    uint32_t stream, seq;
    double rough_bytes, exact_bytes, lit_bytes; /* of a block, learnt */
};

static inline struct tile_info *encoder_tile(struct tas_encoder *enc, uint32_t tx, uint32_t ty) {
    return &enc->tiles[(size_t)ty * enc->canvas.tiles_across + tx];
}

/* plan.c */

/* Does the tile differ from src? Rough pixels count with their true colours. */
bool plan_differs(const struct tas_encoder *enc, const struct tas_picture *src, uint32_t tx, uint32_t ty);

/* Sets kinds, slots and modes of all tiles of enc->changed, and enc->rows. */
void plan_frame(struct tas_encoder *enc, const struct tas_picture *src, const struct tas_frame_order *order);

/* Likewise for rough blocks of tiles that have not changed since still_us. */
void plan_refine(struct tas_encoder *enc, uint64_t still_us, const struct tas_frame_order *order);

/* Chooses the rows of tiles that fit into the order, those near the focus first, at least one; the others
 * become SAME. */
void plan_select(struct tas_encoder *enc, const struct tas_frame_order *order, size_t cap);

/* Pixels of the selected rows that are coded by context. */
uint32_t plan_exact_px(const struct tas_encoder *enc);
/* Pixels in the selected rows, by the work that they take. */
uint32_t plan_work(const struct tas_encoder *enc);

/* The row of tiles is not coded after all: all SAME. */
void plan_drop_row(struct tas_encoder *enc, uint32_t ty);

/* region.c */

/* Before anything is planned: closes an open one that has rested for long, or may not be any more. */
void region_end(struct tas_encoder *enc, const struct tas_frame_order *order);
/* After the modes are chosen: opens or follows the moving region. Its tiles are taken out of what is
 * coded otherwise. */
void region_follow(struct tas_encoder *enc, const struct tas_frame_order *order);
/* When an open one that does not change any more is closed. */
uint64_t region_end_us(const struct tas_encoder *enc);
/* With a reset: the decoder has forgotten it. */
void region_forget(struct tas_encoder *enc);
bool region_has_tile(const struct tas_encoder *enc, uint32_t tx, uint32_t ty);
/* Codes the region from src and writes its section. TAS_E_FULL, TAS_E_NOMEM: it is closed, its tiles are to
 * be coded otherwise. */
TAS_MUST_USE int region_encode(struct tas_encoder *enc, const struct tas_picture *src,
                               const struct tas_frame_order *order, struct tas_writer *w);
