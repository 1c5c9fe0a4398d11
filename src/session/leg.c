/* One relay connection: HELLO, CHALLENGE, PROOF, WELCOME, keep-alive (docs/protocol.md section 2). */
#include "session/engine_private.h"

#include <assert.h>

enum {
    IN_MAX = 64 * 1024,
    OUT_MAX = 128 * 1024,
};

static struct tas_bytes encoded(const uint8_t *buf, int len) {
    assert(len >= 0);
    return tas_bytes_of(buf, (size_t)len);
}

void leg_put(struct leg *leg, uint8_t type, uint8_t pf, uint16_t route, struct tas_bytes payload) {
    uint8_t *out = tas_buf_reserve(&leg->out, TAS_RECORD_HEAD + payload.len);
    if (!out)
        return; /* only small L1 records come here; what is missing then, a time limit notices */
    tas_record_head_encode(out, type, pf, route, payload.len);
    if (payload.len)
        memcpy(out + TAS_RECORD_HEAD, payload.ptr, payload.len);
    tas_buf_commit(&leg->out, TAS_RECORD_HEAD + payload.len);
}

bool leg_is_matched(const struct leg *leg) {
    return leg->state == LEG_JOINED && leg->peer_state == TAS_PEER_JOINED;
}

void leg_dial(struct tas_session *s, unsigned i, uint32_t relay_id, uint64_t now_us) {
    struct leg *leg = &s->legs[i];
    assert(leg->state == LEG_FREE);
    tas_buf_init(&leg->in, IN_MAX);
    tas_buf_init(&leg->out, OUT_MAX);
    leg->state = LEG_DIALING;
    leg->relay_id = relay_id;
    leg->since_us = now_us;
    leg->last_rx_us = now_us;
    leg->last_tx_us = now_us;
    leg->last_ping_us = now_us;
    leg->peer_state = 0;
    leg->is_leaving = false;
    leg->pongs = tas_bucket_full(TAS_PONG_BURST, now_us);
    struct tas_event *ev = engine_event(s, TAS_EVENT_DIAL, (struct tas_bytes){0});
    if (ev) {
        ev->leg = i;
        ev->relay_id = relay_id;
    }
}

static void leg_clear(struct leg *leg) {
    tas_buf_fini(&leg->in);
    tas_buf_fini(&leg->out);
    tas_wipe(leg, sizeof(*leg));
}

void leg_hangup(struct tas_session *s, unsigned i, unsigned close_code) {
    struct leg *leg = &s->legs[i];
    if (leg->state == LEG_FREE || leg->state == LEG_CLOSING)
        return;
    if (close_code && leg->state == LEG_JOINED) {
        uint8_t body[8];
        struct tas_msg_close close = {.code = (uint16_t)close_code};
        leg_put(leg, TAS_RECORD_CLOSE, 0, 0, encoded(body, tas_msg_close_encode(&close, body, sizeof(body))));
    }
    leg->state = LEG_CLOSING;
    struct tas_event *ev = engine_event(s, TAS_EVENT_HANGUP, (struct tas_bytes){0});
    if (ev)
        ev->leg = i;
}

void tas_session_secured(struct tas_session *s, unsigned i, const uint8_t cb[32], uint64_t now_us) {
    struct leg *leg = &s->legs[i];
    if (leg->state != LEG_DIALING)
        return;
    memcpy(leg->cb, cb, sizeof(leg->cb));
    struct tas_msg_hello hello = {
        .magic = TAS_MAGIC,
        .ver_min = TAS_VERSION,
        .ver_max = TAS_VERSION,
        .flags = s->has_joined ? 1 : 0, /* RESUME: only who was let in once comes back */
        .rx_limit = 256 * 1024,
    };
    memcpy(hello.ticket, s->cfg.ticket, sizeof(hello.ticket));
    leg_put(leg, TAS_RECORD_HELLO, 0, 0,
            encoded(leg->hello, tas_msg_hello_encode(&hello, leg->hello, sizeof(leg->hello))));
    leg->state = LEG_HELLO;
    leg->since_us = now_us;
    leg->last_rx_us = now_us;
    line_moved(s, i, TAS_ON_SECURED, now_us);
}

/* Signs that we hold the ticket's key, on this TLS connection, towards the relay that we dialled. */
static int on_challenge(struct tas_session *s, struct leg *leg, struct tas_bytes payload) {
    struct tas_msg_challenge challenge;
    int err = tas_msg_challenge_decode(&challenge, payload);
    if (err != TAS_OK || leg->state != LEG_HELLO)
        return TAS_E_PROTO;
    if (challenge.relay_id != leg->relay_id || challenge.ver != TAS_VERSION) {
        engine_alarm(s, "a relay passed on another relay's challenge");
        return TAS_E_AUTH;
    }
    const struct tas_bytes both[] = {tas_bytes_of(leg->hello, sizeof(leg->hello)), payload};
    uint8_t digest[32];
    err = s->cfg.crypto->sha256(digest, both, 2);
    const struct tas_bytes parts[] = {tas_bytes_of(digest, 32), tas_bytes_of(leg->cb, 32)};
    uint8_t sig[64];
    if (err == TAS_OK)
        err = tas_sign(s->cfg.crypto, sig, s->sec->identity.pop_seed, "TSK1 pop", parts, 2);
    if (err == TAS_OK)
        leg_put(leg, TAS_RECORD_PROOF, 0, 0, tas_bytes_of(sig, sizeof(sig)));
    return err;
}

