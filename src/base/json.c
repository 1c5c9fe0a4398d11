#include "base/json.h"

#include "base/hex.h"
#include "base/id.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

/* A struct tas_json is jansson's json_t under another name: no other folder sees the library. */
static json_t *of(const struct tas_json *json) {
    return (json_t *)(uintptr_t)json;
}
static struct tas_json *out_of(const json_t *value) {
    return (struct tas_json *)(uintptr_t)value;
}

/* Set in an object in which something could not be stored: it must not be sent half. No UTF-8, so that
 * nothing that was parsed can hold it. */
static const char broken[] = "\xff"
                             "broken";

char *tas_json_string(struct tas_bytes text) {
    json_t *value = json_stringn(text.len ? (const char *)text.ptr : "", text.len);
    char *out = value ? json_dumps(value, JSON_ENCODE_ANY) : NULL;
    json_decref(value);
    return out;
}

/* ---- parsing ---- */

int tas_json_depth(struct tas_bytes text) {
    int depth = 0;
    int most = 0;
    bool in_string = false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            depth++;
            most = depth > most ? depth : most;
        } else if (c == '}' || c == ']') {
            depth--;
        }
    }
    return most;
}

struct tas_json *tas_json_parse(struct tas_bytes text, char why[TAS_JSON_WHY]) {
    json_error_t error;
    /* jansson's own limit on depth (2048) is more than a stack of a small thread bears: look before it does.
     */
    if (tas_json_depth(text) > TAS_JSON_DEPTH) {
        snprintf(why, TAS_JSON_WHY, "not JSON: nested deeper than %d", TAS_JSON_DEPTH);
        return NULL;
    }
    json_t *value =
        json_loadb(text.len ? (const char *)text.ptr : "", text.len, JSON_REJECT_DUPLICATES, &error);
    if (!value) {
        snprintf(why, TAS_JSON_WHY, "not JSON: %s (line %d, column %d)", error.text, error.line,
                 error.column);
        return NULL;
    }
    return out_of(value);
}

void tas_json_free(struct tas_json *json) {
    json_decref(of(json));
}

/* ---- reading by a table ---- */

/* Line feeds and tabs count as spaces here. */
static bool lines_are_plain(const char *text, size_t len) {
    size_t start = 0;
    for (size_t i = 0; i <= len; i++) {
        if (i < len && text[i] != '\n' && text[i] != '\t')
            continue;
        if (!tas_utf8_is_plain(tas_bytes_of(text + start, i - start)))
            return false;
        start = i + 1;
    }
    return true;
}

static const char *read_text(json_t *value, const struct tas_json_field *f, char *place) {
    if (!json_is_string(value))
        return "must be a text";
    const char *text = json_string_value(value);
    size_t len = json_string_length(value);
    if (len < (size_t)f->min)
        return f->min == 1 ? "must not be empty" : "is too short";
    if (len > (size_t)f->max)
        return "is too long";
    bool is_plain =
        f->kind == TAS_JSON_LINES ? lines_are_plain(text, len) : tas_utf8_is_plain(tas_bytes_of(text, len));
    if (!is_plain)
        return "holds control characters or characters that change the direction of writing";
    memcpy(place, text, len);
    place[len] = '\0';
    return NULL;
}

static const char *read_value(json_t *value, const struct tas_json_field *f, void *place) {
    switch (f->kind) {
    case TAS_JSON_TEXT:
    case TAS_JSON_LINES:
        return read_text(value, f, place);
    case TAS_JSON_HEX:
        return json_is_string(value) &&
                       tas_hex_decode(place, (size_t)f->max, json_string_value(value)) == TAS_OK
                   ? NULL
                   : "must be hexadecimal digits, as many as the field has";
    case TAS_JSON_ID:
        return json_is_string(value) && tas_id_decode(place, json_string_value(value)) == TAS_OK
                   ? NULL
                   : "must be an id of 13 characters";
    case TAS_JSON_INT:
        if (!json_is_integer(value) || json_integer_value(value) < f->min ||
            json_integer_value(value) > f->max)
            return "must be a whole number in its range";
        *(int64_t *)place = json_integer_value(value);
        return NULL;
    case TAS_JSON_BOOL:
        if (!json_is_boolean(value))
            return "must be true or false";
        *(bool *)place = json_is_true(value);
        return NULL;
    case TAS_JSON_LIST:
        if (!json_is_array(value) || json_array_size(value) < (size_t)f->min ||
            json_array_size(value) > (size_t)f->max)
            return "must be a list with as many members as are allowed";
        *(const struct tas_json **)place = out_of(value);
        return NULL;
    case TAS_JSON_OBJECT:
        if (!json_is_object(value))
            return "must be an object";
        *(const struct tas_json **)place = out_of(value);
        return NULL;
    }
    return "cannot be read";
}

static const struct tas_json_field *field_named(const struct tas_json_field *fields, const char *name) {
    for (; fields->name; fields++)
        if (strcmp(fields->name, name) == 0)
            return fields;
    return NULL;
}

