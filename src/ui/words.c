#include "ui/words.h"

#include "base/utf8.h"
#include "session/session.h"
#include "ui/text.h"
#include "ui/words_private.h"

#include <stdio.h>
#include <string.h>

/* clang-format off */

/* By what the transport said (src/http, src/net: `detail` holds it after our own sentence). The first that is
 * found counts. */
const struct ui_words_row ui_words_transport[] = {
    {"certificate of ", "made out to another name", N_("This server is not the right one"),
     N_("The server that answered is not your support server. Do not go on. Please tell the person who gave you this program."),
     N_("The server's certificate is for another name. A wrong address, or a device on the network that looks into connections, is the usual cause. Do not go on before your administrator has found out."), 0},
    {"certificate of ", "has expired, or the clock", N_("Please check date and time"),
     N_("Either the clock of this computer is wrong, or the server's certificate has run out. Please set the date and time of this computer and try again."),
     N_("By this computer's clock the server's certificate has expired. Set the date and time; if they are right, tell your administrator."), 0},
    {"certificate of ", "is not valid yet, or the clock", N_("Please check date and time"),
     N_("The clock of this computer is probably wrong. Please set the date and time of this computer and try again."),
     N_("By this computer's clock the server's certificate is not valid yet. Set the date and time; if they are right, tell your administrator."), 0},
    {"the name of the proxy is not known", NULL, N_("The proxy was not found"),
     N_("This computer is told to use a proxy server that was not found. Please ask whoever looks after your network."),
     N_("The name of the proxy cannot be looked up. Check the proxy settings and the network."), 0},
    {"the proxy wants", "user name and password", N_("The proxy wants a password"),
     N_("Your network asks for a user name and a password before it lets anything out. Please ask whoever looks after your network."),
     N_("The proxy wants a user name and a password, or others than those given. Check the proxy settings."), 0},
    {"the proxy does not let us through", NULL, N_("The network does not let us through"),
     N_("Your network does not allow connections to the support server. Please ask whoever looks after your network."),
     N_("The proxy refuses the connection. Have the server's address allowed, port 443."), 0},
    {"the proxy cannot be reached", NULL, N_("The proxy cannot be reached"),
     N_("This computer is told to use a proxy server that does not answer. Please check the network, or ask whoever looks after it."),
     N_("The proxy does not answer. Check the proxy settings and the network."), 0},
    {"the proxy ", NULL, N_("The proxy cannot be used"),
     N_("Your network lets nothing out but through a proxy server that this program cannot use. Please ask whoever looks after your network."),
     N_("The proxy cannot be used as it is set up, or does not answer as a proxy does. Check the proxy settings."), 0},
    {"proxy's address is not", NULL, N_("The proxy cannot be used"),
     N_("Your network lets nothing out but through a proxy server that this program cannot use. Please ask whoever looks after your network."),
     N_("The proxy cannot be used as it is set up, or does not answer as a proxy does. Check the proxy settings."), 0},
    {"a proxy that is itself", NULL, N_("The proxy cannot be used"),
     N_("Your network lets nothing out but through a proxy server that this program cannot use. Please ask whoever looks after your network."),
     N_("The proxy cannot be used as it is set up, or does not answer as a proxy does. Check the proxy settings."), 0},
    {"the name ", "is not known", N_("The server was not found"),
     N_("The support server was not found. Please check that this computer is connected to the internet, then try again."),
     N_("The server's name cannot be looked up. Check the network and DNS, then try again."), 0},
    {"did not answer in time", NULL, N_("The server takes too long"),
     N_("The server did not answer in time. The connection may be slow. Please try again."),
     N_("The server did not answer in time. Check the network, then try again."), 0},
    {"has been silent", NULL, N_("The server takes too long"),
     N_("The server did not answer in time. The connection may be slow. Please try again."),
     N_("The server did not answer in time. Check the network, then try again."), 0},
    {"does not speak TLS 1.3", NULL, N_("No safe connection is possible"),
     N_("Something on the way to the server allows only outdated connections, which are not safe. Please ask whoever looks after your network."),
     N_("The other side does not speak TLS 1.3. An old proxy or firewall that looks into connections is the usual cause. Tell your administrator."), 0},
    {"no secure connection", NULL, N_("No safe connection is possible"),
     N_("A safe connection to the server could not be made. Please try again, or ask whoever looks after your network."),
     N_("A TLS connection could not be made. A device on the network that looks into connections is the usual cause. Tell your administrator."), 0},
    {"does not accept our certificate", NULL, N_("The connection was broken off"),
     N_("The server broke off the connection. Please try again."),
     N_("The server hung up before it answered. Try again; if it stays so, tell your administrator."), 0},
    {"hung up before it", NULL, N_("The connection was broken off"),
     N_("The server broke off the connection. Please try again."),
     N_("The server hung up before it answered. Try again; if it stays so, tell your administrator."), 0},
    {"does not answer with an event stream", NULL, N_("Something else answers"),
     N_("Something on the way answers in place of the server. On a public network, please open a web page first and log in there, then try again."),
     N_("What answers is not the server: a login page of the network, or a device in between. Check the network."), 0},
    {"is not HTTP/1.1, or damaged", NULL, N_("Something else answers"),
     N_("Something on the way answers in place of the server. On a public network, please open a web page first and log in there, then try again."),
     N_("What answers is not the server: a login page of the network, or a device in between. Check the network."), 0},
    {"was lost", NULL, N_("The connection was lost"),
     N_("The connection to the server was lost. Please check the network, then try again."),
     NULL, 0},
    {"must begin with https://", NULL, N_("The server's address is wrong"),
     N_("This program was set up wrongly. Please tell the person who gave it to you."),
     N_("The server's address in this program's settings cannot be used. Tell your administrator."), 0},
    {NULL, NULL, NULL, NULL, NULL, 0},
};

