#include "operator/history.h"

#include "operator/result.h"
#include "operator/say.h"
#include "ui/look.h"

#include <string.h>

enum { WIDTH = 1240, HEIGHT = 660, ROWS_MAX = 5000 };

enum column {
    COLUMN_NUMBER,
    COLUMN_CUSTOMER,
    COLUMN_REASON,
    COLUMN_TICKET,
    COLUMN_ISSUED,
    COLUMN_DURATION,
    COLUMN_END,
    COLUMN_RESULT,
    COLUMN_NOTE,
    COLUMNS_SHOWN,
    /* of the row, not shown */
    COLUMN_SESSION = COLUMNS_SHOWN,
    COLUMN_RESULT_WORD,
    COLUMN_WHOLE_NOTE,
    COLUMNS,
};

static const struct {
    const char *title;
    int width; /* px */
} shown[COLUMNS_SHOWN] = {
    [COLUMN_NUMBER] = {N_("Number"), 96},   [COLUMN_CUSTOMER] = {N_("Customer"), 130},
    [COLUMN_REASON] = {N_("Reason"), 170},  [COLUMN_TICKET] = {N_("Ticket no."), 110},
    [COLUMN_ISSUED] = {N_("Issued"), 180},  [COLUMN_DURATION] = {N_("Duration"), 96},
    [COLUMN_END] = {N_("End reason"), 190}, [COLUMN_RESULT] = {N_("Result"), 80},
    [COLUMN_NOTE] = {N_("Note"), 160},
};

struct history {
    struct app *app;
    GtkWidget *window, *error, *tree, *empty, *more;
    GtkListStore *rows;
    struct result *result;
    uint64_t next;  /* where the next page begins; 0: there is none */
    uint64_t asked; /* the page that is on its way began before this */
    bool is_asking;
    uint32_t result_serial;
    char saved_word[API_WORD + 1]; /* what was sent last, for its row */
    gchar *saved_note;
};

/* ---- rows ---- */

static bool find_row(struct history *history, uint64_t session, GtkTreeIter *row) {
    GtkTreeModel *model = GTK_TREE_MODEL(history->rows);
    guint64 id = 0;
    for (gboolean is = gtk_tree_model_get_iter_first(model, row); is;
         is = gtk_tree_model_iter_next(model, row)) {
        gtk_tree_model_get(model, row, COLUMN_SESSION, &id, -1);
        if (id == session)
            return true;
    }
    return false;
}

/* One line of a note that may have many. */
static void first_line(char *out, size_t cap, const char *note) {
    say_copy(out, cap, note);
    out[strcspn(out, "\n")] = '\0';
}

static void set_result(struct history *history, GtkTreeIter *row, const char *word, const char *note) {
    char line[200];
    first_line(line, sizeof(line), note);
    gtk_list_store_set(history->rows, row, COLUMN_RESULT, say_result(word), COLUMN_NOTE, line,
                       COLUMN_RESULT_WORD, word, COLUMN_WHOLE_NOTE, note, -1);
}

static void put_session(struct history *history, const struct api_session *session) {
    GtkTreeIter row;
    char number[SAY_NUMBER];
    char issued[SAY_WHEN];
    char duration[SAY_SPAN] = "";
    if (!find_row(history, session->id, &row))
        gtk_list_store_append(history->rows, &row);
    say_last3(number, session->number_last3);
    say_when(issued, session->issued_at);
    if (session->answered_at > 0)
        say_span(duration, session->seconds_active);
    gtk_list_store_set(history->rows, &row, COLUMN_NUMBER, number, COLUMN_CUSTOMER, session->customer,
                       COLUMN_REASON, session->reason, COLUMN_TICKET, session->ticket_no, COLUMN_ISSUED,
                       issued, COLUMN_DURATION, duration, COLUMN_END,
                       session->state == API_SESSION_ENDED ? say_end_reason(session->end_reason) : "",
                       COLUMN_SESSION, session->id, -1);
    set_result(history, &row, session->result, session->note);
}

static int count_rows(const struct history *history) {
    return gtk_tree_model_iter_n_children(GTK_TREE_MODEL(history->rows), NULL);
}

/* ---- asking ---- */

static void show_more(struct history *history) {
    bool is_more = history->next != 0 && count_rows(history) < ROWS_MAX;
    gtk_widget_set_sensitive(history->more, is_more && !history->is_asking);
    gtk_widget_set_visible(history->empty, !history->is_asking && count_rows(history) == 0);
}

static void ask_before(struct history *history, uint64_t before) {
    history->is_asking = true;
    history->asked = before;
    show_more(history);
    app_do(history->app, OPERATOR_DO_HISTORY, before);
}

void history_page(struct history *history, const struct api_page *page) {
    history->is_asking = false;
    if (history->asked == 0)
        gtk_list_store_clear(history->rows);
    for (size_t i = 0; i < page->n; i++)
        put_session(history, &page->list[i]);
    history->next = page->next;
    show_more(history);
}

static void on_more(GtkButton *button, gpointer ctx) {
    (void)button;
    struct history *history = ctx;
    ask_before(history, history->next);
}

/* ---- results ---- */

static void on_selected(GtkTreeSelection *selection, gpointer ctx) {
    struct history *history = ctx;
    GtkTreeModel *model;
    GtkTreeIter row;
    guint64 session = 0;
    gchar *word = NULL;
    gchar *note = NULL;
    if (!gtk_tree_selection_get_selected(selection, &model, &row)) {
        result_edit(history->result, 0, "", "");
        return;
    }
    gtk_tree_model_get(model, &row, COLUMN_SESSION, &session, COLUMN_RESULT_WORD, &word, COLUMN_WHOLE_NOTE,
                       &note, -1);
    result_edit(history->result, session, word ? word : "", note ? note : "");
    g_free(word);
    g_free(note);
}

