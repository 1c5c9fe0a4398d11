/* The viewer's half: the screen as it arrives, its acknowledgements, and input on its way out. */
#include "session/engine_private.h"

#include "base/utf8.h"

#include <stdlib.h>

enum { FRAME_ACK_AFTER_US = 5 * 1000 };

void viewer_fini(struct tas_session *s) {
    tas_decoder_free(s->si.decoder);
    memset(&s->si, 0, sizeof(s->si));
}

/* A frame waits to be decoded: nothing more is read until then, so that one frame at most is kept. */
bool viewer_is_blocked(const struct tas_session *s) {
    return s->si.waiting.ptr != NULL;
}

void viewer_note_screen_bytes(struct tas_session *s, size_t n, uint64_t now_us) {
    s->si.rx_bytes += n;
    s->screen_bytes += n;
    s->si.rx_us = now_us;
    if (s->si.ack_due_us == 0)
        s->si.ack_due_us = now_us + FRAME_ACK_AFTER_US;
}

static void send_frame_ack(struct tas_session *s, uint64_t now_us) {
    struct screen_in *si = &s->si;
    si->ack_due_us = 0;
    uint64_t held = now_us - si->rx_us;
    const struct tas_msg_frame_ack ack = {
        .frame = si->last_frame,
        .stream = si->stream,
        .bytes_total = si->rx_bytes,
        .hold_us = held > UINT32_MAX ? UINT32_MAX : (uint32_t)held,
        .decode_ms = si->decode_ms,
        .queue = si->waiting.ptr != NULL,
        .flags = si->needs_refresh && !si->waiting.ptr ? 1 : 0,
    };
    uint8_t body[48];
    int err = engine_send(s, TAS_MESSAGE_FRAME_ACK, TAS_CLASS_CONTROL, body,
                          tas_msg_frame_ack_encode(&ack, body, sizeof(body)));
    (void)err; /* full: the next acknowledgement says it all again */
}

void viewer_tick(struct tas_session *s, uint64_t now_us) {
    if (s->si.ack_due_us == 0 || now_us < s->si.ack_due_us)
        return;
    if (s->sealer && !s->awaits_sync && s->state != TAS_STATE_SUSPENDED)
        send_frame_ack(s, now_us);
    else
        s->si.ack_due_us = 0;
}

int viewer_send_view(struct tas_session *s) {
    uint8_t body[4];
    const struct tas_msg_view view = {.is_on = s->si.wants, .monitor = monitors_wanted(s)};
    return engine_send(s, TAS_MESSAGE_VIEW, TAS_CLASS_CONTROL, body,
                       tas_msg_view_encode(&view, body, sizeof(body)));
}

void viewer_on_resumed(struct tas_session *s) {
    s->si.needs_refresh = false; /* SYNC told the host where we are: a RESET_MODEL frame comes */
    s->si.ack_due_us = 0;
}

void tas_session_view(struct tas_session *s, bool is_on) {
    s->si.wants = is_on;
    if (tas_state_keeps_keys(s->state))
        (void)!viewer_send_view(s);
}

void tas_session_ask(struct tas_session *s, uint16_t rights) {
    uint8_t body[2];
    const struct tas_msg_ask ask = {.rights = rights};
    if (tas_state_keeps_keys(s->state))
        (void)!engine_send(s, TAS_MESSAGE_ASK, TAS_CLASS_CONTROL, body,
                           tas_msg_ask_encode(&ask, body, sizeof(body)));
}

int tas_session_send_input(struct tas_session *s, const struct tas_msg_input *input) {
    if (s->state != TAS_STATE_ACTIVE)
        return TAS_E_STATE;
    if (!(s->granted & TAS_RIGHT_CONTROL) || s->is_paused)
        return TAS_E_RIGHT;
    struct tas_msg_input in = *input;
    in.layout = s->si.layout;
    in.monitor = s->si.shown;
    in.seq = ++s->input_seq;
    uint8_t body[56];
    int err = engine_send(s, TAS_MESSAGE_INPUT, TAS_CLASS_CONTROL, body,
                          tas_msg_input_encode(&in, body, sizeof(body)));
    tas_wipe(body, sizeof(body));
    return err;
}

const struct tas_picture *tas_session_remote(const struct tas_session *s) {
    return s->si.decoder ? tas_decoder_picture(s->si.decoder) : NULL;
}

int tas_session_decode(struct tas_session *s, struct tas_tiles *changed) {
    struct screen_in *si = &s->si;
    if (!si->waiting.ptr)
        return TAS_E_ABSENT;
    int err = tas_decoder_frame(si->decoder, si->waiting, changed);
    si->waiting = (struct tas_bytes){0};
    if (err == TAS_OK) {
        si->last_frame = tas_decoder_seq(si->decoder);
        si->needs_refresh = false;
        s->frames++;
    } else {
        si->needs_refresh = true;
    }
    return err;
}

void tas_session_presented(struct tas_session *s, uint32_t decode_us, uint64_t now_us) {
    uint32_t ms = (decode_us + 500) / 1000;
    s->si.decode_ms = ms > UINT16_MAX ? UINT16_MAX : (uint16_t)ms;
    if (s->sealer && !s->awaits_sync && s->state != TAS_STATE_SUSPENDED && s->state != TAS_STATE_CLOSED)
        send_frame_ack(s, now_us);
    if (s->leg != TAS_NO_LEG)
        leg_process(s, (unsigned)s->leg, now_us);
}

/* ---- messages ---- */

