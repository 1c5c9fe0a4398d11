#include "codec_forger.h"

#include "codec/frame_private.h"

#include <assert.h>

enum { ROOM = 4096 /* bytes for sections, and for noise behind broken ones */ };

int forger_init(struct forger *forger, uint32_t width, uint32_t height, unsigned model_bits, uint64_t seed) {
    *forger = (struct forger){.random = scene_random_of(seed), .scene = scene_new(width, height, seed)};
    int err = tas_tiles_init(&forger->painted, width, height);
    int canvas = tas_canvas_init(&forger->canvas, width, height, model_bits);
    int mirror = tas_canvas_init(&forger->mirror, width, height, model_bits);
    return forger->scene && err == TAS_OK && canvas == TAS_OK && mirror == TAS_OK ? TAS_OK : TAS_E_NOMEM;
}

void forger_fini(struct forger *forger) {
    scene_free(forger->scene);
    tas_tiles_fini(&forger->painted);
    tas_canvas_fini(&forger->canvas);
    tas_canvas_fini(&forger->mirror);
}

/* --- what is in a frame --- */

static struct scene_rect whole(const struct tas_canvas *canvas) {
    return (struct scene_rect){0, 0, canvas->pic.width, canvas->pic.height};
}

static void keep_some(struct forger *forger) {
    struct tas_canvas *canvas = &forger->canvas;
    uint32_t percent = scene_chance(&forger->random, 50) ? scene_below(&forger->random, 100) : 0;
    for (uint32_t ty = 0; ty < canvas->tiles_down; ty++)
        for (uint32_t tx = 0; tx < canvas->tiles_across; tx++)
            canvas->kept[(size_t)ty * canvas->tiles_across + tx] = tas_cache_slots(canvas->cache) > 0 &&
                                                                   tas_canvas_has_whole(canvas, tx, ty) &&
                                                                   scene_chance(&forger->random, percent);
    tas_canvas_keep(canvas, NULL, NULL);
}

static struct tas_move any_move(struct forger *forger) {
    struct scene_rect all = whole(&forger->canvas), rect = scene_rect_in(&forger->random, all, all.w);
    uint32_t from_x = scene_below(&forger->random, all.w - rect.w + 1),
             from_y = scene_below(&forger->random, all.h - rect.h + 1);
    return (struct tas_move){.x = (uint16_t)rect.x,
                             .y = (uint16_t)rect.y,
                             .w = (uint16_t)rect.w,
                             .h = (uint16_t)rect.h,
                             .dx = (int16_t)((int)from_x - (int)rect.x),
                             .dy = (int16_t)((int)from_y - (int)rect.y)};
}

static void move_some(struct forger *forger) {
    struct tas_canvas *canvas = &forger->canvas;
    size_t room = 2 * (size_t)canvas->pic.width * canvas->pic.height;
    uint32_t count = scene_chance(&forger->random, 50) ? scene_below(&forger->random, TAS_MOVES_MAX) : 0;
    for (canvas->n_moves = 0; count > 0; count--) {
        struct tas_move move = any_move(forger);
        size_t area = (size_t)move.w * move.h;
        if (area > room || !tas_move_is_valid(&move, canvas->pic.width, canvas->pic.height))
            continue;
        room -= area;
        canvas->moves[canvas->n_moves++] = move;
    }
    tas_canvas_move(canvas, &forger->painted);
}

static enum tas_tile_kind any_kind(struct forger *forger, uint32_t tx, uint32_t ty) {
    struct tas_canvas *canvas = &forger->canvas;
    uint32_t slots = tas_cache_slots(canvas->cache);
    uint16_t slot = (uint16_t)(slots > 0 ? scene_below(&forger->random, slots) : 0);
    switch (scene_below(&forger->random, 4)) {
    case 0:
        return TAS_TILE_CODED;
    case 1:
        return TAS_TILE_FRESH;
    case 2:
        if (!tas_canvas_has_whole(canvas, tx, ty) || !tas_cache_has(canvas->cache, slot))
            return TAS_TILE_SAME;
        canvas->slots[(size_t)ty * canvas->tiles_across + tx] = slot;
        return TAS_TILE_CACHED;
    default:
        return TAS_TILE_SAME;
    }
}

