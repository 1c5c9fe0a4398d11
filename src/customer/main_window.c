/* The one window with the pages, and above them whose tool this is, the language, and an alarm if there is
 * one. */
#include "customer/page_private.h"

enum { WIDTH = 560, HEIGHT = 640 };

static const struct page *const pages[] = {
    &page_warning, &page_connecting, &page_stuck,  &page_old,  &page_terms,   &page_number,
    &page_choose,  &page_wait,       &page_answer, &page_code, &page_session, &page_ended,
};

struct main_window {
    struct windows *windows;
    GtkWidget *window, *content;
    GtkWidget *organisation, *alarm, *errors, *stack;
    uint32_t error_serial;   /* of what is in `errors`; 0 nothing */
    const struct page *page; /* that is on the screen */
    GtkWidget *question;     /* "End the session?" */
};

/* What the person has to do next. */
static const struct page *page_of(const struct windows *w) {
    static const struct page *const of_step[] = {
        [CUSTOMER_CONNECTING] = &page_connecting, [CUSTOMER_STUCK] = &page_stuck,
        [CUSTOMER_TOO_OLD] = &page_old,           [CUSTOMER_READY] = &page_number,
        [CUSTOMER_SENDING] = &page_number,        [CUSTOMER_CHOOSING] = &page_choose,
        [CUSTOMER_WAITING] = &page_wait,          [CUSTOMER_ANSWERED] = &page_answer,
        [CUSTOMER_JOINING] = &page_code,          [CUSTOMER_CODE] = &page_code,
        [CUSTOMER_ACTIVE] = &page_session,        [CUSTOMER_ENDED] = &page_ended,
    };
    const struct page *page = of_step[w->state.step];
    if (page == &page_ended)
        return page;
    if (!w->draft.has_read)
        return &page_warning;
    if (page == &page_number && w->draft.agreed_at_ms == 0)
        return &page_terms;
    return page;
}

/* ---- closing ---- */

static void on_question_gone(GtkWidget *question, gpointer ctx) {
    (void)question;
    ((struct main_window *)ctx)->question = NULL;
}

static void on_answer(GtkDialog *question, int response, gpointer ctx) {
    struct main_window *m = ctx;
    gtk_widget_destroy(GTK_WIDGET(question));
    if (response == GTK_RESPONSE_YES)
        windows_do(m->windows, CUSTOMER_DO_END);
}

static void ask_whether_to_end(struct main_window *m) {
    if (m->question) {
        gtk_window_present(GTK_WINDOW(m->question));
        return;
    }
    m->question =
        gtk_message_dialog_new(GTK_WINDOW(m->window), GTK_DIALOG_MODAL | GTK_DIALOG_DESTROY_WITH_PARENT,
                               GTK_MESSAGE_QUESTION, GTK_BUTTONS_NONE, "%s", _("End the session?"));
    gtk_window_set_title(GTK_WINDOW(m->question), _("End the session?"));
    ui_set_a11y(m->question, _("End the session?"), NULL);
    GtkDialog *dialog = GTK_DIALOG(m->question);
    GtkWidget *go_on = ui_button(_("Go on"), UI_PLAIN);
    GtkWidget *end = ui_button(_("End"), UI_DANGER);
    gtk_widget_set_can_default(go_on, TRUE);
    gtk_dialog_add_action_widget(dialog, go_on, GTK_RESPONSE_NO);
    gtk_dialog_add_action_widget(dialog, end, GTK_RESPONSE_YES);
    gtk_dialog_set_default_response(dialog, GTK_RESPONSE_NO);
    g_signal_connect(m->question, "response", G_CALLBACK(on_answer), m);
    g_signal_connect(m->question, "destroy", G_CALLBACK(on_question_gone), m);
    gtk_widget_show_all(m->question);
}

static gboolean on_delete(GtkWidget *window, GdkEvent *event, gpointer ctx) {
    (void)window, (void)event;
    struct main_window *m = ctx;
    if (windows_has_session(m->windows))
        ask_whether_to_end(m);
    else
        windows_close(m->windows);
    return GDK_EVENT_STOP;
}

/* Another program has destroyed the window: without it nobody would see what goes on. */
static void on_gone(GtkWidget *window, gpointer ctx) {
    (void)window;
    struct main_window *m = ctx;
    m->window = NULL;
    windows_close(m->windows);
}

/* ---- building ---- */

static void on_language(struct windows *w) {
    windows_set_language(w, strcmp(ui_language(), "ja") == 0 ? "en" : "ja");
}

static GtkWidget *build_head(struct main_window *m) {
    GtkWidget *row = ui_row();
    const char *other = strcmp(ui_language(), "ja") == 0 ? "English" : "日本語";
    GtkWidget *switcher = page_button(m->windows, other, UI_LINK, on_language);
    m->organisation = gtk_label_new("");
    gtk_label_set_ellipsize(GTK_LABEL(m->organisation), PANGO_ELLIPSIZE_END);
    gtk_label_set_xalign(GTK_LABEL(m->organisation), 0);
    ui_add_class(m->organisation, "customer-organisation");
    gtk_box_pack_start(GTK_BOX(row), m->organisation, TRUE, TRUE, 0);
    gtk_box_pack_end(GTK_BOX(row), switcher, FALSE, FALSE, 0);
    ui_add_class(row, "customer-head");
    return row;
}

