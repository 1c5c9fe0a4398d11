#include "kit.h"

#include <assert.h>
#include <stdio.h>

const uint64_t kit_session_id = 0x0123456789abcdef;

static void fill(void *ctx, void *out, size_t len) {
    struct kit_random *random = ctx;
    uint8_t *to = out;
    for (size_t i = 0; i < len; i++) {
        if (random->script.len > 0) {
            to[i] = *random->script.ptr++;
            random->script.len--;
            continue;
        }
        random->seed ^= random->seed << 13;
        random->seed ^= random->seed >> 17;
        random->seed ^= random->seed << 5;
        to[i] = (uint8_t)(random->seed >> 9);
    }
}

struct tas_random_source kit_random_source(struct kit_random *random) {
    return (struct tas_random_source){fill, random};
}

static const enum tas_role roles[] = {TAS_ROLE_HOST, TAS_ROLE_VIEWER};

struct tas_handshake_config kit_handshake_config(struct kit *kit, unsigned end, uint16_t suites) {
    return (struct tas_handshake_config){
        .crypto = kit->crypto,
        .mem = &tas_secret_heap,
        .random = kit_random_source(&kit->random),
        .role = roles[end],
        .viewer_slot = KIT_SLOT,
        .session_id = kit_session_id,
        .suites = suites,
        .caps = 0x0005,
    };
}

struct tas_msg_statement kit_statement(const struct kit *kit, unsigned end) {
    struct tas_msg_statement st = {
        .ver = 1,
        .kid = KIT_KID,
        .role = (uint8_t)roles[end],
        .slot = end == KIT_VIEWER ? KIT_SLOT : 0,
        .perms = 0x0007,
        .kind = 1,
        .session_id = kit_session_id,
        .company_id = 42,
        .not_after_ms = KIT_NOW_MS + 1,
    };
    memcpy(st.pop_pk, kit->id[end].pop_pk, sizeof(st.pop_pk));
    snprintf((char *)st.company, sizeof(st.company), "%s", "Müller & Söhne");
    snprintf((char *)st.name, sizeof(st.name), "%s", end == KIT_HOST ? "Empfang" : "Anna");
    return st;
}

void kit_sign_statement(const struct kit *kit, uint8_t out[TAS_SIZE_STATEMENT],
                        const struct tas_msg_statement *st) {
    int len = tas_msg_statement_encode(st, out, TAS_SIZE_STATEMENT);
    assert(len == TAS_SIZE_STATEMENT);
    struct tas_bytes part = tas_bytes_of(out, TAS_STATEMENT_SIGNED);
    int err =
        tas_sign(kit->crypto, out + TAS_STATEMENT_SIGNED, kit->statement_seed, "TSK1 statement", &part, 1);
    assert(err == TAS_OK);
}

struct tas_auth_expected kit_expected(const struct kit *kit, unsigned end) {
    return (struct tas_auth_expected){
        .keyset = &kit->keyset,
        .session_id = kit_session_id,
        .peer_slot = end == KIT_HOST ? KIT_SLOT : 0,
        .now_ms = KIT_NOW_MS,
    };
}

static void identity_init(struct kit *kit, unsigned end) {
    struct tas_identity *id = &kit->id[end];
    *id = (struct tas_identity){.role = roles[end], .slot = end == KIT_VIEWER ? KIT_SLOT : 0};
    fill(&kit->random, id->pop_seed, sizeof(id->pop_seed));
    int err = kit->crypto->ed25519_public(id->pop_pk, id->pop_seed);
    assert(err == TAS_OK);
    struct tas_msg_statement st = kit_statement(kit, end);
    kit_sign_statement(kit, id->statement, &st);
}

static void handshake(struct kit *kit, enum tas_suite suite) {
    struct tas_handshake_config host_cfg = kit_handshake_config(kit, KIT_HOST, (uint16_t)suite);
    struct tas_handshake_config viewer_cfg = kit_handshake_config(kit, KIT_VIEWER, (uint16_t)suite);
    struct tas_handshake *host = tas_handshake_new(&host_cfg);
    struct tas_handshake *viewer = tas_handshake_new(&viewer_cfg);
    assert(host && viewer);
    uint8_t a[TAS_HS_MAX], b[TAS_HS_MAX];
    int len = tas_handshake_start(viewer, a);
    assert(len == TAS_SIZE_H1);
    memcpy(kit->h1, a, sizeof(kit->h1));
    len = tas_handshake_input(host, tas_bytes_of(a, (size_t)len), b);
    assert(len == TAS_SIZE_H2);
    memcpy(kit->h2, b, sizeof(kit->h2));
    len = tas_handshake_input(viewer, tas_bytes_of(b, (size_t)len), a);
    assert(len == TAS_SIZE_H3);
    memcpy(kit->h3, a, sizeof(kit->h3));
    tas_handshake_take(viewer, &kit->gen);
    tas_handshake_free(host);
    tas_handshake_free(viewer);
}

void kit_init(struct kit *kit, const struct tas_crypto *crypto, enum tas_suite suite) {
    *kit = (struct kit){
        .crypto = crypto,
        .random.seed = 0x5eed,
        .pair = {.viewer_slot = KIT_SLOT, .session_id = kit_session_id},
        .keyset = {.count = 1, .keys = {{.kid = KIT_KID, .use = TAS_USE_STATEMENT, .to_ms = 2 * KIT_NOW_MS}}},
    };
    fill(&kit->random, kit->statement_seed, sizeof(kit->statement_seed));
    int err = crypto->ed25519_public(kit->keyset.keys[0].pk, kit->statement_seed);
    assert(err == TAS_OK);
    identity_init(kit, KIT_HOST);
    identity_init(kit, KIT_VIEWER);
    handshake(kit, suite);
}

struct tas_sealer *kit_sealer(const struct kit *kit, unsigned end, uint64_t update_records) {
    const struct tas_sealer_config cfg = {
        .crypto = kit->crypto,
        .mem = &tas_secret_heap,
        .role = roles[end],
        .viewer_slot = KIT_SLOT,
        .session_id = kit_session_id,
        .update_records = update_records,
    };
    struct tas_sealer *sealer = tas_sealer_new(&cfg, &kit->gen, 0);
    assert(sealer);
    return sealer;
}
