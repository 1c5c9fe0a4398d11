/* The customer's tool without windows: what a person would decide comes as commands. */
#include "headless/customer.h"

#include "headless/host.h"
#include "headless/print.h"
#include "headless/program.h"
#include "lossy/video.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

struct mode {
    struct program program;
    struct tool tool;
    struct customer *customer;
};

static void on_error(struct mode *m, const struct tool_news *news) {
    bool is_start = strcmp(news->command, "server") == 0 || strcmp(news->command, "terms") == 0;
    if (is_start)
        program_leave(&m->program, program_exit_code(news->error));
    else if (news->flag && !customer_session(m->customer))
        program_leave(&m->program, EXIT_FAILURE);
}

static void on_news(void *ctx, const struct tool_news *news) {
    struct mode *m = ctx;
    print_news(news);
    if (news->kind == TOOL_ERROR && news->command)
        on_error(m, news);
    else if (news->kind == TOOL_LEFT)
        program_leave(&m->program, customer_exit_code(m->customer));
}

static void do_number(struct mode *m, const char *typed) {
    int err = customer_number(m->customer, typed, 0);
    if (err == TAS_E_STATE)
        program_refuse("number", "wrong_state", "a number is being dealt with");
    else if (err != TAS_OK)
        program_refuse("number", "number_mistyped",
                       "this is not a reception number: one or more of its nine digits are wrong");
}

static void decide(const char *command, int err) {
    if (err == TAS_E_STATE)
        program_refuse(command, "wrong_state", "nobody has answered, or it was accepted already");
    else
        program_complain(command, err);
}

static void on_line(void *ctx, char *line) {
    struct mode *m = ctx;
    char *rest;
    const char *word = headless_word(line, &rest);
    struct tas_session *session = customer_session(m->customer);
    if (strcmp(word, "number") == 0)
        do_number(m, rest);
    else if (strcmp(word, "accept") == 0)
        decide(word, customer_accept(m->customer));
    else if (strcmp(word, "decline") == 0)
        decide(word, customer_decline(m->customer));
    else if (strcmp(word, "end") == 0 || strcmp(word, "quit") == 0)
        customer_end(m->customer);
    else if (!session || !host_command(session, m->customer, word, rest))
        headless_say("error",
                     ",\"text\":\"unknown command; known: number NNN-NNN-NNN, accept, decline, end; "
                     "in a session: %s\"",
                     HOST_COMMANDS);
}

static void on_end(void *ctx) {
    struct mode *m = ctx;
    customer_end(m->customer);
}

/* ---- the program ---- */

static int usage(void) {
    fputs("Usage: tasuki-headless customer --org FILE [--rights MASK]\n", stderr);
    return EXIT_USAGE;
}

static const char *language(void) {
    const char *lang = getenv("LANG");
    return lang && strncmp(lang, "ja", 2) == 0 ? "ja" : "en";
}

static int run(const char *org_file, uint16_t rights) {
    /* Whoever types a number into this tool accepts the terms: there is nobody to show them to. */
    const struct customer_config config = {
        .films = tas_video_kind_here(), .language = language(), .version = TASUKI_VERSION, .rights = rights};
    struct mode m = {0};
    int code = EXIT_FAILURE;
    if (program_open(&m.program))
        code = program_open_tool(&m.program, &m.tool, org_file, (struct tool_listener){on_news, &m});
    if (code == EXIT_SUCCESS) {
        m.customer = customer_new(&m.tool, &config);
        code = EXIT_FAILURE;
    }
    if (m.customer) {
        customer_start(m.customer);
        code = program_run(&m.program, on_line, on_end, &m);
    }
    customer_free(m.customer);
    tool_close(&m.tool);
    program_close(&m.program);
    return code;
}

int customer_main(int argc, char **argv) {
    static const struct option long_options[] = {
        {"org", required_argument, NULL, 'o'},
        {"rights", required_argument, NULL, 'r'},
        {NULL, 0, NULL, 0},
    };
    const char *org_file = NULL;
    unsigned long rights = 0;
    for (int opt; (opt = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        if (opt == '?')
            return usage();
        if (opt == 'o')
            org_file = optarg;
        else
            rights = strtoul(optarg, NULL, 0);
    }
    if (!org_file || optind != argc || rights > UINT16_MAX)
        return usage();
    return run(org_file, (uint16_t)rights);
}
