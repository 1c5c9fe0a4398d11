/* One thing that is asked: what goes out for it, and how whoever asked is told what came. */
#include "http/client_private.h"

#include "base/time.h"
#include "base/wipe.h"
#include "net/socket.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

enum { VALUE_MAX = 4096 };

/* ---- time ---- */

/* Streams have no end; their silence is watched instead. */
void http_call_sign_of_life(struct tas_http_call *call) {
    if (call->kind == HTTP_LISTEN)
        tas_timer_set(call->timer, tas_mono_us() + call->wait_us);
}

static void drop_connection(struct tas_http_call *call) {
    http_conn_free(call->conn);
    http_tunnel_free(call->tunnel);
    call->tunnel = NULL;
}

static void on_time(void *ctx) {
    struct tas_http_call *call = ctx;
    if (call->is_over)
        return;
    if (call->kind == HTTP_LISTEN)
        http_call_fail(call, TAS_E_IO, "%s has been silent for %.1f s", call->host,
                       (double)call->wait_us / 1e6);
    else
        http_call_fail(call, TAS_E_IO, "%s did not answer in time", call->host);
    drop_connection(call);
    http_call_make_ready(call);
}

static bool set_time(struct tas_http_call *call, unsigned timeout_ms) {
    call->wait_us = (uint64_t)(timeout_ms ? timeout_ms : (unsigned)HTTP_TIMEOUT_MS) * 1000;
    call->timer = tas_timer_new(call->client->loop, on_time, call);
    if (call->timer)
        tas_timer_set(call->timer, tas_mono_us() + call->wait_us);
    return call->timer;
}

/* ---- telling ---- */

/* 200 and events; any other answer is collected like that to a question. */
static bool is_stream(const struct tas_http_call *call) {
    static const char type[] = "text/event-stream";
    return call->kind == HTTP_LISTEN && call->response.has_head && call->response.status == 200 &&
           strncasecmp(call->response.content_type, type, sizeof(type) - 1) == 0;
}

static void tell_events(struct tas_http_call *call) {
    while (!call->is_cancelled && call->in.len) {
        size_t used = 0;
        int err = tas_sse_feed(&call->sse, tas_buf_peek(&call->in), &used);
        if (err == TAS_OK || err == TAS_E_MORE) {
            tas_buf_drop(&call->in, used);
        } else {
            http_call_fail(call, err == TAS_E_LIMIT ? TAS_E_LIMIT : TAS_E_IO, "an event of %s is %s",
                           call->host, err == TAS_E_LIMIT ? "too large" : "damaged");
            return;
        }
        if (err == TAS_OK)
            call->on_event(call->ctx, call->sse.id, call->sse.event, call->sse.text);
    }
}

static void tell_answer(struct tas_http_call *call, bool was_stream) {
    struct tas_http_answer answer = {.err = call->err,
                                     .why = call->why,
                                     .content_type = "",
                                     .connect_us = call->connect_us,
                                     .retry_after_s = -1};
    if (call->err == TAS_OK) {
        answer.status = call->response.status;
        answer.content_type = call->response.content_type;
        answer.retry_after_s = call->response.retry_after_s;
        if (!was_stream)
            answer.body = tas_buf_peek(&call->in);
    }
    call->done(call->ctx, &answer);
}

static void tell_tunnel(struct tas_http_call *call) {
    int fd = call->fd;
    call->fd = -1;
    call->on_tunnel(call->ctx, fd, call->why);
}

void http_call_tell(struct tas_http_call *call) {
    bool was_stream = is_stream(call);
    if (was_stream)
        tell_events(call);
    if (!call->is_over || call->is_cancelled)
        return;
    if (call->kind == HTTP_LISTEN && call->err == TAS_OK && !was_stream && call->response.status == 200)
        http_call_fail(call, TAS_E_IO, "%s does not answer with an event stream", call->host);
    if (call->kind == HTTP_TUNNEL)
        tell_tunnel(call);
    else
        tell_answer(call, was_stream);
}

/* ---- what goes out ---- */

