#include "session/channel.h"

#include "base/wipe.h"

#include <assert.h>
#include <stdlib.h>

enum { QUEUE_MAX = 256 * 1024, PAD_TO = 64 };

struct tas_outgoing {
    struct tas_outgoing *next;
    uint32_t ordinal; /* 0: not counted */
    uint32_t len, sent;
    uint16_t type;
    uint8_t ch;
    uint8_t cls;
    uint8_t body[];
};

/* clang-format off */
static const struct tas_channel_rule rules[TAS_CHANNELS] = {
    [0] = {"control", 1 << 0,            true,  16 * 1024},
    [1] = {"input",   1 << 0,            false, 64},
    [2] = {"screen",  1 << 2,            false, 4 * 1024 * 1024},
    [3] = {"cursor",  1 << 0 | 1 << 1,   false, 256 * 1024},
    [7] = {"chat",    1 << 1,            true,  4 * 1024},
    [10] = {"device", 1 << 1,            true,  16 * 1024},
};
/* clang-format on */

const struct tas_channel_rule *tas_channel_rule(uint8_t ch) {
    assert(ch < TAS_CHANNELS);
    return &rules[ch];
}

bool tas_message_is_uncounted(uint16_t type) {
    return type == TAS_MESSAGE_AUTH || type == TAS_MESSAGE_SYNC || type == TAS_MESSAGE_ACK ||
           type == TAS_MESSAGE_FRAME_ACK || type == TAS_MESSAGE_BYE;
}

static bool is_counted(uint8_t ch, uint16_t type) {
    return rules[ch].is_replayed && !tas_message_is_uncounted(type);
}

void tas_channels_init(struct tas_channels *c) {
    memset(c, 0, sizeof(*c));
    for (int i = 0; i < TAS_CHANNELS; i++) {
        c->ch[i].queue_end = &c->ch[i].queue;
        c->ch[i].kept_end = &c->ch[i].kept;
    }
}

static void outgoing_free(struct tas_outgoing *m) {
    tas_wipe(m, sizeof(*m) + m->len);
    free(m);
}

static void list_free(struct tas_outgoing **head, struct tas_outgoing ***end) {
    while (*head) {
        struct tas_outgoing *m = *head;
        *head = m->next;
        outgoing_free(m);
    }
    *end = head;
}

static void drop_partial(struct tas_channels *c, int ch) {
    if (c->ch[ch].in)
        tas_wipe(c->ch[ch].in, c->ch[ch].in_total);
    free(c->ch[ch].in);
    c->ch[ch].in = NULL;
}

void tas_channels_fini(struct tas_channels *c) {
    for (int i = 0; i < TAS_CHANNELS; i++) {
        list_free(&c->ch[i].queue, &c->ch[i].queue_end);
        list_free(&c->ch[i].kept, &c->ch[i].kept_end);
        drop_partial(c, i);
    }
    tas_channels_init(c);
}

static void push(struct tas_outgoing ***end, struct tas_outgoing *m) {
    m->next = NULL;
    **end = m;
    *end = &m->next;
}

static struct tas_outgoing *pop(struct tas_outgoing **head, struct tas_outgoing ***end) {
    struct tas_outgoing *m = *head;
    *head = m->next;
    if (!*head)
        *end = head;
    return m;
}

int tas_channels_send(struct tas_channels *c, uint8_t ch, uint16_t type, enum tas_class cls,
                      struct tas_bytes body) {
    const struct tas_channel_rule *rule = tas_channel_rule(ch);
    assert(rule->classes & 1u << cls);
    assert(body.len <= rule->max_len);
    bool is_big = rule->max_len > QUEUE_MAX;
    if (is_big ? c->ch[ch].queue != NULL && type == TAS_MESSAGE_FRAME
               : c->ch[ch].bytes + body.len > QUEUE_MAX)
        return TAS_E_FULL;
    struct tas_outgoing *m = malloc(sizeof(*m) + body.len);
    if (!m)
        return TAS_E_NOMEM;
    *m = (struct tas_outgoing){.type = type, .ch = ch, .cls = (uint8_t)cls, .len = (uint32_t)body.len};
    if (body.len)
        memcpy(m->body, body.ptr, body.len);
    if (is_counted(ch, type))
        m->ordinal = ++c->ch[ch].tx_msgs;
    c->ch[ch].bytes += body.len;
    push(&c->ch[ch].queue_end, m);
    return TAS_OK;
}

/* May the first message of this queue go now, in this class? After a resume counted messages wait for the
 * peer's SYNC; the uncounted ones (SYNC itself) then pass them. */
