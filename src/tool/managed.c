#include "tool/managed.h"

#include "base/time.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    SAMPLE_US = 1000 * 1000,
    SILENT_US = 1500 * 1000,    /* a healthy line speaks twice a second */
    SAMPLES = 1024,             /* the last so many seconds count for the figures of the round trip */
    OTHER_US = 3 * 1000 * 1000, /* the other end tells the server why it ended; or the relay brings its BYE */
    END_PATIENCE_MS = 15000,
};

struct managed {
    struct api_client *client;
    struct tool_listener to;
    void (*on_ended)(void *ctx);
    void *ctx;
    struct api_side side;
    struct tas_session *session; /* while the engine runs */
    struct api_grant *grant;
    struct api_report *report;
    struct api_renewal *renewal;
    struct tas_timer *sample_timer, *end_timer;
    uint32_t rtts_us[SAMPLES];
    size_t n_rtts;
    uint64_t screen_bytes;
    uint32_t relay;
    uint16_t rights;
    bool is_verified, is_suspended, is_over, is_silent;
    bool is_wrong_peer;
    unsigned end_reason; /* enum tas_end_reason, once the engine is closed */
};

/* ---- figures ---- */

static void sample(struct managed *m) {
    struct tas_session_figures f;
    tas_session_figures(m->session, &f, tas_mono_us());
    if (f.last_rtt_us > 0)
        m->rtts_us[m->n_rtts++ % SAMPLES] = f.last_rtt_us < UINT32_MAX ? (uint32_t)f.last_rtt_us : UINT32_MAX;
    m->screen_bytes = f.screen_bytes;
    m->relay = f.relay_id ? f.relay_id : m->relay;
    bool is_silent = f.silent_us > SILENT_US;
    if (is_silent != m->is_silent) {
        m->is_silent = is_silent;
        tool_tell(&m->to, &(struct tool_news){.kind = TOOL_SILENT, .flag = is_silent});
    }
}

static void on_sample(void *ctx) {
    struct managed *m = ctx;
    if (!m->session)
        return;
    sample(m);
    tas_timer_set(m->sample_timer, tas_mono_us() + SAMPLE_US);
}

