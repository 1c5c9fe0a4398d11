/* What the operator can do at which moment, and which words fit when something was not done. Pure. */
#pragma once

#include "operator/state.h"

/* False: the moment has passed (pressed twice, or while the state changed), so nothing is done or said. */
bool rules_fits(const struct operator_state *state, enum operator_command_kind kind);

/* What a function of the flow (tool/operator.h) returned for `command`, as a code of ui/words.h. is_in:
 * somebody is logged in. */
const char *rules_code(const char *command, int err, bool is_in);

/* Does a picture come to somebody who wants one? */
bool rules_can_see(const struct operator_state *state);

/* The line's figures are these now. False: as before, or not far from it: what only trembles is not worth
 * showing all windows anew every second. */
bool rules_take_figures(struct operator_state *state, uint64_t rtt_us, uint64_t rate_Bps, uint32_t relay);

/* The customer's monitors are these now; gone: the name of the one that was shown, and is none of them
 * (NULL). */
void rules_take_monitors(struct operator_state *state, const struct tas_monitors *monitors, const char *gone);
