#include "relay/admit.h"

enum {
    CLOCK_SLACK_MS = 30 * 1000,
    CONNECT_TTL_MAX_S = 60,
    SESSION_TTL_MAX_S = 900,
    RX_LIMIT_MIN = 64 * 1024,
    RX_LIMIT_MAX = 256 * 1024,
    FLAG_RESUME = 1,
};

/* Slot 0 is the host's, slot 1 the viewer's: one viewer per session as yet. */
static bool place_is_sound(const struct tas_msg_ticket *t) {
    return (t->role == TAS_ROLE_HOST && t->slot == 0) || (t->role == TAS_ROLE_VIEWER && t->slot == 1);
}

static bool lists_relay(const struct tas_msg_ticket *t, uint32_t relay_id) {
    for (int i = 0; i < 4; i++)
        if (t->relay_ids[i] == relay_id)
            return true;
    return false;
}

static bool is_in_time(const struct tas_msg_ticket *t, bool is_resume, uint64_t now_ms) {
    uint64_t ttl_s = is_resume ? t->session_ttl_s : t->connect_ttl_s;
    if (t->connect_ttl_s > CONNECT_TTL_MAX_S || t->session_ttl_s > SESSION_TTL_MAX_S ||
        t->not_before_ms > UINT64_MAX - SESSION_TTL_MAX_S * 1000u - CLOCK_SLACK_MS)
        return false;
    return now_ms + CLOCK_SLACK_MS >= t->not_before_ms &&
           now_ms < t->not_before_ms + ttl_s * 1000 + CLOCK_SLACK_MS;
}

static bool is_in_force(const struct tas_msg_keyset_key *key, uint8_t kid, uint64_t now_ms) {
    return key->kid == kid && now_ms + CLOCK_SLACK_MS >= key->from_ms &&
           (now_ms < key->to_ms || now_ms - key->to_ms < CLOCK_SLACK_MS);
}

static bool signed_by_one(const struct tas_msg_keyset_key *keys, size_t n, const struct tas_msg_ticket *t,
                          struct tas_bytes part, const struct tas_crypto *crypto, uint64_t now_ms) {
    for (size_t i = 0; i < n; i++)
        if (is_in_force(&keys[i], t->kid, now_ms) &&
            tas_verify(crypto, t->sig, keys[i].pk, "TSK1 ticket", &part, 1) == TAS_OK)
            return true;
    return false;
}

/* Keys of the file and of the KEYSET may share a number: either will do. */
static bool is_signed(const struct relay_config *config, const struct tas_msg_ticket *t,
                      struct tas_bytes part, const struct tas_crypto *crypto, uint64_t now_ms) {
    return signed_by_one(config->ticket_keys, config->n_ticket_keys, t, part, crypto, now_ms) ||
           signed_by_one(config->managed_keys, config->n_managed_keys, t, part, crypto, now_ms);
}

unsigned relay_admit_hello(struct relay_admission *out, struct tas_bytes payload,
                           const struct relay_config *config, const struct tas_crypto *crypto,
                           uint64_t now_ms) {
    struct tas_msg_hello hello;
    struct relay_admission a = {0};
    if (tas_msg_hello_decode(&hello, payload) != TAS_OK || hello.magic != TAS_MAGIC ||
        hello.ver_min > hello.ver_max || hello.ver_min > TAS_VERSION || hello.ver_max < TAS_VERSION)
        return TAS_CLOSE_BAD_RECORD;
    if (hello.rx_limit < RX_LIMIT_MIN || hello.rx_limit > RX_LIMIT_MAX)
        return TAS_CLOSE_BAD_RECORD;
    if (tas_msg_ticket_decode(&a.ticket, tas_bytes_of(hello.ticket, sizeof(hello.ticket))) != TAS_OK ||
        a.ticket.ver != 1 || !place_is_sound(&a.ticket) || a.ticket.kind != 1)
        return TAS_CLOSE_TICKET;
    if (!lists_relay(&a.ticket, config->relay_id))
        return TAS_CLOSE_WRONG_RELAY;
    if (!is_in_time(&a.ticket, hello.flags & FLAG_RESUME, now_ms))
        return TAS_CLOSE_EXPIRED;
    if (!is_signed(config, &a.ticket, tas_bytes_of(hello.ticket, TAS_TICKET_SIGNED), crypto, now_ms))
        return TAS_CLOSE_TICKET;
    a.rx_limit = hello.rx_limit;
    a.flags = hello.flags;
    memcpy(a.hello, payload.ptr, sizeof(a.hello));
    *out = a;
    return 0;
}

unsigned relay_admit_proof(const struct relay_admission *a, struct tas_bytes payload,
                           const uint8_t challenge[48], const uint8_t cb[32],
                           const struct tas_crypto *crypto) {
    struct tas_msg_proof proof;
    uint8_t digest[32];
    const struct tas_bytes both[] = {tas_bytes_of(a->hello, sizeof(a->hello)), tas_bytes_of(challenge, 48)};
    if (tas_msg_proof_decode(&proof, payload) != TAS_OK || crypto->sha256(digest, both, 2) != TAS_OK)
        return TAS_CLOSE_PROOF;
    const struct tas_bytes parts[] = {tas_bytes_of(digest, 32), tas_bytes_of(cb, 32)};
    bool holds = tas_verify(crypto, proof.sig, a->ticket.pop_pk, "TSK1 pop", parts, 2) == TAS_OK;
    return holds ? 0 : TAS_CLOSE_PROOF;
}
