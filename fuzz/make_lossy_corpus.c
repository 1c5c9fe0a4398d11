/* Writes the files of fuzz/corpus/jpeg and fuzz/corpus/video: make_lossy_corpus JPEG_FOLDER VIDEO_FOLDER. */
#include "lossy/jpeg.h"
#include "lossy/video.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { CAP = 64 * 1024, WIDTH = 80, HEIGHT = 64 };

static void save(const char *folder, const char *name, const struct tas_writer *w) {
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert(file && !w->bad && fwrite(w->out, 1, w->len, file) == w->len && fclose(file) == 0);
}

/* Soft, with edges, and moving with time. */
static uint32_t pixel(uint32_t x, uint32_t y, uint32_t time) {
    uint32_t u = x + time * 3, v = y + time, edge = (u / 24 + v / 20) % 2 ? 0x404040 : 0;
    return ((u * 2 & 127) << 16 | (v * 2 & 127) << 8 | ((u + v) & 127)) + edge + ((u * v) & 7);
}

static void fill(struct tas_picture *pic, uint32_t time) {
    for (uint32_t y = 0; y < pic->height; y++)
        for (uint32_t x = 0; x < pic->width; x++)
            pic->px[(size_t)y * pic->stride + x] = pixel(x, y, time);
}

static void jpeg(const char *folder, const char *name, uint32_t width, uint32_t height, uint8_t quality,
                 bool is_full_colour) {
    static uint32_t px[128 * 128];
    static uint8_t out[CAP], scan[CAP];
    struct tas_picture pic = {px, width, height, width};
    struct tas_jpeg_shape shape = {width, height, quality, is_full_colour};
    struct tas_jpeg *coder = tas_jpeg_new();
    struct tas_writer w = tas_writer_of(out, sizeof(out));
    size_t len;
    fill(&pic, 0);
    assert(coder);
    int err = tas_jpeg_encode(coder, &pic, &shape, scan, sizeof(scan), &len);
    assert(err == TAS_OK);
    tas_write_u8(&w, (uint8_t)(width / 16 - 1));
    tas_write_u8(&w, (uint8_t)(height / 16 - 1));
    tas_write_u8(&w, quality);
    tas_write_u8(&w, is_full_colour);
    tas_write_bytes(&w, scan, len);
    save(folder, name, &w);
    tas_jpeg_free(coder);
}

static void video(const char *folder, const char *name, enum tas_video_codec codec, uint32_t rate_bps,
                  unsigned restart) {
    static uint32_t px[WIDTH * HEIGHT];
    static uint8_t out[CAP], chunk[CAP];
    struct tas_picture pic = {px, WIDTH, HEIGHT, WIDTH};
    struct tas_video_config config = {codec == TAS_VIDEO_VP8 ? &tas_video_vp8 : &tas_video_vp9, WIDTH, HEIGHT,
                                      rate_bps, 1};
    struct tas_video_encoder *coder = tas_video_encoder_new(&config);
    struct tas_writer w = tas_writer_of(out, sizeof(out));
    assert(coder);
    tas_write_u8(&w, codec == TAS_VIDEO_VP9);
    for (unsigned n = 0; n < 5; n++) {
        size_t len;
        bool is_key;
        fill(&pic, n);
        if (n == restart)
            tas_video_encoder_restart(coder);
        int err = tas_video_encode(coder, px, WIDTH, n * 40000, chunk, sizeof(chunk), &len, &is_key);
        assert(err == TAS_OK && len <= UINT16_MAX);
        tas_write_u16(&w, (uint16_t)len);
        tas_write_bytes(&w, chunk, len);
    }
    save(folder, name, &w);
    tas_video_encoder_free(coder);
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: make_lossy_corpus JPEG_FOLDER VIDEO_FOLDER\n");
        return 2;
    }
    jpeg(argv[1], "block", 16, 16, 50, false);
    jpeg(argv[1], "block_full", 16, 16, 80, true);
    jpeg(argv[1], "coarse", 128, 128, 5, false);
    jpeg(argv[1], "column", 16, 128, 60, true);
    jpeg(argv[1], "fine", 48, 32, 98, false);
    jpeg(argv[1], "picture", 96, 64, 70, false);
    video(argv[2], "vp8", TAS_VIDEO_VP8, 100000, 0);
    video(argv[2], "vp8_fine", TAS_VIDEO_VP8, 3000000, 3);
    video(argv[2], "vp9", TAS_VIDEO_VP9, 100000, 0);
    video(argv[2], "vp9_fine", TAS_VIDEO_VP9, 3000000, 3);
    return 0;
}
