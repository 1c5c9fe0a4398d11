#include "customer/page_private.h"

struct number {
    bool was_sending;
    GtkWidget *bar, *entry, *connect, *ready, *busy;
    uint32_t serial;           /* of the error in the bar */
    enum customer_lapse lapse; /* in the bar */
};

static bool is_sending(const struct windows *w) {
    return w->state.step == CUSTOMER_SENDING;
}

static void do_connect(struct windows *w) {
    struct customer_command command = {.kind = CUSTOMER_DO_NUMBER, .terms_at_ms = w->draft.agreed_at_ms};
    snprintf(command.text, sizeof(command.text), "%s", w->draft.number);
    (void)!ui_bridge_command(w->bridge, &command, customer_command_size(&command));
    tas_wipe(command.text, sizeof(w->draft.number));
    w->draft.sent_serial = w->state.error_serial;
}

static void do_back(struct windows *w) {
    windows_do(w, CUSTOMER_DO_BACK);
}

static void on_changed(GtkWidget *entry, gpointer ctx) {
    struct windows *w = ctx;
    (void)ui_digits_get(entry, w->draft.number);
    w->draft.is_notice_old = true;
    windows_show(w);
}

static GtkWidget *build(struct windows *w) {
    GtkWidget *column = ui_column();
    GtkWidget *page = page_new(column);
    struct number *p = page_keep(page, sizeof(*p));
    const char *ask = _("Type the number your operator tells you");
    p->bar = ui_error_bar();
    p->entry = ui_digits_entry(_("Reception number"), true);
    if (w->draft.number[0])
        gtk_entry_set_text(GTK_ENTRY(p->entry), w->draft.number);
    g_signal_connect(p->entry, "changed", G_CALLBACK(on_changed), w);
    p->connect = page_button(w, _("Connect"), UI_PRIMARY, do_connect);
    p->ready = ui_buttons(page_button(w, _("Close"), UI_PLAIN, windows_close), p->connect, NULL);
    p->busy = ui_row();
    gtk_box_pack_start(GTK_BOX(p->busy), page_busy(_("The number is being checked.")), TRUE, TRUE, 0);
    gtk_box_pack_end(GTK_BOX(p->busy), page_button(w, _("Back"), UI_PLAIN, do_back), FALSE, FALSE, 0);

    gtk_container_add(GTK_CONTAINER(column), ui_heading(_("Reception number")));
    gtk_container_add(GTK_CONTAINER(column), ui_label(ask));
    gtk_container_add(GTK_CONTAINER(column), p->bar);
    gtk_container_add(GTK_CONTAINER(column), p->entry);
    gtk_container_add(GTK_CONTAINER(column), ui_digits_hint(p->entry));
    gtk_container_add(GTK_CONTAINER(column), ui_hint(_("Nine digits. Nobody sees your screen yet.")));
    gtk_container_add(GTK_CONTAINER(column), p->ready);
    gtk_container_add(GTK_CONTAINER(column), p->busy);
    return page;
}

static void words_of_lapse(struct ui_words *words, enum customer_lapse lapse) {
    static const struct {
        const char *title, *text;
    } table[] = {
        [CUSTOMER_NO_LAPSE] = {"", ""},
        [CUSTOMER_REFUSED] =
            {N_("The operator did not answer"),
             N_("The operator turned this request down. Ask on the phone, and type the number "
                "again or a new one.")},
        [CUSTOMER_REPLACED] = {N_("Somebody else was answered"),
                               N_("The number was used by another computer. If that was not yours, tell the "
                                  "operator, and ask for a new number.")},
        [CUSTOMER_EXPIRED] = {N_("The number has run out"), N_("Ask the operator for a new number.")},
    };
    snprintf(words->title, sizeof(words->title), "%s", ui_text(table[lapse].title));
    snprintf(words->text, sizeof(words->text), "%s", ui_text(table[lapse].text));
}

static void show_notice(struct windows *w, struct number *p) {
    const struct customer_state *s = &w->state;
    bool has_error = s->error.err != TAS_OK && s->error_serial != w->draft.sent_serial;
    bool is_wanted =
        !w->draft.is_notice_old && !is_sending(w) && (has_error || s->lapse != CUSTOMER_NO_LAPSE);
    if (!is_wanted) {
        if (p->serial != 0 || p->lapse != CUSTOMER_NO_LAPSE)
            ui_error_bar_hide(p->bar);
        p->serial = 0;
        p->lapse = CUSTOMER_NO_LAPSE;
        return;
    }
    struct ui_words words;
    if (has_error && p->serial != s->error_serial) {
        p->serial = s->error_serial;
        ui_words_of_error(&words, &s->error, false);
        ui_error_bar_show(p->bar, &words, GTK_MESSAGE_ERROR);
    } else if (!has_error && p->lapse != s->lapse) {
        p->lapse = s->lapse;
        words_of_lapse(&words, s->lapse);
        ui_error_bar_show(p->bar, &words, GTK_MESSAGE_WARNING);
    }
}

/* A whole number is selected, to be corrected or typed anew; what was begun goes on at its end. A button that
 * was hidden has lost its being the default. */
static void take_focus(struct number *p) {
    char digits[TAS_NUMBER_CAP];
    gtk_widget_grab_default(p->connect);
    gtk_widget_grab_focus(p->entry);
    if (ui_digits_get(p->entry, digits) == UI_DIGITS_PARTIAL)
        gtk_editable_set_position(GTK_EDITABLE(p->entry), -1);
    tas_wipe(digits, sizeof(digits));
}

static void show(struct windows *w, GtkWidget *page) {
    struct number *p = page_kept(page);
    char digits[TAS_NUMBER_CAP];
    bool is_complete = ui_digits_get(p->entry, digits) == UI_DIGITS_COMPLETE;
    tas_wipe(digits, sizeof(digits));
    gtk_widget_set_sensitive(p->entry, !is_sending(w));
    gtk_widget_set_sensitive(p->connect, is_complete);
    gtk_widget_set_visible(p->ready, !is_sending(w));
    gtk_widget_set_visible(p->busy, is_sending(w));
    show_notice(w, p);
    if (p->was_sending && !is_sending(w))
        take_focus(p);
    p->was_sending = is_sending(w);
}

static void enter(struct windows *w, GtkWidget *page) {
    (void)w;
    take_focus(page_kept(page));
}

const struct page page_number = {"number", N_("Reception number"), build, show, enter};
