#include "operator/monitor_menu.h"

#include "ui/look.h"

#include <string.h>

struct monitor_menu {
    struct app *app;
    GtkWidget *button;
    GtkWidget *items[TAS_MONITORS + 1]; /* by id; NULL: none */
    struct tas_monitors monitors;       /* as shown */
    bool is_showing;                    /* it is we who tick the items */
};

static void on_toggled(GtkCheckMenuItem *item, gpointer ctx) {
    struct monitor_menu *menu = ctx;
    if (menu->is_showing || !gtk_check_menu_item_get_active(item))
        return;
    struct operator_command command = {.kind = OPERATOR_DO_MONITOR};
    for (unsigned id = 0; id <= TAS_MONITORS; id++)
        if (menu->items[id] == GTK_WIDGET(item))
            command.monitor = (uint8_t)id;
    app_send(menu->app, &command);
}

static void add(struct monitor_menu *menu, GtkWidget *shell, GSList **group, uint8_t id, const char *text) {
    GtkWidget *item = gtk_radio_menu_item_new_with_label(*group, text);
    *group = gtk_radio_menu_item_get_group(GTK_RADIO_MENU_ITEM(item));
    menu->items[id] = item;
    g_signal_connect(item, "toggled", G_CALLBACK(on_toggled), menu);
    gtk_menu_shell_append(GTK_MENU_SHELL(shell), item);
}

static void build(struct monitor_menu *menu) {
    GtkWidget *shell = gtk_menu_new();
    GSList *group = NULL;
    memset(menu->items, 0, sizeof(menu->items));
    for (unsigned i = 0; i < menu->monitors.n; i++) {
        const struct tas_monitor *m = &menu->monitors.list[i];
        char text[TAS_MONITOR_NAME + 80];
        g_snprintf(text, sizeof(text), m->is_primary ? _("%s, %u \u00d7 %u, primary") : _("%s, %u \u00d7 %u"),
                   m->name, m->width, m->height);
        add(menu, shell, &group, m->id, text);
    }
    add(menu, shell, &group, TAS_MONITOR_ALL, _("All monitors"));
    ui_set_a11y(shell, _("Monitor"), NULL);
    gtk_widget_show_all(shell);
    gtk_menu_button_set_popup(GTK_MENU_BUTTON(menu->button), shell); /* the one before goes */
}

struct monitor_menu *monitor_menu_new(struct app *app, GtkWidget *button) {
    struct monitor_menu *menu = g_new0(struct monitor_menu, 1);
    menu->app = app;
    menu->button = button;
    gtk_widget_show_all(button);
    gtk_widget_hide(button);
    gtk_widget_set_no_show_all(button, TRUE);
    return menu;
}

/* Its widgets may outlive it. */
void monitor_menu_free(struct monitor_menu *menu) {
    if (!menu)
        return;
    for (unsigned id = 0; id <= TAS_MONITORS; id++)
        if (menu->items[id])
            g_signal_handlers_disconnect_by_data(menu->items[id], menu);
    g_free(menu);
}

static bool is_same(const struct tas_monitors *a, const struct tas_monitors *b) {
    bool is = a->n == b->n;
    for (unsigned i = 0; is && i < a->n; i++) {
        const struct tas_monitor *one = &a->list[i];
        const struct tas_monitor *other = &b->list[i];
        is = one->id == other->id && one->is_primary == other->is_primary && one->width == other->width &&
             one->height == other->height && strcmp(one->name, other->name) == 0;
    }
    return is;
}

void monitor_menu_show(struct monitor_menu *menu, const struct operator_state *state) {
    const struct tas_monitors *now = &state->monitors;
    bool is_new = !is_same(now, &menu->monitors);
    menu->is_showing = true;
    menu->monitors = *now;
    if (is_new)
        build(menu);
    if (menu->items[now->shown])
        gtk_check_menu_item_set_active(GTK_CHECK_MENU_ITEM(menu->items[now->shown]), TRUE);
    menu->is_showing = false;
    gtk_widget_set_visible(menu->button, now->n > 1);
    gtk_widget_set_sensitive(menu->button, state->is_viewing);
}
