/* An HTTP/1.1 client on a tas_loop: nothing blocks. TLS 1.3; proxies as the environment says (https_proxy,
 * no_proxy) or as configured: by CONNECT, with Basic if they want it; those that want NTLM, Negotiate or
 * Digest, or speak SOCKS, by libcurl.so.4 if the system has it. Connections are kept for the next call; one
 * that has died meanwhile is made anew once. All calls belong to the loop's thread. */
#pragma once

#include "base/bytes.h"
#include "base/err.h"
#include "net/loop.h"

struct tas_http_client;
struct tas_http_call;

enum { TAS_HTTP_ANSWER_MAX = 4 * 1024 * 1024, TAS_HTTP_CLIENT_WHY = 256 };

struct tas_http_client_config {
    const char *ca_file;     /* PEM; NULL: ca_pem, else the system's trust */
    const char *ca_pem;      /* PEM in memory; NULL: none */
    const char *certificate; /* our own, PEM file; NULL: none */
    const char *private_key;
    const char *proxy;      /* "http://[user:password@]host:port"; NULL: as the environment says; "": none */
    const char *user_agent; /* "tasuki-headless/0.1.0" */
};

/* Copies what it needs. NULL: no memory, or `why` (a file that cannot be read). */
struct tas_http_client *tas_http_client_new(struct tas_loop *loop,
                                            const struct tas_http_client_config *config,
                                            char why[TAS_HTTP_CLIENT_WHY]);
void tas_http_client_free(struct tas_http_client *client); /* its calls are cancelled; NULL is fine */

struct tas_http_ask {
    const char *method;  /* "GET", "POST", ... */
    const char *url;     /* "https://manager.tasuki.test/v1/login" */
    const char *address; /* "127.83.0.1:443": connect there whatever the name resolves to; NULL: resolve */
    const char *authorization; /* NULL: none */
    struct tas_bytes body;     /* application/json when not empty */
    unsigned timeout_ms; /* whole exchange; of a stream: silence after which it counts as dead (0: 30,000) */
};

struct tas_http_answer {
    int err;         /* TAS_OK: an answer came, whatever its status; TAS_E_IO: none (why); TAS_E_AUTH: the
                      * server's certificate is not trusted (why); TAS_E_LIMIT: too large */
    unsigned status; /* 200.. */
    const char *why; /* in words; "" */
    const char *content_type;
    struct tas_bytes body; /* borrowed */
    uint32_t connect_us;   /* time to connect with TLS; 0: a kept connection was used */
    int retry_after_s;     /* -1: not said */
};

/* Asks. `done` is called once, not before this returns. NULL: no memory (done is not called). */
struct tas_http_call *tas_http_ask(struct tas_http_client *client, const struct tas_http_ask *ask,
                                   void (*done)(void *ctx, const struct tas_http_answer *answer), void *ctx);

/* The same for an event stream: on_event for each event (id "" when it has none), `done` when it is over. A
 * comment counts as a sign of life. An event is at most 1 MiB. */
struct tas_http_call *
tas_http_listen(struct tas_http_client *client, const struct tas_http_ask *ask,
                void (*on_event)(void *ctx, const char *id, const char *event, const char *data),
                void (*done)(void *ctx, const struct tas_http_answer *answer), void *ctx);

/* Ends it; no callback comes after. Not to be called after `done`; within callbacks it is allowed. NULL is
 * fine. */
void tas_http_cancel(struct tas_http_call *call);

/* A TCP connection to "host:port" through the proxy that is in force for `url` ("https://host"), by HTTP
 * CONNECT. `done` gets the connected non-blocking descriptor (the callee's from then on), or -1 and why.
 * NULL: no memory. tas_http_has_proxy(): is one in force? Otherwise dial directly (net/socket.h). */
bool tas_http_has_proxy(struct tas_http_client *client, const char *url);
struct tas_http_call *tas_http_tunnel(struct tas_http_client *client, const char *address,
                                      void (*done)(void *ctx, int fd, const char *why), void *ctx);
