/* What both tools have: the way to the management servers, how far the relays are, and what an end of a
 * session is made of. */
#pragma once

#include "api/measure.h"
#include "tool/news.h"

struct tool {
    struct tas_loop *loop; /* borrowed */
    struct tool_listener to;
    struct api_client *client;
    struct api_measure *measure;
    struct api_call *relays;
    struct api_rtt rtts[API_RELAYS]; /* what came of the measuring so far */
    size_t n_rtts;
};

/* Connects to nothing yet. user_agent: "tasuki-client/0.1.0". False: no memory, or `why`. tool_close() in any
 * case. */
bool tool_open(struct tool *tool, struct tas_loop *loop, const struct org *org, const char *user_agent,
               struct tool_listener to, char why[API_WHY]);
void tool_close(struct tool *tool);

/* Asks for the relays and measures them; nobody waits for it. */
void tool_measure(struct tool *tool);

/* An end's configuration from a grant. */
void tool_end_config(struct tool *tool, struct tas_end_config *out, struct api_grant *grant);

/* Fills `seed` with a fresh key and gives its public half. */
TAS_MUST_USE int tool_new_key(uint8_t seed[32], uint8_t pk[32]);

/* Is version `have` ("0.1.0") older than `least`? Numbers apart by dots; anything else counts as 0. */
bool tool_is_older(const char *have, const char *least);
