/* Lost lines, everywhere and at any time: sessions come up or go on, nothing is lost, said twice or leaked.
 */
#include "session/engine_private.h"
#include "sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct sim sim;
static struct sim_world world;

static void start(void) {
    sim_world_init(&world);
    sim_start(&sim, &world);
}

static void start_screen(uint32_t width, uint32_t height) {
    sim.screen = tas_picture_new(width, height);
    assert_non_null(sim.screen);
    assert_int_equal(tas_session_screen(sim.end[SIM_HOST], width, height), TAS_OK);
    tas_session_view(sim.end[SIM_VIEWER], true);
}

static void start_active(void) {
    start();
    assert_true(sim_until(&sim, sim_both_active, 3000));
}

static unsigned codes_shown(void) {
    return sim_count(&sim, SIM_HOST, TAS_EVENT_CHECK_CODE);
}

/* ---- numbered chats ---- */

static unsigned chat_sent[2], chat_got[2];
static bool chat_is_wrong;

static void check_chat(struct sim *s, unsigned end, const struct tas_event *ev) {
    (void)s;
    if (ev->kind != TAS_EVENT_CHAT)
        return;
    char text[32] = {0};
    memcpy(text, ev->data.ptr, ev->data.len < sizeof(text) - 1 ? ev->data.len : sizeof(text) - 1);
    if (strtoul(text, NULL, 10) != chat_got[end])
        chat_is_wrong = true;
    chat_got[end]++;
}

static void chat_from(unsigned end) {
    char text[32];
    int len = snprintf(text, sizeof(text), "%u", chat_sent[end]);
    if (tas_session_chat(sim.end[end], tas_bytes_of(text, (size_t)len), 0) == TAS_OK)
        chat_sent[end]++;
}

static void chat_reset(void) {
    memset(chat_sent, 0, sizeof(chat_sent));
    memset(chat_got, 0, sizeof(chat_got));
    chat_is_wrong = false;
    sim.on_event = check_chat;
}

static bool all_arrived(const struct sim *s) {
    return sim_both_active(s) && chat_got[SIM_VIEWER] == chat_sent[SIM_HOST] &&
           chat_got[SIM_HOST] == chat_sent[SIM_VIEWER] && (!s->screen || sim_pictures_equal(s));
}

/* ---- any moment ---- */

static void a_socket_lost_at_any_moment_of_the_start_does_no_harm(void **state) {
    (void)state;
    for (unsigned end = 0; end < 2; end++)
        for (unsigned ms = 0; ms < 40; ms++) {
            start();
            sim_run_ms(&sim, ms);
            for (unsigned leg = 0; leg < TAS_LEGS; leg++)
                sim_socket_lose(&sim, end, leg);
            bool is_active = sim_until(&sim, sim_both_active, 20000);
            if (!is_active)
                fail_msg("end %u lost at %u ms: %s and %s", end, ms, tas_state_name(sim.state[0]),
                         tas_state_name(sim.state[1]));
            sim_stop(&sim);
        }
}

static void a_relay_killed_at_any_moment_of_the_start_does_no_harm(void **state) {
    (void)state;
    for (unsigned ms = 0; ms < 100; ms++) {
        start();
        sim_run_ms(&sim, ms);
        sim_relay_kill(&sim, 0);
        if (!sim_until(&sim, sim_both_active, 20000))
            fail_msg("killed at %u ms: %s and %s", ms, tas_state_name(sim.state[0]),
                     tas_state_name(sim.state[1]));
        assert_int_equal(codes_shown(), 1);
        sim_stop(&sim);
    }
}

static void a_relay_killed_at_any_moment_of_a_resume_does_no_harm(void **state) {
    (void)state;
    for (unsigned ms = 0; ms < 60; ms++) {
        start_active();
        chat_reset();
        start_screen(100, 100);
        sim_run_ms(&sim, 50);
        chat_from(SIM_HOST);
        chat_from(SIM_VIEWER);
        sim_paint(&sim, 0, 0, 90, 90, ms * 77);
        sim_relay_kill(&sim, 0);
        sim_run_ms(&sim, ms);
        sim_relay_start(&sim, 0);
        sim_relay_kill(&sim, 1);
        chat_from(SIM_VIEWER);
        if (!sim_until(&sim, all_arrived, 20000))
            fail_msg("killed %u ms into the resume: %s and %s", ms, tas_state_name(sim.state[0]),
                     tas_state_name(sim.state[1]));
        assert_false(chat_is_wrong);
        assert_int_equal(codes_shown(), 1);
        sim_stop(&sim);
    }
}

