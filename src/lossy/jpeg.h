/* Photographs, roughly: JPEG by libjpeg-turbo. On the wire goes only the entropy-coded scan: everything
 * before it (tables, sizes) follows from three numbers, so that it costs nothing and cannot lie.
 * docs/codec.md, "Rough blocks and regions". */
#pragma once

#include "base/bytes.h"
#include "base/err.h"
#include "codec/picture.h"

enum {
    TAS_JPEG_EDGE_MAX = 65024, /* px */
    TAS_JPEG_HEAD_MAX = 1024,  /* most bytes of tas_jpeg_head() */
};

/* What a scan belongs to. */
struct tas_jpeg_shape {
    uint32_t width, height; /* px, multiples of 16, at most TAS_JPEG_EDGE_MAX */
    uint8_t quality;        /* 1..100, as libjpeg counts */
    bool is_full_colour;    /* 4:4:4 instead of 4:2:0 */
};

/* All that stands before the scan in a JPEG file: SOI, JFIF, DQT (Annex K scaled as libjpeg scales), SOF0,
 * DHT (Annex K), SOS; the scan and EOI (ff d9) follow. For decoders that want a whole file, as browsers'.
 * Gives its length; TAS_E_LIMIT: a shape beyond the limits. Pure: needs no library. */
TAS_MUST_USE int tas_jpeg_head(const struct tas_jpeg_shape *shape, uint8_t out[TAS_JPEG_HEAD_MAX],
                               size_t *len);

struct tas_jpeg; /* a coder and a decoder with what they keep between pictures; not thread-safe */

struct tas_jpeg *tas_jpeg_new(void); /* NULL: no memory */
void tas_jpeg_free(struct tas_jpeg *jpeg);

/* Codes `pic` (whose size is the shape's; the top byte of a pixel may be anything) into at most cap bytes.
 * TAS_E_FULL: does not fit. TAS_E_NOMEM. Standard Huffman tables, baseline, sequential. */
TAS_MUST_USE int tas_jpeg_encode(struct tas_jpeg *jpeg, const struct tas_picture *pic,
                                 const struct tas_jpeg_shape *shape, uint8_t *out, size_t cap, size_t *len);

/* Decodes a scan into `pic` (the shape's size; top bytes become 0). Hostile bytes: TAS_E_PROTO, then pic
 * holds anything; time and memory are bounded by the shape. TAS_E_NOMEM. */
TAS_MUST_USE int tas_jpeg_decode(struct tas_jpeg *jpeg, struct tas_bytes scan,
                                 const struct tas_jpeg_shape *shape, const struct tas_picture *pic);
