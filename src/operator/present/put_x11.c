#include "operator/present/put_private.h"

#include "base/wipe.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <xcb/shm.h>
#include <xcb/xcbext.h>

enum {
    STRIP_LEN = 128 * 1024, /* bytes, at least one row; every server takes twice as much in a request */
    BURST_LEN = 512 * 1024, /* bytes on the way through the socket at once */
    FREE_PX = 128 * 128,    /* so many px are no dearer than another request */
};

struct present_put {
    xcb_connection_t *xcb;
    xcb_window_t window;
    xcb_gcontext_t gc;
    uint8_t depth;
    uint32_t width, height;

    uint32_t *px; /* one buffer, or both one after the other when shared */
    size_t len;   /* bytes of all */
    bool is_shared;
    xcb_shm_seg_t segment;
    uint8_t completion, opcode; /* event code; of the extension */
    int current;                /* the buffer with what was drawn last */

    bool is_busy;              /* a request is unfinished */
    int reading;               /* shared: from this buffer */
    unsigned answer;           /* not shared: sequence number of the answer that tells its end */
    pixman_region32_t pending; /* drawn, and not sent */
    pixman_region32_t stale;   /* shared: in the other buffer */
    uint32_t *strip;           /* not shared: rows without gaps */
};

/* ---- memory ---- */

static bool is_local(xcb_connection_t *xcb) {
    struct sockaddr_storage addr = {0};
    socklen_t len = sizeof(addr);
    int fd = xcb_get_file_descriptor(xcb);
    return getsockname(fd, (struct sockaddr *)&addr, &len) == 0 && addr.ss_family == AF_UNIX;
}

/* Descriptors pass through Unix sockets only, and MIT-SHM takes them from 1.2 on. */
bool present_put_can_share(xcb_connection_t *xcb) {
    const xcb_query_extension_reply_t *extension = xcb_get_extension_data(xcb, &xcb_shm_id);
    if (!extension || !extension->present || !is_local(xcb))
        return false;
    xcb_shm_query_version_reply_t *version =
        xcb_shm_query_version_reply(xcb, xcb_shm_query_version(xcb), NULL);
    bool is_enough = version && version->major_version * 1000 + version->minor_version >= 1002;
    free(version);
    return is_enough;
}

static void *map_shared(size_t len, int *fd) {
    *fd = memfd_create("tasuki-view", MFD_CLOEXEC);
    if (*fd < 0)
        return NULL;
    void *mem = MAP_FAILED;
    if (ftruncate(*fd, (off_t)len) == 0)
        mem = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
    if (mem != MAP_FAILED)
        return mem;
    close(*fd);
    return NULL;
}

/* Leaves put->px NULL when anything is against it. */
static void try_sharing(struct present_put *put) {
    size_t len = 2 * (size_t)put->width * put->height * sizeof(*put->px);
    int fd;
    void *mem = map_shared(len, &fd);
    if (!mem)
        return;
    put->segment = xcb_generate_id(put->xcb);
    /* The server only reads; libxcb closes fd. */
    xcb_void_cookie_t attach = xcb_shm_attach_fd_checked(put->xcb, put->segment, fd, 1);
    xcb_generic_error_t *error = xcb_request_check(put->xcb, attach);
    if (error || xcb_connection_has_error(put->xcb)) {
        free(error);
        munmap(mem, len);
        return;
    }
    put->px = mem;
    put->len = len;
    put->is_shared = true;
    const xcb_query_extension_reply_t *extension = xcb_get_extension_data(put->xcb, &xcb_shm_id);
    put->completion = (uint8_t)(extension->first_event + XCB_SHM_COMPLETION);
    put->opcode = extension->major_opcode;
}

static void use_socket(struct present_put *put) {
    put->len = (size_t)put->width * put->height * sizeof(*put->px);
    put->px = calloc(1, put->len);
    put->strip = malloc(STRIP_LEN);
}

