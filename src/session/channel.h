/* Messages on channels (docs/protocol.md section 4): cut into fragments on the way out, put together on the
 * way in, counted, and kept until acknowledged where they are sent again after a resume. */
#pragma once

#include "wire/messages.h"
#include "wire/record.h"

/* What is fixed for a channel. */
struct tas_channel_rule {
    const char *name;
    uint8_t classes;  /* mask of the classes it may use; the highest is the one for long messages */
    bool is_replayed; /* unacknowledged messages go out again after a resume */
    uint32_t max_len; /* largest message */
};

/* The rule of channel ch (0..15). max_len 0: the channel is reserved, anything on it closes. */
const struct tas_channel_rule *tas_channel_rule(uint8_t ch);

/* AUTH, SYNC, ACK, FRAME_ACK, BYE: they speak of one set of keys, are not counted and not replayed. */
bool tas_message_is_uncounted(uint16_t type);

struct tas_outgoing; /* one message waiting or awaiting its acknowledgement */

struct tas_channels {
    struct {
        struct tas_outgoing *queue, **queue_end; /* to be sent, oldest first */
        struct tas_outgoing *kept, **kept_end;   /* sent, not acknowledged, oldest first */
        size_t bytes;                            /* in both */
        uint32_t tx_msgs;                        /* counted messages ever queued */
        uint32_t tx_sent;                        /* the highest of them that was sent whole */
        uint32_t tx_acked;
        uint32_t rx_msgs; /* counted messages received */
        uint32_t rx_told; /* of them acknowledged by us */
        size_t rx_untold_bytes;
        /* the message being put together */
        uint8_t *in;
        uint32_t in_len, in_total;
        uint16_t in_type;
    } ch[TAS_CHANNELS];
};

void tas_channels_init(struct tas_channels *c);
void tas_channels_fini(struct tas_channels *c); /* wipes */

/* Queues a copy. TAS_E_FULL: more than 256 KiB (screen: one message) wait already. TAS_E_NOMEM. */
TAS_MUST_USE int tas_channels_send(struct tas_channels *c, uint8_t ch, uint16_t type, enum tas_class cls,
                                   struct tas_bytes body);

/* Is something waiting in this class? `replay_blocked`: leave replayed channels out (before the peer's SYNC).
 */
bool tas_channels_has(const struct tas_channels *c, enum tas_class cls, bool replay_blocked);

/* Is anything of channel ch waiting to be sent? */
bool tas_channels_waits(const struct tas_channels *c, uint8_t ch);

/* The next plaintext of this class: at most `max` bytes of body, into out (cap >= TAS_PLAIN_MAX). Returns its
 * length, 0 when nothing waits. *pf: the flags of the record. */
int tas_channels_next(struct tas_channels *c, enum tas_class cls, bool replay_blocked, size_t max,
                      uint8_t *out, size_t cap, uint8_t *pf);

/* A whole message. `body` is borrowed until the next call. */
struct tas_incoming {
    uint8_t ch;
    uint16_t type;
    struct tas_bytes body;
};

/* Takes a fragment that came in class `cls`. TAS_OK: `out` is a whole message. TAS_E_MORE: not yet whole.
 * TAS_E_PROTO / TAS_E_LIMIT: close. */
TAS_MUST_USE int tas_channels_take(struct tas_channels *c, const struct tas_fragment *frag,
                                   enum tas_class cls, struct tas_incoming *out);

/* The peer has received rx_msgs counted messages on ch. TAS_E_PROTO: more than were sent, or fewer than
 * before. */
TAS_MUST_USE int tas_channels_on_ack(struct tas_channels *c, uint8_t ch, uint32_t rx_msgs);

/* An ACK is due on some channel when more than `bytes` are untold (0: any): its number, or -1. Marks it as
 * told. */
int tas_channels_ack_due(struct tas_channels *c, size_t bytes, uint32_t *rx_msgs);

/* Drops what waits on ch and has not begun to go out. Not for replayed channels. */
void tas_channels_forget(struct tas_channels *c, uint8_t ch);

/* The line is gone: half-received messages are dropped, replayed channels start again at the first
 * unacknowledged message, all else that waits is dropped. */
void tas_channels_on_suspend(struct tas_channels *c);
