#include "lossy/native.h"

#include "lossy/jpeg.h"
#include "lossy/video.h"

#include <stdlib.h>

struct tas_lossy_coder {
    struct tas_rough_coder ops;
    struct tas_jpeg *jpeg;
    const struct tas_video_kind *kind;
    unsigned threads;
    struct {
        struct tas_video_encoder *video;
        struct tas_video_config config;
    } regions[TAS_REGIONS];
};

static int make_jpeg(void *ctx, const struct tas_rough_jpeg *jpeg, uint8_t *out, size_t cap, size_t *len) {
    struct tas_lossy_coder *coder = ctx;
    const struct tas_jpeg_shape shape = tas_jpeg_shape_of(jpeg);
    return tas_jpeg_encode(coder->jpeg, &jpeg->atlas, &shape, out, cap, len);
}

static void close_region(void *ctx, uint8_t id) {
    struct tas_lossy_coder *coder = ctx;
    tas_video_encoder_free(coder->regions[id].video);
    coder->regions[id].video = NULL;
}

static int open_region(struct tas_lossy_coder *coder, const struct tas_rough_region *region, uint32_t bps) {
    const struct tas_video_config config = {.kind = coder->kind,
                                            .width = region->width,
                                            .height = region->height,
                                            .rate_bps = bps,
                                            .threads = coder->threads};
    close_region(coder, region->id);
    coder->regions[region->id].config = config;
    coder->regions[region->id].video = tas_video_encoder_new(&config);
    return coder->regions[region->id].video ? TAS_OK : TAS_E_NOMEM;
}

static int make_video(void *ctx, struct tas_rough_region *region, uint32_t bps, uint64_t time_us,
                      uint8_t *out, size_t cap, size_t *len) {
    struct tas_lossy_coder *coder = ctx;
    if (region->is_start && open_region(coder, region, bps) != TAS_OK)
        return TAS_E_NOMEM;
    struct tas_video_encoder *video = coder->regions[region->id].video;
    if (!video)
        return TAS_E_NOMEM;
    if (coder->regions[region->id].config.rate_bps != bps) {
        tas_video_encoder_set_rate(video, bps);
        coder->regions[region->id].config.rate_bps = bps;
    }
    bool is_key = false;
    int err = tas_video_encode(video, region->px, region->stride, time_us, out, cap, len, &is_key);
    region->codec = (uint8_t)tas_video_kind_codec(coder->kind);
    region->is_start = region->is_start || (err == TAS_OK && is_key);
    return err;
}

struct tas_lossy_coder *tas_lossy_coder_new(const struct tas_video_kind *kind, unsigned threads) {
    struct tas_lossy_coder *coder = calloc(1, sizeof(*coder));
    if (!coder)
        return NULL;
    coder->ops = (struct tas_rough_coder){coder, make_jpeg, make_video, close_region};
    coder->kind = kind;
    coder->threads = threads;
    coder->jpeg = tas_jpeg_new();
    if (!coder->jpeg) {
        free(coder);
        return NULL;
    }
    return coder;
}

void tas_lossy_coder_free(struct tas_lossy_coder *coder) {
    if (!coder)
        return;
    for (uint8_t id = 0; id < TAS_REGIONS; id++)
        close_region(coder, id);
    tas_jpeg_free(coder->jpeg);
    free(coder);
}

const struct tas_rough_coder *tas_lossy_coder_ops(const struct tas_lossy_coder *coder) {
    return &coder->ops;
}
