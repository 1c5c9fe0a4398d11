#include "lossy/video_private.h"

#include "base/wipe.h"

#include <stdlib.h>

#include <libyuv/convert_argb.h>
#include <vpx/vp8dx.h>
#include <vpx/vpx_decoder.h>

enum {
    BAND = 16,                  /* rows converted at a time: they stay in the cache */
    INDEX_LEN = 6,              /* bytes of a VP9 index of one picture: marker, length in four, marker */
    INDEX_MARK = 0xc0 | 3 << 3, /* 4 bytes of length, 1 picture */
    INDEX_MASK = 0xe0,
};

struct tas_video_decoder {
    enum tas_video_codec codec;
    vpx_codec_ctx_t ctx;
    bool has_ctx;           /* and so a key was there */
    uint32_t width, height; /* of that key */
    uint8_t *copy;          /* of a chunk, with an index behind it */
    size_t copy_cap;
};

struct tas_video_decoder *tas_video_decoder_new(enum tas_video_codec codec) {
    struct tas_video_decoder *video = calloc(1, sizeof(*video));
    if (video)
        video->codec = codec;
    return video;
}

/* Forgets all pictures: a key is needed. */
static void forget(struct tas_video_decoder *video) {
    if (video->has_ctx)
        (void)vpx_codec_destroy(&video->ctx);
    video->has_ctx = false;
}

static void free_copy(struct tas_video_decoder *video) {
    if (video->copy)
        tas_wipe(video->copy, video->copy_cap);
    free(video->copy);
    video->copy = NULL;
    video->copy_cap = 0;
}

void tas_video_decoder_free(struct tas_video_decoder *video) {
    if (!video)
        return;
    forget(video);
    free_copy(video);
    free(video);
}

/* A decoder that knows pictures of this size, or one as new for a key of another size. */
static int prepare(struct tas_video_decoder *video, bool is_key, uint32_t width, uint32_t height) {
    if (video->has_ctx && (video->width != width || video->height != height))
        forget(video);
    if (video->has_ctx)
        return TAS_OK;
    if (!is_key)
        return TAS_E_PROTO;
    vpx_codec_iface_t *iface = video->codec == TAS_VIDEO_VP8 ? vpx_codec_vp8_dx() : vpx_codec_vp9_dx();
    vpx_codec_dec_cfg_t cfg = {.threads = 1};
    if (vpx_codec_dec_init(&video->ctx, iface, &cfg, 0))
        return TAS_E_NOMEM;
    video->has_ctx = true;
    video->width = width;
    video->height = height;
    return TAS_OK;
}

/* A VP9 decoder takes what it finds behind a picture for another one, which nobody has looked at. With an
 * index behind it that counts one picture it does not. VP9 specification, annex B. */
static int with_index(struct tas_video_decoder *video, struct tas_bytes *chunk) {
    if (chunk->len > INT32_MAX || (chunk->ptr[chunk->len - 1] & INDEX_MASK) == (INDEX_MARK & INDEX_MASK))
        return TAS_E_PROTO; /* it has an index of its own */
    if (video->copy_cap < chunk->len + INDEX_LEN) {
        size_t cap = chunk->len + chunk->len / 2 + INDEX_LEN;
        uint8_t *copy = malloc(cap);
        if (!copy)
            return TAS_E_NOMEM;
        free_copy(video);
        video->copy = copy;
        video->copy_cap = cap;
    }
    memcpy(video->copy, chunk->ptr, chunk->len);
    uint8_t *index = video->copy + chunk->len;
    index[0] = index[INDEX_LEN - 1] = INDEX_MARK;
    for (int i = 0; i < 4; i++)
        index[1 + i] = (uint8_t)(chunk->len >> (8 * i));
    *chunk = tas_bytes_of(video->copy, chunk->len + INDEX_LEN);
    return TAS_OK;
}

/* The picture that came out: borrowed, good until the next chunk. NULL: not what it ought to be. */
static const vpx_image_t *picture_of(struct tas_video_decoder *video) {
    vpx_codec_iter_t at = NULL;
    const vpx_image_t *img = vpx_codec_get_frame(&video->ctx, &at);
    int is_corrupted = 1;
    if (!img || vpx_codec_control(&video->ctx, VP8D_GET_FRAME_CORRUPTED, &is_corrupted) || is_corrupted)
        return NULL;
    bool is_fine = img->fmt == VPX_IMG_FMT_I420 && img->d_w == video->width && img->d_h == video->height;
    return is_fine ? img : NULL;
}

static void clear_top(uint32_t *px, size_t count) {
    for (size_t i = 0; i < count; i++)
        px[i] &= 0xffffff;
}

static void give_picture(const vpx_image_t *img, uint32_t *px, size_t stride) {
    for (uint32_t y = 0; y < img->d_h; y += BAND) {
        uint32_t rows = img->d_h - y < BAND ? img->d_h - y : BAND;
        const uint8_t *plane[3];
        for (int i = 0; i < 3; i++)
            plane[i] = img->planes[i] + (ptrdiff_t)(i == VPX_PLANE_Y ? y : y / 2) * img->stride[i];
        uint32_t *to = px + y * stride;
        (void)I420ToARGB(plane[0], img->stride[0], plane[1], img->stride[1], plane[2], img->stride[2],
                         (uint8_t *)to, (int)(stride * sizeof(*to)), (int)img->d_w, (int)rows);
        for (uint32_t i = 0; i < rows; i++)
            clear_top(to + i * stride, img->d_w); /* libyuv makes it opaque */
    }
}

int tas_video_decode(struct tas_video_decoder *video, struct tas_bytes chunk, uint32_t *px, size_t stride,
                     uint32_t width, uint32_t height) {
    bool is_key;
    const vpx_image_t *img;
    int err = TAS_E_PROTO;
    if (!video_edge_is_valid(width) || !video_edge_is_valid(height))
        goto out;
    err = video_chunk_check(video->codec, chunk, width, height, &is_key);
    if (err)
        goto out;
    err = prepare(video, is_key, width, height);
    if (!err && video->codec == TAS_VIDEO_VP9)
        err = with_index(video, &chunk);
    if (err)
        goto out;
    /* Whatever it says: VPX_CODEC_MEM_ERROR also comes from a wrong bit. */
    err = TAS_E_PROTO;
    if (vpx_codec_decode(&video->ctx, chunk.ptr, (unsigned)chunk.len, NULL, 0))
        goto out;
    img = picture_of(video);
    if (!img)
        goto out;
    give_picture(img, px, stride);
    err = TAS_OK;
out:
    if (err)
        forget(video); /* its pictures are no longer those of the coder */
    return err;
}
