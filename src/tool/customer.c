#include "tool/customer.h"

#include "api/stream.h"
#include "base/damm.h"
#include "os/secret.h"
#include "tool/managed.h"
#include "tool/share.h"

#include "base/time.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>

/* A ticket that is older is exchanged before it is used: a connection may begin during its first minute only.
 */
enum { FRESH_MS = 20 * 1000, EXIT_TEMPORARY = 75 };

/* What must not lie in ordinary memory. */
struct secrets {
    uint8_t pop_seed[32], pop_pk[32];
    struct api_grant grant;
    struct tas_end_config config;
};

struct customer {
    struct tool *tool;
    struct customer_config config;
    struct secrets *secrets;
    char terms_version[API_WORD + 1];
    char number[TAS_NUMBER_CAP]; /* typed, and not sent yet or under way; "" otherwise */
    int64_t terms_at_ms;
    struct api_call *start;      /* server, then terms */
    struct api_call *call;       /* claim, ready or the ticket's exchange */
    struct api_call *withdrawal; /* the customer goes back */
    struct api_side side;
    char company[API_NAME + 1];
    struct api_stream *stream;
    struct managed *managed;
    struct share *share;
    uint16_t rights;
    bool is_choosing; /* the company is known; what to allow is open */
    bool is_answered; /* the grant is there; the customer decides */
    bool is_accepted, is_leaving, is_over;
    bool is_backing; /* an answer came while the customer went back: FREE when its end was told */
    int exit_code;
};

static void tell(struct customer *c, const struct tool_news *news) {
    tool_tell(&c->tool->to, news);
}

static void complain(struct customer *c, const char *command, const struct api_error *error) {
    tool_complain(&c->tool->to, command, error);
}

static void no_memory(struct customer *c, const char *command) {
    tool_refuse(&c->tool->to, command, "no_memory", "out of memory");
}

/* ---- leaving ---- */

static void leave(struct customer *c, int exit_code) {
    if (c->is_over)
        return;
    c->is_over = true;
    c->exit_code = c->exit_code ? c->exit_code : exit_code;
    tell(c, &(struct tool_news){.kind = TOOL_LEFT});
}

static void cancel(struct api_call **call) {
    api_cancel(*call);
    *call = NULL;
}

/* This claim came to nothing; another number may be typed. */
static void forget_claim(struct customer *c) {
    cancel(&c->call);
    cancel(&c->withdrawal);
    api_stream_close(c->stream);
    managed_free(c->managed);
    c->stream = NULL;
    c->managed = NULL;
    c->is_choosing = c->is_answered = c->is_accepted = false;
    c->number[0] = '\0';
    tas_wipe(&c->side, sizeof(c->side));
    api_grant_fini(&c->secrets->grant);
}

static void set_free(struct customer *c) {
    forget_claim(c);
    tell(c, &(struct tool_news){.kind = TOOL_FREE});
}

/* An operator has answered whom the customer does not want, or no longer: he is told at once. */
static void end_answered(struct customer *c, bool is_backing) {
    cancel(&c->call);
    cancel(&c->withdrawal);
    c->is_backing = is_backing;
    c->is_leaving = true;
    managed_report(c->managed, "operator_refused", NULL);
    managed_end(c->managed, "customer", "the customer did not want this operator");
}

static void on_withdrawn(void *ctx, const struct api_result *result) {
    struct customer *c = ctx;
    c->withdrawal = NULL;
    if (result->error.err != TAS_OK)
        complain(c, "withdraw", &result->error);
    else if (result->claim->state == API_CLAIM_ANSWERED) {
        end_answered(c, !c->is_leaving);
        return;
    }
    if (c->is_leaving)
        leave(c, EXIT_SUCCESS);
    else
        set_free(c);
}

static bool withdraw(struct customer *c) {
    cancel(&c->call);
    if (c->managed && !c->withdrawal)
        c->withdrawal = api_withdraw(c->tool->client, &c->side.as, c->side.id, on_withdrawn, c);
    return c->withdrawal != NULL;
}

void customer_back(struct customer *c) {
    if (c->share || c->is_accepted || c->is_leaving)
        return;
    if (c->is_answered)
        end_answered(c, true);
    else if (!withdraw(c))
        set_free(c);
}

void customer_end(struct customer *c) {
    if (c->is_leaving) {
        c->is_backing = false;
        return;
    }
    c->is_leaving = true;
    cancel(&c->start);
    if (c->share)
        share_end(c->share);
    else if (c->is_answered && c->managed)
        managed_end(c->managed, "customer", "");
    else if (!withdraw(c))
        leave(c, EXIT_SUCCESS);
}

