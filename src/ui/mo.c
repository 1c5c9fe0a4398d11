#include "ui/mo.h"

enum { HEADER = 28, ENTRY = 8 };

static const uint32_t MAGIC = 0x950412de;

struct header {
    uint32_t n, originals, translations; /* how many; where their tables begin */
};

/* msgfmt writes little-endian files unless told otherwise (src/ui/meson.build). */
static bool get_u32(uint32_t *out, struct tas_bytes mo, uint64_t at) {
    if (at > mo.len || mo.len - at < 4)
        return false;
    const uint8_t *b = mo.ptr + at;
    *out = (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
    return true;
}

static bool get_header(struct header *out, struct tas_bytes mo) {
    uint32_t magic, revision;
    if (mo.len < HEADER || !get_u32(&magic, mo, 0) || !get_u32(&revision, mo, 4) || magic != MAGIC ||
        revision >> 16 != 0)
        return false;
    return get_u32(&out->n, mo, 8) && get_u32(&out->originals, mo, 12) && get_u32(&out->translations, mo, 16);
}

/* The text number i of a table; NULL unless all of it and its NUL lie inside. */
static const char *get_text(struct tas_bytes mo, uint32_t table, uint32_t i) {
    uint32_t len, at;
    uint64_t entry = (uint64_t)table + (uint64_t)i * ENTRY;
    if (!get_u32(&len, mo, entry) || !get_u32(&at, mo, entry + 4))
        return NULL;
    if (at >= mo.len || len >= mo.len - at || mo.ptr[at + len] != '\0')
        return NULL;
    return (const char *)mo.ptr + at;
}

/* The originals are sorted. */
const char *ui_mo_find(struct tas_bytes mo, const char *english) {
    struct header h;
    if (!get_header(&h, mo))
        return NULL;
    uint32_t low = 0, high = h.n;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const char *original = get_text(mo, h.originals, middle);
        if (!original)
            return NULL;
        int order = strcmp(english, original);
        if (order == 0)
            return get_text(mo, h.translations, middle);
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}
