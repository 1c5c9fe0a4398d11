/* libcurl as a guest: looked for when a proxy cannot be had without it, never linked, so that programs of one
 * file need it on no desktop. It blocks, hence the thread, which the loop's thread never waits for. */
#include "http/client_private.h"

#include "base/wipe.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- the library ---- */

struct library {
    __typeof__(curl_global_init) *global_init;
    __typeof__(curl_easy_init) *easy_init;
    CURLcode (*easy_setopt)(CURL *easy, CURLoption option, ...);
    __typeof__(curl_easy_perform) *easy_perform;
    CURLcode (*easy_getinfo)(CURL *easy, CURLINFO info, ...);
    __typeof__(curl_easy_cleanup) *easy_cleanup;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct library library;
static bool is_library_there;

static bool find_symbol(void *handle, const char *name, void *function, size_t size) {
    void *symbol = dlsym(handle, name);
    memcpy(function, &symbol, size); /* a function's address is an object's here (POSIX) */
    return symbol;
}

#define FIND(name) find_symbol(handle, "curl_" #name, &library.name, sizeof(library.name))

static void open_library(void) {
    static const char *const names[] = {"libcurl.so.4", "libcurl-gnutls.so.4"};
    void *handle = NULL;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !handle; i++)
        handle = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    while (dlerror()) /* frees what a failure has left in this thread, which ends soon */
        continue;
    is_library_there = handle && FIND(global_init) && FIND(easy_init) && FIND(easy_setopt) &&
                       FIND(easy_perform) && FIND(easy_getinfo) && FIND(easy_cleanup) &&
                       library.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

/* ---- the thread ---- */

/* Shared by the loop's thread and the other one; the last of them frees it. */
struct http_curl {
    atomic_int refs;
    atomic_bool is_given_up; /* read while libcurl works */
    pthread_mutex_t lock;    /* guards is_abandoned, is_posted, fd and why between the two */
    bool is_abandoned;       /* nobody waits any more, and the loop may be gone */
    bool is_posted;          /* on_over() will come */
    struct tas_loop *loop;
    void (*done)(void *ctx, int fd, const char *why);
    void *ctx;
    char *proxy;
    struct http_proxy parsed;
    char url[HTTP_ADDRESS_MAX + 16];
    char target[HTTP_ADDRESS_MAX];
    char what_for[64];
    char error[CURL_ERROR_SIZE];
    int fd;
    char why[HTTP_WHY_MAX];
};

static void release(struct http_curl *c) {
    if (atomic_fetch_sub(&c->refs, 1) != 1)
        return;
    if (c->fd >= 0)
        close(c->fd);
    if (c->proxy)
        tas_wipe(c->proxy, strlen(c->proxy));
    free(c->proxy);
    pthread_mutex_destroy(&c->lock);
    tas_wipe(c, sizeof(*c));
    free(c);
}

static int on_progress(void *ctx, curl_off_t a, curl_off_t b, curl_off_t d, curl_off_t e) {
    (void)a;
    (void)b;
    (void)d;
    (void)e;
    struct http_curl *c = ctx;
    return atomic_load(&c->is_given_up); /* not 0: stop */
}

static bool set_long(CURL *easy, CURLoption option, long value) {
    return library.easy_setopt(easy, option, value) == CURLE_OK;
}

static bool set_ptr(CURL *easy, CURLoption option, const void *value) {
    return library.easy_setopt(easy, option, value) == CURLE_OK;
}

/* http: as the scheme, because libcurl shall only lead to the place, and speak nothing there. Without a user
 * Negotiate still works, with the ticket of whoever is logged in. */
static bool set_up(CURL *easy, struct http_curl *c) {
    return set_ptr(easy, CURLOPT_URL, c->url) && set_ptr(easy, CURLOPT_PROXY, c->proxy) &&
           set_ptr(easy, CURLOPT_NOPROXY, "") && set_long(easy, CURLOPT_HTTPPROXYTUNNEL, 1) &&
           set_long(easy, CURLOPT_CONNECT_ONLY, 1) && set_long(easy, CURLOPT_NOSIGNAL, 1) &&
           set_long(easy, CURLOPT_PROXYAUTH, (long)CURLAUTH_ANY) &&
           (c->parsed.has_user || set_ptr(easy, CURLOPT_PROXYUSERPWD, ":")) &&
           set_long(easy, CURLOPT_TIMEOUT_MS, HTTP_TIMEOUT_MS) &&
           set_ptr(easy, CURLOPT_ERRORBUFFER, c->error) && set_long(easy, CURLOPT_NOPROGRESS, 0) &&
           library.easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress) == CURLE_OK &&
           set_ptr(easy, CURLOPT_XFERINFODATA, c);
}

