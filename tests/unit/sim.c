#include "sim.h"

#include "base/rand.h"
#include "codec/codec.h"
#include "wire/messages.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    SILENT_US = 1000 * 1000,
    DEAD_US = 20 * 1000 * 1000,
    STEP_MAX_US = 50 * 1000,
    SOCKET_US = 2000,
    RESEND_US = 20 * 1000
};

/* ---- the management server's part ---- */

static void fill_random(void *ctx, void *out, size_t len) {
    (void)ctx;
    tas_random(out, len);
}

void sim_sign_ticket(const struct sim_world *w, uint8_t out[TAS_SIZE_TICKET],
                     const struct tas_msg_ticket *t) {
    int len = tas_msg_ticket_encode(t, out, TAS_SIZE_TICKET);
    assert(len == TAS_SIZE_TICKET);
    struct tas_bytes part = tas_bytes_of(out, TAS_TICKET_SIGNED);
    int err = tas_sign(tas_crypto_native(), out + TAS_TICKET_SIGNED, w->ticket_seed, "TSK1 ticket", &part, 1);
    assert(err == TAS_OK);
}

void sim_sign_statement(const struct sim_world *w, uint8_t out[TAS_SIZE_STATEMENT],
                        struct tas_msg_statement *st) {
    int len = tas_msg_statement_encode(st, out, TAS_SIZE_STATEMENT);
    assert(len == TAS_SIZE_STATEMENT);
    struct tas_bytes part = tas_bytes_of(out, TAS_STATEMENT_SIGNED);
    int err = tas_sign(tas_crypto_native(), out + TAS_STATEMENT_SIGNED, w->statement_seed, "TSK1 statement",
                       &part, 1);
    assert(err == TAS_OK);
}

static const uint64_t session_id = 0x1122334455667788;
static const uint64_t server_ms = 1795000000000;

static void world_end(struct sim_world *w, unsigned end) {
    struct tas_session_config *cfg = &w->cfg[end];
    const struct tas_crypto *c = tas_crypto_native();
    *cfg = (struct tas_session_config){
        .crypto = c,
        .mem = &tas_secret_heap,
        .random = {fill_random, NULL},
        .identity = {.role = end == SIM_HOST ? TAS_ROLE_HOST : TAS_ROLE_VIEWER, .slot = (uint8_t)end},
        .keyset = &w->keyset,
        .server_ms = server_ms,
    };
    tas_random(cfg->identity.pop_seed, 32);
    int err = c->ed25519_public(cfg->identity.pop_pk, cfg->identity.pop_seed);
    assert(err == TAS_OK);
    struct tas_msg_ticket t = {.ver = 1,
                               .kid = 1,
                               .role = (uint8_t)cfg->identity.role,
                               .slot = (uint8_t)end,
                               .perms = 0x7f,
                               .max_viewers = 1,
                               .session_id = session_id,
                               .not_before_ms = server_ms,
                               .connect_ttl_s = 60,
                               .session_ttl_s = 900,
                               .relay_ids = {1, 2},
                               .kind = 1};
    memcpy(t.pop_pk, cfg->identity.pop_pk, 32);
    sim_sign_ticket(w, cfg->ticket, &t);
    struct tas_msg_statement st = {.ver = 1,
                                   .kid = 2,
                                   .role = t.role,
                                   .slot = t.slot,
                                   .perms = 0x7f,
                                   .kind = 1,
                                   .session_id = session_id,
                                   .not_after_ms = server_ms + 3600 * 1000};
    memcpy(st.pop_pk, cfg->identity.pop_pk, 32);
    snprintf((char *)st.company, sizeof(st.company), "%s", "例株式会社");
    snprintf((char *)st.name, sizeof(st.name), "%s", end == SIM_HOST ? "お客様" : "佐藤 Sato");
    sim_sign_statement(w, cfg->identity.statement, &st);
}

