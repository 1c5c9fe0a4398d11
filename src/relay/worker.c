#include "relay/worker.h"

#include "base/log.h"
#include "relay/worker_private.h"

#include <stdlib.h>

enum { SCAN_US = 100 * 1000, ROOM_SCAN_EVERY = 100 };

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

static void dispose(struct relay_worker *w) {
    relay_room_scan(w, UINT64_MAX);
    tas_timer_free(w->scan_timer);
    tas_loop_free(w->loop);
    tas_io_free(w->io);
    free(w);
}

struct relay_worker *relay_worker_start(struct relay_stats *stats) {
    struct relay_worker *w = calloc(1, sizeof(*w));
    if (!w)
        return NULL;
    w->stats = stats;
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
    tas_timer_free(w->scan_timer);
    tas_loop_free(w->loop);
    tas_io_free(w->io);
    free(w);
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
