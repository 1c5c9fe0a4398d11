/* The adaptive pixel model: what both ends have learnt, and the coder of a span of pixels. docs/codec.md,
 * "CTX". */
#pragma once

#include "base/err.h"
#include "codec/rangecoder_private.h"

#include <stddef.h>

enum {
    TAS_MODEL_RGB = 0xffffff, /* the bits of a pixel that count */

    /* Most bytes that one pixel can cost in any mode, in bits: a broken run is 1 + 14 + 1 bins and 13 raw
     * bits, then large, medium, 6 candidates, cache and kind are 10 bins, then a residual is 3 times 8 + 1
     * bins and 7 raw bits (a direct literal is 24 bins, an index of the cache 13 with its flag: less). That
     * makes 53 bins of at most TAS_RC_BIN_BITS and 34 raw bits, each of which costs less than 1.01 bits: 565
     * bits, 71 bytes. */
    TAS_MODEL_PIXEL_MAX = 72,
};

/* How the pixels of a block are coded. */
enum tas_block_mode {
    TAS_BLOCK_SKIP = 0, /* stays as it is */
    TAS_BLOCK_CTX = 1,  /* by context */
    TAS_BLOCK_LIT = 2,  /* as residuals: a photo */
    TAS_BLOCK_TEMP = 3, /* by context and by what was there before: few pixels changed */
};

/* A stretch of one row whose blocks have the same mode. Two pixels to the left, three to the right and two
 * rows above it can be read: the border of the canvas. */
struct tas_span {
    uint32_t *row;          /* x = 0 of the row in the picture; [x0, x1) is written, the encoder's too */
    ptrdiff_t stride;       /* px from one row to the next */
    const uint32_t *src;    /* encoder: x = 0 of the row to code; the top byte of a pixel may hold anything */
    const uint32_t *old;    /* TEMP: x = 0 of the row as it was */
    const uint32_t *old_up; /* TEMP: the row above as it was */
    uint32_t x0, x1;
    enum tas_block_mode mode; /* not SKIP */
};

struct tas_model;

/* A model that knows nothing; its large table has 2^bits entries. NULL: no memory. */
struct tas_model *tas_model_new(unsigned bits);
void tas_model_free(struct tas_model *model); /* wipes; NULL is fine */
void tas_model_reset(struct tas_model *model);
void tas_model_copy(struct tas_model *to, const struct tas_model *from); /* of the same bits */

void tas_model_encode(struct tas_model *model, struct tas_rc *rc, const struct tas_span *span);

/* Sets rc->bad when the bytes cannot have come from an encoder; span is then filled with anything. */
void tas_model_decode(struct tas_model *model, struct tas_rc *rc, const struct tas_span *span);

/* The probabilities of what stands before the pixels of a row of tiles (tilerow.c). */
struct tas_model_heads {
    struct tas_prob row[2];          /* has the row of tiles changes? [had the one above] */
    struct tas_prob changed[3];      /* is the tile changed? [left + above] */
    struct tas_prob fresh[2];        /* is it painted afresh? [the last changed one was] */
    struct tas_prob coded[2][2];     /* is the block coded? [left][above] */
    struct tas_prob lit[3], temp[3]; /* is a coded one LIT; is another one TEMP? [left + above] */
};
struct tas_model_heads *tas_model_heads(struct tas_model *model);
