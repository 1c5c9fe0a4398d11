/* The search for moves. Per vector, every block has a gain: what coding it costs as things stand, less what
 * it costs once it is copied along the vector, in bytes. A rectangle of blocks is grown to where its gain is
 * greatest, its edges are fitted to the pixel, and it is a move if it pays for itself. Moves may overlap, so
 * a picture that pans is one large move with those of the things that go across it on top. */
#include "codec/motion_state_private.h"

#include <stdlib.h>

enum {
    B = TAS_MOTION_BLOCK,
    MOVE_COST = 24,    /* bytes that a move has to save: twice what it takes, as prices are guesses */
    NEAR_COST = 8,     /* bytes for a block with a few wrong pixels */
    SEED_GAIN = 4,     /* where a rectangle may begin; flat blocks, which match anything, gain less */
    SEEDS_MAX = 192,   /* tried in vain per vector before it is given up */
    CHANGED_LEAST = 3, /* blocks; a key pressed changes one or two */
    ROUNDS_MAX = 24,
    PHOTO = 64,    /* more pixels of texture than this and each costs a byte, not a bit or two */
    SPARED = 0xff, /* as a fit: not to be looked at */
    SPARSE = 2,    /* rows; blocks that are right already are tried on every other row only */
};

struct tas_motion *tas_motion_new(uint32_t width, uint32_t height) {
    if (!tas_picture_size_is_valid(width, height))
        return NULL;
    struct tas_motion *m = calloc(1, sizeof(*m));
    if (!m)
        return NULL;
    m->width = width;
    m->height = height;
    m->across = (width + B - 1) / B;
    m->down = (height + B - 1) / B;
    m->kernels = tas_motion_kernels();
    size_t blocks = (size_t)m->across * m->down;
    m->fit = calloc(blocks, 1);
    m->under = calloc(blocks, 1);
    m->price = calloc(blocks, 1);
    m->unsure = calloc(blocks, 1);
    m->cover = calloc(blocks, 1);
    m->sums = calloc((size_t)(m->across + 1) * (m->down + 1), sizeof(*m->sums));
    m->wrong = calloc(m->across, 1);
    m->changed = calloc(blocks, sizeof(*m->changed));
    bool has_vectors = tas_motion_vectors_init(m);
    if (m->fit && m->under && m->price && m->unsure && m->cover && m->sums && m->wrong && m->changed &&
        has_vectors)
        return m;
    tas_motion_free(m);
    return NULL;
}

void tas_motion_free(struct tas_motion *m) {
    if (!m)
        return;
    tas_motion_vectors_fini(m);
    free(m->fit);
    free(m->under);
    free(m->price);
    free(m->unsure);
    free(m->cover);
    free(m->sums);
    free(m->wrong);
    free(m->changed);
    free(m);
}

/* ---- blocks ---- */

static uint8_t try_area(const struct tas_motion *m, struct tas_area block, struct tas_vector v) {
    return tas_motion_fit_of(m->kernels->count(tas_motion_px(&m->was, block.x0 + v.dx, block.y0 + v.dy),
                                               m->was.stride, tas_motion_px(&m->now, block.x0, block.y0),
                                               m->now.stride, (unsigned)(block.x1 - block.x0),
                                               (unsigned)(block.y1 - block.y0)));
}

uint8_t tas_motion_try(const struct tas_motion *m, int32_t bx, int32_t by, struct tas_vector v) {
    struct tas_area block = tas_motion_block_area(m, bx, by);
    return tas_area_holds(tas_motion_reach(m, v), block) ? try_area(m, block, v) : TAS_FIT_WRONG;
}

/* A run of whole blocks whose m->wrong is 0, and others between them: strip by strip, as memory likes it.
 * Looks at every `step`th row. */
static void try_run(const struct tas_motion *m, struct tas_area run, int32_t by, struct tas_vector v,
                    unsigned step) {
    for (unsigned y = 0; y < B; y += 4 * step)
        m->kernels->count_strip(
            tas_motion_px(&m->was, run.x0 * B + v.dx, by * B + (int32_t)y + v.dy),
            (size_t)m->was.stride * step, tas_motion_px(&m->now, run.x0 * B, by * B + (int32_t)y),
            (size_t)m->now.stride * step, (unsigned)(run.x1 - run.x0), m->wrong + run.x0, TAS_MOTION_NEAR);
}

