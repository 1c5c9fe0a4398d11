#include "operator/present/window_private.h"

#include "operator/present/scale.h"

#include <stdlib.h>

struct kind {
    xcb_visualid_t visual;
    uint8_t depth;
};

static bool has_our_layout(const xcb_setup_t *setup, uint8_t depth) {
    const uint16_t one = 1;
    bool is_host_msb_first = *(const uint8_t *)&one == 0;
    xcb_format_iterator_t it = xcb_setup_pixmap_formats_iterator(setup);
    for (; it.rem; xcb_format_next(&it))
        if (it.data->depth == depth)
            return it.data->bits_per_pixel == 32 && it.data->scanline_pad == 32 &&
                   (setup->image_byte_order == XCB_IMAGE_ORDER_MSB_FIRST) == is_host_msb_first;
    return false;
}

static bool is_ours(const xcb_setup_t *setup, const xcb_visualtype_t *visual, uint8_t depth) {
    return visual->_class == XCB_VISUAL_CLASS_TRUE_COLOR && visual->red_mask == 0xff0000 &&
           visual->green_mask == 0xff00 && visual->blue_mask == 0xff && (depth == 24 || depth == 32) &&
           has_our_layout(setup, depth);
}

/* False: the visual's pixels are not ours. */
static bool kind_of(xcb_connection_t *xcb, const xcb_screen_t *screen, xcb_visualid_t visual,
                    struct kind *out) {
    xcb_depth_iterator_t depth = xcb_screen_allowed_depths_iterator(screen);
    for (; depth.rem; xcb_depth_next(&depth)) {
        xcb_visualtype_iterator_t it = xcb_depth_visuals_iterator(depth.data);
        for (; it.rem; xcb_visualtype_next(&it)) {
            if (it.data->visual_id != visual)
                continue;
            *out = (struct kind){visual, depth.data->depth};
            return is_ours(xcb_get_setup(xcb), it.data, depth.data->depth);
        }
    }
    return false;
}

bool present_window_is_possible(xcb_connection_t *xcb, const xcb_screen_t *screen) {
    struct kind kind;
    return kind_of(xcb, screen, screen->root_visual, &kind);
}

/* The parent's kind if it suits, otherwise the root's. */
static int choose_kind(xcb_connection_t *xcb, const xcb_screen_t *screen, xcb_window_t parent,
                       struct kind *kind) {
    xcb_get_window_attributes_reply_t *reply =
        xcb_get_window_attributes_reply(xcb, xcb_get_window_attributes(xcb, parent), NULL);
    if (!reply)
        return TAS_E_ABSENT;
    bool is_found =
        kind_of(xcb, screen, reply->visual, kind) || kind_of(xcb, screen, screen->root_visual, kind);
    bool can_have_children = reply->_class == XCB_WINDOW_CLASS_INPUT_OUTPUT;
    free(reply);
    return is_found && can_have_children ? TAS_OK : TAS_E_ABSENT;
}

int present_window_open(struct present_window *window, xcb_connection_t *xcb, const xcb_screen_t *screen,
                        xcb_window_t parent, struct present_rect place) {
    struct kind kind;
    int err = choose_kind(xcb, screen, parent, &kind);
    if (err != TAS_OK)
        return err;
    *window = (struct present_window){
        .id = xcb_generate_id(xcb), .parent = parent, .depth = kind.depth, .place = place};
    window->colormap = xcb_generate_id(xcb);
    xcb_create_colormap(xcb, XCB_COLORMAP_ALLOC_NONE, window->colormap, screen->root, kind.visual);
    /* Colormap and border pixel must be given when depth or visual differ from the parent's. The old content
     * stays in place while a new size has not been drawn yet, and while the parent moves below it. */
    const uint32_t mask = XCB_CW_BACK_PIXEL | XCB_CW_BORDER_PIXEL | XCB_CW_BIT_GRAVITY | XCB_CW_WIN_GRAVITY |
                          XCB_CW_EVENT_MASK | XCB_CW_COLORMAP;
    const uint32_t values[] = {0xff000000 | PRESENT_MARGIN,
                               0,
                               XCB_GRAVITY_NORTH_WEST,
                               XCB_GRAVITY_STATIC,
                               XCB_EVENT_MASK_EXPOSURE | XCB_EVENT_MASK_STRUCTURE_NOTIFY,
                               window->colormap};
    xcb_void_cookie_t create = xcb_create_window_checked(
        xcb, kind.depth, window->id, parent, (int16_t)place.x, (int16_t)place.y, (uint16_t)place.width,
        (uint16_t)place.height, 0, XCB_WINDOW_CLASS_INPUT_OUTPUT, kind.visual, mask, values);
    xcb_map_window(xcb, window->id);
    xcb_generic_error_t *error = xcb_request_check(xcb, create);
    if (!error && !xcb_connection_has_error(xcb))
        return TAS_OK;
    free(error); /* the parent went away meanwhile */
    present_window_forget(window, xcb);
    return TAS_E_ABSENT;
}

void present_window_move(struct present_window *window, struct present_rect place) {
    const struct present_rect *old = &window->place;
    if (place.x == old->x && place.y == old->y && place.width == old->width && place.height == old->height)
        return;
    window->place = place;
    window->is_moved = true;
}

void present_window_settle(struct present_window *window, xcb_connection_t *xcb) {
    struct present_rect place = window->place;
    if (!window->is_moved)
        return;
    window->is_moved = false;
    const uint32_t values[] = {(uint32_t)place.x, (uint32_t)place.y, place.width, place.height};
    xcb_configure_window(xcb, window->id,
                         XCB_CONFIG_WINDOW_X | XCB_CONFIG_WINDOW_Y | XCB_CONFIG_WINDOW_WIDTH |
                             XCB_CONFIG_WINDOW_HEIGHT,
                         values);
}

void present_window_close(struct present_window *window, xcb_connection_t *xcb) {
    if (window->id)
        xcb_destroy_window(xcb, window->id);
    present_window_forget(window, xcb);
}

void present_window_forget(struct present_window *window, xcb_connection_t *xcb) {
    if (window->colormap)
        xcb_free_colormap(xcb, window->colormap);
    *window = (struct present_window){0};
}
