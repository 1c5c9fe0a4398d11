/* TCP sockets as Tasuki wants them: non-blocking, small buffers, no Nagle, dead peers noticed. */
#pragma once

#include "base/err.h"
#include "net/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Splits "127.0.0.1:443", "[::1]:443" or "relay.example:443". TAS_E_CONFIG: not of that form. host_cap >= 1.
 */
TAS_MUST_USE int tas_address_split(const char *text, char *host, size_t host_cap, char port[6]);

/* Is it of that form? */
bool tas_address_is_sound(const char *text);

/* Is it of that form with a number for the host, as tas_listen() wants it? */
bool tas_address_is_numeric(const char *text);

enum { TAS_ADDRESS_TEXT = 48 };

/* An address (v4 as ::ffff:a.b.c.d) as people write it: "192.0.2.1", "2001:db8::1". */
void tas_address_text(char out[TAS_ADDRESS_TEXT], const uint8_t address[16]);

/* Is it a v4 address in v6's clothes? */
bool tas_address_is_v4(const uint8_t address[16]);

/* Where a connection comes from: its peer's address, v4 as ::ffff:a.b.c.d; zeros when it is gone. */
void tas_socket_source(int fd, uint8_t out[16]);

/* Options of every connection: TCP_NODELAY, TCP_NOTSENT_LOWAT 16 KiB, buffers of buf_bytes (0: the
 * system's). No TCP_USER_TIMEOUT: it also kills who reads slowly through a small window; both relay and ends
 * have clocks of their own for those who are gone. Best effort. */
void tas_socket_tune(int fd, int buf_bytes);

/* A listening socket on a numeric address. The descriptor, or TAS_E_CONFIG (not numeric), TAS_E_IO (errno).
 */
TAS_MUST_USE int tas_listen(const char *address);

/* The next connection of a listening socket, non-blocking. The descriptor; TAS_E_MORE: none waits; TAS_E_IO:
 * errno. */
TAS_MUST_USE int tas_accept(int listen_fd);

struct tas_dial;

/* Connects to host:port: resolves (IPv6 and IPv4) off this thread, tries the addresses in turn 250 ms apart,
 * the first to answer wins (RFC 8305). `done` gets the connected descriptor, or -1 and why; not before this
 * returns. NULL: no memory or a bad address. */
struct tas_dial *tas_dial_start(struct tas_loop *loop, const char *address,
                                void (*done)(void *ctx, int fd, const char *why), void *ctx);

/* After done(-1): was it the name that is not known? */
bool tas_dial_is_unknown(const struct tas_dial *dial);

/* Stops it; `done` is not called. Also to be called after `done`. NULL is fine. */
void tas_dial_free(struct tas_dial *dial);