/* Those blocks of a row whose entry in `fits` is UNKNOWN get to know it. */
static void try_row(struct tas_motion *m, uint8_t *fits, struct tas_area row, struct tas_vector v,
                    unsigned step) {
    struct tas_area reach = tas_motion_reach(m, v);
    struct tas_area run = {INT32_MAX, 0, 0, 0}; /* from the first to the last block to look at */
    for (int32_t bx = row.x0; bx < row.x1; bx++) {
        struct tas_area block = tas_motion_block_area(m, bx, row.y0);
        m->wrong[bx] = UINT8_MAX;
        if (fits[bx] != TAS_FIT_UNKNOWN)
            continue;
        if (!tas_area_holds(reach, block)) {
            fits[bx] = TAS_FIT_WRONG;
        } else if (block.x1 - block.x0 < B || block.y1 - block.y0 < B) {
            fits[bx] = try_area(m, block, v);
        } else {
            m->wrong[bx] = 0;
            run.x0 = tas_min(run.x0, bx);
            run.x1 = bx + 1;
        }
    }
    if (run.x0 < run.x1)
        try_run(m, run, row.y0, v, step);
    for (int32_t bx = run.x0; bx < run.x1; bx++)
        if (fits[bx] == TAS_FIT_UNKNOWN)
            fits[bx] = tas_motion_fit_of(m->wrong[bx]);
}

unsigned tas_motion_price(struct tas_motion *m, size_t block, int32_t bx, int32_t by) {
    if (m->price[block] == 0) {
        struct tas_area area = tas_motion_block_area(m, bx, by);
        unsigned texture = m->kernels->texture(tas_motion_px(&m->now, area.x0, area.y0), m->now.stride,
                                               (unsigned)(area.x1 - area.x0), (unsigned)(area.y1 - area.y0));
        m->price[block] = (uint8_t)(2 + texture / 4 + (texture > PHOTO ? texture - PHOTO : 0));
    }
    return m->price[block];
}

static int32_t cost_of(uint8_t fit, unsigned price) {
    if (fit == TAS_FIT_RIGHT)
        return 0;
    return fit == TAS_FIT_NEAR ? tas_min(NEAR_COST, (int32_t)price) : (int32_t)price;
}

static int32_t gain_of(struct tas_motion *m, int32_t bx, int32_t by) {
    size_t block = tas_motion_block(m, bx, by);
    if (m->fit[block] == m->under[block])
        return 0;
    unsigned price = tas_motion_price(m, block, bx, by);
    return cost_of(m->fit[block], price) - cost_of(m->under[block], price);
}

/* Finds the blocks of a row that changed. */
static void compare_row(struct tas_motion *m, const struct tas_tiles *changed, int32_t by) {
    const struct tas_vector still = {0, 0};
    size_t first = tas_motion_block(m, 0, by);
    struct tas_area row = {INT32_MAX, by, 0, by + 1};
    for (uint32_t tx = 0; tx < changed->across; tx++) {
        if (!tas_tiles_get(changed, tx, (uint32_t)by * B / TAS_TILE))
            continue;
        int32_t bx = (int32_t)tx * TAS_TILE / B, end = tas_min(bx + TAS_TILE / B, (int32_t)m->across);
        memset(m->fit + first + bx, TAS_FIT_UNKNOWN, (size_t)(end - bx));
        memset(m->unsure + first + bx, false, (size_t)(end - bx));
        row.x0 = tas_min(row.x0, bx);
        row.x1 = end;
    }
    try_row(m, m->fit + first, row, still, 1);
    for (int32_t bx = row.x0; bx < row.x1; bx++)
        if (m->fit[first + (size_t)bx] != TAS_FIT_RIGHT)
            m->changed[m->n_changed++] = (uint32_t)first + (uint32_t)bx;
}

