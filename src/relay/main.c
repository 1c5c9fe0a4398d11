/* tasuki-relay: carries sealed bytes between two ends. It keeps ids and bounded queues in memory, nothing on
 * disk, and links neither session keys nor codec nor SQL. */
#include "base/log.h"
#include "http/server.h"
#include "net/socket.h"
#include "os/process.h"
#include "relay/front.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { EXIT_USAGE = 2, EXIT_TEMPORARY = 75, EXIT_CONFIG = 78, WORKERS_MAX = 64 };

struct relay {
    const char *config_path;
    struct relay_config *config;
    struct tas_tls *tls;
    struct tas_loop *loop;
    struct relay_stats stats;
    struct relay_worker *workers[WORKERS_MAX];
    size_t n_workers;
    struct relay_front *front;
    struct tas_http *http;
    atomic_uint n_draining;
    atomic_bool exits_when_drained;
    atomic_bool is_ready;
};

static void usage(FILE *to) {
    fputs(
        "Usage: tasuki-relay [--config FILE] [--check | --print-config | --version | --help]\n"
        "\n"
        "Carries support sessions between a customer and an operator. It can read nothing of what it "
        "carries.\n"
        "\n"
        "  --config FILE    configuration (default /etc/tasuki/relay.conf)\n"
        "  --check          read configuration, certificate and key, say what is wrong, exit\n"
        "  --print-config   print all options with the values in force, secrets masked\n"
        "\n"
        "Signals: HUP reads configuration and certificates again, TERM and INT send everybody to the "
        "alternates and\n"
        "exit, USR1 does so and stays. Exit codes: 0, 1 failure, 2 usage, 75 temporary, 78 configuration.\n",
        to);
}

/* ---- HTTP ---- */

static void on_health(void *ctx, struct tas_http_reply *reply) {
    struct relay *r = ctx;
    bool draining = atomic_load(&r->stats.draining);
    reply->status = atomic_load(&r->is_ready) && !draining ? 200 : 503;
    tas_http_printf(reply, "%s\n", draining ? "draining" : reply->status == 200 ? "ok" : "starting");
}

static void on_metrics(void *ctx, struct tas_http_reply *reply) {
    struct relay *r = ctx;
    reply->content_type = "text/plain; version=0.0.4";
    relay_stats_print(&r->stats, reply);
}

static const struct tas_http_route routes[] = {
    {"/healthz", on_health},
    {"/metrics", on_metrics},
    {NULL, NULL},
};

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
    relay_front_shut(r->front);
    atomic_store(&r->n_draining, (unsigned)r->n_workers);
    for (size_t i = 0; i < r->n_workers; i++)
        relay_worker_drain(r->workers[i], r->config->alternates, r->config->drain_s * 1000, on_drained, r);
}

/* Keeps the old configuration when the new one is wrong. */
static void reload(struct relay *r) {
    char why[TAS_CONF_WHY];
    char quoted[TAS_CONF_WHY * 2];
    struct relay_config *config = relay_config_load(r->config_path, why);
    struct tas_tls *tls = config ? tas_tls_server(config->certificate, config->private_key, why) : NULL;
    if (!tls) {
        tas_log(TAS_LOG_ERROR, "relay", "reload_refused", "why=%s",
                tas_log_quote(quoted, sizeof(quoted), why));
        relay_config_free(config);
        return;
    }
    if (r->front)
        relay_front_reload(r->front, config, tls);
    relay_config_free(r->config);
    tas_tls_free(r->tls);
    r->config = config;
    r->tls = tls;
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
            int code = fds[i] == TAS_E_CONFIG ? EXIT_CONFIG : EXIT_TEMPORARY;
            for (size_t k = 0; k < i; k++)
                close(fds[k]);
            return -code;
        }
    }
    return (int)r->config->n_listen;
}

static bool clock_is_good_enough(struct relay *r) {
    bool is_synchronised = tas_clock_is_synchronised();
    atomic_store(&r->stats.clock_synchronised, is_synchronised);
    if (is_synchronised)
        return true;
    tas_log(r->config->needs_clock ? TAS_LOG_ERROR : TAS_LOG_WARN, "relay", "clock_unsynchronised",
            r->config->needs_clock ? "do=\"run an NTP client, or set clock = warn\""
                                   : "do=\"run an NTP client\"");
    return !r->config->needs_clock;
}

