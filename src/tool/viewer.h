/* The operator's end at work: keeps the picture, sends what the operator does. */
#pragma once

#include "end/end.h"
#include "tool/news.h"

struct viewer;

/* Dials. Tells TOOL_ENGINE, TOOL_MONITORS and, with the tiles that changed, TOOL_FRAME: to be shown before it
 * returns. NULL: no memory, or a ticket that is not for this key. */
struct viewer *viewer_start(struct tas_loop *loop, const struct tas_end_config *config,
                            struct tool_listener to);

/* Not from within on_news(). NULL is fine. */
void viewer_stop(struct viewer *viewer);

struct tas_session *viewer_session(struct viewer *viewer);

/* Which of the customer's monitors is shown: as tas_session_choose_monitor(). What is pressed is let go of by
 * the customer's end. */
TAS_MUST_USE int viewer_choose_monitor(struct viewer *viewer, uint8_t monitor);

/* Types UTF-8 text at the customer's. TAS_E_PROTO: not UTF-8; otherwise as tas_session_send_input(). */
TAS_MUST_USE int viewer_type(struct viewer *viewer, const char *text);

/* The operator ends it; TAS_EVENT_CLOSED follows. */
void viewer_end(struct viewer *viewer);
