#include "golden.h"
#include "wire/messages.h"
#include "wire/record.h"
#include "wire/signed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- golden bytes ---- */

static void golden_bytes_give_the_fields_of_the_signed_layouts(void **state) {
    (void)state;
    struct tas_msg_ticket t;
    assert_int_equal(tas_msg_ticket_decode(&t, tas_bytes_of(ticket_bytes, sizeof(ticket_bytes))), TAS_OK);
    assert_int_equal(t.ver, 1);
    assert_int_equal(t.kid, 2);
    assert_int_equal(t.role, TAS_ROLE_VIEWER);
    assert_int_equal(t.slot, 15);
    assert_int_equal(t.perms, 0x7f);
    assert_int_equal(t.max_viewers, 3);
    assert_int_equal(t.session_id, 0x1122334455667788);
    assert_int_equal(t.jti[15], 0xa1);
    assert_int_equal(t.not_before_ms, 0x1a1ed6ec200);
    assert_int_equal(t.connect_ttl_s, 60);
    assert_int_equal(t.session_ttl_s, 900);
    assert_int_equal(t.rate_Bps, 0x10203);
    assert_int_equal(t.company_id, 0x1267);
    assert_int_equal(t.pop_pk[0], 0xa2);
    assert_int_equal(t.relay_ids[0], 1);
    assert_int_equal(t.relay_ids[2], 0x80000003);
    assert_int_equal(t.relay_ids[3], 0);
    assert_int_equal(t.kind, 2);
    assert_int_equal(t.sig[63], 0xa3);

    struct tas_msg_statement st;
    assert_int_equal(tas_msg_statement_decode(&st, tas_bytes_of(statement_bytes, sizeof(statement_bytes))),
                     TAS_OK);
    assert_int_equal(st.kid, 7);
    assert_int_equal(st.role, TAS_ROLE_HOST);
    assert_int_equal(st.perms, 0x43);
    assert_int_equal(st.kind, 1);
    assert_int_equal(st.session_id, 0x1122334455667788);
    assert_int_equal(st.company_id, 0x1267);
    assert_int_equal(st.not_after_ms, 0x1a1ed6ec200);
    assert_int_equal(st.pop_pk[31], 0xb1);
    assert_int_equal(st.company[95], 'c');
    assert_int_equal(st.name[0], 'n');
    assert_int_equal(st.sig[0], 0xb2);
}

static void golden_bytes_give_the_fields_of_the_records(void **state) {
    (void)state;
    struct tas_msg_hello h;
    assert_int_equal(tas_msg_hello_decode(&h, tas_bytes_of(hello_bytes, sizeof(hello_bytes))), TAS_OK);
    assert_int_equal(h.magic, TAS_MAGIC);
    assert_int_equal(h.ver_min, 1);
    assert_int_equal(h.ver_max, 2);
    assert_int_equal(h.flags, 5);
    assert_int_equal(h.caps, 0x01020304);
    assert_int_equal(h.rx_limit, 262144);
    assert_int_equal(h.resume_token[0], 0xd1);
    assert_int_equal(h.ticket[191], 0xd4);

    struct tas_msg_challenge ch;
    assert_int_equal(tas_msg_challenge_decode(&ch, tas_bytes_of(challenge_bytes, sizeof(challenge_bytes))),
                     TAS_OK);
    assert_int_equal(ch.relay_id, 0x80000001);
    assert_int_equal(ch.caps, 0x01020304);
    assert_int_equal(ch.nonce[31], 0xe1);

    struct tas_msg_welcome w;
    assert_int_equal(tas_msg_welcome_decode(&w, tas_bytes_of(welcome_bytes, sizeof(welcome_bytes))), TAS_OK);
    assert_int_equal(w.slot, 3);
    assert_int_equal(w.keepalive_s, 10);
    assert_int_equal(w.peers, 0x8001);
    assert_int_equal(w.grace_s, 120);
    assert_int_equal(w.max_payload, TAS_RECORD_MAX);
    assert_int_equal(w.rate_Bps, 100000);
    assert_int_equal(w.server_ms, 0x1a1ed6ec200);

    struct tas_msg_peer p;
    assert_int_equal(tas_msg_peer_decode(&p, tas_bytes_of(peer_bytes, sizeof(peer_bytes))), TAS_OK);
    assert_int_equal(p.slot, 0);
    assert_int_equal(p.state, TAS_PEER_SUSPENDED);
    assert_int_equal(p.incarnation, 0xfffefdfc);

    struct tas_msg_close c;
    assert_int_equal(tas_msg_close_decode(&c, tas_bytes_of(close_bytes, sizeof(close_bytes))), TAS_OK);
    assert_int_equal(c.code, TAS_CLOSE_BYE);
    assert_true(tas_bytes_equal(c.text, tas_bytes_of("bye", 3)));
    assert_int_equal(tas_msg_close_decode(&c, tas_bytes_of(close_bytes, 2)), TAS_OK);
    assert_int_equal(c.text.len, 0);
}

