/* Limits on guessing: wrong numbers per address and per network, kept in the database so that all management
 * servers count together and a restart forgets nothing. */
#include "manager/manager.h"

#include "net/socket.h"

#include <stdio.h>

enum { HOUR_MS = 3600 * 1000, MINUTE_MS = 60 * 1000, SCOPES = 3, POW_LEAST = 16, POW_MOST = 24 };

#define SCOPE_ALL "all"

struct scope {
    char name[STORE_IP];
    int64_t share; /* times config->misses_per_hour */
};

/* A v4 address, or a v6 /64, /56 and /48: whoever has a network has all of its addresses. */
static size_t scopes_of(const uint8_t source[16], struct scope out[SCOPES]) {
    static const struct {
        int bits;
        int64_t share;
    } nets[SCOPES] = {{64, 1}, {56, 4}, {48, 16}};
    if (tas_address_is_v4(source)) {
        snprintf(out[0].name, STORE_IP, "32:%u.%u.%u.%u", source[12], source[13], source[14], source[15]);
        out[0].share = 1;
        return 1;
    }
    for (size_t i = 0; i < SCOPES; i++) {
        int n = snprintf(out[i].name, STORE_IP, "%d:", nets[i].bits);
        for (int b = 0; b < nets[i].bits / 8; b++)
            n += snprintf(out[i].name + n, (size_t)(STORE_IP - n), "%02x", source[b]);
        out[i].share = nets[i].share;
    }
    return SCOPES;
}

/* Twice the misses: one bit more. */
static unsigned pow_bits_of(int64_t misses, int64_t threshold) {
    unsigned bits = POW_LEAST;
    if (misses <= threshold)
        return 0;
    for (int64_t level = threshold > 0 ? threshold : 1; misses > level * 2 && bits < POW_MOST; level *= 2)
        bits++;
    return bits;
}

int mgr_misses_look(struct mgr *m, struct tas_db *db, const uint8_t source[16], int64_t now_ms,
                    struct mgr_misses *out) {
    struct scope scopes[SCOPES];
    size_t n = scopes_of(source, scopes);
    int64_t count = 0;
    int err = TAS_OK;
    *out = (struct mgr_misses){0};
    for (size_t i = 0; i < n && err == TAS_OK; i++) {
        err = store_miss_count(db, scopes[i].name, now_ms - HOUR_MS, &count);
        out->is_over = out->is_over || count >= scopes[i].share * (int64_t)m->config->misses_per_hour;
    }
    if (err == TAS_OK)
        err = store_miss_count(db, SCOPE_ALL, now_ms - MINUTE_MS, &count);
    if (err == TAS_OK)
        out->pow_bits = pow_bits_of(count, m->config->pow_above_per_minute);
    return err;
}

int mgr_misses_add(struct mgr *m, struct tas_db *db, const uint8_t source[16], int64_t now_ms) {
    struct scope scopes[SCOPES];
    size_t n = scopes_of(source, scopes);
    int err = TAS_OK;
    (void)m;
    for (size_t i = 0; i < n && err == TAS_OK; i++)
        err = store_miss_add(db, scopes[i].name, now_ms, now_ms - HOUR_MS);
    return err != TAS_OK ? err : store_miss_add(db, SCOPE_ALL, now_ms, now_ms - MINUTE_MS);
}
