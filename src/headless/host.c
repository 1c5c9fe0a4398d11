/* The customer's end without windows: captures a display, injects what is allowed. */
#include "headless/host.h"

#include "base/log.h"
#include "base/time.h"
#include "client/input.h"
#include "client/screen.h"
#include "headless/endfile.h"
#include "headless/io.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    EXIT_TEMPORARY = 75,
    FRAME_US = 1000000 / 60, /* least time from one picture to the next */
    CURSOR_US = 33 * 1000,   /* the pointer is asked for this often, and only while somebody looks */
};

struct host {
    struct tas_loop *loop;
    struct tas_end *end;
    struct tas_session *s;
    const struct headless_watcher *watcher;
    void *ctx;
    const struct tas_screen_ops *screen_ops;
    const struct tas_input_ops *input_ops;
    struct tas_screen *screen;
    struct tas_input *input;
    struct tas_watch *screen_watch, *input_watch;
    struct tas_timer *frame_timer, *cursor_timer, *input_timer;
    struct tas_picture *picture;
    uint64_t next_frame_us;
    uint32_t cursor_serial;
    bool is_viewed;
    bool is_damaged; /* events wait on the display */
    int exit_code;
};

/* ---- the screen ---- */

static bool screen_resize(struct host *h) {
    uint32_t width;
    uint32_t height;
    h->screen_ops->size(h->screen, &width, &height);
    tas_picture_free(h->picture);
    h->picture = tas_picture_new(width, height);
    if (!h->picture || tas_session_screen(h->s, width, height) != TAS_OK)
        return false;
    headless_say("screen", ",\"width\":%u,\"height\":%u", width, height);
    return true;
}

static void screen_gone(struct host *h) {
    headless_say("error", ",\"text\":\"the display went away\"");
    tas_watch_free(h->screen_watch);
    h->screen_watch = NULL;
    h->exit_code = EXIT_FAILURE;
    tas_session_end(h->s, TAS_END_CUSTOMER, tas_mono_us());
}

/* What a call on the screen returned. False: no picture now. */
static bool screen_ok(struct host *h, int err) {
    if (err == TAS_OK)
        return true;
    if (err == TAS_E_STATE && screen_resize(h))
        return false;
    screen_gone(h);
    return false;
}

static void send_cursor(struct host *h) {
    struct tas_screen_cursor cur;
    if (!h->is_viewed || !h->screen_watch || h->screen_ops->cursor(h->screen, &cur) != TAS_OK)
        return;
    const struct tas_msg_cursor_image image = {
        .image = cur.serial,
        .width = cur.width,
        .height = cur.height,
        .hot_x = cur.hot_x,
        .hot_y = cur.hot_y,
        .rgba = tas_bytes_of(cur.rgba, cur.serial ? (size_t)cur.width * cur.height * 4 : 0),
    };
    bool is_new = cur.serial != h->cursor_serial;
    h->cursor_serial = cur.serial;
    tas_session_cursor(h->s, cur.x, cur.y, is_new ? &image : NULL);
}

static void on_cursor_timer(void *ctx) {
    struct host *h = ctx;
    send_cursor(h);
    tas_timer_set(h->cursor_timer, h->is_viewed ? tas_mono_us() + CURSOR_US : UINT64_MAX);
}

static void offer_picture(struct host *h) {
    uint64_t now = tas_mono_us();
    if (!h->screen_watch)
        return;
    if (h->is_damaged) {
        h->is_damaged = false;
        if (!screen_ok(h, h->screen_ops->pump(h->screen, tas_session_dirty(h->s))))
            return;
    }
    if (!tas_session_wants_picture(h->s, now))
        return;
    if (now < h->next_frame_us) {
        tas_timer_set(h->frame_timer, h->next_frame_us);
        return;
    }
    if (!screen_ok(h, h->screen_ops->grab(h->screen, tas_session_dirty(h->s), h->picture)))
        return;
    if (tas_session_picture(h->s, h->picture, now) != TAS_OK)
        headless_say("error", ",\"text\":\"a picture could not be coded\"");
    h->next_frame_us = now + FRAME_US;
}

