#include "headless/program.h"

#include "headless/print.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static const int signals[] = {SIGTERM, SIGINT};

bool program_open(struct program *program) {
    tas_loop_block_signals(signals, 2);
    program->loop = tas_loop_new();
    return program->loop != NULL;
}

void program_close(struct program *program) {
    headless_io_free(program->io);
    if (program->loop)
        tas_loop_free(program->loop);
}

static void on_signal(void *ctx, int signo) {
    struct program *program = ctx;
    (void)signo;
    program->on_end(program->ctx);
}

int program_run(struct program *program, void (*on_line)(void *ctx, char *line), void (*on_end)(void *ctx),
                void *ctx) {
    program->on_end = on_end;
    program->ctx = ctx;
    program->io = headless_io_new(program->loop, on_line, on_end, ctx);
    bool ran = program->io && tas_loop_on_signals(program->loop, signals, 2, on_signal, program) == TAS_OK &&
               tas_loop_run(program->loop) == TAS_OK;
    return ran ? program->exit_code : EXIT_FAILURE;
}

void program_leave(struct program *program, int exit_code) {
    program->exit_code = exit_code;
    tas_loop_stop(program->loop);
}

/* ---- with a management server ---- */

static bool read_org(struct org *out, const char *path) {
    uint8_t section[ORG_SECTION + 1];
    char why[ORG_WHY] = "";
    FILE *f = fopen(path, "re");
    if (!f) {
        fprintf(stderr, "tasuki-headless: %s: %s\n", path, strerror(errno));
        return false;
    }
    size_t len = fread(section, 1, sizeof(section), f);
    fclose(f);
    int err = len == ORG_SECTION ? org_read(out, tas_bytes_of(section, len), why) : TAS_E_PROTO;
    if (err == TAS_OK)
        return true;
    fprintf(stderr, "tasuki-headless: %s: %s\n", path,
            len != ORG_SECTION ? "not an organisation's section of 8192 bytes" : why);
    return false;
}

int program_open_tool(struct program *program, struct tool *tool, const char *org_file,
                      struct tool_listener to) {
    struct org *org = calloc(1, sizeof(*org));
    char why[API_WHY] = "out of memory";
    int code = EXIT_FAILURE;
    if (org && !read_org(org, org_file))
        code = EXIT_CONFIG;
    else if (org && tool_open(tool, program->loop, org, "tasuki-headless/" TASUKI_VERSION, to, why))
        code = EXIT_SUCCESS;
    else
        fprintf(stderr, "tasuki-headless: %s\n", why);
    free(org);
    return code;
}

int program_exit_code(const struct api_error *error) {
    return error->err == TAS_E_IO ? EXIT_TEMPORARY : EXIT_FAILURE;
}

static void print_refusal(void *ctx, const struct tool_news *news) {
    (void)ctx;
    print_news(news);
}

void program_refuse(const char *command, const char *code, const char *text) {
    const struct tool_listener to = {print_refusal, NULL};
    tool_refuse(&to, command, code, text);
}

void program_complain(const char *command, int err) {
    if (err == TAS_E_STATE)
        program_refuse(command, "wrong_state", "this cannot be done now");
    else if (err == TAS_E_ABSENT)
        program_refuse(command, "no_session", "there was no session yet");
    else if (err != TAS_OK)
        program_refuse(command, "no_memory", tas_err_text(err));
}
