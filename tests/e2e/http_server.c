/* A web server with a handful of routes, driven from outside by test_http.py: sockets from there, and lines
 * on standard input:
 *
 *   publish TOPIC ID EVENT DATA    end TOPIC    has TOPIC    stats    reload    drain MS    release    hold
 * stop
 *
 * It answers each with one line of JSON. Options: --listen ADDRESS [CERT KEY [CA]], --redirect ADDRESS, and
 * limits as header_s=1. */
#include "http/server.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    LINE_CAP = 512 * 1024,
    ONE_THREAD = 1,
    SHARED = 2,
    SMALL_BODY = 1000,
    BIG_BODY = 1024 * 1024,
    BIG_REPLY = 128 * 1024
};

/* Routes under /held wait here. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_open;
} door = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static atomic_int n_passed, n_threads, n_held;
static const char *file_path;

static void say(const char *event) {
    printf("{\"event\":\"%s\"}\n", event);
    fflush(stdout);
}

static void wait_at_door(void) {
    say("waiting");
    pthread_mutex_lock(&door.lock);
    while (!door.is_open)
        pthread_cond_wait(&door.changed, &door.lock);
    pthread_mutex_unlock(&door.lock);
}

static void set_door(bool is_open) {
    pthread_mutex_lock(&door.lock);
    door.is_open = is_open;
    pthread_cond_broadcast(&door.changed);
    pthread_mutex_unlock(&door.lock);
}

/* ---- routes ---- */

static void on_tiny(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    (void)ctx, (void)req;
    reply->content_type = "text/plain; charset=utf-8";
    tas_http_printf(reply, "ok\n");
}

static void on_echo(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    (void)ctx;
    char source[64] = "";
    for (int i = 0; i < 16; i++)
        snprintf(source + (size_t)i * 2, 3, "%02x", req->source[i]);
    struct tas_json *json = tas_json_object();
    tas_json_set_text(json, "method", req->method);
    tas_json_set_text(json, "path", req->path);
    tas_json_set_text(json, "query", req->query);
    tas_json_set_text(json, "host", req->host);
    tas_json_set_text(json, "authorization", req->authorization);
    tas_json_set_text(json, "content_type", req->content_type);
    tas_json_set_text(json, "if_none_match", req->if_none_match);
    tas_json_set_text(json, "if_modified_since", req->if_modified_since);
    tas_json_set_text(json, "range", req->range);
    tas_json_set_text(json, "accept_language", req->accept_language);
    tas_json_set_text(json, "origin", req->origin);
    tas_json_set_text(json, "cookie", req->cookie);
    tas_json_set_text(json, "user_agent", req->user_agent);
    tas_json_set_text(json, "peer_name", req->peer_name);
    tas_json_set_text(json, "param0", req->params[0]);
    tas_json_set_text(json, "param1", req->params[1]);
    tas_json_set_text(json, "source", source);
    tas_json_set_bool(json, "is_http2", req->is_http2);
    tas_json_set_bool(json, "on_lane", req->thread != NULL);
    tas_json_set_int(json, "body_len", (int64_t)req->body.len);
    tas_http_header(reply, "etag:", "\"%d\"", 7);
    tas_http_json(reply, 200, json);
}

static void on_mirror(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    (void)ctx;
    reply->content_type = "application/octet-stream";
    int err = tas_buf_append(&reply->body, req->body);
    assert(err == TAS_OK);
}

static void on_big(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    (void)ctx, (void)req;
    reply->content_type = "application/octet-stream";
    uint8_t *to = tas_buf_reserve(&reply->body, BIG_REPLY);
    assert(to);
    memset(to, 'b', BIG_REPLY);
    tas_buf_commit(&reply->body, BIG_REPLY);
}

static void on_held(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    atomic_fetch_add(&n_held, 1);
    wait_at_door();
    on_tiny(ctx, req, reply);
}

static void on_file(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    (void)ctx;
    char from[24] = "0", len[24] = "";
    (void)tas_http_query(req, "from", from, sizeof(from));
    reply->content_type = "application/octet-stream";
    reply->file_fd = open(file_path, O_RDONLY | O_CLOEXEC);
    reply->file_offset = strtoull(from, NULL, 10);
    if (tas_http_query(req, "len", len, sizeof(len))) {
        reply->status = 206;
        reply->file_len = strtoull(len, NULL, 10);
        tas_http_header(reply, "content-range:", "bytes %s-/*", from);
    } else {
        reply->file_len = (uint64_t)lseek(reply->file_fd, 0, SEEK_END) - reply->file_offset;
    }
    tas_http_header(reply, "cache-control:", "public, max-age=60");
}

static void on_stream(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    (void)ctx;
    reply->topic = strtoull(req->params[0], NULL, 10);
    if (reply->topic == 0)
        tas_http_problem(reply, 403, "forbidden", "Nobody may listen to topic 0.");
}

