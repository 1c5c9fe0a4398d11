#include "codec/atlas_private.h"
#include "codec/codec.h"
#include "codec/frame_private.h"

#include <stdlib.h>

struct tas_decoder {
    struct tas_canvas canvas;
    struct tas_atlas atlas;
    struct tas_tiles painted; /* by the frame that is being decoded */
    const struct tas_painter *painter;
    struct tas_rough_region regions[TAS_REGIONS]; /* width 0: closed */
    bool is_shown[TAS_REGIONS];                   /* in the frame that is being decoded */
    struct tas_decoder_figures figures;
    uint32_t stream, seq;
    bool needs_reset;
};

struct tas_decoder *tas_decoder_new(const struct tas_decoder_config *config) {
    if (!tas_picture_size_is_valid(config->width, config->height) ||
        config->model_bits < TAS_CODEC_MODEL_BITS_MIN || config->model_bits > TAS_CODEC_MODEL_BITS_MAX)
        return NULL;
    struct tas_decoder *dec = calloc(1, sizeof(*dec));
    if (!dec)
        return NULL;
    dec->needs_reset = true;
    dec->painter = config->painter;
    if (tas_canvas_init(&dec->canvas, config->width, config->height, config->model_bits) != TAS_OK ||
        tas_atlas_init(&dec->atlas, &dec->canvas) != TAS_OK ||
        tas_tiles_init(&dec->painted, config->width, config->height) != TAS_OK) {
        tas_decoder_free(dec);
        return NULL;
    }
    return dec;
}

static void close_region(struct tas_decoder *dec, uint8_t id) {
    if (dec->regions[id].width > 0 && dec->painter && dec->painter->close)
        dec->painter->close(dec->painter->ctx, id);
    dec->regions[id] = (struct tas_rough_region){0};
}

static void close_regions(struct tas_decoder *dec) {
    for (uint8_t id = 0; id < TAS_REGIONS; id++)
        close_region(dec, id);
}

void tas_decoder_free(struct tas_decoder *dec) {
    if (!dec)
        return;
    close_regions(dec);
    tas_atlas_fini(&dec->atlas);
    tas_canvas_fini(&dec->canvas);
    tas_tiles_fini(&dec->painted);
    free(dec);
}

/* Makes the numbers of the head whole. False: it does not follow. */
static bool follows(const struct tas_decoder *dec, struct tas_frame_head *head) {
    if (head->is_start)
        return true;
    uint32_t stream = head->stream, seq = head->seq;
    head->stream = dec->stream;
    head->seq = dec->seq + 1;
    return !dec->needs_reset && dec->seq != UINT32_MAX && stream == (head->stream & 0xff) &&
           seq == (head->seq & 0xffff);
}

static void start_anew(struct tas_decoder *dec, const struct tas_frame_head *head) {
    if (!head->is_start)
        return;
    tas_canvas_reset(&dec->canvas, head->flags & TAS_FRAME_RESET);
    close_regions(dec);
    if (head->flags & TAS_FRAME_RESET)
        tas_tiles_set_all(&dec->painted);
}

static void count_row(struct tas_decoder *dec, uint32_t ty) {
    const struct tas_canvas *canvas = &dec->canvas;
    uint32_t count[TAS_BLOCK_ROUGH + 1] = {0};
    for (uint32_t by = ty * TAS_BLOCKS; by < tas_canvas_blocks_end(canvas, ty); by++)
        for (uint32_t bx = 0; bx < canvas->blocks_across; bx++)
            count[canvas->modes[(size_t)by * canvas->blocks_across + bx]]++;
    dec->figures.ctx += count[TAS_BLOCK_CTX];
    dec->figures.lit += count[TAS_BLOCK_LIT];
    dec->figures.temp += count[TAS_BLOCK_TEMP];
    dec->figures.rough += count[TAS_BLOCK_ROUGH];
}

