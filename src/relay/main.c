/* tasuki-relay: carries sealed bytes between two ends. It keeps ids and bounded queues in memory, nothing on
 * disk, and links neither session keys nor codec nor SQL. */
#include "base/log.h"
#include "http/server.h"
#include "net/socket.h"
#include "os/process.h"
#include "os/service.h"
#include "relay/front.h"
#include "relay/link.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { WORKERS_MAX = 64, HTTP_CONNECTIONS_MAX = 64 };

struct relay {
    const char *config_path;
    struct relay_config *config;
    struct tas_tls *tls;
    struct tas_loop *loop;
    struct relay_stats stats;
    struct relay_worker *workers[WORKERS_MAX];
    size_t n_workers;
    struct relay_front *front;
    struct relay_link *link;               /* NULL: no management server is configured */
    uint32_t alternates[RELAY_ALTERNATES]; /* from the management server; zeros: those of the configuration */
    atomic_bool has_keys;
    struct tas_http *http;
    atomic_uint n_draining;
    atomic_bool exits_when_drained;
    atomic_bool is_ready;
};

/* ---- HTTP ---- */

static void on_health(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    (void)req;
    struct relay *r = ctx;
    bool draining = atomic_load(&r->stats.draining);
    bool has_keys = atomic_load(&r->has_keys);
    reply->status = atomic_load(&r->is_ready) && has_keys && !draining ? 200 : 503;
    reply->content_type = "text/plain; charset=utf-8";
    tas_http_printf(reply, "%s\n",
                    draining               ? "draining"
                    : reply->status == 200 ? "ok"
                    : has_keys             ? "starting"
                                           : "no keys yet");
}

static void on_metrics(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    (void)req;
    struct relay *r = ctx;
    relay_stats_print(&r->stats, reply);
}

static const struct tas_http_route routes[] = {
    {.method = "GET", .path = "/healthz", .lane = TAS_HTTP_INLINE, .fn = on_health},
    {.method = "GET", .path = "/metrics", .lane = TAS_HTTP_INLINE, .fn = on_metrics},
    {.method = NULL},
};

static struct tas_http *open_http(struct relay *r, char why[TAS_HTTP_WHY]) {
    const struct tas_http_listener listener = {.address = r->config->http, .routes = routes};
    const struct tas_http_config config = {
        .listeners = &listener,
        .n_listeners = 1,
        .max_connections = HTTP_CONNECTIONS_MAX,
        .ctx = r,
    };
    return tas_http_open(&config, why);
}

/* ---- the link to the management servers ---- */

/* Keys that are in force, by file or management server. */
static void note_keys(struct relay *r) {
    atomic_store(&r->has_keys, r->config->n_ticket_keys + r->config->n_managed_keys > 0);
}

static void take_news(struct relay *r, const struct relay_news *news) {
    memcpy(r->config->managed_keys, news->keys, sizeof(news->keys));
    r->config->n_managed_keys = news->n_keys;
    memcpy(r->alternates, news->alternates, sizeof(r->alternates));
    note_keys(r);
}

static void on_news(void *ctx) {
    struct relay *r = ctx;
    struct relay_news news;
    if (!r->link)
        return;
    relay_link_news(r->link, &news);
    take_news(r, &news);
}

/* NULL and is_wrong: `why`; NULL otherwise: none is configured. */
static struct relay_link *new_link(struct relay *r, const struct relay_config *config,
                                   const struct relay_news *known, bool *is_wrong, char why[RELAY_LINK_WHY]) {
    const struct relay_link_place place = {
        .main_loop = r->loop,
        .on_news = on_news,
        .ctx = r,
        .workers = r->workers,
        .n_workers = r->n_workers ? r->n_workers : config->threads, /* they are started later */
        .stats = &r->stats,
    };
    struct relay_link *link = config->n_managers ? relay_link_new(config, &place, known, why) : NULL;
    *is_wrong = config->n_managers && !link;
    return link;
}

/* In place of the one that is there, with what that one had learned, unless another root counts now. */
static void change_link(struct relay *r, struct relay_link *link) {
    relay_link_free(r->link);
    r->link = link;
    atomic_store(&r->stats.managers, 0);
    atomic_store(&r->stats.managers_connected, 0);
    if (!link)
        return;
    if (relay_link_start(link) != TAS_OK)
        tas_log(TAS_LOG_ERROR, "relay", "link_failed", "why=\"no thread for it\" do=\"restart the relay\"");
    else if (atomic_load(&r->stats.draining))
        relay_link_tell(link, RELAY_LINK_DRAINING);
}

