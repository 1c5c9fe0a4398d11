#include "lossy/video_private.h"

#include "base/wipe.h"

#include <assert.h>
#include <stdlib.h>

#include <libyuv/convert.h>
#include <vpx/vpx_encoder.h>

enum {
    RATE_MIN_KBPS = 16,
    RATE_MAX_KBPS = 200000,
    TICKS_PER_S = 1000000,

    /* The coder shares its rate out by the time that went by. After a pause a picture would be given all that
     * was not sent meanwhile, and be late: */
    STEP_MIN_US = 8000,
    STEP_MAX_US = 100000,

    /* Screens: below 4 nothing is seen any more, above 56 hardly anything. */
    QUANT_MIN = 4,
    QUANT_MAX = 56,

    /* What may be sent ahead of the rate, and where it starts: a chunk waits behind it on a full line. */
    BUFFER_MS = 300,
    BUFFER_START_MS = 150,
    BUFFER_AIM_MS = 200,

    THREADS_MAX = 16,
};

struct tas_video_encoder {
    vpx_codec_ctx_t ctx;
    vpx_codec_enc_cfg_t cfg;
    vpx_image_t *img;
    bool has_ctx;
    bool has_new_rate;
    bool wants_key;
    bool has_time;
    uint64_t last_us;    /* when the picture before was taken */
    vpx_codec_pts_t pts; /* of the next picture, by the coder's own clock */
};

static unsigned kbps_of(uint32_t rate_bps) {
    uint32_t kbps = rate_bps / 1000;
    return kbps < RATE_MIN_KBPS ? RATE_MIN_KBPS : kbps > RATE_MAX_KBPS ? RATE_MAX_KBPS : kbps;
}

static void set_config(vpx_codec_enc_cfg_t *cfg, const struct tas_video_config *config) {
    cfg->g_w = config->width;
    cfg->g_h = config->height;
    cfg->g_threads = config->threads < THREADS_MAX ? config->threads : THREADS_MAX;
    cfg->g_timebase = (vpx_rational_t){.num = 1, .den = TICKS_PER_S};
    cfg->g_pass = VPX_RC_ONE_PASS;
    cfg->g_lag_in_frames = 0;
    cfg->g_error_resilient = 0;
    cfg->rc_end_usage = VPX_CBR;
    cfg->rc_target_bitrate = kbps_of(config->rate_bps);
    cfg->rc_dropframe_thresh = 0;
    cfg->rc_resize_allowed = 0;
    cfg->rc_min_quantizer = QUANT_MIN;
    cfg->rc_max_quantizer = QUANT_MAX;
    cfg->rc_undershoot_pct = 100;
    cfg->rc_overshoot_pct = 15;
    cfg->rc_buf_sz = BUFFER_MS;
    cfg->rc_buf_initial_sz = BUFFER_START_MS;
    cfg->rc_buf_optimal_sz = BUFFER_AIM_MS;
    cfg->kf_mode = VPX_KF_DISABLED; /* keys when they are asked for */
}

enum tas_video_codec tas_video_kind_codec(const struct tas_video_kind *kind) {
    return kind->codec;
}

struct tas_video_encoder *tas_video_encoder_new(const struct tas_video_config *config) {
    assert(video_edge_is_valid(config->width) && video_edge_is_valid(config->height) && config->threads > 0);

    struct tas_video_encoder *video = calloc(1, sizeof(*video));
    if (!video)
        return NULL;
    vpx_codec_iface_t *iface = config->kind->iface();
    video->img = vpx_img_alloc(NULL, VPX_IMG_FMT_I420, config->width, config->height, 32);
    if (!video->img || vpx_codec_enc_config_default(iface, &video->cfg, 0))
        goto fail;
    set_config(&video->cfg, config);
    if (vpx_codec_enc_init(&video->ctx, iface, &video->cfg, 0))
        goto fail;
    video->has_ctx = true;
    if (!config->kind->set_up(&video->ctx, &video->cfg))
        goto fail;
    return video;

fail:
    tas_video_encoder_free(video);
    return NULL;
}

