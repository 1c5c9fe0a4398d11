/* A connection to a server: made for a call, kept for the next one. It carries one call at a time. */
#include "http/client_private.h"

#include "base/time.h"
#include "base/wipe.h"
#include "net/socket.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    KEPT_MAX = 16,
    KEPT_US = 110 * 1000 * 1000, /* routers forget silent connections, some after two minutes */
};

struct http_conn {
    struct tas_http_client *client;
    struct http_conn *prev, *next;                            /* the one used last comes first */
    struct tas_http_call *call;                               /* what it carries; NULL: it is kept */
    char *proxy;                                              /* NULL: none */
    char target[HTTP_ADDRESS_MAX], address[HTTP_ADDRESS_MAX]; /* as those of its first call */
    struct http_tunnel *tunnel;
    struct tas_dial *dial;
    struct tas_conn *tls;
    bool is_secured;
    size_t sent; /* of the call's request */
    uint64_t begun_us, kept_us;
};

/* ---- the list ---- */

static void link_first(struct http_conn *conn) {
    conn->prev = NULL;
    conn->next = conn->client->conns;
    if (conn->next)
        conn->next->prev = conn;
    conn->client->conns = conn;
}

static void unlink_conn(struct http_conn *conn) {
    if (conn->prev)
        conn->prev->next = conn->next;
    else
        conn->client->conns = conn->next;
    if (conn->next)
        conn->next->prev = conn->prev;
}

void http_conn_free(struct http_conn *conn) {
    if (!conn)
        return;
    unlink_conn(conn);
    if (conn->call)
        conn->call->conn = NULL;
    else
        conn->client->n_kept--;
    http_tunnel_free(conn->tunnel);
    tas_dial_free(conn->dial);
    tas_conn_free(conn->tls);
    if (conn->proxy)
        tas_wipe(conn->proxy, strlen(conn->proxy)); /* may hold a password */
    free(conn->proxy);
    free(conn);
}

static void drop_oldest(struct tas_http_client *client) {
    struct http_conn *oldest = NULL;
    for (struct http_conn *c = client->conns; c; c = c->next)
        if (!c->call)
            oldest = c;
    http_conn_free(oldest);
}

static void keep(struct http_conn *conn) {
    struct tas_http_client *client = conn->client;
    conn->call->conn = NULL;
    conn->call = NULL;
    conn->kept_us = tas_mono_us();
    client->n_kept++;
    unlink_conn(conn);
    link_first(conn);
    if (client->n_kept > KEPT_MAX)
        drop_oldest(client);
}

/* ---- a call and its end ---- */

static void end_call(struct tas_http_call *call) {
    call->is_over = true;
    http_call_make_ready(call);
}

/* `why` in words, or what http_explain_*() has put already. */
static void fail_call(struct http_conn *conn, const char *why) {
    struct tas_http_call *call = conn->call;
    http_conn_free(conn);
    if (why)
        http_call_fail(call, TAS_E_IO, "%s", why);
    end_call(call);
}

static void send_more(struct http_conn *conn) {
    const struct tas_http_call *call = conn->call;
    while (conn->sent < call->request_len) {
        int n = tas_conn_write(conn->tls,
                               tas_bytes_of(call->request + conn->sent, call->request_len - conn->sent));
        if (n <= 0)
            break; /* on_writable(), or on_closed(), comes */
        conn->sent += (size_t)n;
    }
    tas_conn_flush(conn->tls);
}

static void on_secured(void *ctx) {
    struct http_conn *conn = ctx;
    uint64_t us = tas_mono_us() - conn->begun_us;
    conn->is_secured = true;
    conn->call->connect_us = us == 0 ? 1 : us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
    http_call_sign_of_life(conn->call);
    send_more(conn);
}

static void on_writable(void *ctx) {
    struct http_conn *conn = ctx;
    if (!conn->call)
        return;
    http_call_sign_of_life(conn->call);
    send_more(conn);
}

/* The whole answer is there, and what was behind it (nothing should be) does not count. */
static void on_whole(struct http_conn *conn, bool has_more) {
    struct tas_http_call *call = conn->call;
    if (call->response.is_kept && !has_more && conn->sent == call->request_len)
        keep(conn);
    else
        http_conn_free(conn);
    end_call(call);
}

static bool on_bytes(void *ctx, struct tas_bytes bytes) {
    struct http_conn *conn = ctx;
    struct tas_http_call *call = conn->call;
    size_t used = 0;
    if (!call) { /* nobody asked */
        http_conn_free(conn);
        return false;
    }
    http_call_sign_of_life(call);
    int err = tas_http_response_feed(&call->response, bytes, &used, &call->in);
    if (err == TAS_OK) {
        on_whole(conn, used < bytes.len);
    } else if (err != TAS_E_MORE) {
        http_explain_answer(call, err);
        fail_call(conn, NULL);
    } else if (call->kind == HTTP_LISTEN) {
        http_call_make_ready(call);
    }
    return true; /* or it is gone */
}

