/* The line at the bottom of the session's window: what is allowed, how the line is, where the keys go. */
#pragma once

#include "operator/app.h"

#include <gtk/gtk.h>

struct status;

struct status *status_new(struct app *app);
void status_free(struct status *status); /* not its widget; NULL is fine */

GtkWidget *status_widget(struct status *status);

/* has_keys: the keyboard goes to the customer. */
void status_show(struct status *status, const struct operator_state *state, bool has_keys);
void status_tick(struct status *status); /* how long it lasts */
