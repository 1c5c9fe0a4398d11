/* One reception number on the desk, and the customers who have typed it. */
#pragma once

#include "operator/app.h"

#include <gtk/gtk.h>

struct card;

/* on_gone: the operator does not want to see it any more. */
struct card *card_new(struct app *app, void (*on_gone)(void *ctx, struct card *card), void *ctx);
void card_free(struct card *card); /* with its widget; NULL is fine */

GtkWidget *card_widget(struct card *card);
uint64_t card_session(const struct card *card);

/* session: as it is now. Returns how many customers came who were not there before. */
unsigned card_show(struct card *card, const struct api_session *session);
/* The session is over, but its number ran out and can be issued again. */
void card_set_dead(struct card *card);

/* May it go by itself when its session is over? (Not if the number ran out: it can be issued again.) */
bool card_is_over(const struct card *card);

/* Clocks; also shows that the number has run out. */
void card_tick(struct card *card);

/* The name of a customer who waits; "" none. */
const char *card_who_waits(const struct card *card);