/* The picture coded last is the customer's. */
static void free_picture(vpx_image_t *img) {
    if (!img)
        return;
    for (int i = VPX_PLANE_Y; i <= VPX_PLANE_V; i++)
        tas_wipe(img->planes[i], (size_t)img->stride[i] * (i == VPX_PLANE_Y ? img->d_h : img->d_h / 2));
    vpx_img_free(img);
}

void tas_video_encoder_free(struct tas_video_encoder *video) {
    if (!video)
        return;
    if (video->has_ctx)
        (void)vpx_codec_destroy(&video->ctx);
    free_picture(video->img);
    free(video);
}

void tas_video_encoder_set_rate(struct tas_video_encoder *video, uint32_t rate_bps) {
    unsigned kbps = kbps_of(rate_bps);
    video->has_new_rate |= kbps != video->cfg.rc_target_bitrate;
    video->cfg.rc_target_bitrate = kbps;
}

void tas_video_encoder_restart(struct tas_video_encoder *video) {
    video->wants_key = true;
}

/* How long after the one before this picture comes, as the coder is told. */
static unsigned long step_of(struct tas_video_encoder *video, uint64_t time_us) {
    uint64_t step = video->has_time && time_us > video->last_us ? time_us - video->last_us : STEP_MIN_US;
    if (!video->has_time)
        step = STEP_MAX_US / 3;
    video->has_time = true;
    video->last_us = time_us;
    return (unsigned long)(step < STEP_MIN_US ? STEP_MIN_US : step > STEP_MAX_US ? STEP_MAX_US : step);
}

static void take_picture(struct tas_video_encoder *video, const uint32_t *px, size_t stride) {
    vpx_image_t *img = video->img;
    int bad = ARGBToI420((const uint8_t *)px, (int)(stride * sizeof(*px)), img->planes[VPX_PLANE_Y],
                         img->stride[VPX_PLANE_Y], img->planes[VPX_PLANE_U], img->stride[VPX_PLANE_U],
                         img->planes[VPX_PLANE_V], img->stride[VPX_PLANE_V], (int)img->d_w, (int)img->d_h);
    assert(!bad);
}

/* The one chunk that came out. TAS_E_FULL: over cap, or none. */
static int give_chunk(struct tas_video_encoder *video, uint8_t *out, size_t cap, size_t *len, bool *is_key) {
    vpx_codec_iter_t at = NULL;
    const vpx_codec_cx_pkt_t *packet;
    while ((packet = vpx_codec_get_cx_data(&video->ctx, &at)) && packet->kind != VPX_CODEC_CX_FRAME_PKT) {
    }
    if (!packet || packet->data.frame.sz > cap)
        return TAS_E_FULL;
    memcpy(out, packet->data.frame.buf, packet->data.frame.sz);
    *len = packet->data.frame.sz;
    *is_key = packet->data.frame.flags & VPX_FRAME_IS_KEY;
    return TAS_OK;
}

int tas_video_encode(struct tas_video_encoder *video, const uint32_t *px, size_t stride, uint64_t time_us,
                     uint8_t *out, size_t cap, size_t *len, bool *is_key) {
    assert(stride >= video->cfg.g_w);

    int err = TAS_E_NOMEM; /* what libvpx cannot do otherwise is a mistake of ours */
    unsigned long step = step_of(video, time_us);
    take_picture(video, px, stride);
    if (video->has_new_rate && vpx_codec_enc_config_set(&video->ctx, &video->cfg))
        goto out;
    video->has_new_rate = false;
    if (vpx_codec_encode(&video->ctx, video->img, video->pts, step, video->wants_key ? VPX_EFLAG_FORCE_KF : 0,
                         VPX_DL_REALTIME))
        goto out;
    video->pts += (vpx_codec_pts_t)step;
    err = give_chunk(video, out, cap, len, is_key);
out:
    video->wants_key = err != TAS_OK; /* what the other side lacks, nothing may build upon */
    return err;
}
