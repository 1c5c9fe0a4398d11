#include "http/server.h"

#include "base/log.h"
#include "base/time.h"
#include "http/server_private.h"
#include "http/source.h"
#include "net/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    ACCEPTS_PER_TURN = 64,
    SHORT_US = 250 * 1000,
    CONNECTIONS_DEFAULT = 10000,
    BODIES_DEFAULT = 128 * 1024 * 1024,
    STREAMS_DEFAULT = 16,
    HEADER_S_DEFAULT = 10,
    BODY_S_DEFAULT = 30,
    IDLE_S_DEFAULT = 60,
};

uint64_t tas_http_now_us(const struct tas_http *http) {
    return tas_loop_now_us(http->loop);
}

/* RFC 9110 section 5.6.7, in English whatever the locale. */
const char *tas_http_date(struct tas_http *http) {
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    uint64_t now_s = tas_wall_ms() / 1000;
    if (now_s == http->date_s)
        return http->date;
    time_t seconds = (time_t)now_s;
    struct tm tm;
    gmtime_r(&seconds, &tm);
    snprintf(http->date, sizeof(http->date), "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT", days + 3 * tm.tm_wday,
             (unsigned)tm.tm_mday % 100, months + 3 * tm.tm_mon, (unsigned)(tm.tm_year + 1900) % 10000,
             (unsigned)tm.tm_hour % 100, (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100);
    http->date_s = now_s;
    return http->date;
}

/* ---- accepting ---- */

static void set_listening(struct tas_http *http, unsigned interest) {
    for (size_t i = 0; i < http->n_ports; i++)
        if (http->ports[i].watch)
            tas_watch_set(http->ports[i].watch, interest);
}

/* Those who wait stay acceptable: without a pause the loop would spin. */
static void run_short(struct tas_http *http) {
    if (!http->is_short)
        tas_log(TAS_LOG_ERROR, "http", "accept_failed",
                "why=\"%s\" do=\"raise LimitNOFILE or lower max_connections\"", strerror(errno));
    http->is_short = true;
    set_listening(http, 0);
    tas_timer_set(http->short_timer, tas_http_now_us(http) + SHORT_US);
}

static void on_short(void *ctx) {
    set_listening(ctx, TAS_READABLE);
}

static void welcome(struct tas_http_port *port, int fd) {
    struct tas_http *http = port->http;
    uint8_t source[16];
    tas_socket_source(fd, source);
    if (http->n_peers >= http->limits.max_connections ||
        !tas_http_sources_add(http->sources, source, http->limits.max_connections_per_source)) {
        TAS_HTTP_COUNT(http, refused_total, 1);
        close(fd);
        return;
    }
    tas_http_peer_new(http, port, fd, source);
}

static void on_acceptable(void *ctx, unsigned ready) {
    (void)ready;
    struct tas_http_port *port = ctx;
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        int fd = tas_accept(port->fd);
        if (fd == TAS_E_IO)
            run_short(port->http);
        if (fd < 0)
            return;
        port->http->is_short = false;
        welcome(port, fd);
    }
}

static void close_port(struct tas_http_port *port) {
    tas_watch_free(port->watch);
    port->watch = NULL;
    if (port->fd >= 0)
        close(port->fd);
    port->fd = -1;
}

/* ---- the inbox ---- */

void tas_http_wake(struct tas_http *http) {
    if (http->is_awake)
        return;
    http->is_awake = true;
    ssize_t ignored = write(http->wake_fds[1], "", 1); /* full: it will be read anyway */
    (void)ignored;
}

void tas_http_finish(struct tas_http *http, struct tas_http_work *work) {
    pthread_mutex_lock(&http->lock);
    work->next = NULL;
    *http->finished_end = work;
    http->finished_end = &work->next;
    tas_http_wake(http);
    pthread_mutex_unlock(&http->lock);
}

static void work_off(struct tas_http_work *work) {
    while (work) {
        struct tas_http_work *next = work->next;
        tas_http_work_done(work);
        work = next;
    }
}

static void begin_drain(struct tas_http *http) {
    http->is_draining = true;
    for (size_t i = 0; i < http->n_ports; i++)
        close_port(&http->ports[i]);
    tas_http_streams_end(http);
    for (struct tas_http_peer *peer = http->peers; peer; peer = peer->next)
        tas_http_peer_drain(peer);
}

