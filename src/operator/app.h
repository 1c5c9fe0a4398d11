/* The operator's windows together: which of them are open follows from the state. GTK thread only. */
#pragma once

#include "operator/remember.h"
#include "operator/state.h"
#include "ui/bridge.h"
#include "ui/words.h"

struct app;
struct present_surface;

/* surface: where pictures are drawn by GTK, NULL: the present back end makes a window of its own. Borrowed,
 * as the bridge is. Opens nothing until app_start(). NULL: no memory. */
struct app *app_new(struct ui_bridge *bridge, struct present_surface *surface);
void app_free(struct app *app); /* closes all windows; NULL is fine */

/* Opens the first window, in the language that is remembered, or else as the system says. organisation: whose
 * tool this is; shown until the server says more. */
void app_start(struct app *app, const char *organisation);

/* ui_bridge_config.on_state and on_note. */
void app_on_state(void *app, const void *state);
void app_on_note(void *app, void *note);

/* ---- what the windows ask of it ---- */

/* The newest; never NULL; good until the main loop goes on. */
const struct operator_state *app_state(const struct app *app);
struct present_surface *app_surface(const struct app *app);

void app_send(struct app *app, const struct operator_command *command);
/* A command that needs no more than this. */
void app_do(struct app *app, enum operator_command_kind kind, uint64_t session);

/* Now, on the management server's clock, ms; 0: not known. */
int64_t app_server_ms(const struct app *app);

const struct remember *app_remember(const struct app *app);
void app_set_language(struct app *app, const char *language);
void app_open_history(struct app *app);
/* Ends the program, once the protocol thread has said good-bye. */
void app_quit(struct app *app);