static void fill_stream(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    (void)ctx;
    char after[24] = "none";
    (void)tas_http_query(req, "after", after, sizeof(after));
    if (strcmp(after, "bad") == 0)
        tas_http_problem(reply, 400, "bad_after", "There is no such event.");
    else
        tas_http_event(reply, 1, "filled", after);
}

static void fill_held(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    wait_at_door();
    fill_stream(ctx, req, reply);
}

static void on_empty(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    (void)ctx, (void)req;
    reply->status = 204;
}

static bool gate(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    (void)ctx;
    if (strcmp(req->query, "no") != 0)
        return false;
    tas_http_header(reply, "retry-after:", "%d", 30);
    tas_http_problem(reply, 429, "slow_down", "Too many attempts.");
    return true;
}

static void passed(void *ctx, const uint8_t source[16]) {
    (void)ctx, (void)source;
    atomic_fetch_add(&n_passed, 1);
}

static const struct tas_http_route routes[] = {
    {.method = "GET", .path = "/tiny", .lane = TAS_HTTP_INLINE, .fn = on_tiny},
    {.method = "GET", .path = "/echo", .lane = TAS_HTTP_INLINE, .fn = on_echo},
    {.method = "POST", .path = "/echo", .lane = 0, .body_max = SMALL_BODY, .fn = on_echo},
    {.method = "PUT", .path = "/echo", .lane = TAS_HTTP_INLINE, .fn = on_echo},
    {.method = "GET", .path = "/things/{id}", .lane = 0, .fn = on_echo},
    {.method = "GET", .path = "/things/{id}/parts/{part}", .lane = 0, .fn = on_echo},
    {.method = "POST", .path = "/mirror", .lane = 0, .body_max = BIG_BODY, .fn = on_mirror},
    {.method = "GET", .path = "/held", .lane = ONE_THREAD, .fn = on_held, .gate = gate, .passed = passed},
    {.method = "GET", .path = "/shared_held", .lane = SHARED, .fn = on_held, .gate = gate, .passed = passed},
    {.method = "GET", .path = "/big", .lane = TAS_HTTP_INLINE, .fn = on_big},
    {.method = "POST", .path = "/gated", .lane = 0, .fn = on_tiny, .gate = gate, .passed = passed},
    {.method = "GET", .path = "/file", .lane = 0, .fn = on_file},
    {.method = "GET", .path = "/empty", .lane = TAS_HTTP_INLINE, .fn = on_empty},
    {.method = "GET", .path = "/streams/{topic}", .lane = 0, .fn = on_stream, .fill = fill_stream},
    {.method = "GET", .path = "/held_streams/{topic}", .lane = 0, .fn = on_stream, .fill = fill_held},
    {.method = "GET", .path = "/bare_streams/{topic}", .lane = TAS_HTTP_INLINE, .fn = on_stream},
    {.method = NULL},
};

static void *start_thread(void *ctx) {
    (void)ctx;
    atomic_fetch_add(&n_threads, 1);
    return &n_threads;
}

static void stop_thread(void *ctx, void *thread) {
    (void)ctx;
    assert(thread == &n_threads);
    atomic_fetch_sub(&n_threads, 1);
}

static const struct tas_http_lane lanes[] = {
    {.name = "wide", .threads = 2, .queue_max = 1024, .start = start_thread, .stop = stop_thread},
    {.name = "narrow", .threads = 1, .queue_max = 1},
    {.name = "shared", .threads = 1, .queue_max = 80},
};

/* ---- commands ---- */

static void print_stats(struct tas_http *http) {
    struct tas_http_stats stats;
    tas_http_stats(http, &stats);
    printf("{\"event\":\"stats\",\"passed\":%d,\"threads\":%d,\"held\":%d", atomic_load(&n_passed),
           atomic_load(&n_threads), atomic_load(&n_held));
#define X(name, kind, help) printf(",\"" #name "\":%" PRId64, stats.name);
    TAS_HTTP_STATS(X)
#undef X
    printf("}\n");
    fflush(stdout);
}

static uint64_t number(char **line) {
    return strtoull(*line, line, 10);
}

/* The next word, cut off. */
static char *word(char **line) {
    char *from = *line + strspn(*line, " ");
    size_t len = strcspn(from, " ");
    *line = from + len + (from[len] != '\0');
    from[len] = '\0';
    return from;
}

static void publish(struct tas_http *http, char *line) {
    uint64_t topic = number(&line);
    uint64_t id = number(&line);
    const char *event = word(&line);
    tas_http_publish(http, topic, id, event, line);
    say("published");
}

static void reload(struct tas_http *http) {
    char why[TAS_HTTP_WHY] = "";
    int err = tas_http_reload(http, why);
    printf("{\"event\":\"reloaded\",\"ok\":%s,\"why\":\"%s\"}\n", err == TAS_OK ? "true" : "false", why);
    fflush(stdout);
}

