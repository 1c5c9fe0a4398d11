#include "http/server_private.h"

#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    STREAMS_MAX = 32, /* at once, of one connection */
    HEADERS_CAP = 24,
    ARENA_CAP = 8 * 1024,
};

struct tas_http_h2 {
    nghttp2_session *session;
    struct tas_bytes pending; /* made, and not taken by the link */
    bool is_shut;
};

static struct tas_http_exchange *exchange_of(nghttp2_session *session, int32_t stream_id) {
    return nghttp2_session_get_stream_user_data(session, stream_id);
}

/* ---- the request ---- */

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *ctx) {
    struct tas_http_peer *peer = ctx;
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    struct tas_http_exchange *x = tas_http_exchange_new(peer, frame->hd.stream_id);
    if (!x)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    return nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, x);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags, void *ctx) {
    (void)flags;
    (void)ctx;
    struct tas_http_exchange *x = exchange_of(session, frame->hd.stream_id);
    if (!x || x->phase != TAS_HTTP_READING || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0; /* trailers, or it was answered already */
    struct tas_bytes text = tas_bytes_of(value, value_len);
    x->head_len += name_len + value_len + 4; /* as it would be in HTTP/1.1 */
    if (x->head_len > TAS_HTTP_HEAD_MAX)
        return 0; /* answered when it is whole */
    if (tas_http_is_named(tas_bytes_of(name, name_len), "content-length") &&
        tas_http_length_parse(text, &x->length) != TAS_OK)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    int err = tas_http_exchange_field(x, tas_bytes_of(name, name_len), text);
    return err == TAS_OK ? 0 : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static struct tas_bytes text_of(const struct tas_http_exchange *x, enum tas_http_field field) {
    const char *text = x->work->fields[field];
    return tas_bytes_of(text, text ? strlen(text) : 0);
}

static void begin(struct tas_http_exchange *x, bool is_whole) {
    if (x->head_len > TAS_HTTP_HEAD_MAX) {
        bool is_path = text_of(x, TAS_HTTP_TARGET).len == 0;
        tas_http_exchange_refuse(x, is_path ? 414 : 431, "head_too_long",
                                 "The request's head is longer than 8 KiB.");
        return;
    }
    if (text_of(x, TAS_HTTP_HOST).len == 0) {
        tas_http_exchange_refuse(x, 400, "bad_host", "The request does not say which host it wants.");
        return;
    }
    tas_http_exchange_begin(x, text_of(x, TAS_HTTP_METHOD), text_of(x, TAS_HTTP_TARGET),
                            is_whole ? 0 : x->length);
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *ctx) {
    (void)ctx;
    struct tas_http_exchange *x = exchange_of(session, frame->hd.stream_id);
    bool is_whole = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
    if (!x || (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA))
        return 0;
    bool is_head = frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST;
    if (x->phase != TAS_HTTP_READING)
        x->is_whole |= is_whole;
    else if (is_head)
        begin(x, is_whole);
    else if (is_whole)
        tas_http_exchange_run(x);
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream_id, const uint8_t *data,
                   size_t len, void *ctx) {
    (void)flags;
    (void)ctx;
    struct tas_http_exchange *x = exchange_of(session, stream_id);
    if (x && x->phase == TAS_HTTP_READING && len > 0)
        tas_http_exchange_body(x, tas_bytes_of(data, len));
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream_id, uint32_t code, void *ctx) {
    (void)code;
    (void)ctx;
    struct tas_http_exchange *x = exchange_of(session, stream_id);
    if (x)
        tas_http_exchange_free(x);
    return 0;
}

/* After an answer that needed not all of the request, the rest is not wanted (RFC 9113 section 8.1). */
static int on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *ctx) {
    (void)ctx;
    struct tas_http_exchange *x = exchange_of(session, frame->hd.stream_id);
    bool is_last = (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
                   (frame->hd.flags & NGHTTP2_FLAG_END_STREAM);
    if (x && is_last && !x->is_whole)
        return nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_NO_ERROR);
    return 0;
}

/* ---- the reply ---- */

struct headers {
    nghttp2_nv list[HEADERS_CAP];
    size_t n;
    char arena[ARENA_CAP]; /* the library copies when they are submitted */
    size_t used;
};

static int put_header(void *ctx, const char *name, const char *value) {
    struct headers *h = ctx;
    size_t name_len = strlen(name), value_len = strlen(value);
    if (h->n == HEADERS_CAP || sizeof(h->arena) - h->used < name_len + value_len)
        return TAS_E_LIMIT;
    uint8_t *at = (uint8_t *)h->arena + h->used;
    memcpy(at, name, name_len);
    memcpy(at + name_len, value, value_len);
    h->used += name_len + value_len;
    h->list[h->n++] =
        (nghttp2_nv){.name = at, .namelen = name_len, .value = at + name_len, .valuelen = value_len};
    return TAS_OK;
}

static ssize_t read_reply(nghttp2_session *session, int32_t stream_id, uint8_t *to, size_t len,
                          uint32_t *flags, nghttp2_data_source *source, void *ctx) {
    (void)session;
    (void)stream_id;
    (void)ctx;
    struct tas_http_exchange *x = source->ptr;
    size_t done = 0;
    while (done < len) {
        struct tas_bytes piece;
        enum tas_http_source got = tas_http_exchange_peek(x, &piece);
        if (got == TAS_HTTP_TORN)
            return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        if (got == TAS_HTTP_END)
            *flags |= NGHTTP2_DATA_FLAG_EOF;
        if (got != TAS_HTTP_MORE) {
            x->is_deferred = got == TAS_HTTP_LATER && done == 0;
            return x->is_deferred ? NGHTTP2_ERR_DEFERRED : (ssize_t)done;
        }
        size_t n = piece.len < len - done ? piece.len : len - done;
        memcpy(to + done, piece.ptr, n);
        tas_http_exchange_drop(x, n);
        done += n;
    }
    return (ssize_t)done;
}

void tas_http_h2_answer(struct tas_http_exchange *x) {
    struct tas_http_h2 *h2 = x->peer->h2;
    struct headers h = {.n = 0};
    char status[8];
    struct tas_bytes body;
    snprintf(status, sizeof(status), "%u", tas_http_exchange_status(x) % 1000);
    int err = put_header(&h, ":status", status);
    if (err == TAS_OK)
        err = tas_http_exchange_headers(x, put_header, &h);
    nghttp2_data_provider provider = {.source.ptr = x, .read_callback = read_reply};
    bool is_empty = !x->stream && tas_http_exchange_peek(x, &body) == TAS_HTTP_END;
    if (err != TAS_OK ||
        nghttp2_submit_response(h2->session, x->stream_id, h.list, h.n, is_empty ? NULL : &provider) != 0)
        tas_http_peer_kill(x->peer);
}

/* ---- the connection ---- */

static int configure(nghttp2_session_callbacks *callbacks, nghttp2_option *option, struct tas_http_h2 *h2,
                     struct tas_http_peer *peer) {
    static const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, STREAMS_MAX},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, TAS_HTTP_HEAD_MAX},
    };
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame_recv);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_send);
    nghttp2_option_set_no_closed_streams(option, 1); /* only priorities need them, which we ignore */
    int err = nghttp2_session_server_new2(&h2->session, callbacks, peer, option);
    return err ? err : nghttp2_submit_settings(h2->session, NGHTTP2_FLAG_NONE, settings, 2);
}

