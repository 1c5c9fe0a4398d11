/* One example of everything in messages.def, byte by byte, written out by hand from docs/protocol.md. A
 * change here is a change of the wire. Included by test_wire.c only. */
#pragma once

#include <stdint.h>

#define R8(x)  x, x, x, x, x, x, x, x
#define R16(x) R8(x), R8(x)
#define R32(x) R16(x), R16(x)
#define R64(x) R32(x), R32(x)
#define R96(x) R64(x), R32(x)

/* clang-format off */
static const uint8_t ticket_bytes[] = {
    0x01,                                           /* ver */
    0x02,                                           /* kid */
    0x02,                                           /* role = viewer */
    0x0f,                                           /* slot = 15 */
    0x00, 0x7f,                                     /* perms = all seven */
    0x00, 0x03,                                     /* max_viewers */
    0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, /* session_id */
    R16(0xa1),                                      /* jti */
    0x00, 0x00, 0x01, 0xa1, 0xed, 0x6e, 0xc2, 0x00, /* not_before_ms */
    0x00, 0x00, 0x00, 0x3c,                         /* connect_ttl_s = 60 */
    0x00, 0x00, 0x03, 0x84,                         /* session_ttl_s = 900 */
    0x00, 0x01, 0x02, 0x03,                         /* rate_Bps */
    0x00, 0x00, 0x12, 0x67,                         /* company_id */
    R32(0xa2),                                      /* pop_pk */
    0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x02, /* relay_ids */
    0x80, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00, 0x00,
    0x02,                                           /* kind = browser */
    R16(0), 0, 0, 0, 0, 0, 0, 0,                    /* zero[23] */
    R64(0xa3),                                      /* sig */
};
static const uint8_t statement_bytes[] = {
    0x01,                                           /* ver */
    0x07,                                           /* kid */
    0x01,                                           /* role = host */
    0x00,                                           /* slot */
    0x00, 0x43,                                     /* perms */
    0x01,                                           /* kind = native */
    0x00,                                           /* zero[1] */
    0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, /* session_id */
    0x00, 0x00, 0x12, 0x67,                         /* company_id */
    0x00, 0x00, 0x00, 0x00,                         /* zero[4] */
    0x00, 0x00, 0x01, 0xa1, 0xed, 0x6e, 0xc2, 0x00, /* not_after_ms */
    R32(0xb1),                                      /* pop_pk */
    R96('c'),                                       /* company */
    R96('n'),                                       /* name */
    R64(0xb2),                                      /* sig */
};
static const uint8_t keyset_head_bytes[] = {
    0x01,                                           /* ver */
    0x10,                                           /* count = 16 */
    0x00, 0x00,                                     /* zero[2] */
    0x01, 0x02, 0x03, 0x04,                         /* sequence */
    0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, /* issued_ms */
};
static const uint8_t keyset_key_bytes[] = {
    0x09,                                           /* kid */
    0x02,                                           /* use = statement */
    0, 0, 0, 0, 0, 0,                               /* zero[6] */
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x00, /* from_ms */
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x20, 0x00, /* to_ms */
    R32(0xc1),                                      /* pk */
};
static const uint8_t hello_bytes[] = {
    0x54, 0x53, 0x4b, 0x31,                         /* magic = "TSK1" */
    0x01,                                           /* ver_min */
    0x02,                                           /* ver_max */
    0x00, 0x05,                                     /* flags = RESUME, BULK */
    0x01, 0x02, 0x03, 0x04,                         /* caps */
    0x00, 0x04, 0x00, 0x00,                         /* rx_limit = 262144 */
    R16(0xd1),                                      /* resume_token */
    R64(0xd2), R64(0xd3), R64(0xd4),                /* ticket */
};
static const uint8_t challenge_bytes[] = {
    0x01,                                           /* ver */
    0x00, 0x00, 0x00,                               /* zero[3] */
    0x80, 0x00, 0x00, 0x01,                         /* relay_id */
    0x01, 0x02, 0x03, 0x04,                         /* caps */
    0x00, 0x00, 0x00, 0x00,                         /* zero[4] */
    R32(0xe1),                                      /* nonce */
};
static const uint8_t proof_bytes[] = {
    R64(0xe2),                                      /* sig */
};
static const uint8_t welcome_bytes[] = {
    0x03,                                           /* slot */
    0x0a,                                           /* keepalive_s */
    0x80, 0x01,                                     /* peers = 0 and 15 */
    0x00, 0x78,                                     /* grace_s = 120 */
    0x00, 0x00,                                     /* zero[2] */
    0x00, 0x00, 0x3f, 0xf8,                         /* max_payload = 16376 */
    0x00, 0x01, 0x86, 0xa0,                         /* rate_Bps = 100000 */
    0x00, 0x00, 0x01, 0xa1, 0xed, 0x6e, 0xc2, 0x00, /* server_ms */
    R16(0xe3),                                      /* resume_token */
};
static const uint8_t peer_bytes[] = {
    0x00,                                           /* slot = host */
    0x02,                                           /* state = SUSPENDED */
    0x00, 0x00,                                     /* zero[2] */
    0xff, 0xfe, 0xfd, 0xfc,                         /* incarnation */
};
static const uint8_t goaway_bytes[] = {
    0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x03, /* relays */
    0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x75, 0x30,                         /* deadline_ms = 30000 */
    0x00, 0x00, 0x00, 0x00,                         /* zero[4] */
};
static const uint8_t ping_bytes[] = {
    1, 2, 3, 4, 5, 6, 7, 8,                         /* token */
};
static const uint8_t dropped_bytes[] = {
    0x02,                                           /* slot */
    0x11,                                           /* kid */
    0x00, 0x00,                                     /* zero[2] */
    1, 2, 3, 4, 5, 6,                               /* first_ctr */
    1, 2, 3, 4, 5, 7,                               /* last_ctr */
};
static const uint8_t close_bytes[] = {
    0x00, 0x0e,                                     /* code = BYE */
    'b', 'y', 'e',                                  /* text */
};
static const uint8_t hs_head_bytes[] = {
    0x01,                                           /* type = H1 */
    0x02,                                           /* ver */
    0xa5, 0x03,                                     /* suites, with unknown bits */
    0xc0, 0x01, 0x00, 0x05,                         /* caps, likewise */
    0x02,                                           /* role = viewer */
    0x0f,                                           /* slot */
    0x00, 0x00,                                     /* zero[2] */
    0x00, 0x00, 0x3f, 0xf8,                         /* max_rec = 16376 */
    0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, /* session_id */
};
static const uint8_t h1_bytes[] = {
    R16(0xf1), R8(0xf1),                            /* head */
    R32(0xf2),                                      /* commit */
};
static const uint8_t h2_bytes[] = {
    R16(0xf1), R8(0xf1),                            /* head */
    R32(0xf3),                                      /* e_pk */
    R16(0xf4),                                      /* r */
};
static const uint8_t rs_bytes[] = {
    0x04,                                           /* type = RS1 */
    0x01,                                           /* ver */
    0x02,                                           /* role = viewer */
    0x03,                                           /* slot */
    0x00, 0x00, 0x01, 0x02,                         /* gen = 258 */
    0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, /* session_id */
    R16(0x1a),                                      /* n */
    R32(0x1b),                                      /* e_pk */
    R32(0x1c),                                      /* mac */
    R64(0x1d),                                      /* sig */
};
static const uint8_t sealed_head_bytes[] = {
    0x0d,                                           /* kid = generation 3, phase 1 */
    0x02,                                           /* cls = screen */
    0x00, 0x00, 0x00, 0x01, 0x02, 0x03,             /* ctr = 66051 */
};
static const uint8_t fragment_head_bytes[] = {
    0x02,                                           /* ch = screen */
    0x01,                                           /* flags = START */
    0x80, 0x11,                                     /* type = FRAME */
    0x00, 0x00, 0x3f, 0xd8,                         /* len = 16344 */
};
static const uint8_t auth_bytes[] = {
    R64(0x2a), R64(0x2b), R64(0x2c), R64(0x2d), R64(0x2e), /* statement */
    R64(0x2f),                                      /* sig */
    R32(0x3a),                                      /* mac */
};
static const uint8_t verify_bytes[] = {
    0x03, 0xe7,                                     /* last3 = 999 */
};
static const uint8_t verified_bytes[] = {
    0x00,                                           /* is_right = wrong */
    0x01,                                           /* tries_left */
};
static const uint8_t sync_bytes[] = {
    0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, /* rx_msgs of channels 0 to 3 */
    0, 0, 0, 4, 0, 0, 0, 5, 0, 0, 0, 6, 0, 0, 0, 7, /* 4 to 7 */
    0, 0, 0, 8, 0, 0, 0, 9, 0, 0, 1, 0, 0, 0, 1, 1, /* 8 to 11 */
    0, 0, 1, 2, 0, 0, 1, 3, 0, 0, 1, 4, 1, 2, 3, 4, /* 12 to 15 */
    0x00, 0x00, 0x00, 0x07,                         /* stream */
    0x00, 0x00, 0x00, 0x09,                         /* last_frame */
};
static const uint8_t ack_bytes[] = {
    0x07,                                           /* ch = chat */
    0x00, 0x00, 0x00,                               /* zero[3] */
    0x00, 0x00, 0x00, 0x21,                         /* rx_msgs = 33 */
};
static const uint8_t frame_ack_bytes[] = {
    0x00, 0x00, 0x02, 0x01,                         /* frame */
    0x00, 0x00, 0x00, 0x03,                         /* stream */
    0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x02, /* bytes_total = 2^32 + 2 */
    0x00, 0x00, 0x27, 0x10,                         /* hold_us = 10000 */
    0x00, 0x05,                                     /* decode_ms */
    0x02,                                           /* queue */
    0x01,                                           /* flags = NEED_REFRESH */
    0, 0, 0, 0, 0, 0, 0, 0,                         /* zero[8] */
};
static const uint8_t bye_bytes[] = {
    0x02,                                           /* reason = customer */
    0, 0, 0, 0, 0, 0, 0,                            /* zero[7] */
    0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, /* last_ctr of classes 0 and 1 */
    0, 0, 0, 0, 0, 0, 1, 3, 0, 0, 0, 0, 0, 0, 0, 0, /* 2 and 3 */
};
static const uint8_t group_key_bytes[] = {
    0x10,                                           /* kid = 16 */
    0x02,                                           /* suite */
    0x00, 0x01,                                     /* flags = SIGNED */
    0x00, 0x00, 0x00, 0x04,                         /* stream */
    0, 0, 0, 0, 0, 0, 0, 5,                         /* first_ctr */
    R32(0x4a),                                      /* key */
    R8(0x4b), 0x4b, 0x4b, 0x4b, 0x4b,               /* iv */
    0x00, 0x00, 0x00, 0x00,                         /* zero[4] */
};
static const uint8_t ask_bytes[] = {
    0x00, 0x43,                                     /* rights = see, control, draw */
};
static const uint8_t grants_bytes[] = {
    0x00, 0x03,                                     /* rights */
    0x01,                                           /* is_paused */
    0x00,                                           /* zero[1] */
};
static const uint8_t view_bytes[] = {
    0x01,                                           /* is_on */
    0xff,                                           /* monitor = as the host thinks best */
    0x00, 0x00,                                     /* zero[2] */
};
static const uint8_t monitor_bytes[] = {
    0x03,                                           /* id */
    0x01,                                           /* flags = primary */
    0x00, 0x00,                                     /* zero[2] */
    0x07, 0x80,                                     /* x = 1920 */
    0x00, 0x10,                                     /* y = 16 */
    0x0a, 0x00,                                     /* width = 2560 */
    0x05, 0xa0,                                     /* height = 1440 */
    'D', 'P', '-', '1', 0, 0, 0, 0, R8(0), R16(0),  /* name */
};
static const uint8_t monitors_bytes[] = {
    0x80, 0x00, 0x00, 0x02,                         /* layout */
    0x01,                                           /* count */
    0x03,                                           /* shown */
    0x00, 0x00,                                     /* zero[2] */
    0x03, 0x00, 0x00, 0x00, R8(0), R32('n'),        /* list: one MONITOR */
};
static const uint8_t input_bytes[] = {
    0x04,                                           /* kind = text */
    0x01,                                           /* is_down */
    0x02,                                           /* monitor */
    0x06,                                           /* n_text */
    0x00, 0x00, 0x00, 0x05,                         /* layout */
    0x00, 0x00, 0x01, 0x00,                         /* seq = 256 */
    0x07, 0x80,                                     /* x = 1920 */
    0x04, 0x38,                                     /* y = 1080 */
    0x00, 0x05,                                     /* buttons = left, right */
    0x00, 0x1e,                                     /* keycode = KEY_A */
    0xff, 0xff,                                     /* wheel_x = -1 */
    0x00, 0x01,                                     /* wheel_y = 1 */
    0x00, 0x00, 0x00, 0x61,                         /* keysym = a */
    0x00, 0x00, 0x00, 'o', 0x00, 0x01, 0xf6, 0x00,  /* text */
    0x00, 0x00, 0x52, 0xa9, 0x00, 0x00, 0x00, 'a',
    0x00, 0x00, 0x00, 'b', 0x00, 0x10, 0xff, 0xff,
    0x00, 0x00, 0x00, 0x00,                         /* zero[4] */
};
static const uint8_t screen_bytes[] = {
    0x00, 0x00, 0x00, 0x02,                         /* layout */
    0x07, 0x80,                                     /* width */
    0x04, 0x38,                                     /* height */
    0x01,                                           /* codec_ver */
    0x16,                                           /* model_bits = 22 */
    0x00, 0x40,                                     /* cache_mb = 64 */
    0x01, 0x02, 0x03, 0x04,                         /* features */
};
static const uint8_t cursor_pos_bytes[] = {
    0x00, 0x00, 0x00, 0x02,                         /* layout */
    0x01, 0x02,                                     /* x */
    0x03, 0x04,                                     /* y */
    0x00, 0x00, 0x00, 0x09,                         /* image */
};
static const uint8_t cursor_image_bytes[] = {
    0x00, 0x00, 0x00, 0x09,                         /* image */
    0x00, 0x01,                                     /* width */
    0x00, 0x02,                                     /* height */
    0x00, 0x00,                                     /* hot_x */
    0x00, 0x01,                                     /* hot_y */
    1, 2, 3, 4, 5, 6, 7, 8,                         /* rgba */
};
static const uint8_t chat_bytes[] = {
    0x00, 0x00, 0x01, 0xa1, 0xed, 0x6e, 0xc2, 0x00, /* at_ms */
    'h', 'i', ' ', 0xe5, 0x8a, 0xa9,                /* text */
};

static const uint8_t device_bytes[] = {
    '{', '}', /* json */
};
static const uint8_t tail_bytes[] = {0x10, 0x11, 0x12};
#define h3_bytes    h2_bytes
#define data_bytes  tail_bytes
#define hs_bytes    tail_bytes
#define frame_bytes tail_bytes
#define pong_bytes  ping_bytes
/* clang-format on */
