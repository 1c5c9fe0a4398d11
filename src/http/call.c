/* One thing that is asked: how libcurl is told of it, what comes back, and how whoever asked is told. */
#include "http/client_private.h"

#include "base/time.h"
#include "base/wipe.h"
#include "net/socket.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

/* ---- what comes back: called from within libcurl ---- */

static void sign_of_life(struct tas_http_call *call) {
    if (call->silence)
        tas_timer_set(call->silence, tas_mono_us() + call->silence_us);
}

static size_t on_header(char *text, size_t size, size_t n, void *ctx) {
    struct tas_http_call *call = ctx;
    (void)text;
    (void)size;
    sign_of_life(call);
    call->header_len += n;
    if (call->header_len <= HTTP_HEADERS_MAX)
        return n;
    http_call_fail(call, TAS_E_LIMIT, "the answer of %s is too large", call->host);
    return 0;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *ctx) {
    struct tas_http_call *call = ctx;
    (void)size; /* always 1 */
    sign_of_life(call);
    if (call->is_over)
        return 0;
    int err = tas_buf_append(&call->in, tas_bytes_of(bytes, n));
    if (err == TAS_E_FULL)
        http_call_fail(call, TAS_E_LIMIT, "the answer of %s is too large", call->host);
    else if (err != TAS_OK)
        http_call_fail(call, TAS_E_IO, "out of memory");
    if (call->kind == HTTP_LISTEN)
        http_call_make_ready(call);
    return err == TAS_OK ? n : 0;
}

static void on_silence(void *ctx) {
    struct tas_http_call *call = ctx;
    http_call_fail(call, TAS_E_IO, "%s has been silent for %.1f s", call->host,
                   (double)call->silence_us / 1e6);
    http_call_make_ready(call);
    http_settle(call->client);
}

/* ---- telling: not from within libcurl ---- */

static unsigned status_of(const struct tas_http_call *call) {
    long status = 0;
    (void)curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    return status > 0 ? (unsigned)status : 0;
}

static const char *type_of(const struct tas_http_call *call) {
    char *type = NULL;
    (void)curl_easy_getinfo(call->easy, CURLINFO_CONTENT_TYPE, &type);
    return type ? type : "";
}

/* 200 and events; any other answer is collected like that to a question. */
static bool is_stream(const struct tas_http_call *call) {
    static const char type[] = "text/event-stream";
    return call->kind == HTTP_LISTEN && status_of(call) == 200 &&
           strncasecmp(type_of(call), type, sizeof(type) - 1) == 0;
}

static void tell_events(struct tas_http_call *call) {
    while (!call->is_cancelled && call->in.len) {
        size_t used = 0;
        int err = tas_sse_feed(&call->sse, tas_buf_peek(&call->in), &used);
        if (err == TAS_OK || err == TAS_E_MORE) {
            tas_buf_drop(&call->in, used);
        } else {
            http_call_fail(call, err == TAS_E_LIMIT ? TAS_E_LIMIT : TAS_E_IO, "an event of %s is %s",
                           call->host, err == TAS_E_LIMIT ? "too large" : "damaged");
            return;
        }
        if (err == TAS_OK)
            call->on_event(call->ctx, call->sse.id, call->sse.event, call->sse.text);
    }
}

