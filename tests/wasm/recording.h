/* What a native encoder coded and a native decoder made of it, for a WebAssembly decoder to be compared with.
 * Little-endian: "TSWR", u32 width, height, model bits; then entries: u32 kind, u32 length, that many bytes.
 */
#pragma once

#include "codec/codec.h"

#include <stdio.h>

enum recording_kind {
    RECORDING_ROUGH =
        1, /* what the painter was asked for by the frame that follows: struct recording_rough, pixels */
    RECORDING_FRAME = 2,  /* the frame */
    RECORDING_RESULT = 3, /* what came of it: struct recording_result */
};

struct recording_rough {
    int32_t err;
    uint32_t width, height; /* px; no pixels follow after an error */
};

struct recording_result {
    int32_t err;        /* the rest counts only without one */
    uint32_t sum;       /* recording_sum() of the picture */
    uint32_t exact;     /* the same with all rough pixels alike */
    uint32_t n_rough;   /* rough pixels */
    uint32_t is_final;  /* everything has been refined: the picture is the screen's */
    uint32_t is_broken; /* no encoder wrote this frame so */
};

/* Looks at every pixel of a picture: h = (h ^ pixel) * 0x01000193 from 0x811c9dc5 on, 32 bits. */
void recording_sum(const struct tas_picture *pic, struct recording_result *out);

bool recording_write_head(FILE *file, uint32_t width, uint32_t height, uint32_t model_bits);
bool recording_write(FILE *file, enum recording_kind kind, const void *head, size_t head_len,
                     const void *data, size_t len);

/* All of a file. NULL: it cannot be read. */
uint8_t *recording_load(const char *path, size_t *len);
