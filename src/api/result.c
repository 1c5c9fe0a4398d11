#include "api/client_private.h"

#include <stdlib.h>

struct api_parsed {
    enum api_gives gives;
    union {
        struct api_server server;
        struct api_relays relays;
        struct api_terms terms;
        struct api_nonce nonce;
        struct api_login login;
        struct api_session session;
        struct api_page page;
        struct api_place place;
        struct api_claim claim;
    };
};

static int parse(struct api_parsed *p, struct api_result *r, const struct tas_json *json,
                 char why[TAS_JSON_WHY]) {
    switch (p->gives) {
    case API_GIVES_SERVER:
        r->server = &p->server;
        return api_server_read(&p->server, json, why);
    case API_GIVES_RELAYS:
        r->relays = &p->relays;
        return api_relays_read(&p->relays, json, why);
    case API_GIVES_TERMS:
        r->terms = &p->terms;
        return api_terms_read(&p->terms, json, why);
    case API_GIVES_NONCE:
        r->nonce = &p->nonce;
        return api_nonce_read(&p->nonce, json, why);
    case API_GIVES_LOGIN:
        r->login = &p->login;
        return api_login_read(&p->login, json, why);
    case API_GIVES_SESSION:
        r->session = &p->session;
        return api_session_read(&p->session, json, why);
    case API_GIVES_PAGE:
        r->page = &p->page;
        return api_page_read(&p->page, json, why);
    case API_GIVES_PLACE:
        r->place = &p->place;
        return api_place_read(&p->place, json, why);
    case API_GIVES_CLAIM:
        r->claim = &p->claim;
        return api_claim_read(&p->claim, json, why);
    case API_GIVES_ANSWER:
        r->session = &p->session;
        r->grant = tas_json_get(json, "grant");
        return api_session_read(&p->session, tas_json_get(json, "session"), why);
    case API_GIVES_NOTHING:
        break;
    }
    return TAS_OK;
}

struct api_parsed *api_parse(struct api_result *result, enum api_gives gives, const struct tas_json *json) {
    *result = (struct api_result){.error = {.retry_after_s = -1}, .json = json};
    struct api_parsed *p = calloc(1, sizeof(*p));
    char why[TAS_JSON_WHY] = "";
    if (!p) {
        api_error_of_transport(&result->error, TAS_E_NOMEM, NULL);
        return NULL;
    }
    p->gives = gives;
    int err = gives != API_GIVES_NOTHING && !json ? TAS_E_PROTO : parse(p, result, json, why);
    if (err == TAS_OK)
        return p;
    *result = (struct api_result){.json = json};
    if (err == TAS_E_NOMEM)
        api_error_of_transport(&result->error, err, NULL);
    else
        api_error_set(&result->error, err, 200, "bad_answer", "the server's answer makes no sense: %s",
                      json ? why : "it is not JSON");
    return p;
}

void api_parsed_free(struct api_parsed *parsed) {
    if (!parsed)
        return;
    if (parsed->gives == API_GIVES_TERMS)
        api_terms_fini(&parsed->terms);
    if (parsed->gives == API_GIVES_PAGE)
        api_page_fini(&parsed->page);
    tas_wipe(parsed, sizeof(*parsed)); /* tokens */
    free(parsed);
}
