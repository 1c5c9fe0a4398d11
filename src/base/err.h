/* The one list of errors. Every function that can fail returns TAS_OK or one of these. */
#pragma once

#define TAS_MUST_USE        __attribute__((warn_unused_result))
#define TAS_PRINTF(fmt, va) __attribute__((format(printf, fmt, va)))

/* clang-format off */
#define TAS_ERRORS(X) \
    X(NOMEM,    -1, "out of memory") \
    X(MORE,     -2, "need more input")              /* not a fault: call again */ \
    X(PROTO,    -3, "peer broke the protocol")      /* close the connection */ \
    X(LIMIT,    -4, "larger than the agreed limit") /* close the connection */ \
    X(FULL,     -5, "no room now")                  /* backpressure: try later */ \
    X(STATE,    -6, "not allowed in this state") \
    X(AUTH,     -7, "not authenticated") \
    X(IO,       -8, "input/output error")           /* errno says which */ \
    X(RIGHT,    -9, "the customer has not allowed this") \
    X(EXPIRED, -10, "no longer valid, or not valid yet") \
    X(CLOSED,  -11, "closed by the peer") \
    X(CONFIG,  -12, "configuration is wrong")       /* the message names file and line */ \
    X(ABSENT,  -13, "not there")
/* clang-format on */

enum tas_err {
    TAS_OK = 0,
#define X(name, value, text) TAS_E_##name = value,
    TAS_ERRORS(X)
#undef X
};

/* The English text of an error, for logs. Never NULL; static. */
const char *tas_err_text(int err);

/* The short name of an error ("PROTO"), for logs and tests. Never NULL; static. */
const char *tas_err_name(int err);
