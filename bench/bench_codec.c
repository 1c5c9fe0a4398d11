/* Bytes and CPU time per frame on recorded desktops: bench_codec [--traces FOLDER] [NAME...] prints one line
 * of JSON per trace, over the first 60 changed frames after the first (the key frame). Each trace is coded
 * twice: exactly; and with a first pass by JPEG, whose refinement is counted apart. Every frame is decoded
 * and compared: exact pixels with the picture, and all of them after the refinement. */
#include "codec/codec.h"
#include "lossy/native.h"
#include "trace.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    FRAMES = 60,
    QUALITY = 80,
    REST_MS = 400, /* still for so long: refined */
};

struct pass {
    unsigned frames;
    double enc_ms[FRAMES + 1], dec_ms[FRAMES + 1]; /* 0 is the key frame */
    size_t bytes[FRAMES + 1];
    size_t refined_bytes;
    double refine_ms;
    bool is_right;
};

struct ends {
    struct tas_lossy_coder *coder;
    struct tas_lossy_painter *painter;
    struct tas_encoder *enc;
    struct tas_decoder *dec;
    struct tas_tiles tiles;
    uint8_t *frame;
    uint8_t quality;
};

static double cpu_ms(void) {
    struct timespec ts;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

/* Pixels that are not marked as rough must be right; `is_all`: no pixel may be marked. */
static bool is_same(const struct tas_picture *want, const struct tas_picture *got, bool is_all) {
    for (uint32_t y = 0; y < want->height; y++) {
        const uint32_t *a = want->px + (size_t)y * want->stride, *b = got->px + (size_t)y * got->stride;
        for (uint32_t x = 0; x < want->width; x++)
            if (a[x] != b[x] && (is_all || !(b[x] & TAS_ROUGH)))
                return false;
    }
    return true;
}

static bool ends_open(struct ends *ends, const struct tas_picture *pic, uint8_t quality) {
    ends->coder = tas_lossy_coder_new(&tas_video_vp8, 1);
    ends->painter = tas_lossy_painter_new();
    if (!ends->coder || !ends->painter)
        return false;
    ends->quality = quality;
    ends->enc = tas_encoder_new(&(struct tas_encoder_config){.width = pic->width,
                                                             .height = pic->height,
                                                             .stream = 1,
                                                             .model_bits = TAS_CODEC_MODEL_BITS,
                                                             .rough = tas_lossy_coder_ops(ends->coder)});
    ends->dec =
        tas_decoder_new(&(struct tas_decoder_config){.width = pic->width,
                                                     .height = pic->height,
                                                     .model_bits = TAS_CODEC_MODEL_BITS,
                                                     .painter = tas_lossy_painter_ops(ends->painter)});
    ends->frame = malloc(TAS_FRAME_MAX);
    return tas_tiles_init(&ends->tiles, pic->width, pic->height) == TAS_OK && ends->enc && ends->dec &&
           ends->frame;
}

static void ends_close(struct ends *ends) {
    tas_encoder_free(ends->enc);
    tas_decoder_free(ends->dec);
    tas_lossy_coder_free(ends->coder);
    tas_lossy_painter_free(ends->painter);
    tas_tiles_fini(&ends->tiles);
    free(ends->frame);
}

/* Codes what changed, in as many frames as it takes. */
static bool code(struct ends *ends, const struct tas_picture *pic, uint32_t ms, struct pass *pass) {
    unsigned i = pass->frames;
    struct tas_frame_order order = {
        .flags = i == 0 ? TAS_FRAME_RESET : 0, .capture_us = (uint64_t)ms * 1000, .quality = ends->quality};
    do {
        size_t len;
        double start = cpu_ms();
        if (tas_encoder_frame(ends->enc, pic, &ends->tiles, &order, ends->frame, TAS_FRAME_MAX, &len) !=
            TAS_OK)
            return false;
        double middle = cpu_ms();
        if (len > 0 && tas_decoder_frame(ends->dec, tas_bytes_of(ends->frame, len), NULL) != TAS_OK)
            return false;
        pass->enc_ms[i] += middle - start;
        pass->dec_ms[i] += cpu_ms() - middle;
        pass->bytes[i] += len;
        order.flags = 0;
    } while (tas_tiles_count(&ends->tiles) > 0);
    return is_same(pic, tas_decoder_picture(ends->dec), ends->quality == 0);
}

/* Makes exact what has been rough and still until still_ms. */
static bool refine(struct ends *ends, uint64_t still_ms, struct pass *pass) {
    const struct tas_frame_order order = {.capture_us = still_ms * 1000};
    size_t len = 1;
    while (len > 0 && tas_encoder_rough_since_us(ends->enc, 0) <= still_ms * 1000) {
        double start = cpu_ms();
        if (tas_encoder_refine(ends->enc, still_ms * 1000, &order, ends->frame, TAS_FRAME_MAX, &len) !=
            TAS_OK)
            return false;
        pass->refine_ms += cpu_ms() - start;
        pass->refined_bytes += len;
        if (len > 0 && tas_decoder_frame(ends->dec, tas_bytes_of(ends->frame, len), NULL) != TAS_OK)
            return false;
    }
    return true;
}

static void measure(const char *path, uint8_t quality, struct pass *pass) {
    struct ends ends = {0};
    struct trace *trace = trace_open(path);
    pass->is_right = trace && ends_open(&ends, trace_picture(trace), quality);
    while (pass->is_right && pass->frames <= FRAMES && trace_next(trace, &ends.tiles)) {
        uint32_t ms = trace_ms(trace);
        if (quality > 0 && ms > REST_MS)
            pass->is_right = refine(&ends, ms - REST_MS, pass);
        if (!pass->is_right || tas_tiles_count(&ends.tiles) == 0)
            continue;
        pass->is_right = code(&ends, trace_picture(trace), ms, pass);
        pass->frames++;
    }
    struct pass rest = {0};
    if (pass->is_right)
        pass->is_right = refine(&ends, UINT32_MAX, &rest) &&
                         is_same(tas_encoder_picture(ends.enc), tas_decoder_picture(ends.dec), true);
    ends_close(&ends);
    if (trace)
        trace_close(trace);
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct means {
    double kb, enc_ms, enc_p95_ms, dec_ms;
};

static struct means means_of(struct pass *pass) {
    struct means m = {0};
    unsigned n = pass->frames > 1 ? pass->frames - 1 : 1;
    for (unsigned i = 1; i < pass->frames; i++) {
        m.enc_ms += pass->enc_ms[i] / n;
        m.dec_ms += pass->dec_ms[i] / n;
        m.kb += (double)pass->bytes[i] / n / 1e3;
    }
    qsort(pass->enc_ms + 1, n, sizeof(double), by_value);
    m.enc_p95_ms = pass->enc_ms[1 + (size_t)(0.95 * n)];
    return m;
}

static void print(const char *name, struct pass *exact, struct pass *first) {
    struct means e = means_of(exact), f = means_of(first);
    unsigned n = exact->frames > 0 ? exact->frames - 1 : 0;
    printf("{\"bench\":\"codec\",\"trace\":\"%s\",\"frames\":%u,\"kb_per_frame\":%.3f,"
           "\"first_pass_kb_per_frame\":%.3f,\"enc_ms\":%.2f,\"enc_p95_ms\":%.2f,\"dec_ms\":%.2f,"
           "\"key_kb\":%.1f,\"key_enc_ms\":%.1f,\"key_dec_ms\":%.1f,\"lossless\":%s,"
           "\"first_pass_enc_ms\":%.2f,\"first_pass_dec_ms\":%.2f,\"first_pass_key_kb\":%.1f,"
           "\"first_pass_key_enc_ms\":%.1f,\"first_pass_key_dec_ms\":%.1f,\"refined_kb_per_frame\":%.3f,"
           "\"refined\":%s}\n",
           name, n, e.kb, f.kb, e.enc_ms, e.enc_p95_ms, e.dec_ms, (double)exact->bytes[0] / 1e3,
           exact->enc_ms[0], exact->dec_ms[0], exact->is_right ? "true" : "false", f.enc_ms, f.dec_ms,
           (double)first->bytes[0] / 1e3, first->enc_ms[0], first->dec_ms[0],
           (double)first->refined_bytes / 1e3 / (n ? n : 1), first->is_right ? "true" : "false");
}

static int is_trace(const struct dirent *entry) {
    size_t len = strlen(entry->d_name);
    return len > 3 && strcmp(entry->d_name + len - 3, ".tr") == 0;
}

static bool run(const char *folder, const char *file) {
    char path[4096], name[256];
    struct pass exact = {0}, first = {0};
    snprintf(path, sizeof(path), "%s/%s", folder, file);
    snprintf(name, sizeof(name), "%.*s", (int)strlen(file) - 3, file);
    measure(path, 0, &exact);
    measure(path, QUALITY, &first);
    if (exact.frames == 0)
        fprintf(stderr, "bench_codec: %s is not a trace\n", path);
    else
        print(name, &exact, &first);
    return exact.is_right && first.is_right && exact.frames > 0;
}

static bool is_asked(const char *file, char **names, int count) {
    bool found = count == 0;
    for (int i = 0; i < count; i++)
        found = found || (strncmp(file, names[i], strlen(names[i])) == 0 && file[strlen(names[i])] == '.');
    return found;
}

int main(int argc, char **argv) {
    struct dirent **entries;
    bool has_folder = argc > 2 && strcmp(argv[1], "--traces") == 0;
    const char *folder = has_folder ? argv[2] : "../shared/traces";
    int at = has_folder ? 3 : 1, count = scandir(folder, &entries, is_trace, alphasort);
    if (count < 0) {
        fprintf(stderr,
                "bench_codec: there is no folder %s of traces: bench_codec [--traces FOLDER] [NAME...]\n",
                folder);
        return 2;
    }
    bool is_good = true;
    for (int i = 0; i < count; i++) {
        if (is_asked(entries[i]->d_name, argv + at, argc - at))
            is_good &= run(folder, entries[i]->d_name);
        fflush(stdout);
        free(entries[i]);
    }
    free(entries);
    return is_good ? 0 : 1;
}
