/* What libcurl's codes mean to a person, and what they may do about it. */
#include "http/client_private.h"

#include <stdio.h>

static bool says(const struct tas_http_call *call, const char *words) {
    return strstr(call->error, words) != NULL;
}

/* OpenSSL's names of the alerts by which a server refuses our certificate; in TLS 1.3 they come after the
 * handshake, where libcurl sees a broken connection. */
static bool is_our_certificate_refused(const struct tas_http_call *call) {
    static const char *const alerts[] = {
        "alert certificate required",    "alert bad certificate",     "alert unknown ca",
        "alert certificate unknown",     "alert certificate expired", "alert certificate revoked",
        "alert unsupported certificate", "alert access denied"};
    for (size_t i = 0; i < sizeof(alerts) / sizeof(alerts[0]); i++)
        if (says(call, alerts[i]))
            return true;
    return false;
}

static void explain_untrusted(struct tas_http_call *call) {
    if (says(call, "subject name") || says(call, "does not match"))
        http_call_fail(call, TAS_E_AUTH, "the certificate of %s is made out to another name (%s)", call->host,
                       call->error);
    else if (says(call, "expired"))
        http_call_fail(call, TAS_E_AUTH,
                       "the certificate of %s has expired, or the clock of this machine is wrong (%s)",
                       call->host, call->error);
    else if (says(call, "not yet valid"))
        http_call_fail(call, TAS_E_AUTH,
                       "the certificate of %s is not valid yet, or the clock of this machine is wrong (%s)",
                       call->host, call->error);
    else
        http_call_fail(call, TAS_E_AUTH, "the certificate of %s is not trusted (%s)", call->host,
                       call->error);
}

static bool is_new_connection(const struct tas_http_call *call) {
    long n = 0;
    return curl_easy_getinfo(call->easy, CURLINFO_NUM_CONNECTS, &n) == CURLE_OK && n > 0;
}

static void explain_lost(struct tas_http_call *call) {
    if (is_our_certificate_refused(call))
        http_call_fail(call, TAS_E_IO, "%s does not accept our certificate, or wants one (%s)", call->host,
                       call->error);
    else if (says(call, "response 407"))
        http_call_fail(call, TAS_E_IO,
                       "the proxy wants a user name and password, or others than those given");
    else if (says(call, "CONNECT"))
        http_call_fail(call, TAS_E_IO, "the proxy does not let us through to %s (%s)", call->host,
                       call->error);
    else if (call->header_len == 0 && is_new_connection(call)) /* its alert may be lost in the reset */
        http_call_fail(call, TAS_E_IO,
                       "%s hung up before it answered, as one does that does not accept our certificate (%s)",
                       call->host, call->error);
    else
        http_call_fail(call, TAS_E_IO, "the connection to %s was lost (%s)", call->host, call->error);
}

static void explain_tls(struct tas_http_call *call) {
    if (is_our_certificate_refused(call))
        explain_lost(call);
    else if (says(call, "protocol version") || says(call, "unsupported protocol"))
        http_call_fail(call, TAS_E_IO, "%s does not speak TLS 1.3, which is needed (%s)", call->host,
                       call->error);
    else
        http_call_fail(call, TAS_E_IO, "no secure connection to %s can be made (%s)", call->host,
                       call->error);
}

void http_explain(struct tas_http_call *call, CURLcode code) {
    if (code == CURLE_COULDNT_RESOLVE_HOST && !call->host[0])
        code = CURLE_URL_MALFORMAT;
    if (!call->error[0])
        snprintf(call->error, sizeof(call->error), "%s", curl_easy_strerror(code));
    switch (code) {
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
        http_call_fail(call, TAS_E_IO, "not an address that can be asked: it must begin with https:// (%s)",
                       call->error);
        return;
    case CURLE_COULDNT_RESOLVE_HOST:
        http_call_fail(call, TAS_E_IO, "the name %s is not known: check its spelling, the network and DNS",
                       call->host);
        return;
    case CURLE_COULDNT_RESOLVE_PROXY:
        http_call_fail(call, TAS_E_IO,
                       "the name of the proxy is not known: check its spelling and the network");
        return;
    case CURLE_COULDNT_CONNECT:
        http_call_fail(call, TAS_E_IO,
                       "%s cannot be reached: it does not run, or the network is in between (%s)",
                       call->has_proxy ? "the proxy" : call->host, call->error);
        return;
    case CURLE_OPERATION_TIMEDOUT:
        http_call_fail(call, TAS_E_IO, "%s did not answer in time", call->host);
        return;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
        explain_untrusted(call);
        return;
    case CURLE_SSL_CACERT_BADFILE:
        http_call_fail(call, TAS_E_AUTH, "there is no certificate of an authority to trust (%s)",
                       call->error);
        return;
    case CURLE_SSL_CERTPROBLEM:
        http_call_fail(call, TAS_E_IO, "our own certificate and key cannot be used (%s)", call->error);
        return;
    case CURLE_SSL_CONNECT_ERROR:
        explain_tls(call);
        return;
    case CURLE_FILESIZE_EXCEEDED:
        http_call_fail(call, TAS_E_LIMIT, "the answer of %s is too large", call->host);
        return;
    case CURLE_OUT_OF_MEMORY:
        http_call_fail(call, TAS_E_IO, "out of memory");
        return;
    default:
        explain_lost(call);
    }
}
