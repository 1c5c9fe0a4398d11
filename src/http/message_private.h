/* One way to write an event. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* As snprintf(): the length that it has or would have; -1: `event` or `data` is more than one line. */
int tas_http_event_print(char *out, size_t cap, uint64_t id, const char *event, const char *data);
