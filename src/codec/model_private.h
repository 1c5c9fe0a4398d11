/* The adaptive pixel model: what both ends have learnt, and the coder of a span of pixels. docs/codec.md,
 * "CTX". */
#pragma once

#include "base/err.h"
#include "codec/rangecoder_private.h"

#include <stddef.h>

enum {
    TAS_MODEL_RGB = 0xffffff, /* the bits of a pixel that count */
};

/* How the pixels of a block are coded. */
enum tas_block_mode {
    TAS_BLOCK_SKIP = 0,  /* stays as it is */
    TAS_BLOCK_CTX = 1,   /* by context */
    TAS_BLOCK_LIT = 2,   /* as residuals: a photo */
    TAS_BLOCK_TEMP = 3,  /* by context and by what was there before: few pixels changed */
    TAS_BLOCK_ROUGH = 4, /* in a JPEG: not by the model at all */
};

/* A stretch of one row whose blocks have the same mode. Four pixels to the left and right and two rows above
 * it can be read: the border of the canvas. A neighbour with the top bit set is rough: no colour to go by. */
struct tas_span {
    uint32_t *row;            /* x = 0 of the row in the picture; [x0, x1) is written, the encoder's too */
    const uint32_t *up, *up2; /* the two rows above it */
    const uint32_t *src;    /* encoder: x = 0 of the row to code; the top byte of a pixel may hold anything */
    const uint32_t *old;    /* TEMP: x = 0 of the row as it was, from x0 - 1 to x1 */
    const uint32_t *old_up; /* TEMP: the row above as it was, likewise */
    uint32_t x0, x1;
    enum tas_block_mode mode; /* not SKIP, not ROUGH */
};

struct tas_model;

/* A model that knows nothing; its large table has 2^bits entries. NULL: no memory. */
struct tas_model *tas_model_new(unsigned bits);
void tas_model_free(struct tas_model *model); /* wipes; NULL is fine */
void tas_model_reset(struct tas_model *model);
void tas_model_copy(struct tas_model *to, const struct tas_model *from); /* of the same bits */

/* Before a frame: are colours to be coded quickly in it, at the cost of bytes? */
void tas_model_be_quick(struct tas_model *model, bool is_quick);

void tas_model_encode(struct tas_model *model, struct tas_rc *rc, const struct tas_span *span);

/* Sets rc->bad when the bytes cannot have come from an encoder; span is then filled with anything. */
void tas_model_decode(struct tas_model *model, struct tas_rc *rc, const struct tas_span *span);

/* The probabilities of what stands before the pixels (canvas.c, tilerow.c). */
struct tas_model_heads {
    struct tas_prob is_moved, is_same_vector;
    struct tas_prob_number moves;
    struct tas_prob has_kept, kept[3]; /* are tiles kept; is this one? [left + above] */
    struct tas_prob row[2];            /* has the row of tiles changes? [had the one above] */
    struct tas_prob changed[3];        /* is the tile changed? [left + above] */
    struct tas_prob cached[2];         /* is it in the cache? [the last changed one was] */
    struct tas_prob fresh[2];          /* is it painted afresh? [the last changed one was] */
    struct tas_prob whole[2];          /* are all its columns, rows in question? [columns, rows] */
    struct tas_prob same[2];     /* are they the columns of the one above, the rows of the one to the left? */
    struct tas_prob coded[2][2]; /* is the block coded? [left][above] */
    struct tas_prob rough[3], lit[3], temp[3]; /* is a coded one ROUGH, LIT, TEMP? [left + above] */
};
struct tas_model_heads *tas_model_heads(struct tas_model *model);
