/* tasuki-manager: logins, reception numbers, pairing, tickets, records. Its signing keys live in a process of
 * their own (signer.c); the sockets are bound and the TLS keys read before privileges are dropped, and
 * nothing is read from the network until they are. */
#include "manager/manager.h"

#include "base/time.h"
#include "manager/throttle.h"
#include "net/tls.h"
#include "os/process.h"
#include "os/secret.h"
#include "os/service.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { DRAIN_MS = 10 * 1000, ROUTES_MAX = 64, PATH_LEN = 512, STORE_QUEUE = 4096, LOGIN_QUEUE = 256 };

struct program {
    struct mgr m;
    struct tas_loop *loop;
    struct mgr_sweep *sweep;
    struct tas_http_route routes[ROUTES_MAX];
    struct tas_http_listener listeners[MGR_LISTEN_MAX + 2];
    size_t n_listeners;
    struct tas_http_lane lanes[2];
    int exit_code;
};

/* ---- health and figures, on a local address ---- */

static void on_health(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    struct mgr *m = ctx;
    (void)req;
    bool is_good = atomic_load(&m->is_ready) && !atomic_load(&m->is_draining) && atomic_load(&m->has_store);
    reply->content_type = "text/plain; charset=utf-8";
    reply->status = is_good ? 200 : 503;
    tas_http_printf(reply, "%s\n",
                    is_good                        ? "ok"
                    : atomic_load(&m->is_draining) ? "draining"
                    : atomic_load(&m->is_ready)    ? "no database"
                                                   : "starting");
}

static void on_metrics(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    struct mgr *m = ctx;
    (void)req;
#define X(name, help) tas_http_metric(reply, "manager", #name, "counter", help, atomic_load(&m->stats.name));
    MGR_STATS(X)
#undef X
    tas_http_metrics(m->http, reply, "manager");
    tas_http_metric(reply, "manager", "relays_up", "gauge", "relays that are up and were heard of lately",
                    atomic_load(&m->relays_up));
    tas_http_metric(reply, "manager", "clock_synchronised", "gauge", "1: the clock is synchronised",
                    m->clock_synchronised);
    tas_http_metric(reply, "manager", "store", "gauge", "1: the database answers",
                    atomic_load(&m->has_store));
    tas_http_metric(reply, "manager", "draining", "gauge", "1: shutting down", atomic_load(&m->is_draining));
}

static const struct tas_http_route local_routes[] = {
    {.method = "GET", .path = "/healthz", .lane = TAS_HTTP_INLINE, .fn = on_health},
    {.method = "GET", .path = "/metrics", .lane = TAS_HTTP_INLINE, .fn = on_metrics},
    {0},
};

/* ---- lanes: each thread has a connection to the database, opened at its first question ---- */

static void *lane_start(void *ctx) {
    (void)ctx;
    return calloc(1, sizeof(struct tas_db *));
}

static void lane_stop(void *ctx, void *thread) {
    struct tas_db **db = thread;
    (void)ctx;
    if (db)
        tas_db_close(*db);
    free(db);
}

/* ---- configuration ---- */

/* The signing keys are read by the signer only: not even --check lets them into this process. */
static bool load_keys(struct mgr *m, char why[TAS_SERVICE_WHY]) {
    char path[PATH_LEN];
    snprintf(path, sizeof(path), "%s/server.keys", m->config->keys);
    m->keys = tas_secret_locked.alloc(sizeof(*m->keys));
    if (!m->keys) {
        snprintf(why, TAS_SERVICE_WHY, "out of memory");
        return false;
    }
    if (mgr_keyfile_load_server(path, m->keys, why) != TAS_OK)
        return false;
    snprintf(path, sizeof(path), "%s/signer.keys", m->config->keys);
    m->signer = mgr_signer_start(path, m->config->signer_user, why);
    return m->signer != NULL;
}

static bool check_certificate(const char *cert, const char *key, char why[TAS_SERVICE_WHY]) {
    struct tas_tls *tls = tas_tls_server(cert, key, why);
    tas_tls_free(tls);
    return tls != NULL;
}

static bool load(void *ctx, const char *path, char why[TAS_SERVICE_WHY]) {
    struct program *p = ctx;
    struct mgr *m = &p->m;
    m->config_path = path;
    m->crypto = tas_crypto_native();
    m->config = mgr_config_load(path, why);
    if (!m->config)
        return false;
    tas_log_set_level(m->config->log_level);
    return check_certificate(m->config->certificate, m->config->private_key, why) &&
           (!m->config->relay_listen[0] ||
            check_certificate(m->config->relay_certificate, m->config->relay_key, why)) &&
           load_keys(m, why);
}

static void print(void *ctx) {
    struct program *p = ctx;
    tas_conf_print(p->m.config->conf);
}

static void unload(void *ctx) {
    struct program *p = ctx;
    mgr_signer_stop(p->m.signer);
    if (p->m.keys)
        tas_secret_locked.release(p->m.keys, sizeof(*p->m.keys));
    mgr_config_free(p->m.config);
}

