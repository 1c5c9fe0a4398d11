/* The customer's X11 pointer and keys, by XTEST.
 *
 * What cannot be done at once waits in one queue, in order: text, and the keys, clicks and wheel turns after
 * it (a click may move the focus away from where the text belongs). A character goes through its own key when
 * the layout has it with no more than Shift or AltGr, else through a lent keycode (lend_private.h). Modifiers
 * that the operator holds would turn text into shortcuts: they are let go before the first character and
 * pressed again after the last. Those that the customer holds on a real keyboard stay.
 *
 * The server repeats a held key without asking the gate. It decides on that when the key is pressed: with a
 * gate, the key is pressed as one that does not repeat, and repeated from here. */
#include "client/input.h"

#include "base/time.h"
#include "client/x11/conn_private.h"
#include "client/x11/keymap_private.h"
#include "client/x11/lend_private.h"

#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xcb/xkb.h>
#include <xcb/xtest.h>
#include <xkbcommon/xkbcommon-keysyms.h>
#include <xkbcommon/xkbcommon.h>

enum {
    TEXT_MAX = 4096,  /* steps in the queue beyond which no text is taken */
    QUEUE_MAX = 5120, /* steps; what is above TEXT_MAX is for the keys, clicks and turns behind the text */
    BURST = 64,       /* steps at a time: a program that reads slowly shall not drown */
    BURST_PAUSE_US = 4000,
    SETTLE_US = 3000, /* from lending to pressing: input methods learn of it on connections of their own */
    IDLE_US = 1000 * 1000, /* after so long without text the keycodes are given back */
    LOOK_AHEAD = 256,      /* steps searched for more characters to lend for */
    EVDEV_TO_X = 8,
    EVDEV_MAX = 247,
    WHEEL_MAX = 32,
    LOOK_US = 50 * 1000, /* how often the gate is asked about keys that are held */
    REPEAT_BYTES = 32,
    REPEAT_MIN_US = 5 * 1000, /* from one repetition to the next, whatever the server is set to */
};

enum step_kind {
    STEP_CHAR,
    STEP_KEY,
    STEP_POINTER,
    STEP_WHEEL,
};

struct step {
    uint8_t kind;
    bool is_down;  /* KEY; POINTER: the buttons are not those of before */
    uint16_t code; /* KEY: evdev; POINTER: buttons */
    uint32_t a;    /* CHAR: keysym; KEY: keysym; POINTER: x; WHEEL: dx */
    uint32_t b;    /* POINTER: y; WHEEL: dy */
};

struct tas_input {
    struct tas_x11_conn conn;
    struct tas_x11_keymap *map;
    struct tas_x11_pool *pool;
    uint8_t xkb_event;
    struct step queue[QUEUE_MAX]; /* a ring */
    size_t first, count;
    uint64_t due_us;                   /* no step before this moment */
    bool in_text;                      /* the operator's modifiers are let go */
    bool is_text_refused;              /* by the gate */
    bool is_state_fresh;               /* the state of the modifiers was asked in this run */
    uint8_t held[256];                 /* by how many of the operator's keys this X keycode is held */
    uint8_t pressed_as[EVDEV_MAX + 1]; /* the X keycode that the operator's key holds; 0 none */
    unsigned buttons;                  /* held; bits as in pointer() */
    unsigned asked;                    /* held by the operator: also what the gate refused */
    unsigned said;                     /* as of the last call, which may wait */
    struct tas_input_gate gate;
    uint64_t looked_us;              /* when the gate was asked about keys last */
    uint8_t repeats[REPEAT_BYTES];   /* keys that the server repeats, as of the last press; a bit each */
    uint8_t repeat_key;              /* X keycode, 0 none; */
    uint64_t repeat_us, interval_us; /* when next, and how often */
};

static void fake(struct tas_input *in, uint8_t type, uint8_t detail) {
    xcb_test_fake_input(in->conn.xcb, type, detail, XCB_CURRENT_TIME, XCB_NONE, 0, 0, 0);
}

static void tap(struct tas_input *in, uint8_t keycode) {
    fake(in, XCB_KEY_PRESS, keycode);
    fake(in, XCB_KEY_RELEASE, keycode);
}

