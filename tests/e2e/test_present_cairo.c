/* present_cairo in a GTK window on a real X server, without a window manager; with GDK_SCALE=2 in the
 * environment the same at two device px a px. */
#include "operator/present/surface.h"
#include "present_host.h"

#include "base/time.h"
#include "operator/present/scale.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <xcb/xfixes.h>

#include <cmocka.h>

enum { WINDOW_WIDTH = 301, WINDOW_HEIGHT = 203 }; /* of GTK's px */

static struct server server; /* one for all: GTK has one display in its life */

/* A window at the screen's upper left corner that shows nothing but the view. */
struct scene {
    GtkWidget *window;
    struct present_surface *surface;
    struct host *host;
    int scale;
    uint32_t width, height; /* device px */
};

static void turn(void) {
    while (gtk_events_pending())
        gtk_main_iteration();
}

static gboolean on_map_event(GtkWidget *widget, GdkEvent *event, gpointer ctx) {
    (void)widget, (void)event;
    *(bool *)ctx = true;
    return FALSE;
}

static void open_scene(struct scene *scene) {
    char why[160] = "";
    bool is_mapped = false;
    *scene = (struct scene){.surface = present_surface_new(), .host = host_start()};
    assert_non_null(scene->surface);
    scene->window = gtk_window_new(GTK_WINDOW_POPUP);
    gtk_container_add(GTK_CONTAINER(scene->window), present_surface_widget(scene->surface));
    gtk_window_resize(GTK_WINDOW(scene->window), WINDOW_WIDTH, WINDOW_HEIGHT);
    g_signal_connect(scene->window, "map-event", G_CALLBACK(on_map_event), &is_mapped);
    gtk_widget_show_all(scene->window);
    while (!is_mapped)
        gtk_main_iteration();
    scene->scale = gtk_widget_get_scale_factor(scene->window);
    scene->width = WINDOW_WIDTH * (uint32_t)scene->scale;
    scene->height = WINDOW_HEIGHT * (uint32_t)scene->scale;
    assert_int_equal(host_open(scene->host, &present_cairo, NULL, scene->surface, why, sizeof(why)), TAS_OK);
}

static void close_scene(struct scene *scene) {
    host_stop(scene->host);
    present_surface_free(scene->surface);
    gtk_widget_destroy(scene->window);
    turn();
}

static struct present_fit fit_of(const struct scene *scene, const struct tas_picture *pic, bool is_scaled) {
    return (struct present_fit){scene->width, scene->height, pic->width, pic->height, is_scaled, 0, 0, 0};
}

static void place(struct scene *scene, const struct present_fit *fit) {
    assert_int_equal(host_place(scene->host, 1, 0, 0, fit), TAS_OK);
}

static void wait_shown(const struct present_fit *fit, const struct tas_picture *pic) {
    wait_for_picture(&server, 0, 0, fit, pic, turn);
}

static void show(struct scene *scene, const struct present_fit *fit, const struct tas_picture *pic) {
    place(scene, fit);
    assert_int_equal(host_picture(scene->host, pic, NULL), TAS_OK);
    wait_shown(fit, pic);
}

static void pictures_are_shown_whole_and_in_parts(void **state) {
    (void)state;
    struct scene scene;
    open_scene(&scene);
    struct tas_picture *pic = noise_picture(641, 479, 1);
    for (uint32_t i = 0; i < 6; i++) {
        struct present_fit fit = fit_of(&scene, pic, i % 2);
        fit.scroll_x = (int32_t)i * 31;
        fit.scroll_y = (int32_t)i * 17;
        show(&scene, &fit, pic);
        change_rect(scene.host, pic, (struct present_rect){99, 90, 150, 70}, i + 10);
        wait_shown(&fit, pic);
        change_rect(scene.host, pic, (struct present_rect){640, 0, 1, 479}, i + 20);
        change_rect(scene.host, pic, (struct present_rect){0, 400, 30, 3}, i + 30);
        wait_shown(&fit, pic);
    }
    tas_picture_free(pic);
    close_scene(&scene);
}

static void a_small_picture_has_margins(void **state) {
    (void)state;
    struct scene scene;
    open_scene(&scene);
    struct tas_picture *pic = noise_picture(101, 33, 1);
    for (int is_scaled = 0; is_scaled < 2; is_scaled++) {
        struct present_fit fit = fit_of(&scene, pic, is_scaled);
        show(&scene, &fit, pic);
    }
    tas_picture_free(pic);
    close_scene(&scene);
}

static void a_flood_of_changes_ends_with_the_last_picture(void **state) {
    (void)state;
    struct scene scene;
    open_scene(&scene);
    struct tas_picture *pic = noise_picture(800, 600, 1);
    struct present_fit fit = fit_of(&scene, pic, true);
    show(&scene, &fit, pic);
    for (uint32_t i = 0; i < 200; i++) {
        struct present_rect rect = {(int32_t)(i * 37 % 700), (int32_t)(i * 53 % 500), 90, 40};
        change_rect(scene.host, pic, rect, i);
        if (i % 5 == 0)
            turn();
    }
    wait_shown(&fit, pic);
    tas_picture_free(pic);
    close_scene(&scene);
}

