#include "http/server_private.h"

#include <stdio.h>

enum {
    IN_MAX = 64 * 1024,
    IN_ENOUGH = 16 * 1024, /* lies there while we are busy: no more is read */
    OUT_MAX = 32 * 1024,
    SMALL_BODY = 8 * 1024, /* goes with its head, in one record */
    US_PER_S = 1000 * 1000,
};

static void advance(struct tas_http_peer *peer);

void tas_http_h1_init(struct tas_http_h1 *h1) {
    tas_buf_init(&h1->in, IN_MAX);
    tas_buf_init(&h1->out, OUT_MAX);
}

void tas_http_h1_fini(struct tas_http_h1 *h1) {
    tas_buf_fini(&h1->in);
    tas_buf_fini(&h1->out);
}

static bool is_stream(const struct tas_http_h1 *h1) {
    return h1->x && h1->x->stream;
}

bool tas_http_h1_wants_more(const struct tas_http_peer *peer) {
    const struct tas_http_h1 *h1 = &peer->h1;
    return peer->h2 || h1->state < TAS_H1_BUSY || h1->state == TAS_H1_OVER || h1->in.len < IN_ENOUGH;
}

uint64_t tas_http_h1_deadline(const struct tas_http_peer *peer) {
    const struct tas_http_h1 *h1 = &peer->h1;
    if (h1->state == TAS_H1_OVER)
        return h1->since_us + TAS_HTTP_LINGER_US;
    if (h1->state != TAS_H1_HEAD)
        return tas_http_exchange_deadline(h1->x);
    if (h1->in.len == 0)
        return UINT64_MAX; /* as the connection's silence has it */
    return h1->since_us + (uint64_t)peer->http->limits.header_s * US_PER_S;
}

/* ---- reading ---- */

/* What the head says about the way of its body. */
struct framing {
    bool has_length, is_chunked, has_host, expects, closes, keeps;
    uint64_t length;
};

static int read_framing(struct framing *f, struct tas_bytes name, struct tas_bytes value) {
    uint64_t length;
    if (tas_http_is_named(name, "content-length")) {
        if (tas_http_length_parse(value, &length) != TAS_OK || (f->has_length && f->length != length))
            return TAS_E_PROTO;
        f->has_length = true;
        f->length = length;
    } else if (tas_http_is_named(name, "transfer-encoding")) {
        if (f->is_chunked || !tas_http_is_named(value, "chunked"))
            return TAS_E_PROTO;
        f->is_chunked = true;
    } else if (tas_http_is_named(name, "connection")) {
        f->closes |= tas_http_list_has(value, "close");
        f->keeps |= tas_http_list_has(value, "keep-alive");
    } else if (tas_http_is_named(name, "expect")) {
        f->expects = tas_http_is_named(value, "100-continue");
        return f->expects ? TAS_OK : TAS_E_PROTO;
    } else if (tas_http_is_named(name, "host")) {
        f->has_host = true;
    }
    return TAS_OK;
}

static int read_fields(struct tas_http_exchange *x, struct tas_reader *head, struct framing *f) {
    struct tas_bytes name, value;
    int err;
    while ((err = tas_http_field_take(head, &name, &value)) == TAS_OK) {
        err = read_framing(f, name, value);
        if (err == TAS_OK)
            err = tas_http_exchange_field(x, name, value);
        if (err != TAS_OK)
            return err;
    }
    return err == TAS_E_MORE ? TAS_OK : err;
}

/* Two lengths are how requests are smuggled past a proxy (RFC 9112 section 6.3). */
static bool is_ambiguous(const struct framing *f, unsigned minor) {
    return (f->is_chunked && (f->has_length || minor == 0)) || (minor == 1 && !f->has_host);
}

static void refuse_head(struct tas_http_peer *peer, unsigned status, const char *code, const char *detail) {
    peer->h1.closes = true;
    tas_http_exchange_refuse(peer->h1.x, status, code, detail);
}

static void begin(struct tas_http_peer *peer, struct tas_bytes head) {
    struct tas_http_h1 *h1 = &peer->h1;
    struct tas_reader r = tas_reader_of(head);
    struct tas_http_line line = {0};
    struct framing f = {0};
    h1->closes = false;
    h1->is_chunked = false;
    h1->left = 0;
    int err = tas_http_line_take(&r, &line);
    if (err == TAS_OK)
        err = read_fields(h1->x, &r, &f);
    h1->minor = line.minor;
    if (err == TAS_E_NOMEM) {
        refuse_head(peer, 503, "busy", "The server is busy. Try again later.");
    } else if (err != TAS_OK || is_ambiguous(&f, line.minor)) {
        refuse_head(peer, 400, "bad_request", "The request's head is not well formed.");
    } else {
        h1->closes = f.closes || (line.minor == 0 && !f.keeps);
        h1->is_chunked = f.is_chunked;
        h1->chunks = (struct tas_http_chunks){0};
        h1->left = f.length;
        h1->state = TAS_H1_BODY;
        tas_http_exchange_begin(h1->x, line.method, line.target, f.is_chunked ? UINT64_MAX : f.length);
        if (h1->state == TAS_H1_BODY && h1->x->phase != TAS_HTTP_READING)
            h1->state = TAS_H1_BUSY;
        if (h1->state == TAS_H1_BODY && f.expects && line.minor == 1)
            (void)!tas_buf_append(&h1->out, tas_bytes_of("HTTP/1.1 100 Continue\r\n\r\n", 25));
    }
}

