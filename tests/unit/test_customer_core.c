/* The customer's core between its windows (commands in, states out) and the flow, whose functions stand here:
 * clicks that come twice or too late, an operator who asks without end, and what the record says of it. */
#include "client/device.h"
#include "client/emergency.h"
#include "customer/core.h"
#include "customer/record.h"
#include "tool/customer.h"
#include "ui/text.h"
#include "ui/worker.h"
#include "wire/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct {
    struct customer_core *core;
    struct tool_listener to;
    const struct ui_worker_calls *calls;
    void *worker_ctx;
    struct customer_state state; /* told last */
    enum customer_note_kind note;
    bool is_note_ok;
    char note_text[64];
    uint64_t now_us, timer_us;
    void (*on_timer)(void *ctx);
    void *timer_ctx;
    /* the flow: what it answers, and how often it was asked */
    int choose_err, accept_err, decline_err, chat_err, device_err;
    unsigned chosen, accepted, declined, backs, collected, told;
    uint16_t chosen_rights, granted, denied;
    bool is_held, is_emergency_open;
} t;

/* ---- what the core calls ---- */

uint64_t __wrap_tas_mono_us(void);
uint64_t __wrap_tas_mono_us(void) {
    return t.now_us;
}

struct tas_timer *tas_timer_new(struct tas_loop *loop, void (*fn)(void *ctx), void *ctx) {
    (void)loop;
    t.on_timer = fn;
    t.timer_ctx = ctx;
    return (struct tas_timer *)&t;
}

void tas_timer_set(struct tas_timer *timer, uint64_t at_us) {
    (void)timer;
    t.timer_us = at_us;
}

void tas_timer_free(struct tas_timer *timer) {
    (void)timer;
}

struct tas_watch *tas_watch_new(struct tas_loop *loop, int fd, unsigned interest,
                                void (*fn)(void *ctx, unsigned ready), void *ctx) {
    (void)loop, (void)fd, (void)interest, (void)fn, (void)ctx;
    return (struct tas_watch *)&t;
}

void tas_watch_free(struct tas_watch *watch) {
    (void)watch;
}

bool ui_worker_open(struct ui_worker *worker, const struct ui_worker_calls *calls, void *ctx) {
    *worker = (struct ui_worker){.calls = calls, .ctx = ctx};
    t.calls = calls;
    t.worker_ctx = ctx;
    return true;
}

bool ui_worker_start(struct ui_worker *worker) {
    (void)worker;
    t.calls->on_start(t.worker_ctx);
    return true;
}

void ui_worker_stop(struct ui_worker *worker) {
    (void)worker;
    t.calls->on_stop(t.worker_ctx);
}

void ui_worker_leave(struct ui_worker *worker) {
    (void)worker;
}

void ui_worker_close(struct ui_worker *worker) {
    (void)worker;
}

int ui_bridge_attach_core(struct ui_bridge *bridge, struct tas_loop *loop, void *core) {
    (void)bridge, (void)loop, (void)core;
    return TAS_OK;
}

void ui_bridge_detach_core(struct ui_bridge *bridge) {
    (void)bridge;
}

void ui_bridge_state(struct ui_bridge *bridge, const void *state) {
    (void)bridge;
    t.state = *(const struct customer_state *)state;
}

void ui_bridge_note(struct ui_bridge *bridge, void *note) {
    (void)bridge;
    const struct customer_note *n = note;
    t.note = n->kind;
    t.is_note_ok = n->is_ok;
    snprintf(t.note_text, sizeof(t.note_text), "%s", n->text);
    customer_note_free(note);
}

bool tool_open(struct tool *tool, struct tas_loop *loop, const struct org *org, const char *user_agent,
               struct tool_listener to, char why[API_WHY]) {
    (void)tool, (void)loop, (void)org, (void)user_agent, (void)why;
    t.to = to;
    return true;
}

void tool_close(struct tool *tool) {
    (void)tool;
}

bool tool_is_older(const char *have, const char *least) {
    (void)have, (void)least;
    return false;
}

struct tas_json *tas_device_collect(const char *display) {
    (void)display;
    t.collected++;
    return tas_json_object();
}

