/* Writing to the operator. What he writes is hostile text: plain, bounded, and shown as his. */
#include "customer/page_private.h"
#include "ui/plain.h"

enum { LINES_MAX = 500, BREAKS_MAX = 40, ENTRY_CHARS = 1000, WIDTH = 400, HEIGHT = 440 };

enum writer { THEIRS, MINE, NOT_SENT };

struct line {
    enum writer writer;
    char text[]; /* already plain */
};

struct chat {
    struct windows *windows;
    GtkWidget *window; /* made once somebody has something to say */
    GtkWidget *content, *scroller, *list, *entry, *send, *hint;
    GPtrArray *lines;
    unsigned unread;
};

/* ---- list ---- */

static void add_bubble(struct chat *chat, const struct line *line) {
    GtkWidget *row = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    bool is_mine = line->writer != THEIRS;
    GtkWidget *who = ui_hint(line->writer == NOT_SENT ? _("You (not sent)")
                             : is_mine                ? _("You")
                                                      : chat->windows->state.operator_name);
    GtkWidget *text = ui_label(line->text);
    GtkAlign side = is_mine ? GTK_ALIGN_END : GTK_ALIGN_START;
    gtk_label_set_line_wrap_mode(GTK_LABEL(text), PANGO_WRAP_WORD_CHAR);
    gtk_label_set_max_width_chars(GTK_LABEL(text), 36);
    gtk_label_set_selectable(GTK_LABEL(text), TRUE);
    gtk_widget_set_can_focus(text, FALSE);
    gtk_widget_set_halign(who, side);
    gtk_widget_set_halign(text, side);
    ui_add_class(text, is_mine ? "ui-chat-mine" : "ui-chat-theirs");
    ui_set_class(who, "ui-bad", line->writer == NOT_SENT);
    gtk_container_add(GTK_CONTAINER(row), who);
    gtk_container_add(GTK_CONTAINER(row), text);
    gtk_widget_show_all(row);
    gtk_container_add(GTK_CONTAINER(chat->list), row);
}

/* The newest line is what one wants to see. */
static void on_list_resized(GtkWidget *list, GdkRectangle *allocation, gpointer ctx) {
    (void)list, (void)allocation;
    struct chat *chat = ctx;
    GtkAdjustment *place = gtk_scrolled_window_get_vadjustment(GTK_SCROLLED_WINDOW(chat->scroller));
    gtk_adjustment_set_value(place, gtk_adjustment_get_upper(place));
}

static void add_line(struct chat *chat, const char *text, enum writer writer) {
    char *plain = ui_plain(text, BREAKS_MAX + 1);
    struct line *line = g_malloc(sizeof(*line) + strlen(plain) + 1);
    line->writer = writer;
    memcpy(line->text, plain, strlen(plain) + 1);
    free(plain);
    g_ptr_array_add(chat->lines, line);
    if (chat->window)
        add_bubble(chat, line);
    if (chat->lines->len <= LINES_MAX)
        return;
    g_ptr_array_remove_index(chat->lines, 0);
    if (!chat->window)
        return;
    GList *rows = gtk_container_get_children(GTK_CONTAINER(chat->list));
    gtk_widget_destroy(rows->data);
    g_list_free(rows);
}

/* ---- writing ---- */

static bool may_write(const struct chat *chat) {
    const struct customer_state *s = &chat->windows->state;
    return s->step == CUSTOMER_CODE || s->step == CUSTOMER_ACTIVE;
}

static void do_send(struct windows *w) {
    struct chat *chat = w->chat;
    const char *text = gtk_entry_get_text(GTK_ENTRY(chat->entry));
    if (!text[0] || !may_write(chat))
        return;
    if (!windows_do_text(w, CUSTOMER_DO_CHAT, text))
        add_line(chat, text, NOT_SENT); /* otherwise the core says what became of it */
    gtk_entry_set_text(GTK_ENTRY(chat->entry), "");
    gtk_widget_grab_focus(chat->entry);
}

static void on_changed(GtkEditable *entry, gpointer ctx) {
    struct chat *chat = ctx;
    struct draft *d = &chat->windows->draft;
    snprintf(d->chat, sizeof(d->chat), "%s", gtk_entry_get_text(GTK_ENTRY(entry)));
    chat_show(chat);
}

/* ---- window ---- */

static gboolean on_delete(GtkWidget *window, GdkEvent *event, gpointer ctx) {
    (void)event, (void)ctx;
    gtk_widget_hide(window);
    return GDK_EVENT_STOP;
}

static gboolean on_key(GtkWidget *window, GdkEventKey *event, gpointer ctx) {
    (void)ctx;
    if (event->keyval != GDK_KEY_Escape)
        return GDK_EVENT_PROPAGATE;
    gtk_widget_hide(window);
    return GDK_EVENT_STOP;
}

static void on_gone(GtkWidget *window, gpointer ctx) {
    (void)window;
    ((struct chat *)ctx)->window = NULL;
}

static GtkWidget *build_writing(struct chat *chat) {
    GtkWidget *row = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
    chat->entry = ui_entry(_("Message"), ENTRY_CHARS, false);
    gtk_entry_set_text(GTK_ENTRY(chat->entry), chat->windows->draft.chat);
    gtk_entry_set_placeholder_text(GTK_ENTRY(chat->entry), _("Message to the operator"));
    g_signal_connect(chat->entry, "changed", G_CALLBACK(on_changed), chat);
    chat->send = page_button(chat->windows, _("Send"), UI_PRIMARY, do_send);
    gtk_box_pack_start(GTK_BOX(row), chat->entry, TRUE, TRUE, 0);
    gtk_box_pack_end(GTK_BOX(row), chat->send, FALSE, FALSE, 0);
    return row;
}

