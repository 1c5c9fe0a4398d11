/* What the pixels of an X visual look like in memory, and turning them into ours. Pure. */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tas_x11_pixels {
    uint32_t red, green, blue; /* masks */
    unsigned bytes;            /* of one pixel: 3 or 4 */
    unsigned pad;              /* bytes; a row's length is a multiple of it */
    bool is_msb_first;
    bool is_plain; /* in memory as ours but for the top byte */
};

/* Completes `is_plain` and checks: TAS_E_ABSENT when pixels are not 3 or 4 bytes or a mask is not one run of
 * bits. */
TAS_MUST_USE int tas_x11_pixels_check(struct tas_x11_pixels *px);

/* Bytes from one row of `width` pixels to the next. */
size_t tas_x11_pixels_row(const struct tas_x11_pixels *px, uint32_t width);

/* `n` pixels of one row. */
void tas_x11_pixels_convert(const struct tas_x11_pixels *px, uint32_t *out, const uint8_t *in, size_t n);
