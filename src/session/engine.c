/* The middle of a session: creation and end, events, sealed records in and out, messages to their takers. */
#include "session/engine_private.h"

#include "base/utf8.h"

#include <assert.h>
#include <stdlib.h>

enum {
    ACK_AFTER_BYTES = 16 * 1024,
    ACK_AFTER_US = 200 * 1000,
    BULK_SHARE = 8, /* class 2 records for one of class 3 */
    CHAT_MAX = 4000,
};

const char *tas_end_reason_text(unsigned reason) {
    switch (reason) {
#define X(name, value, text)                                                                                 \
    case value:                                                                                              \
        return text;
        TAS_END_REASONS(X)
#undef X
    default:
        return "unknown reason";
    }
}

/* ---- life ---- */

static int read_ticket(struct tas_session *s, const uint8_t ticket[TAS_SIZE_TICKET]) {
    struct tas_msg_ticket t;
    if (tas_msg_ticket_decode(&t, tas_bytes_of(ticket, TAS_SIZE_TICKET)) != TAS_OK)
        return TAS_E_PROTO;
    const struct tas_identity *own = &s->sec->identity;
    bool is_ours = t.ver == 1 && t.role == own->role && t.slot == own->slot &&
                   memcmp(t.pop_pk, own->pop_pk, sizeof(t.pop_pk)) == 0 &&
                   (t.role == TAS_ROLE_HOST ? t.slot == 0 : t.slot > 0 && t.slot < TAS_SLOTS);
    if (!is_ours || t.relay_ids[0] == 0)
        return TAS_E_AUTH;
    s->ticket = t;
    memcpy(s->cfg.ticket, ticket, TAS_SIZE_TICKET);
    s->n_relays = 0;
    while (s->n_relays < TAS_RELAYS && t.relay_ids[s->n_relays] != 0)
        s->n_relays++;
    return TAS_OK;
}

struct tas_session *tas_session_new(const struct tas_session_config *config, uint64_t now_us) {
    struct tas_session *s = config->mem->alloc(sizeof(*s));
    if (!s)
        return NULL;
    s->cfg = *config;
    tas_wipe(&s->cfg.identity, sizeof(s->cfg.identity));
    s->keyset = *config->keyset;
    tas_channels_init(&s->ch);
    s->events_end = &s->events;
    s->sec = config->mem->alloc(sizeof(*s->sec));
    if (!s->sec)
        goto fail;
    s->sec->identity = config->identity;
    s->role = config->identity.role;
    if (read_ticket(s, config->ticket) != TAS_OK)
        goto fail;
    /* One viewer per session as yet: a host's is slot 1. */
    s->viewer_slot = s->role == TAS_ROLE_HOST ? 1 : s->ticket.slot;
    s->peer_slot = s->role == TAS_ROLE_HOST ? s->viewer_slot : 0;
    if (!s->cfg.suites)
        s->cfg.suites = (uint16_t)config->crypto->suites;
    s->state = TAS_STATE_DIAL;
    s->leg = TAS_NO_LEG;
    s->started_us = now_us;
    s->state_since_us = now_us;
    s->retry_us = now_us;
    tas_pace_init(&s->pace, now_us);
    line_tick(s, now_us);
    return s;
fail:
    tas_session_free(s);
    return NULL;
}

static void event_free(struct queued_event *q) {
    if (!q)
        return;
    if (q->extra)
        tas_wipe(q->extra, q->extra_len);
    free(q->extra);
    tas_wipe(q, sizeof(*q));
    free(q);
}

void tas_session_free(struct tas_session *s) {
    if (!s)
        return;
    const struct tas_secret_mem *mem = s->cfg.mem;
    tas_handshake_free(s->hs);
    tas_sealer_free(s->sealer);
    host_fini(s);
    viewer_fini(s);
    tas_channels_fini(&s->ch);
    for (int i = 0; i < TAS_LEGS; i++) {
        tas_buf_fini(&s->legs[i].in);
        tas_buf_fini(&s->legs[i].out);
    }
    event_free(s->given);
    while (s->events) {
        struct queued_event *q = s->events;
        s->events = q->next;
        event_free(q);
    }
    mem->release(s->sec, sizeof(*s->sec));
    mem->release(s, sizeof(*s));
}

uint64_t engine_server_ms(const struct tas_session *s, uint64_t now_us) {
    return s->cfg.server_ms + (now_us - s->started_us) / 1000;
}

