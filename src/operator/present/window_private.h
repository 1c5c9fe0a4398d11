/* The child window that shows the view inside a window of the toolkit's. It has the parent's depth and visual
 * where our pixels suit it, so that compositors need no buffer more, and takes no input: pointer events go on
 * to the parent. */
#pragma once

#include "base/err.h"
#include "operator/present/fit.h"

#include <xcb/xcb.h>

/* All zero is none. */
struct present_window {
    xcb_window_t id, parent; /* id 0: there is none */
    xcb_colormap_t colormap;
    uint8_t depth;
    bool is_moved; /* the display has not been told of `place` yet */
    struct present_rect place;
};

/* Are the server's usual pixels ours: 32 bits, 0xRRGGBB, in this machine's byte order? */
bool present_window_is_possible(xcb_connection_t *xcb, const xcb_screen_t *screen);

/* Creates and shows it. Round trips. TAS_E_ABSENT: there is no such parent. */
TAS_MUST_USE int present_window_open(struct present_window *window, xcb_connection_t *xcb,
                                     const xcb_screen_t *screen, xcb_window_t parent,
                                     struct present_rect place);
/* When the parent is moved and resized in one, the window stays where it was on the screen until it is put
 * into its new place. That is told to the display by present_window_settle(): just before the pixels that
 * belong there, so that nobody sees old ones in it. */
void present_window_move(struct present_window *window, struct present_rect place);
void present_window_settle(struct present_window *window, xcb_connection_t *xcb);

/* Destroys it, unless it is gone already. */
void present_window_close(struct present_window *window, xcb_connection_t *xcb);

/* After it was destroyed by others. */
void present_window_forget(struct present_window *window, xcb_connection_t *xcb);
