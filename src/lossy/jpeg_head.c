#include "lossy/jpeg.h"

enum {
    MARK = 0xff, /* stands before the code of a marker */
    SOI = 0xd8,
    APP0 = 0xe0,
    DQT = 0xdb,
    SOF0 = 0xc0,
    DHT = 0xc4,
    SOS = 0xda,

    BLOCK = 64,      /* coefficients of a block of 8x8 */
    LENGTHS = 16,    /* longest Huffman code, bits */
    COMPONENTS = 3,  /* Y, Cb, Cr, numbered from 1 */
    CLASS_AC = 0x10, /* in the byte that names a Huffman table: 0 for DC */
};

/* ITU-T T.81, tables K.1 and K.2. */
static const uint8_t quant_luma[BLOCK] = {
    16, 11, 10, 16, 24,  40,  51,  61,  /* */
    12, 12, 14, 19, 26,  58,  60,  55,  /* */
    14, 13, 16, 24, 40,  57,  69,  56,  /* */
    14, 17, 22, 29, 51,  87,  80,  62,  /* */
    18, 22, 37, 56, 68,  109, 103, 77,  /* */
    24, 35, 55, 64, 81,  104, 113, 92,  /* */
    49, 64, 78, 87, 103, 121, 120, 101, /* */
    72, 92, 95, 98, 112, 100, 103, 99,
};
static const uint8_t quant_chroma[BLOCK] = {
    17, 18, 24, 47, 99, 99, 99, 99, /* */
    18, 21, 26, 66, 99, 99, 99, 99, /* */
    24, 26, 56, 99, 99, 99, 99, 99, /* */
    47, 66, 99, 99, 99, 99, 99, 99, /* */
    99, 99, 99, 99, 99, 99, 99, 99, /* */
    99, 99, 99, 99, 99, 99, 99, 99, /* */
    99, 99, 99, 99, 99, 99, 99, 99, /* */
    99, 99, 99, 99, 99, 99, 99, 99,
};

/* Which coefficient comes when. T.81, figure A.6. */
static const uint8_t zigzag[BLOCK] = {
    0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33, 40, 48,
    41, 34, 27, 20, 13, 6,  7,  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23,
    30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
};

/* A Huffman table: how many codes there are of each length, then their values. T.81, tables K.3 to K.6. */
struct huffman {
    uint8_t lengths[LENGTHS];
    uint8_t count; /* of values */
    const uint8_t *values;
};