void sim_world_init(struct sim_world *w) {
    memset(w, 0, sizeof(*w));
    tas_random(w->root_seed, 32);
    tas_random(w->ticket_seed, 32);
    tas_random(w->statement_seed, 32);
    w->keyset = (struct tas_keyset){.sequence = 1, .count = 2};
    w->keyset.keys[0] = (struct tas_msg_keyset_key){.kid = 1, .use = TAS_USE_TICKET, .to_ms = UINT64_MAX};
    w->keyset.keys[1] = (struct tas_msg_keyset_key){.kid = 2, .use = TAS_USE_STATEMENT, .to_ms = UINT64_MAX};
    int err = tas_crypto_native()->ed25519_public(w->keyset.keys[0].pk, w->ticket_seed);
    err |= tas_crypto_native()->ed25519_public(w->keyset.keys[1].pk, w->statement_seed);
    assert(err == TAS_OK);
    world_end(w, SIM_HOST);
    world_end(w, SIM_VIEWER);
}

/* ---- cables ---- */

static void packet_insert(struct sim *sim, struct sim_packet *p) {
    struct sim_packet **at = &sim->packets;
    while (*at && (*at)->at_us <= p->at_us)
        at = &(*at)->next;
    p->next = *at;
    *at = p;
}

static void packet_send(struct sim *sim, unsigned end, unsigned leg, bool to_relay, struct tas_bytes bytes) {
    struct sim_socket *sock = &sim->sock[end][leg];
    uint64_t start =
        sim->busy_until_us[end][to_relay] > sim->now_us ? sim->busy_until_us[end][to_relay] : sim->now_us;
    uint64_t took = sim->rate_Bps[end] ? bytes.len * 1000000u / sim->rate_Bps[end] : 0;
    sim->busy_until_us[end][to_relay] = start + took;
    struct sim_packet *p = calloc(1, sizeof(*p) + bytes.len);
    if (!p)
        p = calloc(1, sizeof(*p) + bytes.len); /* a failure that a test made is meant for the ends */
    assert(p);
    *p = (struct sim_packet){.at_us = start + took + sim->delay_us,
                             .end = end,
                             .leg = leg,
                             .generation = sock->generation,
                             .to_relay = to_relay,
                             .len = bytes.len};
    memcpy(p->bytes, bytes.ptr, bytes.len);
    packet_insert(sim, p);
}

void sim_relay_says(struct sim *sim, unsigned end, unsigned leg, uint8_t type, uint8_t pf, uint16_t route,
                    struct tas_bytes payload) {
    uint8_t all[TAS_RECORD_HEAD + TAS_RECORD_MAX];
    tas_record_head_encode(all, type, pf, route, payload.len);
    memcpy(all + TAS_RECORD_HEAD, payload.ptr, payload.len);
    packet_send(sim, end, leg, false, tas_bytes_of(all, TAS_RECORD_HEAD + payload.len));
}

/* ---- the relays ---- */

int sim_joined_leg(const struct sim *sim, unsigned end, unsigned relay) {
    for (int leg = 0; leg < TAS_LEGS; leg++)
        if (sim->sock[end][leg].is_joined && sim->sock[end][leg].relay == relay)
            return leg;
    return -1;
}

static void tell_peer(struct sim *sim, unsigned whom, unsigned leg, unsigned about, uint8_t state,
                      uint32_t inc) {
    uint8_t body[8];
    const struct tas_msg_peer peer = {.slot = (uint8_t)about, .state = state, .incarnation = inc};
    int len = tas_msg_peer_encode(&peer, body, sizeof(body));
    sim_relay_says(sim, whom, leg, TAS_RECORD_PEER, 0, 0, tas_bytes_of(body, (size_t)len));
}

