#include "net/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    NEXT_AFTER_US = 250 * 1000, /* RFC 8305 section 5 */
    GIVE_UP_US = 10 * 1000 * 1000,
    ADDRESSES_MAX = 8,
    NOTSENT_LOWAT = 16 * 1024,
};

int tas_address_split(const char *text, char *host, size_t host_cap, char port[6]) {
    const char *colon = strrchr(text, ':');
    if (!colon || colon == text)
        return TAS_E_CONFIG;
    const char *from = text;
    size_t len = (size_t)(colon - text);
    if (*from == '[') {
        if (len < 3 || from[len - 1] != ']')
            return TAS_E_CONFIG;
        from++;
        len -= 2;
    }
    char *end;
    unsigned long number = strtoul(colon + 1, &end, 10);
    if (len >= host_cap || *end || colon[1] < '0' || colon[1] > '9' || number == 0 || number > 65535)
        return TAS_E_CONFIG;
    memcpy(host, from, len);
    host[len] = '\0';
    snprintf(port, 6, "%lu", number);
    return TAS_OK;
}

bool tas_address_is_sound(const char *text) {
    char host[256];
    char port[6];
    return tas_address_split(text, host, sizeof(host), port) == TAS_OK;
}

bool tas_address_is_numeric(const char *text) {
    char host[256];
    char port[6];
    struct in6_addr address; /* room for either */
    return tas_address_split(text, host, sizeof(host), port) == TAS_OK &&
           (inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1);
}

bool tas_address_is_v4(const uint8_t address[16]) {
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return memcmp(address, mapped, sizeof(mapped)) == 0;
}

void tas_address_text(char out[TAS_ADDRESS_TEXT], const uint8_t address[16]) {
    bool is_v4 = tas_address_is_v4(address);
    if (!inet_ntop(is_v4 ? AF_INET : AF_INET6, is_v4 ? address + 12 : address, out, TAS_ADDRESS_TEXT))
        out[0] = '\0';
}

void tas_socket_source(int fd, uint8_t out[16]) {
    struct sockaddr_storage addr = {0};
    socklen_t len = sizeof(addr);
    memset(out, 0, 16);
    if (getpeername(fd, (struct sockaddr *)&addr, &len) != 0)
        return;
    if (addr.ss_family == AF_INET6) {
        memcpy(out, &((const struct sockaddr_in6 *)&addr)->sin6_addr, 16);
    } else if (addr.ss_family == AF_INET) {
        out[10] = out[11] = 0xff;
        memcpy(out + 12, &((const struct sockaddr_in *)&addr)->sin_addr, 4);
    }
}

void tas_socket_tune(int fd, int buf_bytes) {
    const int one = 1;
    const int lowat = NOTSENT_LOWAT;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &lowat, sizeof(lowat));
    if (buf_bytes > 0) {
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buf_bytes, sizeof(buf_bytes));
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buf_bytes, sizeof(buf_bytes));
    }
}

static struct addrinfo *lookup(const char *host, const char *port, int flags, int *gai) {
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = flags};
    struct addrinfo *list = NULL;
    *gai = getaddrinfo(host, port, &hints, &list);
    return *gai == 0 ? list : NULL;
}

int tas_listen(const char *address) {
    char host[256];
    char port[6];
    int gai;
    if (tas_address_split(address, host, sizeof(host), port) != TAS_OK)
        return TAS_E_CONFIG;
    struct addrinfo *ai = lookup(host, port, AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE, &gai);
    if (!ai)
        return TAS_E_CONFIG;
    int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const int one = 1;
    bool ok = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0 &&
              bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0;
    int saved = errno;
    freeaddrinfo(ai);
    if (ok)
        return fd;
    if (fd >= 0)
        close(fd);
    errno = saved;
    return TAS_E_IO;
}

int tas_accept(int listen_fd) {
    int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0)
        return fd;
    bool is_empty = errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR || errno == ECONNABORTED;
    return is_empty ? TAS_E_MORE : TAS_E_IO;
}

