#include "operator/login.h"

#include "base/wipe.h"
#include "operator/say.h"
#include "ui/look.h"

#include <stdlib.h>
#include <string.h>

enum { WIDTH = 480, HEIGHT = 560, PASSWORD_CHARS = 256 };

struct login {
    struct app *app;
    GtkWidget *window, *stack;
    GtkWidget *organisation, *company, *id, *password, *caps, *button, *spinner, *error;
    GtkWidget *too_old;
    GdkKeymap *keymap;
    gulong keymap_handler;
};

static void on_log_in(GtkWidget *widget, gpointer ctx) {
    (void)widget;
    struct login *login = ctx;
    struct operator_command command = {.kind = OPERATOR_DO_LOGIN};
    ui_error_bar_hide(login->error);
    say_copy(command.company, sizeof(command.company), gtk_entry_get_text(GTK_ENTRY(login->company)));
    say_copy(command.id, sizeof(command.id), gtk_entry_get_text(GTK_ENTRY(login->id)));
    say_copy(command.text, sizeof(command.text), gtk_entry_get_text(GTK_ENTRY(login->password)));
    app_send(login->app, &command);
    tas_wipe(command.text, sizeof(command.text));
}

/* Enter goes on to the first field that is empty. */
static void on_enter(GtkWidget *widget, gpointer ctx) {
    struct login *login = ctx;
    GtkWidget *const fields[] = {login->company, login->id, login->password};
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
        if (gtk_entry_get_text_length(GTK_ENTRY(fields[i])) == 0) {
            gtk_widget_grab_focus(fields[i]);
            return;
        }
    if (gtk_widget_get_sensitive(login->button))
        on_log_in(widget, ctx);
}

static void show_button(struct login *login) {
    bool is_complete = gtk_entry_get_text_length(GTK_ENTRY(login->company)) > 0 &&
                       gtk_entry_get_text_length(GTK_ENTRY(login->id)) > 0 &&
                       gtk_entry_get_text_length(GTK_ENTRY(login->password)) > 0;
    bool is_busy = app_state(login->app)->step == OPERATOR_LOGGING_IN;
    gtk_widget_set_sensitive(login->button, is_complete && !is_busy);
}

static void on_changed(GtkEditable *editable, gpointer ctx) {
    (void)editable;
    show_button(ctx);
}

static void on_caps(GdkKeymap *keymap, gpointer ctx) {
    struct login *login = ctx;
    bool is_on = gdk_keymap_get_caps_lock_state(keymap);
    gtk_label_set_text(GTK_LABEL(login->caps), is_on ? _("Caps Lock is on.") : "");
    gtk_widget_set_visible(login->caps, is_on);
}

static void on_language(GtkButton *button, gpointer ctx) {
    (void)button;
    struct login *login = ctx;
    app_set_language(login->app, strcmp(ui_language(), "ja") == 0 ? "en" : "ja");
}

static gboolean on_delete(GtkWidget *widget, GdkEvent *event, gpointer ctx) {
    (void)widget;
    (void)event;
    struct login *login = ctx;
    app_quit(login->app);
    return TRUE;
}

static GtkWidget *entry(struct login *login, const char *name, int max, bool is_secret, const char *text) {
    GtkWidget *made = ui_entry(name, max, is_secret);
    gtk_entry_set_text(GTK_ENTRY(made), text);
    g_signal_connect(made, "changed", G_CALLBACK(on_changed), login);
    g_signal_connect(made, "activate", G_CALLBACK(on_enter), login);
    return made;
}

static GtkWidget *build_foot(struct login *login) {
    GtkWidget *row = ui_row();
    bool is_japanese = strcmp(ui_language(), "ja") == 0;
    GtkWidget *language = ui_button(is_japanese ? "English" : "日本語", UI_LINK);
    GtkWidget *version = ui_hint("Tasuki " TASUKI_VERSION);
    ui_set_a11y(language, NULL, _("Switches the language"));
    g_signal_connect(language, "clicked", G_CALLBACK(on_language), login);
    gtk_box_pack_start(GTK_BOX(row), version, FALSE, FALSE, 0);
    gtk_box_pack_end(GTK_BOX(row), language, FALSE, FALSE, 0);
    return row;
}

static GtkWidget *build_form(struct login *login) {
    const struct remember *remember = app_remember(login->app);
    GtkWidget *column = ui_column();
    login->company = entry(login, _("Company code"), API_WORD, false, remember->company);
    login->id = entry(login, _("ID"), API_NAME / 4, false, remember->id);
    login->password = entry(login, _("Password"), PASSWORD_CHARS, true, "");
    login->caps = ui_hint("");
    ui_add_class(login->caps, "ui-bad");
    gtk_widget_set_no_show_all(login->caps, TRUE);
    login->button = ui_button(_("Log in"), UI_PRIMARY);
    login->spinner = gtk_spinner_new();
    g_signal_connect(login->button, "clicked", G_CALLBACK(on_log_in), login);
    GtkWidget *buttons = ui_row();
    gtk_box_pack_end(GTK_BOX(buttons), login->button, FALSE, FALSE, 0);
    gtk_box_pack_end(GTK_BOX(buttons), login->spinner, FALSE, FALSE, 0);
    GtkWidget *const parts[] = {ui_field(_("Company code"), login->company), ui_field(_("ID"), login->id),
                                ui_field(_("Password"), login->password), login->caps, buttons};
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
        gtk_box_pack_start(GTK_BOX(column), parts[i], FALSE, FALSE, 0);
    return ui_card(column);
}

