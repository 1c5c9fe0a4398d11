/* Which relays a session gets: measured by both ends, by region, then by load. Pure. */
#pragma once

#include "base/json.h"
#include "store/fleet.h"
#include "store/session.h"

enum { MGR_RTTS = 16, MGR_RELAY_SILENT_MS = 20 * 1000 };

/* What one end measured. */
struct mgr_rtt {
    int64_t relay; /* id */
    int64_t us;
};
struct mgr_rtts {
    struct mgr_rtt of[MGR_RTTS];
    size_t n;
};

/* Reads [{"relay":1,"us":12000},...]; what does not fit is left out. NULL gives none. */
void mgr_rtts_read(struct mgr_rtts *out, const struct tas_json *list);

/* Fills ids (0 unused) and region: the region with the least sum of both ends' times among those that are up,
 * heard of within 20 s and permitted; of it the least loaded relay first; then up to two more of it, and the
 * last from the next best region (docs/protocol.md section 1). Where nobody measured anything, load and id
 * decide. regions: "jp,eu", "" all. TAS_E_ABSENT: no relay can be had. */
TAS_MUST_USE int mgr_choose(uint32_t ids[STORE_RELAYS], char region[STORE_REGION + 1],
                            const struct store_relay *relays, size_t n, const char *regions,
                            const struct mgr_rtts *host, const struct mgr_rtts *viewer, int64_t now_ms);

/* Is the word in the list "a,b,c"? */
bool mgr_is_listed(const char *list, const char *word);
