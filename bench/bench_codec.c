/* Bytes and CPU time per frame on recorded desktops: bench_codec FOLDER prints one line of JSON per trace,
 * over the first 60 changed frames after the first (the key frame). Every frame is decoded and compared. */
#include "codec/codec.h"
#include "trace.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { FRAMES = 60 };

struct result {
    unsigned frames;
    double enc_ms[FRAMES + 1], dec_ms[FRAMES + 1]; /* 0 is the key frame */
    size_t bytes[FRAMES + 1];
    bool is_lossless;
};

struct ends {
    struct tas_encoder *enc;
    struct tas_decoder *dec;
    struct tas_tiles tiles;
    uint8_t *frame;
};

static double cpu_ms(void) {
    struct timespec ts;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static bool is_same(const struct tas_picture *a, const struct tas_picture *b) {
    for (uint32_t y = 0; y < a->height; y++)
        if (memcmp(a->px + (size_t)y * a->stride, b->px + (size_t)y * b->stride, a->width * sizeof(*a->px)) !=
            0)
            return false;
    return true;
}

static bool ends_open(struct ends *ends, const struct tas_picture *pic) {
    ends->enc = tas_encoder_new(pic->width, pic->height, 1, TAS_CODEC_MODEL_BITS);
    ends->dec = tas_decoder_new(pic->width, pic->height, TAS_CODEC_MODEL_BITS);
    ends->frame = malloc(TAS_FRAME_MAX);
    return tas_tiles_init(&ends->tiles, pic->width, pic->height) == TAS_OK && ends->enc && ends->dec &&
           ends->frame;
}

static void ends_close(struct ends *ends) {
    tas_encoder_free(ends->enc);
    tas_decoder_free(ends->dec);
    tas_tiles_fini(&ends->tiles);
    free(ends->frame);
}

/* Codes what changed, in as many frames as it takes. */
static bool pass(struct ends *ends, const struct tas_picture *pic, struct result *result) {
    unsigned i = result->frames, flags = i == 0 ? TAS_FRAME_RESET : 0;
    do {
        size_t len;
        double start = cpu_ms();
        if (tas_encoder_frame(ends->enc, pic, &ends->tiles, flags, 0, ends->frame, TAS_FRAME_MAX, &len) !=
            TAS_OK)
            return false;
        double middle = cpu_ms();
        if (len > 0 && tas_decoder_frame(ends->dec, tas_bytes_of(ends->frame, len), NULL) != TAS_OK)
            return false;
        result->enc_ms[i] += middle - start;
        result->dec_ms[i] += cpu_ms() - middle;
        result->bytes[i] += len;
        flags = 0;
    } while (tas_tiles_count(&ends->tiles) > 0);
    return is_same(pic, tas_decoder_picture(ends->dec));
}

static void measure(struct trace *trace, struct result *result) {
    struct ends ends = {0};
    result->is_lossless = ends_open(&ends, trace_picture(trace));
    while (result->is_lossless && result->frames <= FRAMES && trace_next(trace, &ends.tiles)) {
        if (tas_tiles_count(&ends.tiles) == 0)
            continue;
        result->is_lossless = pass(&ends, trace_picture(trace), result);
        result->frames++;
    }
    ends_close(&ends);
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print(const char *name, struct result *result) {
    double enc = 0, dec = 0, bytes = 0;
    unsigned n = result->frames > 1 ? result->frames - 1 : 1;
    for (unsigned i = 1; i < result->frames; i++) {
        enc += result->enc_ms[i];
        dec += result->dec_ms[i];
        bytes += (double)result->bytes[i];
    }
    qsort(result->enc_ms + 1, n, sizeof(double), by_value);
    printf("{\"bench\":\"codec\",\"trace\":\"%s\",\"frames\":%u,\"kb_per_frame\":%.3f,\"enc_ms\":%.2f,"
           "\"enc_p95_ms\":%.2f,\"dec_ms\":%.2f,\"key_kb\":%.1f,\"key_enc_ms\":%.1f,\"key_dec_ms\":%.1f,"
           "\"lossless\":%s}\n",
           name, n, bytes / n / 1e3, enc / n, result->enc_ms[1 + (size_t)(0.95 * n)], dec / n,
           (double)result->bytes[0] / 1e3, result->enc_ms[0], result->dec_ms[0],
           result->is_lossless ? "true" : "false");
}

static int is_trace(const struct dirent *entry) {
    size_t len = strlen(entry->d_name);
    return len > 3 && strcmp(entry->d_name + len - 3, ".tr") == 0;
}

static bool run(const char *folder, const char *name) {
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    struct trace *trace = trace_open(path);
    if (!trace) {
        fprintf(stderr, "bench_codec: %s cannot be read\n", path);
        return false;
    }
    struct result result = {0};
    measure(trace, &result);
    trace_close(trace);
    print(name, &result);
    return result.is_lossless && result.frames > 0;
}

int main(int argc, char **argv) {
    struct dirent **entries;
    int count = argc == 2 ? scandir(argv[1], &entries, is_trace, alphasort) : -1;
    if (count < 0) {
        fprintf(stderr, "usage: bench_codec FOLDER\n");
        return 2;
    }
    bool is_good = true;
    for (int i = 0; i < count; i++) {
        is_good &= run(argv[1], entries[i]->d_name);
        fflush(stdout);
        free(entries[i]);
    }
    free(entries);
    return is_good ? 0 : 1;
}
