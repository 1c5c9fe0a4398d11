/* tasuki-download: the page where customers download the client tool, and the tool itself. Plain HTTP only
 * leads to HTTPS. It knows no key but that of its certificate, and reads no file for a request. */
#include "base/log.h"
#include "download/catalog.h"
#include "download/texts_private.h"
#include "http/server.h"
#include "net/tls.h"
#include "os/process.h"
#include "os/service.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { LISTENERS = 2 * DOWNLOAD_LISTEN_MAX + 1, QUOTED = 2 * DOWNLOAD_WHY };
_Static_assert((int)LISTENERS <= (int)TAS_HTTP_LISTENERS, "all that a configuration may name");

struct program {
    const char *config_path;
    struct download_config *config;
    struct download_catalog *catalog;
    struct download_stats stats;
    struct tas_loop *loop;
    struct tas_http *http;
    struct tas_http_listener listeners[LISTENERS];
    size_t n_listeners;
    atomic_llong kept_total; /* times SIGHUP found something wrong */
    atomic_bool is_ready, is_draining;
    bool clock_synchronised;
};

/* ---- routes: each is of a moment, so that none needs a thread of its own ---- */

static void on_page(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    struct program *p = ctx;
    download_reply_page(p->catalog, &p->stats, req, reply);
}

static void on_client(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    struct program *p = ctx;
    download_reply_file(p->catalog, &p->stats, req, reply);
}

static void on_checksum(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    struct program *p = ctx;
    (void)req;
    download_reply_checksum(p->catalog, reply);
}

static void on_style(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    struct program *p = ctx;
    download_reply_style(p->catalog, req, reply);
}

static void on_favicon(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    (void)ctx;
    (void)req;
    reply->content_type = "image/svg+xml";
    tas_http_header(reply, "cache-control:", "public, max-age=86400");
    tas_http_header(reply, "content-security-policy:", "default-src 'none'");
    tas_http_printf(reply, "%s", download_favicon_svg);
}

static void on_robots(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    (void)ctx;
    (void)req;
    reply->content_type = "text/plain; charset=utf-8";
    tas_http_header(reply, "cache-control:", "public, max-age=86400");
    tas_http_printf(reply, "User-agent: *\nDisallow: /client\n");
}

static const struct tas_http_route routes[] = {
    {.method = "GET", .path = "/", .lane = TAS_HTTP_INLINE, .fn = on_page},
    {.method = "GET", .path = "/client", .lane = TAS_HTTP_INLINE, .fn = on_client},
    {.method = "GET", .path = "/client.sha256", .lane = TAS_HTTP_INLINE, .fn = on_checksum},
    {.method = "GET", .path = "/style.css", .lane = TAS_HTTP_INLINE, .fn = on_style},
    {.method = "GET", .path = "/favicon.svg", .lane = TAS_HTTP_INLINE, .fn = on_favicon},
    {.method = "GET", .path = "/robots.txt", .lane = TAS_HTTP_INLINE, .fn = on_robots},
    {0},
};

/* ---- health and figures, on a local address ---- */

static void on_health(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    struct program *p = ctx;
    (void)req;
    bool is_draining = atomic_load(&p->is_draining);
    bool is_good = atomic_load(&p->is_ready) && !is_draining;
    reply->content_type = "text/plain; charset=utf-8";
    reply->status = is_good ? 200 : 503;
    tas_http_printf(reply, "%s\n", is_good ? "ok" : is_draining ? "draining" : "starting");
}

static void on_metrics(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    struct program *p = ctx;
    struct download_facts facts;
    (void)req;
    if (!atomic_load(&p->is_ready)) {
        on_health(ctx, req, reply); /* p->http may not be known yet */
        return;
    }
    download_catalog_facts(p->catalog, &facts);
#define X(name, help) tas_http_metric(reply, "download", #name, "counter", help, atomic_load(&p->stats.name));
    DOWNLOAD_STATS(X)
#undef X
    tas_http_metrics(p->http, reply, "download");
    tas_http_metric(reply, "download", "kept_total", "counter",
                    "times HUP found something wrong and the old was kept", atomic_load(&p->kept_total));
    tas_http_metric(reply, "download", "client", "gauge", "1: there is a client tool to download",
                    facts.has_client);
    tas_http_metric(reply, "download", "client_bytes", "gauge", "size of the client tool",
                    (int64_t)facts.size);
    tas_http_metric(reply, "download", "clock_synchronised", "gauge", "1: the clock is synchronised",
                    p->clock_synchronised);
    tas_http_metric(reply, "download", "draining", "gauge", "1: shutting down", atomic_load(&p->is_draining));
}

