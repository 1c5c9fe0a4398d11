/* The customer's tool without windows: takes a number, waits to be answered, asks whether this is the
 * operator that is meant, and only then uses its ticket. */
#include "headless/customer.h"

#include "api/stream.h"
#include "base/damm.h"
#include "headless/host.h"
#include "headless/managed.h"
#include "headless/tool.h"
#include "os/secret.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>

/* A ticket that is older is exchanged before it is used: a connection may begin during its first minute only.
 */
enum { FRESH_MS = 20 * 1000 };

struct secrets {
    uint8_t pop_seed[32], pop_pk[32];
    struct api_grant grant;
    struct tas_end_config config;
};

struct customer {
    struct tool tool;
    uint16_t rights;
    struct secrets *secrets;
    char terms_version[API_WORD + 1];
    char number[TAS_NUMBER_CAP]; /* typed, and not sent yet or under way; "" otherwise */
    struct api_call *call;       /* terms, claim or the ticket's exchange */
    struct api_side side;
    char company[API_NAME + 1];
    struct api_stream *stream;
    struct managed *managed;
    struct host *host;
    bool is_answered; /* the grant is there; the customer decides */
    bool is_accepted, is_leaving;
};

/* ---- leaving ---- */

static void on_withdrawn(void *ctx, const struct api_result *result) {
    struct customer *c = ctx;
    if (result->error.err != TAS_OK)
        tool_complain("withdraw", &result->error);
    tool_leave(&c->tool, c->tool.exit_code);
}

/* Without a host: gives up what was begun, then leaves. */
static void give_up(struct customer *c, const char *reason, const char *text) {
    api_cancel(c->call);
    c->call = NULL;
    if (c->is_answered && c->managed) {
        managed_end(c->managed, reason, text);
        return;
    }
    if (c->managed)
        c->call = api_withdraw(c->tool.client, &c->side.as, c->side.id, on_withdrawn, c);
    if (!c->call)
        tool_leave(&c->tool, c->tool.exit_code);
}

static void on_stdin_end(void *ctx) {
    struct customer *c = ctx;
    if (c->is_leaving)
        return;
    c->is_leaving = true;
    if (c->host)
        host_end(c->host);
    else
        give_up(c, "customer", "");
}

/* Something is not as the server said it: nothing of it is used, and the user is told. */
static void alarm_and_stop(struct customer *c, const char *text) {
    tool_alarm(text);
    c->tool.exit_code = EXIT_FAILURE;
    c->is_leaving = true;
    if (c->managed) {
        struct tas_json *detail = tas_json_object();
        tas_json_set_text(detail, "text", text);
        managed_report(c->managed, "alarm", detail);
        managed_end(c->managed, "error", text);
    } else {
        tool_leave(&c->tool, EXIT_FAILURE);
    }
}

static void on_managed_done(void *ctx, const struct api_error *error) {
    struct customer *c = ctx;
    int code = c->host ? host_exit_code(c->host) : EXIT_SUCCESS;
    (void)error;
    host_stop(c->host);
    c->host = NULL;
    tool_leave(&c->tool, c->tool.exit_code ? c->tool.exit_code : code);
}

/* ---- the session ---- */

static void on_host_event(void *ctx, const struct tas_event *ev) {
    struct customer *c = ctx;
    managed_event(c->managed, ev);
}

static void on_host_command(void *ctx, const char *word, uint32_t number) {
    struct customer *c = ctx;
    managed_command(c->managed, word, number);
}

static void start_host(struct customer *c) {
    static const struct headless_watcher watcher = {on_host_event, on_host_command};
    const struct host_order order = {.config = &c->secrets->config, .rights = c->rights};
    int code;
    tool_end_config(&c->tool, &c->secrets->config, &c->secrets->grant);
    c->host = host_start(c->tool.loop, &order, &watcher, c, &code);
    tas_wipe(&c->secrets->config, sizeof(c->secrets->config));
    if (c->host && managed_attach(c->managed, host_session(c->host), &c->secrets->grant, c->rights) == TAS_OK)
        return;
    host_stop(c->host);
    c->host = NULL;
    c->tool.exit_code = code;
    tool_refuse("accept", "no_display", "the display cannot be shared; standard error says why");
    managed_end(c->managed, "error", "the display cannot be shared");
}

