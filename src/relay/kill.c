/* Which sessions the management server has ended, for as long as a ticket to them may live. */
#include "relay/worker_private.h"

#define KEPT_US (UINT64_C(16) * 60 * 1000 * 1000)

static const struct relay_kill *find(const struct relay_kills *kills, uint64_t session_id, uint8_t slot,
                                     uint64_t now_us) {
    for (size_t i = 0; i < RELAY_KILLS; i++) {
        const struct relay_kill *k = &kills->at[i];
        if (k->session_id == session_id && k->until_us > now_us &&
            (k->slot == slot || k->slot == RELAY_ALL_SLOTS))
            return k;
    }
    return NULL;
}

/* One that is told again (as after each reconnection) takes no second place and lives no longer. */
bool relay_kills_add(struct relay_kills *kills, uint64_t session_id, uint8_t slot, uint64_t now_us) {
    if (find(kills, session_id, slot, now_us))
        return false;
    kills->at[kills->next] =
        (struct relay_kill){.session_id = session_id, .until_us = now_us + KEPT_US, .slot = slot};
    kills->next = (kills->next + 1) % RELAY_KILLS;
    return true;
}

bool relay_kills_has(const struct relay_kills *kills, uint64_t session_id, uint8_t slot, uint64_t now_us) {
    return find(kills, session_id, slot, now_us) != NULL;
}
