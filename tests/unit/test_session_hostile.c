/* An end with the right keys that keeps no rule, and a relay that touches what it carries. */
#include "session/engine_private.h"
#include "sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct sim sim;
static struct sim_world world;

static void start_keyed(void) {
    sim_world_init(&world);
    sim_start(&sim, &world);
    sim.type_code = false;
    assert_true(sim_until(&sim, sim_both_keyed, 2000));
    sim_run_ms(&sim, 300); /* acknowledgements are through */
}

static void start_active(void) {
    sim_world_init(&world);
    sim_start(&sim, &world);
    assert_true(sim_until(&sim, sim_both_active, 2000));
    sim_run_ms(&sim, 300);
}

static void start_screen(uint32_t width, uint32_t height) {
    sim.screen = tas_picture_new(width, height);
    assert_non_null(sim.screen);
    assert_int_equal(tas_session_screen(sim.end[SIM_HOST], width, height), TAS_OK);
    tas_session_view(sim.end[SIM_VIEWER], true);
    assert_true(sim_until(&sim, sim_pictures_equal, 2000));
    sim_run_ms(&sim, 300);
}

/* A fragment under the real keys of `end`, whatever its engine thinks of it. */
static void say_fragment(unsigned end, enum tas_class cls, const struct tas_fragment *frag) {
    struct tas_session *s = sim.end[end];
    uint8_t plain[TAS_PLAIN_MAX], sealed[TAS_RECORD_MAX];
    int len = tas_fragment_encode(frag, cls <= TAS_CLASS_SMALL ? 64 : 1, plain, sizeof(plain));
    assert_true(len > 0);
    len = tas_sealer_seal(s->sealer, (uint8_t)cls, tas_bytes_of(plain, (size_t)len), sealed, sizeof(sealed),
                          sim.now_us);
    assert_true(len > 0);
    leg_put(&s->legs[s->leg], TAS_RECORD_DATA, (uint8_t)cls, (uint16_t)(1u << s->peer_slot),
            tas_bytes_of(sealed, (size_t)len));
}

static void say_on(unsigned end, uint8_t ch, enum tas_class cls, uint16_t type, const void *body,
                   size_t len) {
    if (tas_channel_rule(ch)->is_replayed &&
        !tas_message_is_uncounted(type)) { /* its own engine must not wonder at the ACK */
        sim.end[end]->ch.ch[ch].tx_msgs++;
        sim.end[end]->ch.ch[ch].tx_sent++;
    }
    const struct tas_fragment frag = {.ch = ch,
                                      .is_start = true,
                                      .is_fin = true,
                                      .type = type,
                                      .total = (uint32_t)len,
                                      .body = tas_bytes_of(body, len)};
    say_fragment(end, cls, &frag);
}

static void say(unsigned end, uint16_t type, const void *body, size_t len) {
    int ch = tas_message_channel(type);
    say_on(end, (uint8_t)ch,
           ch == 2   ? TAS_CLASS_SCREEN
           : ch == 7 ? TAS_CLASS_SMALL
                     : TAS_CLASS_CONTROL,
           type, body, len);
    sim_run_ms(&sim, 20);
}

static const uint8_t zeros[512];

static void say_key(void) {
    uint8_t body[56];
    const struct tas_msg_input in = {.kind = 1, .is_down = 1, .keycode = 30};
    say(SIM_VIEWER, TAS_MESSAGE_INPUT, body, (size_t)tas_msg_input_encode(&in, body, sizeof(body)));
}

static void input_without_the_right_does_nothing(void **state) {
    (void)state;
    start_keyed();
    say_key();
    assert_int_equal(sim.n_input, 0);
    assert_int_equal(sim.n_refused[SIM_HOST], 1);
    sim.type_code = true;
    assert_true(sim_until(&sim, sim_both_active, 1000));
    say_key();
    assert_int_equal(sim.n_input, 1);
    tas_session_pause(sim.end[SIM_HOST], true);
    say_key();
    tas_session_pause(sim.end[SIM_HOST], false);
    tas_session_grant(sim.end[SIM_HOST], TAS_RIGHT_SEE);
    say_key();
    assert_int_equal(sim.n_input, 1);
    assert_int_equal(sim.n_refused[SIM_HOST], 3);
    sim_stop(&sim);
}

