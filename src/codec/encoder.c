#include "codec/encoder_private.h"

#include <assert.h>
#include <stdlib.h>

enum {
    QUICK_PX = 64 * 1024, /* so many to be coded by context: time counts for more than bytes */
    LIKELY_PX_BYTES = 6,  /* dearer than noise: when a row of tiles has so much room, nothing is kept for
                             taking it back */
};

/* Learnt averages move by 1 / LEARN of the news. */
static const double LEARN = 8;

static int alloc_parts(struct tas_encoder *enc, const struct tas_encoder_config *config) {
    uint32_t width = config->width, height = config->height;
    if (tas_canvas_init(&enc->canvas, width, height, config->model_bits) != TAS_OK ||
        tas_atlas_init(&enc->atlas, &enc->canvas) != TAS_OK ||
        tas_tiles_init(&enc->unknown, width, height) != TAS_OK ||
        tas_tiles_init(&enc->changed, width, height) != TAS_OK ||
        tas_tiles_init(&enc->painted, width, height) != TAS_OK)
        return TAS_E_NOMEM;
    enc->checkpoint = tas_model_new(config->model_bits);
    enc->motion = tas_motion_new(width, height);
    enc->index = tas_cache_index_new();
    enc->tiles = calloc((size_t)enc->canvas.tiles_across * enc->canvas.tiles_down, sizeof(*enc->tiles));
    enc->rows = calloc(enc->canvas.tiles_down, sizeof(*enc->rows));
    return enc->checkpoint && enc->motion && enc->index && enc->tiles && enc->rows ? TAS_OK : TAS_E_NOMEM;
}

struct tas_encoder *tas_encoder_new(const struct tas_encoder_config *config) {
    if (!tas_picture_size_is_valid(config->width, config->height) ||
        config->model_bits < TAS_CODEC_MODEL_BITS_MIN || config->model_bits > TAS_CODEC_MODEL_BITS_MAX)
        return NULL;
    struct tas_encoder *enc = calloc(1, sizeof(*enc));
    if (!enc)
        return NULL;
    enc->stream = config->stream;
    enc->rough = config->rough;
    enc->forced = config->forced;
    enc->rough_bytes = TAS_ROUGH_BLOCK_BYTES;
    enc->exact_bytes = TAS_EXACT_BLOCK_BYTES;
    enc->lit_bytes = TAS_LIT_BLOCK_BYTES;
    if (alloc_parts(enc, config) != TAS_OK) {
        tas_encoder_free(enc);
        return NULL;
    }
    return enc;
}

void tas_encoder_free(struct tas_encoder *enc) {
    if (!enc)
        return;
    region_forget(enc);
    tas_model_free(enc->checkpoint);
    tas_motion_free(enc->motion);
    tas_cache_index_free(enc->index);
    tas_atlas_fini(&enc->atlas);
    tas_canvas_fini(&enc->canvas);
    tas_tiles_fini(&enc->unknown);
    tas_tiles_fini(&enc->changed);
    tas_tiles_fini(&enc->painted);
    free(enc->tiles);
    free(enc->rows);
    free(enc);
}

uint32_t tas_encoder_seq(const struct tas_encoder *enc) {
    return enc->seq;
}

const struct tas_tiles *tas_encoder_painted(const struct tas_encoder *enc) {
    return &enc->painted;
}

const struct tas_picture *tas_encoder_picture(const struct tas_encoder *enc) {
    return &enc->canvas.pic;
}

static void forget_kept(struct tas_encoder *enc) {
    tas_cache_index_clear(enc->index);
    for (size_t i = 0; i < (size_t)enc->canvas.tiles_across * enc->canvas.tiles_down; i++)
        enc->tiles[i].is_kept = false;
}

static void start_anew(struct tas_encoder *enc, const struct tas_tiles *tiles, unsigned flags) {
    if (!flags)
        return;
    tas_canvas_reset(&enc->canvas, flags & TAS_FRAME_RESET);
    forget_kept(enc);
    region_forget(enc);
    if (flags & TAS_FRAME_RESET) {
        tas_tiles_clear(&enc->unknown);
        enc->pending = TAS_FRAME_RESET;
    } else {
        tas_tiles_merge(&enc->unknown, tiles);
        if (!enc->pending)
            enc->pending = TAS_FRAME_RESET_MODEL;
    }
}

