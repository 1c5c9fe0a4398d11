#include "manager/throttle.h"

#include "base/bucket.h"
#include "base/rand.h"
#include "net/socket.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    PLACES = 8192, /* sources remembered; 4 ways */
    WAYS = 4,
    SUSPECTS_AT_ONCE = 1, /* tries on their way of all sources that have failed lately */
    STRANGERS_EACH = 2,   /* of one source that has not */
    STRANGERS_AT_ONCE =
        16,           /* of all of those: with many addresses nobody keeps the others waiting for seconds */
    TRUSTED_EACH = 8, /* of one that has logged in lately */
    NET_TIMES = 4,    /* what a v6 /48 may have of failures and strangers, times that of one of its /64 */
    KEY_LEN = 16,
    BURST = 400,
};

static const uint64_t window_us = UINT64_C(300) * 1000 * 1000;
static const uint64_t request_us = 5 * 1000; /* 200 a second */

/* What is known of a source, or of a v6 /48, which has failures and strangers' places only. */
struct place {
    uint8_t key[KEY_LEN];
    uint64_t used_us;  /* 0: free */
    uint64_t since_us; /* of the first failure in the window */
    unsigned failures;
    unsigned under_way;
    unsigned strangers_under_way; /* of those, begun before anything was known of the source */
    bool is_trusted;
    bool is_suspect_under_way;
    struct tas_bucket requests;
};

struct mgr_throttle {
    pthread_mutex_t lock;
    uint64_t seed; /* so that nobody can choose addresses that share a set */
    unsigned failures_max;
    unsigned suspects_under_way, strangers_under_way;
    struct place places[PLACES];
};

struct mgr_throttle *mgr_throttle_new(unsigned failures_max) {
    struct mgr_throttle *t = calloc(1, sizeof(*t));
    if (t) {
        pthread_mutex_init(&t->lock, NULL);
        t->failures_max = failures_max;
        tas_random(&t->seed, sizeof(t->seed));
    }
    return t;
}

void mgr_throttle_free(struct mgr_throttle *t) {
    if (!t)
        return;
    pthread_mutex_destroy(&t->lock);
    free(t);
}

/* A v4 address counts whole, v6 by its /64: a customer of any provider has that many addresses. */
static void key_of(uint8_t key[KEY_LEN], const uint8_t source[16]) {
    memcpy(key, source, KEY_LEN);
    if (!tas_address_is_v4(source))
        memset(key + 8, 0, KEY_LEN - 8);
}

/* And by its /48 too, because many a customer has all of that. false: a v4 address has no such network. */
static bool net_key_of(uint8_t key[KEY_LEN], const uint8_t source[16]) {
    memset(key, 0, KEY_LEN);
    memcpy(key, source, 6);
    key[KEY_LEN - 1] = 48; /* the key of no source */
    return !tas_address_is_v4(source);
}

static struct place *set_of(struct mgr_throttle *t, const uint8_t key[KEY_LEN]) {
    uint64_t hash = t->seed;
    for (size_t i = 0; i < KEY_LEN; i++)
        hash = (hash ^ key[i]) * UINT64_C(0x100000001b3); /* FNV-1a */
    return &t->places[(hash ^ hash >> 32) % (PLACES / WAYS) * WAYS];
}

/* The place of a key that is there already; NULL: it has none. */
static struct place *known(struct mgr_throttle *t, const uint8_t key[KEY_LEN]) {
    struct place *set = set_of(t, key);
    for (struct place *p = set; p < set + WAYS; p++)
        if (p->used_us && memcmp(p->key, key, KEY_LEN) == 0)
            return p;
    return NULL;
}

/* The key's place; the one of its set that was used longest ago is taken from its owner when all are. */
static struct place *place_of(struct mgr_throttle *t, const uint8_t key[KEY_LEN], uint64_t now_us) {
    struct place *mine = known(t, key);
    if (mine) {
        mine->used_us = now_us;
        return mine;
    }
    struct place *set = set_of(t, key);
    struct place *oldest = &set[0];
    for (struct place *p = set; p < set + WAYS; p++)
        if (p->under_way == 0 && (oldest->under_way > 0 || p->used_us < oldest->used_us))
            oldest = p;
    if (oldest->under_way > 0)
        return NULL; /* all four are busy right now */
    *oldest = (struct place){.used_us = now_us, .requests = tas_bucket_full(BURST, now_us)};
    memcpy(oldest->key, key, KEY_LEN);
    return oldest;
}

/* How long ago the window began. Times are taken before the lock: another thread's may be a little later. */
static uint64_t window_age(const struct place *p, uint64_t now_us) {
    return now_us > p->since_us ? now_us - p->since_us : 0;
}

static void forget_old(struct place *p, uint64_t now_us) {
    if (p->failures > 0 && window_age(p, now_us) >= window_us)
        p->failures = 0;
}

/* Has it failed too often? */
static bool is_over(struct place *p, unsigned most, uint64_t now_us, unsigned *wait_s) {
    forget_old(p, now_us);
    if (p->failures < most)
        return false;
    *wait_s = (unsigned)((window_us - window_age(p, now_us)) / 1000000) + 1;
    return true;
}

