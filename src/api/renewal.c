#include "api/renewal.h"

#include "base/time.h"

#include <stdlib.h>

enum { AGAIN_US = 2000 * 1000 };

struct api_renewal {
    struct api_client *client;
    struct api_grant *grant;
    void (*on_ticket)(void *ctx, const uint8_t ticket[TAS_SIZE_TICKET]);
    void (*on_over)(void *ctx, const struct api_error *error);
    void *ctx;
    struct tas_timer *timer;
    struct api_call *call;
};

static void on_renewed(void *ctx, const struct api_result *result) {
    struct api_renewal *r = ctx;
    const struct api_error *error = &result->error;
    r->call = NULL;
    if (error->err == TAS_E_IO || error->err == TAS_E_NOMEM || error->status == 429) {
        tas_timer_set(r->timer, tas_mono_us() + AGAIN_US);
        return;
    }
    if (error->err != TAS_OK) {
        r->on_over(r->ctx, error);
        return;
    }
    char why[TAS_JSON_WHY];
    int err = api_grant_renew(r->grant, result->json, tas_crypto_native(), why);
    if (err == TAS_OK) {
        r->on_ticket(r->ctx, r->grant->ticket);
        return;
    }
    struct api_error wrong;
    api_error_set(&wrong, err, 200, "bad_ticket", "the server's new ticket cannot be used: %s", why);
    r->on_over(r->ctx, &wrong);
}

static void ask(void *ctx) {
    struct api_renewal *r = ctx;
    r->call = api_renew(r->client, r->grant, on_renewed, r);
    if (!r->call)
        tas_timer_set(r->timer, tas_mono_us() + AGAIN_US);
}

struct api_renewal *api_renewal_new(struct api_client *client, struct api_grant *grant,
                                    void (*on_ticket)(void *ctx, const uint8_t ticket[TAS_SIZE_TICKET]),
                                    void (*on_over)(void *ctx, const struct api_error *error), void *ctx) {
    struct api_renewal *r = calloc(1, sizeof(*r));
    if (!r)
        return NULL;
    *r = (struct api_renewal){
        .client = client, .grant = grant, .on_ticket = on_ticket, .on_over = on_over, .ctx = ctx};
    r->timer = tas_timer_new(api_client_loop(client), ask, r);
    if (r->timer)
        return r;
    free(r);
    return NULL;
}

void api_renewal_free(struct api_renewal *renewal) {
    if (!renewal)
        return;
    api_cancel(renewal->call);
    tas_timer_free(renewal->timer);
    free(renewal);
}

void api_renewal_due(struct api_renewal *renewal) {
    if (!renewal->call)
        tas_timer_set(renewal->timer, 0);
}
