/* A decoder that is fed garbage: it stays within the time of honest frames and within the memory that it took
 * at its start, and after a reset it shows what is sent.
 *
 *     codec_garbage ROUNDS           so many rounds, always the same
 *     codec_garbage soak SECONDS [SEED]   as many as fit; the seed is drawn from the clock, and told when
 *                                         something does not hold
 *
 * A round sends an honest stream up to some frame, then hostile ones: honest frames cut, spliced and with
 * bits flipped, noise behind a head, and forged ones, whose noise an attacker has decoded on a canvas of his
 * own to know where it ends and which checksum the decoder expects. Exit code 1 and a line on stderr:
 * something does not hold. */
#include "codec_forger.h"
#include "oom.h"
#include "rough_fake.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    WIDTH = 264,
    HEIGHT = 200,
    BITS = TAS_CODEC_MODEL_BITS_MIN,
    STREAMS = 12,
    FRAMES = 10,            /* of a stream */
    HOSTILE = 5,            /* frames of a round */
    SLOWER = 10,            /* a hostile frame may take so many times what the slowest honest one took */
    SLACK_MB = 64,          /* what libraries and the C library's own books may take */
    FRAME_CAP = 512 * 1024, /* of honest ones */
};

struct frame {
    uint8_t *bytes; /* owned */
    size_t len;
};

struct world {
    struct scene_random random;
    struct frame streams[STREAMS][FRAMES];
    struct rough_fake fake;
    struct tas_decoder *dec;
    struct forger forger;
    uint8_t *buf, *copy;          /* FORGER_FRAME_CAP each */
    double honest_ms, hostile_ms; /* the slowest */
    unsigned accepted, refused, forged, repaired;
};

static unsigned long the_seed = 1; /* for the message when something does not hold */

static void die(const char *what, double a, double b) {
    fprintf(stderr, "codec_garbage: %s (%.1f, %.1f); seed %lu\n", what, a, b, the_seed);
    exit(1);
}

static void *must(void *mem) {
    if (!mem)
        die("no memory", 0, 0);
    return mem;
}

static double cpu_ms(void) {
    struct timespec ts;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec * 1e-6;
}

static double resident_mb(void) {
    unsigned long pages = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%lu %lu", &pages, &resident) != 2)
        die("no /proc/self/statm", 0, 0);
    fclose(file);
    return (double)resident * (double)sysconf(_SC_PAGESIZE) / 1e6;
}

/* --- honest streams --- */

/* Rough blocks and films in every other one; in some a mode is forced. */
static void record(struct world *w, unsigned stream) {
    static struct rough_fake fake;
    rough_fake_init(&fake, WIDTH, HEIGHT, stream);
    struct tas_encoder_config config = {.width = WIDTH,
                                        .height = HEIGHT,
                                        .stream = stream,
                                        .model_bits = BITS,
                                        .rough = &fake.coder,
                                        .forced = (uint8_t)(stream < 5 ? stream : 0)};
    struct scene *scene = must(scene_new(WIDTH, HEIGHT, stream));
    struct tas_encoder *enc = must(tas_encoder_new(&config));
    struct tas_tiles tiles;
    if (tas_tiles_init(&tiles, WIDTH, HEIGHT) != TAS_OK)
        die("no memory", 0, 0);
    tas_tiles_set_all(&tiles);
    struct tas_frame_order order = {
        .flags = TAS_FRAME_RESET, .quality = stream % 2 ? 50 : 0, .video_bps = 500000};
    for (unsigned i = 0; i < FRAMES;) {
        struct frame *frame = &w->streams[stream][i];
        order.capture_us += 40000;
        if (tas_encoder_frame(enc, scene->pic, &tiles, &order, w->buf, FRAME_CAP, &frame->len) != TAS_OK)
            die("an honest frame does not come out", stream, i);
        order.flags = 0;
        if (stream % 4 == 3) {
            scene_paint(scene->pic, (struct scene_rect){64, 64, 128, 130}, SCENE_PHOTO, &scene->random);
            tas_tiles_set_rect(&tiles, 64, 64, 128, 130);
        }
        (void)scene_change_any(scene, &tiles);
        if (frame->len == 0)
            continue;
        frame->bytes = must(malloc(frame->len));
        memcpy(frame->bytes, w->buf, frame->len);
        i++;
    }
    scene_free(scene);
    tas_encoder_free(enc);
    tas_tiles_fini(&tiles);
}

