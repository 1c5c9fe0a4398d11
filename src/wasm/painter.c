#include "wasm/painter_private.h"

#include "wasm/host_private.h"

static int paint_jpeg(void *ctx, const struct tas_rough_jpeg *jpeg, struct tas_bytes scan) {
    const struct wasm_painter *painter = ctx;
    const struct tas_picture *atlas = &jpeg->atlas;
    return host_jpeg(painter->owner, atlas->px, atlas->stride, atlas->width, atlas->height, jpeg->quality,
                     jpeg->is_full_colour, scan.ptr, scan.len);
}

static int paint_video(void *ctx, const struct tas_rough_region *region, struct tas_bytes chunk) {
    const struct wasm_painter *painter = ctx;
    return host_video(painter->owner, region->px, region->stride, region->width, region->height, region->x,
                      region->y, region->id, region->codec, region->is_start, chunk.ptr, chunk.len);
}

void wasm_painter_init(struct wasm_painter *painter, const void *owner) {
    painter->ops = (struct tas_painter){painter, paint_jpeg, paint_video, .close = NULL};
    painter->owner = (uint32_t)(uintptr_t)owner;
}
