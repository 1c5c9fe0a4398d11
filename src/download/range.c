#include "download/range.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* "first-last", "first-" or "-last" (then `last` counts from the end). */
struct spec {
    bool has_first, has_last;
    uint64_t first, last;
};

/* Digits at *at; what no number of 64 bits holds becomes the largest. False: there are none. */
static bool read_number(const char **at, uint64_t *out) {
    const char *start = *at;
    uint64_t value = 0;
    for (; **at >= '0' && **at <= '9'; (*at)++) {
        uint64_t digit = (uint64_t)(**at - '0');
        value = value > (UINT64_MAX - digit) / 10 ? UINT64_MAX : value * 10 + digit;
    }
    *out = value;
    return *at != start;
}

static bool read_spec(const char **at, struct spec *out) {
    struct spec spec = {0};
    spec.has_first = read_number(at, &spec.first);
    if (*(*at)++ != '-')
        return false;
    spec.has_last = read_number(at, &spec.last);
    *out = spec;
    return spec.has_first ? !spec.has_last || spec.first <= spec.last : spec.has_last;
}

/* The list's only part: 1; none or several: another number; not a list of parts: 0. */
static size_t read_list(const char *at, struct spec *out) {
    size_t n = 0;
    for (;;) {
        at += strspn(at, " \t,"); /* empty members are allowed (RFC 9110 section 5.6.1.2) */
        if (!*at)
            return n;
        if (!read_spec(&at, out))
            return 0;
        n++;
        at += strspn(at, " \t");
        if (*at && *at != ',')
            return 0;
    }
}

enum download_range download_range_read(struct download_part *out, const char *header, uint64_t size) {
    static const char unit[] = "bytes=";
    size_t unit_len = sizeof(unit) - 1;
    struct spec spec;
    if (strncasecmp(header, unit, unit_len) != 0 || read_list(header + unit_len, &spec) != 1)
        return DOWNLOAD_WHOLE;
    if (!spec.has_first) {
        uint64_t len = spec.last < size ? spec.last : size;
        if (len == 0)
            return DOWNLOAD_UNSATISFIABLE;
        *out = (struct download_part){.first = size - len, .len = len};
        return DOWNLOAD_PART;
    }
    if (spec.first >= size)
        return DOWNLOAD_UNSATISFIABLE;
    uint64_t last = spec.has_last && spec.last < size ? spec.last : size - 1;
    *out = (struct download_part){.first = spec.first, .len = last - spec.first + 1};
    return DOWNLOAD_PART;
}
