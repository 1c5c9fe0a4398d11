/* The operator's tool without windows: logs in, gives out numbers, answers customers, sees and works. */
#include "headless/operator.h"

#include "api/stream.h"
#include "base/id.h"
#include "base/rand.h"
#include "headless/managed.h"
#include "headless/tool.h"
#include "headless/viewer.h"
#include "os/secret.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

enum { DEVICE_MAX = 256 * 1024, PASSWORD_MAX = 1024 };

/* What must not lie in ordinary memory. */
struct secrets {
    uint8_t device_seed[32], device_pk[32];
    uint8_t pop_seed[32], pop_pk[32];
    struct api_grant grant;
    struct tas_end_config config;
};

struct operator{
    struct tool tool;
    const char *company, *id, *password_file;
    struct secrets *secrets;
    struct api_signer as;
    char company_name[API_NAME + 1];
    struct api_stream *stream;
    struct api_call *login, *answer;
    struct viewer *viewer;
    struct managed *managed;
    uint64_t session, last_session; /* the one that runs; the one that ran */
    bool is_logged_in, is_asked;    /* is_asked: a password went out */
    bool is_leaving, is_logging_out;
};

/* ---- telling ---- */

static void set_if(struct tas_json *json, const char *name, const char *text) {
    if (*text)
        tas_json_set_text(json, name, text);
}

static struct tas_json *visitors_json(const struct api_session *s) {
    struct tas_json *list = tas_json_list();
    for (size_t i = 0; i < s->n_visitors; i++) {
        const struct api_visitor *v = &s->visitors[i];
        struct tas_json *one = tas_json_object();
        tas_json_set_id(one, "id", v->id);
        tas_json_set_text(one, "state", api_claim_state_word(v->state));
        tas_json_set_text(one, "host_name", v->host_name);
        tas_json_set_text(one, "os", v->os);
        tas_json_set_text(one, "address", v->address);
        tas_json_set_text(one, "language", v->language);
        tas_json_add(list, one);
    }
    return list;
}

static void fill_session(struct tas_json *json, const struct api_session *s) {
    tas_json_set_id(json, "session", s->id);
    tas_json_set_text(json, "state", api_session_state_word(s->state));
    set_if(json, "number", s->number);
    tas_json_set_int(json, "issued_at", s->issued_at);
    tas_json_set_int(json, "expires_at", s->expires_at);
    set_if(json, "customer", s->customer);
    set_if(json, "reason", s->reason);
    set_if(json, "ticket_no", s->ticket_no);
    set_if(json, "end_reason", s->end_reason);
    set_if(json, "result", s->result);
    set_if(json, "note", s->note);
    tas_json_set(json, "claims", visitors_json(s));
}

static void tell_session(const char *event, const struct api_session *s) {
    struct tas_json *json = headless_event(event);
    fill_session(json, s);
    headless_tell(json);
}

/* ---- leaving ---- */

static void on_logged_out(void *ctx, const struct api_result *result) {
    struct operator* o = ctx;
    if (result->error.err == TAS_OK)
        headless_tell(headless_event("logged_out"));
    else
        tool_complain("logout", &result->error);
    tool_leave(&o->tool, o->tool.exit_code);
}

static void leave_now(struct operator* o) {
    if (!o->is_logging_out || !o->is_logged_in || !api_logout(o->tool.client, &o->as, on_logged_out, o))
        tool_leave(&o->tool, o->tool.exit_code);
    o->is_logged_in = false;
}

/* First the session ends, then the login. */
static void leave(struct operator* o, bool is_logging_out) {
    bool was_leaving = o->is_leaving;
    o->is_leaving = true;
    o->is_logging_out = o->is_logging_out || is_logging_out;
    if (o->viewer)
        viewer_end(o->viewer);
    else if (!o->managed && !o->answer && !was_leaving)
        leave_now(o);
}

static void on_stdin_end(void *ctx) {
    leave(ctx, true);
}

/* ---- a session ---- */

