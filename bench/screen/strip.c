#include "strip.h"

enum { START = 0x9, DARK = 80, LIGHT = 176, MARGIN = 4 };

/* 4 bits that are always the same, 14 for the frame, 6 for the keys, 8 to check them. */
static uint32_t word_of(struct strip strip) {
    uint32_t value = (strip.frame % STRIP_FRAMES) << 6 | strip.keys % STRIP_KEYS;
    uint32_t check = (value * 2654435761u) >> 24;
    return (uint32_t)START << 28 | value << 8 | check;
}

void strip_write(uint32_t *px, size_t stride, struct strip strip) {
    uint32_t word = word_of(strip);
    for (size_t y = 0; y < STRIP_HEIGHT; y++)
        for (size_t x = 0; x < STRIP_WIDTH; x++)
            px[y * stride + x] = word >> (31 - x / STRIP_CELL) & 1 ? 0xffffff : 0;
}

static uint32_t green(uint32_t px) {
    return px >> 8 & 255;
}

/* The mean of its middle: what a codec does at the edges does not count. */
static uint32_t cell_mean(const uint32_t *px, size_t stride) {
    uint32_t sum = 0, n = 0;
    for (size_t y = MARGIN; y < STRIP_CELL - MARGIN; y++)
        for (size_t x = MARGIN; x < STRIP_CELL - MARGIN; x++, n++)
            sum += green(px[y * stride + x]);
    return sum / n;
}

bool strip_read(const uint32_t *px, size_t stride, struct strip *out) {
    uint32_t word = 0;
    for (size_t i = 0; i < STRIP_CELLS; i++) {
        uint32_t mean = cell_mean(px + i * STRIP_CELL, stride);
        if (mean > DARK && mean < LIGHT)
            return false;
        word = word << 1 | (mean >= LIGHT);
    }
    struct strip strip = {.frame = word >> 14 & (STRIP_FRAMES - 1), .keys = word >> 8 & (STRIP_KEYS - 1)};
    if (word != word_of(strip))
        return false;
    *out = strip;
    return true;
}
