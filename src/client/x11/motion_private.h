/* Being woken by the pointer's next move, by XInput 2: raw motions come from every device, whoever grabs it,
 * and from XTEST; not from XWarpPointer. They are awaited only while the pointer rests, for a good mouse
 * sends a thousand a second. */
#pragma once

#include "client/x11/conn_private.h"

struct tas_x11_motion {
    uint8_t opcode; /* of XInput; 0: the server cannot tell */
    bool is_awaited;
};

/* Round trips. */
void tas_x11_motion_init(struct tas_x11_motion *motion, struct tas_x11_conn *conn);

/* TAS_E_ABSENT: the server cannot tell. */
TAS_MUST_USE int tas_x11_motion_await(struct tas_x11_motion *motion, struct tas_x11_conn *conn);

/* For each event; true: it is the move that was awaited, and no further one is. */
bool tas_x11_motion_on_event(struct tas_x11_motion *motion, struct tas_x11_conn *conn,
                             const xcb_generic_event_t *event);