static int by_size(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void put_figures(struct managed *m, struct api_end *end) {
    size_t n = m->n_rtts < SAMPLES ? m->n_rtts : SAMPLES;
    if (n > 0) {
        qsort(m->rtts_us, n, sizeof(m->rtts_us[0]), by_size);
        end->rtt_p50_us = m->rtts_us[n / 2];
        end->rtt_p95_us = m->rtts_us[n * 95 / 100];
    }
    if (m->side.is_customer)
        end->bytes_out = m->screen_bytes;
    else
        end->bytes_in = m->screen_bytes;
    end->relay = m->relay;
    end->is_verified = m->is_verified;
}

/* ---- the end ---- */

static const char *word_of(const struct managed *m, unsigned reason) {
    bool is_own = reason == (m->side.is_customer ? TAS_END_CUSTOMER : TAS_END_OPERATOR);
    switch (reason) {
    case TAS_END_OPERATOR:
    case TAS_END_CUSTOMER:
        /* The other end says so itself; when the server has not heard it by now, that end is lost. */
        return !is_own ? "lost" : m->side.is_customer ? "customer" : "operator";
    case TAS_END_ADMIN:
    case TAS_END_LOST:
        return "lost";
    case TAS_END_TIMEOUT:
        return "timeout";
    default:
        return "error";
    }
}

static void on_told(void *ctx, const struct api_result *result) {
    struct managed *m = ctx;
    tool_tell(&m->to, &(struct tool_news){.kind = TOOL_ENDED,
                                          .id = m->side.id,
                                          .flag = m->side.is_customer,
                                          .error = &result->error});
    m->on_ended(m->ctx);
}

static void tell_end(struct managed *m, const char *reason, const char *text) {
    struct api_end end = {.reason = reason, .text = text};
    put_figures(m, &end);
    api_report_end(m->report, &end, END_PATIENCE_MS, on_told, m);
}

/* The other end's word has had its time, or the relay's. */
static void on_end_timer(void *ctx) {
    struct managed *m = ctx;
    if (m->session)
        tas_session_end(m->session, TAS_END_ADMIN, tas_mono_us());
    else
        tell_end(m, m->is_wrong_peer ? "error" : word_of(m, m->end_reason),
                 tas_end_reason_text(m->end_reason));
}

static void on_closed(struct managed *m, unsigned reason) {
    sample(m);
    m->session = NULL;
    m->end_reason = reason;
    bool is_others =
        reason == TAS_END_ADMIN || reason == (m->side.is_customer ? TAS_END_OPERATOR : TAS_END_CUSTOMER);
    bool waits = is_others && !m->is_over && !m->is_wrong_peer;
    tas_timer_set(m->end_timer, waits ? tas_mono_us() + OTHER_US : 0);
}

void managed_is_over(struct managed *m) {
    bool was_over = m->is_over;
    m->is_over = true;
    /* An other end that is there brings the reason itself, by way of the relay. */
    bool is_alone = m->session && !tas_state_keeps_keys(tas_session_state(m->session));
    if (m->session && !was_over)
        tas_timer_set(m->end_timer, is_alone ? 0 : tas_mono_us() + OTHER_US);
    else if (m->end_reason && !was_over)
        tas_timer_set(m->end_timer, 0);
}

void managed_end(struct managed *m, const char *reason, const char *text) {
    tell_end(m, reason, text);
}

/* ---- tickets ---- */

static void on_ticket(void *ctx, const uint8_t ticket[TAS_SIZE_TICKET]) {
    struct managed *m = ctx;
    if (!m->session)
        return;
    int err = tas_session_set_ticket(m->session, ticket);
    tool_tell(&m->to, &(struct tool_news){.kind = TOOL_TICKET, .err = err});
}

static void on_no_ticket(void *ctx, const struct api_error *error) {
    const struct managed *m = ctx;
    /* The present one is good for a while, and the server says by itself when all is over. */
    tool_complain(&m->to, NULL, error);
}

/* ---- reports ---- */

void managed_report(struct managed *m, const char *kind, struct tas_json *detail) {
    api_report_add(m->report, kind, detail);
}

void managed_report_number(struct managed *m, const char *kind, const char *name, int64_t number) {
    struct tas_json *detail = tas_json_object();
    tas_json_set_int(detail, name, number);
    managed_report(m, kind, detail);
}

static void report_text(struct managed *m, const char *kind, const char *name, const char *text) {
    struct tas_json *detail = tas_json_object();
    tas_json_set_text(detail, name, text);
    managed_report(m, kind, detail);
}

static void on_state(struct managed *m, const struct tas_event *ev) {
    if (ev->state == TAS_STATE_SUSPENDED && !m->is_suspended) {
        m->is_suspended = true;
        if (!m->side.is_customer)
            managed_report(m, "suspended", NULL);
    } else if (m->is_suspended && ev->state != TAS_STATE_SUSPENDED && ev->state != TAS_STATE_CLOSED) {
        m->is_suspended = false;
        sample(m);
        if (!m->side.is_customer)
            managed_report_number(m, "resumed", "relay", m->relay);
    }
    if (ev->state == TAS_STATE_VERIFIED || ev->state == TAS_STATE_ACTIVE) {
        if (!m->is_verified && !m->side.is_customer)
            managed_report(m, "verified", NULL);
        if (!m->is_verified)
            tas_timer_set(m->sample_timer, 0);
        m->is_verified = true;
    }
}

/* The statement decides who is there. Whom the server named before must be the same, or the server, or
 * whoever stands in its place, deceives the user. */
static void on_peer(struct managed *m, const struct tas_peer *peer) {
    const struct api_grant *g = m->grant;
    bool is_right =
        strcmp(peer->company, g->company) == 0 && (!*g->peer_name || strcmp(peer->name, g->peer_name) == 0);
    if (is_right) {
        report_text(m, "joined", "name", peer->name);
        return;
    }
    m->is_wrong_peer = true;
    static const char text[] = "the other end is somebody else than the server said";
    tool_tell(&m->to, &(struct tool_news){.kind = TOOL_ALARM, .text = text});
    if (m->side.is_customer)
        report_text(m, "alarm", "text", text);
    tas_session_end(m->session, TAS_END_IDENTITY, tas_mono_us());
}

void managed_event(struct managed *m, const struct tas_event *ev) {
    bool is_customer = m->side.is_customer;
    switch (ev->kind) {
    case TAS_EVENT_STATE:
        on_state(m, ev);
        break;
    case TAS_EVENT_PEER:
        on_peer(m, &ev->peer);
        break;
    case TAS_EVENT_CODE_WRONG:
        if (!is_customer)
            managed_report_number(m, "code_wrong", "tries_left", ev->number);
        break;
    case TAS_EVENT_ALARM:
        if (is_customer)
            report_text(m, "alarm", "text", ev->text);
        break;
    case TAS_EVENT_TICKET_DUE:
        api_renewal_due(m->renewal);
        break;
    case TAS_EVENT_CLOSED:
        on_closed(m, ev->number);
        break;
    default:
        break;
    }
}

void managed_granted(struct managed *m, uint16_t granted) {
    uint16_t rights = granted & MANAGED_RIGHTS;
    uint16_t more = (uint16_t)(rights & ~m->rights);
    uint16_t less = (uint16_t)(m->rights & ~rights);
    m->rights = rights;
    if (more)
        managed_report_number(m, "granted", "rights", more);
    if (less)
        managed_report_number(m, "revoked", "rights", less);
    if (more & TAS_RIGHT_CONTROL)
        managed_report(m, "control_on", NULL);
    if (less & TAS_RIGHT_CONTROL)
        managed_report(m, "control_off", NULL);
}

uint64_t managed_rtt_us(const struct managed *m) {
    return m->n_rtts > 0 ? m->rtts_us[(m->n_rtts - 1) % SAMPLES] : 0;
}

/* ---- life ---- */

struct managed *managed_new(struct api_client *client, const struct api_side *side, struct tool_listener to,
                            void (*on_ended)(void *ctx), void *ctx) {
    struct managed *m = calloc(1, sizeof(*m));
    if (!m)
        return NULL;
    m->client = client;
    m->side = *side;
    m->to = to;
    m->on_ended = on_ended;
    m->ctx = ctx;
    m->report = api_report_new(client, side);
    m->sample_timer = tas_timer_new(api_client_loop(client), on_sample, m);
    m->end_timer = tas_timer_new(api_client_loop(client), on_end_timer, m);
    if (m->report && m->sample_timer && m->end_timer)
        return m;
    managed_free(m);
    return NULL;
}

int managed_attach(struct managed *m, struct tas_session *session, struct api_grant *grant, uint16_t rights) {
    m->renewal = api_renewal_new(m->client, grant, on_ticket, on_no_ticket, m);
    if (!m->renewal)
        return TAS_E_NOMEM;
    m->session = session;
    m->grant = grant;
    if (m->side.is_customer)
        managed_granted(m, rights);
    return TAS_OK;
}

void managed_free(struct managed *m) {
    if (!m)
        return;
    api_renewal_free(m->renewal);
    api_report_free(m->report);
    tas_timer_free(m->sample_timer);
    tas_timer_free(m->end_timer);
    tas_wipe(m, sizeof(*m));
    free(m);
}
