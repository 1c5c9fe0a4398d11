/* Codes a recorded desktop, or one that is made up, decodes it natively and writes down both (recording.h):
 *
 *     wasm_record [--rough] [--hostile] TRACE OUT         a file of bench/trace.h, its first 61 changed
 * pictures wasm_record [--rough] [--hostile] WIDTHxHEIGHT OUT  a screen by tests/unit/scene.h
 *
 * --rough: photographs and films first as JPEG and video, refined when they have been still. --hostile:
 * broken copies of the frames follow. Fails when the native decoder does not show the screen. */
#include "recording.h"

#include "../../bench/trace.h"
#include "lossy/native.h"
#include "scene.h"

#include <stdlib.h>

enum {
    PICTURES = 61,
    QUALITY = 70,
    VIDEO_BPS = 2000 * 1000,
    REST_MS = 400,
    SCENE_PICTURES = 40,
    SCENE_STEP_MS = 40,
    FILM_FROM = 12, /* pictures of a scene in which a film runs */
    FILM_TO = 30,
    BROKEN = 60,
};

struct recorder {
    FILE *file;
    struct tas_lossy_coder *coder;
    struct tas_lossy_painter *native;
    struct tas_painter painter; /* the native one, with notes */
    struct tas_encoder *enc;
    struct tas_decoder *dec;
    struct tas_tiles tiles;
    uint8_t *frame;
    uint8_t *kept; /* a frame to break, and its length */
    size_t kept_len;
    bool is_rough, is_bad;
    unsigned n_jpegs, n_chunks;
};

/* ---- notes of what was painted ---- */

static void note_rough(struct recorder *r, int err, const uint32_t *px, size_t stride, uint32_t width,
                       uint32_t height) {
    const struct recording_rough head = {err, width, height};
    size_t count = err == TAS_OK ? (size_t)width * height : 0;
    uint32_t *all = malloc(count ? count * sizeof(*all) : 1);
    for (uint32_t y = 0; all && count && y < height; y++)
        memcpy(all + (size_t)y * width, px + (size_t)y * stride, width * sizeof(*all));
    r->is_bad |=
        !all || !recording_write(r->file, RECORDING_ROUGH, &head, sizeof(head), all, count * sizeof(*all));
    free(all);
}

static int paint_jpeg(void *ctx, const struct tas_rough_jpeg *jpeg, struct tas_bytes scan) {
    struct recorder *r = ctx;
    const struct tas_painter *native = tas_lossy_painter_ops(r->native);
    int err = native->jpeg(native->ctx, jpeg, scan);
    note_rough(r, err, jpeg->atlas.px, jpeg->atlas.stride, jpeg->atlas.width, jpeg->atlas.height);
    r->n_jpegs++;
    return err;
}

static int paint_video(void *ctx, const struct tas_rough_region *region, struct tas_bytes chunk) {
    struct recorder *r = ctx;
    const struct tas_painter *native = tas_lossy_painter_ops(r->native);
    int err = native->video(native->ctx, region, chunk);
    note_rough(r, err, region->px, region->stride, region->width, region->height);
    r->n_chunks++;
    return err;
}

/* ---- frames ---- */

static bool recorder_open(struct recorder *r, const char *path, uint32_t width, uint32_t height) {
    r->file = fopen(path, "wb");
    r->coder = tas_lossy_coder_new(&tas_video_vp8, 1);
    r->native = tas_lossy_painter_new();
    r->frame = malloc(TAS_FRAME_MAX);
    r->kept = malloc(TAS_FRAME_MAX);
    r->painter = (struct tas_painter){r, paint_jpeg, paint_video, .close = NULL};
    if (!r->file || !r->coder || !r->native || !r->frame || !r->kept)
        return false;
    r->enc = tas_encoder_new(
        &(struct tas_encoder_config){.width = width,
                                     .height = height,
                                     .stream = 1,
                                     .model_bits = TAS_CODEC_MODEL_BITS,
                                     .rough = r->is_rough ? tas_lossy_coder_ops(r->coder) : NULL});
    r->dec = tas_decoder_new(&(struct tas_decoder_config){
        .width = width, .height = height, .model_bits = TAS_CODEC_MODEL_BITS, .painter = &r->painter});
    return r->enc && r->dec && tas_tiles_init(&r->tiles, width, height) == TAS_OK &&
           recording_write_head(r->file, width, height, TAS_CODEC_MODEL_BITS);
}

