#include "tool/share.h"

#include "base/log.h"
#include "base/time.h"
#include "client/input.h"
#include "client/own.h"
#include "client/screen.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    FRAME_US = 1000000 / 60, /* from one picture to the next, in the long run */
    BURST_US =
        2 *
        FRAME_US, /* two may follow at once: what a program draws in several steps is seen without delay */
    CURSOR_US = 33 * 1000, /* the pointer is asked for this often, and only while somebody looks */
};

struct share {
    struct tas_loop *loop;
    struct tas_end *end;
    struct tas_session *s;
    struct tool_listener to;
    const struct tas_screen_ops *screen_ops;
    const struct tas_input_ops *input_ops;
    struct tas_screen *screen;
    struct tas_input *input;
    struct tas_own *own; /* NULL: no windows of ours */
    struct tas_watch *screen_watch, *input_watch;
    struct tas_timer *frame_timer, *cursor_timer, *input_timer;
    struct tas_picture *picture;
    uint64_t next_frame_us;
    uint32_t cursor_serial;
    bool is_viewed;
    bool is_damaged; /* events wait on the display */
    bool is_held;    /* the operator's input is dropped */
    bool has_lost_display;
};

/* ---- the screen ---- */

static bool screen_resize(struct share *share) {
    uint32_t width;
    uint32_t height;
    share->screen_ops->size(share->screen, &width, &height);
    tas_picture_free(share->picture);
    share->picture = tas_picture_new(width, height);
    if (!share->picture || tas_session_screen(share->s, width, height) != TAS_OK)
        return false;
    tool_tell(&share->to, &(struct tool_news){.kind = TOOL_SCREEN, .width = width, .height = height});
    return true;
}

static void screen_gone(struct share *share) {
    tool_tell(&share->to, &(struct tool_news){.kind = TOOL_NO_DISPLAY, .text = "the display went away"});
    tas_watch_free(share->screen_watch);
    share->screen_watch = NULL;
    share->has_lost_display = true;
    tas_session_end(share->s, TAS_END_CUSTOMER, tas_mono_us());
}

/* What a call on the screen returned. False: no picture now. */
static bool screen_ok(struct share *share, int err) {
    if (err == TAS_OK)
        return true;
    if (err == TAS_E_STATE && screen_resize(share))
        return false;
    screen_gone(share);
    return false;
}

static void send_cursor(struct share *share) {
    struct tas_screen_cursor cur;
    if (!share->is_viewed || !share->screen_watch || share->screen_ops->cursor(share->screen, &cur) != TAS_OK)
        return;
    const struct tas_msg_cursor_image image = {
        .image = cur.serial,
        .width = cur.width,
        .height = cur.height,
        .hot_x = cur.hot_x,
        .hot_y = cur.hot_y,
        .rgba = tas_bytes_of(cur.rgba, cur.serial ? (size_t)cur.width * cur.height * 4 : 0),
    };
    bool is_new = cur.serial != share->cursor_serial;
    share->cursor_serial = cur.serial;
    tas_session_cursor(share->s, cur.x, cur.y, is_new ? &image : NULL);
}

static void on_cursor_timer(void *ctx) {
    struct share *share = ctx;
    send_cursor(share);
    tas_timer_set(share->cursor_timer, share->is_viewed ? tas_mono_us() + CURSOR_US : UINT64_MAX);
}

static void offer_picture(struct share *share) {
    uint64_t now = tas_mono_us();
    if (!share->screen_watch)
        return;
    if (share->is_damaged) {
        share->is_damaged = false;
        if (!screen_ok(share, share->screen_ops->pump(share->screen, tas_session_dirty(share->s))))
            return;
    }
    if (!tas_session_wants_picture(share->s, now))
        return;
    if (now + BURST_US < share->next_frame_us) {
        tas_timer_set(share->frame_timer, share->next_frame_us - BURST_US);
        return;
    }
    if (!screen_ok(share,
                   share->screen_ops->grab(share->screen, tas_session_dirty(share->s), share->picture)))
        return;
    if (tas_session_picture(share->s, share->picture, now) != TAS_OK)
        tas_log(TAS_LOG_ERROR, "share", "not_coded", "why=\"a picture could not be coded\"");
    share->next_frame_us = (now > share->next_frame_us ? now : share->next_frame_us) + FRAME_US;
}

static void on_screen_readable(void *ctx, unsigned ready) {
    (void)ready;
    ((struct share *)ctx)->is_damaged = true;
}

static void on_frame_timer(void *ctx) {
    (void)ctx; /* the end of the turn offers the picture */
}

/* ---- input ---- */

static void input_schedule(struct share *share) {
    int ms = share->input_ops->pending_ms(share->input);
    tas_timer_set(share->input_timer, ms < 0 ? UINT64_MAX : tas_mono_us() + (uint64_t)ms * 1000);
}

static void input_flush(void *ctx) {
    struct share *share = ctx;
    (void)!share->input_ops->flush(share->input);
    input_schedule(share);
}

static void on_input_readable(void *ctx, unsigned ready) {
    (void)ready;
    input_flush(ctx);
}

/* The input's gate: nothing while a question stands, and nothing into our own windows. */
static bool may_inject(void *ctx, enum tas_input_act act, uint32_t x, uint32_t y) {
    const struct share *share = ctx;
    if (share->is_held)
        return false;
    if (act == TAS_INPUT_BUTTON || act == TAS_INPUT_WHEEL)
        return !tas_own_x11.is_at(share->own, x, y);
    return !tas_own_x11.has_keyboard(share->own);
}

