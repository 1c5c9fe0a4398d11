/* What the operator can do in a session, in one row. */
#pragma once

#include "operator/app.h"

#include <gtk/gtk.h>

enum pane { PANE_NONE, PANE_CHAT, PANE_TEXT, PANE_DEVICE };

struct toolbar_hooks {
    void (*on_pane)(void *ctx, enum pane pane); /* to be shown beside the picture */
    void (*on_scaled)(void *ctx, bool is_scaled);
    void (*on_full_screen)(void *ctx, bool is_full);
    void *ctx;
};

/* What belongs to the window and not to the session. */
struct toolbar_view {
    enum pane pane;
    bool is_scaled, is_full;
    bool has_unread; /* something was said that nobody has seen */
};

struct toolbar;

struct toolbar *toolbar_new(struct app *app, const struct toolbar_hooks *hooks);
void toolbar_free(struct toolbar *toolbar); /* not its widget; NULL is fine */

GtkWidget *toolbar_widget(struct toolbar *toolbar);
void toolbar_show(struct toolbar *toolbar, const struct operator_state *state,
                  const struct toolbar_view *view);
