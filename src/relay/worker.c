#include "relay/worker.h"

#include "base/log.h"
#include "relay/worker_private.h"

#include <inttypes.h>
#include <stdlib.h>

enum { SCAN_US = 100 * 1000, ROOM_SCAN_EVERY = 100, ROLL_EVERY = 10 };

/* Sends and closes until nothing is left to do: closing one end may give its peer something to hear. */
static void on_turn(void *ctx) {
    struct relay_worker *w = ctx;
    while (w->dirty) {
        struct relay_end *end = w->dirty;
        w->dirty = end->next_dirty;
        end->is_dirty = false;
        if (!end->is_doomed || end->doom_code)
            relay_end_drain(end);
        if (end->is_doomed) {
            if (end->is_dirty) { /* drained into the list again: take it out */
                struct relay_end **at = &w->dirty;
                while (*at != end)
                    at = &(*at)->next_dirty;
                *at = end->next_dirty;
            }
            relay_end_free(end);
        }
    }
    if (w->is_draining && w->drained && w->n_ends == 0) {
        void (*done)(void *) = w->drained;
        w->drained = NULL;
        done(w->drained_ctx);
    }
}

static bool has_both(const struct relay_end *end) {
    const struct relay_end *peer = end->room && !end->is_doomed ? relay_room_peer(end) : NULL;
    return peer && !peer->is_doomed;
}

static bool make_room(struct relay_roll *roll, size_t needed) {
    if (roll->cap >= needed)
        return true;
    uint64_t *ids = realloc(roll->ids, 2 * needed * sizeof(*ids));
    if (!ids)
        return false;
    roll->ids = ids;
    roll->cap = 2 * needed;
    return true;
}

/* Short of memory, or read at this moment: the list of a second ago stays. */
static void write_roll(struct relay_worker *w) {
    struct relay_roll *roll = &w->roll;
    if (pthread_mutex_trylock(&roll->lock) != 0)
        return;
    if (make_room(roll, w->n_ends / ROOM_SLOTS + 1)) {
        roll->n = 0;
        for (const struct relay_end *end = w->ends; end && roll->n < roll->cap; end = end->next)
            if (end->slot == 0 && has_both(end))
                roll->ids[roll->n++] = end->room->session_id;
    }
    pthread_mutex_unlock(&roll->lock);
}

size_t relay_worker_sessions(struct relay_worker *w, uint64_t *out, size_t max) {
    struct relay_roll *roll = &w->roll;
    pthread_mutex_lock(&roll->lock);
    size_t n = roll->n < max ? roll->n : max;
    if (n)
        memcpy(out, roll->ids, n * sizeof(*out));
    pthread_mutex_unlock(&roll->lock);
    return n;
}

static void on_scan(void *ctx) {
    struct relay_worker *w = ctx;
    uint64_t now_us = tas_loop_now_us(w->loop);
    for (struct relay_end *end = w->ends; end; end = end->next) {
        relay_end_scan(end, now_us);
        if (w->is_draining && now_us >= w->drain_end_us)
            relay_end_doom(end, TAS_CLOSE_GOING_AWAY);
    }
    if (++w->scans % ROOM_SCAN_EVERY == 0)
        relay_room_scan(w, now_us);
    if (w->scans % ROLL_EVERY == 0)
        write_roll(w);
    tas_timer_set(w->scan_timer, now_us + SCAN_US);
}

static void *run(void *ctx) {
    struct relay_worker *w = ctx;
    if (tas_loop_run(w->loop) != TAS_OK)
        tas_log(TAS_LOG_ERROR, "relay", "loop_failed", "what=epoll");
    while (w->ends)
        relay_end_free(w->ends);
    return NULL;
}

static void release(struct relay_worker *w) {
    tas_timer_free(w->scan_timer);
    tas_loop_free(w->loop);
    tas_io_free(w->io);
    pthread_mutex_destroy(&w->roll.lock);
    free(w->roll.ids);
    free(w);
}

static void dispose(struct relay_worker *w) {
    relay_room_scan(w, UINT64_MAX);
    release(w);
}

