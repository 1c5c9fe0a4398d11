#include "display.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <unistd.h>

_Noreturn void fail(const char *why) {
    fprintf(stderr, "bench screen: %s\n", why);
    exit(1);
}

struct display display_open(const char *name) {
    struct display d = {0};
    d.xcb = xcb_connect(name, NULL);
    if (xcb_connection_has_error(d.xcb))
        fail("the display cannot be opened");
    d.screen = xcb_setup_roots_iterator(xcb_get_setup(d.xcb)).data;
    if (d.screen->root_depth != 24)
        fail("the display has not 24 bits");
    d.width = d.screen->width_in_pixels;
    d.height = d.screen->height_in_pixels;
    return d;
}

struct image image_new(const struct display *d, uint16_t width, uint16_t height) {
    struct image image = {.width = width, .height = height, .segment = xcb_generate_id(d->xcb)};
    int id = shmget(IPC_PRIVATE, (size_t)width * height * sizeof(*image.px), IPC_CREAT | 0600);
    if (id < 0)
        fail("no shared memory");
    image.px = shmat(id, NULL, 0);
    if (image.px == (void *)-1)
        fail("no shared memory");
    xcb_generic_error_t *error =
        xcb_request_check(d->xcb, xcb_shm_attach_checked(d->xcb, image.segment, (uint32_t)id, 0));
    shmctl(id, IPC_RMID, NULL);
    if (error)
        fail("the display takes no shared memory");
    return image;
}

void image_grab(const struct display *d, const struct image *image, int16_t x, int16_t y) {
    xcb_shm_get_image_cookie_t ask =
        xcb_shm_get_image(d->xcb, d->screen->root, x, y, image->width, image->height, UINT32_MAX,
                          XCB_IMAGE_FORMAT_Z_PIXMAP, image->segment, 0);
    xcb_shm_get_image_reply_t *reply = xcb_shm_get_image_reply(d->xcb, ask, NULL);
    if (!reply)
        fail("the display cannot be read");
    free(reply);
}

bool read_command(char *line, size_t cap) {
    size_t len = 0;
    while (len + 1 < cap) {
        if (read(STDIN_FILENO, line + len, 1) != 1)
            return false;
        if (line[len] == '\n')
            break;
        len++;
    }
    line[len] = '\0';
    return true;
}