static const struct tas_http_route local_routes[] = {
    {.method = "GET", .path = "/healthz", .lane = TAS_HTTP_INLINE, .fn = on_health},
    {.method = "GET", .path = "/metrics", .lane = TAS_HTTP_INLINE, .fn = on_metrics},
    {0},
};

/* ---- configuration ---- */

static void say_client(const struct program *p) {
    struct download_facts facts;
    download_catalog_facts(p->catalog, &facts);
    if (facts.has_client)
        tas_log(TAS_LOG_INFO, "download", "client", "bytes=%llu sha256=%s", (unsigned long long)facts.size,
                facts.sha256);
}

/* Reads the client tool. False: it cannot be used, `why`. None at all is told, and can be lived with. */
static bool load_client(struct program *p, char why[DOWNLOAD_WHY]) {
    char quoted[QUOTED];
    int err = download_catalog_load(p->catalog, p->config, why);
    if (err == TAS_E_ABSENT)
        tas_log(TAS_LOG_WARN, "download", "client_absent",
                "why=%s do=\"put it there, then send HUP; until then the page offers no download\"",
                tas_log_quote(quoted, sizeof(quoted), why));
    return err == TAS_OK || err == TAS_E_ABSENT;
}

static bool load(void *ctx, const char *path, char why[TAS_SERVICE_WHY]) {
    _Static_assert((int)TAS_SERVICE_WHY == (int)DOWNLOAD_WHY && (int)TAS_SERVICE_WHY == (int)TAS_CONF_WHY,
                   "one is handed on as the other");
    struct program *p = ctx;
    p->config_path = path;
    p->config = download_config_load(path, why);
    if (!p->config)
        return false;
    tas_log_set_level(p->config->log_level);
    struct tas_tls *tls = tas_tls_server(p->config->certificate, p->config->private_key, why);
    tas_tls_free(tls);
    if (!tls)
        return false;
    p->catalog = download_catalog_new();
    if (!p->catalog)
        snprintf(why, TAS_SERVICE_WHY, "out of memory");
    return p->catalog && load_client(p, why);
}

static void print(void *ctx) {
    struct program *p = ctx;
    tas_conf_print(p->config->conf);
}

static void unload(void *ctx) {
    struct program *p = ctx;
    download_catalog_free(p->catalog);
    download_config_free(p->config);
}

/* ---- signals ---- */

static void keep_old(struct program *p, const char *what, const char *why) {
    char quoted[QUOTED];
    atomic_fetch_add(&p->kept_total, 1);
    tas_log(TAS_LOG_ERROR, "download", "reload_refused", "kept=%s why=%s", what,
            tas_log_quote(quoted, sizeof(quoted), why));
}

/* Each thing for itself: a renewed certificate does not wait for a client tool that is being copied. */
static void reload(struct program *p) {
    char why[DOWNLOAD_WHY];
    struct download_config *config = download_config_load(p->config_path, why);
    if (!config) {
        keep_old(p, "all", why);
        return;
    }
    tas_log_set_level(config->log_level);
    int err = tas_http_reload(p->http, why);
    if (err != TAS_OK)
        keep_old(p, "certificate", why);
    int found = download_catalog_load(p->catalog, config, why);
    struct download_facts facts;
    download_catalog_facts(p->catalog, &facts);
    if (found == TAS_OK)
        say_client(p);
    else if (found != TAS_E_ABSENT || facts.has_client)
        keep_old(p, "client", why);
    download_config_free(config);
    if (err == TAS_OK && (found == TAS_OK || (found == TAS_E_ABSENT && !facts.has_client)))
        tas_log(TAS_LOG_INFO, "download", "reloaded", "took=certificate,client,organisation,log_level");
}

static void on_signal(void *ctx, int signo) {
    struct program *p = ctx;
    if (signo == SIGHUP) {
        reload(p);
        return;
    }
    if (atomic_exchange(&p->is_draining, true))
        return;
    tas_notify("STOPPING=1");
    tas_log(TAS_LOG_INFO, "download", "draining", "seconds=%u", p->config->drain_s);
    tas_http_drain(p->http, p->config->drain_s * 1000);
    tas_loop_stop(p->loop);
}

/* ---- start ---- */

static const int signals[] = {SIGHUP, SIGTERM, SIGINT};
enum { N_SIGNALS = sizeof(signals) / sizeof(signals[0]) };

static void collect_listeners(struct program *p) {
    const struct download_config *c = p->config;
    for (size_t i = 0; i < c->n_listen; i++)
        p->listeners[p->n_listeners++] = (struct tas_http_listener){.address = c->listen[i],
                                                                    .certificate = c->certificate,
                                                                    .private_key = c->private_key,
                                                                    .routes = routes};
    for (size_t i = 0; i < c->n_redirect; i++)
        p->listeners[p->n_listeners++] =
            (struct tas_http_listener){.address = c->redirect_listen[i], .redirects = true};
    if (c->http[0])
        p->listeners[p->n_listeners++] =
            (struct tas_http_listener){.address = c->http, .routes = local_routes};
}