struct relay_worker *relay_worker_start(struct relay_stats *stats) {
    struct relay_worker *w = calloc(1, sizeof(*w));
    if (!w)
        return NULL;
    w->stats = stats;
    pthread_mutex_init(&w->roll.lock, NULL);
    w->loop = tas_loop_new();
    w->io = tas_io_new();
    if (w->loop)
        w->scan_timer = tas_timer_new(w->loop, on_scan, w);
    if (!w->io || !w->scan_timer)
        goto fail;
    tas_loop_on_turn(w->loop, on_turn, w);
    tas_timer_set(w->scan_timer, tas_loop_now_us(w->loop) + SCAN_US);
    if (pthread_create(&w->thread, NULL, run, w) == 0)
        return w;
fail:
    release(w);
    return NULL;
}

void relay_worker_stop(struct relay_worker *w) {
    if (!w)
        return;
    tas_loop_stop(w->loop);
    pthread_join(w->thread, NULL);
    dispose(w);
}

struct gift {
    struct relay_worker *worker;
    struct tas_conn *conn;
    struct relay_admission admission;
};

static void on_gift(void *ctx) {
    struct gift *g = ctx;
    relay_end_new(g->worker, g->conn, &g->admission);
    free(g);
}

void relay_worker_give(struct relay_worker *w, struct tas_conn *conn,
                       const struct relay_admission *admission) {
    struct gift *g = malloc(sizeof(*g));
    if (g) {
        *g = (struct gift){.worker = w, .conn = conn, .admission = *admission};
        if (tas_loop_post(w->loop, on_gift, g) == TAS_OK)
            return;
    }
    free(g);
    tas_conn_free(conn);
    relay_count(&w->stats->connections, -1);
}

struct kill {
    struct relay_worker *worker;
    uint64_t session_id;
    uint8_t slot;
};

static void on_kill(void *ctx) {
    struct kill *k = ctx;
    struct relay_worker *w = k->worker;
    uint64_t now_us = tas_loop_now_us(w->loop);
    if (relay_kills_add(&w->kills, k->session_id, k->slot, now_us)) {
        relay_count(&w->stats->kills_total, 1);
        tas_log(TAS_LOG_INFO, "relay", "killed", "session=%016" PRIx64 " slot=%u", k->session_id, k->slot);
    }
    relay_room_kill(w, k->session_id, k->slot, now_us);
    free(k);
}

int relay_worker_kill(struct relay_worker *w, uint64_t session_id, uint8_t slot) {
    struct kill *k = malloc(sizeof(*k));
    if (!k)
        return TAS_E_NOMEM;
    *k = (struct kill){.worker = w, .session_id = session_id, .slot = slot};
    int err = tas_loop_post(w->loop, on_kill, k);
    if (err != TAS_OK)
        free(k);
    return err;
}

struct drain {
    struct relay_worker *worker;
    uint32_t alternates[4];
    uint32_t deadline_ms;
    void (*done)(void *ctx);
    void *ctx;
};

static void on_drain(void *ctx) {
    struct drain *d = ctx;
    struct relay_worker *w = d->worker;
    w->is_draining = true;
    w->drain_end_us = tas_loop_now_us(w->loop) + (uint64_t)d->deadline_ms * 1000;
    w->drained = d->done;
    w->drained_ctx = d->ctx;
    struct tas_msg_goaway goaway = {.deadline_ms = d->deadline_ms};
    memcpy(goaway.relays, d->alternates, sizeof(goaway.relays));
    uint8_t body[24];
    int len = tas_msg_goaway_encode(&goaway, body, sizeof(body));
    for (struct relay_end *end = w->ends; end; end = end->next) {
        relay_end_send(end, TAS_RECORD_GOAWAY, body, len);
        if (end->alone_us)
            relay_end_doom(end, TAS_CLOSE_GOING_AWAY);
    }
    free(d);
}

void relay_worker_drain(struct relay_worker *w, const uint32_t alternates[4], uint32_t deadline_ms,
                        void (*done)(void *ctx), void *ctx) {
    struct drain *d = malloc(sizeof(*d));
    if (!d) {
        done(ctx); /* without memory there is no orderly way left */
        return;
    }
    *d = (struct drain){.worker = w, .deadline_ms = deadline_ms, .done = done, .ctx = ctx};
    memcpy(d->alternates, alternates, sizeof(d->alternates));
    if (tas_loop_post(w->loop, on_drain, d) != TAS_OK) {
        free(d);
        done(ctx);
    }
}
