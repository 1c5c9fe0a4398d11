/* What the files of session/ share: the insides of a session. Roads through it: bytes come in at leg.c (L1),
 * go through line.c (which leg, resume), engine.c (sealed records, messages) to host.c or viewer.c. */
#pragma once

#include "base/bucket.h"
#include "base/buf.h"
#include "codec/codec.h"
#include "e2e/resume.h"
#include "e2e/seal.h"
#include "session/budget.h"
#include "session/channel.h"
#include "session/pace.h"
#include "session/session.h"

enum {
    TAS_NO_LEG = -1,
    TAS_FRAMES_IN_FLIGHT = 64,
    TAS_EVENTS_MANY = 1024, /* with so many waiting for the owner nothing more is read */
};

enum leg_state { LEG_FREE, LEG_DIALING, LEG_HELLO, LEG_PROOF, LEG_JOINED, LEG_CLOSING };

/* One relay connection. */
struct leg {
    enum leg_state state;
    uint32_t relay_id;
    struct tas_buf in, out;
    uint8_t hello[224];
    uint8_t cb[32];
    uint64_t since_us; /* of the present state */
    uint64_t last_rx_us, last_tx_us;
    uint64_t last_ping_us;
    uint8_t peer_state; /* enum tas_peer_state; 0: not there */
    uint32_t peer_incarnation;
    uint64_t peer_since_us; /* of the present peer_state */
    bool has_joined;        /* WELCOME came */
    bool is_leaving;        /* the relay said GOAWAY */
    struct tas_bucket pongs;
};

/* A frame on its way: what to paint again when it does not arrive. */
struct sent_frame {
    uint32_t seq;
    struct tas_tiles tiles;
};

/* The host's side of the screen. */
struct screen_out {
    struct tas_encoder *encoder; /* NULL before tas_session_screen() */
    uint32_t width, height, layout, stream;
    struct tas_tiles dirty;
    struct sent_frame sent[TAS_FRAMES_IN_FLIGHT];
    unsigned first, count;
    uint8_t *buf; /* TAS_FRAME_MAX bytes */
    struct tas_budget budget;
    uint64_t refine_us; /* no slice of refinement before; UINT64_MAX: not before the next acknowledgement */
    bool is_wanted;     /* the viewer asked */
    bool needs_reset;   /* the next frame starts the model anew */
    bool is_first;      /* nothing of this encoder was sent yet */
    uint64_t reset_us;  /* when the last one did; 0 never */
    uint64_t reset_end; /* class-2 bytes, under the keys of then, behind the last one */
    uint32_t cursor_image;              /* id that the viewer has */
    struct tas_msg_cursor_image cursor; /* kept, so that it can be sent again */
    uint8_t *cursor_rgba;
    uint32_t cursor_x, cursor_y;
    bool has_cursor;
    bool cursor_is_due; /* the position could not be sent yet */
    struct tas_monitors monitors;
    bool monitors_are_due; /* the viewer does not know them yet */
};

/* The viewer's side. */
struct screen_in {
    struct tas_decoder *decoder;
    uint32_t width, height, layout;
    struct tas_bytes waiting; /* a frame, borrowed from its event; ptr NULL: none */
    uint32_t last_frame;
    uint32_t stream;
    bool needs_refresh;
    bool wants;
    uint64_t rx_us;      /* when the newest class-2 record came */
    uint64_t ack_due_us; /* 0: none due */
    uint16_t decode_ms;
    uint64_t rx_bytes; /* class-2 bytes under the present keys */
    struct tas_monitors monitors;
    uint32_t monitors_layout; /* from which on monitors.shown holds */
    uint8_t shown;            /* monitor in the picture */
    bool has_chosen;          /* the operator wants `chosen` */
    uint8_t chosen;
};

struct queued_event {
    struct queued_event *next;
    struct tas_event ev;
    uint8_t *extra;
    size_t extra_len;
};

