/* The two clocks. Pure code (wire, codec, e2e, session) never calls these: time is passed to it. */
#pragma once

#include <stdint.h>

/* Monotonic, µs since some fixed moment. Never goes back; unaffected by the wall clock. */
uint64_t tas_mono_us(void);

/* Wall clock, ms since 1970-01-01 UTC. May be wrong by years and may jump. */
uint64_t tas_wall_ms(void);
