#include "operator/present/sprite_private.h"

#include "base/wipe.h"
#include "operator/present/scale.h"

#include <stdlib.h>
#include <string.h>

enum { DOT = 5 }; /* px */

static void drop(uint32_t **px, uint32_t width, uint32_t height) {
    if (*px)
        tas_wipe(*px, (size_t)width * height * sizeof(**px));
    free(*px);
    *px = NULL;
}

static void drop_shown(struct present_sprite *sprite) {
    drop(&sprite->argb, sprite->width, sprite->height);
    sprite->width = sprite->height = 0;
    sprite->revision++;
}

static void drop_image(struct present_sprite *sprite) {
    drop(&sprite->image, sprite->image_width, sprite->image_height);
    sprite->image_width = sprite->image_height = 0;
    sprite->has_image = false;
    drop_shown(sprite);
}

void present_sprite_fini(struct present_sprite *sprite) {
    drop_image(sprite);
}

static uint32_t at_most(uint32_t value, uint32_t max) {
    return value < max ? value : max;
}

static int take_image(struct present_sprite *sprite, const struct present_pointer *pointer) {
    uint32_t width = pointer->width, height = pointer->height;
    drop_image(sprite);
    sprite->image = calloc((size_t)width * height, sizeof(*sprite->image));
    if (!sprite->image)
        return TAS_E_NOMEM;
    const uint8_t *in = pointer->rgba;
    for (size_t i = 0; i < (size_t)width * height; i++, in += 4)
        sprite->image[i] = (uint32_t)in[3] << 24 | (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];
    sprite->image_width = width;
    sprite->image_height = height;
    sprite->image_hot_x = at_most(pointer->hot_x, width - 1);
    sprite->image_hot_y = at_most(pointer->hot_y, height - 1);
    sprite->serial = pointer->serial;
    sprite->has_image = true;
    return TAS_OK;
}

/* White with a black rim: seen on everything. A pointer that vanishes while one types could not be found
 * again. */
static int take_dot(struct present_sprite *sprite) {
    uint8_t rgba[DOT * DOT * 4];
    for (int y = 0; y < DOT; y++)
        for (int x = 0; x < DOT; x++) {
            bool is_rim = x == 0 || y == 0 || x == DOT - 1 || y == DOT - 1;
            memset(rgba + (y * DOT + x) * 4, is_rim ? 0 : 255, 3);
            rgba[(y * DOT + x) * 4 + 3] = 255;
        }
    const struct present_pointer dot = {
        .width = DOT, .height = DOT, .hot_x = DOT / 2, .hot_y = DOT / 2, .rgba = rgba};
    return take_image(sprite, &dot);
}

static bool is_dot(const struct present_sprite *sprite) {
    return sprite->image && !sprite->has_image;
}

static bool is_seen(const struct present_pointer *pointer) {
    return pointer->is_shown && pointer->width > 0 && pointer->height > 0 &&
           pointer->width <= PRESENT_SPRITE_MAX && pointer->height <= PRESENT_SPRITE_MAX;
}

int present_sprite_set(struct present_sprite *sprite, const struct present_pointer *pointer) {
    int err = TAS_OK;

    if (is_seen(pointer)) {
        if (!sprite->has_image || sprite->serial != pointer->serial)
            err = take_image(sprite, pointer);
    } else if (pointer->is_ours) {
        if (!is_dot(sprite))
            err = take_dot(sprite);
        sprite->has_image = false;
    } else if (sprite->image) {
        drop_image(sprite);
    }
    return err;
}

static uint32_t share(uint32_t length, uint32_t in, uint32_t of) {
    uint32_t value = (uint32_t)(((uint64_t)length * in + of / 2) / of);
    return value > 0 ? value : 1;
}

/* The image's size under a fit; the longer side within the limits (a smaller image is not enlarged to them).
 */
static void fitting_size(const struct present_sprite *sprite, const struct present_fit *fit, uint32_t *width,
                         uint32_t *height) {
    struct present_rect target = present_fit_target(fit), source = present_fit_source(fit);
    *width = sprite->image_width;
    *height = sprite->image_height;
    bool has_same_size = target.width == source.width && target.height == source.height;
    if (has_same_size || target.width == 0 || is_dot(sprite))
        return;
    uint32_t longer = *width > *height ? *width : *height;
    uint32_t scaled = target.width > target.height ? share(longer, target.width, source.width)
                                                   : share(longer, target.height, source.height);
    uint32_t least = at_most(longer, PRESENT_SPRITE_MIN);
    scaled = at_most(scaled < least ? least : scaled, PRESENT_SPRITE_MAX);
    *width = share(*width, scaled, longer);
    *height = share(*height, scaled, longer);
}

int present_sprite_fit(struct present_sprite *sprite, const struct present_fit *fit) {
    uint32_t width, height;
    if (!sprite->image)
        return TAS_OK;
    fitting_size(sprite, fit, &width, &height);
    if (sprite->argb && width == sprite->width && height == sprite->height)
        return TAS_OK;
    drop_shown(sprite);
    sprite->argb = calloc((size_t)width * height, sizeof(*sprite->argb));
    if (!sprite->argb || present_scale_image(sprite->image, sprite->image_width, sprite->image_height,
                                             sprite->argb, width, height) != TAS_OK) {
        drop(&sprite->argb, width, height);
        return TAS_E_NOMEM;
    }
    sprite->width = width;
    sprite->height = height;
    sprite->hot_x = (2 * sprite->image_hot_x + 1) * width / (2 * sprite->image_width);
    sprite->hot_y = (2 * sprite->image_hot_y + 1) * height / (2 * sprite->image_height);
    return TAS_OK;
}
