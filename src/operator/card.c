#include "operator/card.h"

#include "operator/say.h"
#include "operator/visitor.h"
#include "ui/look.h"

#include <string.h>

enum { CLOCK_SLACK_MS = 3000 };

struct card {
    struct app *app;
    void (*on_gone)(void *ctx, struct card *card);
    void *ctx;
    GtkWidget *frame, *number, *left, *state, *about, *visitors_box;
    GtkWidget *copy, *cancel, *reissue, *dismiss;
    struct visitor *visitors[API_CLAIMS]; /* those that are pending */
    size_t n_visitors;
    uint64_t session;
    int64_t expires_at;
    enum api_session_state session_state;
    bool is_live;
    char digits[API_NUMBER + 1];
    char customer[API_NAME + 1], reason[API_TEXT + 1], ticket_no[API_TEXT + 1];
};

/* ---- what can be pressed ---- */

static void on_copy(GtkButton *button, gpointer ctx) {
    struct card *card = ctx;
    char number[SAY_NUMBER];
    say_number(number, card->digits);
    GtkClipboard *clipboard = gtk_widget_get_clipboard(GTK_WIDGET(button), GDK_SELECTION_CLIPBOARD);
    gtk_clipboard_set_text(clipboard, number, -1);
    ui_announce(GTK_WIDGET(button), _("Copied"));
}

static void on_cancel(GtkButton *button, gpointer ctx) {
    (void)button;
    struct card *card = ctx;
    app_do(card->app, OPERATOR_DO_CANCEL, card->session);
}

static void on_reissue(GtkButton *button, gpointer ctx) {
    (void)button;
    struct card *card = ctx;
    struct operator_command command = {.kind = OPERATOR_DO_ISSUE};
    say_copy(command.company, sizeof(command.company), card->customer);
    say_copy(command.id, sizeof(command.id), card->ticket_no);
    say_copy(command.text, sizeof(command.text), card->reason);
    if (card->is_live)
        app_do(card->app, OPERATOR_DO_CANCEL, card->session);
    app_send(card->app, &command);
    if (!card->is_live)
        card->on_gone(card->ctx, card);
}

static void on_dismiss(GtkButton *button, gpointer ctx) {
    (void)button;
    struct card *card = ctx;
    card->on_gone(card->ctx, card);
}

/* ---- how it is built ---- */

static GtkWidget *button(struct card *card, const char *text, enum ui_kind kind, GCallback on_click) {
    GtkWidget *made = ui_button(text, kind);
    g_signal_connect(made, "clicked", on_click, card);
    gtk_widget_set_no_show_all(made, TRUE);
    return made;
}

static GtkWidget *build_head(struct card *card) {
    GtkWidget *row = ui_row();
    GtkWidget *times = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    card->number = ui_number(_("Reception number"), "");
    card->left = ui_label("");
    card->state = ui_hint("");
    gtk_widget_set_valign(times, GTK_ALIGN_CENTER);
    gtk_label_set_xalign(GTK_LABEL(card->left), 1);
    gtk_label_set_xalign(GTK_LABEL(card->state), 1);
    gtk_label_set_line_wrap(GTK_LABEL(card->state), FALSE);
    gtk_label_set_line_wrap(GTK_LABEL(card->left), FALSE);
    gtk_box_pack_start(GTK_BOX(times), card->left, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(times), card->state, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(row), card->number, FALSE, FALSE, 0);
    gtk_box_pack_end(GTK_BOX(row), times, FALSE, FALSE, 0);
    return row;
}