/* A connection that was kept may have died just when it was to be used. */
static bool may_try_again(const struct tas_http_call *call) {
    return !call->is_on_new && !call->is_again && !call->response.is_begun;
}

static void carry_on_new(struct tas_http_call *call);

static void on_closed(void *ctx, const char *why) {
    struct http_conn *conn = ctx;
    struct tas_http_call *call = conn->call;
    enum tas_conn_fault fault = tas_conn_fault(conn->tls);
    bool is_secured = conn->is_secured;
    char words[TAS_WHY_MAX];
    snprintf(words, sizeof(words), "%s", why);
    http_conn_free(conn);
    if (!call)
        return;
    if (may_try_again(call)) {
        call->is_again = true;
        carry_on_new(call);
        return;
    }
    if (fault != TAS_CONN_CLOSED || !tas_http_response_is_open_ended(&call->response))
        http_explain_end(call, fault, is_secured, words);
    end_call(call);
}

static const struct tas_conn_events events = {on_secured, on_bytes, on_writable, on_closed};

/* ---- getting there ---- */

static void secure(struct http_conn *conn, int fd) {
    struct tas_http_client *client = conn->client;
    conn->tls = tas_conn_new(client->loop, client->io, client->tls, fd, conn->call->host, &events, conn);
    if (conn->tls)
        return;
    close(fd);
    fail_call(conn, "out of memory");
}

static void on_tunnel(void *ctx, int fd, const char *why) {
    struct http_conn *conn = ctx;
    char words[HTTP_WHY_MAX];
    snprintf(words, sizeof(words), "%s", why);
    http_tunnel_free(conn->tunnel);
    conn->tunnel = NULL;
    if (fd >= 0)
        secure(conn, fd);
    else
        fail_call(conn, words);
}

static void on_dialled(void *ctx, int fd, const char *why) {
    struct http_conn *conn = ctx;
    bool is_unknown = tas_dial_is_unknown(conn->dial);
    tas_dial_free(conn->dial);
    conn->dial = NULL;
    if (fd >= 0) {
        secure(conn, fd);
        return;
    }
    http_explain_dial(conn->call, is_unknown, why);
    fail_call(conn, NULL);
}

static void carry_on_new(struct tas_http_call *call) {
    struct tas_http_client *client = call->client;
    const char *proxy = http_proxy_for(client, call->host);
    const char *to = call->address[0] ? call->address : call->target;
    struct http_conn *conn = calloc(1, sizeof(*conn));
    if (!conn) {
        http_call_fail(call, TAS_E_IO, "out of memory");
        end_call(call);
        return;
    }
    *conn = (struct http_conn){.client = client, .call = call, .begun_us = tas_mono_us()};
    memcpy(conn->target, call->target, sizeof(conn->target));
    memcpy(conn->address, call->address, sizeof(conn->address));
    link_first(conn);
    call->conn = conn;
    call->is_on_new = true;
    conn->proxy = proxy ? strdup(proxy) : NULL;
    if (conn->proxy)
        conn->tunnel = http_tunnel_new(client, proxy, to, on_tunnel, conn);
    else if (!proxy)
        conn->dial = tas_dial_start(client->loop, to, on_dialled, conn);
    if (!conn->tunnel && !conn->dial)
        fail_call(conn, "out of memory");
}

static bool leads_there(const struct http_conn *conn, const struct tas_http_call *call, const char *proxy) {
    return strcmp(conn->target, call->target) == 0 && strcmp(conn->address, call->address) == 0 &&
           (proxy ? conn->proxy && strcmp(conn->proxy, proxy) == 0 : !conn->proxy);
}

static struct http_conn *kept_for(const struct tas_http_call *call) {
    const char *proxy = http_proxy_for(call->client, call->host);
    uint64_t now_us = tas_mono_us();
    struct http_conn *next;
    for (struct http_conn *conn = call->client->conns; conn; conn = next) {
        next = conn->next;
        if (conn->call)
            continue;
        if (now_us - conn->kept_us > KEPT_US)
            http_conn_free(conn);
        else if (leads_there(conn, call, proxy))
            return conn;
    }
    return NULL;
}

void http_conn_carry(struct tas_http_call *call) {
    struct http_conn *conn = kept_for(call);
    if (!conn) {
        carry_on_new(call);
        return;
    }
    conn->client->n_kept--;
    conn->call = call;
    conn->sent = 0;
    call->conn = conn;
    send_more(conn);
}
