#include "session/pace.h"

#include "wire/record.h"

/* docs/protocol.md section 5; where the times come from: docs/decisions/0005. */
enum {
    FIRST_WINDOW = 16 * 1024,
    WINDOW_MAX = 4 * 1024 * 1024,
    CHUNK_MIN = 1024,
    SLACK_US = 33 * 1000,            /* queue that we allow ourselves beyond an empty path */
    LEAD_US = 26 * 1000,             /* of it, what may still be to go when the next frame is coded */
    EXPLORE_PERIOD_US = 1000 * 1000, /* so often twice as much, for a round trip: is there more to be had? */
    CHUNK_US = 10 * 1000,            /* of link time: what is urgent waits behind two of them at most */
    SPAN_US = 8 * 1000,          /* least time between the two acknowledgements that a rate is read from */
    QUEUED_US = 5 * 1000,        /* longer than minRTT by this: the path was busy, so it set the pace */
    RATE_MEMORY_US = 500 * 1000, /* least time for which a rate counts */
    MIN_RTT_MEMORY_US = 10 * 1000 * 1000,
    PROBE_EXTRA_US = 150 * 1000,
    PROBE_PERIOD_US = 8 * 1000 * 1000,
    PROBE_JITTER_US = 2 * 1000 * 1000,
    BAD_SAMPLES_MAX = 8,
};

void tas_pace_init(struct tas_pace *p, uint64_t now_us) {
    memset(p, 0, sizeof(*p));
    p->drained_us = now_us;
    p->probe_period_us = PROBE_PERIOD_US + (uint32_t)(now_us % PROBE_JITTER_US);
}

size_t tas_pace_in_flight(const struct tas_pace *p) {
    return (size_t)(p->sent_bytes - p->acked_bytes);
}