static void on_saved(void *ctx, const char *word, const char *note) {
    struct history *history = ctx;
    g_free(history->saved_note);
    history->saved_note = g_strdup(note);
    g_strlcpy(history->saved_word, word, sizeof(history->saved_word));
}

void history_show(struct history *history, const struct operator_state *state) {
    GtkTreeIter row;
    if (state->result_serial == history->result_serial)
        return;
    history->result_serial = state->result_serial;
    if (history->saved_note && find_row(history, state->result_session, &row) &&
        state->result_session == result_session(history->result)) {
        set_result(history, &row, history->saved_word, history->saved_note);
        result_stored(history->result);
    }
}

void history_result_failed(struct history *history) {
    result_failed(history->result);
}

void history_error(struct history *history, const struct ui_words *words) {
    history->is_asking = false;
    show_more(history);
    ui_error_bar_show(history->error, words, GTK_MESSAGE_ERROR);
}

/* ---- making ---- */

static void add_column(GtkWidget *tree, enum column column) {
    GtkCellRenderer *cell = gtk_cell_renderer_text_new();
    GtkTreeViewColumn *made =
        gtk_tree_view_column_new_with_attributes(_(shown[column].title), cell, "text", (int)column, NULL);
    g_object_set(cell, "ellipsize", PANGO_ELLIPSIZE_END, "ypad", 6, "xpad", 8, NULL);
    gtk_tree_view_column_set_sizing(made, GTK_TREE_VIEW_COLUMN_FIXED);
    gtk_tree_view_column_set_fixed_width(made, shown[column].width);
    gtk_tree_view_column_set_resizable(made, TRUE);
    gtk_tree_view_column_set_expand(made, column == COLUMN_REASON || column == COLUMN_NOTE);
    gtk_tree_view_append_column(GTK_TREE_VIEW(tree), made);
}

static GtkWidget *build_tree(struct history *history) {
    GType types[COLUMNS];
    GtkWidget *scroller = gtk_scrolled_window_new(NULL, NULL);
    for (size_t i = 0; i < COLUMNS; i++)
        types[i] = i == COLUMN_SESSION ? G_TYPE_UINT64 : G_TYPE_STRING;
    history->rows = gtk_list_store_newv(COLUMNS, types);
    history->tree = gtk_tree_view_new_with_model(GTK_TREE_MODEL(history->rows));
    for (int i = 0; i < COLUMNS_SHOWN; i++)
        add_column(history->tree, (enum column)i);
    ui_set_a11y(history->tree, _("Sessions"), NULL);
    gtk_scrolled_window_set_shadow_type(GTK_SCROLLED_WINDOW(scroller), GTK_SHADOW_IN);
    gtk_container_add(GTK_CONTAINER(scroller), history->tree);
    GtkTreeSelection *selection = gtk_tree_view_get_selection(GTK_TREE_VIEW(history->tree));
    g_signal_connect(selection, "changed", G_CALLBACK(on_selected), history);
    return scroller;
}

static GtkWidget *build(struct history *history) {
    GtkWidget *column = ui_column();
    GtkWidget *foot = ui_row();
    history->error = ui_error_bar();
    history->empty = ui_hint(_("There are no sessions yet."));
    history->more = ui_button(_("More"), UI_PLAIN);
    history->result = result_new(history->app, on_saved, history);
    gtk_widget_set_no_show_all(history->empty, TRUE);
    g_signal_connect(history->more, "clicked", G_CALLBACK(on_more), history);
    gtk_box_pack_start(GTK_BOX(foot), history->empty, FALSE, FALSE, 0);
    gtk_box_pack_end(GTK_BOX(foot), history->more, FALSE, FALSE, 0);
    gtk_container_set_border_width(GTK_CONTAINER(column), UI_MARGIN);
    gtk_box_pack_start(GTK_BOX(column), history->error, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(column), build_tree(history), TRUE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(column), foot, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(column), ui_card(result_widget(history->result)), FALSE, FALSE, 0);
    return column;
}

struct history *history_new(struct app *app) {
    struct history *history = g_new0(struct history, 1);
    history->app = app;
    history->result_serial = app_state(app)->result_serial;
    history->window = gtk_window_new(GTK_WINDOW_TOPLEVEL);
    gtk_window_set_title(GTK_WINDOW(history->window), _("Tasuki operator: history"));
    gtk_window_set_default_size(GTK_WINDOW(history->window), WIDTH, HEIGHT);
    g_signal_connect(history->window, "delete-event", G_CALLBACK(gtk_widget_hide_on_delete), NULL);
    gtk_container_add(GTK_CONTAINER(history->window), build(history));
    gtk_widget_show_all(gtk_bin_get_child(GTK_BIN(history->window)));
    return history;
}

void history_free(struct history *history) {
    if (!history)
        return;
    GtkTreeSelection *selection = gtk_tree_view_get_selection(GTK_TREE_VIEW(history->tree));
    g_signal_handlers_disconnect_by_data(selection, history);
    gtk_widget_destroy(history->window);
    g_object_unref(history->rows);
    result_free(history->result);
    g_free(history->saved_note);
    g_free(history);
}

void history_open(struct history *history) {
    if (!history_is_open(history))
        ask_before(history, 0);
    gtk_window_present(GTK_WINDOW(history->window));
}

bool history_is_open(const struct history *history) {
    return gtk_widget_get_visible(history->window);
}