static void on_fresh_ticket(void *ctx, const struct api_result *result) {
    struct customer *c = ctx;
    char why[TAS_JSON_WHY];
    struct api_error error = result->error;
    c->call = NULL;
    if (error.err == TAS_OK) {
        int err = api_grant_renew(&c->secrets->grant, result->json, tas_crypto_native(), why);
        if (err != TAS_OK)
            api_error_set(&error, err, 200, "bad_ticket", "the server's ticket cannot be used: %s", why);
    }
    if (error.err == TAS_OK) {
        start_host(c);
        return;
    }
    c->is_accepted = false; /* may be tried again */
    tool_complain("accept", &error);
}

static void do_accept(struct customer *c) {
    if (!c->is_answered || c->is_accepted) {
        tool_refuse("accept", "wrong_state", "nobody has answered, or it was accepted already");
        return;
    }
    c->is_accepted = true;
    managed_report(c->managed, "operator_accepted", NULL);
    if (api_client_ms(c->tool.client) < c->secrets->grant.ticket_ms + FRESH_MS) {
        start_host(c);
        return;
    }
    c->call = api_renew(c->tool.client, &c->secrets->grant, on_fresh_ticket, c);
    if (!c->call) {
        c->is_accepted = false;
        tool_refuse("accept", "no_memory", "out of memory");
    }
}

static void do_decline(struct customer *c) {
    if (!c->is_answered || c->is_accepted) {
        tool_refuse("decline", "wrong_state", "nobody has answered, or it was accepted already");
        return;
    }
    c->is_leaving = true;
    managed_report(c->managed, "operator_refused", NULL);
    managed_end(c->managed, "customer", "the customer did not want this operator");
}

/* ---- the claim ---- */

static void tell_claim(const struct api_claim *claim) {
    headless_say("claim", ",\"state\":\"%s\"", api_claim_state_word(claim->state));
}

/* The names that are shown are those that are signed; the server's own words must agree with them. */
static void on_answered(struct customer *c, const struct api_claim *claim) {
    struct api_grant *grant = &c->secrets->grant;
    const struct api_grant_expected expected =
        api_client_expects(c->tool.client, c->secrets->pop_seed, TAS_ROLE_HOST, c->company);
    char why[TAS_JSON_WHY];
    char text[API_DETAIL];
    int err = api_grant_read(grant, claim->grant, &expected, why);
    if (err != TAS_OK) {
        snprintf(text, sizeof(text), "the server's grant cannot be used: %.200s", why);
        alarm_and_stop(c, text);
        return;
    }
    if (strcmp(claim->operator_name, grant->peer_name) != 0 || strcmp(claim->company, grant->company) != 0) {
        alarm_and_stop(c, "the server names an operator or a company that the signed statements do not name");
        return;
    }
    api_client_saw_keyset(c->tool.client, &grant->keyset);
    if (!c->is_answered) { /* from now on the session is ours to report on */
        struct tas_json *detail = tas_json_object();
        tas_json_set_text(detail, "terms_version", c->terms_version);
        managed_report(c->managed, "consent", detail);
    }
    c->is_answered = true;
    struct tas_json *json = headless_event("operator");
    tas_json_set_text(json, "name", grant->peer_name);
    tas_json_set_text(json, "company", grant->company);
    tas_json_set_bool(json, "signed", grant->is_peer_signed);
    headless_tell(json);
}

/* This claim came to nothing; another number may be typed. */
static void forget_claim(struct customer *c) {
    api_stream_close(c->stream);
    managed_free(c->managed);
    c->stream = NULL;
    c->managed = NULL;
    c->is_answered = false;
    tas_wipe(&c->side, sizeof(c->side));
    api_grant_fini(&c->secrets->grant);
}

