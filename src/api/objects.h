/* What a management server says, as structs. Its answers are hostile until they are in one of these: every
 * text is bounded plain UTF-8 (notes may have lines), every number in its range, every list of a known
 * length. Members that are not known here are passed over: a newer server may say more. Pure: no I/O, no
 * clock. */
#pragma once

#include "api/sign.h"
#include "base/json.h"
#include "base/wipe.h"
#include "wire/signed.h"

enum {
    API_NAME = 384,  /* bytes of a name: 96 characters of four */
    API_TEXT = 1024, /* a reason, a ticket's number, a machine's description */
    API_NOTE = 8192,
    API_WORD = 32, /* "en", "solved" */
    API_ADDRESS = 64,
    API_RELAYS = 16,
    API_CLAIMS = 16,
    API_LIST = 100,
};

#define API_MS_MAX INT64_C(253402300799999) /* the end of the year 9999 */

struct api_server {
    int64_t server_ms;
    char version[API_WORD + 1], min_tool_version[API_WORD + 1], organisation[API_NAME + 1];
};

struct api_relay {
    int64_t id;
    char name[256];    /* what its certificate says */
    char address[264]; /* host:port */
    char region[API_WORD + 1];
};
struct api_relays {
    size_t n;
    struct api_relay list[API_RELAYS];
};

struct api_terms {
    char version[API_WORD + 1];
    char *ja, *en; /* owned */
};
void api_terms_fini(struct api_terms *terms);

struct api_nonce {
    uint8_t nonce[API_NONCE];
    int64_t server_ms, pow_bits;
};

struct api_login {
    char token[API_TOKEN + 1];
    int64_t expires_at, server_ms;
    int64_t company_id;
    char company_code[API_WORD + 1], company_name[API_NAME + 1];
    uint64_t operator_id;
    char operator_login[API_NAME + 1], operator_name[API_NAME + 1];
};

/* clang-format off */
#define API_SESSION_STATES(X) X(ISSUED, issued) X(WAITING, waiting) X(ACTIVE, active) X(RECONNECTING, reconnecting) \
    X(HELD, held) X(ENDED, ended)
#define API_CLAIM_STATES(X) X(CHOOSING, choosing) X(PENDING, pending) X(ANSWERED, answered) X(REFUSED, refused) \
    X(WITHDRAWN, withdrawn) X(REPLACED, replaced) X(OVER, over)
/* clang-format on */
enum api_session_state {
#define X(name, word) API_SESSION_##name,
    API_SESSION_STATES(X)
#undef X
};
enum api_claim_state {
#define X(name, word) API_CLAIM_##name,
    API_CLAIM_STATES(X)
#undef X
};
const char *api_session_state_word(enum api_session_state state); /* "issued"; static */
const char *api_claim_state_word(enum api_claim_state state);

/* A customer who typed the session's number, as the operator sees them. All of it is their own word. */
struct api_visitor {
    uint64_t id;
    char host_name[API_NAME + 1], os[API_NAME + 1], tool_version[API_WORD + 1], language[API_WORD + 1];
    char address[API_ADDRESS + 1];
    int64_t claimed_at;
    enum api_claim_state state;
};

struct api_session {
    uint64_t id, rev;
    enum api_session_state state;
    char number[API_NUMBER + 1]; /* "" once it is used up */
    char number_last3[4];
    int64_t issued_at, expires_at, joined_at, answered_at, ended_at; /* 0: not yet */
    char end_reason[API_WORD + 1], result[API_WORD + 1], note[API_NOTE + 1];
    char customer[API_NAME + 1], reason[API_TEXT + 1], ticket_no[API_TEXT + 1], operator_name[API_NAME + 1];
    size_t n_visitors;
    struct api_visitor visitors[API_CLAIMS];
    int64_t seconds_waiting, seconds_active, seconds_reconnecting;
};

/* A page of sessions; the next one starts before `next` (0: that was the last). */
struct api_page {
    uint64_t next;
    size_t n;
    struct api_session *list; /* owned */
};
void api_page_fini(struct api_page *page);

/* A customer's place in the queue. `grant` is borrowed from the parsed answer (NULL until it is answered);
 * api/grant.h reads it. */
struct api_claim {
    uint64_t id;
    enum api_claim_state state;
    char company[API_NAME + 1], operator_name[API_NAME + 1];
    int64_t server_ms;
    const struct tas_json *grant;
};

/* What the first answer to a claim says. */
struct api_place {
    uint64_t claim;
    char token[API_TOKEN + 1], company[API_NAME + 1];
    int64_t server_ms, expires_at;
};

/* All of these: TAS_OK, TAS_E_NOMEM, or TAS_E_PROTO and `why` names the member; `out` is then untouched. */
TAS_MUST_USE int api_server_read(struct api_server *out, const struct tas_json *json, char why[TAS_JSON_WHY]);
TAS_MUST_USE int api_relays_read(struct api_relays *out, const struct tas_json *json, char why[TAS_JSON_WHY]);
TAS_MUST_USE int api_terms_read(struct api_terms *out, const struct tas_json *json, char why[TAS_JSON_WHY]);
TAS_MUST_USE int api_nonce_read(struct api_nonce *out, const struct tas_json *json, char why[TAS_JSON_WHY]);
TAS_MUST_USE int api_login_read(struct api_login *out, const struct tas_json *json, char why[TAS_JSON_WHY]);
TAS_MUST_USE int api_session_read(struct api_session *out, const struct tas_json *json,
                                  char why[TAS_JSON_WHY]);
TAS_MUST_USE int api_page_read(struct api_page *out, const struct tas_json *json, char why[TAS_JSON_WHY]);
TAS_MUST_USE int api_place_read(struct api_place *out, const struct tas_json *json, char why[TAS_JSON_WHY]);
TAS_MUST_USE int api_claim_read(struct api_claim *out, const struct tas_json *json, char why[TAS_JSON_WHY]);

/* tas_json_read() that passes over members which are not in the table. */
TAS_MUST_USE int api_read(const struct tas_json *json, const struct tas_json_field *fields, void *out,
                          char why[TAS_JSON_WHY]);
