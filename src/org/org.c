#include "org/org.h"

#include "base/json.h"
#include "crypto/crypto.h"

#include <stdio.h>

enum {
    MAGIC_LEN = 8,
    HEAD_LEN = MAGIC_LEN + 4,
    JSON_MAX = ORG_SECTION - HEAD_LEN - TAS_SIG_LEN,
    DOMAIN_LEN = 16,
};

static const uint8_t magic[MAGIC_LEN] = "TSKORG1";
static const uint8_t domain[DOMAIN_LEN] = "TSK1 org"; /* zero-padded */

static int wrong(char why[ORG_WHY], const char *what) {
    snprintf(why, ORG_WHY, "%s", what);
    return TAS_E_PROTO;
}

/* ---- addresses ---- */

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* 1 to 65535 without leading zeros, to the end of the text. */
static bool is_port(const char *text) {
    unsigned long port = 0;
    size_t len = strlen(text);
    if (len == 0 || len > 5 || text[0] == '0')
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!is_digit(text[i]))
            return false;
        port = port * 10 + (unsigned long)(text[i] - '0');
    }
    return port <= UINT16_MAX;
}

/* Labels of 1 to 63 letters, digits and inner hyphens with single dots between them (RFC 1123 section 2.1).
 */
static bool is_name(const char *text, size_t len) {
    size_t label = 0;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        bool is_plain = is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool is_last = i + 1 == len || text[i + 1] == '.';
        if (c == '.' && label > 0 && i + 1 < len) {
            label = 0;
            continue;
        }
        if (!is_plain && (c != '-' || label == 0 || is_last))
            return false;
        if (++label > 63)
            return false;
    }
    return len > 0 && len <= 253;
}

/* "https://name" or "https://name:port", and nothing else. */
static bool is_url(const char *url) {
    static const char scheme[] = "https://";
    size_t head = sizeof(scheme) - 1;
    if (strncmp(url, scheme, head) != 0)
        return false;
    size_t len = strcspn(url + head, ":");
    const char *rest = url + head + len;
    return is_name(url + head, len) && (rest[0] == '\0' || is_port(rest + 1));
}

/* Four numbers of 0 to 255 without leading zeros. */
static bool is_v4(const char *text, size_t len) {
    unsigned number = 0;
    unsigned dots = 0;
    size_t digits = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '.' && digits > 0) {
            dots++;
            digits = 0;
            number = 0;
        } else if (is_digit(text[i]) && (digits == 0 || number > 0)) {
            number = number * 10 + (unsigned)(text[i] - '0');
            digits++;
        } else {
            return false;
        }
        if (number > 255)
            return false;
    }
    return dots == 3 && digits > 0;
}

/* The characters of one only: who connects there parses it. */
static bool looks_like_v6(const char *text, size_t len) {
    return len >= 2 && len <= 45 && strspn(text, "0123456789abcdefABCDEF:.") == len;
}

/* "127.83.0.1:443" or "[::1]:443"; "": none. */
static bool is_address(const char *text) {
    if (text[0] == '\0')
        return true;
    bool is_v6 = text[0] == '[';
    const char *colon = strrchr(text, ':');
    if (!colon || !is_port(colon + 1))
        return false;
    size_t len = (size_t)(colon - text);
    if (!is_v6)
        return is_v4(text, len);
    return len > 2 && colon[-1] == ']' && looks_like_v6(text + 1, len - 2);
}

/* ---- JSON ---- */

static const struct tas_json_field server_fields[] = {
    {"url", TAS_JSON_TEXT, false, 1, ORG_URL - 1, offsetof(struct org_server, url)},
    {"address", TAS_JSON_TEXT, true, 0, ORG_URL - 1, offsetof(struct org_server, address)},
    {NULL, 0, false, 0, 0, 0},
};

/* What the table reads into, before lists become arrays. */
struct draft {
    struct org org;
    const struct tas_json *managers, *downloads;
    int64_t sequence;
};

static const struct tas_json_field fields[] = {
    {"organisation", TAS_JSON_TEXT, false, 1, ORG_NAME, offsetof(struct draft, org.organisation)},
    {"managers", TAS_JSON_LIST, false, 1, ORG_MANAGERS, offsetof(struct draft, managers)},
    {"downloads", TAS_JSON_LIST, false, 0, ORG_DOWNLOADS, offsetof(struct draft, downloads)},
    {"ca", TAS_JSON_LINES, true, 0, ORG_CA, offsetof(struct draft, org.ca_pem)},
    {"root", TAS_JSON_HEX, false, 0, 32, offsetof(struct draft, org.root)},
    {"sequence", TAS_JSON_INT, false, 0, INT64_MAX, offsetof(struct draft, sequence)},
    {NULL, 0, false, 0, 0, 0},
};

static int read_servers(struct org_server *out, size_t *n, const struct tas_json *list, const char *name,
                        char why[ORG_WHY]) {
    for (*n = 0; *n < tas_json_len(list); (*n)++) {
        struct org_server *server = &out[*n];
        char detail[TAS_JSON_WHY];
        if (tas_json_read(tas_json_at(list, *n), server_fields, server, detail) != TAS_OK) {
            snprintf(why, ORG_WHY, "%s: %.200s", name, detail);
            return TAS_E_PROTO;
        }
        if (!is_url(server->url)) {
            snprintf(why, ORG_WHY,
                     "%s: url must be https://name or https://name:port, without anything behind", name);
            return TAS_E_PROTO;
        }
        if (!is_address(server->address)) {
            snprintf(why, ORG_WHY, "%s: address must be like 127.83.0.1:443 or [::1]:443", name);
            return TAS_E_PROTO;
        }
    }
    return TAS_OK;
}

