#include "api/stream.h"

#include "api/client_private.h"
#include "base/id.h"
#include "base/time.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    LIVED_US = 50 * 1000, /* shorter connections count as failures: a server may fail again and again */
    SILENCE_MS = 30000,
    FIRST_US = 4 * 1000 * 1000, /* each stream says something at once; a server that does not is not there */
    AFTER_MAX = 128,
};

struct api_stream {
    struct api_client *client;
    struct api_signer as;
    const struct api_stream_events *events;
    void *ctx;
    struct tas_timer *timer;
    struct tas_http_call *http;
    char target[64];
    char after[AFTER_MAX + 1]; /* the last event's id; "" before the first */
    size_t at;
    unsigned failures;
    uint64_t since_us; /* when this connection gave its first event; 0: none yet */
    bool is_clock_mended;
    bool is_told_down; /* the owner knows that there is no line */
};

static void tell_line(struct api_stream *s, bool is_connected, const struct api_error *why) {
    bool is_news = is_connected || !s->is_told_down;
    s->is_told_down = !is_connected;
    if (is_news && s->events->on_line)
        s->events->on_line(s->ctx, is_connected, why);
}

/* ---- events ---- */

static void on_data(struct api_stream *s, enum api_gives gives, const char *data) {
    char why[TAS_JSON_WHY];
    struct tas_json *json = tas_json_parse(tas_bytes_of(data, strlen(data)), why);
    struct api_result result;
    struct api_parsed *parsed = api_parse(&result, gives, json);
    api_client_learn_ms(s->client, json);
    if (result.error.err != TAS_OK && s->events->on_bad)
        s->events->on_bad(s->ctx, &result.error);
    else if (result.session && s->events->on_session)
        s->events->on_session(s->ctx, result.session);
    else if (result.claim && s->events->on_claim)
        s->events->on_claim(s->ctx, result.claim);
    api_parsed_free(parsed);
    tas_json_free(json);
}

static void over(struct api_stream *s, const struct api_error *error) {
    tas_timer_set(s->timer, UINT64_MAX);
    if (s->events->on_over)
        s->events->on_over(s->ctx, error);
}

static void on_logout(struct api_stream *s, const char *data) {
    static const struct tas_json_field fields[] = {{"code", TAS_JSON_TEXT, true, 0, API_CODE, 0},
                                                   {NULL, TAS_JSON_TEXT, false, 0, 0, 0}};
    char why[TAS_JSON_WHY];
    char code[API_CODE + 1] = "";
    struct tas_json *json = tas_json_parse(tas_bytes_of(data, strlen(data)), why);
    bool is_sound = json && api_read(json, fields, code, why) == TAS_OK && *code;
    tas_json_free(json);
    struct api_error error;
    api_error_set(&error, TAS_E_AUTH, 0, is_sound ? code : "logged_out", "your login has ended");
    tas_http_cancel(s->http);
    s->http = NULL;
    over(s, &error);
}

static void on_event(void *ctx, const char *id, const char *event, const char *data) {
    struct api_stream *s = ctx;
    if (s->since_us == 0) {
        s->since_us = tas_mono_us();
        s->is_clock_mended = false;
        tas_timer_set(s->timer, UINT64_MAX);
        tell_line(s, true, NULL);
    }
    if (*id && strlen(id) <= AFTER_MAX)
        snprintf(s->after, sizeof(s->after), "%s", id);
    if (strcmp(event, "session") == 0)
        on_data(s, API_GIVES_SESSION, data);
    else if (strcmp(event, "claim") == 0)
        on_data(s, API_GIVES_CLAIM, data);
    else if (strcmp(event, "ready") == 0 && s->events->on_ready)
        s->events->on_ready(s->ctx);
    else if (strcmp(event, "logout") == 0)
        on_logout(s, data);
}

/* ---- the line ---- */

static void come_back(struct api_stream *s) {
    size_t n = api_client_managers(s->client);
    uint64_t now = tas_mono_us();
    if (s->since_us && now - s->since_us >= LIVED_US)
        s->failures = 0;
    s->since_us = 0;
    s->failures++;
    api_client_failed(s->client, s->at);
    tas_timer_set(s->timer, s->failures % n == 0 ? now + api_backoff_us(s->failures / (unsigned)n) : now);
}