static void on_managed_done(void *ctx, const struct api_error *error) {
    struct operator* o = ctx;
    (void)error;
    viewer_stop(o->viewer);
    managed_free(o->managed);
    o->viewer = NULL;
    o->managed = NULL;
    o->last_session = o->session;
    o->session = 0;
    api_grant_fini(&o->secrets->grant);
    if (o->is_leaving)
        leave_now(o);
}

static void on_viewer_event(void *ctx, const struct tas_event *ev) {
    struct operator* o = ctx;
    managed_event(o->managed, ev);
}

static void on_viewer_command(void *ctx, const char *word, uint32_t number) {
    struct operator* o = ctx;
    managed_command(o->managed, word, number);
}

static bool start_session(struct operator* o) {
    static const struct managed_owner owner = {on_managed_done};
    static const struct headless_watcher watcher = {on_viewer_event, on_viewer_command};
    const struct api_side side = {.as = o->as, .id = o->session};
    o->managed = managed_new(o->tool.client, &side, &owner, o);
    if (!o->managed)
        return false;
    tool_end_config(&o->tool, &o->secrets->config, &o->secrets->grant);
    o->viewer = viewer_start(o->tool.loop, &o->secrets->config, &watcher, o);
    tas_wipe(&o->secrets->config, sizeof(o->secrets->config));
    return o->viewer &&
           managed_attach(o->managed, viewer_session(o->viewer), &o->secrets->grant, 0) == TAS_OK;
}

static void on_answered(void *ctx, const struct api_result *result) {
    struct operator* o = ctx;
    struct api_error error = result->error;
    char why[TAS_JSON_WHY];
    o->answer = NULL;
    if (error.err == TAS_OK) {
        const struct api_grant_expected expected =
            api_client_expects(o->tool.client, o->secrets->pop_seed, TAS_ROLE_VIEWER, o->company_name);
        int err = api_grant_read(&o->secrets->grant, result->grant, &expected, why);
        if (err != TAS_OK)
            api_error_set(&error, err, 200, "bad_grant", "the server's grant cannot be used: %s", why);
        else if (o->secrets->grant.session_id != o->session)
            api_error_set(&error, TAS_E_AUTH, 200, "bad_grant", "the server's grant is for another session");
    }
    if (error.err != TAS_OK) {
        tool_complain("answer", &error);
        o->session = 0;
        if (o->is_leaving)
            leave_now(o);
        return;
    }
    api_client_saw_keyset(o->tool.client, &o->secrets->grant.keyset);
    tell_session("answered", result->session);
    if (start_session(o)) {
        if (o->is_leaving)
            viewer_end(o->viewer);
        return;
    }
    viewer_stop(o->viewer);
    managed_free(o->managed);
    o->viewer = NULL;
    o->managed = NULL;
    o->session = 0;
    tool_refuse("answer", "no_memory", "the session could not be started");
    if (o->is_leaving)
        leave_now(o);
}

/* ---- commands ---- */

static bool take_ids(const char *command, char *rest, uint64_t *first, uint64_t *second) {
    char *more;
    const char *word = headless_word(rest, &more);
    bool ok = tas_id_decode(first, word) == TAS_OK && (!second || tas_id_decode(second, more) == TAS_OK);
    if (!ok)
        tool_refuse(command, "usage",
                    second ? "give the session and the claim, 13 characters each"
                           : "give the session, 13 characters");
    return ok;
}

static void no_memory(const char *command) {
    tool_refuse(command, "no_memory", "out of memory");
}

static void on_issued(void *ctx, const struct api_result *result) {
    (void)ctx;
    if (result->error.err == TAS_OK)
        tell_session("issued", result->session);
    else
        tool_complain("issue", &result->error);
}

/* The value of "KEY=" in `text`, which goes on to the next key or the end; NULL: not there. Cuts `text`. */
static char *value_of(char *text, const char *key) {
    static const char *const keys[] = {"customer=", "reason=", "ticket="};
    char *at = strstr(text, key);
    while (at && at != text && at[-1] != ' ' && at[-1] != '\0')
        at = strstr(at + 1, key);
    if (!at)
        return NULL;
    char *value = at + strlen(key);
    size_t len = strlen(value);
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
        for (char *next = strstr(value, keys[i]); next; next = strstr(next + 1, keys[i]))
            if (next > value && next[-1] == ' ' && (size_t)(next - value - 1) < len)
                len = (size_t)(next - value - 1);
    return strndup(value, len);
}