struct drawn {
    double left, top, right, bottom;
    int count;
};

static gboolean on_draw(GtkWidget *widget, cairo_t *cr, gpointer ctx) {
    struct drawn *drawn = ctx;
    (void)widget;
    cairo_clip_extents(cr, &drawn->left, &drawn->top, &drawn->right, &drawn->bottom);
    drawn->count++;
    return FALSE;
}

static void only_what_has_changed_is_drawn(void **state) {
    (void)state;
    struct scene scene;
    struct drawn drawn = {0};
    open_scene(&scene);
    struct tas_picture *pic = noise_picture(scene.width, scene.height, 1);
    struct present_fit fit = fit_of(&scene, pic, false);
    show(&scene, &fit, pic);
    turn();
    g_signal_connect(present_surface_widget(scene.surface), "draw", G_CALLBACK(on_draw), &drawn);
    change_rect(scene.host, pic, (struct present_rect){70, 130, 5, 5}, 2);
    wait_shown(&fit, pic);
    assert_true(drawn.count > 0);
    double tile = 64.0 / scene.scale;
    assert_true(drawn.left == tile && drawn.right == 2 * tile && drawn.top == 2 * tile &&
                drawn.bottom == 3 * tile);
    g_signal_handlers_disconnect_by_data(present_surface_widget(scene.surface), &drawn);
    tas_picture_free(pic);
    close_scene(&scene);
}

static void a_view_of_another_size_than_the_window_is_shown_in_its_corner(void **state) {
    (void)state;
    struct scene scene;
    open_scene(&scene);
    struct tas_picture *pic = noise_picture(200, 100, 1);
    for (uint32_t i = 0; i < 2; i++) { /* smaller, then larger */
        struct present_fit fit = fit_of(&scene, pic, true);
        fit.width = i ? fit.width + 50 : 100;
        fit.height = i ? fit.height + 50 : 60;
        place(&scene, &fit);
        assert_int_equal(host_picture(scene.host, pic, NULL), TAS_OK);
        uint32_t *view = wanted_px(&fit, pic);
        struct present_fit window = fit_of(&scene, pic, true);
        uint32_t *wanted = calloc((size_t)window.width * window.height, sizeof(*wanted));
        for (uint32_t y = 0; y < window.height; y++)
            for (uint32_t x = 0; x < window.width; x++)
                wanted[y * window.width + x] =
                    x < fit.width && y < fit.height ? view[y * fit.width + x] : (uint32_t)PRESENT_MARGIN;
        wait_for_px(&server, 0, 0, &window, wanted, turn);
        free(view);
        free(wanted);
    }
    tas_picture_free(pic);
    close_scene(&scene);
}

static void wait_grey(const struct scene *scene) {
    struct present_fit fit = {scene->width, scene->height, 0, 0, false, 0, 0, 0};
    uint32_t *wanted = wanted_px(&fit, NULL);
    for (size_t i = 0; i < (size_t)fit.width * fit.height; i++)
        wanted[i] = PRESENT_MARGIN;
    wait_for_px(&server, 0, 0, &fit, wanted, turn);
    free(wanted);
}

static void no_window_shows_nothing_and_a_later_one_all_of_it(void **state) {
    (void)state;
    struct scene scene;
    open_scene(&scene);
    struct tas_picture *pic = noise_picture(300, 200, 1);
    struct present_fit fit = fit_of(&scene, pic, true);
    assert_int_equal(host_picture(scene.host, pic, NULL), TAS_OK);
    wait_grey(&scene);
    show(&scene, &fit, pic);
    assert_int_equal(host_place(scene.host, 0, 0, 0, &fit), TAS_OK);
    assert_int_equal(host_picture(scene.host, pic, NULL), TAS_OK);
    wait_grey(&scene);
    struct tas_tiles none;
    assert_int_equal(tas_tiles_init(&none, 300, 200), TAS_OK);
    place(&scene, &fit);
    assert_int_equal(host_picture(scene.host, pic, &none), TAS_OK); /* all of it is new, whatever is said */
    wait_shown(&fit, pic);
    assert_int_equal(host_picture(scene.host, NULL, NULL), TAS_OK);
    wait_shown(&fit, NULL);
    host_close(scene.host);
    wait_grey(&scene);
    tas_tiles_fini(&none);
    tas_picture_free(pic);
    close_scene(&scene);
}

/* ---- the pointer ---- */

