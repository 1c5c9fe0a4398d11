#include "http/server_private.h"

#include "base/wipe.h"
#include "http/source.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    SHARE = 16, /* one source may hold this part of the memory for bodies */
    SHARE_LEAST = 1024 * 1024,
    SMALL_REPLY = 8 * 1024, /* goes out whatever it takes: what it tells has happened */
    SLOW_AFTER_US = 5 * 1000 * 1000,
    LEAST_RATE = 1024, /* bytes/s of a body from then on */
    US_PER_S = 1000 * 1000,
    HEADER_NAME_MAX = 64,
    NUMBER_CAP = 24,
};

/* ---- life ---- */

struct tas_http_exchange *tas_http_exchange_new(struct tas_http_peer *peer, int32_t stream_id) {
    struct tas_http_exchange *x = calloc(1, sizeof(*x));
    struct tas_http_work *work = x ? calloc(1, sizeof(*work)) : NULL;
    if (!work) {
        free(x);
        return NULL;
    }
    work->http = peer->http;
    work->exchange = x;
    tas_buf_init(&work->body, 0);
    tas_http_reply_init(&work->reply);
    *x = (struct tas_http_exchange){.peer = peer, .stream_id = stream_id, .work = work, .length = UINT64_MAX};
    x->since_us = tas_http_now_us(peer->http);
    x->next = peer->exchanges;
    if (x->next)
        x->next->prev = x;
    peer->exchanges = x;
    peer->n_exchanges++;
    peer->has_asked = true;
    return x;
}

/* ---- the memory that bodies take ---- */

static size_t share_of(const struct tas_http *http) {
    size_t share = http->limits.bodies_max / SHARE;
    return share > SHARE_LEAST ? share : SHARE_LEAST;
}

/* False: there is no more for this source, or for all. */
static bool hold(struct tas_http_exchange *x, size_t len, bool is_forced) {
    struct tas_http_work *work = x->work;
    struct tas_http *http = work->http;
    if (!is_forced && (len > http->limits.bodies_max || http->held > http->limits.bodies_max - len))
        return false;
    if (!tas_http_sources_hold(http->sources, x->peer->source, len, is_forced ? 0 : share_of(http)))
        return false;
    work->held += len;
    http->held += len;
    TAS_HTTP_COUNT(http, held_bytes, (int64_t)len);
    return true;
}

static void release(struct tas_http_work *work, size_t len) {
    struct tas_http *http = work->http;
    tas_http_sources_release(http->sources, work->req.source, len);
    work->held -= len;
    http->held -= len;
    TAS_HTTP_COUNT(http, held_bytes, -(int64_t)len);
}

/* Is there room to begin one more request? */
static bool has_room(const struct tas_http_exchange *x) {
    const struct tas_http *http = x->work->http;
    return http->held <= http->limits.bodies_max &&
           tas_http_sources_held(http->sources, x->peer->source) <= share_of(http);
}

static void refuse_busy(struct tas_http_exchange *x) {
    tas_http_header(&x->work->reply, "retry-after:", "1");
    tas_http_exchange_refuse(x, 503, "busy", "The server is busy. Try again later.");
}

/* ---- life of a work ---- */

/* What the peer sent may hold passwords and tokens. */
static void wipe_text(char *text) {
    if (text)
        tas_wipe(text, strlen(text));
    free(text);
}

void tas_http_work_free(struct tas_http_work *work) {
    struct tas_http *http = work->http;
    if (work->has_passed)
        work->route->passed(http->limits.ctx, work->req.source);
    if (work->exchange)
        work->exchange->peer->waiting -= work->waiting;
    release(work, work->held);
    for (int i = 0; i < TAS_HTTP_N_FIELDS; i++)
        wipe_text(work->fields[i]);
    wipe_text(work->target);
    free(work->location);
    tas_buf_fini(&work->body);
    tas_http_reply_fini(&work->reply);
    free(work);
}

static void drop_work(struct tas_http_exchange *x) {
    struct tas_http_work *work = x->work;
    x->work = NULL;
    if (work && x->phase == TAS_HTTP_RUNNING) {
        work->exchange = NULL; /* the lane has it: freed when it comes back */
        atomic_store(&work->is_gone, true);
    } else if (work) {
        tas_http_work_free(work);
    }
}

