/* The operator's keyboard goes to the customer: all keys, also those that the window manager would take.
 *
 * It begins with a click into the picture (or Enter, when it has the focus) and ends when the focus goes
 * elsewhere, by a click outside, or by Ctrl+Alt pressed and released alone. While it lasts and the pointer is
 * over the picture the keyboard is grabbed. */
#pragma once

#include "operator/app.h"

#include <gtk/gtk.h>

struct keys;

struct keys_hooks {
    void (*on_change)(void *ctx);      /* keys_is_on() has changed */
    void (*on_full_screen)(void *ctx); /* Ctrl+Alt+Return was pressed */
    void *ctx;
};

/* view: a widget with a window of its own, inside the toplevel `window`. */
struct keys *keys_new(struct app *app, GtkWidget *window, GtkWidget *view, const struct keys_hooks *hooks);
void keys_free(struct keys *keys); /* before its widgets; NULL is fine */

/* Has the customer allowed it, and can it be done now? False lets go of everything. */
void keys_allow(struct keys *keys, bool is_allowed);
/* The line is lost for a while: what is pressed goes nowhere, but the keyboard stays where it is. */
void keys_suspend(struct keys *keys, bool is_suspended);
bool keys_is_on(const struct keys *keys);