static void build(struct chat *chat) {
    chat->content = ui_column();
    chat->list = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);
    chat->scroller = gtk_scrolled_window_new(NULL, NULL);
    chat->hint = ui_hint(_("Never write passwords, card numbers or the check code here."));
    gtk_widget_set_valign(chat->list, GTK_ALIGN_START);
    ui_set_a11y(chat->list, _("Messages"), NULL);
    g_signal_connect_after(chat->list, "size-allocate", G_CALLBACK(on_list_resized), chat);
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(chat->scroller), GTK_POLICY_NEVER,
                                   GTK_POLICY_AUTOMATIC);
    gtk_container_add(GTK_CONTAINER(chat->scroller), chat->list);
    gtk_box_pack_start(GTK_BOX(chat->content), chat->scroller, TRUE, TRUE, 0);
    gtk_container_add(GTK_CONTAINER(chat->content), build_writing(chat));
    gtk_container_add(GTK_CONTAINER(chat->content), chat->hint);
    gtk_container_set_border_width(GTK_CONTAINER(chat->content), UI_GAP);
    for (guint i = 0; i < chat->lines->len; i++)
        add_bubble(chat, g_ptr_array_index(chat->lines, i));
    gtk_widget_show_all(chat->content);
    gtk_container_add(GTK_CONTAINER(chat->window), chat->content);
    gtk_window_set_title(GTK_WINDOW(chat->window), _("Chat"));
    gtk_widget_set_can_default(chat->send, TRUE);
    gtk_widget_grab_default(chat->send);
}

/* Lower right: what the two of them look at is mostly elsewhere, and so is the bar. */
static void put_in_corner(GtkWindow *window) {
    GdkMonitor *monitor = gdk_display_get_primary_monitor(gdk_display_get_default());
    GdkRectangle area;
    if (!monitor)
        return; /* the window manager knows better */
    gdk_monitor_get_workarea(monitor, &area);
    gtk_window_set_gravity(window, GDK_GRAVITY_SOUTH_EAST);
    gtk_window_move(window, area.x + area.width - WIDTH - UI_MARGIN,
                    area.y + area.height - HEIGHT - UI_MARGIN);
}

static void open_window(struct chat *chat) {
    if (chat->window)
        return;
    chat->window = gtk_window_new(GTK_WINDOW_TOPLEVEL);
    gtk_window_set_role(GTK_WINDOW(chat->window), "tasuki-chat");
    gtk_window_set_default_size(GTK_WINDOW(chat->window), WIDTH, HEIGHT);
    put_in_corner(GTK_WINDOW(chat->window));
    g_signal_connect(chat->window, "delete-event", G_CALLBACK(on_delete), NULL);
    g_signal_connect(chat->window, "key-press-event", G_CALLBACK(on_key), NULL);
    g_signal_connect(chat->window, "destroy", G_CALLBACK(on_gone), chat);
    build(chat);
}

static bool is_on_screen(const struct chat *chat) {
    return chat->window && gtk_widget_get_visible(chat->window);
}

void chat_present(struct chat *chat) {
    open_window(chat);
    chat_show(chat);
    gtk_window_set_focus_on_map(GTK_WINDOW(chat->window), TRUE);
    gtk_window_present(GTK_WINDOW(chat->window));
    gtk_widget_grab_focus(chat->entry);
}

void chat_receive(struct chat *chat, const char *text) {
    open_window(chat);
    add_line(chat, text, THEIRS);
    const struct line *line = g_ptr_array_index(chat->lines, chat->lines->len - 1);
    bool was_on_screen = is_on_screen(chat);
    gtk_window_set_focus_on_map(GTK_WINDOW(chat->window), FALSE); /* whoever is typing goes on typing there */
    gtk_widget_show(chat->window);
    if (!gtk_window_is_active(GTK_WINDOW(chat->window))) {
        chat->unread++;
        gtk_window_set_urgency_hint(GTK_WINDOW(chat->window), TRUE);
    }
    if (was_on_screen)
        gdk_window_raise(gtk_widget_get_window(chat->window));
    char *said = g_strdup_printf("%s: %s", chat->windows->state.operator_name, line->text);
    ui_announce(chat->window, said);
    g_free(said);
}

void chat_wrote(struct chat *chat, const char *text, bool is_sent) {
    add_line(chat, text, is_sent ? MINE : NOT_SENT);
    if (!is_sent && chat->window)
        ui_announce(chat->window, _("You (not sent)"));
}

void chat_show(struct chat *chat) {
    if (!chat->window)
        return;
    if (gtk_window_is_active(GTK_WINDOW(chat->window)) && chat->unread > 0) {
        chat->unread = 0;
        gtk_window_set_urgency_hint(GTK_WINDOW(chat->window), FALSE);
    }
    gtk_widget_set_sensitive(chat->entry, may_write(chat));
    gtk_widget_set_sensitive(chat->send, may_write(chat) && chat->windows->draft.chat[0] != '\0');
}

unsigned chat_unread(const struct chat *chat) {
    return chat->unread;
}

bool chat_is_possible(const struct chat *chat) {
    return may_write(chat) || chat->lines->len > 0;
}

void chat_rebuild(struct chat *chat) {
    if (!chat->window)
        return;
    gtk_widget_destroy(chat->content);
    build(chat);
}

struct chat *chat_new(struct windows *w) {
    struct chat *chat = g_new0(struct chat, 1);
    chat->windows = w;
    chat->lines = g_ptr_array_new_with_free_func(g_free);
    return chat;
}

void chat_free(struct chat *chat) {
    if (!chat)
        return;
    if (chat->window)
        gtk_widget_destroy(chat->window);
    g_ptr_array_free(chat->lines, TRUE);
    g_free(chat);
}