struct tas_http_h2 *tas_http_h2_new(struct tas_http_peer *peer) {
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_option *option = NULL;
    struct tas_http_h2 *h2 = calloc(1, sizeof(*h2));
    bool ok = h2 && nghttp2_session_callbacks_new(&callbacks) == 0 && nghttp2_option_new(&option) == 0 &&
              configure(callbacks, option, h2, peer) == 0;
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    if (ok)
        return h2;
    tas_http_h2_free(h2);
    return NULL;
}

void tas_http_h2_free(struct tas_http_h2 *h2) {
    if (!h2)
        return;
    nghttp2_session_del(h2->session);
    free(h2);
}

void tas_http_h2_bytes(struct tas_http_peer *peer, struct tas_bytes bytes) {
    if (peer->h2->is_shut)
        return;
    if (nghttp2_session_mem_recv(peer->h2->session, bytes.ptr, bytes.len) < 0)
        tas_http_peer_kill(peer);
}

/* Streams that had nothing to send and have now. */
static void resume_streams(struct tas_http_peer *peer) {
    for (struct tas_http_exchange *x = peer->exchanges; x; x = x->next)
        if (x->is_deferred && tas_http_stream_is_waiting(x)) {
            x->is_deferred = false;
            if (nghttp2_session_resume_data(peer->h2->session, x->stream_id) == NGHTTP2_ERR_NOMEM)
                tas_http_peer_kill(peer);
        }
}

