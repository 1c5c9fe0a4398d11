/* Colours that nothing foretold, coded quickly: one seen not long ago by its place in a table, another one as
 * its distance from the neighbours or as it is. More bytes than by mixing (colour.c), less time:
 * for frames in which there are many. docs/codec.md, "Quick colours". */
#pragma once

#include "codec/literal_private.h"

enum {
    TAS_QUICK_BITS = 12,
    TAS_QUICK_PATTERNS = 8,
    TAS_QUICK_NEAR_GREEN = 8, /* encoder: so near to W or N in green, */
    TAS_QUICK_NEAR_REST = 24, /* and to W in blue and red together, the distance is cheaper */
};

/* Only struct tas_prob in here, as in struct probs of model.c. */
struct tas_quick_probs {
    struct tas_prob is_new[2];
    struct tas_prob place[1 << TAS_QUICK_BITS];
    struct tas_prob is_residual[TAS_QUICK_PATTERNS];
    struct tas_prob green[16][256], blue[32][256], red[256][256];
};

/* The colours seen; by whichever way they came. */
struct tas_quick_table {
    uint32_t px[1 << TAS_QUICK_BITS];
};

TAS_INLINE uint32_t tas_quick_place(uint32_t px) {
    uint32_t h = px * 0x9e3779b1u;
    h ^= h >> 15;
    h *= 0x85ebca6bu;
    h ^= h >> 13;
    return h >> (32 - TAS_QUICK_BITS);
}

TAS_INLINE void tas_quick_note(struct tas_quick_table *table, uint32_t px) {
    table->px[tas_quick_place(px)] = px;
}

/* Each channel as it is; blue in the context of green, red of both. */
TAS_INLINE uint32_t tas_quick_direct(const bool encode, struct tas_rc *rc, struct tas_quick_probs *probs,
                                     const struct tas_around *a, uint32_t px) {
    unsigned near = (unsigned)(tas_green(a->w) >> 6 << 2 | tas_green(a->n) >> 6);
    uint32_t g = tas_rc_tree(encode, rc, probs->green[near], px >> 8 & 255, 8);
    uint32_t b = tas_rc_tree(encode, rc, probs->blue[g >> 3], px & 255, 8);
    uint32_t r = tas_rc_tree(encode, rc, probs->red[(g >> 4) << 4 | b >> 4], px >> 16 & 255, 8);
    return r << 16 | g << 8 | b;
}

/* Encoder only: will the distance be cheaper than the colour? */
TAS_INLINE bool tas_quick_is_near(const struct tas_around *a, uint32_t px) {
    int from_w = abs(tas_green(px) - tas_green(a->w)), from_n = abs(tas_green(px) - tas_green(a->n));
    return (from_w <= TAS_QUICK_NEAR_GREEN || from_n <= TAS_QUICK_NEAR_GREEN) &&
           abs(tas_blue(px) - tas_blue(a->w)) + abs(tas_red(px) - tas_red(a->w)) <= TAS_QUICK_NEAR_REST;
}

TAS_INLINE uint32_t tas_quick_colour(const bool encode, struct tas_rc *rc, struct tas_quick_probs *probs,
                                     struct tas_literal_probs *literal, const struct tas_quick_table *table,
                                     const struct tas_around *a, unsigned pattern, uint32_t px) {
    uint32_t place = encode ? tas_quick_place(px) : 0;
    bool is_new = encode && table->px[place] != px;
    if (!tas_rc_bin(encode, rc, &probs->is_new[a->w == a->n], is_new))
        return table->px[tas_rc_tree(encode, rc, probs->place, place, TAS_QUICK_BITS)];
    if (tas_rc_bin(encode, rc, &probs->is_residual[pattern], encode && tas_quick_is_near(a, px)))
        return tas_literal(encode, rc, literal, a, px);
    return tas_quick_direct(encode, rc, probs, a, px);
}
