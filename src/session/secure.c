/* From two sockets to two ends that know each other: handshake, AUTH, check code, resume (docs/protocol.md
 * sections 3 and 6). Attempts are counted here and never reset. */
#include "session/engine_private.h"

enum {
    HANDSHAKES_MAX = 3,
    CODE_TRIES_MAX = 2,
    BAD_RESUMES_MAX = 8,
    STEP_LIMIT_US = 10 * 1000 * 1000,     /* each H, AUTH */
    CODE_LIMIT_US = 5 * 60 * 1000 * 1000, /* KEYED to VERIFIED */
    SUSPEND_LIMIT_US = 5 * 60 * 1000 * 1000,
    REKEY_US = 15 * 60 * 1000 * 1000, /* what a stolen key is good for */
    REKEY_PAUSE_US = 2 * 1000 * 1000,
    REKEY_PATIENCE_US = 60 * 1000 * 1000,
    RS_RETRY_US = 4000 * 1000,
};

static void send_hs(struct tas_session *s, struct tas_bytes msg) {
    leg_put(&s->legs[s->leg], TAS_RECORD_HS, 0, (uint16_t)(1u << s->peer_slot), msg);
}

static struct tas_resume_pair pair_of(const struct tas_session *s) {
    return (struct tas_resume_pair){.viewer_slot = s->viewer_slot, .session_id = s->ticket.session_id};
}

/* One more handshake; false when there were too many (the session is then closed). */
static bool attempt(struct tas_session *s, uint64_t now_us) {
    if (s->handshakes >= HANDSHAKES_MAX) {
        engine_alarm(s, "too many handshakes: somebody may be trying to get in between");
        engine_close(s, TAS_END_ATTEMPTS, now_us);
        return false;
    }
    const struct tas_handshake_config cfg = {
        .crypto = s->cfg.crypto,
        .mem = s->cfg.mem,
        .random = s->cfg.random,
        .role = s->role,
        .viewer_slot = s->viewer_slot,
        .session_id = s->ticket.session_id,
        .suites = s->cfg.suites,
    };
    tas_handshake_free(s->hs);
    s->hs = tas_handshake_new(&cfg);
    if (!s->hs) {
        engine_close(s, TAS_END_NOMEM, now_us);
        return false;
    }
    return true;
}

/* The peer is there and there are no keys yet. */
void secure_start(struct tas_session *s, uint64_t now_us) {
    if (s->role == TAS_ROLE_HOST) {
        engine_move(s, TAS_ON_AWAIT_H1, now_us);
        return;
    }
    if (!attempt(s, now_us))
        return;
    s->handshakes++;
    uint8_t out[TAS_HS_MAX];
    int len = tas_handshake_start(s->hs, out);
    if (len < 0) {
        engine_close(s, TAS_END_NOMEM, now_us);
        return;
    }
    send_hs(s, tas_bytes_of(out, (size_t)len));
    engine_move(s, TAS_ON_AWAIT_H2, now_us);
}

static int send_auth(struct tas_session *s) {
    struct tas_msg_auth auth;
    uint8_t body[TAS_SIZE_STATEMENT + 96];
    int err = tas_auth_make(s->cfg.crypto, &auth, &s->sec->identity, &s->sec->current);
    return err == TAS_OK ? engine_send(s, TAS_MESSAGE_AUTH, TAS_CLASS_CONTROL, body,
                                       tas_msg_auth_encode(&auth, body, sizeof(body)))
                         : err;
}

/* Keys are there: start sealing. The viewer says at once who it is; the host answers (docs/protocol.md
 * section 3). */
static void keys_ready(struct tas_session *s, enum tas_state_event event, uint64_t now_us) {
    tas_handshake_take(s->hs, &s->sec->current);
    tas_handshake_free(s->hs);
    s->hs = NULL;
    s->has_generation = true;
    s->is_peer_known = false;
    int err = engine_keys(s, &s->sec->current, now_us);
    if (err == TAS_OK && s->role == TAS_ROLE_VIEWER)
        err = send_auth(s);
    if (err != TAS_OK) {
        engine_close(s, TAS_END_NOMEM, now_us);
        return;
    }
    engine_move(s, event, now_us);
}

static void handshake_failed(struct tas_session *s, uint64_t now_us) {
    engine_alarm(s, "the handshake was tampered with, or the other end is broken");
    engine_close(s, TAS_END_PROTOCOL, now_us);
}

