/* Draws one of the scenes on a display, with the strip that says which frame it is, and tells when it did.
 * Each frame is shown as a whole: the server is grabbed meanwhile, so that nobody reads half of it.
 *
 *   screen_load DISPLAY
 *
 * Commands, one a line:
 *   show SCENE   {"event":"shown","frame":N,"x":..,"y":..}: its first picture; where the strip is
 *   go MS        {"event":"rest","frames":[[N,µs],..]}: it moves for so long, and then stands still;
 *                when each frame was about to be shown
 * Keys that come in change the strip, and what the scene does with them, at any time. */
#include "base/time.h"
#include "display.h"
#include "draw.h"
#include "stage.h"
#include "strip.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { FRAMES_MAX = 1 << 16, COMMAND_MAX = 64 };

struct load {
    struct display display;
    struct image image;
    xcb_window_t window;
    xcb_gcontext_t gc;
    struct stage stage;
    const struct scene *scene; /* NULL: none yet */
    struct strip strip;

    bool is_going;
    uint64_t start_us, end_us;
    unsigned step;
    struct {
        unsigned frame;
        uint64_t us;
    } * drawn; /* since it goes */
    size_t n_drawn;
};

static void put(struct load *l, struct area area) {
    xcb_shm_put_image(l->display.xcb, l->window, l->gc, l->image.width, l->image.height, (uint16_t)area.x,
                      (uint16_t)area.y, (uint16_t)area.width, (uint16_t)area.height, (int16_t)area.x,
                      (int16_t)area.y, 24, XCB_IMAGE_FORMAT_Z_PIXMAP, 0, l->image.segment, 0);
}

/* Waits until the server has read the pixels. */
static void sync_display(struct load *l) {
    free(xcb_get_input_focus_reply(l->display.xcb, xcb_get_input_focus(l->display.xcb), NULL));
}

static void show_frame(struct load *l) {
    struct stage *stage = &l->stage;
    l->strip.frame = (l->strip.frame + 1) % STRIP_FRAMES;
    cairo_surface_flush(cairo_get_target(stage->cairo));
    strip_write(stage->px + stage->strip_y * stage->width + stage->strip_x, (size_t)stage->width, l->strip);
    stage_changed(stage, (struct area){stage->strip_x, stage->strip_y, STRIP_WIDTH, STRIP_HEIGHT});
    uint64_t now = tas_mono_us();
    xcb_grab_server(l->display.xcb);
    for (int i = 0; i < stage->n_changes; i++)
        put(l, stage->changes[i]);
    xcb_ungrab_server(l->display.xcb);
    sync_display(l);
    stage->n_changes = 0;
    if (l->is_going && l->n_drawn < FRAMES_MAX) {
        l->drawn[l->n_drawn].frame = l->strip.frame;
        l->drawn[l->n_drawn++].us = now;
    }
}

static void show_scene(struct load *l, const char *name) {
    l->scene = scene_find(name);
    if (!l->scene)
        fail("there is no such scene");
    l->is_going = false;
    l->scene->begin(&l->stage);
    stage_changed(&l->stage, (struct area){0, 0, l->stage.width, l->stage.height});
    show_frame(l);
    printf("{\"event\":\"shown\",\"frame\":%u,\"x\":%d,\"y\":%d}\n", l->strip.frame, l->stage.strip_x,
           l->stage.strip_y);
    fflush(stdout);
}

static void go(struct load *l, const char *ms) {
    l->start_us = tas_mono_us();
    l->end_us = l->start_us + strtoull(ms, NULL, 10) * 1000;
    l->step = 0;
    l->n_drawn = 0;
    l->is_going = true;
}

static void rest(struct load *l) {
    l->is_going = false;
    printf("{\"event\":\"rest\",\"frames\":[");
    for (size_t i = 0; i < l->n_drawn; i++)
        printf("%s[%u,%" PRIu64 "]", i ? "," : "", l->drawn[i].frame, l->drawn[i].us);
    printf("]}\n");
    fflush(stdout);
}

/* When the scene moves next. */
static uint64_t next_us(const struct load *l) {
    uint64_t next = l->scene->per_s ? l->start_us + l->step * UINT64_C(1000000) / l->scene->per_s : l->end_us;
    return next < l->end_us ? next : l->end_us;
}

