#include "operator/present/surface.h"

#include "base/wipe.h"
#include "operator/present/surface_private.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct cursor {
    uint32_t *argb; /* owned; NULL: none */
    uint32_t width, height, hot_x, hot_y;
};

struct present_surface {
    /* GTK's alone */
    GtkWidget *widget;
    GSource *news;

    pthread_mutex_t lock; /* guards all below */
    uint32_t *px;         /* owned; NULL: nothing is shown */
    uint32_t width, height;
    pixman_region32_t damage; /* drawn, and not told GTK */
    bool is_other;            /* everything may have changed */
    struct cursor cursor;
    bool is_cursor_new;
};

static void drop_px(struct present_surface *s) {
    if (s->px)
        tas_wipe(s->px, (size_t)s->width * s->height * sizeof(*s->px));
    free(s->px);
    s->px = NULL;
    s->width = s->height = 0;
}

static void drop_cursor(struct cursor *cursor) {
    if (cursor->argb)
        tas_wipe(cursor->argb, (size_t)cursor->width * cursor->height * sizeof(*cursor->argb));
    free(cursor->argb);
    *cursor = (struct cursor){0};
}

/* ---- protocol thread ---- */

/* Makes the GTK thread call on_news(). */
static void tell(struct present_surface *s) {
    g_source_set_ready_time(s->news, 0);
}

bool present_surface_begin(struct present_surface *s, uint32_t width, uint32_t height,
                           struct present_canvas *canvas) {
    pthread_mutex_lock(&s->lock);
    if (!s->px || s->width != width || s->height != height) {
        drop_px(s);
        s->px = calloc((size_t)width * height, sizeof(*s->px));
        s->is_other = true;
    }
    if (!s->px) {
        pthread_mutex_unlock(&s->lock);
        return false;
    }
    s->width = width;
    s->height = height;
    *canvas = (struct present_canvas){.px = s->px, .stride = width};
    return true;
}

void present_surface_end(struct present_surface *s, const pixman_region32_t *drawn) {
    present_region_join(&s->damage, drawn);
    pthread_mutex_unlock(&s->lock);
    tell(s);
}

void present_surface_clear(struct present_surface *s) {
    pthread_mutex_lock(&s->lock);
    drop_px(s);
    s->is_other = true;
    pthread_mutex_unlock(&s->lock);
    tell(s);
}

int present_surface_cursor(struct present_surface *s, const struct present_sprite *sprite) {
    struct cursor cursor = {0};
    if (sprite && sprite->width > 0) {
        size_t len = (size_t)sprite->width * sprite->height * sizeof(*sprite->argb);
        cursor = (struct cursor){malloc(len), sprite->width, sprite->height, sprite->hot_x, sprite->hot_y};
        if (!cursor.argb)
            return TAS_E_NOMEM;
        memcpy(cursor.argb, sprite->argb, len);
    }
    pthread_mutex_lock(&s->lock);
    drop_cursor(&s->cursor);
    s->cursor = cursor;
    s->is_cursor_new = true;
    pthread_mutex_unlock(&s->lock);
    tell(s);
    return TAS_OK;
}

/* ---- GTK thread ---- */

/* The widget's px that a part of the view lies on, if only partly. */
static void queue_draw(struct present_surface *s, struct present_rect rect) {
    int scale = gtk_widget_get_scale_factor(s->widget);
    int left = rect.x / scale, top = rect.y / scale;
    int right = (rect.x + (int)rect.width + scale - 1) / scale;
    int bottom = (rect.y + (int)rect.height + scale - 1) / scale;
    gtk_widget_queue_draw_area(s->widget, left, top, right - left, bottom - top);
}

/* With the lock held. */
static void take_damage(struct present_surface *s) {
    int n;
    const pixman_box32_t *boxes = pixman_region32_rectangles(&s->damage, &n);
    struct present_rect rect;
    if (s->is_other)
        gtk_widget_queue_draw(s->widget);
    for (int i = 0; i < n && !s->is_other; i++)
        if (present_box_clip(&rect, &boxes[i], s->width, s->height))
            queue_draw(s, rect);
    pixman_region32_clear(&s->damage);
    s->is_other = false;
}

/* The cursor with whole px of GDK's, which cuts what is beyond; NULL: no memory. */
static cairo_surface_t *padded_image(const struct cursor *cursor, int scale) {
    int width = ((int)cursor->width + scale - 1) / scale * scale;
    int height = ((int)cursor->height + scale - 1) / scale * scale;
    cairo_surface_t *padded = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, width, height);
    uint8_t *out = cairo_image_surface_get_data(padded);
    if (!out) {
        cairo_surface_destroy(padded);
        return NULL;
    }
    size_t stride = (size_t)cairo_image_surface_get_stride(padded),
           row = cursor->width * sizeof(*cursor->argb);
    cairo_surface_flush(padded);
    for (uint32_t y = 0; y < cursor->height; y++)
        memcpy(out + y * stride, cursor->argb + (size_t)y * cursor->width, row);
    cairo_surface_mark_dirty(padded);
    cairo_surface_set_device_scale(padded, scale, scale);
    return padded;
}

