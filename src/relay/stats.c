#include "relay/stats.h"

#include <inttypes.h>

void relay_stats_print(struct relay_stats *stats, struct tas_http_reply *reply) {
#define X(name, kind, help)                                                                                  \
    tas_http_printf(reply,                                                                                   \
                    "# HELP tasuki_relay_" #name " " help "\n# TYPE tasuki_relay_" #name " " kind "\n"       \
                    "tasuki_relay_" #name " %" PRId64 "\n",                                                  \
                    atomic_load_explicit(&stats->name, memory_order_relaxed));
    RELAY_STATS(X)
#undef X
}
