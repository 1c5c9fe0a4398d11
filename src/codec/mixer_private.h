/* Predictions of a bin from several contexts, weighed by how well each of them did before (logistic mixing):
 * the best there is in bytes, but slow, so only for what nothing else foretold. Integers only, both ends come
 * to the same. docs/codec.md, "Mixed bytes". */
#pragma once

#include "codec/rangecoder_private.h"

enum {
    TAS_MIX_INPUTS = 6,
    TAS_MIX_SLOT_BITS = 12,       /* per input, log2 of the slots */
    TAS_MIX_ONE = 4096,           /* a probability of 1 */
    TAS_MIX_COUNT = 15,           /* the bits of a leaf that count its answers */
    TAS_MIX_LIMIT = 2047,         /* how sure an input can be; 256 is odds of e to 1 */
    TAS_MIX_WEIGHT = 20000,       /* at the start; 65536 is 1 */
    TAS_MIX_WEIGHT_MAX = 1 << 19, /* so that no sum overflows */
    TAS_MIX_RATE = 24,
};

#define TAS_MIX_UNROLL _Pragma("GCC unroll 6")

/* What one context knows of half a byte. leaf[0] is the context's check; leaf[node] is the probability that
 * the bin is 1 in its upper 12 bits, and in the lower 4 how often it was asked. Nodes are as in
 * tas_rc_tree(). */
struct tas_mix_slot {
    uint16_t leaf[16];
};

struct tas_mix {
    _Alignas(64) struct tas_mix_slot slots[TAS_MIX_INPUTS][1 << TAS_MIX_SLOT_BITS];
};

/* How far each input is trusted, for each node of a byte. */
struct tas_mix_weights {
    int32_t of[256][TAS_MIX_INPUTS];
};

/* ln(p / (1 - p)) and back; both ends compute them alike. */
struct tas_mix_tables {
    int16_t stretch[TAS_MIX_ONE]; /* of p / 4096 */
    uint16_t squash[TAS_MIX_ONE]; /* from -2048 on */
};

void tas_mix_tables_init(struct tas_mix_tables *tables);
void tas_mix_reset(struct tas_mix *mix);
void tas_mix_weights_reset(struct tas_mix_weights *weights);

/* The slot of a context: one of two neighbours. A stranger takes the one that was asked less. */
TAS_INLINE struct tas_mix_slot *tas_mix_find(struct tas_mix_slot *slots, uint32_t hash) {
    uint32_t at = hash >> (32 - TAS_MIX_SLOT_BITS);
    struct tas_mix_slot *first = &slots[at], *second = &slots[at ^ 1];
    uint16_t check = (uint16_t)(hash ^ hash << 5);
    if (first->leaf[0] == check)
        return first;
    if (second->leaf[0] == check)
        return second;
    bool is_second_less = (second->leaf[1] & TAS_MIX_COUNT) < (first->leaf[1] & TAS_MIX_COUNT);
    struct tas_mix_slot *taken = is_second_less ? second : first;
    taken->leaf[0] = check;
    for (int node = 1; node < 16; node++)
        taken->leaf[node] = 0x8000;
    return taken;
}

/* All are called for before the first is looked at: together they take no longer than one. */
TAS_INLINE void tas_mix_find_all(struct tas_mix *mix, const uint32_t hashes[TAS_MIX_INPUTS],
                                 struct tas_mix_slot *slots[TAS_MIX_INPUTS]) {
    for (int i = 0; i < TAS_MIX_INPUTS; i++)
        __builtin_prefetch(&mix->slots[i][hashes[i] >> (32 - TAS_MIX_SLOT_BITS)], 1);
    for (int i = 0; i < TAS_MIX_INPUTS; i++)
        slots[i] = tas_mix_find(mix->slots[i], hashes[i]);
}

