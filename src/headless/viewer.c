/* The operator's end without windows, from an end file: keeps the picture, saves it on demand, sends input
 * from commands. */
#include "headless/viewer.h"

#include "base/time.h"
#include "headless/io.h"
#include "headless/print.h"
#include "headless/program.h"
#include "headless/save.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct lone_viewer {
    struct program program;
    struct viewer *viewer;
    struct viewer_facts facts;
};

static void complain(const char *command, int err) {
    if (err != TAS_OK)
        headless_say("error", ",\"command\":\"%s\",\"text\":\"%s\",\"code\":\"%s\"", command,
                     tas_err_text(err), tas_err_name(err));
}

void viewer_note(struct viewer_facts *facts, const struct tool_news *news) {
    if (news->kind == TOOL_ENGINE && news->event->kind == TAS_EVENT_CURSOR_POS) {
        facts->cursor_x = news->event->x;
        facts->cursor_y = news->event->y;
    }
    if (news->kind != TOOL_FRAME)
        return;
    facts->last_frame_us = tas_mono_us();
    if (facts->says_frames || news->err != TAS_OK)
        headless_say("frame", ",\"at_us\":%" PRIu64 ",\"decode_us\":%" PRIu64 ",\"result\":\"%s\"",
                     facts->last_frame_us, news->us, tas_err_name(news->err));
}

/* ---- commands ---- */

static int chat(struct tas_session *s, struct operator* o, const char *text) {
    return o ? operator_chat(o, text) : tas_session_chat(s, tas_bytes_of(text, strlen(text)), tas_wall_ms());
}

static void view(struct tas_session *s, struct operator* o, bool is_on) {
    if (!o)
        tas_session_view(s, is_on);
    else
        complain("view", operator_view(o, is_on));
}

static int choose_monitor(struct viewer *v, const char *which) {
    unsigned id = TAS_MONITOR_ALL;
    char more;
    bool is_number = sscanf(which, "%3u%c", &id, &more) == 1 && id >= 1 && id <= TAS_MONITORS;
    if (!is_number && strcmp(which, "all") != 0 && strcmp(which, "any") != 0)
        return TAS_E_PROTO;
    return viewer_choose_monitor(v, is_number              ? (uint8_t)id
                                    : strcmp(which, "any") ? TAS_MONITOR_ALL
                                                           : TAS_MONITOR_ANY);
}

static void ask(struct tas_session *s, struct operator* o, uint16_t rights) {
    if (!o)
        tas_session_ask(s, rights);
    else
        complain("ask", operator_ask(o, rights));
}

static int send_numbers(struct tas_session *s, const struct viewer_facts *facts, const char *word,
                        const char *rest) {
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    int dx = 0;
    int dy = 0;
    struct tas_msg_input in = {0};
    if (strcmp(word, "key") == 0 && sscanf(rest, "%u %u %u", &a, &b, &c) >= 2) {
        in.kind = 1;
        in.keycode = (uint16_t)a;
        in.is_down = b != 0;
        in.keysym = c;
    } else if (strcmp(word, "pointer") == 0 && sscanf(rest, "%u %u %u", &a, &b, &c) == 3) {
        in.kind = 2;
        in.x = (uint16_t)a;
        in.y = (uint16_t)b;
        in.buttons = (uint16_t)c;
    } else if (strcmp(word, "wheel") == 0 && sscanf(rest, "%d %d", &dx, &dy) == 2) {
        in.kind = 3;
        in.x = (uint16_t)facts->cursor_x;
        in.y = (uint16_t)facts->cursor_y;
        in.wheel_x = (uint16_t)dx;
        in.wheel_y = (uint16_t)dy;
    } else {
        return TAS_E_PROTO;
    }
    return tas_session_send_input(s, &in);
}

static void save(struct tas_session *s, const struct viewer_facts *facts, const char *path) {
    const struct tas_picture *pic = tas_session_remote(s);
    int err = pic ? picture_save(pic, path) : TAS_E_ABSENT;
    headless_say("saved", ",\"result\":\"%s\",\"quiet_us\":%" PRIu64, tas_err_name(err),
                 facts->last_frame_us ? tas_mono_us() - facts->last_frame_us : 0);
}

bool viewer_command(struct viewer *v, struct operator* o, struct viewer_facts *facts, const char *word,
                    const char *rest) {
    struct tas_session *s = viewer_session(v);
    if (strcmp(word, "chat") == 0)
        complain(word, chat(s, o, rest));
    else if (strcmp(word, "figures") == 0)
        print_figures(s);
    else if (strcmp(word, "code") == 0)
        complain(word, tas_session_type_code(s, rest, tas_mono_us()));
    else if (strcmp(word, "view") == 0)
        view(s, o, strcmp(rest, "on") == 0);
    else if (strcmp(word, "monitor") == 0)
        complain(word, choose_monitor(v, rest));
    else if (strcmp(word, "ask") == 0)
        ask(s, o, (uint16_t)strtoul(rest, NULL, 0));
    else if (strcmp(word, "text") == 0)
        complain(word, o ? operator_type(o, rest) : viewer_type(v, rest));
    else if (strcmp(word, "key") == 0 || strcmp(word, "pointer") == 0 || strcmp(word, "wheel") == 0)
        complain(word, send_numbers(s, facts, word, rest));
    else if (strcmp(word, "save") == 0)
        save(s, facts, rest);
    else if (strcmp(word, "frames") == 0)
        facts->says_frames = strcmp(rest, "on") == 0;
    else if (strcmp(word, "end") == 0)
        viewer_end(v);
    else
        return false;
    return true;
}

/* ---- the program ---- */

static void on_news(void *ctx, const struct tool_news *news) {
    struct lone_viewer *l = ctx;
    viewer_note(&l->facts, news);
    print_news(news);
    if (news->kind == TOOL_ENGINE && news->event->kind == TAS_EVENT_CLOSED)
        program_leave(&l->program, EXIT_SUCCESS);
}

static void on_line(void *ctx, char *line) {
    struct lone_viewer *l = ctx;
    char *rest;
    const char *word = headless_word(line, &rest);
    if (!viewer_command(l->viewer, NULL, &l->facts, word, rest))
        headless_say("error", ",\"text\":\"unknown command; known: " VIEWER_COMMANDS "\"");
}

static void on_end(void *ctx) {
    struct lone_viewer *l = ctx;
    viewer_end(l->viewer);
}

int viewer_main(const struct endfile *file) {
    struct lone_viewer l = {0};
    int code = EXIT_FAILURE;
    if (program_open(&l.program))
        l.viewer = viewer_start(l.program.loop, &file->config, (struct tool_listener){on_news, &l});
    if (l.viewer)
        code = program_run(&l.program, on_line, on_end, &l);
    viewer_stop(l.viewer);
    program_close(&l.program);
    return code;
}