/* Something is not as the server said it: nothing of it is used, and the user is told. */
static void alarm_and_stop(struct customer *c, const char *text) {
    c->exit_code = EXIT_FAILURE;
    c->is_leaving = true;
    tell(c, &(struct tool_news){.kind = TOOL_ALARM, .text = text});
    if (c->managed) {
        struct tas_json *detail = tas_json_object();
        tas_json_set_text(detail, "text", text);
        managed_report(c->managed, "alarm", detail);
        managed_end(c->managed, "error", text);
    } else {
        leave(c, EXIT_FAILURE);
    }
}

static void on_ended(void *ctx) {
    struct customer *c = ctx;
    bool has_failed = c->share && share_has_lost_display(c->share);
    share_stop(c->share);
    c->share = NULL;
    c->is_leaving = !c->is_backing;
    if (!c->is_backing) {
        leave(c, has_failed ? EXIT_FAILURE : EXIT_SUCCESS);
        return;
    }
    c->is_backing = false;
    set_free(c);
}

/* ---- the session ---- */

/* What the end at work tells goes on to our owner, and into the record. */
static void on_share_news(void *ctx, const struct tool_news *news) {
    struct customer *c = ctx;
    tell(c, news);
    if (news->kind == TOOL_ENGINE)
        managed_event(c->managed, news->event);
}

static void start_share(struct customer *c) {
    const struct share_order order = {.display = c->config.display,
                                      .config = &c->secrets->config,
                                      .films = c->config.films,
                                      .rights = c->rights,
                                      .own_window = c->config.own_window};
    char why[API_DETAIL];
    int err;
    tool_end_config(c->tool, &c->secrets->config, &c->secrets->grant);
    c->share = share_start(c->tool->loop, &order, (struct tool_listener){on_share_news, c}, &err, why);
    tas_wipe(&c->secrets->config, sizeof(c->secrets->config));
    if (c->share &&
        managed_attach(c->managed, share_session(c->share), &c->secrets->grant, c->rights) == TAS_OK)
        return;
    bool is_display = err == TAS_E_ABSENT;
    if (c->share)
        snprintf(why, sizeof(why), "out of memory");
    share_stop(c->share);
    c->share = NULL;
    c->is_leaving = true;
    c->exit_code = is_display ? EXIT_TEMPORARY : EXIT_FAILURE;
    if (is_display)
        tell(c, &(struct tool_news){.kind = TOOL_NO_DISPLAY, .command = "accept", .text = why});
    else
        tool_refuse(&c->tool->to, "accept", err == TAS_E_AUTH ? "bad_ticket" : "no_memory", why);
    managed_end(c->managed, "error", is_display ? "the display cannot be shared" : why);
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
        start_share(c);
        return;
    }
    c->is_accepted = false; /* may be tried again */
    complain(c, "accept", &error);
}

int customer_accept(struct customer *c) {
    if (!c->is_answered || c->is_accepted || c->is_leaving)
        return TAS_E_STATE;
    c->is_accepted = true;
    managed_report(c->managed, "operator_accepted", NULL);
    if (api_client_ms(c->tool->client) < c->secrets->grant.ticket_ms + FRESH_MS) {
        start_share(c);
        return TAS_OK;
    }
    c->call = api_renew(c->tool->client, &c->secrets->grant, on_fresh_ticket, c);
    c->is_accepted = c->call != NULL;
    return c->call ? TAS_OK : TAS_E_NOMEM;
}

int customer_decline(struct customer *c) {
    if (!c->is_answered || c->is_accepted || c->is_leaving)
        return TAS_E_STATE;
    end_answered(c, false);
    return TAS_OK;
}

/* ---- the claim ---- */

/* The names that are shown are those that are signed; the server's own words must agree with them. */
static void on_answered(struct customer *c, const struct api_claim *claim) {
    struct api_grant *grant = &c->secrets->grant;
    const struct api_grant_expected expected =
        api_client_expects(c->tool->client, c->secrets->pop_seed, TAS_ROLE_HOST, c->company);
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
    if (c->config.must_be_signed && (!grant->is_peer_signed || !*grant->peer_name)) {
        alarm_and_stop(c, "the server names an operator, and nobody signed for it");
        return;
    }
    cancel(&c->call); /* "ready" was heard, whether its answer came or not */
    api_client_saw_keyset(c->tool->client, &grant->keyset);
    struct tas_json *detail = tas_json_object(); /* from now on the session is ours to report on */
    tas_json_set_text(detail, "terms_version", c->terms_version);
    managed_report(c->managed, "consent", detail);
    c->is_answered = true;
    tell(c, &(struct tool_news){.kind = TOOL_OPERATOR,
                                .name = grant->peer_name,
                                .text = grant->company,
                                .flag = grant->is_peer_signed});
}