/* ---- what has changed ---- */

/* Of `tiles`, those that differ go into enc->changed; the others are cleared. */
static void compare(struct tas_encoder *enc, const struct tas_picture *src, struct tas_tiles *tiles) {
    for (uint32_t ty = 0; ty < tiles->down; ty++)
        for (uint32_t tx = 0; tx < tiles->across; tx++) {
            if (!tas_tiles_get(tiles, tx, ty))
                continue;
            if (tas_tiles_get(&enc->unknown, tx, ty) || plan_differs(enc, src, tx, ty))
                tas_tiles_set(&enc->changed, tx, ty);
            else
                tas_tiles_unset(tiles, tx, ty);
        }
}

/* After moves: what is right now needs no more; what they made wrong does. */
static void compare_again(struct tas_encoder *enc, const struct tas_picture *src, struct tas_tiles *tiles) {
    for (uint32_t ty = 0; ty < tiles->down; ty++)
        for (uint32_t tx = 0; tx < tiles->across; tx++) {
            if (!tas_tiles_get(&enc->painted, tx, ty))
                continue;
            enum tas_motion_tile tile = tas_motion_tile_after(enc->motion, tx, ty);
            if (tile == TAS_MOTION_TILE_UNKNOWN ? plan_differs(enc, src, tx, ty)
                                                : tile == TAS_MOTION_TILE_WRONG)
                tas_tiles_set(tiles, tx, ty);
            else
                tas_tiles_unset(tiles, tx, ty);
        }
}

static bool is_worth_keeping(struct tas_encoder *enc, uint32_t tx, uint32_t ty, uint64_t now_us) {
    const struct tas_canvas *canvas = &enc->canvas;
    const struct tile_info *info = encoder_tile(enc, tx, ty);
    return tas_canvas_has_whole(canvas, tx, ty) && !info->is_kept &&
           now_us - info->changed_us >= TAS_KEEP_STILL_US && !tas_tiles_get(&canvas->rough, tx, ty) &&
           !tas_tiles_get(&enc->unknown, tx, ty);
}

static void on_kept(void *ctx, uint32_t tx, uint32_t ty, uint32_t slot) {
    struct tas_encoder *enc = ctx;
    const struct tas_canvas *canvas = &enc->canvas;
    encoder_tile(enc, tx, ty)->is_kept = true;
    tas_cache_index_add(enc->index, slot, tas_canvas_row(canvas, ty * TAS_TILE) + tx * TAS_TILE,
                        canvas->pic.stride);
}

static void choose_kept(struct tas_encoder *enc, uint64_t now_us) {
    struct tas_canvas *canvas = &enc->canvas;
    if (tas_cache_slots(canvas->cache) == 0 || enc->pending || enc->forced)
        return;
    for (uint32_t ty = 0; ty < canvas->tiles_down; ty++)
        for (uint32_t tx = 0; tx < canvas->tiles_across; tx++)
            canvas->kept[(size_t)ty * canvas->tiles_across + tx] =
                tas_tiles_get(&enc->changed, tx, ty) && is_worth_keeping(enc, tx, ty, now_us);
    tas_canvas_keep(canvas, on_kept, enc);
}

static void note_painted(struct tas_encoder *enc, uint32_t tx, uint32_t ty, bool is_kept, uint8_t quality,
                         uint64_t now_us) {
    struct tile_info *info = encoder_tile(enc, tx, ty);
    info->changed_us = now_us;
    info->is_kept = is_kept;
    info->quality = quality;
}

/* Nothing moves while something is unknown, or starts anew: it could come from there. */
static void choose_moves(struct tas_encoder *enc, const struct tas_picture *src, struct tas_tiles *tiles,
                         uint64_t now_us) {
    struct tas_canvas *canvas = &enc->canvas;
    struct tas_tiles *changed = &enc->changed;
    if (enc->pending || tas_tiles_count(&enc->unknown) > 0 || tas_tiles_count(changed) < 2)
        return;
    if (enc->region.is_open)
        for (uint32_t ty = enc->region.ty; ty < enc->region.ty + enc->region.down; ty++)
            for (uint32_t tx = enc->region.tx; tx < enc->region.tx + enc->region.across; tx++)
                tas_tiles_unset(changed, tx, ty); /* they are looked at again after the moves */
    canvas->n_moves = tas_motion_find(enc->motion, &canvas->pic, src, changed, canvas->moves);
    tas_canvas_move(canvas, &enc->painted);
    compare_again(enc, src, tiles);
    tas_tiles_clear(changed);
    tas_tiles_merge(changed, tiles);
    for (uint32_t ty = 0; ty < tiles->down; ty++)
        for (uint32_t tx = 0; tx < tiles->across; tx++)
            if (tas_tiles_get(&enc->painted, tx, ty))
                note_painted(enc, tx, ty, false, 1, now_us); /* of what came along nothing is known */
}

