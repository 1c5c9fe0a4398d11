#include "codec/model_private.h"

#include "base/wipe.h"

#include <assert.h>
#include <stdlib.h>

enum {
    MEDIUM_BITS = 16,
    SMALL_BITS = 14,
    CACHE_BITS = 12,
    CONFIDENCE_MAX = 255,
    CONFIDENCE_KEPT = 3, /* above this a miss halves it, at or below it replaces the value */
    STRANGER_KEPT = 7,   /* above this another context's entry is kept for now */
    STRANGER_DECAY = 4,
    CONFIDENCE_CLASSES = 8,
    RUN_LOGS = 15, /* spans have up to 2^14 pixels */
    CANDIDATES = 6,
    PATTERNS = 8,
    ACTIVITIES = 11,
    RESIDUALS = 12,
    BYTE_LOG = 8, /* numbers up to 255, plus 1 */
};

/* Odd multipliers that mix well (xxHash, MurmurHash3). */
#define MIX_A 0x9e3779b1u
#define MIX_B 0x85ebca6bu
#define MIX_C 0xc2b2ae35u

/* What followed a large context. */
struct entry {
    uint32_t px;
    uint16_t check; /* of the context that it belongs to */
    uint8_t confidence;
    uint8_t unused;
};

/* What followed a medium one: the pixel and, in the top byte, the confidence. */
#define PACK(px, confidence)      ((px) | (uint32_t)(confidence) << 24)
#define PACKED_PX(packed)         ((packed)&TAS_MODEL_RGB)
#define PACKED_CONFIDENCE(packed) ((packed) >> 24)

/* All that is learnt about bins. Only struct tas_prob in here: reset_probs() walks it as an array. */
struct probs {
    struct tas_model_heads heads;
    struct tas_prob run_whole[RUN_LOGS][2];
    struct tas_prob_number run_length[RUN_LOGS];
    struct tas_prob large[CONFIDENCE_CLASSES][2][2][PATTERNS];
    struct tas_prob large_temp[CONFIDENCE_CLASSES][2][2][PATTERNS];
    struct tas_prob medium[CONFIDENCE_CLASSES][CONFIDENCE_CLASSES][2][2];
    struct tas_prob candidate[CANDIDATES][PATTERNS][4];
    struct tas_prob is_cached[2];
    struct tas_prob cache_index[1 << CACHE_BITS];
    struct tas_prob is_residual[PATTERNS];
    struct tas_prob_number green[ACTIVITIES], blue_residual[RESIDUALS], red_residual[RESIDUALS];
    struct tas_prob green_direct[16][256], blue_direct[32][256], red_direct[256][256];
};

struct tas_model {
    struct probs probs;
    unsigned bits;
    uint32_t medium[1 << MEDIUM_BITS];
    uint32_t small[1 << SMALL_BITS];
    uint32_t cache[1 << CACHE_BITS];
    struct entry large[]; /* 2^bits */
};

static size_t size_of(unsigned bits) {
    return sizeof(struct tas_model) + ((size_t)1 << bits) * sizeof(struct entry);
}

struct tas_model *tas_model_new(unsigned bits) {
    struct tas_model *model = malloc(size_of(bits));
    if (!model)
        return NULL;
    model->bits = bits;
    tas_model_reset(model);
    return model;
}

void tas_model_free(struct tas_model *model) {
    if (model)
        tas_wipe(model, size_of(model->bits));
    free(model);
}

void tas_model_reset(struct tas_model *model) {
    unsigned bits = model->bits;
    memset(model, 0, size_of(bits));
    model->bits = bits;
    struct tas_prob *prob = (struct tas_prob *)&model->probs;
    static_assert(sizeof(struct probs) % sizeof(struct tas_prob) == 0, "struct probs holds something else");
    for (size_t i = 0; i < sizeof(struct probs) / sizeof(*prob); i++)
        prob[i] = TAS_PROB_HALF;
}

void tas_model_copy(struct tas_model *to, const struct tas_model *from) {
    assert(to->bits == from->bits);
    memcpy(to, from, size_of(from->bits));
}

struct tas_model_heads *tas_model_heads(struct tas_model *model) {
    return &model->probs.heads;
}

/* The pixels around the one to code: the compass points, two steps where the letter is doubled. */
struct around {
    uint32_t w, n, nw, ne, ww, nn, nee;
    unsigned pattern;       /* which of them are equal */
    uint32_t old, old_next; /* TEMP: here and one to the right, as they were */
    unsigned old_matches;   /* TEMP: how many neighbours did not change */
};