/* The whole tile, that of the tile before, or anything, even the wrong way round. */
static struct tas_clip_range any_clip(struct forger *forger, uint32_t tile) {
    struct tas_clip_range clip = {{0, 0}, {TAS_TILE, TAS_TILE}};
    const struct tas_clip_range *before = tile > 0 ? &forger->canvas.clips[tile - 1] : NULL;
    if (before && before->to[0] > 0 && scene_chance(&forger->random, 30)) /* 0: there was none yet */
        return *before;
    for (unsigned axis = 0; axis < 2 && scene_chance(&forger->random, 60); axis++) {
        clip.from[axis] = (uint8_t)scene_below(&forger->random, TAS_TILE);
        clip.to[axis] = (uint8_t)(1 + scene_below(&forger->random, TAS_TILE));
    }
    return clip;
}

static void choose_tiles(struct forger *forger, uint32_t ty) {
    struct tas_canvas *canvas = &forger->canvas;
    for (uint32_t tx = 0; tx < canvas->tiles_across; tx++) {
        uint32_t tile = ty * canvas->tiles_across + tx;
        canvas->tiles[tile] = (uint8_t)any_kind(forger, tx, ty);
        canvas->clips[tile] = any_clip(forger, tile);
    }
}

/* Any mode for each block, or one for most. */
static void choose_row(struct forger *forger, uint32_t ty) {
    struct tas_canvas *canvas = &forger->canvas;
    uint8_t usual = (uint8_t)scene_below(&forger->random, TAS_BLOCK_ROUGH + 1);
    uint32_t percent = scene_below(&forger->random, 100);
    choose_tiles(forger, ty);
    for (uint32_t by = ty * TAS_BLOCKS; by < tas_canvas_blocks_end(canvas, ty); by++)
        for (uint32_t bx = 0; bx < canvas->blocks_across; bx++) {
            uint8_t kind = canvas->tiles[(size_t)ty * canvas->tiles_across + bx / TAS_BLOCKS];
            uint8_t mode = scene_chance(&forger->random, percent)
                               ? usual
                               : (uint8_t)scene_below(&forger->random, TAS_BLOCK_ROUGH + 1);
            *tas_canvas_mode(canvas, bx, by) =
                kind == TAS_TILE_CODED || kind == TAS_TILE_FRESH ? mode : TAS_BLOCK_SKIP;
        }
}

static void code_rows(struct forger *forger, struct tas_rc *rc) {
    for (uint32_t ty = 0; ty < forger->canvas.tiles_down; ty++) {
        if (scene_chance(&forger->random, 30)) {
            tas_canvas_encode_empty(&forger->canvas, rc);
            continue;
        }
        choose_row(forger, ty);
        tas_canvas_encode_row(&forger->canvas, rc, forger->scene->pic, ty);
    }
}

/* --- sections --- */

static uint32_t roughen_blocks(struct tas_canvas *canvas) {
    uint32_t count = 0;
    for (uint32_t by = 0; by < canvas->blocks_down; by++)
        for (uint32_t bx = 0; bx < canvas->blocks_across; bx++) {
            uint32_t x = bx * TAS_BLOCK, y = by * TAS_BLOCK;
            if (*tas_canvas_mode(canvas, bx, by) != TAS_BLOCK_ROUGH)
                continue;
            tas_canvas_roughen(canvas, x, y, tas_clip(x, canvas->pic.width, TAS_BLOCK),
                               tas_clip(y, canvas->pic.height, TAS_BLOCK));
            count++;
        }
    return count;
}

/* Of one colour, as rough_fake.c paints it. */
static void add_jpeg(struct forger *forger, struct tas_canvas *canvas, struct tas_writer *w) {
    if (roughen_blocks(canvas) == 0)
        return;
    tas_section_encode(w, &(struct tas_section){.kind = TAS_SECTION_JPEG, .quality = 1}, 1);
    tas_write_u8(w, (uint8_t)scene_next(&forger->random));
}

