/* The Range header of a request (RFC 9110 section 14): which part of a file is wanted. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum download_range {
    DOWNLOAD_WHOLE,         /* none, not understood, or several: the whole file answers all of these */
    DOWNLOAD_PART,          /* one part, which lies in the file */
    DOWNLOAD_UNSATISFIABLE, /* one part, which lies behind the file's end, or is empty */
};

struct download_part {
    uint64_t first, len; /* bytes; len > 0, first + len <= size */
};

/* `header`: as it came, "" when there was none. size: of the file, bytes, > 0. `out` is written for
 * DOWNLOAD_PART only. */
enum download_range download_range_read(struct download_part *out, const char *header, uint64_t size);
