/* What time brings: numbers run out, sessions are lost, checkpoints are due, old rows go. Every management
 * server sweeps; each change is a compare-and-set, so that it happens once. What is wrong with one session or
 * company is its own trouble: it is logged, and the others go on. */
#include "manager/manager.h"

#include "base/hex.h"
#include "base/time.h"
#include "manager/choose.h"
#include "os/process.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    TICK_MS = 1000,
    LEASE_MS = 60 * 1000,
    SIGN_EVERY = 30, /* ticks */
    PURGE_EVERY = 60,
    BATCH = 100,
    TROUBLES = 128,                   /* remembered, so that each is logged once */
    NOTICES_KEPT_MS = 20 * 60 * 1000, /* relays that come back ask for the kills of 16 minutes */
    MISSES_KEPT_MS = 2 * 3600 * 1000,
    LOGINS_KEPT_DAYS = 30,
    EVENTS_KEPT_DAYS = 400, /* of logins; those that succeeded stand in the audit chain for good */
};

static const int64_t day_ms = INT64_C(24) * 3600 * 1000;
static const uint64_t renew_us = UINT64_C(10) * 1000 * 1000;
/* What one part takes of a tick, when every item of it has to wait for somebody's lock: then the next. */
static const uint64_t part_us = UINT64_C(15) * 1000 * 1000;

struct trouble {
    const char *what; /* NULL: a free place */
    uint64_t id;
};

struct mgr_sweep {
    struct mgr *m;
    void (*gone)(void *ctx);
    void *ctx;
    pthread_t thread;
    int wake[2];
    _Atomic bool is_stopping;
    bool is_signer_gone;
    int64_t logins_checked_at;
    uint64_t renewed_us; /* when the lease was renewed */
    int64_t
        signed_after; /* the company where the last round of checkpoints ran out of time; 0: it was done */
    struct trouble troubles[TROUBLES];
    size_t next_trouble;
};

/* ---- what is wrong with one item ---- */

/* The others would fail too: the store or the signer is gone, full, without memory, or has no key now. */
static bool is_for_all(int err) {
    return err == TAS_E_CLOSED || err == TAS_E_FULL || err == TAS_E_NOMEM || err == TAS_E_EXPIRED;
}

static bool is_known(const struct mgr_sweep *w, const char *what, uint64_t id) {
    for (size_t i = 0; i < TROUBLES; i++)
        if (w->troubles[i].what && w->troubles[i].id == id && strcmp(w->troubles[i].what, what) == 0)
            return true;
    return false;
}

/* How the work on one item ended: TAS_OK when the next may follow. */
static int settle(struct mgr_sweep *w, struct tas_db *db, const char *what, uint64_t id, int err) {
    char quoted[TAS_DB_WHY];
    if (err == TAS_OK || is_for_all(err))
        return err;
    if (is_known(w, what, id))
        return TAS_OK;
    w->troubles[w->next_trouble] = (struct trouble){what, id};
    w->next_trouble = (w->next_trouble + 1) % TROUBLES;
    tas_log(TAS_LOG_ERROR, "manager", "upkeep_failed", "what=%s id=%" PRIu64 " err=%s why=%s", what, id,
            tas_err_name(err), tas_log_quote(quoted, sizeof(quoted), tas_db_why(db)));
    return TAS_OK;
}

int mgr_node_lease(struct mgr *m, struct tas_db *db) {
    int64_t node;
    int64_t now = mgr_now();
    int err = store_node_lease(db, m->holder, now, now + LEASE_MS, &node);
    if (err == TAS_OK)
        m->ids.node = (uint32_t)node;
    return err;
}

/* ---- sessions that are over ---- */

struct ending {
    struct mgr *m;
    struct store_session *s;
};

static int end_overdue(struct tas_db *db, void *ctx) {
    struct ending *e = ctx;
    struct store_session s = *e->s; /* each try starts from what was read */
    bool is_live = s.answered_at != 0;
    int err = mgr_end_session(e->m, db, &s, "system", is_live ? "lost" : "expired", NULL);
    return err == TAS_E_ABSENT ? TAS_OK : err; /* it changed since it was listed: the next tick looks again */
}

struct overdue {
    struct mgr *m;
    struct store_session *all;
    size_t n;
};

static int read_overdue(struct tas_db *db, void *ctx) {
    struct overdue *o = ctx;
    int64_t now = mgr_now();
    free(o->all);
    o->all = NULL;
    return store_session_overdue(db, now, now - (int64_t)o->m->config->lost_after_s * 1000, BATCH, &o->all,
                                 &o->n);
}