static bool has_place(const char *value) {
    if (strlen(value) >= VALUE_MAX)
        return false;
    for (; *value; value++)
        if ((*value >= 0 && *value < ' ' && *value != '\t') || *value == 0x7f)
            return false;
    return true;
}

/* An empty value: no such header. */
static void put(struct tas_buf *out, int *err, const char *name, const char *value) {
    char line[VALUE_MAX + 64];
    if (*err != TAS_OK || !value || !*value)
        return;
    int len = snprintf(line, sizeof(line), "%s: %s\r\n", name, value);
    *err = tas_buf_append(out, tas_bytes_of(line, (size_t)len));
    tas_wipe(line, sizeof(line));
}

static void put_text(struct tas_buf *out, int *err, const char *text, size_t len) {
    if (*err == TAS_OK)
        *err = tas_buf_append(out, tas_bytes_of(text, len));
}

static void put_line(struct tas_buf *out, int *err, const char *method, const struct http_url *url) {
    put_text(out, err, method, strlen(method));
    put_text(out, err, " /", url->target_len && url->target[0] == '/' ? 1 : 2);
    put_text(out, err, url->target, url->target_len);
    put_text(out, err, " HTTP/1.1\r\n", 11);
}

/* Content-Length: also 0 where a server would otherwise wait for a body. */
static bool has_length(const struct tas_http_ask *ask) {
    return ask->body.len || strcmp(ask->method, "POST") == 0 || strcmp(ask->method, "PUT") == 0;
}

static int write_request(struct tas_http_call *call, const struct tas_http_ask *ask,
                         const struct http_url *url, struct tas_buf *out) {
    char host[HTTP_ADDRESS_MAX];
    char length[24];
    int err = TAS_OK;
    snprintf(host, sizeof(host), "%s", call->target);
    if (strcmp(url->port, "443") == 0)
        host[strlen(host) - strlen(":443")] = '\0';
    snprintf(length, sizeof(length), "%zu", ask->body.len);
    put_line(out, &err, ask->method, url);
    put(out, &err, "Host", host);
    put(out, &err, "User-Agent", call->client->user_agent);
    put(out, &err, "Accept", call->kind == HTTP_LISTEN ? "text/event-stream" : "*/*");
    put(out, &err, "Authorization", ask->authorization);
    put(out, &err, "Content-Type", ask->body.len ? "application/json" : "");
    put(out, &err, "Content-Length", has_length(ask) ? length : "");
    put_text(out, &err, "\r\n", 2);
    if (err == TAS_OK)
        err = tas_buf_append(out, ask->body);
    return err;
}

static bool set_request(struct tas_http_call *call, const struct tas_http_ask *ask,
                        const struct http_url *url) {
    struct tas_buf out;
    tas_buf_init(&out, SIZE_MAX / 2);
    int err = write_request(call, ask, url, &out);
    struct tas_bytes all = tas_buf_peek(&out);
    call->request = err == TAS_OK ? malloc(all.len) : NULL;
    if (call->request) {
        memcpy(call->request, all.ptr, all.len);
        call->request_len = all.len;
    }
    tas_buf_fini(&out);
    return call->request;
}

/* Where it goes. False: the call has failed, and says why. */
static bool set_place(struct tas_http_call *call, const struct tas_http_ask *ask, struct http_url *url) {
    char host[HTTP_HOST_MAX];
    char port[6];
    http_host_of(ask->url, call->host);
    if (http_url_parse(url, ask->url) != TAS_OK) {
        http_call_fail(call, TAS_E_IO,
                       "not an address that can be asked: it must begin with https:// and a name");
    } else if (ask->address && *ask->address &&
               tas_address_split(ask->address, host, sizeof(host), port) != TAS_OK) {
        http_call_fail(call, TAS_E_IO, "an address has the form 192.0.2.1:443");
    } else if (ask->authorization && !has_place(ask->authorization)) {
        http_call_fail(call, TAS_E_IO, "what is to go into the header \"Authorization\" has no place there");
    } else {
        http_address_join(call->target, url->host, url->port);
        if (ask->address && *ask->address)
            http_address_join(call->address, host, port);
        size_t len = strlen(url->host); /* a dot at the end is DNS's, and in no certificate */
        snprintf(call->host, sizeof(call->host), "%.*s",
                 (int)(len > 1 && url->host[len - 1] == '.' ? len - 1 : len), url->host);
        return true;
    }
    return false;
}

