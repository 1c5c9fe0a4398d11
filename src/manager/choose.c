#include "manager/choose.h"

#include <stdio.h>

enum { UNMEASURED_US = 10 * 1000 * 1000, RELAYS_MAX = 256 };

void mgr_rtts_read(struct mgr_rtts *out, const struct tas_json *list) {
    *out = (struct mgr_rtts){0};
    for (size_t i = 0; i < tas_json_len(list) && out->n < MGR_RTTS; i++) {
        int64_t relay = tas_json_get_int(tas_json_at(list, i), "relay", 0);
        int64_t us = tas_json_get_int(tas_json_at(list, i), "us", -1);
        if (relay > 0 && us >= 0 && us < UNMEASURED_US)
            out->of[out->n++] = (struct mgr_rtt){relay, us};
    }
}

bool mgr_is_listed(const char *list, const char *word) {
    size_t len = strlen(word);
    for (const char *at = list; *at;) {
        size_t n = strcspn(at, ",");
        if (n == len && memcmp(at, word, len) == 0)
            return true;
        at += n + (at[n] == ',');
    }
    return false;
}

static bool is_usable(const struct store_relay *r, const char *regions, int64_t now_ms) {
    return strcmp(r->state, "up") == 0 && now_ms - r->seen_at <= MGR_RELAY_SILENT_MS &&
           (!regions[0] || mgr_is_listed(regions, r->region));
}

/* An end's time to a region: the best of what it measured there. */
static int64_t region_us(const struct mgr_rtts *rtts, const struct store_relay *relays, size_t n,
                         const char *region) {
    int64_t best = UNMEASURED_US;
    for (size_t i = 0; i < rtts->n; i++)
        for (size_t r = 0; r < n; r++)
            if (relays[r].id == rtts->of[i].relay && strcmp(relays[r].region, region) == 0 &&
                rtts->of[i].us < best)
                best = rtts->of[i].us;
    return best;
}

/* Share of its connections that a relay has in use, in thousandths. */
static int64_t load_of(const struct store_relay *r) {
    return r->max_connections > 0 ? r->ends * 1000 / r->max_connections : 0;
}

struct candidate {
    const struct store_relay *relay;
    int64_t us; /* of its region, both ends together */
};

/* By time of the region, then region, then load, then id. */
static bool is_before(const struct candidate *a, const struct candidate *b) {
    int names = strcmp(a->relay->region, b->relay->region);
    if (a->us != b->us)
        return a->us < b->us;
    if (names != 0)
        return names < 0;
    if (load_of(a->relay) != load_of(b->relay))
        return load_of(a->relay) < load_of(b->relay);
    return a->relay->id < b->relay->id;
}

static size_t rank(struct candidate out[RELAYS_MAX], const struct store_relay *relays, size_t n,
                   const char *regions, const struct mgr_rtts *host, const struct mgr_rtts *viewer,
                   int64_t now_ms) {
    size_t len = 0;
    for (size_t i = 0; i < n && len < RELAYS_MAX; i++) {
        if (!is_usable(&relays[i], regions, now_ms))
            continue;
        struct candidate c = {&relays[i], region_us(host, relays, n, relays[i].region) +
                                              region_us(viewer, relays, n, relays[i].region)};
        size_t at = len++;
        for (; at > 0 && is_before(&c, &out[at - 1]); at--)
            out[at] = out[at - 1];
        out[at] = c;
    }
    return len;
}

int mgr_choose(uint32_t ids[STORE_RELAYS], char region[STORE_REGION + 1], const struct store_relay *relays,
               size_t n, const char *regions, const struct mgr_rtts *host, const struct mgr_rtts *viewer,
               int64_t now_ms) {
    struct candidate ranked[RELAYS_MAX];
    size_t len = rank(ranked, relays, n, regions, host, viewer, now_ms);
    size_t chosen = 0;
    if (len == 0)
        return TAS_E_ABSENT;
    memset(ids, 0, STORE_RELAYS * sizeof(ids[0]));
    snprintf(region, STORE_REGION + 1, "%s", ranked[0].relay->region);
    for (size_t i = 0; i < len && chosen < STORE_RELAYS - 1; i++)
        if (strcmp(ranked[i].relay->region, region) == 0)
            ids[chosen++] = (uint32_t)ranked[i].relay->id;
    for (size_t i = 0; i < len && chosen < STORE_RELAYS; i++) {
        if (strcmp(ranked[i].relay->region, region) == 0)
            continue;
        ids[chosen++] = (uint32_t)ranked[i].relay->id;
        break;
    }
    return TAS_OK;
}
