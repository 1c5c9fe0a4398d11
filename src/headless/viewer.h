/* `tasuki-headless viewer` */
#pragma once

#include "headless/endfile.h"

/* Runs until the session ends. The exit code. */
int viewer_main(const struct endfile *file);
