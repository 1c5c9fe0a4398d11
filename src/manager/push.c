/* Telling: what was committed here goes to the event streams at once; what other management servers and
 * tasukictl committed is found in the table of notices, by a knock (PostgreSQL) or by looking (SQLite). */
#include "manager/manager.h"

#include "base/time.h"
#include "os/process.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    PENDING_MAX = 64,  /* notices of one transaction */
    QUEUE_MAX = 16384, /* notices of this server that wait for the thread */
    SEEN_MAX = 8192,   /* of other servers, passed on already */
    WAIT_MS = 500,
    LOOK_EVERY_US = 20 * 1000,
    MARGIN_MS = 10 * 1000, /* clocks of servers may differ by this much, and commits come out of order */
};

/* Of the transaction that runs on this thread. */
static _Thread_local struct store_notice pending[PENDING_MAX];
static _Thread_local size_t n_pending;

struct mgr_push {
    struct mgr *m;
    pthread_t thread;
    pthread_mutex_t lock;
    struct store_notice *queue;
    size_t n_queue;
    int wake[2]; /* a pipe */
    bool is_stopping;
    uint64_t newest;         /* id of the newest foreign notice */
    uint64_t seen[SEEN_MAX]; /* hash table of foreign ids */
    uint64_t looked_us;
};

int mgr_notice(struct mgr *m, struct tas_db *db, const char *kind, uint64_t a, uint64_t b) {
    struct store_notice n = {.id = mgr_new_id(m), .a = a, .b = b};
    snprintf(n.kind, sizeof(n.kind), "%s", kind);
    if (n_pending < PENDING_MAX)
        pending[n_pending++] = n;
    return store_notice_add(db, &n);
}

static void hand_over(struct mgr_push *p) {
    pthread_mutex_lock(&p->lock);
    size_t room = QUEUE_MAX - p->n_queue;
    size_t n = n_pending < room ? n_pending : room;
    memcpy(p->queue + p->n_queue, pending, n * sizeof(pending[0]));
    bool was_empty = p->n_queue == 0;
    p->n_queue += n;
    pthread_mutex_unlock(&p->lock);
    if (n < n_pending)
        tas_log(TAS_LOG_WARN, "manager", "notices_dropped", "count=%zu", n_pending - n);
    if (was_empty && write(p->wake[1], "", 1) < 0)
        tas_log(TAS_LOG_DEBUG, "manager", "wake_failed", "queue=%zu", p->n_queue); /* full: it wakes anyway */
}

void mgr_tell_keyset(struct mgr *m) {
    pending[0] = (struct store_notice){.id = mgr_new_id(m), .kind = "keyset"};
    n_pending = 1;
    hand_over(m->push);
    n_pending = 0;
}

struct wrapped {
    int (*fn)(struct tas_db *db, void *ctx);
    void *ctx;
};

static int run_wrapped(struct tas_db *db, void *ctx) {
    struct wrapped *w = ctx;
    n_pending = 0; /* a second try starts anew */
    return w->fn(db, w->ctx);
}

int mgr_transaction(struct mgr *m, struct tas_db *db, int (*fn)(struct tas_db *db, void *ctx), void *ctx) {
    struct wrapped w = {fn, ctx};
    if (m->has_one_writer)
        pthread_mutex_lock(&m->writer);
    int err = tas_db_transaction(db, run_wrapped, &w);
    if (m->has_one_writer)
        pthread_mutex_unlock(&m->writer);
    if (err == TAS_OK && n_pending > 0 && m->push)
        hand_over(m->push);
    n_pending = 0;
    return err;
}

/* ---- passing on ---- */

struct telling {
    struct mgr *m;
    const struct store_notice *notice;
    char *text;
    uint64_t id;
};

static int read_session(struct tas_db *db, void *ctx) {
    struct telling *t = ctx;
    struct store_session s;
    int err = store_session_get(db, t->notice->b, &s);
    struct tas_json *json = err == TAS_OK ? mgr_session_json(t->m, db, &s, &err) : NULL;
    free(t->text);
    t->text = err == TAS_OK ? tas_json_dump(json) : NULL;
    t->id = s.rev;
    tas_json_free(json);
    return err;
}

