/* The host's half: what the viewer may do here, and the screen on its way out. */
#include "session/engine_private.h"

#include "base/utf8.h"

#include <assert.h>
#include <stdlib.h>

/* CURSOR_EDGE_MAX squared, four bytes each, still fits into a CURSOR_IMAGE. */
enum { CURSOR_EDGE_MAX = 255, DEVICE_MAX = 15 * 1024 };

/* ---- rights ---- */

/* What is allowed now: the customer's grants within the ticket and the operator's statement. */
static uint16_t rights_now(const struct tas_session *s) {
    bool is_verified = s->state == TAS_STATE_VERIFIED || s->state == TAS_STATE_ACTIVE;
    if (!is_verified || s->is_paused)
        return 0;
    return s->granted & s->ticket.perms & s->peer.perms;
}

void host_tell_grants(struct tas_session *s) {
    if (s->state != TAS_STATE_VERIFIED && s->state != TAS_STATE_ACTIVE)
        return;
    uint8_t body[4];
    const struct tas_msg_grants grants = {.rights = s->granted & s->ticket.perms & s->peer.perms,
                                          .is_paused = s->is_paused};
    if (engine_send(s, TAS_MESSAGE_GRANTS, TAS_CLASS_CONTROL, body,
                    tas_msg_grants_encode(&grants, body, sizeof(body))) == TAS_OK)
        engine_move(s, TAS_ON_GRANTED, s->state_since_us);
}

/* Class 2 leaves only while the viewer may see and wants to: what a pause finds half sent waits for its end.
 */
bool host_may_show(const struct tas_session *s) {
    return s->so.is_wanted && rights_now(s) & TAS_RIGHT_SEE;
}

bool host_may_be_seen(const struct tas_session *s) {
    return (rights_now(s) & TAS_RIGHT_SEE) != 0;
}

static void rights_changed(struct tas_session *s, uint16_t before) {
    if ((before & TAS_RIGHT_CONTROL) && !(rights_now(s) & TAS_RIGHT_CONTROL))
        engine_event(s, TAS_EVENT_RELEASE_KEYS, (struct tas_bytes){0});
    host_tell_grants(s);
}

void tas_session_grant(struct tas_session *s, uint16_t rights) {
    uint16_t before = rights_now(s);
    s->granted = rights;
    rights_changed(s, before);
}

/* A renewed ticket may allow less. */
void host_perms_changed(struct tas_session *s, uint16_t perms_before) {
    uint16_t perms = s->ticket.perms;
    s->ticket.perms = perms_before;
    uint16_t before = rights_now(s);
    s->ticket.perms = perms;
    if (perms != perms_before)
        rights_changed(s, before);
}

void tas_session_pause(struct tas_session *s, bool is_paused) {
    uint16_t before = rights_now(s);
    s->is_paused = is_paused;
    rights_changed(s, before);
}

int tas_session_device(struct tas_session *s, struct tas_bytes json) {
    if (!(rights_now(s) & TAS_RIGHT_DEVICE))
        return TAS_E_RIGHT;
    if (json.len > DEVICE_MAX)
        return TAS_E_LIMIT;
    if (!tas_utf8_is_valid(json))
        return TAS_E_PROTO;
    uint8_t body[DEVICE_MAX];
    const struct tas_msg_device device = {.json = json};
    int err = engine_send(s, TAS_MESSAGE_DEVICE, TAS_CLASS_SMALL, body,
                          tas_msg_device_encode(&device, body, sizeof(body)));
    tas_wipe(body, sizeof(body));
    return err;
}

void host_fini(struct tas_session *s) {
    screen_fini(s);
    free(s->so.cursor_rgba);
    memset(&s->so, 0, sizeof(s->so));
}

/* ---- the pointer ---- */

