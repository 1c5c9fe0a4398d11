#include "relay/queue.h"

enum { BULK_SHARE = 8, HEADROOM = 4 * (TAS_RECORD_HEAD + TAS_RECORD_MAX) };

void relay_queue_init(struct relay_queue *q, size_t limit) {
    *q = (struct relay_queue){.limit = limit};
    for (int i = 0; i < TAS_CLASSES; i++)
        tas_buf_init(&q->by_class[i], limit + HEADROOM);
}

void relay_queue_fini(struct relay_queue *q) {
    for (int i = 0; i < TAS_CLASSES; i++)
        tas_buf_fini(&q->by_class[i]);
}

bool relay_queue_is_full(const struct relay_queue *q) {
    return q->len >= q->limit;
}

int relay_queue_push(struct relay_queue *q, uint8_t type, uint8_t pf, uint16_t source,
                     struct tas_bytes payload) {
    size_t need = TAS_RECORD_HEAD + payload.len;
    if (q->len + need > q->limit + HEADROOM)
        return TAS_E_FULL;
    struct tas_buf *buf = &q->by_class[pf & TAS_PF_CLASS];
    uint8_t *to = tas_buf_reserve(buf, need);
    if (!to)
        return TAS_E_NOMEM;
    tas_record_head_encode(to, type, pf, source, payload.len);
    if (payload.len)
        memcpy(to + TAS_RECORD_HEAD, payload.ptr, payload.len);
    tas_buf_commit(buf, need);
    q->len += need;
    return TAS_OK;
}

static int next_class(const struct relay_queue *q) {
    for (int cls = TAS_CLASS_CONTROL; cls <= TAS_CLASS_SMALL; cls++)
        if (q->by_class[cls].len)
            return cls;
    bool has_screen = q->by_class[TAS_CLASS_SCREEN].len;
    bool has_bulk = q->by_class[TAS_CLASS_BULK].len;
    if (has_bulk && (!has_screen || q->screen_turns >= BULK_SHARE))
        return TAS_CLASS_BULK;
    return has_screen ? TAS_CLASS_SCREEN : -1;
}

/* Whole records only: a record of another class must never cut one in two. */
static size_t whole_records(struct tas_bytes all, size_t max) {
    size_t n = 0;
    struct tas_record rec;
    size_t used;
    while (tas_record_decode(&rec, &used, tas_bytes_of(all.ptr + n, all.len - n)) == TAS_OK) {
        if (n > 0 && n + used > max)
            break;
        n += used;
    }
    return n;
}

struct tas_bytes relay_queue_peek(const struct relay_queue *q, size_t max, unsigned *cls) {
    int next = next_class(q);
    if (next < 0)
        return (struct tas_bytes){0};
    *cls = (unsigned)next;
    struct tas_bytes all = tas_buf_peek(&q->by_class[next]);
    return tas_bytes_of(all.ptr, whole_records(all, max));
}

void relay_queue_drop(struct relay_queue *q, unsigned cls, size_t n) {
    struct tas_buf *buf = &q->by_class[cls];
    if (cls == TAS_CLASS_SCREEN)
        q->screen_turns++;
    else if (cls == TAS_CLASS_BULK)
        q->screen_turns = 0;
    tas_buf_drop(buf, n);
    tas_buf_shrink(buf);
    q->len -= n;
}
