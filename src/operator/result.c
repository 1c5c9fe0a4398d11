#include "operator/result.h"

#include "operator/say.h"
#include "ui/look.h"

#include <string.h>

enum { NOTE_HEIGHT = 96, WORDS = 3, NOTE_CHARS = 2000 };

static const char *const words[WORDS] = {"solved", "open", "aborted"};

struct result {
    struct app *app;
    void (*on_save)(void *ctx, const char *word, const char *note);
    void *ctx;
    GtkWidget *column, *choices[WORDS], *note, *save, *saved;
    GtkTextBuffer *buffer;
    uint64_t session;
    bool is_sent;    /* no answer is there yet; meanwhile nothing more is sent */
    bool is_changed; /* since it was sent */
    bool is_filling;
};

static const char *chosen(const struct result *result) {
    for (size_t i = 0; i < WORDS; i++)
        if (gtk_toggle_button_get_active(GTK_TOGGLE_BUTTON(result->choices[i])))
            return words[i];
    return words[0];
}

static void on_save(GtkButton *button, gpointer ctx) {
    (void)button;
    struct result *result = ctx;
    struct operator_command command = {.kind = OPERATOR_DO_RESULT, .session = result->session};
    GtkTextIter start;
    GtkTextIter end;
    gtk_text_buffer_get_bounds(result->buffer, &start, &end);
    gchar *text = gtk_text_buffer_get_text(result->buffer, &start, &end, FALSE);
    say_copy(command.company, sizeof(command.company), chosen(result));
    say_copy(command.text, sizeof(command.text), text);
    g_free(text);
    result->is_sent = true;
    result->is_changed = false;
    gtk_widget_set_sensitive(result->save, FALSE);
    app_send(result->app, &command);
    if (result->on_save)
        result->on_save(result->ctx, command.company, command.text);
}

/* What was changed can be saved again. */
static void on_changed(GtkWidget *widget, gpointer ctx) {
    (void)widget;
    struct result *result = ctx;
    if (result->is_filling)
        return;
    result->is_changed = true;
    gtk_widget_set_sensitive(result->save, result->session != 0 && !result->is_sent);
    gtk_widget_set_opacity(result->saved, 0);
}

static void on_note(GtkTextBuffer *buffer, gpointer ctx) {
    GtkTextIter from;
    GtkTextIter to;
    if (gtk_text_buffer_get_char_count(buffer) > NOTE_CHARS) {
        gtk_text_buffer_get_iter_at_offset(buffer, &from, NOTE_CHARS);
        gtk_text_buffer_get_end_iter(buffer, &to);
        gtk_text_buffer_delete(buffer, &from, &to);
        return;
    }
    on_changed(NULL, ctx);
}

static GtkWidget *build_choices(struct result *result) {
    GtkWidget *row = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, UI_MARGIN);
    GtkRadioButton *group = NULL;
    for (size_t i = 0; i < WORDS; i++) {
        GtkWidget *choice = gtk_radio_button_new_with_label_from_widget(group, say_result(words[i]));
        group = GTK_RADIO_BUTTON(choice);
        result->choices[i] = choice;
        ui_set_a11y(choice, say_result(words[i]), NULL);
        g_signal_connect(choice, "toggled", G_CALLBACK(on_changed), result);
        gtk_container_add(GTK_CONTAINER(row), choice);
    }
    return row;
}

static GtkWidget *build_note(struct result *result) {
    GtkWidget *scroller = gtk_scrolled_window_new(NULL, NULL);
    result->note = gtk_text_view_new();
    result->buffer = gtk_text_view_get_buffer(GTK_TEXT_VIEW(result->note));
    gtk_text_view_set_wrap_mode(GTK_TEXT_VIEW(result->note), GTK_WRAP_WORD_CHAR);
    gtk_text_view_set_accepts_tab(GTK_TEXT_VIEW(result->note), FALSE);
    gtk_widget_set_size_request(scroller, -1, NOTE_HEIGHT);
    gtk_scrolled_window_set_shadow_type(GTK_SCROLLED_WINDOW(scroller), GTK_SHADOW_IN);
    gtk_container_add(GTK_CONTAINER(scroller), result->note);
    ui_add_class(result->note, "operator-text");
    ui_set_a11y(result->note, _("Note"), NULL);
    g_signal_connect(result->buffer, "changed", G_CALLBACK(on_note), result);
    return scroller;
}

struct result *result_new(struct app *app, void (*saved)(void *ctx, const char *word, const char *note),
                          void *ctx) {
    struct result *result = g_new0(struct result, 1);
    GtkWidget *label = ui_label(_("Note"));
    GtkWidget *foot = ui_row();
    result->app = app;
    result->on_save = saved;
    result->ctx = ctx;
    result->column = ui_column();
    result->save = ui_button(_("Save"), UI_PRIMARY);
    result->saved = ui_label(_("Saved"));
    ui_add_class(result->saved, "ui-good");
    gtk_widget_set_opacity(result->saved, 0);
    g_signal_connect(result->save, "clicked", G_CALLBACK(on_save), result);
    gtk_box_pack_start(GTK_BOX(foot), result->save, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(foot), result->saved, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(result->column), ui_label(_("Result")), FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(result->column), build_choices(result), FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(result->column), label, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(result->column), build_note(result), TRUE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(result->column), foot, FALSE, FALSE, 0);
    gtk_widget_set_sensitive(result->column, FALSE);
    return result;
}

void result_free(struct result *result) {
    g_free(result);
}

GtkWidget *result_widget(struct result *result) {
    return result->column;
}

void result_edit(struct result *result, uint64_t session, const char *word, const char *note) {
    result->session = session;
    result->is_filling = true;
    for (size_t i = 0; i < WORDS; i++)
        if (strcmp(words[i], word) == 0)
            gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(result->choices[i]), TRUE);
    gtk_text_buffer_set_text(result->buffer, note, -1);
    result->is_filling = false;
    result->is_sent = false;
    gtk_widget_set_sensitive(result->column, session != 0);
    gtk_widget_set_sensitive(result->save, session != 0);
    gtk_widget_set_opacity(result->saved, 0);
}

uint64_t result_session(const struct result *result) {
    return result->session;
}

void result_stored(struct result *result) {
    if (!result->is_sent)
        return;
    result->is_sent = false;
    gtk_widget_set_sensitive(result->save, result->is_changed);
    if (result->is_changed)
        return; /* what is stored is not what stands there */
    gtk_widget_set_opacity(result->saved, 1);
    ui_announce(result->saved, _("Saved"));
}

void result_failed(struct result *result) {
    if (!result->is_sent)
        return;
    result->is_sent = false;
    gtk_widget_set_sensitive(result->save, result->session != 0);
}

void result_focus(struct result *result) {
    gtk_widget_grab_focus(result->choices[0]);
}
