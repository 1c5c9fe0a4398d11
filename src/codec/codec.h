/* The screen codec: pictures to bytes and back. No capture, no display, no clock, no threads.
 * The format stands in docs/codec.md. An encoder and a decoder keep the same adaptive state: a frame can only
 * be decoded after the one before it, unless it resets the state.
 *
 * What is text or drawing is exact at once. Photographs and moving pictures may first be sent roughly (JPEG,
 * VP8, VP9) and are made exact later (tas_encoder_refine()); their pixels carry TAS_ROUGH until then. */
#pragma once

#include "codec/picture.h"
#include "codec/rough.h"

enum {
    TAS_CODEC_VERSION = 2,
    TAS_CODEC_MODEL_BITS = 17, /* log2 of the entries of the large context table that we offer */
    TAS_CODEC_MODEL_BITS_MIN = 12,
    TAS_CODEC_MODEL_BITS_MAX = 18,
    TAS_FRAME_MAX = 4 * 1024 * 1024, /* bytes of one frame; a larger change is split into row bands */
    TAS_FRAME_CAP_MIN = 64 * 1024,   /* least room that an encoder must be given */
};

/* Flags of a frame. */
enum tas_frame_flag {
    TAS_FRAME_RESET = 1,       /* state and picture start anew: all black */
    TAS_FRAME_RESET_MODEL = 2, /* state starts anew, the picture stays; nothing old is read in the tiles */
    TAS_FRAME_LAST = 4,        /* the picture is whole after this frame (the last of its row bands) */
    TAS_FRAME_ROUGH = 8,       /* sections with rough pixels follow the coded part */
    TAS_FRAME_QUICK = 16,      /* colours are coded quickly, at the cost of bytes */
};

/* The head of every frame (docs/codec.md). */
struct tas_frame_head {
    uint8_t flags;
    bool is_start; /* RESET or RESET_MODEL: stream and seq are whole. Else only their lower 8 and 16 bits */
    uint32_t stream;
    uint32_t seq;        /* from 1, one more for each frame */
    uint32_t capture_us; /* lower 32 bits of the host's clock when the picture was taken */
    uint32_t sections_len;
};

/* Reads the head of a frame without decoding the rest. TAS_E_PROTO: too short, unknown flags or impossible
 * numbers. */
TAS_MUST_USE int tas_frame_head_decode(struct tas_frame_head *out, struct tas_bytes frame);

/* ---- encoder ---- */

struct tas_encoder;

struct tas_encoder_config {
    uint32_t width, height; /* px */
    uint32_t stream;
    unsigned model_bits;
    const struct tas_rough_coder *rough; /* borrowed; NULL: everything is exact at once */
    uint8_t forced; /* for tests and measuring: every changed block is coded so (docs/codec.md, "The coded
                     * part"); 0: the encoder chooses */
};

/* The first frame must be coded with TAS_FRAME_RESET or RESET_MODEL. NULL: no memory, or a size or model_bits
 * beyond the limits. All memory it will ever use is taken here, but for video coders. */
struct tas_encoder *tas_encoder_new(const struct tas_encoder_config *config);
void tas_encoder_free(struct tas_encoder *enc); /* wipes; NULL is fine */

/* What a frame may hold. Zeroes: all that has changed, exactly. */
struct tas_frame_order {
    unsigned flags;      /* 0, TAS_FRAME_RESET or TAS_FRAME_RESET_MODEL */
    uint64_t capture_us; /* any clock that does not go back */

    /* After about so many no further row of tiles is begun. 0: no limit. */
    size_t bytes;
    uint32_t pixels; /* coded ones: work, some 10 to 50 ns each */

    uint32_t focus_y;    /* px: when not all fits, rows near this one come first */
    uint8_t quality;     /* of photographs, 1..100 as JPEG counts; 0: exact */
    bool is_full_colour; /* rough ones in 4:4:4 */
    bool is_text_only;   /* photographs that would take half of `bytes` wait: their tiles stay set */
    uint32_t video_bps;  /* for moving regions, bits per second; 0: none is opened, and open ones close */
};

