/* How much of the screen may be on its way: the control loop of docs/protocol.md section 5, per viewer. Sized
 * by what the path delivers, not by what a socket swallows, so that the picture stays young on a thin line.
 */
#pragma once

#include "base/bytes.h"
#include "base/err.h"

enum { TAS_PACE_SENT_MAX = 512, TAS_PACE_RATES_MAX = 32, TAS_PACE_ACKS_MAX = 64 };

struct tas_pace {
    /* what was sent and is not acknowledged, oldest first */
    struct {
        uint64_t end; /* byte position behind this record */
        uint64_t sent_us;
    } sent[TAS_PACE_SENT_MAX];
    unsigned first, count;

    uint64_t sent_bytes, acked_bytes;

    /* acknowledgements since the path last was empty, oldest first */
    struct {
        uint64_t bytes;
        uint64_t sent_us;    /* when the last of them went out */
        uint64_t arrived_us; /* when it arrived there, later by the constant time of the way back */
    } acks[TAS_PACE_ACKS_MAX];
    unsigned first_ack, n_acks;

    /* candidates for the greatest rate, newest last, falling */
    struct {
        uint64_t at_us;
        uint64_t Bps;
    } rates[TAS_PACE_RATES_MAX];
    unsigned n_rates;

    uint64_t min_rtt_us, min_rtt_at_us; /* 0: none yet */
    uint64_t last_rtt_us;
    bool has_queued;       /* more than the path holds was sent once: its rate is known */
    uint64_t drained_us;   /* when the path last was empty */
    uint64_t probe_end_us; /* 0: not probing */
    uint32_t probe_period_us;
    unsigned bad_samples;
};

void tas_pace_init(struct tas_pace *p, uint64_t now_us);

/* `bytes` more are on their way. */
void tas_pace_on_sent(struct tas_pace *p, size_t bytes, uint64_t now_us);

/* The peer has received bytes_total in all and held the news for hold_us. TAS_E_PROTO: it claims what cannot
 * be (more than was sent, less than before, held longer than it was there); the sample is dropped. The eighth
 * gives TAS_E_LIMIT: close. */
TAS_MUST_USE int tas_pace_on_ack(struct tas_pace *p, uint64_t bytes_total, uint32_t hold_us, uint64_t now_us);

/* The peer claims something else that cannot be: as above. */
TAS_MUST_USE int tas_pace_on_bad(struct tas_pace *p);

/* Is it time for the next frame? When what is on its way will soon be through: earlier, the frame would only
 * grow old in a queue; later, the path would stand idle. */
bool tas_pace_wants_frame(struct tas_pace *p, uint64_t now_us);

/* Bytes that may be on their way at once, now. */
size_t tas_pace_window(struct tas_pace *p, uint64_t now_us);

/* Bytes that may be sent now: window less what is on its way. */
size_t tas_pace_room(struct tas_pace *p, uint64_t now_us);

/* Bytes sent and not acknowledged. */
size_t tas_pace_in_flight(const struct tas_pace *p);

/* The largest piece to send at once, 1024..16344. */
size_t tas_pace_chunk(const struct tas_pace *p);

/* The path's rate as far as known, bytes per second; 0 before the first sample. */
uint64_t tas_pace_rate_Bps(const struct tas_pace *p);

/* When room may grow without an acknowledgement (the end of a probe); UINT64_MAX: never. */
uint64_t tas_pace_deadline_us(const struct tas_pace *p);
