/* The inside of the HTTP server.
 *
 *   server.c      listeners, limits, the loop's thread, what other threads hand in
 *   link.c        bytes over TLS or plain TCP
 *   peer.c        one connection: deadlines, which protocol
 *   h1.c h2.c     the two protocols; h2.c alone knows libnghttp2
 *   exchange.c    one request and its answer, whatever carries it
 *   lane.c        the threads where routes may block
 *   stream.c      event streams
 *
 * All of it belongs to the loop's thread, but a call that lies in a lane (the lane's until it is handed
 * back), the inbox and the table of topics (each under its mutex) and the counters. Nothing is freed inside a
 * callback: who is to be served or freed is put on the due list, which is worked off at the end of each turn.
 */
#pragma once

#include "http/head.h"
#include "http/server.h"
#include "net/loop.h"
#include "net/tls.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    TAS_HTTP_TURN_MAX = 256 * 1024,    /* bytes that one connection may send before others have their turn */
    TAS_HTTP_CHUNK = 64 * 1024,        /* read from a file at once */
    TAS_HTTP_WAITING_MAX = 256 * 1024, /* events for one stream */
    TAS_HTTP_STALL_US = 30 * 1000 * 1000, /* a reply that is not read */
    TAS_HTTP_LINGER_US = 2 * 1000 * 1000, /* after our last byte, for the peer's */
    TAS_HTTP_NAME_MAX = 256,
    TAS_HTTP_UNREAD_MAX = 512 * 1024, /* replies that wait on one connection: no further request is begun */
};

struct tas_http_peer;

/* ---- link.c: bytes over TLS or plain TCP ---- */

struct tas_http_link {
    struct tas_conn *tls; /* NULL: plain */
    struct tas_loop *loop;
    struct tas_watch *watch;
    int fd;
    bool is_paused, is_full, is_shut, is_broken;
    const struct tas_conn_events *events; /* the same for both kinds */
    void *ctx;
};

/* Takes over `fd`. tls NULL: plain; on_secured() is then never called. TAS_E_NOMEM: fd is still the caller's.
 */
TAS_MUST_USE int tas_http_link_open(struct tas_http_link *link, struct tas_loop *loop, struct tas_io *io,
                                    struct tas_tls *tls, int fd, const struct tas_conn_events *events,
                                    void *ctx);
void tas_http_link_close(struct tas_http_link *link);
/* As tas_conn_write(), tas_conn_flush(), tas_conn_resume(), tas_conn_shut(). */
TAS_MUST_USE int tas_http_link_write(struct tas_http_link *link, struct tas_bytes bytes);
void tas_http_link_flush(struct tas_http_link *link);
void tas_http_link_resume(struct tas_http_link *link);
void tas_http_link_shut(struct tas_http_link *link);
/* Bytes that we hold and the kernel has not taken. */
size_t tas_http_link_backlog(const struct tas_http_link *link);

/* ---- exchange.c: one request and its answer ---- */

enum tas_http_field {
    TAS_HTTP_HOST,
    TAS_HTTP_AUTHORIZATION,
    TAS_HTTP_CONTENT_TYPE,
    TAS_HTTP_IF_NONE_MATCH,
    TAS_HTTP_IF_MODIFIED_SINCE,
    TAS_HTTP_RANGE,
    TAS_HTTP_ACCEPT_LANGUAGE,
    TAS_HTTP_ORIGIN,
    TAS_HTTP_COOKIE,
    TAS_HTTP_USER_AGENT,
    TAS_HTTP_METHOD, /* HTTP/2, until its head is whole */
    TAS_HTTP_TARGET,
    TAS_HTTP_N_FIELDS,
};

/* What a route sees. Lies in a lane while one works on it, and may outlive its exchange there. */
struct tas_http_work {
    struct tas_http *http;
    struct tas_http_exchange *exchange; /* NULL: the peer went away */
    const struct tas_http_route *route;
    struct tas_http_request req;
    struct tas_http_reply reply;
    char *fields[TAS_HTTP_N_FIELDS];
    char *target;   /* path and query */
    char *location; /* of a redirect */
    char allow[64]; /* for a 405 */
    char params[TAS_HTTP_PARAMS][TAS_HTTP_PARAM_MAX + 1];
    char peer_name[TAS_HTTP_NAME_MAX];
    struct tas_buf body;
    size_t held;                /* of http->held: what both bodies take */
    size_t waiting;             /* of peer->waiting: the reply's memory, until all of it was sent */
    atomic_bool is_gone;        /* the peer went away: need not be run */
    bool has_passed;            /* its gate let it pass: passed() is owed */
    bool is_filling;            /* fn has run, fill is next */
    struct tas_http_work *next; /* in a lane's queue or in the inbox */
};