static GtkWidget *build(struct login *login) {
    GtkWidget *column = ui_column();
    login->organisation = ui_heading(_("Remote support"));
    login->error = ui_error_bar();
    login->stack = gtk_stack_new();
    login->too_old = ui_column();
    gtk_stack_add_named(GTK_STACK(login->stack), build_form(login), "form");
    gtk_stack_add_named(GTK_STACK(login->stack), login->too_old, "too-old");
    GtkWidget *const parts[] = {login->organisation, ui_hint(_("Operator tool")), login->error, login->stack};
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
        gtk_box_pack_start(GTK_BOX(column), parts[i], FALSE, FALSE, 0);
    gtk_box_pack_end(GTK_BOX(column), build_foot(login), FALSE, FALSE, 0);
    gtk_widget_set_size_request(column, WIDTH - 4 * UI_MARGIN, -1);
    return ui_page(column);
}

struct login *login_new(struct app *app) {
    struct login *login = g_new0(struct login, 1);
    login->app = app;
    login->window = gtk_window_new(GTK_WINDOW_TOPLEVEL);
    gtk_window_set_title(GTK_WINDOW(login->window), _("Tasuki operator: log in"));
    gtk_window_set_default_size(GTK_WINDOW(login->window), WIDTH, HEIGHT);
    gtk_window_set_position(GTK_WINDOW(login->window), GTK_WIN_POS_CENTER);
    g_signal_connect(login->window, "delete-event", G_CALLBACK(on_delete), login);
    gtk_container_add(GTK_CONTAINER(login->window), build(login));
    login->keymap = gdk_keymap_get_for_display(gtk_widget_get_display(login->window));
    login->keymap_handler = g_signal_connect(login->keymap, "state-changed", G_CALLBACK(on_caps), login);
    gtk_widget_show_all(login->window);
    on_caps(login->keymap, login);
    show_button(login);
    bool is_known = gtk_entry_get_text_length(GTK_ENTRY(login->id)) > 0;
    gtk_widget_grab_focus(is_known ? login->password : login->company);
    return login;
}

void login_free(struct login *login) {
    if (!login)
        return;
    g_signal_handler_disconnect(login->keymap, login->keymap_handler);
    ui_entry_wipe(login->password);
    gtk_widget_destroy(login->window);
    g_free(login);
}

static void show_too_old(struct login *login, const struct operator_state *state) {
    struct ui_words words;
    ui_error_bar_hide(login->error);
    g_strlcpy(words.title, _("This tool is too old"), sizeof(words.title));
    g_snprintf(words.text, sizeof(words.text),
               _("The management server asks for version %s or newer; this is %s. Ask your administrator for "
                 "the new one."),
               state->min_version, TASUKI_VERSION);
    GList *old = gtk_container_get_children(GTK_CONTAINER(login->too_old));
    if (!old)
        gtk_container_add(GTK_CONTAINER(login->too_old), ui_words_page(&words, true));
    g_list_free(old);
    gtk_widget_show_all(login->too_old);
    gtk_stack_set_visible_child_name(GTK_STACK(login->stack), "too-old");
}

void login_show(struct login *login, const struct operator_state *state) {
    bool is_busy = state->step == OPERATOR_LOGGING_IN;
    if (state->organisation[0])
        gtk_label_set_text(GTK_LABEL(login->organisation), state->organisation);
    GtkWidget *const fields[] = {login->company, login->id, login->password};
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
        gtk_widget_set_sensitive(fields[i], !is_busy);
    g_object_set(login->spinner, "active", is_busy, NULL);
    ui_set_a11y(login->spinner, _("Logging in"), NULL);
    show_button(login);
    if (state->step == OPERATOR_TOO_OLD)
        show_too_old(login, state);
    else
        gtk_stack_set_visible_child_name(GTK_STACK(login->stack), "form");
}

void login_error(struct login *login, const struct ui_words *words) {
    ui_error_bar_show(login->error, words, GTK_MESSAGE_ERROR);
    gtk_widget_grab_focus(login->password);
    gtk_editable_select_region(GTK_EDITABLE(login->password), 0, -1);
}

void login_take(const struct login *login, struct remember *remember) {
    say_copy(remember->company, sizeof(remember->company), gtk_entry_get_text(GTK_ENTRY(login->company)));
    say_copy(remember->id, sizeof(remember->id), gtk_entry_get_text(GTK_ENTRY(login->id)));
}