static void compare(struct tas_motion *m, const struct tas_tiles *changed) {
    uint32_t blocks = m->across * m->down;
    memset(m->fit, TAS_FIT_RIGHT, blocks);
    memset(m->unsure, true, blocks);
    memset(m->price, 0, blocks);
    memset(m->cover, 0, blocks);
    m->n_changed = 0;
    for (int32_t by = 0; by < (int32_t)m->down; by++)
        compare_row(m, changed, by);
}

/* ---- one vector ---- */

/* How the blocks of a row that are wrong would fare under the vector. Gives where they are. */
static struct tas_area try_wrong_blocks(struct tas_motion *m, struct tas_area in, int32_t by,
                                        struct tas_vector v) {
    uint8_t *under = m->under + tas_motion_block(m, 0, by);
    const uint8_t *fit = m->fit + tas_motion_block(m, 0, by);
    struct tas_area row = {INT32_MAX, by, 0, by + 1};
    for (int32_t bx = in.x0; bx < in.x1; bx++) {
        if (fit[bx] == TAS_FIT_RIGHT) {
            under[bx] = SPARED;
            continue;
        }
        row.x0 = tas_min(row.x0, bx);
        row.x1 = bx + 1;
    }
    try_row(m, under, row, v, 1);
    return row;
}

/* The area, in blocks, in which the vector explains something; empty if that does not pay for a move. */
static struct tas_area explain(struct tas_motion *m, const struct tas_candidate *c) {
    struct tas_area found = {INT32_MAX, INT32_MAX, 0, 0};
    int32_t gains = 0;
    memset(m->under, TAS_FIT_UNKNOWN, (size_t)m->across * m->down);
    for (int32_t by = c->within.y0; by < c->within.y1; by++) {
        struct tas_area row = try_wrong_blocks(m, c->within, by, c->v);
        for (int32_t bx = row.x0; bx < row.x1; bx++) {
            int32_t gain = m->under[tas_motion_block(m, bx, by)] == SPARED ? 0 : gain_of(m, bx, by);
            if (gain <= 0)
                continue;
            gains += gain;
            found = (struct tas_area){tas_min(found.x0, bx), tas_min(found.y0, by), tas_max(found.x1, bx + 1),
                                      tas_max(found.y1, by + 1)};
        }
    }
    return gains >= MOVE_COST ? found : (struct tas_area){0, 0, 0, 0};
}

/* How the blocks that are right already would fare. */
static void try_right_blocks(struct tas_motion *m, struct tas_area in, struct tas_vector v) {
    for (size_t i = 0; i < (size_t)m->across * m->down; i++)
        if (m->under[i] == SPARED)
            m->under[i] = TAS_FIT_UNKNOWN;
    for (int32_t by = in.y0; by < in.y1; by++)
        try_row(m, m->under + tas_motion_block(m, 0, by), (struct tas_area){in.x0, by, in.x1, by + 1}, v,
                SPARSE);
}

static int32_t *sum_at(const struct tas_motion *m, int32_t bx, int32_t by) {
    return &m->sums[(size_t)by * (m->across + 1) + (size_t)bx];
}

/* Sums from the row `from` on; those above stand. */
static void sum_gains(struct tas_motion *m, struct tas_area in, int32_t from) {
    if (from == in.y0)
        memset(sum_at(m, in.x0, in.y0), 0, (size_t)(in.x1 - in.x0 + 1) * sizeof(*m->sums));
    for (int32_t by = from; by < in.y1; by++) {
        int32_t *sums = sum_at(m, 0, by + 1), *above = sum_at(m, 0, by), row = 0;
        sums[in.x0] = 0;
        for (int32_t bx = in.x0; bx < in.x1; bx++) {
            row += gain_of(m, bx, by);
            sums[bx + 1] = above[bx + 1] + row;
        }
    }
}

static int32_t gain_in(const struct tas_motion *m, struct tas_area a) {
    return *sum_at(m, a.x1, a.y1) - *sum_at(m, a.x0, a.y1) - *sum_at(m, a.x1, a.y0) + *sum_at(m, a.x0, a.y0);
}

/* ---- rectangles ---- */

