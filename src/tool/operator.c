#include "tool/operator.h"

#include "api/stream.h"
#include "base/rand.h"
#include "base/time.h"
#include "os/secret.h"
#include "tool/managed.h"
#include "tool/viewer.h"

#include <stdio.h>
#include <stdlib.h>

/* What must not lie in ordinary memory. */
struct secrets {
    uint8_t device_seed[32], device_pk[32];
    uint8_t pop_seed[32], pop_pk[32];
    struct api_grant grant;
    struct tas_end_config config;
};

struct operator{
    struct tool *tool;
    const char *version;
    struct secrets *secrets;
    struct api_signer as;
    char company_name[API_NAME + 1];
    struct api_stream *stream;
    struct api_call *server, *login, *answer;
    struct viewer *viewer;
    struct managed *managed;
    uint64_t session, last_session; /* the one that runs; the one that ran */
    bool is_in, has_tried;          /* has_tried: a password went out */
    bool is_ending;                 /* the operator said so of `session` */
    bool was_ended;                 /* the server says so of `session` */
    bool is_leaving, is_logging_out, is_over;
};

static void tell(struct operator* o, const struct tool_news *news) {
    tool_tell(&o->tool->to, news);
}

static void complain(struct operator* o, const char *command, const struct api_error *error) {
    tool_complain(&o->tool->to, command, error);
}

static void tell_session(struct operator* o, const char *command, const struct api_session *session) {
    tell(o, &(struct tool_news){.kind = TOOL_SESSION, .command = command, .session = session});
}

/* ---- leaving ---- */

static void leave_for_good(struct operator* o) {
    if (o->is_over)
        return;
    o->is_over = true;
    tell(o, &(struct tool_news){.kind = TOOL_LEFT});
}

static void on_logged_out(void *ctx, const struct api_result *result) {
    struct operator* o = ctx;
    if (result->error.err == TAS_OK)
        tell(o, &(struct tool_news){.kind = TOOL_LOGGED_OUT});
    else
        complain(o, "logout", &result->error);
    leave_for_good(o);
}

static void leave_now(struct operator* o) {
    bool logs_out = o->is_logging_out && o->is_in;
    o->is_in = false;
    if (!logs_out || !api_logout(o->tool->client, &o->as, on_logged_out, o))
        leave_for_good(o);
}

/* First the session ends, then the login. */
void operator_leave(struct operator* o, bool is_staying) {
    bool was_leaving = o->is_leaving;
    o->is_leaving = true;
    o->is_logging_out = o->is_logging_out || !is_staying;
    if (o->viewer)
        viewer_end(o->viewer);
    else if (!o->managed && !o->answer && !was_leaving)
        leave_now(o);
}

/* ---- a session ---- */

static void forget_session(struct operator* o) {
    viewer_stop(o->viewer);
    managed_free(o->managed);
    o->viewer = NULL;
    o->managed = NULL;
    o->session = 0;
    api_grant_fini(&o->secrets->grant);
    if (o->is_leaving)
        leave_now(o);
}

static void on_ended(void *ctx) {
    struct operator* o = ctx;
    o->last_session = o->session;
    forget_session(o);
}

/* What the end at work tells goes on to our owner, and into the record. */
static void on_viewer_news(void *ctx, const struct tool_news *news) {
    struct operator* o = ctx;
    tell(o, news);
    if (news->kind == TOOL_ENGINE)
        managed_event(o->managed, news->event);
}

static bool start_session(struct operator* o) {
    const struct api_side side = {.as = o->as, .id = o->session};
    o->managed = managed_new(o->tool->client, &side, o->tool->to, on_ended, o);
    if (!o->managed)
        return false;
    tool_end_config(o->tool, &o->secrets->config, &o->secrets->grant);
    o->viewer = viewer_start(o->tool->loop, &o->secrets->config, (struct tool_listener){on_viewer_news, o});
    tas_wipe(&o->secrets->config, sizeof(o->secrets->config));
    return o->viewer &&
           managed_attach(o->managed, viewer_session(o->viewer), &o->secrets->grant, 0) == TAS_OK;
}

