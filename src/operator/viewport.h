/* The part of the session's window that shows the customer's screen: tells the protocol thread where it is,
 * and what the operator does there with the pointer. It draws nothing itself. */
#pragma once

#include "operator/app.h"

#include <gtk/gtk.h>

struct viewport;

struct viewport *viewport_new(struct app *app);
void viewport_free(struct viewport *viewport); /* takes the picture away; NULL is fine */

GtkWidget *viewport_widget(struct viewport *viewport); /* with scroll bars */
GtkWidget *viewport_view(struct viewport *viewport);   /* only the picture: has a window of its own */

/* Size of the customer's screen, and whether the pointer may be sent there. */
void viewport_show(struct viewport *viewport, const struct operator_state *state);

/* Scaled to fit, or one pixel for one pixel, with scroll bars. */
void viewport_set_scaled(struct viewport *viewport, bool is_scaled);
