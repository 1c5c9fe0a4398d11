/* A customer who waits on the desk to be answered. What is shown is the customer's own word. */
#pragma once

#include "operator/app.h"

#include <gtk/gtk.h>

struct visitor;

struct visitor *visitor_new(struct app *app, uint64_t session);
void visitor_free(struct visitor *visitor); /* with its widget; NULL is fine */

GtkWidget *visitor_widget(struct visitor *visitor);
uint64_t visitor_claim(const struct visitor *visitor);
const char *visitor_name(const struct visitor *visitor);

void visitor_show(struct visitor *visitor, const struct api_visitor *data);
void visitor_tick(struct visitor *visitor); /* how long it waits */
