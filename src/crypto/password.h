/* Passwords: Argon2id by libsodium (t=2, m=19456 KiB, p=1), and what may be one. Any thread may call. */
#pragma once

#include "base/err.h"

#include <stdbool.h>

enum { TAS_PASSWORD_HASH_CAP = 128 };

/* The hash as text, with its parameters and salt. TAS_E_NOMEM: 19 MiB were not to be had. */
TAS_MUST_USE int tas_password_hash(char out[TAS_PASSWORD_HASH_CAP], const char *password);

/* TAS_OK: right. TAS_E_AUTH: wrong. TAS_E_NOMEM: 19 MiB were not to be had, so nobody knows. hash NULL, or
 * not a hash (or one that would cost far more than ours): a dummy is checked, which takes as long and is
 * always wrong. */
TAS_MUST_USE int tas_password_check(const char *hash, const char *password);

/* Was it made with weaker parameters than today's (or is it no Argon2id hash at all)? */
bool tas_password_is_old(const char *hash);

/* ACC-2's rule: 8 to 20 printable ASCII characters (half-width letters, digits, symbols), at least one letter
 * and one digit or symbol; and none that cracklib knows as broken (a word, a word with digits behind it, a
 * pattern), where its dictionary is installed. NULL: fine. Otherwise what is wrong, in words; static. Takes
 * some ms of disk reading. */
const char *tas_password_rule(const char *password);