/* ---- rows of tiles ---- */

static size_t used(const struct tas_rc *rc) {
    return rc->len + rc->pending;
}

/* A row of tiles as it was before it was tried: its pixels lie in the canvas's scratch, which moves need no
 * longer. */
struct row_before {
    uint8_t is_rough[TAS_PICTURE_MAX / TAS_TILE];
};

static void copy_row(struct tas_encoder *enc, uint32_t ty, bool is_back) {
    const struct tas_picture *pic = &enc->canvas.pic;
    uint32_t *kept = enc->canvas.scratch;
    uint32_t y = ty * TAS_TILE, end = y + tas_clip(y, pic->height, TAS_TILE);
    for (; y < end; y++, kept += pic->width) {
        uint32_t *row = tas_canvas_row(&enc->canvas, y);
        memcpy(is_back ? row : kept, is_back ? kept : row, pic->width * sizeof(*row));
    }
}

static void keep_row(struct tas_encoder *enc, uint32_t ty, struct row_before *before) {
    tas_canvas_use_scratch(&enc->canvas,
                           (size_t)tas_clip(0, enc->canvas.pic.height, TAS_TILE) * enc->canvas.pic.width);
    copy_row(enc, ty, false);
    for (uint32_t tx = 0; tx < enc->canvas.tiles_across; tx++)
        before->is_rough[tx] = tas_tiles_get(&enc->canvas.rough, tx, ty);
}

static void restore_row(struct tas_encoder *enc, uint32_t ty, const struct row_before *before) {
    copy_row(enc, ty, true);
    for (uint32_t tx = 0; tx < enc->canvas.tiles_across; tx++) {
        tas_tiles_unset(&enc->canvas.rough, tx, ty);
        if (before->is_rough[tx])
            tas_tiles_set(&enc->canvas.rough, tx, ty);
    }
}

static size_t likely_bytes(const struct tas_encoder *enc, uint32_t ty) {
    const struct row_plan *row = &enc->rows[ty];
    return (size_t)(row->exact + row->lit) * TAS_BLOCK * TAS_BLOCK * LIKELY_PX_BYTES +
           (size_t)enc->canvas.tiles_across * TAS_CANVAS_TILE_MAX;
}

/* Codes a row of tiles, or leaves all as it was: TAS_E_FULL. TAS_E_LIMIT: it was dearer than anything should
 * be, and there is no way back. */
static int try_row(struct tas_encoder *enc, struct tas_rc *rc, size_t rows_cap, const struct tas_picture *src,
                   uint32_t ty) {
    struct tas_canvas *canvas = &enc->canvas;
    const struct tas_rc rc_before = *rc;
    const bool had[3] = {canvas->had_row, canvas->had_cached, canvas->had_fresh};
    uint32_t sum_before[2][TAS_BLOCK];
    struct row_before before;
    size_t room = used(rc) < rows_cap ? rows_cap - used(rc) : 0;
    bool may_overflow = likely_bytes(enc, ty) > room;
    memcpy(sum_before, canvas->sum, sizeof(sum_before));
    if (may_overflow) { /* takes a while: not when it is hardly needed */
        tas_model_copy(enc->checkpoint, canvas->model);
        keep_row(enc, ty, &before);
    }

    tas_canvas_encode_row(canvas, rc, src, ty);
    if (!rc->bad && used(rc) <= rows_cap)
        return TAS_OK;
    if (!may_overflow)
        return TAS_E_LIMIT;
    *rc = rc_before;
    canvas->had_row = had[0], canvas->had_cached = had[1], canvas->had_fresh = had[2];
    memcpy(canvas->sum, sum_before, sizeof(sum_before));
    tas_model_copy(canvas->model, enc->checkpoint);
    restore_row(enc, ty, &before);
    return TAS_E_FULL;
}

