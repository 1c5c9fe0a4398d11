/* What swindlers do, before anything else, on every path (SECURITY.md S9). */
#include "customer/page_private.h"

enum { READ_US = 5 * 1000 * 1000 };

struct warning {
    GtkWidget *proceed;
};

static void do_continue(struct windows *w) {
    if (w->draft.warned_at_us == 0 || g_get_monotonic_time() < w->draft.warned_at_us + READ_US)
        return;
    w->draft.has_read = true;
    windows_show(w);
}

static GtkWidget *build(struct windows *w) {
    GtkWidget *column = ui_column();
    GtkWidget *page = page_new(column);
    struct warning *p = page_keep(page, sizeof(*p));
    GtkWidget *close = page_button(w, _("Close"), UI_PLAIN, windows_close);
    p->proceed = page_button(w, _("Continue"), UI_PRIMARY, do_continue);
    gtk_widget_set_sensitive(p->proceed, FALSE);
    GtkWidget *warning = ui_warning(_("If a stranger called you, stop and hang up"));
    ui_add_class(warning, "customer-warning");
    gtk_container_add(GTK_CONTAINER(column), warning);
    const char *sentences[] = {
        _("A sudden call, or a message on the screen with a telephone number, that says your computer has a "
          "virus or your bank account is in danger: that is fraud."),
        _("Swindlers use the names of well-known companies. They have you start a tool like this one, look "
          "into your bank account, and make you send money or buy gift cards."),
        _("Go on only if you called the support desk yourself, at a number that you trust."),
    };
    for (size_t i = 0; i < G_N_ELEMENTS(sentences); i++)
        gtk_container_add(GTK_CONTAINER(column), ui_label(sentences[i]));
    gtk_container_add(GTK_CONTAINER(column), ui_buttons(close, p->proceed, NULL));
    return page;
}

static void show(struct windows *w, GtkWidget *page) {
    struct warning *p = page_kept(page);
    int64_t now_us = g_get_monotonic_time();
    if (w->draft.warned_at_us == 0)
        w->draft.warned_at_us = now_us;
    int64_t left_us = w->draft.warned_at_us + READ_US - now_us;
    bool may_go_on = left_us <= 0;
    char text[128];
    if (may_go_on)
        snprintf(text, sizeof(text), "%s", _("Continue"));
    else
        snprintf(text, sizeof(text), _("Continue (%d s)"), (int)((left_us + 999999) / 1000000));
    if (strcmp(gtk_button_get_label(GTK_BUTTON(p->proceed)), text) != 0)
        gtk_button_set_label(GTK_BUTTON(p->proceed), text);
    if (may_go_on == gtk_widget_get_sensitive(p->proceed))
        return;
    gtk_widget_set_sensitive(p->proceed, may_go_on);
    if (may_go_on)
        page_set_default(p->proceed);
}

const struct page page_warning = {"warning", N_("Warning"), build, show, NULL};
