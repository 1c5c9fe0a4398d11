#include "operator/text_pane.h"

#include "base/wipe.h"
#include "operator/say.h"
#include "ui/look.h"
#include "wire/record.h"

#include <gdk/gdkkeysyms.h>
#include <string.h>

enum { TEXT_CHARS = 2000 }; /* of up to four bytes: what a command holds */

struct text_pane {
    struct app *app;
    GtkWidget *column, *view, *send, *hint;
    GtkTextBuffer *buffer;
};

static void on_send(GtkButton *button, gpointer ctx) {
    (void)button;
    struct text_pane *pane = ctx;
    GtkTextIter start;
    GtkTextIter end;
    struct operator_command command = {.kind = OPERATOR_DO_TEXT};
    gtk_text_buffer_get_bounds(pane->buffer, &start, &end);
    gchar *text = gtk_text_buffer_get_text(pane->buffer, &start, &end, FALSE);
    say_copy(command.text, sizeof(command.text), text);
    if (command.text[0])
        app_send(pane->app, &command);
    gtk_text_buffer_set_text(pane->buffer, "", 0);
    tas_wipe(text, strlen(text)); /* it may be a password */
    tas_wipe(command.text, sizeof(command.text));
    g_free(text);
}

/* Ctrl+Enter sends; Enter alone is a new line. */
static gboolean on_key(GtkWidget *widget, GdkEventKey *event, gpointer ctx) {
    (void)widget;
    struct text_pane *pane = ctx;
    bool is_enter = event->keyval == GDK_KEY_Return || event->keyval == GDK_KEY_KP_Enter;
    if (!is_enter || !(event->state & GDK_CONTROL_MASK) || !gtk_widget_get_sensitive(pane->send))
        return FALSE;
    on_send(NULL, pane);
    return TRUE;
}

/* What is too long is cut off where it was written. */
static void on_changed(GtkTextBuffer *buffer, gpointer ctx) {
    (void)ctx;
    GtkTextIter from;
    GtkTextIter to;
    if (gtk_text_buffer_get_char_count(buffer) <= TEXT_CHARS)
        return;
    gtk_text_buffer_get_iter_at_offset(buffer, &from, TEXT_CHARS);
    gtk_text_buffer_get_end_iter(buffer, &to);
    gtk_text_buffer_delete(buffer, &from, &to);
}

struct text_pane *text_pane_new(struct app *app) {
    struct text_pane *pane = g_new0(struct text_pane, 1);
    GtkWidget *scroller = gtk_scrolled_window_new(NULL, NULL);
    pane->app = app;
    pane->column = ui_column();
    pane->view = gtk_text_view_new();
    pane->buffer = gtk_text_view_get_buffer(GTK_TEXT_VIEW(pane->view));
    pane->send = ui_button(_("Send text"), UI_PRIMARY);
    pane->hint = ui_hint("");
    gtk_text_view_set_wrap_mode(GTK_TEXT_VIEW(pane->view), GTK_WRAP_WORD_CHAR);
    gtk_text_view_set_accepts_tab(GTK_TEXT_VIEW(pane->view), FALSE);
    gtk_scrolled_window_set_shadow_type(GTK_SCROLLED_WINDOW(scroller), GTK_SHADOW_IN);
    gtk_container_add(GTK_CONTAINER(scroller), pane->view);
    ui_add_class(pane->view, "operator-text");
    ui_set_a11y(pane->view, _("Text to send"), NULL);
    g_signal_connect(pane->view, "key-press-event", G_CALLBACK(on_key), pane);
    g_signal_connect(pane->buffer, "changed", G_CALLBACK(on_changed), pane);
    g_signal_connect(pane->send, "clicked", G_CALLBACK(on_send), pane);
    gtk_box_pack_start(GTK_BOX(pane->column), ui_heading(_("Send text")), FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(pane->column), pane->hint, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(pane->column), scroller, TRUE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(pane->column), ui_buttons(pane->send, NULL), FALSE, FALSE, 0);
    return pane;
}

void text_pane_free(struct text_pane *pane) {
    if (!pane)
        return;
    g_signal_handlers_disconnect_by_data(pane->buffer, pane);
    gtk_text_buffer_set_text(pane->buffer, "", 0); /* the input method or a reader may hold the widget */
    g_free(pane);
}

GtkWidget *text_pane_widget(struct text_pane *pane) {
    return pane->column;
}

void text_pane_focus(struct text_pane *pane) {
    gtk_widget_grab_focus(pane->view);
}

void text_pane_show(struct text_pane *pane, const struct operator_state *state) {
    bool has_control = (state->rights & TAS_RIGHT_CONTROL) != 0;
    bool is_possible = state->phase == OPERATOR_ACTIVE && has_control && !state->is_paused;
    gtk_widget_set_sensitive(pane->send, is_possible);
    ui_set_text(pane->hint, has_control ? _("Typed where the customer's cursor is. Ctrl+Enter sends.")
                                        : _("The customer has to allow control first."));
}
