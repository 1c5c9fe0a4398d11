#include "operator/present/cursor_private.h"

#include <stdlib.h>

enum { ROWS_AT_ONCE = 64 }; /* of PRESENT_SPRITE_MAX px: well below what every server takes in a request */

static bool is_argb(const xcb_render_pictforminfo_t *info) {
    const xcb_render_directformat_t *direct = &info->direct;
    return info->type == XCB_RENDER_PICT_TYPE_DIRECT && info->depth == 32 && direct->alpha_mask == 255 &&
           direct->red_mask == 255 && direct->green_mask == 255 && direct->blue_mask == 255 &&
           direct->alpha_shift == 24 && direct->red_shift == 16 && direct->green_shift == 8 &&
           direct->blue_shift == 0;
}

static xcb_render_pictformat_t find_argb(const xcb_render_query_pict_formats_reply_t *reply) {
    xcb_render_pictforminfo_iterator_t it = xcb_render_query_pict_formats_formats_iterator(reply);
    for (; it.rem; xcb_render_pictforminfo_next(&it))
        if (is_argb(it.data))
            return it.data->id;
    return 0;
}

xcb_render_pictformat_t present_cursor_format(xcb_connection_t *xcb) {
    xcb_render_pictformat_t format = 0;
    const xcb_query_extension_reply_t *extension = xcb_get_extension_data(xcb, &xcb_render_id);
    if (!extension || !extension->present)
        return 0;
    xcb_render_query_version_cookie_t ask_version = xcb_render_query_version(xcb, 0, 11);
    xcb_render_query_pict_formats_cookie_t ask_formats = xcb_render_query_pict_formats(xcb);
    xcb_render_query_version_reply_t *version = xcb_render_query_version_reply(xcb, ask_version, NULL);
    xcb_render_query_pict_formats_reply_t *formats =
        xcb_render_query_pict_formats_reply(xcb, ask_formats, NULL);
    if (version && formats && version->major_version * 1000 + version->minor_version >= 5)
        format = find_argb(formats);
    free(version);
    free(formats);
    return format;
}

xcb_cursor_t present_cursor_new(xcb_connection_t *xcb, xcb_window_t root, xcb_render_pictformat_t format,
                                const struct present_sprite *sprite) {
    if (format == 0 || sprite->width == 0)
        return 0;
    xcb_pixmap_t pixmap = xcb_generate_id(xcb);
    xcb_gcontext_t gc = xcb_generate_id(xcb);
    xcb_render_picture_t picture = xcb_generate_id(xcb);
    xcb_cursor_t cursor = xcb_generate_id(xcb);
    uint16_t width = (uint16_t)sprite->width, height = (uint16_t)sprite->height;

    xcb_create_pixmap(xcb, 32, pixmap, root, width, height);
    xcb_create_gc(xcb, gc, pixmap, 0, NULL);
    for (uint32_t y = 0; y < height; y += ROWS_AT_ONCE) {
        uint32_t rows = height - y < ROWS_AT_ONCE ? height - y : ROWS_AT_ONCE;
        const uint32_t *from = sprite->argb + (size_t)y * width;
        xcb_put_image(xcb, XCB_IMAGE_FORMAT_Z_PIXMAP, pixmap, gc, width, (uint16_t)rows, 0, (int16_t)y, 0, 32,
                      rows * width * (uint32_t)sizeof(*from), (const uint8_t *)from);
    }
    xcb_render_create_picture(xcb, picture, pixmap, format, 0, NULL);
    xcb_render_create_cursor(xcb, cursor, picture, (uint16_t)sprite->hot_x, (uint16_t)sprite->hot_y);
    xcb_render_free_picture(xcb, picture);
    xcb_free_gc(xcb, gc);
    xcb_free_pixmap(xcb, pixmap);
    return cursor;
}
