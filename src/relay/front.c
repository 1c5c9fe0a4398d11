#include "relay/front.h"

#include "base/log.h"
#include "base/rand.h"
#include "base/time.h"
#include "net/socket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    DOOR_LIMIT_US = 10 * 1000 * 1000, /* from accept to PROOF */
    SCAN_US = 250 * 1000,
    ACCEPTS_PER_TURN = 64,
    SOCKET_BUF = 128 * 1024,
    GUEST_IN_MAX = 1024,
    LISTENERS_MAX = 8,
};

/* Somebody at the door. */
struct guest {
    struct relay_front *front;
    struct tas_conn *conn;
    uint8_t source[16];
    uint64_t since_us;
    bool has_hello;
    struct relay_admission admission;
    uint8_t challenge[48]; /* as it was sent */
    struct tas_buf in;
    struct guest *prev, *next;
};

struct relay_front {
    struct tas_loop *loop;
    struct tas_io *io;
    const struct relay_config *config;
    struct tas_tls *tls;
    struct relay_worker *const *workers;
    size_t n_workers;
    struct relay_stats *stats;
    struct {
        int fd;
        struct tas_watch *watch;
        struct relay_front *front;
    } listeners[LISTENERS_MAX];
    size_t n_listeners;
    bool is_short; /* of descriptors or memory: accepts again at the next scan */
    struct tas_timer *scan_timer;
    struct guest *guests;
    size_t n_guests;
};

static void unlink_guest(struct guest *g) {
    struct relay_front *f = g->front;
    if (g->prev)
        g->prev->next = g->next;
    else
        f->guests = g->next;
    if (g->next)
        g->next->prev = g->prev;
    f->n_guests--;
    relay_count(&f->stats->unauthenticated, -1);
    tas_buf_fini(&g->in);
    tas_wipe(g, sizeof(*g));
    free(g);
}

static void guest_free(struct guest *g) {
    struct relay_front *f = g->front;
    tas_conn_free(g->conn);
    unlink_guest(g);
    relay_count(&f->stats->connections, -1);
}

static void send_record(struct guest *g, uint8_t type, struct tas_bytes payload) {
    uint8_t record[TAS_RECORD_HEAD + 64];
    tas_record_head_encode(record, type, 0, 0, payload.len);
    memcpy(record + TAS_RECORD_HEAD, payload.ptr, payload.len);
    (void)!tas_conn_write(g->conn, tas_bytes_of(record, TAS_RECORD_HEAD + payload.len));
    tas_conn_flush(g->conn);
}

static void refuse(struct guest *g, unsigned code) {
    uint8_t body[2] = {0, (uint8_t)code};
    relay_count(&g->front->stats->refused_total, 1);
    tas_log(TAS_LOG_INFO, "relay", "refused", "code=%u why=\"%s\"", code, tas_close_text(code));
    send_record(g, TAS_RECORD_CLOSE, tas_bytes_of(body, sizeof(body)));
    guest_free(g);
}

static unsigned on_hello(struct guest *g, struct tas_bytes payload) {
    struct relay_front *f = g->front;
    unsigned code = relay_admit_hello(&g->admission, payload, f->config, tas_crypto_native(), tas_wall_ms());
    if (code)
        return code;
    struct tas_msg_challenge challenge = {.ver = TAS_VERSION, .relay_id = f->config->relay_id};
    tas_random(challenge.nonce, sizeof(challenge.nonce));
    int len = tas_msg_challenge_encode(&challenge, g->challenge, sizeof(g->challenge));
    g->has_hello = true;
    send_record(g, TAS_RECORD_CHALLENGE, tas_bytes_of(g->challenge, (size_t)len));
    return 0;
}