static struct tas_http_call *call_new(struct tas_http_client *client, enum http_kind kind, void *ctx) {
    struct tas_http_call *call = calloc(1, sizeof(*call));
    if (!call)
        return NULL;
    call->client = client;
    call->kind = kind;
    call->ctx = ctx;
    call->fd = -1;
    tas_buf_init(&call->in, TAS_HTTP_ANSWER_MAX);
    tas_sse_init(&call->sse);
    return call;
}

void http_call_free(struct tas_http_call *call) {
    if (!call)
        return;
    drop_connection(call);
    if (call->fd >= 0)
        close(call->fd);
    tas_timer_free(call->timer);
    if (call->request)
        tas_wipe(call->request, call->request_len);
    free(call->request);
    tas_http_response_fini(&call->response);
    tas_buf_fini(&call->in);
    tas_sse_fini(&call->sse);
    tas_wipe(call, sizeof(*call));
    free(call);
}

static bool prepare(struct tas_http_call *call, const struct tas_http_ask *ask) {
    struct http_url url;
    tas_http_response_init(&call->response, strcmp(ask->method, "HEAD") == 0);
    return set_time(call, ask->timeout_ms) && (!set_place(call, ask, &url) || set_request(call, ask, &url));
}

static struct tas_http_call *start(struct tas_http_call *call, bool is_prepared) {
    if (is_prepared) {
        http_call_start(call);
        return call;
    }
    http_call_free(call);
    return NULL;
}

struct tas_http_call *tas_http_ask(struct tas_http_client *client, const struct tas_http_ask *ask,
                                   void (*done)(void *ctx, const struct tas_http_answer *answer), void *ctx) {
    struct tas_http_call *call = call_new(client, HTTP_ASK, ctx);
    if (!call)
        return NULL;
    call->done = done;
    return start(call, prepare(call, ask));
}

struct tas_http_call *
tas_http_listen(struct tas_http_client *client, const struct tas_http_ask *ask,
                void (*on_event)(void *ctx, const char *id, const char *event, const char *data),
                void (*done)(void *ctx, const struct tas_http_answer *answer), void *ctx) {
    struct tas_http_call *call = call_new(client, HTTP_LISTEN, ctx);
    if (!call)
        return NULL;
    call->done = done;
    call->on_event = on_event;
    return start(call, prepare(call, ask));
}

/* ---- tunnels ---- */

static void on_tunnel(void *ctx, int fd, const char *why) {
    struct tas_http_call *call = ctx;
    call->fd = fd;
    if (fd < 0)
        http_call_fail(call, TAS_E_IO, "%s", why);
    http_tunnel_free(call->tunnel);
    call->tunnel = NULL;
    call->is_over = true;
    http_call_make_ready(call);
}

void http_tunnel_call_start(struct tas_http_call *call) {
    const char *proxy = http_proxy_for(call->client, call->host);
    if (proxy)
        call->tunnel = http_tunnel_new(call->client, proxy, call->target, on_tunnel, call);
    if (call->tunnel)
        return;
    http_call_fail(call, TAS_E_IO, proxy ? "out of memory" : "no proxy is in force for %s", call->host);
    http_call_make_ready(call);
}

static bool prepare_tunnel(struct tas_http_call *call, const char *address) {
    char port[6];
    if (tas_address_split(address, call->host, sizeof(call->host), port) != TAS_OK)
        http_call_fail(call, TAS_E_IO, "an address has the form relay.example:443");
    else
        http_address_join(call->target, call->host, port);
    return set_time(call, 0);
}

struct tas_http_call *tas_http_tunnel(struct tas_http_client *client, const char *address,
                                      void (*done)(void *ctx, int fd, const char *why), void *ctx) {
    struct tas_http_call *call = call_new(client, HTTP_TUNNEL, ctx);
    if (!call)
        return NULL;
    call->on_tunnel = done;
    return start(call, prepare_tunnel(call, address));
}
