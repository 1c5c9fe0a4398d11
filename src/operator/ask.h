/* A question that has to be answered before the operator goes on. */
#pragma once

#include <gtk/gtk.h>
#include <stdbool.h>

/* over: the window that it belongs to. yes: on the button that does it; the other one goes back. The main
 * loop goes on meanwhile; false also when the window went away. */
bool ask_yes(GtkWidget *over, const char *title, const char *text, const char *yes);