static void his_pointer_is_shown_moves_and_goes(void **state) {
    (void)state;
    uint8_t rgba[8 * 8 * 4];
    struct scene scene;
    open_scene(&scene);
    struct tas_picture *pic = noise_picture(scene.width, scene.height, 1);
    struct present_fit fit = fit_of(&scene, pic, false);
    struct present_pointer pointer = {.is_shown = true, .serial = 1, .width = 8, .height = 8, .rgba = rgba};
    memset(rgba, 255, sizeof(rgba));
    show(&scene, &fit, pic);
    for (uint32_t i = 0; i < 10; i++) {
        pointer.x = i * 29 % (scene.width - 8);
        pointer.y = i * 41 % (scene.height - 8);
        assert_int_equal(host_pointer(scene.host, &pointer), TAS_OK);
        if (i % 2)
            change_rect(scene.host, pic, (struct present_rect){0, 0, 150, 200}, i);
        uint32_t *wanted = wanted_px(&fit, pic);
        for (uint32_t y = 0; y < 8; y++)
            for (uint32_t x = 0; x < 8; x++)
                wanted[(pointer.y + y) * fit.width + pointer.x + x] = 0xffffff;
        wait_for_px(&server, 0, 0, &fit, wanted, turn);
        free(wanted);
    }
    pointer.is_shown = false;
    assert_int_equal(host_pointer(scene.host, &pointer), TAS_OK);
    wait_shown(&fit, pic);
    tas_picture_free(pic);
    close_scene(&scene);
}

/* Until the server's pointer has this size and first px. */
static void wait_cursor(int width, int height, uint32_t argb) {
    uint64_t end = tas_mono_us() + GIVE_UP_MS * UINT64_C(1000);
    while (tas_mono_us() < end) {
        turn();
        xcb_xfixes_get_cursor_image_reply_t *reply =
            xcb_xfixes_get_cursor_image_reply(server.xcb, xcb_xfixes_get_cursor_image(server.xcb), NULL);
        assert_non_null(reply);
        bool is_it = reply->width == width && reply->height == height &&
                     xcb_xfixes_get_cursor_image_cursor_image(reply)[0] == argb;
        free(reply);
        if (is_it)
            return;
    }
    fail_msg("no cursor of %d x %d px", width, height);
}

static void our_pointer_is_the_widgets_cursor(void **state) {
    (void)state;
    uint8_t rgba[16 * 24 * 4];
    struct scene scene;
    open_scene(&scene);
    struct tas_picture *pic = noise_picture(scene.width, scene.height, 1);
    struct present_fit fit = fit_of(&scene, pic, true);
    struct present_pointer pointer = {
        .is_shown = true, .is_ours = true, .serial = 1, .width = 16, .height = 24, .hot_x = 4, .rgba = rgba};
    for (size_t i = 0; i < sizeof(rgba); i++)
        rgba[i] = i % 4 == 3 ? 255 : (uint8_t)(i % 4 * 50);
    free(xcb_xfixes_query_version_reply(server.xcb, xcb_xfixes_query_version(server.xcb, 4, 0), NULL));
    show(&scene, &fit, pic);
    xcb_warp_pointer(server.xcb, XCB_NONE, server.screen->root, 0, 0, 0, 0, 50, 50);
    assert_int_equal(host_pointer(scene.host, &pointer), TAS_OK);
    wait_cursor(16, 24, 0xff003264);
    wait_shown(&fit, pic);
    gtk_widget_hide(present_surface_widget(scene.surface)); /* a new GdkWindow has it too */
    gtk_widget_unrealize(present_surface_widget(scene.surface));
    gtk_widget_show(present_surface_widget(scene.surface));
    wait_cursor(16, 24, 0xff003264);
    pointer.is_shown = false;
    assert_int_equal(host_pointer(scene.host, &pointer), TAS_OK);
    int side = (5 + scene.scale - 1) / scene.scale * scene.scale; /* GDK knows whole px of its own only */
    wait_cursor(side, side, 0xff000000);
    tas_picture_free(pic);
    close_scene(&scene);
}

static void without_a_surface_this_way_is_absent(void **state) {
    (void)state;
    char why[160] = "";
    struct host *host = host_start();
    assert_int_equal(host_open(host, &present_cairo, NULL, NULL, why, sizeof(why)), TAS_E_ABSENT);
    assert_string_not_equal(why, "");
    host_stop(host);
    present_surface_free(NULL);
}

static int set_up(void **state) {
    (void)state;
    start_server(&server, "1000x700x24", NULL);
    setenv("DISPLAY", server.name, 1);
    setenv("GDK_BACKEND", "x11", 1);
    setenv("NO_AT_BRIDGE", "1", 1); /* no message bus here */
    return gtk_init_check(NULL, NULL) ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    stop_server(&server);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_are_shown_whole_and_in_parts),
        cmocka_unit_test(a_small_picture_has_margins),
        cmocka_unit_test(a_flood_of_changes_ends_with_the_last_picture),
        cmocka_unit_test(only_what_has_changed_is_drawn),
        cmocka_unit_test(a_view_of_another_size_than_the_window_is_shown_in_its_corner),
        cmocka_unit_test(no_window_shows_nothing_and_a_later_one_all_of_it),
        cmocka_unit_test(his_pointer_is_shown_moves_and_goes),
        cmocka_unit_test(our_pointer_is_the_widgets_cursor),
        cmocka_unit_test(without_a_surface_this_way_is_absent),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