/* Its TCP connection is gone, and the end hears of it unless its cable is cut. */
void sim_socket_lose(struct sim *sim, unsigned end, unsigned leg) {
    struct sim_socket *sock = &sim->sock[end][leg];
    if (!sock->is_open)
        return;
    bool was_joined = sock->is_joined;
    sock->is_open = sock->is_joined = false;
    sock->generation = 0;
    int other = was_joined ? sim_joined_leg(sim, !end, sock->relay) : -1;
    if (other >= 0)
        tell_peer(sim, !end, (unsigned)other, end, TAS_PEER_SUSPENDED, sock->incarnation);
    if (!sim->is_cut[end] && !sim->is_cut_from[end][sock->relay])
        tas_session_lost(sim->end[end], leg, sim->now_us);
}

/* What a relay notices by the clock. */
static void relays_tick(struct sim *sim) {
    for (unsigned end = 0; end < 2; end++)
        for (unsigned leg = 0; leg < TAS_LEGS; leg++) {
            struct sim_socket *sock = &sim->sock[end][leg];
            uint64_t silent = sim->now_us - sock->last_rx_us;
            int other = sock->is_joined ? sim_joined_leg(sim, !end, sock->relay) : -1;
            if (other < 0 || silent < SILENT_US)
                continue;
            if (silent >= DEAD_US) {
                sim_socket_lose(sim, end, leg);
            } else if (!sock->is_silent) {
                sock->is_silent = true;
                tell_peer(sim, !end, (unsigned)other, end, TAS_PEER_SUSPENDED, sock->incarnation);
            }
        }
}

static void relay_heard(struct sim *sim, unsigned end, unsigned leg) {
    struct sim_socket *sock = &sim->sock[end][leg];
    sock->last_rx_us = sim->now_us;
    int other = sock->is_silent ? sim_joined_leg(sim, !end, sock->relay) : -1;
    sock->is_silent = false;
    if (other >= 0)
        tell_peer(sim, !end, (unsigned)other, end, TAS_PEER_JOINED, sock->incarnation);
}

static void on_proof(struct sim *sim, unsigned end, unsigned leg) {
    struct sim_socket *sock = &sim->sock[end][leg];
    int old = sim_joined_leg(sim, end, sock->relay);
    if (old >= 0)
        sim_socket_lose(sim, end, (unsigned)old); /* the newer socket of a slot wins */
    sock->is_joined = true;
    sock->incarnation = ++sim->last_incarnation;
    uint8_t body[40];
    const struct tas_msg_welcome w = {
        .slot = (uint8_t)end, .keepalive_s = 10, .grace_s = 120, .max_payload = TAS_RECORD_MAX};
    int len = tas_msg_welcome_encode(&w, body, sizeof(body));
    sim_relay_says(sim, end, leg, TAS_RECORD_WELCOME, 0, 0, tas_bytes_of(body, (size_t)len));
    int other = sim_joined_leg(sim, !end, sock->relay);
    if (other < 0)
        return;
    tell_peer(sim, end, leg, !end, TAS_PEER_JOINED, sim->sock[!end][other].incarnation);
    tell_peer(sim, !end, (unsigned)other, end, TAS_PEER_JOINED, sock->incarnation);
}

