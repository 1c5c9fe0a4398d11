/* A coder and a painter of rough pictures without any library, for the codec's tests. The painter paints with
 * errors of its own, other ones each time: the two ends must not depend on the colours of rough pixels. It
 * asserts that what it is asked to paint can be. One colour takes a byte, anything else a byte for each
 * pixel, whatever the quality. */
#pragma once

#include "codec/codec.h"
#include "scene.h"

enum { ROUGH_FAKE_ERROR = 40 }; /* a rough pixel's channels are at most so far from what was coded */

struct rough_fake {
    struct tas_rough_coder coder; /* for the encoder */
    struct tas_painter painter;   /* for the decoder */
    uint32_t width, height;       /* px, of the whole picture */
    struct scene_random random;

    unsigned jpegs, chunks, starts, closes; /* what the encoder asked for */
    unsigned fail_in; /* the coder's nth call from now on fails (1: the next); 0: none */
    int failure;      /* with this error */
    bool is_open[TAS_REGIONS];
    uint32_t next[TAS_REGIONS];    /* encoder: number of the next chunk */
    uint32_t painted[TAS_REGIONS]; /* decoder: chunks since the start; a later chunk needs all before it */
};

/* ctx of both is `fake` itself: it must stay where it is. */
void rough_fake_init(struct rough_fake *fake, uint32_t width, uint32_t height, uint64_t seed);
