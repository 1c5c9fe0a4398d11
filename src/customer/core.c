#include "customer/core.h"

#include "base/log.h"
#include "base/time.h"
#include "client/device.h"
#include "client/emergency.h"
#include "customer/record.h"
#include "tool/customer.h"
#include "ui/text.h"
#include "ui/worker.h"
#include "wire/record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>

enum {
    POSSIBLE = TAS_RIGHT_SEE | TAS_RIGHT_CONTROL | TAS_RIGHT_DEVICE,
    DEVICE_PERIOD_US = 5 * 1000 * 1000, /* the operator may ask as often as he likes */
};

struct customer_core {
    struct ui_bridge *bridge;
    struct ui_worker worker;
    struct tool tool;
    struct customer *flow;
    struct record *record;
    struct tas_emergency *emergency;
    struct tas_watch *emergency_watch;
    enum api_claim_state last_claim;
    struct {
        struct tas_json *info; /* collected once; NULL: not yet */
        struct tas_timer *timer;
        bool is_due;
        uint64_t next_us; /* not before */
    } device;
    bool is_live;       /* the engine is ACTIVE: rights have an effect */
    bool is_going_back; /* the number is being given back: FREE follows, whatever comes before */
    bool is_ending, is_stopping;
    struct customer_state state; /* what was told last, and is about to be told */
};

/* ---- telling ---- */

static void show(struct customer_core *c) {
    ui_bridge_state(c->bridge, &c->state);
}

static void set_text(char *out, size_t cap, const char *text) {
    snprintf(out, cap, "%s", text ? text : "");
}

static void fail(struct customer_core *c, const struct api_error *error) {
    c->state.error = *error;
    c->state.error_serial++;
}

/* Another step: what was on its way in the last one has arrived. */
static void go(struct customer_core *c, enum customer_step step) {
    c->state.step = step;
    c->state.is_busy = c->is_going_back;
}

/* What went wrong before says nothing about what is done now. */
static void forget_error(struct customer_core *c) {
    c->state.error = (struct api_error){0};
}

/* Consent, begin and end; and what the other end or the line caused. */
static void note(struct customer_core *c, const char *text, const char *detail) {
    record_add(c->record, RECORD_DECISION, text, detail);
}

static void note_event(struct customer_core *c, const char *text, const char *detail) {
    record_add(c->record, RECORD_EVENT, text, detail);
}

void customer_note_free(void *note) {
    struct customer_note *n = note;
    if (!n)
        return;
    if (n->text)
        tas_wipe(n->text, strlen(n->text));
    free(n->text);
    free(n->text2);
    free(n);
}

size_t customer_command_size(const struct customer_command *command) {
    return offsetof(struct customer_command, text) + strlen(command->text) + 1;
}

static void tell_note(struct customer_core *c, enum customer_note_kind kind, bool is_ok, const char *text,
                      const char *text2, const char *version) {
    struct customer_note *n = calloc(1, sizeof(*n));
    if (!n)
        return;
    *n = (struct customer_note){
        .kind = kind, .is_ok = is_ok, .text = strdup(text), .text2 = text2 ? strdup(text2) : NULL};
    set_text(n->version, sizeof(n->version), version);
    if (n->text)
        ui_bridge_note(c->bridge, n);
    else
        customer_note_free(n);
}

/* ---- the emergency key ---- */

static void end_session(struct customer_core *c, const char *how) {
    if (!c->is_ending && c->state.step != CUSTOMER_ENDED)
        note(c, how, NULL);
    c->is_ending = true;
    customer_end(c->flow);
}

static void on_emergency(void *ctx, unsigned ready) {
    struct customer_core *c = ctx;
    (void)ready;
    if (tas_emergency_x11.pressed(c->emergency))
        end_session(c, N_("You pressed the emergency key: the session ends"));
}

/* Without it the session goes on: the bar has its buttons. */
static void watch_emergency(struct customer_core *c) {
    char why[API_DETAIL];
    if (c->emergency)
        return;
    if (tas_emergency_x11.open(&c->emergency, NULL, why, sizeof(why)) != TAS_OK) {
        tas_log(TAS_LOG_WARN, "client", "no_emergency_key", "why=\"%s\"", why);
        c->emergency = NULL;
        return;
    }
    c->emergency_watch =
        tas_watch_new(c->worker.loop, tas_emergency_x11.fd(c->emergency), TAS_READABLE, on_emergency, c);
    c->state.has_emergency_key = c->emergency_watch != NULL;
}