static void with_all_relays_gone_the_ends_try_ever_less_often_and_come_back(void **state) {
    (void)state;
    start_active();
    unsigned before = sim_count(&sim, SIM_VIEWER, TAS_EVENT_DIAL);
    sim_relay_kill(&sim, 0);
    sim_relay_kill(&sim, 1);
    sim_run_ms(&sim, 60000);
    unsigned dials = sim_count(&sim, SIM_VIEWER, TAS_EVENT_DIAL) - before;
    assert_true(dials >= 10 && dials <= 50);
    sim_relay_start(&sim, 1);
    assert_true(sim_until(&sim, sim_both_active, 12000));
    sim_stop(&sim);
}

static bool both_closed(const struct sim *s) {
    return s->closed[0] && s->closed[1];
}

static void five_minutes_without_the_peer_end_the_session_as_lost(void **state) {
    (void)state;
    start_active();
    sim_relay_kill(&sim, 0);
    sim_relay_kill(&sim, 1);
    sim_run_ms(&sim, 299 * 1000);
    assert_false(sim_any_closed(&sim));
    assert_true(sim_until(&sim, both_closed, 1500));
    assert_int_equal(sim.closed[0], TAS_END_LOST);
    assert_int_equal(sim.closed[1], TAS_END_LOST);
    sim_stop(&sim);
}

/* Its own line is whole: only the relay's word says that nobody is at the other end. */
static void one_whose_peer_alone_is_gone_says_so_and_gives_up_after_five_minutes(void **state) {
    (void)state;
    for (unsigned end = 0; end < 2; end++) {
        unsigned gone = 1 - end;
        start_active();
        sim_run_ms(&sim, 2500);
        int leg = sim_joined_leg(&sim, gone, 0);
        unsigned released = sim.n_released;
        assert_true(leg >= 0);
        sim_socket_lose(&sim, gone, (unsigned)leg);
        sim.is_cut[gone] = true;
        sim_run_ms(&sim, 100);
        assert_true(end != SIM_HOST || sim.n_released > released);
        sim_run_ms(&sim, 4000);
        assert_int_equal(sim.state[end], TAS_STATE_SUSPENDED);
        sim_run_ms(&sim, 294 * 1000);
        assert_int_equal(sim.closed[end], 0);
        sim_run_ms(&sim, 10 * 1000);
        assert_int_equal(sim.closed[end], TAS_END_LOST);
        sim_stop(&sim);
    }
}

static void five_minutes_without_the_code_end_the_session(void **state) {
    (void)state;
    start();
    sim.type_code = false;
    assert_true(sim_until(&sim, sim_both_keyed, 2000));
    sim_run_ms(&sim, 299 * 1000);
    assert_int_equal(sim.closed[0], 0);
    sim_run_ms(&sim, 1500);
    assert_int_equal(sim.closed[0], TAS_END_TIMEOUT);
    assert_int_equal(sim.closed[1], TAS_END_TIMEOUT);
    sim_stop(&sim);
}

/* ---- random cuts ---- */

static uint32_t dice_state;

static uint32_t dice(uint32_t sides) {
    dice_state = dice_state * 1664525 + 1013904223;
    return (dice_state >> 8) % sides;
}

static void something_happens(void) {
    unsigned end = dice(2);
    unsigned relay = dice(2);
    switch (dice(9)) {
    case 0:
        sim_relay_kill(&sim, relay);
        break;
    case 1:
    case 2:
        sim_relay_start(&sim, relay);
        break;
    case 3:
        sim.is_cut[end] = true;
        break;
    case 4:
        sim.is_cut[end] = false;
        break;
    case 5:
        sim.is_cut_from[end][relay] = dice(2);
        break;
    case 6:
        sim_socket_lose(&sim, end, dice(2));
        break;
    default:
        sim_paint(&sim, dice(60), dice(60), 1 + dice(40), 1 + dice(40), dice(1 << 24));
        break;
    }
}

