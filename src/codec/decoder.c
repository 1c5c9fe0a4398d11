#include "codec/canvas_private.h"
#include "codec/codec.h"
#include "codec/frame_private.h"

#include <stdlib.h>

struct tas_decoder {
    struct tas_canvas canvas;
    struct tas_tiles painted; /* by the frame that is being decoded */
    uint32_t stream, seq;
    bool needs_reset;
};

struct tas_decoder *tas_decoder_new(uint32_t width, uint32_t height, unsigned model_bits) {
    if (!tas_picture_size_is_valid(width, height) || model_bits < TAS_CODEC_MODEL_BITS_MIN ||
        model_bits > TAS_CODEC_MODEL_BITS_MAX)
        return NULL;
    struct tas_decoder *dec = calloc(1, sizeof(*dec));
    if (!dec)
        return NULL;
    dec->needs_reset = true;
    if (tas_canvas_init(&dec->canvas, width, height, model_bits) != TAS_OK ||
        tas_tiles_init(&dec->painted, width, height) != TAS_OK) {
        tas_decoder_free(dec);
        return NULL;
    }
    return dec;
}

void tas_decoder_free(struct tas_decoder *dec) {
    if (!dec)
        return;
    tas_canvas_fini(&dec->canvas);
    tas_tiles_fini(&dec->painted);
    free(dec);
}

static bool follows(const struct tas_decoder *dec, const struct tas_frame_head *head) {
    if (head->flags & (TAS_FRAME_RESET | TAS_FRAME_RESET_MODEL))
        return true;
    return !dec->needs_reset && head->stream == dec->stream && head->ref == dec->seq;
}

static void start_anew(struct tas_decoder *dec, const struct tas_frame_head *head) {
    if (!(head->flags & (TAS_FRAME_RESET | TAS_FRAME_RESET_MODEL)))
        return;
    tas_model_reset(dec->canvas.model);
    if (head->flags & TAS_FRAME_RESET) {
        tas_canvas_blacken(&dec->canvas);
        tas_tiles_set_all(&dec->painted);
    }
}

static void note_painted(struct tas_decoder *dec, uint32_t ty) {
    for (uint32_t tx = 0; tx < dec->canvas.tiles_across; tx++)
        if (dec->canvas.tiles[tx] != TAS_TILE_SAME)
            tas_tiles_set(&dec->painted, tx, ty);
}

/* `body` is the range-coded part and the checksum, of which the coder reads ahead into the first TAS_RC_TAIL
 * bytes. */
static int decode_body(struct tas_decoder *dec, struct tas_bytes body) {
    size_t coded_len = body.len - TAS_FRAME_TAIL_LEN;
    struct tas_reader tail = tas_reader_of(tas_bytes_of(body.ptr + coded_len, TAS_FRAME_TAIL_LEN));
    uint32_t sum = tas_read_u32(&tail);

    struct tas_rc rc = tas_rc_decoder_of(tas_bytes_of(body.ptr, coded_len + TAS_RC_TAIL));
    tas_canvas_begin(&dec->canvas);
    for (uint32_t ty = 0; ty < dec->canvas.tiles_down && !rc.bad; ty++) {
        tas_canvas_next_row(&dec->canvas);
        tas_canvas_decode_row(&dec->canvas, &rc, ty);
        note_painted(dec, ty);
    }
    bool is_whole = !rc.bad && rc.in.len == 0;
    return is_whole && tas_canvas_sum(&dec->canvas) == sum ? TAS_OK : TAS_E_PROTO;
}

static int decode(struct tas_decoder *dec, struct tas_bytes frame) {
    struct tas_frame_head head;
    if (frame.len > TAS_FRAME_MAX)
        return TAS_E_LIMIT;
    int err = tas_frame_head_decode(&head, frame);
    if (err != TAS_OK)
        return err;
    if (!follows(dec, &head))
        return TAS_E_STATE;
    if (frame.len < TAS_FRAME_HEAD_LEN + TAS_FRAME_TAIL_LEN)
        return TAS_E_PROTO;

    tas_tiles_clear(&dec->painted);
    start_anew(dec, &head);
    err = decode_body(dec, tas_bytes_of(frame.ptr + TAS_FRAME_HEAD_LEN, frame.len - TAS_FRAME_HEAD_LEN));
    if (err != TAS_OK)
        return err;
    dec->stream = head.stream;
    dec->seq = head.seq;
    dec->needs_reset = false;
    return TAS_OK;
}

int tas_decoder_frame(struct tas_decoder *dec, struct tas_bytes frame, struct tas_tiles *changed) {
    int err = decode(dec, frame);
    if (err == TAS_OK && changed)
        tas_tiles_merge(changed, &dec->painted);
    if (err != TAS_OK && err != TAS_E_STATE)
        dec->needs_reset = true;
    return err;
}

const struct tas_picture *tas_decoder_picture(const struct tas_decoder *dec) {
    return &dec->canvas.pic;
}

uint32_t tas_decoder_seq(const struct tas_decoder *dec) {
    return dec->seq;
}
