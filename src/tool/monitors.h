/* Which of the customer's monitors is shown: numbers that stay with them, the operator's choice, and what
 * holds when there is none. Pure.
 *
 * Until the operator chooses, the primary monitor is shown when there are several: what customers speak of is
 * mostly there, text is readable without scaling, and of the other monitors nothing is seen that nobody asked
 * to see. A monitor that goes while it is shown leaves all that remain, side by side. */
#pragma once

#include "client/screen.h"
#include "session/session.h"

/* All zero at first. */
struct monitors {
    struct tas_monitors told; /* for tas_session_monitors() */
    bool is_chosen;           /* told.shown is the operator's choice, or what became of it */
};

/* The monitors are these now. */
void monitors_update(struct monitors *m, const struct tas_screen_monitors *now);

/* As VIEW has it: an id, TAS_MONITOR_ALL or TAS_MONITOR_ANY. An id that nobody has counts as all. */
void monitors_choose(struct monitors *m, uint8_t wanted);

/* Is one monitor shown? *area: which part of the screen that is. */
bool monitors_area(const struct monitors *m, struct tas_screen_area *area);
