/* Keys that the operator's own desktop may keep for itself, to be sent from a menu. */
#pragma once

#include "operator/app.h"

#include <gtk/gtk.h>

/* A menu; floating, as GTK's widgets are. */
GtkWidget *special_menu(struct app *app);