static int open_emergency(struct tas_emergency **out, const char *display, char *why, size_t why_cap) {
    (void)display, (void)why, (void)why_cap;
    *out = (struct tas_emergency *)&t;
    t.is_emergency_open = true;
    return TAS_OK;
}

static void close_emergency(struct tas_emergency *emergency) {
    if (emergency)
        t.is_emergency_open = false;
}

static int emergency_fd(const struct tas_emergency *emergency) {
    (void)emergency;
    return -1;
}

static bool emergency_pressed(struct tas_emergency *emergency) {
    (void)emergency;
    return false;
}

const struct tas_emergency_ops tas_emergency_x11 = {
    .open = open_emergency, .close = close_emergency, .fd = emergency_fd, .pressed = emergency_pressed};

/* ---- the flow ---- */

struct customer *customer_new(struct tool *tool, const struct customer_config *config) {
    (void)tool, (void)config;
    return (struct customer *)&t;
}

void customer_free(struct customer *c) {
    (void)c;
}

void customer_start(struct customer *c) {
    (void)c;
}

void customer_own_window(struct customer *c, uint64_t window) {
    (void)c, (void)window;
}

int customer_number(struct customer *c, const char *typed, int64_t terms_at_ms) {
    (void)c, (void)terms_at_ms;
    return *typed ? TAS_OK : TAS_E_PROTO;
}

int customer_choose(struct customer *c, uint16_t rights) {
    (void)c;
    t.chosen++;
    if (t.choose_err == TAS_OK)
        t.chosen_rights = rights;
    return t.choose_err;
}

int customer_accept(struct customer *c) {
    (void)c;
    t.accepted++;
    return t.accept_err;
}

int customer_decline(struct customer *c) {
    (void)c;
    t.declined++;
    return t.decline_err;
}

void customer_back(struct customer *c) {
    (void)c;
    t.backs++;
}

void customer_end(struct customer *c) {
    (void)c;
}

bool customer_is_over(const struct customer *c) {
    (void)c;
    return true;
}

struct tas_session *customer_session(struct customer *c) {
    (void)c;
    return NULL;
}

void customer_grant(struct customer *c, uint16_t rights) {
    (void)c;
    t.granted = rights;
}

void customer_deny(struct customer *c, uint16_t rights) {
    (void)c;
    t.denied = rights;
}

void customer_pause(struct customer *c, bool is_paused) {
    (void)c, (void)is_paused;
}

int customer_chat(struct customer *c, const char *text) {
    (void)c, (void)text;
    return t.chat_err;
}

void customer_hold(struct customer *c, bool is_held) {
    (void)c;
    t.is_held = is_held;
}

int customer_tell_device(struct customer *c, const struct tas_json *info) {
    (void)c;
    assert_non_null(info);
    t.told++;
    return t.device_err;
}

/* ---- a person, and a server ---- */

static void order(const struct customer_command *command) {
    customer_core_command(t.core, command);
}

static void click(enum customer_command_kind kind) {
    order(&(struct customer_command){.kind = kind});
}

static void click_rights(enum customer_command_kind kind, uint16_t rights) {
    order(&(struct customer_command){.kind = kind, .rights = rights});
}

static void answer(uint16_t asked, uint16_t rights) {
    order(&(struct customer_command){.kind = CUSTOMER_DO_ANSWER, .asked = asked, .rights = rights});
}

static void news(const struct tool_news *what) {
    t.to.on_news(t.to.ctx, what);
}

static void engine(const struct tas_event *event) {
    news(&(struct tool_news){.kind = TOOL_ENGINE, .event = event});
}

static void asks(uint16_t rights) {
    engine(&(struct tas_event){.kind = TAS_EVENT_ASKED, .number = rights});
}

static void looks(bool is_on) {
    engine(&(struct tas_event){.kind = TAS_EVENT_VIEW, .flag = is_on});
}

static void becomes(enum tas_state state) {
    engine(&(struct tas_event){.kind = TAS_EVENT_STATE, .state = state});
}

static void fails(const char *command) {
    struct api_error error;
    api_error_set(&error, TAS_E_IO, 0, "no_server", "gone");
    news(&(struct tool_news){.kind = TOOL_ERROR, .command = command, .error = &error});
}

static void claim_is(enum api_claim_state state) {
    const struct api_claim claim = {.state = state};
    news(&(struct tool_news){.kind = TOOL_CLAIM, .claim = &claim});
}

