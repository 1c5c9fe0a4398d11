/* The control loop of docs/protocol.md section 5, measured on whole sessions over pretended thin and thick
 * lines: how old a picture is when it is shown, how much of the line is used, how long input takes. */
#include "sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { WARM_MS = 1500, INPUT_EVERY_MS = 7, INPUTS_MAX = 4096 };

static struct sim sim;
static uint32_t noise_width, noise_height, noise;
static uint64_t input_sent_us[INPUTS_MAX], input_took_us[INPUTS_MAX];
static unsigned n_inputs, n_taken;

/* Always new and not to be compressed: about 3 bytes a pixel. */
static void paint_noise(struct sim *s) {
    for (uint32_t y = 0; y < noise_height; y++)
        for (uint32_t x = 0; x < noise_width; x++) {
            noise ^= noise << 13;
            noise ^= noise >> 17;
            noise ^= noise << 5;
            s->screen->px[y * s->screen->stride + x] = noise & 0xffffff;
        }
}

static void note_input(struct sim *s, unsigned end, const struct tas_event *ev) {
    if (ev->kind == TAS_EVENT_FRAME)
        tas_tiles_set_rect(tas_session_dirty(s->end[SIM_HOST]), 0, 0, noise_width, noise_height);
    if (end != SIM_HOST || ev->kind != TAS_EVENT_INPUT || n_taken == INPUTS_MAX)
        return;
    input_took_us[n_taken++] = s->now_us - input_sent_us[ev->input.keysym];
}