static void before_the_code_nothing_of_the_screen_leaves_the_host(void **state) {
    (void)state;
    start_keyed();
    sim.screen = tas_picture_new(100, 100);
    assert_int_equal(tas_session_screen(sim.end[SIM_HOST], 100, 100), TAS_OK);
    const uint8_t pixels[16] = {0};
    const struct tas_msg_cursor_image image = {
        .image = 1, .width = 2, .height = 2, .rgba = tas_bytes_of(pixels, sizeof(pixels))};
    static const uint8_t on[4] = {1};
    say(SIM_VIEWER, TAS_MESSAGE_VIEW, on, sizeof(on));
    unsigned control = sim.n_class[SIM_HOST][TAS_CLASS_CONTROL];
    tas_session_cursor(sim.end[SIM_HOST], 5, 5, &image);
    sim_run_ms(&sim, 1000);
    assert_int_equal(sim.n_refused[SIM_HOST], 1);
    assert_int_equal(sim.n_class[SIM_HOST][TAS_CLASS_SCREEN], 0);
    assert_int_equal(sim.n_class[SIM_HOST][TAS_CLASS_SMALL], 0);
    assert_true(sim.n_class[SIM_HOST][TAS_CLASS_CONTROL] - control <= 1); /* an ACK of the VIEW */
    assert_int_equal(sim_count(&sim, SIM_VIEWER, TAS_EVENT_CURSOR_POS), 0);
    sim_stop(&sim);
}

struct bad {
    const char *what;
    uint8_t ch;
    enum tas_class cls;
    uint16_t type;
    size_t len;
};

/* Each of these ends the session at `end`, with an alarm. */
static void must_close(unsigned end, const struct bad *bad, size_t n) {
    for (size_t i = 0; i < n; i++) {
        start_active();
        say_on(!end, bad[i].ch, bad[i].cls, bad[i].type, zeros, bad[i].len);
        sim_run_ms(&sim, 20);
        if (sim.closed[end] != TAS_END_PROTOCOL || !sim.alarm[end][0])
            fail_msg("%s: closed %u", bad[i].what, sim.closed[end]);
        sim_stop(&sim);
    }
}

static void a_host_closes_on_what_no_viewer_may_say(void **state) {
    (void)state;
    static const struct bad bad[] = {
        {"AUTH twice", 0, 0, TAS_MESSAGE_AUTH, 416},
        {"SYNC out of place", 0, 0, TAS_MESSAGE_SYNC, 72},
        {"GROUP_KEY", 0, 0, TAS_MESSAGE_GROUP_KEY, 64},
        {"VERIFY after VERIFIED", 0, 0, TAS_MESSAGE_VERIFY, 2},
        {"VERIFIED from a viewer", 0, 0, TAS_MESSAGE_VERIFIED, 2},
        {"GRANTS from a viewer", 0, 0, TAS_MESSAGE_GRANTS, 4},
        {"SCREEN from a viewer", 2, 2, TAS_MESSAGE_SCREEN, 16},
        {"FRAME from a viewer", 2, 2, TAS_MESSAGE_FRAME, 40},
        {"CURSOR_POS from a viewer", 3, 0, TAS_MESSAGE_CURSOR_POS, 12},
        {"CURSOR_IMAGE from a viewer", 3, 1, TAS_MESSAGE_CURSOR_IMAGE, 12},
        {"MONITORS from a viewer", 0, 0, TAS_MESSAGE_MONITORS, 8},
        {"BYE without a reason", 0, 0, TAS_MESSAGE_BYE, 40},
        {"FRAME_ACK without a screen", 0, 0, TAS_MESSAGE_FRAME_ACK, 32},
        {"a short VIEW", 0, 0, TAS_MESSAGE_VIEW, 3},
        {"a long ASK", 0, 0, TAS_MESSAGE_ASK, 3},
        {"INPUT of no kind", 1, 0, TAS_MESSAGE_INPUT, 56},
        {"a chat in class 0", 7, 0, TAS_MESSAGE_CHAT, 9},
        {"a chat on the control channel", 0, 0, TAS_MESSAGE_CHAT, 9},
        {"a control message on the chat channel", 7, 1, TAS_MESSAGE_VIEW, 4},
        {"clipboard, reserved", 4, 1, 0x40, 4},
        {"files, reserved", 5, 1, 0x50, 4},
        {"files, reserved", 6, 3, 0x51, 4},
        {"drawing, reserved", 8, 1, 0x60, 4},
        {"audio, reserved", 9, 1, 0x70, 4},
        {"channel 15", 15, 0, 0x10, 4},
        {"unknown and critical", 0, 0, 0xc123, 4},
        {"input that is too long", 1, 0, TAS_MESSAGE_INPUT, 65},
    };
    must_close(SIM_HOST, bad, sizeof(bad) / sizeof(bad[0]));
}

