#include "codec/colour_private.h"

enum { CONFIDENCE_MAX = 255, CONFIDENCE_KEPT = 3 };

#define SEEN_PX(seen)         ((seen)&0xffffffu)
#define SEEN_CONFIDENCE(seen) ((seen) >> 24)

void tas_colours_reset(struct tas_colours *colours) {
    memset(colours->seen_between, 0, sizeof(colours->seen_between));
    memset(colours->seen, 0, sizeof(colours->seen));
    for (unsigned i = 0; i < 2 * TAS_SEEN_CLASSES; i++)
        colours->is_other[i / TAS_SEEN_CLASSES][i % TAS_SEEN_CLASSES] = TAS_PROB_HALF;
    tas_mix_tables_init(&colours->tables);
    tas_mix_reset(&colours->mix);
    for (unsigned channel = 0; channel < 3; channel++)
        tas_mix_weights_reset(&colours->weights[channel]);
}

TAS_INLINE uint32_t hash_of(uint32_t a, uint32_t b, uint32_t kind) {
    uint32_t h = a * 0x9e3779b1u + b * 0x85ebca6bu + kind * 0x27d4eb2fu;
    h = (h ^ h >> 16) * 0x9e3779b1u;
    return (h ^ h >> 15) * 0xc2b2ae35u;
}

TAS_INLINE uint32_t red(uint32_t px) {
    return px >> 16 & 255;
}
TAS_INLINE uint32_t green(uint32_t px) {
    return px >> 8 & 255;
}
TAS_INLINE uint32_t blue(uint32_t px) {
    return px & 255;
}

/* A colour of this red, if `seen` knows one and it is not `other`: is it that? */
TAS_INLINE bool ask_seen(const bool encode, struct tas_rc *rc, struct tas_prob is_other[TAS_SEEN_CLASSES],
                         uint32_t seen, uint32_t other, uint32_t r, uint32_t *px) {
    uint32_t confidence = SEEN_CONFIDENCE(seen), guess = SEEN_PX(seen);
    if (confidence == 0 || red(guess) != r || guess == other)
        return false;
    unsigned class = confidence < TAS_SEEN_CLASSES ? confidence : TAS_SEEN_CLASSES - 1;
    if (tas_rc_bin(encode, rc, &is_other[class], *px != guess))
        return false;
    *px = guess;
    return true;
}

TAS_INLINE void learn_seen(uint32_t *seen, uint32_t px) {
    uint32_t confidence = SEEN_CONFIDENCE(*seen), known = SEEN_PX(*seen);
    if (confidence > 0 && known == px)
        *seen = known | (confidence + (confidence < CONFIDENCE_MAX)) << 24;
    else if (confidence > CONFIDENCE_KEPT && red(known) == red(px))
        *seen = known | confidence >> 1 << 24;
    else
        *seen = px | 1u << 24;
}

/* Six contexts for each byte: what came before it in this colour alone; with both neighbours; with the stripe
 * to the left and the one above, roughly; with each neighbour. */
TAS_INLINE uint32_t code_red(const bool encode, struct tas_colours *colours, struct tas_rc *rc, uint32_t w,
                             uint32_t n, uint32_t px) {
    const uint32_t contexts[TAS_MIX_INPUTS] = {
        0,
        hash_of(w, n, 0),
        hash_of(blue(w) >> 3, green(w) >> 4, 1),
        hash_of(red(n) >> 3, red(w) >> 5, 2),
        hash_of(w, 0, 3),
        hash_of(n, 0, 4),
    };
    return tas_mix_byte(encode, rc, &colours->mix, &colours->tables, &colours->weights[0], contexts, red(px));
}

TAS_INLINE uint32_t code_rest(const bool encode, struct tas_colours *colours, struct tas_rc *rc, uint32_t w,
                              uint32_t n, uint32_t r, uint32_t px) {
    struct tas_mix *mix = &colours->mix;
    const struct tas_mix_tables *tables = &colours->tables;
    uint32_t wn = hash_of(w, n, 0);
    const uint32_t for_green[TAS_MIX_INPUTS] = {
        hash_of(r, 0, 5), hash_of(wn, r, 6), hash_of(r, blue(w) >> 4, 7), hash_of(r >> 3, green(n) >> 3, 8),
        hash_of(w, r, 9), hash_of(n, r, 10),
    };
    uint32_t g = tas_mix_byte(encode, rc, mix, tables, &colours->weights[1], for_green, green(px));
    const uint32_t for_blue[TAS_MIX_INPUTS] = {
        hash_of(r, g, 11),      hash_of(wn, r << 8 | g, 12),
        hash_of(g, r >> 4, 13), hash_of(g >> 3, blue(n) >> 3, 14),
        hash_of(w, g, 15),      hash_of(n, g, 16),
    };
    uint32_t b = tas_mix_byte(encode, rc, mix, tables, &colours->weights[2], for_blue, blue(px));
    return r << 16 | g << 8 | b;
}

TAS_INLINE uint32_t code_colour(const bool encode, struct tas_colours *colours, struct tas_rc *rc, uint32_t w,
                                uint32_t n, uint32_t px) {
    uint32_t r = code_red(encode, colours, rc, w, n, px);
    uint32_t *between = &colours->seen_between[hash_of(hash_of(w, n, 0), r, 20) >> (32 - TAS_SEEN_BITS)];
    uint32_t *seen = &colours->seen[r], none = r << 16 ^ 0xff0000; /* a colour of another red */
    uint32_t asked = SEEN_CONFIDENCE(*between) > 0 ? SEEN_PX(*between) : none;
    if (!ask_seen(encode, rc, colours->is_other[0], *between, none, r, &px) &&
        !ask_seen(encode, rc, colours->is_other[1], *seen, asked, r, &px))
        px = code_rest(encode, colours, rc, w, n, r, px);
    learn_seen(between, px);
    learn_seen(seen, px);
    return px;
}

struct tas_rc tas_colour_encode(struct tas_colours *colours, struct tas_rc rc, uint32_t w, uint32_t n,
                                uint32_t px) {
    code_colour(true, colours, &rc, w, n, px);
    return rc;
}

struct tas_rc tas_colour_decode(struct tas_colours *colours, struct tas_rc rc, uint32_t w, uint32_t n,
                                uint32_t *px) {
    *px = code_colour(false, colours, &rc, w, n, 0);
    return rc;
}
