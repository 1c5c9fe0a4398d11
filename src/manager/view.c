/* Sessions and claims as tools see them. */
#include "manager/manager.h"

#include <stdio.h>
#include <stdlib.h>

static void set_time(struct tas_json *json, const char *name, int64_t at) {
    if (at)
        tas_json_set_int(json, name, at);
}
static void set_text(struct tas_json *json, const char *name, const char *text) {
    if (text[0])
        tas_json_set_text(json, name, text);
}

static struct tas_json *waiting_json(const struct store_claim *c) {
    struct tas_json *json = tas_json_object();
    tas_json_set_id(json, "id", c->id);
    tas_json_set_text(json, "state", c->state);
    tas_json_set_text(json, "host_name", c->host_name);
    tas_json_set_text(json, "os", c->os);
    tas_json_set_text(json, "tool_version", c->tool_version);
    tas_json_set_text(json, "language", c->language);
    tas_json_set_text(json, "address", c->address);
    tas_json_set_int(json, "claimed_at", c->claimed_at);
    return json;
}

static struct tas_json *claims_json(struct tas_db *db, const struct store_session *s, int *err) {
    struct store_claim *claims = NULL;
    size_t n = 0;
    struct tas_json *list = tas_json_list();
    if (s->joined_at)
        *err = store_claim_list(db, s->id, &claims, &n);
    for (size_t i = 0; i < n; i++)
        if (strcmp(claims[i].state, "choosing") != 0)
            tas_json_add(list, waiting_json(&claims[i]));
    free(claims);
    return list;
}

/* Whole seconds of each part of a session, up to now or to its end. */
static void set_seconds(struct tas_json *json, const struct store_session *s) {
    int64_t end = s->ended_at ? s->ended_at : mgr_now();
    int64_t answered = s->answered_at ? s->answered_at : end;
    int64_t pause = s->paused_at ? end - s->paused_at : 0;
    int64_t held = s->ms_held + (strcmp(s->state, "held") == 0 ? pause : 0);
    int64_t gone = s->ms_reconnecting + (strcmp(s->state, "reconnecting") == 0 ? pause : 0);
    int64_t active = s->answered_at ? end - s->answered_at - held - gone : 0;
    tas_json_set_int(json, "seconds_waiting", s->joined_at ? (answered - s->joined_at) / 1000 : 0);
    tas_json_set_int(json, "seconds_active", active > 0 ? active / 1000 : 0);
    tas_json_set_int(json, "seconds_held", held / 1000);
    tas_json_set_int(json, "seconds_reconnecting", gone / 1000);
}

static void set_number(struct mgr *m, struct tas_json *json, const struct store_session *s) {
    char number[10];
    bool is_live = strcmp(s->state, "issued") == 0 || strcmp(s->state, "waiting") == 0;
    if (is_live && s->has_number && mgr_number_open(m, number, s->id, s->number_sealed) == TAS_OK)
        tas_json_set_text(json, "number", number);
    else
        tas_json_set_null(json, "number");
    tas_json_set_text(json, "number_last3", s->number_last3);
}

struct tas_json *mgr_session_json(struct mgr *m, struct tas_db *db, const struct store_session *s, int *err) {
    struct tas_json *json = tas_json_object();
    *err = TAS_OK;
    tas_json_set_id(json, "id", s->id);
    tas_json_set_text(json, "state", s->state);
    set_number(m, json, s);
    tas_json_set_int(json, "issued_at", s->issued_at);
    tas_json_set_int(json, "expires_at", s->expires_at);
    set_time(json, "joined_at", s->joined_at);
    set_time(json, "answered_at", s->answered_at);
    set_time(json, "ended_at", s->ended_at);
    set_text(json, "end_reason", s->end_reason);
    set_text(json, "end_text", s->end_text);
    set_text(json, "result", s->result);
    set_text(json, "note", s->note);
    set_text(json, "customer", s->customer);
    set_text(json, "reason", s->reason);
    set_text(json, "ticket_no", s->ticket_no);
    tas_json_set_text(json, "operator", s->operator_name);
    set_text(json, "region", s->region);
    tas_json_set_bool(json, "is_verified", s->is_verified);
    set_seconds(json, s);
    tas_json_set(json, "claims", claims_json(db, s, err));
    tas_json_set_id(json, "rev", s->rev);
    return json;
}

const char *mgr_claim_state(const struct store_claim *c, const struct store_session *s) {
    bool is_open = strcmp(c->state, "choosing") == 0 || strcmp(c->state, "pending") == 0 ||
                   strcmp(c->state, "answered") == 0;
    return is_open && strcmp(s->state, "ended") == 0 ? "over" : c->state;
}

struct tas_json *mgr_claim_json(struct mgr *m, struct tas_db *db, const struct store_claim *c, int *err) {
    struct store_session s;
    struct store_company company;
    *err = store_session_get(db, c->session_id, &s);
    if (*err == TAS_OK)
        *err = store_company_by_id(db, c->company_id, &company);
    if (*err != TAS_OK)
        return NULL;
    const char *state = mgr_claim_state(c, &s);
    struct tas_json *json = tas_json_object();
    tas_json_set_id(json, "id", c->id);
    tas_json_set_text(json, "state", state);
    tas_json_set_text(json, "company", company.name);
    tas_json_set_int(json, "server_ms", mgr_now());
    if (strcmp(state, "answered") == 0) {
        char name[MGR_NAME + 1];
        mgr_host_name(name, &s, c);
        tas_json_set_text(json, "operator", s.operator_name);
        tas_json_set(json, "grant", mgr_grant_json(m, db, &s, &company, name, MGR_HOST, err));
    } else {
        tas_json_set_null(json, "operator");
        tas_json_set_null(json, "grant");
    }
    return json;
}