static void a_viewer_closes_on_what_no_host_may_say(void **state) {
    (void)state;
    static const struct bad bad[] = {
        {"AUTH twice", 0, 0, TAS_MESSAGE_AUTH, 416},
        {"SYNC out of place", 0, 0, TAS_MESSAGE_SYNC, 72},
        {"GROUP_KEY", 0, 0, TAS_MESSAGE_GROUP_KEY, 64},
        {"VERIFY from a host", 0, 0, TAS_MESSAGE_VERIFY, 2},
        {"VERIFIED twice", 0, 0, TAS_MESSAGE_VERIFIED, 2},
        {"INPUT from a host", 1, 0, TAS_MESSAGE_INPUT, 56},
        {"VIEW from a host", 0, 0, TAS_MESSAGE_VIEW, 4},
        {"ASK from a host", 0, 0, TAS_MESSAGE_ASK, 2},
        {"FRAME_ACK from a host", 0, 0, TAS_MESSAGE_FRAME_ACK, 32},
        {"FRAME before SCREEN", 2, 2, TAS_MESSAGE_FRAME, 40},
        {"SCREEN of no size", 2, 2, TAS_MESSAGE_SCREEN, 16},
        {"MONITORS with something behind them", 0, 0, TAS_MESSAGE_MONITORS, 52},
        {"CURSOR_IMAGE 0", 3, 1, TAS_MESSAGE_CURSOR_IMAGE, 12},
        {"unknown and critical", 0, 0, 0xc123, 4},
    };
    must_close(SIM_VIEWER, bad, sizeof(bad) / sizeof(bad[0]));
}

static void unknown_messages_are_skipped(void **state) {
    (void)state;
    start_active();
    for (unsigned end = 0; end < 2; end++)
        say_on(end, 0, TAS_CLASS_CONTROL, 0x4123, zeros, 16);
    sim_run_ms(&sim, 50);
    assert_false(sim_any_closed(&sim));
    sim_stop(&sim);
}

static void fragments_in_the_wrong_order_or_too_large_close(void **state) {
    (void)state;
    const struct tas_bytes some = {zeros, 100};
    const struct {
        const char *what;
        struct tas_fragment frag[2];
    } bad[] = {
        {"no START", {{.ch = 7, .type = TAS_MESSAGE_CHAT, .body = some}}},
        {"FIN without START", {{.ch = 7, .is_fin = true, .type = TAS_MESSAGE_CHAT, .body = some}}},
        {"over the channel's limit",
         {{.ch = 7, .is_start = true, .type = TAS_MESSAGE_CHAT, .total = 4097, .body = some}}},
        {"over any limit",
         {{.ch = 7, .is_start = true, .type = TAS_MESSAGE_CHAT, .total = UINT32_MAX, .body = some}}},
        {"a total that is there already",
         {{.ch = 7, .is_start = true, .type = TAS_MESSAGE_CHAT, .total = 100, .body = some}}},
        {"two open messages",
         {{.ch = 7, .is_start = true, .type = TAS_MESSAGE_CHAT, .total = 300, .body = some},
          {.ch = 7, .is_start = true, .type = TAS_MESSAGE_CHAT, .total = 300, .body = some}}},
        {"another type in the middle",
         {{.ch = 7, .is_start = true, .type = TAS_MESSAGE_CHAT, .total = 300, .body = some},
          {.ch = 7, .type = TAS_MESSAGE_VIEW, .body = some}}},
        {"FIN too early",
         {{.ch = 7, .is_start = true, .type = TAS_MESSAGE_CHAT, .total = 300, .body = some},
          {.ch = 7, .is_fin = true, .type = TAS_MESSAGE_CHAT, .body = some}}},
        {"whole without FIN",
         {{.ch = 7, .is_start = true, .type = TAS_MESSAGE_CHAT, .total = 200, .body = some},
          {.ch = 7, .type = TAS_MESSAGE_CHAT, .body = some}}},
        {"an empty piece",
         {{.ch = 7, .is_start = true, .type = TAS_MESSAGE_CHAT, .total = 200, .body = some},
          {.ch = 7, .type = TAS_MESSAGE_CHAT}}},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        start_active();
        for (int k = 0; k < 2; k++)
            if (bad[i].frag[k].ch)
                say_fragment(SIM_VIEWER, TAS_CLASS_SMALL, &bad[i].frag[k]);
        sim_run_ms(&sim, 20);
        if (sim.closed[SIM_HOST] != TAS_END_PROTOCOL)
            fail_msg("%s: closed %u", bad[i].what, sim.closed[SIM_HOST]);
        sim_stop(&sim);
    }
}

