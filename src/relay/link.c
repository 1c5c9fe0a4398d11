#include "relay/link.h"

#include "base/hex.h"
#include "base/id.h"
#include "base/json.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/time.h"
#include "http/client.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    HELLO_TIMEOUT_MS = 4000,
    DOWN_TIMEOUT_MS = 1000,
    DOWN_LIMIT_US = 1500 * 1000,
    STREAM_SILENCE_MS = 45 * 1000,
    HEARTBEAT_S = 5,
    HEARTBEAT_MAX_S = 60,
    RETRY_FIRST_MS = 250,
    RETRY_MAX_MS = 5000,
    TOLD_SESSIONS = 512,
    CLOCK_SLACK_MS = 30 * 1000, /* what tickets allow (admit.c) */
    STREAM_TRIES = 4,
    STREAM_STEADY_US = 60 * 1000 * 1000,
    URL_MAX = 256,
    WHY_MAX = 512,
    TOLD_MAX = WHY_MAX + 32, /* event and what to do */
};

struct manager {
    struct relay_link *link;
    const char *url, *address;
    struct tas_http_call *hello, *stream;
    struct tas_timer *hello_timer, *stream_timer;
    unsigned hello_failures, stream_failures; /* in a row */
    bool is_connected;
    bool is_hello_due; /* once more when the one under way is answered */
    bool is_clock_told;
    uint64_t told_up_to; /* the last session id that it was told of */
    uint64_t stream_since_us;
    /* What was logged last, of hello and stream: it is not said again every few seconds. */
    char told[TOLD_MAX], stream_told[TOLD_MAX];
};

struct relay_link {
    const struct relay_config *config;
    struct relay_link_place place;
    struct tas_loop *loop;
    struct tas_http_client *client;
    struct tas_timer *down_timer;
    pthread_t thread;
    bool has_thread;
    struct manager managers[RELAY_MANAGERS_MAX];
    unsigned n_connected, n_to_tell;
    uint8_t keyset[TAS_KEYSET_MAX_LEN]; /* as it came last */
    size_t keyset_len;
    atomic_int state; /* enum relay_link_state */
    bool is_going;

    pthread_mutex_t lock; /* guards news */
    struct relay_news news;
};

static void say_hello(struct manager *m);
static void listen_to(struct manager *m);

/* 250 ms doubling to 5 s, each between a half and all of it: a hundred relays do not come back as one. */
static uint64_t retry_at_us(unsigned failures) {
    unsigned ms =
        failures > 5 ? (unsigned)RETRY_MAX_MS : (unsigned)RETRY_FIRST_MS << (failures ? failures - 1 : 0);
    uint16_t random;
    tas_random(&random, sizeof(random));
    return tas_mono_us() + (uint64_t)ms * 500 + (uint64_t)ms * 500 * random / 65536;
}

/* ---- news for the main loop ---- */

static void post_news(struct relay_link *link) {
    if (tas_loop_post(link->place.main_loop, link->place.on_news, link->place.ctx) != TAS_OK)
        tas_log(TAS_LOG_ERROR, "relay", "news_lost", "why=\"out of memory\"");
}

void relay_link_news(struct relay_link *link, struct relay_news *out) {
    pthread_mutex_lock(&link->lock);
    *out = link->news;
    pthread_mutex_unlock(&link->lock);
}

/* ---- KEYSET ---- */

/* As e2e/auth.c does for ends; the relay links nothing of e2e/. */
static int keyset_open(struct tas_keyset *out, struct tas_bytes bytes, const uint8_t root[32]) {
    struct tas_keyset set;
    int err = tas_keyset_decode(&set, bytes);
    if (err == TAS_OK)
        err = tas_verify(tas_crypto_native(), set.sig, root, "TSK1 keyset", &set.signed_part, 1);
    if (err == TAS_OK)
        *out = set;
    return err;
}

