#include "http/response.h"

enum { NO_BODY, LENGTH, CHUNKED, UNTIL_END };

enum { NOT_TOLD = -1 };

void tas_http_response_init(struct tas_http_response *r, bool is_of_head) {
    *r = (struct tas_http_response){.is_of_head = is_of_head, .retry_after_s = NOT_TOLD};
    tas_buf_init(&r->head, TAS_HTTP_HEADERS_MAX);
}

void tas_http_response_fini(struct tas_http_response *r) {
    tas_buf_fini(&r->head);
}

/* ---- the head ---- */

/* What its headers say of where the body ends. */
struct told {
    bool has_length, is_chunked, says_close, says_keep;
    uint64_t length;
};

static void keep_type(struct tas_http_response *r, struct tas_bytes value) {
    size_t len = value.len <= TAS_HTTP_TYPE_MAX ? value.len : 0;
    if (len)
        memcpy(r->content_type, value.ptr, len);
    r->content_type[len] = '\0';
}

static void keep_retry(struct tas_http_response *r, struct tas_bytes value) {
    uint64_t seconds;
    if (tas_http_length_parse(value, &seconds) == TAS_OK) /* a date does not count: whose clock is it? */
        r->retry_after_s = seconds > INT32_MAX ? INT32_MAX : (int)seconds;
}

static int take_length(struct told *told, struct tas_bytes value) {
    uint64_t length;
    if (tas_http_length_parse(value, &length) != TAS_OK || (told->has_length && told->length != length))
        return TAS_E_PROTO;
    told->has_length = true;
    told->length = length;
    return TAS_OK;
}

static int take_field(struct tas_http_response *r, struct told *told, struct tas_bytes name,
                      struct tas_bytes value) {
    if (tas_http_is_named(name, "content-length"))
        return take_length(told, value);
    if (tas_http_is_named(name, "transfer-encoding")) {
        bool is_first = !told->is_chunked;
        told->is_chunked = true;
        return is_first && tas_http_is_named(value, "chunked") ? TAS_OK : TAS_E_PROTO;
    }
    if (tas_http_is_named(name, "connection")) {
        told->says_close |= tas_http_list_has(value, "close");
        told->says_keep |= tas_http_list_has(value, "keep-alive");
    } else if (tas_http_is_named(name, "content-type")) {
        keep_type(r, value);
    } else if (tas_http_is_named(name, "retry-after")) {
        keep_retry(r, value);
    }
    return TAS_OK;
}

static bool has_no_body(const struct tas_http_response *r) {
    return r->is_of_head || r->status == 204 || r->status == 304;
}

/* Where the body ends (RFC 9112 section 6.3). Both a length and chunks are what smugglers write. */
static int settle_framing(struct tas_http_response *r, const struct told *told, unsigned minor) {
    if (told->is_chunked && (told->has_length || minor == 0))
        return TAS_E_PROTO;
    if (has_no_body(r) || (told->has_length && told->length == 0))
        r->framing = NO_BODY;
    else
        r->framing = told->is_chunked ? CHUNKED : told->has_length ? LENGTH : UNTIL_END;
    r->left = told->length;
    r->is_kept = !told->says_close && (minor == 1 || told->says_keep) && r->framing != UNTIL_END;
    return TAS_OK;
}

/* A whole head. TAS_E_MORE: it was an interim one, the answer comes after it. */
static int read_head(struct tas_http_response *r, struct tas_bytes head) {
    struct tas_reader reader = tas_reader_of(head);
    struct tas_http_status status;
    struct told told = {0};
    struct tas_bytes name;
    struct tas_bytes value;
    if (tas_http_status_take(&reader, &status) != TAS_OK || status.code == 101)
        return TAS_E_PROTO; /* nothing else than HTTP was asked for */
    r->content_type[0] = '\0';
    r->retry_after_s = NOT_TOLD;
    int err;
    while ((err = tas_http_field_take(&reader, &name, &value)) == TAS_OK)
        if (take_field(r, &told, name, value) != TAS_OK)
            return TAS_E_PROTO;
    if (err != TAS_E_MORE)
        return TAS_E_PROTO;
    if (status.code < 200)
        return TAS_E_MORE;
    r->status = status.code;
    return settle_framing(r, &told, status.minor);
}

