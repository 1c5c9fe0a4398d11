/* The customer's pointer as the X cursor of a window. */
#pragma once

#include "operator/present/sprite_private.h"

#include <xcb/render.h>
#include <xcb/xcb.h>

/* The format in which cursors are made; 0: this server has none. Round trips. */
xcb_render_pictformat_t present_cursor_format(xcb_connection_t *xcb);

/* A cursor of what the sprite shows; freed with xcb_free_cursor(). 0 for an empty one (which, as a window's
 * cursor, means the parent's). */
xcb_cursor_t present_cursor_new(xcb_connection_t *xcb, xcb_window_t root, xcb_render_pictformat_t format,
                                const struct present_sprite *sprite);
