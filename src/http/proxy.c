/* Which proxy is in force: what is configured, else what the environment says, read as libcurl reads it. */
#include "http/client_private.h"

#include <stdlib.h>
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