static void use_keyset(struct relay_link *link, const struct manager *m, const struct tas_keyset *set) {
    struct relay_news *news = &link->news;
    pthread_mutex_lock(&link->lock);
    bool is_new = !news->has_keys || set->sequence > news->sequence;
    news->has_keys = true;
    news->sequence = set->sequence;
    news->n_keys = 0;
    for (unsigned i = 0; i < set->count; i++)
        if (set->keys[i].use == TAS_USE_TICKET)
            news->keys[news->n_keys++] = set->keys[i];
    size_t n = news->n_keys;
    pthread_mutex_unlock(&link->lock);
    if (is_new)
        tas_log(TAS_LOG_INFO, "relay", "keyset_taken", "manager=%s sequence=%u ticket_keys=%zu", m->url,
                set->sequence, n);
    post_news(link);
}

/* Once per cause, which `act` stands for: `why` may hold times that differ with every heartbeat. */
static void say_once(struct manager *m, char told[TOLD_MAX], enum tas_log_level level, const char *event,
                     const char *why, const char *act) {
    char said[TOLD_MAX];
    char quoted[WHY_MAX * 2];
    snprintf(said, sizeof(said), "%.24s: %s", event, act);
    if (strcmp(said, told) == 0)
        return;
    memcpy(told, said, sizeof(said));
    tas_log(level, "relay", event, "manager=%s why=%s do=\"%s\"", m->url,
            tas_log_quote(quoted, sizeof(quoted), why), act);
}

/* True: it is in force, or need not be. */
static bool take_keyset(struct manager *m, const char *hex) {
    struct relay_link *link = m->link;
    uint8_t bytes[TAS_KEYSET_MAX_LEN];
    size_t len = hex ? strlen(hex) / 2 : 0;
    struct tas_keyset set;
    if (len == 0 || len > sizeof(bytes) || tas_hex_decode(bytes, len, hex) != TAS_OK) {
        say_once(m, m->told, TAS_LOG_ERROR, "keyset_refused", "it is not there, or not in its form",
                 "compare the versions of relay and management server");
        return false;
    }
    if (len == link->keyset_len && memcmp(bytes, link->keyset, len) == 0)
        return true;
    int err = keyset_open(&set, tas_bytes_of(bytes, len), link->config->root);
    if (err != TAS_OK) {
        say_once(m, m->told, TAS_LOG_ERROR, "keyset_refused",
                 err == TAS_E_AUTH ? "root has not signed it" : "it is not in its form",
                 "correct root in the relay's configuration; if it is right, somebody else answers there");
        return false;
    }
    if (link->news.has_keys && set.sequence < link->news.sequence) { /* only this thread writes news */
        say_once(m, m->told, TAS_LOG_WARN, "keyset_old", "its sequence is below that of the one in force",
                 "if the management server was restored from a backup, restart the relay");
        return true;
    }
    memcpy(link->keyset, bytes, len);
    link->keyset_len = len;
    use_keyset(link, m, &set);
    return true;
}

/* ---- hello ---- */

static void take_alternates(struct relay_link *link, const struct tas_json *list) {
    uint32_t ids[RELAY_ALTERNATES] = {0};
    size_t n = 0;
    for (size_t i = 0; i < tas_json_len(list) && n < RELAY_ALTERNATES; i++) {
        int64_t id = tas_json_number(tas_json_at(list, i), 0);
        if (id > 0 && id <= UINT32_MAX && id != link->config->relay_id)
            ids[n++] = (uint32_t)id;
    }
    if (memcmp(ids, link->news.alternates, sizeof(ids)) == 0)
        return;
    pthread_mutex_lock(&link->lock);
    memcpy(link->news.alternates, ids, sizeof(ids));
    pthread_mutex_unlock(&link->lock);
    post_news(link);
}

