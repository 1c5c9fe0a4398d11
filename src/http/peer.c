#include "http/server_private.h"

#include "http/source.h"

#include <stdlib.h>
#include <unistd.h>

enum { US_PER_S = 1000 * 1000 };

/* ---- the due list ---- */

void tas_http_peer_due(struct tas_http_peer *peer) {
    if (peer->is_due)
        return;
    peer->is_due = true;
    peer->next_due = peer->http->due;
    peer->http->due = peer;
}

void tas_http_peer_later(struct tas_http_peer *peer) {
    struct tas_http *http = peer->http;
    if (peer->is_later)
        return;
    peer->is_later = true;
    peer->next_later = http->later;
    http->later = peer;
    pthread_mutex_lock(&http->lock);
    tas_http_wake(http);
    pthread_mutex_unlock(&http->lock);
}

void tas_http_peer_kill(struct tas_http_peer *peer) {
    peer->is_dead = true;
    tas_http_peer_due(peer);
}

void tas_http_peer_wake(struct tas_http_exchange *x) {
    tas_http_peer_due(x->peer);
}

void tas_http_peer_answer(struct tas_http_exchange *x) {
    x->phase = TAS_HTTP_SENDING;
    tas_http_exchange_settle(x);
    x->moved_us = tas_http_now_us(x->peer->http);
    TAS_HTTP_COUNT(x->peer->http, requests_total, 1);
    if (x->peer->h2)
        tas_http_h2_answer(x);
    else
        tas_http_h1_answer(x);
    tas_http_peer_due(x->peer);
}

/* ---- deadlines ---- */

static uint64_t quiet_deadline(const struct tas_http_peer *peer) {
    const struct tas_http_config *limits = &peer->http->limits;
    if (!peer->has_asked) /* from accept: TLS, preface and first head together */
        return peer->accepted_us + (uint64_t)limits->header_s * US_PER_S;
    return peer->quiet_us + (uint64_t)limits->idle_s * US_PER_S;
}

static uint64_t deadline(const struct tas_http_peer *peer) {
    uint64_t at_us = UINT64_MAX;
    if (peer->h2)
        at_us = tas_http_h2_deadline(peer);
    else if (peer->is_secured)
        at_us = tas_http_h1_deadline(peer);
    if (at_us == UINT64_MAX && peer->n_exchanges == 0)
        at_us = quiet_deadline(peer);
    if (peer->backlog == 0)
        return at_us;
    /* The kernel takes it piece by piece, which nobody tells us. */
    uint64_t stalled_us = peer->moved_us + TAS_HTTP_STALL_US;
    return at_us == UINT64_MAX || at_us < stalled_us ? stalled_us : at_us;
}

static void arm(struct tas_http_peer *peer) {
    size_t backlog = tas_http_link_backlog(&peer->link);
    if (backlog != peer->backlog)
        peer->moved_us = tas_http_now_us(peer->http);
    peer->backlog = backlog;
    tas_timer_set(peer->timer, deadline(peer));
}

static void on_deadline(void *ctx) {
    struct tas_http_peer *peer = ctx;
    arm(peer);
    if (deadline(peer) > tas_http_now_us(peer->http))
        return;
    tas_timer_set(peer->timer, UINT64_MAX); /* until it is served: a timer in the past fires for ever */
    if (!peer->h2 && peer->h1.state == TAS_H1_BODY) {
        tas_http_exchange_refuse(peer->h1.x, 408, "too_slow", "The request's body came too slowly.");
        return;
    }
    if (peer->h2 && tas_http_h2_expire(peer)) {
        TAS_HTTP_COUNT(peer->http, refused_total, 1);
        tas_http_peer_due(peer);
        return;
    }
    bool is_quiet = peer->has_asked && peer->n_exchanges == 0; /* that is no offence */
    TAS_HTTP_COUNT(peer->http, refused_total, !is_quiet);
    tas_http_peer_kill(peer);
}

/* ---- what the link tells ---- */

