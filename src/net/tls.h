/* TLS 1.3 connections on given descriptors, in one event loop: ALPN "tasuki/1", no early data, no session
 * tickets. Ciphertext goes through one pair of large buffers per thread (struct tas_io), so that a connection
 * at rest holds none, and a turn's records leave in one send(). */
#pragma once

#include "base/buf.h"
#include "net/loop.h"

struct tas_tls; /* certificates and trust, shared by many connections and threads */
struct tas_io;  /* one per thread */
struct tas_conn;

enum { TAS_WHY_MAX = 256 };

/* A server's: PEM files of certificate chain and key. NULL: `why` says in words what is wrong and with which
 * file. */
struct tas_tls *tas_tls_server(const char *cert_file, const char *key_file, char why[TAS_WHY_MAX]);

/* A web server's: speaks "h2" or "http/1.1" (also with those who offer no protocol), not "tasuki/1".
 * client_ca: PEM file; clients must show a certificate of one of these authorities; NULL: none is asked for.
 * NULL as above. */
struct tas_tls *tas_tls_http_server(const char *cert_file, const char *key_file, const char *client_ca,
                                    char why[TAS_WHY_MAX]);

/* A client's: trusts the authorities in the PEM file `ca_file`, or the system's when NULL. NULL as above. */
struct tas_tls *tas_tls_client(const char *ca_file, char why[TAS_WHY_MAX]);

/* The same with the authorities' certificates themselves, PEM text. */
struct tas_tls *tas_tls_client_pem(const char *ca_pem, char why[TAS_WHY_MAX]);

/* An HTTP client's: speaks "http/1.1" (also with servers that choose no protocol), not "tasuki/1". PEM texts:
 * `ca_pem` NULL: the system's authorities; `certificate` and `private_key`: its own, both or none (NULL). */
struct tas_tls *tas_tls_http_client(const char *ca_pem, const char *certificate, const char *private_key,
                                    char why[TAS_WHY_MAX]);

/* Certificates are judged as of this time (ms since 1970), not of this machine's clock, which may be years
 * off at a customer's. Before the first connection. */
void tas_tls_set_time(struct tas_tls *tls, uint64_t wall_ms);

void tas_tls_free(struct tas_tls *tls); /* connections keep what they need; NULL is fine */

/* NULL: no memory. */
struct tas_io *tas_io_new(void);
void tas_io_free(struct tas_io *io);

/* What a connection tells its owner. From within a callback the owner may free it. */
struct tas_conn_events {
    /* The TLS handshake is done. */
    void (*on_secured)(void *ctx);
    /* Plaintext that came. False: no more for now (tas_conn_resume() goes on). */
    bool (*on_bytes)(void *ctx, struct tas_bytes bytes);
    /* Everything that was written has gone to the kernel, after tas_conn_write() had to wait. */
    void (*on_writable)(void *ctx);
    /* It is over; `why` is for logs. Call tas_conn_free(). */
    void (*on_closed)(void *ctx, const char *why);
};

/* Takes over `fd` (a connected, non-blocking stream socket). peer_name: the name that the server's
 * certificate must have, NULL at a server. NULL: no memory; fd is then still the caller's. */
struct tas_conn *tas_conn_new(struct tas_loop *loop, struct tas_io *io, struct tas_tls *tls, int fd,
                              const char *peer_name, const struct tas_conn_events *events, void *ctx);

/* In on_closed(): what kind of end it is. */
enum tas_conn_fault {
    TAS_CONN_CUT,          /* the line broke: no farewell came before its end */
    TAS_CONN_CLOSED,       /* the peer said that it was done (close_notify) */
    TAS_CONN_OTHER_NAME,   /* the peer's certificate is made out to another name */
    TAS_CONN_EXPIRED,      /* it has expired */
    TAS_CONN_NOT_YET,      /* it is not valid yet */
    TAS_CONN_UNTRUSTED,    /* it is not trusted for another reason */
    TAS_CONN_NOT_ACCEPTED, /* the peer does not accept our certificate, or wants one */
    TAS_CONN_VERSION,      /* the peer does not speak TLS 1.3 */
    TAS_CONN_BROKEN,       /* anything else that TLS does not allow */
};
enum tas_conn_fault tas_conn_fault(const struct tas_conn *conn);

/* No more is written: what waits is sent, then close_notify and the end of the stream. on_closed() comes when
 * the peer has done the same. May be called again. */
void tas_conn_shut(struct tas_conn *conn);

/* Closes the socket (with close_notify when it can go at once), wipes, frees. NULL is fine. */
void tas_conn_free(struct tas_conn *conn);

/* Moves a secured connection to another loop and owner; called on the old loop's thread, after which nothing
 * of it is used there. tas_conn_adopt() is then called on the new loop's thread. */
void tas_conn_detach(struct tas_conn *conn);
TAS_MUST_USE int tas_conn_adopt(struct tas_conn *conn, struct tas_loop *loop, struct tas_io *io,
                                const struct tas_conn_events *events, void *ctx);

/* Seals as much of `bytes` as may be sent now; the number taken, 0 when on_writable must be waited for,
 * negative: it is broken (on_closed follows). */
TAS_MUST_USE int tas_conn_write(struct tas_conn *conn, struct tas_bytes bytes);

/* How much unsent data the kernel takes before it says that it is full (TCP_NOTSENT_LOWAT). What lies there
 * can no longer be overtaken; what does not lie there cannot go out while this thread is busy. */
void tas_conn_set_lowat(struct tas_conn *conn, int bytes);

/* Bytes that the kernel has not taken yet. */
size_t tas_conn_backlog(const struct tas_conn *conn);

/* Nothing waits for the kernel. */
bool tas_conn_is_writable(const struct tas_conn *conn);

/* Hands what was written to the kernel; call when done writing for now. */
void tas_conn_flush(struct tas_conn *conn);

/* Go on after on_bytes returned false. May call on_bytes at once. Not from within on_bytes of another
 * connection of the same thread: put it off to the end of the turn (tas_loop_on_turn()). */
void tas_conn_resume(struct tas_conn *conn);

/* TLS exporter "EXPORTER-tasuki-cb", no context (RFC 8446 section 7.5): the same at both ends of this
 * connection. */
TAS_MUST_USE int tas_conn_binding(struct tas_conn *conn, uint8_t out[32]);

/* Have both agreed on this protocol (ALPN)? */
bool tas_conn_speaks(const struct tas_conn *conn, const char *protocol);

/* The first DNS name (subjectAltName) of the certificate that the peer has shown and that was found good.
 * False: there is none, it does not fit or is not a host's name; `out` is then empty. cap >= 1. */
bool tas_conn_peer_name(const struct tas_conn *conn, char *out, size_t cap);

/* The peer's address for logs and limits: v4 as ::ffff:a.b.c.d. */
void tas_conn_peer(const struct tas_conn *conn, uint8_t out[16]);
