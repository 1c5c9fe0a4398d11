/* What is asked, and where it lives. */
#include "http/client_private.h"

#include "http/head.h"
#include "net/socket.h"

#include <stdio.h>
#include <strings.h>

void http_host_of(const char *url, char host[HTTP_HOST_MAX]) {
    const char *start = strstr(url, "://");
    start = start ? start + 3 : url;
    size_t authority = strcspn(start, "/?#");
    for (size_t i = authority; i > 0; i--) {
        if (start[i - 1] == '@') { /* after the last one, as libcurl has it */
            start += i;
            authority -= i;
            break;
        }
    }
    size_t len = strcspn(start, ":");
    if (*start == '[') {
        start++;
        authority--;
        len = strcspn(start, "]");
    }
    if (len > authority)
        len = authority;
    if (len > HTTP_HOST_MAX - 1)
        len = HTTP_HOST_MAX - 1;
    memcpy(host, start, len);
    host[len] = '\0';
}

static bool is_printable(const char *text) {
    for (; *text; text++)
        if (*text <= ' ' || *text >= 0x7f)
            return false;
    return true;
}

/* "host" or "host:port" to host and port. */
static bool split_authority(struct http_url *out, const char *authority, size_t len) {
    char text[HTTP_HOST_MAX + 8];
    size_t host_len = tas_http_host_len(tas_bytes_of(authority, len));
    if (host_len == 0 || len >= sizeof(text) - 4)
        return false;
    memcpy(text, authority, len);
    memcpy(text + len, host_len == len ? ":443" : "", host_len == len ? 5 : 1);
    return tas_address_split(text, out->host, sizeof(out->host), out->port) == TAS_OK;
}

int http_url_parse(struct http_url *out, const char *url) {
    static const char scheme[] = "https://";
    const size_t scheme_len = sizeof(scheme) - 1;
    struct http_url got = {0};
    if (strncasecmp(url, scheme, scheme_len) != 0 || !is_printable(url))
        return TAS_E_CONFIG;
    const char *authority = url + scheme_len;
    size_t len = strcspn(authority, "/?#");
    if (!split_authority(&got, authority, len))
        return TAS_E_CONFIG;
    got.target = authority + len;
    got.target_len = strcspn(got.target, "#");
    *out = got;
    return TAS_OK;
}

void http_address_join(char out[HTTP_ADDRESS_MAX], const char *host, const char *port) {
    snprintf(out, HTTP_ADDRESS_MAX, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
}
