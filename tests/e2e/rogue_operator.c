/* tasuki-headless whose operator keeps to no rule: he logs in and answers like others, then the command "rob"
 * does all that is forbidden, whatever he was granted, before the check code and after. Linked with
 * --wrap=viewer_command. */
#include "headless/io.h"
#include "headless/viewer.h"
#include "session/engine_private.h"

#include <string.h>

bool __real_viewer_command(struct viewer *viewer, struct operator* o, struct viewer_facts *facts,
                           const char *word, const char *rest);
bool __wrap_viewer_command(struct viewer *viewer, struct operator* o, struct viewer_facts *facts,
                           const char *word, const char *rest);

static void send_raw(struct tas_session *s, uint16_t type, const uint8_t *body, int len) {
    if (engine_send(s, type, TAS_CLASS_CONTROL, body, len) != TAS_OK)
        headless_say("error", ",\"text\":\"the rogue could not send\"");
}

static void send_input(struct tas_session *s, const struct tas_msg_input *in) {
    uint8_t body[64];
    send_raw(s, TAS_MESSAGE_INPUT, body, tas_msg_input_encode(in, body, sizeof(body)));
}

/* Looks, clicks the middle of the screen, types a word there. */
static void rob(struct tas_session *s) {
    uint8_t body[64];
    const struct tas_msg_view view = {.is_on = 1};
    const struct tas_msg_input doings[] = {
        {.kind = 2, .x = 640, .y = 400, .layout = 1},
        {.kind = 2, .x = 640, .y = 400, .buttons = 1, .layout = 1},
        {.kind = 2, .x = 640, .y = 400, .layout = 1},
        {.kind = 4, .n_text = 6, .text = {'S', 'T', 'O', 'L', 'E', 'N'}},
        {.kind = 1, .is_down = 1, .keycode = 30, .keysym = 'a'}, /* and is never let go */
        {.kind = 3, .x = 640, .y = 400, .wheel_y = 3, .layout = 1},
    };
    send_raw(s, TAS_MESSAGE_VIEW, body, tas_msg_view_encode(&view, body, sizeof(body)));
    for (size_t i = 0; i < sizeof(doings) / sizeof(doings[0]); i++)
        send_input(s, &doings[i]);
    s->si.wants = true; /* as if everything had been granted: a picture that comes is shown */
    s->granted = 0xffff;
    headless_say("robbed", ",\"state\":\"%s\"", tas_state_name(tas_session_state(s)));
}

bool __wrap_viewer_command(struct viewer *viewer, struct operator* o, struct viewer_facts *facts,
                           const char *word, const char *rest) {
    if (strcmp(word, "rob") != 0)
        return __real_viewer_command(viewer, o, facts, word, rest);
    rob(viewer_session(viewer));
    return true;
}
