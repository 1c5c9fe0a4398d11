#include "present_host.h"

#include "base/time.h"
#include "operator/present/scale.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct host {
    struct tas_loop *loop;
    pthread_t thread;
    const struct present_ops *ops;
    struct present *present;
    uint64_t call_us; /* what the last call took */
};

/* One call on the thread, for which the caller waits. */
struct call {
    struct host *host;
    int (*fn)(struct host *host, const void *arg);
    const void *arg;
    int result;
    bool is_done;
    pthread_mutex_t lock;
    pthread_cond_t done;
};

static void run_call(void *ctx) {
    struct call *call = ctx;
    uint64_t start = tas_mono_us();
    int result = call->fn(call->host, call->arg);
    call->host->call_us = tas_mono_us() - start;
    pthread_mutex_lock(&call->lock);
    call->result = result;
    call->is_done = true;
    pthread_cond_signal(&call->done);
    pthread_mutex_unlock(&call->lock);
}

static int on_thread(struct host *host, int (*fn)(struct host *host, const void *arg), const void *arg) {
    struct call call = {.host = host, .fn = fn, .arg = arg};
    pthread_mutex_init(&call.lock, NULL);
    pthread_cond_init(&call.done, NULL);
    assert_int_equal(tas_loop_post(host->loop, run_call, &call), TAS_OK);
    pthread_mutex_lock(&call.lock);
    while (!call.is_done)
        pthread_cond_wait(&call.done, &call.lock);
    pthread_mutex_unlock(&call.lock);
    pthread_cond_destroy(&call.done);
    pthread_mutex_destroy(&call.lock);
    return call.result;
}

static void *run_loop(void *ctx) {
    struct host *host = ctx;
    int err = tas_loop_run(host->loop);
    return err == TAS_OK ? NULL : host;
}

struct host *host_start(void) {
    struct host *host = calloc(1, sizeof(*host));
    assert_non_null(host);
    tas_loop_block_signals(NULL, 0);
    host->loop = tas_loop_new();
    assert_non_null(host->loop);
    assert_int_equal(pthread_create(&host->thread, NULL, run_loop, host), 0);
    return host;
}

struct opening {
    const char *display;
    struct present_surface *surface;
    char *why;
    size_t why_cap;
};

static int do_open(struct host *host, const void *arg) {
    const struct opening *o = arg;
    return host->ops->open(&host->present, host->loop, o->display, o->surface, o->why, o->why_cap);
}

int host_open(struct host *host, const struct present_ops *ops, const char *display,
              struct present_surface *surface, char *why, size_t why_cap) {
    host->ops = ops;
    return on_thread(host, do_open, &(struct opening){display, surface, why, why_cap});
}

static int do_close(struct host *host, const void *arg) {
    (void)arg;
    if (host->ops)
        host->ops->close(host->present);
    host->present = NULL;
    return TAS_OK;
}

void host_close(struct host *host) {
    on_thread(host, do_close, NULL);
}

void host_stop(struct host *host) {
    void *failure;
    host_close(host);
    tas_loop_stop(host->loop);
    assert_int_equal(pthread_join(host->thread, &failure), 0);
    assert_null(failure);
    tas_loop_free(host->loop);
    free(host);
}

static int do_place(struct host *host, const void *arg) {
    return host->ops->place(host->present, arg);
}

int host_place(struct host *host, unsigned long window, int32_t x, int32_t y, const struct present_fit *fit) {
    return on_thread(host, do_place, &(struct present_place){window, x, y, *fit});
}

struct change {
    const struct tas_picture *pic;
    const struct tas_tiles *tiles;
};

static int do_picture(struct host *host, const void *arg) {
    const struct change *change = arg;
    return host->ops->picture(host->present, change->pic, change->tiles);
}

int host_picture(struct host *host, const struct tas_picture *pic, const struct tas_tiles *changed) {
    return on_thread(host, do_picture, &(struct change){pic, changed});
}

static int do_pointer(struct host *host, const void *arg) {
    return host->ops->pointer(host->present, arg);
}

int host_pointer(struct host *host, const struct present_pointer *pointer) {
    return on_thread(host, do_pointer, pointer);
}

uint64_t host_call_us(const struct host *host) {
    return host->call_us;
}

