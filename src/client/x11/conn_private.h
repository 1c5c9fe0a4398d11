/* A connection to an X server for one of our parts (screen, input): opening it with a clear reason when
 * something is missing, and a descriptor that is readable whenever there is something to take in. */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xcb/xcb.h>

struct tas_x11_conn {
    xcb_connection_t *xcb;
    xcb_screen_t *screen; /* borrowed from xcb */
    int epoll;            /* watches the socket and `wake` */
    int wake;             /* eventfd: there is work, although the socket is silent */
};

/* Connects to `display` (NULL: $DISPLAY). SIGPIPE is set to be ignored if it still had its default action:
 * libxcb writes without MSG_NOSIGNAL, and a display that dies must not take the program with it. TAS_E_ABSENT
 * with `why` filled; TAS_E_NOMEM. */
TAS_MUST_USE int tas_x11_conn_open(struct tas_x11_conn *conn, const char *display, char *why, size_t why_cap);
void tas_x11_conn_close(struct tas_x11_conn *conn); /* also what is half open or all zero */

/* Is the extension there? If not, `why` says so in words. */
TAS_MUST_USE int tas_x11_conn_need(struct tas_x11_conn *conn, xcb_extension_t *ext, const char *name,
                                   char *why, size_t why_cap);

/* Waiting for a reply reads events as well; they then wait inside libxcb while the socket stays silent. Who
 * has taken such events in, and leaves the consequences for later, calls raise(); who is about to see to
 * them, lower(). */
void tas_x11_conn_raise(struct tas_x11_conn *conn);
void tas_x11_conn_lower(struct tas_x11_conn *conn);

/* The display is gone, or never was. */
bool tas_x11_conn_is_dead(const struct tas_x11_conn *conn);

/* Is it a local (Unix) socket, so that descriptors can be passed? */
bool tas_x11_conn_is_local(const struct tas_x11_conn *conn);
