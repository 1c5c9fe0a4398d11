#include "codec/model_private.h"

#include "base/wipe.h"
#include "codec/colour_private.h"
#include "codec/literal_private.h"
#include "codec/quick_private.h"
#include "codec/smooth_private.h"

#include <assert.h>
#include <stdlib.h>

enum {
    CACHE_LINE = 64, /* bytes; no entry shall lie in two */
    MEDIUM_BITS = 16,
    SHORT_BITS = 14,
    PAIR_BITS = 14,
    SHAPE_BITS = 14,
    SHAPE_CLASSES = 16, /* of how often steps followed a shape */
    SHAPE_ASKED = 2,    /* steps that followed it so often are asked for */
    SHAPE_FIRST = 8,    /* and in a quick frame before the large context */
    LINE_PX = 8,        /* pixels of one colour that are a line, not a stroke of a letter */
    CONFIDENCE_MAX = 255,
    CONFIDENCE_KEPT = 3, /* above this a miss halves it, at or below it replaces the value */
    STRANGER_KEPT = 7,   /* above this another context's entry is kept for now */
    STRANGER_DECAY = 4,
    KNOWN = 2, /* a large context of this confidence is asked even where all is smooth */
    CONFIDENCE_CLASSES = 12,
    SMALL_CLASSES = 8, /* of the confidence of the medium and the short context */
    LARGE_CLASSES = 4, /* of that of the large one, in questions after it */
    RUN_LOGS = 15,     /* spans have up to 2^14 pixels */
    CANDIDATES = 5,
    REFUSALS_MAX = 1 + 3 + CANDIDATES,
    PATTERNS = 8,
    EDGES = 8,
};

/* Odd multipliers that mix well (xxHash, MurmurHash, and their kin); one for each neighbour. */
#define MIX_W  0x85ebca6bu
#define MIX_N  0x165667b1u
#define MIX_NW 0x27d4eb2fu
#define MIX_NE 0xd3a2646du
#define MIX_WW 0x9e3779b1u
#define MIX_NN 0x297a2d39u

/* What followed a large context. */
struct entry {
    uint32_t px;
    uint16_t check; /* of the context that it belongs to */
    uint8_t confidence;
    uint8_t unused;
};

/* What followed a smaller one: the pixel and, in the top byte, the confidence. */
#define PACK(px, confidence)      ((px) | (uint32_t)(confidence) << 24)
#define PACKED_PX(packed)         ((packed)&TAS_MODEL_RGB)
#define PACKED_CONFIDENCE(packed) ((packed) >> 24)

/* How far something goes on that can only go so far. */
struct runs {
    struct tas_prob whole[RUN_LOGS][2];
    struct tas_prob_number length[RUN_LOGS];
};

/* All that is learnt about bins. Only struct tas_prob in here: reset_probs() walks it as an array. */
struct probs {
    struct tas_model_heads heads;
    struct runs flat, line, kept;
    struct tas_prob is_changed[16][4];
    struct tas_prob large[CONFIDENCE_CLASSES][2][2][PATTERNS];
    struct tas_prob medium[LARGE_CLASSES][SMALL_CLASSES][2][2];
    struct tas_prob shorter[LARGE_CLASSES][SMALL_CLASSES][2][2];
    struct tas_prob candidate[CANDIDATES][PATTERNS][LARGE_CLASSES];
    struct tas_prob is_edge[2][EDGES];
    struct tas_step_probs smooth[3][TAS_STEP_CONTEXTS];
    struct tas_prob shape[TAS_SHAPE_GUESSES][SHAPE_CLASSES][2][2];
    struct tas_literal_probs literal;
    struct tas_quick_probs quick;
};

struct tas_model {
    struct probs probs;
    unsigned bits;
    unsigned edges; /* whether the last runs in smooth surroundings ended at an edge, newest lowest */
    bool is_quick;  /* colours in this frame */
    uint32_t knew;  /* whether the large context knew the last smooth pixels, newest lowest */
    struct tas_quick_table seen;
    struct tas_colours colours;
    uint32_t medium[1 << MEDIUM_BITS];
    uint32_t shorter[1 << SHORT_BITS];
    uint32_t pairs[1 << PAIR_BITS];
    struct tas_shape shapes[1 << SHAPE_BITS];
    _Alignas(CACHE_LINE) struct entry large[]; /* 2^bits */
};