static void compare_clocks(struct manager *m, int64_t server_ms) {
    int64_t ahead_ms = (int64_t)tas_wall_ms() - server_ms;
    bool differs = server_ms > 0 && (ahead_ms > CLOCK_SLACK_MS || ahead_ms < -CLOCK_SLACK_MS);
    if (differs && !m->is_clock_told)
        tas_log(TAS_LOG_WARN, "relay", "clock_differs",
                "manager=%s ahead_ms=%" PRId64 " do=\"compare both clocks: tickets will be refused\"", m->url,
                ahead_ms);
    m->is_clock_told = differs;
}

static void set_connected(struct manager *m, bool is_connected) {
    struct relay_link *link = m->link;
    if (m->is_connected == is_connected)
        return;
    m->is_connected = is_connected;
    link->n_connected += is_connected ? 1u : -1u;
    atomic_store(&link->place.stats->managers_connected, link->n_connected);
    if (!is_connected)
        return;
    m->told[0] = m->stream_told[0] = '\0';
    tas_log(TAS_LOG_INFO, "relay", "link_connected", "manager=%s", m->url);
}

/* What an administrator may do about an answer that did not come. */
static const char *act_on(const struct tas_http_answer *a) {
    if (a->err == TAS_E_AUTH)
        return "check manager_ca and the name in the title of the manager section";
    if (strstr(a->why, "our certificate") || strstr(a->why, "our own certificate"))
        return "check link_certificate and link_key: not expired, and from the authority that the management "
               "server trusts for relays";
    return "see that the management server runs and that its port for relays is open";
}

static void lose(struct manager *m, enum tas_log_level level, const char *why, const char *act) {
    set_connected(m, false);
    say_once(m, m->told, level, "link_lost", why, act);
    /* A stream that is silent for the same cause would miss kills: the next one has them repeated. */
    tas_http_cancel(m->stream);
    m->stream = NULL;
    tas_timer_set(m->stream_timer, UINT64_MAX);
}

static void lose_to_problem(struct manager *m, const struct tas_http_answer *a) {
    char text[TAS_JSON_WHY];
    char why[WHY_MAX];
    char act[WHY_MAX];
    struct tas_json *json = tas_json_parse(a->body, text);
    const char *code = tas_json_get_text(json, "code");
    const char *detail = tas_json_get_text(json, "detail");
    snprintf(why, sizeof(why), "status %u %.60s: %.300s", a->status, code ? code : "", detail ? detail : "");
    if (a->status == 403)
        snprintf(act, sizeof(act),
                 "register relay %u with the name %s there, or correct relay_id, name and link_certificate",
                 m->link->config->relay_id, m->link->config->name);
    else
        snprintf(act, sizeof(act), "see the log of the management server");
    lose(m, TAS_LOG_ERROR, why, act);
    tas_json_free(json);
}

/* Seconds until the next heartbeat; 0: the answer was none. */
static unsigned take_answer(struct manager *m, const struct tas_http_answer *a) {
    char why[TAS_JSON_WHY];
    struct tas_json *json = tas_json_parse(a->body, why);
    if (!json) {
        lose(m, TAS_LOG_ERROR, "its answer is not JSON", "see that the port is the one for relays");
        return 0;
    }
    set_connected(m, true);
    if (take_keyset(m, tas_json_get_text(json, "keyset")) && m->told[0] &&
        strncmp(m->told, "keyset_old", 10) != 0)
        m->told[0] = '\0'; /* it is well again: the next trouble is news */
    compare_clocks(m, tas_json_get_int(json, "server_ms", 0));
    take_alternates(m->link, tas_json_get(json, "alternates"));
    int64_t heartbeat_s = tas_json_get_int(json, "heartbeat_s", HEARTBEAT_S);
    tas_json_free(json);
    if (heartbeat_s < 1)
        return 1;
    return heartbeat_s > HEARTBEAT_MAX_S ? HEARTBEAT_MAX_S : (unsigned)heartbeat_s;
}

