/* Requests and replies as routes see them, whichever server or protocol version carries them. No I/O here. */
#pragma once

#include "base/buf.h"
#include "base/json.h"

enum {
    TAS_HTTP_PARAMS = 4,
    TAS_HTTP_PARAM_MAX = 64,
    TAS_HTTP_BODY_MAX = 4 * 1024 * 1024,
    TAS_HTTP_HEADERS = 8
};

/* All of it borrowed during the call; texts are never NULL. */
struct tas_http_request {
    const char *method; /* "GET", also for HEAD */
    const char *path;   /* percent-decoded, without query; no "..", no NUL */
    const char *query;  /* as it came, without '?' */
    const char *params[TAS_HTTP_PARAMS];
    struct tas_bytes body;
    const char *host, *authorization, *content_type, *if_none_match, *if_modified_since, *range,
        *accept_language, *origin, *cookie, *user_agent;
    const char *peer_name; /* of a client certificate: its first DNS name (subjectAltName); "" none */
    uint8_t source[16];    /* the peer's address, v4 as ::ffff:a.b.c.d */
    bool is_http2;
    void *thread; /* of the lane */
};

/* The value of `name` in the query, percent-decoded, into `out`. False: absent, too long or badly encoded. */
bool tas_http_query(const struct tas_http_request *req, const char *name, char *out, size_t cap);

struct tas_http_reply {
    unsigned status;          /* 200 until changed */
    const char *content_type; /* static; "application/json" until changed */
    struct tas_buf body;      /* up to TAS_HTTP_BODY_MAX bytes */
    struct {
        const char *name; /* static, lower case with ':' at the end, "etag:" */
        char value[256];
    } headers[TAS_HTTP_HEADERS];
    size_t n_headers;

    /* The body comes from a file instead: owned by the reply from then on. -1: no. */
    int file_fd;
    uint64_t file_offset, file_len;

    /* An event stream: status 200, fn has only said who may listen to what. Then the route's fill() runs,
     * then events come by tas_http_publish(). 0: not a stream. */
    uint64_t topic;
};

/* As a route finds it. Called by servers and tests. */
void tas_http_reply_init(struct tas_http_reply *reply);
void tas_http_reply_fini(struct tas_http_reply *reply);

/* A header beside those that the server adds itself (content-type, content-length, date,
 * strict-transport-security, x-content-type-options, cache-control: no-store unless set). Line breaks in
 * value are refused (left out). */
void tas_http_header(struct tas_http_reply *reply, const char *name, const char *fmt, ...) TAS_PRINTF(3, 4);

/* printf at the end of a reply's body; what does not fit is left out. */
void tas_http_printf(struct tas_http_reply *reply, const char *fmt, ...) TAS_PRINTF(2, 3);

/* The body is this value; takes it (NULL: 500). */
void tas_http_json(struct tas_http_reply *reply, unsigned status, struct tas_json *json);

/* RFC 9457: {"type":"about:blank","title":...,"status":...,"code":...,"detail":...} as
 * application/problem+json. code: for programs, "number_unknown"; detail: for people, what is wrong and what
 * to do. Replaces a body that is there. */
void tas_http_problem(struct tas_http_reply *reply, unsigned status, const char *code, const char *detail);

/* Appends one event to a stream's first body. */
void tas_http_event(struct tas_http_reply *reply, uint64_t id, const char *event, const char *data);

/* One figure in Prometheus' text format, "tasuki_PROGRAM_NAME". kind: "counter" or "gauge". */
void tas_http_metric(struct tas_http_reply *reply, const char *program, const char *name, const char *kind,
                     const char *help, int64_t value);

/* The standard reason phrase of a status. Static. */
const char *tas_http_status_text(unsigned status);
