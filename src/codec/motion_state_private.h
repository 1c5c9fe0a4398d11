/* A search for motion while it runs: what motion.c, motion_vectors.c and motion_edges.c share. */
#pragma once

#include "codec/motion_kernels_private.h"
#include "codec/motion_private.h"

enum {
    TAS_MOTION_BLOCK = 16,   /* px; the search weighs blocks, on the grid that the coder uses */
    TAS_MOTION_VECTORS = 8,  /* most that one search tries, and remembers */
    TAS_MOTION_NEAR = 10,    /* px; blocks with no more wrong ones are coded cheaply, as TEMP */
    TAS_MOTION_TEXTURED = 5, /* bytes; blocks that cost more are worth a search */
};

/* How a block would look if nothing more were done. */
enum tas_motion_fit {
    TAS_FIT_UNKNOWN,
    TAS_FIT_RIGHT,
    TAS_FIT_NEAR,
    TAS_FIT_WRONG,
};

struct tas_vector {
    int32_t dx, dy; /* px */
};

/* Half-open, in px or in blocks. */
struct tas_area {
    int32_t x0, y0, x1, y1;
};

struct tas_anchor;
struct tas_vote;

struct tas_motion {
    uint32_t width, height, across, down; /* px; blocks */
    const struct tas_motion_kernels *kernels;
    struct tas_picture was, now; /* borrowed for the search */

    /* One entry a block. */
    uint8_t *fit;      /* with the moves found so far; enum tas_motion_fit */
    uint8_t *under;    /* under the vector that is looked at; enum tas_motion_fit */
    uint8_t *price;    /* bytes that coding it anew costs, about; 0: not known yet */
    uint8_t *unsure;   /* bool: `fit` was not looked at pixel by pixel */
    uint8_t *cover;    /* 1 + the last move that covers all of it; 0: none does */
    int32_t *sums;     /* (across + 1) * (down + 1): gains of all blocks above and to the left */
    uint8_t *wrong;    /* one row of blocks: pixels, in the ones that are looked at */
    uint32_t *changed; /* the blocks that were not right at the start */
    uint32_t n_changed;

    struct tas_anchor *anchors;
    unsigned anchors_log2; /* how many of them are in use */
    uint32_t select;       /* anchors have none of these bits in their first hash */
    bool has_searched;
    struct tas_vote *votes;
    uint16_t *places; /* room for a row of pixels */

    struct tas_vector last[TAS_MOTION_VECTORS]; /* the vectors of the last search that found moves */
    unsigned n_last;

    struct tas_move *moves; /* the caller's */
    unsigned n_moves;
    uint64_t pixels; /* in all moves */
};

static inline const uint32_t *tas_motion_px(const struct tas_picture *pic, int32_t x, int32_t y) {
    return pic->px + (size_t)y * pic->stride + (size_t)x;
}

static inline int32_t tas_min(int32_t a, int32_t b) {
    return a < b ? a : b;
}

static inline int32_t tas_max(int32_t a, int32_t b) {
    return a > b ? a : b;
}

static inline struct tas_area tas_area_common(struct tas_area a, struct tas_area b) {
    return (struct tas_area){tas_max(a.x0, b.x0), tas_max(a.y0, b.y0), tas_min(a.x1, b.x1),
                             tas_min(a.y1, b.y1)};
}

static inline bool tas_area_is_empty(struct tas_area a) {
    return a.x0 >= a.x1 || a.y0 >= a.y1;
}

static inline bool tas_area_holds(struct tas_area outer, struct tas_area inner) {
    return inner.x0 >= outer.x0 && inner.y0 >= outer.y0 && inner.x1 <= outer.x1 && inner.y1 <= outer.y1;
}

static inline struct tas_area tas_area_of_move(const struct tas_move *move) {
    return (struct tas_area){move->x, move->y, move->x + move->w, move->y + move->h};
}

static inline size_t tas_motion_block(const struct tas_motion *m, int32_t bx, int32_t by) {
    return (size_t)by * m->across + (size_t)bx;
}

/* The pixels of a block; those at the right and bottom edge may be smaller. */
static inline struct tas_area tas_motion_block_area(const struct tas_motion *m, int32_t bx, int32_t by) {
    int32_t x = bx * TAS_MOTION_BLOCK, y = by * TAS_MOTION_BLOCK;
    return (struct tas_area){x, y, tas_min(x + TAS_MOTION_BLOCK, (int32_t)m->width),
                             tas_min(y + TAS_MOTION_BLOCK, (int32_t)m->height)};
}

/* The destinations whose source lies in the picture. */
static inline struct tas_area tas_motion_reach(const struct tas_motion *m, struct tas_vector v) {
    return (struct tas_area){tas_max(0, -v.dx), tas_max(0, -v.dy),
                             tas_min((int32_t)m->width, (int32_t)m->width - v.dx),
                             tas_min((int32_t)m->height, (int32_t)m->height - v.dy)};
}

static inline uint8_t tas_motion_fit_of(unsigned wrong) {
    return wrong == 0 ? TAS_FIT_RIGHT : wrong <= TAS_MOTION_NEAR ? TAS_FIT_NEAR : TAS_FIT_WRONG;
}

/* How a block fits that is copied from where the vector points; WRONG where that is outside. */
uint8_t tas_motion_try(const struct tas_motion *m, int32_t bx, int32_t by, struct tas_vector v);

/* Bytes that coding the block anew would cost. */
unsigned tas_motion_price(struct tas_motion *m, size_t block, int32_t bx, int32_t by);

/* A vector, and the blocks, all in all, where there was something that speaks for it. */
struct tas_candidate {
    struct tas_vector v;
    struct tas_area within;
};

/* Up to TAS_MOTION_VECTORS vectors that may explain what changed, the likely ones first; gives how many. */
unsigned tas_motion_candidates(struct tas_motion *m, struct tas_candidate found[TAS_MOTION_VECTORS]);

/* More of them, for what is still wrong once moves were found. */
unsigned tas_motion_more_candidates(struct tas_motion *m, struct tas_candidate found[TAS_MOTION_VECTORS]);

/* Memory for both; false: no memory, free is still due. */
bool tas_motion_vectors_init(struct tas_motion *m);
void tas_motion_vectors_fini(struct tas_motion *m);

/* Moves each edge of the area to the pixel where most blocks come out right. */
void tas_motion_fit_edges(const struct tas_motion *m, struct tas_area *area, struct tas_vector v);

/* How a block fits with all moves found so far. */
uint8_t tas_motion_fit_now(const struct tas_motion *m, int32_t bx, int32_t by);