void tas_http_exchange_free(struct tas_http_exchange *x) {
    struct tas_http_peer *peer = x->peer;
    tas_http_stream_close(x);
    drop_work(x);
    *(x->prev ? &x->prev->next : &peer->exchanges) = x->next;
    if (x->next)
        x->next->prev = x->prev;
    if (--peer->n_exchanges == 0)
        peer->quiet_us = tas_http_now_us(peer->http);
    free(x);
}

/* ---- the request ---- */

static const struct {
    enum tas_http_field field;
    const char *name;
    const char *joint; /* between several of them; NULL: one is all */
} names[] = {
    {TAS_HTTP_HOST, "host", NULL},
    {TAS_HTTP_HOST, ":authority", NULL},
    {TAS_HTTP_METHOD, ":method", NULL},
    {TAS_HTTP_TARGET, ":path", NULL},
    {TAS_HTTP_AUTHORIZATION, "authorization", NULL},
    {TAS_HTTP_CONTENT_TYPE, "content-type", NULL},
    {TAS_HTTP_IF_NONE_MATCH, "if-none-match", ", "},
    {TAS_HTTP_IF_MODIFIED_SINCE, "if-modified-since", NULL},
    {TAS_HTTP_RANGE, "range", ", "},
    {TAS_HTTP_ACCEPT_LANGUAGE, "accept-language", ", "},
    {TAS_HTTP_ORIGIN, "origin", NULL},
    {TAS_HTTP_COOKIE, "cookie", "; "}, /* RFC 9113 section 8.2.3 */
    {TAS_HTTP_USER_AGENT, "user-agent", " "},
};
enum { N_NAMES = sizeof(names) / sizeof(names[0]) };

/* `old`, `joint` and `value` as one new text; NULL: no memory. */
static char *joined(const char *old, const char *joint, struct tas_bytes value) {
    size_t old_len = old ? strlen(old) : 0;
    size_t joint_len = old ? strlen(joint) : 0;
    char *text = malloc(old_len + joint_len + value.len + 1);
    if (!text)
        return NULL;
    if (old) {
        memcpy(text, old, old_len);
        memcpy(text + old_len, joint, joint_len);
    }
    if (value.len)
        memcpy(text + old_len + joint_len, value.ptr, value.len);
    text[old_len + joint_len + value.len] = '\0';
    return text;
}

int tas_http_exchange_field(struct tas_http_exchange *x, struct tas_bytes name, struct tas_bytes value) {
    size_t i = 0;
    while (i < N_NAMES && !tas_http_is_named(name, names[i].name))
        i++;
    if (i == N_NAMES)
        return TAS_OK;
    char **place = &x->work->fields[names[i].field];
    if (*place && !names[i].joint) {
        bool is_same = strlen(*place) == value.len && memcmp(*place, value.ptr, value.len) == 0;
        return is_same && names[i].field == TAS_HTTP_HOST ? TAS_OK : TAS_E_PROTO;
    }
    char *text = joined(*place, names[i].joint, value);
    if (!text)
        return TAS_E_NOMEM;
    wipe_text(*place);
    *place = text;
    return TAS_OK;
}

static const char *text_of(const struct tas_http_work *work, enum tas_http_field field) {
    return work->fields[field] ? work->fields[field] : "";
}

static void fill_request(struct tas_http_exchange *x, const char *path, const char *query) {
    struct tas_http_work *work = x->work;
    struct tas_http_request *req = &work->req;
    if (x->peer->name)
        memcpy(work->peer_name, x->peer->name, strlen(x->peer->name) + 1);
    *req = (struct tas_http_request){
        .path = path,
        .query = query,
        .host = text_of(work, TAS_HTTP_HOST),
        .authorization = text_of(work, TAS_HTTP_AUTHORIZATION),
        .content_type = text_of(work, TAS_HTTP_CONTENT_TYPE),
        .if_none_match = text_of(work, TAS_HTTP_IF_NONE_MATCH),
        .if_modified_since = text_of(work, TAS_HTTP_IF_MODIFIED_SINCE),
        .range = text_of(work, TAS_HTTP_RANGE),
        .accept_language = text_of(work, TAS_HTTP_ACCEPT_LANGUAGE),
        .origin = text_of(work, TAS_HTTP_ORIGIN),
        .cookie = text_of(work, TAS_HTTP_COOKIE),
        .user_agent = text_of(work, TAS_HTTP_USER_AGENT),
        .peer_name = work->peer_name,
        .is_http2 = x->peer->h2 != NULL,
    };
    memcpy(req->source, x->peer->source, sizeof(req->source));
    for (int i = 0; i < TAS_HTTP_PARAMS; i++)
        req->params[i] = work->params[i];
}

