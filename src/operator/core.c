#include "operator/core.h"

#include "base/log.h"
#include "base/time.h"
#include "operator/core_private.h"
#include "operator/live.h"
#include "operator/rules.h"
#include "tool/viewer.h"
#include "wire/record.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    FIGURES_US = 1000 * 1000,
    CLOSING_US = 200 * 1000, /* so often it is looked whether the session before is closed */
    HISTORY_PAGE = 50,
};

/* ---- telling ---- */

/* The flow keeps a session until the server knows its end, and does not say when that is. */
static void note_closing(struct operator_core *c) {
    bool was = c->state.is_closing;
    bool is_over = c->state.phase == OPERATOR_IDLE || c->state.phase == OPERATOR_CLOSED;
    c->state.is_closing = is_over && c->flow && operator_session(c->flow) != 0;
    if (c->state.is_closing && !was)
        tas_timer_set(c->tick, tas_mono_us() + CLOSING_US);
}

static void show(struct operator_core *c) {
    note_closing(c);
    ui_bridge_state(c->bridge, &c->state);
}

static void set_text(char *out, size_t cap, const char *text) {
    snprintf(out, cap, "%s", text ? text : "");
}

static void fail(struct operator_core *c, const char *command, const struct api_error *error) {
    c->state.error = *error;
    c->state.error_serial++;
    set_text(c->state.error_command, sizeof(c->state.error_command), command);
}

/* What a function of the flow returned. */
static void check(struct operator_core *c, const char *command, int err) {
    struct api_error error;
    if (err == TAS_OK)
        return;
    api_error_set(&error, err, 0, rules_code(command, err, operator_is_in(c->flow)), "%s", "");
    tas_log(TAS_LOG_INFO, "operator", "not_done", "command=%s why=\"%s\"", command, tas_err_text(err));
    fail(c, command, &error);
}

void operator_note_free(void *note) {
    struct operator_note *n = note;
    if (!n)
        return;
    if (n->text)
        tas_wipe(n->text, strlen(n->text));
    free(n->text);
    api_page_fini(&n->page);
    free(n);
}

size_t operator_command_size(const struct operator_command *command) {
    return offsetof(struct operator_command, text) + strlen(command->text) + 1;
}

static void tell_note(struct operator_core *c, enum operator_note_kind kind, struct tas_bytes text) {
    struct operator_note *n = calloc(1, sizeof(*n));
    if (!n)
        return;
    n->kind = kind;
    n->text = text.len > 0 ? strndup((const char *)text.ptr, text.len) : strdup("");
    if (n->text)
        ui_bridge_note(c->bridge, n);
    else
        operator_note_free(n);
}

static void tell_history(struct operator_core *c, const struct api_page *page) {
    struct operator_note *n = calloc(1, sizeof(*n));
    if (!n)
        return;
    n->kind = OPERATOR_NOTE_HISTORY;
    n->page.next = page->next;
    n->page.list = page->n > 0 ? malloc(page->n * sizeof(page->list[0])) : NULL;
    if (n->page.list) {
        memcpy(n->page.list, page->list, page->n * sizeof(page->list[0]));
        n->page.n = page->n;
    }
    ui_bridge_note(c->bridge, n);
}

/* The server's clock, so that the windows can count without asking. */
static void note_time(struct operator_core *c) {
    c->state.server_ms = (int64_t)api_client_ms(c->tool.client);
    c->state.mono_us = tas_mono_us();
}

/* ---- the session's engine ---- */

/* The engine is told once: after a pause, or when the right comes back, it goes on by itself. */
static int follow_view(struct operator_core *c) {
    bool can = rules_can_see(&c->state);
    bool is_on = c->wants_view && (can || c->viewed);
    int err = TAS_OK;
    if (is_on != c->viewed)
        err = operator_view(c->flow, is_on);
    if (err == TAS_OK)
        c->viewed = is_on;
    c->state.is_viewing = c->viewed && can;
    return err;
}

