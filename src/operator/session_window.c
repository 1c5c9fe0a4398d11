#include "operator/session_window.h"

#include "operator/ask.h"
#include "operator/chat.h"
#include "operator/closed_page.h"
#include "operator/code_page.h"
#include "operator/device.h"
#include "operator/keys.h"
#include "operator/say.h"
#include "operator/status.h"
#include "operator/text_pane.h"
#include "operator/toolbar.h"
#include "operator/viewport.h"
#include "ui/alarm.h"
#include "ui/look.h"
#include "wire/record.h"

#include <gdk/gdkkeysyms.h>
#include <string.h>

enum { WIDTH = 1200, HEIGHT = 800, SIDE_WIDTH = 340, EDGE_PX = 2, DWELL_MS = 250 };

struct session_window {
    struct app *app;
    GtkWidget *window, *overlay, *column, *head, *slide,
        *slide_box; /* the toolbar is in head, or slides in */
    GtkWidget *alarm, *notice, *error, *body, *side, *side_frame;
    struct toolbar *toolbar;
    struct viewport *viewport;
    struct keys *keys;
    struct code_page *code_page;
    struct closed_page *closed_page;
    struct chat *chat;
    struct text_pane *text_pane;
    struct device *device;
    struct status *status;
    struct toolbar_view view;
    enum operator_phase phase; /* that was shown last */
    uint64_t session;          /* likewise */
    uint16_t rights;           /* likewise */
    uint32_t denied_serial;    /* likewise */
    uint32_t gone_serial;      /* likewise */
    bool is_paused;            /* likewise */
    guint dwell;               /* the pointer stays at the upper edge */
};

static void show_toolbar(struct session_window *w) {
    toolbar_show(w->toolbar, app_state(w->app), &w->view);
}

/* ---- panes ---- */

static void on_pane(void *ctx, enum pane pane) {
    struct session_window *w = ctx;
    static const char *const names[] = {[PANE_CHAT] = "chat", [PANE_TEXT] = "text", [PANE_DEVICE] = "device"};
    w->view.pane = pane;
    gtk_widget_set_visible(w->side_frame, pane != PANE_NONE);
    if (pane != PANE_NONE)
        gtk_stack_set_visible_child_name(GTK_STACK(w->side), names[pane]);
    if (pane == PANE_CHAT) {
        w->view.has_unread = false;
        chat_focus(w->chat);
    }
    if (pane == PANE_TEXT)
        text_pane_focus(w->text_pane);
    if (pane == PANE_DEVICE)
        device_ask(w->device);
    show_toolbar(w);
}

/* What the customer says is seen, but the focus stays where the operator works. */
static void unfold_chat(struct session_window *w) {
    if (w->view.pane == PANE_NONE && !w->view.is_full) {
        w->view.pane = PANE_CHAT;
        gtk_stack_set_visible_child_name(GTK_STACK(w->side), "chat");
        gtk_widget_show(w->side_frame);
    }
    w->view.has_unread = w->view.pane != PANE_CHAT;
    show_toolbar(w);
}

/* ---- full screen ---- */

static void move_toolbar(struct session_window *w, GtkWidget *to) {
    GtkWidget *toolbar = toolbar_widget(w->toolbar);
    GtkWidget *from = gtk_widget_get_parent(toolbar);
    if (from == to)
        return;
    g_object_ref(toolbar);
    gtk_container_remove(GTK_CONTAINER(from), toolbar);
    gtk_container_add(GTK_CONTAINER(to), toolbar);
    g_object_unref(toolbar);
}

static void slide(struct session_window *w, bool is_in) {
    gtk_widget_set_visible(w->slide_box, is_in && w->view.is_full);
    GdkWindow *window = gtk_widget_get_window(w->slide_box);
    if (is_in && window)
        gdk_window_raise(window);
    gtk_revealer_set_reveal_child(GTK_REVEALER(w->slide), is_in);
}

