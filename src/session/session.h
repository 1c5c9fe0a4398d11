/* One end of a support session as a pure machine: bytes and a time in; bytes, events and a next deadline out.
 * It opens no socket, reads no clock and starts no thread, so the same code runs under epoll, in a test where
 * an hour takes no time, in a fuzzer, and later in a browser.
 *
 * The owner's loop:
 *   - does what tas_session_event() says (dial, hang up, show, inject);
 *   - tells what became of sockets: tas_session_secured(), tas_session_lost();
 *   - moves bytes: tas_session_input(), tas_session_output() + tas_session_sent();
 *   - calls tas_session_tick() when tas_session_deadline_us() has come.
 * A "leg" is one relay connection; there are at most two, so that the next one can be tried while the old one
 * is still kept. All times are µs of one monotonic clock. Not thread-safe: one thread per session. */
#pragma once

#include "codec/rough.h"
#include "e2e/auth.h"
#include "e2e/handshake.h"
#include "session/state.h"

enum { TAS_LEGS = 2, TAS_RELAYS = 4 };

struct tas_session;

enum {
    TAS_MONITORS = 16,     /* most that are told of */
    TAS_MONITOR_NAME = 32, /* bytes, without the final NUL */
    TAS_MONITOR_ALL = 0,   /* instead of an id: all of them, side by side as they stand */
    TAS_MONITOR_ANY = 255, /* instead of an id: as the host thinks best */
};

/* The customer's monitors. */
struct tas_monitors {
    uint8_t shown; /* id of the one in the picture, or TAS_MONITOR_ALL */
    uint8_t n;
    struct tas_monitor {
        uint8_t id; /* 1 to TAS_MONITORS, for as long as it is there */
        bool is_primary;
        uint16_t x, y, width, height;    /* px, on the whole screen */
        char name[TAS_MONITOR_NAME + 1]; /* UTF-8, not empty, no control or bidi characters */
    } list[TAS_MONITORS];
};

struct tas_session_config {
    const struct tas_crypto *crypto;
    const struct tas_secret_mem *mem;
    struct tas_random_source random;
    struct tas_identity identity;    /* copied into secret memory */
    uint8_t ticket[TAS_SIZE_TICKET]; /* role, slot, session, relays are read from here */
    const struct tas_keyset *keyset; /* verified; copied */
    uint64_t server_ms;              /* the management server's wall clock at now_us */
    uint16_t suites;                 /* 0: all the crypto has */
    uint64_t update_records;         /* key update, see e2e/seal.h; 0: the protocol's */

    /* Borrowed; they outlive the session. */
    const struct tas_rough_coder *rough; /* host: makes photographs and films; NULL: all is exact at once */
    const struct tas_painter *painter;   /* viewer: paints them; NULL: it cannot show them */
};

/* Why a session ended, as the ends know it. Numbers are BYE's on the wire. */
/* clang-format off */
#define TAS_END_REASONS(X) \
    X(OPERATOR,     1, "closed by the operator") \
    X(CUSTOMER,     2, "closed by the customer") \
    X(ADMIN,        3, "closed by an administrator") \
    X(TIMEOUT,      4, "timed out") \
    X(LOST,         5, "connection lost") \
    X(CODE,         6, "the check code was wrong twice") \
    X(ATTEMPTS,     7, "too many handshakes: somebody may be trying to get in between") \
    X(PROTOCOL,     8, "the other end broke the protocol") \
    X(IDENTITY,     9, "the other end could not show who it is") \
    X(TICKET,      10, "the relay refused the ticket") \
    X(NOMEM,       11, "out of memory")
/* clang-format on */

enum tas_end_reason {
#define X(name, value, text) TAS_END_##name = value,
    TAS_END_REASONS(X)
#undef X
};

/* English text of a reason. Static. */
const char *tas_end_reason_text(unsigned reason);