/* On a thread of its own: what it waits for may need another command. */
struct drain {
    struct tas_http *http;
    unsigned timeout_ms;
    pthread_t thread;
    bool is_started;
};
static struct drain drain;

static void *run_drain(void *ctx) {
    (void)ctx;
    tas_http_drain(drain.http, drain.timeout_ms);
    say("drained");
    return NULL;
}

static void start_drain(struct tas_http *http, unsigned timeout_ms) {
    drain.http = http;
    drain.timeout_ms = timeout_ms;
    drain.is_started = pthread_create(&drain.thread, NULL, run_drain, NULL) == 0;
    assert(drain.is_started);
}

/* False: stop. */
static bool obey(struct tas_http *http, char *line) {
    const char *verb = word(&line);
    if (strcmp(verb, "publish") == 0) {
        publish(http, line);
    } else if (strcmp(verb, "end") == 0) {
        tas_http_end_topic(http, number(&line));
        say("ended");
    } else if (strcmp(verb, "has") == 0) {
        say(tas_http_has_streams(http, number(&line)) ? "yes" : "no");
    } else if (strcmp(verb, "stats") == 0) {
        print_stats(http);
    } else if (strcmp(verb, "reload") == 0) {
        reload(http);
    } else if (strcmp(verb, "drain") == 0) {
        start_drain(http, (unsigned)number(&line));
    } else if (strcmp(verb, "release") == 0) {
        say("released"); /* before what it lets happen is said */
        set_door(true);
    } else if (strcmp(verb, "hold") == 0) {
        set_door(false);
        say("holding");
    } else {
        return false;
    }
    return true;
}

/* ---- options ---- */

struct options {
    struct tas_http_listener listeners[TAS_HTTP_LISTENERS];
    struct tas_http_config config;
};

static bool is_value(int argc, char **argv, int i) {
    return i < argc && strncmp(argv[i], "--", 2) != 0 && !strchr(argv[i], '=');
}

static int take_listener(struct options *o, int argc, char **argv, int i) {
    struct tas_http_listener *l = &o->listeners[o->config.n_listeners++];
    l->redirects = strcmp(argv[i], "--redirect") == 0;
    const char **places[] = {&l->address, &l->certificate, &l->private_key, &l->client_ca};
    i++;
    for (int n = 0; n < 4 && is_value(argc, argv, i); n++)
        *places[n] = argv[i++];
    l->routes = l->redirects ? NULL : routes;
    return i;
}

static void take_limit(struct tas_http_config *config, const char *text) {
    const struct {
        const char *name;
        unsigned *place;
    } limits[] = {
        {"max_connections=", &config->max_connections},
        {"per_source=", &config->max_connections_per_source},
        {"streams=", &config->max_streams_per_topic},
        {"header_s=", &config->header_s},
        {"body_s=", &config->body_s},
        {"idle_s=", &config->idle_s},
    };
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
        if (strncmp(text, limits[i].name, strlen(limits[i].name)) == 0)
            *limits[i].place = (unsigned)strtoul(text + strlen(limits[i].name), NULL, 10);
    if (strncmp(text, "bodies_max=", strlen("bodies_max=")) == 0)
        config->bodies_max = strtoul(text + strlen("bodies_max="), NULL, 10);
}

int main(int argc, char **argv) {
    struct options o = {.config = {.lanes = lanes, .n_lanes = 3}};
    o.config.listeners = o.listeners;
    for (int i = 1; i < argc;) {
        if (strncmp(argv[i], "--file=", 7) == 0)
            file_path = argv[i++] + 7;
        else if (strncmp(argv[i], "--", 2) == 0)
            i = take_listener(&o, argc, argv, i);
        else
            take_limit(&o.config, argv[i++]);
    }
    char why[TAS_HTTP_WHY];
    struct tas_http *http = tas_http_open(&o.config, why);
    if (!http || tas_http_run(http) != TAS_OK) {
        printf("{\"event\":\"failed\",\"errno\":%d,\"why\":\"%s\"}\n", errno, why);
        return EXIT_FAILURE;
    }
    say("ready");
    char *line = malloc(LINE_CAP);
    while (line && fgets(line, LINE_CAP, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        if (!obey(http, line))
            break;
    }
    free(line);
    set_door(true);
    if (drain.is_started)
        pthread_join(drain.thread, NULL);
    tas_http_halt(http);
    /* Others may not know yet that it is over. */
    tas_http_publish(http, 1, 1, "late", "{}");
    tas_http_end_topic(http, 1);
    assert(!tas_http_has_streams(http, 1));
    tas_http_free(http);
    printf("{\"event\":\"stopped\",\"passed\":%d,\"threads\":%d}\n", atomic_load(&n_passed),
           atomic_load(&n_threads));
    return EXIT_SUCCESS;
}