/* ---- dialling ---- */

struct attempt {
    struct tas_dial *dial;
    int fd;
    struct tas_watch *watch;
};

struct tas_dial {
    struct tas_loop *loop;
    void (*done)(void *ctx, int fd, const char *why);
    void *ctx;
    struct tas_timer *next_timer, *limit_timer;
    struct lookup *lookup; /* while it runs */
    struct addrinfo *list, *next;
    struct attempt tries[ADDRESSES_MAX];
    unsigned n_tries;
    int last_errno;
    bool is_unknown; /* the resolver has no address for the name */
    char host[256];
    char port[6];
};

/* Shared by the loop's thread and the resolving one; the last of them frees it. */
struct lookup {
    atomic_int refs;
    pthread_mutex_t lock; /* guards what is below */
    bool is_abandoned;    /* nobody waits any more, and the loop may be gone */
    bool is_posted;       /* on_resolved() will come */
    struct tas_loop *loop;
    struct tas_dial *dial; /* the loop's thread only */
    char host[256];
    char port[6];
    struct addrinfo *list;
    int gai;
};

static void lookup_release(struct lookup *l) {
    if (atomic_fetch_sub(&l->refs, 1) != 1)
        return;
    if (l->list)
        freeaddrinfo(l->list);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

static void attempt_close(struct attempt *a) {
    tas_watch_free(a->watch);
    if (a->fd >= 0)
        close(a->fd);
    a->watch = NULL;
    a->fd = -1;
}

static void finish(struct tas_dial *d, int fd, const char *why) {
    tas_timer_set(d->next_timer, UINT64_MAX);
    tas_timer_set(d->limit_timer, UINT64_MAX);
    for (unsigned i = 0; i < d->n_tries; i++)
        attempt_close(&d->tries[i]);
    d->done(d->ctx, fd, why); /* may free d */
}

static void try_next(void *ctx);

static void on_connected(void *ctx, unsigned ready) {
    struct attempt *a = ctx;
    struct tas_dial *d = a->dial;
    (void)ready;
    int err = 0;
    socklen_t len = sizeof(err);
    getsockopt(a->fd, SOL_SOCKET, SO_ERROR, &err, &len);
    tas_watch_free(a->watch);
    a->watch = NULL;
    if (err == 0) {
        int fd = a->fd;
        a->fd = -1;
        finish(d, fd, NULL);
        return;
    }
    d->last_errno = err;
    attempt_close(a);
    try_next(d); /* refused: the next address at once */
}

static bool any_open(const struct tas_dial *d) {
    for (unsigned i = 0; i < d->n_tries; i++)
        if (d->tries[i].fd >= 0)
            return true;
    return false;
}

/* Starts the next address. Fails the dial when there is none left and none is on its way. */
static void try_next(void *ctx) {
    struct tas_dial *d = ctx;
    while (d->next && d->n_tries < ADDRESSES_MAX) {
        const struct addrinfo *ai = d->next;
        d->next = ai->ai_next;
        struct attempt *a = &d->tries[d->n_tries++];
        *a = (struct attempt){.dial = d};
        a->fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (a->fd < 0) {
            d->last_errno = errno;
            continue;
        }
        tas_socket_tune(a->fd, 0);
        if (connect(a->fd, ai->ai_addr, ai->ai_addrlen) == 0 || errno == EINPROGRESS)
            a->watch = tas_watch_new(d->loop, a->fd, TAS_WRITABLE, on_connected, a);
        if (a->watch) {
            tas_timer_set(d->next_timer, tas_loop_now_us(d->loop) + NEXT_AFTER_US);
            return;
        }
        d->last_errno = errno;
        attempt_close(a);
    }
    if (!any_open(d))
        finish(d, -1, strerror(d->last_errno ? d->last_errno : EHOSTUNREACH));
}

static void on_limit(void *ctx) {
    finish(ctx, -1, "no answer");
}

/* On the loop's thread, after the resolver. */
static void on_resolved(void *ctx) {
    struct lookup *l = ctx;
    struct tas_dial *d = l->dial; /* NULL: given up meanwhile */
    pthread_mutex_lock(&l->lock); /* the resolver is done with it */
    int gai = l->gai;
    if (d) {
        d->lookup = NULL;
        d->list = l->list;
        l->list = NULL;
    }
    pthread_mutex_unlock(&l->lock);
    lookup_release(l);
    if (!d)
        return;
    d->next = d->list;
    d->is_unknown = !d->list;
    if (d->list)
        try_next(d);
    else
        finish(d, -1, gai_strerror(gai));
}

static void *resolver(void *ctx) {
    struct lookup *l = ctx;
    int gai;
    struct addrinfo *list = lookup(l->host, l->port, AI_ADDRCONFIG, &gai);
    pthread_mutex_lock(&l->lock);
    l->list = list;
    l->gai = gai;
    /* When there is no memory to tell, the dial's limit ends it. */
    if (!l->is_abandoned)
        l->is_posted = tas_loop_post(l->loop, on_resolved, l) == TAS_OK;
    pthread_mutex_unlock(&l->lock);
    lookup_release(l);
    return NULL;
}

static int start_lookup(struct tas_dial *d) {
    struct lookup *l = calloc(1, sizeof(*l));
    if (!l)
        return TAS_E_NOMEM;
    atomic_init(&l->refs, 2);
    pthread_mutex_init(&l->lock, NULL);
    l->loop = d->loop;
    l->dial = d;
    memcpy(l->host, d->host, sizeof(l->host));
    memcpy(l->port, d->port, sizeof(l->port));
    pthread_t thread;
    if (pthread_create(&thread, NULL, resolver, l) != 0) {
        lookup_release(l);
        lookup_release(l);
        return TAS_E_NOMEM;
    }
    pthread_detach(thread);
    d->lookup = l;
    tas_timer_set(d->limit_timer, tas_loop_now_us(d->loop) + GIVE_UP_US);
    return TAS_OK;
}

static void abandon_lookup(struct lookup *l) {
    l->dial = NULL;
    pthread_mutex_lock(&l->lock);
    l->is_abandoned = true;
    bool is_posted = l->is_posted;
    pthread_mutex_unlock(&l->lock);
    if (!is_posted)
        lookup_release(l); /* else on_resolved() does */
}

struct tas_dial *tas_dial_start(struct tas_loop *loop, const char *address,
                                void (*done)(void *ctx, int fd, const char *why), void *ctx) {
    struct tas_dial *d = calloc(1, sizeof(*d));
    if (!d)
        return NULL;
    d->loop = loop;
    d->done = done;
    d->ctx = ctx;
    int gai;
    d->next_timer = tas_timer_new(loop, try_next, d);
    d->limit_timer = tas_timer_new(loop, on_limit, d);
    if (!d->next_timer || !d->limit_timer ||
        tas_address_split(address, d->host, sizeof(d->host), d->port) != TAS_OK)
        goto fail;
    d->list = lookup(d->host, d->port, AI_NUMERICHOST | AI_NUMERICSERV, &gai);
    if (d->list) {
        d->next = d->list;
        tas_timer_set(d->limit_timer, tas_loop_now_us(loop) + GIVE_UP_US);
        tas_timer_set(d->next_timer, tas_loop_now_us(loop)); /* from the loop, never from within this call */
        return d;
    }
    if (start_lookup(d) == TAS_OK)
        return d;
fail:
    tas_dial_free(d);
    return NULL;
}

bool tas_dial_is_unknown(const struct tas_dial *d) {
    return d->is_unknown;
}

void tas_dial_free(struct tas_dial *d) {
    if (!d)
        return;
    if (d->lookup)
        abandon_lookup(d->lookup);
    for (unsigned i = 0; i < d->n_tries; i++)
        attempt_close(&d->tries[i]);
    tas_timer_free(d->next_timer);
    tas_timer_free(d->limit_timer);
    if (d->list)
        freeaddrinfo(d->list);
    free(d);
}
