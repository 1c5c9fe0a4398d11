/* Which rectangle of the screen is a film. */
#include "codec/encoder_private.h"

enum {
    HOT_ENTER = 8, /* changes in a row, none longer after the last than: */
    HOT_GAP_US = 200 * 1000,
    LEAVE_US = 500 * 1000,  /* still for so long: no film any more */
    HOT_BLOCKS_MIN = 8,     /* blocks of a tile that must have changed */
    HOT_PHOTO_PERCENT = 60, /* of them photographs */
    EDGE_MIN_TILES = 2,     /* at least 128 px */
    EDGE_MAX_TILES = 8192 / TAS_TILE,
    FILL_PERCENT = 50, /* hot tiles in their common rectangle */
};

/* Tiles [x0, x1) x [y0, y1). */
struct box {
    uint32_t x0, y0, x1, y1;
};

static bool is_photo(uint8_t mode) {
    return mode == TAS_BLOCK_ROUGH || mode == TAS_BLOCK_LIT;
}

/* Has much of it changed, into something like a photograph? What moves explain has not changed here. */
static bool is_film_like(const struct tas_encoder *enc, uint32_t tx, uint32_t ty) {
    const struct tas_canvas *canvas = &enc->canvas;
    unsigned coded = 0, photo = 0;
    for (uint32_t by = ty * TAS_BLOCKS; by < tas_canvas_blocks_end(canvas, ty); by++)
        for (uint32_t i = 0; i < TAS_BLOCKS; i++) {
            uint32_t bx = tx * TAS_BLOCKS + i;
            uint8_t mode = bx < canvas->blocks_across ? canvas->modes[(size_t)by * canvas->blocks_across + bx]
                                                      : TAS_BLOCK_SKIP;
            coded += mode != TAS_BLOCK_SKIP;
            photo += is_photo(mode);
        }
    return coded >= HOT_BLOCKS_MIN && photo * 100 >= coded * HOT_PHOTO_PERCENT;
}

static void note_heat(struct tas_encoder *enc, uint64_t now_us) {
    for (uint32_t ty = 0; ty < enc->canvas.tiles_down; ty++)
        for (uint32_t tx = 0; tx < enc->canvas.tiles_across; tx++) {
            struct tile_info *info = encoder_tile(enc, tx, ty);
            if (!tas_tiles_get(&enc->changed, tx, ty) || !is_film_like(enc, tx, ty))
                continue;
            bool goes_on = now_us - info->hot_us <= HOT_GAP_US;
            info->hot = goes_on ? (uint8_t)(info->hot + (info->hot < UINT8_MAX)) : 1;
            info->hot_us = now_us;
        }
}

bool region_has_tile(const struct tas_encoder *enc, uint32_t tx, uint32_t ty) {
    const struct region *region = &enc->region;
    return region->is_open && tx - region->tx < region->across && ty - region->ty < region->down;
}

static bool is_hot(struct tas_encoder *enc, uint32_t tx, uint32_t ty, uint64_t now_us) {
    const struct tile_info *info = encoder_tile(enc, tx, ty);
    return info->hot >= HOT_ENTER && now_us - info->hot_us <= HOT_GAP_US;
}

static void include(struct box *box, uint32_t tx, uint32_t ty) {
    box->x0 = tx < box->x0 ? tx : box->x0;
    box->y0 = ty < box->y0 ? ty : box->y0;
    box->x1 = tx + 1 > box->x1 ? tx + 1 : box->x1;
    box->y1 = ty + 1 > box->y1 ? ty + 1 : box->y1;
}

/* The common rectangle of the hot tiles, and how many they are. */
static unsigned hot_box(struct tas_encoder *enc, uint64_t now_us, struct box *box) {
    unsigned count = 0;
    *box = (struct box){UINT32_MAX, UINT32_MAX, 0, 0};
    for (uint32_t ty = 0; ty < enc->canvas.tiles_down; ty++)
        for (uint32_t tx = 0; tx < enc->canvas.tiles_across; tx++)
            if (is_hot(enc, tx, ty, now_us) && !region_has_tile(enc, tx, ty)) {
                include(box, tx, ty);
                count++;
            }
    return count;
}

/* Chunks have even sizes: a last column or row of an odd picture stays outside, with its whole tile. */
static void trim(const struct tas_canvas *canvas, struct box *box) {
    if (box->x1 == canvas->tiles_across && canvas->pic.width % 2)
        box->x1--;
    if (box->y1 == canvas->tiles_down && canvas->pic.height % 2)
        box->y1--;
}

static void close_region(struct tas_encoder *enc) {
    if (enc->region.is_open && !enc->region.is_new) /* the decoder knows of it */
        enc->closes_region = true;
    if (enc->region.is_open && enc->rough)
        enc->rough->close(enc->rough->ctx, 0);
    enc->region.is_open = false;
}

static void open_region(struct tas_encoder *enc, const struct box *box, uint64_t now_us) {
    const struct tas_picture *pic = &enc->canvas.pic;
    close_region(enc);
    enc->closes_region = false; /* its start says so */
    struct region *region = &enc->region;
    *region = (struct region){.is_open = true, .is_new = true, .changed_us = now_us};
    region->tx = box->x0;
    region->ty = box->y0;
    region->across = box->x1 - box->x0;
    region->down = box->y1 - box->y0;
    region->x = box->x0 * TAS_TILE;
    region->y = box->y0 * TAS_TILE;
    region->width = tas_clip(region->x, pic->width, region->across * TAS_TILE);
    region->height = tas_clip(region->y, pic->height, region->down * TAS_TILE);
}

