/* What `operator` and `customer` have in common: the organisation's file, the way to the management servers,
 * the loop with its commands and signals, and words for errors. */
#pragma once

#include "api/calls.h"
#include "api/measure.h"
#include "api/stream.h"
#include "headless/io.h"

enum { EXIT_USAGE = 2, EXIT_TEMPORARY = 75, EXIT_CONFIG = 78 };

struct tool {
    struct tas_loop *loop;
    struct api_client *client;
    struct headless_io *io;
    struct api_measure *measure;
    struct api_rtt rtts[API_RELAYS]; /* what came of the measuring so far */
    size_t n_rtts;
    void (*on_end)(void *ctx);
    void *ctx;
    int exit_code;
};

/* Reads the organisation's section from the file, connects to nothing yet, takes over standard input and
 * signals: on_end is called for both its end and SIGTERM. EXIT_SUCCESS, or the code to leave with after it
 * was said why. */
int tool_start(struct tool *tool, const char *org_file, void (*on_line)(void *ctx, char *line),
               void (*on_end)(void *ctx), void *ctx);
void tool_stop(struct tool *tool);

/* Leaves the loop. */
void tool_leave(struct tool *tool, int exit_code);

/* Asks for the relays and measures them; nobody waits for it. */
void tool_measure(struct tool *tool);

/* {"event":"error","command":...,"code":...,"text":...}. command: NULL none. */
void tool_complain(const char *command, const struct api_error *error);
/* {"event":"connected"} or "disconnected", with the server and why. stream: NULL is fine. */
void tool_say_line(const struct api_stream *stream, bool is_connected, const struct api_error *why);
/* As tool_complain() with our own words. */
void tool_refuse(const char *command, const char *code, const char *text);
void tool_alarm(const char *text);

/* What to leave with after a fatal error. */
int tool_exit_code(const struct api_error *error);

/* An end's configuration from a grant. */
void tool_end_config(struct tool *tool, struct tas_end_config *out, struct api_grant *grant);

/* Fills `seed` with a fresh key and gives its public half. */
TAS_MUST_USE int tool_new_key(uint8_t seed[32], uint8_t pk[32]);