/* Codes the selected rows until rows_cap is reached: what is behind it is for the rest, "nothing has changed"
 * and the coder's end. *coded: how many. TAS_E_LIMIT as above. */
static int code_rows(struct tas_encoder *enc, struct tas_rc *rc, size_t rows_cap,
                     const struct tas_picture *src, unsigned *coded) {
    bool is_full = false;
    *coded = 0;
    for (uint32_t ty = 0; ty < enc->canvas.tiles_down; ty++) {
        if (enc->rows[ty].is_selected && !is_full) {
            int err = try_row(enc, rc, rows_cap, src, ty);
            if (err == TAS_E_LIMIT)
                return err;
            is_full = err != TAS_OK;
        }
        if (is_full)
            plan_drop_row(enc, ty);
        if (enc->rows[ty].is_selected)
            ++*coded;
        else
            tas_canvas_encode_empty(&enc->canvas, rc);
    }
    return TAS_OK;
}

/* The decoder has this row of tiles now. Photographs that wait stay due. */
static void settle_row(struct tas_encoder *enc, const struct tas_picture *src, struct tas_tiles *tiles,
                       uint32_t ty, const struct tas_frame_order *order) {
    for (uint32_t tx = 0; tx < enc->canvas.tiles_across; tx++) {
        uint8_t kind = enc->canvas.tiles[(size_t)ty * enc->canvas.tiles_across + tx];
        if (kind == TAS_TILE_SAME)
            continue;
        tas_tiles_unset(&enc->unknown, tx, ty);
        if (tiles)
            note_painted(enc, tx, ty, kind == TAS_TILE_CACHED, enc->jpeg_quality, order->capture_us);
        else
            encoder_tile(enc, tx, ty)->quality = enc->jpeg_quality;
        if (tiles && !(enc->holds_photos && plan_differs(enc, src, tx, ty)))
            tas_tiles_unset(tiles, tx, ty);
    }
}

static void settle(struct tas_encoder *enc, const struct tas_picture *src, struct tas_tiles *tiles,
                   const struct tas_frame_order *order) {
    for (uint32_t ty = 0; ty < enc->canvas.tiles_down; ty++)
        if (enc->rows[ty].is_selected)
            settle_row(enc, src, tiles, ty, order);
}

/* These are painted in our copy, whatever becomes of the frame. */
static void mark_painted(struct tas_encoder *enc) {
    for (uint32_t ty = 0; ty < enc->canvas.tiles_down; ty++)
        for (uint32_t tx = 0; tx < enc->canvas.tiles_across; tx++)
            if (enc->canvas.tiles[(size_t)ty * enc->canvas.tiles_across + tx] != TAS_TILE_SAME)
                tas_tiles_set(&enc->painted, tx, ty);
}

/* ---- sections ---- */

static void learn(double *average, size_t bytes, uint32_t blocks) {
    if (blocks > 0)
        *average += ((double)bytes / blocks - *average) / LEARN;
}

/* All rough blocks as one JPEG; rougher when there is no room, and of one colour when nothing else helps. */
static int write_jpeg(struct tas_encoder *enc, const struct tas_picture *src,
                      const struct tas_frame_order *order, struct tas_writer *w) {
    struct tas_section section = {
        .kind = TAS_SECTION_JPEG, .quality = order->quality, .is_full_colour = order->is_full_colour};
    tas_atlas_collect(&enc->atlas, &enc->canvas);
    if (enc->atlas.count == 0)
        return TAS_OK;
    section.quality = section.quality ? section.quality : 50; /* forced by a test */
    tas_atlas_gather(&enc->atlas, &enc->canvas, src);
    struct tas_rough_jpeg jpeg = {.atlas = tas_atlas_picture(&enc->atlas)};
    size_t len = 0, room = w->cap - w->len - TAS_SECTION_JPEG_LEN;
    bool is_plain = false;
    for (;;) {
        jpeg.quality = section.quality;
        jpeg.is_full_colour = section.is_full_colour;
        int err =
            enc->rough->jpeg(enc->rough->ctx, &jpeg, w->out + w->len + TAS_SECTION_JPEG_LEN, room, &len);
        if (err == TAS_OK)
            break;
        if (err != TAS_E_FULL)
            return err;
        if (is_plain) /* a coder that cannot do this can do nothing */
            return TAS_E_FULL;
        is_plain = section.quality == 1;
        if (is_plain)
            memset(jpeg.atlas.px, 0, (size_t)jpeg.atlas.stride * jpeg.atlas.height * sizeof(uint32_t));
        section.quality = section.quality > 1 ? section.quality / 2 : 1;
        section.is_full_colour = false;
    }
    enc->jpeg_quality = is_plain ? 1 : section.quality;
    tas_section_encode(w, &section, len);
    w->len += len;
    tas_atlas_take(&enc->atlas, &enc->canvas, src);
    learn(&enc->rough_bytes, len, enc->atlas.count);
    return TAS_OK;
}