static int flushed(struct tas_input *in) {
    return xcb_flush(in->conn.xcb) > 0 ? TAS_OK : TAS_E_ABSENT;
}

/* --- the gate
 * ----------------------------------------------------------------------------------------------- */

/* The answer tells where the pointer is after all that was sent before. */
static bool may(struct tas_input *in, enum tas_input_act act) {
    xcb_connection_t *xcb = in->conn.xcb;

    if (!in->gate.may)
        return true;
    xcb_query_pointer_reply_t *at =
        xcb_query_pointer_reply(xcb, xcb_query_pointer(xcb, in->conn.screen->root), NULL);
    bool is_allowed = at && at->root_x >= 0 && at->root_y >= 0 &&
                      in->gate.may(in->gate.ctx, act, (uint32_t)at->root_x, (uint32_t)at->root_y);
    free(at);
    return is_allowed;
}

/* What is let go for text is up already. */
static void let_go_keys(struct tas_input *in) {
    for (unsigned key = 0; key < 256; key++)
        if (in->held[key] && !(in->in_text && tas_x11_keymap_is_modifier(in->map, (uint8_t)key)))
            fake(in, XCB_KEY_RELEASE, (uint8_t)key);
    memset(in->held, 0, sizeof(in->held));
    memset(in->pressed_as, 0, sizeof(in->pressed_as));
    in->repeat_key = 0;
    in->in_text = false;
}

/* Where no key may be pressed, none may stay down either. */
static bool may_type(struct tas_input *in, enum tas_input_act act) {
    in->looked_us = tas_mono_us();
    if (may(in, act))
        return true;
    let_go_keys(in);
    return false;
}

static bool is_any_held(const struct tas_input *in) {
    for (unsigned key = 0; key < 256; key++)
        if (in->held[key])
            return true;
    return false;
}

/* Not by the core request: that one marks the key in the keymap for ever. */
static void set_repeats(struct tas_input *in, const uint8_t keys[REPEAT_BYTES]) {
    xcb_xkb_set_controls(in->conn.xcb, XCB_XKB_ID_USE_CORE_KBD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                         XCB_XKB_CONTROL_PER_KEY_REPEAT, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, keys);
}

static void press_silently(struct tas_input *in, uint8_t key) {
    uint8_t without[REPEAT_BYTES];
    memcpy(without, in->repeats, sizeof(without));
    without[key / 8] &= (uint8_t) ~(1u << key % 8);
    set_repeats(in, without);
    fake(in, XCB_KEY_PRESS, key);
    set_repeats(in, in->repeats);
}

/* Begins to repeat it if the server would. */
static void press_key(struct tas_input *in, uint8_t key) {
    xcb_connection_t *xcb = in->conn.xcb;
    xcb_xkb_get_controls_reply_t *c = NULL;

    if (in->gate.may)
        c = xcb_xkb_get_controls_reply(xcb, xcb_xkb_get_controls(xcb, XCB_XKB_ID_USE_CORE_KBD), NULL);
    if (c && c->enabledControls & XCB_XKB_BOOL_CTRL_REPEAT_KEYS && c->perKeyRepeat[key / 8] & 1u << key % 8) {
        memcpy(in->repeats, c->perKeyRepeat, sizeof(in->repeats));
        press_silently(in, key);
        in->repeat_key = key;
        in->repeat_us = tas_mono_us() + c->repeatDelay * 1000ull;
        in->interval_us = c->repeatInterval * 1000ull;
        if (in->interval_us < REPEAT_MIN_US)
            in->interval_us = REPEAT_MIN_US;
    } else {
        fake(in, XCB_KEY_PRESS, key);
    }
    free(c);
}

/* When tend_keys() has something to do. Behind text nothing repeats: the release may wait there as well. */
static uint64_t tend_due_us(const struct tas_input *in) {
    if (!in->gate.may || !is_any_held(in))
        return UINT64_MAX;
    uint64_t look_us = in->looked_us + LOOK_US;
    return in->repeat_key && in->count == 0 && in->repeat_us < look_us ? in->repeat_us : look_us;
}

