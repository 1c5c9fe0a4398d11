/* The control loop through real relays: a host whose picture always changes, a viewer that measures how old
 * the picture is when it is decoded, and input the other way. One process per end; bench/loop.py puts a thin
 * line between them.
 *
 *   bench_loop host ENDFILE BYTES     frames of about BYTES bytes
 *   bench_loop viewer ENDFILE         "start" on standard input begins to count, "stop" prints */
#include "base/time.h"
#include "codec/codec.h"
#include "headless/endfile.h"
#include "headless/io.h"
#include "headless/print.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { EDGE = 1024, SAMPLES_MAX = 200000, INPUT_EVERY_US = 20 * 1000 };

struct bench {
    struct tas_loop *loop;
    struct tas_end *end;
    struct tas_session *s;
    struct headless_io *io;
    struct tas_timer *input_timer;
    struct tas_picture *picture;
    uint32_t rows;
    uint64_t noise;
    bool is_counting;
    uint64_t started_us;
    uint64_t bytes_before;
    uint32_t *samples; /* µs */
    size_t n_samples;
};

static void note(struct bench *b, uint64_t us) {
    if (b->is_counting && b->n_samples < SAMPLES_MAX)
        b->samples[b->n_samples++] = us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

static int by_size(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static uint32_t percentile(const struct bench *b, unsigned percent) {
    return b->n_samples ? b->samples[(b->n_samples - 1) * percent / 100] : 0;
}

static void say_result(struct bench *b) {
    struct tas_session_figures f;
    tas_session_figures(b->s, &f, tas_mono_us());
    qsort(b->samples, b->n_samples, sizeof(*b->samples), by_size);
    headless_say("result",
                 ",\"n\":%zu,\"p50_us\":%u,\"p95_us\":%u,\"p99_us\":%u,\"bytes\":%" PRIu64
                 ",\"seconds\":%.3f,\"rate_Bps\":%" PRIu64 ",\"min_rtt_us\":%" PRIu64,
                 b->n_samples, percentile(b, 50), percentile(b, 95), percentile(b, 99),
                 f.screen_bytes - b->bytes_before, (double)(tas_mono_us() - b->started_us) / 1e6, f.rate_Bps,
                 f.min_rtt_us);
}

static void start_counting(struct bench *b) {
    struct tas_session_figures f;
    tas_session_figures(b->s, &f, tas_mono_us());
    b->is_counting = true;
    b->started_us = tas_mono_us();
    b->bytes_before = f.screen_bytes;
}

/* ---- host ---- */

static uint64_t next_noise(struct bench *b) {
    b->noise ^= b->noise << 13;
    b->noise ^= b->noise >> 7;
    b->noise ^= b->noise << 17;
    return b->noise;
}

static void offer_picture(struct bench *b) {
    uint64_t now = tas_mono_us();
    if (!b->picture || !tas_session_dirty(b->s))
        return;
    tas_tiles_set_rect(tas_session_dirty(b->s), 0, 0, EDGE, b->rows);
    if (!tas_session_wants_picture(b->s, now))
        return;
    for (uint32_t y = 0; y < b->rows; y++)
        for (uint32_t x = 0; x < EDGE; x++)
            b->picture->px[(size_t)y * b->picture->stride + x] = (uint32_t)next_noise(b) & 0xffffff;
    if (tas_session_picture(b->s, b->picture, now) != TAS_OK)
        headless_say("error", ",\"text\":\"no picture\"");
}

/* ---- viewer ---- */

static void on_frame(struct bench *b, const struct tas_event *ev) {
    struct tas_frame_head head;
    bool known = tas_frame_head_decode(&head, ev->data) == TAS_OK;
    uint64_t before = tas_mono_us();
    int err = tas_session_decode(b->s, NULL);
    uint64_t now = tas_mono_us();
    tas_session_presented(b->s, (uint32_t)(now - before), now);
    if (known && err == TAS_OK)
        note(b, now - head.capture_us);
}

static void on_input_timer(void *ctx) {
    struct bench *b = ctx;
    uint64_t now = tas_mono_us();
    const struct tas_msg_input in = {.kind = 2, .x = (uint16_t)(now % EDGE), .keysym = (uint32_t)now};
    (void)!tas_session_send_input(b->s, &in);
    tas_timer_set(b->input_timer, now + INPUT_EVERY_US);
}

/* ---- both ---- */

static void on_event(void *ctx, const struct tas_event *ev) {
    struct bench *b = ctx;
    print_event(ev);
    if (ev->kind == TAS_EVENT_CLOSED)
        tas_loop_stop(b->loop);
    else if (ev->kind == TAS_EVENT_FRAME)
        on_frame(b, ev);
    else if (ev->kind == TAS_EVENT_INPUT)
        note(b, (uint32_t)tas_mono_us() - ev->input.keysym);
}

static void on_turn(void *ctx) {
    offer_picture(ctx);
}

static void on_line(void *ctx, char *line) {
    struct bench *b = ctx;
    char *rest;
    const char *word = headless_word(line, &rest);
    if (print_command(b->s, word, rest))
        return;
    if (strcmp(word, "code") == 0 && tas_session_type_code(b->s, rest, tas_mono_us()) == TAS_OK)
        return;
    if (strcmp(word, "view") == 0)
        tas_session_view(b->s, true);
    else if (strcmp(word, "input") == 0)
        tas_timer_set(b->input_timer, tas_mono_us());
    else if (strcmp(word, "start") == 0)
        start_counting(b);
    else if (strcmp(word, "stop") == 0)
        say_result(b);
}

static void on_stdin_end(void *ctx) {
    tas_session_end(((struct bench *)ctx)->s, TAS_END_OPERATOR, tas_mono_us());
}

int main(int argc, char **argv) {
    static const struct tas_end_owner owner = {on_event, on_turn};
    struct bench b = {.noise = 88172645463325252u};
    char why[TAS_CONF_WHY];
    if (argc < 3)
        return 2;
    struct endfile *file = endfile_load(argv[2], why);
    if (!file) {
        fprintf(stderr, "bench_loop: %s\n", why);
        return 1;
    }
    b.samples = calloc(SAMPLES_MAX, sizeof(*b.samples));
    b.loop = tas_loop_new();
    b.input_timer = b.loop ? tas_timer_new(b.loop, on_input_timer, &b) : NULL;
    b.end = b.input_timer && b.samples ? tas_end_new(b.loop, &file->config, &owner, &b) : NULL;
    if (!b.end)
        return 1;
    b.s = tas_end_session(b.end);
    b.io = headless_io_new(b.loop, on_line, on_stdin_end, &b);
    if (strcmp(argv[1], "host") == 0 && argc == 4) {
        /* noise costs three bytes a pixel */
        b.rows = (uint32_t)(strtoul(argv[3], NULL, 10) / 3 / EDGE);
        b.rows = b.rows < 1 ? 1 : b.rows > EDGE ? EDGE : b.rows;
        b.picture = tas_picture_new(EDGE, EDGE);
        tas_session_grant(b.s, 0x7f);
        if (!b.picture || tas_session_screen(b.s, EDGE, EDGE) != TAS_OK)
            return 1;
    }
    int err = b.io ? tas_loop_run(b.loop) : TAS_E_NOMEM;
    headless_io_free(b.io);
    tas_end_free(b.end);
    tas_timer_free(b.input_timer);
    tas_loop_free(b.loop);
    tas_picture_free(b.picture);
    endfile_free(file);
    free(b.samples);
    return err == TAS_OK ? 0 : 1;
}
