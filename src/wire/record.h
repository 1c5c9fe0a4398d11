/* L1 records: the 8-byte head that every message on a relay connection has (docs/protocol.md section 2). */
#pragma once

#include "base/bytes.h"
#include "base/err.h"

enum {
    TAS_RECORD_HEAD = 8,
    TAS_RECORD_MAX = 16376,                               /* bytes of payload */
    TAS_SEALED_OVERHEAD = 24,                             /* head 8 and tag 16 of a sealed record */
    TAS_PLAIN_MAX = TAS_RECORD_MAX - TAS_SEALED_OVERHEAD, /* 16352 */
    TAS_FRAGMENT_MAX = TAS_PLAIN_MAX - 8,                 /* 16344: body of one fragment */
    TAS_SLOTS = 16,
    TAS_CLASSES = 4,
    TAS_CHANNELS = 16,
    TAS_MAGIC = 0x54534b31, /* "TSK1" */
    TAS_VERSION = 1,
    TAS_PONG_BURST = 8, /* answers to PING at once, and then one every 250 ms */
    TAS_PONG_EVERY_US = 250 * 1000,
};

/* Bits of pf. */
enum tas_pf {
    TAS_PF_CLASS = 3,
    TAS_PF_UNIT_START = 4,
    TAS_PF_UNIT_END = 8,
    TAS_PF_DROPPABLE = 16,
    TAS_PF_KNOWN = 31,
};

enum tas_class {
    TAS_CLASS_CONTROL = 0,
    TAS_CLASS_SMALL = 1,
    TAS_CLASS_SCREEN = 2,
    TAS_CLASS_BULK = 3,
};

enum tas_role {
    TAS_ROLE_HOST = 1,
    TAS_ROLE_VIEWER = 2,
};

/* Bits of tickets, statements and grants. */
enum tas_right {
    TAS_RIGHT_SEE = 1,
    TAS_RIGHT_CONTROL = 2,
    TAS_RIGHT_CHAT = 4,
    TAS_RIGHT_FILES = 8,
    TAS_RIGHT_CLIPBOARD = 16,
    TAS_RIGHT_DEVICE = 32,
    TAS_RIGHT_DRAW = 64,
};

/* Values of PEER.state. */
enum tas_peer_state {
    TAS_PEER_JOINED = 1,
    TAS_PEER_SUSPENDED = 2,
    TAS_PEER_GONE = 3,
};

/* Codes of the L1 CLOSE record. Numbers are the wire's. */
/* clang-format off */
#define TAS_CLOSE_CODES(X) \
    X(BAD_RECORD,        1, "a record broke the protocol") \
    X(TICKET,            2, "the ticket is not valid here") \
    X(EXPIRED,           3, "the ticket is not valid at this time; check the clock") \
    X(WRONG_RELAY,       4, "the ticket does not list this relay") \
    X(PROOF,             5, "the proof of possession is wrong") \
    X(SLOT_TAKEN,        6, "the slot is taken by somebody else") \
    X(TOO_MANY_JOINS,    7, "too many joins for this slot; wait a minute") \
    X(LIMIT,             8, "a limit of the relay was passed") \
    X(TIMEOUT,           9, "nothing came in time") \
    X(REPLACED,         10, "a newer connection of the same end took over") \
    X(GOING_AWAY,       11, "the relay is shutting down") \
    X(KILLED,           12, "the session was ended by the management server") \
    X(HANDSHAKE,        13, "the end-to-end handshake was refused") \
    X(BYE,              14, "the session has ended")
/* clang-format on */

enum tas_close_code {
#define X(name, value, text) TAS_CLOSE_##name = value,
    TAS_CLOSE_CODES(X)
#undef X
};

/* The English text of a code; "unknown reason" otherwise. Static. */
const char *tas_close_text(unsigned code);

struct tas_record {
    uint8_t type;
    uint8_t pf;
    uint16_t route;
    struct tas_bytes payload; /* borrowed from the input */
};

/* Takes one record from the front of `in`; *used: the bytes it took.
 * TAS_E_MORE: not all of it is there yet. TAS_E_LIMIT: longer than allowed (said before waiting for it).
 * TAS_E_PROTO: unknown bits in pf. */
TAS_MUST_USE int tas_record_decode(struct tas_record *out, size_t *used, struct tas_bytes in);

/* Writes the head for a payload of `len` bytes (at most TAS_RECORD_MAX). */
void tas_record_head_encode(uint8_t out[TAS_RECORD_HEAD], uint8_t type, uint8_t pf, uint16_t route,
                            size_t len);

/* What stands in the plaintext of a sealed record (docs/protocol.md section 4). */
struct tas_fragment {
    uint8_t ch;
    bool is_start, is_fin;
    uint16_t type;
    uint32_t total;        /* of the whole message: = body.len when START and FIN; 0 unless START */
    struct tas_bytes body; /* borrowed */
};

/* TAS_E_PROTO: unknown flags, channel over 15, too short, padding that is not zero or is 64 bytes and more.
 */
TAS_MUST_USE int tas_fragment_decode(struct tas_fragment *out, struct tas_bytes plain);

/* Writes head and body, pads with zeros to a multiple of `align` (1: none). Bytes written, or TAS_E_LIMIT. */
TAS_MUST_USE int tas_fragment_encode(const struct tas_fragment *frag, size_t align, uint8_t *out, size_t cap);
