/* CONNECT (RFC 9110 section 9.3.6): what is spoken with a proxy before it becomes a mere line. */
#include "http/client_private.h"

#include "base/time.h"
#include "base/wipe.h"
#include "net/socket.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUEST_MAX = 4096, AGENT_MAX = 128, ANSWER_MAX = 16 * 1024 };

struct http_tunnel {
    struct tas_http_client *client;
    struct http_proxy proxy;
    char *proxy_text;
    char target[HTTP_ADDRESS_MAX];
    struct tas_dial *dial;
    struct tas_timer *later; /* says `why` */
    struct http_curl *curl;
    int fd;
    struct tas_watch *watch;
    char request[REQUEST_MAX];
    size_t request_len, sent;
    struct tas_buf answer;
    size_t scanned;
    char why[HTTP_WHY_MAX];
    void (*done)(void *ctx, int fd, const char *why);
    void *ctx;
};

static void hang_up(struct http_tunnel *t) {
    tas_watch_free(t->watch);
    t->watch = NULL;
    if (t->fd >= 0)
        close(t->fd);
    t->fd = -1;
}

static void on_later(void *ctx) {
    struct http_tunnel *t = ctx;
    t->done(t->ctx, -1, t->why); /* may free t */
}

static void TAS_PRINTF(2, 3) give_up(struct http_tunnel *t, const char *fmt, ...) {
    va_list va;
    va_start(va, fmt);
    vsnprintf(t->why, sizeof(t->why), fmt, va);
    va_end(va);
    hang_up(t);
    tas_timer_set(t->later, tas_mono_us());
}

/* ---- those who want more than we can say ---- */

static void on_curl(void *ctx, int fd, const char *why) {
    struct http_tunnel *t = ctx;
    http_curl_free(t->curl);
    t->curl = NULL;
    t->done(t->ctx, fd, why); /* may free t */
}

static void go_by_curl(struct http_tunnel *t, const char *what_for) {
    hang_up(t);
    t->curl = http_curl_new(t->client->loop, t->proxy_text, t->target, what_for, on_curl, t);
    if (!t->curl)
        give_up(t, "out of memory");
}

static void on_wanted(struct http_tunnel *t, unsigned schemes) {
    if (schemes & HTTP_AUTH_BASIC || !schemes)
        give_up(t, "the proxy wants a user name and password, or others than those given");
    else
        go_by_curl(t, schemes & HTTP_AUTH_NTLM        ? "the proxy wants NTLM"
                      : schemes & HTTP_AUTH_NEGOTIATE ? "the proxy wants Negotiate (Kerberos)"
                                                      : "the proxy wants Digest");
}

/* ---- what it answers ---- */

static void on_answer(struct http_tunnel *t, struct tas_bytes head) {
    struct tas_reader reader = tas_reader_of(head);
    struct tas_http_status status;
    struct tas_bytes name;
    struct tas_bytes value;
    unsigned schemes = 0;
    if (tas_http_status_take(&reader, &status) != TAS_OK) {
        give_up(t, "the proxy does not answer as a proxy does: is its port right?");
        return;
    }
    while (tas_http_field_take(&reader, &name, &value) == TAS_OK)
        if (tas_http_is_named(name, "proxy-authenticate"))
            schemes |= http_auth_schemes(value);
    if (status.code == 407) {
        on_wanted(t, schemes);
        return;
    }
    if (status.code < 200 || status.code > 299) {
        give_up(t, "the proxy does not let us through to %s (it answers %u)", t->target, status.code);
        return;
    }
    int fd = t->fd;
    t->fd = -1;
    hang_up(t);
    t->done(t->ctx, fd, ""); /* may free t */
}

/* Looks first and takes then, so that what follows the answer stays in the socket for whoever gets it. */
static void read_answer(struct http_tunnel *t) {
    uint8_t some[4096];
    ssize_t n = recv(t->fd, some, sizeof(some), MSG_PEEK);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return;
    if (n <= 0) {
        give_up(t, "the proxy hung up before it answered (%s)", n < 0 ? strerror(errno) : "end of stream");
        return;
    }
    int err = tas_buf_append(&t->answer, tas_bytes_of(some, (size_t)n));
    if (err != TAS_OK) {
        give_up(t, err == TAS_E_FULL ? "the answer of the proxy is too large" : "out of memory");
        return;
    }
    size_t len = tas_http_head_len(tas_buf_peek(&t->answer), &t->scanned);
    size_t take = len ? len - (t->answer.len - (size_t)n) : (size_t)n;
    if (recv(t->fd, some, take, 0) != (ssize_t)take)
        give_up(t, "the proxy hung up before it answered (%s)", strerror(errno));
    else if (len)
        on_answer(t, tas_bytes_of(tas_buf_peek(&t->answer).ptr, len));
}

