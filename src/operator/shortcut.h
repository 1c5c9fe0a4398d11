/* Alt and a letter presses a button: the same letter in every language, told by the button's tool tip. */
#pragma once

#include <gtk/gtk.h>

/* In whatever window the widget is. letter: 'a' to 'z', or a digit. */
void shortcut(GtkWidget *widget, char letter);
