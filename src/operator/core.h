/* The operator's tool on its protocol thread: the flow of src/tool, the engine, the decoder and the present
 * back end. What it tells and is told goes through the bridge (state.h). */
#pragma once

#include "operator/present/present.h"
#include "operator/state.h"
#include "org/org.h"
#include "ui/bridge.h"

struct operator_core;

/* Starts the thread; org is copied. present: the way pictures are shown (present/present.h); surface: its
 * other half on the GTK side, or NULL. The bridge outlives the core. NULL: no memory, or `why`. */
struct operator_core *operator_core_start(const struct org *org, const struct present_ops *present,
                                          struct present_surface *surface, struct ui_bridge *bridge,
                                          char why[API_DETAIL + 1]);

/* Ends what still runs (at most 3 s), joins the thread. */
void operator_core_stop(struct operator_core *core); /* NULL is fine */

/* ui_bridge_config.on_command. */
void operator_core_command(void *core, const void *command);
