/* present_x11 on real X servers: whatever is asked of it, the screen shows what scale.c says. */
#include "present_host.h"

#include "base/time.h"
#include "operator/present/scale.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <xcb/xfixes.h>

#include <cmocka.h>

enum {
    PARENT_X = 30, /* on the root window */
    PARENT_Y = 20,
    PARENT_WIDTH = 900,
    PARENT_HEIGHT = 640,
    VIEW_X = 11, /* in the parent */
    VIEW_Y = 7,
    SCREEN_X = PARENT_X + VIEW_X,
    SCREEN_Y = PARENT_Y + VIEW_Y,
};

/* A server, the window of a toolkit on it, and the view under test inside that. */
struct scene {
    struct server s;
    xcb_window_t parent;
    struct host *host;
};

static xcb_visualid_t visual_of_depth(const xcb_screen_t *screen, uint8_t depth) {
    xcb_depth_iterator_t it = xcb_screen_allowed_depths_iterator(screen);
    for (; it.rem; xcb_depth_next(&it)) {
        xcb_visualtype_iterator_t v = xcb_depth_visuals_iterator(it.data);
        for (; it.data->depth == depth && v.rem; xcb_visualtype_next(&v))
            if (v.data->_class == XCB_VISUAL_CLASS_TRUE_COLOR)
                return v.data->visual_id;
    }
    fail_msg("the server has no %u bits", depth);
    return 0;
}

static xcb_window_t new_parent(struct server *s, uint8_t depth) {
    xcb_window_t window = xcb_generate_id(s->xcb);
    xcb_visualid_t visual = visual_of_depth(s->screen, depth);
    xcb_colormap_t colormap = xcb_generate_id(s->xcb);
    xcb_create_colormap(s->xcb, XCB_COLORMAP_ALLOC_NONE, colormap, s->screen->root, visual);
    const uint32_t values[] = {0xff336699, 0, 1, XCB_EVENT_MASK_POINTER_MOTION, colormap};
    xcb_create_window(s->xcb, depth, window, s->screen->root, PARENT_X, PARENT_Y, PARENT_WIDTH, PARENT_HEIGHT,
                      0, XCB_WINDOW_CLASS_INPUT_OUTPUT, visual,
                      XCB_CW_BACK_PIXEL | XCB_CW_BORDER_PIXEL | XCB_CW_OVERRIDE_REDIRECT | XCB_CW_EVENT_MASK |
                          XCB_CW_COLORMAP,
                      values);
    xcb_map_window(s->xcb, window);
    sync_server(s);
    return window;
}

static void open_scene(struct scene *scene, uint8_t depth, const char *const *server_arguments) {
    char why[160] = "";
    *scene = (struct scene){0};
    start_server(&scene->s, "1000x700x24", server_arguments);
    scene->parent = new_parent(&scene->s, depth);
    scene->host = host_start();
    if (host_open(scene->host, &present_x11, scene->s.name, NULL, why, sizeof(why)) != TAS_OK)
        fail_msg("%s", why);
}

static void close_scene(struct scene *scene) {
    host_stop(scene->host);
    stop_server(&scene->s);
}

static struct present_fit fit_of(uint32_t width, uint32_t height, const struct tas_picture *pic,
                                 bool is_scaled) {
    return (struct present_fit){width, height, pic ? pic->width : 0, pic ? pic->height : 0, is_scaled, 0,
                                0,     0};
}

static void place(struct scene *scene, const struct present_fit *fit) {
    assert_int_equal(host_place(scene->host, scene->parent, VIEW_X, VIEW_Y, fit), TAS_OK);
}

static void wait_shown(struct scene *scene, const struct present_fit *fit, const struct tas_picture *pic) {
    wait_for_picture(&scene->s, SCREEN_X, SCREEN_Y, fit, pic, NULL);
}

/* Places, shows the whole picture, and waits until it is seen. */
static void show(struct scene *scene, const struct present_fit *fit, const struct tas_picture *pic) {
    place(scene, fit);
    assert_int_equal(host_picture(scene->host, pic, NULL), TAS_OK);
    wait_shown(scene, fit, pic);
}

/* ---- pictures ---- */