static void on_hello(void *ctx, const struct tas_http_answer *a) {
    struct manager *m = ctx;
    struct relay_link *link = m->link;
    m->hello = NULL;
    if (link->is_going) {
        if (--link->n_to_tell == 0)
            tas_loop_stop(link->loop);
        return;
    }
    unsigned next_s = 0;
    if (a->err != TAS_OK)
        lose(m, TAS_LOG_WARN, a->why, act_on(a));
    else if (a->status != 200)
        lose_to_problem(m, a);
    else
        next_s = take_answer(m, a);
    m->hello_failures = next_s ? 0 : m->hello_failures + 1;
    bool is_due = m->is_hello_due;
    m->is_hello_due = false;
    if (is_due && next_s)
        say_hello(m);
    else
        tas_timer_set(m->hello_timer,
                      next_s ? tas_mono_us() + next_s * 1000000u : retry_at_us(m->hello_failures));
    if (next_s && !m->stream)
        listen_to(m);
}

static int by_id(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* The next 512 of the sessions that are here, and from the beginning once all were told. */
static void add_sessions(struct manager *m, struct tas_json *list) {
    struct relay_link *link = m->link;
    size_t max = (size_t)atomic_load(&link->place.stats->ends) + TOLD_SESSIONS;
    size_t n = 0;
    uint64_t *ids = malloc(max * sizeof(*ids));
    if (!ids)
        return;
    for (size_t i = 0; i < link->place.n_workers; i++)
        n += relay_worker_sessions(link->place.workers[i], ids + n, max - n);
    qsort(ids, n, sizeof(*ids), by_id);
    size_t from = 0;
    while (from < n && n > TOLD_SESSIONS && ids[from] <= m->told_up_to)
        from++;
    size_t told = 0;
    char text[TAS_ID_CAP];
    for (; from + told < n && told < TOLD_SESSIONS; told++)
        tas_json_add_text(list, tas_id_encode(text, ids[from + told]));
    m->told_up_to = from + told < n ? ids[from + told - 1] : 0;
    free(ids);
}

static char *hello_body(struct manager *m) {
    static const char *const states[] = {"up", "draining", "down"};
    struct relay_link *link = m->link;
    const struct relay_config *c = link->config;
    struct relay_stats *stats = link->place.stats;
    struct tas_json *body = tas_json_object();
    struct tas_json *sessions = tas_json_list();
    tas_json_set_text(body, "name", c->name);
    tas_json_set_text(body, "address", c->public_address);
    tas_json_set_text(body, "region", c->region);
    tas_json_set_text(body, "version", TASUKI_VERSION);
    tas_json_set_text(body, "state", states[atomic_load(&link->state)]);
    tas_json_set_int(body, "ends", atomic_load(&stats->ends));
    tas_json_set_int(body, "sessions", atomic_load(&stats->sessions));
    tas_json_set_int(body, "connections", atomic_load(&stats->connections));
    tas_json_set_int(body, "max_connections", c->max_connections);
    add_sessions(m, sessions);
    tas_json_set(body, "sessions_here", sessions);
    char *text = tas_json_dump(body);
    tas_json_free(body);
    return text;
}

static void url_of(const struct manager *m, const char *what, char url[URL_MAX]) {
    snprintf(url, URL_MAX, "%s/v1/relay/%u/%s", m->url, m->link->config->relay_id, what);
}

static void say_hello(struct manager *m) {
    struct relay_link *link = m->link;
    if (m->hello) {
        m->is_hello_due = true;
        return;
    }
    char url[URL_MAX];
    url_of(m, "hello", url);
    char *body = hello_body(m);
    if (body) {
        const struct tas_http_ask ask = {
            .method = "POST",
            .url = url,
            .address = m->address,
            .body = tas_bytes_of(body, strlen(body)),
            .timeout_ms = link->is_going ? DOWN_TIMEOUT_MS : HELLO_TIMEOUT_MS,
        };
        m->hello = tas_http_ask(link->client, &ask, on_hello, m);
        free(body);
    }
    tas_timer_set(m->hello_timer, m->hello ? UINT64_MAX : retry_at_us(++m->hello_failures));
}

static void on_hello_timer(void *ctx) {
    say_hello(ctx);
}

/* ---- stream ---- */

static void on_kill(struct manager *m, const char *data) {
    struct relay_link *link = m->link;
    char why[TAS_JSON_WHY];
    uint64_t id;
    struct tas_json *json = tas_json_parse(tas_bytes_of(data, strlen(data)), why);
    const char *session = tas_json_get_text(json, "session");
    int64_t slot = tas_json_get_int(json, "slot", -1);
    bool is_slot = (slot >= 0 && slot < TAS_SLOTS) || slot == RELAY_ALL_SLOTS;
    if (!session || tas_id_decode(&id, session) != TAS_OK || !is_slot) {
        tas_log(TAS_LOG_ERROR, "relay", "kill_refused", "manager=%s why=\"not a session and a slot\"",
                m->url);
    } else {
        struct relay_worker *worker = relay_worker_of(link->place.workers, link->place.n_workers, id);
        if (relay_worker_kill(worker, id, (uint8_t)slot) != TAS_OK)
            tas_log(TAS_LOG_ERROR, "relay", "kill_lost", "session=%016" PRIx64 " why=\"out of memory\"", id);
    }
    tas_json_free(json);
}

static void on_event(void *ctx, const char *id, const char *event, const char *data) {
    struct manager *m = ctx;
    (void)id;
    m->stream_failures = 0;
    if (strcmp(event, "kill") == 0)
        on_kill(m, data);
    else if (strcmp(event, "keyset") == 0)
        say_hello(m);
}

/* One that breaks off now and then is nothing to act on; without any, nothing can be ended from there. */
static void on_stream_over(void *ctx, const struct tas_http_answer *a) {
    struct manager *m = ctx;
    char why[WHY_MAX];
    m->stream = NULL;
    if (tas_mono_us() - m->stream_since_us >= STREAM_STEADY_US)
        m->stream_failures = 0;
    snprintf(why, sizeof(why), "%.400s (status %u)", a->why[0] ? a->why : "it ended", a->status);
    tas_log(TAS_LOG_DEBUG, "relay", "stream_over", "manager=%s status=%u", m->url, a->status);
    if (++m->stream_failures >= STREAM_TRIES)
        say_once(m, m->stream_told, TAS_LOG_WARN, "stream_lost", why,
                 "sessions cannot be ended from there; see the log of the management server");
    tas_timer_set(m->stream_timer, retry_at_us(m->stream_failures));
}

static void listen_to(struct manager *m) {
    struct relay_link *link = m->link;
    char url[URL_MAX];
    url_of(m, "stream", url);
    const struct tas_http_ask ask = {
        .method = "GET", .url = url, .address = m->address, .timeout_ms = STREAM_SILENCE_MS};
    m->stream = tas_http_listen(link->client, &ask, on_event, on_stream_over, m);
    m->stream_since_us = tas_mono_us();
    tas_timer_set(m->stream_timer, m->stream ? UINT64_MAX : retry_at_us(++m->stream_failures));
}

static void on_stream_timer(void *ctx) {
    struct manager *m = ctx;
    if (m->is_connected && !m->stream) /* otherwise the next answer to a heartbeat opens it */
        listen_to(m);
}

/* ---- life ---- */

static void on_state(void *ctx) {
    struct relay_link *link = ctx;
    if (atomic_load(&link->state) != RELAY_LINK_DOWN)
        for (size_t i = 0; i < link->config->n_managers; i++)
            say_hello(&link->managers[i]);
}

/* Those that answered lately are told; what else is under way does not matter any more. */
static void on_down(void *ctx) {
    struct relay_link *link = ctx;
    if (link->is_going)
        return;
    link->is_going = true;
    for (size_t i = 0; i < link->config->n_managers; i++) {
        struct manager *m = &link->managers[i];
        tas_http_cancel(m->hello);
        tas_http_cancel(m->stream);
        m->hello = m->stream = NULL;
        tas_timer_set(m->stream_timer, UINT64_MAX);
        tas_timer_set(m->hello_timer, UINT64_MAX);
        if (m->is_connected)
            say_hello(m);
        tas_timer_set(m->hello_timer, UINT64_MAX);
        link->n_to_tell += m->hello ? 1 : 0;
    }
    if (link->n_to_tell == 0)
        tas_loop_stop(link->loop);
    tas_timer_set(link->down_timer, tas_mono_us() + DOWN_LIMIT_US);
}

static void on_down_limit(void *ctx) {
    struct relay_link *link = ctx;
    tas_loop_stop(link->loop);
}

void relay_link_tell(struct relay_link *link, enum relay_link_state state) {
    atomic_store(&link->state, state);
    bool is_down = state == RELAY_LINK_DOWN;
    int err = tas_loop_post(link->loop, is_down ? on_down : on_state, link);
    if (!is_down)
        return; /* short of memory: with the next heartbeat */
    if (err != TAS_OK)
        tas_loop_stop(link->loop);
    if (link->has_thread)
        pthread_join(link->thread, NULL);
    link->has_thread = false;
}

static void *run(void *ctx) {
    struct relay_link *link = ctx;
    for (size_t i = 0; i < link->config->n_managers; i++)
        say_hello(&link->managers[i]);
    if (tas_loop_run(link->loop) != TAS_OK)
        tas_log(TAS_LOG_ERROR, "relay", "loop_failed", "what=link");
    return NULL;
}

static bool add_managers(struct relay_link *link) {
    for (size_t i = 0; i < link->config->n_managers; i++) {
        struct manager *m = &link->managers[i];
        m->link = link;
        m->url = link->config->managers[i].url;
        m->address = link->config->managers[i].address;
        m->hello_timer = tas_timer_new(link->loop, on_hello_timer, m);
        m->stream_timer = tas_timer_new(link->loop, on_stream_timer, m);
        if (!m->hello_timer || !m->stream_timer)
            return false;
    }
    return true;
}

struct relay_link *relay_link_new(const struct relay_config *config, const struct relay_link_place *place,
                                  const struct relay_news *known, char why[RELAY_LINK_WHY]) {
    const struct tas_http_client_config client = {
        .ca_file = config->manager_ca,
        .certificate = config->link_certificate,
        .private_key = config->link_key,
        .user_agent = "tasuki-relay/" TASUKI_VERSION,
    };
    snprintf(why, RELAY_LINK_WHY, "out of memory");
    struct relay_link *link = calloc(1, sizeof(*link));
    if (!link)
        return NULL;
    link->config = config;
    link->place = *place;
    if (known)
        link->news = *known;
    pthread_mutex_init(&link->lock, NULL);
    link->loop = tas_loop_new();
    if (link->loop) {
        link->down_timer = tas_timer_new(link->loop, on_down_limit, link);
        link->client = tas_http_client_new(link->loop, &client, why);
    }
    if (link->down_timer && link->client && add_managers(link))
        return link;
    relay_link_free(link);
    return NULL;
}

int relay_link_start(struct relay_link *link) {
    atomic_store(&link->place.stats->managers, (int64_t)link->config->n_managers);
    atomic_store(&link->place.stats->managers_connected, 0);
    if (pthread_create(&link->thread, NULL, run, link) != 0)
        return TAS_E_NOMEM;
    link->has_thread = true;
    pthread_setname_np(link->thread, "link");
    return TAS_OK;
}

void relay_link_free(struct relay_link *link) {
    if (!link)
        return;
    if (link->has_thread) {
        tas_loop_stop(link->loop);
        pthread_join(link->thread, NULL);
    }
    tas_http_client_free(link->client);
    for (size_t i = 0; i < RELAY_MANAGERS_MAX; i++) {
        tas_timer_free(link->managers[i].hello_timer);
        tas_timer_free(link->managers[i].stream_timer);
    }
    tas_timer_free(link->down_timer);
    tas_loop_free(link->loop);
    pthread_mutex_destroy(&link->lock);
    free(link);
}