/* By `code`. */
const struct ui_words_row ui_words_codes[] = {
    /* src/api's own */
    {"no_server", NULL, N_("No connection to the server"),
     N_("The server cannot be reached. Please check that this computer is connected to the internet, then try again."),
     N_("The server cannot be reached. Check the network, then try again. If other sites work, tell your administrator."), 0},
    {"not_trusted", NULL, N_("The server is not to be trusted"),
     N_("The server could not show that it is the right one. Do not go on. Please tell the person who gave you this program."),
     N_("The server's certificate is not trusted. Somebody may be in between. Do not go on before your administrator has found out."), 0},
    {"no_memory", NULL, N_("Out of memory"),
     N_("This computer has no memory left. Please close other programs and try again."),
     NULL, 0},
    {"bad_answer", NULL, N_("The server's answer makes no sense"),
     N_("The server's answer cannot be understood. This program may be too old. Please tell your operator."),
     N_("The server's answer cannot be understood. This program may be too old, or something changes what comes through. Tell your administrator."), 0},
    {"bad_grant", NULL, N_("Warning: stopped for your safety"),
     N_("What the server presented was not signed as it must be. Somebody may be trying to deceive you. Do not go on, hang up, and call the support desk at a number that you know."),
     N_("What the server presented was not signed as it must be. The server may be compromised. Do not go on, and report this to your administrator at once."), 0},
    {"bad_ticket", NULL, N_("Warning: stopped for your safety"),
     N_("What the server presented was not signed as it must be. Somebody may be trying to deceive you. Do not go on, hang up, and call the support desk at a number that you know."),
     N_("What the server presented was not signed as it must be. The server may be compromised. Do not go on, and report this to your administrator at once."), 0},
    {"too_busy", NULL, N_("The server is overloaded"),
     N_("Too many wrong numbers are being tried at the server just now, so it takes none for a while."),
     NULL, UI_WORDS_WAIT},
    {"ended", NULL, N_("The connection was lost"),
     N_("The server ended the connection. It is made again by itself."),
     NULL, 0},
    {"logged_out", NULL, N_("You are logged out"),
     N_("You were logged out. Please log in again."),
     NULL, 0},
    {"refused", NULL, N_("The server refused"),
     N_("The server refused the request."),
     NULL, UI_WORDS_QUOTE},

    /* logging in */
    {"login_refused", NULL, N_("Could not log in"), N_("Company code, ID or password is wrong"), NULL, 0},
    {"not_logged_in", NULL, N_("You are logged out"),
     N_("Your login has run out, or it was ended from elsewhere. Please log in again."),
     NULL, 0},
    {"ended_by_administrator", NULL, N_("You are logged out"),
     N_("An administrator ended your login. If you do not know why, ask your administrator."),
     NULL, 0},
    {"clock_wrong", NULL, N_("Please check date and time"),
     N_("The clock of this computer is wrong by more than two minutes. Please set the date and time and try again."),
     NULL, 0},
    {"company_frozen", NULL, N_("Your company is suspended"),
     N_("Your company's use of this service is suspended. Ask your administrator."),
     NULL, 0},

    /* reception numbers */
    {"number_mistyped", NULL, N_("The number is not right"),
     N_("One of the nine digits is wrong. Please ask your operator for the number once more, and check it."),
     NULL, 0},
    {"number_unknown", NULL, N_("This number cannot be used"),
     N_("The reception number is wrong, has run out or was used already. Please ask your operator for the number once more."),
     NULL, 0},
    {"crowded", NULL, N_("Others are waiting on this number"),
     N_("Too many are already waiting on this number. Please ask your operator for a new one."),
     NULL, 0},
    {"key_used", NULL, N_("Please start once more"),
     N_("This try was interrupted. Please type the number once more."),
     NULL, 0},
    {"nonce_old", NULL, N_("That took too long"),
     N_("The server did not get the request in time. Please try again."),
     NULL, 0},
    {"pow_needed", NULL, N_("The server is overloaded"),
     N_("Many wrong numbers are being tried at the server just now. Please try again."),
     NULL, 0},
    {"too_many_numbers", NULL, N_("Too many reception numbers"),
     N_("You have as many reception numbers in use as are allowed. Cancel one, or wait until one runs out."),
     NULL, 0},

    /* sessions */
    {"wrong_state", NULL, N_("This is no longer possible"),
     N_("The session has moved on in the meantime: it was cancelled, has run out, or is over. Please ask your operator for a new number."),
     N_("This customer no longer waits, or the session was answered by somebody else or is over."), 0},
    {"session_over", NULL, N_("The session is over"),
     N_("This session is over, or it was taken over by somebody else."),
     NULL, 0},
    {"absent", NULL, N_("Not found"),
     N_("What was asked for does not exist any more."),
     N_("This does not exist any more, or it is not yours."), 0},
    {"events_full", NULL, N_("The record is full"),
     N_("The record of this session takes no more entries."),
     NULL, 0},
    {"no_relay", NULL, N_("No relay server"),
     N_("No relay server is running at the moment. Please tell your operator."),
     N_("No relay server that your company may use is running. Tell your administrator."), 0},
    {"not_this_relay", NULL, N_("The server refused"),
     N_("The server refused the request."),
     NULL, UI_WORDS_QUOTE},

    /* the server cannot */
    {"slow_down", NULL, N_("Too many tries"),
     N_("There were too many tries from your network in a short time."),
     NULL, UI_WORDS_WAIT},
    {"busy", NULL, N_("The server is overloaded"),
     N_("The server has too much to do at the moment."),
     NULL, UI_WORDS_WAIT},
    {"try_again", NULL, N_("The server cannot do this now"),
     N_("The server is not ready at the moment."),
     NULL, UI_WORDS_WAIT},
    {"storage_full", NULL, N_("The server's storage is full"),
     N_("The server cannot store anything at the moment. Nothing was changed. Please tell your operator."),
     N_("The server's storage is full. Nothing was changed. Tell your administrator."), 0},
    {"internal", NULL, N_("Error on the server"),
     N_("Something went wrong on the server. Please try again."),
     N_("Something went wrong on the server. Try again; if it stays so, tell your administrator."), 0},

    /* this program asked wrongly, or something in between changed it */
#define MISFIT N_("The server and this program do not understand each other"), \
     N_("The server did not understand this program. It may be too old. Please tell your operator."), \
     N_("The server did not understand this program. It may be too old, or something in between changes requests. Tell your administrator.")
    {"bad_request", NULL, MISFIT, UI_WORDS_QUOTE},
    {"bad_host", NULL, MISFIT, UI_WORDS_QUOTE},
    {"bad_path", NULL, MISFIT, UI_WORDS_QUOTE},
    {"not_found", NULL, MISFIT, UI_WORDS_QUOTE},
    {"wrong_method", NULL, MISFIT, UI_WORDS_QUOTE},
    {"not_json", NULL, MISFIT, UI_WORDS_QUOTE},
    {"head_too_long", NULL, MISFIT, UI_WORDS_QUOTE},
    {"path_too_long", NULL, MISFIT, UI_WORDS_QUOTE},
#undef MISFIT
    {"too_large", NULL, N_("Too much at once"),
     N_("That is more than the server takes at once."),
     N_("That is more than the server takes at once. Shorten it."), 0},
    {"too_slow", NULL, N_("The connection is too slow"),
     N_("The request took too long to reach the server. Please try again."),
     NULL, 0},

    /* the tools' own */
    {"too_old", NULL, N_("This program is too old"),
     N_("This version is no longer accepted. Please download the program again."),
     N_("This version is no longer accepted. Install the present one."), 0},
    {"no_display", NULL, N_("The screen cannot be shared"),
     N_("The screen of this computer cannot be shared. Please tell your operator."),
     N_("The picture cannot be shown on this display."), 0},
    {"no_session", NULL, N_("No session"), N_("There is no session yet."), NULL, 0},
    {"still_closing", NULL, N_("The last session is still being closed."),
     N_("Please answer again in a moment; the customer goes on waiting."), NULL, 0},
    {"not_granted", NULL, N_("The customer does not allow this"),
     N_("The customer has not allowed this, or has taken it back. Ask again."), NULL, 0},
    {"line_full", NULL, N_("The line is too slow for it"),
     N_("Too much is waiting to be sent to the customer. Nothing of this was sent. Please try again in a moment."), NULL, 0},
    {"too_long", NULL, N_("Too much at once"),
     N_("This is more than can be sent at once. Nothing of it was sent. Please shorten it."), NULL, 0},
    {"usage", NULL, N_("This cannot be used"), N_("What was typed cannot be used. Please check it."), NULL, UI_WORDS_QUOTE},
    {NULL, NULL, NULL, NULL, NULL, 0},
};