/* In: the connection moves to the thread of its session. */
static void let_in(struct guest *g) {
    struct relay_front *f = g->front;
    struct relay_worker *worker = relay_worker_of(f->workers, f->n_workers, g->admission.ticket.session_id);
    struct relay_admission admission = g->admission;
    struct tas_conn *conn = g->conn;
    tas_conn_detach(conn);
    unlink_guest(g);
    relay_worker_give(worker, conn, &admission);
}

/* The next record of a guest. TAS_E_MORE: not whole yet. TAS_E_CLOSED: the guest is gone, in or out. */
static int on_record(struct guest *g) {
    struct tas_record rec;
    size_t used;
    int err = tas_record_decode(&rec, &used, tas_buf_peek(&g->in));
    if (err == TAS_E_MORE)
        return err;
    unsigned code = err == TAS_OK ? 0 : TAS_CLOSE_BAD_RECORD;
    uint8_t cb[32];
    if (!code && !g->has_hello && rec.type == TAS_RECORD_HELLO) {
        code = on_hello(g, rec.payload);
    } else if (!code && g->has_hello && rec.type == TAS_RECORD_PROOF && used == g->in.len) {
        code = tas_conn_binding(g->conn, cb) == TAS_OK
                   ? relay_admit_proof(&g->admission, rec.payload, g->challenge, cb, tas_crypto_native())
                   : TAS_CLOSE_PROOF;
        if (!code) {
            let_in(g);
            return TAS_E_CLOSED;
        }
    } else if (!code) {
        code = TAS_CLOSE_BAD_RECORD;
    }
    if (code) {
        refuse(g, code);
        return TAS_E_CLOSED;
    }
    tas_buf_drop(&g->in, used);
    return TAS_OK;
}

static bool on_bytes(void *ctx, struct tas_bytes bytes) {
    struct guest *g = ctx;
    if (tas_buf_append(&g->in, bytes) != TAS_OK) {
        refuse(g, TAS_CLOSE_LIMIT);
        return false;
    }
    int err = TAS_OK;
    while (err == TAS_OK)
        err = on_record(g);
    return err == TAS_E_MORE;
}

static void on_secured(void *ctx) {
    (void)ctx;
}

static void on_writable(void *ctx) {
    (void)ctx;
}

static void on_closed(void *ctx, const char *why) {
    struct guest *g = ctx;
    char quoted[TAS_WHY_MAX];
    tas_log(TAS_LOG_DEBUG, "relay", "guest_closed", "why=%s", tas_log_quote(quoted, sizeof(quoted), why));
    guest_free(g);
}

static const struct tas_conn_events conn_events = {on_secured, on_bytes, on_writable, on_closed};

/* A v4 address counts by itself, v6 by its /64. */
static bool same_source(const uint8_t a[16], const uint8_t b[16]) {
    return memcmp(a, b, tas_address_is_v4(a) ? 16 : 8) == 0;
}

static bool has_room(const struct relay_front *f, const uint8_t source[16]) {
    if (f->n_guests >= f->config->max_unauthenticated ||
        atomic_load(&f->stats->connections) >= (int64_t)f->config->max_connections)
        return false;
    unsigned same = 0;
    for (const struct guest *g = f->guests; g; g = g->next)
        same += same_source(g->source, source);
    return same < f->config->max_per_source;
}

static void welcome_guest(struct relay_front *f, int fd) {
    struct guest *g = calloc(1, sizeof(*g));
    tas_socket_tune(fd, SOCKET_BUF);
    if (g)
        g->conn = tas_conn_new(f->loop, f->io, f->tls, fd, NULL, &conn_events, g);
    if (!g || !g->conn) {
        free(g);
        close(fd);
        return;
    }
    g->front = f;
    g->since_us = tas_loop_now_us(f->loop);
    tas_buf_init(&g->in, GUEST_IN_MAX);
    tas_conn_peer(g->conn, g->source);
    bool ok = has_room(f, g->source);
    g->next = f->guests;
    if (f->guests)
        f->guests->prev = g;
    f->guests = g;
    f->n_guests++;
    relay_count(&f->stats->unauthenticated, 1);
    relay_count(&f->stats->connections, 1);
    if (ok)
        return;
    relay_count(&f->stats->refused_total, 1);
    guest_free(g);
}

