/* The first window: whose desk is it? */
#pragma once

#include "operator/app.h"

struct login;

/* Opens it, with what the last login remembered. */
struct login *login_new(struct app *app);
void login_free(struct login *login); /* closes it, wipes what was typed; NULL is fine */

void login_show(struct login *login, const struct operator_state *state);
void login_error(struct login *login, const struct ui_words *words);

/* What was typed, but the password, for the next time. */
void login_take(const struct login *login, struct remember *remember);