static void tend_keys(struct tas_input *in, uint64_t now_us) {
    if (now_us < tend_due_us(in) || !may_type(in, TAS_INPUT_KEY))
        return;
    if (in->repeat_key == 0 || in->count > 0 || now_us < in->repeat_us)
        return;
    fake(in, XCB_KEY_RELEASE, in->repeat_key);
    press_silently(in, in->repeat_key);
    in->repeat_us = now_us + in->interval_us;
}

/* --- events
 * ------------------------------------------------------------------------------------------------- */

static void on_event(struct tas_input *in, const xcb_generic_event_t *event) {
    if ((event->response_type & 0x7f) != in->xkb_event)
        return;
    const xcb_xkb_map_notify_event_t *e = (const void *)event; /* all XKB events begin alike */
    if (e->xkbType == XCB_XKB_MAP_NOTIFY && e->changed == XCB_XKB_MAP_PART_KEY_SYMS &&
        tas_x11_pool_made(in->pool, e->firstKeySym, e->nKeySyms))
        return;
    tas_x11_keymap_spoil(in->map);
}

static void take_events(struct tas_input *in) {
    xcb_generic_event_t *event;

    tas_x11_conn_lower(&in->conn);
    while ((event = xcb_poll_for_event(in->conn.xcb)) != NULL) {
        on_event(in, event);
        free(event);
    }
}

/* See take_queued() of screen_x11.c; here nothing is left to be done at once, only to be remembered. */
static void take_queued(struct tas_input *in) {
    xcb_generic_event_t *event;

    while ((event = xcb_poll_for_queued_event(in->conn.xcb)) != NULL) {
        on_event(in, event);
        free(event);
    }
}

/* The layout and the modifiers as they are now. */
static int refresh(struct tas_input *in) {
    bool is_new_layout = tas_x11_keymap_is_spoiled(in->map);
    int err = tas_x11_keymap_refresh(in->map);
    if (err == TAS_OK && is_new_layout)
        err = tas_x11_pool_sync(in->pool);
    return err;
}

/* --- text
 * --------------------------------------------------------------------------------------------------- */

/* The keysym to type a code point with; 0: it cannot be typed. U+0020-7E and A0-FF are their own keysyms, the
 * rest have 0x01000000 added: programs do not take 0x010000e9 for an e with acute. */
static uint32_t sym_of(uint32_t cp) {
    if (cp == '\n' || cp == '\r')
        return XKB_KEY_Return;
    if (cp == '\t')
        return XKB_KEY_Tab;
    if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || (cp >= 0xd800 && cp <= 0xdfff) || cp > 0x10ffff)
        return 0;
    return cp < 0x100 ? cp : 0x01000000 + cp;
}

/* Lets the operator's modifiers go (XCB_KEY_RELEASE), or presses them again (XCB_KEY_PRESS). */
static void move_modifiers(struct tas_input *in, uint8_t type) {
    for (unsigned key = 0; key < 256; key++)
        if (in->held[key] && tas_x11_keymap_is_modifier(in->map, (uint8_t)key))
            fake(in, type, (uint8_t)key);
}

static void begin_text(struct tas_input *in) {
    if (!in->in_text)
        move_modifiers(in, XCB_KEY_RELEASE);
    in->in_text = true;
}

static void end_text(struct tas_input *in) {
    if (in->in_text && is_any_held(in) && may_type(in, TAS_INPUT_KEY))
        move_modifiers(in, XCB_KEY_PRESS);
    in->in_text = false;
}

static void press_stroke(struct tas_input *in, const struct tas_x11_stroke *stroke) {
    for (unsigned i = 0; i < stroke->n_mods; i++)
        fake(in, XCB_KEY_PRESS, stroke->mod_keys[i]);
    tap(in, stroke->keycode);
    for (unsigned i = stroke->n_mods; i-- > 0;)
        fake(in, XCB_KEY_RELEASE, stroke->mod_keys[i]);
}

/* Through the layout's own keys? Not while the operator holds that very key: it could not be pressed again.
 */
static bool type_direct(struct tas_input *in, uint32_t sym) {
    struct tas_x11_stroke stroke;

    if (!tas_x11_keymap_stroke(in->map, sym, tas_x11_pool_codes(in->pool), &stroke) ||
        in->held[stroke.keycode])
        return false;
    press_stroke(in, &stroke);
    return true;
}

