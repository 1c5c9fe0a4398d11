/* The customer's end without windows, from an end file: captures a display, injects what is allowed. */
#include "headless/host.h"

#include "headless/io.h"
#include "headless/print.h"
#include "headless/program.h"
#include "tool/share.h"

#include <stdio.h>
#include <stdlib.h>

struct host {
    struct program program;
    struct share *share;
};

static void grant(struct tas_session *s, struct customer *c, uint16_t rights) {
    if (c)
        customer_grant(c, rights);
    else
        tas_session_grant(s, rights);
}

static void pause_it(struct tas_session *s, struct customer *c, bool is_on) {
    if (c)
        customer_pause(c, is_on);
    else
        tas_session_pause(s, is_on);
}

bool host_command(struct tas_session *s, struct customer *c, const char *word, const char *rest) {
    if (c && strcmp(word, "chat") == 0) {
        program_complain(word, customer_chat(c, rest));
        return true;
    }
    if (print_command(s, word, rest))
        return true;
    if (strcmp(word, "grant") == 0)
        grant(s, c, (uint16_t)strtoul(rest, NULL, 0));
    else if (strcmp(word, "pause") == 0)
        pause_it(s, c, strcmp(rest, "on") == 0);
    else
        return false;
    return true;
}

/* ---- the program ---- */

static void on_news(void *ctx, const struct tool_news *news) {
    struct host *h = ctx;
    print_news(news);
    if (news->kind == TOOL_ENGINE && news->event->kind == TAS_EVENT_CLOSED)
        program_leave(&h->program, share_has_lost_display(h->share) ? EXIT_FAILURE : EXIT_SUCCESS);
}

static void on_line(void *ctx, char *line) {
    struct host *h = ctx;
    char *rest;
    const char *word = headless_word(line, &rest);
    if (strcmp(word, "end") == 0)
        share_end(h->share);
    else if (!host_command(share_session(h->share), NULL, word, rest))
        headless_say("error", ",\"text\":\"unknown command; known: " HOST_COMMANDS "\"");
}

static void on_end(void *ctx) {
    struct host *h = ctx;
    share_end(h->share);
}

int host_main(const struct endfile *file, const char *display, uint16_t rights) {
    struct host h = {0};
    const struct share_order order = {
        .display = display, .config = &file->config, .rights = rights, .films = tas_video_kind_here()};
    char why[API_DETAIL];
    int err = TAS_OK;
    int code = EXIT_FAILURE;
    if (program_open(&h.program))
        h.share = share_start(h.program.loop, &order, (struct tool_listener){on_news, &h}, &err, why);
    if (h.share)
        code = program_run(&h.program, on_line, on_end, &h);
    else if (err != TAS_OK)
        fprintf(stderr, "tasuki-headless: %s\n", why);
    share_stop(h.share);
    program_close(&h.program);
    return err == TAS_E_ABSENT ? EXIT_TEMPORARY : code;
}
