/* What the files of the operator's protocol thread share: core.c follows the flow and obeys, core_screen.c is
 * the customer's screen: shown, pointed at and typed into. */
#pragma once

#include "operator/core.h"
#include "operator/post.h"
#include "tool/operator.h"
#include "ui/worker.h"

/* The customer's pointer, and ours on his screen. */
struct pointer {
    struct present_pointer shown;
    uint8_t *rgba; /* owned; what shown.rgba points to */
    uint32_t sent_x, sent_y;
    uint64_t sent_us; /* 0: never */
    unsigned buttons;
};

struct operator_core {
    struct ui_bridge *bridge;
    struct ui_worker worker;
    struct tool tool;
    struct operator* flow;
    const struct present_ops *present_ops;
    struct present *present;
    struct present_place place;
    struct pointer pointer;
    struct tas_timer *tick;
    struct post post;       /* of the customer's machine */
    uint16_t held_keys[64]; /* evdev codes that went down and not up */
    size_t n_held;
    uint16_t asked;          /* rights that the customer is asked for now */
    bool is_quitting;        /* the program ends */
    bool wants_view, viewed; /* by the operator; what the engine was told: it keeps to it by itself when the
                              * right comes back */
    struct operator_state state; /* what was told last, and is about to be told */
};

/* core_screen.c */

/* The engine of the session that is viewed; NULL: there is none. */
struct tas_session *core_session(struct operator_core *c);
/* May the operator work on the screen now? */
bool core_has_control(const struct operator_core *c);

/* Shows what has changed; NULL: all of it. */
void core_draw(struct operator_core *c, const struct tas_tiles *changed);
/* After the window or the picture has another size. */
void core_put_in_place(struct operator_core *c);

void core_draw_pointer(struct operator_core *c);
void core_keep_cursor(struct operator_core *c, const struct tas_msg_cursor_image *image);
void core_forget_pointer(struct operator_core *c);

void core_key(struct operator_core *c, uint16_t keycode, uint32_t keysym, bool is_down);
void core_pointer(struct operator_core *c, const struct operator_command *command);
/* All keys and buttons that are down go up. */
void core_release(struct operator_core *c);
