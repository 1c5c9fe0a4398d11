/* What a viewport shows, as pixels in memory: the picture, and on it the pointer. It knows which pixels a
 * change touches, before it draws them, so that its owner can choose where to. Pure.
 *
 *     present_view_look() or present_view_point()   which px will change
 *     present_view_draw() or present_view_move()    changes them
 *
 * The canvas must hold what was drawn last, except where look() said that it changes; another one with the
 * same content does as well. */
#pragma once

#include "operator/present/region_private.h"
#include "operator/present/scale.h"
#include "operator/present/sprite_private.h"

/* All zero but `fit` is a new one: no viewport. */
struct present_view {
    struct present_fit fit; /* the screen's size is the last picture's */
    struct present_scale *scale;
    bool is_drawn;   /* since it was placed */
    bool is_picture; /* drawn from a picture; otherwise it is black */

    struct present_sprite sprite;
    bool is_blended; /* the pointer is part of what is shown */
    uint32_t pointer_x, pointer_y;
    struct present_rect blended; /* where it is; empty: nowhere */
    uint32_t *under;             /* what was there; owned, PRESENT_SPRITE_MAX squared */
};

void present_view_fini(struct present_view *view); /* wipes */

/* Another viewport; nothing of it is drawn until look() and draw(). TAS_E_NOMEM. TAS_E_LIMIT: wider or
 * higher than TAS_PICTURE_MAX. */
TAS_MUST_USE int present_view_place(struct present_view *view, const struct present_fit *fit);

/* The canvas lost its content. */
void present_view_spoil(struct present_view *view);

/* Adds to `damage` what the change will touch (see present.h's picture()). The view takes over the picture's
 * size. TAS_E_NOMEM. */
TAS_MUST_USE int present_view_look(struct present_view *view, const struct tas_picture *pic,
                                   const struct tas_tiles *changed, pixman_region32_t *damage);
void present_view_draw(struct present_view *view, const struct tas_picture *pic,
                       const pixman_region32_t *damage, const struct present_canvas *canvas);

/* Takes over the pointer and adds to `damage` what that touches. TAS_E_NOMEM: its image is not shown; move()
 * is needed all the same. */
TAS_MUST_USE int present_view_point(struct present_view *view, const struct present_pointer *pointer,
                                    pixman_region32_t *damage);
void present_view_move(struct present_view *view, const struct present_canvas *canvas);
