/* The session engine against the second implementation: tests/vectors/peer.py (Python, written from
 * docs/protocol.md alone) runs as the other end over pipes; this test speaks L1 between them. The clock is
 * not real. */
#include "base/buf.h"
#include "base/hex.h"
#include "sim.h"
#include "wire/messages.h"

#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { LINE_CAP = 64 * 1024, TEXT_CAP = 512, RELAY_ID = 1, VIEWER_SLOT = 1, RELAYED_MAX = 1 << 20 };

extern char **environ;

struct cross {
    /* the Python end */
    pid_t pid;
    FILE *to_peer, *from_peer;
    char peer_state[32], peer_code[16], peer_error[TEXT_CAP], peer_chat[TEXT_CAP];
    unsigned n_peer_chat;

    /* our end */
    struct tas_session *s;
    unsigned end; /* SIM_HOST or SIM_VIEWER */
    uint64_t now_us;
    bool is_open[TAS_LEGS], is_joined[TAS_LEGS];
    struct tas_buf from_us[TAS_LEGS], to_us[TAS_LEGS];
    char code[16], chat[TEXT_CAP];
    unsigned n_chat, n_keyed;
    uint32_t grants, closed;
};

/* ---- the Python end ---- */

static void peer_start(struct cross *x) {
    int in[2], out[2];
    assert_int_equal(pipe(in), 0);
    assert_int_equal(pipe(out), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    const int all[] = {in[0], in[1], out[0], out[1]};
    for (int i = 0; i < 4; i++)
        posix_spawn_file_actions_addclose(&actions, all[i]);
    char python[] = "/usr/bin/python3", flag[] = "-B", script[] = TAS_PEER_PY;
    char *const argv[] = {python, flag, script, NULL};
    assert_int_equal(posix_spawn(&x->pid, python, &actions, NULL, argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    x->to_peer = fdopen(in[1], "w");
    x->from_peer = fdopen(out[0], "r");
    assert_true(x->to_peer && x->from_peer);
}

static void peer_stop(struct cross *x) {
    fclose(x->to_peer); /* the end of its input ends it */
    fclose(x->from_peer);
    int status;
    assert_int_equal(waitpid(x->pid, &status, 0), x->pid);
    assert_int_equal(status, 0);
}

static unsigned source_slot(const struct cross *x) {
    return x->end == SIM_HOST ? VIEWER_SLOT : 0;
}

static void record_to_us(struct cross *x, unsigned leg, uint8_t type, uint8_t pf, unsigned route,
                         struct tas_bytes body) {
    uint8_t head[TAS_RECORD_HEAD];
    tas_record_head_encode(head, type, pf, (uint16_t)route, body.len);
    assert_int_equal(tas_buf_append(&x->to_us[leg], tas_bytes_of(head, sizeof(head))), TAS_OK);
    assert_int_equal(tas_buf_append(&x->to_us[leg], body), TAS_OK);
}

/* What the Python end sends goes over the leg that is joined; without one it is lost. */
static void relay_to_us(struct cross *x, uint8_t type, uint8_t pf, const char *hex) {
    static uint8_t payload[TAS_RECORD_MAX];
    size_t len = strlen(hex) / 2;
    assert_true(len <= sizeof(payload));
    assert_int_equal(tas_hex_decode(payload, len, hex), TAS_OK);
    for (unsigned leg = 0; leg < TAS_LEGS; leg++)
        if (x->is_joined[leg]) {
            record_to_us(x, leg, type, pf, source_slot(x), tas_bytes_of(payload, len));
            return;
        }
}

static void on_peer_message(struct cross *x, const char *type, const char *hex) {
    uint8_t body[TEXT_CAP];
    size_t len = strlen(hex) / 2;
    if (strcmp(type, "0030") != 0)
        return;
    struct tas_msg_chat chat;
    assert_true(len <= sizeof(body) && tas_hex_decode(body, len, hex) == TAS_OK);
    assert_int_equal(tas_msg_chat_decode(&chat, tas_bytes_of(body, len)), TAS_OK);
    snprintf(x->peer_chat, sizeof(x->peer_chat), "%.*s", (int)chat.text.len, (const char *)chat.text.ptr);
    x->n_peer_chat++;
}

static void on_answer(struct cross *x, char *line) {
    char *rest = line + strcspn(line, " ");
    if (*rest)
        *rest++ = '\0';
    char *second = rest + strcspn(rest, " ");
    if (strcmp(line, "hs") == 0) {
        relay_to_us(x, TAS_RECORD_HS, 0, rest);
    } else if (strcmp(line, "data") == 0) {
        relay_to_us(x, TAS_RECORD_DATA, (uint8_t)strtoul(rest, NULL, 10), second + 1);
    } else if (strcmp(line, "state") == 0) {
        snprintf(x->peer_state, sizeof(x->peer_state), "%s", rest);
    } else if (strcmp(line, "sas") == 0) {
        snprintf(x->peer_code, sizeof(x->peer_code), "%s", rest);
    } else if (strcmp(line, "error") == 0) {
        snprintf(x->peer_error, sizeof(x->peer_error), "%s", rest);
    } else if (strcmp(line, "msg") == 0 && *second) {
        *second = '\0';
        on_peer_message(x, rest, second + 1);
    }
}

/* A command to the Python end; all its answers are dealt with. */
static void ask(struct cross *x, const char *word, const char *rest) {
    static char line[LINE_CAP];
    fprintf(x->to_peer, "%s %s\n", word, rest);
    fflush(x->to_peer);
    for (;;) {
        assert_non_null(fgets(line, sizeof(line), x->from_peer));
        line[strcspn(line, "\n")] = '\0';
        if (strcmp(line, ".") == 0)
            return;
        on_answer(x, line);
        if (x->peer_error[0])
            fail_msg("peer.py: %s", x->peer_error);
    }
}

static void ask_hex(struct cross *x, const char *word, struct tas_bytes bytes) {
    static char text[2 * TAS_RECORD_MAX + 1];
    tas_hex_encode(text, bytes);
    ask(x, word, text);
}

static void ask_number(struct cross *x, const char *word, uint64_t number) {
    char text[32];
    snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
    ask(x, word, text);
}

static void peer_configure(struct cross *x, const struct sim_world *w, uint16_t suite) {
    const struct tas_session_config *cfg = &w->cfg[!x->end];
    struct tas_msg_ticket ticket;
    char id[17];
    assert_int_equal(tas_msg_ticket_decode(&ticket, tas_bytes_of(cfg->ticket, sizeof(cfg->ticket))), TAS_OK);
    snprintf(id, sizeof(id), "%016llx", (unsigned long long)ticket.session_id);
    ask(x, "role", x->end == SIM_HOST ? "viewer" : "host");
    ask(x, "session_id", id);
    ask_number(x, "slot", VIEWER_SLOT);
    ask_hex(x, "pop_seed", tas_bytes_of(cfg->identity.pop_seed, 32));
    ask_hex(x, "statement", tas_bytes_of(cfg->identity.statement, TAS_SIZE_STATEMENT));
    ask_hex(x, "statement_pk", tas_bytes_of(w->keyset.keys[1].pk, 32));
    ask_number(x, "now_ms", cfg->server_ms);
    ask_number(x, "suites", suite);
    ask(x, "three", "42");
}

/* ---- the relay's part ---- */

static void on_proof(struct cross *x, unsigned leg) {
    uint8_t body[64];
    const struct tas_msg_welcome welcome = {
        .slot = (uint8_t)x->end, .keepalive_s = 10, .grace_s = 120, .max_payload = TAS_RECORD_MAX};
    int len = tas_msg_welcome_encode(&welcome, body, sizeof(body));
    record_to_us(x, leg, TAS_RECORD_WELCOME, 0, 0, tas_bytes_of(body, (size_t)len));
    const struct tas_msg_peer peer = {
        .slot = (uint8_t)source_slot(x), .state = TAS_PEER_JOINED, .incarnation = 7};
    len = tas_msg_peer_encode(&peer, body, sizeof(body));
    record_to_us(x, leg, TAS_RECORD_PEER, 0, 0, tas_bytes_of(body, (size_t)len));
    x->is_joined[leg] = true;
}

static void on_record(struct cross *x, unsigned leg, const struct tas_record *rec) {
    uint8_t body[64];
    char pf[8];
    static char line[2 * TAS_RECORD_MAX + 8];
    const struct tas_msg_challenge challenge = {.ver = 1, .relay_id = RELAY_ID};
    switch (rec->type) {
    case TAS_RECORD_HELLO:
        record_to_us(x, leg, TAS_RECORD_CHALLENGE, 0, 0,
                     tas_bytes_of(body, (size_t)tas_msg_challenge_encode(&challenge, body, sizeof(body))));
        break;
    case TAS_RECORD_PROOF:
        on_proof(x, leg);
        break;
    case TAS_RECORD_PING:
        record_to_us(x, leg, TAS_RECORD_PONG, 0, 0, rec->payload);
        break;
    case TAS_RECORD_HS:
        ask_hex(x, "hs", rec->payload);
        break;
    case TAS_RECORD_DATA:
        snprintf(pf, sizeof(pf), "%u ", rec->pf);
        snprintf(line, sizeof(line), "%s", pf);
        tas_hex_encode(line + strlen(pf), rec->payload);
        ask(x, "data", line);
        break;
    default:
        break;
    }
}

static void relay_take(struct cross *x, unsigned leg) {
    for (;;) {
        struct tas_record rec;
        size_t used;
        if (tas_record_decode(&rec, &used, tas_buf_peek(&x->from_us[leg])) != TAS_OK)
            return;
        on_record(x, leg, &rec);
        tas_buf_drop(&x->from_us[leg], used);
    }
}

/* ---- our end ---- */

static void leg_forget(struct cross *x, unsigned leg) {
    x->is_open[leg] = x->is_joined[leg] = false;
    tas_buf_fini(&x->from_us[leg]);
    tas_buf_fini(&x->to_us[leg]);
    tas_buf_init(&x->from_us[leg], RELAYED_MAX);
    tas_buf_init(&x->to_us[leg], RELAYED_MAX);
}

/* All that a leg still has to say. */
static void flush(struct cross *x, unsigned leg) {
    for (struct tas_bytes out; (out = tas_session_output(x->s, leg, x->now_us)).len > 0;) {
        if (x->is_open[leg])
            assert_int_equal(tas_buf_append(&x->from_us[leg], out), TAS_OK);
        tas_session_sent(x->s, leg, out.len);
    }
    relay_take(x, leg);
}

static void on_event(struct cross *x, const struct tas_event *ev) {
    static const uint8_t cb[32];
    switch (ev->kind) {
    case TAS_EVENT_DIAL:
        if (ev->relay_id != RELAY_ID || x->is_open[!ev->leg]) { /* there is one relay, and one line to it */
            tas_session_lost(x->s, ev->leg, x->now_us);
            break;
        }
        leg_forget(x, ev->leg);
        x->is_open[ev->leg] = true;
        tas_session_secured(x->s, ev->leg, cb, x->now_us);
        break;
    case TAS_EVENT_HANGUP:
        flush(x, ev->leg);
        leg_forget(x, ev->leg);
        tas_session_lost(x->s, ev->leg, x->now_us);
        break;
    case TAS_EVENT_STATE:
        x->n_keyed += ev->state == TAS_STATE_KEYED;
        break;
    case TAS_EVENT_CHECK_CODE:
        snprintf(x->code, sizeof(x->code), "%s", ev->text);
        break;
    case TAS_EVENT_CHAT:
        snprintf(x->chat, sizeof(x->chat), "%.*s", (int)ev->data.len, (const char *)ev->data.ptr);
        x->n_chat++;
        break;
    case TAS_EVENT_GRANTS:
        x->grants = ev->number;
        break;
    case TAS_EVENT_CLOSED:
        x->closed = ev->number;
        break;
    default:
        break;
    }
}

static void leg_move(struct cross *x, unsigned leg) {
    flush(x, leg);
    struct tas_bytes in = tas_buf_peek(&x->to_us[leg]);
    size_t room = tas_session_input_room(x->s, leg);
    size_t n = in.len < room ? in.len : room;
    if (n > 0 && x->is_open[leg]) {
        tas_session_input(x->s, leg, tas_bytes_of(in.ptr, n), x->now_us);
        tas_buf_drop(&x->to_us[leg], n);
    }
}

static void run_ms(struct cross *x, unsigned ms) {
    for (unsigned i = 0; i < ms; i++) {
        for (struct tas_event ev;;) {
            tas_session_event(x->s, &ev);
            if (ev.kind == TAS_EVENT_NONE)
                break;
            on_event(x, &ev);
        }
        for (unsigned leg = 0; leg < TAS_LEGS; leg++)
            if (x->is_open[leg])
                leg_move(x, leg);
        if (tas_session_deadline_us(x->s) <= x->now_us)
            tas_session_tick(x->s, x->now_us);
        x->now_us += 1000;
    }
}

static void cut(struct cross *x) {
    for (unsigned leg = 0; leg < TAS_LEGS; leg++)
        if (x->is_open[leg]) {
            leg_forget(x, leg);
            tas_session_lost(x->s, leg, x->now_us);
        }
}

static struct sim_world world;

static struct cross *cross_new(unsigned end, uint16_t suite) {
    struct cross *x = calloc(1, sizeof(*x));
    assert_non_null(x);
    sim_world_init(&world);
    world.cfg[end].suites = suite;
    x->end = end;
    x->now_us = 1000000;
    for (unsigned leg = 0; leg < TAS_LEGS; leg++)
        leg_forget(x, leg);
    peer_start(x);
    peer_configure(x, &world, suite);
    x->s = tas_session_new(&world.cfg[end], x->now_us);
    assert_non_null(x->s);
    if (end == SIM_HOST)
        tas_session_grant(x->s, 0x7f);
    return x;
}

static void cross_free(struct cross *x) {
    tas_session_free(x->s);
    for (unsigned leg = 0; leg < TAS_LEGS; leg++) {
        tas_buf_fini(&x->from_us[leg]);
        tas_buf_fini(&x->to_us[leg]);
    }
    peer_stop(x);
    free(x);
}

static void say(struct cross *x, const char *text) {
    assert_int_equal(tas_session_chat(x->s, tas_bytes_of(text, strlen(text)), 1795000000000), TAS_OK);
}

static void state_is(struct cross *x, enum tas_state want, const char *peer) {
    assert_string_equal(tas_state_name(tas_session_state(x->s)), tas_state_name(want));
    assert_string_equal(x->peer_state, peer);
}

static void chat_both_ways(struct cross *x, const char *ours, const char *theirs) {
    unsigned n = x->n_chat, n_peer = x->n_peer_chat;
    say(x, ours);
    ask(x, "say", theirs);
    run_ms(x, 300);
    assert_string_equal(x->peer_chat, ours);
    assert_string_equal(x->chat, theirs);
    assert_int_equal(x->n_chat, n + 1);
    assert_int_equal(x->n_peer_chat, n_peer + 1);
}

/* The next dial may wait for 5 s and some. */
static void run_until_joined(struct cross *x) {
    for (unsigned i = 0; i < 700 && !x->is_joined[0] && !x->is_joined[1]; i++)
        run_ms(x, 10);
}

/* Lines that were said while the cable was cut arrive once. */
static void resume(struct cross *x, unsigned times) {
    for (unsigned i = 1; i <= times; i++) {
        unsigned n = x->n_chat, n_peer = x->n_peer_chat;
        cut(x);
        assert_int_equal(tas_session_state(x->s), TAS_STATE_SUSPENDED);
        say(x, "said by us into the cut");
        ask(x, "say", "said by them into the cut");
        run_until_joined(x);
        if (x->end == SIM_HOST)
            ask(x, "resume", "");
        run_ms(x, 1000);
        state_is(x, TAS_STATE_ACTIVE, "VERIFIED");
        assert_int_equal(x->n_chat, n + 1);
        assert_int_equal(x->n_peer_chat, n_peer + 1);
        chat_both_ways(x, "after the cut", "likewise");
        struct tas_session_figures figures;
        tas_session_figures(x->s, &figures, x->now_us);
        assert_int_equal(figures.resumes, i);
    }
}

static void host_meets_python(uint16_t suite) {
    struct cross *x = cross_new(SIM_HOST, suite);
    run_ms(x, 100);
    assert_int_equal(tas_session_state(x->s), TAS_STATE_H1);
    ask(x, "start", "");
    run_ms(x, 300);
    state_is(x, TAS_STATE_KEYED, "KEYED");
    chat_both_ways(x, "お待ちください", "Gr\xc3\xbc\xc3\x9f dich"); /* before the code is checked */

    char digits[16];
    assert_int_equal(strlen(x->code), 11);
    snprintf(digits, sizeof(digits), "%.3s%.3s%.3s", x->code, x->code + 4, x->code + 8);
    ask(x, "code", digits);
    run_ms(x, 300);
    state_is(x, TAS_STATE_ACTIVE, "VERIFIED");
    chat_both_ways(x, "verified", "verified too");
    ask(x, "update", ""); /* the next key phase; we follow */
    chat_both_ways(x, "second phase", "second phase too");
    resume(x, 5); /* the generation in kid goes round */
    tas_session_end(x->s, TAS_END_CUSTOMER, x->now_us);
    run_ms(x, 50);
    assert_string_equal(x->peer_state, "CLOSED");
    assert_int_equal(x->closed, TAS_END_CUSTOMER);
    cross_free(x);
}

static void viewer_meets_python(uint16_t suite) {
    struct cross *x = cross_new(SIM_VIEWER, suite);
    run_ms(x, 300);
    state_is(x, TAS_STATE_KEYED, "KEYED");
    chat_both_ways(x, "hello", "one moment");
    assert_int_equal(strlen(x->peer_code), 9);
    assert_int_equal(tas_session_type_code(x->s, x->peer_code, x->now_us), TAS_OK);
    run_ms(x, 300);
    state_is(x, TAS_STATE_VERIFIED, "VERIFIED");
    ask(x, "msg", "800a 00070000"); /* GRANTS: see, control, chat */
    run_ms(x, 100);
    state_is(x, TAS_STATE_ACTIVE, "VERIFIED");
    assert_int_equal(x->grants, 7);
    chat_both_ways(x, "verified", "verified too");
    ask(x, "update", "");
    chat_both_ways(x, "second phase", "second phase too");
    resume(x, 5);
    tas_session_end(x->s, TAS_END_OPERATOR, x->now_us);
    run_ms(x, 50);
    assert_string_equal(x->peer_state, "CLOSED");
    cross_free(x);
}

static void our_host_and_a_python_viewer_meet_and_resume_with_chacha20(void **state) {
    (void)state;
    host_meets_python(TAS_SUITE_CHACHA20);
}

static void our_host_and_a_python_viewer_meet_and_resume_with_aes(void **state) {
    (void)state;
    host_meets_python(TAS_SUITE_AES256);
}

static void our_viewer_and_a_python_host_meet_and_resume_with_chacha20(void **state) {
    (void)state;
    viewer_meets_python(TAS_SUITE_CHACHA20);
}

static void our_viewer_and_a_python_host_meet_and_resume_with_aes(void **state) {
    (void)state;
    viewer_meets_python(TAS_SUITE_AES256);
}

static void a_wrong_code_at_a_python_host_closes_at_the_second_try(void **state) {
    (void)state;
    struct cross *x = cross_new(SIM_VIEWER, 3);
    run_ms(x, 300);
    state_is(x, TAS_STATE_KEYED, "KEYED");
    x->peer_code[8] = x->peer_code[8] == '9' ? '0' : (char)(x->peer_code[8] + 1);
    assert_int_equal(tas_session_type_code(x->s, x->peer_code, x->now_us), TAS_OK);
    run_ms(x, 300);
    state_is(x, TAS_STATE_KEYED, "KEYED");
    x->peer_code[0] = x->peer_code[0] == '9' ? '0' : (char)(x->peer_code[0] + 1);
    assert_int_equal(tas_session_type_code(x->s, x->peer_code, x->now_us), TAS_E_AUTH);
    run_ms(x, 300);
    state_is(x, TAS_STATE_CLOSED, "CLOSED");
    assert_int_equal(x->closed, TAS_END_CODE);
    cross_free(x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_host_and_a_python_viewer_meet_and_resume_with_chacha20),
        cmocka_unit_test(our_host_and_a_python_viewer_meet_and_resume_with_aes),
        cmocka_unit_test(our_viewer_and_a_python_host_meet_and_resume_with_chacha20),
        cmocka_unit_test(our_viewer_and_a_python_host_meet_and_resume_with_aes),
        cmocka_unit_test(a_wrong_code_at_a_python_host_closes_at_the_second_try),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
