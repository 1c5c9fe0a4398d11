/* A process of our own that answers packets: forked from this one, on the other end of a socket pair, with
 * nothing else open. For work that the program itself must not be able to do, such as reading keys. */
#pragma once

#include "base/bytes.h"
#include "base/err.h"

struct tas_helper;

/* ---- in the program ---- */

/* Forks. The child has /dev/null as descriptors 0 to 2, its end of the line, and nothing else; a session of
 * its own; ignores SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2 and SIGPIPE; cannot be traced or dumped
 * by others of its user. It runs run(line, ctx) and ends. `name` (at most 15 characters) is what ps shows.
 * Call before any thread exists. NULL: errno. */
struct tas_helper *tas_helper_start(const char *name, void (*run)(int line, void *ctx), void *ctx);

/* Hangs up, waits until it has ended (it is killed after 2 s) and releases. No call may be under way. NULL is
 * fine. */
void tas_helper_stop(struct tas_helper *helper);

/* Sends a packet and waits for the one that answers. Any thread; one at a time inside. TAS_E_CLOSED: it is
 * gone, now and from now on (also after 10 s without an answer: it is killed then). TAS_E_LIMIT: the answer
 * has more than `cap` bytes, which is dropped. */
TAS_MUST_USE int tas_helper_ask(struct tas_helper *helper, struct tas_bytes request, uint8_t *reply,
                                size_t cap, size_t *len);

/* For an answer that is none: it is not what was started. It is killed, and TAS_E_CLOSED from now on. Returns
 * that. */
int tas_helper_kill(struct tas_helper *helper);

int tas_helper_pid(const struct tas_helper *helper);

/* ---- in the child ---- */

/* Waits for a packet; blocks. TAS_E_CLOSED: the program has hung up or is gone: end. TAS_E_LIMIT: a packet of
 * more than `cap` bytes came and was dropped. */
TAS_MUST_USE int tas_helper_receive(int line, uint8_t *packet, size_t cap, size_t *len);

/* TAS_E_CLOSED: nobody listens any more. */
TAS_MUST_USE int tas_helper_send(int line, struct tas_bytes packet);
