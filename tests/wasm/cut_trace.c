/* Cuts a rectangle out of a recorded desktop, for tests that need little of it:
 *
 *     wasm_cut_trace TRACE OUT X Y WIDTH HEIGHT PICTURES
 *
 * writes the first PICTURES in which something changed there, in the format of bench/trace.h. The traces
 * beside this were made so, of 320 x 256 each: japanese at 300,200 (6 pictures), settings at 600,300 (8),
 * switching at 500,250 (6), and terminal of term_fast at 100,100 (8). */
#include "../../bench/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>

struct cut {
    FILE *file;
    struct tas_picture *last; /* what was written */
    uint32_t x, y;
    uint8_t *raw, *packed;
    size_t packed_cap;
};

static bool put_words(FILE *file, const uint32_t *words, size_t count) {
    return fwrite(words, sizeof(*words), count, file) == count; /* little-endian, as this machine */
}

/* Takes the tile into `last`; whether it differed. */
static bool take_tile(struct cut *cut, const struct tas_picture *from, uint32_t x, uint32_t y,
                      uint8_t **out) {
    uint32_t right = x + TAS_TILE < cut->last->width ? x + TAS_TILE : cut->last->width;
    uint32_t bottom = y + TAS_TILE < cut->last->height ? y + TAS_TILE : cut->last->height;
    bool differs = false;
    for (uint32_t py = y; py < bottom; py++)
        for (uint32_t px = x; px < right; px++) {
            uint32_t *was = &cut->last->px[(size_t)py * cut->last->stride + px];
            uint32_t now = from->px[(size_t)(cut->y + py) * from->stride + cut->x + px];
            differs |= *was != now;
            *was = now;
            memcpy(*out, &now, 4);
            *out += 4;
        }
    return differs;
}

/* False: nothing has changed here. */
static bool write_picture(struct cut *cut, const struct tas_picture *from, uint32_t ms, bool is_first,
                          bool *is_bad) {
    uint32_t across = tas_tiles_across(cut->last->width), down = tas_tiles_across(cut->last->height),
             tiles = 0;
    uint8_t *px_at = cut->raw + 2 * (size_t)across * down, *end = px_at;
    for (uint32_t i = 0; i < across * down; i++) {
        uint8_t *at = end;
        if (!take_tile(cut, from, i % across * TAS_TILE, i / across * TAS_TILE, &at) && !is_first)
            continue;
        cut->raw[2 * tiles] = (uint8_t)i;
        cut->raw[2 * tiles + 1] = (uint8_t)(i >> 8);
        tiles++;
        end = at;
    }
    memmove(cut->raw + 2 * (size_t)tiles, px_at, (size_t)(end - px_at));
    size_t len = (size_t)(end - px_at) + 2 * (size_t)tiles;
    size_t packed = ZSTD_compress(cut->packed, cut->packed_cap, cut->raw, len, 19);
    const uint32_t head[] = {ms, 0, tiles, (uint32_t)packed};
    if (tiles > 0)
        *is_bad |= ZSTD_isError(packed) || !put_words(cut->file, head, 4) ||
                   fwrite(cut->packed, 1, packed, cut->file) != packed;
    return tiles > 0;
}

static bool run(struct cut *cut, struct trace *trace, uint32_t width, uint32_t height, unsigned pictures) {
    const struct tas_picture *from = trace_picture(trace);
    const uint32_t head[] = {0x52545354, width, height, 10};
    struct tas_tiles tiles = {0};
    size_t raw_cap =
        (size_t)tas_tiles_across(width) * tas_tiles_across(height) * (TAS_TILE * TAS_TILE * 4 + 2);
    unsigned written = 0;
    bool is_bad =
        !put_words(cut->file, head, 4) || cut->x + width > from->width || cut->y + height > from->height;
    cut->packed_cap = ZSTD_compressBound(raw_cap);
    cut->last = tas_picture_new(width, height);
    cut->raw = malloc(raw_cap);
    cut->packed = malloc(cut->packed_cap);
    is_bad |= !cut->last || !cut->raw || !cut->packed ||
              tas_tiles_init(&tiles, from->width, from->height) != TAS_OK;
    while (!is_bad && written < pictures && trace_next(trace, &tiles))
        written += write_picture(cut, from, trace_ms(trace), written == 0, &is_bad);
    tas_tiles_fini(&tiles);
    tas_picture_free(cut->last);
    free(cut->raw);
    free(cut->packed);
    return !is_bad && written > 0;
}

int main(int argc, char **argv) {
    uint32_t n[5];
    bool is_good = argc == 8;
    for (int i = 0; is_good && i < 5; i++)
        is_good = sscanf(argv[3 + i], "%u", &n[i]) == 1;
    struct trace *trace = is_good ? trace_open(argv[1]) : NULL;
    struct cut cut = {
        .file = trace ? fopen(argv[2], "wb") : NULL, .x = is_good ? n[0] : 0, .y = is_good ? n[1] : 0};
    is_good = cut.file && run(&cut, trace, n[2], n[3], n[4]);
    is_good = cut.file && fclose(cut.file) == 0 && is_good;
    trace_close(trace);
    if (!is_good)
        fprintf(stderr, "usage: wasm_cut_trace TRACE OUT X Y WIDTH HEIGHT PICTURES\n");
    return is_good ? 0 : 1;
}
