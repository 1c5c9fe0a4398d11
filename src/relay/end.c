/* One joined end: its records in, its queue out, its clocks. */
#include "relay/worker_private.h"

#include "base/log.h"
#include "base/rand.h"
#include "base/time.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    SILENT_US = 1000 * 1000,            /* a matched end without a word: tell the other */
    MATCHED_DEAD_US = 20 * 1000 * 1000, /* then close it; likewise one that takes nothing */
    LONE_DEAD_US = 30 * 1000 * 1000,
    LONE_MAX_US = 120 * 1000 * 1000, /* without a peer */
    LONE_PING_US = 10 * 1000 * 1000,
    BATCH = TAS_RECORD_HEAD + TAS_RECORD_MAX,
    BUDGET_MS = 500, /* burst that a rate limit allows */
};

static const char *slot_name(uint8_t slot) {
    return slot == 0 ? "host" : "viewer";
}

static void mark_dirty(struct relay_end *end) {
    if (end->is_dirty)
        return;
    end->is_dirty = true;
    end->next_dirty = end->worker->dirty;
    end->worker->dirty = end;
}

/* It goes at the end of the turn, when nobody holds a pointer to it any more. code 0: no CLOSE is sent. */
void relay_end_doom(struct relay_end *end, unsigned code) {
    if (end->is_doomed)
        return;
    end->is_doomed = true;
    end->doom_code = code;
    mark_dirty(end);
}

static bool enqueue(struct relay_end *to, uint8_t type, uint8_t pf, uint16_t source,
                    struct tas_bytes payload) {
    if (relay_queue_push(&to->out, type, pf, source, payload) != TAS_OK) {
        relay_end_doom(to, TAS_CLOSE_LIMIT);
        return false;
    }
    relay_count(&to->worker->stats->queued_bytes, (int64_t)(TAS_RECORD_HEAD + payload.len));
    mark_dirty(to);
    return true;
}

/* A record from the relay itself. */
void relay_end_send(struct relay_end *end, uint8_t type, const uint8_t *body, int len) {
    (void)enqueue(end, type, TAS_CLASS_CONTROL, 0, tas_bytes_of(body, (size_t)len));
}

/* ---- records in ---- */

static void on_ping(struct relay_end *end, struct tas_bytes payload, uint64_t now_us) {
    if (tas_bucket_take(&end->pongs, TAS_PONG_BURST, TAS_PONG_EVERY_US, now_us))
        relay_end_send(end, TAS_RECORD_PONG, payload.ptr, (int)payload.len);
}

static void on_close(struct relay_end *end, struct tas_bytes payload) {
    struct tas_msg_close close;
    bool is_bye = tas_msg_close_decode(&close, payload) == TAS_OK && close.code == TAS_CLOSE_BYE;
    relay_end_doom(end, is_bye ? TAS_CLOSE_BYE : 0);
}

/* What may come from this end: neither more than it may send nor more than its peer may receive. 0: no limit.
 * Each direction has a budget of its own, so that a busy screen does not keep back the other end's input. */
static uint32_t rate_of(const struct relay_end *end) {
    const struct relay_end *peer = relay_room_peer(end);
    uint32_t theirs = peer ? peer->rate_Bps : 0;
    return end->rate_Bps == 0 || (theirs && theirs < end->rate_Bps) ? theirs : end->rate_Bps;
}

static void relay_record(struct relay_end *end, const struct tas_record *rec) {
    struct relay_worker *w = end->worker;
    struct relay_end *peer = relay_room_peer(end);
    if (!peer || peer->is_doomed) {
        relay_count(&w->stats->dropped_total, 1);
        return;
    }
    if (!enqueue(peer, rec->type, rec->pf, end->slot, rec->payload))
        return;
    relay_count(&w->stats->records_total, 1);
    relay_count(&w->stats->bytes_total, (int64_t)rec->payload.len);
    if (rate_of(end))
        end->budget -= (int64_t)rec->payload.len;
}