static void whatever_happens_to_the_lines_every_chat_arrives_once_and_in_order(void **state) {
    (void)state;
    for (uint32_t seed = 0; seed < 200; seed++) {
        dice_state = seed * 2654435761u;
        start_active();
        chat_reset();
        start_screen(100, 100);
        sim.delay_us = 500 + dice(30000);
        for (unsigned ms = 0; ms < 60000;) {
            unsigned pause = 1 + dice(dice(4) ? 20 : 3000);
            sim_run_ms(&sim, pause);
            ms += pause;
            if (dice(2))
                chat_from(dice(2));
            something_happens();
        }
        for (unsigned end = 0; end < 2; end++) {
            sim.is_cut[end] = false;
            for (unsigned relay = 0; relay < 2; relay++)
                sim.is_cut_from[end][relay] = false;
        }
        sim_relay_start(&sim, 0);
        sim_relay_start(&sim, 1);
        if (!sim_until(&sim, all_arrived, 60000))
            fail_msg("seed %u: %s and %s, closed %u %u, chats %u/%u and %u/%u, equal %d, %s | %s", seed,
                     tas_state_name(sim.state[0]), tas_state_name(sim.state[1]), sim.closed[0], sim.closed[1],
                     chat_got[0], chat_sent[1], chat_got[1], chat_sent[0], sim_pictures_equal(&sim),
                     sim.alarm[0], sim.alarm[1]);
        if (chat_is_wrong)
            fail_msg("seed %u: a chat out of order", seed);
        assert_int_equal(codes_shown(), 1);
        assert_string_equal(sim.alarm[0], "");
        assert_string_equal(sim.alarm[1], "");
        sim_stop(&sim);
    }
}

/* ---- relays that say things ---- */

static void a_relay_that_goes_away_moves_both_without_loss(void **state) {
    (void)state;
    start_active();
    chat_reset();
    start_screen(100, 100);
    sim_run_ms(&sim, 500);
    const struct tas_msg_goaway goaway = {.relays = {2}, .deadline_ms = 5000};
    uint8_t body[24];
    int len = tas_msg_goaway_encode(&goaway, body, sizeof(body));
    for (unsigned end = 0; end < 2; end++)
        sim_relay_says(&sim, end, (unsigned)sim_joined_leg(&sim, end, 0), TAS_RECORD_GOAWAY, 0, 0,
                       tas_bytes_of(body, (size_t)len));
    chat_from(SIM_HOST);
    chat_from(SIM_VIEWER);
    sim_paint(&sim, 0, 0, 50, 50, 99);
    sim_run_ms(&sim, 200);
    assert_true(sim_until(&sim, all_arrived, 1000));
    assert_true(sim_joined_leg(&sim, 0, 1) >= 0 && sim_joined_leg(&sim, 1, 1) >= 0);
    assert_true(sim_joined_leg(&sim, 0, 0) < 0 && sim_joined_leg(&sim, 1, 0) < 0);
    assert_false(chat_is_wrong);
    assert_true(sim.longest_us < 200000);
    sim_stop(&sim);
}

static void a_ticket_that_all_relays_refuse_ends_it_before_the_keys_and_one_is_passed_over(void **state) {
    (void)state;
    start();
    sim.refuses_tickets[0] = sim.refuses_tickets[1] = true;
    sim_run_ms(&sim, 1000);
    assert_int_equal(sim.closed[0], TAS_END_TICKET);
    sim_stop(&sim);
    start(); /* one that is alone with its refusal is passed over */
    sim.refuses_tickets[0] = true;
    assert_true(sim_until(&sim, sim_both_active, 3000));
    sim_stop(&sim);
    start_active();
    sim.refuses_tickets[0] = true;
    sim_run_ms(&sim, 3000);
    sim_relay_kill(&sim, 0);
    sim_relay_start(&sim, 0);
    sim_run_ms(&sim, 5);
    assert_true(sim_until(&sim, sim_both_active, 3000));
    sim_stop(&sim);
}

static void another_relays_challenge_is_not_answered_and_alarms(void **state) {
    (void)state;
    start();
    sim.challenge_id[0] = 2;
    sim_run_ms(&sim, 10);
    assert_string_not_equal(sim.alarm[SIM_HOST], "");
    assert_true(sim_until(&sim, sim_both_active, 5000));
    assert_true(sim_joined_leg(&sim, 0, 1) >= 0);
    sim_stop(&sim);
}