/* A download takes two descriptors: all that the system lets us have. */
static void raise_limit(unsigned connections) {
    struct rlimit limit;
    rlim_t wanted = 2 * (rlim_t)connections + 64;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < wanted)
        tas_log(TAS_LOG_WARN, "download", "few_descriptors",
                "wanted=%llu limit=%llu do=\"raise LimitNOFILE\"", (unsigned long long)wanted,
                (unsigned long long)limit.rlim_max);
}

static int open_http(struct program *p) {
    char why[TAS_HTTP_WHY];
    char quoted[QUOTED];
    collect_listeners(p);
    raise_limit(p->config->max_connections);
    const struct tas_http_config http = {
        .listeners = p->listeners,
        .n_listeners = p->n_listeners,
        .max_connections = p->config->max_connections,
        .max_connections_per_source = p->config->max_per_source,
        .ctx = p,
    };
    p->http = tas_http_open(&http, why);
    if (p->http)
        return EXIT_SUCCESS;
    int code = errno == 0 ? TAS_EXIT_CONFIG : TAS_EXIT_TEMPORARY;
    tas_log(TAS_LOG_ERROR, "download", "listen_failed", "why=%s", tas_log_quote(quoted, sizeof(quoted), why));
    return code;
}

/* Whoever we have become must be able to read everything again at the next HUP: told now, not on that day. */
static int check_user(struct program *p) {
    char why[DOWNLOAD_WHY];
    char quoted[QUOTED];
    struct tas_tls *tls = tas_tls_server(p->config->certificate, p->config->private_key, why);
    if (!tls)
        tas_log(TAS_LOG_WARN, "download", "certificate_unreadable",
                "user=%s why=%s do=\"restart to renew it\"", p->config->user,
                tas_log_quote(quoted, sizeof(quoted), why));
    tas_tls_free(tls);
    int err = download_catalog_load(p->catalog, p->config, why);
    if (err == TAS_OK || err == TAS_E_ABSENT)
        return EXIT_SUCCESS;
    tas_log(TAS_LOG_ERROR, "download", "client_unreadable", "user=%s why=%s", p->config->user,
            tas_log_quote(quoted, sizeof(quoted), why));
    return TAS_EXIT_CONFIG;
}

static int drop(struct program *p) {
    int code = tas_service_become("download", p->config->user);
    return code == EXIT_SUCCESS && p->config->user[0] ? check_user(p) : code;
}

static int start(struct program *p) {
    if (!tas_service_clock("download", p->config->needs_clock, &p->clock_synchronised))
        return TAS_EXIT_TEMPORARY;
    p->loop = tas_loop_new();
    if (!p->loop || tas_loop_on_signals(p->loop, signals, N_SIGNALS, on_signal, p) != TAS_OK)
        return EXIT_FAILURE;
    /* Nothing is read from the network until privileges are dropped. Forbidding new ones holds for the
     * calling thread and those it starts: before there are any. */
    int code = open_http(p);
    if (code == EXIT_SUCCESS)
        code = drop(p);
    if (code != EXIT_SUCCESS || tas_http_run(p->http) == TAS_OK)
        return code;
    tas_log(TAS_LOG_ERROR, "download", "listen_failed", "why=\"cannot start a thread\"");
    return EXIT_FAILURE;
}

static int serve(void *ctx, const char *path) {
    struct program *p = ctx;
    (void)path;
    tas_loop_block_signals(signals, N_SIGNALS);
    int code = start(p);
    if (code == EXIT_SUCCESS) {
        say_client(p);
        atomic_store(&p->is_ready, true);
        tas_log(TAS_LOG_INFO, "download", "ready", "listeners=%zu", p->n_listeners);
        tas_notify("READY=1");
        code = tas_loop_run(p->loop) == TAS_OK ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    tas_http_stop(p->http);
    tas_loop_free(p->loop);
    tas_log(TAS_LOG_INFO, "download", "stopped", "code=%d", code);
    return code;
}

int main(int argc, char **argv) {
    static struct program program;
    static const struct tas_service service = {
        .name = "tasuki-download",
        .config_path = "/etc/tasuki/download.conf",
        .about = "Shows the page where customers download the client tool, and sends it. Signals: HUP reads "
                 "certificate,\n"
                 "client tool and organisation again, TERM and INT send what was begun and exit.\n",
        .load = load,
        .print = print,
        .serve = serve,
        .unload = unload,
    };
    return tas_service_main(&service, &program, argc, argv);
}
