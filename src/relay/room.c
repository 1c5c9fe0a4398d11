/* Who is in which session, and what the others are told of it. */
#include "relay/worker_private.h"

#include "base/log.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

enum { JOINS_PER_MINUTE = 10, MINUTE_US = 60 * 1000 * 1000, GRACE_US = 120 * 1000 * 1000 };

static struct relay_room **bucket(struct relay_worker *w, uint64_t session_id) {
    uint64_t h = session_id * UINT64_C(0x9e3779b97f4a7c15);
    return &w->buckets[h >> 52 & (ROOM_BUCKETS - 1)];
}

static struct relay_room *find(struct relay_worker *w, uint64_t session_id) {
    struct relay_room *room = *bucket(w, session_id);
    while (room && room->session_id != session_id)
        room = room->next_in_bucket;
    return room;
}

struct relay_room *relay_room_get(struct relay_worker *w, uint64_t session_id) {
    struct relay_room *room = find(w, session_id);
    if (room)
        return room;
    room = calloc(1, sizeof(*room));
    if (!room)
        return NULL;
    struct relay_room **at = bucket(w, session_id);
    room->session_id = session_id;
    room->next_in_bucket = *at;
    *at = room;
    return room;
}

/* Joined within the last minute: to be remembered, or leaving with BYE would reset the count of joins. */
static bool joined_lately(const struct relay_slot *slot, uint64_t now_us) {
    return slot->n_joins && now_us - slot->joins_us[(slot->n_joins - 1) % JOINS_PER_MINUTE] < MINUTE_US;
}

void relay_room_forget_if_empty(struct relay_worker *w, struct relay_room *room, uint64_t now_us) {
    if (room->n_ends)
        return;
    for (int i = 0; i < ROOM_SLOTS; i++)
        if (room->slots[i].is_taken || joined_lately(&room->slots[i], now_us))
            return;
    struct relay_room **at = bucket(w, room->session_id);
    while (*at != room)
        at = &(*at)->next_in_bucket;
    *at = room->next_in_bucket;
    tas_wipe(room, sizeof(*room));
    free(room);
}

struct relay_end *relay_room_peer(const struct relay_end *end) {
    return end->room->slots[!end->slot].end;
}

/* Sliding window over the last ten joins of the slot. */
static bool joins_too_often(const struct relay_slot *slot, uint64_t now_us) {
    if (slot->n_joins < JOINS_PER_MINUTE)
        return false;
    return now_us - slot->joins_us[slot->n_joins % JOINS_PER_MINUTE] < MINUTE_US;
}

unsigned relay_room_may_join(const struct relay_room *room, const struct tas_msg_ticket *t, uint64_t now_us) {
    const struct relay_slot *slot = &room->slots[t->slot];
    if (slot->is_taken && memcmp(slot->pop_pk, t->pop_pk, sizeof(slot->pop_pk)) != 0)
        return TAS_CLOSE_SLOT_TAKEN;
    return joins_too_often(slot, now_us) ? TAS_CLOSE_TOO_MANY_JOINS : 0;
}

/* Tells the other slot about slot `about`. */
void relay_room_tell(struct relay_room *room, uint8_t about, enum tas_peer_state state) {
    struct relay_end *to = room->slots[!about].end;
    if (!to)
        return;
    uint8_t body[8];
    const struct tas_msg_peer peer = {
        .slot = about, .state = (uint8_t)state, .incarnation = room->slots[about].incarnation};
    relay_end_send(to, TAS_RECORD_PEER, body, tas_msg_peer_encode(&peer, body, sizeof(body)));
}

void relay_room_join(struct relay_worker *w, struct relay_room *room, struct relay_end *end,
                     const struct tas_msg_ticket *t, uint64_t now_us) {
    struct relay_slot *slot = &room->slots[t->slot];
    struct relay_slot *other = &room->slots[!t->slot];
    if (slot->end) { /* the same holder dialled again: its old socket is dead or about to be */
        struct relay_end *old = slot->end;
        slot->end = NULL;
        relay_end_doom(old, TAS_CLOSE_REPLACED);
    }
    slot->end = end;
    slot->is_taken = true;
    slot->suspended_us = 0;
    slot->incarnation = ++w->last_incarnation;
    slot->joins_us[slot->n_joins++ % JOINS_PER_MINUTE] = now_us;
    memcpy(slot->pop_pk, t->pop_pk, sizeof(slot->pop_pk));
    if (room->n_ends++ == 0)
        relay_count(&w->stats->sessions, 1);
    end->alone_us = other->end ? 0 : now_us;
    if (other->end && other->end->alone_us) {
        other->end->alone_us = 0;
        other->end->last_rx_us = now_us; /* alone it had no reason to speak: silence counts from now */
    }

    relay_room_tell(room, t->slot, TAS_PEER_JOINED);
    if (other->is_taken)
        relay_room_tell(room, !t->slot,
                        other->end && !other->end->is_silent ? TAS_PEER_JOINED : TAS_PEER_SUSPENDED);
}

void relay_room_leave(struct relay_worker *w, struct relay_end *end, bool is_for_good, uint64_t now_us) {
    struct relay_room *room = end->room;
    struct relay_slot *slot = &room->slots[end->slot];
    struct relay_end *peer = relay_room_peer(end);
    end->room = NULL;
    if (--room->n_ends == 0)
        relay_count(&w->stats->sessions, -1);
    if (slot->end != end) { /* replaced: the slot belongs to a newer socket */
        relay_room_forget_if_empty(w, room, now_us);
        return;
    }
    slot->end = NULL;
    if (peer)
        peer->alone_us = now_us;
    if (peer && !is_for_good)
        relay_count(&w->stats->suspends_total, 1);
    slot->suspended_us = now_us;
    slot->is_taken = !is_for_good;
    relay_room_tell(room, end->slot, is_for_good ? TAS_PEER_GONE : TAS_PEER_SUSPENDED);
    relay_room_forget_if_empty(w, room, now_us);
}

void relay_room_kill(struct relay_worker *w, uint64_t session_id, uint8_t slot, uint64_t now_us) {
    struct relay_room *room = find(w, session_id);
    for (uint8_t i = 0; room && i < ROOM_SLOTS; i++) {
        struct relay_slot *killed = &room->slots[i];
        if (!killed->is_taken || (slot != i && slot != RELAY_ALL_SLOTS))
            continue;
        if (killed->end) {
            relay_end_doom(killed->end, TAS_CLOSE_KILLED); /* its going frees the slot and tells the other */
            continue;
        }
        killed->is_taken = false;
        relay_room_tell(room, i, TAS_PEER_GONE);
    }
    if (room)
        relay_room_forget_if_empty(w, room, now_us);
}

/* Slots whose holder did not come back in time are free again. */
void relay_room_scan(struct relay_worker *w, uint64_t now_us) {
    for (size_t b = 0; b < ROOM_BUCKETS; b++) {
        for (struct relay_room *room = w->buckets[b], *next; room; room = next) {
            next = room->next_in_bucket;
            for (uint8_t i = 0; i < ROOM_SLOTS; i++) {
                struct relay_slot *slot = &room->slots[i];
                if (!slot->is_taken || slot->end || now_us - slot->suspended_us < GRACE_US)
                    continue;
                slot->is_taken = false;
                relay_room_tell(room, i, TAS_PEER_GONE);
            }
            relay_room_forget_if_empty(w, room, now_us);
        }
    }
}