enum side {
    LEFT,
    RIGHT,
    TOP,
    BOTTOM,
};

static int32_t *side_of(struct tas_area *a, enum side side) {
    return side == LEFT ? &a->x0 : side == RIGHT ? &a->x1 : side == TOP ? &a->y0 : &a->y1;
}

/* Puts one side where the gain is greatest, wherever that is: gaps do not stop it. */
static int32_t move_side(const struct tas_motion *m, struct tas_area in, struct tas_area *a, enum side side,
                         int32_t best) {
    struct tas_area try = *a;
    int32_t *at = side_of(&try, side);
    bool is_far = side == RIGHT || side == BOTTOM;
    int32_t from = is_far ? *side_of(a, side == RIGHT ? LEFT : TOP) + 1 : *side_of(&in, side);
    int32_t to = is_far ? *side_of(&in, side) : *side_of(a, side == LEFT ? RIGHT : BOTTOM) - 1;
    for (*at = from; *at <= to; ++*at) {
        int32_t gain = gain_in(m, try);
        if (gain > best) {
            best = gain;
            *a = try;
        }
    }
    return best;
}

/* Moves side after side until none gains any more; gives the gain. */
static int32_t grow(const struct tas_motion *m, struct tas_area in, struct tas_area *a,
                    bool is_upright_first) {
    static const enum side orders[2][4] = {{LEFT, RIGHT, TOP, BOTTOM}, {TOP, BOTTOM, LEFT, RIGHT}};
    int32_t best = gain_in(m, *a);
    for (unsigned round = 0; round < ROUNDS_MAX; round++) {
        int32_t before = best;
        for (unsigned i = 0; i < 4; i++)
            best = move_side(m, in, a, orders[is_upright_first][i], best);
        if (best == before)
            break;
    }
    return best;
}

/* Grows a rectangle both ways and keeps the better one. */
static int32_t grow_best(const struct tas_motion *m, struct tas_area in, struct tas_area *a) {
    struct tas_area other = *a;
    int32_t gain = grow(m, in, a, false), other_gain = grow(m, in, &other, true);
    if (other_gain <= gain)
        return gain;
    *a = other;
    return other_gain;
}

/* The blocks of the move are now as under its vector, those that it cuts are looked at again. */
static void update_blocks(struct tas_motion *m, struct tas_area px, struct tas_vector v) {
    for (int32_t by = px.y0 / B; by * B < px.y1; by++) {
        for (int32_t bx = px.x0 / B; bx * B < px.x1; bx++) {
            size_t at = tas_motion_block(m, bx, by);
            bool is_covered = tas_area_holds(px, tas_motion_block_area(m, bx, by));
            if (is_covered) {
                m->unsure[at] = m->fit[at] == TAS_FIT_RIGHT; /* such blocks were looked at sparsely */
                if (m->under[at] == TAS_FIT_UNKNOWN)
                    m->under[at] = tas_motion_try(m, bx, by, v);
                m->cover[at] = (uint8_t)m->n_moves;
                m->fit[at] = m->under[at];
                continue;
            }
            if (m->fit[at] ==
                TAS_FIT_RIGHT) /* looked at sparsely; a later move of this vector may cover it */
                m->under[at] = tas_motion_try(m, bx, by, v);
            m->fit[at] = TAS_FIT_UNKNOWN; /* or it would pass as right */
            m->fit[at] = tas_motion_fit_now(m, bx, by);
        }
    }
}

/* false: there is no room for it. */
static bool add_move(struct tas_motion *m, struct tas_area blocks, struct tas_vector v) {
    struct tas_area px = {blocks.x0 * B, blocks.y0 * B, tas_min(blocks.x1 * B, (int32_t)m->width),
                          tas_min(blocks.y1 * B, (int32_t)m->height)};
    tas_motion_fit_edges(m, &px, v);
    int32_t w = px.x1 - px.x0, h = px.y1 - px.y0;
    uint64_t pixels = (uint64_t)w * (uint64_t)h;
    if (m->n_moves == TAS_MOVES_MAX || m->pixels + pixels > (uint64_t)2 * m->width * m->height)
        return false;
    m->moves[m->n_moves++] = (struct tas_move){(uint16_t)px.x0, (uint16_t)px.y0, (uint16_t)w,
                                               (uint16_t)h,     (int16_t)v.dx,   (int16_t)v.dy};
    m->pixels += pixels;
    update_blocks(m, px, v);
    return true;
}

