/* What tools sign when they talk to a management server, byte by byte. Pure: no I/O, no clock. */
#pragma once

#include "crypto/crypto.h"
#include "wire/record.h"

enum {
    API_TOKEN = 80, /* "o." or "c.", an id, ".", 64 hexadecimal digits */
    API_NONCE = 48,
    API_NUMBER = 9, /* digits of a reception number */
    API_AUTHORIZATION = 5 + API_TOKEN + 1 + 20 + 1 + 128 + 1,
    API_TARGET_MAX = 512,
};

/* Is it of the form that a server gives out? */
bool api_token_is_sound(const char *token);

/* The value of the Authorization header: "TSK1 <token> <ms> <sig>". method: "POST"; target: path and query as
 * sent, at most API_TARGET_MAX bytes; ms: the server's time. TAS_E_LIMIT: target too long. */
TAS_MUST_USE int api_sign_request(char out[API_AUTHORIZATION], const struct tas_crypto *c,
                                  const uint8_t seed[32], const char *token, uint64_t ms, const char *method,
                                  const char *target, struct tas_bytes body);

TAS_MUST_USE int api_sign_login(uint8_t sig[64], const struct tas_crypto *c, const uint8_t device_seed[32],
                                const uint8_t device_pk[32], const uint8_t nonce[API_NONCE]);
TAS_MUST_USE int api_sign_claim(uint8_t sig[64], const struct tas_crypto *c, const uint8_t pop_seed[32],
                                const uint8_t pop_pk[32], const uint8_t nonce[API_NONCE],
                                const char number[API_NUMBER + 1]);
TAS_MUST_USE int api_sign_renew(uint8_t sig[64], const struct tas_crypto *c, const uint8_t pop_seed[32],
                                const uint8_t nonce[API_NONCE], uint64_t session_id, enum tas_role role,
                                uint8_t slot);

/* ---- proof of work: a claim that costs its sender something, when numbers are being guessed ---- */

struct api_pow {
    const struct tas_crypto *crypto;
    uint8_t nonce[API_NONCE];
    char number[API_NUMBER + 1];
    uint8_t pop_pk[32];
    unsigned bits;
    uint64_t next; /* the next value to try; start anywhere */
};

/* Tries up to `tries` values. True: out solves it. False: call again. */
bool api_pow_try(struct api_pow *pow, unsigned tries, uint8_t out[8]);
