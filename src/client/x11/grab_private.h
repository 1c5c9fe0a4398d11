/* Copying tiles of the root window into a picture: as few requests as possible, all sent before the first
 * answer is awaited. */
#pragma once

#include "client/screen.h"
#include "client/x11/conn_private.h"

struct tas_x11_grab;

/* For this part of the root window. Uses shared memory when the server takes a memfd, else pixels travel
 * through the socket. TAS_E_ABSENT: the visual is not one that we can read, or the display is gone; `why`
 * says it. TAS_E_NOMEM. */
TAS_MUST_USE int tas_x11_grab_new(struct tas_x11_grab **out, struct tas_x11_conn *conn,
                                  const struct tas_screen_area *area, char *why, size_t why_cap);
void tas_x11_grab_free(struct tas_x11_grab *grab); /* wipes; NULL is fine */

/* screen.h's grab. `into` and `tiles` have the size of the part given to new. */
TAS_MUST_USE int tas_x11_grab_tiles(struct tas_x11_grab *grab, const struct tas_tiles *tiles,
                                    struct tas_picture *into);
