#include "api/error.h"

#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>

/* Cuts at the last whole character that fits. What may not be shown beside our own words is left out. */
static bool copy_plain(char *out, size_t cap, const char *text) {
    size_t len = text ? strlen(text) : 0;
    if (len >= cap) {
        len = cap - 1;
        while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
            len--;
    }
    if (len == 0 || !tas_utf8_is_plain(tas_bytes_of(text, len)))
        return false;
    memcpy(out, text, len);
    out[len] = '\0';
    return true;
}

static bool is_code(const char *text) {
    if (!text || !*text || strlen(text) > API_CODE)
        return false;
    return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(text);
}

void api_error_set(struct api_error *out, int err, unsigned status, const char *code, const char *fmt, ...) {
    char text[2 * API_DETAIL];
    va_list va;
    va_start(va, fmt);
    vsnprintf(text, sizeof(text), fmt, va);
    va_end(va);
    *out = (struct api_error){.err = err, .status = status, .retry_after_s = -1};
    snprintf(out->code, sizeof(out->code), "%s", code);
    if (!copy_plain(out->detail, sizeof(out->detail), text))
        snprintf(out->detail, sizeof(out->detail), "%s", tas_err_text(err));
}

static int err_of_status(unsigned status) {
    switch (status) {
    case 401:
        return TAS_E_AUTH;
    case 404:
        return TAS_E_ABSENT;
    case 429:
    case 507:
        return TAS_E_LIMIT;
    case 502:
    case 503:
    case 504:
        return TAS_E_IO;
    default:
        return TAS_E_STATE;
    }
}

void api_error_of_problem(struct api_error *out, unsigned status, const struct tas_json *problem) {
    const char *code = tas_json_get_text(problem, "code");
    api_error_set(out, err_of_status(status), status, is_code(code) ? code : "refused",
                  "the server refused the request (HTTP status %u)", status);
    copy_plain(out->detail, sizeof(out->detail), tas_json_get_text(problem, "detail"));
}

void api_error_of_transport(struct api_error *out, int err, const char *why) {
    const char *colon = why && *why ? ": " : "";
    why = why ? why : "";
    switch (err) {
    case TAS_E_AUTH:
        api_error_set(out, err, 0, "not_trusted",
                      "the server could not show that it is yours; do not go on, and tell who gave you this "
                      "program%s%s",
                      colon, why);
        break;
    case TAS_E_LIMIT:
        api_error_set(out, TAS_E_PROTO, 0, "bad_answer", "the server's answer is too large%s%s", colon, why);
        break;
    case TAS_E_NOMEM:
        api_error_set(out, err, 0, "no_memory", "out of memory");
        break;
    default:
        api_error_set(out, TAS_E_IO, 0, "no_server",
                      "no server can be reached; is this computer connected to the network?%s%s", colon, why);
        break;
    }
}
