#include "operator/desk.h"

#include "operator/ask.h"
#include "operator/card.h"
#include "operator/say.h"
#include "operator/shortcut.h"
#include "ui/look.h"

#include <string.h>

enum { WIDTH = 1060, HEIGHT = 680, FORM_WIDTH = 340, FORM_CHARS = 30, CARDS = 2 * OPERATOR_LIVE };

struct desk {
    struct app *app;
    GtkWidget *window, *error, *who, *line;
    GtkWidget *customer, *reason, *ticket_no, *issue;
    GtkWidget *list, *nobody, *scroller;
    struct card *cards[CARDS]; /* newest first */
    size_t n_cards;
    guint leaving;           /* Log out was pressed */
    uint64_t issued_session; /* that the form was emptied for */
    uint32_t issue_serial;   /* of the last answer that was looked at */
    bool is_issuing;         /* the form was sent; no answer is there yet */
};

/* ---- the form ---- */

static void on_issue(GtkWidget *widget, gpointer ctx) {
    (void)widget;
    struct desk *desk = ctx;
    struct operator_command command = {.kind = OPERATOR_DO_ISSUE};
    if (desk->is_issuing)
        return;
    say_copy(command.company, sizeof(command.company), gtk_entry_get_text(GTK_ENTRY(desk->customer)));
    say_copy(command.id, sizeof(command.id), gtk_entry_get_text(GTK_ENTRY(desk->ticket_no)));
    say_copy(command.text, sizeof(command.text), gtk_entry_get_text(GTK_ENTRY(desk->reason)));
    desk->is_issuing = true;
    gtk_widget_set_sensitive(desk->issue, FALSE);
    ui_error_bar_hide(desk->error);
    app_send(desk->app, &command);
}

static void show_issued(struct desk *desk, const struct operator_state *state) {
    bool is_made = state->issued_session != desk->issued_session;
    bool was_issuing = desk->is_issuing;
    if (state->issue_serial == desk->issue_serial)
        return;
    desk->issue_serial = state->issue_serial;
    desk->issued_session = state->issued_session;
    desk->is_issuing = false;
    if (!was_issuing || !is_made)
        return;
    ui_error_bar_hide(desk->error);
    GtkWidget *const fields[] = {desk->customer, desk->reason, desk->ticket_no};
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
        gtk_entry_set_text(GTK_ENTRY(fields[i]), "");
    gtk_adjustment_set_value(gtk_scrolled_window_get_vadjustment(GTK_SCROLLED_WINDOW(desk->scroller)), 0);
}

static GtkWidget *build_form(struct desk *desk) {
    GtkWidget *column = ui_column();
    desk->customer = ui_entry(_("Customer"), API_NAME / 4, false);
    desk->reason = ui_entry(_("Reason"), API_TEXT / 4, false);
    desk->ticket_no = ui_entry(_("Ticket no."), API_TEXT / 4, false);
    desk->issue = ui_button(_("Issue reception number"), UI_PRIMARY);
    gtk_widget_set_size_request(desk->issue, -1, 52);
    GtkWidget *hint = ui_hint(_("All of these may stay empty. Read the number out to the customer."));
    gtk_label_set_max_width_chars(GTK_LABEL(hint), FORM_CHARS);
    GtkWidget *const parts[] = {ui_field(_("Customer"), desk->customer), ui_field(_("Reason"), desk->reason),
                                ui_field(_("Ticket no."), desk->ticket_no), desk->issue, hint};
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
        gtk_box_pack_start(GTK_BOX(column), parts[i], FALSE, FALSE, 0);
    GtkWidget *const fields[] = {desk->customer, desk->reason, desk->ticket_no};
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
        g_signal_connect(fields[i], "activate", G_CALLBACK(on_issue), desk);
    shortcut(desk->issue, 'i');
    g_signal_connect(desk->issue, "clicked", G_CALLBACK(on_issue), desk);
    GtkWidget *card = ui_card(column);
    gtk_widget_set_size_request(card, FORM_WIDTH, -1);
    gtk_widget_set_valign(card, GTK_ALIGN_START);
    return card;
}

/* ---- the rest of the window ---- */

static void on_history(GtkButton *button, gpointer ctx) {
    (void)button;
    app_open_history(((struct desk *)ctx)->app);
}

/* Whoever leaves while a session runs is asked first. */
static bool may_leave(struct desk *desk, const char *what) {
    enum operator_phase phase = app_state(desk->app)->phase;
    if (phase == OPERATOR_IDLE || phase == OPERATOR_CLOSED)
        return true;
    return ask_yes(desk->window, _("A session is running"), _("It ends when you leave."), what);
}