static int on_screen(struct tas_session *s, struct tas_bytes body) {
    struct tas_msg_screen m;
    if (tas_msg_screen_decode(&m, body) != TAS_OK || m.codec_ver != TAS_CODEC_VERSION)
        return TAS_E_PROTO;
    tas_decoder_free(s->si.decoder);
    s->si.decoder = tas_decoder_new(&(struct tas_decoder_config){
        .width = m.width, .height = m.height, .model_bits = m.model_bits, .painter = s->cfg.painter});
    if (!s->si.decoder)
        return TAS_E_LIMIT;
    s->si.width = m.width;
    s->si.height = m.height;
    s->si.layout = m.layout;
    s->si.last_frame = 0;
    monitors_on_screen(s);
    struct tas_event *ev = engine_event(s, TAS_EVENT_SCREEN, (struct tas_bytes){0});
    if (ev) {
        ev->width = m.width;
        ev->height = m.height;
    }
    return TAS_OK;
}

/* The event keeps a copy of the bytes until the frame is decoded or passed over. */
static int on_frame(struct tas_session *s, struct tas_bytes body) {
    struct screen_in *si = &s->si;
    struct tas_frame_head head;
    if (!si->decoder || body.len == 0 || tas_frame_head_decode(&head, body) != TAS_OK)
        return TAS_E_PROTO;
    if (head.is_start)
        si->stream = head.stream;
    struct tas_event *ev = engine_event(s, TAS_EVENT_FRAME, body);
    if (!ev)
        return TAS_E_NOMEM;
    si->waiting = ev->data;
    return TAS_OK;
}

static int on_cursor_pos(struct tas_session *s, struct tas_bytes body) {
    struct tas_msg_cursor_pos pos;
    if (tas_msg_cursor_pos_decode(&pos, body) != TAS_OK)
        return TAS_E_PROTO;
    struct tas_event *ev = engine_event(s, TAS_EVENT_CURSOR_POS, (struct tas_bytes){0});
    if (ev) {
        ev->x = pos.x;
        ev->y = pos.y;
        ev->number = pos.image;
    }
    return TAS_OK;
}

static int on_cursor_image(struct tas_session *s, struct tas_bytes body) {
    struct tas_msg_cursor_image image;
    if (tas_msg_cursor_image_decode(&image, body) != TAS_OK || image.image == 0)
        return TAS_E_PROTO;
    if (image.rgba.len != (size_t)image.width * image.height * 4 || image.width > 256 || image.height > 256)
        return TAS_E_PROTO;
    struct tas_event *ev = engine_event(s, TAS_EVENT_CURSOR_IMAGE, image.rgba);
    if (ev) {
        ev->cursor = image;
        ev->cursor.rgba = ev->data;
    }
    return TAS_OK;
}

/* Without the right it is dropped, not an offence: what takes the right back may overtake it. */
static int on_device(struct tas_session *s, struct tas_bytes body) {
    struct tas_msg_device device;
    if (tas_msg_device_decode(&device, body) != TAS_OK || !tas_utf8_is_valid(device.json))
        return TAS_E_PROTO;
    if (!(s->granted & TAS_RIGHT_DEVICE))
        return TAS_OK;
    return engine_event(s, TAS_EVENT_DEVICE, device.json) ? TAS_OK : TAS_E_NOMEM;
}

static int on_grants(struct tas_session *s, struct tas_bytes body, uint64_t now_us) {
    struct tas_msg_grants grants;
    if (s->state != TAS_STATE_VERIFIED && s->state != TAS_STATE_ACTIVE)
        return TAS_E_PROTO;
    if (tas_msg_grants_decode(&grants, body) != TAS_OK || grants.is_paused > 1)
        return TAS_E_PROTO;
    bool could_see = s->granted & TAS_RIGHT_SEE && !s->is_paused;
    s->granted = grants.rights;
    s->is_paused = grants.is_paused;
    engine_move(s, TAS_ON_GRANTED, now_us);
    struct tas_event *ev = engine_event(s, TAS_EVENT_GRANTS, (struct tas_bytes){0});
    if (ev) {
        ev->number = grants.rights;
        ev->flag = grants.is_paused;
    }
    bool can_see = grants.rights & TAS_RIGHT_SEE && !grants.is_paused;
    return can_see && !could_see && s->si.wants ? viewer_send_view(s) : TAS_OK;
}

int viewer_on_message(struct tas_session *s, const struct tas_incoming *m, uint64_t now_us) {
    /* Until the check code is right this is somebody unknown: no picture of his is shown. */
    bool is_verified = s->state == TAS_STATE_VERIFIED || s->state == TAS_STATE_ACTIVE;
    if (!is_verified && m->type != TAS_MESSAGE_VERIFIED)
        return TAS_E_PROTO;
    switch (m->type) {
    case TAS_MESSAGE_VERIFIED:
        return secure_on_verified(s, m->body, now_us);
    case TAS_MESSAGE_GRANTS:
        return on_grants(s, m->body, now_us);
    case TAS_MESSAGE_SCREEN:
        return on_screen(s, m->body);
    case TAS_MESSAGE_FRAME:
        return on_frame(s, m->body);
    case TAS_MESSAGE_CURSOR_POS:
        return on_cursor_pos(s, m->body);
    case TAS_MESSAGE_CURSOR_IMAGE:
        return on_cursor_image(s, m->body);
    case TAS_MESSAGE_DEVICE:
        return on_device(s, m->body);
    case TAS_MESSAGE_MONITORS:
        return monitors_on_message(s, m->body);
    default:
        return TAS_E_PROTO; /* what only a viewer may say */
    }
}