/* 0, or the code that closes the end. */
static unsigned on_record(struct relay_end *end, const struct tas_record *rec, uint64_t now_us) {
    switch (rec->type) {
    case TAS_RECORD_HS:
        if ((rec->pf & TAS_PF_CLASS) != TAS_CLASS_CONTROL || rec->payload.len > 2048)
            return TAS_CLOSE_BAD_RECORD;
        /* fall through */
    case TAS_RECORD_DATA:
        /* Units that may be dropped belong to several viewers, which this relay does not carry yet. */
        if ((rec->pf & TAS_PF_DROPPABLE) || rec->route != 1u << !end->slot)
            return TAS_CLOSE_BAD_RECORD;
        relay_record(end, rec);
        return 0;
    case TAS_RECORD_PING:
        if (rec->payload.len != 8)
            return TAS_CLOSE_BAD_RECORD;
        on_ping(end, rec->payload, now_us);
        return 0;
    case TAS_RECORD_PONG:
        return 0;
    case TAS_RECORD_CLOSE:
        on_close(end, rec->payload);
        return 0;
    default:
        return TAS_CLOSE_BAD_RECORD;
    }
}

/* All whole records of `bytes`; *used: what they took. */
static unsigned on_records(struct relay_end *end, struct tas_bytes bytes, size_t *used, uint64_t now_us) {
    *used = 0;
    while (!end->is_doomed) {
        struct tas_record rec;
        size_t n;
        int err = tas_record_decode(&rec, &n, tas_bytes_of(bytes.ptr + *used, bytes.len - *used));
        if (err == TAS_E_MORE)
            return 0;
        unsigned code = err == TAS_OK ? on_record(end, &rec, now_us) : TAS_CLOSE_BAD_RECORD;
        if (code)
            return code;
        *used += n;
    }
    return 0;
}

static bool must_wait(const struct relay_end *end) {
    const struct relay_end *peer = relay_room_peer(end);
    return (peer && relay_queue_is_full(&peer->out)) || (rate_of(end) && end->budget < 0);
}

/* Reads it again. The pause was ours: it counts as no silence. */
static void unpause(struct relay_end *end, uint64_t now_us) {
    end->is_paused = false;
    end->last_rx_us = now_us;
    tas_conn_resume(end->conn);
}

static void heard(struct relay_end *end, uint64_t now_us) {
    end->last_rx_us = now_us;
    if (!end->is_silent)
        return;
    end->is_silent = false; /* the same socket speaks again: only a hiccup */
    relay_room_tell(end->room, end->slot, TAS_PEER_JOINED);
}

static bool on_bytes(void *ctx, struct tas_bytes bytes) {
    struct relay_end *end = ctx;
    uint64_t now_us = tas_loop_now_us(end->worker->loop);
    if (end->is_doomed)
        return false;
    heard(end, now_us);
    size_t used;
    unsigned code = 0;
    if (end->in.len == 0) { /* records mostly come whole: no copy */
        code = on_records(end, bytes, &used, now_us);
        bytes = tas_bytes_of(bytes.ptr + used, bytes.len - used);
    }
    if (!code && bytes.len && tas_buf_append(&end->in, bytes) != TAS_OK)
        code = TAS_CLOSE_LIMIT;
    if (!code && bytes.len) {
        code = on_records(end, tas_buf_peek(&end->in), &used, now_us);
        tas_buf_drop(&end->in, used);
        tas_buf_shrink(&end->in);
    }
    if (code) {
        relay_count(&end->worker->stats->refused_total, 1);
        relay_end_doom(end, code);
    }
    if (!end->is_doomed && must_wait(end)) {
        end->is_paused = true;
        relay_count(&end->worker->stats->paused_total, 1);
    }
    return !end->is_doomed && !end->is_paused;
}

static void on_writable(void *ctx) {
    mark_dirty(ctx);
}

static void on_closed(void *ctx, const char *why) {
    struct relay_end *end = ctx;
    char quoted[TAS_WHY_MAX];
    tas_log(TAS_LOG_DEBUG, "relay", "socket_closed", "slot=%s why=%s", slot_name(end->slot),
            tas_log_quote(quoted, sizeof(quoted), why));
    relay_end_doom(end, 0);
    end->doom_code = 0;
}

static void on_secured(void *ctx) {
    (void)ctx; /* it was, before it came here */
}

static const struct tas_conn_events conn_events = {on_secured, on_bytes, on_writable, on_closed};

/* ---- records out ---- */

