#include "codec/sections.h"

#include "codec/frame_private.h"

static int read_sections(struct tas_reader *r, struct tas_rough_section *out, unsigned *count) {
    unsigned n = 0, seen = 0;
    while (r->in.len > 0) {
        struct tas_section section;
        if (seen++ == TAS_SECTIONS_MAX || tas_section_decode(r, &section) != TAS_OK)
            return TAS_E_PROTO;
        if (section.kind == TAS_SECTION_CLOSE)
            continue;
        out[n++] = (struct tas_rough_section){
            .is_video = section.kind == TAS_SECTION_VIDEO,
            .quality = section.quality,
            .is_full_colour = section.is_full_colour,
            .region = section.region,
            .data = section.data,
        };
    }
    *count = n;
    return TAS_OK;
}

int tas_frame_sections(struct tas_bytes frame, struct tas_rough_section out[TAS_SECTIONS_MAX],
                       unsigned *count) {
    struct tas_frame_head head;
    int err = frame.len > TAS_FRAME_MAX ? TAS_E_LIMIT : tas_frame_head_decode(&head, frame);
    if (err != TAS_OK)
        return TAS_E_PROTO;
    size_t around = tas_frame_head_len(head.flags) + TAS_FRAME_TAIL_LEN;
    if (frame.len < around || frame.len - around < head.sections_len)
        return TAS_E_PROTO;
    size_t at = frame.len - TAS_FRAME_TAIL_LEN - head.sections_len;
    struct tas_reader r = tas_reader_of(tas_bytes_of(frame.ptr + at, head.sections_len));
    return read_sections(&r, out, count);
}