/* Decodes a copy that ends where its memory does, so that ASan sees a read past it; always the same memory,
 * as ASan holds back what is given back. *ms: of CPU. */
static int decode(struct world *w, const uint8_t *bytes, size_t len, double *ms) {
    uint8_t *copy = w->copy + FORGER_FRAME_CAP - len;
    memcpy(copy, bytes, len);
    tas_oom_fail_at(0);
    double start = cpu_ms();
    int err = tas_decoder_frame(w->dec, tas_bytes_of(copy, len), NULL);
    *ms = cpu_ms() - start;
    if (tas_oom_count() > 0)
        die("a decoder allocates", tas_oom_count(), 0);
    return err;
}

/* The first `count` frames of a stream. */
static void decode_honest(struct world *w, const struct frame *stream, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        double ms;
        int err = decode(w, stream[i].bytes, stream[i].len, &ms);
        if (err != TAS_OK)
            die("an honest frame is refused", err, i);
        w->honest_ms = ms > w->honest_ms ? ms : w->honest_ms;
    }
}

/* --- hostile frames: each into w->buf, giving the length --- */

static size_t take(struct world *w, const struct frame *frame) {
    memcpy(w->buf, frame->bytes, frame->len);
    return frame->len;
}

static const struct frame *any_frame(struct world *w) {
    return &w->streams[scene_below(&w->random, STREAMS)][scene_below(&w->random, FRAMES)];
}

static void flip(struct world *w, size_t len) {
    for (uint32_t n = 1 + scene_below(&w->random, 8); n > 0; n--)
        w->buf[scene_below(&w->random, (uint32_t)len)] ^= (uint8_t)(1u << scene_below(&w->random, 8));
}

static size_t splice(struct world *w, size_t len) {
    const struct frame *other = any_frame(w);
    size_t at = scene_below(&w->random, (uint32_t)len), from = scene_below(&w->random, (uint32_t)other->len);
    size_t rest = other->len - from;
    rest = at + rest > FRAME_CAP ? FRAME_CAP - at : rest;
    memcpy(w->buf + at, other->bytes + from, rest);
    return at + rest;
}

static size_t fill(struct world *w, size_t from, size_t len) {
    unsigned kind = scene_below(&w->random, 4); /* one byte again and again keeps a coder in one state */
    uint8_t byte = (uint8_t)scene_next(&w->random);
    for (size_t i = from; i < from + len; i++)
        w->buf[i] = kind ? (uint8_t)scene_next(&w->random) : byte;
    return from + len;
}

static size_t cut_and_fill(struct world *w, size_t len) {
    size_t from = scene_below(&w->random, (uint32_t)len);
    return fill(w, from, scene_below(&w->random, 4096));
}

static size_t hostile(struct world *w, const struct frame *next) {
    size_t len = take(w, next);
    switch (scene_below(&w->random, 6)) {
    case 0:
        return scene_below(&w->random, (uint32_t)len);
    case 1:
        return splice(w, len);
    case 2:
        return cut_and_fill(w, len);
    case 3: /* any head */
        return fill(w, 0, scene_below(&w->random, 20000));
    default:
        flip(w, len);
        return len;
    }
}

/* --- what must hold --- */

static void must_be_pixels(const struct tas_picture *pic) {
    for (uint32_t y = 0; y < pic->height; y++) {
        const uint32_t *row = pic->px + (size_t)y * pic->stride;
        for (uint32_t x = 0; x < pic->stride; x++)
            if (row[x] & ~(x < pic->width ? TAS_ROUGH | TAS_RGB : 0))
                die("a hostile frame made a pixel that cannot be", x, y);
    }
}

static int decode_hostile(struct world *w, size_t len) {
    double ms;
    int err = decode(w, w->buf, len, &ms);
    w->hostile_ms = ms > w->hostile_ms ? ms : w->hostile_ms;
    if (ms > w->honest_ms * SLOWER)
        die("a hostile frame takes too long, ms of CPU; the slowest honest one", ms, w->honest_ms);
    w->accepted += err == TAS_OK;
    w->refused += err != TAS_OK;
    must_be_pixels(tas_decoder_picture(w->dec));
    return err;
}