static void pings_are_answered_eight_at_once_and_then_four_a_second(void **state) {
    (void)state;
    start_active();
    unsigned leg = (unsigned)sim_joined_leg(&sim, SIM_HOST, 0);
    struct leg *l = &sim.end[SIM_HOST]->legs[leg];
    static const uint8_t ping[] = {TAS_RECORD_PING, 0, 0, 0, 0, 0, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8};
    size_t before = l->out.len;
    for (int i = 0; i < 5000; i++)
        tas_session_input(sim.end[SIM_HOST], leg, tas_bytes_of(ping, sizeof(ping)),
                          sim.now_us + (uint64_t)i * 50);
    assert_in_range(l->out.len - before, 8 * 16, 9 * 16); /* a quarter of a second went by */
    sim_stop(&sim);
}

static void ends_that_are_together_ping_when_they_hear_nothing_for_400_ms(void **state) {
    (void)state;
    start_active();
    sim_run_ms(&sim, 1000);
    unsigned leg = (unsigned)sim_joined_leg(&sim, SIM_VIEWER, 0);
    struct leg *l = &sim.end[SIM_VIEWER]->legs[leg];
    uint64_t from = l->last_ping_us;
    sim_run_ms(&sim, 4000);
    assert_true(l->last_ping_us - from >= 3500 * 1000);
    assert_true(sim.now_us - l->last_rx_us <= 410 * 1000);
    assert_int_equal(sim.end[SIM_VIEWER]->resumes, 0);
    sim_stop(&sim);
}

static void records_of_unknown_type_are_skipped(void **state) {
    (void)state;
    start_active();
    for (unsigned end = 0; end < 2; end++)
        sim_relay_says(&sim, end, (unsigned)sim_joined_leg(&sim, end, 0), 0x3f, 0, 0,
                       tas_bytes_of("what?", 5));
    sim_run_ms(&sim, 100);
    assert_true(sim_both_active(&sim));
    assert_int_equal(sim.end[SIM_HOST]->resumes, 0);
    sim_stop(&sim);
}

static void garbage_from_a_relay_costs_the_line_only(void **state) {
    (void)state;
    static const uint8_t too_long[] = {TAS_RECORD_DATA, 0, 0, 0, 0, 0, 0x3f, 0xf9};
    static const uint8_t bad_pf[] = {TAS_RECORD_PING, 0xff, 0, 0, 0, 0, 0, 0};
    static const uint8_t short_peer[] = {TAS_RECORD_PEER, 0, 0, 0, 0, 0, 0, 1, 0};
    static const uint8_t peer_state_9[] = {TAS_RECORD_PEER, 0, 0, 0, 0, 0, 0, 8, 0, 9, 0, 0, 0, 0, 0, 1};
    static const uint8_t second_welcome[] = {TAS_RECORD_WELCOME, 0, 0, 0, 0, 0, 0, 0};
    static const uint8_t hs_in_class_2[] = {TAS_RECORD_HS, 2, 0, 0, 0, 0, 0, 1, 9};
    const struct tas_bytes bad[] = {
        tas_bytes_of(too_long, sizeof(too_long)),
        tas_bytes_of(bad_pf, sizeof(bad_pf)),
        tas_bytes_of(short_peer, sizeof(short_peer)),
        tas_bytes_of(peer_state_9, sizeof(peer_state_9)),
        tas_bytes_of(second_welcome, sizeof(second_welcome)),
        tas_bytes_of(hs_in_class_2, sizeof(hs_in_class_2)),
    };
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        start_active();
        sim_run_ms(&sim, 100);
        unsigned leg = (unsigned)sim_joined_leg(&sim, SIM_VIEWER, 0);
        tas_session_input(sim.end[SIM_VIEWER], leg, bad[i], sim.now_us);
        sim_run_ms(&sim, 10);
        assert_true(sim_until(&sim, sim_both_active, 3000));
        assert_int_equal(sim.end[SIM_VIEWER]->resumes, 1);
        assert_string_equal(sim.alarm[SIM_VIEWER], "");
        sim_stop(&sim);
    }
}

/* ---- resume messages in other hands ---- */

static struct {
    unsigned skip; /* resume messages that pass before */
    uint8_t how;   /* 0 lost, 1 twice, 2 reflected, 3 changed, 4 as DATA, 5 swapped with the next record */
    unsigned position; /* byte to change */
    unsigned done;
} trick;