static void reach_ready(void) {
    char ja[] = "規約", en[] = "terms";
    const struct api_terms terms = {.ja = ja, .en = en};
    news(&(struct tool_news){.kind = TOOL_TERMS, .terms = &terms});
    assert_int_equal(t.state.step, CUSTOMER_READY);
}

static void reach_choosing(void) {
    struct customer_command number = {.kind = CUSTOMER_DO_NUMBER, .text = "123456782"};
    order(&number);
    assert_int_equal(t.state.step, CUSTOMER_SENDING);
    news(&(struct tool_news){.kind = TOOL_COMPANY, .text = "Acme"});
    assert_int_equal(t.state.step, CUSTOMER_CHOOSING);
}

static void reach_answered(uint16_t rights) {
    reach_choosing();
    click_rights(CUSTOMER_DO_CHOOSE, rights);
    claim_is(API_CLAIM_PENDING);
    assert_int_equal(t.state.step, CUSTOMER_WAITING);
    claim_is(API_CLAIM_ANSWERED);
    news(&(struct tool_news){.kind = TOOL_OPERATOR, .name = "Tanaka", .text = "Acme"});
    assert_int_equal(t.state.step, CUSTOMER_ANSWERED);
}

static void reach_session(uint16_t rights) {
    reach_answered(rights);
    click(CUSTOMER_DO_ACCEPT);
    engine(&(struct tas_event){.kind = TAS_EVENT_CHECK_CODE, .text = "482-913-527"});
    becomes(TAS_STATE_VERIFIED);
    becomes(TAS_STATE_ACTIVE);
    assert_int_equal(t.state.step, CUSTOMER_ACTIVE);
}

/* How often a text stands in the record as it is saved. */
static unsigned recorded(const char *text) {
    char path[] = "/tmp/tasuki-core-XXXXXX/record", all[16384];
    char *slash = strrchr(path, '/');
    unsigned n = 0;
    *slash = '\0';
    assert_non_null(mkdtemp(path));
    *slash = '/';
    struct customer_command save = {.kind = CUSTOMER_DO_SAVE};
    snprintf(save.text, sizeof(save.text), "%s", path);
    order(&save);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    all[fread(all, 1, sizeof(all) - 1, f)] = '\0';
    fclose(f);
    unlink(path);
    *slash = '\0';
    rmdir(path);
    for (const char *at = strstr(all, text); at; at = strstr(at + 1, text))
        n++;
    return n;
}

static int begin(void **state) {
    (void)state;
    static const struct org org = {.organisation = "Desk"};
    char why[API_DETAIL + 1];
    memset(&t, 0, sizeof(t));
    t.now_us = 1000 * 1000 * 1000;
    ui_language_set("en");
    t.core = customer_core_start(&org, "en", NULL, why);
    assert_non_null(t.core);
    reach_ready();
    return 0;
}

static int end(void **state) {
    (void)state;
    customer_core_stop(t.core);
    return 0;
}

/* ---- choosing ---- */

static void what_the_flow_did_not_take_is_not_granted(void **state) {
    (void)state;
    reach_choosing();
    click_rights(CUSTOMER_DO_CHOOSE, TAS_RIGHT_SEE);
    assert_true(t.state.is_busy);
    t.choose_err = TAS_E_STATE;
    click_rights(CUSTOMER_DO_CHOOSE, TAS_RIGHT_SEE | TAS_RIGHT_CONTROL);
    assert_int_equal(t.state.granted, TAS_RIGHT_SEE);
    assert_int_equal(t.chosen_rights, TAS_RIGHT_SEE | TAS_RIGHT_CHAT);
    assert_int_equal(recorded("You allowed the operator to see the screen"), 1);
    assert_int_equal(recorded("You allowed the operator to control"), 0);
    t.choose_err = TAS_OK;
    fails("choose");
    assert_false(t.state.is_busy);
    assert_int_equal(t.state.step, CUSTOMER_CHOOSING);
    click_rights(CUSTOMER_DO_CHOOSE, 0);
    assert_int_equal(t.state.granted, 0);
    assert_int_equal(t.chosen_rights, TAS_RIGHT_CHAT);
}

