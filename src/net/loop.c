#include "net/loop.h"

#include "base/time.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { EVENTS_PER_TURN = 256 };

struct tas_watch {
    struct tas_loop *loop;
    int fd;
    unsigned interest;
    void (*fn)(void *ctx, unsigned ready);
    void *ctx;
    bool is_dead;
    struct tas_watch *next_dead;
};

struct tas_timer {
    struct tas_loop *loop;
    void (*fn)(void *ctx);
    void *ctx;
    uint64_t at_us;
    size_t slot; /* in the heap, NOT_SET when not there */
};

struct posted {
    struct posted *next;
    void (*fn)(void *ctx);
    void *ctx;
};

struct tas_loop {
    int epoll_fd;
    int wake_fd;
    int signal_fd;
    uint64_t now_us;
    atomic_bool is_stopped;
    struct tas_watch *wake_watch, *signal_watch;
    struct tas_watch *dead; /* freed after the turn: the batch may still name them */
    struct tas_timer **heap;
    size_t n_timers, n_existing, cap_timers;
    pthread_mutex_t lock; /* guards posts */
    struct posted *posts, **posts_end;
    void (*on_turn)(void *ctx);
    void *on_turn_ctx;
    void (*on_signal)(void *ctx, int signo);
    void *on_signal_ctx;
};

static const size_t NOT_SET = SIZE_MAX;

/* ---- posts ---- */

static void on_wake(void *ctx, unsigned ready) {
    (void)ready;
    struct tas_loop *loop = ctx;
    uint64_t count;
    ssize_t ignored = read(loop->wake_fd, &count, sizeof(count));
    (void)ignored;
    pthread_mutex_lock(&loop->lock);
    struct posted *all = loop->posts;
    loop->posts = NULL;
    loop->posts_end = &loop->posts;
    pthread_mutex_unlock(&loop->lock);
    while (all) {
        struct posted *p = all;
        all = p->next;
        p->fn(p->ctx);
        free(p);
    }
}

static void wake(struct tas_loop *loop) {
    const uint64_t one = 1;
    ssize_t ignored = write(loop->wake_fd, &one, sizeof(one));
    (void)ignored;
}

int tas_loop_post(struct tas_loop *loop, void (*fn)(void *ctx), void *ctx) {
    struct posted *p = malloc(sizeof(*p));
    if (!p)
        return TAS_E_NOMEM;
    *p = (struct posted){.fn = fn, .ctx = ctx};
    pthread_mutex_lock(&loop->lock);
    *loop->posts_end = p;
    loop->posts_end = &p->next;
    pthread_mutex_unlock(&loop->lock);
    wake(loop);
    return TAS_OK;
}

void tas_loop_stop(struct tas_loop *loop) {
    atomic_store(&loop->is_stopped, true);
    wake(loop);
}

/* ---- life ---- */

struct tas_loop *tas_loop_new(void) {
    struct tas_loop *loop = calloc(1, sizeof(*loop));
    if (!loop)
        return NULL;
    pthread_mutex_init(&loop->lock, NULL);
    loop->posts_end = &loop->posts;
    loop->signal_fd = -1;
    loop->now_us = tas_mono_us();
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loop->epoll_fd >= 0 && loop->wake_fd >= 0)
        loop->wake_watch = tas_watch_new(loop, loop->wake_fd, TAS_READABLE, on_wake, loop);
    if (loop->wake_watch)
        return loop;
    tas_loop_free(loop);
    return NULL;
}

static void bury(struct tas_loop *loop) {
    while (loop->dead) {
        struct tas_watch *w = loop->dead;
        loop->dead = w->next_dead;
        free(w);
    }
}

void tas_loop_free(struct tas_loop *loop) {
    if (!loop)
        return;
    tas_watch_free(loop->wake_watch);
    tas_watch_free(loop->signal_watch);
    bury(loop);
    while (loop->posts) {
        struct posted *p = loop->posts;
        loop->posts = p->next;
        free(p);
    }
    if (loop->epoll_fd >= 0)
        close(loop->epoll_fd);
    if (loop->wake_fd >= 0)
        close(loop->wake_fd);
    if (loop->signal_fd >= 0)
        close(loop->signal_fd);
    pthread_mutex_destroy(&loop->lock);
    free(loop->heap);
    free(loop);
}