static void set_active(struct operator_core *c) {
    if (c->state.phase == OPERATOR_ACTIVE)
        return;
    c->state.phase = OPERATOR_ACTIVE;
    c->state.active_at_us = tas_mono_us();
    tas_timer_set(c->tick, c->state.active_at_us + FIGURES_US);
    check(c, "view", follow_view(c));
}

static void on_state(struct operator_core *c, const struct tas_event *ev) {
    c->state.is_line_lost = ev->state == TAS_STATE_SUSPENDED;
    if (ev->state == TAS_STATE_KEYED && c->state.phase < OPERATOR_CODE)
        c->state.phase = OPERATOR_CODE;
    else if (ev->state == TAS_STATE_VERIFIED || ev->state == TAS_STATE_ACTIVE)
        set_active(c);
}

static void on_grants(struct operator_core *c, const struct tas_event *ev) {
    bool is_pause = ev->flag != c->state.is_paused;
    uint16_t denied = (uint16_t)(c->asked & ~ev->number);
    c->state.rights = (uint16_t)ev->number;
    c->state.is_paused = ev->flag;
    if (denied && !is_pause) { /* he has answered the question: told even when nothing changed */
        c->state.denied = denied;
        c->state.denied_serial++;
    }
    if (!is_pause)
        c->asked = 0;
    if (!core_has_control(c))
        c->n_held = 0; /* the customer's end has let go of them */
    check(c, "view", follow_view(c));
    core_draw_pointer(c);
}

static void on_screen(struct operator_core *c, const struct tas_event *ev) {
    c->state.width = ev->width;
    c->state.height = ev->height;
    c->pointer.sent_us = 0; /* that was another picture */
    core_put_in_place(c);
}

static void on_cursor(struct operator_core *c, const struct tas_event *ev) {
    c->pointer.shown.x = ev->x;
    c->pointer.shown.y = ev->y;
    c->pointer.shown.is_shown = ev->number != 0;
    core_draw_pointer(c);
}

/* info: owned; NULL: there is none to send. */
static void send_device(struct operator_core *c, struct tas_json *info) {
    while (info) {
        int err = operator_device(c->flow, info);
        tas_json_free(info);
        check(c, "device", err);
        info = err == TAS_OK ? NULL : post_answered(&c->post);
    }
}

static void on_device(struct operator_core *c, struct tas_bytes data) {
    char why[TAS_JSON_WHY];
    if (post_is_flood(&c->post, tas_mono_us()))
        return;
    struct tas_json *info = tas_json_parse(data, why);
    c->state.has_device = true;
    c->state.is_device_stored = false;
    tell_note(c, OPERATOR_NOTE_DEVICE, data);
    if (info)
        send_device(c, post_put(&c->post, c->state.session, info));
    else
        tas_log(TAS_LOG_WARN, "operator", "bad_device", "why=\"%s\"", why);
}

/* The server's answer to what was sent last; of an earlier session it says nothing of this one. */
static void on_device_answer(struct operator_core *c, bool is_stored) {
    bool is_of_now = c->post.session == c->state.session;
    struct tas_json *next = post_answered(&c->post);
    if (is_of_now && !next)
        c->state.is_device_stored = is_stored;
    send_device(c, next);
}

static void on_closed(struct operator_core *c, unsigned reason) {
    c->state.phase = OPERATOR_CLOSED;
    if (c->state.end_reason == 0)
        c->state.end_reason = reason;
    c->state.is_line_lost = c->state.is_viewing = c->state.is_ending = false;
    c->n_held = 0;
    core_forget_pointer(c);
}

