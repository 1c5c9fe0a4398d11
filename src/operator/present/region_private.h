/* Sets of a viewport's px: what has changed, what is still to be shown. Thin over pixman's regions, with one
 * difference: when there is no memory for the shape, a set becomes all that there is, so that too much is
 * drawn and nothing is missed. Clip what you read. */
#pragma once

#include "operator/present/fit.h"

#include <pixman.h>

void present_region_add(pixman_region32_t *region, struct present_rect rect);
void present_region_join(pixman_region32_t *region, const pixman_region32_t *more);
void present_region_remove(pixman_region32_t *region, const pixman_region32_t *less);

/* Have they a px in common? */
bool present_region_meets(const pixman_region32_t *region, struct present_rect rect);

/* The box clipped to width x height px. False: nothing is left. */
bool present_box_clip(struct present_rect *out, const pixman_box32_t *box, uint32_t width, uint32_t height);