static struct tas_outgoing **ready(struct tas_channels *c, int ch, enum tas_class cls, bool replay_blocked) {
    struct tas_outgoing **at = &c->ch[ch].queue;
    if (replay_blocked)
        while (*at && (*at)->ordinal != 0)
            at = &(*at)->next;
    return *at && (*at)->cls == cls ? at : NULL;
}

bool tas_channels_has(const struct tas_channels *c, enum tas_class cls, bool replay_blocked) {
    for (int ch = 0; ch < TAS_CHANNELS; ch++)
        if (ready((struct tas_channels *)c, ch, cls, replay_blocked))
            return true;
    return false;
}

bool tas_channels_waits(const struct tas_channels *c, uint8_t ch) {
    return c->ch[ch].queue != NULL;
}

/* A message is sent whole: keep it until acknowledged, or forget it. */
static void sent_whole(struct tas_channels *c, struct tas_outgoing **at) {
    struct tas_outgoing *m = *at;
    int ch = m->ch;
    *at = m->next;
    if (!*at)
        c->ch[ch].queue_end = at;
    if (m->ordinal) {
        c->ch[ch].tx_sent = m->ordinal;
        push(&c->ch[ch].kept_end, m);
        return;
    }
    c->ch[ch].bytes -= m->len;
    outgoing_free(m);
}

int tas_channels_next(struct tas_channels *c, enum tas_class cls, bool replay_blocked, size_t max,
                      uint8_t *out, size_t cap, uint8_t *pf) {
    struct tas_outgoing **at = NULL;
    for (int ch = 0; ch < TAS_CHANNELS && !at; ch++)
        at = ready(c, ch, cls, replay_blocked);
    if (!at)
        return 0;
    struct tas_outgoing *m = *at;
    bool is_start = m->sent == 0;
    size_t limit = TAS_FRAGMENT_MAX - 4 - (cls <= TAS_CLASS_SMALL ? PAD_TO : 0);
    size_t n = m->len - m->sent;
    if (n > (max < limit ? max : limit))
        n = max < limit ? max : limit;
    struct tas_fragment frag = {
        .ch = m->ch,
        .is_start = is_start,
        .is_fin = m->sent + n == m->len,
        .type = m->type,
        .total = m->len,
        .body = tas_bytes_of(m->body + m->sent, n),
    };
    int len = tas_fragment_encode(&frag, cls <= TAS_CLASS_SMALL ? PAD_TO : 1, out, cap);
    assert(len > 0);
    *pf = (uint8_t)((uint8_t)cls | (frag.is_start ? TAS_PF_UNIT_START : 0) |
                    (frag.is_fin ? TAS_PF_UNIT_END : 0));
    m->sent += (uint32_t)n;
    if (frag.is_fin)
        sent_whole(c, at);
    return len;
}

static int deliver(struct tas_channels *c, struct tas_incoming *out, uint8_t ch, uint16_t type,
                   struct tas_bytes body) {
    *out = (struct tas_incoming){.ch = ch, .type = type, .body = body};
    if (is_counted(ch, type)) {
        c->ch[ch].rx_msgs++;
        c->ch[ch].rx_untold_bytes += body.len + 1;
    }
    return TAS_OK;
}

/* START without FIN: room for all of it is taken now, within the channel's limit. */
static int open_message(struct tas_channels *c, const struct tas_fragment *frag) {
    if (frag->total <= frag->body.len)
        return TAS_E_PROTO;
    c->ch[frag->ch].in = malloc(frag->total);
    if (!c->ch[frag->ch].in)
        return TAS_E_NOMEM;
    memcpy(c->ch[frag->ch].in, frag->body.ptr, frag->body.len);
    c->ch[frag->ch].in_len = (uint32_t)frag->body.len;
    c->ch[frag->ch].in_total = frag->total;
    c->ch[frag->ch].in_type = frag->type;
    return TAS_E_MORE;
}

