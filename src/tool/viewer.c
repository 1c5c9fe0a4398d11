#include "tool/viewer.h"

#include "base/time.h"
#include "base/utf8.h"

#include <stdlib.h>

enum { TEXT_PIECE = 6 }; /* code points in one INPUT */

struct viewer {
    struct tas_end *end;
    struct tas_session *s;
    struct tool_listener to;
    struct tas_tiles changed; /* by the last frame; has the size of the picture */
    bool has_tiles;
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

static void on_event(void *ctx, const struct tas_event *ev) {
    struct viewer *v = ctx;
    if (ev->kind == TAS_EVENT_SCREEN)
        on_screen(v, ev);
    else if (ev->kind == TAS_EVENT_FRAME)
        on_frame(v);
    tool_tell(&v->to, &(struct tool_news){.kind = TOOL_ENGINE, .event = ev});
}

static void on_turn(void *ctx) {
    (void)ctx;
}

/* ---- work ---- */

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
    v->end = tas_end_new(loop, config, &owner, v);
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
    tas_tiles_fini(&v->changed);
    free(v);
}