/* The connection outlives the handle: a second descriptor of it. */
static int take_descriptor(CURL *easy) {
    curl_socket_t fd = CURL_SOCKET_BAD;
    if (library.easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK || fd == CURL_SOCKET_BAD)
        return -1;
    int own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (own >= 0)
        (void)fcntl(own, F_SETFL, fcntl(own, F_GETFL) | O_NONBLOCK);
    return own;
}

static void explain(struct http_curl *c, CURLcode code, long status) {
    if (status == 407)
        snprintf(c->why, sizeof(c->why), "%s, and a user name and password, or others than those given",
                 c->what_for);
    else if (code == CURLE_COULDNT_RESOLVE_PROXY)
        snprintf(c->why, sizeof(c->why),
                 "the name of the proxy is not known: check its spelling and the network");
    else if (code == CURLE_OPERATION_TIMEDOUT)
        snprintf(c->why, sizeof(c->why), "the proxy did not answer in time");
    else if (code == CURLE_COULDNT_CONNECT)
        snprintf(c->why, sizeof(c->why),
                 "the proxy cannot be reached: it does not run, or the network is in between (%s)", c->error);
    else
        snprintf(c->why, sizeof(c->why), "the proxy does not let us through to %s (%.200s)", c->target,
                 c->error);
}

static void lead(struct http_curl *c) {
    CURL *easy = library.easy_init();
    long status = 0;
    if (!easy || !set_up(easy, c)) {
        snprintf(c->why, sizeof(c->why), "%s, and libcurl on this machine cannot do that", c->what_for);
    } else {
        CURLcode code = library.easy_perform(easy);
        c->fd = code == CURLE_OK ? take_descriptor(easy) : -1;
        (void)library.easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &status);
        if (code != CURLE_OK)
            explain(c, code, status);
        else if (c->fd < 0)
            snprintf(c->why, sizeof(c->why), "out of descriptors");
    }
    if (easy)
        library.easy_cleanup(easy);
}

/* On the loop's thread. */
static void on_over(void *ctx) {
    struct http_curl *c = ctx;
    char why[HTTP_WHY_MAX];
    pthread_mutex_lock(&c->lock); /* the thread is done with it */
    c->is_posted = false;
    bool is_abandoned = c->is_abandoned;
    pthread_mutex_unlock(&c->lock);
    if (is_abandoned) {
        release(c);
        return;
    }
    int fd = c->fd;
    c->fd = -1;
    memcpy(why, c->why, sizeof(why));
    c->done(c->ctx, fd, why); /* frees c */
}

static void *run(void *ctx) {
    struct http_curl *c = ctx;
    pthread_once(&once, open_library);
    if (is_library_there)
        lead(c);
    else
        snprintf(c->why, sizeof(c->why),
                 "%s, which needs the library libcurl.so.4: install the package libcurl4, or ask whoever "
                 "runs the proxy for Basic",
                 c->what_for);
    pthread_mutex_lock(&c->lock);
    /* When there is no memory to tell, the call's time ends it. */
    if (!c->is_abandoned)
        c->is_posted = tas_loop_post(c->loop, on_over, c) == TAS_OK;
    pthread_mutex_unlock(&c->lock);
    release(c);
    return NULL;
}

struct http_curl *http_curl_new(struct tas_loop *loop, const char *proxy, const char *target,
                                const char *what_for, void (*done)(void *ctx, int fd, const char *why),
                                void *ctx) {
    struct http_curl *c = calloc(1, sizeof(*c));
    pthread_t thread;
    if (!c)
        return NULL;
    atomic_init(&c->refs, 2);
    pthread_mutex_init(&c->lock, NULL);
    c->loop = loop;
    c->done = done;
    c->ctx = ctx;
    c->fd = -1;
    snprintf(c->url, sizeof(c->url), "http://%s/", target);
    snprintf(c->target, sizeof(c->target), "%s", target);
    snprintf(c->what_for, sizeof(c->what_for), "%s", what_for);
    c->proxy = strdup(proxy);
    if (c->proxy && http_proxy_parse(&c->parsed, proxy) == TAS_OK &&
        pthread_create(&thread, NULL, run, c) == 0) {
        pthread_detach(thread);
        return c;
    }
    release(c);
    release(c);
    return NULL;
}

void http_curl_free(struct http_curl *c) {
    if (!c)
        return;
    atomic_store(&c->is_given_up, true);
    pthread_mutex_lock(&c->lock);
    c->is_abandoned = true;
    bool is_coming = c->is_posted;
    pthread_mutex_unlock(&c->lock);
    if (!is_coming)
        release(c); /* else on_over() does */
}