/* The grant of an answer, checked; what is wrong with it in `error`. */
static void read_grant(struct operator* o, const struct api_result *result, struct api_error *error) {
    const struct api_grant_expected expected =
        api_client_expects(o->tool->client, o->secrets->pop_seed, TAS_ROLE_VIEWER, o->company_name);
    char why[TAS_JSON_WHY];
    int err = api_grant_read(&o->secrets->grant, result->grant, &expected, why);
    if (err != TAS_OK)
        api_error_set(error, err, 200, "bad_grant", "the server's grant cannot be used: %s", why);
    else if (o->secrets->grant.session_id != o->session)
        api_error_set(error, TAS_E_AUTH, 200, "bad_grant", "the server's grant is for another session");
}

static void on_answered(void *ctx, const struct api_result *result) {
    struct operator* o = ctx;
    struct api_error error = result->error;
    o->answer = NULL;
    if (error.err == TAS_OK)
        read_grant(o, result, &error);
    if (error.err != TAS_OK) {
        complain(o, "answer", &error);
        forget_session(o);
        return;
    }
    api_client_saw_keyset(o->tool->client, &o->secrets->grant.keyset);
    tell_session(o, "answer", result->session);
    if (!start_session(o)) {
        tool_refuse(&o->tool->to, "answer", "no_memory", "the session could not be started");
        forget_session(o);
    } else if (o->is_leaving || o->is_ending) {
        viewer_end(o->viewer);
    } else if (o->was_ended) {
        managed_is_over(o->managed);
    }
}

int operator_answer(struct operator* o, uint64_t session, uint64_t claim) {
    if (!o->is_in || o->session)
        return TAS_E_STATE;
    if (tool_new_key(o->secrets->pop_seed, o->secrets->pop_pk) == TAS_OK)
        o->answer = api_answer(o->tool->client, &o->as, session, claim, o->secrets->pop_pk, o->tool->rtts,
                               o->tool->n_rtts, on_answered, o);
    if (!o->answer)
        return TAS_E_NOMEM;
    o->session = session;
    o->was_ended = o->is_ending = false;
    return TAS_OK;
}

/* ---- requests ---- */

static void say(struct operator* o, const char *command, const struct api_result *result) {
    if (result->error.err == TAS_OK)
        tell_session(o, command, result->session);
    else
        complain(o, command, &result->error);
}

static void on_issued(void *ctx, const struct api_result *result) {
    say(ctx, "issue", result);
}

static void on_cancelled(void *ctx, const struct api_result *result) {
    say(ctx, "cancel", result);
}

static void on_refused(void *ctx, const struct api_result *result) {
    say(ctx, "refuse", result);
}

static void on_result(void *ctx, const struct api_result *result) {
    say(ctx, "result", result);
}

static int asked(const struct api_call *call) {
    return call ? TAS_OK : TAS_E_NOMEM;
}

int operator_issue(struct operator* o, const struct operator_order *order) {
    if (!o->is_in)
        return TAS_E_STATE;
    struct api_issue_order issue = {
        .customer = order->customer, .reason = order->reason, .ticket_no = order->ticket_no};
    tas_random(issue.request, sizeof(issue.request));
    return asked(api_issue(o->tool->client, &o->as, &issue, on_issued, o));
}

int operator_cancel(struct operator* o, uint64_t session) {
    return o->is_in ? asked(api_session_cancel(o->tool->client, &o->as, session, on_cancelled, o))
                    : TAS_E_STATE;
}

int operator_refuse(struct operator* o, uint64_t session, uint64_t claim) {
    return o->is_in ? asked(api_refuse(o->tool->client, &o->as, session, claim, on_refused, o)) : TAS_E_STATE;
}

