#include "operator/viewport.h"

#include "base/time.h"
#include "operator/present/surface.h"
#include "ui/look.h"
#include "wire/record.h"

#include <math.h>
#include <string.h>
#ifdef GDK_WINDOWING_X11
#include <gdk/gdkx.h>
#endif

enum {
    MOVE_US = 8000,      /* pointer motions go out at most this often */
    WHEEL_MAX = 32,      /* notches at once (client/input.h) */
    WHEEL_STEP_PX = 100, /* a notch that scrolls our own view */
    ZOOM_MAX = 4,
    BAR_PX = 24, /* GTK's: a scroll bar is at most so thick */
    EVENTS = GDK_POINTER_MOTION_MASK | GDK_BUTTON_PRESS_MASK | GDK_BUTTON_RELEASE_MASK | GDK_SCROLL_MASK |
             GDK_SMOOTH_SCROLL_MASK | GDK_ENTER_NOTIFY_MASK | GDK_LEAVE_NOTIFY_MASK,
};

struct viewport {
    struct app *app;
    GtkWidget *grid, *view, *across, *down; /* the picture and its scroll bars */
    GtkAdjustment *x_scroll, *y_scroll;
    bool is_scaled, may_point, is_x11;
    uint32_t remote_width, remote_height;
    struct operator_command placed; /* what was said last */
    unsigned buttons;
    int32_t x, y; /* of the pointer, device px */
    double wheel_x, wheel_y;
    uint64_t moved_us; /* when a motion went out */
    guint move_timer, bars_due;
};

/* ---- where the picture is ---- */

static bool is_same_place(const struct operator_command *a, const struct operator_command *b) {
    return a->window == b->window && a->width == b->width && a->height == b->height && a->is_on == b->is_on &&
           a->scroll_x == b->scroll_x && a->scroll_y == b->scroll_y && a->zoom == b->zoom;
}

/* The protocol thread has its own connection to the display: what it is told must be there already. */
static unsigned long window_id(struct viewport *viewport) {
    GdkWindow *window = gtk_widget_get_window(viewport->view);
    if (!window || !gtk_widget_get_mapped(viewport->view))
        return 0;
#ifdef GDK_WINDOWING_X11
    if (viewport->is_x11)
        return GDK_WINDOW_XID(window);
#endif
    return 1; /* a surface needs no name, only that it is there */
}

/* How many device px stand for one of an ordinary screen's here, along a side: GTK's scale, or Xft.dpi where
 * only that is set. */
static uint32_t density(struct viewport *viewport) {
    int scale = gtk_widget_get_scale_factor(viewport->view);
    double dpi = gdk_screen_get_resolution(gtk_widget_get_screen(viewport->view));
    double all = scale * (dpi > 0 ? dpi / 96 : 1);
    return all >= ZOOM_MAX ? ZOOM_MAX : all >= 2 ? (uint32_t)all : 1;
}

/* Is the customer's screen at least as large as the operator's monitor, px for px? */
static bool is_dense(struct viewport *viewport) {
    GdkWindow *window = gtk_widget_get_window(viewport->view);
    GdkDisplay *display = gtk_widget_get_display(viewport->view);
    GdkMonitor *monitor = window ? gdk_display_get_monitor_at_window(display, window) : NULL;
    GdkRectangle size;
    if (!monitor)
        return false;
    gdk_monitor_get_geometry(monitor, &size);
    int scale = gdk_monitor_get_scale_factor(monitor);
    return viewport->remote_width >= (uint32_t)(size.width * scale) &&
           viewport->remote_height >= (uint32_t)(size.height * scale);
}

/* 1:1 is as large as things are on the operator's own desktop, in whole px so that it stays sharp: on a dense
 * monitor each px is repeated, unless the customer's screen is as dense. */
static uint32_t zoom_of(struct viewport *viewport) {
    uint32_t zoom = density(viewport);
    return zoom > 1 && !is_dense(viewport) ? zoom : 1;
}

static void place(struct viewport *viewport) {
    struct operator_command command = {.kind = OPERATOR_DO_PLACE, .window = window_id(viewport)};
    if (command.window) {
        int scale = gtk_widget_get_scale_factor(viewport->view);
        command.width = (uint32_t)(gtk_widget_get_allocated_width(viewport->view) * scale);
        command.height = (uint32_t)(gtk_widget_get_allocated_height(viewport->view) * scale);
        command.is_on = viewport->is_scaled;
        command.scroll_x = (int32_t)lround(gtk_adjustment_get_value(viewport->x_scroll));
        command.scroll_y = (int32_t)lround(gtk_adjustment_get_value(viewport->y_scroll));
        command.zoom = zoom_of(viewport);
    }
    if (is_same_place(&command, &viewport->placed))
        return;
    if (command.window != viewport->placed.window || command.width != viewport->placed.width ||
        command.height != viewport->placed.height)
        gdk_display_sync(gtk_widget_get_display(viewport->view));
    viewport->placed = command;
    app_send(viewport->app, &command);
}

