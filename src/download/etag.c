#include "download/etag.h"

#include <stddef.h>
#include <string.h>

bool download_etag_is_in(const char *header, const char *etag) {
    size_t len = strlen(etag);
    if (header[0] == '*')
        return header[1] == '\0';
    for (const char *at = header;;) {
        at += strspn(at, " \t,");
        if (strncmp(at, "W/", 2) == 0)
            at += 2;
        const char *end = at[0] == '"' ? strchr(at + 1, '"') : NULL;
        if (!end)
            return false;
        if ((size_t)(end + 1 - at) == len && memcmp(at, etag, len) == 0)
            return true;
        at = end + 1;
    }
}
