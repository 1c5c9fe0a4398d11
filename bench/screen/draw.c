#include "draw.h"

#include "display.h"

#include <pango/pangocairo.h>

cairo_t *draw_on(uint32_t *px, int width, int height) {
    cairo_surface_t *surface = cairo_image_surface_create_for_data((unsigned char *)px, CAIRO_FORMAT_RGB24,
                                                                   width, height, width * 4);
    cairo_t *cairo = cairo_create(surface);
    if (cairo_status(cairo) != CAIRO_STATUS_SUCCESS)
        fail("cairo has no memory");
    cairo_surface_destroy(surface);
    return cairo;
}

static void set_colour(cairo_t *cairo, uint32_t colour) {
    cairo_set_source_rgb(cairo, (colour >> 16 & 255) / 255.0, (colour >> 8 & 255) / 255.0,
                         (colour & 255) / 255.0);
}

void draw_box(cairo_t *cairo, int x, int y, int width, int height, uint32_t colour) {
    set_colour(cairo, colour);
    cairo_rectangle(cairo, x, y, width, height);
    cairo_fill(cairo);
}

int draw_text(cairo_t *cairo, const char *font, int x, int y, int width, uint32_t colour, const char *text,
              int *height) {
    PangoLayout *layout = pango_cairo_create_layout(cairo);
    PangoFontDescription *description = pango_font_description_from_string(font);
    int text_width, text_height;
    pango_layout_set_font_description(layout, description);
    pango_layout_set_text(layout, text, -1);
    if (width > 0) {
        pango_layout_set_width(layout, width * PANGO_SCALE);
        pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
    }
    set_colour(cairo, colour);
    cairo_move_to(cairo, x, y);
    pango_cairo_show_layout(cairo, layout);
    pango_layout_get_pixel_size(layout, &text_width, &text_height);
    if (height)
        *height = text_height;
    pango_font_description_free(description);
    g_object_unref(layout);
    return text_width;
}

void draw_window(cairo_t *cairo, int x, int y, int width, int height, const char *title) {
    draw_box(cairo, x, y, width, height, 0x8c8c96);
    draw_box(cairo, x + 1, y + 1, width - 2, DRAW_TITLE_HEIGHT - 1, 0xe4e6ec);
    draw_text(cairo, DRAW_SMALL, x + 12, y + 7, 0, 0x202028, title, NULL);
    for (int i = 0; i < 3; i++)
        draw_box(cairo, x + width - 28 - i * 26, y + 10, 11, 11, i == 0 ? 0xc05048 : 0x70747c);
    draw_box(cairo, x + 1, y + DRAW_TITLE_HEIGHT, width - 2, height - DRAW_TITLE_HEIGHT - 1, 0xffffff);
}

void draw_desktop(cairo_t *cairo, int width, int height) {
    static const char *const names[] = {"Documents", "写真", "Mail", "設定", "Reports"};
    cairo_pattern_t *sky = cairo_pattern_create_linear(0, 0, width, height);
    cairo_pattern_add_color_stop_rgb(sky, 0, 0.12, 0.25, 0.45);
    cairo_pattern_add_color_stop_rgb(sky, 1, 0.50, 0.68, 0.66);
    cairo_set_source(cairo, sky);
    cairo_paint(cairo);
    cairo_pattern_destroy(sky);
    draw_box(cairo, 0, height - 36, width, 36, 0x1e222a);
    draw_text(cairo, DRAW_SMALL, 16, height - 27, 0, 0xe0e4ea, "Start    Files    ブラウザー    Mail", NULL);
    for (int i = 0; i < 5; i++) {
        draw_box(cairo, 34, 40 + i * 104, 44, 44, 0x3868a8 + (uint32_t)i * 0x181408);
        draw_text(cairo, DRAW_SMALL, 26, 88 + i * 104, 0, 0xffffff, names[i], NULL);
    }
}
