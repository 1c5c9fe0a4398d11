/* How a headless end is driven: commands as lines on standard input, what happens as lines of JSON on
 * standard output. */
#pragma once

#include "base/json.h"
#include "net/loop.h"

struct headless_io;

/* Calls on_line for every line (without its end) of standard input; on_end once it is closed. Lines are at
 * most 16 KiB, longer ones are refused with an error event. NULL: no memory. */
struct headless_io *headless_io_new(struct tas_loop *loop, void (*on_line)(void *ctx, char *line),
                                    void (*on_end)(void *ctx), void *ctx);
void headless_io_free(struct headless_io *io); /* NULL is fine */

/* Writes {"event":"NAME"FIELDS}; `fields` is printf text that starts with a comma, or "". */
void headless_say(const char *event, const char *fields, ...) TAS_PRINTF(2, 3);

/* Writes an event that was built as JSON; takes it. */
void headless_tell(struct tas_json *event);

/* {"event":NAME}, to be filled and told. */
struct tas_json *headless_event(const char *event);

/* Splits off the first word of `line`; *rest is what follows the space. */
const char *headless_word(char *line, char **rest);