static void scroll_range(GtkAdjustment *adjustment, uint32_t remote, int page) {
    double upper = remote > (uint32_t)page ? (double)remote : (double)page;
    double value = gtk_adjustment_get_value(adjustment);
    if (value > upper - page)
        value = upper - page;
    gtk_adjustment_configure(adjustment, value, 0, upper, WHEEL_STEP_PX, page * 0.9, page);
}

static void set_scroll_ranges(struct viewport *viewport) {
    int scale = gtk_widget_get_scale_factor(viewport->view), zoom = (int)zoom_of(viewport);
    scroll_range(viewport->x_scroll, viewport->remote_width,
                 gtk_widget_get_allocated_width(viewport->view) * scale / zoom);
    scroll_range(viewport->y_scroll, viewport->remote_height,
                 gtk_widget_get_allocated_height(viewport->view) * scale / zoom);
}

/* Only those that are needed: in full screen at 1:1 a screen of the same size is seen whole. */
static gboolean on_bars_due(gpointer ctx) {
    struct viewport *viewport = ctx;
    int scale = gtk_widget_get_scale_factor(viewport->grid), zoom = (int)zoom_of(viewport);
    int width = gtk_widget_get_allocated_width(viewport->grid) * scale / zoom;
    int height = gtk_widget_get_allocated_height(viewport->grid) * scale / zoom;
    int bar = BAR_PX * scale / zoom;
    int remote_width = (int)viewport->remote_width, remote_height = (int)viewport->remote_height;
    bool is_wider = remote_width > width, is_higher = remote_height > height;
    bool has_across = is_wider || (is_higher && remote_width > width - bar);
    bool has_down = is_higher || (is_wider && remote_height > height - bar);
    viewport->bars_due = 0;
    gtk_widget_set_visible(viewport->across, !viewport->is_scaled && has_across);
    gtk_widget_set_visible(viewport->down, !viewport->is_scaled && has_down);
    return G_SOURCE_REMOVE;
}

static void stop_bars(struct viewport *viewport) {
    if (viewport->bars_due)
        g_source_remove(viewport->bars_due);
    viewport->bars_due = 0;
}

/* What changes the size is not to be done while sizes are being given. */
static void on_grid_size(GtkWidget *widget, GdkRectangle *allocation, gpointer ctx) {
    (void)widget;
    (void)allocation;
    struct viewport *viewport = ctx;
    if (!viewport->bars_due)
        viewport->bars_due = g_idle_add_full(GDK_PRIORITY_REDRAW - 1, on_bars_due, viewport, NULL);
}

static void on_size(GtkWidget *widget, GdkRectangle *allocation, gpointer ctx) {
    (void)widget;
    (void)allocation;
    struct viewport *viewport = ctx;
    set_scroll_ranges(viewport);
    place(viewport);
}

/* The customer's screen, or how it is to be shown, is another. */
static void refit(struct viewport *viewport) {
    set_scroll_ranges(viewport);
    stop_bars(viewport);
    on_bars_due(viewport);
    place(viewport);
}

static void on_scroll_bar(GtkAdjustment *adjustment, gpointer ctx) {
    (void)adjustment;
    place(ctx);
}

static void on_realize(GtkWidget *widget, gpointer ctx) {
    (void)ctx;
    GdkWindow *window = gtk_widget_get_window(widget);
    gdk_window_ensure_native(window);
    /* We thin out motions ourselves; GDK would hold each until the next picture of the window. */
    gdk_window_set_event_compression(window, FALSE);
}

static void on_map(GtkWidget *widget, gpointer ctx) {
    (void)widget;
    place(ctx);
}

/* ---- the pointer ---- */

static void stop_timer(struct viewport *viewport) {
    if (viewport->move_timer)
        g_source_remove(viewport->move_timer);
    viewport->move_timer = 0;
}

static void point(struct viewport *viewport, int32_t dx, int32_t dy) {
    struct operator_command command = {
        .kind = OPERATOR_DO_POINTER,
        .x = viewport->x,
        .y = viewport->y,
        .buttons = viewport->buttons,
        .dx = dx,
        .dy = dy,
    };
    stop_timer(viewport);
    viewport->moved_us = tas_mono_us();
    app_send(viewport->app, &command);
}

