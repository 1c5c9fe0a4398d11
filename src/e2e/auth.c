#include "e2e/auth.h"

#include <assert.h>
#include <stdio.h>

int tas_keyset_open(const struct tas_crypto *c, struct tas_keyset *out, struct tas_bytes bytes,
                    const uint8_t root_pk[32]) {
    struct tas_keyset set;
    int err = tas_keyset_decode(&set, bytes);
    if (err == TAS_OK)
        err = tas_verify(c, set.sig, root_pk, "TSK1 keyset", &set.signed_part, 1);
    if (err == TAS_OK)
        *out = set;
    return err;
}

struct digest {
    uint8_t bytes[32];
};

static int statement_digest(const struct tas_crypto *c, struct digest *out, const uint8_t *statement) {
    struct tas_bytes all = tas_bytes_of(statement, TAS_SIZE_STATEMENT);
    return c->sha256(out->bytes, &all, 1);
}

static int finished_mac(const struct tas_crypto *c, uint8_t out[32], const struct tas_generation *gen,
                        enum tas_role sender, const struct digest *digest) {
    const struct tas_bytes parts[] = {tas_bytes_of(gen->th, 32), tas_bytes_of(digest->bytes, 32)};
    return c->hmac(out, tas_bytes_of(gen->finished[tas_direction_of(sender)], 32), parts, 2);
}

int tas_auth_make(const struct tas_crypto *c, struct tas_msg_auth *out, const struct tas_identity *own,
                  const struct tas_generation *gen) {
    struct digest digest;
    uint8_t role = (uint8_t)own->role;
    int err = statement_digest(c, &digest, own->statement);
    const struct tas_bytes parts[] = {tas_bytes_of(&role, 1), tas_bytes_of(gen->th, 32),
                                      tas_bytes_of(digest.bytes, 32)};
    if (err == TAS_OK)
        err = tas_sign(c, out->sig, own->pop_seed, "TSK1 auth", parts, 3);
    if (err == TAS_OK)
        err = finished_mac(c, out->mac, gen, own->role, &digest);
    memcpy(out->statement, own->statement, sizeof(out->statement));
    return err;
}

/* The statement itself: signed by a key of the set that is valid now, for this place in this session. */
static int statement_check(const struct tas_crypto *c, const struct tas_msg_statement *st,
                           const uint8_t *bytes, const struct tas_identity *own,
                           const struct tas_auth_expected *expected) {
    enum tas_role other = own->role == TAS_ROLE_HOST ? TAS_ROLE_VIEWER : TAS_ROLE_HOST;
    if (st->ver != 1 || st->role != other || st->slot != expected->peer_slot ||
        st->session_id != expected->session_id || (st->kind != 1 && st->kind != 2))
        return TAS_E_AUTH;
    if (memcmp(st->pop_pk, own->pop_pk, sizeof(st->pop_pk)) == 0)
        return TAS_E_AUTH;
    if (expected->now_ms >= st->not_after_ms)
        return TAS_E_EXPIRED;
    const struct tas_msg_keyset_key *key =
        tas_keyset_find(expected->keyset, st->kid, TAS_USE_STATEMENT, expected->now_ms, 0);
    if (!key)
        return TAS_E_AUTH;
    struct tas_bytes part = tas_bytes_of(bytes, TAS_STATEMENT_SIGNED);
    return tas_verify(c, st->sig, key->pk, "TSK1 statement", &part, 1);
}

static int text_copy(char out[97], const uint8_t field[96]) {
    struct tas_bytes text;
    int err = tas_text_field(&text, field, 96);
    if (err != TAS_OK)
        return err;
    memcpy(out, text.ptr, text.len);
    out[text.len] = '\0';
    return TAS_OK;
}

int tas_auth_check(const struct tas_crypto *c, struct tas_peer *out, const struct tas_msg_auth *auth,
                   const struct tas_identity *own, const struct tas_generation *gen,
                   const struct tas_auth_expected *expected) {
    struct tas_msg_statement st = {0};
    int err = tas_msg_statement_decode(&st, tas_bytes_of(auth->statement, sizeof(auth->statement)));
    if (err == TAS_OK)
        err = statement_check(c, &st, auth->statement, own, expected);

    struct tas_peer peer = {.perms = st.perms, .kind = st.kind, .company_id = st.company_id};
    if (err == TAS_OK)
        err = text_copy(peer.company, st.company);
    if (err == TAS_OK)
        err = text_copy(peer.name, st.name);

    struct digest digest;
    if (err == TAS_OK)
        err = statement_digest(c, &digest, auth->statement);
    if (err != TAS_OK)
        return err;
    const struct tas_bytes parts[] = {tas_bytes_of(&st.role, 1), tas_bytes_of(gen->th, 32),
                                      tas_bytes_of(digest.bytes, 32)};
    err = tas_verify(c, auth->sig, st.pop_pk, "TSK1 auth", parts, 3);
    uint8_t mac[32];
    if (err == TAS_OK)
        err = finished_mac(c, mac, gen, (enum tas_role)st.role, &digest);
    if (err == TAS_OK && !tas_same_secret(mac, auth->mac, sizeof(mac)))
        err = TAS_E_AUTH;
    if (err != TAS_OK)
        return err;
    memcpy(peer.pop_pk, st.pop_pk, sizeof(peer.pop_pk));
    *out = peer;
    return TAS_OK;
}

void tas_check_code_text(char out[TAS_CHECK_CODE_TEXT], uint32_t sas6, uint32_t last3) {
    assert(sas6 < 1000000 && last3 < 1000);
    snprintf(out, TAS_CHECK_CODE_TEXT, "%03u-%03u-%03u", sas6 / 1000, sas6 % 1000, last3);
}

int tas_check_code_parse(uint32_t *sas6, uint32_t *last3, const char *typed) {
    uint32_t value = 0;
    int digits = 0;
    for (const char *p = typed; *p; p++) {
        if (*p == ' ' || *p == '-')
            continue;
        if (*p < '0' || *p > '9' || ++digits > 9)
            return TAS_E_PROTO;
        value = value * 10 + (uint32_t)(*p - '0');
    }
    if (digits != 9)
        return TAS_E_PROTO;
    *sas6 = value / 1000;
    *last3 = value % 1000;
    return TAS_OK;
}
