/* The monitors of an X screen, by RANDR 1.5. */
#pragma once

#include "client/screen.h"
#include "client/x11/conn_private.h"

/* Fills `out` but for its serial, in the server's order. Those that are not on the screen of width x height
 * px, or show the same as another one, are left out. n is 0 when the server knows of none. Round trips. */
void tas_x11_monitors_ask(struct tas_screen_monitors *out, struct tas_x11_conn *conn, uint32_t width,
                          uint32_t height);

/* Are they the same, serials apart? */
bool tas_x11_monitors_equal(const struct tas_screen_monitors *a, const struct tas_screen_monitors *b);
