/* What went wrong, said so that a person can do something about it, in the language in force. */
#pragma once

#include "api/error.h"

enum { UI_WORDS = 640 };

/* `title`: a short headline; `text`: one to three sentences: what is wrong, what to do. Texts that a server
 * made are quoted only where no words of our own fit, and then as data (plain text, bounded). */
struct ui_words {
    char title[160];
    char text[UI_WORDS];
};

/* For a failed request; is_operator: words for somebody who knows the desk's terms. */
void ui_words_of_error(struct ui_words *out, const struct api_error *error, bool is_operator);

/* For the end of a session: `reason` as enum tas_end_reason (session/session.h), seen by this side. */
void ui_words_of_end(struct ui_words *out, unsigned reason, bool is_operator);
