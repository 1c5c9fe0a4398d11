/* What every mode of tasuki-headless has: the loop, commands from standard input, signals, an exit code. */
#pragma once

#include "headless/io.h"
#include "tool/tool.h"

enum { EXIT_USAGE = 2, EXIT_TEMPORARY = 75, EXIT_CONFIG = 78 };

struct program {
    struct tas_loop *loop;
    struct headless_io *io;
    void (*on_end)(void *ctx);
    void *ctx;
    int exit_code;
};

/* False: no memory. program_close() in any case. */
bool program_open(struct program *program);
void program_close(struct program *program);

/* Runs until program_leave(). on_end is called for the end of standard input, SIGTERM and SIGINT. The exit
 * code. */
int program_run(struct program *program, void (*on_line)(void *ctx, char *line), void (*on_end)(void *ctx),
                void *ctx);
void program_leave(struct program *program, int exit_code);

/* The way to the management servers, from the organisation's file. EXIT_SUCCESS, or the code to leave with
 * after it was said why. */
int program_open_tool(struct program *program, struct tool *tool, const char *org_file,
                      struct tool_listener to);

/* What to leave with after a fatal error. */
int program_exit_code(const struct api_error *error);

/* {"event":"error","command":...}: what a command's function returned, or our own words. */
void program_complain(const char *command, int err);
void program_refuse(const char *command, const char *code, const char *text);
