/* The operator's own sessions, newest first; how they came out can be set later. */
#pragma once

#include "operator/app.h"

struct history;

struct history *history_new(struct app *app); /* hidden */
void history_free(struct history *history);   /* NULL is fine */

/* Shows the window, with a fresh first page. */
void history_open(struct history *history);
bool history_is_open(const struct history *history);

void history_show(struct history *history, const struct operator_state *state);
void history_page(struct history *history, const struct api_page *page);
void history_error(struct history *history, const struct ui_words *words);
void history_result_failed(struct history *history); /* a RESULT came to nothing */