static void on_secured(void *ctx) {
    struct tas_http_peer *peer = ctx;
    char name[TAS_HTTP_NAME_MAX];
    peer->is_secured = true;
    if (tas_conn_peer_name(peer->link.tls, name, sizeof(name))) {
        peer->name = strdup(name);
        if (!peer->name)
            tas_http_peer_kill(peer);
    }
    if (tas_conn_speaks(peer->link.tls, "h2")) {
        peer->h2 = tas_http_h2_new(peer);
        if (!peer->h2)
            tas_http_peer_kill(peer);
    }
    tas_http_peer_due(peer);
}

static bool on_bytes(void *ctx, struct tas_bytes bytes) {
    struct tas_http_peer *peer = ctx;
    if (peer->is_dead)
        return true;
    if (peer->h2)
        tas_http_h2_bytes(peer, bytes);
    else
        tas_http_h1_bytes(peer, bytes);
    tas_http_peer_due(peer);
    peer->wants_resume = !peer->is_dead && !tas_http_h1_wants_more(peer);
    return !peer->wants_resume;
}

static void on_writable(void *ctx) {
    tas_http_peer_due(ctx);
}

static void on_closed(void *ctx, const char *why) {
    struct tas_http_peer *peer = ctx;
    (void)why;
    TAS_HTTP_COUNT(peer->http, tls_failed_total, !peer->is_secured);
    tas_http_peer_kill(peer);
}

static const struct tas_conn_events events = {
    .on_secured = on_secured, .on_bytes = on_bytes, .on_writable = on_writable, .on_closed = on_closed};

/* ---- life ---- */

void tas_http_peer_new(struct tas_http *http, const struct tas_http_port *port, int fd,
                       const uint8_t source[16]) {
    struct tas_http_peer *peer = calloc(1, sizeof(*peer));
    if (!peer)
        goto fail;
    *peer = (struct tas_http_peer){.http = http, .port = port, .is_secured = !port->tls};
    memcpy(peer->source, source, sizeof(peer->source));
    tas_http_h1_init(&peer->h1);
    peer->accepted_us = peer->quiet_us = peer->moved_us = tas_http_now_us(http);
    peer->timer = tas_timer_new(http->loop, on_deadline, peer);
    if (!peer->timer)
        goto fail;
    if (tas_http_link_open(&peer->link, http->loop, http->io, port->tls, fd, &events, peer) != TAS_OK)
        goto fail;
    peer->next = http->peers;
    if (peer->next)
        peer->next->prev = peer;
    http->peers = peer;
    http->n_peers++;
    TAS_HTTP_COUNT(http, connections, 1);
    arm(peer);
    return;
fail:
    close(fd);
    if (peer)
        tas_timer_free(peer->timer);
    free(peer);
    tas_http_sources_remove(http->sources, source);
}

void tas_http_peer_free(struct tas_http_peer *peer) {
    struct tas_http *http = peer->http;
    for (struct tas_http_peer **at = &http->later; peer->is_later && *at; at = &(*at)->next_later)
        if (*at == peer) {
            *at = peer->next_later;
            break;
        }
    tas_http_h2_free(peer->h2);
    while (peer->exchanges)
        tas_http_exchange_free(peer->exchanges);
    tas_http_h1_fini(&peer->h1);
    tas_http_link_close(&peer->link);
    tas_timer_free(peer->timer);
    *(peer->prev ? &peer->prev->next : &http->peers) = peer->next;
    if (peer->next)
        peer->next->prev = peer->prev;
    http->n_peers--;
    tas_http_sources_remove(http->sources, peer->source);
    TAS_HTTP_COUNT(http, connections, -1);
    free(peer->name);
    free(peer);
}

/* ---- serving ---- */

void tas_http_peer_serve(struct tas_http_peer *peer) {
    if (peer->is_secured && peer->h2)
        tas_http_h2_serve(peer);
    else if (peer->is_secured)
        tas_http_h1_serve(peer);
    if (peer->is_dead)
        return; /* it is due again */
    arm(peer);
    if (peer->wants_resume && tas_http_h1_wants_more(peer)) {
        peer->wants_resume = false;
        tas_http_link_resume(&peer->link);
    }
}

void tas_http_peer_drain(struct tas_http_peer *peer) {
    if (!peer->is_secured)
        tas_http_peer_kill(peer);
    else if (peer->h2)
        tas_http_h2_drain(peer);
    else
        tas_http_h1_drain(peer);
    tas_http_peer_due(peer);
}
