/* The screen codec: pictures to bytes and back, pixel-exact. No capture, no display, no clock, no threads.
 * The format stands in docs/codec.md. An encoder and a decoder keep the same adaptive state: a frame can only
 * be decoded after the one that it names as `ref`, unless it resets the state. */
#pragma once

#include "codec/picture.h"

enum {
    TAS_CODEC_VERSION = 1,
    TAS_CODEC_MODEL_BITS = 17, /* log2 of the entries of the large context table that we offer */
    TAS_CODEC_MODEL_BITS_MIN = 12,
    TAS_CODEC_MODEL_BITS_MAX = 18,
    TAS_FRAME_MAX = 4 * 1024 * 1024, /* bytes of one frame; a larger change is split into row bands */
};

/* Flags of a frame. */
enum tas_frame_flag {
    TAS_FRAME_RESET = 1,       /* state and picture start anew: all black */
    TAS_FRAME_RESET_MODEL = 2, /* state starts anew, the picture stays; nothing old is read in the tiles */
    TAS_FRAME_LAST = 4,        /* the picture is whole after this frame (the last of its row bands) */
};

/* The head of every frame (docs/codec.md). */
struct tas_frame_head {
    uint32_t stream;
    uint32_t seq;        /* from 1, one more for each frame */
    uint32_t ref;        /* seq of the frame before in this stream; 0 with RESET */
    uint64_t capture_us; /* clock of the host when the picture was taken; only differences mean something */
    uint8_t flags;
};

/* Reads the head of a frame without decoding the rest. TAS_E_PROTO: too short, unknown flags or impossible
 * numbers. */
TAS_MUST_USE int tas_frame_head_decode(struct tas_frame_head *out, struct tas_bytes frame);

struct tas_encoder;

/* An encoder for pictures of this size. The first frame must be coded with TAS_FRAME_RESET or RESET_MODEL.
 * NULL: no memory, or a size or model_bits beyond the limits. All memory it will ever use is taken here. */
struct tas_encoder *tas_encoder_new(uint32_t width, uint32_t height, uint32_t stream, unsigned model_bits);
void tas_encoder_free(struct tas_encoder *enc); /* wipes; NULL is fine */

/* Codes what of `src` differs from the last picture within `tiles`, and writes at most one frame to `out`.
 * src and tiles must have the encoder's size; the top byte of a pixel may hold anything.
 *
 * tiles: those that are coded, or were found unchanged, are cleared. What did not fit into cap (at least 64
 * KiB) or TAS_FRAME_MAX bytes stays set: call again with flags = 0 for the next row band, until none is set;
 * the frame after which none is set has TAS_FRAME_LAST. Tiles may be added in between, and src may change.
 *
 * flags: 0, or TAS_FRAME_RESET (tiles outside `tiles` become black: set all), or TAS_FRAME_RESET_MODEL (all
 * of `tiles` is coded without reading the last picture there). The encoder itself remembers which tiles of a
 * RESET_MODEL are still due: it adds them to `tiles` in every later call and codes them likewise.
 *
 * *out_len: bytes written; 0 when nothing had changed (then no frame exists and seq stays).
 * TAS_E_LIMIT: not even one row of tiles fits into cap. Nothing is lost: call again with a larger cap.
 * TAS_E_STATE: the stream has used up all numbers; make a new encoder. */
TAS_MUST_USE int tas_encoder_frame(struct tas_encoder *enc, const struct tas_picture *src,
                                   struct tas_tiles *tiles, unsigned flags, uint64_t capture_us, uint8_t *out,
                                   size_t cap, size_t *out_len);

/* seq of the last frame that was coded, 0 before the first. */
uint32_t tas_encoder_seq(const struct tas_encoder *enc);

struct tas_decoder;

/* NULL: no memory, or a size or model_bits beyond the limits. All memory it will ever use is taken here. */
struct tas_decoder *tas_decoder_new(uint32_t width, uint32_t height, unsigned model_bits);
void tas_decoder_free(struct tas_decoder *dec); /* wipes; NULL is fine */

/* Decodes one frame. On success the picture is up to date and `changed` (may be NULL; size of the picture)
 * has the tiles that were painted set in addition to what was set before. TAS_E_STATE: ref is not the last
 * frame decoded here; nothing was changed, ask for a refresh. TAS_E_PROTO / TAS_E_LIMIT: broken stream; the
 * state is undefined until the next RESET or RESET_MODEL frame (until then every other frame gives
 * TAS_E_STATE). Work is bounded by the area of the picture. */
TAS_MUST_USE int tas_decoder_frame(struct tas_decoder *dec, struct tas_bytes frame,
                                   struct tas_tiles *changed);

/* The picture as it is now. Borrowed: good until the next call on dec. */
const struct tas_picture *tas_decoder_picture(const struct tas_decoder *dec);

/* seq of the last frame decoded, 0 before the first. */
uint32_t tas_decoder_seq(const struct tas_decoder *dec);