static void on_screen_readable(void *ctx, unsigned ready) {
    (void)ready;
    ((struct host *)ctx)->is_damaged = true;
}

static void on_frame_timer(void *ctx) {
    (void)ctx; /* the end of the turn offers the picture */
}

/* ---- input ---- */

static void input_schedule(struct host *h) {
    int ms = h->input_ops->pending_ms(h->input);
    tas_timer_set(h->input_timer, ms < 0 ? UINT64_MAX : tas_mono_us() + (uint64_t)ms * 1000);
}

static void input_flush(void *ctx) {
    struct host *h = ctx;
    (void)!h->input_ops->flush(h->input);
    input_schedule(h);
}

static void on_input_readable(void *ctx, unsigned ready) {
    (void)ready;
    input_flush(ctx);
}

static int inject(struct host *h, const struct tas_msg_input *in) {
    switch (in->kind) {
    case 1:
        return h->input_ops->key(h->input, in->keycode, in->keysym, in->is_down);
    case 2:
        return h->input_ops->pointer(h->input, in->x, in->y, in->buttons);
    case 3:
        return h->input_ops->wheel(h->input, (int16_t)in->wheel_x, (int16_t)in->wheel_y);
    default:
        return h->input_ops->text(h->input, in->text, in->n_text);
    }
}

static void on_input(struct host *h, const struct tas_msg_input *in) {
    int err = inject(h, in);
    headless_say("input", ",\"kind\":%u,\"seq\":%u,\"result\":\"%s\",\"at_us\":%" PRIu64, in->kind, in->seq,
                 tas_err_name(err), tas_mono_us());
    input_schedule(h);
}

/* ---- events and commands ---- */

static void take_event(struct host *h, const struct tas_event *ev) {
    if (headless_say_event(ev))
        return;
    switch (ev->kind) {
    case TAS_EVENT_CHECK_CODE:
        headless_say("check_code", ",\"code\":\"%s\"", ev->text);
        break;
    case TAS_EVENT_ASKED:
        headless_say("asked", ",\"rights\":%u", ev->number);
        break;
    case TAS_EVENT_INPUT:
        on_input(h, &ev->input);
        break;
    case TAS_EVENT_RELEASE_KEYS:
        (void)!h->input_ops->release_all(h->input);
        headless_say("keys_released", ",\"at_us\":%" PRIu64, tas_mono_us());
        break;
    case TAS_EVENT_VIEW:
        h->is_viewed = ev->flag;
        h->cursor_serial = 0;
        headless_say("view", ",\"on\":%s", ev->flag ? "true" : "false");
        tas_timer_set(h->cursor_timer, h->is_viewed ? tas_mono_us() : UINT64_MAX);
        break;
    default:
        break;
    }
}

static void on_event(void *ctx, const struct tas_event *ev) {
    struct host *h = ctx;
    take_event(h, ev);
    if (h->watcher)
        h->watcher->on_event(h->ctx, ev);
}

static void on_turn(void *ctx) {
    offer_picture(ctx);
}

static void did(struct host *h, const char *word, uint32_t number) {
    if (h->watcher)
        h->watcher->on_command(h->ctx, word, number);
}

bool host_command(struct host *h, const char *word, const char *rest) {
    if (headless_command(h->s, word, rest))
        return true;
    if (strcmp(word, "grant") == 0) {
        uint16_t rights = (uint16_t)strtoul(rest, NULL, 0);
        tas_session_grant(h->s, rights);
        did(h, word, rights);
    } else if (strcmp(word, "pause") == 0) {
        bool is_on = strcmp(rest, "on") == 0;
        tas_session_pause(h->s, is_on);
        did(h, word, is_on);
    } else if (strcmp(word, "end") == 0) {
        host_end(h);
    } else {
        return false;
    }
    return true;
}

void host_end(struct host *h) {
    tas_session_end(h->s, TAS_END_CUSTOMER, tas_mono_us());
}

struct tas_session *host_session(struct host *h) {
    return h->s;
}

int host_exit_code(const struct host *h) {
    return h->exit_code;
}

/* ---- start and stop ---- */

