/* The operator's way, without windows: login, reception numbers, who waits, one session at a time, its
 * result. What becomes of it is told as news (news.h). */
#pragma once

#include "tool/tool.h"

struct operator;

/* tool: outlives it. version: of the tool. NULL: no memory. */
struct operator* operator_new(struct tool *tool, const char *version);
/* Not from within on_news(). NULL is fine. */
void operator_free(struct operator* o);

/* SERVER or ERROR of "server": before a login, to show whose it is and whether this version is still good. */
void operator_ask_server(struct operator* o);

/* LOGGED_IN, then SESSIONs and READY; or ERROR of "login". TAS_E_STATE: somebody is. */
TAS_MUST_USE int operator_login(struct operator* o, const char *company, const char *id,
                                const char *password);

/* Ends the session in hand, logs out (unless is_staying), then operator_is_over(). */
void operator_leave(struct operator* o, bool is_staying);
bool operator_is_over(const struct operator* o);

/* Has operator_login() been called? Is somebody logged in? */
bool operator_has_tried(const struct operator* o);
bool operator_is_in(const struct operator* o);

/* All of these: SESSION with the command's name, or ERROR. TAS_E_STATE: not logged in, or as said.
 * TAS_E_NOMEM. */
struct operator_order {
    const char *customer, *reason, *ticket_no; /* NULL: none */
};
TAS_MUST_USE int operator_issue(struct operator* o, const struct operator_order *order);
TAS_MUST_USE int operator_cancel(struct operator* o, uint64_t session);
/* TAS_E_STATE: a session is in hand. After SESSION of "answer" operator_viewer() runs. */
TAS_MUST_USE int operator_answer(struct operator* o, uint64_t session, uint64_t claim);
TAS_MUST_USE int operator_refuse(struct operator* o, uint64_t session, uint64_t claim);
/* result: "solved", "open", "aborted". session: 0: the one in hand, or the last. TAS_E_ABSENT: there was
 * none. */
TAS_MUST_USE int operator_result(struct operator* o, uint64_t session, const char *result, const char *note);
/* STORED or ERROR. info: borrowed. TAS_E_ABSENT as above. */
TAS_MUST_USE int operator_device(struct operator* o, const struct tas_json *info);
/* HISTORY or ERROR. before: 0 the newest. */
TAS_MUST_USE int operator_history(struct operator* o, uint64_t before, unsigned limit);

/* ---- the session in hand ---- */

uint64_t operator_session(const struct operator* o); /* 0: none */
struct viewer *operator_viewer(struct operator* o);  /* NULL: none runs */
/* The person's doings, done and noted in the record. Without a session: TAS_E_STATE. */
TAS_MUST_USE int operator_view(struct operator* o, bool is_on);
TAS_MUST_USE int operator_ask(struct operator* o, uint16_t rights);
TAS_MUST_USE int operator_chat(struct operator* o, const char *text);
TAS_MUST_USE int operator_type(struct operator* o, const char *text);
void operator_end(struct operator* o);
uint64_t operator_rtt_us(const struct operator* o); /* newest round trip; 0: none yet */
