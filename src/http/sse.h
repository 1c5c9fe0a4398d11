/* The lines of an event stream (Server-Sent Events,
 * https://html.spec.whatwg.org/multipage/server-sent-events.html section "Interpreting an event stream"):
 * bytes in, events out. No I/O. */
#pragma once

#include "base/buf.h"

enum {
    TAS_SSE_EVENT_MAX = 1024 * 1024, /* bytes of an event's data, and of one line */
    TAS_SSE_NAME_MAX = 127,          /* bytes of an event's name or id */
};

struct tas_sse {
    /* The event that tas_sse_feed() just gave; good until the next call. */
    char event[TAS_SSE_NAME_MAX + 1]; /* "message" when the stream gave none */
    char id[TAS_SSE_NAME_MAX + 1];    /* "" when the event has none */
    const char *text;                 /* its data; lines are joined by line feeds */

    /* the parser's own */
    struct tas_buf line; /* not whole yet */
    struct tas_buf data;
    bool is_given;    /* the last call gave an event: forget it first */
    bool is_after_cr; /* a line feed that follows belongs to the same line end */
    bool has_line;    /* a line was seen: a byte order mark no longer means anything */
};

void tas_sse_init(struct tas_sse *sse);
void tas_sse_fini(struct tas_sse *sse);

/* Takes bytes up to the end of an event. TAS_OK: an event is there, and the first *used bytes were taken:
 * call again with the rest. TAS_E_MORE: all were taken, none is whole. Other than in the standard, which asks
 * for leniency towards any server, ours is refused when it breaks the form: TAS_E_LIMIT: data, line, name or
 * id too long; TAS_E_PROTO: a zero byte. TAS_E_NOMEM. After those three nothing more may be fed. */
TAS_MUST_USE int tas_sse_feed(struct tas_sse *sse, struct tas_bytes bytes, size_t *used);
