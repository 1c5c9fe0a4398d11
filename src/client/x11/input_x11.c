/* The customer's X11 pointer and keys, by XTEST.
 *
 * What cannot be done at once waits in one queue, in order: text, and the keys, clicks and wheel turns after
 * it (a click may move the focus away from where the text belongs). A character goes through its own key when
 * the layout has it with no more than Shift or AltGr, else through a lent keycode (lend_private.h). Modifiers
 * that the operator holds would turn text into shortcuts: they are let go before the first character and
 * pressed again after the last. Those that the customer holds on a real keyboard stay. */
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
#include <xkbcommon/xkbcommon-x11.h>
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
};

enum step_kind {
    STEP_CHAR,
    STEP_KEY,
    STEP_POINTER,
    STEP_WHEEL,
};

struct step {
    uint8_t kind;
    bool is_down;  /* KEY */
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
    bool is_state_fresh;               /* the state of the modifiers was asked in this run */
    uint8_t held[256];                 /* by how many of the operator's keys this X keycode is held */
    uint8_t pressed_as[EVDEV_MAX + 1]; /* the X keycode that the operator's key holds; 0 none */
    unsigned buttons;                  /* held; bits as in pointer() */
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
    if (in->in_text)
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

static int type_char(struct tas_input *in, uint32_t sym) {
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
    if (key != 0 && --in->held[key] == 0)
        fake(in, XCB_KEY_RELEASE, key);
}

/* *as_text: see choose_key(). TAS_E_LIMIT: nothing to press. */
static int key_down(struct tas_input *in, uint16_t code, uint32_t sym, uint32_t *as_text) {
    *as_text = 0;
    if (in->pressed_as[code] != 0)
        return TAS_OK; /* the server repeats held keys by itself */
    int err = refresh(in);
    if (err != TAS_OK)
        return err;
    uint8_t key = choose_key(in, (uint8_t)(code + EVDEV_TO_X), sym, as_text);
    if (key == 0)
        return *as_text ? TAS_OK : TAS_E_LIMIT;
    in->pressed_as[code] = key;
    if (in->held[key]++ == 0)
        fake(in, XCB_KEY_PRESS, key);
    return TAS_OK;
}

/* --- the queue
 * ---------------------------------------------------------------------------------------------- */

static void do_pointer(struct tas_input *in, uint32_t x, uint32_t y, unsigned buttons) {
    int16_t px = (int16_t)(x < INT16_MAX ? x : INT16_MAX); /* the server clips to the screen */
    int16_t py = (int16_t)(y < INT16_MAX ? y : INT16_MAX);

    xcb_test_fake_input(in->conn.xcb, XCB_MOTION_NOTIFY, 0, XCB_CURRENT_TIME, in->conn.screen->root, px, py,
                        0);
    for (unsigned bit = 0; bit < 3; bit++)
        if ((in->buttons ^ buttons) & 1u << bit)
            fake(in, buttons & 1u << bit ? XCB_BUTTON_PRESS : XCB_BUTTON_RELEASE, (uint8_t)(bit + 1));
    in->buttons = buttons & 7;
}

static void turn(struct tas_input *in, int notches, uint8_t back, uint8_t forth) {
    uint8_t button = notches < 0 ? back : forth;
    int n = notches < 0 ? -notches : notches;

    for (int i = 0; i < n && i < WHEEL_MAX; i++) {
        fake(in, XCB_BUTTON_PRESS, button);
        fake(in, XCB_BUTTON_RELEASE, button);
    }
}

static void do_wheel(struct tas_input *in, int dx, int dy) {
    turn(in, dy, 4, 5);
    turn(in, dx, 6, 7);
}

/* A key whose turn has come after text. One that does not exist here is dropped: nobody waits for the answer.
 * One that is to be typed becomes a character, and stays at the front. */
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
    return as_text != 0 ? TAS_E_STATE : err == TAS_E_LIMIT ? TAS_OK : err;
}

