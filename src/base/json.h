/* JSON (jansson underneath), strict: UTF-8, no duplicate keys, bounded depth. What comes from outside is read
 * by a table of fields into a struct; what goes out is built by calls that cannot be forgotten halfway. */
#pragma once

#include "base/bytes.h"
#include "base/err.h"

/* `text` (UTF-8) as a JSON string with its quotes. Owned by the caller, free(). NULL: not UTF-8, or no
 * memory. */
char *tas_json_string(struct tas_bytes text);

struct tas_json; /* one value with all that is in it */

enum { TAS_JSON_WHY = 256, TAS_JSON_DEPTH = 8 };

/* How deep the lists and objects of a text that may be JSON are nested: "[{}]" is 2. */
int tas_json_depth(struct tas_bytes text);

/* Parses exactly one value. NULL: `why` says what is wrong and where (line, column). Owned. */
struct tas_json *tas_json_parse(struct tas_bytes text, char why[TAS_JSON_WHY]);
void tas_json_free(struct tas_json *json); /* NULL is fine */

/* ---- reading by a table ---- */

enum tas_json_kind {
    TAS_JSON_TEXT,  /* -> char[max + 1]: UTF-8 without control and bidi characters, min..max bytes */
    TAS_JSON_LINES, /* -> char[max + 1]: the same, line feeds and tabs allowed */
    TAS_JSON_HEX,   /* -> uint8_t[max]: exactly 2*max hexadecimal digits */
    TAS_JSON_ID,    /* -> uint64_t: 13 characters (base/id.h) */
    TAS_JSON_INT,   /* -> int64_t: min..max */
    TAS_JSON_BOOL,  /* -> bool */
    TAS_JSON_LIST,  /* -> const struct tas_json *: min..max members, borrowed */
    TAS_JSON_OBJECT /* -> const struct tas_json *: borrowed */
};

struct tas_json_field {
    const char *name; /* NULL closes a table */
    enum tas_json_kind kind;
    bool is_optional; /* when absent or null, the place in `out` stays as it is */
    int64_t min, max;
    size_t offset; /* of the place in `out` */
};

/* Reads an object's members into the struct at `out` (zeroed by the caller). TAS_E_PROTO: not an object, a
 * member that is not in the table, one missing, of the wrong kind or outside its range; `why` names it. */
TAS_MUST_USE int tas_json_read(const struct tas_json *json, const struct tas_json_field *fields, void *out,
                               char why[TAS_JSON_WHY]);

/* Members of a list (0: not a list) and member i; borrowed. Of an object: by name, NULL when absent. */
size_t tas_json_len(const struct tas_json *list);
const struct tas_json *tas_json_at(const struct tas_json *list, size_t i);
const struct tas_json *tas_json_get(const struct tas_json *object, const char *name);

/* A text (NULL: not one) or number (`otherwise`: not one) of an object; for answers of our own servers. Text
 * is borrowed. */
const char *tas_json_get_text(const struct tas_json *object, const char *name);
int64_t tas_json_get_int(const struct tas_json *object, const char *name, int64_t otherwise);
const char *tas_json_text(const struct tas_json *value); /* NULL: not a text */
int64_t tas_json_number(const struct tas_json *value, int64_t otherwise);

/* Are all texts in it, names of members too, free of control characters (but line feeds and tabs) and of
 * characters that change the direction of writing? For values that are kept as they came. */
bool tas_json_is_plain(const struct tas_json *value);

/* ---- building ---- */

/* An empty object or list; NULL: no memory. All tas_json_set_* take NULL for `object` and remember a failure:
 * tas_json_dump() then gives NULL. */
struct tas_json *tas_json_object(void);
struct tas_json *tas_json_list(void);

void tas_json_set_text(struct tas_json *object, const char *name, const char *text); /* NULL text: null */
void tas_json_set_int(struct tas_json *object, const char *name, int64_t value);
void tas_json_set_bool(struct tas_json *object, const char *name, bool value);
void tas_json_set_id(struct tas_json *object, const char *name, uint64_t id);
void tas_json_set_hex(struct tas_json *object, const char *name, struct tas_bytes bytes);
void tas_json_set(struct tas_json *object, const char *name, struct tas_json *value); /* takes value */
void tas_json_set_null(struct tas_json *object, const char *name);
void tas_json_add(struct tas_json *list, struct tas_json *value); /* takes value */
struct tas_json *tas_json_int(int64_t value);                     /* for tas_json_add(); NULL: no memory */
void tas_json_add_text(struct tas_json *list, const char *text);

/* A second reference to a value, for putting what was parsed into what is built. NULL for NULL. */
struct tas_json *tas_json_copy(const struct tas_json *value);

/* Compact text with members in the order in which they were set. Owned, free(). NULL: something failed. */
char *tas_json_dump(const struct tas_json *json);