static void on_engine(struct operator_core *c, const struct tas_event *ev) {
    switch (ev->kind) {
    case TAS_EVENT_STATE:
        on_state(c, ev);
        break;
    case TAS_EVENT_PEER:
        if (ev->peer.name[0])
            set_text(c->state.peer_name, sizeof(c->state.peer_name), ev->peer.name);
        c->state.perms = ev->peer.perms;
        break;
    case TAS_EVENT_CODE_WRONG:
        c->state.tries_left = ev->number;
        c->state.code_serial++;
        break;
    case TAS_EVENT_GRANTS:
        on_grants(c, ev);
        break;
    case TAS_EVENT_SCREEN:
        on_screen(c, ev);
        break;
    case TAS_EVENT_CURSOR_POS:
        on_cursor(c, ev);
        return;
    case TAS_EVENT_CURSOR_IMAGE:
        core_keep_cursor(c, &ev->cursor);
        core_draw_pointer(c);
        return;
    case TAS_EVENT_CHAT:
        tell_note(c, OPERATOR_NOTE_CHAT, ev->data);
        return;
    case TAS_EVENT_DEVICE:
        on_device(c, ev->data);
        break;
    case TAS_EVENT_ALARM:
        set_text(c->state.alarm, sizeof(c->state.alarm), ev->text);
        break;
    case TAS_EVENT_CLOSED:
        on_closed(c, ev->number);
        break;
    default:
        return;
    }
    show(c);
}

/* False: as before. */
static bool note_figures(struct operator_core *c) {
    struct tas_session *s = core_session(c);
    struct tas_session_figures f;
    if (!s)
        return false;
    tas_session_figures(s, &f, tas_mono_us());
    return rules_take_figures(&c->state, operator_rtt_us(c->flow), f.rate_Bps, f.relay_id);
}

static void on_tick(void *ctx) {
    struct operator_core *c = ctx;
    bool is_active = c->state.phase == OPERATOR_ACTIVE;
    bool was_closing = c->state.is_closing;
    bool is_new = is_active && note_figures(c);
    note_closing(c);
    if (is_new || c->state.is_closing != was_closing)
        ui_bridge_state(c->bridge, &c->state);
    if (is_active || c->state.is_closing)
        tas_timer_set(c->tick, tas_mono_us() + (is_active ? FIGURES_US : CLOSING_US));
}

/* ---- the sessions that the server tells of ---- */

static void on_result(struct operator_core *c, uint64_t session) {
    c->state.result_session = session;
    c->state.result_serial++;
}

static void on_issued(struct operator_core *c, uint64_t session) {
    c->state.issued_session = session;
    c->state.issue_serial++;
}

static void on_session(struct operator_core *c, const char *command, const struct api_session *s) {
    operator_live_put(&c->state, s);
    operator_live_learn_end(&c->state, s);
    if (!command)
        return;
    if (strcmp(command, "issue") == 0)
        on_issued(c, s->id);
    else if (strcmp(command, "answer") == 0)
        c->state.phase = OPERATOR_CALLING;
    else if (strcmp(command, "result") == 0)
        on_result(c, s->id);
}

/* ---- news of the flow ---- */

static void forget_session(struct operator_core *c) {
    struct operator_state *s = &c->state;
    s->phase = OPERATOR_IDLE;
    s->session = 0;
    s->peer_name[0] = s->alarm[0] = '\0';
    s->tries_left = s->end_reason = 0;
    s->perms = s->rights = 0;
    s->is_paused = s->is_viewing = s->is_line_lost = s->has_device = s->is_device_stored = false;
    s->is_ending = false;
    s->width = s->height = 0;
    s->monitors = (struct tas_monitors){0};
    s->active_at_us = 0;
    s->rtt_us = s->relay = 0;
    s->rate_Bps = 0;
    post_forget(&c->post);
    c->wants_view = true; /* nobody comes to look at a black window */
    c->viewed = false;
    c->asked = 0;
    c->n_held = 0;
    core_forget_pointer(c);
    core_put_in_place(c);
}

static void set_logged_out(struct operator_core *c) {
    c->state.step = OPERATOR_LOGIN;
    c->state.n_live = 0;
    c->state.is_managed = false;
    c->state.issued_session = 0;
}