static void do_issue(struct operator* o, char *rest) {
    char *customer = value_of(rest, "customer=");
    char *reason = value_of(rest, "reason=");
    char *ticket = value_of(rest, "ticket=");
    struct api_issue_order order = {.customer = customer, .reason = reason, .ticket_no = ticket};
    tas_random(order.request, sizeof(order.request));
    if (!api_issue(o->tool.client, &o->as, &order, on_issued, o))
        no_memory("issue");
    free(customer);
    free(reason);
    free(ticket);
}

static void on_cancelled(void *ctx, const struct api_result *result) {
    (void)ctx;
    if (result->error.err == TAS_OK)
        tell_session("cancelled", result->session);
    else
        tool_complain("cancel", &result->error);
}

static void do_cancel(struct operator* o, char *rest) {
    uint64_t session;
    if (take_ids("cancel", rest, &session, NULL) &&
        !api_session_cancel(o->tool.client, &o->as, session, on_cancelled, o))
        no_memory("cancel");
}

static void do_answer(struct operator* o, char *rest) {
    uint64_t claim;
    uint64_t session;
    if (o->session) {
        tool_refuse("answer", "busy", "a session is running; end it first");
        return;
    }
    if (!take_ids("answer", rest, &session, &claim))
        return;
    if (tool_new_key(o->secrets->pop_seed, o->secrets->pop_pk) == TAS_OK)
        o->answer = api_answer(o->tool.client, &o->as, session, claim, o->secrets->pop_pk, o->tool.rtts,
                               o->tool.n_rtts, on_answered, o);
    if (o->answer)
        o->session = session;
    else
        no_memory("answer");
}

static void on_refused(void *ctx, const struct api_result *result) {
    (void)ctx;
    if (result->error.err == TAS_OK)
        tell_session("claim_refused", result->session);
    else
        tool_complain("refuse", &result->error);
}

static void do_refuse(struct operator* o, char *rest) {
    uint64_t claim;
    uint64_t session;
    if (take_ids("refuse", rest, &session, &claim) &&
        !api_refuse(o->tool.client, &o->as, session, claim, on_refused, o))
        no_memory("refuse");
}

static void on_result(void *ctx, const struct api_result *result) {
    (void)ctx;
    if (result->error.err == TAS_OK)
        tell_session("result", result->session);
    else
        tool_complain("result", &result->error);
}

static uint64_t session_in_hand(const struct operator* o, const char *command) {
    uint64_t session = o->session ? o->session : o->last_session;
    if (!session)
        tool_refuse(command, "no_session", "there was no session yet");
    return session;
}

static void do_result(struct operator* o, char *rest) {
    char *note;
    const char *word = headless_word(rest, &note);
    uint64_t session = session_in_hand(o, "result");
    if (session && !api_set_result(o->tool.client, &o->as, session, word, note, on_result, o))
        no_memory("result");
}

static void on_device(void *ctx, const struct api_result *result) {
    (void)ctx;
    if (result->error.err == TAS_OK)
        headless_tell(headless_event("device_stored"));
    else
        tool_complain("device", &result->error);
}

static struct tas_json *read_json_file(const char *path, char why[TAS_JSON_WHY]) {
    struct tas_json *json = NULL;
    FILE *f = fopen(path, "re");
    char *text = f ? malloc(DEVICE_MAX + 1) : NULL;
    snprintf(why, TAS_JSON_WHY, "the file cannot be read");
    if (text) {
        size_t len = fread(text, 1, DEVICE_MAX + 1, f);
        if (ferror(f) == 0 && len <= DEVICE_MAX)
            json = tas_json_parse(tas_bytes_of(text, len), why);
        else if (len > DEVICE_MAX)
            snprintf(why, TAS_JSON_WHY, "the file is larger than 256 KiB");
    }
    if (f)
        fclose(f);
    free(text);
    return json;
}

