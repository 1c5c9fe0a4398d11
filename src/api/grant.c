#include "api/grant.h"

#include "base/hex.h"

#include <stdarg.h>
#include <stdio.h>

#define END                                                                                                  \
    { NULL, TAS_JSON_TEXT, false, 0, 0, 0 }

static int refuse(char why[TAS_JSON_WHY], int err, const char *text) {
    snprintf(why, TAS_JSON_WHY, "%s", text);
    return err;
}

/* ---- the keyset ---- */

static int open_keyset(struct tas_keyset *out, uint8_t bytes[TAS_KEYSET_MAX_LEN], const char *hex,
                       const struct api_grant_expected *expected, char why[TAS_JSON_WHY]) {
    size_t len = strlen(hex) / 2;
    struct tas_keyset set;
    if (len > TAS_KEYSET_MAX_LEN || tas_hex_decode(bytes, len, hex) != TAS_OK)
        return refuse(why, TAS_E_PROTO, "keyset must be hexadecimal digits, as many as one has");
    int err = tas_keyset_open(expected->crypto, &set, tas_bytes_of(bytes, len), expected->root);
    if (err == TAS_E_PROTO)
        return refuse(why, err, "keyset is not one");
    if (err != TAS_OK)
        return refuse(why, err, "the keyset is not signed by your organisation's root key");
    if (set.sequence < expected->keyset_sequence)
        return refuse(why, TAS_E_AUTH, "the keyset is older than the one that was in force before");
    *out = set;
    return TAS_OK;
}

enum { KEYSET_HEX = 2 * TAS_KEYSET_MAX_LEN };

int api_keyset_read(struct tas_keyset *out, uint8_t bytes[TAS_KEYSET_MAX_LEN], const struct tas_json *json,
                    const struct api_grant_expected *expected, char why[TAS_JSON_WHY]) {
    static const struct tas_json_field fields[] = {{"keyset", TAS_JSON_TEXT, false, 2, KEYSET_HEX, 0}, END};
    char hex[KEYSET_HEX + 1] = {0};
    int err = api_read(json, fields, hex, why);
    return err == TAS_OK ? open_keyset(out, bytes, hex, expected, why) : err;
}

/* ---- form ---- */

struct raw_grant {
    uint64_t session;
    int64_t role, slot, server_ms;
    uint8_t ticket[TAS_SIZE_TICKET], statement[TAS_SIZE_STATEMENT];
    char keyset[KEYSET_HEX + 1];
    const struct tas_json *relays, *peer;
    char peer_name[API_NAME + 1];
};

#define AT(member) offsetof(struct raw_grant, member)
static const struct tas_json_field grant_fields[] = {
    {"session", TAS_JSON_ID, false, 0, 0, AT(session)},
    {"role", TAS_JSON_INT, false, 1, 2, AT(role)},
    {"slot", TAS_JSON_INT, false, 0, 15, AT(slot)},
    {"ticket", TAS_JSON_HEX, false, TAS_SIZE_TICKET, TAS_SIZE_TICKET, AT(ticket)},
    {"statement", TAS_JSON_HEX, false, TAS_SIZE_STATEMENT, TAS_SIZE_STATEMENT, AT(statement)},
    {"keyset", TAS_JSON_TEXT, false, 2, KEYSET_HEX, AT(keyset)},
    {"server_ms", TAS_JSON_INT, false, 0, API_MS_MAX, AT(server_ms)},
    {"relays", TAS_JSON_LIST, false, 1, TAS_RELAYS, AT(relays)},
    {"peer", TAS_JSON_OBJECT, true, 0, 0, AT(peer)},
    END,
};

