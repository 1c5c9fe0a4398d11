#include "codec/frame_private.h"

#include <assert.h>

enum {
    FLAGS = TAS_FRAME_RESET | TAS_FRAME_RESET_MODEL | TAS_FRAME_LAST | TAS_FRAME_ROUGH | TAS_FRAME_QUICK,
    RESETS = TAS_FRAME_RESET | TAS_FRAME_RESET_MODEL,
};

size_t tas_frame_head_len(unsigned flags) {
    size_t len = flags & RESETS ? TAS_FRAME_START_LEN : TAS_FRAME_HEAD_LEN;
    return flags & TAS_FRAME_ROUGH ? len + TAS_FRAME_SECTIONS_LEN : len;
}

void tas_frame_head_encode(uint8_t *out, const struct tas_frame_head *head) {
    struct tas_writer w = tas_writer_of(out, tas_frame_head_len(head->flags));
    bool is_start = head->flags & RESETS;
    tas_write_u8(&w, head->flags);
    tas_write_u32(&w, head->capture_us);
    tas_write_uint(&w, is_start ? head->stream : head->stream & 0xff, is_start ? 4 : 1);
    tas_write_uint(&w, is_start ? head->seq : head->seq & 0xffff, is_start ? 4 : 2);
    if (head->flags & TAS_FRAME_ROUGH)
        tas_write_uint(&w, head->sections_len, TAS_FRAME_SECTIONS_LEN);
    assert(!w.bad && w.len == w.cap);
}

int tas_frame_head_decode(struct tas_frame_head *out, struct tas_bytes frame) {
    struct tas_reader r = tas_reader_of(frame);
    struct tas_frame_head head = {.flags = tas_read_u8(&r)};
    head.is_start = head.flags & RESETS;
    head.capture_us = tas_read_u32(&r);
    head.stream = (uint32_t)tas_read_uint(&r, head.is_start ? 4 : 1);
    head.seq = (uint32_t)tas_read_uint(&r, head.is_start ? 4 : 2);
    if (head.flags & TAS_FRAME_ROUGH)
        head.sections_len = (uint32_t)tas_read_uint(&r, TAS_FRAME_SECTIONS_LEN);
    if (r.bad || head.flags & ~FLAGS || (head.flags & RESETS) == RESETS || (head.is_start && head.seq == 0))
        return TAS_E_PROTO;
    *out = head;
    return TAS_OK;
}

void tas_section_encode(struct tas_writer *w, const struct tas_section *section, size_t data_len) {
    const struct tas_rough_region *region = &section->region;
    tas_write_u8(w, (uint8_t)section->kind);
    switch (section->kind) {
    case TAS_SECTION_JPEG:
        tas_write_u8(w, section->quality);
        tas_write_u8(w, section->is_full_colour);
        break;
    case TAS_SECTION_VIDEO:
        tas_write_u8(w, region->id);
        tas_write_u8(w, region->codec);
        tas_write_u8(w, region->is_start);
        tas_write_u16(w, region->x);
        tas_write_u16(w, region->y);
        tas_write_u16(w, region->width);
        tas_write_u16(w, region->height);
        break;
    case TAS_SECTION_CLOSE:
        tas_write_u8(w, region->id);
        return;
    }
    tas_write_uint(w, data_len, 3);
}

static void read_region(struct tas_reader *r, struct tas_rough_region *region) {
    uint8_t is_start;
    region->id = tas_read_u8(r);
    region->codec = tas_read_u8(r);
    is_start = tas_read_u8(r);
    region->is_start = is_start;
    region->x = tas_read_u16(r);
    region->y = tas_read_u16(r);
    region->width = tas_read_u16(r);
    region->height = tas_read_u16(r);
    bool is_sound = is_start <= 1 && region->id < TAS_REGIONS && region->width > 0 && region->height > 0 &&
                    region->width % 2 == 0 && region->height % 2 == 0;
    r->bad = r->bad || !is_sound;
}

int tas_section_decode(struct tas_reader *r, struct tas_section *out) {
    struct tas_section section = {.kind = tas_read_u8(r)};
    uint8_t is_full_colour;
    switch (section.kind) {
    case TAS_SECTION_JPEG:
        section.quality = tas_read_u8(r);
        is_full_colour = tas_read_u8(r);
        section.is_full_colour = is_full_colour;
        r->bad = r->bad || section.quality < 1 || section.quality > 100 || is_full_colour > 1;
        break;
    case TAS_SECTION_VIDEO:
        read_region(r, &section.region);
        break;
    case TAS_SECTION_CLOSE:
        section.region.id = tas_read_u8(r);
        if (r->bad || section.region.id >= TAS_REGIONS)
            return TAS_E_PROTO;
        *out = section;
        return TAS_OK;
    default:
        return TAS_E_PROTO;
    }
    section.data = tas_read_bytes(r, (size_t)tas_read_uint(r, 3));
    if (r->bad)
        return TAS_E_PROTO;
    *out = section;
    return TAS_OK;
}