static GtkWidget *build_foot(struct card *card) {
    GtkWidget *row = ui_row();
    card->about = ui_label("");
    card->copy = button(card, _("Copy"), UI_PLAIN, G_CALLBACK(on_copy));
    card->cancel = button(card, _("Cancel"), UI_PLAIN, G_CALLBACK(on_cancel));
    ui_add_class(card->cancel, "operator-refuse");
    card->reissue = button(card, _("Reissue"), UI_PLAIN, G_CALLBACK(on_reissue));
    card->dismiss = button(card, _("Dismiss"), UI_LINK, G_CALLBACK(on_dismiss));
    gtk_box_pack_start(GTK_BOX(row), card->about, TRUE, TRUE, 0);
    GtkWidget *const right[] = {card->dismiss, card->cancel, card->reissue, card->copy};
    for (size_t i = 0; i < G_N_ELEMENTS(right); i++) {
        gtk_widget_set_valign(right[i], GTK_ALIGN_END);
        gtk_box_pack_end(GTK_BOX(row), right[i], FALSE, FALSE, 0);
    }
    return row;
}

struct card *card_new(struct app *app, void (*on_gone)(void *ctx, struct card *card), void *ctx) {
    struct card *card = g_new0(struct card, 1);
    GtkWidget *column = ui_column();
    card->app = app;
    card->on_gone = on_gone;
    card->ctx = ctx;
    card->visitors_box = ui_column();
    gtk_widget_set_no_show_all(card->visitors_box, TRUE);
    gtk_box_pack_start(GTK_BOX(column), build_head(card), FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(column), build_foot(card), FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(column), card->visitors_box, FALSE, FALSE, 0);
    card->frame = ui_card(column);
    ui_add_class(card->frame, "operator-card");
    g_object_ref_sink(card->frame);
    gtk_widget_show_all(card->frame);
    return card;
}

void card_free(struct card *card) {
    if (!card)
        return;
    for (size_t i = 0; i < card->n_visitors; i++)
        visitor_free(card->visitors[i]);
    gtk_widget_destroy(card->frame);
    g_object_unref(card->frame);
    g_free(card);
}

GtkWidget *card_widget(struct card *card) {
    return card->frame;
}

uint64_t card_session(const struct card *card) {
    return card->session;
}

/* ---- what it shows ---- */

/* Is the number issued, and its time over in slack_ms? */
static bool runs_out(const struct card *card, int64_t slack_ms) {
    int64_t now = app_server_ms(card->app);
    return card->session_state == API_SESSION_ISSUED && now > 0 && card->expires_at > 0 &&
           now + slack_ms >= card->expires_at;
}

static bool is_run_out(const struct card *card) {
    return !card->is_live || runs_out(card, 0);
}

bool card_is_over(const struct card *card) {
    /* The server's clock and what we believe of it differ by a little. */
    return card->is_live && !runs_out(card, CLOCK_SLACK_MS);
}

static const char *state_words(const struct card *card) {
    switch (card->session_state) {
    case API_SESSION_ISSUED:
        return is_run_out(card) ? "" : _("Not used yet");
    case API_SESSION_WAITING:
        return card->n_visitors ? _("Customer waiting") : _("The customer is connecting");
    case API_SESSION_ACTIVE:
        return _("In session");
    case API_SESSION_RECONNECTING:
        return _("Reconnecting");
    case API_SESSION_HELD:
        return _("On hold");
    case API_SESSION_ENDED:
        return _("Ended");
    }
    return "";
}

static void set_text(GtkWidget *label, const char *text) {
    if (strcmp(gtk_label_get_text(GTK_LABEL(label)), text) != 0)
        ui_set_text(label, text);
}

static void show_buttons(struct card *card, bool is_expired) {
    bool is_open = card->session_state == API_SESSION_ISSUED || card->session_state == API_SESSION_WAITING;
    gtk_widget_set_visible(card->copy, card->is_live && card->digits[0] && !is_expired);
    gtk_widget_set_visible(card->cancel, card->is_live && is_open && !is_expired);
    gtk_widget_set_visible(card->reissue, is_expired || (card->is_live && is_open));
    gtk_widget_set_visible(card->dismiss, !card->is_live);
}

