/* tas_device_collect() with another root for its files, for tests. */
#pragma once

#include "client/device.h"

/* root: put before every path, "" for this machine. */
struct tas_json *tas_device_collect_below(const char *root, const char *display);
