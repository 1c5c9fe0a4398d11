/* After the session: why it ended, and how it came out. */
#pragma once

#include "operator/app.h"

#include <gtk/gtk.h>

struct closed_page;

struct closed_page *closed_page_new(struct app *app);
void closed_page_free(struct closed_page *page); /* not its widget; NULL is fine */

GtkWidget *closed_page_widget(struct closed_page *page);
void closed_page_show(struct closed_page *page, const struct operator_state *state);
void closed_page_failed(struct closed_page *page); /* saving failed: may be tried again */