static int read_relays(struct api_grant *g, const struct tas_json *list, char why[TAS_JSON_WHY]) {
    struct raw_relay {
        int64_t id;
        struct tas_end_relay relay;
    };
    static const struct tas_json_field fields[] = {
        {"id", TAS_JSON_INT, false, 1, UINT32_MAX, offsetof(struct raw_relay, id)},
        {"name", TAS_JSON_TEXT, false, 1, 255, offsetof(struct raw_relay, relay.name)},
        {"address", TAS_JSON_TEXT, false, 1, 263, offsetof(struct raw_relay, relay.address)},
        END,
    };
    for (size_t i = 0; i < tas_json_len(list); i++) {
        struct raw_relay got = {0};
        int err = api_read(tas_json_at(list, i), fields, &got, why);
        if (err != TAS_OK)
            return err;
        got.relay.id = (uint32_t)got.id;
        g->relays[g->n_relays++] = got.relay;
    }
    return TAS_OK;
}

/* ---- what is signed ---- */

/* needs_key: a ticket by a key that is not in the keyset is refused. */
static int check_ticket(const struct api_grant *g, const uint8_t *bytes, const struct tas_crypto *c,
                        uint64_t now_ms, bool needs_key, struct tas_msg_ticket *out, char why[TAS_JSON_WHY]) {
    struct tas_msg_ticket t;
    if (tas_msg_ticket_decode(&t, tas_bytes_of(bytes, TAS_SIZE_TICKET)) != TAS_OK || t.ver != 1)
        return refuse(why, TAS_E_PROTO, "ticket is not one");
    if (t.role != g->role || t.slot != g->slot || t.session_id != g->session_id)
        return refuse(why, TAS_E_AUTH, "the ticket is for another place or session");
    if (memcmp(t.pop_pk, g->pop_pk, sizeof(t.pop_pk)) != 0)
        return refuse(why, TAS_E_AUTH, "the ticket is for another key than ours");
    const struct tas_msg_keyset_key *key = tas_keyset_find(&g->keyset, t.kid, TAS_USE_TICKET, now_ms, 0);
    struct tas_bytes part = tas_bytes_of(bytes, TAS_TICKET_SIGNED);
    if ((!key && needs_key) || (key && tas_verify(c, t.sig, key->pk, "TSK1 ticket", &part, 1) != TAS_OK))
        return refuse(why, TAS_E_AUTH, "the ticket is not signed by a key of the keyset");
    *out = t;
    return TAS_OK;
}

/* Every relay of the ticket has an address, and no other has. */
static int check_relays(const struct api_grant *g, const struct tas_msg_ticket *t, char why[TAS_JSON_WHY]) {
    size_t n = 0;
    for (size_t i = 0; i < TAS_RELAYS; i++) {
        if (t->relay_ids[i] == 0)
            continue;
        if (n >= g->n_relays || g->relays[n].id != t->relay_ids[i])
            return refuse(why, TAS_E_AUTH, "relays are not those of the ticket");
        n++;
    }
    return n == g->n_relays ? TAS_OK : refuse(why, TAS_E_AUTH, "relays are not those of the ticket");
}

static int check_statement(const struct api_grant *g, const uint8_t *bytes, const struct tas_crypto *c,
                           struct tas_msg_statement *out, char why[TAS_JSON_WHY]) {
    struct tas_msg_statement st;
    if (tas_msg_statement_decode(&st, tas_bytes_of(bytes, TAS_SIZE_STATEMENT)) != TAS_OK || st.ver != 1)
        return refuse(why, TAS_E_PROTO, "statement is not one");
    if (st.session_id != g->session_id)
        return refuse(why, TAS_E_AUTH, "the statement is for another session");
    uint64_t now_ms = (uint64_t)g->server_ms;
    if (now_ms >= st.not_after_ms)
        return refuse(why, TAS_E_EXPIRED, "the statement is no longer valid");
    const struct tas_msg_keyset_key *key = tas_keyset_find(&g->keyset, st.kid, TAS_USE_STATEMENT, now_ms, 0);
    struct tas_bytes part = tas_bytes_of(bytes, TAS_STATEMENT_SIGNED);
    if (!key || tas_verify(c, st.sig, key->pk, "TSK1 statement", &part, 1) != TAS_OK)
        return refuse(why, TAS_E_AUTH, "the statement is not signed by a key of the keyset");
    *out = st;
    return TAS_OK;
}

