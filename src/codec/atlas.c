#include "codec/atlas_private.h"

#include "base/wipe.h"

#include <stdlib.h>

enum { BLOCK_PX = TAS_BLOCK * TAS_BLOCK };

/* Room for `blocks`, rows of blocks filled up. */
static size_t px_for(size_t blocks) {
    size_t rows = (blocks + TAS_ROUGH_ATLAS - 1) / TAS_ROUGH_ATLAS;
    return rows * TAS_ROUGH_ATLAS * BLOCK_PX;
}

static size_t blocks_of(const struct tas_canvas *canvas) {
    return (size_t)canvas->blocks_across * canvas->blocks_down;
}

int tas_atlas_init(struct tas_atlas *atlas, const struct tas_canvas *canvas) {
    *atlas = (struct tas_atlas){
        .px = malloc(px_for(blocks_of(canvas)) *
                     sizeof(*atlas->px)), /* pages that are never used cost nothing */
        .blocks = malloc(blocks_of(canvas) * sizeof(*atlas->blocks)),
    };
    return atlas->px && atlas->blocks ? TAS_OK : TAS_E_NOMEM;
}

static void wipe(struct tas_atlas *atlas) {
    if (atlas->px && atlas->used > 0)
        tas_wipe(atlas->px, px_for(atlas->used) * sizeof(*atlas->px));
}

void tas_atlas_fini(struct tas_atlas *atlas) {
    wipe(atlas);
    free(atlas->px);
    free(atlas->blocks);
    *atlas = (struct tas_atlas){0};
}

void tas_atlas_collect(struct tas_atlas *atlas, const struct tas_canvas *canvas) {
    atlas->count = 0;
    for (uint32_t i = 0; i < blocks_of(canvas); i++)
        if (canvas->modes[i] == TAS_BLOCK_ROUGH)
            atlas->blocks[atlas->count++] = i;
    atlas->used = atlas->count > atlas->used ? atlas->count : atlas->used;
}

struct tas_picture tas_atlas_picture(const struct tas_atlas *atlas) {
    uint32_t across = atlas->count < TAS_ROUGH_ATLAS ? atlas->count : TAS_ROUGH_ATLAS;
    uint32_t down = (atlas->count + TAS_ROUGH_ATLAS - 1) / TAS_ROUGH_ATLAS;
    return (struct tas_picture){atlas->px, across * TAS_BLOCK, down * TAS_BLOCK, across * TAS_BLOCK};
}

/* Where block number i lies in the atlas. */
static uint32_t *place_of(const struct tas_picture *pic, uint32_t i) {
    return pic->px + (size_t)(i / TAS_ROUGH_ATLAS) * TAS_BLOCK * pic->stride +
           i % TAS_ROUGH_ATLAS * TAS_BLOCK;
}

/* A block of the picture: its corner, and how much of it lies inside. */
struct spot {
    uint32_t x, y, width, height;
};

static struct spot spot_of(const struct tas_canvas *canvas, uint32_t block) {
    uint32_t x = block % canvas->blocks_across * TAS_BLOCK, y = block / canvas->blocks_across * TAS_BLOCK;
    return (struct spot){x, y, tas_clip(x, canvas->pic.width, TAS_BLOCK),
                         tas_clip(y, canvas->pic.height, TAS_BLOCK)};
}

static void gather_block(uint32_t *to, size_t stride, const struct tas_picture *src,
                         const struct spot *spot) {
    for (uint32_t y = 0; y < TAS_BLOCK; y++) {
        uint32_t from_y = spot->y + (y < spot->height ? y : spot->height - 1);
        const uint32_t *from = src->px + (size_t)from_y * src->stride + spot->x;
        memcpy(to + y * stride, from, spot->width * sizeof(*to));
        for (uint32_t x = spot->width; x < TAS_BLOCK; x++)
            to[y * stride + x] = from[spot->width - 1];
    }
}

void tas_atlas_gather(struct tas_atlas *atlas, const struct tas_canvas *canvas,
                      const struct tas_picture *src) {
    struct tas_picture pic = tas_atlas_picture(atlas);
    uint32_t cells = pic.width / TAS_BLOCK * (pic.height / TAS_BLOCK);
    for (uint32_t i = 0; i < cells; i++) { /* cells behind the last block repeat it: cheap to code */
        struct spot spot = spot_of(canvas, atlas->blocks[i < atlas->count ? i : atlas->count - 1]);
        gather_block(place_of(&pic, i), pic.stride, src, &spot);
    }
}

static void paint(struct tas_canvas *canvas, const struct spot *spot, const uint32_t *from, size_t stride) {
    for (uint32_t y = 0; y < spot->height; y++) {
        uint32_t *to = tas_canvas_row(canvas, spot->y + y) + spot->x;
        for (uint32_t x = 0; x < spot->width; x++)
            to[x] = from[y * stride + x] | TAS_ROUGH;
    }
    tas_tiles_set(&canvas->rough, spot->x / TAS_TILE, spot->y / TAS_TILE);
}

void tas_atlas_scatter(const struct tas_atlas *atlas, struct tas_canvas *canvas) {
    struct tas_picture pic = tas_atlas_picture(atlas);
    for (uint32_t i = 0; i < atlas->count; i++) {
        struct spot spot = spot_of(canvas, atlas->blocks[i]);
        paint(canvas, &spot, place_of(&pic, i), pic.stride);
    }
}

void tas_atlas_take(const struct tas_atlas *atlas, struct tas_canvas *canvas,
                    const struct tas_picture *from) {
    for (uint32_t i = 0; i < atlas->count; i++) {
        struct spot spot = spot_of(canvas, atlas->blocks[i]);
        paint(canvas, &spot, from->px + (size_t)spot.y * from->stride + spot.x, from->stride);
    }
}
