/* Which relay connection is in use, when the next one is tried, and what a lost line means (docs/protocol.md
 * section 6). */
#include "session/engine_private.h"

enum {
    PING_AFTER_US = 400 * 1000,       /* of silence, when the other end is there */
    SILENT_US = 1000 * 1000,          /* then the next relay is dialled beside the old one */
    JOIN_LIMIT_US = 10 * 1000 * 1000, /* from dialling to WELCOME */
    SEEK_AFTER_US = 200 * 1000,       /* without the peer, then also look elsewhere */
    FIRST_SEEKS_US = 2000 * 1000,     /* a viewer that never met the host: it may wait at another relay */
    DESERTED_US = 3000 * 1000,        /* without the peer, then the session is suspended for both */
    VIEWER_STAYS_US = 1000 * 1000, /* at a place where the peer does not show; different, so that the two */
    HOST_STAYS_US = 4000 * 1000,   /* do not chase each other through a list of relays */
    STEADY_US = 2000 * 1000,       /* a relay that held this long is worth an immediate new try */
    RETRY_FIRST_US = 250 * 1000,
    RETRY_MAX_US = 5000 * 1000,
    IDLE_PING_US = 10 * 1000 * 1000,
    IDLE_DEAD_US = 30 * 1000 * 1000,
};

