/* An HTTP server over net/ (loop, TLS 1.3): HTTP/1.1 of our own, HTTP/2 by libnghttp2, which only this folder
 * knows. One thread owns all sockets; a route is a plain function of request to reply and runs, where it may
 * block, on one of the lanes' threads. */
#pragma once

#include "base/buf.h"
#include "http/message.h"

struct tas_http;

enum {
    TAS_HTTP_WHY = 256,
    TAS_HTTP_LISTENERS = 8,
    TAS_HTTP_LANES = 4,
    TAS_HTTP_INLINE = -1, /* a lane: on the socket thread itself; must not block */
};

struct tas_http_route {
    const char *method; /* "GET" answers HEAD too; NULL closes a table */
    const char *path;   /* "/v1/sessions/{id}/answer": {} matches one segment, given as req->params[0..] */
    int lane;           /* TAS_HTTP_INLINE or an index into lanes */
    size_t body_max;    /* bytes; 0: no body is taken (413 otherwise) */

    /* Fills `reply` (status 200 and empty before). */
    void (*fn)(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply);

    /* May answer before the request takes a place in its lane, on the socket thread, without blocking: true
     * means that `reply` is complete. NULL: none. */
    bool (*gate)(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply);

    /* Called when a request whose gate let it pass is over, whatever came of it (also when it was never run).
     * On the socket thread. NULL: none. */
    void (*passed)(void *ctx, const uint8_t source[16]);

    /* For event streams: see tas_http_reply.topic. Runs on the lane after the stream has been subscribed; its
     * reply's body (tas_http_event() lines) goes first. NULL: nothing goes first. */
    void (*fill)(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply);
};

struct tas_http_lane {
    const char *name; /* for metrics */
    unsigned threads;
    /* Requests that wait; over: 503 with Retry-After. One source (a v4 address, a v6 /64) may have an eighth
     * of them, but 8. A request whose peer has gone before its turn is not run. */
    unsigned queue_max;
    /* Called on each of the lane's threads at its start and end; what start gives is req->thread there. NULL:
     * none. start giving NULL does not stop the thread. */
    void *(*start)(void *ctx);
    void (*stop)(void *ctx, void *thread);
};

struct tas_http_listener {
    const char *address;     /* numeric, "127.83.0.1:443" or "[::1]:443" */
    const char *certificate; /* PEM chain; NULL: plain HTTP */
    const char *private_key; /* PEM */
    const char *client_ca;   /* PEM: clients must show a certificate of it; NULL: none is asked for */
    const struct tas_http_route *routes;
    bool redirects; /* plain HTTP: every GET and HEAD is sent to https:// of the same host; no routes */
};

struct tas_http_config {
    const struct tas_http_listener *listeners;
    size_t n_listeners;
    const struct tas_http_lane *lanes;
    size_t n_lanes;
    unsigned max_connections;            /* 0: 10,000 */
    unsigned max_connections_per_source; /* a v4 address, a v6 /64; 0: no limit but the above */
    /* Bytes of memory for the bodies of requests that come in and of replies that wait to be read (not of
     * files), all together; one source may take a sixteenth, but 1 MiB. Over: 503. 0: 128 MiB. */
    size_t bodies_max;
    unsigned max_streams_per_topic; /* the oldest is closed for a new one; 0: 16 */
    unsigned header_s;              /* from accept or the last reply's end to a whole header; 0: 10 */
    unsigned body_s;                /* for a body, which must also come at 1 KiB/s; 0: 30 */
    unsigned idle_s;                /* a kept connection without a request; 0: 60 */
    void *ctx;                      /* for routes */
};

/* Binds and loads certificates; reads nothing from the network and starts no thread. Call before privileges
 * are dropped: nothing is opened later but by tas_http_reload(). Texts, routes and ctx outlive the server,
 * the lists of listeners and lanes need not. NULL: `why` names the address or file; errno is EADDRINUSE,
 * EACCES, EADDRNOTAVAIL or 0 (a matter of configuration). */
struct tas_http *tas_http_open(const struct tas_http_config *config, char why[TAS_HTTP_WHY]);

/* Starts the threads, from here on routes run. Call once, after privileges are dropped, so that nobody's
 * bytes are ever read with them. TAS_E_NOMEM: no threads; free it by tas_http_stop(). */
TAS_MUST_USE int tas_http_run(struct tas_http *http);

/* Certificates and keys are read again from their files for new connections. TAS_E_CONFIG: `why`; the old
 * ones stay in force, all of them. Between tas_http_run() and tas_http_halt(). */
TAS_MUST_USE int tas_http_reload(struct tas_http *http, char why[TAS_HTTP_WHY]);

/* No more connections are accepted, event streams are ended, kept connections closed after their reply;
 * returns when all requests are answered or after timeout_ms. From any thread but the socket thread, once,
 * between tas_http_run() and tas_http_halt(). */
void tas_http_drain(struct tas_http *http, unsigned timeout_ms);

/* Stops all threads and closes everything: no route, fill, passed or lane's stop is called after this
 * returns. tas_http_publish(), tas_http_end_topic() and tas_http_has_streams() may still be called, from any
 * thread: they do nothing, there is no stream. Once; also when it never ran. NULL is fine. */
void tas_http_halt(struct tas_http *http);

/* After tas_http_halt(), when nobody publishes any more. NULL is fine. */
void tas_http_free(struct tas_http *http);

/* Both, where nobody else publishes. */
void tas_http_stop(struct tas_http *http);

/* ---- event streams (Server-Sent Events, https://html.spec.whatwg.org/multipage/server-sent-events.html)
 * ---- */

/* Sends an event to every stream of `topic`, and to those whose fill has not run yet, after it. `data` is one
 * line (JSON). From any thread. A stream that has more than 256 KiB waiting is closed: its reader comes back
 * with ?after=. */
void tas_http_publish(struct tas_http *http, uint64_t topic, uint64_t id, const char *event,
                      const char *data);

/* Ends the streams of a topic after what waits was sent. From any thread. */
void tas_http_end_topic(struct tas_http *http, uint64_t topic);

/* Is anybody subscribed? From any thread; may be old when it returns. */
bool tas_http_has_streams(struct tas_http *http, uint64_t topic);

/* ---- figures ---- */

/* clang-format off */
#define TAS_HTTP_STATS(X) \
    X(connections,      "gauge",   "open connections") \
    X(streams,          "gauge",   "open event streams") \
    X(requests_total,   "counter", "requests answered") \
    X(refused_total,    "counter", "connections and requests refused by a limit or deadline") \
    X(queued,           "gauge",   "requests waiting for a thread") \
    X(held_bytes,       "gauge",   "memory that bodies of requests and unread replies take") \
    X(events_total,     "counter", "events sent to streams") \
    X(tls_failed_total, "counter", "TLS handshakes that failed")
/* clang-format on */

struct tas_http_stats {
#define X(name, kind, help) int64_t name;
    TAS_HTTP_STATS(X)
#undef X
};
void tas_http_stats(struct tas_http *http, struct tas_http_stats *out);
/* All of them as tas_http_metric() writes them, "tasuki_PROGRAM_http_NAME". */
void tas_http_metrics(struct tas_http *http, struct tas_http_reply *reply, const char *program);
