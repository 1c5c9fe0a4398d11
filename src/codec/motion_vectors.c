/* Which vectors are worth trying: those of the last search, as a scroll goes on with the same step; else
 * anchors, places with the same content in both pictures, vote. */
#include "codec/motion_state_private.h"

#include <stdlib.h>

enum {
    ANCHOR_WIDTH = 16, /* px; an anchor is this wide and two rows high */
    ANCHORS_LOG2_MAX = 14,
    VOTES_LOG2 = 10,
    VOTES = 1 << VOTES_LOG2,
    VOTE_PROBES = 8,
    VOTES_LEAST = 4,
    MORE_VOTES_LEAST = 4,
    VOTES_MANY = 16,
    MARGIN = 16,  /* blocks */
    SAMPLES = 96, /* blocks that vectors are tried on */
    TWICE = UINT16_MAX,
    MANY_BLOCKS = 1024, /* from here on, not all that changed is looked at */
};

struct tas_anchor {
    uint32_t key;  /* never 0 when used */
    uint16_t x, y; /* x TWICE: content that is there more than once tells nothing */
};

struct tas_vote {
    struct tas_vector v;
    uint32_t count;
    struct tas_area within; /* px */
};

bool tas_motion_vectors_init(struct tas_motion *m) {
    m->anchors = calloc((size_t)1 << ANCHORS_LOG2_MAX, sizeof(*m->anchors));
    m->votes = calloc(VOTES, sizeof(*m->votes));
    m->places = calloc(m->width, sizeof(*m->places));
    return m->anchors && m->votes && m->places;
}

void tas_motion_vectors_fini(struct tas_motion *m) {
    free(m->anchors);
    free(m->votes);
    free(m->places);
}

/* ---- anchors ---- */

static uint64_t two_pixels(const uint32_t *px) {
    uint64_t both;
    memcpy(&both, px, sizeof(both));
    return both & 0x00ffffff00ffffff;
}

/* A sum of products: no step waits for the one before. */
static uint32_t anchor_key(const uint32_t *px, size_t stride) {
    static const uint64_t factors[ANCHOR_WIDTH] = {
        0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9, 0x94d049bb133111eb, 0xd6e8feb86659fd93,
        0xa0761d6478bd642f, 0xe7037ed1a0b428db, 0x8ebc6af09c88c6e3, 0x589965cc75374cc3,
        0x1d8e4e27c47d124f, 0xeb44accab455d165, 0x9fb21c651e98df25, 0xc2b2ae3d27d4eb4f,
        0x165667b19e3779f9, 0x27d4eb2f165667c5, 0x85ebca77c2b2ae63, 0xff51afd7ed558ccd,
    };
    uint64_t hash = 0;
    for (unsigned i = 0; i < ANCHOR_WIDTH / 2; i++)
        hash += two_pixels(px + 2 * i) * factors[i] + two_pixels(px + stride + 2 * i) * factors[8 + i];
    hash ^= hash >> 29;
    hash *= 0xbf58476d1ce4e5b9;
    return (uint32_t)(hash >> 32) | 1;
}

static struct tas_anchor *anchor_slot(struct tas_motion *m, uint32_t key) {
    return &m->anchors[key >> (32 - m->anchors_log2)];
}

static void learn_anchor(struct tas_motion *m, uint32_t key, int32_t x, int32_t y) {
    struct tas_anchor *slot = anchor_slot(m, key);
    if (slot->key == 0)
        *slot = (struct tas_anchor){key, (uint16_t)x, (uint16_t)y};
    else if (slot->key == key)
        slot->x = TWICE;
}

static struct tas_vote *vote_slot(struct tas_motion *m, struct tas_vector v) {
    uint32_t at = ((uint32_t)v.dx * 0x9e3779b1u ^ (uint32_t)v.dy * 0x85ebca6bu) * 0xc2b2ae35u;
    at >>= 32 - VOTES_LOG2;
    for (unsigned i = 0; i < VOTE_PROBES; i++, at = (at + 1) % VOTES) {
        struct tas_vote *slot = &m->votes[at];
        if (slot->count == 0)
            *slot = (struct tas_vote){v, 0, {INT32_MAX, INT32_MAX, 0, 0}};
        if (slot->v.dx == v.dx && slot->v.dy == v.dy)
            return slot;
    }
    return NULL;
}