enum tas_http_phase {
    TAS_HTTP_READING, /* head or body */
    TAS_HTTP_RUNNING,
    TAS_HTTP_SENDING,
};

struct tas_http_exchange {
    struct tas_http_peer *peer;
    int32_t stream_id; /* HTTP/2 */
    enum tas_http_phase phase;
    struct tas_http_work *work;            /* NULL: an event stream whose first body has gone */
    struct tas_http_stream *stream;        /* NULL: not an event stream */
    size_t head_len;                       /* header bytes so far, HTTP/2 */
    uint64_t length;                       /* of the body; UINT64_MAX: not told */
    bool is_head;                          /* method HEAD */
    bool is_whole;                         /* the request has come to its end */
    bool is_deferred;                      /* HTTP/2: nothing to send at the moment */
    bool is_postponed;                     /* HTTP/2: run when the peer has read what waits for it */
    uint64_t since_us;                     /* the phase began */
    uint64_t moved_us;                     /* something of the reply went */
    uint64_t received;                     /* of the body */
    uint64_t sent;                         /* of the reply's body */
    struct tas_http_exchange *prev, *next; /* of the same peer */
};

/* NULL: no memory. */
struct tas_http_exchange *tas_http_exchange_new(struct tas_http_peer *peer, int32_t stream_id);
/* Also while a lane works on it. */
void tas_http_exchange_free(struct tas_http_exchange *x);

/* A header that came. TAS_E_PROTO: given twice; TAS_E_NOMEM. */
TAS_MUST_USE int tas_http_exchange_field(struct tas_http_exchange *x, struct tas_bytes name,
                                         struct tas_bytes value);

/* The head is whole. Finds the route and answers, asks for a body, or runs it. length: of the body,
 * UINT64_MAX: not told, 0: there is none. */
void tas_http_exchange_begin(struct tas_http_exchange *x, struct tas_bytes method, struct tas_bytes target,
                             uint64_t length);
/* Some of the body, while it is READING. Too much is answered. */
void tas_http_exchange_body(struct tas_http_exchange *x, struct tas_bytes bytes);
/* The request is whole. Runs it, or postpones it. */
void tas_http_exchange_run(struct tas_http_exchange *x);
/* Some was appended to work->body elsewhere. False: too much lies in memory, and that was answered. */
TAS_MUST_USE bool tas_http_exchange_count(struct tas_http_exchange *x);
/* Answers with a problem. What may still come of the request is not read. */
void tas_http_exchange_refuse(struct tas_http_exchange *x, unsigned status, const char *code,
                              const char *detail);
/* Its answer is made: the request's body is not needed any more. */
void tas_http_exchange_settle(struct tas_http_exchange *x);
/* Runs what was postponed, oldest first, as far as the peer has read. */
void tas_http_exchange_resume(struct tas_http_peer *peer);
/* A lane is done with it. Frees the work when nobody waits for it. */
void tas_http_work_done(struct tas_http_work *work);
void tas_http_work_free(struct tas_http_work *work);

enum tas_http_source { TAS_HTTP_MORE, TAS_HTTP_LATER, TAS_HTTP_END, TAS_HTTP_TORN };

/* The next bytes of the reply's body, not taken yet. LATER: an event stream has none at the moment; TORN: the
 * file ended early. Borrowed: good until the next call on any exchange. */
enum tas_http_source tas_http_exchange_peek(struct tas_http_exchange *x, struct tas_bytes *out);
void tas_http_exchange_drop(struct tas_http_exchange *x, size_t n);

/* Every header of the reply in turn, status apart: names in lower case, without colon. */
typedef int tas_http_header_fn(void *ctx, const char *name, const char *value);
TAS_MUST_USE int tas_http_exchange_headers(const struct tas_http_exchange *x, tas_http_header_fn *fn,
                                           void *ctx);
unsigned tas_http_exchange_status(const struct tas_http_exchange *x);

