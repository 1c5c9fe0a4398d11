/* Pictures that look natural to a codec: noise summed over octaves, with edges and a little grain. Include in
 * a test. */
#pragma once

#include <math.h>
#include <stddef.h>
#include <stdint.h>

static inline uint32_t photo_hash(uint32_t x, uint32_t y, uint32_t seed) {
    uint32_t h = x * 0x8da6b343u ^ y * 0xd8163841u ^ seed * 0xcb1ab31fu;
    h = (h ^ h >> 15) * 0x2c1b3c6du;
    h = (h ^ h >> 12) * 0x297a2d39u;
    return h ^ h >> 15;
}

/* -1..1, smooth, with a period of 2^log2 px. */
static inline float photo_noise(uint32_t x, uint32_t y, unsigned log2, uint32_t seed) {
    uint32_t cx = x >> log2, cy = y >> log2, mask = (1u << log2) - 1;
    float fx = (float)(x & mask) / (float)(mask + 1), fy = (float)(y & mask) / (float)(mask + 1), v[4];
    for (uint32_t i = 0; i < 4; i++)
        v[i] = (float)(photo_hash(cx + (i & 1), cy + (i >> 1), seed) & 0xffff) / 32768.0f - 1.0f;
    fx = fx * fx * (3 - 2 * fx);
    fy = fy * fy * (3 - 2 * fy);
    float top = v[0] + (v[1] - v[0]) * fx, bottom = v[2] + (v[3] - v[2]) * fx;
    return top + (bottom - top) * fy;
}

static inline uint32_t photo_byte(float v) {
    return v <= 0 ? 0 : v >= 255 ? 255 : (uint32_t)v;
}

/* The pixel at x, y of an endless picture. */
static inline uint32_t photo_at(uint32_t x, uint32_t y, uint32_t seed) {
    float light = 128, warm = photo_noise(x, y, 7, seed + 100) * 30,
          tint = photo_noise(x, y, 6, seed + 200) * 20;
    for (unsigned log2 = 8, i = 0; log2 >= 1; log2--, i++)
        light += photo_noise(x, y, log2, seed + log2) * 80.0f * powf(0.55f, (float)i);
    if (photo_noise(x, y, 6, seed + 300) > 0.25f) { /* something stands in front */
        light = 235 - light * 0.6f;
        warm = -warm;
    }
    light += (float)(photo_hash(x, y, seed + 400) & 3) - 1.5f; /* grain */
    return photo_byte(light + warm) << 16 | photo_byte(light + tint) << 8 | photo_byte(light - warm);
}

/* Fills width x height pixels with what lies at left, top. */
static inline void photo_fill(uint32_t *px, size_t stride, uint32_t width, uint32_t height, uint32_t left,
                              uint32_t top, uint32_t seed) {
    for (uint32_t y = 0; y < height; y++)
        for (uint32_t x = 0; x < width; x++)
            px[y * stride + x] = photo_at(left + x, top + y, seed);
}

/* Peak signal-to-noise ratio of b against a over the three colours, dB; top bytes do not count. */
static inline double photo_psnr(const uint32_t *a, size_t a_stride, const uint32_t *b, size_t b_stride,
                                uint32_t width, uint32_t height) {
    double sum = 0;
    for (uint32_t y = 0; y < height; y++)
        for (uint32_t x = 0; x < width; x++)
            for (unsigned shift = 0; shift < 24; shift += 8) {
                double d = (double)(a[y * a_stride + x] >> shift & 255) -
                           (double)(b[y * b_stride + x] >> shift & 255);
                sum += d * d;
            }
    double mean = sum / (3.0 * width * height);
    return mean > 0 ? 10 * log10(255.0 * 255.0 / mean) : 99;
}
