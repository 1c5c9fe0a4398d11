/* What is known of the customer's machine, as a table. All of it is the customer's word: bounded, plain text.
 */
#pragma once

#include "operator/app.h"

#include <gtk/gtk.h>

struct device;

struct device *device_new(struct app *app);
void device_free(struct device *device); /* not its widget; NULL is fine */

GtkWidget *device_widget(struct device *device);
/* Asks the customer, unless it is here or was asked already. */
void device_ask(struct device *device);

void device_show(struct device *device, const struct operator_state *state);
void device_text(struct device *device, const char *json); /* hostile */
