#include "api/client.h"

#include "api/client_private.h"
#include "base/log.h"
#include "base/time.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    BACKOFF_FIRST_US = 250 * 1000,
    BACKOFF_MAX_US = 2000 * 1000,
    ATTEMPT_MS = 1500, /* with another server to turn to; doubles with each round */
    ATTEMPT_MAX_MS = 10000,
    SLOW_MS = 15000,
    POW_SLICE_US = 4000, /* of work between two looks at the loop */
    POW_TRIES = 256,     /* between two looks at the clock */
    POW_BITS_MAX = 28,   /* more is minutes, and a nonce is good for two */
    POW_MAX_US = 100 * 1000 * 1000,
    NONCES_MAX = 4, /* a server that wants ever more work */
};

struct api_client {
    struct tas_loop *loop;
    struct tas_http_client *http;
    struct tas_tls *tls;
    struct org org;
    size_t at; /* the manager that is asked first */
    uint64_t learnt_ms, learnt_us;
    uint32_t keyset_sequence;
    struct api_call *calls;
};

struct api_call {
    struct api_client *client;
    struct api_call *next, *prev;
    struct tas_timer *timer;
    struct tas_http_call *http;
    void (*on_timer)(struct api_call *call);
    char method[8];
    char target[API_TARGET_MAX + 1];
    char *body; /* owned; of a call with a nonce: once it is composed */
    struct api_nonced *nonced;
    struct api_nonce nonce;
    struct api_pow pow;
    uint64_t work_from_us;
    struct api_signer signer;
    bool is_signed, is_slow;
    bool is_clock_mended;
    enum api_gives gives;
    api_done *done;
    void *ctx;
    uint64_t deadline_us;
    size_t at;         /* the manager that this attempt asks */
    unsigned failures; /* attempts in vain */
    unsigned untrusted;
    unsigned nonces;
    unsigned least_bits; /* of work, as a refusal said */
    struct api_error last;
};

/* ---- the client ---- */

struct api_client *api_client_new(const struct api_client_config *config, char why[API_WHY]) {
    struct api_client *client = calloc(1, sizeof(*client));
    snprintf(why, API_WHY, "out of memory");
    if (!client)
        return NULL;
    client->loop = config->loop;
    client->org = *config->org;
    const char *pem = client->org.ca_pem[0] ? client->org.ca_pem : NULL;
    const struct tas_http_client_config http = {
        .ca_pem = pem, .user_agent = config->user_agent, .proxy = config->proxy};
    client->http = tas_http_client_new(config->loop, &http, why);
    if (client->http)
        client->tls = pem ? tas_tls_client_pem(pem, why) : tas_tls_client(NULL, why);
    if (client->tls)
        return client;
    api_client_free(client);
    return NULL;
}

static void call_free(struct api_call *call);

void api_client_free(struct api_client *client) {
    if (!client)
        return;
    while (client->calls)
        api_cancel(client->calls);
    tas_http_client_free(client->http);
    tas_tls_free(client->tls);
    free(client);
}

struct tas_loop *api_client_loop(struct api_client *client) {
    return client->loop;
}
struct tas_http_client *api_client_http(struct api_client *client) {
    return client->http;
}
const struct org *api_client_org(const struct api_client *client) {
    return &client->org;
}

struct tas_tls *api_client_tls(struct api_client *client) {
    tas_tls_set_time(client->tls, api_client_ms(client));
    return client->tls;
}

uint64_t api_client_ms(const struct api_client *client) {
    if (client->learnt_ms == 0)
        return tas_wall_ms();
    return client->learnt_ms + (tas_mono_us() - client->learnt_us) / 1000;
}

void api_client_learn_ms(struct api_client *client, const struct tas_json *json) {
    int64_t ms = tas_json_get_int(json, "server_ms", 0);
    if (ms <= 0 || ms > API_MS_MAX)
        return;
    client->learnt_ms = (uint64_t)ms;
    client->learnt_us = tas_mono_us();
}

struct api_grant_expected api_client_expects(const struct api_client *client, const uint8_t *pop_seed,
                                             enum tas_role role, const char *company) {
    return (struct api_grant_expected){.crypto = tas_crypto_native(),
                                       .root = client->org.root,
                                       .pop_seed = pop_seed,
                                       .role = role,
                                       .keyset_sequence = client->keyset_sequence,
                                       .company = company};
}

void api_client_saw_keyset(struct api_client *client, const struct tas_keyset *keyset) {
    if (keyset->sequence > client->keyset_sequence)
        client->keyset_sequence = keyset->sequence;
}

