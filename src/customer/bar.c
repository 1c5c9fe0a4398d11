/* The permanent bar (SECURITY.md S8): who is connected, since when, and the way out, above everything else on
 * the screen for as long as a session is active. No window manager, setting or operator decides about it: it
 * is placed, shown and raised again whenever it is not where it has to be. */
#include "customer/page_private.h"

#include <gdk/gdkx.h>

enum { RAISE_US = 250 * 1000, WHO_CHARS = 28 };

struct bar {
    struct windows *windows;
    GtkWidget *window; /* NULL: no session is active */
    GtkWidget *row, *dot, *who, *time, *pause, *take_back, *chat, *key, *notice;
    double place; /* of its middle, from the monitor's left edge (0) to its right one (1) */
    bool is_dragged;
    double drag_x; /* root px: where the pointer was last */
    int64_t raised_us;
};

/* ---- place ---- */

static GdkRectangle monitor_area(void) {
    GdkDisplay *display = gdk_display_get_default();
    GdkMonitor *monitor = gdk_display_get_primary_monitor(display);
    GdkWindow *root = gdk_get_default_root_window();
    GdkRectangle area = {0, 0, gdk_window_get_width(root), gdk_window_get_height(root)};
    if (!monitor)
        monitor = gdk_display_get_monitor(display, 0);
    if (monitor)
        gdk_monitor_get_geometry(monitor, &area);
    return area;
}

/* One row where the monitor is wide enough, otherwise two. */
static void fold(struct bar *bar, const GdkRectangle *area) {
    int width;
    gtk_orientable_set_orientation(GTK_ORIENTABLE(bar->row), GTK_ORIENTATION_HORIZONTAL);
    gtk_widget_get_preferred_width(bar->window, NULL, &width);
    if (width > area->width * 9 / 10)
        gtk_orientable_set_orientation(GTK_ORIENTABLE(bar->row), GTK_ORIENTATION_VERTICAL);
}

static void put_in_place(struct bar *bar) {
    GdkWindow *window = gtk_widget_get_window(bar->window);
    GdkRectangle area = monitor_area();
    int x, y;
    fold(bar, &area);
    int width = gdk_window_get_width(window);
    int room = area.width > width ? area.width - width : 0;
    int left = (int)(bar->place * area.width) - width / 2;
    left = area.x + CLAMP(left, 0, room);
    gdk_window_get_origin(window, &x, &y);
    if (x != left || y != area.y)
        gtk_window_move(GTK_WINDOW(bar->window), left, area.y);
}

static void raise_bar(struct bar *bar) {
    int64_t now_us = g_get_monotonic_time();
    if (now_us - bar->raised_us < RAISE_US)
        return; /* another program that does the same must not make both of us spin */
    bar->raised_us = now_us;
    GdkWindow *window = gtk_widget_get_window(bar->window);
    /* GDK's own way holds up the whole display to find out what the pointer is over now. */
    if (gdk_window_is_visible(window))
        XRaiseWindow(GDK_WINDOW_XDISPLAY(window), GDK_WINDOW_XID(window));
    else
        gdk_window_show(window); /* somebody else unmapped it */
    gdk_display_flush(gdk_window_get_display(window));
}

/* Whoever hid, moved or covered it: it comes back. */
static void keep(struct bar *bar) {
    put_in_place(bar);
    raise_bar(bar);
}

static gboolean on_visibility(GtkWidget *window, GdkEventVisibility *event, gpointer ctx) {
    (void)window;
    if (event->state != GDK_VISIBILITY_UNOBSCURED)
        raise_bar(ctx);
    return GDK_EVENT_PROPAGATE;
}

static void on_resized(GtkWidget *window, GdkRectangle *allocation, gpointer ctx) {
    (void)allocation;
    if (gtk_widget_get_mapped(window))
        put_in_place(ctx);
}

static void on_monitors(GdkScreen *screen, gpointer ctx) {
    (void)screen;
    struct bar *bar = ctx;
    if (bar->window)
        keep(bar);
}

/* ---- moving it aside, left and right only ---- */

static gboolean on_press(GtkWidget *window, GdkEventButton *event, gpointer ctx) {
    (void)window;
    struct bar *bar = ctx;
    if (event->button != 1)
        return GDK_EVENT_PROPAGATE;
    bar->is_dragged = true;
    bar->drag_x = event->x_root;
    return GDK_EVENT_STOP;
}

static gboolean on_motion(GtkWidget *window, GdkEventMotion *event, gpointer ctx) {
    struct bar *bar = ctx;
    GdkRectangle area = monitor_area();
    if (!bar->is_dragged)
        return GDK_EVENT_PROPAGATE;
    double half = gtk_widget_get_allocated_width(window) / 2.0 / area.width;
    double place = bar->place + (event->x_root - bar->drag_x) / area.width;
    bar->place = half < 0.5 ? CLAMP(place, half, 1 - half) : 0.5;
    bar->drag_x = event->x_root;
    put_in_place(bar);
    return GDK_EVENT_STOP;
}