/* How many of `n` new bytes, the last of r->head, belong to the head that ends after `len` bytes? */
static size_t new_part(const struct tas_http_response *r, size_t len, size_t n) {
    return len - (r->head.len - n);
}

/* Collects a head from the front of `in`. TAS_E_MORE: all was taken; otherwise *used of it. */
static int take_head(struct tas_http_response *r, struct tas_bytes in, size_t *used) {
    size_t room = tas_buf_room(&r->head) - r->header_len;
    size_t n = in.len < room ? in.len : room;
    int err = tas_buf_append(&r->head, tas_bytes_of(in.ptr, n));
    if (err != TAS_OK)
        return err;
    size_t len = tas_http_head_len(tas_buf_peek(&r->head), &r->scanned);
    if (len == 0)
        return n < in.len ? TAS_E_LIMIT : TAS_E_MORE;
    *used = new_part(r, len, n);
    err = read_head(r, tas_bytes_of(tas_buf_peek(&r->head).ptr, len));
    r->header_len += len;
    r->scanned = 0;
    tas_buf_drop(&r->head, r->head.len); /* what is behind the head is still in `in` */
    tas_buf_shrink(&r->head);
    r->has_head = err == TAS_OK;
    return err;
}

/* The head, and the interim ones before it. */
static int take_heads(struct tas_http_response *r, struct tas_bytes in, size_t *used) {
    size_t at = 0;
    while (!r->has_head && at < in.len) {
        size_t n = in.len - at; /* taken, unless a head ends before */
        int err = take_head(r, tas_bytes_of(in.ptr + at, in.len - at), &n);
        if (err != TAS_OK && err != TAS_E_MORE)
            return err;
        at += n;
    }
    *used = at;
    return r->has_head ? TAS_OK : TAS_E_MORE;
}

/* ---- the body ---- */

static int append(struct tas_buf *body, struct tas_bytes bytes) {
    int err = tas_buf_append(body, bytes);
    return err == TAS_E_FULL ? TAS_E_LIMIT : err;
}

static int take_length_part(struct tas_http_response *r, struct tas_bytes in, size_t *used,
                            struct tas_buf *body) {
    size_t n = in.len < r->left ? in.len : (size_t)r->left;
    int err = append(body, tas_bytes_of(in.ptr, n));
    if (err != TAS_OK)
        return err;
    *used = n;
    r->left -= n;
    return r->left ? TAS_E_MORE : TAS_OK;
}

static int take_body(struct tas_http_response *r, struct tas_bytes in, size_t *used, struct tas_buf *body) {
    switch (r->framing) {
    case NO_BODY:
        *used = 0;
        return TAS_OK;
    case LENGTH:
        return take_length_part(r, in, used, body);
    case CHUNKED:
        return tas_http_chunks_take(&r->chunks, in, used, body);
    default:
        *used = in.len;
        int err = append(body, in);
        return err == TAS_OK ? TAS_E_MORE : err;
    }
}

int tas_http_response_feed(struct tas_http_response *r, struct tas_bytes in, size_t *used,
                           struct tas_buf *body) {
    size_t head = 0;
    r->is_begun |= in.len > 0;
    if (!r->has_head) {
        int err = take_heads(r, in, &head);
        *used = head;
        if (err != TAS_OK)
            return err;
        if (r->framing == LENGTH && r->left > body->max)
            return TAS_E_LIMIT;
    }
    size_t n = 0;
    int err = take_body(r, tas_bytes_of(in.ptr + head, in.len - head), &n, body);
    *used = head + n;
    return err;
}

bool tas_http_response_is_open_ended(const struct tas_http_response *r) {
    return r->has_head && r->framing == UNTIL_END;
}
