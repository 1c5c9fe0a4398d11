/* A management server's answers. First byte: 0..8 which answer the rest is; 9, 10 a good grant of the host or
 * the viewer, changed by what follows: triples of u16 where and u8 mask. Law: a grant is accepted only with
 * what is signed in it as it was. */
#include "test_api_kit.h"

#include "api/error.h"
#include "base/hex.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct {
    struct api_kit kit;
    char *grant[2]; /* host, viewer */
    struct tas_json *json[2];
    bool is_made;
} good;

static void make(void) {
    if (good.is_made)
        return;
    api_kit_init(&good.kit);
    for (unsigned i = 0; i < 2; i++) {
        struct api_kit_grant g = api_kit_grant(&good.kit, i ? TAS_ROLE_VIEWER : TAS_ROLE_HOST);
        good.json[i] = api_kit_sign(&good.kit, &g);
        good.grant[i] = tas_json_dump(good.json[i]);
        assert(good.grant[i]);
    }
    good.is_made = true;
}

static void must_be_good(const uint8_t *got, size_t len, unsigned i, const char *member) {
    uint8_t want[TAS_KEYSET_MAX_LEN];
    int err = tas_hex_decode(want, len, tas_json_get_text(good.json[i], member));
    assert(err == TAS_OK && memcmp(got, want, len) == 0);
}

static void read_grant(const struct tas_json *json, unsigned i) {
    char why[TAS_JSON_WHY];
    static struct api_grant grant;
    const struct api_grant_expected expected =
        api_kit_expected(&good.kit, i ? TAS_ROLE_VIEWER : TAS_ROLE_HOST);
    if (api_grant_read(&grant, json, &expected, why) != TAS_OK)
        return;
    must_be_good(grant.ticket, sizeof(grant.ticket), i, "ticket");
    must_be_good(grant.statement, sizeof(grant.statement), i, "statement");
    must_be_good(grant.keyset_bytes, 16 + 2 * 56 + 64, i, "keyset");
    assert(strcmp(grant.company, "Sakura") == 0);
    assert(!grant.is_peer_signed || strcmp(grant.peer_name, i ? "Taro" : "Hanako") == 0);
}

static void read_changed_grant(struct tas_bytes in, unsigned i) {
    char why[TAS_JSON_WHY];
    size_t len = strlen(good.grant[i]);
    char *text = malloc(len);
    struct tas_reader r = tas_reader_of(in);
    assert(text);
    memcpy(text, good.grant[i], len);
    while (r.in.len >= 3) {
        size_t at = tas_read_u16(&r) % len;
        text[at] = (char)(text[at] ^ tas_read_u8(&r));
    }
    struct tas_json *json = tas_json_parse(tas_bytes_of(text, len), why);
    if (json)
        read_grant(json, i);
    tas_json_free(json);
    free(text);
}

/* Any of them; too large for a stack. */
static union {
    struct api_server server;
    struct api_relays relays;
    struct api_nonce nonce;
    struct api_login login;
    struct api_session session;
    struct api_place place;
    struct api_claim claim;
} out;

static void read_any(unsigned which, const struct tas_json *json) {
    char why[TAS_JSON_WHY];
    struct api_terms terms;
    struct api_page page;
    struct api_error error;
    switch (which) {
    case 0:
        (void)!api_server_read(&out.server, json, why);
        break;
    case 1:
        (void)!api_relays_read(&out.relays, json, why);
        break;
    case 2:
        if (api_terms_read(&terms, json, why) == TAS_OK)
            api_terms_fini(&terms);
        break;
    case 3:
        (void)!api_nonce_read(&out.nonce, json, why);
        break;
    case 4:
        (void)!api_login_read(&out.login, json, why);
        break;
    case 5:
        (void)!api_session_read(&out.session, json, why);
        break;
    case 6:
        if (api_page_read(&page, json, why) == TAS_OK)
            api_page_fini(&page);
        break;
    case 7:
        (void)!api_place_read(&out.place, json, why);
        break;
    default:
        if (api_claim_read(&out.claim, json, why) == TAS_OK && out.claim.grant)
            read_grant(out.claim.grant, 0);
        break;
    }
    api_error_of_problem(&error, 400, json);
    assert(*error.code && *error.detail);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    char why[TAS_JSON_WHY];
    if (len == 0)
        return 0;
    make();
    unsigned which = data[0] % 11;
    struct tas_bytes rest = tas_bytes_of(data + 1, len - 1);
    if (which >= 9) {
        read_changed_grant(rest, which - 9);
        return 0;
    }
    struct tas_json *json = tas_json_parse(rest, why);
    if (json)
        read_any(which, json);
    tas_json_free(json);
    return 0;
}
