/* How a session came out: solved, open or aborted, and a note. In the session's window at its end, and in the
 * history. */
#pragma once

#include "operator/app.h"

#include <gtk/gtk.h>

struct result;

/* on_save: the operator pressed Save; NULL none. */
struct result *result_new(struct app *app, void (*on_save)(void *ctx, const char *word, const char *note),
                          void *ctx);
void result_free(struct result *result); /* not its widget; NULL is fine */

GtkWidget *result_widget(struct result *result);

/* What is to be edited: of this session, with what was saved before. */
void result_edit(struct result *result, uint64_t session, const char *word, const char *note);
uint64_t result_session(const struct result *result); /* 0 none */

/* The server has stored what was sent last; it could not: may be tried again. Without effect when nothing was
 * sent. */
void result_stored(struct result *result);
void result_failed(struct result *result);
void result_focus(struct result *result);
