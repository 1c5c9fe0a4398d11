/* Writes the files of fuzz/corpus/codec: make_codec_corpus FOLDER [TRACE...]. Each is a script for
 * fuzz_codec.c: drawn ones, and from each recorded desktop (bench/trace.h) the frames of a small place in
 * which much happens, once as they are and once their coded parts. Made by the encoder of today: run it again
 * when the format changes. */
#include "../bench/trace.h"
#include "codec/frame_private.h"
#include "rough_fake.h"

#include <assert.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    CAP = 64 * 1024,
    BITS = TAS_CODEC_MODEL_BITS_MIN,
    STEP_HOSTILE = 0, /* as in fuzz_codec.c */
    STEP_CODED = 8,
    FRAMES_MAX = 20,
    FILE_MAX = 9000,  /* bytes, about */
    FIRST_MAX = 6000, /* bytes of a first frame; a smaller place is taken when it has more */
    LOOK = 120,       /* frames of a trace in which the place is looked for */
};

/* --- scripts --- */

static void add_frame(struct tas_writer *w, const uint8_t *frame, size_t len, bool only_coded) {
    struct tas_frame_head head;
    int err = tas_frame_head_decode(&head, tas_bytes_of(frame, len));
    assert(err == TAS_OK);
    size_t from = only_coded ? tas_frame_head_len(head.flags) : 0,
           to = only_coded ? len - head.sections_len : len;
    assert(to - from <= UINT16_MAX);
    tas_write_u8(w, only_coded ? STEP_CODED : STEP_HOSTILE);
    if (only_coded)
        tas_write_u8(w, head.is_start);
    tas_write_u16(w, (uint16_t)(to - from));
    tas_write_bytes(w, frame + from, to - from);
}

static void save(const char *folder, const char *name, const char *kind, const struct tas_writer *w) {
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s%s", folder, name, kind);
    FILE *file = fopen(path, "wb");
    assert(file && !w->bad && fwrite(w->out, 1, w->len, file) == w->len && fclose(file) == 0);
}

static void script(const char *folder, const char *name, const uint8_t *steps, size_t len) {
    struct tas_writer w = {.out = (uint8_t *)(uintptr_t)steps, .len = len};
    save(folder, name, "", &w);
}

/* --- frames of a place --- */

struct place {
    uint32_t x, y, width, height;
};

struct film {
    struct place place;
    struct tas_picture *pic;
    struct tas_encoder *enc;
    struct tas_tiles tiles;
    struct rough_fake fake;
    uint8_t out[2][4 * CAP], frame[CAP];
    struct tas_writer w[2];
    unsigned frames;
};

static void film_start(struct film *film, struct place place) {
    memset(film, 0, sizeof(*film));
    film->place = place;
    rough_fake_init(&film->fake, place.width, place.height, 1);
    struct tas_encoder_config config = {.width = place.width,
                                        .height = place.height,
                                        .stream = 1,
                                        .model_bits = BITS,
                                        .rough = &film->fake.coder};
    film->pic = tas_picture_new(place.width, place.height);
    film->enc = tas_encoder_new(&config);
    int err = tas_tiles_init(&film->tiles, place.width, place.height);
    assert(film->pic && film->enc && err == TAS_OK);
    for (unsigned i = 0; i < 2; i++) {
        film->w[i] = tas_writer_of(film->out[i], sizeof(film->out[i]));
        tas_write_u8(&film->w[i], (uint8_t)(place.width - 1));
        tas_write_u8(&film->w[i], (uint8_t)(place.height - 1));
    }
}

static void film_stop(struct film *film) {
    tas_picture_free(film->pic);
    tas_encoder_free(film->enc);
    tas_tiles_fini(&film->tiles);
}

/* Codes what has changed in the place. Gives the bytes. */
static size_t film_add(struct film *film, const struct tas_picture *from, uint32_t ms) {
    struct tas_frame_order order = {.flags = film->frames ? 0 : TAS_FRAME_RESET,
                                    .quality = film->frames ? 50 : 0,
                                    .video_bps = 500000,
                                    .capture_us = ms * 1000u};
    for (uint32_t y = 0; y < film->place.height; y++)
        memcpy(film->pic->px + (size_t)y * film->pic->stride,
               from->px + (size_t)(film->place.y + y) * from->stride + film->place.x,
               film->place.width * sizeof(uint32_t));
    size_t len;
    tas_tiles_set_all(&film->tiles);
    int err = tas_encoder_frame(film->enc, film->pic, &film->tiles, &order, film->frame, CAP, &len);
    assert(err == TAS_OK);
    for (unsigned i = 0; i < 2 && len > 0; i++)
        add_frame(&film->w[i], film->frame, len, i);
    film->frames += len > 0;
    return len;
}

/* The place of 3 x 2 tiles that changes most. */
static struct place busy_place(const char *path) {
    static unsigned count[256][256];
    struct trace *trace = trace_open(path);
    struct tas_tiles tiles;
    assert(trace &&
           tas_tiles_init(&tiles, trace_picture(trace)->width, trace_picture(trace)->height) == TAS_OK);
    memset(count, 0, sizeof(count));
    for (unsigned i = 0; i < LOOK && trace_next(trace, &tiles); i++, tas_tiles_clear(&tiles))
        for (uint32_t ty = 0; ty < tiles.down; ty++)
            for (uint32_t tx = 0; tx < tiles.across; tx++)
                count[ty][tx] += tas_tiles_get(&tiles, tx, ty);
    struct place best = {0, 0, 192, 128};
    unsigned most = 0;
    for (uint32_t ty = 0; ty + 3 < tiles.down; ty++)
        for (uint32_t tx = 0; tx + 4 < tiles.across; tx++) {
            unsigned sum = 0;
            for (uint32_t i = 0; i < 6; i++)
                sum += count[ty + i / 3][tx + i % 3];
            if (sum > most)
                best = (struct place){tx * TAS_TILE + 23, ty * TAS_TILE + 11, 192, 128};
            most = sum > most ? sum : most;
        }
    tas_tiles_fini(&tiles);
    trace_close(trace);
    return best;
}

