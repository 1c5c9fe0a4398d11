/* Choosing one of the customer's monitors, or all of them. */
#pragma once

#include "operator/app.h"

#include <gtk/gtk.h>

struct monitor_menu;

/* Keeps the menu of `button`, a GtkMenuButton, which is shown only while there is something to choose. */
struct monitor_menu *monitor_menu_new(struct app *app, GtkWidget *button);
void monitor_menu_free(struct monitor_menu *menu); /* not the button; NULL is fine */

void monitor_menu_show(struct monitor_menu *menu, const struct operator_state *state);
