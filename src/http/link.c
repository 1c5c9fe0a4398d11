#include "http/server_private.h"

#include "net/socket.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PLAIN_READ = 16 * 1024 };

static void interest(const struct tas_http_link *link) {
    if (link->watch)
        tas_watch_set(link->watch, (link->is_paused ? 0u : (unsigned)TAS_READABLE) |
                                       (link->is_full ? (unsigned)TAS_WRITABLE : 0u));
}

static void give_up(struct tas_http_link *link, const char *why) {
    link->is_broken = true;
    tas_watch_free(link->watch);
    link->watch = NULL;
    link->events->on_closed(link->ctx, why);
}

static void take_in(struct tas_http_link *link) {
    uint8_t bytes[PLAIN_READ];
    ssize_t n;
    do
        n = recv(link->fd, bytes, sizeof(bytes), 0);
    while (n < 0 && errno == EINTR);
    if (n > 0) {
        link->is_paused = !link->events->on_bytes(link->ctx, tas_bytes_of(bytes, (size_t)n));
        interest(link);
    } else if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) {
        give_up(link, n == 0 ? "closed by the peer" : "connection reset");
    }
}

static void on_ready(void *ctx, unsigned ready) {
    struct tas_http_link *link = ctx;
    if ((ready & TAS_READABLE) && !link->is_paused) {
        take_in(link);
    } else if (ready & TAS_WRITABLE) {
        link->is_full = false;
        interest(link);
        link->events->on_writable(link->ctx);
    } else if (ready & TAS_HANGUP) {
        give_up(link, "connection reset");
    }
}

int tas_http_link_open(struct tas_http_link *link, struct tas_loop *loop, struct tas_io *io,
                       struct tas_tls *tls, int fd, const struct tas_conn_events *events, void *ctx) {
    tas_socket_tune(fd, 0);
    *link = (struct tas_http_link){.loop = loop, .fd = fd, .events = events, .ctx = ctx};
    if (tls) {
        link->tls = tas_conn_new(loop, io, tls, fd, NULL, events, ctx);
        return link->tls ? TAS_OK : TAS_E_NOMEM;
    }
    link->watch = tas_watch_new(loop, fd, TAS_READABLE, on_ready, link);
    return link->watch ? TAS_OK : TAS_E_NOMEM;
}

void tas_http_link_close(struct tas_http_link *link) {
    if (link->tls) {
        tas_conn_free(link->tls);
        return;
    }
    tas_watch_free(link->watch);
    close(link->fd);
}

int tas_http_link_write(struct tas_http_link *link, struct tas_bytes bytes) {
    if (link->tls)
        return tas_conn_write(link->tls, bytes);
    if (link->is_broken)
        return TAS_E_CLOSED;
    if (link->is_full || bytes.len == 0)
        return 0;
    size_t len = bytes.len < TAS_HTTP_TURN_MAX ? bytes.len : TAS_HTTP_TURN_MAX;
    ssize_t n = send(link->fd, bytes.ptr, len, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
        link->is_broken = true;
        return TAS_E_CLOSED;
    }
    if (n < (ssize_t)len) {
        link->is_full = true;
        interest(link);
    }
    return n < 0 ? 0 : (int)n;
}

void tas_http_link_flush(struct tas_http_link *link) {
    if (link->tls)
        tas_conn_flush(link->tls);
}

void tas_http_link_resume(struct tas_http_link *link) {
    if (link->tls) {
        tas_conn_resume(link->tls);
        return;
    }
    link->is_paused = false;
    interest(link);
}

void tas_http_link_shut(struct tas_http_link *link) {
    if (link->tls)
        tas_conn_shut(link->tls);
    else if (!link->is_shut)
        shutdown(link->fd, SHUT_WR);
    link->is_shut = true;
}

size_t tas_http_link_backlog(const struct tas_http_link *link) {
    return link->tls ? tas_conn_backlog(link->tls) : 0;
}
