#include "api/sign.h"

#include "base/hex.h"
#include "base/id.h"

#include <inttypes.h>
#include <stdio.h>

bool api_token_is_sound(const char *token) {
    char id[TAS_ID_CAP];
    uint64_t value;
    uint8_t secret[32];
    if (strlen(token) != API_TOKEN || (token[0] != 'o' && token[0] != 'c') || token[1] != '.' ||
        token[2 + TAS_ID_TEXT] != '.')
        return false;
    memcpy(id, token + 2, TAS_ID_TEXT);
    id[TAS_ID_TEXT] = '\0';
    return tas_id_decode(&value, id) == TAS_OK &&
           tas_hex_decode(secret, sizeof(secret), token + 2 + TAS_ID_TEXT + 1) == TAS_OK;
}

int api_sign_request(char out[API_AUTHORIZATION], const struct tas_crypto *c, const uint8_t seed[32],
                     const char *token, uint64_t ms, const char *method, const char *target,
                     struct tas_bytes body) {
    char head[16 + API_TARGET_MAX + 24];
    if (strlen(method) > 8 || strlen(target) > API_TARGET_MAX || strlen(token) > API_TOKEN)
        return TAS_E_LIMIT;
    int len = snprintf(head, sizeof(head), "%s\n%s\n%" PRIu64 "\n", method, target, ms);
    uint8_t digest[32];
    uint8_t sig[64];
    int err = c->sha256(digest, &body, 1);
    const struct tas_bytes parts[] = {tas_bytes_of(head, (size_t)len), tas_bytes_of(digest, sizeof(digest))};
    if (err == TAS_OK)
        err = tas_sign(c, sig, seed, "TSK1 request", parts, 2);
    if (err != TAS_OK)
        return err;
    char hex[2 * sizeof(sig) + 1];
    tas_hex_encode(hex, tas_bytes_of(sig, sizeof(sig)));
    snprintf(out, API_AUTHORIZATION, "TSK1 %s %" PRIu64 " %s", token, ms, hex);
    return TAS_OK;
}

int api_sign_login(uint8_t sig[64], const struct tas_crypto *c, const uint8_t device_seed[32],
                   const uint8_t device_pk[32], const uint8_t nonce[API_NONCE]) {
    const struct tas_bytes parts[] = {tas_bytes_of(nonce, API_NONCE), tas_bytes_of(device_pk, 32)};
    return tas_sign(c, sig, device_seed, "TSK1 login", parts, 2);
}

int api_sign_claim(uint8_t sig[64], const struct tas_crypto *c, const uint8_t pop_seed[32],
                   const uint8_t pop_pk[32], const uint8_t nonce[API_NONCE],
                   const char number[API_NUMBER + 1]) {
    const struct tas_bytes parts[] = {tas_bytes_of(number, API_NUMBER), tas_bytes_of(pop_pk, 32),
                                      tas_bytes_of(nonce, API_NONCE)};
    return tas_sign(c, sig, pop_seed, "TSK1 claim", parts, 3);
}

int api_sign_renew(uint8_t sig[64], const struct tas_crypto *c, const uint8_t pop_seed[32],
                   const uint8_t nonce[API_NONCE], uint64_t session_id, enum tas_role role, uint8_t slot) {
    uint8_t place[10];
    struct tas_writer w = tas_writer_of(place, sizeof(place));
    tas_write_u64(&w, session_id);
    tas_write_u8(&w, (uint8_t)role);
    tas_write_u8(&w, slot);
    const struct tas_bytes parts[] = {tas_bytes_of(place, sizeof(place)), tas_bytes_of(nonce, API_NONCE)};
    return tas_sign(c, sig, pop_seed, "TSK1 renew", parts, 2);
}

static bool has_leading_zeros(const uint8_t digest[32], unsigned bits) {
    struct tas_reader r = tas_reader_of(tas_bytes_of(digest, 8));
    uint64_t first = tas_read_u64(&r);
    return bits == 0 || first >> (64 - bits) == 0;
}

bool api_pow_try(struct api_pow *pow, unsigned tries, uint8_t out[8]) {
    for (unsigned i = 0; i < tries; i++) {
        uint8_t value[8];
        uint8_t digest[32];
        struct tas_writer w = tas_writer_of(value, sizeof(value));
        tas_write_u64(&w, pow->next++);
        const struct tas_bytes parts[] = {tas_bytes_of(pow->nonce, API_NONCE),
                                          tas_bytes_of(pow->number, API_NUMBER),
                                          tas_bytes_of(pow->pop_pk, 32), tas_bytes_of(value, sizeof(value))};
        if (tas_hash(pow->crypto, digest, "TSK1 pow", parts, 4) != TAS_OK ||
            !has_leading_zeros(digest, pow->bits))
            continue;
        memcpy(out, value, sizeof(value));
        return true;
    }
    return false;
}