/* Everything secret, in one piece of secret memory. */
struct session_secrets {
    struct tas_identity identity;
    struct tas_generation current, next; /* next: after RS, before its first record was opened */
    struct tas_resume_half rs_half[2];   /* viewer: what our RS1 were made of, by rs_names_next */
    uint32_t last3;                      /* host: the three digits that it drew */
};

struct tas_session {
    struct tas_session_config cfg;
    struct tas_keyset keyset;
    struct tas_msg_ticket ticket;
    struct session_secrets *sec;
    enum tas_role role;
    uint8_t viewer_slot;
    uint8_t peer_slot;

    enum tas_state state;
    enum tas_state resume_to; /* the state to come back to */
    uint64_t state_since_us;
    uint64_t started_us;
    uint64_t suspended_us;
    uint64_t keyed_us; /* first KEYED; never reset */
    bool has_joined;   /* some relay let us in once */
    unsigned refusals; /* relays that refused us since one let us in */
    bool is_stalled;   /* input waits until the owner has taken events */
    enum tas_end_reason end_reason;
    bool is_peer_told; /* TAS_EVENT_PEER was given */

    struct leg legs[TAS_LEGS];
    int leg; /* in use end to end, or TAS_NO_LEG */
    unsigned n_relays, next_relay;
    unsigned dials;       /* since a relay last held for a while */
    uint64_t retry_us;    /* not before: the next dial when there is no leg */
    uint64_t hop_us;      /* when a second leg was last tried */
    uint32_t incarnation; /* of the peer that the keys were last agreed with */
    bool ticket_was_due;

    struct tas_handshake *hs;
    unsigned handshakes; /* H1 sent or H2 sent: never reset */
    unsigned code_tries;
    bool is_code_out; /* viewer: VERIFY sent, no answer yet */
    unsigned bad_resumes;
    bool has_generation, has_next;
    bool is_peer_known; /* AUTH of the peer holds */
    struct tas_peer peer;
    struct tas_sealer *sealer;
    bool is_rs_out; /* viewer: RS1 sent on this line, no RS2 yet */
    bool rs_names_next;
    bool is_rs_made[2]; /* rs_half is in use on this line */
    unsigned rs_tries;
    uint64_t rs_us;
    uint8_t rs1[TAS_SIZE_RS], rs2[TAS_SIZE_RS]; /* host: the last pair, to answer the same with the same */
    bool has_rs;
    bool awaits_sync; /* after a resume, until the peer's SYNC */
    uint32_t resumes;
    uint64_t keys_since_us;   /* the present keys were agreed */
    uint64_t rekey_us;        /* viewer: when they are to be replaced */
    uint32_t rekey_input_seq; /* input_seq when that was last put off */

    struct tas_channels ch;
    struct tas_pace pace;
    uint64_t ack_due_us;
    unsigned screen_turns; /* class 2 records since the last class 3 one */
    uint64_t screen_bytes;
    uint32_t frames;

    uint16_t granted; /* host: by the customer; viewer: told by the host */
    bool is_paused;
    uint32_t input_seq;
    struct screen_out so;
    struct screen_in si;

    struct queued_event *events, **events_end, *given;
    unsigned n_events;
};

/* engine.c */
void engine_move(struct tas_session *s, enum tas_state_event event, uint64_t now_us);
struct tas_event *engine_event(struct tas_session *s, enum tas_event_kind kind, struct tas_bytes extra);
void engine_forget_hangup(struct tas_session *s, unsigned leg);
void engine_close(struct tas_session *s, enum tas_end_reason reason, uint64_t now_us);
void engine_alarm(struct tas_session *s, const char *text);
void engine_refused(struct tas_session *s, const char *text);
int engine_send(struct tas_session *s, uint16_t type, enum tas_class cls, const uint8_t *body, int len);
int engine_on_data(struct tas_session *s, uint8_t pf, struct tas_bytes sealed, uint64_t now_us);
void engine_fill(struct tas_session *s, struct leg *leg, uint64_t now_us);
int engine_keys(struct tas_session *s, const struct tas_generation *gen, uint64_t now_us);
uint64_t engine_server_ms(const struct tas_session *s, uint64_t now_us);