static const struct step *step_at(const struct tas_input *in, size_t i) {
    return &in->queue[(in->first + i) % QUEUE_MAX];
}

static bool is_among(uint32_t sym, const uint32_t *syms, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (syms[i] == sym)
            return true;
    return false;
}

/* The characters at the front of the queue that need a lent keycode, each once, up to `cap`. */
static size_t collect_wishes(const struct tas_input *in, uint32_t *syms, size_t cap) {
    struct tas_x11_stroke stroke;
    size_t n = 0;

    for (size_t i = 0; i < in->count && i < LOOK_AHEAD && n < cap; i++) {
        const struct step *step = step_at(in, i);
        if (step->kind != STEP_CHAR || is_among(step->a, syms, n))
            continue;
        /* The first is here because its own key cannot be used. */
        if (i == 0 || !tas_x11_keymap_stroke(in->map, step->a, tas_x11_pool_codes(in->pool), &stroke))
            syms[n++] = step->a;
    }
    return n;
}

/* TAS_E_MORE: due_us says when to go on. */
static int lend_for_text(struct tas_input *in) {
    uint32_t syms[256];
    uint64_t wait_us = SETTLE_US;
    size_t cap = tas_x11_pool_size(in->pool) < 256 ? tas_x11_pool_size(in->pool) : 256;
    size_t n = collect_wishes(in, syms, cap);

    if (n == 0)
        return TAS_E_LIMIT;
    int err = tas_x11_pool_lend(in->pool, syms, n, tas_mono_us(), &wait_us);
    take_queued(in);
    if (err != TAS_OK && err != TAS_E_MORE)
        return err;
    in->due_us = tas_mono_us() + wait_us;
    return TAS_E_MORE;
}

/* TAS_E_RIGHT: not into this window, nor what follows. */
static int type_char(struct tas_input *in, uint32_t sym) {
    if (!may_type(in, TAS_INPUT_TEXT))
        return TAS_E_RIGHT;
    begin_text(in);
    if (!in->is_state_fresh) {
        int err = refresh(in);
        if (err != TAS_OK)
            return err;
        in->is_state_fresh = true;
    }
    if (type_direct(in, sym))
        return TAS_OK;
    uint8_t key = tas_x11_pool_key(in->pool, sym);
    if (key == 0)
        return lend_for_text(in);
    tap(in, key);
    tas_x11_pool_touch(in->pool, key, tas_mono_us());
    return TAS_OK;
}

/* --- keys
 * --------------------------------------------------------------------------------------------------- */

static bool is_character(uint32_t sym) {
    uint32_t cp = xkb_keysym_to_utf32(sym);
    return cp >= 0x20 && cp != 0x7f;
}

/* Home for KP_Home and the like: with Num Lock on, the customer's keypad has digits only. 0: not one of them.
 */
static uint32_t beside_keypad(uint32_t sym) {
    if (sym >= XKB_KEY_KP_Home && sym <= XKB_KEY_KP_Begin)
        return sym - XKB_KEY_KP_Home + XKB_KEY_Home;
    if (sym == XKB_KEY_KP_Insert)
        return XKB_KEY_Insert;
    return sym == XKB_KEY_KP_Delete ? XKB_KEY_Delete : 0;
}

/* The X keycode to press for the operator's key, 0 none; then *as_text is the keysym to be typed instead, if
 * any. */
static uint8_t choose_key(const struct tas_input *in, uint8_t own, uint32_t sym, uint32_t *as_text) {
    const uint8_t *skip = tas_x11_pool_codes(in->pool);
    bool is_usable = !skip[own] && tas_x11_keymap_is_bound(in->map, own);

    *as_text = 0;
    if (sym == 0)
        return is_usable ? own : 0;
    if (is_usable && tas_x11_keymap_means(in->map, own, sym))
        return own;
    uint8_t other = tas_x11_keymap_find(in->map, sym, skip);
    if (other == 0 && beside_keypad(sym) != 0)
        other = tas_x11_keymap_find(in->map, beside_keypad(sym), skip);
    if (other != 0)
        return other;
    bool is_alike = !is_character(sym) && !is_character(tas_x11_keymap_sym(in->map, own));
    if (is_usable && (is_alike || tas_x11_keymap_is_shortcut(in->map)))
        return own; /* programs find shortcuts by the key when another script is on: Ctrl+C with a Russian
                       layout */
    if (is_character(sym))
        *as_text = sym_of(xkb_keysym_to_utf32(sym));
    return 0;
}