/* "http://host/path" becomes "/path" and the host (RFC 9112 section 3.2.2). */
static int strip_origin(struct tas_http_exchange *x, struct tas_bytes *target) {
    static const char *const schemes[] = {"http://", "https://"};
    for (size_t i = 0; i < 2; i++) {
        size_t n = strlen(schemes[i]);
        if (target->len <= n || !tas_http_is_named(tas_bytes_of(target->ptr, n), schemes[i]))
            continue;
        size_t end = n;
        while (end < target->len && target->ptr[end] != '/')
            end++;
        char *host = joined(NULL, "", tas_bytes_of(target->ptr + n, end - n));
        if (!host)
            return TAS_E_NOMEM;
        free(x->work->fields[TAS_HTTP_HOST]);
        x->work->fields[TAS_HTTP_HOST] = host;
        *target = tas_bytes_of(target->ptr + end, target->len - end);
    }
    return TAS_OK;
}

/* ---- which route ---- */

/* Does the pattern fit? What {} stand for goes to params. */
static bool fits(const char *pattern, const char *path, char params[][TAS_HTTP_PARAM_MAX + 1]) {
    int n = 0;
    while (*pattern && *path) {
        if (*pattern != '{') {
            if (*pattern++ != *path++)
                return false;
            continue;
        }
        size_t len = strcspn(path, "/");
        if (len == 0 || len > TAS_HTTP_PARAM_MAX || n == TAS_HTTP_PARAMS)
            return false;
        memcpy(params[n], path, len);
        params[n++][len] = '\0';
        path += len;
        pattern += strcspn(pattern, "}");
        pattern += *pattern == '}';
    }
    return *pattern == *path; /* both are at their end */
}

static void allow(struct tas_http_work *work, const char *method) {
    char *list = work->allow;
    size_t len = strlen(list);
    bool is_get = strcmp(method, "GET") == 0;
    snprintf(list + len, sizeof(work->allow) - len, "%s%s%s", len ? ", " : "", method,
             is_get ? ", HEAD" : "");
}

static const struct tas_http_route *find_route(struct tas_http_work *work,
                                               const struct tas_http_route *routes) {
    for (const struct tas_http_route *r = routes; r && r->method; r++) {
        memset(work->params, 0, sizeof(work->params));
        if (!fits(r->path, work->req.path, work->params))
            continue;
        if (strcmp(r->method, work->req.method) == 0)
            return r;
        allow(work, r->method);
    }
    return NULL;
}

/* A redirect's method and path are known to be good. */
static void redirect(struct tas_http_exchange *x, struct tas_bytes target) {
    struct tas_http_work *work = x->work;
    struct tas_bytes host = tas_bytes_of(work->req.host, strlen(work->req.host));
    size_t host_len = tas_http_host_len(host);
    if (strcmp(work->req.method, "GET") != 0) {
        allow(work, "GET");
        tas_http_exchange_refuse(x, 405, "wrong_method", "This address only leads to the encrypted one.");
        return;
    }
    if (host_len == 0) {
        tas_http_exchange_refuse(x, 400, "bad_host", "The request does not say which host it wants.");
        return;
    }
    size_t cap = sizeof("https://") + host_len + target.len;
    work->location = malloc(cap);
    if (!work->location) {
        tas_http_exchange_refuse(x, 503, "busy", "The server is busy. Try again later.");
        return;
    }
    snprintf(work->location, cap, "https://%.*s%.*s", (int)host_len, host.ptr, (int)target.len, target.ptr);
    work->reply.status = 301;
    tas_http_peer_answer(x);
}

/* The target's texts are made; false: it was answered. */
static bool read_target(struct tas_http_exchange *x, struct tas_bytes *target) {
    struct tas_http_work *work = x->work;
    const char *path = "", *query = "";
    int err = strip_origin(x, target);
    work->target = err == TAS_OK ? calloc(1, target->len + 2) : NULL;
    if (work->target)
        err = tas_http_target_parse(*target, work->target, &path, &query);
    fill_request(x, path, query);
    work->req.method = "";
    if (!work->target)
        tas_http_exchange_refuse(x, 503, "busy", "The server is busy. Try again later.");
    else if (err == TAS_E_LIMIT)
        tas_http_exchange_refuse(x, 414, "path_too_long", "The path is longer than 2048 characters.");
    else if (err != TAS_OK)
        tas_http_exchange_refuse(x, 400, "bad_path", "The path is not well formed.");
    return x->phase == TAS_HTTP_READING;
}