enum tas_event_kind {
    TAS_EVENT_NONE,
    TAS_EVENT_DIAL,   /* connect leg to relay_id with TLS, then tas_session_secured() or tas_session_lost() */
    TAS_EVENT_HANGUP, /* send what tas_session_output() still has, close the socket, tas_session_lost() */
    TAS_EVENT_STATE,  /* state changed, from `from` to `state` */
    TAS_EVENT_PEER,   /* the other end is `peer`, by statement: show these names and no others */
    TAS_EVENT_CHECK_CODE, /* host: show `text`, "482-913-527" */
    TAS_EVENT_CODE_WRONG, /* a wrong check code; `number` tries are left */
    TAS_EVENT_GRANTS,     /* viewer: rights are now `number`, paused = `flag` */
    TAS_EVENT_ASKED,      /* host: the operator asks for rights `number` */
    TAS_EVENT_CHAT,       /* `data`: UTF-8, checked */
    TAS_EVENT_DEVICE,     /* viewer: what the customer's machine is: `data`: UTF-8, checked; should be JSON */
    TAS_EVENT_INPUT,      /* host: allowed input, `input` */
    TAS_EVENT_RELEASE_KEYS, /* host: release all keys and buttons now */
    TAS_EVENT_VIEW,         /* host: the viewer wants the screen (flag) or not, and of it monitor `number` */
    TAS_EVENT_MONITORS,     /* viewer: see tas_session_remote_monitors() */
    TAS_EVENT_SCREEN,       /* viewer: the screen has this size; the picture is black until the next frame */
    TAS_EVENT_FRAME,        /* viewer: call tas_session_decode() */
    TAS_EVENT_CURSOR_POS,   /* viewer: x, y, image id = number */
    TAS_EVENT_CURSOR_IMAGE, /* viewer: `cursor` */
    TAS_EVENT_REFUSED,      /* host: something that is not allowed was ignored; `text` says what */
    TAS_EVENT_TICKET_DUE,   /* half of the ticket's life is over: tas_session_set_ticket() */
    TAS_EVENT_ALARM,  /* `text`: somebody may be attacking; for the customer, the operator and the log */
    TAS_EVENT_CLOSED, /* `number` = tas_end_reason; the last event */
};

struct tas_event {
    enum tas_event_kind kind;
    unsigned leg;
    uint32_t relay_id;
    enum tas_state from, state;
    uint32_t number;
    bool flag;
    const char *text;      /* borrowed until the next event */
    struct tas_bytes data; /* likewise */
    struct tas_peer peer;
    struct tas_msg_input input;
    uint32_t x, y;
    uint32_t width, height;
    struct tas_msg_cursor_image cursor; /* borrows as data */
};

/* A session that wants to dial at once. NULL: no memory, or a ticket that is not for this identity. */
struct tas_session *tas_session_new(const struct tas_session_config *config, uint64_t now_us);
void tas_session_free(struct tas_session *s); /* wipes; NULL is fine */

/* The next event; kind TAS_EVENT_NONE when there is none. What it points to lives until the next call. */
void tas_session_event(struct tas_session *s, struct tas_event *out);

/* When tas_session_tick() must be called at the latest. */
uint64_t tas_session_deadline_us(const struct tas_session *s);
void tas_session_tick(struct tas_session *s, uint64_t now_us);

/* --- sockets --- */

/* The leg that TAS_EVENT_DIAL named is connected to its relay, whose certificate was checked. cb: the TLS
 * exporter (docs/protocol.md section 2). */
void tas_session_secured(struct tas_session *s, unsigned leg, const uint8_t cb[32], uint64_t now_us);

/* The leg could not be connected, or its socket is gone. */
void tas_session_lost(struct tas_session *s, unsigned leg, uint64_t now_us);

/* How many bytes tas_session_input() takes now; 0: stop reading this socket (a frame waits to be decoded). */
size_t tas_session_input_room(const struct tas_session *s, unsigned leg);

/* Bytes that came. At most tas_session_input_room() of them. */
void tas_session_input(struct tas_session *s, unsigned leg, struct tas_bytes bytes, uint64_t now_us);

/* Bytes to send, possibly none. Records are sealed here, at the last moment and by priority: ask only when
 * the socket can take them. Borrowed until the next call. */
struct tas_bytes tas_session_output(struct tas_session *s, unsigned leg, uint64_t now_us);

/* The first n of them went out. */
void tas_session_sent(struct tas_session *s, unsigned leg, size_t n);

/* --- both ends --- */

enum tas_state tas_session_state(const struct tas_session *s);

/* UTF-8 of at most 4000 bytes, from KEYED on. TAS_E_STATE, TAS_E_LIMIT, TAS_E_FULL, TAS_E_PROTO (not UTF-8).
 */
TAS_MUST_USE int tas_session_chat(struct tas_session *s, struct tas_bytes text, uint64_t wall_ms);

/* Ends the session with a sealed BYE when there are keys. TAS_EVENT_CLOSED follows. */
void tas_session_end(struct tas_session *s, enum tas_end_reason reason, uint64_t now_us);

/* A renewed ticket: same session, role, slot and key. TAS_E_AUTH otherwise. */
TAS_MUST_USE int tas_session_set_ticket(struct tas_session *s, const uint8_t ticket[TAS_SIZE_TICKET]);

