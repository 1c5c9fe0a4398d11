/* `tasuki-headless viewer`, and what `tasuki-headless operator` can do in a session. */
#pragma once

#include "headless/endfile.h"
#include "tool/operator.h"
#include "tool/viewer.h"

#define VIEWER_COMMANDS                                                                                      \
    "chat TEXT, figures, code NNN-NNN-NNN, view on|off, monitor ID|all|any, ask MASK, text TEXT, "           \
    "key CODE 0|1 [KEYSYM], pointer X Y BUTTONS, wheel DX DY, save FILE, frames on|off, end"

/* What commands need to know of the session. Starts as zeros. */
struct viewer_facts {
    uint64_t last_frame_us;
    uint32_t cursor_x, cursor_y;
    bool says_frames;
};

/* Of each news: remembers what commands need, and says frames when that is on. */
void viewer_note(struct viewer_facts *facts, const struct tool_news *news);

/* One of VIEWER_COMMANDS, by way of op (NULL: there is no management server). False: it was not. */
bool viewer_command(struct viewer *viewer, struct operator* op, struct viewer_facts *facts, const char *word,
                    const char *rest);

/* Runs until the session ends. The exit code. */
int viewer_main(const struct endfile *file);
