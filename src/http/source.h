/* What each source has of something of which there is not enough for everybody: connections, places in a
 * queue, memory. A source is a v4 address, or a v6 /64, which is what one subscriber gets. Not for several
 * threads. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tas_http_sources;

struct tas_http_sources *tas_http_sources_new(void);          /* NULL: no memory */
void tas_http_sources_free(struct tas_http_sources *sources); /* NULL is fine */

/* One more, unless it has `max` already (0: no limit) or there is no memory: false. */
bool tas_http_sources_add(struct tas_http_sources *sources, const uint8_t source[16], unsigned max);
void tas_http_sources_remove(struct tas_http_sources *sources, const uint8_t source[16]);

/* The source holds `len` bytes more, unless these were more than `max` then (0: no limit) or there is no
 * memory: false. */
bool tas_http_sources_hold(struct tas_http_sources *sources, const uint8_t source[16], size_t len,
                           size_t max);
void tas_http_sources_release(struct tas_http_sources *sources, const uint8_t source[16], size_t len);
size_t tas_http_sources_held(struct tas_http_sources *sources, const uint8_t source[16]);