static bool play(struct sim *s, unsigned from, struct tas_record *rec, uint8_t *bytes, size_t len) {
    (void)len;
    bool is_rs =
        rec->type == TAS_RECORD_HS && (rec->payload.ptr[0] == TAS_RS1 || rec->payload.ptr[0] == TAS_RS2);
    if (!is_rs)
        return true;
    if (trick.skip > 0) {
        trick.skip--;
        return true;
    }
    if (trick.done++)
        return true;
    int other = sim_joined_leg(s, !from,
                               s->sock[from][0].is_joined ? s->sock[from][0].relay : s->sock[from][1].relay);
    int own =
        sim_joined_leg(s, from, s->sock[from][0].is_joined ? s->sock[from][0].relay : s->sock[from][1].relay);
    switch (trick.how) {
    case 0:
        return false;
    case 1:
        if (other >= 0)
            sim_relay_says(s, !from, (unsigned)other, TAS_RECORD_HS, 0, (uint16_t)from, rec->payload);
        return true;
    case 2:
        sim_relay_says(s, from, (unsigned)own, TAS_RECORD_HS, 0, (uint16_t)!from, rec->payload);
        return false;
    case 3:
        bytes[TAS_RECORD_HEAD + trick.position] ^= 1;
        return true;
    default:
        rec->type = TAS_RECORD_DATA;
        return true;
    }
}

static void resume_messages_lost_repeated_reflected_or_changed_delay_and_nothing_else(void **state) {
    (void)state;
    for (uint8_t how = 0; how < 5; how++)
        for (unsigned which = 0; which < 2; which++)
            for (unsigned position = 0; position < (how == 3 ? 160u : 1u); position += 7) {
                start_active();
                chat_reset();
                sim_run_ms(&sim, 50);
                memset(&trick, 0, sizeof(trick));
                trick.how = how;
                trick.skip = which;
                trick.position = position;
                sim.tamper = play;
                chat_from(SIM_HOST);
                sim_relay_kill(&sim, 0);
                chat_from(SIM_VIEWER);
                sim_run_ms(&sim, 20);
                if (!sim_until(&sim, all_arrived, 10000))
                    fail_msg("trick %u on message %u at %u: %s and %s, closed %u %u", how, which, position,
                             tas_state_name(sim.state[0]), tas_state_name(sim.state[1]), sim.closed[0],
                             sim.closed[1]);
                assert_int_equal(trick.done > 0, 1);
                assert_false(chat_is_wrong);
                assert_int_equal(codes_shown(), 1);
                sim_stop(&sim);
            }
}

static void the_eighth_forged_resume_closes_with_an_alarm(void **state) {
    (void)state;
    for (unsigned end = 0; end < 2; end++) {
        start_active();
        uint8_t forged[TAS_SIZE_RS] = {end == SIM_HOST ? TAS_RS1 : TAS_RS2, 1, end == SIM_HOST ? 2 : 1, 1};
        for (int i = 0; i < 7; i++)
            sim_relay_says(&sim, end, (unsigned)sim_joined_leg(&sim, end, 0), TAS_RECORD_HS, 0,
                           (uint16_t)!end, tas_bytes_of(forged, sizeof(forged)));
        sim_run_ms(&sim, 10);
        assert_true(sim_both_active(&sim));
        sim_relay_says(&sim, end, (unsigned)sim_joined_leg(&sim, end, 0), TAS_RECORD_HS, 0, (uint16_t)!end,
                       tas_bytes_of(forged, sizeof(forged)));
        sim_run_ms(&sim, 10);
        assert_int_equal(sim.closed[end], TAS_END_PROTOCOL);
        assert_string_not_equal(sim.alarm[end], "");
        sim_stop(&sim);
    }
}

/* The resume key alone is not enough, nor is the signing key alone. */
static void a_stolen_resume_key_or_signing_key_alone_resumes_nothing(void **state) {
    (void)state;
    for (int stolen_pop = 0; stolen_pop < 2; stolen_pop++) {
        start_active();
        struct tas_identity own = sim.end[SIM_VIEWER]->sec->identity;
        struct tas_generation gen = sim.end[SIM_VIEWER]->sec->current;
        if (stolen_pop)
            gen.resume[0] ^= 1;
        else
            own.pop_seed[0] ^= 1;
        const struct tas_resume_pair pair = {.viewer_slot = 1,
                                             .session_id = sim.end[SIM_VIEWER]->ticket.session_id};
        struct tas_resume_half half;
        assert_int_equal(
            tas_resume_make(world.cfg[1].crypto, &half, &world.cfg[1].random, &own, &pair, &gen, NULL),
            TAS_OK);
        sim_relay_says(&sim, SIM_HOST, (unsigned)sim_joined_leg(&sim, SIM_HOST, 0), TAS_RECORD_HS, 0, 1,
                       tas_bytes_of(half.bytes, sizeof(half.bytes)));
        sim_run_ms(&sim, 20);
        assert_true(sim_both_active(&sim));
        assert_int_equal(sim.end[SIM_HOST]->bad_resumes, 1);
        sim_stop(&sim);
    }
}