/* 0: a connection that was kept. */
static uint32_t connect_us(const struct tas_http_call *call) {
    long n_connects = 0;
    curl_off_t us = 0;
    (void)curl_easy_getinfo(call->easy, CURLINFO_NUM_CONNECTS, &n_connects);
    (void)curl_easy_getinfo(call->easy, CURLINFO_APPCONNECT_TIME_T, &us);
    if (n_connects == 0 || us < 0)
        return 0;
    return us == 0 ? 1 : us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

static void tell_answer(struct tas_http_call *call, bool was_stream) {
    struct tas_http_answer answer = {
        .err = call->err, .why = call->why, .content_type = "", .retry_after_s = -1};
    curl_off_t retry = 0;
    if (call->easy && call->is_added) {
        answer.connect_us = connect_us(call);
        (void)curl_easy_getinfo(call->easy, CURLINFO_RETRY_AFTER, &retry);
    }
    if (retry > 0)
        answer.retry_after_s = retry > INT32_MAX ? INT32_MAX : (int)retry;
    if (call->err == TAS_OK) {
        answer.status = status_of(call);
        answer.content_type = type_of(call);
        if (!was_stream)
            answer.body = tas_buf_peek(&call->in);
    }
    call->done(call->ctx, &answer);
}

/* The connection outlives the handle: a second descriptor of it. */
static void tell_tunnel(struct tas_http_call *call) {
    curl_socket_t fd = CURL_SOCKET_BAD;
    int own = -1;
    if (call->err == TAS_OK && curl_easy_getinfo(call->easy, CURLINFO_ACTIVESOCKET, &fd) == CURLE_OK &&
        fd != CURL_SOCKET_BAD)
        own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (own < 0 && call->err == TAS_OK)
        http_call_fail(call, TAS_E_IO, "out of descriptors");
    if (own >= 0)
        (void)fcntl(own, F_SETFL, fcntl(own, F_GETFL) | O_NONBLOCK);
    call->on_tunnel(call->ctx, own, call->why);
}

void http_call_tell(struct tas_http_call *call) {
    bool was_stream = call->easy && is_stream(call);
    if (was_stream)
        tell_events(call);
    if (!call->is_over || call->is_cancelled)
        return;
    if (call->kind == HTTP_LISTEN && call->err == TAS_OK && !was_stream && status_of(call) == 200)
        http_call_fail(call, TAS_E_IO, "%s does not answer with an event stream", call->host);
    if (call->kind == HTTP_TUNNEL)
        tell_tunnel(call);
    else
        tell_answer(call, was_stream);
}

/* ---- what goes out ---- */

/* Options that cannot fail but for want of memory; one that libcurl does not know is our mistake, and refused
 * as well, for some of them are what safety rests on. */
static bool set_long(struct tas_http_call *call, CURLoption option, long value) {
    return curl_easy_setopt(call->easy, option, value) == CURLE_OK;
}

static bool set_ptr(struct tas_http_call *call, CURLoption option, const void *value) {
    return curl_easy_setopt(call->easy, option, value) == CURLE_OK;
}

static bool set_blob(struct tas_http_call *call, CURLoption option, const struct http_blob *from) {
    struct curl_blob blob = {.data = from->data, .len = from->len, .flags = CURL_BLOB_NOCOPY};
    return !from->data || curl_easy_setopt(call->easy, option, &blob) == CURLE_OK;
}

static bool set_trust(struct tas_http_call *call) {
    const struct tas_http_client *client = call->client;
    /* Other authorities than ours would count as well if the folder of the system's stayed set. */
    bool ok =
        !client->ca.data || (set_ptr(call, CURLOPT_CAINFO, NULL) && set_ptr(call, CURLOPT_CAPATH, NULL) &&
                             set_blob(call, CURLOPT_CAINFO_BLOB, &client->ca));
    return ok && set_long(call, CURLOPT_SSL_VERIFYPEER, 1) && set_long(call, CURLOPT_SSL_VERIFYHOST, 2) &&
           set_long(call, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_3) &&
           set_blob(call, CURLOPT_SSLCERT_BLOB, &client->certificate) &&
           set_blob(call, CURLOPT_SSLKEY_BLOB, &client->private_key);
}

/* NULL: as the environment says, which libcurl reads itself. */
static bool set_proxy(struct tas_http_call *call, const char *proxy) {
    return !proxy || (set_ptr(call, CURLOPT_PROXY, proxy) && set_ptr(call, CURLOPT_NOPROXY, ""));
}

/* QUICK_EXIT: without it, cancelling during a name's resolution would wait for the resolver. */
static bool set_manners(struct tas_http_call *call, const char *protocols) {
    return set_ptr(call, CURLOPT_PRIVATE, call) && set_ptr(call, CURLOPT_ERRORBUFFER, call->error) &&
           set_long(call, CURLOPT_NOSIGNAL, 1) && set_long(call, CURLOPT_QUICK_EXIT, 1) &&
           set_long(call, CURLOPT_FOLLOWLOCATION, 0) && set_long(call, CURLOPT_HTTP_CONTENT_DECODING, 0) &&
           set_long(call, CURLOPT_TCP_KEEPALIVE, 1) && set_ptr(call, CURLOPT_PROTOCOLS_STR, protocols) &&
           (!call->client->user_agent || set_ptr(call, CURLOPT_USERAGENT, call->client->user_agent));
}

static bool set_answer(struct tas_http_call *call) {
    return curl_easy_setopt(call->easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           curl_easy_setopt(call->easy, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
           set_ptr(call, CURLOPT_WRITEDATA, call) && set_ptr(call, CURLOPT_HEADERDATA, call);
}

static bool add_header(struct tas_http_call *call, const char *name, const char *value) {
    char line[4096];
    int len = snprintf(line, sizeof(line), "%s:%s%s", name, *value ? " " : "", value);
    if (len < 0 || (size_t)len >= sizeof(line) || strpbrk(value, "\r\n")) {
        http_call_fail(call, TAS_E_IO, "what is to go into the header \"%s\" has no place there", name);
        return true; /* that is an answer, not a lack of memory */
    }
    struct curl_slist *longer = curl_slist_append(call->headers, line);
    tas_wipe(line, sizeof(line));
    if (longer)
        call->headers = longer;
    return longer;
}

static bool set_headers(struct tas_http_call *call, const struct tas_http_ask *ask) {
    bool ok = add_header(call, "Expect", "") && /* no round trip before the body */
              add_header(call, "Content-Type", ask->body.len ? "application/json" : "");
    if (ok && ask->authorization)
        ok = add_header(call, "Authorization", ask->authorization);
    if (ok && call->kind == HTTP_LISTEN)
        ok = add_header(call, "Accept", "text/event-stream");
    return ok && set_ptr(call, CURLOPT_HTTPHEADER, call->headers);
}

static bool set_method(struct tas_http_call *call, const struct tas_http_ask *ask) {
    if (strcmp(ask->method, "HEAD") == 0)
        return set_long(call, CURLOPT_NOBODY, 1);
    if (ask->body.len == 0 && strcmp(ask->method, "POST") != 0 && strcmp(ask->method, "PUT") != 0)
        return set_long(call, CURLOPT_HTTPGET, 1) && set_ptr(call, CURLOPT_CUSTOMREQUEST, ask->method);
    call->request = malloc(ask->body.len + 1);
    if (!call->request)
        return false;
    call->request_len = ask->body.len;
    if (ask->body.len)
        memcpy(call->request, ask->body.ptr, ask->body.len);
    return set_long(call, CURLOPT_POST, 1) && set_ptr(call, CURLOPT_POSTFIELDS, call->request) &&
           curl_easy_setopt(call->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)ask->body.len) == CURLE_OK &&
           set_ptr(call, CURLOPT_CUSTOMREQUEST, ask->method);
}

/* Empty host and port: whatever the URL names. */
static bool set_address(struct tas_http_call *call, const char *address) {
    char host[HTTP_HOST_MAX];
    char port[6];
    char line[HTTP_HOST_MAX + 16];
    if (!address || !*address)
        return true;
    if (tas_address_split(address, host, sizeof(host), port) != TAS_OK) {
        http_call_fail(call, TAS_E_IO, "an address has the form 192.0.2.1:443");
        return true;
    }
    snprintf(line, sizeof(line), strchr(host, ':') ? "::[%s]:%s" : "::%s:%s", host, port);
    call->connect_to = curl_slist_append(NULL, line);
    return call->connect_to && set_ptr(call, CURLOPT_CONNECT_TO, call->connect_to);
}

/* Streams have no end; their silence is watched instead. */
static bool set_time(struct tas_http_call *call, unsigned timeout_ms) {
    if (timeout_ms == 0)
        timeout_ms = HTTP_TIMEOUT_MS;
    if (call->kind != HTTP_LISTEN)
        return set_long(call, CURLOPT_TIMEOUT_MS, timeout_ms) &&
               curl_easy_setopt(call->easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)TAS_HTTP_ANSWER_MAX) ==
                   CURLE_OK;
    call->silence_us = (uint64_t)timeout_ms * 1000;
    call->silence = tas_timer_new(call->client->loop, on_silence, call);
    if (call->silence)
        sign_of_life(call);
    return call->silence;
}

static struct tas_http_call *call_new(struct tas_http_client *client, enum http_kind kind, void *ctx) {
    struct tas_http_call *call = calloc(1, sizeof(*call));
    if (!call)
        return NULL;
    call->client = client;
    call->kind = kind;
    call->ctx = ctx;
    tas_buf_init(&call->in, TAS_HTTP_ANSWER_MAX);
    tas_sse_init(&call->sse);
    call->easy = curl_easy_init();
    if (call->easy)
        return call;
    http_call_free(call);
    return NULL;
}

void http_call_free(struct tas_http_call *call) {
    if (!call)
        return;
    if (call->is_added)
        curl_multi_remove_handle(call->client->multi, call->easy);
    curl_easy_cleanup(call->easy);
    for (struct curl_slist *h = call->headers; h; h = h->next)
        tas_wipe(h->data, strlen(h->data));
    curl_slist_free_all(call->headers);
    curl_slist_free_all(call->connect_to);
    tas_timer_free(call->silence);
    if (call->request)
        tas_wipe(call->request, call->request_len);
    free(call->request);
    tas_buf_fini(&call->in);
    tas_sse_fini(&call->sse);
    tas_wipe(call, sizeof(*call));
    free(call);
}

static bool prepare(struct tas_http_call *call, const struct tas_http_ask *ask) {
    http_host_of(ask->url, call->host);
    call->has_proxy = http_proxy_for(call->client, call->host) != NULL;
    return set_manners(call, "https") && set_ptr(call, CURLOPT_URL, ask->url) && set_trust(call) &&
           set_long(call, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS) &&
           set_proxy(call, call->client->proxy) && set_answer(call) && set_headers(call, ask) &&
           set_method(call, ask) && set_address(call, ask->address) && set_time(call, ask->timeout_ms);
}

static struct tas_http_call *start(struct tas_http_call *call, bool is_prepared) {
    if (is_prepared) {
        http_call_start(call);
        return call;
    }
    http_call_free(call);
    return NULL;
}

struct tas_http_call *tas_http_ask(struct tas_http_client *client, const struct tas_http_ask *ask,
                                   void (*done)(void *ctx, const struct tas_http_answer *answer), void *ctx) {
    struct tas_http_call *call = call_new(client, HTTP_ASK, ctx);
    if (!call)
        return NULL;
    call->done = done;
    return start(call, prepare(call, ask));
}

struct tas_http_call *
tas_http_listen(struct tas_http_client *client, const struct tas_http_ask *ask,
                void (*on_event)(void *ctx, const char *id, const char *event, const char *data),
                void (*done)(void *ctx, const struct tas_http_answer *answer), void *ctx) {
    struct tas_http_call *call = call_new(client, HTTP_LISTEN, ctx);
    if (!call)
        return NULL;
    call->done = done;
    call->on_event = on_event;
    return start(call, prepare(call, ask));
}

/* http: as the scheme, because libcurl shall only lead to the place, and speak nothing there. */
static bool prepare_tunnel(struct tas_http_call *call, const char *address) {
    char url[HTTP_HOST_MAX + 32];
    char port[6];
    if (tas_address_split(address, call->host, sizeof(call->host), port) != TAS_OK) {
        http_call_fail(call, TAS_E_IO, "an address has the form relay.example:443");
        return true;
    }
    const char *proxy = http_proxy_for(call->client, call->host);
    if (!proxy || strncasecmp(proxy, "https:", 6) == 0) {
        http_call_fail(call, TAS_E_IO,
                       proxy ? "a proxy that is itself reached by https:// cannot carry this"
                             : "no proxy is in force for %s",
                       call->host);
        return true;
    }
    call->has_proxy = true;
    snprintf(url, sizeof(url), strchr(call->host, ':') ? "http://[%s]:%s/" : "http://%s:%s/", call->host,
             port);
    return set_manners(call, "http") && set_ptr(call, CURLOPT_URL, url) && set_proxy(call, proxy) &&
           set_long(call, CURLOPT_HTTPPROXYTUNNEL, 1) && set_long(call, CURLOPT_CONNECT_ONLY, 1) &&
           set_long(call, CURLOPT_FRESH_CONNECT, 1) && set_answer(call) && set_time(call, 0);
}

struct tas_http_call *tas_http_tunnel(struct tas_http_client *client, const char *address,
                                      void (*done)(void *ctx, int fd, const char *why), void *ctx) {
    struct tas_http_call *call = call_new(client, HTTP_TUNNEL, ctx);
    if (!call)
        return NULL;
    call->on_tunnel = done;
    return start(call, prepare_tunnel(call, address));
}