static void send_cursor_image(struct tas_session *s) {
    const struct tas_msg_cursor_image *c = &s->so.cursor;
    size_t cap = 12 + c->rgba.len;
    uint8_t *body = malloc(cap);
    if (body && engine_send(s, TAS_MESSAGE_CURSOR_IMAGE, TAS_CLASS_SMALL, body,
                            tas_msg_cursor_image_encode(c, body, cap)) == TAS_OK)
        s->so.cursor_image = c->image;
    free(body);
}

/* The pointer is part of what may be seen. */
static void send_cursor(struct tas_session *s) {
    struct screen_out *so = &s->so;
    if (!so->has_cursor || !host_may_show(s) || s->awaits_sync)
        return;
    if (so->cursor.image && so->cursor_image != so->cursor.image)
        send_cursor_image(s);
    so->cursor_is_due = tas_channels_waits(&s->ch, 3);
    if (so->cursor_is_due)
        return; /* behind the image, or the line is slow: the newest position goes when the queue is empty */
    uint8_t body[12];
    const struct tas_msg_cursor_pos pos = {.layout = so->layout,
                                           .x = (uint16_t)so->cursor_x,
                                           .y = (uint16_t)so->cursor_y,
                                           .image = so->cursor.image};
    int err = engine_send(s, TAS_MESSAGE_CURSOR_POS, TAS_CLASS_CONTROL, body,
                          tas_msg_cursor_pos_encode(&pos, body, sizeof(body)));
    (void)err; /* full: the next movement says it again */
}

/* Before the next record is chosen: is the way free for a position that had to wait? */
void host_before_fill(struct tas_session *s) {
    monitors_tell(s);
    if (s->so.cursor_is_due && !tas_channels_waits(&s->ch, 3))
        send_cursor(s);
}

/* Any program may give the pointer any size: what does not fit into a message is cut off. */
static bool keep_cursor(struct screen_out *so, const struct tas_msg_cursor_image *image) {
    size_t from_row = (size_t)image->width * 4;
    size_t row = image->width < CURSOR_EDGE_MAX ? from_row : CURSOR_EDGE_MAX * 4;
    size_t rows = from_row ? image->rgba.len / from_row : 0;
    rows = rows < image->height ? rows : image->height;
    rows = rows < CURSOR_EDGE_MAX ? rows : CURSOR_EDGE_MAX;
    uint8_t *copy = malloc(rows * row + 1);
    if (!copy)
        return false;
    for (size_t y = 0; y < rows; y++)
        memcpy(copy + y * row, image->rgba.ptr + y * from_row, row);
    free(so->cursor_rgba);
    so->cursor_rgba = copy;
    so->cursor = *image;
    so->cursor.width = (uint16_t)(row / 4);
    so->cursor.height = (uint16_t)rows;
    so->cursor.rgba = tas_bytes_of(copy, rows * row);
    if (rows == 0)
        so->cursor.image = 0; /* nothing to show */
    so->has_cursor = true;
    return true;
}

void tas_session_cursor(struct tas_session *s, uint32_t x, uint32_t y,
                        const struct tas_msg_cursor_image *image) {
    struct screen_out *so = &s->so;
    bool moved = !so->has_cursor || so->cursor_x != x || so->cursor_y != y;
    so->cursor_x = x;
    so->cursor_y = y;
    if (image && !keep_cursor(so, image))
        return;
    if (moved || image)
        send_cursor(s);
}

/* What the viewer does not have goes out again; when it never saw this stream, all of it and its SCREEN. */
int host_on_resumed(struct tas_session *s, const struct tas_msg_sync *sync) {
    host_tell_grants(s); /* they may have changed meanwhile */
    s->so.cursor_image = 0;
    if (!s->so.encoder || !s->so.is_wanted)
        return TAS_OK;
    int err = TAS_OK;
    if (sync->stream == s->so.stream)
        screen_frames_lost(s, sync->last_frame);
    else
        err = screen_start(s);
    send_cursor(s);
    return err;
}

/* ---- messages ---- */

