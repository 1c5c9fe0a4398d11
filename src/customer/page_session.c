/* The main window while the session runs, mostly minimised: what is allowed, and the bar's buttons for those
 * who work by keyboard (the bar takes no focus). */
#include "customer/page_private.h"

struct session {
    GtkWidget *who, *time, *line, *pause, *boxes, *chat, *key;
    uint16_t possible; /* for which the boxes were made */
    bool is_showing;   /* what the state says is put into the boxes: nobody pressed them */
};

static void do_pause(struct windows *w) {
    windows_pause(w, !w->state.is_paused);
}

static void do_end(struct windows *w) {
    windows_do(w, CUSTOMER_DO_END);
}

static void do_chat(struct windows *w) {
    chat_present(w->chat);
}

static uint16_t right_of(GtkToggleButton *box) {
    return (uint16_t)GPOINTER_TO_UINT(g_object_get_data(G_OBJECT(box), "right"));
}

static void on_toggled(GtkToggleButton *box, gpointer page) {
    struct session *p = page_kept(page);
    struct windows *w = g_object_get_data(page, "windows");
    if (p->is_showing)
        return;
    windows_grant(w, right_of(box), gtk_toggle_button_get_active(box));
    windows_show(w); /* until the core agrees nothing has changed */
}

static void build_boxes(struct windows *w, GtkWidget *page) {
    struct session *p = page_kept(page);
    page_empty(p->boxes);
    for (const struct right *r = windows_rights; r->bit; r++) {
        if (!(w->state.possible & r->bit))
            continue;
        GtkWidget *box = ui_check(ui_text(r->name), false);
        ui_set_a11y(box, NULL, ui_text(r->meaning));
        gtk_widget_set_tooltip_text(box, ui_text(r->meaning));
        g_object_set_data(G_OBJECT(box), "right", GUINT_TO_POINTER(r->bit));
        g_signal_connect(box, "toggled", G_CALLBACK(on_toggled), page);
        gtk_container_add(GTK_CONTAINER(p->boxes), box);
    }
    gtk_widget_show_all(p->boxes);
    p->possible = w->state.possible;
}

static GtkWidget *build(struct windows *w) {
    GtkWidget *column = ui_column();
    GtkWidget *page = page_new(column);
    struct session *p = page_keep(page, sizeof(*p));
    g_object_set_data(G_OBJECT(page), "windows", w);
    p->who = ui_heading("");
    p->time = ui_label("");
    p->line = ui_hint("");
    p->boxes = ui_column();
    p->key = ui_hint(_("Ctrl+Alt+X ends the session at once, whatever is on the screen."));
    gtk_widget_set_no_show_all(p->key, TRUE);
    p->pause = page_button(w, _("Pause"), UI_PLAIN, do_pause);
    p->chat = page_button(w, _("Chat"), UI_PLAIN, do_chat);
    gtk_container_add(GTK_CONTAINER(column), p->who);
    gtk_container_add(GTK_CONTAINER(column), p->time);
    gtk_container_add(GTK_CONTAINER(column), p->line);
    gtk_container_add(GTK_CONTAINER(column), ui_field(_("What the operator may do"), ui_card(p->boxes)));
    gtk_container_add(GTK_CONTAINER(column), p->key);
    gtk_container_add(GTK_CONTAINER(column),
                      ui_buttons(p->chat, p->pause, page_button(w, _("End"), UI_DANGER, do_end), NULL));
    return page;
}

static void show_box(GtkWidget *box, gpointer ctx) {
    const struct windows *w = ctx;
    bool is_on = (w->state.granted & right_of(GTK_TOGGLE_BUTTON(box))) != 0;
    if (is_on != gtk_toggle_button_get_active(GTK_TOGGLE_BUTTON(box)))
        gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(box), is_on);
}

static void show(struct windows *w, GtkWidget *page) {
    struct session *p = page_kept(page);
    char time[64], text[API_NAME * 2 + 128];
    char *who = windows_who(w);
    windows_since(time, sizeof(time), w);
    snprintf(text, sizeof(text), _("Connected: %s"), who);
    g_free(who);
    page_set_text(p->who, text);
    page_set_text(p->time, time);
    page_set_text(p->line, windows_line(w));
    gtk_widget_set_visible(p->key, w->state.has_emergency_key);
    page_set_button(p->pause, w->state.is_paused ? _("Resume") : _("Pause"));
    if (p->possible != w->state.possible)
        build_boxes(w, page);
    p->is_showing = true;
    gtk_container_foreach(GTK_CONTAINER(p->boxes), show_box, w);
    p->is_showing = false;
}

const struct page page_session = {"session", N_("What the operator may do"), build, show, NULL};
