#include "trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>

enum {
    RECT_LEN = 8,
    TILE_BYTES = TAS_TILE * TAS_TILE * 4 + 2, /* with its number */
};

struct trace {
    uint32_t ms;
    FILE *file;
    struct tas_picture *pic;
    uint8_t *packed, *raw;
    size_t raw_cap, packed_cap;
};

static bool read_u32(FILE *file, uint32_t *out) {
    uint8_t b[4];
    if (fread(b, 1, 4, file) != 4)
        return false;
    *out = (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
    return true;
}

struct trace *trace_open(const char *path) {
    uint32_t magic, width, height, fps;
    struct trace *trace = calloc(1, sizeof(*trace));
    if (!trace)
        return NULL;
    trace->file = fopen(path, "rb");
    if (!trace->file || !read_u32(trace->file, &magic) || magic != 0x52545354 ||
        !read_u32(trace->file, &width) || !read_u32(trace->file, &height) || !read_u32(trace->file, &fps))
        goto fail;
    trace->pic = tas_picture_new(width, height);
    if (!trace->pic)
        goto fail;
    trace->raw_cap = (size_t)tas_tiles_across(width) * tas_tiles_across(height) * TILE_BYTES;
    trace->packed_cap = ZSTD_compressBound(trace->raw_cap);
    trace->raw = malloc(trace->raw_cap);
    trace->packed = malloc(trace->packed_cap);
    if (trace->raw && trace->packed)
        return trace;
fail:
    trace_close(trace);
    return NULL;
}

void trace_close(struct trace *trace) {
    if (!trace)
        return;
    if (trace->file)
        fclose(trace->file);
    tas_picture_free(trace->pic);
    free(trace->packed);
    free(trace->raw);
    free(trace);
}

/* Paints one tile from BGRX bytes; gives how many it took. */
static size_t paint(struct tas_picture *pic, uint32_t x, uint32_t y, const uint8_t *from) {
    uint32_t width = pic->width - x < TAS_TILE ? pic->width - x : TAS_TILE;
    uint32_t end = pic->height - y < TAS_TILE ? pic->height : y + TAS_TILE;
    const uint8_t *p = from;
    for (; y < end; y++)
        for (uint32_t i = 0; i < width; i++, p += 4)
            pic->px[(size_t)y * pic->stride + x + i] = (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
    return (size_t)(p - from);
}

bool trace_next(struct trace *trace, struct tas_tiles *changed) {
    uint32_t time_ms, rects, tiles, packed;
    if (!read_u32(trace->file, &time_ms) || !read_u32(trace->file, &rects) ||
        !read_u32(trace->file, &tiles) || !read_u32(trace->file, &packed))
        return false;
    trace->ms = time_ms;
    if (packed > trace->packed_cap || fseek(trace->file, (long)rects * RECT_LEN, SEEK_CUR) != 0 ||
        fread(trace->packed, 1, packed, trace->file) != packed)
        return false;
    if (tiles == 0)
        return true;
    size_t got = ZSTD_decompress(trace->raw, trace->raw_cap, trace->packed, packed);
    uint32_t across = tas_tiles_across(trace->pic->width);
    if (ZSTD_isError(got) || tiles > across * tas_tiles_across(trace->pic->height))
        return false;
    const uint8_t *px = trace->raw + 2 * (size_t)tiles;
    for (uint32_t i = 0; i < tiles; i++) {
        uint32_t tile = (uint32_t)trace->raw[2 * i] | (uint32_t)trace->raw[2 * i + 1] << 8;
        if (tile / across >= changed->down)
            return false;
        px += paint(trace->pic, tile % across * TAS_TILE, tile / across * TAS_TILE, px);
        tas_tiles_set(changed, tile % across, tile / across);
    }
    return true;
}

uint32_t trace_ms(const struct trace *trace) {
    return trace->ms;
}

const struct tas_picture *trace_picture(const struct trace *trace) {
    return trace->pic;
}