static void on_record(struct sim *sim, unsigned end, unsigned leg, struct tas_record *rec, uint8_t *bytes,
                      size_t len) {
    struct sim_socket *sock = &sim->sock[end][leg];
    if (rec->type == TAS_RECORD_HELLO) {
        uint8_t body[48];
        uint32_t id = sim->challenge_id[sock->relay];
        const struct tas_msg_challenge ch = {.ver = 1, .relay_id = id ? id : sock->relay + 1};
        if (sim->refuses_tickets[sock->relay]) {
            const struct tas_msg_close close = {.code = TAS_CLOSE_TICKET};
            int len_close = tas_msg_close_encode(&close, body, sizeof(body));
            sim_relay_says(sim, end, leg, TAS_RECORD_CLOSE, 0, 0, tas_bytes_of(body, (size_t)len_close));
            return;
        }
        int n = tas_msg_challenge_encode(&ch, body, sizeof(body));
        sim_relay_says(sim, end, leg, TAS_RECORD_CHALLENGE, 0, 0, tas_bytes_of(body, (size_t)n));
    } else if (rec->type == TAS_RECORD_PROOF) {
        on_proof(sim, end, leg);
    } else if (rec->type == TAS_RECORD_PING) {
        sim_relay_says(sim, end, leg, TAS_RECORD_PONG, 0, 0, rec->payload);
    } else if (rec->type == TAS_RECORD_HS || rec->type == TAS_RECORD_DATA) {
        int other = sim_joined_leg(sim, !end, sock->relay);
        sim->n_records++;
        if (rec->type == TAS_RECORD_DATA)
            sim->n_class[end][rec->pf & TAS_PF_CLASS]++;
        else
            sim->n_hs[end][rec->payload.ptr[0] & 7]++;
        if (sim->tamper && !sim->tamper(sim, end, rec, bytes, len))
            return;
        if (other >= 0)
            sim_relay_says(sim, !end, (unsigned)other, rec->type, rec->pf, (uint16_t)end, rec->payload);
    }
}

static void relay_take(struct sim *sim, struct sim_packet *p) {
    struct sim_socket *sock = &sim->sock[p->end][p->leg];
    assert(sock->acc_len + p->len <= sizeof(sock->acc));
    relay_heard(sim, p->end, p->leg);
    memcpy(sock->acc + sock->acc_len, p->bytes, p->len);
    sock->acc_len += p->len;
    for (;;) {
        struct tas_record rec;
        size_t used;
        if (tas_record_decode(&rec, &used, tas_bytes_of(sock->acc, sock->acc_len)) != TAS_OK)
            return;
        on_record(sim, p->end, p->leg, &rec, sock->acc, used);
        sock->acc_len -= used;
        memmove(sock->acc, sock->acc + used, sock->acc_len);
    }
}

/* An orderly close: what was sent before it still arrives. */
static void socket_close(struct sim *sim, unsigned end, unsigned leg) {
    struct sim_socket *sock = &sim->sock[end][leg];
    bool is_cut = sim->is_cut[end] || sim->is_cut_from[end][sock->relay];
    for (struct sim_packet *p = sim->packets; p && !is_cut; p = p->next)
        if (p->to_relay && p->end == end && p->leg == leg && p->generation == sock->generation) {
            relay_take(sim, p);
            p->generation = 0; /* taken */
        }
    bool was_joined = sock->is_joined;
    sock->is_open = sock->is_joined = false;
    sock->generation = 0;
    int other = was_joined ? sim_joined_leg(sim, !end, sock->relay) : -1;
    if (other >= 0)
        tell_peer(sim, !end, (unsigned)other, end, TAS_PEER_SUSPENDED, sock->incarnation);
}

void sim_relay_kill(struct sim *sim, unsigned relay) {
    sim->relay_is_down[relay] = true;
    for (unsigned end = 0; end < 2; end++)
        for (unsigned leg = 0; leg < TAS_LEGS; leg++)
            if (sim->sock[end][leg].is_open && sim->sock[end][leg].relay == relay) {
                struct sim_socket *sock = &sim->sock[end][leg];
                sock->is_open = sock->is_joined = false;
                sock->generation = 0;
                if (!sim->is_cut[end] && !sim->is_cut_from[end][relay])
                    tas_session_lost(sim->end[end], leg, sim->now_us);
            }
}

void sim_relay_start(struct sim *sim, unsigned relay) {
    sim->relay_is_down[relay] = false;
}

/* ---- the owners of the ends ---- */

static void copy_text(char out[SIM_TEXT_MAX], struct tas_bytes text) {
    size_t n = text.len < SIM_TEXT_MAX - 1 ? text.len : SIM_TEXT_MAX - 1;
    if (n)
        memcpy(out, text.ptr, n);
    out[n] = '\0';
}

