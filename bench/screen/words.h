/* What people of a help desk read and write. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum words_kind { WORDS_ENGLISH, WORDS_JAPANESE, WORDS_CODE, WORDS_KINDS };

const char *words_line(enum words_kind kind, uint32_t which);

/* A few lines, one after the other, ended by a NUL. */
void words_paragraph(char *out, size_t cap, enum words_kind kind, uint32_t *seed);
