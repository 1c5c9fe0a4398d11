/* JSON, as far as it is written by hand: strings (jansson does the escaping). */
#pragma once

#include "base/bytes.h"

/* `text` (UTF-8) as a JSON string with its quotes. Owned by the caller, free(). NULL: not UTF-8, or no
 * memory. */
char *tas_json_string(struct tas_bytes text);
