/* What tools sign, and what they take from a management server: golden signatures of the second
 * implementation (tests/vectors/tasuki_ref.py), and answers of which one thing at a time is wrong. */
#include "test_api_kit.h"

#include "api/client_private.h"
#include "base/hex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct api_kit kit;

static int make_kit(void **state) {
    (void)state;
    api_kit_init(&kit);
    return 0;
}

/* ---- signatures ---- */

static const char token[] =
    "o.0123456789abc.abababababababababababababababababababababababababababababababab";

static struct { uint8_t seed[32], pk[32], nonce[API_NONCE]; } golden;

static int make_golden(void **state) {
    for (unsigned i = 0; i < sizeof(golden.nonce); i++)
        golden.nonce[i] = (uint8_t)i;
    memcpy(golden.seed, golden.nonce, sizeof(golden.seed));
    int err = tas_crypto_openssl.ed25519_public(golden.pk, golden.seed);
    assert_int_equal(err, TAS_OK);
    return make_kit(state);
}

static void assert_sig(const uint8_t sig[64], const char *hex) {
    char text[129];
    tas_hex_encode(text, tas_bytes_of(sig, 64));
    assert_string_equal(text, hex);
}

static void a_request_is_signed_as_the_contract_says(void **state) {
    (void)state;
    static const char body[] = "{\"claim\":\"0123456789abd\"}";
    char out[API_AUTHORIZATION];
    char want[API_AUTHORIZATION];
    int err = api_sign_request(out, &tas_crypto_openssl, golden.seed, token, 1790000000123, "POST",
                               "/v1/sessions/0123456789abc/answer?x=1", tas_bytes_of(body, sizeof(body) - 1));
    assert_int_equal(err, TAS_OK);
    snprintf(
        want, sizeof(want),
        "TSK1 %s 1790000000123 cf82d8bae0e73bcdf8b2c5b60e763c2c7005373fb85abb98329d0e2c4a01c05ff6d0752e28df1c"
        "650b7f6d6962537dcf3896ba24a9b500ce927edf60c070870b",
        token);
    assert_string_equal(out, want);
    char longest[API_TARGET_MAX + 2];
    memset(longest, 'a', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    err = api_sign_request(out, &tas_crypto_openssl, golden.seed, token, UINT64_MAX, "POST", longest,
                           (struct tas_bytes){0});
    assert_int_equal(err, TAS_E_LIMIT);
    err = api_sign_request(out, &tas_crypto_openssl, golden.seed, token, UINT64_MAX, "POST", longest + 1,
                           (struct tas_bytes){0});
    assert_int_equal(err, TAS_OK);
    assert_int_equal(strlen(out), API_AUTHORIZATION - 1);
}

static void login_claim_and_renewal_are_signed_as_the_contract_says(void **state) {
    (void)state;
    uint8_t sig[64];
    const struct tas_crypto *c = &tas_crypto_openssl;
    assert_int_equal(api_sign_login(sig, c, golden.seed, golden.pk, golden.nonce), TAS_OK);
    assert_sig(sig,
               "f114832ad317d599c67f215a0ca5970a62f780ea16e55a84b6c1b2831c545c87cb03f85e30edf20efbf220849bb7"
               "6e3d5c3c4941a3a55d8cc35420e4dd84ee07");
    assert_int_equal(api_sign_claim(sig, c, golden.seed, golden.pk, golden.nonce, "123456782"), TAS_OK);
    assert_sig(sig,
               "defccc17dc28c9b472eeb1a5effcb8b8754ed231c566e6d2e4e657dac9b1ccef48a54084f42b951d0cce34c81e2c"
               "76550f90fc8b04c74637e24557a9de3a0b0e");
    int err = api_sign_renew(sig, c, golden.seed, golden.nonce, 0x0123456789abcdef, TAS_ROLE_VIEWER, 1);
    assert_int_equal(err, TAS_OK);
    assert_sig(sig,
               "06079cdd187b4127423664cd48419d40827784be0d47be8396108cc2be390ebcd027ef6fbd79412efd6a3d6f86c2"
               "6e6637e8b21523bd2748c23c4f78fa8c2a07");
}

static void tokens_have_their_form(void **state) {
    (void)state;
    assert_true(api_token_is_sound(token));
    for (size_t i = 0; i < sizeof(token) - 1; i++) {
        char wrong[sizeof(token)];
        memcpy(wrong, token, sizeof(token));
        wrong[i] = '\n';
        assert_false(api_token_is_sound(wrong));
        wrong[i] = '\0';
        assert_false(api_token_is_sound(wrong));
    }
}

static void work_is_found_in_pieces(void **state) {
    (void)state;
    struct api_pow pow = {.crypto = &tas_crypto_openssl, .number = "123456782", .bits = 13};
    uint8_t out[8];
    memcpy(pow.nonce, golden.nonce, sizeof(pow.nonce));
    memcpy(pow.pop_pk, golden.pk, sizeof(pow.pop_pk));
    unsigned pieces = 0;
    while (!api_pow_try(&pow, 100, out))
        pieces++;
    assert_int_equal(pieces, 13);
    assert_memory_equal(out, "\0\0\0\0\0\0\x05\x4c", 8); /* 1356 */
    pow.bits = 0;
    pow.next = 7;
    assert_true(api_pow_try(&pow, 1, out));
    pow.bits = 32;
    assert_false(api_pow_try(&pow, 1000, out));
}

/* ---- errors ---- */

static struct tas_json *parsed(const char *text) {
    char why[TAS_JSON_WHY];
    return tas_json_parse(tas_bytes_of(text, strlen(text)), why);
}

static struct api_error problem(unsigned status, const char *text) {
    struct api_error error;
    struct tas_json *json = parsed(text);
    api_error_of_problem(&error, status, json);
    tas_json_free(json);
    return error;
}

static void problems_become_errors_that_can_be_shown(void **state) {
    (void)state;
    struct api_error e =
        problem(404, "{\"code\":\"number_unknown\",\"detail\":\"Die Nummer ist unbekannt: ü\"}");
    assert_int_equal(e.err, TAS_E_ABSENT);
    assert_string_equal(e.code, "number_unknown");
    assert_string_equal(e.detail, "Die Nummer ist unbekannt: ü");
    static const char *const hostile[] = {
        "{\"code\":\"a\\nb\",\"detail\":\"\\u202egnp.exe\"}",
        "{\"code\":7,\"detail\":[]}",
        "[]",
        "",
        "{}",
        "null",
        "{\"code\":\"0123456789012345678901234567890123456789\",\"detail\":\"\"}",
    };
    for (size_t i = 0; i < sizeof(hostile) / sizeof(*hostile); i++) {
        e = problem(403, hostile[i]);
        assert_int_equal(e.err, TAS_E_STATE);
        assert_int_equal(e.status, 403);
        assert_string_equal(e.code, "refused");
        assert_string_equal(e.detail, "the server refused the request (HTTP status 403)");
    }
    assert_int_equal(problem(401, "").err, TAS_E_AUTH);
    assert_int_equal(problem(429, "").err, TAS_E_LIMIT);
    assert_int_equal(problem(503, "").err, TAS_E_IO);
}

static void long_details_are_cut_between_characters(void **state) {
    (void)state;
    char text[2000] = "{\"detail\":\"x";
    for (int i = 0; i < 300; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "電");
    snprintf(text + strlen(text), sizeof(text) - strlen(text), "\"}");
    struct api_error e = problem(400, text);
    assert_int_equal(strlen(e.detail), 1 + 85 * 3);
}

static void transport_errors_are_said_in_words(void **state) {
    (void)state;
    struct api_error e;
    api_error_of_transport(&e, TAS_E_IO, "Connection refused");
    assert_string_equal(e.code, "no_server");
    assert_non_null(strstr(e.detail, "Connection refused"));
    api_error_of_transport(&e, TAS_E_AUTH, NULL);
    assert_string_equal(e.code, "not_trusted");
    api_error_of_transport(&e, TAS_E_IO, "\x1b[2J\xff");
    assert_string_equal(e.detail, tas_err_text(TAS_E_IO));
}

/* ---- objects ---- */

static const char session_text[] =
    "{\"id\":\"0000000000001\",\"state\":\"waiting\",\"number\":\"123456782\",\"number_last3\":\"782\","
    "\"issued_at\":1000,\"expires_at\":2000,\"joined_at\":null,\"customer\":\"山田\",\"reason\":\"a\\nb\","
    "\"ticket_no\":null,\"operator\":\"Hanako\",\"claims\":[{\"id\":\"0000000000002\",\"host_name\":\"pc\","
    "\"os\":\"Linux\",\"tool_version\":\"1\",\"language\":\"ja\",\"address\":\"127.0.0.1\",\"claimed_at\":"
    "1500,"
    "\"state\":\"pending\"}],\"seconds_waiting\":1,\"seconds_active\":0,\"seconds_reconnecting\":0,"
    "\"rev\":\"0000000000003\",\"later\":{\"x\":[1]}}";

static int read_session(struct api_session *out, const char *text, char why[TAS_JSON_WHY]) {
    struct tas_json *json = parsed(text);
    int err = api_session_read(out, json, why);
    tas_json_free(json);
    return err;
}

static void a_session_is_read_whole(void **state) {
    (void)state;
    char why[TAS_JSON_WHY] = "";
    struct api_session s;
    assert_int_equal(read_session(&s, session_text, why), TAS_OK);
    assert_int_equal(s.id, 1);
    assert_int_equal(s.rev, 3);
    assert_int_equal(s.state, API_SESSION_WAITING);
    assert_string_equal(s.number, "123456782");
    assert_string_equal(s.customer, "山田");
    assert_string_equal(s.reason, "a\nb");
    assert_int_equal(s.joined_at, 0);
    assert_int_equal(s.n_visitors, 1);
    assert_int_equal(s.visitors[0].id, 2);
    assert_int_equal(s.visitors[0].state, API_CLAIM_PENDING);
    assert_string_equal(s.visitors[0].os, "Linux");
}

/* `text` with the first `from` replaced by `to`. Owned. */
static char *replaced(const char *text, const char *from, const char *to) {
    const char *at = strstr(text, from);
    assert_non_null(at);
    size_t cap = strlen(text) + strlen(to) + 1;
    char *out = malloc(cap);
    assert_non_null(out);
    snprintf(out, cap, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    return out;
}

static void one_wrong_member_and_a_session_is_none(void **state) {
    (void)state;
    static const struct {
        const char *from, *to, *word;
    } wrong[] = {
        {"\"id\":\"0000000000001\"", "\"id\":1", "id"},
        {"\"id\":\"0000000000001\"", "\"di\":1", "id"},
        {"\"waiting\"", "\"asleep\"", "asleep"},
        {"\"waiting\"", "null", "state"},
        {"\"123456782\"", "\"12345678\"", "number"},
        {"\"123456782\"", "\"12345678x\"", "number"},
        {"1000", "-1", "issued_at"},
        {"1000", "1e3", "issued_at"},
        {"2000", "99999999999999999", "expires_at"},
        {"山田", "\\u202e", "customer"},
        {"Hanako", "\\u001b[2J", "operator"},
        {"\"pending\"", "\"gone\"", "claims[0]"},
        {"\"address\":\"127.0.0.1\"", "\"address\":[]", "address"},
        {"\"claims\":[", "\"claims\":[7,", "claims[0]"},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        char why[TAS_JSON_WHY] = "";
        struct api_session s = {.id = 77};
        char *text = replaced(session_text, wrong[i].from, wrong[i].to);
        assert_int_equal(read_session(&s, text, why), TAS_E_PROTO);
        assert_non_null(strstr(why, wrong[i].word));
        assert_int_equal(s.id, 77);
        free(text);
    }
}

static void of_too_many_customers_the_last_are_kept(void **state) {
    (void)state;
    char text[8192] = "{\"id\":\"0000000000001\",\"state\":\"waiting\",\"issued_at\":1,\"claims\":[";
    for (unsigned i = 0; i < 20; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text),
                 "%s{\"id\":\"00000000000%02u\",\"claimed_at\":1,\"state\":\"pending\"}", i ? "," : "", i);
    snprintf(text + strlen(text), sizeof(text) - strlen(text), "]}");
    char why[TAS_JSON_WHY] = "";
    struct api_session s;
    assert_int_equal(read_session(&s, text, why), TAS_OK);
    assert_int_equal(s.n_visitors, API_CLAIMS);
    assert_int_equal(s.visitors[0].id, 4);
}

static void cut_anywhere_no_answer_is_taken(void **state) {
    (void)state;
    for (size_t len = 0; len < sizeof(session_text) - 1; len++) {
        char why[TAS_JSON_WHY];
        char *text = strndup(session_text, len);
        struct api_session s;
        assert_int_equal(read_session(&s, text, why), TAS_E_PROTO);
        free(text);
    }
}

static void other_answers_are_read(void **state) {
    (void)state;
    char why[TAS_JSON_WHY];
    char text[1024];
    struct api_place place;
    struct api_login login;
    struct api_claim claim;
    struct api_terms terms;
    struct api_relays relays;
    snprintf(text, sizeof(text),
             "{\"claim\":\"0000000000009\",\"token\":\"c%s\",\"company\":\"Sakura\",\"server_ms\":5}",
             token + 1);
    struct tas_json *json = parsed(text);
    assert_int_equal(api_place_read(&place, json, why), TAS_OK);
    assert_int_equal(place.claim, 9);
    tas_json_free(json);

    snprintf(
        text, sizeof(text),
        "{\"token\":\"%s\",\"expires_at\":6,\"server_ms\":5,\"company\":{\"code\":\"s\",\"name\":\"Sakura\","
        "\"id\":9},\"operator\":{\"id\":\"0000000000001\",\"login\":\"h\",\"name\":\"Hanako\"}}",
        token);
    json = parsed(text);
    assert_int_equal(api_login_read(&login, json, why), TAS_OK);
    assert_string_equal(login.token, token);
    assert_string_equal(login.company_name, "Sakura");
    assert_string_equal(login.operator_name, "Hanako");
    assert_int_equal(api_place_read(&place, json, why), TAS_E_PROTO);
    tas_json_free(json);

    json = parsed("{\"id\":\"0000000000009\",\"state\":\"pending\",\"company\":\"Sakura\",\"operator\":null,"
                  "\"grant\":null,\"server_ms\":5}");
    assert_int_equal(api_claim_read(&claim, json, why), TAS_OK);
    assert_null(claim.grant);
    tas_json_free(json);

    json = parsed("{\"version\":\"1\",\"ja\":\"一\\n二\",\"en\":\"One\"}");
    assert_int_equal(api_terms_read(&terms, json, why), TAS_OK);
    assert_string_equal(terms.ja, "一\n二");
    api_terms_fini(&terms);
    tas_json_free(json);

    json = parsed(
        "{\"relays\":[{\"id\":1,\"name\":\"r\",\"address\":\"127.0.0.1:1\",\"region\":\"x\"},{\"id\":0}]}");
    assert_int_equal(api_relays_read(&relays, json, why), TAS_E_PROTO);
    assert_non_null(strstr(why, "relays[1]"));
    tas_json_free(json);
}

/* ---- grants ---- */

static int read_grant(struct api_grant *out, const struct api_kit_grant *g,
                      const struct api_grant_expected *expected, char why[TAS_JSON_WHY]) {
    struct tas_json *json = api_kit_sign(&kit, g);
    int err = api_grant_read(out, json, expected, why);
    tas_json_free(json);
    return err;
}

static void a_grant_is_checked_and_becomes_an_end(void **state) {
    (void)state;
    for (enum tas_role role = TAS_ROLE_HOST; role <= TAS_ROLE_VIEWER; role++) {
        struct api_kit_grant g = api_kit_grant(&kit, role);
        struct api_grant_expected expected = api_kit_expected(&kit, role);
        struct api_grant grant;
        char why[TAS_JSON_WHY] = "";
        assert_int_equal(read_grant(&grant, &g, &expected, why), TAS_OK);
        assert_int_equal(grant.session_id, 42);
        assert_string_equal(grant.company, "Sakura");
        assert_string_equal(grant.peer_name, role == TAS_ROLE_HOST ? "Hanako" : "Taro");
        assert_true(grant.is_peer_signed);
        struct tas_end_config config;
        const struct tas_random_source random = {0};
        api_grant_config(&config, &grant, expected.crypto, &tas_secret_heap, random, NULL, 77);
        assert_int_equal(config.n_relays, 2);
        assert_int_equal(config.relays[1].id, 12);
        assert_int_equal(config.session.identity.role, role);
        assert_memory_equal(config.session.identity.pop_seed, expected.pop_seed, 32);
        assert_int_equal(config.session.server_ms, 77);
        g.has_peer_statement = false;
        assert_int_equal(read_grant(&grant, &g, &expected, why), TAS_OK);
        assert_false(grant.is_peer_signed);
    }
}

struct lie {
    const char *name;
    void (*tell)(struct api_kit_grant *g);
    int err;
};

static void lie_session(struct api_kit_grant *g) {
    g->ticket.session_id = 43;
}
static void lie_role(struct api_kit_grant *g) {
    g->ticket.role = 3 - g->ticket.role;
}
static void lie_key(struct api_kit_grant *g) {
    g->ticket.pop_pk[3] ^= 1;
}
static void lie_relay(struct api_kit_grant *g) {
    g->ticket.relay_ids[0] = 13;
}
static void lie_relay_more(struct api_kit_grant *g) {
    g->ticket.relay_ids[2] = 13;
}
static void lie_relay_less(struct api_kit_grant *g) {
    g->ticket.relay_ids[1] = 0;
}
static void lie_ticket_kid(struct api_kit_grant *g) {
    g->ticket.kid = 2; /* a key of the set, but for statements */
}
static void lie_ticket_version(struct api_kit_grant *g) {
    g->ticket.ver = 2;
}
static void lie_statement_session(struct api_kit_grant *g) {
    g->statement.session_id = 43;
}
static void lie_statement_key(struct api_kit_grant *g) {
    g->statement.pop_pk[3] ^= 1;
}
static void lie_statement_old(struct api_kit_grant *g) {
    g->statement.not_after_ms = API_KIT_NOW_MS;
}
static void lie_statement_kid(struct api_kit_grant *g) {
    g->statement.kid = 1;
}
static void lie_company(struct api_kit_grant *g) {
    g->statement.company[0] = 'X';
}
static void lie_company_text(struct api_kit_grant *g) {
    g->statement.company[0] = 7;
}
static void lie_peer_company(struct api_kit_grant *g) {
    g->peer.company[0] = 'X';
}
static void lie_peer_name(struct api_kit_grant *g) {
    g->peer.name[0] = 'X';
}
static void lie_peer_said(struct api_kit_grant *g) {
    g->peer_name = "Mallory";
}
static void lie_peer_is_us(struct api_kit_grant *g) {
    g->peer = g->statement;
}
static void lie_peer_session(struct api_kit_grant *g) {
    g->peer.session_id = 43;
}
static void lie_keyset_old(struct api_kit_grant *g) {
    g->keyset.sequence--;
}
static void lie_keyset_over(struct api_kit_grant *g) {
    g->keyset.keys[1].to_ms = API_KIT_NOW_MS;
}
static void lie_keyset_early(struct api_kit_grant *g) {
    g->keyset.keys[0].from_ms = API_KIT_NOW_MS + 1;
}

static void no_lie_in_a_grant_is_believed(void **state) {
    (void)state;
    static const struct lie lies[] = {
        {"session", lie_session, TAS_E_AUTH},
        {"role", lie_role, TAS_E_AUTH},
        {"key", lie_key, TAS_E_AUTH},
        {"relay", lie_relay, TAS_E_AUTH},
        {"relay more", lie_relay_more, TAS_E_AUTH},
        {"relay less", lie_relay_less, TAS_E_AUTH},
        {"ticket kid", lie_ticket_kid, TAS_E_AUTH},
        {"ticket version", lie_ticket_version, TAS_E_PROTO},
        {"statement session", lie_statement_session, TAS_E_AUTH},
        {"statement key", lie_statement_key, TAS_E_AUTH},
        {"statement old", lie_statement_old, TAS_E_EXPIRED},
        {"statement kid", lie_statement_kid, TAS_E_AUTH},
        {"company", lie_company, TAS_E_AUTH},
        {"company text", lie_company_text, TAS_E_PROTO},
        {"peer company", lie_peer_company, TAS_E_AUTH},
        {"peer name", lie_peer_name, TAS_E_AUTH},
        {"peer said", lie_peer_said, TAS_E_AUTH},
        {"peer is us", lie_peer_is_us, TAS_E_AUTH},
        {"peer session", lie_peer_session, TAS_E_AUTH},
        {"keyset old", lie_keyset_old, TAS_E_AUTH},
        {"keyset over", lie_keyset_over, TAS_E_AUTH},
        {"keyset early", lie_keyset_early, TAS_E_AUTH},
    };
    for (size_t i = 0; i < sizeof(lies) / sizeof(*lies); i++) {
        struct api_kit_grant g = api_kit_grant(&kit, TAS_ROLE_HOST);
        const struct api_grant_expected expected = api_kit_expected(&kit, TAS_ROLE_HOST);
        struct api_grant grant;
        char why[TAS_JSON_WHY] = "";
        lies[i].tell(&g);
        int err = read_grant(&grant, &g, &expected, why);
        if (err != lies[i].err || !*why)
            fail_msg("%s: %s (%s)", lies[i].name, tas_err_name(err), why);
        for (size_t b = 0; b < sizeof(grant); b++)
            assert_int_equal(((const uint8_t *)&grant)[b], 0); /* nothing of it is left, no key either */
    }
}

static void other_roots_keys_and_ends_are_refused(void **state) {
    (void)state;
    struct api_kit_grant g = api_kit_grant(&kit, TAS_ROLE_HOST);
    struct api_grant grant;
    char why[TAS_JSON_WHY];
    struct api_grant_expected expected = api_kit_expected(&kit, TAS_ROLE_HOST);
    expected.root = kit.pop_pk[0];
    assert_int_equal(read_grant(&grant, &g, &expected, why), TAS_E_AUTH);
    expected = api_kit_expected(&kit, TAS_ROLE_HOST);
    expected.pop_seed = kit.pop_seed[1];
    assert_int_equal(read_grant(&grant, &g, &expected, why), TAS_E_AUTH);
    expected = api_kit_expected(&kit, TAS_ROLE_VIEWER);
    assert_int_equal(read_grant(&grant, &g, &expected, why), TAS_E_AUTH);
    expected = api_kit_expected(&kit, TAS_ROLE_HOST);
    expected.company = NULL;
    assert_int_equal(read_grant(&grant, &g, &expected, why), TAS_OK);
}

static void every_changed_digit_of_what_is_signed_is_found(void **state) {
    (void)state;
    static const char *const members[] = {"ticket", "statement", "keyset"};
    const struct api_kit_grant g = api_kit_grant(&kit, TAS_ROLE_VIEWER);
    const struct api_grant_expected expected = api_kit_expected(&kit, TAS_ROLE_VIEWER);
    for (size_t m = 0; m < 3; m++) {
        struct tas_json *good = api_kit_sign(&kit, &g);
        char *hex = strdup(tas_json_get_text(good, members[m]));
        for (size_t i = 0; i < strlen(hex); i += 7) {
            char was = hex[i];
            struct api_grant grant;
            char why[TAS_JSON_WHY];
            hex[i] = was == 'f' ? '0' : 'f';
            tas_json_set_text(good, members[m], hex);
            if (api_grant_read(&grant, good, &expected, why) == TAS_OK)
                fail_msg("%s, digit %zu, was %c", members[m], i, was);
            hex[i] = was;
        }
        free(hex);
        tas_json_free(good);
    }
}

static void a_renewed_ticket_is_for_the_same_place(void **state) {
    (void)state;
    struct api_kit_grant g = api_kit_grant(&kit, TAS_ROLE_VIEWER);
    const struct api_grant_expected expected = api_kit_expected(&kit, TAS_ROLE_VIEWER);
    static struct api_grant grant;
    char why[TAS_JSON_WHY];
    assert_int_equal(read_grant(&grant, &g, &expected, why), TAS_OK);
    static const struct {
        int kid, err;
        uint64_t session;
    } cases[] = {{1, TAS_OK, 42}, {1, TAS_E_AUTH, 43}, {9, TAS_OK, 42} /* a key of later */};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        g.ticket.not_before_ms++;
        g.ticket.kid = (uint8_t)cases[i].kid;
        g.ticket.session_id = cases[i].session;
        struct tas_json *json = api_kit_ticket(&kit, &g);
        assert_int_equal(api_grant_renew(&grant, json, expected.crypto, why), cases[i].err);
        assert_true((grant.ticket_ms == g.ticket.not_before_ms) == (cases[i].err == TAS_OK));
        tas_json_free(json);
    }
}