static void on_full_screen(void *ctx, bool is_full) {
    struct session_window *w = ctx;
    is_full = is_full && w->phase == OPERATOR_ACTIVE;
    w->view.is_full = is_full;
    if (is_full)
        gtk_window_fullscreen(GTK_WINDOW(w->window));
    else
        gtk_window_unfullscreen(GTK_WINDOW(w->window));
    move_toolbar(w, is_full ? w->slide : w->head);
    gtk_widget_set_visible(status_widget(w->status), !is_full);
    gtk_widget_set_visible(w->side_frame,
                           !is_full && w->view.pane != PANE_NONE); /* the picture has all of it */
    slide(w, false);
    show_toolbar(w);
}

static void on_keys_full_screen(void *ctx) {
    struct session_window *w = ctx;
    on_full_screen(w, !w->view.is_full);
}

static gboolean on_dwelt(gpointer ctx) {
    struct session_window *w = ctx;
    w->dwell = 0;
    slide(w, true);
    return G_SOURCE_REMOVE;
}

static void stop_dwell(struct session_window *w) {
    if (w->dwell)
        g_source_remove(w->dwell);
    w->dwell = 0;
}

/* The toolbar comes when the pointer stays at the upper edge (the customer's screen has things there too),
 * and goes when it has left the toolbar. */
static gboolean on_motion(GtkWidget *widget, GdkEventMotion *event, gpointer ctx) {
    (void)widget;
    struct session_window *w = ctx;
    bool is_at_edge = w->view.is_full && event->y < EDGE_PX;
    bool is_shown = gtk_widget_get_visible(w->slide_box);
    if (is_at_edge && !is_shown && !w->dwell)
        w->dwell = g_timeout_add(DWELL_MS, on_dwelt, w);
    if (!is_at_edge)
        stop_dwell(w);
    if (is_shown && event->y >= gtk_widget_get_allocated_height(w->slide_box))
        slide(w, false);
    return FALSE;
}

static gboolean on_slide_leave(GtkWidget *widget, GdkEventCrossing *event, gpointer ctx) {
    (void)widget;
    if (event->detail != GDK_NOTIFY_INFERIOR && event->mode == GDK_CROSSING_NORMAL)
        slide(ctx, false);
    return FALSE;
}

/* ---- the window's own keys ---- */

static gboolean on_key(GtkWidget *widget, GdkEventKey *event, gpointer ctx) {
    (void)widget;
    struct session_window *w = ctx;
    guint modifiers = event->state & gtk_accelerator_get_default_mod_mask();
    bool is_enter = event->keyval == GDK_KEY_Return || event->keyval == GDK_KEY_KP_Enter;
    bool is_full_screen = (event->keyval == GDK_KEY_F11 && modifiers == 0) ||
                          (is_enter && modifiers == (GDK_CONTROL_MASK | GDK_MOD1_MASK));
    if (is_full_screen)
        on_full_screen(w, !w->view.is_full);
    return is_full_screen;
}

static gboolean on_delete(GtkWidget *widget, GdkEvent *event, gpointer ctx) {
    (void)event;
    struct session_window *w = ctx;
    struct app *app = w->app;
    if (w->phase == OPERATOR_CLOSED)
        app_do(app, OPERATOR_DO_DONE, 0);
    else if (app_state(app)->is_ending)
        return TRUE; /* it goes as soon as it can */
    else if (ask_yes(widget, _("End the session?"), _("Closing this window ends the session."),
                     _("End the session")))
        app_do(app, OPERATOR_DO_END, 0);
    return TRUE;
}

static void on_keys_change(void *ctx) {
    struct session_window *w = ctx;
    status_show(w->status, app_state(w->app), keys_is_on(w->keys));
}

static void on_scaled(void *ctx, bool is_scaled) {
    struct session_window *w = ctx;
    w->view.is_scaled = is_scaled;
    viewport_set_scaled(w->viewport, is_scaled);
    show_toolbar(w);
}

/* ---- making ---- */

static GtkWidget *build_notice(const char *style) {
    GtkWidget *label = ui_label("");
    ui_add_class(label, "operator-notice");
    if (style)
        ui_add_class(label, style);
    gtk_label_set_max_width_chars(GTK_LABEL(label), -1);
    gtk_widget_set_no_show_all(label, TRUE);
    atk_object_set_role(gtk_widget_get_accessible(label), ATK_ROLE_ALERT);
    return label;
}

