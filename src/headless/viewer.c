/* The operator's end without windows: keeps the picture, saves it on demand, sends input from commands. */
#include "headless/viewer.h"

#include "base/time.h"
#include "base/utf8.h"
#include "headless/io.h"
#include "headless/save.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

struct viewer {
    struct tas_loop *loop;
    struct tas_end *end;
    struct tas_session *s;
    const struct headless_watcher *watcher;
    void *ctx;
    uint64_t last_frame_us;
    uint32_t cursor_x, cursor_y;
    bool says_frames;
};

static void complain(const char *command, int err) {
    if (err != TAS_OK)
        headless_say("error", ",\"command\":\"%s\",\"text\":\"%s\",\"code\":\"%s\"", command,
                     tas_err_text(err), tas_err_name(err));
}

/* ---- events ---- */

static void on_frame(struct viewer *v) {
    uint64_t before = tas_mono_us();
    int err = tas_session_decode(v->s, NULL);
    uint64_t after = tas_mono_us();
    v->last_frame_us = after;
    tas_session_presented(v->s, (uint32_t)(after - before), after);
    if (v->says_frames || err != TAS_OK)
        headless_say("frame", ",\"at_us\":%" PRIu64 ",\"decode_us\":%" PRIu64 ",\"result\":\"%s\"", after,
                     after - before, tas_err_name(err));
}

static void take_event(struct viewer *v, const struct tas_event *ev) {
    if (headless_say_event(ev))
        return;
    switch (ev->kind) {
    case TAS_EVENT_FRAME:
        on_frame(v);
        break;
    case TAS_EVENT_SCREEN:
        headless_say("screen", ",\"width\":%u,\"height\":%u", ev->width, ev->height);
        break;
    case TAS_EVENT_GRANTS:
        headless_say("grants", ",\"rights\":%u,\"paused\":%s", ev->number, ev->flag ? "true" : "false");
        break;
    case TAS_EVENT_CURSOR_POS:
        v->cursor_x = ev->x;
        v->cursor_y = ev->y;
        break;
    case TAS_EVENT_CURSOR_IMAGE:
        headless_say("cursor_image", ",\"id\":%u,\"width\":%u,\"height\":%u", ev->cursor.image,
                     ev->cursor.width, ev->cursor.height);
        break;
    default:
        break;
    }
}

static void on_event(void *ctx, const struct tas_event *ev) {
    struct viewer *v = ctx;
    take_event(v, ev);
    if (v->watcher)
        v->watcher->on_event(v->ctx, ev);
}

static void on_turn(void *ctx) {
    (void)ctx;
}

/* ---- commands ---- */

/* Sends text in pieces of six code points. */
static int send_text(struct viewer *v, const char *text) {
    struct tas_reader r = tas_reader_of(tas_bytes_of(text, strlen(text)));
    struct tas_msg_input in = {.kind = 4};
    int err = TAS_OK;
    while (r.in.len > 0 && err == TAS_OK) {
        in.n_text = 0;
        while (r.in.len > 0 && in.n_text < 6) {
            in.text[in.n_text++] = tas_utf8_next(&r);
            if (r.bad)
                return TAS_E_PROTO;
        }
        for (int i = in.n_text; i < 6; i++)
            in.text[i] = 0;
        err = tas_session_send_input(v->s, &in);
    }
    return err;
}

static int send_numbers(struct viewer *v, const char *word, const char *rest) {
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    int dx = 0;
    int dy = 0;
    struct tas_msg_input in = {0};
    if (strcmp(word, "key") == 0 && sscanf(rest, "%u %u %u", &a, &b, &c) >= 2) {
        in.kind = 1;
        in.keycode = (uint16_t)a;
        in.is_down = b != 0;
        in.keysym = c;
    } else if (strcmp(word, "pointer") == 0 && sscanf(rest, "%u %u %u", &a, &b, &c) == 3) {
        in.kind = 2;
        in.x = (uint16_t)a;
        in.y = (uint16_t)b;
        in.buttons = (uint16_t)c;
    } else if (strcmp(word, "wheel") == 0 && sscanf(rest, "%d %d", &dx, &dy) == 2) {
        in.kind = 3;
        in.x = (uint16_t)v->cursor_x;
        in.y = (uint16_t)v->cursor_y;
        in.wheel_x = (uint16_t)dx;
        in.wheel_y = (uint16_t)dy;
    } else {
        return TAS_E_PROTO;
    }
    return tas_session_send_input(v->s, &in);
}