/* ---- what it is asked ---- */

static void send_request(struct http_tunnel *t) {
    ssize_t n = send(t->fd, t->request + t->sent, t->request_len - t->sent, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
        give_up(t, "the proxy hung up before it was asked (%s)", strerror(errno));
        return;
    }
    t->sent += n > 0 ? (size_t)n : 0;
    if (t->sent == t->request_len)
        tas_watch_set(t->watch, TAS_READABLE);
}

static void on_ready(void *ctx, unsigned ready) {
    struct http_tunnel *t = ctx;
    (void)ready;
    if (t->sent < t->request_len)
        send_request(t);
    else
        read_answer(t);
}

static void on_dialled(void *ctx, int fd, const char *why) {
    struct http_tunnel *t = ctx;
    bool is_unknown = tas_dial_is_unknown(t->dial);
    tas_dial_free(t->dial);
    t->dial = NULL;
    t->fd = fd;
    if (fd < 0 && is_unknown)
        give_up(t, "the name of the proxy is not known: check its spelling and the network");
    else if (fd < 0)
        give_up(t, "the proxy cannot be reached: it does not run, or the network is in between (%s)", why);
    else if (!(t->watch = tas_watch_new(t->client->loop, fd, TAS_WRITABLE, on_ready, t)))
        give_up(t, "out of memory");
}

static void write_request(struct http_tunnel *t) {
    char basic[HTTP_BASIC_MAX] = "";
    const char *agent = t->client->user_agent;
    if (t->proxy.has_user)
        http_basic(basic, &t->proxy);
    int len = snprintf(
        t->request, sizeof(t->request),
        "CONNECT %s HTTP/1.1\r\nHost: %s\r\n%s%s%s%s%.*s%sProxy-Connection: Keep-Alive\r\n\r\n", t->target,
        t->target, *basic ? "Proxy-Authorization: Basic " : "", basic, *basic ? "\r\n" : "",
        agent ? "User-Agent: " : "", AGENT_MAX, agent ? agent : "", agent ? "\r\n" : "");
    tas_wipe(basic, sizeof(basic));
    t->request_len = (size_t)len;
}

static void begin(struct http_tunnel *t) {
    if (http_proxy_parse(&t->proxy, t->proxy_text) != TAS_OK) {
        give_up(t, "the proxy's address is not of the form http://user:password@proxy.example:8080");
    } else if (t->proxy.kind == HTTP_PROXY_TLS) {
        give_up(t, "a proxy that is itself reached by https:// cannot carry this");
    } else if (t->proxy.kind == HTTP_PROXY_SOCKS) {
        go_by_curl(t, "the proxy speaks SOCKS");
    } else {
        write_request(t);
        t->dial = tas_dial_start(t->client->loop, t->proxy.address, on_dialled, t);
        if (!t->dial)
            give_up(t, "out of memory");
    }
}

struct http_tunnel *http_tunnel_new(struct tas_http_client *client, const char *proxy, const char *target,
                                    void (*done)(void *ctx, int fd, const char *why), void *ctx) {
    struct http_tunnel *t = calloc(1, sizeof(*t));
    if (!t)
        return NULL;
    *t = (struct http_tunnel){.client = client, .done = done, .ctx = ctx, .fd = -1};
    tas_buf_init(&t->answer, ANSWER_MAX);
    snprintf(t->target, sizeof(t->target), "%s", target);
    t->later = tas_timer_new(client->loop, on_later, t);
    t->proxy_text = strdup(proxy);
    if (!t->later || !t->proxy_text) {
        http_tunnel_free(t);
        return NULL;
    }
    begin(t);
    return t;
}

void http_tunnel_free(struct http_tunnel *t) {
    if (!t)
        return;
    hang_up(t);
    tas_dial_free(t->dial);
    http_curl_free(t->curl);
    tas_timer_free(t->later);
    tas_buf_fini(&t->answer);
    if (t->proxy_text)
        tas_wipe(t->proxy_text, strlen(t->proxy_text)); /* may hold a password */
    free(t->proxy_text);
    tas_wipe(t, sizeof(*t));
    free(t);
}
