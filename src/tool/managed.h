/* An end of a session as its management server sees it: what happens is reported, the ticket is kept fresh,
 * the end is told with figures. Used by customer.c and operator.c. */
#pragma once

#include "api/renewal.h"
#include "api/report.h"
#include "tool/news.h"

struct managed;

enum { MANAGED_RIGHTS = 0x7f }; /* all that exist, docs/protocol.md section 1 */

/* Tells TOOL_TICKET, TOOL_SILENT, TOOL_ERROR, TOOL_ALARM, and TOOL_ENDED, after which nothing more comes:
 * on_ended is then called, and may free. side: copied. NULL: no memory. */
struct managed *managed_new(struct api_client *client, const struct api_side *side, struct tool_listener to,
                            void (*on_ended)(void *ctx), void *ctx);
void managed_free(struct managed *m); /* NULL is fine */

/* What happened outside the engine: "consent", "operator_accepted". detail is taken, NULL: none. */
void managed_report(struct managed *m, const char *kind, struct tas_json *detail);

/* The engine runs from now on, with this grant, which outlives m. rights: what the host grants from the
 * start. */
TAS_MUST_USE int managed_attach(struct managed *m, struct tas_session *session, struct api_grant *grant,
                                uint16_t rights);

/* Each event of the engine: the other end must be who the grant said, otherwise alarm, and the end. The
 * engine may be freed once on_ended() came. */
void managed_event(struct managed *m, const struct tas_event *ev);

/* What this side's person did, for the record. */
void managed_granted(struct managed *m, uint16_t rights); /* all that are granted from now on */
void managed_report_number(struct managed *m, const char *kind, const char *name, int64_t number);

/* Figures as they are told at the end. */
uint64_t managed_rtt_us(const struct managed *m); /* the newest; 0: none yet */

/* The server says that the session is over. */
void managed_is_over(struct managed *m);

/* Ends it without an engine having run: "customer", "error". */
void managed_end(struct managed *m, const char *reason, const char *text);
