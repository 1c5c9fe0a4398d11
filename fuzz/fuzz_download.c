/* What the download server reads of a request's head. The first byte says which header it is, the next eight
 * a file's size. Laws: a part lies in the file; written anew it is read the same; blanks and empty members
 * change nothing; a tag in a list is found however the list goes on before it. */
#include "download/etag.h"
#include "download/language.h"
#include "download/range.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RANGE, ETAG, LANGUAGE, KINDS };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void range_again(const char *front, const char *back, struct download_part part, uint64_t size) {
    char text[96];
    struct download_part again = {0};
    int n = snprintf(text, sizeof(text), "%s%" PRIu64 "-%" PRIu64 "%s", front, part.first,
                     part.first + part.len - 1, back);
    assert(n > 0 && n < (int)sizeof(text));
    assert(download_range_read(&again, text, size) == DOWNLOAD_PART);
    assert(again.first == part.first && again.len == part.len);
}

static void check_range(const char *header, uint64_t size) {
    struct download_part part = {0};
    if (download_range_read(&part, header, size) != DOWNLOAD_PART)
        return;
    assert(part.len > 0 && part.first < size && part.len <= size - part.first);
    range_again("bytes=", "", part, size);
    range_again("Bytes= ,, ", "\t,", part, size);
}

static void check_etag(const char *header) {
    static const char tag[] = "\"0123456789abcdef\"";
    (void)download_etag_is_in(header, tag);
    assert(download_etag_is_in(tag, tag));
    /* What is a list of tags stays one with another at its front. */
    size_t cap = strlen(header) + 2 * sizeof(tag);
    char *longer = malloc(cap);
    assert(longer);
    snprintf(longer, cap, "W/%s,%s", tag, header);
    assert(download_etag_is_in(longer, tag));
    snprintf(longer, cap, "\"other\", %s", header);
    if (header[0] != '*')
        assert(download_etag_is_in(longer, tag) == download_etag_is_in(header, tag));
    free(longer);
}

static void check_language(const char *header) {
    enum download_language language = download_language_choose("", header);
    assert(language == DOWNLOAD_EN || language == DOWNLOAD_JA);
    assert(download_language_choose("ja", header) == DOWNLOAD_JA);
    assert(download_language_choose("en", header) == DOWNLOAD_EN);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    uint64_t size = 0;
    if (len < 9)
        return 0;
    for (size_t i = 1; i < 9; i++)
        size = size << 8 | data[i];
    char *text = calloc(1, len - 9 + 1); /* a header ends at the first zero */
    assert(text);
    memcpy(text, data + 9, len - 9);
    switch (data[0] % KINDS) {
    case RANGE:
        check_range(text, size ? size : 1);
        break;
    case ETAG:
        check_etag(text);
        break;
    default:
        check_language(text);
        break;
    }
    free(text);
    return 0;
}
