/* Which relays are near: how long the first relay of each region takes to answer, measured while the user
 * still reads or types, so that nobody waits for it. */
#pragma once

#include "api/calls.h"

struct api_measure;

/* Connects to the first relay of each region at once, for at most 1.5 s. The figure is the time from the TCP
 * connection to the end of the TLS handshake with a relay whose certificate is right: one round trip and
 * about a millisecond of computing, without the resolver, and no box on the way can answer in the relay's
 * place. Call when the client knows the server's time. `done` gets what came, perhaps nothing; not before
 * this returns; then call api_measure_free(). NULL: no memory. */
struct api_measure *api_measure_start(struct api_client *client, const struct api_relays *relays,
                                      void (*done)(void *ctx, const struct api_rtt *rtts, size_t n),
                                      void *ctx);
void api_measure_free(struct api_measure *measure); /* stops it; NULL is fine */
