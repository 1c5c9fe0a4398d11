/* Pictures with the edges and the roughness of photographs: shaded and textured discs of all sizes in front
 * of each other, and the grain of a film. Always the same for a seed. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct natural {
    uint32_t width, height;
    uint32_t *px; /* rows of `width` px; owned */
};

/* What fails ends the program. */
struct natural natural_new(uint32_t width, uint32_t height, uint32_t seed);

uint32_t natural_random(uint32_t *seed); /* not 0 at first */

/* Copies a part from (x, y) on to `out` and adds grain, which is another one for each `frame`. */
void natural_grain(const struct natural *picture, uint32_t x, uint32_t y, uint32_t width, uint32_t height,
                   uint32_t *out, size_t stride, uint32_t frame);