/* A code that this version does not know: by api_error's `err`. */
static const struct unknown {
    int err;
    struct ui_words_row row;
} unknown[] = {
    {TAS_E_IO, {"", NULL, N_("The server cannot do this now"), N_("The server is not ready at the moment."), NULL, UI_WORDS_WAIT | UI_WORDS_QUOTE}},
    {TAS_E_AUTH, {"", NULL, N_("Not allowed"), N_("The server does not allow this."), NULL, UI_WORDS_QUOTE}},
    {TAS_E_LIMIT, {"", NULL, N_("Too much at once"), N_("The server takes no more at the moment."), NULL, UI_WORDS_WAIT | UI_WORDS_QUOTE}},
    {TAS_E_ABSENT, {"", NULL, N_("Not found"), N_("What was asked for does not exist any more."), NULL, UI_WORDS_QUOTE}},
    {TAS_E_EXPIRED, {"", NULL, N_("That took too long"), N_("That took too long. Please try again."), NULL, UI_WORDS_QUOTE}},
    {TAS_OK, {"", NULL, N_("That did not work"), N_("That did not work. Please try again."), NULL, UI_WORDS_QUOTE}},
};

/* The server's 408 has this code too; without an answer it was this computer that was too slow. */
static const struct ui_words_row work_too_slow =
    {"too_slow", NULL, N_("This computer is too slow for it"),
     N_("The server is protecting itself and asks for more work than this computer can do in time. Please try again later."), NULL, 0};

