#include "end/end.h"

#include "base/log.h"
#include "base/time.h"
#include "net/socket.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    PENDING_MAX = 64 * 1024,
    LOWAT_MIN = 16 * 1024,
    LOWAT_MAX = 256 * 1024,
    LINGER_US = 1000 * 1000,
    LOWAT_PER_S = 100, /* a hundredth of a second's data: what the line sends while a picture is coded */
};

/* One relay connection on its way or up. */
struct leg_io {
    struct tas_end *end;
    unsigned i;
    const struct tas_end_relay *relay;
    struct tas_dial *dial;
    struct tas_conn *conn;
    struct tas_buf pending; /* came, and the engine did not take it yet */
    bool is_lost;           /* to be told to the engine at the end of the turn */
    int lowat;              /* as last set */
};

struct tas_end {
    struct tas_loop *loop;
    struct tas_io *io;
    struct tas_timer *timer;
    struct tas_end_config cfg;
    struct tas_session *session;
    const struct tas_end_owner *owner;
    void *ctx;
    struct leg_io legs[TAS_LEGS];
    uint64_t started_us, server_ms; /* the server's time when we started */
    bool is_closed;                 /* the engine is done; its last words are on their way */
    struct tas_event closed;
    uint64_t closed_us;
};

static void leg_close(struct leg_io *leg) {
    tas_dial_free(leg->dial);
    tas_conn_free(leg->conn);
    tas_buf_fini(&leg->pending);
    leg->dial = NULL;
    leg->conn = NULL;
    leg->is_lost = false;
    leg->lowat = 0;
}

static uint64_t now_us(const struct tas_end *end) {
    (void)end;
    return tas_mono_us();
}

static void log_lost(const struct leg_io *leg, const char *why) {
    char quoted[TAS_WHY_MAX * 2];
    tas_log(TAS_LOG_INFO, "end", "line_lost", "relay=%u address=%s why=%s", leg->relay->id,
            leg->relay->address, tas_log_quote(quoted, sizeof(quoted), why));
}

/* ---- connection events ---- */

static void on_secured(void *ctx) {
    struct leg_io *leg = ctx;
    uint8_t cb[32];
    if (tas_conn_binding(leg->conn, cb) != TAS_OK) {
        leg->is_lost = true;
        return;
    }
    tas_session_secured(leg->end->session, leg->i, cb, now_us(leg->end));
}

/* Gives the engine as much of what came as it takes. */
static void feed(struct leg_io *leg) {
    struct tas_session *s = leg->end->session;
    while (leg->pending.len > 0) {
        size_t room = tas_session_input_room(s, leg->i);
        struct tas_bytes bytes = tas_buf_peek(&leg->pending);
        if (room == 0)
            return;
        if (bytes.len > room)
            bytes.len = room;
        tas_session_input(s, leg->i, bytes, now_us(leg->end));
        tas_buf_drop(&leg->pending, bytes.len);
    }
    tas_buf_shrink(&leg->pending);
}

static bool on_bytes(void *ctx, struct tas_bytes bytes) {
    struct leg_io *leg = ctx;
    if (leg->end->is_closed)
        return true; /* nobody listens any more: read to the end, so that our last words are not reset away */
    if (tas_buf_append(&leg->pending, bytes) != TAS_OK) {
        leg->is_lost = true;
        return false;
    }
    feed(leg);
    return leg->pending.len == 0;
}

static void on_writable(void *ctx) {
    (void)ctx; /* the end of the turn writes */
}

static void on_closed(void *ctx, const char *why) {
    struct leg_io *leg = ctx;
    log_lost(leg, why);
    leg->is_lost = true;
}

static const struct tas_conn_events conn_events = {on_secured, on_bytes, on_writable, on_closed};

static void on_dialled(void *ctx, int fd, const char *why) {
    struct leg_io *leg = ctx;
    struct tas_end *end = leg->end;
    if (fd < 0) {
        log_lost(leg, why);
        leg->is_lost = true;
        return;
    }
    leg->conn = tas_conn_new(end->loop, end->io, end->cfg.tls, fd, leg->relay->name, &conn_events, leg);
    if (!leg->conn) {
        close(fd);
        leg->is_lost = true;
    }
}