/* Codes what of `src` differs from the last picture within `tiles`, and writes at most one frame to `out`.
 * src and tiles must have the encoder's size; the top byte of src's pixels is 0.
 *
 * tiles: those that are coded, or were found unchanged, are cleared. What did not fit into the order, into
 * cap (at least TAS_FRAME_CAP_MIN) or TAS_FRAME_MAX bytes stays set: call again with flags = 0, until none is
 * set; the frame after which none is set has TAS_FRAME_LAST (none has, when what was left turns out
 * unchanged). Tiles may be added in between, and src may change.
 *
 * flags: TAS_FRAME_RESET: tiles outside `tiles` become black: set all. TAS_FRAME_RESET_MODEL: all of `tiles`
 * is coded without reading the last picture there. The encoder itself remembers which tiles of a RESET_MODEL
 * are still due: it adds them to `tiles` in every later call and codes them likewise.
 *
 * *out_len: bytes written; 0 when nothing had changed (then no frame exists and seq stays).
 * TAS_E_LIMIT: not even one row of tiles fits into cap. Nothing is lost: call again with a larger cap.
 * TAS_E_STATE: the stream has used up all numbers; make a new encoder. TAS_E_NOMEM: a coder of rough pictures
 * has none; nothing is lost. */
TAS_MUST_USE int tas_encoder_frame(struct tas_encoder *enc, const struct tas_picture *src,
                                   struct tas_tiles *tiles, const struct tas_frame_order *order, uint8_t *out,
                                   size_t cap, size_t *out_len);

/* Codes rough pixels again, which have not changed since still_us: exactly when order->quality is 0, else
 * those that were coded with a lower quality. Nothing new is looked at. flags must be 0; the rest as above.
 */
TAS_MUST_USE int tas_encoder_refine(struct tas_encoder *enc, uint64_t still_us,
                                    const struct tas_frame_order *order, uint8_t *out, size_t cap,
                                    size_t *out_len);

/* When the rough tile that has been still for the longest time last changed; a film counts from its end on,
 * which may be in the future. UINT64_MAX: all is exact. quality: as in the order of tas_encoder_refine(). */
uint64_t tas_encoder_rough_since_us(const struct tas_encoder *enc, uint8_t quality);

/* Pixels in tiles that hold rough ones. */
uint64_t tas_encoder_rough_px(const struct tas_encoder *enc);

/* The tiles that hold rough pixels; those of which we do not know what the decoder shows, which the next
 * frame will code. Borrowed until the next call. */
const struct tas_tiles *tas_encoder_rough(const struct tas_encoder *enc);
const struct tas_tiles *tas_encoder_unknown(const struct tas_encoder *enc);

/* Pixels that the last frame took work for, as tas_frame_order.pixels counts. */
uint32_t tas_encoder_pixels(const struct tas_encoder *enc);

/* The tiles that the last frame painted. Borrowed until the next call. */
const struct tas_tiles *tas_encoder_painted(const struct tas_encoder *enc);

/* What the decoder has after the last frame; rough pixels with their true colour. Borrowed likewise. */
const struct tas_picture *tas_encoder_picture(const struct tas_encoder *enc);

/* seq of the last frame that was coded, 0 before the first. */
uint32_t tas_encoder_seq(const struct tas_encoder *enc);

/* ---- decoder ---- */

struct tas_decoder;

struct tas_decoder_config {
    uint32_t width, height; /* px */
    unsigned model_bits;
    const struct tas_painter
        *painter; /* borrowed; NULL: frames with rough pixels are refused (TAS_E_ABSENT) */
};

/* NULL: no memory, or a size or model_bits beyond the limits. All memory it will ever use is taken here, but
 * for the painter's. */
struct tas_decoder *tas_decoder_new(const struct tas_decoder_config *config);
void tas_decoder_free(struct tas_decoder *dec); /* wipes; NULL is fine */

/* Decodes one frame. On success the picture is up to date and `changed` (may be NULL; size of the picture)
 * has the tiles that were painted set in addition to what was set before. TAS_E_STATE: it does not follow the
 * last frame decoded here; nothing was changed, ask for a refresh. TAS_E_PROTO / TAS_E_LIMIT / TAS_E_ABSENT:
 * broken stream; the state is undefined until the next RESET or RESET_MODEL frame (until then every other
 * frame gives TAS_E_STATE). TAS_E_NOMEM: the painter's, likewise. Work is bounded by the area of the picture.
 */
TAS_MUST_USE int tas_decoder_frame(struct tas_decoder *dec, struct tas_bytes frame,
                                   struct tas_tiles *changed);

/* The picture as it is now. Borrowed: good until the next call on dec. */
const struct tas_picture *tas_decoder_picture(const struct tas_decoder *dec);

/* seq of the last frame decoded, 0 before the first. */
uint32_t tas_decoder_seq(const struct tas_decoder *dec);

/* What the frames decoded so far were made of. */
struct tas_decoder_figures {
    uint32_t frames, moves, kept, cached; /* moves; tiles put into the cache; tiles painted from it */
    uint32_t ctx, lit, temp, rough;       /* blocks */
    uint32_t jpegs, chunks;               /* sections */
    uint32_t rough_tiles;                 /* now */
};
void tas_decoder_figures(const struct tas_decoder *dec, struct tas_decoder_figures *out);
