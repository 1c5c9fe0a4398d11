/* What a platform offers to the host for working with pointer and keys: a table of functions. The rights were
 * checked before anything gets here (session/). One thread.
 *
 * Text takes time and waits inside (at most 4096 characters). Keys, pointer and wheel that come while text
 * waits are put off behind it, in order; their errors are then not reported. Every call does what is due; the
 * owner polls fd() and calls flush() after pending_ms(). All calls: TAS_E_ABSENT: the display went away.
 * TAS_E_FULL: the queue is full, nothing was taken: try again after flush(), or give up with release_all().
 * TAS_E_RIGHT: the gate refused.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tas_input; /* opened input of some platform */

enum tas_input_act {
    TAS_INPUT_BUTTON, /* buttons are pressed at x, y */
    TAS_INPUT_WHEEL,  /* the wheel is turned at x, y */
    TAS_INPUT_KEY,    /* a key is pressed, repeated or kept down; the pointer is at x, y */
    TAS_INPUT_TEXT,   /* a character is typed; the pointer is at x, y */
};

/* The owner's last word: asked right before each press, turn and character is carried out, which may be long
 * after the call that brought it; x, y is where the pointer then really is, in px of the screen. Must not
 * call the input. What it refuses is dropped for good: of text all that waits up to the next key, click or
 * turn; a press is not made good when the pointer moves on. Moves and releases are not asked about. */
struct tas_input_gate {
    bool (*may)(void *ctx, enum tas_input_act act, uint32_t x, uint32_t y); /* NULL: everything may */
    void *ctx;
};

struct tas_input_ops {
    const char *name;

    /* As screen.h's open. What a program that was killed left pressed or changed is put right: open and close
     * are the repair after a kill -9. (Keys that somebody holds at that moment may be released too.) */
    int (*open)(struct tas_input **out, const char *display, char *why, size_t why_cap);
    /* Releases all keys and buttons, drops text that waits, restores the keyboard map exactly, closes. May
     * wait for 60 ms so that programs can still read the last character. NULL is fine. */
    void (*close)(struct tas_input *input);

    /* From now on. While there is a gate it is also asked about keys that are held, every 50 ms and with
     * every key; when it refuses, all keys are released. */
    void (*set_gate)(struct tas_input *input, struct tas_input_gate gate);

    /* A physical key (Linux evdev code, 1..247) pressed or released. `keysym` (X keysym, 0 unknown) is what
     * it means in the operator's layout: when the customer's layout gives another meaning to that key (looked
     * up with the modifiers that are now held), the key that does mean keysym is pressed instead. The release
     * goes to the key that was pressed. A character that no key means with these modifiers is typed as by
     * text(), at each press (Shift+7 for / from a German keyboard); with Control, Alt or Super held the key
     * itself is pressed. A press of a key that is held is ignored: held keys repeat by themselves (with a
     * gate: each time asked) until the release comes, so do not let one get lost. TAS_E_LIMIT: no such key
     * here; nothing was pressed. */
    int (*key)(struct tas_input *input, uint16_t keycode, uint32_t keysym, bool is_down);

    /* Pointer to px x, y of the screen; clipped. buttons: bit 0 left, 1 middle, 2 right; differences to
     * before are pressed or released. Moves that are put off are merged; where a button changed stays. */
    int (*pointer)(struct tas_input *input, uint32_t x, uint32_t y, unsigned buttons);

    /* Turns the wheel, wherever the pointer is, by notches right and down (negative: left and up), at most 32
     * each. */
    int (*wheel)(struct tas_input *input, int dx, int dy);

    /* Types code points, in order, whatever the layout; 9 is Tab, 10 and 13 are each a Return. Modifiers held
     * through key() are let go for the text and pressed again after it. TAS_E_LIMIT: a character that cannot
     * be typed (other controls, surrogates); those before it were taken. A character for which the display
     * has no free key code is left out. TAS_E_FULL: none was taken. An input method that is on gets the
     * characters as it gets typed ones. */
    int (*text)(struct tas_input *input, const uint32_t *cps, size_t n);

    /* Releases every key and button that is held through here, and drops what waits. */
    int (*release_all)(struct tas_input *input);

    /* Milliseconds until flush() should be called again for work that was put off (also to give the keyboard
     * map back a second after the last text, and to look after held keys), -1 none; and that call. */
    int (*pending_ms)(const struct tas_input *input);
    int (*flush)(struct tas_input *input);

    /* Readable when flush() should be called. Only to be polled. */
    int (*fd)(const struct tas_input *input);
};

/* X11: XTEST with XKB layouts; Unicode by lending free key codes. */
extern const struct tas_input_ops tas_input_x11;