static void host_on_handshake(struct tas_session *s, struct tas_bytes msg, uint64_t now_us) {
    uint8_t out[TAS_HS_MAX];
    bool is_h1 = msg.ptr[0] == 1;
    if (is_h1) { /* the viewer starts, or starts anew */
        if (s->state != TAS_STATE_H1 && s->state != TAS_STATE_H3 && s->state != TAS_STATE_AUTH) {
            engine_refused(s, "a handshake after the keys were agreed");
            return;
        }
        if (!attempt(s, now_us))
            return;
        tas_sealer_free(s->sealer);
        s->sealer = NULL;
        s->is_peer_known = false;
        tas_channels_on_suspend(&s->ch);
    }
    if (!s->hs) {
        engine_refused(s, "a handshake message out of order");
        return;
    }
    int len = tas_handshake_input(s->hs, msg, out);
    if (len < 0) {
        handshake_failed(s, now_us);
        return;
    }
    if (is_h1) {
        s->handshakes++;
        send_hs(s, tas_bytes_of(out, (size_t)len));
        engine_move(s, TAS_ON_GOT_H1, now_us);
        return;
    }
    keys_ready(s, TAS_ON_GOT_H3, now_us);
}

static void viewer_on_handshake(struct tas_session *s, struct tas_bytes msg, uint64_t now_us) {
    uint8_t out[TAS_HS_MAX];
    if (s->state != TAS_STATE_H2 || !s->hs) {
        engine_refused(s, "a handshake message out of order");
        return;
    }
    int len = tas_handshake_input(s->hs, msg, out);
    if (len < 0) {
        handshake_failed(s, now_us);
        return;
    }
    send_hs(s, tas_bytes_of(out, (size_t)len));
    keys_ready(s, TAS_ON_GOT_H2, now_us);
}

/* ---- AUTH ---- */

int secure_on_auth(struct tas_session *s, struct tas_bytes body, uint64_t now_us) {
    struct tas_msg_auth auth;
    if (s->state != TAS_STATE_AUTH || s->is_peer_known || tas_msg_auth_decode(&auth, body) != TAS_OK)
        return TAS_E_PROTO;
    const struct tas_auth_expected expected = {
        .keyset = &s->keyset,
        .session_id = s->ticket.session_id,
        .peer_slot = s->peer_slot,
        .now_ms = engine_server_ms(s, now_us),
    };
    int err = tas_auth_check(s->cfg.crypto, &s->peer, &auth, &s->sec->identity, &s->sec->current, &expected);
    if (err != TAS_OK) {
        engine_alarm(s, err == TAS_E_EXPIRED ? "the other end's statement has run out; check the clock"
                                             : "the other end could not show who it is");
        engine_close(s, TAS_END_IDENTITY, now_us);
        return TAS_OK;
    }
    s->is_peer_known = true;
    if (s->role == TAS_ROLE_HOST)
        return send_auth(s); /* KEYED with the next record: then the viewer knows us, too */
    uint8_t ack[8];
    const struct tas_msg_ack nothing_yet = {.rx_msgs = s->ch.ch[0].rx_msgs};
    err = engine_send(s, TAS_MESSAGE_ACK, TAS_CLASS_CONTROL, ack,
                      tas_msg_ack_encode(&nothing_yet, ack, sizeof(ack)));
    secure_on_first_record(s, now_us);
    return err;
}

/* Both AUTH hold and both ends know it. */
void secure_on_first_record(struct tas_session *s, uint64_t now_us) {
    if ((s->state != TAS_STATE_AUTH && s->state != TAS_STATE_H1) || !s->is_peer_known)
        return;
    engine_move(s, TAS_ON_AUTHENTICATED, now_us);
    if (s->keyed_us == 0)
        s->keyed_us = now_us; /* the time for the check code runs from here, whatever becomes of the line */
    if (!s->is_peer_told) {
        struct tas_event *ev = engine_event(s, TAS_EVENT_PEER, (struct tas_bytes){0});
        if (ev)
            ev->peer = s->peer;
        s->is_peer_told = true;
    }
    if (s->role != TAS_ROLE_HOST)
        return;
    uint32_t random;
    s->cfg.random.fill(s->cfg.random.ctx, &random, sizeof(random));
    s->sec->last3 = random % 1000; /* 2^32 mod 1000 = 296: a bias of one in 14 million */
    char code[TAS_CHECK_CODE_TEXT];
    tas_check_code_text(code, s->sec->current.sas6, s->sec->last3);
    struct tas_event *ev = engine_event(s, TAS_EVENT_CHECK_CODE, tas_bytes_of(code, sizeof(code)));
    if (ev)
        ev->text = (const char *)ev->data.ptr;
    tas_wipe(code, sizeof(code));
}

