/* Which monitors the customer has, and which of them is seen (docs/protocol.md section 4). The host tells
 * them to a viewer who may see; the viewer says with VIEW which one is wanted, so that the wish is renewed
 * whenever the screen is asked for again. SCREEN's layout rises with each change: MONITORS, which is sent
 * ahead of it, names the layout that it speaks of, and input aimed at another one is dropped. */
#include "session/engine_private.h"

#include "wire/signed.h"

enum { PRIMARY = 1, BODY_MAX = 8 + TAS_MONITORS * TAS_SIZE_MONITOR };

static const struct tas_monitor *find(const struct tas_monitors *monitors, uint8_t id) {
    for (unsigned i = 0; i < monitors->n; i++)
        if (monitors->list[i].id == id)
            return &monitors->list[i];
    return NULL;
}

/* ---- host ---- */

static size_t encode_list(const struct tas_monitors *monitors, uint8_t *out, size_t cap) {
    size_t len = 0;
    for (unsigned i = 0; i < monitors->n && i < TAS_MONITORS; i++) {
        const struct tas_monitor *from = &monitors->list[i];
        struct tas_msg_monitor m = {.id = from->id,
                                    .flags = from->is_primary ? PRIMARY : 0,
                                    .x = from->x,
                                    .y = from->y,
                                    .width = from->width,
                                    .height = from->height};
        memcpy(m.name, from->name, strnlen(from->name, sizeof(m.name)));
        int n = tas_msg_monitor_encode(&m, out + len, cap - len);
        len += n > 0 ? (size_t)n : 0; /* there is room for all of them */
    }
    return len;
}

/* One at a time waits to be sent: a screen that changes all the time must not fill the queue. */
void monitors_tell(struct tas_session *s) {
    struct screen_out *so = &s->so;
    if (!so->monitors_are_due || !host_may_be_seen(s) || tas_channels_waits(&s->ch, 0))
        return;
    uint8_t list[TAS_MONITORS * TAS_SIZE_MONITOR];
    uint8_t body[BODY_MAX];
    const struct tas_msg_monitors m = {.layout = so->layout,
                                       .count = so->monitors.n,
                                       .shown = so->monitors.shown,
                                       .list = {list, encode_list(&so->monitors, list, sizeof(list))}};
    so->monitors_are_due = engine_send(s, TAS_MESSAGE_MONITORS, TAS_CLASS_CONTROL, body,
                                       tas_msg_monitors_encode(&m, body, sizeof(body))) != TAS_OK;
}

void tas_session_monitors(struct tas_session *s, const struct tas_monitors *monitors) {
    s->so.monitors = *monitors;
    s->so.monitors_are_due = true;
    monitors_tell(s);
}

bool monitors_may_be_wanted(uint8_t monitor) {
    return monitor <= TAS_MONITORS || monitor == TAS_MONITOR_ANY;
}

/* ---- viewer ---- */

static int decode_one(struct tas_monitor *out, struct tas_bytes bytes) {
    struct tas_msg_monitor m;
    struct tas_bytes name;
    if (tas_msg_monitor_decode(&m, bytes) != TAS_OK ||
        tas_text_field(&name, m.name, sizeof(m.name)) != TAS_OK)
        return TAS_E_PROTO;
    if (m.id == 0 || m.id > TAS_MONITORS || m.flags > PRIMARY || m.width == 0 || m.height == 0)
        return TAS_E_PROTO;
    *out = (struct tas_monitor){.id = m.id,
                                .is_primary = m.flags & PRIMARY,
                                .x = m.x,
                                .y = m.y,
                                .width = m.width,
                                .height = m.height};
    memcpy(out->name, name.ptr, name.len);
    return TAS_OK;
}

static int decode(struct tas_monitors *out, const struct tas_msg_monitors *m) {
    *out = (struct tas_monitors){.shown = m->shown};
    if (m->count > TAS_MONITORS || m->list.len != (size_t)m->count * TAS_SIZE_MONITOR)
        return TAS_E_PROTO;
    for (unsigned i = 0; i < m->count; i++) {
        struct tas_monitor one;
        int err =
            decode_one(&one, tas_bytes_of(m->list.ptr + (size_t)i * TAS_SIZE_MONITOR, TAS_SIZE_MONITOR));
        if (err != TAS_OK || find(out, one.id))
            return TAS_E_PROTO;
        out->list[out->n++] = one;
    }
    return m->shown == TAS_MONITOR_ALL || find(out, m->shown) ? TAS_OK : TAS_E_PROTO;
}

/* What `shown` says belongs to the layout that it names. */
void monitors_on_screen(struct tas_session *s) {
    struct screen_in *si = &s->si;
    if (si->monitors_layout == si->layout)
        si->shown = si->monitors.shown;
}

int monitors_on_message(struct tas_session *s, struct tas_bytes body) {
    struct screen_in *si = &s->si;
    struct tas_msg_monitors m;
    struct tas_monitors monitors;
    if (tas_msg_monitors_decode(&m, body) != TAS_OK || decode(&monitors, &m) != TAS_OK)
        return TAS_E_PROTO;
    si->monitors = monitors;
    si->monitors_layout = m.layout;
    monitors_on_screen(s);
    bool is_gone = si->has_chosen && si->chosen != TAS_MONITOR_ALL && !find(&monitors, si->chosen);
    if (is_gone)
        si->chosen = TAS_MONITOR_ALL; /* its number may be another monitor's one day */
    return engine_event(s, TAS_EVENT_MONITORS, (struct tas_bytes){0}) ? TAS_OK : TAS_E_NOMEM;
}

uint8_t monitors_wanted(const struct tas_session *s) {
    return s->si.has_chosen ? s->si.chosen : TAS_MONITOR_ANY;
}

int tas_session_choose_monitor(struct tas_session *s, uint8_t monitor) {
    struct screen_in *si = &s->si;
    bool is_one = monitor != TAS_MONITOR_ALL && monitor != TAS_MONITOR_ANY;
    if (is_one && !find(&si->monitors, monitor))
        return TAS_E_ABSENT;
    si->has_chosen = monitor != TAS_MONITOR_ANY;
    si->chosen = monitor;
    return si->wants && tas_state_keeps_keys(s->state) ? viewer_send_view(s) : TAS_OK;
}

const struct tas_monitors *tas_session_remote_monitors(const struct tas_session *s) {
    return &s->si.monitors;
}
