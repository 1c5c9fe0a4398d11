/* What the parts of this folder tell their owner: one function, one struct. A program prints it (headless),
 * or makes what its windows show of it (customer, operator). */
#pragma once

#include "api/calls.h"
#include "session/session.h"

enum tool_news_kind {
    TOOL_ERROR,    /* `command` came to nothing: `error`; flag: for good ("stream") */
    TOOL_SERVER,   /* a management server answered: `server` */
    TOOL_MEASURED, /* how far the relays are: rtts, n */
    TOOL_LINE,     /* events of the management server at `text` (may be NULL) come (flag), or not: `error` */
    TOOL_ALARM,    /* `text`: somebody may be attacking */
    TOOL_TICKET,   /* a fresh ticket came; `err` of taking it */
    TOOL_ENGINE,   /* the session's engine said `event` */
    TOOL_SILENT, /* flag: nothing comes over the line, though it is not lost (a relay that hangs); or again */
    TOOL_ENDED,  /* the end of session or claim `id` was told to the server (or not: `error`) */

    TOOL_LEFT, /* nothing is under way any more, and nothing will be */

    /* the customer's */
    TOOL_TERMS,    /* `terms` */
    TOOL_COMPANY,  /* the number is right: it is company `text`'s; claim `id` */
    TOOL_CLAIM,    /* state of the claim: `claim` */
    TOOL_OPERATOR, /* `name` of company `text` answered; flag: a signed statement says so, not only the server
                    */
    TOOL_FREE,     /* the claim came to nothing: another number may be sent */
    TOOL_SCREEN,   /* the display, or the monitor, that is shared has width x height px */
    TOOL_INPUT,    /* `input` was injected, or `err`; or held back (TAS_E_STATE) */
    TOOL_RELEASED, /* all keys and buttons were let go */
    TOOL_NO_DISPLAY, /* `text`: why the display cannot be shared, or any more */

    /* the operator's */
    TOOL_LOGGED_IN, /* `login` */
    TOOL_LOGGED_OUT,
    TOOL_READY,   /* the sessions that there are have all been told */
    TOOL_SESSION, /* `session`, as answer to `command` ("issue", "cancel", "answer", "refuse", "result") or by
                   * itself (NULL) */
    TOOL_HISTORY, /* `page` */
    TOOL_STORED,  /* what was told of the customer's machine is stored */
    TOOL_FRAME,   /* a picture was decoded (err) and shown; us: it took so long */
    TOOL_MONITORS, /* the customer's are `monitors`; `name`: of the one that was shown, and is gone (NULL:
                      none) */
};

struct tool_news {
    enum tool_news_kind kind;
    const char *command, *text, *name;
    bool flag;
    int err;
    uint64_t id;
    uint32_t width, height;
    uint64_t us;
    size_t n;
    const struct api_error *error;
    const struct api_server *server;
    const struct api_rtt *rtts;
    const struct api_terms *terms;
    const struct api_claim *claim;
    const struct api_login *login;
    const struct api_session *session;
    const struct api_page *page;
    const struct tas_event *event;
    const struct tas_msg_input *input;
    const struct tas_monitors *monitors;
    const struct tas_tiles *changed; /* of FRAME: what of the picture; NULL: all */
};

/* Who is told. Everything that the news points to is borrowed for the call. */
struct tool_listener {
    void (*on_news)(void *ctx, const struct tool_news *news);
    void *ctx;
};

void tool_tell(const struct tool_listener *to, const struct tool_news *news);

/* TOOL_ERROR with the error of a call, or with our own words. */
void tool_complain(const struct tool_listener *to, const char *command, const struct api_error *error);
void tool_refuse(const struct tool_listener *to, const char *command, const char *code, const char *text);
