/* The customer's windows: they show the newest state (state.h) and pass on what the person does. GTK thread.
 */
#pragma once

#include "org/org.h"
#include "ui/bridge.h"

struct windows;

/* Opens the window, with the warning, after ui_look_init(). `org` and `bridge` outlive the windows.
 * gtk_main() is left when the person closes the tool. */
struct windows *windows_new(const struct org *org, struct ui_bridge *bridge);
void windows_free(struct windows *windows); /* NULL is fine */

/* ui_bridge_config's on_state and on_note. */
void windows_on_state(void *windows, const void *state);
void windows_on_note(void *windows, void *note);