static void no_memory_for_choosing_is_told(void **state) {
    (void)state;
    reach_choosing();
    t.choose_err = TAS_E_NOMEM;
    uint32_t before = t.state.error_serial;
    click_rights(CUSTOMER_DO_CHOOSE, TAS_RIGHT_SEE);
    assert_int_equal(t.state.error_serial, before + 1);
    assert_int_equal(t.state.granted, 0);
    assert_false(t.state.is_busy);
}

/* An error of choosing says nothing about the next number. */
static void going_back_leaves_errors_behind(void **state) {
    (void)state;
    reach_choosing();
    click_rights(CUSTOMER_DO_CHOOSE, TAS_RIGHT_SEE);
    fails("choose");
    assert_int_not_equal(t.state.error.err, TAS_OK);
    click(CUSTOMER_DO_BACK);
    assert_true(t.state.is_busy);
    news(&(struct tool_news){.kind = TOOL_FREE});
    assert_int_equal(t.state.step, CUSTOMER_READY);
    assert_int_equal(t.state.error.err, TAS_OK);
    assert_int_equal(t.state.granted, 0);
    assert_false(t.state.is_busy);
}

/* ---- the decision ---- */

static void a_second_click_lets_nobody_in_twice(void **state) {
    (void)state;
    reach_answered(TAS_RIGHT_SEE);
    click(CUSTOMER_DO_ACCEPT);
    t.accept_err = TAS_E_STATE;
    click(CUSTOMER_DO_ACCEPT);
    click(CUSTOMER_DO_DECLINE);
    assert_int_equal(t.state.step, CUSTOMER_JOINING);
    assert_int_equal(t.accepted, 1);
    assert_int_equal(t.declined, 0);
    assert_int_equal(recorded("You let in: Tanaka"), 1);
    assert_int_equal(recorded("You refused"), 0);
    assert_true(t.is_emergency_open);
}

static void a_click_that_came_too_late_does_nothing(void **state) {
    (void)state;
    reach_answered(TAS_RIGHT_SEE);
    claim_is(API_CLAIM_OVER);
    news(&(struct tool_news){.kind = TOOL_FREE});
    assert_int_equal(t.state.lapse, CUSTOMER_EXPIRED);
    click(CUSTOMER_DO_ACCEPT);
    click(CUSTOMER_DO_DECLINE);
    assert_int_equal(t.state.step, CUSTOMER_READY);
    assert_int_equal(t.accepted + t.declined, 0);
    assert_int_equal(recorded("You let in"), 0);
}

static void accepting_can_be_tried_again_and_refusing_not(void **state) {
    (void)state;
    reach_answered(TAS_RIGHT_SEE);
    t.accept_err = TAS_E_NOMEM;
    click(CUSTOMER_DO_ACCEPT);
    assert_int_equal(t.state.step, CUSTOMER_ANSWERED);
    assert_int_equal(recorded("You let in"), 0);
    t.accept_err = TAS_OK;
    click(CUSTOMER_DO_ACCEPT);
    fails("accept");
    assert_int_equal(t.state.step, CUSTOMER_ANSWERED);
    click(CUSTOMER_DO_DECLINE);
    assert_true(t.state.is_busy);
    click(CUSTOMER_DO_ACCEPT);
    assert_int_equal(t.accepted, 2);
    news(&(struct tool_news){.kind = TOOL_LEFT});
    assert_int_equal(t.state.step, CUSTOMER_ENDED);
    assert_int_equal(recorded("You refused: Tanaka"), 1);
}

/* An answer that comes while the number is given back is not for this person to decide any more. */
static void who_goes_back_lets_nobody_in(void **state) {
    (void)state;
    reach_choosing();
    click_rights(CUSTOMER_DO_CHOOSE, TAS_RIGHT_SEE);
    claim_is(API_CLAIM_PENDING);
    click(CUSTOMER_DO_BACK);
    news(&(struct tool_news){.kind = TOOL_OPERATOR, .name = "Tanaka", .text = "Acme"});
    click(CUSTOMER_DO_ACCEPT);
    assert_int_equal(t.accepted, 0);
    news(&(struct tool_news){.kind = TOOL_FREE});
    reach_answered(TAS_RIGHT_SEE);
    click(CUSTOMER_DO_ACCEPT);
    assert_int_equal(t.accepted, 1);
}

