/* Photos: each channel as its distance from what the neighbours let expect. docs/codec.md, "LIT". */
#pragma once

#include "codec/around_private.h"

#include <stdlib.h>

enum {
    TAS_ACTIVITIES = 11,
    TAS_RESIDUAL_CLASSES = 12,
    TAS_RESIDUAL_LOG = 8, /* numbers up to 255, plus 1 */
};

struct tas_literal_probs {
    struct tas_prob_number green[TAS_ACTIVITIES], blue_residual[TAS_RESIDUAL_CLASSES],
        red_residual[TAS_RESIDUAL_CLASSES];
};

TAS_INLINE int tas_red(uint32_t px) {
    return (int)(px >> 16 & 255);
}
TAS_INLINE int tas_green(uint32_t px) {
    return (int)(px >> 8 & 255);
}
TAS_INLINE int tas_blue(uint32_t px) {
    return (int)(px & 255);
}

/* The median edge detector of LOCO-I: w or n at an edge, else the plane through the three. */
TAS_INLINE int tas_median_edge(int w, int n, int nw) {
    int least = w < n ? w : n, most = w < n ? n : w;
    if (nw >= most)
        return least;
    return nw <= least ? most : w + n - nw;
}

/* How much green moves around here, in classes of about equal weight. */
TAS_INLINE unsigned tas_activity_of(const struct tas_around *a) {
    int sum = abs(tas_green(a->w) - tas_green(a->nw)) + abs(tas_green(a->n) - tas_green(a->nw)) +
              abs(tas_green(a->ne) - tas_green(a->n));
    return (unsigned)(sum >= 1) + (unsigned)(sum >= 3) + (unsigned)(sum >= 6) + (unsigned)(sum >= 10) +
           (unsigned)(sum >= 16) + (unsigned)(sum >= 24) + (unsigned)(sum >= 36) + (unsigned)(sum >= 60) +
           (unsigned)(sum >= 100) + (unsigned)(sum >= 160);
}

TAS_INLINE unsigned tas_residual_class(uint32_t folded, unsigned activity) {
    unsigned size = (unsigned)(folded >= 1) + (unsigned)(folded >= 3) + (unsigned)(folded >= 7) +
                    (unsigned)(folded >= 15) + (unsigned)(folded >= 31);
    return size + (activity > 4 ? 6 : 0);
}

/* A difference modulo 256, folded so that small ones of either sign become small numbers: 0 -1 1 -2 2 ... */
TAS_INLINE uint32_t tas_fold(int difference) {
    int d = (int8_t)(uint8_t)difference;
    return d < 0 ? (uint32_t)(-2 * d - 1) : (uint32_t)(2 * d);
}

TAS_INLINE int tas_unfold(uint32_t folded) {
    return folded & 1 ? -(int)((folded + 1) >> 1) : (int)(folded >> 1);
}

TAS_INLINE uint32_t tas_code_residual(const bool encode, struct tas_rc *rc, struct tas_prob_number *p,
                                      int difference) {
    uint32_t folded = tas_rc_number(encode, rc, p, encode ? tas_fold(difference) : 0, TAS_RESIDUAL_LOG);
    if (!encode && folded > 255) {
        rc->bad = true;
        folded = 255;
    }
    return folded;
}

/* Each channel as its distance from the median edge; blue and red less that of green, which they mostly
 * follow. */
TAS_INLINE uint32_t tas_literal(const bool encode, struct tas_rc *rc, struct tas_literal_probs *probs,
                                const struct tas_around *a, uint32_t px) {
    unsigned activity = tas_activity_of(a);
    int g = tas_median_edge(tas_green(a->w), tas_green(a->n), tas_green(a->nw));
    int b = tas_median_edge(tas_blue(a->w), tas_blue(a->n), tas_blue(a->nw));
    int r = tas_median_edge(tas_red(a->w), tas_red(a->n), tas_red(a->nw));

    uint32_t dg = tas_code_residual(encode, rc, &probs->green[activity], tas_green(px) - g);
    int g_off = tas_unfold(dg);
    unsigned class = tas_residual_class(dg, activity);
    uint32_t db = tas_code_residual(encode, rc, &probs->blue_residual[class], tas_blue(px) - b - g_off);
    class = tas_residual_class(db, activity);
    uint32_t dr = tas_code_residual(encode, rc, &probs->red_residual[class], tas_red(px) - r - g_off);

    g = (g + g_off) & 255;
    b = (b + g_off + tas_unfold(db)) & 255;
    r = (r + g_off + tas_unfold(dr)) & 255;
    return (uint32_t)r << 16 | (uint32_t)g << 8 | (uint32_t)b;
}