static void settle_region(struct tas_encoder *enc, struct tas_tiles *tiles, uint64_t now_us) {
    for (uint32_t ty = enc->region.ty; ty < enc->region.ty + enc->region.down; ty++)
        for (uint32_t tx = enc->region.tx; tx < enc->region.tx + enc->region.across; tx++) {
            tas_tiles_unset(tiles, tx, ty);
            tas_tiles_set(&enc->painted, tx, ty);
            note_painted(enc, tx, ty, false, 1, now_us);
        }
}

/* `tiles` NULL: a refinement, from the canvas itself. */
static int write_sections(struct tas_encoder *enc, const struct tas_picture *src, struct tas_tiles *tiles,
                          const struct tas_frame_order *order, struct tas_writer *w) {
    int err = write_jpeg(enc, src, order, w);
    if (err != TAS_OK)
        return err;
    if (enc->closes_region && w->cap - w->len >= TAS_SECTION_CLOSE_LEN) {
        tas_section_encode(w, &(struct tas_section){.kind = TAS_SECTION_CLOSE}, 0);
        enc->closes_region = false;
    }
    if (tiles && enc->region.is_open && enc->region.has_chunk) {
        err = region_encode(enc, src, order, w);
        if (err == TAS_OK)
            settle_region(enc, tiles, order->capture_us);
        else if (err != TAS_E_FULL)
            return err;
    }
    return TAS_OK;
}

/* ---- a frame ---- */

/* Where a frame is written, and what of it stands. */
struct draft {
    uint8_t *out;
    size_t cap;
    struct tas_frame_head head;
    size_t head_len, reserve; /* reserve: for sections */
    size_t rows_cap;          /* of the coded part: no row of tiles goes beyond */
    struct tas_rc rc;
};

static uint32_t rough_blocks(const struct tas_encoder *enc) {
    uint32_t count = 0;
    for (uint32_t ty = 0; ty < enc->canvas.tiles_down; ty++)
        count += enc->rows[ty].is_selected ? enc->rows[ty].rough : 0;
    return count;
}

static struct draft begin_draft(struct tas_encoder *enc, const struct tas_frame_order *order, uint8_t *out,
                                size_t cap) {
    uint32_t rough = rough_blocks(enc);
    bool has_chunk = enc->region.is_open && enc->region.has_chunk;
    struct draft d = {.out = out, .cap = cap < TAS_FRAME_MAX ? cap : TAS_FRAME_MAX};
    d.head.flags = (uint8_t)(enc->pending | (plan_exact_px(enc) > QUICK_PX ? TAS_FRAME_QUICK : 0));
    tas_model_be_quick(enc->canvas.model, d.head.flags & TAS_FRAME_QUICK);
    if (rough > 0 || has_chunk || enc->closes_region) {
        d.head.flags |= TAS_FRAME_ROUGH;
        d.reserve = 64 + (size_t)rough * TAS_ROUGH_LEAST + (has_chunk ? d.cap / 4 : 0);
        d.reserve = d.reserve < d.cap / 2 ? d.reserve : d.cap / 2;
    }
    d.head.stream = enc->stream;
    d.head.seq = enc->seq + 1;
    d.head.capture_us = (uint32_t)order->capture_us;
    d.head_len = tas_frame_head_len(d.head.flags);
    /* Behind the last row that fits come the others, 12 bits each at most, and the coder's end. */
    size_t rest = 16 + 2 * (size_t)enc->canvas.tiles_down;
    d.rc = tas_rc_encoder_of(out + d.head_len, d.cap - d.head_len - TAS_FRAME_TAIL_LEN - d.reserve);
    d.rows_cap = d.rc.cap - rest;
    return d;
}