static void key_up(struct tas_input *in, uint16_t code) {
    uint8_t key = in->pressed_as[code];
    in->pressed_as[code] = 0;
    if (key == 0 || --in->held[key] > 0)
        return;
    fake(in, XCB_KEY_RELEASE, key);
    if (key == in->repeat_key)
        in->repeat_key = 0;
}

/* *as_text: see choose_key(). TAS_E_LIMIT: nothing to press. TAS_E_RIGHT. */
static int key_down(struct tas_input *in, uint16_t code, uint32_t sym, uint32_t *as_text) {
    *as_text = 0;
    if (!may_type(in, TAS_INPUT_KEY))
        return TAS_E_RIGHT;
    if (in->pressed_as[code] != 0)
        return TAS_OK; /* it repeats by itself */
    int err = refresh(in);
    if (err != TAS_OK)
        return err;
    uint8_t key = choose_key(in, (uint8_t)(code + EVDEV_TO_X), sym, as_text);
    if (key == 0)
        return *as_text ? TAS_OK : TAS_E_LIMIT;
    in->pressed_as[code] = key;
    if (in->held[key]++ == 0)
        press_key(in, key);
    return TAS_OK;
}

/* --- the queue
 * ---------------------------------------------------------------------------------------------- */

/* TAS_E_RIGHT: nothing new was pressed. */
static int do_pointer(struct tas_input *in, uint32_t x, uint32_t y, unsigned buttons) {
    int16_t px = (int16_t)(x < INT16_MAX ? x : INT16_MAX); /* the server clips to the screen */
    int16_t py = (int16_t)(y < INT16_MAX ? y : INT16_MAX);

    xcb_test_fake_input(in->conn.xcb, XCB_MOTION_NOTIFY, 0, XCB_CURRENT_TIME, in->conn.screen->root, px, py,
                        0);
    unsigned fresh = buttons & ~in->asked;
    bool is_refused = fresh != 0 && !may(in, TAS_INPUT_BUTTON);
    unsigned held = (in->buttons & buttons) | (is_refused ? 0 : fresh);
    for (unsigned bit = 0; bit < 3; bit++)
        if ((in->buttons ^ held) & 1u << bit)
            fake(in, held & 1u << bit ? XCB_BUTTON_PRESS : XCB_BUTTON_RELEASE, (uint8_t)(bit + 1));
    in->buttons = held;
    in->asked = buttons;
    return is_refused ? TAS_E_RIGHT : TAS_OK;
}

static void turn(struct tas_input *in, int notches, uint8_t back, uint8_t forth) {
    uint8_t button = notches < 0 ? back : forth;
    int n = notches < 0 ? -notches : notches;

    for (int i = 0; i < n && i < WHEEL_MAX; i++) {
        fake(in, XCB_BUTTON_PRESS, button);
        fake(in, XCB_BUTTON_RELEASE, button);
    }
}

static int do_wheel(struct tas_input *in, int dx, int dy) {
    if (!may(in, TAS_INPUT_WHEEL))
        return TAS_E_RIGHT;
    turn(in, dy, 4, 5);
    turn(in, dx, 6, 7);
    return TAS_OK;
}

/* A key whose turn has come after text. One that is to be typed becomes a character, and stays at the front.
 */
static int do_key(struct tas_input *in, struct step *step) {
    uint32_t as_text;

    end_text(in);
    if (!step->is_down) {
        key_up(in, step->code);
        return TAS_OK;
    }
    int err = key_down(in, step->code, step->a, &as_text);
    if (err == TAS_OK && as_text != 0)
        *step = (struct step){.kind = STEP_CHAR, .a = as_text};
    in->is_state_fresh = false;
    return err == TAS_OK && as_text != 0 ? TAS_E_STATE : err;
}

