/* The pixels of a viewport on their way into an X window: by shared memory where the server takes it,
 * otherwise through the socket. At most one request is unfinished, and what the server still reads is never
 * written to: with shared memory there are two buffers, so that drawing goes on meanwhile. Never waits for
 * the server. */
#pragma once

#include "operator/present/region_private.h"

#include "base/err.h"

#include <stddef.h>
#include <xcb/xcb.h>

struct present_put;

/* Can this server take our memory? A round trip. */
bool present_put_can_share(xcb_connection_t *xcb);

/* For a window of `depth` bits and this size, at most 32767 px wide and high; the buffer is zeros. is_shared:
 * as present_put_can_share() said; falls back to the socket. A round trip. NULL: no memory. */
struct present_put *present_put_new(xcb_connection_t *xcb, xcb_window_t window, uint8_t depth, uint32_t width,
                                    uint32_t height, bool is_shared);
void present_put_free(struct present_put *put); /* wipes; NULL is fine */

/* The buffer to draw into, rows of `width` px, with everything that was drawn before except, perhaps, in
 * `anew` (may be NULL), which the caller draws completely. Good until the next call on `put`. */
uint32_t *present_put_begin(struct present_put *put, const pixman_region32_t *anew);

/* `drawn` was drawn: shows it, now or when the server is done with what is unfinished. Flush afterwards. */
void present_put_end(struct present_put *put, const pixman_region32_t *drawn);

/* Shows a part again. */
void present_put_expose(struct present_put *put, struct present_rect rect);

/* For each event; true: it was for `put`. */
bool present_put_on_event(struct present_put *put, const xcb_generic_event_t *event);

/* After events were taken in: without shared memory, the end of a request is an answer and not an event.
 * True: it has come; perhaps more was sent. */
bool present_put_poll(struct present_put *put);
