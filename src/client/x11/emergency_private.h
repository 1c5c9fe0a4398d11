/* The decision of the emergency key, apart from the display: which keys of which keyboards are held, and does
 * this press complete Ctrl+Alt+X? */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TAS_X11_MEANS_CONTROL = 1,
    TAS_X11_MEANS_ALT = 2,
    TAS_X11_MEANS_X = 4,
    TAS_X11_MEANS_ALL = 7,
    TAS_X11_HELD_MAX = 32, /* more keys at a time are not pressed by people: the oldest is forgotten */
};

/* What the key codes of a keyboard mean: TAS_X11_MEANS_*, 0 nothing that matters here. */
struct tas_x11_meanings {
    uint8_t of[256];
};

/* Adds that the key has this keysym in some layout. To be called for the first two levels of every layout:
 * what layout is in force at the moment does not matter. */
void tas_x11_meanings_add(struct tas_x11_meanings *m, uint8_t keycode, uint32_t sym);

/* What no key means then is given to the keys that a PC keyboard has in its place (by the numbers that they
 * have on Linux): X in layouts without Latin letters, and Control or Alt when somebody took them all away. */
void tas_x11_meanings_complete(struct tas_x11_meanings *m);

/* Keys held on the customer's own keyboards, by device. A combination may be pressed on two of them. */
struct tas_x11_combination {
    struct tas_x11_held {
        uint16_t device;
        uint8_t keycode;
    } held[TAS_X11_HELD_MAX];
    size_t n_held;
};

/* What a key means now: TAS_X11_MEANS_*. A layout may change while keys are held. */
typedef uint8_t tas_x11_means(void *ctx, uint16_t device, uint8_t keycode);

/* A key of a device that counts, pressed or released. True: this completes the combination. */
bool tas_x11_combination_key(struct tas_x11_combination *c, const struct tas_x11_held *key, bool is_down,
                             tas_x11_means *means, void *ctx);

/* The device is gone: nobody will tell us that its keys were released. */
void tas_x11_combination_forget(struct tas_x11_combination *c, uint16_t device);

/* A raw key event of XInput 2, from the device itself (not its copy in the name of a master). */
struct tas_x11_raw_key {
    uint16_t device;
    uint8_t keycode;
    bool is_down;
};

/* event: the first 32 bytes of an X event as libxcb gives it (the byte order of this machine); opcode: of the
 * extension here. False: another kind of event, a master's copy, or no key. */
bool tas_x11_raw_key_decode(struct tas_x11_raw_key *out, const uint8_t event[32], uint8_t opcode);