static int on_welcome(struct tas_session *s, struct leg *leg, struct tas_bytes payload) {
    struct tas_msg_welcome welcome;
    if (tas_msg_welcome_decode(&welcome, payload) != TAS_OK || leg->state != LEG_PROOF)
        return TAS_E_PROTO;
    return welcome.slot == s->sec->identity.slot ? TAS_OK : TAS_E_PROTO;
}

static int on_peer(struct tas_session *s, unsigned i, struct tas_bytes payload, uint64_t now_us) {
    struct leg *leg = &s->legs[i];
    struct tas_msg_peer peer;
    if (tas_msg_peer_decode(&peer, payload) != TAS_OK || leg->state != LEG_JOINED)
        return TAS_E_PROTO;
    if (peer.state < TAS_PEER_JOINED || peer.state > TAS_PEER_GONE)
        return TAS_E_PROTO;
    if (peer.slot != s->peer_slot)
        return TAS_OK; /* other viewers are none of our business here */
    uint32_t old = leg->peer_incarnation;
    if (leg->peer_state != peer.state)
        leg->peer_since_us = now_us;
    leg->peer_state = peer.state;
    leg->peer_incarnation = peer.incarnation;
    line_on_peer(s, i, old, now_us);
    return TAS_OK;
}

static void on_ping(struct leg *leg, struct tas_bytes payload, uint64_t now_us) {
    if (tas_bucket_take(&leg->pongs, TAS_PONG_BURST, TAS_PONG_EVERY_US, now_us))
        leg_put(leg, TAS_RECORD_PONG, 0, 0, payload);
}

static int on_close(struct tas_session *s, unsigned i, struct tas_bytes payload, uint64_t now_us) {
    struct tas_msg_close close;
    if (tas_msg_close_decode(&close, payload) != TAS_OK)
        return TAS_E_PROTO;
    switch (close.code) {
    case TAS_CLOSE_TICKET:
    case TAS_CLOSE_EXPIRED:
    case TAS_CLOSE_PROOF:
    case TAS_CLOSE_SLOT_TAKEN:
        /* One relay may have a wrong clock or old keys. When all refuse us it is the ticket. */
        if ((int)i == s->leg && !tas_state_keeps_keys(s->state) && ++s->refusals >= s->n_relays)
            engine_close(s, TAS_END_TICKET, now_us);
        return TAS_E_CLOSED;
    case TAS_CLOSE_KILLED:
        /* The relay's word only, and not sealed. But a relay can end a session anyway, by cutting every line:
         * to believe it gives it no new power, and spares both ends five minutes of dialling. */
        engine_close(s, TAS_END_ADMIN, now_us);
        return TAS_E_CLOSED;
    default:
        return TAS_E_CLOSED;
    }
}

static int on_goaway(struct tas_session *s, struct leg *leg, struct tas_bytes payload) {
    struct tas_msg_goaway goaway;
    if (tas_msg_goaway_decode(&goaway, payload) != TAS_OK)
        return TAS_E_PROTO;
    leg->is_leaving =
        true; /* line_tick() dials beside it; the old socket stays until the new one shows the peer */
    for (unsigned r = s->n_relays; r-- > 0;)
        for (unsigned k = TAS_RELAYS; k-- > 0;)
            if (s->ticket.relay_ids[r] == goaway.relays[k] && goaway.relays[k] != leg->relay_id)
                s->next_relay = r;
    s->hop_us = 0;
    return TAS_OK;
}

