/* The sessions that the server tells of, as they stand in the state. Pure. */
#pragma once

#include "operator/state.h"

/* Takes in what the server says of a session: newest first, ended ones leave; when there are too many the
 * oldest is not shown. What an event has overtaken changes nothing. */
void operator_live_put(struct operator_state *st, const struct api_session *s);

/* Why the session that was viewed ended: the server knows better than an engine that was only told that all
 * is over. */
void operator_live_learn_end(struct operator_state *st, const struct api_session *s);