/* ---- check code ---- */

static void code_wrong(struct tas_session *s, uint64_t now_us) {
    s->code_tries++;
    struct tas_event *ev = engine_event(s, TAS_EVENT_CODE_WRONG, (struct tas_bytes){0});
    if (ev)
        ev->number = s->code_tries < CODE_TRIES_MAX ? CODE_TRIES_MAX - s->code_tries : 0;
    if (s->code_tries < CODE_TRIES_MAX)
        return;
    engine_alarm(s, "the check code was wrong twice: somebody may be in between");
    engine_close(s, TAS_END_CODE, now_us);
}

int tas_session_type_code(struct tas_session *s, const char *typed, uint64_t now_us) {
    uint32_t sas6 = 0;
    uint32_t last3 = 0;
    if (s->role != TAS_ROLE_VIEWER || s->state != TAS_STATE_KEYED || s->is_code_out)
        return TAS_E_STATE;
    if (tas_check_code_parse(&sas6, &last3, typed) != TAS_OK)
        return TAS_E_PROTO;
    if (!tas_same_secret(&sas6, &s->sec->current.sas6, sizeof(sas6))) {
        code_wrong(s, now_us);
        return TAS_E_AUTH;
    }
    uint8_t body[2];
    const struct tas_msg_verify verify = {.last3 = (uint16_t)last3};
    s->is_code_out = true;
    return engine_send(s, TAS_MESSAGE_VERIFY, TAS_CLASS_CONTROL, body,
                       tas_msg_verify_encode(&verify, body, sizeof(body)));
}

int secure_on_verify(struct tas_session *s, struct tas_bytes body, uint64_t now_us) {
    struct tas_msg_verify verify;
    if (s->role != TAS_ROLE_HOST || s->state != TAS_STATE_KEYED ||
        tas_msg_verify_decode(&verify, body) != TAS_OK)
        return TAS_E_PROTO;
    uint32_t typed = verify.last3;
    bool is_right = tas_same_secret(&typed, &s->sec->last3, sizeof(typed));
    unsigned left = CODE_TRIES_MAX - s->code_tries - (is_right ? 0 : 1);
    uint8_t out[2];
    const struct tas_msg_verified answer = {.is_right = is_right, .tries_left = (uint8_t)left};
    int err = engine_send(s, TAS_MESSAGE_VERIFIED, TAS_CLASS_CONTROL, out,
                          tas_msg_verified_encode(&answer, out, sizeof(out)));
    if (!is_right) {
        code_wrong(s, now_us);
        return err;
    }
    tas_wipe(&s->sec->last3, sizeof(s->sec->last3));
    engine_move(s, TAS_ON_CODE_RIGHT, now_us);
    host_tell_grants(s);
    return err;
}

int secure_on_verified(struct tas_session *s, struct tas_bytes body, uint64_t now_us) {
    struct tas_msg_verified verified;
    if (s->role != TAS_ROLE_VIEWER || s->state != TAS_STATE_KEYED ||
        tas_msg_verified_decode(&verified, body) != TAS_OK)
        return TAS_E_PROTO;
    if (!s->is_code_out)
        return TAS_E_PROTO; /* an answer that nobody asked for: no code was typed here */
    s->is_code_out = false;
    if (verified.is_right)
        engine_move(s, TAS_ON_CODE_RIGHT, now_us);
    else
        code_wrong(s, now_us);
    return TAS_OK;
}

/* ---- resume ---- */

static void bad_resume(struct tas_session *s, uint64_t now_us) {
    engine_refused(s, "a resume message that is not from the other end");
    if (++s->bad_resumes < BAD_RESUMES_MAX)
        return;
    engine_alarm(s, "too many forged resume messages");
    engine_close(s, TAS_END_PROTOCOL, now_us);
}