static void set_listening(struct relay_front *f, unsigned interest) {
    for (size_t i = 0; i < f->n_listeners; i++)
        tas_watch_set(f->listeners[i].watch, interest);
}

/* Those who wait stay acceptable: without a pause the loop would spin. */
static void run_short(struct relay_front *f) {
    if (!f->is_short)
        tas_log(TAS_LOG_ERROR, "relay", "accept_failed",
                "why=\"%s\" do=\"raise LimitNOFILE or lower max_connections\"", strerror(errno));
    f->is_short = true;
    set_listening(f, 0);
}

static void on_acceptable(void *ctx, unsigned ready) {
    (void)ready;
    struct relay_front *f = ((struct relay_front **)ctx)[0];
    int listen_fd = -1;
    for (size_t i = 0; i < f->n_listeners; i++)
        if (&f->listeners[i].front == (struct relay_front **)ctx)
            listen_fd = f->listeners[i].fd;
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        int fd = tas_accept(listen_fd);
        if (fd == TAS_E_IO)
            run_short(f);
        if (fd < 0)
            return;
        f->is_short = false;
        welcome_guest(f, fd);
    }
}

static void on_scan(void *ctx) {
    struct relay_front *f = ctx;
    uint64_t now_us = tas_loop_now_us(f->loop);
    for (struct guest *g = f->guests, *next; g; g = next) {
        next = g->next;
        if (now_us - g->since_us >= DOOR_LIMIT_US)
            refuse(g, TAS_CLOSE_TIMEOUT);
    }
    if (f->is_short)
        set_listening(f, TAS_READABLE);
    tas_timer_set(f->scan_timer, now_us + SCAN_US);
}

struct relay_front *relay_front_new(struct tas_loop *loop, const int *listen_fds, size_t n_listen,
                                    const struct relay_config *config, struct tas_tls *tls,
                                    struct relay_worker *const *workers, size_t n_workers,
                                    struct relay_stats *stats) {
    struct relay_front *f = calloc(1, sizeof(*f));
    if (!f)
        return NULL;
    f->loop = loop;
    f->config = config;
    f->tls = tls;
    f->workers = workers;
    f->n_workers = n_workers;
    f->stats = stats;
    f->io = tas_io_new();
    f->scan_timer = tas_timer_new(loop, on_scan, f);
    bool ok = f->io && f->scan_timer;
    for (size_t i = 0; i < n_listen && i < LISTENERS_MAX; i++) {
        f->listeners[i].fd = listen_fds[i];
        f->listeners[i].front = f;
        f->n_listeners++;
        f->listeners[i].watch =
            ok ? tas_watch_new(loop, listen_fds[i], TAS_READABLE, on_acceptable, &f->listeners[i].front)
               : NULL;
        ok = ok && f->listeners[i].watch;
    }
    if (ok) {
        tas_timer_set(f->scan_timer, tas_loop_now_us(loop) + SCAN_US);
        return f;
    }
    relay_front_free(f);
    return NULL;
}

void relay_front_reload(struct relay_front *f, const struct relay_config *config, struct tas_tls *tls) {
    f->config = config;
    f->tls = tls;
}

void relay_front_shut(struct relay_front *f) {
    for (size_t i = 0; i < f->n_listeners; i++) {
        tas_watch_free(f->listeners[i].watch);
        close(f->listeners[i].fd);
    }
    f->n_listeners = 0;
    while (f->guests)
        refuse(f->guests, TAS_CLOSE_GOING_AWAY);
}

void relay_front_free(struct relay_front *f) {
    if (!f)
        return;
    relay_front_shut(f);
    tas_timer_free(f->scan_timer);
    tas_io_free(f->io);
    free(f);
}