int tas_session_set_ticket(struct tas_session *s, const uint8_t ticket[TAS_SIZE_TICKET]) {
    uint64_t session_id = s->ticket.session_id;
    struct tas_msg_ticket t;
    if (tas_msg_ticket_decode(&t, tas_bytes_of(ticket, TAS_SIZE_TICKET)) != TAS_OK ||
        t.session_id != session_id)
        return TAS_E_AUTH;
    uint16_t perms_before = s->ticket.perms;
    int err = read_ticket(s, ticket);
    if (err == TAS_OK && s->role == TAS_ROLE_HOST)
        host_perms_changed(s, perms_before);
    if (err == TAS_OK)
        s->ticket_was_due = false;
    if (s->next_relay >= s->n_relays)
        s->next_relay = 0;
    return err == TAS_OK ? TAS_OK : TAS_E_AUTH;
}

/* ---- events ---- */

/* Queues an event that owns a copy of `extra`, and gives it to be filled. NULL: no memory. Their number is
 * bounded by reading no further while many wait (leg_process). */
struct tas_event *engine_event(struct tas_session *s, enum tas_event_kind kind, struct tas_bytes extra) {
    struct queued_event *q = calloc(1, sizeof(*q));
    if (!q)
        return NULL;
    q->ev.kind = kind;
    if (extra.len) {
        q->extra = malloc(extra.len);
        if (!q->extra) {
            free(q);
            return NULL;
        }
        memcpy(q->extra, extra.ptr, extra.len);
        q->extra_len = extra.len;
        q->ev.data = tas_bytes_of(q->extra, extra.len);
    }
    *s->events_end = q;
    s->events_end = &q->next;
    s->n_events++;
    return &q->ev;
}

/* The socket of this leg is gone already: nobody needs to close it. */
void engine_forget_hangup(struct tas_session *s, unsigned leg) {
    struct queued_event **at = &s->events;
    while (*at) {
        struct queued_event *q = *at;
        if (q->ev.kind == TAS_EVENT_HANGUP && q->ev.leg == leg) {
            *at = q->next;
            s->n_events--;
            event_free(q);
        } else {
            at = &q->next;
        }
    }
    s->events_end = at;
}

void tas_session_event(struct tas_session *s, struct tas_event *out) {
    if (s->given && s->si.waiting.ptr && s->given->extra == s->si.waiting.ptr) {
        s->si.waiting = (struct tas_bytes){0}; /* the owner passed over a frame */
        s->si.needs_refresh = true;
    }
    event_free(s->given);
    s->given = s->events;
    if (!s->given) {
        *out = (struct tas_event){.kind = TAS_EVENT_NONE};
        return;
    }
    s->events = s->given->next;
    if (!s->events)
        s->events_end = &s->events;
    s->n_events--;
    *out = s->given->ev;
}

void engine_alarm(struct tas_session *s, const char *text) {
    struct tas_event *ev = engine_event(s, TAS_EVENT_ALARM, (struct tas_bytes){0});
    if (ev)
        ev->text = text;
}

void engine_refused(struct tas_session *s, const char *text) {
    /* A thousand times the same is told once for as long as nobody has listened. */
    for (struct queued_event *q = s->events; q; q = q->next)
        if (q->ev.kind == TAS_EVENT_REFUSED && q->ev.text == text)
            return;
    struct tas_event *ev = engine_event(s, TAS_EVENT_REFUSED, (struct tas_bytes){0});
    if (ev)
        ev->text = text;
}

enum tas_state tas_session_state(const struct tas_session *s) {
    return s->state;
}

/* The only place where the state changes. */
void engine_move(struct tas_session *s, enum tas_state_event event, uint64_t now_us) {
    enum tas_state to;
    int err = tas_state_next(&to, s->state, event);
    assert(err == TAS_OK);
    if (to == s->state && event != TAS_ON_GOT_H1)
        return;
    enum tas_state from = s->state;
    s->state = to;
    s->state_since_us = now_us;
    struct tas_event *ev = engine_event(s, TAS_EVENT_STATE, (struct tas_bytes){0});
    if (ev) {
        ev->from = from;
        ev->state = to;
    }
}

