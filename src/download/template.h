/* Fills in texts. A template has {{name}}, which becomes the value of that name, escaped for HTML text and
 * quoted attributes, and {{#name}}...{{/name}}, which stays only when the name has a value, or
 * {{^name}}...{{/name}}, only when it has none. Templates are ours: one that is not well formed is a mistake
 * of this program. Pure. */
#pragma once

#include "base/buf.h"

struct download_value {
    const char *name; /* NULL closes a table */
    const char *text; /* NULL: it has no value */
};

/* Appends to `out`. TAS_E_FULL, TAS_E_NOMEM. */
TAS_MUST_USE int download_template_fill(struct tas_buf *out, const char *text,
                                        const struct download_value *values);
