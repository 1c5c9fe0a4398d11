/* What an end that came too early means to a person, and what they may do about it. */
#include "http/client_private.h"

void http_explain_dial(struct tas_http_call *call, bool is_unknown, const char *why) {
    if (is_unknown)
        http_call_fail(call, TAS_E_IO, "the name %s is not known: check its spelling, the network and DNS",
                       call->host);
    else
        http_call_fail(call, TAS_E_IO,
                       "%s cannot be reached: it does not run, or the network is in between (%s)", call->host,
                       why);
}

/* An alert that says so may be lost in the reset of the connection. */
static void explain_lost(struct tas_http_call *call, bool is_secured, const char *why) {
    if (!is_secured)
        http_call_fail(call, TAS_E_IO, "no secure connection to %s can be made (%s)", call->host, why);
    else if (!call->response.is_begun && call->is_on_new)
        http_call_fail(call, TAS_E_IO,
                       "%s hung up before it answered, as one does that does not accept our certificate (%s)",
                       call->host, why);
    else
        http_call_fail(call, TAS_E_IO, "the connection to %s was lost (%s)", call->host, why);
}

void http_explain_end(struct tas_http_call *call, enum tas_conn_fault fault, bool is_secured,
                      const char *why) {
    switch (fault) {
    case TAS_CONN_OTHER_NAME:
        http_call_fail(call, TAS_E_AUTH, "the certificate of %s is made out to another name (%s)", call->host,
                       why);
        return;
    case TAS_CONN_EXPIRED:
        http_call_fail(call, TAS_E_AUTH,
                       "the certificate of %s has expired, or the clock of this machine is wrong (%s)",
                       call->host, why);
        return;
    case TAS_CONN_NOT_YET:
        http_call_fail(call, TAS_E_AUTH,
                       "the certificate of %s is not valid yet, or the clock of this machine is wrong (%s)",
                       call->host, why);
        return;
    case TAS_CONN_UNTRUSTED:
        http_call_fail(call, TAS_E_AUTH, "the certificate of %s is not trusted (%s)", call->host, why);
        return;
    case TAS_CONN_NOT_ACCEPTED:
        http_call_fail(call, TAS_E_IO, "%s does not accept our certificate, or wants one (%s)", call->host,
                       why);
        return;
    case TAS_CONN_VERSION:
        http_call_fail(call, TAS_E_IO, "%s does not speak TLS 1.3, which is needed (%s)", call->host, why);
        return;
    case TAS_CONN_CUT:
    case TAS_CONN_CLOSED:
    case TAS_CONN_BROKEN:
        explain_lost(call, is_secured, why);
    }
}

void http_explain_answer(struct tas_http_call *call, int err) {
    if (err == TAS_E_LIMIT)
        http_call_fail(call, TAS_E_LIMIT, "the answer of %s is too large", call->host);
    else if (err == TAS_E_PROTO)
        http_call_fail(call, TAS_E_IO, "what %s answers is not HTTP/1.1, or damaged", call->host);
    else
        http_call_fail(call, TAS_E_IO, "out of memory");
}
