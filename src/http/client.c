/* libcurl on a loop. Nobody is called back from within libcurl, which forbids almost everything there: its
 * callbacks only put bytes aside and calls into a list; http_settle() tells them when it has returned. */
#include "http/client.h"

#include "base/time.h"
#include "base/wipe.h"
#include "http/client_private.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { FILE_MAX = 1024 * 1024, KEPT_CONNECTIONS = 16 };

/* ---- sockets and the timer of libcurl ---- */

struct http_socket {
    struct tas_http_client *client;
    curl_socket_t fd;
    struct tas_watch *watch;
    struct http_socket *prev, *next;
};

static void socket_free(struct http_socket *s) {
    tas_watch_free(s->watch);
    if (s->prev)
        s->prev->next = s->next;
    else
        s->client->sockets = s->next;
    if (s->next)
        s->next->prev = s->prev;
    free(s);
}

static void drive(struct tas_http_client *client, curl_socket_t fd, int ready) {
    int n_running;
    (void)curl_multi_socket_action(client->multi, fd, ready, &n_running);
    http_settle(client);
}

static void on_ready(void *ctx, unsigned ready) {
    const struct http_socket *s = ctx;
    int bits = 0; /* of a hangup libcurl shall find out itself */
    if (!(ready & TAS_HANGUP))
        bits = (ready & TAS_READABLE ? CURL_CSELECT_IN : 0) | (ready & TAS_WRITABLE ? CURL_CSELECT_OUT : 0);
    drive(s->client, s->fd, bits);
}

static void on_timer(void *ctx) {
    drive(ctx, CURL_SOCKET_TIMEOUT, 0);
}

static struct http_socket *socket_new(struct tas_http_client *client, curl_socket_t fd, unsigned interest) {
    struct http_socket *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->client = client;
    s->fd = fd;
    s->next = client->sockets;
    if (s->next)
        s->next->prev = s;
    client->sockets = s;
    s->watch = tas_watch_new(client->loop, fd, interest, on_ready, s);
    if (s->watch)
        return s;
    socket_free(s);
    return NULL;
}

static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket_ctx) {
    struct tas_http_client *client = ctx;
    struct http_socket *s = socket_ctx;
    if (what == CURL_POLL_REMOVE) {
        if (s)
            socket_free(s);
        curl_multi_assign(client->multi, fd, NULL);
        return 0;
    }
    unsigned interest = (what & CURL_POLL_IN ? (unsigned)TAS_READABLE : 0) |
                        (what & CURL_POLL_OUT ? (unsigned)TAS_WRITABLE : 0);
    if (s) {
        tas_watch_set(s->watch, interest);
        return 0;
    }
    s = socket_new(client, fd, interest);
    if (s) {
        curl_multi_assign(client->multi, fd, s);
        return 0;
    }
    /* An error from here would end every transfer of the client. */
    struct tas_http_call *call = NULL;
    if (curl_easy_getinfo(easy, CURLINFO_PRIVATE, &call) == CURLE_OK && call) {
        http_call_fail(call, TAS_E_IO, "out of memory");
        http_call_make_ready(call);
    }
    return 0;
}

/* At least the next turn: a timer that is due at once would fire in this one, again and again. */
static int on_curl_timer(CURLM *multi, long timeout_ms, void *ctx) {
    (void)multi;
    struct tas_http_client *client = ctx;
    uint64_t at_us = UINT64_MAX;
    if (timeout_ms >= 0)
        at_us = tas_mono_us() + (uint64_t)timeout_ms * 1000 + 1;
    tas_timer_set(client->timer, at_us);
    return 0;
}

/* ---- telling ---- */

void http_call_fail(struct tas_http_call *call, int err, const char *fmt, ...) {
    if (call->err == TAS_OK) { /* the first reason is the reason */
        va_list va;
        va_start(va, fmt);
        vsnprintf(call->why, sizeof(call->why), fmt, va);
        va_end(va);
        call->err = err;
    }
    call->is_over = true;
}

