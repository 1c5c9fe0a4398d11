/* Keys are agreed on; then the check code that only the two of them can know. */
#include "customer/page_private.h"

struct code {
    GtkWidget *joining, *reading, *number, *tries, *chat, *who;
    bool was_wrong;
};

static void do_end(struct windows *w) {
    windows_do(w, CUSTOMER_DO_END);
}

static void do_chat(struct windows *w) {
    chat_present(w->chat);
}

static GtkWidget *build_reading(struct code *p) {
    GtkWidget *column = ui_column();
    GtkWidget *centre = gtk_box_new(GTK_ORIENTATION_VERTICAL, UI_GAP);
    p->number = ui_number(_("Check code"), "");
    p->tries = ui_warning("");
    p->who = ui_label("");
    ui_add_class(p->number, "customer-huge");
    gtk_widget_set_halign(p->number, GTK_ALIGN_CENTER);
    gtk_label_set_selectable(GTK_LABEL(p->number), FALSE); /* it goes over the phone, not over a clipboard */
    gtk_container_add(GTK_CONTAINER(centre), p->number);
    gtk_container_add(GTK_CONTAINER(column), ui_heading(_("Tell the operator this check code")));
    gtk_container_add(GTK_CONTAINER(column), ui_card(centre));
    gtk_container_add(GTK_CONTAINER(column), p->tries);
    gtk_container_add(GTK_CONTAINER(column), p->who);
    gtk_container_add(
        GTK_CONTAINER(column),
        ui_hint(
            _("It shows that nobody, not even the servers, can listen in. Never write it into a message or "
              "a web page, and tell it to nobody else.")));
    return column;
}

static GtkWidget *build(struct windows *w) {
    GtkWidget *column = ui_column();
    GtkWidget *page = page_new(column);
    struct code *p = page_keep(page, sizeof(*p));
    p->joining = ui_column();
    gtk_container_add(GTK_CONTAINER(p->joining), ui_heading(_("Connecting to the operator")));
    gtk_container_add(GTK_CONTAINER(p->joining), page_busy(_("Both ends are agreeing on new keys.")));
    p->reading = build_reading(p);
    p->chat = page_button(w, _("Chat"), UI_PLAIN, do_chat);
    gtk_container_add(GTK_CONTAINER(column), p->joining);
    gtk_container_add(GTK_CONTAINER(column), p->reading);
    gtk_container_add(GTK_CONTAINER(column),
                      ui_buttons(p->chat, page_button(w, _("End"), UI_DANGER, do_end), NULL));
    gtk_widget_show_all(column);
    gtk_widget_set_no_show_all(p->joining, TRUE);
    gtk_widget_set_no_show_all(p->reading, TRUE);
    gtk_widget_set_no_show_all(p->tries, TRUE);
    return page;
}

static void show_tries(const struct windows *w, struct code *p) {
    char text[256];
    bool was_wrong = w->state.tries_left > 0;
    if (was_wrong) {
        snprintf(text, sizeof(text), _("The operator typed a wrong code. Tries left: %u"),
                 w->state.tries_left);
        page_set_text(p->tries, text);
        if (!p->was_wrong)
            ui_announce(p->tries, text);
    }
    gtk_widget_set_visible(p->tries, was_wrong);
    p->was_wrong = was_wrong;
}

static void show(struct windows *w, GtkWidget *page) {
    struct code *p = page_kept(page);
    bool is_joining = w->state.step == CUSTOMER_JOINING;
    char text[API_NAME * 2 + 256];
    gtk_widget_set_visible(p->joining, is_joining);
    gtk_widget_set_visible(p->reading, !is_joining);
    gtk_widget_set_visible(p->chat, chat_is_possible(w->chat));
    if (strcmp(gtk_label_get_text(GTK_LABEL(p->number)), w->state.check_code) != 0)
        ui_number_set(p->number, w->state.check_code);
    char *who = windows_who(w);
    snprintf(text, sizeof(text), _("Read it out to %s, on the phone that you are already on."), who);
    g_free(who);
    page_set_text(p->who, text);
    show_tries(w, p);
}

const struct page page_code = {"code", N_("Check code"), build, show, NULL};