/* The lock is held. */
static void take_fresh(struct tas_http *http) {
    for (size_t i = 0; i < http->n_ports; i++) {
        tas_tls_free(http->ports[i].tls); /* connections keep what they need */
        http->ports[i].tls = http->fresh[i];
    }
    http->fresh = NULL;
    pthread_cond_broadcast(&http->done);
}

static void put_later_due(struct tas_http *http) {
    while (http->later) {
        struct tas_http_peer *peer = http->later;
        http->later = peer->next_later;
        peer->is_later = false;
        tas_http_peer_due(peer);
    }
}

static void on_wake(void *ctx, unsigned ready) {
    (void)ready;
    struct tas_http *http = ctx;
    char bytes[16];
    ssize_t ignored = read(http->wake_fds[0], bytes, sizeof(bytes));
    (void)ignored;
    pthread_mutex_lock(&http->lock);
    http->is_awake = false;
    struct tas_http_work *finished = http->finished;
    struct tas_http_event *events = http->events;
    http->finished = NULL;
    http->finished_end = &http->finished;
    http->events = NULL;
    http->events_end = &http->events;
    bool has_lost = http->has_lost_events, drains = http->wants_drain && !http->is_draining;
    http->has_lost_events = false;
    if (http->fresh)
        take_fresh(http);
    if (http->wants_stop)
        tas_loop_stop(http->loop);
    pthread_mutex_unlock(&http->lock);
    put_later_due(http);
    tas_http_events_deliver(http, events);
    work_off(finished);
    if (has_lost)
        tas_http_streams_end(http);
    if (drains)
        begin_drain(http);
}

/* ---- the end of a turn ---- */

static bool is_drained(const struct tas_http *http) {
    for (const struct tas_http_peer *peer = http->peers; peer; peer = peer->next)
        if (peer->n_exchanges > 0 || tas_http_link_backlog(&peer->link) > 0 ||
            (peer->h2 && !tas_http_h2_is_idle(peer)))
            return false;
    return true;
}

static void on_turn(void *ctx) {
    struct tas_http *http = ctx;
    while (http->due) {
        struct tas_http_peer *peer = http->due;
        http->due = peer->next_due;
        peer->is_due = false;
        if (peer->is_dead)
            tas_http_peer_free(peer);
        else
            tas_http_peer_serve(peer);
    }
    if (!http->is_draining || !is_drained(http))
        return;
    pthread_mutex_lock(&http->lock);
    http->is_drained = true;
    pthread_cond_broadcast(&http->done);
    pthread_mutex_unlock(&http->lock);
}

/* ---- the thread ---- */

/* Lanes have stopped. What they did not begin is over, too. */
static void close_all(struct tas_http *http) {
    struct tas_http_work *work;
    for (size_t i = 0; i < http->n_ports; i++)
        close_port(&http->ports[i]);
    while (http->peers)
        tas_http_peer_free(http->peers);
    http->due = NULL;
    while ((work = http->finished)) {
        http->finished = work->next;
        tas_http_work_free(work);
    }
    for (size_t i = 0; i < http->n_lanes; i++)
        while (http->lanes[i] && (work = tas_http_lane_take(http->lanes[i])))
            tas_http_work_free(work);
}

static void *serve(void *ctx) {
    struct tas_http *http = ctx;
    if (tas_loop_run(http->loop) != TAS_OK)
        tas_log(TAS_LOG_ERROR, "http", "loop_failed", "why=\"%s\"", strerror(errno));
    close_all(http);
    return NULL;
}

/* Signals are for the program's own threads. */
static int start_threads(struct tas_http *http) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int err = 0;
    for (size_t i = 0; i < http->n_lanes && err == 0; i++) {
        http->lanes[i] = tas_http_lane_start(http, &http->lane_configs[i]);
        if (!http->lanes[i])
            err = EAGAIN;
    }
    if (err == 0)
        err = pthread_create(&http->thread, NULL, serve, http);
    http->has_thread = err == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return err == 0 ? TAS_OK : TAS_E_NOMEM;
}

/* ---- life ---- */

static unsigned or_default(unsigned value, unsigned otherwise) {
    return value ? value : otherwise;
}

