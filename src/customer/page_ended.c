#include "customer/page_private.h"
#include "session/session.h"

struct ended {
    GtkWidget *words, *saved, *close;
    unsigned reason; /* that is shown */
    bool is_shown;
};

static bool is_bad(unsigned reason) {
    return reason != 0 && reason != TAS_END_OPERATOR && reason != TAS_END_CUSTOMER && reason != TAS_END_ADMIN;
}

static void words_of_end(struct ui_words *words, unsigned reason) {
    if (reason != 0) {
        ui_words_of_end(words, reason, false);
        return;
    }
    snprintf(words->title, sizeof(words->title), "%s", _("Ended"));
    snprintf(words->text, sizeof(words->text), "%s",
             _("No session took place. Nothing of your screen was seen."));
}

static GtkWidget *build(struct windows *w) {
    GtkWidget *column = ui_column();
    GtkWidget *page = page_new(column);
    struct ended *p = page_keep(page, sizeof(*p));
    p->words = ui_column();
    p->saved = ui_label("");
    p->close = page_button(w, _("Close"), UI_PRIMARY, windows_close);
    gtk_container_add(GTK_CONTAINER(column), p->words);
    gtk_container_add(GTK_CONTAINER(column),
                      ui_label(_("This tool is removed. Nothing of it stays on this computer.")));
    gtk_container_add(GTK_CONTAINER(column), p->saved);
    gtk_container_add(GTK_CONTAINER(column),
                      ui_buttons(page_button(w, _("Save record"), UI_PLAIN, save_ask), p->close, NULL));
    gtk_widget_set_no_show_all(p->saved, TRUE);
    return page;
}

static void show_saved(struct windows *w, struct ended *p) {
    char text[sizeof(w->draft.saved_text) + 128];
    gtk_widget_set_visible(p->saved, w->draft.has_saved);
    if (!w->draft.has_saved)
        return;
    snprintf(text, sizeof(text),
             w->draft.is_saved ? _("The record was saved: %s") : _("The record was not saved: %s"),
             w->draft.saved_text);
    if (strcmp(gtk_label_get_text(GTK_LABEL(p->saved)), text) == 0)
        return;
    page_set_text(p->saved, text);
    ui_set_class(p->saved, "ui-good", w->draft.is_saved);
    ui_set_class(p->saved, "ui-bad", !w->draft.is_saved);
    ui_announce(p->saved, text);
}

static void show(struct windows *w, GtkWidget *page) {
    struct ended *p = page_kept(page);
    if (!p->is_shown || p->reason != w->state.end_reason) {
        struct ui_words words;
        words_of_end(&words, w->state.end_reason);
        page_empty(p->words);
        gtk_container_add(GTK_CONTAINER(p->words), ui_words_page(&words, is_bad(w->state.end_reason)));
        gtk_widget_show_all(p->words);
        ui_announce(p->words, words.title);
        p->is_shown = true;
        p->reason = w->state.end_reason;
    }
    show_saved(w, p);
}

static void enter(struct windows *w, GtkWidget *page) {
    (void)w;
    gtk_widget_grab_focus(((struct ended *)page_kept(page))->close);
}

const struct page page_ended = {"ended", N_("Ended"), build, show, enter};