/* ---- what the engine asks for ---- */

static void dial(struct tas_end *end, unsigned i, uint32_t relay_id) {
    struct leg_io *leg = &end->legs[i];
    leg_close(leg);
    tas_buf_init(&leg->pending, PENDING_MAX);
    /* Certificates are judged by the server's time, as it is now. */
    tas_tls_set_time(end->cfg.tls, end->server_ms + (now_us(end) - end->started_us) / 1000);
    for (size_t r = 0; r < end->cfg.n_relays; r++) {
        if (end->cfg.relays[r].id != relay_id)
            continue;
        leg->relay = &end->cfg.relays[r];
        leg->dial = tas_dial_start(end->loop, leg->relay->address, on_dialled, leg);
    }
    if (!leg->dial)
        leg->is_lost = true; /* a relay whose address we were not given */
}

/* On a fast line the kernel holds as much as goes out while this thread codes a picture. */
static void adapt_lowat(struct leg_io *leg) {
    struct tas_session_figures f;
    tas_session_figures(leg->end->session, &f, now_us(leg->end));
    uint64_t want = f.rate_Bps / LOWAT_PER_S;
    int lowat = want < LOWAT_MIN ? LOWAT_MIN : want > LOWAT_MAX ? LOWAT_MAX : (int)want;
    if (lowat > leg->lowat / 2 && lowat < leg->lowat * 2)
        return; /* not worth a system call */
    leg->lowat = lowat;
    tas_conn_set_lowat(leg->conn, lowat);
}

/* Writes what the engine has for this leg, as far as the socket takes it. */
static void pump_out(struct leg_io *leg) {
    struct tas_session *s = leg->end->session;
    if (leg->conn && !leg->is_lost)
        adapt_lowat(leg);
    while (leg->conn && !leg->is_lost && tas_conn_is_writable(leg->conn)) {
        struct tas_bytes out = tas_session_output(s, leg->i, now_us(leg->end));
        if (out.len == 0)
            break;
        int sent = tas_conn_write(leg->conn, out);
        if (sent <= 0) {
            leg->is_lost = leg->is_lost || sent < 0;
            break;
        }
        tas_session_sent(s, leg->i, (size_t)sent);
        tas_conn_flush(leg->conn); /* at once: whether the next record may be sealed depends on the socket */
    }
}

static void hang_up(struct tas_end *end, unsigned i) {
    struct leg_io *leg = &end->legs[i];
    pump_out(leg);
    if (leg->conn && tas_session_state(end->session) == TAS_STATE_CLOSED)
        return; /* see linger() */
    leg_close(leg);
    tas_session_lost(end->session, i, now_us(end));
}

/* The last words of a session (BYE says why it ended) go out on a busy line, too: the owner hears of the end
 * when they have, or when the other side has hung up, or after a while. */
static void linger(struct tas_end *end) {
    bool is_late = now_us(end) - end->closed_us >= LINGER_US;
    for (unsigned i = 0; i < TAS_LEGS; i++) {
        struct leg_io *leg = &end->legs[i];
        if (!leg->conn)
            continue;
        bool is_done = leg->is_lost || is_late;
        if (!is_done && tas_session_output(end->session, i, now_us(end)).len == 0)
            tas_conn_shut(leg->conn); /* and wait for the other side's end */
        if (!is_done)
            continue;
        leg_close(leg);
        tas_session_lost(end->session, i, now_us(end));
    }
    if (end->legs[0].conn || end->legs[1].conn) {
        tas_timer_set(end->timer, end->closed_us + LINGER_US);
        return;
    }
    end->is_closed = false;
    end->owner->on_event(end->ctx, &end->closed);
}

static void hold_closed(struct tas_end *end, const struct tas_event *ev) {
    end->is_closed = true;
    end->closed = *ev;
    end->closed_us = now_us(end);
}