static const uint8_t dc_values[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
static const uint8_t ac_luma_values[] = {
    0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61, 0x07, 0x22,
    0x71, 0x14, 0x32, 0x81, 0x91, 0xa1, 0x08, 0x23, 0x42, 0xb1, 0xc1, 0x15, 0x52, 0xd1, 0xf0, 0x24, 0x33,
    0x62, 0x72, 0x82, 0x09, 0x0a, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2a, 0x34,
    0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x53, 0x54, 0x55,
    0x56, 0x57, 0x58, 0x59, 0x5a, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x73, 0x74, 0x75, 0x76,
    0x77, 0x78, 0x79, 0x7a, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x92, 0x93, 0x94, 0x95, 0x96,
    0x97, 0x98, 0x99, 0x9a, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xb2, 0xb3, 0xb4, 0xb5,
    0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xd2, 0xd3, 0xd4,
    0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xe1, 0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xf1,
    0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa,
};
static const uint8_t ac_chroma_values[] = {
    0x00, 0x01, 0x02, 0x03, 0x11, 0x04, 0x05, 0x21, 0x31, 0x06, 0x12, 0x41, 0x51, 0x07, 0x61, 0x71, 0x13,
    0x22, 0x32, 0x81, 0x08, 0x14, 0x42, 0x91, 0xa1, 0xb1, 0xc1, 0x09, 0x23, 0x33, 0x52, 0xf0, 0x15, 0x62,
    0x72, 0xd1, 0x0a, 0x16, 0x24, 0x34, 0xe1, 0x25, 0xf1, 0x17, 0x18, 0x19, 0x1a, 0x26, 0x27, 0x28, 0x29,
    0x2a, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x53, 0x54,
    0x55, 0x56, 0x57, 0x58, 0x59, 0x5a, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x73, 0x74, 0x75,
    0x76, 0x77, 0x78, 0x79, 0x7a, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x92, 0x93, 0x94,
    0x95, 0x96, 0x97, 0x98, 0x99, 0x9a, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xb2, 0xb3,
    0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xd2,
    0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea,
    0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa,
};

static const struct huffman dc_luma = {
    {0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0}, sizeof(dc_values), dc_values};
static const struct huffman dc_chroma = {
    {0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0}, sizeof(dc_values), dc_values};
static const struct huffman ac_luma = {
    {0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 0x7d}, sizeof(ac_luma_values), ac_luma_values};
static const struct huffman ac_chroma = {
    {0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 0x77}, sizeof(ac_chroma_values), ac_chroma_values};

/* `len` bytes follow the marker, which count the two of the length themselves. */
static void write_marker(struct tas_writer *w, uint8_t code, size_t len) {
    tas_write_u8(w, MARK);
    tas_write_u8(w, code);
    tas_write_u16(w, (uint16_t)(len + 2));
}

static void write_jfif(struct tas_writer *w) {
    static const uint8_t body[] = {'J', 'F', 'I', 'F', 0, 1, 1, 0 /* no unit */,
                                   0,   1,   0,   1,   0, 0 /* no thumbnail */};
    tas_write_u8(w, MARK);
    tas_write_u8(w, SOI);
    write_marker(w, APP0, sizeof(body));
    tas_write_bytes(w, body, sizeof(body));
}

/* Per cent by which libjpeg multiplies the tables of Annex K. */
static uint32_t scale_of(uint8_t quality) {
    return quality < 50 ? 5000u / quality : 200u - 2u * quality;
}

static void write_quant(struct tas_writer *w, uint8_t id, const uint8_t table[BLOCK], uint32_t scale) {
    write_marker(w, DQT, 1 + BLOCK);
    tas_write_u8(w, id); /* and 8 bits each */
    for (int i = 0; i < BLOCK; i++) {
        uint32_t step = (table[zigzag[i]] * scale + 50) / 100;
        tas_write_u8(w, (uint8_t)(step < 1 ? 1 : step > 255 ? 255 : step));
    }
}

static void write_frame(struct tas_writer *w, const struct tas_jpeg_shape *shape) {
    write_marker(w, SOF0, 6 + 3 * COMPONENTS);
    tas_write_u8(w, 8); /* bits a sample */
    tas_write_u16(w, (uint16_t)shape->height);
    tas_write_u16(w, (uint16_t)shape->width);
    tas_write_u8(w, COMPONENTS);
    for (uint8_t id = 1; id <= COMPONENTS; id++) {
        tas_write_u8(w, id);
        tas_write_u8(w, id == 1 && !shape->is_full_colour ? 0x22 : 0x11); /* samples across and down */
        tas_write_u8(w, id == 1 ? 0 : 1);                                 /* quantisation table */
    }
}

static void write_huffman(struct tas_writer *w, uint8_t id, const struct huffman *table) {
    write_marker(w, DHT, 1u + LENGTHS + table->count);
    tas_write_u8(w, id);
    tas_write_bytes(w, table->lengths, LENGTHS);
    tas_write_bytes(w, table->values, table->count);
}

static void write_scan(struct tas_writer *w) {
    write_marker(w, SOS, 1 + 2 * COMPONENTS + 3);
    tas_write_u8(w, COMPONENTS);
    for (uint8_t id = 1; id <= COMPONENTS; id++) {
        tas_write_u8(w, id);
        tas_write_u8(w, id == 1 ? 0x00 : 0x11); /* DC and AC tables */
    }
    tas_write_u8(w, 0);         /* from the first coefficient */
    tas_write_u8(w, BLOCK - 1); /* to the last */
    tas_write_u8(w, 0);         /* all their bits */
}

static bool edge_is_valid(uint32_t px) {
    return px > 0 && px % 16 == 0 && px <= TAS_JPEG_EDGE_MAX;
}

int tas_jpeg_head(const struct tas_jpeg_shape *shape, uint8_t out[TAS_JPEG_HEAD_MAX], size_t *len) {
    if (!edge_is_valid(shape->width) || !edge_is_valid(shape->height) || shape->quality < 1 ||
        shape->quality > 100)
        return TAS_E_LIMIT;

    struct tas_writer w = tas_writer_of(out, TAS_JPEG_HEAD_MAX);
    write_jfif(&w);
    write_quant(&w, 0, quant_luma, scale_of(shape->quality));
    write_quant(&w, 1, quant_chroma, scale_of(shape->quality));
    write_frame(&w, shape);
    write_huffman(&w, 0, &dc_luma);
    write_huffman(&w, CLASS_AC, &ac_luma);
    write_huffman(&w, 1, &dc_chroma);
    write_huffman(&w, CLASS_AC | 1, &ac_chroma);
    write_scan(&w);
    *len = w.len;
    return TAS_OK;
}
