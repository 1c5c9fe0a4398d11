/* A scan and its shape. Laws: it is decoded or refused, nothing outside the picture is touched, no top byte
 * is set, and what comes out is the same whatever the decoder did before. */
#include "lossy/jpeg.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum {
    EDGE_MAX = 8, /* in steps of 16 px */
    BORDER = 3,   /* px, at the right */
    UNTOUCHED = 0x12345678,
};

static int decode(struct tas_jpeg *jpeg, struct tas_bytes scan, const struct tas_jpeg_shape *shape,
                  uint32_t *px) {
    struct tas_picture pic = {px, shape->width, shape->height, shape->width + BORDER};
    for (size_t i = 0; i < (size_t)pic.stride * pic.height; i++)
        px[i] = UNTOUCHED;
    int err = tas_jpeg_decode(jpeg, scan, shape, &pic);
    for (size_t i = 0; i < (size_t)pic.stride * pic.height; i++)
        assert(i % pic.stride < pic.width ? err || px[i] >> 24 == 0 : px[i] == UNTOUCHED);
    return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct tas_reader r = tas_reader_of(tas_bytes_of(data, len));
    struct tas_jpeg_shape shape = {.width = (tas_read_u8(&r) % EDGE_MAX + 1u) * 16,
                                   .height = (tas_read_u8(&r) % EDGE_MAX + 1u) * 16};
    shape.quality = tas_read_u8(&r);
    shape.is_full_colour = tas_read_u8(&r) & 1;

    size_t size = ((size_t)shape.width + BORDER) * shape.height * sizeof(uint32_t);
    uint32_t *first = malloc(size), *second = malloc(size);
    struct tas_jpeg *jpeg = tas_jpeg_new();
    assert(first && second && jpeg);
    int err = decode(jpeg, r.in, &shape, first);
    assert(err == TAS_OK || err == TAS_E_PROTO ||
           (err == TAS_E_LIMIT && (shape.quality < 1 || shape.quality > 100)));
    assert(decode(jpeg, r.in, &shape, second) == err);
    assert(err || memcmp(first, second, size) == 0);
    tas_jpeg_free(jpeg);
    free(first);
    free(second);
    return 0;
}
