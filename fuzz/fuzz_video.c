/* A codec and chunks, each with its length. Laws: each is decoded or refused, nothing outside the region is
 * touched, no top byte is set, and after an error only a key is decoded. */
#include "lossy/video.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum {
    WIDTH = 80, /* px, as the corpus has it */
    HEIGHT = 64,
    STRIDE = WIDTH + 3,
    CHUNKS_MAX = 8,
    UNTOUCHED = 0x12345678,
};

static int decode(struct tas_video_decoder *video, struct tas_bytes chunk, uint32_t *px) {
    uint8_t *copy = malloc(chunk.len + (chunk.len == 0)); /* of the exact length, for ASan */
    assert(copy);
    if (chunk.len > 0)
        memcpy(copy, chunk.ptr, chunk.len);
    for (size_t i = 0; i < STRIDE * HEIGHT; i++)
        px[i] = UNTOUCHED;
    int err = tas_video_decode(video, tas_bytes_of(copy, chunk.len), px, STRIDE, WIDTH, HEIGHT);
    assert(err == TAS_OK || err == TAS_E_PROTO);
    for (size_t i = 0; i < STRIDE * HEIGHT; i++)
        assert(i % STRIDE < WIDTH && !err ? px[i] >> 24 == 0 : px[i] == UNTOUCHED);
    free(copy);
    return err;
}

static bool is_key(enum tas_video_codec codec, struct tas_bytes chunk) {
    return codec == TAS_VIDEO_VP8 ? !(chunk.ptr[0] & 1) : !(chunk.ptr[0] & 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct tas_reader r = tas_reader_of(tas_bytes_of(data, len));
    enum tas_video_codec codec = tas_read_u8(&r) & 1 ? TAS_VIDEO_VP9 : TAS_VIDEO_VP8;
    struct tas_video_decoder *video = tas_video_decoder_new(codec);
    uint32_t *px = malloc(sizeof(*px) * STRIDE * HEIGHT);
    assert(video && px);
    bool wants_key = true;
    for (int n = 0; n < CHUNKS_MAX && r.in.len > 2; n++) {
        size_t want = tas_read_u16(&r);
        struct tas_bytes chunk = tas_read_bytes(&r, want < r.in.len ? want : r.in.len);
        int err = decode(video, chunk, px);
        assert(err || !wants_key || is_key(codec, chunk));
        wants_key = err != TAS_OK;
    }
    tas_video_decoder_free(video);
    free(px);
    return 0;
}
