#include "api/measure.h"

#include "base/time.h"
#include "net/socket.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LIMIT_US = 1500 * 1000 };

struct probe {
    struct api_measure *measure;
    struct api_relay relay;
    struct tas_dial *dial;
    struct tas_conn *conn;
    uint64_t connected_us;
};

struct api_measure {
    struct api_client *client;
    struct tas_io *io;
    struct tas_timer *timer;
    void (*done)(void *ctx, const struct api_rtt *rtts, size_t n);
    void *ctx;
    size_t n_probes, n_open, n_rtts;
    struct probe probes[API_RELAYS];
    struct api_rtt rtts[API_RELAYS];
};

static void probe_close(struct probe *p) {
    tas_dial_free(p->dial);
    tas_conn_free(p->conn);
    p->dial = NULL;
    p->conn = NULL;
}

static void probe_over(struct probe *p) {
    struct api_measure *m = p->measure;
    probe_close(p);
    if (--m->n_open == 0)
        tas_timer_set(m->timer, 0); /* `done` may free all of this: not from within a connection's callback */
}

static void on_secured(void *ctx) {
    struct probe *p = ctx;
    struct api_measure *m = p->measure;
    uint64_t us = tas_mono_us() - p->connected_us;
    m->rtts[m->n_rtts++] = (struct api_rtt){.relay = (uint32_t)p->relay.id, .us = us ? (uint32_t)us : 1};
    probe_over(p);
}

static bool on_bytes(void *ctx, struct tas_bytes bytes) {
    (void)ctx;
    (void)bytes; /* a relay says nothing before HELLO */
    return true;
}

static void on_writable(void *ctx) {
    (void)ctx;
}

static void on_closed(void *ctx, const char *why) {
    (void)why;
    probe_over(ctx);
}

static const struct tas_conn_events conn_events = {on_secured, on_bytes, on_writable, on_closed};

static void on_dialled(void *ctx, int fd, const char *why) {
    struct probe *p = ctx;
    struct api_measure *m = p->measure;
    (void)why;
    if (fd < 0) {
        probe_over(p);
        return;
    }
    p->connected_us = tas_mono_us();
    p->conn = tas_conn_new(api_client_loop(m->client), m->io, api_client_tls(m->client), fd, p->relay.name,
                           &conn_events, p);
    if (!p->conn) {
        close(fd);
        probe_over(p);
    }
}

static void on_timer(void *ctx) {
    struct api_measure *m = ctx;
    for (size_t i = 0; i < m->n_probes; i++)
        probe_close(&m->probes[i]);
    tas_timer_set(m->timer, UINT64_MAX);
    m->done(m->ctx, m->rtts, m->n_rtts);
}

static bool has_region(const struct api_measure *m, const char *region) {
    for (size_t i = 0; i < m->n_probes; i++)
        if (strcmp(m->probes[i].relay.region, region) == 0)
            return true;
    return false;
}

struct api_measure *api_measure_start(struct api_client *client, const struct api_relays *relays,
                                      void (*done)(void *ctx, const struct api_rtt *rtts, size_t n),
                                      void *ctx) {
    struct api_measure *m = calloc(1, sizeof(*m));
    if (!m)
        return NULL;
    m->client = client;
    m->done = done;
    m->ctx = ctx;
    m->io = tas_io_new();
    m->timer = tas_timer_new(api_client_loop(client), on_timer, m);
    if (!m->io || !m->timer) {
        api_measure_free(m);
        return NULL;
    }
    for (size_t i = 0; i < relays->n; i++) {
        if (has_region(m, relays->list[i].region))
            continue;
        struct probe *p = &m->probes[m->n_probes++];
        *p = (struct probe){.measure = m, .relay = relays->list[i]};
        p->dial = tas_dial_start(api_client_loop(client), p->relay.address, on_dialled, p);
        m->n_open += p->dial != NULL;
    }
    tas_timer_set(m->timer, m->n_open ? tas_mono_us() + LIMIT_US : 0);
    return m;
}

void api_measure_free(struct api_measure *measure) {
    if (!measure)
        return;
    for (size_t i = 0; i < measure->n_probes; i++)
        probe_close(&measure->probes[i]);
    tas_timer_free(measure->timer);
    tas_io_free(measure->io);
    free(measure);
}