static void vote(struct tas_motion *m, struct tas_vector v, int32_t x, int32_t y) {
    struct tas_vote *slot = vote_slot(m, v);
    if (!slot)
        return;
    slot->count++;
    slot->within = (struct tas_area){tas_min(slot->within.x0, x), tas_min(slot->within.y0, y),
                                     tas_max(slot->within.x1, x + 1), tas_max(slot->within.y1, y + 1)};
}

static void look_up_anchor(struct tas_motion *m, uint32_t key, int32_t x, int32_t y) {
    const struct tas_anchor *slot = anchor_slot(m, key);
    if (slot->key != key || slot->x == TWICE || (slot->x == x && slot->y == y))
        return;
    vote(m, (struct tas_vector){slot->x - x, slot->y - y}, x, y);
}

/* What is done with each anchor of a picture. */
struct visit {
    const struct tas_picture *pic;
    void (*fn)(struct tas_motion *m, uint32_t key, int32_t x, int32_t y);
    int32_t row_step;  /* every so many rows */
    int32_t tile_step; /* every so many tiles, on diagonals */
    bool only_wrong;   /* not the blocks that are right by now */
};

/* The anchors that begin in [x0, x1) of a row. */
static void visit_row(struct tas_motion *m, const struct visit *visit, int32_t x0, int32_t x1, int32_t y) {
    const uint32_t *px = tas_motion_px(visit->pic, x0, y);
    size_t stride = visit->pic->stride;
    unsigned count = m->kernels->anchors(px, stride, (unsigned)(x1 - x0), m->select, m->places);
    for (unsigned i = 0; i < count; i++)
        visit->fn(m, anchor_key(px + m->places[i], stride), x0 + m->places[i], y);
}

static void visit_run(struct tas_motion *m, const struct visit *visit, int32_t bx0, int32_t bx1, int32_t by) {
    int32_t x0 = tas_max(1, bx0 * TAS_MOTION_BLOCK), y = by * TAS_MOTION_BLOCK;
    int32_t x1 = tas_min(bx1 * TAS_MOTION_BLOCK, (int32_t)m->width - ANCHOR_WIDTH + 1);
    int32_t y1 = tas_min(y + TAS_MOTION_BLOCK, (int32_t)m->height - 1);
    for (; x0 < x1 && y < y1; y += visit->row_step)
        visit_row(m, visit, x0, x1, y);
}

static bool is_visited(const struct tas_motion *m, const struct visit *visit, int32_t bx, int32_t by) {
    if (visit->only_wrong && m->fit[tas_motion_block(m, bx, by)] == TAS_FIT_RIGHT)
        return false;
    return (bx * TAS_MOTION_BLOCK / TAS_TILE + by * TAS_MOTION_BLOCK / TAS_TILE) % visit->tile_step == 0;
}

/* Only in blocks that changed: what moved away left other content behind. */
static void visit_anchors(struct tas_motion *m, const struct visit *visit) {
    for (uint32_t i = 0; i < m->n_changed;) {
        uint32_t first = m->changed[i++];
        int32_t bx = (int32_t)(first % m->across), by = (int32_t)(first / m->across), end = bx + 1;
        if (!is_visited(m, visit, bx, by))
            continue;
        for (; i < m->n_changed && m->changed[i] == m->changed[i - 1] + 1; i++, end++)
            if (end == (int32_t)m->across || !is_visited(m, visit, end, by))
                break;
        visit_run(m, visit, bx, end, by);
    }
}

static struct tas_area whole(const struct tas_motion *m) {
    return (struct tas_area){0, 0, (int32_t)m->across, (int32_t)m->down};
}

/* What moved reaches further than the anchors that were found in it. */
static struct tas_area widen(const struct tas_motion *m, const struct tas_vote *vote) {
    const int32_t b = TAS_MOTION_BLOCK;
    struct tas_area px = vote->within;
    if (vote->count >= VOTES_MANY)
        return whole(m);
    return tas_area_common(whole(m), (struct tas_area){px.x0 / b - MARGIN, px.y0 / b - MARGIN,
                                                       px.x1 / b + MARGIN, px.y1 / b + MARGIN});
}

