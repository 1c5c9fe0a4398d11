#include "base/utf8.h"

static uint32_t broken(struct tas_reader *r) {
    r->bad = true;
    return 0;
}

uint32_t tas_utf8_next(struct tas_reader *r) {
    uint8_t lead = tas_read_u8(r);
    if (r->bad || lead < 0x80)
        return lead;
    static const struct {
        uint8_t mask, value;
        uint32_t smallest;
    } forms[] = {{0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
    for (size_t extra = 1; extra <= 3; extra++) {
        if ((lead & forms[extra - 1].mask) != forms[extra - 1].value)
            continue;
        uint32_t cp = (uint32_t)(lead & ~forms[extra - 1].mask);
        for (size_t i = 0; i < extra; i++) {
            uint8_t next = tas_read_u8(r);
            if (r->bad || (next & 0xc0) != 0x80)
                return broken(r);
            cp = cp << 6 | (next & 0x3f);
        }
        bool is_surrogate = cp >= 0xd800 && cp <= 0xdfff;
        if (cp < forms[extra - 1].smallest || cp > 0x10ffff || is_surrogate)
            return broken(r);
        return cp;
    }
    return broken(r);
}

static bool is_control_or_bidi(uint32_t cp) {
    return cp < 0x20 || (cp >= 0x7f && cp <= 0x9f) || cp == 0x61c || cp == 0x200e || cp == 0x200f ||
           (cp >= 0x202a && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069);
}

static bool check(struct tas_bytes text, bool plain) {
    struct tas_reader r = tas_reader_of(text);
    while (r.in.len > 0) {
        uint32_t cp = tas_utf8_next(&r);
        if (r.bad || (plain && is_control_or_bidi(cp)))
            return false;
    }
    return true;
}

bool tas_utf8_is_valid(struct tas_bytes text) {
    return check(text, false);
}

bool tas_utf8_is_plain(struct tas_bytes text) {
    return check(text, true);
}

size_t tas_utf8_put(uint8_t out[4], uint32_t cp) {
    if (cp < 0x80) {
        out[0] = (uint8_t)cp;
        return 1;
    }
    size_t extra = cp < 0x800 ? 1 : cp < 0x10000 ? 2 : 3;
    static const uint8_t leads[] = {0, 0xc0, 0xe0, 0xf0};
    out[0] = (uint8_t)(leads[extra] | cp >> (6 * extra));
    for (size_t i = 1; i <= extra; i++)
        out[i] = (uint8_t)(0x80 | (cp >> (6 * (extra - i)) & 0x3f));
    return extra + 1;
}
