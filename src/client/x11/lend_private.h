/* Free keycodes, lent to characters that the layout does not have.
 *
 * Programs learn of a changed map by an event in the stream of their key events, but then fetch the map as it
 * is at that moment: a keycode given to another character too early makes them read an earlier press as the
 * later character. So all free keycodes are used first, many are bound in one request (one event, programs
 * read the map once), and a keycode changes its character only when every program had time to see the last
 * press.
 *
 * Only the map of XTEST's own keyboard is changed (the server shows it to everybody as soon as that is used):
 * what the customer types meanwhile on a real keyboard is untouched. A bound key has both levels of the type
 * ALPHABETIC set to its character: no modifier or lock alters it, and no layout has such a key, by which what
 * a killed program left behind is recognised. */
#pragma once

#include "client/x11/conn_private.h"

enum {
    TAS_X11_REUSE_US = 60 * 1000, /* from the last press to the first keycode that changes its character */
};

struct tas_x11_pool;

/* Reads which keycodes are free, and takes back what a killed program left lent. NULL: no memory or no
 * display. */
struct tas_x11_pool *tas_x11_pool_new(struct tas_x11_conn *conn, uint16_t device);
void tas_x11_pool_free(struct tas_x11_pool *pool); /* does not restore; NULL is fine */

/* The keycode that is lent to the symbol; 0 none. */
uint8_t tas_x11_pool_key(const struct tas_x11_pool *pool, uint32_t sym);

/* That key is pressed now. */
void tas_x11_pool_touch(struct tas_x11_pool *pool, uint8_t keycode, uint64_t now_us);

/* Lends keycodes to as many of the symbols (each once), in order, as there are keycodes; those that have one
 * keep it. TAS_OK: the first of them has one now. TAS_E_MORE: not before *wait_us have passed. TAS_E_LIMIT:
 * this keyboard has no free keycode. TAS_E_ABSENT: the display is gone. */
TAS_MUST_USE int tas_x11_pool_lend(struct tas_x11_pool *pool, const uint32_t *syms, size_t n, uint64_t now_us,
                                   uint64_t *wait_us);

/* Any lent, and when was the last one pressed? */
bool tas_x11_pool_is_lent(const struct tas_x11_pool *pool);
uint64_t tas_x11_pool_used_us(const struct tas_x11_pool *pool);

/* How many keycodes there are. */
size_t tas_x11_pool_size(const struct tas_x11_pool *pool);

/* Not 0 for the keycodes of the pool: they are nobody's keys. */
const uint8_t *tas_x11_pool_codes(const struct tas_x11_pool *pool);

/* Was the change of `n` keys from `first` on made here? */
bool tas_x11_pool_made(const struct tas_x11_pool *pool, uint8_t first, uint8_t n);

/* The map was changed by somebody: looks which keycodes are free, and still lent. TAS_E_ABSENT. */
TAS_MUST_USE int tas_x11_pool_sync(struct tas_x11_pool *pool);

/* Gives all keycodes back, byte for byte as they were. TAS_E_ABSENT. */
TAS_MUST_USE int tas_x11_pool_restore(struct tas_x11_pool *pool);