/* ---- signals ---- */

static void reload(struct mgr *m) {
    char why[TAS_CONF_WHY];
    char quoted[TAS_CONF_WHY * 2];
    struct mgr_config *config = mgr_config_load(m->config_path, why);
    bool ok =
        config && tas_http_reload(m->http, why) == TAS_OK && mgr_signer_reload(m->signer, why) == TAS_OK;
    if (!ok) {
        tas_log(TAS_LOG_ERROR, "manager", "reload_refused", "why=%s",
                tas_log_quote(quoted, sizeof(quoted), why));
        mgr_config_free(config);
        return;
    }
    /* Routes read the configuration on many threads: what may change while they run is the level of the log;
     * the rest is taken at the next start, and told so. */
    tas_log_set_level(config->log_level);
    mgr_config_free(config);
    mgr_tell_keyset(m);
    tas_log(TAS_LOG_INFO, "manager", "reloaded", "took=certificates,keys,log_level");
}

static void on_signal(void *ctx, int signo) {
    struct program *p = ctx;
    if (signo == SIGHUP) {
        reload(&p->m);
        return;
    }
    if (atomic_exchange(&p->m.is_draining, true))
        return;
    tas_notify("STOPPING=1");
    tas_log(TAS_LOG_INFO, "manager", "draining", "seconds=%d", DRAIN_MS / 1000);
    tas_http_drain(p->m.http, DRAIN_MS);
    tas_loop_stop(p->loop);
}

static void on_gone(void *ctx) {
    struct program *p = ctx;
    p->exit_code = TAS_EXIT_TEMPORARY;
    tas_loop_stop(p->loop);
}

/* ---- start ---- */

static const int signals[] = {SIGHUP, SIGTERM, SIGINT};
enum { N_SIGNALS = sizeof(signals) / sizeof(signals[0]) };

static void collect_routes(struct program *p) {
    static const struct tas_http_route *const tables[] = {mgr_open_routes,      mgr_login_routes,
                                                          mgr_reception_routes, mgr_pairing_routes,
                                                          mgr_renew_routes,     mgr_report_routes};
    size_t n = 0;
    for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
        for (const struct tas_http_route *r = tables[t]; r->method && n < ROUTES_MAX - 1; r++)
            p->routes[n++] = *r;
}

static void collect_listeners(struct program *p) {
    const struct mgr_config *c = p->m.config;
    for (size_t i = 0; i < c->n_listen; i++)
        p->listeners[p->n_listeners++] = (struct tas_http_listener){.address = c->listen[i],
                                                                    .certificate = c->certificate,
                                                                    .private_key = c->private_key,
                                                                    .routes = p->routes};
    if (c->relay_listen[0])
        p->listeners[p->n_listeners++] = (struct tas_http_listener){.address = c->relay_listen,
                                                                    .certificate = c->relay_certificate,
                                                                    .private_key = c->relay_key,
                                                                    .client_ca = c->relay_ca,
                                                                    .routes = mgr_relay_routes};
    if (c->http[0])
        p->listeners[p->n_listeners++] =
            (struct tas_http_listener){.address = c->http, .routes = local_routes};
}

static void say_http_failed(const char *why) {
    char quoted[TAS_HTTP_WHY * 2];
    tas_log(TAS_LOG_ERROR, "manager", "listen_failed", "why=%s", tas_log_quote(quoted, sizeof(quoted), why));
}

static int open_http(struct program *p) {
    const struct mgr_config *c = p->m.config;
    char why[TAS_HTTP_WHY];
    collect_routes(p);
    collect_listeners(p);
    p->lanes[MGR_LANE_STORE] = (struct tas_http_lane){.name = "store",
                                                      .threads = c->store_threads,
                                                      .queue_max = STORE_QUEUE,
                                                      .start = lane_start,
                                                      .stop = lane_stop};
    p->lanes[MGR_LANE_LOGIN] = (struct tas_http_lane){.name = "login",
                                                      .threads = c->login_threads,
                                                      .queue_max = LOGIN_QUEUE,
                                                      .start = lane_start,
                                                      .stop = lane_stop};
    const struct tas_http_config http = {
        .listeners = p->listeners,
        .n_listeners = p->n_listeners,
        .lanes = p->lanes,
        .n_lanes = 2,
        .max_connections = c->max_connections,
        .max_connections_per_source = c->max_per_source,
        .ctx = &p->m,
    };
    p->m.http = tas_http_open(&http, why);
    if (p->m.http)
        return EXIT_SUCCESS;
    int code = errno == 0 ? TAS_EXIT_CONFIG : TAS_EXIT_TEMPORARY;
    say_http_failed(why);
    return code;
}

/* What routes hand over to is there before the first of them runs. */
static int run(struct program *p) {
    struct mgr *m = &p->m;
    m->push = mgr_push_start(m);
    p->sweep = m->push ? mgr_sweep_start(m, on_gone, p) : NULL;
    if (!p->sweep)
        return EXIT_FAILURE;
    if (tas_http_run(m->http) == TAS_OK)
        return EXIT_SUCCESS;
    say_http_failed("cannot start a thread");
    return EXIT_FAILURE;
}

