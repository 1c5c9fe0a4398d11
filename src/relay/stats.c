#include "relay/stats.h"

void relay_stats_print(struct relay_stats *stats, struct tas_http_reply *reply) {
#define X(name, kind, help)                                                                                  \
    tas_http_metric(reply, "relay", #name, kind, help,                                                       \
                    atomic_load_explicit(&stats->name, memory_order_relaxed));
    RELAY_STATS(X)
#undef X
}