static bool is_pem(const char *text) {
    static const char head[] = "-----BEGIN CERTIFICATE-----\n";
    return strncmp(text, head, sizeof(head) - 1) == 0;
}

static int read_json(struct org *out, struct tas_bytes text, char why[ORG_WHY]) {
    struct draft draft = {.sequence = 0};
    char detail[TAS_JSON_WHY];
    struct tas_json *json = tas_json_parse(text, detail);
    int err = json ? tas_json_read(json, fields, &draft, detail) : TAS_E_PROTO;
    if (err != TAS_OK)
        snprintf(why, ORG_WHY, "%.200s", detail);
    if (err == TAS_OK)
        err = read_servers(draft.org.managers, &draft.org.n_managers, draft.managers, "managers", why);
    if (err == TAS_OK)
        err = read_servers(draft.org.downloads, &draft.org.n_downloads, draft.downloads, "downloads", why);
    if (err == TAS_OK && draft.org.ca_pem[0] && !is_pem(draft.org.ca_pem))
        err = wrong(why, "ca must be certificates in PEM, or null");
    tas_json_free(json);
    if (err != TAS_OK)
        return err;
    draft.org.sequence = (uint64_t)draft.sequence;
    *out = draft.org;
    return TAS_OK;
}

/* ---- the section ---- */

/* Domain and JSON in one piece: tas_sign() is for shorter things. */
static struct tas_bytes signed_part(uint8_t out[DOMAIN_LEN + JSON_MAX], struct tas_bytes json) {
    struct tas_writer w = tas_writer_of(out, DOMAIN_LEN + JSON_MAX);
    tas_write_bytes(&w, domain, sizeof(domain));
    tas_write_bytes(&w, json.ptr, json.len);
    return tas_bytes_of(out, w.len);
}

static bool is_all_zero(struct tas_bytes bytes) {
    struct tas_reader r = tas_reader_of(bytes);
    tas_read_zero(&r, bytes.len);
    return !r.bad;
}

int org_read(struct org *out, struct tas_bytes section, char why[ORG_WHY]) {
    uint8_t all[DOMAIN_LEN + JSON_MAX];
    struct org org;
    if (section.len != ORG_SECTION)
        return wrong(why, "the section has not the length of one");
    if (is_all_zero(section)) {
        snprintf(why, ORG_WHY, "the section is empty: this tool belongs to no installation");
        return TAS_E_ABSENT;
    }
    struct tas_reader r = tas_reader_of(section);
    if (!tas_bytes_equal(tas_read_bytes(&r, MAGIC_LEN), tas_bytes_of(magic, MAGIC_LEN)))
        return wrong(why, "the section does not begin as one");
    uint32_t len = tas_read_u32(&r);
    if (len > JSON_MAX)
        return wrong(why, "the section says that its text is longer than it can be");
    struct tas_bytes json = tas_read_bytes(&r, len);
    struct tas_bytes sig = tas_read_bytes(&r, TAS_SIG_LEN);
    tas_read_zero(&r, r.in.len);
    if (r.bad)
        return wrong(why, "the section holds something behind its signature");
    int err = read_json(&org, json, why);
    if (err != TAS_OK)
        return err;
    if (tas_ed25519_verify(tas_crypto_native(), sig.ptr, org.root, signed_part(all, json)) != TAS_OK) {
        snprintf(why, ORG_WHY, "the section is not signed by the root key that it names");
        return TAS_E_AUTH;
    }
    *out = org;
    return TAS_OK;
}

int org_write(uint8_t section[ORG_SECTION], struct tas_bytes json, const uint8_t root_seed[32],
              char why[ORG_WHY]) {
    const struct tas_crypto *crypto = tas_crypto_native();
    uint8_t all[DOMAIN_LEN + JSON_MAX];
    uint8_t root[32];
    uint8_t sig[TAS_SIG_LEN];
    struct org org;
    if (json.len > JSON_MAX)
        return wrong(why, "the text is too long for a section");
    int err = read_json(&org, json, why);
    if (err != TAS_OK)
        return err;
    err = crypto->ed25519_public(root, root_seed);
    if (err == TAS_OK && memcmp(root, org.root, sizeof(root)) != 0) {
        snprintf(why, ORG_WHY, "root is another than the public key of the root key given");
        return TAS_E_AUTH;
    }
    if (err == TAS_OK)
        err = crypto->ed25519_sign(sig, root_seed, signed_part(all, json));
    if (err != TAS_OK) {
        snprintf(why, ORG_WHY, "signing failed: %s", tas_err_text(err));
        return err;
    }
    struct tas_writer w = tas_writer_of(section, ORG_SECTION);
    tas_write_bytes(&w, magic, MAGIC_LEN);
    tas_write_u32(&w, (uint32_t)json.len);
    tas_write_bytes(&w, json.ptr, json.len);
    tas_write_bytes(&w, sig, sizeof(sig));
    tas_write_zero(&w, ORG_SECTION - w.len);
    return TAS_OK;
}
