/* The binary range coder, both directions in one: each function takes `encode` as a compile-time constant, so
 * that the model above is written once and cannot differ between the two ends. docs/codec.md, "Range coder".
 */
#pragma once

#include "base/bytes.h"

/* `encode` is a constant only where all is in one function. Sanitizers swell that function tenfold (it takes
 * a minute to compile), so under them the compiler chooses: the same answers, only slower. */
#ifdef TAS_SANITIZED
#define TAS_INLINE static inline
#else
#define TAS_INLINE static inline __attribute__((always_inline))
#endif

enum {
    TAS_RC_SHIFT_FAST = 4,
    TAS_RC_SHIFT_SLOW = 6,
    TAS_RC_FIXED_BITS = 12, /* of the probability that tas_rc_fixed() is given */
    TAS_RC_RAW_MAX = 8,     /* most bits in one tas_rc_raw() */
    TAS_RC_TAIL = 2, /* bytes that tas_rc_finish() leaves open: the decoder reads them, whatever they are */
    TAS_RC_BIN_BITS = 12,   /* most bits of output that one bin can cost: tas_rc_bin() ... */
    TAS_RC_FIXED_COST = 13, /* ... and tas_rc_fixed() */
};

enum { TAS_PROB_COUNT = 15 }; /* the bits of `fast` that count the answers, up to 15 */

/* The probability that a bin is 0, in 1/65536, learnt at two speeds and averaged. The lower four bits of
 * `fast` count. */
struct tas_prob {
    uint16_t fast, slow;
};

#define TAS_PROB_HALF ((struct tas_prob){32768, 32768})

struct tas_rc {
    uint64_t low;     /* encoder: start of the interval; bit 32 is a carry */
    uint32_t range;   /* at least 2^24 between two calls */
    uint32_t code;    /* decoder: what was read, less the start of the interval */
    uint64_t pending; /* encoder: bytes held back for a carry: `held`, then pending - 1 times 0xff */
    uint8_t held;
    bool bad;     /* encoder: out is full; decoder: read past the end or a value that cannot be */
    uint8_t *out; /* encoder: `len` of `cap` bytes written */
    size_t len, cap;
    struct tas_bytes in; /* decoder: what is left */
};

/* The first byte that the arithmetic gives is always 0 and is not written: pending starts with none. */
TAS_INLINE struct tas_rc tas_rc_encoder_of(uint8_t *out, size_t cap) {
    return (struct tas_rc){.range = UINT32_MAX, .out = out, .cap = cap};
}

TAS_INLINE void tas_rc_put(struct tas_rc *rc, uint8_t byte) {
    if (rc->len == rc->cap) {
        rc->bad = true;
        return;
    }
    rc->out[rc->len++] = byte;
}

/* Moves the top byte of low out. A byte of 0xff waits, as a carry may still run through it (never through the
 * very first byte: the whole interval began at 0 and below 2^32). */
TAS_INLINE void tas_rc_shift_out(struct tas_rc *rc) {
    uint8_t carry = (uint8_t)(rc->low >> 32);
    if ((uint32_t)rc->low < 0xff000000u || carry || rc->pending == 0) {
        for (uint8_t byte = rc->held; rc->pending > 0; byte = 0xff, rc->pending--)
            tas_rc_put(rc, (uint8_t)(byte + carry));
        rc->held = (uint8_t)(rc->low >> 24);
    }
    rc->pending++;
    rc->low = (uint64_t)((uint32_t)rc->low << 8);
}

/* Writes what is left. Of the last TAS_RC_TAIL bytes that the decoder reads none is written: any value will
 * do. */
TAS_INLINE void tas_rc_finish(struct tas_rc *rc) {
    rc->low = (rc->low + 0xffff) & ~(uint64_t)0xffff; /* stays inside: range is at least 2^24 */
    for (int i = 0; i < 3; i++)
        tas_rc_shift_out(rc);
}

TAS_INLINE uint8_t tas_rc_get(struct tas_rc *rc) {
    if (rc->in.len == 0) {
        rc->bad = true;
        return 0;
    }
    rc->in.len--;
    return *rc->in.ptr++;
}

/* `in` ends with the TAS_RC_TAIL open bytes. */
TAS_INLINE struct tas_rc tas_rc_decoder_of(struct tas_bytes in) {
    struct tas_rc rc = {.range = UINT32_MAX, .in = in};
    for (int i = 0; i < 4; i++)
        rc.code = rc.code << 8 | tas_rc_get(&rc);
    return rc;
}

TAS_INLINE void tas_rc_normalize(const bool encode, struct tas_rc *rc) {
    while (rc->range < 1u << 24) {
        rc->range <<= 8;
        if (encode)
            tas_rc_shift_out(rc);
        else
            rc->code = rc->code << 8 | tas_rc_get(rc);
    }
}

/* The shift with which the nth answer is learnt, 1 / (n + 2) or so: what is new learns fast. */
static const uint8_t tas_prob_shifts[TAS_PROB_COUNT] = {1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 4, 5, 5, 6};

