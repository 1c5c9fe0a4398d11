/* The pixels around the one to code, and sums of their bytes. docs/codec.md, "Pixel model". */
#pragma once

#include "codec/model_private.h"

/* The compass points, two steps where the letter is doubled. */
struct tas_around {
    uint32_t w, n, nw, ne, ww, nn, nee;
};

TAS_INLINE struct tas_around tas_around_of(const struct tas_span *span, uint32_t x) {
    const uint32_t *here = span->row + x, *up = span->up + x, *up2 = span->up2 + x;
    return (struct tas_around){
        .w = here[-1], .n = up[0], .nw = up[-1], .ne = up[1], .ww = here[-2], .nn = up2[0], .nee = up[2]};
}

TAS_INLINE bool tas_is_rough(uint32_t px) {
    return px >> 31;
}

/* a - b, each byte for itself, modulo 256. */
TAS_INLINE uint32_t tas_bytes_less(uint32_t a, uint32_t b) {
    return ((a | 0x80808080u) - (b & 0x7f7f7f7fu)) ^ ((a ^ ~b) & 0x80808080u);
}

TAS_INLINE uint32_t tas_bytes_plus(uint32_t a, uint32_t b) {
    return ((a & 0x7f7f7f7fu) + (b & 0x7f7f7f7fu)) ^ ((a ^ b) & 0x80808080u);
}
