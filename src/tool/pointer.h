/* The customer's pointer, told to the viewer: asked for often while it moves, awaited while it rests. */
#pragma once

#include "client/screen.h"
#include "net/loop.h"
#include "session/session.h"

struct tool_pointer {
    const struct tas_screen_ops *ops;
    struct tas_screen *screen;
    struct tas_session *s;
    struct tas_timer *timer;
    bool is_watched;
    bool is_resting; /* the next move is awaited */
    uint32_t x, y;   /* as told last */
    uint32_t serial;
    uint64_t asked_us, moved_us;
};

/* All borrowed. False: no memory; tool_pointer_close() is fine then, too. */
bool tool_pointer_open(struct tool_pointer *p, struct tas_loop *loop, const struct tas_screen_ops *ops,
                       struct tas_screen *screen, struct tas_session *s);
void tool_pointer_close(struct tool_pointer *p); /* all zero is fine */

/* Somebody looks (again: tell all), or nobody does any more. */
void tool_pointer_watch(struct tool_pointer *p, bool is_on);

/* After each pump of the screen. */
void tool_pointer_pumped(struct tool_pointer *p);
