/* The insides of the client: connections and turns (client.c), what is asked (call.c), who is asked
 * (proxy.c), and what went wrong, in words (failure.c). */
#pragma once

#include "base/buf.h"
#include "http/client.h"
#include "http/sse.h"

#include <curl/curl.h>

enum {
    HTTP_HEADERS_MAX = 64 * 1024, /* bytes of an answer's header */
    HTTP_HOST_MAX = 256,
    HTTP_WHY_MAX = 512,
    HTTP_TIMEOUT_MS = 30 * 1000,
};

struct http_socket;

/* A file's bytes; NULL when there is none. */
struct http_blob {
    char *data;
    size_t len;
};

struct tas_http_client {
    struct tas_loop *loop;
    CURLM *multi;
    struct tas_timer *timer; /* libcurl's */
    struct tas_timer *kick;  /* calls that were over before they began */
    struct http_socket *sockets;
    struct http_blob ca, certificate, private_key;
    char *proxy; /* NULL: the environment's */
    char *user_agent;
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
    CURL *easy;
    bool is_added; /* to the multi handle */
    struct curl_slist *headers, *connect_to;
    uint8_t *request; /* the body that goes out */
    size_t request_len;
    char host[HTTP_HOST_MAX]; /* for words */
    bool has_proxy;

    struct tas_buf in; /* the answer, or what of the stream is not looked at yet */
    struct tas_sse sse;
    size_t header_len;
    struct tas_timer *silence; /* of streams */
    uint64_t silence_us;

    bool is_ready, is_over, is_cancelled;
    int err;
    char why[HTTP_WHY_MAX];
    char error[CURL_ERROR_SIZE]; /* libcurl's words */

    void (*done)(void *ctx, const struct tas_http_answer *answer);
    void (*on_event)(void *ctx, const char *id, const char *event, const char *data);
    void (*on_tunnel)(void *ctx, int fd, const char *why);
    void *ctx;
};

/* client.c */
void http_call_fail(struct tas_http_call *call, int err, const char *fmt, ...) TAS_PRINTF(3, 4);
void http_call_make_ready(struct tas_http_call *call);
void http_call_start(struct tas_http_call *call); /* one that has failed already is told so later */
void http_settle(
    struct tas_http_client *client); /* tells all who are to be told; the client may be gone after */

/* call.c */
void http_call_free(struct tas_http_call *call); /* NULL is fine */
void http_call_tell(struct tas_http_call *call); /* its callbacks */

/* proxy.c: the proxy for https:// at that host; NULL: none. Borrowed from client or environment. */
const char *http_proxy_for(const struct tas_http_client *client, const char *host);
/* Is `host` among those of a no_proxy list? */
bool http_no_proxy_names(const char *list, const char *host);
/* The host in "https://host:port/path", without brackets; cut to HTTP_HOST_MAX - 1 bytes. */
void http_host_of(const char *url, char host[HTTP_HOST_MAX]);

/* failure.c: puts err and why of a transfer that libcurl gave up. */
void http_explain(struct tas_http_call *call, CURLcode code);
