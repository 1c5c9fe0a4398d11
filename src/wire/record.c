#include "wire/record.h"
#include "wire/messages.h"

const char *tas_close_text(unsigned code) {
    switch (code) {
#define X(name, value, text)                                                                                 \
    case value:                                                                                              \
        return text;
        TAS_CLOSE_CODES(X)
#undef X
    default:
        return "unknown reason";
    }
}

int tas_record_decode(struct tas_record *out, size_t *used, struct tas_bytes in) {
    struct tas_reader r = tas_reader_of(in);
    uint8_t type = tas_read_u8(&r);
    uint8_t pf = tas_read_u8(&r);
    uint16_t route = tas_read_u16(&r);
    uint32_t len = tas_read_u32(&r);
    if (r.bad)
        return TAS_E_MORE;
    if (len > TAS_RECORD_MAX)
        return TAS_E_LIMIT; /* before waiting for bytes that may never come */
    if (pf & ~TAS_PF_KNOWN)
        return TAS_E_PROTO;
    struct tas_bytes payload = tas_read_bytes(&r, len);
    if (r.bad)
        return TAS_E_MORE;
    *out = (struct tas_record){.type = type, .pf = pf, .route = route, .payload = payload};
    *used = TAS_RECORD_HEAD + len;
    return TAS_OK;
}

void tas_record_head_encode(uint8_t out[TAS_RECORD_HEAD], uint8_t type, uint8_t pf, uint16_t route,
                            size_t len) {
    struct tas_writer w = tas_writer_of(out, TAS_RECORD_HEAD);
    tas_write_u8(&w, type);
    tas_write_u8(&w, pf);
    tas_write_u16(&w, route);
    tas_write_u32(&w, (uint32_t)len);
}

enum { FRAG_START = 1, FRAG_FIN = 2, PAD_MAX = 63 };

int tas_fragment_decode(struct tas_fragment *out, struct tas_bytes plain) {
    struct tas_reader r = tas_reader_of(plain);
    struct tas_msg_fragment_head head;
    struct tas_bytes head_bytes = tas_read_bytes(&r, TAS_SIZE_FRAGMENT_HEAD);
    if (r.bad || tas_msg_fragment_head_decode(&head, head_bytes) != TAS_OK)
        return TAS_E_PROTO;
    if (head.ch >= TAS_CHANNELS || (head.flags & ~(FRAG_START | FRAG_FIN)))
        return TAS_E_PROTO;
    struct tas_fragment frag = {
        .ch = head.ch,
        .is_start = head.flags & FRAG_START,
        .is_fin = head.flags & FRAG_FIN,
        .type = head.type,
    };
    struct tas_bytes rest = tas_read_bytes(&r, head.len);
    if (r.bad || r.in.len > PAD_MAX)
        return TAS_E_PROTO;
    tas_read_zero(&r, r.in.len);

    struct tas_reader body = tas_reader_of(rest);
    if (frag.is_start && !frag.is_fin)
        frag.total = tas_read_u32(&body);
    frag.body = body.in;
    if (frag.is_start && frag.is_fin)
        frag.total = (uint32_t)frag.body.len;
    if (r.bad || body.bad)
        return TAS_E_PROTO;
    *out = frag;
    return TAS_OK;
}

int tas_fragment_encode(const struct tas_fragment *frag, size_t align, uint8_t *out, size_t cap) {
    bool has_total = frag->is_start && !frag->is_fin;
    struct tas_writer w = tas_writer_of(out, cap);
    tas_write_u8(&w, frag->ch);
    tas_write_u8(&w, (uint8_t)((frag->is_start ? FRAG_START : 0) | (frag->is_fin ? FRAG_FIN : 0)));
    tas_write_u16(&w, frag->type);
    tas_write_u32(&w, (uint32_t)(frag->body.len + (has_total ? 4 : 0)));
    if (has_total)
        tas_write_u32(&w, frag->total);
    tas_write_bytes(&w, frag->body.ptr, frag->body.len);
    size_t odd = w.len % align;
    tas_write_zero(&w, odd ? align - odd : 0);
    return w.bad ? TAS_E_LIMIT : (int)w.len;
}
