/* Two scripts. Without keys: bytes into one leg of a fresh end, in each state of a relay connection. With
 * keys: two ends over pretended relays, one of which says whatever the input has under the real keys, between
 * steps of time, lost sockets and what owners do. Laws: no crash, no deadline left in the past (sim.c asserts
 * it), bounded queues, and the host sends records of class 2 only to a viewer that is VERIFIED, may see and
 * asked. */
#include "session/engine_private.h"
#include "sim.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { OPS_MAX = 64, MEMORY_MAX = 8 * 1024 * 1024 };

static struct sim_world world;
static struct sim sim;
static uint32_t random_state;

static void fill_same(void *ctx, void *out, size_t len) {
    (void)ctx;
    for (size_t i = 0; i < len; i++) {
        random_state = random_state * 1664525 + 1013904223;
        ((uint8_t *)out)[i] = (uint8_t)(random_state >> 24);
    }
}

static void world_once(void) {
    random_state = 1;
    if (world.keyset.count)
        return;
    sim_world_init(&world);
    world.cfg[0].random.fill = world.cfg[1].random.fill = fill_same;
}

/* ---- without keys ---- */

static void drain(struct tas_session *s, unsigned leg, uint64_t now_us) {
    struct tas_event ev;
    do {
        tas_session_event(s, &ev);
    } while (ev.kind != TAS_EVENT_NONE);
    struct tas_bytes out = tas_session_output(s, leg, now_us);
    tas_session_sent(s, leg, out.len);
}

static void give(struct tas_session *s, uint8_t type, const uint8_t *body, int len, uint64_t now_us) {
    uint8_t all[TAS_RECORD_HEAD + 64];
    assert(len >= 0 && len <= 64);
    tas_record_head_encode(all, type, 0, 0, (size_t)len);
    memcpy(all + TAS_RECORD_HEAD, body, (size_t)len);
    tas_session_input(s, 0, tas_bytes_of(all, TAS_RECORD_HEAD + (size_t)len), now_us);
}

static void without_keys(struct tas_reader *in, unsigned end, unsigned depth) {
    uint64_t now_us = 1000000;
    static const uint8_t cb[32];
    uint8_t body[64];
    struct tas_session *s = tas_session_new(&world.cfg[end], now_us);
    assert(s);
    drain(s, 0, now_us);
    tas_session_secured(s, 0, cb, now_us);
    if (depth >= 1) {
        const struct tas_msg_challenge m = {.ver = 1, .relay_id = 1};
        give(s, TAS_RECORD_CHALLENGE, body, tas_msg_challenge_encode(&m, body, sizeof(body)), now_us);
    }
    if (depth >= 2) {
        const struct tas_msg_welcome m = {.slot = (uint8_t)end};
        give(s, TAS_RECORD_WELCOME, body, tas_msg_welcome_encode(&m, body, sizeof(body)), now_us);
    }
    if (depth >= 3) {
        const struct tas_msg_peer m = {.slot = (uint8_t)!end, .state = TAS_PEER_JOINED, .incarnation = 7};
        give(s, TAS_RECORD_PEER, body, tas_msg_peer_encode(&m, body, sizeof(body)), now_us);
    }
    while (in->in.len > 2 && !in->bad) {
        uint8_t ms = tas_read_u8(in);
        size_t n = tas_read_u8(in);
        n = n < in->in.len ? n : in->in.len;
        n = n < tas_session_input_room(s, 0) ? n : tas_session_input_room(s, 0);
        tas_session_input(s, 0, tas_read_bytes(in, n), now_us);
        drain(s, 0, now_us);
        now_us += (uint64_t)ms * 1000;
        if (tas_session_deadline_us(s) <= now_us) {
            tas_session_tick(s, now_us);
            assert(tas_session_deadline_us(s) > now_us);
        }
        drain(s, 0, now_us);
        assert(s->handshakes <= 3 && !tas_state_keeps_keys(s->state));
    }
    tas_session_free(s);
}

/* ---- with keys ---- */

static bool may_show; /* at some moment since the last look */

static void look(struct sim *s, unsigned end, const struct tas_event *ev) {
    (void)ev;
    const struct tas_session *h = s->end[SIM_HOST];
    if (end == SIM_HOST)
        may_show = may_show || host_may_show(h);
}

static void say(unsigned end, uint8_t pf, struct tas_bytes plain) {
    struct tas_session *s = sim.end[end];
    uint8_t sealed[TAS_RECORD_MAX];
    if (!s->sealer || s->leg == TAS_NO_LEG)
        return;
    int len = tas_sealer_seal(s->sealer, pf & 15, plain, sealed, sizeof(sealed), sim.now_us);
    if (len > 0)
        leg_put(&s->legs[s->leg], TAS_RECORD_DATA, pf & 15, (uint16_t)(1u << s->peer_slot),
                tas_bytes_of(sealed, (size_t)len));
}

