#include "codec/motion_kernels_private.h"

#include <stdbool.h>

#define RGB 0xffffffu

/* Each with eight zero bits at the end: what stands in the top byte of a pixel does not reach the hash. */
#define HASH_0 (0x9e3779b1u << 8)
#define HASH_1 (0x85ebca6bu << 8)
#define HASH_2 (0xc2b2ae35u << 8)
#define HASH_3 (0x27d4eb2fu << 8)
#define HASH_4 (0x165667b1u << 8)

enum { TAP_1 = 1, TAP_2 = 3, TAP_3 = 6, TAP_BELOW = 2, STRIP = 4 /* rows */ };

static bool differs(uint32_t a, uint32_t b) {
    return ((a ^ b) & RGB) != 0;
}

static unsigned plain_count(const uint32_t *a, size_t a_stride, const uint32_t *b, size_t b_stride,
                            unsigned w, unsigned h) {
    unsigned count = 0;
    for (unsigned y = 0; y < h; y++, a += a_stride, b += b_stride)
        for (unsigned x = 0; x < w; x++)
            count += differs(a[x], b[x]);
    return count;
}

static void plain_count_strip(const uint32_t *a, size_t a_stride, const uint32_t *b, size_t b_stride,
                              unsigned n, uint8_t *wrong, uint8_t most) {
    for (unsigned i = 0; i < n; i++, a += 16, b += 16)
        if (wrong[i] <= most)
            wrong[i] = (uint8_t)(wrong[i] + plain_count(a, a_stride, b, b_stride, 16, STRIP));
}

static void plain_masks(const uint32_t *a, size_t a_stride, const uint32_t *b, size_t b_stride, unsigned w,
                        unsigned h, uint16_t masks[16]) {
    for (unsigned y = 0; y < h; y++, a += a_stride, b += b_stride) {
        unsigned mask = 0;
        for (unsigned x = 0; x < w; x++)
            mask |= (unsigned)differs(a[x], b[x]) << x;
        masks[y] = (uint16_t)mask;
    }
}

static unsigned plain_texture(const uint32_t *px, size_t stride, unsigned w, unsigned h) {
    unsigned count = 0;
    for (unsigned y = 0; y + 1 < h; y += 2, px += 2 * stride)
        for (unsigned x = 0; x < w; x++)
            count += differs(px[x], px[stride + x]);
    return count;
}

static unsigned plain_anchors(const uint32_t *px, size_t stride, unsigned n, uint32_t select,
                              uint16_t *places) {
    unsigned count = 0;
    for (unsigned x = 0; x < n; x++) {
        const uint32_t *p = px + x;
        if (!differs(p[0], p[-1]))
            continue;
        uint32_t hash = p[0] * HASH_0 + p[TAP_1] * HASH_1 + p[TAP_2] * HASH_2 + p[TAP_3] * HASH_3 +
                        p[stride + TAP_BELOW] * HASH_4;
        if (!(hash & select))
            places[count++] = (uint16_t)x;
    }
    return count;
}

static const struct tas_motion_kernels plain = {
    .count = plain_count,
    .count_strip = plain_count_strip,
    .masks = plain_masks,
    .texture = plain_texture,
    .anchors = plain_anchors,
};

const struct tas_motion_kernels *tas_motion_kernels_plain(void) {
    return &plain;
}

#ifdef __x86_64__

#include <immintrin.h>

#define AVX2   __attribute__((target("avx2,popcnt")))
#define INLINE static inline __attribute__((always_inline)) AVX2

INLINE __m256i load(const uint32_t *px) {
    return _mm256_loadu_si256((const __m256i *)(const void *)px);
}

INLINE __m256i differing(const uint32_t *a, const uint32_t *b) {
    return _mm256_xor_si256(load(a), load(b));
}

INLINE __m256i rgb_of(__m256i px) {
    return _mm256_and_si256(px, _mm256_set1_epi32((int)RGB));
}

/* Bit x: this one of eight pixels is the same. */
INLINE unsigned same_mask(const uint32_t *a, const uint32_t *b) {
    __m256i same = _mm256_cmpeq_epi32(rgb_of(differing(a, b)), _mm256_setzero_si256());
    return (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(same));
}

/* Bit x: this one of sixteen pixels differs. */
INLINE unsigned mask_16(const uint32_t *a, const uint32_t *b) {
    return (same_mask(a, b) | same_mask(a + 8, b + 8) << 8) ^ 0xffff;
}

INLINE __m256i differing_16(const uint32_t *a, const uint32_t *b) {
    return _mm256_or_si256(differing(a, b), differing(a + 8, b + 8));
}

