/* The emergency key: Ctrl+Alt+X on the customer's own keyboard, whatever program has the focus or a grab.
 * Keys that come through XTEST (ours, the operator's) do not count. */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct tas_emergency; /* opened for some platform */

struct tas_emergency_ops {
    const char *name;
    /* TAS_E_ABSENT: cannot be had here, `why` (at least 160 bytes) says it. TAS_E_NOMEM. */
    int (*open)(struct tas_emergency **out, const char *display, char *why, size_t why_cap);
    void (*close)(struct tas_emergency *emergency);   /* NULL is fine */
    int (*fd)(const struct tas_emergency *emergency); /* readable: call pressed(); only to be polled */
    /* Takes in what came; true: it was pressed since. TAS_E_ABSENT is false: the display went away. */
    bool (*pressed)(struct tas_emergency *emergency);
};

/* X11: raw key events of XInput 2, which no other program's grab can keep from us. */
extern const struct tas_emergency_ops tas_emergency_x11;
