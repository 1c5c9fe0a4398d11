#include "client/x11/grab_private.h"

#include "base/wipe.h"
#include "client/x11/pixels_private.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xcb/shm.h>

/* A block of tiles that one request fetches. */
struct block {
    uint32_t x, y, w, h; /* px */
    size_t at;           /* where its rows begin in the shared memory */
    unsigned sequence;   /* of the request; the cookie of either kind */
};

struct tas_x11_grab {
    struct tas_x11_conn *conn;
    struct tas_x11_pixels pixels;
    uint32_t left, top; /* px, of the part of the root window */
    uint32_t width, height;
    struct block *blocks; /* room for the most that a picture of this size can have */
    size_t n_blocks;
    uint8_t *shared; /* NULL: without shared memory */
    size_t shared_len;
    xcb_shm_seg_t segment;
};

static const xcb_visualtype_t *visual_of(const xcb_screen_t *screen) {
    xcb_depth_iterator_t depth = xcb_screen_allowed_depths_iterator(screen);
    for (; depth.rem; xcb_depth_next(&depth)) {
        xcb_visualtype_iterator_t v = xcb_depth_visuals_iterator(depth.data);
        for (; v.rem; xcb_visualtype_next(&v))
            if (v.data->visual_id == screen->root_visual)
                return v.data;
    }
    return NULL;
}

static const xcb_format_t *format_of(const xcb_setup_t *setup, uint8_t depth) {
    xcb_format_iterator_t f = xcb_setup_pixmap_formats_iterator(setup);
    for (; f.rem; xcb_format_next(&f))
        if (f.data->depth == depth)
            return f.data;
    return NULL;
}

static int learn_pixels(struct tas_x11_grab *grab, char *why, size_t why_cap) {
    const xcb_setup_t *setup = xcb_get_setup(grab->conn->xcb);
    const xcb_screen_t *screen = grab->conn->screen;
    const xcb_visualtype_t *visual = visual_of(screen);
    const xcb_format_t *format = format_of(setup, screen->root_depth);
    bool is_true_colour = visual && (visual->_class == XCB_VISUAL_CLASS_TRUE_COLOR ||
                                     visual->_class == XCB_VISUAL_CLASS_DIRECT_COLOR);

    if (is_true_colour && format && screen->root_depth >= 24) {
        grab->pixels = (struct tas_x11_pixels){
            .red = visual->red_mask,
            .green = visual->green_mask,
            .blue = visual->blue_mask,
            .bytes = format->bits_per_pixel / 8u,
            .pad = format->scanline_pad / 8u,
            .is_msb_first = setup->image_byte_order == XCB_IMAGE_ORDER_MSB_FIRST,
        };
        if (tas_x11_pixels_check(&grab->pixels) == TAS_OK)
            return TAS_OK;
    }
    snprintf(
        why, why_cap,
        "The X11 screen has %u bits of colour; 24 or 32 bits of true colour are needed. Set the screen to "
        "millions of colours.",
        screen->root_depth);
    return TAS_E_ABSENT;
}

/* Descriptors can be passed on a Unix socket only, and MIT-SHM takes them from 1.2 on. */
static bool server_takes_memfd(struct tas_x11_conn *conn) {
    const xcb_query_extension_reply_t *ext = xcb_get_extension_data(conn->xcb, &xcb_shm_id);
    if (!ext || !ext->present || !tas_x11_conn_is_local(conn))
        return false;
    xcb_shm_query_version_reply_t *v =
        xcb_shm_query_version_reply(conn->xcb, xcb_shm_query_version(conn->xcb), NULL);
    bool is_enough = v && (v->major_version > 1 || (v->major_version == 1 && v->minor_version >= 2));
    free(v);
    return is_enough;
}