INLINE bool area_is_same(const uint32_t *a, size_t a_stride, const uint32_t *b, size_t b_stride) {
    __m256i upper = _mm256_or_si256(differing_16(a, b), differing_16(a + a_stride, b + b_stride));
    __m256i lower = _mm256_or_si256(differing_16(a + 2 * a_stride, b + 2 * b_stride),
                                    differing_16(a + 3 * a_stride, b + 3 * b_stride));
    return _mm256_testz_si256(_mm256_or_si256(upper, lower), _mm256_set1_epi32((int)RGB));
}

AVX2 static unsigned avx2_count(const uint32_t *a, size_t a_stride, const uint32_t *b, size_t b_stride,
                                unsigned w, unsigned h) {
    if (w != 16)
        return plain_count(a, a_stride, b, b_stride, w, h);
    unsigned count = 0;
    for (unsigned y = 0; y < h; y++, a += a_stride, b += b_stride)
        count += (unsigned)_mm_popcnt_u32(mask_16(a, b));
    return count;
}

AVX2 static void avx2_count_strip(const uint32_t *a, size_t a_stride, const uint32_t *b, size_t b_stride,
                                  unsigned n, uint8_t *wrong, uint8_t most) {
    for (unsigned i = 0; i < n; i++, a += 16, b += 16)
        if (wrong[i] <= most && !area_is_same(a, a_stride, b, b_stride))
            wrong[i] = (uint8_t)(wrong[i] + avx2_count(a, a_stride, b, b_stride, 16, STRIP));
}

AVX2 static void avx2_masks(const uint32_t *a, size_t a_stride, const uint32_t *b, size_t b_stride,
                            unsigned w, unsigned h, uint16_t masks[16]) {
    if (w != 16) {
        plain_masks(a, a_stride, b, b_stride, w, h, masks);
        return;
    }
    for (unsigned y = 0; y < h; y++, a += a_stride, b += b_stride)
        masks[y] = (uint16_t)mask_16(a, b);
}

AVX2 static unsigned avx2_texture(const uint32_t *px, size_t stride, unsigned w, unsigned h) {
    if (w != 16)
        return plain_texture(px, stride, w, h);
    unsigned count = 0;
    for (unsigned y = 0; y + 1 < h; y += 2, px += 2 * stride)
        count += (unsigned)_mm_popcnt_u32(mask_16(px, px + stride));
    return count;
}

INLINE __m256i times(const uint32_t *px, uint32_t by) {
    return _mm256_mullo_epi32(load(px), _mm256_set1_epi32((int)by));
}

INLINE unsigned selected_mask(const uint32_t *px, size_t stride, uint32_t select) {
    __m256i hash = _mm256_add_epi32(times(px, HASH_0), times(px + TAP_1, HASH_1));
    hash = _mm256_add_epi32(hash, _mm256_add_epi32(times(px + TAP_2, HASH_2), times(px + TAP_3, HASH_3)));
    hash = _mm256_add_epi32(hash, times(px + stride + TAP_BELOW, HASH_4));
    hash = _mm256_and_si256(hash, _mm256_set1_epi32((int)select));
    __m256i selected = _mm256_cmpeq_epi32(hash, _mm256_setzero_si256());
    return (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(selected));
}

AVX2 static unsigned avx2_anchors(const uint32_t *px, size_t stride, unsigned n, uint32_t select,
                                  uint16_t *places) {
    unsigned count = 0, x = 0;
    for (; x + 8 <= n; x += 8) {
        unsigned mask = same_mask(px + x, px + x - 1) ^ 0xff;
        if (mask == 0)
            continue;
        for (mask &= selected_mask(px + x, stride, select); mask; mask &= mask - 1)
            places[count++] = (uint16_t)(x + (unsigned)__builtin_ctz(mask));
    }
    unsigned rest = plain_anchors(px + x, stride, n - x, select, places + count);
    for (unsigned i = 0; i < rest; i++)
        places[count + i] = (uint16_t)(places[count + i] + x);
    return count + rest;
}

static const struct tas_motion_kernels avx2 = {
    .count = avx2_count,
    .count_strip = avx2_count_strip,
    .masks = avx2_masks,
    .texture = avx2_texture,
    .anchors = avx2_anchors,
};

const struct tas_motion_kernels *tas_motion_kernels(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt") ? &avx2 : &plain;
}

#else

const struct tas_motion_kernels *tas_motion_kernels(void) {
    return &plain;
}

#endif
