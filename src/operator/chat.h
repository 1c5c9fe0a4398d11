/* The talk with the customer, beside the picture. */
#pragma once

#include "operator/app.h"

#include <gtk/gtk.h>

struct chat;

struct chat *chat_new(struct app *app);
void chat_free(struct chat *chat); /* not its widget; NULL is fine */

GtkWidget *chat_widget(struct chat *chat);
void chat_focus(struct chat *chat);

/* Can anything be said now? */
void chat_show(struct chat *chat, const struct operator_state *state);

/* text: plain UTF-8, possibly of several lines. */
void chat_theirs(struct chat *chat, const char *who, const char *text);
/* What happened, among what was said. */
void chat_event(struct chat *chat, const char *text);
