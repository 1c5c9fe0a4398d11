/* Decodes a recording (recording.h) natively, rough pixels from the recording, and prints the CPU time:
 * wasm_play FILE gives {"dec_ms":mean of a frame after the first,"key_dec_ms":of the first}. */
#include "recording.h"

#include <stdlib.h>
#include <time.h>

struct player {
    struct tas_reader in;
    struct tas_bytes rough[16]; /* of the frame that comes */
    unsigned n_rough, next_rough;
};

static double cpu_ms(void) {
    struct timespec ts;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static uint32_t read_word(struct tas_reader *r) {
    struct tas_bytes b = tas_read_bytes(r, 4);
    uint32_t word = 0;
    if (b.len == 4)
        memcpy(&word, b.ptr, 4);
    return word;
}

static int paint(struct player *p, uint32_t *px, size_t stride, uint32_t width, uint32_t height) {
    if (p->next_rough == p->n_rough)
        return TAS_E_PROTO;
    struct tas_bytes rough = p->rough[p->next_rough++];
    if (rough.len != sizeof(struct recording_rough) + (size_t)width * height * sizeof(*px))
        return TAS_E_PROTO;
    const uint8_t *from = rough.ptr + sizeof(struct recording_rough);
    for (uint32_t y = 0; y < height; y++)
        memcpy(px + (size_t)y * stride, from + (size_t)y * width * sizeof(*px), width * sizeof(*px));
    return TAS_OK;
}

static int paint_jpeg(void *ctx, const struct tas_rough_jpeg *jpeg, struct tas_bytes scan) {
    (void)scan;
    return paint(ctx, jpeg->atlas.px, jpeg->atlas.stride, jpeg->atlas.width, jpeg->atlas.height);
}

static int paint_video(void *ctx, const struct tas_rough_region *region, struct tas_bytes chunk) {
    (void)chunk;
    return paint(ctx, region->px, region->stride, region->width, region->height);
}

struct times {
    double first, rest;
    unsigned frames;
};

static bool play(struct player *p, struct tas_decoder *dec, struct times *times) {
    while (p->in.in.len > 0) {
        uint32_t kind = read_word(&p->in), len = read_word(&p->in);
        struct tas_bytes data = tas_read_bytes(&p->in, len);
        if (p->in.bad || (kind == RECORDING_ROUGH && p->n_rough == 16))
            return false;
        if (kind == RECORDING_ROUGH)
            p->rough[p->n_rough++] = data;
        if (kind != RECORDING_FRAME)
            continue;
        double start = cpu_ms();
        int err = tas_decoder_frame(dec, data, NULL);
        double took = cpu_ms() - start;
        if (err != TAS_OK)
            return false;
        *(times->frames++ ? &times->rest : &times->first) += took;
        p->n_rough = p->next_rough = 0;
    }
    return times->frames > 0;
}

int main(int argc, char **argv) {
    size_t len = 0;
    uint8_t *bytes = argc == 2 ? recording_load(argv[1], &len) : NULL;
    struct player p = {.in = tas_reader_of(tas_bytes_of(bytes, len))};
    const struct tas_painter painter = {&p, paint_jpeg, paint_video, .close = NULL};
    struct tas_decoder_config config = {.painter = &painter};
    struct times times = {0};
    (void)read_word(&p.in);
    config.width = read_word(&p.in);
    config.height = read_word(&p.in);
    config.model_bits = read_word(&p.in);
    struct tas_decoder *dec = p.in.bad ? NULL : tas_decoder_new(&config);
    bool is_good = dec && play(&p, dec, &times);
    if (is_good)
        printf("{\"dec_ms\":%.4f,\"key_dec_ms\":%.4f}\n",
               times.frames > 1 ? times.rest / (times.frames - 1) : 0, times.first);
    tas_decoder_free(dec);
    free(bytes);
    return is_good ? 0 : 1;
}
