/* Why a call to a management server failed, for programs and for people. No I/O here. */
#pragma once

#include "base/json.h"

enum { API_CODE = 32, API_DETAIL = 256 };

/* All texts are plain UTF-8 (base/utf8.h), whoever they came from. */
struct api_error {
    int err;         /* TAS_OK: none. TAS_E_IO: no server could be reached. TAS_E_AUTH: one that is not
                      * trusted, or that said 401. TAS_E_PROTO: its answer makes no sense.
                      * TAS_E_EXPIRED: took too long. TAS_E_LIMIT: 429 or 507. TAS_E_ABSENT: 404.
                      * TAS_E_STATE: other refusals */
    unsigned status; /* of HTTP; 0: no answer came */
    char code[API_CODE + 1];     /* for programs: "number_unknown"; our own when no server said one */
    char detail[API_DETAIL + 1]; /* for people */
    int retry_after_s;           /* -1: not said */
};

/* Fills all of it; `detail` is printf text. */
void api_error_set(struct api_error *out, int err, unsigned status, const char *code, const char *fmt, ...)
    TAS_PRINTF(5, 6);

/* What an answer with a status from 300 up says: application/problem+json, or anything else. `problem`: the
 * parsed body, NULL when it is not JSON. */
void api_error_of_problem(struct api_error *out, unsigned status, const struct tas_json *problem);

/* No answer came: TAS_E_IO, TAS_E_AUTH, TAS_E_LIMIT (an answer too large) or TAS_E_NOMEM, and the
 * transport's own words. */
void api_error_of_transport(struct api_error *out, int err, const char *why);
