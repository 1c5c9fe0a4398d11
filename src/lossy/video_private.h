/* What coder and decoder of moving regions share, and what a chunk says about itself. */
#pragma once

#include "lossy/video.h"

#include <vpx/vpx_encoder.h>

enum {
    VIDEO_EDGE_MIN = 64, /* px */
    VIDEO_EDGE_MAX = 8192,
    VIDEO_EDGE_STEP = 2,
    VIDEO_STATIC_THRESHOLD = 1, /* a block that stands still costs nothing */
};

/* A kind of coder, as libvpx offers it. Each stands in a file of its own: what a program does not name is not
 * linked into it. */
struct tas_video_kind {
    enum tas_video_codec codec;
    vpx_codec_iface_t *(*iface)(void);
    bool (*set_up)(vpx_codec_ctx_t *ctx, const vpx_codec_enc_cfg_t *cfg);
};

static inline bool video_edge_is_valid(uint32_t px) {
    return px >= VIDEO_EDGE_MIN && px <= VIDEO_EDGE_MAX && px % VIDEO_EDGE_STEP == 0;
}

/* Reads the beginning of a chunk, before libvpx sees it and takes memory for what it says. TAS_E_PROTO unless
 * it is one picture that is shown, 8 bits and 4:2:0, and either a key of exactly width x height or made
 * from earlier ones without another size. Pure. */
TAS_MUST_USE int video_chunk_check(enum tas_video_codec codec, struct tas_bytes chunk, uint32_t width,
                                   uint32_t height, bool *is_key);
