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

#define TAS_NO_STEPS 0x00040404u /* of all three channels */
/* The bits of three steps; of the top byte only the highest counts: is it rough? */
#define TAS_STEPS 0x7f070707u

/* How far each channel of px is from that of w, as steps; they are sound if tas_are_steps(). */
TAS_INLINE uint32_t tas_steps_of(uint32_t px, uint32_t w) {
    return tas_bytes_plus(tas_bytes_less(px, w), TAS_NO_STEPS);
}

TAS_INLINE bool tas_are_steps(uint32_t steps) {
    return (steps & ~TAS_STEPS) == 0;
}

/* The pixel that is so many steps from w. */
TAS_INLINE uint32_t tas_stepped(uint32_t w, uint32_t steps) {
    return tas_bytes_less(tas_bytes_plus(w, steps), TAS_NO_STEPS) & TAS_MODEL_RGB;
}

/* The steps from W to NW, N, NE and NEE, as they lie, and to WW. */
struct tas_steps_around {
    uint64_t above[2];
    uint32_t ww;
};

_Static_assert(
    __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
    "tas_steps_around() takes pixels two at a time as they lie in memory: here they have to be swapped");

TAS_INLINE struct tas_steps_around tas_steps_around(const struct tas_span *span, uint32_t x) {
    typedef uint8_t bytes __attribute__((vector_size(16)));
    const uint32_t *here = span->row + x, w = here[-1];
    const uint32_t from[4] = {w, w, w, w}, none[4] = {TAS_NO_STEPS, TAS_NO_STEPS, TAS_NO_STEPS, TAS_NO_STEPS};
    bytes at, less, plus;
    memcpy(&at, span->up + x - 1, sizeof(at));
    memcpy(&less, from, sizeof(less));
    memcpy(&plus, none, sizeof(plus));
    at = at - less + plus;
    struct tas_steps_around steps = {.ww = tas_steps_of(here[-2], w)};
    memcpy(steps.above, &at, sizeof(at));
    return steps;
}

/* Are all of these near W, and real colours? */
TAS_INLINE bool tas_is_smooth(const struct tas_steps_around *steps, uint32_t w) {
    uint64_t all = steps->above[0] | steps->above[1] | steps->ww;
    return (all & ~(TAS_STEPS * (uint64_t)0x100000001)) == 0 && !tas_is_rough(w);
}

/* What followed a shape, the steps around a pixel, whatever its colour was: the likelier steps first; in the
 * top bytes, how often. */
enum { TAS_SHAPE_GUESSES = 2, TAS_SHAPE_COUNT_MAX = 255, TAS_SHAPE_COUNT_KEPT = 3 };
struct tas_shape {
    uint32_t guess[TAS_SHAPE_GUESSES];
};

TAS_INLINE unsigned tas_shape_count(uint32_t guess) {
    return guess >> 24;
}

TAS_INLINE uint32_t tas_shape_hash(const struct tas_steps_around *steps) {
    uint64_t sum = steps->above[0] * 0x9e3779b185ebca6bu + steps->above[1] * 0xc2b2ae3d27d4eb4fu +
                   steps->ww * 0x165667b19e3779f9u;
    return (uint32_t)((sum ^ sum >> 29) * 0xbf58476d1ce4e5b9u >> 32);
}

TAS_INLINE uint32_t tas_guess_more(uint32_t guess) {
    return guess + (tas_shape_count(guess) < TAS_SHAPE_COUNT_MAX ? 1u << 24 : 0);
}

TAS_INLINE void tas_shape_learn(struct tas_shape *shape, uint32_t steps) {
    uint32_t first = shape->guess[0], second = shape->guess[1];
    if (tas_shape_count(first) == 0) {
        shape->guess[0] = steps | 1u << 24;
    } else if ((first & TAS_MODEL_RGB) == steps) {
        shape->guess[0] = tas_guess_more(first);
    } else if ((second & TAS_MODEL_RGB) == steps) {
        second = tas_guess_more(second);
        bool is_likelier = tas_shape_count(second) >= tas_shape_count(first);
        shape->guess[0] = is_likelier ? second : first;
        shape->guess[1] = is_likelier ? first : second;
    } else if (tas_shape_count(second) > TAS_SHAPE_COUNT_KEPT) {
        shape->guess[1] = (second & TAS_MODEL_RGB) | tas_shape_count(second) / 2 << 24;
    } else {
        shape->guess[1] = steps | 1u << 24;
    }
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
    return tas_stepped(a->w, (uint32_t)r << 16 | (uint32_t)g << 8 | b);
}
