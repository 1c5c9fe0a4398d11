/* The edges of a move, exact to the pixel: windows and panes do not keep to the grid of blocks. */
#include "codec/motion_state_private.h"

enum { B = TAS_MOTION_BLOCK };

/* Which pixels of a block are wrong: bit x of rows[y]. */
struct wrong {
    uint16_t rows[B];
};

static unsigned bits_in(unsigned mask) {
    mask -= mask >> 1 & 0x5555;
    mask = (mask & 0x3333) + (mask >> 2 & 0x3333);
    mask = (mask + (mask >> 4)) & 0x0f0f;
    return (mask + (mask >> 8)) & 0x1f;
}

/* Puts in what the pixels of `part` are when they are copied along the vector. */
static void put_part(const struct tas_motion *m, struct wrong *wrong, struct tas_area block,
                     struct tas_area part, struct tas_vector v) {
    uint16_t rows[B];
    unsigned w = (unsigned)(part.x1 - part.x0), h = (unsigned)(part.y1 - part.y0);
    unsigned shift = (unsigned)(part.x0 - block.x0), mask = ((1u << w) - 1) << shift;
    m->kernels->masks(tas_motion_px(&m->was, part.x0 + v.dx, part.y0 + v.dy), m->was.stride,
                      tas_motion_px(&m->now, part.x0, part.y0), m->now.stride, w, h, rows);
    uint16_t *to = wrong->rows + (part.y0 - block.y0);
    for (unsigned y = 0; y < h; y++)
        to[y] = (uint16_t)((to[y] & ~mask) | (unsigned)rows[y] << shift);
}

static struct tas_vector vector_of(const struct tas_move *move) {
    return (struct tas_vector){move->dx, move->dy};
}

static void wrong_now(const struct tas_motion *m, struct wrong *wrong, int32_t bx, int32_t by) {
    struct tas_area block = tas_motion_block_area(m, bx, by);
    unsigned cover = m->cover[tas_motion_block(m, bx, by)];
    struct tas_vector still = {0, 0};
    memset(wrong, 0, sizeof(*wrong));
    if (m->fit[tas_motion_block(m, bx, by)] == TAS_FIT_RIGHT)
        return;
    put_part(m, wrong, block, block, cover ? vector_of(&m->moves[cover - 1]) : still);
    for (unsigned i = cover; i < m->n_moves; i++) {
        struct tas_area part = tas_area_common(block, tas_area_of_move(&m->moves[i]));
        if (!tas_area_is_empty(part))
            put_part(m, wrong, block, part, vector_of(&m->moves[i]));
    }
}

uint8_t tas_motion_fit_now(const struct tas_motion *m, int32_t bx, int32_t by) {
    struct wrong wrong;
    unsigned count = 0;
    wrong_now(m, &wrong, bx, by);
    for (unsigned y = 0; y < B; y++)
        count += bits_in(wrong.rows[y]);
    return tas_motion_fit_of(count);
}

/* ---- one edge ---- */

/* An edge of the area that moves. Lines of pixels are counted from it, in either direction. */
struct edge {
    struct tas_area area;
    struct tas_vector v;
    bool is_upright; /* left or right */
    bool is_far;     /* right or bottom */
};

static int32_t *position(struct edge *edge) {
    if (edge->is_upright)
        return edge->is_far ? &edge->area.x1 : &edge->area.x0;
    return edge->is_far ? &edge->area.y1 : &edge->area.y0;
}

static void count_lines(const struct wrong *wrong, bool is_upright, unsigned lines[B]) {
    memset(lines, 0, B * sizeof(*lines));
    for (unsigned y = 0; y < B; y++) {
        if (!is_upright)
            lines[y] = bits_in(wrong->rows[y]);
        else
            for (unsigned mask = wrong->rows[y]; mask; mask &= mask - 1)
                lines[__builtin_ctz(mask)]++;
    }
}

/* What a block costs with so many wrong pixels. */
static int32_t cost_of(unsigned wrong) {
    return wrong == 0 ? 0 : wrong <= TAS_MOTION_NEAR ? 8 : 24 + (int32_t)wrong / 8;
}

/* costs[k]: what blocks cost when the k lines next to the edge change sides. */
struct costs {
    int32_t of[B + 1];
};