/* By enum tas_end_reason: title and text for the customer, then for the operator. */
static const struct ending {
    unsigned reason;
    const char *title, *customer, *operator_;
} endings[] = {
    {TAS_END_OPERATOR, N_("The session has ended"), N_("The operator ended the session."), N_("You ended the session.")},
    {TAS_END_CUSTOMER, N_("The session has ended"), N_("You ended the session."), N_("The customer ended the session.")},
    {TAS_END_ADMIN, N_("The session has ended"), N_("The support desk ended the session."), N_("An administrator ended the session.")},
    {TAS_END_TIMEOUT, N_("The session has ended"), N_("Nothing happened for too long, so the session was ended. If you still need help, ask your operator for a new number."), N_("Nothing happened for too long, so the session was ended.")},
    {TAS_END_LOST, N_("The connection was lost"), N_("The connection was lost and did not come back. If you still need help, ask your operator for a new number."), N_("The connection was lost and did not come back. To go on, issue a new reception number.")},
    {TAS_END_CODE, N_("Ended: the check code was wrong"), N_("The check code was wrong twice, so the session was ended for your safety. If you did not read it out to your operator yourself, hang up and call the support desk at a number that you know."), N_("The check code was wrong twice, so the session was ended. Issue a new reception number and compare the code digit by digit. If it is wrong again, somebody may be in between: report it to your administrator.")},
    {TAS_END_ATTEMPTS, N_("Warning: stopped for your safety"), N_("The connection was tried too often. Somebody may be trying to get in between. Hang up, and call the support desk at a number that you know."), N_("The connection was tried too often. Somebody may be trying to get in between. Report this to your administrator.")},
    {TAS_END_PROTOCOL, N_("The session was broken off"), N_("The other side sent something that is not allowed, so the session was ended for your safety. Please tell your operator."), N_("The other side sent something that is not allowed, so the session was ended. Report this to your administrator.")},
    {TAS_END_IDENTITY, N_("Warning: stopped for your safety"), N_("The other side could not show who it is. Somebody may be trying to deceive you. Hang up, and call the support desk at a number that you know."), N_("The other side could not show who it is. Somebody may be trying to get in between. Report this to your administrator.")},
    {TAS_END_TICKET, N_("The session could not be begun"), N_("The relay server did not let this session in. Please ask your operator for a new number."), N_("The relay server refused the ticket: it has run out, or the session was ended. Issue a new reception number.")},
    {TAS_END_NOMEM, N_("Out of memory"), N_("A computer had no memory left, so the session was ended. Please close other programs, and ask your operator for a new number."), N_("A computer had no memory left, so the session was ended. Issue a new reception number.")},
    {0, N_("The session has ended"), N_("The session has ended."), N_("The session has ended.")},
};