static void on_dial(struct sim *sim, unsigned end, unsigned leg, uint32_t relay_id) {
    struct sim_socket *sock = &sim->sock[end][leg];
    unsigned relay = relay_id - 1;
    assert(relay < SIM_RELAYS && !sock->is_open);
    if (sim->relay_is_down[relay]) {
        tas_session_lost(sim->end[end], leg, sim->now_us);
        return;
    }
    if (sim->is_cut[end] || sim->is_cut_from[end][relay])
        return; /* SYN without an answer: the engine gives up by itself */
    *sock = (struct sim_socket){
        .is_open = true, .relay = relay, .generation = ++sim->last_generation, .last_rx_us = sim->now_us};
    static const uint8_t cb[32];
    tas_session_secured(sim->end[end], leg, cb, sim->now_us);
}

static void flush(struct sim *sim, unsigned end, unsigned leg) {
    for (int i = 0; i < 64; i++) {
        struct tas_bytes out = tas_session_output(sim->end[end], leg, sim->now_us);
        if (!out.len)
            return;
        if (sim->sock[end][leg].is_open)
            packet_send(sim, end, leg, true, out);
        tas_session_sent(sim->end[end], leg, out.len);
    }
}

static void on_state(struct sim *sim, unsigned end, enum tas_state state) {
    sim->state[end] = state;
    if (end != SIM_VIEWER)
        return;
    if (state == TAS_STATE_SUSPENDED && !sim->suspended_us)
        sim->suspended_us = sim->now_us;
    if (state == TAS_STATE_ACTIVE && sim->suspended_us) {
        uint64_t took = sim->now_us - sim->suspended_us;
        sim->longest_us = took > sim->longest_us ? took : sim->longest_us;
        sim->suspended_us = 0;
    }
}

static void on_frame(struct sim *sim, struct tas_bytes frame) {
    if (!sim->decode)
        return;
    struct tas_frame_head head;
    if (tas_frame_head_decode(&head, frame) == TAS_OK && sim->n_ages < SIM_AGES_MAX)
        sim->frame_age_us[sim->n_ages++] = sim->now_us - head.capture_us;
    int err = tas_session_decode(sim->end[SIM_VIEWER], NULL);
    (void)err;
    tas_session_presented(sim->end[SIM_VIEWER], 1000, sim->now_us);
}

static void on_event(struct sim *sim, unsigned end, const struct tas_event *ev) {
    if (sim->n_seen[end] < SIM_SEEN_MAX)
        sim->seen[end][sim->n_seen[end]++] = ev->kind;
    if (sim->on_event)
        sim->on_event(sim, end, ev);
    switch (ev->kind) {
    case TAS_EVENT_DIAL:
        on_dial(sim, end, ev->leg, ev->relay_id);
        break;
    case TAS_EVENT_HANGUP:
        flush(sim, end, ev->leg);
        if (sim->sock[end][ev->leg].is_open)
            socket_close(sim, end, ev->leg);
        tas_session_lost(sim->end[end], ev->leg, sim->now_us);
        break;
    case TAS_EVENT_STATE:
        on_state(sim, end, ev->state);
        break;
    case TAS_EVENT_CHECK_CODE:
        snprintf(sim->code, sizeof(sim->code), "%s", ev->text);
        break;
    case TAS_EVENT_CHAT:
        copy_text(sim->chat[end], ev->data);
        sim->n_chat[end]++;
        break;
    case TAS_EVENT_DEVICE:
        sim->n_device++;
        sim->device_len = ev->data.len;
        break;
    case TAS_EVENT_ALARM:
        snprintf(sim->alarm[end], SIM_TEXT_MAX, "%s", ev->text);
        break;
    case TAS_EVENT_REFUSED:
        snprintf(sim->refused[end], SIM_TEXT_MAX, "%s", ev->text);
        sim->n_refused[end]++;
        break;
    case TAS_EVENT_PEER:
        sim->peer[end] = ev->peer;
        break;
    case TAS_EVENT_GRANTS:
        sim->grants = ev->number;
        break;
    case TAS_EVENT_INPUT:
        sim->input_latency_us[sim->n_input % 64] = sim->now_us - sim->input_at_us[ev->input.keycode % 64];
        sim->input[sim->n_input++ % 64] = ev->input;
        break;
    case TAS_EVENT_RELEASE_KEYS:
        sim->n_released++;
        break;
    case TAS_EVENT_FRAME:
        on_frame(sim, ev->data);
        break;
    case TAS_EVENT_CLOSED:
        sim->closed[end] = ev->number;
        break;
    default:
        break;
    }
}