static void take_head(struct tas_http_peer *peer) {
    struct tas_http_h1 *h1 = &peer->h1;
    struct tas_bytes in = tas_buf_peek(&h1->in);
    while (in.len >= 2 && h1->scanned == 0 && in.ptr[0] == '\r' && in.ptr[1] == '\n') {
        tas_buf_drop(&h1->in, 2); /* RFC 9112 section 2.2 */
        in = tas_buf_peek(&h1->in);
    }
    size_t len = tas_http_head_len(in, &h1->scanned);
    if (len == 0 && in.len <= TAS_HTTP_HEAD_MAX)
        return;
    h1->x = tas_http_exchange_new(peer, 0);
    if (!h1->x) {
        tas_http_peer_kill(peer);
        return;
    }
    h1->scanned = 0;
    h1->minor = 1;
    if (len == 0 || len > TAS_HTTP_HEAD_MAX) {
        bool is_line = !memchr(in.ptr, '\n', in.len < TAS_HTTP_HEAD_MAX ? in.len : TAS_HTTP_HEAD_MAX);
        refuse_head(peer, is_line ? 414 : 431, "head_too_long", "The request's head is longer than 8 KiB.");
        return;
    }
    begin(peer, tas_bytes_of(in.ptr, len));
    tas_buf_drop(&h1->in, len);
}

static void take_chunks(struct tas_http_peer *peer) {
    struct tas_http_h1 *h1 = &peer->h1;
    struct tas_http_exchange *x = h1->x;
    size_t used = 0;
    int err = tas_http_chunks_take(&h1->chunks, tas_buf_peek(&h1->in), &used, &x->work->body);
    tas_buf_drop(&h1->in, used);
    if (!tas_http_exchange_count(x))
        return;
    if (err == TAS_OK)
        tas_http_exchange_run(x);
    else if (err == TAS_E_LIMIT)
        tas_http_exchange_refuse(x, 413, "too_large", "The request's body is too large.");
    else if (err == TAS_E_NOMEM)
        tas_http_exchange_refuse(x, 503, "busy", "The server is busy. Try again later.");
    else if (err != TAS_E_MORE)
        tas_http_exchange_refuse(x, 400, "bad_request", "The request's body is not well formed.");
}

static void take_body(struct tas_http_peer *peer) {
    struct tas_http_h1 *h1 = &peer->h1;
    struct tas_bytes in = tas_buf_peek(&h1->in);
    if (h1->is_chunked) {
        take_chunks(peer);
    } else {
        size_t n = in.len < h1->left ? in.len : (size_t)h1->left;
        h1->left -= n;
        tas_http_exchange_body(h1->x, tas_bytes_of(in.ptr, n));
        tas_buf_drop(&h1->in, n);
        if (h1->left == 0 && h1->x->phase == TAS_HTTP_READING)
            tas_http_exchange_run(h1->x);
    }
    if (h1->state == TAS_H1_BODY && h1->x->phase != TAS_HTTP_READING)
        h1->state = TAS_H1_BUSY;
}

/* As far as what lies there goes. */
static void advance(struct tas_http_peer *peer) {
    struct tas_http_h1 *h1 = &peer->h1;
    size_t before = SIZE_MAX;
    while (!peer->is_dead && h1->in.len > 0 && h1->in.len < before && h1->state < TAS_H1_BUSY) {
        before = h1->in.len;
        if (h1->state == TAS_H1_HEAD)
            take_head(peer);
        else
            take_body(peer);
    }
    tas_buf_shrink(&h1->in);
}

void tas_http_h1_bytes(struct tas_http_peer *peer, struct tas_bytes bytes) {
    struct tas_http_h1 *h1 = &peer->h1;
    if (h1->state == TAS_H1_OVER || is_stream(h1))
        return; /* nobody reads it */
    if (h1->state == TAS_H1_HEAD && h1->in.len == 0)
        h1->since_us = peer->has_asked ? tas_http_now_us(peer->http) : peer->accepted_us;
    if (tas_buf_append(&h1->in, bytes) != TAS_OK) {
        tas_http_peer_kill(peer);
        return;
    }
    advance(peer);
}

/* ---- writing ---- */

static int put_header(void *ctx, const char *name, const char *value) {
    struct tas_buf *out = ctx;
    size_t len = strlen(name) + strlen(value) + 4;
    uint8_t *to = tas_buf_reserve(out, len + 1);
    if (!to)
        return TAS_E_NOMEM;
    snprintf((char *)to, len + 1, "%s: %s\r\n", name, value);
    tas_buf_commit(out, len);
    return TAS_OK;
}

