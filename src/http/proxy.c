/* Which proxy is in force: what is configured, else what the environment says, read as libcurl reads it. And
 * what such a text means. */
#include "http/client_private.h"

#include "base/hex.h"
#include "base/wipe.h"
#include "http/head.h"
#include "net/socket.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

/* One word of the list: the host itself or a domain that it is in. */
static bool word_names(const char *word, size_t len, const char *host, size_t host_len) {
    if (len && word[0] == '.') {
        word++;
        len--;
    }
    if (len && word[len - 1] == '.')
        len--;
    if (len == 0 || len > host_len || strncasecmp(host + host_len - len, word, len) != 0)
        return false;
    return len == host_len || host[host_len - len - 1] == '.';
}

bool http_no_proxy_names(const char *list, const char *host) {
    size_t host_len = strlen(host);
    if (host_len && host[host_len - 1] == '.')
        host_len--;
    if (strcmp(list, "*") == 0)
        return true;
    for (const char *at = list + strspn(list, ", \t"); *at;) {
        size_t len = strcspn(at, ", \t");
        if (word_names(at, len, host, host_len))
            return true;
        at += len;
        at += strspn(at, ", \t");
    }
    return false;
}

static const char *first_set(const char *const *names) {
    for (; *names; names++) {
        const char *value = getenv(*names);
        if (value && *value)
            return value;
    }
    return NULL;
}

const char *http_proxy_for(const struct tas_http_client *client, const char *host) {
    static const char *const proxies[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", NULL};
    static const char *const exceptions[] = {"no_proxy", "NO_PROXY", NULL};
    if (client->proxy)
        return client->proxy[0] ? client->proxy : NULL;
    const char *no_proxy = first_set(exceptions);
    return no_proxy && http_no_proxy_names(no_proxy, host) ? NULL : first_set(proxies);
}

bool tas_http_has_proxy(struct tas_http_client *client, const char *url) {
    char host[HTTP_HOST_MAX];
    http_host_of(url, host);
    return http_proxy_for(client, host) != NULL;
}

/* ---- a proxy's URL ---- */

static const struct {
    const char *scheme;
    enum http_proxy_kind kind;
} kinds[] = {
    {"http", HTTP_PROXY_PLAIN},    {"https", HTTP_PROXY_TLS},     {"socks", HTTP_PROXY_SOCKS},
    {"socks4", HTTP_PROXY_SOCKS},  {"socks4a", HTTP_PROXY_SOCKS}, {"socks5", HTTP_PROXY_SOCKS},
    {"socks5h", HTTP_PROXY_SOCKS},
};

/* Takes "scheme://" from the front; without one it is http. */
static bool take_scheme(const char **text, enum http_proxy_kind *out) {
    const char *end = strstr(*text, "://");
    size_t len = end ? (size_t)(end - *text) : 0;
    *out = HTTP_PROXY_PLAIN;
    if (!end)
        return true;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strlen(kinds[i].scheme) == len && strncasecmp(*text, kinds[i].scheme, len) == 0) {
            *text = end + 3;
            *out = kinds[i].kind;
            return true;
        }
    return false;
}

/* Percent signs and two digits stand for a byte. */
static bool decode(char *out, size_t cap, struct tas_bytes in) {
    struct tas_reader r = tas_reader_of(in);
    size_t n = 0;
    while (r.in.len) {
        int c = tas_read_u8(&r);
        if (c == '%') {
            int high = tas_hex_digit((char)tas_read_u8(&r));
            int low = tas_hex_digit((char)tas_read_u8(&r));
            c = r.bad || high < 0 || low < 0 ? 0 : high << 4 | low;
        }
        if (c == 0 || n + 1 >= cap)
            return false;
        out[n++] = (char)c;
    }
    out[n] = '\0';
    return true;
}