void http_call_make_ready(struct tas_http_call *call) {
    struct tas_http_client *client = call->client;
    if (call->is_ready)
        return;
    call->is_ready = true;
    call->next_ready = NULL;
    *client->ready_end = call;
    client->ready_end = &call->next_ready;
}

static struct tas_http_call *take_ready(struct tas_http_client *client) {
    struct tas_http_call *call = client->ready;
    if (!call)
        return NULL;
    client->ready = call->next_ready;
    if (!client->ready)
        client->ready_end = &client->ready;
    call->is_ready = false;
    return call;
}

static void forget_ready(struct tas_http_call *call) {
    struct tas_http_client *client = call->client;
    if (!call->is_ready)
        return;
    struct tas_http_call **at = &client->ready;
    while (*at != call)
        at = &(*at)->next_ready;
    *at = call->next_ready;
    if (!*at)
        client->ready_end = at;
    call->is_ready = false;
}

static void collect_done(struct tas_http_client *client) {
    int n_left;
    for (CURLMsg *msg; (msg = curl_multi_info_read(client->multi, &n_left));) {
        struct tas_http_call *call = NULL;
        if (msg->msg != CURLMSG_DONE ||
            curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &call) != CURLE_OK || !call)
            continue;
        call->is_over = true;
        if (msg->data.result != CURLE_OK)
            http_explain(call, msg->data.result);
        http_call_make_ready(call);
    }
}

static void forget_call(struct tas_http_call *call) {
    struct tas_http_client *client = call->client;
    forget_ready(call);
    if (call->prev)
        call->prev->next = call->next;
    else
        client->calls = call->next;
    if (call->next)
        call->next->prev = call->prev;
    http_call_free(call);
}

static void dispose(struct tas_http_client *client);

void http_settle(struct tas_http_client *client) {
    if (client->is_settling)
        return;
    client->is_settling = true;
    collect_done(client);
    for (struct tas_http_call *call; !client->is_doomed && (call = take_ready(client));) {
        client->current = call;
        http_call_tell(call);
        client->current = NULL;
        if (call->is_over || call->is_cancelled)
            forget_call(call);
    }
    client->is_settling = false;
    if (client->is_doomed)
        dispose(client);
}

static void on_kick(void *ctx) {
    http_settle(ctx);
}

void http_call_start(struct tas_http_call *call) {
    struct tas_http_client *client = call->client;
    call->next = client->calls;
    if (call->next)
        call->next->prev = call;
    client->calls = call;
    if (!call->is_over && curl_multi_add_handle(client->multi, call->easy) == CURLM_OK)
        call->is_added = true;
    else
        http_call_fail(call, TAS_E_IO, "out of memory");
    if (!call->is_over)
        return;
    http_call_make_ready(call);
    tas_timer_set(client->kick, tas_mono_us() + 1);
}

void tas_http_cancel(struct tas_http_call *call) {
    if (!call)
        return;
    call->is_cancelled = true;
    if (call->client->current != call)
        forget_call(call);
}

/* ---- life ---- */

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static bool is_curl_there;

