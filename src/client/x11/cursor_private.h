/* The image of the pointer, by XFIXES. */
#pragma once

#include "client/screen.h"
#include "client/x11/conn_private.h"

struct tas_x11_cursor;

/* NULL: no memory. Call after XFIXES was found and its version asked. */
struct tas_x11_cursor *tas_x11_cursor_new(struct tas_x11_conn *conn);
void tas_x11_cursor_free(struct tas_x11_cursor *cursor); /* NULL is fine */

/* The image has changed (XFIXES CursorNotify): fetched with the next refresh. */
void tas_x11_cursor_spoil(struct tas_x11_cursor *cursor);

/* Fetches the image if it was spoiled. TAS_E_ABSENT: the display is gone. */
TAS_MUST_USE int tas_x11_cursor_refresh(struct tas_x11_cursor *cursor);

/* The image has changed since it was asked last. */
bool tas_x11_cursor_is_new(struct tas_x11_cursor *cursor);

/* Fresh position in the area, image as of the last refresh (borrowed until the next). TAS_E_ABSENT: the
 * display is gone. */
TAS_MUST_USE int tas_x11_cursor_get(struct tas_x11_cursor *cursor, const struct tas_screen_area *area,
                                    struct tas_screen_cursor *out);