static int sweep_sessions(struct mgr_sweep *w, struct tas_db *db) {
    struct overdue o = {.m = w->m};
    uint64_t until_us = tas_mono_us() + part_us;
    int err = tas_db_read(db, read_overdue, &o);
    for (size_t i = 0; err == TAS_OK && i < o.n && tas_mono_us() < until_us; i++) {
        struct ending e = {w->m, &o.all[i]};
        err = settle(w, db, "session", o.all[i].id, mgr_transaction(w->m, db, end_overdue, &e));
    }
    free(o.all);
    return err;
}

/* ---- checkpoints ---- */

struct heads {
    int64_t after; /* the last company of the page before */
    struct store_head *all;
    size_t n;
};

static int read_heads(struct tas_db *db, void *ctx) {
    struct heads *h = ctx;
    free(h->all);
    h->all = NULL;
    return store_heads_unsigned(db, h->after, &h->all, &h->n);
}

static int put_checkpoint(struct tas_db *db, void *ctx) {
    const struct mgr_checkpoint *c = ctx;
    return store_checkpoint_put(db, c->company_id, (int64_t)c->seq, c->hash, (int64_t)c->at_ms, c->kid,
                                c->sig);
}

/* The log line is the anchor: whoever can change the database cannot change what a log server has already. */
static int sign_head(struct mgr *m, struct tas_db *db, const struct store_head *head) {
    char hash[65];
    char sig[129];
    struct mgr_checkpoint c = {
        .company_id = (uint32_t)head->company_id, .seq = (uint64_t)head->seq, .at_ms = (uint64_t)mgr_now()};
    memcpy(c.hash, head->hash, sizeof(c.hash));
    int err = mgr_signer_checkpoint(m->signer, &c);
    if (err == TAS_OK)
        err = tas_db_transaction(db, put_checkpoint, &c);
    if (err != TAS_OK)
        return err;
    tas_hex_encode(hash, tas_bytes_of(c.hash, sizeof(c.hash)));
    tas_hex_encode(sig, tas_bytes_of(c.sig, sizeof(c.sig)));
    tas_log(TAS_LOG_INFO, "audit", "checkpoint",
            "company=%u seq=%" PRIu64 " hash=%s at=%" PRIu64 " kid=%u sig=%s", c.company_id, c.seq, hash,
            c.at_ms, c.kid, sig);
    return TAS_OK;
}

/* Page by page, from where the last round ran out of time: companies with high ids get their turn too,
 * however busy the others are. */
static int sign_heads_until(struct mgr_sweep *w, struct tas_db *db, uint64_t until_us) {
    struct heads h = {.after = w->signed_after, .n = STORE_HEADS};
    int err = TAS_OK;
    bool has_time = true;
    while (err == TAS_OK && has_time && h.n == STORE_HEADS) {
        err = tas_db_read(db, read_heads, &h);
        for (size_t i = 0; err == TAS_OK && has_time && i < h.n; i++) {
            h.after = h.all[i].company_id;
            err = settle(w, db, "checkpoint", (uint64_t)h.after, sign_head(w->m, db, &h.all[i]));
            has_time = tas_mono_us() < until_us;
        }
    }
    w->signed_after = has_time ? 0 : h.after;
    free(h.all);
    return err;
}

static int sign_heads(struct mgr_sweep *w, struct tas_db *db) {
    return sign_heads_until(w, db, tas_mono_us() + part_us);
}

/* Before the server stops: nothing stays unsigned. */
static int sign_all_heads(struct mgr_sweep *w, struct tas_db *db) {
    w->signed_after = 0;
    return sign_heads_until(w, db, UINT64_MAX);
}

struct kept {
    uint8_t bytes[TAS_KEYSET_MAX_LEN];
    size_t len;
    struct tas_keyset set;
};

static int put_keyset(struct tas_db *db, void *ctx) {
    const struct kept *k = ctx;
    return store_keyset_put(db, k->set.sequence, mgr_now(), tas_bytes_of(k->bytes, k->len));
}

int mgr_keep_keyset(struct mgr *m, struct tas_db *db) {
    struct kept k;
    int err = mgr_signer_keyset(m->signer, k.bytes, &k.len);
    if (err == TAS_OK)
        err = tas_keyset_decode(&k.set, tas_bytes_of(k.bytes, k.len));
    return err != TAS_OK ? err : tas_db_transaction(db, put_keyset, &k);
}

/* ---- what need not be kept ---- */

struct due {
    struct mgr *m;
    uint64_t *ids;
    size_t n;
    uint64_t session_id;
};