TAS_INLINE void tas_prob_learn(struct tas_prob *p, bool bin) {
    uint32_t count = p->fast & TAS_PROB_COUNT, fast = p->fast - count, slow = p->slow;
    unsigned shift = TAS_RC_SHIFT_SLOW, fast_shift = TAS_RC_SHIFT_FAST;
    if (count < TAS_PROB_COUNT) { /* rare: constant shifts are faster */
        shift = tas_prob_shifts[count];
        fast_shift = shift < TAS_RC_SHIFT_FAST ? shift : TAS_RC_SHIFT_FAST;
        count++;
    }
    if (bin) {
        fast -= fast >> fast_shift;
        slow -= slow >> shift;
    } else {
        fast += (65520 - fast) >> fast_shift;
        slow += (65535 - slow) >> shift;
    }
    p->fast = (uint16_t)((fast & ~(uint32_t)TAS_PROB_COUNT) | count);
    p->slow = (uint16_t)slow;
}

/* One adaptive bin; gives it back.
 * Why it costs at most TAS_RC_BIN_BITS: `slow` falls no lower than 63 (63 >> 6 is 0) and rises no higher than
 * 65472; `fast` less its count falls to 0 and rises to 65504 (16 / 16 = 1 is cut off). With up to 15 counted
 * on top of fast, their mean lies in 31..65495, so that neither value of the bin has less than 31/65536. With
 * range >= 2^24 the cut to 16 bits takes less than 1/256 of that: the interval shrinks by at most
 * 65536/31 * 256/255 < 2^11.1. */
TAS_INLINE bool tas_rc_bin(const bool encode, struct tas_rc *rc, struct tas_prob *p, bool bin) {
    uint32_t zero = (rc->range >> 16) * (((uint32_t)p->fast + p->slow) >> 1);
    if (!encode)
        bin = rc->code >= zero;
    if (bin) {
        rc->range -= zero;
        if (encode)
            rc->low += zero;
        else
            rc->code -= zero;
    } else {
        rc->range = zero;
    }
    tas_prob_learn(p, bin);
    tas_rc_normalize(encode, rc);
    return bin;
}

/* A bin of which `one` in 4096, 1 to 4095, is the probability to be 1. It is at least 1/4096 for either
 * value; the cut takes less than 1/4096 of it, so it costs less than TAS_RC_FIXED_COST bits. */
TAS_INLINE bool tas_rc_fixed(const bool encode, struct tas_rc *rc, uint32_t one, bool bin) {
    uint32_t part = (rc->range >> TAS_RC_FIXED_BITS) * one;
    if (!encode)
        bin = rc->code < part;
    if (bin) {
        rc->range = part;
    } else {
        rc->range -= part;
        if (encode)
            rc->low += part;
        else
            rc->code -= part;
    }
    tas_rc_normalize(encode, rc);
    return bin;
}

/* `n` bits (0 to TAS_RC_RAW_MAX) without a model. */
TAS_INLINE uint32_t tas_rc_raw(const bool encode, struct tas_rc *rc, uint32_t value, unsigned n) {
    rc->range >>= n;
    if (encode) {
        rc->low += (uint64_t)value * rc->range;
    } else {
        value = rc->code / rc->range;
        if (value >> n) {
            /* The division's rest: no encoder gets here. */
            rc->bad = true;
            value = (1u << n) - 1;
        }
        rc->code -= value * rc->range;
    }
    tas_rc_normalize(encode, rc);
    return value;
}

/* An `n`-bit value, highest bit first, each bin in the context of the bits before it. tree has 2^n entries.
 */
TAS_INLINE uint32_t tas_rc_tree(const bool encode, struct tas_rc *rc, struct tas_prob *tree, uint32_t value,
                                unsigned n) {
    uint32_t node = 1;
    for (unsigned i = n; i-- > 0;)
        node = node << 1 | tas_rc_bin(encode, rc, &tree[node], value >> i & 1);
    return node - (1u << n);
}

/* Contexts of tas_rc_number(): the length of value + 1 in unary, then its second highest bit. */
enum { TAS_RC_NUMBER_MAX_LOG = 14 };
struct tas_prob_number {
    struct tas_prob length[TAS_RC_NUMBER_MAX_LOG], high[TAS_RC_NUMBER_MAX_LOG + 1];
};

/* A number of 0 to 2^(max_log + 1) - 2, small ones being likely (Exp-Golomb, the first bits adaptive).
 * max_log: at most TAS_RC_NUMBER_MAX_LOG. */
TAS_INLINE uint32_t tas_rc_number(const bool encode, struct tas_rc *rc, struct tas_prob_number *p,
                                  uint32_t value, unsigned max_log) {
    unsigned log = 0, want = encode ? 31u - (unsigned)__builtin_clz(value + 1) : 0;
    while (log < max_log && tas_rc_bin(encode, rc, &p->length[log], log < want))
        log++;
    if (log == 0)
        return 0;
    uint32_t rest = encode ? value + 1 - (1u << log) : 0;
    unsigned left = log - 1;
    uint32_t got = tas_rc_bin(encode, rc, &p->high[log], rest >> left & 1);
    while (left > 0) {
        unsigned n = left > TAS_RC_RAW_MAX ? TAS_RC_RAW_MAX : left;
        left -= n;
        got = got << n | tas_rc_raw(encode, rc, rest >> left & ((1u << n) - 1), n);
    }
    return got + (1u << log) - 1;
}