static int lease(struct tas_db *db, void *ctx) {
    return mgr_node_lease(ctx, db);
}

/* The schema must be the one this program knows; a node number is ours from here on. */
static int check_store(struct mgr *m) {
    char why[TAS_DB_WHY];
    char quoted[TAS_DB_WHY * 2];
    int64_t version = 0;
    struct tas_db *db = tas_db_open(m->config->database, why);
    int code = TAS_EXIT_TEMPORARY;
    if (!db || tas_db_schema_version(db, &version) != TAS_OK) {
        tas_log(TAS_LOG_ERROR, "manager", "database_failed", "why=%s",
                tas_log_quote(quoted, sizeof(quoted), db ? tas_db_why(db) : why));
    } else if (version != tas_db_schema_known()) {
        tas_log(TAS_LOG_ERROR, "manager", "schema_differs", "database=%lld program=%lld do=\"%s\"",
                (long long)version, (long long)tas_db_schema_known(),
                version < tas_db_schema_known() ? "tasukictl db migrate" : "install the newer release");
        code = TAS_EXIT_CONFIG;
    } else if (tas_db_transaction(db, lease, m) != TAS_OK) {
        tas_log(TAS_LOG_ERROR, "manager", "no_node_number", "why=%s",
                tas_log_quote(quoted, sizeof(quoted), tas_db_why(db)));
    } else if (mgr_check_root(m, db) == TAS_E_AUTH) {
        tas_log(
            TAS_LOG_ERROR, "manager", "other_keys",
            "keys=%s do=\"this database belongs to keys of another root: look at keys in the configuration\"",
            tas_log_quote(quoted, sizeof(quoted), m->config->keys));
        code = TAS_EXIT_CONFIG;
    } else if (mgr_keep_keyset(m, db) != TAS_OK) {
        tas_log(TAS_LOG_ERROR, "manager", "keyset_not_kept", "why=%s",
                tas_log_quote(quoted, sizeof(quoted), tas_db_why(db)));
    } else {
        code = EXIT_SUCCESS;
    }
    tas_db_close(db);
    return code;
}

static int start(struct program *p) {
    struct mgr *m = &p->m;
    if (!tas_service_clock("manager", m->config->needs_clock, &m->clock_synchronised))
        return TAS_EXIT_TEMPORARY;
    tas_process_name(m->holder, sizeof(m->holder));
    m->has_one_writer = strncmp(m->config->database, "sqlite:", 7) == 0;
    m->throttle = mgr_throttle_new(m->config->login_failures);
    p->loop = tas_loop_new();
    if (!m->throttle || !p->loop || tas_loop_on_signals(p->loop, signals, N_SIGNALS, on_signal, p) != TAS_OK)
        return EXIT_FAILURE;
    int code = open_http(p);
    /* Forbidding new privileges holds for the calling thread and those it starts: before there are any. */
    if (code == EXIT_SUCCESS)
        code = tas_service_become("manager", m->config->user);
    if (code == EXIT_SUCCESS)
        code = check_store(m);
    return code == EXIT_SUCCESS ? run(p) : code;
}

static void stop(struct program *p) {
    /* Routes hand over to the one, which publishes to the other. */
    tas_http_halt(p->m.http);
    mgr_sweep_stop(p->sweep);
    mgr_push_stop(p->m.push);
    tas_http_free(p->m.http);
    mgr_throttle_free(p->m.throttle);
    tas_loop_free(p->loop);
    pthread_mutex_destroy(&p->m.writer);
}

static int serve(void *ctx, const char *path) {
    struct program *p = ctx;
    (void)path;
    pthread_mutex_init(&p->m.writer, NULL);
    tas_loop_block_signals(signals, N_SIGNALS);
    int code = start(p);
    if (code == EXIT_SUCCESS) {
        atomic_store(&p->m.has_store, true);
        atomic_store(&p->m.is_ready, true);
        tas_log(TAS_LOG_INFO, "manager", "ready", "node=%u database=%s", p->m.ids.node,
                strncmp(p->m.config->database, "sqlite:", 7) == 0 ? "sqlite" : "postgresql");
        tas_notify("READY=1");
        code = tas_loop_run(p->loop) == TAS_OK ? p->exit_code : EXIT_FAILURE;
    }
    stop(p);
    tas_log(TAS_LOG_INFO, "manager", "stopped", "code=%d", code);
    return code;
}

int main(int argc, char **argv) {
    static struct program program;
    static const struct tas_service service = {
        .name = "tasuki-manager",
        .config_path = "/etc/tasuki/manager.conf",
        .about = "Logs operators in, gives out reception numbers, brings customer and operator together, "
                 "keeps the\n"
                 "records. Signals: HUP reads certificates and keys again, TERM and INT answer what was "
                 "asked and exit.\n",
        .load = load,
        .print = print,
        .serve = serve,
        .unload = unload,
    };
    return tas_service_main(&service, &program, argc, argv);
}