static bool recorder_close(struct recorder *r) {
    tas_encoder_free(r->enc);
    tas_decoder_free(r->dec);
    tas_lossy_coder_free(r->coder);
    tas_lossy_painter_free(r->native);
    tas_tiles_fini(&r->tiles);
    free(r->frame);
    free(r->kept);
    return r->file && fclose(r->file) == 0 && !r->is_bad;
}

enum frame_kind { ORDINARY, FINAL, BROKEN_ONE };

static int record(struct recorder *r, struct tas_bytes frame, enum frame_kind kind) {
    struct recording_result result = {.err = tas_decoder_frame(r->dec, frame, NULL),
                                      .is_final = kind == FINAL,
                                      .is_broken = kind == BROKEN_ONE};
    if (result.err == TAS_OK)
        recording_sum(tas_decoder_picture(r->dec), &result);
    r->is_bad |= !recording_write(r->file, RECORDING_FRAME, NULL, 0, frame.ptr, frame.len) ||
                 !recording_write(r->file, RECORDING_RESULT, &result, sizeof(result), NULL, 0);
    return result.err;
}

static bool shows(const struct tas_decoder *dec, const struct tas_picture *want) {
    const struct tas_picture *got = tas_decoder_picture(dec);
    for (uint32_t y = 0; y < want->height; y++)
        for (uint32_t x = 0; x < want->width; x++) {
            uint32_t px = got->px[(size_t)y * got->stride + x];
            if (!(px & TAS_ROUGH) && px != want->px[(size_t)y * want->stride + x])
                return false;
        }
    return true;
}

/* Codes the picture, in as many frames as it takes. */
static bool code(struct recorder *r, const struct tas_picture *pic, uint64_t now_us, unsigned flags) {
    struct tas_frame_order order = {.flags = flags,
                                    .capture_us = now_us,
                                    .quality = r->is_rough ? QUALITY : 0,
                                    .video_bps = r->is_rough ? VIDEO_BPS : 0};
    do {
        size_t len;
        if (tas_encoder_frame(r->enc, pic, &r->tiles, &order, r->frame, TAS_FRAME_MAX, &len) != TAS_OK)
            return false;
        if (len > 0 && record(r, tas_bytes_of(r->frame, len), ORDINARY) != TAS_OK)
            return false;
        if (len > 0 && (flags || r->kept_len == 0)) {
            memcpy(r->kept, r->frame, len);
            r->kept_len = len;
        }
        order.flags = 0;
    } while (tas_tiles_count(&r->tiles) > 0);
    return shows(r->dec, pic);
}

/* Makes exact what has been still since still_us; at the end all of it. */
static bool refine(struct recorder *r, uint64_t still_us, uint64_t now_us) {
    const struct tas_frame_order order = {.capture_us = now_us};
    while (tas_encoder_rough_since_us(r->enc, 0) <= still_us) {
        size_t len;
        if (tas_encoder_refine(r->enc, still_us, &order, r->frame, TAS_FRAME_MAX, &len) != TAS_OK)
            return false;
        if (len == 0)
            break;
        bool is_final = tas_encoder_rough_since_us(r->enc, 0) == UINT64_MAX && still_us == UINT64_MAX - 1;
        if (record(r, tas_bytes_of(r->frame, len), is_final ? FINAL : ORDINARY) != TAS_OK)
            return false;
    }
    return true;
}

static bool finish(struct recorder *r, const struct tas_picture *pic, uint64_t now_us) {
    struct recording_result sums = {0};
    if (!refine(r, UINT64_MAX - 1, now_us + 60 * 1000 * 1000) || !shows(r->dec, pic))
        return false;
    recording_sum(tas_decoder_picture(r->dec), &sums);
    return sums.n_rough == 0;
}

/* Broken copies of the last frame with a reset: what the native decoder says of each, the other must say,
 * too. */
static void record_broken(struct recorder *r) {
    struct scene_random random = scene_random_of(7);
    for (unsigned i = 0; i < BROKEN; i++) {
        size_t len =
            scene_chance(&random, 30) ? 1 + scene_below(&random, (uint32_t)r->kept_len) : r->kept_len;
        memcpy(r->frame, r->kept, len);
        for (uint32_t flips = scene_below(&random, 4); flips > 0; flips--)
            r->frame[scene_below(&random, (uint32_t)len)] ^= (uint8_t)(1u << scene_below(&random, 8));
        (void)record(r, tas_bytes_of(r->frame, len), BROKEN_ONE);
    }
}