static void the_eighth_impossible_frame_ack_closes(void **state) {
    (void)state;
    for (int kind = 0; kind < 4; kind++) {
        start_active();
        start_screen(100, 100);
        struct tas_session *h = sim.end[SIM_HOST];
        struct tas_msg_frame_ack ack = {
            .frame = 1, .stream = h->so.stream, .bytes_total = h->pace.acked_bytes};
        if (kind == 0)
            ack.bytes_total = h->pace.sent_bytes + 1;
        else if (kind == 1)
            ack.bytes_total = 0;
        else if (kind == 2)
            ack.frame = 1000;
        for (int i = 0; i < 8; i++) {
            assert_int_equal(sim.closed[SIM_HOST], 0);
            uint8_t body[32];
            if (kind == 3) { /* held longer than it was there */
                tas_pace_on_sent(&h->pace, 1, sim.now_us);
                ack.bytes_total = h->pace.sent_bytes;
                ack.hold_us = UINT32_MAX;
            }
            say(SIM_VIEWER, TAS_MESSAGE_FRAME_ACK, body,
                (size_t)tas_msg_frame_ack_encode(&ack, body, sizeof(body)));
        }
        if (sim.closed[SIM_HOST] != TAS_END_PROTOCOL)
            fail_msg("kind %d: closed %u, %u bad", kind, sim.closed[SIM_HOST], h->pace.bad_samples);
        sim_stop(&sim);
    }
}

static void acks_of_what_was_never_sent_close(void **state) {
    (void)state;
    for (int less = 0; less < 2; less++) {
        start_active();
        uint8_t body[8];
        const struct tas_msg_ack ack = {.ch = 0, .rx_msgs = less ? 0 : 1000};
        say(SIM_VIEWER, TAS_MESSAGE_ACK, body, (size_t)tas_msg_ack_encode(&ack, body, sizeof(body)));
        assert_int_equal(sim.closed[SIM_HOST], TAS_END_PROTOCOL);
        sim_stop(&sim);
    }
}

static void a_bye_ends_the_session_for_its_reason(void **state) {
    (void)state;
    start_active();
    tas_session_end(sim.end[SIM_VIEWER], TAS_END_OPERATOR, sim.now_us);
    sim_run_ms(&sim, 50);
    assert_int_equal(sim.closed[SIM_HOST], TAS_END_OPERATOR);
    assert_int_equal(sim_count(&sim, SIM_HOST, TAS_EVENT_RELEASE_KEYS), 1);
    assert_string_equal(sim.alarm[SIM_HOST], "");
    sim_stop(&sim);
}

/* ---- handshakes ---- */

static bool both_closed(const struct sim *s) {
    return s->closed[0] && s->closed[1];
}

static bool drop_hs(struct sim *s, unsigned from, struct tas_record *rec, uint8_t *bytes, size_t len) {
    (void)bytes;
    (void)len;
    (void)s;
    return !(rec->type == TAS_RECORD_HS && from == SIM_HOST);
}

static void a_fourth_handshake_is_refused_over_any_relay_and_socket(void **state) {
    (void)state;
    sim_world_init(&world);
    sim_start(&sim, &world);
    sim.tamper = drop_hs; /* no H2 arrives */
    for (int i = 0; i < 5 && !both_closed(&sim); i++) {
        sim_run_ms(&sim, 100);
        if (i & 1)
            sim_socket_lose(&sim, SIM_VIEWER, 0), sim_socket_lose(&sim, SIM_VIEWER, 1);
        else
            sim_relay_kill(&sim, (unsigned)(i / 2) & 1);
        sim_run_ms(&sim, 5000);
        sim_relay_start(&sim, 0);
        sim_relay_start(&sim, 1);
    }
    assert_int_equal(sim.n_hs[SIM_VIEWER][1], 3);
    assert_int_equal(sim.n_hs[SIM_HOST][2], 3);
    assert_int_equal(sim.closed[SIM_VIEWER], TAS_END_ATTEMPTS);
    assert_string_not_equal(sim.alarm[SIM_VIEWER], "");
    sim_stop(&sim);
}