struct present_put *present_put_new(xcb_connection_t *xcb, xcb_window_t window, uint8_t depth, uint32_t width,
                                    uint32_t height, bool is_shared) {
    struct present_put *put = calloc(1, sizeof(*put));
    if (!put)
        return NULL;
    *put =
        (struct present_put){.xcb = xcb, .window = window, .depth = depth, .width = width, .height = height};
    pixman_region32_init(&put->pending);
    pixman_region32_init(&put->stale);
    put->gc = xcb_generate_id(xcb);
    xcb_create_gc(xcb, put->gc, window, XCB_GC_GRAPHICS_EXPOSURES, (const uint32_t[]){0});
    if (is_shared)
        try_sharing(put);
    if (!put->px)
        use_socket(put);
    if (put->px && (put->is_shared || put->strip))
        return put;
    present_put_free(put);
    return NULL;
}

void present_put_free(struct present_put *put) {
    if (!put)
        return;
    if (put->is_busy && !put->is_shared)
        xcb_discard_reply(put->xcb, put->answer);
    if (put->is_shared)
        xcb_shm_detach(put->xcb, put->segment); /* after it has read */
    xcb_free_gc(put->xcb, put->gc);
    bool is_read = put->is_shared && put->is_busy; /* zeros could still be shown; the kernel wipes it later */
    if (put->px && !is_read)
        tas_wipe(put->px, put->len);
    if (put->is_shared)
        munmap(put->px, put->len);
    else
        free(put->px);
    if (put->strip)
        tas_wipe(put->strip, STRIP_LEN);
    free(put->strip);
    pixman_region32_fini(&put->pending);
    pixman_region32_fini(&put->stale);
    free(put);
}

/* ---- sending ---- */

static uint32_t *buffer(const struct present_put *put, int which) {
    return put->px + (which ? (size_t)put->width * put->height : 0);
}

static void send_shared_rect(struct present_put *put, struct present_rect r, bool is_last) {
    size_t offset = (size_t)(buffer(put, put->current) - put->px) * sizeof(*put->px);
    xcb_shm_put_image(put->xcb, put->window, put->gc, (uint16_t)put->width, (uint16_t)put->height,
                      (uint16_t)r.x, (uint16_t)r.y, (uint16_t)r.width, (uint16_t)r.height, (int16_t)r.x,
                      (int16_t)r.y, put->depth, XCB_IMAGE_FORMAT_Z_PIXMAP, is_last, put->segment,
                      (uint32_t)offset);
}

/* One rectangle around all, when what it has too much costs less than requests do. */
static bool is_one_cheaper(const struct present_put *put, int n) {
    struct present_rect rect;
    uint64_t area = 0;
    int count;
    const pixman_box32_t *boxes = pixman_region32_rectangles(&put->pending, &count);
    for (int i = 0; i < count; i++)
        if (present_box_clip(&rect, &boxes[i], put->width, put->height))
            area += (uint64_t)rect.width * rect.height;
    if (!present_box_clip(&rect, pixman_region32_extents(&put->pending), put->width, put->height))
        return false;
    return (uint64_t)rect.width * rect.height <= area + (uint64_t)n * FREE_PX;
}

static void send_shared(struct present_put *put) {
    int n;
    const pixman_box32_t *boxes = pixman_region32_rectangles(&put->pending, &n);
    struct present_rect rect, last = {0};
    if (n > 1 && is_one_cheaper(put, n)) {
        boxes = pixman_region32_extents(&put->pending);
        n = 1;
    }
    for (int i = 0; i < n; i++) {
        if (!present_box_clip(&rect, &boxes[i], put->width, put->height))
            continue;
        if (last.width > 0)
            send_shared_rect(put, last, false);
        last = rect;
    }
    if (last.width > 0) {
        send_shared_rect(put, last, true);
        put->is_busy = true;
        put->reading = put->current;
    }
    pixman_region32_clear(&put->pending);
}

/* Rows of a rectangle, as many as `room` bytes and a strip hold, at least one. Returns how many. */
static uint32_t send_strip(struct present_put *put, struct present_rect rect, size_t room) {
    size_t row = rect.width * sizeof(*put->px);
    size_t rows = (room < STRIP_LEN ? room : STRIP_LEN) / row;
    rows = rows == 0 ? 1 : rows < rect.height ? rows : rect.height;
    const uint32_t *in = put->px + (size_t)rect.y * put->width + (size_t)rect.x;
    for (size_t y = 0; y < rows; y++)
        memcpy(put->strip + y * rect.width, in + y * put->width, row);
    xcb_put_image(put->xcb, XCB_IMAGE_FORMAT_Z_PIXMAP, put->window, put->gc, (uint16_t)rect.width,
                  (uint16_t)rows, (int16_t)rect.x, (int16_t)rect.y, 0, put->depth, (uint32_t)(rows * row),
                  (const uint8_t *)put->strip);
    return (uint32_t)rows;
}