/* The vectors with the most votes, at least `least` each. */
static unsigned count_votes(struct tas_motion *m, uint32_t least,
                            struct tas_candidate found[TAS_MOTION_VECTORS]) {
    unsigned n = 0;
    for (; n < TAS_MOTION_VECTORS; n++) {
        struct tas_vote *best = &m->votes[0];
        for (unsigned i = 1; i < VOTES; i++)
            if (m->votes[i].count > best->count)
                best = &m->votes[i];
        if (best->count < least)
            break;
        found[n] = (struct tas_candidate){best->v, widen(m, best)};
        best->count = 0;
    }
    return n;
}

/* A large change is looked at sparsely, which suffices for what moves in it at large. */
static unsigned search(struct tas_motion *m, struct tas_candidate found[TAS_MOTION_VECTORS]) {
    bool is_large = m->n_changed >= MANY_BLOCKS;
    m->anchors_log2 = is_large ? ANCHORS_LOG2_MAX : ANCHORS_LOG2_MAX - 2;
    m->select = is_large ? 0xf8000000 : 0xf0000000;
    struct visit old = {&m->was, learn_anchor, 1, is_large ? 4 : 1, false};
    struct visit new = {&m->now, look_up_anchor, is_large ? 8 : 1, 1, false};
    memset(m->anchors, 0, sizeof(*m->anchors) << m->anchors_log2);
    memset(m->votes, 0, VOTES * sizeof(*m->votes));
    visit_anchors(m, &old);
    visit_anchors(m, &new);
    return count_votes(m, VOTES_LEAST, found);
}

unsigned tas_motion_more_candidates(struct tas_motion *m, struct tas_candidate found[TAS_MOTION_VECTORS]) {
    if (!m->has_searched || m->n_changed < MANY_BLOCKS || m->n_moves == 0)
        return 0;
    struct visit new = {&m->now, look_up_anchor, 1, 1, true};
    memset(m->votes, 0, VOTES * sizeof(*m->votes));
    visit_anchors(m, &new);
    return count_votes(m, MORE_VOTES_LEAST, found);
}

/* ---- the vectors of the last search ---- */

struct trial {
    unsigned tried, explained, hits[TAS_MOTION_VECTORS];
};

static void try_block(struct tas_motion *m, struct trial *trial, uint32_t block) {
    int32_t bx = (int32_t)(block % m->across), by = (int32_t)(block / m->across);
    if (tas_motion_price(m, block, bx, by) <= TAS_MOTION_TEXTURED)
        return;
    bool is_explained = false;
    for (unsigned i = 0; i < m->n_last; i++) {
        if (tas_motion_try(m, bx, by, m->last[i]) == TAS_FIT_RIGHT) {
            trial->hits[i]++;
            is_explained = true;
        }
    }
    trial->tried++;
    trial->explained += is_explained;
}

/* Do they explain most of what changed? A scroll uncovers much that nothing explains; where several things
 * moved, what is missing may be one of them that has turned. */
static bool explain_most(struct tas_motion *m, struct trial *trial) {
    uint32_t step = m->n_changed / SAMPLES + 1;
    *trial = (struct trial){0};
    for (uint32_t i = step / 2; m->n_last > 0 && i < m->n_changed; i += step)
        try_block(m, trial, m->changed[i]);
    enum { MOST_PERCENT = 80, MOST_OF_SEVERAL_PERCENT = 92 };
    unsigned percent = m->n_last > 1 ? MOST_OF_SEVERAL_PERCENT : MOST_PERCENT;
    return trial->tried > 0 && trial->explained * 100 >= trial->tried * percent;
}

static bool is_among(struct tas_vector v, const struct tas_candidate *found, unsigned n) {
    for (unsigned i = 0; i < n; i++)
        if (v.dx == found[i].v.dx && v.dy == found[i].v.dy)
            return true;
    return false;
}

unsigned tas_motion_candidates(struct tas_motion *m, struct tas_candidate found[TAS_MOTION_VECTORS]) {
    struct trial last;
    m->has_searched = !explain_most(m, &last);
    unsigned n = m->has_searched ? search(m, found) : 0;
    while (n < TAS_MOTION_VECTORS) {
        unsigned best = 0;
        for (unsigned i = 1; i < m->n_last; i++)
            if (last.hits[i] > last.hits[best])
                best = i;
        if (last.hits[best] == 0)
            break;
        if (!is_among(m->last[best], found, n))
            found[n++] = (struct tas_candidate){m->last[best], whole(m)};
        last.hits[best] = 0;
    }
    return n;
}
