#include "operator/keys.h"

#include "operator/chord.h"

#include <gdk/gdkkeysyms.h>
#include <string.h>

enum {
    X11_OFFSET = 8, /* X11's key codes are those of evdev and 8 */
    KEY_RETURN = 28,
    KEY_KP_RETURN = 96,
    MOTION_MASK = GDK_ENTER_NOTIFY_MASK | GDK_LEAVE_NOTIFY_MASK | GDK_BUTTON_PRESS_MASK,
};

struct keys {
    struct app *app;
    struct keys_hooks hooks;
    GtkWidget *window, *view;
    GtkGesture *presses;
    struct chord chord;
    bool is_allowed, is_suspended, is_on, is_inside, is_grabbed;
};

/* ---- grabbing ---- */

static GdkSeat *seat_of(struct keys *keys) {
    return gdk_display_get_default_seat(gtk_widget_get_display(keys->view));
}

static void ungrab(struct keys *keys) {
    if (keys->is_grabbed)
        gdk_seat_ungrab(seat_of(keys));
    keys->is_grabbed = false;
}

/* Without a grab the keys still go to the customer, but for those that the desktop keeps for itself. */
static void grab(struct keys *keys) {
    GdkWindow *window = gtk_widget_get_window(keys->view);
    if (keys->is_grabbed || !keys->is_on || !keys->is_inside || !window)
        return;
    keys->is_grabbed = gdk_seat_grab(seat_of(keys), window, GDK_SEAT_CAPABILITY_KEYBOARD, TRUE, NULL, NULL,
                                     NULL, NULL) == GDK_GRAB_SUCCESS;
}

static void turn(struct keys *keys, bool is_on) {
    is_on = is_on && keys->is_allowed;
    if (is_on == keys->is_on)
        return;
    keys->is_on = is_on;
    if (is_on) {
        grab(keys);
    } else {
        ungrab(keys);
        chord_forget(&keys->chord);
        app_do(keys->app, OPERATOR_DO_RELEASE, 0);
    }
    keys->hooks.on_change(keys->hooks.ctx);
}

/* ---- keys ---- */

static void send(struct keys *keys, unsigned code, guint keysym, bool is_down) {
    if (keys->is_suspended)
        return;
    struct operator_command command = {
        .kind = OPERATOR_DO_KEY, .keycode = (uint16_t)code, .keysym = keysym, .is_on = is_down};
    app_send(keys->app, &command);
}

static bool is_return(unsigned code) {
    return code == KEY_RETURN || code == KEY_KP_RETURN;
}

static void on_down(struct keys *keys, unsigned code, guint keysym) {
    if (is_return(code) && chord_has_ctrl_alt(&keys->chord)) {
        turn(keys, false);
        keys->hooks.on_full_screen(keys->hooks.ctx);
        return;
    }
    if (chord_press(&keys->chord, code))
        send(keys, code, keysym, true);
}

static void on_up(struct keys *keys, unsigned code, guint keysym) {
    bool is_out = false;
    if (chord_release(&keys->chord, code, &is_out))
        send(keys, code, keysym, false);
    if (is_out)
        turn(keys, false);
}

/* Before the window looks at it for its own sake. */
static gboolean on_key(GtkWidget *widget, GdkEventKey *event, gpointer ctx) {
    (void)widget;
    struct keys *keys = ctx;
    bool is_down = event->type == GDK_KEY_PRESS;
    if (!keys->is_on) {
        bool is_begin = is_down && gtk_widget_has_focus(keys->view) && keys->is_allowed &&
                        (event->keyval == GDK_KEY_Return || event->keyval == GDK_KEY_KP_Enter) &&
                        (event->state & gtk_accelerator_get_default_mod_mask()) == 0;
        if (is_begin)
            turn(keys, true);
        return is_begin;
    }
    unsigned code = event->hardware_keycode;
    if (code <= X11_OFFSET)
        return TRUE;
    if (is_down)
        on_down(keys, code - X11_OFFSET, event->keyval);
    else
        on_up(keys, code - X11_OFFSET, event->keyval);
    return TRUE;
}

/* ---- where the focus and the pointer are ---- */

static gboolean on_focus_out(GtkWidget *widget, GdkEvent *event, gpointer ctx) {
    (void)widget;
    (void)event;
    turn(ctx, false);
    return FALSE;
}