/* ---- pictures ---- */

static uint32_t noise_at(uint32_t x, uint32_t y, uint32_t seed) {
    uint32_t v = (x * 0x9e3779b1u) ^ (y * 0x85ebca6bu) ^ (seed * 0xc2b2ae35u);
    v ^= v >> 15;
    v *= 0x2c1b3c6du;
    return (v ^ v >> 13) & 0xffffff;
}

struct tas_picture *noise_picture(uint32_t width, uint32_t height, uint32_t seed) {
    struct tas_picture *pic = tas_picture_new(width, height);
    assert_non_null(pic);
    for (uint32_t y = 0; y < height; y++)
        for (uint32_t x = 0; x < width; x++)
            pic->px[(size_t)y * pic->stride + x] = noise_at(x, y, seed);
    return pic;
}

void change_rect(struct host *host, struct tas_picture *pic, struct present_rect rect, uint32_t seed) {
    struct tas_tiles tiles;
    assert_int_equal(tas_tiles_init(&tiles, pic->width, pic->height), TAS_OK);
    for (uint32_t y = (uint32_t)rect.y; y < (uint32_t)rect.y + rect.height && y < pic->height; y++)
        for (uint32_t x = (uint32_t)rect.x; x < (uint32_t)rect.x + rect.width && x < pic->width; x++)
            pic->px[(size_t)y * pic->stride + x] = noise_at(x, y, seed);
    tas_tiles_set_rect(&tiles, rect.x, rect.y, rect.width, rect.height);
    int err = host_picture(host, pic, &tiles);
    tas_tiles_fini(&tiles);
    assert_int_equal(err, TAS_OK);
}

uint32_t *wanted_px(const struct present_fit *fit, const struct tas_picture *pic) {
    struct present_fit with_size = *fit;
    with_size.remote_width = pic ? pic->width : 0;
    with_size.remote_height = pic ? pic->height : 0;
    uint32_t *px = calloc((size_t)fit->width * fit->height, sizeof(*px));
    struct present_scale *scale = present_scale_new(&with_size);
    struct present_canvas canvas = {.px = px, .stride = fit->width};
    assert_true(px && scale);
    present_scale_draw(scale, pic, (struct present_rect){0, 0, fit->width, fit->height}, &canvas);
    present_scale_free(scale);
    return px;
}

/* ---- the screen ---- */

long differing_px(struct server *s, int16_t x, int16_t y, const struct present_fit *fit,
                  const uint32_t *wanted) {
    size_t n = (size_t)fit->width * fit->height;
    long count = 0;
    xcb_get_image_cookie_t ask = xcb_get_image(s->xcb, XCB_IMAGE_FORMAT_Z_PIXMAP, s->screen->root, x, y,
                                               (uint16_t)fit->width, (uint16_t)fit->height, ~0u);
    xcb_get_image_reply_t *reply = xcb_get_image_reply(s->xcb, ask, NULL);
    if (!reply || (size_t)xcb_get_image_data_length(reply) < n * sizeof(*wanted)) {
        free(reply);
        return -1;
    }
    const uint8_t *data = xcb_get_image_data(reply);
    for (size_t i = 0; i < n; i++) {
        uint32_t px;
        memcpy(&px, data + i * sizeof(px), sizeof(px));
        count += (px & 0xffffff) != (wanted[i] & 0xffffff);
    }
    free(reply);
    return count;
}

void wait_for_px(struct server *s, int16_t x, int16_t y, const struct present_fit *fit,
                 const uint32_t *wanted, void (*turn)(void)) {
    uint64_t end = tas_mono_us() + GIVE_UP_MS * UINT64_C(1000);
    long count;
    while ((count = differing_px(s, x, y, fit, wanted)) != 0 && tas_mono_us() < end)
        if (turn)
            turn();
    if (count != 0)
        fail_msg("%ld px of %u x %u are wrong", count, fit->width, fit->height);
}

void wait_for_picture(struct server *s, int16_t x, int16_t y, const struct present_fit *fit,
                      const struct tas_picture *pic, void (*turn)(void)) {
    uint32_t *wanted = wanted_px(fit, pic);
    wait_for_px(s, x, y, fit, wanted, turn);
    free(wanted);
}