static bool has_bad_host(const struct tas_http_exchange *x) {
    const char *host = x->work->req.host;
    return *host && tas_http_host_len(tas_bytes_of(host, strlen(host))) == 0;
}

/* The name of a method that some route has. Static. */
static const char *method_name(struct tas_bytes method) {
    static const char *const known[] = {"GET", "POST", "PUT", "DELETE", "PATCH"};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (method.len == strlen(known[i]) && memcmp(method.ptr, known[i], method.len) == 0)
            return known[i];
    return "";
}

static void refuse_unrouted(struct tas_http_exchange *x) {
    if (x->work->allow[0])
        tas_http_exchange_refuse(x, 405, "wrong_method", "This address does not know this method.");
    else
        tas_http_exchange_refuse(x, 404, "not_found", "There is nothing at this address.");
}

void tas_http_exchange_begin(struct tas_http_exchange *x, struct tas_bytes method, struct tas_bytes target,
                             uint64_t length) {
    struct tas_http_work *work = x->work;
    const struct tas_http_listener *listener = &x->peer->port->config;
    x->is_whole = length == 0;
    x->is_head = method.len == 4 && memcmp(method.ptr, "HEAD", 4) == 0;
    if (!read_target(x, &target))
        return;
    work->req.method = x->is_head ? "GET" : method_name(method);
    if (has_bad_host(x)) {
        tas_http_exchange_refuse(x, 400, "bad_host", "The host is not well formed.");
        return;
    }
    if (listener->redirects) {
        redirect(x, target);
        return;
    }
    work->route = find_route(work, listener->routes);
    if (!work->route) {
        refuse_unrouted(x);
    } else if (length != UINT64_MAX && length > work->route->body_max) {
        tas_http_exchange_refuse(x, 413, "too_large", "The request's body is too large.");
    } else if (x->is_whole) {
        tas_http_exchange_run(x);
    } else {
        tas_buf_init(&work->body, work->route->body_max);
        x->since_us = tas_http_now_us(x->peer->http);
    }
}

/* ---- its body ---- */

bool tas_http_exchange_count(struct tas_http_exchange *x) {
    struct tas_http_work *work = x->work;
    x->received = work->body.len;
    if (hold(x, work->body.cap - work->held, false))
        return true;
    refuse_busy(x);
    return false;
}

void tas_http_exchange_body(struct tas_http_exchange *x, struct tas_bytes bytes) {
    int err = tas_buf_append(&x->work->body, bytes);
    if (err == TAS_E_FULL)
        tas_http_exchange_refuse(x, 413, "too_large", "The request's body is too large.");
    else if (err != TAS_OK)
        tas_http_exchange_refuse(x, 503, "busy", "The server is busy. Try again later.");
    else
        (void)!tas_http_exchange_count(x);
}

/* ---- running ---- */

static void submit(struct tas_http_exchange *x) {
    struct tas_http_work *work = x->work;
    int lane = work->route->lane;
    x->phase = TAS_HTTP_RUNNING;
    if (lane == TAS_HTTP_INLINE) {
        tas_http_work_run(work, NULL);
        tas_http_work_done(work);
    } else if (!tas_http_lane_give(work->http->lanes[lane], work)) {
        x->phase = TAS_HTTP_READING; /* it is still ours */
        tas_http_stream_close(x);
        refuse_busy(x);
    }
}

void tas_http_exchange_run(struct tas_http_exchange *x) {
    struct tas_http_work *work = x->work;
    const struct tas_http_route *route = work->route;
    x->is_whole = true;
    x->is_postponed = x->peer->waiting > TAS_HTTP_UNREAD_MAX;
    if (x->is_postponed)
        return;
    if (!has_room(x)) {
        refuse_busy(x);
        return;
    }
    work->req.body = tas_buf_peek(&work->body);
    if (route->gate && route->gate(work->http->limits.ctx, &work->req, &work->reply)) {
        tas_http_peer_answer(x);
        return;
    }
    work->has_passed = route->gate && route->passed;
    submit(x);
}

static struct tas_http_exchange *oldest_postponed(const struct tas_http_peer *peer) {
    struct tas_http_exchange *oldest = NULL;
    for (struct tas_http_exchange *x = peer->exchanges; x; x = x->next)
        if (x->is_postponed && (!oldest || x->stream_id < oldest->stream_id))
            oldest = x;
    return oldest;
}

