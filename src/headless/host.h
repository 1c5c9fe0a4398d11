/* `tasuki-headless host` */
#pragma once

#include "headless/endfile.h"

/* Runs until the session ends. `display`: NULL for $DISPLAY. rights: what is granted from the start. The exit
 * code. */
int host_main(const struct endfile *file, const char *display, uint16_t rights);
