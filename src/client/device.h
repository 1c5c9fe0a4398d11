/* What is known of the customer's machine, for the operator, after the customer's own consent. Reads files
 * and asks the kernel; starts no program and needs no rights. */
#pragma once

#include "base/json.h"

enum { TAS_DEVICE_JSON_MAX = 15 * 1024 };

/* An object with the members of docs/protocol.md "device information": those that are known here. Its text is
 * at most TAS_DEVICE_JSON_MAX bytes (long lists are cut and say so: "more"). Blocks for some ms. NULL: no
 * memory. */
struct tas_json *tas_device_collect(const char *display);
