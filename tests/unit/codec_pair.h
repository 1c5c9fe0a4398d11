/* An encoder, a decoder and a screen between which everything that the codec promises holds after every
 * frame: both have the same picture, exact pixels are the screen's, rough ones are marked, and what a frame
 * painted is what it says. For the tests of the codec; needs cmocka. */
#pragma once

#include "rough_fake.h"

struct pair {
    struct scene *scene;
    struct rough_fake fake;
    struct tas_encoder *enc;
    struct tas_decoder *dec;
    struct tas_tiles due;  /* for the encoder */
    struct tas_tiles lost; /* painted by frames that the decoder has missed */
    bool has_lost;
    bool is_healing; /* a RESET_MODEL is not through yet: in the due tiles the ends differ */
    uint64_t now_us;
    struct tas_picture *before; /* the decoder's picture before the last frame */
    struct tas_tiles changed;   /* what the decoder painted */
    uint8_t *frame;
    size_t cap, len; /* of the last frame */
    unsigned frames;
};

struct pair_config {
    uint32_t width, height; /* px */
    uint64_t seed;
    uint8_t forced;    /* as in struct tas_encoder_config */
    bool has_no_rough; /* the encoder gets no coder */
};

/* All tiles are due. */
struct pair *pair_new(const struct pair_config *config);
void pair_free(struct pair *pair);

/* Codes and decodes one frame of what is due, and looks at both. Gives whether there was one. The order's
 * time is filled in. Where cap is too small it is made larger for this frame. */
bool pair_send(struct pair *pair, struct tas_frame_order order);
/* The same, but the decoder never gets it. */
void pair_lose(struct pair *pair, struct tas_frame_order order);
/* RESET_MODEL of all that was lost, or with RESET of everything. */
void pair_heal(struct pair *pair, struct tas_frame_order order, unsigned flag);
/* The same for tas_encoder_refine(). */
bool pair_refine(struct pair *pair, uint64_t still_us, struct tas_frame_order order);

/* Until nothing is due; order must not hold anything back. Then the pixels that are not rough are the
 * screen's. */
void pair_send_all(struct pair *pair, struct tas_frame_order order);
/* Until no pixel is rough: the decoder shows the screen exactly. */
void pair_make_exact(struct pair *pair);

struct tas_decoder_figures pair_figures(const struct pair *pair);
/* Pixels that the decoder holds roughly. */
uint32_t pair_rough_pixels(const struct pair *pair);