static int on_view(struct tas_session *s, struct tas_bytes body) {
    struct tas_msg_view view;
    if (tas_msg_view_decode(&view, body) != TAS_OK || view.is_on > 1 || !monitors_may_be_wanted(view.monitor))
        return TAS_E_PROTO;
    if (view.is_on && !(rights_now(s) & TAS_RIGHT_SEE)) {
        engine_refused(s, "the screen was asked for without the right to see it");
        return TAS_OK;
    }
    bool starts = view.is_on && !s->so.is_wanted;
    s->so.is_wanted = view.is_on;
    struct tas_event *ev = engine_event(s, TAS_EVENT_VIEW, (struct tas_bytes){0});
    if (ev) {
        ev->flag = view.is_on;
        ev->number = view.monitor;
    }
    if (!starts || !s->so.encoder)
        return TAS_OK;
    int err = TAS_OK;
    if (s->so.is_first) { /* of this stream the viewer knows nothing yet */
        tas_channels_forget(&s->ch, 2);
        err = screen_tell(s);
    } else {
        uint64_t last_reset = s->so.reset_us;
        screen_frames_lost(s, 0);
        s->so.reset_us = last_reset; /* asking often does not help: one repaint in two seconds */
    }
    s->so.cursor_image = 0;
    if (err == TAS_OK)
        send_cursor(s);
    return err;
}

static int on_input(struct tas_session *s, struct tas_bytes body) {
    struct tas_msg_input in;
    if (tas_msg_input_decode(&in, body) != TAS_OK)
        return TAS_E_PROTO;
    bool is_sound = in.kind >= 1 && in.kind <= 4 && in.is_down <= 1 &&
                    (in.kind != 4 || (in.n_text >= 1 && in.n_text <= 6));
    if (!is_sound)
        return TAS_E_PROTO;
    if (!(rights_now(s) & TAS_RIGHT_CONTROL)) {
        engine_refused(s, "input without the right to control");
        return TAS_OK;
    }
    bool has_place = in.kind == 2 || in.kind == 3;
    bool is_stale = in.layout != s->so.layout || in.monitor != s->so.monitors.shown;
    if (has_place && (is_stale || in.x >= s->so.width || in.y >= s->so.height))
        return TAS_OK; /* aimed at a screen that has changed meanwhile */
    if (has_place)
        s->so.budget.focus_y = in.y;
    struct tas_event *ev = engine_event(s, TAS_EVENT_INPUT, (struct tas_bytes){0});
    if (ev)
        ev->input = in;
    return TAS_OK;
}

static int on_ask(struct tas_session *s, struct tas_bytes body) {
    struct tas_msg_ask ask;
    if (tas_msg_ask_decode(&ask, body) != TAS_OK)
        return TAS_E_PROTO;
    struct tas_event *ev = engine_event(s, TAS_EVENT_ASKED, (struct tas_bytes){0});
    if (ev)
        ev->number = ask.rights & s->ticket.perms & s->peer.perms;
    return TAS_OK;
}

int host_on_message(struct tas_session *s, const struct tas_incoming *m, uint64_t now_us) {
    if (m->type == TAS_MESSAGE_VERIFY)
        return secure_on_verify(s, m->body, now_us);
    if (m->type == TAS_MESSAGE_FRAME_ACK)
        return screen_on_ack(s, m->body, now_us);
    /* Before VERIFIED only chat is taken; that was dealt with in the engine. Here the rights decide. */
    switch (m->type) {
    case TAS_MESSAGE_VIEW:
        return on_view(s, m->body);
    case TAS_MESSAGE_INPUT:
        return on_input(s, m->body);
    case TAS_MESSAGE_ASK:
        if (s->state == TAS_STATE_KEYED) {
            engine_refused(s, "rights were asked for before the check code");
            return TAS_OK;
        }
        return on_ask(s, m->body);
    default:
        return TAS_E_PROTO; /* what only a host may say */
    }
}
