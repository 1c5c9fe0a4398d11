#include "tool/share.h"

#include "base/log.h"
#include "base/time.h"
#include "client/input.h"
#include "client/own.h"
#include "client/screen.h"
#include "lossy/native.h"
#include "tool/monitors.h"
#include "tool/pointer.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    RETRY_US = 200 * 1000,   /* after a picture that could not be coded */
    VIDEO_THREADS = 1,       /* the customer's machine has other things to do */
    FRAME_US = 1000000 / 60, /* from one picture to the next, in the long run */
    BURST_US =
        2 *
        FRAME_US, /* two may follow at once: what a program draws in several steps is seen without delay */
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
    struct tas_timer *frame_timer, *input_timer;
    struct tas_lossy_coder *coder; /* of photographs and films */
    struct tas_picture *picture;
    struct tool_pointer pointer;
    struct monitors monitors;
    uint32_t monitors_serial;    /* of those that were taken in */
    struct tas_screen_area area; /* what is looked at, when is_part */
    bool is_part;
    uint64_t next_frame_us;
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

/* What is held or pressed was meant for what is no longer shown. */
static void release_all(struct share *share) {
    (void)!share->input_ops->release_all(share->input);
    tool_tell(&share->to, &(struct tool_news){.kind = TOOL_RELEASED});
}

static bool is_other_area(const struct share *share, bool is_part, const struct tas_screen_area *area) {
    return is_part != share->is_part || (is_part && memcmp(area, &share->area, sizeof(*area)) != 0);
}

/* Looks at what is to be shown now. `has_all`: the screen has just been opened or changed its size. */
static bool look_at_chosen(struct share *share, bool has_all) {
    struct tas_screen_area area = {0};
    bool is_part = monitors_area(&share->monitors, &area);
    bool is_other = is_other_area(share, is_part, &area);
    bool must_turn = has_all ? is_part : is_other;
    if (must_turn && share->screen_ops->look_at(share->screen, is_part ? &area : NULL) != TAS_OK)
        return false;
    share->is_part = is_part;
    share->area = area;
    if (!is_other && !has_all)
        return true;
    if (share->picture)
        release_all(share);
    return screen_resize(share);
}

/* Tells of the monitors, after looking at the right one. */
static bool show_chosen(struct share *share, bool has_all) {
    if (!look_at_chosen(share, has_all))
        return false;
    tas_session_monitors(share->s, &share->monitors.told);
    return true;
}

static bool take_monitors(struct share *share, bool has_all) {
    const struct tas_screen_monitors *now = share->screen_ops->monitors(share->screen);
    if (now->serial == share->monitors_serial && !has_all)
        return true;
    share->monitors_serial = now->serial;
    monitors_update(&share->monitors, now);
    return show_chosen(share, has_all);
}

static void screen_gone(struct share *share) {
    tool_tell(&share->to, &(struct tool_news){.kind = TOOL_NO_DISPLAY, .text = "the display went away"});
    tas_watch_free(share->screen_watch);
    share->screen_watch = NULL;
    tool_pointer_watch(&share->pointer, false);
    share->has_lost_display = true;
    tas_session_end(share->s, TAS_END_CUSTOMER, tas_mono_us());
}

/* What a call on the screen returned. False: no picture now. */
static bool screen_ok(struct share *share, int err) {
    if (err == TAS_OK)
        return true;
    if (err == TAS_E_STATE && take_monitors(share, true)) {
        tas_timer_set(share->frame_timer, tas_mono_us()); /* everything is due */
        return false;
    }
    screen_gone(share);
    return false;
}

/* Takes in what the display says. False: no picture now. */
static bool pump(struct share *share) {
    int err = share->screen_ops->pump(share->screen, tas_session_dirty(share->s));
    if (!screen_ok(share, err))
        return false;
    tool_pointer_pumped(&share->pointer);
    if (take_monitors(share, false))
        return true;
    screen_gone(share);
    return false;
}

