/* Draws a remote screen into a viewport's pixels: copied 1:1, or scaled so that text stays sharp. Whatever
 * part is drawn, a pixel always gets the same value. The top byte of the picture's pixels is its codec's and
 * is not looked at. Pure; everything but drawing is prepared once. One
 * thread. */
#pragma once

#include "base/err.h"
#include "codec/picture.h"
#include "operator/present/fit.h"

struct present_scale;

enum { PRESENT_MARGIN = 0x1e1e1e }; /* 0xRRGGBB, around a screen that does not fill the viewport */

/* Where to draw: the viewport's upper left px, rows of `stride` px. */
struct present_canvas {
    uint32_t *px;
    size_t stride;
    uint32_t top; /* or'ed into every px: 0, or 0xff000000 where the top byte means opaque */
};

/* For this viewport and screen, which are at most TAS_PICTURE_MAX px wide and high. NULL: no memory. */
struct present_scale *present_scale_new(const struct present_fit *fit);
void present_scale_free(struct present_scale *scale); /* wipes; NULL is fine */

/* Draws `part`, which is clipped to the viewport. pic has the size of the fit's screen; NULL: all black. */
void present_scale_draw(struct present_scale *scale, const struct tas_picture *pic, struct present_rect part,
                        const struct present_canvas *canvas);

/* An image of its own (the pointer), rows without gaps, all four bytes of a px treated alike: `in`, which is
 * width x height, becomes `out`, which is out_width x out_height; each 1..TAS_PICTURE_MAX. TAS_E_NOMEM. */
TAS_MUST_USE int present_scale_image(const uint32_t *in, uint32_t width, uint32_t height, uint32_t *out,
                                     uint32_t out_width, uint32_t out_height);
