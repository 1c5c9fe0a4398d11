/* A management server's answers with real signatures, the same at every run, for tests and fuzz targets of
 * api/. */
#pragma once

#include "api/grant.h"

enum { API_KIT_NOW_MS = 1000000, API_KIT_SEQUENCE = 5 };

struct api_kit {
    uint8_t root_seed[32], root_pk[32], ticket_seed[32], statement_seed[32];
    uint8_t pop_seed[2][32], pop_pk[2][32]; /* host, viewer */
};
void api_kit_init(struct api_kit *kit);

/* What the end `role` holds itself. */
struct api_grant_expected api_kit_expected(const struct api_kit *kit, enum tas_role role);

/* What the grant of `role` is made of; to be changed by a test before it is signed. */
struct api_kit_grant {
    enum tas_role role;
    struct tas_msg_ticket ticket;
    struct tas_msg_statement statement, peer;
    struct tas_keyset keyset;
    uint64_t server_ms;
    bool has_peer_statement;
    const char *peer_name;
};
struct api_kit_grant api_kit_grant(const struct api_kit *kit, enum tas_role role);

/* Signs and writes it as a server would. Owned. */
struct tas_json *api_kit_sign(const struct api_kit *kit, const struct api_kit_grant *grant);

/* {"ticket","server_ms"} */
struct tas_json *api_kit_ticket(const struct api_kit *kit, const struct api_kit_grant *grant);