/* sections | checksum behind the coded part, and the head in front. */
static int end_draft(struct tas_encoder *enc, struct draft *d, const struct tas_picture *src,
                     struct tas_tiles *tiles, const struct tas_frame_order *order, size_t *out_len) {
    tas_rc_finish(&d->rc);
    assert(!d->rc.bad);
    size_t coded_len = d->head_len + d->rc.len;
    struct tas_writer w = tas_writer_of(d->out + coded_len, d->cap - coded_len - TAS_FRAME_TAIL_LEN);
    if (d->head.flags & TAS_FRAME_ROUGH) {
        int err = write_sections(enc, src, tiles, order, &w);
        if (err != TAS_OK)
            return err;
    }
    assert(!w.bad);
    settle(enc, src, tiles, order); /* after the sections: only now photographs are painted */
    d->head.sections_len = (uint32_t)w.len;
    if (!tiles || tas_tiles_count(tiles) == 0)
        d->head.flags |= TAS_FRAME_LAST;
    tas_frame_head_encode(d->out, &d->head);
    w.cap += TAS_FRAME_TAIL_LEN;
    tas_write_u16(&w, tas_canvas_sum(&enc->canvas));
    if (d->head.flags & TAS_FRAME_RESET)
        tas_tiles_set_all(&enc->painted);
    *out_len = coded_len + w.len;
    enc->seq++;
    enc->pending = 0;
    return TAS_OK;
}

/* The decoder will never see what was painted here: it starts anew, with the next call. */
static void give_up(struct tas_encoder *enc, struct tas_tiles *tiles) {
    mark_painted(enc);
    tas_tiles_merge(&enc->unknown, &enc->changed);
    tas_tiles_merge(&enc->unknown, &enc->painted);
    tas_canvas_reset(&enc->canvas, false);
    forget_kept(enc);
    region_forget(enc);
    if (!enc->pending)
        enc->pending = TAS_FRAME_RESET_MODEL;
    if (tiles)
        tas_tiles_merge(tiles, &enc->unknown);
}

static void learn_costs(struct tas_encoder *enc, size_t bytes) {
    uint32_t exact = 0, lit = 0;
    for (uint32_t ty = 0; ty < enc->canvas.tiles_down; ty++) {
        exact += enc->rows[ty].is_selected ? enc->rows[ty].exact : 0;
        lit += enc->rows[ty].is_selected ? enc->rows[ty].lit : 0;
    }
    if (lit == 0)
        learn(&enc->exact_bytes, bytes, exact);
    else if (exact * enc->exact_bytes * 4 < (double)bytes)
        learn(&enc->lit_bytes, bytes - (size_t)(exact * enc->exact_bytes), lit);
}

static bool has_kept(const struct tas_canvas *canvas) {
    return memchr(canvas->kept, true, (size_t)canvas->tiles_across * canvas->tiles_down);
}

static bool has_rows(const struct tas_encoder *enc) {
    for (uint32_t ty = 0; ty < enc->canvas.tiles_down; ty++)
        if (enc->rows[ty].is_selected)
            return true;
    return false;
}

/* Is there something to say besides rows of tiles? */
static bool has_others(const struct tas_encoder *enc) {
    return enc->canvas.n_moves > 0 || has_kept(&enc->canvas) || enc->closes_region ||
           (enc->region.is_open && enc->region.has_chunk);
}

/* Writes what was planned. tiles NULL: a refinement. */
static int code_frame(struct tas_encoder *enc, const struct tas_picture *src, struct tas_tiles *tiles,
                      const struct tas_frame_order *order, uint8_t *out, size_t cap, size_t *out_len) {
    struct tas_model_heads *heads = tas_model_heads(enc->canvas.model), heads_before = *heads;
    unsigned coded;
    bool is_empty = !has_rows(enc) && !has_others(enc);
    if (is_empty && !enc->pending)
        return TAS_OK;
    struct draft d = begin_draft(enc, order, out, cap);
    tas_canvas_encode_kept(&enc->canvas, &d.rc);
    tas_canvas_encode_moves(&enc->canvas, &d.rc);
    size_t before = used(&d.rc);
    int err = code_rows(enc, &d.rc, d.rows_cap, tiles ? src : NULL, &coded);
    if (err == TAS_OK && coded == 0 && !is_empty && !has_others(enc)) {
        *heads = heads_before; /* no frame, so the decoder will not learn that rows were empty */
        return TAS_E_LIMIT;
    }
    if (err == TAS_OK) {
        learn_costs(enc, used(&d.rc) - before);
        mark_painted(enc);
        err = end_draft(enc, &d, src, tiles, order, out_len);
    }
    if (err != TAS_OK)
        give_up(enc, tiles);
    return err == TAS_E_LIMIT ? TAS_OK : err;
}

