/* The main window: numbers are issued, customers answered. */
#pragma once

#include "operator/app.h"

struct desk;

struct desk *desk_new(struct app *app);
void desk_free(struct desk *desk); /* NULL is fine */

void desk_show(struct desk *desk, const struct operator_state *state);
void desk_error(struct desk *desk, const struct ui_words *words);
void desk_tick(struct desk *desk);
