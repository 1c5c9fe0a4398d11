#include "operator/special.h"

#include "ui/look.h"

#include <gdk/gdkkeysyms.h>

struct key {
    uint16_t code; /* evdev; 0 closes the list */
    uint32_t keysym;
};

#define CTRL                                                                                                 \
    { 29, GDK_KEY_Control_L }
#define SHIFT                                                                                                \
    { 42, GDK_KEY_Shift_L }
#define ALT                                                                                                  \
    { 56, GDK_KEY_Alt_L }
#define SUPER                                                                                                \
    { 125, GDK_KEY_Super_L }

/* Names of keys are the same in every language. */
static const struct combination {
    const char *name;
    struct key keys[4];
} combinations[] = {
    {"Ctrl+Alt+Del", {CTRL, ALT, {111, GDK_KEY_Delete}}},
    {"Ctrl+Shift+Esc", {CTRL, SHIFT, {1, GDK_KEY_Escape}}},
    {"Alt+Tab", {ALT, {15, GDK_KEY_Tab}}},
    {"Alt+F4", {ALT, {62, GDK_KEY_F4}}},
    {"Super", {SUPER}},
    {"Super+D", {SUPER, {32, GDK_KEY_d}}},
    {"Super+L", {SUPER, {38, GDK_KEY_l}}},
    {"Super+R", {SUPER, {19, GDK_KEY_r}}},
    {"Print", {{99, GDK_KEY_Print}}},
    {"Alt+Print", {ALT, {99, GDK_KEY_Print}}},
    {"Menu", {{127, GDK_KEY_Menu}}},
    {"F11", {{87, GDK_KEY_F11}}},
    {"Ctrl+Alt+F1", {CTRL, ALT, {59, GDK_KEY_F1}}},
    {"Ctrl+Alt+F7", {CTRL, ALT, {65, GDK_KEY_F7}}},
};

static void send(struct app *app, const struct key *key, bool is_down) {
    struct operator_command command = {
        .kind = OPERATOR_DO_KEY, .keycode = key->code, .keysym = key->keysym, .is_on = is_down};
    app_send(app, &command);
}

/* Pressed in order, released the other way round. */
static void on_pick(GtkMenuItem *item, gpointer ctx) {
    const struct combination *combination = g_object_get_data(G_OBJECT(item), "combination");
    int n = 0;
    for (; n < 4 && combination->keys[n].code; n++)
        send(ctx, &combination->keys[n], true);
    while (n-- > 0)
        send(ctx, &combination->keys[n], false);
}

GtkWidget *special_menu(struct app *app) {
    GtkWidget *menu = gtk_menu_new();
    for (size_t i = 0; i < G_N_ELEMENTS(combinations); i++) {
        GtkWidget *item = gtk_menu_item_new_with_label(combinations[i].name);
        g_object_set_data(G_OBJECT(item), "combination", (gpointer)(uintptr_t)&combinations[i]);
        g_signal_connect(item, "activate", G_CALLBACK(on_pick), app);
        gtk_menu_shell_append(GTK_MENU_SHELL(menu), item);
    }
    ui_set_a11y(menu, _("Special keys"), NULL);
    gtk_widget_show_all(menu);
    return menu;
}