size_t api_client_at(const struct api_client *client) {
    return client->at;
}
size_t api_client_managers(const struct api_client *client) {
    return client->org.n_managers;
}

/* Several calls may fail at the same manager: only the first of them moves on. */
void api_client_failed(struct api_client *client, size_t at) {
    if (client->at == at)
        client->at = (at + 1) % client->org.n_managers;
}

uint64_t api_backoff_us(unsigned round) {
    uint64_t us = BACKOFF_FIRST_US;
    for (unsigned i = 1; i < round && us < BACKOFF_MAX_US; i++)
        us *= 2;
    return us < BACKOFF_MAX_US ? us : BACKOFF_MAX_US;
}

int api_client_address(struct api_client *client, size_t at, const struct api_signer *signer,
                       const char *method, const char *target, struct tas_bytes body,
                       struct tas_http_ask *out, char url[API_URL], char authorization[API_AUTHORIZATION]) {
    const struct org_server *server = &client->org.managers[at];
    snprintf(url, API_URL, "%s%s", server->url, target);
    *out = (struct tas_http_ask){
        .method = method, .url = url, .address = server->address[0] ? server->address : NULL, .body = body};
    if (!signer)
        return TAS_OK;
    out->authorization = authorization;
    return api_sign_request(authorization, tas_crypto_native(), signer->seed, signer->token,
                            api_client_ms(client), method, target, body);
}

/* ---- a call's life ---- */

void *api_nonced_new(size_t size) {
    struct api_nonced *nonced = calloc(1, size);
    if (nonced)
        nonced->size = size;
    return nonced;
}

void api_nonced_free(struct api_nonced *nonced) {
    if (!nonced)
        return;
    tas_wipe(nonced, nonced->size);
    free(nonced);
}

static void drop_body(struct api_call *call) {
    if (call->body)
        tas_wipe(call->body, strlen(call->body)); /* it may hold a password */
    free(call->body);
    call->body = NULL;
}

static void call_free(struct api_call *call) {
    if (call->prev)
        call->prev->next = call->next;
    else if (call->client->calls == call)
        call->client->calls = call->next;
    if (call->next)
        call->next->prev = call->prev;
    tas_timer_free(call->timer);
    drop_body(call);
    api_nonced_free(call->nonced);
    tas_wipe(call, sizeof(*call));
    free(call);
}

void api_cancel(struct api_call *call) {
    if (!call)
        return;
    tas_http_cancel(call->http);
    call_free(call);
}

void api_cancel_all(struct api_client *client, const void *ctx) {
    for (struct api_call *next, *call = client->calls; call; call = next) {
        next = call->next;
        if (call->ctx == ctx)
            api_cancel(call);
    }
}

static void finish(struct api_call *call, const struct api_result *result) {
    api_done *done = call->done;
    void *ctx = call->ctx;
    call_free(call);
    done(ctx, result);
}

static void finish_with(struct api_call *call, const struct api_error *error, const struct tas_json *json) {
    const struct api_result result = {.error = *error, .json = json};
    finish(call, &result);
}

static void fail_with(struct api_call *call, int err, const char *code, const char *text) {
    struct api_error error;
    api_error_set(&error, err, 0, code, "%s", text);
    finish_with(call, &error, NULL);
}

static void later(struct api_call *call, void (*fn)(struct api_call *call), uint64_t at_us) {
    call->on_timer = fn;
    tas_timer_set(call->timer, at_us);
}

static void attempt(struct api_call *call);

/* The server could not be reached, or cannot answer now: another one, or another time. */
static void try_again(struct api_call *call) {
    struct api_client *client = call->client;
    uint64_t now = tas_mono_us();
    size_t n = client->org.n_managers;
    char quoted[2 * API_DETAIL];
    tas_log(TAS_LOG_DEBUG, "api", "server_failed", "manager=%zu target=%s code=%s detail=%s", call->at,
            call->target, call->last.code, tas_log_quote(quoted, sizeof(quoted), call->last.detail));
    api_client_failed(client, call->at);
    call->failures++;
    uint64_t wait_us = call->failures % n == 0 ? api_backoff_us(call->failures / (unsigned)n) : 0;
    /* Certificates do not mend while we wait. */
    bool is_hopeless = call->untrusted >= n && call->untrusted == call->failures;
    if (is_hopeless || now + wait_us >= call->deadline_us)
        finish_with(call, &call->last, NULL);
    else
        later(call, attempt, now + wait_us);
}

