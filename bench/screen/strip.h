/* A number that travels with the picture: a row of black and white cells, large enough to be read through any
 * lossy way. Which frame it is, how many keys had been pressed, and a check. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    STRIP_CELL = 12, /* px */
    STRIP_CELLS = 32,
    STRIP_WIDTH = STRIP_CELL * STRIP_CELLS,
    STRIP_HEIGHT = STRIP_CELL,
    STRIP_FRAMES = 1 << 14, /* numbers start again after so many */
    STRIP_KEYS = 1 << 6,
};

struct strip {
    unsigned frame, keys;
};

/* Rows of `stride` px, from the strip's upper left px on. */
void strip_write(uint32_t *px, size_t stride, struct strip strip);

/* False: no strip, or not a whole one. */
bool strip_read(const uint32_t *px, size_t stride, struct strip *out);