TAS_INLINE struct around around_of(const bool temporal, const struct tas_span *span, uint32_t x) {
    const uint32_t *here = span->row + x, *up = here - span->stride, *up2 = up - span->stride;
    struct around a = {
        .w = here[-1], .n = up[0], .nw = up[-1], .ne = up[1], .ww = here[-2], .nn = up2[0], .nee = up[2]};
    a.pattern = (unsigned)(a.w == a.n) | (unsigned)(a.w == a.nw) << 1 | (unsigned)(a.n == a.ne) << 2;
    if (temporal) {
        a.old = span->old[x];
        a.old_next = span->old[x + 1];
        a.old_matches = (unsigned)(a.w == span->old[(ptrdiff_t)x - 1]) + (unsigned)(a.n == span->old_up[x]) +
                        (unsigned)(a.ne == span->old_up[x + 1]);
    }
    return a;
}

/* Where the tables keep what they know of this context. */
struct places {
    struct entry *large;
    uint32_t *medium, *small;
    uint16_t check;
};

TAS_INLINE struct places places_of(const bool temporal, struct tas_model *model, const struct around *a) {
    uint32_t small = (a->w * MIX_A ^ a->n) * MIX_B;
    small ^= small >> 15;
    uint32_t medium = ((small ^ a->nw) * MIX_A ^ a->ne) * MIX_C;
    medium ^= medium >> 15;
    uint32_t large = ((medium ^ a->ww) * MIX_A ^ a->nn) * MIX_B;
    large = (large ^ large >> 14 ^ a->nee) * MIX_A;
    if (temporal) {
        large = (large ^ a->old) * MIX_A;
        large = (large ^ large >> 13 ^ a->old_next) * MIX_B;
    }
    large ^= large >> 16;
    large *= MIX_A;
    return (struct places){
        .large = &model->large[large >> (32 - model->bits)],
        .medium = &model->medium[medium * MIX_B >> (32 - MEDIUM_BITS)],
        .small = &model->small[small * MIX_A >> (32 - SMALL_BITS)],
        .check = (uint16_t)large,
    };
}

/* Half of the time goes by waiting for the tables. Most guesses are right, so what the next pixel will need
 * can be called for while this one, most likely `px`, is being coded. */
TAS_INLINE void call_for_next(struct tas_model *model, const struct tas_span *span, uint32_t x, uint32_t px) {
    const uint32_t *here = span->row + x, *up = here - span->stride, *up2 = up - span->stride;
    struct around next = {
        .w = px, .n = up[1], .nw = up[0], .ne = up[2], .ww = here[-1], .nn = up2[1], .nee = up[3]};
    struct places at = places_of(false, model, &next);
    __builtin_prefetch(at.large, 1);
    __builtin_prefetch(at.medium, 1);
}

/* What the tables say of the next pixel. Confidence 0: nothing. */
struct guess {
    uint32_t large, medium, small;
    unsigned large_confidence, medium_confidence;
    unsigned large_class, medium_class; /* the confidences, up to 7 */
};

TAS_INLINE unsigned class_of(unsigned confidence) {
    return confidence < CONFIDENCE_CLASSES ? confidence : CONFIDENCE_CLASSES - 1;
}

TAS_INLINE struct guess guess_at(const struct places *at) {
    struct guess g = {.medium = PACKED_PX(*at->medium), .small = *at->small};
    if (at->large->check == at->check) {
        g.large = at->large->px;
        g.large_confidence = at->large->confidence;
    }
    g.medium_confidence = PACKED_CONFIDENCE(*at->medium);
    g.large_class = class_of(g.large_confidence);
    g.medium_class = class_of(g.medium_confidence);
    return g;
}

/* The pixel that is being coded (the decoder learns it on the way), and those that it is known not to be. */
struct search {
    uint32_t px;
    uint32_t refused[2 + CANDIDATES];
    unsigned refusals;
};

/* Is it `guess`? If not, it will not be asked again. */
TAS_INLINE bool ask(const bool encode, struct tas_rc *rc, struct tas_prob *p, struct search *s,
                    uint32_t guess) {
    if (!tas_rc_bin(encode, rc, p, s->px != guess)) {
        s->px = guess;
        return true;
    }
    s->refused[s->refusals++] = guess;
    return false;
}

TAS_INLINE bool is_refused(const struct search *s, uint32_t px) {
    bool found = false;
    for (unsigned i = 0; i < s->refusals; i++)
        found |= s->refused[i] == px;
    return found;
}

