/* The insides of a worker: rooms (room.c) hold ends (end.c). */
#pragma once

#include "base/bucket.h"
#include "relay/queue.h"
#include "relay/worker.h"

#include <pthread.h>

enum { ROOM_SLOTS = 2, ROOM_BUCKETS = 4096, RELAY_KILLS = 4096 };

struct relay_room;

/* A joined end. */
struct relay_end {
    struct relay_worker *worker;
    struct relay_room *room;
    struct tas_conn *conn;
    uint8_t slot;
    struct tas_buf in; /* a record that is not whole yet */
    struct relay_queue out;
    uint64_t joined_us, last_rx_us, last_ping_us;
    uint64_t blocked_us; /* when the socket last took something, or had nothing to take */
    size_t backlog;      /* what it had to take then */
    uint64_t alone_us;   /* since when there is no peer, 0: there is one */
    bool is_silent;      /* the peer was told SUSPENDED */
    bool is_paused;      /* not read: the peer's queue is full, or over its rate */
    bool is_dirty;       /* in the list of ends with something to send */
    bool is_doomed;      /* to be closed at the end of the turn */
    unsigned doom_code;  /* 0: the socket is gone already */
    struct tas_bucket pongs;
    uint32_t rate_Bps; /* 0: no limit */
    int64_t budget;    /* bytes that may come from it now */
    uint64_t budget_us;
    struct relay_end *next_dirty;
    struct relay_end *prev, *next; /* all ends of the worker */
};

struct relay_slot {
    struct relay_end *end; /* NULL: nobody, or suspended */
    bool is_taken;
    uint8_t pop_pk[32];
    uint32_t incarnation;
    uint64_t suspended_us;
    uint64_t joins_us[10]; /* when the last ten joined */
    unsigned n_joins;
};

struct relay_room {
    uint64_t session_id;
    struct relay_slot slots[ROOM_SLOTS];
    unsigned n_ends; /* that point here, those who were replaced and are about to go too */
    struct relay_room *next_in_bucket;
};

/* Sessions that were ended, as a ring: the oldest makes room. */
struct relay_kills {
    struct relay_kill {
        uint64_t session_id;
        uint64_t until_us; /* 0: empty */
        uint8_t slot;      /* or RELAY_ALL_SLOTS */
    } at[RELAY_KILLS];
    size_t next;
};

/* Sessions with two ends, for other threads to read. */
struct relay_roll {
    pthread_mutex_t lock;
    uint64_t *ids;
    size_t n, cap;
};

struct relay_worker {
    unsigned scans;
    struct relay_kills kills;
    struct relay_roll roll;
    struct relay_stats *stats;
    struct tas_loop *loop;
    struct tas_io *io;
    struct tas_timer *scan_timer;
    pthread_t thread;
    struct relay_room *buckets[ROOM_BUCKETS];
    struct relay_end *ends;
    size_t n_ends;
    struct relay_end *dirty;
    uint32_t last_incarnation;
    bool is_draining;
    uint64_t drain_end_us;
    void (*drained)(void *ctx);
    void *drained_ctx;
};

/* kill.c */
bool relay_kills_add(struct relay_kills *kills, uint64_t session_id, uint8_t slot,
                     uint64_t now_us); /* false: known */
bool relay_kills_has(const struct relay_kills *kills, uint64_t session_id, uint8_t slot, uint64_t now_us);

/* room.c */
/* Closes the ends of a slot, or all (RELAY_ALL_SLOTS), for good. */
void relay_room_kill(struct relay_worker *w, uint64_t session_id, uint8_t slot, uint64_t now_us);
struct relay_room *relay_room_get(struct relay_worker *w, uint64_t session_id); /* NULL: no memory */
void relay_room_forget_if_empty(struct relay_worker *w, struct relay_room *room, uint64_t now_us);
unsigned relay_room_may_join(const struct relay_room *room, const struct tas_msg_ticket *t, uint64_t now_us);
void relay_room_join(struct relay_worker *w, struct relay_room *room, struct relay_end *end,
                     const struct tas_msg_ticket *t, uint64_t now_us);
void relay_room_leave(struct relay_worker *w, struct relay_end *end, bool is_for_good, uint64_t now_us);
void relay_room_scan(struct relay_worker *w, uint64_t now_us);
void relay_room_tell(struct relay_room *room, uint8_t about, enum tas_peer_state state);
struct relay_end *relay_room_peer(const struct relay_end *end);

/* end.c */
void relay_end_new(struct relay_worker *w, struct tas_conn *conn, const struct relay_admission *a);
void relay_end_doom(struct relay_end *end, unsigned code);
void relay_end_free(struct relay_end *end);
void relay_end_send(struct relay_end *end, uint8_t type, const uint8_t *body, int len);
void relay_end_drain(struct relay_end *end);
void relay_end_scan(struct relay_end *end, uint64_t now_us);
