/* Where parts of a picture have gone: rectangles, exact to the pixel, that can be copied from the picture
 * before instead of being coded. Only the encoder searches; both ends carry the moves out. docs/codec.md,
 * "Moves". */
#pragma once

#include "codec/picture.h"

enum { TAS_MOVES_MAX = 255 };

/* The pixels of [x, x + w) x [y, y + h) are those that were at (x + dx, y + dy). Both rectangles lie inside
 * the picture. */
struct tas_move {
    uint16_t x, y, w, h; /* px; w, h >= 1 */
    int16_t dx, dy;      /* px, not both 0 */
};

/* Is this a move that a picture of this size can make? */
bool tas_move_is_valid(const struct tas_move *move, uint32_t width, uint32_t height);

/* Carries out `count` valid moves as if all their sources were read first; where destinations overlap, the
 * later one stays. scratch: room for as many pixels as the moves have in all. */
void tas_moves_apply(const struct tas_picture *pic, const struct tas_move *moves, unsigned count,
                     uint32_t *scratch);

struct tas_motion;

/* What a search for pictures of this size needs, the vectors of the last search too. NULL: no memory. */
struct tas_motion *tas_motion_new(uint32_t width, uint32_t height);
void tas_motion_free(struct tas_motion *motion); /* NULL is fine */

/* Looks for moves that turn `was` into `now` within the tiles `changed` (sources may lie anywhere, and moves
 * may run over other tiles on their way, mostly where that leaves them as they are). Both have the size of
 * tas_motion_new(); of `was` only the lower 24 bits of a pixel count, the top byte of `now` is 0.
 * The moves may overlap; all their pixels together are at most twice those of the picture. After
 * tas_moves_apply() fewer blocks differ; some pixels that were right may be wrong, where that pays.
 * Gives the number of moves. Never fails: at worst it finds none. */
unsigned tas_motion_find(struct tas_motion *motion, const struct tas_picture *was,
                         const struct tas_picture *now, const struct tas_tiles *changed,
                         struct tas_move moves[TAS_MOVES_MAX]);

/* What the last search knows of a tile, once its moves have been carried out; what it had to look at needs no
 * second look. */
enum tas_motion_tile {
    TAS_MOTION_TILE_UNKNOWN,
    TAS_MOTION_TILE_RIGHT, /* all of its pixels are those of `now` */
    TAS_MOTION_TILE_WRONG, /* some are not */
};
enum tas_motion_tile tas_motion_tile_after(const struct tas_motion *motion, uint32_t tx, uint32_t ty);
