#include "operator/toolbar.h"

#include "operator/monitor_menu.h"
#include "operator/shortcut.h"
#include "operator/special.h"
#include "ui/look.h"
#include "wire/record.h"

struct toolbar {
    struct app *app;
    struct toolbar_hooks hooks;
    GtkWidget *row;
    GtkWidget *view, *monitor, *control, *special, *text, *chat, *device, *scaled, *full, *end;
    struct monitor_menu *monitors;
    bool is_showing; /* it is we who set the buttons */
};

/* ---- what is pressed ---- */

static void ask(struct toolbar *toolbar, uint16_t rights) {
    struct operator_command command = {.kind = OPERATOR_DO_ASK, .rights = rights};
    app_send(toolbar->app, &command);
}

/* Without the right to see, pressing View asks for it; the button stays down once there is a picture. */
static void on_view(GtkToggleButton *button, gpointer ctx) {
    struct toolbar *toolbar = ctx;
    struct operator_command command = {.kind = OPERATOR_DO_VIEW,
                                       .is_on = gtk_toggle_button_get_active(button)};
    if (toolbar->is_showing)
        return;
    if (command.is_on && !(app_state(toolbar->app)->rights & TAS_RIGHT_SEE))
        ask(toolbar, TAS_RIGHT_SEE);
    app_send(toolbar->app, &command);
}

static void on_control(GtkButton *button, gpointer ctx) {
    (void)button;
    ask(ctx, TAS_RIGHT_CONTROL);
}

static void on_pane(GtkToggleButton *button, gpointer ctx) {
    struct toolbar *toolbar = ctx;
    if (toolbar->is_showing)
        return;
    enum pane pane = GTK_WIDGET(button) == toolbar->chat   ? PANE_CHAT
                     : GTK_WIDGET(button) == toolbar->text ? PANE_TEXT
                                                           : PANE_DEVICE;
    bool is_on = gtk_toggle_button_get_active(button);
    toolbar->hooks.on_pane(toolbar->hooks.ctx, is_on ? pane : PANE_NONE);
}

static void on_scaled(GtkToggleButton *button, gpointer ctx) {
    struct toolbar *toolbar = ctx;
    if (!toolbar->is_showing)
        toolbar->hooks.on_scaled(toolbar->hooks.ctx, gtk_toggle_button_get_active(button));
}

static void on_full(GtkToggleButton *button, gpointer ctx) {
    struct toolbar *toolbar = ctx;
    if (!toolbar->is_showing)
        toolbar->hooks.on_full_screen(toolbar->hooks.ctx, gtk_toggle_button_get_active(button));
}

static void on_end(GtkButton *button, gpointer ctx) {
    (void)button;
    app_do(((struct toolbar *)ctx)->app, OPERATOR_DO_END, 0);
}

/* ---- making ---- */

static void dress(GtkWidget *button, const char *icon, const char *text) {
    GtkWidget *column = gtk_box_new(GTK_ORIENTATION_VERTICAL, 2);
    GtkWidget *label = gtk_label_new(text);
    gtk_container_add(GTK_CONTAINER(column), gtk_image_new_from_icon_name(icon, GTK_ICON_SIZE_BUTTON));
    gtk_container_add(GTK_CONTAINER(column), label);
    gtk_container_add(GTK_CONTAINER(button), column);
    ui_set_a11y(button, text, NULL);
    gtk_widget_set_focus_on_click(button, TRUE);
}

static GtkWidget *add(struct toolbar *toolbar, GtkWidget *button, const char *icon, const char *text,
                      const char *tip) {
    dress(button, icon, text);
    gtk_widget_set_tooltip_text(button, tip);
    gtk_box_pack_start(GTK_BOX(toolbar->row), button, FALSE, FALSE, 0);
    return button;
}

static GtkWidget *add_toggle(struct toolbar *toolbar, const char *icon, const char *text, const char *tip,
                             GCallback on_toggled) {
    GtkWidget *button = add(toolbar, gtk_toggle_button_new(), icon, text, tip);
    g_signal_connect(button, "toggled", on_toggled, toolbar);
    return button;
}

static void add_gap(struct toolbar *toolbar) {
    GtkWidget *line = gtk_separator_new(GTK_ORIENTATION_VERTICAL);
    gtk_box_pack_start(GTK_BOX(toolbar->row), line, FALSE, FALSE, 4);
}

static void add_shortcuts(struct toolbar *toolbar) {
    shortcut(toolbar->view, 'v');
    shortcut(toolbar->monitor, 'm');
    shortcut(toolbar->control, 'a');
    shortcut(toolbar->special, 'k');
    shortcut(toolbar->text, 't');
    shortcut(toolbar->chat, 'c');
    shortcut(toolbar->device, 'd');
    shortcut(toolbar->scaled, 'f');
    shortcut(toolbar->end, 'e');
}