/* With the lock held. */
static void apply_cursor(struct present_surface *s) {
    GdkWindow *window = gtk_widget_get_window(s->widget);
    GdkCursor *cursor = NULL;
    int scale = gtk_widget_get_scale_factor(s->widget);

    if (!window)
        return;
    cairo_surface_t *image = s->cursor.argb ? padded_image(&s->cursor, scale) : NULL;
    if (image) {
        double hot_x = (double)s->cursor.hot_x / scale, hot_y = (double)s->cursor.hot_y / scale;
        cursor = gdk_cursor_new_from_surface(gdk_window_get_display(window), image, hot_x, hot_y);
        cairo_surface_destroy(image);
    }
    gdk_window_set_cursor(window, cursor);
    if (cursor)
        g_object_unref(cursor);
    s->is_cursor_new = false;
}

static gboolean on_news(gpointer ctx) {
    struct present_surface *s = ctx;
    pthread_mutex_lock(&s->lock);
    g_source_set_ready_time(s->news, -1); /* within the lock: what comes after it is told again */
    take_damage(s);
    if (s->is_cursor_new)
        apply_cursor(s);
    pthread_mutex_unlock(&s->lock);
    return G_SOURCE_CONTINUE;
}

static void on_realize(GtkWidget *widget, gpointer ctx) {
    struct present_surface *s = ctx;
    (void)widget;
    pthread_mutex_lock(&s->lock);
    apply_cursor(s);
    pthread_mutex_unlock(&s->lock);
}

static void paint(struct present_surface *s, cairo_t *cr) {
    int scale = gtk_widget_get_scale_factor(s->widget), stride = (int)(s->width * sizeof(*s->px));
    cairo_surface_t *image = cairo_image_surface_create_for_data((unsigned char *)s->px, CAIRO_FORMAT_RGB24,
                                                                 (int)s->width, (int)s->height, stride);
    if (cairo_surface_status(image) == CAIRO_STATUS_SUCCESS) {
        cairo_surface_set_device_scale(image, scale, scale);
        cairo_set_source_surface(cr, image, 0, 0);
        cairo_pattern_set_filter(cairo_get_source(cr), CAIRO_FILTER_NEAREST);
        cairo_paint(cr);
        cairo_set_source_rgb(cr, 0, 0, 0); /* cr may keep its source longer than the px live */
        cairo_surface_finish(image);
    }
    cairo_surface_destroy(image);
}

/* Whether the view covers the widget; it lags behind while a window is being resized. */
static bool covers(const struct present_surface *s) {
    int scale = gtk_widget_get_scale_factor(s->widget);
    return s->px && (int)s->width >= gtk_widget_get_allocated_width(s->widget) * scale &&
           (int)s->height >= gtk_widget_get_allocated_height(s->widget) * scale;
}

/* GTK has clipped to what must be drawn. */
static gboolean on_draw(GtkWidget *widget, cairo_t *cr, gpointer ctx) {
    struct present_surface *s = ctx;
    (void)widget;
    pthread_mutex_lock(&s->lock);
    if (!covers(s)) {
        const double margin = (PRESENT_MARGIN & 255) / 255.0; /* a grey */
        cairo_set_source_rgb(cr, margin, margin, margin);
        cairo_paint(cr);
    }
    if (s->px)
        paint(s, cr);
    pthread_mutex_unlock(&s->lock);
    return FALSE; /* others may draw over it */
}

static gboolean dispatch(GSource *source, GSourceFunc fn, gpointer ctx) {
    (void)source;
    return fn(ctx);
}

struct present_surface *present_surface_new(void) {
    static GSourceFuncs funcs = {.dispatch = dispatch};
    struct present_surface *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    pthread_mutex_init(&s->lock, NULL);
    pixman_region32_init(&s->damage);
    s->widget = g_object_ref_sink(gtk_drawing_area_new());
    g_signal_connect(s->widget, "draw", G_CALLBACK(on_draw), s);
    g_signal_connect(s->widget, "realize", G_CALLBACK(on_realize), s);
    s->news = g_source_new(&funcs, sizeof(GSource));
    g_source_set_callback(s->news, on_news, s, NULL);
    g_source_attach(s->news, NULL);
    return s;
}

GtkWidget *present_surface_widget(struct present_surface *s) {
    return s->widget;
}

void present_surface_free(struct present_surface *s) {
    if (!s)
        return;
    g_source_destroy(s->news);
    g_source_unref(s->news);
    g_signal_handlers_disconnect_by_data(s->widget, s);
    gtk_widget_queue_draw(s->widget);
    g_object_unref(s->widget);
    drop_px(s);
    drop_cursor(&s->cursor);
    pixman_region32_fini(&s->damage);
    pthread_mutex_destroy(&s->lock);
    free(s);
}