void engine_close(struct tas_session *s, enum tas_end_reason reason, uint64_t now_us) {
    if (s->state == TAS_STATE_CLOSED || s->end_reason)
        return;
    s->end_reason = reason;
    if (tas_state_keeps_keys(s->state) && s->role == TAS_ROLE_HOST)
        engine_event(s, TAS_EVENT_RELEASE_KEYS, (struct tas_bytes){0});
    /* A last sealed word, ahead of everything that still waits. */
    if (s->sealer && s->leg != TAS_NO_LEG && s->legs[s->leg].state == LEG_JOINED) {
        struct leg *leg = &s->legs[s->leg];
        struct tas_msg_bye bye = {.reason = (uint8_t)reason};
        for (unsigned c = 0; c < TAS_CLASSES; c++)
            bye.last_ctr[c] = tas_sealer_sent(s->sealer, (enum tas_class)c);
        uint8_t body[40];
        /* Answers that were queued before, such as the verdict on the check code, still go out first. */
        for (int i = 0; i < 4 && tas_channels_has(&s->ch, TAS_CLASS_CONTROL, s->awaits_sync); i++)
            engine_fill(s, leg, now_us);
        if (engine_send(s, TAS_MESSAGE_BYE, TAS_CLASS_CONTROL, body,
                        tas_msg_bye_encode(&bye, body, sizeof(body))) == TAS_OK)
            for (int i = 0; i < 8 && tas_channels_has(&s->ch, TAS_CLASS_CONTROL, s->awaits_sync); i++)
                engine_fill(s, leg, now_us);
    }
    tas_sealer_free(s->sealer);
    s->sealer = NULL;
    tas_handshake_free(s->hs);
    s->hs = NULL;
    for (unsigned i = 0; i < TAS_LEGS; i++)
        leg_hangup(s, i, TAS_CLOSE_BYE);
    tas_wipe(&s->sec->current, sizeof(s->sec->current));
    tas_wipe(&s->sec->next, sizeof(s->sec->next));
    s->has_generation = s->has_next = false;
    engine_move(s, TAS_ON_CLOSE, now_us);
    struct tas_event *ev = engine_event(s, TAS_EVENT_CLOSED, (struct tas_bytes){0});
    if (ev)
        ev->number = reason;
}

void tas_session_end(struct tas_session *s, enum tas_end_reason reason, uint64_t now_us) {
    engine_close(s, reason, now_us);
}

/* ---- records out ---- */

int engine_keys(struct tas_session *s, const struct tas_generation *gen, uint64_t now_us) {
    const struct tas_sealer_config cfg = {
        .crypto = s->cfg.crypto,
        .mem = s->cfg.mem,
        .role = s->role,
        .viewer_slot = s->viewer_slot,
        .session_id = s->ticket.session_id,
        .update_records = s->cfg.update_records,
    };
    secure_keys_are_new(s, now_us);
    tas_sealer_free(s->sealer);
    s->sealer = tas_sealer_new(&cfg, gen, now_us);
    tas_pace_init(&s->pace, now_us);
    s->si.rx_bytes = 0;
    return s->sealer ? TAS_OK : TAS_E_NOMEM;
}

int engine_send(struct tas_session *s, uint16_t type, enum tas_class cls, const uint8_t *body, int len) {
    assert(len >= 0);
    int ch = tas_message_channel(type);
    assert(ch >= 0);
    return tas_channels_send(&s->ch, (uint8_t)ch, type, cls, tas_bytes_of(body, (size_t)len));
}

/* Acknowledge what came on replayed channels, when it is time. */
static void queue_acks(struct tas_session *s, uint64_t now_us) {
    bool any = s->ack_due_us != 0 && now_us >= s->ack_due_us;
    uint32_t rx_msgs = 0;
    for (;;) {
        int ch = tas_channels_ack_due(&s->ch, any ? 0 : ACK_AFTER_BYTES, &rx_msgs);
        if (ch < 0)
            break;
        uint8_t body[8];
        const struct tas_msg_ack ack = {.ch = (uint8_t)ch, .rx_msgs = rx_msgs};
        if (engine_send(s, TAS_MESSAGE_ACK, TAS_CLASS_CONTROL, body,
                        tas_msg_ack_encode(&ack, body, sizeof(body))) != TAS_OK)
            break; /* the queue is full: the next ones say the same */
    }
    if (any)
        s->ack_due_us = 0;
}

