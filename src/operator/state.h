/* What the operator's windows show, and what they ask for: the messages between the protocol thread (core.c)
 * and the windows (all other files). Plain data, no pointers into the other side. */
#pragma once

#include "api/error.h"
#include "api/objects.h"
#include "session/session.h"

#include <stdint.h>

enum { OPERATOR_LIVE = 16, OPERATOR_TEXT = 4001 };

enum operator_step {
    OPERATOR_LOGIN, /* nobody is logged in; error: of the last try */
    OPERATOR_LOGGING_IN,
    OPERATOR_TOO_OLD, /* this tool's version is no longer accepted: min_version */
    OPERATOR_DESK,    /* logged in */
};

/* The session in hand. */
enum operator_phase {
    OPERATOR_IDLE,
    OPERATOR_ANSWERING, /* Answer was pressed */
    OPERATOR_CALLING,   /* the customer is asked whether he wants this operator; keys are agreed on */
    OPERATOR_CODE,      /* check code is to be typed; only chat works */
    OPERATOR_ACTIVE,
    OPERATOR_CLOSED, /* end_reason; until DONE */
};

struct operator_state {
    enum operator_step step;
    uint32_t error_serial; /* rises with every error that is to be shown */
    struct api_error error;
    char error_command[24]; /* "login", "issue", "answer", "stream" ... */
    char min_version[API_WORD + 1];
    char organisation[API_NAME + 1];
    char company[API_NAME + 1], operator_name[API_NAME + 1];
    bool is_managed;   /* the management server is listened to */
    int64_t server_ms; /* the server's wall clock ... */
    uint64_t mono_us;  /* ... at this instant of base/time.h's tas_mono_us() */

    size_t n_live; /* own sessions that are issued, waiting, or running; newest first */
    struct api_session live[OPERATOR_LIVE];
    uint64_t issued_session; /* the last that an ISSUE made; 0 none */
    uint32_t issue_serial;   /* rises with each answer to an ISSUE, good or bad */

    enum operator_phase phase;
    uint64_t session; /* in hand; 0 none */
    bool is_ending;   /* END was pressed, and is not carried out yet */
    bool is_closing;  /* the end of the session before is still being told to the server: none is answered */
    char peer_name[API_NAME + 1]; /* customer's machine: the visitor's own word, from KEYED on by statement */
    unsigned tries_left;          /* of the check code; 0 not said */
    uint32_t code_serial;         /* rises with every wrong code */
    uint16_t perms, rights;       /* may be asked for; are granted now */
    bool is_paused, is_line_lost;
    bool is_viewing;                         /* the operator wants to see, and may: a picture comes */
    uint32_t width, height;                  /* of the customer's screen, px; 0 none yet */
    struct tas_monitors monitors;            /* the customer's; n is 0 until they are told */
    char gone_monitor[TAS_MONITOR_NAME + 1]; /* that was shown until it went ... */
    uint32_t gone_serial;                    /* ... rises with each */
    uint64_t active_at_us;                   /* on tas_mono_us(); 0 not yet */
    unsigned end_reason;                     /* enum tas_end_reason */
    char alarm[API_DETAIL + 1];
    bool has_device, is_device_stored;
    uint32_t rtt_us, relay; /* of the line in use; 0 not known */
    uint64_t rate_Bps;
    uint16_t denied;         /* what the customer did not allow when he was asked last ... */
    uint32_t denied_serial;  /* ... rises with each such answer */
    uint64_t result_session; /* whose RESULT was stored last, of the history too ... */
    uint32_t result_serial;  /* ... rises with each */
};

enum operator_command_kind {
    OPERATOR_DO_LOGIN, /* company, id, text: the password (wiped after) */
    OPERATOR_DO_LOGOUT,
    OPERATOR_DO_ISSUE,   /* company: customer's name, id: ticket number, text: reason; any may be "" */
    OPERATOR_DO_CANCEL,  /* session */
    OPERATOR_DO_ANSWER,  /* session, claim */
    OPERATOR_DO_REFUSE,  /* session, claim */
    OPERATOR_DO_CODE,    /* text: nine digits as typed */
    OPERATOR_DO_VIEW,    /* is_on: wants to see, as soon as it is allowed; does not ask */
    OPERATOR_DO_MONITOR, /* monitor: of state.monitors, or TAS_MONITOR_ALL: shows it */
    OPERATOR_DO_ASK,     /* rights */
    OPERATOR_DO_CHAT,    /* text */
    OPERATOR_DO_TEXT,    /* text: typed at the customer's */
    OPERATOR_DO_KEY,     /* keycode (evdev), keysym, is_on: pressed */
    OPERATOR_DO_POINTER, /* x, y: device px inside the viewport; buttons; dx, dy: wheel notches or 0 */
    OPERATOR_DO_RELEASE, /* lets go of all keys and buttons that are held */
    OPERATOR_DO_END,
    OPERATOR_DO_RESULT,  /* session, company: "solved", "open", "aborted", text: note */
    OPERATOR_DO_DONE,    /* the closed session's window may go: phase becomes IDLE */
    OPERATOR_DO_HISTORY, /* session: before which; 0 the newest */
    /* where the picture goes: see present/present.h */
    OPERATOR_DO_PLACE, /* window: XID of the viewport (0: none any more), width, height: of it, device px;
                        * is_on: scaled to fit, otherwise 1:1, then scroll_x, scroll_y, zoom */
    OPERATOR_DO_QUIT,
};

struct operator_command {
    enum operator_command_kind kind;
    uint64_t session, claim;
    uint16_t rights;
    bool is_on;
    uint16_t keycode;
    uint32_t keysym;
    int32_t x, y, dx, dy;
    uint32_t width, height;
    int32_t scroll_x, scroll_y; /* remote px that stand at the viewport's upper left corner */
    uint32_t zoom;              /* 1:1: sides of a remote px, device px */
    unsigned buttons;
    uint8_t monitor;
    unsigned long window;
    char company[API_TEXT + 1], id[API_TEXT + 1], text[8193];
};

enum operator_note_kind {
    OPERATOR_NOTE_CHAT,    /* text: from the customer */
    OPERATOR_NOTE_DEVICE,  /* text: JSON of the customer's machine */
    OPERATOR_NOTE_HISTORY, /* page: owned */
    OPERATOR_NOTE_QUIT,    /* all is said and done: the program may end */
};

struct operator_note {
    enum operator_note_kind kind;
    char *text;           /* owned */
    struct api_page page; /* owned */
};
void operator_note_free(void *note);

/* The bytes of it that are in use, for ui_bridge_command(): the text is last. */
size_t operator_command_size(const struct operator_command *command);