/* Viewer: ask for new keys under the generation that we name. */
void line_send_rs1(struct tas_session *s, uint64_t now_us) {
    bool names_next = s->has_next && s->rs_names_next;
    const struct tas_generation *gen = names_next ? &s->sec->next : &s->sec->current;
    const struct tas_resume_pair pair = pair_of(s);
    struct tas_resume_half *half = &s->sec->rs_half[names_next];
    /* Asked once on a line for each generation, and anew on the next line: keys of an exchange are never used
     * twice, and a late answer still fits. */
    if (tas_resume_make(s->cfg.crypto, half, &s->cfg.random, &s->sec->identity, &pair, gen, NULL) != TAS_OK) {
        engine_close(s, TAS_END_NOMEM, now_us);
        return;
    }
    s->is_rs_made[names_next] = true;
    send_hs(s, tas_bytes_of(half->bytes, sizeof(half->bytes)));
    s->is_rs_out = true;
    s->rs_us = now_us;
}

/* New keys are agreed: seal with them and tell what we have. */
static void resumed(struct tas_session *s, uint64_t now_us) {
    s->has_next = true;
    s->awaits_sync = true;
    if (engine_keys(s, &s->sec->next, now_us) != TAS_OK) {
        engine_close(s, TAS_END_NOMEM, now_us);
        return;
    }
    struct tas_msg_sync sync = {.stream = s->si.stream, .last_frame = s->si.last_frame};
    for (int ch = 0; ch < TAS_CHANNELS; ch++)
        sync.rx_msgs[ch] = s->ch.ch[ch].rx_msgs;
    uint8_t body[72];
    if (engine_send(s, TAS_MESSAGE_SYNC, TAS_CLASS_CONTROL, body,
                    tas_msg_sync_encode(&sync, body, sizeof(body))) != TAS_OK)
        engine_close(s, TAS_END_NOMEM, now_us);
}

static void host_answer(struct tas_session *s, struct tas_bytes msg, uint64_t now_us) {
    const struct tas_resume_pair pair = pair_of(s);
    struct tas_resume_half half;
    int err = tas_resume_make(s->cfg.crypto, &half, &s->cfg.random, &s->sec->identity, &pair,
                              &s->sec->current, msg.ptr);
    if (err == TAS_OK)
        err =
            tas_resume_derive(s->cfg.crypto, &s->sec->next, &s->sec->current, &half, TAS_ROLE_HOST, msg.ptr);
    if (err == TAS_OK) {
        memcpy(s->rs1, msg.ptr, sizeof(s->rs1));
        memcpy(s->rs2, half.bytes, sizeof(s->rs2));
        s->has_rs = true;
        send_hs(s, tas_bytes_of(s->rs2, sizeof(s->rs2)));
    }
    tas_wipe(&half, sizeof(half));
    if (err == TAS_OK)
        resumed(s, now_us);
    else
        bad_resume(s, now_us);
}

static void host_on_rs1(struct tas_session *s, struct tas_bytes msg, uint64_t now_us) {
    /* H1 and AUTH: the viewer got our AUTH, and the line was lost before we heard of it. */
    bool is_half = s->state == TAS_STATE_AUTH || s->state == TAS_STATE_H1;
    if (!s->is_peer_known || !(tas_state_keeps_keys(s->state) || is_half)) {
        engine_refused(s, "a resume of a session that has no keys yet");
        return;
    }
    bool is_again = s->has_rs && msg.len == sizeof(s->rs1) && memcmp(s->rs1, msg.ptr, sizeof(s->rs1)) == 0;
    if (is_again) {
        if (s->state == TAS_STATE_SUSPENDED) /* the same question on the same line has the same answer */
            send_hs(s, tas_bytes_of(s->rs2, sizeof(s->rs2)));
        return;
    }
    const struct tas_resume_pair pair = pair_of(s);
    int err = tas_resume_check(s->cfg.crypto, msg, s->role, s->peer.pop_pk, &pair, &s->sec->current, NULL);
    if (err == TAS_E_ABSENT && s->has_next) {
        err = tas_resume_check(s->cfg.crypto, msg, s->role, s->peer.pop_pk, &pair, &s->sec->next, NULL);
        if (err == TAS_OK)
            s->sec->current = s->sec->next; /* the viewer got that far, so it has those keys */
    }
    if (err == TAS_E_ABSENT)
        return; /* a generation that we do not have: the viewer tries its other one in four seconds */
    if (err != TAS_OK) {
        bad_resume(s, now_us);
        return;
    }
    if (is_half) /* the viewer is KEYED, or it would not resume: so are we */
        secure_on_first_record(s, now_us);
    line_suspend(s, TAS_ON_PEER_LOST, now_us);
    host_answer(s, msg, now_us);
}