static gboolean on_move_due(gpointer ctx) {
    struct viewport *viewport = ctx;
    viewport->move_timer = 0;
    point(viewport, 0, 0);
    return G_SOURCE_REMOVE;
}

/* The first motion goes at once, and the last one always goes. */
static void point_soon(struct viewport *viewport) {
    uint64_t since = tas_mono_us() - viewport->moved_us;
    if (since >= MOVE_US)
        point(viewport, 0, 0);
    else if (!viewport->move_timer)
        viewport->move_timer = g_timeout_add((guint)((MOVE_US - since) / 1000 + 1), on_move_due, viewport);
}

static void note_position(struct viewport *viewport, double x, double y) {
    int scale = gtk_widget_get_scale_factor(viewport->view);
    viewport->x = (int32_t)floor(x * scale);
    viewport->y = (int32_t)floor(y * scale);
}

static gboolean on_motion(GtkWidget *widget, GdkEventMotion *event, gpointer ctx) {
    (void)widget;
    struct viewport *viewport = ctx;
    if (viewport->may_point) {
        note_position(viewport, event->x, event->y);
        point_soon(viewport);
    }
    return FALSE;
}

static unsigned bit_of(guint button) {
    return button >= 1 && button <= 3 ? 1u << (button - 1) : 0;
}

/* The press goes on to who minds the keys (keys.h). */
static gboolean on_button(GtkWidget *widget, GdkEventButton *event, gpointer ctx) {
    (void)widget;
    struct viewport *viewport = ctx;
    unsigned bit = bit_of(event->button);
    bool is_down = event->type == GDK_BUTTON_PRESS;
    if (!viewport->may_point || bit == 0 || (!is_down && event->type != GDK_BUTTON_RELEASE))
        return FALSE;
    if (viewport->move_timer)
        point(viewport, 0, 0); /* the way there counts, when something is dragged */
    note_position(viewport, event->x, event->y);
    viewport->buttons = is_down ? viewport->buttons | bit : viewport->buttons & ~bit;
    point(viewport, 0, 0);
    return FALSE;
}

/* Whole notches; what is left over of a touchpad's small steps waits for the next. */
static int32_t take_notches(double *wheel) {
    double whole = trunc(*wheel);
    *wheel -= whole;
    if (whole > WHEEL_MAX)
        whole = WHEEL_MAX;
    if (whole < -WHEEL_MAX)
        whole = -WHEEL_MAX;
    return (int32_t)whole;
}

static void wheel_delta(const GdkEventScroll *event, double *dx, double *dy) {
    *dx = event->direction == GDK_SCROLL_RIGHT ? 1 : event->direction == GDK_SCROLL_LEFT ? -1 : 0;
    *dy = event->direction == GDK_SCROLL_DOWN ? 1 : event->direction == GDK_SCROLL_UP ? -1 : 0;
    if (event->direction == GDK_SCROLL_SMOOTH) {
        *dx = event->delta_x;
        *dy = event->delta_y;
    }
}

static void scroll_by(GtkAdjustment *adjustment, double notches) {
    gtk_adjustment_set_value(adjustment, gtk_adjustment_get_value(adjustment) + notches * WHEEL_STEP_PX);
}

static gboolean on_wheel(GtkWidget *widget, GdkEventScroll *event, gpointer ctx) {
    (void)widget;
    struct viewport *viewport = ctx;
    double dx;
    double dy;
    wheel_delta(event, &dx, &dy);
    if (!viewport->may_point) {
        scroll_by(viewport->x_scroll, dx);
        scroll_by(viewport->y_scroll, dy);
        return TRUE;
    }
    viewport->wheel_x += dx;
    viewport->wheel_y += dy;
    int32_t right = take_notches(&viewport->wheel_x);
    int32_t down = take_notches(&viewport->wheel_y);
    note_position(viewport, event->x, event->y);
    if (right != 0 || down != 0)
        point(viewport, right, down);
    return TRUE;
}

/* ---- making ---- */

/* Nothing of ours under the present back end's window, and black before it is there. */
static gboolean on_draw(GtkWidget *widget, cairo_t *cr, gpointer ctx) {
    (void)widget;
    (void)ctx;
    cairo_set_source_rgb(cr, 0, 0, 0);
    cairo_paint(cr);
    return TRUE;
}

static GtkWidget *make_view(struct viewport *viewport) {
    if (app_surface(viewport->app))
        return present_surface_widget(app_surface(viewport->app));
    GtkWidget *view = gtk_drawing_area_new();
    gtk_widget_set_app_paintable(view, TRUE);
    g_signal_connect(view, "draw", G_CALLBACK(on_draw), viewport);
    g_signal_connect(view, "realize", G_CALLBACK(on_realize), viewport);
    return view;
}