/* clang-format on */

/* ---- putting it together ---- */

/* Adds `text` behind what is there, after a blank where a language has blanks; cut at a whole character. */
static void add(char *out, size_t cap, const char *text) {
    size_t len = strlen(out), n = strlen(text);
    if (len > 0 && strcmp(ui_language(), "ja") != 0 && len + 1 < cap) {
        out[len++] = ' ';
        out[len] = '\0';
    }
    if (n > cap - 1 - len)
        n = cap - 1 - len;
    while (n > 0 && !tas_utf8_is_valid(tas_bytes_of(text, n)))
        n--;
    memcpy(out + len, text, n);
    out[len + n] = '\0';
}

static void start(struct ui_words *out, const char *title, const char *text) {
    *out = (struct ui_words){{0}, {0}};
    add(out->title, sizeof(out->title), ui_text(title));
    add(out->text, sizeof(out->text), ui_text(text));
}

static void add_wait(struct ui_words *out, int seconds) {
    char text[160];
    if (seconds < 2 || seconds > 24 * 3600)
        snprintf(text, sizeof(text), "%s", _("Please try again in a moment."));
    else if (seconds < 90)
        snprintf(text, sizeof(text), _("Please try again in %d seconds."), seconds);
    else
        snprintf(text, sizeof(text), _("Please try again in %d minutes."), (seconds + 59) / 60);
    add(out->text, sizeof(out->text), text);
}

