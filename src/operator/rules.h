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