static int memfd_of(size_t len) {
    int fd = memfd_create("tasuki-screen", MFD_CLOEXEC);
    if (fd >= 0 && ftruncate(fd, (off_t)len) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Leaves grab->shared NULL when anything is against it: the other way works too, only slower. */
static void try_sharing(struct tas_x11_grab *grab) {
    size_t len = tas_x11_pixels_row(&grab->pixels, grab->width) * grab->height;
    if (!server_takes_memfd(grab->conn))
        return;
    int fd = memfd_of(len);
    if (fd < 0)
        return;
    void *mem = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (mem == MAP_FAILED) {
        close(fd);
        return;
    }
    xcb_connection_t *xcb = grab->conn->xcb;
    grab->segment = xcb_generate_id(xcb);
    /* libxcb closes fd once it is sent. */
    xcb_generic_error_t *error = xcb_request_check(xcb, xcb_shm_attach_fd_checked(xcb, grab->segment, fd, 0));
    if (error || xcb_connection_has_error(xcb)) {
        free(error);
        munmap(mem, len);
        return;
    }
    grab->shared = mem;
    grab->shared_len = len;
}

int tas_x11_grab_new(struct tas_x11_grab **out, struct tas_x11_conn *conn, const struct tas_screen_area *area,
                     char *why, size_t why_cap) {
    size_t most = (size_t)tas_tiles_across(area->height) * ((tas_tiles_across(area->width) + 1) / 2);
    struct tas_x11_grab *grab = calloc(1, sizeof(*grab));
    struct block *blocks = calloc(most, sizeof(*blocks));
    if (!grab || !blocks) {
        free(grab);
        free(blocks);
        snprintf(why, why_cap, "Out of memory.");
        return TAS_E_NOMEM;
    }
    *grab = (struct tas_x11_grab){.conn = conn,
                                  .left = area->x,
                                  .top = area->y,
                                  .width = area->width,
                                  .height = area->height,
                                  .blocks = blocks};
    int err = learn_pixels(grab, why, why_cap);
    if (err != TAS_OK) {
        tas_x11_grab_free(grab);
        return err;
    }
    try_sharing(grab);
    *out = grab;
    return TAS_OK;
}

void tas_x11_grab_free(struct tas_x11_grab *grab) {
    if (!grab)
        return;
    if (grab->shared) {
        xcb_shm_detach(grab->conn->xcb, grab->segment);
        tas_wipe(grab->shared, grab->shared_len);
        munmap(grab->shared, grab->shared_len);
    }
    free(grab->blocks);
    free(grab);
}

static uint32_t at_most(uint32_t value, uint32_t max) {
    return value < max ? value : max;
}

/* Adds the run of tiles tx..end of row ty. A block right above it (searched from `above` on) with the same
 * left and right edge grows instead. */
static void add_run(struct tas_x11_grab *grab, size_t above, uint32_t tx, uint32_t end, uint32_t ty) {
    uint32_t x = tx * TAS_TILE;
    uint32_t y = ty * TAS_TILE;
    uint32_t w = at_most(end * TAS_TILE, grab->width) - x;
    uint32_t h = at_most(y + TAS_TILE, grab->height) - y;

    for (size_t i = above; i < grab->n_blocks; i++) {
        struct block *b = &grab->blocks[i];
        if (b->x == x && b->w == w && b->y + b->h == y) {
            b->h += h;
            return;
        }
    }
    grab->blocks[grab->n_blocks++] = (struct block){.x = x, .y = y, .w = w, .h = h};
}

static void plan_row(struct tas_x11_grab *grab, const struct tas_tiles *tiles, uint32_t ty) {
    /* Looking at the latest blocks only bounds the work; a block missed is one more request, nothing worse.
     */
    size_t window = tiles->across;
    size_t above = grab->n_blocks > window ? grab->n_blocks - window : 0;

    for (uint32_t tx = 0; tx < tiles->across; tx++) {
        if (!tas_tiles_get(tiles, tx, ty))
            continue;
        uint32_t end = tx + 1;
        while (end < tiles->across && tas_tiles_get(tiles, end, ty))
            end++;
        add_run(grab, above, tx, end, ty);
        tx = end;
    }
}

static void plan(struct tas_x11_grab *grab, const struct tas_tiles *tiles) {
    size_t at = 0;

    grab->n_blocks = 0;
    for (uint32_t ty = 0; ty < tiles->down; ty++)
        plan_row(grab, tiles, ty);
    for (size_t i = 0; i < grab->n_blocks; i++) {
        struct block *b = &grab->blocks[i];
        b->at = at; /* all blocks together are no larger than the screen: only the right edge has padding */
        at += tas_x11_pixels_row(&grab->pixels, b->w) * b->h;
    }
}

static void ask(struct tas_x11_grab *grab, struct block *b) {
    xcb_connection_t *xcb = grab->conn->xcb;
    xcb_window_t root = grab->conn->screen->root;
    int16_t x = (int16_t)(grab->left + b->x);
    int16_t y = (int16_t)(grab->top + b->y);
    uint16_t w = (uint16_t)b->w;
    uint16_t h = (uint16_t)b->h;

    if (grab->shared)
        b->sequence = xcb_shm_get_image(xcb, root, x, y, w, h, ~0u, XCB_IMAGE_FORMAT_Z_PIXMAP, grab->segment,
                                        (uint32_t)b->at)
                          .sequence;
    else
        b->sequence = xcb_get_image(xcb, XCB_IMAGE_FORMAT_Z_PIXMAP, root, x, y, w, h, ~0u).sequence;
}

static void convert(const struct tas_x11_grab *grab, const struct block *b, const uint8_t *from,
                    struct tas_picture *into) {
    size_t row = tas_x11_pixels_row(&grab->pixels, b->w);
    for (uint32_t i = 0; i < b->h; i++)
        tas_x11_pixels_convert(&grab->pixels, into->px + (size_t)(b->y + i) * into->stride + b->x,
                               from + i * row, b->w);
}

/* The answer to a block; its pixels go into the picture. An X error can only mean that the screen is smaller
 * now. */
static int receive(struct tas_x11_grab *grab, const struct block *b, struct tas_picture *into) {
    xcb_connection_t *xcb = grab->conn->xcb;
    xcb_generic_error_t *error = NULL;
    void *reply;
    bool is_good;

    if (grab->shared) {
        reply = xcb_shm_get_image_reply(xcb, (xcb_shm_get_image_cookie_t){b->sequence}, &error);
        is_good = reply != NULL;
        if (is_good)
            convert(grab, b, grab->shared + b->at, into);
    } else {
        xcb_get_image_reply_t *image =
            xcb_get_image_reply(xcb, (xcb_get_image_cookie_t){b->sequence}, &error);
        reply = image;
        is_good = image &&
                  (size_t)xcb_get_image_data_length(image) >= tas_x11_pixels_row(&grab->pixels, b->w) * b->h;
        if (is_good)
            convert(grab, b, xcb_get_image_data(image), into);
        if (image)
            tas_wipe(xcb_get_image_data(image), (size_t)xcb_get_image_data_length(image));
    }
    int err = is_good ? TAS_OK : error && error->error_code == XCB_MATCH ? TAS_E_STATE : TAS_E_ABSENT;
    free(error);
    free(reply);
    return err;
}

int tas_x11_grab_tiles(struct tas_x11_grab *grab, const struct tas_tiles *tiles, struct tas_picture *into) {
    int err = TAS_OK;

    plan(grab, tiles);
    for (size_t i = 0; i < grab->n_blocks; i++)
        ask(grab, &grab->blocks[i]);
    for (size_t i = 0; i < grab->n_blocks; i++) {
        int e =
            receive(grab, &grab->blocks[i], into); /* every answer must be fetched, also after a failure */
        if (err == TAS_OK)
            err = e;
    }
    return err;
}