/* When the peer must have done something at the latest; UINT64_MAX: never. */
uint64_t tas_http_exchange_deadline(const struct tas_http_exchange *x);

/* ---- h1.c ---- */

struct tas_http_h1 {
    enum {
        TAS_H1_HEAD,
        TAS_H1_BODY,
        TAS_H1_BUSY, /* a route works on it */
        TAS_H1_SEND,
        TAS_H1_OVER, /* our end is shut, theirs not yet */
    } state;
    struct tas_buf in, out;
    size_t scanned;
    struct tas_http_chunks chunks;
    bool is_chunked, closes;
    unsigned minor;    /* of the present request: HTTP/1.minor */
    uint64_t left;     /* of a body of known length */
    uint64_t since_us; /* the first byte of this head, or the shutting of our end */
    struct tas_http_exchange *x;
};

void tas_http_h1_init(struct tas_http_h1 *h1);
void tas_http_h1_fini(struct tas_http_h1 *h1);
void tas_http_h1_bytes(struct tas_http_peer *peer, struct tas_bytes bytes);
void tas_http_h1_answer(struct tas_http_exchange *x);
void tas_http_h1_serve(struct tas_http_peer *peer);
void tas_http_h1_drain(struct tas_http_peer *peer);
bool tas_http_h1_wants_more(const struct tas_http_peer *peer);
uint64_t tas_http_h1_deadline(const struct tas_http_peer *peer);

/* ---- h2.c ---- */

struct tas_http_h2;

struct tas_http_h2 *tas_http_h2_new(struct tas_http_peer *peer); /* NULL: no memory */
void tas_http_h2_free(struct tas_http_h2 *h2);
void tas_http_h2_bytes(struct tas_http_peer *peer, struct tas_bytes bytes);
void tas_http_h2_answer(struct tas_http_exchange *x);
void tas_http_h2_serve(struct tas_http_peer *peer);
void tas_http_h2_drain(struct tas_http_peer *peer);
uint64_t tas_http_h2_deadline(const struct tas_http_peer *peer);
/* Ends one stream, and nothing else. */
void tas_http_h2_reset(struct tas_http_exchange *x);
/* Ends the exchanges whose deadline has come. False: the whole connection has to go. */
TAS_MUST_USE bool tas_http_h2_expire(struct tas_http_peer *peer);
bool tas_http_h2_is_idle(const struct tas_http_peer *peer); /* all that was to be written was taken */

/* ---- peer.c: one connection ---- */

struct tas_http_port; /* a listener */

struct tas_http_peer {
    struct tas_http *http;
    const struct tas_http_port *port;
    struct tas_http_link link;
    uint8_t source[16];
    char *name; /* of its certificate; NULL: none */
    struct tas_timer *timer;
    bool is_secured, is_dead, is_due, is_later;
    bool wants_resume; /* it is not read because enough of it lies here */
    bool has_asked;    /* a first request came */
    uint64_t accepted_us;
    uint64_t quiet_us; /* since when no request is on its way */
    uint64_t moved_us; /* the backlog became less */
    size_t backlog;    /* when that was looked at */
    size_t waiting;    /* memory of replies that have not wholly gone */
    unsigned n_exchanges;
    struct tas_http_exchange *exchanges;
    struct tas_http_h1 h1;
    struct tas_http_h2 *h2; /* NULL: HTTP/1.1 */
    struct tas_http_peer *prev, *next, *next_due, *next_later;
};

/* Takes over `fd`; closes it when there is no memory. */
void tas_http_peer_new(struct tas_http *http, const struct tas_http_port *port, int fd,
                       const uint8_t source[16]);
void tas_http_peer_free(struct tas_http_peer *peer);
void tas_http_peer_serve(struct tas_http_peer *peer);
void tas_http_peer_drain(struct tas_http_peer *peer);
/* It is over: no more is read or written, freed at the end of the turn. */
void tas_http_peer_kill(struct tas_http_peer *peer);
/* To be served at the end of this turn; after the next one. */
void tas_http_peer_due(struct tas_http_peer *peer);
void tas_http_peer_later(struct tas_http_peer *peer);
/* An answer of this exchange is ready to go. */
void tas_http_peer_answer(struct tas_http_exchange *x);
/* There may be more to send of it. */
void tas_http_peer_wake(struct tas_http_exchange *x);

/* ---- lane.c ---- */

struct tas_http_lane_run;