static void ten_thousand_attempts_get_three_h2(void **state) {
    (void)state;
    sim_world_init(&world);
    sim_start(&sim, &world);
    sim.is_cut[SIM_VIEWER] = true;
    sim_run_ms(&sim, 50);
    uint8_t body[8], out[TAS_HS_MAX];
    for (unsigned i = 0; i < 10000; i++) {
        unsigned leg = (unsigned)sim.end[SIM_HOST]->leg;
        if (sim.closed[SIM_HOST])
            break;
        const struct tas_msg_peer peer = {.slot = 1, .state = TAS_PEER_JOINED, .incarnation = 100 + i};
        int len = tas_msg_peer_encode(&peer, body, sizeof(body));
        sim_relay_says(&sim, SIM_HOST, leg, TAS_RECORD_PEER, 0, 0, tas_bytes_of(body, (size_t)len));
        const struct tas_handshake_config cfg = {.crypto = world.cfg[1].crypto,
                                                 .mem = &tas_secret_heap,
                                                 .random = world.cfg[1].random,
                                                 .role = TAS_ROLE_VIEWER,
                                                 .viewer_slot = 1,
                                                 .session_id = sim.end[SIM_HOST]->ticket.session_id,
                                                 .suites = 3};
        struct tas_handshake *hs = tas_handshake_new(&cfg);
        len = tas_handshake_start(hs, out);
        sim_relay_says(&sim, SIM_HOST, leg, TAS_RECORD_HS, 0, 1, tas_bytes_of(out, (size_t)len));
        tas_handshake_free(hs);
        sim_run_ms(&sim, 5);
    }
    assert_int_equal(sim.n_hs[SIM_HOST][2], 3);
    assert_int_equal(sim.closed[SIM_HOST], TAS_END_ATTEMPTS);
    assert_string_not_equal(sim.alarm[SIM_HOST], "");
    sim_stop(&sim);
}

/* ---- records in the relay's hands ---- */

static struct {
    unsigned from, at, how; /* the at-th DATA record of `from`: 0 dropped, 1 twice, 2 swapped with the next, 3
                               changed, 4 as HS */
    unsigned n, position;
    uint8_t kept[TAS_RECORD_HEAD + TAS_RECORD_MAX];
    size_t kept_len;
} touch;

static bool touch_data(struct sim *s, unsigned from, struct tas_record *rec, uint8_t *bytes, size_t len) {
    if (from != touch.from || rec->type != TAS_RECORD_DATA || touch.n++ < touch.at)
        return true;
    int leg = sim_joined_leg(s, !from, 0);
    if (touch.n == touch.at + 1) {
        switch (touch.how) {
        case 0:
            return false;
        case 1:
            sim_relay_says(s, !from, (unsigned)leg, rec->type, rec->pf, (uint16_t)from, rec->payload);
            return true;
        case 2:
            memcpy(touch.kept, bytes, len);
            touch.kept_len = len;
            return false;
        case 3:
            bytes[TAS_RECORD_HEAD + touch.position % (len - TAS_RECORD_HEAD)] ^= 0x10;
            return true;
        default:
            rec->type = TAS_RECORD_HS;
            rec->pf = 0;
            return true;
        }
    }
    if (touch.kept_len) { /* the one before comes behind this one */
        sim_relay_says(s, !from, (unsigned)leg, rec->type, rec->pf, (uint16_t)from, rec->payload);
        sim_relay_says(s, !from, (unsigned)leg, touch.kept[0], touch.kept[1], (uint16_t)from,
                       tas_bytes_of(touch.kept + TAS_RECORD_HEAD, touch.kept_len - TAS_RECORD_HEAD));
        touch.kept_len = 0;
        return false;
    }
    return true;
}