static void leaving_without_a_session_forgets_the_emergency_key(void **state) {
    (void)state;
    reach_answered(TAS_RIGHT_SEE);
    click(CUSTOMER_DO_ACCEPT);
    assert_true(t.state.has_emergency_key);
    news(&(struct tool_news){.kind = TOOL_LEFT});
    assert_false(t.is_emergency_open);
    assert_false(t.state.has_emergency_key);
}

/* ---- rights ---- */

static void taking_back_is_not_undone_by_another_answer(void **state) {
    (void)state;
    reach_session(TAS_RIGHT_SEE | TAS_RIGHT_CONTROL);
    asks(TAS_RIGHT_DEVICE);
    assert_true(t.is_held);
    click_rights(CUSTOMER_DO_REVOKE, TAS_RIGHT_CONTROL);
    assert_true(t.is_held);
    answer(TAS_RIGHT_DEVICE, TAS_RIGHT_DEVICE);
    assert_int_equal(t.state.granted, TAS_RIGHT_SEE | TAS_RIGHT_DEVICE);
    assert_int_equal(t.granted, TAS_RIGHT_SEE | TAS_RIGHT_DEVICE | TAS_RIGHT_CHAT);
    assert_false(t.is_held);
}

static void an_answer_to_no_question_grants_nothing(void **state) {
    (void)state;
    reach_session(TAS_RIGHT_SEE);
    asks(TAS_RIGHT_CONTROL);
    answer(TAS_RIGHT_CONTROL, TAS_RIGHT_CONTROL);
    click_rights(CUSTOMER_DO_REVOKE, TAS_RIGHT_CONTROL);
    answer(TAS_RIGHT_CONTROL, TAS_RIGHT_CONTROL);
    assert_int_equal(t.state.granted, TAS_RIGHT_SEE);
    asks(TAS_RIGHT_CONTROL | TAS_RIGHT_DEVICE);
    answer(TAS_RIGHT_CONTROL, 0); /* to what was asked at first */
    assert_int_equal(t.denied, TAS_RIGHT_CONTROL);
    assert_int_equal(t.state.asked, TAS_RIGHT_DEVICE);
    assert_true(t.is_held);
    click_rights(CUSTOMER_DO_GRANT, TAS_RIGHT_DEVICE); /* the box, instead of the question */
    assert_int_equal(t.state.asked, 0);
    assert_false(t.is_held);
    click_rights(CUSTOMER_DO_GRANT, TAS_RIGHT_FILES); /* cannot be had */
    assert_int_equal(t.state.granted, TAS_RIGHT_SEE | TAS_RIGHT_DEVICE);
}

/* ---- device information ---- */

static void an_operator_who_asks_without_end_gets_it_now_and_then(void **state) {
    (void)state;
    reach_session(TAS_RIGHT_SEE | TAS_RIGHT_DEVICE);
    for (int i = 0; i < 1000; i++)
        asks(TAS_RIGHT_DEVICE);
    assert_int_equal(t.collected, 1);
    assert_int_equal(t.told, 1);
    assert_int_equal(t.timer_us, t.now_us + 5 * 1000 * 1000);
    t.now_us = t.timer_us;
    t.on_timer(t.timer_ctx);
    assert_int_equal(t.told, 2);
    t.now_us += 60 * 1000 * 1000;
    asks(TAS_RIGHT_DEVICE);
    assert_int_equal(t.told, 3);
    assert_int_equal(t.collected, 1);
}

static void it_comes_without_being_asked_for_as_soon_as_it_can(void **state) {
    (void)state;
    reach_session(TAS_RIGHT_SEE);
    assert_int_equal(t.told, 0);
    order(&(struct customer_command){.kind = CUSTOMER_DO_PAUSE, .is_on = true});
    click_rights(CUSTOMER_DO_GRANT, TAS_RIGHT_DEVICE);
    assert_int_equal(t.told, 0);
    becomes(TAS_STATE_SUSPENDED);
    order(&(struct customer_command){.kind = CUSTOMER_DO_PAUSE, .is_on = false});
    assert_int_equal(t.told, 0);
    t.device_err = TAS_E_RIGHT; /* the engine knows better */
    becomes(TAS_STATE_ACTIVE);
    assert_int_equal(t.told, 1);
    t.device_err = TAS_OK;
    t.now_us += 5 * 1000 * 1000;
    news(&(struct tool_news){.kind = TOOL_SILENT, .flag = false});
    assert_int_equal(t.told, 2);
    t.now_us += 5 * 1000 * 1000;
    becomes(TAS_STATE_ACTIVE);
    assert_int_equal(t.told, 2);
    assert_int_equal(recorded("Information about this computer was sent"), 1);
}