static int read_claim(struct tas_db *db, void *ctx) {
    struct telling *t = ctx;
    struct store_claim c;
    int err = store_claim_get(db, t->notice->a, &c);
    struct tas_json *json = err == TAS_OK ? mgr_claim_json(t->m, db, &c, &err) : NULL;
    free(t->text);
    t->text = err == TAS_OK ? tas_json_dump(json) : NULL;
    t->id = t->notice->id;
    tas_json_free(json);
    return err;
}

static void tell_row(struct mgr *m, struct tas_db *db, const struct store_notice *n, const char *event,
                     int (*read)(struct tas_db *db, void *ctx)) {
    struct telling t = {.m = m, .notice = n};
    if (!tas_http_has_streams(m->http, n->a))
        return;
    if (tas_db_read(db, read, &t) == TAS_OK && t.text)
        tas_http_publish(m->http, n->a, t.id, event, t.text);
    free(t.text);
}

struct fleet {
    struct store_relay *all;
    size_t n;
};

static int read_fleet(struct tas_db *db, void *ctx) {
    struct fleet *f = ctx;
    free(f->all);
    f->all = NULL;
    return store_relay_list(db, &f->all, &f->n);
}

/* Each relay has a stream of its own; what none hears now it is told when it comes back. */
static void tell_relays(struct mgr *m, struct tas_db *db, uint64_t id, const char *event, const char *data) {
    struct fleet f = {0};
    int err = tas_db_read(db, read_fleet, &f);
    for (size_t i = 0; err == TAS_OK && i < f.n; i++)
        tas_http_publish(m->http, (uint64_t)f.all[i].id, id, event, data);
    free(f.all);
}

static void tell_kill(struct mgr *m, struct tas_db *db, const struct store_notice *n) {
    char data[MGR_KILL_TEXT];
    tell_relays(m, db, n->id, "kill", mgr_kill_text(data, n));
}

struct good_login {
    uint64_t operator_id;
    bool is_there;
};

static int read_good_login(struct tas_db *db, void *ctx) {
    struct good_login *g = ctx;
    return store_tool_login_has_good(db, g->operator_id, mgr_now(), &g->is_there);
}

/* Who logged in again before we came to tell it is not told to leave: his tool comes back at once, an old one
 * cannot. */
static void end_streams(struct mgr *m, struct tas_db *db, uint64_t operator_id, uint64_t id) {
    struct good_login g = {.operator_id = operator_id};
    if (!tas_http_has_streams(m->http, operator_id))
        return;
    if (tas_db_read(db, read_good_login, &g) == TAS_OK && !g.is_there)
        tas_http_publish(m->http, operator_id, id, "logout", "{\"code\":\"ended_by_administrator\"}");
    tas_http_end_topic(m->http, operator_id);
}

struct company_question {
    int64_t company_id;
    struct store_operator *ops;
    size_t n;
};

static int read_operators(struct tas_db *db, void *ctx) {
    struct company_question *q = ctx;
    return store_operator_list(db, q->company_id, &q->ops, &q->n);
}

/* One operator, or all of a company. */
static void tell_revoke(struct mgr *m, struct tas_db *db, const struct store_notice *n) {
    struct company_question q = {.company_id = (int64_t)n->b};
    if (n->a) {
        end_streams(m, db, n->a, n->id);
        return;
    }
    if (tas_db_read(db, read_operators, &q) == TAS_OK)
        for (size_t i = 0; i < q.n; i++)
            end_streams(m, db, q.ops[i].id, n->id);
    free(q.ops);
}

static void tell(struct mgr *m, struct tas_db *db, const struct store_notice *n) {
    if (strcmp(n->kind, "session") == 0)
        tell_row(m, db, n, "session", read_session);
    else if (strcmp(n->kind, "claim") == 0)
        tell_row(m, db, n, "claim", read_claim);
    else if (strcmp(n->kind, "kill") == 0)
        tell_kill(m, db, n);
    else if (strcmp(n->kind, "keyset") == 0)
        tell_relays(m, db, n->id, "keyset", "{}");
    else if (strcmp(n->kind, "revoke") == 0)
        tell_revoke(m, db, n);
    else if (strcmp(n->kind, "logout") == 0)
        tas_http_end_topic(m->http, n->a); /* the operator's other tools come back at once */
}

/* The same row changed twice: its state is told once. */
static bool comes_again(const struct store_notice *all, size_t n, size_t i) {
    for (size_t k = i + 1; k < n && k < i + PENDING_MAX; k++)
        if (all[k].a == all[i].a && all[k].b == all[i].b && strcmp(all[k].kind, all[i].kind) == 0)
            return true;
    return false;
}

