/* A decoder by itself, without a session. */
#include "wasm/wasm.h"

#include "codec/codec.h"
#include "wasm/painter_private.h"
#include "wasm/screen_private.h"

#include <stdlib.h>

struct wasm_decoder {
    struct tas_decoder *dec;
    struct wasm_painter painter;
    struct wasm_painted painted;
};

int wasm_decoder_new(uint32_t width, uint32_t height, uint32_t model_bits, uint32_t has_painter) {
    struct wasm_decoder *dec = calloc(1, sizeof(*dec));
    if (!dec)
        return TAS_E_LIMIT;
    wasm_painter_init(&dec->painter, dec);
    const struct tas_decoder_config config = {.width = width,
                                              .height = height,
                                              .model_bits = model_bits,
                                              .painter = has_painter ? &dec->painter.ops : NULL};
    dec->dec = tas_decoder_new(&config);
    if (!dec->dec) {
        wasm_decoder_free(dec);
        return TAS_E_LIMIT;
    }
    wasm_painted_follow(&dec->painted, tas_decoder_picture(dec->dec));
    return (int)(intptr_t)dec;
}

void wasm_decoder_free(struct wasm_decoder *dec) {
    if (!dec)
        return;
    tas_decoder_free(dec->dec);
    wasm_painted_fini(&dec->painted);
    free(dec);
}

int wasm_decoder_frame(struct wasm_decoder *dec, const uint8_t *frame, size_t len) {
    struct tas_tiles *tiles = &dec->painted.tiles;
    int err = tas_decoder_frame(dec->dec, tas_bytes_of(frame, len), tiles->bits ? tiles : NULL);
    wasm_painted_note(&dec->painted, err);
    return err;
}

void wasm_decoder_picture(const struct wasm_decoder *dec, struct wasm_picture *out) {
    wasm_picture_of(out, tas_decoder_picture(dec->dec));
}

uint32_t wasm_decoder_changed(struct wasm_decoder *dec, struct wasm_rect *out, uint32_t max) {
    return wasm_painted_take(&dec->painted, out, max);
}