static void rounds_wait_longer_up_to_two_seconds(void **state) {
    (void)state;
    static const uint64_t want_ms[] = {250, 500, 1000, 2000, 2000, 2000};
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(api_backoff_us(i + 1), want_ms[i] * 1000);
    assert_int_equal(api_backoff_us(4000000000u), 2000000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_signed_as_the_contract_says),
        cmocka_unit_test(login_claim_and_renewal_are_signed_as_the_contract_says),
        cmocka_unit_test(tokens_have_their_form),
        cmocka_unit_test(work_is_found_in_pieces),
        cmocka_unit_test(problems_become_errors_that_can_be_shown),
        cmocka_unit_test(long_details_are_cut_between_characters),
        cmocka_unit_test(transport_errors_are_said_in_words),
        cmocka_unit_test(a_session_is_read_whole),
        cmocka_unit_test(one_wrong_member_and_a_session_is_none),
        cmocka_unit_test(of_too_many_customers_the_last_are_kept),
        cmocka_unit_test(cut_anywhere_no_answer_is_taken),
        cmocka_unit_test(other_answers_are_read),
        cmocka_unit_test(a_grant_is_checked_and_becomes_an_end),
        cmocka_unit_test(no_lie_in_a_grant_is_believed),
        cmocka_unit_test(other_roots_keys_and_ends_are_refused),
        cmocka_unit_test(every_changed_digit_of_what_is_signed_is_found),
        cmocka_unit_test(a_renewed_ticket_is_for_the_same_place),
        cmocka_unit_test(rounds_wait_longer_up_to_two_seconds),
    };
    return cmocka_run_group_tests(tests, make_golden, NULL);
}
