/* The states of one end of a session and the edges between them (docs/protocol.md section 7), as data. */
#pragma once

#include "base/err.h"

#include <stdbool.h>

/* clang-format off */
#define TAS_STATES(X) \
    X(DIAL)       /* connecting, TLS */ \
    X(HELLO)      /* HELLO sent */ \
    X(PROOF)      /* proof sent */ \
    X(WAIT_PEER)  /* joined, the other end is not there */ \
    X(H1)         /* host: waits for H1 */ \
    X(H2)         /* viewer: H1 sent */ \
    X(H3)         /* host: H2 sent */ \
    X(AUTH)       /* keys there, the other end not known yet */ \
    X(KEYED)      /* known by statement, check code open */ \
    X(VERIFIED)   /* check code right */ \
    X(ACTIVE)     /* rights told */ \
    X(SUSPENDED)  /* line lost, keys kept */ \
    X(CLOSED)

#define TAS_STATE_EVENTS(X) \
    X(SECURED) X(CHALLENGED) X(WELCOMED) X(AWAIT_H1) X(AWAIT_H2) X(GOT_H1) X(GOT_H2) X(GOT_H3) X(AUTHENTICATED) \
    X(CODE_RIGHT) X(GRANTED) X(SOCKET_LOST) X(PEER_LOST) X(RESUMED_KEYED) X(RESUMED_VERIFIED) X(RESUMED_ACTIVE) \
    X(CLOSE)
/* clang-format on */

enum tas_state {
#define X(name) TAS_STATE_##name,
    TAS_STATES(X)
#undef X
        TAS_STATE_COUNT,
};

enum tas_state_event {
#define X(name) TAS_ON_##name,
    TAS_STATE_EVENTS(X)
#undef X
        TAS_ON_COUNT,
};

/* Where `event` leads from `from`. TAS_E_STATE: there is no such edge; `out` is untouched. */
TAS_MUST_USE int tas_state_next(enum tas_state *out, enum tas_state from, enum tas_state_event event);

/* From KEYED on the keys survive a lost line. */
bool tas_state_keeps_keys(enum tas_state state);

/* "WAIT_PEER". Static. */
const char *tas_state_name(enum tas_state state);
const char *tas_state_event_name(enum tas_state_event event);