/* The regions together are no larger than the picture: more is refused. */
static bool has_room(const struct forger *forger, const struct tas_rough_region *region) {
    uint32_t area = (uint32_t)region->width * region->height;
    for (uint8_t id = 0; id < TAS_REGIONS; id++)
        area += id == region->id ? 0 : forger->areas[id];
    return area <= forger->canvas.pic.width * forger->canvas.pic.height;
}

static void add_video(struct forger *forger, struct tas_writer *w) {
    const struct tas_picture *pic = &forger->canvas.pic;
    if (pic->width < 2 || pic->height < 2 || scene_chance(&forger->random, 70))
        return;
    struct tas_section section = {.kind = TAS_SECTION_VIDEO};
    struct tas_rough_region *region = &section.region;
    *region = (struct tas_rough_region){
        .id = (uint8_t)scene_below(&forger->random, TAS_REGIONS), .codec = 1, .is_start = true};
    region->width = (uint16_t)(2 + 2 * scene_below(&forger->random, pic->width / 2));
    region->height = (uint16_t)(2 + 2 * scene_below(&forger->random, pic->height / 2));
    region->x = (uint16_t)scene_below(&forger->random, pic->width - region->width + 1);
    region->y = (uint16_t)scene_below(&forger->random, pic->height - region->height + 1);
    if (!has_room(forger, region))
        return;
    forger->areas[region->id] = (uint32_t)region->width * region->height;
    tas_section_encode(w, &section, 6);
    tas_write_u8(w, true);
    tas_write_u32(w, 0);
    tas_write_u8(w, (uint8_t)scene_next(&forger->random));
    tas_canvas_roughen(&forger->canvas, region->x, region->y, region->width, region->height);
}

/* --- frames --- */

/* Head and checksum around what was coded. */
static size_t finish(struct forger *forger, const struct tas_canvas *canvas, bool is_first, uint8_t *out,
                     struct tas_writer *sections) {
    struct tas_frame_head head = {.flags = (uint8_t)((is_first ? TAS_FRAME_RESET : 0) | TAS_FRAME_ROUGH),
                                  .stream = 7,
                                  .seq = forger->seq};
    head.sections_len = (uint32_t)sections->len;
    tas_frame_head_encode(out, &head);
    tas_write_u16(sections, tas_canvas_sum(canvas));
    assert(!sections->bad);
    return forger->coded_at + forger->coded_len + sections->len;
}

/* What an attacker's decoder makes of the coded part of `frame`: gives how many bytes that is without the
 * last TAS_RC_TAIL read; SIZE_MAX: it is refused. */
static size_t foresee(struct forger *forger, struct tas_bytes coded) {
    struct tas_canvas *canvas = &forger->mirror;
    struct tas_rc rc = tas_rc_decoder_of(coded);
    tas_canvas_begin(canvas);
    tas_canvas_decode_kept(canvas, &rc);
    if (!rc.bad)
        tas_canvas_decode_moves(canvas, &rc, &forger->painted);
    for (uint32_t ty = 0; ty < canvas->tiles_down && !rc.bad; ty++)
        tas_canvas_decode_row(canvas, &rc, ty);
    return rc.bad ? SIZE_MAX : coded.len - rc.in.len - TAS_RC_TAIL;
}

static void copy_canvas(struct tas_canvas *to, const struct tas_canvas *from) {
    for (uint32_t y = 0; y < to->pic.height; y++)
        memcpy(tas_canvas_row(to, y), tas_canvas_row(from, y), to->pic.width * sizeof(uint32_t));
    for (uint32_t ty = 0; ty < to->tiles_down; ty++)
        for (uint32_t tx = 0; tx < to->tiles_across; tx++)
            (tas_tiles_get(&from->rough, tx, ty) ? tas_tiles_set : tas_tiles_unset)(&to->rough, tx, ty);
}

/* The mirror follows the stream by what was sent. */
static void follow(struct forger *forger, const uint8_t *frame) {
    size_t len = foresee(forger, tas_bytes_of(frame + forger->coded_at, forger->coded_len + TAS_RC_TAIL));
    assert(len == forger->coded_len);
    copy_canvas(&forger->mirror, &forger->canvas); /* sections too */
}

