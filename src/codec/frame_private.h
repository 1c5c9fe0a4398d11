/* The head and the tail of a frame: what stands around the range-coded part. docs/codec.md, "Frame". */
#pragma once

#include "codec/codec.h"

enum {
    TAS_FRAME_HEAD_LEN = 17,
    TAS_FRAME_TAIL_LEN = 4, /* the checksum */
};

/* Writes TAS_FRAME_HEAD_LEN bytes. head.ref is 0 with RESET, else head.seq - 1. */
void tas_frame_head_encode(uint8_t *out, const struct tas_frame_head *head);
