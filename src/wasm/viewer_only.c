/* This module shows screens and sends none: what the session's half for hosts asks of an encoder finds none.
 * A ticket for a host is refused before that (session.c), so none of this is reached but to free nothing. */
#include "wasm/wasm.h"

#include "codec/codec.h"

struct tas_encoder *tas_encoder_new(const struct tas_encoder_config *config) {
    (void)config;
    return NULL;
}

void tas_encoder_free(struct tas_encoder *enc) {
    (void)enc;
}

int tas_encoder_frame(struct tas_encoder *enc, const struct tas_picture *src, struct tas_tiles *tiles,
                      const struct tas_frame_order *order, uint8_t *out, size_t cap, size_t *out_len) {
    (void)enc, (void)src, (void)tiles, (void)order, (void)out, (void)cap, (void)out_len;
    return TAS_E_STATE;
}

int tas_encoder_refine(struct tas_encoder *enc, uint64_t still_us, const struct tas_frame_order *order,
                       uint8_t *out, size_t cap, size_t *out_len) {
    (void)enc, (void)still_us, (void)order, (void)out, (void)cap, (void)out_len;
    return TAS_E_STATE;
}

uint64_t tas_encoder_rough_since_us(const struct tas_encoder *enc, uint8_t quality) {
    (void)enc, (void)quality;
    return UINT64_MAX;
}

uint64_t tas_encoder_rough_px(const struct tas_encoder *enc) {
    (void)enc;
    return 0;
}

uint32_t tas_encoder_pixels(const struct tas_encoder *enc) {
    (void)enc;
    return 0;
}

const struct tas_tiles *tas_encoder_painted(const struct tas_encoder *enc) {
    (void)enc;
    return NULL;
}

const struct tas_tiles *tas_encoder_rough(const struct tas_encoder *enc) {
    (void)enc;
    return NULL;
}

const struct tas_tiles *tas_encoder_unknown(const struct tas_encoder *enc) {
    (void)enc;
    return NULL;
}

const struct tas_picture *tas_encoder_picture(const struct tas_encoder *enc) {
    (void)enc;
    return NULL;
}

uint32_t tas_encoder_seq(const struct tas_encoder *enc) {
    (void)enc;
    return 0;
}
