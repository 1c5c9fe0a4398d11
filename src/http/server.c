#include "http/server.h"

#include "base/log.h"

#include <libwebsockets.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { HEADERS_MAX = 2048, TIMEOUT_S = 10, HOST_MAX = 64 };

struct tas_http {
    struct lws_context *lws;
    struct lws_protocols protocols[2];
    const struct tas_http_route *routes;
    void *ctx;
    pthread_t thread;
    atomic_bool is_stopping;
    char host[HOST_MAX];
};

/* What libwebsockets keeps for us per connection. */
struct connection {
    struct tas_http_reply reply;
    bool has_reply;
};

void tas_http_printf(struct tas_http_reply *reply, const char *fmt, ...) {
    char text[1024];
    va_list va;
    va_start(va, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, va);
    va_end(va);
    if (n > 0 && n < (int)sizeof(text))
        (void)!tas_buf_append(&reply->body, tas_bytes_of(text, (size_t)n));
}

static void route(struct tas_http *http, const char *path, struct tas_http_reply *reply) {
    *reply = (struct tas_http_reply){.status = 200, .content_type = "text/plain; charset=utf-8"};
    tas_buf_init(&reply->body, TAS_HTTP_BODY_MAX);
    for (const struct tas_http_route *r = http->routes; r->path; r++) {
        if (strcmp(r->path, path) == 0) {
            r->fn(http->ctx, reply);
            return;
        }
    }
    reply->status = 404;
    tas_http_printf(reply, "not found\n");
}

static int send_headers(struct lws *wsi, const struct tas_http_reply *reply) {
    unsigned char space[LWS_PRE + HEADERS_MAX];
    unsigned char *at = space + LWS_PRE;
    unsigned char *end = space + sizeof(space);
    if (lws_add_http_common_headers(wsi, reply->status, reply->content_type, reply->body.len, &at, end) ||
        lws_finalize_write_http_header(wsi, space + LWS_PRE, &at, end))
        return 1;
    lws_callback_on_writable(wsi);
    return 0;
}

static int send_body(struct lws *wsi, struct connection *c) {
    if (!c->has_reply)
        return 0;
    struct tas_bytes body = tas_buf_peek(&c->reply.body);
    unsigned char *space = malloc(LWS_PRE + body.len);
    if (!space)
        return 1;
    if (body.len)
        memcpy(space + LWS_PRE, body.ptr, body.len);
    int sent = lws_write(wsi, space + LWS_PRE, body.len, LWS_WRITE_HTTP_FINAL);
    free(space);
    tas_buf_fini(&c->reply.body);
    c->has_reply = false;
    return sent < 0 || lws_http_transaction_completed(wsi);
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len) {
    struct connection *c = user;
    (void)len;
    switch (reason) {
    case LWS_CALLBACK_HTTP: {
        struct tas_http *http = lws_context_user(lws_get_context(wsi));
        if (lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) == 0) {
            (void)!lws_return_http_status(wsi, HTTP_STATUS_METHOD_NOT_ALLOWED, NULL);
            return -1;
        }
        if (c->has_reply)
            tas_buf_fini(&c->reply.body);
        route(http, in, &c->reply);
        c->has_reply = true;
        return send_headers(wsi, &c->reply);
    }
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return send_body(wsi, c);
    case LWS_CALLBACK_CLOSED_HTTP:
        if (c && c->has_reply)
            tas_buf_fini(&c->reply.body);
        if (c)
            c->has_reply = false;
        return 0;
    default:
        return lws_callback_http_dummy(wsi, reason, user, in, len);
    }
}

static void *serve(void *ctx) {
    struct tas_http *http = ctx;
    while (!atomic_load(&http->is_stopping))
        if (lws_service(http->lws, 0) < 0)
            break;
    return NULL;
}

static void quiet(int level, const char *line) {
    (void)level;
    (void)line;
}

struct tas_http *tas_http_start(const char *address, const struct tas_http_route *routes, void *ctx,
                                char why[TAS_HTTP_WHY]) {
    const char *colon = strrchr(address, ':');
    struct tas_http *http = calloc(1, sizeof(*http));
    if (!http || !colon || (size_t)(colon - address) >= sizeof(http->host)) {
        snprintf(why, TAS_HTTP_WHY, "%s: not an address of the form 127.0.0.1:9464", address);
        free(http);
        return NULL;
    }
    memcpy(http->host, address, (size_t)(colon - address));
    http->routes = routes;
    http->ctx = ctx;
    http->protocols[0] = (struct lws_protocols){
        .name = "http", .callback = on_event, .per_session_data_size = sizeof(struct connection)};
    lws_set_log_level(0, quiet);
    struct lws_context_creation_info info = {
        .port = (int)strtol(colon + 1, NULL, 10),
        .iface = http->host,
        .protocols = http->protocols,
        .user = http,
        .timeout_secs = TIMEOUT_S,
        .keepalive_timeout = TIMEOUT_S,
        .max_http_header_data = HEADERS_MAX,
        /* Without DISABLE_IPV6 a v4 address listens on all of them (OPERATIONS.md). */
        .options = LWS_SERVER_OPTION_DISABLE_IPV6 | LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND,
    };
    info.gid = info.uid = -1; /* keep what the process has */
    http->lws = lws_create_context(&info);
    if (http->lws && pthread_create(&http->thread, NULL, serve, http) == 0)
        return http;
    snprintf(why, TAS_HTTP_WHY, "cannot listen on %s: is the address local and free?", address);
    if (http->lws)
        lws_context_destroy(http->lws);
    free(http);
    return NULL;
}

void tas_http_stop(struct tas_http *http) {
    if (!http)
        return;
    atomic_store(&http->is_stopping, true);
    lws_cancel_service(http->lws);
    pthread_join(http->thread, NULL);
    lws_context_destroy(http->lws);
    free(http);
}
