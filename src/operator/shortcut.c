#include "operator/shortcut.h"

static const char letter_key[] = "operator-shortcut";

static guint key_of(GtkWidget *widget) {
    return GPOINTER_TO_UINT(g_object_get_data(G_OBJECT(widget), letter_key));
}

static void on_realize(GtkWidget *widget, gpointer unused) {
    (void)unused;
    GtkWidget *window = gtk_widget_get_toplevel(widget);
    if (GTK_IS_WINDOW(window))
        gtk_window_add_mnemonic(GTK_WINDOW(window), key_of(widget), widget);
}

static void on_unrealize(GtkWidget *widget, gpointer unused) {
    (void)unused;
    GtkWidget *window = gtk_widget_get_toplevel(widget);
    if (GTK_IS_WINDOW(window))
        gtk_window_remove_mnemonic(GTK_WINDOW(window), key_of(widget), widget);
}

void shortcut(GtkWidget *widget, char letter) {
    gchar *tip = gtk_widget_get_tooltip_text(widget);
    gchar *with_key =
        g_strdup_printf("%s%sAlt+%c", tip ? tip : "", tip ? "  \u00b7  " : "", g_ascii_toupper(letter));
    guint key = gdk_unicode_to_keyval((guint32)(guchar)letter);
    g_object_set_data(G_OBJECT(widget), letter_key, GUINT_TO_POINTER(key));
    gtk_widget_set_tooltip_text(widget, with_key);
    g_signal_connect(widget, "realize", G_CALLBACK(on_realize), NULL);
    g_signal_connect(widget, "unrealize", G_CALLBACK(on_unrealize), NULL);
    g_free(with_key);
    g_free(tip);
}