static void note_painted(struct tas_decoder *dec, uint32_t ty) {
    bool is_any = false;
    for (uint32_t tx = 0; tx < dec->canvas.tiles_across; tx++) {
        uint8_t kind = dec->canvas.tiles[(size_t)ty * dec->canvas.tiles_across + tx];
        if (kind == TAS_TILE_SAME)
            continue;
        tas_tiles_set(&dec->painted, tx, ty);
        dec->figures.cached += kind == TAS_TILE_CACHED;
        is_any = true;
    }
    if (is_any)
        count_row(dec, ty);
}

/* `coded` is the range-coded part and the first TAS_RC_TAIL bytes behind it, into which the coder reads. */
static int decode_coded(struct tas_decoder *dec, struct tas_bytes coded, uint16_t sum) {
    struct tas_canvas *canvas = &dec->canvas;
    struct tas_rc rc = tas_rc_decoder_of(coded);
    tas_canvas_begin(canvas);
    tas_canvas_decode_kept(canvas, &rc);
    if (!rc.bad)
        tas_canvas_decode_moves(canvas, &rc, &dec->painted);
    for (uint32_t ty = 0; ty < canvas->tiles_down && !rc.bad; ty++) {
        tas_canvas_decode_row(canvas, &rc, ty);
        note_painted(dec, ty);
    }
    bool is_whole = !rc.bad && rc.in.len == 0;
    if (!is_whole || tas_canvas_sum(canvas) != sum)
        return TAS_E_PROTO;
    dec->figures.moves += canvas->n_moves;
    for (size_t i = 0; i < (size_t)canvas->tiles_across * canvas->tiles_down; i++)
        dec->figures.kept += canvas->kept[i];
    return TAS_OK;
}

/* ---- sections ---- */

static int paint_jpeg(struct tas_decoder *dec, const struct tas_section *section) {
    if (dec->atlas.count == 0)
        return TAS_E_PROTO;
    const struct tas_rough_jpeg jpeg = {tas_atlas_picture(&dec->atlas), section->quality,
                                        section->is_full_colour};
    int err = dec->painter->jpeg(dec->painter->ctx, &jpeg, section->data);
    if (err != TAS_OK)
        return err;
    tas_atlas_scatter(&dec->atlas, &dec->canvas);
    dec->atlas.count = 0; /* painted: a second one has nothing to paint */
    dec->figures.jpegs++;
    return TAS_OK;
}

/* A region must lie inside, and stay what and where it was until it starts anew. */
static bool is_sound_region(const struct tas_decoder *dec, const struct tas_rough_region *region) {
    const struct tas_picture *pic = &dec->canvas.pic;
    const struct tas_rough_region *was = &dec->regions[region->id];
    bool is_inside = (uint32_t)region->x + region->width <= pic->width &&
                     (uint32_t)region->y + region->height <= pic->height;
    bool is_same = was->x == region->x && was->y == region->y && was->width == region->width &&
                   was->height == region->height && was->codec == region->codec;
    return is_inside && (region->is_start || is_same) && !dec->is_shown[region->id];
}

/* All regions together are no larger than the picture: a decoder of video takes memory by its size. */
static bool has_room(const struct tas_decoder *dec, const struct tas_rough_region *region) {
    uint64_t area = 0;
    for (uint8_t id = 0; id < TAS_REGIONS; id++) {
        const struct tas_rough_region *r = id == region->id ? region : &dec->regions[id];
        area += (uint64_t)r->width * r->height;
    }
    return area <= (uint64_t)dec->canvas.pic.width * dec->canvas.pic.height;
}

static int paint_video(struct tas_decoder *dec, const struct tas_section *section) {
    struct tas_rough_region region = section->region;
    if (!is_sound_region(dec, &region) || !has_room(dec, &region))
        return TAS_E_PROTO;
    dec->is_shown[region.id] = true;
    region.px = tas_canvas_row(&dec->canvas, region.y) + region.x;
    region.stride = dec->canvas.pic.stride;
    dec->regions[region.id] = region;
    int err = dec->painter->video(dec->painter->ctx, &region, section->data);
    if (err != TAS_OK)
        return err;
    tas_canvas_roughen(&dec->canvas, region.x, region.y, region.width, region.height);
    tas_tiles_set_rect(&dec->painted, region.x, region.y, region.width, region.height);
    dec->figures.chunks++;
    return TAS_OK;
}

