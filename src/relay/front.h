/* The door of the relay, on a thread of its own: accepts, shakes hands (TLS, HELLO, CHALLENGE, PROOF) and
 * hands those who may come in to the worker of their session. A handshake costs a thousand relayed records:
 * here it delays none. */
#pragma once

#include "relay/worker.h"

struct relay_front;

/* Runs on `loop` (the main thread's). Takes over the listening sockets. config and tls may be exchanged with
 * relay_front_reload(). NULL: no memory. */
struct relay_front *relay_front_new(struct tas_loop *loop, const int *listen_fds, size_t n_listen,
                                    const struct relay_config *config, struct tas_tls *tls,
                                    struct relay_worker *const *workers, size_t n_workers,
                                    struct relay_stats *stats);
void relay_front_free(struct relay_front *front); /* NULL is fine */

/* New keys and certificates for those who come from now on. */
void relay_front_reload(struct relay_front *front, const struct relay_config *config, struct tas_tls *tls);

/* Closes the listening sockets and everybody who is still at the door. */
void relay_front_shut(struct relay_front *front);