static gboolean on_release(GtkWidget *window, GdkEventButton *event, gpointer ctx) {
    (void)window, (void)event;
    ((struct bar *)ctx)->is_dragged = false;
    return GDK_EVENT_PROPAGATE;
}

/* ---- buttons ---- */

static void do_rights(struct windows *w) {
    windows_present(w);
}

static void do_chat(struct windows *w) {
    chat_present(w->chat);
}

static void do_pause(struct windows *w) {
    windows_pause(w, !w->state.is_paused);
}

static void do_take_back(struct windows *w) {
    windows_grant(w, TAS_RIGHT_CONTROL, false);
}

static void do_end(struct windows *w) {
    windows_do(w, CUSTOMER_DO_END);
}

/* ---- the window ---- */

static GtkWidget *build_who(struct bar *bar) {
    GtkWidget *row = ui_row();
    bar->dot = gtk_label_new("●");
    bar->who = gtk_label_new("");
    bar->time = gtk_label_new("");
    ui_add_class(bar->dot, "customer-dot");
    ui_add_class(bar->who, "customer-who");
    ui_add_class(bar->time, "ui-tabular");
    gtk_label_set_ellipsize(GTK_LABEL(bar->who), PANGO_ELLIPSIZE_END);
    gtk_label_set_max_width_chars(GTK_LABEL(bar->who), WHO_CHARS);
    gtk_container_add(GTK_CONTAINER(row), bar->dot);
    gtk_container_add(GTK_CONTAINER(row), bar->who);
    gtk_container_add(GTK_CONTAINER(row), bar->time);
    return row;
}

static GtkWidget *build_buttons(struct bar *bar) {
    struct windows *w = bar->windows;
    GtkWidget *row = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
    GtkWidget *rights = page_button(w, _("Rights"), UI_PLAIN, do_rights);
    GtkWidget *end = page_button(w, _("End"), UI_DANGER, do_end);
    bar->key = gtk_label_new(_("Emergency: Ctrl+Alt+X"));
    bar->pause = page_button(w, _("Pause"), UI_PLAIN, do_pause);
    bar->take_back = page_button(w, _("Take back control"), UI_PLAIN, do_take_back);
    bar->chat = page_button(w, _("Chat"), UI_PLAIN, do_chat);
    ui_add_class(bar->key, "customer-key");
    ui_set_a11y(bar->key, _("Emergency key: Ctrl+Alt+X ends the session"), NULL);
    gtk_widget_set_tooltip_text(rights, _("What the operator may do"));
    gtk_widget_set_no_show_all(bar->take_back, TRUE);
    gtk_widget_set_no_show_all(bar->key, TRUE);
    GtkWidget *all[] = {bar->pause, bar->take_back, rights, bar->chat, end, bar->key};
    for (size_t i = 0; i < G_N_ELEMENTS(all); i++)
        gtk_container_add(GTK_CONTAINER(row), all[i]);
    return row;
}

/* By us, or by another program that destroys windows: bar_show() then makes another one. */
static void on_gone(GtkWidget *window, gpointer ctx) {
    (void)window;
    struct bar *bar = ctx;
    bar->window = NULL;
    bar->is_dragged = false;
}

/* A question in another window of ours that wants to be answered first must not take the bar away. */
static void stand_alone(GtkWidget *window) {
    GtkWindowGroup *group = gtk_window_group_new();
    gtk_window_group_add_window(group, GTK_WINDOW(window));
    g_object_unref(group);
}