/* The answer to one of our questions on this line; which of the two decides which generation it goes on from.
 */
static int check_rs2(struct tas_session *s, struct tas_bytes msg, bool names_next,
                     struct tas_generation *out) {
    const struct tas_generation *gen = names_next ? &s->sec->next : &s->sec->current;
    const struct tas_resume_half *half = &s->sec->rs_half[names_next];
    const struct tas_resume_pair pair = pair_of(s);
    if (!s->is_rs_made[names_next])
        return TAS_E_ABSENT;
    int err = tas_resume_check(s->cfg.crypto, msg, s->role, s->peer.pop_pk, &pair, gen, half->bytes);
    return err == TAS_OK ? tas_resume_derive(s->cfg.crypto, out, gen, half, s->role, msg.ptr) : err;
}

static void viewer_on_rs2(struct tas_session *s, struct tas_bytes msg, uint64_t now_us) {
    if (!s->is_rs_out) {
        bad_resume(s, now_us);
        return;
    }
    struct tas_generation next;
    bool named_next = true;
    int err = check_rs2(s, msg, true, &next);
    if (err != TAS_OK) {
        named_next = false;
        err = check_rs2(s, msg, false, &next);
    }
    if (err != TAS_OK) {
        bad_resume(s, now_us);
        return;
    }
    if (named_next)
        s->sec->current = s->sec->next;
    s->sec->next = next;
    tas_wipe(&next, sizeof(next));
    secure_forget_resume(s);
    s->rs_tries = 0;
    s->is_rs_out = false;
    s->rs_names_next = true;
    resumed(s, now_us);
}

/* A line is over: what was asked and answered on it is never used again. */
void secure_forget_resume(struct tas_session *s) {
    tas_wipe(s->sec->rs_half, sizeof(s->sec->rs_half));
    s->is_rs_made[0] = s->is_rs_made[1] = false;
    s->has_rs = false;
}

/* The peer tells what it has: what it lacks goes out again, and the session is back where it was. */
int secure_on_sync(struct tas_session *s, struct tas_bytes body, uint64_t now_us) {
    struct tas_msg_sync sync;
    if (!s->awaits_sync || s->state != TAS_STATE_SUSPENDED || tas_msg_sync_decode(&sync, body) != TAS_OK)
        return TAS_E_PROTO;
    for (uint8_t ch = 0; ch < TAS_CHANNELS; ch++) {
        int err =
            tas_channel_rule(ch)->is_replayed ? tas_channels_on_ack(&s->ch, ch, sync.rx_msgs[ch]) : TAS_OK;
        if (err != TAS_OK)
            return err;
    }
    s->awaits_sync = false;
    s->bad_resumes = 0;
    s->dials = 0; /* the relay in use is good: after it, begin anew */
    s->resumes++;
    s->state_since_us = now_us;
    engine_move(s,
                s->resume_to == TAS_STATE_ACTIVE     ? TAS_ON_RESUMED_ACTIVE
                : s->resume_to == TAS_STATE_VERIFIED ? TAS_ON_RESUMED_VERIFIED
                                                     : TAS_ON_RESUMED_KEYED,
                now_us);
    if (s->role == TAS_ROLE_HOST)
        return host_on_resumed(s, &sync);
    viewer_on_resumed(s);
    return TAS_OK;
}

/* ---- all of it ---- */

void secure_on_hs(struct tas_session *s, struct tas_bytes msg, uint64_t now_us) {
    if (msg.len < 24) {
        engine_refused(s, "a handshake message that is too short");
        return;
    }
    bool is_host = s->role == TAS_ROLE_HOST;
    uint8_t type = msg.ptr[0];
    if (is_host && (type == 1 || type == 3))
        host_on_handshake(s, msg, now_us);
    else if (is_host && type == TAS_RS1)
        host_on_rs1(s, msg, now_us);
    else if (!is_host && type == 2)
        viewer_on_handshake(s, msg, now_us);
    else if (!is_host && type == TAS_RS2)
        viewer_on_rs2(s, msg, now_us);
    else if (type == TAS_RS1 || type == TAS_RS2)
        bad_resume(s, now_us); /* our own, reflected */
    else
        engine_refused(s, "a handshake message that is not for this end");
}

