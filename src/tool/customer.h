/* The customer's way through a session, without windows: number, company, what to allow, operator, the
 * session, the end. What becomes of it is told as news (news.h); what the person decides comes in by the
 * functions. */
#pragma once

#include "tool/tool.h"

struct customer;

struct customer_config {
    const char *language;               /* "ja", "en" */
    const char *version;                /* of the tool */
    const char *display;                /* NULL for $DISPLAY */
    const struct tas_video_kind *films; /* as share.h */
    uint64_t own_window;                /* as share.h */
    bool must_be_signed;                /* an operator whom no signed statement names is an alarm */
    bool is_choosing; /* the company is shown, and customer_choose() awaited, before the operator is told */
    uint16_t rights;  /* granted from the start, unless customer_choose() says otherwise */
};

/* tool: outlives it. NULL: no memory. */
struct customer *customer_new(struct tool *tool, const struct customer_config *config);
/* Not from within on_news(). NULL is fine. */
void customer_free(struct customer *c);

/* Asks the server who it is, and for the terms: SERVER, TERMS, or ERROR of "server" or "terms" (then again).
 */
void customer_start(struct customer *c);

/* A window of ours that is there now (share.h). */
void customer_own_window(struct customer *c, uint64_t window);

/* A reception number as typed; kept until the terms are known. terms_at_ms: when the person agreed to them.
 * COMPANY or ERROR follows. TAS_E_STATE: another one is being dealt with; TAS_E_PROTO: not a number, or its
 * check digit is wrong. */
TAS_MUST_USE int customer_number(struct customer *c, const char *typed, int64_t terms_at_ms);

/* After COMPANY with is_choosing: the operator may be told who waits. TAS_E_STATE. */
TAS_MUST_USE int customer_choose(struct customer *c, uint16_t rights);

/* After OPERATOR. TAS_E_STATE: nobody has answered, or it was decided already. */
TAS_MUST_USE int customer_accept(struct customer *c);
TAS_MUST_USE int customer_decline(struct customer *c);

/* Goes back to before the number, until somebody was accepted; FREE follows. The number stays good, unless an
 * operator has answered by now: then the session ends. */
void customer_back(struct customer *c);

/* Ends whatever stands: CLOSED of the engine, ENDED, and customer_is_over() follow, or only the last. */
void customer_end(struct customer *c);

/* Nothing is under way any more, and nothing will be. exit code: EXIT_FAILURE after an alarm and the like, 75
 * when there was no display. */
bool customer_is_over(const struct customer *c);
int customer_exit_code(const struct customer *c);

/* ---- while the session runs; NULL, or nothing done, when none does ---- */

struct tas_session *customer_session(struct customer *c);
void customer_grant(struct customer *c, uint16_t rights);
void customer_deny(struct customer *c, uint16_t rights); /* asked for, and not granted: for the record */
void customer_pause(struct customer *c, bool is_paused);
TAS_MUST_USE int customer_chat(struct customer *c, const char *text);
void customer_hold(struct customer *c, bool is_held);
/* Tells the operator what this machine is (client/device.h). TAS_E_STATE; as tas_session_device(). */
TAS_MUST_USE int customer_tell_device(struct customer *c, const struct tas_json *info);

/* The stream of the management server, for words. */
const char *customer_server(const struct customer *c);
