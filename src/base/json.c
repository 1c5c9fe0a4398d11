#include "base/json.h"

#include <jansson.h>

char *tas_json_string(struct tas_bytes text) {
    json_t *value = json_stringn(text.len ? (const char *)text.ptr : "", text.len);
    char *out = value ? json_dumps(value, JSON_ENCODE_ANY) : NULL;
    json_decref(value);
    return out;
}