/* ---- fresh keys every quarter of an hour ---- */

void secure_keys_are_new(struct tas_session *s, uint64_t now_us) {
    s->keys_since_us = now_us;
    s->rekey_us = now_us + REKEY_US;
    s->rekey_input_seq = s->input_seq;
}

static bool may_rekey(const struct tas_session *s) {
    return s->role == TAS_ROLE_VIEWER && s->state == TAS_STATE_ACTIVE && s->leg != TAS_NO_LEG &&
           leg_is_matched(&s->legs[s->leg]);
}

/* A resume on the same line: whoever stole a key has it for so long and no longer. It releases the keys held
 * at the customer's, so it waits a little for a pause in the operator's input. */
static void rekey_tick(struct tas_session *s, uint64_t now_us) {
    if (!may_rekey(s) || now_us < s->rekey_us)
        return;
    bool is_busy = s->input_seq != s->rekey_input_seq;
    if (is_busy && now_us < s->keys_since_us + REKEY_US + REKEY_PATIENCE_US) {
        s->rekey_input_seq = s->input_seq;
        s->rekey_us = now_us + REKEY_PAUSE_US;
        return;
    }
    line_suspend(s, TAS_ON_PEER_LOST, now_us);
    s->rs_names_next = true;
    line_send_rs1(s, now_us);
}

/* ---- clocks ---- */

/* When the present state has lasted too long; UINT64_MAX: it may last. */
static uint64_t state_limit(const struct tas_session *s) {
    switch (s->state) {
    case TAS_STATE_H1:
    case TAS_STATE_H2:
    case TAS_STATE_H3:
    case TAS_STATE_AUTH:
        return s->state_since_us + STEP_LIMIT_US;
    case TAS_STATE_KEYED:
        return s->keyed_us + CODE_LIMIT_US;
    case TAS_STATE_SUSPENDED:
        if (s->resume_to == TAS_STATE_KEYED &&
            s->keyed_us + CODE_LIMIT_US < s->suspended_us + SUSPEND_LIMIT_US)
            return s->keyed_us + CODE_LIMIT_US;
        return s->suspended_us + SUSPEND_LIMIT_US;
    default:
        return UINT64_MAX;
    }
}

/* 4 s, doubling to 32: a line may be slower than any guess. */
static uint64_t rs_retry_us(const struct tas_session *s) {
    return (uint64_t)RS_RETRY_US << (s->rs_tries > 3 ? 3 : s->rs_tries);
}

/* No answer: ask under the other generation, if there are two, else on another line. */
static void ask_otherwise(struct tas_session *s, uint64_t now_us) {
    bool can_send = s->leg != TAS_NO_LEG && leg_is_matched(&s->legs[s->leg]);
    if (!can_send) {
        s->is_rs_out = false; /* asked again when the peer shows */
        return;
    }
    if (s->has_next && !(s->is_rs_made[0] && s->is_rs_made[1])) {
        s->rs_names_next = !s->rs_names_next;
        line_send_rs1(s, now_us);
        return;
    }
    s->rs_tries++;
    unsigned leg = (unsigned)s->leg;
    leg_hangup(s, leg, TAS_CLOSE_REPLACED);
    line_on_leg_lost(s, leg, now_us);
}

uint64_t secure_deadline_us(const struct tas_session *s) {
    uint64_t at = state_limit(s);
    if (s->is_rs_out && s->rs_us + rs_retry_us(s) < at)
        at = s->rs_us + rs_retry_us(s);
    if (may_rekey(s) && s->rekey_us < at)
        at = s->rekey_us;
    return at;
}

void secure_tick(struct tas_session *s, uint64_t now_us) {
    if (now_us >= state_limit(s)) {
        engine_close(s, s->state == TAS_STATE_SUSPENDED ? TAS_END_LOST : TAS_END_TIMEOUT, now_us);
        return;
    }
    if (s->is_rs_out && now_us >= s->rs_us + rs_retry_us(s))
        ask_otherwise(s, now_us);
    rekey_tick(s, now_us);
}