/* Sends what waits, as far as the socket takes it; called at the end of each turn. */
void relay_end_drain(struct relay_end *end) {
    struct relay_worker *w = end->worker;
    while (end->out.len && tas_conn_is_writable(end->conn)) {
        unsigned cls = 0;
        struct tas_bytes batch = relay_queue_peek(&end->out, BATCH, &cls);
        int sent = tas_conn_write(end->conn, batch);
        if (sent < 0) {
            relay_end_doom(end, 0);
            return;
        }
        if (sent == 0)
            break;
        relay_queue_drop(&end->out, cls, (size_t)sent);
        relay_count(&w->stats->queued_bytes, -(int64_t)sent);
    }
    tas_conn_flush(end->conn);
    struct relay_end *peer = relay_room_peer(end);
    if (peer && peer->is_paused && !peer->is_doomed && end->out.len <= end->out.limit / 2 && !must_wait(peer))
        unpause(peer, tas_loop_now_us(w->loop));
}

/* ---- life ---- */

static void welcome(struct relay_end *end, const struct relay_admission *a) {
    uint8_t body[40];
    struct tas_msg_welcome msg = {
        .slot = end->slot,
        .keepalive_s = LONE_PING_US / 1000000,
        .peers = relay_room_peer(end) ? (uint16_t)(1u << !end->slot) : 0,
        .grace_s = 120,
        .max_payload = TAS_RECORD_MAX,
        .rate_Bps = a->ticket.rate_Bps,
        .server_ms = tas_wall_ms(),
    };
    tas_random(msg.resume_token, sizeof(msg.resume_token));
    relay_end_send(end, TAS_RECORD_WELCOME, body, tas_msg_welcome_encode(&msg, body, sizeof(body)));
}

static void refuse(struct relay_worker *w, struct tas_conn *conn, unsigned code) {
    uint8_t record[TAS_RECORD_HEAD + 2];
    tas_record_head_encode(record, TAS_RECORD_CLOSE, 0, 0, 2);
    record[TAS_RECORD_HEAD] = (uint8_t)(code >> 8);
    record[TAS_RECORD_HEAD + 1] = (uint8_t)code;
    static const struct tas_conn_events nobody = {on_secured, NULL, NULL, NULL};
    if (tas_conn_adopt(conn, w->loop, w->io, &nobody, NULL) == TAS_OK)
        (void)!tas_conn_write(conn, tas_bytes_of(record, sizeof(record)));
    tas_conn_free(conn);
    relay_count(&w->stats->refused_total, 1);
    relay_count(&w->stats->connections, -1);
    tas_log(TAS_LOG_INFO, "relay", "refused", "code=%u why=\"%s\"", code, tas_close_text(code));
}

static void link_end(struct relay_worker *w, struct relay_end *end) {
    end->next = w->ends;
    if (w->ends)
        w->ends->prev = end;
    w->ends = end;
    w->n_ends++;
    relay_count(&w->stats->ends, 1);
}

void relay_end_new(struct relay_worker *w, struct tas_conn *conn, const struct relay_admission *a) {
    uint64_t now_us = tas_loop_now_us(w->loop);
    struct relay_room *room = relay_room_get(w, a->ticket.session_id);
    unsigned code =
        !room || w->is_draining ? TAS_CLOSE_GOING_AWAY : relay_room_may_join(room, &a->ticket, now_us);
    if (relay_kills_has(&w->kills, a->ticket.session_id, a->ticket.slot, now_us))
        code = TAS_CLOSE_KILLED;
    struct relay_end *end = code ? NULL : calloc(1, sizeof(*end));
    if (!end || tas_conn_adopt(conn, w->loop, w->io, &conn_events, end) != TAS_OK) {
        free(end);
        refuse(w, conn, code ? code : TAS_CLOSE_LIMIT);
        if (room)
            relay_room_forget_if_empty(w, room, now_us);
        return;
    }
    end->worker = w;
    end->room = room;
    end->conn = conn;
    end->slot = a->ticket.slot;
    end->joined_us = end->last_rx_us = end->last_ping_us = now_us;
    end->rate_Bps = a->ticket.rate_Bps;
    end->budget_us = end->blocked_us = now_us;
    end->pongs = tas_bucket_full(TAS_PONG_BURST, now_us);
    tas_buf_init(&end->in, 2 * BATCH);
    relay_queue_init(&end->out, a->rx_limit);
    link_end(w, end);
    welcome(end, a);
    relay_room_join(w, room, end, &a->ticket, now_us);
    relay_count(&w->stats->joins_total, 1);
    tas_log(TAS_LOG_INFO, "relay", "joined", "session=%016" PRIx64 " slot=%s incarnation=%u",
            room->session_id, slot_name(end->slot), room->slots[end->slot].incarnation);
    tas_conn_resume(conn);
}

