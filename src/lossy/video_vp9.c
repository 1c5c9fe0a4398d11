#include "lossy/video_private.h"

#include <vpx/vp8cx.h>

/* By measurement, as for VP8. */
enum {
    SMALL_PIXELS = 640 * 1024,
    SMALL_SPEED = 8,
    SPEED = 9,
    KEY_PERCENT = 150,    /* of a picture's share, most that a key should take; it takes half as much again */
    TILE_WIDTH_MIN = 256, /* px */
};

/* As a power of two: one for each thread, none too narrow. */
static int tile_columns(const vpx_codec_enc_cfg_t *cfg) {
    int log2 = 0;
    while (1u << (log2 + 1) <= cfg->g_threads && cfg->g_w >> (log2 + 1) >= TILE_WIDTH_MIN)
        log2++;
    return log2;
}

static bool set_up(vpx_codec_ctx_t *ctx, const vpx_codec_enc_cfg_t *cfg) {
    bool is_small = cfg->g_w * cfg->g_h <= SMALL_PIXELS;
    return !vpx_codec_control(ctx, VP8E_SET_CPUUSED, is_small ? SMALL_SPEED : SPEED) &&
           !vpx_codec_control(ctx, VP8E_SET_MAX_INTRA_BITRATE_PCT, KEY_PERCENT) &&
           !vpx_codec_control(ctx, VP8E_SET_STATIC_THRESHOLD, VIDEO_STATIC_THRESHOLD) &&
           !vpx_codec_control(ctx, VP9E_SET_AQ_MODE, 3 /* bits where they are seen longest */) &&
           !vpx_codec_control(ctx, VP9E_SET_ROW_MT, 1) &&
           !vpx_codec_control(ctx, VP9E_SET_TILE_COLUMNS, tile_columns(cfg)) &&
           !vpx_codec_control(ctx, VP9E_SET_FRAME_PARALLEL_DECODING, 0) &&
           !vpx_codec_control(ctx, VP9E_SET_COLOR_SPACE, VPX_CS_BT_601) &&
           !vpx_codec_control(ctx, VP9E_SET_COLOR_RANGE, VPX_CR_STUDIO_RANGE) &&
           !vpx_codec_control(ctx, VP9E_SET_TUNE_CONTENT, VP9E_CONTENT_DEFAULT);
}

const struct tas_video_kind tas_video_vp9 = {TAS_VIDEO_VP9, vpx_codec_vp9_cx, set_up};