TAS_INLINE bool ask_large(const bool encode, const bool temporal, struct tas_rc *rc, struct probs *probs,
                          const struct around *a, const struct guess *g, struct search *s) {
    if (g->large_confidence == 0 && !temporal)
        return false;
    uint32_t px = temporal && g->large_confidence == 0 ? a->old : g->large;
    bool is_w = px == a->w, is_n = px == a->n;
    struct tas_prob *p =
        temporal ? &probs->large_temp[g->large_class][is_w][is_n][a->old_matches + (px == a->old ? 4 : 0)]
                 : &probs->large[g->large_class][is_w][is_n][a->pattern];
    return ask(encode, rc, p, s, px);
}

TAS_INLINE bool ask_medium(const bool encode, struct tas_rc *rc, struct probs *probs, const struct around *a,
                           const struct guess *g, struct search *s) {
    if (g->medium_confidence == 0 || is_refused(s, g->medium))
        return false;
    struct tas_prob *p =
        &probs->medium[g->large_class][g->medium_class][g->medium == a->w][g->medium == a->n];
    return ask(encode, rc, p, s, g->medium);
}

TAS_INLINE bool ask_candidates(const bool encode, const bool temporal, struct tas_rc *rc, struct probs *probs,
                               const struct around *a, const struct guess *g, struct search *s) {
    const uint32_t candidates[CANDIDATES] = {a->w, a->n, g->small, a->ne, a->nw, a->old};
    unsigned confidence = g->large_class < 3 ? g->large_class : 3;
    for (unsigned i = 0; i < (temporal ? CANDIDATES : CANDIDATES - 1); i++)
        if (!is_refused(s, candidates[i]) &&
            ask(encode, rc, &probs->candidate[i][a->pattern][confidence], s, candidates[i]))
            return true;
    return false;
}

TAS_INLINE int red(uint32_t px) {
    return (int)(px >> 16 & 255);
}
TAS_INLINE int green(uint32_t px) {
    return (int)(px >> 8 & 255);
}
TAS_INLINE int blue(uint32_t px) {
    return (int)(px & 255);
}

/* The median edge detector of LOCO-I: w or n at an edge, else the plane through the three. */
TAS_INLINE int median_edge(int w, int n, int nw) {
    int least = w < n ? w : n, most = w < n ? n : w;
    if (nw >= most)
        return least;
    return nw <= least ? most : w + n - nw;
}

/* How much green moves around here, in classes of about equal weight. */
TAS_INLINE unsigned activity_of(const struct around *a) {
    int sum =
        abs(green(a->w) - green(a->nw)) + abs(green(a->n) - green(a->nw)) + abs(green(a->ne) - green(a->n));
    return (unsigned)(sum >= 1) + (unsigned)(sum >= 3) + (unsigned)(sum >= 6) + (unsigned)(sum >= 10) +
           (unsigned)(sum >= 16) + (unsigned)(sum >= 24) + (unsigned)(sum >= 36) + (unsigned)(sum >= 60) +
           (unsigned)(sum >= 100) + (unsigned)(sum >= 160);
}

TAS_INLINE unsigned residual_class(uint32_t folded, unsigned activity) {
    unsigned size = (unsigned)(folded >= 1) + (unsigned)(folded >= 3) + (unsigned)(folded >= 7) +
                    (unsigned)(folded >= 15) + (unsigned)(folded >= 31);
    return size + (activity > 4 ? 6 : 0);
}

/* A difference modulo 256, folded so that small ones of either sign become small numbers: 0 -1 1 -2 2 ... */
TAS_INLINE uint32_t fold(int difference) {
    int d = (int8_t)(uint8_t)difference;
    return d < 0 ? (uint32_t)(-2 * d - 1) : (uint32_t)(2 * d);
}

TAS_INLINE int unfold(uint32_t folded) {
    return folded & 1 ? -(int)((folded + 1) >> 1) : (int)(folded >> 1);
}

TAS_INLINE uint32_t code_residual(const bool encode, struct tas_rc *rc, struct tas_prob_number *p,
                                  int difference) {
    uint32_t folded = tas_rc_number(encode, rc, p, encode ? fold(difference) : 0, BYTE_LOG);
    if (!encode && folded > 255) {
        rc->bad = true;
        folded = 255;
    }
    return folded;
}

/* Each channel as its distance from the median edge; blue and red less that of green, which they mostly
 * follow. */
