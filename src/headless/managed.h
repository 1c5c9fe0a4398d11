/* An end of a session as its management server sees it: what happens is reported, the ticket is kept fresh,
 * the end is told with figures. Used by both `operator` and `customer`. */
#pragma once

#include "api/renewal.h"
#include "api/report.h"
#include "session/session.h"

struct managed;

struct managed_owner {
    /* The end of the session was told, or could not be (error): nothing more comes. */
    void (*on_done)(void *ctx, const struct api_error *error);
};

/* side: copied. NULL: no memory. */
struct managed *managed_new(struct api_client *client, const struct api_side *side,
                            const struct managed_owner *owner, void *ctx);
void managed_free(struct managed *m); /* NULL is fine */

/* What happened outside the engine: "consent", "operator_accepted". detail is taken, NULL: none. */
void managed_report(struct managed *m, const char *kind, struct tas_json *detail);

/* The engine runs from now on, with this grant, which outlives m. rights: what the host grants from the
 * start. */
TAS_MUST_USE int managed_attach(struct managed *m, struct tas_session *session, struct api_grant *grant,
                                uint16_t rights);

/* Each event of the engine (the other end must be who the grant said: otherwise alarm, and the end), and each
 * command that the user gave it (headless_watcher). The engine may be freed once on_done() came. */
void managed_event(struct managed *m, const struct tas_event *ev);
void managed_command(struct managed *m, const char *word, uint32_t number);

/* The server says that the session is over. */
void managed_is_over(struct managed *m);

/* Ends it without an engine having run: "customer", "error". */
void managed_end(struct managed *m, const char *reason, const char *text);
