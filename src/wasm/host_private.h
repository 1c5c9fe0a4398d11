/* What the module asks of its host: the imports, all from "tasuki_host". The functions of crypto.h by the
 * same names; what gives an int gives TAS_OK or a negative TAS_E_*. Addresses are good during the call only.
 */
#pragma once

#include "base/bytes.h"

#define HOST_IMPORT(name) __attribute__((import_module("tasuki_host"), import_name(name)))

/* An assertion of ours does not hold: tell people. The module traps afterwards and must be thrown away. */
HOST_IMPORT("failed") void host_failed(const char *what, const char *file, uint32_t line);

HOST_IMPORT("random") void host_random(void *out, size_t len);
HOST_IMPORT("suites") uint32_t host_suites(void); /* mask of tas_suite that the host can do */
HOST_IMPORT("sha256") int host_sha256(uint8_t out[32], const struct tas_bytes *parts, size_t n);
HOST_IMPORT("hmac")
int host_hmac(uint8_t out[32], const uint8_t *key, size_t key_len, const struct tas_bytes *parts, size_t n);
HOST_IMPORT("x25519_public") int host_x25519_public(uint8_t pk[32], const uint8_t sk[32]);
HOST_IMPORT("x25519") int host_x25519(uint8_t out[32], const uint8_t sk[32], const uint8_t pk[32]);
HOST_IMPORT("ed25519_public") int host_ed25519_public(uint8_t pk[32], const uint8_t seed[32]);
HOST_IMPORT("ed25519_sign")
int host_ed25519_sign(uint8_t sig[64], const uint8_t seed[32], const uint8_t *msg, size_t len);
HOST_IMPORT("ed25519_verify")
int host_ed25519_verify(const uint8_t sig[64], const uint8_t pk[32], const uint8_t *msg, size_t len);

/* A number for the key that stays good until host_aead_free(); 0: cannot be. */
HOST_IMPORT("aead_new") uint32_t host_aead_new(uint32_t suite, const uint8_t key[32]);
HOST_IMPORT("aead_free") void host_aead_free(uint32_t aead);
HOST_IMPORT("seal")
int host_seal(uint32_t aead, uint8_t *out, const uint8_t iv[12], const uint8_t *aad, size_t aad_len,
              const uint8_t *text, size_t len);
HOST_IMPORT("open")
int host_open(uint32_t aead, uint8_t *out, const uint8_t iv[12], const uint8_t *aad, size_t aad_len,
              const uint8_t *sealed, size_t len);

/* Rough pixels, for the decoder or session at `owner`: width x height of them at px, as 0x00RRGGBB.
 * TAS_E_PROTO: these bytes are no such picture. */
HOST_IMPORT("jpeg")
int host_jpeg(uint32_t owner, uint32_t *px, uint32_t stride, uint32_t width, uint32_t height,
              uint32_t quality, uint32_t is_full_colour, const uint8_t *scan, size_t len);
HOST_IMPORT("video")
int host_video(uint32_t owner, uint32_t *px, uint32_t stride, uint32_t width, uint32_t height, uint32_t x,
               uint32_t y, uint32_t id, uint32_t codec, uint32_t is_start, const uint8_t *chunk, size_t len);
