/* A relay between two sealers with a key update every four records: a script of steps that seal, deliver,
 * change, replay and invent records. Law: a record opens only as it was sealed, by the other end, in the
 * order of its class, once; what does not open changes nothing (the right one opens afterwards). */
#include "kit.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { STEPS_MAX = 64, KEPT = 16, TEXT_MAX = 40, RECORD_MAX = TEXT_MAX + TAS_SEALED_OVERHEAD };

/* The first byte of each step: bits 0-2 what, bit 3 who, bits 4-5 class. */
enum step {
    STEP_SEAL,    /* u8 length of text */
    STEP_DELIVER, /* the next one of the class */
    STEP_REPLAY,  /* the one before it */
    STEP_SKIP,    /* the one behind it */
    STEP_CHANGE,  /* the next one: u8 where, u8 mask (where = 255: pf) */
    STEP_REFLECT, /* the next one, to its own sender */
    STEP_RAW,     /* u8 pf, u8 length, bytes */
    STEP_WAIT,    /* u8 seconds */
};

struct kept {
    uint8_t bytes[RECORD_MAX];
    size_t len;
    uint8_t what;
    uint32_t phase;
};

struct world {
    struct tas_sealer *end[2];
    struct kept kept[2][TAS_CLASSES][KEPT];
    unsigned sealed[2][TAS_CLASSES], opened[2][TAS_CLASSES]; /* by sender */
    uint64_t now_us;
};

static int open_at(struct world *w, unsigned to, uint8_t pf, struct tas_bytes bytes, uint8_t *first) {
    uint8_t out[512];
    assert(bytes.len <= sizeof(out));
    int n = tas_sealer_open(w->end[to], pf, bytes, out, w->now_us);
    *first = n > 0 ? out[0] : 0;
    return n;
}

static void step_seal(struct world *w, unsigned from, uint8_t cls, struct tas_reader *in) {
    unsigned *n = &w->sealed[from][cls];
    size_t len = tas_read_u8(in) % TEXT_MAX + 1;
    if (*n - w->opened[from][cls] >= KEPT - 2)
        return;
    struct kept *k = &w->kept[from][cls][*n % KEPT];
    uint8_t text[TEXT_MAX];
    memset(text, (int)*n, sizeof(text));
    int got =
        tas_sealer_seal(w->end[from], cls, tas_bytes_of(text, len), k->bytes, sizeof(k->bytes), w->now_us);
    assert(got == (int)len + TAS_SEALED_OVERHEAD);
    k->len = (size_t)got;
    k->what = (uint8_t)*n;
    k->phase = tas_sealer_phase(w->end[from]);
    (*n)++;
}

/* After an update a record may be too early (two phases ahead of a class that lags) or too late (30 s
 * behind): then it is refused and stays the next one. */
static void step_deliver(struct world *w, unsigned from, uint8_t cls) {
    unsigned n = w->opened[from][cls];
    if (n == w->sealed[from][cls])
        return;
    const struct kept *k = &w->kept[from][cls][n % KEPT];
    uint8_t first;
    int got = open_at(w, !from, cls, tas_bytes_of(k->bytes, k->len), &first);
    if (got < 0) {
        assert(got == TAS_E_PROTO || got == TAS_E_AUTH);
        assert(tas_sealer_phase(w->end[from]) > 0);
        return;
    }
    assert(got == (int)k->len - TAS_SEALED_OVERHEAD && first == k->what);
    w->opened[from][cls]++;
}

static void must_not_open(struct world *w, unsigned to, uint8_t pf, struct tas_bytes bytes) {
    uint8_t first;
    int got = open_at(w, to, pf, bytes, &first);
    assert(got == TAS_E_PROTO || got == TAS_E_AUTH || got == TAS_E_ABSENT);
}

static void step_change(struct world *w, unsigned from, uint8_t cls, struct tas_reader *in) {
    uint8_t at = tas_read_u8(in), mask = tas_read_u8(in), pf = cls;
    if (w->opened[from][cls] == w->sealed[from][cls] || mask == 0)
        return;
    struct kept k = w->kept[from][cls][w->opened[from][cls] % KEPT];
    if (at == 255)
        pf ^= mask;
    else
        k.bytes[at % k.len] ^= mask;
    must_not_open(w, !from, pf, tas_bytes_of(k.bytes, k.len));
}

static void step(struct world *w, struct tas_reader *in) {
    uint8_t what = tas_read_u8(in);
    unsigned from = what >> 3 & 1;
    uint8_t cls = what >> 4 & 3;
    unsigned next = w->opened[from][cls], last = w->sealed[from][cls];
    const struct kept *kept = w->kept[from][cls];
    switch ((enum step)(what & 7)) {
    case STEP_SEAL:
        step_seal(w, from, cls, in);
        break;
    case STEP_DELIVER:
        step_deliver(w, from, cls);
        break;
    case STEP_REPLAY:
        if (next > 0)
            must_not_open(w, !from, cls,
                          tas_bytes_of(kept[(next - 1) % KEPT].bytes, kept[(next - 1) % KEPT].len));
        break;
    case STEP_SKIP: /* unless it is the first of a new phase, which may come when the rest was lost */
        if (next + 1 < last && kept[(next + 1) % KEPT].phase == kept[next % KEPT].phase)
            must_not_open(w, !from, cls,
                          tas_bytes_of(kept[(next + 1) % KEPT].bytes, kept[(next + 1) % KEPT].len));
        break;
    case STEP_CHANGE:
        step_change(w, from, cls, in);
        break;
    case STEP_REFLECT:
        if (next < last)
            must_not_open(w, from, cls, tas_bytes_of(kept[next % KEPT].bytes, kept[next % KEPT].len));
        break;
    case STEP_RAW: {
        uint8_t pf = tas_read_u8(in);
        struct tas_bytes raw = tas_read_bytes(in, tas_read_u8(in));
        must_not_open(w, !from, pf, raw);
        break;
    }
    case STEP_WAIT:
        w->now_us += (uint64_t)tas_read_u8(in) * 1000 * 1000;
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    static struct kit kit;
    if (!kit.crypto)
        kit_init(&kit, &tas_crypto_sodium, TAS_SUITE_CHACHA20);
    static struct world w;
    memset(&w, 0, sizeof(w));
    struct tas_reader in = tas_reader_of(tas_bytes_of(data, len));
    for (unsigned i = 0; i < 2; i++)
        w.end[i] = kit_sealer(&kit, i, 4);
    for (unsigned i = 0; i < STEPS_MAX && in.in.len > 0; i++)
        step(&w, &in);
    tas_sealer_free(w.end[0]);
    tas_sealer_free(w.end[1]);
    return 0;
}
