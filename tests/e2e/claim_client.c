/* A customer's tool that asks in two steps (api/calls.h), driven by test_manager_choosing.py: claim_client
 * ORG
 *
 *     choose NUMBER    claims it, choosing: {"event":"place"} with the claim and the company
 *     ready NAME       {"event":"claim"} with its state
 *     get              the same
 *
 * A call that failed is {"event":"refused"} with its code. */
#include "api/calls.h"
#include "base/id.h"
#include "base/rand.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    struct tas_loop *loop;
    struct api_client *client;
    struct api_signer as;
    uint64_t claim;
} tool;

static void say(const char *event, const char *name, const char *text, const char *company) {
    struct tas_json *json = tas_json_object();
    tas_json_set_text(json, "event", event);
    tas_json_set_text(json, name, text);
    tas_json_set_text(json, "company", company);
    char *line = tas_json_dump(json);
    puts(line ? line : "");
    fflush(stdout);
    free(line);
    tas_json_free(json);
}

static void on_done(void *ctx, const struct api_result *result) {
    char id[TAS_ID_CAP];
    (void)ctx;
    if (result->error.err != TAS_OK) {
        say("refused", "code", result->error.code, NULL);
    } else if (result->place) {
        tool.claim = result->place->claim;
        snprintf(tool.as.token, sizeof(tool.as.token), "%s", result->place->token);
        say("place", "claim", tas_id_encode(id, tool.claim), result->place->company);
    } else {
        say("claim", "state", api_claim_state_word(result->claim->state), result->claim->company);
    }
}

static struct api_call *ask(const char *word, const char *rest) {
    const struct api_claim_order order = {.number = rest,
                                          .pop_seed = tool.as.seed,
                                          .tool_version = "0.1.0",
                                          .language = "ja",
                                          .terms_version = "1",
                                          .is_choosing = true};
    if (strcmp(word, "choose") == 0)
        return api_claim(tool.client, &order, on_done, NULL);
    if (strcmp(word, "ready") == 0)
        return api_claim_ready(tool.client, &tool.as, tool.claim, rest, "Debian 12", on_done, NULL);
    if (strcmp(word, "get") == 0)
        return api_claim_get(tool.client, &tool.as, tool.claim, on_done, NULL);
    return NULL;
}

static bool read_org(struct org *org, const char *path, char why[ORG_WHY]) {
    uint8_t section[ORG_SECTION];
    FILE *f = fopen(path, "re");
    bool ok = f && fread(section, 1, sizeof(section), f) == sizeof(section) &&
              org_read(org, tas_bytes_of(section, sizeof(section)), why) == TAS_OK;
    if (f)
        fclose(f);
    return ok;
}

/* One command at a time: the next comes when the last was answered. */
static void on_line(void *ctx, unsigned ready) {
    char line[256];
    (void)ctx;
    (void)ready;
    if (!fgets(line, sizeof(line), stdin)) {
        tas_loop_stop(tool.loop);
        return;
    }
    line[strcspn(line, "\n")] = '\0';
    char *rest = line + strcspn(line, " ");
    if (*rest)
        *rest++ = '\0';
    if (!ask(line, rest))
        exit(2);
}

int main(int argc, char **argv) {
    static struct org org;
    char why[ORG_WHY] = "";
    char api_why[API_WHY] = "";
    tas_loop_block_signals(NULL, 0);
    if (argc != 2 || !read_org(&org, argv[1], why))
        return 2;
    tool.loop = tas_loop_new();
    const struct api_client_config config = {
        .loop = tool.loop, .org = &org, .user_agent = "claim_client", .proxy = ""};
    tool.client = tool.loop ? api_client_new(&config, api_why) : NULL;
    tas_random(tool.as.seed, sizeof(tool.as.seed));
    struct tas_watch *watch = tool.client ? tas_watch_new(tool.loop, 0, TAS_READABLE, on_line, NULL) : NULL;
    if (!watch || tas_loop_run(tool.loop) != TAS_OK)
        return 2;
    tas_watch_free(watch);
    api_client_free(tool.client);
    tas_loop_free(tool.loop);
    return 0;
}