static unsigned timeout_ms(const struct api_call *call) {
    size_t n = call->client->org.n_managers;
    unsigned ms = n > 1 ? ATTEMPT_MS : ATTEMPT_MAX_MS;
    for (unsigned rounds = call->failures / (unsigned)n; rounds > 0 && ms < ATTEMPT_MAX_MS; rounds--)
        ms *= 2;
    return ms < ATTEMPT_MAX_MS ? ms : ATTEMPT_MAX_MS;
}

/* No answer, or none that counts. True: it was one of these, and the call goes on or is over. */
static bool take_failure(struct api_call *call, const struct tas_http_answer *answer,
                         const struct tas_json *json) {
    if (answer->err != TAS_OK) {
        api_error_of_transport(&call->last, answer->err, answer->why);
        call->untrusted += answer->err == TAS_E_AUTH;
        if (call->last.err == TAS_E_IO || call->last.err == TAS_E_AUTH)
            try_again(call);
        else
            finish_with(call, &call->last, NULL);
        return true;
    }
    if (answer->status < 300)
        return false;
    api_error_of_problem(&call->last, answer->status, json);
    call->last.retry_after_s = answer->retry_after_s;
    if (call->last.err == TAS_E_IO) {
        try_again(call);
        return true;
    }
    return false;
}

static bool is_code(const struct api_call *call, const char *code) {
    return strcmp(call->last.code, code) == 0;
}

/* Refusals that mean: the same again, but better. True: it goes on. */
static bool take_refusal(struct api_call *call, const struct tas_json *problem) {
    if (call->is_signed && is_code(call, "clock_wrong") && !call->is_clock_mended) {
        call->is_clock_mended = true;
        api_client_learn_ms(call->client, problem);
        later(call, attempt, 0);
        return true;
    }
    if (!call->nonced || call->nonces >= NONCES_MAX)
        return false;
    if (is_code(call, "pow_needed")) {
        int64_t bits = tas_json_get_int(problem, "pow_bits", 0);
        call->least_bits = bits > 0 && bits <= 32 ? (unsigned)bits : call->least_bits;
        later(call, attempt, 0);
        return true;
    }
    if (strncmp(call->last.code, "nonce_", 6) == 0) {
        later(call, attempt, 0);
        return true;
    }
    return false;
}

/* The exchange is over. Its body; NULL: none, or not JSON. */
static struct tas_json *take_body(struct api_call *call, const struct tas_http_answer *answer) {
    char why[TAS_JSON_WHY];
    call->http = NULL;
    return answer->err == TAS_OK && answer->body.len > 0 ? tas_json_parse(answer->body, why) : NULL;
}

static void on_answer(void *ctx, const struct tas_http_answer *answer) {
    struct api_call *call = ctx;
    struct tas_json *json = take_body(call, answer);
    if (take_failure(call, answer, json))
        goto out;
    if (answer->status >= 300) {
        if (!take_refusal(call, json))
            finish_with(call, &call->last, json);
        goto out;
    }
    api_client_learn_ms(call->client, json);
    struct api_result result;
    struct api_parsed *parsed = api_parse(&result, call->gives, json);
    finish(call, &result);
    api_parsed_free(parsed);
out:
    tas_json_free(json);
}

static void send(struct api_call *call) {
    struct tas_http_ask ask;
    char url[API_URL];
    char authorization[API_AUTHORIZATION];
    struct tas_bytes body = tas_bytes_of(call->body, call->body ? strlen(call->body) : 0);
    int err = api_client_address(call->client, call->at, call->is_signed ? &call->signer : NULL, call->method,
                                 call->target, body, &ask, url, authorization);
    ask.timeout_ms = call->is_slow ? SLOW_MS : timeout_ms(call);
    if (err == TAS_OK)
        call->http = tas_http_ask(call->client->http, &ask, on_answer, call);
    tas_wipe(authorization, sizeof(authorization));
    if (!call->http)
        fail_with(call, TAS_E_NOMEM, "no_memory", "out of memory");
}

/* ---- nonces and work ---- */

static void compose_and_send(struct api_call *call, const uint8_t *work) {
    struct tas_json *json = call->nonced->compose(call->nonced, &call->nonce, work);
    drop_body(call);
    call->body = tas_json_dump(json);
    tas_json_free(json);
    if (call->body)
        send(call);
    else
        fail_with(call, TAS_E_NOMEM, "no_memory", "out of memory");
}