/* False: nothing more to write now. */
static bool write_some(struct tas_http_peer *peer, size_t *total) {
    struct tas_http_h2 *h2 = peer->h2;
    if (h2->pending.len == 0) {
        const uint8_t *data;
        ssize_t len = nghttp2_session_mem_send(h2->session, &data);
        if (len < 0)
            tas_http_peer_kill(peer);
        if (len <= 0)
            return false;
        h2->pending = tas_bytes_of(data, (size_t)len);
    }
    int n = tas_http_link_write(&peer->link, h2->pending);
    if (n < 0)
        tas_http_peer_kill(peer);
    if (n <= 0)
        return false;
    h2->pending = tas_bytes_of(h2->pending.ptr + n, h2->pending.len - (size_t)n);
    *total += (size_t)n;
    return true;
}

void tas_http_h2_serve(struct tas_http_peer *peer) {
    struct tas_http_h2 *h2 = peer->h2;
    size_t total = 0;
    if (h2->is_shut)
        return;
    resume_streams(peer);
    while (write_some(peer, &total))
        if (total >= TAS_HTTP_TURN_MAX) {
            tas_http_peer_later(peer);
            break;
        }
    tas_http_link_flush(&peer->link);
    tas_http_exchange_resume(peer);
    if (h2->pending.len == 0 && !nghttp2_session_want_read(h2->session) &&
        !nghttp2_session_want_write(h2->session)) {
        h2->is_shut = true;
        peer->quiet_us = tas_http_now_us(peer->http);
        tas_http_link_shut(&peer->link);
    }
}

void tas_http_h2_drain(struct tas_http_peer *peer) {
    nghttp2_session *session = peer->h2->session;
    if (peer->h2->is_shut)
        return;
    if (nghttp2_submit_goaway(session, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(session),
                              NGHTTP2_NO_ERROR, NULL, 0) != 0)
        tas_http_peer_kill(peer);
}

void tas_http_h2_reset(struct tas_http_exchange *x) {
    struct tas_http_peer *peer = x->peer;
    if (nghttp2_submit_rst_stream(peer->h2->session, NGHTTP2_FLAG_NONE, x->stream_id, NGHTTP2_CANCEL) != 0)
        tas_http_peer_kill(peer);
    tas_http_peer_due(peer);
}

bool tas_http_h2_expire(struct tas_http_peer *peer) {
    struct tas_http_h2 *h2 = peer->h2;
    bool found = false;
    if (h2->pending.len || tas_http_link_backlog(&peer->link))
        return false; /* the peer reads nothing at all */
    for (struct tas_http_exchange *x = peer->exchanges, *next; x; x = next) {
        next = x->next;
        if (tas_http_exchange_deadline(x) > tas_http_now_us(peer->http))
            continue;
        if (x->phase == TAS_HTTP_READING && !x->work->route)
            return false; /* a head is cut into frames, and no other can come between */
        found = true;
        if (x->phase == TAS_HTTP_READING)
            tas_http_exchange_refuse(x, 408, "too_slow", "The request's body came too slowly.");
        else
            tas_http_h2_reset(x);
    }
    return found;
}

bool tas_http_h2_is_idle(const struct tas_http_peer *peer) {
    return peer->h2->pending.len == 0 &&
           (peer->h2->is_shut || !nghttp2_session_want_write(peer->h2->session));
}

uint64_t tas_http_h2_deadline(const struct tas_http_peer *peer) {
    uint64_t at_us = UINT64_MAX;
    if (peer->h2->is_shut)
        return peer->quiet_us + TAS_HTTP_LINGER_US;
    for (const struct tas_http_exchange *x = peer->exchanges; x; x = x->next) {
        uint64_t x_us = tas_http_exchange_deadline(x);
        at_us = x_us < at_us ? x_us : at_us;
    }
    return at_us;
}
