/* One end of a session on this machine: the engine (session/) with real sockets, TLS and timers around it.
 * The host's and the viewer's programs build on this. Everything runs on one event loop. */
#pragma once

#include "net/tls.h"
#include "session/session.h"

struct tas_end;

/* Where a relay of the ticket is reached, and the name that its certificate must have. */
struct tas_end_relay {
    uint32_t id;
    char address[264]; /* host:port */
    char name[256];
};

struct tas_end_config {
    struct tas_session_config session;
    struct tas_end_relay relays[TAS_RELAYS];
    size_t n_relays;
    struct tas_tls *tls; /* a client's; outlives the end */
};

struct tas_end_owner {
    /* What the engine says, but for DIAL and HANGUP, which are done here. */
    void (*on_event)(void *ctx, const struct tas_event *event);
    /* Once a turn of the loop, after events and before bytes go out: the place to offer a picture. */
    void (*on_turn)(void *ctx);
};

/* Dials at once. Takes the loop's tas_loop_on_turn(). NULL: no memory, or a ticket that is not this
 * identity's. */
struct tas_end *tas_end_new(struct tas_loop *loop, const struct tas_end_config *config,
                            const struct tas_end_owner *owner, void *ctx);
void tas_end_free(struct tas_end *end); /* NULL is fine */

/* The engine. After calling it from outside the owner's callbacks nothing else is needed: the turn's end does
 * the rest. */
struct tas_session *tas_end_session(struct tas_end *end);