/* TAS_OK: done. TAS_E_STATE: look at it again. TAS_E_MORE: later, at due_us. TAS_E_LIMIT: never. */
static int do_step(struct tas_input *in, struct step *step) {
    switch ((enum step_kind)step->kind) {
    case STEP_CHAR:
        return type_char(in, step->a);
    case STEP_KEY:
        return do_key(in, step);
    case STEP_POINTER:
        end_text(in);
        do_pointer(in, step->a, step->b, step->code);
        return TAS_OK;
    case STEP_WHEEL:
        end_text(in);
        do_wheel(in, (int)step->a, (int)step->b);
        return TAS_OK;
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
        if (err != TAS_E_STATE)
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

static int set_up(struct tas_input *in, char *why, size_t why_cap) {
    int err = tas_x11_conn_need(&in->conn, &xcb_test_id, "XTEST", why, why_cap);
    if (err == TAS_OK)
        err = tas_x11_conn_need(&in->conn, &xcb_xkb_id, "XKEYBOARD", why, why_cap);
    if (err != TAS_OK)
        return err;
    snprintf(why, why_cap, "The X11 server's XKEYBOARD extension is too old: version 1.0 is needed.");
    if (!xkb_x11_setup_xkb_extension(in->conn.xcb, 1, 0, XKB_X11_SETUP_XKB_EXTENSION_NO_FLAGS, NULL, NULL,
                                     &in->xkb_event, NULL))
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
    for (unsigned key = 0; key < 256; key++)
        if (in->held[key] && !(in->in_text && tas_x11_keymap_is_modifier(in->map, (uint8_t)key)))
            fake(in, XCB_KEY_RELEASE, (uint8_t)key);
    for (unsigned bit = 0; bit < 3; bit++)
        if (in->buttons & 1u << bit)
            fake(in, XCB_BUTTON_RELEASE, (uint8_t)(bit + 1));
    memset(in->held, 0, sizeof(in->held));
    memset(in->pressed_as, 0, sizeof(in->pressed_as));
    in->buttons = 0;
    in->in_text = false;
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

/* Behind what waits, if anything does. */
static int put_off(struct tas_input *in, struct step step) {
    if (in->count == QUEUE_MAX)
        return TAS_E_FULL;
    push(in, step);
    return run(in);
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
    int err = key_down(in, code, sym, &as_text);
    take_queued(in);
    if (err == TAS_OK && as_text != 0)
        return put_off(in, (struct step){.kind = STEP_CHAR, .a = as_text});
    return err == TAS_OK ? flushed(in) : err;
}

/* Moves with the same buttons need not all be remembered: the last counts. */
static int put_off_pointer(struct tas_input *in, struct step step) {
    struct step *last = &in->queue[(in->first + in->count - 1) % QUEUE_MAX];
    if (last->kind != STEP_POINTER || last->code != step.code)
        return put_off(in, step);
    *last = step;
    return run(in);
}

static int x11_pointer(struct tas_input *in, uint32_t x, uint32_t y, unsigned buttons) {
    if (in->count > 0)
        return put_off_pointer(
            in, (struct step){.kind = STEP_POINTER, .code = (uint16_t)(buttons & 7), .a = x, .b = y});
    do_pointer(in, x, y, buttons & 7);
    return flushed(in);
}

static int x11_wheel(struct tas_input *in, int dx, int dy) {
    if (in->count > 0)
        return put_off(in, (struct step){.kind = STEP_WHEEL, .a = (uint32_t)dx, .b = (uint32_t)dy});
    do_wheel(in, dx, dy);
    return flushed(in);
}

static int x11_text(struct tas_input *in, const uint32_t *cps, size_t n) {
    size_t n_good = 0;

    while (n_good < n && sym_of(cps[n_good]) != 0)
        n_good++;
    if (n_good + in->count > TEXT_MAX)
        return TAS_E_FULL;
    for (size_t i = 0; i < n_good; i++)
        push(in, (struct step){.kind = STEP_CHAR, .a = sym_of(cps[i])});
    int err = run(in);
    return err == TAS_OK && n_good < n ? TAS_E_LIMIT : err;
}

static int ms_until(uint64_t then_us, uint64_t now_us) {
    return then_us <= now_us ? 0 : (int)((then_us - now_us + 999) / 1000);
}

static int x11_pending_ms(const struct tas_input *in) {
    uint64_t now_us = tas_mono_us();

    if (in->count > 0)
        return ms_until(in->due_us, now_us);
    if (tas_x11_pool_is_lent(in->pool))
        return ms_until(tas_x11_pool_used_us(in->pool) + IDLE_US, now_us);
    return -1;
}

static int x11_fd(const struct tas_input *in) {
    return in->conn.epoll;
}

const struct tas_input_ops tas_input_x11 = {
    .name = "x11",
    .open = x11_open,
    .close = x11_close,
    .key = x11_key,
    .pointer = x11_pointer,
    .wheel = x11_wheel,
    .text = x11_text,
    .release_all = x11_release_all,
    .pending_ms = x11_pending_ms,
    .flush = run,
    .fd = x11_fd,
};