static void on_done(void *ctx, const struct tas_http_answer *answer) {
    struct api_stream *s = ctx;
    char why[TAS_JSON_WHY];
    struct api_error error;
    s->http = NULL;
    if (answer->err != TAS_OK) {
        api_error_of_transport(&error, answer->err == TAS_E_LIMIT ? TAS_E_IO : answer->err, answer->why);
    } else if (answer->status < 300) {
        api_error_set(&error, TAS_E_IO, answer->status, "ended", "the server ended the connection");
    } else {
        struct tas_json *json = tas_json_parse(answer->body, why);
        api_error_of_problem(&error, answer->status, json);
        bool is_clock = strcmp(error.code, "clock_wrong") == 0 && !s->is_clock_mended;
        if (is_clock) {
            s->is_clock_mended = true;
            api_client_learn_ms(s->client, json);
        }
        tas_json_free(json);
        if (is_clock) {
            tas_timer_set(s->timer, 0);
            return;
        }
        if (answer->status < 500 && answer->status != 429) {
            over(s, &error);
            return;
        }
    }
    come_back(s);
    tell_line(s, false, &error);
}

/* Event ids are the server's; whatever they hold must not become another query. */
static void put_after(char *out, size_t cap, const char *id) {
    size_t len = 0;
    for (; *id && len + 4 < cap; id++) {
        bool is_plain = (*id >= '0' && *id <= '9') || (*id >= 'a' && *id <= 'z') ||
                        (*id >= 'A' && *id <= 'Z') || *id == '-' || *id == '_' || *id == '.';
        len += (size_t)snprintf(out + len, cap - len, is_plain ? "%c" : "%%%02X", (unsigned char)*id);
    }
    out[len] = '\0';
}

static void connect_now(struct api_stream *s) {
    struct tas_http_ask ask;
    char url[API_URL];
    char authorization[API_AUTHORIZATION];
    char target[API_TARGET_MAX + 1];
    char after[3 * AFTER_MAX + 1];
    put_after(after, sizeof(after), s->after);
    snprintf(target, sizeof(target), "%s%s%s", s->target, *after ? "?after=" : "", after);
    s->at = api_client_at(s->client);
    int err = api_client_address(s->client, s->at, &s->as, "GET", target, (struct tas_bytes){0}, &ask, url,
                                 authorization);
    ask.timeout_ms = SILENCE_MS;
    if (err == TAS_OK)
        s->http = tas_http_listen(api_client_http(s->client), &ask, on_event, on_done, s);
    tas_wipe(authorization, sizeof(authorization));
    if (s->http)
        tas_timer_set(s->timer, tas_mono_us() + FIRST_US);
    else
        come_back(s); /* no memory: later there may be */
}

static void on_timer(void *ctx) {
    struct api_stream *s = ctx;
    struct api_error error;
    if (!s->http) {
        connect_now(s);
        return;
    }
    tas_http_cancel(s->http);
    s->http = NULL;
    api_error_of_transport(&error, TAS_E_IO, "it does not answer");
    come_back(s);
    tell_line(s, false, &error);
}

struct api_stream *api_stream_open(struct api_client *client, const struct api_signer *as, uint64_t claim,
                                   const struct api_stream_events *events, void *ctx) {
    char id[TAS_ID_CAP];
    struct api_stream *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->client = client;
    s->as = *as;
    s->events = events;
    s->ctx = ctx;
    if (claim)
        snprintf(s->target, sizeof(s->target), "/v1/claims/%s/stream", tas_id_encode(id, claim));
    else
        snprintf(s->target, sizeof(s->target), "/v1/stream");
    s->timer = tas_timer_new(api_client_loop(client), on_timer, s);
    if (!s->timer) {
        free(s);
        return NULL;
    }
    tas_timer_set(s->timer, 0);
    return s;
}

void api_stream_close(struct api_stream *stream) {
    if (!stream)
        return;
    tas_http_cancel(stream->http);
    tas_timer_free(stream->timer);
    tas_wipe(stream, sizeof(*stream));
    free(stream);
}

const char *api_stream_server(const struct api_stream *s) {
    return api_client_org(s->client)->managers[s->at].url;
}
