/* Reception numbers: eight random digits and a check digit. In the database stands a keyed hash. */
#include "manager/manager.h"

#include "base/damm.h"
#include "base/rand.h"

#include <stdio.h>
#include <stdlib.h>

enum { RANDOM_DIGITS = TAS_NUMBER_DIGITS - 1, TEN_TO_8 = 100000000, BITS_27 = (1 << 27) - 1 };

void mgr_number_draw(char out[10]) {
    uint32_t value;
    do {
        tas_random(&value, sizeof(value));
        value &= BITS_27; /* 134,217,727: three of four draws are below 10^8, and each number is as likely */
    } while (value >= TEN_TO_8);
    snprintf(out, 10, "%08u", value);
    out[RANDOM_DIGITS] = tas_damm_digit(out, RANDOM_DIGITS);
    out[TAS_NUMBER_DIGITS] = '\0';
}

int mgr_number_hash(const struct mgr *m, uint8_t out[32], const char number[10]) {
    const struct tas_bytes part = tas_bytes_of(number, TAS_NUMBER_DIGITS);
    return tas_mac(m->crypto, out, m->keys->number, "TSK1 number", &part, 1);
}

/* The number is XORed with a key stream of its own session: one value per session, never two under the same
 * stream. */
static int mask_of(const struct mgr *m, uint8_t out[32], uint64_t session_id) {
    uint8_t id[8];
    struct tas_writer w = tas_writer_of(id, sizeof(id));
    tas_write_u64(&w, session_id);
    const struct tas_bytes part = tas_bytes_of(id, sizeof(id));
    return tas_mac(m->crypto, out, m->keys->number, "TSK1 numbermask", &part, 1);
}

int mgr_number_seal(const struct mgr *m, uint8_t out[4], uint64_t session_id, const char number[10]) {
    uint8_t mask[32];
    int err = mask_of(m, mask, session_id);
    struct tas_writer w = tas_writer_of(out, 4);
    tas_write_u32(&w, (uint32_t)strtoul(number, NULL, 10));
    for (int i = 0; i < 4; i++)
        out[i] ^= mask[i];
    return err;
}

int mgr_number_open(const struct mgr *m, char out[10], uint64_t session_id, const uint8_t sealed[4]) {
    uint8_t mask[32];
    uint8_t plain[4];
    int err = mask_of(m, mask, session_id);
    for (int i = 0; i < 4; i++)
        plain[i] = (uint8_t)(sealed[i] ^ mask[i]);
    struct tas_reader r = tas_reader_of(tas_bytes_of(plain, sizeof(plain)));
    uint32_t value = tas_read_u32(&r);
    if (err != TAS_OK || value >= 1000000000)
        return err != TAS_OK ? err : TAS_E_PROTO;
    snprintf(out, 10, "%09u", value);
    return TAS_OK;
}

bool mgr_pow_is_done(const struct mgr *m, const uint8_t nonce[MGR_NONCE], const char number[10],
                     const uint8_t pop_pk[32], const uint8_t pow[8], unsigned bits) {
    uint8_t hash[32];
    const struct tas_bytes parts[] = {tas_bytes_of(nonce, MGR_NONCE), tas_bytes_of(number, TAS_NUMBER_DIGITS),
                                      tas_bytes_of(pop_pk, 32), tas_bytes_of(pow, 8)};
    if (tas_hash(m->crypto, hash, "TSK1 pow", parts, 4) != TAS_OK)
        return false;
    for (unsigned i = 0; i < bits; i++)
        if (hash[i / 8] & (0x80 >> (i % 8)))
            return false;
    return true;
}
