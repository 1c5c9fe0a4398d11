/* Text from anywhere on its way into the device information: made harmless, bounded, and lists that are cut
 * when their room is used up. */
#pragma once

#include "base/bytes.h"
#include "base/json.h"

enum { TAS_DEVICE_TEXT = 96 }; /* most bytes of one text */

/* Plain UTF-8 (base/utf8.h) of at most TAS_DEVICE_TEXT bytes, ended by a NUL: what is no UTF-8 becomes '?',
 * runs of blanks and control characters one blank, characters that change the direction of writing nothing.
 * False: nothing is left. */
bool tas_device_clean(char out[TAS_DEVICE_TEXT + 1], struct tas_bytes in);

/* Sets a member to the cleaned text, unless nothing is left, or only what makers leave in when they should
 * have written something ("To be filled by O.E.M."). */
void tas_device_set(struct tas_json *object, const char *name, struct tas_bytes text);

/* A list of at most `room` bytes of JSON. */
struct tas_device_list {
    struct tas_json *items; /* owned; NULL: no memory */
    size_t room;
    int64_t more; /* that did not fit */
};

struct tas_device_list tas_device_list_of(size_t room);

/* Takes an item (NULL: no memory). */
void tas_device_list_add(struct tas_device_list *list, struct tas_json *item);
void tas_device_list_add_text(struct tas_device_list *list, struct tas_bytes text);

/* Gives the list to the object, unless it is empty; what did not fit is counted in `more` under its name. */
void tas_device_list_give(struct tas_device_list *list, struct tas_json *object, struct tas_json *more,
                          const char *name);