static void on_error(struct operator_core *c, const struct tool_news *news) {
    const char *command = news->command ? news->command : "";
    if (strcmp(command, "device") == 0)
        on_device_answer(c, false);
    else if (strcmp(command, "issue") == 0)
        c->state.issue_serial++;
    if (strcmp(command, "login") == 0)
        c->state.step = OPERATOR_LOGIN;
    else if (strcmp(command, "answer") == 0)
        forget_session(c);
    else if (strcmp(command, "stream") == 0 && news->flag)
        set_logged_out(c);
    else if (strcmp(command, "stream") == 0 || strcmp(command, "relays") == 0 ||
             strcmp(command, "logout") == 0 || !*command)
        return; /* it is tried again, or goes on without */
    fail(c, command, news->error);
}

static void on_server(struct operator_core *c, const struct api_server *server) {
    set_text(c->state.organisation, sizeof(c->state.organisation), server->organisation);
    if (!tool_is_older(TASUKI_VERSION, server->min_tool_version))
        return;
    if (c->state.step != OPERATOR_LOGIN)
        return; /* whoever tries to log in meanwhile is told by the server */
    set_text(c->state.min_version, sizeof(c->state.min_version), server->min_tool_version);
    c->state.step = OPERATOR_TOO_OLD;
}

static void on_logged_in(struct operator_core *c, const struct api_login *login) {
    set_text(c->state.company, sizeof(c->state.company), login->company_name);
    set_text(c->state.operator_name, sizeof(c->state.operator_name), login->operator_name);
    c->state.step = OPERATOR_DESK;
}

/* Out of the old flow's callback: somebody else may log in now. */
static void begin_anew(void *ctx) {
    struct operator_core *c = ctx;
    operator_free(c->flow);
    c->post.is_under_way = false; /* its answer will not come any more */
    c->flow = operator_new(&c->tool, TASUKI_VERSION);
    if (c->flow)
        show(c);
    else
        ui_worker_leave(&c->worker);
}

static void on_left(struct operator_core *c) {
    set_logged_out(c);
    forget_session(c);
    if (c->is_quitting || tas_loop_post(c->worker.loop, begin_anew, c) != TAS_OK)
        ui_worker_leave(&c->worker);
}

static void on_news(void *ctx, const struct tool_news *news) {
    struct operator_core *c = ctx;
    note_time(c);
    switch (news->kind) {
    case TOOL_FRAME:
        if (news->err == TAS_OK)
            core_draw(c, news->changed);
        return;
    case TOOL_ENGINE:
        on_engine(c, news->event);
        return;
    case TOOL_HISTORY:
        tell_history(c, news->page);
        return;
    case TOOL_MONITORS:
        rules_take_monitors(&c->state, news->monitors, news->name);
        break;
    case TOOL_ERROR:
        on_error(c, news);
        break;
    case TOOL_SERVER:
        on_server(c, news->server);
        break;
    case TOOL_LOGGED_IN:
        on_logged_in(c, news->login);
        break;
    case TOOL_LINE:
        c->state.is_managed = news->flag;
        break;
    case TOOL_SESSION:
        on_session(c, news->command, news->session);
        break;
    case TOOL_STORED:
        on_device_answer(c, true);
        break;
    case TOOL_SILENT:
        c->state.is_line_lost = news->flag;
        break;
    case TOOL_ALARM:
        set_text(c->state.alarm, sizeof(c->state.alarm), news->text);
        break;
    case TOOL_LEFT:
        on_left(c);
        break;
    default:
        return;
    }
    show(c);
}

/* ---- commands ---- */

static void do_login(struct operator_core *c, const struct operator_command *command) {
    if (operator_is_over(c->flow))
        return; /* a new one is about to be made: begin_anew() */
    c->state.step = OPERATOR_LOGGING_IN;
    int err = operator_login(c->flow, command->company, command->id, command->text);
    if (err != TAS_OK)
        c->state.step = OPERATOR_LOGIN;
    check(c, "login", err);
}

static void do_issue(struct operator_core *c, const struct operator_command *command) {
    const struct operator_order order = {
        .customer = command->company, .reason = command->text, .ticket_no = command->id};
    int err = operator_issue(c->flow, &order);
    if (err != TAS_OK)
        c->state.issue_serial++;
    check(c, "issue", err);
}

