#include "operator/ask.h"

#include "ui/look.h"

bool ask_yes(GtkWidget *over, const char *title, const char *text, const char *yes) {
    GtkWidget *dialog =
        gtk_message_dialog_new(GTK_WINDOW(over), GTK_DIALOG_MODAL | GTK_DIALOG_DESTROY_WITH_PARENT,
                               GTK_MESSAGE_QUESTION, GTK_BUTTONS_NONE, "%s", title);
    gtk_message_dialog_format_secondary_text(GTK_MESSAGE_DIALOG(dialog), "%s", text);
    gtk_window_set_title(GTK_WINDOW(dialog), title);
    ui_set_a11y(dialog, title, text);
    gtk_dialog_add_button(GTK_DIALOG(dialog), _("Go back"), GTK_RESPONSE_CANCEL);
    GtkWidget *button = gtk_dialog_add_button(GTK_DIALOG(dialog), yes, GTK_RESPONSE_YES);
    ui_add_class(button, "destructive-action");
    gtk_dialog_set_default_response(GTK_DIALOG(dialog), GTK_RESPONSE_CANCEL);
    g_object_add_weak_pointer(G_OBJECT(dialog), (gpointer *)&dialog);
    int response = gtk_dialog_run(GTK_DIALOG(dialog));
    if (dialog) { /* else the window took it along */
        g_object_remove_weak_pointer(G_OBJECT(dialog), (gpointer *)&dialog);
        gtk_widget_destroy(dialog);
    }
    return response == GTK_RESPONSE_YES;
}