static void on_event(struct tas_end *end, const struct tas_event *ev) {
    if (ev->kind == TAS_EVENT_DIAL)
        dial(end, ev->leg, ev->relay_id);
    else if (ev->kind == TAS_EVENT_HANGUP)
        hang_up(end, ev->leg);
    else if (ev->kind == TAS_EVENT_CLOSED)
        hold_closed(end, ev);
    else
        end->owner->on_event(end->ctx, ev);
}

static bool drain_events(struct tas_end *end) {
    bool any = false;
    struct tas_event ev;
    for (tas_session_event(end->session, &ev); ev.kind != TAS_EVENT_NONE;
         tas_session_event(end->session, &ev)) {
        on_event(end, &ev);
        any = true;
    }
    return any;
}

static void reap(struct tas_end *end) {
    for (unsigned i = 0; i < TAS_LEGS; i++) {
        if (!end->legs[i].is_lost)
            continue;
        leg_close(&end->legs[i]);
        tas_session_lost(end->session, i, now_us(end));
    }
}

/* What a frame in the way had held up. */
static void resume_reading(struct tas_end *end) {
    for (unsigned i = 0; i < TAS_LEGS; i++) {
        struct leg_io *leg = &end->legs[i];
        if (!leg->conn || leg->is_lost)
            continue;
        if (end->is_closed)
            tas_buf_drop(&leg->pending, leg->pending.len);
        feed(leg);
        if (leg->pending.len == 0)
            tas_conn_resume(leg->conn);
    }
}

static void on_turn(void *ctx) {
    struct tas_end *end = ctx;
    for (int again = 0; again < 16; again++) {
        reap(end);
        bool any = drain_events(end);
        resume_reading(end);
        end->owner->on_turn(end->ctx);
        for (unsigned i = 0; i < TAS_LEGS; i++)
            pump_out(&end->legs[i]);
        if (tas_session_deadline_us(end->session) <= now_us(end)) {
            tas_session_tick(end->session, now_us(end));
            any = true;
        }
        if (!any && !end->legs[0].is_lost && !end->legs[1].is_lost)
            break;
    }
    tas_timer_set(end->timer, tas_session_deadline_us(end->session));
    if (end->is_closed)
        linger(end);
}

static void on_deadline(void *ctx) {
    struct tas_end *end = ctx;
    tas_session_tick(end->session, now_us(end));
}

struct tas_session *tas_end_session(struct tas_end *end) {
    return end->session;
}

struct tas_end *tas_end_new(struct tas_loop *loop, const struct tas_end_config *config,
                            const struct tas_end_owner *owner, void *ctx) {
    struct tas_end *end = calloc(1, sizeof(*end));
    if (!end)
        return NULL;
    end->loop = loop;
    end->cfg = *config;
    end->owner = owner;
    end->server_ms = config->session.server_ms;
    end->started_us = now_us(end);
    end->ctx = ctx;
    for (unsigned i = 0; i < TAS_LEGS; i++)
        end->legs[i] = (struct leg_io){.end = end, .i = i, .relay = &end->cfg.relays[0]};
    end->io = tas_io_new();
    end->timer = tas_timer_new(loop, on_deadline, end);
    end->session = tas_session_new(&config->session, now_us(end));
    tas_wipe(&end->cfg.session, sizeof(end->cfg.session)); /* the engine has its own copy of the keys */
    if (!end->io || !end->timer || !end->session) {
        tas_end_free(end);
        return NULL;
    }
    tas_loop_on_turn(loop, on_turn, end);
    tas_timer_set(end->timer, now_us(end));
    return end;
}

void tas_end_free(struct tas_end *end) {
    if (!end)
        return;
    tas_loop_on_turn(end->loop, NULL, NULL);
    for (unsigned i = 0; i < TAS_LEGS; i++)
        leg_close(&end->legs[i]);
    tas_session_free(end->session);
    tas_timer_free(end->timer);
    tas_io_free(end->io);
    free(end);
}