static void golden_bytes_give_the_fields_of_handshake_and_resume(void **state) {
    (void)state;
    struct tas_msg_hs_head h;
    assert_int_equal(tas_msg_hs_head_decode(&h, tas_bytes_of(hs_head_bytes, sizeof(hs_head_bytes))), TAS_OK);
    assert_int_equal(h.type, 1);
    assert_int_equal(h.ver, 2);
    assert_int_equal(h.suites, 0xa503);
    assert_int_equal(h.caps, 0xc0010005);
    assert_int_equal(h.role, TAS_ROLE_VIEWER);
    assert_int_equal(h.slot, 15);
    assert_int_equal(h.max_rec, TAS_RECORD_MAX);
    assert_int_equal(h.session_id, 0x1122334455667788);

    struct tas_msg_rs rs;
    assert_int_equal(tas_msg_rs_decode(&rs, tas_bytes_of(rs_bytes, sizeof(rs_bytes))), TAS_OK);
    assert_int_equal(rs.type, 4);
    assert_int_equal(rs.role, TAS_ROLE_VIEWER);
    assert_int_equal(rs.slot, 3);
    assert_int_equal(rs.gen, 258);
    assert_int_equal(rs.n[0], 0x1a);
    assert_int_equal(rs.e_pk[0], 0x1b);
    assert_int_equal(rs.mac[0], 0x1c);
    assert_int_equal(rs.sig[0], 0x1d);

    struct tas_msg_sealed_head s;
    assert_int_equal(
        tas_msg_sealed_head_decode(&s, tas_bytes_of(sealed_head_bytes, sizeof(sealed_head_bytes))), TAS_OK);
    assert_int_equal(s.kid, 13);
    assert_int_equal(s.cls, 2);
    assert_int_equal(s.ctr[5], 3);
}

static void golden_bytes_give_the_fields_of_input_sync_and_frame_ack(void **state) {
    (void)state;
    struct tas_msg_input in;
    assert_int_equal(tas_msg_input_decode(&in, tas_bytes_of(input_bytes, sizeof(input_bytes))), TAS_OK);
    assert_int_equal(in.kind, 4);
    assert_int_equal(in.is_down, 1);
    assert_int_equal(in.monitor, 2);
    assert_int_equal(in.n_text, 6);
    assert_int_equal(in.layout, 5);
    assert_int_equal(in.seq, 256);
    assert_int_equal(in.x, 1920);
    assert_int_equal(in.y, 1080);
    assert_int_equal(in.buttons, 5);
    assert_int_equal(in.keycode, 30);
    assert_int_equal((int16_t)in.wheel_x, -1);
    assert_int_equal(in.wheel_y, 1);
    assert_int_equal(in.keysym, 'a');
    assert_int_equal(in.text[1], 0x1f600);
    assert_int_equal(in.text[5], 0x10ffff);

    struct tas_msg_sync sync;
    assert_int_equal(tas_msg_sync_decode(&sync, tas_bytes_of(sync_bytes, sizeof(sync_bytes))), TAS_OK);
    assert_int_equal(sync.rx_msgs[0], 0);
    assert_int_equal(sync.rx_msgs[9], 9);
    assert_int_equal(sync.rx_msgs[10], 256);
    assert_int_equal(sync.rx_msgs[15], 0x01020304);
    assert_int_equal(sync.stream, 7);
    assert_int_equal(sync.last_frame, 9);

    struct tas_msg_frame_ack fa;
    assert_int_equal(tas_msg_frame_ack_decode(&fa, tas_bytes_of(frame_ack_bytes, sizeof(frame_ack_bytes))),
                     TAS_OK);
    assert_int_equal(fa.frame, 0x201);
    assert_int_equal(fa.bytes_total, (UINT64_C(1) << 32) + 2);
    assert_int_equal(fa.hold_us, 10000);
    assert_int_equal(fa.decode_ms, 5);
    assert_int_equal(fa.queue, 2);
    assert_int_equal(fa.flags, 1);
}

static void golden_bytes_give_the_fields_of_view_and_monitors(void **state) {
    (void)state;
    struct tas_msg_view v;
    assert_int_equal(tas_msg_view_decode(&v, tas_bytes_of(view_bytes, sizeof(view_bytes))), TAS_OK);
    assert_int_equal(v.is_on, 1);
    assert_int_equal(v.monitor, 255);

    struct tas_msg_monitor one;
    assert_int_equal(tas_msg_monitor_decode(&one, tas_bytes_of(monitor_bytes, sizeof(monitor_bytes))),
                     TAS_OK);
    assert_int_equal(one.id, 3);
    assert_int_equal(one.flags, 1);
    assert_int_equal(one.x, 1920);
    assert_int_equal(one.y, 16);
    assert_int_equal(one.width, 2560);
    assert_int_equal(one.height, 1440);
    assert_string_equal((const char *)one.name, "DP-1");

    struct tas_msg_monitors all;
    assert_int_equal(tas_msg_monitors_decode(&all, tas_bytes_of(monitors_bytes, sizeof(monitors_bytes))),
                     TAS_OK);
    assert_int_equal(all.layout, 0x80000002);
    assert_int_equal(all.count, 1);
    assert_int_equal(all.shown, 3);
    assert_int_equal(all.list.len, TAS_SIZE_MONITOR);
}