static void work_on(struct api_call *call) {
    uint64_t start = tas_mono_us();
    uint8_t work[8];
    do {
        if (api_pow_try(&call->pow, POW_TRIES, work)) {
            call->deadline_us += start - call->work_from_us; /* that was not the server's fault */
            compose_and_send(call, work);
            return;
        }
    } while (tas_mono_us() - start < POW_SLICE_US);
    if (start - call->work_from_us >= POW_MAX_US)
        fail_with(call, TAS_E_EXPIRED, "too_slow",
                  "the server asks for more work than this computer can do in time");
    else
        later(call, work_on, 0);
}

static void start_work(struct api_call *call, unsigned bits) {
    if (bits > POW_BITS_MAX) {
        fail_with(call, TAS_E_LIMIT, "too_busy",
                  "the server is under attack and takes no numbers now; try again later");
        return;
    }
    call->pow = (struct api_pow){.crypto = tas_crypto_native(), .bits = bits};
    call->work_from_us = tas_mono_us();
    memcpy(call->pow.nonce, call->nonce.nonce, API_NONCE);
    snprintf(call->pow.number, sizeof(call->pow.number), "%s", call->nonced->number);
    memcpy(call->pow.pop_pk, call->nonced->pop_pk, sizeof(call->pow.pop_pk));
    work_on(call);
}

static void on_nonce(void *ctx, const struct tas_http_answer *answer) {
    struct api_call *call = ctx;
    struct tas_json *json = take_body(call, answer);
    if (take_failure(call, answer, json))
        goto out;
    if (answer->status >= 300) {
        finish_with(call, &call->last, json);
        goto out;
    }
    api_client_learn_ms(call->client, json);
    struct api_result result;
    struct api_parsed *parsed = api_parse(&result, API_GIVES_NONCE, json);
    if (result.error.err == TAS_OK) {
        call->nonce = *result.nonce;
        unsigned bits = (unsigned)call->nonce.pow_bits;
        bits = bits > call->least_bits ? bits : call->least_bits;
        if (call->nonced->number && bits > 0)
            start_work(call, bits);
        else
            compose_and_send(call, NULL);
    } else {
        finish_with(call, &result.error, NULL);
    }
    api_parsed_free(parsed);
out:
    tas_json_free(json);
}

static void get_nonce(struct api_call *call) {
    struct tas_http_ask ask;
    char url[API_URL];
    call->nonces++;
    int err = api_client_address(call->client, call->at, NULL, "POST", "/v1/nonce", tas_bytes_of("{}", 2),
                                 &ask, url, NULL);
    ask.timeout_ms = timeout_ms(call);
    if (err == TAS_OK)
        call->http = tas_http_ask(call->client->http, &ask, on_nonce, call);
    if (!call->http)
        fail_with(call, TAS_E_NOMEM, "no_memory", "out of memory");
}

static void attempt(struct api_call *call) {
    call->at = call->client->at;
    if (call->nonced)
        get_nonce(call); /* a new one each time: whether the last was used up cannot be known */
    else
        send(call);
}

static void on_timer(void *ctx) {
    struct api_call *call = ctx;
    call->on_timer(call);
}

static bool begin(struct api_call *call, const struct api_ask *ask) {
    if (strlen(ask->target) > API_TARGET_MAX)
        return false;
    snprintf(call->method, sizeof(call->method), "%s", ask->method);
    snprintf(call->target, sizeof(call->target), "%s", ask->target);
    if (ask->body) {
        call->body = tas_json_dump(ask->body);
        if (!call->body)
            return false;
    }
    if (ask->signer) {
        call->signer = *ask->signer;
        call->is_signed = true;
    }
    call->timer = tas_timer_new(call->client->loop, on_timer, call);
    return call->timer != NULL;
}

struct api_call *api_ask(struct api_client *client, const struct api_ask *ask, api_done *done, void *ctx) {
    struct api_call *call = calloc(1, sizeof(*call));
    if (!call) {
        api_nonced_free(ask->nonced);
        tas_json_free(ask->body);
        return NULL;
    }
    call->client = client;
    call->nonced = ask->nonced;
    call->gives = ask->gives;
    call->is_slow = ask->is_slow;
    call->done = done;
    call->ctx = ctx;
    uint64_t now = tas_mono_us();
    call->deadline_us = now + 1000ull * (ask->patience_ms ? ask->patience_ms : API_PATIENCE_MS);
    bool ok = begin(call, ask);
    tas_json_free(ask->body);
    if (!ok) {
        call_free(call);
        return NULL;
    }
    call->next = client->calls;
    if (call->next)
        call->next->prev = call;
    client->calls = call;
    later(call, attempt, now); /* on the loop, so that `done` never comes before this returns */
    return call;
}
