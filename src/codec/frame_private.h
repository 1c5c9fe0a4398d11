/* The head and the tail of a frame, and the sections between: what stands around the range-coded part.
 * docs/codec.md, "Frame". */
#pragma once

#include "base/buf.h"
#include "codec/codec.h"

enum {
    TAS_FRAME_HEAD_LEN = 8,     /* of a frame that follows another one */
    TAS_FRAME_START_LEN = 13,   /* of one with a reset */
    TAS_FRAME_SECTIONS_LEN = 3, /* more with TAS_FRAME_ROUGH */
    TAS_FRAME_TAIL_LEN = 2,     /* the checksum */
};

/* What a section holds. */
enum tas_section_kind {
    TAS_SECTION_JPEG = 1,  /* u8 quality, u8 is_full_colour, u24 length, scan: of all rough blocks */
    TAS_SECTION_VIDEO = 2, /* u8 id, u8 codec, u8 is_start, u16 x, y, width, height, u24 length, chunk */
    TAS_SECTION_CLOSE = 3, /* u8 id: the region is no more */
};

enum {
    TAS_SECTION_JPEG_LEN = 6,   /* before the scan */
    TAS_SECTION_VIDEO_LEN = 15, /* before the chunk */
    TAS_SECTION_CLOSE_LEN = 2,
};

struct tas_section {
    enum tas_section_kind kind;
    uint8_t quality;
    bool is_full_colour;
    struct tas_rough_region region; /* px and stride are not set */
    struct tas_bytes data;
};

/* Bytes of a head with these flags. */
size_t tas_frame_head_len(unsigned flags);
/* Writes as many. */
void tas_frame_head_encode(uint8_t *out, const struct tas_frame_head *head);

/* The head of a section, before its data. */
void tas_section_encode(struct tas_writer *w, const struct tas_section *section, size_t data_len);
/* The next section from r, data included. TAS_E_PROTO. */
TAS_MUST_USE int tas_section_decode(struct tas_reader *r, struct tas_section *out);