TAS_INLINE uint32_t residual_literal(const bool encode, struct tas_rc *rc, struct probs *probs,
                                     const struct around *a, uint32_t px) {
    unsigned activity = activity_of(a);
    int g = median_edge(green(a->w), green(a->n), green(a->nw));
    int b = median_edge(blue(a->w), blue(a->n), blue(a->nw));
    int r = median_edge(red(a->w), red(a->n), red(a->nw));

    uint32_t dg = code_residual(encode, rc, &probs->green[activity], green(px) - g);
    int g_off = unfold(dg);
    unsigned class = residual_class(dg, activity);
    uint32_t db = code_residual(encode, rc, &probs->blue_residual[class], blue(px) - b - g_off);
    class = residual_class(db, activity);
    uint32_t dr = code_residual(encode, rc, &probs->red_residual[class], red(px) - r - g_off);

    g = (g + g_off) & 255;
    b = (b + g_off + unfold(db)) & 255;
    r = (r + g_off + unfold(dr)) & 255;
    return (uint32_t)r << 16 | (uint32_t)g << 8 | (uint32_t)b;
}

/* Each channel as it is; blue in the context of green, red of both. */
TAS_INLINE uint32_t direct_literal(const bool encode, struct tas_rc *rc, struct probs *probs,
                                   const struct around *a, uint32_t px) {
    unsigned near = (unsigned)(green(a->w) >> 6 << 2 | green(a->n) >> 6);
    uint32_t g = tas_rc_tree(encode, rc, probs->green_direct[near], px >> 8 & 255, 8);
    uint32_t b = tas_rc_tree(encode, rc, probs->blue_direct[g >> 3], px & 255, 8);
    uint32_t r = tas_rc_tree(encode, rc, probs->red_direct[(g >> 4) << 4 | b >> 4], px >> 16 & 255, 8);
    return r << 16 | g << 8 | b;
}

/* Encoder only: will the residual be cheaper than the value? */
TAS_INLINE bool is_near(const struct around *a, uint32_t px) {
    int from_w = abs(green(px) - green(a->w)), from_n = abs(green(px) - green(a->n));
    return (from_w <= 8 || from_n <= 8) && abs(blue(px) - blue(a->w)) + abs(red(px) - red(a->w)) <= 24;
}

TAS_INLINE uint32_t cache_index(uint32_t px) {
    uint32_t h = px * MIX_A;
    h ^= h >> 15;
    h *= MIX_B;
    h ^= h >> 13;
    return h >> (32 - CACHE_BITS);
}

/* A colour that none of the guesses has: one seen not long ago, or a new one. */
TAS_INLINE uint32_t code_colour(const bool encode, struct tas_rc *rc, struct tas_model *model,
                                const struct around *a, uint32_t px) {
    struct probs *probs = &model->probs;
    uint32_t index = encode ? cache_index(px) : 0;
    bool is_cached = encode && model->cache[index] == px;
    if (!tas_rc_bin(encode, rc, &probs->is_cached[a->w == a->n], !is_cached)) {
        index = tas_rc_tree(encode, rc, probs->cache_index, index, CACHE_BITS);
        return model->cache[index];
    }
    if (tas_rc_bin(encode, rc, &probs->is_residual[a->pattern], encode && is_near(a, px)))
        px = residual_literal(encode, rc, probs, a, px);
    else
        px = direct_literal(encode, rc, probs, a, px);
    model->cache[cache_index(px)] = px;
    return px;
}

TAS_INLINE void learn_large(struct entry *e, uint16_t check, uint32_t px) {
    unsigned confidence = e->confidence;
    if (e->check != check && confidence > STRANGER_KEPT) {
        e->confidence = (uint8_t)(confidence - STRANGER_DECAY);
    } else if (e->check == check && confidence > 0 && e->px == px) {
        e->confidence = (uint8_t)(confidence + (confidence < CONFIDENCE_MAX));
    } else if (e->check == check && confidence > CONFIDENCE_KEPT) {
        e->confidence = (uint8_t)(confidence >> 1);
    } else {
        *e = (struct entry){.px = px, .check = check, .confidence = 1};
    }
}

TAS_INLINE void learn_medium(uint32_t *packed, uint32_t px) {
    unsigned confidence = PACKED_CONFIDENCE(*packed);
    if (PACKED_PX(*packed) == px)
        *packed = PACK(px, confidence + (confidence < CONFIDENCE_MAX));
    else if (confidence > CONFIDENCE_KEPT)
        *packed = PACK(PACKED_PX(*packed), confidence >> 1);
    else
        *packed = PACK(px, 1);
}