/* TAS_OK: done. TAS_E_STATE: look at it again. TAS_E_MORE: later, at due_us. TAS_E_LIMIT, TAS_E_RIGHT: never;
 * nobody waits for that answer. */
static int do_step(struct tas_input *in, struct step *step) {
    switch ((enum step_kind)step->kind) {
    case STEP_CHAR:
        return type_char(in, step->a);
    case STEP_KEY:
        return do_key(in, step);
    case STEP_POINTER:
        end_text(in);
        return do_pointer(in, step->a, step->b, step->code);
    case STEP_WHEEL:
        end_text(in);
        return do_wheel(in, (int)step->a, (int)step->b);
    }
    return TAS_E_LIMIT;
}

static void push(struct tas_input *in, struct step step) {
    assert(in->count < QUEUE_MAX);
    in->queue[(in->first + in->count++) % QUEUE_MAX] = step;
}

static void pop(struct tas_input *in) {
    in->queue[in->first] = (struct step){0}; /* what was typed is the customer's */
    in->first = (in->first + 1) % QUEUE_MAX;
    in->count--;
}

static void drop_text(struct tas_input *in) {
    while (in->count > 0 && in->queue[in->first].kind == STEP_CHAR)
        pop(in);
    in->is_text_refused = true;
}

static int run_queue(struct tas_input *in) {
    in->is_state_fresh = false;
    for (int n = 0; in->count > 0; n++) {
        if (n == BURST) {
            in->due_us = tas_mono_us() + BURST_PAUSE_US;
            return TAS_OK;
        }
        int err = do_step(in, &in->queue[in->first]);
        if (err == TAS_E_MORE)
            return TAS_OK;
        if (err == TAS_E_ABSENT || err == TAS_E_NOMEM)
            return err;
        if (err == TAS_E_RIGHT && in->queue[in->first].kind == STEP_CHAR)
            drop_text(in);
        else if (err != TAS_E_STATE)
            pop(in);
    }
    end_text(in);
    return TAS_OK;
}

static bool is_time_to_restore(const struct tas_input *in, uint64_t now_us) {
    return in->count == 0 && tas_x11_pool_is_lent(in->pool) &&
           now_us >= tas_x11_pool_used_us(in->pool) + IDLE_US;
}

/* Does what can be done now. */
static int run(struct tas_input *in) {
    uint64_t now_us = tas_mono_us();
    int err = TAS_OK;

    take_events(in);
    if (tas_x11_conn_is_dead(&in->conn))
        return TAS_E_ABSENT;
    if (in->count > 0 && now_us >= in->due_us)
        err = run_queue(in);
    else if (is_time_to_restore(in, now_us))
        err = tas_x11_pool_restore(in->pool);
    tend_keys(in, tas_mono_us());
    take_queued(in);
    return err == TAS_OK ? flushed(in) : err;
}

/* --- the table's functions
 * ---------------------------------------------------------------------------------- */

/* A program that was killed leaves keys and buttons pressed: XTEST's devices outlive their users. */
static void release_left_over(struct tas_input *in) {
    xcb_connection_t *xcb = in->conn.xcb;
    xcb_query_keymap_cookie_t keymap = xcb_query_keymap(xcb);
    xcb_query_pointer_cookie_t pointer = xcb_query_pointer(xcb, in->conn.screen->root);
    xcb_query_keymap_reply_t *keys = xcb_query_keymap_reply(xcb, keymap, NULL);
    xcb_query_pointer_reply_t *at = xcb_query_pointer_reply(xcb, pointer, NULL);

    for (unsigned key = 8; keys && key < 256; key++)
        if (keys->keys[key / 8] & 1u << key % 8)
            fake(in, XCB_KEY_RELEASE, (uint8_t)key);
    for (unsigned bit = 0; at && bit < 3; bit++)
        if (at->mask & XCB_BUTTON_MASK_1 << bit)
            fake(in, XCB_BUTTON_RELEASE, (uint8_t)(bit + 1));
    free(keys);
    free(at);
}