static void enter(struct place *p, bool is_stranger) {
    p->under_way++;
    p->strangers_under_way += is_stranger;
}

/* net: of the source's /48; NULL: it has none. */
static enum mgr_throttle_verdict judge(struct mgr_throttle *t, struct place *p, struct place *net,
                                       uint64_t now_us, unsigned *wait_s) {
    if (is_over(p, t->failures_max, now_us, wait_s) ||
        (net && is_over(net, NET_TIMES * t->failures_max, now_us, wait_s)))
        return MGR_TOO_OFTEN;
    bool is_suspect = p->failures > 0 && !p->is_trusted;
    bool is_stranger = !is_suspect && !p->is_trusted;
    unsigned each = p->is_trusted ? TRUSTED_EACH : is_suspect ? 1 : STRANGERS_EACH;
    if (p->under_way >= each || (is_suspect && t->suspects_under_way >= SUSPECTS_AT_ONCE) ||
        (is_stranger && t->strangers_under_way >= STRANGERS_AT_ONCE) ||
        (is_stranger && net && net->strangers_under_way >= NET_TIMES * STRANGERS_EACH))
        return MGR_BUSY;
    enter(p, is_stranger);
    if (net)
        enter(net, is_stranger);
    t->strangers_under_way += is_stranger;
    if (is_suspect) {
        p->is_suspect_under_way = true;
        t->suspects_under_way++;
    }
    return MGR_MAY;
}

static enum mgr_throttle_verdict begin(struct mgr_throttle *t, const uint8_t source[16], uint64_t now_us,
                                       unsigned *wait_s) {
    uint8_t key[KEY_LEN];
    struct place *net = NULL;
    if (net_key_of(key, source)) {
        net = place_of(t, key, now_us);
        if (!net)
            return MGR_BUSY;
        net->under_way++; /* so that the source, if it shares the set, does not take this very place */
    }
    key_of(key, source);
    struct place *p = place_of(t, key, now_us);
    if (net)
        net->under_way--;
    return p ? judge(t, p, net, now_us, wait_s) : MGR_BUSY;
}

enum mgr_throttle_verdict mgr_throttle_begin(struct mgr_throttle *t, const uint8_t source[16],
                                             uint64_t now_us, unsigned *wait_s) {
    *wait_s = 1;
    pthread_mutex_lock(&t->lock);
    enum mgr_throttle_verdict verdict = begin(t, source, now_us, wait_s);
    pthread_mutex_unlock(&t->lock);
    return verdict;
}

/* The opposite of enter(). */
static void leave(struct place *p, bool was_stranger) {
    p->under_way -= p->under_way > 0;
    p->strangers_under_way -= was_stranger && p->strangers_under_way > 0;
}

void mgr_throttle_over(struct mgr_throttle *t, const uint8_t source[16]) {
    uint8_t key[KEY_LEN];
    uint8_t net_key[KEY_LEN];
    pthread_mutex_lock(&t->lock);
    key_of(key, source);
    struct place *p = known(t, key);
    struct place *net = net_key_of(net_key, source) ? known(t, net_key) : NULL;
    if (p && p->under_way > 0) { /* over once too often: that changes nothing */
        /* The lane is first come, first served: what began as a stranger is over first. */
        bool was_stranger = p->strangers_under_way > 0;
        leave(p, was_stranger);
        t->strangers_under_way -= was_stranger;
        if (net)
            leave(net, was_stranger);
        if (p->is_suspect_under_way) {
            p->is_suspect_under_way = false;
            t->suspects_under_way--;
        }
    }
    pthread_mutex_unlock(&t->lock);
}

static void note_failure(struct mgr_throttle *t, const uint8_t key[KEY_LEN], uint64_t now_us) {
    struct place *p = place_of(t, key, now_us);
    if (!p)
        return;
    forget_old(p, now_us);
    if (p->failures++ == 0)
        p->since_us = now_us;
}

void mgr_throttle_failed(struct mgr_throttle *t, const uint8_t source[16], uint64_t now_us) {
    uint8_t key[KEY_LEN];
    pthread_mutex_lock(&t->lock);
    if (net_key_of(key, source))
        note_failure(t, key, now_us);
    key_of(key, source);
    note_failure(t, key, now_us);
    pthread_mutex_unlock(&t->lock);
}

static void forgive(struct place *p) {
    if (p && p->failures > 0)
        p->failures--;
}

void mgr_throttle_succeeded(struct mgr_throttle *t, const uint8_t source[16], uint64_t now_us) {
    uint8_t key[KEY_LEN];
    pthread_mutex_lock(&t->lock);
    if (net_key_of(key, source))
        forgive(known(t, key));
    key_of(key, source);
    struct place *p = place_of(t, key, now_us);
    forgive(p);
    if (p)
        p->is_trusted = true;
    pthread_mutex_unlock(&t->lock);
}

bool mgr_throttle_request(struct mgr_throttle *t, const uint8_t source[16], uint64_t now_us) {
    uint8_t key[KEY_LEN];
    key_of(key, source);
    pthread_mutex_lock(&t->lock);
    struct place *p = place_of(t, key, now_us);
    bool may = !p || tas_bucket_take(&p->requests, BURST, request_us, now_us);
    pthread_mutex_unlock(&t->lock);
    return may;
}