static void build(struct toolbar *toolbar) {
    toolbar->view = add_toggle(toolbar, "video-display-symbolic", _("View"), _("See the customer's screen"),
                               G_CALLBACK(on_view));
    toolbar->monitor = add(toolbar, gtk_menu_button_new(), "video-joined-displays-symbolic", _("Monitor"),
                           _("Which of the customer's monitors is shown"));
    toolbar->monitors = monitor_menu_new(toolbar->app, toolbar->monitor);
    toolbar->control = add(toolbar, gtk_button_new(), "input-mouse-symbolic", _("Ask for control"),
                           _("The customer is asked whether you may use mouse and keyboard"));
    g_signal_connect(toolbar->control, "clicked", G_CALLBACK(on_control), toolbar);
    toolbar->special = add(toolbar, gtk_menu_button_new(), "input-keyboard-symbolic", _("Special keys"),
                           _("Keys that this machine may keep for itself"));
    gtk_menu_button_set_popup(GTK_MENU_BUTTON(toolbar->special), special_menu(toolbar->app));
    toolbar->text = add_toggle(toolbar, "insert-text-symbolic", _("Send text\u2026"),
                               _("Write here, with your own input method"), G_CALLBACK(on_pane));
    add_gap(toolbar);
    toolbar->chat = add_toggle(toolbar, "chat-message-new-symbolic", _("Chat"), _("Write to the customer"),
                               G_CALLBACK(on_pane));
    toolbar->device = add_toggle(toolbar, "computer-symbolic", _("Device info"),
                                 _("Ask what machine this is"), G_CALLBACK(on_pane));
    add_gap(toolbar);
    toolbar->scaled =
        add_toggle(toolbar, "zoom-fit-best-symbolic", _("Fit"),
                   _("The whole screen, scaled; otherwise pixel for pixel"), G_CALLBACK(on_scaled));
    toolbar->full = add_toggle(toolbar, "view-fullscreen-symbolic", _("Full screen"),
                               _("F11; back with Ctrl+Alt+Enter"), G_CALLBACK(on_full));
    toolbar->end = gtk_button_new();
    dress(toolbar->end, "call-stop-symbolic", _("End"));
    gtk_widget_set_tooltip_text(toolbar->end, _("Ends the session"));
    ui_add_class(toolbar->end, "ui-danger");
    gtk_box_pack_end(GTK_BOX(toolbar->row), toolbar->end, FALSE, FALSE, 0);
    add_shortcuts(toolbar);
    g_signal_connect(toolbar->end, "clicked", G_CALLBACK(on_end), toolbar);
}

struct toolbar *toolbar_new(struct app *app, const struct toolbar_hooks *hooks) {
    struct toolbar *toolbar = g_new0(struct toolbar, 1);
    toolbar->app = app;
    toolbar->hooks = *hooks;
    toolbar->row = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 4);
    atk_object_set_role(gtk_widget_get_accessible(toolbar->row), ATK_ROLE_TOOL_BAR);
    ui_add_class(toolbar->row, "operator-toolbar");
    build(toolbar);
    return toolbar;
}

void toolbar_free(struct toolbar *toolbar) {
    if (!toolbar)
        return;
    monitor_menu_free(toolbar->monitors);
    g_free(toolbar);
}

GtkWidget *toolbar_widget(struct toolbar *toolbar) {
    return toolbar->row;
}

/* ---- showing ---- */

static void set_on(GtkWidget *button, bool is_on) {
    gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(button), is_on);
}

/* What was granted, what may be asked for. */
static void show_rights(struct toolbar *toolbar, const struct operator_state *state, bool is_active) {
    bool has_control = (state->rights & TAS_RIGHT_CONTROL) != 0;
    uint16_t any = state->perms | state->rights;
    gtk_widget_set_sensitive(toolbar->view, is_active && (any & TAS_RIGHT_SEE) && !state->is_paused);
    gtk_widget_set_sensitive(toolbar->control,
                             is_active && (state->perms & TAS_RIGHT_CONTROL) && !has_control);
    ui_set_a11y(toolbar->control, NULL, has_control ? _("Granted") : "");
    ui_set_class(toolbar->control, "operator-granted", has_control);
    gtk_widget_set_sensitive(toolbar->special, is_active && has_control && !state->is_paused);
    gtk_widget_set_sensitive(toolbar->text, is_active && (any & TAS_RIGHT_CONTROL));
    gtk_widget_set_sensitive(toolbar->device, is_active && ((any & TAS_RIGHT_DEVICE) || state->has_device));
}

void toolbar_show(struct toolbar *toolbar, const struct operator_state *state,
                  const struct toolbar_view *view) {
    bool is_active = state->phase == OPERATOR_ACTIVE;
    toolbar->is_showing = true;
    show_rights(toolbar, state, is_active);
    monitor_menu_show(toolbar->monitors, state);
    gtk_widget_set_sensitive(toolbar->scaled, is_active);
    gtk_widget_set_sensitive(toolbar->end, state->phase != OPERATOR_CLOSED && !state->is_ending);
    set_on(toolbar->view, state->is_viewing);
    set_on(toolbar->chat, view->pane == PANE_CHAT);
    set_on(toolbar->text, view->pane == PANE_TEXT);
    set_on(toolbar->device, view->pane == PANE_DEVICE);
    set_on(toolbar->scaled, view->is_scaled);
    set_on(toolbar->full, view->is_full);
    ui_set_class(toolbar->chat, "operator-unread", view->has_unread);
    toolbar->is_showing = false;
}
