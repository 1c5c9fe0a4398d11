#include "codec/frame_private.h"

#include <assert.h>

enum {
    FLAGS = TAS_FRAME_RESET | TAS_FRAME_RESET_MODEL | TAS_FRAME_LAST,
    RESETS = TAS_FRAME_RESET | TAS_FRAME_RESET_MODEL,
    CAPTURE_LEN = 7, /* 2^56 us are 2284 years */
};

void tas_frame_head_encode(uint8_t *out, const struct tas_frame_head *head) {
    struct tas_writer w = tas_writer_of(out, TAS_FRAME_HEAD_LEN);
    bool is_reset = head->flags & TAS_FRAME_RESET;
    assert(head->ref == (is_reset ? 0 : head->seq - 1));
    tas_write_u8(&w, head->flags);
    tas_write_u8(&w, is_reset ? 0 : 1);
    tas_write_u32(&w, head->stream);
    tas_write_u32(&w, head->seq);
    tas_write_uint(&w, head->capture_us, CAPTURE_LEN);
    assert(!w.bad && w.len == TAS_FRAME_HEAD_LEN);
}

int tas_frame_head_decode(struct tas_frame_head *out, struct tas_bytes frame) {
    struct tas_reader r = tas_reader_of(frame);
    struct tas_frame_head head = {.flags = tas_read_u8(&r)};
    uint32_t back = tas_read_u8(&r);
    head.stream = tas_read_u32(&r);
    head.seq = tas_read_u32(&r);
    head.capture_us = tas_read_uint(&r, CAPTURE_LEN);
    if (r.bad || head.flags & ~FLAGS || (head.flags & RESETS) == RESETS || head.seq == 0)
        return TAS_E_PROTO;
    bool is_reset = head.flags & TAS_FRAME_RESET;
    if (is_reset != (back == 0) || back > head.seq)
        return TAS_E_PROTO;
    head.ref = is_reset ? 0 : head.seq - back;
    *out = head;
    return TAS_OK;
}