static void a_full_line_is_tried_again(void **state) {
    (void)state;
    t.device_err = TAS_E_FULL;
    reach_session(TAS_RIGHT_SEE | TAS_RIGHT_DEVICE);
    assert_int_equal(t.told, 1);
    t.device_err = TAS_OK;
    t.now_us = t.timer_us;
    t.on_timer(t.timer_ctx);
    assert_int_equal(t.told, 2);
}

/* ---- the record ---- */

static void a_flood_does_not_flush_the_record(void **state) {
    (void)state;
    reach_session(TAS_RIGHT_SEE);
    asks(TAS_RIGHT_CONTROL);
    for (int i = 0; i < 5000; i++) {
        asks(TAS_RIGHT_CONTROL);
        looks(true);
        looks(true);
        looks(false);
    }
    assert_int_equal(recorded("The operator asked for more rights"), 1);
    assert_int_equal(recorded("The operator looks at the screen (5000 times"), 1);
    assert_int_equal(recorded("The check code was right: the session began: Tanaka"), 1);
    assert_int_equal(recorded("You let in: Tanaka"), 1);
    assert_int_equal(recorded("older lines"), 0);
}

static void pausing_twice_is_pausing_once(void **state) {
    (void)state;
    reach_session(TAS_RIGHT_SEE);
    for (int i = 0; i < 3; i++)
        order(&(struct customer_command){.kind = CUSTOMER_DO_PAUSE, .is_on = true});
    for (int i = 0; i < 3; i++)
        click(CUSTOMER_DO_END);
    assert_int_equal(recorded("You paused the session"), 1);
    assert_int_equal(recorded("You ended it"), 1);
}

static void a_line_that_was_not_sent_is_not_shown_as_sent(void **state) {
    (void)state;
    reach_session(TAS_RIGHT_SEE);
    struct customer_command chat = {.kind = CUSTOMER_DO_CHAT, .text = "hello"};
    order(&chat);
    assert_int_equal(t.note, CUSTOMER_NOTE_WROTE);
    assert_true(t.is_note_ok);
    t.chat_err = TAS_E_FULL;
    order(&chat);
    assert_false(t.is_note_ok);
    assert_string_equal(t.note_text, "hello");
    assert_int_equal(recorded("You wrote: hello"), 1);
    assert_int_equal(recorded("You wrote, and it was not sent: hello"), 1);
}

static void an_alarm_is_in_the_person_s_language(void **state) {
    (void)state;
    reach_session(TAS_RIGHT_SEE);
    for (int i = 0; i < 3; i++)
        engine(&(struct tas_event){.kind = TAS_EVENT_ALARM, .text = "the other end broke the protocol"});
    ui_language_set("ja");
    assert_int_equal(recorded("警告: 相手側から許可されていない通信を受信しました（3回"), 1);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        T(what_the_flow_did_not_take_is_not_granted),
        T(no_memory_for_choosing_is_told),
        T(going_back_leaves_errors_behind),
        T(a_second_click_lets_nobody_in_twice),
        T(a_click_that_came_too_late_does_nothing),
        T(accepting_can_be_tried_again_and_refusing_not),
        T(who_goes_back_lets_nobody_in),
        T(leaving_without_a_session_forgets_the_emergency_key),
        T(taking_back_is_not_undone_by_another_answer),
        T(an_answer_to_no_question_grants_nothing),
        T(an_operator_who_asks_without_end_gets_it_now_and_then),
        T(it_comes_without_being_asked_for_as_soon_as_it_can),
        T(a_full_line_is_tried_again),
        T(a_flood_does_not_flush_the_record),
        T(pausing_twice_is_pausing_once),
        T(a_line_that_was_not_sent_is_not_shown_as_sent),
        T(an_alarm_is_in_the_person_s_language),
    };
#undef T
    return cmocka_run_group_tests(tests, NULL, NULL);
}
