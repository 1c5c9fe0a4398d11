/* Before a number can be typed: connecting, and what may be wrong with that. */
#include "customer/page_private.h"

/* ---- connecting ---- */

static GtkWidget *connecting_build(struct windows *w) {
    GtkWidget *column = ui_column();
    gtk_container_add(GTK_CONTAINER(column), ui_heading(_("Connecting")));
    gtk_container_add(GTK_CONTAINER(column), page_busy(_("Asking the support desk's server.")));
    gtk_container_add(GTK_CONTAINER(column),
                      ui_buttons(page_button(w, _("Close"), UI_PLAIN, windows_close), NULL));
    return page_new(column);
}

const struct page page_connecting = {"connecting", N_("Connecting"), connecting_build, NULL, NULL};

/* ---- stuck ---- */

struct stuck {
    GtkWidget *place, *retry;
    uint32_t serial; /* of the error that is shown */
};

static void do_retry(struct windows *w) {
    windows_do(w, CUSTOMER_DO_RETRY);
}

static GtkWidget *stuck_build(struct windows *w) {
    GtkWidget *column = ui_column();
    GtkWidget *page = page_new(column);
    struct stuck *p = page_keep(page, sizeof(*p));
    p->place = ui_column();
    p->retry = page_button(w, _("Try again"), UI_PRIMARY, do_retry);
    gtk_container_add(GTK_CONTAINER(column), p->place);
    gtk_container_add(GTK_CONTAINER(column),
                      ui_buttons(page_button(w, _("Close"), UI_PLAIN, windows_close), p->retry, NULL));
    return page;
}

static void stuck_show(struct windows *w, GtkWidget *page) {
    struct stuck *p = page_kept(page);
    struct ui_words words;
    if (p->serial == w->state.error_serial)
        return;
    p->serial = w->state.error_serial;
    ui_words_of_error(&words, &w->state.error, false);
    page_empty(p->place);
    gtk_container_add(GTK_CONTAINER(p->place), ui_words_page(&words, true));
    gtk_widget_show_all(p->place);
    ui_announce(p->place, words.title);
}

static void stuck_enter(struct windows *w, GtkWidget *page) {
    (void)w;
    page_set_default(((struct stuck *)page_kept(page))->retry);
}

const struct page page_stuck = {"stuck", N_("Connection failed"), stuck_build, stuck_show, stuck_enter};

/* ---- too old ---- */

static GtkWidget *old_build(struct windows *w) {
    GtkWidget *column = ui_column();
    GtkWidget *page = page_new(column);
    GtkWidget **place = page_keep(page, sizeof(GtkWidget *));
    *place = ui_column();
    gtk_container_add(GTK_CONTAINER(column), *place);
    if (w->org->n_downloads > 0) {
        GtkWidget *url = ui_label(w->org->downloads[0].url);
        gtk_label_set_selectable(GTK_LABEL(url), TRUE);
        gtk_container_add(GTK_CONTAINER(column), ui_field(_("Where to get it"), url));
    }
    gtk_container_add(GTK_CONTAINER(column),
                      ui_buttons(page_button(w, _("Close"), UI_PRIMARY, windows_close), NULL));
    return page;
}

static void old_enter(struct windows *w, GtkWidget *page) {
    GtkWidget **place = page_kept(page);
    struct ui_words words;
    snprintf(words.title, sizeof(words.title), "%s", _("This tool is too old"));
    snprintf(words.text, sizeof(words.text),
             _("The support desk asks for version %s or newer; this is %s. Close this tool, download it once "
               "more, and start the new one."),
             w->state.min_version, TASUKI_VERSION);
    page_empty(*place);
    gtk_container_add(GTK_CONTAINER(*place), ui_words_page(&words, true));
    gtk_widget_show_all(*place);
    gtk_widget_grab_focus(page);
}

const struct page page_old = {"old", N_("This tool is too old"), old_build, NULL, old_enter};