static void on_claim(void *ctx, const struct api_claim *claim) {
    struct customer *c = ctx;
    if (c->withdrawal && claim->state == API_CLAIM_ANSWERED) {
        end_answered(c, !c->is_leaving);
        return;
    }
    if ((c->is_leaving || c->withdrawal) && !c->share)
        return;
    tell(c, &(struct tool_news){.kind = TOOL_CLAIM, .claim = claim});
    if (claim->state == API_CLAIM_PENDING || claim->state == API_CLAIM_CHOOSING)
        return;
    if (claim->state == API_CLAIM_ANSWERED) {
        if (!c->is_answered && claim->grant)
            on_answered(c, claim);
        else if (!c->is_answered)
            alarm_and_stop(c, "the server says that an operator answered, and names none");
        return;
    }
    if (c->share)
        managed_is_over(c->managed);
    else
        set_free(c);
}

static void on_line_state(void *ctx, bool is_connected, const struct api_error *why) {
    struct customer *c = ctx;
    tell(c, &(struct tool_news){
                .kind = TOOL_LINE, .flag = is_connected, .text = customer_server(c), .error = why});
}

static void on_bad(void *ctx, const struct api_error *error) {
    complain(ctx, "stream", error);
}

static void on_over(void *ctx, const struct api_error *error) {
    struct customer *c = ctx;
    tell(c, &(struct tool_news){.kind = TOOL_ERROR, .command = "stream", .flag = true, .error = error});
    api_stream_close(c->stream); /* a session itself does not need the server */
    c->stream = NULL;
    if (!c->share && !c->is_leaving)
        set_free(c);
}

static bool watch_claim(struct customer *c) {
    static const struct api_stream_events events = {
        .on_claim = on_claim, .on_line = on_line_state, .on_bad = on_bad, .on_over = on_over};
    c->managed = managed_new(c->tool->client, &c->side, c->tool->to, on_ended, c);
    c->stream = api_stream_open(c->tool->client, &c->side.as, c->side.id, &events, c);
    return c->managed && c->stream;
}

static void on_claimed(void *ctx, const struct api_result *result) {
    struct customer *c = ctx;
    c->call = NULL;
    c->number[0] = '\0';
    if (result->error.err != TAS_OK) {
        complain(c, "number", &result->error);
        return;
    }
    const struct api_place *place = result->place;
    c->side = (struct api_side){.is_customer = true, .id = place->claim};
    snprintf(c->side.as.token, sizeof(c->side.as.token), "%s", place->token);
    memcpy(c->side.as.seed, c->secrets->pop_seed, sizeof(c->side.as.seed));
    snprintf(c->company, sizeof(c->company), "%s", place->company);
    c->is_choosing = c->config.is_choosing;
    if (!watch_claim(c)) {
        no_memory(c, "number");
        set_free(c);
        return;
    }
    tell(c, &(struct tool_news){.kind = TOOL_COMPANY, .text = c->company, .id = place->claim});
}

/* "Linux 6.1.0 x86_64" */
static void describe(struct utsname *name, char os[API_NAME]) {
    if (uname(name) != 0)
        memset(name, 0, sizeof(*name));
    snprintf(os, API_NAME, "%s %s %s", name->sysname, name->release, name->machine);
}

static void send_number(struct customer *c) {
    struct utsname name;
    char os[API_NAME];
    describe(&name, os);
    const struct api_claim_order order = {.number = c->number,
                                          .pop_seed = c->secrets->pop_seed,
                                          .host_name = c->config.is_choosing ? "" : name.nodename,
                                          .os = c->config.is_choosing ? "" : os,
                                          .tool_version = c->config.version,
                                          .language = c->config.language,
                                          .terms_version = c->terms_version,
                                          .terms_at_ms = (uint64_t)c->terms_at_ms,
                                          .rtts = c->tool->rtts,
                                          .n_rtts = c->tool->n_rtts,
                                          .is_choosing = c->config.is_choosing};
    if (tool_new_key(c->secrets->pop_seed, c->secrets->pop_pk) == TAS_OK)
        c->call = api_claim(c->tool->client, &order, on_claimed, c);
    if (c->call)
        return;
    c->number[0] = '\0';
    no_memory(c, "number");
}

int customer_number(struct customer *c, const char *typed, int64_t terms_at_ms) {
    char number[TAS_NUMBER_CAP];
    if (c->number[0] || c->managed || c->is_leaving)
        return TAS_E_STATE;
    if (!tas_number_read(number, typed) || !tas_damm_is_right(number, TAS_NUMBER_DIGITS))
        return TAS_E_PROTO;
    memcpy(c->number, number, sizeof(number));
    c->terms_at_ms = terms_at_ms ? terms_at_ms : (int64_t)api_client_ms(c->tool->client);
    if (c->terms_version[0])
        send_number(c);
    return TAS_OK;
}

