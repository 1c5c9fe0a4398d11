/* A picture and what of it was painted, as a host sees them. */
#pragma once

#include "codec/picture.h"
#include "wasm/wasm.h"

/* What was painted since somebody asked. All zeros: no picture yet. */
struct wasm_painted {
    struct tas_tiles tiles; /* bits NULL: no memory for them, so that everything counts as painted, always */
    uint32_t width, height; /* px */
    bool is_suspect;        /* a broken frame has left something behind, nobody knows where */
};

/* Makes it fit `pic`: if it does not already, everything counts as painted. */
void wasm_painted_follow(struct wasm_painted *painted, const struct tas_picture *pic);
void wasm_painted_fini(struct wasm_painted *painted);

/* A frame was decoded into it, with this result. After a broken one nothing is worth drawing until a good one
 * comes, and then all of it. */
void wasm_painted_note(struct wasm_painted *painted, int err);

/* wasm_decoder_changed() */
uint32_t wasm_painted_take(struct wasm_painted *painted, struct wasm_rect *out, uint32_t max);

/* pic NULL: all zeros. */
void wasm_picture_of(struct wasm_picture *out, const struct tas_picture *pic);
