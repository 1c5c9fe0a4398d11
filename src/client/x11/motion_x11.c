#include "client/x11/motion_private.h"

#include <stdlib.h>
#include <xcb/xinput.h>

/* Before 2.1 raw events went to nobody while a device was grabbed. */
static bool is_new_enough(struct tas_x11_conn *conn) {
    xcb_input_xi_query_version_reply_t *reply =
        xcb_input_xi_query_version_reply(conn->xcb, xcb_input_xi_query_version(conn->xcb, 2, 2), NULL);
    bool is_enough =
        reply && (reply->major_version > 2 || (reply->major_version == 2 && reply->minor_version >= 1));
    free(reply);
    return is_enough;
}

void tas_x11_motion_init(struct tas_x11_motion *motion, struct tas_x11_conn *conn) {
    const xcb_query_extension_reply_t *input = xcb_get_extension_data(conn->xcb, &xcb_input_id);
    *motion = (struct tas_x11_motion){0};
    if (input && input->present && is_new_enough(conn))
        motion->opcode = input->major_opcode;
}

/* Master devices: each of their moves is one event, whichever device it came from. */
static void select_motion(struct tas_x11_conn *conn, bool is_on) {
    const struct {
        xcb_input_event_mask_t head;
        uint32_t mask;
    } wanted = {
        .head = {.deviceid = XCB_INPUT_DEVICE_ALL_MASTER, .mask_len = 1},
        .mask = is_on ? XCB_INPUT_XI_EVENT_MASK_RAW_MOTION : 0,
    };
    xcb_input_xi_select_events(conn->xcb, conn->screen->root, 1, &wanted.head);
}

int tas_x11_motion_await(struct tas_x11_motion *motion, struct tas_x11_conn *conn) {
    if (motion->opcode == 0)
        return TAS_E_ABSENT;
    if (motion->is_awaited)
        return TAS_OK;
    motion->is_awaited = true;
    select_motion(conn, true);
    return TAS_OK;
}

bool tas_x11_motion_on_event(struct tas_x11_motion *motion, struct tas_x11_conn *conn,
                             const xcb_generic_event_t *event) {
    const xcb_ge_generic_event_t *e = (const void *)event;
    bool is_move = (event->response_type & 0x7f) == XCB_GE_GENERIC && motion->opcode != 0 &&
                   e->extension == motion->opcode && e->event_type == XCB_INPUT_RAW_MOTION;
    if (!is_move || !motion->is_awaited)
        return false; /* some more were on their way */
    motion->is_awaited = false;
    select_motion(conn, false);
    return true;
}
