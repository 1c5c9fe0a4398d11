/* Rough blocks side by side, as one picture for a JPEG coder. */
#pragma once

#include "codec/canvas_private.h"
#include "codec/rough.h"

struct tas_atlas {
    uint32_t *px;     /* owned; room for all blocks of the picture */
    uint32_t *blocks; /* owned; by * blocks_across + bx of each, in the order of the picture */
    uint32_t count;
    uint32_t used; /* the most blocks that there were: what has to be wiped */
};

/* For pictures of the canvas's size. TAS_E_NOMEM: fini is still due. */
TAS_MUST_USE int tas_atlas_init(struct tas_atlas *atlas, const struct tas_canvas *canvas);
void tas_atlas_fini(struct tas_atlas *atlas); /* wipes */

/* Finds the ROUGH blocks of canvas->modes. */
void tas_atlas_collect(struct tas_atlas *atlas, const struct tas_canvas *canvas);

/* The picture of the collected blocks; its pixels are the atlas's. At least one. */
struct tas_picture tas_atlas_picture(const struct tas_atlas *atlas);

/* Fills the picture with the blocks of src (the canvas's size), edges repeated where a block leaves it. */
void tas_atlas_gather(struct tas_atlas *atlas, const struct tas_canvas *canvas,
                      const struct tas_picture *src);

/* Paints the collected blocks into the canvas from `from`: an atlas (scatter) or a picture of the canvas's
 * size (take), and makes them rough. */
void tas_atlas_scatter(const struct tas_atlas *atlas, struct tas_canvas *canvas);
void tas_atlas_take(const struct tas_atlas *atlas, struct tas_canvas *canvas, const struct tas_picture *from);
