/* Hexadecimal, for keys in configuration files and for ids in logs. */
#pragma once

#include "base/bytes.h"
#include "base/err.h"

/* Writes 2*len lower-case digits and a NUL into `out` (at least 2*len + 1 bytes). */
void tas_hex_encode(char *out, struct tas_bytes in);

/* Exactly `len` bytes from 2*len digits of either case. TAS_E_PROTO: other length or another character;
 * `out` is then untouched. */
TAS_MUST_USE int tas_hex_decode(uint8_t *out, size_t len, const char *text);

/* The value of a hexadecimal digit of either case; -1: it is none. */
int tas_hex_digit(char c);