static void begin(struct tas_encoder *enc) {
    tas_canvas_begin(&enc->canvas);
    memset(enc->rows, 0, enc->canvas.tiles_down * sizeof(*enc->rows));
    enc->jpeg_quality = 0;
    enc->holds_photos = false;
    tas_tiles_clear(&enc->changed);
    tas_tiles_clear(&enc->painted);
    enc->region.has_chunk = false;
}

int tas_encoder_frame(struct tas_encoder *enc, const struct tas_picture *src, struct tas_tiles *tiles,
                      const struct tas_frame_order *order, uint8_t *out, size_t cap, size_t *out_len) {
    const struct tas_picture *pic = &enc->canvas.pic;
    assert(src->width == pic->width && src->height == pic->height && cap >= TAS_FRAME_CAP_MIN);
    assert(tiles->across == enc->canvas.tiles_across && tiles->down == enc->canvas.tiles_down);
    assert(order->flags == 0 || order->flags == TAS_FRAME_RESET || order->flags == TAS_FRAME_RESET_MODEL);
    assert(enc->seq > 0 || enc->pending || order->flags);
    *out_len = 0;
    if (enc->seq == UINT32_MAX)
        return TAS_E_STATE;

    start_anew(enc, tiles, order->flags);
    tas_tiles_merge(tiles, &enc->unknown);
    begin(enc);
    compare(enc, src, tiles);
    if (tas_tiles_count(tiles) == 0 && !enc->pending)
        return TAS_OK;
    choose_kept(enc, order->capture_us);
    choose_moves(enc, src, tiles, order->capture_us);
    plan_frame(enc, src, order);
    plan_select(enc, order, cap);
    return code_frame(enc, src, tiles, order, out, cap, out_len);
}

int tas_encoder_refine(struct tas_encoder *enc, uint64_t still_us, const struct tas_frame_order *order,
                       uint8_t *out, size_t cap, size_t *out_len) {
    assert(order->flags == 0 && cap >= TAS_FRAME_CAP_MIN);
    *out_len = 0;
    if (enc->seq == UINT32_MAX)
        return TAS_E_STATE;
    if (enc->pending || tas_tiles_count(&enc->unknown) > 0)
        return TAS_OK; /* what is unknown is coded first, and exactly what it will look like is not known */
    begin(enc);
    if (enc->region.is_open && order->capture_us >= region_end_us(enc))
        region_end(enc, order); /* no film any more: its pixels are due as well */
    plan_refine(enc, still_us, order);
    plan_select(enc, order, cap);
    return code_frame(enc, &enc->canvas.pic, NULL, order, out, cap, out_len);
}

uint64_t tas_encoder_rough_since_us(const struct tas_encoder *enc, uint8_t quality) {
    uint64_t since_us = UINT64_MAX;
    const struct tas_canvas *canvas = &enc->canvas;
    for (uint32_t ty = 0; ty < canvas->tiles_down; ty++)
        for (uint32_t tx = 0; tx < canvas->tiles_across; tx++) {
            const struct tile_info *info = &enc->tiles[(size_t)ty * canvas->tiles_across + tx];
            bool is_due = tas_tiles_get(&canvas->rough, tx, ty) && (quality == 0 || info->quality < quality);
            uint64_t tile_us = region_has_tile(enc, tx, ty) ? region_end_us(enc) : info->changed_us;
            if (is_due && tile_us < since_us)
                since_us = tile_us;
        }
    return since_us;
}

uint64_t tas_encoder_rough_px(const struct tas_encoder *enc) {
    return (uint64_t)tas_tiles_count(&enc->canvas.rough) * TAS_TILE * TAS_TILE;
}

uint32_t tas_encoder_pixels(const struct tas_encoder *enc) {
    return plan_work(enc);
}

const struct tas_tiles *tas_encoder_rough(const struct tas_encoder *enc) {
    return &enc->canvas.rough;
}

const struct tas_tiles *tas_encoder_unknown(const struct tas_encoder *enc) {
    return &enc->unknown;
}