static void connect_view(struct viewport *viewport) {
    GtkWidget *view = viewport->view;
    gtk_widget_add_events(view, EVENTS);
    gtk_widget_set_can_focus(view, TRUE);
    g_signal_connect_after(view, "size-allocate", G_CALLBACK(on_size), viewport);
    g_signal_connect_after(view, "map", G_CALLBACK(on_map), viewport);
    g_signal_connect_after(view, "unmap", G_CALLBACK(on_map), viewport);
    g_signal_connect(view, "motion-notify-event", G_CALLBACK(on_motion), viewport);
    g_signal_connect(view, "button-press-event", G_CALLBACK(on_button), viewport);
    g_signal_connect(view, "button-release-event", G_CALLBACK(on_button), viewport);
    g_signal_connect(view, "scroll-event", G_CALLBACK(on_wheel), viewport);
    ui_set_a11y(view, _("Customer's screen"), NULL);
}

static GtkWidget *scroll_bar(struct viewport *viewport, GtkOrientation orientation, GtkAdjustment **out) {
    GtkWidget *bar = gtk_scrollbar_new(orientation, NULL);
    *out = gtk_range_get_adjustment(GTK_RANGE(bar));
    g_signal_connect(*out, "value-changed", G_CALLBACK(on_scroll_bar), viewport);
    gtk_widget_set_no_show_all(bar, TRUE);
    return bar;
}

struct viewport *viewport_new(struct app *app) {
    struct viewport *viewport = g_new0(struct viewport, 1);
    viewport->app = app;
    viewport->is_scaled = true;
    viewport->is_x11 = !app_surface(app);
    viewport->grid = gtk_grid_new();
    viewport->view = make_view(viewport);
    viewport->across = scroll_bar(viewport, GTK_ORIENTATION_HORIZONTAL, &viewport->x_scroll);
    viewport->down = scroll_bar(viewport, GTK_ORIENTATION_VERTICAL, &viewport->y_scroll);
    ui_set_a11y(viewport->across, _("Scroll sideways"), NULL);
    ui_set_a11y(viewport->down, _("Scroll up and down"), NULL);
    gtk_widget_set_hexpand(viewport->view, TRUE);
    gtk_widget_set_vexpand(viewport->view, TRUE);
    gtk_grid_attach(GTK_GRID(viewport->grid), viewport->view, 0, 0, 1, 1);
    gtk_grid_attach(GTK_GRID(viewport->grid), viewport->down, 1, 0, 1, 1);
    gtk_grid_attach(GTK_GRID(viewport->grid), viewport->across, 0, 1, 1, 1);
    connect_view(viewport);
    g_signal_connect_after(viewport->grid, "size-allocate", G_CALLBACK(on_grid_size), viewport);
    return viewport;
}

void viewport_free(struct viewport *viewport) {
    if (!viewport)
        return;
    stop_timer(viewport);
    stop_bars(viewport);
    g_signal_handlers_disconnect_by_data(viewport->grid, viewport);
    g_signal_handlers_disconnect_by_data(viewport->view, viewport);
    g_signal_handlers_disconnect_by_data(viewport->x_scroll, viewport);
    g_signal_handlers_disconnect_by_data(viewport->y_scroll, viewport);
    if (viewport->placed.window) {
        struct operator_command gone = {.kind = OPERATOR_DO_PLACE};
        app_send(viewport->app, &gone);
    }
    /* A surface's widget is used again by the next session. */
    if (app_surface(viewport->app))
        gtk_container_remove(GTK_CONTAINER(viewport->grid), viewport->view);
    g_free(viewport);
}

GtkWidget *viewport_widget(struct viewport *viewport) {
    return viewport->grid;
}

GtkWidget *viewport_view(struct viewport *viewport) {
    return viewport->view;
}

void viewport_show(struct viewport *viewport, const struct operator_state *state) {
    bool may_point = state->phase == OPERATOR_ACTIVE && (state->rights & TAS_RIGHT_CONTROL) != 0 &&
                     !state->is_paused && !state->is_line_lost;
    if (!may_point) {
        viewport->buttons = 0;
        viewport->wheel_x = 0;
        viewport->wheel_y = 0;
        stop_timer(viewport);
    }
    viewport->may_point = may_point;
    if (state->width == viewport->remote_width && state->height == viewport->remote_height)
        return;
    viewport->remote_width = state->width;
    viewport->remote_height = state->height;
    refit(viewport);
}

void viewport_set_scaled(struct viewport *viewport, bool is_scaled) {
    viewport->is_scaled = is_scaled;
    refit(viewport);
}
