#include "session/state.h"

#include <stddef.h>

/* CLOSE ends it from anywhere and stands in tas_state_next(); all else is here. */
static const struct {
    enum tas_state from;
    enum tas_state_event on;
    enum tas_state to;
} edges[] = {
#define ON(from, event, to)                                                                                  \
    { TAS_STATE_##from, TAS_ON_##event, TAS_STATE_##to }
    ON(DIAL, SECURED, HELLO),
    ON(HELLO, CHALLENGED, PROOF),
    ON(PROOF, WELCOMED, WAIT_PEER),
    ON(WAIT_PEER, AWAIT_H1, H1),
    ON(WAIT_PEER, AWAIT_H2, H2),
    ON(H1, GOT_H1, H3),
    ON(H3, GOT_H1, H3),   /* the viewer starts anew: one more attempt, counted */
    ON(AUTH, GOT_H1, H3), /* likewise, as long as no code was shown */
    ON(H2, GOT_H2, AUTH),
    ON(H3, GOT_H3, AUTH),
    ON(AUTH, AUTHENTICATED, KEYED),
    ON(H1, AUTHENTICATED,
       KEYED), /* host: by the viewer's resume, when the line was lost at that very moment */
    ON(KEYED, CODE_RIGHT, VERIFIED),
    ON(VERIFIED, GRANTED, ACTIVE),
    ON(ACTIVE, GRANTED, ACTIVE),

    ON(DIAL, SOCKET_LOST, DIAL),
    ON(HELLO, SOCKET_LOST, DIAL),
    ON(PROOF, SOCKET_LOST, DIAL),
    ON(WAIT_PEER, SOCKET_LOST, DIAL),
    ON(H1, SOCKET_LOST, DIAL),
    ON(H2, SOCKET_LOST, DIAL),
    ON(H3, SOCKET_LOST, DIAL),
    ON(AUTH, SOCKET_LOST, DIAL),
    ON(KEYED, SOCKET_LOST, SUSPENDED),
    ON(VERIFIED, SOCKET_LOST, SUSPENDED),
    ON(ACTIVE, SOCKET_LOST, SUSPENDED),
    ON(SUSPENDED, SOCKET_LOST, SUSPENDED),
    ON(CLOSED, SOCKET_LOST, CLOSED),

    ON(H1, PEER_LOST, WAIT_PEER),
    ON(H2, PEER_LOST, WAIT_PEER),
    ON(H3, PEER_LOST, WAIT_PEER),
    ON(AUTH, PEER_LOST, WAIT_PEER),
    ON(KEYED, PEER_LOST, SUSPENDED),
    ON(VERIFIED, PEER_LOST, SUSPENDED),
    ON(ACTIVE, PEER_LOST, SUSPENDED),
    ON(SUSPENDED, PEER_LOST, SUSPENDED),

    ON(SUSPENDED, RESUMED_KEYED, KEYED),
    ON(SUSPENDED, RESUMED_VERIFIED, VERIFIED),
    ON(SUSPENDED, RESUMED_ACTIVE, ACTIVE),
#undef ON
};

int tas_state_next(enum tas_state *out, enum tas_state from, enum tas_state_event event) {
    if (event == TAS_ON_CLOSE) {
        *out = TAS_STATE_CLOSED;
        return TAS_OK;
    }
    for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
        if (edges[i].from == from && edges[i].on == event) {
            *out = edges[i].to;
            return TAS_OK;
        }
    }
    return TAS_E_STATE;
}

bool tas_state_keeps_keys(enum tas_state state) {
    return state == TAS_STATE_KEYED || state == TAS_STATE_VERIFIED || state == TAS_STATE_ACTIVE ||
           state == TAS_STATE_SUSPENDED;
}

const char *tas_state_name(enum tas_state state) {
    static const char *const names[] = {
#define X(name) #name,
        TAS_STATES(X)
#undef X
    };
    return (unsigned)state < TAS_STATE_COUNT ? names[state] : "unknown";
}

const char *tas_state_event_name(enum tas_state_event event) {
    static const char *const names[] = {
#define X(name) #name,
        TAS_STATE_EVENTS(X)
#undef X
    };
    return (unsigned)event < TAS_ON_COUNT ? names[event] : "unknown";
}
