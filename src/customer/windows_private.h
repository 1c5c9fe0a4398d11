/* What the customer's windows have in common: the newest state, what the person has typed or decided so far,
 * and the way to the core. Every window and page is shown from these alone, again and again: widgets keep
 * nothing. */
#pragma once

#include "customer/state.h"
#include "customer/windows.h"
#include "ui/look.h"
#include "wire/record.h"

enum { WINDOWS_TICK_MS = 250 };

/* What the person has said and typed. */
struct draft {
    int64_t warned_at_us; /* monotonic: since when the warning can be read */
    bool has_read;        /* the warning */
    int64_t agreed_at_ms; /* wall clock: when the terms were agreed to; 0 not yet */
    char number[TAS_NUMBER_CAP];
    uint32_t sent_serial;     /* error_serial when the number was sent: what is newer is about it */
    bool is_notice_old;       /* the number was changed since the last error */
    uint16_t rights;          /* what is ticked */
    char chat[4001];          /* a line that was not sent yet */
    bool has_saved, is_saved; /* the record: an answer came, and it was good */
    char saved_text[1024];    /* where to, or why not */
};

struct terms {
    char version[API_WORD + 1];
    char *ja, *en; /* owned; either may be NULL */
};

struct windows {
    const struct org *org;
    struct ui_bridge *bridge;
    struct customer_state state;
    struct terms terms;
    struct draft draft;
    enum customer_step error_step; /* in which state.error came */
    int64_t step_at_us;            /* monotonic: when state.step became what it is */
    guint tick;
    struct main_window *main;
    struct bar *bar;
    struct ask *ask;
    struct chat *chat;
};

/* Shows everything as the state and the draft now are. */
void windows_show(struct windows *w);
/* All words in another language: "ja" or "en". */
void windows_set_language(struct windows *w, const char *language);
/* Brings the main window to the front, because the person asked for it. */
void windows_present(struct windows *w);
/* Leaves gtk_main(); what still runs is ended by the core. */
void windows_close(struct windows *w);

/* Is something under way that closing a window must not end by accident? */
bool windows_has_session(const struct windows *w);

/* Whose tool this is: as the server says, before that as the tool was born. */
const char *windows_organisation(const struct windows *w);

/* ---- to the core ---- */

void windows_do(struct windows *w, enum customer_command_kind kind);
/* Of these rights. */
void windows_do_rights(struct windows *w, enum customer_command_kind kind, uint16_t rights);
bool windows_do_text(struct windows *w, enum customer_command_kind kind,
                     const char *text); /* false: not sent */
/* `right` is granted, too, or no longer. */
void windows_grant(struct windows *w, uint16_t right, bool is_on);
/* Answers the question for `asked`: all of it, or nothing. */
void windows_answer(struct windows *w, uint16_t asked, bool is_allowed);
void windows_pause(struct windows *w, bool is_on);

/* ---- rights ---- */

struct right {
    uint16_t bit;
    const char *name;    /* English, to be translated */
    const char *meaning; /* likewise */
};
/* Those that a customer decides on, in the order to show them; ends with bit 0. */
extern const struct right windows_rights[];

/* ---- small helpers ---- */

/* "00:12:34" */
void windows_duration(char out[16], int64_t us);
/* "since 14:05", in the language in force; "" while no session is active. Not how long: what changes every
 * second on the customer's screen would have to be sent every second. */
void windows_since(char *out, size_t cap, const struct windows *w);
/* A sentence of the engine (state.alarm), and what to do, in the language in force. */
void windows_alarm(char *out, size_t cap, const char *english);
/* Operator and company, in the language in force. g_free() */
char *windows_who(const struct windows *w);
/* What the operator sees and can do at this moment. Static. */
const char *windows_line(const struct windows *w);
/* Makes `button` usable one second from now: nobody clicks it because it turned up below the pointer. */
void windows_arm_later(GtkWidget *button);

/* ---- the windows ---- */

struct main_window *main_window_new(struct windows *w);
void main_window_free(struct main_window *m);
void main_window_show(struct main_window *m);
void main_window_rebuild(struct main_window *m);
GtkWindow *main_window_get(struct main_window *m); /* NULL: it was destroyed; the tool is about to end */

struct bar *bar_new(struct windows *w);
void bar_free(struct bar *bar);
void bar_show(struct bar *bar);
void bar_rebuild(struct bar *bar); /* after another language was chosen; likewise the others */

void save_ask(struct windows *w); /* asks where to save the record, and does */

struct ask *ask_new(struct windows *w);
void ask_free(struct ask *ask);
void ask_show(struct ask *ask);
void ask_rebuild(struct ask *ask);

struct chat *chat_new(struct windows *w);
void chat_free(struct chat *chat);
void chat_show(struct chat *chat);
void chat_rebuild(struct chat *chat);
void chat_receive(struct chat *chat, const char *text);
void chat_wrote(struct chat *chat, const char *text, bool is_sent); /* what became of a line of ours */
void chat_present(struct chat *chat);                               /* the person asked for it */
unsigned chat_unread(const struct chat *chat);  /* lines that came while it was not on the screen */
bool chat_is_possible(const struct chat *chat); /* there is somebody to write to */
