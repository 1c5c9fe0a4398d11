/* Text that came from outside: is it UTF-8, and may it be shown? */
#pragma once

#include "base/bytes.h"

/* Valid UTF-8 (RFC 3629: shortest form, no surrogates, at most U+10FFFF)? */
bool tas_utf8_is_valid(struct tas_bytes text);

/* Valid UTF-8 without control characters (U+0000-1F, 7F-9F) and without characters that change the
 * direction of writing (U+061C, 200E-200F, 202A-202E, 2066-2069): safe to show beside our own words. */
bool tas_utf8_is_plain(struct tas_bytes text);

/* The next code point from the front of `r`. On broken UTF-8 or at the end: r->bad and 0. */
uint32_t tas_utf8_next(struct tas_reader *r);

/* Writes `cp` (a valid code point) as UTF-8 into `out`; the number of bytes, 1 to 4. */
size_t tas_utf8_put(uint8_t out[4], uint32_t cp);