static void drain(struct sim *sim, unsigned end) {
    struct tas_event ev;
    for (;;) {
        tas_session_event(sim->end[end], &ev);
        if (ev.kind == TAS_EVENT_NONE)
            return;
        on_event(sim, end, &ev);
    }
}

static void give_picture(struct sim *sim) {
    if (sim->screen && tas_session_wants_picture(sim->end[SIM_HOST], sim->now_us)) {
        if (sim->paint)
            sim->paint(sim);
        int err = tas_session_picture(sim->end[SIM_HOST], sim->screen, sim->now_us);
        assert(err == TAS_OK || err == TAS_E_NOMEM);
    }
}

/* Bytes leave an end only while its cable takes them at once, as with a socket whose buffer is small. */
static bool cable_is_free(const struct sim *sim, unsigned end) {
    return sim->busy_until_us[end][1] <= sim->now_us + SOCKET_US;
}

static void step(struct sim *sim) {
    for (int again = 0; again < 3; again++) {
        for (unsigned end = 0; end < 2; end++) {
            drain(sim, end);
            if (end == SIM_HOST)
                give_picture(sim);
            if (end == SIM_VIEWER && sim->type_code && sim->code[0] &&
                sim->state[SIM_VIEWER] == TAS_STATE_KEYED) {
                if (tas_session_type_code(sim->end[end], sim->code, sim->now_us) == TAS_OK)
                    sim->type_code = false;
            }
            for (unsigned leg = 0; leg < TAS_LEGS; leg++)
                while (sim->sock[end][leg].is_open && cable_is_free(sim, end)) {
                    struct tas_bytes out = tas_session_output(sim->end[end], leg, sim->now_us);
                    if (!out.len)
                        break;
                    packet_send(sim, end, leg, true, out);
                    tas_session_sent(sim->end[end], leg, out.len);
                }
            if (tas_session_deadline_us(sim->end[end]) <= sim->now_us) {
                tas_session_tick(sim->end[end], sim->now_us);
                assert(tas_session_deadline_us(sim->end[end]) > sim->now_us);
            }
        }
    }
}

static void deliver(struct sim *sim) {
    while (sim->packets && sim->packets->at_us <= sim->now_us) {
        struct sim_packet *p = sim->packets;
        sim->packets = p->next;
        struct sim_socket *sock = &sim->sock[p->end][p->leg];
        bool is_lost = !sock->is_open || sock->generation != p->generation;
        bool is_cut = sim->is_cut[p->end] || sim->is_cut_from[p->end][sock->relay];
        uint64_t *held_until_us = &sock->held_until_us[p->to_relay];
        if (!is_lost && (is_cut || sim->now_us < *held_until_us)) {
            if (is_cut)
                *held_until_us = (sim->now_us / RESEND_US + 1) * RESEND_US;
            p->at_us = *held_until_us;
            packet_insert(sim, p);
            continue;
        }
        if (!is_lost && p->to_relay)
            relay_take(sim, p);
        else if (!is_lost)
            tas_session_input(sim->end[p->end], p->leg, tas_bytes_of(p->bytes, p->len), sim->now_us);
        free(p);
        step(sim);
    }
}