static int copy_text(char out[97], const uint8_t field[96], char why[TAS_JSON_WHY]) {
    struct tas_bytes text;
    if (tas_text_field(&text, field, 96) != TAS_OK)
        return refuse(why, TAS_E_PROTO, "a name in the statement is not plain text");
    memcpy(out, text.ptr, text.len);
    out[text.len] = '\0';
    return TAS_OK;
}

static int check_own_statement(struct api_grant *g, const struct api_grant_expected *expected,
                               char why[TAS_JSON_WHY]) {
    struct tas_msg_statement st;
    int err = check_statement(g, g->statement, expected->crypto, &st, why);
    if (err != TAS_OK)
        return err;
    if (st.role != g->role || st.slot != g->slot || memcmp(st.pop_pk, g->pop_pk, sizeof(st.pop_pk)) != 0)
        return refuse(why, TAS_E_AUTH, "the statement is for another place or key than ours");
    err = copy_text(g->company, st.company, why);
    if (err == TAS_OK && expected->company && strcmp(expected->company, g->company) != 0)
        return refuse(why, TAS_E_AUTH,
                      "the signed statement names another company than the server did before");
    return err;
}

/* Who the other end will be, as far as it is signed. */
static int check_peer(struct api_grant *g, const struct raw_grant *raw, const struct tas_crypto *c,
                      char why[TAS_JSON_WHY]) {
    struct raw_peer {
        char name[API_NAME + 1];
        char statement[2 * TAS_SIZE_STATEMENT + 1];
    };
    static const struct tas_json_field fields[] = {
        {"name", TAS_JSON_TEXT, true, 0, API_NAME, offsetof(struct raw_peer, name)},
        {"statement", TAS_JSON_TEXT, true, 2 * TAS_SIZE_STATEMENT, 2 * TAS_SIZE_STATEMENT,
         offsetof(struct raw_peer, statement)},
        END,
    };
    struct raw_peer peer = {0};
    int err = raw->peer ? api_read(raw->peer, fields, &peer, why) : TAS_OK;
    if (err != TAS_OK)
        return err;
    memcpy(g->peer_name, peer.name, sizeof(peer.name));
    memcpy(g->peer_company, g->company,
           sizeof(g->peer_company)); /* both statements name the session's company */
    if (peer.statement[0] == '\0')
        return TAS_OK;

    uint8_t bytes[TAS_SIZE_STATEMENT];
    struct tas_msg_statement st;
    char name[97];
    if (tas_hex_decode(bytes, sizeof(bytes), peer.statement) != TAS_OK)
        return refuse(why, TAS_E_PROTO, "peer.statement must be hexadecimal digits");
    err = check_statement(g, bytes, c, &st, why);
    if (err == TAS_OK && (st.role == g->role || memcmp(st.pop_pk, g->pop_pk, sizeof(st.pop_pk)) == 0))
        err = refuse(why, TAS_E_AUTH, "the other end's statement is not for the other end");
    if (err == TAS_OK)
        err = copy_text(g->peer_company, st.company, why);
    if (err == TAS_OK)
        err = copy_text(name, st.name, why);
    if (err == TAS_OK && (strcmp(name, peer.name) != 0 || strcmp(g->peer_company, g->company) != 0))
        err = refuse(why, TAS_E_AUTH,
                     "the other end's signed statement names somebody else than the server does");
    g->is_peer_signed = err == TAS_OK;
    return err;
}