static size_t size_of(unsigned bits) {
    return sizeof(struct tas_model) + ((size_t)1 << bits) * sizeof(struct entry);
}

struct tas_model *tas_model_new(unsigned bits) {
    size_t lines = (size_of(bits) + CACHE_LINE - 1) / CACHE_LINE;
    struct tas_model *model = aligned_alloc(CACHE_LINE, lines * CACHE_LINE);
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

static void reset_probs(struct probs *probs) {
    struct tas_prob *prob = (struct tas_prob *)probs;
    static_assert(sizeof(*probs) % sizeof(*prob) == 0, "struct probs holds something else");
    for (size_t i = 0; i < sizeof(*probs) / sizeof(*prob); i++)
        prob[i] = TAS_PROB_HALF;
}

void tas_model_reset(struct tas_model *model) {
    unsigned bits = model->bits;
    memset(model, 0, size_of(bits));
    model->bits = bits;
    reset_probs(&model->probs);
    tas_colours_reset(&model->colours);
}

void tas_model_copy(struct tas_model *to, const struct tas_model *from) {
    assert(to->bits == from->bits);
    memcpy(to, from, size_of(from->bits));
}

void tas_model_be_quick(struct tas_model *model, bool is_quick) {
    model->is_quick = is_quick;
}

struct tas_model_heads *tas_model_heads(struct tas_model *model) {
    return &model->probs.heads;
}

/* Sums of neighbours times multipliers: a larger context is a smaller one and some more, and all but W can be
 * added up before W is known. */
TAS_INLINE uint32_t hash_of(uint32_t sum) {
    sum = (sum ^ sum >> 16) * 0x9e3779b1u;
    return (sum ^ sum >> 15) * 0xc2b2ae35u;
}

/* The large context but for W: five pixels to the left, six in the row above, five in the one above that. */
TAS_INLINE uint32_t large_sum(const struct tas_span *span, uint32_t x) {
    const uint32_t *here = span->row + x, *up = span->up + x, *up2 = span->up2 + x;
    return here[-2] * MIX_WW + here[-3] * 0x7feb352du + here[-4] * 0x846ca68bu + /* to the left */
           up[-2] * 0xc2b2ae35u + up[-1] * MIX_NW + up[0] * MIX_N + up[1] * MIX_NE + up[2] * 0xfd7046c5u +
           up[3] * 0xb55a4f09u + up2[-2] * 0x5bd1e995u + up2[-1] * 0x2c1b3c6du + up2[0] * MIX_NN +
           up2[1] * 0x1b873593u + up2[2] * 0xcc9e2d51u;
}

TAS_INLINE uint32_t large_hash(uint32_t sum, uint32_t w) {
    return hash_of(sum + w * MIX_W);
}

TAS_INLINE struct entry *large_at(struct tas_model *model, uint32_t hash) {
    return &model->large[hash >> (32 - model->bits)];
}

TAS_INLINE unsigned large_confidence(const struct entry *entry, uint32_t hash) {
    return entry->check == (uint16_t)hash ? entry->confidence : 0;
}

TAS_INLINE unsigned at_most(unsigned value, unsigned most) {
    return value < most ? value : most;
}

TAS_INLINE unsigned class_of(unsigned confidence) {
    return confidence < 8     ? confidence
           : confidence < 16  ? 8
           : confidence < 32  ? 9
           : confidence < 128 ? 10
                              : 11;
}

TAS_INLINE unsigned pattern_of(const struct tas_around *a) {
    return (unsigned)(a->w == a->n) | (unsigned)(a->w == a->nw) << 1 | (unsigned)(a->n == a->ne) << 2;
}

/* The pixel that is being coded (the decoder learns it on the way), and those that it is known not to be. */
struct search {
    uint32_t px;
    uint32_t refused[REFUSALS_MAX];
    unsigned refusals;
};

TAS_INLINE bool is_refused(const struct search *s, uint32_t px) {
    bool found = false;
    for (unsigned i = 0; i < s->refusals; i++)
        found |= s->refused[i] == px;
    return found;
}

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

TAS_INLINE void learn_large(struct entry *e, uint32_t hash, uint32_t px) {
    uint16_t check = (uint16_t)hash;
    unsigned confidence = e->confidence;
    if (e->check != check && confidence > STRANGER_KEPT)
        e->confidence = (uint8_t)(confidence - STRANGER_DECAY);
    else if (e->check == check && confidence > 0 && e->px == px)
        e->confidence = (uint8_t)(confidence + (confidence < CONFIDENCE_MAX));
    else if (e->check == check && confidence > CONFIDENCE_KEPT)
        e->confidence = (uint8_t)(confidence >> 1);
    else
        *e = (struct entry){.px = px, .check = check, .confidence = 1};
}

TAS_INLINE void learn_packed(uint32_t *packed, uint32_t px) {
    unsigned confidence = PACKED_CONFIDENCE(*packed);
    if (PACKED_PX(*packed) == px)
        *packed = PACK(px, confidence + (confidence < CONFIDENCE_MAX));
    else if (confidence > CONFIDENCE_KEPT)
        *packed = PACK(PACKED_PX(*packed), confidence >> 1);
    else
        *packed = PACK(px, 1);
}

/* Where the smaller tables keep what they know. */
struct places {
    uint32_t *medium, *shorter, *pair;
};

TAS_INLINE struct places places_of(struct tas_model *model, const struct tas_around *a) {
    uint32_t pair = a->w * MIX_W + a->n * MIX_N;
    uint32_t shorter = pair + a->nw * MIX_NW + a->ne * MIX_NE;
    uint32_t medium = shorter + a->ww * MIX_WW + a->nn * MIX_NN + a->nee * 0xfd7046c5u;
    return (struct places){
        .medium = &model->medium[hash_of(medium) >> (32 - MEDIUM_BITS)],
        .shorter = &model->shorter[hash_of(shorter) >> (32 - SHORT_BITS)],
        .pair = &model->pairs[hash_of(pair) >> (32 - PAIR_BITS)],
    };
}

TAS_INLINE bool ask_packed(const bool encode, struct tas_rc *rc, struct tas_prob probs[SMALL_CLASSES][2][2],
                           const struct tas_around *a, struct search *s, uint32_t packed) {
    unsigned class = at_most(PACKED_CONFIDENCE(packed), SMALL_CLASSES - 1);
    uint32_t px = PACKED_PX(packed);
    if (class == 0 || is_refused(s, px))
        return false;
    return ask(encode, rc, &probs[class][px == a->w][px == a->n], s, px);
}

TAS_INLINE bool ask_candidates(const bool encode, struct tas_rc *rc, struct probs *probs,
                               const struct tas_around *a, uint32_t pair, unsigned large, struct search *s) {
    const uint32_t candidates[CANDIDATES] = {a->w, a->n, pair, a->ne, a->nw};
    unsigned pattern = pattern_of(a);
    for (unsigned i = 0; i < CANDIDATES; i++)
        if (!tas_is_rough(candidates[i]) && !is_refused(s, candidates[i]) &&
            ask(encode, rc, &probs->candidate[i][pattern][large], s, candidates[i]))
            return true;
    return false;
}

/* A colour that none of the guesses has. */
TAS_INLINE uint32_t code_colour(const bool encode, struct tas_rc *rc, struct tas_model *model,
                                const struct tas_around *a, uint32_t px) {
    if (model->is_quick)
        return tas_quick_colour(encode, rc, &model->probs.quick, &model->probs.literal, &model->seen, a,
                                pattern_of(a), px);
    uint32_t got = px;
    if (encode)
        *rc = tas_colour_encode(&model->colours, *rc, a->w, a->n, px);
    else
        *rc = tas_colour_decode(&model->colours, *rc, a->w, a->n, &got);
    return got;
}

/* A pixel of which the large context knows nothing, or what is wrong. */
TAS_INLINE void code_unforeseen(const bool encode, struct tas_rc *rc, struct tas_model *model,
                                const struct tas_around *a, unsigned confidence, struct search *s) {
    struct probs *probs = &model->probs;
    struct places at = places_of(model, a);
    unsigned large = at_most(confidence, LARGE_CLASSES - 1);
    if (!ask_packed(encode, rc, probs->medium[large], a, s, *at.medium) &&
        !ask_packed(encode, rc, probs->shorter[large], a, s, *at.shorter) &&
        !ask_candidates(encode, rc, probs, a, *at.pair, large, s)) {
        s->px = code_colour(encode, rc, model, a, s->px);
        tas_quick_note(&model->seen, s->px);
    }
    learn_packed(at.medium, s->px);
    learn_packed(at.shorter, s->px);
    *at.pair = s->px;
}

/* A pixel by its contexts. Where the large one is right, the smaller ones are not even looked at. */
TAS_INLINE uint32_t code_pixel(const bool encode, struct tas_rc *rc, struct tas_model *model,
                               const struct tas_around *a, uint32_t hash, struct search *s) {
    struct entry *e = large_at(model, hash);
    unsigned confidence = large_confidence(e, hash), class = class_of(confidence);
    uint32_t px = e->px;
    if (confidence > 0 && !is_refused(s, px) &&
        ask(encode, rc, &model->probs.large[class][px == a->w][px == a->n][pattern_of(a)], s, px)) {
        e->confidence = (uint8_t)(confidence + (confidence < CONFIDENCE_MAX));
        return px;
    }
    code_unforeseen(encode, rc, model, a, confidence, s);
    learn_large(e, hash, s->px);
    return s->px;
}

/* How much of `reach` goes on: fewer pixels are followed by one that breaks it. */
TAS_INLINE uint32_t code_run(const bool encode, struct tas_rc *rc, struct runs *runs, bool context,
                             uint32_t run, uint32_t reach) {
    unsigned log = 31u - (unsigned)__builtin_clz(reach);
    if (!tas_rc_bin(encode, rc, &runs->whole[log][context], run != reach))
        return reach;
    run = tas_rc_number(encode, rc, &runs->length[log], run, log);
    if (!encode && run >= reach) {
        rc->bad = true;
        run = reach - 1;
    }
    return run;
}

/* How many of the first `most` pixels have the colour px; the top byte of each may hold anything when `mask`
 * is TAS_MODEL_RGB. Four at a time while they all do. */
TAS_INLINE uint32_t count_same(const uint32_t *from, uint32_t px, const uint32_t mask, uint32_t most) {
    typedef uint32_t four __attribute__((vector_size(16)));
    typedef uint64_t two __attribute__((vector_size(16)));
    uint32_t count = 0;
    for (four at; count + 4 <= most; count += 4) {
        memcpy(&at, from + count, sizeof(at));
        two differ = (two)((at & mask) ^ px);
        if (differ[0] | differ[1])
            break;
    }
    while (count < most && (from[count] & mask) == px)
        count++;
    return count;
}

/* Where code_ctx() is in a span. */
struct walk {
    uint32_t next, next_sum; /* large_sum(span, next) is known already */
    uint32_t flat_end;       /* so far the row above keeps its colour */
    uint32_t same;           /* so many pixels to the left have the colour of W, at least */
    bool is_broken;          /* a run ended here before its time */
};

/* Flat surroundings, or in quick frames a line below them: how far does the colour of W go on? As far as the
 * row above keeps its own, more is not asked. 0: they are not flat. */
TAS_INLINE uint32_t flat_reach(const struct tas_model *model, const struct tas_span *span, uint32_t x,
                               struct walk *walk) {
    const uint32_t *here = span->row + x, *up = span->up + x;
    uint32_t px = here[-1], above = up[0];
    bool is_line = model->is_quick && walk->same >= LINE_PX;
    if (up[-1] != above || up[1] != above || tas_is_rough(px) || (above != px && !is_line))
        return 0;
    if (x >= walk->flat_end)
        walk->flat_end = x + 1 + count_same(up + 2, above, UINT32_MAX, span->x1 - x - 1);
    return walk->flat_end - x;
}

TAS_INLINE uint32_t code_flat(const bool encode, struct tas_rc *rc, struct probs *probs,
                              const struct tas_span *span, uint32_t x, uint32_t reach) {
    uint32_t *here = span->row + x, px = here[-1], above = span->up[x];
    uint32_t run = encode ? count_same(span->src + x, px, TAS_MODEL_RGB, reach) : 0;
    struct runs *runs = px == above ? &probs->flat : &probs->line;
    run = code_run(encode, rc, runs, span->up2[x] == above, run, reach);
    for (uint32_t i = 0; i < run; i++)
        here[i] = px;
    return run;
}

/* Half of the time would go by waiting for the large table. Most guesses are right, so what the next pixel
 * will need is called for while this one, most likely `px`, is being coded. */
TAS_INLINE void call_for_next(struct tas_model *model, uint32_t sum, uint32_t px) {
    __builtin_prefetch(large_at(model, large_hash(sum, px)), 1);
}

TAS_INLINE struct tas_shape *shape_at(struct tas_model *model, const struct tas_steps_around *steps) {
    return &model->shapes[tas_shape_hash(steps) >> (32 - SHAPE_BITS)];
}

/* Are these the steps that followed this shape before? */
TAS_INLINE bool ask_shape(const bool encode, struct tas_rc *rc, struct probs *probs, struct tas_shape *shape,
                          const struct tas_around *a, uint32_t *px) {
    for (unsigned i = 0; i < TAS_SHAPE_GUESSES; i++) {
        uint32_t steps = shape->guess[i] & TAS_MODEL_RGB, guess = tas_stepped(a->w, steps);
        unsigned class = at_most(tas_shape_count(shape->guess[i]), SHAPE_CLASSES - 1);
        if (class < SHAPE_ASKED)
            continue;
        if (!tas_rc_bin(encode, rc, &probs->shape[i][class][guess == a->w][guess == a->n], *px != guess)) {
            *px = guess;
            tas_shape_learn(shape, steps);
            return true;
        }
    }
    return false;
}

/* A pixel in smooth surroundings. false: it is an edge, not near W. */
TAS_INLINE bool code_smooth(const bool encode, struct tas_rc *rc, struct tas_model *model,
                            struct tas_shape *shape, const struct tas_around *a, bool is_flat, uint32_t *px) {
    struct probs *probs = &model->probs;
    if (ask_shape(encode, rc, probs, shape, a, px))
        return true;
    bool is_edge = encode && !tas_are_steps(tas_steps_of(*px, a->w));
    is_edge = tas_rc_bin(encode, rc, &probs->is_edge[is_flat][model->edges], is_edge);
    if (is_flat)
        model->edges = (model->edges << 1 | is_edge) % EDGES;
    if (is_edge)
        return false;
    *px = tas_smooth(encode, rc, probs->smooth, a, *px);
    tas_shape_learn(shape, tas_steps_of(*px, a->w));
    return true;
}

/* In quick frames: is the shape to be asked before the large context, which then learns nothing? Not where
 * that one knew some of the last smooth pixels: what it knows it knows better. */
TAS_INLINE bool is_shape_first(const struct tas_model *model, const struct tas_shape *shape) {
    return model->is_quick && model->knew == 0 && tas_shape_count(shape->guess[0]) >= SHAPE_FIRST;
}

/* Where the large table keeps what it knows of a pixel. */
struct large_place {
    struct entry *entry;
    uint32_t hash;
};

TAS_INLINE struct large_place look_up(const bool encode, struct tas_model *model, const struct tas_span *span,
                                      uint32_t x, uint32_t w, uint32_t px, struct walk *walk) {
    uint32_t hash = large_hash(x == walk->next ? walk->next_sum : large_sum(span, x), w);
    struct entry *entry = large_at(model, hash);
    walk->next = x + 1;
    walk->next_sum = large_sum(span, walk->next);
    call_for_next(model, walk->next_sum, encode ? px : entry->px);
    return (struct large_place){entry, hash};
}

/* A pixel by the large context; in smooth surroundings of which that one knows nothing by the shape. */
TAS_INLINE uint32_t code_ctx_pixel(const bool encode, struct tas_rc *rc, struct tas_model *model,
                                   const struct tas_span *span, uint32_t x, struct walk *walk) {
    struct tas_around a = tas_around_of(span, x);
    struct tas_steps_around steps = tas_steps_around(span, x);
    struct tas_shape *shape = tas_is_smooth(&steps, a.w) ? shape_at(model, &steps) : NULL;
    uint32_t px = encode ? span->src[x] & TAS_MODEL_RGB : 0;
    bool is_first = shape && is_shape_first(model, shape);
    struct large_place at = {0};
    if (!is_first)
        at = look_up(encode, model, span, x, a.w, px, walk);
    if (shape && !is_first) {
        bool knows = large_confidence(at.entry, at.hash) >= KNOWN;
        model->knew = model->knew << 1 | knows;
        shape = knows ? NULL : shape;
    }
    if (shape && code_smooth(encode, rc, model, shape, &a, walk->is_broken, &px)) {
        if (!is_first)
            learn_large(at.entry, at.hash, px);
        return px;
    }
    if (is_first)
        at = look_up(encode, model, span, x, a.w, px, walk);
    struct search s = {.px = px};
    return code_pixel(encode, rc, model, &a, at.hash, &s);
}

TAS_INLINE void code_ctx(const bool encode, struct tas_rc *rc, struct tas_model *model,
                         const struct tas_span *span) {
    struct walk walk = {.next = UINT32_MAX};
    for (uint32_t x = span->x0; x < span->x1; x++) {
        uint32_t reach = flat_reach(model, span, x, &walk);
        if (reach > 0) {
            uint32_t run = code_flat(encode, rc, &model->probs, span, x, reach);
            walk.same += run;
            x += run;
            if (run == reach) {
                x--;
                continue;
            }
        }
        walk.is_broken = reach > 0;
        uint32_t px = code_ctx_pixel(encode, rc, model, span, x, &walk);
        uint32_t *here = span->row + x;
        walk.same = (walk.same + 1) * (px == here[-1]); /* no branch: which it is is anyone's guess */
        *here = px;
    }
}

/* Which neighbours are what they were: W, N, NE, NW from the lowest bit. */
TAS_INLINE unsigned kept_of(const struct tas_span *span, uint32_t x) {
    const uint32_t *here = span->row + x, *up = span->up + x, *old = span->old + x,
                   *old_up = span->old_up + x;
    return (unsigned)(here[-1] == old[-1]) | (unsigned)(up[0] == old_up[0]) << 1 |
           (unsigned)(up[1] == old_up[1]) << 2 | (unsigned)(up[-1] == old_up[-1]) << 3;
}

/* All around stayed: so far may what comes stay, too: as the row above did; no rough pixel stays. */
TAS_INLINE uint32_t kept_end(const struct tas_span *span, uint32_t x) {
    do
        x++;
    while (x < span->x1 && span->up[x + 1] == span->old_up[x + 1] && !tas_is_rough(span->old[x]));
    return x;
}

/* How much of it stays? */
TAS_INLINE uint32_t code_kept(const bool encode, struct tas_rc *rc, struct probs *probs,
                              const struct tas_span *span, uint32_t x, uint32_t reach) {
    uint32_t *here = span->row + x, run = 0;
    const uint32_t *old = span->old + x;
    if (encode)
        while (run < reach && (span->src[x + run] & TAS_MODEL_RGB) == old[run])
            run++;
    run = code_run(encode, rc, &probs->kept, false, run, reach);
    for (uint32_t i = 0; i < run; i++)
        here[i] = old[i];
    return run;
}

/* Does the pixel stay? */
TAS_INLINE bool code_is_kept(const bool encode, struct tas_rc *rc, struct probs *probs,
                             const struct tas_span *span, uint32_t x, unsigned kept) {
    const uint32_t *here = span->row + x, *up = span->up + x, *old = span->old + x;
    unsigned kind = (unsigned)(old[0] == old[-1]) + (here[-1] == up[0] ? 2 : 0);
    bool is_changed = encode && (span->src[x] & TAS_MODEL_RGB) != old[0];
    return !tas_rc_bin(encode, rc, &probs->is_changed[kept][kind], is_changed);
}

TAS_INLINE void code_temp(const bool encode, struct tas_rc *rc, struct tas_model *model,
                          const struct tas_span *span) {
    struct probs *probs = &model->probs;
    uint32_t end =
        0; /* looked for once, not at every pixel up to there: the work stays bounded by the area */
    for (uint32_t x = span->x0; x < span->x1; x++) {
        unsigned kept = kept_of(span, x);
        bool may_stay = !tas_is_rough(span->old[x]);
        if (may_stay && kept == 15) {
            end = x < end ? end : kept_end(span, x);
            x += code_kept(encode, rc, probs, span, x, end - x);
            if (x == end) {
                x--;
                continue;
            }
        } else if (may_stay && code_is_kept(encode, rc, probs, span, x, kept)) {
            span->row[x] = span->old[x];
            continue;
        }
        struct tas_around a = tas_around_of(span, x);
        struct search s = {
            .px = encode ? span->src[x] & TAS_MODEL_RGB : 0, .refused = {span->old[x]}, .refusals = 1};
        span->row[x] = code_pixel(encode, rc, model, &a, large_hash(large_sum(span, x), a.w), &s);
    }
}

TAS_INLINE void code_lit(const bool encode, struct tas_rc *rc, struct tas_model *model,
                         const struct tas_span *span) {
    for (uint32_t x = span->x0; x < span->x1; x++) {
        struct tas_around a = tas_around_of(span, x);
        uint32_t px = encode ? span->src[x] & TAS_MODEL_RGB : 0;
        span->row[x] = tas_literal(encode, rc, &model->probs.literal, &a, px);
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
    case TAS_BLOCK_ROUGH:
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