/* Starts the threads. NULL: `why`. */
struct tas_http_lane_run *tas_http_lane_start(struct tas_http *http, const struct tas_http_lane *lane);
/* Returns when its threads have ended; what was not begun is left to tas_http_lane_take(). */
void tas_http_lane_stop(struct tas_http_lane_run *lane);
void tas_http_lane_free(struct tas_http_lane_run *lane);
/* False: the queue is full, or its source's part of it. */
TAS_MUST_USE bool tas_http_lane_give(struct tas_http_lane_run *lane, struct tas_http_work *work);
/* The oldest of what has not been begun; NULL: none. */
struct tas_http_work *tas_http_lane_take(struct tas_http_lane_run *lane);

/* Runs fn or fill, wherever it is called. */
void tas_http_work_run(struct tas_http_work *work, void *thread);

/* ---- stream.c ---- */

struct tas_http_event;
struct tas_http_topics;

struct tas_http_topics *tas_http_topics_new(void);
void tas_http_topics_free(struct tas_http_topics *topics); /* no stream is left */

/* TAS_E_NOMEM. */
TAS_MUST_USE int tas_http_stream_open(struct tas_http_exchange *x, uint64_t topic);
void tas_http_stream_close(struct tas_http_exchange *x);
/* As tas_http_exchange_peek() and _drop() for what comes after the first body. */
enum tas_http_source tas_http_stream_peek(const struct tas_http_exchange *x, struct tas_bytes *out);
void tas_http_stream_drop(struct tas_http_exchange *x, size_t n);
bool tas_http_stream_is_waiting(const struct tas_http_exchange *x);
/* Works off what was published; ends all streams; says something to those who heard nothing for long. */
void tas_http_events_deliver(struct tas_http *http, struct tas_http_event *events);
void tas_http_events_free(struct tas_http_event *events);
void tas_http_streams_end(struct tas_http *http);
void tas_http_streams_tick(void *http);

/* ---- server.c ---- */

struct tas_http_port {
    struct tas_http *http;
    struct tas_http_listener config;
    struct tas_tls *tls;
    int fd;
    struct tas_watch *watch;
};

struct tas_http_sources; /* connections and memory per source */

struct tas_http {
    struct tas_http_config limits; /* with the defaults in place; its lists are copied */
    struct tas_http_lane lane_configs[TAS_HTTP_LANES];
    struct tas_http_port ports[TAS_HTTP_LISTENERS];
    size_t n_ports;
    struct tas_http_lane_run *lanes[TAS_HTTP_LANES];
    size_t n_lanes;
    struct tas_loop *loop;
    struct tas_io *io;
    pthread_t thread;
    bool has_thread;

    /* The loop's thread only. */
    struct tas_http_peer *peers, *due, *later;
    unsigned n_peers;
    struct tas_http_sources *sources;
    struct tas_timer *tick_timer;  /* of event streams */
    struct tas_timer *short_timer; /* out of descriptors: accepts again */
    bool is_draining, is_short;
    size_t held;    /* by bodies of requests and replies, in memory */
    uint8_t *chunk; /* of a file */
    char date[40];
    uint64_t date_s;

    struct tas_http_topics *topics;

    /* The inbox: what other threads hand in. */
    pthread_mutex_t lock;
    pthread_cond_t done;
    int wake_fds[2];
    struct tas_watch *wake_watch;
    bool is_awake;
    struct tas_http_work *finished, **finished_end;
    struct tas_http_event *events, **events_end;
    bool has_lost_events; /* no memory for one: all streams are ended, their readers come back */
    bool wants_drain, wants_stop, is_drained;
    bool is_halted;         /* nobody looks into it any more */
    struct tas_tls **fresh; /* of each port, to be put in force */

#define X(name, kind, help) _Atomic int64_t name;
    struct {
        TAS_HTTP_STATS(X)
    } stats;
#undef X
};

#define TAS_HTTP_COUNT(http, name, by)                                                                       \
    atomic_fetch_add_explicit(&(http)->stats.name, (by), memory_order_relaxed)

/* From any thread. */
void tas_http_finish(struct tas_http *http, struct tas_http_work *work);
/* With the inbox's lock held: the loop will look into it. */
void tas_http_wake(struct tas_http *http);
uint64_t tas_http_now_us(const struct tas_http *http);
const char *tas_http_date(struct tas_http *http);
