/* What the customer's windows show, and what they ask for: the two kinds of message between the protocol
 * thread (core.c) and the windows (all other files). Plain data, no pointers into the other side. */
#pragma once

#include "api/error.h"
#include "api/objects.h"

#include <stdint.h>

enum customer_step {
    CUSTOMER_CONNECTING, /* asking the management server who it is, and for the terms */
    CUSTOMER_STUCK,      /* that failed: error; RETRY */
    CUSTOMER_TOO_OLD,    /* this tool's version is no longer accepted: version */
    CUSTOMER_READY,      /* a number may be sent (the windows show warning and terms before) */
    CUSTOMER_SENDING,    /* the number is on its way */
    CUSTOMER_CHOOSING,   /* company is known: what to allow? */
    CUSTOMER_WAITING,    /* the operator sees who waits */
    CUSTOMER_ANSWERED,   /* operator is known, by statement: allow him? */
    CUSTOMER_JOINING,    /* keys are being agreed on */
    CUSTOMER_CODE,       /* check_code is to be read out */
    CUSTOMER_ACTIVE,
    CUSTOMER_ENDED, /* end_reason; nothing comes any more */
};

/* Why a number came to nothing, so that another may be typed (step is READY again). */
enum customer_lapse { CUSTOMER_NO_LAPSE, CUSTOMER_REFUSED, CUSTOMER_REPLACED, CUSTOMER_EXPIRED };

struct customer_state {
    enum customer_step step;
    enum customer_lapse lapse;
    uint32_t error_serial;  /* rises with every error that is to be shown */
    struct api_error error; /* of STUCK, or of what was tried last; err TAS_OK: none */
    bool is_busy;           /* what the person decided in this step is on its way: nothing else can be now */
    char organisation[API_NAME + 1];
    char min_version[API_WORD + 1];                   /* of TOO_OLD */
    char machine[API_NAME + 1], system[API_NAME + 1]; /* what the operator is told of this computer */
    char company[API_NAME + 1];
    char operator_name[API_NAME + 1]; /* from the signed statement */
    char check_code[16];              /* "482-913-527" */
    unsigned tries_left;              /* of the check code; 0 not said */
    uint16_t possible;                /* rights that this tool can grant at all (TAS_RIGHT_*) */
    uint16_t granted;                 /* what is allowed now */
    uint16_t asked;                   /* what the operator asks for in addition; 0 nothing */
    bool is_paused;
    bool is_viewed;             /* the operator looks at the screen now */
    bool is_line_lost;          /* it comes back by itself */
    int64_t active_at_ms;       /* wall clock when the session became active; 0 not yet */
    unsigned end_reason;        /* enum tas_end_reason; 0: it never began */
    char alarm[API_DETAIL + 1]; /* English sentence of the engine; "" none */
    bool has_emergency_key;     /* Ctrl+Alt+X ends the session */
};

enum customer_command_kind {
    CUSTOMER_DO_RETRY,
    CUSTOMER_DO_NUMBER, /* text: as typed; terms_at_ms: when the terms were agreed to */
    CUSTOMER_DO_CHOOSE, /* rights: all that are granted at the start */
    CUSTOMER_DO_BACK,   /* from SENDING, CHOOSING or WAITING to READY */
    CUSTOMER_DO_ACCEPT, /* of ANSWERED, as DECLINE; in any other step nothing happens */
    CUSTOMER_DO_DECLINE,
    CUSTOMER_DO_GRANT,  /* rights: are granted from now on, too */
    CUSTOMER_DO_REVOKE, /* rights: are no longer granted */
    CUSTOMER_DO_ANSWER, /* to state.asked: about `asked`, of which `rights` are granted and the others denied.
                         * What is no longer asked for changes nothing */
    CUSTOMER_DO_PAUSE,  /* is_on */
    CUSTOMER_DO_CHAT,   /* text, UTF-8, at most 4000 bytes */
    CUSTOMER_DO_OWN,    /* window: any X window of this program: the operator's input reaches none of them */
    CUSTOMER_DO_SAVE,   /* text: path of a file to write the customer's own record to */
    CUSTOMER_DO_END,    /* ends whatever stands; step becomes ENDED */
};

struct customer_command {
    enum customer_command_kind kind;
    uint16_t rights, asked;
    bool is_on;
    int64_t terms_at_ms;
    unsigned long window;
    char text[4001];
};

enum customer_note_kind {
    CUSTOMER_NOTE_TERMS, /* text: in Japanese, text2: in English, version */
    CUSTOMER_NOTE_CHAT,  /* text: from the operator */
    CUSTOMER_NOTE_WROTE, /* text: of CUSTOMER_DO_CHAT; is_ok: it is on its way to the operator */
    CUSTOMER_NOTE_SAVED, /* is_ok; text: the path, or why not */
};

struct customer_note {
    enum customer_note_kind kind;
    bool is_ok;
    char version[API_WORD + 1];
    char *text, *text2; /* owned */
};
void customer_note_free(void *note);

/* The bytes of it that are in use, for ui_bridge_command(): the text is last. */
size_t customer_command_size(const struct customer_command *command);
