/* AUTH, RS1 and RS2 with good keys and changed bytes. u8: bit 0 RS or AUTH, bit 1 whose,
 * bit 2 the end that checks, bit 3 raw; then pairs
 * of u16 where, u8 mask (raw: the bytes themselves). Law: accepted only as it was made. */
#include "kit.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { AUTH_LEN = 416 };

static struct {
    struct kit kit;
    uint8_t auth[2][AUTH_LEN]; /* by sender */
    uint8_t rs[2][TAS_SIZE_RS];
    bool is_made;
} good;

static void make(void) {
    if (good.is_made)
        return;
    kit_init(&good.kit, &tas_crypto_sodium, TAS_SUITE_CHACHA20);
    struct tas_random_source source = kit_random_source(&good.kit.random);
    struct tas_resume_half half;
    for (unsigned i = 0; i < 2; i++) {
        struct tas_msg_auth auth;
        int err = tas_auth_make(good.kit.crypto, &auth, &good.kit.id[i], &good.kit.gen);
        assert(err == TAS_OK && tas_msg_auth_encode(&auth, good.auth[i], AUTH_LEN) == AUTH_LEN);
        unsigned end = !i; /* RS1 of the viewer first */
        err = tas_resume_make(good.kit.crypto, &half, &source, &good.kit.id[end], &good.kit.pair,
                              &good.kit.gen, end == KIT_HOST ? good.rs[KIT_VIEWER] : NULL);
        assert(err == TAS_OK);
        memcpy(good.rs[end], half.bytes, TAS_SIZE_RS);
    }
    good.is_made = true;
}

static struct tas_bytes changed(uint8_t *out, const uint8_t *from, size_t len, struct tas_reader *in,
                                bool is_raw) {
    if (is_raw)
        return in->in;
    memcpy(out, from, len);
    while (in->in.len >= 3) {
        uint16_t at = tas_read_u16(in);
        out[at % len] ^= tas_read_u8(in);
    }
    return tas_bytes_of(out, len);
}

static void check_auth(unsigned end, struct tas_bytes bytes) {
    struct tas_msg_auth auth;
    if (tas_msg_auth_decode(&auth, bytes) != TAS_OK)
        return;
    struct tas_auth_expected expected = kit_expected(&good.kit, end);
    struct tas_peer peer;
    int err = tas_auth_check(good.kit.crypto, &peer, &auth, &good.kit.id[end], &good.kit.gen, &expected);
    assert((err == TAS_OK) == (memcmp(bytes.ptr, good.auth[!end], AUTH_LEN) == 0));
}

static void check_rs(unsigned end, struct tas_bytes bytes) {
    const uint8_t *rs1 = end == KIT_VIEWER ? good.rs[KIT_VIEWER] : NULL;
    int err = tas_resume_check(good.kit.crypto, bytes, good.kit.id[end].role, good.kit.id[!end].pop_pk,
                               &good.kit.pair, &good.kit.gen, rs1);
    bool is_good = bytes.len == TAS_SIZE_RS && memcmp(bytes.ptr, good.rs[!end], TAS_SIZE_RS) == 0;
    assert((err == TAS_OK) == is_good);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    make();
    struct tas_reader in = tas_reader_of(tas_bytes_of(data, len));
    uint8_t what = tas_read_u8(&in);
    unsigned end = what >> 2 & 1, from = what >> 1 & 1; /* bit 1: whose message is taken as the model */
    uint8_t out[AUTH_LEN];
    if (what & 1)
        check_rs(end, changed(out, good.rs[from], TAS_SIZE_RS, &in, what & 8));
    else
        check_auth(end, changed(out, good.auth[from], AUTH_LEN, &in, what & 8));
    return 0;
}