/* What is late by more than a step is left out: never a burst. */
static void move(struct load *l) {
    uint64_t now = tas_mono_us();
    if (now < next_us(l))
        return;
    if (now >= l->end_us) {
        rest(l);
        return;
    }
    l->scene->step(&l->stage, l->step++);
    show_frame(l);
    while (next_us(l) < l->end_us && next_us(l) + 1000000 / l->scene->per_s < tas_mono_us())
        l->step++;
}

static void take_events(struct load *l) {
    xcb_generic_event_t *event;
    while ((event = xcb_poll_for_event(l->display.xcb))) {
        if ((event->response_type & 0x7f) == XCB_KEY_PRESS && l->scene) {
            l->strip.keys = (l->strip.keys + 1) % STRIP_KEYS;
            if (l->scene->key)
                l->scene->key(&l->stage);
            show_frame(l);
        }
        free(event);
    }
}

static bool take_command(struct load *l) {
    char line[COMMAND_MAX];
    if (!read_command(line, sizeof(line)))
        return false;
    if (strncmp(line, "show ", 5) == 0)
        show_scene(l, line + 5);
    else if (strncmp(line, "go ", 3) == 0 && l->scene)
        go(l, line + 3);
    else
        fail("no such command");
    return true;
}

/* A window over everything that takes the keys. */
static void open_window(struct load *l, const char *name) {
    l->display = display_open(name);
    struct display *d = &l->display;
    l->window = xcb_generate_id(d->xcb);
    l->gc = xcb_generate_id(d->xcb);
    const uint32_t values[] = {1, XCB_EVENT_MASK_KEY_PRESS | XCB_EVENT_MASK_STRUCTURE_NOTIFY};
    xcb_create_window(d->xcb, XCB_COPY_FROM_PARENT, l->window, d->screen->root, 0, 0, d->width, d->height, 0,
                      XCB_WINDOW_CLASS_INPUT_OUTPUT, XCB_COPY_FROM_PARENT,
                      XCB_CW_OVERRIDE_REDIRECT | XCB_CW_EVENT_MASK, values);
    xcb_create_gc(d->xcb, l->gc, l->window, 0, NULL);
    xcb_map_window(d->xcb, l->window);
    xcb_set_input_focus(d->xcb, XCB_INPUT_FOCUS_POINTER_ROOT, l->window, XCB_CURRENT_TIME);
    sync_display(l);
}

static void run(struct load *l) {
    struct pollfd fds[] = {{STDIN_FILENO, POLLIN, 0}, {xcb_get_file_descriptor(l->display.xcb), POLLIN, 0}};
    for (;;) {
        struct timespec wait = {0};
        take_events(l); /* some came with an answer */
        if (l->is_going)
            move(l);
        if (l->is_going) {
            uint64_t now = tas_mono_us(), next = next_us(l), us = next > now ? next - now : 0;
            wait = (struct timespec){(time_t)(us / 1000000), (long)(us % 1000000 * 1000)};
        }
        if (ppoll(fds, 2, l->is_going ? &wait : NULL, NULL) < 0)
            fail("poll");
        if (fds[0].revents && !take_command(l))
            return;
        if (xcb_connection_has_error(l->display.xcb))
            fail("the display is gone");
    }
}

int main(int argc, char **argv) {
    struct load l = {0};
    if (argc != 2)
        fail("screen_load DISPLAY");
    open_window(&l, argv[1]);
    l.image = image_new(&l.display, l.display.width, l.display.height);
    l.stage = (struct stage){.px = l.image.px, .width = l.image.width, .height = l.image.height};
    l.stage.cairo = draw_on(l.stage.px, l.stage.width, l.stage.height);
    l.drawn = calloc(FRAMES_MAX, sizeof(*l.drawn));
    if (!l.drawn || l.stage.width < 1640 || l.stage.height < 1070)
        fail("no memory, or a display smaller than 1640x1070");
    prctl(PR_SET_TIMERSLACK, 1000ul); /* ns */
    run(&l);
    return 0;
}
