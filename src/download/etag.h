/* The If-None-Match header of a request (RFC 9110 section 13.1.2). Pure. */
#pragma once

#include <stdbool.h>

/* Does `header` ("*", or a list such as "\"abc\", W/\"def\"") name `etag`, which is written with its quotes?
 * Compared weakly, as the section asks for. False: it does not, or is empty or not well formed. */
bool download_etag_is_in(const char *header, const char *etag);
