#include "headless/tool.h"

#include "base/rand.h"
#include "os/secret.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static const int signals[] = {SIGTERM, SIGINT};

static void on_signal(void *ctx, int signo) {
    struct tool *tool = ctx;
    (void)signo;
    tool->on_end(tool->ctx);
}

static bool read_org(struct org *out, const char *path) {
    uint8_t section[ORG_SECTION + 1];
    char why[ORG_WHY] = "";
    FILE *f = fopen(path, "re");
    if (!f) {
        fprintf(stderr, "tasuki-headless: %s: %s\n", path, strerror(errno));
        return false;
    }
    size_t len = fread(section, 1, sizeof(section), f);
    fclose(f);
    int err = len == ORG_SECTION ? org_read(out, tas_bytes_of(section, len), why) : TAS_E_PROTO;
    if (err == TAS_OK)
        return true;
    fprintf(stderr, "tasuki-headless: %s: %s\n", path,
            len != ORG_SECTION ? "not an organisation's section of 8192 bytes" : why);
    return false;
}

int tool_start(struct tool *tool, const char *org_file, void (*on_line)(void *ctx, char *line),
               void (*on_end)(void *ctx), void *ctx) {
    struct org *org = calloc(1, sizeof(*org));
    char why[API_WHY];
    int code = EXIT_FAILURE;
    tas_loop_block_signals(signals, 2);
    if (!org)
        return code;
    if (!read_org(org, org_file)) {
        free(org);
        return EXIT_CONFIG;
    }
    tool->loop = tas_loop_new();
    const struct api_client_config config = {
        .loop = tool->loop, .org = org, .user_agent = "tasuki-headless/" TASUKI_VERSION};
    if (tool->loop) {
        tool->client = api_client_new(&config, why);
        if (!tool->client)
            fprintf(stderr, "tasuki-headless: %s\n", why);
    }
    if (tool->client)
        tool->io = headless_io_new(tool->loop, on_line, on_end, ctx);
    tool->on_end = on_end;
    tool->ctx = ctx;
    if (tool->io && tas_loop_on_signals(tool->loop, signals, 2, on_signal, tool) == TAS_OK)
        code = EXIT_SUCCESS;
    free(org);
    return code;
}

void tool_stop(struct tool *tool) {
    api_measure_free(tool->measure);
    headless_io_free(tool->io);
    api_client_free(tool->client);
    if (tool->loop)
        tas_loop_free(tool->loop);
}

void tool_leave(struct tool *tool, int exit_code) {
    tool->exit_code = exit_code;
    tas_loop_stop(tool->loop);
}

/* ---- measuring ---- */

static void on_measured(void *ctx, const struct api_rtt *rtts, size_t n) {
    struct tool *tool = ctx;
    struct tas_json *list = tas_json_list();
    for (size_t i = 0; i < n; i++) {
        struct tas_json *one = tas_json_object();
        tas_json_set_int(one, "relay", rtts[i].relay);
        tas_json_set_int(one, "us", rtts[i].us);
        tas_json_add(list, one);
        tool->rtts[i] = rtts[i];
    }
    tool->n_rtts = n;
    struct tas_json *json = headless_event("measured");
    tas_json_set(json, "rtt", list);
    headless_tell(json);
    api_measure_free(tool->measure);
    tool->measure = NULL;
}

static void on_relays(void *ctx, const struct api_result *result) {
    struct tool *tool = ctx;
    if (result->error.err == TAS_OK && !tool->measure)
        tool->measure = api_measure_start(tool->client, result->relays, on_measured, tool);
    else if (result->error.err != TAS_OK)
        tool_complain("relays", &result->error);
}

void tool_measure(struct tool *tool) {
    (void)api_relays(tool->client, on_relays, tool); /* without figures the server chooses by itself */
}

/* ---- words ---- */

void tool_say_line(const struct api_stream *stream, bool is_connected, const struct api_error *why) {
    struct tas_json *json = headless_event(is_connected ? "connected" : "disconnected");
    if (stream)
        tas_json_set_text(json, "server", api_stream_server(stream));
    if (why)
        tas_json_set_text(json, "text", why->detail);
    headless_tell(json);
}

void tool_complain(const char *command, const struct api_error *error) {
    struct tas_json *json = headless_event("error");
    if (command)
        tas_json_set_text(json, "command", command);
    tas_json_set_text(json, "code", error->code);
    tas_json_set_text(json, "text", error->detail);
    if (error->retry_after_s >= 0)
        tas_json_set_int(json, "retry_after_s", error->retry_after_s);
    headless_tell(json);
}

void tool_refuse(const char *command, const char *code, const char *text) {
    struct api_error error;
    api_error_set(&error, TAS_E_STATE, 0, code, "%s", text);
    tool_complain(command, &error);
}

void tool_alarm(const char *text) {
    struct tas_json *json = headless_event("alarm");
    tas_json_set_text(json, "text", text);
    headless_tell(json);
}

int tool_exit_code(const struct api_error *error) {
    return error->err == TAS_E_IO ? EXIT_TEMPORARY : EXIT_FAILURE;
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