static uint64_t in_hand(const struct operator* o) {
    return o->session ? o->session : o->last_session;
}

int operator_result(struct operator* o, uint64_t session, const char *result, const char *note) {
    uint64_t id = session ? session : in_hand(o);
    if (!o->is_in)
        return TAS_E_STATE;
    return id ? asked(api_set_result(o->tool->client, &o->as, id, result, note, on_result, o)) : TAS_E_ABSENT;
}

static void on_device(void *ctx, const struct api_result *result) {
    struct operator* o = ctx;
    if (result->error.err == TAS_OK)
        tell(o, &(struct tool_news){.kind = TOOL_STORED});
    else
        complain(o, "device", &result->error);
}

int operator_device(struct operator* o, const struct tas_json *info) {
    if (!o->is_in)
        return TAS_E_STATE;
    return in_hand(o) ? asked(api_device_put(o->tool->client, &o->as, in_hand(o), info, on_device, o))
                      : TAS_E_ABSENT;
}

static void on_history(void *ctx, const struct api_result *result) {
    struct operator* o = ctx;
    if (result->error.err == TAS_OK)
        tell(o, &(struct tool_news){.kind = TOOL_HISTORY, .page = result->page});
    else
        complain(o, "history", &result->error);
}

int operator_history(struct operator* o, uint64_t before, unsigned limit) {
    return o->is_in ? asked(api_history(o->tool->client, &o->as, before, limit, on_history, o)) : TAS_E_STATE;
}

/* ---- the session in hand ---- */

int operator_view(struct operator* o, bool is_on) {
    if (!o->viewer)
        return TAS_E_STATE;
    tas_session_view(viewer_session(o->viewer), is_on);
    managed_report(o->managed, is_on ? "view_on" : "view_off", NULL);
    return TAS_OK;
}

int operator_ask(struct operator* o, uint16_t rights) {
    if (!o->viewer)
        return TAS_E_STATE;
    tas_session_ask(viewer_session(o->viewer), rights);
    managed_report_number(o->managed, "control_asked", "rights", rights & MANAGED_RIGHTS);
    return TAS_OK;
}

int operator_chat(struct operator* o, const char *text) {
    if (!o->viewer)
        return TAS_E_STATE;
    int err = tas_session_chat(viewer_session(o->viewer), tas_bytes_of(text, strlen(text)), tas_wall_ms());
    if (err == TAS_OK)
        managed_report_number(o->managed, "chat", "bytes", (int64_t)strlen(text));
    return err;
}

int operator_type(struct operator* o, const char *text) {
    if (!o->viewer)
        return TAS_E_STATE;
    int err = viewer_type(o->viewer, text);
    if (err == TAS_OK)
        managed_report_number(o->managed, "text_sent", "bytes", (int64_t)strlen(text));
    return err;
}

void operator_end(struct operator* o) {
    o->is_ending = true; /* also before the answer is there */
    if (o->viewer)
        viewer_end(o->viewer);
}

uint64_t operator_session(const struct operator* o) {
    return o->session;
}

struct viewer *operator_viewer(struct operator* o) {
    return o->viewer;
}

uint64_t operator_rtt_us(const struct operator* o) {
    return o->managed ? managed_rtt_us(o->managed) : 0;
}

/* ---- what the server tells ---- */

static void on_session(void *ctx, const struct api_session *s) {
    struct operator* o = ctx;
    tell_session(o, NULL, s);
    if (s->id != o->session || s->state != API_SESSION_ENDED)
        return;
    o->was_ended = true; /* perhaps before the answer to our answer */
    if (o->managed)
        managed_is_over(o->managed);
}

static void on_ready(void *ctx) {
    tell(ctx, &(struct tool_news){.kind = TOOL_READY});
}

