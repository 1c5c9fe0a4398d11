#include "base/id.h"

#include <string.h>

enum { NODE_BITS = 10, SEQ_BITS = 12, MASK_5 = 31, TOP_SHIFT = 60 };

static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";

/* `last` counts ms * 4096 + sequence: one more is the next sequence number, and past 4095 the next ms. */
uint64_t tas_id_next(struct tas_id_source *source, uint64_t wall_ms) {
    uint64_t floor = (wall_ms > TAS_ID_EPOCH_MS ? wall_ms - TAS_ID_EPOCH_MS : 0) << SEQ_BITS;
    uint64_t last = atomic_load(&source->last);
    uint64_t next;
    do
        next = last + 1 > floor ? last + 1 : floor;
    while (!atomic_compare_exchange_weak(&source->last, &last, next));
    uint64_t ms = next >> SEQ_BITS;
    uint64_t seq = next & ((1u << SEQ_BITS) - 1);
    return ms << (NODE_BITS + SEQ_BITS) | (uint64_t)(source->node % TAS_ID_NODES) << SEQ_BITS | seq;
}

uint64_t tas_id_ms(uint64_t id) {
    return (id >> (NODE_BITS + SEQ_BITS)) + TAS_ID_EPOCH_MS;
}

uint64_t tas_id_least(uint64_t wall_ms) {
    return wall_ms > TAS_ID_EPOCH_MS ? (wall_ms - TAS_ID_EPOCH_MS) << (NODE_BITS + SEQ_BITS) : 0;
}

char *tas_id_encode(char out[TAS_ID_CAP], uint64_t id) {
    for (int i = 0; i < TAS_ID_TEXT; i++)
        out[i] = digits[id >> (TOP_SHIFT - 5 * i) & MASK_5];
    out[TAS_ID_TEXT] = '\0';
    return out;
}

int tas_id_decode(uint64_t *out, const char *text) {
    uint64_t id = 0;
    for (int i = 0; i < TAS_ID_TEXT; i++) {
        char c = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] + ('a' - 'A')) : text[i];
        const char *at = c ? strchr(digits, c) : NULL;
        if (!at || (i == 0 && at - digits > 15)) /* 13 * 5 is one bit more than there is */
            return TAS_E_PROTO;
        id = id << 5 | (uint64_t)(at - digits);
    }
    if (text[TAS_ID_TEXT] != '\0')
        return TAS_E_PROTO;
    *out = id;
    return TAS_OK;
}
