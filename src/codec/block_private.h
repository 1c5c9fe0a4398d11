/* What a block of 16x16 pixels looks like: is it what it was, a photograph, the grain of a wallpaper, or text
 * and lines? Only the encoder asks. docs/codec.md, "What an encoder may choose". */
#pragma once

#include "codec/canvas_private.h"

/* A block of the new picture beside the one that the decoder has. */
struct block {
    const uint32_t *px, *was;
    ptrdiff_t px_stride, was_stride;
    uint32_t width, height; /* px; smaller than TAS_BLOCK at the edges of the picture */
};

struct block block_at(const struct tas_canvas *canvas, const struct tas_picture *src, uint32_t bx,
                      uint32_t by);

/* With a constant width the compiler compares whole rows at once. */
TAS_INLINE bool rows_differ(const uint32_t *px, const uint32_t *was, const uint32_t width) {
    uint32_t difference = 0;
    for (uint32_t x = 0; x < width; x++)
        difference |= px[x] ^ was[x];
    return difference & TAS_RGB;
}

/* From what it was; rough pixels count with their true colours. */
bool block_differs(const struct block *b);
/* Pixels that are exactly what they were; a rough one never is. */
uint32_t block_count_kept(const struct block *b);
/* Of one colour: most blocks of a screen are. */
bool block_is_plain(const struct block *b);

/* Many pixels differ from those to the left and above, there are many colours, and none of them is common:
 * text has its ground. */
bool block_is_photo(const struct block *b);
/* Likewise in a tile of which half is photographs already, where less is asked: sky and shadow have few
 * colours. */
bool block_is_photo_beside(const struct block *b);
/* Pixels differ from their neighbours, but none by much from any other: coded exactly it takes long. */
bool block_is_grain(const struct block *b);
/* Does the decoder have a rough pixel there? */
bool block_is_rough(const struct block *b);

/* Coded exactly, is it better LIT or CTX? */
enum tas_block_mode block_exact_mode(const struct block *b);