TAS_INLINE void tas_mix_leaf_learn(uint16_t *leaf, bool bin) {
    static const uint8_t shifts[TAS_MIX_COUNT + 1] = {1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 4, 5, 5, 5, 5};
    uint32_t count = *leaf & TAS_MIX_COUNT;
    int32_t target = bin ? 65535 : 0, p = *leaf;
    p += (target - p) >> shifts[count]; /* no branch: which way it goes is anyone's guess */
    count += count < TAS_MIX_COUNT;
    *leaf = (uint16_t)(((uint32_t)p & ~(uint32_t)TAS_MIX_COUNT) | count);
}

/* One bin from the leaves of all inputs; they and the weights learn it. */
TAS_INLINE bool tas_mix_bin(const bool encode, struct tas_rc *rc, const struct tas_mix_tables *tables,
                            uint16_t *const leaves[TAS_MIX_INPUTS], int32_t weights[TAS_MIX_INPUTS],
                            bool bin) {
    int32_t inputs[TAS_MIX_INPUTS], sum = 0;
    TAS_MIX_UNROLL
    for (int i = 0; i < TAS_MIX_INPUTS; i++) {
        inputs[i] = tables->stretch[*leaves[i] >> 4];
        sum += (inputs[i] * weights[i]) >> 8;
    }
    sum >>= 8;
    sum = sum > TAS_MIX_LIMIT ? TAS_MIX_LIMIT : sum < -TAS_MIX_LIMIT ? -TAS_MIX_LIMIT : sum;
    uint32_t one = tables->squash[sum + TAS_MIX_ONE / 2];
    bin = tas_rc_fixed(encode, rc, one, bin);

    int32_t error = ((bin ? TAS_MIX_ONE - 1 : 0) - (int32_t)one) * TAS_MIX_RATE;
    TAS_MIX_UNROLL
    for (int i = 0; i < TAS_MIX_INPUTS; i++) {
        int32_t weight = weights[i] + ((inputs[i] * error + 0x2000) >> 14);
        weight = weight > TAS_MIX_WEIGHT_MAX ? TAS_MIX_WEIGHT_MAX : weight;
        weights[i] = weight < -TAS_MIX_WEIGHT_MAX ? -TAS_MIX_WEIGHT_MAX : weight;
        tas_mix_leaf_learn(leaves[i], bin);
    }
    return bin;
}

/* Half a byte; `above`: the other half with a 1 before it, or 1 while that is being coded. Gives 1abcd. */
TAS_INLINE uint32_t tas_mix_half(const bool encode, struct tas_rc *rc, const struct tas_mix_tables *tables,
                                 struct tas_mix_slot *const slots[TAS_MIX_INPUTS],
                                 struct tas_mix_weights *weights, uint32_t above, uint32_t value) {
    uint32_t node = 1;
    for (int bit = 3; bit >= 0; bit--) {
        uint16_t *leaves[TAS_MIX_INPUTS];
        TAS_MIX_UNROLL
        for (int i = 0; i < TAS_MIX_INPUTS; i++)
            leaves[i] = &slots[i]->leaf[node];
        uint32_t whole = (above << (3 - bit)) | (node & ((1u << (3 - bit)) - 1));
        node = node << 1 | tas_mix_bin(encode, rc, tables, leaves, weights->of[whole], value >> bit & 1);
    }
    return node;
}

/* A byte. contexts: hashes of which all 32 bits count. */
TAS_INLINE uint32_t tas_mix_byte(const bool encode, struct tas_rc *rc, struct tas_mix *mix,
                                 const struct tas_mix_tables *tables, struct tas_mix_weights *weights,
                                 const uint32_t contexts[TAS_MIX_INPUTS], uint32_t value) {
    struct tas_mix_slot *slots[TAS_MIX_INPUTS];
    tas_mix_find_all(mix, contexts, slots);
    uint32_t high = tas_mix_half(encode, rc, tables, slots, weights, 1, value >> 4);
    uint32_t below[TAS_MIX_INPUTS];
    for (int i = 0; i < TAS_MIX_INPUTS; i++)
        below[i] = (contexts[i] ^ high * 0x85ebca6bu) * 0x9e3779b1u;
    tas_mix_find_all(mix, below, slots);
    uint32_t low = tas_mix_half(encode, rc, tables, slots, weights, high, value & 15);
    return (high & 15) << 4 | (low & 15);
}
