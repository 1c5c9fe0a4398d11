/* A short session with each allocation failing in turn: it goes on or closes, and nothing leaks or crashes.
 * Link with the --wrap options of oom.h. Calls inside the crypto library are not seen. */
#include "oom.h"
#include "sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct sim sim;
static struct sim_world world;

static void scenario(void) {
    static const struct tas_monitors one = {.n = 1,
                                            .list = {{.id = 1, .width = 64, .height = 64, .name = "A"}}};
    sim_run_ms(&sim, 40);
    if (tas_session_dirty(sim.end[SIM_HOST]))
        sim_paint(&sim, 0, 0, 60, 60, 5);
    tas_session_view(sim.end[SIM_VIEWER], true);
    tas_session_monitors(sim.end[SIM_HOST], &one);
    (void)!tas_session_chat(sim.end[SIM_HOST], tas_bytes_of("one", 3), 0);
    sim_run_ms(&sim, 40);
    sim_relay_kill(&sim, 0);
    (void)!tas_session_chat(sim.end[SIM_VIEWER], tas_bytes_of("two", 3), 0);
    sim_run_ms(&sim, 400);
    tas_session_end(sim.end[SIM_HOST], TAS_END_CUSTOMER, sim.now_us);
    sim_run_ms(&sim, 40);
}

static void any_allocation_may_fail(void **state) {
    (void)state;
    sim_world_init(&world);
    unsigned n = 1;
    for (bool has_failed = true; has_failed && n < 5000; n++) {
        sim_start(&sim, &world);
        sim.screen = tas_picture_new(64, 64);
        tas_oom_fail_at(n);
        if (tas_session_screen(sim.end[SIM_HOST], 64, 64) == TAS_OK)
            scenario();
        has_failed = tas_oom_count() >= n;
        tas_oom_fail_at(0);
        sim_stop(&sim);
    }
    assert_true(n > 50);
    print_message("    %u allocations\n", n - 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