/* False: the server does not speak version 1.0, which is from 1996. */
static bool use_xkb(struct tas_input *in) {
    xcb_connection_t *xcb = in->conn.xcb;
    xcb_xkb_use_extension_reply_t *use =
        xcb_xkb_use_extension_reply(xcb, xcb_xkb_use_extension(xcb, 1, 0), NULL);
    bool is_supported = use && use->supported;
    free(use);
    in->xkb_event = xcb_get_extension_data(xcb, &xcb_xkb_id)->first_event;
    return is_supported;
}

static int set_up(struct tas_input *in, char *why, size_t why_cap) {
    int err = tas_x11_conn_need(&in->conn, &xcb_test_id, "XTEST", why, why_cap);
    if (err == TAS_OK)
        err = tas_x11_conn_need(&in->conn, &xcb_xkb_id, "XKEYBOARD", why, why_cap);
    if (err != TAS_OK)
        return err;
    snprintf(why, why_cap, "The X11 server's XKEYBOARD extension is too old: version 1.0 is needed.");
    if (!use_xkb(in))
        return TAS_E_ABSENT;
    release_left_over(in);
    uint16_t device = tas_x11_xtest_keyboard(&in->conn);
    in->pool = tas_x11_pool_new(&in->conn, device);
    if (!in->pool) {
        snprintf(why, why_cap, "The keyboard map of the X11 display cannot be read.");
        return TAS_E_ABSENT;
    }
    err = tas_x11_keymap_new(&in->map, &in->conn, device, why, why_cap);
    if (err == TAS_OK)
        take_queued(in);
    return err;
}

static int x11_release_all(struct tas_input *in) {
    memset(in->queue, 0, sizeof(in->queue));
    in->count = 0;
    let_go_keys(in);
    for (unsigned bit = 0; bit < 3; bit++)
        if (in->buttons & 1u << bit)
            fake(in, XCB_BUTTON_RELEASE, (uint8_t)(bit + 1));
    in->buttons = in->asked = in->said = 0;
    return flushed(in);
}

/* Programs that have yet to read the last character must find it in the map. */
static void restore_at_close(struct tas_input *in) {
    uint64_t now_us = tas_mono_us();
    uint64_t safe_us = tas_x11_pool_used_us(in->pool) + TAS_X11_REUSE_US;

    if (!tas_x11_pool_is_lent(in->pool))
        return;
    if (now_us < safe_us)
        poll(NULL, 0, (int)((safe_us - now_us) / 1000 + 1));
    int err = tas_x11_pool_restore(in->pool);
    (void)err; /* the display is gone, and the map with it */
}

/* Waits until the server has carried out all requests. Closing a Unix socket with events in it that were not
 * read makes the server lose what it has not read either: keys would stay pressed. */
static void finish(struct tas_input *in) {
    free(xcb_get_input_focus_reply(in->conn.xcb, xcb_get_input_focus(in->conn.xcb), NULL));
}

static void x11_close(struct tas_input *in) {
    if (!in)
        return;
    if (in->map && in->pool && x11_release_all(in) == TAS_OK) {
        restore_at_close(in);
        finish(in);
    }
    tas_x11_keymap_free(in->map);
    tas_x11_pool_free(in->pool);
    tas_x11_conn_close(&in->conn);
    free(in);
}

static int x11_open(struct tas_input **out, const char *display, char *why, size_t why_cap) {
    struct tas_input *in = calloc(1, sizeof(*in));
    if (!in) {
        snprintf(why, why_cap, "Out of memory.");
        return TAS_E_NOMEM;
    }
    int err = tas_x11_conn_open(&in->conn, display, why, why_cap);
    if (err == TAS_OK)
        err = set_up(in, why, why_cap);
    if (err == TAS_OK)
        err = flushed(in);
    if (err != TAS_OK) {
        x11_close(in);
        return err;
    }
    if (why_cap > 0)
        why[0] = '\0';
    *out = in;
    return TAS_OK;
}

static void x11_set_gate(struct tas_input *in, struct tas_input_gate gate) {
    in->gate = gate;
}

/* Behind what waits, if anything does. */
static int put_off(struct tas_input *in, struct step step) {
    if (in->count == QUEUE_MAX)
        return TAS_E_FULL;
    push(in, step);
    return run(in);
}