static void known_so_far(struct relay *r, const struct relay_config *config, struct relay_news *out) {
    *out = (struct relay_news){0};
    if (r->link && config->n_managers && memcmp(config->root, r->config->root, sizeof(config->root)) == 0)
        relay_link_news(r->link, out);
}

/* ---- signals ---- */

static void on_drained(void *ctx) {
    struct relay *r = ctx;
    if (atomic_fetch_sub(&r->n_draining, 1) == 1 && r->exits_when_drained)
        tas_loop_stop(r->loop);
}

static void drain(struct relay *r, bool exits) {
    if (exits) {
        atomic_store(&r->exits_when_drained, true);
        tas_notify("STOPPING=1");
    }
    if (atomic_exchange(&r->stats.draining, 1)) {
        if (exits && atomic_load(&r->n_draining) == 0)
            tas_loop_stop(r->loop);
        return;
    }
    tas_log(TAS_LOG_INFO, "relay", "draining", "ends=%lld seconds=%u", (long long)atomic_load(&r->stats.ends),
            r->config->drain_s);
    const uint32_t *alternates = r->alternates[0] ? r->alternates : r->config->alternates;
    relay_front_shut(r->front);
    if (r->link)
        relay_link_tell(r->link, RELAY_LINK_DRAINING);
    atomic_store(&r->n_draining, (unsigned)r->n_workers);
    for (size_t i = 0; i < r->n_workers; i++)
        relay_worker_drain(r->workers[i], alternates, r->config->drain_s * 1000, on_drained, r);
}

/* Keeps the old configuration when the new one is wrong. */
static void reload(struct relay *r) {
    char why[TAS_CONF_WHY];
    char quoted[TAS_CONF_WHY * 2];
    struct relay_config *config = relay_config_load(r->config_path, why);
    struct tas_tls *tls = config ? tas_tls_server(config->certificate, config->private_key, why) : NULL;
    struct relay_link *link = NULL;
    struct relay_news known;
    bool is_wrong = !tls;
    if (tls) {
        known_so_far(r, config, &known);
        link = new_link(r, config, &known, &is_wrong, why);
    }
    if (is_wrong) {
        tas_log(TAS_LOG_ERROR, "relay", "reload_refused", "why=%s",
                tas_log_quote(quoted, sizeof(quoted), why));
        tas_tls_free(tls);
        relay_config_free(config);
        return;
    }
    if (r->front)
        relay_front_reload(r->front, config, tls);
    change_link(r, link); /* the old one reads the old configuration */
    relay_config_free(r->config);
    tas_tls_free(r->tls);
    r->config = config;
    r->tls = tls;
    take_news(r, &known);
    tas_log_set_level(config->log_level);
    tas_log(TAS_LOG_INFO, "relay", "reloaded", "ticket_keys=%zu", config->n_ticket_keys);
}

static void on_signal(void *ctx, int signo) {
    struct relay *r = ctx;
    if (signo == SIGHUP)
        reload(r);
    else
        drain(r, signo != SIGUSR1);
}

static const int signals[] = {SIGHUP, SIGTERM, SIGINT, SIGUSR1};
enum { N_SIGNALS = sizeof(signals) / sizeof(signals[0]) };

/* ---- start ---- */

/* Sockets given by the system, else those of the configuration. The number, or minus the exit code. */
static int open_listeners(const struct relay *r, int fds[RELAY_LISTEN_MAX]) {
    int given = tas_listen_fds();
    if (given > RELAY_LISTEN_MAX)
        given = RELAY_LISTEN_MAX;
    for (int i = 0; i < given; i++)
        fds[i] = 3 + i;
    if (given > 0)
        return given;
    for (size_t i = 0; i < r->config->n_listen; i++) {
        fds[i] = tas_listen(r->config->listen[i]);
        if (fds[i] < 0) {
            tas_log(TAS_LOG_ERROR, "relay", "listen_failed", "address=%s why=\"%s\"", r->config->listen[i],
                    fds[i] == TAS_E_CONFIG ? "not a numeric address with a port" : strerror(errno));
            int code = fds[i] == TAS_E_CONFIG ? TAS_EXIT_CONFIG : TAS_EXIT_TEMPORARY;
            for (size_t k = 0; k < i; k++)
                close(fds[k]);
            return -code;
        }
    }
    return (int)r->config->n_listen;
}

