#include "download/language.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

static const char *const names[DOWNLOAD_LANGUAGES] = {[DOWNLOAD_EN] = "en", [DOWNLOAD_JA] = "ja"};

/* "ja" and "ja-JP" are Japanese, "jav" is not. DOWNLOAD_LANGUAGES: one that we do not have. */
static enum download_language language_of(const char *tag, size_t len) {
    for (int i = 0; i < DOWNLOAD_LANGUAGES; i++)
        if (len >= 2 && strncasecmp(tag, names[i], 2) == 0 && (len == 2 || tag[2] == '-'))
            return (enum download_language)i;
    return DOWNLOAD_LANGUAGES;
}

/* "0.8" in thousandths; 0: not a weight, or not wanted. */
static int read_weight(const char *text, size_t len) {
    int weight = 0;
    int unit = 1000;
    for (size_t i = 0; i < len; i++) {
        if (i == 1 ? text[i] != '.' : text[i] < '0' || text[i] > '9')
            return 0;
        if (i == 1)
            continue;
        weight += (text[i] - '0') * unit;
        unit /= 10;
    }
    return len > 0 && len <= 5 && weight <= 1000 ? weight : 0;
}

/* What stands behind the tag: ";q=0.8", with blanks about it, or nothing. */
static int weight_of(const char *at, const char *end) {
    at += strspn(at, " \t");
    if (at >= end)
        return 1000;
    if (*at++ != ';')
        return 0;
    at += strspn(at, " \t");
    if (end - at < 2 || strncasecmp(at, "q=", 2) != 0)
        return 0;
    at += 2;
    size_t len = strcspn(at, " \t,");
    const char *rest = at + len + strspn(at + len, " \t");
    return rest == end ? read_weight(at, len) : 0;
}

enum download_language download_language_choose(const char *wanted, const char *accept) {
    enum download_language best = language_of(wanted, strlen(wanted) == 2 ? 2 : 0);
    int best_weight = 0;
    if (best != DOWNLOAD_LANGUAGES)
        return best;
    for (const char *at = accept; *at;) {
        at += strspn(at, " \t,");
        const char *end = at + strcspn(at, ",");
        size_t len = strcspn(at, " \t,;");
        enum download_language language = language_of(at, len);
        int weight = language == DOWNLOAD_LANGUAGES ? 0 : weight_of(at + len, end);
        if (weight > best_weight) {
            best = language;
            best_weight = weight;
        }
        at = end;
    }
    return best == DOWNLOAD_LANGUAGES ? DOWNLOAD_EN : best;
}