TAS_INLINE void code_pixel(const bool encode, const bool temporal, struct tas_rc *rc, struct tas_model *model,
                           const struct tas_span *span, uint32_t x) {
    struct around a = around_of(temporal, span, x);
    struct places at = places_of(temporal, model, &a);
    struct guess g = guess_at(&at);
    struct search s = {.px = encode ? span->src[x] & TAS_MODEL_RGB : 0};
    struct probs *probs = &model->probs;
    if (!temporal)
        call_for_next(model, span, x, encode ? s.px : g.large_confidence ? g.large : g.medium);

    if (!ask_large(encode, temporal, rc, probs, &a, &g, &s) && !ask_medium(encode, rc, probs, &a, &g, &s) &&
        !ask_candidates(encode, temporal, rc, probs, &a, &g, &s))
        s.px = code_colour(encode, rc, model, &a, s.px);

    learn_large(at.large, at.check, s.px);
    learn_medium(at.medium, s.px);
    *at.small = s.px;
    span->row[x] = s.px;
}

/* Flat surroundings: how far does the same colour go on? [x, x + reach) is where the row above stays flat
 * too. Gives the first pixel after the run; `reach` pixels need no more, after fewer comes a pixel of another
 * colour. */
TAS_INLINE uint32_t code_run(const bool encode, struct tas_rc *rc, struct probs *probs,
                             const struct tas_span *span, uint32_t x, uint32_t reach) {
    uint32_t *here = span->row + x, px = here[-1], run = 0;
    if (encode)
        while (run < reach && (span->src[x + run] & TAS_MODEL_RGB) == px)
            run++;
    unsigned log = 31u - (unsigned)__builtin_clz(reach);
    bool is_flat_above = here[-2 * span->stride] == px;
    if (!tas_rc_bin(encode, rc, &probs->run_whole[log][is_flat_above], run != reach)) {
        run = reach;
    } else {
        run = tas_rc_number(encode, rc, &probs->run_length[log], run, log);
        if (!encode && run >= reach) {
            rc->bad = true;
            run = reach - 1;
        }
    }
    for (uint32_t i = 0; i < run; i++)
        here[i] = px;
    return x + run;
}

TAS_INLINE bool is_flat(const uint32_t *here, const uint32_t *up) {
    return here[-1] == up[0] && here[-1] == up[-1] && here[-1] == up[1];
}

/* How many pixels from x on have the same colour n and ne as w. At least 1 where is_flat(). */
TAS_INLINE uint32_t reach_of(const struct tas_span *span, uint32_t x) {
    const uint32_t *here = span->row + x, *up = here - span->stride;
    uint32_t reach = 1, most = span->x1 - x;
    while (reach < most && up[reach + 1] == here[-1])
        reach++;
    return reach;
}

TAS_INLINE void code_ctx(const bool encode, struct tas_rc *rc, struct tas_model *model,
                         const struct tas_span *span) {
    for (uint32_t x = span->x0; x < span->x1;) {
        const uint32_t *here = span->row + x;
        if (is_flat(here, here - span->stride)) {
            uint32_t reach = reach_of(span, x), end = x + reach;
            x = code_run(encode, rc, &model->probs, span, x, reach);
            if (x == end)
                continue;
        }
        code_pixel(encode, false, rc, model, span, x);
        x++;
    }
}

TAS_INLINE void code_temp(const bool encode, struct tas_rc *rc, struct tas_model *model,
                          const struct tas_span *span) {
    for (uint32_t x = span->x0; x < span->x1; x++)
        code_pixel(encode, true, rc, model, span, x);
}

TAS_INLINE void code_lit(const bool encode, struct tas_rc *rc, struct tas_model *model,
                         const struct tas_span *span) {
    for (uint32_t x = span->x0; x < span->x1; x++) {
        struct around a = around_of(false, span, x);
        uint32_t px = encode ? span->src[x] & TAS_MODEL_RGB : 0;
        span->row[x] = residual_literal(encode, rc, &model->probs, &a, px);
    }
}

/* The coder works on a copy that does not escape, so that the compiler can keep it in registers. */
TAS_INLINE void code_span(const bool encode, struct tas_model *model, struct tas_rc *rc,
                          const struct tas_span *span) {
    struct tas_rc local = *rc;
    struct tas_span at = *span;
    switch (at.mode) {
    case TAS_BLOCK_CTX:
        code_ctx(encode, &local, model, &at);
        break;
    case TAS_BLOCK_LIT:
        code_lit(encode, &local, model, &at);
        break;
    case TAS_BLOCK_TEMP:
        code_temp(encode, &local, model, &at);
        break;
    case TAS_BLOCK_SKIP:
        break;
    }
    *rc = local;
}

void tas_model_encode(struct tas_model *model, struct tas_rc *rc, const struct tas_span *span) {
    code_span(true, model, rc, span);
}

void tas_model_decode(struct tas_model *model, struct tas_rc *rc, const struct tas_span *span) {
    code_span(false, model, rc, span);
}