static int compare_u64(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static double p95_ms(uint64_t *values, unsigned n) {
    assert_true(n > 0);
    qsort(values, n, sizeof(*values), compare_u64);
    return (double)values[n * 95 / 100] / 1000;
}

struct line {
    double mbit;
    unsigned frame_ms; /* link time of one frame */
    unsigned delay_ms; /* of each of the two cables */
    bool both_thin;    /* the viewer's cable, too */
    unsigned run_ms;
};

struct result {
    double age_p95_ms, input_p95_ms, used;
};

static void keep_dirty(void) {
    tas_tiles_set_rect(tas_session_dirty(sim.end[SIM_HOST]), 0, 0, noise_width, noise_height);
}

static struct result measure(const struct line *line) {
    struct sim_world w;
    sim_world_init(&w);
    sim_start(&sim, &w);
    sim.delay_us = line->delay_ms * 1000;
    sim.rate_Bps[SIM_HOST] = (uint64_t)(line->mbit * 125000);
    if (line->both_thin)
        sim.rate_Bps[SIM_VIEWER] = sim.rate_Bps[SIM_HOST];
    assert_true(sim_until(&sim, sim_both_active, 5000));
    uint32_t pixels = (uint32_t)(line->mbit * 125 * line->frame_ms / 3);
    noise = 1;
    noise_width = 32;
    while (noise_width * noise_width < pixels)
        noise_width *= 2;
    noise_height = pixels / noise_width + 1;
    sim.screen = tas_picture_new(noise_width, noise_height);
    assert_non_null(sim.screen);
    assert_int_equal(tas_session_screen(sim.end[SIM_HOST], noise_width, noise_height), TAS_OK);
    tas_session_view(sim.end[SIM_VIEWER], true);
    sim.paint = paint_noise;
    sim.on_event = note_input;
    n_inputs = n_taken = 0;
    struct tas_session_figures before = {0}, after;
    unsigned ages_before = 0, taken_before = 0;
    for (unsigned ms = 0; ms < line->run_ms + WARM_MS; ms++) {
        if (ms == WARM_MS) {
            tas_session_figures(sim.end[SIM_VIEWER], &before, sim.now_us);
            ages_before = sim.n_ages;
            taken_before = n_taken;
        }
        if (ms % INPUT_EVERY_MS == 0 && n_inputs < INPUTS_MAX) {
            const struct tas_msg_input in = {.kind = 1, .is_down = 1, .keycode = 30, .keysym = n_inputs};
            input_sent_us[n_inputs++] = sim.now_us;
            assert_int_equal(tas_session_send_input(sim.end[SIM_VIEWER], &in), TAS_OK);
        }
        keep_dirty();
        sim_run_ms(&sim, 1);
    }
    tas_session_figures(sim.end[SIM_VIEWER], &after, sim.now_us);
    struct tas_session_figures host;
    tas_session_figures(sim.end[SIM_HOST], &host, sim.now_us);
    double bytes = (double)(after.screen_bytes - before.screen_bytes);
    unsigned n_ages = sim.n_ages - ages_before;
    struct result r = {
        .age_p95_ms = p95_ms(sim.frame_age_us + ages_before, n_ages),
        .input_p95_ms = p95_ms(input_took_us + taken_before, n_taken - taken_before),
        .used = bytes * 1000 / line->run_ms / (line->mbit * 125000),
    };
    printf("    %5.1f Mbit/s, %3u ms frames, 2 x %2u ms, %s: age p95 %6.1f ms  used %5.1f %%  input p95 "
           "%5.1f ms  "
           "(%u frames, minRTT %.1f ms, rate %.2f Mbit/s, window %zu)\n",
           line->mbit, line->frame_ms, line->delay_ms, line->both_thin ? "both thin" : "host thin",
           r.age_p95_ms, r.used * 100, r.input_p95_ms, n_ages, (double)host.min_rtt_us / 1000,
           (double)host.rate_Bps * 8 / 1e6, host.window);
    fflush(stdout);
    sim_stop(&sim);
    return r;
}

static void pictures_are_young_and_the_line_is_full(void **state) {
    (void)state;
    static const struct {
        struct line line;
        double age_ms;
    } goals[] = {
        {{1, 10, 5, false, 6000}, 130}, {{1, 20, 5, false, 6000}, 130}, {{1, 30, 5, false, 6000}, 130},
        {{8, 10, 5, false, 1500}, 70},  {{8, 20, 5, false, 1500}, 70},  {{8, 30, 5, false, 1500}, 70},
        {{80, 10, 5, false, 300}, 60},  {{80, 30, 5, false, 300}, 60},
    };
    for (unsigned g = 0; g < sizeof(goals) / sizeof(goals[0]); g++) {
        struct result r = measure(&goals[g].line);
        assert_true(r.age_p95_ms <= goals[g].age_ms);
        assert_true(r.used >= 0.95);
        assert_true(r.input_p95_ms <= 20);
    }
}

/* The relay passes on whole records, so a second thin cable doubles the time of each. */
static void a_thin_line_at_both_ends_is_used_as_well(void **state) {
    (void)state;
    static const struct line lines[] = {
        {1, 10, 5, true, 5000}, {1, 20, 5, true, 5000}, {8, 20, 5, true, 1500}};
    for (unsigned i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct result r = measure(&lines[i]);
        assert_true(r.used >= 0.9);
        assert_true(r.age_p95_ms <= (lines[i].mbit < 2 ? 130 : 70));
    }
}

/* Their own time on the line is what they cost, and no queue on top of it. */
static void large_frames_and_long_ways_do_not_pile_up(void **state) {
    (void)state;
    static const struct line lines[] = {
        {1, 300, 5, false, 6000}, {8, 150, 5, false, 2500}, {8, 20, 40, false, 1500}};
    for (unsigned i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct result r = measure(&lines[i]);
        assert_true(r.used >= 0.95);
        assert_true(r.age_p95_ms <= lines[i].frame_ms * 1.1 + 2 * lines[i].delay_ms + 40);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_are_young_and_the_line_is_full),
        cmocka_unit_test(a_thin_line_at_both_ends_is_used_as_well),
        cmocka_unit_test(large_frames_and_long_ways_do_not_pile_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
