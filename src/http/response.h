/* An answer as it comes to a client (RFC 9112): bytes in, status, a few headers and the body out. No I/O. */
#pragma once

#include "http/head.h"

enum {
    TAS_HTTP_HEADERS_MAX = 64 * 1024, /* bytes of an answer's head, with those of interim answers before it */
    TAS_HTTP_TYPE_MAX = 255,
};

struct tas_http_response {
    /* Good once has_head. */
    bool has_head;
    unsigned status;
    char content_type[TAS_HTTP_TYPE_MAX + 1]; /* "" none, or longer than that */
    int retry_after_s;                        /* -1: not told, or not in seconds */
    bool is_kept;                             /* another answer may follow on the connection */
    bool is_begun;                            /* at least a byte of it came */

    /* the parser's own */
    int framing;
    bool is_of_head; /* the request was HEAD */
    uint64_t left;   /* of a body whose length was told */
    struct tas_http_chunks chunks;
    struct tas_buf head;
    size_t scanned, header_len;
};

/* is_of_head: the request's method was HEAD, whose answers have no body. */
void tas_http_response_init(struct tas_http_response *response, bool is_of_head);
void tas_http_response_fini(struct tas_http_response *response);

/* Takes bytes; what belongs to the body goes to the end of `body`. TAS_OK: the answer is whole, and *used of
 * the bytes belong to it. TAS_E_MORE: all were taken. TAS_E_PROTO: that is no answer; TAS_E_LIMIT: its head
 * is too large, or its body (or what is told of its length) larger than `body` may be; TAS_E_NOMEM. After
 * those nothing more may be fed. */
TAS_MUST_USE int tas_http_response_feed(struct tas_http_response *response, struct tas_bytes in, size_t *used,
                                        struct tas_buf *body);

/* Is the answer one that the end of the connection makes whole? */
bool tas_http_response_is_open_ended(const struct tas_http_response *response);
