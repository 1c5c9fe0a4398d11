/* Frames that the format allows but no encoder of ours would write: any tiles kept, any moves, any slots of
 * the cache, modes, sections. And an attacker's decoder, which makes frames out of any bytes that it can
 * read. For decoders whose painter is that of rough_fake.c. */
#pragma once

#include "codec/canvas_private.h"
#include "codec/rough.h"
#include "scene.h"

struct forger {
    struct tas_canvas
        canvas; /* what a decoder has after the last frame; colours of rough pixels do not count */
    struct tas_canvas mirror; /* the same, for what is made out of broken bytes */
    struct scene *scene;      /* what blocks are painted with */
    struct scene_random random;
    struct tas_tiles painted;
    uint32_t seq;                /* of the last frame */
    uint32_t areas[TAS_REGIONS]; /* px of the regions of video that are open */
    size_t coded_at, coded_len;  /* the range-coded part of the last frame */
};

enum { FORGER_FRAME_CAP = 4 * 1024 * 1024 };

/* TAS_E_NOMEM: fini is still due. */
TAS_MUST_USE int forger_init(struct forger *forger, uint32_t width, uint32_t height, unsigned model_bits,
                             uint64_t seed);
void forger_fini(struct forger *forger);

/* The first frame of a stream when `is_first`, else the next one. Gives its length; a decoder must take it,
 * and have the picture of forger->canvas then. */
size_t forger_frame(struct forger *forger, bool is_first, uint8_t *out);

/* Breaks the last frame's coded part and repairs length and checksum. 0: nobody can read it. Else a decoder
 * that has had the frames before it must take it, and have the picture of forger->mirror. The stream ends
 * with it. */
size_t forger_broken(struct forger *forger, uint8_t *out);

/* A frame around any bytes, as far as they can be read as the coded part of the next one (the first of a
 * stream when is_first). 0: nobody can read them, and only a first one may follow. Else as with
 * forger_broken(). At most FORGER_FRAME_CAP / 2 bytes. */
size_t forger_around(struct forger *forger, bool is_first, struct tas_bytes coded, uint8_t *out);

/* Has `pic` the canvas's pixels, but for colours of rough ones? */
bool forger_is_same(const struct tas_canvas *canvas, const struct tas_picture *pic);