/* Takes its tiles out of what is coded otherwise; was any of them changed? */
static bool take_tiles(struct tas_encoder *enc) {
    struct tas_canvas *canvas = &enc->canvas;
    bool is_any = false;
    for (uint32_t ty = enc->region.ty; ty < enc->region.ty + enc->region.down; ty++)
        for (uint32_t tx = enc->region.tx; tx < enc->region.tx + enc->region.across; tx++) {
            is_any |= tas_tiles_get(&enc->changed, tx, ty);
            canvas->tiles[(size_t)ty * canvas->tiles_across + tx] = TAS_TILE_SAME;
            for (uint32_t by = ty * TAS_BLOCKS; by < tas_canvas_blocks_end(canvas, ty); by++)
                for (uint32_t bx = tx * TAS_BLOCKS; bx < (tx + 1) * TAS_BLOCKS && bx < canvas->blocks_across;
                     bx++)
                    *tas_canvas_mode(canvas, bx, by) = TAS_BLOCK_SKIP;
        }
    return is_any;
}

static bool is_inside(const struct region *region, const struct box *box) {
    return region->is_open && box->x0 >= region->tx && box->y0 >= region->ty &&
           box->x1 <= region->tx + region->across && box->y1 <= region->ty + region->down;
}

/* Hot tiles around an open region are outside it, so they are a larger one together. */
static void look_for_film(struct tas_encoder *enc, uint64_t now_us) {
    struct box box;
    unsigned hot = hot_box(enc, now_us, &box);
    if (hot == 0 || tas_tiles_count(&enc->unknown) > 0)
        return;
    if (enc->region.is_open) {
        hot += enc->region.across * enc->region.down;
        include(&box, enc->region.tx, enc->region.ty);
        include(&box, enc->region.tx + enc->region.across - 1, enc->region.ty + enc->region.down - 1);
    }
    trim(&enc->canvas, &box);
    if (box.x1 < box.x0 + EDGE_MIN_TILES || box.y1 < box.y0 + EDGE_MIN_TILES ||
        box.x1 > box.x0 + EDGE_MAX_TILES || box.y1 > box.y0 + EDGE_MAX_TILES || is_inside(&enc->region, &box))
        return;
    if (hot * 100 >= (box.x1 - box.x0) * (box.y1 - box.y0) * FILL_PERCENT)
        open_region(enc, &box, now_us);
}

uint64_t region_end_us(const struct tas_encoder *enc) {
    return enc->region.changed_us + LEAVE_US;
}

void region_end(struct tas_encoder *enc, const struct tas_frame_order *order) {
    bool is_possible = enc->rough && order->video_bps > 0;
    if (enc->region.is_open && (!is_possible || order->capture_us >= region_end_us(enc)))
        close_region(enc);
}

void region_follow(struct tas_encoder *enc, const struct tas_frame_order *order) {
    uint64_t now_us = order->capture_us;
    bool is_possible = enc->rough && order->video_bps > 0;
    if (is_possible) {
        note_heat(enc, now_us);
        look_for_film(enc, now_us);
    }
    if (!enc->region.is_open)
        return;
    if (take_tiles(enc)) {
        enc->region.changed_us = now_us;
        enc->region.has_chunk = true;
    }
}

void region_forget(struct tas_encoder *enc) {
    close_region(enc);
    enc->closes_region = false;
}

int region_encode(struct tas_encoder *enc, const struct tas_picture *src, const struct tas_frame_order *order,
                  struct tas_writer *w) {
    struct region *region = &enc->region;
    struct tas_section section = {.kind = TAS_SECTION_VIDEO};
    size_t len = 0, room = w->cap - w->len;
    section.region = (struct tas_rough_region){
        .is_start = region->is_new,
        .x = (uint16_t)region->x,
        .y = (uint16_t)region->y,
        .width = (uint16_t)region->width,
        .height = (uint16_t)region->height,
        .px = src->px + (size_t)region->y * src->stride + region->x,
        .stride = src->stride,
    };
    int err = TAS_E_FULL;
    if (room > TAS_SECTION_VIDEO_LEN)
        err = enc->rough->video(enc->rough->ctx, &section.region, order->video_bps, order->capture_us,
                                w->out + w->len + TAS_SECTION_VIDEO_LEN, room - TAS_SECTION_VIDEO_LEN, &len);
    if (err != TAS_OK) {
        close_region(enc);
        return err;
    }
    tas_section_encode(w, &section, len);
    w->len += len;
    region->is_new = region->has_chunk = false;
    for (uint32_t y = region->y; y < region->y + region->height; y++)
        memcpy(tas_canvas_row(&enc->canvas, y) + region->x, src->px + (size_t)y * src->stride + region->x,
               region->width * sizeof(uint32_t));
    tas_canvas_roughen(&enc->canvas, region->x, region->y, region->width, region->height);
    return TAS_OK;
}