static int inject(struct share *share, const struct tas_msg_input *in) {
    switch (in->kind) {
    case 1:
        return share->input_ops->key(share->input, in->keycode, in->keysym, in->is_down);
    case 2:
        return share->input_ops->pointer(share->input, in->x, in->y, in->buttons);
    case 3:
        return share->input_ops->wheel(share->input, (int16_t)in->wheel_x, (int16_t)in->wheel_y);
    default:
        return share->input_ops->text(share->input, in->text, in->n_text);
    }
}

static void on_input(struct share *share, const struct tas_msg_input *in) {
    int err = share->is_held ? TAS_E_STATE : inject(share, in);
    tool_tell(&share->to, &(struct tool_news){.kind = TOOL_INPUT, .input = in, .err = err});
    input_schedule(share);
}

static void release_all(struct share *share) {
    (void)!share->input_ops->release_all(share->input);
    tool_tell(&share->to, &(struct tool_news){.kind = TOOL_RELEASED});
}

void share_hold(struct share *share, bool is_held) {
    if (is_held && !share->is_held)
        release_all(share);
    share->is_held = is_held;
}

/* ---- events ---- */

static void on_event(void *ctx, const struct tas_event *ev) {
    struct share *share = ctx;
    switch (ev->kind) {
    case TAS_EVENT_INPUT:
        on_input(share, &ev->input);
        break;
    case TAS_EVENT_RELEASE_KEYS:
        release_all(share);
        break;
    case TAS_EVENT_VIEW:
        share->is_viewed = ev->flag;
        share->cursor_serial = 0;
        tas_timer_set(share->cursor_timer, share->is_viewed ? tas_mono_us() : UINT64_MAX);
        break;
    default:
        break;
    }
    tool_tell(&share->to, &(struct tool_news){.kind = TOOL_ENGINE, .event = ev});
}

static void on_turn(void *ctx) {
    offer_picture(ctx);
}

void share_end(struct share *share) {
    tas_session_end(share->s, TAS_END_CUSTOMER, tas_mono_us());
}

struct tas_session *share_session(struct share *share) {
    return share->s;
}

bool share_has_lost_display(const struct share *share) {
    return share->has_lost_display;
}

/* ---- start and stop ---- */

static int open_display(struct share *share, const struct share_order *order, char why[API_DETAIL]) {
    share->screen_ops = &tas_screen_x11;
    share->input_ops = &tas_input_x11;
    int err = share->screen_ops->open(&share->screen, order->display, why, API_DETAIL);
    if (err == TAS_OK)
        err = share->input_ops->open(&share->input, order->display, why, API_DETAIL);
    if (err == TAS_OK && order->own_window)
        err = tas_own_x11.open(&share->own, order->display, order->own_window, why, API_DETAIL);
    if (err == TAS_OK && share->own)
        share->input_ops->set_gate(share->input, (struct tas_input_gate){may_inject, share});
    return err;
}

static bool start(struct share *share, const struct tas_end_config *config, uint16_t rights) {
    static const struct tas_end_owner owner = {on_event, on_turn};
    share->end = tas_end_new(share->loop, config, &owner, share);
    if (!share->end)
        return false;
    share->s = tas_end_session(share->end);
    share->frame_timer = tas_timer_new(share->loop, on_frame_timer, share);
    share->cursor_timer = tas_timer_new(share->loop, on_cursor_timer, share);
    share->input_timer = tas_timer_new(share->loop, input_flush, share);
    share->screen_watch = tas_watch_new(share->loop, share->screen_ops->fd(share->screen), TAS_READABLE,
                                        on_screen_readable, share);
    share->input_watch = tas_watch_new(share->loop, share->input_ops->fd(share->input), TAS_READABLE,
                                       on_input_readable, share);
    share->is_damaged = true;
    tas_session_grant(share->s, rights);
    return share->frame_timer && share->cursor_timer && share->input_timer && share->screen_watch &&
           share->input_watch && screen_resize(share);
}

struct share *share_start(struct tas_loop *loop, const struct share_order *order, struct tool_listener to,
                          int *err, char why[API_DETAIL]) {
    struct share *share = calloc(1, sizeof(*share));
    snprintf(why, API_DETAIL, "out of memory");
    *err = TAS_E_NOMEM;
    if (!share)
        return NULL;
    share->loop = loop;
    share->to = to;
    *err = open_display(share, order, why);
    if (*err == TAS_OK) {
        if (start(share, order->config, order->rights))
            return share;
        snprintf(why, API_DETAIL, "the ticket is not for this key, or memory is out");
        *err = TAS_E_AUTH;
    }
    share_stop(share);
    return NULL;
}

void share_stop(struct share *share) {
    if (!share)
        return;
    tas_end_free(share->end);
    tas_watch_free(share->screen_watch);
    tas_watch_free(share->input_watch);
    tas_timer_free(share->frame_timer);
    tas_timer_free(share->cursor_timer);
    tas_timer_free(share->input_timer);
    if (share->input)
        share->input_ops->close(share->input);
    if (share->screen)
        share->screen_ops->close(share->screen);
    tas_own_x11.close(share->own);
    tas_picture_free(share->picture);
    free(share);
}