void tas_http_exchange_resume(struct tas_http_peer *peer) {
    struct tas_http_exchange *x;
    while (!peer->is_dead && peer->waiting <= TAS_HTTP_UNREAD_MAX && (x = oldest_postponed(peer)))
        tas_http_exchange_run(x);
}

static void clear_body(struct tas_http_reply *reply) {
    tas_buf_drop(&reply->body, reply->body.len);
    tas_buf_shrink(&reply->body);
    if (reply->file_fd >= 0)
        close(reply->file_fd);
    reply->file_fd = -1;
}

/* The route has said who may listen to what. */
static void begin_stream(struct tas_http_exchange *x) {
    struct tas_http_work *work = x->work;
    clear_body(&work->reply);
    if (tas_http_stream_open(x, work->reply.topic) != TAS_OK) {
        tas_http_exchange_refuse(x, 503, "busy", "The server is busy. Try again later.");
    } else if (work->route->fill) {
        work->is_filling = true;
        submit(x);
    } else {
        tas_http_peer_answer(x);
    }
}

static void drop_body(struct tas_http_work *work) {
    tas_buf_fini(&work->body);
    work->req.body = (struct tas_bytes){0};
    release(work, work->held);
}

/* A reply in memory counts until it was sent. False: this one would be too much. */
static bool hold_reply(struct tas_http_exchange *x) {
    struct tas_http_work *work = x->work;
    size_t cap = work->reply.body.cap;
    drop_body(work);
    if (!hold(x, cap, cap <= SMALL_REPLY))
        return false;
    work->waiting = cap;
    x->peer->waiting += cap;
    return true;
}

void tas_http_exchange_settle(struct tas_http_exchange *x) {
    if (x->work && x->work->body.mem)
        drop_body(x->work);
}

void tas_http_work_done(struct tas_http_work *work) {
    struct tas_http_exchange *x = work->exchange;
    if (!x) {
        tas_http_work_free(work);
        return;
    }
    x->phase = TAS_HTTP_READING; /* it is ours again */
    struct tas_http_reply *reply = &work->reply;
    if (reply->topic && reply->status == 200 && !x->is_head && !work->is_filling) {
        begin_stream(x);
        return;
    }
    if (work->is_filling && (reply->status != 200 || !reply->topic))
        tas_http_stream_close(x); /* fill() has found a reason to refuse */
    if (hold_reply(x)) {
        tas_http_peer_answer(x);
        return;
    }
    tas_http_stream_close(x);
    clear_body(reply);
    reply->n_headers = 0;
    refuse_busy(x);
}

static bool is_limit(unsigned status) {
    return status == 408 || status == 413 || status == 414 || status == 431 || status == 503;
}

void tas_http_exchange_refuse(struct tas_http_exchange *x, unsigned status, const char *code,
                              const char *detail) {
    TAS_HTTP_COUNT(x->peer->http, refused_total, is_limit(status));
    tas_http_problem(&x->work->reply, status, code, detail);
    tas_http_peer_answer(x);
}

/* ---- the reply ---- */

static bool is_bodiless(unsigned status) {
    return status == 204 || status == 304 || status < 200;
}

unsigned tas_http_exchange_status(const struct tas_http_exchange *x) {
    return x->work->reply.status;
}

static enum tas_http_source peek_file(struct tas_http_exchange *x, struct tas_bytes *out) {
    const struct tas_http_reply *reply = &x->work->reply;
    uint8_t *chunk = x->peer->http->chunk;
    uint64_t left = reply->file_len - x->sent;
    if (left == 0)
        return TAS_HTTP_END;
    size_t len = left < TAS_HTTP_CHUNK ? (size_t)left : TAS_HTTP_CHUNK;
    ssize_t n = pread(reply->file_fd, chunk, len, (off_t)(reply->file_offset + x->sent));
    if (n <= 0)
        return TAS_HTTP_TORN;
    *out = tas_bytes_of(chunk, (size_t)n);
    return TAS_HTTP_MORE;
}