/* Records from the relay itself and from the other end, by type. */
static int dispatch(struct tas_session *s, unsigned i, const struct tas_record *rec, uint64_t now_us) {
    struct leg *leg = &s->legs[i];
    int err = TAS_OK;
    switch (rec->type) {
    case TAS_RECORD_CHALLENGE:
        err = on_challenge(s, leg, rec->payload);
        if (err == TAS_OK) {
            leg->state = LEG_PROOF;
            line_moved(s, i, TAS_ON_CHALLENGED, now_us);
        }
        return err;
    case TAS_RECORD_WELCOME:
        err = on_welcome(s, leg, rec->payload);
        if (err == TAS_OK) {
            leg->state = LEG_JOINED;
            s->refusals = 0;
            s->has_joined = true;
            leg->has_joined = true;
            leg->since_us = now_us;
            leg->peer_since_us = now_us;
            line_moved(s, i, TAS_ON_WELCOMED, now_us);
        }
        return err;
    case TAS_RECORD_PEER:
        return on_peer(s, i, rec->payload, now_us);
    case TAS_RECORD_GOAWAY:
        return on_goaway(s, leg, rec->payload);
    case TAS_RECORD_PING:
        if (rec->payload.len != 8)
            return TAS_E_PROTO;
        on_ping(leg, rec->payload, now_us);
        return TAS_OK;
    case TAS_RECORD_PONG:
    case TAS_RECORD_DROPPED: /* a hint; acknowledgements are the truth */
        return TAS_OK;
    case TAS_RECORD_CLOSE:
        return on_close(s, i, rec->payload, now_us);
    case TAS_RECORD_HS:
    case TAS_RECORD_DATA:
        if (leg->state != LEG_JOINED)
            return TAS_E_PROTO;
        if (rec->route != s->peer_slot || (int)i != s->leg)
            return TAS_OK;
        if (rec->type == TAS_RECORD_DATA)
            return engine_on_data(s, rec->pf, rec->payload, now_us);
        if ((rec->pf & TAS_PF_CLASS) || (rec->pf & TAS_PF_DROPPABLE) || rec->payload.len > 2048)
            return TAS_E_PROTO;
        secure_on_hs(s, rec->payload, now_us);
        return TAS_OK;
    default:
        return TAS_OK; /* a newer relay may say more */
    }
}

void leg_process(struct tas_session *s, unsigned i, uint64_t now_us) {
    struct leg *leg = &s->legs[i];
    while (s->state != TAS_STATE_CLOSED && leg->state > LEG_DIALING && leg->state != LEG_CLOSING) {
        if ((int)i == s->leg && viewer_is_blocked(s))
            return;
        if (s->n_events >= TAS_EVENTS_MANY) {
            s->is_stalled = true;
            return;
        }
        struct tas_record rec;
        size_t used;
        int err = tas_record_decode(&rec, &used, tas_buf_peek(&leg->in));
        if (err == TAS_E_MORE)
            return;
        if (err == TAS_OK)
            err = dispatch(s, i, &rec, now_us);
        if (err != TAS_OK) {
            if (leg->state != LEG_FREE && leg->state != LEG_CLOSING)
                leg_hangup(s, i, err == TAS_E_CLOSED ? 0 : TAS_CLOSE_BAD_RECORD);
            line_on_leg_lost(s, i, now_us);
            return;
        }
        tas_buf_drop(&leg->in, used);
    }
}

size_t tas_session_input_room(const struct tas_session *s, unsigned i) {
    const struct leg *leg = &s->legs[i];
    if (leg->state <= LEG_DIALING || leg->state == LEG_CLOSING || ((int)i == s->leg && viewer_is_blocked(s)))
        return 0;
    if (s->is_stalled)
        return 0;
    return tas_buf_room(&leg->in);
}

void tas_session_input(struct tas_session *s, unsigned i, struct tas_bytes bytes, uint64_t now_us) {
    struct leg *leg = &s->legs[i];
    if (leg->state <= LEG_DIALING || leg->state == LEG_CLOSING)
        return;
    leg->last_rx_us = now_us;
    if (tas_buf_append(&leg->in, bytes) != TAS_OK) {
        leg_hangup(s, i, 0);
        line_on_leg_lost(s, i, now_us);
        return;
    }
    leg_process(s, i, now_us);
    line_tick(s, now_us);
}

struct tas_bytes tas_session_output(struct tas_session *s, unsigned i, uint64_t now_us) {
    struct leg *leg = &s->legs[i];
    if (leg->state == LEG_FREE || leg->state == LEG_DIALING)
        return (struct tas_bytes){0};
    if ((int)i == s->leg && leg->out.len == 0 && leg->state == LEG_JOINED)
        engine_fill(s, leg, now_us);
    if (leg->out.len)
        leg->last_tx_us = now_us;
    return tas_buf_peek(&leg->out);
}

void tas_session_sent(struct tas_session *s, unsigned i, size_t n) {
    if (s->legs[i].state != LEG_FREE)
        tas_buf_drop(&s->legs[i].out, n);
}

void tas_session_lost(struct tas_session *s, unsigned i, uint64_t now_us) {
    struct leg *leg = &s->legs[i];
    if (leg->state == LEG_FREE)
        return;
    bool was_closing = leg->state == LEG_CLOSING;
    leg->state = LEG_CLOSING;
    if (!was_closing)
        line_on_leg_lost(s, i, now_us);
    engine_forget_hangup(s, i); /* it would hit the next socket of this leg */
    leg_clear(leg);
    line_tick(s, now_us);
}