static int put_head(struct tas_http_exchange *x, struct tas_http_h1 *h1) {
    char line[64];
    unsigned status = tas_http_exchange_status(x);
    int n = snprintf(line, sizeof(line), "HTTP/1.1 %u %s\r\n", status, tas_http_status_text(status));
    int err = tas_buf_append(&h1->out, tas_bytes_of(line, (size_t)n));
    if (err == TAS_OK)
        err = tas_http_exchange_headers(x, put_header, &h1->out);
    if (err == TAS_OK && h1->closes)
        err = put_header(&h1->out, "connection", "close");
    else if (err == TAS_OK && h1->minor == 0)
        err = put_header(&h1->out, "connection", "keep-alive");
    return err == TAS_OK ? tas_buf_append(&h1->out, tas_bytes_of("\r\n", 2)) : err;
}

void tas_http_h1_answer(struct tas_http_exchange *x) {
    struct tas_http_h1 *h1 = &x->peer->h1;
    struct tas_bytes body;
    h1->state = TAS_H1_SEND;
    /* What may still come of this request cannot be told from the next; a stream ends with its connection. */
    h1->closes |= !x->is_whole || x->stream || x->peer->http->is_draining;
    if (put_head(x, h1) != TAS_OK) {
        tas_http_peer_kill(x->peer);
        return;
    }
    if (tas_http_exchange_peek(x, &body) == TAS_HTTP_MORE && body.len <= SMALL_BODY &&
        tas_buf_append(&h1->out, body) == TAS_OK)
        tas_http_exchange_drop(x, body.len);
}

/* The reply has gone to the kernel. */
static void finish(struct tas_http_peer *peer) {
    struct tas_http_h1 *h1 = &peer->h1;
    tas_http_exchange_free(h1->x);
    h1->x = NULL;
    tas_buf_shrink(&h1->out);
    h1->since_us = tas_http_now_us(peer->http);
    if (h1->closes || peer->http->is_draining) {
        h1->state = TAS_H1_OVER;
        tas_buf_drop(&h1->in, h1->in.len);
        tas_http_link_shut(&peer->link);
        return;
    }
    h1->state = TAS_H1_HEAD;
    advance(peer);
}

/* The next piece to write: what is left of the head, then the body's. */
static enum tas_http_source next_piece(struct tas_http_h1 *h1, struct tas_bytes *out) {
    if (h1->out.len) {
        *out = tas_buf_peek(&h1->out);
        return TAS_HTTP_MORE;
    }
    return h1->state == TAS_H1_SEND ? tas_http_exchange_peek(h1->x, out) : TAS_HTTP_LATER;
}

static void drop_piece(struct tas_http_h1 *h1, size_t n) {
    if (h1->out.len == 0) {
        tas_http_exchange_drop(h1->x, n);
        return;
    }
    tas_buf_drop(&h1->out, n);
    if (h1->x)
        h1->x->moved_us = tas_http_now_us(h1->x->peer->http);
    if (is_stream(h1))
        tas_buf_shrink(&h1->out);
}

/* Writes until there is nothing, or the link is full, or others shall have their turn. */
static enum tas_http_source pump(struct tas_http_peer *peer) {
    struct tas_http_h1 *h1 = &peer->h1;
    struct tas_bytes piece;
    enum tas_http_source got;
    size_t total = 0;
    while ((got = next_piece(h1, &piece)) == TAS_HTTP_MORE) {
        int n = tas_http_link_write(&peer->link, piece);
        if (n < 0)
            return TAS_HTTP_TORN;
        if (n == 0)
            return TAS_HTTP_LATER;
        drop_piece(h1, (size_t)n);
        total += (size_t)n;
        if (total >= TAS_HTTP_TURN_MAX) {
            tas_http_peer_later(peer);
            return TAS_HTTP_LATER;
        }
    }
    return got;
}

void tas_http_h1_serve(struct tas_http_peer *peer) {
    struct tas_http_h1 *h1 = &peer->h1;
    enum tas_http_source got;
    do {
        got = pump(peer);
        tas_http_link_flush(&peer->link);
        if (got == TAS_HTTP_TORN)
            tas_http_peer_kill(peer);
        else if (got == TAS_HTTP_END && tas_http_link_backlog(&peer->link) == 0)
            finish(peer);
        else
            break;
    } while (!peer->is_dead && h1->state == TAS_H1_SEND); /* pipelined requests */
}

void tas_http_h1_drain(struct tas_http_peer *peer) {
    struct tas_http_h1 *h1 = &peer->h1;
    if (h1->state != TAS_H1_HEAD)
        return; /* finish() does it */
    h1->state = TAS_H1_OVER;
    h1->since_us = tas_http_now_us(peer->http);
    tas_buf_drop(&h1->in, h1->in.len);
    tas_http_link_shut(&peer->link);
}
