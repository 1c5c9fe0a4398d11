/* What a platform offers to the host for looking at the customer's screen: a table of functions. x11/ has
 * one; wayland/ and win32/ get theirs. One thread; callbacks none: the owner polls `fd` and calls `pump`.
 * Calls may wait for an answer of the display (well under a millisecond, unless it hangs). */
#pragma once

#include "codec/picture.h"

struct tas_screen; /* an opened screen of some platform */

enum { TAS_SCREEN_MONITORS = 16, TAS_SCREEN_NAME = 32 };

/* A part of the whole screen, px. */
struct tas_screen_area {
    uint32_t x, y, width, height;
};

/* The monitors that the whole screen is spread over. Where the platform knows of none, n is 0. */
struct tas_screen_monitors {
    uint32_t serial; /* changes with the rest */
    size_t n;
    struct tas_screen_monitor {
        struct tas_screen_area area;    /* inside the screen, not empty; no two the same */
        bool is_primary;                /* at most one */
        char name[TAS_SCREEN_NAME + 1]; /* UTF-8, safe to be shown; "" when there is none that is */
    } list[TAS_SCREEN_MONITORS];
};

/* What the pointer looks like, and where it is. */
struct tas_screen_cursor {
    uint32_t x, y;          /* px, of the hot spot, in the area that is looked at; at its edge when outside */
    uint32_t serial;        /* changes with the image; 0: hidden, or outside: then only x and y count */
    uint16_t width, height; /* px; at most 256 each, larger ones are made smaller */
    uint16_t hot_x, hot_y;
    const uint8_t *rgba; /* width*height*4, premultiplied; borrowed until the next pump */
};

enum tas_screen_news {
    TAS_SCREEN_MOVED = 1, /* the move that was awaited; further ones are not, until they are again */
    TAS_SCREEN_IMAGE = 2, /* the pointer looks different */
};

struct tas_screen_ops {
    const char *name;

    /* Opens the screen, and looks at all of it. `display`: the platform's name for it, NULL the default. The
     * first pump reports all tiles. On Unix SIGPIPE is ignored from then on, if it still had its default
     * action. TAS_E_NOMEM. TAS_E_ABSENT: no such display, or it lacks what we need; `why` (at least 160
     * bytes) then says in words what is missing and what to do. */
    int (*open)(struct tas_screen **out, const char *display, char *why, size_t why_cap);
    void (*close)(struct tas_screen *screen); /* NULL is fine */

    /* Readable when pump() has something to do. Only to be polled. */
    int (*fd)(const struct tas_screen *screen);

    /* Takes in what happened since: sets the changed tiles in `dirty` (which has the size of the picture).
     * Grab after the pump that reported: what is drawn between the two is in the pixels or reported by the
     * next pump. TAS_E_ABSENT: the display went away, or became larger than a picture may be. TAS_E_NOMEM.
     * TAS_E_STATE: the whole screen has another size, and all of it is looked at again, or `dirty` does not
     * have the size: see size(), then make a new `dirty`, all set. */
    int (*pump)(struct tas_screen *screen, struct tas_tiles *dirty);

    /* The monitors as of the last pump. Borrowed until the next one. */
    const struct tas_screen_monitors *(*monitors)(const struct tas_screen *screen);

    /* From now on only this part is looked at (NULL: all): pictures, tiles and the pointer's place are
     * relative to it. As after a new size: make a new `dirty`, all set. On failure all stays as it was:
     * TAS_E_LIMIT: it is empty or not inside the screen; TAS_E_ABSENT, TAS_E_NOMEM. */
    int (*look_at)(struct tas_screen *screen, const struct tas_screen_area *area);

    /* Size now of what is looked at, px. */
    void (*size)(const struct tas_screen *screen, uint32_t *width, uint32_t *height);

    /* Copies the present pixels of `tiles` into `into` (which has the size of what is looked at), top byte 0;
     * other tiles are left alone. TAS_E_STATE: the size has changed meanwhile, as the next pump will tell;
     * `into` may hold some new pixels. TAS_E_ABSENT: the display went away. */
    int (*grab)(struct tas_screen *screen, const struct tas_tiles *tiles, struct tas_picture *into);

    /* The pointer. Position is fresh; the image as of the last pump. TAS_E_ABSENT as above. */
    int (*cursor)(struct tas_screen *screen, struct tas_screen_cursor *out);

    /* The next move of the pointer makes fd() readable, once: ask for its place then, and when it rests,
     * await the next. What programs do with the pointer, and not people, may go unnoticed. TAS_E_ABSENT: the
     * display cannot tell: ask for the place every now and then. */
    int (*await_move)(struct tas_screen *screen);

    /* What the pumps took in since this was asked last: enum tas_screen_news or'ed. */
    unsigned (*pointer_news)(struct tas_screen *screen);
};

/* X11: XCB with SHM (memfd), DAMAGE, XFIXES, RANDR, XInput. */
extern const struct tas_screen_ops tas_screen_x11;
