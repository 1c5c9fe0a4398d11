/* The insides of the client: who is told what (client.c), what is asked (call.c), what carries it (conn.c),
 * through which proxy (proxy.c, tunnel.c, curl.c), and what went wrong, in words (failure.c). */
#pragma once

#include "base/buf.h"
#include "http/client.h"
#include "http/response.h"
#include "http/sse.h"
#include "net/tls.h"

enum {
    HTTP_HOST_MAX = 256,
    HTTP_ADDRESS_MAX = HTTP_HOST_MAX + 16, /* "[host]:port" */
    HTTP_USER_MAX = 256,                   /* of a proxy's user, and of a password */
    HTTP_BASIC_MAX = (2 * HTTP_USER_MAX + 2) / 3 * 4 + 1,
    HTTP_WHY_MAX = 512,
    HTTP_TIMEOUT_MS = 30 * 1000,
};

struct http_conn;
struct http_tunnel;
struct http_curl;

struct tas_http_client {
    struct tas_loop *loop;
    struct tas_tls *tls;
    struct tas_io *io;
    struct tas_timer *kick; /* set when somebody is to be told something */
    char *proxy;            /* NULL: the environment's */
    char *user_agent;
    struct http_conn *conns;
    unsigned n_kept; /* of those: carry nothing now */
    struct tas_http_call *calls;
    struct tas_http_call *ready, **ready_end; /* to be told something */
    struct tas_http_call *current;            /* being told */
    bool is_settling;
    bool is_doomed; /* freed by a callback: goes when that has returned */
};

enum http_kind {
    HTTP_ASK,
    HTTP_LISTEN,
    HTTP_TUNNEL,
};

struct tas_http_call {
    struct tas_http_client *client;
    struct tas_http_call *prev, *next, *next_ready;
    enum http_kind kind;
    struct http_conn *conn;     /* what carries it; NULL: not begun, or over */
    struct http_tunnel *tunnel; /* of HTTP_TUNNEL */
    int fd;                     /* what that led to; -1 */
    uint8_t *request;           /* head and body that go out */
    size_t request_len;
    char host[HTTP_HOST_MAX];       /* for words, and for the certificate */
    char target[HTTP_ADDRESS_MAX];  /* where that host is */
    char address[HTTP_ADDRESS_MAX]; /* where it is asked instead; "" nowhere else */

    struct tas_http_response response;
    struct tas_buf in; /* the answer, or what of the stream is not looked at yet */
    struct tas_sse sse;
    struct tas_timer *timer; /* the whole exchange; of streams their silence */
    uint64_t wait_us;
    uint32_t connect_us;

    bool is_on_new; /* its connection was made for it */
    bool is_again;  /* the connection that was kept was dead */
    bool is_ready, is_over, is_cancelled;
    int err;
    char why[HTTP_WHY_MAX];

    void (*done)(void *ctx, const struct tas_http_answer *answer);
    void (*on_event)(void *ctx, const char *id, const char *event, const char *data);
    void (*on_tunnel)(void *ctx, int fd, const char *why);
    void *ctx;
};

/* client.c */
void http_call_fail(struct tas_http_call *call, int err, const char *fmt, ...) TAS_PRINTF(3, 4);
void http_call_make_ready(struct tas_http_call *call); /* it is told from the loop, never at once */
void http_call_start(struct tas_http_call *call);      /* one that has failed already is told so later */

/* call.c */
void http_call_free(struct tas_http_call *call); /* NULL is fine */
void http_call_tell(struct tas_http_call *call); /* its callbacks */
void http_call_sign_of_life(struct tas_http_call *call);
void http_tunnel_call_start(struct tas_http_call *call);

/* conn.c: finds or makes the connection for a call. It puts what comes into call->in; when the answer is
 * whole or there will be none, the call is over, has no connection any more, and is made ready. */
void http_conn_carry(struct tas_http_call *call);
void http_conn_free(struct http_conn *conn); /* its call has none any more; NULL is fine */

/* url.c */
struct http_url {
    char host[HTTP_HOST_MAX]; /* without brackets */
    char port[6];
    const char *target; /* borrowed from the text: path and query; may be empty */
    size_t target_len;
};
/* "https://host[:port][/path][?query]". TAS_E_CONFIG: not of that form. */
TAS_MUST_USE int http_url_parse(struct http_url *out, const char *url);
/* The host in "https://host:port/path", without brackets; cut to HTTP_HOST_MAX - 1 bytes. */
void http_host_of(const char *url, char host[HTTP_HOST_MAX]);
void http_address_join(char out[HTTP_ADDRESS_MAX], const char *host, const char *port);

/* proxy.c: the proxy for https:// at that host; NULL: none. Borrowed from client or environment. */
const char *http_proxy_for(const struct tas_http_client *client, const char *host);
/* Is `host` among those of a no_proxy list? */
bool http_no_proxy_names(const char *list, const char *host);

enum http_proxy_kind {
    HTTP_PROXY_PLAIN,
    HTTP_PROXY_TLS,
    HTTP_PROXY_SOCKS,
};
struct http_proxy {
    enum http_proxy_kind kind;
    char address[HTTP_ADDRESS_MAX]; /* "host:port" */
    bool has_user;
    char user[HTTP_USER_MAX], password[HTTP_USER_MAX];
};
/* "[scheme://][user[:password]@]host[:port]". TAS_E_CONFIG: not of that form. Wipe it when done. */
TAS_MUST_USE int http_proxy_parse(struct http_proxy *out, const char *text);

enum http_auth {
    HTTP_AUTH_BASIC = 1,
    HTTP_AUTH_NTLM = 2,
    HTTP_AUTH_NEGOTIATE = 4,
    HTTP_AUTH_DIGEST = 8,
};
/* The schemes that the value of one Proxy-Authenticate header names: bits of enum http_auth. */
unsigned http_auth_schemes(struct tas_bytes challenges);
/* What comes after "Basic ". */
void http_basic(char out[HTTP_BASIC_MAX], const struct http_proxy *proxy);

/* tunnel.c: a connection to `target` ("host:port") through a proxy. `done` gets the descriptor, or -1 and why
 * in words for a person; not before this returns. NULL: no memory. */
struct http_tunnel *http_tunnel_new(struct tas_http_client *client, const char *proxy, const char *target,
                                    void (*done)(void *ctx, int fd, const char *why), void *ctx);
void http_tunnel_free(struct http_tunnel *tunnel); /* also within and after `done`; NULL is fine */

/* curl.c: the same by libcurl, if the system has it, in a thread of its own: for proxies that want to be
 * spoken to as only libcurl can. what_for: why it is needed, such as "the proxy wants NTLM". */
struct http_curl *http_curl_new(struct tas_loop *loop, const char *proxy, const char *target,
                                const char *what_for, void (*done)(void *ctx, int fd, const char *why),
                                void *ctx);
void http_curl_free(struct http_curl *curl); /* never waits; NULL is fine */

/* failure.c: puts err and why of a connection that could not be made, or ended too early. */
void http_explain_dial(struct tas_http_call *call, bool is_unknown, const char *why);
void http_explain_end(struct tas_http_call *call, enum tas_conn_fault fault, bool is_secured,
                      const char *why);
void http_explain_answer(struct tas_http_call *call, int err);
