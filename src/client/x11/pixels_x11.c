#include "client/x11/pixels_private.h"

#include <string.h>

static bool is_one_run(uint32_t mask) {
    if (mask == 0)
        return false;
    uint32_t low = mask >> __builtin_ctz(mask);
    return (low & (low + 1)) == 0;
}

static bool host_is_msb_first(void) {
    const uint16_t one = 1;
    return *(const uint8_t *)&one == 0;
}

int tas_x11_pixels_check(struct tas_x11_pixels *px) {
    if ((px->bytes != 3 && px->bytes != 4) || px->pad == 0 || !is_one_run(px->red) ||
        !is_one_run(px->green) || !is_one_run(px->blue))
        return TAS_E_ABSENT;
    px->is_plain = px->bytes == 4 && px->is_msb_first == host_is_msb_first() && px->red == 0xff0000 &&
                   px->green == 0xff00 && px->blue == 0xff;
    return TAS_OK;
}

size_t tas_x11_pixels_row(const struct tas_x11_pixels *px, uint32_t width) {
    size_t len = (size_t)width * px->bytes;
    return (len + px->pad - 1) / px->pad * px->pad;
}

/* The channel's value scaled to 0..255. */
static uint32_t channel(uint32_t pixel, uint32_t mask) {
    unsigned shift = (unsigned)__builtin_ctz(mask);
    uint64_t max = mask >> shift;
    uint64_t v = (pixel & mask) >> shift;
    return (uint32_t)((v * 255 + max / 2) / max);
}

static uint32_t load(const struct tas_x11_pixels *px, const uint8_t *in) {
    uint32_t v = 0;
    for (unsigned i = 0; i < px->bytes; i++)
        v = v << 8 | in[px->is_msb_first ? i : px->bytes - 1 - i];
    return v;
}

/* Four at a time, in one pass: a full screen is 8 MB, and -O2 would go one by one. */
typedef uint32_t quad __attribute__((vector_size(16)));

/* Copies all but the top byte, whose value X leaves open. */
static void copy_plain(uint32_t *out, const uint8_t *in, size_t n) {
    const quad mask = {0xffffff, 0xffffff, 0xffffff, 0xffffff};
    size_t i = 0;

    for (; i + 4 <= n; i += 4) {
        quad q;
        memcpy(&q, in + i * 4, sizeof(q));
        q &= mask;
        memcpy(out + i, &q, sizeof(q));
    }
    for (; i < n; i++) {
        memcpy(out + i, in + i * 4, sizeof(*out));
        out[i] &= 0xffffff;
    }
}

void tas_x11_pixels_convert(const struct tas_x11_pixels *px, uint32_t *out, const uint8_t *in, size_t n) {
    if (px->is_plain) {
        copy_plain(out, in, n);
        return;
    }
    for (size_t i = 0; i < n; i++, in += px->bytes) {
        uint32_t v = load(px, in);
        out[i] = channel(v, px->red) << 16 | channel(v, px->green) << 8 | channel(v, px->blue);
    }
}
