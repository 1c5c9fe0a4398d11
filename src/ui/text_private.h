/* po/ja.po as msgfmt compiled it, made into an array at build time (tools/embed.py). */
#pragma once

#include <stddef.h>
#include <stdint.h>

extern const uint8_t ui_mo_ja[];
extern const size_t ui_mo_ja_len;
