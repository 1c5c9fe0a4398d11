/* The client as a whole. Nobody is called back from within the network's callbacks, nor before a call has
 * returned: calls are put into a list, which a timer that is due at once works off. */
#include "http/client.h"

#include "base/time.h"
#include "base/wipe.h"
#include "http/client_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { FILE_MAX = 1024 * 1024 };

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
    tas_timer_set(client->kick, tas_mono_us());
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

static void on_kick(void *ctx) {
    struct tas_http_client *client = ctx;
    client->is_settling = true;
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

void http_call_start(struct tas_http_call *call) {
    struct tas_http_client *client = call->client;
    call->next = client->calls;
    if (call->next)
        call->next->prev = call;
    client->calls = call;
    if (call->is_over)
        http_call_make_ready(call);
    else if (call->kind == HTTP_TUNNEL)
        http_tunnel_call_start(call);
    else
        http_conn_carry(call);
}

void tas_http_cancel(struct tas_http_call *call) {
    if (!call)
        return;
    call->is_cancelled = true;
    if (call->client->current != call)
        forget_call(call);
}

/* ---- life ---- */

/* A file's bytes as text. */
struct blob {
    char *data; /* NULL: none */
    size_t len;
};

static void blob_wipe(struct blob *blob) {
    if (blob->data)
        tas_wipe(blob->data, blob->len);
    free(blob->data);
    *blob = (struct blob){0};
}

static int read_all(int fd, struct blob *blob) {
    blob->data = calloc(1, FILE_MAX + 2);
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
static bool read_pem(const char *path, struct blob *out, char why[TAS_HTTP_CLIENT_WHY]) {
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

static bool set_up_tls(struct tas_http_client *client, const struct tas_http_client_config *config,
                       char why[TAS_HTTP_CLIENT_WHY]) {
    struct blob ca = {0};
    struct blob certificate = {0};
    struct blob private_key = {0};
    _Static_assert((int)TAS_HTTP_CLIENT_WHY >= (int)TAS_WHY_MAX, "room for the reason");
    if (read_pem(config->ca_file, &ca, why) && read_pem(config->certificate, &certificate, why) &&
        read_pem(config->private_key, &private_key, why))
        client->tls =
            tas_tls_http_client(ca.data ? ca.data : config->ca_pem, certificate.data, private_key.data, why);
    blob_wipe(&ca);
    blob_wipe(&certificate);
    blob_wipe(&private_key);
    return client->tls;
}

struct tas_http_client *tas_http_client_new(struct tas_loop *loop,
                                            const struct tas_http_client_config *config,
                                            char why[TAS_HTTP_CLIENT_WHY]) {
    snprintf(why, TAS_HTTP_CLIENT_WHY, "out of memory");
    struct tas_http_client *client = calloc(1, sizeof(*client));
    if (!client)
        return NULL;
    client->loop = loop;
    client->ready_end = &client->ready;
    client->kick = tas_timer_new(loop, on_kick, client);
    client->io = tas_io_new();
    if (client->kick && client->io && copy_text(config->proxy, &client->proxy) &&
        copy_text(config->user_agent, &client->user_agent) && set_up_tls(client, config, why))
        return client;
    tas_http_client_free(client);
    return NULL;
}

static void dispose(struct tas_http_client *client) {
    while (client->calls)
        forget_call(client->calls);
    while (client->conns)
        http_conn_free(client->conns);
    tas_io_free(client->io);
    tas_tls_free(client->tls);
    tas_timer_free(client->kick);
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
