/* A small HTTP server over libwebsockets, on a thread of its own: a route is a plain function from request to
 * reply. For health and metrics on a local address; TLS, HTTP/2, bodies and event streams come with the
 * management server. */
#pragma once

#include "base/buf.h"

struct tas_http;

enum { TAS_HTTP_BODY_MAX = 256 * 1024, TAS_HTTP_WHY = 256 };

struct tas_http_reply {
    unsigned status;          /* 200 until changed */
    const char *content_type; /* static; "text/plain; charset=utf-8" until changed */
    struct tas_buf body;      /* up to TAS_HTTP_BODY_MAX bytes */
};

/* GET only. Called on the server's thread. */
struct tas_http_route {
    const char *path; /* exactly */
    void (*fn)(void *ctx, struct tas_http_reply *reply);
};

/* Listens on a numeric address "127.0.0.1:9464" and serves. `routes` ends with path NULL and, like ctx,
 * outlives the server. NULL: `why` says what is wrong. */
struct tas_http *tas_http_start(const char *address, const struct tas_http_route *routes, void *ctx,
                                char why[TAS_HTTP_WHY]);

/* Stops the thread; no route is called after this returns. NULL is fine. */
void tas_http_stop(struct tas_http *http);

/* printf at the end of a reply's body; what does not fit is left out. */
void tas_http_printf(struct tas_http_reply *reply, const char *fmt, ...) TAS_PRINTF(2, 3);
