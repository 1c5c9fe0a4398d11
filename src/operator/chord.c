#include "operator/chord.h"

#include <string.h>

enum { CTRL_LEFT = 29, CTRL_RIGHT = 97, ALT_LEFT = 56, ALT_RIGHT = 100 }; /* KEY_* of linux/input.h */

bool chord_holds(const struct chord *chord, unsigned code) {
    return code < CHORD_CODES && (chord->held[code / 8] >> (code % 8) & 1);
}

static bool is_nothing_held(const struct chord *chord) {
    for (unsigned i = 0; i < sizeof(chord->held); i++)
        if (chord->held[i])
            return false;
    return true;
}

static bool is_of_way_out(unsigned code) {
    return code == CTRL_LEFT || code == CTRL_RIGHT || code == ALT_LEFT || code == ALT_RIGHT;
}

bool chord_has_ctrl_alt(const struct chord *chord) {
    return (chord_holds(chord, CTRL_LEFT) || chord_holds(chord, CTRL_RIGHT)) &&
           (chord_holds(chord, ALT_LEFT) || chord_holds(chord, ALT_RIGHT));
}

bool chord_press(struct chord *chord, unsigned code) {
    if (code == 0 || code >= CHORD_CODES || chord_holds(chord, code))
        return false;
    chord->held[code / 8] = (uint8_t)(chord->held[code / 8] | 1u << (code % 8));
    if (!is_of_way_out(code))
        chord->is_spoiled = true;
    if (chord_has_ctrl_alt(chord))
        chord->is_armed = true;
    return true;
}

bool chord_release(struct chord *chord, unsigned code, bool *is_out) {
    *is_out = false;
    if (!chord_holds(chord, code))
        return false;
    chord->held[code / 8] = (uint8_t)(chord->held[code / 8] & ~(1u << (code % 8)));
    if (is_nothing_held(chord)) {
        *is_out = chord->is_armed && !chord->is_spoiled;
        chord->is_armed = false;
        chord->is_spoiled = false;
    }
    return true;
}

void chord_forget(struct chord *chord) {
    memset(chord, 0, sizeof(*chord));
}