static void choose_monitor(struct share *share, unsigned wanted) {
    uint8_t shown = share->monitors.told.shown;
    monitors_choose(&share->monitors, (uint8_t)wanted);
    bool is_refused = share->monitors.told.shown != wanted && wanted != TAS_MONITOR_ANY;
    if (!share->screen_watch || (share->monitors.told.shown == shown && !is_refused))
        return;
    tas_log(TAS_LOG_INFO, "share", "monitor", "shown=%u of=%u", share->monitors.told.shown,
            share->monitors.told.n);
    if (!show_chosen(share, false))
        screen_gone(share);
}

static void offer_picture(struct share *share) {
    uint64_t now = tas_mono_us();
    if (!share->screen_watch)
        return;
    if (share->is_damaged) {
        share->is_damaged = false;
        if (!pump(share))
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
    uint64_t start = tas_mono_us();
    if (tas_session_picture(share->s, share->picture, start) != TAS_OK) {
        tas_log(TAS_LOG_ERROR, "share", "not_coded", "why=\"a picture could not be coded\"");
        tas_timer_set(share->frame_timer, start + RETRY_US);
        return;
    }
    tas_session_coded(share->s, tas_mono_us() - start);
    if (tas_tiles_count(tas_session_dirty(share->s)) > 0)
        tas_timer_set(share->frame_timer, start); /* the rest at once, but after what has come in meanwhile */
    else
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

/* Places are told relative to what is looked at. */
static int inject(struct share *share, const struct tas_msg_input *in) {
    uint32_t left = share->is_part ? share->area.x : 0;
    uint32_t top = share->is_part ? share->area.y : 0;
    switch (in->kind) {
    case 1:
        return share->input_ops->key(share->input, in->keycode, in->keysym, in->is_down);
    case 2:
        return share->input_ops->pointer(share->input, left + in->x, top + in->y, in->buttons);
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
        choose_monitor(share, ev->number);
        tool_pointer_watch(&share->pointer, ev->flag && share->screen_watch);
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

static bool start(struct share *share, const struct share_order *order) {
    static const struct tas_end_owner owner = {on_event, on_turn};
    struct tas_end_config with_coder = *order->config;
    share->coder = tas_lossy_coder_new(order->films ? order->films : &tas_video_vp8, VIDEO_THREADS);
    if (!share->coder)
        return false;
    with_coder.session.rough = tas_lossy_coder_ops(share->coder);
    share->end = tas_end_new(share->loop, &with_coder, &owner, share);
    if (!share->end)
        return false;
    share->s = tas_end_session(share->end);
    share->frame_timer = tas_timer_new(share->loop, on_frame_timer, share);
    share->input_timer = tas_timer_new(share->loop, input_flush, share);
    share->screen_watch = tas_watch_new(share->loop, share->screen_ops->fd(share->screen), TAS_READABLE,
                                        on_screen_readable, share);
    share->input_watch = tas_watch_new(share->loop, share->input_ops->fd(share->input), TAS_READABLE,
                                       on_input_readable, share);
    share->is_damaged = true;
    tas_session_grant(share->s, order->rights);
    return tool_pointer_open(&share->pointer, share->loop, share->screen_ops, share->screen, share->s) &&
           share->frame_timer && share->input_timer && share->screen_watch && share->input_watch &&
           take_monitors(share, true);
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
        if (start(share, order))
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
    tas_lossy_coder_free(share->coder);
    tas_watch_free(share->screen_watch);
    tas_watch_free(share->input_watch);
    tas_timer_free(share->frame_timer);
    tool_pointer_close(&share->pointer);
    tas_timer_free(share->input_timer);
    if (share->input)
        share->input_ops->close(share->input);
    if (share->screen)
        share->screen_ops->close(share->screen);
    tas_own_x11.close(share->own);
    tas_picture_free(share->picture);
    free(share);
}