/* Sends a burst; the rest stays pending until it has arrived. */
static void send_through_socket(struct present_put *put) {
    int n;
    const pixman_box32_t *boxes = pixman_region32_rectangles(&put->pending, &n);
    struct present_rect rect;
    pixman_region32_t sent;
    size_t room = BURST_LEN;

    pixman_region32_init(&sent);
    for (int i = 0; i < n && room > 0; i++) {
        if (!present_box_clip(&rect, &boxes[i], put->width, put->height))
            continue;
        while (rect.height > 0 && room > 0) {
            struct present_rect strip = rect;
            strip.height = send_strip(put, rect, room);
            present_region_add(&sent, strip);
            rect.y += (int32_t)strip.height;
            rect.height -= strip.height;
            size_t len = (size_t)strip.width * strip.height * sizeof(*put->px);
            room = len < room ? room - len : 0;
        }
    }
    if (room > 0)
        pixman_region32_clear(&put->pending); /* also what lies outside */
    else
        present_region_remove(&put->pending, &sent);
    pixman_region32_fini(&sent);
    put->answer = xcb_get_input_focus(put->xcb).sequence;
    put->is_busy = true;
}

static void send_pending(struct present_put *put) {
    if (put->is_busy || !pixman_region32_not_empty(&put->pending))
        return;
    if (put->is_shared)
        send_shared(put);
    else
        send_through_socket(put);
}

/* ---- drawing and events ---- */

/* Makes the other buffer the current one. */
static void change_buffer(struct present_put *put, const pixman_region32_t *anew) {
    const uint32_t *from = buffer(put, put->current);
    uint32_t *to = buffer(put, !put->current);
    struct present_rect r;
    int n;

    if (anew)
        present_region_remove(&put->stale, anew);
    const pixman_box32_t *boxes = pixman_region32_rectangles(&put->stale, &n);
    for (int i = 0; i < n; i++)
        if (present_box_clip(&r, &boxes[i], put->width, put->height))
            for (size_t y = (size_t)r.y; y < (size_t)r.y + r.height; y++)
                memcpy(to + y * put->width + r.x, from + y * put->width + r.x, r.width * sizeof(*to));
    pixman_region32_clear(&put->stale);
    put->current = !put->current;
}

uint32_t *present_put_begin(struct present_put *put, const pixman_region32_t *anew) {
    if (put->is_shared && put->is_busy && put->reading == put->current)
        change_buffer(put, anew);
    return buffer(put, put->current);
}

void present_put_end(struct present_put *put, const pixman_region32_t *drawn) {
    if (put->is_shared)
        present_region_join(&put->stale, drawn);
    present_region_join(&put->pending, drawn);
    send_pending(put);
}

void present_put_expose(struct present_put *put, struct present_rect rect) {
    present_region_add(&put->pending, rect);
    send_pending(put);
}

static bool is_end(const struct present_put *put, const xcb_generic_event_t *event) {
    const xcb_shm_completion_event_t *done = (const xcb_shm_completion_event_t *)event;
    const xcb_generic_error_t *error = (const xcb_generic_error_t *)event;
    if (event->response_type == 0)
        return error->major_code == put->opcode; /* no event follows */
    return (event->response_type & 0x7f) == put->completion && done->shmseg == put->segment;
}

bool present_put_on_event(struct present_put *put, const xcb_generic_event_t *event) {
    if (!put->is_shared || !is_end(put, event))
        return false;
    put->is_busy = false;
    if (event->response_type != 0)
        send_pending(put);
    return true;
}

bool present_put_poll(struct present_put *put) {
    void *reply = NULL;
    xcb_generic_error_t *error = NULL;
    if (put->is_shared || !put->is_busy || !xcb_poll_for_reply(put->xcb, put->answer, &reply, &error))
        return false;
    free(reply);
    free(error);
    put->is_busy = false;
    send_pending(put);
    return true;
}