static int paint_section(struct tas_decoder *dec, const struct tas_section *section) {
    switch (section->kind) {
    case TAS_SECTION_JPEG:
        return paint_jpeg(dec, section);
    case TAS_SECTION_VIDEO:
        return paint_video(dec, section);
    case TAS_SECTION_CLOSE:
        close_region(dec, section->region.id);
        return TAS_OK;
    }
    return TAS_E_PROTO;
}

/* All rough blocks must have been painted, and no region twice: the work stays bounded by the area. */
static int paint_sections(struct tas_decoder *dec, struct tas_bytes sections) {
    struct tas_reader r = tas_reader_of(sections);
    struct tas_section section;
    unsigned count = 0;
    tas_atlas_collect(&dec->atlas, &dec->canvas);
    memset(dec->is_shown, 0, sizeof(dec->is_shown));
    if (sections.len > 0 && !dec->painter)
        return TAS_E_ABSENT;
    while (r.in.len > 0) {
        int err = count++ < 1 + 2 * TAS_REGIONS ? tas_section_decode(&r, &section) : TAS_E_PROTO;
        if (err == TAS_OK)
            err = paint_section(dec, &section);
        if (err != TAS_OK)
            return err;
    }
    return dec->atlas.count == 0 ? TAS_OK : TAS_E_PROTO;
}

/* ---- a frame ---- */

/* coded | sections | checksum */
static int decode_body(struct tas_decoder *dec, struct tas_bytes body, size_t sections_len) {
    if (body.len < sections_len + TAS_FRAME_TAIL_LEN)
        return TAS_E_PROTO;
    size_t coded_len = body.len - TAS_FRAME_TAIL_LEN - sections_len;
    struct tas_reader tail =
        tas_reader_of(tas_bytes_of(body.ptr + coded_len + sections_len, TAS_FRAME_TAIL_LEN));
    int err = decode_coded(dec, tas_bytes_of(body.ptr, coded_len + TAS_RC_TAIL), tas_read_u16(&tail));
    if (err != TAS_OK)
        return err;
    return paint_sections(dec, tas_bytes_of(body.ptr + coded_len, sections_len));
}

static int decode(struct tas_decoder *dec, struct tas_bytes frame) {
    struct tas_frame_head head;
    if (frame.len > TAS_FRAME_MAX)
        return TAS_E_LIMIT;
    int err = tas_frame_head_decode(&head, frame);
    if (err != TAS_OK)
        return err;
    if (!follows(dec, &head))
        return TAS_E_STATE;

    size_t head_len = tas_frame_head_len(head.flags);
    tas_tiles_clear(&dec->painted);
    start_anew(dec, &head);
    tas_model_be_quick(dec->canvas.model, head.flags & TAS_FRAME_QUICK);
    err = decode_body(dec, tas_bytes_of(frame.ptr + head_len, frame.len - head_len), head.sections_len);
    if (err != TAS_OK)
        return err;
    dec->stream = head.stream;
    dec->seq = head.seq;
    dec->needs_reset = false;
    dec->figures.frames++;
    return TAS_OK;
}

int tas_decoder_frame(struct tas_decoder *dec, struct tas_bytes frame, struct tas_tiles *changed) {
    int err = decode(dec, frame);
    if (err == TAS_OK && changed)
        tas_tiles_merge(changed, &dec->painted);
    if (err != TAS_OK && err != TAS_E_STATE)
        dec->needs_reset = true;
    return err;
}

const struct tas_picture *tas_decoder_picture(const struct tas_decoder *dec) {
    return &dec->canvas.pic;
}

uint32_t tas_decoder_seq(const struct tas_decoder *dec) {
    return dec->seq;
}

void tas_decoder_figures(const struct tas_decoder *dec, struct tas_decoder_figures *out) {
    *out = dec->figures;
    out->rough_tiles = tas_tiles_count(&dec->canvas.rough);
}
