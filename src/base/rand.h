/* Randomness from the operating system. */
#pragma once

#include <stddef.h>

/* Fills `out` with `len` unpredictable bytes. Ends the program when the system has none to give: going on
 * with anything else would hand out keys that can be guessed. */
void tas_random(void *out, size_t len);
