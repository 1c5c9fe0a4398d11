/* Who makes rough pictures for an encoder and paints them for a decoder. The codec itself knows no JPEG and
 * no video: src/lossy offers both by libraries, a browser by its own means. */
#pragma once

#include "codec/picture.h"

enum {
    TAS_ROUGH_ATLAS =
        256,         /* most blocks in a row of a JPEG: those of a frame, side by side, in rows of so many */
    TAS_REGIONS = 4, /* moving regions at a time */
};

/* Blocks of 16x16 px beside each other, as one picture. */
struct tas_rough_jpeg {
    struct tas_picture atlas; /* sizes are multiples of 16 */
    uint8_t quality;          /* 1..100 */
    bool is_full_colour;      /* 4:4:4 instead of 4:2:0 */
};

/* A rectangle that moves. */
struct tas_rough_region {
    uint8_t id;                   /* 0 to TAS_REGIONS - 1 */
    uint8_t codec;                /* enum tas_video_codec (lossy/video.h) */
    bool is_start;                /* the chunk needs none before it; what the id was before is forgotten */
    uint16_t x, y, width, height; /* px; width and height are even */
    uint32_t *px;                 /* its upper left pixel */
    uint32_t stride;              /* px */
};

struct tas_rough_coder {
    void *ctx;
    /* The scan (lossy/jpeg.h). TAS_E_FULL: more than cap. TAS_E_NOMEM. */
    int (*jpeg)(void *ctx, const struct tas_rough_jpeg *jpeg, uint8_t *out, size_t cap, size_t *len);
    /* The next picture of a region; sets codec and is_start (starts when asked by is_start). TAS_E_FULL,
     * TAS_E_NOMEM: the region is given up. */
    int (*video)(void *ctx, struct tas_rough_region *region, uint32_t bps, uint64_t time_us, uint8_t *out,
                 size_t cap, size_t *len);
    /* A region is no more. */
    void (*close)(void *ctx, uint8_t id);
};

struct tas_painter {
    void *ctx;
    /* Paints the atlas; top bytes become 0. TAS_E_PROTO: hostile bytes. TAS_E_NOMEM. */
    int (*jpeg)(void *ctx, const struct tas_rough_jpeg *jpeg, struct tas_bytes scan);
    /* Paints the region; likewise. */
    int (*video)(void *ctx, const struct tas_rough_region *region, struct tas_bytes chunk);
    /* A region is no more. May be NULL. */
    void (*close)(void *ctx, uint8_t id);
};