/* It is English, and perhaps not even meant for people: at the end, and marked as somebody else's. */
static void add_quote(struct ui_words *out, const char *words, bool is_server) {
    char text[2 * API_DETAIL];
    if (!*words || !tas_utf8_is_plain(tas_bytes_of(words, strlen(words))))
        return;
    snprintf(text, sizeof(text), is_server ? _("(The server says: “%s”)") : _("(Details: %s)"), words);
    add(out->text, sizeof(out->text), text);
}

static bool is_of_transport(const struct api_error *error) {
    return error->status == 0 &&
           (strcmp(error->code, "no_server") == 0 || strcmp(error->code, "not_trusted") == 0);
}

/* What stands behind api_error_of_transport()'s own sentence. */
static const char *transport_said(const char *detail) {
    const char *colon = strstr(detail, ": ");
    return colon ? colon + 2 : "";
}

static void of_row(struct ui_words *out, const struct ui_words_row *row, const struct api_error *error,
                   bool is_operator) {
    start(out, row->title, is_operator && row->operator_ ? row->operator_ : row->customer);
    if (row->flags & UI_WORDS_WAIT)
        add_wait(out, error->retry_after_s);
    if (row->flags & UI_WORDS_QUOTE)
        add_quote(out, error->detail, error->status != 0); /* without an answer they are our own */
    else if (is_operator && is_of_transport(error))
        add_quote(out, transport_said(error->detail), false);
}

static const struct ui_words_row *of_transport(const char *detail) {
    for (const struct ui_words_row *row = ui_words_transport; row->key; row++) {
        const char *at = strstr(detail, row->key);
        if (at && (!row->then || strstr(at, row->then)))
            return row;
    }
    return NULL;
}

static const struct ui_words_row *of_code(const char *code) {
    for (const struct ui_words_row *row = ui_words_codes; row->key; row++)
        if (strcmp(row->key, code) == 0)
            return row;
    return NULL;
}

static const struct ui_words_row *of_unknown(int err) {
    size_t i = 0;
    while (unknown[i].err != TAS_OK && unknown[i].err != err)
        i++;
    return &unknown[i].row;
}

static const struct ui_words_row *find(const struct api_error *error) {
    const struct ui_words_row *row = NULL;
    if (is_of_transport(error))
        row = of_transport(error->detail);
    else if (error->status == 0 && strcmp(error->code, "too_slow") == 0)
        row = &work_too_slow;
    if (!row)
        row = of_code(error->code);
    if (!row && error->err == TAS_E_NOMEM)
        row = of_code("no_memory");
    return row ? row : of_unknown(error->err);
}

bool ui_words_has_code(const char *code) {
    return of_code(code) != NULL;
}

void ui_words_of_error(struct ui_words *out, const struct api_error *error, bool is_operator) {
    of_row(out, find(error), error, is_operator);
}

void ui_words_of_end(struct ui_words *out, unsigned reason, bool is_operator) {
    size_t i = 0;
    while (endings[i].reason != 0 && endings[i].reason != reason)
        i++;
    start(out, endings[i].title, is_operator ? endings[i].operator_ : endings[i].customer);
}
