/* CPU time of the search for motion on recorded desktops, and what it leaves to code: bench_motion FILE...
 * prints one line of JSON per trace, over 59 changed frames after the first. left: changed 16x16
 * blocks that still differ once the moves are made. */
#include "codec/motion_private.h"
#include "trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { FRAMES = 59, BLOCK = 16 };

struct bench {
    struct tas_picture *was;
    struct tas_motion *motion;
    struct tas_tiles tiles;
    uint32_t *scratch;
    double ms[FRAMES], apply_ms;
    unsigned frames;
    unsigned long changed, left, moves, px_before, px_after;
};

static double cpu_ms(void) {
    struct timespec ts;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static void copy(struct tas_picture *to, const struct tas_picture *from) {
    for (uint32_t y = 0; y < to->height; y++)
        memcpy(to->px + (size_t)y * to->stride, from->px + (size_t)y * from->stride,
               to->width * sizeof(*to->px));
}

static unsigned long differing_px(const struct tas_picture *a, const struct tas_picture *b, uint32_t x,
                                  uint32_t y) {
    unsigned long count = 0;
    for (uint32_t row = y; row < a->height && row < y + BLOCK; row++)
        for (uint32_t i = x; i < a->width && i < x + BLOCK; i++)
            count += a->px[(size_t)row * a->stride + i] != b->px[(size_t)row * b->stride + i];
    return count;
}

static unsigned long differing(const struct tas_picture *a, const struct tas_picture *b, unsigned long *px) {
    unsigned long blocks = 0;
    for (uint32_t y = 0; y < a->height; y += BLOCK) {
        for (uint32_t x = 0; x < a->width; x += BLOCK) {
            unsigned long count = differing_px(a, b, x, y);
            blocks += count > 0;
            *px += count;
        }
    }
    return blocks;
}

static void measure_frame(struct bench *bench, const struct tas_picture *now) {
    struct tas_move moves[TAS_MOVES_MAX];
    bench->changed += differing(bench->was, now, &bench->px_before);
    double start = cpu_ms();
    unsigned count = tas_motion_find(bench->motion, bench->was, now, &bench->tiles, moves);
    double end = cpu_ms();
    tas_moves_apply(bench->was, moves, count, bench->scratch);
    bench->apply_ms += cpu_ms() - end;
    bench->ms[bench->frames++] = end - start;
    bench->moves += count;
    bench->left += differing(bench->was, now, &bench->px_after);
}

static bool measure(struct bench *bench, struct trace *trace) {
    const struct tas_picture *pic = trace_picture(trace);
    bench->was = tas_picture_new(pic->width, pic->height);
    bench->motion = tas_motion_new(pic->width, pic->height);
    bench->scratch = calloc((size_t)pic->width * pic->height, 2 * sizeof(uint32_t));
    if (tas_tiles_init(&bench->tiles, pic->width, pic->height) != TAS_OK || !bench->was || !bench->motion ||
        !bench->scratch)
        return false;
    for (bool is_first = true; bench->frames < FRAMES && trace_next(trace, &bench->tiles);) {
        if (tas_tiles_count(&bench->tiles) == 0)
            continue;
        if (!is_first)
            measure_frame(bench, pic);
        is_first = false;
        copy(bench->was, pic);
        tas_tiles_clear(&bench->tiles);
    }
    return bench->frames > 0;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print(const char *path, struct bench *bench) {
    double ms = 0, n = bench->frames;
    for (unsigned i = 0; i < bench->frames; i++)
        ms += bench->ms[i];
    qsort(bench->ms, bench->frames, sizeof(double), by_value);
    printf(
        "{\"bench\":\"motion\",\"trace\":\"%s\",\"frames\":%u,\"ms\":%.3f,\"p95_ms\":%.3f,\"apply_ms\":%.3f,"
        "\"moves\":%.1f,\"changed\":%.1f,\"left\":%.1f,\"px_before\":%.0f,\"px_after\":%.0f}\n",
        path, bench->frames, ms / n, bench->ms[(size_t)(0.95 * n)], bench->apply_ms / n,
        (double)bench->moves / n, (double)bench->changed / n, (double)bench->left / n,
        (double)bench->px_before / n, (double)bench->px_after / n);
}

static bool run(const char *path) {
    struct bench bench = {0};
    struct trace *trace = trace_open(path);
    bool is_good = trace && measure(&bench, trace);
    if (is_good)
        print(path, &bench);
    else
        fprintf(stderr, "bench_motion: %s cannot be measured\n", path);
    tas_picture_free(bench.was);
    tas_motion_free(bench.motion);
    tas_tiles_fini(&bench.tiles);
    free(bench.scratch);
    trace_close(trace);
    return is_good;
}

int main(int argc, char **argv) {
    bool is_good = argc > 1;
    for (int i = 1; i < argc; i++)
        is_good &= run(argv[i]);
    return is_good ? 0 : 1;
}
