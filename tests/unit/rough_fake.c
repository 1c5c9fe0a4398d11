#include "rough_fake.h"

#include <assert.h>

enum { CODEC = 1, CHUNK_HEAD = 5 };

/* --- pixels: three bits of red and green, two of blue, and the painter's own error --- */

static uint8_t pack(uint32_t px) {
    return (uint8_t)((px >> 21 & 7) << 5 | (px >> 13 & 7) << 2 | (px >> 6 & 3));
}

static uint32_t unpack(uint8_t byte, uint32_t error) {
    uint32_t r = (byte >> 5) * 32u + 12 + error % 8, g = (byte >> 2 & 7) * 32u + 12 + error / 8 % 8;
    return r << 16 | g << 8 | ((byte & 3) * 64u + 28 + error / 64 % 8);
}

static bool is_one_colour(const uint32_t *px, size_t stride, uint32_t width, uint32_t height) {
    for (uint32_t y = 0; y < height; y++)
        for (uint32_t x = 0; x < width; x++)
            if (px[y * stride + x] != *px)
                return false;
    return true;
}

/* A byte for each pixel, or one for all. */
static int code_pixels(const uint32_t *px, size_t stride, uint32_t width, uint32_t height, uint8_t *out,
                       size_t cap, size_t *len) {
    if (cap > 0 && is_one_colour(px, stride, width, height)) {
        *out = pack(*px);
        *len = 1;
        return TAS_OK;
    }
    if (cap < (size_t)width * height)
        return TAS_E_FULL;
    for (uint32_t y = 0; y < height; y++)
        for (uint32_t x = 0; x < width; x++)
            out[(size_t)y * width + x] = pack(px[(size_t)y * stride + x]);
    *len = (size_t)width * height;
    return TAS_OK;
}

static int paint_pixels(struct rough_fake *fake, uint32_t *px, size_t stride, uint32_t width, uint32_t height,
                        struct tas_bytes in) {
    size_t n = (size_t)width * height;
    for (size_t i = 0; i < n && in.len > 0 && (i < in.len || in.len == 1); i++)
        px[i / width * stride + i % width] = unpack(in.ptr[in.len == 1 ? 0 : i], scene_next(&fake->random));
    return in.len == n || in.len == 1 ? TAS_OK
                                      : TAS_E_PROTO; /* broken ones are painted too, as far as they go */
}

/* --- the encoder's --- */

static bool fails(struct rough_fake *fake) {
    return fake->fail_in > 0 && --fake->fail_in == 0;
}

static void must_be_an_atlas(const struct tas_rough_jpeg *jpeg) {
    const struct tas_picture *atlas = &jpeg->atlas;
    assert(atlas->width > 0 && atlas->width % 16 == 0 && atlas->width <= TAS_ROUGH_ATLAS * 16);
    assert(atlas->height > 0 && atlas->height % 16 == 0 && atlas->stride >= atlas->width);
    assert(jpeg->quality >= 1 && jpeg->quality <= 100);
}

static void must_be_a_region(const struct rough_fake *fake, const struct tas_rough_region *region) {
    assert(region->id < TAS_REGIONS && region->stride >= region->width && region->px);
    assert(region->width > 0 && region->width % 2 == 0 && region->x + region->width <= fake->width);
    assert(region->height > 0 && region->height % 2 == 0 && region->y + region->height <= fake->height);
}

static int coder_jpeg(void *ctx, const struct tas_rough_jpeg *jpeg, uint8_t *out, size_t cap, size_t *len) {
    struct rough_fake *fake = ctx;
    must_be_an_atlas(jpeg);
    if (fails(fake))
        return fake->failure;
    fake->jpegs++;
    return code_pixels(jpeg->atlas.px, jpeg->atlas.stride, jpeg->atlas.width, jpeg->atlas.height, out, cap,
                       len);
}

/* A chunk: is it a start, its number, the pixels. */
static int coder_video(void *ctx, struct tas_rough_region *region, uint32_t bps, uint64_t time_us,
                       uint8_t *out, size_t cap, size_t *len) {
    struct rough_fake *fake = ctx;
    (void)time_us;
    must_be_a_region(fake, region);
    assert(bps > 0 && (region->is_start || fake->is_open[region->id]));
    int err = fails(fake) ? fake->failure : cap < CHUNK_HEAD ? TAS_E_FULL : TAS_OK;
    if (err == TAS_OK)
        err = code_pixels(region->px, region->stride, region->width, region->height, out + CHUNK_HEAD,
                          cap - CHUNK_HEAD, len);
    if (err != TAS_OK) {
        fake->is_open[region->id] = false;
        return err;
    }
    region->codec = CODEC;
    region->is_start |= scene_chance(&fake->random, 5); /* a coder may start anew of its own */
    if (region->is_start)
        fake->next[region->id] = 0;
    struct tas_writer head = tas_writer_of(out, CHUNK_HEAD);
    tas_write_u8(&head, region->is_start);
    tas_write_u32(&head, fake->next[region->id]++);
    *len += CHUNK_HEAD;
    fake->is_open[region->id] = true;
    fake->chunks++;
    fake->starts += region->is_start;
    return TAS_OK;
}

static void coder_close(void *ctx, uint8_t id) {
    struct rough_fake *fake = ctx;
    assert(id < TAS_REGIONS);
    fake->is_open[id] = false;
    fake->closes++;
}

/* --- the decoder's --- */

static int painter_jpeg(void *ctx, const struct tas_rough_jpeg *jpeg, struct tas_bytes scan) {
    must_be_an_atlas(jpeg);
    return paint_pixels(ctx, jpeg->atlas.px, jpeg->atlas.stride, jpeg->atlas.width, jpeg->atlas.height, scan);
}

static int painter_video(void *ctx, const struct tas_rough_region *region, struct tas_bytes chunk) {
    struct rough_fake *fake = ctx;
    must_be_a_region(fake, region);
    struct tas_reader r = tas_reader_of(chunk);
    uint8_t is_start = tas_read_u8(&r);
    uint32_t number = tas_read_u32(&r);
    if (region->is_start)
        fake->painted[region->id] = 0;
    if (r.bad || region->codec != CODEC || is_start != region->is_start ||
        number != fake->painted[region->id])
        return TAS_E_PROTO;
    fake->painted[region->id]++;
    return paint_pixels(fake, region->px, region->stride, region->width, region->height, r.in);
}

void rough_fake_init(struct rough_fake *fake, uint32_t width, uint32_t height, uint64_t seed) {
    *fake = (struct rough_fake){
        .coder = {.ctx = fake, .jpeg = coder_jpeg, .video = coder_video, .close = coder_close},
        .painter = {.ctx = fake, .jpeg = painter_jpeg, .video = painter_video},
        .width = width,
        .height = height,
        .random = scene_random_of(seed),
    };
}
