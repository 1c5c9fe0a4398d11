/* The codec's rough pictures by the libraries of this folder: what an encoder is given to make them, and a
 * decoder to paint them (codec/rough.h). */
#pragma once

#include "codec/rough.h"
#include "lossy/jpeg.h"
#include "lossy/video.h"

struct tas_lossy_coder;

/* For one encoder. kind: how regions are coded; threads: that it may use. NULL: no memory. */
struct tas_lossy_coder *tas_lossy_coder_new(const struct tas_video_kind *kind, unsigned threads);
void tas_lossy_coder_free(struct tas_lossy_coder *coder); /* NULL is fine */
/* Good as long as the coder. */
const struct tas_rough_coder *tas_lossy_coder_ops(const struct tas_lossy_coder *coder);

struct tas_lossy_painter;

/* For one decoder. NULL: no memory. */
struct tas_lossy_painter *tas_lossy_painter_new(void);
void tas_lossy_painter_free(struct tas_lossy_painter *painter); /* NULL is fine */
const struct tas_painter *tas_lossy_painter_ops(const struct tas_lossy_painter *painter);

static inline struct tas_jpeg_shape tas_jpeg_shape_of(const struct tas_rough_jpeg *jpeg) {
    return (struct tas_jpeg_shape){.width = jpeg->atlas.width,
                                   .height = jpeg->atlas.height,
                                   .quality = jpeg->quality,
                                   .is_full_colour = jpeg->is_full_colour};
}
