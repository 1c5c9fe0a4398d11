/* Showing the customer's screen in the operator's window: a table of functions, one for each way. Everything
 * but the surface belongs to the protocol thread, so that a busy GTK thread never delays a picture. Only what
 * has changed is drawn. */
#pragma once

#include "codec/picture.h"
#include "net/loop.h"
#include "operator/present/fit.h"

struct present;         /* one view */
struct present_surface; /* GTK's half, where a way needs one (cairo): surface.h */

/* Where the view is, in device px. */
struct present_place {
    unsigned long window; /* X window to be shown in; 0: none, nothing is shown. cairo: 0 or not */
    int32_t x, y; /* upper left corner of the viewport inside it; cairo: of no use, it is the widget's */
    struct present_fit fit; /* a picture of another size than it says is shown as if it said that size */
};

/* The customer's pointer. */
struct present_pointer {
    uint32_t x, y; /* remote px, hot spot */
    bool is_shown; /* false: hidden, or he has none */
    bool is_ours;  /* the operator moves it: show the image as the local cursor, where it already is, and not
                    * in the picture. Hidden and ours: a dot, so that nobody loses it */
    uint32_t serial;                      /* changes with the image */
    uint16_t width, height, hot_x, hot_y; /* scaled as the picture is; over 256 px: as if hidden */
    const uint8_t *rgba;                  /* premultiplied; borrowed for the call */
};

struct present_ops {
    const char *name; /* "x11", "cairo" */

    /* x11: SIGPIPE must be ignored (tas_loop_block_signals()). display: NULL the default. surface: NULL for
     * ways that need none. TAS_E_ABSENT: this way does not work here, `why` (at least 160 bytes) says it: try
     * the next. TAS_E_NOMEM. */
    int (*open)(struct present **out, struct tas_loop *loop, const char *display,
                struct present_surface *surface, char *why, size_t why_cap);
    void (*close)(struct present *p); /* NULL is fine */

    /* Moves and resizes; shows nothing new by itself: call picture() with all tiles after it (what is seen
     * changes only then, where that is possible: no old pixels in a new place). May wait for a few answers of
     * the display; the other calls never wait. TAS_E_ABSENT: the display or the window is gone; the other
     * calls say so too, until a place in a window that is there. TAS_E_LIMIT: wider or higher than
     * TAS_PICTURE_MAX. TAS_E_NOMEM. */
    int (*place)(struct present *p, const struct present_place *place);

    /* Shows what changed (NULL: all of it). pic NULL: black. The picture is borrowed for the call; what the
     * view needs later (exposures) it keeps itself. Nothing is shown, and that is no error, before place()
     * and in window 0. */
    int (*picture)(struct present *p, const struct tas_picture *pic, const struct tas_tiles *changed);

    /* Goes on being shown until the next call. */
    int (*pointer)(struct present *p, const struct present_pointer *pointer);
};

extern const struct present_ops present_x11;   /* XShmPutImage into a child window on an own connection */
extern const struct present_ops present_cairo; /* a GTK drawing area: works everywhere */