static gboolean on_leaving(gpointer ctx) {
    struct desk *desk = ctx;
    struct app *app = desk->app;
    desk->leaving = 0;
    if (may_leave(desk, _("End and log out")))
        app_do(app, OPERATOR_DO_LOGOUT, 0);
    return G_SOURCE_REMOVE;
}

/* From the main loop: a screen reader that pressed it would not get to see the question before it is
 * answered. */
static void on_log_out(GtkButton *button, gpointer ctx) {
    (void)button;
    struct desk *desk = ctx;
    if (!desk->leaving)
        desk->leaving = g_idle_add(on_leaving, desk);
}

static gboolean on_delete(GtkWidget *widget, GdkEvent *event, gpointer ctx) {
    (void)widget;
    (void)event;
    struct desk *desk = ctx;
    struct app *app = desk->app;
    if (may_leave(desk, _("End and quit")))
        app_quit(app);
    return TRUE;
}

static gboolean on_focus(GtkWidget *widget, GdkEvent *event, gpointer ctx) {
    (void)event;
    (void)ctx;
    gtk_window_set_urgency_hint(GTK_WINDOW(widget), FALSE);
    return FALSE;
}

static GtkWidget *build_head(struct desk *desk) {
    GtkWidget *bar = ui_row();
    GtkWidget *names = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    GtkWidget *history = ui_button(_("History"), UI_PLAIN);
    GtkWidget *log_out = ui_button(_("Log out"), UI_PLAIN);
    desk->who = ui_label("");
    desk->line = ui_hint("");
    ui_add_class(desk->who, "ui-strong");
    ui_add_class(bar, "ui-bar");
    gtk_box_pack_start(GTK_BOX(names), desk->who, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(names), desk->line, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(bar), names, TRUE, TRUE, 0);
    gtk_box_pack_end(GTK_BOX(bar), log_out, FALSE, FALSE, 0);
    gtk_box_pack_end(GTK_BOX(bar), history, FALSE, FALSE, 0);
    gtk_widget_set_valign(log_out, GTK_ALIGN_CENTER);
    gtk_widget_set_valign(history, GTK_ALIGN_CENTER);
    shortcut(history, 'h');
    shortcut(log_out, 'l');
    g_signal_connect(history, "clicked", G_CALLBACK(on_history), desk);
    g_signal_connect(log_out, "clicked", G_CALLBACK(on_log_out), desk);
    return bar;
}

static GtkWidget *build_list(struct desk *desk) {
    GtkWidget *column = ui_column();
    desk->list = ui_column();
    desk->nobody = ui_hint(_("No reception numbers are out. Issue one when a customer calls."));
    gtk_widget_set_no_show_all(desk->nobody, TRUE);
    gtk_box_pack_start(GTK_BOX(column), ui_heading(_("Reception numbers")), FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(column), desk->nobody, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(column), desk->list, FALSE, FALSE, 0);
    desk->scroller = gtk_scrolled_window_new(NULL, NULL);
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(desk->scroller), GTK_POLICY_NEVER,
                                   GTK_POLICY_AUTOMATIC);
    gtk_widget_set_margin_end(column, UI_GAP); /* beside the scroll bar */
    gtk_container_add(GTK_CONTAINER(desk->scroller), column);
    return desk->scroller;
}

static GtkWidget *build(struct desk *desk) {
    GtkWidget *all = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    GtkWidget *body = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, UI_MARGIN);
    desk->error = ui_error_bar();
    gtk_container_set_border_width(GTK_CONTAINER(body), UI_MARGIN);
    gtk_box_pack_start(GTK_BOX(body), build_form(desk), FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(body), build_list(desk), TRUE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(all), build_head(desk), FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(all), desk->error, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(all), body, TRUE, TRUE, 0);
    return all;
}

struct desk *desk_new(struct app *app) {
    struct desk *desk = g_new0(struct desk, 1);
    desk->app = app;
    desk->issue_serial = app_state(app)->issue_serial;
    desk->issued_session = app_state(app)->issued_session;
    desk->window = gtk_window_new(GTK_WINDOW_TOPLEVEL);
    gtk_window_set_title(GTK_WINDOW(desk->window), _("Tasuki operator"));
    gtk_window_set_default_size(GTK_WINDOW(desk->window), WIDTH, HEIGHT);
    g_signal_connect(desk->window, "delete-event", G_CALLBACK(on_delete), desk);
    g_signal_connect(desk->window, "focus-in-event", G_CALLBACK(on_focus), desk);
    gtk_container_add(GTK_CONTAINER(desk->window), build(desk));
    gtk_widget_show_all(desk->window);
    gtk_widget_grab_focus(desk->customer);
    return desk;
}

