/* What showing a change costs: bench_present prints one line of JSON for each way and each case, on an X
 * server in memory (Xvfb) with a view of 1920x1080. call_ms: the protocol thread is busy; seen_ms: until
 * another client reads the changed px from the screen, with two changes of thread and at least one round
 * trip. Medians. */
#include "operator/present/surface.h"
#include "present_host.h"

#include "base/time.h"

#include <stdio.h>
#include <stdlib.h>

enum { VIEW_WIDTH = 1920, VIEW_HEIGHT = 1080, ROUNDS = 101 };

struct view {
    struct server *server;
    struct host *host;
    const char *way;
    unsigned long window;
    void (*turn)(void);
};

struct test_case {
    const char *name;
    uint32_t width, height; /* of the picture; it is fitted into the view if that is another size */
    struct present_rect changed;
};

static const struct test_case cases[] = {
    {"small", 1920, 1080, {640, 512, 200, 40}},           {"whole", 1920, 1080, {0, 0, 1920, 1080}},
    {"small up 1.5", 1280, 720, {640, 512, 200, 40}},     {"whole up 1.5", 1280, 720, {0, 0, 1280, 720}},
    {"small down 2", 3840, 2160, {640, 512, 200, 40}},    {"whole down 2", 3840, 2160, {0, 0, 3840, 2160}},
    {"small down 1.33", 2560, 1440, {640, 512, 200, 40}}, {"whole down 1.33", 2560, 1440, {0, 0, 2560, 1440}},
};

static void turn_gtk(void) {
    while (gtk_events_pending())
        gtk_main_iteration();
}

static int by_value(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static double median_ms(uint64_t us[static ROUNDS]) {
    qsort(us, ROUNDS, sizeof(*us), by_value);
    return (double)us[ROUNDS / 2] / 1e3;
}

/* Changes the rectangle to one colour and waits until a px in its middle is seen to be of it. */
static void change(const struct view *v, struct tas_picture *pic, const struct test_case *c, uint32_t colour,
                   uint64_t *call_us, uint64_t *seen_us) {
    struct present_rect r = c->changed;
    struct tas_tiles tiles;
    struct present_fit fit = {VIEW_WIDTH, VIEW_HEIGHT, c->width, c->height, true, 0, 0, 0};
    struct present_fit one = {.width = 1, .height = 1};
    int32_t x = 0, y = 0;

    if (tas_tiles_init(&tiles, c->width, c->height) != TAS_OK)
        exit(1);
    for (uint32_t j = (uint32_t)r.y; j < (uint32_t)r.y + r.height; j++)
        for (uint32_t i = (uint32_t)r.x; i < (uint32_t)r.x + r.width; i++)
            pic->px[(size_t)j * pic->stride + i] = colour;
    tas_tiles_set_rect(&tiles, r.x, r.y, r.width, r.height);
    present_fit_to_local(&fit, (uint32_t)r.x + r.width / 2, (uint32_t)r.y + r.height / 2, &x, &y);
    uint64_t start = tas_mono_us();
    if (host_picture(v->host, pic, &tiles) != TAS_OK)
        exit(1);
    wait_for_px(v->server, (int16_t)x, (int16_t)y, &one, &colour, v->turn);
    *seen_us = tas_mono_us() - start;
    *call_us = host_call_us(v->host);
    tas_tiles_fini(&tiles);
}

static void measure(const struct view *v, const struct test_case *c) {
    uint64_t call_us[ROUNDS], seen_us[ROUNDS];
    struct tas_picture *pic = noise_picture(c->width, c->height, 1);
    struct present_fit fit = {VIEW_WIDTH, VIEW_HEIGHT, c->width, c->height, true, 0, 0, 0};
    if (host_place(v->host, v->window, 0, 0, &fit) != TAS_OK || host_picture(v->host, pic, NULL) != TAS_OK)
        exit(1);
    for (uint32_t i = 0; i < ROUNDS; i++)
        change(v, pic, c, (i + 1) * 0x020305, &call_us[i], &seen_us[i]);
    printf("{\"bench\":\"present\",\"way\":\"%s\",\"case\":\"%s\",\"call_ms\":%.3f,\"seen_ms\":%.3f}\n",
           v->way, c->name, median_ms(call_us), median_ms(seen_us));
    fflush(stdout);
    tas_picture_free(pic);
}

static void measure_all(struct view *v, const struct present_ops *ops, struct present_surface *surface) {
    char why[160] = "";
    v->host = host_start();
    if (host_open(v->host, ops, v->server->name, surface, why, sizeof(why)) != TAS_OK) {
        fprintf(stderr, "bench_present: %s: %s\n", v->way, why);
        exit(1);
    }
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        measure(v, &cases[i]);
    host_stop(v->host);
}

static unsigned long plain_window(struct server *s) {
    xcb_window_t window = xcb_generate_id(s->xcb);
    xcb_create_window(s->xcb, XCB_COPY_FROM_PARENT, window, s->screen->root, 0, 0, VIEW_WIDTH, VIEW_HEIGHT, 0,
                      XCB_WINDOW_CLASS_INPUT_OUTPUT, XCB_COPY_FROM_PARENT, 0, NULL);
    xcb_map_window(s->xcb, window);
    sync_server(s);
    return window;
}

static void measure_x11(const char *way, const char *const *server_arguments) {
    struct server server;
    start_server(&server, "1920x1080x24", server_arguments);
    struct view v = {.server = &server, .way = way, .window = plain_window(&server)};
    measure_all(&v, &present_x11, NULL);
    stop_server(&server);
}

static void measure_cairo(void) {
    struct server server;
    start_server(&server, "1920x1080x24", NULL);
    setenv("DISPLAY", server.name, 1);
    setenv("GDK_BACKEND", "x11", 1);
    setenv("NO_AT_BRIDGE", "1", 1);
    gtk_init(NULL, NULL);
    struct present_surface *surface = present_surface_new();
    GtkWidget *window = gtk_window_new(GTK_WINDOW_POPUP);
    gtk_container_add(GTK_CONTAINER(window), present_surface_widget(surface));
    gtk_window_resize(GTK_WINDOW(window), VIEW_WIDTH, VIEW_HEIGHT);
    gtk_widget_show_all(window);
    struct view v = {.server = &server, .way = "cairo", .window = 1, .turn = turn_gtk};
    measure_all(&v, &present_cairo, surface);
    present_surface_free(surface);
    gtk_widget_destroy(window);
    stop_server(&server);
}

int main(void) {
    measure_x11("x11", NULL);
    measure_x11("x11 without shared memory", (const char *const[]){"-extension", "MIT-SHM", NULL});
    measure_cairo();
    return 0;
}