static void do_answer(struct operator_core *c, uint64_t session, uint64_t claim) {
    int err = operator_answer(c->flow, session, claim);
    check(c, "answer", err);
    if (err != TAS_OK)
        return;
    forget_session(c);
    c->state.session = session;
    c->state.phase = OPERATOR_ANSWERING;
    for (size_t i = 0; i < c->state.n_live; i++)
        for (size_t v = 0; c->state.live[i].id == session && v < c->state.live[i].n_visitors; v++)
            if (c->state.live[i].visitors[v].id == claim)
                set_text(c->state.peer_name, sizeof(c->state.peer_name),
                         c->state.live[i].visitors[v].host_name);
}

static void do_code(struct operator_core *c, const char *typed) {
    struct tas_session *s = core_session(c);
    if (s) /* a wrong one comes as an event */
        (void)!tas_session_type_code(s, typed, tas_mono_us());
}

static void do_view(struct operator_core *c, bool is_on) {
    c->wants_view = is_on;
    check(c, "view", follow_view(c));
}

/* One that has just gone leaves the menu by itself. */
static void do_monitor(struct operator_core *c, uint8_t monitor) {
    struct viewer *viewer = operator_viewer(c->flow);
    int err = viewer ? viewer_choose_monitor(viewer, monitor) : TAS_E_STATE;
    check(c, "view", err == TAS_E_ABSENT ? TAS_OK : err);
}

static void do_ask(struct operator_core *c, uint16_t rights) {
    int err = operator_ask(c->flow, rights);
    check(c, "ask", err);
    if (err == TAS_OK)
        c->asked = (uint16_t)(c->asked | (rights & ~c->state.rights));
}

static void do_place(struct operator_core *c, const struct operator_command *command) {
    c->place = (struct present_place){.window = command->window,
                                      .fit = {.width = command->width,
                                              .height = command->height,
                                              .is_scaled = command->is_on,
                                              .scroll_x = command->scroll_x,
                                              .scroll_y = command->scroll_y,
                                              .zoom = command->zoom}};
    core_put_in_place(c);
}

/* Answering goes on until the answer is there; then the flow ends it (tool/operator.h). */
static void do_end(struct operator_core *c) {
    c->state.is_ending = true;
    operator_end(c->flow);
}

static void do_quit(struct operator_core *c) {
    c->is_quitting = true;
    ui_worker_leave_soon(&c->worker);
    operator_leave(c->flow, false);
}

/* Hot ones: nothing is told back. True: it was one. */
static bool obey_input(struct operator_core *c, const struct operator_command *command) {
    switch (command->kind) {
    case OPERATOR_DO_KEY:
        core_key(c, command->keycode, command->keysym, command->is_on);
        return true;
    case OPERATOR_DO_POINTER:
        core_pointer(c, command);
        return true;
    case OPERATOR_DO_RELEASE:
        core_release(c);
        return true;
    case OPERATOR_DO_PLACE:
        do_place(c, command);
        return true;
    default:
        return false;
    }
}

