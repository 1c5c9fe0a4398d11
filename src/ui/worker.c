#include "ui/worker.h"

#include "base/log.h"
#include "base/time.h"

#include <errno.h>
#include <string.h>

enum { FAREWELL_US = 3 * 1000 * 1000 };

/* Whoever has not heard it by now learns it from the silence. */
static void on_farewell(void *ctx) {
    ui_worker_leave(ctx);
}

static void *run(void *ctx) {
    struct ui_worker *w = ctx;
    w->calls->on_start(w->ctx);
    if (tas_loop_run(w->loop) != TAS_OK)
        tas_log(TAS_LOG_ERROR, "ui", "loop_failed", "why=\"%s\"", strerror(errno));
    if (w->calls->on_end)
        w->calls->on_end(w->ctx);
    return NULL;
}

bool ui_worker_open(struct ui_worker *w, const struct ui_worker_calls *calls, void *ctx) {
    tas_loop_block_signals(NULL, 0); /* SIGPIPE: libxcb writes without MSG_NOSIGNAL */
    *w = (struct ui_worker){.calls = calls, .ctx = ctx, .loop = tas_loop_new()};
    w->farewell = w->loop ? tas_timer_new(w->loop, on_farewell, w) : NULL;
    return w->farewell != NULL;
}

bool ui_worker_start(struct ui_worker *w) {
    return pthread_create(&w->thread, NULL, run, w) == 0;
}

void ui_worker_leave(struct ui_worker *w) {
    tas_loop_stop(w->loop);
}

void ui_worker_leave_soon(struct ui_worker *w) {
    tas_timer_set(w->farewell, tas_mono_us() + FAREWELL_US);
}

static void stop_here(void *ctx) {
    struct ui_worker *w = ctx;
    ui_worker_leave_soon(w);
    w->calls->on_stop(w->ctx);
}

void ui_worker_stop(struct ui_worker *w) {
    if (tas_loop_post(w->loop, stop_here, w) != TAS_OK)
        tas_loop_stop(w->loop);
    pthread_join(w->thread, NULL);
}

void ui_worker_close(struct ui_worker *w) {
    tas_timer_free(w->farewell);
    tas_loop_free(w->loop);
    *w = (struct ui_worker){0};
}