static void on_line_state(void *ctx, bool is_connected, const struct api_error *why) {
    struct operator* o = ctx;
    tell(o, &(struct tool_news){.kind = TOOL_LINE,
                                .flag = is_connected,
                                .text = o->stream ? api_stream_server(o->stream) : NULL,
                                .error = why});
}

static void on_bad(void *ctx, const struct api_error *error) {
    complain(ctx, "stream", error);
}

/* The login is no longer good. */
static void on_over(void *ctx, const struct api_error *error) {
    struct operator* o = ctx;
    o->is_in = false;
    api_stream_close(o->stream);
    o->stream = NULL;
    tell(o, &(struct tool_news){.kind = TOOL_ERROR, .command = "stream", .flag = true, .error = error});
}

/* ---- login ---- */

static void on_logged_in(void *ctx, const struct api_result *result) {
    static const struct api_stream_events events = {.on_session = on_session,
                                                    .on_ready = on_ready,
                                                    .on_line = on_line_state,
                                                    .on_bad = on_bad,
                                                    .on_over = on_over};
    struct operator* o = ctx;
    o->login = NULL;
    if (result->error.err != TAS_OK) {
        complain(o, "login", &result->error);
        return;
    }
    const struct api_login *login = result->login;
    snprintf(o->as.token, sizeof(o->as.token), "%s", login->token);
    memcpy(o->as.seed, o->secrets->device_seed, sizeof(o->as.seed));
    snprintf(o->company_name, sizeof(o->company_name), "%s", login->company_name);
    o->is_in = true;
    tell(o, &(struct tool_news){.kind = TOOL_LOGGED_IN, .login = login});
    if (o->is_leaving) {
        leave_now(o);
        return;
    }
    tool_measure(o->tool);
    o->stream = api_stream_open(o->tool->client, &o->as, 0, &events, o);
    if (!o->stream)
        tool_refuse(&o->tool->to, "login", "no_memory", "out of memory");
}

int operator_login(struct operator* o, const char *company, const char *id, const char *password) {
    const struct api_login_order order = {.company = company,
                                          .id = id,
                                          .password = password,
                                          .tool_version = o->version,
                                          .device_seed = o->secrets->device_seed};
    if (o->is_in || o->login)
        return TAS_E_STATE;
    o->has_tried = true;
    if (tool_new_key(o->secrets->device_seed, o->secrets->device_pk) == TAS_OK)
        o->login = api_login(o->tool->client, &order, on_logged_in, o);
    return o->login ? TAS_OK : TAS_E_NOMEM;
}

static void on_server(void *ctx, const struct api_result *result) {
    struct operator* o = ctx;
    o->server = NULL;
    if (result->error.err == TAS_OK)
        tell(o, &(struct tool_news){.kind = TOOL_SERVER, .server = result->server});
    else
        complain(o, "server", &result->error);
}

void operator_ask_server(struct operator* o) {
    if (!o->server)
        o->server = api_server(o->tool->client, on_server, o);
}

/* ---- life ---- */

bool operator_is_over(const struct operator* o) {
    return o->is_over;
}

bool operator_has_tried(const struct operator* o) {
    return o->has_tried;
}

bool operator_is_in(const struct operator* o) {
    return o->is_in;
}

struct operator* operator_new(struct tool *tool, const char *version) {
    struct operator* o = calloc(1, sizeof(*o));
    if (!o)
        return NULL;
    o->tool = tool;
    o->version = version;
    o->secrets = tas_secret_locked.alloc(sizeof(*o->secrets));
    if (o->secrets)
        return o;
    free(o);
    return NULL;
}

void operator_free(struct operator* o) {
    if (!o)
        return;
    viewer_stop(o->viewer);
    managed_free(o->managed);
    api_cancel_all(o->tool->client, o);
    api_stream_close(o->stream);
    api_grant_fini(&o->secrets->grant);
    tas_secret_locked.release(o->secrets, sizeof(*o->secrets));
    tas_wipe(o, sizeof(*o));
    free(o);
}