static int start(struct relay *r) {
    int fds[RELAY_LISTEN_MAX];
    char why[TAS_HTTP_WHY];
    char quoted[TAS_HTTP_WHY * 2];
    if (!clock_is_good_enough(r))
        return EXIT_TEMPORARY;
    int n = open_listeners(r, fds);
    if (n < 0)
        return -n;
    int err = tas_drop_privileges(r->config->user[0] ? r->config->user : NULL);
    if (err != TAS_OK) {
        tas_log(TAS_LOG_ERROR, "relay", "cannot_become_user", "user=%s why=\"%s\"",
                tas_log_quote(quoted, sizeof(quoted), r->config->user), tas_err_text(err));
        return EXIT_CONFIG;
    }
    for (; r->n_workers < r->config->threads; r->n_workers++) {
        r->workers[r->n_workers] = relay_worker_start(&r->stats);
        if (!r->workers[r->n_workers])
            return EXIT_FAILURE;
    }
    r->front =
        relay_front_new(r->loop, fds, (size_t)n, r->config, r->tls, r->workers, r->n_workers, &r->stats);
    if (!r->front || tas_loop_on_signals(r->loop, signals, N_SIGNALS, on_signal, r) != TAS_OK)
        return EXIT_FAILURE;
    if (r->config->http[0]) {
        r->http = tas_http_start(r->config->http, routes, r, why);
        if (!r->http) {
            tas_log(TAS_LOG_ERROR, "relay", "http_failed", "why=%s",
                    tas_log_quote(quoted, sizeof(quoted), why));
            return EXIT_TEMPORARY; /* most likely the port is taken, as by our predecessor */
        }
    }
    return EXIT_SUCCESS;
}

static void stop(struct relay *r) {
    tas_http_stop(r->http);
    relay_front_free(r->front);
    for (size_t i = 0; i < r->n_workers; i++)
        relay_worker_stop(r->workers[i]);
    tas_loop_free(r->loop);
    tas_tls_free(r->tls);
    relay_config_free(r->config);
}

static int serve(struct relay *r) {
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

static const struct option long_options[] = {
    {"config", required_argument, NULL, 'c'}, {"check", no_argument, NULL, 'k'},
    {"print-config", no_argument, NULL, 'p'}, {"version", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0},
};

int main(int argc, char **argv) {
    static struct relay relay = {.config_path = "/etc/tasuki/relay.conf"};
    int mode = 's';
    for (int c; (c = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        if (c == '?') {
            usage(stderr);
            return EXIT_USAGE;
        }
        if (c == 'c')
            relay.config_path = optarg;
        else
            mode = c;
    }
    if (optind < argc) {
        fprintf(stderr, "tasuki-relay: unexpected argument %s\n", argv[optind]);
        usage(stderr);
        return EXIT_USAGE;
    }
    if (mode == 'h' || mode == 'v') {
        if (mode == 'h')
            usage(stdout);
        else
            puts("tasuki-relay " TASUKI_VERSION);
        return EXIT_SUCCESS;
    }
    char why[TAS_CONF_WHY];
    tas_loop_block_signals(signals, N_SIGNALS);
    relay.config = relay_config_load(relay.config_path, why);
    if (relay.config)
        relay.tls = tas_tls_server(relay.config->certificate, relay.config->private_key, why);
    if (!relay.tls) {
        fprintf(stderr, "tasuki-relay: %s\n", why);
        relay_config_free(relay.config);
        return EXIT_CONFIG;
    }
    tas_log_set_level(relay.config->log_level);
    if (mode == 's')
        return serve(&relay);
    if (mode == 'p')
        tas_conf_print(relay.config->conf);
    else
        printf("%s: ok\n", relay.config_path);
    tas_tls_free(relay.tls);
    relay_config_free(relay.config);
    return EXIT_SUCCESS;
}
