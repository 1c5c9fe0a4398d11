/* Writes the files of fuzz/corpus/codec: make_codec_corpus FOLDER. Each is a script for fuzz_codec.c with
 * real frames for the hostile decoder in it, made by the encoder of today: run it again when the format
 * changes. */
#include "codec/codec.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { CAP = 64 * 1024, BITS = TAS_CODEC_MODEL_BITS_MIN, HOSTILE = 0 };

static uint32_t text(uint32_t x, uint32_t y) {
    return (x * 7 ^ y * 5) % 11 < 4 && y % 12 < 9 ? 0x202020 : 0xffffff;
}
static uint32_t photo(uint32_t x, uint32_t y) {
    return ((x * x + y) & 255) << 16 | ((x + y * 3) & 255) << 8 | ((x * y) & 255);
}
static uint32_t flat(uint32_t x, uint32_t y) {
    return x / 40 % 2 ? 0x3366cc : y / 50 % 2 ? 0 : 0xeeeeee;
}

typedef uint32_t (*pattern)(uint32_t x, uint32_t y);

static void add_frame(struct tas_writer *w, struct tas_encoder *enc, struct tas_picture *pic,
                      unsigned flags) {
    static uint8_t frame[CAP];
    struct tas_tiles tiles;
    size_t len;
    int err = tas_tiles_init(&tiles, pic->width, pic->height);
    assert(err == TAS_OK);
    tas_tiles_set_all(&tiles);
    err = tas_encoder_frame(enc, pic, &tiles, flags, 1000, frame, CAP, &len);
    assert(err == TAS_OK && len <= UINT16_MAX);
    tas_tiles_fini(&tiles);
    tas_write_u8(w, HOSTILE);
    tas_write_u16(w, (uint16_t)len);
    tas_write_bytes(w, frame, len);
}

static void save(const char *folder, const char *name, const struct tas_writer *w) {
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert(file && !w->bad && fwrite(w->out, 1, w->len, file) == w->len && fclose(file) == 0);
}

/* A first picture, then one changed pixel, a changed rectangle and a repaint. */
static void frames(const char *folder, const char *name, uint8_t width, uint8_t height, pattern of) {
    static uint8_t out[4 * CAP];
    struct tas_writer w = tas_writer_of(out, sizeof(out));
    struct tas_picture *pic = tas_picture_new(width, height);
    struct tas_encoder *enc = tas_encoder_new(width, height, 1, BITS);
    assert(pic && enc);
    tas_write_u8(&w, (uint8_t)(width - 1));
    tas_write_u8(&w, (uint8_t)(height - 1));
    for (uint32_t y = 0; y < height; y++)
        for (uint32_t x = 0; x < width; x++)
            pic->px[(size_t)y * pic->stride + x] = of(x, y);
    add_frame(&w, enc, pic, TAS_FRAME_RESET);
    pic->px[(size_t)height / 2 * pic->stride] ^= 0x404040;
    add_frame(&w, enc, pic, 0);
    for (uint32_t x = 0; x < width; x++)
        pic->px[x] = of(x, 3);
    add_frame(&w, enc, pic, 0);
    add_frame(&w, enc, pic, TAS_FRAME_RESET_MODEL);
    save(folder, name, &w);
    tas_picture_free(pic);
    tas_encoder_free(enc);
}

static void script(const char *folder, const char *name, const uint8_t *steps, size_t len) {
    struct tas_writer w = {.out = (uint8_t *)(uintptr_t)steps, .len = len};
    save(folder, name, &w);
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: make_codec_corpus FOLDER\n");
        return 2;
    }
    static const uint8_t draw[] = {
        129, 99,                                      /* 130 x 100 */
        1,   10, 10, 60, 50, 40, 80, 120,             /* FILL */
        3,                                            /* SEND */
        2,   5,  5,  8,  1,  2,  3,  4,   5, 6, 7, 8, /* PIXELS */
        3,   6,  3,  2,  3,                           /* SEND, SHIFT, SEND */
    };
    static const uint8_t lose[] = {
        135, 135,                              /* 136 x 136 */
        5,                                     /* RESET */
        1,   60,  60, 90, 90, 200, 10,  10, 4, /* FILL, LOSE */
        1,   0,   0,  70, 70, 1,   200, 10, 3, /* FILL, SEND, which repaints */
        1,   20,  20, 3,  3,  9,   9,   9,  7, /* FILL, REPAINT */
    };
    frames(argv[1], "text", 100, 70, text);
    frames(argv[1], "photo", 48, 40, photo);
    frames(argv[1], "flat", 136, 130, flat);
    frames(argv[1], "pixel", 1, 1, photo);
    frames(argv[1], "strip", 17, 3, text);
    script(argv[1], "draw", draw, sizeof(draw));
    script(argv[1], "lose", lose, sizeof(lose));
    return 0;
}
