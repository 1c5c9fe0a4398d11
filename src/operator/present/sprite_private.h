/* The customer's pointer as an image of the size in which it is shown: scaled like the picture, but never so
 * small that it gets lost. Pure. */
#pragma once

#include "base/err.h"
#include "operator/present/present.h"

enum { PRESENT_SPRITE_MIN = 16, PRESENT_SPRITE_MAX = 256 }; /* px, longer side of what is shown */

/* All zero is an empty one. */
struct present_sprite {
    uint32_t *argb;         /* premultiplied 0xAARRGGBB, rows without gaps; as it is shown; owned */
    uint32_t width, height; /* 0: nothing to be seen */
    uint32_t hot_x, hot_y;
    uint32_t revision; /* rises whenever the above changes */

    bool has_image; /* as it was told */
    uint32_t serial;
    uint32_t *image; /* owned */
    uint32_t image_width, image_height, image_hot_x, image_hot_y;
};

/* Takes the pointer's image if it is another one; call present_sprite_fit() next. A pointer that is hidden,
 * but ours, becomes a dot. One larger than PRESENT_SPRITE_MAX counts as hidden. TAS_E_NOMEM: nothing is to be
 * seen. */
TAS_MUST_USE int present_sprite_set(struct present_sprite *sprite, const struct present_pointer *pointer);

/* Makes what is shown. TAS_E_NOMEM: nothing is to be seen. */
TAS_MUST_USE int present_sprite_fit(struct present_sprite *sprite, const struct present_fit *fit);
void present_sprite_fini(struct present_sprite *sprite); /* wipes */