uint64_t tas_loop_now_us(const struct tas_loop *loop) {
    return loop->now_us;
}

void tas_loop_on_turn(struct tas_loop *loop, void (*fn)(void *ctx), void *ctx) {
    loop->on_turn = fn;
    loop->on_turn_ctx = ctx;
}

/* ---- watches ---- */

static uint32_t epoll_mask(unsigned interest) {
    return (interest & TAS_READABLE ? (uint32_t)(EPOLLIN | EPOLLRDHUP) : 0) |
           (interest & TAS_WRITABLE ? (uint32_t)EPOLLOUT : 0);
}

struct tas_watch *tas_watch_new(struct tas_loop *loop, int fd, unsigned interest,
                                void (*fn)(void *ctx, unsigned ready), void *ctx) {
    struct tas_watch *w = calloc(1, sizeof(*w));
    if (!w)
        return NULL;
    *w = (struct tas_watch){.loop = loop, .fd = fd, .interest = interest, .fn = fn, .ctx = ctx};
    struct epoll_event ev = {.events = epoll_mask(interest), .data.ptr = w};
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &ev) == 0)
        return w;
    free(w);
    return NULL;
}

void tas_watch_set(struct tas_watch *w, unsigned interest) {
    if (w->interest == interest)
        return;
    w->interest = interest;
    struct epoll_event ev = {.events = epoll_mask(interest), .data.ptr = w};
    int err = epoll_ctl(w->loop->epoll_fd, EPOLL_CTL_MOD, w->fd, &ev);
    assert(err == 0); /* the descriptor is registered and open: anything else is our own mistake */
}

void tas_watch_free(struct tas_watch *w) {
    if (!w)
        return;
    epoll_ctl(w->loop->epoll_fd, EPOLL_CTL_DEL, w->fd, NULL);
    w->is_dead = true;
    w->next_dead = w->loop->dead;
    w->loop->dead = w;
}

/* ---- timers: a binary heap, earliest first ---- */

static void heap_put(struct tas_loop *loop, size_t slot, struct tas_timer *t) {
    loop->heap[slot] = t;
    t->slot = slot;
}

static void heap_up(struct tas_loop *loop, size_t slot) {
    struct tas_timer *t = loop->heap[slot];
    while (slot > 0 && loop->heap[(slot - 1) / 2]->at_us > t->at_us) {
        heap_put(loop, slot, loop->heap[(slot - 1) / 2]);
        slot = (slot - 1) / 2;
    }
    heap_put(loop, slot, t);
}

static void heap_down(struct tas_loop *loop, size_t slot) {
    struct tas_timer *t = loop->heap[slot];
    for (;;) {
        size_t child = 2 * slot + 1;
        if (child >= loop->n_timers)
            break;
        if (child + 1 < loop->n_timers && loop->heap[child + 1]->at_us < loop->heap[child]->at_us)
            child++;
        if (loop->heap[child]->at_us >= t->at_us)
            break;
        heap_put(loop, slot, loop->heap[child]);
        slot = child;
    }
    heap_put(loop, slot, t);
}

static void heap_remove(struct tas_timer *t) {
    struct tas_loop *loop = t->loop;
    size_t slot = t->slot;
    t->slot = NOT_SET;
    struct tas_timer *last = loop->heap[--loop->n_timers];
    if (last == t)
        return;
    heap_put(loop, slot, last);
    heap_up(loop, slot);
    heap_down(loop, last->slot);
}

/* Room for every timer is made here, so that setting one never fails. */
struct tas_timer *tas_timer_new(struct tas_loop *loop, void (*fn)(void *ctx), void *ctx) {
    struct tas_timer *t = calloc(1, sizeof(*t));
    if (!t)
        return NULL;
    if (loop->n_existing == loop->cap_timers) {
        size_t cap = loop->cap_timers ? loop->cap_timers * 2 : 16;
        struct tas_timer **heap = realloc(loop->heap, cap * sizeof(struct tas_timer *));
        if (!heap) {
            free(t);
            return NULL;
        }
        loop->heap = heap;
        loop->cap_timers = cap;
    }
    loop->n_existing++;
    *t = (struct tas_timer){.loop = loop, .fn = fn, .ctx = ctx, .slot = NOT_SET};
    return t;
}