static void init_curl(void) {
    is_curl_there = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

static void blob_wipe(struct http_blob *blob) {
    if (blob->data)
        tas_wipe(blob->data, blob->len);
    free(blob->data);
    *blob = (struct http_blob){0};
}

static int read_all(int fd, struct http_blob *blob) {
    blob->data = malloc(FILE_MAX + 1);
    if (!blob->data)
        return TAS_E_NOMEM;
    while (blob->len <= FILE_MAX) {
        ssize_t n = read(fd, blob->data + blob->len, FILE_MAX + 1 - blob->len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return TAS_E_IO;
        if (n == 0)
            return TAS_OK;
        blob->len += (size_t)n;
    }
    return TAS_E_LIMIT;
}

/* Files are read now: later the process may no longer be allowed to. */
static bool read_pem(const char *path, struct http_blob *out, char why[TAS_HTTP_CLIENT_WHY]) {
    if (!path)
        return true;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int err = fd < 0 ? TAS_E_IO : read_all(fd, out);
    int saved = errno;
    if (fd >= 0)
        close(fd);
    if (err == TAS_OK && out->len && memmem(out->data, out->len, "-----BEGIN ", 11))
        return true;
    snprintf(why, TAS_HTTP_CLIENT_WHY, "%s: %s", path,
             err == TAS_OK     ? "not a file in PEM form"
             : err == TAS_E_IO ? strerror(saved)
                               : tas_err_text(err));
    return false;
}

static bool copy_text(const char *text, char **out) {
    *out = text ? strdup(text) : NULL;
    return !text || *out;
}

static bool take_config(struct tas_http_client *client, const struct tas_http_client_config *config,
                        char why[TAS_HTTP_CLIENT_WHY]) {
    if (!read_pem(config->ca_file, &client->ca, why) ||
        !read_pem(config->certificate, &client->certificate, why) ||
        !read_pem(config->private_key, &client->private_key, why))
        return false;
    if (!config->ca_file && config->ca_pem) {
        if (!copy_text(config->ca_pem, &client->ca.data))
            return false;
        client->ca.len = strlen(config->ca_pem);
    }
    return copy_text(config->proxy, &client->proxy) && copy_text(config->user_agent, &client->user_agent);
}

static bool set_up_multi(struct tas_http_client *client) {
    client->multi = curl_multi_init();
    CURLM *m = client->multi;
    return m && curl_multi_setopt(m, CURLMOPT_SOCKETFUNCTION, on_curl_socket) == CURLM_OK &&
           curl_multi_setopt(m, CURLMOPT_SOCKETDATA, client) == CURLM_OK &&
           curl_multi_setopt(m, CURLMOPT_TIMERFUNCTION, on_curl_timer) == CURLM_OK &&
           curl_multi_setopt(m, CURLMOPT_TIMERDATA, client) == CURLM_OK &&
           curl_multi_setopt(m, CURLMOPT_MAXCONNECTS, (long)KEPT_CONNECTIONS) == CURLM_OK;
}

struct tas_http_client *tas_http_client_new(struct tas_loop *loop,
                                            const struct tas_http_client_config *config,
                                            char why[TAS_HTTP_CLIENT_WHY]) {
    snprintf(why, TAS_HTTP_CLIENT_WHY, "out of memory");
    struct tas_http_client *client = calloc(1, sizeof(*client));
    pthread_once(&curl_once, init_curl);
    if (!client || !is_curl_there)
        goto fail;
    client->loop = loop;
    client->ready_end = &client->ready;
    client->timer = tas_timer_new(loop, on_timer, client);
    client->kick = tas_timer_new(loop, on_kick, client);
    if (client->timer && client->kick && take_config(client, config, why) && set_up_multi(client))
        return client;
fail:
    tas_http_client_free(client);
    return NULL;
}

static void dispose(struct tas_http_client *client) {
    while (client->calls)
        forget_call(client->calls);
    if (client->multi)
        curl_multi_cleanup(client->multi);
    while (client->sockets) /* those of connections that were kept and had something to say */
        socket_free(client->sockets);
    tas_timer_free(client->timer);
    tas_timer_free(client->kick);
    blob_wipe(&client->ca);
    blob_wipe(&client->certificate);
    blob_wipe(&client->private_key);
    if (client->proxy)
        tas_wipe(client->proxy, strlen(client->proxy)); /* may hold a password */
    free(client->proxy);
    free(client->user_agent);
    free(client);
}

void tas_http_client_free(struct tas_http_client *client) {
    if (!client)
        return;
    if (!client->is_settling) {
        dispose(client);
        return;
    }
    client->is_doomed = true;
    if (client->current)
        client->current->is_cancelled = true;
}
