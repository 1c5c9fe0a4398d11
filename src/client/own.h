/* Which windows are our own: what the operator's pointer and keys must not reach (he would answer our
 * questions in the customer's place). */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tas_own; /* opened for some platform */

struct tas_own_ops {
    /* window: any window of the program whose windows are meant. TAS_E_ABSENT with `why` (at least 160
     * bytes); TAS_E_NOMEM. */
    int (*open)(struct tas_own **out, const char *display, uint64_t window, char *why, size_t why_cap);
    void (*close)(struct tas_own *own); /* NULL is fine */

    /* Is one of them at px x, y of the screen; would one get what is typed now (also because it is under the
     * pointer, and nothing below it has the focus)? When the display is gone: true. */
    bool (*is_at)(struct tas_own *own, uint32_t x, uint32_t y);
    bool (*has_keyboard)(struct tas_own *own);
};

/* X11: windows belong to who made them: the upper bits of their ids say it. */
extern const struct tas_own_ops tas_own_x11;