/* ---- laws for every layout ---- */

/* Where the fixed part of a layout ends, and which of its bytes must be zero. */
struct shape {
    size_t len;
    bool has_tail;
    uint8_t is_pad[512];
};

static void pad(struct shape *s, size_t n) {
    memset(s->is_pad + s->len, 1, n);
    s->len += n;
}

/* clang-format off */
#define HEAD(name)                  static struct shape name##_shape(void) { struct shape s = {0};
#define LAYOUT(NAME, name, size)    HEAD(name)
#define RECORD(id, NAME, name)      HEAD(name)
#define MESSAGE(id, NAME, name, ch) HEAD(name)
#define U8(f)        s.len += 1;
#define U16(f)       s.len += 2;
#define U32(f)       s.len += 4;
#define U64(f)       s.len += 8;
#define U32S(f, n)   s.len += 4 * (n);
#define U64S(f, n)   s.len += 8 * (n);
#define BYTES(f, n)  s.len += (n);
#define PAD(n)       pad(&s, n);
#define TAIL(f, max) s.has_tail = true;
#define END(name)    return s; }
#include "wire/messages.def"
#include "wire/fields_undef.h"
#undef HEAD

#define EACH(name) \
static void name##_keeps_the_laws(void) { \
    const struct shape s = name##_shape(); \
    struct tas_msg_##name msg, kept; \
    uint8_t bytes[sizeof(name##_bytes) + 1], again[sizeof(name##_bytes) + 1]; \
    assert_true(s.has_tail ? s.len < sizeof(name##_bytes) : s.len == sizeof(name##_bytes)); \
    memcpy(bytes, name##_bytes, sizeof(name##_bytes)); \
    bytes[sizeof(name##_bytes)] = 0; \
    /* back to the same bytes */ \
    assert_int_equal(tas_msg_##name##_decode(&msg, tas_bytes_of(bytes, sizeof(name##_bytes))), TAS_OK); \
    memset(again, 0xa5, sizeof(again)); \
    assert_int_equal(tas_msg_##name##_encode(&msg, again, sizeof(name##_bytes)), sizeof(name##_bytes)); \
    assert_memory_equal(again, bytes, sizeof(name##_bytes)); \
    assert_int_equal(again[sizeof(name##_bytes)], 0xa5); \
    for (size_t cap = 0; cap < sizeof(name##_bytes); cap++) \
        assert_int_equal(tas_msg_##name##_encode(&msg, again, cap), TAS_E_LIMIT); \
    /* cut anywhere in the fixed part, or one byte more: refused, and out is left alone */ \
    memset(&msg, 0x77, sizeof(msg)); \
    memset(&kept, 0x77, sizeof(kept)); \
    for (size_t len = 0; len < s.len; len++) { \
        assert_int_equal(tas_msg_##name##_decode(&msg, tas_bytes_of(bytes, len)), TAS_E_PROTO); \
        assert_memory_equal(&msg, &kept, sizeof(msg)); \
    } \
    if (!s.has_tail) \
        assert_int_equal(tas_msg_##name##_decode(&msg, tas_bytes_of(bytes, sizeof(bytes))), TAS_E_PROTO); \
    /* padding that is not zero */ \
    for (size_t i = 0; i < 8 * s.len; i++) { \
        if (!s.is_pad[i / 8]) \
            continue; \
        bytes[i / 8] ^= (uint8_t)(1 << (i % 8)); \
        assert_int_equal(tas_msg_##name##_decode(&msg, tas_bytes_of(bytes, sizeof(name##_bytes))), TAS_E_PROTO); \
        bytes[i / 8] ^= (uint8_t)(1 << (i % 8)); \
    } \
    assert_memory_equal(&msg, &kept, sizeof(msg)); \
}
#define LAYOUT(NAME, name, size)    EACH(name)
#define RECORD(id, NAME, name)      EACH(name)
#define MESSAGE(id, NAME, name, ch) EACH(name)
#include "wire/fields_ignore.h"
#include "wire/messages.def"
#include "wire/fields_undef.h"
#undef EACH

static void every_layout_is_refused_when_cut_or_longer_or_with_padding_and_comes_back_the_same(void **state) {
    (void)state;
#define LAYOUT(NAME, name, size)    name##_keeps_the_laws(); assert_int_equal(sizeof(name##_bytes), size);
#define RECORD(id, NAME, name)      name##_keeps_the_laws();
#define MESSAGE(id, NAME, name, ch) name##_keeps_the_laws();
#include "wire/fields_ignore.h"
#include "wire/messages.def"
#include "wire/fields_undef.h"
}

/* clang-format on */

static void a_tail_of_the_largest_length_is_taken_and_one_byte_more_is_over_the_limit(void **state) {
    (void)state;
    enum { ROOM = 4194304 + 64 };
    uint8_t *big = calloc(1, ROOM);
    uint8_t *again = malloc(ROOM);
    assert_true(big && again);
#define TAIL_LIMIT(name, fixed, field, max)                                                                  \
    do {                                                                                                     \
        struct tas_msg_##name msg, kept;                                                                     \
        assert_int_equal(tas_msg_##name##_decode(&msg, tas_bytes_of(big, (fixed) + (max))), TAS_OK);         \
        assert_int_equal(msg.field.len, max);                                                                \
        assert_int_equal(tas_msg_##name##_encode(&msg, again, ROOM), (fixed) + (max));                       \
        msg.field.len++;                                                                                     \
        assert_int_equal(tas_msg_##name##_encode(&msg, again, ROOM), TAS_E_LIMIT);                           \
        memset(&msg, 0x77, sizeof(msg));                                                                     \
        memset(&kept, 0x77, sizeof(kept));                                                                   \
        assert_int_equal(tas_msg_##name##_decode(&msg, tas_bytes_of(big, (fixed) + (max) + 1)),              \
                         TAS_E_LIMIT);                                                                       \
        assert_memory_equal(&msg, &kept, sizeof(msg));                                                       \
    } while (0)
    TAIL_LIMIT(data, 0, sealed, 16376);
    TAIL_LIMIT(hs, 0, message, 2048);
    TAIL_LIMIT(close, 2, text, 256);
    TAIL_LIMIT(frame, 0, frame, 4194304);
    TAIL_LIMIT(cursor_image, 12, rgba, 262132);
    TAIL_LIMIT(chat, 8, text, 4000);
    TAIL_LIMIT(device, 0, json, 15360);
    TAIL_LIMIT(monitors, 8, list, 704);
#undef TAIL_LIMIT
    free(big);
    free(again);
}

static void types_have_names_and_channels(void **state) {
    (void)state;
    assert_string_equal(tas_record_type_name(0x01), "HELLO");
    assert_string_equal(tas_record_type_name(0x2f), "CLOSE");
    assert_string_equal(tas_record_type_name(0x00), "unknown");
    assert_string_equal(tas_message_type_name(0x8001), "AUTH");
    assert_string_equal(tas_message_type_name(0x0001), "unknown");
    assert_int_equal(tas_message_channel(TAS_MESSAGE_AUTH), 0);
    assert_int_equal(tas_message_channel(TAS_MESSAGE_INPUT), 1);
    assert_int_equal(tas_message_channel(TAS_MESSAGE_FRAME), 2);
    assert_int_equal(tas_message_channel(TAS_MESSAGE_CURSOR_IMAGE), 3);
    assert_int_equal(tas_message_channel(TAS_MESSAGE_CHAT), 7);
    assert_int_equal(tas_message_channel(0x7fff), -1);
    assert_string_equal(tas_close_text(14), "the session has ended");
    assert_string_equal(tas_close_text(0), "unknown reason");
    assert_string_equal(tas_close_text(15), "unknown reason");
}

/* ---- records ---- */

static void a_record_is_taken_once_it_is_whole(void **state) {
    (void)state;
    static const uint8_t bytes[] = {
        0x10,                   /* type = DATA */
        0x0d,                   /* pf = class 1, UNIT_START, UNIT_END */
        0x80, 0x01,             /* route */
        0x00, 0x00, 0x00, 0x03, /* len */
        'a',  'b',  'c',        /* payload */
        0x20,                   /* the next one begins */
    };
    for (size_t len = 0; len < 11; len++) {
        struct tas_record rec = {.type = 77};
        size_t used = 99;
        assert_int_equal(tas_record_decode(&rec, &used, tas_bytes_of(bytes, len)), TAS_E_MORE);
        assert_int_equal(rec.type, 77);
        assert_int_equal(used, 99);
    }
    struct tas_record rec;
    size_t used;
    for (size_t len = 11; len <= sizeof(bytes); len++) {
        assert_int_equal(tas_record_decode(&rec, &used, tas_bytes_of(bytes, len)), TAS_OK);
        assert_int_equal(used, 11);
        assert_int_equal(rec.type, TAS_RECORD_DATA);
        assert_int_equal(rec.pf, 0x0d);
        assert_int_equal(rec.route, 0x8001);
        assert_true(tas_bytes_equal(rec.payload, tas_bytes_of("abc", 3)));
    }
    uint8_t head[TAS_RECORD_HEAD];
    tas_record_head_encode(head, rec.type, rec.pf, rec.route, rec.payload.len);
    assert_memory_equal(head, bytes, sizeof(head));
}

static void a_record_over_the_limit_is_refused_before_its_payload_comes(void **state) {
    (void)state;
    struct tas_record rec;
    size_t used;
    uint8_t head[8] = {0x10, 0, 0, 0, 0x00, 0x00, 0x3f, 0xf8}; /* 16376 */
    assert_int_equal(tas_record_decode(&rec, &used, tas_bytes_of(head, 8)), TAS_E_MORE);
    static const uint8_t over[][4] = {{0x00, 0x00, 0x3f, 0xf9},
                                      {0x00, 0x00, 0x40, 0x00},
                                      {0x00, 0x01, 0x00, 0x00},
                                      {0xff, 0xff, 0xff, 0xff}};
    for (size_t i = 0; i < 4; i++) {
        memcpy(head + 4, over[i], 4);
        assert_int_equal(tas_record_decode(&rec, &used, tas_bytes_of(head, 8)), TAS_E_LIMIT);
        assert_int_equal(tas_record_decode(&rec, &used, tas_bytes_of(head, 7)), TAS_E_MORE);
    }
    static uint8_t whole[TAS_RECORD_HEAD + TAS_RECORD_MAX] = {0x10, 0, 0, 0, 0x00, 0x00, 0x3f, 0xf8};
    assert_int_equal(tas_record_decode(&rec, &used, tas_bytes_of(whole, sizeof(whole))), TAS_OK);
    assert_int_equal(used, sizeof(whole));
    assert_int_equal(used, 16384); /* one TLS record */
}

static void unknown_bits_in_pf_are_refused(void **state) {
    (void)state;
    for (unsigned pf = 0; pf < 256; pf++) {
        const uint8_t bytes[] = {0x20, (uint8_t)pf, 0, 0, 0, 0, 0, 0};
        struct tas_record rec;
        size_t used;
        int err = tas_record_decode(&rec, &used, tas_bytes_of(bytes, sizeof(bytes)));
        assert_int_equal(err, pf < 32 ? TAS_OK : TAS_E_PROTO);
    }
}

/* ---- fragments ---- */

static int fragment(struct tas_fragment *out, uint8_t flags, uint32_t len, const char *rest,
                    size_t rest_len) {
    uint8_t bytes[256] = {
        0x07,        flags, 0x00, 0x30, (uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8),
        (uint8_t)len};
    assert_true(rest_len <= sizeof(bytes) - 8);
    memcpy(bytes + 8, rest, rest_len);
    return tas_fragment_decode(out, tas_bytes_of(bytes, 8 + rest_len));
}

static void a_fragment_means_what_its_flags_say(void **state) {
    (void)state;
    struct tas_fragment f;
    assert_int_equal(fragment(&f, 3, 5, "hello", 5), TAS_OK); /* START, FIN: all of it, no total */
    assert_true(f.is_start && f.is_fin && f.ch == 7 && f.type == TAS_MESSAGE_CHAT);
    assert_int_equal(f.total, 5);
    assert_int_equal(f.body.len, 5);

    assert_int_equal(fragment(&f, 1, 9, "\x00\x01\x02\x03hello", 9), TAS_OK); /* START: a total comes first */
    assert_true(f.is_start && !f.is_fin);
    assert_int_equal(f.total, 0x00010203);
    assert_int_equal(f.body.len, 5);
    assert_memory_equal(f.body.ptr, "hello", 5);
    assert_int_equal(fragment(&f, 1, 4, "\x00\x01\x02\x03", 4), TAS_OK);
    assert_int_equal(f.body.len, 0);
    for (uint32_t len = 0; len < 4; len++) /* no room for the total */
        assert_int_equal(fragment(&f, 1, len, "\0\0\0", len), TAS_E_PROTO);

    for (uint8_t flags = 0; flags <= 2; flags = (uint8_t)(flags + 2)) { /* in the middle; FIN: the last */
        assert_int_equal(fragment(&f, flags, 5, "hello", 5), TAS_OK);
        assert_false(f.is_start);
        assert_int_equal(f.is_fin, flags == 2);
        assert_int_equal(f.total, 0);
        assert_int_equal(f.body.len, 5);
    }
    for (unsigned flags = 0; flags < 256; flags++)
        assert_int_equal(fragment(&f, (uint8_t)flags, 4, "\0\0\0\0", 4), flags < 4 ? TAS_OK : TAS_E_PROTO);
    assert_int_equal(fragment(&f, 3, 0, "", 0), TAS_OK);
    assert_int_equal(f.body.len, 0);
}

static void a_fragment_shorter_than_it_says_is_refused_and_leaves_out_alone(void **state) {
    (void)state;
    static const uint8_t whole[] = {7, 3, 0, 0x30, 0, 0, 0, 5, 'h', 'e', 'l', 'l', 'o'};
    struct tas_fragment f = {.type = 0x7777};
    for (size_t len = 0; len < sizeof(whole); len++)
        assert_int_equal(tas_fragment_decode(&f, tas_bytes_of(whole, len)), TAS_E_PROTO);
    assert_int_equal(fragment(&f, 3, UINT32_MAX, "hello", 5), TAS_E_PROTO);
    assert_int_equal(fragment(&f, 3, INT32_MAX, "hello", 5), TAS_E_PROTO);
    assert_int_equal(f.type, 0x7777);
}

static void channels_above_fifteen_are_refused(void **state) {
    (void)state;
    for (unsigned ch = 0; ch < 256; ch++) {
        const uint8_t bytes[] = {(uint8_t)ch, 3, 0, 0x30, 0, 0, 0, 0};
        struct tas_fragment f;
        int err = tas_fragment_decode(&f, tas_bytes_of(bytes, sizeof(bytes)));
        assert_int_equal(err, ch < TAS_CHANNELS ? TAS_OK : TAS_E_PROTO);
    }
}

static void padding_of_a_fragment_is_zero_and_less_than_64_bytes(void **state) {
    (void)state;
    char rest[128] = "hello";
    struct tas_fragment f;
    for (size_t padding = 0; padding < 100; padding++) {
        int want = padding < 64 ? TAS_OK : TAS_E_PROTO;
        assert_int_equal(fragment(&f, 3, 5, rest, 5 + padding), want);
        for (size_t i = 0; i < padding; i++) {
            rest[5 + i] = 1;
            assert_int_equal(fragment(&f, 3, 5, rest, 5 + padding), TAS_E_PROTO);
            rest[5 + i] = 0;
        }
    }
}

static void a_fragment_is_written_padded_and_comes_back_the_same(void **state) {
    (void)state;
    static uint8_t body[TAS_FRAGMENT_MAX];
    static uint8_t out[TAS_PLAIN_MAX + 1];
    static const size_t aligns[] = {1, 64};
    for (size_t i = 0; i < sizeof(body); i++)
        body[i] = (uint8_t)(i + 1);
    for (int flags = 0; flags < 4; flags++)
        for (size_t a = 0; a < 2; a++)
            for (size_t len = 0; len < 16000; len += len < 200 ? 1 : 1571) {
                const struct tas_fragment in = {
                    .ch = 2,
                    .is_start = flags & 1,
                    .is_fin = flags & 2,
                    .type = TAS_MESSAGE_FRAME,
                    .total = flags == 1   ? 4000000
                             : flags == 3 ? (uint32_t)len
                                          : 0,
                    .body = tas_bytes_of(body, len),
                };
                int n = tas_fragment_encode(&in, aligns[a], out, TAS_PLAIN_MAX);
                assert_true(n >= 8 && (size_t)n % aligns[a] == 0);
                assert_true((size_t)n < 8 + 4 + len + 64);
                struct tas_fragment back;
                assert_int_equal(tas_fragment_decode(&back, tas_bytes_of(out, (size_t)n)), TAS_OK);
                assert_true(back.ch == 2 && back.type == in.type && back.total == in.total);
                assert_true(back.is_start == in.is_start && back.is_fin == in.is_fin);
                assert_true(tas_bytes_equal(back.body, in.body));
                for (size_t less = 1; less < 20; less++)
                    assert_int_equal(
                        tas_fragment_encode(&in, aligns[a], out, (size_t)n > less ? (size_t)n - less : 0),
                        TAS_E_LIMIT);
            }
    const struct tas_fragment largest = {.ch = 2, .body = tas_bytes_of(body, TAS_FRAGMENT_MAX)};
    assert_int_equal(tas_fragment_encode(&largest, 1, out, TAS_PLAIN_MAX), TAS_PLAIN_MAX);
}

/* ---- keysets ---- */

struct keyset_bytes {
    uint8_t bytes[TAS_KEYSET_MAX_LEN + 16];
    size_t len;
};

/* `count` keys with kids 1, 2, 3 ... of uses 1 and 2 in turn, and a signature of 0x5a. */
static struct keyset_bytes keyset_of(unsigned count) {
    struct tas_keyset set = {.sequence = 9, .issued_ms = 1000, .count = count};
    for (unsigned i = 0; i < count; i++)
        set.keys[i] = (struct tas_msg_keyset_key){
            .kid = (uint8_t)(i / 2 + 1), .use = (uint8_t)(i % 2 + 1), .from_ms = 100, .to_ms = 200};
    struct keyset_bytes k = {0};
    int len = tas_keyset_encode(&set, k.bytes, sizeof(k.bytes));
    assert_int_equal(len, 16 + 56 * count);
    memset(k.bytes + len, 0x5a, 64);
    k.len = (size_t)len + 64;
    return k;
}

static int decode(struct tas_keyset *out, const struct keyset_bytes *k) {
    return tas_keyset_decode(out, tas_bytes_of(k->bytes, k->len));
}

static void keysets_of_one_to_sixteen_keys_are_read_with_the_part_that_is_signed(void **state) {
    (void)state;
    for (unsigned count = 1; count <= TAS_KEYSET_MAX_KEYS; count++) {
        struct keyset_bytes k = keyset_of(count);
        struct tas_keyset set;
        assert_int_equal(decode(&set, &k), TAS_OK);
        assert_int_equal(set.count, count);
        assert_int_equal(set.sequence, 9);
        assert_int_equal(set.issued_ms, 1000);
        assert_ptr_equal(set.signed_part.ptr, k.bytes);
        assert_int_equal(set.signed_part.len, k.len - 64);
        assert_int_equal(set.sig[0], 0x5a);
        assert_int_equal(set.sig[63], 0x5a);
        uint8_t again[TAS_KEYSET_MAX_LEN];
        assert_int_equal(tas_keyset_encode(&set, again, sizeof(again)), k.len - 64);
        assert_memory_equal(again, k.bytes, k.len - 64);
        for (size_t cap = 0; cap < k.len - 64; cap += 5)
            assert_int_equal(tas_keyset_encode(&set, again, cap), TAS_E_LIMIT);
    }
}

static void a_keyset_cut_anywhere_or_longer_is_refused_and_leaves_out_alone(void **state) {
    (void)state;
    struct keyset_bytes k = keyset_of(3);
    struct tas_keyset set = {.count = 77};
    for (size_t len = 0; len < k.len + 10; len++) {
        if (len == k.len)
            continue;
        assert_int_equal(tas_keyset_decode(&set, tas_bytes_of(k.bytes, len)), TAS_E_PROTO);
        assert_int_equal(set.count, 77);
    }
}

static void keysets_with_wrong_fields_are_refused(void **state) {
    (void)state;
    static const struct {
        size_t at;
        uint8_t value;
        const char *why;
    } changes[] = {
        {0, 0, "version 0"},
        {0, 2, "version 2"},
        {1, 0, "no keys"},
        {1, 1, "fewer keys than there are"},
        {1, 3, "more keys than there are"},
        {1, 17, "too many"},
        {1, 255, "far too many"},
        {2, 1, "padding of the head"},
        {16 + 1, 0, "use 0"},
        {16 + 1, 4, "use 4"},
        {16 + 1, 255, "use 255"},
        {16 + 2, 1, "padding of a key"},
        {16 + 7, 1, "padding of a key"},
        {16 + 15, 200, "from = to"},
        {16 + 15, 201, "from behind to"},
        {16 + 8, 1, "from far behind to"},
        {16 + 56 + 1, 1, "the same kid and use twice"},
    };
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        struct keyset_bytes k = keyset_of(2); /* kid 1 for use 1, kid 1 for use 2 */
        struct tas_keyset set = {.count = 77};
        k.bytes[changes[i].at] = changes[i].value;
        if (decode(&set, &k) != TAS_E_PROTO)
            fail_msg("a keyset is taken: %s", changes[i].why);
        assert_int_equal(set.count, 77);
    }
}

static void a_key_may_be_for_the_audit_chain(void **state) {
    (void)state;
    struct keyset_bytes k = keyset_of(2);
    struct tas_keyset set;
    k.bytes[16 + 1] = TAS_USE_AUDIT; /* kid 1 was for tickets */
    assert_int_equal(decode(&set, &k), TAS_OK);
    assert_ptr_equal(tas_keyset_find(&set, 1, TAS_USE_AUDIT, 150, 0), &set.keys[0]);
    assert_null(tas_keyset_find(&set, 1, TAS_USE_TICKET, 150, 0));
}

static void a_key_is_found_by_kid_and_use_within_its_time(void **state) {
    (void)state;
    struct keyset_bytes k = keyset_of(4);
    struct tas_keyset set;
    assert_int_equal(decode(&set, &k), TAS_OK);
    assert_ptr_equal(tas_keyset_find(&set, 1, 2, 150, 0), &set.keys[1]);
    assert_ptr_equal(tas_keyset_find(&set, 2, 1, 150, 0), &set.keys[2]);
    assert_null(tas_keyset_find(&set, 3, 1, 150, 0));
    assert_null(tas_keyset_find(&set, 1, 3, 150, 0));
    assert_null(tas_keyset_find(&set, 1, 1, 99, 0));
    assert_non_null(tas_keyset_find(&set, 1, 1, 100, 0));
    assert_non_null(tas_keyset_find(&set, 1, 1, 199, 0));
    assert_null(tas_keyset_find(&set, 1, 1, 200, 0));
    assert_non_null(tas_keyset_find(&set, 1, 1, 90, 10));
    assert_null(tas_keyset_find(&set, 1, 1, 89, 10));
    assert_non_null(tas_keyset_find(&set, 1, 1, 209, 10));
    assert_null(tas_keyset_find(&set, 1, 1, 210, 10));
}

static void a_key_without_end_is_found_with_any_slack(void **state) {
    (void)state;
    struct tas_keyset set = {.count = 1, .keys = {{.kid = 1, .use = 1, .from_ms = 0, .to_ms = UINT64_MAX}}};
    static const uint64_t times[] = {0, 1, 30000, UINT64_MAX - 1};
    for (size_t i = 0; i < 4; i++) {
        assert_non_null(tas_keyset_find(&set, 1, 1, times[i], 0));
        assert_non_null(tas_keyset_find(&set, 1, 1, times[i], 30000));
        assert_non_null(tas_keyset_find(&set, 1, 1, times[i], UINT64_MAX));
    }
}

/* ---- names ---- */

static int text_of(struct tas_bytes *out, const char *text, size_t len) {
    uint8_t field[96] = {0};
    memcpy(field, text, len);
    int err = tas_text_field(out, field, sizeof(field));
    if (err == TAS_OK)
        assert_true(out->ptr == field);
    return err;
}

static void a_name_is_what_stands_before_the_zeros(void **state) {
    (void)state;
    struct tas_bytes text;
    assert_int_equal(text_of(&text, "Anna Gruber", 11), TAS_OK);
    assert_int_equal(text.len, 11);
    assert_int_equal(text_of(&text, "\xe5\x8a\xa9", 3), TAS_OK);
    assert_int_equal(text.len, 3);
    uint8_t full[96];
    memset(full, 'x', sizeof(full));
    assert_int_equal(tas_text_field(&text, full, sizeof(full)), TAS_OK);
    assert_int_equal(text.len, 96);
}

static void empty_broken_controlling_and_turning_names_are_refused(void **state) {
    (void)state;
    struct tas_bytes text = {.len = 77};
    assert_int_equal(text_of(&text, "", 0), TAS_E_PROTO);
    assert_int_equal(text_of(&text, "a\0b", 3), TAS_E_PROTO);
    assert_int_equal(text_of(&text, "\0a", 2), TAS_E_PROTO);
    assert_int_equal(text_of(&text, "a\xc3", 2), TAS_E_PROTO);
    assert_int_equal(text_of(&text, "a\nb", 3), TAS_E_PROTO);
    assert_int_equal(text_of(&text,
                             "a\xe2\x80\xae"
                             "b",
                             5),
                     TAS_E_PROTO);                                     /* U+202E: from right to left */
    assert_int_equal(text_of(&text, "\xe2\x81\xa6x", 4), TAS_E_PROTO); /* U+2066 */
    uint8_t cut[96]; /* a character that does not fit any more */
    memset(cut, 'x', sizeof(cut));
    cut[95] = 0xc3;
    assert_int_equal(tas_text_field(&text, cut, sizeof(cut)), TAS_E_PROTO);
    assert_int_equal(text.len, 77);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_bytes_give_the_fields_of_the_signed_layouts),
        cmocka_unit_test(golden_bytes_give_the_fields_of_the_records),
        cmocka_unit_test(golden_bytes_give_the_fields_of_handshake_and_resume),
        cmocka_unit_test(golden_bytes_give_the_fields_of_input_sync_and_frame_ack),
        cmocka_unit_test(golden_bytes_give_the_fields_of_view_and_monitors),
        cmocka_unit_test(every_layout_is_refused_when_cut_or_longer_or_with_padding_and_comes_back_the_same),
        cmocka_unit_test(a_tail_of_the_largest_length_is_taken_and_one_byte_more_is_over_the_limit),
        cmocka_unit_test(types_have_names_and_channels),
        cmocka_unit_test(a_record_is_taken_once_it_is_whole),
        cmocka_unit_test(a_record_over_the_limit_is_refused_before_its_payload_comes),
        cmocka_unit_test(unknown_bits_in_pf_are_refused),
        cmocka_unit_test(a_fragment_means_what_its_flags_say),
        cmocka_unit_test(a_fragment_shorter_than_it_says_is_refused_and_leaves_out_alone),
        cmocka_unit_test(channels_above_fifteen_are_refused),
        cmocka_unit_test(padding_of_a_fragment_is_zero_and_less_than_64_bytes),
        cmocka_unit_test(a_fragment_is_written_padded_and_comes_back_the_same),
        cmocka_unit_test(keysets_of_one_to_sixteen_keys_are_read_with_the_part_that_is_signed),
        cmocka_unit_test(a_keyset_cut_anywhere_or_longer_is_refused_and_leaves_out_alone),
        cmocka_unit_test(keysets_with_wrong_fields_are_refused),
        cmocka_unit_test(a_key_may_be_for_the_audit_chain),
        cmocka_unit_test(a_key_is_found_by_kid_and_use_within_its_time),
        cmocka_unit_test(a_key_without_end_is_found_with_any_slack),
        cmocka_unit_test(a_name_is_what_stands_before_the_zeros),
        cmocka_unit_test(empty_broken_controlling_and_turning_names_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