static gboolean on_grab_broken(GtkWidget *widget, GdkEventGrabBroken *event, gpointer ctx) {
    (void)widget;
    struct keys *keys = ctx;
    if (event->keyboard) {
        keys->is_grabbed = false;
        turn(keys, false);
    }
    return FALSE;
}

static gboolean on_crossing(GtkWidget *widget, GdkEventCrossing *event, gpointer ctx) {
    (void)widget;
    struct keys *keys = ctx;
    if (event->detail == GDK_NOTIFY_INFERIOR || event->mode != GDK_CROSSING_NORMAL)
        return FALSE;
    keys->is_inside = event->type == GDK_ENTER_NOTIFY;
    if (keys->is_inside)
        grab(keys);
    else
        ungrab(keys);
    return FALSE;
}

static gboolean on_motion(GtkWidget *widget, GdkEvent *event, gpointer ctx) {
    (void)widget;
    (void)event;
    struct keys *keys = ctx;
    if (!keys->is_inside) {
        keys->is_inside = true;
        grab(keys);
    }
    return FALSE;
}

static gboolean on_press(GtkWidget *widget, GdkEventButton *event, gpointer ctx) {
    struct keys *keys = ctx;
    if (event->type == GDK_BUTTON_PRESS) {
        keys->is_inside = true;
        gtk_widget_grab_focus(widget);
        turn(keys, true);
    }
    return TRUE;
}

/* A press anywhere in the window, also where nothing takes the focus. */
static void on_any_press(GtkGestureMultiPress *gesture, gint n_press, gdouble x, gdouble y, gpointer ctx) {
    (void)gesture;
    (void)n_press;
    struct keys *keys = ctx;
    GtkAllocation at;
    int left = 0;
    int top = 0;
    gtk_widget_get_allocation(keys->view, &at);
    if (!gtk_widget_translate_coordinates(keys->view, keys->window, 0, 0, &left, &top))
        return;
    if (x < left || y < top || x >= left + at.width || y >= top + at.height)
        turn(keys, false);
}

/* ---- making ---- */

struct keys *keys_new(struct app *app, GtkWidget *window, GtkWidget *view, const struct keys_hooks *hooks) {
    struct keys *keys = g_new0(struct keys, 1);
    keys->app = app;
    keys->hooks = *hooks;
    keys->window = window;
    keys->view = view;
    gtk_widget_set_can_focus(view, TRUE);
    gtk_widget_add_events(view, MOTION_MASK | GDK_POINTER_MOTION_MASK);
    g_signal_connect(window, "key-press-event", G_CALLBACK(on_key), keys);
    g_signal_connect(window, "key-release-event", G_CALLBACK(on_key), keys);
    g_signal_connect(view, "focus-out-event", G_CALLBACK(on_focus_out), keys);
    g_signal_connect(view, "grab-broken-event", G_CALLBACK(on_grab_broken), keys);
    g_signal_connect(view, "enter-notify-event", G_CALLBACK(on_crossing), keys);
    g_signal_connect(view, "leave-notify-event", G_CALLBACK(on_crossing), keys);
    g_signal_connect(view, "motion-notify-event", G_CALLBACK(on_motion), keys);
    g_signal_connect(view, "button-press-event", G_CALLBACK(on_press), keys);
    keys->presses = gtk_gesture_multi_press_new(window);
    gtk_gesture_single_set_button(GTK_GESTURE_SINGLE(keys->presses), 0);
    gtk_event_controller_set_propagation_phase(GTK_EVENT_CONTROLLER(keys->presses), GTK_PHASE_CAPTURE);
    g_signal_connect(keys->presses, "pressed", G_CALLBACK(on_any_press), keys);
    return keys;
}

void keys_free(struct keys *keys) {
    if (!keys)
        return;
    ungrab(keys);
    g_signal_handlers_disconnect_by_data(keys->window, keys);
    g_signal_handlers_disconnect_by_data(keys->view, keys);
    g_signal_handlers_disconnect_by_data(keys->presses, keys);
    g_object_unref(keys->presses);
    g_free(keys);
}

void keys_allow(struct keys *keys, bool is_allowed) {
    keys->is_allowed = is_allowed;
    if (!is_allowed)
        turn(keys, false);
}

void keys_suspend(struct keys *keys, bool is_suspended) {
    if (is_suspended && !keys->is_suspended)
        app_do(keys->app, OPERATOR_DO_RELEASE, 0);
    keys->is_suspended = is_suspended;
}

bool keys_is_on(const struct keys *keys) {
    return keys->is_on;
}