/* Codes any frame; gives the coder behind it. */
static struct tas_rc code_any(struct forger *forger, bool is_first, uint8_t *out) {
    struct tas_canvas *canvas = &forger->canvas;
    forger->seq++;
    forger->coded_at = tas_frame_head_len((is_first ? TAS_FRAME_RESET : 0) | TAS_FRAME_ROUGH);
    struct tas_rc rc = tas_rc_encoder_of(out + forger->coded_at, FORGER_FRAME_CAP - 2 * ROOM);
    (void)scene_change_any(forger->scene, &forger->painted);
    tas_canvas_begin(canvas);
    keep_some(forger);
    move_some(forger);
    tas_canvas_encode_kept(canvas, &rc);
    tas_canvas_encode_moves(canvas, &rc);
    code_rows(forger, &rc);
    tas_rc_finish(&rc);
    assert(!rc.bad);
    return rc;
}

size_t forger_frame(struct forger *forger, bool is_first, uint8_t *out) {
    if (is_first) {
        tas_canvas_reset(&forger->canvas, true);
        tas_canvas_reset(&forger->mirror, true);
        memset(forger->areas, 0, sizeof(forger->areas));
        forger->seq = 0;
    }
    forger->coded_len = code_any(forger, is_first, out).len;
    struct tas_writer w = tas_writer_of(out + forger->coded_at + forger->coded_len, ROOM);
    add_jpeg(forger, &forger->canvas, &w);
    add_video(forger, &w);
    size_t len = finish(forger, &forger->canvas, is_first, out, &w);
    follow(forger, out);
    return len;
}

/* Mostly near the end: the sooner a stream is broken, the sooner it says something that cannot be. */
static void damage(struct forger *forger, uint8_t *bytes, size_t len, size_t room) {
    size_t most = scene_chance(&forger->random, 80) && len > 60 ? 60 : len;
    for (uint32_t n = 1 + scene_below(&forger->random, 4); n > 0 && len > 0; n--)
        bytes[len - 1 - scene_below(&forger->random, (uint32_t)most)] ^=
            (uint8_t)(1u << scene_below(&forger->random, 8));
    for (size_t i = len; i < room; i++)
        bytes[i] = (uint8_t)scene_next(&forger->random);
}

size_t forger_around(struct forger *forger, bool is_first, struct tas_bytes coded, uint8_t *out) {
    if (is_first) {
        tas_canvas_reset(&forger->mirror, true);
        forger->seq = 0;
    }
    forger->seq++;
    forger->coded_len = coded.len < TAS_RC_TAIL ? SIZE_MAX : foresee(forger, coded);
    if (forger->coded_len == SIZE_MAX)
        return 0;
    forger->coded_at = tas_frame_head_len((is_first ? TAS_FRAME_RESET : 0) | TAS_FRAME_ROUGH);
    memmove(out + forger->coded_at, coded.ptr, forger->coded_len);
    struct tas_writer w = tas_writer_of(out + forger->coded_at + forger->coded_len, ROOM);
    add_jpeg(forger, &forger->mirror, &w);
    return finish(forger, &forger->mirror, is_first, out, &w);
}

size_t forger_broken(struct forger *forger, uint8_t *out) {
    size_t len = code_any(forger, false, out).len;
    damage(forger, out + forger->coded_at, len, len + ROOM);
    forger->seq--;
    return forger_around(forger, false, tas_bytes_of(out + forger->coded_at, len + ROOM), out);
}

bool forger_is_same(const struct tas_canvas *canvas, const struct tas_picture *pic) {
    for (uint32_t y = 0; y < pic->height; y++) {
        const uint32_t *a = tas_canvas_row(canvas, y), *b = pic->px + (size_t)y * pic->stride;
        for (uint32_t x = 0; x < pic->width; x++)
            if ((a[x] ^ b[x]) & TAS_ROUGH || (!(a[x] & TAS_ROUGH) && a[x] != b[x]))
                return false;
    }
    return true;
}