void sim_start(struct sim *sim, const struct sim_world *w) {
    memset(sim, 0, sizeof(*sim));
    sim->now_us = 1000000;
    sim->delay_us = 1000;
    sim->type_code = true;
    sim->decode = true;
    for (unsigned end = 0; end < 2; end++) {
        sim->end[end] = tas_session_new(&w->cfg[end], sim->now_us);
        assert(sim->end[end]);
    }
    tas_session_grant(sim->end[SIM_HOST], 0x7f);
}

void sim_stop(struct sim *sim) {
    for (unsigned end = 0; end < 2; end++)
        tas_session_free(sim->end[end]);
    while (sim->packets) {
        struct sim_packet *p = sim->packets;
        sim->packets = p->next;
        free(p);
    }
    tas_picture_free(sim->screen);
    sim->screen = NULL;
}

/* When something happens next, at the latest at `end`. */
static uint64_t next_event(const struct sim *sim, uint64_t end) {
    uint64_t at = sim->now_us + STEP_MAX_US < end ? sim->now_us + STEP_MAX_US : end;
    if (sim->packets && sim->packets->at_us < at)
        at = sim->packets->at_us;
    for (unsigned e = 0; e < 2; e++) {
        uint64_t due = tas_session_deadline_us(sim->end[e]);
        uint64_t free_at = sim->busy_until_us[e][1] - SOCKET_US;
        if (due < at)
            at = due;
        if (!cable_is_free(sim, e) && free_at < at)
            at = free_at;
    }
    return at > sim->now_us ? at : sim->now_us;
}

void sim_run_ms(struct sim *sim, unsigned ms) {
    uint64_t end = sim->now_us + (uint64_t)ms * 1000;
    step(sim);
    while (sim->now_us < end) {
        sim->now_us = next_event(sim, end);
        relays_tick(sim);
        deliver(sim);
        step(sim);
    }
}

bool sim_until(struct sim *sim, bool (*done)(const struct sim *), unsigned max_ms) {
    for (unsigned ms = 0; ms < max_ms; ms++) {
        if (done(sim))
            return true;
        sim_run_ms(sim, 1);
    }
    return done(sim);
}

bool sim_both_active(const struct sim *sim) {
    return sim->state[0] == TAS_STATE_ACTIVE && sim->state[1] == TAS_STATE_ACTIVE;
}

bool sim_both_keyed(const struct sim *sim) {
    return sim->state[0] == TAS_STATE_KEYED && sim->state[1] == TAS_STATE_KEYED;
}

bool sim_any_closed(const struct sim *sim) {
    return sim->closed[0] || sim->closed[1];
}

unsigned sim_count(const struct sim *sim, unsigned end, enum tas_event_kind kind) {
    unsigned n = 0;
    for (unsigned i = 0; i < sim->n_seen[end]; i++)
        n += sim->seen[end][i] == kind;
    return n;
}

void sim_paint(struct sim *sim, uint32_t x, uint32_t y, uint32_t w, uint32_t h, uint32_t colour) {
    for (uint32_t row = y; row < y + h; row++)
        for (uint32_t col = x; col < x + w; col++)
            sim->screen->px[row * sim->screen->stride + col] = (colour + col * 3 + row) & 0xffffff;
    tas_tiles_set_rect(tas_session_dirty(sim->end[SIM_HOST]), (int32_t)x, (int32_t)y, w, h);
}

bool sim_pictures_equal(const struct sim *sim) {
    const struct tas_picture *a = sim->screen;
    const struct tas_picture *b = tas_session_remote(sim->end[SIM_VIEWER]);
    if (!a || !b || a->width != b->width || a->height != b->height)
        return false;
    for (uint32_t y = 0; y < a->height; y++)
        if (memcmp(a->px + y * a->stride, b->px + y * b->stride, a->width * sizeof(uint32_t)) != 0)
            return false;
    return true;
}