/* leg.c */
void leg_dial(struct tas_session *s, unsigned i, uint32_t relay_id, uint64_t now_us);
void leg_hangup(struct tas_session *s, unsigned i, unsigned close_code);
void leg_put(struct leg *leg, uint8_t type, uint8_t pf, uint16_t route, struct tas_bytes payload);
void leg_process(struct tas_session *s, unsigned i, uint64_t now_us);
bool leg_is_matched(const struct leg *leg);

/* line.c: which leg, and what a lost line means */
void line_tick(struct tas_session *s, uint64_t now_us);
uint64_t line_deadline_us(const struct tas_session *s);
void line_on_leg_lost(struct tas_session *s, unsigned i, uint64_t now_us);
void line_on_peer(struct tas_session *s, unsigned i, uint32_t old_incarnation, uint64_t now_us);
void line_moved(struct tas_session *s, unsigned i, enum tas_state_event event, uint64_t now_us);
void line_suspend(struct tas_session *s, enum tas_state_event why, uint64_t now_us);
void line_send_rs1(struct tas_session *s, uint64_t now_us);

/* secure.c: handshake, AUTH, check code, resume */
void secure_on_hs(struct tas_session *s, struct tas_bytes msg, uint64_t now_us);
void secure_start(struct tas_session *s, uint64_t now_us);
int secure_on_auth(struct tas_session *s, struct tas_bytes body, uint64_t now_us);
int secure_on_verify(struct tas_session *s, struct tas_bytes body, uint64_t now_us);
int secure_on_verified(struct tas_session *s, struct tas_bytes body, uint64_t now_us);
int secure_on_sync(struct tas_session *s, struct tas_bytes body, uint64_t now_us);
void secure_on_first_record(struct tas_session *s, uint64_t now_us);
void secure_keys_are_new(struct tas_session *s, uint64_t now_us);
void secure_forget_resume(struct tas_session *s);
void secure_tick(struct tas_session *s, uint64_t now_us);
uint64_t secure_deadline_us(const struct tas_session *s);

/* monitors.c: which of the customer's monitors is seen. For the host: */
void monitors_tell(struct tas_session *s); /* when the viewer may know and does not yet */
bool monitors_may_be_wanted(uint8_t monitor);
/* ... for the viewer: */
uint8_t monitors_wanted(const struct tas_session *s);
void monitors_on_screen(struct tas_session *s);
int monitors_on_message(struct tas_session *s, struct tas_bytes body);

/* screen.c: the host's screen on its way out */
int screen_tell(struct tas_session *s);
int screen_start(struct tas_session *s);
void screen_frames_lost(struct tas_session *s, uint32_t last_frame);
int screen_on_ack(struct tas_session *s, struct tas_bytes body, uint64_t now_us);
void screen_tick(struct tas_session *s, uint64_t now_us);
uint64_t screen_deadline_us(const struct tas_session *s);
void screen_fini(struct tas_session *s);

/* host.c, viewer.c: messages that only one of the two takes */
int host_on_message(struct tas_session *s, const struct tas_incoming *m, uint64_t now_us);
int viewer_on_message(struct tas_session *s, const struct tas_incoming *m, uint64_t now_us);
void host_tell_grants(struct tas_session *s);
void host_perms_changed(struct tas_session *s, uint16_t perms_before);
void host_before_fill(struct tas_session *s);
bool host_may_show(const struct tas_session *s);
bool host_may_be_seen(const struct tas_session *s);
int host_on_resumed(struct tas_session *s, const struct tas_msg_sync *sync);
void host_fini(struct tas_session *s);
void viewer_on_resumed(struct tas_session *s);
int viewer_send_view(struct tas_session *s);
void viewer_tick(struct tas_session *s, uint64_t now_us);
void viewer_note_screen_bytes(struct tas_session *s, size_t n, uint64_t now_us);
bool viewer_is_blocked(const struct tas_session *s);
void viewer_fini(struct tas_session *s);