static void on_claim(void *ctx, const struct api_claim *claim) {
    struct customer *c = ctx;
    if (c->is_leaving && !c->host)
        return;
    tell_claim(claim);
    if (claim->state == API_CLAIM_PENDING)
        return;
    if (claim->state == API_CLAIM_ANSWERED) {
        if (!c->is_answered && claim->grant)
            on_answered(c, claim);
        else if (!c->is_answered)
            alarm_and_stop(c, "the server says that an operator answered, and names none");
        return;
    }
    if (c->host) {
        managed_is_over(c->managed);
        return;
    }
    api_cancel(c->call);
    c->call = NULL;
    c->is_accepted = false;
    forget_claim(c);
}

static void on_line_state(void *ctx, bool is_connected, const struct api_error *why) {
    const struct customer *c = ctx;
    tool_say_line(c->stream, is_connected, why);
}

static void on_bad(void *ctx, const struct api_error *error) {
    (void)ctx;
    tool_complain("stream", error);
}

static void on_over(void *ctx, const struct api_error *error) {
    struct customer *c = ctx;
    tool_complain("stream", error);
    if (c->host) { /* the session itself does not need the server */
        api_stream_close(c->stream);
        c->stream = NULL;
        return;
    }
    tool_leave(&c->tool, EXIT_FAILURE);
}

static bool watch_claim(struct customer *c) {
    static const struct managed_owner owner = {on_managed_done};
    static const struct api_stream_events events = {
        .on_claim = on_claim, .on_line = on_line_state, .on_bad = on_bad, .on_over = on_over};
    c->managed = managed_new(c->tool.client, &c->side, &owner, c);
    c->stream = api_stream_open(c->tool.client, &c->side.as, c->side.id, &events, c);
    return c->managed && c->stream;
}

static void on_claimed(void *ctx, const struct api_result *result) {
    struct customer *c = ctx;
    c->call = NULL;
    c->number[0] = '\0';
    if (result->error.err != TAS_OK) {
        tool_complain("number", &result->error);
        return;
    }
    const struct api_place *place = result->place;
    c->side = (struct api_side){.is_customer = true, .id = place->claim};
    snprintf(c->side.as.token, sizeof(c->side.as.token), "%s", place->token);
    memcpy(c->side.as.seed, c->secrets->pop_seed, sizeof(c->side.as.seed));
    snprintf(c->company, sizeof(c->company), "%s", place->company);
    struct tas_json *json = headless_event("company");
    tas_json_set_text(json, "name", place->company);
    tas_json_set_id(json, "claim", place->claim);
    headless_tell(json);
    if (!watch_claim(c)) {
        tool_leave(&c->tool, EXIT_FAILURE);
    }
}

static const char *language(void) {
    const char *lang = getenv("LANG");
    return lang && strncmp(lang, "ja", 2) == 0 ? "ja" : "en";
}

/* Whoever types a number into this tool accepts the terms: there is nobody to show them to. */
static void send_number(struct customer *c) {
    struct utsname name;
    char os[API_NAME];
    if (uname(&name) != 0)
        memset(&name, 0, sizeof(name));
    snprintf(os, sizeof(os), "%s %s %s", name.sysname, name.release, name.machine);
    const struct api_claim_order order = {.number = c->number,
                                          .pop_seed = c->secrets->pop_seed,
                                          .host_name = name.nodename,
                                          .os = os,
                                          .tool_version = TASUKI_VERSION,
                                          .language = language(),
                                          .terms_version = c->terms_version,
                                          .terms_at_ms = api_client_ms(c->tool.client),
                                          .rtts = c->tool.rtts,
                                          .n_rtts = c->tool.n_rtts};
    if (tool_new_key(c->secrets->pop_seed, c->secrets->pop_pk) == TAS_OK)
        c->call = api_claim(c->tool.client, &order, on_claimed, c);
    if (!c->call)
        tool_leave(&c->tool, EXIT_FAILURE);
}