static void do_device(struct operator* o, const char *path) {
    char why[TAS_JSON_WHY];
    uint64_t session = session_in_hand(o, "device");
    if (!session)
        return;
    struct tas_json *info = read_json_file(path, why);
    if (!info)
        tool_refuse("device", "usage", why);
    else if (!api_device_put(o->tool.client, &o->as, session, info, on_device, o))
        no_memory("device");
    tas_json_free(info);
}

static void on_history(void *ctx, const struct api_result *result) {
    (void)ctx;
    if (result->error.err != TAS_OK) {
        tool_complain("history", &result->error);
        return;
    }
    struct tas_json *list = tas_json_list();
    for (size_t i = 0; i < result->page->n; i++) {
        struct tas_json *one = tas_json_object();
        fill_session(one, &result->page->list[i]);
        tas_json_add(list, one);
    }
    struct tas_json *json = headless_event("history");
    tas_json_set(json, "sessions", list);
    headless_tell(json);
}

static void do_history(struct operator* o) {
    if (!api_history(o->tool.client, &o->as, 0, 20, on_history, o))
        no_memory("history");
}

static void do_login(struct operator* o, const char *password);

static bool own_command(struct operator* o, const char *word, char *rest) {
    if (strcmp(word, "issue") == 0)
        do_issue(o, rest);
    else if (strcmp(word, "cancel") == 0)
        do_cancel(o, rest);
    else if (strcmp(word, "answer") == 0)
        do_answer(o, rest);
    else if (strcmp(word, "refuse") == 0)
        do_refuse(o, rest);
    else if (strcmp(word, "result") == 0)
        do_result(o, rest);
    else if (strcmp(word, "device") == 0)
        do_device(o, rest);
    else if (strcmp(word, "history") == 0)
        do_history(o);
    else
        return false;
    return true;
}

static void on_line(void *ctx, char *line) {
    struct operator* o = ctx;
    if (!o->is_asked) {
        do_login(o, line);
        return;
    }
    char *rest;
    const char *word = headless_word(line, &rest);
    if (strcmp(word, "logout") == 0 || strcmp(word, "quit") == 0) {
        leave(o, *word == 'l');
        return;
    }
    if (!o->is_logged_in) {
        tool_refuse(word, "not_logged_in", "not logged in yet");
        return;
    }
    if (own_command(o, word, rest) || (o->viewer && viewer_command(o->viewer, word, rest)))
        return;
    headless_say("error",
                 ",\"text\":\"unknown command; known: issue [customer=TEXT] [reason=TEXT] [ticket=TEXT], "
                 "cancel SESSION, answer SESSION CLAIM, refuse SESSION CLAIM, "
                 "result solved|open|aborted [NOTE], device FILE, history, logout, quit; in a session: %s\"",
                 VIEWER_COMMANDS);
}

/* ---- what the server tells ---- */

static void on_session(void *ctx, const struct api_session *s) {
    struct operator* o = ctx;
    tell_session("session", s);
    if (o->managed && s->id == o->session && s->state == API_SESSION_ENDED)
        managed_is_over(o->managed);
}

static void on_ready(void *ctx) {
    (void)ctx;
    headless_tell(headless_event("ready"));
}

static void on_line_state(void *ctx, bool is_connected, const struct api_error *why) {
    const struct operator* o = ctx;
    tool_say_line(o->stream, is_connected, why);
}

static void on_bad(void *ctx, const struct api_error *error) {
    (void)ctx;
    tool_complain("stream", error);
}

