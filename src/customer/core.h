/* The customer's tool on its protocol thread: the flow of src/tool, the engine, capture and input. What it
 * tells and is told goes through the bridge (state.h). */
#pragma once

#include "customer/state.h"
#include "org/org.h"
#include "ui/bridge.h"

struct customer_core;

/* Starts the thread; org is copied. language: "ja" or "en", told to the operator. The bridge outlives the
 * core. NULL: no memory, or `why`. */
struct customer_core *customer_core_start(const struct org *org, const char *language,
                                          struct ui_bridge *bridge, char why[API_DETAIL + 1]);

/* Ends what still runs (the other end and the server are told, at most 3 s), joins the thread. */
void customer_core_stop(struct customer_core *core); /* NULL is fine */

/* ui_bridge_config.on_command. */
void customer_core_command(void *core, const void *command);
