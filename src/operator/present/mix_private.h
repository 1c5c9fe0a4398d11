/* The arithmetic of scaling: rows to one row, and px to one px. The weights of a px have a fixed sum, and may
 * be negative; what is made is rounded and clipped. Between the two a px has LANES numbers of 16 bits: a
 * channel's value - 128, times PRESENT_ROWS_ONE. No weights may add up, without their signs, to more than 1.9
 * times the sum. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
    PRESENT_LANES = 4,         /* channels of a px */
    PRESENT_ROWS_ONE = 128,    /* the sum of the weights of a row */
    PRESENT_COLUMNS_ONE = 8192 /* of a px */
};

/* `taps` rows, one each `step` bytes, of n channels. */
void present_mix_rows(int16_t *lanes, const uint8_t *row, size_t step, const int16_t *weights, uint32_t taps,
                      size_t n);

/* How px are made of lanes: px i of the `taps` px from first[i] - offset on, weighed with weights[i * taps]
 * and the next. taps is even; what weighs nothing must be memory all the same. */
struct present_columns {
    const uint32_t *first;
    const int16_t *weights;
    uint32_t taps, offset, count;
    uint32_t keep, top; /* each px made is px & keep | top */
};

void present_mix_columns(uint32_t *out, const int16_t *lanes, const struct present_columns *columns);

/* The same without vectors. */
void present_mix_columns_plain(uint32_t *out, const int16_t *lanes, const struct present_columns *columns);
