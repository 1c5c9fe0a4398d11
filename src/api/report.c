#include "api/report.h"

#include "base/log.h"
#include "base/rand.h"
#include "base/time.h"

#include <stdio.h>
#include <stdlib.h>

enum { AGAIN_US = 1000 * 1000 };

struct entry {
    uint8_t key[8];
    const char *kind;
    struct tas_json *detail; /* owned */
    int64_t at_ms;
};

struct api_report {
    struct api_client *client;
    struct api_side side;
    struct tas_timer *timer;
    struct api_call *call;
    struct entry queue[API_REPORT_QUEUE]; /* a ring */
    size_t first, n, n_sent;              /* n_sent: the first of them, under way */

    struct api_end end;
    char end_reason[33], end_text[257];
    bool is_ending;
    uint64_t end_until_us;
    api_done *done;
    void *ctx;
};

static void on_timer(void *ctx);

struct api_report *api_report_new(struct api_client *client, const struct api_side *side) {
    struct api_report *r = calloc(1, sizeof(*r));
    if (!r)
        return NULL;
    r->client = client;
    r->side = *side;
    r->timer = tas_timer_new(api_client_loop(client), on_timer, r);
    if (r->timer)
        return r;
    free(r);
    return NULL;
}

static struct entry *entry_at(struct api_report *r, size_t i) {
    return &r->queue[(r->first + i) % API_REPORT_QUEUE];
}

static void drop_first(struct api_report *r, size_t n) {
    for (size_t i = 0; i < n; i++)
        tas_json_free(entry_at(r, i)->detail);
    r->first = (r->first + n) % API_REPORT_QUEUE;
    r->n -= n;
}

void api_report_free(struct api_report *report) {
    if (!report)
        return;
    api_cancel(report->call);
    drop_first(report, report->n);
    tas_timer_free(report->timer);
    tas_wipe(report, sizeof(*report));
    free(report);
}

size_t api_report_waiting(const struct api_report *report) {
    return report->n;
}

void api_report_add(struct api_report *report, const char *kind, struct tas_json *detail) {
    if (report->n == API_REPORT_QUEUE || report->is_ending) {
        tas_log(TAS_LOG_WARN, "api", "event_dropped", "kind=%s", kind);
        tas_json_free(detail);
        return;
    }
    struct entry *e = entry_at(report, report->n++);
    *e = (struct entry){.kind = kind, .detail = detail, .at_ms = (int64_t)api_client_ms(report->client)};
    tas_random(e->key, sizeof(e->key));
    if (!report->call)
        tas_timer_set(report->timer, 0); /* at the next turn: what happens in this one goes along */
}

/* ---- sending ---- */

static void finish(struct api_report *r, const struct api_result *result) {
    api_done *done = r->done;
    r->done = NULL;
    tas_timer_set(r->timer, UINT64_MAX);
    if (done)
        done(r->ctx, result); /* may free the report */
}

static void finish_with(struct api_report *r, int err, const char *code, const char *text) {
    struct api_result result = {0};
    api_error_set(&result.error, err, 0, code, "%s", text);
    finish(r, &result);
}

static unsigned patience_ms(const struct api_report *r) {
    uint64_t now = tas_mono_us();
    if (!r->is_ending)
        return 0;
    return r->end_until_us > now ? (unsigned)((r->end_until_us - now) / 1000) + 1 : 1;
}

static void on_ended(void *ctx, const struct api_result *result) {
    struct api_report *r = ctx;
    r->call = NULL;
    finish(r, result);
}

static void send_end(struct api_report *r) {
    r->call = api_end(r->client, &r->side, &r->end, patience_ms(r), on_ended, r);
    if (!r->call)
        finish_with(r, TAS_E_NOMEM, "no_memory", "out of memory");
}

static void on_stored(void *ctx, const struct api_result *result) {
    struct api_report *r = ctx;
    const struct api_error *error = &result->error;
    r->call = NULL;
    bool may_mend = error->err == TAS_E_IO || error->err == TAS_E_NOMEM || error->status == 429;
    if (error->err != TAS_OK && may_mend && (!r->is_ending || tas_mono_us() < r->end_until_us)) {
        r->n_sent = 0;
        tas_timer_set(r->timer, tas_mono_us() + AGAIN_US);
        return;
    }
    if (error->err != TAS_OK) {
        char quoted[2 * API_DETAIL];
        tas_log(TAS_LOG_WARN, "api", "events_refused", "n=%zu code=%s detail=%s", r->n_sent, error->code,
                tas_log_quote(quoted, sizeof(quoted), error->detail));
    }
    drop_first(r, r->n_sent);
    r->n_sent = 0;
    tas_timer_set(r->timer, 0);
}

static struct tas_json *batch(struct api_report *r) {
    struct tas_json *list = tas_json_list();
    for (size_t i = 0; i < r->n_sent; i++) {
        const struct entry *e = entry_at(r, i);
        struct tas_json *one = tas_json_object();
        tas_json_set_hex(one, "key", tas_bytes_of(e->key, sizeof(e->key)));
        tas_json_set_text(one, "kind", e->kind);
        if (e->detail)
            tas_json_set(one, "detail", tas_json_copy(e->detail));
        tas_json_set_int(one, "at_ms", e->at_ms);
        tas_json_add(list, one);
    }
    return list;
}

static void send_events(struct api_report *r) {
    r->n_sent = r->n < API_REPORT_BATCH ? r->n : API_REPORT_BATCH;
    struct tas_json *list = batch(r);
    r->call = list ? api_events(r->client, &r->side, list, on_stored, r) : NULL;
    tas_json_free(list);
    if (!r->call)
        tas_timer_set(r->timer, tas_mono_us() + AGAIN_US);
}

static void on_timer(void *ctx) {
    struct api_report *r = ctx;
    if (r->call)
        return;
    if (r->n > 0 && (!r->is_ending || tas_mono_us() < r->end_until_us))
        send_events(r);
    else if (r->is_ending && r->done)
        send_end(r);
}

void api_report_end(struct api_report *report, const struct api_end *end, unsigned ms, api_done *done,
                    void *ctx) {
    struct api_report *r = report;
    r->end = *end;
    snprintf(r->end_reason, sizeof(r->end_reason), "%s", end->reason);
    snprintf(r->end_text, sizeof(r->end_text), "%s", end->text ? end->text : "");
    r->end.reason = r->end_reason;
    r->end.text = r->end_text;
    r->is_ending = true;
    r->end_until_us = tas_mono_us() + 1000ull * ms;
    r->done = done;
    r->ctx = ctx;
    if (!r->call)
        tas_timer_set(r->timer, 0);
}
