/* GTK's half of present_cairo: a drawing area that shows what the protocol thread has drawn. All functions
 * belong to the GTK thread. */
#pragma once

#include <gtk/gtk.h>

struct present_surface;

/* NULL: no memory. */
struct present_surface *present_surface_new(void);

/* The widget to be put into a window. Its size times its scale factor is the viewport's size in device px.
 * Borrowed. Events, focus and so on are its owner's. */
GtkWidget *present_surface_widget(struct present_surface *surface);

/* After the present that uses it is closed; wipes. The widget may live on, empty. NULL is fine. */
void present_surface_free(struct present_surface *surface);