static GtkWidget *build_side(struct session_window *w) {
    w->chat = chat_new(w->app);
    w->text_pane = text_pane_new(w->app);
    w->device = device_new(w->app);
    w->side = gtk_stack_new();
    gtk_stack_add_named(GTK_STACK(w->side), chat_widget(w->chat), "chat");
    gtk_stack_add_named(GTK_STACK(w->side), text_pane_widget(w->text_pane), "text");
    gtk_stack_add_named(GTK_STACK(w->side), device_widget(w->device), "device");
    /* As wide as we say, whatever stands in it. */
    w->side_frame = gtk_scrolled_window_new(NULL, NULL);
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(w->side_frame), GTK_POLICY_EXTERNAL,
                                   GTK_POLICY_EXTERNAL);
    gtk_stack_set_hhomogeneous(GTK_STACK(w->side), FALSE);
    ui_add_class(w->side_frame, "operator-side");
    gtk_widget_set_size_request(w->side_frame, SIDE_WIDTH, -1);
    gtk_widget_set_hexpand(w->side_frame, FALSE);
    gtk_container_add(GTK_CONTAINER(w->side_frame), w->side);
    gtk_widget_show(gtk_bin_get_child(GTK_BIN(w->side_frame)));
    gtk_widget_show_all(w->side);
    gtk_widget_set_no_show_all(w->side_frame, TRUE);
    return w->side_frame;
}

static GtkWidget *build_body(struct session_window *w) {
    GtkWidget *row = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 0);
    w->viewport = viewport_new(w->app);
    w->code_page = code_page_new(w->app);
    w->closed_page = closed_page_new(w->app);
    w->body = gtk_stack_new();
    gtk_stack_set_homogeneous(GTK_STACK(w->body), FALSE);
    gtk_stack_add_named(GTK_STACK(w->body), code_page_widget(w->code_page), "code");
    gtk_stack_add_named(GTK_STACK(w->body), viewport_widget(w->viewport), "picture");
    gtk_stack_add_named(GTK_STACK(w->body), closed_page_widget(w->closed_page), "closed");
    gtk_box_pack_start(GTK_BOX(row), w->body, TRUE, TRUE, 0);
    gtk_box_pack_end(GTK_BOX(row), build_side(w), FALSE, FALSE, 0);
    return row;
}

static void on_slide_realize(GtkWidget *widget, gpointer ctx) {
    (void)ctx;
    gdk_window_ensure_native(gtk_widget_get_window(widget)); /* to lie above the picture's own window */
}

/* Over the picture, at the upper edge: a window of its own, since the picture is one. */
static void build_slide(struct session_window *w) {
    w->slide_box = gtk_event_box_new();
    w->slide = gtk_revealer_new();
    gtk_container_add(GTK_CONTAINER(w->slide_box), w->slide);
    gtk_widget_show(w->slide);
    gtk_widget_set_valign(w->slide_box, GTK_ALIGN_START);
    gtk_widget_set_halign(w->slide_box, GTK_ALIGN_FILL);
    gtk_widget_set_no_show_all(w->slide_box, TRUE);
    gtk_widget_add_events(w->slide_box, GDK_LEAVE_NOTIFY_MASK);
    g_signal_connect(w->slide_box, "realize", G_CALLBACK(on_slide_realize), NULL);
    g_signal_connect(w->slide_box, "leave-notify-event", G_CALLBACK(on_slide_leave), w);
    gtk_overlay_add_overlay(GTK_OVERLAY(w->overlay), w->slide_box);
}

static void build(struct session_window *w) {
    const struct toolbar_hooks hooks = {on_pane, on_scaled, on_full_screen, w};
    w->overlay = gtk_overlay_new();
    w->column = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    w->head = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    w->toolbar = toolbar_new(w->app, &hooks);
    w->alarm = build_notice("operator-alarm");
    w->notice = build_notice(NULL);
    w->error = ui_error_bar();
    w->status = status_new(w->app);
    gtk_container_add(GTK_CONTAINER(w->head), toolbar_widget(w->toolbar));
    GtkWidget *const parts[] = {w->head, w->alarm, w->notice, w->error};
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
        gtk_box_pack_start(GTK_BOX(w->column), parts[i], FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(w->column), build_body(w), TRUE, TRUE, 0);
    gtk_box_pack_end(GTK_BOX(w->column), status_widget(w->status), FALSE, FALSE, 0);
    gtk_container_add(GTK_CONTAINER(w->overlay), w->column);
    gtk_container_add(GTK_CONTAINER(w->window), w->overlay);
    build_slide(w);
}