/* Which class goes next; -1: none may. Screen and bulk data need room on the path. */
static int next_class(struct tas_session *s, uint64_t now_us) {
    for (int cls = TAS_CLASS_CONTROL; cls <= TAS_CLASS_SMALL; cls++)
        if (tas_channels_has(&s->ch, (enum tas_class)cls, s->awaits_sync))
            return cls;
    bool has_screen = host_may_show(s) && tas_channels_has(&s->ch, TAS_CLASS_SCREEN, s->awaits_sync);
    bool has_bulk = tas_channels_has(&s->ch, TAS_CLASS_BULK, s->awaits_sync);
    if (has_bulk && (!has_screen || s->screen_turns >= BULK_SHARE))
        return TAS_CLASS_BULK;
    if (!has_screen)
        return -1;
    size_t least = tas_pace_chunk(&s->pace);
    return tas_pace_room(&s->pace, now_us) >= least || tas_pace_in_flight(&s->pace) == 0 ? TAS_CLASS_SCREEN
                                                                                         : -1;
}

/* Seals the next record into the leg's (empty) output. */
void engine_fill(struct tas_session *s, struct leg *leg, uint64_t now_us) {
    if (!s->sealer)
        return;
    queue_acks(s, now_us);
    host_before_fill(s);
    int cls = next_class(s, now_us);
    if (cls < 0)
        return;
    uint8_t plain[TAS_PLAIN_MAX];
    uint8_t pf = 0;
    size_t max = cls >= TAS_CLASS_SCREEN ? tas_pace_chunk(&s->pace) : TAS_FRAGMENT_MAX;
    int len = tas_channels_next(&s->ch, (enum tas_class)cls, s->awaits_sync, max, plain, sizeof(plain), &pf);
    size_t need = TAS_RECORD_HEAD + (size_t)len + TAS_SEALED_OVERHEAD;
    uint8_t *out = tas_buf_reserve(&leg->out, need);
    int sealed = out ? tas_sealer_seal(s->sealer, pf, tas_bytes_of(plain, (size_t)len), out + TAS_RECORD_HEAD,
                                       need - TAS_RECORD_HEAD, now_us)
                     : TAS_E_NOMEM;
    tas_wipe(plain, (size_t)len);
    if (sealed < 0) {
        engine_close(s, TAS_END_NOMEM, now_us); /* the message is cut short: this session cannot go on */
        return;
    }
    tas_record_head_encode(out, TAS_RECORD_DATA, pf, (uint16_t)(1u << s->peer_slot), (size_t)sealed);
    tas_buf_commit(&leg->out, need);
    if (cls == TAS_CLASS_SCREEN) {
        tas_pace_on_sent(&s->pace, (size_t)sealed, now_us);
        s->screen_bytes += (size_t)sealed;
        s->screen_turns++;
    } else if (cls == TAS_CLASS_BULK) {
        s->screen_turns = 0;
    }
}

/* ---- records in ---- */

/* The other end may say why it ends, but not in somebody else's name. */
static enum tas_end_reason reason_from_peer(const struct tas_session *s, uint8_t reason) {
    bool is_someone = reason == TAS_END_OPERATOR || reason == TAS_END_CUSTOMER || reason == TAS_END_ADMIN;
    if (is_someone)
        return s->role == TAS_ROLE_HOST ? TAS_END_OPERATOR : TAS_END_CUSTOMER;
    return reason <= TAS_END_NOMEM ? (enum tas_end_reason)reason : TAS_END_PROTOCOL;
}

static int on_bye(struct tas_session *s, struct tas_bytes body, uint64_t now_us) {
    struct tas_msg_bye bye;
    if (tas_msg_bye_decode(&bye, body) != TAS_OK || bye.reason == 0)
        return TAS_E_PROTO;
    if (bye.reason == TAS_END_CODE || bye.reason == TAS_END_ATTEMPTS)
        engine_alarm(s, "the other end saw signs of somebody in between");
    engine_close(s, reason_from_peer(s, bye.reason), now_us);
    return TAS_OK;
}

static int on_chat(struct tas_session *s, struct tas_bytes body) {
    struct tas_msg_chat chat;
    if (tas_msg_chat_decode(&chat, body) != TAS_OK || !tas_utf8_is_valid(chat.text))
        return TAS_E_PROTO;
    /* Before the check code chat is all there is; from then on it is a right like the others, paused or not.
     */
    bool is_free = s->role == TAS_ROLE_VIEWER || s->state == TAS_STATE_KEYED;
    if (!is_free && !(s->granted & s->ticket.perms & s->peer.perms & TAS_RIGHT_CHAT)) {
        engine_refused(s, "chat without the right to it");
        return TAS_OK;
    }
    engine_event(s, TAS_EVENT_CHAT, chat.text);
    return TAS_OK;
}

