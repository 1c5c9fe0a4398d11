/* The operator's end: `tasuki-headless viewer`, and the same inside `tasuki-headless operator`. */
#pragma once

#include "headless/endfile.h"
#include "headless/io.h"

#define VIEWER_COMMANDS                                                                                      \
    "chat TEXT, figures, code NNN-NNN-NNN, view on|off, ask MASK, text TEXT, key CODE 0|1 [KEYSYM], "        \
    "pointer X Y BUTTONS, wheel DX DY, save FILE, frames on|off, end"

struct viewer;

/* Dials. watcher may be NULL. NULL: no memory, or a ticket that is not for this key. */
struct viewer *viewer_start(struct tas_loop *loop, const struct tas_end_config *config,
                            const struct headless_watcher *watcher, void *ctx);

/* Not from within the watcher's on_event(). NULL is fine. */
void viewer_stop(struct viewer *viewer);

/* One of VIEWER_COMMANDS. False: it was not. */
bool viewer_command(struct viewer *viewer, const char *word, const char *rest);
void viewer_end(struct viewer *viewer); /* the operator ends it; TAS_EVENT_CLOSED follows */
struct tas_session *viewer_session(struct viewer *viewer);

/* Runs until the session ends. The exit code. */
int viewer_main(const struct endfile *file);
