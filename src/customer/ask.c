/* The operator asks for more rights. The answer is No until the customer says otherwise (SECURITY.md S7,
 * S12). */
#include "customer/page_private.h"

struct ask {
    struct windows *windows;
    GtkWidget *window; /* NULL: nothing is asked */
    uint16_t asked;    /* that the window is about */
};

static void do_allow(struct windows *w) {
    windows_answer(w, w->ask->asked, true);
}

static void do_deny(struct windows *w) {
    windows_answer(w, w->ask->asked, false);
}

static gboolean on_delete(GtkWidget *window, GdkEvent *event, gpointer ctx) {
    (void)window, (void)event;
    do_deny(ctx);
    return GDK_EVENT_STOP; /* it goes when the core has taken the answer */
}

/* By us, or by another program that destroys windows: ask_show() then asks again. */
static void on_gone(GtkWidget *window, gpointer ctx) {
    (void)window;
    struct ask *ask = ctx;
    ask->window = NULL;
    ask->asked = 0;
}

static gboolean on_key(GtkWidget *window, GdkEventKey *event, gpointer ctx) {
    (void)window;
    if (event->keyval != GDK_KEY_Escape)
        return GDK_EVENT_PROPAGATE;
    do_deny(ctx);
    return GDK_EVENT_STOP;
}

static GtkWidget *list_rights(uint16_t asked) {
    GtkWidget *column = ui_column();
    for (const struct right *r = windows_rights; r->bit; r++) {
        if (!(asked & r->bit))
            continue;
        GtkWidget *name = ui_label(ui_text(r->name));
        ui_add_class(name, "customer-fact");
        gtk_container_add(GTK_CONTAINER(column), name);
        gtk_container_add(GTK_CONTAINER(column), ui_hint(ui_text(r->meaning)));
    }
    return ui_card(column);
}

static void open_window(struct ask *ask) {
    struct windows *w = ask->windows;
    GtkWidget *column = ui_column();
    GtkWidget *deny = page_button(w, _("Deny"), UI_PLAIN, do_deny);
    GtkWidget *allow = page_button(w, _("Allow"), UI_PRIMARY, do_allow);
    char *who = windows_who(w);
    char text[API_NAME * 2 + 128];
    snprintf(text, sizeof(text), _("%s asks for more"), who);
    g_free(who);
    gtk_container_add(GTK_CONTAINER(column), ui_heading(text));
    gtk_container_add(GTK_CONTAINER(column), list_rights(ask->asked));
    gtk_container_add(GTK_CONTAINER(column), ui_hint(_("You can take it back at any time.")));
    gtk_container_add(GTK_CONTAINER(column), ui_buttons(deny, allow, NULL));
    gtk_container_set_border_width(GTK_CONTAINER(column), UI_MARGIN);

    ask->window = gtk_window_new(GTK_WINDOW_TOPLEVEL);
    GtkWindow *window = GTK_WINDOW(ask->window);
    gtk_window_set_title(window, _("The operator asks"));
    gtk_window_set_role(window, "tasuki-ask");
    gtk_window_set_type_hint(window, GDK_WINDOW_TYPE_HINT_DIALOG);
    gtk_window_set_position(window, GTK_WIN_POS_CENTER);
    gtk_window_set_resizable(window, FALSE);
    gtk_window_set_keep_above(window, TRUE);
    gtk_window_set_focus_on_map(window, FALSE); /* whoever is typing must not answer by that */
    gtk_window_set_urgency_hint(window, TRUE);
    gtk_container_add(GTK_CONTAINER(window), column);
    g_signal_connect(window, "delete-event", G_CALLBACK(on_delete), w);
    g_signal_connect(window, "key-press-event", G_CALLBACK(on_key), w);
    g_signal_connect(window, "destroy", G_CALLBACK(on_gone), ask);
    windows_arm_later(allow);
    page_set_default(deny);
    gtk_widget_show_all(ask->window);
    ui_announce(ask->window, text);
}

static void close_window(struct ask *ask) {
    if (ask->window)
        gtk_widget_destroy(ask->window);
}

void ask_show(struct ask *ask) {
    const struct customer_state *s = &ask->windows->state;
    uint16_t asked = s->step == CUSTOMER_ACTIVE ? s->asked : 0;
    if (asked == ask->asked)
        return;
    close_window(ask);
    ask->asked = asked;
    if (asked)
        open_window(ask);
}

void ask_rebuild(struct ask *ask) {
    close_window(ask);
}

struct ask *ask_new(struct windows *w) {
    struct ask *ask = g_new0(struct ask, 1);
    ask->windows = w;
    return ask;
}

void ask_free(struct ask *ask) {
    if (!ask)
        return;
    close_window(ask);
    g_free(ask);
}
