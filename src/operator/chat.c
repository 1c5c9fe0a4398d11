#include "operator/chat.h"

#include "operator/say.h"
#include "ui/look.h"
#include "ui/plain.h"
#include "wire/record.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    CHAT_CHARS = 1000, /* of up to four bytes: what a message holds */
    CHAT_LINES = 2000, /* older ones go */
    THEIR_LINES = 60,  /* of one message */
    LINE_CHARS = 30,
    TIME = 16,
};

struct chat {
    struct app *app;
    GtkWidget *column, *list, *scroller, *entry, *send;
    unsigned n_lines;
};

/* New lines are followed. */
static void on_grown(GtkAdjustment *adjustment, GParamSpec *what, gpointer ctx) {
    (void)what;
    (void)ctx;
    gtk_adjustment_set_value(adjustment, gtk_adjustment_get_upper(adjustment));
}

static void now_text(char out[TIME]) {
    struct tm tm;
    time_t now = time(NULL);
    out[0] = '\0';
    if (localtime_r(&now, &tm))
        strftime(out, TIME, "%H:%M", &tm);
}

static void add_line(struct chat *chat, GtkWidget *line) {
    gtk_widget_show_all(line);
    gtk_container_add(GTK_CONTAINER(chat->list), line);
    if (++chat->n_lines <= CHAT_LINES)
        return;
    GList *lines = gtk_container_get_children(GTK_CONTAINER(chat->list));
    gtk_widget_destroy(lines->data);
    g_list_free(lines);
    chat->n_lines--;
}

static void add(struct chat *chat, const char *who, const char *text, const char *style, GtkAlign align) {
    char at[TIME];
    char head[API_NAME + 24];
    GtkWidget *line = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    GtkWidget *words = ui_label(text);
    now_text(at);
    g_snprintf(head, sizeof(head), "%s \u00b7 %s", who, at);
    GtkWidget *above = ui_hint(head);
    gtk_label_set_selectable(GTK_LABEL(words), TRUE);
    gtk_label_set_max_width_chars(GTK_LABEL(words), LINE_CHARS);
    gtk_label_set_max_width_chars(GTK_LABEL(above), LINE_CHARS);
    ui_add_class(words, style);
    gtk_widget_set_halign(words, align);
    gtk_widget_set_halign(above, align);
    gtk_container_add(GTK_CONTAINER(line), above);
    gtk_container_add(GTK_CONTAINER(line), words);
    add_line(chat, line);
}

static void on_send(GtkWidget *widget, gpointer ctx) {
    (void)widget;
    struct chat *chat = ctx;
    struct operator_command command = {.kind = OPERATOR_DO_CHAT};
    say_copy(command.text, OPERATOR_TEXT, gtk_entry_get_text(GTK_ENTRY(chat->entry)));
    if (command.text[0] == '\0' || !gtk_widget_get_sensitive(chat->send))
        return;
    app_send(chat->app, &command);
    add(chat, _("Me"), command.text, "ui-chat-mine", GTK_ALIGN_END);
    gtk_entry_set_text(GTK_ENTRY(chat->entry), "");
}

static GtkWidget *build_foot(struct chat *chat) {
    GtkWidget *row = ui_row();
    chat->entry = ui_entry(_("Message to the customer"), CHAT_CHARS, false);
    gtk_entry_set_placeholder_text(GTK_ENTRY(chat->entry), _("Message to the customer"));
    chat->send = ui_button(_("Send"), UI_PRIMARY);
    gtk_entry_set_width_chars(GTK_ENTRY(chat->entry), 8);
    g_signal_connect(chat->entry, "activate", G_CALLBACK(on_send), chat);
    g_signal_connect(chat->send, "clicked", G_CALLBACK(on_send), chat);
    gtk_box_pack_start(GTK_BOX(row), chat->entry, TRUE, TRUE, 0);
    gtk_box_pack_end(GTK_BOX(row), chat->send, FALSE, FALSE, 0);
    return row;
}

struct chat *chat_new(struct app *app) {
    struct chat *chat = g_new0(struct chat, 1);
    chat->app = app;
    chat->column = ui_column();
    chat->list = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);
    chat->scroller = gtk_scrolled_window_new(NULL, NULL);
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(chat->scroller), GTK_POLICY_NEVER,
                                   GTK_POLICY_AUTOMATIC);
    gtk_container_add(GTK_CONTAINER(chat->scroller), chat->list);
    ui_set_a11y(chat->list, _("Chat"), NULL);
    GtkAdjustment *adjustment = gtk_scrolled_window_get_vadjustment(GTK_SCROLLED_WINDOW(chat->scroller));
    g_signal_connect(adjustment, "notify::upper", G_CALLBACK(on_grown), NULL);
    gtk_box_pack_start(GTK_BOX(chat->column), ui_heading(_("Chat")), FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(chat->column), chat->scroller, TRUE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(chat->column), build_foot(chat), FALSE, FALSE, 0);
    return chat;
}

void chat_free(struct chat *chat) {
    g_free(chat);
}

GtkWidget *chat_widget(struct chat *chat) {
    return chat->column;
}

void chat_focus(struct chat *chat) {
    gtk_widget_grab_focus(chat->entry);
}

/* Until the check code is right everybody may talk; then it is a right like the others. */
void chat_show(struct chat *chat, const struct operator_state *state) {
    bool is_possible = state->phase == OPERATOR_CODE ||
                       (state->phase == OPERATOR_ACTIVE && (state->rights & TAS_RIGHT_CHAT));
    gtk_widget_set_sensitive(chat->send, is_possible);
    gtk_widget_set_sensitive(chat->entry, is_possible);
}

void chat_theirs(struct chat *chat, const char *who, const char *text) {
    char *plain = ui_plain(text, THEIR_LINES);
    gchar *said = g_strdup_printf("%s: %s", who, plain);
    add(chat, who, plain, "ui-chat-theirs", GTK_ALIGN_START);
    ui_announce(chat->list, said);
    g_free(said);
    free(plain);
}

void chat_event(struct chat *chat, const char *text) {
    char at[TIME];
    now_text(at);
    gchar *both = g_strdup_printf("%s  %s", at, text);
    GtkWidget *line = ui_hint(both);
    gtk_label_set_max_width_chars(GTK_LABEL(line), LINE_CHARS);
    add_line(chat, line);
    g_free(both);
}