static void round_of_mutants(struct world *w) {
    const struct frame *stream = w->streams[scene_below(&w->random, STREAMS)];
    unsigned at = scene_below(&w->random, FRAMES);
    decode_honest(w, stream, at);
    for (unsigned i = 0; i < HOSTILE; i++) {
        size_t len = hostile(w, &stream[at]);
        (void)decode_hostile(w, len);
    }
}

/* A stream of forged frames, with one at its end that was broken and repaired. */
static void round_of_forgeries(struct world *w) {
    for (unsigned i = 0; i < HOSTILE; i++) {
        size_t len = forger_frame(&w->forger, i == 0, w->buf);
        int err = decode_hostile(w, len);
        if (err != TAS_OK)
            die("a forged frame is refused; error, frame of its stream", err, i);
        if (!forger_is_same(&w->forger.canvas, tas_decoder_picture(w->dec)))
            die("a forged frame is not taken as it is; forged before it, frame of its stream", w->forged, i);
        w->forged++;
    }
    size_t len = forger_broken(&w->forger, w->buf);
    if (len == 0)
        return;
    if (decode_hostile(w, len) != TAS_OK) /* its coder read on into what stands behind: some other frame */
        return;
    w->repaired++;
    if (!forger_is_same(&w->forger.mirror, tas_decoder_picture(w->dec)))
        die("a broken and repaired frame is not taken as it is", w->forged, 0);
}

static void round_of_garbage(struct world *w) {
    if (scene_chance(&w->random, 50))
        round_of_mutants(w);
    else
        round_of_forgeries(w);
}

static void world_init(struct world *w, uint64_t seed) {
    w->random = scene_random_of(seed);
    w->buf = must(malloc(FORGER_FRAME_CAP));
    w->copy = must(malloc(FORGER_FRAME_CAP));
    for (unsigned i = 0; i < STREAMS; i++)
        record(w, i);
    rough_fake_init(&w->fake, WIDTH, HEIGHT, 99);
    struct tas_decoder_config config = {
        .width = WIDTH, .height = HEIGHT, .model_bits = BITS, .painter = &w->fake.painter};
    w->dec = must(tas_decoder_new(&config));
    if (forger_init(&w->forger, WIDTH, HEIGHT, BITS, seed) != TAS_OK)
        die("no memory", 0, 0);
    for (unsigned i = 0; i < STREAMS; i++)
        decode_honest(w, w->streams[i], FRAMES);
}

static void world_fini(struct world *w) {
    for (unsigned i = 0; i < STREAMS; i++)
        for (unsigned k = 0; k < FRAMES; k++)
            free(w->streams[i][k].bytes);
    tas_decoder_free(w->dec);
    forger_fini(&w->forger);
    free(w->buf);
    free(w->copy);
}

static unsigned long number_of(const char *text) {
    char *end;
    errno = 0;
    unsigned long n = strtoul(text, &end, 10);
    if (errno || *end || n == 0) {
        fprintf(stderr, "usage: codec_garbage ROUNDS | codec_garbage soak SECONDS [SEED]\n");
        exit(2);
    }
    return n;
}

int main(int argc, char **argv) {
    bool is_soak = argc >= 3 && strcmp(argv[1], "soak") == 0;
    unsigned long amount = number_of(argc > 1 ? argv[1 + is_soak] : "");
    static struct world w;
    if (is_soak)
        the_seed = argc > 3 ? number_of(argv[3]) : (unsigned long)time(NULL);
    world_init(&w, the_seed);
    double before_mb = resident_mb();
    unsigned long rounds = 0;
    for (time_t end = time(NULL) + (time_t)amount; is_soak ? time(NULL) < end : rounds < amount; rounds++)
        round_of_garbage(&w);
    decode_honest(&w, w.streams[0], FRAMES);
    double grown_mb = resident_mb() - before_mb;
    printf("seed %lu: %lu rounds, %u accepted (%u forged, %u repaired), %u refused; slowest honest %.1f ms, "
           "hostile %.1f ms; "
           "memory grew by %.1f MB\n",
           the_seed, rounds, w.accepted, w.forged, w.repaired, w.refused, w.honest_ms, w.hostile_ms,
           grown_mb);
    if (grown_mb > SLACK_MB)
        die("memory grows, MB", grown_mb, SLACK_MB);
    if (!is_soak && (w.accepted < amount || w.refused < amount || w.repaired == 0))
        die("the garbage is no good: accepted, refused", w.accepted, w.refused);
    world_fini(&w);
    return 0;
}