void tas_timer_set(struct tas_timer *t, uint64_t at_us) {
    struct tas_loop *loop = t->loop;
    if (at_us == UINT64_MAX) {
        if (t->slot != NOT_SET)
            heap_remove(t);
        return;
    }
    t->at_us = at_us;
    if (t->slot == NOT_SET) {
        assert(loop->n_timers < loop->cap_timers);
        heap_put(loop, loop->n_timers++, t);
    }
    heap_up(loop, t->slot);
    heap_down(loop, t->slot);
}

void tas_timer_free(struct tas_timer *t) {
    if (!t)
        return;
    if (t->slot != NOT_SET)
        heap_remove(t);
    t->loop->n_existing--;
    free(t);
}

static void fire_timers(struct tas_loop *loop) {
    while (loop->n_timers > 0 && loop->heap[0]->at_us <= loop->now_us) {
        struct tas_timer *t = loop->heap[0];
        heap_remove(t);
        t->fn(t->ctx);
    }
}

static int wait_ms(const struct tas_loop *loop) {
    if (loop->n_timers == 0)
        return -1;
    uint64_t at = loop->heap[0]->at_us;
    uint64_t now = tas_mono_us();
    if (at <= now)
        return 0;
    uint64_t ms = (at - now + 999) / 1000;
    return ms > 60000 ? 60000 : (int)ms;
}

/* ---- signals ---- */

static void on_signal_fd(void *ctx, unsigned ready) {
    (void)ready;
    struct tas_loop *loop = ctx;
    struct signalfd_siginfo info;
    while (read(loop->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
        loop->on_signal(loop->on_signal_ctx, (int)info.ssi_signo);
}

static sigset_t set_of(const int *signos, size_t n) {
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < n; i++)
        sigaddset(&set, signos[i]);
    return set;
}

void tas_loop_block_signals(const int *signos, size_t n) {
    sigset_t set = set_of(signos, n);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignore, NULL);
}

int tas_loop_on_signals(struct tas_loop *loop, const int *signos, size_t n, void (*fn)(void *ctx, int signo),
                        void *ctx) {
    sigset_t set = set_of(signos, n);
    loop->on_signal = fn;
    loop->on_signal_ctx = ctx;
    loop->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (loop->signal_fd < 0)
        return TAS_E_IO;
    loop->signal_watch = tas_watch_new(loop, loop->signal_fd, TAS_READABLE, on_signal_fd, loop);
    return loop->signal_watch ? TAS_OK : TAS_E_IO;
}

/* ---- running ---- */

static unsigned ready_of(uint32_t events) {
    return (events & (EPOLLIN | EPOLLRDHUP) ? (unsigned)TAS_READABLE : 0) |
           (events & EPOLLOUT ? (unsigned)TAS_WRITABLE : 0) |
           (events & (EPOLLHUP | EPOLLERR) ? (unsigned)TAS_HANGUP : 0);
}

int tas_loop_run(struct tas_loop *loop) {
    struct epoll_event batch[EVENTS_PER_TURN];
    while (!atomic_load(&loop->is_stopped)) {
        int n = epoll_wait(loop->epoll_fd, batch, EVENTS_PER_TURN, wait_ms(loop));
        if (n < 0 && errno != EINTR)
            return TAS_E_IO;
        loop->now_us = tas_mono_us();
        for (int i = 0; i < n; i++) {
            struct tas_watch *w = batch[i].data.ptr;
            if (!w->is_dead)
                w->fn(w->ctx, ready_of(batch[i].events));
        }
        fire_timers(loop);
        if (loop->on_turn)
            loop->on_turn(loop->on_turn_ctx);
        bury(loop);
    }
    return TAS_OK;
}
