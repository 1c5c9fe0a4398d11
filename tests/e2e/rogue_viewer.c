/* A viewer built from the same libraries that keeps to no rule: it asks for the screen and sends input
 * whatever it was granted, before the check code and after. The host must do nothing of it and send not one
 * byte of the screen.
 *
 * Commands on standard input: "rob" (do all that is forbidden), "code NNN-NNN-NNN", "figures", "end". */
#include "base/time.h"
#include "headless/endfile.h"
#include "headless/io.h"
#include "headless/print.h"
#include "session/engine_private.h"

#include <stdio.h>
#include <stdlib.h>

struct rogue {
    struct tas_loop *loop;
    struct tas_end *end;
    struct tas_session *s;
};

static void send_raw(struct rogue *r, uint16_t type, const uint8_t *body, int len) {
    if (engine_send(r->s, type, TAS_CLASS_CONTROL, body, len) != TAS_OK)
        headless_say("error", ",\"text\":\"the rogue could not send\"");
}

static void rob(struct rogue *r) {
    uint8_t body[64];
    const struct tas_msg_view view = {.is_on = 1};
    send_raw(r, TAS_MESSAGE_VIEW, body, tas_msg_view_encode(&view, body, sizeof(body)));
    const struct tas_msg_ask ask = {.rights = 0xffff};
    send_raw(r, TAS_MESSAGE_ASK, body, tas_msg_ask_encode(&ask, body, sizeof(body)));
    struct tas_msg_input in = {.kind = 4, .n_text = 6, .text = {'S', 'T', 'O', 'L', 'E', 'N'}};
    send_raw(r, TAS_MESSAGE_INPUT, body, tas_msg_input_encode(&in, body, sizeof(body)));
    in = (struct tas_msg_input){.kind = 2, .x = 1, .y = 1, .buttons = 7, .layout = 1};
    send_raw(r, TAS_MESSAGE_INPUT, body, tas_msg_input_encode(&in, body, sizeof(body)));
    in = (struct tas_msg_input){.kind = 1, .is_down = 1, .keycode = 28};
    send_raw(r, TAS_MESSAGE_INPUT, body, tas_msg_input_encode(&in, body, sizeof(body)));
    r->s->si.wants = true; /* as if everything had been granted */
    r->s->granted = 0xffff;
    headless_say("robbed", ",\"state\":\"%s\"", tas_state_name(tas_session_state(r->s)));
}

static void on_event(void *ctx, const struct tas_event *ev) {
    struct rogue *r = ctx;
    print_event(ev);
    if (ev->kind == TAS_EVENT_CLOSED)
        tas_loop_stop(r->loop);
    else if (ev->kind == TAS_EVENT_SCREEN || ev->kind == TAS_EVENT_FRAME ||
             ev->kind == TAS_EVENT_CURSOR_POS || ev->kind == TAS_EVENT_CURSOR_IMAGE)
        headless_say("loot", ",\"kind\":%d", (int)ev->kind);
}

static void on_turn(void *ctx) {
    (void)ctx;
}

static void on_line(void *ctx, char *line) {
    struct rogue *r = ctx;
    char *rest;
    const char *word = headless_word(line, &rest);
    if (print_command(r->s, word, rest))
        return;
    if (strcmp(word, "rob") == 0)
        rob(r);
    else if (strcmp(word, "code") == 0)
        (void)!tas_session_type_code(r->s, rest, tas_mono_us());
    else if (strcmp(word, "end") == 0)
        tas_session_end(r->s, TAS_END_OPERATOR, tas_mono_us());
}

static void on_stdin_end(void *ctx) {
    tas_session_end(((struct rogue *)ctx)->s, TAS_END_OPERATOR, tas_mono_us());
}

int main(int argc, char **argv) {
    static const struct tas_end_owner owner = {on_event, on_turn};
    struct rogue r = {0};
    char why[TAS_CONF_WHY];
    struct endfile *file = argc == 2 ? endfile_load(argv[1], why) : NULL;
    if (!file) {
        fprintf(stderr, "rogue_viewer: %s\n", argc == 2 ? why : "one argument: the end file");
        return 2;
    }
    r.loop = tas_loop_new();
    r.end = r.loop ? tas_end_new(r.loop, &file->config, &owner, &r) : NULL;
    if (!r.end)
        return 1;
    r.s = tas_end_session(r.end);
    struct headless_io *io = headless_io_new(r.loop, on_line, on_stdin_end, &r);
    int err = io ? tas_loop_run(r.loop) : TAS_E_NOMEM;
    headless_io_free(io);
    tas_end_free(r.end);
    tas_loop_free(r.loop);
    endfile_free(file);
    return err == TAS_OK ? 0 : 1;
}
