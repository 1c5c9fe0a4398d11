/* Reads a catalogue as msgfmt writes it (GNU gettext manual, "The Format of GNU MO Files"). It is our own
 * data, made at build time; a damaged one still reads nothing outside itself. */
#pragma once

#include "base/bytes.h"

/* The translation of `english` (no context, no plural). NULL: there is none. Borrowed from `mo`. */
const char *ui_mo_find(struct tas_bytes mo, const char *english);