int tas_json_read(const struct tas_json *json, const struct tas_json_field *fields, void *out,
                  char why[TAS_JSON_WHY]) {
    const char *key;
    json_t *value;
    if (!json_is_object(of(json))) {
        snprintf(why, TAS_JSON_WHY, "an object is expected");
        return TAS_E_PROTO;
    }
    json_object_foreach(of(json), key, value) {
        const struct tas_json_field *f = field_named(fields, key);
        if (!f) {
            snprintf(why, TAS_JSON_WHY, "an unknown member; known are: ");
            for (f = fields; f->name; f++)
                snprintf(why + strlen(why), TAS_JSON_WHY - strlen(why), "%s%s", f == fields ? "" : ", ",
                         f->name);
            return TAS_E_PROTO;
        }
        if (json_is_null(value) && f->is_optional)
            continue;
        const char *wrong = read_value(value, f, (uint8_t *)out + f->offset);
        if (wrong && (f->kind == TAS_JSON_INT))
            snprintf(why, TAS_JSON_WHY, "%s must be a whole number from %" PRId64 " to %" PRId64, f->name,
                     f->min, f->max);
        else if (wrong)
            snprintf(why, TAS_JSON_WHY, "%s %s (%" PRId64 " to %" PRId64 ")", f->name, wrong, f->min, f->max);
        if (wrong)
            return TAS_E_PROTO;
    }
    for (const struct tas_json_field *f = fields; f->name; f++) {
        if (f->is_optional || json_object_get(of(json), f->name))
            continue;
        snprintf(why, TAS_JSON_WHY, "%s is missing", f->name);
        return TAS_E_PROTO;
    }
    return TAS_OK;
}

size_t tas_json_len(const struct tas_json *list) {
    return json_array_size(of(list));
}
const struct tas_json *tas_json_at(const struct tas_json *list, size_t i) {
    return out_of(json_array_get(of(list), i));
}
const struct tas_json *tas_json_get(const struct tas_json *object, const char *name) {
    return out_of(json_object_get(of(object), name));
}
const char *tas_json_text(const struct tas_json *value) {
    return json_string_value(of(value));
}
int64_t tas_json_number(const struct tas_json *value, int64_t otherwise) {
    return json_is_integer(of(value)) ? json_integer_value(of(value)) : otherwise;
}
const char *tas_json_get_text(const struct tas_json *object, const char *name) {
    return json_string_value(json_object_get(of(object), name));
}
int64_t tas_json_get_int(const struct tas_json *object, const char *name, int64_t otherwise) {
    json_t *value = json_object_get(of(object), name);
    return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

bool tas_json_is_plain(const struct tas_json *value) {
    const char *key;
    json_t *member;
    size_t i;
    json_t *v = of(value);
    if (json_is_string(v))
        return lines_are_plain(json_string_value(v), json_string_length(v));
    json_object_foreach(v, key, member) {
        if (!lines_are_plain(key, strlen(key)) || !tas_json_is_plain(out_of(member)))
            return false;
    }
    json_array_foreach(v, i, member) {
        if (!tas_json_is_plain(out_of(member)))
            return false;
    }
    return true;
}

/* ---- building ---- */

struct tas_json *tas_json_object(void) {
    return out_of(json_object());
}
struct tas_json *tas_json_list(void) {
    return out_of(json_array());
}

static void put(struct tas_json *object, const char *name, json_t *value) {
    if (object && json_object_set_new(of(object), name, value) != 0)
        json_object_set_new_nocheck(of(object), broken, json_null());
    else if (!object)
        json_decref(value);
}

void tas_json_set_text(struct tas_json *object, const char *name, const char *text) {
    put(object, name, text ? json_string(text) : json_null());
}
void tas_json_set_int(struct tas_json *object, const char *name, int64_t value) {
    put(object, name, json_integer(value));
}
void tas_json_set_bool(struct tas_json *object, const char *name, bool value) {
    put(object, name, json_boolean(value));
}
void tas_json_set_id(struct tas_json *object, const char *name, uint64_t id) {
    char text[TAS_ID_CAP];
    put(object, name, json_string(tas_id_encode(text, id)));
}
void tas_json_set_hex(struct tas_json *object, const char *name, struct tas_bytes bytes) {
    char *text = malloc(2 * bytes.len + 1);
    if (text)
        tas_hex_encode(text, bytes);
    put(object, name, text ? json_string(text) : NULL);
    free(text);
}
void tas_json_set(struct tas_json *object, const char *name, struct tas_json *value) {
    put(object, name, of(value));
}
void tas_json_set_null(struct tas_json *object, const char *name) {
    put(object, name, json_null());
}
void tas_json_add(struct tas_json *list, struct tas_json *value) {
    if (!list)
        json_decref(of(value));
    else if (json_array_append_new(of(list), of(value)) != 0)
        json_array_append_new(of(list), json_string_nocheck(broken));
}
struct tas_json *tas_json_int(int64_t value) {
    return out_of(json_integer(value));
}
void tas_json_add_text(struct tas_json *list, const char *text) {
    tas_json_add(list, out_of(json_string(text)));
}
struct tas_json *tas_json_copy(const struct tas_json *value) {
    return out_of(json_incref(of(value)));
}

static bool is_broken(json_t *value) {
    const char *key;
    json_t *member;
    size_t i;
    if (json_object_get(value, broken) ||
        (json_is_string(value) && strcmp(json_string_value(value), broken) == 0))
        return true;
    json_object_foreach(value, key, member) {
        if (is_broken(member))
            return true;
    }
    json_array_foreach(value, i, member) {
        if (is_broken(member))
            return true;
    }
    return false;
}

char *tas_json_dump(const struct tas_json *json) {
    if (!json || is_broken(of(json)))
        return NULL;
    return json_dumps(of(json), JSON_COMPACT | JSON_ENCODE_ANY);
}