static void take_limits(struct tas_http *http, const struct tas_http_config *config) {
    struct tas_http_config *to = &http->limits;
    *to = *config;
    to->max_connections = or_default(to->max_connections, CONNECTIONS_DEFAULT);
    to->bodies_max = to->bodies_max ? to->bodies_max : BODIES_DEFAULT;
    to->max_streams_per_topic = or_default(to->max_streams_per_topic, STREAMS_DEFAULT);
    to->header_s = or_default(to->header_s, HEADER_S_DEFAULT);
    to->body_s = or_default(to->body_s, BODY_S_DEFAULT);
    to->idle_s = or_default(to->idle_s, IDLE_S_DEFAULT);
}

static struct tas_tls *load_tls(const struct tas_http_listener *listener, char why[TAS_HTTP_WHY]) {
    _Static_assert((int)TAS_HTTP_WHY == (int)TAS_WHY_MAX, "one is handed on as the other");
    return tas_tls_http_server(listener->certificate, listener->private_key, listener->client_ca, why);
}

/* errno as tas_http_open() has it. */
static int open_port(struct tas_http *http, const struct tas_http_listener *listener,
                     char why[TAS_HTTP_WHY]) {
    struct tas_http_port *port = &http->ports[http->n_ports++];
    *port = (struct tas_http_port){.http = http, .config = *listener, .fd = -1};
    errno = 0;
    if (listener->certificate) {
        port->tls = load_tls(listener, why);
        errno = 0;
        if (!port->tls)
            return TAS_E_CONFIG;
    }
    port->fd = tas_listen(listener->address);
    if (port->fd == TAS_E_CONFIG) {
        snprintf(why, TAS_HTTP_WHY, "%s: not a numeric address with a port", listener->address);
        errno = 0;
    } else if (port->fd < 0) {
        int saved = errno;
        snprintf(why, TAS_HTTP_WHY, "cannot listen on %s: %s", listener->address, strerror(saved));
        errno = saved;
    } else {
        port->watch = tas_watch_new(http->loop, port->fd, TAS_READABLE, on_acceptable, port);
    }
    return port->watch ? TAS_OK : TAS_E_CONFIG;
}

static int open_inside(struct tas_http *http) {
    http->finished_end = &http->finished;
    http->events_end = &http->events;
    http->wake_fds[0] = http->wake_fds[1] = -1;
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&http->done, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&http->lock, NULL);
    http->topics = tas_http_topics_new();
    http->sources = tas_http_sources_new();
    http->chunk = malloc(TAS_HTTP_CHUNK);
    http->io = tas_io_new();
    http->loop = tas_loop_new();
    if (!http->topics || !http->sources || !http->chunk || !http->io || !http->loop ||
        pipe2(http->wake_fds, O_CLOEXEC | O_NONBLOCK) != 0)
        return TAS_E_NOMEM;
    tas_loop_on_turn(http->loop, on_turn, http);
    http->wake_watch = tas_watch_new(http->loop, http->wake_fds[0], TAS_READABLE, on_wake, http);
    http->tick_timer = tas_timer_new(http->loop, tas_http_streams_tick, http);
    http->short_timer = tas_timer_new(http->loop, on_short, http);
    return http->wake_watch && http->tick_timer && http->short_timer ? TAS_OK : TAS_E_NOMEM;
}

static void close_inside(struct tas_http *http) {
    for (size_t i = 0; i < http->n_ports; i++) {
        close_port(&http->ports[i]);
        tas_tls_free(http->ports[i].tls);
    }
    for (size_t i = 0; i < http->n_lanes; i++)
        if (http->lanes[i])
            tas_http_lane_free(http->lanes[i]);
    tas_watch_free(http->wake_watch);
    tas_timer_free(http->tick_timer);
    tas_timer_free(http->short_timer);
    tas_loop_free(http->loop);
    for (int i = 0; i < 2; i++)
        if (http->wake_fds[i] >= 0)
            close(http->wake_fds[i]);
    tas_io_free(http->io);
    free(http->chunk);
    tas_http_sources_free(http->sources);
    tas_http_topics_free(http->topics);
    pthread_cond_destroy(&http->done);
    pthread_mutex_destroy(&http->lock);
    free(http);
}

