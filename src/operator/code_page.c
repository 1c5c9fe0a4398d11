#include "operator/code_page.h"

#include "base/wipe.h"
#include "operator/say.h"
#include "ui/look.h"

#include <string.h>

struct code_page {
    struct app *app;
    GtkWidget *stack, *spinner, *calling, *entry, *send, *wrong;
    enum operator_phase phase; /* that was shown last */
    uint32_t code_serial;
    bool is_sent;
};

static void on_send(GtkWidget *widget, gpointer ctx) {
    (void)widget;
    struct code_page *page = ctx;
    struct operator_command command = {.kind = OPERATOR_DO_CODE};
    char digits[TAS_NUMBER_CAP];
    if (page->is_sent || ui_digits_get(page->entry, digits) != UI_DIGITS_COMPLETE)
        return;
    say_copy(command.text, sizeof(command.text), digits);
    page->is_sent = true;
    gtk_widget_set_sensitive(page->send, FALSE);
    app_send(page->app, &command);
    tas_wipe(command.text, TAS_NUMBER_CAP);
    tas_wipe(digits, sizeof(digits));
}

static void on_changed(GtkEditable *editable, gpointer ctx) {
    (void)editable;
    struct code_page *page = ctx;
    char digits[TAS_NUMBER_CAP];
    bool is_complete = ui_digits_get(page->entry, digits) == UI_DIGITS_COMPLETE;
    gtk_widget_set_sensitive(page->send, is_complete && !page->is_sent);
}

static GtkWidget *build_calling(struct code_page *page) {
    GtkWidget *column = ui_column();
    page->spinner = gtk_spinner_new();
    page->calling = ui_heading("");
    gtk_widget_set_size_request(page->spinner, 48, 48);
    ui_set_a11y(page->spinner, _("Please wait"), NULL);
    gtk_label_set_justify(GTK_LABEL(page->calling), GTK_JUSTIFY_CENTER);
    gtk_label_set_xalign(GTK_LABEL(page->calling), 0.5f);
    GtkWidget *hint = ui_hint(_("The customer sees your name and your company, and is asked whether you may "
                                "connect."));
    gtk_widget_set_valign(column, GTK_ALIGN_CENTER);
    gtk_label_set_justify(GTK_LABEL(hint), GTK_JUSTIFY_CENTER);
    gtk_label_set_xalign(GTK_LABEL(hint), 0.5f);
    gtk_container_add(GTK_CONTAINER(column), page->spinner);
    gtk_container_add(GTK_CONTAINER(column), page->calling);
    gtk_container_add(GTK_CONTAINER(column), hint);
    return column;
}

static GtkWidget *build_code(struct code_page *page) {
    GtkWidget *column = ui_column();
    page->entry = ui_digits_entry(_("Check code"), false);
    page->send = ui_button(_("Check"), UI_PRIMARY);
    page->wrong = ui_warning("");
    gtk_widget_set_no_show_all(page->wrong, TRUE);
    g_signal_connect(page->entry, "changed", G_CALLBACK(on_changed), page);
    g_signal_connect(page->entry, "activate", G_CALLBACK(on_send), page);
    g_signal_connect(page->send, "clicked", G_CALLBACK(on_send), page);
    GtkWidget *const parts[] = {
        ui_heading(_("Type the check code that the customer reads out")),
        ui_hint(
            _("Nine digits on the customer's screen. They prove to both of you that nobody can listen in; "
              "until then only chat works. A second wrong code ends the session.")),
        page->entry, page->wrong, ui_buttons(page->send, NULL)};
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
        gtk_box_pack_start(GTK_BOX(column), parts[i], FALSE, FALSE, 0);
    GtkWidget *card = ui_card(column);
    gtk_widget_set_size_request(card, 480, -1);
    gtk_widget_set_halign(card, GTK_ALIGN_CENTER);
    gtk_widget_set_valign(card, GTK_ALIGN_CENTER);
    return card;
}

struct code_page *code_page_new(struct app *app) {
    struct code_page *page = g_new0(struct code_page, 1);
    page->app = app;
    page->stack = gtk_stack_new();
    page->code_serial = app_state(app)->code_serial;
    gtk_stack_add_named(GTK_STACK(page->stack), build_calling(page), "calling");
    gtk_stack_add_named(GTK_STACK(page->stack), build_code(page), "code");
    gtk_container_set_border_width(GTK_CONTAINER(page->stack), UI_MARGIN);
    gtk_widget_set_sensitive(page->send, FALSE);
    return page;
}

void code_page_free(struct code_page *page) {
    g_free(page);
}

GtkWidget *code_page_widget(struct code_page *page) {
    return page->stack;
}

static void show_wrong(struct code_page *page, const struct operator_state *state) {
    char text[240];
    if (state->code_serial == page->code_serial)
        return;
    page->code_serial = state->code_serial;
    page->is_sent = false;
    if (state->tries_left == 1)
        g_strlcpy(text,
                  _("This code is wrong. Ask the customer to read it out again: one more wrong code ends "
                    "the session."),
                  sizeof(text));
    else if (state->tries_left > 1)
        g_snprintf(text, sizeof(text), _("This code is wrong. Tries left: %u"), state->tries_left);
    else
        g_strlcpy(text, _("This code is wrong."), sizeof(text));
    ui_digits_clear(page->entry);
    ui_set_text(page->wrong, text);
    gtk_widget_show(page->wrong);
    ui_announce(page->wrong, text);
    gtk_widget_grab_focus(page->entry);
}

void code_page_show(struct code_page *page, const struct operator_state *state) {
    bool is_code = state->phase == OPERATOR_CODE;
    gtk_stack_set_visible_child_name(GTK_STACK(page->stack), is_code ? "code" : "calling");
    ui_set_text(page->calling, state->is_ending ? _("Ending the session\u2026")
                               : state->phase == OPERATOR_ANSWERING
                                   ? _("Answering\u2026")
                                   : _("The customer is asked to confirm\u2026"));
    /* One that turns unseen keeps GTK at work sixty times a second. */
    bool is_waiting = state->phase == OPERATOR_ANSWERING || state->phase == OPERATOR_CALLING;
    g_object_set(page->spinner, "active", is_waiting, NULL);
    show_wrong(page, state);
    if (is_code && page->phase != OPERATOR_CODE)
        gtk_widget_grab_focus(page->entry);
    if (!is_code)
        ui_digits_clear(page->entry);
    page->phase = state->phase;
}