struct session_window *session_window_new(struct app *app) {
    struct session_window *w = g_new0(struct session_window, 1);
    w->app = app;
    w->view.is_scaled = true;
    w->window = gtk_window_new(GTK_WINDOW_TOPLEVEL);
    gtk_window_set_default_size(GTK_WINDOW(w->window), WIDTH, HEIGHT);
    g_signal_connect(w->window, "delete-event", G_CALLBACK(on_delete), w);
    build(w);
    const struct keys_hooks hooks = {on_keys_change, on_keys_full_screen, w};
    w->keys = keys_new(app, w->window, viewport_view(w->viewport), &hooks);
    g_signal_connect(w->window, "key-press-event", G_CALLBACK(on_key), w);
    g_signal_connect(viewport_view(w->viewport), "motion-notify-event", G_CALLBACK(on_motion), w);
    gtk_widget_show_all(w->window);
    return w;
}

void session_window_free(struct session_window *w) {
    if (!w)
        return;
    stop_dwell(w);
    g_signal_handlers_disconnect_by_data(viewport_view(w->viewport), w); /* a surface's outlives us */
    keys_free(w->keys);
    viewport_free(w->viewport);
    code_page_free(w->code_page);
    closed_page_free(w->closed_page);
    chat_free(w->chat);
    text_pane_free(w->text_pane);
    device_free(w->device);
    status_free(w->status);
    toolbar_free(w->toolbar);
    gtk_widget_destroy(w->window);
    g_free(w);
}

/* ---- showing ---- */

static const struct api_session *find_session(const struct operator_state *state) {
    for (size_t i = 0; i < state->n_live; i++)
        if (state->live[i].id == state->session)
            return &state->live[i];
    return NULL;
}

static void show_title(struct session_window *w, const struct operator_state *state) {
    const struct api_session *session = find_session(state);
    const char *customer = session ? session->customer : "";
    char who[2 * API_NAME + 8];
    char title[sizeof(who) + 80];
    if (w->phase == OPERATOR_CLOSED && state->phase == OPERATOR_CLOSED)
        return; /* the session is no longer among the live ones */
    bool is_both = customer[0] && state->peer_name[0] && strcmp(customer, state->peer_name) != 0;
    g_snprintf(who, sizeof(who), "%s%s%s", customer, is_both ? " \u2014 " : "",
               is_both || !customer[0] ? state->peer_name : "");
    g_snprintf(title, sizeof(title), _("Session: %s"), who[0] ? who : _("The customer"));
    gtk_window_set_title(GTK_WINDOW(w->window), title);
}

static void set_notice(GtkWidget *label, const char *text) {
    bool is_new = strcmp(gtk_label_get_text(GTK_LABEL(label)), text) != 0;
    gtk_widget_set_visible(label, text[0] != '\0');
    if (!is_new)
        return;
    ui_set_text(label, text);
    ui_set_a11y(label, text, NULL);
    if (text[0])
        ui_announce(label, text);
}

static void show_notices(struct session_window *w, const struct operator_state *state) {
    char alarm[API_DETAIL + 80] = "";
    const char *notice = "";
    if (state->alarm[0])
        g_snprintf(alarm, sizeof(alarm), _("Alarm: %s"), ui_alarm(state->alarm));
    if (state->phase == OPERATOR_CLOSED)
        notice = "";
    else if (state->is_ending && state->phase >= OPERATOR_CODE) /* before, the page itself says so */
        notice = _("Ending the session\u2026");
    else if (state->is_line_lost)
        notice = _("The line is lost: the picture is frozen. Reconnecting\u2026");
    else if (state->is_paused)
        notice = _("The customer has paused. Nothing is seen or sent until they go on.");
    else if (state->phase == OPERATOR_ACTIVE && !(state->rights & TAS_RIGHT_SEE))
        notice = _("The customer does not let you see the screen. View asks for it.");
    set_notice(w->alarm, alarm);
    set_notice(w->notice, notice);
}

