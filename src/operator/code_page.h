/* Before the work: the customer is called, then the check code that the customer reads out is typed. */
#pragma once

#include "operator/app.h"

#include <gtk/gtk.h>

struct code_page;

struct code_page *code_page_new(struct app *app);
void code_page_free(struct code_page *page); /* not its widget; NULL is fine */

GtkWidget *code_page_widget(struct code_page *page);
/* Phases ANSWERING, CALLING and CODE. */
void code_page_show(struct code_page *page, const struct operator_state *state);