static void a_new_handshake_is_refused_once_there_are_keys(void **state) {
    (void)state;
    for (int suspended = 0; suspended < 2; suspended++) {
        start_active();
        if (suspended) {
            sim_socket_lose(&sim, SIM_VIEWER, 0);
            sim.is_cut[SIM_VIEWER] = true;
            sim_run_ms(&sim, 20);
        }
        unsigned refused = sim.n_refused[SIM_HOST];
        const uint8_t h1[56] = {1, 1};
        sim_relay_says(&sim, SIM_HOST, (unsigned)sim_joined_leg(&sim, SIM_HOST, 0), TAS_RECORD_HS, 0, 1,
                       tas_bytes_of(h1, sizeof(h1)));
        sim_run_ms(&sim, 10);
        assert_int_equal(sim.n_refused[SIM_HOST], refused + 1);
        assert_int_equal(sim.n_hs[SIM_HOST][2], 1);
        sim.is_cut[SIM_VIEWER] = false;
        assert_true(sim_until(&sim, sim_both_active, 20000));
        sim_stop(&sim);
    }
}

static void one_that_was_killed_ends_at_once_and_dials_no_more(void **state) {
    (void)state;
    static const uint8_t killed[] = {0, TAS_CLOSE_KILLED};
    unsigned n_killed = 0;
    for (unsigned end = 0; end < 2; end++) {
        for (unsigned ms = 0; ms < 3000; ms += 60) { /* before there are keys, and after */
            start();
            sim_run_ms(&sim, ms);
            int leg = sim_joined_leg(&sim, end, 0);
            if (leg >= 0) {
                sim_relay_says(&sim, end, (unsigned)leg, TAS_RECORD_CLOSE, 0, 0,
                               tas_bytes_of(killed, sizeof(killed)));
                sim_run_ms(&sim, 60);
                assert_int_equal(sim.closed[end], TAS_END_ADMIN);
                unsigned dials = sim_count(&sim, end, TAS_EVENT_DIAL);
                sim_run_ms(&sim, 60 * 1000);
                assert_int_equal(sim_count(&sim, end, TAS_EVENT_DIAL), dials);
                n_killed++;
            }
            sim_stop(&sim);
        }
    }
    assert_true(n_killed > 50);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_socket_lost_at_any_moment_of_the_start_does_no_harm),
        cmocka_unit_test(a_relay_killed_at_any_moment_of_the_start_does_no_harm),
        cmocka_unit_test(a_relay_killed_at_any_moment_of_a_resume_does_no_harm),
        cmocka_unit_test(with_all_relays_gone_the_ends_try_ever_less_often_and_come_back),
        cmocka_unit_test(five_minutes_without_the_peer_end_the_session_as_lost),
        cmocka_unit_test(one_whose_peer_alone_is_gone_says_so_and_gives_up_after_five_minutes),
        cmocka_unit_test(five_minutes_without_the_code_end_the_session),
        cmocka_unit_test(a_relay_that_goes_away_moves_both_without_loss),
        cmocka_unit_test(a_ticket_that_all_relays_refuse_ends_it_before_the_keys_and_one_is_passed_over),
        cmocka_unit_test(another_relays_challenge_is_not_answered_and_alarms),
        cmocka_unit_test(pings_are_answered_eight_at_once_and_then_four_a_second),
        cmocka_unit_test(ends_that_are_together_ping_when_they_hear_nothing_for_400_ms),
        cmocka_unit_test(records_of_unknown_type_are_skipped),
        cmocka_unit_test(garbage_from_a_relay_costs_the_line_only),
        cmocka_unit_test(resume_messages_lost_repeated_reflected_or_changed_delay_and_nothing_else),
        cmocka_unit_test(the_eighth_forged_resume_closes_with_an_alarm),
        cmocka_unit_test(a_stolen_resume_key_or_signing_key_alone_resumes_nothing),
        cmocka_unit_test(a_new_handshake_is_refused_once_there_are_keys),
        cmocka_unit_test(one_that_was_killed_ends_at_once_and_dials_no_more),
        cmocka_unit_test(whatever_happens_to_the_lines_every_chat_arrives_once_and_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
