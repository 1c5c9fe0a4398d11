#include "client/x11/emergency_private.h"

#include <string.h>
#include <xcb/xinput.h>
#include <xkbcommon/xkbcommon-keysyms.h>

/* X key codes of the places on a PC keyboard: Linux has eight less. */
enum { LEFT_CONTROL = 37, RIGHT_CONTROL = 105, LEFT_ALT = 64, PLACE_OF_X = 53 };

static uint8_t meaning_of(uint32_t sym) {
    switch (sym) {
    case XKB_KEY_Control_L:
    case XKB_KEY_Control_R:
        return TAS_X11_MEANS_CONTROL;
    case XKB_KEY_Alt_L:
    case XKB_KEY_Alt_R:
        return TAS_X11_MEANS_ALT;
    case XKB_KEY_x:
    case XKB_KEY_X:
        return TAS_X11_MEANS_X;
    default:
        return 0;
    }
}

void tas_x11_meanings_add(struct tas_x11_meanings *m, uint8_t keycode, uint32_t sym) {
    m->of[keycode] |= meaning_of(sym);
}

void tas_x11_meanings_complete(struct tas_x11_meanings *m) {
    uint8_t all = 0;
    for (size_t key = 0; key < 256; key++)
        all |= m->of[key];
    if (!(all & TAS_X11_MEANS_CONTROL)) {
        m->of[LEFT_CONTROL] |= TAS_X11_MEANS_CONTROL;
        m->of[RIGHT_CONTROL] |= TAS_X11_MEANS_CONTROL;
    }
    if (!(all & TAS_X11_MEANS_ALT))
        m->of[LEFT_ALT] |= TAS_X11_MEANS_ALT;
    if (!(all & TAS_X11_MEANS_X))
        m->of[PLACE_OF_X] |= TAS_X11_MEANS_X;
}

static void drop(struct tas_x11_combination *c, size_t i) {
    c->n_held--;
    memmove(&c->held[i], &c->held[i + 1], (c->n_held - i) * sizeof(c->held[0]));
}

static void hold(struct tas_x11_combination *c, struct tas_x11_held key) {
    if (c->n_held == TAS_X11_HELD_MAX)
        drop(c, 0);
    c->held[c->n_held++] = key;
}

static bool take_out(struct tas_x11_combination *c, const struct tas_x11_held *key) {
    for (size_t i = 0; i < c->n_held; i++)
        if (c->held[i].device == key->device && c->held[i].keycode == key->keycode) {
            drop(c, i);
            return true;
        }
    return false;
}

bool tas_x11_combination_key(struct tas_x11_combination *c, const struct tas_x11_held *key, bool is_down,
                             tas_x11_means *means, void *ctx) {
    const uint8_t both = TAS_X11_MEANS_CONTROL | TAS_X11_MEANS_ALT;
    uint8_t others = 0;

    bool is_repeat = take_out(c, key);
    if (!is_down)
        return false;
    bool is_x = !is_repeat && (means(ctx, key->device, key->keycode) & TAS_X11_MEANS_X);
    for (size_t i = 0; is_x && i < c->n_held; i++)
        others |= means(ctx, c->held[i].device, c->held[i].keycode);
    hold(c, *key);
    return is_x && (others & both) == both;
}

void tas_x11_combination_forget(struct tas_x11_combination *c, uint16_t device) {
    for (size_t i = c->n_held; i-- > 0;)
        if (c->held[i].device == device)
            drop(c, i);
}

bool tas_x11_raw_key_decode(struct tas_x11_raw_key *out, const uint8_t event[32], uint8_t opcode) {
    xcb_input_raw_key_press_event_t e;
    memcpy(&e, event, 32); /* full_sequence, behind it, is libxcb's own */
    bool is_raw = (e.response_type & 0x7f) == XCB_GE_GENERIC && e.extension == opcode &&
                  (e.event_type == XCB_INPUT_RAW_KEY_PRESS || e.event_type == XCB_INPUT_RAW_KEY_RELEASE);
    if (!is_raw || e.deviceid != e.sourceid || e.detail > 255)
        return false;
    *out = (struct tas_x11_raw_key){.device = e.deviceid,
                                    .keycode = (uint8_t)e.detail,
                                    .is_down = e.event_type == XCB_INPUT_RAW_KEY_PRESS};
    return true;
}
