/* Tickets and statements: what an end needs to join a session. */
#include "manager/manager.h"

#include "base/rand.h"
#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    CONNECT_TTL_S = 60,
    SESSION_TTL_S = 900,
    STATEMENT_MS = 12 * 3600 * 1000,
    CUSTOMER_SLOT = 0,
    VIEWER_SLOT = 1
};

int mgr_ticket(struct mgr *m, const struct store_session *s, enum mgr_side side,
               uint8_t out[TAS_SIZE_TICKET]) {
    struct tas_msg_ticket t = {
        .role = (uint8_t)side,
        .slot = side == MGR_HOST ? CUSTOMER_SLOT : VIEWER_SLOT,
        .perms = (uint16_t)s->perms,
        .max_viewers = 1,
        .session_id = s->id,
        .not_before_ms = (uint64_t)mgr_now(),
        .connect_ttl_s = CONNECT_TTL_S,
        .session_ttl_s = SESSION_TTL_S,
        .company_id = (uint32_t)s->company_id,
        .kind = 1,
    };
    tas_random(t.jti, sizeof(t.jti));
    memcpy(t.pop_pk, side == MGR_HOST ? s->host_pk : s->viewer_pk, sizeof(t.pop_pk));
    memcpy(t.relay_ids, s->relays, sizeof(t.relay_ids));
    mgr_count(&m->stats.tickets_total);
    return mgr_signer_ticket(m->signer, &t, out);
}

/* As much of `name` as the field of a STATEMENT holds, cut between characters. */
static void cut_name(uint8_t field[MGR_NAME], const char *name) {
    size_t len = strlen(name);
    if (len > MGR_NAME) {
        len = MGR_NAME;
        while (len > 0 && ((uint8_t)name[len] & 0xc0) == 0x80)
            len--;
    }
    memset(field, 0, MGR_NAME);
    memcpy(field, name, len);
}

void mgr_host_name(char out[MGR_NAME + 1], const struct store_session *s, const struct store_claim *c) {
    const char *name = s->customer[0] ? s->customer : c->host_name[0] ? c->host_name : "customer";
    uint8_t field[MGR_NAME];
    cut_name(field, name);
    memcpy(out, field, MGR_NAME);
    out[MGR_NAME] = '\0';
}

static int make_statement(struct mgr *m, const struct store_session *s, const struct store_company *company,
                          const char *name, enum mgr_side side, uint8_t out[TAS_SIZE_STATEMENT]) {
    struct tas_msg_statement st = {
        .role = (uint8_t)side,
        .slot = side == MGR_HOST ? CUSTOMER_SLOT : VIEWER_SLOT,
        .perms = (uint16_t)s->perms,
        .kind = 1,
        .session_id = s->id,
        .company_id = (uint32_t)s->company_id,
        .not_after_ms = (uint64_t)(mgr_now() + STATEMENT_MS),
    };
    memcpy(st.pop_pk, side == MGR_HOST ? s->host_pk : s->viewer_pk, sizeof(st.pop_pk));
    cut_name(st.company, company->name);
    cut_name(st.name, name);
    return mgr_signer_statement(m->signer, &st, out);
}

/* The ticket's relays with what a tool needs to dial them. */
static struct tas_json *relays_json(struct tas_db *db, const struct store_session *s, int *err) {
    struct tas_json *list = tas_json_list();
    for (size_t i = 0; i < STORE_RELAYS && s->relays[i] && *err == TAS_OK; i++) {
        struct store_relay r;
        int got = store_relay_get(db, s->relays[i], &r);
        if (got == TAS_E_ABSENT)
            continue; /* taken out of service meanwhile */
        *err = got;
        if (got != TAS_OK)
            break;
        struct tas_json *relay = tas_json_object();
        tas_json_set_int(relay, "id", r.id);
        tas_json_set_text(relay, "name", r.name);
        tas_json_set_text(relay, "address", r.address);
        tas_json_add(list, relay);
    }
    return list;
}

struct tas_json *mgr_grant_json(struct mgr *m, struct tas_db *db, const struct store_session *s,
                                const struct store_company *company, const char *customer_name,
                                enum mgr_side side, int *err) {
    uint8_t ticket[TAS_SIZE_TICKET];
    uint8_t own[TAS_SIZE_STATEMENT];
    uint8_t theirs[TAS_SIZE_STATEMENT];
    uint8_t keyset[TAS_KEYSET_MAX_LEN];
    size_t keyset_len = 0;
    bool is_host = side == MGR_HOST;
    *err = mgr_ticket(m, s, side, ticket);
    if (*err == TAS_OK)
        *err = make_statement(m, s, company, is_host ? customer_name : s->operator_name, side, own);
    if (*err == TAS_OK)
        *err = make_statement(m, s, company, is_host ? s->operator_name : customer_name,
                              is_host ? MGR_VIEWER : MGR_HOST, theirs);
    if (*err == TAS_OK)
        *err = mgr_signer_keyset(m->signer, keyset, &keyset_len);
    if (*err != TAS_OK)
        return NULL;
    struct tas_json *json = tas_json_object();
    struct tas_json *peer = tas_json_object();
    tas_json_set_text(peer, "name", is_host ? s->operator_name : customer_name);
    tas_json_set_hex(peer, "statement", tas_bytes_of(theirs, sizeof(theirs)));
    tas_json_set_id(json, "session", s->id);
    tas_json_set_int(json, "role", side);
    tas_json_set_int(json, "slot", is_host ? CUSTOMER_SLOT : VIEWER_SLOT);
    tas_json_set_hex(json, "ticket", tas_bytes_of(ticket, sizeof(ticket)));
    tas_json_set_hex(json, "statement", tas_bytes_of(own, sizeof(own)));
    tas_json_set_hex(json, "keyset", tas_bytes_of(keyset, keyset_len));
    tas_json_set_int(json, "server_ms", mgr_now());
    tas_json_set(json, "relays", relays_json(db, s, err));
    tas_json_set(json, "peer", peer);
    return json;
}