static uint64_t later(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

static void ack_note(struct tas_pace *p, uint64_t bytes, uint64_t sent_us, uint64_t arrived_us) {
    if (p->n_acks == TAS_PACE_ACKS_MAX) {
        p->first_ack = (p->first_ack + 1) % TAS_PACE_ACKS_MAX;
        p->n_acks--;
    }
    unsigned at = (p->first_ack + p->n_acks++) % TAS_PACE_ACKS_MAX;
    p->acks[at].bytes = bytes;
    p->acks[at].sent_us = sent_us;
    p->acks[at].arrived_us = arrived_us;
}

void tas_pace_on_sent(struct tas_pace *p, size_t bytes, uint64_t now_us) {
    if (p->sent_bytes == p->acked_bytes) {
        p->n_acks = 0; /* no rate is read across the pause */
        ack_note(p, p->acked_bytes, now_us, now_us);
        p->drained_us = now_us;
    }
    p->sent_bytes += bytes;
    if (p->count == TAS_PACE_SENT_MAX) { /* many small records: the newest entry stands for them together */
        p->sent[(p->first + p->count - 1) % TAS_PACE_SENT_MAX].end = p->sent_bytes;
        return;
    }
    unsigned at = (p->first + p->count++) % TAS_PACE_SENT_MAX;
    p->sent[at].end = p->sent_bytes;
    p->sent[at].sent_us = now_us;
}

uint64_t tas_pace_rate_Bps(const struct tas_pace *p) {
    return p->n_rates ? p->rates[0].Bps : 0;
}

static void rates_drop_first(struct tas_pace *p, unsigned n) {
    p->n_rates -= n;
    memmove(p->rates, p->rates + n, p->n_rates * sizeof(p->rates[0]));
}

/* Keeps a falling list, so that rates[0] is always the greatest of the memory. may_lower: the path set this
 * rate and not we. */
static void rate_note(struct tas_pace *p, uint64_t Bps, bool may_lower, uint64_t now_us) {
    if (!may_lower && Bps <= tas_pace_rate_Bps(p))
        return;
    uint64_t memory = 8 * p->min_rtt_us > RATE_MEMORY_US ? 8 * p->min_rtt_us : RATE_MEMORY_US;
    while (p->n_rates > 1 && now_us - p->rates[0].at_us > memory)
        rates_drop_first(p, 1);
    if (p->n_rates == 1 && now_us - p->rates[0].at_us > memory)
        p->n_rates = 0;
    while (p->n_rates > 0 && p->rates[p->n_rates - 1].Bps <= Bps)
        p->n_rates--;
    if (p->n_rates == TAS_PACE_RATES_MAX)
        p->n_rates--;
    p->rates[p->n_rates].at_us = now_us;
    p->rates[p->n_rates].Bps = Bps;
    p->n_rates++;
}

static void rtt_note(struct tas_pace *p, uint64_t rtt, uint64_t now_us) {
    if (rtt == 0)
        rtt = 1;
    p->last_rtt_us = rtt;
    bool stale = now_us - p->min_rtt_at_us > MIN_RTT_MEMORY_US;
    if (p->min_rtt_us == 0 || rtt <= p->min_rtt_us || stale) {
        p->min_rtt_us = rtt;
        p->min_rtt_at_us = now_us;
    }
}

/* What arrived between an earlier acknowledgement and this one, over the time that it took to arrive or to
 * send, whichever was longer: never more than the path's rate, and all of it as soon as there was a queue.
 * The earliest is the start of sending after a pause: from there on, the way itself counts as well. */
static void rate_sample(struct tas_pace *p, uint64_t bytes, uint64_t sent_us, uint64_t arrived_us,
                        uint64_t rtt, uint64_t now_us) {
    bool was_queued = rtt > p->min_rtt_us + QUEUED_US;
    for (unsigned back = 1; back <= p->n_acks; back++) {
        unsigned at = (p->first_ack + p->n_acks - back) % TAS_PACE_ACKS_MAX;
        bool is_start = p->acks[at].arrived_us == p->acks[at].sent_us;
        if (arrived_us <= p->acks[at].arrived_us ||
            (!is_start && arrived_us - p->acks[at].arrived_us < SPAN_US))
            continue;
        uint64_t span = later(arrived_us - p->acks[at].arrived_us, sent_us - p->acks[at].sent_us);
        rate_note(p, (bytes - p->acks[at].bytes) * 1000000u / span, was_queued && !is_start, now_us);
        break;
    }
    ack_note(p, bytes, sent_us, arrived_us);
}

int tas_pace_on_bad(struct tas_pace *p) {
    return ++p->bad_samples >= BAD_SAMPLES_MAX ? TAS_E_LIMIT : TAS_E_PROTO;
}

int tas_pace_on_ack(struct tas_pace *p, uint64_t bytes_total, uint32_t hold_us, uint64_t now_us) {
    if (bytes_total > p->sent_bytes || bytes_total < p->acked_bytes)
        return tas_pace_on_bad(p);
    if (bytes_total == p->acked_bytes)
        return TAS_OK; /* nothing new: an acknowledgement of a picture whose bytes were told before */

    /* the newest record that is wholly received */
    unsigned n = 0;
    while (n < p->count && p->sent[(p->first + n) % TAS_PACE_SENT_MAX].end <= bytes_total)
        n++;
    uint64_t sent_us = n ? p->sent[(p->first + n - 1) % TAS_PACE_SENT_MAX].sent_us : now_us - hold_us;
    if (hold_us > now_us - sent_us)
        return tas_pace_on_bad(p);
    p->first = (p->first + n) % TAS_PACE_SENT_MAX;
    p->count -= n;
    p->acked_bytes = bytes_total;
    if (tas_pace_in_flight(p) == 0)
        p->drained_us = now_us;
    if (n == 0)
        return TAS_OK;
    uint64_t rtt = now_us - sent_us - hold_us;
    rtt_note(p, rtt, now_us);
    if (rtt > p->min_rtt_us + SLACK_US / 2)
        p->has_queued = true;
    rate_sample(p, bytes_total, sent_us, now_us - hold_us, rtt, now_us);
    return TAS_OK;
}

size_t tas_pace_chunk(const struct tas_pace *p) {
    uint64_t bw = tas_pace_rate_Bps(p);
    uint64_t chunk = bw * CHUNK_US / 1000000u;
    if (bw == 0)
        return 4096;
    return chunk < CHUNK_MIN ? CHUNK_MIN : chunk > TAS_FRAGMENT_MAX ? TAS_FRAGMENT_MAX : (size_t)chunk;
}

/* Starts and ends the probes; true while one runs. */
static bool probe_step(struct tas_pace *p, uint64_t now_us) {
    if (p->probe_end_us != 0) {
        if (now_us < p->probe_end_us)
            return true;
        p->probe_end_us = 0;
        p->drained_us = now_us;
        return false;
    }
    if (now_us - p->drained_us < p->probe_period_us)
        return false;
    p->probe_end_us = now_us + p->min_rtt_us + PROBE_EXTRA_US;
    p->min_rtt_at_us = 0; /* what is seen on the emptied path counts, also when it is longer */
    return true;
}

size_t tas_pace_window(struct tas_pace *p, uint64_t now_us) {
    uint64_t bw = tas_pace_rate_Bps(p);
    bool probes = probe_step(p, now_us);
    if (bw == 0)
        return FIRST_WINDOW;
    uint64_t least = 2 * (tas_pace_chunk(p) + TAS_SEALED_OVERHEAD);
    uint64_t window = bw * (p->min_rtt_us + SLACK_US) / 1000000u;
    if (!p->has_queued)
        window *= 2; /* at the start: until the path shows that it is full */
    if (probes)
        window = bw * p->min_rtt_us / 2000000u;
    if (window < least)
        window = least;
    return window > WINDOW_MAX ? WINDOW_MAX : (size_t)window;
}

size_t tas_pace_room(struct tas_pace *p, uint64_t now_us) {
    size_t window = tas_pace_window(p, now_us);
    size_t flying = tas_pace_in_flight(p);
    return flying < window ? window - flying : 0;
}

bool tas_pace_wants_frame(struct tas_pace *p, uint64_t now_us) {
    size_t flying = tas_pace_in_flight(p);
    if (flying == 0)
        return true;
    uint64_t bw = tas_pace_rate_Bps(p);
    uint64_t lead = bw * (p->min_rtt_us + LEAD_US) / 1000000u;
    bool explores = now_us % later(EXPLORE_PERIOD_US, 20 * p->min_rtt_us) < p->min_rtt_us;
    if (!p->has_queued || explores)
        lead *= 2;
    return flying <= lead && flying < tas_pace_window(p, now_us);
}

uint64_t tas_pace_deadline_us(const struct tas_pace *p) {
    return p->probe_end_us ? p->probe_end_us : UINT64_MAX;
}