/* Figures for people and tests. */
struct tas_session_figures {
    uint64_t rate_Bps; /* of the path, as the sender believes it */
    uint64_t min_rtt_us, last_rtt_us;
    size_t window, in_flight, chunk;
    uint64_t silent_us; /* so long nothing came over the line in use; a healthy one speaks twice a second */
    uint32_t relay_id;  /* in use now, 0 none */
    uint32_t resumes;
    uint64_t screen_bytes; /* bytes of class 2 sent or received, all generations */
    uint32_t frames;
};
void tas_session_figures(struct tas_session *s, struct tas_session_figures *out, uint64_t now_us);

/* --- host --- */

/* The rights that the customer allows now; the ticket's and the operator's statement bound them. */
void tas_session_grant(struct tas_session *s, uint16_t rights);
void tas_session_pause(struct tas_session *s, bool is_paused);

/* What this machine is, for the operator: a JSON text of at most 15 KiB. TAS_E_RIGHT: the customer has not
 * allowed it; TAS_E_LIMIT, TAS_E_PROTO (not UTF-8), TAS_E_FULL. */
TAS_MUST_USE int tas_session_device(struct tas_session *s, struct tas_bytes json);

/* The screen has this size (at the start, and again when it changes). TAS_E_NOMEM. */
TAS_MUST_USE int tas_session_screen(struct tas_session *s, uint32_t width, uint32_t height);

/* The monitors, and which of them the picture shows (at the start, and whenever either changes; after
 * tas_session_screen() when that changed, too). The viewer is told when he may see. A name that may not be
 * shown is the caller's mistake: he will be thrown out by the viewer. */
void tas_session_monitors(struct tas_session *s, const struct tas_monitors *monitors);

/* Where changed tiles are noted. Borrowed until the next tas_session_screen(); NULL before the first. */
struct tas_tiles *tas_session_dirty(struct tas_session *s);

/* True when a picture is wanted now: the viewer may see, asked, there is something new, and the path has
 * room. */
bool tas_session_wants_picture(struct tas_session *s, uint64_t now_us);

/* The picture as it is now; the tiles of tas_session_dirty() must be fresh in it. Those that did not fit into
 * the frame stay dirty: offer the picture again. TAS_E_NOMEM. */
TAS_MUST_USE int tas_session_picture(struct tas_session *s, const struct tas_picture *pic, uint64_t now_us);

/* What the last tas_session_picture() took: the next frames are cut so that input never waits for long. */
void tas_session_coded(struct tas_session *s, uint64_t us);

/* The pointer: position at any time, the image only when its serial changed (rgba NULL: not changed). */
void tas_session_cursor(struct tas_session *s, uint32_t x, uint32_t y,
                        const struct tas_msg_cursor_image *image);

/* --- viewer --- */

/* The check code as the operator typed it. TAS_E_PROTO: not nine digits (does not count as a try).
 * TAS_E_STATE. TAS_E_AUTH: wrong (TAS_EVENT_CODE_WRONG or CLOSED follows). TAS_OK: sent to the host. */
TAS_MUST_USE int tas_session_type_code(struct tas_session *s, const char *typed, uint64_t now_us);

/* Ask for the screen, or stop it. */
void tas_session_view(struct tas_session *s, bool is_on);

/* Which monitor is wanted from now on: an id of tas_session_remote_monitors(), TAS_MONITOR_ALL or
 * TAS_MONITOR_ANY (as it is at first). SCREEN and MONITORS events follow when the host does so. TAS_E_ABSENT:
 * there is no such monitor (any more). TAS_E_FULL: the line is slow; it is asked for with the next view. */
TAS_MUST_USE int tas_session_choose_monitor(struct tas_session *s, uint8_t monitor);

/* The customer's monitors as last told; n is 0 before. Borrowed; good until the next call on s. */
const struct tas_monitors *tas_session_remote_monitors(const struct tas_session *s);

/* Ask the customer for rights. */
void tas_session_ask(struct tas_session *s, uint16_t rights);

/* Pointer, key, wheel or text for the host. seq and layout are filled in here. TAS_E_STATE, TAS_E_RIGHT,
 * TAS_E_FULL. */
TAS_MUST_USE int tas_session_send_input(struct tas_session *s, const struct tas_msg_input *input);

/* Decodes the frame that TAS_EVENT_FRAME announced; `changed` (may be NULL) as tas_decoder_frame().
 * TAS_E_ABSENT: none waits. Other errors are dealt with inside (a refresh is asked for). Then show it and
 * call tas_session_presented(). */
TAS_MUST_USE int tas_session_decode(struct tas_session *s, struct tas_tiles *changed);
void tas_session_presented(struct tas_session *s, uint32_t decode_us, uint64_t now_us);

/* The picture. NULL before TAS_EVENT_SCREEN. Borrowed until the next call on s. */
const struct tas_picture *tas_session_remote(const struct tas_session *s);
