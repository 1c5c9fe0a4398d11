#include "base/err.h"

const char *tas_err_text(int err) {
    switch (err) {
    case TAS_OK:
        return "ok";
#define X(name, value, text)                                                                                 \
    case TAS_E_##name:                                                                                       \
        return text;
        TAS_ERRORS(X)
#undef X
    default:
        return "unknown error";
    }
}

const char *tas_err_name(int err) {
    switch (err) {
    case TAS_OK:
        return "OK";
#define X(name, value, text)                                                                                 \
    case TAS_E_##name:                                                                                       \
        return #name;
        TAS_ERRORS(X)
#undef X
    default:
        return "UNKNOWN";
    }
}
