/* The customer's end at work: captures a display, injects what is allowed, and nothing of it into our own
 * windows. */
#pragma once

#include "end/end.h"
#include "lossy/video.h"
#include "tool/news.h"

struct share;

struct share_order {
    const char *display; /* NULL for $DISPLAY */
    const struct tas_end_config *config;
    uint16_t rights;                    /* what is granted from the start */
    const struct tas_video_kind *films; /* how they are coded; NULL: VP8, the smallest program */
    uint64_t own_window; /* any window of this program, whose windows the operator's input must not reach;
                          * 0: there are none */
};

/* Opens the display and dials. Tells TOOL_ENGINE, TOOL_SCREEN, TOOL_INPUT, TOOL_RELEASED, TOOL_NO_DISPLAY.
 * NULL: no memory, a ticket that is not for this key, or no display that can be shared: *err, and `why`. */
struct share *share_start(struct tas_loop *loop, const struct share_order *order, struct tool_listener to,
                          int *err, char why[API_DETAIL]);

/* Not from within on_news(). NULL is fine. */
void share_stop(struct share *share);

struct tas_session *share_session(struct share *share);

/* Input is dropped, and held keys are let go, until it is put off again: while a question is on the screen.
 */
void share_hold(struct share *share, bool is_held);

/* The customer ends it; TAS_EVENT_CLOSED follows. */
void share_end(struct share *share);

/* Did the display go away? */
bool share_has_lost_display(const struct share *share);