/* Says why, leaves the room, and is gone. */
void relay_end_free(struct relay_end *end) {
    struct relay_worker *w = end->worker;
    uint64_t now_us = tas_loop_now_us(w->loop);
    if (end->room) {
        tas_log(TAS_LOG_INFO, "relay", "left", "session=%016" PRIx64 " slot=%s code=%u",
                end->room->session_id, slot_name(end->slot), end->doom_code);
        bool is_for_good = end->doom_code == TAS_CLOSE_BYE || end->doom_code == TAS_CLOSE_KILLED;
        relay_room_leave(w, end, is_for_good, now_us);
    }
    if (end->doom_code && tas_conn_is_writable(end->conn)) {
        uint8_t record[TAS_RECORD_HEAD + 2];
        tas_record_head_encode(record, TAS_RECORD_CLOSE, 0, 0, 2);
        record[TAS_RECORD_HEAD] = 0;
        record[TAS_RECORD_HEAD + 1] = (uint8_t)end->doom_code;
        (void)!tas_conn_write(end->conn, tas_bytes_of(record, sizeof(record)));
    }
    tas_conn_free(end->conn);
    relay_count(&w->stats->queued_bytes, -(int64_t)end->out.len);
    relay_queue_fini(&end->out);
    tas_buf_fini(&end->in);
    if (end->prev)
        end->prev->next = end->next;
    else
        w->ends = end->next;
    if (end->next)
        end->next->prev = end->prev;
    w->n_ends--;
    relay_count(&w->stats->ends, -1);
    relay_count(&w->stats->connections, -1);
    free(end);
}

/* ---- clocks ---- */

static void refill(struct relay_end *end, uint64_t now_us) {
    uint32_t rate = rate_of(end);
    int64_t most = (int64_t)rate * BUDGET_MS / 1000;
    end->budget += (int64_t)((now_us - end->budget_us) * rate / 1000000u);
    end->budget_us = now_us;
    if (end->budget > most)
        end->budget = most;
    /* Also the one whose peer went while its queue was full: nobody else would wake it. */
    if (end->is_paused && !must_wait(end))
        unpause(end, now_us);
}

/* 20 s in which the socket took nothing of what it had to take. Slow but steady is fine. */
static bool is_stuck(struct relay_end *end, uint64_t now_us) {
    size_t backlog = tas_conn_backlog(end->conn);
    if (backlog == 0 || backlog != end->backlog) {
        end->backlog = backlog;
        end->blocked_us = now_us;
    }
    return now_us - end->blocked_us >= MATCHED_DEAD_US;
}

void relay_end_scan(struct relay_end *end, uint64_t now_us) {
    if (end->is_doomed)
        return;
    refill(end, now_us);
    uint64_t silent = now_us - end->last_rx_us;
    bool is_matched = end->alone_us == 0;
    bool is_dead = !end->is_paused && silent >= (is_matched ? MATCHED_DEAD_US : LONE_DEAD_US);
    bool is_lonely = !is_matched && now_us - end->alone_us >= LONE_MAX_US;
    if (is_stuck(end, now_us) || is_dead || is_lonely) {
        relay_end_doom(end, TAS_CLOSE_TIMEOUT);
        return;
    }
    if (is_matched && !end->is_silent && !end->is_paused && silent >= SILENT_US) {
        end->is_silent = true;
        relay_count(&end->worker->stats->suspends_total, 1);
        relay_room_tell(end->room, end->slot, TAS_PEER_SUSPENDED);
    }
    if (!is_matched && now_us - end->last_ping_us >= LONE_PING_US) {
        uint8_t token[8];
        tas_random(token, sizeof(token));
        end->last_ping_us = now_us;
        relay_end_send(end, TAS_RECORD_PING, token, sizeof(token));
    }
}
