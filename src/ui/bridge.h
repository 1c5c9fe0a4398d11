/* Between a tool's two threads: the protocol thread runs a tas_loop and owns everything that talks (engine,
 * sockets, capture or picture); the GTK thread owns widgets and nothing else. Neither ever waits for the
 * other.
 *
 *   GTK -> protocol   commands: small structs, copied, in order, at most UI_COMMANDS of them
 *   protocol -> GTK   the state: one struct of plain data, of which GTK always gets the newest (older ones
 * that it had no time for are dropped), and notes: things that happen once (a chat line, the terms), in
 * order, at most UI_NOTES of them
 */
#pragma once

#include "net/loop.h"

#include <stdbool.h>
#include <stddef.h>

struct ui_bridge;

enum { UI_COMMANDS = 4096, UI_NOTES = 4096 };

struct ui_bridge_config {
    size_t state_size, command_max;
    /* protocol thread; command: borrowed */
    void (*on_command)(void *core, const void *command);
    /* GTK thread; state: borrowed until it returns; a note is taken and freed with free_note() by the callee
     */
    void (*on_state)(void *window, const void *state);
    void (*on_note)(void *window, void *note);
    void (*free_note)(void *note); /* of notes that nobody took; wipes */
};

/* GTK thread, before the protocol thread starts. `window` may be set later. NULL: no memory or descriptors.
 */
struct ui_bridge *ui_bridge_new(const struct ui_bridge_config *config);
/* Once both sides have stopped using it. NULL is fine. */
void ui_bridge_free(struct ui_bridge *bridge);

/* ---- GTK thread ---- */

/* From now on states and notes are delivered by the default GMainContext, each note after the states that
 * were told before it (as far as GTK still gets these) and before those told after it. NULL: no more until
 * another window is attached. The bridge must not be freed in a callback, and no callback comes while another
 * one runs a main loop of its own. */
void ui_bridge_attach_window(struct ui_bridge *bridge, void *window);

/* A copy of the first `size` bytes of `command` (at most command_max; the callee sees zeros behind them) goes
 * to the protocol thread; wiped once it was carried out. False: the queue is full (a person cannot do that:
 * only pointer motions are that many, and these may be dropped). */
bool ui_bridge_command(struct ui_bridge *bridge, const void *command, size_t size);

/* ---- protocol thread ---- */

/* From now on commands are delivered on this loop. TAS_E_NOMEM. */
TAS_MUST_USE int ui_bridge_attach_core(struct ui_bridge *bridge, struct tas_loop *loop, void *core);
void ui_bridge_detach_core(struct ui_bridge *bridge); /* before the loop is freed */

/* A copy of `state` replaces the one that GTK has not seen yet. */
void ui_bridge_state(struct ui_bridge *bridge, const void *state);

/* Takes `note` (malloc'ed). When the queue is full the note is freed and logged. */
void ui_bridge_note(struct ui_bridge *bridge, void *note);