static int read_due_devices(struct tas_db *db, void *ctx) {
    struct due *d = ctx;
    free(d->ids);
    d->ids = NULL;
    return store_device_due(db, mgr_now(), &d->ids, &d->n);
}

static int delete_device(struct tas_db *db, void *ctx) {
    struct due *d = ctx;
    struct store_session s;
    int err = store_session_get(db, d->session_id, &s);
    if (err == TAS_OK)
        err = store_device_delete(db, d->session_id, s.company_id);
    if (err == TAS_E_ABSENT)
        return TAS_OK;
    return err != TAS_OK
               ? err
               : mgr_audit(d->m, db, s.company_id, s.id, "system", "device_deleted", tas_json_object(), NULL);
}

static int purge_rows(struct tas_db *db, void *ctx) {
    (void)ctx;
    int64_t now = mgr_now();
    int err = store_reception_purge(db, now);
    if (err == TAS_OK)
        err = store_notice_purge(db, tas_id_least((uint64_t)(now - NOTICES_KEPT_MS)));
    if (err == TAS_OK)
        err = store_miss_purge(db, now - MISSES_KEPT_MS);
    return err != TAS_OK
               ? err
               : store_login_purge(db, now - LOGINS_KEPT_DAYS * day_ms, now - EVENTS_KEPT_DAYS * day_ms);
}

static int purge(struct mgr_sweep *w, struct tas_db *db) {
    return mgr_transaction(w->m, db, purge_rows, NULL);
}

static int delete_devices(struct mgr_sweep *w, struct tas_db *db) {
    struct due d = {.m = w->m};
    uint64_t until_us = tas_mono_us() + part_us;
    int err = tas_db_read(db, read_due_devices, &d);
    for (size_t i = 0; err == TAS_OK && i < d.n && tas_mono_us() < until_us; i++) {
        d.session_id = d.ids[i];
        err = settle(w, db, "device", d.session_id, mgr_transaction(w->m, db, delete_device, &d));
    }
    free(d.ids);
    return err;
}

/* ---- logins and relays ---- */

struct logins {
    int64_t from, to;
    uint64_t *operators;
    size_t n;
};

static int read_expired(struct tas_db *db, void *ctx) {
    struct logins *l = ctx;
    free(l->operators);
    l->operators = NULL;
    return store_tool_login_expired(db, l->from, l->to, &l->operators, &l->n);
}

/* Their streams end; tools whose login is good come back at once. */
static int end_expired(struct mgr_sweep *w, struct tas_db *db) {
    struct logins l = {.from = w->logins_checked_at, .to = mgr_now()};
    int err = tas_db_read(db, read_expired, &l);
    for (size_t i = 0; err == TAS_OK && i < l.n; i++)
        tas_http_end_topic(w->m->http, l.operators[i]);
    if (err == TAS_OK)
        w->logins_checked_at = l.to;
    free(l.operators);
    return err;
}

static int read_relays(struct tas_db *db, void *ctx) {
    struct mgr *m = ctx;
    struct store_relay *all = NULL;
    size_t n = 0;
    int64_t up = 0;
    int err = store_relay_list(db, &all, &n);
    for (size_t i = 0; i < n; i++)
        up += strcmp(all[i].state, "up") == 0 && mgr_now() - all[i].seen_at <= MGR_RELAY_SILENT_MS;
    free(all);
    if (err == TAS_OK)
        atomic_store(&m->relays_up, up);
    return err;
}

static int count_relays(struct mgr_sweep *w, struct tas_db *db) {
    return tas_db_read(db, read_relays, w->m);
}

static int renew_lease(struct tas_db *db, void *ctx) {
    struct mgr *m = ctx;
    return store_node_renew(db, m->ids.node, m->holder, mgr_now() + LEASE_MS);
}

static int release_lease(struct tas_db *db, void *ctx) {
    struct mgr *m = ctx;
    return store_node_release(db, m->ids.node, m->holder);
}

/* ---- the thread ---- */

/* TAS_E_ABSENT: another has this server's node number: the program ends. */
static int keep_lease(struct mgr_sweep *w, struct tas_db *db) {
    uint64_t now_us = tas_mono_us();
    if (w->renewed_us && now_us - w->renewed_us < renew_us)
        return TAS_OK;
    int err = tas_db_transaction(db, renew_lease, w->m);
    if (err == TAS_OK)
        w->renewed_us = now_us;
    if (err == TAS_E_ABSENT) {
        tas_log(TAS_LOG_ERROR, "manager", "lease_lost",
                "node=%u do=\"it slept, and another has its node number: start it again\"", w->m->ids.node);
        w->gone(w->ctx);
    }
    return err;
}