static void save(struct viewer *v, const char *path) {
    const struct tas_picture *pic = tas_session_remote(v->s);
    int err = pic ? picture_save(pic, path) : TAS_E_ABSENT;
    headless_say("saved", ",\"result\":\"%s\",\"quiet_us\":%" PRIu64, tas_err_name(err),
                 v->last_frame_us ? tas_mono_us() - v->last_frame_us : 0);
}

static void did(struct viewer *v, const char *word, uint32_t number) {
    if (v->watcher)
        v->watcher->on_command(v->ctx, word, number);
}

static void type_text(struct viewer *v, const char *text) {
    int err = send_text(v, text);
    complain("text", err);
    if (err == TAS_OK)
        did(v, "text", (uint32_t)strlen(text));
}

bool viewer_command(struct viewer *v, const char *word, const char *rest) {
    if (strcmp(word, "chat") == 0) {
        int err = tas_session_chat(v->s, tas_bytes_of(rest, strlen(rest)), tas_wall_ms());
        complain(word, err);
        if (err == TAS_OK)
            did(v, word, (uint32_t)strlen(rest));
    } else if (headless_command(v->s, word, rest)) {
        return true;
    } else if (strcmp(word, "code") == 0) {
        complain(word, tas_session_type_code(v->s, rest, tas_mono_us()));
    } else if (strcmp(word, "view") == 0) {
        bool is_on = strcmp(rest, "on") == 0;
        tas_session_view(v->s, is_on);
        did(v, word, is_on);
    } else if (strcmp(word, "ask") == 0) {
        uint16_t rights = (uint16_t)strtoul(rest, NULL, 0);
        tas_session_ask(v->s, rights);
        did(v, word, rights);
    } else if (strcmp(word, "text") == 0) {
        type_text(v, rest);
    } else if (strcmp(word, "key") == 0 || strcmp(word, "pointer") == 0 || strcmp(word, "wheel") == 0) {
        complain(word, send_numbers(v, word, rest));
    } else if (strcmp(word, "save") == 0) {
        save(v, rest);
    } else if (strcmp(word, "frames") == 0) {
        v->says_frames = strcmp(rest, "on") == 0;
    } else if (strcmp(word, "end") == 0) {
        viewer_end(v);
    } else {
        return false;
    }
    return true;
}

void viewer_end(struct viewer *v) {
    tas_session_end(v->s, TAS_END_OPERATOR, tas_mono_us());
}

struct tas_session *viewer_session(struct viewer *v) {
    return v->s;
}

struct viewer *viewer_start(struct tas_loop *loop, const struct tas_end_config *config,
                            const struct headless_watcher *watcher, void *ctx) {
    static const struct tas_end_owner owner = {on_event, on_turn};
    struct viewer *v = calloc(1, sizeof(*v));
    if (!v)
        return NULL;
    v->loop = loop;
    v->watcher = watcher;
    v->ctx = ctx;
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
    free(v);
}

/* ---- the program with an end file ---- */

struct program {
    struct tas_loop *loop;
    struct headless_io *io;
    struct viewer *viewer;
};

static void on_program_event(void *ctx, const struct tas_event *ev) {
    struct program *p = ctx;
    if (ev->kind == TAS_EVENT_CLOSED)
        tas_loop_stop(p->loop);
}

static void on_program_command(void *ctx, const char *word, uint32_t number) {
    (void)ctx;
    (void)word;
    (void)number;
}

static void on_line(void *ctx, char *line) {
    struct program *p = ctx;
    char *rest;
    const char *word = headless_word(line, &rest);
    if (!viewer_command(p->viewer, word, rest))
        headless_say("error", ",\"text\":\"unknown command; known: " VIEWER_COMMANDS "\"");
}

static void on_stdin_end(void *ctx) {
    struct program *p = ctx;
    viewer_end(p->viewer);
}

static void on_signal(void *ctx, int signo) {
    (void)signo;
    on_stdin_end(ctx);
}

static const int signals[] = {SIGTERM, SIGINT};

int viewer_main(const struct endfile *file) {
    static const struct headless_watcher watcher = {on_program_event, on_program_command};
    struct program p = {0};
    int code = EXIT_FAILURE;
    tas_loop_block_signals(signals, 2);
    p.loop = tas_loop_new();
    if (p.loop)
        p.viewer = viewer_start(p.loop, &file->config, &watcher, &p);
    if (p.viewer)
        p.io = headless_io_new(p.loop, on_line, on_stdin_end, &p);
    if (p.io && tas_loop_on_signals(p.loop, signals, 2, on_signal, &p) == TAS_OK &&
        tas_loop_run(p.loop) == TAS_OK)
        code = EXIT_SUCCESS;
    headless_io_free(p.io);
    viewer_stop(p.viewer);
    tas_loop_free(p.loop);
    return code;
}
