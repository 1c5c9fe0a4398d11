/* The protocol thread's half of a surface. */
#pragma once

#include "operator/present/region_private.h"
#include "operator/present/scale.h"
#include "operator/present/sprite_private.h"

struct present_surface;

/* The pixels, locked: GTK waits with drawing until present_surface_end(), so do not linger. They keep what
 * was drawn last, as long as the size is the same. False: no memory, and not locked. */
bool present_surface_begin(struct present_surface *surface, uint32_t width, uint32_t height,
                           struct present_canvas *canvas);
void present_surface_end(struct present_surface *surface, const pixman_region32_t *drawn);

/* Nothing is shown until the next present_surface_begin(). */
void present_surface_clear(struct present_surface *surface);

/* What the pointer looks like above it; NULL, or an empty one: as above the rest of the window. TAS_E_NOMEM.
 */
TAS_MUST_USE int present_surface_cursor(struct present_surface *surface, const struct present_sprite *sprite);
