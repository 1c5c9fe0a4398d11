/* The coder of a colour that none of the guesses about a pixel had: byte by byte, red, green, blue, as the
 * stripes of a screen lie, which smoothed text is made for. docs/codec.md, "Colour". */
#pragma once

#include "codec/mixer_private.h"

enum {
    TAS_SEEN_BITS = 12,
    TAS_SEEN_CLASSES = 8,
};

struct tas_colours {
    struct tas_mix_tables tables;
    struct tas_mix_weights weights[3]; /* red, green, blue */
    /* The last colour with this red between these neighbours, and with this red at all; the top byte is the
     * confidence. */
    uint32_t seen_between[1 << TAS_SEEN_BITS], seen[256];
    struct tas_prob is_other[2][TAS_SEEN_CLASSES];
    struct tas_mix mix;
};

void tas_colours_reset(struct tas_colours *colours);

/* `rc` goes through by value, so that the caller can keep its own in registers. */
struct tas_rc tas_colour_encode(struct tas_colours *colours, struct tas_rc rc, uint32_t w, uint32_t n,
                                uint32_t px);
struct tas_rc tas_colour_decode(struct tas_colours *colours, struct tas_rc rc, uint32_t w, uint32_t n,
                                uint32_t *px);
