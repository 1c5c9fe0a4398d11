/* What a platform offers to the host for looking at the customer's screen: a table of functions. x11/ has
 * one; wayland/ and win32/ get theirs. One thread; callbacks none: the owner polls `fd` and calls `pump`.
 * Calls may wait for an answer of the display (well under a millisecond, unless it hangs). */
#pragma once

#include "codec/picture.h"

struct tas_screen; /* an opened screen of some platform */

/* What the pointer looks like, and where it is. */
struct tas_screen_cursor {
    uint32_t x, y;          /* px, of the hot spot */
    uint32_t serial;        /* changes with the image; 0: hidden, then only x and y count */
    uint16_t width, height; /* px; at most 256 each, larger ones are made smaller */
    uint16_t hot_x, hot_y;
    const uint8_t *rgba; /* width*height*4, premultiplied; borrowed until the next pump */
};

struct tas_screen_ops {
    const char *name;

    /* Opens the screen. `display`: the platform's name for it, NULL the default. The first pump reports all
     * tiles. On Unix SIGPIPE is ignored from then on, if it still had its default action. TAS_E_NOMEM.
     * TAS_E_ABSENT: no such display, or it lacks what we need; `why` (at least 160 bytes) then says in words
     * what is missing and what to do. */
    int (*open)(struct tas_screen **out, const char *display, char *why, size_t why_cap);
    void (*close)(struct tas_screen *screen); /* NULL is fine */

    /* Readable when pump() has something to do. Only to be polled. The pointer's moves do not make it
     * readable. */
    int (*fd)(const struct tas_screen *screen);

    /* Takes in what happened since: sets the changed tiles in `dirty` (which has the size of the picture).
     * Grab after the pump that reported: what is drawn between the two is in the pixels or reported by the
     * next pump. TAS_E_ABSENT: the display went away, or became larger than a picture may be. TAS_E_NOMEM.
     * TAS_E_STATE: the size has changed, or `dirty` does not have it: see size(), then make a new `dirty`,
     * all set. */
    int (*pump)(struct tas_screen *screen, struct tas_tiles *dirty);

    /* Size now, px. */
    void (*size)(const struct tas_screen *screen, uint32_t *width, uint32_t *height);

    /* Copies the present pixels of `tiles` into `into` (which has the size of the screen), top byte 0; other
     * tiles are left alone. TAS_E_STATE: the size has changed meanwhile, as the next pump will tell; `into`
     * may hold some new pixels. TAS_E_ABSENT: the display went away. */
    int (*grab)(struct tas_screen *screen, const struct tas_tiles *tiles, struct tas_picture *into);

    /* The pointer. Position is fresh; the image as of the last pump. TAS_E_ABSENT as above. */
    int (*cursor)(struct tas_screen *screen, struct tas_screen_cursor *out);
};

/* X11: XCB with SHM (memfd), DAMAGE, XFIXES, RANDR. */
extern const struct tas_screen_ops tas_screen_x11;