static void build(struct main_window *m) {
    m->content = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    m->alarm = ui_warning("");
    m->errors = ui_error_bar();
    m->error_serial = 0;
    m->stack = gtk_stack_new();
    gtk_stack_set_homogeneous(GTK_STACK(m->stack), FALSE);
    for (size_t i = 0; i < G_N_ELEMENTS(pages); i++) {
        GtkWidget *page = pages[i]->build(m->windows);
        ui_set_a11y(page, ui_text(pages[i]->title), NULL);
        gtk_widget_show_all(page);
        gtk_stack_add_named(GTK_STACK(m->stack), page, pages[i]->name);
    }
    gtk_widget_set_margin_start(m->alarm, UI_MARGIN);
    gtk_widget_set_margin_end(m->alarm, UI_MARGIN);
    gtk_widget_set_margin_top(m->alarm, UI_GAP);
    gtk_box_pack_start(GTK_BOX(m->content), build_head(m), FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(m->content), m->alarm, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(m->content), m->errors, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(m->content), m->stack, TRUE, TRUE, 0);
    gtk_widget_show_all(m->content);
    gtk_widget_hide(m->alarm);
    gtk_container_add(GTK_CONTAINER(m->window), m->content);
    gtk_window_set_title(GTK_WINDOW(m->window), _("Remote support"));
    m->page = NULL;
}

void main_window_rebuild(struct main_window *m) {
    if (m->question)
        gtk_widget_destroy(m->question);
    gtk_widget_destroy(m->content);
    build(m);
}

struct main_window *main_window_new(struct windows *w) {
    struct main_window *m = g_new0(struct main_window, 1);
    m->windows = w;
    m->window = gtk_window_new(GTK_WINDOW_TOPLEVEL);
    gtk_window_set_role(GTK_WINDOW(m->window), "tasuki-client");
    gtk_window_set_default_size(GTK_WINDOW(m->window), WIDTH, HEIGHT);
    gtk_window_set_position(GTK_WINDOW(m->window), GTK_WIN_POS_CENTER);
    gtk_window_set_icon_name(GTK_WINDOW(m->window), "help-browser");
    g_signal_connect(m->window, "delete-event", G_CALLBACK(on_delete), m);
    g_signal_connect(m->window, "destroy", G_CALLBACK(on_gone), m);
    build(m);
    return m;
}

void main_window_free(struct main_window *m) {
    if (!m)
        return;
    if (m->window) {
        g_signal_handlers_disconnect_by_data(m->window, m);
        gtk_widget_destroy(m->window);
    }
    g_free(m);
}

GtkWindow *main_window_get(struct main_window *m) {
    return (GtkWindow *)m->window;
}

/* ---- showing ---- */

static void show_alarm(struct main_window *m) {
    const char *alarm = m->windows->state.alarm;
    bool is_new = alarm[0] && !gtk_widget_get_visible(m->alarm);
    if (!alarm[0])
        return; /* once said, it stays */
    char text[API_DETAIL * 4];
    windows_alarm(text, sizeof(text), alarm);
    page_set_text(m->alarm, text);
    gtk_widget_show(m->alarm);
    if (!is_new)
        return;
    gtk_window_deiconify(GTK_WINDOW(m->window));
    gtk_window_set_urgency_hint(GTK_WINDOW(m->window), TRUE);
    ui_announce(m->alarm, text);
}

/* What went wrong once the number was good; before, the page itself says it. */
static void show_error(struct main_window *m) {
    const struct windows *w = m->windows;
    bool is_wanted =
        w->state.error.err != TAS_OK && w->state.step >= CUSTOMER_CHOOSING && w->error_step == w->state.step;
    uint32_t serial = is_wanted ? w->state.error_serial : 0;
    if (serial == m->error_serial)
        return;
    m->error_serial = serial;
    ui_error_bar_hide(m->errors);
    if (!is_wanted)
        return;
    struct ui_words words;
    ui_words_of_error(&words, &w->state.error, false);
    ui_error_bar_show(m->errors, &words, GTK_MESSAGE_ERROR);
}

/* The screen is for the two of them: while they work this window is out of the way. */
static void make_way(struct main_window *m, const struct page *before) {
    GtkWindow *window = GTK_WINDOW(m->window);
    if (m->page == &page_session && before) {
        gtk_window_iconify(window);
    } else if (before == &page_session) {
        gtk_window_deiconify(window);
        gtk_window_present(window);
    } else if (m->page == &page_answer || m->page == &page_ended) {
        gtk_window_deiconify(window);
        gtk_window_set_urgency_hint(window, !gtk_window_is_active(window));
    }
}

static void turn_page(struct main_window *m, const struct page *page) {
    GtkStack *stack = GTK_STACK(m->stack);
    const struct page *before = m->page;
    GtkWidget *widget = gtk_stack_get_child_by_name(stack, page->name);
    m->page = page;
    gtk_window_set_default(GTK_WINDOW(m->window), NULL); /* Enter must not press what is no longer seen */
    if (page->show)
        page->show(m->windows, widget);
    gtk_stack_set_visible_child(stack, widget);
    gtk_widget_show(m->window);
    if (page->enter)
        page->enter(m->windows, widget);
    else
        gtk_widget_grab_focus(widget);
    ui_announce(m->window, ui_text(page->title));
    make_way(m, before);
}

void main_window_show(struct main_window *m) {
    const struct page *page = page_of(m->windows);
    if (!m->window)
        return;
    page_set_text(m->organisation, windows_organisation(m->windows));
    show_alarm(m);
    show_error(m);
    if (!windows_has_session(m->windows) && m->question)
        gtk_widget_destroy(m->question);
    if (page != m->page)
        turn_page(m, page);
    else if (page->show)
        page->show(m->windows, gtk_stack_get_child_by_name(GTK_STACK(m->stack), page->name));
}
