/* A picture in memory: 32-bit pixels 0x00RRGGBB, row after row. The top byte is always 0, but in pictures
 * that a codec holds: there bit 31 says that the pixel is rough, shown but not exact yet. */
#pragma once

#include "base/bytes.h"
#include "base/err.h"

enum {
    TAS_TILE = 64,                /* px, edge of the tiles in which change is tracked */
    TAS_PICTURE_MAX = 16384,      /* px, greatest width and height */
    TAS_PICTURE_PIXELS = 1 << 26, /* most pixels in all */
};

#define TAS_ROUGH 0x80000000u /* the bit of a rough pixel */
#define TAS_RGB   0x00ffffffu /* those that have a colour */

struct tas_picture {
    uint32_t *px; /* owned; `stride` pixels from one row to the next */
    uint32_t width, height, stride;
};

/* A black picture. NULL: no memory, or a size of 0 or over the limits. */
struct tas_picture *tas_picture_new(uint32_t width, uint32_t height);
void tas_picture_free(struct tas_picture *pic); /* wipes: pixels are the customer's; NULL is fine */

/* May a picture have this size? */
static inline bool tas_picture_size_is_valid(uint32_t width, uint32_t height) {
    return width > 0 && height > 0 && width <= TAS_PICTURE_MAX && height <= TAS_PICTURE_MAX &&
           (uint64_t)width * height <= TAS_PICTURE_PIXELS;
}

/* Tiles that `width` pixels touch; the same for a height. */
static inline uint32_t tas_tiles_across(uint32_t width) {
    return (width + TAS_TILE - 1) / TAS_TILE;
}

/* Which 64x64 tiles of a picture of a given size are changed: one bit each, row by row. */
struct tas_tiles {
    uint64_t *bits; /* owned */
    uint32_t across, down;
};

/* No tile set, for a picture of a valid size. TAS_E_NOMEM: `tiles` is empty and may be given to fini. */
TAS_MUST_USE int tas_tiles_init(struct tas_tiles *tiles, uint32_t width, uint32_t height);
void tas_tiles_fini(struct tas_tiles *tiles);
bool tas_tiles_get(const struct tas_tiles *tiles, uint32_t tx, uint32_t ty);
void tas_tiles_set(struct tas_tiles *tiles, uint32_t tx, uint32_t ty);
void tas_tiles_unset(struct tas_tiles *tiles, uint32_t tx, uint32_t ty);
/* Sets all tiles that the rectangle touches; parts outside are clipped. */
void tas_tiles_set_rect(struct tas_tiles *tiles, int32_t x, int32_t y, uint32_t w, uint32_t h);
void tas_tiles_set_all(struct tas_tiles *tiles);
void tas_tiles_clear(struct tas_tiles *tiles);
/* into |= from; same size. */
void tas_tiles_merge(struct tas_tiles *into, const struct tas_tiles *from);
uint32_t tas_tiles_count(const struct tas_tiles *tiles);
