/* A moving region of the screen, roughly: VP8 or VP9 by libvpx, colours by libyuv (BT.601, limited range).
 * docs/codec.md, "Rough blocks and regions". */
#pragma once

#include "base/bytes.h"
#include "base/err.h"
#include "codec/picture.h"

enum tas_video_codec { TAS_VIDEO_VP8 = 1, TAS_VIDEO_VP9 = 2 };

/* A way to code it. VP9 is better at the same rate, in twice the time, and a larger program. */
struct tas_video_kind;
extern const struct tas_video_kind tas_video_vp8, tas_video_vp9;
/* The better of the two that this machine codes in real time: VP9 needs a strong CPU. */
const struct tas_video_kind *tas_video_kind_here(void);
enum tas_video_codec tas_video_kind_codec(const struct tas_video_kind *kind);

struct tas_video_encoder;

struct tas_video_config {
    const struct tas_video_kind *kind;
    uint32_t width, height; /* px, even, 64..8192 */
    uint32_t rate_bps;      /* bits per second to aim at; may be changed */
    unsigned threads;       /* 1.. */
};

struct tas_video_encoder *tas_video_encoder_new(const struct tas_video_config *config); /* NULL: no memory */
void tas_video_encoder_free(struct tas_video_encoder *video);
/* From the next picture on. */
void tas_video_encoder_set_rate(struct tas_video_encoder *video, uint32_t rate_bps);
/* The next picture needs none before it. */
void tas_video_encoder_restart(struct tas_video_encoder *video);

/* Codes the region whose upper left pixel is px (stride in pixels; top bytes ignored), taken at time_us
 * (later than the one before). Never buffers, never looks ahead, never drops: one chunk comes out at once.
 * *is_key: it needs none before it. TAS_E_FULL: over cap (the next one is a key). TAS_E_NOMEM. */
TAS_MUST_USE int tas_video_encode(struct tas_video_encoder *video, const uint32_t *px, size_t stride,
                                  uint64_t time_us, uint8_t *out, size_t cap, size_t *len, bool *is_key);

struct tas_video_decoder;

struct tas_video_decoder *tas_video_decoder_new(enum tas_video_codec codec); /* NULL: no memory */
void tas_video_decoder_free(struct tas_video_decoder *video);

/* Decodes one chunk into the region at px, width x height (the stream's own size must be exactly that:
 * otherwise TAS_E_PROTO before any memory is taken for it). Top bytes become 0. Hostile bytes: TAS_E_PROTO.
 * TAS_E_NOMEM. After an error, and at the beginning, only a key is decoded. */
TAS_MUST_USE int tas_video_decode(struct tas_video_decoder *video, struct tas_bytes chunk, uint32_t *px,
                                  size_t stride, uint32_t width, uint32_t height);