static int on_ack(struct tas_session *s, struct tas_bytes body) {
    struct tas_msg_ack ack;
    if (tas_msg_ack_decode(&ack, body) != TAS_OK)
        return TAS_E_PROTO;
    return tas_channels_on_ack(&s->ch, ack.ch, ack.rx_msgs);
}

static int on_message(struct tas_session *s, const struct tas_incoming *m, uint64_t now_us) {
    int channel = tas_message_channel(m->type);
    if (channel < 0)
        return m->type & 0x8000 ? TAS_E_PROTO : TAS_OK; /* unknown: critical closes, others are skipped */
    if (channel != m->ch)
        return TAS_E_PROTO;
    if (s->state == TAS_STATE_AUTH && !s->is_peer_known)
        return m->type == TAS_MESSAGE_AUTH ? secure_on_auth(s, m->body, now_us) : TAS_E_PROTO;
    secure_on_first_record(s, now_us);
    if (s->awaits_sync && m->type != TAS_MESSAGE_SYNC && m->type != TAS_MESSAGE_BYE)
        return TAS_E_PROTO; /* SYNC is the first thing under new keys */
    switch (m->type) {
    case TAS_MESSAGE_SYNC:
        return secure_on_sync(s, m->body, now_us);
    case TAS_MESSAGE_ACK:
        return on_ack(s, m->body);
    case TAS_MESSAGE_BYE:
        return on_bye(s, m->body, now_us);
    case TAS_MESSAGE_CHAT:
        return on_chat(s, m->body);
    case TAS_MESSAGE_AUTH:
    case TAS_MESSAGE_GROUP_KEY: /* several viewers: not yet */
        return TAS_E_PROTO;
    default:
        return s->role == TAS_ROLE_HOST ? host_on_message(s, m, now_us) : viewer_on_message(s, m, now_us);
    }
}

/* A record that proves that the other end has the next generation of keys, too. */
static void promote(struct tas_session *s) {
    if (!s->has_next)
        return;
    s->sec->current = s->sec->next;
    tas_wipe(&s->sec->next, sizeof(s->sec->next));
    s->has_next = false;
}

static void broke(struct tas_session *s, const char *what, uint64_t now_us) {
    engine_alarm(s, what);
    engine_close(s, TAS_END_PROTOCOL, now_us);
}

/* Whatever is wrong with sealed data ends the session, not only the line: TLS has made sure that the network
 * did not do it. Returns TAS_OK always, because the line itself behaved. */
int engine_on_data(struct tas_session *s, uint8_t pf, struct tas_bytes sealed, uint64_t now_us) {
    if (!s->sealer)
        return TAS_OK; /* late, from before the line was lost */
    uint8_t plain[TAS_RECORD_MAX];
    int len = tas_sealer_open(s->sealer, pf, sealed, plain, now_us);
    if (len == TAS_E_ABSENT)
        return TAS_OK;
    if (len == TAS_E_NOMEM) {
        engine_close(s, TAS_END_NOMEM, now_us);
        return TAS_OK;
    }
    if (len < 0) {
        broke(s, "a sealed record was forged, repeated, left out or reordered", now_us);
        return TAS_OK;
    }
    promote(s);
    enum tas_class cls = (enum tas_class)(pf & TAS_PF_CLASS);
    if (cls == TAS_CLASS_SCREEN && s->role == TAS_ROLE_VIEWER)
        viewer_note_screen_bytes(s, sealed.len, now_us);
    struct tas_fragment frag;
    struct tas_incoming m;
    int err = tas_fragment_decode(&frag, tas_bytes_of(plain, (size_t)len));
    if (err == TAS_OK)
        err = tas_channels_take(&s->ch, &frag, cls, &m);
    if (err == TAS_OK)
        err = on_message(s, &m, now_us);
    tas_wipe(plain, (size_t)len);
    if (err == TAS_OK && s->ack_due_us == 0)
        s->ack_due_us = now_us + ACK_AFTER_US;
    if (err == TAS_E_NOMEM)
        engine_close(s, TAS_END_NOMEM, now_us);
    else if (err != TAS_OK && err != TAS_E_MORE && err != TAS_E_FULL)
        broke(s, "the other end broke the protocol", now_us);
    return TAS_OK;
}

