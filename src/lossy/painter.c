#include "lossy/native.h"

#include "lossy/jpeg.h"
#include "lossy/video.h"

#include <stdlib.h>

struct tas_lossy_painter {
    struct tas_painter ops;
    struct tas_jpeg *jpeg;
    struct tas_video_decoder *videos[TAS_REGIONS];
};

static int paint_jpeg(void *ctx, const struct tas_rough_jpeg *jpeg, struct tas_bytes scan) {
    struct tas_lossy_painter *painter = ctx;
    const struct tas_jpeg_shape shape = tas_jpeg_shape_of(jpeg);
    return tas_jpeg_decode(painter->jpeg, scan, &shape, &jpeg->atlas);
}

static bool is_known(uint8_t codec) {
    return codec == TAS_VIDEO_VP8 || codec == TAS_VIDEO_VP9;
}

static int paint_video(void *ctx, const struct tas_rough_region *region, struct tas_bytes chunk) {
    struct tas_lossy_painter *painter = ctx;
    struct tas_video_decoder **video = &painter->videos[region->id];
    if (!is_known(region->codec))
        return TAS_E_PROTO;
    if (region->is_start) {
        tas_video_decoder_free(*video);
        *video = tas_video_decoder_new(region->codec);
        if (!*video)
            return TAS_E_NOMEM;
    }
    if (!*video)
        return TAS_E_PROTO;
    return tas_video_decode(*video, chunk, region->px, region->stride, region->width, region->height);
}

static void close_region(void *ctx, uint8_t id) {
    struct tas_lossy_painter *painter = ctx;
    tas_video_decoder_free(painter->videos[id]);
    painter->videos[id] = NULL;
}

struct tas_lossy_painter *tas_lossy_painter_new(void) {
    struct tas_lossy_painter *painter = calloc(1, sizeof(*painter));
    if (!painter)
        return NULL;
    painter->ops = (struct tas_painter){painter, paint_jpeg, paint_video, close_region};
    painter->jpeg = tas_jpeg_new();
    if (!painter->jpeg) {
        free(painter);
        return NULL;
    }
    return painter;
}

void tas_lossy_painter_free(struct tas_lossy_painter *painter) {
    if (!painter)
        return;
    for (uint8_t id = 0; id < TAS_REGIONS; id++)
        close_region(painter, id);
    tas_jpeg_free(painter->jpeg);
    free(painter);
}

const struct tas_painter *tas_lossy_painter_ops(const struct tas_lossy_painter *painter) {
    return &painter->ops;
}
