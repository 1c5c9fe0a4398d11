/* The relay's link to the management servers, on a thread of its own: registers with each of them and tells
 * every few seconds that it lives (POST /v1/relay/{id}/hello), takes their signed KEYSET, and listens for
 * what they want ended (GET /v1/relay/{id}/stream). A relay that loses all of them goes on with what it has.
 */
#pragma once

#include "relay/config.h"
#include "relay/stats.h"
#include "relay/worker.h"

struct relay_link;

enum { RELAY_LINK_WHY = 256 };

enum relay_link_state {
    RELAY_LINK_UP,
    RELAY_LINK_DRAINING,
    RELAY_LINK_DOWN,
};

/* What came from the management servers. */
struct relay_news {
    struct tas_msg_keyset_key keys[TAS_KEYSET_MAX_KEYS]; /* for tickets */
    size_t n_keys;
    bool has_keys;                         /* a KEYSET came; it may hold no ticket key */
    uint32_t sequence;                     /* of the KEYSET */
    uint32_t alternates[RELAY_ALTERNATES]; /* zeros: none were named */
};

struct relay_link_place {
    struct tas_loop *main_loop;
    void (*on_news)(
        void *ctx); /* on main_loop: see relay_link_news(); may still come after relay_link_free() */
    void *ctx;
    struct relay_worker *const *workers;
    size_t n_workers;
    struct relay_stats *stats;
};

/* Reads certificate and key: call before privileges are dropped. config (with managers) and what place points
 * to outlive the link. `known`: what a link before this one had learned, NULL: nothing. NULL: `why`. */
struct relay_link *relay_link_new(const struct relay_config *config, const struct relay_link_place *place,
                                  const struct relay_news *known, char why[RELAY_LINK_WHY]);

/* TAS_E_NOMEM: no thread. */
TAS_MUST_USE int relay_link_start(struct relay_link *link);

/* What is known now. From any thread. */
void relay_link_news(struct relay_link *link, struct relay_news *out);

/* Tells all managers at once. From any thread. RELAY_LINK_DOWN: tells them and waits for the answers, at most
 * a second and a half; to be followed by relay_link_free(). */
void relay_link_tell(struct relay_link *link, enum relay_link_state state);

/* Ends the thread. NULL is fine. */
void relay_link_free(struct relay_link *link);