static void add_costs(struct costs *costs, const struct wrong *from, const struct wrong *to, bool is_upright,
                      bool is_last_first) {
    unsigned before[B], after[B], count = 0;
    count_lines(from, is_upright, before);
    count_lines(to, is_upright, after);
    for (unsigned i = 0; i < B; i++)
        count += before[i];
    costs->of[0] += cost_of(count);
    for (unsigned k = 0; k < B; k++) {
        unsigned line = is_last_first ? B - 1 - k : k;
        count = count + after[line] - before[line];
        costs->of[k + 1] += cost_of(count);
    }
}

/* The pixels of a block that would move if the edge went all the way over it. */
static struct tas_area part_along(const struct tas_motion *m, const struct edge *edge,
                                  struct tas_area block) {
    struct tas_area part = edge->area;
    if (edge->is_upright)
        part.x0 = block.x0, part.x1 = block.x1;
    else
        part.y0 = block.y0, part.y1 = block.y1;
    return tas_area_common(tas_area_common(part, block), tas_motion_reach(m, edge->v));
}

static void add_block(const struct tas_motion *m, const struct edge *edge, int32_t bx, int32_t by,
                      bool is_inside, struct costs *costs) {
    struct tas_area block = tas_motion_block_area(m, bx, by), part = part_along(m, edge, block);
    size_t at = tas_motion_block(m, bx, by);
    if (tas_area_is_empty(part) || (m->fit[at] == TAS_FIT_RIGHT && m->under[at] == TAS_FIT_RIGHT))
        return;
    struct wrong now, moved;
    wrong_now(m, &now, bx, by);
    moved = now;
    put_part(m, &moved, block, part, edge->v);
    if (is_inside)
        add_costs(costs, &moved, &now, edge->is_upright, edge->is_far);
    else
        add_costs(costs, &now, &moved, edge->is_upright, !edge->is_far);
}

/* Only blocks that are wrong on their side of the edge can gain by a change of sides. */
static bool can_gain(const struct tas_motion *m, size_t block, bool is_inside) {
    return (is_inside ? m->under : m->fit)[block] != TAS_FIT_RIGHT;
}

/* How many lines, at most `most`, of the strip of blocks inside or outside of the edge should change sides;
 * *gain: what that saves. */
static int32_t best_lines(const struct tas_motion *m, const struct edge *edge, int32_t strip, bool is_inside,
                          int32_t most, int32_t *gain) {
    struct costs costs = {{0}};
    int32_t from = (edge->is_upright ? edge->area.y0 : edge->area.x0) / B;
    int32_t to = ((edge->is_upright ? edge->area.y1 : edge->area.x1) + B - 1) / B;
    int32_t best = 0, found = 0;
    size_t first = edge->is_upright ? tas_motion_block(m, strip, 0) : tas_motion_block(m, 0, strip);
    for (int32_t i = from; most > 0 && i < to; i++)
        found += can_gain(m, first + (size_t)i * (edge->is_upright ? m->across : 1), is_inside);
    for (int32_t i = from; found > 0 && i < to; i++)
        add_block(m, edge, edge->is_upright ? strip : i, edge->is_upright ? i : strip, is_inside, &costs);
    for (int32_t k = 1; k <= most; k++)
        if (costs.of[k] < costs.of[best])
            best = k;
    *gain = costs.of[0] - costs.of[best];
    return best;
}

static void fit_edge(const struct tas_motion *m, struct edge *edge) {
    struct edge limits = {tas_motion_reach(m, edge->v), edge->v, edge->is_upright, edge->is_far};
    struct edge other = {edge->area, edge->v, edge->is_upright, !edge->is_far};
    int32_t *at = position(edge), sign = edge->is_far ? 1 : -1;
    int32_t room = sign * (*position(&limits) - *at), size = sign * (*at - *position(&other));
    if (*at % B != 0)
        return; /* the edge of the picture */
    int32_t strip = *at / B, grown, shrunk, more, less;
    more = best_lines(m, edge, edge->is_far ? strip : strip - 1, false, tas_min(B, room), &grown);
    less = best_lines(m, edge, edge->is_far ? strip - 1 : strip, true, tas_min(B, size) - 1, &shrunk);
    *at += grown >= shrunk ? sign * more : -sign * less;
}

void tas_motion_fit_edges(const struct tas_motion *m, struct tas_area *area, struct tas_vector v) {
    struct edge edge = {.area = *area, .v = v};
    for (unsigned i = 0; i < 4; i++) {
        edge.is_upright = i >= 2;
        edge.is_far = i % 2;
        fit_edge(m, &edge);
    }
    *area = edge.area;
}
