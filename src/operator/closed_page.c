#include "operator/closed_page.h"

#include "operator/result.h"
#include "session/session.h"
#include "ui/look.h"

struct closed_page {
    struct app *app;
    GtkWidget *page, *column, *why, *done;
    struct result *result;
    uint32_t result_serial; /* of the last RESULT that was looked at */
    bool is_shown;
};

static void on_done(GtkButton *button, gpointer ctx) {
    (void)button;
    app_do(((struct closed_page *)ctx)->app, OPERATOR_DO_DONE, 0);
}

struct closed_page *closed_page_new(struct app *app) {
    struct closed_page *page = g_new0(struct closed_page, 1);
    page->app = app;
    page->result_serial = app_state(app)->result_serial;
    page->column = ui_column();
    page->why = ui_column();
    page->result = result_new(app, NULL, NULL);
    page->done = ui_button(_("Close"), UI_PLAIN);
    g_signal_connect(page->done, "clicked", G_CALLBACK(on_done), page);
    gtk_widget_set_size_request(page->column, 480, -1);
    gtk_box_pack_start(GTK_BOX(page->column), page->why, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(page->column), ui_card(result_widget(page->result)), FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(page->column), ui_buttons(page->done, NULL), FALSE, FALSE, 0);
    page->page = ui_page(page->column);
    return page;
}

void closed_page_free(struct closed_page *page) {
    if (!page)
        return;
    result_free(page->result);
    g_free(page);
}

GtkWidget *closed_page_widget(struct closed_page *page) {
    return page->page;
}

/* Is it an end as people expect one? */
static bool is_bad(unsigned reason) {
    return reason != TAS_END_OPERATOR && reason != TAS_END_CUSTOMER;
}

void closed_page_show(struct closed_page *page, const struct operator_state *state) {
    if (state->phase != OPERATOR_CLOSED)
        return;
    if (!page->is_shown) {
        struct ui_words words;
        page->is_shown = true;
        ui_words_of_end(&words, state->end_reason, true);
        gtk_container_add(GTK_CONTAINER(page->why), ui_words_page(&words, is_bad(state->end_reason)));
        gtk_widget_show_all(page->why);
        ui_announce(page->why, words.title);
        result_edit(page->result, state->session, "", "");
        result_focus(page->result);
    }
    if (state->result_serial != page->result_serial && state->result_session == state->session)
        result_stored(page->result);
    page->result_serial = state->result_serial;
}

void closed_page_failed(struct closed_page *page) {
    result_failed(page->result);
}