static int keep_keyset(struct mgr_sweep *w, struct tas_db *db) {
    return mgr_keep_keyset(w->m, db);
}

static int worse(int a, int b) {
    static const int worst_first[] = {TAS_E_CLOSED, TAS_E_FULL, TAS_E_NOMEM};
    for (size_t i = 0; i < sizeof(worst_first) / sizeof(worst_first[0]); i++)
        if (a == worst_first[i] || b == worst_first[i])
            return worst_first[i];
    return a != TAS_OK ? a : b;
}

/* One part that fails does not keep the others from their work, unless there is no database to do it in. */
static int tick(struct mgr_sweep *w, struct tas_db *db, unsigned n) {
    static const struct {
        int (*fn)(struct mgr_sweep *w, struct tas_db *db);
        unsigned every;
    } parts[] = {{sweep_sessions, 1},          {end_expired, 1},         {count_relays, 1},
                 {keep_keyset, SIGN_EVERY},    {sign_heads, SIGN_EVERY}, {purge, PURGE_EVERY},
                 {delete_devices, PURGE_EVERY}};
    int err = TAS_OK;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && err != TAS_E_CLOSED; i++) {
        int lease = keep_lease(w, db); /* each part may take long */
        if (lease == TAS_E_ABSENT || lease == TAS_E_CLOSED)
            return lease;
        err = worse(err, lease);
        if (n % parts[i].every == parts[i].every - 1)
            err = worse(err, parts[i].fn(w, db));
    }
    return err;
}

/* Without it no session begins and none goes on: better a restart than a server that says no to everybody. */
static bool signer_is_gone(struct mgr_sweep *w) {
    uint8_t keyset[TAS_KEYSET_MAX_LEN];
    size_t len;
    if (w->is_signer_gone || mgr_signer_keyset(w->m->signer, keyset, &len) != TAS_E_CLOSED)
        return w->is_signer_gone;
    w->is_signer_gone = true;
    tas_log(TAS_LOG_ERROR, "manager", "signer_gone",
            "do=\"it ended or was killed: this server ends too, start it again\"");
    w->gone(w->ctx);
    return true;
}

static void *run(void *ctx) {
    struct mgr_sweep *w = ctx;
    char why[TAS_DB_WHY] = "";
    char quoted[TAS_DB_WHY];
    struct tas_db *db = NULL;
    bool was_good = true;
    for (unsigned n = 0; !atomic_load(&w->is_stopping); n++) {
        if (signer_is_gone(w))
            break;
        if (!db)
            db = tas_db_open(w->m->config->database, why);
        int err = db ? tick(w, db, n) : TAS_E_CLOSED;
        if (err != TAS_OK && was_good)
            tas_log(TAS_LOG_ERROR, "manager", "database_trouble", "err=%s why=%s", tas_err_name(err),
                    tas_log_quote(quoted, sizeof(quoted), db ? tas_db_why(db) : why));
        if (err == TAS_OK && !was_good)
            tas_log(TAS_LOG_INFO, "manager", "database_back", "tick=%u", n);
        was_good = err == TAS_OK;
        atomic_store(&w->m->has_store, was_good);
        tas_pause_ms(TICK_MS, w->wake[0]);
    }
    if (db && ((!w->is_signer_gone && sign_all_heads(w, db) != TAS_OK) ||
               tas_db_transaction(db, release_lease, w->m) != TAS_OK))
        tas_log(TAS_LOG_WARN, "manager", "last_sweep_failed", "why=%s",
                tas_log_quote(quoted, sizeof(quoted), tas_db_why(db)));
    tas_db_close(db);
    return NULL;
}

struct mgr_sweep *mgr_sweep_start(struct mgr *m, void (*gone)(void *ctx), void *ctx) {
    struct mgr_sweep *w = calloc(1, sizeof(*w));
    if (!w)
        return NULL;
    *w = (struct mgr_sweep){.m = m, .gone = gone, .ctx = ctx, .logins_checked_at = mgr_now()};
    if (tas_pipe(w->wake) != TAS_OK) {
        free(w);
        return NULL;
    }
    if (pthread_create(&w->thread, NULL, run, w) == 0)
        return w;
    close(w->wake[0]);
    close(w->wake[1]);
    free(w);
    return NULL;
}

void mgr_sweep_stop(struct mgr_sweep *w) {
    if (!w)
        return;
    atomic_store(&w->is_stopping, true);
    if (write(w->wake[1], "", 1) < 0)
        tas_log(TAS_LOG_DEBUG, "manager", "wake_failed", "stopping=1");
    pthread_join(w->thread, NULL);
    close(w->wake[0]);
    close(w->wake[1]);
    free(w);
}