static void open_window(struct bar *bar) {
    GtkWidget *column = gtk_box_new(GTK_ORIENTATION_VERTICAL, 4);
    bar->window = gtk_window_new(GTK_WINDOW_POPUP);
    stand_alone(bar->window);
    bar->row = ui_row();
    bar->notice = gtk_label_new("");
    gtk_label_set_line_wrap(GTK_LABEL(bar->notice), TRUE);
    gtk_label_set_max_width_chars(GTK_LABEL(bar->notice), 60);
    gtk_widget_set_no_show_all(bar->notice, TRUE);
    gtk_container_add(GTK_CONTAINER(bar->row), build_who(bar));
    gtk_container_add(GTK_CONTAINER(bar->row), build_buttons(bar));
    gtk_container_add(GTK_CONTAINER(column), bar->row);
    gtk_container_add(GTK_CONTAINER(column), bar->notice);
    gtk_container_add(GTK_CONTAINER(bar->window), column);
    ui_add_class(column, "ui-bar");
    ui_add_class(column, "customer-bar");
    gtk_window_set_title(GTK_WINDOW(bar->window), _("Session bar"));
    gtk_window_set_role(GTK_WINDOW(bar->window), "tasuki-bar");
    gtk_window_set_resizable(GTK_WINDOW(bar->window), FALSE);
    ui_set_a11y(bar->window, _("Session bar"), NULL);
    gtk_widget_add_events(bar->window, GDK_BUTTON_PRESS_MASK | GDK_BUTTON_RELEASE_MASK |
                                           GDK_BUTTON1_MOTION_MASK | GDK_VISIBILITY_NOTIFY_MASK);
    g_signal_connect(bar->window, "visibility-notify-event", G_CALLBACK(on_visibility), bar);
    g_signal_connect_after(bar->window, "size-allocate", G_CALLBACK(on_resized), bar);
    g_signal_connect(bar->window, "button-press-event", G_CALLBACK(on_press), bar);
    g_signal_connect(bar->window, "motion-notify-event", G_CALLBACK(on_motion), bar);
    g_signal_connect(bar->window, "button-release-event", G_CALLBACK(on_release), bar);
    g_signal_connect(bar->window, "delete-event", G_CALLBACK(gtk_true), NULL);
    g_signal_connect(bar->window, "destroy", G_CALLBACK(on_gone), bar);
}

static void close_window(struct bar *bar) {
    if (bar->window)
        gtk_widget_destroy(bar->window);
}

/* ---- showing ---- */

static void show_notice(struct bar *bar) {
    const struct customer_state *s = &bar->windows->state;
    char text[API_DETAIL * 4] = "";
    if (s->alarm[0])
        windows_alarm(text, sizeof(text), s->alarm);
    else if (s->is_line_lost || s->is_paused)
        snprintf(text, sizeof(text), "%s", windows_line(bar->windows));
    page_set_text(bar->notice, text);
    ui_set_class(bar->notice, "customer-alarm", s->alarm[0] != '\0');
    gtk_widget_set_visible(bar->notice, text[0] != '\0');
}

static void show_buttons(struct bar *bar) {
    const struct customer_state *s = &bar->windows->state;
    page_set_button(bar->pause, s->is_paused ? _("Resume") : _("Pause"));
    gtk_widget_set_visible(bar->take_back, (s->granted & TAS_RIGHT_CONTROL) != 0);
    gtk_widget_set_visible(bar->key, s->has_emergency_key);
    char chat[128], news[128] = "";
    unsigned unread = chat_unread(bar->windows->chat);
    snprintf(chat, sizeof(chat), "%s", _("Chat"));
    if (unread > 0) {
        snprintf(chat, sizeof(chat), _("Chat (%u)"), unread);
        snprintf(news, sizeof(news), _("New messages: %u"), unread);
    }
    page_set_button(bar->chat, chat);
    ui_set_a11y(bar->chat, _("Chat"), news);
}

static void show_who(struct bar *bar) {
    struct windows *w = bar->windows;
    char time[64], text[API_NAME * 2 + 64];
    char *who = windows_who(w);
    snprintf(text, sizeof(text), _("Connected: %s"), who);
    g_free(who);
    page_set_text(bar->who, text);
    gtk_widget_set_tooltip_text(bar->who, text);
    windows_since(time, sizeof(time), w);
    page_set_text(bar->time, time);
    bool is_seen = w->state.is_viewed && !w->state.is_paused && !w->state.is_line_lost;
    ui_set_class(bar->dot, "customer-live", is_seen);
    ui_set_a11y(bar->dot, windows_line(w), NULL);
}

void bar_show(struct bar *bar) {
    bool is_wanted = bar->windows->state.step == CUSTOMER_ACTIVE;
    if (!is_wanted) {
        close_window(bar);
        return;
    }
    if (!bar->window)
        open_window(bar);
    show_who(bar);
    show_buttons(bar);
    show_notice(bar);
    if (!gtk_widget_get_visible(bar->window)) {
        gtk_widget_realize(bar->window);
        gtk_widget_show_all(bar->window);
        ui_announce(bar->window, gtk_label_get_text(GTK_LABEL(bar->who)));
    }
    keep(bar);
}

struct bar *bar_new(struct windows *w) {
    struct bar *bar = g_new0(struct bar, 1);
    GdkScreen *screen = gdk_screen_get_default();
    bar->windows = w;
    bar->place = 0.5;
    g_signal_connect(screen, "monitors-changed", G_CALLBACK(on_monitors), bar);
    g_signal_connect(screen, "size-changed", G_CALLBACK(on_monitors), bar);
    return bar;
}

/* bar_show() makes it again, in the language now in force and where it was. */
void bar_rebuild(struct bar *bar) {
    close_window(bar);
}

void bar_free(struct bar *bar) {
    if (!bar)
        return;
    g_signal_handlers_disconnect_by_data(gdk_screen_get_default(), bar);
    close_window(bar);
    g_free(bar);
}