static void on_chosen(void *ctx, const struct api_result *result) {
    struct customer *c = ctx;
    c->call = NULL;
    if (result->error.err == TAS_OK) {
        tell(c, &(struct tool_news){.kind = TOOL_CLAIM, .claim = result->claim});
        return;
    }
    c->is_choosing = true; /* may be tried again */
    complain(c, "choose", &result->error);
}

int customer_choose(struct customer *c, uint16_t rights) {
    struct utsname name;
    char os[API_NAME];
    if (!c->is_choosing || c->call || c->withdrawal || c->is_leaving)
        return TAS_E_STATE;
    describe(&name, os);
    c->rights = rights;
    c->call = api_claim_ready(c->tool->client, &c->side.as, c->side.id, name.nodename, os, on_chosen, c);
    c->is_choosing = c->call == NULL;
    return c->call ? TAS_OK : TAS_E_NOMEM;
}

/* ---- the start ---- */

static void on_terms(void *ctx, const struct api_result *result) {
    struct customer *c = ctx;
    c->start = NULL;
    if (result->error.err != TAS_OK) {
        complain(c, "terms", &result->error);
        return;
    }
    snprintf(c->terms_version, sizeof(c->terms_version), "%s", result->terms->version);
    tell(c, &(struct tool_news){.kind = TOOL_TERMS, .terms = result->terms});
    if (c->number[0] && !c->call)
        send_number(c);
}

static void on_server(void *ctx, const struct api_result *result) {
    struct customer *c = ctx;
    c->start = NULL;
    if (result->error.err != TAS_OK) {
        complain(c, "server", &result->error);
        return;
    }
    tell(c, &(struct tool_news){.kind = TOOL_SERVER, .server = result->server});
    tool_measure(c->tool); /* it needs the server's time */
    c->start = api_terms(c->tool->client, on_terms, c);
    if (!c->start)
        no_memory(c, "terms");
}

void customer_start(struct customer *c) {
    if (c->start || c->terms_version[0] || c->is_leaving)
        return;
    c->start = api_server(c->tool->client, on_server, c);
    if (!c->start)
        no_memory(c, "server");
}

/* ---- while the session runs ---- */

struct tas_session *customer_session(struct customer *c) {
    return c->share ? share_session(c->share) : NULL;
}

void customer_grant(struct customer *c, uint16_t rights) {
    if (!c->share)
        return;
    c->rights = rights;
    tas_session_grant(share_session(c->share), rights);
    managed_granted(c->managed, rights);
}

void customer_deny(struct customer *c, uint16_t rights) {
    if (c->share)
        managed_report_number(c->managed, "denied", "rights", rights & MANAGED_RIGHTS);
}

void customer_pause(struct customer *c, bool is_paused) {
    if (!c->share)
        return;
    tas_session_pause(share_session(c->share), is_paused);
    managed_report(c->managed, is_paused ? "paused" : "unpaused", NULL);
}

int customer_chat(struct customer *c, const char *text) {
    if (!c->share)
        return TAS_E_STATE;
    int err = tas_session_chat(share_session(c->share), tas_bytes_of(text, strlen(text)), tas_wall_ms());
    if (err == TAS_OK)
        managed_report_number(c->managed, "chat", "bytes", (int64_t)strlen(text));
    return err;
}

void customer_hold(struct customer *c, bool is_held) {
    if (c->share)
        share_hold(c->share, is_held);
}

int customer_tell_device(struct customer *c, const struct tas_json *info) {
    if (!c->share)
        return TAS_E_STATE;
    char *text = tas_json_dump(info);
    int err =
        text ? tas_session_device(share_session(c->share), tas_bytes_of(text, strlen(text))) : TAS_E_NOMEM;
    free(text);
    return err;
}

const char *customer_server(const struct customer *c) {
    return c->stream ? api_stream_server(c->stream) : NULL;
}

/* ---- life ---- */

bool customer_is_over(const struct customer *c) {
    return c->is_over;
}

int customer_exit_code(const struct customer *c) {
    return c->exit_code;
}

void customer_own_window(struct customer *c, uint64_t window) {
    c->config.own_window = window;
}

struct customer *customer_new(struct tool *tool, const struct customer_config *config) {
    struct customer *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    c->tool = tool;
    c->config = *config;
    c->rights = config->rights;
    c->secrets = tas_secret_locked.alloc(sizeof(*c->secrets));
    if (c->secrets)
        return c;
    free(c);
    return NULL;
}

void customer_free(struct customer *c) {
    if (!c)
        return;
    share_stop(c->share);
    cancel(&c->start);
    forget_claim(c);
    tas_secret_locked.release(c->secrets, sizeof(*c->secrets));
    tas_wipe(c, sizeof(*c));
    free(c);
}
