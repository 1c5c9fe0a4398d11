#include "tool/tool.h"

#include "base/rand.h"
#include "os/secret.h"

#include <stdlib.h>

bool tool_open(struct tool *tool, struct tas_loop *loop, const struct org *org, const char *user_agent,
               struct tool_listener to, char why[API_WHY]) {
    const struct api_client_config config = {.loop = loop, .org = org, .user_agent = user_agent};
    *tool = (struct tool){.loop = loop, .to = to};
    tool->client = api_client_new(&config, why);
    return tool->client != NULL;
}

void tool_close(struct tool *tool) {
    api_measure_free(tool->measure);
    api_cancel(tool->relays);
    api_client_free(tool->client);
    *tool = (struct tool){0};
}

/* ---- measuring ---- */

static void on_measured(void *ctx, const struct api_rtt *rtts, size_t n) {
    struct tool *tool = ctx;
    for (size_t i = 0; i < n; i++)
        tool->rtts[i] = rtts[i];
    tool->n_rtts = n;
    tool_tell(&tool->to, &(struct tool_news){.kind = TOOL_MEASURED, .rtts = rtts, .n = n});
    api_measure_free(tool->measure);
    tool->measure = NULL;
}

static void on_relays(void *ctx, const struct api_result *result) {
    struct tool *tool = ctx;
    tool->relays = NULL;
    if (result->error.err == TAS_OK && !tool->measure)
        tool->measure = api_measure_start(tool->client, result->relays, on_measured, tool);
    else if (result->error.err != TAS_OK)
        tool_complain(&tool->to, "relays", &result->error);
}

void tool_measure(struct tool *tool) {
    if (!tool->relays) /* without figures the server chooses by itself */
        tool->relays = api_relays(tool->client, on_relays, tool);
}

/* ---- ends ---- */

static void fill_random(void *ctx, void *out, size_t len) {
    (void)ctx;
    tas_random(out, len);
}

void tool_end_config(struct tool *tool, struct tas_end_config *out, struct api_grant *grant) {
    const struct tas_random_source random = {fill_random, NULL};
    api_grant_config(out, grant, tas_crypto_native(), &tas_secret_locked, random,
                     api_client_tls(tool->client), api_client_ms(tool->client));
}

int tool_new_key(uint8_t seed[32], uint8_t pk[32]) {
    tas_random(seed, 32);
    return tas_crypto_native()->ed25519_public(pk, seed);
}

bool tool_is_older(const char *have, const char *least) {
    while (*have || *least) {
        char *have_end;
        char *least_end;
        unsigned long a = strtoul(have, &have_end, 10);
        unsigned long b = strtoul(least, &least_end, 10);
        if (a != b)
            return a < b;
        if (have_end == have && least_end == least)
            return false;
        have = *have_end == '.' ? have_end + 1 : "";
        least = *least_end == '.' ? least_end + 1 : "";
    }
    return false;
}
