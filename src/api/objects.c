#include "api/objects.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { TERMS_MAX = 256 * 1024 };

#define TEXT(type, member, least, most, optional)                                                            \
    { #member, TAS_JSON_TEXT, optional, least, most, offsetof(struct type, member) }
#define TEXT_AS(type, name, member, least, most, optional)                                                   \
    { name, TAS_JSON_TEXT, optional, least, most, offsetof(struct type, member) }
#define TIME(type, member, optional)                                                                         \
    { #member, TAS_JSON_INT, optional, 0, API_MS_MAX, offsetof(struct type, member) }
#define INT(type, member, least, most)                                                                       \
    { #member, TAS_JSON_INT, false, least, most, offsetof(struct type, member) }
#define ID_AS(type, name, member)                                                                            \
    { name, TAS_JSON_ID, false, 0, 0, offsetof(struct type, member) }
#define END                                                                                                  \
    { NULL, TAS_JSON_TEXT, false, 0, 0, 0 }

int api_read(const struct tas_json *json, const struct tas_json_field *fields, void *out,
             char why[TAS_JSON_WHY]) {
    struct tas_json *known = tas_json_object();
    if (!known) {
        snprintf(why, TAS_JSON_WHY, "out of memory");
        return TAS_E_NOMEM;
    }
    for (const struct tas_json_field *f = fields; f->name; f++) {
        const struct tas_json *value = tas_json_get(json, f->name);
        if (value)
            tas_json_set(known, f->name, tas_json_copy(value));
    }
    int err = tas_json_read(known, fields, out, why);
    tas_json_free(known);
    return err;
}

/* ---- words ---- */

static const char *const session_words[] = {
#define X(name, word) #word,
    API_SESSION_STATES(X)
#undef X
};
static const char *const claim_words[] = {
#define X(name, word) #word,
    API_CLAIM_STATES(X)
#undef X
};

const char *api_session_state_word(enum api_session_state state) {
    return session_words[state];
}
const char *api_claim_state_word(enum api_claim_state state) {
    return claim_words[state];
}

/* The place of `word` in a list of words; -1: not there, and `why` says so. */
static int word_at(const char *const *words, size_t n, const char *word, char why[TAS_JSON_WHY]) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(words[i], word) == 0)
            return (int)i;
    snprintf(why, TAS_JSON_WHY, "the state \"%s\" is not known here", word);
    return -1;
}

/* A list's member that is itself read: says which one was wrong. */
static int wrong_in(const char *list, size_t i, int err, char why[TAS_JSON_WHY]) {
    char inner[TAS_JSON_WHY];
    memcpy(inner, why, sizeof(inner));
    snprintf(why, TAS_JSON_WHY, "%s[%zu]: %.200s", list, i, inner);
    return err;
}

/* ---- open routes ---- */

int api_server_read(struct api_server *out, const struct tas_json *json, char why[TAS_JSON_WHY]) {
    static const struct tas_json_field fields[] = {
        TIME(api_server, server_ms, false),
        TEXT(api_server, version, 0, API_WORD, false),
        TEXT(api_server, min_tool_version, 0, API_WORD, true),
        TEXT(api_server, organisation, 0, API_NAME, true),
        END,
    };
    struct api_server got = {0};
    int err = api_read(json, fields, &got, why);
    if (err == TAS_OK)
        *out = got;
    return err;
}

int api_relays_read(struct api_relays *out, const struct tas_json *json, char why[TAS_JSON_WHY]) {
    static const struct tas_json_field outer[] = {{"relays", TAS_JSON_LIST, false, 0, 256, 0}, END};
    static const struct tas_json_field fields[] = {
        INT(api_relay, id, 1, UINT32_MAX),
        TEXT(api_relay, name, 1, sizeof(((struct api_relay *)0)->name) - 1, false),
        TEXT(api_relay, address, 1, sizeof(((struct api_relay *)0)->address) - 1, false),
        TEXT(api_relay, region, 0, API_WORD, true),
        END,
    };
    const struct tas_json *list = NULL;
    struct api_relays got = {0};
    int err = api_read(json, outer, &list, why);
    for (size_t i = 0; err == TAS_OK && i < tas_json_len(list) && got.n < API_RELAYS; i++) {
        err = api_read(tas_json_at(list, i), fields, &got.list[got.n], why);
        if (err != TAS_OK)
            return wrong_in("relays", i, err, why);
        got.n++;
    }
    if (err == TAS_OK)
        *out = got;
    return err;
}

void api_terms_fini(struct api_terms *terms) {
    free(terms->ja);
    free(terms->en);
    terms->ja = NULL;
    terms->en = NULL;
}

static int read_lines(const struct tas_json *json, const char *name, char **out, char why[TAS_JSON_WHY]) {
    const struct tas_json_field fields[] = {{name, TAS_JSON_LINES, false, 0, TERMS_MAX, 0}, END};
    char *text = calloc(1, TERMS_MAX + 1);
    int err = text ? api_read(json, fields, text, why) : TAS_E_NOMEM;
    if (err == TAS_OK) {
        *out = strdup(text);
        err = *out ? TAS_OK : TAS_E_NOMEM;
    }
    free(text);
    return err;
}

int api_terms_read(struct api_terms *out, const struct tas_json *json, char why[TAS_JSON_WHY]) {
    static const struct tas_json_field fields[] = {TEXT(api_terms, version, 1, API_WORD, false), END};
    struct api_terms got = {0};
    int err = api_read(json, fields, &got, why);
    if (err == TAS_OK)
        err = read_lines(json, "ja", &got.ja, why);
    if (err == TAS_OK)
        err = read_lines(json, "en", &got.en, why);
    if (err == TAS_OK)
        *out = got;
    else
        api_terms_fini(&got);
    return err;
}

int api_nonce_read(struct api_nonce *out, const struct tas_json *json, char why[TAS_JSON_WHY]) {
    static const struct tas_json_field fields[] = {
        {"nonce", TAS_JSON_HEX, false, API_NONCE, API_NONCE, offsetof(struct api_nonce, nonce)},
        TIME(api_nonce, server_ms, false),
        INT(api_nonce, pow_bits, 0, 32),
        END,
    };
    struct api_nonce got = {0};
    int err = api_read(json, fields, &got, why);
    if (err == TAS_OK)
        *out = got;
    return err;
}

/* ---- login ---- */

static int check_token(const char *token, char kind, char why[TAS_JSON_WHY]) {
    if (token[0] == kind && api_token_is_sound(token))
        return TAS_OK;
    snprintf(why, TAS_JSON_WHY, "token is not one");
    return TAS_E_PROTO;
}

int api_login_read(struct api_login *out, const struct tas_json *json, char why[TAS_JSON_WHY]) {
    struct outer {
        struct api_login login;
        const struct tas_json *company, *operator_;
    };
    static const struct tas_json_field fields[] = {
        TEXT_AS(outer, "token", login.token, API_TOKEN, API_TOKEN, false),
        {"expires_at", TAS_JSON_INT, false, 0, API_MS_MAX, offsetof(struct outer, login.expires_at)},
        {"server_ms", TAS_JSON_INT, false, 0, API_MS_MAX, offsetof(struct outer, login.server_ms)},
        {"company", TAS_JSON_OBJECT, false, 0, 0, offsetof(struct outer, company)},
        {"operator", TAS_JSON_OBJECT, false, 0, 0, offsetof(struct outer, operator_)},
        END,
    };
    static const struct tas_json_field company_fields[] = {
        TEXT_AS(api_login, "code", company_code, 1, API_WORD, false),
        TEXT_AS(api_login, "name", company_name, 1, API_NAME, false),
        {"id", TAS_JSON_INT, false, 0, UINT32_MAX, offsetof(struct api_login, company_id)},
        END,
    };
    static const struct tas_json_field operator_fields[] = {
        ID_AS(api_login, "id", operator_id),
        TEXT_AS(api_login, "login", operator_login, 1, API_NAME, false),
        TEXT_AS(api_login, "name", operator_name, 1, API_NAME, false),
        END,
    };
    struct outer got = {0};
    int err = api_read(json, fields, &got, why);
    if (err == TAS_OK)
        err = check_token(got.login.token, 'o', why);
    if (err == TAS_OK)
        err = api_read(got.company, company_fields, &got.login, why);
    if (err == TAS_OK)
        err = api_read(got.operator_, operator_fields, &got.login, why);
    if (err == TAS_OK)
        *out = got.login;
    tas_wipe(&got, sizeof(got));
    return err;
}

/* ---- sessions ---- */

static int read_claim_state(enum api_claim_state *out, const char *word, char why[TAS_JSON_WHY]) {
    int state = word_at(claim_words, sizeof(claim_words) / sizeof(*claim_words), word, why);
    if (state < 0)
        return TAS_E_PROTO;
    *out = (enum api_claim_state)state;
    return TAS_OK;
}

static int read_visitor(struct api_visitor *out, const struct tas_json *json, char why[TAS_JSON_WHY]) {
    struct outer {
        struct api_visitor visitor;
        char state[API_WORD + 1];
    };
    static const struct tas_json_field fields[] = {
        ID_AS(outer, "id", visitor.id),
        TEXT_AS(outer, "host_name", visitor.host_name, 0, API_NAME, true),
        TEXT_AS(outer, "os", visitor.os, 0, API_NAME, true),
        TEXT_AS(outer, "tool_version", visitor.tool_version, 0, API_WORD, true),
        TEXT_AS(outer, "language", visitor.language, 0, API_WORD, true),
        TEXT_AS(outer, "address", visitor.address, 0, API_ADDRESS, true),
        {"claimed_at", TAS_JSON_INT, false, 0, API_MS_MAX, offsetof(struct outer, visitor.claimed_at)},
        TEXT(outer, state, 1, API_WORD, false),
        END,
    };
    struct outer got = {0};
    int err = api_read(json, fields, &got, why);
    if (err == TAS_OK)
        err = read_claim_state(&got.visitor.state, got.state, why);
    if (err == TAS_OK)
        *out = got.visitor;
    return err;
}

struct raw_session {
    struct api_session s;
    char state[API_WORD + 1];
    const struct tas_json *claims;
};

static const struct tas_json_field session_fields[] = {
    ID_AS(raw_session, "id", s.id),
    {"rev", TAS_JSON_ID, true, 0, 0, offsetof(struct raw_session, s.rev)},
    TEXT(raw_session, state, 1, API_WORD, false),
    TEXT_AS(raw_session, "number", s.number, API_NUMBER, API_NUMBER, true),
    TEXT_AS(raw_session, "number_last3", s.number_last3, 0, 3, true),
    {"issued_at", TAS_JSON_INT, false, 0, API_MS_MAX, offsetof(struct raw_session, s.issued_at)},
    {"expires_at", TAS_JSON_INT, true, 0, API_MS_MAX, offsetof(struct raw_session, s.expires_at)},
    {"joined_at", TAS_JSON_INT, true, 0, API_MS_MAX, offsetof(struct raw_session, s.joined_at)},
    {"answered_at", TAS_JSON_INT, true, 0, API_MS_MAX, offsetof(struct raw_session, s.answered_at)},
    {"ended_at", TAS_JSON_INT, true, 0, API_MS_MAX, offsetof(struct raw_session, s.ended_at)},
    TEXT_AS(raw_session, "end_reason", s.end_reason, 0, API_WORD, true),
    TEXT_AS(raw_session, "result", s.result, 0, API_WORD, true),
    {"note", TAS_JSON_LINES, true, 0, API_NOTE, offsetof(struct raw_session, s.note)},
    TEXT_AS(raw_session, "customer", s.customer, 0, API_NAME, true),
    {"reason", TAS_JSON_LINES, true, 0, API_TEXT, offsetof(struct raw_session, s.reason)},
    TEXT_AS(raw_session, "ticket_no", s.ticket_no, 0, API_TEXT, true),
    TEXT_AS(raw_session, "operator", s.operator_name, 0, API_NAME, true),
    {"claims", TAS_JSON_LIST, true, 0, 256, offsetof(struct raw_session, claims)},
    {"seconds_waiting", TAS_JSON_INT, true, 0, INT32_MAX, offsetof(struct raw_session, s.seconds_waiting)},
    {"seconds_active", TAS_JSON_INT, true, 0, INT32_MAX, offsetof(struct raw_session, s.seconds_active)},
    {"seconds_reconnecting", TAS_JSON_INT, true, 0, INT32_MAX,
     offsetof(struct raw_session, s.seconds_reconnecting)},
    END,
};

static int read_session(struct raw_session *got, const struct tas_json *json, char why[TAS_JSON_WHY]) {
    struct api_session *s = &got->s;
    int err = api_read(json, session_fields, got, why);
    if (err != TAS_OK)
        return err;
    int state = word_at(session_words, sizeof(session_words) / sizeof(*session_words), got->state, why);
    if (state < 0)
        return TAS_E_PROTO;
    s->state = (enum api_session_state)state;
    if (strspn(s->number, "0123456789") != strlen(s->number)) {
        snprintf(why, TAS_JSON_WHY, "number must be digits");
        return TAS_E_PROTO;
    }
    /* Those that came last stand last: of too many the last are kept. */
    size_t n = tas_json_len(got->claims);
    for (size_t i = n > API_CLAIMS ? n - API_CLAIMS : 0; i < n; i++) {
        err = read_visitor(&s->visitors[s->n_visitors], tas_json_at(got->claims, i), why);
        if (err != TAS_OK)
            return wrong_in("claims", i, err, why);
        s->n_visitors++;
    }
    return TAS_OK;
}

int api_session_read(struct api_session *out, const struct tas_json *json, char why[TAS_JSON_WHY]) {
    struct raw_session *got = calloc(1, sizeof(*got)); /* too large for the stack of a small thread */
    if (!got) {
        snprintf(why, TAS_JSON_WHY, "out of memory");
        return TAS_E_NOMEM;
    }
    int err = read_session(got, json, why);
    if (err == TAS_OK)
        *out = got->s;
    free(got);
    return err;
}

void api_page_fini(struct api_page *page) {
    free(page->list);
    *page = (struct api_page){0};
}

int api_page_read(struct api_page *out, const struct tas_json *json, char why[TAS_JSON_WHY]) {
    struct outer {
        const struct tas_json *sessions;
        uint64_t next;
    };
    static const struct tas_json_field fields[] = {
        {"sessions", TAS_JSON_LIST, false, 0, API_LIST, offsetof(struct outer, sessions)},
        {"next", TAS_JSON_ID, true, 0, 0, offsetof(struct outer, next)},
        END,
    };
    struct outer raw = {0};
    int err = api_read(json, fields, &raw, why);
    if (err != TAS_OK)
        return err;
    struct api_page got = {.next = raw.next, .n = tas_json_len(raw.sessions)};
    got.list = calloc(got.n + 1, sizeof(*got.list));
    err = got.list ? TAS_OK : TAS_E_NOMEM;
    for (size_t i = 0; err == TAS_OK && i < got.n; i++) {
        err = api_session_read(&got.list[i], tas_json_at(raw.sessions, i), why);
        if (err != TAS_OK)
            wrong_in("sessions", i, err, why);
    }
    if (err == TAS_OK)
        *out = got;
    else
        api_page_fini(&got);
    return err;
}

/* ---- claims ---- */

int api_place_read(struct api_place *out, const struct tas_json *json, char why[TAS_JSON_WHY]) {
    static const struct tas_json_field fields[] = {
        ID_AS(api_place, "claim", claim),
        TEXT(api_place, token, API_TOKEN, API_TOKEN, false),
        TEXT(api_place, company, 1, API_NAME, false),
        TIME(api_place, server_ms, false),
        TIME(api_place, expires_at, true),
        END,
    };
    struct api_place got = {0};
    int err = api_read(json, fields, &got, why);
    if (err == TAS_OK)
        err = check_token(got.token, 'c', why);
    if (err == TAS_OK)
        *out = got;
    tas_wipe(&got, sizeof(got));
    return err;
}

int api_claim_read(struct api_claim *out, const struct tas_json *json, char why[TAS_JSON_WHY]) {
    struct outer {
        struct api_claim claim;
        char state[API_WORD + 1];
    };
    static const struct tas_json_field fields[] = {
        ID_AS(outer, "id", claim.id),
        TEXT(outer, state, 1, API_WORD, false),
        TEXT_AS(outer, "company", claim.company, 1, API_NAME, false),
        TEXT_AS(outer, "operator", claim.operator_name, 0, API_NAME, true),
        {"grant", TAS_JSON_OBJECT, true, 0, 0, offsetof(struct outer, claim.grant)},
        {"server_ms", TAS_JSON_INT, true, 0, API_MS_MAX, offsetof(struct outer, claim.server_ms)},
        END,
    };
    struct outer got = {0};
    int err = api_read(json, fields, &got, why);
    if (err == TAS_OK)
        err = read_claim_state(&got.claim.state, got.state, why);
    if (err == TAS_OK)
        *out = got.claim;
    return err;
}