static int read_grant(struct api_grant *g, const struct raw_grant *raw,
                      const struct api_grant_expected *expected, char why[TAS_JSON_WHY]) {
    const struct tas_crypto *c = expected->crypto;
    g->session_id = raw->session;
    g->server_ms = raw->server_ms;
    g->role = (enum tas_role)raw->role;
    g->slot = (uint8_t)raw->slot;
    memcpy(g->ticket, raw->ticket, sizeof(g->ticket));
    memcpy(g->statement, raw->statement, sizeof(g->statement));
    memcpy(g->pop_seed, expected->pop_seed, sizeof(g->pop_seed));
    if (g->role != expected->role || (g->role == TAS_ROLE_HOST) != (g->slot == 0))
        return refuse(why, TAS_E_AUTH, "the grant is for the other end");
    if (c->ed25519_public(g->pop_pk, g->pop_seed) != TAS_OK)
        return refuse(why, TAS_E_NOMEM, "out of memory");
    int err = open_keyset(&g->keyset, g->keyset_bytes, raw->keyset, expected, why);
    struct tas_msg_ticket ticket;
    if (err == TAS_OK)
        err = check_ticket(g, g->ticket, c, (uint64_t)g->server_ms, true, &ticket, why);
    if (err == TAS_OK)
        err = read_relays(g, raw->relays, why);
    if (err == TAS_OK)
        err = check_relays(g, &ticket, why);
    if (err == TAS_OK)
        err = check_own_statement(g, expected, why);
    if (err == TAS_OK)
        err = check_peer(g, raw, c, why);
    if (err == TAS_OK) {
        g->ticket_ms = ticket.not_before_ms;
        g->connect_ttl_s = ticket.connect_ttl_s;
    }
    return err;
}

int api_grant_read(struct api_grant *out, const struct tas_json *json,
                   const struct api_grant_expected *expected, char why[TAS_JSON_WHY]) {
    struct raw_grant raw = {0};
    api_grant_fini(out);
    int err = api_read(json, grant_fields, &raw, why);
    if (err == TAS_OK)
        err = read_grant(out, &raw, expected, why);
    if (err != TAS_OK)
        api_grant_fini(out);
    return err;
}

void api_grant_fini(struct api_grant *grant) {
    tas_wipe(grant, sizeof(*grant));
}

void api_grant_config(struct tas_end_config *out, struct api_grant *grant, const struct tas_crypto *crypto,
                      const struct tas_secret_mem *mem, struct tas_random_source random, struct tas_tls *tls,
                      uint64_t server_ms) {
    *out = (struct tas_end_config){
        .session = {.crypto = crypto,
                    .mem = mem,
                    .random = random,
                    .identity = {.role = grant->role, .slot = grant->slot},
                    .keyset = &grant->keyset,
                    .server_ms = server_ms},
        .n_relays = grant->n_relays,
        .tls = tls,
    };
    struct tas_identity *id = &out->session.identity;
    memcpy(id->pop_seed, grant->pop_seed, sizeof(id->pop_seed));
    memcpy(id->pop_pk, grant->pop_pk, sizeof(id->pop_pk));
    memcpy(id->statement, grant->statement, sizeof(id->statement));
    memcpy(out->session.ticket, grant->ticket, sizeof(out->session.ticket));
    memcpy(out->relays, grant->relays, sizeof(out->relays));
}

int api_grant_renew(struct api_grant *grant, const struct tas_json *json, const struct tas_crypto *crypto,
                    char why[TAS_JSON_WHY]) {
    struct raw_ticket {
        uint8_t ticket[TAS_SIZE_TICKET];
        int64_t server_ms;
    };
    static const struct tas_json_field fields[] = {
        {"ticket", TAS_JSON_HEX, false, TAS_SIZE_TICKET, TAS_SIZE_TICKET,
         offsetof(struct raw_ticket, ticket)},
        {"server_ms", TAS_JSON_INT, false, 0, API_MS_MAX, offsetof(struct raw_ticket, server_ms)},
        END,
    };
    struct raw_ticket raw = {0};
    struct tas_msg_ticket t;
    int err = api_read(json, fields, &raw, why);
    /* Keys may have been exchanged since we got our keyset; the relay, which has the new one, decides. */
    if (err == TAS_OK)
        err = check_ticket(grant, raw.ticket, crypto, (uint64_t)raw.server_ms, false, &t, why);
    if (err != TAS_OK)
        return err;
    memcpy(grant->ticket, raw.ticket, sizeof(grant->ticket));
    grant->ticket_ms = t.not_before_ms;
    grant->connect_ttl_s = t.connect_ttl_s;
    return TAS_OK;
}
