/* The session in hand: from Answer to its result. */
#pragma once

#include "operator/app.h"

struct session_window;

struct session_window *session_window_new(struct app *app);
void session_window_free(struct session_window *window); /* NULL is fine */

void session_window_show(struct session_window *window, const struct operator_state *state);
void session_window_tick(struct session_window *window);
void session_window_error(struct session_window *window, const struct ui_words *words);
void session_window_result_failed(struct session_window *window);            /* a RESULT came to nothing */
void session_window_chat(struct session_window *window, const char *text);   /* from the customer */
void session_window_device(struct session_window *window, const char *json); /* hostile */