static void check_sizes(struct scene *scene) {
    struct tas_picture *pic = noise_picture(641, 479, 1);
    static const struct present_fit fits[] = {
        {641, 479, 641, 479, false, 0, 0, 0},    {801, 601, 641, 479, false, 0, 0, 0},
        {300, 201, 641, 479, false, 0, 0, 0},    {300, 201, 641, 479, false, 50, 99, 2},
        {300, 201, 641, 479, false, 999, -5, 0}, {640, 480, 641, 479, true, 0, 0, 0},
        {333, 222, 641, 479, true, 0, 0, 0},     {801, 601, 641, 479, true, 0, 0, 0},
        {1, 1, 641, 479, true, 0, 0, 0},         {7, 600, 641, 479, true, 0, 0, 0},
        {850, 3, 641, 479, false, 0, 0, 0},      {641, 479, 641, 479, true, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof(fits) / sizeof(*fits); i++) {
        show(scene, &fits[i], pic);
        change_rect(scene->host, pic, (struct present_rect){100, 90, 150, 70}, (uint32_t)i + 10);
        wait_shown(scene, &fits[i], pic);
        change_rect(scene->host, pic, (struct present_rect){640, 0, 1, 479}, (uint32_t)i + 30);
        wait_shown(scene, &fits[i], pic);
    }
    tas_picture_free(pic);
}

static void pictures_of_all_sizes_are_shown_whole_and_in_parts(void **state) {
    (void)state;
    for (uint8_t depth = 24; depth <= 32; depth = (uint8_t)(depth + 8)) {
        struct scene scene;
        open_scene(&scene, depth, NULL);
        check_sizes(&scene);
        close_scene(&scene);
    }
}

static void without_shared_memory_the_same_is_shown(void **state) {
    (void)state;
    struct scene scene;
    open_scene(&scene, 24, (const char *const[]){"-extension", "MIT-SHM", NULL});
    check_sizes(&scene);
    close_scene(&scene);
}

static void a_picture_of_another_size_than_was_said_is_shown_as_it_is(void **state) {
    (void)state;
    struct scene scene;
    open_scene(&scene, 24, NULL);
    struct tas_picture *pic = noise_picture(320, 200, 1);
    struct present_fit fit = fit_of(400, 300, pic, true);
    show(&scene, &fit, pic);
    struct tas_picture *other = noise_picture(200, 320, 2);
    struct tas_tiles tiles;
    assert_int_equal(tas_tiles_init(&tiles, 320, 200), TAS_OK);
    assert_int_equal(host_picture(scene.host, other, &tiles),
                     TAS_OK); /* the tiles say that nothing has changed */
    wait_shown(&scene, &fit, other);
    assert_int_equal(host_picture(scene.host, NULL, NULL), TAS_OK);
    wait_shown(&scene, &fit, NULL);
    assert_int_equal(host_picture(scene.host, pic, NULL), TAS_OK);
    wait_shown(&scene, &fit, pic);
    tas_tiles_fini(&tiles);
    tas_picture_free(pic);
    tas_picture_free(other);
    close_scene(&scene);
}

/* Faster than any server: most of it meets unfinished requests. */
static void flood(struct scene *scene, bool is_scaled) {
    struct tas_picture *pic = noise_picture(800, 600, 1);
    struct present_fit fit = fit_of(is_scaled ? 640 : 800, is_scaled ? 480 : 600, pic, is_scaled);
    show(scene, &fit, pic);
    for (uint32_t i = 0; i < 300; i++) {
        struct present_rect rect = {(int32_t)(i * 37 % 700), (int32_t)(i * 53 % 500), 100 + i % 90,
                                    10 + i * 7 % 400};
        if (i % 50 == 20)
            rect = (struct present_rect){0, 0, 800, 600};
        change_rect(scene->host, pic, rect, i);
    }
    wait_shown(scene, &fit, pic);
    xcb_unmap_window(scene->s.xcb, scene->parent); /* what it keeps for exposures must be all of it */
    xcb_map_window(scene->s.xcb, scene->parent);
    sync_server(&scene->s);
    wait_shown(scene, &fit, pic);
    tas_picture_free(pic);
}

static void a_flood_of_changes_ends_with_the_last_picture(void **state) {
    (void)state;
    struct scene scene;
    open_scene(&scene, 24, NULL);
    flood(&scene, false);
    flood(&scene, true);
    close_scene(&scene);
    open_scene(&scene, 32, (const char *const[]){"-extension", "MIT-SHM", NULL});
    flood(&scene, false);
    flood(&scene, true);
    close_scene(&scene);
}

/* ---- the window ---- */

static xcb_window_t child_of(struct scene *scene) {
    xcb_query_tree_reply_t *tree =
        xcb_query_tree_reply(scene->s.xcb, xcb_query_tree(scene->s.xcb, scene->parent), NULL);
    assert_non_null(tree);
    assert_int_equal(xcb_query_tree_children_length(tree), 1);
    xcb_window_t child = xcb_query_tree_children(tree)[0];
    free(tree);
    return child;
}

static void only_what_has_changed_is_sent(void **state) {
    (void)state;
    struct scene scene;
    open_scene(&scene, 24, NULL);
    struct tas_picture *pic = noise_picture(640, 480, 1);
    struct present_fit fit = fit_of(640, 480, pic, false);
    show(&scene, &fit, pic);

    /* Somebody scribbles on all of it; only changes are drawn over that. */
    const uint32_t red = 0xff0000;
    xcb_gcontext_t gc = xcb_generate_id(scene.s.xcb);
    xcb_create_gc(scene.s.xcb, gc, child_of(&scene), XCB_GC_FOREGROUND, &red);
    xcb_poly_fill_rectangle(scene.s.xcb, child_of(&scene), gc, 1, &(xcb_rectangle_t){0, 0, 640, 480});
    sync_server(&scene.s);
    change_rect(scene.host, pic, (struct present_rect){130, 70, 20, 20}, 2);
    change_rect(scene.host, pic, (struct present_rect){600, 400, 40, 20}, 3);
    uint32_t *wanted = wanted_px(&fit, pic);
    for (uint32_t y = 0; y < 480; y++)
        for (uint32_t x = 0; x < 640; x++)
            if (!((x / 64 == 2 && y / 64 == 1) || (x / 64 == 9 && y / 64 == 6)))
                wanted[y * 640 + x] = red;
    wait_for_px(&scene.s, SCREEN_X, SCREEN_Y, &fit, wanted, NULL);
    free(wanted);
    tas_picture_free(pic);
    close_scene(&scene);
}

static void what_another_window_covered_is_shown_again(void **state) {
    (void)state;
    struct scene scene;
    open_scene(&scene, 24, NULL);
    struct tas_picture *pic = noise_picture(640, 480, 1);
    struct present_fit fit = fit_of(500, 400, pic, true);
    show(&scene, &fit, pic);
    for (int i = 0; i < 3; i++) {
        xcb_window_t cover = xcb_generate_id(scene.s.xcb);
        const uint32_t values[] = {0x00ff00, 1};
        xcb_create_window(scene.s.xcb, XCB_COPY_FROM_PARENT, cover, scene.s.screen->root, (int16_t)(100 * i),
                          50, 400, 300, 0, XCB_WINDOW_CLASS_INPUT_OUTPUT, XCB_COPY_FROM_PARENT,
                          XCB_CW_BACK_PIXEL | XCB_CW_OVERRIDE_REDIRECT, values);
        xcb_map_window(scene.s.xcb, cover);
        sync_server(&scene.s);
        change_rect(scene.host, pic, (struct present_rect){60, 60, 300, 200}, (uint32_t)i); /* behind it */
        assert_int_not_equal(
            differing_px(&scene.s, 100, 50, &(struct present_fit){.width = 1, .height = 1}, &(uint32_t){0}),
            0);
        xcb_destroy_window(scene.s.xcb, cover);
        sync_server(&scene.s);
        wait_shown(&scene, &fit, pic);
    }
    xcb_unmap_window(scene.s.xcb, scene.parent);
    sync_server(&scene.s);
    change_rect(scene.host, pic, (struct present_rect){0, 0, 640, 480}, 99);
    xcb_map_window(scene.s.xcb, scene.parent);
    wait_shown(&scene, &fit, pic);
    tas_picture_free(pic);
    close_scene(&scene);
}

static void it_follows_as_the_view_is_moved_and_resized(void **state) {
    (void)state;
    struct scene scene;
    open_scene(&scene, 32, NULL);
    struct tas_picture *pic = noise_picture(640, 480, 1);
    for (uint32_t i = 0; i < 40; i++) { /* without waiting in between, as when an edge is dragged */
        struct present_fit fit = fit_of(100 + 17 * i, 80 + 13 * i, pic, i % 3 != 0);
        place(&scene, &fit);
        assert_int_equal(host_picture(scene.host, pic, NULL), TAS_OK);
        if (i % 8 == 7)
            wait_shown(&scene, &fit, pic);
    }
    struct present_fit fit = fit_of(300, 200, pic, true);
    show(&scene, &fit, pic);
    xcb_window_t child = child_of(&scene);
    assert_int_equal(host_place(scene.host, scene.parent, 200, 100, &fit),
                     TAS_OK); /* only moved: keeps its px */
    wait_for_picture(&scene.s, PARENT_X + 200, PARENT_Y + 100, &fit, pic, NULL);
    assert_int_equal(child_of(&scene), child);
    tas_picture_free(pic);
    close_scene(&scene);
}

/* A bar above the view goes: the toolkit moves and stretches the window around it, and later says so. Until
 * the new picture is there the old one stays where it was, with not a frame of it elsewhere. */
static void the_old_picture_stays_until_the_new_one_is_there(void **state) {
    (void)state;
    enum { BAR = 15 };
    struct scene scene;
    open_scene(&scene, 24, NULL);
    struct tas_picture *pic = noise_picture(300, 200, 1);
    struct present_fit fit = fit_of(300, 200, pic, true);
    struct present_fit higher = fit_of(300, 200 + BAR, pic, true);
    show(&scene, &fit, pic);
    uint32_t *old = wanted_px(&fit, pic);
    const uint32_t values[] = {PARENT_Y - BAR, PARENT_HEIGHT + BAR};
    xcb_configure_window(scene.s.xcb, scene.parent, XCB_CONFIG_WINDOW_Y | XCB_CONFIG_WINDOW_HEIGHT, values);
    sync_server(&scene.s);
    assert_int_equal(differing_px(&scene.s, SCREEN_X, SCREEN_Y, &fit, old), 0);
    place(&scene, &higher);
    sync_server(&scene.s);
    assert_int_equal(differing_px(&scene.s, SCREEN_X, SCREEN_Y, &fit, old), 0);
    assert_int_equal(host_picture(scene.host, pic, NULL), TAS_OK);
    wait_for_picture(&scene.s, SCREEN_X, SCREEN_Y - BAR, &higher, pic, NULL);
    free(old);
    tas_picture_free(pic);
    close_scene(&scene);
}

static void no_window_shows_nothing_and_is_no_error(void **state) {
    (void)state;
    struct scene scene;
    open_scene(&scene, 24, NULL);
    struct tas_picture *pic = noise_picture(100, 100, 1);
    struct present_fit fit = fit_of(100, 100, pic, false);
    struct present_pointer pointer = {.x = 5};
    assert_int_equal(host_picture(scene.host, pic, NULL), TAS_OK); /* not placed yet */
    assert_int_equal(host_pointer(scene.host, &pointer), TAS_OK);
    show(&scene, &fit, pic);
    assert_int_equal(host_place(scene.host, 0, 0, 0, &fit), TAS_OK);
    assert_int_equal(host_picture(scene.host, pic, NULL), TAS_OK);
    uint32_t *wanted = wanted_px(&fit, NULL);
    for (size_t i = 0; i < 10000; i++)
        wanted[i] = 0x336699; /* the parent's */
    wait_for_px(&scene.s, SCREEN_X, SCREEN_Y, &fit, wanted, NULL);
    free(wanted);
    fit.width = 0;
    place(&scene, &fit);
    fit.width = 100;
    show(&scene, &fit, pic);
    fit.width = TAS_PICTURE_MAX + 1;
    assert_int_equal(host_place(scene.host, scene.parent, 0, 0, &fit), TAS_E_LIMIT);
    tas_picture_free(pic);
    close_scene(&scene);
}

static void a_parent_that_is_gone_is_told_and_another_one_serves(void **state) {
    (void)state;
    struct scene scene;
    open_scene(&scene, 32, NULL);
    struct tas_picture *pic = noise_picture(600, 400, 1);
    struct present_fit fit = fit_of(600, 400, pic, false);
    for (int i = 0; i < 6; i++) {
        show(&scene, &fit, pic);
        xcb_window_t gone = scene.parent;
        xcb_destroy_window(scene.s.xcb, gone);
        if (i % 2)
            sync_server(&scene.s); /* or in the midst of the next calls */
        else
            xcb_flush(scene.s.xcb);
        int err = TAS_OK;
        uint64_t end = tas_mono_us() + GIVE_UP_MS * UINT64_C(1000);
        while (err == TAS_OK && tas_mono_us() < end)
            err = host_picture(scene.host, pic, NULL);
        assert_int_equal(err, TAS_E_ABSENT);
        struct present_pointer pointer = {.is_ours = true};
        assert_int_equal(host_pointer(scene.host, &pointer), TAS_E_ABSENT);
        assert_int_equal(host_place(scene.host, gone, VIEW_X, VIEW_Y, &fit), TAS_E_ABSENT);
        assert_int_equal(host_picture(scene.host, pic, NULL), TAS_E_ABSENT);
        scene.parent = new_parent(&scene.s, i % 3 ? 24 : 32);
    }
    show(&scene, &fit, pic);
    tas_picture_free(pic);
    close_scene(&scene);
}

static void pointer_motion_goes_to_the_parent(void **state) {
    (void)state;
    struct scene scene;
    open_scene(&scene, 24, NULL);
    struct tas_picture *pic = noise_picture(300, 300, 1);
    struct present_fit fit = fit_of(300, 300, pic, false);
    show(&scene, &fit, pic);
    xcb_warp_pointer(scene.s.xcb, XCB_NONE, scene.s.screen->root, 0, 0, 0, 0, SCREEN_X + 20, SCREEN_Y + 30);
    xcb_flush(scene.s.xcb);
    xcb_generic_event_t *event;
    bool has_come = false;
    while (!has_come && (event = xcb_wait_for_event(scene.s.xcb))) {
        const xcb_motion_notify_event_t *motion = (const xcb_motion_notify_event_t *)event;
        if ((event->response_type & 0x7f) == XCB_MOTION_NOTIFY) {
            assert_int_equal(motion->event, scene.parent);
            assert_int_equal(motion->event_x, VIEW_X + 20);
            assert_int_equal(motion->event_y, VIEW_Y + 30);
            has_come = true;
        }
        free(event);
    }
    assert_true(has_come);
    tas_picture_free(pic);
    close_scene(&scene);
}

/* ---- the pointer ---- */

static struct present_pointer pointer_of(uint8_t rgba[static 12 * 10 * 4]) {
    for (size_t i = 0; i < (size_t)12 * 10; i++) {
        bool is_opaque = i % 3 != 0;
        const uint8_t px[4] = {(uint8_t)(i * 2 * is_opaque), (uint8_t)(200 * is_opaque),
                               (uint8_t)(7 * is_opaque), (uint8_t)(255 * is_opaque)};
        memcpy(rgba + i * 4, px, 4);
    }
    return (struct present_pointer){
        .is_shown = true, .serial = 1, .width = 12, .height = 10, .hot_x = 3, .hot_y = 2, .rgba = rgba};
}

static void wait_with_pointer(struct scene *scene, const struct present_fit *fit,
                              const struct tas_picture *pic, const struct present_pointer *pointer) {
    uint32_t *wanted = wanted_px(fit, pic);
    for (uint32_t y = 0; y < pointer->height; y++)
        for (uint32_t x = 0; x < pointer->width; x++) {
            const uint8_t *px = pointer->rgba + (y * pointer->width + x) * 4;
            uint32_t at_x = pointer->x - pointer->hot_x + x, at_y = pointer->y - pointer->hot_y + y;
            if (px[3] && at_x < fit->width && at_y < fit->height)
                wanted[at_y * fit->width + at_x] = (uint32_t)px[0] << 16 | (uint32_t)px[1] << 8 | px[2];
        }
    wait_for_px(&scene->s, SCREEN_X, SCREEN_Y, fit, wanted, NULL);
    free(wanted);
}

static void his_pointer_is_shown_moves_and_goes(void **state) {
    (void)state;
    uint8_t rgba[12 * 10 * 4];
    struct scene scene;
    open_scene(&scene, 32, NULL);
    struct tas_picture *pic = noise_picture(400, 300, 1);
    struct present_fit fit = fit_of(400, 300, pic, false);
    struct present_pointer pointer = pointer_of(rgba);
    show(&scene, &fit, pic);
    for (uint32_t i = 0; i < 30; i++) {
        pointer.x = i * 97 % 400;
        pointer.y = i * 59 % 300;
        assert_int_equal(host_pointer(scene.host, &pointer), TAS_OK);
        if (i % 2)
            change_rect(scene.host, pic, (struct present_rect){(int32_t)pointer.x & ~31, 0, 70, 300}, i);
        wait_with_pointer(&scene, &fit, pic, &pointer);
    }
    pointer.is_shown = false;
    assert_int_equal(host_pointer(scene.host, &pointer), TAS_OK);
    wait_shown(&scene, &fit, pic);
    tas_picture_free(pic);
    close_scene(&scene);
}

/* The image at the server's pointer, as soon as it is `width` px wide. Freed by the caller. */
static xcb_xfixes_get_cursor_image_reply_t *wait_cursor(struct server *s, uint16_t width) {
    uint64_t end = tas_mono_us() + GIVE_UP_MS * UINT64_C(1000);
    while (tas_mono_us() < end) {
        xcb_xfixes_get_cursor_image_reply_t *reply =
            xcb_xfixes_get_cursor_image_reply(s->xcb, xcb_xfixes_get_cursor_image(s->xcb), NULL);
        assert_non_null(reply);
        if (reply->width == width)
            return reply;
        free(reply);
    }
    fail_msg("no cursor of %u px", width);
    return NULL;
}

static void our_pointer_is_the_windows_cursor(void **state) {
    (void)state;
    uint8_t rgba[12 * 10 * 4];
    struct scene scene;
    open_scene(&scene, 32, NULL);
    struct server *s = &scene.s;
    free(xcb_xfixes_query_version_reply(s->xcb, xcb_xfixes_query_version(s->xcb, 4, 0), NULL));
    struct tas_picture *pic = noise_picture(400, 300, 1);
    struct present_fit fit = fit_of(400, 300, pic, true);
    struct present_pointer pointer = pointer_of(rgba);
    show(&scene, &fit, pic);
    xcb_warp_pointer(s->xcb, XCB_NONE, s->screen->root, 0, 0, 0, 0, SCREEN_X + 20, SCREEN_Y + 30);
    pointer.is_ours = true;
    assert_int_equal(host_pointer(scene.host, &pointer), TAS_OK);
    xcb_xfixes_get_cursor_image_reply_t *image = wait_cursor(s, 12);
    const uint32_t *argb = xcb_xfixes_get_cursor_image_cursor_image(image);
    assert_true(image->height == 10 && image->xhot == 3 && image->yhot == 2);
    for (size_t i = 0; i < (size_t)12 * 10; i++)
        assert_int_equal(argb[i], (uint32_t)rgba[i * 4 + 3] << 24 | (uint32_t)rgba[i * 4] << 16 |
                                      (uint32_t)rgba[i * 4 + 1] << 8 | rgba[i * 4 + 2]);
    free(image);
    wait_shown(&scene, &fit, pic); /* and not in the picture */

    struct present_fit twice = fit_of(800, 600, pic, true);
    show(&scene, &twice, pic);
    image = wait_cursor(s, 24);
    assert_true(image->height == 20 && image->xhot == 7 && image->yhot == 5);
    free(image);

    pointer.is_shown = false;
    assert_int_equal(host_pointer(scene.host, &pointer), TAS_OK);
    free(wait_cursor(s, 5)); /* the dot */
    pointer.is_shown = true;
    assert_int_equal(host_pointer(scene.host, &pointer), TAS_OK);
    free(wait_cursor(s, 24));
    pointer.is_ours = false;
    pointer.is_shown = false;
    assert_int_equal(host_pointer(scene.host, &pointer), TAS_OK);
    image = wait_cursor(s, 16); /* the server's own */
    free(image);
    tas_picture_free(pic);
    close_scene(&scene);
}

/* ---- displays ---- */

static void assert_absent(const char *display) {
    char why[160] = "";
    struct host *host = host_start();
    assert_int_equal(host_open(host, &present_x11, display, NULL, why, sizeof(why)), TAS_E_ABSENT);
    assert_true(strlen(why) > 20 && strlen(why) < sizeof(why) - 1);
    host_stop(host);
}

static void displays_that_do_not_suit_are_absent_and_say_why(void **state) {
    (void)state;
    struct server s;
    assert_absent("nonsense");
    assert_absent(":65000");
    start_server(&s, "1000x700x16", NULL);
    assert_absent(s.name);
    stop_server(&s);
}

static void without_render_there_is_no_cursor_but_all_else(void **state) {
    (void)state;
    uint8_t rgba[12 * 10 * 4];
    struct scene scene;
    open_scene(&scene, 24, (const char *const[]){"-extension", "RENDER", NULL});
    struct tas_picture *pic = noise_picture(300, 200, 1);
    struct present_fit fit = fit_of(300, 200, pic, false);
    struct present_pointer pointer = pointer_of(rgba);
    pointer.is_ours = true;
    show(&scene, &fit, pic);
    assert_int_equal(host_pointer(scene.host, &pointer), TAS_OK);
    pointer.is_ours = false;
    pointer.x = pointer.y = 50;
    assert_int_equal(host_pointer(scene.host, &pointer), TAS_OK);
    wait_with_pointer(&scene, &fit, pic, &pointer);
    tas_picture_free(pic);
    close_scene(&scene);
}

static void a_killed_server_is_absent_and_nothing_crashes(void **state) {
    (void)state;
    for (int way = 0; way < 4; way++) {
        struct scene scene;
        open_scene(&scene, 24, NULL);
        struct tas_picture *pic = noise_picture(300, 300, 1);
        struct present_fit fit = fit_of(300, 300, pic, false);
        struct present_pointer pointer = {.is_ours = true};
        if (way != 3)
            show(&scene, &fit, pic);
        kill_server(&scene.s);
        if (way == 0)
            assert_int_equal(host_picture(scene.host, pic, NULL), TAS_E_ABSENT);
        if (way == 1)
            assert_int_equal(host_pointer(scene.host, &pointer), TAS_E_ABSENT);
        assert_int_equal(host_place(scene.host, scene.parent, 0, 0, &fit), TAS_E_ABSENT);
        assert_int_equal(host_picture(scene.host, pic, NULL), TAS_E_ABSENT);
        tas_picture_free(pic);
        close_scene(&scene);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_of_all_sizes_are_shown_whole_and_in_parts),
        cmocka_unit_test(without_shared_memory_the_same_is_shown),
        cmocka_unit_test(a_picture_of_another_size_than_was_said_is_shown_as_it_is),
        cmocka_unit_test(a_flood_of_changes_ends_with_the_last_picture),
        cmocka_unit_test(only_what_has_changed_is_sent),
        cmocka_unit_test(what_another_window_covered_is_shown_again),
        cmocka_unit_test(it_follows_as_the_view_is_moved_and_resized),
        cmocka_unit_test(the_old_picture_stays_until_the_new_one_is_there),
        cmocka_unit_test(no_window_shows_nothing_and_is_no_error),
        cmocka_unit_test(a_parent_that_is_gone_is_told_and_another_one_serves),
        cmocka_unit_test(pointer_motion_goes_to_the_parent),
        cmocka_unit_test(his_pointer_is_shown_moves_and_goes),
        cmocka_unit_test(our_pointer_is_the_windows_cursor),
        cmocka_unit_test(displays_that_do_not_suit_are_absent_and_say_why),
        cmocka_unit_test(without_render_there_is_no_cursor_but_all_else),
        cmocka_unit_test(a_killed_server_is_absent_and_nothing_crashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
