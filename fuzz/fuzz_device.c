/* What Linux tells of the machine: the parser by the first byte. Laws: whatever comes in, the JSON that comes
 * out can be written, is plain text within its limits, and can be read; paths are absolute and end. */
#include "client/linux/device_parse_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { ROOM = 1000 };

static void texts_are_short(const struct tas_json *value) {
    const char *text = tas_json_text(value);
    assert(!text || strlen(text) <= TAS_DEVICE_TEXT);
    for (size_t i = 0; i < tas_json_len(value); i++) {
        static const char *const names[] = {"name", "description", "model", "location", "status"};
        texts_are_short(tas_json_at(value, i));
        for (size_t k = 0; k < sizeof(names) / sizeof(*names); k++)
            texts_are_short(tas_json_get(tas_json_at(value, i), names[k]));
    }
}

/* Frees it. */
static void is_sound(struct tas_json *json, size_t max) {
    char why[TAS_JSON_WHY];
    char *text = tas_json_dump(json);
    assert(text && strlen(text) <= max && tas_json_is_plain(json));
    struct tas_json *again = tas_json_parse(tas_bytes_of(text, strlen(text)), why);
    assert(again);
    texts_are_short(json);
    tas_json_free(again);
    tas_json_free(json);
    free(text);
}

static void member(void (*parse)(struct tas_json *, struct tas_bytes), struct tas_bytes in) {
    struct tas_json *object = tas_json_object();
    parse(object, in);
    is_sound(object, 5 * (2 * TAS_DEVICE_TEXT + 40));
}

static void items(void (*parse)(struct tas_device_list *, struct tas_bytes), struct tas_bytes in) {
    struct tas_device_list list = tas_device_list_of(ROOM);
    parse(&list, in);
    assert(list.more >= 0 && (size_t)list.more + tas_json_len(list.items) <= in.len);
    is_sound(list.items, ROOM + 2);
}

static void graphics(struct tas_bytes in) {
    const uint8_t *end = in.len ? memchr(in.ptr, 0, in.len) : NULL;
    size_t head = end ? (size_t)(end - in.ptr) : in.len;
    struct tas_device_list list = tas_device_list_of(ROOM);
    tas_device_graphics(&list, tas_bytes_of(in.ptr, head), tas_bytes_of(in.ptr + head, in.len - head));
    is_sound(list.items, ROOM + 2);
}

static void mounts(struct tas_bytes in) {
    struct tas_device_mount out[TAS_DEVICE_MOUNTS];
    size_t more;
    size_t n = tas_device_mounts(out, in, &more);
    assert(n <= TAS_DEVICE_MOUNTS && (more == 0 || n == TAS_DEVICE_MOUNTS));
    for (size_t i = 0; i < n; i++) {
        assert(out[i].path[0] == '/' && strnlen(out[i].path, TAS_DEVICE_PATH) < TAS_DEVICE_PATH);
        assert(out[i].device.ptr >= in.ptr && out[i].device.ptr + out[i].device.len <= in.ptr + in.len);
        for (size_t k = 0; k < i; k++)
            assert(!tas_bytes_equal(out[i].device, out[k].device));
    }
}

static void inside(struct tas_bytes part, struct tas_bytes in) {
    assert(part.len == 0 || (part.ptr >= in.ptr && part.ptr + part.len <= in.ptr + in.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    static void (*const members[])(struct tas_json *, struct tas_bytes) = {
        tas_device_os, tas_device_cpu, tas_device_memory, tas_device_uptime, tas_device_keyboard};
    static void (*const lists[])(struct tas_device_list *, struct tas_bytes) = {
        tas_device_sound, tas_device_printers, tas_device_printcap, tas_device_lpoptions, tas_device_battery};
    if (len == 0)
        return 0;
    struct tas_bytes in = tas_bytes_of(data + 1, len - 1);
    char which = (char)data[0];
    if (which >= '0' && which <= '4')
        member(members[which - '0'], in);
    if (which >= '5' && which <= '9')
        items(lists[which - '5'], in);
    if (which == 'g')
        graphics(in);
    if (which == 'm')
        mounts(in);
    if (which == 'e')
        inside(tas_device_edid_name(in), in);
    if (which == 'u')
        inside(tas_device_user(in, 1000), in);
    return 0;
}
