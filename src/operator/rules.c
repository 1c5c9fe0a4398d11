#include "operator/rules.h"

#include "base/err.h"
#include "wire/record.h"

#include <stdio.h>
#include <string.h>

bool rules_fits(const struct operator_state *state, enum operator_command_kind kind) {
    enum operator_phase phase = state->phase;
    switch (kind) {
    case OPERATOR_DO_LOGIN:
        return state->step == OPERATOR_LOGIN;
    case OPERATOR_DO_LOGOUT:
        return state->step == OPERATOR_DESK;
    case OPERATOR_DO_ANSWER:
        return state->step == OPERATOR_DESK && phase == OPERATOR_IDLE;
    case OPERATOR_DO_CODE:
        return phase == OPERATOR_CODE;
    case OPERATOR_DO_VIEW:
    case OPERATOR_DO_MONITOR:
    case OPERATOR_DO_ASK:
        return phase == OPERATOR_ACTIVE;
    case OPERATOR_DO_END:
        return phase != OPERATOR_IDLE && phase != OPERATOR_CLOSED;
    case OPERATOR_DO_DONE:
        return phase == OPERATOR_CLOSED;
    default:
        return true;
    }
}

static bool is_of_desk(const char *command) {
    static const char *const desk[] = {"issue", "cancel", "answer", "refuse", "result", "history"};
    for (size_t i = 0; i < sizeof(desk) / sizeof(desk[0]); i++)
        if (strcmp(desk[i], command) == 0)
            return true;
    return false;
}

const char *rules_code(const char *command, int err, bool is_in) {
    switch (err) {
    case TAS_E_NOMEM:
        return "no_memory";
    case TAS_E_STATE:
        if (!is_in && is_of_desk(command))
            return "logged_out";
        return strcmp(command, "answer") == 0 ? "still_closing" : "session_over";
    case TAS_E_RIGHT:
        return "not_granted";
    case TAS_E_FULL:
        return "line_full";
    case TAS_E_LIMIT:
        return "too_long";
    case TAS_E_ABSENT:
        return "no_session";
    case TAS_E_PROTO:
        return "usage";
    default:
        return "not_done";
    }
}

bool rules_can_see(const struct operator_state *state) {
    return state->phase == OPERATOR_ACTIVE && (state->rights & TAS_RIGHT_SEE) && !state->is_paused;
}

static bool is_other(uint64_t shown, uint64_t now) {
    uint64_t apart = now > shown ? now - shown : shown - now;
    return apart > shown / 8;
}

bool rules_take_figures(struct operator_state *state, uint64_t rtt_us, uint64_t rate_Bps, uint32_t relay) {
    if (relay == state->relay && !is_other(state->rtt_us, rtt_us) && !is_other(state->rate_Bps, rate_Bps))
        return false;
    state->rtt_us = (uint32_t)rtt_us;
    state->rate_Bps = rate_Bps;
    state->relay = relay;
    return true;
}

void rules_take_monitors(struct operator_state *state, const struct tas_monitors *monitors,
                         const char *gone) {
    state->monitors = *monitors;
    if (!gone)
        return;
    snprintf(state->gone_monitor, sizeof(state->gone_monitor), "%s", gone);
    state->gone_serial++;
}