static void do_number(struct customer *c, const char *typed) {
    char number[TAS_NUMBER_CAP];
    if (c->number[0] || c->managed) {
        tool_refuse("number", "wrong_state", "a number is being dealt with");
        return;
    }
    if (!tas_number_read(number, typed) || !tas_damm_is_right(number, TAS_NUMBER_DIGITS)) {
        tool_refuse("number", "number_mistyped",
                    "this is not a reception number: one or more of its nine digits are wrong");
        return;
    }
    memcpy(c->number, number, sizeof(number));
    if (c->terms_version[0])
        send_number(c);
}

static void on_terms(void *ctx, const struct api_result *result) {
    struct customer *c = ctx;
    c->call = NULL;
    if (result->error.err != TAS_OK) {
        tool_complain("terms", &result->error);
        tool_leave(&c->tool, tool_exit_code(&result->error));
        return;
    }
    snprintf(c->terms_version, sizeof(c->terms_version), "%s", result->terms->version);
    headless_say("terms", ",\"version\":\"%s\"", c->terms_version);
    if (c->number[0])
        send_number(c);
}

static void on_server(void *ctx, const struct api_result *result) {
    struct customer *c = ctx;
    if (result->error.err != TAS_OK) {
        c->call = NULL;
        tool_complain("server", &result->error);
        tool_leave(&c->tool, tool_exit_code(&result->error));
        return;
    }
    tool_measure(&c->tool); /* it needs the server's time */
    c->call = api_terms(c->tool.client, on_terms, c);
    if (!c->call)
        tool_leave(&c->tool, EXIT_FAILURE);
}

/* ---- the program ---- */

static void on_line(void *ctx, char *line) {
    struct customer *c = ctx;
    char *rest;
    const char *word = headless_word(line, &rest);
    if (strcmp(word, "number") == 0)
        do_number(c, rest);
    else if (strcmp(word, "accept") == 0)
        do_accept(c);
    else if (strcmp(word, "decline") == 0)
        do_decline(c);
    else if (!c->host && (strcmp(word, "end") == 0 || strcmp(word, "quit") == 0))
        on_stdin_end(c);
    else if (!c->host || !host_command(c->host, word, rest))
        headless_say("error",
                     ",\"text\":\"unknown command; known: number NNN-NNN-NNN, accept, decline, end; "
                     "in a session: %s\"",
                     HOST_COMMANDS);
}

static int usage(void) {
    fputs("Usage: tasuki-headless customer --org FILE [--rights MASK]\n", stderr);
    return EXIT_USAGE;
}

static int run(struct customer *c, const char *org_file) {
    int code = tool_start(&c->tool, org_file, on_line, on_stdin_end, c);
    if (code == EXIT_SUCCESS) {
        c->call = api_server(c->tool.client, on_server, c);
        code = c->call && tas_loop_run(c->tool.loop) == TAS_OK ? c->tool.exit_code : EXIT_FAILURE;
    }
    host_stop(c->host);
    managed_free(c->managed);
    api_stream_close(c->stream);
    tool_stop(&c->tool);
    return code;
}

int customer_main(int argc, char **argv) {
    static const struct option long_options[] = {
        {"org", required_argument, NULL, 'o'},
        {"rights", required_argument, NULL, 'r'},
        {NULL, 0, NULL, 0},
    };
    const char *org_file = NULL;
    unsigned long rights = 0;
    for (int opt; (opt = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        if (opt == '?')
            return usage();
        if (opt == 'o')
            org_file = optarg;
        else
            rights = strtoul(optarg, NULL, 0);
    }
    if (!org_file || optind != argc || rights > UINT16_MAX)
        return usage();
    struct customer *c = calloc(1, sizeof(*c));
    int code = EXIT_FAILURE;
    if (c) {
        c->rights = (uint16_t)rights;
        c->secrets = tas_secret_locked.alloc(sizeof(*c->secrets));
    }
    if (c && c->secrets)
        code = run(c, org_file);
    if (c) {
        tas_secret_locked.release(c->secrets, sizeof(*c->secrets));
        tas_wipe(c, sizeof(*c));
    }
    free(c);
    return code;
}
