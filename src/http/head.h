/* What an HTTP/1.1 peer writes, read strictly (RFC 9112): heads, targets, hosts, chunked bodies. (What a
 * client makes of a whole answer: response.h.) Bytes in,
 * values out: no I/O, no allocation. HTTP/2 uses the parts that both have. */
#pragma once

#include "base/buf.h"

enum {
    TAS_HTTP_HEAD_MAX = 8192, /* request line and all header lines */
    TAS_HTTP_PATH_MAX = 2048, /* as it came */
    TAS_HTTP_HOST_MAX = 255,
};

/* How long is the head at the front of `in`, with its empty line? 0: it is not whole yet. `scanned` remembers
 * how far was searched; 0 at the beginning. A head that ends in bare line feeds counts as whole, so that the
 * parser can refuse it. */
size_t tas_http_head_len(struct tas_bytes in, size_t *scanned);

struct tas_http_line {
    struct tas_bytes method, target;
    unsigned minor; /* HTTP/1.minor: 0 or 1 */
};

/* Takes the request line from the front of a whole head. TAS_E_PROTO. */
TAS_MUST_USE int tas_http_line_take(struct tas_reader *head, struct tas_http_line *out);

struct tas_http_status {
    unsigned code;  /* 100 to 999 */
    unsigned minor; /* HTTP/1.minor: 0 or 1 */
};

/* Takes the status line from the front of a whole head. TAS_E_PROTO. */
TAS_MUST_USE int tas_http_status_take(struct tas_reader *head, struct tas_http_status *out);

/* Takes the next header: name as it came, value without space around. TAS_E_MORE: that was the last one;
 * TAS_E_PROTO: folded, bare CR or LF, control characters, space before the colon. */
TAS_MUST_USE int tas_http_field_take(struct tas_reader *head, struct tas_bytes *name,
                                     struct tas_bytes *value);

/* Is `text` the name `lower`, in whatever case? */
bool tas_http_is_named(struct tas_bytes text, const char *lower);

/* Is the word `lower` in a list such as "keep-alive, Upgrade"? */
bool tas_http_list_has(struct tas_bytes list, const char *lower);

/* Exactly decimal digits, at most 15. TAS_E_PROTO. */
TAS_MUST_USE int tas_http_length_parse(struct tas_bytes text, uint64_t *out);

/* Splits a target in origin form into a decoded path and its query as it came, both as C texts in `mem` (at
 * least target.len + 2 bytes). TAS_E_PROTO: no leading '/', a broken escape, a segment "." or "..", an
 * escaped '/', control characters, not UTF-8; TAS_E_LIMIT: the path is longer than TAS_HTTP_PATH_MAX. */
TAS_MUST_USE int tas_http_target_parse(struct tas_bytes target, char *mem, const char **path,
                                       const char **query);

/* "host", "host:port", "[v6]" or "[v6]:port": is it one, and how long is the part before the port? 0: it is
 * not. */
size_t tas_http_host_len(struct tas_bytes host);

/* A chunked body. */
struct tas_http_chunks {
    int state;
    uint64_t left;     /* of the present chunk */
    unsigned line_len; /* of the present line */
    unsigned trailer_len;
};

/* Decodes from `in` to the end of `body`; how much of `in` was used goes to `used`. TAS_OK: the body is
 * whole; TAS_E_MORE; TAS_E_PROTO; TAS_E_LIMIT: larger than `body` may be; TAS_E_NOMEM. */
TAS_MUST_USE int tas_http_chunks_take(struct tas_http_chunks *chunks, struct tas_bytes in, size_t *used,
                                      struct tas_buf *body);