/* Adds the best rectangle that grows from `from`, if it pays. *stale: the sums from this row on are no more
 * what they were. */
static bool add_from(struct tas_motion *m, struct tas_area in, struct tas_area from, struct tas_vector v,
                     int32_t *stale) {
    if (*stale < in.y1)
        sum_gains(m, in, *stale);
    *stale = in.y1;
    if (grow_best(m, in, &from) < MOVE_COST || !add_move(m, from, v))
        return false;
    *stale = tas_max(in.y0, from.y0 - 1);
    return true;
}

static void add_moves(struct tas_motion *m, const struct tas_candidate *candidate) {
    struct tas_area in = explain(m, candidate);
    struct tas_vector v = candidate->v;
    unsigned in_vain = 0;
    int32_t stale = in.y0;
    if (tas_area_is_empty(in))
        return;
    try_right_blocks(m, in, v);
    add_from(m, in, in, v, &stale);
    for (int32_t by = in.y0; by < in.y1; by++) {
        for (int32_t bx = in.x0; bx < in.x1; bx++) {
            struct tas_area seed = {bx, by, bx + 1, by + 1};
            if (gain_of(m, bx, by) >= SEED_GAIN && !add_from(m, in, seed, v, &stale) &&
                ++in_vain == SEEDS_MAX)
                return;
        }
    }
}

enum tas_motion_tile tas_motion_tile_after(const struct tas_motion *m, uint32_t tx, uint32_t ty) {
    int32_t bx0 = (int32_t)(tx * TAS_TILE / B), bx1 = tas_min(bx0 + TAS_TILE / B, (int32_t)m->across);
    int32_t by0 = (int32_t)(ty * TAS_TILE / B), by1 = tas_min(by0 + TAS_TILE / B, (int32_t)m->down);
    enum tas_motion_tile tile = TAS_MOTION_TILE_RIGHT;
    for (int32_t by = by0; by < by1; by++)
        for (int32_t bx = bx0; bx < bx1; bx++) {
            size_t at = tas_motion_block(m, bx, by);
            if (m->unsure[at])
                tile = TAS_MOTION_TILE_UNKNOWN;
            else if (m->fit[at] != TAS_FIT_RIGHT)
                return TAS_MOTION_TILE_WRONG;
        }
    return tile;
}

static void remember_vectors(struct tas_motion *m) {
    if (m->n_moves == 0)
        return; /* a scroll that pauses goes on later */
    m->n_last = 0;
    for (unsigned i = 0; i < m->n_moves && m->n_last < TAS_MOTION_VECTORS; i++) {
        struct tas_vector v = {m->moves[i].dx, m->moves[i].dy};
        bool is_known = false;
        for (unsigned k = 0; k < m->n_last; k++)
            is_known |= m->last[k].dx == v.dx && m->last[k].dy == v.dy;
        if (!is_known)
            m->last[m->n_last++] = v;
    }
}

unsigned tas_motion_find(struct tas_motion *m, const struct tas_picture *was, const struct tas_picture *now,
                         const struct tas_tiles *changed, struct tas_move moves[TAS_MOVES_MAX]) {
    struct tas_candidate candidates[TAS_MOTION_VECTORS];
    m->was = *was;
    m->now = *now;
    m->moves = moves;
    m->n_moves = 0;
    m->pixels = 0;
    compare(m, changed);
    if (m->n_changed < CHANGED_LEAST)
        return 0;
    unsigned n = tas_motion_candidates(m, candidates);
    for (unsigned i = 0; i < n; i++)
        add_moves(m, &candidates[i]);
    n = tas_motion_more_candidates(m, candidates);
    for (unsigned i = 0; i < n; i++)
        add_moves(m, &candidates[i]);
    remember_vectors(m);
    return m->n_moves;
}