/* ---- screens ---- */

static bool record_trace(struct recorder *r, struct trace *trace) {
    unsigned pictures = 0;
    uint64_t now_us = 0;
    while (pictures < PICTURES && trace_next(trace, &r->tiles)) {
        now_us = (uint64_t)trace_ms(trace) * 1000;
        if (now_us > REST_MS * 1000 && !refine(r, now_us - REST_MS * 1000, now_us))
            return false;
        if (tas_tiles_count(&r->tiles) == 0)
            continue;
        if (!code(r, trace_picture(trace), now_us, pictures == 0 ? TAS_FRAME_RESET : 0))
            return false;
        pictures++;
    }
    return pictures > 0 && finish(r, trace_picture(trace), now_us);
}

/* A film in the middle, as large as the screen allows. */
static void play_film(struct recorder *r, struct scene *scene) {
    const struct tas_picture *pic = scene->pic;
    const struct scene_rect film = {pic->width / 8, pic->height / 8, pic->width * 3 / 4, pic->height * 3 / 4};
    scene_paint(pic, film, SCENE_PHOTO, &scene->random);
    tas_tiles_set_rect(&r->tiles, (int32_t)film.x, (int32_t)film.y, film.w, film.h);
}

static bool record_scene(struct recorder *r, struct scene *scene) {
    uint64_t now_us = 0;
    tas_tiles_set_all(&r->tiles);
    for (unsigned i = 0; i < SCENE_PICTURES; i++, now_us += SCENE_STEP_MS * 1000) {
        if (i == SCENE_PICTURES / 4)
            scene_keep(scene);
        if (i >= FILM_FROM && i < FILM_TO)
            play_film(r, scene);
        else if (i > 0)
            scene_change_any(scene, &r->tiles);
        unsigned flags = i == 0 ? TAS_FRAME_RESET : i == SCENE_PICTURES - 4 ? TAS_FRAME_RESET_MODEL : 0;
        if (!code(r, scene->pic, now_us, flags))
            return false;
        if (now_us > REST_MS * 1000 && !refine(r, now_us - REST_MS * 1000, now_us))
            return false;
    }
    return finish(r, scene->pic, now_us);
}

static bool run_scene(struct recorder *r, uint32_t width, uint32_t height, const char *out) {
    struct scene *scene = scene_new(width, height, width * 31 + height);
    bool is_good = scene && recorder_open(r, out, width, height) && record_scene(r, scene);
    scene_free(scene);
    return is_good;
}

static bool run_trace(struct recorder *r, const char *path, const char *out) {
    struct trace *trace = trace_open(path);
    const struct tas_picture *pic = trace ? trace_picture(trace) : NULL;
    bool is_good = pic && recorder_open(r, out, pic->width, pic->height) && record_trace(r, trace);
    trace_close(trace);
    return is_good;
}

int main(int argc, char **argv) {
    struct recorder r = {0};
    bool is_hostile = false;
    int at = 1;
    for (; at < argc && argv[at][0] == '-'; at++) {
        r.is_rough |= strcmp(argv[at], "--rough") == 0;
        is_hostile |= strcmp(argv[at], "--hostile") == 0;
    }
    if (argc - at != 2) {
        fprintf(stderr, "usage: wasm_record [--rough] [--hostile] TRACE|WIDTHxHEIGHT OUT\n");
        return 2;
    }
    unsigned width, height;
    bool is_scene = sscanf(argv[at], "%ux%u", &width, &height) == 2;
    bool is_good =
        is_scene ? run_scene(&r, width, height, argv[at + 1]) : run_trace(&r, argv[at], argv[at + 1]);
    if (is_good && is_hostile)
        record_broken(&r);
    is_good = recorder_close(&r) && is_good;
    if (!is_good)
        fprintf(stderr, "wasm_record: %s: failed\n", argv[at]);
    else
        fprintf(stderr, "wasm_record: %s: %u JPEGs, %u chunks of video\n", argv[at], r.n_jpegs, r.n_chunks);
    return is_good ? 0 : 1;
}