/* false: the first frame is too large. */
static bool record(struct film *film, const char *path, struct place place) {
    struct trace *trace = trace_open(path);
    struct tas_tiles tiles;
    assert(trace &&
           tas_tiles_init(&tiles, trace_picture(trace)->width, trace_picture(trace)->height) == TAS_OK);
    bool fits = true;
    film_start(film, place);
    while (fits && film->frames < FRAMES_MAX && film->w[0].len < FILE_MAX && trace_next(trace, &tiles))
        fits = film_add(film, trace_picture(trace), trace_ms(trace)) <= FIRST_MAX || film->frames > 1;
    tas_tiles_fini(&tiles);
    trace_close(trace);
    return fits;
}

static void from_trace(const char *folder, char *path) {
    static struct film film;
    struct place place = busy_place(path);
    while (!record(&film, path, place)) {
        film_stop(&film);
        place.width -= 32;
        place.height -= 16;
        assert(place.width > 32 && place.height > 32);
    }
    char *name = basename(path), *dot = strrchr(name, '.');
    if (dot)
        *dot = 0;
    save(folder, name, "", &film.w[0]);
    save(folder, name, "-coded", &film.w[1]);
    film_stop(&film);
}

/* A first picture, then one changed pixel, a changed rectangle and scrolled ones. */
static void drawn(const char *folder, const char *name, uint32_t width, uint32_t height,
                  enum scene_paint paint) {
    static struct film film;
    struct scene_random random = scene_random_of(1);
    struct tas_picture *pic = tas_picture_new(width, height);
    assert(pic);
    film_start(&film, (struct place){0, 0, width, height});
    scene_paint(pic, (struct scene_rect){0, 0, width, height}, paint, &random);
    film_add(&film, pic, 0);
    pic->px[(size_t)height / 2 * pic->stride] ^= 0x404040;
    film_add(&film, pic, 40);
    scene_paint(pic, (struct scene_rect){0, 0, width, 1 + height / 3}, paint, &random);
    film_add(&film, pic, 400);
    memmove(pic->px, pic->px + (height > 5 ? 5 * pic->stride : 0),
            (height > 5 ? height - 5 : 0) * pic->stride * sizeof(uint32_t));
    film_add(&film, pic, 440);
    save(folder, name, "", &film.w[0]);
    save(folder, name, "-coded", &film.w[1]);
    film_stop(&film);
    tas_picture_free(pic);
}

/* Two pictures by turns, each for long enough to be kept. */
static void back_and_forth(const char *folder) {
    static struct film film;
    struct scene_random random = scene_random_of(2);
    struct scene_rect all = {0, 0, 130, 128};
    struct tas_picture *two[2] = {tas_picture_new(130, 128), tas_picture_new(130, 128)};
    assert(two[0] && two[1]);
    film_start(&film, (struct place){0, 0, 130, 128});
    for (unsigned i = 0; i < 2; i++)
        scene_paint(two[i], all, i ? SCENE_TEXT : SCENE_GRADIENT, &random);
    for (uint32_t i = 0; i < 5; i++)
        film_add(&film, two[i % 2], i * 400);
    save(folder, "back", "", &film.w[0]);
    save(folder, "back", "-coded", &film.w[1]);
    film_stop(&film);
    tas_picture_free(two[0]);
    tas_picture_free(two[1]);
}

/* Photographs in one place until it is a film. */
static void moving(const char *folder) {
    uint8_t steps[256];
    struct tas_writer w = tas_writer_of(steps, sizeof(steps));
    static const uint8_t start[] = {139, 139, 5, 10, 50,
                                    2,   0,   0, 0}; /* 140 x 140: RESET, ORDER: quality, video */
    tas_write_bytes(&w, start, sizeof(start));
    for (uint8_t i = 0; i < 11; i++) {
        const uint8_t photo[] = {9, 0, 0, 140, 140, i, 3}; /* PHOTO, SEND */
        tas_write_bytes(&w, photo, sizeof(photo));
    }
    save(folder, "film", "", &w);
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: make_codec_corpus FOLDER [TRACE...]\n");
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
    static const uint8_t rough[] = {
        149, 139,                           /* 150 x 140 */
        5,   10,  50, 3,  0,  0,  0,        /* RESET, ORDER: quality 50, video */
        9,   10,  10, 99, 99, 1,  3,        /* PHOTO, SEND */
        6,   3,   5,  3,                    /* SHIFT, SEND */
        10,  0,   0,  20, 9,  60,           /* ORDER: exact, in small pieces */
        9,   40,  40, 40, 40, 2,  3, 11, 3, /* PHOTO, SEND, REFINE, SEND */
    };
    back_and_forth(argv[1]);
    moving(argv[1]);
    drawn(argv[1], "text", 100, 70, SCENE_TEXT);
    drawn(argv[1], "photo", 48, 40, SCENE_PHOTO);
    drawn(argv[1], "flat", 136, 130, SCENE_FLAT);
    drawn(argv[1], "pixel", 1, 1, SCENE_PHOTO);
    drawn(argv[1], "strip", 17, 3, SCENE_TEXT);
    script(argv[1], "draw", draw, sizeof(draw));
    script(argv[1], "lose", lose, sizeof(lose));
    script(argv[1], "rough", rough, sizeof(rough));
    for (int i = 2; i < argc; i++)
        from_trace(argv[1], argv[i]);
    return 0;
}
