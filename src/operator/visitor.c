#include "operator/visitor.h"

#include "operator/say.h"
#include "operator/shortcut.h"
#include "ui/look.h"

#include <string.h>

struct visitor {
    struct app *app;
    uint64_t session, claim;
    int64_t claimed_at;
    char name[API_NAME + 1];
    GtkWidget *row, *who, *details, *waiting, *answer, *refuse;
};

static void say(struct visitor *visitor, enum operator_command_kind kind) {
    struct operator_command command = {.kind = kind, .session = visitor->session, .claim = visitor->claim};
    app_send(visitor->app, &command);
}

static void on_answer(GtkButton *button, gpointer ctx) {
    (void)button;
    say(ctx, OPERATOR_DO_ANSWER);
}

static void on_refuse(GtkButton *button, gpointer ctx) {
    (void)button;
    say(ctx, OPERATOR_DO_REFUSE);
}

static GtkWidget *build_words(struct visitor *visitor) {
    GtkWidget *column = gtk_box_new(GTK_ORIENTATION_VERTICAL, 2);
    GtkWidget *head = ui_row();
    visitor->who = ui_label("");
    visitor->details = ui_hint("");
    visitor->waiting = ui_hint("");
    ui_add_class(visitor->who, "ui-strong");
    ui_add_class(visitor->waiting, "ui-tabular");
    gtk_label_set_line_wrap(GTK_LABEL(visitor->waiting), FALSE);
    gtk_box_pack_start(GTK_BOX(head), visitor->who, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(head), visitor->waiting, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(column), head, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(column), visitor->details, FALSE, FALSE, 0);
    return column;
}

struct visitor *visitor_new(struct app *app, uint64_t session) {
    struct visitor *visitor = g_new0(struct visitor, 1);
    visitor->app = app;
    visitor->session = session;
    visitor->row = ui_row();
    visitor->answer = ui_button(_("Answer"), UI_PRIMARY);
    visitor->refuse = ui_button(_("Refuse"), UI_PLAIN);
    ui_add_class(visitor->refuse, "operator-refuse");
    shortcut(visitor->answer, 'a');
    shortcut(visitor->refuse, 'r');
    gtk_widget_set_valign(visitor->answer, GTK_ALIGN_CENTER);
    gtk_widget_set_valign(visitor->refuse, GTK_ALIGN_CENTER);
    g_signal_connect(visitor->answer, "clicked", G_CALLBACK(on_answer), visitor);
    g_signal_connect(visitor->refuse, "clicked", G_CALLBACK(on_refuse), visitor);
    gtk_box_pack_start(GTK_BOX(visitor->row), build_words(visitor), TRUE, TRUE, 0);
    gtk_box_pack_end(GTK_BOX(visitor->row), visitor->refuse, FALSE, FALSE, 0);
    gtk_box_pack_end(GTK_BOX(visitor->row), visitor->answer, FALSE, FALSE, 0);
    ui_add_class(visitor->row, "operator-visitor");
    g_object_ref_sink(visitor->row);
    gtk_widget_show_all(visitor->row);
    return visitor;
}

void visitor_free(struct visitor *visitor) {
    if (!visitor)
        return;
    gtk_widget_destroy(visitor->row);
    g_object_unref(visitor->row);
    g_free(visitor);
}

GtkWidget *visitor_widget(struct visitor *visitor) {
    return visitor->row;
}

uint64_t visitor_claim(const struct visitor *visitor) {
    return visitor->claim;
}

const char *visitor_name(const struct visitor *visitor) {
    return visitor->name;
}

static const char *language_words(const char *language) {
    if (strcmp(language, "ja") == 0)
        return _("Japanese");
    if (strcmp(language, "en") == 0)
        return _("English");
    return language;
}

/* One session at a time. */
static void show_answer(struct visitor *visitor, const struct operator_state *state) {
    const char *why = state->is_closing               ? _("The last session is still being closed.")
                      : state->phase != OPERATOR_IDLE ? _("One session at a time.")
                                                      : NULL;
    gtk_widget_set_sensitive(visitor->answer, !why);
    gtk_widget_set_tooltip_text(visitor->answer, why);
}

void visitor_show(struct visitor *visitor, const struct api_visitor *data) {
    const char *const parts[] = {data->os, data->address, language_words(data->language)};
    GString *text = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
        if (parts[i][0])
            g_string_append_printf(text, "%s%s", text->len ? " \u00b7 " : "", parts[i]);
    visitor->claim = data->id;
    visitor->claimed_at = data->claimed_at;
    g_strlcpy(visitor->name, data->host_name[0] ? data->host_name : _("The customer"), sizeof(visitor->name));
    gtk_label_set_text(GTK_LABEL(visitor->who), visitor->name);
    gtk_label_set_text(GTK_LABEL(visitor->details), text->str);
    ui_set_a11y(visitor->answer, NULL, visitor->name);
    ui_set_a11y(visitor->refuse, NULL, visitor->name);
    show_answer(visitor, app_state(visitor->app));
    visitor_tick(visitor);
    g_string_free(text, TRUE);
}

void visitor_tick(struct visitor *visitor) {
    int64_t now = app_server_ms(visitor->app);
    char span[SAY_SPAN];
    char text[80] = "";
    say_span(span, (now - visitor->claimed_at) / 1000);
    if (now > 0 && visitor->claimed_at > 0)
        g_snprintf(text, sizeof(text), _("waiting for %s"), span);
    if (strcmp(gtk_label_get_text(GTK_LABEL(visitor->waiting)), text) != 0)
        gtk_label_set_text(GTK_LABEL(visitor->waiting), text);
}