void card_tick(struct card *card) {
    int64_t now = app_server_ms(card->app);
    bool is_expired = is_run_out(card);
    char span[SAY_SPAN];
    char text[80] = "";
    say_span(span, (card->expires_at - now) / 1000);
    if (is_expired)
        g_strlcpy(text, _("Expired"), sizeof(text));
    else if (card->session_state == API_SESSION_ISSUED && card->expires_at > 0 && now > 0)
        g_snprintf(text, sizeof(text), _("%s left"), span);
    set_text(card->left, text);
    set_text(card->state, state_words(card));
    ui_set_class(card->left, "ui-bad", is_expired || (text[0] && card->expires_at - now < 60000));
    ui_set_class(card->frame, "operator-expired", is_expired);
    show_buttons(card, is_expired);
    for (size_t i = 0; i < card->n_visitors; i++)
        visitor_tick(card->visitors[i]);
}

static void show_number(struct card *card, const struct api_session *session) {
    char number[SAY_NUMBER];
    if (session->number[0])
        say_number(number, session->number);
    else
        say_last3(number, session->number_last3);
    memcpy(card->digits, session->number, sizeof(card->digits));
    ui_number_set(card->number, number);
    ui_set_a11y(card->copy, NULL, number);
    ui_set_a11y(card->cancel, NULL, number);
    ui_set_a11y(card->reissue, NULL, number);
    ui_set_a11y(card->dismiss, NULL, number);
}

static void show_about(struct card *card, const struct api_session *session) {
    const char *const parts[] = {session->customer, session->reason, session->ticket_no};
    GString *text = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
        if (parts[i][0])
            g_string_append_printf(text, "%s%s", text->len ? " \u00b7 " : "", parts[i]);
    set_text(card->about, text->str);
    g_string_free(text, TRUE);
}

static struct visitor *find_visitor(struct card *card, uint64_t claim) {
    for (size_t i = 0; i < card->n_visitors; i++)
        if (visitor_claim(card->visitors[i]) == claim)
            return card->visitors[i];
    return NULL;
}

/* Those who are still there keep their widgets, so that the focus stays where it is. */
static unsigned show_visitors(struct card *card, const struct api_visitor *list, size_t n) {
    struct visitor *next[API_CLAIMS];
    size_t n_next = 0;
    unsigned n_new = 0;
    for (size_t i = 0; i < n; i++) {
        const struct api_visitor *data = &list[i];
        if (data->state != API_CLAIM_PENDING)
            continue;
        struct visitor *visitor = find_visitor(card, data->id);
        if (!visitor) {
            visitor = visitor_new(card->app, card->session);
            gtk_box_pack_start(GTK_BOX(card->visitors_box), visitor_widget(visitor), FALSE, FALSE, 0);
            n_new++;
        }
        visitor_show(visitor, data);
        next[n_next++] = visitor;
    }
    for (size_t i = 0; i < card->n_visitors; i++) {
        bool is_kept = false;
        for (size_t k = 0; k < n_next; k++)
            is_kept = is_kept || next[k] == card->visitors[i];
        if (!is_kept)
            visitor_free(card->visitors[i]);
    }
    memcpy(card->visitors, next, n_next * sizeof(next[0]));
    card->n_visitors = n_next;
    gtk_widget_set_visible(card->visitors_box, n_next > 0);
    ui_set_class(card->frame, "operator-waiting", n_next > 0);
    return n_new;
}

unsigned card_show(struct card *card, const struct api_session *session) {
    card->session = session->id;
    card->expires_at = session->expires_at;
    card->session_state = session->state;
    card->is_live = true;
    memcpy(card->customer, session->customer, sizeof(card->customer));
    memcpy(card->reason, session->reason, sizeof(card->reason));
    memcpy(card->ticket_no, session->ticket_no, sizeof(card->ticket_no));
    show_number(card, session);
    show_about(card, session);
    unsigned n_new = show_visitors(card, session->visitors, session->n_visitors);
    card_tick(card);
    return n_new;
}

void card_set_dead(struct card *card) {
    card->is_live = false;
    card->session_state = API_SESSION_ISSUED;
    show_visitors(card, NULL, 0);
    card_tick(card);
}

const char *card_who_waits(const struct card *card) {
    return card->n_visitors ? visitor_name(card->visitors[card->n_visitors - 1]) : "";
}