static void on_over(void *ctx, const struct api_error *error) {
    struct operator* o = ctx;
    tool_complain("stream", error);
    o->is_logged_in = false;
    o->tool.exit_code = EXIT_FAILURE;
    api_stream_close(o->stream);
    o->stream = NULL;
    leave(o, false);
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
        tool_complain("login", &result->error);
        tool_leave(&o->tool, tool_exit_code(&result->error));
        return;
    }
    const struct api_login *login = result->login;
    snprintf(o->as.token, sizeof(o->as.token), "%s", login->token);
    memcpy(o->as.seed, o->secrets->device_seed, sizeof(o->as.seed));
    snprintf(o->company_name, sizeof(o->company_name), "%s", login->company_name);
    o->is_logged_in = true;
    struct tas_json *json = headless_event("logged_in");
    tas_json_set_text(json, "company", login->company_name);
    tas_json_set_text(json, "name", login->operator_name);
    tas_json_set_int(json, "expires_at", login->expires_at);
    headless_tell(json);
    if (o->is_leaving) {
        leave_now(o);
        return;
    }
    tool_measure(&o->tool);
    o->stream = api_stream_open(o->tool.client, &o->as, 0, &events, o);
    if (!o->stream)
        tool_leave(&o->tool, EXIT_FAILURE);
}

static void do_login(struct operator* o, const char *password) {
    const struct api_login_order order = {.company = o->company,
                                          .id = o->id,
                                          .password = password,
                                          .tool_version = TASUKI_VERSION,
                                          .device_seed = o->secrets->device_seed};
    o->is_asked = true;
    if (tool_new_key(o->secrets->device_seed, o->secrets->device_pk) == TAS_OK)
        o->login = api_login(o->tool.client, &order, on_logged_in, o);
    if (!o->login)
        tool_leave(&o->tool, EXIT_FAILURE);
}

static bool login_from_file(struct operator* o) {
    char password[PASSWORD_MAX] = "";
    FILE *f = fopen(o->password_file, "re");
    bool ok = f && fgets(password, sizeof(password), f);
    if (f)
        fclose(f);
    password[strcspn(password, "\r\n")] = '\0';
    if (ok)
        do_login(o, password);
    else
        fprintf(stderr, "tasuki-headless: %s: no password can be read from it\n", o->password_file);
    tas_wipe(password, sizeof(password));
    return ok;
}

/* ---- the program ---- */

static int usage(void) {
    fputs("Usage: tasuki-headless operator --org FILE --company CODE --id ID [--password-file FILE]\n"
          "The password is the first line of FILE, or of standard input; commands follow there.\n",
          stderr);
    return EXIT_USAGE;
}

static int run(struct operator* o, const char *org_file) {
    int code = tool_start(&o->tool, org_file, on_line, on_stdin_end, o);
    if (code == EXIT_SUCCESS && o->password_file && !login_from_file(o))
        code = EXIT_FAILURE;
    if (code == EXIT_SUCCESS)
        code = tas_loop_run(o->tool.loop) == TAS_OK ? o->tool.exit_code : EXIT_FAILURE;
    viewer_stop(o->viewer);
    managed_free(o->managed);
    api_stream_close(o->stream);
    tool_stop(&o->tool);
    return code;
}

int operator_main(int argc, char **argv) {
    static const struct option long_options[] = {
        {"org", required_argument, NULL, 'o'},
        {"company", required_argument, NULL, 'c'},
        {"id", required_argument, NULL, 'i'},
        {"password-file", required_argument, NULL, 'p'},
        {NULL, 0, NULL, 0},
    };
    struct operator* o = calloc(1, sizeof(*o));
    const char *org_file = NULL;
    int code = EXIT_FAILURE;
    if (!o)
        return code;
    for (int c; (c = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        if (c == '?') {
            free(o);
            return usage();
        }
        *(c == 'o' ? &org_file : c == 'c' ? &o->company : c == 'i' ? &o->id : &o->password_file) = optarg;
    }
    if (org_file && o->company && o->id && optind == argc) {
        o->secrets = tas_secret_locked.alloc(sizeof(*o->secrets));
        code = o->secrets ? run(o, org_file) : EXIT_FAILURE;
        tas_secret_locked.release(o->secrets, sizeof(*o->secrets));
    } else {
        code = usage();
    }
    tas_wipe(o, sizeof(*o));
    free(o);
    return code;
}