/* ---- what owners ask ---- */

int tas_session_chat(struct tas_session *s, struct tas_bytes text, uint64_t wall_ms) {
    if (!tas_state_keeps_keys(s->state))
        return TAS_E_STATE;
    if (text.len > CHAT_MAX)
        return TAS_E_LIMIT;
    if (!tas_utf8_is_valid(text))
        return TAS_E_PROTO;
    uint8_t body[8 + CHAT_MAX];
    const struct tas_msg_chat chat = {.at_ms = wall_ms, .text = text};
    int err = engine_send(s, TAS_MESSAGE_CHAT, TAS_CLASS_SMALL, body,
                          tas_msg_chat_encode(&chat, body, sizeof(body)));
    tas_wipe(body, sizeof(body));
    return err;
}

void tas_session_figures(struct tas_session *s, struct tas_session_figures *out, uint64_t now_us) {
    *out = (struct tas_session_figures){
        .rate_Bps = tas_pace_rate_Bps(&s->pace),
        .min_rtt_us = s->pace.min_rtt_us,
        .last_rtt_us = s->pace.last_rtt_us,
        .window = tas_pace_window(&s->pace, now_us),
        .in_flight = tas_pace_in_flight(&s->pace),
        .chunk = tas_pace_chunk(&s->pace),
        .silent_us = s->leg == TAS_NO_LEG ? 0 : now_us - s->legs[s->leg].last_rx_us,
        .relay_id = s->leg == TAS_NO_LEG ? 0 : s->legs[s->leg].relay_id,
        .resumes = s->resumes,
        .screen_bytes = s->screen_bytes,
        .frames = s->frames,
    };
}

/* Half of the ticket's life, on our clock. */
static uint64_t ticket_due_us(const struct tas_session *s) {
    uint64_t half_ms = s->ticket.not_before_ms + (uint64_t)s->ticket.session_ttl_s * 500;
    uint64_t wait_ms = half_ms > s->cfg.server_ms ? half_ms - s->cfg.server_ms : 0;
    return wait_ms > UINT32_MAX ? UINT64_MAX : s->started_us + wait_ms * 1000;
}

static void ticket_tick(struct tas_session *s, uint64_t now_us) {
    if (s->ticket_was_due || now_us < ticket_due_us(s))
        return;
    s->ticket_was_due = true;
    engine_event(s, TAS_EVENT_TICKET_DUE, (struct tas_bytes){0});
}

void tas_session_tick(struct tas_session *s, uint64_t now_us) {
    if (s->state == TAS_STATE_CLOSED)
        return;
    if (s->is_stalled) {
        s->is_stalled = false;
        for (unsigned i = 0; i < TAS_LEGS; i++)
            leg_process(s, i, now_us);
        if (s->state == TAS_STATE_CLOSED)
            return;
    }
    secure_tick(s, now_us);
    line_tick(s, now_us);
    viewer_tick(s, now_us);
    screen_tick(s, now_us);
    ticket_tick(s, now_us);
    if (s->ack_due_us && now_us >= s->ack_due_us) {
        if (s->sealer && s->state != TAS_STATE_SUSPENDED)
            queue_acks(s, now_us);
        s->ack_due_us = 0;
    }
    (void)tas_pace_window(&s->pace, now_us); /* ends a probe whose time is over */
}

uint64_t tas_session_deadline_us(const struct tas_session *s) {
    if (s->state == TAS_STATE_CLOSED)
        return UINT64_MAX;
    if (s->is_stalled && s->n_events < TAS_EVENTS_MANY)
        return 0; /* there is room for events again */
    uint64_t at = line_deadline_us(s);
    const uint64_t others[] = {
        secure_deadline_us(s),
        s->ack_due_us ? s->ack_due_us : UINT64_MAX,
        s->si.ack_due_us ? s->si.ack_due_us : UINT64_MAX,
        tas_pace_deadline_us(&s->pace),
        s->ticket_was_due ? UINT64_MAX : ticket_due_us(s),
        screen_deadline_us(s),
    };
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (others[i] < at)
            at = others[i];
    return at;
}