static void tell_all(struct mgr *m, struct tas_db *db, const struct store_notice *all, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (!comes_again(all, n, i))
            tell(m, db, &all[i]);
}

/* ---- the thread ---- */

static void tell_own(struct mgr_push *p, struct tas_db *db, struct store_notice *spare) {
    pthread_mutex_lock(&p->lock);
    size_t n = p->n_queue;
    memcpy(spare, p->queue, n * sizeof(spare[0]));
    p->n_queue = 0;
    pthread_mutex_unlock(&p->lock);
    tell_all(p->m, db, spare, n);
}

static bool is_new(struct mgr_push *p, uint64_t id) {
    uint64_t *place = &p->seen[(id ^ id >> 22) % SEEN_MAX];
    if (*place == id)
        return false;
    *place = id;
    return true;
}

struct look {
    struct mgr_push *p;
    uint64_t after;
    struct store_notice *all;
    size_t n;
};

static int read_notices(struct tas_db *db, void *ctx) {
    struct look *l = ctx;
    free(l->all);
    l->all = NULL;
    return store_notice_list(db, l->after, NULL, (int64_t)l->p->m->ids.node, &l->all, &l->n);
}

/* Page by page: what lies within the margin is read again each time, and may be more than one page. */
static void tell_foreign(struct mgr_push *p, struct tas_db *db) {
    struct look l = {.p = p, .n = STORE_NOTICES};
    if (tas_mono_us() - p->looked_us < LOOK_EVERY_US)
        return;
    p->looked_us = tas_mono_us();
    l.after = tas_id_least((p->newest ? tas_id_ms(p->newest) : tas_wall_ms()) - MARGIN_MS);
    int err = TAS_OK;
    while (err == TAS_OK && l.n == STORE_NOTICES) {
        err = tas_db_read(db, read_notices, &l);
        for (size_t i = 0; err == TAS_OK && i < l.n; i++) {
            l.after = l.all[i].id;
            if (is_new(p, l.all[i].id))
                tell(p->m, db, &l.all[i]);
        }
        if (l.after > p->newest && l.n > 0)
            p->newest = l.after;
    }
    atomic_store(&p->m->has_store, err == TAS_OK);
    free(l.all);
}

static bool is_stopping(struct mgr_push *p) {
    pthread_mutex_lock(&p->lock);
    bool stopping = p->is_stopping;
    pthread_mutex_unlock(&p->lock);
    return stopping;
}

static void *run(void *ctx) {
    struct mgr_push *p = ctx;
    char why[TAS_DB_WHY];
    char drain[64];
    struct tas_db *db = tas_db_open(p->m->config->database, why);
    struct store_notice *spare = calloc(QUEUE_MAX, sizeof(*spare));
    while (spare && !is_stopping(p)) {
        if (!db) {
            tas_pause_ms(WAIT_MS, p->wake[0]);
            db = tas_db_open(p->m->config->database, why);
            continue;
        }
        tas_db_wait(db, WAIT_MS, p->wake[0]);
        while (read(p->wake[0], drain, sizeof(drain)) > 0)
            continue;
        tell_own(p, db, spare);
        tell_foreign(p, db);
    }
    tas_db_close(db);
    free(spare);
    return NULL;
}

struct mgr_push *mgr_push_start(struct mgr *m) {
    struct mgr_push *p = calloc(1, sizeof(*p));
    if (!p)
        return NULL;
    p->m = m;
    p->queue = calloc(QUEUE_MAX, sizeof(*p->queue));
    pthread_mutex_init(&p->lock, NULL);
    if (p->queue && tas_pipe(p->wake) == TAS_OK) {
        if (pthread_create(&p->thread, NULL, run, p) == 0)
            return p;
        close(p->wake[0]);
        close(p->wake[1]);
    }
    pthread_mutex_destroy(&p->lock);
    free(p->queue);
    free(p);
    return NULL;
}

void mgr_push_stop(struct mgr_push *p) {
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->is_stopping = true;
    pthread_mutex_unlock(&p->lock);
    if (write(p->wake[1], "", 1) < 0)
        tas_log(TAS_LOG_DEBUG, "manager", "wake_failed", "stopping=1");
    pthread_join(p->thread, NULL);
    close(p->wake[0]);
    close(p->wake[1]);
    pthread_mutex_destroy(&p->lock);
    free(p->queue);
    free(p);
}
