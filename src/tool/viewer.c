#include "tool/viewer.h"

#include "base/time.h"
#include "base/utf8.h"
#include "lossy/native.h"

#include <stdlib.h>

enum { TEXT_PIECE = 6 }; /* code points in one INPUT */

struct viewer {
    struct tas_lossy_painter *painter; /* of photographs and films */
    struct tas_end *end;
    struct tas_session *s;
    struct tool_listener to;
    struct tas_tiles changed; /* by the last frame; has the size of the picture */
    bool has_tiles;
    struct tas_monitor shown; /* as told last; id 0: all */
};

/* ---- pictures ---- */

static void on_screen(struct viewer *v, const struct tas_event *ev) {
    tas_tiles_fini(&v->changed);
    v->has_tiles = tas_tiles_init(&v->changed, ev->width, ev->height) == TAS_OK;
}

static void on_frame(struct viewer *v) {
    uint64_t before = tas_mono_us();
    if (v->has_tiles)
        tas_tiles_clear(&v->changed);
    int err = tas_session_decode(v->s, v->has_tiles ? &v->changed : NULL);
    uint64_t took_us = tas_mono_us() - before;
    tool_tell(&v->to, &(struct tool_news){.kind = TOOL_FRAME,
                                          .err = err,
                                          .us = took_us,
                                          .changed = v->has_tiles ? &v->changed : NULL});
    tas_session_presented(v->s, (uint32_t)took_us, tas_mono_us());
}

/* The one that was shown is no longer among them: `gone` is its name. */
static void on_monitors(struct viewer *v) {
    const struct tas_monitors *now = tas_session_remote_monitors(v->s);
    const char *gone = v->shown.id ? v->shown.name : NULL;
    struct tas_monitor shown = {0};
    for (unsigned i = 0; i < now->n; i++) {
        if (now->list[i].id == v->shown.id)
            gone = NULL;
        if (now->list[i].id == now->shown)
            shown = now->list[i];
    }
    tool_tell(&v->to, &(struct tool_news){.kind = TOOL_MONITORS, .monitors = now, .name = gone});
    v->shown = shown;
}

static void on_event(void *ctx, const struct tas_event *ev) {
    struct viewer *v = ctx;
    if (ev->kind == TAS_EVENT_SCREEN)
        on_screen(v, ev);
    else if (ev->kind == TAS_EVENT_FRAME)
        on_frame(v);
    else if (ev->kind == TAS_EVENT_MONITORS)
        on_monitors(v);
    tool_tell(&v->to, &(struct tool_news){.kind = TOOL_ENGINE, .event = ev});
}

static void on_turn(void *ctx) {
    (void)ctx;
}

/* ---- work ---- */

int viewer_choose_monitor(struct viewer *v, uint8_t monitor) {
    return tas_session_choose_monitor(v->s, monitor);
}

int viewer_type(struct viewer *v, const char *text) {
    struct tas_reader r = tas_reader_of(tas_bytes_of(text, strlen(text)));
    int err = TAS_OK;
    while (r.in.len > 0 && err == TAS_OK) {
        struct tas_msg_input in = {.kind = 4};
        while (r.in.len > 0 && in.n_text < TEXT_PIECE) {
            in.text[in.n_text++] = tas_utf8_next(&r);
            if (r.bad)
                return TAS_E_PROTO;
        }
        err = tas_session_send_input(v->s, &in);
    }
    return err;
}

void viewer_end(struct viewer *v) {
    tas_session_end(v->s, TAS_END_OPERATOR, tas_mono_us());
}

struct tas_session *viewer_session(struct viewer *v) {
    return v->s;
}

/* ---- life ---- */

struct viewer *viewer_start(struct tas_loop *loop, const struct tas_end_config *config,
                            struct tool_listener to) {
    static const struct tas_end_owner owner = {on_event, on_turn};
    struct viewer *v = calloc(1, sizeof(*v));
    if (!v)
        return NULL;
    v->to = to;
    struct tas_end_config with_painter = *config;
    v->painter = tas_lossy_painter_new();
    if (v->painter) {
        with_painter.session.painter = tas_lossy_painter_ops(v->painter);
        v->end = tas_end_new(loop, &with_painter, &owner, v);
    }
    if (!v->end) {
        viewer_stop(v);
        return NULL;
    }
    v->s = tas_end_session(v->end);
    return v;
}

void viewer_stop(struct viewer *v) {
    if (!v)
        return;
    tas_end_free(v->end);
    tas_lossy_painter_free(v->painter);
    tas_tiles_fini(&v->changed);
    free(v);
}
