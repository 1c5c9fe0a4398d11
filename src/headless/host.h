/* The customer's end: `tasuki-headless host`, and the same inside `tasuki-headless customer`. */
#pragma once

#include "headless/endfile.h"
#include "headless/io.h"

#define HOST_COMMANDS "chat TEXT, figures, grant MASK, pause on|off, end"

struct host;

struct host_order {
    const char *display; /* NULL for $DISPLAY */
    const struct tas_end_config *config;
    uint16_t rights; /* what is granted from the start */
};

/* Opens the display and dials. watcher may be NULL. NULL: it was said on standard error why, and *exit_code
 * is what to leave with. */
struct host *host_start(struct tas_loop *loop, const struct host_order *order,
                        const struct headless_watcher *watcher, void *ctx, int *exit_code);

/* Not from within the watcher's on_event(). NULL is fine. */
void host_stop(struct host *host);

/* One of HOST_COMMANDS. False: it was not. */
bool host_command(struct host *host, const char *word, const char *rest);
void host_end(struct host *host); /* the customer ends it; TAS_EVENT_CLOSED follows */
struct tas_session *host_session(struct host *host);

/* After TAS_EVENT_CLOSED: EXIT_FAILURE when the display went away. */
int host_exit_code(const struct host *host);

/* Runs until the session ends. The exit code. */
int host_main(const struct endfile *file, const char *display, uint16_t rights);