static void forget_emergency(struct customer_core *c) {
    tas_watch_free(c->emergency_watch);
    tas_emergency_x11.close(c->emergency);
    c->emergency_watch = NULL;
    c->emergency = NULL;
    c->state.has_emergency_key = false;
}

/* ---- rights ---- */

static bool may_tell_device(const struct customer_core *c) {
    const struct customer_state *s = &c->state;
    return s->step == CUSTOMER_ACTIVE && c->is_live && (s->granted & TAS_RIGHT_DEVICE) && !s->is_paused &&
           !s->is_line_lost;
}

static void device_was_told(struct customer_core *c, int err) {
    bool is_to_come = err == TAS_E_RIGHT || err == TAS_E_STATE; /* with the next change of rights or line */
    bool is_to_try = err == TAS_E_FULL || err == TAS_E_NOMEM;
    c->device.is_due = is_to_come || is_to_try;
    if (is_to_try)
        tas_timer_set(c->device.timer, c->device.next_us);
    if (err == TAS_OK)
        note_event(c, N_("Information about this computer was sent"), NULL);
    else
        tas_log(TAS_LOG_WARN, "client", "device_not_told", "why=\"%s\"", tas_err_text(err));
}

/* What is due and possible. Collecting takes a while, in which nothing else is heard, the emergency key
 * neither: it is done once, and told again after a pause only. */
static void tell_device(struct customer_core *c) {
    uint64_t now_us = tas_mono_us();
    if (!c->device.is_due || !may_tell_device(c))
        return;
    if (now_us < c->device.next_us) {
        tas_timer_set(c->device.timer, c->device.next_us);
        return;
    }
    c->device.next_us = now_us + DEVICE_PERIOD_US;
    if (!c->device.info)
        c->device.info = tas_device_collect(NULL);
    device_was_told(c, c->device.info ? customer_tell_device(c->flow, c->device.info) : TAS_E_NOMEM);
}

static void on_device_timer(void *ctx) {
    tell_device(ctx);
}

static void forget_device(struct customer_core *c) {
    tas_json_free(c->device.info);
    c->device.info = NULL;
    c->device.is_due = false;
    if (c->device.timer)
        tas_timer_set(c->device.timer, UINT64_MAX);
}