struct tas_http *tas_http_open(const struct tas_http_config *config, char why[TAS_HTTP_WHY]) {
    snprintf(why, TAS_HTTP_WHY, "out of memory or descriptors");
    struct tas_http *http = calloc(1, sizeof(*http));
    if (!http)
        return NULL;
    take_limits(http, config);
    if (open_inside(http) != TAS_OK || config->n_listeners > TAS_HTTP_LISTENERS ||
        config->n_lanes > TAS_HTTP_LANES)
        goto fail;
    for (size_t i = 0; i < config->n_listeners; i++)
        if (open_port(http, &config->listeners[i], why) != TAS_OK)
            goto fail;
    http->n_lanes = config->n_lanes;
    if (config->n_lanes > 0)
        memcpy(http->lane_configs, config->lanes, config->n_lanes * sizeof(config->lanes[0]));
    return http;
fail:;
    int saved = errno;
    tas_http_stop(http);
    errno = saved;
    return NULL;
}

int tas_http_run(struct tas_http *http) {
    return start_threads(http);
}

/* From here on nothing is handed in. */
static void shut_inbox(struct tas_http *http) {
    pthread_mutex_lock(&http->lock);
    http->is_halted = true;
    tas_http_events_free(http->events);
    http->events = NULL;
    http->events_end = &http->events;
    pthread_mutex_unlock(&http->lock);
}

void tas_http_halt(struct tas_http *http) {
    if (!http)
        return;
    for (size_t i = 0; i < http->n_lanes; i++)
        if (http->lanes[i])
            tas_http_lane_stop(http->lanes[i]);
    if (http->has_thread) {
        pthread_mutex_lock(&http->lock);
        http->wants_stop = true;
        tas_http_wake(http);
        pthread_mutex_unlock(&http->lock);
        pthread_join(http->thread, NULL);
        http->has_thread = false;
    }
    for (size_t i = 0; i < http->n_ports; i++)
        close_port(&http->ports[i]); /* it may never have run */
    shut_inbox(http);
}

void tas_http_free(struct tas_http *http) {
    if (http)
        close_inside(http);
}

void tas_http_stop(struct tas_http *http) {
    tas_http_halt(http);
    tas_http_free(http);
}

int tas_http_reload(struct tas_http *http, char why[TAS_HTTP_WHY]) {
    struct tas_tls *fresh[TAS_HTTP_LISTENERS] = {0};
    for (size_t i = 0; i < http->n_ports; i++) {
        if (!http->ports[i].config.certificate)
            continue;
        fresh[i] = load_tls(&http->ports[i].config, why);
        if (!fresh[i]) {
            while (i-- > 0)
                tas_tls_free(fresh[i]);
            return TAS_E_CONFIG;
        }
    }
    pthread_mutex_lock(&http->lock);
    while (http->fresh) /* another reload's */
        pthread_cond_wait(&http->done, &http->lock);
    http->fresh = fresh;
    tas_http_wake(http);
    while (http->fresh == fresh)
        pthread_cond_wait(&http->done, &http->lock);
    pthread_mutex_unlock(&http->lock);
    return TAS_OK;
}

void tas_http_drain(struct tas_http *http, unsigned timeout_ms) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000 * 1000;
    if (until.tv_nsec >= 1000 * 1000 * 1000) {
        until.tv_nsec -= 1000 * 1000 * 1000;
        until.tv_sec++;
    }
    pthread_mutex_lock(&http->lock);
    http->wants_drain = true;
    tas_http_wake(http);
    while (!http->is_drained && pthread_cond_timedwait(&http->done, &http->lock, &until) == 0)
        ;
    pthread_mutex_unlock(&http->lock);
}

void tas_http_stats(struct tas_http *http, struct tas_http_stats *out) {
#define X(name, kind, help) out->name = atomic_load_explicit(&http->stats.name, memory_order_relaxed);
    TAS_HTTP_STATS(X)
#undef X
}

void tas_http_metrics(struct tas_http *http, struct tas_http_reply *reply, const char *program) {
    struct tas_http_stats stats;
    tas_http_stats(http, &stats);
#define X(name, kind, help) tas_http_metric(reply, program, "http_" #name, kind, help, stats.name);
    TAS_HTTP_STATS(X)
#undef X
}