static void obey(struct operator_core *c, const struct operator_command *command) {
    switch (command->kind) {
    case OPERATOR_DO_LOGIN:
        do_login(c, command);
        break;
    case OPERATOR_DO_LOGOUT:
        operator_leave(c->flow, false);
        break;
    case OPERATOR_DO_ISSUE:
        do_issue(c, command);
        break;
    case OPERATOR_DO_CANCEL:
        check(c, "cancel", operator_cancel(c->flow, command->session));
        break;
    case OPERATOR_DO_ANSWER:
        do_answer(c, command->session, command->claim);
        break;
    case OPERATOR_DO_REFUSE:
        check(c, "refuse", operator_refuse(c->flow, command->session, command->claim));
        break;
    case OPERATOR_DO_CODE:
        do_code(c, command->text);
        break;
    case OPERATOR_DO_VIEW:
        do_view(c, command->is_on);
        break;
    case OPERATOR_DO_MONITOR:
        do_monitor(c, command->monitor);
        break;
    case OPERATOR_DO_ASK:
        do_ask(c, command->rights);
        break;
    case OPERATOR_DO_CHAT:
        check(c, "chat", operator_chat(c->flow, command->text));
        break;
    case OPERATOR_DO_TEXT:
        check(c, "text", operator_type(c->flow, command->text));
        break;
    case OPERATOR_DO_END:
        do_end(c);
        break;
    case OPERATOR_DO_RESULT:
        check(c, "result", operator_result(c->flow, command->session, command->company, command->text));
        break;
    case OPERATOR_DO_DONE:
        forget_session(c);
        break;
    case OPERATOR_DO_HISTORY:
        check(c, "history", operator_history(c->flow, command->session, HISTORY_PAGE));
        break;
    case OPERATOR_DO_QUIT:
        do_quit(c);
        break;
    default:
        break;
    }
}

void operator_core_command(void *core, const void *data) {
    struct operator_core *c = core;
    if (obey_input(c, data))
        return;
    const struct operator_command *command = data;
    note_time(c);
    if (rules_fits(&c->state, command->kind))
        obey(c, command);
    show(c);
}

/* ---- the thread ---- */

static void on_stop(void *ctx) {
    struct operator_core *c = ctx;
    if (!c->is_quitting)
        do_quit(c);
}

static void on_start(void *ctx) {
    struct operator_core *c = ctx;
    operator_ask_server(c->flow);
    note_time(c);
    show(c);
}

/* Whatever ended it: the windows wait for this. */
static void on_end(void *ctx) {
    struct operator_core *c = ctx;
    tell_note(c, OPERATOR_NOTE_QUIT, (struct tas_bytes){0});
}

static void core_free(struct operator_core *c) {
    ui_bridge_detach_core(c->bridge);
    operator_free(c->flow);
    tool_close(&c->tool);
    c->present_ops->close(c->present);
    free(c->pointer.rgba);
    tas_timer_free(c->tick);
    post_forget(&c->post);
    ui_worker_close(&c->worker);
    tas_wipe(c, sizeof(*c));
    free(c);
}

static bool open_core(struct operator_core *c, const struct org *org, struct present_surface *surface,
                      char why[API_WHY]) {
    static const struct ui_worker_calls calls = {on_start, on_stop, on_end};
    if (!ui_worker_open(&c->worker, &calls, c) ||
        !tool_open(&c->tool, c->worker.loop, org, "tasuki-operator/" TASUKI_VERSION,
                   (struct tool_listener){on_news, c}, why))
        return false;
    c->tick = tas_timer_new(c->worker.loop, on_tick, c);
    c->flow = operator_new(&c->tool, TASUKI_VERSION);
    return c->tick && c->flow && ui_bridge_attach_core(c->bridge, c->worker.loop, c) == TAS_OK &&
           c->present_ops->open(&c->present, c->worker.loop, NULL, surface, why, API_WHY) == TAS_OK;
}

struct operator_core *operator_core_start(const struct org *org, const struct present_ops *present,
                                          struct present_surface *surface, struct ui_bridge *bridge,
                                          char why[API_DETAIL + 1]) {
    struct operator_core *c = calloc(1, sizeof(*c));
    char because[API_WHY] = "out of memory";
    if (c) {
        c->bridge = bridge;
        c->present_ops = present;
        c->state.step = OPERATOR_LOGIN;
        set_text(c->state.organisation, sizeof(c->state.organisation), org->organisation);
        if (open_core(c, org, surface, because) && ui_worker_start(&c->worker))
            return c;
    }
    set_text(why, API_DETAIL + 1, because);
    if (c)
        core_free(c);
    return NULL;
}

void operator_core_stop(struct operator_core *c) {
    if (!c)
        return;
    ui_worker_stop(&c->worker);
    core_free(c);
}