static void note_rights(struct customer_core *c, uint16_t more, uint16_t less) {
    static const struct {
        uint16_t right;
        const char *more, *less;
    } rows[] = {
        {TAS_RIGHT_SEE, N_("You allowed the operator to see the screen"),
         N_("You no longer allow the operator to see the screen")},
        {TAS_RIGHT_CONTROL, N_("You allowed the operator to control this computer"),
         N_("You took back control")},
        {TAS_RIGHT_DEVICE, N_("You allowed the operator to read information about this computer"),
         N_("You no longer allow the operator to read information about this computer")},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if ((more | less) & rows[i].right)
            note(c, more & rows[i].right ? rows[i].more : rows[i].less, NULL);
}

/* Into the state and the record. */
static void set_granted(struct customer_core *c, uint16_t rights) {
    uint16_t before = c->state.granted;
    c->state.granted = rights;
    c->state.asked &= (uint16_t)~rights;
    note_rights(c, (uint16_t)(rights & ~before), (uint16_t)(before & ~rights));
}

/* Chat belongs to every session that the customer has agreed to. */
static void change_rights(struct customer_core *c, uint16_t more, uint16_t less) {
    uint16_t rights = (uint16_t)((c->state.granted | (more & POSSIBLE)) & ~less);
    if (rights != c->state.granted) {
        set_granted(c, rights);
        customer_grant(c->flow, rights | TAS_RIGHT_CHAT);
    }
    customer_hold(c->flow, c->state.asked != 0);
    tell_device(c);
}

/* The windows speak of what they showed when the person clicked: only the difference counts, and an answer
 * only to what is still asked. */
static void do_rights(struct customer_core *c, const struct customer_command *command) {
    uint16_t answered = command->asked & c->state.asked;
    uint16_t denied = (uint16_t)(answered & ~command->rights);
    if (c->state.step != CUSTOMER_ACTIVE)
        return;
    if (command->kind == CUSTOMER_DO_GRANT) {
        change_rights(c, command->rights, 0);
    } else if (command->kind == CUSTOMER_DO_REVOKE) {
        change_rights(c, 0, command->rights);
    } else {
        c->state.asked &= (uint16_t)~answered;
        if (denied) {
            customer_deny(c->flow, denied);
            note(c, N_("You denied what the operator asked for"), NULL);
        }
        change_rights(c, command->rights & answered, 0);
    }
}

/* While the question stands, the operator's pointer and keys do nothing: he cannot answer it himself. What is
 * asked again changes nothing, however often. */
static void on_asked(struct customer_core *c, uint16_t asked) {
    uint16_t open = asked & POSSIBLE & (uint16_t) ~(c->state.granted | c->state.asked);
    if (asked & TAS_RIGHT_DEVICE) {
        c->device.is_due = true;
        tell_device(c);
    }
    if (!open)
        return;
    c->state.asked |= open;
    customer_hold(c->flow, true);
    note(c, N_("The operator asked for more rights"), NULL);
}

/* ---- the session's engine ---- */

static void on_state(struct customer_core *c, const struct tas_event *ev) {
    struct customer_state *s = &c->state;
    bool was_lost = s->is_line_lost;
    s->is_line_lost = ev->state == TAS_STATE_SUSPENDED;
    c->is_live = ev->state == TAS_STATE_ACTIVE;
    if (s->is_line_lost && !was_lost)
        note_event(c, N_("The connection was interrupted"), NULL);
    else if (was_lost && ev->state != TAS_STATE_CLOSED)
        note_event(c, N_("The connection is back"), NULL);
    if ((ev->state == TAS_STATE_VERIFIED || ev->state == TAS_STATE_ACTIVE) && s->step != CUSTOMER_ACTIVE) {
        go(c, CUSTOMER_ACTIVE);
        s->active_at_ms = (int64_t)tas_wall_ms();
        note(c, N_("The check code was right: the session began"), s->operator_name);
    }
    tell_device(c);
}

/* Nobody is there any more whom any of it could be about. */
static void leave_session(struct customer_core *c) {
    go(c, CUSTOMER_ENDED);
    c->is_live = false;
    c->state.is_viewed = false;
    c->state.is_line_lost = false;
    c->state.asked = 0;
    forget_emergency(c);
    forget_device(c);
}

static void on_closed(struct customer_core *c, unsigned reason) {
    c->state.end_reason = reason;
    leave_session(c);
    note(c, N_("The session ended"), NULL);
}

static void on_view(struct customer_core *c, bool is_on) {
    if (is_on == c->state.is_viewed)
        return;
    c->state.is_viewed = is_on;
    note_event(c, is_on ? N_("The operator looks at the screen") : N_("The operator stopped looking"), NULL);
}

static void on_alarm(struct customer_core *c, const char *text) {
    set_text(c->state.alarm, sizeof(c->state.alarm), text);
    record_add(c->record, RECORD_ALARM, N_("Alarm"), text);
}

static void on_chat(struct customer_core *c, struct tas_bytes data) {
    char *text = strndup((const char *)data.ptr, data.len);
    if (!text)
        return;
    note_event(c, N_("The operator wrote"), text);
    tell_note(c, CUSTOMER_NOTE_CHAT, true, text, NULL, NULL);
    tas_wipe(text, strlen(text));
    free(text);
}

static void on_engine(struct customer_core *c, const struct tas_event *ev) {
    switch (ev->kind) {
    case TAS_EVENT_STATE:
        on_state(c, ev);
        break;
    case TAS_EVENT_CHECK_CODE:
        set_text(c->state.check_code, sizeof(c->state.check_code), ev->text);
        go(c, CUSTOMER_CODE);
        break;
    case TAS_EVENT_CODE_WRONG:
        c->state.tries_left = ev->number;
        note(c, N_("The operator typed a wrong check code"), NULL);
        break;
    case TAS_EVENT_ASKED:
        on_asked(c, (uint16_t)ev->number);
        break;
    case TAS_EVENT_VIEW:
        on_view(c, ev->flag);
        break;
    case TAS_EVENT_CHAT:
        on_chat(c, ev->data);
        break;
    case TAS_EVENT_ALARM:
        on_alarm(c, ev->text);
        break;
    case TAS_EVENT_CLOSED:
        on_closed(c, ev->number);
        break;
    default:
        return;
    }
    show(c);
}

/* ---- news of the flow ---- */

/* What was tried failed in this step, and may be tried again there. What came too late to matter says
 * nothing.
 */
static bool go_back_to(struct customer_core *c, enum customer_step from, enum customer_step to) {
    if (c->state.step != from)
        return false;
    go(c, to);
    return true;
}

static void on_error(struct customer_core *c, const struct tool_news *news) {
    const char *command = news->command ? news->command : "";
    bool is_shown = false;
    if (strcmp(command, "server") == 0 || strcmp(command, "terms") == 0)
        is_shown = go_back_to(c, CUSTOMER_CONNECTING, CUSTOMER_STUCK);
    else if (strcmp(command, "number") == 0)
        is_shown = go_back_to(c, CUSTOMER_SENDING, CUSTOMER_READY);
    else if (strcmp(command, "choose") == 0)
        is_shown = go_back_to(c, CUSTOMER_CHOOSING, CUSTOMER_CHOOSING);
    else if (strcmp(command, "accept") == 0)
        is_shown = go_back_to(c, CUSTOMER_JOINING, CUSTOMER_ANSWERED);
    else if (strcmp(command, "stream") == 0) /* otherwise it goes on without, or is tried again by itself */
        is_shown = news->flag && !customer_session(c->flow);
    if (is_shown)
        fail(c, news->error);
}

static void on_server(struct customer_core *c, const struct api_server *server) {
    set_text(c->state.organisation, sizeof(c->state.organisation), server->organisation);
    if (!tool_is_older(TASUKI_VERSION, server->min_tool_version))
        return;
    set_text(c->state.min_version, sizeof(c->state.min_version), server->min_tool_version);
    go(c, CUSTOMER_TOO_OLD);
}

static void on_terms(struct customer_core *c, const struct api_terms *terms) {
    tell_note(c, CUSTOMER_NOTE_TERMS, true, terms->ja, terms->en, terms->version);
    if (c->state.step != CUSTOMER_CONNECTING)
        return;
    go(c, CUSTOMER_READY);
    forget_error(c);
}

static void on_claim(struct customer_core *c, const struct api_claim *claim) {
    c->last_claim = claim->state;
    if (claim->state == API_CLAIM_PENDING && c->state.step == CUSTOMER_CHOOSING) {
        go(c, CUSTOMER_WAITING);
        forget_error(c);
    }
}

static void on_company(struct customer_core *c, const char *company) {
    set_text(c->state.company, sizeof(c->state.company), company);
    go(c, CUSTOMER_CHOOSING);
    forget_error(c);
    c->state.lapse = CUSTOMER_NO_LAPSE;
    note(c, N_("The reception number belongs to"), company);
}

static void on_free(struct customer_core *c) {
    struct customer_state *s = &c->state;
    if (s->step == CUSTOMER_ENDED)
        return;
    s->lapse = c->last_claim == API_CLAIM_REFUSED    ? CUSTOMER_REFUSED
               : c->last_claim == API_CLAIM_REPLACED ? CUSTOMER_REPLACED
               : c->last_claim == API_CLAIM_OVER     ? CUSTOMER_EXPIRED
                                                     : CUSTOMER_NO_LAPSE;
    if (s->lapse != CUSTOMER_NO_LAPSE)
        forget_error(c); /* it is not why */
    c->last_claim = API_CLAIM_CHOOSING;
    c->is_going_back = false;
    go(c, CUSTOMER_READY);
    s->granted = 0;
    s->company[0] = s->operator_name[0] = '\0';
    note(c, N_("Nobody was let in"), NULL);
}

static void on_no_display(struct customer_core *c, const char *why) {
    struct api_error error;
    api_error_set(&error, TAS_E_STATE, 0, "no_display", "%s", why);
    fail(c, &error);
}

static void leave_if_stopping(struct customer_core *c) {
    if (c->is_stopping)
        ui_worker_leave(&c->worker);
}

static void on_news(void *ctx, const struct tool_news *news) {
    struct customer_core *c = ctx;
    switch (news->kind) {
    case TOOL_ENGINE:
        on_engine(c, news->event);
        return;
    case TOOL_ERROR:
        on_error(c, news);
        break;
    case TOOL_SERVER:
        on_server(c, news->server);
        break;
    case TOOL_TERMS:
        on_terms(c, news->terms);
        break;
    case TOOL_COMPANY:
        on_company(c, news->text);
        break;
    case TOOL_CLAIM:
        on_claim(c, news->claim);
        break;
    case TOOL_OPERATOR:
        set_text(c->state.operator_name, sizeof(c->state.operator_name), news->name);
        go(c, CUSTOMER_ANSWERED);
        forget_error(c);
        note(c, N_("An operator answered"), news->name);
        break;
    case TOOL_FREE:
        on_free(c);
        break;
    case TOOL_SILENT:
        c->state.is_line_lost = news->flag;
        tell_device(c);
        break;
    case TOOL_ALARM:
        on_alarm(c, news->text);
        break;
    case TOOL_NO_DISPLAY:
        on_no_display(c, news->text);
        break;
    case TOOL_LEFT:
        leave_session(c); /* CLOSED did not come, when no session had begun */
        leave_if_stopping(c);
        break;
    default:
        return;
    }
    show(c);
}

/* ---- commands ---- */

static void do_retry(struct customer_core *c) {
    if (c->state.step != CUSTOMER_STUCK)
        return;
    go(c, CUSTOMER_CONNECTING);
    customer_start(c->flow);
}

static void fail_with(struct customer_core *c, int err, const char *code, const char *why) {
    struct api_error error;
    api_error_set(&error, err, 0, code, "%s", why);
    fail(c, &error);
}

static void do_number(struct customer_core *c, const struct customer_command *command) {
    if (c->state.step != CUSTOMER_READY)
        return;
    forget_error(c);
    c->state.lapse = CUSTOMER_NO_LAPSE;
    go(c, CUSTOMER_SENDING);
    int err = customer_number(c->flow, command->text, command->terms_at_ms);
    if (err == TAS_OK)
        return; /* an error may have been told already */
    go(c, CUSTOMER_READY);
    if (err == TAS_E_PROTO)
        fail_with(c, err, "number_mistyped", "one or more of its nine digits are wrong");
}

/* A second click changes nothing: what is granted is what the flow took. */
static void do_choose(struct customer_core *c, uint16_t wanted) {
    uint16_t rights = wanted & POSSIBLE;
    if (c->state.step != CUSTOMER_CHOOSING || c->state.is_busy)
        return;
    int err = customer_choose(c->flow, rights | TAS_RIGHT_CHAT);
    if (err == TAS_OK) {
        set_granted(c, rights);
        c->device.is_due = true; /* as soon as it is allowed and possible */
        c->state.is_busy = true;
        forget_error(c);
    } else if (err != TAS_E_STATE) {
        fail_with(c, err, "no_memory", "out of memory");
    }
}

static void do_back(struct customer_core *c) {
    enum customer_step step = c->state.step;
    if (step < CUSTOMER_SENDING || step > CUSTOMER_ANSWERED)
        return;
    forget_error(c);
    c->is_going_back = c->state.is_busy = true;
    customer_back(c->flow); /* perhaps at once */
}

static bool may_decide(const struct customer_core *c) {
    return c->state.step == CUSTOMER_ANSWERED && !c->state.is_busy;
}

/* Once: a second click, or one that came after the number had run out, lets nobody in. */
static void do_accept(struct customer_core *c) {
    if (!may_decide(c))
        return;
    forget_error(c);
    go(c, CUSTOMER_JOINING); /* where what goes wrong belongs, now or later */
    int err = customer_accept(c->flow);
    if (err != TAS_OK) {
        go(c, CUSTOMER_ANSWERED);
        fail_with(c, err, "no_memory", "out of memory");
        return;
    }
    note(c, N_("You let in"), c->state.operator_name);
    if (c->state.step == CUSTOMER_JOINING)
        watch_emergency(c);
}

static void do_decline(struct customer_core *c) {
    if (!may_decide(c) || customer_decline(c->flow) != TAS_OK)
        return;
    note(c, N_("You refused"), c->state.operator_name);
    c->state.is_busy = c->state.step == CUSTOMER_ANSWERED;
}

static void do_pause(struct customer_core *c, bool is_on) {
    if (c->state.step != CUSTOMER_ACTIVE || is_on == c->state.is_paused)
        return;
    c->state.is_paused = is_on;
    customer_pause(c->flow, is_on);
    note(c, is_on ? N_("You paused the session") : N_("You resumed the session"), NULL);
    tell_device(c);
}

static void do_chat(struct customer_core *c, const char *text) {
    bool is_sent = customer_chat(c->flow, text) == TAS_OK;
    note_event(c, is_sent ? N_("You wrote") : N_("You wrote, and it was not sent"), text);
    tell_note(c, CUSTOMER_NOTE_WROTE, is_sent, text, NULL, NULL);
}

static void do_save(struct customer_core *c, const char *path) {
    int err = record_save(c->record, path);
    tell_note(c, CUSTOMER_NOTE_SAVED, err == TAS_OK, err == TAS_OK ? path : strerror(errno), NULL, NULL);
}

void customer_core_command(void *core, const void *data) {
    struct customer_core *c = core;
    const struct customer_command *command = data;
    switch (command->kind) {
    case CUSTOMER_DO_RETRY:
        do_retry(c);
        break;
    case CUSTOMER_DO_NUMBER:
        do_number(c, command);
        break;
    case CUSTOMER_DO_CHOOSE:
        do_choose(c, command->rights);
        break;
    case CUSTOMER_DO_BACK:
        do_back(c);
        break;
    case CUSTOMER_DO_ACCEPT:
        do_accept(c);
        break;
    case CUSTOMER_DO_DECLINE:
        do_decline(c);
        break;
    case CUSTOMER_DO_GRANT:
    case CUSTOMER_DO_REVOKE:
    case CUSTOMER_DO_ANSWER:
        do_rights(c, command);
        break;
    case CUSTOMER_DO_PAUSE:
        do_pause(c, command->is_on);
        break;
    case CUSTOMER_DO_CHAT:
        do_chat(c, command->text);
        break;
    case CUSTOMER_DO_OWN:
        customer_own_window(c->flow, command->window);
        return;
    case CUSTOMER_DO_SAVE:
        do_save(c, command->text);
        break;
    case CUSTOMER_DO_END:
        end_session(c, N_("You ended it"));
        break;
    }
    show(c);
}

/* ---- the thread ---- */

static void on_stop(void *ctx) {
    struct customer_core *c = ctx;
    c->is_stopping = true;
    if (customer_is_over(c->flow))
        ui_worker_leave(&c->worker);
    else
        customer_end(c->flow);
}

static void on_start(void *ctx) {
    struct customer_core *c = ctx;
    customer_start(c->flow);
    show(c);
}

static void core_free(struct customer_core *c) {
    ui_bridge_detach_core(c->bridge);
    forget_emergency(c);
    forget_device(c);
    tas_timer_free(c->device.timer);
    customer_free(c->flow);
    tool_close(&c->tool);
    ui_worker_close(&c->worker);
    record_free(c->record);
    tas_wipe(c, sizeof(*c));
    free(c);
}

static void describe_machine(struct customer_state *s) {
    struct utsname name;
    if (uname(&name) != 0)
        return;
    set_text(s->machine, sizeof(s->machine), name.nodename);
    snprintf(s->system, sizeof(s->system), "%s %s %s", name.sysname, name.release, name.machine);
}

static bool open_core(struct customer_core *c, const struct org *org, const char *language,
                      char why[API_WHY]) {
    const struct customer_config config = {
        .language = language, .version = TASUKI_VERSION, .is_choosing = true, .must_be_signed = true};
    static const struct ui_worker_calls calls = {.on_start = on_start, .on_stop = on_stop};
    const struct tool_listener to = {on_news, c};
    c->record = record_new();
    if (!ui_worker_open(&c->worker, &calls, c) || !c->record ||
        !tool_open(&c->tool, c->worker.loop, org, "tasuki-client/" TASUKI_VERSION, to, why))
        return false;
    c->flow = customer_new(&c->tool, &config);
    c->device.timer = tas_timer_new(c->worker.loop, on_device_timer, c);
    return c->flow && c->device.timer && ui_bridge_attach_core(c->bridge, c->worker.loop, c) == TAS_OK;
}

struct customer_core *customer_core_start(const struct org *org, const char *language,
                                          struct ui_bridge *bridge, char why[API_DETAIL + 1]) {
    struct customer_core *c = calloc(1, sizeof(*c));
    char because[API_WHY] = "out of memory";
    if (c) {
        c->bridge = bridge;
        c->last_claim = API_CLAIM_CHOOSING;
        c->state.possible = POSSIBLE;
        set_text(c->state.organisation, sizeof(c->state.organisation), org->organisation);
        describe_machine(&c->state);
        if (open_core(c, org, language, because) && ui_worker_start(&c->worker))
            return c;
    }
    set_text(why, API_DETAIL + 1, because);
    if (c)
        core_free(c);
    return NULL;
}

void customer_core_stop(struct customer_core *c) {
    if (!c)
        return;
    ui_worker_stop(&c->worker);
    core_free(c);
}