static bool take_user(struct http_proxy *out, struct tas_bytes info) {
    const uint8_t *colon = info.len ? memchr(info.ptr, ':', info.len) : NULL;
    size_t user_len = colon ? (size_t)(colon - info.ptr) : info.len;
    struct tas_bytes password = {0};
    if (colon)
        password = tas_bytes_of(colon + 1, info.len - user_len - 1);
    out->has_user = true;
    return decode(out->user, sizeof(out->user), tas_bytes_of(info.ptr, user_len)) &&
           decode(out->password, sizeof(out->password), password);
}

static bool take_address(struct http_proxy *out, const char *text, size_t len) {
    char host[HTTP_HOST_MAX];
    char port[6];
    size_t host_len = tas_http_host_len(tas_bytes_of(text, len));
    if (host_len == 0 || len >= sizeof(host))
        return false;
    /* 1080 is what libcurl, and so everybody who set the variable, takes when no port is given. */
    snprintf(out->address, sizeof(out->address), "%.*s%s", (int)len, text, host_len == len ? ":1080" : "");
    return tas_address_split(out->address, host, sizeof(host), port) == TAS_OK;
}

int http_proxy_parse(struct http_proxy *out, const char *text) {
    struct http_proxy got = {0};
    bool ok = take_scheme(&text, &got.kind);
    size_t len = strcspn(text, "/?#");
    size_t host_at = len;
    while (host_at > 0 && text[host_at - 1] != '@')
        host_at--;
    if (ok && host_at > 0)
        ok = take_user(&got, tas_bytes_of(text, host_at - 1));
    ok = ok && take_address(&got, text + host_at, len - host_at);
    if (ok)
        *out = got;
    tas_wipe(&got, sizeof(got));
    return ok ? TAS_OK : TAS_E_CONFIG;
}

/* ---- what a proxy wants ---- */

static unsigned scheme_of(struct tas_bytes word) {
    static const struct {
        const char *name;
        unsigned bit;
    } schemes[] = {{"basic", HTTP_AUTH_BASIC},
                   {"ntlm", HTTP_AUTH_NTLM},
                   {"negotiate", HTTP_AUTH_NEGOTIATE},
                   {"digest", HTTP_AUTH_DIGEST}};
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
        if (tas_http_is_named(word, schemes[i].name))
            return schemes[i].bit;
    return 0;
}

/* The length of the text up to a comma that is not within quotes. */
static size_t until_comma(struct tas_bytes text) {
    bool is_quoted = false;
    size_t n = 0;
    for (; n < text.len && (is_quoted || text.ptr[n] != ','); n++)
        is_quoted ^= text.ptr[n] == '"';
    return n;
}

unsigned http_auth_schemes(struct tas_bytes text) {
    unsigned bits = 0;
    while (text.len) {
        size_t blank = 0;
        while (blank < text.len && (text.ptr[blank] == ' ' || text.ptr[blank] == '\t'))
            blank++;
        text = tas_bytes_of(text.ptr + blank, text.len - blank);
        size_t part = until_comma(text);
        size_t word = 0;
        while (word < part && text.ptr[word] != ' ' && text.ptr[word] != '\t')
            word++;
        bits |= scheme_of(tas_bytes_of(text.ptr, word)); /* a parameter has a '=' in its word */
        part += part < text.len;
        text = tas_bytes_of(text.ptr + part, text.len - part);
    }
    return bits;
}

/* RFC 4648 section 4. */
static void base64(char *out, struct tas_bytes in) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t at = 0; at < in.len; at += 3) {
        size_t n = in.len - at < 3 ? in.len - at : 3;
        unsigned bits = 0;
        for (size_t i = 0; i < 3; i++)
            bits = bits << 8 | (i < n ? in.ptr[at + i] : 0u);
        for (size_t i = 0; i < 4; i++)
            *out++ = i <= n ? digits[bits >> (18 - 6 * i) & 63] : '=';
    }
    *out = '\0';
}

void http_basic(char out[HTTP_BASIC_MAX], const struct http_proxy *proxy) {
    char pair[sizeof(proxy->user) + sizeof(proxy->password)];
    int len = snprintf(pair, sizeof(pair), "%s:%s", proxy->user, proxy->password);
    base64(out, tas_bytes_of(pair, (size_t)len));
    tas_wipe(pair, sizeof(pair));
}
