/* Renewal of tickets: an end of a session that goes on gets a fresh one, of the same role, slot and key. */
#include "manager/manager.h"

#include <stddef.h>

struct renew_body {
    uint64_t session;
    int64_t role, slot;
    uint8_t nonce[MGR_NONCE], sig[64];
};

#define FIELD(name, kind, optional, min, max)                                                                \
    { #name, kind, optional, min, max, offsetof(struct renew_body, name) }
static const struct tas_json_field renew_fields[] = {
    FIELD(session, TAS_JSON_ID, false, 0, 0), FIELD(role, TAS_JSON_INT, false, 1, 2),
    FIELD(slot, TAS_JSON_INT, false, 0, 15),  FIELD(nonce, TAS_JSON_HEX, false, 0, MGR_NONCE),
    FIELD(sig, TAS_JSON_HEX, false, 0, 64),   {0},
};
#undef FIELD

struct renewing {
    struct renew_body body;
    struct store_session session;
    struct store_company company;
    struct store_operator op;
};

static int look_renew(struct tas_db *db, void *ctx) {
    struct renewing *r = ctx;
    int err = store_session_get(db, r->body.session, &r->session);
    if (err == TAS_OK)
        err = store_company_by_id(db, r->session.company_id, &r->company);
    return err != TAS_OK ? err : store_operator_by_id(db, r->session.operator_id, &r->op);
}

static int see(struct tas_db *db, void *ctx) {
    const struct renewing *r = ctx;
    return store_session_seen(db, r->body.session, mgr_now());
}

/* Same role, slot and key as the ticket before, and nothing has happened that ends the session. */
static bool may_renew(struct mgr *m, const struct renewing *r) {
    const struct renew_body *b = &r->body;
    bool is_host = b->role == MGR_HOST;
    uint8_t said[10];
    struct tas_writer w = tas_writer_of(said, sizeof(said));
    tas_write_u64(&w, b->session);
    tas_write_u8(&w, (uint8_t)b->role);
    tas_write_u8(&w, (uint8_t)b->slot);
    const struct tas_bytes parts[] = {tas_bytes_of(said, sizeof(said)), tas_bytes_of(b->nonce, MGR_NONCE)};
    return b->slot == (is_host ? 0 : 1) && r->session.answered_at != 0 &&
           strcmp(r->session.state, "ended") != 0 && !r->company.is_frozen && !r->op.is_disabled &&
           tas_verify(m->crypto, b->sig, is_host ? r->session.host_pk : r->session.viewer_pk, "TSK1 renew",
                      parts, 2) == TAS_OK;
}

static void on_renew(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    struct mgr *m = ctx;
    struct renewing r = {0};
    uint8_t ticket[TAS_SIZE_TICKET];
    struct tas_db *db = mgr_db(m, req, reply);
    if (!db || !mgr_read_body(req, reply, renew_fields, &r.body, NULL))
        return;
    if (mgr_nonce_check(m, r.body.nonce, mgr_now()) != TAS_OK) {
        tas_http_problem(reply, 400, "nonce_old", "the nonce is too old or not ours; ask for another");
        return;
    }
    int err = tas_db_read(db, look_renew, &r);
    if (err == TAS_E_ABSENT || (err == TAS_OK && !may_renew(m, &r))) {
        tas_http_problem(reply, 403, "session_over", "this session is over, or it is not yours");
        return;
    }
    if (err == TAS_OK)
        err = mgr_transaction(m, db, see, &r); /* a sign of life, now that it is known to be theirs */
    if (err == TAS_OK)
        err = mgr_ticket(m, &r.session, (enum mgr_side)r.body.role, ticket);
    if (err != TAS_OK) {
        mgr_fail(m, reply, err, "");
        return;
    }
    struct tas_json *json = tas_json_object();
    tas_json_set_hex(json, "ticket", tas_bytes_of(ticket, sizeof(ticket)));
    tas_json_set_int(json, "server_ms", mgr_now());
    tas_http_json(reply, 200, json);
}

const struct tas_http_route mgr_renew_routes[] = {
    {.method = "POST",
     .path = "/v1/renew",
     .lane = MGR_LANE_STORE,
     .body_max = 1024,
     .fn = on_renew,
     .gate = mgr_throttle_gate},
    {0},
};
