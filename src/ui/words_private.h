/* The tables of words.c, for its tests. */
#pragma once

#include <stdbool.h>

enum {
    UI_WORDS_WAIT = 1,  /* says when to try again */
    UI_WORDS_QUOTE = 2, /* adds the server's own words */
};

struct ui_words_row {
    const char *key, *then; /* a code; or what stands in `detail`, and what must follow it, NULL: nothing */
    const char *title, *customer;
    const char *operator_; /* NULL: as for the customer */
    unsigned flags;
};

/* Both end with a row without a key. */
extern const struct ui_words_row ui_words_transport[];
extern const struct ui_words_row ui_words_codes[];

bool ui_words_has_code(const char *code);
