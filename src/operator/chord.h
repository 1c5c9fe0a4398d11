/* Which keys are held, and whether Ctrl and Alt were pressed and released with nothing else: the way out.
 * Codes of evdev. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { CHORD_CODES = 256 }; /* X11 knows no more than 248 */

struct chord {
    uint8_t held[CHORD_CODES / 8];
    bool is_armed;   /* Ctrl and Alt are, or were just, down together */
    bool is_spoiled; /* by another key, until all are released */
};

/* False: it is held already (the far end repeats by itself), or not a key of ours. */
bool chord_press(struct chord *chord, unsigned code);

/* False: it was not held. *is_out: this was the last release of Ctrl+Alt. */
bool chord_release(struct chord *chord, unsigned code, bool *is_out);

bool chord_holds(const struct chord *chord, unsigned code);
bool chord_has_ctrl_alt(const struct chord *chord);
void chord_forget(struct chord *chord);
