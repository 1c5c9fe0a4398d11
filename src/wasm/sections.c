/* What a frame holds of JPEG and video, for a host that decodes it beforehand. */
#include "wasm/wasm.h"

#include "codec/sections.h"
#include "lossy/jpeg.h"
#include "wasm/scan_private.h"

#include <assert.h>

enum { EDGE = 16 }; /* px of a block */

/* The atlas is as wide as it can be, and its rows are full (codec/rough.h). */
static int measure_jpeg(struct wasm_section *out, const struct tas_rough_section *section) {
    uint32_t blocks;
    int err = wasm_scan_blocks(section->data, section->is_full_colour, &blocks);
    if (err != TAS_OK)
        return err;
    uint32_t across = blocks < TAS_ROUGH_ATLAS ? blocks : TAS_ROUGH_ATLAS;
    if (blocks % across != 0 || blocks > TAS_PICTURE_PIXELS / (EDGE * EDGE))
        return TAS_E_PROTO;
    out->width = across * EDGE;
    out->height = blocks / across * EDGE;
    return TAS_OK;
}

static int section_of(struct wasm_section *out, const struct tas_rough_section *section) {
    const struct tas_rough_region *region = &section->region;
    *out = (struct wasm_section){
        .is_video = section->is_video,
        .quality = section->quality,
        .is_full_colour = section->is_full_colour,
        .width = region->width,
        .height = region->height,
        .x = region->x,
        .y = region->y,
        .id = region->id,
        .codec = region->codec,
        .is_start = region->is_start,
        .data = {(uint32_t)(uintptr_t)section->data.ptr, (uint32_t)section->data.len},
    };
    return section->is_video ? TAS_OK : measure_jpeg(out, section);
}

int wasm_frame_sections(const uint8_t *frame, size_t len, struct wasm_section *out, uint32_t max) {
    struct tas_rough_section sections[TAS_SECTIONS_MAX];
    unsigned count;
    int err = tas_frame_sections(tas_bytes_of(frame, len), sections, &count);
    if (err == TAS_OK && count > max)
        err = TAS_E_LIMIT;
    for (unsigned i = 0; err == TAS_OK && i < count; i++)
        err = section_of(&out[i], &sections[i]);
    return err == TAS_OK ? (int)count : err;
}

int wasm_jpeg_head(const struct wasm_section *section, uint8_t out[1024]) {
    static_assert(TAS_JPEG_HEAD_MAX == 1024, "as wasm.h says");
    const struct tas_jpeg_shape shape = {.width = section->width,
                                         .height = section->height,
                                         .quality = (uint8_t)section->quality,
                                         .is_full_colour = section->is_full_colour != 0};
    size_t len;
    int err = tas_jpeg_head(&shape, out, &len);
    return err == TAS_OK ? (int)len : err;
}