static void a_record_dropped_doubled_swapped_or_changed_closes_with_an_alarm(void **state) {
    (void)state;
    for (unsigned from = 0; from < 2; from++)
        for (unsigned how = 0; how < 5; how++)
            for (unsigned at = 0; at < 5; at++) {
                start_active();
                memset(&touch, 0, sizeof(touch));
                touch.from = from;
                touch.how = how;
                touch.at = at;
                touch.position = at * 5;
                sim.tamper = touch_data;
                for (int i = 0; i < 12; i++) {
                    char text[2] = {(char)('a' + i), 0};
                    int err = tas_session_chat(sim.end[from], tas_bytes_of(text, 1), 0);
                    assert_true(err == TAS_OK || err == TAS_E_STATE);
                    sim_run_ms(&sim, 5);
                }
                if (sim.closed[!from] != TAS_END_PROTOCOL || !sim.alarm[!from][0])
                    fail_msg("from %u, how %u, record %u: closed %u", from, how, at, sim.closed[!from]);
                /* what was seen before is right: `n` chats, the last of them the nth letter */
                assert_true(sim.n_chat[!from] <= at + 1);
                if (sim.n_chat[!from])
                    assert_int_equal(sim.chat[!from][0], 'a' + (int)sim.n_chat[!from] - 1);
                sim_stop(&sim);
            }
}

/* ---- memory ---- */

static void a_peer_that_stops_reading_costs_a_bounded_queue(void **state) {
    (void)state;
    start_active();
    start_screen(200, 200);
    sim.is_cut[SIM_VIEWER] = sim.is_cut[SIM_HOST] = true;
    struct tas_session *h = sim.end[SIM_HOST];
    char text[4000];
    memset(text, 'x', sizeof(text));
    unsigned sent = 0;
    int err = TAS_OK;
    for (; sent < 1000 && err == TAS_OK; sent++)
        err = tas_session_chat(h, tas_bytes_of(text, sizeof(text)), 0);
    assert_int_equal(err, TAS_E_FULL);
    for (int i = 0; i < 100000; i++)
        tas_session_cursor(h, (uint32_t)i % 200, 7, NULL);
    for (int i = 0; i < 20000; i++)
        tas_session_pause(h, i & 1);
    for (int i = 0; i < 200; i++)
        assert_int_equal(tas_session_screen(h, 100 + (uint32_t)i, 100), TAS_OK);
    size_t bytes = 0;
    for (int ch = 0; ch < TAS_CHANNELS; ch++)
        bytes += h->ch.ch[ch].bytes;
    assert_true(bytes <= 3 * 256 * 1024 + TAS_FRAME_MAX);
    for (uint32_t i = 0; i < 100000; i++) {
        const struct tas_msg_input in = {.kind = 2};
        err = tas_session_send_input(sim.end[SIM_VIEWER], &in);
    }
    assert_int_equal(err, TAS_E_FULL);
    sim_stop(&sim);
}

static void a_viewer_that_asks_for_the_screen_again_and_again_piles_up_nothing(void **state) {
    (void)state;
    start_active();
    start_screen(64, 64);
    struct tas_session *h = sim.end[SIM_HOST];
    uint64_t busy = UINT64_MAX / 2;
    sim.busy_until_us[SIM_HOST][1] = busy; /* nothing leaves the host */
    static const uint8_t views[2][4] = {{0}, {1}};
    for (int i = 0; i < 200; i++)
        say_on(SIM_VIEWER, 0, TAS_CLASS_CONTROL, TAS_MESSAGE_VIEW, views[i & 1], 4);
    sim_run_ms(&sim, 20);
    assert_true(h->ch.ch[2].bytes < 64 * 1024);
    sim_stop(&sim);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(input_without_the_right_does_nothing),
        cmocka_unit_test(before_the_code_nothing_of_the_screen_leaves_the_host),
        cmocka_unit_test(a_host_closes_on_what_no_viewer_may_say),
        cmocka_unit_test(a_viewer_closes_on_what_no_host_may_say),
        cmocka_unit_test(unknown_messages_are_skipped),
        cmocka_unit_test(fragments_in_the_wrong_order_or_too_large_close),
        cmocka_unit_test(the_eighth_impossible_frame_ack_closes),
        cmocka_unit_test(acks_of_what_was_never_sent_close),
        cmocka_unit_test(a_bye_ends_the_session_for_its_reason),
        cmocka_unit_test(a_fourth_handshake_is_refused_over_any_relay_and_socket),
        cmocka_unit_test(ten_thousand_attempts_get_three_h2),
        cmocka_unit_test(a_record_dropped_doubled_swapped_or_changed_closes_with_an_alarm),
        cmocka_unit_test(a_peer_that_stops_reading_costs_a_bounded_queue),
        cmocka_unit_test(a_viewer_that_asks_for_the_screen_again_and_again_piles_up_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