int tas_channels_take(struct tas_channels *c, const struct tas_fragment *frag, enum tas_class cls,
                      struct tas_incoming *out) {
    const struct tas_channel_rule *rule = tas_channel_rule(frag->ch);
    uint8_t *in = c->ch[frag->ch].in;
    if (rule->max_len == 0 || !(rule->classes & 1u << cls))
        return TAS_E_PROTO;
    if (frag->is_start && frag->total > rule->max_len)
        return TAS_E_LIMIT;
    bool may_be_long = rule->classes >> cls == 1; /* the highest class of the channel */
    if (!may_be_long)
        return frag->is_start && frag->is_fin ? deliver(c, out, frag->ch, frag->type, frag->body)
                                              : TAS_E_PROTO;

    /* The last message that was put together stays until the next fragment, because `out` borrows from it. */
    if (in && c->ch[frag->ch].in_len == c->ch[frag->ch].in_total) {
        drop_partial(c, frag->ch);
        in = NULL;
    }
    if (frag->is_start) {
        if (in)
            return TAS_E_PROTO;
        return frag->is_fin ? deliver(c, out, frag->ch, frag->type, frag->body) : open_message(c, frag);
    }
    uint32_t have = c->ch[frag->ch].in_len;
    if (!in || frag->type != c->ch[frag->ch].in_type || frag->body.len > c->ch[frag->ch].in_total - have)
        return TAS_E_PROTO;
    if (frag->body.len)
        memcpy(in + have, frag->body.ptr, frag->body.len);
    c->ch[frag->ch].in_len += (uint32_t)frag->body.len;
    bool is_whole = c->ch[frag->ch].in_len == c->ch[frag->ch].in_total;
    if (is_whole != frag->is_fin || frag->body.len == 0)
        return TAS_E_PROTO;
    return is_whole ? deliver(c, out, frag->ch, frag->type, tas_bytes_of(in, c->ch[frag->ch].in_total))
                    : TAS_E_MORE;
}

int tas_channels_on_ack(struct tas_channels *c, uint8_t ch, uint32_t rx_msgs) {
    if (ch >= TAS_CHANNELS || rx_msgs > c->ch[ch].tx_sent || rx_msgs < c->ch[ch].tx_acked)
        return TAS_E_PROTO;
    c->ch[ch].tx_acked = rx_msgs;
    while (c->ch[ch].kept && c->ch[ch].kept->ordinal <= rx_msgs) {
        struct tas_outgoing *m = pop(&c->ch[ch].kept, &c->ch[ch].kept_end);
        c->ch[ch].bytes -= m->len;
        outgoing_free(m);
    }
    /* After a resume what was kept waits in the queue again, and the peer may have had some of it. */
    while (c->ch[ch].queue && c->ch[ch].queue->ordinal != 0 && c->ch[ch].queue->ordinal <= rx_msgs) {
        struct tas_outgoing *m = pop(&c->ch[ch].queue, &c->ch[ch].queue_end);
        c->ch[ch].bytes -= m->len;
        outgoing_free(m);
    }
    return TAS_OK;
}

int tas_channels_ack_due(struct tas_channels *c, size_t bytes, uint32_t *rx_msgs) {
    for (int ch = 0; ch < TAS_CHANNELS; ch++) {
        if (c->ch[ch].rx_msgs == c->ch[ch].rx_told || c->ch[ch].rx_untold_bytes <= bytes)
            continue;
        c->ch[ch].rx_told = c->ch[ch].rx_msgs;
        c->ch[ch].rx_untold_bytes = 0;
        *rx_msgs = c->ch[ch].rx_msgs;
        return ch;
    }
    return -1;
}

void tas_channels_forget(struct tas_channels *c, uint8_t ch) {
    assert(!rules[ch].is_replayed);
    struct tas_outgoing **at = &c->ch[ch].queue;
    while (*at) {
        struct tas_outgoing *m = *at;
        if (m->sent > 0) {
            at = &m->next;
            continue;
        }
        *at = m->next;
        c->ch[ch].bytes -= m->len;
        outgoing_free(m);
    }
    c->ch[ch].queue_end = at;
}

/* kept || queue, without what is not counted, each from its first byte. */
static void rewind_channel(struct tas_channels *c, int ch) {
    *c->ch[ch].kept_end = c->ch[ch].queue;
    struct tas_outgoing *all = c->ch[ch].kept;
    c->ch[ch].kept = NULL;
    c->ch[ch].kept_end = &c->ch[ch].kept;
    c->ch[ch].queue = NULL;
    c->ch[ch].queue_end = &c->ch[ch].queue;
    while (all) {
        struct tas_outgoing *m = all;
        all = m->next;
        if (m->ordinal) {
            m->sent = 0;
            push(&c->ch[ch].queue_end, m);
        } else {
            c->ch[ch].bytes -= m->len;
            outgoing_free(m);
        }
    }
}

void tas_channels_on_suspend(struct tas_channels *c) {
    for (int ch = 0; ch < TAS_CHANNELS; ch++) {
        drop_partial(c, ch);
        rewind_channel(c, ch);
    }
}