static uint64_t earlier(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

static uint64_t later(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

static unsigned other_leg(const struct tas_session *s) {
    return s->leg == 0 ? 1 : 0;
}

static uint32_t relay_take_next(struct tas_session *s) {
    uint32_t id = s->ticket.relay_ids[s->next_relay];
    s->next_relay = (s->next_relay + 1) % s->n_relays;
    return id;
}

/* The next relay that is not the one in use; the same again when there is only one. */
static uint32_t relay_take_other(struct tas_session *s) {
    uint32_t id = relay_take_next(s);
    if (s->leg != TAS_NO_LEG && id == s->legs[s->leg].relay_id)
        id = relay_take_next(s);
    return id;
}

/* 250 ms doubling to 5 s, each between a half and all of it, so that a thousand ends do not come back as one.
 */
static uint64_t retry_delay(struct tas_session *s) {
    unsigned rounds = s->dials / s->n_relays;
    unsigned doublings = rounds > 6 ? 5 : rounds ? rounds - 1 : 0;
    uint64_t delay = (uint64_t)RETRY_FIRST_US << doublings;
    if (delay > RETRY_MAX_US)
        delay = RETRY_MAX_US;
    uint16_t random;
    s->cfg.random.fill(s->cfg.random.ctx, &random, sizeof(random));
    return delay / 2 + delay / 2 * random / 65536;
}

/* What the operator holds down goes up, at the customer's. */
static void release_keys(struct tas_session *s) {
    if (s->role == TAS_ROLE_HOST && tas_state_keeps_keys(s->state) && s->state != TAS_STATE_SUSPENDED)
        engine_event(s, TAS_EVENT_RELEASE_KEYS, (struct tas_bytes){0});
}

/* Forget the end-to-end state that does not survive a change of line, and say so in the state. */
void line_suspend(struct tas_session *s, enum tas_state_event why, uint64_t now_us) {
    bool keeps = tas_state_keeps_keys(s->state);
    tas_sealer_free(s->sealer);
    s->sealer = NULL;
    s->is_rs_out = false;
    secure_forget_resume(s);
    tas_handshake_free(s->hs);
    s->hs = NULL;
    if (keeps && s->state != TAS_STATE_SUSPENDED) {
        release_keys(s);
        s->resume_to = s->state;
        s->suspended_us = now_us;
    }
    tas_channels_on_suspend(&s->ch);
    engine_move(s, why, now_us);
}

/* Leg i got one step further. With keys in hand the state stays SUSPENDED until the resume is done. */
void line_moved(struct tas_session *s, unsigned i, enum tas_state_event event, uint64_t now_us) {
    if ((int)i == s->leg && !tas_state_keeps_keys(s->state))
        engine_move(s, event, now_us);
}

static void dial_first(struct tas_session *s, uint64_t now_us) {
    unsigned i = s->legs[0].state == LEG_FREE ? 0 : 1;
    if (s->legs[i].state != LEG_FREE)
        return; /* both sockets are still closing; tas_session_lost() brings us back */
    s->dials++;
    s->leg = (int)i;
    leg_dial(s, i, relay_take_next(s), now_us);
}

/* A connection is over: go on with the other one, or dial. */
void line_on_leg_lost(struct tas_session *s, unsigned i, uint64_t now_us) {
    if (s->state == TAS_STATE_CLOSED || (int)i != s->leg)
        return;
    unsigned other = other_leg(s);
    bool has_other = s->legs[other].state != LEG_FREE && s->legs[other].state != LEG_CLOSING;
    bool was_joined = s->legs[i].has_joined;
    bool was_steady = was_joined && now_us - s->legs[i].since_us >= STEADY_US;
    s->leg = has_other ? (int)other : TAS_NO_LEG;
    line_suspend(s, TAS_ON_SOCKET_LOST, now_us);
    if (!has_other) {
        /* The first round goes through all relays at once, beginning with the one that just worked. */
        if (was_steady)
            s->dials = 0;
        if (was_joined && s->dials <= 1) {
            for (unsigned r = 0; r < s->n_relays; r++)
                if (s->ticket.relay_ids[r] == s->legs[i].relay_id && !s->legs[i].is_leaving)
                    s->next_relay = r;
        }
        s->retry_us = s->dials == 0 || s->dials % s->n_relays != 0 ? now_us : now_us + retry_delay(s);
        return;
    }
    /* Before KEYED the states follow the leg in use. */
    if (s->state == TAS_STATE_DIAL) {
        enum leg_state have = s->legs[other].state;
        if (have >= LEG_HELLO)
            engine_move(s, TAS_ON_SECURED, now_us);
        if (have >= LEG_PROOF)
            engine_move(s, TAS_ON_CHALLENGED, now_us);
        if (have >= LEG_JOINED)
            engine_move(s, TAS_ON_WELCOMED, now_us);
    }
    if (leg_is_matched(&s->legs[other]))
        line_on_peer(s, other, s->legs[other].peer_incarnation, now_us);
}

/* The other end is there, on the leg in use: agree on keys, or on new ones. */
static void start_with_peer(struct tas_session *s, uint64_t now_us) {
    s->incarnation = s->legs[s->leg].peer_incarnation;
    s->rs_names_next = true;
    s->hop_us = 0;
    if (s->state == TAS_STATE_WAIT_PEER) {
        secure_start(s, now_us);
        return;
    }
    if (s->state == TAS_STATE_SUSPENDED && s->role == TAS_ROLE_VIEWER)
        line_send_rs1(s, now_us);
}

/* The relay told something about the other end on leg i. */
void line_on_peer(struct tas_session *s, unsigned i, uint32_t old_incarnation, uint64_t now_us) {
    struct leg *leg = &s->legs[i];
    if (!leg_is_matched(leg)) {
        if ((int)i == s->leg)
            release_keys(s); /* whoever held them may never come back to let them go */
        if ((int)i == s->leg && leg->peer_state == TAS_PEER_GONE && !tas_state_keeps_keys(s->state) &&
            s->state > TAS_STATE_WAIT_PEER)
            line_suspend(s, TAS_ON_PEER_LOST, now_us);
        return;
    }
    if ((int)i != s->leg) { /* the new socket shows the peer: it wins */
        int old = s->leg;
        s->leg = (int)i;
        if (old != TAS_NO_LEG)
            leg_hangup(s, (unsigned)old, TAS_CLOSE_REPLACED);
        line_suspend(s, TAS_ON_SOCKET_LOST, now_us);
        if (s->state == TAS_STATE_DIAL) {
            engine_move(s, TAS_ON_SECURED, now_us);
            engine_move(s, TAS_ON_CHALLENGED, now_us);
            engine_move(s, TAS_ON_WELCOMED, now_us);
        }
        start_with_peer(s, now_us);
        return;
    }
    unsigned other = other_leg(s);
    if (s->legs[other].state != LEG_FREE && !leg->is_leaving)
        leg_hangup(s, other, TAS_CLOSE_REPLACED); /* it is there again: no need to look elsewhere */
    bool is_same = s->incarnation == leg->peer_incarnation && old_incarnation == leg->peer_incarnation;
    if (is_same && s->state != TAS_STATE_SUSPENDED && s->state != TAS_STATE_WAIT_PEER)
        return; /* only a hiccup: its socket is the same */
    if (s->state != TAS_STATE_WAIT_PEER && s->state != TAS_STATE_SUSPENDED)
        line_suspend(s, TAS_ON_PEER_LOST, now_us);
    start_with_peer(s, now_us);
}

static void ping(struct tas_session *s, struct leg *leg, uint64_t now_us) {
    uint8_t token[8];
    s->cfg.random.fill(s->cfg.random.ctx, token, sizeof(token));
    leg_put(leg, TAS_RECORD_PING, 0, 0, tas_bytes_of(token, sizeof(token)));
    leg->last_ping_us = now_us;
}

/* Silent in either direction: an end that only receives would look dead to the relay. */
static uint64_t quiet_since(const struct leg *leg) {
    return earlier(leg->last_rx_us, leg->last_tx_us);
}

static uint64_t ping_period(const struct leg *leg) {
    return leg_is_matched(leg) ? PING_AFTER_US : IDLE_PING_US;
}

/* Keep-alive and give-up times of one leg. */
static void watch_leg(struct tas_session *s, unsigned i, uint64_t now_us) {
    struct leg *leg = &s->legs[i];
    if (leg->state == LEG_FREE || leg->state == LEG_CLOSING)
        return;
    uint64_t silent = now_us - leg->last_rx_us;
    bool too_slow = leg->state != LEG_JOINED && now_us - leg->since_us >= JOIN_LIMIT_US;
    if (too_slow || (leg->state == LEG_JOINED && silent >= IDLE_DEAD_US)) {
        leg_hangup(s, i, TAS_CLOSE_TIMEOUT);
        line_on_leg_lost(s, i, now_us);
        return;
    }
    if (leg->state == LEG_JOINED && now_us - later(quiet_since(leg), leg->last_ping_us) >= ping_period(leg))
        ping(s, leg, now_us);
}

/* Does this end look for the other one when it is not there? A host that waits for its first viewer stays. */
static bool is_seeking(const struct tas_session *s) {
    return tas_state_keeps_keys(s->state) || (s->role == TAS_ROLE_VIEWER && s->state == TAS_STATE_WAIT_PEER);
}

static uint64_t seek_after_us(const struct tas_session *s) {
    return tas_state_keeps_keys(s->state) ? SEEK_AFTER_US : FIRST_SEEKS_US;
}

/* In the middle of a handshake, and the other end's socket is lost. */
static bool is_stranded(const struct tas_session *s) {
    const struct leg *leg = &s->legs[s->leg];
    return s->state > TAS_STATE_WAIT_PEER && s->state < TAS_STATE_KEYED && leg->state == LEG_JOINED &&
           !leg_is_matched(leg);
}

/* With keys in hand and the other end's socket lost for longer than a hiccup lasts. Its incarnation may still
 * come back as it was, and know of nothing: we hang up, so that ours is another one and both begin with a
 * resume. */
static bool is_deserted(const struct tas_session *s) {
    if (s->leg == TAS_NO_LEG || !tas_state_keeps_keys(s->state) || s->state == TAS_STATE_SUSPENDED)
        return false;
    const struct leg *leg = &s->legs[s->leg];
    return leg->state == LEG_JOINED && !leg_is_matched(leg);
}

static uint64_t stay_time(const struct tas_session *s) {
    bool is_short = s->role == TAS_ROLE_VIEWER && tas_state_keeps_keys(s->state);
    return is_short ? VIEWER_STAYS_US : HOST_STAYS_US;
}

/* Is it time to try another relay beside the one in use? */
static bool wants_second(const struct tas_session *s, uint64_t now_us) {
    const struct leg *leg = &s->legs[s->leg];
    if (leg->state != LEG_JOINED || s->n_relays < 2)
        return false;
    bool is_matched = leg_is_matched(leg);
    bool is_silent = (is_matched || tas_state_keeps_keys(s->state)) && now_us - leg->last_rx_us >= SILENT_US;
    bool is_missed = is_seeking(s) && !is_matched && now_us - leg->peer_since_us >= seek_after_us(s);
    return leg->is_leaving || is_silent || is_missed;
}

static void seek(struct tas_session *s, uint64_t now_us) {
    unsigned other = other_leg(s);
    struct leg *second = &s->legs[other];
    if (second->state == LEG_FREE) {
        if (s->hop_us != 0 && now_us - s->hop_us < stay_time(s))
            return;
        s->hop_us = now_us;
        release_keys(s);
        leg_dial(s, other, relay_take_other(s), now_us);
    } else if (second->state == LEG_JOINED && s->n_relays > 2 && now_us - second->since_us >= stay_time(s)) {
        leg_hangup(s, other, TAS_CLOSE_REPLACED); /* the peer is not there either: on to the next */
    }
}

void line_tick(struct tas_session *s, uint64_t now_us) {
    if (s->state == TAS_STATE_CLOSED)
        return;
    for (unsigned i = 0; i < TAS_LEGS; i++)
        watch_leg(s, i, now_us);
    while (is_deserted(s) && now_us - s->legs[s->leg].peer_since_us >= DESERTED_US) { /* the second, too */
        unsigned leg = (unsigned)s->leg;
        leg_hangup(s, leg, TAS_CLOSE_REPLACED);
        line_on_leg_lost(s, leg, now_us);
    }
    if (s->leg == TAS_NO_LEG) {
        if (now_us >= s->retry_us)
            dial_first(s, now_us);
        return;
    }
    if (is_stranded(s) && now_us - s->legs[s->leg].peer_since_us >= FIRST_SEEKS_US)
        line_suspend(s, TAS_ON_PEER_LOST, now_us);
    if (wants_second(s, now_us))
        seek(s, now_us);
}

static uint64_t leg_deadline(const struct tas_session *s, unsigned i) {
    const struct leg *leg = &s->legs[i];
    if (leg->state == LEG_FREE || leg->state == LEG_CLOSING)
        return UINT64_MAX;
    if (leg->state != LEG_JOINED)
        return leg->since_us + JOIN_LIMIT_US;
    return earlier(leg->last_rx_us + IDLE_DEAD_US,
                   later(quiet_since(leg), leg->last_ping_us) + ping_period(leg));
}

/* When seek() would do something. */
static uint64_t seek_deadline(const struct tas_session *s) {
    const struct leg *leg = &s->legs[s->leg];
    const struct leg *second = &s->legs[other_leg(s)];
    if (leg->state != LEG_JOINED || s->n_relays < 2)
        return UINT64_MAX;
    uint64_t from = UINT64_MAX;
    if (leg_is_matched(leg) || tas_state_keeps_keys(s->state))
        from = leg->last_rx_us + SILENT_US;
    if (is_seeking(s) && !leg_is_matched(leg))
        from = earlier(from, leg->peer_since_us + seek_after_us(s));
    if (leg->is_leaving)
        from = 0;
    if (second->state == LEG_FREE)
        return s->hop_us ? later(from, s->hop_us + stay_time(s)) : from;
    if (second->state == LEG_JOINED && s->n_relays > 2)
        return later(from, second->since_us + stay_time(s));
    return UINT64_MAX;
}

uint64_t line_deadline_us(const struct tas_session *s) {
    uint64_t at = earlier(leg_deadline(s, 0), leg_deadline(s, 1));
    bool can_dial = s->legs[0].state == LEG_FREE || s->legs[1].state == LEG_FREE;
    if (s->leg == TAS_NO_LEG)
        return can_dial ? earlier(at, s->retry_us) : at;
    if (is_stranded(s))
        at = earlier(at, s->legs[s->leg].peer_since_us + FIRST_SEEKS_US);
    if (is_deserted(s))
        at = earlier(at, s->legs[s->leg].peer_since_us + DESERTED_US);
    return earlier(at, seek_deadline(s));
}
