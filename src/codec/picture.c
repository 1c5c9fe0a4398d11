#include "codec/picture.h"
#include "base/wipe.h"

#include <assert.h>
#include <stdlib.h>

struct tas_picture *tas_picture_new(uint32_t width, uint32_t height) {
    if (!tas_picture_size_is_valid(width, height))
        return NULL;
    struct tas_picture *pic = calloc(1, sizeof(*pic));
    if (!pic)
        return NULL;
    *pic = (struct tas_picture){.width = width, .height = height, .stride = width};
    pic->px = calloc((size_t)width * height, sizeof(*pic->px));
    if (!pic->px) {
        free(pic);
        return NULL;
    }
    return pic;
}

void tas_picture_free(struct tas_picture *pic) {
    if (!pic)
        return;
    tas_wipe(pic->px, (size_t)pic->stride * pic->height * sizeof(*pic->px));
    free(pic->px);
    free(pic);
}

static size_t words(const struct tas_tiles *tiles) {
    return ((size_t)tiles->across * tiles->down + 63) / 64;
}

int tas_tiles_init(struct tas_tiles *tiles, uint32_t width, uint32_t height) {
    assert(tas_picture_size_is_valid(width, height));
    *tiles = (struct tas_tiles){.across = tas_tiles_across(width), .down = tas_tiles_across(height)};
    tiles->bits = calloc(words(tiles), sizeof(*tiles->bits));
    return tiles->bits ? TAS_OK : TAS_E_NOMEM;
}

void tas_tiles_fini(struct tas_tiles *tiles) {
    free(tiles->bits);
    *tiles = (struct tas_tiles){0};
}

static size_t index_of(const struct tas_tiles *tiles, uint32_t tx, uint32_t ty) {
    assert(tx < tiles->across && ty < tiles->down);
    return (size_t)ty * tiles->across + tx;
}

bool tas_tiles_get(const struct tas_tiles *tiles, uint32_t tx, uint32_t ty) {
    size_t i = index_of(tiles, tx, ty);
    return tiles->bits[i / 64] >> (i % 64) & 1;
}

void tas_tiles_set(struct tas_tiles *tiles, uint32_t tx, uint32_t ty) {
    size_t i = index_of(tiles, tx, ty);
    tiles->bits[i / 64] |= (uint64_t)1 << (i % 64);
}

void tas_tiles_unset(struct tas_tiles *tiles, uint32_t tx, uint32_t ty) {
    size_t i = index_of(tiles, tx, ty);
    tiles->bits[i / 64] &= ~((uint64_t)1 << (i % 64));
}

/* The tiles [*first, *end) that the pixels [at, at + len) touch, of `count`; none when it lies outside. */
static void tile_range(int32_t at, uint32_t len, uint32_t count, uint32_t *first, uint32_t *end) {
    int64_t from = at < 0 ? 0 : at / TAS_TILE;
    int64_t to = ((int64_t)at + len + TAS_TILE - 1) / TAS_TILE;
    if ((int64_t)at + len <= 0 || len == 0)
        to = 0;
    *first = from > count ? count : (uint32_t)from;
    *end = to > count ? count : (uint32_t)to;
}

void tas_tiles_set_rect(struct tas_tiles *tiles, int32_t x, int32_t y, uint32_t w, uint32_t h) {
    uint32_t left, right, top, bottom;
    tile_range(x, w, tiles->across, &left, &right);
    tile_range(y, h, tiles->down, &top, &bottom);
    for (uint32_t ty = top; ty < bottom; ty++)
        for (uint32_t tx = left; tx < right; tx++)
            tas_tiles_set(tiles, tx, ty);
}

void tas_tiles_set_all(struct tas_tiles *tiles) {
    size_t count = (size_t)tiles->across * tiles->down;
    memset(tiles->bits, 0xff, words(tiles) * sizeof(*tiles->bits));
    if (count % 64)
        tiles->bits[count / 64] =
            ((uint64_t)1 << (count % 64)) - 1; /* count, merge and compare see no others */
}

void tas_tiles_clear(struct tas_tiles *tiles) {
    memset(tiles->bits, 0, words(tiles) * sizeof(*tiles->bits));
}

void tas_tiles_merge(struct tas_tiles *into, const struct tas_tiles *from) {
    assert(into->across == from->across && into->down == from->down);
    for (size_t i = 0; i < words(into); i++)
        into->bits[i] |= from->bits[i];
}

uint32_t tas_tiles_count(const struct tas_tiles *tiles) {
    uint32_t count = 0;
    for (size_t i = 0; i < words(tiles); i++)
        count += (uint32_t)__builtin_popcountll(tiles->bits[i]);
    return count;
}