static bool open_display(struct host *h, const char *display) {
    char why[256];
    h->screen_ops = &tas_screen_x11;
    h->input_ops = &tas_input_x11;
    if (h->screen_ops->open(&h->screen, display, why, sizeof(why)) == TAS_OK &&
        h->input_ops->open(&h->input, display, why, sizeof(why)) == TAS_OK)
        return true;
    fprintf(stderr, "tasuki-headless: %s\n", why);
    return false;
}

static bool start(struct host *h, const struct tas_end_config *config, uint16_t rights) {
    static const struct tas_end_owner owner = {on_event, on_turn};
    h->end = tas_end_new(h->loop, config, &owner, h);
    if (!h->end) {
        fprintf(stderr, "tasuki-headless: the ticket is not for this key, or memory is out\n");
        return false;
    }
    h->s = tas_end_session(h->end);
    h->frame_timer = tas_timer_new(h->loop, on_frame_timer, h);
    h->cursor_timer = tas_timer_new(h->loop, on_cursor_timer, h);
    h->input_timer = tas_timer_new(h->loop, input_flush, h);
    h->screen_watch =
        tas_watch_new(h->loop, h->screen_ops->fd(h->screen), TAS_READABLE, on_screen_readable, h);
    h->input_watch = tas_watch_new(h->loop, h->input_ops->fd(h->input), TAS_READABLE, on_input_readable, h);
    h->is_damaged = true;
    tas_session_grant(h->s, rights);
    return h->frame_timer && h->cursor_timer && h->input_timer && h->screen_watch && h->input_watch &&
           screen_resize(h);
}

struct host *host_start(struct tas_loop *loop, const struct host_order *order,
                        const struct headless_watcher *watcher, void *ctx, int *exit_code) {
    struct host *h = calloc(1, sizeof(*h));
    *exit_code = EXIT_FAILURE;
    if (!h)
        return NULL;
    h->loop = loop;
    h->watcher = watcher;
    h->ctx = ctx;
    if (!open_display(h, order->display))
        *exit_code = EXIT_TEMPORARY;
    else if (start(h, order->config, order->rights))
        return h;
    host_stop(h);
    return NULL;
}

void host_stop(struct host *h) {
    if (!h)
        return;
    tas_end_free(h->end);
    tas_watch_free(h->screen_watch);
    tas_watch_free(h->input_watch);
    tas_timer_free(h->frame_timer);
    tas_timer_free(h->cursor_timer);
    tas_timer_free(h->input_timer);
    if (h->input)
        h->input_ops->close(h->input);
    if (h->screen)
        h->screen_ops->close(h->screen);
    tas_picture_free(h->picture);
    free(h);
}

/* ---- the program with an end file ---- */

struct program {
    struct tas_loop *loop;
    struct headless_io *io;
    struct host *host;
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
    if (!host_command(p->host, word, rest))
        headless_say("error", ",\"text\":\"unknown command; known: " HOST_COMMANDS "\"");
}

static void on_stdin_end(void *ctx) {
    struct program *p = ctx;
    host_end(p->host);
}

static void on_signal(void *ctx, int signo) {
    (void)signo;
    on_stdin_end(ctx);
}

static const int signals[] = {SIGTERM, SIGINT};

int host_main(const struct endfile *file, const char *display, uint16_t rights) {
    static const struct headless_watcher watcher = {on_program_event, on_program_command};
    const struct host_order order = {.display = display, .config = &file->config, .rights = rights};
    struct program p = {0};
    int code = EXIT_FAILURE;
    tas_loop_block_signals(signals, 2);
    p.loop = tas_loop_new();
    if (p.loop)
        p.host = host_start(p.loop, &order, &watcher, &p, &code);
    if (p.host) {
        p.io = headless_io_new(p.loop, on_line, on_stdin_end, &p);
        bool ran = p.io && tas_loop_on_signals(p.loop, signals, 2, on_signal, &p) == TAS_OK &&
                   tas_loop_run(p.loop) == TAS_OK;
        code = ran ? host_exit_code(p.host) : EXIT_FAILURE;
    }
    headless_io_free(p.io);
    host_stop(p.host);
    if (p.loop)
        tas_loop_free(p.loop);
    return code;
}
