/* The loops over pixels of the search for motion: in plain C, and once more for CPUs that have AVX2. Both
 * give the same. Only the lower 24 bits of a pixel count. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct tas_motion_kernels {
    /* How many pixels of two areas (w, h <= 16) differ. */
    unsigned (*count)(const uint32_t *a, size_t a_stride, const uint32_t *b, size_t b_stride, unsigned w,
                      unsigned h);
    /* Adds to wrong[i] how many pixels of the ith of n neighbouring areas of 16 x 4 differ; leaves those
     * alone that are over `most` (at most 100) already. */
    void (*count_strip)(const uint32_t *a, size_t a_stride, const uint32_t *b, size_t b_stride, unsigned n,
                        uint8_t *wrong, uint8_t most);
    /* Which pixels of two areas (w, h <= 16) differ: bit x of masks[y]. */
    void (*masks)(const uint32_t *a, size_t a_stride, const uint32_t *b, size_t b_stride, unsigned w,
                  unsigned h, uint16_t masks[16]);
    /* How many pixels of the rows 0, 2, ... of an area (w, h <= 16) differ from the one below: 0 to 128. */
    unsigned (*texture)(const uint32_t *px, size_t stride, unsigned w, unsigned h);
    /* The places x < n where the pixel differs from the one to its left and a hash of a few pixels around has
     * none of the bits `select`; gives how many. px[-1] to px[n + 14] and the row below can be read;
     * n <= TAS_PICTURE_MAX; places: room for n. */
    unsigned (*anchors)(const uint32_t *px, size_t stride, unsigned n, uint32_t select, uint16_t *places);
};

/* The fastest that this CPU can do. */
const struct tas_motion_kernels *tas_motion_kernels(void);
/* What the others are measured by. */
const struct tas_motion_kernels *tas_motion_kernels_plain(void);
