/* Gradients: where all neighbours are near each other, a pixel is a small step away from W, whatever the
 * colour is. docs/codec.md, "CTX". */
#pragma once

#include "codec/around_private.h"

enum {
    TAS_STEP_NONE = 4,        /* a step of a channel is -4 to 3, written 0 to 7 */
    TAS_STEP_CONTEXTS = 3125, /* five steps, each of five kinds */
};

struct tas_step_probs {
    struct tas_prob is_step, is_down, below[3], above[2];
};

/* How far each channel of px is from that of w, as steps; they are sound if tas_are_steps(). */
TAS_INLINE uint32_t tas_steps_of(uint32_t px, uint32_t w) {
    return tas_bytes_plus(tas_bytes_less(px, w), 0x00040404u);
}

TAS_INLINE bool tas_are_steps(uint32_t steps) {
    return (steps & 0x80f8f8f8u) == 0;
}

/* Are all neighbours near W, and real colours? */
TAS_INLINE bool tas_is_smooth(const struct tas_around *a) {
    return !tas_is_rough(a->w) &&
           tas_are_steps(tas_steps_of(a->n, a->w) | tas_steps_of(a->nw, a->w) | tas_steps_of(a->ne, a->w) |
                         tas_steps_of(a->ww, a->w) | tas_steps_of(a->nn, a->w));
}

/* A step in five kinds: -2 or less, -1, 0, 1, 2 or more. */
TAS_INLINE unsigned tas_step_kind(uint32_t steps, unsigned shift) {
    static const uint8_t kinds[8] = {0, 0, 0, 1, 2, 3, 4, 4};
    return kinds[steps >> shift & 7];
}

TAS_INLINE unsigned tas_step(const bool encode, struct tas_rc *rc, struct tas_step_probs *p, unsigned step) {
    if (!tas_rc_bin(encode, rc, &p->is_step, step != TAS_STEP_NONE))
        return TAS_STEP_NONE;
    unsigned size = 0;
    if (tas_rc_bin(encode, rc, &p->is_down, step < TAS_STEP_NONE)) {
        while (size < 3 && tas_rc_bin(encode, rc, &p->below[size], step + size < TAS_STEP_NONE - 1))
            size++;
        return TAS_STEP_NONE - 1 - size;
    }
    while (size < 2 && tas_rc_bin(encode, rc, &p->above[size], step > TAS_STEP_NONE + 1 + size))
        size++;
    return TAS_STEP_NONE + 1 + size;
}

/* A pixel that is near W. Each channel by what its neighbours did, blue and red by the channels before, too.
 */
TAS_INLINE uint32_t tas_smooth(const bool encode, struct tas_rc *rc,
                               struct tas_step_probs probs[3][TAS_STEP_CONTEXTS], const struct tas_around *a,
                               uint32_t px) {
    const uint32_t near[5] = {tas_steps_of(a->n, a->w), tas_steps_of(a->nw, a->w), tas_steps_of(a->ne, a->w),
                              tas_steps_of(a->ww, a->w), tas_steps_of(a->nn, a->w)};
    uint32_t steps = encode ? tas_steps_of(px, a->w) : 0;
    unsigned context[3] = {0};
    for (unsigned i = 0; i < 5; i++)
        context[0] = context[0] * 5 + tas_step_kind(near[i], 8);
    for (unsigned i = 0; i < 4; i++)
        context[1] = context[1] * 5 + tas_step_kind(near[i], 0);
    for (unsigned i = 0; i < 3; i++)
        context[2] = context[2] * 5 + tas_step_kind(near[i], 16);
    unsigned g = tas_step(encode, rc, &probs[0][context[0]], steps >> 8 & 7);
    unsigned b = tas_step(encode, rc, &probs[1][context[1] * 5 + tas_step_kind(g, 0)], steps & 7);
    context[2] = (context[2] * 5 + tas_step_kind(b, 0)) * 5 + tas_step_kind(g, 0);
    unsigned r = tas_step(encode, rc, &probs[2][context[2]], steps >> 16 & 7);
    uint32_t moved = tas_bytes_plus(a->w, (uint32_t)r << 16 | (uint32_t)g << 8 | b);
    return tas_bytes_less(moved, 0x00040404u) & TAS_MODEL_RGB;
}
