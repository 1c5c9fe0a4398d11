#include "codec/block_private.h"

enum {
    PHOTO_PERCENT = 15, /* edges */
    PHOTO_COLOURS = 14,
    PHOTO_COMMON_PERCENT = 30,

    BESIDE_PERCENT = 5,
    BESIDE_COLOURS = 6,
    BESIDE_COMMON_PERCENT = 45,

    /* Where this is lower, smoothed small text passes for a photograph: up to five times the bytes. */
    LIT_PERCENT = 45,
    LIT_COLOURS = 24,
    LIT_COMMON_PERCENT = 25,

    GRAIN_PERCENT = 3,
    GRAIN_RANGE = 16, /* of each channel */
};

struct block block_at(const struct tas_canvas *canvas, const struct tas_picture *src, uint32_t bx,
                      uint32_t by) {
    uint32_t x = bx * TAS_BLOCK, y = by * TAS_BLOCK;
    return (struct block){
        .px = src->px + (size_t)y * src->stride + x,
        .was = tas_canvas_row(canvas, y) + x,
        .px_stride = src->stride,
        .was_stride = canvas->pic.stride,
        .width = tas_clip(x, canvas->pic.width, TAS_BLOCK),
        .height = tas_clip(y, canvas->pic.height, TAS_BLOCK),
    };
}

bool block_differs(const struct block *b) {
    for (uint32_t y = 0; y < b->height; y++) {
        const uint32_t *px = b->px + y * b->px_stride, *was = b->was + y * b->was_stride;
        if (b->width == TAS_BLOCK ? rows_differ(px, was, TAS_BLOCK) : rows_differ(px, was, b->width))
            return true;
    }
    return false;
}

bool block_is_plain(const struct block *b) {
    uint32_t same[TAS_BLOCK];
    for (uint32_t x = 0; x < TAS_BLOCK; x++)
        same[x] = b->px[0];
    for (uint32_t y = 0; y < b->height; y++) {
        const uint32_t *px = b->px + y * b->px_stride;
        if (b->width == TAS_BLOCK ? rows_differ(px, same, TAS_BLOCK) : rows_differ(px, same, b->width))
            return false;
    }
    return true;
}

uint32_t block_count_kept(const struct block *b) {
    uint32_t count = 0;
    for (uint32_t y = 0; y < b->height; y++)
        for (uint32_t x = 0; x < b->width; x++)
            count += b->px[y * b->px_stride + x] == b->was[y * b->was_stride + x];
    return count;
}

/* Pixels that neither W nor N has the colour of, nor NW nor NE if the diagonals count, looking inside the
 * block only. What shades off in steps has edges; something new has none of its four neighbours' colours. */
TAS_INLINE uint32_t count_unlike(const struct block *b, const bool with_diagonals) {
    uint32_t count = 0;
    for (uint32_t y = 1; y < b->height; y++) {
        const uint32_t *px = b->px + y * b->px_stride, *up = px - b->px_stride;
        for (uint32_t x = 1; x + 1 < b->width; x++) {
            uint32_t is_unlike = (uint32_t)(((px[x] ^ px[x - 1]) & TAS_RGB) != 0) &
                                 (uint32_t)(((px[x] ^ up[x]) & TAS_RGB) != 0);
            if (with_diagonals)
                is_unlike &= (uint32_t)(((px[x] ^ up[x - 1]) & TAS_RGB) != 0) &
                             (uint32_t)(((px[x] ^ up[x + 1]) & TAS_RGB) != 0);
            count += is_unlike;
        }
    }
    return count;
}

static uint32_t count_edges(const struct block *b) {
    return count_unlike(b, false);
}

static uint32_t count_new(const struct block *b) {
    return count_unlike(b, true);
}

/* At least `least` colours, and none that more than `percent` of the pixels have. Counted by hash: a few
 * colours that fall together do not matter. */
static bool is_colourful(const struct block *b, unsigned least, unsigned percent) {
    uint64_t seen[8] = {0};
    unsigned often[64] = {0}, most = 0, colours = 0;
    for (uint32_t y = 0; y < b->height; y++)
        for (uint32_t x = 0; x < b->width; x++) {
            uint32_t h = (b->px[y * b->px_stride + x] & TAS_RGB) * 0x9e3779b1u;
            seen[h >> 29] |= (uint64_t)1 << (h >> 23 & 63);
            unsigned count = ++often[h >> 10 & 63];
            most = count > most ? count : most;
        }
    for (unsigned i = 0; i < 8; i++)
        colours += (unsigned)__builtin_popcountll(seen[i]);
    return colours >= least && most * 100 < b->width * b->height * percent;
}

static uint32_t inner_px(const struct block *b) {
    return b->width > 2 ? (b->width - 2) * (b->height - 1) : 0;
}

enum tas_block_mode block_exact_mode(const struct block *b) {
    return count_new(b) * 100 > inner_px(b) * LIT_PERCENT && is_colourful(b, LIT_COLOURS, LIT_COMMON_PERCENT)
               ? TAS_BLOCK_LIT
               : TAS_BLOCK_CTX;
}

bool block_is_photo(const struct block *b) {
    return count_edges(b) * 100 > inner_px(b) * PHOTO_PERCENT &&
           is_colourful(b, PHOTO_COLOURS, PHOTO_COMMON_PERCENT);
}

bool block_is_photo_beside(const struct block *b) {
    return count_edges(b) * 100 > inner_px(b) * BESIDE_PERCENT &&
           is_colourful(b, BESIDE_COLOURS, BESIDE_COMMON_PERCENT);
}

/* The largest difference between two pixels in any channel. */
static unsigned range_of(const struct block *b) {
    uint8_t least[TAS_BLOCK * 4], most[TAS_BLOCK * 4];
    unsigned range = 0;
    memcpy(least, b->px, b->width * 4);
    memcpy(most, b->px, b->width * 4);
    for (uint32_t y = 1; y < b->height; y++) {
        const uint8_t *row = (const uint8_t *)(b->px + y * b->px_stride);
        for (uint32_t i = 0; i < b->width * 4; i++) {
            least[i] = row[i] < least[i] ? row[i] : least[i];
            most[i] = row[i] > most[i] ? row[i] : most[i];
        }
    }
    /* The bytes of a pixel: blue, green, red, anything. */
    for (unsigned channel = 0; channel < 3; channel++) {
        unsigned low = 255, high = 0;
        for (uint32_t i = channel; i < b->width * 4; i += 4) {
            low = least[i] < low ? least[i] : low;
            high = most[i] > high ? most[i] : high;
        }
        range = high - low > range ? high - low : range;
    }
    return range;
}

bool block_is_grain(const struct block *b) {
    return count_edges(b) * 100 > inner_px(b) * GRAIN_PERCENT && range_of(b) <= GRAIN_RANGE;
}

bool block_is_rough(const struct block *b) {
    uint32_t any = 0;
    for (uint32_t y = 0; y < b->height; y++)
        for (uint32_t x = 0; x < b->width; x++)
            any |= b->was[y * b->was_stride + x];
    return any & TAS_ROUGH;
}