void desk_free(struct desk *desk) {
    if (!desk)
        return;
    if (desk->leaving)
        g_source_remove(desk->leaving);
    for (size_t i = 0; i < desk->n_cards; i++)
        card_free(desk->cards[i]);
    gtk_widget_destroy(desk->window);
    g_free(desk);
}

/* ---- cards ---- */

static void forget_card(struct desk *desk, size_t i) {
    card_free(desk->cards[i]);
    desk->n_cards--;
    memmove(&desk->cards[i], &desk->cards[i + 1], (desk->n_cards - i) * sizeof(desk->cards[0]));
}

static void show_nobody(struct desk *desk) {
    gtk_widget_set_visible(desk->nobody, desk->n_cards == 0);
}

static void on_gone(void *ctx, struct card *card) {
    struct desk *desk = ctx;
    for (size_t i = 0; i < desk->n_cards; i++)
        if (desk->cards[i] == card) {
            forget_card(desk, i);
            break;
        }
    show_nobody(desk);
}

static struct card *get_card(struct desk *desk, uint64_t session) {
    for (size_t i = 0; i < desk->n_cards; i++)
        if (card_session(desk->cards[i]) == session)
            return desk->cards[i];
    if (desk->n_cards == CARDS)
        forget_card(desk, CARDS - 1);
    struct card *card = card_new(desk->app, on_gone, desk);
    memmove(&desk->cards[1], &desk->cards[0], desk->n_cards * sizeof(desk->cards[0]));
    desk->cards[0] = card;
    desk->n_cards++;
    gtk_box_pack_start(GTK_BOX(desk->list), card_widget(card), FALSE, FALSE, 0);
    gtk_box_reorder_child(GTK_BOX(desk->list), card_widget(card), 0);
    return card;
}

static bool is_live(const struct operator_state *state, uint64_t session) {
    for (size_t i = 0; i < state->n_live; i++)
        if (state->live[i].id == session)
            return true;
    return false;
}

/* Numbers that ran out stay until they are issued again or dismissed. */
static void drop_cards(struct desk *desk, const struct operator_state *state) {
    for (size_t i = desk->n_cards; i-- > 0;) {
        if (is_live(state, card_session(desk->cards[i])))
            continue;
        if (card_is_over(desk->cards[i]))
            forget_card(desk, i);
        else
            card_set_dead(desk->cards[i]);
    }
}

static void announce(struct desk *desk, const char *name) {
    char text[API_NAME + 80];
    g_snprintf(text, sizeof(text), _("Customer waiting: %s"), name);
    ui_announce(desk->window, text);
    if (!gtk_window_is_active(GTK_WINDOW(desk->window)))
        gtk_window_set_urgency_hint(GTK_WINDOW(desk->window), TRUE);
    gtk_widget_error_bell(desk->window);
}

static void show_cards(struct desk *desk, const struct operator_state *state) {
    drop_cards(desk, state);
    for (size_t i = state->n_live; i-- > 0;) {
        struct card *card = get_card(desk, state->live[i].id);
        if (card_show(card, &state->live[i]) > 0)
            announce(desk, card_who_waits(card));
    }
    show_nobody(desk);
}

/* ---- what it shows ---- */

static void show_title(struct desk *desk) {
    size_t n = 0;
    for (size_t i = 0; i < desk->n_cards; i++)
        n += card_who_waits(desk->cards[i])[0] != '\0';
    char title[120];
    if (n > 0)
        g_snprintf(title, sizeof(title), _("(%zu waiting) Tasuki operator"), n);
    else
        g_strlcpy(title, _("Tasuki operator"), sizeof(title));
    gtk_window_set_title(GTK_WINDOW(desk->window), title);
}

void desk_show(struct desk *desk, const struct operator_state *state) {
    char who[2 * API_NAME + 16];
    g_snprintf(who, sizeof(who), "%s \u00b7 %s", state->company, state->operator_name);
    ui_set_text(desk->who, who);
    ui_set_text(desk->line, state->is_managed ? _("Connected to the management server")
                                              : _("Connecting to the management server\u2026"));
    ui_set_class(desk->line, "ui-good", state->is_managed);
    ui_set_class(desk->line, "ui-bad", !state->is_managed);
    show_issued(desk, state);
    gtk_widget_set_sensitive(desk->issue, !desk->is_issuing && state->is_managed);
    show_cards(desk, state);
    show_title(desk);
}

void desk_error(struct desk *desk, const struct ui_words *words) {
    ui_error_bar_show(desk->error, words, GTK_MESSAGE_ERROR);
}

void desk_tick(struct desk *desk) {
    for (size_t i = 0; i < desk->n_cards; i++)
        card_tick(desk->cards[i]);
}
