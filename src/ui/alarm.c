#include "ui/alarm.h"

#include "ui/text.h"

#include <stdbool.h>
#include <string.h>

static const char *const alarms[] = {
    /* the engine's */
    N_("too many handshakes: somebody may be trying to get in between"),
    N_("the handshake was tampered with, or the other end is broken"),
    N_("the other end's statement has run out; check the clock"),
    N_("the other end could not show who it is"),
    N_("the check code was wrong twice: somebody may be in between"),
    N_("too many forged resume messages"),
    N_("a relay passed on another relay's challenge"),
    N_("the other end saw signs of somebody in between"),
    N_("a sealed record was forged, repeated, left out or reordered"),
    N_("the other end broke the protocol"),
    /* the flow's */
    N_("the other end is somebody else than the server said"),
    N_("the server says that an operator answered, and names none"),
    N_("the server names an operator, and nobody signed for it"),
    N_("the server names an operator or a company that the signed statements do not name"),
    N_("the server's grant cannot be used"),
};

/* A cause may follow, after a colon. It says nothing to people, and is left out. */
static bool is_about(const char *known, const char *english) {
    size_t len = strlen(known);
    return strncmp(known, english, len) == 0 && (!english[len] || strncmp(english + len, ": ", 2) == 0);
}

const char *ui_alarm(const char *english) {
    for (size_t i = 0; i < sizeof(alarms) / sizeof(alarms[0]); i++)
        if (is_about(alarms[i], english))
            return ui_text(alarms[i]);
    return english;
}
