/* The cryptography of the host behind the table that all others use. */
#pragma once

#include "crypto/crypto.h"

/* Its `suites` are all that are known: what the host can do, host_suites() tells. */
extern const struct tas_crypto wasm_crypto;