/* What the customer allowed or took back is told, among what was said. */
static void note_rights(struct session_window *w, const struct operator_state *state) {
    char rights[SAY_RIGHTS];
    char text[SAY_RIGHTS + 80];
    if (state->phase == OPERATOR_ACTIVE && state->rights != w->rights) {
        say_rights(rights, state->rights);
        g_snprintf(text, sizeof(text), _("The customer allows: %s"), rights);
        chat_event(w->chat, text);
        ui_announce(w->window, text);
    }
    if (state->phase == OPERATOR_ACTIVE && state->denied_serial != w->denied_serial) {
        say_rights(rights, state->denied);
        g_snprintf(text, sizeof(text), _("The customer does not allow: %s"), rights);
        chat_event(w->chat, text);
        ui_announce(w->window, text);
    }
    w->denied_serial = state->denied_serial;
    if (state->phase == OPERATOR_ACTIVE && state->is_paused != w->is_paused)
        chat_event(w->chat, state->is_paused ? _("Paused by the customer") : _("The customer goes on"));
    w->rights = state->rights;
    w->is_paused = state->is_paused;
}

/* What is seen has changed, and nobody has asked for it. */
static void note_gone_monitor(struct session_window *w, const struct operator_state *state) {
    char text[TAS_MONITOR_NAME + 160];
    bool is_new = state->gone_serial != w->gone_serial && state->phase == OPERATOR_ACTIVE;
    w->gone_serial = state->gone_serial;
    if (!is_new)
        return;
    g_snprintf(text, sizeof(text), _("The customer's monitor %s is gone; all that remains is shown."),
               state->gone_monitor);
    chat_event(w->chat, text);
    ui_announce(w->window, text);
}

static void enter_phase(struct session_window *w, const struct operator_state *state) {
    enum operator_phase phase = state->phase;
    if (phase == w->phase)
        return;
    if (w->view.is_full && phase != OPERATOR_ACTIVE)
        on_full_screen(w, false);
    w->phase = phase;
    gtk_stack_set_visible_child_name(GTK_STACK(w->body), phase == OPERATOR_ACTIVE   ? "picture"
                                                         : phase == OPERATOR_CLOSED ? "closed"
                                                                                    : "code");
    if (phase == OPERATOR_ACTIVE)
        gtk_widget_grab_focus(viewport_view(w->viewport));
    if (phase == OPERATOR_CODE && w->view.pane == PANE_NONE)
        unfold_chat(w);
    gtk_window_present(GTK_WINDOW(w->window));
}

void session_window_show(struct session_window *w, const struct operator_state *state) {
    bool has_control = state->phase == OPERATOR_ACTIVE && (state->rights & TAS_RIGHT_CONTROL) != 0;
    show_title(w, state);
    note_rights(w, state);
    note_gone_monitor(w, state);
    enter_phase(w, state);
    show_notices(w, state);
    code_page_show(w->code_page, state);
    closed_page_show(w->closed_page, state);
    viewport_show(w->viewport, state);
    keys_allow(w->keys, has_control && !state->is_paused);
    keys_suspend(w->keys, state->is_line_lost);
    chat_show(w->chat, state);
    text_pane_show(w->text_pane, state);
    device_show(w->device, state);
    status_show(w->status, state, keys_is_on(w->keys));
    show_toolbar(w);
}

void session_window_tick(struct session_window *w) {
    status_tick(w->status);
}

void session_window_result_failed(struct session_window *w) {
    closed_page_failed(w->closed_page);
}

void session_window_error(struct session_window *w, const struct ui_words *words) {
    ui_error_bar_show(w->error, words, GTK_MESSAGE_ERROR);
}

void session_window_chat(struct session_window *w, const char *text) {
    const struct operator_state *state = app_state(w->app);
    chat_theirs(w->chat, state->peer_name[0] ? state->peer_name : _("The customer"), text);
    unfold_chat(w);
    if (!gtk_window_is_active(GTK_WINDOW(w->window)))
        gtk_window_set_urgency_hint(GTK_WINDOW(w->window), TRUE);
}

void session_window_device(struct session_window *w, const char *json) {
    device_text(w->device, json);
}
