#include "test_api_kit.h"

#include <assert.h>
#include <stdio.h>

static void seed_of(uint8_t seed[32], uint8_t first) {
    for (unsigned i = 0; i < 32; i++)
        seed[i] = (uint8_t)(first + i);
}

static void public_of(uint8_t pk[32], const uint8_t seed[32]) {
    int err = tas_crypto_sodium.ed25519_public(pk, seed);
    assert(err == TAS_OK);
}

void api_kit_init(struct api_kit *kit) {
    seed_of(kit->root_seed, 1);
    seed_of(kit->ticket_seed, 2);
    seed_of(kit->statement_seed, 3);
    seed_of(kit->pop_seed[0], 4);
    seed_of(kit->pop_seed[1], 5);
    public_of(kit->root_pk, kit->root_seed);
    public_of(kit->pop_pk[0], kit->pop_seed[0]);
    public_of(kit->pop_pk[1], kit->pop_seed[1]);
}

static unsigned at(enum tas_role role) {
    return role == TAS_ROLE_HOST ? 0 : 1;
}

struct api_grant_expected api_kit_expected(const struct api_kit *kit, enum tas_role role) {
    return (struct api_grant_expected){.crypto = &tas_crypto_sodium,
                                       .root = kit->root_pk,
                                       .pop_seed = kit->pop_seed[at(role)],
                                       .role = role,
                                       .keyset_sequence = API_KIT_SEQUENCE,
                                       .company = "Sakura"};
}

static struct tas_msg_statement statement_of(const struct api_kit *kit, enum tas_role role) {
    struct tas_msg_statement st = {.ver = 1,
                                   .kid = 2,
                                   .role = (uint8_t)role,
                                   .slot = (uint8_t)at(role),
                                   .perms = 7,
                                   .kind = 1,
                                   .session_id = 42,
                                   .company_id = 9,
                                   .not_after_ms = 2 * API_KIT_NOW_MS};
    memcpy(st.pop_pk, kit->pop_pk[at(role)], sizeof(st.pop_pk));
    snprintf((char *)st.company, sizeof(st.company), "Sakura");
    snprintf((char *)st.name, sizeof(st.name), role == TAS_ROLE_HOST ? "Taro" : "Hanako");
    return st;
}

struct api_kit_grant api_kit_grant(const struct api_kit *kit, enum tas_role role) {
    struct api_kit_grant g = {
        .role = role,
        .ticket = {.ver = 1,
                   .kid = 1,
                   .role = (uint8_t)role,
                   .slot = (uint8_t)at(role),
                   .perms = 7,
                   .max_viewers = 1,
                   .session_id = 42,
                   .not_before_ms = API_KIT_NOW_MS,
                   .connect_ttl_s = 60,
                   .session_ttl_s = 900,
                   .company_id = 9,
                   .relay_ids = {11, 12},
                   .kind = 1},
        .statement = statement_of(kit, role),
        .peer = statement_of(kit, role == TAS_ROLE_HOST ? TAS_ROLE_VIEWER : TAS_ROLE_HOST),
        .keyset = {.sequence = API_KIT_SEQUENCE,
                   .count = 2,
                   .keys = {{.kid = 1, .use = TAS_USE_TICKET, .to_ms = UINT64_MAX},
                            {.kid = 2, .use = TAS_USE_STATEMENT, .to_ms = UINT64_MAX}}},
        .server_ms = API_KIT_NOW_MS,
        .has_peer_statement = true,
        .peer_name = role == TAS_ROLE_HOST ? "Hanako" : "Taro",
    };
    memcpy(g.ticket.pop_pk, kit->pop_pk[at(role)], sizeof(g.ticket.pop_pk));
    public_of(g.keyset.keys[0].pk, kit->ticket_seed);
    public_of(g.keyset.keys[1].pk, kit->statement_seed);
    return g;
}

static void sign(uint8_t *bytes, size_t len, const uint8_t seed[32], const char *domain) {
    struct tas_bytes part = tas_bytes_of(bytes, len);
    int err = tas_sign(&tas_crypto_sodium, bytes + len, seed, domain, &part, 1);
    assert(err == TAS_OK);
}

static void put_ticket(struct tas_json *json, const struct api_kit *kit, const struct api_kit_grant *g) {
    uint8_t bytes[TAS_SIZE_TICKET];
    int len = tas_msg_ticket_encode(&g->ticket, bytes, sizeof(bytes));
    assert(len == TAS_SIZE_TICKET);
    sign(bytes, TAS_TICKET_SIGNED, kit->ticket_seed, "TSK1 ticket");
    tas_json_set_hex(json, "ticket", tas_bytes_of(bytes, sizeof(bytes)));
}

static void put_statement(struct tas_json *json, const struct api_kit *kit,
                          const struct tas_msg_statement *st) {
    uint8_t bytes[TAS_SIZE_STATEMENT];
    int len = tas_msg_statement_encode(st, bytes, sizeof(bytes));
    assert(len == TAS_SIZE_STATEMENT);
    sign(bytes, TAS_STATEMENT_SIGNED, kit->statement_seed, "TSK1 statement");
    tas_json_set_hex(json, "statement", tas_bytes_of(bytes, sizeof(bytes)));
}

static void put_keyset(struct tas_json *json, const struct api_kit *kit, const struct tas_keyset *set) {
    uint8_t bytes[TAS_KEYSET_MAX_LEN];
    int len = tas_keyset_encode(set, bytes, sizeof(bytes));
    assert(len > 0);
    sign(bytes, (size_t)len, kit->root_seed, "TSK1 keyset");
    tas_json_set_hex(json, "keyset", tas_bytes_of(bytes, (size_t)len + 64));
}

struct tas_json *api_kit_ticket(const struct api_kit *kit, const struct api_kit_grant *grant) {
    struct tas_json *json = tas_json_object();
    put_ticket(json, kit, grant);
    tas_json_set_int(json, "server_ms", (int64_t)grant->server_ms);
    return json;
}

struct tas_json *api_kit_sign(const struct api_kit *kit, const struct api_kit_grant *grant) {
    struct tas_json *json = api_kit_ticket(kit, grant);
    struct tas_json *relays = tas_json_list();
    struct tas_json *peer = tas_json_object();
    for (int i = 11; i <= 12; i++) {
        struct tas_json *relay = tas_json_object();
        tas_json_set_int(relay, "id", i);
        tas_json_set_text(relay, "name", "relay.tasuki.test");
        tas_json_set_text(relay, "address", "127.0.0.1:443");
        tas_json_add(relays, relay);
    }
    tas_json_set_text(peer, "name", grant->peer_name);
    if (grant->has_peer_statement)
        put_statement(peer, kit, &grant->peer);
    tas_json_set_id(json, "session", 42);
    tas_json_set_int(json, "role", grant->role);
    tas_json_set_int(json, "slot", at(grant->role));
    put_statement(json, kit, &grant->statement);
    put_keyset(json, kit, &grant->keyset);
    tas_json_set(json, "relays", relays);
    tas_json_set(json, "peer", peer);
    tas_json_set_text(json, "of_a_newer_server", "passed over");
    return json;
}