static void say_message(struct tas_reader *in, unsigned end) {
    static const uint16_t types[] = {TAS_MESSAGE_AUTH,  TAS_MESSAGE_VERIFY,     TAS_MESSAGE_VERIFIED,
                                     TAS_MESSAGE_SYNC,  TAS_MESSAGE_ACK,        TAS_MESSAGE_FRAME_ACK,
                                     TAS_MESSAGE_BYE,   TAS_MESSAGE_ASK,        TAS_MESSAGE_GRANTS,
                                     TAS_MESSAGE_VIEW,  TAS_MESSAGE_INPUT,      TAS_MESSAGE_SCREEN,
                                     TAS_MESSAGE_FRAME, TAS_MESSAGE_CURSOR_POS, TAS_MESSAGE_CURSOR_IMAGE,
                                     TAS_MESSAGE_CHAT,  TAS_MESSAGE_DEVICE,     TAS_MESSAGE_MONITORS};
    static const uint16_t sizes[] = {416, 2, 2, 72, 8, 32, 40, 2, 4, 4, 56, 16, 40, 12, 28, 20, 20, 52};
    unsigned which = tas_read_u8(in) % 18;
    uint8_t body[416] = {0}, plain[512];
    size_t n = tas_read_u8(in) % (sizes[which] + 1u);
    n = n < in->in.len ? n : in->in.len;
    struct tas_bytes some = tas_read_bytes(in, n);
    if (some.len)
        memcpy(body, some.ptr, some.len);
    int ch = tas_message_channel(types[which]);
    uint8_t cls = ch == 2 ? 2 : ch == 7 || types[which] == TAS_MESSAGE_CURSOR_IMAGE ? 1 : 0;
    const struct tas_fragment frag = {.ch = (uint8_t)ch,
                                      .is_start = true,
                                      .is_fin = true,
                                      .type = types[which],
                                      .total = sizes[which],
                                      .body = tas_bytes_of(body, sizes[which])};
    int len = tas_fragment_encode(&frag, cls < 2 ? 64 : 1, plain, sizeof(plain));
    assert(len > 0);
    say(end, cls, tas_bytes_of(plain, (size_t)len));
}

static void with_keys_step(struct tas_reader *in) {
    uint8_t op = tas_read_u8(in);
    unsigned end = op >> 7;
    uint8_t arg = tas_read_u8(in);
    switch (op % 16) {
    case 0:
    case 1: {
        size_t n = arg < in->in.len ? arg : in->in.len;
        say(end, op >> 4, tas_read_bytes(in, n));
        break;
    }
    case 2:
    case 3:
    case 4:
        say_message(in, end);
        break;
    case 5:
        sim_run_ms(&sim, arg * 10u);
        break;
    case 6:
        sim_socket_lose(&sim, end, arg & 1);
        break;
    case 7:
        if (arg & 1)
            sim_relay_kill(&sim, arg >> 1 & 1);
        else
            sim_relay_start(&sim, arg >> 1 & 1);
        break;
    case 8:
        (void)!tas_session_chat(sim.end[end], tas_bytes_of("hello", 5), arg);
        break;
    case 9:
        tas_session_view(sim.end[SIM_VIEWER], arg & 1);
        break;
    case 10:
        tas_session_grant(sim.end[SIM_HOST], arg);
        break;
    case 11:
        tas_session_pause(sim.end[SIM_HOST], arg & 1);
        break;
    case 12:
        sim_paint(&sim, arg & 31, arg >> 5, 20, 20, arg * 0x10503u);
        break;
    case 13:
        sim.is_cut[end] = arg & 1;
        break;
    case 14:
        sim.type_code = arg & 1;
        break;
    default:
        sim.decode = arg & 1;
        break;
    }
}

static void with_keys(struct tas_reader *in, bool is_verified) {
    sim_start(&sim, &world);
    sim.type_code = is_verified;
    sim.on_event = look;
    sim.screen = tas_picture_new(80, 70);
    assert(sim.screen && tas_session_screen(sim.end[SIM_HOST], 80, 70) == TAS_OK);
    bool is_up = sim_until(&sim, is_verified ? sim_both_active : sim_both_keyed, 100);
    assert(is_up);
    for (int i = 0; i < OPS_MAX && in->in.len > 1 && !in->bad; i++) {
        uint64_t before = sim.end[SIM_HOST]->screen_bytes;
        may_show = host_may_show(sim.end[SIM_HOST]);
        with_keys_step(in);
        may_show = may_show || host_may_show(sim.end[SIM_HOST]);
        sim_run_ms(&sim, 2);
        may_show = may_show || host_may_show(sim.end[SIM_HOST]);
        assert(may_show || sim.end[SIM_HOST]->screen_bytes == before);
        assert(sim.end[SIM_HOST]->handshakes <= 3 && sim.end[SIM_VIEWER]->handshakes <= 3);
        for (unsigned end = 0; end < 2; end++) {
            size_t bytes = 0;
            for (int ch = 0; ch < TAS_CHANNELS; ch++)
                bytes += sim.end[end]->ch.ch[ch].bytes;
            assert(bytes < MEMORY_MAX);
        }
    }
    sim_stop(&sim);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    if (len < 2)
        return 0;
    world_once();
    struct tas_reader in = tas_reader_of(tas_bytes_of(data + 1, len - 1));
    if (data[0] & 1)
        with_keys(&in, data[0] & 2);
    else
        without_keys(&in, data[0] >> 1 & 1, data[0] >> 2 & 3);
    return 0;
}
