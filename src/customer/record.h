/* The customer's own copy of the record: what happened, when, in plain words. In memory until it is saved. */
#pragma once

#include "base/err.h"

#include <stddef.h>

struct record;

enum {
    RECORD_LINES = 2000, /* of those that may be dropped */
    RECORD_NEAR = 8,     /* so far back a repetition is looked for */
};

enum record_kind {
    RECORD_DECISION, /* consent, begin and end: each is a line of its own, and is never dropped. As many as
                      * the person's own hands can make */
    RECORD_EVENT, /* what the other end or the line can cause. One like it among the last RECORD_NEAR lines,
                   * and after the last decision, is counted there. Beyond RECORD_LINES the oldest are
                   * dropped, and the file says so */
    RECORD_ALARM, /* detail: a sentence for ui_alarm(). Never dropped; one like it is counted there */
};

struct record *record_new(void);         /* NULL: no memory */
void record_free(struct record *record); /* wipes; NULL is fine */

/* `text`: what happened, English, of the catalogue (static); `detail`: a name or what was said, made plain
 * (ui/plain.h) and one line; NULL: none; copied. Without memory an event is dropped for it, or it is itself.
 */
void record_add(struct record *record, enum record_kind kind, const char *text, const char *detail);

/* Writes it as UTF-8 text in the language in force. The file must not exist yet. TAS_E_IO: errno. */
TAS_MUST_USE int record_save(const struct record *record, const char *path);
