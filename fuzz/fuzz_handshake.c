/* Somebody in the middle of a handshake: a script of steps that deliver, change, repeat or invent messages.
 * Laws: both ends done with the same keys only if every byte arrived as it was sent; an end that failed stays
 * failed; what is written has its length. The ends' secrets are the same at every run. */
#include "kit.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { STEPS_MAX = 12 };

/* The first byte of each step: bit 0 to whom, bits 1-2 what. */
enum step {
    STEP_PASS,   /* the other end's last message as it is */
    STEP_CHANGE, /* likewise with a byte XORed: u8 where, u8 mask */
    STEP_RAW,    /* u8 length, bytes */
    STEP_OWN,    /* its own last message */
};

struct end {
    struct tas_handshake *hs;
    uint8_t last[TAS_HS_MAX];
    size_t last_len;
    bool has_failed;
};

static void deliver(struct end *to, struct tas_bytes msg) {
    uint8_t *exact = malloc(msg.len + 1); /* of the exact length, for ASan */
    uint8_t out[TAS_HS_MAX];
    assert(exact);
    if (msg.len)
        memcpy(exact + 1, msg.ptr, msg.len);
    int n = tas_handshake_input(to->hs, tas_bytes_of(exact + 1, msg.len), out);
    free(exact);
    assert(n == TAS_E_PROTO || n == TAS_E_AUTH || n == 0 || n == TAS_SIZE_H2 || n == TAS_SIZE_H3);
    assert(!to->has_failed || n < 0);
    to->has_failed = n < 0;
    if (n > 0) {
        memcpy(to->last, out, (size_t)n);
        to->last_len = (size_t)n;
    }
}

static void step(struct end ends[2], struct tas_reader *in) {
    uint8_t what = tas_read_u8(in);
    struct end *to = &ends[what & 1];
    const struct end *from = &ends[!(what & 1)];
    uint8_t msg[256];
    size_t len = from->last_len;
    memcpy(msg, from->last, len);
    switch ((enum step)(what >> 1 & 3)) {
    case STEP_CHANGE: {
        uint8_t at = tas_read_u8(in), mask = tas_read_u8(in);
        if (len)
            msg[at % len] ^= mask;
        break;
    }
    case STEP_RAW: {
        struct tas_bytes raw = tas_read_bytes(in, tas_read_u8(in));
        len = raw.len;
        if (len)
            memcpy(msg, raw.ptr, len);
        break;
    }
    case STEP_OWN:
        len = to->last_len;
        memcpy(msg, to->last, len);
        break;
    case STEP_PASS:
        break;
    }
    deliver(to, tas_bytes_of(msg, len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    static const struct tas_crypto *const tables[] = {&tas_crypto_openssl, &tas_crypto_sodium};
    struct tas_reader in = tas_reader_of(tas_bytes_of(data, len));
    struct kit kit = {.random.seed = 0x5eed};
    struct end ends[2] = {0};
    uint8_t setup = tas_read_u8(&in);
    kit.crypto = tables[setup & 1];
    for (unsigned i = 0; i < 2; i++) {
        uint16_t suites = (uint16_t)(1 + (setup >> (1 + 2 * i) & 3) % 3);
        struct tas_handshake_config cfg = kit_handshake_config(&kit, i, suites);
        ends[i].hs = tas_handshake_new(&cfg);
        assert(ends[i].hs);
    }
    int n = tas_handshake_start(ends[KIT_VIEWER].hs, ends[KIT_VIEWER].last);
    assert(n == TAS_SIZE_H1);
    ends[KIT_VIEWER].last_len = (size_t)n;
    uint8_t h1[TAS_SIZE_H1];
    memcpy(h1, ends[KIT_VIEWER].last, sizeof(h1));
    for (unsigned i = 0; i < STEPS_MAX && in.in.len > 0; i++)
        step(ends, &in);

    if (tas_handshake_is_done(ends[0].hs) && tas_handshake_is_done(ends[1].hs)) {
        struct tas_generation host, viewer;
        tas_handshake_take(ends[KIT_HOST].hs, &host);
        tas_handshake_take(ends[KIT_VIEWER].hs, &viewer);
        const struct tas_bytes sent[] = {tas_bytes_of(h1, sizeof(h1)),
                                         tas_bytes_of(ends[KIT_HOST].last, TAS_SIZE_H2),
                                         tas_bytes_of(ends[KIT_VIEWER].last, TAS_SIZE_H3)};
        uint8_t th[32];
        int err = tas_hash(kit.crypto, th, "TSK1 transcript", sent, 3);
        assert(err == TAS_OK);
        bool is_same = memcmp(host.th, viewer.th, 32) == 0;
        assert(is_same == (memcmp(host.traffic, viewer.traffic, sizeof(host.traffic)) == 0));
        assert(is_same == (memcmp(host.resume, viewer.resume, 32) == 0));
        assert(!is_same || memcmp(host.th, th, 32) == 0); /* nothing was changed on the way */
    }
    tas_handshake_free(ends[0].hs);
    tas_handshake_free(ends[1].hs);
    return 0;
}
