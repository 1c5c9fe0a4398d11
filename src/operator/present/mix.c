#include "operator/present/mix_private.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif
#include <string.h>

enum {
    MIDDLE = 128,
    SHIFT = 20, /* what PRESENT_ROWS_ONE * PRESENT_COLUMNS_ONE is a power of */
    HALF = 1 << (SHIFT - 1),
};

/* ---- rows ---- */

/* Sums are right modulo 65536, and what comes out fits: compilers make plain 16-bit vectors of this. */
static void set_one(int16_t *lanes, const uint8_t *a, size_t n) {
    for (size_t i = 0; i < n; i++)
        lanes[i] = (int16_t)((a[i] - MIDDLE) * PRESENT_ROWS_ONE);
}

static void set_two(int16_t *lanes, const uint8_t *a, int16_t wa, const uint8_t *b, int16_t wb, size_t n) {
    for (size_t i = 0; i < n; i++)
        lanes[i] = (int16_t)(a[i] * wa + b[i] * wb - MIDDLE * PRESENT_ROWS_ONE);
}

static void set_four(int16_t *lanes, const uint8_t *a, size_t step, const int16_t *w, size_t n) {
    const uint8_t *b = a + step, *c = b + step, *d = c + step;
    const int16_t wa = w[0], wb = w[1], wc = w[2], wd = w[3];
    for (size_t i = 0; i < n; i++)
        lanes[i] = (int16_t)(a[i] * wa + b[i] * wb + c[i] * wc + d[i] * wd - MIDDLE * PRESENT_ROWS_ONE);
}

static void add_one(int16_t *lanes, const uint8_t *a, int16_t wa, size_t n) {
    for (size_t i = 0; i < n; i++)
        lanes[i] = (int16_t)(lanes[i] + a[i] * wa);
}

static void add_two(int16_t *lanes, const uint8_t *a, int16_t wa, const uint8_t *b, int16_t wb, size_t n) {
    for (size_t i = 0; i < n; i++)
        lanes[i] = (int16_t)(lanes[i] + a[i] * wa + b[i] * wb);
}

void present_mix_rows(int16_t *lanes, const uint8_t *row, size_t step, const int16_t *weights, uint32_t taps,
                      size_t n) {
    uint32_t k = 2;
    for (; taps > 1 && weights[0] == 0; taps--, weights++)
        row += step;
    while (taps > 1 && weights[taps - 1] == 0)
        taps--;
    if (taps == 1) {
        set_one(lanes, row, n);
        return;
    }
    if (taps >= 4) {
        set_four(lanes, row, step, weights, n);
        k = 4;
    } else {
        set_two(lanes, row, weights[0], row + step, weights[1], n);
    }
    for (; k + 1 < taps; k += 2)
        add_two(lanes, row + k * step, weights[k], row + (k + 1) * step, weights[k + 1], n);
    if (k < taps)
        add_one(lanes, row + k * step, weights[k], n);
}

/* ---- columns ---- */

static uint32_t clip(int32_t value) {
    return value < 0 ? 0 : value > 255 ? 255 : (uint32_t)value;
}

void present_mix_columns_plain(uint32_t *out, const int16_t *lanes, const struct present_columns *columns) {
    const int16_t *weights = columns->weights;
    for (uint32_t i = 0; i < columns->count; i++, weights += columns->taps) {
        const int16_t *in = lanes + (size_t)(columns->first[i] - columns->offset) * PRESENT_LANES;
        int32_t sums[PRESENT_LANES] = {HALF, HALF, HALF, HALF};
        for (uint32_t k = 0; k < columns->taps; k++)
            for (uint32_t c = 0; c < PRESENT_LANES; c++)
                sums[c] += in[k * PRESENT_LANES + c] * weights[k];
        uint8_t px[PRESENT_LANES];
        uint32_t value;
        for (uint32_t c = 0; c < PRESENT_LANES; c++)
            px[c] = (uint8_t)clip((sums[c] >> SHIFT) + MIDDLE);
        memcpy(&value, px, sizeof(value));
        out[i] = (value & columns->keep) | columns->top;
    }
}

#ifdef __SSE2__

/* Two px at once: their channels side by side, multiplied and added in pairs. */
static inline __m128i add_pair(__m128i sums, const int16_t *in, const int16_t *weights) {
    int32_t both;
    memcpy(&both, weights, sizeof(both));
    __m128i px = _mm_loadu_si128((const __m128i *)(const void *)in);
    __m128i pairs = _mm_unpacklo_epi16(px, _mm_srli_si128(px, 8));
    return _mm_add_epi32(sums, _mm_madd_epi16(pairs, _mm_set1_epi32(both)));
}

/* taps: known to the compiler in the frequent cases. */
static inline void mix_taps(uint32_t *out, const int16_t *lanes, const struct present_columns *columns,
                            uint32_t taps) {
    const __m128i half = _mm_set1_epi32(HALF), middle = _mm_set1_epi16(MIDDLE);
    const int16_t *weights = columns->weights;
    const uint32_t *first = columns->first;
    const uint32_t keep = columns->keep, top = columns->top;
    for (uint32_t i = 0; i < columns->count; i++, weights += taps) {
        const int16_t *in = lanes + (size_t)(first[i] - columns->offset) * PRESENT_LANES;
        __m128i sums = half;
        for (uint32_t k = 0; k < taps; k += 2)
            sums = add_pair(sums, in + k * PRESENT_LANES, weights + k);
        __m128i px = _mm_packs_epi32(_mm_srai_epi32(sums, SHIFT), _mm_setzero_si128());
        px = _mm_packus_epi16(_mm_add_epi16(px, middle), px);
        out[i] = ((uint32_t)_mm_cvtsi128_si32(px) & keep) | top;
    }
}

void present_mix_columns(uint32_t *out, const int16_t *lanes, const struct present_columns *columns) {
    if (columns->taps == 2)
        mix_taps(out, lanes, columns, 2);
    else if (columns->taps == 4)
        mix_taps(out, lanes, columns, 4);
    else if (columns->taps == 6)
        mix_taps(out, lanes, columns, 6);
    else
        mix_taps(out, lanes, columns, columns->taps);
}

#else

void present_mix_columns(uint32_t *out, const int16_t *lanes, const struct present_columns *columns) {
    present_mix_columns_plain(out, lanes, columns);
}

#endif
