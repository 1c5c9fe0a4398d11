#include "lossy/video_private.h"

enum {
    VP8_TAG = 3,      /* bytes before everything else */
    VP8_KEY_HEAD = 7, /* bytes after it in a key: a start code, width, height */
    VP8_VERSION_MAX = 3,

    VP9_SYNC = 0x498342,
    VP9_RGB = 7,  /* a colour space */
    VP9_REFS = 3, /* pictures that another is made from */
};

/* RFC 6386, section 9.1. */
static int vp8_check(struct tas_bytes chunk, uint32_t width, uint32_t height, bool *is_key) {
    struct tas_reader r = tas_reader_of(chunk);
    struct tas_bytes tag = tas_read_bytes(&r, VP8_TAG);
    if (r.bad)
        return TAS_E_PROTO;
    bool is_shown = tag.ptr[0] >> 4 & 1;
    if ((tag.ptr[0] >> 1 & 7) > VP8_VERSION_MAX || !is_shown)
        return TAS_E_PROTO;
    *is_key = !(tag.ptr[0] & 1);
    if (!*is_key)
        return TAS_OK;

    struct tas_bytes head = tas_read_bytes(&r, VP8_KEY_HEAD);
    if (r.bad || head.ptr[0] != 0x9d || head.ptr[1] != 0x01 || head.ptr[2] != 0x2a)
        return TAS_E_PROTO;
    /* 14 bits each; what is above them asks for scaling. */
    uint32_t across = head.ptr[3] | (uint32_t)head.ptr[4] << 8,
             down = head.ptr[5] | (uint32_t)head.ptr[6] << 8;
    return across == width && down == height ? TAS_OK : TAS_E_PROTO;
}

struct bits {
    struct tas_bytes in;
    size_t at; /* bits read */
    bool bad;  /* there were not as many */
};

static uint32_t bits_read(struct bits *b, unsigned count) {
    uint32_t v = 0;
    if (b->in.len * 8 - b->at < count) {
        b->bad = true;
        return 0;
    }
    for (; count > 0; count--, b->at++)
        v = v << 1 | (uint32_t)(b->in.ptr[b->at / 8] >> (7 - b->at % 8) & 1);
    return v;
}

/* frame_size() and render_size() of the VP9 specification; the latter must not differ from the former. */
static bool vp9_size_is(struct bits *b, uint32_t width, uint32_t height) {
    uint32_t across = bits_read(b, 16) + 1, down = bits_read(b, 16) + 1;
    return across == width && down == height;
}

static bool vp9_key_is_fine(struct bits *b, uint32_t width, uint32_t height) {
    if (bits_read(b, 24) != VP9_SYNC)
        return false;
    if (bits_read(b, 3) == VP9_RGB) /* 4:4:4 only */
        return false;
    bits_read(b, 1); /* range */
    return vp9_size_is(b, width, height) && bits_read(b, 1) == 0;
}

/* A picture takes its size from one of those before it, which have the right one, or says it. */
static bool vp9_inter_is_fine(struct bits *b, uint32_t width, uint32_t height) {
    bits_read(b, 8); /* which of the stored pictures it replaces */
    for (int i = 0; i < VP9_REFS; i++)
        bits_read(b, 4); /* which of them they are, and a sign */
    bool has_size_of_ref = false;
    for (int i = 0; i < VP9_REFS && !has_size_of_ref; i++)
        has_size_of_ref = bits_read(b, 1);
    return (has_size_of_ref || vp9_size_is(b, width, height)) && bits_read(b, 1) == 0;
}

/* VP9 Bitstream & Decoding Process Specification, section 6.2. */
static int vp9_check(struct tas_bytes chunk, uint32_t width, uint32_t height, bool *is_key) {
    struct bits b = {.in = chunk};
    bool is_marked = bits_read(&b, 2) == 2, is_profile_0 = bits_read(&b, 2) == 0;
    bool is_repeat = bits_read(&b, 1);
    *is_key = !bits_read(&b, 1);
    bool is_shown = bits_read(&b, 1);
    bool is_resilient = bits_read(&b, 1);
    if (b.bad || !is_marked || !is_profile_0 || is_repeat || !is_shown)
        return TAS_E_PROTO;
    if (!*is_key && !is_resilient) /* a hidden one would tell first whether it is intra-only */
        bits_read(&b, 2);          /* which contexts begin anew */
    bool is_fine = *is_key ? vp9_key_is_fine(&b, width, height) : vp9_inter_is_fine(&b, width, height);
    return is_fine && !b.bad ? TAS_OK : TAS_E_PROTO;
}

int video_chunk_check(enum tas_video_codec codec, struct tas_bytes chunk, uint32_t width, uint32_t height,
                      bool *is_key) {
    return codec == TAS_VIDEO_VP8 ? vp8_check(chunk, width, height, is_key)
                                  : vp9_check(chunk, width, height, is_key);
}
