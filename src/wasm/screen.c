#include "wasm/screen_private.h"

#include <assert.h>

void wasm_painted_follow(struct wasm_painted *painted, const struct tas_picture *pic) {
    if (painted->width == pic->width && painted->height == pic->height)
        return;
    wasm_painted_fini(painted);
    painted->width = pic->width;
    painted->height = pic->height;
    if (tas_tiles_init(&painted->tiles, pic->width, pic->height) == TAS_OK)
        tas_tiles_set_all(&painted->tiles);
}

void wasm_painted_fini(struct wasm_painted *painted) {
    tas_tiles_fini(&painted->tiles);
    *painted = (struct wasm_painted){0};
}

void wasm_painted_note(struct wasm_painted *painted, int err) {
    if (err == TAS_OK && painted->is_suspect && painted->tiles.bits)
        tas_tiles_set_all(&painted->tiles);
    painted->is_suspect = err != TAS_OK && (err != TAS_E_STATE || painted->is_suspect);
}

/* In tiles. */
struct block {
    uint32_t x, y, across, down;
};

static bool row_is_set(const struct tas_tiles *tiles, const struct block *block, uint32_t y) {
    for (uint32_t x = block->x; x < block->x + block->across; x++)
        if (!tas_tiles_get(tiles, x, y))
            return false;
    return true;
}

/* The widest run that begins at this set tile, as far down as it goes. Takes its tiles out of the set. */
static struct block take_block(struct tas_tiles *tiles, uint32_t x, uint32_t y) {
    struct block block = {x, y, 0, 1};
    while (x + block.across < tiles->across && tas_tiles_get(tiles, x + block.across, y))
        block.across++;
    while (y + block.down < tiles->down && row_is_set(tiles, &block, y + block.down))
        block.down++;
    for (uint32_t ty = y; ty < y + block.down; ty++)
        for (uint32_t tx = x; tx < x + block.across; tx++)
            tas_tiles_unset(tiles, tx, ty);
    return block;
}

static struct wasm_rect rect_of(const struct wasm_painted *painted, const struct block *block) {
    struct wasm_rect rect = {block->x * TAS_TILE, block->y * TAS_TILE, block->across * TAS_TILE,
                             block->down * TAS_TILE};
    if (rect.width > painted->width - rect.x)
        rect.width = painted->width - rect.x;
    if (rect.height > painted->height - rect.y)
        rect.height = painted->height - rect.y;
    return rect;
}

static struct wasm_rect around(const struct wasm_rect *a, const struct wasm_rect *b) {
    uint32_t x = a->x < b->x ? a->x : b->x, y = a->y < b->y ? a->y : b->y;
    uint32_t right = a->x + a->width > b->x + b->width ? a->x + a->width : b->x + b->width;
    uint32_t bottom = a->y + a->height > b->y + b->height ? a->y + a->height : b->y + b->height;
    return (struct wasm_rect){x, y, right - x, bottom - y};
}

uint32_t wasm_painted_take(struct wasm_painted *painted, struct wasm_rect *out, uint32_t max) {
    struct tas_tiles *tiles = &painted->tiles;
    uint32_t count = 0;
    assert(max > 0);
    if (!tiles->bits && painted->width > 0)
        out[count++] = (struct wasm_rect){0, 0, painted->width, painted->height};
    for (uint32_t y = 0; y < tiles->down; y++)
        for (uint32_t x = 0; x < tiles->across; x++) {
            if (!tas_tiles_get(tiles, x, y))
                continue;
            struct block block = take_block(tiles, x, y);
            struct wasm_rect rect = rect_of(painted, &block);
            if (count < max)
                out[count++] = rect;
            else
                out[max - 1] = around(&out[max - 1], &rect);
        }
    return count;
}

void wasm_picture_of(struct wasm_picture *out, const struct tas_picture *pic) {
    *out = (struct wasm_picture){0};
    if (pic)
        *out = (struct wasm_picture){(uint32_t)(uintptr_t)pic->px, pic->width, pic->height, pic->stride};
}

static const uint32_t *row_of(const struct wasm_picture *pic, const struct wasm_rect *rect, uint32_t y) {
    assert(rect->x <= pic->width && rect->width <= pic->width - rect->x);
    assert(rect->y <= pic->height && rect->height <= pic->height - rect->y);
    return (const uint32_t *)(uintptr_t)pic->at + (size_t)(rect->y + y) * pic->stride + rect->x;
}

/* 0x..RRGGBB to 0xffBBGGRR, which little-endian is R, G, B, 255. */
void wasm_picture_rgba(const struct wasm_picture *pic, const struct wasm_rect *rect, uint8_t *out) {
    uint32_t *to = (uint32_t *)(void *)out;
    for (uint32_t y = 0; y < rect->height; y++, to += rect->width) {
        const uint32_t *from = row_of(pic, rect, y);
        for (uint32_t x = 0; x < rect->width; x++)
            to[x] = 0xff000000u | (from[x] & 0xff) << 16 | (from[x] & 0xff00) | (from[x] >> 16 & 0xff);
    }
}

void wasm_picture_paint(const struct wasm_picture *pic, const struct wasm_rect *rect, const uint8_t *rgba) {
    const uint32_t *from = (const uint32_t *)(const void *)rgba;
    for (uint32_t y = 0; y < rect->height; y++, from += rect->width) {
        uint32_t *to = (uint32_t *)(uintptr_t)row_of(pic, rect, y);
        for (uint32_t x = 0; x < rect->width; x++)
            to[x] = (from[x] & 0xff) << 16 | (from[x] & 0xff00) | (from[x] >> 16 & 0xff);
    }
}