static int start(struct relay *r) {
    int fds[RELAY_LISTEN_MAX];
    char why[TAS_HTTP_WHY];
    char quoted[TAS_HTTP_WHY * 2];
    bool is_synchronised;
    bool ok = tas_service_clock("relay", r->config->needs_clock, &is_synchronised);
    atomic_store(&r->stats.clock_synchronised, is_synchronised);
    if (!ok)
        return TAS_EXIT_TEMPORARY;
    int n = open_listeners(r, fds);
    if (n < 0)
        return -n;
    bool is_wrong;
    r->link = new_link(r, r->config, NULL, &is_wrong, why);
    if (is_wrong) {
        tas_log(TAS_LOG_ERROR, "relay", "link_failed", "why=%s", tas_log_quote(quoted, sizeof(quoted), why));
        return TAS_EXIT_CONFIG;
    }
    note_keys(r);
    if (r->config->http[0]) {
        r->http = open_http(r, why);
        if (!r->http) {
            tas_log(TAS_LOG_ERROR, "relay", "http_failed", "why=%s",
                    tas_log_quote(quoted, sizeof(quoted), why));
            return TAS_EXIT_TEMPORARY; /* most likely the port is taken, as by our predecessor */
        }
    }
    int code = tas_service_become("relay", r->config->user);
    if (code != EXIT_SUCCESS)
        return code;
    for (; r->n_workers < r->config->threads; r->n_workers++) {
        r->workers[r->n_workers] = relay_worker_start(&r->stats);
        if (!r->workers[r->n_workers])
            return EXIT_FAILURE;
    }
    r->front =
        relay_front_new(r->loop, fds, (size_t)n, r->config, r->tls, r->workers, r->n_workers, &r->stats);
    if (!r->front || tas_loop_on_signals(r->loop, signals, N_SIGNALS, on_signal, r) != TAS_OK)
        return EXIT_FAILURE;
    if (r->link && relay_link_start(r->link) != TAS_OK)
        return EXIT_FAILURE;
    return !r->http || tas_http_run(r->http) == TAS_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

static void stop(struct relay *r) {
    if (r->link)
        relay_link_tell(r->link, RELAY_LINK_DOWN);
    relay_link_free(r->link);
    tas_http_stop(r->http);
    relay_front_free(r->front);
    for (size_t i = 0; i < r->n_workers; i++)
        relay_worker_stop(r->workers[i]);
    tas_loop_free(r->loop);
}

static int serve(void *ctx, const char *path) {
    struct relay *r = ctx;
    (void)path;
    tas_loop_block_signals(signals, N_SIGNALS);
    r->loop = tas_loop_new();
    int code = r->loop ? start(r) : EXIT_FAILURE;
    if (code == EXIT_SUCCESS) {
        atomic_store(&r->is_ready, true);
        tas_log(TAS_LOG_INFO, "relay", "ready", "relay_id=%u threads=%zu", r->config->relay_id, r->n_workers);
        tas_notify("READY=1");
        code = tas_loop_run(r->loop) == TAS_OK ? EXIT_SUCCESS : EXIT_FAILURE;
        tas_log(TAS_LOG_INFO, "relay", "stopped", "code=%d", code);
    }
    stop(r);
    return code;
}

/* Can its files be read? */
static bool link_is_sound(struct relay *r, char why[TAS_CONF_WHY]) {
    bool is_wrong;
    relay_link_free(new_link(r, r->config, NULL, &is_wrong, why));
    return !is_wrong;
}

static bool load(void *ctx, const char *path, char why[TAS_SERVICE_WHY]) {
    struct relay *r = ctx;
    r->config_path = path;
    r->config = relay_config_load(path, why);
    if (r->config)
        r->tls = tas_tls_server(r->config->certificate, r->config->private_key, why);
    if (!r->tls || !link_is_sound(r, why))
        return false;
    tas_log_set_level(r->config->log_level);
    return true;
}

static void print(void *ctx) {
    tas_conf_print(((struct relay *)ctx)->config->conf);
}

static void unload(void *ctx) {
    struct relay *r = ctx;
    tas_tls_free(r->tls);
    relay_config_free(r->config);
}

int main(int argc, char **argv) {
    static struct relay relay;
    static const struct tas_service service = {
        .name = "tasuki-relay",
        .config_path = "/etc/tasuki/relay.conf",
        .about = "Carries support sessions between a customer and an operator. It can read nothing of what "
                 "it carries.\n"
                 "Signals: HUP reads configuration and certificates again, TERM and INT send everybody to "
                 "the alternates\n"
                 "and exit, USR1 does so and stays.\n",
        .load = load,
        .print = print,
        .serve = serve,
        .unload = unload,
    };
    return tas_service_main(&service, &relay, argc, argv);
}
