/* Text that is written here, with this machine's own input method, and typed at the customer's. */
#pragma once

#include "operator/app.h"

#include <gtk/gtk.h>

struct text_pane;

struct text_pane *text_pane_new(struct app *app);
/* Before its widget. Takes what was written off the screen; GTK frees its own copies of it and overwrites
 * none of them, so in this process's memory it may be found for a while. NULL is fine. */
void text_pane_free(struct text_pane *pane);

GtkWidget *text_pane_widget(struct text_pane *pane);
void text_pane_focus(struct text_pane *pane);
void text_pane_show(struct text_pane *pane, const struct operator_state *state);