/* What was done at once: with the answer of the gate, after which events may be in. */
static int done(struct tas_input *in, int err) {
    take_queued(in);
    return flushed(in) == TAS_OK ? err : TAS_E_ABSENT;
}

static int x11_key(struct tas_input *in, uint16_t code, uint32_t sym, bool is_down) {
    uint32_t as_text;

    if (code == 0 || code > EVDEV_MAX)
        return TAS_E_LIMIT;
    if (in->count > 0)
        return put_off(in, (struct step){.kind = STEP_KEY, .is_down = is_down, .code = code, .a = sym});
    if (!is_down) {
        key_up(in, code);
        return flushed(in);
    }
    take_events(in);
    int err = done(in, key_down(in, code, sym, &as_text));
    if (err == TAS_OK && as_text != 0)
        return put_off(in, (struct step){.kind = STEP_CHAR, .a = as_text});
    return err;
}

/* Moves need not all be remembered: the last counts. Where a button was pressed or released does. */
static int put_off_pointer(struct tas_input *in, uint32_t x, uint32_t y, unsigned buttons) {
    struct step *last = &in->queue[(in->first + in->count - 1) % QUEUE_MAX];
    struct step step = {
        .kind = STEP_POINTER, .is_down = buttons != in->said, .code = (uint16_t)buttons, .a = x, .b = y};

    if (last->kind == STEP_POINTER && !last->is_down && !step.is_down)
        *last = step;
    else if (in->count == QUEUE_MAX)
        return TAS_E_FULL;
    else
        push(in, step);
    in->said = buttons;
    return run(in);
}

static int x11_pointer(struct tas_input *in, uint32_t x, uint32_t y, unsigned buttons) {
    if (in->count > 0)
        return put_off_pointer(in, x, y, buttons & 7);
    in->said = buttons & 7;
    return done(in, do_pointer(in, x, y, buttons & 7));
}

static int x11_wheel(struct tas_input *in, int dx, int dy) {
    if (in->count > 0)
        return put_off(in, (struct step){.kind = STEP_WHEEL, .a = (uint32_t)dx, .b = (uint32_t)dy});
    return done(in, do_wheel(in, dx, dy));
}

static int x11_text(struct tas_input *in, const uint32_t *cps, size_t n) {
    bool is_first = in->count == 0;
    size_t n_good = 0;

    while (n_good < n && sym_of(cps[n_good]) != 0)
        n_good++;
    if (n_good + in->count > TEXT_MAX)
        return TAS_E_FULL;
    for (size_t i = 0; i < n_good; i++)
        push(in, (struct step){.kind = STEP_CHAR, .a = sym_of(cps[i])});
    in->is_text_refused = false;
    int err = run(in);
    if (err == TAS_OK && is_first && in->is_text_refused)
        return TAS_E_RIGHT;
    return err == TAS_OK && n_good < n ? TAS_E_LIMIT : err;
}

static int ms_until(uint64_t then_us, uint64_t now_us) {
    return then_us <= now_us ? 0 : (int)((then_us - now_us + 999) / 1000);
}

static int x11_pending_ms(const struct tas_input *in) {
    uint64_t due_us = tend_due_us(in);
    uint64_t work_us = UINT64_MAX;

    if (in->count > 0)
        work_us = in->due_us;
    else if (tas_x11_pool_is_lent(in->pool))
        work_us = tas_x11_pool_used_us(in->pool) + IDLE_US;
    if (work_us < due_us)
        due_us = work_us;
    return due_us == UINT64_MAX ? -1 : ms_until(due_us, tas_mono_us());
}

static int x11_fd(const struct tas_input *in) {
    return in->conn.epoll;
}

const struct tas_input_ops tas_input_x11 = {
    .name = "x11",
    .open = x11_open,
    .close = x11_close,
    .set_gate = x11_set_gate,
    .key = x11_key,
    .pointer = x11_pointer,
    .wheel = x11_wheel,
    .text = x11_text,
    .release_all = x11_release_all,
    .pending_ms = x11_pending_ms,
    .flush = run,
    .fd = x11_fd,
};