enum tas_http_source tas_http_exchange_peek(struct tas_http_exchange *x, struct tas_bytes *out) {
    if (!x->work)
        return tas_http_stream_peek(x, out);
    const struct tas_http_reply *reply = &x->work->reply;
    if (x->is_head || is_bodiless(reply->status))
        return TAS_HTTP_END;
    if (reply->file_fd >= 0 && !x->stream)
        return peek_file(x, out);
    struct tas_bytes body = tas_buf_peek(&reply->body);
    if (x->sent < body.len) {
        *out = tas_bytes_of(body.ptr + x->sent, body.len - (size_t)x->sent);
        return TAS_HTTP_MORE;
    }
    if (!x->stream)
        return TAS_HTTP_END;
    drop_work(x); /* a stream lives long: it keeps no request */
    return tas_http_stream_peek(x, out);
}

void tas_http_exchange_drop(struct tas_http_exchange *x, size_t n) {
    if (n == 0)
        return;
    x->moved_us = tas_http_now_us(x->peer->http);
    if (x->work)
        x->sent += n;
    else
        tas_http_stream_drop(x, n);
}

static int length_header(const struct tas_http_exchange *x, tas_http_header_fn *fn, void *ctx) {
    const struct tas_http_reply *reply = &x->work->reply;
    char number[NUMBER_CAP];
    uint64_t len = reply->file_fd >= 0 ? reply->file_len : reply->body.len;
    snprintf(number, sizeof(number), "%" PRIu64, len);
    return fn(ctx, "content-length", number);
}

static int own_headers(const struct tas_http_exchange *x, bool *has_cache_control, tas_http_header_fn *fn,
                       void *ctx) {
    const struct tas_http_reply *reply = &x->work->reply;
    int err = TAS_OK;
    for (size_t i = 0; i < reply->n_headers && err == TAS_OK; i++) {
        char name[HEADER_NAME_MAX];
        snprintf(name, sizeof(name), "%.*s", (int)strcspn(reply->headers[i].name, ":"),
                 reply->headers[i].name);
        *has_cache_control |= strcmp(name, "cache-control") == 0;
        err = fn(ctx, name, reply->headers[i].value);
    }
    if (err == TAS_OK && x->work->allow[0] && reply->status == 405)
        err = fn(ctx, "allow", x->work->allow);
    if (err == TAS_OK && x->work->location)
        err = fn(ctx, "location", x->work->location);
    return err;
}

int tas_http_exchange_headers(const struct tas_http_exchange *x, tas_http_header_fn *fn, void *ctx) {
    const struct tas_http_reply *reply = &x->work->reply;
    bool is_stream = reply->topic != 0 && reply->status == 200;
    bool has_cache_control = false;
    int err = fn(ctx, "date", tas_http_date(x->peer->http));
    if (err == TAS_OK)
        err = fn(ctx, "server", "tasuki");
    if (err == TAS_OK && !is_bodiless(reply->status) && !x->work->location)
        err = fn(ctx, "content-type", is_stream ? "text/event-stream" : reply->content_type);
    if (err == TAS_OK && !is_bodiless(reply->status) && !is_stream)
        err = length_header(x, fn, ctx);
    if (err == TAS_OK)
        err = own_headers(x, &has_cache_control, fn, ctx);
    if (err == TAS_OK && (is_stream || !has_cache_control))
        err = fn(ctx, "cache-control", "no-store");
    if (err == TAS_OK && is_stream)
        err = fn(ctx, "x-accel-buffering", "no");
    if (err == TAS_OK)
        err = fn(ctx, "x-content-type-options", "nosniff");
    if (err == TAS_OK && x->peer->port->tls)
        err = fn(ctx, "strict-transport-security", "max-age=31536000; includeSubDomains");
    return err;
}

/* ---- deadlines ---- */

static uint64_t body_deadline(const struct tas_http_exchange *x) {
    uint64_t limit_us = (uint64_t)x->peer->http->limits.body_s * US_PER_S;
    uint64_t pace_us = SLOW_AFTER_US + x->received * US_PER_S / LEAST_RATE;
    return x->since_us + (pace_us < limit_us ? pace_us : limit_us);
}

uint64_t tas_http_exchange_deadline(const struct tas_http_exchange *x) {
    switch (x->phase) {
    case TAS_HTTP_READING:
        if (x->is_postponed)
            return UINT64_MAX; /* those before it have a deadline */
        if (x->work->route)
            return body_deadline(x);
        return x->since_us + (uint64_t)x->peer->http->limits.header_s * US_PER_S;
    case TAS_HTTP_SENDING:
        if (!x->work && !tas_http_stream_is_waiting(x))
            return UINT64_MAX;
        return x->moved_us + TAS_HTTP_STALL_US;
    case TAS_HTTP_RUNNING:
    default:
        return UINT64_MAX;
    }
}
