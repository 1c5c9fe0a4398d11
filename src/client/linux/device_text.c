#include "client/linux/device_text_private.h"

#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_blank(uint32_t cp) {
    return cp <= 0x20 || (cp >= 0x7f && cp <= 0xa0);
}

/* The next character, '?' for a byte that is none. */
static uint32_t take_character(struct tas_reader *r) {
    struct tas_reader before = *r;
    uint32_t cp = tas_utf8_next(r);
    if (!r->bad)
        return cp;
    *r = before;
    tas_read_u8(r);
    return '?';
}

bool tas_device_clean(char out[TAS_DEVICE_TEXT + 1], struct tas_bytes in) {
    struct tas_reader r = tas_reader_of(in);
    size_t len = 0;
    bool is_gap = false;

    while (r.in.len > 0) {
        uint8_t bytes[4];
        uint32_t cp = take_character(&r);
        if (is_blank(cp)) {
            is_gap = len > 0;
            continue;
        }
        size_t n = tas_utf8_put(bytes, cp);
        if (!tas_utf8_is_plain(tas_bytes_of(bytes, n)))
            continue;
        if (len + is_gap + n > TAS_DEVICE_TEXT)
            break;
        if (is_gap)
            out[len++] = ' ';
        is_gap = false;
        memcpy(out + len, bytes, n);
        len += n;
    }
    out[len] = '\0';
    return len > 0;
}

static bool says_nothing(const char *text) {
    static const char *const empty[] = {
        "To be filled by O.E.M.",
        "To Be Filled By O.E.M",
        "Default string",
        "System Product Name",
        "System manufacturer",
        "System Version",
        "Not Specified",
        "Not Applicable",
        "None",
        "Unknown",
        "O.E.M.",
        "INVALID",
    };
    for (size_t i = 0; i < sizeof(empty) / sizeof(*empty); i++)
        if (strcasecmp(text, empty[i]) == 0)
            return true;
    return false;
}

void tas_device_set(struct tas_json *object, const char *name, struct tas_bytes text) {
    char clean[TAS_DEVICE_TEXT + 1];
    if (tas_device_clean(clean, text) && !says_nothing(clean))
        tas_json_set_text(object, name, clean);
}

struct tas_device_list tas_device_list_of(size_t room) {
    return (struct tas_device_list){.items = tas_json_list(), .room = room};
}

void tas_device_list_add(struct tas_device_list *list, struct tas_json *item) {
    char *text = tas_json_dump(item);
    size_t len = text ? strlen(text) + 1 : 0; /* and a comma; without memory the whole comes to nothing */
    free(text);
    if (len > list->room || list->more > 0) {
        list->more++;
        tas_json_free(item);
        return;
    }
    list->room -= len;
    tas_json_add(list->items, item);
}

void tas_device_list_add_text(struct tas_device_list *list, struct tas_bytes text) {
    char clean[TAS_DEVICE_TEXT + 1];
    if (!tas_device_clean(clean, text))
        return;
    /* At most twice its length with backslashes, the quotes and a comma. */
    size_t len = 2 * strlen(clean) + 3;
    if (len > list->room || list->more > 0) {
        list->more++;
        return;
    }
    list->room -= len;
    tas_json_add_text(list->items, clean);
}

void tas_device_list_give(struct tas_device_list *list, struct tas_json *object, struct tas_json *more,
                          const char *name) {
    if (list->more > 0)
        tas_json_set_int(more, name, list->more);
    if (!list->items || tas_json_len(list->items) > 0)
        tas_json_set(object, name, list->items); /* NULL breaks the object, as it should */
    else
        tas_json_free(list->items);
    *list = (struct tas_device_list){0};
}
