/* What the tool remembers from one start to the next: whose desk it is and the language. Never a password.
 * $XDG_CONFIG_HOME/tasuki/operator.ini, for its owner only. */
#pragma once

#include "api/objects.h"

struct remember {
    char company[API_WORD + 1], id[API_NAME + 1];
    char language[API_WORD + 1]; /* "ja", "en"; "" as the system says */
};

/* What cannot be read is empty. */
void remember_load(struct remember *out);

/* A disk that is full costs nothing but the remembering: it is logged. */
void remember_save(const struct remember *remember);
